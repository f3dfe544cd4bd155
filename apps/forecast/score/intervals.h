/* What prediction intervals are worth: coverage, width and interval score of the test windows, added up as they are
 * forecast. */
#ifndef FORECAST_INTERVALS_H
#define FORECAST_INTERVALS_H

#include <tidemill/forecast.h>

#include "conformal.h"

typedef struct interval_scores interval_scores;

/* Of one forecaster over so many windows that follow each other by a row, whose `scale` (windows, columns) is borrowed.
 * `levels` in percent, ascending. NULL: out of memory. */
interval_scores *intervals_new(const band_tables *b, int forecaster, int64_t windows, int64_t apart, const float *scale,
                               const double *levels, int64_t level_count);
/* In original units. NaN truths are left out. */
void intervals_add(interval_scores *s, int64_t at, int64_t count, const seen_windows *seen);
/* Fills what forecast_intervals says; its memory is the result's. false: out of memory. */
bool intervals_result(const interval_scores *s, forecast_intervals *out);
void intervals_free(interval_scores *s);  /* NULL is fine */

#endif
