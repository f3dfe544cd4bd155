/* Options as given become options to run with. */
#ifndef FORECAST_RESOLVE_H
#define FORECAST_RESOLVE_H

#include <tidemill/forecast.h>

#include "scoring.h"

/* TIDE_EINVAL where options or result are NULL, or an option is neither what its row of the table accepts nor the
 * default. */
tide_status options_sound(const forecast_options *o, tide_failure *failure);
tide_status arguments_sound(const forecast_options *o, const forecast_result *result, tide_failure *failure);

/* Copies `given`, applies its preset, --auto-size and --compat, and refuses what contradicts itself (TIDE_EINVAL). */
tide_status options_resolve(const forecast_options *given, forecast_options *out, unsigned *compat,
                            tide_failure *failure);

/* Sets what was not given to what `tidemill machine` advises here. */
tide_status auto_size(forecast_options *o, tide_failure *failure);

/* What --auto-size chose; without it, a warning of sizes far above the advice, where that is more than an estimate. */
void tell_sizes(const listener *l, const forecast_options *o);

/* Each line of a frame's warnings as a warning. */
void tell_warnings(const listener *l, const frame *f);
void tell_each_line(const listener *l, const char *lines);  /* each as a warning; NULL: none */

#endif
