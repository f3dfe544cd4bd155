/* forecast_predict: the rows after the last one, with real time stamps, in the input's own units and form. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/fit/finite.h"
#include "train/run.h"
#include "forecast/saved/handle.h"
#include "forecast/report/report.h"
#include "forecast/fit/run_folder.h"
#include "forecast/saved/use.h"

typedef struct prediction {
    forecast_options *options;
    unsigned  compat;
    listener  listener;
    forecast_model *model;
    const bundle   *bundle;  /* the model's */
    dataset   data;      /* its frame holds exactly the seq_len rows that the model looks at */
    char      path[FOLDER_PATH];
    double   *values;    /* (pred_len, out columns), original units */
    int64_t  *order;     /* the out columns as they stand in the file, those of the time stamps (-1, -2, ...) among
                            them */
    int64_t   shown;     /* columns to write */
    int64_t  *time;      /* (seq_len + pred_len); NULL without time stamps */
    forecast_use use;         /* never BEST */
    double   *season;         /* (season_rows, columns) before the forecast; NULL unless it is asked for */
    int64_t   season_rows;
} prediction;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the forecast");
}

/* ---- the rows to look at ---- */

static bool seasonal(const prediction *p) { return p->use == FORECAST_USE_SEASONAL; }

/* The season before the forecast, from `rows` rows that end there. */
static tide_status take_season(prediction *p, const double *rows, int64_t count, tide_failure *failure) {
    int64_t columns = p->bundle->config.columns, first = count - p->season_rows;
    if (first < 0)
        return fail_at(failure, TIDE_EDATA, p->options->data, 0, "use",
                       "a season is %" PRId64 " rows, and there are only %" PRId64 " before the forecast: `data` FILE "
                                                                                   "with more, or another `use`",
                       p->season_rows, count);
    size_t bytes = (size_t)(p->season_rows * columns) * sizeof *p->season;
    if (!(p->season = malloc(bytes + 1))) return no_memory(failure);
    memcpy(p->season, rows + first * columns, bytes);
    return TIDE_OK;
}

/* Moves the last seq_len rows to the front. An ETT file's unused end counts: the future begins after the file. */
static tide_status keep_last_rows(prediction *p, tide_failure *failure) {
    frame  *f    = &p->data.frame;
    int64_t rows = p->bundle->config.seq_len, from = f->file_rows - rows;
    if (from < 0)
        return fail_at(failure, TIDE_EDATA, p->options->data, 0, NULL,
                       "the series has %" PRId64 " rows; the model needs %" PRId64, f->file_rows, rows);
    if (seasonal(p)) {
        tide_status status = take_season(p, f->values, f->file_rows, failure);
        if (status != TIDE_OK) return status;
    }
    memmove(f->values, f->values + from * f->columns, (size_t)(rows * f->columns) * sizeof *f->values);
    if (f->time) memmove(f->time, f->time + from, (size_t)rows * sizeof *f->time);
    f->rows = f->file_rows = rows;
    return TIDE_OK;
}

/* Only PEMS files have gaps: they take the value before them, at the start the mean, as in training. */
static void fill_gaps(prediction *p) {
    frame  *f     = &p->data.frame;
    int64_t cells = f->file_rows * f->columns;
    for (int64_t i = 0; i < cells; i++)
        if (isnan(f->values[i])) f->values[i] = i >= f->columns ? f->values[i - f->columns] : p->data.scaler.mean[i];
}

/* Solar and PEMS files have a layout of their own; ETT's are plain tables. */
static tide_status rows_of_file(prediction *p, tide_failure *failure) {
    forecast_kind kind = p->bundle->kind == FORECAST_SOLAR || p->bundle->kind == FORECAST_PEMS
                             ? (forecast_kind)p->bundle->kind
                             : FORECAST_CUSTOM;
    tide_status   status = loaded_data(p->options, p->bundle, kind, &p->data, failure);
    if (status != TIDE_OK) return status;
    tell_warnings(&p->listener, &p->data.frame);
    if (p->compat & FORECAST_COMPAT_SCALER_REFIT) {
        scaler_free(&p->data.scaler);
        if (scaler_fit(&p->data.frame, (block){ 0, p->data.frame.file_rows }, &p->data.scaler) != TIDE_OK)
            return no_memory(failure);
    }
    fill_gaps(p);
    return keep_last_rows(p, failure);
}

