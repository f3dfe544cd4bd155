/* Scores of forecasts, and the baselines that every model is printed beside. */
#ifndef FORECAST_SCORE_H
#define FORECAST_SCORE_H

#include "forecast/data/windows.h"

/* Sums in double over windows given one batch at a time, so memory does not grow with the number of windows.
 * All arrays are (windows, pred_len, columns); a truth that is NaN is not known, and left out of all means. */
typedef struct score score;
score *score_new(int64_t pred_len, int64_t columns);   /* NULL: out of memory */
void   score_add(score *s, const float *prediction, const float *truth, int64_t windows);
/* How many differences between rows one after the other there are, each counted once; else those of windows in each
 * row. */
void   score_differences(score *s, int64_t differences);
void   score_free(score *s);

typedef struct score_result {
    int64_t windows, columns;
    double mse, mae, rmse;
    /* Percent. mape, mspe: means of |e/truth| and (e/truth)^2 over |truth| > 1e-8; smape: of 200 |e| / (|prediction| +
     * |truth|), 0/0 as 0; wape: sum |e| / sum |truth|. NaN where nothing is left to average. */
    double mape, mspe, smape, wape;
    int64_t mape_left_out;       /* truths that mape and mspe leave out */
    /* Shares in 0..1, NaN without a difference. A difference of zero is a sign of its own. */
    double direction;            /* of equal signs of consecutive differences along the horizon */
    double direction_majority;   /* of the most frequent sign of the truth: what always guessing it would score */
    /* 95 % binomial (Wilson) interval of `direction`, counting each true difference once: overlapping windows repeat
     * it. */
    double direction_low, direction_high;
    double direction_across;     /* the Mac guide's: consecutive windows at the same horizon step */
} score_result;
score_result score_total(const score *s);
/* mse and mae of each horizon step (pred_len each) and of each column (columns each). Any pointer may be NULL. */
void score_parts(const score *s, double *step_mse, double *step_mae, double *column_mse, double *column_mae);

/* Baselines forecast from scaled values, exactly like the model: input window -> (pred_len, columns). */
typedef struct baseline baseline;
baseline *baseline_last_value(void);
/* The values of the last `season` rows before the forecast, repeated. A season longer than the window reads the rows in
 * front of it: the caller sees to it that there are `season` rows before the forecast. */
baseline *baseline_seasonal(int64_t season);
/* Ridge from L to S per series on instance-normalised train windows, shared over the columns first .. first + count - 1
 * (those that are forecast and scored), fitted in f64 to the squared error of the forecast (so a window counts with its
 * variance); strength chosen among 1e-4..1e4 (decades) on validation windows by MSE. NULL with failure set: out of
 * memory, too few windows. */
typedef struct column_range { int64_t columns, first, count; } column_range;  /* of a row's `columns` values */
/* `gapped` NULL, or the same rows with NaN in the gaps that `scaled` has filled: a window counts by the share of its
 * truths that are known. */
baseline *baseline_linear(const float *scaled, const float *gapped, column_range which, window_set train,
                          window_set val, int64_t seq_len, int64_t pred_len, tide_failure *failure);
void baseline_predict(const baseline *b, const float *window, int64_t seq_len, int64_t pred_len, int64_t columns,
                      float *out);
void      baseline_free(baseline *b);
/* The default season in rows: one day from the step, a week for daily, 52 weekly, 12 monthly, 4 quarterly; 0: none. */
int64_t   season_default(time_step step);

#endif
