/* Rows of a kept table as those of a request: from there on the answer is that of arrays. */
#include "forecast_cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How the file is read; the others are of the forecast. */
static bool is_reading(const char *name) {
    const tide_option *row = tide_option_find(forecast_table(), name);
    return row && row->group && strcmp(row->group, "Data") == 0;
}

static bool check(const forecast_in *in, problem *p) {
    if (!in->upload) return problem_at(p, "/cut", "a cut is made in an upload: \"upload\" is missing");
    if (in->windows) return problem_at(p, "/windows", "one cut is one window");
    if (!in->past && !in->future) return true;
    return problem_at(p, in->past ? "/past" : "/future", "the upload has the rows before and after the cut");
}

/* The file as it is now, and the options by which it is read. */
bool cut_key(serve *s, const body *b, const forecast_in *in, cut_file *file, problem *p) {
    struct stat about;
    text        key = { 0 };
    if (!check(in, p)) return false;
    if (!s->upload_path ||
        !s->upload_path(s, in->upload, file->path, sizeof file->path, file->name, sizeof file->name) ||
        stat(file->path, &about) != 0)
        return problem_say(p, 404, "upload", "There is no upload \"%.100s\".", in->upload);
    text_add(&key, "%s %llu %lld %lld.%09ld\n", in->upload, (unsigned long long)about.st_ino, (long long)about.st_size,
             (long long)about.st_mtim.tv_sec, about.st_mtim.tv_nsec);
    const char *name;
    json_t     *v;
    json_object_foreach((json_t *)(uintptr_t)in->options, name, v)
        if (is_reading(name) && !json_is_null(v)) {
            text_add(&key, "%s=", name);
            options_value_text(b, v, &key);
            text_add(&key, "\n");
        }
    file->key = key.failed ? NULL : key.data;
    if (file->key) return true;
    text_free(&key);
    return problem_say(p, 503, "memory", "There is no memory at the moment.");
}

table *cut_read(serve *s, const body *b, const forecast_in *in, const cut_file *file, problem *p) {
    tide_failure      failure = { 0 };
    forecast_options *o       = forecast_options_new();
    table            *t       = NULL;
    if (!o) return problem_say(p, 503, "memory", "There is no memory at the moment."), NULL;
    o->threads = 1;
    if (!in->options || options_apply(b, &predict_door, in->options, "/options", o, p)) {
        snprintf(o->data, sizeof o->data, "%s", file->path);
        t = tables_fetch(s->tables, file->key, o, &failure);
        text_replace(failure.message, sizeof failure.message, file->path, file->name);
        if (!t) problem_of(p, &failure, failure.status == TIDE_EINVAL && in->options ? "/options" : "/upload");
    }
    forecast_options_free(o);
    return t;
}

static const double *column_of(const table *t, const char *name) {
    for (int64_t c = 0; c < t->columns; c++)
        if (strcmp(t->names[c], name) == 0) return t->values[c];
    return NULL;
}

static bool fits(const table *t, const forecast_in *in, const forecast_model *f, problem *p) {
    int64_t seq = forecast_model_seq_len(f), pred = forecast_model_pred_len(f);
    int64_t holidays = forecast_model_holidays(f, 0, NULL);
    int64_t given = forecast_model_columns(f) - holidays, ahead = forecast_model_known(f) > holidays ? pred : 0;
    for (int64_t c = 0; c < given; c++)
        if (!column_of(t, forecast_model_column_name(f, c)))
            return problem_at(p, "/upload", "the table has no column \"%.100s\"", forecast_model_column_name(f, c));
    if (t->rows - ahead < seq)
        return problem_at(p, "/upload", "%lld rows are wanted; the table has %lld", (long long)(seq + ahead),
                          (long long)t->rows);
    if (in->cut >= seq && in->cut <= t->rows - ahead) return true;
    return problem_at(p, "/cut", "a row from %lld to %lld is wanted%s", (long long)seq, (long long)(t->rows - ahead),
                      ahead ? ": columns that are known ahead have their rows behind it" : "");
}

/* `count` rows of each column from row `from` on. NULL: out of memory. */
static rows_in *rows_of(body *b, const table *t, int64_t from, int64_t count) {
    rows_in *rows = body_keep(b, sizeof *rows);
    column  *at   = body_keep(b, (size_t)(t->columns + 1) * sizeof *at);
    if (!rows || !at) return NULL;
    for (int64_t c = 0; c < t->columns; c++)
        at[c] = (column){ t->names[c], { t->values[c] + from, count } };
    rows->columns = (column_list){ at, t->columns };
    if (t->time) rows->time = (numbers){ t->time + from, count };
    return rows;
}

static bool only_reading(const json_t *options) {
    const char *name;
    json_t     *v;
    json_object_foreach((json_t *)(uintptr_t)options, name, v)
        if (!is_reading(name)) return false;
    return true;
}

bool cut_rows(const serve *s, body *b, const table *t, forecast_in *in, problem *p) {
    model *m = models_take(s->models, in->model, MODEL_FORECAST, p);
    if (!m) return false;
    const forecast_model *f = m->forecast;
    bool fine  = fits(t, in, f, p);
    bool ahead = forecast_model_known(f) > forecast_model_holidays(f, 0, NULL);
    if (fine) in->past = rows_of(b, t, 0, in->cut);
    if (fine && ahead) in->future = rows_of(b, t, in->cut, forecast_model_pred_len(f));
    if (fine && (!in->past || (ahead && !in->future)))
        fine = problem_say(p, 503, "memory", "There is no memory at the moment.");
    in->upload = NULL;
    if (only_reading(in->options)) in->options = NULL;
    model_drop(m);
    return fine;
}
