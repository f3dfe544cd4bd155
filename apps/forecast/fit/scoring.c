/* Windows are forecast in batches and their errors added up, the model's and the baselines' over the same windows. */
#include "scoring.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "finite.h"
#include "forecast/data/gaps.h"
#include "solve.h"
#include "train/run.h"
#include "train/step.h"

const char *const baseline_names[3] = { "last_value", "seasonal_naive", "linear" };

enum { BASELINE_BATCH = 32, MAPE_SUSPECT = 5 };
static const double TOLD_EVERY_S = 0.1;

static double resident_mib(memory_sample *m, double now_s) {
    if (m->mib == 0 || now_s - m->at_s >= 1) *m = (memory_sample){ now_s, (double)os_rss_bytes() / (1 << 20) };
    return m->mib;
}

int listener_tell(const listener *l, forecast_event event) {
    if (!l || !l->call) return 0;
    if (!event.message) event.message = "";
    double now_s  = os_seconds();
    event.seconds = now_s - l->began;
    if (l->memory) event.rss_mib = resident_mib(l->memory, now_s);
    return l->call(l->user, &event);
}

int listener_note(const listener *l, forecast_stage stage, const char *format, ...) {
    char    message[640];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return listener_tell(l, (forecast_event){ .stage = stage, .message = message });
}

void session_tell(const session *s, const listener *l) {
    char line[RUN_LINE];
    if (*s->precision_note) listener_note(l, FORECAST_STAGE_WARNING, "in f32: %s", s->precision_note);
    if (*s->device_note) listener_note(l, FORECAST_STAGE_WARNING, "%s", s->device_note);
    if (run_choices_told(s->graph, line)) listener_note(l, FORECAST_STAGE_NOTE, "%s", line);
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory while scoring");
}

static tide_status cancelled(tide_failure *failure) { return fail(failure, TIDE_ECANCELLED, "stopped while scoring"); }

void score_pair_free(score_pair *p) {
    score_free(p->scaled);
    score_free(p->original);
    *p = (score_pair){ 0 };
}

/* ---- one batch ---- */

tide_status run_windows(window_program *p, const int32_t *starts, int64_t count, tide_failure *failure) {
    int32_t fed[MOST_BATCH];
    for (int64_t i = 0; i < p->batch && i < MOST_BATCH; i++) fed[i] = starts[MIN2(i, count - 1)];
    tide_status status = tide_run(p->program, (tide_feed[]){ { p->start, fed } }, 1);
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(p->program);
    return status == TIDE_OK ? status : fail(failure, status, "the device failed while scoring");
}

/* Truth, and all arrays in original units, of one batch of at most `room` windows. */
typedef struct batch_space { float *truth, *prediction_original, *truth_original, *widths; } batch_space;

static bool space_new(const scoring *w, int64_t room, int64_t widths, batch_space *out) {
    size_t each = (size_t)(w->pred_len * w->data->out_count * room);
    float *all  = malloc((size_t)(3 + widths) * each * sizeof(float) + 1);
    *out = (batch_space){ all };
    if (all) *out = (batch_space){ all, all + each, all + 2 * each, widths ? all + 3 * each : NULL };
    return all != NULL;
}

void widths_to_original(const dataset *d, const float *scaled, int64_t cells, int64_t widths, float *out) {
    for (int64_t i = 0; i < cells * widths; i++)
        out[i] = (float)((double)scaled[i] * d->scaler.std[d->out_first + i / widths % d->out_count]);
}

static void to_original(const scoring *w, const float *scaled, int64_t windows, float *out) {
    int64_t columns = w->data->out_count, rows = windows * w->pred_len;
    const double *mean = w->data->scaler.mean + w->data->out_first, *std = w->data->scaler.std + w->data->out_first;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++)
            out[r * columns + c] = (float)(scaled[r * columns + c] * std[c] + mean[c]);
}

/* The file's own numbers, not those scaled and back: a truth of 0 must stay one. Gaps are as they were scaled. */
static void truth_original(const scoring *w, const batch_space *space, int64_t at, int64_t count) {
    const dataset *d = w->data;
    float         *out = space->truth_original;
    to_original(w, space->truth, count, out);
    for (int64_t i = 0; i < count * w->pred_len; i++, out += d->out_count) {
        int64_t       row  = window_start(&w->windows, at + i / w->pred_len) + w->seq_len + i % w->pred_len;
        const double *from = d->frame.values + row * d->frame.columns + d->out_first;
        for (int64_t c = 0; c < d->out_count; c++)
            if (!isnan(from[c]) && !isnan(out[c])) out[c] = (float)from[c];
    }
}

