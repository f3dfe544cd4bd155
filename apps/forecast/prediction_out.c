/* A forecast as CSV, in the columns and the form of the input, as JSON and as a plot; and where these go. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/data/zoned.h"
#include "prediction.h"

/* ---- text ---- */

/* Quoted when it holds what would end it: a name, or a stamp such as Jan 1, 2023. */
void prediction_add_cell(text *t, const char *cell, const char *suffix) {
    if (!strpbrk(cell, ",\"\n\r")) {
        text_add(t, "%s%s", cell, suffix);
        return;
    }
    text_add(t, "\"");
    for (; *cell; cell++) text_add(t, *cell == '"' ? "\"\"" : "%c", *cell);
    text_add(t, "%s\"", suffix);
}

/* A forecast's bounds stand around it; a stamp stands alone. */
int64_t prediction_places(const prediction *p) { return 2 * p->levels.count + 1; }

static int64_t places_of(const prediction *p, int64_t column) { return column < 0 ? 1 : prediction_places(p); }

/* Nothing where there is no bound. Where something was added up all digits are written: the parts have few
 * (prediction_round), and the sums those that make them add up. */
void prediction_add_value(const prediction *p, text *t, int64_t cell, int64_t place) {
    char   number[40];
    double value = prediction_value(p, cell, place);
    if (isnan(value)) return;
    num_format(number, value, !prediction_adds(p) || place != p->levels.count);
    text_add(t, "%s", number);
}

static void add_header(const prediction *p, text *t, int64_t column) {
    char suffix[40] = "";
    for (int64_t place = 0; place < places_of(p, column); place++) {
        if (place) text_add(t, ",");
        if (column >= 0) prediction_suffix(p, place, suffix);
        prediction_add_cell(t, column < 0 ? p->data.frame.time_columns.of[-1 - column].name
                                          : prediction_name(p, column), suffix);
    }
}

static int64_t place_of(const prediction *p, int64_t column) {
    const frame *f = &p->data.frame;
    if (column < 0) return f->time_columns.of[-1 - column].place;
    if (column >= p->bundle->config.out_count) return INT64_MAX; /* sums are last */
    column += p->bundle->config.out_first;
    return f->place ? f->place[column] : column;
}

static tide_status order_columns(prediction *p, tide_failure *failure) {
    int64_t count = p->series, stamps = p->time ? p->data.frame.time_columns.count : 0;
    p->order      = malloc((size_t)(count + stamps + 1) * sizeof *p->order);
    if (!p->order) return prediction_no_memory(failure);
    for (int64_t column = -stamps; column < count; column++) {
        int64_t at = p->shown++;
        for (; at > 0 && place_of(p, p->order[at - 1]) > place_of(p, column); at--) p->order[at] = p->order[at - 1];
        p->order[at] = column;
    }
    return TIDE_OK;
}

static void add_cell(const prediction *p, text *t, int64_t row, int64_t column, int64_t place) {
    const model_config *c = &p->bundle->config;
    char stamp[40];
    if (place) text_add(t, ",");
    if (column >= 0) {
        prediction_add_value(p, t, row * p->series + column, place);
        return;
    }
    zoned_print_part(stamp, p->data.frame.zone, p->time[c->seq_len + row], &p->data.frame.format,
                     p->data.frame.time_columns.of[-1 - column].part);
    prediction_add_cell(t, stamp, "");
}

void prediction_header(const prediction *p, text *t) {
    if (p->data.frame.form.ids) {
        prediction_long_header(p, t);
        return;
    }
    for (int64_t i = 0; i < p->shown; i++) {
        if (i) text_add(t, ",");
        add_header(p, t, p->order[i]);
    }
    text_add(t, "\n");
}

void prediction_rows_csv(const prediction *p, text *t, const char *before) {
    if (p->data.frame.form.ids) {
        prediction_long_rows(p, t, before);
        return;
    }
    for (int64_t s = 0; s < p->rows; s++) {
        text_add(t, "%s", before);
        for (int64_t i = 0; i < p->shown; i++) {
            if (i) text_add(t, ",");
            for (int64_t place = 0; place < places_of(p, p->order[i]); place++)
                add_cell(p, t, s, p->order[i], place);
        }
        text_add(t, "\n");
    }
}

static tide_status make_csv(const prediction *p, forecast_result *r, tide_failure *failure) {
    text t = { 0 };
    prediction_header(p, &t);
    prediction_rows_csv(p, &t, "");
    r->csv = t.data;
    return t.failed ? prediction_no_memory(failure) : TIDE_OK;
}

