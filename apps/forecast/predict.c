/* forecast_predict: the rows after the last one, with real time stamps, in the input's own units and form. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "forecast/fit/finite.h"
#include "forecast/models/head.h"
#include "forecast/saved/other_columns.h"
#include "forecast/saved/use.h"
#include "prediction.h"
#include "tested.h"

tide_status prediction_no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
}

/* ---- the forecast ---- */

/* No forecast is better than one of nan: nothing is written. */
static tide_status require_finite(const prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    char                what[200];
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++)
        if (!isfinite(p->values[i])) {
            snprintf(what, sizeof what, "the forecast of '%.150s'", p->bundle->names[c->out_first + i % c->out_count]);
            return not_finite(&p->data, 0, c->seq_len, what, failure);
        }
    return TIDE_OK;
}

static tide_status forecast_without_model(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    p->values = malloc((size_t)(c->pred_len * c->out_count) * sizeof *p->values + 1);
    if (!p->values) return prediction_no_memory(failure);
    tide_status status = use_forecast(p->use, p->bundle, &p->data, p->season, p->season_rows, p->values, failure);
    return status == TIDE_OK ? require_finite(p, failure) : status;
}

static tide_status forecast(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    const dataset      *d = &p->data;
    int64_t numbers = c->pred_len * c->out_count;
    float  *scaled  = malloc((size_t)numbers * sizeof *scaled);
    p->values       = malloc((size_t)numbers * sizeof *p->values);
    int64_t wide = numbers * head_widths(c);
    if (wide) p->widths = malloc((size_t)wide * sizeof *p->widths);
    const handle_windows x = { d->scaled, d->marks, p->known };
    tide_status status = scaled && p->values && (p->widths || !wide)
                             ? handle_forward(p->model, 1, x, scaled, p->widths, failure)
                             : prediction_no_memory(failure);
    for (int64_t i = 0; status == TIDE_OK && i < numbers; i++) {
        int64_t column = c->out_first + i % c->out_count;
        p->values[i]   = scaled[i] * d->scaler.std[column] + d->scaler.mean[column];
    }
    free(scaled);
    if (status == TIDE_OK) widths_to_original(d, p->widths, numbers, head_widths(c), p->widths);
    if (status == TIDE_OK) status = require_finite(p, failure);
    return status == TIDE_OK ? handle_widths_fine(p->widths, wide, failure) : status;
}

static tide_status future_times(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    const frame        *f = &p->data.frame;
    if (!f->time || !f->time_name) return TIDE_OK;
    p->time = malloc((size_t)(c->seq_len + c->pred_len) * sizeof *p->time);
    if (!p->time) return prediction_no_memory(failure);
    memcpy(p->time, f->time, (size_t)c->seq_len * sizeof *p->time);
    int64_t *next = p->time + c->seq_len, last = next[-1];
    for (int64_t i = 0; i < c->pred_len; i++) next[i] = zoned_follow(f->zone, last, next[i - 1], f->step, i + 1);
    return TIDE_OK;
}

/* ---- the command ---- */

static const char *used_name(const prediction *p) {
    return p->use == FORECAST_USE_MODEL ? "model" : baseline_names[p->use - 1];
}

/* Whoever takes the model's forecast is told that another was better. */
static void tell_better(const prediction *p) {
    static const char *const words[] = { "", "last-value", "seasonal-naive", "linear" };
    const training_record   *r       = &p->bundle->record;
    forecast_use             best    = record_best(r);
    if (p->use != FORECAST_USE_MODEL || best == FORECAST_USE_MODEL) return;
    listener_note(&p->listener, FORECAST_STAGE_NOTE, "on the test windows %s (%.4g) was better than this model "
                                                     "(%.4g): `use` %s gives it", words[best],
                  r->mse[best], r->mse[0], words[best]);
}

tide_status prediction_open(prediction *p, tide_failure *failure) {
    tide_status status = loaded_path(p->options->model, p->path, failure);
    if (status == TIDE_OK) status = handle_open(p->options, p->path, &p->model, failure);
    if (status == TIDE_OK) p->bundle = handle_bundle(p->model);
    return status;
}

tide_status prediction_make(prediction *p, tide_failure *failure) {
    const forecast_options *o = p->options;
    tide_status status = use_settle(o, p->bundle, &p->use, failure);
    if (status == TIDE_OK) p->season_rows = use_season(o, p->bundle);
    if (status == TIDE_OK) status = prediction_read_sums(p, failure);
    if (status == TIDE_OK) status = prediction_read_levels(p, failure);
    if (status == TIDE_OK) status = prediction_read_paths(p, failure);
    if (status == TIDE_OK) status = prediction_read_bounds(p, failure);
    if (status == TIDE_OK) status = prediction_rows(p, failure);
    if (status == TIDE_OK) status = dataset_scale(&p->data, p->bundle->config.seq_len, failure);
    if (status == TIDE_OK) status = future_times(p, failure);
    if (status == TIDE_OK) status = prediction_known(p, failure);
    if (status == TIDE_OK)
        status = p->use == FORECAST_USE_MODEL ? forecast(p, failure) : forecast_without_model(p, failure);
    if (status == TIDE_OK) status = prediction_make_bands(p, failure);
    if (status == TIDE_OK) status = prediction_open_paths(p, failure);
    if (status == TIDE_OK) prediction_clamp(p);
    return status == TIDE_OK ? prediction_sum(p, failure) : status;
}

