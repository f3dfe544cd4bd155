/* Rows by index, and sorting. */
#include <inttypes.h>

#include "table.h"

static bool index_checked(tide_val index, const char *op) {
    if (!operand_good(op, index)) return false;
    if (tide_dtype_of(index) == TIDE_I32) return true;
    graph_fail(index.graph, TIDE_ETYPE, "%s: the index is %s; it must be i32", op,
               tide_dtype_name(tide_dtype_of(index)));
    return false;
}

/* x's shape with `axis` replaced by the axes of `index`. */
static tide_shape indexed_shape(tide_shape x, int axis, tide_shape index) {
    tide_shape out = { .ndim = 0 };
    for (int i = 0; i < axis; i++) out.dim[out.ndim++] = x.dim[i];
    for (int i = 0; i < index.ndim; i++) out.dim[out.ndim++] = index.dim[i];
    for (int i = axis + 1; i < x.ndim; i++) out.dim[out.ndim++] = x.dim[i];
    return out;
}

static bool too_many_axes(tide_val x, tide_val index, const char *op) {
    if (tide_shape_of(x).ndim - 1 + tide_shape_of(index).ndim <= TIDE_MAX_DIMS) return false;
    graph_fail(x.graph, TIDE_ESHAPE, "%s: the result would have more than %d axes", op, TIDE_MAX_DIMS);
    return true;
}

tide_val tide_gather(tide_val x, int axis, tide_val index) {
    if (!operands_good("gather", (tide_val[]){ x, index }, 2)) return graph_val(x.graph, -1);
    int real = axis_resolve(x, axis, "gather", 0);
    if (real < 0 || !index_checked(index, "gather") || too_many_axes(x, index, "gather")) return graph_val(x.graph, -1);
    ir_attr attr = { .axis = real };
    return graph_add(x.graph, OP_GATHER, tide_dtype_of(x), indexed_shape(tide_shape_of(x), real, tide_shape_of(index)),
                     (tide_val[]){ x, index }, 2, &attr);
}

tide_val tide_scatter_add(tide_val base, int axis, tide_val index, tide_val rows) {
    if (!operands_good("scatter_add", (tide_val[]){ base, index, rows }, 3)) return graph_val(base.graph, -1);
    int real = axis_resolve(base, axis, "scatter_add", 0);
    if (real < 0 || !index_checked(index, "scatter_add") || too_many_axes(base, index, "scatter_add"))
        return graph_val(base.graph, -1);
    tide_shape expected = indexed_shape(tide_shape_of(base), real, tide_shape_of(index));
    char a[128], b[128];
    if (!tide_shape_equal(expected, tide_shape_of(rows)) || tide_dtype_of(base) != tide_dtype_of(rows))
        return graph_fail(base.graph, TIDE_ESHAPE, "scatter_add: rows are %s %s; they must be %s %s",
                          tide_dtype_name(tide_dtype_of(rows)), shape_text(a, tide_shape_of(rows)),
                          tide_dtype_name(tide_dtype_of(base)), shape_text(b, expected));
    if (type_half(tide_dtype_of(base)))
        return tide_cast(tide_scatter_add(in_f32(base), axis, index, in_f32(rows)), tide_dtype_of(base));
    ir_attr attr = { .axis = real };
    return graph_add(base.graph, OP_SCATTER_ADD, tide_dtype_of(base), tide_shape_of(base),
                     (tide_val[]){ base, index, rows }, 3, &attr);
}

static bool along_fits(tide_shape x, tide_shape index, int axis) {
    bool fits = x.ndim == index.ndim;
    for (int i = 0; fits && i < x.ndim; i++) fits = i == axis || x.dim[i] == index.dim[i];
    return fits;
}

tide_val tide_take_along(tide_val x, int axis, tide_val index) {
    if (!operands_good("take_along", (tide_val[]){ x, index }, 2)) return graph_val(x.graph, -1);
    int real = axis_resolve(x, axis, "take_along", 0);
    if (real < 0 || !index_checked(index, "take_along")) return graph_val(x.graph, -1);
    char a[128], b[128];
    if (!along_fits(tide_shape_of(x), tide_shape_of(index), real))
        return graph_fail(x.graph, TIDE_ESHAPE, "take_along: index %s and values %s may differ in axis %d only",
                          shape_text(a, tide_shape_of(index)),
                          shape_text(b, tide_shape_of(x)), real);
    ir_attr attr = { .axis = real };
    return graph_add(x.graph, OP_TAKE_ALONG, tide_dtype_of(x), tide_shape_of(index), (tide_val[]){ x, index }, 2,
                     &attr);
}

static tide_val put_along_add(tide_val index, tide_val rows, int axis, tide_shape shape) {
    ir_attr attr = { .axis = axis };
    tide_val wide = in_f32(rows);
    tide_val sum =
        graph_add(rows.graph, OP_PUT_ALONG_ADD, tide_dtype_of(wide), shape, (tide_val[]){ index, wide }, 2, &attr);
    return tide_cast(sum, tide_dtype_of(rows));
}

