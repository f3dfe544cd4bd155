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
    struct sharing   *sharing;     /* with other processes; NULL: alone */
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

/* What an origin comes to, whoever forecast it: numbers, rolling_numbers of them; all else follows from the series.
 * figures.c: they are added up, and to the CSV, origin after origin. */
typedef struct row_figures { const double *forecast, *bounds; } row_figures;  /* by the model and the linear baseline;
                                                                                coverage.h's */
int64_t     rolling_numbers(const rolling *r);
row_figures rolling_row(const rolling *r, const double *figures, int64_t step, int64_t column);
/* Where the bounds of sums stand, behind whether there are any. */
const double *rolling_sum_bounds(const rolling *r, const double *figures);
typedef tide_status (*figures_taker)(void *user, int64_t origin, const double *figures, tide_failure *failure);
tide_status rolling_take(void *rolling, int64_t origin, const double *figures, tide_failure *failure);  /* is one */

/* answer.c: who answers, with a program for as many of `windows` at once as one has, and room for one. */
typedef struct answering {
    const answerer *by;
    window_program  program;
    float          *window, *linear, *scale, *widths;
    double         *figures;
} answering;
tide_status answering_open(rolling *r, const answerer *by, int64_t windows, bool tells, answering *out,
                           tide_failure *failure);
void        answering_close(answering *a);
/* Forecasts `count` origins from `first` on and hands over the figures of each. */
tide_status answering_run(rolling *r, answering *a, int64_t first, int64_t count, figures_taker take, void *user,
                          tide_failure *failure);
/* The same in one program for these. */
tide_status rolling_answer(rolling *r, const answerer *by, int64_t first, int64_t count, figures_taker take, void *user,
                           tide_failure *failure);

/* rows.c: a row by its stamp as the file writes it; without stamps by its number, the first being 1. */
void        rolling_stamp(const rolling *r, int64_t row, char out[40]);
/* The line of names; a row, as a line and into r->rows: forecasts (FORECAST_BY_COUNT), and where `level` is given the
 * bounds around the model's. TIDE_EIO. */
typedef struct told_row {
    int64_t       origin, row, step, column;  /* rows of the series; the first is step 0; of those that are forecast */
    const double *forecast, *bounds;
    double        truth;
} told_row;
tide_status rolling_header(rolling *r);
/* Room for those of all origins. */
tide_status rolling_rows_new(const rolling *r, struct forecast_backtest_rows **out, tide_failure *failure);
void        rolling_put_row(rolling *r, const told_row *t);

/* refit.c: models that are trained for a block of origins each, `refit_every` of them. */
typedef struct refit refit;
tide_status refit_new(rolling *r, refit **out, tide_failure *failure);
void        refit_free(refit *f);
const forecast_options *refit_options(const refit *f);  /* of each training, but for what the rows decide */
tide_status refit_block(refit *f, int64_t block, figures_taker take, void *user, tide_failure *failure);
/* What stands in the way of that, asked before anything is computed. */
tide_status rolling_check_refit(const rolling *r, tide_failure *failure);

/* joined.c: several processes share it. What stands in the way of that; joining; forecasting, with the others, all that
 * none has forecast yet; adding up what all have; leaving. */
tide_status rolling_check_join(const rolling *r, tide_failure *failure);
tide_status rolling_join(rolling *r, tide_failure *failure);
tide_status rolling_share(rolling *r, tide_failure *failure);
tide_status rolling_replay(rolling *r, tide_failure *failure);
/* By one of them, while the others wait; *mine: it was this one. */
typedef tide_status (*rolling_work)(rolling *r, tide_failure *failure);
tide_status rolling_once(rolling *r, rolling_work work, bool *mine, tide_failure *failure);
void        rolling_leave(rolling *r, bool over);
void        rolling_forget_shared(const rolling *r);  /* what a joint work on this output has left */

/* result.c: result->backtest and json. */
tide_status rolling_result(rolling *r, forecast_result *out, tide_failure *failure);

tide_status rolling_no_memory(tide_failure *failure);

#endif