/* Marks of missing values among the rows kept in the run; a file's own are noted as it is read. */
static void tell_sentinels(const prediction *p) {
    const model_config *c = &p->bundle->config;
    for (int64_t i = 0; i < c->columns; i++) {
        sentinel one;
        char     text[320];
        if (!sentinels_find(p->bundle->tail + i, c->seq_len, c->columns, &one, 1)) continue;
        sentinel_text(text, sizeof text, p->bundle->names[i], &one);
        listener_note(&p->listener, FORECAST_STAGE_WARNING,
                      "in the %" PRId64 " rows that the forecast starts from, %s (in a new training)", c->seq_len,
                      text);
    }
}

static void *copied(const void *from, size_t bytes) {
    void *to = from ? malloc(bytes + 1) : NULL;
    return to ? memcpy(to, from, bytes) : NULL;
}

static bool copy_kept_rows(const bundle *b, frame *f) {
    size_t rows = (size_t)b->config.seq_len, columns = (size_t)b->config.columns;
    f->values    = copied(b->tail, rows * columns * sizeof *f->values);
    f->time      = copied(b->tail_time, rows * sizeof *f->time);
    f->place     = copied(b->place, columns * sizeof *f->place);
    f->time_name = b->time_name ? strdup(b->time_name) : NULL;
    return f->values && !b->tail_time == !f->time && !b->place == !f->place && !b->time_name == !f->time_name &&
           time_columns_copy(&b->time_columns, &f->time_columns);
}

static tide_status rows_of_run(prediction *p, tide_failure *failure) {
    const bundle *b = p->bundle;
    frame  *f = &p->data.frame;
    tell_sentinels(p);
    f->rows = f->file_rows = b->config.seq_len, f->columns = b->config.columns;
    f->step = b->step, f->format = b->format, f->target = b->target, f->time_place = b->time_place;
    if (!copy_kept_rows(b, f)) return no_memory(failure);
    p->data.mark_step = b->mark_step, p->data.mark_count = b->config.marks;
    p->data.out_first = b->config.out_first, p->data.out_count = b->config.out_count;
    if (!scaler_copy(&b->scaler, &p->data.scaler)) return no_memory(failure);
    bool kept = b->record.season_rows && p->season_rows <= b->record.season;
    if (!seasonal(p)) return TIDE_OK;
    return take_season(p, kept ? b->record.season_rows : f->values, kept ? b->record.season : f->rows, failure);
}

/* ---- the forecast ---- */

/* No forecast is better than one of nan: nothing is written. */
static tide_status require_finite(const prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    char                what[200];
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++)
        if (!isfinite(p->values[i])) {
            snprintf(what, sizeof what, "the forecast of '%.150s'", p->bundle->names[c->out_first + i % c->out_count]);
            return not_finite(&p->data, 0, c->seq_len, what, failure);
        }
    return TIDE_OK;
}

static tide_status forecast_without_model(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    p->values = malloc((size_t)(c->pred_len * c->out_count) * sizeof *p->values + 1);
    if (!p->values) return no_memory(failure);
    tide_status status = use_forecast(p->use, p->bundle, &p->data, p->season, p->season_rows, p->values, failure);
    return status == TIDE_OK ? require_finite(p, failure) : status;
}

static tide_status forecast(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    const dataset      *d = &p->data;
    int64_t numbers = c->pred_len * c->out_count;
    float  *scaled  = malloc((size_t)numbers * sizeof *scaled);
    p->values       = malloc((size_t)numbers * sizeof *p->values);
    tide_status status = scaled && p->values ? handle_forward(p->model, 1, d->scaled, d->marks, scaled, failure)
                                             : no_memory(failure);
    for (int64_t i = 0; status == TIDE_OK && i < numbers; i++) {
        int64_t column = c->out_first + i % c->out_count;
        p->values[i]   = scaled[i] * d->scaler.std[column] + d->scaler.mean[column];
    }
    free(scaled);
    return status == TIDE_OK ? require_finite(p, failure) : status;
}

