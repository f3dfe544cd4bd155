/* forecast_backtest: what a run would have forecast from many rows, and how far off it and the baselines were. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/data/origins.h"
#include "forecast/backtest/rolling.h"
#include "forecast/fit/solve.h"
#include "forecast/saved/use.h"
#include "tested.h"

/* ---- which rows ---- */

static tide_status settle_horizon(const rolling *r, tide_failure *failure) {
    forecast_options *o    = r->options;
    int64_t           pred = r->bundle->config.pred_len;
    if (o->lead + MAX2(o->horizon, 1) > pred)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, o->horizon && o->lead < pred ? "horizon" : "lead",
                       "`lead` %" PRId64 " and `horizon` %" PRId64 " need a run that forecasts %" PRId64
                       " rows, and this one forecasts %" PRId64 ": train with `pred-len` %" PRId64 ", or ask for fewer",
                       o->lead, MAX2(o->horizon, 1), o->lead + MAX2(o->horizon, 1), pred,
                       o->lead + MAX2(o->horizon, 1));
    if (!o->horizon) o->horizon = pred - o->lead;
    return TIDE_OK;
}

/* So many neighbours that the first and the one behind the last forecast no row in common. */
static int64_t block_of(const rolling *r) {
    int64_t reach = r->options->lead + r->options->horizon, block = 1;
    for (int64_t i = 0, j = 0; i < r->origins; i++) {
        while (j < r->origins && r->origin[j] - r->origin[i] < reach) j++;
        block = MAX2(block, j - i);
    }
    return block;
}

static tide_status choose_origins(rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    const block  *test = &r->data.split.test;
    origin_choice c    = { .text = o->origins, .first = test->start + o->seq_len - 1,
                           .last = test->start + test->rows - o->pred_len - 1, .windows = o->windows };
    r->step = c.step   = o->step ? o->step : *o->origins ? 1 : o->horizon;
    tide_status status = origins_choose(&r->data.frame, &c, &r->origin, &r->origins, failure);
    if (status == TIDE_OK) r->block = block_of(r);
    return status;
}

/* The linear baseline learns from the windows that the run has learned from, whichever are forecast. */
static tide_status choose_learned(rolling *r, tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    return dataset_choose_origins(r->bundle->record.origins, c->seq_len, c->pred_len, &r->data, failure);
}

/* ---- warnings ---- */

/* Where the run's own test rows begin, if its file's last row is one of these: as many rows as lie up to there are
 * taken for its file. -1: not known. */
static int64_t learned_until(const rolling *r) {
    const bundle *b = r->bundle;
    frame   f    = r->data.frame;
    split   s;
    int64_t last = 0;
    if (!b->tail_time || !f.time) return -1;
    while (last < f.rows && f.time[last] != b->tail_time[b->config.seq_len - 1]) last++;
    if (last == f.rows) return -1;
    f.rows = last + 1;
    tide_status status = split_sized(&f, (frame_kind)b->kind, b->record.sizes, b->config.seq_len, b->config.pred_len,
                                     &s, NULL);
    return status == TIDE_OK ? s.test.start + (b->kind == FORECAST_PEMS ? 0 : b->config.seq_len) : -1;
}

static void tell_learned(const rolling *r) {
    bool anew = r->options->refit_every && !r->options->warm_start;
    if (anew) return;
    if (r->bundle->record.refit)
        listener_note(&r->listener, FORECAST_STAGE_WARNING,
                      "the model has learned from all rows of its training file (`refit`, update): on those, its "
                      "errors are no test");
    else if (r->origin[0] + 1 < learned_until(r))
        listener_note(&r->listener, FORECAST_STAGE_WARNING,
                      "the model has learned from rows that are forecast here: of those, its errors are no test; `val` "
                      "and `test` as it was trained, or `refit-every` N, make it one");
}

