/* Origins forecast in batches of one program, and by the linear baseline. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "forecast/fit/calibrate.h"
#include "forecast/fit/finite.h"
#include "forecast/models/head.h"
#include "rolling.h"
#include "train/step.h"

/* Room for one origin: a window without gaps, the linear baseline's forecast of all columns, and its figures. */
static bool room_new(const rolling *r, answering *out) {
    const model_config *c = &r->bundle->config;
    size_t past = (size_t)(c->seq_len * c->columns), future = (size_t)(c->pred_len * c->columns);
    out->window  = malloc(past * sizeof(float) + 1);
    out->linear  = malloc(future * sizeof(float) + 1);
    out->scale   = malloc((size_t)c->out_count * sizeof(float) + 1);
    out->widths  = malloc((size_t)(c->pred_len * c->out_count * head_widths(c)) * sizeof(float) + 1);
    out->figures = malloc((size_t)rolling_numbers(r) * sizeof *out->figures);
    return out->window && out->linear && out->scale && out->widths && out->figures;
}

tide_status answering_open(rolling *r, const answerer *by, int64_t windows, bool tells, answering *out,
                           tide_failure *failure) {
    *out = (answering){ .by = by };
    tide_status status = session_scoring_all(by->session, windows, WINDOW_FORECASTS, &out->program, failure);
    if (status == TIDE_OK && !room_new(r, out)) status = rolling_no_memory(failure);
    return status == TIDE_OK ? sum_run_paths(&r->totals, by->bands, tells ? &r->listener : NULL, failure) : status;
}

void answering_close(answering *a) {
    free(a->window);
    free(a->linear);
    free(a->scale);
    free(a->widths);
    free(a->figures);
    *a = (answering){ 0 };
}

static void ask_linear(const rolling *r, answering *a, int64_t start) {
    const model_config *c = &r->bundle->config;
    const dataset      *d = a->by->data;
    const float *window = d->scaled + start * c->columns;
    if (d->frame.gaps) gaps_fill(window, c->seq_len, c->columns, a->window, NULL), window = a->window;
    baseline_predict(a->by->linear, window, c->seq_len, c->pred_len, c->columns, a->linear);
}

static tide_status not_a_number(const rolling *r, const answering *a, int64_t origin, int64_t column,
                                tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    char what[200];
    snprintf(what, sizeof what, "the forecast of '%.150s'", r->bundle->names[c->out_first + column]);
    return not_finite(a->by->data, origin - c->seq_len + 1, c->seq_len, what, failure);
}

/* Widths as the program gives them (pred_len, out columns, widths), if it does. */
static window_spread spread_at(const rolling *r, answering *a, int64_t origin, const float *widths) {
    const model_config *c = &r->bundle->config;
    look_back           window = look_back_of(a->by->data, origin - c->seq_len + 1, c->seq_len);
    if (r->intervals.levels.count) bands_scales(a->by->bands, &window, a->scale);
    if (widths) widths_to_original(a->by->data, widths, c->pred_len * c->out_count, head_widths(c), a->widths);
    return (window_spread){ a->scale, widths ? a->widths : NULL };
}

/* The model's forecast of a row, `behind` rows after the origin's next, and the linear baseline's. */
static tide_status fill_row(const rolling *r, answering *a, int64_t which, int64_t step, int64_t column,
                            const float *prediction, const window_spread *spread, tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    const scaler *s = &a->by->data->scaler;
    const frame  *f = &r->data.frame;
    int64_t behind = r->options->lead + step, at = c->out_first + column, row = r->origin[which] + 1 + behind;
    double *out = (double *)rolling_row(r, a->figures, step, column).forecast;
    out[0] = prediction[behind * c->out_count + column] * s->std[at] + s->mean[at];
    out[1] = (double)a->linear[behind * c->columns + at] * s->std[at] + s->mean[at];
    if (!isfinite(out[0])) return not_a_number(r, a, r->origin[which], column, failure);
    coverage_bounds(&r->intervals, a->by->bands,
                    &(covered){ behind, column, out[0], f->values[row * f->columns + at], spread }, out + 2);
    return TIDE_OK;
}

