#include "table.h"

const op_row op_rows[OP_COUNT] = {
    [OP_SCALAR] = { vjp_scalar },         [OP_CAST] = { vjp_cast },
    [OP_SUM] = { vjp_sum },               [OP_MAX] = { vjp_extreme },
    [OP_MIN] = { vjp_extreme },           [OP_CUMSUM] = { vjp_cumsum },
    [OP_MATMUL] = { vjp_matmul },         [OP_RESHAPE] = { vjp_reshape },
    [OP_PERMUTE] = { vjp_permute },       [OP_BROADCAST] = { vjp_broadcast },
    [OP_SLICE] = { vjp_slice },           [OP_UNSLICE] = { vjp_unslice },
    [OP_CONCAT] = { vjp_concat },         [OP_GATHER] = { vjp_gather },
    [OP_SCATTER_ADD] = { vjp_scatter_add }, [OP_TAKE_ALONG] = { vjp_take_along },
    [OP_PUT_ALONG_ADD] = { vjp_put_along_add }, [OP_SORT] = { vjp_sort },
    [OP_SOFTMAX] = { vjp_softmax, define_softmax },
    [OP_LAYER_NORM] = { vjp_layer_norm, define_layer_norm },
    [OP_ATTENTION] = { vjp_attention, define_attention },
    [OP_ATTENTION_LOG] = { NULL, define_attention_log },
    [OP_ATTENTION_GRAD] = { NULL, define_attention_grad },
    [OP_ATTENTION_GRAD_K] = { NULL, define_attention_grad_k },
    [OP_ATTENTION_GRAD_V] = { NULL, define_attention_grad_v },
    [OP_CUSTOM] = { vjp_custom },
};

tide_val op_definition(tide_val node) {
    ir_node *n = graph_node(node);
    if (!n->definition) {
        tide_val plain = op_rows[n->op].define(node);
        if (!val_good(plain) || !graph_define(node.graph, node.node, plain.node)) return graph_val(node.graph, -1);
    }
    return graph_val(node.graph, n->definition);
}

tide_val node_input(tide_val node, int i) { return graph_val(node.graph, graph_node(node)->in[i]); }

bool type_floating(tide_dtype type) { return type <= TIDE_BF16; }
bool type_half(tide_dtype type) { return type == TIDE_F16 || type == TIDE_BF16; }
bool type_number(tide_dtype type) { return type != TIDE_BOOL; }

int axis_resolve(tide_val x, int axis, const char *op, int extra) {
    if (!operand_good(op, x)) return -1;
    int ndim = tide_shape_of(x).ndim + extra, real = axis < 0 ? axis + ndim : axis;
    if (real >= 0 && real < ndim) return real;
    char s[128];
    graph_fail(x.graph, TIDE_ESHAPE, "%s: axis %d is outside the shape %s", op, axis, shape_text(s, tide_shape_of(x)));
    return -1;
}

tide_val in_f32(tide_val x) { return type_half(tide_dtype_of(x)) ? tide_cast(x, TIDE_F32) : x; }
tide_val full_like(tide_val x, double value) { return tide_fill(x.graph, tide_dtype_of(x), tide_shape_of(x), value); }
