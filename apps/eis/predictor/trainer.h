/* A spectrum predictor's training in progress. */
#ifndef EIS_SPECTRUM_TRAINER_H
#define EIS_SPECTRUM_TRAINER_H

#include "eis/training/log.h"
#include "model.h"
#include "step.h"

/* What a checkpoint holds besides the variables. */
typedef struct spectrum_progress {
    int64_t step, epoch, epoch_steps;      /* done; epoch: being trained, 1-based */
    int64_t best_epoch, metrics_bytes, finished;
    double  best, seconds;                 /* lowest validation loss; spent in all */
    double  loss_sum, hits_sum, norm_sum;  /* over this epoch's steps */
    double  train_loss, train_acc, val_loss, val_acc;  /* of the last epoch */
} spectrum_progress;

enum { VALIDATION_BATCHES = 4, STEPS_WITHOUT_END = INT32_MAX };

typedef struct spectrum_trainer {
    const eis_options *options;
    eis_listener       listener;
    void              *user;
    spectrum_settings  settings;
    spectrum_session   session;
    spectrum_model     model;
    run_folder         folder;
    pool               pool;
    batch              batch, validation[VALIDATION_BATCHES];
    const float      **row;
    spectrum_progress  at;
    tide_snapshot_t   *best;
    int64_t            epochs, steps;              /* planned; epochs 0 and steps without end: until the time is over */
    int64_t            round, round_steps;         /* round: whose rows are in the pool, -1 before the first */
    double             rate, limit_s, ceiling;     /* ceiling: accuracy that is possible, NaN if not known */
    double             began, before;              /* clock at the start, seconds spent by earlier processes */
    double             last_save, last_tell, step_seconds;
    int64_t            own_steps;                  /* of this process */
} spectrum_trainer;

/* ---- spectrum_trainer.c ---- */

tide_status trainer_tell(const spectrum_trainer *t, eis_tone tone, const char *message, tide_failure *failure);
double      trainer_elapsed(const spectrum_trainer *t);
/* Takes up the last checkpoint. */
tide_status trainer_resume(spectrum_trainer *t, tide_failure *failure);
/* Makes the spectra that the next step draws from. */
tide_status trainer_enter_round(spectrum_trainer *t, tide_failure *failure);
/* Trains to the end, saving as it goes. */
tide_status spectrum_trainer_run(spectrum_trainer *t, tide_failure *failure);
tide_status trainer_save_model(const spectrum_trainer *t, tide_failure *failure);

/* ---- spectrum_report.c ---- */

json_t     *spectrum_description(const spectrum_trainer *t);  /* what identifies the run; NULL: out of memory */
tide_status spectrum_report(const spectrum_trainer *t, eis_result *result, tide_failure *failure);

#endif
