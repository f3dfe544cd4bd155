#include "instance.h"

instance_scale instance_scale_of(tide_val series, tide_val gaps, tide_val *centred) {
    tide_val mean, variance;
    if (!gaps.graph) {
        mean     = tide_mean(series, TIDE_AXES_KEEP(2));
        *centred = tide_sub(series, mean);
        variance = tide_mean(tide_square(*centred), TIDE_AXES_KEEP(2));
    } else {
        tide_val one = tide_scalar(series.graph, 1), observed = tide_sub(one, gaps);
        tide_val values = tide_sum(observed, TIDE_AXES_KEEP(2)), count = tide_maximum(values, one);
        mean     = tide_div(tide_sum(tide_mul(series, observed), TIDE_AXES_KEEP(2)), count);
        *centred = tide_sub(series, mean);
        variance = tide_div(tide_sum(tide_mul(tide_square(*centred), observed), TIDE_AXES_KEEP(2)), count);
        variance = tide_where(tide_gt_scalar(values, 0), variance, one);
    }
    return (instance_scale){ mean, tide_sqrt(tide_add_scalar(variance, NORM_EPS)) };
}
