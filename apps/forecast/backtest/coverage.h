/* How often the model's prediction intervals hold, how wide they are, and their CRPS, added up by column. */
#ifndef FORECAST_COVERAGE_H
#define FORECAST_COVERAGE_H

#include <tidemill/backtest.h>

#include "forecast/options/levels.h"
#include "forecast/score/conformal.h"

typedef struct coverage_cell {
    int64_t count, within[FORECAST_MAX_LEVELS];
    double  width[FORECAST_MAX_LEVELS], pinball;   /* in original units */
} coverage_cell;

typedef struct coverage {
    levels         levels;    /* none: nothing is measured */
    int64_t        columns;
    coverage_cell *cells;     /* (columns) */
} coverage;

bool coverage_new(coverage *c, int64_t columns);   /* c->levels stay; false: out of memory */
void coverage_free(coverage *c);
/* A forecast of the column `step` rows behind the origin's next, and what came; `spread` is the window's. */
typedef struct covered { int64_t step, column; double forecast, truth; const window_spread *spread; } covered;
/* Its bounds (levels, 2) and its pinball loss, coverage_numbers in all, none without levels. NaN: of a model whose
 * intervals could not be calibrated; the loss, of a truth that is NaN. */
int64_t coverage_numbers(const coverage *c);
void    coverage_bounds(const coverage *c, const band_tables *b, const covered *row, double *out);
/* Adds them up. A truth that is NaN is left out. */
void    coverage_count(coverage *c, int64_t column, double truth, const double *numbers);
/* Fills the intervals and crps of out->by_column, and over all columns, scaled by std (columns). */
void coverage_fill(const coverage *c, const double *std, forecast_backtest_result *out);

#endif
