/* One row an op: what autodiff and compile need to know of it. Builders and their shape rules are in the family's
 * file. */
#ifndef TIDE_OPS_TABLE_H
#define TIDE_OPS_TABLE_H

#include "../ir/ir.h"

/* Adds to dx[i] (poison: none yet) the derivative with respect to input i, given dy of the node's shape. */
typedef void (*op_vjp)(tide_val node, tide_val dy, tide_val *dx);
/* The same value in plain ops. */
typedef tide_val (*op_define)(tide_val node);

typedef struct op_row {
    op_vjp    vjp;     /* NULL: the definition's, and without one no derivative flows */
    op_define define;  /* NULL: the op is plain */
} op_row;
extern const op_row op_rows[OP_COUNT];

/* Inputs: OP_ATTENTION has the first three, then what a mask is a function of (under dropout: its attr is a mask's).
 * OP_ATTENTION_GRAD, the derivative of q, has all six, then those; the nodes of k's and v's have its inputs, then the
 * node itself. v comes first because its share of a derivative does where one value is v and q: the order that sums
 * keep. */
enum { ATTENTION_V, ATTENTION_Q, ATTENTION_K, ATTENTION_INPUTS, ATTENTION_O = ATTENTION_INPUTS, ATTENTION_L,
       ATTENTION_DO, ATTENTION_GRAD_INPUTS };

/* What a node with a definition is in plain ops, made once; poison if the graph failed. */
tide_val op_definition(tide_val node);

/* ---- shared by the families ---- */
tide_val node_input(tide_val node, int i);
bool     type_floating(tide_dtype type);   /* also 16-bit */
bool     type_half(tide_dtype type);       /* F16, BF16 */
bool     type_number(tide_dtype type);     /* all but bool */
/* -1 and a failure if axis is out of range; else 0 .. ndim-1. `extra`: an axis one past the end is allowed. */
int      axis_resolve(tide_val x, int axis, const char *op, int extra);
tide_val scalar_unary(tide_val x, scalar_op op);   /* no type checks: for derivatives and definitions */
tide_val scalar_binary(tide_val a, tide_val b, scalar_op op);
tide_val scalar_after(tide_val x, tide_val first); /* x, not made before the scalar `first`, of whatever type */
tide_val in_f32(tide_val x);                 /* 16-bit floats as F32, where a sum is on the way; others as they are */
tide_val full_like(tide_val x, double value);
tide_val sum_to(tide_val x, tide_shape shape);     /* undoes a broadcast */
/* Dropout, in parts: whether it draws; the tests of its arguments; what a mask's node has as attributes and, from in[0]
 * on, as inputs, *count of them more. A mask takes a site. */
bool     dropout_draws(double p, tide_mode mode);
bool     dropout_good(tide_val x, double p, tide_mode mode);
ir_attr  dropout_mask(tide_graph *g, double p, tide_val *in, int32_t *count);
/* The axis along which an unslice of something of shape `part` shows it in one piece, zeros beside it; -1: there is
 * none, or n is no unslice. */
int      unsliced_axis(const ir_node *n, tide_shape part);

void vjp_scalar(tide_val node, tide_val dy, tide_val *dx);
void vjp_cast(tide_val node, tide_val dy, tide_val *dx);
void vjp_sum(tide_val node, tide_val dy, tide_val *dx);
void vjp_extreme(tide_val node, tide_val dy, tide_val *dx);
void vjp_cumsum(tide_val node, tide_val dy, tide_val *dx);
void vjp_matmul(tide_val node, tide_val dy, tide_val *dx);
void vjp_reshape(tide_val node, tide_val dy, tide_val *dx);
void vjp_permute(tide_val node, tide_val dy, tide_val *dx);
void vjp_broadcast(tide_val node, tide_val dy, tide_val *dx);
void vjp_slice(tide_val node, tide_val dy, tide_val *dx);
void vjp_unslice(tide_val node, tide_val dy, tide_val *dx);
void vjp_concat(tide_val node, tide_val dy, tide_val *dx);
void vjp_gather(tide_val node, tide_val dy, tide_val *dx);
void vjp_scatter_add(tide_val node, tide_val dy, tide_val *dx);
void vjp_take_along(tide_val node, tide_val dy, tide_val *dx);
void vjp_put_along_add(tide_val node, tide_val dy, tide_val *dx);
void vjp_sort(tide_val node, tide_val dy, tide_val *dx);
void vjp_softmax(tide_val node, tide_val dy, tide_val *dx);
void vjp_layer_norm(tide_val node, tide_val dy, tide_val *dx);
void vjp_attention(tide_val node, tide_val dy, tide_val *dx);
void vjp_custom(tide_val node, tide_val dy, tide_val *dx);
tide_val define_softmax(tide_val node);
tide_val define_layer_norm(tide_val node);
tide_val define_attention(tide_val node);
tide_val define_attention_log(tide_val node);
tide_val define_attention_grad(tide_val node);
tide_val define_attention_grad_k(tide_val node);
tide_val define_attention_grad_v(tide_val node);

#endif
