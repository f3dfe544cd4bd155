/* A data set of shards: its manifest says what is being made, and a killed command goes on with the first shard that
 * is missing. */
#include "generate.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/base.h"
#include "base/parallel.h"
#include "eis/options/tell.h"
#include "bounded.h"
#include "train/run.h"

enum { SCHEMA_VERSION = 1, ROWS_A_SHARD = 1 << 20, NOTE_SECONDS = 2 };  /* a shard has one ground truth at least */

static char *path_of(const shard_run *run, int64_t i) {
    return folder_path(run->folder, "shard-%05" PRId64 ".tmshard", i);
}

static shard_plan plan_of(const shard_run *run, int64_t i) {
    int64_t first = i * run->each, left = run->survey->truths - first;
    return (shard_plan){ run->survey, &run->rows, run->options, run->single, i, first, MIN2(run->each, left) };
}

/* ---- what a data set is ---- */

static uint32_t sum_of_truths(const survey *s) {
    uLong sum = 0;
    for (int64_t i = 0; i < s->truths; i++) {
        sum = crc32_z(sum, (const Bytef *)s->truth[i].id, strlen(s->truth[i].id));
        sum = crc32_z(sum, (const Bytef *)s->truth[i].p, sizeof s->truth[i].p);
    }
    return (uint32_t)sum;
}

static char *identity(const eis_options *o, const survey *s) {
    const resnorm_grid *g = &s->grid;
    json_t *all = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:o, s:I}", "profile", s->profile, "circuit",
        g->circuit == EIS_CHAIN ? "chain" : "shunt", "grid", s->full ? "full" : "symmetric", "resnorm",
        eis_resnorm_name(g->kind), "dtype", o->dtype == EIS_SHARD_F64 ? "f64" : "f32", "points", (json_int_t)g->points,
        "frequencies", (json_int_t)g->frequencies, "low_hz", g->freq_hz[0], "high_hz", g->freq_hz[g->frequencies - 1],
        "ground_truths", (json_int_t)s->truths, "seed", *o->ground_truths ? json_null() : json_integer(o->seed),
        "ground_truths_crc32", (json_int_t)sum_of_truths(s));
    char *text = all ? json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(all);
    return text;
}

/* Names the first option in which `path` differs. */
static tide_status same_options(const shard_run *run, const char *path, const json_t *there, tide_failure *f) {
    json_t     *here   = json_loads(run->options, 0, NULL);
    tide_status status = here ? TIDE_OK : fail(f, TIDE_ENOMEM, "out of memory");
    const char *key;
    json_t     *value;
    json_object_foreach(here, key, value) {
        const json_t *other = json_object_get(there, key);
        if (status != TIDE_OK || json_equal(value, other)) continue;
        char *a = json_dumps(other, JSON_ENCODE_ANY), *b = json_dumps(value, JSON_ENCODE_ANY);
        status = fail_at(f, TIDE_EINVAL, path, 0, "data-dir",
                         "%s was made with other options: its %s is %s and yours %s; give the same, or another "
                         "`data-dir`",
                         path, key, a ? a : "absent", b ? b : "");
        free(a);
        free(b);
    }
    json_decref(here);
    return status;
}

static tide_status check_manifest(const shard_run *run, const char *path, tide_failure *f) {
    struct stat info;
    if (stat(path, &info) != 0) return TIDE_OK;
    if (!S_ISREG(info.st_mode)) return fail_at(f, TIDE_EDATA, path, 0, NULL, "%s is no file", path);
    json_t *manifest = bounded_json(path, f);
    if (!manifest) return f->status;
    tide_status status = same_options(run, path, json_object_get(manifest, "options"), f);
    json_decref(manifest);
    return status;
}

