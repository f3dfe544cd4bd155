/* From grid cells to the continuous posterior: the best cells are polished by least squares, and the sampler begins
 * there. */
#include "refine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "least_squares.h"
#include "summary.h"

enum { TOP = 24, GUESSES = 2000, KEPT_GUESSES = 80, CANDIDATES = TOP + EIS_COUNT * CELL_POINTS };

typedef struct candidates { int64_t cell[CANDIDATES]; int64_t count; } candidates;

typedef struct polish_job {
    const density      *d;
    const eis_spectrum *s;
    double start[FREE_MOST];
} polish_job;

static void add(candidates *list, int64_t cell) {
    for (int64_t i = 0; i < list->count; i++)
        if (list->cell[i] == cell) return;
    list->cell[list->count++] = cell;
}

/* The most probable cells, in order, by insertion: `most` is small. */
static int64_t top_cells(const cells *c, int64_t *top, int64_t most) {
    int64_t count = 0;
    for (int64_t i = 0; i < c->count; i++) {
        float p = c->probability[i];
        if (!(p > 0) || (count == most && p <= c->probability[top[count - 1]])) continue;
        int64_t at = count < most ? count++ : count - 1;
        for (; at > 0 && c->probability[top[at - 1]] < p; at--) top[at] = top[at - 1];
        top[at] = i;
    }
    return count;
}

static void pick(const cells *c, candidates *list) {
    int64_t best[EIS_COUNT][CELL_POINTS], top[TOP];
    memset(best, -1, sizeof best);
    for (int64_t i = 0; i < c->count; i++) {
        double p[EIS_COUNT];
        if (!(c->probability[i] > 0)) continue;
        cells_parameters(c, i, p);
        for (int k = 0; k < EIS_COUNT; k++) {
            int64_t *place = &best[k][grid_index(k, p[k])];
            if (*place < 0 || c->probability[i] > c->probability[*place]) *place = i;
        }
    }
    list->count = 0;
    int64_t count = top_cells(c, top, TOP);
    for (int64_t i = 0; i < count; i++) add(list, top[i]);
    for (int k = 0; k < EIS_COUNT; k++)
        for (int i = 0; i < CELL_POINTS; i++)
            if (best[k][i] >= 0) add(list, best[k][i]);
}

/* A draw of the prior, moved so that its resistance at no frequency and its capacitance at high ones are those of the
 * fit: what the spectrum pins most tightly, and a grid step is far too coarse for. */
static void guess(const density *d, const two_rc *fit, rng *r, double p[EIS_WITH_RS]) {
    double x[FREE_MOST], ter = fit->r_ohm[0] + fit->r_ohm[1];
    double c_1 = fit->tau_s[0] / fit->r_ohm[0], c_2 = fit->tau_s[1] / fit->r_ohm[1], tec = c_1 * c_2 / (c_1 + c_2);
    for (int i = 0; i < d->free_count; i++) x[i] = d->low[i] + (d->high[i] - d->low[i]) * rng_unit(r);
    density_parameters(d, x, p);
    bool is_free[EIS_WITH_RS] = { false };
    for (int i = 0; i < d->free_count; i++) is_free[d->free[i]] = true;
    double through = p[EIS_RA] + p[EIS_RB], rest = 1 / (1 / ter - 1 / p[EIS_RSH]);
    if (is_free[EIS_RSH] && through > ter) p[EIS_RSH] = 1 / (1 / ter - 1 / through);
    else if (rest > 0 && is_free[EIS_RA] && is_free[EIS_RB]) p[EIS_RA] *= rest / through, p[EIS_RB] *= rest / through;
    else if (rest > 0 && is_free[EIS_RA] && rest > p[EIS_RB]) p[EIS_RA] = rest - p[EIS_RB];
    else if (rest > 0 && is_free[EIS_RB] && rest > p[EIS_RA]) p[EIS_RB] = rest - p[EIS_RA];
    double both = p[EIS_CA] * p[EIS_CB] / (p[EIS_CA] + p[EIS_CB]);
    if (is_free[EIS_CA] && is_free[EIS_CB]) p[EIS_CA] *= tec / both, p[EIS_CB] *= tec / both;
    else if (is_free[EIS_CA] && p[EIS_CB] > tec) p[EIS_CA] = 1 / (1 / tec - 1 / p[EIS_CB]);
    else if (is_free[EIS_CB] && p[EIS_CA] > tec) p[EIS_CB] = 1 / (1 / tec - 1 / p[EIS_CA]);
    if (is_free[EIS_RS]) p[EIS_RS] = fit->offset_ohm;
}

