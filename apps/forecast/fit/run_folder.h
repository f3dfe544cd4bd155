/* The forecaster's run: its folder, run.json and metrics.csv (train/run.h). */
#ifndef FORECAST_RUN_FOLDER_H
#define FORECAST_RUN_FOLDER_H

#include <jansson.h>
#include <tidemill/forecast.h>

#include "forecast/data/dataset.h"
#include "train/run.h"

/* The folder asked for (--out, else runs/DATE-NAME), opened; what an earlier run left is cleared unless it is gone on
 * with, and run.json is written, with what the graph's programs have chosen by timing, or checked: other options or
 * data are TIDE_EINVAL, naming the first difference. `device_choice`: why this device; "": it was named. `from`: the
 * model file whose parameters are the first ones, and its check sum; path "": none. */
typedef struct first_model { char path[FOLDER_PATH], sha256[65]; } first_model;
tide_status forecast_folder_open(const forecast_options *o, const dataset *d, int64_t parameters, const tide_graph *g,
                                 const char *device_choice, const first_model *from, run_folder *r,
                                 tide_failure *failure);

/* {"options": ...} as run.json has them; NULL: out of memory. */
json_t *run_recipe_json(const forecast_options *o);
/* run.json of the folder once more: with what is known of the members of an ensemble; takes over `members`. */
tide_status forecast_folder_tell(const run_folder *r, const forecast_options *o, const dataset *d, int64_t parameters,
                                 const tide_graph *g, json_t *members, tide_failure *failure);
/* Takes away the run in this folder, if there is one. */
tide_status forecast_folder_empty(const char *path, tide_failure *failure);

/* The same for a run that is imported: a new one, whose model is the file options->checkpoint. */
tide_status forecast_folder_import(const forecast_options *o, const dataset *d, int64_t parameters, run_folder *r,
                                   tide_failure *failure);

/* And for one that is another run's model after a few steps more: `steps` says which (NULL when out of memory), and is
 * taken over. */
tide_status forecast_folder_update(const forecast_options *o, const dataset *d, int64_t parameters,
                                   const first_model *from, json_t *steps, run_folder *r, tide_failure *failure);

typedef struct metrics_row { int64_t epoch, step; double lr, train_loss, val_loss, grad_norm; } metrics_row;
/* Every row of metrics.csv; *count rows, malloc'ed. */
tide_status metrics_read(const run_folder *r, metrics_row **rows, int64_t *count, tide_failure *failure);

#endif