tide_val tide_arange(tide_graph *g, tide_dtype type, int64_t count) {
    if (type == TIDE_BOOL) return graph_fail(g, TIDE_ETYPE, "arange: bool cannot count");
    return graph_add(g, OP_ARANGE, type, TIDE_SHAPE(count), NULL, 0, NULL);
}

tide_val tide_one_hot(tide_val index, int64_t classes, tide_dtype type) {
    if (!index_checked(index, "one_hot")) return graph_val(index.graph, -1);
    return tide_cast(tide_eq(tide_expand_dims(index, -1), tide_arange(index.graph, TIDE_I32, classes)), type);
}

tide_val tide_windows(tide_val series, tide_val start, int64_t length) {
    if (!operands_good("windows", (tide_val[]){ series, start }, 2) || !index_checked(start, "windows"))
        return graph_val(series.graph, -1);
    tide_val rows = tide_add(tide_expand_dims(start, -1), tide_arange(series.graph, TIDE_I32, length));
    return tide_gather(series, 0, rows);
}

void tide_sort(tide_val x, bool descending, tide_val *values, tide_val *indices) {
    tide_val sorted = operand_good("sort", x) ? x : graph_val(x.graph, -1), order = sorted;
    if (val_good(x) && tide_shape_of(x).ndim == 0)
        sorted = order = graph_fail(x.graph, TIDE_ESHAPE, "sort: a scalar has no axis");
    if (val_good(sorted)) {
        ir_attr attr = { .flag = descending };
        sorted = graph_add(x.graph, OP_SORT, tide_dtype_of(x), tide_shape_of(x), &x, 1, &attr);
        order = graph_add(x.graph, OP_SORT_INDEX, TIDE_I32, tide_shape_of(x), &sorted, 1, NULL);
    }
    if (values) *values = sorted;
    if (indices) *indices = order;
}

void tide_top_k(tide_val x, int64_t k, tide_val *values, tide_val *indices) {
    tide_val v, i;
    tide_sort(x, true, &v, &i);
    if (val_good(v) && (k < 0 || k > tide_shape_of(x).dim[tide_shape_of(x).ndim - 1]))
        v = i = graph_fail(x.graph, TIDE_ESHAPE, "top_k: k is %" PRId64 ", the last axis has %" PRId64, k,
                           tide_shape_of(x).dim[tide_shape_of(x).ndim - 1]);
    if (values) *values = val_good(v) ? tide_slice(v, -1, 0, k) : v;
    if (indices) *indices = val_good(i) ? tide_slice(i, -1, 0, k) : i;
}

/* ---- derivatives ---- */

void vjp_gather(tide_val node, tide_val dy, tide_val *dx) {
    tide_val x = node_input(node, 0);
    dx[0] = tide_scatter_add(full_like(x, 0), graph_node(node)->attr.axis, node_input(node, 1), dy);
}

static tide_val is_inside(tide_val index, int64_t n) {
    tide_val zero = tide_scalar_of(index.graph, TIDE_I32, 0), end = tide_scalar_of(index.graph, TIDE_I32, (double)n);
    return tide_and(tide_ge(index, zero), tide_lt(index, end));
}

/* Rows whose index is outside were skipped: their derivative is 0. */
void vjp_scatter_add(tide_val node, tide_val dy, tide_val *dx) {
    tide_val index = node_input(node, 1);
    int axis = graph_node(node)->attr.axis;
    tide_shape spread = tide_shape_of(index);
    int64_t n = tide_shape_of(node).dim[axis];
    for (int i = axis + 1; i < tide_shape_of(node).ndim; i++) spread.dim[spread.ndim++] = 1;
    tide_val rows = tide_gather(dy, axis, index);
    dx[0] = dy;
    dx[2] = tide_where(tide_reshape(is_inside(index, n), spread), rows, full_like(rows, 0));
}

void vjp_take_along(tide_val node, tide_val dy, tide_val *dx) {
    dx[0] = put_along_add(node_input(node, 1), dy, graph_node(node)->attr.axis, tide_shape_of(node_input(node, 0)));
}

void vjp_put_along_add(tide_val node, tide_val dy, tide_val *dx) {
    int axis = graph_node(node)->attr.axis;
    tide_val index = node_input(node, 0), rows = tide_take_along(dy, axis, index);
    dx[1] = tide_where(is_inside(index, tide_shape_of(node).dim[axis]), rows, full_like(rows, 0));
}

void vjp_sort(tide_val node, tide_val dy, tide_val *dx) {
    tide_val order = graph_add(node.graph, OP_SORT_INDEX, TIDE_I32, tide_shape_of(node), &node, 1, NULL);
    dx[0] = put_along_add(order, dy, tide_shape_of(node).ndim - 1, tide_shape_of(node));
}
