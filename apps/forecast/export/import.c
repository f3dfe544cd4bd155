/* forecast_import: a checkpoint and the series that it was trained on become a run, scored like one trained here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "published.h"
#include "forecast/fit/calibrate.h"
#include "forecast/fit/plan.h"
#include "forecast/fit/resolve.h"
#include "forecast/report/report.h"
#include "forecast/saved/advice.h"
#include "train/device.h"

typedef struct import {
    forecast_options *options;  /* resolved */
    unsigned          compat;
    listener          listener;
    tide_archive      checkpoint;
    model_config      sizes, config;
    dataset           data;
    session           session;
    bundle            bundle;
    run_folder        folder;
    scoring           scoring;
    full_scores       scores;
    error_parts       parts;
} import;

/* ---- sizes and options ---- */

/* The checkpoint decides the sizes: the options may repeat those that they have. */
static tide_status adopt_sizes(import *m, tide_failure *failure) {
    forecast_options   *o = m->options;
    const model_config *s = &m->sizes;
    const struct { const char *name; int64_t *value, own; } sizes[] = {
        { "seq-len", &o->seq_len, s->seq_len }, { "pred-len", &o->pred_len, s->pred_len },
        { "d-model", &o->d_model, s->d_model }, { "d-ff", &o->d_ff, s->d_ff },
        { "e-layers", &o->e_layers, s->e_layers },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (forecast_option_given(o, sizes[i].name) && *sizes[i].value != sizes[i].own)
            return fail_at(failure, TIDE_EINVAL, o->checkpoint, 0, sizes[i].name,
                           "`%s` %" PRId64 " is not the checkpoint's, %" PRId64 ": leave it out", sizes[i].name,
                           *sizes[i].value, sizes[i].own);
        *sizes[i].value = sizes[i].own;
    }
    if (forecast_option_given(o, "n-heads")) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, o->checkpoint, 0, "n-heads",
                   "a checkpoint does not tell how many heads its attention has, and with another number every "
                   "forecast is wrong: `n-heads` N (published ones have 8)");
}

static tide_status take_checkpoint(import *m, tide_failure *failure) {
    forecast_options *o = m->options;
    if (!*o->checkpoint)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "checkpoint", "no checkpoint is given: `checkpoint` FILE");
    tide_status status = published_read(o->checkpoint, &m->checkpoint, &m->sizes, failure);
    return status == TIDE_OK ? adopt_sizes(m, failure) : status;
}

/* What the file of parameters leaves open is told, so that it can be seen. */
static void tell_assumed(const import *m) {
    const model_config *c = &m->config;
    listener_note(&m->listener, FORECAST_STAGE_NOTE,
                  "the checkpoint does not tell these, so they are as asked: `n-heads` %" PRId64 ", `activation` %s, "
                  "`use-norm` %s, %" PRId64 " time features (`marks`)",
                  c->n_heads, c->relu ? "relu" : "gelu", c->use_norm ? "true" : "false", c->marks);
}

/* ---- the model ---- */

/* What published programs have no parameters for. */
static tide_status check_published(const import *m, tide_failure *failure) {
    const forecast_options *o = m->options;
    if (m->config.arch != FORECAST_ITRANSFORMER)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "arch", "checkpoints of an iTransformer alone can be imported");
    if (m->config.known || m->data.blind)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, m->config.known ? "known" : "without-history",
                       "a published model has no columns that are known ahead or without history: leave `known` and "
                       "`without-history` out");
    if (!m->config.masked) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, o->data, 0, "missing",
                   "the series has gaps, and a published model has not learned around them: `missing` linear or ffill "
                   "fills them");
}

static tide_status open_model(import *m, tide_failure *failure) {
    forecast_options *o = m->options;
    if (train_device_open(o->device)) snprintf(o->device, sizeof o->device, "%s", train_device_now(o->device));
    tide_status status = dataset_load(o, m->compat, &m->data, failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&m->listener, &m->data.frame);
    model_config_from(o, &m->data, &m->config);
    status = check_published(m, failure);
    if (status == TIDE_OK) status = session_open(o, &m->config, &m->data, &m->session, failure);
    if (status == TIDE_OK) status = tide_load_archive(m->session.params, &m->checkpoint, failure);
    return status == TIDE_OK ? bundle_from(&m->data, o, &m->config, &m->bundle, failure) : status;
}

