/* Bounds of sums by quantiles of 300 paths, and how often truths lie within. */
#include "sum_scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

typedef struct sum_cell {
    int64_t truths, within[FORECAST_MAX_LEVELS];
    double  width[FORECAST_MAX_LEVELS];
} sum_cell;

/* The 2.5 % quantile of so many draws stands there with a deviation of 0.9 %, which the mean over windows evens out. */
enum { PATHS = 300, MOST_NUMBERS = 40000000 };

bool sum_scores_new(sum_scores *s, const sum_plan *plan, int64_t pred_len, const double *levels, int64_t level_count,
                    int64_t windows) {
    int64_t cells = pred_len * plan->columns, most = MAX2(MOST_NUMBERS / (PATHS * cells), 1);
    size_t  sums = (size_t)(sums_rows(plan) * sums_series(plan));
    *s = (sum_scores){ .plan = *plan, .pred_len = pred_len, .level_count = level_count,
                       .from = plan->over_rows ? 0 : plan->columns, .stride = ceil_div(MAX2(windows, 1), most),
                       .paths = PATHS };
    memcpy(s->level, levels, (size_t)level_count * sizeof *levels);
    s->forecast = malloc((size_t)cells * sizeof *s->forecast + 1);
    s->truth    = malloc((size_t)cells * sizeof *s->truth + 1);
    s->path     = malloc((size_t)cells * sizeof *s->path + 1);
    s->sums     = malloc(sums * sizeof *s->sums + 1);
    s->sample   = malloc(sums * (size_t)s->paths * sizeof *s->sample + 1);
    s->bounds   = malloc((size_t)sum_scores_numbers(s) * sizeof *s->bounds + 1);
    s->cells    = calloc((size_t)sums_series(plan) + 1, sizeof *s->cells);
    return s->forecast && s->truth && s->path && s->sums && s->sample && s->bounds && s->cells;
}

void sum_scores_free(sum_scores *s) {
    free(s->forecast);
    free(s->truth);
    free(s->path);
    free(s->sums);
    free(s->sample);
    free(s->bounds);
    free(s->cells);
    *s = (sum_scores){ 0 };
}

bool sum_scores_wanted(const sum_scores *s, int64_t window) { return s->cells && window % s->stride == 0; }

/* ---- a window ---- */

/* (rows, series from `from` on, levels, 2) */
int64_t sum_scores_numbers(const sum_scores *s) {
    return sums_rows(&s->plan) * (sums_series(&s->plan) - s->from) * 2 * s->level_count;
}

static void count_sum(sum_scores *s, int64_t row, int64_t series, const double *bounds) {
    double    truth = s->sums[row * sums_series(&s->plan) + series];
    sum_cell *cell  = &s->cells[series];
    if (isnan(truth) || isnan(bounds[0])) return;
    cell->truths++;
    for (int64_t l = 0; l < s->level_count; l++) {
        cell->within[l] += truth >= bounds[2 * l] && truth <= bounds[2 * l + 1];
        cell->width[l] += bounds[2 * l + 1] - bounds[2 * l];
    }
}

void sum_scores_bounds(sum_scores *s, const path_maker *m, const window_spread *spread, double *out) {
    int64_t series = sums_series(&s->plan), rows = sums_rows(&s->plan);
    for (int64_t i = 0; i < s->paths; i++) {
        path_make(m, path_spread(i, s->paths), s->forecast, spread, s->path);
        sums_add_up(&s->plan, s->path, s->sums);
        for (int64_t k = 0; k < rows * series; k++) s->sample[k * s->paths + i] = s->sums[k];
    }
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = s->from; k < series; k++, out += 2 * s->level_count)
            sums_bounds(s->sample + (row * series + k) * s->paths, s->paths, s->level, s->level_count, out);
}

void sum_scores_count(sum_scores *s, const double *bounds) {
    int64_t series = sums_series(&s->plan), rows = sums_rows(&s->plan);
    sums_add_up(&s->plan, s->truth, s->sums);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = s->from; k < series; k++, bounds += 2 * s->level_count) count_sum(s, row, k, bounds);
    s->windows++;
}

void sum_scores_take(sum_scores *s, const path_maker *m, const window_spread *spread) {
    sum_scores_bounds(s, m, spread, s->bounds);
    sum_scores_count(s, s->bounds);
}

/* ---- results ---- */

static void put_score(const sum_scores *s, const sum_cell *cell, forecast_sum_score *out) {
    double truths = cell->truths ? (double)cell->truths : (double)NAN;
    out->truths   = cell->truths;
    for (int64_t l = 0; l < s->level_count; l++)
        out->coverage[l] = 100 * (double)cell->within[l] / truths, out->width[l] = cell->width[l] / truths;
}

bool sum_scores_result(const sum_scores *s, char *const *names, forecast_sums *out) {
    const hierarchy *h = s->plan.h;
    *out = (forecast_sums){ .windows = s->windows, .over_horizon = s->plan.over_rows, .level_count = s->level_count };
    memcpy(out->level, s->level, sizeof out->level);
    if (!(out->of = calloc((size_t)(sums_series(&s->plan) - s->from) + 1, sizeof *out->of))) return false;
    for (int64_t k = s->from; k < sums_series(&s->plan); k++) {
        forecast_sum_score *one = &out->of[out->count++];
        one->name = strdup(k < s->plan.columns ? names[k] : h->name[k - s->plan.columns]);
        put_score(s, &s->cells[k], one);
        if (!one->name) return sums_free(out), false;
    }
    return true;
}

void sums_free(forecast_sums *s) {
    for (int64_t i = 0; i < s->count; i++) free(s->of[i].name);
    free(s->of);
    *s = (forecast_sums){ 0 };
}
