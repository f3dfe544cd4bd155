/* Answers of a handle. Windows are asked about in batches: the largest program that they fill, again and again, then
 * smaller ones for what is left. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/frame_reading.h"
#include "forecast/data/gaps.h"
#include "forecast/data/zoned.h"
#include "forecast/models/head.h"
#include "handle_parts.h"
#include "train/step.h"

/* ---- programs ---- */

model_windows handle_inputs(forecast_model *m, int64_t windows, sized_program *p) {
    const model_config *c = &m->of->bundle.config;
    tide_graph    *g = m->session.graph;
    tide_shape     rows = TIDE_SHAPE(windows, c->seq_len, c->columns);
    p->past = tide_input(g, "past", TIDE_F32, rows);
    if (c->masked) p->gaps = tide_input(g, "gaps", TIDE_F32, rows);
    if (c->marks) p->marks = tide_input(g, "marks", TIDE_F32, TIDE_SHAPE(windows, c->seq_len, c->marks));
    if (c->known) p->known = tide_input(g, "known", TIDE_F32, TIDE_SHAPE(windows, c->pred_len, c->known));
    model_windows  x = { .past = p->past, .gaps = p->gaps, .marks = p->marks, .known = p->known };
    const statics *s = &m->of->bundle.statics;
    if (c->statics) x.statics = tide_constant(g, TIDE_F32, TIDE_SHAPE(s->columns, s->inputs), s->values);
    return x;
}

tide_status handle_compiled(const forecast_model *m, const tide_program *p, tide_failure *failure) {
    tide_status status = session_failure(&m->session, failure);
    if (status != TIDE_OK) return status;
    const tide_failure *why = tide_program_error(p);
    if (why->status && failure && !failure->status) *failure = *why;
    return why->status;
}

static tide_status compile_size(forecast_model *m, int i, tide_failure *failure) {
    const model_config *c = &m->of->bundle.config;
    sized_program *p = &m->program[i];
    double         began = os_seconds();
    model_windows  x = handle_inputs(m, m->size[i], p);
    head_values h = forecaster_rows(&m->session.model, &x, TIDE_EVAL);
    p->future  = forecaster_points(&h);
    p->widths  = forecaster_widths(c, &h);
    p->program = session_compile(&m->session, p->widths.graph ? TIDE_LIST(p->future, p->widths)
                                                              : TIDE_LIST(p->future));
    m->compile_s += os_seconds() - began;
    return handle_compiled(m, p->program, failure);
}

tide_status handle_program(forecast_model *m, int64_t windows, int *chosen, tide_failure *failure) {
    for (int i = 0;; i++) {
        if (m->size[i] > windows || !m->size[i]) continue;
        tide_failure why    = { 0 };
        tide_status  status = m->program[i].program ? TIDE_OK : compile_size(m, i, &why);
        *chosen = i;
        if (status == TIDE_OK) return status;
        tide_program_free(m->program[i].program);
        m->program[i] = (sized_program){ 0 };
        if (status == TIDE_ENOMEM && i + 1 < HANDLE_SIZES && tide_error(m->session.graph)->status == TIDE_OK) {
            m->size[i] = 0;
            continue;
        }
        if (failure && !failure->status) *failure = why;
        return status;
    }
}

/* Columns without history are gaps all along. */
static const float *hide(forecast_model *m, int64_t windows, const float *scaled) {
    const model_config *c = &m->of->bundle.config;
    int64_t numbers = windows * c->seq_len * c->columns;
    if (scaled != m->scaled) memcpy(m->scaled, scaled, (size_t)numbers * sizeof *scaled);
    for (int64_t i = 0; i < numbers; i++)
        if (m->of->bundle.blind[i % c->columns] > 0) m->scaled[i] = NAN;
    return m->scaled;
}

/* The windows as the model takes them, in m->scaled and m->gaps; `scaled` where they are so already. */
static const float *fill_windows(forecast_model *m, int64_t windows, const float *scaled) {
    const model_config *c = &m->of->bundle.config;
    int64_t each = c->seq_len * c->columns;
    bool    gaps = c->masked;
    for (int64_t i = 0; i < windows * each && !gaps; i++) gaps = isnan(scaled[i]);
    if (m->of->bundle.blind) scaled = hide(m, windows, scaled);
    for (int64_t w = 0; w < windows && gaps; w++)
        gaps_fill(scaled + w * each, c->seq_len, c->columns, m->scaled + w * each, m->gaps + w * each);
    return gaps ? m->scaled : scaled;
}

