#include "recompute.h"

struct recompute {
    tide_graph *g;
    int32_t     region;      /* begun last; regions have their nodes in a row, so the sweep is done with the one
                                before */
    int32_t    *stand_in;    /* of nodes in regions: made again; of those that a region reads: the same value, later */
    int32_t    *stands_for;  /* region for which the stand-in was made; 0: none yet */
    tide_val    wait;        /* F32 scalar that depends on all that the next region waits for; graph NULL: on nothing */
    tide_val    gate;        /* what this region waits for */
};

recompute *recompute_new(tide_graph *g, arena *scratch) {
    recompute *r = arena_new(scratch, recompute, 1);
    if (!r) return NULL;
    r->g = g;
    r->stand_in = arena_new(scratch, int32_t, g->count), r->stands_for = arena_new(scratch, int32_t, g->count);
    return r->stand_in && r->stands_for ? r : NULL;
}

static tide_val first_element(tide_val x) {
    for (int i = 0; i < tide_shape_of(x).ndim; i++) x = tide_slice(x, i, 0, 1);
    return tide_cast(tide_reshape(x, TIDE_SCALAR), TIDE_F32);
}

void recompute_wait_for(recompute *r, tide_val share) {
    if (!val_good(share) || tide_shape_count(tide_shape_of(share)) == 0) return;
    tide_val one = first_element(share);
    r->wait = r->wait.graph ? tide_add(r->wait, one) : one;
}

/* Is there anyway, or (random numbers) made anew by every reader. Inputs are not among them: without something to wait
 * for, what a region makes of them alone would be one with the first time. */
static bool leaf(const ir_node *n) {
    switch (n->op) {
    case OP_CONSTANT: case OP_FILL: case OP_VARIABLE: case OP_ARANGE: case OP_RANDOM: case OP_DROPMASK: return true;
    default: return false;
    }
}

/* What a mask is a function of is read as the nodes of masks read it, which stay. */
static bool of_mask(const ir_node *n, int32_t input) { return n->op == OP_ATTENTION && input >= ATTENTION_INPUTS; }

/* Value `id` from outside, read after the gate. */
static tide_val later(recompute *r, int32_t id) {
    if (leaf(r->g->nodes[id]) || !r->gate.graph) return graph_val(r->g, id);
    if (r->stands_for[id] != r->region) {
        r->stand_in[id] = scalar_after(graph_val(r->g, id), r->gate).node;
        r->stands_for[id] = r->region;
    }
    return graph_val(r->g, r->stand_in[id]);
}

/* A copy of node `id` that reads stand-ins; the node itself where all its inputs stand for themselves. */
static int32_t copy_node(recompute *r, int32_t id, tide_val *in) {
    const ir_node *n = r->g->nodes[id];
    bool changed = false;
    if (leaf(n) || n->op == OP_CUSTOM || n->op == OP_ASSIGN || n->op == OP_GROUP) return id;
    for (int32_t i = 0; i < n->n_in; i++) {
        bool inside = r->g->nodes[n->in[i]]->region == r->region;
        if (of_mask(n, i)) in[i] = graph_val(r->g, n->in[i]);
        else in[i] = inside ? graph_val(r->g, r->stand_in[n->in[i]]) : later(r, n->in[i]);
        changed |= in[i].node != n->in[i];
    }
    return changed ? graph_add(r->g, (ir_op)n->op, (tide_dtype)n->type, n->shape, in, n->n_in, &n->attr).node : id;
}

/* All nodes of the region up to `last`; what turns out not to be needed is dropped when compiling. */
static bool begin(recompute *r, int32_t last) {
    int32_t first = last, most = 1;
    for (r->region = r->g->nodes[last]->region; r->g->nodes[first - 1]->region == r->region; first--) {}
    for (int32_t id = first; id <= last; id++) most = MAX2(most, r->g->nodes[id]->n_in);
    tide_val *in = mem_new(&r->g->allocator, sizeof *in * (size_t)most);
    if (!in) graph_fail(r->g, TIDE_ENOMEM, "out of memory while building the graph");
    for (int32_t id = first; id <= last && in; id++)
        r->stand_in[id] = copy_node(r, id, in), r->stands_for[id] = r->region;
    mem_free(&r->g->allocator, in, sizeof *in * (size_t)most);
    return in != NULL;
}

tide_val recompute_value(recompute *r, int32_t id, tide_val dy) {
    if (r->g->nodes[id]->region != r->region) {
        recompute_wait_for(r, dy);
        r->gate = r->wait, r->wait = (tide_val){ 0 };
        if (!begin(r, id)) return graph_val(r->g, -1);
    }
    return graph_val(r->g, r->stand_in[id]);
}