/* {"lo-80": [...], "hi-80": [...], ...} of a column. */
static json_t *bounds_json(const prediction *p, int64_t column) {
    json_t *o = json_object();
    for (int64_t place = 0; place <= 2 * p->levels.count; place++) {
        char    suffix[40];
        json_t *one = json_array();
        prediction_suffix(p, place, suffix);
        for (int64_t s = 0; s < p->rows; s++) {
            double v = prediction_value(p, s * p->series + column, place);
            json_array_append_new(one, isnan(v) ? json_null() : json_real(v));
        }
        if (*suffix) json_object_set_new(o, suffix + 1, one);
        else json_decref(one);
    }
    return o;
}

static void put_intervals(const prediction *p, json_t *o) {
    json_t *levels = json_array(), *columns = json_object();
    for (int64_t i = 0; i < p->levels.count; i++) json_array_append_new(levels, json_real(p->levels.of[i]));
    for (int64_t k = 0; k < p->shown; k++)
        if (p->order[k] >= 0)
            json_object_set_new(columns, prediction_name(p, p->order[k]), bounds_json(p, p->order[k]));
    json_object_set_new(o, "levels", levels);
    json_object_set_new(o, "intervals", columns);
}

static tide_status make_json(const prediction *p, forecast_result *r, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    json_t *values = json_object(), *times = p->time ? json_array() : json_null();
    for (int64_t s = 0; p->time && s < p->rows; s++) {
        char stamp[40];
        zoned_print(stamp, p->data.frame.zone, p->time[c->seq_len + s], &p->data.frame.format);
        json_array_append_new(times, json_string(stamp));
    }
    for (int64_t k = 0; k < p->shown; k++) {
        int64_t i = p->order[k];
        if (i < 0) continue;
        json_t *one = json_array();
        for (int64_t s = 0; s < p->rows; s++) json_array_append_new(one, json_real(p->values[s * p->series + i]));
        json_object_set_new(values, prediction_name(p, i), one);
    }
    json_t *o =
        json_pack("{s:i, s:s, s:o, s:s, s:I, s:I, s:f, s:o, s:o}", "schema_version", 1, "command", "forecast predict",
                  "run", json_text(p->options->model), "used", r->used, "seq_len", (json_int_t)c->seq_len,
                  "pred_len", (json_int_t)c->pred_len, "compile_ms", 1e3 * handle_compile_s(p->model), "time", times,
                  "forecast", values);
    if (o && p->levels.count) put_intervals(p, o);
    if (o && p->lower)
        json_object_set_new(o, "clamped", json_pack("{s:I, s:I}", "forecasts", (json_int_t)p->clamped, "bounds",
                                                    (json_int_t)p->clamped_bounds));
    if (o && p->options->sum_horizon) json_object_set_new(o, "sum_horizon", json_true());
    tide_status status = o && p->options->paths ? prediction_paths_json(p, o, failure) : TIDE_OK;
    /* of sums the digits that make them those of their parts */
    if (status == TIDE_OK && prediction_adds(p)) r->json = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    else if (status == TIDE_OK) r->json = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(o);
    if (status != TIDE_OK) return status;
    return r->json ? TIDE_OK : prediction_no_memory(failure);
}

/* ---- files ---- */

static tide_status put_csv(void *user, void *stdio_file) { return fputs(user, stdio_file) < 0 ? TIDE_EIO : TIDE_OK; }

static bool to_file(const forecast_options *o) { return *o->output && strcmp(o->output, "-"); }

/* Beside a pipe or a device there is no place for files. */
bool prediction_beside(const forecast_options *o) {
    struct stat info;
    return to_file(o) && stat(o->output, &info) == 0 && S_ISREG(info.st_mode);
}

/* "next-plot.svg" beside --output next.csv: no name that --output could have, nor have its numbers, next-plot.csv. */
bool prediction_name_beside(const forecast_options *o, const char *ending, char path[FOLDER_PATH]) {
    const char *slash = strrchr(o->output, '/'), *dot = strrchr(o->output, '.');
    int         stem  = dot && dot > (slash ? slash : o->output) ? (int)(dot - o->output) : (int)strlen(o->output);
    return snprintf(path, FOLDER_PATH, "%.*s%s", stem, o->output, ending) < FOLDER_PATH;
}

tide_status prediction_check_file(const prediction *p, const char *path, tide_failure *failure) {
    const forecast_options *o    = p->options;
    const char             *sums = *o->sum == '@' ? o->sum + 1 : "";
    return output_check(path, "output", o->overwrite, o->model,
                        (const char *const[]){ o->data, o->future, o->holidays, o->issued, o->statics, sums,
                                                p->path, NULL },
                        failure);
}