static tide_status future_times(prediction *p, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    const frame        *f = &p->data.frame;
    if (!f->time || !f->time_name) return TIDE_OK;
    p->time = malloc((size_t)(c->seq_len + c->pred_len) * sizeof *p->time);
    if (!p->time) return no_memory(failure);
    memcpy(p->time, f->time, (size_t)c->seq_len * sizeof *p->time);
    for (int64_t i = 0; i < c->pred_len; i++)
        p->time[c->seq_len + i] = time_advance(f->time[c->seq_len - 1], f->step, i + 1);
    return TIDE_OK;
}

/* ---- writing it ---- */

static const char *used_name(const prediction *p) {
    return p->use == FORECAST_USE_MODEL ? "model" : baseline_names[p->use - 1];
}

/* Quoted when the name holds what would end a cell. */
static void add_name(text *t, const char *name) {
    if (!strpbrk(name, ",\"\n\r")) {
        text_add(t, "%s", name);
        return;
    }
    text_add(t, "\"");
    for (; *name; name++) text_add(t, *name == '"' ? "\"\"" : "%c", *name);
    text_add(t, "\"");
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
    if (!p->order) return no_memory(failure);
    for (int64_t column = -stamps; column < count; column++) {
        int64_t at = p->shown++;
        for (; at > 0 && place_of(p, p->order[at - 1]) > place_of(p, column); at--) p->order[at] = p->order[at - 1];
        p->order[at] = column;
    }
    return TIDE_OK;
}

static void add_cell(const prediction *p, text *t, int64_t step, int64_t column) {
    const model_config *c = &p->bundle->config;
    char cell[40];
    if (column < 0)
        time_print_part(cell, p->time[c->seq_len + step], &p->data.frame.format,
                        p->data.frame.time_columns.of[-1 - column].part);
    else num_format(cell, p->values[step * c->out_count + column], true);
    text_add(t, "%s", cell);
}

static tide_status make_csv(const prediction *p, forecast_result *r, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    text t = { 0 };
    for (int64_t i = 0; i < p->shown; i++) {
        int64_t column = p->order[i];
        if (i) text_add(&t, ",");
        add_name(&t, column < 0 ? p->data.frame.time_columns.of[-1 - column].name
                                : p->bundle->names[c->out_first + column]);
    }
    for (int64_t s = 0; s < c->pred_len; s++)
        for (int64_t i = 0; i < p->shown; i++) {
            text_add(&t, i ? "," : "\n");
            add_cell(p, &t, s, p->order[i]);
        }
    text_add(&t, "\n");
    r->csv = t.data;
    return t.failed ? no_memory(failure) : TIDE_OK;
}

static tide_status make_json(const prediction *p, forecast_result *r, tide_failure *failure) {
    const model_config *c = &p->bundle->config;
    json_t *values = json_object(), *times = p->time ? json_array() : json_null();
    for (int64_t s = 0; p->time && s < c->pred_len; s++) {
        char stamp[40];
        time_print(stamp, p->time[c->seq_len + s], &p->data.frame.format);
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
                  "run", json_text(p->options->model), "used", used_name(p), "seq_len", (json_int_t)c->seq_len,
                  "pred_len", (json_int_t)c->pred_len, "compile_ms", 1e3 * handle_compile_s(p->model), "time", times,
                  "forecast", values);
    r->json = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(o);
    return r->json ? TIDE_OK : no_memory(failure);
}

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
    return output_check(path, "output", o->overwrite, o->model, (const char *const[]){ o->data, model, NULL }, failure);
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
    double *values = malloc((size_t)(c->seq_len + c->pred_len) * sizeof *values);
    if (!values) return no_memory(failure);
    for (int64_t i = 0; i < c->seq_len; i++) values[i] = f->values[i * f->columns + column];
    for (int64_t i = 0; i < c->pred_len; i++)
        values[c->seq_len + i] = p->values[i * c->out_count + column - c->out_first];
    static const char *const titles[] = { "Forecast", "Forecast: the last value", "Forecast: seasonal naive",
                                          "Forecast: linear" };
    forecast_curve curve = { .title = titles[p->use], .column = p->bundle->names[column], .past = values,
                             .forecast = values + c->seq_len, .time = p->time,
                             .seq_len = c->seq_len, .pred_len = c->pred_len };
    plot_watch  watch  = report_watch(&p->listener);
    tide_status status = plot_curve(path, &curve, &watch, failure);
    free(values);
    return status;
}

