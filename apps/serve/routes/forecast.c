/* Forecasts: a request becomes a task with windows; tasks of one model that wait together are one call. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "forecast_cut.h"
#include "serve/fields/numbers.h"
#include "later.h"

enum { DIGITS = FORECAST_DIGITS, MOST_NUMBERS = FORECAST_MOST_NUMBERS, MOST_WINDOWS = 4096 };

#define R rows_in
static const field rows_fields[] = {
    { "time", FIELD_TIMES, offsetof(R, time), .most = MOST_NUMBERS,
      .help = "of each row: \"2026-12-01 13:00\", or seconds since 1970; may be absent where the model needs none" },
    { "columns", FIELD_COLUMNS, offsetof(R, columns), .nullable = true, .most = MOST_NUMBERS,
      .help = "{\"name\": [numbers]}: the model's columns, the last of its rows count; null is a gap" },
    { "values", FIELD_NUMBERS, offsetof(R, values), .nullable = true, .most = MOST_NUMBERS,
      .help = "of several windows: (windows, rows, columns), flat, without the columns of holidays" },
};
const record rows_record = { "Rows", "Rows of a series.", rows_fields, sizeof rows_fields / sizeof *rows_fields,
                             sizeof(R) };
#define P forecast_in
const option_door predict_door = { forecast_table, FORECAST_FOR_PREDICT, "Machine" };
static const field predict_rows[] = {
    { "model", FIELD_TEXT, offsetof(P, model), .required = true, .help = "its id" },
    { "past", FIELD_RECORD, offsetof(P, past), .of = &rows_record, .help = "the rows before" },
    { "future", FIELD_RECORD, offsetof(P, future), .of = &rows_record,
      .help = "columns known ahead, of the rows to come" },
    { "upload", FIELD_TEXT, offsetof(P, upload),
      .help = "in place of past: a table that was brought, by its id; what is known ahead stands in its last rows" },
    { "cut", FIELD_WHOLE, offsetof(P, cut), .low = 1, .high = MOST_NUMBERS,
      .help = "of the upload: forecast from the rows before this one on, as forecast/read counts them; what is known "
              "ahead stands in those behind it" },
    { "level", FIELD_NUMBERS, offsetof(P, level), .low = 1, .high = 99, .most = FORECAST_MAX_LEVELS, .unit = "%",
      .help = "prediction intervals, ascending: [80, 95]" },
    { "windows", FIELD_WHOLE, offsetof(P, windows), .low = 1, .high = MOST_WINDOWS,
      .help = "how many windows `values` hold" },
    { "baselines", FIELD_BOOL, offsetof(P, baselines),
      .help = "add the forecasts of last value, seasonal naive and linear, `baselines`" },
    { "options", FIELD_OPTIONS, offsetof(P, options), .door = &predict_door,
      .help = "as the command has them: how the table is read, season, use, lower, upper, ..." },
};
const record predict_record = { "ForecastPredict", "Rows that a forecast starts from.", predict_rows,
                                sizeof predict_rows / sizeof *predict_rows, sizeof(P) };

typedef struct predict_task {
    work_item     item;
    http_request *r;
    body          body;
    forecast_in   in;
    model        *model;
    int64_t       windows;
    double       *past, *known;   /* as forecast_model_predict has them; the body's memory */
    int64_t      *time, *ahead;   /* (windows, seq_len); of the rows to come, of one window. NULL: no times */
    double       *future, *bands;
    problem       problem;
} predict_task;

static void discard(predict_task *t) {
    body_free(&t->body);
    model_drop(t->model);
    free(t->future);
    free(t->bands);
    free(t);
}

static void refuse(predict_task *t) {
    reply_problem(t->r, &t->problem);
    discard(t);
}

static bool no_memory(predict_task *t) {
    return problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
}

/* ---- what is asked ---- */

const numbers *rows_column(const rows_in *in, const char *name) {
    for (int64_t i = 0; in && i < in->columns.count; i++)
        if (strcmp(in->columns.at[i].name, name) == 0) return &in->columns.at[i].values;
    return NULL;
}

static bool refuse_missing(predict_task *t, const char *where, const char *name, int64_t rows) {
    char pointer[PROBLEM_POINTER];
    snprintf(pointer, sizeof pointer, "/%s/columns/%.100s", where, name);
    return problem_at(&t->problem, pointer, "%lld numbers are wanted", (long long)rows);
}

/* Column `column` of `columns` interleaved ones: the last `rows` of the request's. */
static bool take_column(predict_task *t, const rows_in *in, const char *where, const char *name, int64_t rows,
                        double *out, int64_t columns, int64_t column) {
    const numbers *n = rows_column(in, name);
    if (!n || n->count < rows) return refuse_missing(t, where, name, rows);
    for (int64_t i = 0; i < rows; i++) out[i * columns + column] = n->at[n->count - rows + i];
    return true;
}

