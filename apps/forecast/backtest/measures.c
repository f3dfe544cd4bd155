/* Figures of the errors, and how far they would have varied over other origins of the kind. */
#include "measures.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "bootstrap.h"

naive_errors naive_errors_of(const double *column, int64_t rows, int64_t stride, int64_t season) {
    double  absolute = 0, squared = 0;
    int64_t count = 0;
    for (int64_t i = season; i < rows; i++) {
        double step = column[i * stride] - column[(i - season) * stride];
        if (isnan(step)) continue;
        absolute += fabs(step), squared += step * step, count++;
    }
    double n = count ? (double)count : (double)NAN;
    return (naive_errors){ absolute / n, squared / n };
}

static double ratio(double a, double b) { return b > 0 ? a / b : (double)NAN; }

/* ---- sums over origins, columns, thirds ---- */

static void add_cell(error_cell *to, const error_cell *c, double std) {
    to->count += c->count;
    for (int k = 0; k < FORECAST_BY_COUNT; k++)
        to->absolute[k] += c->absolute[k] / std, to->squared[k] += c->squared[k] / (std * std);
}

static error_cell column_sum(const error_sums *t, int64_t column) {
    error_cell all = { .count = 0 };
    for (int64_t o = 0; o < t->origins; o++) add_cell(&all, &t->cells[o * t->columns + column], 1);
    return all;
}

/* Scaled, of an origin. */
static error_cell origin_sum(const measured *m, int64_t origin) {
    error_cell all = { .count = 0 };
    for (int64_t c = 0; c < m->sums->columns; c++)
        add_cell(&all, &m->sums->cells[origin * m->sums->columns + c], m->std[c]);
    return all;
}

static error_cell third_sum(const measured *m, int third) {
    error_cell all = { .count = 0 };
    for (int64_t c = 0; c < m->sums->columns; c++) add_cell(&all, &m->sums->thirds[3 * c + third], m->std[c]);
    return all;
}

/* ---- figures ---- */

static void fill_column(const measured *m, int64_t column, forecast_backtest_column *out) {
    error_cell   sum = column_sum(m->sums, column);
    naive_errors n   = m->naive[column];
    out->truths      = sum.count;
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        double mae = ratio(sum.absolute[k], (double)sum.count), mse = ratio(sum.squared[k], (double)sum.count);
        out->of[k] = (forecast_backtest_errors){ .mae = mae, .rmse = sqrt(mse), .mase = ratio(mae, n.absolute),
                                                 .rmsse = sqrt(ratio(mse, n.squared)),
                                                 .wape = 100 * ratio(sum.absolute[k], m->sums->truth[column]),
                                                 .mae_low = (double)NAN, .mae_high = (double)NAN };
    }
}

/* Means over the columns that have one. */
static void fill_scaled_errors(const forecast_backtest_result *r, int k, forecast_backtest_total *out) {
    double mase = 0, rmsse = 0, with_mase = 0, with_rmsse = 0;
    for (int64_t c = 0; c < r->columns; c++) {
        const forecast_backtest_errors *e = &r->by_column[c].of[k];
        if (!isnan(e->mase)) mase += e->mase, with_mase++;
        if (!isnan(e->rmsse)) rmsse += e->rmsse, with_rmsse++;
    }
    out->mase = ratio(mase, with_mase), out->rmsse = ratio(rmsse, with_rmsse);
}

static void fill_totals(const measured *m, forecast_backtest_result *r) {
    error_cell all = { .count = 0 }, third[3];
    for (int64_t o = 0; o < m->sums->origins; o++) {
        error_cell one = origin_sum(m, o);
        add_cell(&all, &one, 1);
    }
    for (int i = 0; i < 3; i++) third[i] = third_sum(m, i), r->third_stop[i] = error_third_stop(m->sums, i);
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        forecast_backtest_total *out = &r->of[k];
        *out = (forecast_backtest_total){ .present = m->present[k], .mse = ratio(all.squared[k], (double)all.count),
                                          .mae = ratio(all.absolute[k], (double)all.count),
                                          .ratio = ratio(all.absolute[0], all.absolute[k]) };
        out->mse_low = out->mse_high = out->mae_low = out->mae_high = out->ratio_low = out->ratio_high = (double)NAN;
        for (int i = 0; i < 3; i++)
            out->third_mse[i] = ratio(third[i].squared[k], (double)third[i].count),
            out->third_mae[i] = ratio(third[i].absolute[k], (double)third[i].count);
        fill_scaled_errors(r, k, out);
    }
}

