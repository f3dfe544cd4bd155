/* forecast_evaluate: a run and the baselines on the test windows of a file. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "forecast/saved/advice.h"
#include "base/base.h"
#include "evaluation.h"
#include "forecast/saved/other_columns.h"
#include "forecast/saved/use.h"
#include "forecast/fit/plan.h"
#include "forecast/fit/run_folder.h"
#include "tested.h"

static tide_status load_run(evaluation *e, tide_failure *failure) {
    const forecast_options *o = e->options;
    tide_status status = tested_load(e->options, &e->memory, e->path, &e->run, &e->data, failure);
    if (e->run) e->bundle = handle_bundle(e->run);
    if (status == TIDE_OK) status = dataset_choose_origins(o->origins, o->seq_len, o->pred_len, &e->data, failure);
    if (status == TIDE_OK) status = dataset_require_origins(&e->data, o->seq_len, o->pred_len, failure);
    if (status == TIDE_OK) other_columns_tell(e->options, e->bundle, &e->listener);
    if (status == TIDE_OK) loaded_statics_tell(e->bundle, &e->listener);
    return status;
}

static tide_status load_data_alone(evaluation *e, tide_failure *failure) {
    snprintf(e->options->marks, sizeof e->options->marks, "none"); /* baselines look at no marks */
    return dataset_load(e->options, e->compat, &e->data, failure);
}

static void set_scoring(evaluation *e) {
    const forecast_options *o = e->options;
    window_set windows = dataset_windows(&e->data, e->data.split.test, o->seq_len, o->pred_len);
    int64_t    batch   = plan_batch(o);
    if (e->compat & FORECAST_COMPAT_TEST_DROP_LAST && windows.count >= batch)
        windows = window_set_first(windows, windows.count / batch * batch);
    e->scoring = (scoring){ .data = &e->data, .seq_len = o->seq_len, .pred_len = o->pred_len,
                            .windows = windows,
                            .metrics_scaled = (e->compat & FORECAST_COMPAT_METRICS_SCALED) != 0,
                            .listener = &e->listener };
    if (e->run) e->scoring.itself = (forecast_use)forecaster_as_baseline(&e->bundle->config);
}

/* ---- --save-predictions ---- */

static tide_status keep_predictions(evaluation *e, tide_failure *failure) {
    size_t numbers = (size_t)(e->scoring.windows.count * e->scoring.pred_len * e->data.out_count);
    e->scoring.keep_prediction = malloc(numbers * sizeof(float) + 1);
    e->scoring.keep_truth      = malloc(numbers * sizeof(float) + 1);
    if (e->scoring.keep_prediction && e->scoring.keep_truth) return TIDE_OK;
    return fail(failure, TIDE_ENOMEM, "out of memory for %zu predictions; leave `save-predictions` out", numbers);
}

/* Names as bytes (columns, longest), zeros behind: numpy's .view("S%d" % longest). */
static tide_status add_names(const evaluation *e, tide_archive *a) {
    char  *const *names = e->data.frame.names + e->data.out_first;
    int64_t count = e->data.out_count, longest = 1;
    for (int64_t i = 0; i < count; i++) longest = MAX2(longest, (int64_t)strlen(names[i]));
    uint8_t *bytes = calloc((size_t)count, (size_t)longest);
    if (!bytes) return TIDE_ENOMEM;
    for (int64_t i = 0; i < count; i++) memcpy(bytes + i * longest, names[i], strlen(names[i]));
    tide_status status = tide_archive_add(a, "columns", TIDE_U8, TIDE_SHAPE(count, longest), bytes);
    free(bytes);
    return status;
}

/* The stamp of every forecast row, seconds since 1970 as labelled: (windows, pred_len). */
static tide_status add_stamps(const evaluation *e, tide_archive *a) {
    const scoring *w = &e->scoring;
    if (!e->data.frame.time) return TIDE_OK;
    int64_t *time = malloc((size_t)(w->windows.count * w->pred_len) * sizeof *time + 1);
    if (!time) return TIDE_ENOMEM;
    for (int64_t i = 0; i < w->windows.count; i++)
        memcpy(time + i * w->pred_len, e->data.frame.time + window_start(&w->windows, i) + w->seq_len,
               (size_t)w->pred_len * sizeof *time);
    tide_status status = tide_archive_add(a, "time", TIDE_I64, TIDE_SHAPE(w->windows.count, w->pred_len), time);
    free(time);
    return status;
}

