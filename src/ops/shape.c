/* Operations that move elements and compute nothing. */
#include <inttypes.h>

#include "table.h"

tide_val tide_reshape(tide_val x, tide_shape shape) {
    if (!operand_good("reshape", x)) return graph_val(x.graph, -1);
    tide_shape from = tide_shape_of(x), asked = shape;
    int64_t count = tide_shape_count(from), known;
    int free_axis = -1;
    char a[128], b[128];
    for (int i = 0; i < shape.ndim && i < TIDE_MAX_DIMS && free_axis < 0; i++)
        if (shape.dim[i] == -1) free_axis = i, shape.dim[i] = 1;
    if (!shape_good(x.graph, "reshape", shape)) return graph_val(x.graph, -1);
    known = tide_shape_count(shape);
    if (free_axis >= 0) shape.dim[free_axis] = -1;
    if (free_axis >= 0 && known > 0 && count % known == 0) shape.dim[free_axis] = count / known, known = count;
    if (known != count || (free_axis >= 0 && shape.dim[free_axis] < 0))
        return graph_fail(x.graph, TIDE_ESHAPE, "reshape: %s does not have the %" PRId64 " elements of %s",
                          shape_text(a, asked), count, shape_text(b, from));
    if (tide_shape_equal(from, shape)) return x;
    return graph_add(x.graph, OP_RESHAPE, tide_dtype_of(x), shape, &x, 1, NULL);
}

static tide_val permute(tide_val x, const int64_t *order) {
    tide_shape from = tide_shape_of(x), to = from;
    ir_attr attr = { 0 };
    bool same = true;
    for (int i = 0; i < from.ndim; i++) {
        to.dim[i] = from.dim[order[i]];
        attr.start[i] = order[i];
        same &= order[i] == i;
    }
    return same ? x : graph_add(x.graph, OP_PERMUTE, tide_dtype_of(x), to, &x, 1, &attr);
}

tide_val tide_permute(tide_val x, const int *order) {
    if (!operand_good("permute", x)) return graph_val(x.graph, -1);
    int ndim = tide_shape_of(x).ndim;
    if (!order && ndim) return graph_fail(x.graph, TIDE_EINVAL, "permute: there is no order");
    int64_t real[TIDE_MAX_DIMS];
    uint32_t seen = 0;
    for (int i = 0; i < ndim; i++) {
        int axis = axis_resolve(x, order[i], "permute", 0);
        if (axis < 0) return graph_val(x.graph, -1);
        if (seen >> axis & 1) return graph_fail(x.graph, TIDE_ESHAPE, "permute: axis %d is listed twice", axis);
        seen |= 1u << axis;
        real[i] = axis;
    }
    return permute(x, real);
}

tide_val tide_transpose(tide_val x, int axis_a, int axis_b) {
    int a = axis_resolve(x, axis_a, "transpose", 0), b = a < 0 ? -1 : axis_resolve(x, axis_b, "transpose", 0);
    if (b < 0) return graph_val(x.graph, -1);
    int64_t order[TIDE_MAX_DIMS];
    for (int i = 0; i < TIDE_MAX_DIMS; i++) order[i] = i == a ? b : i == b ? a : i;
    return permute(x, order);
}

tide_val tide_broadcast(tide_val x, tide_shape shape) {
    if (!operand_good("broadcast", x) || !shape_good(x.graph, "broadcast", shape)) return graph_val(x.graph, -1);
    tide_shape from = tide_shape_of(x);
    if (tide_shape_equal(from, shape)) return x;
    bool fits = shape.ndim >= from.ndim;
    for (int i = 1; fits && i <= from.ndim; i++) {
        int64_t d = from.dim[from.ndim - i];
        fits = d == shape.dim[shape.ndim - i] || d == 1;
    }
    char a[128], b[128];
    if (!fits)
        return graph_fail(x.graph, TIDE_ESHAPE, "broadcast: %s does not fit %s", shape_text(a, from),
                          shape_text(b, shape));
    return graph_add(x.graph, OP_BROADCAST, tide_dtype_of(x), shape, &x, 1, NULL);
}