static bool take_columns(predict_task *t, const forecast_model *f) {
    int64_t seq = forecast_model_seq_len(f), columns = forecast_model_columns(f);
    bool    fine = true;
    if (!(t->past = body_keep(&t->body, (size_t)(seq * columns) * sizeof *t->past))) return no_memory(t);
    int64_t holidays = forecast_model_holidays(f, 0, NULL);
    for (int64_t c = 0; c < columns - holidays; c++)
        fine &= take_column(t, t->in.past, "past", forecast_model_column_name(f, c), seq, t->past, columns, c);
    return fine;
}

static bool take_known(predict_task *t, const forecast_model *f) {
    int64_t pred = forecast_model_pred_len(f), known = forecast_model_known(f), columns = forecast_model_columns(f);
    int64_t given = known - forecast_model_holidays(f, 0, NULL);
    bool    fine  = true;
    if (!known) return true;
    if (!(t->known = body_keep(&t->body, (size_t)(pred * known) * sizeof *t->known))) return no_memory(t);
    for (int64_t c = 0; c < given; c++)
        fine &= take_column(t, t->in.future, "future", forecast_model_column_name(f, columns - known + c), pred,
                            t->known, known, c);
    return fine;
}

/* Holidays follow from the times alone. */
static void put_holidays(predict_task *t, const forecast_model *f) {
    int64_t holidays = forecast_model_holidays(f, 0, NULL), columns = forecast_model_columns(f);
    int64_t seq = forecast_model_seq_len(f), pred = forecast_model_pred_len(f), known = forecast_model_known(f);
    for (int64_t i = 0; holidays && i < t->windows * seq; i++)
        forecast_model_holidays(f, t->time[i], t->past + (i + 1) * columns - holidays);
    for (int64_t i = 0; holidays && i < t->windows * pred; i++)
        forecast_model_holidays(f, t->ahead[i], t->known + (i + 1) * known - holidays);
}

static bool window_times(predict_task *t, const forecast_model *f, int64_t window) {
    int64_t  seq = forecast_model_seq_len(f), pred = forecast_model_pred_len(f);
    int64_t *time = t->time + window * seq;
    tide_failure failure = { 0 };
    for (int64_t i = 1; i < seq; i++)
        if (time[i] <= time[i - 1]) return problem_at(&t->problem, "/past/time", "the times must ascend");
    if (forecast_model_times_after(f, time[seq - 1], pred, t->ahead + window * pred, &failure) == TIDE_OK) return true;
    return problem_of(&t->problem, &failure, "/past/time");
}

static bool take_times(predict_task *t, const forecast_model *f) {
    const numbers *n = &t->in.past->time;
    int64_t rows = forecast_model_seq_len(f) * t->windows;
    if (!n->count && !forecast_model_needs_time(f) && !forecast_model_holidays(f, 0, NULL)) return true;
    if (n->count < rows) return problem_at(&t->problem, "/past/time", "%lld times are wanted", (long long)rows);
    t->time  = body_keep(&t->body, (size_t)rows * sizeof *t->time);
    t->ahead = body_keep(&t->body, (size_t)(forecast_model_pred_len(f) * t->windows) * sizeof *t->ahead);
    if (!t->time || !t->ahead) return no_memory(t);
    for (int64_t i = 0; i < rows; i++) t->time[i] = (int64_t)n->at[n->count - rows + i];
    bool fine = true;
    for (int64_t w = 0; fine && w < t->windows; w++) fine = window_times(t, f, w);
    return fine;
}

/* Numbers of several windows, `given` in each of so many rows, with room for `wide`: NULL, and it is told. */
static double *take_values(predict_task *t, const rows_in *in, const char *pointer, int64_t rows, int64_t given,
                           int64_t wide) {
    int64_t count = rows * given, there = in ? in->values.count : 0;
    if (there != count) {
        problem_at(&t->problem, pointer, "%lld numbers are wanted; there are %lld", (long long)count, (long long)there);
        return NULL;
    }
    if (given == wide) return in ? in->values.at : NULL;
    double *all = body_keep(&t->body, (size_t)(rows * wide) * sizeof *all);
    if (!all) no_memory(t);
    for (int64_t i = 0; all && i < count; i++) all[i / given * wide + i % given] = in->values.at[i];
    return all;
}

