/* A training run in progress. */
#ifndef FORECAST_TRAINER_H
#define FORECAST_TRAINER_H

#include "forecast/fit/checkpoint.h"
#include "forecast/report/report.h"
#include "forecast/fit/resolve.h"

typedef struct trainer {
    const forecast_options *options;  /* resolved */
    unsigned         compat;
    listener         listener;
    dataset          data;
    model_config     config;
    session          session;
    bundle           bundle;
    run_folder       folder;
    window_program   step, validate;
    progress_state   at;
    tide_snapshot_t *best;
    int32_t         *order, *val_order;  /* windows of the epoch */
    int64_t          windows, batches, val_windows, val_used;
    int64_t          resumed_from;
    float           *step_ms;            /* of the steps of this process */
    int64_t          timed, timed_room;
    double           first_step_ms;
    int64_t          asked_batch;        /* lowered by --auto-batch to what fits; 0: not lowered */
    bool             diverged;           /* the last validation loss is not a number */
    int64_t          refitting;          /* epochs of the refit; 0: this is the training */
    bool             best_unsaved;       /* the best parameters are newer than model.safetensors */
    double           save_seconds;       /* what the last save took; 0: none yet */
    double           last_save, began;   /* began: the first step of this process */
} trainer;

/* Trains to the last epoch or to the early stop, saving as it goes; then the best parameters are in place. */
tide_status trainer_run(trainer *t, tide_failure *failure);

/* The steps of epoch t->at.epoch that are not done yet, at its rate and in its order. */
tide_status trainer_epoch(trainer *t, tide_failure *failure);

block trainer_stop_block(const trainer *t);  /* the windows that choose the best epoch */

#endif
