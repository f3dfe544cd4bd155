/* The forecasts of the baselines, for predict. */
#ifndef FORECAST_USE_H
#define FORECAST_USE_H

#include "bundle.h"

/* What --use asks for, BEST settled; refused where the run lacks what it takes. `run` is its name. */
tide_status use_settle(const forecast_options *o, const bundle *b, forecast_use *out, tide_failure *failure);

/* (pred_len, out columns) in original units, from the look-back in `d` and from `season`, the `season_rows` last rows
 * before the forecast (season_rows, columns). */
tide_status use_forecast(forecast_use use, const bundle *b, const dataset *d, const double *season,
                         int64_t season_rows, double *values,
                         tide_failure *failure);

/* `option` asked for what the run of `o` does not keep. */
tide_status use_not_kept(const forecast_options *o, const char *what, const char *option, tide_failure *failure);

/* Rows of a season: --season, else the run's, else the frequency's; 0: none is known. */
int64_t use_season(const forecast_options *o, const bundle *b);

#endif
