/* Rows to train on, from mapped shards or a CSV: the same columns either way, each row checked to be a circuit. */
#include "data.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/dataset/generate.h"

static const char *const circuit_names[] = { [EIS_SHUNT] = "shunt", [EIS_CHAIN] = "chain" };

typedef struct names { char **items; int64_t count; } names;

static void names_free(names *n) {
    for (int64_t i = 0; i < n->count; i++) free(n->items[i]);
    free(n->items);
    *n = (names){ 0 };
}

static bool names_add(names *n, const char *name) {
    char **larger = realloc(n->items, (size_t)(n->count + 1) * sizeof *larger);
    if (!larger) return false;
    n->items = larger;
    return (n->items[n->count] = strdup(name)) != NULL && ++n->count;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Names in the folder that match, sorted. A folder that is not there holds none. */
static tide_status list(const char *folder, const char *pattern, names *out, tide_failure *f) {
    DIR *dir  = opendir(folder);
    bool fine = true;
    if (!dir && errno != ENOENT)
        return fail_at(f, TIDE_EDATA, folder, 0, NULL, "cannot read the folder %s: %s", folder, strerror(errno));
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (fnmatch(pattern, e->d_name, 0) == 0) fine = fine && names_add(out, e->d_name);
    if (dir) closedir(dir);
    if (!fine) return fail(f, TIDE_ENOMEM, "out of memory for the names in %s", folder);
    if (out->count) qsort(out->items, (size_t)out->count, sizeof *out->items, by_name);
    return TIDE_OK;
}

/* ---- shards ---- */

static const json_t *options_of(const shard *s) { return json_object_get(s->header, "options"); }

static tide_status open_shard(known_data *d, const char *folder, const char *name, tide_failure *f) {
    char  *path = folder_path(folder, "%s", name);
    shard *s    = &d->shards[d->shard_count];
    tide_status status = path ? shard_open(path, s, f) : fail(f, TIDE_ENOMEM, "out of memory");
    free(path);
    if (status != TIDE_OK) return status;
    d->shard_count++;
    if (!json_equal(options_of(s), options_of(d->shards)))
        return fail_at(f, TIDE_EDATA, s->path, 0, "data-dir",
                       "%s belongs to another data set than %s: give `data-dir` a folder with one",
                       s->path, d->shards->path);
    d->truths += s->truths;
    return shard_check(s, f);
}

static bool take_columns(known_data *d) {
    d->truth = calloc((size_t)d->truths + 1, sizeof *d->truth);
    for (int64_t i = 0, at = 0; d->truth && i < d->shard_count; i++)
        for (int64_t t = 0; t < d->shards[i].truths; t++, at++) {
            const shard *s = &d->shards[i];
            d->truth[at]   = (truth_rows){ .count = s->rows, .resnorm = s->resnorm[t], .single = s->single };
            memcpy(d->truth[at].index, s->index, sizeof s->index);
        }
    return d->truth != NULL;
}

/* No index beyond its axis, residual norms that are numbers. */
static bool is_sound(const shard *s, int64_t points) {
    bool fine = true;
    for (int k = 0; k < EIS_COUNT; k++)
        for (int64_t r = 0; r < s->rows; r++) fine &= s->index[k][r] < points;
    for (int64_t t = 0; t < s->truths; t++)
        for (int64_t r = 0; r < s->rows; r++) {
            double v = shard_value(s, t, r);
            fine &= v >= 0 && v <= 1e300;
        }
    return fine;
}

/* What shard_open does not look at: the options, and the numbers. */
static tide_status take_options(known_data *d, tide_failure *f) {
    const shard  *s = d->shards;
    const json_t *o = options_of(s);
    const char *circuit = json_string_value(json_object_get(o, "circuit")),
               *kind = json_string_value(json_object_get(o, "resnorm"));
    int64_t       truths = json_integer_value(json_object_get(o, "ground_truths"));
    d->points  = json_integer_value(json_object_get(o, "points"));
    d->circuit = circuit && !strcmp(circuit, "chain") ? EIS_CHAIN : EIS_SHUNT;
    snprintf(d->resnorm_kind, sizeof d->resnorm_kind, "%s", kind ? kind : "");
    snprintf(d->identity, sizeof d->identity,
             "shards %s %s seed %" JSON_INTEGER_FORMAT " truths %" PRId64 " crc32 %" JSON_INTEGER_FORMAT,
             circuit ? circuit : "", d->resnorm_kind, json_integer_value(json_object_get(o, "seed")), truths,
             json_integer_value(json_object_get(o, "ground_truths_crc32")));
    bool fine = circuit && kind && d->points >= 2 && d->points <= 40;
    if (!fine)
        return fail_at(f, TIDE_EDATA, s->path, 0, NULL, "%s: circuit, resnorm or points (2 to 40) are missing",
                       s->path);
    for (int64_t i = 0; i < d->shard_count; i++)
        if (!is_sound(&d->shards[i], d->points))
            return fail_at(f, TIDE_EDATA, d->shards[i].path, 0, NULL,
                           "%s: indices are beyond the axes, or residual norms are no numbers from 0",
                           d->shards[i].path);
    if (truths == d->truths) return TIDE_OK;
    return fail_at(f, TIDE_EDATA, s->path, 0, "data-dir",
                   "the data set has %" PRId64 " of its %" PRId64 " ground truths: run 'tidemill eis generate' again "
                                                                  "to finish it",
                   d->truths, truths);
}

static tide_status open_shards(const char *folder, const names *n, known_data *d, tide_failure *f) {
    d->shards = calloc((size_t)n->count, sizeof *d->shards);
    if (!d->shards) return fail(f, TIDE_ENOMEM, "out of memory for %" PRId64 " shards", n->count);
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < n->count; i++) status = open_shard(d, folder, n->items[i], f);
    if (status == TIDE_OK) status = take_options(d, f);
    if (status == TIDE_OK && !take_columns(d)) status = fail(f, TIDE_ENOMEM, "out of memory for the ground truths");
    return status;
}

