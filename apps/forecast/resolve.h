/* Options as given become options to run with. */
#ifndef FORECAST_RESOLVE_H
#define FORECAST_RESOLVE_H

#include <tidemill/forecast.h>

#include "scoring.h"

/* Copies `given`, applies its preset and --compat, and refuses what contradicts itself (TIDE_EINVAL). */
tide_status options_resolve(const forecast_options *given, forecast_options *out, unsigned *compat, tide_failure *failure);

/* Each line of a frame's warnings as a warning. */
void tell_warnings(const listener *l, const frame *f);

#endif
