/* Attention in words: what its tokens are called, and why a network has none. */
#ifndef FORECAST_ATTENDED_H
#define FORECAST_ATTENDED_H

#include <tidemill/explain.h>

#include "forecast/data/frame.h"
#include "forecast/models/forecaster.h"

enum { ATTENDED_TOKENS = 2048 };  /* of more there is no map: nobody could read it */

/* Zeros of a layer (from 0), tokens named: patches by their rows, else inputs, time features before what is known
 * ahead. `columns`: the model's, `step` that of its time features. False: out of memory; attended_free either way. */
bool attended_new(const forecaster *part, char *const *columns, time_step step, int64_t layer, forecast_attention *out);
void attended_free(forecast_attention *a);

/* In a sentence, where none of the parts of a network has a map. */
void attended_none(const forecaster *const *part, int parts, char *note, size_t size);

#endif
