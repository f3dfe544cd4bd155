/* Tables of quantiles: where they have their numbers, and what is read from them. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "conformal.h"

/* How fine: the first whose tables are short enough, else the last. Four megabytes up to 1,600 columns. */
static const struct { int64_t knots; int points; } fineness[] = { { 32, 199 }, { 32, 39 }, { 16, 39 }, { 8, 19 } };
enum { FINENESS = sizeof fineness / sizeof *fineness, MOST_NUMBERS = 1000000 };

/* In thousandths, up to the middle; the other half mirrors them. Coarse ones are dense where the usual levels lie. */
static const int16_t points_39[] = { 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 100, 125, 150, 200, 250, 300, 350, 400, 450,
                                     500 };
static const int16_t points_19[] = { 5, 10, 25, 50, 75, 100, 150, 200, 300, 500 };

static double probability_of(int points, int64_t i) {
    const int16_t *half = points == 39 ? points_39 : points_19;
    int64_t        last = points - 1;
    if (points == 199) return (double)(i + 1) / 200;
    return i <= last / 2 ? half[i] / 1000.0 : 1 - half[last - i] / 1000.0;
}

/* Steps 0, 1, 2, ... that spread as powers of one ratio, to the last one. */
static int64_t step_of(int64_t knot, int64_t knots, int64_t pred_len, int64_t before) {
    if (knots == pred_len) return knot;
    int64_t power = llround(pow((double)pred_len, (double)knot / (double)(knots - 1))) - 1;
    return MIN2(MAX2(power, before + 1), pred_len - knots + knot);
}

bool bands_new(band_tables *b, int64_t pred_len, int64_t columns, const double *unit) {
    int i = 0;
    while (i + 1 < FINENESS &&
           FORECASTERS * columns * MIN2(fineness[i].knots, pred_len) * fineness[i].points > MOST_NUMBERS)
        i++;
    *b = (band_tables){ .pred_len = pred_len, .columns = columns, .knots = MIN2(fineness[i].knots, pred_len),
                        .points = fineness[i].points };
    b->step        = malloc((size_t)b->knots * sizeof *b->step);
    b->probability = malloc((size_t)b->points * sizeof *b->probability);
    b->effective   = calloc((size_t)(FORECASTERS * b->knots), sizeof *b->effective);
    b->unit        = malloc((size_t)columns * sizeof *b->unit + 1);
    if (!b->step || !b->probability || !b->effective || !b->unit) return bands_free(b), false;
    memcpy(b->unit, unit, (size_t)columns * sizeof *b->unit);
    for (int64_t k = 0; k < b->knots; k++) b->step[k] = step_of(k, b->knots, pred_len, k ? b->step[k - 1] : -1);
    for (int64_t p = 0; p < b->points; p++) b->probability[p] = probability_of((int)b->points, p);
    return true;
}

void bands_free(band_tables *b) {
    for (int i = 0; i < FORECASTERS; i++) free(b->quantile[i]);
    free(b->step);
    free(b->probability);
    free(b->effective);
    free(b->unit);
    free(b->window);
    *b = (band_tables){ 0 };
}

bool bands_any(const band_tables *b) {
    bool any = false;
    for (int i = 0; i < FORECASTERS; i++) any = any || b->quantile[i];
    return any;
}

/* ---- scales ---- */

/* Of the values that there are, mean and all; NaN where there are none. */
static double deviation(const float *values, int64_t count, int64_t stride) {
    double  sum = 0, squares = 0;
    int64_t seen = 0;
    for (int64_t i = 0; i < count; i++)
        if (!isnan(values[i * stride])) sum += (double)values[i * stride], seen++;
    double mean = seen ? sum / (double)seen : (double)NAN;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)values[i * stride] - mean;
        if (!isnan(d)) squares += d * d;
    }
    return seen ? sqrt(squares / (double)seen) : (double)NAN;
}

void bands_scales(const band_tables *b, const look_back *window, float *out) {
    for (int64_t c = 0; c < b->columns; c++) {
        bool   blind = window->blind && window->blind[c] > 0;
        double share = blind ? (double)NAN : deviation(window->scaled + c, window->count, window->stride);
        share *= window->std[c] / b->unit[c];
        out[c] = isnan(share) ? 1 : (float)pow(share * share + BANDS_FLOOR * BANDS_FLOOR, BANDS_FOLLOW / 2);
    }
}

