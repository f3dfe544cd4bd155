/* A backtest in the making: a run, the series, the origins, and what is measured at each. */
#ifndef FORECAST_ROLLING_H
#define FORECAST_ROLLING_H

#include <stdio.h>

#include "forecast/fit/run_folder.h"
#include "forecast/fit/sum_run.h"
#include "forecast/report/report.h"
#include "forecast/saved/handle.h"
#include "coverage.h"
#include "error_sums.h"

typedef struct rolling {
    forecast_options *options;
    unsigned          compat;
    listener          listener;
    forecast_model   *run;
    const bundle     *bundle;      /* the run's */
    dataset           data;        /* scaled as the run is */
    char              path[FOLDER_PATH];
    int64_t          *origin, origins, step, block;  /* rows; block: origins whose forecasts reach over a horizon */
    int64_t           season;      /* rows; 0: none is known */
    char              season_note[160];
    double           *last;        /* (rows, columns): each value, or the last one before it */
    double           *seasonal;    /* the same by season; NULL: there is no such baseline */
    error_sums        sums;
    coverage          intervals;
    sum_run           totals;      /* of `sum` */
    FILE             *csv;         /* NULL: none is written */
    struct forecast_backtest_rows *rows;  /* NULL: none are kept */
    int64_t           kept;        /* of them so far */
    const char       *recipe;      /* run.json's text, of a model in memory; NULL */
    int64_t           refits;
} rolling;

/* A model that answers, with the series scaled as it takes it, and the linear baseline that learned from the same
 * rows. */
typedef struct answerer {
    session        *session;
    const dataset  *data;
    const baseline *linear;
    const band_tables *bands;      /* of its intervals; read where levels are asked for */
} answerer;

/* naive.c: r->season, last and seasonal. */
tide_status rolling_naive(rolling *r, tide_failure *failure);

/* answer.c: forecasts `count` origins from `first` on in one program, adds their errors up and to the CSV. */
tide_status rolling_answer(rolling *r, const answerer *a, int64_t first, int64_t count, tide_failure *failure);

/* rows.c: a row by its stamp as the file writes it; without stamps by its number, the first being 1. */
void        rolling_stamp(const rolling *r, int64_t row, char out[40]);
/* The line of names; the rows of one origin, as lines and into r->rows: forecasts (horizon, columns,
 * FORECAST_BY_COUNT), and where `level` is given the bounds around the model's, by what its window's are made with.
 * TIDE_EIO. */
tide_status rolling_header(rolling *r);
/* Room for those of all origins. */
tide_status rolling_rows_new(const rolling *r, struct forecast_backtest_rows **out, tide_failure *failure);
tide_status rolling_rows(rolling *r, const answerer *a, int64_t origin, const double *forecasts,
                         const window_spread *spread);

/* refit.c: the same as rolling_answer for all origins, by models that are trained for them. */
tide_status rolling_refit(rolling *r, tide_failure *failure);
/* What stands in the way of that, asked before anything is computed. */
tide_status rolling_check_refit(const rolling *r, tide_failure *failure);

/* result.c: result->backtest and json. */
tide_status rolling_result(rolling *r, forecast_result *out, tide_failure *failure);

tide_status rolling_no_memory(tide_failure *failure);

#endif
