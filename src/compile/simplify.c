/* Rebuilds the graph node by node: equal nodes become one, constants are folded, views of views are merged. What
 * nothing uses is not rebuilt. Every rule gives the same bits, NaN included, except folding of constants in double and
 * the sign of a zero in rule_slices. */
#include <math.h>

#include "compile.h"
#include "pass.h"

typedef struct rebuild {
    pass_graph  *from, to;
    int32_t     *map;
    int32_t     *table;  /* open addressing by content */
    uint32_t     mask;
    bool         share;  /* equal nodes become one */
    int32_t     *uses;   /* of each new node, by the old graph's count */
} rebuild;

static uint32_t mix(uint32_t h, const void *data, size_t bytes) {  /* FNV-1a */
    const unsigned char *b = data;
    for (size_t i = 0; i < bytes; i++) h = (h ^ b[i]) * 16777619u;
    return h;
}

static uint32_t node_hash(const ir_node *n) {
    uint32_t h = mix(2166136261u, &n->op, sizeof n->op);
    h = mix(h, &n->type, sizeof n->type);
    h = mix(h, n->shape.dim, (size_t)n->shape.ndim * sizeof *n->shape.dim);
    h = mix(h, &n->attr, sizeof n->attr);
    return mix(h, n->in, (size_t)n->n_in * sizeof *n->in);
}

static bool node_same(const ir_node *a, const ir_node *b) {
    return a->op == b->op && a->type == b->type && a->n_in == b->n_in && a->op != OP_CUSTOM &&
           tide_shape_equal(a->shape, b->shape) && !memcmp(&a->attr, &b->attr, sizeof a->attr) &&
           !memcmp(a->in, b->in, (size_t)a->n_in * sizeof *a->in);
}

static int32_t intern(rebuild *r, const ir_node *n) {
    if (!r->share) return pass_add(&r->to, n);
    uint32_t at = node_hash(n) & r->mask;
    while (r->table[at]) {
        if (node_same(r->to.nodes[r->table[at]], n)) return r->table[at];
        at = (at + 1) & r->mask;
    }
    return r->table[at] = pass_add(&r->to, n);
}

static const ir_node *at(const rebuild *r, int32_t id) { return r->to.nodes[id]; }
static bool is_fill(const ir_node *n) { return n->op == OP_FILL; }
static bool is_fill_of(const ir_node *n, double value) {
    return n->op == OP_FILL && n->attr.number == value && !signbit(n->attr.number);
}

/* ---- constants ---- */

static double number_of(const ir_node *fill) { return fold_number((tide_dtype)fill->type, fill->attr.number); }

static bool fold(const rebuild *r, const ir_node *n, double *y) {
    double x[3];
    for (int32_t i = 0; i < n->n_in; i++) {
        if (!is_fill(at(r, n->in[i]))) return false;
        x[i] = number_of(at(r, n->in[i]));
    }
    return fold_scalar(n, x, y);
}

/* A constant of that shape, which readers make in registers instead of loading it. */
static int32_t filled(rebuild *r, const ir_node *like, double value) {
    ir_node fill = { .op = OP_FILL, .type = like->type, .shape = like->shape, .in = like->in, .attr.number = value };
    return intern(r, &fill);
}

/* ---- rules: the node that n equals, or 0 ---- */

static int piece_axis(const rebuild *r, const ir_node *n) {
    return n->n_in == 1 ? unsliced_axis(n, at(r, n->in[0])->shape) : -1;
}

/* The sum of the gradients of two slices that make up the whole: one after the other. */
static int32_t rule_slices(rebuild *r, const ir_node *a, const ir_node *b) {
    int axis = piece_axis(r, a);
    if (axis < 0 || piece_axis(r, b) != axis) return 0;
    bool a_first = a->attr.start[axis] < b->attr.start[axis];
    const ir_node *first = a_first ? a : b, *second = a_first ? b : a;
    int64_t middle = at(r, first->in[0])->shape.dim[axis];
    bool whole = first->attr.start[axis] == 0 && second->attr.start[axis] == middle &&
                 middle + at(r, second->in[0])->shape.dim[axis] == a->shape.dim[axis];
    if (!whole) return 0;
    ir_node both = { .op = OP_CONCAT,
                     .type = a->type,
                     .n_in = 2,
                     .in = arena_new(r->to.memory, int32_t, 2),
                     .shape = a->shape,
                     .attr.axis = axis };
    both.in[0] = first->in[0], both.in[1] = second->in[0];
    return intern(r, &both);
}

