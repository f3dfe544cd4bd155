/* Learning rate by epoch, and the order of the training windows. Plain functions: a resumed run asks again. */
#ifndef FORECAST_SCHEDULE_H
#define FORECAST_SCHEDULE_H

#include <tidemill/forecast.h>

/* The rate of epoch `epoch` (1-based) of `epochs`, from the base rate. The published rules set the rate after an epoch,
 * so most have epochs 1 and 2 at the base rate. */
double schedule_rate(forecast_lradj rule, double base, int64_t epoch, int64_t epochs);

/* 0 .. count-1 in the order of (seed, epoch): Fisher and Yates with Philox. */
void schedule_shuffle(int32_t *order, int64_t count, uint64_t seed, int64_t epoch);

#endif
