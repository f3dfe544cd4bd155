/* Attention: one node, so that a device may compute it without the matrices of scores, whose derivative is one node of
 * three results; in plain ops by definition. Definitions share their nodes: those of the derivative go on from the
 * shares of the forward pass, as derivatives of plain ops do. */
#include <inttypes.h>
#include <math.h>

#include "../../include/tidemill/nn.h"
#include "table.h"

/* ---- building ---- */

static bool attention_fits(tide_val q, tide_val k, tide_val v) {
    if (!operands_good("attention", (tide_val[]){ q, k, v }, 3)) return false;
    tide_shape sq = tide_shape_of(q), sk = tide_shape_of(k), sv = tide_shape_of(v);
    char a[128], b[128], c[128];
    if (tide_dtype_of(q) != tide_dtype_of(k) || tide_dtype_of(q) != tide_dtype_of(v))
        return graph_fail(q.graph, TIDE_ETYPE,
                          "attention: q, k and v are %s, %s and %s; they must be of one floating type",
                          tide_dtype_name(tide_dtype_of(q)), tide_dtype_name(tide_dtype_of(k)),
                          tide_dtype_name(tide_dtype_of(v))),
               false;
    if (sq.ndim >= 2 && sk.ndim >= 2 && sv.ndim >= 2 && sq.dim[sq.ndim - 1] == sk.dim[sk.ndim - 1] &&
        sk.dim[sk.ndim - 2] == sv.dim[sv.ndim - 2])
        return true;
    graph_fail(q.graph, TIDE_ESHAPE, "attention: q, k and v have the shapes %s, %s and %s; they must be (..., t, d), "
                                     "(..., s, d) and (..., s, e)",
               shape_text(a, sq), shape_text(b, sk), shape_text(c, sv));
    return false;
}

static tide_val scores_of(tide_val q, tide_val turned) {
    tide_shape s = tide_shape_of(q);
    return tide_mul_scalar(tide_matmul(q, turned), 1.0 / sqrt((double)s.dim[s.ndim - 1]));
}

/* In F32, without axes that are repeated; masks of numerics 1 have no node of their own. */
static bool one_node(tide_val q, tide_val k, tide_val v, bool drops) {
    tide_shape sq = tide_shape_of(q), sk = tide_shape_of(k), sv = tide_shape_of(v);
    bool same = tide_dtype_of(q) == TIDE_F32 && sq.ndim == sk.ndim && sq.ndim == sv.ndim;
    for (int i = 0; same && i < sq.ndim - 2; i++) same = sq.dim[i] == sk.dim[i] && sq.dim[i] == sv.dim[i];
    return same && !(drops && q.graph->numerics == 1);
}

static tide_shape with_columns(tide_shape rows, tide_val of) {
    rows.dim[rows.ndim - 1] = tide_shape_of(of).dim[rows.ndim - 1];
    return rows;
}

static tide_val attention_node(tide_val q, tide_val k, tide_val v, bool drops, double p) {
    tide_val in[ATTENTION_INPUTS + 2] = { [ATTENTION_V] = v, [ATTENTION_Q] = q, [ATTENTION_K] = k };
    int32_t count = ATTENTION_INPUTS;
    ir_attr attr = { 0 };
    if (drops) attr = dropout_mask(q.graph, p, in + ATTENTION_INPUTS, &count);
    return graph_add(q.graph, OP_ATTENTION, TIDE_F32, with_columns(tide_shape_of(q), v), in, count, &attr);
}

tide_val tide_attention(tide_val q, tide_val k, tide_val v, double dropout, tide_mode mode, tide_val *probabilities) {
    tide_val poison = graph_val(q.graph ? q.graph : k.graph ? k.graph : v.graph, -1);
    if (probabilities) *probabilities = poison;
    if (!attention_fits(q, k, v)) return poison;
    bool drops = dropout_draws(dropout, mode);
    if (!probabilities && one_node(q, k, v, drops) && dropout_good(q, dropout, mode))
        return attention_node(q, k, v, drops, dropout);
    tide_val share = tide_softmax(scores_of(q, tide_transpose(k, -2, -1)), -1);
    if (probabilities) *probabilities = share;
    return tide_matmul(tide_dropout(share, dropout, mode), v);
}

/* ---- in plain ops ---- */

