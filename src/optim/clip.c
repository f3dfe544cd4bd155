#include "../../include/tidemill/optim.h"

#include <stdlib.h>

#include "../base/base.h"

tide_val tide_global_norm(tide_list values) {
    tide_val total = { NULL, -1, 0 };
    if (!list_readable(values)) return total;
    for (int64_t i = 0; i < values.count; i++) {
        tide_val sum = tide_sum(tide_square(values.items[i]), TIDE_ALL);
        if (tide_dtype_of(sum) != TIDE_F32) sum = tide_cast(sum, TIDE_F32);
        total = i ? tide_add(total, sum) : sum;
    }
    return tide_sqrt(total);
}

tide_list tide_clip_norm(tide_list gradients, double max_norm) {
    if (!list_readable(gradients)) return (tide_list){ 0 };
    if (gradients.count < 1) return gradients;
    tide_graph *g      = list_graph(gradients);
    if (!(max_norm >= 0)) tide_poison(g, TIDE_EINVAL, "clip_norm: the norm must be at least 0");
    tide_val    ratio  = tide_div(tide_scalar(g, max_norm), tide_add_scalar(tide_global_norm(gradients), 1e-6));
    tide_val    factor = tide_minimum(ratio, tide_scalar(g, 1));
    tide_val   *scaled = calloc((size_t)gradients.count, sizeof *scaled);
    if (!scaled) {
        tide_poison(g, TIDE_ENOMEM, "out of memory for clipped gradients");
        return gradients;
    }
    for (int64_t i = 0; i < gradients.count; i++) {
        tide_dtype type = tide_dtype_of(gradients.items[i]);
        scaled[i]       = tide_mul(gradients.items[i], type == TIDE_F32 ? factor : tide_cast(factor, type));
    }
    tide_list list = tide_list_new(g, scaled, gradients.count);
    free(scaled);
    return list.count ? list : gradients;
}
