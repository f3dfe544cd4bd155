/* Backtests: what a trained run would have forecast from many past rows, by rolling origin, and how far off it was.
 *
 * An origin is the last row that a forecast knows. Of the pred_len rows that follow it, options->lead are passed over
 * and options->horizon count. The same rows are forecast by the baselines, from what the origin knows.
 *
 *     forecast_options_default(&o);
 *     forecast_option_set(&o, "model", "runs/sales", &failure);
 *     forecast_option_set(&o, "data", "sales.csv", &failure);
 *     forecast_option_set(&o, "origins", "Mon-Fri 10:00", &failure);
 *     if (forecast_backtest(&o, NULL, NULL, &r, &failure) == TIDE_OK)
 *         printf("%g\n", r.backtest->by_column[0].of[FORECAST_BY_MODEL].mae); */
#ifndef TIDEMILL_BACKTEST_H
#define TIDEMILL_BACKTEST_H

#include "forecast.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who forecasts: the places of the arrays below. */
enum {
    FORECAST_BY_MODEL,
    FORECAST_BY_LAST_VALUE,
    FORECAST_BY_SEASONAL,
    FORECAST_BY_LINEAR,
    FORECAST_BY_COUNT
};

/* Errors of a column in its own units, over all origins and all rows that count, where the truth is known; NaN where
 * there is none. mase is mae divided by the mean |y[t] - y[t - season]| of the training rows (Hyndman and Koehler
 * 2006), rmsse is rmse divided by the root of its mean square (the M5 competition's, whose season is 1); wape is
 * sum |error| / sum |truth|, in percent. */
typedef struct forecast_backtest_errors {
    double mae, rmse, mase, rmsse, wape;
    double mae_low, mae_high;    /* 95 % interval over the origins */
} forecast_backtest_errors;

/* The model's prediction intervals of one level, in percent: how many truths lie within, in percent; their mean
 * width. */
typedef struct forecast_backtest_interval { double level, coverage, width; } forecast_backtest_interval;

typedef struct forecast_backtest_column {
    char   *name;
    int64_t truths;              /* rows that were scored, over all origins; those without a truth are left out */
    forecast_backtest_errors of[FORECAST_BY_COUNT];
    forecast_backtest_interval intervals[FORECAST_MAX_LEVELS];  /* (level_count) */
    double  crps;                /* of the deciles; counted as mae is. NaN without intervals */
} forecast_backtest_column;

/* Over all columns. mse and mae are of values scaled by the run's mean and deviation, as they are published; mase and
 * rmsse are the means of the columns'. low and high: 95 % intervals; NaN where the origins are too few for any. */
typedef struct forecast_backtest_total {
    bool   present;
    double mse, mae, mse_low, mse_high, mae_low, mae_high, mase, rmsse;
    double third_mse[3], third_mae[3];     /* of the first, second and last third of the rows that count */
    double ratio, ratio_low, ratio_high;   /* the model's mae divided by this one's: below 1 the model is better */
} forecast_backtest_total;

/* What was forecast, a row for each origin, step and column, columns fastest, as the CSV has them. */
typedef struct forecast_backtest_rows {
    int64_t  count;
    int64_t *origin, *row;          /* of the series, from 0: the last that was known, and the one that is forecast */
    int64_t *step, *column;         /* from 1 after the origin; into by_column */
    int64_t *time, *origin_time;    /* of both rows, as forecast_model_tz says; NULL without time stamps */
    double  *forecast;              /* (count, FORECAST_BY_COUNT), original units; NaN: there is no such baseline */
    double  *truth;                 /* NaN where it is not known */
    double  *bounds;                /* (count, level_count, 2): lower and upper, of the model */
    double   level[FORECAST_MAX_LEVELS];  /* those of options->level */
    int64_t  level_count;
} forecast_backtest_rows;

typedef struct forecast_backtest_result {
    int64_t origins, lead, horizon;
    char    first_origin[40], last_origin[40];  /* as the file writes its stamps; without any the row's number */
    int64_t step;                /* every so many rows were an origin; with `origins` of those alone */
    int64_t season;              /* rows of the season of mase and rmsse; 1 where none is known */
    int64_t refits;              /* models that were trained for it; 0: the run's alone */
    int64_t block, samples;      /* of the intervals' moving-block bootstrap: origins of a block (their forecasts reach
                                    over a horizon at least), and how often was drawn; 0: the origins are fewer than
                                    five blocks, and there are no intervals */
    int64_t third_stop[3];       /* of rows that count, where each third ends: the first is [0, third_stop[0]) */
    forecast_backtest_total   of[FORECAST_BY_COUNT];
    forecast_backtest_column *by_column;   /* (columns), in the run's order */
    int64_t columns;
    forecast_backtest_interval intervals[FORECAST_MAX_LEVELS];  /* (level_count) over all columns; widths scaled */
    double  crps;                /* scaled */
    int64_t level_count;         /* options->level, or 80 and 95; 0: the run keeps no intervals */
    forecast_backtest_rows *rows;  /* forecast_model_backtest; NULL: forecast_backtest */
} forecast_backtest_result;

/* Forecasts the rows after each origin of options->data's test rows with the run options->model, all origins in one
 * program, and fills result->backtest, json, and csv where options->output is "-". options->refit_every > 0: models
 * trained anew, in memory, each on the rows up to the first of its origins alone. options->output NAME: a CSV with a
 * row for each origin, step and column; with options->level, the bounds of intervals as well. The intervals, and what
 * is trained, are the same every time. options->join: other processes, of this machine or of others that see
 * options->output, may forecast along; each receives all figures, one of them writes. Statuses as forecast_train's. */
TIDE_API tide_status forecast_backtest(const forecast_options *options, forecast_progress progress, void *user,
                                       forecast_result *result, tide_failure *failure);

/* The same of a model and rows in memory: the rows of `series` are what options->data would hold, options->model, data
 * and output are "", and result->backtest->rows has what the CSV would say. A clone of the model computes, on its own
 * device, while others use it; one that is trained anew goes by options->device and threads.
 *   recipe  JSON with the member "options", those that the model was trained with: forecast_trainer_recipe, or the
 *           text of a run.json. Only options->refit_every needs it; NULL: it is not known */
TIDE_API tide_status forecast_model_backtest(const forecast_model *m, const char *recipe, const tide_frame *series,
                                             const forecast_options *options, forecast_progress progress, void *user,
                                             forecast_result *result, tide_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
