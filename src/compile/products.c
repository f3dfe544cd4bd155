/* What a product can write in place of another kernel, where the backend's products do: its result with a bias added to
 * each row, and either of them rounded to its operands' 16-bit type. After fuse.c, which knows what would be stored: a
 * bias is taken where its sum is, for then the sum is one write less, and often a kernel less; a sum that only goes on
 * in registers stays there. A cast is taken where nothing else reads what it rounds.
 *
 * What is taken becomes a view of the product. No order turns round by it: the product now waits for the bias, but what
 * waits for the product had to wait for the sum. */
#include "pass.h"

typedef struct folder {
    pass_graph *g;
    fusion  *f;
    int32_t *uses, *user;  /* of each node: how many, and the last of them */
    bool    *stored;       /* of each member of a group: something outside reads it ... */
    bool    *assigned;     /* ... and where that is a variable, its map writes straight into it */
} folder;

static ir_node *node_of(const folder *x, int32_t id) { return x->g->nodes[id]; }

static int32_t below_views(const folder *x, int32_t id) {
    while (node_is_view(node_of(x, id))) id = node_of(x, id)->in[0];
    return id;
}

static void add_use(folder *x, int32_t of, int32_t by) {
    x->uses[of]++, x->user[of] = by;
    if (by && node_is_view(node_of(x, by))) return;
    int32_t group = x->f->group[by];
    if (!group || !fused_input(x->g, x->f, of, group)) x->stored[below_views(x, of)] = true;
}

static void find_uses(folder *x) {
    const pass_graph *g = x->g;
    for (int32_t id = 1; id < g->count; id++)
        for (int32_t i = 0; i < g->nodes[id]->n_in; i++) add_use(x, g->nodes[id]->in[i], id);
    for (int32_t i = 0; i < g->n_wanted; i++) add_use(x, g->wanted[i], 0);
    for (int32_t i = 0; i < g->n_assigns; i++) {
        add_use(x, g->assigns[i].value, 0);
        x->assigned[g->assigns[i].value] = true;
    }
}

/* The only reader of the node, seen through reshapes, and permutations if they may be, that nothing else reads either;
 * 0: there are several. */
static int32_t only_reader(const folder *x, int32_t id, bool permuted) {
    while (x->uses[id] == 1) {
        const ir_node *n = node_of(x, x->user[id]);
        id = x->user[id];
        if (n->op != OP_RESHAPE && (n->op != OP_PERMUTE || !permuted)) return id;
    }
    return 0;
}

static bool lane(const folder *x, int32_t id) {
    return x->f->group[id] && x->f->kind[id] == MEMBER_FULL && !x->assigned[id];
}

/* The row of `cols` numbers that `in` repeats for each row of a sum in `group`, made by something else; 0: it is none.
 */
static int32_t row_below(const folder *x, int32_t in, int64_t cols, int32_t group) {
    while (node_of(x, in)->op == OP_RESHAPE) in = node_of(x, in)->in[0];
    const ir_node *n = node_of(x, in);
    if (n->op == OP_BROADCAST) {
        tide_shape from = node_of(x, n->in[0])->shape;
        bool along = from.ndim > 0 && from.dim[from.ndim - 1] == cols && n->shape.dim[n->shape.ndim - 1] == cols;
        if (!along) return 0;
        in = n->in[0], n = node_of(x, in);
    }
    int32_t maker = below_views(x, in);
    bool apart = !node_inlined(node_of(x, maker)) && x->f->group[maker] != group;
    return n->type == TIDE_F32 && apart && tide_shape_count(n->shape) == cols ? in : 0;
}

/* The sum that is all that becomes of the product, and in it the bias and the product's side; 0: none. */
typedef struct biased { int32_t sum, row, side; } biased;

static biased sum_of(const folder *x, int32_t product) {
    const ir_node *p = node_of(x, product);
    int64_t cols = p->shape.dim[p->shape.ndim - 1];
    biased b = { .sum = only_reader(x, product, false) };
    const ir_node *n = node_of(x, b.sum);
    if (!b.sum || n->op != OP_SCALAR || n->attr.scalar != S_ADD || !lane(x, b.sum)) return (biased){ 0 };
    if (n->shape.ndim < 1 || n->shape.dim[n->shape.ndim - 1] != cols) return (biased){ 0 };
    b.side = through_reshapes(x->g, n->in[1]) == product;
    b.row = row_below(x, n->in[!b.side], cols, x->f->group[b.sum]);
    return b.row ? b : (biased){ 0 };
}

/* The cast to `type` that is all that reads the value; 0. */
static int32_t cast_of(const folder *x, int32_t value, int type) {
    int32_t cast = only_reader(x, value, true);
    const ir_node *n = node_of(x, cast);
    return cast && type_half((tide_dtype)type) && n->op == OP_CAST && n->type == type && lane(x, cast) ? cast : 0;
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

static void fold_into(folder *x, int32_t product) {
    const ir_node *p = node_of(x, product);
    int type = node_of(x, p->in[0])->type;
    biased b = sum_of(x, product);
    if (b.sum && (x->stored[b.sum] || cast_of(x, b.sum, type))) {
        const int32_t in[3] = { p->in[0], p->in[1], b.row };
        set_inputs(x, product, in, 3);
        x->uses[b.row]++;  /* what reads it is no reader of it alone any more */
        make_view(x, b.sum, node_of(x, b.sum)->in[b.side]);
    }
    int32_t cast = cast_of(x, p->n_in == 3 ? b.sum : product, type);
    if (!cast) return;
    make_view(x, cast, node_of(x, cast)->in[0]);
    for (int32_t id = product;; id = x->user[id]) {
        node_of(x, id)->type = (uint8_t)type;
        if (id == cast) return;
    }
}

void pass_products(pass_graph *g, fusion *f) {
    folder x = { .g = g, .f = f };
    x.uses = arena_new(g->memory, int32_t, g->count), x.user = arena_new(g->memory, int32_t, g->count);
    x.stored = arena_new(g->memory, bool, g->count), x.assigned = arena_new(g->memory, bool, g->count);
    find_uses(&x);
    for (int32_t id = 1; id < g->count; id++)
        if (g->nodes[id]->op == OP_MATMUL && g->nodes[id]->type == TIDE_F32) fold_into(&x, id);
}