/* ---- scores ---- */

static void set_scoring(import *m) {
    const forecast_options *o = m->options;
    window_set windows = dataset_windows(&m->data, m->data.split.test, o->seq_len, o->pred_len);
    int64_t    batch   = plan_batch(o);
    if (m->compat & FORECAST_COMPAT_TEST_DROP_LAST && windows.count >= batch)
        windows = window_set_first(windows, windows.count / batch * batch);
    m->scoring = (scoring){ .data = &m->data, .seq_len = o->seq_len, .pred_len = o->pred_len,
                            .windows = windows,
                            .metrics_scaled = (m->compat & FORECAST_COMPAT_METRICS_SCALED) != 0,
                            .listener = &m->listener };
}

static tide_status score_import(import *m, forecast_result *r, tide_failure *failure) {
    window_program p;
    scoring       *w      = &m->scoring;
    tide_status    status = session_scoring_all(&m->session, w->windows.count, WINDOW_FORECASTS, &p, failure);
    if (status == TIDE_OK) status = full_scores_take(m->options, w, &p, &m->bundle.bands, &m->scores, failure);
    if (status != TIDE_OK) return status;
    r->windows = w->windows.count;
    r->model   = score_pair_result("model", &m->scores.model, w->metrics_scaled);
    report_baselines(r, &m->scores.baselines, w->metrics_scaled, &m->listener);
    status = report_columns(r, &m->data, &m->scores.model, &m->scores.baselines, failure);
    if (status == TIDE_OK) status = interval_run_end(&m->scores.intervals, r, failure);
    if (status == TIDE_OK && !error_parts_new(m->scores.model.scaled, w->pred_len, m->data.out_count, &m->parts))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the result");
    return status;
}

/* ---- the run ---- */

static tide_status write_model(import *m, const forecast_result *r, tide_failure *failure) {
    char path[FOLDER_PATH];
    if (!record_take(&m->bundle.record, &m->data, &m->config, r, &m->scores.baselines))
        return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
    tide_status status = owned_claim_file(m->folder.path, "model.safetensors", path, failure);
    if (status == TIDE_OK) status = bundle_write(path, &m->bundle, m->session.params, NULL, failure);
    if (status == TIDE_OK)
        listener_tell(&m->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = path });
    return status;
}

static tide_status import_run(import *m, forecast_result *r, tide_failure *failure) {
    forecast_options *o      = m->options;
    tide_status       status = train_device_there(o->device, failure); /* before anything is read */
    if (status == TIDE_OK) status = take_checkpoint(m, failure);
    const forecast_options given = *o;
    if (status == TIDE_OK) status = options_resolve(&given, o, &m->compat, failure);
    if (status == TIDE_OK) status = open_model(m, failure);
    if (status == TIDE_OK)
        status = forecast_folder_import(o, &m->data, forecaster_parameters(&m->config), &m->folder, failure);
    if (status != TIDE_OK) return status;
    tell_assumed(m);
    report_setup(m->folder.path, &m->session, m->data.frame.columns, r);
    set_scoring(m);
    status = score_import(m, r, failure);
    if (status == TIDE_OK) status = write_model(m, r, failure);
    if (status != TIDE_OK) return status;
    advise_evaluation(r, o, &m->bundle);
    r->wall_s       = os_seconds() - m->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    return report_json("forecast import", r, &m->parts, failure);
}

tide_status forecast_import(const forecast_options *options, forecast_progress progress, void *user,
                            forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    import *m = calloc(1, sizeof *m);
    if (!m || !(m->options = malloc(sizeof *options))) {
        free(m);
        return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    }
    *m->options = *options, m->folder.lock = -1;
    m->listener = (listener){ progress, user, os_seconds(), NULL };
    tide_status status = import_run(m, result, failure);
    run_folder_close(&m->folder);
    full_scores_free(&m->scores);
    error_parts_free(&m->parts);
    session_free(&m->session);
    bundle_free(&m->bundle);
    dataset_free(&m->data);
    tide_archive_free(&m->checkpoint);
    free(m->options);
    free(m);
    return status;
}