/* What it gives stays in the program's memory until it runs again. */
typedef struct answer { const float *future, *widths; } answer;  /* widths NULL: there are none */

tide_status handle_run(forecast_model *m, const sized_program *p, int64_t windows, handle_windows x,
                       tide_failure *failure) {
    tide_feed feeds[4] = { { p->past, fill_windows(m, windows, x.scaled) } };
    int       count = 1;
    if (p->gaps.graph) feeds[count++] = (tide_feed){ p->gaps, m->gaps };
    if (p->marks.graph) feeds[count++] = (tide_feed){ p->marks, x.marks };
    if (p->known.graph) feeds[count++] = (tide_feed){ p->known, x.known };
    tide_status status = tide_run(p->program, feeds, count);
    if (status != TIDE_OK && failure && !failure->status) *failure = *tide_program_error(p->program);
    return status;
}

static tide_status run_one(forecast_model *m, int i, handle_windows x, answer *out, tide_failure *failure) {
    const sized_program *p = &m->program[i];
    tide_status status = handle_run(m, p, m->size[i], x, failure);
    if (status != TIDE_OK) return fail(failure, status, "the forecast could not be computed");
    *out = (answer){ tide_data(p->future), p->widths.graph ? tide_data(p->widths) : NULL };
    if (!out->future || (p->widths.graph && !out->widths))
        return train_unread(p->future.graph, "the forecast", failure);
    return TIDE_OK;
}

tide_status handle_widths_fine(const float *widths, int64_t count, tide_failure *failure) {
    for (int64_t i = 0; i < count; i++)
        if (!(widths[i] > 0 && isfinite(widths[i])))
            return fail(failure, TIDE_EDATA, "how wide the forecast is spread is not a finite number: the rows hold an "
                                             "extreme value, or the numbers of the model are damaged");
    return TIDE_OK;
}

tide_status handle_forward(forecast_model *m, int64_t windows, handle_windows x, float *out, float *widths,
                           tide_failure *failure) {
    const model_config *c = &m->of->bundle.config;
    for (int64_t at = 0, count; at < windows; at += count) {
        int         i;
        tide_status status = handle_program(m, windows - at, &i, failure);
        if (status != TIDE_OK) return status;
        count  = m->size[i];
        answer  given;
        int64_t each = c->pred_len * c->out_count, wide = each * head_widths(c);
        handle_windows now = { x.scaled + at * c->seq_len * c->columns, x.marks, x.known };
        if (c->marks) now.marks += at * c->seq_len * c->marks;
        if (c->known) now.known += at * c->pred_len * c->known;
        status = run_one(m, i, now, &given, failure);
        if (status != TIDE_OK) return status;
        memcpy(out + at * each, given.future, (size_t)(count * each) * sizeof *out);
        if (widths && wide) memcpy(widths + at * wide, given.widths, (size_t)(count * wide) * sizeof *widths);
    }
    return TIDE_OK;
}

/* ---- answers ---- */

tide_status handle_check(const forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                         const double *known, const void *place, tide_failure *failure) {
    if (!m) return fail(failure, TIDE_EINVAL, "there is no model");
    if (windows < 0) return fail(failure, TIDE_EINVAL, "%" PRId64 " windows: 0 or more can be asked about", windows);
    if (windows && (!past || !place))
        return fail(failure, TIDE_EINVAL, "there is no %s", past ? "place for the forecasts" : "past to forecast from");
    if (windows && config_of(m)->marks && !time_s)
        return fail(failure, TIDE_EINVAL, "the model needs the time of each row");
    if (windows && config_of(m)->known && !known)
        return fail(failure, TIDE_EINVAL, "the model needs what is known of the rows to come, %" PRId64
                                          " columns: forecast_model_predict_known", config_of(m)->known);
    return TIDE_OK;
}

static tide_status place_fail(const forecast_model *m, int64_t window, int64_t row, int64_t column, const char *what,
                              tide_failure *failure) {
    const char *name = column < 0 ? NULL : m->of->bundle.names[column];
    return fail_at(failure, TIDE_EDATA, NULL, window * config_of(m)->seq_len + row + 1, name,
                   "window %" PRId64 ", row %" PRId64 "%s%.60s%s: %s", window + 1, row + 1, name ? ", '" : "",
                   name ? name : "", name ? "'" : "", what);
}

