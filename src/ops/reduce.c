/* Reductions. A node's axes are a bit mask; kept axes are a reshape on top. */
#include <math.h>

#include "table.h"

static bool axes_mask(tide_val x, tide_axes axes, const char *op, uint32_t *mask) {
    *mask = 0;
    int ndim = tide_shape_of(x).ndim;
    if (axes.count < 0 || axes.count > TIDE_MAX_DIMS)
        return graph_fail(x.graph, TIDE_EINVAL, "%s: a list of %d axes; there may be 0 to %d", op, axes.count,
                          TIDE_MAX_DIMS),
               false;
    if (axes.count == 0) *mask = (1u << ndim) - 1;
    for (int i = 0; i < axes.count; i++) {
        int axis = axis_resolve(x, axes.axis[i], op, 0);
        if (axis < 0) return false;
        if (*mask >> axis & 1)
            return graph_fail(x.graph, TIDE_EINVAL, "%s: axis %d is listed twice", op, axes.axis[i]), false;
        *mask |= 1u << axis;
    }
    return true;
}

static tide_shape shape_without(tide_shape s, uint32_t mask, bool keep) {
    tide_shape out = TIDE_SCALAR;
    for (int i = 0; i < s.ndim; i++) {
        bool reduced = mask >> i & 1;
        if (!reduced || keep) out.dim[out.ndim++] = reduced ? 1 : s.dim[i];
    }
    return out;
}

static int64_t reduced_count(tide_shape s, uint32_t mask) {
    int64_t count = 1;
    for (int i = 0; i < s.ndim; i++)
        if (mask >> i & 1) count *= s.dim[i];
    return count;
}

static tide_val reduce(tide_val x, tide_axes axes, ir_op op) {
    uint32_t mask;
    const char *name = ir_op_names[op];
    if (!operand_good(name, x)) return graph_val(x.graph, -1);
    if (!type_number(tide_dtype_of(x)))
        return graph_fail(x.graph, TIDE_ETYPE, "%s: the operand is bool; cast it first", name);
    if (!axes_mask(x, axes, name, &mask)) return graph_val(x.graph, -1);
    tide_shape shape = tide_shape_of(x);
    if (!mask) return x;
    ir_attr attr = { .axes = mask };
    tide_val y = graph_add(x.graph, op, tide_dtype_of(x), shape_without(shape, mask, false), &x, 1, &attr);
    return axes.keep ? tide_reshape(y, shape_without(shape, mask, true)) : y;
}

tide_val tide_sum(tide_val x, tide_axes axes) { return reduce(x, axes, OP_SUM); }
tide_val tide_max(tide_val x, tide_axes axes) { return reduce(x, axes, OP_MAX); }
tide_val tide_min(tide_val x, tide_axes axes) { return reduce(x, axes, OP_MIN); }

static tide_val floating_only(tide_val x, const char *op) {
    if (!operand_good(op, x)) return graph_val(x.graph, -1);
    if (type_floating(tide_dtype_of(x))) return x;
    return graph_fail(x.graph, TIDE_ETYPE, "%s: the operand is %s; it takes floating types", op,
                      tide_dtype_name(tide_dtype_of(x)));
}

tide_val tide_mean(tide_val x, tide_axes axes) {
    uint32_t mask;
    if (!val_good(x = floating_only(x, "mean")) || !axes_mask(x, axes, "mean", &mask)) return graph_val(x.graph, -1);
    double count = (double)reduced_count(tide_shape_of(x), mask);
    return tide_cast(tide_mul_scalar(tide_sum(in_f32(x), axes), count != 0 ? 1 / count : NAN), tide_dtype_of(x));
}

static tide_axes kept(tide_axes axes) { return axes.keep = true, axes; }

tide_val tide_variance(tide_val x, tide_axes axes) {
    if (type_half(tide_dtype_of(x))) return tide_cast(tide_variance(in_f32(x), axes), tide_dtype_of(x));
    return tide_mean(tide_square(tide_sub(x, tide_mean(x, kept(axes)))), axes);
}

