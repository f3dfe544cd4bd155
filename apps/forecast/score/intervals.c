/* Coverage, width, interval score and CRPS of one forecaster's intervals, and how far they would vary. */
#include "intervals.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/data/windows.h"

/* The quantiles 0.1, 0.2, ... 0.9 of which CRPS is the mean pinball loss, twice. */
enum { GRID = 9 };

typedef struct bound { float low, high; } bound;

/* Of one level over windows that share truths. */
typedef struct block_sums { double covered, score, count; } block_sums;

struct interval_scores {
    int64_t pred_len, columns, windows, level_count, block, blocks;
    double  level[FORECAST_MAX_LEVELS];
    const float *scale;
    spread_shape shape;        /* of the forecaster's head; widths 0: of points */
    double *unit;              /* (columns): errors count in training deviations */
    bound  *bounds;            /* (pred_len, columns, levels), residuals */
    float  *grid;              /* (pred_len, columns, GRID), likewise */
    block_sums *sums;          /* (levels, blocks) */
    double *width;             /* (levels) */
    int64_t *step, *column;    /* (levels, pred_len) and (levels, columns): truths within */
    int64_t *step_count, *column_count;
    double  pinball, pinball_original, truth;
    int64_t count;
};

void intervals_free(interval_scores *s) {
    if (!s) return;
    free(s->unit);
    free(s->bounds);
    free(s->grid);
    free(s->sums);
    free(s->width);
    free(s->step);
    free(s->column);
    free(s->step_count);
    free(s->column_count);
    free(s);
}

static bool make_room(interval_scores *s) {
    size_t cells = (size_t)(s->pred_len * s->columns), levels = (size_t)s->level_count;
    s->unit         = calloc((size_t)s->columns + 1, sizeof *s->unit);
    s->bounds       = calloc(cells * levels + 1, sizeof *s->bounds);
    s->grid         = calloc(cells * GRID + 1, sizeof *s->grid);
    s->sums         = calloc(levels * (size_t)s->blocks + 1, sizeof *s->sums);
    s->width        = calloc(levels + 1, sizeof *s->width);
    s->step         = calloc(levels * (size_t)s->pred_len + 1, sizeof *s->step);
    s->column       = calloc(levels * (size_t)s->columns + 1, sizeof *s->column);
    s->step_count   = calloc((size_t)s->pred_len + 1, sizeof *s->step_count);
    s->column_count = calloc((size_t)s->columns + 1, sizeof *s->column_count);
    return s->unit && s->bounds && s->grid && s->sums && s->width && s->step && s->column && s->step_count &&
           s->column_count;
}

static void spread_tables(interval_scores *s, const band_tables *b, int forecaster) {
    for (int64_t i = 0; i < s->pred_len * s->columns; i++) {
        int64_t step = i / s->columns, column = i % s->columns;
        for (int64_t l = 0; l < s->level_count; l++)
            s->bounds[i * s->level_count + l] =
                (bound){ (float)bands_quantile(b, forecaster, column, step, 0.5 - s->level[l] / 200),
                         (float)bands_quantile(b, forecaster, column, step, 0.5 + s->level[l] / 200) };
        for (int q = 0; q < GRID; q++)
            s->grid[i * GRID + q] = (float)bands_quantile(b, forecaster, column, step, (q + 1.0) / (GRID + 1));
    }
}

interval_scores *intervals_new(const band_tables *b, int forecaster, int64_t windows, int64_t apart, const float *scale,
                               const double *levels, int64_t level_count) {
    interval_scores *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->pred_len = b->pred_len, s->columns = b->columns, s->windows = windows, s->scale = scale;
    s->level_count = level_count;
    if (!forecaster) s->shape = b->shape;
    memcpy(s->level, levels, (size_t)level_count * sizeof *levels);
    s->block  = window_reach(s->pred_len, apart); /* so that blocks share truths with their neighbours alone */
    s->blocks = ceil_div(MAX2(windows, 1), s->block);
    if (!make_room(s)) return intervals_free(s), NULL;
    memcpy(s->unit, b->unit, (size_t)s->columns * sizeof *s->unit);
    spread_tables(s, b, forecaster);
    return s;
}

/* ---- adding ---- */

/* A truth: how far it is from its forecast, and what makes errors of residuals there. */
typedef struct judged { double error, scale; const float *widths; } judged;

static double error_at(const interval_scores *s, const judged *j, float residual) {
    return s->shape.widths ? spread_error(&s->shape, j->widths, (double)residual) : (double)residual * j->scale;
}

/* Gneiting and Raftery, Strictly proper scoring rules, JASA 2007, eq. 43: the width, and 2/a times how far outside. */
static void add_levels(interval_scores *s, int64_t window, int64_t cell, const judged *j) {
    int64_t      step = cell / s->columns, column = cell % s->columns;
    const bound *b = s->bounds + cell * s->level_count;
    for (int64_t l = 0; l < s->level_count; l++) {
        double low = error_at(s, j, b[l].low), high = error_at(s, j, b[l].high);
        double outside = fmax(fmax(low - j->error, j->error - high), 0), unit = s->unit[column];
        block_sums *sums = &s->sums[l * s->blocks + window / s->block];
        sums->covered += outside == 0;
        sums->score += (high - low + outside * 2 / (1 - s->level[l] / 100)) / unit;
        sums->count++;
        s->width[l] += (high - low) / unit;
        s->step[l * s->pred_len + step] += outside == 0;
        s->column[l * s->columns + column] += outside == 0;
    }
    s->step_count[step]++;
    s->column_count[column]++;
}

