/* A forecaster's run: what its folder is called and holds, and what must be the same for it to be resumed. */
#include "run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/io.h>

#include "base/base.h"
#include "forecast/models/ensemble.h"
#include "options/options.h"
#include "train/run.h"

/* Besides what every run has. predict and --benchmark claim what they add when they add it. */
static const char *const plain_files[]   = { "model.safetensors", NULL };
static const char *const plotted_files[] = { "model.safetensors", "loss.svg",   "loss.csv",   "horizon.svg",
                                             "horizon.csv",       "sample.svg", "sample.csv", NULL };
static const char *const added_files[]   = { "forecast-plot.svg", "forecast-plot.csv", "forecast.svg", "forecast.csv",
                                             "benchmark.json", "step-times.svg",
                                             "step-times.csv", "answer-times.svg", "answer-times.csv", NULL };

/* ---- the folder ---- */

/* "ETTh1" of "data/ETTh1.csv.gz", or the preset. */
static void default_path(const forecast_options *o, char out[1024]) {
    char        name[64];
    const char *from = *o->preset ? o->preset : o->data, *slash = strrchr(from, '/');
    snprintf(name, sizeof name, "%.63s", slash ? slash + 1 : from);
    if (!*o->preset) name[strcspn(name, ".")] = 0;
    run_folder_default(name, out);
}

static tide_status open_folder(const forecast_options *o, const char *model, run_folder *r, tide_failure *failure) {
    char path[1024];
    if (o->resume && !*o->out)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume",
                       "`resume` needs `out`, the folder of the run to resume");
    if (*o->out) snprintf(path, sizeof path, "%s", o->out);
    else default_path(o, path);
    return run_folder_open(path, o->resume, o->overwrite, o->plots ? plotted_files : plain_files,
                           (const char *const[]){ o->data, o->holidays, o->issued, o->statics, model, NULL }, r,
                           failure);
}

tide_status forecast_folder_empty(const char *path, tide_failure *failure) {
    run_folder r = { .lock = -1 };
    if (!run_folder_present(path)) return TIDE_OK;
    tide_status status = run_folder_open(path, RUN_RESUME_NO, true, plotted_files, (const char *const[]){ NULL }, &r,
                                         failure);
    if (status != TIDE_OK) return status;
    run_folder_clear(&r, plotted_files);
    run_folder_close(&r);
    return TIDE_OK;
}

/* What an earlier run left, the members of an ensemble too. */
static tide_status clear(const run_folder *r, tide_failure *failure) {
    tide_status status = TIDE_OK;
    run_folder_clear(r, plotted_files);
    run_folder_clear(r, added_files);
    for (int arch = 0; status == TIDE_OK && arch < ENSEMBLE_MEMBERS; arch++) {
        char path[FOLDER_PATH];
        snprintf(path, sizeof path, "%s/members/%s", r->path, architecture_of(arch)->name);
        status = forecast_folder_empty(path, failure);
    }
    return status;
}

/* ---- run.json ---- */

static json_t *options_json(const forecast_options *o) {
    return options_object(forecast_table(), o, FORECAST_FOR_TRAIN, TIDE_OPTION_NO_EFFECT);
}

json_t *run_recipe_json(const forecast_options *o) { return json_pack("{s:o}", "options", options_json(o)); }

static json_t *import_options_json(const forecast_options *o) {
    return options_object(forecast_table(), o, FORECAST_FOR_IMPORT, TIDE_OPTION_NO_EFFECT);
}

static json_t *data_json(const frame *f) {
    return json_pack("{s:s, s:I, s:I}", "sha256", f->sha256, "rows", (json_int_t)f->file_rows, "columns",
                     (json_int_t)f->columns);
}

/* Members that are NULL are left out. */
static tide_status write_json(const run_folder *r, const forecast_options *o, const dataset *d, int64_t parameters,
                              const tide_graph *g, const char *device_choice, const char *from_sha256,
                              json_t *members, tide_failure *failure) {
    json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:i, s:I, s:o, s:s*, s:s*, s:o*}", "command", "forecast train",
                          "version", TIDE_VERSION, "options", options_json(o), "choices", run_choices_json(g),
                          "numerics", tide_numerics(g), "parameters", (json_int_t)parameters, "data",
                          data_json(&d->frame),
                          "device_choice", *device_choice ? device_choice : NULL, "from_sha256",
                          *from_sha256 ? from_sha256 : NULL, "members", members);
    tide_status status = j ? run_json_write(r, j, failure) : fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    json_decref(j);
    return status;
}

/* Other data get words of our own: which file, not which hash. Where nothing is missing, it does not matter what would
 * be done about that. */
