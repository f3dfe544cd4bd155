/* Dropout's mask is read again by its derivative. Where a device would rather load than draw again, what the forward
 * pass leaves the derivative anyway has the mask in it:
 *   behind relu, or whatever else is chosen element by element, where(c, dy mask, 0) is
 *   where(c and mask > 0, dy scale, 0);
 *   behind gelu, (dy mask) slope is dy (mask slope).
 * A dropped dy that is not finite makes no NaN then, and the last is rounded in another order. */
#include "readers.h"

/* x mask, that nothing reads but the node at hand; and what that has beside it. */
typedef struct dropped { int32_t mask, x, beside; } dropped;

static bool is_mask(const pass_graph *g, int32_t id) { return g->nodes[id]->op == OP_DROPMASK; }

static bool is_scalar(const ir_node *n, int scalar) { return n->op == OP_SCALAR && n->attr.scalar == scalar; }

/* Masks that nothing else draws are as well drawn here. */
static dropped dropped_below(const readers *r, int32_t product, int32_t beside) {
    const ir_node *n = r->g->nodes[product];
    if (!is_scalar(n, S_MUL) || r->count[product] != 1) return (dropped){ 0 };
    const int side = is_mask(r->g, n->in[1]);
    const int32_t mask = n->in[side];
    return is_mask(r->g, mask) && r->count[mask] > 1 ? (dropped){ mask, n->in[!side], beside } : (dropped){ 0 };
}

static dropped chosen(const readers *r, const ir_node *n) {
    if (!is_scalar(n, S_WHERE)) return (dropped){ 0 };
    const ir_node *zero = r->g->nodes[n->in[2]];
    return zero->op == OP_FILL && zero->attr.number == 0 ? dropped_below(r, n->in[1], n->in[0]) : (dropped){ 0 };
}

static dropped sloped(const readers *r, const ir_node *n) {
    for (int side = 0; side < 2 && is_scalar(n, S_MUL); side++)
        if (is_scalar(r->g->nodes[n->in[side]], S_GELU_GRAD) && r->count[n->in[side]] == 1)
            return dropped_below(r, n->in[!side], n->in[side]);
    return (dropped){ 0 };
}

static int32_t number_like(pass_graph *to, const ir_node *n, double number) {
    return pass_make(to, OP_FILL, n->type, n->shape, NULL, 0, (ir_attr){ .number = number });
}

static int32_t choose_once(pass_graph *to, const pass_graph *g, const int32_t *map, int32_t id, dropped d) {
    const ir_node *n = g->nodes[id], *mask = g->nodes[d.mask];
    int32_t in[3] = { map[d.mask], number_like(to, mask, 0) };
    in[1] = pass_make(to, OP_SCALAR, TIDE_BOOL, n->shape, in, 2, (ir_attr){ .scalar = S_GT });
    in[0] = map[d.beside];
    const int32_t both = pass_make(to, OP_SCALAR, TIDE_BOOL, n->shape, in, 2, (ir_attr){ .scalar = S_AND });
    in[0] = map[d.x], in[1] = number_like(to, mask, mask->attr.scale);
    in[1] = pass_make(to, OP_SCALAR, n->type, n->shape, in, 2, (ir_attr){ .scalar = S_MUL });
    in[0] = both, in[2] = map[n->in[2]];
    return pass_make(to, OP_SCALAR, n->type, n->shape, in, 3, n->attr);
}

static int32_t slope_once(pass_graph *to, const pass_graph *g, const int32_t *map, int32_t id, dropped d) {
    const ir_node *n = g->nodes[id];
    const int32_t in[2] = { map[d.beside], map[d.mask] };
    const int32_t both[2] = { map[d.x], pass_make(to, OP_SCALAR, n->type, n->shape, in, 2, n->attr) };
    return pass_make(to, OP_SCALAR, n->type, n->shape, both, 2, n->attr);
}

bool pass_masks(pass_graph *g) {
    const readers r = readers_of(g);
    pass_graph to = { .memory = g->memory, .source = g->source };
    int32_t *map = arena_new(g->memory, int32_t, g->count);
    bool any = false;
    for (int32_t id = 1; id < g->count; id++) {
        const dropped c = chosen(&r, g->nodes[id]), s = sloped(&r, g->nodes[id]);
        if (c.mask) map[id] = choose_once(&to, g, map, id, c);
        else if (s.mask) map[id] = slope_once(&to, g, map, id, s);
        else pass_copy(&to, g, map, id);
        any |= c.mask || s.mask;
    }
    if (any) pass_replace(g, &to, map);
    return any;
}
