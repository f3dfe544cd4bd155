/* What reading a file like the training file needs, kept in the run: predict and evaluate do not ask for it again. */
#ifndef FORECAST_READING_OPTIONS_H
#define FORECAST_READING_OPTIONS_H

#include <jansson.h>
#include <tidemill/forecast.h>

#include "frame.h"

/* One string a name, of the options that are not as by default, and of what was found in the file. *out is NULL where
 * there is none, else the caller's. false: out of memory. */
bool    reading_options_json(const forecast_options *o, const frame *f, json_t **out);
/* Are all members options of reading with values they accept? NULL is fine. */
bool    reading_options_sound(const json_t *reading, bool *out_of_memory);
/* Sets those that are not given in `o`. */
void    reading_options_adopt(const json_t *reading, forecast_options *o);

#endif
