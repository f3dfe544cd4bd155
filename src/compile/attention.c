/* Attention that a backend keeps as a kernel: what the passes ask of its nodes. In a pass graph the nodes of further
 * results read the node of the first alone. */
#include <math.h>

#include "pass.h"

bool node_is_product(const ir_node *n) {
    return n->op == OP_MATMUL || n->op == OP_ATTENTION || n->op == OP_ATTENTION_GRAD || n->op == OP_ATTENTION_GRAD_K ||
           n->op == OP_ATTENTION_GRAD_V;
}

bool node_is_further_result(const ir_node *n) {
    return n->op == OP_ATTENTION_LOG || n->op == OP_ATTENTION_GRAD_K || n->op == OP_ATTENTION_GRAD_V;
}

bool reads_any_order(const ir_node *n, int32_t input) {
    return node_is_further_result(n) || (n->op == OP_ATTENTION_GRAD && input == ATTENTION_O);
}

/* Masks are numbered as OP_DROPMASK's of the matrices' shape would be: a sample is an entry of the outermost axis. */
flat_attention attention_of(ir_node *const *nodes, const ir_node *n) {
    tide_shape q = nodes[n->in[ATTENTION_Q]]->shape, v = nodes[n->in[ATTENTION_V]]->shape;
    int last = q.ndim - 1;
    flat_attention a = { .m = q.dim[last - 1], .n = v.dim[last - 1], .d = q.dim[last], .e = v.dim[last], .batches = 1,
                         .batch_ndim = last - 1 };
    for (int i = 0; i < a.batch_ndim; i++) a.batches *= a.batch[i] = q.dim[i];
    a.scale = 1.0 / sqrt((double)a.d);
    a.dropout = n->n_in > (n->op == OP_ATTENTION ? ATTENTION_INPUTS : ATTENTION_GRAD_INPUTS);
    if (!a.dropout) return a;
    a.threshold = n->attr.number, a.kept = n->attr.scale, a.site = n->attr.site;
    a.per_sample = a.batches * a.m * a.n / MAX2(q.dim[0], 1);
    return a;
}

/* Columns as of a product that gains; how much work a kernel is, its batch decides. */
bool attention_gains(const backend_cut *least, const flat_attention *a) {
    return MIN2(a->m, a->n) >= least->half_queries && MIN2(a->d, a->e) >= least->half_cols;
}
