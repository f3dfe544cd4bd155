/* What a trained run is, without its parameters (those: handle.h), and a file read the way its training file was. */
#ifndef FORECAST_LOADED_H
#define FORECAST_LOADED_H

#include "bundle.h"
#include "forecast/fit/resolve.h"

/* RUN/model.safetensors, or the file `run` itself; `path` has FOLDER_PATH bytes. */
tide_status loaded_path(const char *run, char *path, tide_failure *failure);

/* The same, read. `path` (FOLDER_PATH bytes) receives its name. */
tide_status loaded_bundle(const forecast_options *o, bundle *out, char *path, tide_failure *failure);

/* Scaler, marks and the columns' roles become the run's. false: out of memory. */
bool dataset_adopt(dataset *d, const bundle *b);

/* The run's columns in options->issued, into d->issues. */
tide_status loaded_issued(const forecast_options *o, const bundle *b, dataset *d, tide_failure *failure);
/* The run's holidays or, in their place, those of options->holidays, into d->holidays. */
tide_status loaded_holidays(const forecast_options *o, const bundle *b, dataset *d, tide_failure *failure);
/* Reads options->data or, unless it is NULL, `rows`; keeps the run's columns in the run's order, and refuses another
 * frequency. The scaler and the marks are the run's. `kind` says how the file is laid out. */
tide_status loaded_data(const forecast_options *o, const bundle *b, forecast_kind kind, const tide_frame *rows,
                        dataset *d, tide_failure *failure);
/* The same of whatever columns the file has; neither scaler nor marks. */
tide_status loaded_columns(const forecast_options *o, const bundle *b, forecast_kind kind, dataset *d,
                           tide_failure *failure);
/* loaded_statics.c: attributes of the bundle's columns from the file options->statics, or else from `own` (NULL: none),
 * in place of those that the run keeps; of other columns than the run's there must be some. And what is to be told of
 * them. */
tide_status loaded_statics(const forecast_options *o, bundle *b, const static_table *own, tide_failure *failure);
void        loaded_statics_tell(const bundle *b, const listener *l);
/* Reads options->future: the run's columns that are known ahead and no holidays, in their order. Gaps stay. */
tide_status loaded_future(const forecast_options *o, const bundle *b, frame *out, tide_failure *failure);

#endif