tide_status prediction_check_output(const prediction *p, tide_failure *failure) {
    const forecast_options *o = p->options;
    char                    paths[FOLDER_PATH];
    if (!to_file(o)) return TIDE_OK;
    tide_status status = prediction_check_file(p, o->output, failure);
    if (status != TIDE_OK || !o->paths) return status;
    if (!prediction_name_beside(o, "-paths.csv", paths)) return fail(failure, TIDE_EINVAL, "the name of the paths is "
                                                                                           "too long");
    return prediction_check_file(p, paths, failure);
}

/* Where the plot goes: beside --output if that is a regular file, else into the run's folder. */
static tide_status plot_place(const prediction *p, char path[FOLDER_PATH], char csv[FOLDER_PATH],
                              tide_failure *failure) {
    const forecast_options *o = p->options;
    if (!prediction_beside(o)) return owned_claim_plot(o->model, "forecast-plot", path, failure);
    if (!prediction_name_beside(o, "-plot.svg", path) || !prediction_name_beside(o, "-plot.csv", csv))
        return fail(failure, TIDE_EINVAL, "the name of the plot is too long");
    tide_status status = prediction_check_file(p, path, failure);
    return status == TIDE_OK ? prediction_check_file(p, csv, failure) : status;
}

static tide_status draw(const prediction *p, const char *path, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    const frame        *f = &p->data.frame;
    bool    shown  = p->bundle->target >= c->out_first && p->bundle->target < c->out_first + c->out_count;
    int64_t column = shown ? p->bundle->target : c->out_first;
    int64_t sides = 2 * p->levels.count;
    double *values = malloc((size_t)(c->seq_len + c->pred_len * (1 + sides)) * sizeof *values);
    if (!values) return prediction_no_memory(failure);
    double *bands = values + c->seq_len + c->pred_len;
    for (int64_t i = 0; i < c->pred_len * sides; i++)
        bands[i] = p->bands[(i / sides * p->series + column - c->out_first) * sides + i % sides];
    for (int64_t i = 0; i < c->seq_len; i++) values[i] = f->values[i * f->columns + column];
    for (int64_t i = 0; i < c->pred_len; i++)
        values[c->seq_len + i] = p->values[i * p->series + column - c->out_first];
    static const char *const titles[] = { "Forecast", "Forecast: the last value", "Forecast: seasonal naive",
                                          "Forecast: linear" };
    forecast_curve curve = { .title = titles[p->use], .column = p->bundle->names[column], .past = values,
                             .forecast = values + c->seq_len, .time = p->time,
                             .offset_s = p->time ? zone_offset(f->zone, p->time[c->seq_len - 1]) : 0,
                             .seq_len = c->seq_len, .pred_len = c->pred_len, .levels = p->levels.of,
                             .bands = bands, .level_count = p->levels.count };
    plot_watch  watch  = report_watch(&p->listener);
    tide_status status = plot_curve(path, &curve, &watch, failure);
    free(values);
    return status;
}

tide_status prediction_write(prediction *p, forecast_result *r, tide_failure *failure) {
    const forecast_options *o = p->options;
    char         path[FOLDER_PATH], numbers[FOLDER_PATH] = "";
    tide_failure plot   = { 0 };
    tide_status  status = order_columns(p, failure);
    if (status == TIDE_OK) status = make_csv(p, r, failure);
    if (status == TIDE_OK) status = make_json(p, r, failure);
    if (status == TIDE_OK && to_file(o)) {
        status = tide_file_replace(o->output, put_csv, r->csv, failure);
        if (status == TIDE_OK) output_remember(o->model, o->output);
        if (status == TIDE_OK)
            listener_tell(&p->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = o->output });
        free(r->csv);
        r->csv = NULL;
    }
    if (status == TIDE_OK && o->paths) status = prediction_write_paths(p, failure);
    if (status != TIDE_OK) return status;
    listener_tell(&p->listener, (forecast_event){ .stage = FORECAST_STAGE_RESULT, .result = r });
    if (!o->plots || o->sum_horizon) return status; /* of one row there is no curve */
    status = plot_place(p, path, numbers, &plot);
    if (status == TIDE_OK) status = draw(p, path, &plot);
    if (status != TIDE_OK && !*numbers) owned_release(o->model);
    if (status == TIDE_ECANCELLED) return fail(failure, status, "%s; the forecast itself is complete", plot.message);
    if (status == TIDE_OK) {
        if (*numbers) output_remember(o->model, path), output_remember(o->model, numbers);
        listener_tell(&p->listener, (forecast_event){ .stage = FORECAST_STAGE_FILE, .message = path });
    /* a run folder may be read-only */
    } else listener_note(&p->listener, FORECAST_STAGE_WARNING, "no plot: %s", plot.message);
    return TIDE_OK;
}
