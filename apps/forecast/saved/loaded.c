/* The run that is named, and files read the way its training file was: the series, and what is known ahead. */
#include "loaded.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/data/frame_reading.h"
#include "forecast/fit/run_folder.h"

tide_status loaded_path(const char *run, char *path, tide_failure *failure) {
    struct stat s;
    if (!*run)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "model",
                       "no run is given: `model` RUN, the folder that train made");
    if (stat(run, &s) == 0 && S_ISREG(s.st_mode)) snprintf(path, FOLDER_PATH, "%s", run);
    else folder_file(run, "model.safetensors", path);
    if (stat(path, &s) == 0) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, path, 0, "model", "%s holds no trained model: give the folder that train made",
                   run);
}

tide_status loaded_bundle(const forecast_options *o, bundle *out, char *path, tide_failure *failure) {
    tide_status status = loaded_path(o->model, path, failure);
    return status == TIDE_OK ? bundle_read(path, out, failure) : status;
}

tide_status bundle_sizes(const char *path, model_config *out, tide_failure *failure) {
    bundle      b      = { 0 };
    tide_status status = bundle_read(path, &b, failure);
    *out = b.config;
    bundle_free(&b);
    return status;
}

static tide_status check_ignored(const forecast_options *o, const bundle *b, tide_failure *failure) {
    for (int64_t i = 0; i < b->config.columns; i++)
        if (list_has_column(o->ignore, o->categorical, b->names[i]))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "ignore", "`ignore` leaves out '%.100s', which the model "
                                                                    "needs: columns that it does not know are ignored "
                                                                    "anyway",
                           b->names[i]);
    return TIDE_OK;
}

static tide_status check_step(const forecast_options *o, const bundle *b, const dataset *d, tide_failure *failure) {
    const time_step *now = &d->frame.step;
    bool same = step_same(*now, b->step) && (*o->freq || !b->step.sessions || now->sessions == b->step.sessions);
    if (!b->step.unit || !now->unit || same) return TIDE_OK;
    char was[STEP_TEXT], is[STEP_TEXT];
    step_print(was, b->step);
    step_print(is, *now);
    return fail_at(failure, TIDE_EDATA, o->data, 0, NULL,
                   "the step of its rows is %s, that of the run %s: a model forecasts only the frequency it was "
                   "trained on",
                   is, was);
}

bool dataset_adopt(dataset *d, const bundle *b) {
    size_t bytes = (size_t)b->config.columns * sizeof *d->blind;
    d->mark_step = b->mark_step, d->mark_count = b->config.marks;
    d->out_first = b->config.out_first, d->out_count = b->config.out_count, d->known = b->config.known;
    if (b->blind && (d->blind = malloc(bytes + 1))) memcpy(d->blind, b->blind, bytes);
    return scaler_copy(&b->scaler, &d->scaler) && statics_copy(&b->statics, &d->statics) && (!b->blind || d->blind);
}

/* As the run's training file was read, unless something else is given; of these columns, or without names of all.
 * `rows`: in place of the file at `path`; NULL: none are. */
static tide_status read_as_run(const forecast_options *o, const char *path, const tide_frame *rows, const bundle *b,
                               forecast_kind kind, run_columns run, dataset *d, tide_failure *failure) {
    forecast_options *as = malloc(sizeof *as);
    if (!as) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    *as          = *o;
    as->features = FORECAST_M;
    as->seq_len  = b->config.seq_len;
    *as->target = *as->columns = *as->targets = *as->known = *as->holidays = 0;
    reading_options_adopt(b->reading, as);
    if (path != o->data) { /* the future: what it lacks is said of its own rows */
        snprintf(as->data, sizeof as->data, "%s", path);
        as->missing = FORECAST_MISSING_MASK, *as->ignore = 0;
    }
    if (!as->date_order && (b->format.shape == DATE_DMY || b->format.shape == DATE_MDY))
        as->date_order = b->format.shape;
    tide_status status = run.names ? check_ignored(as, b, failure) : TIDE_OK;
    if (status == TIDE_OK)
        status = rows ? dataset_read_frame(as, kind, &run, rows, d, failure)
                      : dataset_read(as, kind, &run, d, failure);
    free(as);
    if (status != TIDE_OK || !run.names) return status;
    return frame_select(&d->frame, path, run.names, run.count, failure);
}