/* Only what is exact whatever the other operand is: x + 0 is not x where x is -0, and 0 x is not 0 where x is
 * infinite. */
static int32_t rule_scalar(rebuild *r, const ir_node *n) {
    double value;
    if (fold(r, n, &value)) return filled(r, n, value);
    if (n->n_in != 2) return 0;
    const ir_node *a = at(r, n->in[0]), *b = at(r, n->in[1]);
    switch (n->attr.scalar) {
    case S_ADD: return rule_slices(r, a, b);
    case S_MUL: return is_fill_of(b, 1) ? n->in[0] : is_fill_of(a, 1) ? n->in[1] : 0;
    case S_DIV: return is_fill_of(b, 1) ? n->in[0] : 0;
    case S_SUB: return is_fill_of(b, 0) ? n->in[0] : 0;
    default: return 0;
    }
}

/* A node like `n`, of another input. */
static int32_t with_input(rebuild *r, const ir_node *n, int32_t input) {
    ir_node copy = *n;
    copy.in = arena_new(r->to.memory, int32_t, 1);
    copy.in[0] = input;
    return intern(r, &copy);
}

static int32_t rules_view(rebuild *r, const ir_node *n);

/* The last two axes exchanged: the transpose of a matrix, a view. */
static int32_t swapped(rebuild *r, int32_t id) {
    const ir_node *x = at(r, id);
    ir_node turn = {
        .op = OP_PERMUTE, .type = x->type, .n_in = 1, .in = arena_new(r->to.memory, int32_t, 1), .shape = x->shape
    };
    int last = x->shape.ndim - 1;
    for (int i = 0; i <= last; i++) turn.attr.start[i] = i;
    turn.attr.start[last] = last - 1, turn.attr.start[last - 1] = last;
    turn.shape.dim[last] = x->shape.dim[last - 1], turn.shape.dim[last - 1] = x->shape.dim[last];
    turn.in[0] = id;
    int32_t same = rules_view(r, &turn);
    return same ? same : intern(r, &turn);
}

/* (A B)^T = B^T A^T: a product that is only used with its rows as the last axis is made that way round, so that its
 * memory order is the one that is read. */
static int32_t rule_turned_product(rebuild *r, const ir_node *n) {
    const ir_node *product = at(r, n->in[0]);
    int last = n->shape.ndim - 1;
    if (product->op != OP_MATMUL || r->uses[n->in[0]] != 1 || n->attr.start[last] != last - 1) return 0;
    ir_node turned = *product, rest = *n;
    turned.in = arena_new(r->to.memory, int32_t, 2);
    turned.in[0] = swapped(r, product->in[1]), turned.in[1] = swapped(r, product->in[0]);
    turned.shape.dim[last] = product->shape.dim[last - 1], turned.shape.dim[last - 1] = product->shape.dim[last];
    for (int i = 0; i <= last; i++) {
        int64_t from = n->attr.start[i];
        rest.attr.start[i] = from == last ? last - 1 : from == last - 1 ? last : from;
    }
    int32_t id = intern(r, &turned);
    r->uses[id] = 1;
    bool same = true;
    for (int i = 0; i <= last; i++) same &= rest.attr.start[i] == i;
    return same ? id : with_input(r, &rest, id);
}

