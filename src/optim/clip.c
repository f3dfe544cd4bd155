#include "../../include/tidemill/optim.h"

#include <stdlib.h>

#include "../base/base.h"

/* F64 if any of the values is, else F32: no value is squared in a type narrower than its own, nor in 16 bits. */
static tide_dtype norm_type(tide_list values) {
    for (int64_t i = 0; i < values.count; i++)
        if (tide_dtype_of(values.items[i]) == TIDE_F64) return TIDE_F64;
    return TIDE_F32;
}

tide_val tide_global_norm(tide_list values) {
    tide_val total = { NULL, -1, 0 };
    if (!list_readable(values)) return total;
    tide_dtype type = norm_type(values);
    for (int64_t i = 0; i < values.count; i++) {
        tide_val sum = tide_sum(tide_square(tide_cast(values.items[i], type)), TIDE_ALL);
        total = i ? tide_add(total, sum) : sum;
    }
    return tide_sqrt(total);
}

tide_list tide_clip_norm(tide_list gradients, double max_norm) {
    if (!list_readable(gradients)) return (tide_list){ 0 };
    if (gradients.count < 1) return gradients;
    tide_graph *g    = list_graph(gradients);
    tide_dtype  type = norm_type(gradients);
    if (!(max_norm >= 0)) tide_poison(g, TIDE_EINVAL, "clip_norm: the norm must be at least 0");
    tide_val    ratio =
        tide_div(tide_scalar_of(g, type, max_norm), tide_add_scalar(tide_global_norm(gradients), 1e-6));
    tide_val    factor = tide_minimum(ratio, tide_scalar_of(g, type, 1));
    tide_val   *scaled = calloc((size_t)gradients.count, sizeof *scaled);
    if (!scaled) {
        tide_poison(g, TIDE_ENOMEM, "out of memory for clipped gradients");
        return gradients;
    }
    for (int64_t i = 0; i < gradients.count; i++)
        scaled[i] = tide_mul(gradients.items[i], tide_cast(factor, tide_dtype_of(gradients.items[i])));
    tide_list list = tide_list_new(g, scaled, gradients.count);
    free(scaled);
    return list.count ? list : gradients;
}
