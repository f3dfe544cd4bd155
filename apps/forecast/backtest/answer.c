/* Origins forecast in batches of one program, and by the baselines, and compared with what came. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/gaps.h"
#include "forecast/fit/calibrate.h"
#include "forecast/fit/finite.h"
#include "forecast/models/head.h"
#include "rolling.h"
#include "train/step.h"

/* Room for one origin: a window without gaps, the linear baseline's forecast of all columns, and the rows that
 * count. */
typedef struct room { float *window, *linear, *scale, *widths; double *forecasts; } room;

static bool room_new(const rolling *r, room *out) {
    const model_config *c = &r->bundle->config;
    size_t past = (size_t)(c->seq_len * c->columns), future = (size_t)(c->pred_len * c->columns);
    *out = (room){ malloc(past * sizeof(float) + 1), malloc(future * sizeof(float) + 1),
                   malloc((size_t)c->out_count * sizeof(float) + 1),
                   malloc((size_t)(c->pred_len * c->out_count * head_widths(c)) * sizeof(float) + 1),
                   malloc((size_t)(r->options->horizon * c->out_count * FORECAST_BY_COUNT) * sizeof(double) + 1) };
    return out->window && out->linear && out->scale && out->widths && out->forecasts;
}

static void room_free(room *m) {
    free(m->window);
    free(m->linear);
    free(m->scale);
    free(m->widths);
    free(m->forecasts);
}

static void ask_linear(const rolling *r, const answerer *a, int64_t start, room *m) {
    const model_config *c = &r->bundle->config;
    const float *window = a->data->scaled + start * c->columns;
    if (a->data->frame.gaps) gaps_fill(window, c->seq_len, c->columns, m->window, NULL), window = m->window;
    baseline_predict(a->linear, window, c->seq_len, c->pred_len, c->columns, m->linear);
}

/* The forecasts of one row, `step` rows behind the origin's next, by all four. */
static void put_row(const rolling *r, const answerer *a, const float *prediction, const room *m, int64_t origin,
                    int64_t step, int64_t column, double out[FORECAST_BY_COUNT]) {
    const model_config *c = &r->bundle->config;
    const scaler       *s = &a->data->scaler;
    int64_t at = c->out_first + column, naive = origin * c->columns + at;
    out[FORECAST_BY_MODEL]      = prediction[step * c->out_count + column] * s->std[at] + s->mean[at];
    out[FORECAST_BY_LAST_VALUE] = r->last[naive];
    out[FORECAST_BY_SEASONAL]   = (double)NAN;
    if (r->seasonal)
        out[FORECAST_BY_SEASONAL] = r->seasonal[naive + (step % r->season - r->season + 1) * c->columns];
    out[FORECAST_BY_LINEAR] = (double)m->linear[step * c->columns + at] * s->std[at] + s->mean[at];
}

static tide_status not_a_number(const rolling *r, const answerer *a, int64_t origin, int64_t column,
                                tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    char what[200];
    snprintf(what, sizeof what, "the forecast of '%.150s'", r->bundle->names[c->out_first + column]);
    return not_finite(a->data, origin - c->seq_len + 1, c->seq_len, what, failure);
}

/* Widths as the program gives them (pred_len, out columns, widths), if it does. */
static window_spread spread_at(const rolling *r, const answerer *a, int64_t origin, const float *widths, room *m) {
    const model_config *c = &r->bundle->config;
    look_back           window = look_back_of(a->data, origin - c->seq_len + 1, c->seq_len);
    if (r->intervals.levels.count) bands_scales(a->bands, &window, m->scale);
    if (widths) widths_to_original(a->data, widths, c->pred_len * c->out_count, head_widths(c), m->widths);
    return (window_spread){ m->scale, widths ? m->widths : NULL };
}

