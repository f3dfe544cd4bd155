/* Blocks of RESNORM_LANES membranes b beside one a, as resnorm_grid_fill takes them: (truths, blocks, Rsh, lanes). */
#include "survey_device.h"

#include <stdio.h>
#include <stdlib.h>

#include <tidemill/ops.h>

#include "base/base.h"
#include "train/step.h"

enum { LANES = RESNORM_LANES, TRUTHS = 64 };  /* at a time, at most */

typedef struct device_survey {
    survey       *of;
    int64_t       truths, blocks;   /* at a time; of one truth */
    tide_graph   *graph;
    tide_program *program;
    tide_val      re, im, out;      /* inputs: (truths, frequencies) */
    double       *z;                /* room for them, one after the other */
} device_survey;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for residual norms");
}

static int64_t count_blocks(const resnorm_grid *g) {
    int64_t count = 0;
    for (int64_t a = 0; a < g->membranes; a++) count += (g->width - resnorm_first(a)) / LANES;
    return count;
}

/* ---- the program ---- */

/* `table` of the a of each block (blocks, 1, 1, f), or of its b (blocks, 1, LANES, f). NULL graph: out of memory. */
static tide_val membranes(const device_survey *d, const double *table, bool of_b) {
    const resnorm_grid *g = &d->of->grid;
    int64_t lanes = of_b ? LANES : 1, at = 0;
    double *room  = malloc((size_t)(d->blocks * lanes * g->frequencies) * sizeof *room);
    if (!room) return tide_poison(d->graph, TIDE_ENOMEM, "out of memory for membranes");
    for (int64_t a = 0; a < g->membranes; a++)
        for (int64_t b = resnorm_first(a); b < g->width; b += LANES)
            for (int64_t l = 0; l < lanes; l++)
                for (int64_t f = 0; f < g->frequencies; f++) room[at++] = table[f * g->width + (of_b ? b + l : a)];
    tide_val v = tide_constant(d->graph, TIDE_F64, TIDE_SHAPE(d->blocks, 1, lanes, g->frequencies), room);
    free(room);
    return v;
}

static tide_val data_of(const device_survey *d, tide_val of) {
    return tide_reshape(of, TIDE_SHAPE(d->truths, 1, 1, 1, d->of->grid.frequencies));
}

/* resnorm_grid.c's add_chain and add_shunt. */
static tide_val errors(const device_survey *d) {
    const resnorm_grid *g = &d->of->grid;
    tide_val x   = tide_add(membranes(d, g->re, false), membranes(d, g->re, true)),
             y   = tide_add(membranes(d, g->im, false), membranes(d, g->im, true)),
             rsh = tide_constant(d->graph, TIDE_F64, TIDE_SHAPE(1, g->points, 1, 1), g->axis[EIS_RSH]);
    tide_val u = tide_add(x, rsh), re = u, im = y;
    if (g->circuit == EIS_SHUNT) {
        tide_val square = tide_square(y), over = tide_div(rsh, tide_add(tide_square(u), square));
        re = tide_mul(tide_add(tide_mul(x, u), square), over);
        im = tide_mul(tide_mul(rsh, y), over);
    }
    re = tide_sub(re, data_of(d, d->re)), im = tide_sub(im, data_of(d, d->im));
    return tide_sqrt(tide_add(tide_square(re), tide_square(im)));
}

static tide_status build(device_survey *d, tide_failure *failure) {
    int64_t frequencies = d->of->grid.frequencies;
    d->re  = tide_input(d->graph, "re", TIDE_F64, TIDE_SHAPE(d->truths, frequencies));
    d->im  = tide_input(d->graph, "im", TIDE_F64, TIDE_SHAPE(d->truths, frequencies));
    d->out = tide_mean(errors(d), TIDE_AXES(4));
    d->program = tide_compile(TIDE_LIST(d->out), NULL);
    return train_compiled(d->graph, d->program, failure);
}