static void add_grid(interval_scores *s, int64_t cell, const judged *j, double truth) {
    const float *q   = s->grid + cell * GRID;
    double       sum = 0;
    for (int i = 0; i < GRID; i++) {
        double p = (i + 1.0) / (GRID + 1), over = j->error - error_at(s, j, q[i]);
        sum += over > 0 ? p * over : (p - 1) * over;
    }
    s->pinball += 2 * sum / GRID / s->unit[cell % s->columns];
    s->pinball_original += 2 * sum / GRID;
    s->truth += fabs(truth);
    s->count++;
}

void intervals_add(interval_scores *s, int64_t at, int64_t count, const seen_windows *seen) {
    int64_t each = s->pred_len * s->columns;
    for (int64_t i = 0; i < count * each; i++) {
        int64_t window = at + i / each, cell = i % each;
        judged  j = { (double)seen->truth[i] - (double)seen->prediction[i],
                      (double)s->scale[window * s->columns + cell % s->columns],
                      seen->widths ? seen->widths + i * s->shape.widths : NULL };
        if (!isfinite(j.error) || isnan(s->grid[cell * GRID])) continue;
        add_levels(s, window, cell, &j);
        add_grid(s, cell, &j, (double)seen->truth[i]);
    }
}

/* ---- results ---- */

static double ratio(double a, double b) { return b > 0 ? a / b : (double)NAN; }

/* xorshift64*, whose seed is fixed: the same spread for the same sums. */
static uint64_t draw(uint64_t *state) {
    *state ^= *state >> 12, *state ^= *state << 25, *state ^= *state >> 27;
    return *state * 2685821657736338717u;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { RESAMPLINGS = 1000 };

/* Whole blocks are drawn, so that what windows share stays together (Kuensch, Annals of Statistics 1989). Nothing can
 * be said from fewer than two. */
static void bootstrap(const block_sums *sums, int64_t blocks, forecast_interval *out) {
    double   covered[RESAMPLINGS], score[RESAMPLINGS];
    uint64_t state = 20240229;
    out->coverage_low = out->coverage_high = out->winkler_low = out->winkler_high = (double)NAN;
    if (blocks < 2) return;
    for (int i = 0; i < RESAMPLINGS; i++) {
        block_sums all = { 0 };
        for (int64_t b = 0; b < blocks; b++) {
            const block_sums *one = &sums[(int64_t)(draw(&state) % (uint64_t)blocks)];
            all.covered += one->covered, all.score += one->score, all.count += one->count;
        }
        covered[i] = 100 * ratio(all.covered, all.count), score[i] = ratio(all.score, all.count);
    }
    qsort(covered, RESAMPLINGS, sizeof *covered, by_size);
    qsort(score, RESAMPLINGS, sizeof *score, by_size);
    int low = RESAMPLINGS / 40, high = RESAMPLINGS - 1 - low;
    out->coverage_low = covered[low], out->coverage_high = covered[high];
    out->winkler_low = score[low], out->winkler_high = score[high];
}

static double *shares(const int64_t *within, const int64_t *count, int64_t n) {
    double *out = malloc((size_t)n * sizeof *out + 1);
    for (int64_t i = 0; out && i < n; i++) out[i] = 100 * ratio((double)within[i], (double)count[i]);
    return out;
}

static int64_t lowest(const double *values, int64_t n) {
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++)
        if (values[i] < values[at] || isnan(values[at])) at = i;
    return at;
}

static bool level_result(const interval_scores *s, int64_t l, forecast_interval *out) {
    block_sums all = { 0 };
    for (int64_t b = 0; b < s->blocks; b++) {
        const block_sums *one = &s->sums[l * s->blocks + b];
        all.covered += one->covered, all.score += one->score, all.count += one->count;
    }
    *out = (forecast_interval){ .level = s->level[l], .coverage = 100 * ratio(all.covered, all.count),
                                .width = ratio(s->width[l], all.count), .winkler = ratio(all.score, all.count) };
    bootstrap(s->sums + l * s->blocks, s->blocks, out);
    out->by_step   = shares(s->step + l * s->pred_len, s->step_count, s->pred_len);
    out->by_column = shares(s->column + l * s->columns, s->column_count, s->columns);
    if (!out->by_step || !out->by_column) return false;
    out->worst_column = lowest(out->by_column, s->columns);
    return true;
}

bool intervals_result(const interval_scores *s, forecast_intervals *out) {
    double count     = (double)s->count;
    out->present     = true;
    out->level_count = s->level_count;
    out->crps        = ratio(s->pinball, count);
    out->wql         = ratio(s->pinball_original, s->truth);
    bool fine        = true;
    for (int64_t l = 0; l < s->level_count; l++) fine = level_result(s, l, &out->level[l]) && fine;
    return fine;
}
