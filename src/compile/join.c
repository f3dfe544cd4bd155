/* Products of one left operand by several weights become one by all of them, where the backend joins products: one
 * launch with as many columns, which fills a device that three with a third of them leave partly idle. Weights that are
 * neighbours in storage are one matrix as they lie, so nothing is put together: tide_self_attention makes those of its
 * queries, keys and values so, and their biases too. What each product was is then some columns of the one, a view.
 *
 * A branch goes from its product to the last of what all branches have alike, of a bias and a cast to 16 bits, which
 * are done once for all of them. After precision.c, where the types are known. */
#include <stdlib.h>

#include "readers.h"

typedef struct branch {
    int32_t product, last;    /* where it begins, and what the others see of it */
    int32_t left;
    int32_t weight, bias;     /* variables; no bias: 0 */
    int32_t halved;           /* the weight's cast; 0: it has none */
    int32_t cast;             /* of the result; 0 */
    const ir_variable *at, *bias_at;
    int64_t bytes, bias_bytes;
} branch;

/* Branches [first, end) are one product. */
typedef struct joined { int32_t first, end, weights, result; } joined;

typedef struct joiner {
    const pass_graph *from;
    pass_graph to;
    readers  read;
    branch  *branches;
    joined  *sets;
    int32_t  n_branches, n_sets;
    int32_t *map;       /* old node -> new node */
    int32_t *ends;      /* of each old node: 1 + the branch that it is the last of, or whose weight's cast it is */
} joiner;

static const ir_node *node_of(const joiner *j, int32_t id) { return j->from->nodes[id]; }

/* ---- branches ------------------------------------------------------------------------------------------ */

static const ir_variable *variable_of(const joiner *j, int32_t id) {
    const ir_node *n = node_of(j, id);
    return n->op == OP_VARIABLE ? j->from->source->variables[n->attr.slot] : NULL;
}

static int64_t bytes_of(const joiner *j, int32_t id) {
    const ir_node *n = node_of(j, id);
    return tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
}

/* A weight as layers have it, (columns, depth), read the other way round. */
static bool find_weight(const joiner *j, branch *b) {
    const ir_node *turned = node_of(j, node_of(j, b->product)->in[1]);
    if (turned->op != OP_PERMUTE) return false;
    b->weight = turned->in[0];
    if (node_of(j, b->weight)->op == OP_CAST) b->halved = b->weight, b->weight = node_of(j, b->weight)->in[0];
    b->at = variable_of(j, b->weight), b->bytes = bytes_of(j, b->weight);
    return b->at && b->at->block && node_of(j, b->weight)->type == TIDE_F32;
}

static void follow(const joiner *j, branch *b) {
    biased sum = only_biased(&j->read, b->product);
    int32_t bias = sum.sum ? through_reshapes(j->from, sum.row) : 0;
    b->last = b->product, b->bias_at = variable_of(j, bias);
    if (b->bias_at && b->bias_at->block && node_of(j, bias)->shape.ndim == 1)
        b->bias = bias, b->bias_bytes = bytes_of(j, bias), b->last = sum.sum;
    b->cast = only_cast(&j->read, b->last, node_of(j, b->left)->type, false);
    if (b->cast) b->last = b->cast;
}

/* What is wanted itself would be copied out of the whole. */
static bool find_branch(const joiner *j, int32_t product, branch *b) {
    const ir_node *n = node_of(j, product);
    if (n->op != OP_MATMUL || n->type != TIDE_F32 || n->shape.ndim != 2) return false;
    *b = (branch){ .product = product, .left = n->in[0] };
    if (!find_weight(j, b)) return false;
    follow(j, b);
    return j->read.last[b->last] != 0;
}

/* Of one left operand and one form next to each other, in the order of their weights in storage. */
static int in_order(const void *a, const void *b) {
    const branch *x = a, *y = b;
    if (x->left != y->left) return x->left < y->left ? -1 : 1;
    if (!x->bias != !y->bias) return x->bias ? -1 : 1;
    if (!x->cast != !y->cast) return x->cast ? -1 : 1;
    if (x->at->block != y->at->block) return (uintptr_t)x->at->block < (uintptr_t)y->at->block ? -1 : 1;
    return (x->at->at > y->at->at) - (x->at->at < y->at->at);
}

static bool next_to(const ir_variable *a, int64_t bytes, const ir_variable *b) {
    return a->block == b->block && a->at + bytes == b->at;
}

static bool joins(const branch *a, const branch *b) {
    bool alike = a->left == b->left && !a->bias == !b->bias && !a->cast == !b->cast && !a->halved == !b->halved;
    return alike && next_to(a->at, a->bytes, b->at) && (!a->bias || next_to(a->bias_at, a->bias_bytes, b->bias_at));
}