/* `who`: 0 the model, 1 to 3 the baselines. The model's widths are in their space already. */
static void add_batch(const scoring *w, int who, const batch_space *space, int64_t at, const float *prediction,
                      int64_t count, score_pair *out) {
    seen_windows seen = { space->prediction_original, space->truth_original, space->widths };
    int64_t each = w->pred_len * w->data->out_count;
    for (int64_t i = 0; i < count; i++)
        dataset_truth(w->data, window_start(&w->windows, at + i), w->seq_len, w->pred_len, space->truth + i * each);
    score_add(out->scaled, prediction, space->truth, count);
    to_original(w, prediction, count, space->prediction_original);
    truth_original(w, space, at, count);
    score_add(out->original, space->prediction_original, space->truth_original, count);
    if (w->watch && w->watch[who].see)
        w->watch[who].see(w->watch[who].user, at, count, &seen);
    if (w->keep_prediction) memcpy(w->keep_prediction + at * each, prediction, (size_t)(count * each) * sizeof(float));
    if (w->keep_truth) memcpy(w->keep_truth + at * each, space->truth, (size_t)(count * each) * sizeof(float));
}

static bool pair_new(const scoring *w, score_pair *out) {
    *out = (score_pair){ score_new(w->pred_len, w->data->out_count), score_new(w->pred_len, w->data->out_count) };
    int64_t differences = window_set_differences(&w->windows, w->pred_len);
    if (out->scaled && out->original)
        return score_differences(out->scaled, differences), score_differences(out->original, differences), true;
    score_pair_free(out);
    return false;
}

/* ---- whole passes ---- */

static tide_status model_batch(const scoring *w, window_program *p, const batch_space *space, int64_t at,
                               score_pair *out, tide_failure *failure) {
    int32_t starts[MOST_BATCH];
    int64_t count = MIN2(p->batch, w->windows.count - at);
    for (int64_t i = 0; i < count; i++) starts[i] = (int32_t)window_start(&w->windows, at + i);
    tide_status status = run_windows(p, starts, count, failure);
    if (status != TIDE_OK) return status;
    const float *prediction = tide_data(p->prediction);
    const float *widths     = p->widths.graph ? tide_data(p->widths) : NULL;
    if (!prediction || (p->widths.graph && !widths))
        return train_unread(p->prediction.graph, "the forecasts", failure);
    if (widths) widths_to_original(w->data, widths, count * w->pred_len * w->data->out_count, p->shape.widths,
                                   space->widths);
    add_batch(w, 0, space, at, prediction, count, out);
    forecast_event event = { .stage = FORECAST_STAGE_SCORE,
                             .batch = at / p->batch + 1,
                             .batches = ceil_div(w->windows.count, p->batch) };
    return listener_tell(w->listener, event) ? cancelled(failure) : TIDE_OK;
}

static tide_status require_finite(const scoring *w, const score_pair *p, tide_failure *failure) {
    score_result r = score_total(p->scaled);
    if (!w->windows.count || isfinite(r.mse)) return TIDE_OK;
    if ((w->data->frame.gaps || w->data->informed) && isnan(r.mae))
        return fail_at(failure, TIDE_EDATA, w->data->frame.path, 0, "missing",
                       "the test rows hold no value to score by: `test` with more rows, or a file that goes on");
    block b = window_set_rows(&w->windows, w->seq_len, w->pred_len);
    return not_finite(w->data, b.start, b.rows, "the error of the test windows", failure);
}

tide_status score_model(const scoring *w, window_program *p, score_pair *out, tide_failure *failure) {
    batch_space space;
    if (!pair_new(w, out)) return no_memory(failure);
    tide_status status = space_new(w, p->batch, p->shape.widths, &space) ? TIDE_OK : no_memory(failure);
    for (int64_t at = 0; status == TIDE_OK && at < w->windows.count; at += p->batch)
        status = model_batch(w, p, &space, at, out, failure);
    free(space.truth);
    return status == TIDE_OK ? require_finite(w, out, failure) : status;
}

/* A baseline with what it looks at, and room for one window and its forecast of all columns. */
typedef struct looking { const baseline *b; const float *rows; float *window, *all; } looking;

