#include "readers.h"

static void add_reader(readers *r, int32_t of, int32_t by) { r->count[of]++, r->last[of] = by; }

readers readers_of(const pass_graph *g) {
    readers r = { g, arena_new(g->memory, int32_t, g->count), arena_new(g->memory, int32_t, g->count) };
    for (int32_t id = 1; id < g->count; id++)
        for (int32_t i = 0; i < g->nodes[id]->n_in; i++) add_reader(&r, g->nodes[id]->in[i], id);
    for (int32_t i = 0; i < g->n_wanted; i++) add_reader(&r, g->wanted[i], 0);
    for (int32_t i = 0; i < g->n_assigns; i++) add_reader(&r, g->assigns[i].value, 0);
    return r;
}

int32_t only_reader(const readers *r, int32_t id, bool permuted) {
    while (r->count[id] == 1) {
        id = r->last[id];
        const ir_node *n = r->g->nodes[id];
        if (n->op != OP_RESHAPE && (n->op != OP_PERMUTE || !permuted)) return id;
    }
    return 0;
}

int32_t only_cast(const readers *r, int32_t value, int type, bool permuted) {
    int32_t cast = only_reader(r, value, permuted);
    const ir_node *n = r->g->nodes[cast];
    return cast && type_half((tide_dtype)type) && n->op == OP_CAST && n->type == type ? cast : 0;
}

static int64_t last_size(const ir_node *n) { return n->shape.ndim ? n->shape.dim[n->shape.ndim - 1] : 1; }

/* The row of `cols` numbers that `in` repeats; 0: it is none. */
static int32_t row_below(const pass_graph *g, int32_t in, int64_t cols) {
    while (g->nodes[in]->op == OP_RESHAPE) in = g->nodes[in]->in[0];
    const ir_node *n = g->nodes[in];
    if (n->op == OP_BROADCAST) {
        if (last_size(n) != cols || last_size(g->nodes[n->in[0]]) != cols) return 0;
        in = n->in[0], n = g->nodes[in];
    }
    return n->type == TIDE_F32 && tide_shape_count(n->shape) == cols ? in : 0;
}

biased only_biased(const readers *r, int32_t product) {
    const pass_graph *g = r->g;
    int64_t cols = last_size(g->nodes[product]);
    biased b = { .sum = only_reader(r, product, false) };
    const ir_node *n = g->nodes[b.sum];
    if (!b.sum || n->op != OP_SCALAR || n->attr.scalar != S_ADD || last_size(n) != cols) return (biased){ 0 };
    b.side = through_reshapes(g, n->in[1]) == product;
    b.row = row_below(g, n->in[!b.side], cols);
    return b.row ? b : (biased){ 0 };
}
