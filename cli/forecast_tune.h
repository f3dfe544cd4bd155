/* The page of forecast tune, above that of the best run. */
#ifndef CLI_FORECAST_TUNE_H
#define CLI_FORECAST_TUNE_H

#include <stdio.h>

#include <tidemill/tune.h>

void forecast_tune_put(FILE *out, const forecast_tune_result *t);
/* What follows the scores: seeds, where the run is, and what trains it again. */
void forecast_tune_put_end(FILE *out, const forecast_result *r);

#endif
