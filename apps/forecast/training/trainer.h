/* A training run in progress: the public handle (tidemill/forecast.h) from the inside. */
#ifndef FORECAST_TRAINER_H
#define FORECAST_TRAINER_H

#include <stdatomic.h>
#include <tidemill/io.h>

#include "forecast/fit/resolve.h"
#include "forecast/fit/run_folder.h"
#include "forecast/report/report.h"
#include "train/device.h"
#include "train/fit.h"
#include "train/team.h"

typedef struct forecast_trainer {
    const forecast_options *options;     /* resolved */
    unsigned          compat;
    forecast_progress progress;          /* the caller's; NULL */
    void             *user;
    atomic_bool       cancelled;
    listener          listener;          /* what everything is told to: `progress`, unless it was cancelled */
    memory_sample     memory;
    dataset           data;
    model_config      config;
    session           session;
    bundle            bundle;
    run_folder        folder;            /* path "": in memory, without files */
    train_step        step;
    window_program    validate;
    fit              *fit;               /* NULL: the network is solved, without steps */
    struct ensemble_training *ensemble;  /* of `arch` auto; NULL */
    double            solved_loss;       /* of the validation windows, then */
    int32_t          *order, *val_order; /* windows of the epoch */
    window_set        learned;           /* the windows that steps are taken on */
    int64_t           windows, batches, val_windows, val_used;  /* windows: learned.count */
    float            *step_ms;           /* of the steps of this process */
    int64_t           timed, timed_room;
    double            first_step_ms;
    train_device_choice device;          /* of --device auto */
    ranks            *ranks;             /* who trains along; NULL: alone */
    train_team       *team;              /* the others, where they are threads of this process; NULL */
    struct parent    *parent;            /* of `from`; NULL: none, or it is not needed any more */
    first_model       from;              /* its file */
    double            first_loss;        /* of the validation windows before the first step, with `from`; else NaN */
    int64_t           asked_batch;       /* lowered by --auto-batch to what fits; 0: not lowered */
    int64_t           steps_before;      /* a refit: those of the training */
    int64_t           rate_epochs;       /* epochs that the rates fall over; 0: those that are trained */
    forecast_result   explained;         /* the step's page, until a result takes it */
    void             *scored;            /* the model as it was scored, while a refit is not through */
    size_t            scored_size;
    bool              ended;             /* scored: there is nothing more to do */
} trainer;

/* What both doors open: `from` NULL reads options->data. `in_folder` makes a run folder whatever options->out says,
 * as the command does; else "" is a training in memory. */
tide_status trainer_open(const forecast_options *options, const tide_frame *from, bool in_folder,
                         forecast_progress progress, void *user, trainer **out, tide_failure *failure);

/* The same of options that are resolved, which become the trainer's. */
tide_status trainer_start(forecast_options *resolved, unsigned compat, const tide_frame *from, bool in_folder,
                          forecast_progress progress, void *user, trainer **out, tide_failure *failure);
/* ranks.c: on several devices. */
tide_status trainer_start_on(const train_devices *d, forecast_options *resolved, unsigned compat,
                             const tide_frame *from, bool in_folder, forecast_progress progress, void *user,
                             trainer **out, tide_failure *failure);
/* The run's folder, unless the training is in memory, for so many parameters and with what `g` has chosen by timing. */
tide_status trainer_folder(trainer *t, bool in_folder, int64_t parameters, const tide_graph *g,
                           tide_failure *failure);

/* ranks.c: those that were started with this one, if the options want them; `o` becomes rank 0's. A meeting: how it
 * went here, and that all have the same. The same device. */
tide_status trainer_join(trainer *t, forecast_options *o, tide_failure *failure);
tide_status trainer_meet(trainer *t, tide_status mine, tide_failure *failure);
/* How rank 0's scoring went, which processes wait for; threads of a team wait to be called. */
tide_status trainer_part(trainer *t, tide_status mine, tide_failure *failure);
tide_status trainer_same_device(trainer *t, forecast_options *o, tide_status mine, tide_failure *failure);

/* device.c: an `auto` of the options becomes the device that it means, once the sizes are set. */
tide_status trainer_device(trainer *t, forecast_options *o, tide_failure *failure);

/* programs.c: sizes that are open set, the step and the validation compiled. `o` is the trainer's own. */
tide_status trainer_compile(trainer *t, forecast_options *o, tide_failure *failure);

/* tell.c. Checking the folder of passes comes before a run of before is taken away: `only_check`. */
tide_status trainer_show_passes(const trainer *t, bool only_check, tide_failure *failure);
void        trainer_tell_data(const trainer *t);
tide_status trainer_tell(trainer *t, tide_failure *failure);

/* The first parameters are those in `a`; gap embeddings that it lacks, which say nothing at first, stay as they are. */
tide_status trainer_put_parameters(trainer *t, const tide_archive *a, tide_failure *failure);

/* learn.c: makes t->fit, or solves what is solved. Training runs to the last epoch or to the early stop, saving as it
 * goes; then the best parameters are in place. `steps` as for fit_run. */
tide_status trainer_begin(trainer *t, tide_failure *failure);
tide_status trainer_learn(trainer *t, int64_t steps, tide_failure *failure);
/* The loss of the validation windows of what was solved. */
tide_status trainer_measure(trainer *t, tide_failure *failure);
/* The model as src/train trains it, and its events as the forecaster's. */
fit_model   trainer_model(trainer *t);
int         trainer_hear(void *user, const fit_event *e);
window_set  trainer_stop_windows(const trainer *t);  /* those that choose the best epoch */
/* model.safetensors into the run's folder, from `best`, or from the parameters as they are; in memory nothing. */
tide_status trainer_write_model(const trainer *t, const tide_snapshot_t *best, tide_failure *failure);

/* score.c: what is known of the training so far; and the test windows scored, plots, the record, a refit. */
void        trainer_fill(trainer *t, forecast_result *r);
window_set  trainer_test_windows(const trainer *t);
tide_status trainer_score(trainer *t, forecast_result *r, tide_failure *failure);
/* Learns to the end, fills and scores; frees the trainer in any case. */
tide_status trainer_finish(trainer *t, forecast_result *r, tide_failure *failure);

static inline bool trainer_solved(const trainer *t) {
    return forecaster_solved(t->config.arch, t->config.head);
}
static inline const tide_snapshot_t *trainer_best(const trainer *t) { return t->fit ? fit_best(t->fit) : NULL; }
static inline bool trainer_in_memory(const trainer *t) { return !*t->folder.path; }

#endif
