/* Arithmetic of strides: a view is an offset into a buffer with a size and a stride per dimension. Permuting,
 * broadcasting and slicing only change these; a reshape does if the dimensions that it joins or cuts lie in one run. */
#include "view.h"

view view_contiguous(int32_t buffer, tide_dtype type, tide_shape shape) {
    view v = { .valid = true, .buffer = buffer, .type = type, .ndim = shape.ndim };
    int64_t stride = 1;
    for (int i = shape.ndim - 1; i >= 0; i--) {
        v.dim[i] = shape.dim[i];
        v.stride[i] = stride;
        stride *= shape.dim[i];
    }
    return v;
}

int64_t view_count(const view *v) {
    int64_t count = 1;
    for (int i = 0; i < v->ndim; i++) count *= v->dim[i];
    return count;
}

/* Neighbouring dimensions that are one run become one: the fewest dimensions with the same elements in the same
 * order. */
view view_merged(const view *v) {
    view out = *v;
    out.ndim = 0;
    for (int i = 0; i < v->ndim; i++) {
        if (v->dim[i] == 1) continue;
        int last = out.ndim - 1;
        if (last >= 0 && out.stride[last] == v->stride[i] * v->dim[i]) {
            out.dim[last] *= v->dim[i];
            out.stride[last] = v->stride[i];
        } else {
            out.dim[out.ndim] = v->dim[i];
            out.stride[out.ndim++] = v->stride[i];
        }
    }
    return out;
}

bool view_is_contiguous(const view *v) {
    view m = view_merged(v);
    return m.ndim == 0 || (m.ndim == 1 && m.stride[0] == 1);
}

view view_permuted(const view *v, const int64_t *order) {
    view out = *v;
    for (int i = 0; i < v->ndim; i++) {
        out.dim[i] = v->dim[order[i]];
        out.stride[i] = v->stride[order[i]];
    }
    return out;
}

view view_broadcast(const view *v, tide_shape to) {
    view out = *v;
    int shift = to.ndim - v->ndim;
    out.ndim = to.ndim;
    for (int i = 0; i < to.ndim; i++) {
        out.dim[i] = to.dim[i];
        bool spread = i < shift || v->dim[i - shift] != to.dim[i];
        out.stride[i] = spread ? 0 : v->stride[i - shift];
    }
    return out;
}

view view_sliced(const view *v, tide_shape to, const ir_attr *attr) {
    view out = *v;
    for (int i = 0; i < v->ndim; i++) {
        out.offset += attr->start[i] * v->stride[i];
        out.dim[i] = to.dim[i];
        out.stride[i] = v->stride[i] * attr->step[i];
    }
    return out;
}

/* Cuts merged runs from the innermost on; false where a new dimension would lie across two runs. */
bool view_reshaped(const view *v, tide_shape to, view *out) {
    view m = view_merged(v);
    *out = *v;
    out->ndim = to.ndim;
    int at = m.ndim - 1;
    int64_t left = at >= 0 ? m.dim[at] : 1, stride = at >= 0 ? m.stride[at] : 1;
    for (int i = to.ndim - 1; i >= 0; i--) {
        out->dim[i] = to.dim[i];
        if (left == 1 && to.dim[i] != 1 && at > 0) at--, left = m.dim[at], stride = m.stride[at];
        if (to.dim[i] != 0 && left % to.dim[i]) return false;
        out->stride[i] = stride;
        stride *= to.dim[i];
        if (to.dim[i]) left /= to.dim[i];
    }
    return true;
}
