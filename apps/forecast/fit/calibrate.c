/* Who is off by how much in validation, and how often intervals made of that hold on the test windows. */
#include "calibrate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the prediction intervals");
}

tide_status bands_open(const dataset *d, int64_t pred_len, band_tables *out, tide_failure *failure) {
    bands_free(out);
    return bands_new(out, pred_len, d->out_count, d->scaler.std + d->out_first) ? TIDE_OK : no_memory(failure);
}

/* ---- calibrating ---- */

typedef struct seen { residuals tables, whole; } seen; /* `whole` of the model alone */

static void see_residuals(void *user, int64_t at, int64_t count, const seen_windows *windows) {
    seen *s = user;
    residuals_add(&s->tables, at, count, windows);
    if (s->whole.kept) residuals_add(&s->whole, at, count, windows);
}

look_back look_back_of(const dataset *d, int64_t first, int64_t seq_len) {
    return (look_back){ d->scaled + first * d->frame.columns + d->out_first, seq_len, d->frame.columns,
                        d->scaler.std + d->out_first, d->blind ? d->blind + d->out_first : NULL };
}

static float *scales_of(const scoring *w, const band_tables *b) {
    int64_t columns = w->data->out_count;
    float  *out     = malloc((size_t)(w->windows.count * columns) * sizeof *out + 1);
    for (int64_t i = 0; out && i < w->windows.count; i++) {
        look_back window = look_back_of(w->data, window_start(&w->windows, i), w->seq_len);
        bands_scales(b, &window, out + i * columns);
    }
    return out;
}

/* Where all but a few windows are left out for their size, that is told. */
static void tell_left_out(const listener *l, const residuals *whole) {
    enum { FEW = 20 };
    if (!l || whole->kept >= FEW || !residuals_left_out(whole)) return;
    listener_note(l, FORECAST_STAGE_NOTE,
                  "of the %" PRId64 " validation windows %" PRId64 " are kept for sample paths, and intervals of sums, "
                  "as more would take over 4 MB", whole->windows, whole->kept);
}

/* What is beyond what so few windows can say is told, not hidden. */
void tell_reach(const listener *l, const band_tables *b, int forecaster, double highest) {
    for (int64_t s = 0; s < b->pred_len; s++) {
        double reach = bands_reach(b, forecaster, s);
        if (highest <= reach) continue;
        char most[32] = "at all";
        if (reach >= 1) snprintf(most, sizeof most, "above %.0f %%", floor(reach));
        listener_note(l, FORECAST_STAGE_NOTE,
                      "from step %" PRId64 " on, the validation windows vouch for no level %s: intervals of a higher "
                      "one reach as far as the largest error seen there", s + 1, most);
        return;
    }
}

/* `p` for the model, `baselines` for one of them. */
static tide_status calibrate(const scoring *validation, int who, window_program *p, const baseline_parts *baselines,
                             band_tables *out, tide_failure *failure) {
    window_watch watch[FORECASTERS] = { { 0 } };
    scoring      w     = *validation;
    seen         r     = { 0 };
    score_pair   pair  = { 0 };
    tide_failure why   = { 0 };
    float       *scale = scales_of(&w, out);
    int64_t      count = w.windows.count, apart = window_set_apart(&w.windows);
    bool         room  = scale && residuals_new(&r.tables, out, count, apart, scale) &&
                (!p || residuals_new_whole(&r.whole, out, count, apart, scale));
    if (p) out->shape = p->shape;
    if (p && p->shape.widths) r.tables.shape = r.whole.shape = &out->shape;
    watch[who] = (window_watch){ see_residuals, &r };
    w.watch    = watch;
    tide_status status = !room ? no_memory(&why)
                         : p   ? score_model(&w, p, &pair, &why)
                               : score_baseline(&w, who - 1, baselines, &pair, &why);
    if (status == TIDE_OK && !bands_calibrate(out, who, &r.tables)) status = no_memory(&why);
    if (status == TIDE_OK && p) tell_left_out(w.listener, &r.whole), bands_keep_windows(out, &r.whole);
    score_pair_free(&pair);
    residuals_free(&r.tables);
    residuals_free(&r.whole);
    free(scale);
    if (status == TIDE_OK || status == TIDE_EDATA) return TIDE_OK;
    if (failure && !failure->status) *failure = why;
    return status;
}