static tide_status check_past(const forecast_model *m, int64_t first, int64_t windows, const double *past,
                              tide_failure *failure) {
    const model_config *c = config_of(m);
    int64_t each = c->seq_len * c->columns;
    bool    fine = true;
    for (int64_t i = 0; i < windows * each; i++) fine &= isfinite(past[i]) || (c->masked && isnan(past[i]));
    for (int64_t i = 0; !fine && i < windows * each; i++)
        if (!isfinite(past[i]) && !(c->masked && isnan(past[i])))
            return place_fail(m, first + i / each, i % each / c->columns, i % c->columns,
                              c->masked ? "this is not a finite number; NaN says that a value is missing"
                                        : "this is not a finite number, and the model has not learned around gaps: "
                                          "fill them first", failure);
    return TIDE_OK;
}

static tide_status fill_marks(forecast_model *m, int64_t first, int64_t windows, const int64_t *time_s,
                              tide_failure *failure) {
    const model_config *c = config_of(m);
    for (int64_t i = 0; c->marks && i < windows * c->seq_len; i++) {
        if (!time_writable(time_s[i]))
            return place_fail(m, first + i / c->seq_len, i % c->seq_len, -1,
                              "the time lies outside the years 0 to 9999",
                              failure);
        marks_fill(zone_label(m->of->bundle.zone, time_s[i]), m->of->bundle.mark_step, m->marks + i * c->marks);
    }
    return TIDE_OK;
}

static tide_status to_original(const forecast_model *m, int64_t first, int64_t windows, const float *scaled,
                               double *future, tide_failure *failure) {
    const model_config *c = config_of(m);
    const scaler       *s = &m->of->bundle.scaler;
    int64_t each = c->pred_len * c->out_count;
    for (int64_t i = 0; i < windows * each; i++) {
        int64_t column = c->out_first + i % c->out_count;
        future[i]      = scaled[i] * s->std[column] + s->mean[column];
        if (!isfinite(future[i]))
            return fail_at(failure, TIDE_EDATA, NULL, 0, m->of->bundle.names[column],
                           "the forecast of '%.60s' from window %" PRId64 " is not a finite number: its rows hold an "
                           "extreme value, or the numbers of the model are damaged",
                           m->of->bundle.names[column], first + i / each + 1);
    }
    return TIDE_OK;
}

/* What is known of the rows to come, scaled, into m->known. */
static tide_status scale_known(forecast_model *m, int64_t first, int64_t windows, const double *known,
                               tide_failure *failure) {
    const model_config *c = config_of(m);
    const scaler       *s = &m->of->bundle.scaler;
    for (int64_t i = 0; i < windows * c->pred_len * c->known; i++) {
        int64_t column = c->columns - c->known + i % c->known, row = i / c->known;
        if (!isfinite(known[i]))
            return fail_at(failure, TIDE_EDATA, NULL, 0, m->of->bundle.names[column],
                           "window %" PRId64 ", row %" PRId64 " to come, '%.60s': this is not a finite number, and "
                           "what is known ahead has no gaps", first + row / c->pred_len + 1, row % c->pred_len + 1,
                           m->of->bundle.names[column]);
        m->known[i] = (float)((known[i] - s->mean[column]) / s->std[column]);
    }
    return TIDE_OK;
}

tide_status handle_take_windows(forecast_model *m, int64_t first, int64_t windows, given_windows x,
                                tide_failure *failure) {
    const model_config *c = config_of(m);
    tide_status status = check_past(m, first, windows, x.past, failure);
    if (status != TIDE_OK) return status;
    scaler_apply_gapped(&m->of->bundle.scaler, x.past, windows * c->seq_len, m->scaled);
    status = fill_marks(m, first, windows, x.time_s, failure);
    return status == TIDE_OK && c->known ? scale_known(m, first, windows, x.known, failure) : status;
}

/* In original units. */
static tide_status put_widths(const forecast_model *m, int64_t windows, const float *scaled, float *widths,
                              tide_failure *failure) {
    const model_config *c     = config_of(m);
    int64_t             count = windows * c->pred_len * c->out_count * head_widths(c);
    for (int64_t i = 0; i < count; i++)
        widths[i] = (float)((double)scaled[i] *
                            m->of->bundle.scaler.std[c->out_first + i / head_widths(c) % c->out_count]);
    return handle_widths_fine(widths, count, failure);
}

