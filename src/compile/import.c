/* Copies what the wanted values depend on, composites replaced by their definitions. */
#include "compile.h"
#include "pass.h"

int32_t pass_add(pass_graph *g, const ir_node *node) {
    if (g->count == g->capacity) {
        int32_t capacity = MAX2(256, g->capacity * 2);
        ir_node **nodes = arena_new(g->memory, ir_node *, capacity);
        if (g->count) memcpy(nodes, g->nodes, (size_t)g->count * sizeof *nodes);
        g->nodes = nodes, g->capacity = capacity;
    }
    if (g->count == 0) g->nodes[g->count++] = arena_new(g->memory, ir_node, 1);
    g->nodes[g->count] = arena_new(g->memory, ir_node, 1);
    *g->nodes[g->count] = *node;
    return g->count++;
}

int32_t pass_make(pass_graph *g, ir_op op, int type, tide_shape shape, const int32_t *in, int32_t n_in, ir_attr attr) {
    ir_node n = { .op = (uint8_t)op, .type = (uint8_t)type, .shape = shape, .n_in = n_in, .attr = attr };
    return pass_remake(g, &n, in);
}

int32_t pass_remake(pass_graph *g, const ir_node *n, const int32_t *in) {
    ir_node copy = *n;
    copy.in = arena_new(g->memory, int32_t, MAX2(n->n_in, 1));
    if (n->n_in) memcpy(copy.in, in, (size_t)n->n_in * sizeof *in);
    return pass_add(g, &copy);
}

int32_t pass_view(pass_graph *g, ir_op op, tide_shape shape, int32_t of, ir_attr attr) {
    return pass_make(g, op, g->nodes[of]->type, shape, &of, 1, attr);
}

int32_t pass_reshaped(pass_graph *g, int32_t of, tide_shape shape) {
    return tide_shape_equal(g->nodes[of]->shape, shape) ? of : pass_view(g, OP_RESHAPE, shape, of, (ir_attr){ 0 });
}

int32_t pass_copy(pass_graph *g, const pass_graph *from, int32_t *map, int32_t id) {
    const ir_node *n = from->nodes[id];
    if (map[id]) return map[id];
    int32_t *in = arena_new(g->memory, int32_t, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) in[i] = map[n->in[i]];
    return map[id] = pass_remake(g, n, in);
}

void pass_replace(pass_graph *g, const pass_graph *by, const int32_t *map) {
    for (int32_t i = 0; i < g->n_wanted; i++) g->wanted[i] = map[g->wanted[i]];
    for (int32_t i = 0; i < g->n_assigns; i++) g->assigns[i].value = map[g->assigns[i].value];
    g->nodes = by->nodes, g->count = by->count, g->capacity = by->capacity;
}

typedef struct import {
    pass_graph *g;
    int32_t *map;  /* node of the source graph -> node of the pass graph; 0: not yet */
    int32_t  mapped;
    int32_t *stack;
    int32_t  depth, capacity;
    bool     random;
    const compile_request *request;
    bool    *assigned;  /* of each variable */
} import;

/* Definitions add nodes to the source graph while it is copied, so the map grows. */
static void map_grow(import *im) {
    int32_t count = im->g->source->count;
    if (count <= im->mapped) return;
    int32_t *map = arena_new(im->g->memory, int32_t, count * 2);
    if (im->mapped) memcpy(map, im->map, (size_t)im->mapped * sizeof *map);
    im->map = map, im->mapped = count * 2;
}

static void push(import *im, int32_t id) {
    if (im->depth == im->capacity) {
        int32_t capacity = MAX2(256, im->capacity * 2);
        int32_t *stack = arena_new(im->g->memory, int32_t, capacity);
        if (im->depth) memcpy(stack, im->stack, (size_t)im->depth * sizeof *stack);
        im->stack = stack, im->capacity = capacity;
    }
    im->stack[im->depth++] = id;
}

/* Whether the backend computes the node as it is: attention, all results of it or none. */
static bool kept(const import *im, const ir_node *n) {
    const compile_request *r = im->request;
    ir_node *const *nodes = im->g->source->nodes;
    if (!r->keeps || (n->op != OP_ATTENTION && n->op != OP_ATTENTION_GRAD && !node_is_further_result(n))) return false;
    flat_attention a = attention_of(nodes, node_is_further_result(n) ? nodes[n->in[n->n_in - 1]] : n);
    bool half = attention_gains(im->g->numbers, &a), some = a.batches && a.m && a.n && a.d && a.e;
    tide_dtype type = half && r->precision == TIDE_PRECISION_BF16  ? TIDE_BF16
                      : half && r->precision == TIDE_PRECISION_F16 ? TIDE_F16
                                                                   : TIDE_F32;
    return some && r->keeps(r->device, &a, type);
}

