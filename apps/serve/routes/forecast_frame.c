/* Arrays as a table, and a forecast as an answer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "forecast.h"

/* ---- a table ---- */

typedef struct shape { int64_t rows, ahead; } shape;

static bool no_memory(table_task *t) {
    return problem_say(&t->problem, 503, "memory", "There is no memory at the moment.");
}

/* Arrays of one table have one length. */
static bool check_lengths(table_task *t, const rows_in *in, const char *where, int64_t rows) {
    char pointer[PROBLEM_POINTER];
    bool fine = true;
    for (int64_t i = 0; i < in->columns.count; i++) {
        if (in->columns.at[i].values.count == rows) continue;
        snprintf(pointer, sizeof pointer, "/%s/columns/%.100s", where, in->columns.at[i].name);
        fine = problem_at(&t->problem, pointer, "%lld numbers are wanted; there are %lld", (long long)rows,
                          (long long)in->columns.at[i].values.count);
    }
    return fine;
}

static bool check_past(table_task *t, const rows_in *in, shape *of) {
    if (in->values.count)
        return problem_at(&t->problem, "/past/values", "these are of several windows: a table is given as columns");
    if (!in->columns.count) return problem_at(&t->problem, "/past/columns", "it is missing");
    of->rows = in->columns.at[0].values.count;
    if (in->time.count && in->time.count != of->rows)
        return problem_at(&t->problem, "/past/time", "%lld times are wanted; there are %lld", (long long)of->rows,
                          (long long)in->time.count);
    return check_lengths(t, in, "past", of->rows);
}

/* Each column that is known ahead, of all rows to come. */
static bool check_future(table_task *t, const rows_in *in, shape *of) {
    const forecast_model *f = t->model->forecast;
    int64_t known = forecast_model_known(f) - forecast_model_holidays(f, 0, NULL), columns = forecast_model_columns(f);
    char    pointer[PROBLEM_POINTER];
    bool    fine = true;
    if (!in) return true;
    if (!known) return problem_at(&t->problem, "/future", "no column of this model is known ahead");
    of->ahead = forecast_model_pred_len(f);
    for (int64_t c = 0; c < known; c++) {
        const char *name = forecast_model_column_name(f, columns - forecast_model_known(f) + c);
        if (rows_column(in, name)) continue;
        snprintf(pointer, sizeof pointer, "/future/columns/%.100s", name);
        fine = problem_at(&t->problem, pointer, "it is missing");
    }
    return check_lengths(t, in, "future", of->ahead) && fine;
}

static bool add_column(table_task *t, const column *past, shape of) {
    tide_failure   failure = { 0 };
    const numbers *ahead   = rows_column(t->in.future, past->name);
    double        *values  = body_keep(&t->body, (size_t)(of.rows + of.ahead) * sizeof *values + 1);
    if (!values) return no_memory(t);
    memcpy(values, past->values.at, (size_t)of.rows * sizeof *values);
    for (int64_t i = 0; i < of.ahead; i++) values[of.rows + i] = ahead ? ahead->at[i] : (double)NAN;
    return tide_frame_borrow(t->frame, past->name, values, 1, &failure) == TIDE_OK ||
           problem_of(&t->problem, &failure, "/past");
}

static bool add_times(table_task *t, shape of) {
    const numbers *n = &t->in.past->time;
    tide_failure   failure = { 0 };
    if (!n->count) return true;
    int64_t *time = body_keep(&t->body, (size_t)(of.rows + of.ahead) * sizeof *time + 1);
    if (!time) return no_memory(t);
    for (int64_t i = 0; i < of.rows; i++) time[i] = (int64_t)n->at[i];
    tide_status status = of.ahead ? forecast_model_times_after(t->model->forecast, time[of.rows - 1], of.ahead,
                                                               time + of.rows, &failure) : TIDE_OK;
    if (status == TIDE_OK) status = tide_frame_set_time(t->frame, "date", time, &failure);
    return status == TIDE_OK || problem_of(&t->problem, &failure, "/past/time");
}

bool table_frame(table_task *t) {
    shape        of      = { 0 };
    tide_failure failure = { 0 };
    bool         fine    = check_past(t, t->in.past, &of) && check_future(t, t->in.future, &of);
    if (fine && tide_frame_new(of.rows + of.ahead, &t->frame, &failure) != TIDE_OK)
        return problem_of(&t->problem, &failure, "/past");
    for (int64_t i = 0; fine && i < t->in.past->columns.count; i++)
        fine = add_column(t, &t->in.past->columns.at[i], of);
    return fine && add_times(t, of);
}

/* ---- an answer ---- */

/* Every `stride`-th number from there on, of each row. */
static json_t *numbers_json(const double *at, int64_t count, int64_t stride) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_finite(at[i * stride]));
    return list;
}

static json_t *times_json(const forecast_prediction *p) {
    json_t *list = json_array();
    char    stamp[32];
    for (int64_t i = 0; i < p->rows; i++) {
        request_time_print(stamp, p->time_s[i]);
        list = json_with_item(list, json_string(stamp));
    }
    return list;
}

