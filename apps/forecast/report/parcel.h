/* A result as bytes, for another process of the same program: of what a training fills everything, of the rest
 * (backtest, tune, inputs) nothing. */
#ifndef FORECAST_PARCEL_H
#define FORECAST_PARCEL_H

#include <tidemill/forecast.h>

/* *bytes is malloc'ed. */
tide_status parcel_pack(const forecast_result *r, void **bytes, size_t *size, tide_failure *failure);
/* Into a result whose pointers, but for those three, are NULL. TIDE_EDATA: of another build, or damaged. */
tide_status parcel_unpack(const void *bytes, size_t size, forecast_result *r, tide_failure *failure);

#endif
