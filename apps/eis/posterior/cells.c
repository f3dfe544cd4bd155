/* The grid around a spectrum: axes, tables, weights. */
#include "cells_device.h"
#include "cells_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TWO_PI 6.283185307179586476925286766559
#define TIE 1e-9  /* grid time constants are equal to rounding, or differ by far more */

static void set_axes(const cell_problem *problem, cells *c) {
    for (int k = 0; k < EIS_COUNT; k++) {
        bool known   = problem->known.is[k];
        c->points[k] = known ? 1 : CELL_POINTS;
        for (int i = 0; i < c->points[k]; i++)
            c->value[k][i] = known ? problem->known.value[k] : eis_grid_value(k, i, CELL_POINTS);
    }
    c->na        = c->points[EIS_RA] * c->points[EIS_CA];
    c->nb        = c->points[EIS_RB] * c->points[EIS_CB];
    c->nr        = c->points[EIS_RSH];
    c->symmetric = problem->canonical && c->na == c->nb && c->na == CELL_POINTS * CELL_POINTS;
}

static bool table_new(const cell_problem *problem, const cells *c, int r, int k, membrane_table *out) {
    int64_t nc = c->points[k], pairs = c->points[r] * nc, width = (pairs + CELL_LANES - 1) / CELL_LANES * CELL_LANES;
    *out       = (membrane_table){ pairs, width, malloc((size_t)(2 * width * problem->count) * sizeof(double)), NULL };
    if (!out->re) return false;
    out->im = out->re + width * problem->count;
    for (int64_t f = 0; f < problem->count; f++)
        for (int64_t i = 0; i < width; i++) { /* the lanes beyond the last pair repeat it */
            int64_t pair       = i < pairs ? i : pairs - 1;
            double resistance = c->value[r][pair / nc],
                   a = TWO_PI * problem->freq_hz[f] * resistance * c->value[k][pair % nc];
            out->re[f * width + i] = resistance / (1 + a * a);
            out->im[f * width + i] = -resistance * a / (1 + a * a);
        }
    return true;
}

static double tau(const cells *c, int r, int k, int64_t i) {
    return c->value[r][i / c->points[k]] * c->value[k][i % c->points[k]];
}

static float weight_of(const cell_problem *problem, const cells *c, int64_t a, int64_t b) {
    if (b >= c->nb) return 0;
    if (c->symmetric) return (float)((b >= a) + (b > a));
    return (float)(!problem->canonical || tau(c, EIS_RA, EIS_CA, a) > tau(c, EIS_RB, EIS_CB, b) * (1 - TIE));
}

void cells_weights(const cell_problem *problem, const cells *c, const struct cell_block *block, float *weight) {
    for (int l = 0; l < CELL_LANES; l++) weight[l] = weight_of(problem, c, block->a, block->first_b + l);
}

static void set_weights(const cell_problem *problem, const cells *c, const struct cell_block *block, float *weight) {
    cells_weights(problem, c, block, weight);
    for (int64_t r = 1; r < c->nr; r++) memcpy(weight + r * CELL_LANES, weight, CELL_LANES * sizeof *weight);
}

/* A block left of the diagonal of a symmetric grid would copy another. */
static bool blocks_new(cells *c) {
    c->block = malloc((size_t)(c->na * (c->nb / CELL_LANES + 1)) * sizeof *c->block);
    if (!c->block) return false;
    for (int64_t a = 0; a < c->na; a++)
        for (int64_t b = c->symmetric ? a / CELL_LANES * CELL_LANES : 0; b < c->nb; b += CELL_LANES)
            c->block[c->block_count++] = (struct cell_block){ (int32_t)a, (int32_t)b };
    return true;
}

bool cells_room(cells *c) {
    c->count  = c->block_count * c->nr * CELL_LANES;
    c->misfit = malloc((size_t)c->count * 4 * sizeof *c->misfit);
    if (!c->misfit) return false;
    c->log_ratio   = c->misfit + c->count;
    c->weight      = c->misfit + 2 * c->count;
    c->probability = c->misfit + 3 * c->count;
    return true;
}

cell_job cells_job(const cell_problem *problem, const cells *c, const membrane_table tables[2]) {
    return (cell_job){ &tables[0], &tables[1], c->value[EIS_RSH], c->nr, problem->count, problem->z, problem->circuit,
                       problem->rs_ohm };
}

void cells_work_out(const cell_job *job, const struct cell_block *block, float *misfit, float *log_ratio) {
    bool plain = job->circuit == EIS_SHUNT && job->rs_ohm == 0;
    (plain ? cell_block_shunt : cell_block_any)(job, block->a, block->first_b, misfit, log_ratio);
}

