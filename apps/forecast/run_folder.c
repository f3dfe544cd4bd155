#include "run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <tidemill/io.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "json_text.h"

enum { RUN_VERSION = 1 };

const char *run_folder_file(const char *folder, const char *name, char *buffer) {
    snprintf(buffer, RUN_PATH, "%s/%s", folder, name);
    return buffer;
}

/* Written only by who holds the lock; with forecast.svg and .csv, which predict adds, all that can be in a run folder. */
static const char *const own_files[] = { "state.safetensors", "model.safetensors", "run.json", "metrics.csv", "loss.svg", "loss.csv",
                                         "horizon.svg", "horizon.csv", "sample.svg", "sample.csv" };
enum { OWN_FILES = sizeof own_files / sizeof *own_files };

static bool exists(const char *folder, const char *name) {
    char path[RUN_PATH];
    return access(run_folder_file(folder, name, path), F_OK) == 0;
}

/* ---- choosing, making, locking ---- */

/* "ETTh1" of "data/ETTh1.csv.gz", or the preset; what is no letter, digit, dot or dash becomes a dash. */
static void short_name(const forecast_options *o, char out[64]) {
    const char *from = *o->preset ? o->preset : o->data, *slash = strrchr(from, '/');
    snprintf(out, 64, "%.63s", slash ? slash + 1 : from);
    if (!*o->preset) out[strcspn(out, ".")] = 0;
    for (char *c = out; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *c)) *c = '-';
    if (!*out) snprintf(out, 64, "run");
}

static void default_path(const forecast_options *o, char out[FORECAST_TEXT_SIZE]) {
    char       name[64], date[32];
    time_t     now = time(NULL);
    struct tm  local;
    struct stat s;
    localtime_r(&now, &local);
    strftime(date, sizeof date, "%Y-%m-%d-%H%M%S", &local);
    short_name(o, name);
    snprintf(out, FORECAST_TEXT_SIZE, "runs/%s-%s", date, name);
    for (int i = 2; stat(out, &s) == 0; i++) snprintf(out, FORECAST_TEXT_SIZE, "runs/%s-%s-%d", date, name, i);
}

tide_status make_folders(const char *path, tide_failure *failure) {
    char part[FORECAST_TEXT_SIZE];
    snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1;; at++) {
        if (*at && *at != '/') continue;
        char kept = *at;
        *at       = 0;
        if (mkdir(part, 0777) && errno != EEXIST) return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot make the folder %s: %s", part, strerror(errno));
        if (!kept) break;
        *at = kept;
    }
    struct stat s;
    if (stat(path, &s) || !S_ISDIR(s.st_mode)) return fail_at(failure, TIDE_EIO, path, 0, NULL, "%s is not a folder", path);
    return TIDE_OK;
}

static tide_status take_lock(run_folder *r, tide_failure *failure) {
    char path[RUN_PATH];
    r->lock = open(run_folder_file(r->path, ".lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->lock < 0) return fail_at(failure, TIDE_EIO, r->path, 0, NULL, "cannot write into %s: %s", r->path, strerror(errno));
    struct stat s; /* a file without a name is one whose owner has just finished */
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0 && fstat(r->lock, &s) == 0 && s.st_nlink > 0) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, r->path, 0, "out", "another process is writing the run %s", r->path);
}

/* "state.safetensors.tmp-PID-N": what a process that was killed had not yet renamed. */
static bool is_left_over(const char *name) {
    for (int i = 0; i < OWN_FILES; i++) {
        size_t length = strlen(own_files[i]);
        if (!strncmp(name, own_files[i], length) && !strncmp(name + length, ".tmp-", 5)) return true;
    }
    return false;
}

static void sweep(const char *folder) {
    char path[RUN_PATH];
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_left_over(e->d_name) && strlen(e->d_name) < 60) unlink(run_folder_file(folder, e->d_name, path));
    if (d) closedir(d);
}

