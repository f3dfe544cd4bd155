/* The figures of an origin: whether there are bounds of sums; for each row and column the forecasts by the model and by
 * the linear baseline and the numbers of its intervals; the bounds of sums. */
#include <math.h>

#include "base/base.h"
#include "rolling.h"

static int64_t of_row(const rolling *r) { return 2 + coverage_numbers(&r->intervals); }
static int64_t of_rows(const rolling *r) { return r->options->horizon * r->bundle->config.out_count * of_row(r); }

int64_t rolling_numbers(const rolling *r) {
    return 1 + of_rows(r) + (r->totals.scores.cells ? sum_scores_numbers(&r->totals.scores) : 0);
}

row_figures rolling_row(const rolling *r, const double *figures, int64_t step, int64_t column) {
    const double *at = figures + 1 + (step * r->bundle->config.out_count + column) * of_row(r);
    return (row_figures){ at, at + 2 };
}

const double *rolling_sum_bounds(const rolling *r, const double *figures) { return figures + 1 + of_rows(r); }

/* By all four. */
static void put_forecasts(const rolling *r, int64_t origin, int64_t step, int64_t column, const double made[2],
                          double out[FORECAST_BY_COUNT]) {
    const model_config *c = &r->bundle->config;
    int64_t naive = origin * c->columns + c->out_first + column;
    out[FORECAST_BY_MODEL]      = made[0];
    out[FORECAST_BY_LAST_VALUE] = r->last[naive];
    out[FORECAST_BY_SEASONAL]   = (double)NAN;
    if (r->seasonal)
        out[FORECAST_BY_SEASONAL] = r->seasonal[naive + (step % r->season - r->season + 1) * c->columns];
    out[FORECAST_BY_LINEAR] = made[1];
}

static void take_row(rolling *r, int64_t which, int64_t step, int64_t column, const double *figures) {
    const model_config *c = &r->bundle->config;
    const frame *f  = &r->data.frame;
    row_figures  at = rolling_row(r, figures, step, column);
    int64_t      behind = r->options->lead + step, row = r->origin[which] + 1 + behind;
    error_row    e  = { .origin = which, .column = column, .step = step,
                        .truth = f->values[row * f->columns + c->out_first + column] };
    put_forecasts(r, r->origin[which], behind, column, at.forecast, e.forecast);
    error_sums_add(&r->sums, &e);
    coverage_count(&r->intervals, column, e.truth, at.bounds);
    rolling_put_row(r, &(told_row){ r->origin[which], row, behind, column, e.forecast, at.bounds, e.truth });
}

/* All rows of the horizon, as paths are made of whole forecasts. */
static void take_sums(rolling *r, int64_t which, const double *bounds) {
    const model_config *c = &r->bundle->config;
    const frame        *f = &r->data.frame;
    for (int64_t i = 0; i < c->pred_len * c->out_count; i++) {
        int64_t row = r->origin[which] + 1 + i / c->out_count;
        r->totals.scores.truth[i] = f->values[row * f->columns + c->out_first + i % c->out_count];
    }
    sum_scores_count(&r->totals.scores, bounds);
}

tide_status rolling_take(void *user, int64_t which, const double *figures, tide_failure *failure) {
    rolling *r = user;
    (void)failure;
    for (int64_t step = 0; step < r->options->horizon; step++)
        for (int64_t column = 0; column < r->bundle->config.out_count; column++)
            take_row(r, which, step, column, figures);
    if (*figures > 0) take_sums(r, which, rolling_sum_bounds(r, figures));
    return r->csv && ferror(r->csv) ? TIDE_EIO : TIDE_OK;
}
