#include "checkpoint.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"

enum { STATE_VERSION = 1 };

/* The counters as text; num_format keeps every bit of a double. */
static const struct { const char *key; size_t offset; bool real; } fields[] = {
    { "epoch", offsetof(progress_state, epoch), false },
    { "batch", offsetof(progress_state, batch), false },
    { "step", offsetof(progress_state, step), false },
    { "loss_sum", offsetof(progress_state, loss_sum), true },
    { "norm_sum", offsetof(progress_state, norm_sum), true },
    { "best", offsetof(progress_state, best), true },
    { "best_epoch", offsetof(progress_state, best_epoch), false },
    { "worse", offsetof(progress_state, worse), false },
    { "epoch_seconds", offsetof(progress_state, epoch_seconds), true },
    { "train_seconds", offsetof(progress_state, train_seconds), true },
    { "metrics_bytes", offsetof(progress_state, metrics_bytes), false },
};
enum { FIELDS = sizeof fields / sizeof *fields };

static tide_status add_counters(tide_archive *a, const progress_state *at) {
    char        text[64];
    tide_status status = tide_archive_set(a, "finished", at->finished ? "1" : "0");
    snprintf(text, sizeof text, "%d", STATE_VERSION);
    if (status == TIDE_OK) status = tide_archive_set(a, "format_version", text);
    for (int i = 0; status == TIDE_OK && i < FIELDS; i++) {
        const char *field = (const char *)at + fields[i].offset;
        if (fields[i].real) num_format(text, *(const double *)field, false);
        else snprintf(text, sizeof text, "%" PRId64, *(const int64_t *)field);
        status = tide_archive_set(a, fields[i].key, text);
    }
    return status;
}

static tide_status add_values(tide_archive *a, const char *prefix, tide_list list, const tide_snapshot_t *snapshot) {
    tide_status status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < list.count; i++) {
        char        name[400];
        tide_val    v    = list.items[i];
        const void *data = snapshot ? tide_snapshot_data(snapshot, i) : tide_data(v);
        snprintf(name, sizeof name, "%s%s", prefix, tide_name_of(v));
        status = data ? tide_archive_add(a, name, tide_dtype_of(v), tide_shape_of(v), data) : TIDE_ENOMEM;
    }
    return status;
}

tide_status checkpoint_write(const run_folder *r, const session *s, const tide_snapshot_t *best, const progress_state *at, tide_failure *failure) {
    char         path[RUN_PATH];
    tide_archive a      = { 0 };
    tide_status  status = add_counters(&a, at);
    if (status == TIDE_OK) status = add_values(&a, "now/", tide_state(s->graph, ""), NULL);
    if (status == TIDE_OK && best) status = add_values(&a, "best/", s->params, best);
    if (status != TIDE_OK) fail(failure, status, "out of memory for a checkpoint");
    else status = tide_safetensors_write(run_folder_file(r->path, "state.safetensors", path), &a, failure);
    tide_archive_free(&a);
    return status;
}

static bool read_counters(const tide_archive *a, progress_state *at) {
    const char *finished = tide_archive_metadata(a, "finished");
    for (int i = 0; i < FIELDS; i++) {
        const char *text = tide_archive_metadata(a, fields[i].key);
        char       *end  = NULL;
        if (!text) return false;
        double value = num_parse(text, &end);
        if (end == text || *end) return false;
        if (fields[i].real) *(double *)((char *)at + fields[i].offset) = value;
        else *(int64_t *)((char *)at + fields[i].offset) = (int64_t)value;
    }
    at->finished = finished && !strcmp(finished, "1");
    return finished && at->epoch >= 1 && at->batch >= 0 && at->metrics_bytes >= 0;
}

/* Every variable must be there; a file of another model is named as such. */
static tide_status write_values(const tide_archive *a, const char *path, const char *prefix, tide_list list, tide_failure *failure) {
    for (int64_t i = 0; i < list.count; i++) {
        char     name[400];
        tide_val v = list.items[i];
        snprintf(name, sizeof name, "%s%s", prefix, tide_name_of(v));
        const tide_tensor *t = tide_archive_find(a, name);
        if (!t || t->type != tide_dtype_of(v) || !tide_shape_equal(t->shape, tide_shape_of(v)))
            return fail_at(failure, TIDE_EDATA, path, 0, name, "'%s' is missing or of another size: --overwrite starts anew", name);
        tide_status status = tide_write(v, t->data, (size_t)tide_shape_count(t->shape) * tide_dtype_size(t->type));
        if (status != TIDE_OK) return fail(failure, status, "cannot put back '%s'", name);
    }
    return TIDE_OK;
}

static bool has_best(const tide_archive *a) {
    for (int64_t i = 0; i < a->count; i++)
        if (!strncmp(a->tensors[i].name, "best/", 5)) return true;
    return false;
}

static tide_status restore(const tide_archive *a, const char *path, session *s, tide_snapshot_t **best, progress_state *at, tide_failure *failure) {
    const char *version = tide_archive_metadata(a, "format_version");
    if (!version || num_parse(version, NULL) > STATE_VERSION)
        return fail_at(failure, TIDE_EDATA, path, 0, NULL, "its format version is newer than this program reads: update tidemill");
    if (!read_counters(a, at)) return fail_at(failure, TIDE_EDATA, path, 0, NULL, "its counters are damaged: --overwrite starts anew");
    tide_status status = TIDE_OK;
    if (has_best(a)) {
        status = write_values(a, path, "best/", s->params, failure);
        if (status == TIDE_OK && !(*best = tide_snapshot(s->params))) status = fail(failure, TIDE_ENOMEM, "out of memory for the best parameters");
    }
    return status == TIDE_OK ? write_values(a, path, "now/", tide_state(s->graph, ""), failure) : status;
}

tide_status checkpoint_read(const run_folder *r, session *s, tide_snapshot_t **best, progress_state *at, bool *found, tide_failure *failure) {
    char path[RUN_PATH];
    *found = access(run_folder_file(r->path, "state.safetensors", path), F_OK) == 0;
    if (!*found) return TIDE_OK;
    tide_archive a      = { 0 };
    tide_status  status = tide_safetensors_read(path, &a, failure);
    if (status == TIDE_OK) status = restore(&a, path, s, best, at, failure);
    tide_archive_free(&a);
    return status;
}
