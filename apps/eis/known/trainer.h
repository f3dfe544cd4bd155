/* A training run in progress, and its report. */
#ifndef EIS_KNOWN_TRAINER_H
#define EIS_KNOWN_TRAINER_H

#include "eis/training/log.h"
#include "model.h"
#include "step.h"
#include "task.h"

/* What a checkpoint holds besides the variables. */
typedef struct known_progress {
    int64_t epoch, batch, step;            /* epoch: being trained, 1-based; steps of it, and in all, that are done */
    int64_t planned;                       /* steps of the whole schedule; 0: not laid out yet */
    int64_t best_epoch, metrics_bytes, finished;
    double  best, seconds, step_seconds, epoch_seconds;  /* best: lowest validation loss; seconds: spent in all, and in
                                                            steps */
    double  loss_sum, hits_sum, norm_sum;  /* over this epoch's steps */
} known_progress;

typedef struct known_trainer {
    const eis_options *options;
    eis_listener     listener;
    void            *user;
    known_task       task;
    known_settings   settings;
    known_session    session;
    run_folder       folder;
    known_progress   at;
    tide_snapshot_t *best;
    bool             model_is_old;         /* the best parameters are newer than model.safetensors */
    int32_t         *order;                /* samples of the epoch */
    int64_t          samples, batches, resumed_from;
    double           rate;
    double           began, before, last_save, last_tell;  /* before: seconds of earlier processes */
    double           own_step_seconds;
} known_trainer;

/* Trains to the end of the schedule, saving as it goes; then the best parameters are in place. */
tide_status known_trainer_run(known_trainer *t, tide_failure *failure);
double      known_trainer_seconds(const known_trainer *t);

/* ---- known_report.c ---- */

/* Scores both validation sets and fills the result. */
tide_status known_report(known_trainer *t, eis_result *result, tide_failure *failure);
/* How good validation was beside how good it could be; why, when they meet and all rows are drawn alike. */
void known_verdict(double accuracy, double possible, bool uniform, char *out, size_t size);

#endif