/* All rows of the horizon, as paths are made of whole forecasts. */
static void take_sums(rolling *r, const answerer *a, int64_t which, const float *prediction,
                      const window_spread *spread) {
    const model_config *c = &r->bundle->config;
    const scaler       *s = &a->data->scaler;
    const frame        *f = &r->data.frame;
    if (!r->totals.maker.rank || !sum_scores_wanted(&r->totals.scores, which)) return;
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++) {
        int64_t column = c->out_first + i % c->out_count, row = r->origin[which] + 1 + i / c->out_count;
        r->totals.scores.forecast[i] = (double)prediction[i] * s->std[column] + s->mean[column];
        r->totals.scores.truth[i]    = f->values[row * f->columns + column];
    }
    sum_scores_take(&r->totals.scores, &r->totals.maker, spread);
}

static tide_status take_origin(rolling *r, const answerer *a, int64_t which, const float *prediction,
                               const float *widths, room *m, tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    const frame *f = &r->data.frame;
    int64_t origin = r->origin[which], lead = r->options->lead;
    double *at = m->forecasts;
    window_spread spread = spread_at(r, a, origin, widths, m);
    ask_linear(r, a, origin - c->seq_len + 1, m);
    for (int64_t step = 0; step < r->options->horizon; step++)
        for (int64_t column = 0; column < c->out_count; column++, at += FORECAST_BY_COUNT) {
            error_row row = { .origin = which, .column = column, .step = step };
            put_row(r, a, prediction, m, origin, lead + step, column, at);
            if (!isfinite(at[FORECAST_BY_MODEL])) return not_a_number(r, a, origin, column, failure);
            memcpy(row.forecast, at, sizeof row.forecast);
            row.truth = f->values[(origin + 1 + lead + step) * f->columns + c->out_first + column];
            error_sums_add(&r->sums, &row);
            coverage_add(&r->intervals, a->bands,
                         &(covered){ lead + step, column, at[FORECAST_BY_MODEL], row.truth, &spread });
        }
    take_sums(r, a, which, prediction, &spread);
    return r->csv || r->rows ? rolling_rows(r, a, which, m->forecasts, &spread) : TIDE_OK;
}

static tide_status answer_batch(rolling *r, const answerer *a, window_program *p, int64_t first, int64_t count,
                                room *m, tide_failure *failure) {
    const model_config *c = &r->bundle->config;
    int32_t starts[MOST_BATCH];
    for (int64_t i = 0; i < count; i++) starts[i] = (int32_t)(r->origin[first + i] - c->seq_len + 1);
    tide_status status = run_windows(p, starts, count, failure);
    if (status != TIDE_OK) return status;
    const float *prediction = tide_data(p->prediction);
    const float *widths     = p->widths.graph ? tide_data(p->widths) : NULL;
    int64_t      each       = c->pred_len * c->out_count;
    if (!prediction || (p->widths.graph && !widths))
        return train_unread(p->prediction.graph, "the forecasts", failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++)
        status = take_origin(r, a, first + i, prediction + i * each,
                             widths ? widths + i * each * p->shape.widths : NULL, m, failure);
    forecast_event event = { .stage = FORECAST_STAGE_SCORE, .batch = first + count, .batches = r->origins };
    if (status == TIDE_OK && listener_tell(&r->listener, event))
        return fail(failure, TIDE_ECANCELLED, "stopped while forecasting");
    return status;
}

tide_status rolling_answer(rolling *r, const answerer *a, int64_t first, int64_t count, tide_failure *failure) {
    window_program p;
    room           m = { 0 };
    tide_status status = session_scoring_all(a->session, count, WINDOW_FORECASTS, &p, failure);
    if (status == TIDE_OK && !room_new(r, &m)) status = rolling_no_memory(failure);
    if (status == TIDE_OK) status = sum_run_paths(&r->totals, a->bands, first ? NULL : &r->listener, failure);
    for (int64_t at = 0; status == TIDE_OK && at < count; at += p.batch)
        status = answer_batch(r, a, &p, first + at, MIN2(p.batch, count - at), &m, failure);
    room_free(&m);
    return status;
}