static void fill(const cell_problem *problem, const membrane_table tables[2], cells *c) {
    cell_job job = cells_job(problem, c, tables);
    for (int64_t i = 0; i < c->block_count; i++) {
        int64_t at = i * c->nr * CELL_LANES;
        cells_work_out(&job, &c->block[i], c->misfit + at, c->log_ratio + at);
    }
}

static void find_best(cells *c) {
    c->best = -1;
    for (int64_t i = 0; i < c->count; i++)
        if (c->weight[i] > 0 && (c->best < 0 || c->misfit[i] < c->misfit[c->best])) c->best = i;
}

bool cells_outline(const cell_problem *problem, cells *c, membrane_table tables[2]) {
    *c = (cells){ .rs_ohm = problem->rs_ohm };
    tables[0] = tables[1] = (membrane_table){ 0 };
    set_axes(problem, c);
    return blocks_new(c) && table_new(problem, c, EIS_RA, EIS_CA, &tables[0]) &&
           table_new(problem, c, EIS_RB, EIS_CB, &tables[1]);
}

bool cells_begin(const cell_problem *problem, cells *c, membrane_table tables[2]) {
    return cells_outline(problem, c, tables) && cells_room(c);
}

void cells_finish(const cell_problem *problem, cells *c) {
    for (int64_t i = 0; i < c->block_count; i++)
        set_weights(problem, c, &c->block[i], c->weight + i * c->nr * CELL_LANES);
    find_best(c);
}

bool cells_new(const cell_problem *problem, cells *c) {
    membrane_table tables[2];
    bool fine = cells_begin(problem, c, tables);
    if (fine) {
        fill(problem, tables, c);
        cells_finish(problem, c);
    }
    free(tables[0].re);
    free(tables[1].re);
    if (!fine) cells_free(c);
    return fine;
}

void cells_free(cells *c) {
    free(c->block);
    free(c->misfit);
    *c = (cells){ 0 };
}

/* ln of the likelihood into `probability`, lane by lane so that the greatest can be found in vectors. */
static float log_likelihoods(cells *c, float scale) {
    float most[CELL_LANES], greatest = -INFINITY;
    for (int l = 0; l < CELL_LANES; l++) most[l] = -INFINITY;
    for (int64_t i = 0; i < c->count; i += CELL_LANES)
        for (int l = 0; l < CELL_LANES; l++) {
            float value = c->weight[i + l] > 0 ? scale * c->misfit[i + l] + c->log_ratio[i + l] : -INFINITY;
            c->probability[i + l] = value;
            most[l] = value > most[l] ? value : most[l];
        }
    for (int l = 0; l < CELL_LANES; l++) greatest = most[l] > greatest ? most[l] : greatest;
    return greatest;
}

void cells_weigh(cells *c, double noise) {
    const float negligible = -60;
    float  most = log_likelihoods(c, (float)(-0.5 / (noise * noise)));
    double sum = 0;
    for (int64_t i = 0; i < c->count; i++) {
        float below       = c->probability[i] - most;
        c->probability[i] = below > negligible ? c->weight[i] * expf(below) : 0;
        sum += (double)c->probability[i];
    }
    float share = (float)(1 / sum);
    for (int64_t i = 0; i < c->count; i++) c->probability[i] *= share;
}

void cells_index(const cells *c, int64_t cell, int index[EIS_COUNT]) {
    const struct cell_block *block = &c->block[cell / CELL_LANES / c->nr];
    int64_t a = block->a, b = block->first_b + cell % CELL_LANES, r = cell / CELL_LANES % c->nr;
    index[EIS_RSH] = (int)r;
    index[EIS_RA]  = (int)(a / c->points[EIS_CA]);
    index[EIS_CA]  = (int)(a % c->points[EIS_CA]);
    index[EIS_RB]  = (int)(b / c->points[EIS_CB]);
    index[EIS_CB]  = (int)(b % c->points[EIS_CB]);
}

void cells_parameters(const cells *c, int64_t cell, double p[EIS_COUNT]) {
    int index[EIS_COUNT];
    cells_index(c, cell, index);
    for (int k = 0; k < EIS_COUNT; k++) p[k] = c->value[k][index[k]];
    double tau_a = p[EIS_RA] * p[EIS_CA], tau_b = p[EIS_RB] * p[EIS_CB];
    bool   tied  = fabs(tau_a - tau_b) < TIE * tau_b;
    if (c->symmetric && (tied ? p[EIS_RA] < p[EIS_RB] : tau_a < tau_b)) eis_swap(p, p);
}
