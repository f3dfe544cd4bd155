/* Prediction intervals of an export: what the bounds of its levels add to a forecast, as numbers that a file can hold.
 *
 * Of a network of points a bound is the forecast and a number times the scale of the window (conformal.h). Of one with
 * a head it is the forecast and the head's widths, a number times each: along the gaps to one side an error is linear
 * in them, at a score that is known (spread.h). */
#ifndef FORECAST_EXPORT_BOUNDS_H
#define FORECAST_EXPORT_BOUNDS_H

#include "exported.h"

typedef struct export_bounds {
    int64_t levels, terms;  /* terms: 1, or the head's widths */
    double *times;          /* (levels, 2, terms, pred_len, targets): of the lower and the upper bound */
} export_bounds;

/* Of e->levels. TIDE_EINVAL where the model keeps no errors of validation, or none of a column. Free with
 * export_bounds_free, in any case. */
tide_status export_bounds_of(const exported *e, export_bounds *out, tide_failure *failure);
void        export_bounds_free(export_bounds *b);
/* The numbers of one bound and term: (pred_len, targets). */
const double *export_bound(const exported *e, const export_bounds *b, int64_t level, int side, int64_t term);

#endif