/* ---- either ---- */

static tide_status open_csv(const char *folder, known_data *d, tide_failure *f) {
    names       n      = { 0 };
    tide_status status = list(folder, "combined_dataset_*gt.csv", &n, f);
    if (status == TIDE_OK && !n.count)
        status = fail_at(f, TIDE_EINVAL, folder, 0, "data-dir",
                         "%s holds no data: make them with tidemill eis generate, `data-dir` %s, or name their "
                         "folder with `data-dir`",
                         folder, folder);
    if (status == TIDE_OK && n.count > 1)
        status = fail_at(f, TIDE_EINVAL, folder, 0, "data-dir",
                         "%s holds several data sets (%s, %s): give `data-dir` a folder with one",
                         folder, n.items[0], n.items[1]);
    if (status == TIDE_OK) status = known_csv_read(folder, n.items[0], d, f);
    names_free(&n);
    return status;
}

static tide_status check_circuit(const eis_options *o, const known_data *d, tide_failure *f) {
    if (!eis_option_given(o, "circuit") || o->circuit == (int)d->circuit) return TIDE_OK;
    return fail_at(f, TIDE_EINVAL, o->data_dir, 0, "circuit", "`circuit` %s, but the data in %s are of the %s circuit",
                   circuit_names[o->circuit], o->data_dir, circuit_names[d->circuit]);
}

tide_status known_data_open(const eis_options *o, known_data *d, bool *from_csv, tide_failure *f) {
    names n = { 0 };
    *d      = (known_data){ 0 };
    tide_status status = list(o->data_dir, "shard-*.tmshard", &n, f);
    *from_csv = n.count == 0;
    if (status == TIDE_OK) status = n.count ? open_shards(o->data_dir, &n, d, f) : open_csv(o->data_dir, d, f);
    names_free(&n);
    for (int64_t i = 0; status == TIDE_OK && i < d->truths; i++) d->rows += d->truth[i].count;
    if (status == TIDE_OK) status = check_circuit(o, d, f);
    if (status != TIDE_OK) known_data_free(d);
    return status;
}

void known_data_free(known_data *d) {
    for (int64_t i = 0; i < d->shard_count; i++) shard_close(&d->shards[i]);
    free(d->shards);
    free(d->truth);
    free(d->columns);
    *d = (known_data){ 0 };
}
