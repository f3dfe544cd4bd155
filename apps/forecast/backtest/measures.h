/* What is said of the errors: errors by column and over all, with intervals. */
#ifndef FORECAST_MEASURES_H
#define FORECAST_MEASURES_H

#include "forecast/data/frame.h"
#include "error_sums.h"

/* The errors of seasonal naive forecasts one season ahead within rows, where both rows have a value. */
typedef struct naive_errors { double absolute, squared; } naive_errors;  /* means; NaN: there are none */
naive_errors naive_errors_of(const double *column, int64_t rows, int64_t stride, int64_t season);

typedef struct measured {
    const error_sums   *sums;
    bool                present[FORECAST_BY_COUNT];
    const double       *std;      /* (columns): what scaled errors are divided by */
    const naive_errors *naive;    /* (columns) */
    int64_t             block;    /* origins whose forecasts reach over a horizon */
} measured;
/* Fills of, by_column but for its names, block, samples and third_stop. false: out of memory. */
bool measures_fill(const measured *m, forecast_backtest_result *out);

#endif
