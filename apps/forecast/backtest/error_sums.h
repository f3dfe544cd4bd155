/* Errors of forecasts in original units, added up for each origin and column: what intervals over the origins need. */
#ifndef FORECAST_ERROR_SUMS_H
#define FORECAST_ERROR_SUMS_H

#include <tidemill/backtest.h>

typedef struct error_cell {
    double  absolute[FORECAST_BY_COUNT], squared[FORECAST_BY_COUNT];
    int64_t count;           /* truths that are known */
} error_cell;

typedef struct error_sums {
    int64_t     origins, columns, horizon;
    error_cell *cells;       /* (origins, columns) */
    error_cell *thirds;      /* (columns, 3): of the rows that count, the first, second and last third */
    double     *truth;       /* (columns): sums of |truth| */
} error_sums;

bool    error_sums_new(error_sums *t, int64_t origins, int64_t columns, int64_t horizon);  /* false: out of memory */
void    error_sums_free(error_sums *t);
int64_t error_third_stop(const error_sums *t, int third);  /* the row behind it, of those that count, from 0 on */
/* One row that counts; a truth that is NaN is not known, and left out. */
typedef struct error_row { int64_t origin, column, step; double truth, forecast[FORECAST_BY_COUNT]; } error_row;
void    error_sums_add(error_sums *t, const error_row *row);

#endif