tide_status run_folder_open(const forecast_options *o, run_folder *r, tide_failure *failure) {
    *r = (run_folder){ .lock = -1 };
    if (o->resume && o->overwrite)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume", "--resume and --overwrite contradict each other");
    if (o->resume && !*o->out) return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume", "--resume needs --out, the folder of the run to go on with");
    if (*o->out) snprintf(r->path, sizeof r->path, "%s", o->out);
    else default_path(o, r->path);
    size_t length = strlen(r->path);
    while (length > 1 && r->path[length - 1] == '/') r->path[--length] = 0;
    bool present = exists(r->path, "run.json") || exists(r->path, "state.safetensors") || exists(r->path, "model.safetensors");
    if (present && !o->resume && !o->overwrite)
        return fail_at(failure, TIDE_EINVAL, r->path, 0, "out", "%s holds a run already: --resume auto goes on with it, --overwrite replaces it", r->path);
    if (!present && o->resume == FORECAST_RESUME_MUST)
        return fail_at(failure, TIDE_EINVAL, r->path, 0, "resume", "%s holds no run to go on with; --resume auto starts one", r->path);
    r->resuming        = present && o->resume;
    tide_status status = make_folders(r->path, failure);
    if (status == TIDE_OK) status = take_lock(r, failure);
    if (status == TIDE_OK) sweep(r->path);
    if (status != TIDE_OK && r->lock >= 0) close(r->lock), r->lock = -1; /* the lock file may be another's */
    return status;
}

/* The lock file goes first, while it is still locked. */
void run_folder_close(run_folder *r) {
    char path[RUN_PATH];
    if (r->lock < 0) return;
    unlink(run_folder_file(r->path, ".lock", path));
    close(r->lock);
    r->lock = -1;
}

void run_folder_clear(const run_folder *r) {
    char path[RUN_PATH];
    for (int i = 0; i < OWN_FILES; i++) unlink(run_folder_file(r->path, own_files[i], path));
    unlink(run_folder_file(r->path, "forecast.svg", path));
    unlink(run_folder_file(r->path, "forecast.csv", path));
}

/* ---- run.json ---- */

static bool belongs(const forecast_option *row) { return (row->flags & FORECAST_FOR_TRAIN) && !(row->flags & FORECAST_NO_EFFECT); }

static json_t *option_json(const forecast_options *o, const forecast_option *row) {
    const char *field = (const char *)o + row->offset;
    char        text[4200];
    switch (row->type) {
    case FORECAST_TYPE_BOOL: return json_boolean(*(const bool *)field);
    case FORECAST_TYPE_INT: return json_integer(*(const int64_t *)field);
    case FORECAST_TYPE_REAL: return json_real(*(const double *)field);
    default: return json_text(forecast_option_get(o, row, text, sizeof text));
    }
}

static json_t *run_json(const forecast_options *o, const dataset *d, int64_t parameters) {
    int64_t count;
    const forecast_option *table = forecast_option_table(&count);
    json_t *options = json_object();
    for (int64_t i = 0; i < count; i++)
        if (belongs(&table[i])) json_object_set_new(options, table[i].name, option_json(o, &table[i]));
    const frame *f = &d->frame;
    return json_pack("{s:i, s:s, s:s, s:o, s:I, s:{s:s, s:I, s:I}}", "format_version", RUN_VERSION, "command", "forecast train", "version",
                     TIDE_VERSION, "options", options, "parameters", (json_int_t)parameters, "data", "sha256", f->sha256, "rows",
                     (json_int_t)f->file_rows, "columns", (json_int_t)f->columns);
}

typedef struct text_file { const char *data; } text_file;
static tide_status put_text(void *user, void *stdio_file) {
    return fputs(((const text_file *)user)->data, stdio_file) < 0 ? TIDE_EIO : TIDE_OK;
}

tide_status run_json_write(const run_folder *r, const forecast_options *o, const dataset *d, int64_t parameters, tide_failure *failure) {
    char      path[RUN_PATH];
    json_t   *j    = run_json(o, d, parameters);
    char     *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
    text_file file = { text };
    tide_status status = text ? tide_file_replace(run_folder_file(r->path, "run.json", path), put_text, &file, failure)
                              : fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    free(text);
    json_decref(j);
    return status;
}

/* The value as one would type it. */
static const char *shown(const json_t *v, char *buffer, size_t size) {
    if (json_is_string(v)) return json_string_value(v);
    if (json_is_boolean(v)) return json_is_true(v) ? "yes" : "no";
    if (json_is_integer(v)) snprintf(buffer, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v)) snprintf(buffer, size, "%g", json_real_value(v));
    else snprintf(buffer, size, "nothing");
    return buffer;
}

static tide_status compare_options(const char *path, const json_t *before, const json_t *now, tide_failure *failure) {
    int64_t count;
    const forecast_option *table = forecast_option_table(&count);
    char a[64], b[64];
    for (int64_t i = 0; i < count; i++) {
        const forecast_option *row = &table[i];
        if (!belongs(row) || (row->flags & FORECAST_MAY_DIFFER)) continue;
        const json_t *was = json_object_get(before, row->name), *is = json_object_get(now, row->name);
        if (!json_equal(was, is))
            return fail_at(failure, TIDE_EINVAL, path, 0, row->name, "the run was started with --%s %s, now it is %s: give the same options, or --overwrite",
                           row->name, shown(was, a, sizeof a), shown(is, b, sizeof b));
    }
    return TIDE_OK;
}

