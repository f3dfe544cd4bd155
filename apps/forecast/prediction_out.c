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

/* Nothing where there is no bound. */
void prediction_add_value(const prediction *p, text *t, int64_t cell, int64_t place) {
    char   number[40];
    double value = prediction_value(p, cell, place);
    if (isnan(value)) return;
    num_format(number, value, true);
    text_add(t, "%s", number);
}

static void add_header(const prediction *p, text *t, int64_t column) {
    char suffix[40] = "";
    for (int64_t place = 0; place < places_of(p, column); place++) {
        if (place) text_add(t, ",");
        if (column >= 0) prediction_suffix(p, place, suffix);
        prediction_add_cell(t, column < 0 ? p->data.frame.time_columns.of[-1 - column].name
                                          : p->bundle->names[p->bundle->config.out_first + column], suffix);
    }
}

static int64_t place_of(const prediction *p, int64_t column) {
    const frame *f = &p->data.frame;
    if (column < 0) return f->time_columns.of[-1 - column].place;
    column += p->bundle->config.out_first;
    return f->place ? f->place[column] : column;
}

static tide_status order_columns(prediction *p, tide_failure *failure) {
    int64_t count = p->bundle->config.out_count, stamps = p->time ? p->data.frame.time_columns.count : 0;
    p->order      = malloc((size_t)(count + stamps + 1) * sizeof *p->order);
    if (!p->order) return prediction_no_memory(failure);
    for (int64_t column = -stamps; column < count; column++) {
        int64_t at = p->shown++;
        for (; at > 0 && place_of(p, p->order[at - 1]) > place_of(p, column); at--) p->order[at] = p->order[at - 1];
        p->order[at] = column;
    }
    return TIDE_OK;
}

static void add_cell(const prediction *p, text *t, int64_t step, int64_t column, int64_t place) {
    const model_config *c = &p->bundle->config;
    char stamp[40];
    if (place) text_add(t, ",");
    if (column >= 0) {
        prediction_add_value(p, t, step * c->out_count + column, place);
        return;
    }
    zoned_print_part(stamp, p->data.frame.zone, p->time[c->seq_len + step], &p->data.frame.format,
                     p->data.frame.time_columns.of[-1 - column].part);
    prediction_add_cell(t, stamp, "");
}

static void wide_csv(const prediction *p, text *t) {
    const model_config *c = &p->bundle->config;
    for (int64_t i = 0; i < p->shown; i++) {
        if (i) text_add(t, ",");
        add_header(p, t, p->order[i]);
    }
    for (int64_t s = 0; s < c->pred_len; s++)
        for (int64_t i = 0; i < p->shown; i++) {
            text_add(t, i ? "," : "\n");
            for (int64_t place = 0; place < places_of(p, p->order[i]); place++)
                add_cell(p, t, s, p->order[i], place);
        }
    text_add(t, "\n");
}

static tide_status make_csv(const prediction *p, forecast_result *r, tide_failure *failure) {
    text t = { 0 };
    if (p->data.frame.form.ids) prediction_long_csv(p, &t);
    else wide_csv(p, &t);
    r->csv = t.data;
    return t.failed ? prediction_no_memory(failure) : TIDE_OK;
}

/* {"lo-80": [...], "hi-80": [...], ...} of a column. */
static json_t *bounds_json(const prediction *p, int64_t column) {
    const model_config *c = &p->bundle->config;
    json_t *o = json_object();
    for (int64_t place = 0; place <= 2 * p->levels.count; place++) {
        char    suffix[40];
        json_t *one = json_array();
        prediction_suffix(p, place, suffix);
        for (int64_t s = 0; s < c->pred_len; s++) {
            double v = prediction_value(p, s * c->out_count + column, place);
            json_array_append_new(one, isnan(v) ? json_null() : json_real(v));
        }
        if (*suffix) json_object_set_new(o, suffix + 1, one);
        else json_decref(one);
    }
    return o;
}

