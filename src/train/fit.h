/* Training, the same for every model: a loop over epochs and steps that keeps the best parameters, stops when nothing
 * more is learned, when the time is over or when it is told to, and goes on from a checkpoint to the same bits.
 *
 *   fit *f;
 *   fit_new(&model, &plan, folder, listener, user, &f, &failure);     folder NULL: in memory, without checkpoints
 *   fit_run(f, 0, &failure);                                           to the end; 10: at most ten steps
 *   fit_free(f);
 *
 * A model brings its step, its batches, how it is validated and saved, and its columns of metrics.csv.
 *
 * With ranks (train_rule.ranks) all call the same functions. Rank 0 alone has a folder, and its clock decides; it tells
 * the others where the run stands when it begins. What fails on one ends it for all; a wish to stop, on any, stops all
 * after the step that they are at then. */
#ifndef TIDE_TRAIN_FIT_H
#define TIDE_TRAIN_FIT_H

#include "run.h"
#include "step.h"

/* What a checkpoint holds besides the variables. */
typedef struct fit_progress {
    int64_t epoch, batch, step;             /* epoch: being trained, 1-based; steps of it, and in all, that are done */
    int64_t planned;                        /* steps of the whole schedule; 0: not laid out yet */
    int64_t best_epoch, worse;              /* worse: epochs since */
    int64_t metrics_bytes;                  /* length of metrics.csv that belongs to this state */
    int64_t finished;                       /* 1: training is over */
    double  best;                           /* lowest validation loss; infinity before the first */
    double  seconds, train_seconds, epoch_seconds;  /* in all, when saved; in steps; in those of this epoch */
    double  loss_sum, metric_sum, norm_sum; /* over this epoch's steps */
    double  train_loss, train_metric, val_loss, val_metric;  /* of the last epoch */
} fit_progress;

/* Where training is: before the step number `step` (from 0), which is `batch` (from 0) of the epoch. */
typedef struct fit_place {
    int64_t epoch, epochs, batch, batches;  /* epoch: 1-based; epochs: planned, 0: until the time is over */
    int64_t step, steps;                    /* steps: of the whole schedule */
    double  share;                          /* how far it has come, 0..1: by steps, or by the clock if that is further
                                               and the plan says so */
} fit_place;

/* A row of metrics.csv by what it says. */
typedef enum fit_value {
    FIT_EPOCH, FIT_STEP,
    FIT_LR,                                 /* of the epoch's last step */
    FIT_TRAIN_LOSS, FIT_VAL_LOSS, FIT_TRAIN_METRIC, FIT_VAL_METRIC,
    FIT_POSSIBLE,                           /* the best metric there can be; NaN: not known */
    FIT_GRAD_NORM,
    FIT_SECONDS, FIT_ELAPSED,               /* in this epoch's steps; in all */
    FIT_RSS, FIT_VALUES
} fit_value;
/* With a loss scaler every row ends with loss_scale and skipped_steps. */
typedef struct fit_column { const char *name; fit_value value; } fit_column;

typedef struct fit_model {
    void       *user;
    train_step *step;
    /* The learning rate of the step at `at`. */
    double      (*rate)(void *user, const fit_place *at);
    /* Before the first step of an epoch that this process takes, such as to shuffle; NULL: nothing to do. */
    tide_status (*enter)(void *user, const fit_place *at, tide_failure *failure);
    /* Fills *count feeds, at most TRAIN_FEEDS, which hold until the next call. */
    tide_status (*batch)(void *user, const fit_place *at, train_feed *feeds, int *count, tide_failure *failure);
    /* At the end of an epoch, `at` the next step: sets FIT_VAL_LOSS, may set anything else of the row. TIDE_ECANCELLED:
     * it was stopped, and is asked again when the run goes on. NULL: there is no best epoch, and the last parameters
     * stay. */
    tide_status (*validate)(void *user, const fit_place *at, double row[FIT_VALUES], tide_failure *failure);
    bool        validate_divides;           /* of ranks all are to call it, each does its share; else rank 0 alone */
    /* Writes what answers are made with, from the best parameters, into the run's folder. NULL without one. */
    tide_status (*save)(void *user, const tide_snapshot_t *best, tide_failure *failure);
    const fit_column *columns;
    int               column_count;
} fit_model;

typedef struct fit_plan {
    int64_t batches;                        /* steps an epoch */
    int64_t epochs;                         /* 0, by the clock: until the time is over */
    int64_t patience, min_epochs;           /* epochs without a better validation loss before it ends, 0: any number;
                                               not before this epoch */
    double  max_minutes;                    /* 0: no limit. The schedule is laid out to end within it */
    bool    by_clock;                       /* the schedule follows the clock, for steps that cannot be timed
                                               beforehand; fit_place.share is what a rate should go by */
    bool    equal_is_better;                /* of two epochs with the same validation loss the later is kept */
    double  began;                          /* os_seconds() when the time began to run; 0: now */
    const char *resume;                     /* what resumes it, "`resume` auto"; NULL: not said */
} fit_plan;

/* After each step (row NULL), of steps that a device queues later and several at once; and after each epoch (validated
 * and saved). */
typedef struct fit_event {
    fit_place at;                           /* batch, step: that are done */
    const double *row;                      /* of the epoch; valid during the call */
    double  loss, metric, grad_norm, lr;    /* of the step */
    double  mean_loss, mean_metric;         /* of the epoch so far */
    double  step_s;                         /* what the step took; of steps told at once their mean */
    double  seconds, seconds_left, steps_per_s;  /* seconds: in all; steps_per_s: of this process, all included */
    double  rss_mib;                        /* resident memory within the last second */
    bool    best;                           /* the epoch is the best so far */
} fit_event;
/* Non-zero stops, when what was queued is done: with a checkpoint written, fit_run returns TIDE_ECANCELLED. */
typedef int (*fit_listener)(void *user, const fit_event *event);

typedef struct fit fit;

/* Takes up the checkpoint if the folder is resuming. The model's pointers, `folder` and its lock stay the caller's. */
tide_status fit_new(const fit_model *model, const fit_plan *plan, run_folder *folder, fit_listener listener, void *user,
                    fit **out, tide_failure *failure);
/* Takes steps, at most `steps` (0: any number), closing epochs on the way; nothing where training is over. At the end
 * the best parameters are in place. TIDE_ECANCELLED where it was stopped: the next call goes on. TIDE_EINVAL where the
 * validation loss was never a number. */
tide_status fit_run(fit *f, int64_t steps, tide_failure *failure);
/* Ends training where it is: what was learned of an epoch is judged, then the best parameters are in place. Nothing
 * where it is over. */
tide_status fit_end(fit *f, tide_failure *failure);
/* A checkpoint now; nothing in memory. */
tide_status fit_save(fit *f, tide_failure *failure);
/* Stops fit_run after the step it is at. From any thread, or a signal's handler. */
void        fit_cancel(fit *f);
void        fit_free(fit *f);

const fit_progress    *fit_at(const fit *f);
fit_place              fit_place_now(const fit *f);
const tide_snapshot_t *fit_best(const fit *f);      /* NULL: none yet */
bool                   fit_diverged(const fit *f);  /* it ended because the validation loss was no number */

/* Of this process. */
typedef struct fit_account {
    int64_t resumed_from, steps;            /* step it began at; steps it took */
    double  step_seconds, seconds;          /* in those; since the plan began */
    double  elapsed;                        /* seconds in all, those of earlier processes included */
} fit_account;
fit_account fit_account_of(const fit *f);

#endif