/* A composite's node in plain ops, made once; a variable without storage is its first value; 0 if the graph failed. */
static int32_t definition_of(const import *im, int32_t id) {
    tide_graph *source = im->g->source;
    bool initial = im->request->initial;
    ir_node *n = source->nodes[id];
    const ir_variable *v = n->op == OP_VARIABLE ? source->variables[n->attr.slot] : NULL;
    if (initial && v && !v->block && id != source->rng_step) return v->initial;
    if (!op_rows[n->op].define || kept(im, n)) return id;
    tide_val plain = op_definition(graph_val(source, id));
    return val_good(plain) ? plain.node : 0;
}

static bool draws(const ir_node *n) {
    return n->op == OP_RANDOM || n->op == OP_DROPMASK || (n->op == OP_ATTENTION && n->n_in > ATTENTION_INPUTS) ||
           (n->op == OP_ATTENTION_GRAD && n->n_in > ATTENTION_GRAD_INPUTS);
}

/* A first value is made at random step 0, whatever the step is by now. */
static void copy_node(import *im, int32_t id) {
    const ir_node *n = im->g->source->nodes[id];
    ir_node copy = *n;
    copy.in = arena_new(im->g->memory, int32_t, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) copy.in[i] = im->map[n->in[i]];
    if (node_is_further_result(n)) copy.in[0] = im->map[n->in[n->n_in - 1]], copy.n_in = 1;
    if (im->request->initial && id == im->g->source->rng_step) copy.op = OP_FILL, copy.attr = (ir_attr){ 0 };
    if (n->op == OP_INPUT || n->op == OP_CONSTANT) im->g->newest = MAX2(im->g->newest, id);
    im->random |= draws(n);
    im->map[id] = pass_add(im->g, &copy);
}

/* Depth first with our own stack: a chain of a million nodes is no deeper for us than a short one. */
static bool import_node(import *im, int32_t root) {
    push(im, root);
    while (im->depth) {
        int32_t id = im->stack[im->depth - 1], plain = definition_of(im, id);
        map_grow(im);
        if (!plain) return false;
        if (im->map[id]) {
            im->depth--;
            continue;
        }
        if (plain != id) {
            if (im->map[plain]) im->map[id] = im->map[plain];
            else push(im, plain);
            continue;
        }
        const ir_node *n = im->g->source->nodes[id];
        int32_t before = im->depth;
        for (int32_t i = n->n_in - 1; i >= 0; i--)
            if (!im->map[n->in[i]]) push(im, n->in[i]);
        if (im->depth == before) copy_node(im, id);
    }
    return true;
}

/* One value per variable and run: two would have no order. */
static tide_status add_assign(import *im, int32_t slot, int32_t value, tide_failure *why) {
    pass_graph *g = im->g;
    if (g->source->variables[slot]->shared)
        return fail(why, TIDE_EINVAL,
                    "compile: the variable '%s' is shared with other graphs: no program may assign it",
                    g->source->variables[slot]->name);
    for (int32_t i = 0; im->assigned[slot] && i < g->n_assigns; i++)
        if (g->assigns[i].slot == slot) {
            if (g->assigns[i].value == value) return TIDE_OK;
            return fail(why, TIDE_EINVAL, "compile: the variable '%s' is assigned twice in one program",
                        g->source->variables[slot]->name);
        }
    if ((g->n_assigns & (g->n_assigns - 1)) == 0) {
        pass_assign *more = arena_new(g->memory, pass_assign, MAX2(8, g->n_assigns * 2));
        if (g->n_assigns) memcpy(more, g->assigns, (size_t)g->n_assigns * sizeof *more);
        g->assigns = more;
    }
    im->assigned[slot] = true;
    g->assigns[g->n_assigns++] = (pass_assign){ slot, value };
    return TIDE_OK;
}

static bool import_assign(import *im, const ir_node *n, tide_failure *why) {
    if (!import_node(im, n->in[1])) return false;
    return !add_assign(im, im->g->source->nodes[n->in[0]]->attr.slot, im->map[n->in[1]], why);
}