/* The guesses that come nearest, into `centre`. */
static int64_t best_guesses(const density *d, const two_rc *fit, rng *r, double *centre) {
    double  misfit[KEPT_GUESSES];
    int64_t count = 0;
    int     n = d->free_count;
    for (int i = 0; i < GUESSES; i++) {
        double p[EIS_WITH_RS], x[FREE_MOST];
        guess(d, fit, r, p);
        if (d->canonical && p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB]) continue;
        density_coordinates(d, p, x);
        for (int k = 0; k < n; k++) x[k] = fmin(fmax(x[k], d->low[k]), d->high[k]);
        double own = density_misfit(d, x);
        if (count == KEPT_GUESSES && own >= misfit[count - 1]) continue;
        int64_t at = count < KEPT_GUESSES ? count++ : count - 1;
        for (; at > 0 && misfit[at - 1] > own; at--) {
            misfit[at] = misfit[at - 1];
            memcpy(centre + at * n, centre + (at - 1) * n, (size_t)n * sizeof *centre);
        }
        misfit[at] = own;
        memcpy(centre + at * n, x, (size_t)n * sizeof *centre);
    }
    return count;
}

/* How far a polished candidate may stray: about a grid step and a half before it counts like one noise. It keeps the
 * candidates spread along what the spectrum does not determine. */
static double leash(int parameter) { return parameter == EIS_RS ? 30 : 1; }

static void evaluate(void *user, const double *x, double *residual, double *jacobian) {
    const polish_job *job = user;
    const density    *d   = job->d;
    int64_t n = job->s->count, rows = 2 * n + d->free_count;
    double  p[EIS_WITH_RS];
    density_parameters(d, x, p);
    for (int64_t i = 0; i < n; i++) {
        eis_z by[EIS_WITH_RS], z = eis_derivatives(d->circuit, p, p[EIS_RS], job->s->freq_hz[i], by),
                               data = job->s->z[i];
        double over = 1 / (d->noise * hypot(data.re, data.im));
        for (int k = 0; jacobian && k < d->free_count; k++) {
            double scale = d->free[k] == EIS_RS ? over : over * p[d->free[k]];
            jacobian[k * rows + 2 * i]     = by[d->free[k]].re * scale;
            jacobian[k * rows + 2 * i + 1] = by[d->free[k]].im * scale;
        }
        if (jacobian) continue;
        residual[2 * i]     = (z.re - data.re) * over;
        residual[2 * i + 1] = (z.im - data.im) * over;
    }
    for (int k = 0; k < d->free_count; k++)
        for (int j = 0; j < d->free_count; j++) {
            if (jacobian) jacobian[k * rows + 2 * n + j] = j == k ? 1 / leash(d->free[k]) : 0;
            else residual[2 * n + j] = (x[j] - job->start[j]) / leash(d->free[j]);
        }
}

static tide_status polish(const density *d, const eis_spectrum *s, double *x, double *scratch, tide_failure *failure) {
    polish_job    job = { .d = d, .s = s };
    least_squares p   = { d->free_count, (int)(2 * s->count) + d->free_count, evaluate, &job };
    double        misfit;
    memcpy(job.start, x, (size_t)d->free_count * sizeof *x);
    return least_squares_solve(&p, x, scratch, &misfit, failure);
}

double *refine_centres(const density *d, const cells *c, const two_rc *fit, const eis_spectrum *s, rng *r,
                       const stopper *stop, int64_t *count, tide_failure *failure) {
    candidates  list;
    double     *centre  = malloc((size_t)((CANDIDATES + KEPT_GUESSES) * FREE_MOST) * sizeof *centre);
    double     *scratch = malloc((size_t)((2 * s->count + FREE_MOST) * (FREE_MOST + 2)) * sizeof *scratch);
    tide_status status  = centre && scratch ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for candidates");
    *count = 0;
    if (status == TIDE_OK) {
        pick(c, &list);
        for (; *count < list.count; ++*count) {
            double p[EIS_WITH_RS] = { [EIS_RS] = c->rs_ohm };
            cells_parameters(c, list.cell[*count], p);
            density_coordinates(d, p, centre + *count * d->free_count);
        }
        if (d->circuit == EIS_SHUNT) *count += best_guesses(d, fit, r, centre + *count * d->free_count);
    }
    for (int64_t i = 0; status == TIDE_OK && i < *count; i++)
        status = stopped(stop) ? fail(failure, TIDE_ECANCELLED, "stopped")
                               : polish(d, s, centre + i * d->free_count, scratch, failure);
    free(scratch);
    if (status == TIDE_OK) return centre;
    free(centre);
    return NULL;
}