/* One axis sliced: elements first, first + step, ... (count of them). */
static tide_val slice(tide_val x, int axis, int64_t first, int64_t count, int64_t step) {
    tide_shape to = tide_shape_of(x);
    if (first == 0 && step == 1 && count == to.dim[axis]) return x;
    ir_attr attr = { 0 };
    for (int i = 0; i < to.ndim; i++) attr.step[i] = 1;
    attr.start[axis] = first, attr.step[axis] = step, to.dim[axis] = count;
    return graph_add(x.graph, OP_SLICE, tide_dtype_of(x), to, &x, 1, &attr);
}

tide_val tide_slice_step(tide_val x, int axis, int64_t start, int64_t stop, int64_t step) {
    int real = axis_resolve(x, axis, "slice", 0);
    if (real < 0) return graph_val(x.graph, -1);
    int64_t size = tide_shape_of(x).dim[real], first = start < 0 ? start + size : start,
            last = stop == TIDE_END ? size : stop < 0 ? stop + size : stop;
    if (first < 0 || last > size || first > last || step < 1)
        return graph_fail(x.graph, TIDE_ESHAPE,
                          "slice: %" PRId64 " to %" PRId64 " step %" PRId64 " is outside an axis of %" PRId64, start,
                          stop, step, size);
    step = MIN2(step, MAX2(size, 1));
    return slice(x, real, first, ceil_div(last - first, step), step);
}

tide_val tide_slice(tide_val x, int axis, int64_t start, int64_t stop) {
    return tide_slice_step(x, axis, start, stop, 1);
}

tide_val tide_flip(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "flip", 0);
    if (real < 0) return graph_val(x.graph, -1);
    int64_t size = tide_shape_of(x).dim[real];
    return size ? slice(x, real, size - 1, size, -1) : x;
}

int unsliced_axis(const ir_node *n, tide_shape part) {
    int axis = -1;
    if (n->op != OP_UNSLICE) return -1;
    for (int i = 0; i < n->shape.ndim; i++) {
        if (n->attr.step[i] != 1) return -1;
        if (part.dim[i] == n->shape.dim[i]) continue;
        if (axis >= 0) return -1;
        axis = i;
    }
    return axis;
}

/* Zeros of shape `to`, with x where `like`'s slice reads. */
static tide_val unslice(tide_val x, tide_shape to, const ir_attr *like) {
    return graph_add(x.graph, OP_UNSLICE, tide_dtype_of(x), to, &x, 1, like);
}

tide_val tide_pad(tide_val x, int axis, int64_t before, int64_t after, double value) {
    int real = axis_resolve(x, axis, "pad", 0);
    if (real < 0) return graph_val(x.graph, -1);
    if (before < 0 || after < 0)
        return graph_fail(x.graph, TIDE_ESHAPE, "pad: %" PRId64 " and %" PRId64 "; both must be at least 0", before,
                          after);
    tide_shape edge = tide_shape_of(x), end = edge;
    edge.dim[real] = before, end.dim[real] = after;
    tide_dtype type = tide_dtype_of(x);
    tide_val parts[3] = { tide_fill(x.graph, type, edge, value), x, tide_fill(x.graph, type, end, value) };
    return tide_concat(x.graph, (tide_list){ parts, 3 }, real);
}

static bool concat_fits(tide_val first, tide_val part, int axis) {
    if (!val_good(part) || tide_dtype_of(part) != tide_dtype_of(first)) return false;
    tide_shape a = tide_shape_of(first), b = tide_shape_of(part);
    bool fits = a.ndim == b.ndim;
    for (int i = 0; fits && i < a.ndim; i++) fits = i == axis || a.dim[i] == b.dim[i];
    return fits;
}