/* A line across a gap leads to a value that comes after it. */
static void tell_lines(const rolling *r) {
    const json_t *kept = json_object_get(r->bundle->reading, "missing");
    bool lines = r->options->missing == FORECAST_MISSING_LINEAR;
    if (!forecast_option_given(r->options, "missing"))
        lines = json_is_string(kept) && !strcmp(json_string_value(kept), "linear");
    if (lines)
        listener_note(&r->listener, FORECAST_STAGE_WARNING,
                      "`missing` linear fills gaps with what comes after them: a forecast from within a gap sees it; "
                      "`missing` mask or ffill does not");
}

/* ---- forecasts ---- */

static tide_status forecast_by_run(rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    baseline   *linear = NULL;
    tide_status status = linear_fit(&r->data, r->data.split, o->seq_len, o->pred_len, &linear, failure);
    if (status == TIDE_OK)
        status = rolling_answer(r, &(answerer){ handle_session(r->run), &r->data, linear, &r->bundle->bands }, 0,
                                r->origins, rolling_take, r, failure);
    baseline_free(linear);
    return status;
}

static tide_status forecast_by_refits(rolling *r, tide_failure *failure) {
    refit      *f      = NULL;
    tide_status status = refit_new(r, &f, failure);
    for (; status == TIDE_OK && r->refits * r->options->refit_every < r->origins; r->refits += status == TIDE_OK)
        status = refit_block(f, r->refits, rolling_take, r, failure);
    refit_free(f);
    return status;
}

static tide_status forecast_all(rolling *r, tide_failure *failure) {
    if (r->sharing) return rolling_replay(r, failure);
    return r->options->refit_every ? forecast_by_refits(r, failure) : forecast_by_run(r, failure);
}

/* ---- the CSV ---- */

/* A failure while the file is written is not the file's. */
typedef struct writing { rolling *r; tide_failure why; tide_status status; } writing;

static tide_status write_all(void *user, void *stdio_file) {
    writing *w = user;
    w->r->csv  = stdio_file;
    w->status  = rolling_header(w->r);
    if (w->status == TIDE_OK) w->status = forecast_all(w->r, &w->why);
    w->r->csv = NULL;
    return w->status;
}

static tide_status to_file(rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    writing     w      = { .r = r };
    tide_status status = tide_file_replace(o->output, write_all, &w, failure);
    if (w.why.status && failure) *failure = w.why;
    if (status != TIDE_OK) return status;
    output_remember(o->model, o->output);
    if (!r->sharing) rolling_forget_shared(r);
    listener_tell(&r->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = o->output });
    return TIDE_OK;
}

static tide_status to_memory(rolling *r, forecast_result *out, tide_failure *failure) {
    size_t  length = 0;
    FILE   *file   = open_memstream(&out->csv, &length);
    writing w      = { .r = r };
    if (!file) return rolling_no_memory(failure);
    tide_status status = write_all(&w, file);
    if (fclose(file) || status == TIDE_EIO) return rolling_no_memory(failure);
    if (w.why.status && failure) *failure = w.why;
    return status;
}

/* One of them writes, and each has all figures. */
static tide_status share_and_write(rolling *r, tide_failure *failure) {
    bool        mine   = false;
    tide_status status = rolling_join(r, failure);
    if (status == TIDE_OK) status = rolling_share(r, failure);
    if (status == TIDE_OK) status = rolling_once(r, to_file, &mine, failure);
    if (status == TIDE_OK && !mine) status = forecast_all(r, failure);
    rolling_leave(r, status == TIDE_OK);
    return status;
}

static tide_status forecast_and_write(rolling *r, forecast_result *out, tide_failure *failure) {
    const char *output = r->options->output;
    if (r->options->join) return share_and_write(r, failure);
    if (!*output) return forecast_all(r, failure);
    return strcmp(output, "-") ? to_file(r, failure) : to_memory(r, out, failure);
}

static tide_status check_output(const rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    if (!*o->output || !strcmp(o->output, "-")) return TIDE_OK;
    return output_check(o->output, "output", o->overwrite, o->model,
                        (const char *const[]){ o->data, o->holidays, o->issued, o->statics, r->path, NULL }, failure);
}