static json_t *bands_json(const forecast_prediction *p, int64_t series) {
    json_t *all = json_object();
    for (int64_t l = 0; l < p->level_count; l++) {
        char          level[32];
        const double *low = p->bands + (series * p->level_count + l) * 2;
        int64_t       stride = p->series * p->level_count * 2;
        snprintf(level, sizeof level, "%.10g", p->level[l]);
        json_t *one = json_with(json_object(), "low", numbers_json(low, p->rows, stride));
        all = json_with(all, level, json_with(one, "high", numbers_json(low + 1, p->rows, stride)));
    }
    return all;
}

json_t *forecast_as_json(const forecast_prediction *p) {
    json_t *o = json_object(), *columns = json_object(), *bands = json_object();
    if (p->time_s) o = json_with(o, "time", times_json(p));
    for (int64_t c = 0; c < p->series; c++) {
        columns = json_with(columns, p->names[c], numbers_json(p->values + c, p->rows, p->series));
        if (p->bands) bands = json_with(bands, p->names[c], bands_json(p, c));
    }
    o = json_with(o, "columns", columns);
    if (p->bands) o = json_with(o, "bands", bands);
    else json_decref(bands);
    if (p->clamped || p->clamped_bounds)
        o = json_with(o, "clamped", json_pack("{s:I, s:I}", "forecasts", (json_int_t)p->clamped, "bounds",
                                              (json_int_t)p->clamped_bounds));
    return json_with(o, "used", json_string(p->used));
}

static void add_cell(text *t, const char *name, const char *suffix) {
    bool quoted = strpbrk(name, ",\"\n\r") != NULL;
    if (quoted) text_add(t, "\"");
    for (; *name; name++) text_add(t, quoted && *name == '"' ? "\"\"" : "%c", *name);
    text_add(t, quoted ? "%s\"" : "%s", suffix);
}

static void add_name(const forecast_prediction *p, int64_t series, int64_t place, text *t) {
    char level[32], suffix[40] = "";
    if (place) {
        num_format(level, p->level[llabs(place) - 1], false);
        snprintf(suffix, sizeof suffix, "-%s-%s", place < 0 ? "lo" : "hi", level);
    }
    add_cell(t, p->names[series], suffix);
}

static void add_value(const forecast_prediction *p, int64_t row, int64_t series, int64_t place, text *t) {
    int64_t cell  = row * p->series + series;
    double  value = p->values[cell];
    char    number[40];
    if (place) value = p->bands[(cell * p->level_count + llabs(place) - 1) * 2 + (place > 0)];
    if (isnan(value)) return;
    num_format(number, value, true);
    text_add(t, "%s", number);
}

/* A forecast's bounds stand around it, as in the command's file. Row -1: the names. */
static void add_series(const forecast_prediction *p, int64_t row, int64_t series, text *t) {
    int64_t levels = p->bands ? p->level_count : 0;
    for (int64_t place = -levels; place <= levels; place++) {
        if (p->time_s || series || place > -levels) text_add(t, ",");
        if (row < 0) add_name(p, series, place, t);
        else add_value(p, row, series, place, t);
    }
}

char *forecast_as_csv(const forecast_prediction *p) {
    text t = { 0 };
    char stamp[32];
    for (int64_t row = -1; row < p->rows; row++) {
        if (p->time_s && row >= 0) request_time_print(stamp, p->time_s[row]);
        if (p->time_s) text_add(&t, "%s", row < 0 ? "date" : stamp);
        for (int64_t c = 0; c < p->series; c++) add_series(p, row, c, &t);
        text_add(&t, "\n");
    }
    if (t.failed) text_free(&t);
    return t.failed ? NULL : t.data;
}

/* {"lo-80": [..], "hi-80": [..]} as {"80": {"low": [..], "high": [..]}}. */
static json_t *bands_of_command(const json_t *said) {
    json_t     *all = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)said, name, value) {
        const char *level = strrchr(name, '-') + 1, *side = *name == 'l' ? "low" : "high";
        if (!json_object_get(all, level)) all = json_with(all, level, json_object());
        json_t *one = json_object_get(all, level);
        if (one && json_object_set(one, side, value) != 0) return json_decref(all), NULL;
    }
    return all;
}

json_t *forecast_of_command(json_t *said) {
    static const char *const same[] = { "used", "clamped" };
    json_t     *o = json_object(), *bands = json_object(), *value, *levels = json_object_get(said, "intervals");
    const char *name;
    if (json_is_array(json_object_get(said, "time")))
        o = json_with(o, "time", json_incref(json_object_get(said, "time")));
    o = json_with(o, "columns", json_incref(json_object_get(said, "forecast")));
    json_object_foreach(levels, name, value) bands = json_with(bands, name, bands_of_command(value));
    if (levels) o = json_with(o, "bands", bands);
    else json_decref(bands);
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (json_object_get(said, same[i])) o = json_with(o, same[i], json_incref(json_object_get(said, same[i])));
    json_decref(said);
    return o;
}