static tide_val no_memory(tide_graph *g) {
    return graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
}

/* Of parts that are values of g: those with elements go to `kept`. */
static tide_val concat(tide_graph *g, tide_list parts, int axis, tide_val *kept) {
    int32_t count = 0;
    tide_shape shape = tide_shape_of(parts.items[0]);
    shape.dim[axis] = 0;
    for (int64_t i = 0; i < parts.count; i++) {
        if (!concat_fits(parts.items[0], parts.items[i], axis))
            return graph_fail(g, TIDE_ESHAPE,
                              "concat: part %d differs from the first in type or in an axis other than %d", (int)i,
                              axis);
        int64_t size = tide_shape_of(parts.items[i]).dim[axis];
        shape.dim[axis] += size;
        if (size) kept[count++] = parts.items[i];
    }
    if (count == 0) return parts.items[0];
    ir_attr attr = { .axis = axis };
    return count == 1 ? kept[0] : graph_add(g, OP_CONCAT, tide_dtype_of(kept[0]), shape, kept, count, &attr);
}

tide_val tide_concat(tide_graph *g, tide_list parts, int axis) {
    if (!list_good(g, "concat", parts) || !operands_good("concat", parts.items, parts.count)) return graph_val(g, -1);
    if (parts.count < 1) return graph_fail(g, TIDE_ESHAPE, "concat: there is nothing to join");
    int real = axis_resolve(parts.items[0], axis, "concat", 0);
    if (real < 0) return graph_val(g, -1);
    size_t bytes = (size_t)parts.count * sizeof(tide_val);
    tide_val *kept = mem_new(&g->allocator, bytes), joined = kept ? concat(g, parts, real, kept) : no_memory(g);
    mem_free(&g->allocator, kept, bytes);
    return joined;
}

tide_val tide_stack(tide_graph *g, tide_list parts, int axis) {
    if (!list_good(g, "stack", parts)) return graph_val(g, -1);
    if (parts.count < 1) return graph_fail(g, TIDE_EINVAL, "stack: there is nothing to stack");
    size_t bytes = (size_t)parts.count * sizeof(tide_val);
    tide_val *items = mem_new(&g->allocator, bytes);
    if (!items) return no_memory(g);
    for (int64_t i = 0; i < parts.count; i++) items[i] = tide_expand_dims(parts.items[i], axis);
    tide_val stacked = tide_concat(g, (tide_list){ items, parts.count }, axis);
    mem_free(&g->allocator, items, bytes);
    return stacked;
}

/* The parts of x, of the given sizes or (NULL) all of one, without the axis if `squeeze`. */
static tide_list split(tide_val x, int axis, const int64_t *sizes, int64_t count, bool squeeze) {
    tide_graph *g = x.graph;
    tide_val *parts = arena_new(&g->memory, tide_val, MAX2(count, 1));
    if (!parts) return no_memory(g), (tide_list){ 0 };
    int64_t at = 0, whole = tide_shape_of(x).dim[axis];
    for (int64_t i = 0; i < count; i++) {
        int64_t size = sizes ? sizes[i] : whole / count;
        parts[i] = slice(x, axis, at, size, 1);
        if (squeeze) parts[i] = tide_squeeze(parts[i], axis);
        at += size;
    }
    return (tide_list){ parts, count };
}

tide_list tide_split(tide_val x, int axis, int64_t parts) {
    int real = axis_resolve(x, axis, "split", 0);
    if (real < 0) return (tide_list){ 0 };
    int64_t size = tide_shape_of(x).dim[real];
    if (parts >= 1 && parts <= INT32_MAX && size % parts == 0) return split(x, real, NULL, parts, false);
    graph_fail(x.graph, TIDE_ESHAPE, "split: an axis of %" PRId64 " does not fall into %" PRId64 " equal parts", size,
               parts);
    return (tide_list){ 0 };
}