static void find_sets(joiner *j) {
    for (int32_t id = 1; id < j->from->count; id++) j->n_branches += find_branch(j, id, &j->branches[j->n_branches]);
    qsort(j->branches, (size_t)j->n_branches, sizeof *j->branches, in_order);
    for (int32_t i = 0, end; i < j->n_branches; i = end) {
        for (end = i + 1; end < j->n_branches && joins(&j->branches[end - 1], &j->branches[end]);) end++;
        if (end > i + 1) j->sets[j->n_sets++] = (joined){ i, end, 0, 0 };
    }
    for (int32_t s = 0; s < j->n_sets; s++)
        for (int32_t i = j->sets[s].first; i < j->sets[s].end; i++) {
            j->ends[j->branches[i].last] = s + 1;
            if (j->branches[i].halved) j->ends[j->branches[i].halved] = s + 1;
        }
}

/* ---- the one product ----------------------------------------------------------------------------------- */

/* The variables of all branches, one after the other. */
static int32_t concatenated(joiner *j, const joined *s, bool biases) {
    int32_t count = s->end - s->first, *in = arena_new(j->to.memory, int32_t, count);
    tide_shape shape = node_of(j, j->branches[s->first].weight)->shape;
    if (biases) shape.ndim = 1;
    shape.dim[0] = 0;
    for (int32_t i = 0; i < count; i++) {
        const branch *b = &j->branches[s->first + i];
        in[i] = pass_copy(&j->to, j->from, j->map, biases ? b->bias : b->weight);
        shape.dim[0] += node_of(j, b->weight)->shape.dim[0];
    }
    return pass_make(&j->to, OP_CONCAT, TIDE_F32, shape, in, count, (ir_attr){ .flag = 1 });
}

static const ir_node *made(const joiner *j, int32_t id) { return j->to.nodes[id]; }

static int32_t weights_of(joiner *j, joined *s) {
    const branch *b = &j->branches[s->first];
    if (s->weights) return s->weights;
    s->weights = concatenated(j, s, false);
    if (b->halved)
        s->weights = pass_make(&j->to, OP_CAST, node_of(j, b->halved)->type, made(j, s->weights)->shape, &s->weights, 1,
                         (ir_attr){ 0 });
    return s->weights;
}

static int32_t with_biases(joiner *j, const joined *s, int32_t product) {
    tide_shape shape = made(j, product)->shape;
    int32_t row = concatenated(j, s, true), in[2] = { product };
    in[1] = pass_view(&j->to, OP_BROADCAST, shape, row, (ir_attr){ 0 });
    return pass_make(&j->to, OP_SCALAR, TIDE_F32, shape, in, 2, (ir_attr){ .scalar = S_ADD });
}

static int32_t result_of(joiner *j, joined *s) {
    const branch *b = &j->branches[s->first];
    int32_t weights = weights_of(j, s), in[2] = { j->map[b->left] };
    tide_shape w = made(j, weights)->shape, shape = node_of(j, b->product)->shape;
    if (s->result) return s->result;
    in[1] = pass_view(&j->to, OP_PERMUTE, TIDE_SHAPE(w.dim[1], w.dim[0]), weights, (ir_attr){ .start = { 1, 0 } });
    shape.dim[1] = w.dim[0];
    s->result = pass_make(&j->to, OP_MATMUL, TIDE_F32, shape, in, 2, (ir_attr){ 0 });
    if (b->bias) s->result = with_biases(j, s, s->result);
    if (b->cast)
        s->result = pass_make(&j->to, OP_CAST, node_of(j, b->cast)->type, shape, &s->result, 1, (ir_attr){ 0 });
    return s->result;
}

/* A branch's own part of what all have, columns or rows, in the shape that it had. */
static int32_t part_of_set(joiner *j, joined *s, int32_t id) {
    int64_t at = 0;
    int32_t i = s->first;
    while (j->branches[i].last != id && j->branches[i].halved != id)
        at += node_of(j, j->branches[i++].weight)->shape.dim[0];
    int axis = j->branches[i].last == id;
    int32_t whole = axis ? result_of(j, s) : weights_of(j, s);
    tide_shape shape = made(j, whole)->shape;
    ir_attr attr = { .step = { 1, 1 } };
    attr.start[axis] = at, shape.dim[axis] = node_of(j, j->branches[i].weight)->shape.dim[0];
    return pass_reshaped(&j->to, pass_view(&j->to, OP_SLICE, shape, whole, attr), node_of(j, id)->shape);
}

bool pass_join(pass_graph *g) {
    joiner j = { .from = g, .to = { .memory = g->memory, .source = g->source }, .read = readers_of(g) };
    int32_t products = 1;
    for (int32_t id = 1; id < g->count; id++) products += g->nodes[id]->op == OP_MATMUL;
    j.branches = arena_new(g->memory, branch, products), j.sets = arena_new(g->memory, joined, products);
    j.map = arena_new(g->memory, int32_t, g->count), j.ends = arena_new(g->memory, int32_t, g->count);
    find_sets(&j);
    if (!j.n_sets) return false;
    for (int32_t id = 1; id < g->count; id++)
        if (j.ends[id]) j.map[id] = part_of_set(&j, &j.sets[j.ends[id] - 1], id);
        else pass_copy(&j.to, g, j.map, id);
    pass_replace(g, &j.to, j.map);
    return true;
}