/* Many windows at once: flat, in the model's order of columns. */
static bool take_flat(predict_task *t, const forecast_model *f) {
    int64_t columns = forecast_model_columns(f), known = forecast_model_known(f);
    int64_t holidays = forecast_model_holidays(f, 0, NULL);
    t->past = take_values(t, t->in.past, "/past/values", t->windows * forecast_model_seq_len(f), columns - holidays,
                          columns);
    if (known)
        t->known = take_values(t, t->in.future, "/future/values", t->windows * forecast_model_pred_len(f),
                               known - holidays, known);
    return !t->problem.status;
}

static bool check_levels(predict_task *t, const forecast_model *f) {
    for (int64_t i = 1; i < t->in.level.count; i++)
        if (t->in.level.at[i] <= t->in.level.at[i - 1])
            return problem_at(&t->problem, "/level", "the levels must ascend");
    if (!t->in.level.count || forecast_model_has_levels(f)) return true;
    return problem_at(&t->problem, "/level", "this model keeps no intervals");
}

static bool parse(predict_task *t) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    return has_no_query(t->r, &t->problem) && body_parse(bytes, length, &t->body, &t->problem) &&
           record_decode(&t->body, t->body.root, &predict_record, "", &t->in, &t->problem);
}

static bool decode(predict_task *t, models *all) {
    if (!t->in.past) return problem_at(&t->problem, "/past", "it is missing; an upload would do as well");
    if (!(t->model = models_take(all, t->in.model, MODEL_FORECAST, &t->problem))) return false;
    const forecast_model *f = t->model->forecast;
    bool flat  = t->in.windows > 0;
    t->windows = flat ? t->in.windows : 1;
    bool fine  = flat ? take_flat(t, f) : take_columns(t, f);
    fine = take_times(t, f) && fine;
    fine = (flat || take_known(t, f)) && fine && check_levels(t, f);
    if (fine) put_holidays(t, f);
    return fine;
}

/* ---- answers ---- */

static bool make_room(predict_task *t, int64_t cells) {
    int64_t levels = t->in.level.count;
    t->future = malloc((size_t)(t->windows * cells) * sizeof *t->future);
    t->bands  = levels ? malloc((size_t)(t->windows * cells * levels * 2) * sizeof *t->bands) : NULL;
    return t->future && (!levels || t->bands);
}

static bool predict_alone(predict_task *t, forecast_model *f) {
    tide_failure failure = { 0 };
    if (!make_room(t, forecast_model_pred_len(f) * forecast_model_targets(f))) return no_memory(t);
    tide_status status =
        t->in.level.count ? forecast_model_predict_levels(f, t->windows, t->past, t->time, t->known, t->in.level.at,
                                                          t->in.level.count, t->future, t->bands, &failure)
        : t->known ? forecast_model_predict_known(f, t->windows, t->past, t->time, t->known, t->future, &failure)
                   : forecast_model_predict(f, t->windows, t->past, t->time, t->future, &failure);
    return status == TIDE_OK || problem_of(&t->problem, &failure, "/past");
}

static void print_names(text *out, const forecast_model *f) {
    for (int64_t c = 0; c < forecast_model_targets(f); c++) {
        text_add(out, c ? "," : "");
        reply_text(out, forecast_model_target_name(f, c));
    }
}

static void print_key(text *out, const forecast_model *f, int64_t target) {
    text_add(out, target ? "," : "");
    reply_text(out, forecast_model_target_name(f, target));
    text_add(out, ":");
}

static void print_times(const predict_task *t, text *out, int64_t pred) {
    char stamp[40] = "\"";
    if (!t->ahead || t->in.windows) return;
    text_add(out, "\"time\":[");
    for (int64_t i = 0; i < pred; i++) {
        request_time_print(stamp + 1, t->ahead[i]);
        size_t length = strlen(stamp);
        memcpy(stamp + length, i + 1 < pred ? "\"," : "\"]", 3);
        text_put(out, stamp, length + 2);
    }
    text_add(out, ",");
}

static void print_bands(const predict_task *t, text *out, const forecast_model *f) {
    int64_t pred = forecast_model_pred_len(f), targets = forecast_model_targets(f), levels = t->in.level.count;
    text_add(out, ",\"bands\":{");
    for (int64_t c = 0; c < targets; c++) {
        print_key(out, f, c);
        for (int64_t l = 0; l < levels; l++) {
            const double *low = t->bands + (c * levels + l) * 2;
            text_add(out, "%s\"%.10g\":{\"low\":", l ? "," : "{", t->in.level.at[l]);
            numbers_print(out, low, pred, targets * levels * 2, DIGITS);
            text_add(out, ",\"high\":");
            numbers_print(out, low + 1, pred, targets * levels * 2, DIGITS);
            text_add(out, "}");
        }
        text_add(out, "}");
    }
    text_add(out, "}");
}

