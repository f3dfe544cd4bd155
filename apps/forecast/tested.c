#include "tested.h"

#include <inttypes.h>

#include "base/base.h"
#include "forecast/fit/run_folder.h"
#include "train/device.h"

/* Columns are the run's: asking for others would be silently in vain. */
static tide_status refuse_columns(const forecast_options *o, tide_failure *failure) {
    static const char *const names[] = { "features", "target", "columns", "targets", "known", "without-history",
                                         "categorical" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (forecast_option_given(o, names[i]))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, names[i], "`%s` is fixed by the run of `model`: leave it out",
                           names[i]);
    return TIDE_OK;
}

/* What the run fixes, the options may repeat but not contradict. */
static tide_status adopt(forecast_options *o, const bundle *b, tide_failure *failure) {
    const model_config *c = &b->config;
    const struct {
        const char *name;
        int64_t    *value, run;
    } fixed[] = { { "seq-len", &o->seq_len, c->seq_len }, { "pred-len", &o->pred_len, c->pred_len } };
    for (int i = 0; i < 2; i++) {
        if (forecast_option_given(o, fixed[i].name) && *fixed[i].value != fixed[i].run)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, fixed[i].name, "`%s` %" PRId64 " is not the run's, %" PRId64,
                           fixed[i].name, *fixed[i].value, fixed[i].run);
        *fixed[i].value = fixed[i].run;
    }
    if (!forecast_option_given(o, "kind")) o->kind = b->kind;
    const split_sizes *sizes = &b->record.sizes;
    if (o->val == 0 && o->test == 0 && o->kind == b->kind) o->val = sizes->val, o->test = sizes->test;
    if (!forecast_option_given(o, "origins")) memcpy(o->origins, b->record.origins, sizeof o->origins);
    return refuse_columns(o, failure);
}

/* An `auto` is settled by what scoring takes at once. */
static tide_status settle_device(forecast_options *o, const char *path, tide_failure *failure) {
    model_config c;
    if (!train_device_open(o->device)) return TIDE_OK;
    tide_status status = bundle_sizes(path, &c, failure);
    if (status != TIDE_OK) return status;
    train_device_of_run(o->device, o->model, session_batch(&c, INT64_MAX), o->device);
    return TIDE_OK;
}

static tide_status read_data(const forecast_options *o, const bundle *b, const tide_frame *rows, dataset *d,
                             tide_failure *failure) {
    frame_kind  kind   = (frame_kind)o->kind;
    tide_status status = loaded_data(o, b, (forecast_kind)o->kind, rows, d, failure);
    if (status == TIDE_OK)
        status = split_sized(&d->frame, kind, (split_sizes){ o->val, o->test }, o->seq_len, o->pred_len, &d->split,
                             failure);
    if (status == TIDE_OK) status = split_require(&d->frame, kind, d->split, o->seq_len, o->pred_len, failure);
    return status == TIDE_OK ? dataset_scale(d, d->frame.rows, failure) : status;
}

static tide_status open_run(forecast_options *o, char *path, forecast_model **run, tide_failure *failure) {
    tide_status status = loaded_path(o->model, path, failure);
    if (status == TIDE_OK) status = settle_device(o, path, failure);
    return status == TIDE_OK ? handle_open(o, path, run, failure) : status;
}

tide_status tested_check_memory(const forecast_options *o, const tested_memory *memory, tide_failure *failure) {
    if (memory->model && memory->rows) return tested_check_options(o, failure);
    return fail(failure, TIDE_EINVAL, "there is no %s", memory->model ? "frame" : "model");
}

tide_status tested_check_options(const forecast_options *o, tide_failure *failure) {
    static const char *const files[] = { "model", "data", "output", "static", "other-columns", "save-predictions",
                                         "join" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (forecast_option_given(o, files[i]))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, files[i],
                           "`%s` is of runs and files, and this model and its rows are in memory: leave it out",
                           files[i]);
    return TIDE_OK;
}

tide_status tested_load(forecast_options *o, const tested_memory *memory, char *path, forecast_model **run,
                        dataset *data, tide_failure *failure) {
    tide_status status = memory->model ? forecast_model_clone(memory->model, run, failure)
                                       : open_run(o, path, run, failure);
    if (status == TIDE_OK) status = adopt(o, handle_bundle(*run), failure);
    if (status == TIDE_OK) status = read_data(o, handle_bundle(*run), memory->rows, data, failure);
    return status == TIDE_OK ? session_data(handle_session(*run), data, failure) : status;
}
