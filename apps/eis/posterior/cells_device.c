/* cells_kernel.c's sums for any circuit, as one program in double precision. */
#include "cells_device.h"

#include <stdio.h>
#include <stdlib.h>

#include <tidemill/ops.h>

#include "base/base.h"
#include "train/step.h"

enum { TABLES = 4, FRACTION = 4, FEEDS = TABLES + 5 };

struct cells_device {
    const char   *device;
    int           threads;
    int64_t       memory_limit;
    tide_graph   *graph;              /* NULL: none yet */
    tide_program *program;
    int64_t       points, blocks, nr, na, nb; /* that it was made for; na, nb: rows of the tables */
    tide_val      input[FEEDS];       /* re and im of a, of b; blocks' a, their b; the fraction; re and im of z */
    tide_val      misfit, log_ratio;
};

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
}

cells_device *cells_device_new(const char *device, int threads, int64_t memory_limit) {
    cells_device *d = calloc(1, sizeof *d);
    if (d) *d = (cells_device){ .device = device, .threads = threads, .memory_limit = memory_limit };
    return d;
}

void cells_device_free(cells_device *d) {
    if (!d) return;
    tide_graph_free(d->graph);
    free(d);
}

void cells_device_note(const char *device, char note[CELLS_NOTE]) {
    tide_graph   *g = tide_graph_new(device);
    tide_val      x = tide_square(tide_input(g, "x", TIDE_F64, TIDE_SHAPE(1)));
    tide_program *p = g ? tide_compile(TIDE_LIST(x), NULL) : NULL;
    const char   *why = "";
    if (p) tide_program_device(p, &why);
    snprintf(note, CELLS_NOTE, "%s", why);
    tide_graph_free(g);
}

/* ---- the program ---- */

/* Of both membranes (blocks, 1, CELL_LANES, points). */
static tide_val membranes(const cells_device *d, int part) {
    tide_val a = tide_gather(d->input[part], 0, d->input[TABLES]),
             b = tide_gather(d->input[2 + part], 0, d->input[TABLES + 1]);
    return tide_add(tide_reshape(a, TIDE_SHAPE(d->blocks, 1, 1, d->points)),
                    tide_reshape(b, TIDE_SHAPE(d->blocks, 1, CELL_LANES, d->points)));
}

/* Z = (p + q Zm) / (s + t Zm), all four real. */
static void sums(cells_device *d) {
    tide_val x = membranes(d, 0), y = membranes(d, 1), zr = d->input[TABLES + 3], zi = d->input[TABLES + 4];
    tide_val of[FRACTION];
    for (int k = 0; k < FRACTION; k++)
        of[k] = tide_reshape(tide_slice(d->input[TABLES + 2], 0, k, k + 1), TIDE_SHAPE(1, d->nr, 1, 1));
    tide_val nr = tide_add(of[0], tide_mul(of[1], x)), ni = tide_mul(of[1], y),
             dr = tide_add(of[2], tide_mul(of[3], x)), di = tide_mul(of[3], y);
    tide_val over = tide_reciprocal(tide_add(tide_square(nr), tide_square(ni)));
    tide_val er   = tide_sub(tide_sub(tide_mul(zr, dr), tide_mul(zi, di)), nr),
             ei   = tide_sub(tide_add(tide_mul(zr, di), tide_mul(zi, dr)), ni);
    tide_val size = tide_mul(tide_add(tide_square(zr), tide_square(zi)), tide_add(tide_square(dr), tide_square(di)));
    tide_val misfit = tide_mul(tide_add(tide_square(er), tide_square(ei)), over);
    d->misfit    = tide_cast(tide_sum(misfit, TIDE_AXES(3)), TIDE_F32);
    d->log_ratio = tide_cast(tide_sum(tide_log(tide_mul(size, over)), TIDE_AXES(3)), TIDE_F32);
}

static tide_status build(cells_device *d, tide_failure *failure) {
    tide_graph *g = d->graph;
    const struct { const char *name; tide_dtype type; tide_shape shape; } of[FEEDS] = {
        { "a.re", TIDE_F64, TIDE_SHAPE(d->na, d->points) },   { "a.im", TIDE_F64, TIDE_SHAPE(d->na, d->points) },
        { "b.re", TIDE_F64, TIDE_SHAPE(d->nb, d->points) },   { "b.im", TIDE_F64, TIDE_SHAPE(d->nb, d->points) },
        { "a", TIDE_I32, TIDE_SHAPE(d->blocks) },             { "b", TIDE_I32, TIDE_SHAPE(d->blocks * CELL_LANES) },
        { "fraction", TIDE_F64, TIDE_SHAPE(FRACTION, d->nr) }, { "re", TIDE_F64, TIDE_SHAPE(d->points) },
        { "im", TIDE_F64, TIDE_SHAPE(d->points) },
    };
    for (int i = 0; i < FEEDS; i++) d->input[i] = tide_input(g, of[i].name, of[i].type, of[i].shape);
    sums(d);
    d->program = tide_compile(TIDE_LIST(d->misfit, d->log_ratio), NULL);
    return train_compiled(g, d->program, failure);
}