static tide_status write_out(const prediction *p, forecast_result *r, tide_failure *failure) {
    const forecast_options *o = p->options;
    char         path[FOLDER_PATH], numbers[FOLDER_PATH] = "";
    tide_failure plot   = { 0 };
    tide_status  status = make_csv(p, r, failure);
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

/* Whoever takes the model's forecast is told that another was better. */
static void tell_better(const prediction *p) {
    static const char *const words[] = { "", "last-value", "seasonal-naive", "linear" };
    const training_record   *r       = &p->bundle->record;
    forecast_use             best    = record_best(r);
    if (p->use != FORECAST_USE_MODEL || best == FORECAST_USE_MODEL) return;
    listener_note(&p->listener, FORECAST_STAGE_NOTE, "on the test windows %s (%.4g) was better than this model "
                                                     "(%.4g): `use` %s gives it", words[best],
                  r->mse[best], r->mse[0], words[best]);
}

static tide_status predict(prediction *p, forecast_result *r, tide_failure *failure) {
    const forecast_options *o = p->options;
    tide_status status = loaded_path(o->model, p->path, failure);
    if (status == TIDE_OK) status = handle_open(o, p->path, &p->model, failure);
    if (status == TIDE_OK) p->bundle = handle_bundle(p->model);
    if (status == TIDE_OK && to_file(o)) status = check_output(o, p->path, o->output, failure);
    if (status == TIDE_OK) status = use_settle(o, p->bundle, &p->use, failure);
    if (status == TIDE_OK) p->season_rows = use_season(o, p->bundle);
    if (status == TIDE_OK) status = *o->data ? rows_of_file(p, failure) : rows_of_run(p, failure);
    if (status == TIDE_OK) status = dataset_scale(&p->data, p->bundle->config.seq_len, failure);
    if (status == TIDE_OK)
        status = p->use == FORECAST_USE_MODEL ? forecast(p, failure) : forecast_without_model(p, failure);
    if (status == TIDE_OK) status = future_times(p, failure);
    if (status != TIDE_OK || (status = order_columns(p, failure)) != TIDE_OK) return status;
    snprintf(r->run, sizeof r->run, "%s", o->model);
    snprintf(r->used, sizeof r->used, "%s", used_name(p));
    tell_better(p);
    session_tell(handle_session(p->model), &p->listener);
    snprintf(r->device, sizeof r->device, "%s", tide_graph_device(handle_session(p->model)->graph));
    snprintf(r->precision, sizeof r->precision, "%s", tide_precision_name(handle_session(p->model)->precision));
    const model_config *c = &p->bundle->config;
    r->columns = c->out_count, r->seq_len = c->seq_len, r->pred_len = c->pred_len;
    r->wall_s  = os_seconds() - p->listener.began, r->compile_ms = 1e3 * handle_compile_s(p->model);
    return write_out(p, r, failure);
}

tide_status forecast_predict(const forecast_options *options, forecast_progress progress, void *user,
                             forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (arguments_sound(options, result, failure) != TIDE_OK) return TIDE_EINVAL;
    prediction p = { .options = malloc(sizeof *options), .listener = { progress, user, os_seconds() } };
    if (!p.options) return fail(failure, TIDE_ENOMEM, "out of memory for the options");
    tide_status status = options_resolve(options, p.options, &p.compat, failure);
    if (status == TIDE_OK) status = predict(&p, result, failure);
    forecast_model_free(p.model);
    dataset_free(&p.data);
    free(p.values);
    free(p.season);
    free(p.time);
    free(p.order);
    free(p.options);
    return status;
}