static tide_status check_json(const run_folder *r, const forecast_options *o, const dataset *d, tide_failure *failure) {
    static const char *const none[] = { NULL }, *const unless_missing[] = { "missing", NULL };
    const char *const *may_differ = d->frame.gaps ? none : unless_missing;
    json_t *options = run_recipe_json(o),
           *data = json_pack("{s:o}", "data", data_json(&d->frame));
    tide_failure why     = { 0 };
    tide_status status = options && data ? run_json_check(r, options, may_differ, forecast_table(), failure)
                                         : fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    if (status == TIDE_OK && (status = run_json_check(r, data, none, NULL, &why)) != TIDE_OK)
        fail_at(failure, status, why.file, 0, "data",
                "the run was started on another %s than %s (its sha256 differs): give the same, or `overwrite`",
                *o->data ? "file" : "series", *o->data ? o->data : "this frame");
    json_decref(options);
    json_decref(data);
    return status;
}

tide_status forecast_folder_open(const forecast_options *o, const dataset *d, int64_t parameters, const tide_graph *g,
                                 const char *device_choice, const first_model *from, run_folder *r,
                                 tide_failure *failure) {
    tide_status status = open_folder(o, from->path, r, failure);
    if (status != TIDE_OK) return status;
    if (r->resuming) return check_json(r, o, d, failure);
    status = clear(r, failure);
    return status == TIDE_OK ? write_json(r, o, d, parameters, g, device_choice, from->sha256, NULL, failure) : status;
}

tide_status forecast_folder_tell(const run_folder *r, const forecast_options *o, const dataset *d, int64_t parameters,
                                 const tide_graph *g, json_t *members, tide_failure *failure) {
    return write_json(r, o, d, parameters, g, "", "", members, failure);
}

/* A new folder whose run.json is `j`, which it takes over; NULL: out of memory. */
static tide_status begin_folder(const forecast_options *o, const char *model, json_t *j, run_folder *r,
                                tide_failure *failure) {
    tide_status status = j ? open_folder(o, model, r, failure)
                           : fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    if (status == TIDE_OK) status = clear(r, failure);
    if (status == TIDE_OK) status = run_json_write(r, j, failure);
    json_decref(j);
    return status;
}

tide_status forecast_folder_import(const forecast_options *o, const dataset *d, int64_t parameters, run_folder *r,
                                   tide_failure *failure) {
    char sum[65];
    tide_status status = tide_file_sha256(o->checkpoint, sum, failure);
    if (status != TIDE_OK) return status;
    json_t *j = json_pack("{s:s, s:s, s:o, s:I, s:o, s:s}", "command", "forecast import", "version", TIDE_VERSION,
                          "options", import_options_json(o), "parameters", (json_int_t)parameters, "data",
                          data_json(&d->frame), "checkpoint_sha256", sum);
    return begin_folder(o, o->checkpoint, j, r, failure);
}

tide_status forecast_folder_update(const forecast_options *o, const dataset *d, int64_t parameters,
                                   const first_model *from, json_t *steps, run_folder *r, tide_failure *failure) {
    json_t *j = json_pack("{s:s, s:s, s:o, s:I, s:o, s:s, s:o}", "command", "forecast update", "version", TIDE_VERSION,
                          "options", options_json(o), "parameters", (json_int_t)parameters, "data",
                          data_json(&d->frame), "updated_sha256", from->sha256, "update", steps);
    return begin_folder(o, from->path, j, r, failure);
}

/* ---- metrics.csv ---- */

static void metrics_fill(const tide_table *t, int64_t r, metrics_row *row) {
    double v[6] = { 0 };
    for (int64_t c = 0; c < 6 && c < t->columns; c++) v[c] = num_parse(t->cells[r * t->columns + c], NULL);
    *row = (metrics_row){ (int64_t)v[0], (int64_t)v[1], v[2], v[3], v[4], v[5] };
}

tide_status metrics_read(const run_folder *r, metrics_row **rows, int64_t *count, tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_table  t      = { 0 };
    tide_status status =
        tide_csv_read(folder_file(r->path, "metrics.csv", path), &(tide_csv_options){ .separator = ',' }, &t, failure);
    *count = status == TIDE_OK ? t.rows : 0;
    *rows  = calloc((size_t)*count + 1, sizeof **rows);
    for (int64_t i = 0; *rows && i < *count; i++) metrics_fill(&t, i, &(*rows)[i]);
    if (status == TIDE_OK && !*rows) status = fail(failure, TIDE_ENOMEM, "out of memory for %s", path);
    tide_table_free(&t);
    return status;
}