tide_status calibrate_model(const scoring *validation, window_program *p, band_tables *out, tide_failure *failure) {
    return calibrate(validation, 0, p, NULL, out, failure);
}

tide_status calibrate_baselines(const scoring *validation, const baseline_parts *baselines, band_tables *out,
                                tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < 3; i++) {
        bool late = i == SEASONAL && baselines->season > window_start(&validation->windows, 0) + validation->seq_len;
        if (baselines->made[i] && !late) status = calibrate(validation, 1 + i, NULL, baselines, out, failure);
    }
    return status;
}

/* ---- measuring ---- */

static void see_intervals(void *user, int64_t at, int64_t count, const seen_windows *windows) {
    intervals_add(user, at, count, windows);
}

/* The model's, which may have sums beside it. */
static void see_model(void *user, int64_t at, int64_t count, const seen_windows *windows) {
    interval_run *r = user;
    intervals_add(r->of[0], at, count, windows);
    sum_run_see(&r->sums, at, count, windows, r->scale);
}

tide_status interval_run_watch(interval_run *r, scoring *w, const band_tables *b, const levels *l,
                               tide_failure *failure) {
    if (!bands_any(b)) return TIDE_OK;
    if (!r->scale && !(r->scale = scales_of(w, b))) return no_memory(failure);
    for (int i = 0; i < FORECASTERS; i++) {
        if (!b->quantile[i] || r->of[i]) continue;
        if (!(r->of[i] = intervals_new(b, i, w->windows.count, window_set_apart(&w->windows), r->scale, l->of,
                                        l->count))) return no_memory(failure);
        r->watch[i] = i ? (window_watch){ see_intervals, r->of[i] } : (window_watch){ see_model, r };
    }
    w->watch = r->watch;
    return TIDE_OK;
}

tide_status interval_run_sums(interval_run *r, const forecast_options *o, const scoring *w, const band_tables *b,
                              const levels *l, tide_failure *failure) {
    r->names = w->data->frame.names + w->data->out_first;
    tide_status status = sum_run_open(&r->sums, o, w->data, l, w->pred_len, 0, w->pred_len, w->windows.count,
                                      failure);
    return status == TIDE_OK ? sum_run_paths(&r->sums, b, w->listener, failure) : status;
}

tide_status interval_run_end(const interval_run *r, forecast_result *result, tide_failure *failure) {
    if (r->sums.scores.windows && !sum_scores_result(&r->sums.scores, r->names, &result->sums))
        return no_memory(failure);
    for (int i = 0; i < FORECASTERS; i++)
        if (r->of[i] && !intervals_result(r->of[i], &result->intervals[i])) return no_memory(failure);
    return TIDE_OK;
}

void interval_run_free(interval_run *r) {
    for (int i = 0; i < FORECASTERS; i++) intervals_free(r->of[i]);
    free(r->scale);
    sum_run_free(&r->sums);
    *r = (interval_run){ 0 };
}

/* ---- all of it ---- */

tide_status full_scores_take(const forecast_options *o, scoring *w, window_program *p, band_tables *bands,
                             full_scores *out, tide_failure *failure) {
    const dataset *d          = w->data;
    scoring        validation = *w;
    levels         asked;
    validation.windows = dataset_windows(d, d->split.val, w->seq_len, w->pred_len);
    tide_status status = levels_measured(o->level, &asked, failure);
    if (status == TIDE_OK) status = bands_open(d, w->pred_len, bands, failure);
    if (status == TIDE_OK) status = calibrate_model(&validation, p, bands, failure);
    if (status == TIDE_OK) status = interval_run_watch(&out->intervals, w, bands, &asked, failure);
    if (status == TIDE_OK) status = interval_run_sums(&out->intervals, o, w, bands, &asked, failure);
    if (status == TIDE_OK) status = score_model(w, p, &out->model, failure);
    if (status == TIDE_OK) status = make_baselines(w, d->split, o->season, &out->baselines, failure);
    if (status == TIDE_OK) status = calibrate_baselines(&validation, &out->baselines, bands, failure);
    if (status == TIDE_OK) status = interval_run_watch(&out->intervals, w, bands, &asked, failure);
    return status == TIDE_OK ? score_baselines(w, &out->baselines, failure) : status;
}

void full_scores_free(full_scores *s) {
    score_pair_free(&s->model);
    baseline_parts_free(&s->baselines);
    interval_run_free(&s->intervals);
}
