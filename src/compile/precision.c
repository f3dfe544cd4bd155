/* Precision: large products multiply 16-bit numbers. An operand is cast where it is made, below reshapes, permutations
 * and broadcasts: so all products that read it share one cast, the cast joins the kernel that computes the value
 * (fuse.c), and a value that only products use is never stored in F32. What attention that is kept computes for such
 * products is made in 16 bits at once. Everything else stays as it was. */
#include "pass.h"

enum { MOST_VIEWS = 16 };

/* Who reads a value, also through views: a product in 16 bits; anything for which it must not be rounded. */
typedef struct readers { bool product, wide; } readers;

typedef struct precision {
    const pass_graph *from;
    pass_graph to;
    int32_t   *map;      /* old node -> new node */
    int32_t   *halved;   /* old node -> the new node of its 16-bit form; 0: none yet */
    int32_t   *users;    /* of each old node */
    const readers *readers;  /* of each old node */
    bool      *narrow;   /* of each old node: it is attention's, seen through views, and made in 16 bits */
    tide_dtype half;
} precision;

/* The shapes are of one entry of the batch: a provider multiplies one at a time. */
static bool product_gains(const pass_graph *g, const ir_node *n) {
    const ir_node *a = g->nodes[n->in[0]];
    const backend_cut *least = g->numbers;
    int last = n->shape.ndim - 1;
    int64_t rows = n->shape.dim[last - 1], cols = n->shape.dim[last], depth = a->shape.dim[last];
    return n->type == TIDE_F32 && rows >= least->half_rows && cols >= least->half_cols && depth >= least->half_depth &&
           (double)rows * (double)cols * (double)depth >= (double)least->half_work;
}

/* A node like `n`, of another input, of the 16-bit type. */
static int32_t with_input(precision *p, const ir_node *n, ir_op op, int32_t input) {
    ir_node copy = *n;
    copy.op = (uint8_t)op, copy.type = (uint8_t)p->half, copy.n_in = 1;
    copy.in = arena_new(p->to.memory, int32_t, 1);
    copy.in[0] = input;
    if (op == OP_CAST) copy.attr = (ir_attr){ 0 };
    return pass_add(&p->to, &copy);
}

/* A view is cast below itself. Not a slice, which may be of something large, nor a product's only permutation, which
 * the product is written in (lower_ops.c). */
static bool cast_below(const precision *p, const ir_node *n) {
    if (n->op == OP_RESHAPE || n->op == OP_BROADCAST) return true;
    return n->op == OP_PERMUTE && (!node_is_product(p->from->nodes[n->in[0]]) || p->users[n->in[0]] > 1);
}

static int32_t in_half(precision *p, int32_t id, int views);

/* Parts that are made in place are cast as they are made, where nobody wants the whole in F32. */
static bool cast_in_parts(const precision *p, int32_t id) {
    const ir_node *n = p->from->nodes[id];
    return n->op == OP_CONCAT && !n->attr.flag && p->from->numbers->parts_in_place && !p->readers[id].wide;
}

static int32_t parts_in_half(precision *p, const ir_node *n, int views) {
    ir_node copy = *n;
    copy.type = (uint8_t)p->half;
    copy.in = arena_new(p->to.memory, int32_t, n->n_in);
    for (int32_t i = 0; i < n->n_in; i++) copy.in[i] = in_half(p, n->in[i], views + 1);
    return pass_add(&p->to, &copy);
}

static int32_t in_half(precision *p, int32_t id, int views) {
    const ir_node *n = p->from->nodes[id];
    if (p->halved[id]) return p->halved[id];
    if (views < MOST_VIEWS && cast_in_parts(p, id)) return p->halved[id] = parts_in_half(p, n, views);
    if (views < MOST_VIEWS && cast_below(p, n)) {
        int32_t below = in_half(p, n->in[0], views + 1);
        return p->halved[id] = with_input(p, n, (ir_op)n->op, below);
    }
    bool was_half = n->op == OP_CAST && p->from->nodes[n->in[0]]->type == p->half;
    return p->halved[id] = was_half ? p->map[n->in[0]] : with_input(p, n, OP_CAST, p->map[id]);
}

/* Whether the node is a product that gains, and multiplies this input. */
static bool multiplied(const pass_graph *g, const ir_node *n, int32_t input) {
    if (n->op == OP_MATMUL) return product_gains(g, n);
    if (n->op != OP_ATTENTION && n->op != OP_ATTENTION_GRAD) return false;
    flat_attention a = attention_of(g->nodes, n);
    bool matrix = input < ATTENTION_INPUTS || (n->op == OP_ATTENTION_GRAD && input == ATTENTION_DO);
    return matrix && attention_gains(g->numbers, &a);
}

/* ---- results of attention ---- */