tide_status run_json_check(const run_folder *r, const forecast_options *o, const dataset *d, tide_failure *failure) {
    char         path[RUN_PATH];
    json_error_t error;
    json_t      *was = json_load_file(run_folder_file(r->path, "run.json", path), 0, &error), *is = run_json(o, d, 0);
    tide_status  status = TIDE_OK;
    if (!was) status = fail_at(failure, TIDE_EDATA, path, MAX2(error.line, 0), NULL, "cannot be read (%s): --overwrite starts anew", error.text);
    else if (!is) status = fail(failure, TIDE_ENOMEM, "out of memory for run.json");
    else if (json_integer_value(json_object_get(was, "format_version")) > RUN_VERSION)
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "its format version is newer than this program writes: update tidemill");
    else status = compare_options(path, json_object_get(was, "options"), json_object_get(is, "options"), failure);
    if (status == TIDE_OK && !json_equal(json_object_get(was, "data"), json_object_get(is, "data")))
        status = fail_at(failure, TIDE_EINVAL, path, 0, "data", "the run was started on another file than %s (its sha256 differs): give the same, or --overwrite", o->data);
    json_decref(was);
    json_decref(is);
    return status;
}

/* ---- metrics.csv ---- */

#define METRICS_HEADER "epoch,step,lr,train_loss,val_loss,grad_norm,seconds,rss_mib\n"

tide_status metrics_append(const run_folder *r, const metrics_row *row, int64_t *bytes, tide_failure *failure) {
    char  path[RUN_PATH], cell[6][32];
    const double values[6] = { row->lr, row->train_loss, row->val_loss, row->grad_norm, row->seconds, row->rss_mib };
    FILE *file = fopen(run_folder_file(r->path, "metrics.csv", path), "a");
    for (int i = 0; i < 6; i++) num_format(cell[i], values[i], i < 4);
    bool fine = file && fseek(file, 0, SEEK_END) == 0;
    if (fine && ftell(file) == 0) fine = fputs(METRICS_HEADER, file) >= 0;
    fine = fine && fprintf(file, "%" PRId64 ",%" PRId64 ",%s,%s,%s,%s,%s,%s\n", row->epoch, row->step, cell[0], cell[1], cell[2], cell[3], cell[4], cell[5]) > 0;
    fine = fine && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int64_t length = fine ? ftell(file) : 0;
    int     error  = errno;
    if (file && fclose(file)) fine = false;
    if (!fine && file && truncate(path, *bytes)) error = errno; /* no half row stays */
    if (fine) *bytes = length;
    return fine ? TIDE_OK : fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot write: %s", strerror(error));
}

tide_status metrics_cut(const run_folder *r, int64_t bytes, tide_failure *failure) {
    char path[RUN_PATH];
    if (truncate(run_folder_file(r->path, "metrics.csv", path), bytes) == 0 || (errno == ENOENT && bytes == 0)) return TIDE_OK;
    return fail_at(failure, TIDE_EIO, path, 0, NULL, "cannot cut to %" PRId64 " bytes: %s", bytes, strerror(errno));
}

static void metrics_fill(const tide_table *t, int64_t r, metrics_row *row) {
    double v[8] = { 0 };
    for (int64_t c = 0; c < 8 && c < t->columns; c++) v[c] = num_parse(t->cells[r * t->columns + c], NULL);
    *row = (metrics_row){ (int64_t)v[0], (int64_t)v[1], v[2], v[3], v[4], v[5], v[6], v[7] };
}

tide_status metrics_read(const run_folder *r, metrics_row **rows, int64_t *count, tide_failure *failure) {
    char        path[RUN_PATH];
    tide_table  t      = { 0 };
    tide_status status = tide_csv_read(run_folder_file(r->path, "metrics.csv", path), &(tide_csv_options){ .separator = ',' }, &t, failure);
    *count = status == TIDE_OK ? t.rows : 0;
    *rows  = calloc((size_t)*count + 1, sizeof **rows);
    for (int64_t i = 0; *rows && i < *count; i++) metrics_fill(&t, i, &(*rows)[i]);
    if (status == TIDE_OK && !*rows) status = fail(failure, TIDE_ENOMEM, "out of memory for %s", path);
    tide_table_free(&t);
    return status;
}