/* The assignments below an effect, each group opened once. */
static bool import_effect(import *im, int32_t root, bool *opened, tide_failure *why) {
    const tide_graph *source = im->g->source;
    int32_t *stack = arena_new(im->g->memory, int32_t, root + 1), depth = 0;
    opened[root] = true;
    for (stack[depth++] = root; depth;) {
        const ir_node *n = source->nodes[stack[--depth]];
        if (n->op == OP_ASSIGN && !import_assign(im, n, why)) return false;
        for (int32_t i = n->op == OP_GROUP ? n->n_in - 1 : -1; i >= 0; i--)
            if (!opened[n->in[i]]) opened[n->in[i]] = true, stack[depth++] = n->in[i];
    }
    return true;
}

/* Programs that draw random numbers advance the step they draw with, unless they assign it themselves. */
static void advance_rng(import *im) {
    pass_graph *g = im->g;
    tide_graph *source = g->source;
    if (!im->random || im->request->initial) return;
    int32_t slot = source->nodes[source->rng_step]->attr.slot;
    for (int32_t i = 0; i < g->n_assigns; i++)
        if (g->assigns[i].slot == slot) return;
    ir_node one = { .op = OP_FILL, .type = TIDE_I32, .attr.number = 1, .in = arena_new(g->memory, int32_t, 1) };
    ir_node add = {
        .op = OP_SCALAR, .type = TIDE_I32, .n_in = 2, .in = arena_new(g->memory, int32_t, 2), .attr.scalar = S_ADD
    };
    add.in[0] = im->map[source->rng_step];
    add.in[1] = pass_add(g, &one);
    add_assign(im, slot, pass_add(g, &add), NULL);
}

static int32_t add_leaf_node(import *im, ir_node leaf, int32_t input) {
    leaf.in = arena_new(im->g->memory, int32_t, 1);
    leaf.in[0] = input, leaf.n_in = input != 0;
    return pass_add(im->g, &leaf);
}

/* An input for each slot, spread to the node's shape if it has one element; or a fill. */
static void import_leaf(import *im, const compile_leaf *leaf, int32_t *inputs) {
    const ir_node *n = im->g->source->nodes[leaf->node];
    ir_node node = { .op = OP_FILL, .type = n->type, .shape = n->shape, .attr.number = leaf->number };
    if (leaf->slot < 0) {
        im->map[leaf->node] = add_leaf_node(im, node, 0);
        return;
    }
    ir_node input = { .op = OP_INPUT, .type = n->type, .attr.slot = leaf->slot };
    if (!leaf->one) input.shape = n->shape;
    if (!inputs[leaf->slot]) inputs[leaf->slot] = add_leaf_node(im, input, 0);
    ir_node spread = { .op = OP_BROADCAST, .type = n->type, .shape = n->shape };
    bool same = tide_shape_equal(input.shape, n->shape);
    im->map[leaf->node] = same ? inputs[leaf->slot] : add_leaf_node(im, spread, inputs[leaf->slot]);
}

bool pass_import(pass_graph *g, const compile_request *r, int32_t *wanted_node, tide_failure *why) {
    import im = { .g = g, .request = r };
    tide_list wanted = r->wanted;
    g->wanted = arena_new(g->memory, int32_t, MAX2(wanted.count, 1));
    map_grow(&im);
    int32_t *inputs = arena_new(g->memory, int32_t, MAX2(r->n_slots, 1));
    for (int32_t i = 0; i < r->n_leaves; i++) import_leaf(&im, &r->leaves[i], inputs);
    im.assigned = arena_new(g->memory, bool, MAX2(g->source->n_variables, 1));
    bool *opened = arena_new(g->memory, bool, g->source->count);
    for (int64_t i = 0; i < wanted.count; i++) {
        int32_t id = wanted.items[i].node;
        g->newest = MAX2(g->newest, id);
        ir_op op = g->source->nodes[id]->op;
        if (op == OP_ASSIGN || op == OP_GROUP) {
            if (!opened[id] && !import_effect(&im, id, opened, why)) return false;
            continue;
        }
        if (!import_node(&im, id)) return false;
        wanted_node[g->n_wanted] = id;
        g->wanted[g->n_wanted++] = im.map[id];
    }
    advance_rng(&im);
    if (g->count == 0) pass_add(g, &(ir_node){ .op = OP_FILL });
    return true;
}