static tide_status save_predictions(evaluation *e, tide_failure *failure) {
    tide_archive a      = { 0 };
    tide_shape shape = TIDE_SHAPE(e->scoring.windows.count, e->scoring.pred_len, e->data.out_count),
               one = TIDE_SHAPE(e->data.out_count);
    tide_status  status = tide_archive_add(&a, "prediction", TIDE_F32, shape, e->scoring.keep_prediction);
    if (status == TIDE_OK) status = tide_archive_add(&a, "truth", TIDE_F32, shape, e->scoring.keep_truth);
    if (status == TIDE_OK)
        status = tide_archive_add(&a, "mean", TIDE_F64, one, e->data.scaler.mean + e->data.out_first);
    if (status == TIDE_OK) status = tide_archive_add(&a, "std", TIDE_F64, one, e->data.scaler.std + e->data.out_first);
    if (status == TIDE_OK) status = add_names(e, &a);
    if (status == TIDE_OK) status = add_stamps(e, &a);
    if (status != TIDE_OK) fail(failure, status, "out of memory for the predictions");
    else status = tide_npz_write(e->options->save_predictions, &a, true, failure);
    if (status == TIDE_OK) output_remember(e->options->model, e->options->save_predictions);
    if (status == TIDE_OK)
        listener_tell(&e->listener,
                      (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = e->options->save_predictions });
    tide_archive_free(&a);
    return status;
}

/* ---- scores ---- */

static tide_status score_run(evaluation *e, forecast_result *r, tide_failure *failure) {
    window_program p;
    session    *s      = handle_session(e->run);
    bool        keep   = *e->options->save_predictions != 0;
    tide_status status = session_scoring_all(s, e->scoring.windows.count, WINDOW_FORECASTS, &p, failure);
    if (status == TIDE_OK && keep) status = keep_predictions(e, failure);
    if (status == TIDE_OK) status = score_model(&e->scoring, &p, &e->model, failure);
    if (status == TIDE_OK && keep) status = save_predictions(e, failure);
    free(e->scoring.keep_prediction);
    free(e->scoring.keep_truth);
    e->scoring.keep_prediction = e->scoring.keep_truth = NULL;
    if (status != TIDE_OK) return status;
    r->model      = score_pair_result("model", &e->model, e->scoring.metrics_scaled);
    r->parameters = forecaster_parameters(&e->bundle->config);
    r->threads    = tide_graph_threads(s->graph);
    session_tell(s, &e->listener);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(s->graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(s->precision));
    snprintf(r->run, sizeof r->run, "%s", e->options->model);
    bool fine = error_parts_new(e->model.scaled, e->scoring.pred_len, e->data.out_count, &e->parts);
    return fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

/* The run's own tables; those of another season than its own do not count. */
static tide_status watch_run(evaluation *e, bool model_alone, const levels *asked, tide_failure *failure) {
    band_tables shown = e->bundle->bands;
    for (int i = 1; model_alone && i < FORECASTERS; i++) shown.quantile[i] = NULL;
    if (e->baselines.season != e->bundle->record.season) shown.quantile[FORECAST_USE_SEASONAL] = NULL;
    if (forecast_option_given(e->options, "level") && !bands_any(&e->bundle->bands))
        return use_not_kept(e->options, "prediction intervals", "level", failure);
    return interval_run_watch(&e->intervals, &e->scoring, &shown, asked, failure);
}

static tide_status watch_baselines(evaluation *e, const levels *asked, tide_failure *failure) {
    scoring validation = e->scoring;
    validation.windows = dataset_windows(&e->data, e->data.split.val, e->scoring.seq_len, e->scoring.pred_len);
    tide_status status = bands_open(&e->data, e->scoring.pred_len, &e->own, failure);
    if (status == TIDE_OK) status = calibrate_baselines(&validation, &e->baselines, &e->own, failure);
    return status == TIDE_OK ? interval_run_watch(&e->intervals, &e->scoring, &e->own, asked, failure) : status;
}

static tide_status score_without(evaluation *e, const levels *asked, tide_failure *failure) {
    tide_status status = make_baselines(&e->scoring, e->data.split, e->options->season, &e->baselines, failure);
    if (status != TIDE_OK) return status;
    status = e->run ? watch_run(e, false, asked, failure) : watch_baselines(e, asked, failure);
    return status == TIDE_OK ? score_baselines(&e->scoring, &e->baselines, failure) : status;
}

tide_status evaluation_score(evaluation *e, forecast_result *r, tide_failure *failure) {
    const forecast_options *o = e->options;
    bool        run    = *o->model || e->memory.model;
    if (!run && o->other_columns)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "other-columns",
                       "`other-columns` asks a run about them: `model` RUN; baselines alone take any columns");
    if (!run && sum_run_asked(o))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, *o->sum ? "sum" : "sum-horizon",
                       "`%s` measures intervals of a run: `model` RUN, or leave it out",
                       *o->sum ? "sum" : "sum-horizon");
    if (!run && *o->save_predictions)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "save-predictions",
                       "`save-predictions` needs `model`: baselines alone keep no predictions");
    tide_status status = run ? load_run(e, failure) : load_data_alone(e, failure);
    if (status == TIDE_OK && *o->save_predictions)
        status = output_check(o->save_predictions, "save-predictions", o->overwrite, o->model,
                              (const char *const[]){ o->data, o->holidays, o->issued, o->statics, e->path, NULL },
                              failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&e->listener, &e->data.frame);
    if (run && e->bundle->record.refit)
        listener_note(&e->listener, FORECAST_STAGE_WARNING,
                      "the model has learned from all rows of its training file (`refit`, update): on those, its "
                      "errors are no test");
    set_scoring(e);
    if (e->data.starts)
        listener_note(&e->listener, FORECAST_STAGE_NOTE, "forecasts at %s alone: %" PRId64 " test windows", o->origins,
                      e->scoring.windows.count);
    r->windows = e->scoring.windows.count, r->columns = e->data.frame.columns, r->seq_len = o->seq_len,
    r->pred_len = o->pred_len;
    levels asked;
    status = levels_measured(o->level, &asked, failure);
    if (status == TIDE_OK && run) status = watch_run(e, true, &asked, failure);
    if (status == TIDE_OK && run)
        status = interval_run_sums(&e->intervals, o, &e->scoring, &e->bundle->bands, &asked, failure);
    if (status == TIDE_OK && run) status = score_run(e, r, failure);
    if (status == TIDE_OK) status = score_without(e, &asked, failure);
    if (status != TIDE_OK) return status;
    r->guide_direction = (e->compat & FORECAST_COMPAT_MAC) != 0;
    report_baselines(r, &e->baselines, e->scoring.metrics_scaled, &e->listener);
    status = report_columns(r, &e->data, run ? &e->model : NULL, &e->baselines, failure);
    if (status == TIDE_OK) status = interval_run_end(&e->intervals, r, failure);
    if (status != TIDE_OK) return status;
    r->wall_s       = os_seconds() - e->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    if (*o->model) advise_evaluation(r, o, e->bundle); /* commands on a run */
    return TIDE_OK;
}

