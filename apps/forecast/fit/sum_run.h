/* --sum and --sum-horizon where they are measured: the sums of a file's columns, and who looks on as windows are
 * forecast. */
#ifndef FORECAST_SUM_RUN_H
#define FORECAST_SUM_RUN_H

#include "forecast/options/levels.h"
#include "forecast/score/sum_scores.h"
#include "scoring.h"

/* Zero: nothing is measured. */
typedef struct sum_run {
    hierarchy  h;
    path_maker maker;   /* of the model's tables; in a backtest of whoever answers */
    sum_scores scores;
} sum_run;

/* Are there sums to measure? */
bool        sum_run_asked(const forecast_options *o);
/* The sums of what `d` forecasts, refused where they are none: asked before anything is computed. */
tide_status sum_run_check(const forecast_options *o, const dataset *d, tide_failure *failure);
/* Of `windows` windows, whose rows `first` .. first + count - 1 of the horizon count. */
tide_status sum_run_open(sum_run *r, const forecast_options *o, const dataset *d, const levels *l, int64_t pred_len,
                         int64_t first, int64_t count, int64_t windows, tide_failure *failure);
/* What paths are made with; `b` is borrowed. That they cannot be is told, and nothing is measured. */
tide_status sum_run_paths(sum_run *r, const band_tables *b, const listener *l, tide_failure *failure);
/* As a window_watch sees them; `scale` (all windows, columns). */
void        sum_run_see(sum_run *r, int64_t at, int64_t count, const seen_windows *seen, const float *scale);
void        sum_run_free(sum_run *r);

#endif
