/* What a product can write in place of another kernel, where the backend's products do: its result with a bias added to
 * each row, and either of them rounded to its operands' 16-bit type. After fuse.c, which knows what would be stored: a
 * bias is taken where its sum is, for then the sum is one write less, and often a kernel less; a sum that only goes on
 * in registers stays there. A cast is taken where nothing else reads what it rounds.
 *
 * What is taken becomes a view of the product. No order turns round by it: the product now waits for the bias, but what
 * waits for the product had to wait for the sum. */
#include "readers.h"

typedef struct folder {
    pass_graph *g;
    fusion  *f;
    readers  read;
    bool    *stored;    /* of each member of a group: something outside reads it ... */
    bool    *assigned;  /* ... and where that is a variable, its map writes straight into it */
} folder;

static ir_node *node_of(const folder *x, int32_t id) { return x->g->nodes[id]; }

static int32_t below_views(const folder *x, int32_t id) {
    while (node_is_view(node_of(x, id))) id = node_of(x, id)->in[0];
    return id;
}

static void find_stored(folder *x) {
    const pass_graph *g = x->g;
    for (int32_t id = 1; id < g->count; id++) {
        int32_t group = x->f->group[id];
        for (int32_t i = 0; i < g->nodes[id]->n_in && !node_is_view(g->nodes[id]); i++) {
            int32_t in = g->nodes[id]->in[i];
            if (!group || !fused_input(g, x->f, in, group)) x->stored[below_views(x, in)] = true;
        }
    }
    for (int32_t i = 0; i < g->n_wanted; i++) x->stored[below_views(x, g->wanted[i])] = true;
    for (int32_t i = 0; i < g->n_assigns; i++) {
        x->stored[below_views(x, g->assigns[i].value)] = true;
        x->assigned[g->assigns[i].value] = true;
    }
}

/* Something lane by lane, that its kernel can do without. */
static bool lane(const folder *x, int32_t id) {
    return x->f->group[id] && x->f->kind[id] == MEMBER_FULL && !x->assigned[id];
}

/* The row is there before the sum's own kernel, and is worth no kernel that it did not have. */
static bool row_fits(const folder *x, const biased *b) {
    int32_t maker = below_views(x, b->row);
    return !node_inlined(node_of(x, maker)) && x->f->group[maker] != x->f->group[b->sum];
}

static int32_t cast_of(const folder *x, int32_t value, int type) {
    int32_t cast = only_cast(&x->read, value, type, true);
    return cast && lane(x, cast) ? cast : 0;
}

static void set_inputs(folder *x, int32_t id, const int32_t *in, int32_t count) {
    ir_node *n = node_of(x, id);
    n->in = arena_new(x->g->memory, int32_t, count);
    memcpy(n->in, in, (size_t)count * sizeof *in);
    n->n_in = count;
}

static void make_view(folder *x, int32_t id, int32_t of) {
    ir_node *n = node_of(x, id);
    n->op = OP_RESHAPE, n->attr = (ir_attr){ 0 };
    set_inputs(x, id, &of, 1);
    x->f->group[id] = 0, x->f->kind[id] = MEMBER_NONE;
}

/* The sum that the product writes; 0: none. */
static int32_t fold_bias(folder *x, int32_t product, int type) {
    const ir_node *p = node_of(x, product);
    biased b = only_biased(&x->read, product);
    if (!b.sum || !lane(x, b.sum) || !row_fits(x, &b) || !(x->stored[b.sum] || cast_of(x, b.sum, type))) return 0;
    const int32_t in[3] = { p->in[0], p->in[1], b.row };
    set_inputs(x, product, in, 3);
    x->read.count[b.row]++;  /* what reads it is no reader of it alone any more */
    make_view(x, b.sum, node_of(x, b.sum)->in[b.side]);
    return b.sum;
}

static void fold_into(folder *x, int32_t product) {
    int type = node_of(x, node_of(x, product)->in[0])->type;
    int32_t sum = fold_bias(x, product, type), cast = cast_of(x, sum ? sum : product, type);
    if (!cast) return;
    make_view(x, cast, node_of(x, cast)->in[0]);
    for (int32_t id = product;; id = x->read.last[id]) {
        node_of(x, id)->type = (uint8_t)type;
        if (id == cast) return;
    }
}

void pass_products(pass_graph *g, fusion *f) {
    folder x = { .g = g, .f = f, .read = readers_of(g) };
    x.stored = arena_new(g->memory, bool, g->count), x.assigned = arena_new(g->memory, bool, g->count);
    find_stored(&x);
    for (int32_t id = 1; id < g->count; id++)
        if (g->nodes[id]->op == OP_MATMUL && g->nodes[id]->type == TIDE_F32) fold_into(&x, id);
}