tide_val define_attention(tide_val node) {
    const ir_node *n = graph_node(node);
    tide_val turned = tide_transpose(node_input(node, ATTENTION_K), -2, -1), counters[2];
    tide_val share = tide_softmax(scores_of(node_input(node, ATTENTION_Q), turned), -1);
    int32_t count = n->n_in - ATTENTION_INPUTS;
    if (count == 0) return tide_matmul(share, node_input(node, ATTENTION_V));
    for (int32_t i = 0; i < count; i++) counters[i] = node_input(node, ATTENTION_INPUTS + i);
    tide_val mask = graph_add(node.graph, OP_DROPMASK, TIDE_F32, tide_shape_of(share), counters, count, &n->attr);
    return tide_matmul(tide_mul(share, mask), node_input(node, ATTENTION_V));
}

/* The values on the way to an attention's result, in its definition. */
typedef struct steps { tide_val turned, scores, share, dropped; } steps;

static bool steps_of(tide_val attention, steps *s) {
    tide_val out = op_definition(attention);
    if (!val_good(out)) return false;
    s->dropped = node_input(out, 0);
    s->share = graph_node(attention)->n_in > ATTENTION_INPUTS ? node_input(s->dropped, 0) : s->dropped;
    s->scores = node_input(s->share, 0);
    s->turned = node_input(node_input(s->scores, 0), 1);
    return true;
}

tide_val define_attention_log(tide_val node) {
    steps s;
    if (!steps_of(node_input(node, 0), &s)) return graph_val(node.graph, -1);
    return tide_logsumexp(s.scores, TIDE_AXES(-1));
}

/* The derivatives of the four or five ops, one after the other. */
tide_val define_attention_grad(tide_val node) {
    steps s;
    tide_val dx[3] = { { 0 } };
    if (!steps_of(node_input(node, ATTENTION_O), &s)) return graph_val(node.graph, -1);
    tide_val d = tide_matmul(node_input(node, ATTENTION_DO), tide_transpose(node_input(node, ATTENTION_V), -1, -2));
    if (s.dropped.node != s.share.node) d = tide_mul(d, node_input(s.dropped, 1));
    vjp_softmax(s.share, d, dx);
    d = tide_mul(dx[0], node_input(s.scores, 1));
    return tide_matmul(d, tide_transpose(s.turned, -1, -2));
}

tide_val define_attention_grad_k(tide_val node) {
    steps s;
    tide_val dx[1] = { { 0 } }, dq = op_definition(node_input(node, graph_node(node)->n_in - 1));
    if (!val_good(dq) || !steps_of(node_input(node, ATTENTION_O), &s)) return graph_val(node.graph, -1);
    vjp_permute(s.turned, tide_matmul(tide_transpose(node_input(node, ATTENTION_Q), -1, -2), node_input(dq, 0)), dx);
    return dx[0];
}

tide_val define_attention_grad_v(tide_val node) {
    steps s;
    if (!steps_of(node_input(node, ATTENTION_O), &s)) return graph_val(node.graph, -1);
    return tide_matmul(tide_transpose(s.dropped, -1, -2), node_input(node, ATTENTION_DO));
}

/* ---- derivative ---- */

void vjp_attention(tide_val node, tide_val dy, tide_val *dx) {
    const ir_node *n = graph_node(node);
    tide_graph *g = node.graph;
    tide_val in[ATTENTION_GRAD_INPUTS + 3] = { [ATTENTION_O] = node, [ATTENTION_DO] = dy };
    int32_t count = ATTENTION_GRAD_INPUTS;
    tide_shape rows = n->shape;
    rows.ndim--;
    for (int32_t i = 0; i < ATTENTION_INPUTS; i++) in[i] = node_input(node, i);
    for (int32_t i = ATTENTION_INPUTS; i < n->n_in; i++) in[count++] = node_input(node, i);
    in[ATTENTION_L] = graph_add(g, OP_ATTENTION_LOG, TIDE_F32, rows, &node, 1, NULL);
    in[count] = graph_add(g, OP_ATTENTION_GRAD, TIDE_F32, tide_shape_of(in[ATTENTION_Q]), in, count, &n->attr);
    dx[ATTENTION_Q] = in[count++];
    dx[ATTENTION_K] = graph_add(g, OP_ATTENTION_GRAD_K, TIDE_F32, tide_shape_of(in[ATTENTION_K]), in, count, &n->attr);
    dx[ATTENTION_V] = graph_add(g, OP_ATTENTION_GRAD_V, TIDE_F32, tide_shape_of(in[ATTENTION_V]), in, count, &n->attr);
}