/* ---- intervals ---- */

/* What is drawn of an origin: a count, then absolute and squared errors over all, then count and absolute errors of
 * each column. */
enum { ALL_COUNT, ALL_ABSOLUTE, ALL_SQUARED = ALL_ABSOLUTE + FORECAST_BY_COUNT,
       COLUMN = ALL_SQUARED + FORECAST_BY_COUNT, EACH_COLUMN = 1 + FORECAST_BY_COUNT };

static void put_origin(const measured *m, int64_t origin, double *row) {
    const error_sums *t   = m->sums;
    error_cell   all = origin_sum(m, origin);
    row[ALL_COUNT] = (double)all.count;
    for (int k = 0; k < FORECAST_BY_COUNT; k++)
        row[ALL_ABSOLUTE + k] = all.absolute[k], row[ALL_SQUARED + k] = all.squared[k];
    for (int64_t c = 0; c < t->columns; c++) {
        const error_cell *cell = &t->cells[origin * t->columns + c];
        double           *at   = row + COLUMN + c * EACH_COLUMN;
        *at = (double)cell->count;
        memcpy(at + 1, cell->absolute, sizeof cell->absolute);
    }
}

/* The interval of one drawn sum divided by another. */
static bootstrap_bounds interval_of(const double *sums, int64_t streams, int64_t above, int64_t below) {
    double samples[BOOTSTRAP_SAMPLES];
    for (int i = 0; i < BOOTSTRAP_SAMPLES; i++) {
        const double *row = sums + i * streams;
        samples[i] = ratio(row[above], row[below]);
    }
    return bootstrap_interval(samples);
}

static void put_intervals(const double *sums, int64_t streams, forecast_backtest_result *r) {
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        forecast_backtest_total *out = &r->of[k];
        bootstrap_bounds mse = interval_of(sums, streams, ALL_SQUARED + k, ALL_COUNT),
                         mae = interval_of(sums, streams, ALL_ABSOLUTE + k, ALL_COUNT),
                         skill = interval_of(sums, streams, ALL_ABSOLUTE, ALL_ABSOLUTE + k);
        out->mse_low = mse.low, out->mse_high = mse.high, out->mae_low = mae.low, out->mae_high = mae.high;
        out->ratio_low = skill.low, out->ratio_high = skill.high;
        for (int64_t c = 0; c < r->columns; c++) {
            int64_t at = COLUMN + c * EACH_COLUMN;
            bootstrap_bounds own = interval_of(sums, streams, at + 1 + k, at);
            r->by_column[c].of[k].mae_low = own.low, r->by_column[c].of[k].mae_high = own.high;
        }
    }
}

/* Blocks grow with the cube root of the origins, as their best length does, and reach over a horizon. Draws of a few
 * blocks hardly differ: an interval would be too narrow. */
enum { LEAST_BLOCKS = 5 };

static bool fill_intervals(const measured *m, forecast_backtest_result *r) {
    int64_t origins = m->sums->origins, streams = COLUMN + EACH_COLUMN * m->sums->columns;
    r->block = MAX2(m->block, (int64_t)ceil(cbrt((double)origins)));
    if (origins < LEAST_BLOCKS * r->block) return true;
    double *values = malloc((size_t)(origins * streams) * sizeof *values);
    double *sums   = malloc((size_t)(BOOTSTRAP_SAMPLES * streams) * sizeof *sums);
    bool    fine   = values && sums;
    for (int64_t o = 0; fine && o < origins; o++) put_origin(m, o, values + o * streams);
    fine = fine && bootstrap_sums(values, origins, streams, r->block, sums);
    if (fine) put_intervals(sums, streams, r), r->samples = BOOTSTRAP_SAMPLES;
    free(values);
    free(sums);
    return fine;
}

bool measures_fill(const measured *m, forecast_backtest_result *out) {
    for (int64_t c = 0; c < out->columns; c++) fill_column(m, c, &out->by_column[c]);
    fill_totals(m, out);
    return fill_intervals(m, out);
}
