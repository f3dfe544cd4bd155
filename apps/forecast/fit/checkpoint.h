/* state.safetensors: everything a resumed run needs to give the same bits. Its rename is the commit of a checkpoint. */
#ifndef FORECAST_CHECKPOINT_H
#define FORECAST_CHECKPOINT_H

#include "run_folder.h"
#include "session.h"

typedef struct progress_state {
    int64_t epoch;         /* being trained, 1-based */
    int64_t batch;         /* steps of it that are done */
    int64_t step;          /* all steps done */
    double  loss_sum, norm_sum;       /* over this epoch's steps */
    double  best;                     /* lowest validation loss; infinity before the first */
    int64_t best_epoch, worse;        /* worse: epochs since */
    double  epoch_seconds, train_seconds;  /* of this epoch; of training steps in all */
    int64_t metrics_bytes;            /* length of metrics.csv that belongs to this state */
    int64_t finished;                 /* 1: training is over */
} progress_state;

/* Writes the variables, the best parameters (best NULL: none yet) and the counters. */
tide_status checkpoint_write(const run_folder *r, const session *s, const tide_snapshot_t *best, progress_state *at,
                             tide_failure *failure);

/* Puts the variables back and takes a snapshot of the best parameters (*best NULL: none yet). *found is false when
 * there is no checkpoint yet. Counters that cannot be in a run of so many epochs and steps an epoch are TIDE_EDATA. */
tide_status checkpoint_read(const run_folder *r, session *s, int64_t epochs, int64_t batches, tide_snapshot_t **best,
                            progress_state *at, bool *found,
                            tide_failure *failure);

#endif
