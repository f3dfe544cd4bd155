/* A run, or the baselines alone, on the test windows of a file: what forecast_evaluate scores, and what an explanation
 * goes on from. */
#ifndef FORECAST_EVALUATION_H
#define FORECAST_EVALUATION_H

#include "forecast/fit/calibrate.h"
#include "forecast/report/report.h"
#include "forecast/saved/handle.h"
#include "tested.h"

typedef struct evaluation {
    forecast_options *options;
    unsigned        compat;
    listener        listener;
    tested_memory   memory;
    forecast_model *run;     /* NULL: the baselines alone */
    const bundle   *bundle;  /* the run's */
    dataset         data;
    scoring         scoring;
    score_pair      model;
    baseline_parts  baselines;
    band_tables     own;        /* without a run: the baselines', calibrated here */
    interval_run    intervals;
    error_parts     parts;
    char            path[FOLDER_PATH];
} evaluation;

/* Of e->options (resolved), e->memory and e->listener, all else zero: reads, scores, and fills all of *r but its
 * texts. */
tide_status evaluation_score(evaluation *e, forecast_result *r, tide_failure *failure);
void        evaluation_free(evaluation *e);

#endif