/* Half as many truths, until there is memory for them. */
static tide_status open_largest(device_survey *d, const train_graph *how, tide_failure *failure) {
    for (d->truths = MIN2(d->of->truths, TRUTHS);; d->truths /= 2) {
        tide_failure why    = { 0 };
        tide_status  status = train_graph_new(how, &d->graph, &why);
        if (status == TIDE_OK) status = build(d, &why);
        if (status != TIDE_OK && failure) *failure = why;
        if (status != TIDE_ENOMEM || d->truths == 1) return status;
        tide_graph_free(d->graph);
        d->graph = NULL;
    }
}

/* ---- running ---- */

/* From blocks to rows of b. */
static void put_values(const device_survey *d, const double *from, double *to) {
    const resnorm_grid *g = &d->of->grid;
    for (int64_t a = 0; a < g->membranes; a++) {
        int64_t n = g->width - resnorm_first(a);
        for (int64_t b = 0; b < n; b += LANES)
            for (int64_t r = 0; r < g->points; r++, from += LANES) memcpy(to + r * n + b, from, LANES * sizeof *to);
        to += g->points * n;
    }
}

static tide_status run_some(device_survey *d, int64_t first, tide_failure *failure) {
    const resnorm_grid *g = &d->of->grid;
    int64_t count = MIN2(d->of->truths - first, d->truths), size = d->truths * g->frequencies;
    eis_z   z[g->frequencies];
    for (int64_t i = 0; i < d->truths; i++) { /* what is left of the program is filled up with the last one */
        const double *p = d->of->truth[first + MIN2(i, count - 1)].p;
        eis_impedance(g->circuit, p, 0, g->frequencies, g->freq_hz, z);
        for (int64_t f = 0; f < g->frequencies; f++)
            d->z[i * g->frequencies + f] = z[f].re, d->z[size + i * g->frequencies + f] = z[f].im;
    }
    const tide_feed feeds[] = { { d->re, d->z }, { d->im, d->z + size } };
    tide_status     status  = tide_run(d->program, feeds, 2);
    if (status != TIDE_OK) return train_compiled(d->graph, d->program, failure);
    const double *data = tide_data(d->out);
    if (!data) return train_unread(d->graph, "residual norms", failure);
    int64_t each = d->blocks * g->points * LANES;
    for (int64_t i = 0; i < count; i++) put_values(d, data + i * each, d->of->kept + (first + i) * g->values);
    return TIDE_OK;
}

static tide_status run_all(device_survey *d, tide_failure *failure) {
    tide_status status = TIDE_OK;
    d->z = malloc((size_t)(2 * d->truths * d->of->grid.frequencies) * sizeof *d->z);
    if (!d->z) return no_memory(failure);
    for (int64_t i = 0; status == TIDE_OK && i < d->of->truths; i += d->truths) status = run_some(d, i, failure);
    d->of->filled = status == TIDE_OK;
    return status;
}

tide_status survey_fill_on(survey *s, const char *device, int64_t memory_limit, char note[SURVEY_NOTE],
                           tide_failure *failure) {
    device_survey d   = { .of = s, .blocks = count_blocks(&s->grid) };
    train_graph   how = { .device = device, .threads = s->threads, .memory_limit = memory_limit };
    const char   *why = "";
    *note = 0;
    if (s->grid.kind != EIS_MEAN_ABS || !s->kept) {
        snprintf(note, SURVEY_NOTE, "the processor computes these residual norms: a device takes mean-abs alone, of "
                                    "data that fit in memory");
        return TIDE_OK;
    }
    tide_status status = open_largest(&d, &how, failure);
    if (status == TIDE_OK) tide_program_device(d.program, &why);
    snprintf(note, SURVEY_NOTE, "%s", why);
    if (status == TIDE_OK && !*why) status = run_all(&d, failure);
    tide_graph_free(d.graph);
    free(d.z);
    return status;
}
