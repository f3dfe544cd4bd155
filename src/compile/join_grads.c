/* The way back through products that are one (join.c): the derivatives of queries, keys and values, which attention's
 * derivative leaves side by side, are one left operand. Its product with all of the weights is the sum of the products
 * with each, so that what was several values in memory, and their sum, is one; and the derivatives of the weights are
 * rows of one product. Where the derivatives lie side by side is up to lower_ops.c, which makes a view of their CONCAT
 * of flag 2. */
#include <stdlib.h>

#include "readers.h"

enum { MOST_PARTS = 3 };  /* of a derivative of attention */

/* One derivative (rows, columns), and its products by the weight's rows from `at` on of all of them, and by `input`. */
typedef struct back {
    int32_t maker, value, product;
    int32_t whole;
    int64_t at, cols;
    int32_t gradient, input;  /* of the weight; 0: none that can be a part of another */
} back;

/* Parts [first, end); `last` is where all their products have come together. */
typedef struct returned { int32_t first, end, last, value, gradient; } returned;

typedef struct joiner {
    const pass_graph *from;
    pass_graph to;
    readers   read;
    back     *parts;
    returned  *sets;
    int32_t   n_parts, n_sets;
    int32_t  *map;       /* old node -> new node */
    int32_t  *weights;   /* of each variable's node: the CONCAT that has it; 0 */
    int32_t  *uses;      /* of attention's derivatives, by others than their fellows */
    int32_t  *set_of;    /* of each old node: 1 + the set whose sums, or derivatives of weights, it is among */
    bool     *gone;      /* of each old node: nothing is left of it but the sets' products */
} joiner;

static const ir_node *node_of(const joiner *j, int32_t id) { return j->from->nodes[id]; }
static bool is_whole(const ir_node *n) { return n->op == OP_CONCAT && n->attr.flag == 1 && n->shape.ndim == 2; }

/* ---- what comes back ----------------------------------------------------------------------------------- */

/* Of (batch, heads, rows, columns) as rows of all heads' columns. */
static bool find_value(const joiner *j, back *p) {
    const ir_node *n = node_of(j, p->value);
    if (n->op != OP_RESHAPE || n->shape.ndim != 2) return false;
    const ir_node *turned = node_of(j, n->in[0]);
    if (turned->op != OP_PERMUTE || turned->shape.ndim != 4 || turned->attr.start[1] != 2 ||
        turned->attr.start[2] != 1 || turned->attr.start[3] != 3)
        return false;
    const ir_node *made = node_of(j, turned->in[0]);
    bool first = made->op == OP_ATTENTION_GRAD, further = made->op == OP_ATTENTION_GRAD_K ||
                                                          made->op == OP_ATTENTION_GRAD_V;
    p->maker = first ? turned->in[0] : further ? made->in[0] : 0;
    p->cols = n->shape.dim[1];
    return p->maker && j->uses[turned->in[0]] == 1 && turned->shape.dim[2] * turned->shape.dim[3] == p->cols;
}

static bool find_weights(const joiner *j, back *p, int32_t right) {
    const ir_node *n = node_of(j, right);
    if (n->op == OP_VARIABLE && j->weights[right]) {
        p->whole = j->weights[right];
        for (const int32_t *in = node_of(j, p->whole)->in; *in != right; in++) p->at += node_of(j, *in)->shape.dim[0];
        return true;
    }
    if (n->op != OP_SLICE || n->attr.start[1] || n->attr.step[0] != 1 || n->attr.step[1] != 1) return false;
    const ir_node *whole = node_of(j, n->in[0]);
    p->whole = n->in[0], p->at = n->attr.start[0];
    return is_whole(whole) || (whole->op == OP_CAST && is_whole(node_of(j, whole->in[0])));
}

static bool find_part(const joiner *j, int32_t product, back *p) {
    const ir_node *n = node_of(j, product);
    if (n->op != OP_MATMUL || n->type != TIDE_F32 || n->shape.ndim != 2) return false;
    *p = (back){ .product = product, .value = n->in[0] };
    return find_value(j, p) && find_weights(j, p, n->in[1]) && node_of(j, n->in[1])->shape.dim[0] == p->cols;
}

