/* Precision: large products multiply 16-bit numbers. An operand is cast where it is made, below reshapes, permutations
 * and broadcasts: so all products that read it share one cast, the cast joins the kernel that computes the value
 * (fuse.c), and a value that only products use is never stored in F32. Everything else stays as it was. */
#include "pass.h"

enum { MOST_VIEWS = 16 };

typedef struct precision {
    const pass_graph *from;
    pass_graph to;
    int32_t   *map;      /* old node -> new node */
    int32_t   *halved;   /* old node -> the new node of its 16-bit form; 0: none yet */
    int32_t   *users;    /* of each old node */
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
    return n->op == OP_PERMUTE && (p->from->nodes[n->in[0]]->op != OP_MATMUL || p->users[n->in[0]] > 1);
}

static int32_t in_half(precision *p, int32_t id, int views) {
    const ir_node *n = p->from->nodes[id];
    if (p->halved[id]) return p->halved[id];
    if (views < MOST_VIEWS && cast_below(p, n)) {
        int32_t below = in_half(p, n->in[0], views + 1);
        return p->halved[id] = with_input(p, n, (ir_op)n->op, below);
    }
    bool was_half = n->op == OP_CAST && p->from->nodes[n->in[0]]->type == p->half;
    return p->halved[id] = was_half ? p->map[n->in[0]] : with_input(p, n, OP_CAST, p->map[id]);
}

/* All else is copied as it is: it computes in f32. */
static int32_t copy_node(precision *p, const ir_node *n) {
    ir_node copy = *n;
    bool cast = n->op == OP_MATMUL && product_gains(p->from, n);
    copy.in = arena_new(p->to.memory, int32_t, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) copy.in[i] = cast ? in_half(p, n->in[i], 0) : p->map[n->in[i]];
    return pass_add(&p->to, &copy);
}

void pass_precision(pass_graph *g, tide_dtype half) {
    precision p = { .from = g, .to = { .memory = g->memory, .source = g->source }, .half = half };
    p.map = arena_new(g->memory, int32_t, g->count);
    p.halved = arena_new(g->memory, int32_t, g->count);
    p.users = arena_new(g->memory, int32_t, g->count);
    for (int32_t id = 1; id < g->count; id++)
        for (int32_t i = 0; i < g->nodes[id]->n_in; i++) p.users[g->nodes[id]->in[i]]++;
    for (int32_t id = 1; id < g->count; id++) p.map[id] = copy_node(&p, g->nodes[id]);
    for (int32_t i = 0; i < g->n_wanted; i++) g->wanted[i] = p.map[g->wanted[i]];
    for (int32_t i = 0; i < g->n_assigns; i++) g->assigns[i].value = p.map[g->assigns[i].value];
    g->nodes = p.to.nodes, g->count = p.to.count, g->capacity = p.to.capacity;
}
