/* Prediction intervals of the model and of the baselines: calibrated on the windows of validation, measured on those of
 * the test. */
#ifndef FORECAST_CALIBRATE_H
#define FORECAST_CALIBRATE_H

#include "forecast/options/levels.h"
#include "forecast/score/intervals.h"
#include "scoring.h"
#include "sum_run.h"

/* What `d` holds before the forecast of the window that begins at row `first`. */
look_back look_back_of(const dataset *d, int64_t first, int64_t seq_len);
/* Empty tables for what `d` forecasts. */
tide_status bands_open(const dataset *d, int64_t pred_len, band_tables *out, tide_failure *failure);
/* Forecasts the windows of `validation` and fills the tables of the model, or of the baselines that are made. One whose
 * forecasts there are not finite, or whose season begins before the file, is left without. */
tide_status calibrate_model(const scoring *validation, window_program *p, band_tables *out, tide_failure *failure);
tide_status calibrate_baselines(const scoring *validation, const baseline_parts *baselines, band_tables *out,
                                tide_failure *failure);

/* Says from which step on a level, the highest that is asked for, is beyond what the windows of validation can vouch
 * for; nothing where there is none. */
void tell_reach(const listener *l, const band_tables *b, int forecaster, double highest);

/* The intervals of a scoring in the making. */
typedef struct interval_run {
    float           *scale;                /* (windows, columns) */
    interval_scores *of[FORECASTERS];
    window_watch     watch[FORECASTERS];
    sum_run          sums;                 /* of the model */
    char *const     *names;                /* (columns) of what is forecast */
} interval_run;
/* Has `w` watched for every forecaster whose table is there; call it again when there are more. */
tide_status interval_run_watch(interval_run *r, scoring *w, const band_tables *b, const levels *l,
                               tide_failure *failure);
/* Has the model's sums measured beside them, where the options ask for it: after it is watched, with the same
 * tables. */
tide_status interval_run_sums(interval_run *r, const forecast_options *o, const scoring *w, const band_tables *b,
                              const levels *l, tide_failure *failure);
/* Into result->intervals and sums. */
tide_status interval_run_end(const interval_run *r, forecast_result *result, tide_failure *failure);
void        interval_run_free(interval_run *r);

/* The test windows of `w`, with intervals that are calibrated on those of validation: the tables go to `bands`. `p` was
 * made for `w`. */
typedef struct full_scores {
    score_pair     model;
    baseline_parts baselines;
    interval_run   intervals;
} full_scores;
tide_status full_scores_take(const forecast_options *o, scoring *w, window_program *p, band_tables *bands,
                             full_scores *out, tide_failure *failure);
void        full_scores_free(full_scores *s);

#endif