static int in_order(const void *a, const void *b) {
    const back *x = a, *y = b;
    if (x->maker != y->maker) return x->maker < y->maker ? -1 : 1;
    if (x->whole != y->whole) return x->whole < y->whole ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

static bool follows(const joiner *j, const back *a, const back *b) {
    return a->maker == b->maker && a->whole == b->whole && a->at + a->cols == b->at &&
           node_of(j, a->value)->shape.dim[0] == node_of(j, b->value)->shape.dim[0];
}

/* Where sums of the products, and of other things, have become one sum, on the way noting them as the set's; 0: on the
 * way one is read by something else. */
static int32_t come_together(joiner *j, const returned *s, int32_t set) {
    int32_t at[MOST_PARTS], count = s->end - s->first;
    for (int32_t i = 0; i < count; i++) at[i] = j->parts[s->first + i].product;
    for (;;) {
        int32_t next = 0, apart = 0;
        for (int32_t i = 0; i < count; i++) {
            int32_t reader = only_reader(&j->read, at[i], false);
            apart += at[i] != at[0];
            if (apart && !reader) return 0;
            if (!next || (reader && reader < next)) next = reader;
        }
        if (!apart) return at[0];
        const ir_node *n = node_of(j, next);
        if (n->op != OP_SCALAR || n->attr.scalar != S_ADD || (j->set_of[next] && j->set_of[next] != set)) return 0;
        for (int32_t i = 0; i < count; i++)
            if (only_reader(&j->read, at[i], false) == next) at[i] = next;
        if (set) j->set_of[next] = set;
    }
}

/* The products of the derivatives, turned, by one and the same: those of the weights. */
static void find_gradients(joiner *j, const returned *s, int32_t set) {
    bool all = true;
    for (int32_t i = s->first; i < s->end; i++)
        all &= j->parts[i].gradient && j->parts[i].input == j->parts[s->first].input;
    for (int32_t i = s->first; all && i < s->end; i++) j->set_of[j->parts[i].gradient] = set;
}

static void note_gradients(joiner *j) {
    for (int32_t id = 1; id < j->from->count; id++) {
        const ir_node *n = node_of(j, id), *turned = n->n_in ? node_of(j, n->in[0]) : NULL;
        if (n->op != OP_MATMUL || n->shape.ndim != 2 || turned->op != OP_PERMUTE || !j->read.last[id]) continue;
        for (int32_t i = 0; i < j->n_parts; i++)
            if (j->parts[i].value == turned->in[0]) j->parts[i].gradient = id, j->parts[i].input = n->in[1];
    }
}

static void find_sets(joiner *j) {
    for (int32_t id = 1; id < j->from->count; id++) j->n_parts += find_part(j, id, &j->parts[j->n_parts]);
    qsort(j->parts, (size_t)j->n_parts, sizeof *j->parts, in_order);
    if (j->n_parts) note_gradients(j);
    for (int32_t i = 0, end; i < j->n_parts; i = end) {
        for (end = i + 1; end < j->n_parts && follows(j, &j->parts[end - 1], &j->parts[end]);) end++;
        returned s = { .first = i, .end = end };
        if (end == i + 1 || end > i + MOST_PARTS || !come_together(j, &s, 0)) continue;
        s.last = come_together(j, &s, j->n_sets + 1);
        for (int32_t p = i; p < end; p++) j->gone[j->parts[p].product] = true;
        find_gradients(j, &s, j->n_sets + 1);
        j->sets[j->n_sets++] = s;
    }
}

/* ---- the one product each way -------------------------------------------------------------------------- */

static const ir_node *made(const joiner *j, int32_t id) { return j->to.nodes[id]; }

static int32_t copy_node(joiner *j, int32_t id) { return pass_copy(&j->to, j->from, j->map, id); }

/* A derivative is there as soon as another of its kernel's is. */
static int32_t value_of(joiner *j, int32_t value) {
    int32_t turned = node_of(j, value)->in[0];
    copy_node(j, node_of(j, turned)->in[0]), copy_node(j, turned);
    return copy_node(j, value);
}

static int32_t side_by_side(joiner *j, returned *s) {
    int32_t in[MOST_PARTS], count = s->end - s->first;
    if (s->value) return s->value;
    const ir_node *first = node_of(j, j->parts[s->first].value);
    tide_shape shape = first->shape;
    shape.dim[1] = 0;
    for (int32_t i = 0; i < count; i++) {
        in[i] = value_of(j, j->parts[s->first + i].value);
        shape.dim[1] += j->parts[s->first + i].cols;
    }
    return s->value = pass_make(&j->to, OP_CONCAT, first->type, shape, in, count, (ir_attr){ .axis = 1, .flag = 2 });
}

static int32_t rows_of(joiner *j, int32_t whole, int64_t at, int64_t rows) {
    tide_shape shape = made(j, whole)->shape;
    if (shape.dim[0] == rows) return whole;
    shape.dim[0] = rows;
    return pass_view(&j->to, OP_SLICE, shape, whole, (ir_attr){ .start = { at }, .step = { 1, 1 } });
}

/* In the shape of the sum that it is a part of. */
static int32_t product_of(joiner *j, returned *s, tide_shape shape) {
    const back *p = &j->parts[s->first];
    int32_t value = side_by_side(j, s), in[2] = { value };
    in[1] = rows_of(j, copy_node(j, p->whole), p->at, made(j, value)->shape.dim[1]);
    int32_t product = pass_make(&j->to, OP_MATMUL, TIDE_F32, node_of(j, p->product)->shape, in, 2, (ir_attr){ 0 });
    return pass_reshaped(&j->to, product, shape);
}

static int32_t gradient_of(joiner *j, returned *s, int32_t id) {
    const ir_node *n = node_of(j, id);
    int32_t i = s->first;
    if (!s->gradient) {
        int32_t value = side_by_side(j, s), in[2] = { 0, j->map[n->in[1]] };
        tide_shape all = made(j, value)->shape, turned = TIDE_SHAPE(all.dim[1], all.dim[0]);
        in[0] = pass_view(&j->to, OP_PERMUTE, turned, value, (ir_attr){ .start = { 1, 0 } });
        all = n->shape, all.dim[0] = turned.dim[0];
        s->gradient = pass_make(&j->to, OP_MATMUL, TIDE_F32, all, in, 2, (ir_attr){ 0 });
    }
    while (j->parts[i].gradient != id) i++;
    return rows_of(j, s->gradient, j->parts[i].at - j->parts[s->first].at, n->shape.dim[0]);
}

/* What is left of a sum without the set's products; with their product, where all have come together. */
static int32_t sum_of(joiner *j, returned *s, int32_t id) {
    const ir_node *n = node_of(j, id);
    int32_t in[2], count = 0;
    for (int32_t i = 0; i < 2; i++)
        if (!j->gone[n->in[i]]) in[count++] = j->map[n->in[i]];
    if (id != s->last) return j->gone[id] = count == 0, count == 0 ? 0 : in[0];
    in[count++] = product_of(j, s, n->shape);
    return count == 1 ? in[0] : pass_make(&j->to, OP_SCALAR, n->type, n->shape, in, 2, n->attr);
}

static void rebuild_node(joiner *j, int32_t id) {
    const ir_node *n = node_of(j, id);
    returned *s = j->set_of[id] ? &j->sets[j->set_of[id] - 1] : NULL;
    if (n->op == OP_RESHAPE) j->gone[id] |= j->gone[n->in[0]];
    if (j->gone[id]) return;
    if (!s) copy_node(j, id);
    else j->map[id] = n->op == OP_MATMUL ? gradient_of(j, s, id) : sum_of(j, s, id);
}

static void count_uses(joiner *j) {
    for (int32_t id = 1; id < j->from->count; id++) {
        const ir_node *n = node_of(j, id);
        for (int32_t i = 0; i < n->n_in; i++) j->uses[n->in[i]] += !reads_any_order(n, i);
        for (int32_t i = 0; is_whole(n) && i < n->n_in; i++) j->weights[n->in[i]] = id;
    }
}

bool pass_join_grads(pass_graph *g) {
    joiner j = { .from = g, .to = { .memory = g->memory, .source = g->source }, .read = readers_of(g) };
    int32_t products = 1;
    for (int32_t id = 1; id < g->count; id++) products += g->nodes[id]->op == OP_MATMUL;
    j.parts = arena_new(g->memory, back, products), j.sets = arena_new(g->memory, returned, products);
    j.map = arena_new(g->memory, int32_t, g->count), j.weights = arena_new(g->memory, int32_t, g->count);
    j.uses = arena_new(g->memory, int32_t, g->count), j.set_of = arena_new(g->memory, int32_t, g->count);
    j.gone = arena_new(g->memory, bool, g->count);
    count_uses(&j);
    find_sets(&j);
    if (!j.n_sets) return false;
    for (int32_t id = 1; id < g->count; id++) rebuild_node(&j, id);
    pass_replace(g, &j.to, j.map);
    return true;
}