static tide_status write_manifest(const shard_run *run, bool complete, tide_failure *f) {
    json_t *names = json_array();
    for (int64_t i = 0; i < run->count; i++)
        json_array_append_new(names, json_sprintf("shard-%05" PRId64 ".tmshard", i));
    json_t *all = json_pack("{s:i, s:s, s:i, s:o*, s:b, s:I, s:I, s:I, s:o}", "schema_version", SCHEMA_VERSION,
                            "format", "tidemill eis shards",
                            "format_version", SHARD_VERSION, "options", json_loads(run->options, 0, NULL), "complete",
                            complete, "rows",
                            (json_int_t)(run->survey->truths * run->rows.count), "bytes", (json_int_t)run->bytes,
                            "ground_truths_a_shard",
                            (json_int_t)run->each, "shards", names);
    char *text = all ? json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL,
         *path = folder_path(run->folder, "manifest.json");
    tide_status status = file_of_text(path, text, f);
    json_decref(all);
    free(text);
    free(path);
    return status;
}

/* ---- what is there already ---- */

static tide_status check_shard(const shard_run *run, const char *path, int64_t number, tide_failure *f) {
    shard       s;
    tide_status status = shard_open(path, &s, f);
    if (status != TIDE_OK) return status;
    status = same_options(run, path, json_object_get(s.header, "options"), f);
    if (status == TIDE_OK && json_integer_value(json_object_get(s.header, "shard")) != number)
        status = fail_at(f, TIDE_EDATA, path, 0, NULL, "%s holds another shard's data (number %lld); remove it and "
                                                       "run again", path,
                         (long long)json_integer_value(json_object_get(s.header, "shard")));
    if (status == TIDE_OK) status = shard_check(&s, f);
    shard_close(&s);
    return status;
}

/* Before any is looked into. */
static tide_status count_shards(shard_run *run, tide_failure *f) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < run->count && status == TIDE_OK; i++) {
        shard_plan plan  = plan_of(run, i);
        int64_t    bytes = shard_bytes(&plan);
        char      *path  = path_of(run, i);
        if (!path || bytes < 0) status = fail(f, TIDE_ENOMEM, "out of memory");
        else run->present[i] = access(path, F_OK) == 0;
        run->bytes += bytes;
        run->missing_bytes += run->present[i] ? 0 : bytes;
        run->found += run->present[i];
        free(path);
    }
    return status;
}

static tide_status check_shards(const shard_run *run, tide_failure *f) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < run->count && status == TIDE_OK; i++) {
        char *path = run->present[i] ? path_of(run, i) : NULL;
        if (path) status = check_shard(run, path, i, f);
        else if (run->present[i]) status = fail(f, TIDE_ENOMEM, "out of memory");
        free(path);
    }
    return status;
}

/* What there is to write, without looking. */
static tide_status plan(const eis_options *o, const survey *s, shard_run *run, tide_failure *f) {
    *run = (shard_run){ .survey = s,
                        .folder = o->data_dir,
                        .options = identity(o, s),
                        .single = o->dtype == EIS_SHARD_F32,
                        .lock = -1,
                        .each = MAX2(ROWS_A_SHARD / s->circuits, 1) };
    run->count   = ceil_div(s->truths, run->each);
    run->present = calloc((size_t)run->count, sizeof *run->present);
    return run->options && run->present && grid_rows_new(&s->grid, s->full, &run->rows)
               ? TIDE_OK
               : fail(f, TIDE_ENOMEM, "out of memory for the grid");
}

static tide_status open_folder(const eis_options *o, const survey *s, bool shared, shard_run *run, tide_failure *f) {
    tide_status status   = plan(o, s, run, f);
    char       *manifest = folder_path(o->data_dir, "manifest.json");
    if (status == TIDE_OK && !manifest) status = fail(f, TIDE_ENOMEM, "out of memory for the grid");
    if (status == TIDE_OK) status = folder_open(o->data_dir, shared, &run->lock, f);
    if (status == TIDE_OK) status = check_manifest(run, manifest, f);
    if (status == TIDE_OK) status = count_shards(run, f);
    free(manifest);
    return status;
}

/* The name is absent, or of these very options. */
tide_status shard_run_manifest(shard_run *run, bool complete, tide_failure *f) {
    tide_status status = owned_adopt(run->folder, "manifest.json", f);
    return status == TIDE_OK ? write_manifest(run, complete, f) : status;
}

