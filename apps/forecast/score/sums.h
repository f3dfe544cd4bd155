/* Sums of series, and sums over rows, of a forecast, a path or what came; and bounds of sums. Points are the sums of
 * points. Bounds are quantiles of sums, path by path, as adding up bounds would take it that all errors are large at
 * once. */
#ifndef FORECAST_SUMS_H
#define FORECAST_SUMS_H

#include "forecast/data/hierarchy.h"

typedef struct sum_plan {
    const hierarchy *h;               /* of the columns; borrowed */
    int64_t          columns;
    int64_t          first, count;    /* which rows count */
    bool             over_rows;       /* they become one */
} sum_plan;

int64_t sums_series(const sum_plan *p);   /* the columns, then the sums */
int64_t sums_rows(const sum_plan *p);     /* count, or 1 */
/* cells (rows, columns), from row 0 on, to (sums_rows, sums_series). NaN where a part is. */
void    sums_add_up(const sum_plan *p, const double *cells, double *out);

/* Lower and upper bound of each level (levels, 2), in percent, of two paths or more, which are put in order. NaN where
 * one of them is. */
void    sums_bounds(double *sample, int64_t count, const double *levels, int64_t level_count, double *out);

#endif