static bool reordered(const ir_node *n) {
    return n->op == OP_RESHAPE || n->op == OP_PERMUTE || n->op == OP_BROADCAST;
}

/* Sums over a derivative, as of a bias, take it rounded, as the products beside them do. */
static readers *find_readers(const pass_graph *g) {
    readers *r = arena_new(g->memory, readers, g->count);
    for (int32_t i = 0; i < g->n_wanted; i++) r[g->wanted[i]].wide = true;
    for (int32_t i = 0; i < g->n_assigns; i++) r[g->assigns[i].value].wide = true;
    for (int32_t id = g->count - 1; id > 0; id--) {
        const ir_node *n = g->nodes[id];
        for (int32_t i = 0; i < n->n_in; i++) {
            readers *in = &r[n->in[i]];
            if (reordered(n)) in->product |= r[id].product, in->wide |= r[id].wide;
            else if (multiplied(g, n, i)) in->product = true;
            else if (n->op != OP_SUM && !reads_any_order(n, i)) in->wide = true;
        }
    }
    return r;
}

/* The first result of the kernel that computes the node; 0: it is no attention, or its operands stay F32. */
static int32_t first_result(const pass_graph *g, int32_t id) {
    const ir_node *n = g->nodes[id];
    int32_t first = n->op == OP_ATTENTION_GRAD_K || n->op == OP_ATTENTION_GRAD_V ? n->in[0] : id;
    return multiplied(g, g->nodes[first], ATTENTION_Q) && g->nodes[first]->op != OP_MATMUL ? first : 0;
}

/* The results of one kernel are of one type. */
static void find_narrow(precision *p) {
    const pass_graph *g = p->from;
    const readers *r = p->readers;
    for (int32_t id = 1; id < g->count; id++) p->narrow[id] = first_result(g, id) == id;
    for (int32_t id = 1; id < g->count; id++)
        if (first_result(g, id) && (r[id].wide || !r[id].product)) p->narrow[first_result(g, id)] = false;
    for (int32_t id = 1; id < g->count; id++) {
        const ir_node *n = g->nodes[id];
        if (first_result(g, id)) p->narrow[id] = p->narrow[first_result(g, id)];
        else if (reordered(n)) p->narrow[id] = p->narrow[n->in[0]];
    }
}

/* What such a value is for those who read F32: nobody, or a sum that widens it in its own kernel. */
static int32_t widened(precision *p, int32_t id, int32_t narrow) {
    ir_node wide = *p->from->nodes[id];
    p->halved[id] = narrow;
    wide.op = OP_CAST, wide.attr = (ir_attr){ 0 }, wide.n_in = 1, wide.in = arena_new(p->to.memory, int32_t, 1);
    wide.in[0] = narrow;
    return pass_add(&p->to, &wide);
}

/* ---- all nodes ---- */

static int32_t new_input(precision *p, const ir_node *n, int32_t i) {
    if (multiplied(p->from, n, i)) return in_half(p, n->in[i], 0);
    return p->narrow[n->in[i]] && (reordered(n) || reads_any_order(n, i)) ? p->halved[n->in[i]] : p->map[n->in[i]];
}

/* All but products and their operands is copied as it is: it computes in f32. */
static int32_t copy_node(precision *p, int32_t id) {
    const ir_node *n = p->from->nodes[id];
    ir_node copy = *n;
    copy.in = arena_new(p->to.memory, int32_t, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) copy.in[i] = new_input(p, n, i);
    if (p->narrow[id]) copy.type = (uint8_t)p->half;
    int32_t made = pass_add(&p->to, &copy);
    return p->narrow[id] ? widened(p, id, made) : made;
}

void pass_precision(pass_graph *g, tide_dtype half) {
    precision p = { .from = g, .to = { .memory = g->memory, .source = g->source }, .half = half };
    p.map = arena_new(g->memory, int32_t, g->count);
    p.halved = arena_new(g->memory, int32_t, g->count);
    p.users = arena_new(g->memory, int32_t, g->count);
    for (int32_t id = 1; id < g->count; id++)
        for (int32_t i = 0; i < g->nodes[id]->n_in; i++)
            p.users[g->nodes[id]->in[i]] += !reads_any_order(g->nodes[id], i);
    p.narrow = arena_new(g->memory, bool, g->count);
    p.readers = find_readers(g);
    find_narrow(&p);
    for (int32_t id = 1; id < g->count; id++) p.map[id] = copy_node(&p, id);
    for (int32_t i = 0; i < g->n_wanted; i++) g->wanted[i] = p.map[g->wanted[i]];
    for (int32_t i = 0; i < g->n_assigns; i++) g->assigns[i].value = p.map[g->assigns[i].value];
    g->nodes = p.to.nodes, g->count = p.to.count, g->capacity = p.to.capacity;
}