static tide_status predict(prediction *p, forecast_result *r, tide_failure *failure) {
    const forecast_options *o = p->options;
    tide_status status = prediction_open(p, failure);
    if (status == TIDE_OK) status = prediction_check_output(p, failure);
    if (status == TIDE_OK) status = prediction_make(p, failure);
    if (status != TIDE_OK) return status;
    snprintf(r->run, sizeof r->run, "%s", o->model);
    snprintf(r->used, sizeof r->used, "%s", used_name(p));
    tell_better(p);
    other_columns_tell(o, p->bundle, &p->listener);
    loaded_statics_tell(p->bundle, &p->listener);
    session_tell(handle_session(p->model), &p->listener);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(handle_session(p->model)->graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(handle_session(p->model)->precision));
    const model_config *c = &p->bundle->config;
    r->columns = c->out_count, r->seq_len = c->seq_len, r->pred_len = c->pred_len;
    r->wall_s  = os_seconds() - p->listener.began, r->compile_ms = 1e3 * handle_compile_s(p->model);
    return prediction_write(p, r, failure);
}

/* ---- in memory ---- */

static bool put_names(const prediction *p, forecast_prediction *out) {
    out->names = calloc((size_t)p->series + 1, sizeof *out->names);
    bool fine  = out->names != NULL;
    for (int64_t i = 0; fine && i < p->series; i++) fine = (out->names[i] = strdup(prediction_name(p, i))) != NULL;
    return fine;
}

/* What was worked out becomes the caller's. */
static tide_status hand_out(prediction *p, forecast_prediction *out, tide_failure *failure) {
    *out = (forecast_prediction){ .rows = p->rows, .series = p->series, .level_count = p->levels.count,
                                  .path_count = p->options->paths, .clamped = p->clamped,
                                  .clamped_bounds = p->clamped_bounds, .values = p->values, .bands = p->bands };
    p->values = p->bands = NULL;
    memcpy(out->level, p->levels.of, (size_t)p->levels.count * sizeof *out->level);
    snprintf(out->used, sizeof out->used, "%s", used_name(p));
    if (p->time && !(out->time_s = malloc((size_t)p->rows * sizeof *out->time_s + 1)))
        return prediction_no_memory(failure);
    if (p->time) memcpy(out->time_s, p->time + p->bundle->config.seq_len, (size_t)p->rows * sizeof *out->time_s);
    if (!put_names(p, out)) return prediction_no_memory(failure);
    if (out->path_count && !(out->paths = prediction_all_paths(p, failure))) return TIDE_ENOMEM;
    return TIDE_OK;
}

void forecast_prediction_free(forecast_prediction *p) {
    if (!p) return;
    for (int64_t i = 0; p->names && i < p->series; i++) free(p->names[i]);
    free(p->names);
    free(p->time_s);
    free(p->values);
    free(p->bands);
    free(p->paths);
    *p = (forecast_prediction){ 0 };
}

static tide_status forecast_in_memory(prediction *p, const forecast_model *m, forecast_prediction *out,
                                      tide_failure *failure) {
    tide_status status = forecast_model_clone(m, &p->model, failure);
    if (status != TIDE_OK) return status;
    p->bundle = handle_bundle(p->model);
    status    = prediction_make(p, failure);
    if (status == TIDE_OK) tell_better(p);
    return status == TIDE_OK ? hand_out(p, out, failure) : status;
}

tide_status forecast_model_forecast(const forecast_model *m, const tide_frame *rows, const forecast_options *options,
                                    forecast_progress progress, void *user, forecast_prediction *out,
                                    tide_failure *failure) {
    failure_clear(failure);
    if (!m || !out) return fail(failure, TIDE_EINVAL, "there is no %s", m ? "place for the forecast" : "model");
    *out = (forecast_prediction){ 0 };
    tide_status status = options_sound(options, failure);
    if (status == TIDE_OK) status = tested_check_options(options, failure);
    if (status != TIDE_OK) return status;
    prediction p = { .options = malloc(sizeof *options), .listener = { progress, user, os_seconds() }, .given = rows };
    if (!p.options) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    status = options_resolve(options, p.options, &p.compat, failure);
    if (status == TIDE_OK) status = forecast_in_memory(&p, m, out, failure);
    prediction_free(&p);
    if (status != TIDE_OK) forecast_prediction_free(out);
    return status;
}

void prediction_free(prediction *p) {
    forecast_model_free(p->model);
    dataset_free(&p->data);
    free(p->values);
    free(p->season);
    free(p->time);
    free(p->known);
    free(p->order);
    free(p->bands);
    free(p->scale);
    free(p->widths);
    free(p->centre);
    path_maker_free(&p->paths);
    hierarchy_free(&p->sums);
    free(p->lower);
    free(p->options);
}

tide_status forecast_predict(const forecast_options *options, forecast_progress progress, void *user,
                             forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    prediction p = { .options = malloc(sizeof *options), .listener = { progress, user, os_seconds() } };
    if (!p.options) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_resolve(options, p.options, &p.compat, failure);
    if (status == TIDE_OK) status = predict(&p, result, failure);
    if (status == TIDE_EDATA) other_columns_suggest(failure);
    prediction_free(&p);
    return status;
}
