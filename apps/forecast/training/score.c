/* What training ends with: the test windows scored, plots, the record of it in the model's file, and --refit. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/calibrate.h"
#include "forecast/saved/advice.h"
#include "ensemble.h"
#include "refit.h"
#include "trainer.h"

static int by_size(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void fill_training(trainer *t, forecast_result *r) {
    if (t->timed) qsort(t->step_ms, (size_t)t->timed, sizeof *t->step_ms, by_size);
    r->step_ms_median = t->timed ? (double)t->step_ms[t->timed / 2] : (double)NAN;
    r->step_ms_min    = t->timed ? (double)t->step_ms[0] : (double)NAN;
    r->compile_ms = t->step.compile_s * 1e3, r->first_step_ms = t->timed ? t->first_step_ms : (double)NAN;
    r->solved = trainer_solved(t), r->best_val_loss = t->solved_loss;
    if (!t->fit) return;
    const fit_progress *at = fit_at(t->fit);
    r->epochs = at->epoch - 1, r->best_epoch = at->best_epoch, r->steps = at->step;
    r->train_s = at->train_seconds, r->best_val_loss = at->best;
    r->resumed_from_step = fit_account_of(t->fit).resumed_from;
}

static void fill_members(const ensemble_training *e, forecast_result *r) {
    memcpy(r->members, e->told, sizeof r->members);
    r->member_count = e->count, r->budget_s = e->budget_s;
    int used = snprintf(r->stacking, sizeof r->stacking, "%s weights, pull %g",
                        e->rule.by_column ? "each column's own" : "shared", e->rule.pull);
    if (isfinite(e->rule.left_out_mse))
        snprintf(r->stacking + used, sizeof r->stacking - (size_t)used, "; mse of validation windows left out %.4f",
                 e->rule.left_out_mse);
}

void trainer_fill(trainer *t, forecast_result *r) {
    report_setup(t->folder.path, &t->session, t->data.frame.columns, r);
    fill_training(t, r);
    if (t->ensemble) fill_members(t->ensemble, r);
    if (t->explained.text) r->text = t->explained.text, t->explained.text = NULL;
    if (t->explained.explanation) r->explanation = t->explained.explanation, t->explained.explanation = NULL;
}

window_set trainer_test_windows(const trainer *t) {
    window_set all   = dataset_windows(&t->data, t->data.split.test, t->config.seq_len, t->config.pred_len);
    int64_t    batch = t->options->batch_size;
    bool       whole = t->compat & FORECAST_COMPAT_TEST_DROP_LAST && all.count >= batch;
    return whole ? window_set_first(all, all.count / batch * batch) : all;
}

static void tell_files(const trainer *t) {
    static const char *const names[] = { "loss.svg", "sample.svg", "horizon.svg", "model.safetensors" };
    char path[FOLDER_PATH];
    if (trainer_in_memory(t)) return;
    size_t first = !t->options->plots ? 3 : trainer_solved(t) ? 1 : 0;
    for (size_t i = first; i < sizeof names / sizeof *names; i++)
        listener_tell(&t->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE,
                                                      .message = folder_file(t->folder.path, names[i], path) });
}

static tide_status draw(trainer *t, window_program *p, const scoring *w, const score_pair *model,
                        const baseline_parts *baselines, tide_failure *failure) {
    plot_watch watch = report_watch(&t->listener);
    if (!t->options->plots || trainer_in_memory(t)) return TIDE_OK;
    tide_status status = TIDE_OK;
    if (t->fit) status = plot_losses(&t->folder, fit_at(t->fit)->best_epoch, &watch, failure);
    if (status == TIDE_OK)
        status = plot_sample(t->folder.path, &t->data, &t->bundle, p,
                             window_start(&w->windows, w->windows.count - 1), &watch, failure);
    if (status == TIDE_OK)
        status =
            plot_horizon(t->folder.path, model->scaled, baselines, w->pred_len, t->data.out_count, &watch, failure);
    if (status == TIDE_ECANCELLED && failure)
        snprintf(failure->message + strlen(failure->message), sizeof failure->message - strlen(failure->message),
                 "; the trained model in %.200s is complete: forecast evaluate `model` scores it", t->folder.path);
    return status;
}

/* The model file once more, with what the test windows showed. */
static tide_status keep_record(trainer *t, const forecast_result *r, const baseline_parts *baselines,
                               tide_failure *failure) {
    record_free(&t->bundle.record);
    if (!record_take(&t->bundle.record, &t->data, &t->config, r, baselines))
        return fail(failure, TIDE_ENOMEM, "out of memory for the run's model file");
    return trainer_write_model(t, trainer_best(t), failure);
}

/* No step comes any more, and a step on thousands of columns takes more memory than all scoring does. */
static void free_step(trainer *t) {
    tide_program_free(t->step.program);
    tide_program_free(t->step.finish);
    tide_program_free(t->validate.program);
    t->step.program = t->step.finish = t->validate.program = NULL;
}

tide_status trainer_score(trainer *t, forecast_result *r, tide_failure *failure) {
    scoring        w = { .data = &t->data, .seq_len = t->config.seq_len, .pred_len = t->config.pred_len,
                         .windows = trainer_test_windows(t), .listener = &t->listener,
                         .metrics_scaled = (t->compat & FORECAST_COMPAT_METRICS_SCALED) != 0,
                         .itself = (forecast_use)forecaster_as_baseline(&t->config) };
    window_program p;
    full_scores    scores = { 0 };
    error_parts    parts  = { 0 };
    free_step(t);
    tide_status status = session_scoring_all(&t->session, w.windows.count, WINDOW_FORECASTS, &p, failure);
    if (status == TIDE_OK) status = full_scores_take(t->options, &w, &p, &t->bundle.bands, &scores, failure);
    if (status == TIDE_OK) {
        r->windows = w.windows.count;
        r->model   = score_pair_result("model", &scores.model, w.metrics_scaled);
        report_baselines(r, &scores.baselines, w.metrics_scaled, &t->listener);
        status = report_columns(r, &t->data, &scores.model, &scores.baselines, failure);
    }
    if (status == TIDE_OK) status = interval_run_end(&scores.intervals, r, failure);
    if (status == TIDE_OK) status = draw(t, &p, &w, &scores.model, &scores.baselines, failure);
    if (status == TIDE_OK && !error_parts_new(scores.model.scaled, w.pred_len, t->data.out_count, &parts))
        status = fail(failure, TIDE_ENOMEM, "out of memory for the result");
    if (status == TIDE_OK) status = keep_record(t, r, &scores.baselines, failure);
    if (status == TIDE_OK) advise_training(r, t->options);
    if (status == TIDE_OK && t->options->refit) status = refit_run(t, r, failure);
    r->wall_s       = os_seconds() - t->listener.began;
    r->peak_rss_mib = (double)os_peak_rss_bytes() / (1 << 20);
    if (status == TIDE_OK) status = report_json("forecast train", r, &parts, failure);
    if (status == TIDE_OK) tell_files(t);
    error_parts_free(&parts);
    full_scores_free(&scores);
    return status;
}

tide_status trainer_finish(trainer *t, forecast_result *r, tide_failure *failure) {
    tide_status status = trainer_learn(t, 0, failure);
    trainer_fill(t, r);
    if (status == TIDE_OK && ranks_lead(t->ranks)) status = trainer_score(t, r, failure);
    status = trainer_part(t, status, failure);
    forecast_trainer_free(t);
    return status;
}