tide_status shard_run_begin(const eis_options *o, const survey *s, shard_run *run, tide_failure *f) {
    tide_status status = open_folder(o, s, false, run, f);
    if (status == TIDE_OK) status = check_shards(run, f);
    if (status == TIDE_OK) owned_sweep(run->folder);
    if (status == TIDE_OK) status = folder_room(run->folder, run->missing_bytes, f);
    return status == TIDE_OK ? shard_run_manifest(run, run->found == run->count, f) : status;
}

tide_status shard_run_join(const eis_options *o, const survey *s, shard_run *run, tide_failure *f) {
    tide_status status = open_folder(o, s, true, run, f);
    return status == TIDE_OK ? folder_room(run->folder, run->missing_bytes, f) : status;
}

bool shard_run_has(const shard_run *run, int64_t i) {
    char *path = path_of(run, i);
    bool  fine = path && access(path, F_OK) == 0 && check_shard(run, path, i, NULL) == TIDE_OK;
    free(path);
    return fine;
}

tide_status shard_run_make(const shard_run *run, int64_t i, const survey *of, tide_failure *f) {
    char       *path = path_of(run, i);
    shard_plan  plan = { of, &run->rows, run->options, run->single, i, 0, of->truths };
    tide_status status;
    if (!path) status = fail(f, TIDE_ENOMEM, "out of memory");
    else if (access(path, F_OK) == 0) status = check_shard(run, path, i, f);
    else status = shard_write(&plan, path, f);
    free(path);
    return status;
}

void shard_run_free(shard_run *run) {
    if (run->options && run->lock >= 0) close(run->lock);
    if (run->rows.count) grid_rows_free(&run->rows);
    free(run->options);
    free(run->present);
}

/* ---- writing ---- */

typedef struct progress {
    eis_listener listener;
    void *user;
    int64_t done;
    double told;
    tide_status status;
    tide_failure failure;
    pthread_mutex_t lock;  /* over what follows `listener` */
    const shard_run *run;
} progress;

static void note(progress *p, tide_status status, const tide_failure *failure) {
    char   line[128];
    double now = os_seconds();
    p->done++;
    if (status != TIDE_OK && p->status == TIDE_OK) p->status = status, p->failure = *failure;
    if (p->status != TIDE_OK || !p->listener || now - p->told < NOTE_SECONDS) return;
    snprintf(line, sizeof line, "%" PRId64 " of %" PRId64 " shards", p->done, p->run->count);
    p->told = now;
    eis_event event = eis_event_of(EIS_NOTE, line);
    event.done = p->done, event.total = p->run->count;
    if (p->listener(p->user, &event))
        p->status = fail(&p->failure, TIDE_ECANCELLED,
                         "stopped after %" PRId64 " of %" PRId64 " shards; the same command resumes there",
                         p->done, p->run->count);
}

static bool stopped(progress *p) {
    pthread_mutex_lock(&p->lock);
    bool yes = p->status != TIDE_OK;
    pthread_mutex_unlock(&p->lock);
    return yes;
}

/* By one thread: its bytes do not depend on how many there are. */
static void write_shard(void *of, int64_t i, int thread) {
    progress *p = of;
    (void)thread;
    if (p->run->present[i] || stopped(p)) return;
    shard_plan   plan    = plan_of(p->run, i);
    tide_failure failure = { 0 };
    char        *path    = path_of(p->run, i);
    tide_status  status  = path ? shard_write(&plan, path, &failure) : fail(&failure, TIDE_ENOMEM, "out of memory");
    free(path);
    pthread_mutex_lock(&p->lock);
    note(p, status, &failure);
    pthread_mutex_unlock(&p->lock);
}

tide_status shard_run_write(shard_run *run, eis_listener listener, void *user, tide_failure *f) {
    progress p = { listener, user, run->found, os_seconds(), TIDE_OK, { 0 }, PTHREAD_MUTEX_INITIALIZER, run };
    parallel_for(run->survey->threads, run->count, 1, write_shard, &p);
    if (p.status == TIDE_OK) p.status = write_manifest(run, true, &p.failure);
    if (p.status != TIDE_OK && f) *f = p.failure;
    return p.status;
}