void evaluation_free(evaluation *e) {
    score_pair_free(&e->model);
    baseline_parts_free(&e->baselines);
    bands_free(&e->own);
    interval_run_free(&e->intervals);
    error_parts_free(&e->parts);
    dataset_free(&e->data);
    forecast_model_free(e->run);
    free(e->options);
}

static tide_status evaluate(const forecast_options *options, tested_memory memory, forecast_progress progress,
                            void *user, forecast_result *result, tide_failure *failure) {
    evaluation e = { .options = malloc(sizeof *options), .listener = { progress, user, os_seconds() },
                     .memory = memory };
    if (!e.options) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_resolve(options, e.options, &e.compat, failure);
    if (status == TIDE_OK) status = evaluation_score(&e, result, failure);
    if (status == TIDE_EDATA && *e.options->model) other_columns_suggest(failure);
    if (status == TIDE_OK) status = report_json("forecast evaluate", result, &e.parts, failure);
    evaluation_free(&e);
    return status;
}

tide_status forecast_evaluate(const forecast_options *options, forecast_progress progress, void *user,
                              forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    return evaluate(options, (tested_memory){ 0 }, progress, user, result, failure);
}

tide_status forecast_model_evaluate(const forecast_model *m, const tide_frame *rows, const forecast_options *options,
                                    forecast_progress progress, void *user, forecast_result *result,
                                    tide_failure *failure) {
    const tested_memory memory = { m, rows };
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    tide_status status = tested_check_memory(options, &memory, failure);
    return status == TIDE_OK ? evaluate(options, memory, progress, user, result, failure) : status;
}