static void print_flat(const predict_task *t, text *out, const forecast_model *f) {
    int64_t cells = t->windows * forecast_model_pred_len(f) * forecast_model_targets(f);
    text_add(out, "{\"windows\":%lld,\"targets\":[", (long long)t->windows);
    print_names(out, f);
    text_add(out, "],\"values\":");
    numbers_print(out, t->future, cells, 1, DIGITS);
    if (t->bands) {
        text_add(out, ",\"bands\":");
        numbers_print(out, t->bands, cells * t->in.level.count * 2, 1, DIGITS);
    }
    text_add(out, "}");
}

static void print_columns(const predict_task *t, text *out, const forecast_model *f) {
    int64_t pred = forecast_model_pred_len(f), targets = forecast_model_targets(f);
    text_add(out, "{");
    print_times(t, out, pred);
    text_add(out, "\"columns\":{");
    for (int64_t c = 0; c < targets; c++) {
        print_key(out, f, c);
        numbers_print(out, t->future + c, pred, targets, DIGITS);
    }
    text_add(out, "}");
    if (t->bands) print_bands(t, out, f);
    text_add(out, "}");
}

static void finish(predict_task *t, const forecast_model *f) {
    text out = { 0 };
    if (t->problem.status) {
        refuse(t);
        return;
    }
    if (t->in.windows) print_flat(t, &out, f);
    else print_columns(t, &out, f);
    if (out.failed) text_free(&out);
    reply_json(t->r, 200, out.failed ? NULL : out.data);
    discard(t);
}

/* ---- several at once ---- */

static bool same_levels(const predict_task *a, const predict_task *b) {
    const numbers *x = &a->in.level, *y = &b->in.level;
    return x->count == y->count && (!x->count || memcmp(x->at, y->at, (size_t)x->count * sizeof *x->at) == 0);
}

static bool joins(const predict_task *t, const predict_task *first) {
    if (t->windows != 1 || t->known) return false;
    return !first || (!t->time == !first->time && same_levels(t, first));
}

/* What `count` tasks give and take, side by side. */
typedef struct shared { double *in, *out, *bands; int64_t *time; } shared;

static bool shared_new(const predict_task *first, int count, int64_t past, int64_t seq, int64_t cells, shared *s) {
    int64_t bands = cells * first->in.level.count * 2;
    *s = (shared){ .in = malloc((size_t)(count * past) * sizeof *s->in),
                   .out = malloc((size_t)(count * cells) * sizeof *s->out),
                   .bands = bands ? malloc((size_t)(count * bands) * sizeof *s->bands) : NULL,
                   .time = first->time ? malloc((size_t)(count * seq) * sizeof *s->time) : NULL };
    return s->in && s->out && (s->bands || !bands) && (s->time || !first->time);
}

static void shared_free(shared *s) { free(s->in), free(s->out), free(s->bands), free(s->time); }

/* Tasks that join as one call; false: each is asked for itself, as one of them may be at fault. */
static bool predict_together(predict_task *const *t, int count, forecast_model *f) {
    int64_t seq = forecast_model_seq_len(f), past = seq * forecast_model_columns(f), levels = t[0]->in.level.count;
    int64_t cells = forecast_model_pred_len(f) * forecast_model_targets(f), bands = cells * levels * 2;
    shared  s;
    bool    fine = shared_new(t[0], count, past, seq, cells, &s);
    for (int i = 0; fine && i < count; i++) {
        memcpy(s.in + i * past, t[i]->past, (size_t)past * sizeof *s.in);
        if (s.time) memcpy(s.time + i * seq, t[i]->time, (size_t)seq * sizeof *s.time);
        fine = make_room(t[i], cells);
    }
    fine = fine && (levels ? forecast_model_predict_levels(f, count, s.in, s.time, NULL, t[0]->in.level.at, levels,
                                                           s.out, s.bands, NULL)
                           : forecast_model_predict(f, count, s.in, s.time, s.out, NULL)) == TIDE_OK;
    for (int i = 0; fine && i < count; i++) {
        memcpy(t[i]->future, s.out + i * cells, (size_t)cells * sizeof *s.out);
        if (levels) memcpy(t[i]->bands, s.bands + i * bands, (size_t)bands * sizeof *s.bands);
    }
    for (int i = 0; !fine && i < count; i++) {
        free(t[i]->future), free(t[i]->bands);
        t[i]->future = t[i]->bands = NULL;
    }
    shared_free(&s);
    return fine;
}

