/* A run, and the file that it is tested on. */
#ifndef FORECAST_TESTED_H
#define FORECAST_TESTED_H

#include "forecast/saved/handle.h"

/* Opens the run o->model and reads o->data as its training file was read, split as that was where nothing else is
 * given, scaled by the run and laid on the model's graph. `o` takes what the run fixes, and may not contradict it.
 * `path` (FOLDER_PATH bytes) receives the model's name; *run and *data are the caller's, also after a failure. */
tide_status tested_load(forecast_options *o, char *path, forecast_model **run, dataset *data, tide_failure *failure);

#endif