static void baseline_batch(const scoring *w, const looking *l, int64_t at, int64_t count, float *out) {
    const dataset *d = w->data;
    int64_t columns = d->frame.columns, rows = w->pred_len;
    float  *all = l->all;
    for (int64_t i = 0; i < count; i++) {
        const float *window = (l->rows ? l->rows : d->scaled) + window_start(&w->windows, at + i) * columns;
        if (d->frame.gaps && !l->rows) gaps_fill(window, w->seq_len, columns, l->window, NULL), window = l->window;
        baseline_predict(l->b, window, w->seq_len, w->pred_len, columns, all);
        for (int64_t r = 0; r < rows; r++)
            memcpy(out + (i * rows + r) * d->out_count, all + r * columns + d->out_first,
                   (size_t)d->out_count * sizeof *out);
    }
}

/* `rows`: the scaled series that the baseline looks back on; NULL: the data's, of which it looks at one window. */
static tide_status score_looking(const scoring *w, int which, const baseline *b, const float *rows, score_pair *out,
                                 tide_failure *failure) {
    batch_space space      = { 0 };
    int64_t     each       = w->pred_len * w->data->out_count, columns = w->data->frame.columns;
    float      *window     = malloc((size_t)((w->seq_len + w->pred_len) * columns) * sizeof *window + 1);
    float      *prediction = malloc((size_t)(each * BASELINE_BATCH) * sizeof *prediction + 1);
    bool        fine       = window && prediction && space_new(w, BASELINE_BATCH, 0, &space) && pair_new(w, out);
    looking     l          = { b, rows, window, fine ? window + w->seq_len * columns : NULL };
    for (int64_t at = 0; fine && at < w->windows.count; at += BASELINE_BATCH) {
        int64_t count = MIN2(BASELINE_BATCH, w->windows.count - at);
        baseline_batch(w, &l, at, count, prediction);
        add_batch(w, 1 + which, &space, at, prediction, count, out);
    }
    free(space.truth);
    free(window);
    free(prediction);
    return fine ? require_finite(w, out, failure) : no_memory(failure);
}

forecast_score score_pair_result(const char *name, const score_pair *p, bool metrics_scaled) {
    score_result s = score_total(p->scaled), o = score_total(p->original), percent = metrics_scaled ? s : o;
    if (o.columns > 1) o.mse = o.mae = o.rmse = (double)NAN; /* of different units */
    forecast_score out = { .present = true, .mse = s.mse, .mae = s.mae, .rmse = s.rmse, .original_mse = o.mse,
                           .original_mae = o.mae,
                           .original_rmse = o.rmse, .mape = percent.mape, .mspe = percent.mspe, .smape = percent.smape,
                           .wape = percent.wape,
                           .direction = s.direction, .direction_majority = s.direction_majority,
                           .direction_low = s.direction_low,
                           .direction_high = s.direction_high, .direction_across = s.direction_across };
    out.mape_left_out        = percent.mape_left_out;
    out.mape_by_small_truths = out.mape > MAPE_SUSPECT * out.wape;
    snprintf(out.name, sizeof out.name, "%s", name);
    return out;
}

/* Non-zero: stop. */
static int tell_validating(const listener *l, double *told, int64_t batch, int64_t batches) {
    double now = os_seconds();
    if (!l || now - *told < TOLD_EVERY_S) return 0;
    *told = now;
    return listener_tell(l, (forecast_event){ .stage = FORECAST_STAGE_VALIDATE, .batch = batch, .batches = batches });
}

/* Of each window, one behind the other: its loss and its weight. */
enum { EACH = 2 };

static tide_status put_losses(window_program *p, window_set w, int64_t at, int64_t count, float *out,
                              tide_failure *failure) {
    int32_t batch[MOST_BATCH];
    for (int64_t i = 0; i < count; i++) batch[i] = (int32_t)window_start(&w, at + i);
    tide_status status = run_windows(p, batch, count, failure);
    if (status != TIDE_OK) return status;
    const float *loss = tide_data(p->loss), *known = p->known.graph ? tide_data(p->known) : NULL;
    if (!loss || (p->known.graph && !known)) return train_unread(p->loss.graph, "the losses", failure);
    for (int64_t i = 0; i < count; i++) out[EACH * i] = loss[i], out[EACH * i + 1] = known ? known[i] : 1;
    return TIDE_OK;
}