/* Those of models that are trained anew are calibrated with them. */
static tide_status settle_levels(rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    bool        there  = o->refit_every || r->bundle->bands.quantile[FORECAST_BY_MODEL];
    tide_status status = levels_measured(o->level, &r->intervals.levels, failure);
    if (status == TIDE_OK && !there && *o->level)
        return use_not_kept(o, "prediction intervals", "level", failure);
    if (!there) r->intervals.levels.count = 0;
    return status;
}

/* Rows that are passed over or do not count are not in the sums. */
static tide_status open_sums(rolling *r, tide_failure *failure) {
    const forecast_options *o = r->options;
    const char             *option = *o->sum ? "sum" : "sum-horizon";
    if (sum_run_asked(o) && !o->refit_every && !r->bundle->bands.windows)
        return use_not_kept(o, "windows of errors, of which intervals of sums are made", option, failure);
    return sum_run_open(&r->totals, o, &r->data, &r->intervals.levels, r->bundle->config.pred_len, o->lead, o->horizon,
                        r->origins, failure);
}

/* ---- the command ---- */

static tide_status backtest(rolling *r, const tested_memory *memory, forecast_result *out, tide_failure *failure) {
    tide_status status = tested_load(r->options, memory, r->path, &r->run, &r->data, failure);
    if (r->run) r->bundle = handle_bundle(r->run);
    if (status == TIDE_OK) loaded_statics_tell(r->bundle, &r->listener);
    if (status == TIDE_OK) status = choose_learned(r, failure);
    if (status == TIDE_OK) status = settle_horizon(r, failure);
    if (status == TIDE_OK) status = check_output(r, failure);
    if (status == TIDE_OK && r->options->join) status = rolling_check_join(r, failure);
    if (status == TIDE_OK) status = settle_levels(r, failure);
    if (status == TIDE_OK) status = rolling_check_refit(r, failure);
    if (status == TIDE_OK) status = choose_origins(r, failure);
    if (status == TIDE_OK) status = rolling_naive(r, failure);
    if (status == TIDE_OK) status = open_sums(r, failure);
    if (status == TIDE_OK &&
        !(error_sums_new(&r->sums, r->origins, r->bundle->config.out_count, r->options->horizon) &&
          coverage_new(&r->intervals, r->bundle->config.out_count)))
        status = rolling_no_memory(failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&r->listener, &r->data.frame);
    tell_learned(r);
    tell_lines(r);
    session_tell(handle_session(r->run), &r->listener);
    if (memory->model) status = rolling_rows_new(r, &r->rows, failure);
    if (status == TIDE_OK) status = forecast_and_write(r, out, failure);
    return status == TIDE_OK ? rolling_result(r, out, failure) : status;
}

static tide_status run(const forecast_options *options, tested_memory memory, const char *recipe, listener listener,
                       forecast_result *result, tide_failure *failure) {
    rolling r = { .options = malloc(sizeof *options), .listener = listener, .recipe = recipe };
    if (!r.options) return rolling_no_memory(failure);
    tide_status status = options_resolve(options, r.options, &r.compat, failure);
    if (status == TIDE_OK) status = backtest(&r, &memory, result, failure);
    error_sums_free(&r.sums);
    coverage_free(&r.intervals);
    sum_run_free(&r.totals);
    free(r.origin);
    free(r.last);
    free(r.seasonal);
    backtest_rows_free(r.rows);
    dataset_free(&r.data);
    forecast_model_free(r.run);
    free(r.options);
    return status;
}

tide_status forecast_backtest(const forecast_options *options, forecast_progress progress, void *user,
                              forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    return run(options, (tested_memory){ 0 }, NULL, (listener){ progress, user, os_seconds() }, result, failure);
}

tide_status forecast_model_backtest(const forecast_model *m, const char *recipe, const tide_frame *series,
                                    const forecast_options *options, forecast_progress progress, void *user,
                                    forecast_result *result, tide_failure *failure) {
    const tested_memory memory = { m, series };
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    tide_status status = tested_check_memory(options, &memory, failure);
    if (status != TIDE_OK) return status;
    return run(options, memory, recipe, (listener){ progress, user, os_seconds() }, result, failure);
}
