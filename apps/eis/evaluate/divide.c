/* A piece is a group; its result the records as they are. */
#include "divide.h"

#include <inttypes.h>
#include <stdlib.h>

static const double told_every = 0.2; /* seconds */

typedef struct dividing {
    const evaluation *e;
    const divided    *d;
    char              name[PIECES_NAME];
    double           *records;  /* of a group that is made here */
    double            told;
} dividing;

static tide_status out_of_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the scores"); }

static int64_t count_of(const divided *d, int64_t group) { return MIN2(d->each, d->spectra - group * d->each); }

static tide_status make_group(const dividing *g, int64_t i, tide_failure *f) {
    const divided *d = g->d;
    memset(g->records, 0, sizeof *g->records * (size_t)(d->each * d->numbers));
    return d->make(d->user, i * d->each, count_of(d, i), g->records, f);
}

static void add_group(const divided *d, int64_t i, const double *records) {
    for (int64_t k = 0; k < count_of(d, i); k++) d->add(d->user, i * d->each + k, records + k * d->numbers);
}

/* ---- alone ---- */

static tide_status divide_alone(const dividing *g, int64_t groups, tide_failure *f) {
    const divided *d      = g->d;
    tide_status    status = TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < groups; i++) {
        status = make_group(g, i, f);
        if (status == TIDE_OK) add_group(d, i, g->records);
        if (status == TIDE_OK)
            status = evaluation_progress(g->e, d->what, d->noise, i * d->each + count_of(d, i), f);
    }
    return status;
}

/* ---- with others ---- */

static size_t bytes_of(const dividing *g, int64_t i) {
    return sizeof(double) * (size_t)(count_of(g->d, i) * g->d->numbers);
}

static bool has_group(void *user, int64_t i) {
    const dividing *g = user;
    return pieces_has(g->e->joined->pieces, g->name, i);
}

static tide_status put_group(void *user, int64_t i, int thread, tide_failure *f) {
    const dividing *g = user;
    (void)thread;
    tide_status status = make_group(g, i, f);
    return status == TIDE_OK ? pieces_put(g->e->joined->pieces, g->name, i, g->records, bytes_of(g, i), f) : status;
}

static tide_status take_group(const dividing *g, int64_t i, tide_failure *f) {
    const pieces *p = g->e->joined->pieces;
    char          path[FOLDER_PATH];
    void         *data;
    size_t        bytes;
    tide_status   status = pieces_get(p, g->name, i, &data, &bytes, f);
    if (status == TIDE_OK && bytes != bytes_of(g, i))
        status = fail_at(f, TIDE_EDATA, pieces_path(p, g->name, i, path), 0, NULL,
                         "%s is damaged: remove it and run again", path);
    if (status == TIDE_OK) add_group(g->d, i, data);
    free(data);
    return status;
}

static bool stop(void *user, int64_t done) {
    dividing *g = user;
    if (os_seconds() - g->told < told_every) return false;
    g->told = os_seconds();
    return evaluation_progress(g->e, g->d->what, g->d->noise, MIN2(done * g->d->each, g->d->spectra), NULL) != TIDE_OK;
}

static tide_status divide_joined(dividing *g, int64_t groups, tide_failure *f) {
    const pieces_task task = { .count = groups, .threads = 1, .is_made = has_group, .make = put_group, .stop = stop,
                               .user = g };
    tide_status status = pieces_do(g->e->joined->pieces, &task, NULL, f);
    for (int64_t i = 0; status == TIDE_OK && i < groups; i++) status = take_group(g, i, f);
    return status;
}

tide_status evaluation_divide(const evaluation *e, const divided *d, tide_failure *f) {
    dividing g      = { .e = e, .d = d, .records = malloc(sizeof *g.records * (size_t)(d->each * d->numbers)) };
    int64_t  groups = ceil_div(d->spectra, d->each);
    snprintf(g.name, sizeof g.name, "%.11s%d", d->name, (int)d->level);
    tide_status status = !g.records  ? out_of_memory(f)
                         : e->joined ? divide_joined(&g, groups, f)
                                     : divide_alone(&g, groups, f);
    free(g.records);
    return status;
}