/* ---- reading ---- */

/* Between `at` and `at` + 1, how far. */
typedef struct place { int64_t at; double share; } place;

static place place_of_step(const band_tables *b, int64_t step) {
    int64_t k = 0, end = b->knots - 1;
    while (end - k > 1) {
        int64_t middle = (k + end) / 2;
        if (b->step[middle] <= step) k = middle;
        else end = middle;
    }
    if (b->knots < 2) return (place){ 0, 0 };
    return (place){ k, (double)(step - b->step[k]) / (double)(b->step[k + 1] - b->step[k]) };
}

static double between(double a, double b, double share) {
    return share <= 0 ? a : share >= 1 ? b : a + share * (b - a);
}

/* Between which points of a table a probability lies: those of every knot and column. */
static place place_of_probability(const band_tables *b, double p) {
    int64_t i = 0, end = b->points - 1;
    while (end - i > 1) {
        int64_t middle = (i + end) / 2;
        if (b->probability[middle] <= p) i = middle;
        else end = middle;
    }
    return (place){ i, (p - b->probability[i]) / (b->probability[i + 1] - b->probability[i]) };
}

static double at_knot(const band_tables *b, int forecaster, int64_t knot, int64_t column, place p) {
    const float *q = b->quantile[forecaster] + (knot * b->columns + column) * b->points + p.at;
    return between((double)q[0], (double)q[1], p.share);
}

static double quantile_at(const band_tables *b, int forecaster, int64_t column, place step, place p) {
    double a = at_knot(b, forecaster, step.at, column, p);
    return step.share > 0 ? between(a, at_knot(b, forecaster, step.at + 1, column, p), step.share) : a;
}

double bands_quantile(const band_tables *b, int forecaster, int64_t column, int64_t step, double p) {
    if (!b->quantile[forecaster]) return (double)NAN;
    return quantile_at(b, forecaster, column, place_of_step(b, step), place_of_probability(b, p));
}

double bands_error(const band_tables *b, int forecaster, int64_t cell, const window_spread *s, double residual) {
    int64_t widths = b->shape.widths;
    if (forecaster || !widths) return residual * (double)s->scale[cell % b->columns];
    return spread_error(&b->shape, s->widths + cell * widths, residual);
}

void bands_at(const band_tables *b, int forecaster, int64_t cell, double forecast, const window_spread *s,
              const double *levels, int64_t level_count, double *out) {
    int64_t step = cell / b->columns, column = cell % b->columns;
    for (int64_t i = 0; i < level_count * 2; i++) {
        double p = 0.5 + (i % 2 ? 1 : -1) * levels[i / 2] / 200;
        out[i]   = forecast + bands_error(b, forecaster, cell, s, bands_quantile(b, forecaster, column, step, p));
    }
}

void bands_of_window(const band_tables *b, int forecaster, int64_t cells, const double *forecast,
                     const window_spread *s, const double *levels, int64_t level_count, double *out) {
    place of[2 * FORECAST_MAX_LEVELS];
    if (!b->quantile[forecaster] || level_count > FORECAST_MAX_LEVELS) {
        for (int64_t i = 0; i < cells; i++)
            bands_at(b, forecaster, i, forecast[i], s, levels, level_count, out + i * level_count * 2);
        return;
    }
    for (int64_t k = 0; k < level_count * 2; k++)
        of[k] = place_of_probability(b, 0.5 + (k % 2 ? 1 : -1) * levels[k / 2] / 200);
    for (int64_t i = 0; i < cells; i++) {
        place step = place_of_step(b, i / b->columns);
        for (int64_t k = 0; k < level_count * 2; k++)
            *out++ = forecast[i] + bands_error(b, forecaster, i, s,
                                               quantile_at(b, forecaster, i % b->columns, step, of[k]));
    }
}

double bands_reach(const band_tables *b, int forecaster, int64_t step) {
    const double *m = b->effective + forecaster * b->knots;
    place         s = place_of_step(b, step);
    double        n = s.share > 0 ? between(m[s.at], m[s.at + 1], s.share) : m[s.at];
    return n > 1 ? 100 * (n - 1) / (n + 1) : 0;
}