/* The size of a run for so many windows: the next larger one where they nearly fill it. */
static int64_t windows_run(const forecast_model *m, int64_t windows) {
    for (int i = HANDLE_SIZES - 1; i >= 0; i--)
        if (m->size[i] >= windows && 4 * windows >= 3 * m->size[i]) return m->size[i];
    return windows;
}

/* Windows that nobody asked about. */
static void fill_up(forecast_model *m, int64_t count, int64_t size) {
    const model_config *c = config_of(m);
    size_t rest = (size_t)MAX2(size - count, 0) * sizeof(float);
    memset(m->scaled + count * c->seq_len * c->columns, 0, rest * (size_t)(c->seq_len * c->columns));
    memset(m->marks + count * c->seq_len * c->marks, 0, rest * (size_t)(c->seq_len * c->marks));
    memset(m->known + count * c->pred_len * c->known, 0, rest * (size_t)(c->pred_len * c->known));
}

/* Of `count` windows, at most the program's. */
static tide_status predict_batch(forecast_model *m, int i, int64_t at, int64_t count, given_windows x, double *future,
                                 float *widths, tide_failure *failure) {
    answer  scaled;
    tide_status status = handle_take_windows(m, at, count, x, failure);
    fill_up(m, count, m->size[i]);
    if (status == TIDE_OK)
        status = run_one(m, i, (handle_windows){ m->scaled, m->marks, m->known }, &scaled, failure);
    if (status == TIDE_OK) status = to_original(m, at, count, scaled.future, future, failure);
    return status == TIDE_OK && widths ? put_widths(m, count, scaled.widths, widths, failure) : status;
}

tide_status handle_predict(forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                           const double *known, double *future, float *widths, tide_failure *failure) {
    const model_config *c = config_of(m);
    tide_status status = handle_check(m, windows, past, time_s, known, future, failure);
    for (int64_t at = 0, count = 0; status == TIDE_OK && at < windows; at += count) {
        int i;
        status = handle_program(m, windows_run(m, windows - at), &i, failure);
        if (status != TIDE_OK) return status;
        count = MIN2(m->size[i], windows - at);
        given_windows x = { past + at * c->seq_len * c->columns, time_s ? time_s + at * c->seq_len : NULL,
                            c->known ? known + at * c->pred_len * c->known : NULL };
        int64_t each = c->pred_len * c->out_count, wide = each * head_widths(c);
        status = predict_batch(m, i, at, count, x, future + at * each, widths ? widths + at * wide : NULL, failure);
    }
    return status;
}

tide_status forecast_model_predict_known(forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                                         const double *known, double *future, tide_failure *failure) {
    failure_clear(failure);
    return handle_predict(m, windows, past, time_s, known, future, NULL, failure);
}

tide_status forecast_model_predict(forecast_model *m, int64_t windows, const double *past, const int64_t *time_s,
                                   double *future, tide_failure *failure) {
    return forecast_model_predict_known(m, windows, past, time_s, NULL, future, failure);
}

/* ---- from a frame ---- */

static const char *categorical_of(const forecast_model *m) {
    return json_string_value(json_object_get(m->of->bundle.reading, "categorical"));
}

/* The frame's column of codes that the model's column NAME=VALUE stands for; -1: there is none. */
static int64_t find_category(const forecast_model *m, const tide_frame *f, const char *name) {
    char   base[256];
    size_t length = category_base(categorical_of(m), name);
    if (!length || length >= sizeof base) return -1;
    snprintf(base, sizeof base, "%.*s", (int)length, name);
    return tide_frame_find(f, base);
}

/* Is the code this value of its category? `other` are those that have no column of their own. */
static bool is_value(const forecast_model *m, int64_t column, double code) {
    const bundle *b = &m->of->bundle;
    char          text[32];
    size_t        base = category_base(categorical_of(m), b->names[column]) + 1;
    if (isnan(code)) return false;
    category_text(text, code);
    if (strcmp(b->names[column] + base, CATEGORY_OTHER) != 0) return !strcmp(b->names[column] + base, text);
    for (int64_t c = 0; c < b->config.columns; c++)
        if (!strncmp(b->names[c], b->names[column], base) && !strcmp(b->names[c] + base, text)) return false;
    return true;
}

