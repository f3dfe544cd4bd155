/* The cells that count, without working out the others: a sum of squares over a few points of the spectrum is a lower
 * bound of that over all.
 *
 * A point's share in ln L is -r^2 / 2 s^2 + ln (|z|^2 / |Z|^2), where r = |z / Z - 1| makes the logarithm at most
 * 2 r. For any e in 0..1, 2 r - e r^2 / 2 s^2 <= 2 s^2 / e, so that ln L <= -(1 - e) M / 2 s^2 + 2 n s^2 / e with M the
 * misfit over n points, or a lower bound of it. A cell for which that is less than the best one's ln L by `nothing`
 * weighs nothing. */
#include <math.h>
#include <stdlib.h>

#include "cells_device.h"
#include "cells_parts.h"

enum { STAGES = 2 };
static const int64_t stage_points[STAGES] = { 4, CELL_PART };
static const double  nothing  = 60;    /* cells_weigh's exp (-60) */
/* Of a bound's root, in single precision: of itself, and besides; for impedances of such sizes. */
static const double  rounding = 1e-5, cancelling = 4e-6, least_ohm = 1e-6, most_ohm = 1e12;

typedef struct search {
    const cell_problem *problem;
    cells   *c;
    cell_job job;
    double   noise, widened;
    float   *least;  /* [block][r]: a lower bound of the misfits of the row's cells that have a weight */
    double   most;   /* a misfit that counts */
} search;

typedef struct rows { int64_t first, count; } rows;

/* From the first row of a block that may count to the last. */
static rows rows_of(const search *s, int64_t block) {
    const float *least = s->least + block * s->c->nr;
    int64_t first = 0, end = s->c->nr;
    while (first < end && (double)least[first] > s->most) first++;
    while (end > first && (double)least[end - 1] > s->most) end--;
    return (rows){ first, end - first };
}

static cell_job job_of(const search *s, rows r) {
    cell_job job = s->job;
    job.rsh += r.first, job.nr = r.count;
    return job;
}

static float least_of(const float weight[CELL_LANES], const float misfit[CELL_LANES]) {
    float least = INFINITY;
    for (int l = 0; l < CELL_LANES; l++) least = weight[l] > 0 && !(misfit[l] >= least) ? misfit[l] : least;
    return least;
}

static void bound_rows(search *s, int64_t points) {
    int64_t point[CELL_PART];
    float   weight[CELL_LANES], misfit[CELL_POINTS * CELL_LANES];
    for (int64_t i = 0; i < points; i++) point[i] = (2 * i + 1) * s->problem->count / (2 * points);
    for (int64_t i = 0; i < s->c->block_count; i++) {
        const struct cell_block *block = &s->c->block[i];
        rows r = rows_of(s, i);
        if (!r.count) continue;
        cell_job job = job_of(s, r);
        cells_weights(s->problem, s->c, block, weight);
        cell_block_part(&job, point, points, block->a, block->first_b, misfit);
        for (int64_t k = 0; k < r.count; k++)
            s->least[i * s->c->nr + r.first + k] = least_of(weight, misfit + k * CELL_LANES);
    }
}

/* By a cell that is perhaps the best: the true best has no larger misfit and no smaller ln L. */
static double most_of(const search *s, double misfit, double log_ratio) {
    double n = (double)s->problem->count, variance = fmax(s->noise * s->noise, s->widened * misfit / (2 * n));
    double a = fmax(misfit + 2 * variance * (nothing - log_ratio), 0), b = 4 * n * variance * variance;
    double e = sqrt(b / (a + b));
    double root = sqrt(fmax(misfit, (a + b / e) / (1 - e))) * (1 + rounding) + cancelling;
    return root * root;
}

static void lower_most(search *s) {
    int64_t best = 0, nr = s->c->nr;
    float   weight[CELL_LANES], misfit[CELL_LANES], log_ratio[CELL_LANES];
    for (int64_t i = 1; i < s->c->block_count * nr; i++) best = s->least[i] < s->least[best] ? i : best;
    const struct cell_block *block = &s->c->block[best / nr];
    cell_job job = job_of(s, (rows){ best % nr, 1 });
    cells_weights(s->problem, s->c, block, weight);
    cells_work_out(&job, block, misfit, log_ratio);
    for (int l = 0; l < CELL_LANES; l++)
        if (weight[l] > 0) s->most = fmin(s->most, most_of(s, (double)misfit[l], (double)log_ratio[l]));
}

/* Blocks without a row that may count go; the rows left in the others that do not are infinitely far off. */
static bool fill(search *s) {
    cells   *c    = s->c;
    int64_t  kept = 0, nr = c->nr;
    rows    *of   = malloc((size_t)c->block_count * sizeof *of);
    for (int64_t i = 0; of && i < c->block_count; i++) {
        of[kept] = rows_of(s, i);
        if (of[kept].count) c->block[kept++] = c->block[i];
    }
    c->block_count = kept;
    bool room = of && cells_room(c);
    for (int64_t i = 0; room && i < c->count; i++) c->misfit[i] = INFINITY, c->log_ratio[i] = 0;
    for (int64_t i = 0; room && i < kept; i++) {
        cell_job job = job_of(s, of[i]);
        int64_t  at  = (i * nr + of[i].first) * CELL_LANES;
        cells_work_out(&job, &c->block[i], c->misfit + at, c->log_ratio + at);
    }
    free(of);
    return room;
}

static bool is_usual(const cell_problem *problem) {
    bool usual = true;
    for (int64_t i = 0; i < problem->count; i++) {
        double size = hypot(problem->z[i].re, problem->z[i].im);
        usual = usual && size >= least_ohm && size <= most_ohm;
    }
    return usual;
}

bool cells_likely_new(const cell_problem *problem, double noise, double widened, cells *out) {
    membrane_table tables[2];
    search s = { .problem = problem, .c = out, .noise = noise, .widened = widened, .most = INFINITY };
    bool   fine = cells_outline(problem, out, tables) &&
                (s.least = calloc((size_t)(out->block_count * out->nr), sizeof *s.least));
    s.job = cells_job(problem, out, tables);
    bool usual = is_usual(problem);
    for (int i = 0; fine && usual && i < STAGES && 2 * stage_points[i] <= problem->count; i++)
        bound_rows(&s, stage_points[i]), lower_most(&s);
    fine = fine && fill(&s);
    if (fine) cells_finish(problem, out);
    free(s.least), free(tables[0].re), free(tables[1].re);
    if (!fine) cells_free(out);
    return fine;
}