static void fill_sums(rolling *r, answering *a, int64_t which, const float *prediction, const window_spread *spread) {
    const model_config *c = &r->bundle->config;
    const scaler       *s = &a->by->data->scaler;
    sum_scores         *t = &r->totals.scores;
    double             *out = (double *)rolling_sum_bounds(r, a->figures);
    bool                wanted = r->totals.maker.rank && sum_scores_wanted(t, which);
    a->figures[0] = wanted;
    if (!wanted && t->cells) memset(out, 0, (size_t)sum_scores_numbers(t) * sizeof *out);
    if (!wanted) return;
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++) {
        int64_t column = c->out_first + i % c->out_count;
        t->forecast[i] = (double)prediction[i] * s->std[column] + s->mean[column];
    }
    sum_scores_bounds(t, &r->totals.maker, spread, out);
}

static tide_status fill_origin(rolling *r, answering *a, int64_t which, const float *prediction, const float *widths,
                               tide_failure *failure) {
    int64_t       origin = r->origin[which];
    window_spread spread = spread_at(r, a, origin, widths);
    tide_status   status = TIDE_OK;
    ask_linear(r, a, origin - r->bundle->config.seq_len + 1);
    for (int64_t step = 0; status == TIDE_OK && step < r->options->horizon; step++)
        for (int64_t column = 0; status == TIDE_OK && column < r->bundle->config.out_count; column++)
            status = fill_row(r, a, which, step, column, prediction, &spread, failure);
    if (status == TIDE_OK) fill_sums(r, a, which, prediction, &spread);
    return status;
}

static tide_status answer_batch(rolling *r, answering *a, int64_t first, int64_t count, figures_taker take, void *user,
                                tide_failure *failure) {
    const model_config   *c = &r->bundle->config;
    const window_program *p = &a->program;
    int32_t starts[MOST_BATCH];
    for (int64_t i = 0; i < count; i++) starts[i] = (int32_t)(r->origin[first + i] - c->seq_len + 1);
    tide_status status = run_windows(&a->program, starts, count, failure);
    if (status != TIDE_OK) return status;
    const float *prediction = tide_data(p->prediction);
    const float *widths     = p->widths.graph ? tide_data(p->widths) : NULL;
    int64_t      each       = c->pred_len * c->out_count;
    if (!prediction || (p->widths.graph && !widths))
        return train_unread(p->prediction.graph, "the forecasts", failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        const float *wide = widths ? widths + i * each * p->shape.widths : NULL;
        status = fill_origin(r, a, first + i, prediction + i * each, wide, failure);
        if (status == TIDE_OK) status = take(user, first + i, a->figures, failure);
    }
    forecast_event event = { .stage = FORECAST_STAGE_SCORE, .batch = first + count, .batches = r->origins };
    if (status == TIDE_OK && listener_tell(&r->listener, event))
        return fail(failure, TIDE_ECANCELLED, "stopped while forecasting");
    return status;
}

tide_status answering_run(rolling *r, answering *a, int64_t first, int64_t count, figures_taker take, void *user,
                          tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t at = 0; status == TIDE_OK && at < count; at += a->program.batch)
        status = answer_batch(r, a, first + at, MIN2(a->program.batch, count - at), take, user, failure);
    return status;
}

tide_status rolling_answer(rolling *r, const answerer *by, int64_t first, int64_t count, figures_taker take, void *user,
                           tide_failure *failure) {
    answering   a;
    tide_status status = answering_open(r, by, count, first == 0, &a, failure);
    if (status == TIDE_OK) status = answering_run(r, &a, first, count, take, user, failure);
    answering_close(&a);
    return status;
}
