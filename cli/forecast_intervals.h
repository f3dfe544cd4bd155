#ifndef CLI_FORECAST_INTERVALS_H
#define CLI_FORECAST_INTERVALS_H

#include <stdio.h>
#include <tidemill/forecast.h>

/* Measured coverage beside the nominal one, of the model and of the naive forecast; nothing where none was measured. */
void put_intervals(FILE *out, const forecast_result *r);
/* The same of sums. */
void put_sums(FILE *out, const forecast_result *r);

#endif
