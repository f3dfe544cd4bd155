/* Reverse-mode derivatives as graph to graph: each node on the way from `wrt` to the loss hands its inputs
 * their share of its own derivative, from the loss backwards. */
#include "recompute.h"
#include "shares.h"
#include "through.h"

typedef struct sweep {
    tide_graph *g;
    int32_t     count;   /* nodes that existed before the sweep */
    uint8_t    *active;  /* depends on one of wrt */
    shares     *dy;      /* derivative so far, as many shares as there were uses; none: zero */
    tide_val   *dx;
    recompute  *again;   /* NULL: the graph has no regions */
    arena      *scratch;
} sweep;

static void mark_active(sweep *s, tide_list wrt) {
    for (int64_t i = 0; i < wrt.count; i++) s->active[wrt.items[i].node] = 1;
    for (int32_t id = 1; id < s->count; id++) {
        const ir_node *n = s->g->nodes[id];
        if (n->op == OP_STOP) continue;
        for (int32_t i = 0; i < n->n_in && !s->active[id]; i++) s->active[id] = s->active[n->in[i]];
    }
}

static bool receive(sweep *s, int32_t node, tide_val share) {
    if (!val_good(share)) return !s->g->failure.status;  /* no derivative flows there */
    if (s->again && s->g->nodes[node]->op == OP_VARIABLE) recompute_wait_for(s->again, share);
    return shares_add(&s->dy[node], s->g, share.node, s->scratch);
}

static bool visit(sweep *s, int32_t id) {
    const ir_node *n = s->g->nodes[id];
    if (!op_has_derivative(n)) return true;
    for (int32_t i = 0; i < n->n_in; i++) s->dx[i] = (tide_val){ 0 };
    tide_val dy = shares_sum(&s->dy[id], s->g, s->scratch);
    if (!val_good(dy)) return false;
    tide_val y = n->region ? recompute_value(s->again, id, dy) : graph_val(s->g, id);
    if (!val_good(y) || !node_vjp(y, dy, s->dx, s->scratch)) return false;
    for (int32_t i = 0; i < n->n_in; i++)
        if (s->active[n->in[i]] && !receive(s, n->in[i], s->dx[i])) return false;
    return !s->g->failure.status;
}

static bool sweep_back(sweep *s, int32_t loss) {
    if (!receive(s, loss, tide_scalar_of(s->g, (tide_dtype)s->g->nodes[loss]->type, 1))) return false;
    for (int32_t id = loss; id > 0; id--)
        if (s->active[id] && s->dy[id].count && !visit(s, id)) return false;
    return true;
}

static int32_t most_inputs(const sweep *s) {
    int32_t most = 1;
    for (int32_t id = 1; id < s->count; id++) most = MAX2(most, s->g->nodes[id]->n_in);
    return most;
}

static bool grad_checked(tide_val loss, tide_list wrt) {
    tide_graph *g = loss.graph;
    char s[128];
    if (!operand_good("grad", loss)) return false;
    if (g->region) {
        graph_fail(g, TIDE_EINVAL, "grad: a recompute region is open; end it first");
        return false;
    }
    if (tide_shape_of(loss).ndim || !type_floating(tide_dtype_of(loss))) {
        graph_fail(g, TIDE_ESHAPE, "grad: the loss is %s %s; it must be a floating scalar",
                   tide_dtype_name(tide_dtype_of(loss)), shape_text(s, tide_shape_of(loss)));
        return false;
    }
    for (int64_t i = 0; i < wrt.count; i++)
        if (!val_good(wrt.items[i]) || wrt.items[i].graph != g) {
            graph_fail(g, TIDE_EINVAL, "grad: item %d is poison or of another graph", (int)i);
            return false;
        }
    return true;
}

tide_list tide_grad(tide_val loss, tide_list wrt) {
    tide_graph *g = loss.graph;
    if (!list_good(g, "grad", wrt)) return (tide_list){ 0 };
    tide_val *out = arena_new(&g->memory, tide_val, MAX2(wrt.count, 1));
    if (!out) {
        graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
        return (tide_list){ 0 };
    }
    for (int64_t i = 0; i < wrt.count; i++) out[i] = graph_val(g, -1);
    arena scratch = { .allocator = &g->allocator };
    sweep s = { .g = g, .count = g->count, .scratch = &scratch };
    s.active = arena_new(&scratch, uint8_t, g->count);
    s.dy = arena_new(&scratch, shares, g->count);
    s.dx = arena_new(&scratch, tide_val, most_inputs(&s));
    if (g->regions) s.again = recompute_new(g, &scratch);
    if (!s.active || !s.dy || !s.dx || (g->regions && !s.again))
        graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
    else if (grad_checked(loss, wrt)) {
        mark_active(&s, wrt);
        if (sweep_back(&s, loss.node))
            for (int64_t i = 0; i < wrt.count; i++) {
                shares *d = &s.dy[wrt.items[i].node];
                out[i] = d->count ? shares_sum(d, g, &scratch) : full_like(wrt.items[i], 0);
            }
    }
    arena_free(&scratch);
    return (tide_list){ out, wrt.count };
}