tide_val tide_logsumexp(tide_val x, tide_axes axes) {
    if (!val_good(x = floating_only(x, "logsumexp"))) return x;
    if (type_half(tide_dtype_of(x))) return tide_cast(tide_logsumexp(in_f32(x), axes), tide_dtype_of(x));
    tide_val top = tide_stop_gradient(tide_max(x, kept(axes)));
    if (!val_good(top)) return top;
    tide_val shift = tide_where(tide_is_finite(top), top, full_like(top, 0));  /* all -inf: -inf, not NaN */
    tide_val sum = tide_log(tide_sum(tide_exp(tide_sub(x, shift)), kept(axes)));
    tide_val y = tide_add(sum, shift);
    uint32_t mask;
    if (axes.keep || !axes_mask(x, axes, "logsumexp", &mask)) return y;
    return tide_reshape(y, shape_without(tide_shape_of(x), mask, false));
}

static tide_val arg_reduce(tide_val x, int axis, ir_op op) {
    int real = axis_resolve(x, axis, ir_op_names[op], 0);
    if (real < 0) return graph_val(x.graph, -1);
    tide_shape s = tide_shape_of(x);
    if (s.dim[real] == 0) return graph_fail(x.graph, TIDE_ESHAPE, "%s: axis %d has no elements", ir_op_names[op], axis);
    ir_attr attr = { .axis = real };
    return graph_add(x.graph, op, TIDE_I32, shape_without(s, 1u << real, false), &x, 1, &attr);
}

tide_val tide_argmax(tide_val x, int axis) { return arg_reduce(x, axis, OP_ARGMAX); }
tide_val tide_argmin(tide_val x, int axis) { return arg_reduce(x, axis, OP_ARGMIN); }

static tide_val cumsum(tide_val x, int axis, int reverse) {
    ir_attr attr = { .axis = axis, .flag = reverse };
    return graph_add(x.graph, OP_CUMSUM, tide_dtype_of(x), tide_shape_of(x), &x, 1, &attr);
}

tide_val tide_cumsum(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "cumsum", 0);
    if (real < 0) return graph_val(x.graph, -1);
    if (!type_number(tide_dtype_of(x)))
        return graph_fail(x.graph, TIDE_ETYPE, "cumsum: the operand is bool; cast it first");
    return cumsum(x, real, 0);
}

/* ---- derivatives ---- */

static tide_val spread(tide_val dy, tide_shape full, uint32_t mask) {
    return tide_broadcast(tide_reshape(dy, shape_without(full, mask, true)), full);
}

void vjp_sum(tide_val node, tide_val dy, tide_val *dx) {
    dx[0] = spread(dy, tide_shape_of(node_input(node, 0)), graph_node(node)->attr.axes);
}

/* Equal extremes share the derivative. */
void vjp_extreme(tide_val node, tide_val dy, tide_val *dx) {
    tide_val x = node_input(node, 0);
    uint32_t mask = graph_node(node)->attr.axes;
    tide_shape full = tide_shape_of(x);
    tide_val hit = tide_cast(tide_eq(x, spread(node, full, mask)), tide_dtype_of(x));
    ir_attr attr = { .axes = mask };
    tide_val hits = graph_add(x.graph, OP_SUM, tide_dtype_of(x), tide_shape_of(node), &hit, 1, &attr);
    dx[0] = tide_mul(hit, spread(tide_div(dy, hits), full, mask));
}

void vjp_cumsum(tide_val node, tide_val dy, tide_val *dx) {
    const ir_node *n = graph_node(node);
    dx[0] = cumsum(dy, n->attr.axis, !n->attr.flag);
}

tide_val sum_to(tide_val x, tide_shape shape) {
    if (!val_good(x)) return x;
    tide_shape from = tide_shape_of(x);
    uint32_t mask = 0;
    int lead = from.ndim - shape.ndim;
    for (int i = 0; i < from.ndim; i++)
        if (i < lead || (shape.dim[i - lead] == 1 && from.dim[i] != 1)) mask |= 1u << i;
    if (!mask) return x;
    ir_attr attr = { .axes = mask };
    tide_val y = graph_add(x.graph, OP_SUM, tide_dtype_of(x), shape_without(from, mask, false), &x, 1, &attr);
    return tide_reshape(y, shape);
}
