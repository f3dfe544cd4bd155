/* The page of forecast backtest. */
#ifndef CLI_FORECAST_BACKTEST_H
#define CLI_FORECAST_BACKTEST_H

#include <stdio.h>

#include <tidemill/backtest.h>

void forecast_backtest_put(FILE *out, const forecast_result *r);

#endif
