/* The derivative of a node whose op has none of its own: its definition's, by a sweep over the plain nodes between the
 * node's inputs and its value. They are a few, and looked for one by one. */
#include "through.h"

#include "shares.h"

typedef struct inner {
    tide_graph    *g;
    const ir_node *outer;  /* the defined node: its inputs are where the sweep ends */
    shares  order;         /* the plain nodes and those inputs, each after what it reads */
    bool   *leads;         /* of each: to an input */
    shares *dy;
    arena  *scratch;
} inner;

static int32_t place_of(const inner *x, int32_t node) {
    for (int32_t i = 0; i < x->order.count; i++)
        if (x->order.nodes[i] == node) return i;
    return -1;
}

static bool is_input(const inner *x, int32_t node) {
    for (int32_t i = 0; i < x->outer->n_in; i++)
        if (x->outer->in[i] == node) return true;
    return false;
}

static bool collect(inner *x, int32_t root) {
    shares stack = { 0 };
    bool room = shares_add(&stack, x->g, root, x->scratch);
    while (stack.count && room) {
        int32_t id = stack.nodes[stack.count - 1], before = stack.count;
        const ir_node *n = x->g->nodes[id];
        for (int32_t i = is_input(x, id) ? -1 : n->n_in - 1; i >= 0 && room; i--)
            if (place_of(x, n->in[i]) < 0) room = shares_add(&stack, x->g, n->in[i], x->scratch);
        if (stack.count != before) continue;
        if (place_of(x, id) < 0) room = shares_add(&x->order, x->g, id, x->scratch);
        stack.count--;
    }
    return room;
}

static bool prepare(inner *x) {
    int32_t count = x->order.count;
    x->leads = arena_new(x->scratch, bool, count), x->dy = arena_new(x->scratch, shares, count);
    if (!x->leads || !x->dy) return graph_fail(x->g, TIDE_ENOMEM, "out of memory while building the graph"), false;
    for (int32_t at = 0; at < count; at++) {
        const ir_node *n = x->g->nodes[x->order.nodes[at]];
        x->leads[at] = is_input(x, x->order.nodes[at]);
        for (int32_t i = 0; i < n->n_in && !x->leads[at] && n->op != OP_STOP; i++)
            x->leads[at] = x->leads[place_of(x, n->in[i])];
    }
    return true;
}

/* Hands on what has arrived at the node in place `at`. */
static bool visit(inner *x, int32_t at) {
    int32_t id = x->order.nodes[at];
    const ir_node *n = x->g->nodes[id];
    if (!x->leads[at] || !x->dy[at].count || is_input(x, id) || !op_has_derivative(n)) return true;
    tide_val *dx = arena_new(x->scratch, tide_val, MAX2(n->n_in, 1));
    if (!dx) return graph_fail(x->g, TIDE_ENOMEM, "out of memory while building the graph"), false;
    tide_val dy = shares_sum(&x->dy[at], x->g, x->scratch);
    if (!val_good(dy) || !node_vjp(graph_val(x->g, id), dy, dx, x->scratch)) return false;
    for (int32_t i = 0; i < n->n_in; i++) {
        int32_t to = place_of(x, n->in[i]);
        if (x->leads[to] && val_good(dx[i]) && !shares_add(&x->dy[to], x->g, dx[i].node, x->scratch)) return false;
    }
    return !x->g->failure.status;
}

/* A value that is several inputs hands all of its share to the first of them. */
static bool through_definition(tide_val node, tide_val dy, tide_val *dx, arena *scratch) {
    inner x = { .g = node.graph, .outer = graph_node(node), .scratch = scratch };
    tide_val plain = op_definition(node);
    if (!val_good(plain) || !collect(&x, plain.node) || !prepare(&x)) return false;
    int32_t last = x.order.count - 1;
    if (!shares_add(&x.dy[last], x.g, dy.node, scratch)) return false;
    for (int32_t at = last; at >= 0; at--)
        if (!visit(&x, at)) return false;
    for (int32_t i = x.outer->n_in - 1; i >= 0; i--) {
        int32_t at = place_of(&x, x.outer->in[i]);
        bool first = true;
        for (int32_t j = 0; j < i; j++) first &= x.outer->in[j] != x.outer->in[i];
        if (first && at >= 0 && x.dy[at].count) dx[i] = shares_sum(&x.dy[at], x.g, scratch);
    }
    return true;
}

bool node_vjp(tide_val node, tide_val dy, tide_val *dx, arena *scratch) {
    op_vjp own = op_rows[graph_node(node)->op].vjp;
    if (!own) return through_definition(node, dy, dx, scratch);
    own(node, dy, dx);
    return !node.graph->failure.status;
}