static tide_status make_program(cells_device *d, const cell_problem *p, const cells *c, const membrane_table t[2],
                                tide_failure *failure) {
    train_graph how = { .device = d->device, .threads = d->threads, .memory_limit = d->memory_limit };
    bool same = d->graph && d->points == p->count && d->blocks == c->block_count && d->nr == c->nr &&
                d->na == t[0].width && d->nb == t[1].width;
    if (same) return TIDE_OK;
    tide_graph_free(d->graph);
    d->graph = NULL;
    d->points = p->count, d->blocks = c->block_count, d->nr = c->nr, d->na = t[0].width, d->nb = t[1].width;
    tide_status status = train_graph_new(&how, &d->graph, failure);
    if (status == TIDE_OK) status = build(d, failure);
    if (status != TIDE_OK) tide_graph_free(d->graph), d->graph = NULL;
    return status;
}

/* ---- running ---- */

typedef struct feeding { double *table[TABLES], *fraction, *re, *im; int32_t *a, *b; } feeding;

/* A membrane's points beside each other. */
static void turn(const membrane_table *t, int64_t points, double *re, double *im) {
    for (int64_t i = 0; i < t->width; i++)
        for (int64_t f = 0; f < points; f++)
            re[i * points + f] = t->re[f * t->width + i], im[i * points + f] = t->im[f * t->width + i];
}

static bool feeding_new(const cells_device *d, feeding *f) {
    int64_t count = 2 * (d->na + d->nb) * d->points + FRACTION * d->nr + 2 * d->points;
    double *at    = malloc((size_t)count * sizeof *at);
    *f = (feeding){ .table = { at }, .a = malloc((size_t)(d->blocks * (1 + CELL_LANES)) * sizeof *f->a) };
    if (!at || !f->a) return free(at), free(f->a), false;
    for (int i = 1; i <= TABLES; i++) {
        at += (i <= 2 ? d->na : d->nb) * d->points;
        if (i < TABLES) f->table[i] = at;
    }
    f->fraction = at, f->re = at + FRACTION * d->nr, f->im = f->re + d->points, f->b = f->a + d->blocks;
    return true;
}

static void feeding_free(feeding *f) { free(f->table[0]), free(f->a); }

static void feeding_fill(const cells_device *d, const cell_problem *p, const cells *c, const membrane_table t[2],
                         feeding *f) {
    double rs = p->rs_ohm;
    turn(&t[0], d->points, f->table[0], f->table[1]);
    turn(&t[1], d->points, f->table[2], f->table[3]);
    for (int64_t r = 0; r < d->nr; r++) {
        double rsh = c->value[EIS_RSH][r];
        bool   shunt = p->circuit == EIS_SHUNT;
        const double of[FRACTION] = { shunt ? rs * rsh : rs + rsh, shunt ? rs + rsh : 1, shunt ? rsh : 1, shunt };
        for (int k = 0; k < FRACTION; k++) f->fraction[k * d->nr + r] = of[k];
    }
    for (int64_t i = 0; i < d->points; i++) f->re[i] = p->z[i].re, f->im[i] = p->z[i].im;
    for (int64_t i = 0; i < d->blocks; i++) {
        f->a[i] = c->block[i].a;
        for (int l = 0; l < CELL_LANES; l++) f->b[i * CELL_LANES + l] = c->block[i].first_b + l;
    }
}

static tide_status run(cells_device *d, const feeding *f, cells *c, tide_failure *failure) {
    const void *data[FEEDS] = { f->table[0], f->table[1], f->table[2], f->table[3], f->a, f->b, f->fraction, f->re,
                                f->im };
    tide_feed   feeds[FEEDS];
    size_t      bytes = (size_t)c->count * sizeof(float);
    for (int i = 0; i < FEEDS; i++) feeds[i] = (tide_feed){ d->input[i], data[i] };
    tide_status status = tide_run(d->program, feeds, FEEDS);
    if (status != TIDE_OK) return train_compiled(d->graph, d->program, failure);
    status = tide_read(d->misfit, c->misfit, bytes);
    if (status == TIDE_OK) status = tide_read(d->log_ratio, c->log_ratio, bytes);
    return status == TIDE_OK ? TIDE_OK : train_unread(d->graph, "the posterior", failure);
}

static tide_status fill(cells_device *d, const cell_problem *p, cells *c, const membrane_table t[2],
                        tide_failure *failure) {
    feeding     f;
    tide_status status = make_program(d, p, c, t, failure);
    if (status != TIDE_OK) return status;
    if (!feeding_new(d, &f)) return no_memory(failure);
    feeding_fill(d, p, c, t, &f);
    status = run(d, &f, c, failure);
    feeding_free(&f);
    return status;
}

tide_status cells_new_on(cells_device *d, const cell_problem *p, cells *c, tide_failure *failure) {
    membrane_table tables[2];
    if (!d) return cells_new(p, c) ? TIDE_OK : no_memory(failure);
    tide_status status = cells_begin(p, c, tables) ? fill(d, p, c, tables, failure) : no_memory(failure);
    free(tables[0].re);
    free(tables[1].re);
    if (status == TIDE_OK) cells_finish(p, c);
    else cells_free(c);
    return status;
}
