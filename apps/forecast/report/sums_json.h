/* How often intervals of sums held, as JSON. */
#ifndef FORECAST_SUMS_JSON_H
#define FORECAST_SUMS_JSON_H

#include <jansson.h>
#include <tidemill/forecast.h>

/* NULL: none were measured, or out of memory. */
json_t *sums_json(const forecast_sums *s);

#endif