static int32_t rules_view(rebuild *r, const ir_node *n) {
    const ir_node *x = at(r, n->in[0]);
    if (is_fill(x)) return filled(r, n, x->attr.number);
    if (n->op != OP_PERMUTE && n->op != OP_SLICE && tide_shape_equal(n->shape, x->shape)) return n->in[0];
    if (n->op == OP_RESHAPE && x->op == OP_RESHAPE) return with_input(r, n, x->in[0]);
    if (n->op == OP_BROADCAST && x->op == OP_BROADCAST) return with_input(r, n, x->in[0]);
    if (n->op != OP_PERMUTE || x->op != OP_PERMUTE) return 0;
    ir_node both = *n;
    bool same = true;
    for (int i = 0; i < n->shape.ndim; i++) {
        both.attr.start[i] = x->attr.start[n->attr.start[i]];
        same &= both.attr.start[i] == i;
    }
    return same ? x->in[0] : with_input(r, &both, x->in[0]);
}

static int32_t rule_view(rebuild *r, const ir_node *n) {
    int32_t turned = n->op == OP_PERMUTE ? rule_turned_product(r, n) : 0;
    return turned ? turned : rules_view(r, n);
}

/* A reduction over axes of one element is a reshape (a sum of one element is that element). */
static int32_t rule_reduce(rebuild *r, const ir_node *n) {
    const ir_node *x = at(r, n->in[0]);
    for (int i = 0; i < x->shape.ndim; i++)
        if ((n->attr.axes >> i & 1) && x->shape.dim[i] != 1) return 0;
    ir_node reshape = { .op = OP_RESHAPE, .type = n->type, .n_in = 1, .in = n->in, .shape = n->shape };
    return tide_shape_equal(reshape.shape, x->shape) ? n->in[0] : intern(r, &reshape);
}

static int32_t rule_cast(rebuild *r, const ir_node *n) {
    const ir_node *x = at(r, n->in[0]);
    return is_fill(x) && fold_cast((tide_dtype)x->type, (tide_dtype)n->type) ? filled(r, n, number_of(x)) : 0;
}

typedef int32_t (*rule)(rebuild *r, const ir_node *n);
static const rule simplify_rules[OP_COUNT] = {
    [OP_SCALAR] = rule_scalar, [OP_RESHAPE] = rule_view, [OP_PERMUTE] = rule_view, [OP_BROADCAST] = rule_view,
    [OP_SLICE] = rule_view,
    [OP_SUM] = rule_reduce,    [OP_MAX] = rule_reduce,   [OP_MIN] = rule_reduce,   [OP_CAST] = rule_cast,
};

/* ---- what the kernels need: reduced axes last (or, for sums, first); nothing without elements ---- */

static uint32_t reduced_axes(const ir_node *n) {
    return n->op == OP_ARGMAX || n->op == OP_ARGMIN ? 1u << n->attr.axis : n->attr.axes;
}

/* The value of a reduction over no elements. */
static double empty_value(const ir_node *n) {
    bool integer = n->type == TIDE_I32 || n->type == TIDE_I64 || n->type == TIDE_U8;
    if (n->op == OP_MAX)
        return !integer ? -INFINITY : n->type == TIDE_I32 ? INT32_MIN : n->type == TIDE_I64 ? (double)INT64_MIN : 0;
    if (n->op == OP_MIN)
        return !integer ? INFINITY : n->type == TIDE_I32 ? INT32_MAX : n->type == TIDE_I64 ? 0x1p63 : 255;
    return 0;
}

static int32_t legal_reduce(rebuild *r, const ir_node *n) {
    const ir_node *x = at(r, n->in[0]);
    uint32_t axes = reduced_axes(n);
    int64_t kept;
    if (reduced_suffix(x->shape, axes) || (n->op == OP_SUM && reduced_prefix(x->shape, axes, &kept))) return 0;
    ir_node turned = { .op = OP_PERMUTE, .type = x->type, .n_in = 1, .in = n->in, .shape = { .ndim = x->shape.ndim } };
    int to = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < x->shape.ndim; i++)
            if ((int)(axes >> i & 1) == pass) turned.attr.start[to] = i, turned.shape.dim[to++] = x->shape.dim[i];
    int32_t id = intern(r, &turned);
    ir_node last = *n;
    last.in = arena_new(r->to.memory, int32_t, 1);
    last.in[0] = id;
    last.attr.axes = 0, last.attr.axis = x->shape.ndim - 1;
    if (n->op != OP_ARGMAX && n->op != OP_ARGMIN)
        for (int i = n->shape.ndim; i < x->shape.ndim; i++) last.attr.axes |= 1u << i;
    return intern(r, &last);
}

