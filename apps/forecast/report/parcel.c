/* One walk over a result, which writes or reads: each part behind its length, the struct first. */
#include "parcel.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

typedef struct parcel {
    bool   reading, failed;
    char  *data;      /* writing: malloc'ed */
    size_t at, size;
} parcel;

static bool room(parcel *p, size_t bytes) {
    if (p->reading || p->failed || bytes <= p->size - p->at) return !p->failed && bytes <= p->size - p->at;
    size_t size   = 2 * (p->at + bytes);
    char  *larger = realloc(p->data, size);
    if (larger) p->data = larger, p->size = size;
    return larger != NULL;
}

static void fixed(parcel *p, void *part, size_t bytes) {
    p->failed = !room(p, bytes);
    if (p->failed || !bytes) return;
    if (p->reading) memcpy(part, p->data + p->at, bytes);
    else memcpy(p->data + p->at, part, bytes);
    p->at += bytes;
}

/* NULL or so many bytes; read, a 0 follows them. */
static void array(parcel *p, void **part, size_t bytes) {
    uint64_t length = !p->reading && *part ? bytes + 1 : 0;
    if (p->reading) *part = NULL;
    fixed(p, &length, sizeof length);
    if (p->failed || !length) return;
    if (p->reading) p->failed = length != bytes + 1 || bytes > p->size - p->at || !(*part = calloc(bytes + 1, 1));
    if (!p->failed) fixed(p, *part, bytes);
}

static void words(parcel *p, char **part) {
    uint64_t length = !p->reading && *part ? strlen(*part) : 0;
    void    *data   = p->reading ? NULL : *part;
    fixed(p, &length, sizeof length);
    array(p, &data, length);
    if (p->reading) *part = data;
}

/* More than there are bytes is damage. */
static void counted(parcel *p, int64_t *count, size_t each, void **part) {
    if (p->reading && (*count < 0 || (uint64_t)*count > p->size / each)) p->failed = true, *count = 0;
    array(p, part, (size_t)*count * each);
    if (p->reading && !*part) p->failed |= *count > 0, *count = 0;
}

static void forget(forecast_result *r) {
    for (int i = 0; i < 4; i++)
        for (int l = 0; l < FORECAST_MAX_LEVELS; l++)
            r->intervals[i].level[l].by_step = r->intervals[i].level[l].by_column = NULL;
    r->by_column = NULL, r->sums.of = NULL, r->json = r->explanation = r->text = r->csv = NULL;
    r->backtest = NULL, r->tune = NULL, r->inputs = NULL;
}

static void levels(parcel *p, const forecast_result *r, forecast_intervals *of) {
    bool none = of->level_count < 0 || of->level_count > FORECAST_MAX_LEVELS || r->pred_len < 0;
    if (p->reading && (none || (uint64_t)r->pred_len > p->size / sizeof(double)))
        p->failed = true, of->level_count = 0;
    for (int64_t l = 0; l < of->level_count; l++) {
        array(p, (void **)&of->level[l].by_step, (size_t)r->pred_len * sizeof(double));
        array(p, (void **)&of->level[l].by_column, (size_t)r->by_column_count * sizeof(double));
    }
}

/* Names that are in the bytes of a list are those of who wrote it. */
static void names(parcel *p, forecast_result *r) {
    for (int64_t i = 0; p->reading && i < r->by_column_count; i++) r->by_column[i].name = NULL;
    for (int64_t i = 0; p->reading && i < r->sums.count; i++) r->sums.of[i].name = NULL;
    for (int64_t i = 0; i < r->by_column_count; i++) words(p, &r->by_column[i].name);
    for (int64_t i = 0; i < r->sums.count; i++) words(p, &r->sums.of[i].name);
}

static void walk(parcel *p, forecast_result *r) {
    char magic[64] = "", here[sizeof magic] = "";
    snprintf(here, sizeof here, "tidemill %s result of %zu", TIDE_VERSION, sizeof *r);
    memcpy(magic, here, sizeof here);
    fixed(p, magic, sizeof magic);
    if (p->failed || memcmp(magic, here, sizeof here)) {
        p->failed = true;
        return;
    }
    fixed(p, r, sizeof *r);
    if (p->reading) forget(r);
    counted(p, &r->by_column_count, sizeof *r->by_column, (void **)&r->by_column);
    counted(p, &r->sums.count, sizeof *r->sums.of, (void **)&r->sums.of);
    names(p, r);
    for (int i = 0; i < 4; i++) levels(p, r, &r->intervals[i]);
    words(p, &r->json), words(p, &r->explanation), words(p, &r->text), words(p, &r->csv);
}

tide_status parcel_pack(const forecast_result *r, void **bytes, size_t *size, tide_failure *failure) {
    forecast_result all = *r;
    parcel          p   = { 0 };
    walk(&p, &all);
    *bytes = p.data, *size = p.at;
    if (!p.failed) return TIDE_OK;
    free(p.data);
    *bytes = NULL;
    return fail(failure, TIDE_ENOMEM, "out of memory for the result");
}

tide_status parcel_unpack(const void *bytes, size_t size, forecast_result *r, tide_failure *failure) {
    forecast_result was = *r, all = { 0 };
    parcel          p   = { .reading = true, .data = (char *)bytes, .size = size };
    walk(&p, &all);
    if (p.failed) {
        forecast_result_free(&all);
        return fail(failure, TIDE_EDATA, "a result of another process is damaged, or of another build: run it again "
                                         "by one process");
    }
    *r          = all;
    r->backtest = was.backtest, r->tune = was.tune, r->inputs = was.inputs;
    return TIDE_OK;
}
