/* A frame in long format as one with a column for each series. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"
#include "frame.h"

/* A row and where its time stands among all; and the rows [begin, end) of a series, of which `first` is the frame's
 * first. */
typedef struct placed { const char *id; int64_t row, at, whole; double real; } placed;
typedef struct group { int64_t first, begin, end; } group;

typedef struct pivot {
    const tide_frame *from;
    placed           *rows;
    group            *groups;
    int64_t           times, count;   /* count: of groups */
    tide_frame       *out;
    tide_failure     *failure;
} pivot;

static tide_status no_memory(const pivot *p) {
    return fail(p->failure, TIDE_ENOMEM, "out of memory for the series of the frame");
}

static int order_of(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int by_time(const void *a, const void *b) {
    const placed *x = a, *y = b;
    return x->whole != y->whole ? order_of(x->whole, y->whole) : (x->real > y->real) - (x->real < y->real);
}

static int by_series(const void *a, const void *b) {
    const placed *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    if (!order) order = order_of(x->at, y->at);
    return order ? order : order_of(x->row, y->row);
}

static int by_first(const void *a, const void *b) {
    return order_of(((const group *)a)->first, ((const group *)b)->first);
}

/* ---- rows ---- */

static tide_status take_rows(pivot *p, const char *const *id) {
    const tide_frame *f = p->from;
    for (int64_t i = 0; i < f->rows; i++) {
        if (!id[i] || !*id[i])
            return fail_at(p->failure, TIDE_EDATA, NULL, i + 1, NULL, "frame: row %" PRId64 " is of no series", i + 1);
        p->rows[i] = (placed){ .id = id[i], .row = i, .whole = f->time ? f->time[i] : 0,
                               .real = f->time ? 0 : f->time_real[i] };
    }
    return TIDE_OK;
}

/* Times in order, each once: the rows of the result. */
static tide_status take_times(pivot *p) {
    const tide_frame *f = p->from;
    int64_t *whole = f->time ? malloc((size_t)f->rows * sizeof *whole + 1) : NULL;
    double  *real  = f->time ? NULL : malloc((size_t)f->rows * sizeof *real + 1);
    if (!whole && !real) return no_memory(p);
    qsort(p->rows, (size_t)f->rows, sizeof *p->rows, by_time);
    for (int64_t i = 0; i < f->rows; i++) {
        bool again    = i && by_time(&p->rows[i - 1], &p->rows[i]) == 0;
        p->times     += !again;
        p->rows[i].at = p->times - 1;
        if (whole) whole[p->times - 1] = p->rows[i].whole;
        else real[p->times - 1] = p->rows[i].real;
    }
    tide_status status = tide_frame_new(p->times, &p->out, p->failure);
    if (status == TIDE_OK) return frame_take_time(p->out, f->time_name, whole, real, p->failure);
    free(whole);
    free(real);
    return status;
}

/* The series in the order of their first rows. */
static tide_status take_groups(pivot *p) {
    qsort(p->rows, (size_t)p->from->rows, sizeof *p->rows, by_series);
    for (int64_t i = 0; i < p->from->rows; i++) {
        const placed *one = &p->rows[i];
        bool          same = i && strcmp(one[-1].id, one->id) == 0;
        if (same && one[-1].at == one->at)
            return fail_at(p->failure, TIDE_EDATA, NULL, one->row + 1, NULL,
                           "frame: rows %" PRId64 " and %" PRId64 " are both of series '%.60s' and of one time",
                           one[-1].row + 1, one->row + 1, one->id);
        if (!same) p->groups[p->count++] = (group){ one->row, i, i };
        group *g = &p->groups[p->count - 1];
        g->first = MIN2(g->first, one->row), g->end = i + 1;
    }
    qsort(p->groups, (size_t)p->count, sizeof *p->groups, by_first);
    return TIDE_OK;
}

/* ---- columns ---- */

static tide_status add_column(pivot *p, const group *g, const frame_column *c) {
    const char *id     = p->rows[g->begin].id;
    bool        alone  = p->from->count == 1;
    size_t      bytes  = strlen(id) + strlen(c->name) + 2;
    double     *values = malloc((size_t)p->times * sizeof *values + 1);
    char       *name   = malloc(bytes);
    if (!values || !name) return free(values), free(name), no_memory(p);
    snprintf(name, bytes, "%s%s%s", id, alone ? "" : "/", alone ? "" : c->name);
    for (int64_t i = 0; i < p->times; i++) values[i] = (double)NAN;
    for (int64_t i = g->begin; i < g->end; i++) values[p->rows[i].at] = c->values[p->rows[i].row * c->stride];
    tide_status status = frame_take(p->out, name, values, p->failure);
    free(name);
    return status;
}

static tide_status pivot_frame(pivot *p, const char *const *id) {
    size_t rows = (size_t)p->from->rows;
    p->rows   = malloc(rows * sizeof *p->rows + 1);
    p->groups = malloc(rows * sizeof *p->groups + 1);
    tide_status status = p->rows && p->groups ? take_rows(p, id) : no_memory(p);
    if (status == TIDE_OK) status = take_times(p);
    if (status == TIDE_OK) status = take_groups(p);
    for (int64_t g = 0; status == TIDE_OK && g < p->count; g++)
        for (int64_t c = 0; status == TIDE_OK && c < p->from->count; c++)
            status = add_column(p, &p->groups[g], &p->from->columns[c]);
    free(p->rows);
    free(p->groups);
    return status;
}

tide_status tide_frame_pivot(const tide_frame *f, const char *const *id, tide_frame **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "frame: there is no place for it");
    *out = NULL;
    if (!f) return fail(failure, TIDE_EINVAL, "frame: there is none");
    if (!f->time_name) return fail(failure, TIDE_EINVAL, "frame: long format needs a time axis");
    if (!id && f->rows) return fail(failure, TIDE_EINVAL, "frame: nothing says which series its rows are of");
    pivot       p      = { .from = f, .failure = failure };
    tide_status status = pivot_frame(&p, id);
    if (status == TIDE_OK) *out = p.out;
    else tide_frame_free(p.out);
    return status;
}
