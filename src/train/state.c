/* state.safetensors: "now/" and the name for each variable, "best/" for the best parameters, counters as metadata. The
 * writer replaces the whole file at once, so a killed process leaves the one before or the new one, never a half. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <tidemill/io.h>
#include <unistd.h>

#include "base/base.h"
#include "run.h"
#include "step.h"

enum { STATE_VERSION = 2 };  /* 1: each application named its counters itself */

/* The counters as text; num_format keeps every bit of a double. */
static tide_status add_counters(tide_archive *a, run_counters counters) {
    char        text[64];
    snprintf(text, sizeof text, "%d", STATE_VERSION);
    tide_status status = tide_archive_set(a, "format_version", text);
    for (int64_t i = 0; status == TIDE_OK && i < counters.count; i++) {
        const run_counter *c     = &counters.table[i];
        const char        *field = (const char *)counters.values + c->offset;
        if (c->real) num_format(text, *(const double *)field, false);
        else snprintf(text, sizeof text, "%" PRId64, *(const int64_t *)field);
        status = tide_archive_set(a, c->key, text);
    }
    return status;
}

static tide_status add_values(tide_archive *a, const char *prefix, tide_list list, const tide_snapshot_t *snapshot,
                              tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < list.count; i++) {
        char        name[400];
        tide_val    v    = list.items[i];
        const void *data = snapshot ? tide_snapshot_data(snapshot, i) : tide_data(v);
        snprintf(name, sizeof name, "%s%s", prefix, tide_name_of(v));
        if (!data) return train_unread(v.graph, "a checkpoint", failure);
        status = tide_archive_add(a, name, tide_dtype_of(v), tide_shape_of(v), data);
    }
    return status;
}

tide_status run_state_write(const run_folder *r, tide_list now, tide_list params, const tide_snapshot_t *best,
                            run_counters counters,
                            tide_failure *failure) {
    char         path[FOLDER_PATH];
    tide_archive a      = { 0 };
    tide_status  status = add_counters(&a, counters);
    if (status == TIDE_OK) status = add_values(&a, "now/", now, NULL, failure);
    if (status == TIDE_OK && best) status = add_values(&a, "best/", params, best, failure);
    if (status != TIDE_OK) fail(failure, status, "out of memory for a checkpoint");
    else status = owned_claim_file(r->path, "state.safetensors", path, failure);
    if (status == TIDE_OK) status = tide_safetensors_write(path, &a, failure);
    tide_archive_free(&a);
    return status;
}

static const double LARGEST_WHOLE = 9e15; /* below 2^53: exact as double */

static bool in_range(const run_counter *c, double value) {
    if (c->least || c->most) return value >= c->least && value <= c->most && (c->real || value == floor(value));
    return c->real || (value >= 0 && value <= LARGEST_WHOLE && value == floor(value));
}

/* The counter's text, by whichever name the file has; NULL: not there. */
static const char *text_of(const tide_archive *a, const run_counter *c, double version) {
    const char *text = tide_archive_metadata(a, c->key);
    return !text && c->was && version < STATE_VERSION ? tide_archive_metadata(a, c->was) : text;
}

/* The key of the first counter that is missing or out of range; NULL: all are read. */
static const char *read_counters(const tide_archive *a, run_counters counters, double version) {
    for (int64_t i = 0; i < counters.count; i++) {
        const run_counter *c    = &counters.table[i];
        const char        *text = text_of(a, c, version);
        char              *end  = NULL;
        if (!text && c->later && version < STATE_VERSION) continue;
        double             value = text ? num_parse(text, &end) : 0;
        if (!text || end == text || *end || !in_range(c, value)) return c->key;
        if (c->real) *(double *)((char *)counters.values + c->offset) = value;
        else *(int64_t *)((char *)counters.values + c->offset) = (int64_t)value;
    }
    return NULL;
}

tide_status run_state_damaged(const run_folder *r, const char *key, tide_failure *failure) {
    char path[FOLDER_PATH];
    folder_file(r->path, "state.safetensors", path);
    return fail_at(failure, TIDE_EDATA, path, 0, key, "its counter %s is damaged: `overwrite` starts anew", key);
}

/* Every variable must be there; a file of another model is named as such. The learning rate is written before each
 * step: runs from when it was no variable go on without. */
static tide_status write_values(const tide_archive *a, const char *path, const char *prefix, tide_list list,
                                tide_failure *failure) {
    for (int64_t i = 0; i < list.count; i++) {
        char     name[400];
        tide_val v = list.items[i];
        snprintf(name, sizeof name, "%s%s", prefix, tide_name_of(v));
        const tide_tensor *t = tide_archive_find(a, name);
        if (!t && !strcmp(tide_name_of(v), "lr")) continue;
        if (!t || t->type != tide_dtype_of(v) || !tide_shape_equal(t->shape, tide_shape_of(v)))
            return fail_at(failure, TIDE_EDATA, path, 0, name,
                           "'%s' is missing or of another size: `overwrite` starts anew", name);
        tide_status status = tide_write(v, t->data, (size_t)tide_shape_count(t->shape) * tide_dtype_size(t->type));
        if (status != TIDE_OK)
            return fail(failure, status, "cannot put back '%s': %s", name, tide_error(v.graph)->message);
    }
    return TIDE_OK;
}

static bool has_best(const tide_archive *a) {
    for (int64_t i = 0; i < a->count; i++)
        if (!strncmp(a->tensors[i].name, "best/", 5)) return true;
    return false;
}

static tide_status restore(const tide_archive *a, const run_folder *r, const char *path, tide_list now,
                           tide_list params, tide_snapshot_t **best,
                           run_counters counters, tide_failure *failure) {
    const char *version = tide_archive_metadata(a, "format_version");
    if (!version) return run_state_damaged(r, "format_version", failure);
    if (num_parse(version, NULL) > STATE_VERSION)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL,
                       "its format version is newer than this program reads: update tidemill");
    const char *bad = read_counters(a, counters, num_parse(version, NULL));
    if (bad) return run_state_damaged(r, bad, failure);
    tide_status status = TIDE_OK;
    if (has_best(a)) {
        status = write_values(a, path, "best/", params, failure);
        if (status == TIDE_OK && !(*best = tide_snapshot(params)))
            status = train_unread(list_graph(params), "the best parameters", failure);
    }
    return status == TIDE_OK ? write_values(a, path, "now/", now, failure) : status;
}

tide_status run_state_read(const run_folder *r, tide_list now, tide_list params, tide_snapshot_t **best,
                           run_counters counters, bool *found,
                           tide_failure *failure) {
    char path[FOLDER_PATH];
    *found = access(folder_file(r->path, "state.safetensors", path), F_OK) == 0;
    if (!*found) return TIDE_OK;
    tide_archive a      = { 0 };
    tide_status  status = tide_safetensors_read(path, &a, failure);
    if (status == TIDE_OK) status = restore(&a, r, path, now, params, best, counters, failure);
    tide_archive_free(&a);
    return status;
}
