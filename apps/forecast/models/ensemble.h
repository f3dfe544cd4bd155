/* The network of `arch` auto: a weighted sum of others. */
#ifndef FORECAST_ENSEMBLE_H
#define FORECAST_ENSEMBLE_H

#include "forecaster.h"

enum { ENSEMBLE_MEMBERS = 6 };  /* every network but itself: forecast_arch from 0 on */

/* The networks of a set, a bit each, in the order of forecast_arch. Returns how many. */
int ensemble_members(unsigned members, int out[ENSEMBLE_MEMBERS]);
/* The sizes of the one of this forecast_arch. */
model_config ensemble_config(const model_config *c, int arch);

/* The networks that `n` consists of: of an ensemble its members, else itself. Returns how many. `weights` (members, out
 * columns) of an ensemble; graph NULL: of no other. */
int ensemble_parts(const forecaster *n, const forecaster *out[ENSEMBLE_MEMBERS], tide_val *weights);

/* What each forecasts, (b, members, out columns, pred_len). `n` is an ensemble. */
tide_val ensemble_forecasts(const forecaster *n, const model_windows *x);

#endif