static tide_status copy_category(const forecast_model *m, int64_t column, const double *codes, int64_t stride,
                                 double *past, double *known) {
    const model_config *c   = config_of(m);
    int64_t             own = column - (c->columns - c->known);
    for (int64_t i = 0; i < c->seq_len; i++) past[i * c->columns + column] = is_value(m, column, codes[i * stride]);
    for (int64_t i = 0; own >= 0 && i < c->pred_len; i++)
        known[i * c->known + own] = is_value(m, column, codes[(c->seq_len + i) * stride]);
    return TIDE_OK;
}

/* Rows of a frame that are forecast, for what is known of them. */
static int64_t rows_ahead(const forecast_model *m) {
    const model_config *c = config_of(m);
    return c->known > forecast_model_holidays(m, 0, NULL) ? c->pred_len : 0;
}

/* `time_s`: of the rows that the forecast starts from. */
static tide_status copy_holidays(const forecast_model *m, const int64_t *time_s, double *past, double *known,
                                 tide_failure *failure) {
    const model_config *c     = config_of(m);
    int64_t             count = m->of->bundle.holiday_columns;
    if (count && !time_s)
        return fail(failure, TIDE_EDATA, "the model goes by holidays, and the frame has no times in whole seconds");
    for (int64_t i = 0; count && i < c->seq_len; i++)
        forecast_model_holidays(m, time_s[i], past + (i + 1) * c->columns - count);
    for (int64_t i = 0; count && i < c->pred_len; i++)
        forecast_model_holidays(m, zoned_advance(m->of->bundle.zone, time_s[c->seq_len - 1], m->of->bundle.step, i + 1),
                                known + (i + 1) * c->known - count);
    return TIDE_OK;
}

static tide_status copy_column(const forecast_model *m, const tide_frame *f, int64_t column, double *past,
                               double *known, tide_failure *failure) {
    const model_config *c    = config_of(m);
    const char         *name = m->of->bundle.names[column];
    int64_t ahead = rows_ahead(m);
    int64_t stride, place = tide_frame_find(f, name), first = tide_frame_rows(f) - c->seq_len - ahead;
    if (place < 0 && (place = find_category(m, f, name)) >= 0) {
        const double *codes = tide_frame_values(f, place, &stride); /* which sets the stride */
        return copy_category(m, column, codes + first * stride, stride, past, known);
    }
    if (place < 0)
        return fail_at(failure, TIDE_EDATA, NULL, 0, name, "the frame has no column '%.60s', which the model needs",
                       name);
    const double *values = tide_frame_values(f, place, &stride);
    int64_t own = column - (c->columns - c->known);
    for (int64_t i = 0; i < c->seq_len; i++) past[i * c->columns + column] = values[(first + i) * stride];
    for (int64_t i = 0; own >= 0 && i < ahead; i++)
        known[i * c->known + own] = values[(first + c->seq_len + i) * stride];
    return TIDE_OK;
}

static tide_status check_frame_step(const forecast_model *m, const int64_t *time_s, tide_failure *failure) {
    const time_step own = m->of->bundle.step;
    char            was[STEP_TEXT];
    if (!time_s || !own.unit) return TIDE_OK;
    int64_t   rows = config_of(m)->seq_len;
    time_step now;
    bool      keeps;
    if (!zoned_step_find(m->of->bundle.zone, time_s, rows, &now) ||
        !zoned_step_keeps(m->of->bundle.zone, own, time_s, rows, now, &keeps))
        return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
    if (!now.unit || keeps || (step_same(now, own) && !own.sessions)) return TIDE_OK;
    step_print(was, now);
    return fail(failure, TIDE_EDATA,
                "the frame's rows are %s apart, those that the model learned from %s: it forecasts only that frequency",
                was, m->of->frequency);
}

/* The window that a forecast starts from, in the order of the model's columns, and what is known of the rows to
 * come. */
typedef struct frame_window {
    double        *past, *known;   /* one block: free(past) */
    const int64_t *time_s;         /* the frame's */
} frame_window;

/* A row that is left out or out of order would move all before it. Months and longer steps have ends of their own: of
 * these the order is asked for. The rows that the run keeps stand as it learned from them. */
