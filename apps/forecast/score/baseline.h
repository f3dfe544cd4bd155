/* What the baselines share inside; users see score.h. */
#ifndef FORECAST_BASELINE_H
#define FORECAST_BASELINE_H

#include "score.h"

struct baseline {
    int64_t season;              /* rows that repeat; 1: the last value */
    float  *weights;             /* (seq_len + 1, pred_len), the last row the intercept; NULL: not a linear one */
    int64_t seq_len, pred_len;   /* of the weights */
};

/* Mean and standard deviation of `count` values that lie `stride` apart, as the model's instance normalisation has
 * them: biased variance, 1e-5 added inside the root. */
typedef struct window_scale { double mean, std; } window_scale;
window_scale window_scale_of(const float *values, int64_t count, int64_t stride);

#endif
