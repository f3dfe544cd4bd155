/* Sums over the rows that count. CRPS is twice the mean pinball loss of the deciles, as in evaluate. */
#include "coverage.h"

#include <math.h>
#include <stdlib.h>


enum { DECILES = 9 };

bool coverage_new(coverage *c, int64_t columns) {
    c->columns = columns;
    c->cells   = calloc((size_t)columns + 1, sizeof *c->cells);
    return c->cells;
}

void coverage_free(coverage *c) {
    free(c->cells);
    *c = (coverage){ 0 };
}

static double pinball(const band_tables *b, const covered *row) {
    double  sum = 0, error = row->truth - row->forecast;
    int64_t cell = row->step * b->columns + row->column;
    for (int i = 1; i <= DECILES; i++) {
        double p        = i / (DECILES + 1.0);
        double residual = bands_quantile(b, FORECAST_BY_MODEL, row->column, row->step, p);
        double over = error - bands_error(b, FORECAST_BY_MODEL, cell, row->spread, residual);
        sum += over > 0 ? p * over : (p - 1) * over;
    }
    return 2 * sum / DECILES;
}

int64_t coverage_numbers(const coverage *c) { return c->levels.count ? 2 * c->levels.count + 1 : 0; }

void coverage_bounds(const coverage *c, const band_tables *b, const covered *row, double *out) {
    int64_t count = coverage_numbers(c);
    for (int64_t i = 0; i < count; i++) out[i] = (double)NAN;
    if (!count || !b->quantile[FORECAST_BY_MODEL]) return;
    bands_at(b, FORECAST_BY_MODEL, row->step * c->columns + row->column, row->forecast, row->spread, c->levels.of,
             c->levels.count, out);
    if (!isnan(row->truth) && !isnan(out[0])) out[count - 1] = pinball(b, row);
}

void coverage_count(coverage *c, int64_t column, double truth, const double *numbers) {
    coverage_cell *cell = &c->cells[column];
    if (!c->levels.count || isnan(truth) || isnan(numbers[0])) return;
    cell->count++;
    cell->pinball += numbers[2 * c->levels.count];
    for (int64_t l = 0; l < c->levels.count; l++) {
        cell->within[l] += truth >= numbers[2 * l] && truth <= numbers[2 * l + 1];
        cell->width[l] += numbers[2 * l + 1] - numbers[2 * l];
    }
}

static double mean(double sum, int64_t count) { return count ? sum / (double)count : (double)NAN; }

static void fill(const levels *l, const coverage_cell *cell, forecast_backtest_interval *out, double *crps) {
    for (int64_t i = 0; i < l->count; i++)
        out[i] = (forecast_backtest_interval){ l->of[i], 100 * mean((double)cell->within[i], cell->count),
                                               mean(cell->width[i], cell->count) };
    *crps = mean(cell->pinball, cell->count);
}

static void add(coverage_cell *all, const coverage_cell *cell, int64_t level_count, double std) {
    all->count += cell->count, all->pinball += cell->pinball / std;
    for (int64_t i = 0; i < level_count; i++)
        all->within[i] += cell->within[i], all->width[i] += cell->width[i] / std;
}

void coverage_fill(const coverage *c, const double *std, forecast_backtest_result *out) {
    coverage_cell all = { 0 };
    out->level_count = c->levels.count;
    for (int64_t i = 0; i < c->columns; i++) {
        fill(&c->levels, &c->cells[i], out->by_column[i].intervals, &out->by_column[i].crps);
        add(&all, &c->cells[i], c->levels.count, std[i]);
    }
    fill(&c->levels, &all, out->intervals, &out->crps);
}