static tide_status check_order(const forecast_model *m, const int64_t *time_s, int64_t first,
                               tide_failure *failure) {
    const bundle *b = &m->of->bundle;
    size_t        bytes = (size_t)b->config.seq_len * sizeof *time_s;
    if (!time_s || !b->step.unit || (b->tail_time && !memcmp(time_s, b->tail_time, bytes))) return TIDE_OK;
    for (int64_t i = 1; i < b->config.seq_len; i++) {
        bool follows = b->step.unit >= UNIT_MONTH
                           ? time_s[i] > time_s[i - 1]
                           : time_s[i] == zoned_advance(b->zone, time_s[i - 1], b->step, 1) ||
                                 time_s[i] == zoned_follow(b->zone, time_s[0], time_s[i - 1], b->step, i);
        if (follows) continue;
        return fail_at(failure, TIDE_EDATA, NULL, first + i + 1, b->time_name,
                       "row %" PRId64 " is not one step of %s after the row before it: rows stand in the order of "
                       "time, one for each step, with NaN where nothing is known", first + i + 1, m->of->frequency);
    }
    return TIDE_OK;
}

/* As check_past has it, by the rows of the frame. */
static tide_status check_rows(const forecast_model *m, const double *past, int64_t first, tide_failure *failure) {
    const model_config *c = config_of(m);
    for (int64_t i = 0; i < c->seq_len * c->columns; i++) {
        const char *name = m->of->bundle.names[i % c->columns];
        int64_t     row  = first + i / c->columns + 1;
        if (isfinite(past[i]) || (c->masked && isnan(past[i]))) continue;
        return fail_at(failure, TIDE_EDATA, NULL, row, name,
                       "row %" PRId64 ", '%.60s': this is not a finite number%s", row, name,
                       c->masked ? "; NaN says that a value is missing"
                                 : ", and the model has not learned around gaps: fill them first");
    }
    return TIDE_OK;
}

static tide_status take_window(const forecast_model *m, const tide_frame *f, frame_window *out,
                               tide_failure *failure) {
    const model_config *c = config_of(m);
    int64_t rows = tide_frame_rows(f), needed = c->seq_len + rows_ahead(m);
    if (rows < needed)
        return fail(failure, TIDE_EDATA, "the frame has %" PRId64 " rows; the model needs %" PRId64 "%s", rows, needed,
                    rows_ahead(m) ? ", those to come among them" : "");
    const int64_t *all = tide_frame_time(f);
    out->time_s = all ? all + rows - needed : NULL;
    if (c->marks && !out->time_s)
        return fail(failure, TIDE_EDATA, "the model needs time stamps, and the frame has none in whole seconds");
    tide_status status = check_frame_step(m, out->time_s, failure);
    if (status == TIDE_OK) status = check_order(m, out->time_s, rows - needed, failure);
    if (status != TIDE_OK) return status;
    int64_t numbers = c->seq_len * c->columns;
    out->past = malloc((size_t)(numbers + c->pred_len * c->known) * sizeof *out->past);
    if (!out->past) return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
    out->known = out->past + numbers;
    for (int64_t i = 0; status == TIDE_OK && i < c->columns - m->of->bundle.holiday_columns; i++)
        status = copy_column(m, f, i, out->past, out->known, failure);
    if (status == TIDE_OK) status = copy_holidays(m, out->time_s, out->past, out->known, failure);
    return status == TIDE_OK ? check_rows(m, out->past, rows - needed, failure) : status;
}

tide_status forecast_model_predict_frame_levels(forecast_model *m, const tide_frame *f, const double *levels,
                                                int64_t level_count, double *future, double *bands,
                                                tide_failure *failure) {
    failure_clear(failure);
    if (!m || !f) return fail(failure, TIDE_EINVAL, "there is no %s", m ? "frame" : "model");
    frame_window w      = { 0 };
    tide_status  status = take_window(m, f, &w, failure);
    if (status == TIDE_OK)
        status = level_count ? forecast_model_predict_levels(m, 1, w.past, w.time_s, w.known, levels, level_count,
                                                             future, bands, failure)
                             : forecast_model_predict_known(m, 1, w.past, w.time_s, w.known, future, failure);
    free(w.past);
    return status;
}

tide_status forecast_model_predict_frame(forecast_model *m, const tide_frame *f, double *future,
                                         tide_failure *failure) {
    return forecast_model_predict_frame_levels(m, f, NULL, 0, future, NULL, failure);
}
