/* Softmax and layer norm: one node each, so that the derivative can reuse the result; plain ops by definition. */
#include "table.h"

static tide_val to_last(tide_val x, int axis) { return tide_transpose(x, axis, -1); }

tide_val tide_softmax(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "softmax", 0);
    if (real < 0) return graph_val(x.graph, -1);
    if (!type_floating(tide_dtype_of(x)))
        return graph_fail(x.graph, TIDE_ETYPE, "softmax: the operand is %s; it takes floating types",
                          tide_dtype_name(tide_dtype_of(x)));
    if (type_half(tide_dtype_of(x))) return tide_cast(tide_softmax(in_f32(x), axis), tide_dtype_of(x));
    tide_val last = to_last(x, real);
    return to_last(graph_add(x.graph, OP_SOFTMAX, tide_dtype_of(last), tide_shape_of(last), &last, 1, NULL), real);
}

tide_val tide_log_softmax(tide_val x, int axis) {
    tide_val wide = in_f32(x);
    return tide_cast(tide_sub(wide, tide_logsumexp(wide, TIDE_AXES_KEEP(axis))), tide_dtype_of(x));
}

tide_val define_softmax(tide_val node) {
    tide_val x = node_input(node, 0);
    tide_val e = tide_exp(tide_sub(x, tide_max(x, TIDE_AXES_KEEP(-1))));
    return tide_div(e, tide_sum(e, TIDE_AXES_KEEP(-1)));
}

/* With y = softmax(x): dx = y (dy - sum(dy y)). */
void vjp_softmax(tide_val node, tide_val dy, tide_val *dx) {
    tide_val dot = tide_sum(tide_mul(dy, node), TIDE_AXES_KEEP(-1));
    dx[0] = tide_mul(node, tide_sub(dy, dot));
}

tide_val tide_layer_norm(tide_val x, tide_val gain, tide_val offset, double eps) {
    if (!operands_good("layer_norm", (tide_val[]){ x, gain, offset }, 3)) return graph_val(x.graph, -1);
    if (!(eps >= 0)) return graph_fail(x.graph, TIDE_EINVAL, "layer_norm: eps is %g; it must be at least 0", eps);
    tide_shape s = tide_shape_of(x), one = TIDE_SHAPE(s.ndim ? s.dim[s.ndim - 1] : 0);
    char a[128], b[128], c[128];
    if (!s.ndim || !tide_shape_equal(tide_shape_of(gain), one) || !tide_shape_equal(tide_shape_of(offset), one))
        return graph_fail(x.graph, TIDE_ESHAPE, "layer_norm: gain %s and offset %s must have the size of the last "
                                                "axis of %s",
                          shape_text(a, tide_shape_of(gain)), shape_text(b, tide_shape_of(offset)), shape_text(c, s));
    tide_dtype type = tide_dtype_of(x);
    if (!type_floating(type) || tide_dtype_of(gain) != type || tide_dtype_of(offset) != type)
        return graph_fail(x.graph, TIDE_ETYPE, "layer_norm: operands must have one floating type");
    if (type_half(type)) return tide_cast(tide_layer_norm(in_f32(x), in_f32(gain), in_f32(offset), eps), type);
    ir_attr attr = { .number = eps };
    return graph_add(x.graph, OP_LAYER_NORM, type, s, (tide_val[]){ x, gain, offset }, 3, &attr);
}

/* (x - mean) / sqrt(var + eps), and 1 / sqrt(var + eps). */
static tide_val normalised(tide_val node, tide_val *inverse) {
    tide_val x = node_input(node, 0);
    tide_val centred = tide_sub(x, tide_mean(x, TIDE_AXES_KEEP(-1)));
    *inverse =
        tide_rsqrt(tide_add_scalar(tide_mean(tide_square(centred), TIDE_AXES_KEEP(-1)), graph_node(node)->attr.number));
    return tide_mul(centred, *inverse);
}

tide_val define_layer_norm(tide_val node) {
    tide_val inverse, hat = normalised(node, &inverse);
    return tide_add(tide_mul(hat, node_input(node, 1)), node_input(node, 2));
}

/* With d = dy gain and h the normalised x: dx = (d - mean(d) - h mean(d h)) / s; the sums of Ba, Kiros, Hinton 2016. */
void vjp_layer_norm(tide_val node, tide_val dy, tide_val *dx) {
    tide_val inverse, hat = normalised(node, &inverse), gain = node_input(node, 1);
    tide_val d = tide_mul(dy, gain);
    tide_val along = tide_mul(hat, tide_mean(tide_mul(d, hat), TIDE_AXES_KEEP(-1)));
    dx[0] = tide_mul(tide_sub(tide_sub(d, tide_mean(d, TIDE_AXES_KEEP(-1))), along), inverse);
    dx[1] = sum_to(tide_mul(dy, hat), tide_shape_of(gain));
    dx[2] = sum_to(dy, tide_shape_of(gain));
}
