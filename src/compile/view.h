/* Strided views of buffers, and the algebra that turns reshape, permute, broadcast and slice into them. */
#ifndef TIDE_VIEW_H
#define TIDE_VIEW_H

#include "pass.h"

typedef struct view {
    bool       valid;
    int32_t    buffer;
    tide_dtype type;
    int64_t    offset;  /* elements */
    int32_t    ndim;
    int64_t    dim[TIDE_MAX_DIMS], stride[TIDE_MAX_DIMS];
} view;

view    view_contiguous(int32_t buffer, tide_dtype type, tide_shape shape);
bool    view_is_contiguous(const view *v);
int64_t view_count(const view *v);
view    view_permuted(const view *v, const int64_t *order);
view    view_broadcast(const view *v, tide_shape to);
view    view_sliced(const view *v, tide_shape to, const ir_attr *attr);
/* False if the elements cannot be seen in the new shape without a copy. */
bool    view_reshaped(const view *v, tide_shape to, view *out);
/* The same elements in the same order with as few dimensions as possible; a scalar has none. */
view    view_merged(const view *v);

#endif
