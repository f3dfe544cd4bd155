/* How far recent values of a column have moved from those of training, measured by effect, not by p-values: values of a
 * series come in runs, so a test for independent ones finds that everything moves. */
#ifndef FORECAST_EXPLAIN_DRIFT_H
#define FORECAST_EXPLAIN_DRIFT_H

#include <tidemill/explain.h>

/* Values in the order of time, NaN where one is missing. Fills all of `out` but its column. false: out of memory. */
bool drift_compare(const double *before, int64_t before_rows, const double *now, int64_t now_rows,
                   forecast_drift *out);

/* "its level and its range", of the bits of forecast_drift.moved. */
enum { DRIFT_WORDS = 96 };
const char *drift_words(unsigned moved, char out[DRIFT_WORDS]);

#endif
