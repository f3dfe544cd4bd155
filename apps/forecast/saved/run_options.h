/* The options that a run was trained with, from its run.json. */
#ifndef FORECAST_RUN_OPTIONS_H
#define FORECAST_RUN_OPTIONS_H

#include <jansson.h>
#include <tidemill/forecast.h>

/* The folder's run.json, which holds options. */
tide_status run_options_read(const char *run, json_t **out, tide_failure *failure);

/* Those that were not given become the run's, and count as given; what this version does not know is left out, as are
 * limits of the machine's memory and sizes by its advice. */
tide_status run_options_take(const json_t *run, forecast_options *o, tide_failure *failure);

/* The option of this name alone; nothing where it is given, or the run does not tell. */
tide_status run_option_take(const json_t *run, const char *name, forecast_options *o, tide_failure *failure);

#endif
