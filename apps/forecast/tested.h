/* A run or a model in memory, and the file or frame that it is tested on. */
#ifndef FORECAST_TESTED_H
#define FORECAST_TESTED_H

#include "forecast/saved/handle.h"

/* What the options name otherwise: a model, and rows for it. Zero: the run o->model and the file o->data. */
typedef struct tested_memory {
    const forecast_model *model;
    const tide_frame     *rows;
} tested_memory;

/* Opens the run o->model and reads o->data as its training file was read, or takes a clone of memory->model and
 * memory->rows; split as that was where nothing else is given, scaled by the run and laid on the model's graph. `o`
 * takes what the run fixes, and may not contradict it. `path` (FOLDER_PATH bytes) receives the model's name; *run and
 * *data are the caller's, also after a failure. */
tide_status tested_load(forecast_options *o, const tested_memory *memory, char *path, forecast_model **run,
                        dataset *data, tide_failure *failure);
/* What a call that has both needs, before anything else; and alone, that no option names a run or a file of ours. */
tide_status tested_check_memory(const forecast_options *o, const tested_memory *memory, tide_failure *failure);
tide_status tested_check_options(const forecast_options *o, tide_failure *failure);

#endif
