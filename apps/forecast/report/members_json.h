#ifndef FORECAST_MEMBERS_JSON_H
#define FORECAST_MEMBERS_JSON_H

#include <jansson.h>
#include <tidemill/forecast.h>

/* Who carries what of an ensemble, for run.json and results. NULL: out of memory. */
json_t *members_json(const forecast_member *members, int64_t count);

#endif
