/* A training run in progress. */
#ifndef FORECAST_TRAINER_H
#define FORECAST_TRAINER_H

#include "forecast/fit/resolve.h"
#include "forecast/fit/run_folder.h"
#include "forecast/report/report.h"
#include "train/fit.h"

typedef struct trainer {
    const forecast_options *options;  /* resolved */
    unsigned         compat;
    listener         listener;
    dataset          data;
    model_config     config;
    session          session;
    bundle           bundle;
    run_folder       folder;
    train_step       step;
    window_program   validate;
    fit             *fit;                /* NULL before trainer_run */
    int32_t         *order, *val_order;  /* windows of the epoch */
    int64_t          windows, batches, val_windows, val_used;
    float           *step_ms;            /* of the steps of this process */
    int64_t          timed, timed_room;
    double           first_step_ms;
    int64_t          asked_batch;        /* lowered by --auto-batch to what fits; 0: not lowered */
    int64_t          steps_before;       /* a refit: those of the training */
    int64_t          rate_epochs;        /* epochs that the rates fall over; 0: those that are trained */
} trainer;

/* Trains to the last epoch or to the early stop, saving as it goes; then the best parameters are in place. */
tide_status trainer_run(trainer *t, tide_failure *failure);

/* The model as src/train trains it, and its events as the forecaster's. */
fit_model trainer_model(trainer *t);
int       trainer_hear(void *user, const fit_event *e);

block trainer_stop_block(const trainer *t);  /* the windows that choose the best epoch */

#endif