/* The windows from batch `first` to before `end`. */
static tide_status batches_losses(window_program *p, window_set w, int64_t first, int64_t end, const listener *l,
                                  float *out, tide_failure *failure) {
    double      told   = os_seconds();
    tide_status status = TIDE_OK;
    for (int64_t b = first; status == TIDE_OK && b < end; b++, out += EACH * p->batch) {
        if (tell_validating(l, &told, b + 1, end)) return fail(failure, TIDE_ECANCELLED, "stopped while validating");
        status = put_losses(p, w, b * p->batch, MIN2(p->batch, w.count - b * p->batch), out, failure);
    }
    return status;
}

tide_status mean_loss(window_program *p, window_set w, ranks *r, const listener *l, double *out,
                      tide_failure *failure) {
    int64_t batches = ceil_div(w.count, p->batch), share = ceil_div(batches, ranks_count(r));
    int64_t first = MIN2(batches, ranks_rank(r) * share), room = EACH * p->batch * share * ranks_count(r);
    double  sum = 0, weights = 0;
    float  *all = calloc((size_t)room + 1, sizeof *all);
    float  *mine = all ? all + EACH * p->batch * share * ranks_rank(r) : NULL;
    tide_status status = all ? TIDE_OK : no_memory(failure);
    if (status == TIDE_OK)
        status = batches_losses(p, w, first, MIN2(batches, first + share), r ? NULL : l, mine, failure);
    status = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK && r)
        status = ranks_gather(r, mine, sizeof *mine * (size_t)(EACH * p->batch * share), all, failure);
    for (int64_t i = 0; status == TIDE_OK && i < w.count; i++) {
        double weight = (double)all[EACH * i + 1];
        sum += weight * (double)all[EACH * i], weights += weight;
    }
    *out = weights > 0 ? sum / weights : (double)NAN;
    free(all);
    return status;
}

/* ---- baselines ---- */

void baseline_parts_free(baseline_parts *p) {
    for (int i = 0; i < 3; i++) {
        score_pair_free(&p->pair[i]);
        baseline_free(p->made[i]);
        p->made[i] = NULL;
    }
}

/* Every window must have a whole season of rows before its forecast. */
static bool season_known(const scoring *w, baseline_parts *out) {
    int64_t before = window_start(&w->windows, 0) + w->seq_len;
    if (out->season < 1)
        snprintf(out->season_note, sizeof out->season_note,
                 "no season follows from the frequency: `season` N adds seasonal naive");
    else if (out->season > before)
        snprintf(out->season_note, sizeof out->season_note,
                 "no seasonal naive: a season is %" PRId64
                 " rows, and before the first forecast there are only %" PRId64,
                 out->season, before);
    return !*out->season_note;
}

tide_status make_baselines(const scoring *w, split s, int64_t season, baseline_parts *out, tide_failure *failure) {
    *out = (baseline_parts){ .season = season ? season : season_default(w->data->frame.step) };
    for (int i = 0; i < 3; i++) {
        if (i + 1 == (int)w->itself || (i == SEASONAL && !season_known(w, out))) continue;
        tide_status status = TIDE_OK;
        if (i == LINEAR) status = linear_fit(w->data, s, w->seq_len, w->pred_len, &out->made[i], failure);
        else out->made[i] = i == SEASONAL ? baseline_seasonal(out->season) : baseline_last_value();
        if (status == TIDE_OK && !out->made[i])
            status = fail(failure, TIDE_ENOMEM, "out of memory for the baseline %s", baseline_names[i]);
        if (status != TIDE_OK) return status;
    }
    return TIDE_OK;
}

/* In a series with gaps the naive ones look back on what came before each. */
tide_status score_baseline(const scoring *w, int which, const baseline_parts *parts, score_pair *out,
                           tide_failure *failure) {
    bool   gaps   = w->data->frame.gaps && which != LINEAR;
    float *filled = gaps ? dataset_repeated(w->data, which == SEASONAL ? parts->season : 1) : NULL;
    if (gaps && !filled) return no_memory(failure);
    tide_status status = score_looking(w, which, parts->made[which], filled, out, failure);
    free(filled);
    return status;
}

tide_status score_baselines(const scoring *w, baseline_parts *parts, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < 3; i++) {
        if (!parts->made[i]) continue;
        status            = score_baseline(w, i, parts, &parts->pair[i], failure);
        parts->present[i] = status == TIDE_OK;
        if (status == TIDE_OK &&
            listener_tell(w->listener, (forecast_event){ .stage = FORECAST_STAGE_SCORE, .batch = i + 1, .batches = 3 }))
            status = cancelled(failure);
    }
    return status;
}
