/* The kernels of attention and of its derivative, where a backend keeps them. One task each: they are for devices that
 * share a kernel's work among all that they have. */
#include <stdio.h>

#include "compile.h"
#include "lower.h"

static const ir_node *node_of(const lowering *l, int32_t id) { return l->g->nodes[id]; }

/* A row's numbers lie side by side; rows and entries of the batch where they like. */
static flat_operand rows_of(lowering *l, int32_t node) {
    const view *v = lower_view(l, node);
    int last = v->ndim - 1;
    flat_operand o = lower_operand(v->stride[last] == 1 || v->dim[last] == 1 ? v : lower_contiguous(l, node));
    o.stride[last] = 1;
    return o;
}

static flat_operand whole_of(lowering *l, int32_t node) { return lower_operand(lower_contiguous(l, node)); }

/* Masks are drawn once: on matrix units drawing would be much of the work. */
static int32_t new_bits(lowering *l, const ir_node *n) {
    flat_attention a = attention_of(l->g->nodes, n);
    if (!a.dropout || !flat_attention_many_bits(&a)) return -1;
    return lower_new(l, TIDE_I32, TIDE_SHAPE(flat_attention_bits(&a))).buffer;
}

/* What the attention left whose derivative this is, if that can be seen. */
static int32_t bits_left(const lowering *l, const ir_node *grad) {
    const ir_node *log = node_of(l, grad->in[ATTENTION_L]);
    return log->op == OP_ATTENTION_LOG ? l->third[log->in[0]] : -1;
}

/* With what a mask is a function of after the `count` operands, and the buffer of its bits, unless that is -1. */
static void add_kernel(lowering *l, const ir_node *n, flat_kernel_kind kind, const flat_operand *operands,
                       int32_t count, int32_t bits) {
    flat_attention a = attention_of(l->g->nodes, n);
    int32_t first = kind == FLAT_ATTENTION ? ATTENTION_INPUTS : ATTENTION_GRAD_INPUTS, counters = n->n_in - first;
    flat_operand counter[2];
    char name[96];
    for (int32_t i = 0; i < counters; i++) counter[i] = whole_of(l, n->in[first + i]);
    snprintf(name, sizeof name, "%s %dx%dx%d x%d%s", ir_op_names[n->op], (int)a.m, (int)a.n, (int)a.d, (int)a.batches,
             a.dropout ? ", dropout" : "");
    a.bits = bits >= 0;
    flat_kernel *k = lower_kernel(l, kind, count + counters + a.bits, name);
    memcpy(k->operands, operands, sizeof *operands * (size_t)count);
    memcpy(k->operands + count, counter, sizeof *counter * (size_t)counters);
    if (a.bits) {
        view v = view_contiguous(bits, TIDE_I32, TIDE_SHAPE(flat_attention_bits(&a)));
        k->operands[count + counters] = lower_operand(&v);
    }
    k->attention = a;
    k->tasks = 1;
    l->out->flops += attention_flops(k);
}

void lower_attention(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    tide_shape rows = n->shape;
    rows.ndim--;
    flat_operand operands[5];
    operands[0] = rows_of(l, n->in[ATTENTION_Q]), operands[1] = rows_of(l, n->in[ATTENTION_K]);
    operands[2] = rows_of(l, n->in[ATTENTION_V]);
    l->loc[node] = lower_product(l, node);
    view log = lower_new(l, TIDE_F32, rows);
    l->second[node] = log.buffer;
    operands[3] = lower_operand(&l->loc[node]), operands[4] = lower_operand(&log);
    l->third[node] = new_bits(l, n);
    add_kernel(l, n, FLAT_ATTENTION, operands, 5, l->third[node]);
}

void lower_attention_log(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    l->loc[node] = view_contiguous(l->second[n->in[0]], TIDE_F32, n->shape);
}

/* Where a further result goes: its node's place, or, if nothing asks for it, memory that nobody reads. */
static flat_operand further(lowering *l, int32_t node, ir_op op, int32_t like) {
    int32_t result = node + 1;
    while (result < l->g->count && (node_of(l, result)->op != op || node_of(l, result)->in[0] != node)) result++;
    if (result == l->g->count) {
        view unread = lower_new(l, (tide_dtype)node_of(l, node)->type, node_of(l, like)->shape);
        return lower_operand(&unread);
    }
    l->loc[result] = lower_product(l, result);
    return lower_operand(&l->loc[result]);
}

void lower_attention_grad(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    flat_operand operands[9];
    operands[0] = rows_of(l, n->in[ATTENTION_Q]), operands[1] = rows_of(l, n->in[ATTENTION_K]);
    operands[2] = rows_of(l, n->in[ATTENTION_V]), operands[3] = rows_of(l, n->in[ATTENTION_O]);
    operands[4] = whole_of(l, n->in[ATTENTION_L]), operands[5] = rows_of(l, n->in[ATTENTION_DO]);
    l->loc[node] = lower_product(l, node);
    operands[6] = lower_operand(&l->loc[node]);
    operands[7] = further(l, node, OP_ATTENTION_GRAD_K, n->in[ATTENTION_K]);
    operands[8] = further(l, node, OP_ATTENTION_GRAD_V, n->in[ATTENTION_V]);
    add_kernel(l, n, FLAT_ATTENTION_GRAD, operands, 9, bits_left(l, n));
}