static void answer(void *user, int thread, work_item *const *items, int count) {
    predict_task  *together[WORK_BATCH];
    int            many    = 0;
    tide_failure   failure = { 0 };
    forecast_model *f = model_forecast(((predict_task *)items[0])->model, thread, &failure);
    (void)user;
    for (int i = 0; i < count; i++) {
        predict_task *t = (predict_task *)items[i];
        if (f && joins(t, many ? together[0] : NULL)) {
            together[many++] = t;
            continue;
        }
        if (!f) problem_of(&t->problem, &failure, "");
        else predict_alone(t, f);
        finish(t, f);
    }
    bool done = many > 1 && predict_together(together, many, f);
    for (int i = 0; i < many; i++) {
        if (!done) predict_alone(together[i], f);
        finish(together[i], f);
    }
}

/* What is more than numbers in and numbers out. */
static bool is_table(const predict_task *t) {
    return t->in.upload || t->in.options || t->in.baselines || wants_csv(t->r);
}

/* With the rows at hand. */
static void go_on(serve *s, predict_task *t) {
    http_request *r = t->r;
    if (is_table(t)) {
        table_task_begin(&predict_table, s, r, &t->body, &t->in);
        discard(t);
        return;
    }
    if (!decode(t, s->models)) {
        refuse(t);
        return;
    }
    t->item = (work_item){ .answer = answer, .kind = t->model };
    if (work_put(s->quick, &t->item)) return;
    problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}

/* What the answer needs of the table is copied on the way. */
static void from_table(serve *s, predict_task *t, table *kept) {
    if (kept && cut_rows(s, &t->body, kept, &t->in, &t->problem)) go_on(s, t);
    else refuse(t);
    table_drop(kept);
}

static void read_table(void *user, int thread, work_item *const *items, int count) {
    predict_task *t    = (predict_task *)items[0];
    serve        *s    = user;
    cut_file      file = { .key = NULL };
    table        *kept = NULL;
    (void)thread, (void)count; /* of no kind: one at a time */
    if (cut_key(s, &t->body, &t->in, &file, &t->problem)) kept = cut_read(s, &t->body, &t->in, &file, &t->problem);
    free(file.key);
    from_table(s, t, kept);
}

/* A table that is kept is at hand; else a worker reads it. */
static void cut(serve *s, predict_task *t) {
    cut_file file = { .key = NULL };
    table   *kept = NULL;
    bool     fine = cut_key(s, &t->body, &t->in, &file, &t->problem) && (kept = tables_find(s->tables, file.key));
    free(file.key);
    if (fine || t->problem.status) {
        from_table(s, t, kept);
        return;
    }
    t->item = (work_item){ .answer = read_table };
    if (work_put(s->quick, &t->item)) return;
    problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}

static void predict(serve *s, http_request *r) {
    if (!body_is_json(r)) {
        table_task_begin(&predict_table, s, r, NULL, NULL);
        return;
    }
    predict_task *t = calloc(1, sizeof *t);
    if (!t) {
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->r = r;
    if (!parse(t)) {
        refuse(t);
        return;
    }
    if (t->in.cut) cut(s, t);
    else go_on(s, t);
}

void route_forecast_predict(void *user, http_request *r) { decoded(user, r, predict); }

/* ---- whom it looks at ---- */

static void answer_attention(void *user, int thread, work_item *const *items, int count) {
    predict_task *t   = (predict_task *)items[0];
    text          out = { 0 };
    (void)user, (void)count; /* of no kind: one at a time */
    if (!attention_print(t->model, thread, t->past, t->time, t->known, &out, &t->problem)) {
        text_free(&out);
        refuse(t);
        return;
    }
    if (out.failed) text_free(&out);
    reply_json(t->r, 200, out.failed ? NULL : out.data);
    discard(t);
}

static bool decode_attention(predict_task *t, models *all) {
    size_t      length;
    const char *bytes = http_body(t->r, &length);
    return body_parse(bytes, length, &t->body, &t->problem) &&
           record_decode(&t->body, t->body.root, &attention_record, "", &t->in, &t->problem) && decode(t, all);
}

static void attend(serve *s, http_request *r) {
    predict_task *t = calloc(1, sizeof *t);
    if (!t) {
        reply_busy(r, "There is no memory at the moment.");
        return;
    }
    t->r    = r;
    t->item = (work_item){ .answer = answer_attention };
    if (decode_attention(t, s->models) && work_put(s->quick, &t->item)) return;
    if (!t->problem.status)
        problem_say(&t->problem, 503, "busy", "As many requests wait as may; ask again in a moment.");
    refuse(t);
}

void route_forecast_attention(void *user, http_request *r) { decoded(user, r, attend); }