static void put_intervals(const prediction *p, json_t *o) {
    const model_config *c = &p->bundle->config;
    json_t *levels = json_array(), *columns = json_object();
    for (int64_t i = 0; i < p->levels.count; i++) json_array_append_new(levels, json_real(p->levels.of[i]));
    for (int64_t k = 0; k < p->shown; k++)
        if (p->order[k] >= 0)
            json_object_set_new(columns, p->bundle->names[c->out_first + p->order[k]], bounds_json(p, p->order[k]));
    json_object_set_new(o, "levels", levels);
    json_object_set_new(o, "intervals", columns);
}

static tide_status make_json(const prediction *p, forecast_result *r, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    json_t *values = json_object(), *times = p->time ? json_array() : json_null();
    for (int64_t s = 0; p->time && s < c->pred_len; s++) {
        char stamp[40];
        zoned_print(stamp, p->data.frame.zone, p->time[c->seq_len + s], &p->data.frame.format);
        json_array_append_new(times, json_string(stamp));
    }
    for (int64_t k = 0; k < p->shown; k++) {
        int64_t i = p->order[k];
        if (i < 0) continue;
        json_t *one = json_array();
        for (int64_t s = 0; s < c->pred_len; s++)
            json_array_append_new(one, json_real(p->values[s * c->out_count + i]));
        json_object_set_new(values, p->bundle->names[c->out_first + i], one);
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
    r->json = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(o);
    return r->json ? TIDE_OK : prediction_no_memory(failure);
}

/* ---- files ---- */

static tide_status put_csv(void *user, void *stdio_file) { return fputs(user, stdio_file) < 0 ? TIDE_EIO : TIDE_OK; }

static bool to_file(const forecast_options *o) { return *o->output && strcmp(o->output, "-"); }

/* Beside a pipe or a device there is no place for files. */
static bool plot_beside(const forecast_options *o) {
    struct stat info;
    return to_file(o) && stat(o->output, &info) == 0 && S_ISREG(info.st_mode);
}

/* "next-plot.svg" beside --output next.csv: no name that --output could have, nor have its numbers, next-plot.csv. */
static bool plot_name(const forecast_options *o, char svg[FOLDER_PATH], char csv[FOLDER_PATH]) {
    const char *slash = strrchr(o->output, '/'), *dot = strrchr(o->output, '.');
    int         stem  = dot && dot > (slash ? slash : o->output) ? (int)(dot - o->output) : (int)strlen(o->output);
    return snprintf(svg, FOLDER_PATH, "%.*s-plot.svg", stem, o->output) < FOLDER_PATH &&
           snprintf(csv, FOLDER_PATH, "%.*s-plot.csv", stem, o->output) < FOLDER_PATH;
}

static tide_status check_output(const forecast_options *o, const char *model, const char *path, tide_failure *failure) {
    return output_check(path, "output", o->overwrite, o->model,
                        (const char *const[]){ o->data, o->future, o->holidays, o->issued, model, NULL }, failure);
}

tide_status prediction_check_output(const prediction *p, tide_failure *failure) {
    const forecast_options *o = p->options;
    return to_file(o) ? check_output(o, p->path, o->output, failure) : TIDE_OK;
}

/* Where the plot goes: beside --output if that is a regular file, else into the run's folder. */
static tide_status plot_place(const prediction *p, char path[FOLDER_PATH], char csv[FOLDER_PATH],
                              tide_failure *failure) {
    const forecast_options *o = p->options;
    if (!plot_beside(o)) return owned_claim_plot(o->model, "forecast-plot", path, failure);
    if (!plot_name(o, path, csv)) return fail(failure, TIDE_EINVAL, "the name of the plot is too long");
    tide_status status = check_output(o, p->path, path, failure);
    return status == TIDE_OK ? check_output(o, p->path, csv, failure) : status;
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
        bands[i] = p->bands[(i / sides * c->out_count + column - c->out_first) * sides + i % sides];
    for (int64_t i = 0; i < c->seq_len; i++) values[i] = f->values[i * f->columns + column];
    for (int64_t i = 0; i < c->pred_len; i++)
        values[c->seq_len + i] = p->values[i * c->out_count + column - c->out_first];
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
    if (status != TIDE_OK) return status;
    listener_tell(&p->listener, (forecast_event){ .stage = FORECAST_STAGE_RESULT, .result = r });
    if (!o->plots) return status;
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