tide_status loaded_columns(const forecast_options *o, const bundle *b, forecast_kind kind, dataset *d,
                           tide_failure *failure) {
    return read_as_run(o, o->data, NULL, b, kind,
                       (run_columns){ b->time_name ? b->time_name : "", NULL, 0, &b->step }, d, failure);
}

tide_status loaded_future(const forecast_options *o, const bundle *b, frame *out, tide_failure *failure) {
    dataset d     = { 0 };
    int64_t first = b->config.columns - b->config.known;
    int64_t count = b->config.known - b->issued_columns - b->holiday_columns;
    tide_status status = read_as_run(o, o->future, NULL, b, FORECAST_CUSTOM,
                                     (run_columns){ b->time_name ? b->time_name : "", b->names + first, count,
                                                    &b->step }, &d, failure);
    *out    = d.frame;
    d.frame = (frame){ 0 };
    dataset_free(&d);
    return status;
}

tide_status loaded_holidays(const forecast_options *o, const bundle *b, dataset *d, tide_failure *failure) {
    d->holiday_columns = b->holiday_columns;
    if (*o->holidays && !b->holiday_columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "holidays",
                       "the run knows no holidays: `holidays` in training makes inputs of them");
    if (*o->holidays) return holidays_read(o->holidays, (date_shape)o->date_order, &d->holidays, failure);
    return holidays_copy(&b->holidays, &d->holidays) ? TIDE_OK
                                                     : fail(failure, TIDE_ENOMEM, "out of memory for the holidays");
}

/* By the options that the run's own file was read with. */
static tide_status read_issued(const forecast_options *o, const bundle *b, bool append, dataset *d,
                               tide_failure *failure) {
    char *const *names = b->names + b->config.columns - b->holiday_columns - b->issued_columns;
    char         list[200];
    names_list(list, sizeof list, names, b->issued_columns);
    if (*o->issued && !b->issued_columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "issued",
                       "the run does not go by forecasts of others: `issued` in training makes inputs of them");
    if (!*o->issued && b->issued_columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "issued",
                       "the model goes by forecasts of others: `issued` FILE with what was issued of %s", list);
    if (!b->issued_columns) return TIDE_OK;
    forecast_options *as = malloc(sizeof *as);
    if (!as) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    *as = *o;
    reading_options_adopt(b->reading, as);
    tide_status status = append ? dataset_add_issued(as, names, b->issued_columns, d, failure)
                                : dataset_read_issued(as, names, b->issued_columns, d, failure);
    d->issued_columns = b->issued_columns;
    free(as);
    return status;
}

tide_status loaded_issued(const forecast_options *o, const bundle *b, dataset *d, tide_failure *failure) {
    return read_issued(o, b, false, d, failure);
}

static tide_status append_holidays(const bundle *b, dataset *d, tide_failure *failure) {
    frame *f = &d->frame;
    if (!b->holiday_columns) return TIDE_OK;
    if (!f->time) return fail_at(failure, TIDE_EDATA, f->path, 1, NULL, "holidays go by time stamps: there are none");
    char *const *names = b->names + b->config.columns - b->holiday_columns;
    if (holidays_append(&d->holidays, names, b->holiday_columns, f)) return TIDE_OK;
    return fail(failure, TIDE_ENOMEM, "out of memory for the holidays");
}

tide_status loaded_data(const forecast_options *o, const bundle *b, forecast_kind kind, const tide_frame *rows,
                        dataset *d, tide_failure *failure) {
    const run_columns run = { b->time_name ? b->time_name : "", b->names,
                              b->config.columns - b->issued_columns - b->holiday_columns, &b->step };
    tide_status status = read_as_run(o, o->data, rows, b, kind, run, d, failure);
    if (status == TIDE_OK) status = read_issued(o, b, true, d, failure);
    if (status == TIDE_OK) status = loaded_holidays(o, b, d, failure);
    if (status == TIDE_OK) status = append_holidays(b, d, failure);
    if (status == TIDE_OK) status = check_step(o, b, d, failure);
    if (status == TIDE_OK && b->config.marks && !d->frame.time)
        status = fail_at(failure, TIDE_EDATA, o->data, 1, NULL, "the model needs time stamps, and no column holds any");
    if (status == TIDE_OK && !dataset_adopt(d, b))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the series");
    if (status == TIDE_OK) status = dataset_take_ahead(d, b->config.pred_len, failure);
    return status == TIDE_OK ? dataset_tabulate_issued(d, b->config.pred_len, failure) : status;
}
