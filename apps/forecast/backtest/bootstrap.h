/* The moving-block bootstrap (Kuensch 1989) over a sequence whose neighbours depend on each other, such as forecasts
 * whose horizons overlap: blocks of neighbours are drawn, with the same random numbers every time. */
#ifndef FORECAST_BOOTSTRAP_H
#define FORECAST_BOOTSTRAP_H

#include <stdbool.h>
#include <stdint.h>

enum { BOOTSTRAP_SAMPLES = 1000 };

/* values (count, streams) to sums (BOOTSTRAP_SAMPLES, streams) over `count` places drawn in blocks of `block` <= count.
 * false: out of memory. */
bool bootstrap_sums(const double *values, int64_t count, int64_t streams, int64_t block, double *sums);

/* The 2.5 and 97.5 % quantiles of a statistic of the samples, which are put in order. NaN where one of them is. */
typedef struct bootstrap_bounds { double low, high; } bootstrap_bounds;
bootstrap_bounds bootstrap_interval(double samples[BOOTSTRAP_SAMPLES]);

#endif
