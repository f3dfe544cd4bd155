/* A density that is sampled: its bounds, its logarithm, its draws. */
#ifndef EIS_FIT_TARGET_H
#define EIS_FIT_TARGET_H

#include <math.h>

#include "eis/circuit/rng.h"
#include "eis/posterior/sampler.h"
#include "problem.h"

typedef struct target {
    int count; /* coordinates */
    const double *low, *high; /* finite */
    double (*log_density)(const void *user, const double *y); /* within the bounds; NaN counts as none */
    const void *user;
    const stopper *stop;
} target;

typedef struct sampled {
    double y[PARAMETERS_MOST], log_density, weight;
} sampled;

enum { STREAM_POSTERIOR = 22 }; /* and the one after it: a stream a chain */

/* -infinity outside the bounds. */
static inline double target_at(const target *t, const double *y) {
    for (int k = 0; k < t->count; k++)
        if (!(y[k] >= t->low[k] && y[k] <= t->high[k])) return -INFINITY;
    double value = t->log_density(t->user, y);
    return isnan(value) ? -INFINITY : value;
}

#endif
