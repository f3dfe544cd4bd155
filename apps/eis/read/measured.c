#include "measured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/sha256.h"
#include "eis/options/tell.h"

static tide_status tell_notes(const char *path, char *notes, eis_listener listener, void *user,
                              tide_failure *failure) {
    char line[1536];
    for (const char *one; notes && (one = strsep(&notes, "\n"));) {
        if (!*one) continue;
        snprintf(line, sizeof line, "%.900s: %s", path, one);
        if (eis_tell(listener, user, EIS_NOTE, line)) return fail(failure, TIDE_ECANCELLED, "stopped");
    }
    return TIDE_OK;
}

static tide_status add_items(measured *b, int64_t file, const tide_failure *why, tide_failure *failure) {
    int64_t     more  = MAX2(b->file[file].count, 1);
    measured_item *grown = realloc(b->item, (size_t)(b->count + more) * sizeof *grown);
    if (!grown) return fail(failure, TIDE_ENOMEM, "out of memory for the spectra");
    b->item = grown;
    for (int64_t i = 0; i < more; i++)
        b->item[b->count++] = (measured_item){ b->path[file], why ? NULL : &b->file[file].spectrum[i],
                                            why ? *why : (tide_failure){ 0 } };
    return TIDE_OK;
}

static tide_status read_file(measured *b, int64_t file, const eis_options *o, eis_listener listener, void *user,
                             tide_failure *failure) {
    tide_failure why    = { 0 };
    tide_status  status = eis_spectra_read(b->path[file], o, &b->file[file], &why);
    if (status == TIDE_EDATA) return add_items(b, file, &why, failure);
    if (status != TIDE_OK) {
        if (failure) *failure = why;
        return status;
    }
    status = tell_notes(b->path[file], b->file[file].notes, listener, user, failure);
    return status == TIDE_OK ? add_items(b, file, NULL, failure) : status;
}

tide_status measured_read_list(const char *list, const eis_options *options, eis_listener listener, void *user,
                               measured *out, tide_failure *failure) {
    *out = (measured){ .list = strdup(list) };
    for (const char *c = out->list; c && *c; c++) out->files += *c == '\n' || !c[1];
    out->path = calloc((size_t)MAX2(out->files, 1), sizeof *out->path);
    out->file = calloc((size_t)MAX2(out->files, 1), sizeof *out->file);
    if (!out->list || !out->path || !out->file) return fail(failure, TIDE_ENOMEM, "out of memory for the spectra");
    char       *rest   = out->list;
    tide_status status = TIDE_OK;
    for (int64_t i = 0; i < out->files; i++) out->path[i] = strsep(&rest, "\n");
    for (int64_t i = 0; i < out->files && status == TIDE_OK; i++)
        status = read_file(out, i, options, listener, user, failure);
    return status;
}

tide_status measured_read(const eis_options *options, eis_listener listener, void *user, measured *out,
                          tide_failure *failure) {
    return measured_read_list(options->spectra, options, listener, user, out, failure);
}

void measured_hash(sha256 *h, const eis_spectrum *s) {
    size_t n = (size_t)s->count;
    sha256_add(h, s->name, strlen(s->name) + 1);
    sha256_add(h, &s->area_cm2, sizeof s->area_cm2);
    sha256_add(h, &s->count, sizeof s->count);
    sha256_add(h, s->freq_hz, n * sizeof *s->freq_hz);
    sha256_add(h, s->z, n * sizeof *s->z);
    if (s->sigma) sha256_add(h, s->sigma, n * sizeof *s->sigma);
    if (s->line) sha256_add(h, s->line, n * sizeof *s->line);
}

void measured_digest(const measured *b, char hex[65]) {
    sha256 h;
    sha256_begin(&h);
    for (int64_t i = 0; i < b->count; i++) {
        const measured_item *item = &b->item[i];
        const char *why = item->spectrum ? "" : item->why.message;
        sha256_add(&h, item->path, strlen(item->path) + 1);
        sha256_add(&h, why, strlen(why) + 1);
        if (item->spectrum) measured_hash(&h, item->spectrum);
    }
    sha256_end(&h, hex);
}

void measured_free(measured *b) {
    for (int64_t i = 0; b->file && i < b->files; i++) eis_spectra_free(&b->file[i]);
    free(b->file);
    free(b->path);
    free(b->item);
    free(b->list);
    *b = (measured){ 0 };
}