tide_list tide_split_sizes(tide_val x, int axis, const int64_t *sizes, int64_t count) {
    int real = axis_resolve(x, axis, "split", 0);
    if (real < 0) return (tide_list){ 0 };
    int64_t size = tide_shape_of(x).dim[real], left = size;
    bool good = sizes && count >= 1 && count <= INT32_MAX;
    for (int64_t i = 0; good && i < count; i++) good = sizes[i] >= 0 && sizes[i] <= left, left -= good ? sizes[i] : 0;
    if (good && left == 0) return split(x, real, sizes, count, false);
    graph_fail(x.graph, TIDE_ESHAPE, "split: the sizes are not those of parts of an axis of %" PRId64, size);
    return (tide_list){ 0 };
}

tide_list tide_unstack(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "unstack", 0);
    if (real < 0) return (tide_list){ 0 };
    int64_t size = tide_shape_of(x).dim[real];
    if (size <= INT32_MAX) return split(x, real, NULL, size, true);
    graph_fail(x.graph, TIDE_ESHAPE, "unstack: an axis of %" PRId64 " is too long", size);
    return (tide_list){ 0 };
}

tide_val tide_expand_dims(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "expand_dims", 1);
    if (real < 0) return graph_val(x.graph, -1);
    tide_shape from = tide_shape_of(x), to = { .ndim = from.ndim + 1 };
    if (to.ndim > TIDE_MAX_DIMS)
        return graph_fail(x.graph, TIDE_ESHAPE, "expand_dims: more than %d axes", TIDE_MAX_DIMS);
    for (int i = 0; i < to.ndim; i++) to.dim[i] = i == real ? 1 : from.dim[i - (i > real)];
    return tide_reshape(x, to);
}

tide_val tide_squeeze(tide_val x, int axis) {
    int real = axis_resolve(x, axis, "squeeze", 0);
    if (real < 0) return graph_val(x.graph, -1);
    tide_shape from = tide_shape_of(x), to = { .ndim = from.ndim - 1 };
    if (from.dim[real] != 1)
        return graph_fail(x.graph, TIDE_ESHAPE, "squeeze: axis %d has %" PRId64 " elements, not 1", axis,
                          from.dim[real]);
    for (int i = 0; i < to.ndim; i++) to.dim[i] = from.dim[i + (i >= real)];
    return tide_reshape(x, to);
}

/* ---- derivatives ---- */

void vjp_reshape(tide_val node, tide_val dy, tide_val *dx) {
    dx[0] = tide_reshape(dy, tide_shape_of(node_input(node, 0)));
}

void vjp_permute(tide_val node, tide_val dy, tide_val *dx) {
    int64_t inverse[TIDE_MAX_DIMS];
    for (int i = 0; i < tide_shape_of(node).ndim; i++) inverse[graph_node(node)->attr.start[i]] = i;
    dx[0] = permute(dy, inverse);
}

void vjp_broadcast(tide_val node, tide_val dy, tide_val *dx) { dx[0] = sum_to(dy, tide_shape_of(node_input(node, 0))); }

void vjp_slice(tide_val node, tide_val dy, tide_val *dx) {
    dx[0] = unslice(dy, tide_shape_of(node_input(node, 0)), &graph_node(node)->attr);
}

void vjp_unslice(tide_val node, tide_val dy, tide_val *dx) {
    tide_val x = node_input(node, 0);
    dx[0] = graph_add(x.graph, OP_SLICE, tide_dtype_of(x), tide_shape_of(x), &dy, 1, &graph_node(node)->attr);
}

void vjp_concat(tide_val node, tide_val dy, tide_val *dx) {
    const ir_node *n = graph_node(node);
    int64_t at = 0;
    for (int32_t i = 0; i < n->n_in; i++) {
        int64_t size = tide_shape_of(node_input(node, i)).dim[n->attr.axis];
        dx[i] = slice(dy, n->attr.axis, at, size, 1);
        at += size;
    }
}
