/* A measured spectrum as features take it. */
#ifndef EIS_PREDICTOR_POINTS_H
#define EIS_PREDICTOR_POINTS_H

#include "eis/circuit/recipe.h"

/* Frequencies falling, at most SAMPLE_MOST of them. */
typedef struct spectrum_points {
    int64_t count;
    double freq_hz[SAMPLE_MOST];
    eis_z z[SAMPLE_MOST];
} spectrum_points;

/* Points that are not 0 once `offset_ohm` is taken off; of more than the features take as many, even in number.
 * TIDE_EDATA: there are fewer than 5. */
tide_status spectrum_take(const eis_spectrum *s, double offset_ohm, spectrum_points *out, tide_failure *failure);

#endif