static int32_t legal(rebuild *r, const ir_node *n) {
    bool reduction = n->op == OP_SUM || n->op == OP_MAX || n->op == OP_MIN || n->op == OP_ARGMAX || n->op == OP_ARGMIN;
    bool none = tide_shape_count(n->shape) == 0, empty = n->n_in > 0 && tide_shape_count(at(r, n->in[0])->shape) == 0;
    if (n->op == OP_STOP) return n->in[0];
    if (none && n->n_in > 0) return filled(r, n, 0);
    if (reduction && empty) return filled(r, n, empty_value(n));
    if (n->op == OP_MATMUL && empty) return filled(r, n, 0);
    return reduction ? legal_reduce(r, n) : 0;
}

static int32_t rebuild_node(rebuild *r, const rule *rules, const ir_node *n) {
    ir_node copy = *n;
    copy.in = arena_new(r->to.memory, int32_t, MAX2(n->n_in, 1));
    for (int32_t i = 0; i < n->n_in; i++) copy.in[i] = r->map[n->in[i]];
    int32_t same = !rules ? legal(r, &copy) : rules[n->op] ? rules[n->op](r, &copy) : 0;
    return same ? same : intern(r, &copy);
}

static void mark_used(const pass_graph *g, bool *used) {
    for (int32_t i = 0; i < g->n_wanted; i++) used[g->wanted[i]] = true;
    for (int32_t i = 0; i < g->n_assigns; i++) used[g->assigns[i].value] = true;
    for (int32_t id = g->count - 1; id > 0; id--)
        for (int32_t i = 0; used[id] && i < g->nodes[id]->n_in; i++) used[g->nodes[id]->in[i]] = true;
}

static void count_uses(const pass_graph *g, const bool *used, int32_t *uses) {
    for (int32_t i = 0; i < g->n_wanted; i++) uses[g->wanted[i]]++;
    for (int32_t i = 0; i < g->n_assigns; i++) uses[g->assigns[i].value]++;
    for (int32_t id = 1; id < g->count; id++)
        for (int32_t i = 0; used[id] && i < g->nodes[id]->n_in; i++) uses[g->nodes[id]->in[i]]++;
}

/* rules NULL: legalise. */
static void rebuild_all(pass_graph *g, const rule *rules, bool share) {
    uint32_t size = 64;
    while (size < 4u * (uint32_t)g->count) size *= 2;
    rebuild r = { .from = g, .to = { .memory = g->memory, .source = g->source }, .mask = size - 1, .share = share };
    r.map = arena_new(g->memory, int32_t, g->count);
    r.table = arena_new(g->memory, int32_t, size);
    bool *used = arena_new(g->memory, bool, g->count);
    mark_used(g, used);
    int32_t *uses = arena_new(g->memory, int32_t, g->count);
    count_uses(g, used, uses);
    r.uses = arena_new(g->memory, int32_t, 8 * g->count);
    for (int32_t id = 1; id < g->count; id++) {
        if (!used[id]) continue;
        r.map[id] = rebuild_node(&r, rules, g->nodes[id]);
        r.uses[r.map[id]] += uses[id];
    }
    for (int32_t i = 0; i < g->n_wanted; i++) g->wanted[i] = r.map[g->wanted[i]];
    for (int32_t i = 0; i < g->n_assigns; i++) g->assigns[i].value = r.map[g->assigns[i].value];
    if (r.to.count == 0) pass_add(&r.to, &(ir_node){ .op = OP_FILL });
    g->nodes = r.to.nodes, g->count = r.to.count, g->capacity = r.to.capacity;
}

void pass_legalise(pass_graph *g) { rebuild_all(g, NULL, false); }

/* Twice: the second round drops what the first made unused and merges what it made equal. */
void pass_simplify(pass_graph *g) {
    rebuild_all(g, simplify_rules, true);
    rebuild_all(g, simplify_rules, true);
}
