#ifndef FORECAST_INTERVALS_JSON_H
#define FORECAST_INTERVALS_JSON_H

#include <jansson.h>
#include <tidemill/forecast.h>

/* What the intervals of a result were worth, by forecaster; NULL: none were measured. */
json_t *intervals_json(const forecast_result *r);
void    intervals_free_all(forecast_result *r);

#endif
