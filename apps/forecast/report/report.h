/* Results as JSON and as plots. */
#ifndef FORECAST_REPORT_H
#define FORECAST_REPORT_H

#include "forecast/saved/bundle.h"
#include "draw/plot.h"
#include "forecast/fit/run_folder.h"
#include "forecast/fit/scoring.h"

/* Errors by horizon step and by column, for JSON and the horizon plot. NULL arrays: absent. */
typedef struct error_parts {
    double *step_mse, *step_mae, *column_mse, *column_mae;
    int64_t steps, columns;
} error_parts;
bool error_parts_new(const score *s, int64_t steps, int64_t columns, error_parts *out);
void error_parts_free(error_parts *p);

/* result->json of a command; parts (scaled, for its horizon) may be NULL. */
tide_status report_json(const char *command, forecast_result *r, const error_parts *parts, tide_failure *failure);

/* Fills in the run, what it is computed on, and its sizes. */
void report_setup(const char *run, const session *s, int64_t columns, forecast_result *r);

/* Fills r->baselines and r->beaten from r->model, and warns when the model is not the best. */
void report_baselines(forecast_result *r, const baseline_parts *parts, bool metrics_scaled, const listener *l);

/* Fills r->by_column for the scored columns of d; model NULL: baselines alone. */
tide_status report_columns(forecast_result *r, const dataset *d, const score_pair *model,
                           const baseline_parts *baselines, tide_failure *failure);
/* While gnuplot draws, the listener is asked (FORECAST_STAGE_DRAW) and told of a gnuplot that does not work. Borrows
 * `l`. */
plot_watch report_watch(const listener *l);

/* loss.svg: training and validation loss by epoch, from metrics.csv. */
tide_status plot_losses(const run_folder *r, int64_t best_epoch, plot_watch *watch, tide_failure *failure);
/* horizon.svg: error by horizon step, the model beside the baselines. */
tide_status plot_horizon(const char *folder, const score *model, const baseline_parts *baselines, int64_t steps,
                         int64_t columns, plot_watch *watch,
                         tide_failure *failure);
struct forecast_backtest_rows;
void backtest_rows_free(struct forecast_backtest_rows *rows);  /* NULL is fine */

/* A look-back of one column, then its forecast and, if truth is not NULL, what came. All in original units. time
 * (seq_len + pred_len) may be NULL; it is shown by a clock that is offset_s ahead. */
typedef struct forecast_curve {
    const char   *title, *column;
    const double *past, *forecast, *truth;
    const int64_t *time;
    int64_t       offset_s, seq_len, pred_len;
    const double *levels, *bands;   /* (level_count), ascending; (pred_len, level_count, 2) lower and upper bounds */
    int64_t       level_count;
    const double *baselines[3];     /* last value, seasonal naive, linear, (pred_len) each; NULL: not shown */
} forecast_curve;
tide_status plot_curve(const char *svg_path, const forecast_curve *c, plot_watch *watch, tide_failure *failure);

/* "a test window of COLUMN" of a trained model, as sample.svg in the folder. */
tide_status plot_sample(const char *folder, const dataset *d, const bundle *b, window_program *p, int64_t first_row,
                        plot_watch *watch,
                        tide_failure *failure);

#endif
