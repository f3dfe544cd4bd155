/* What the parts of fit show each other. */
#ifndef TIDE_TRAIN_FIT_PARTS_H
#define TIDE_TRAIN_FIT_PARTS_H

#include <stdatomic.h>

#include "fit.h"

struct fit {
    fit_model        model;
    fit_plan         plan;
    run_folder      *folder;               /* NULL: in memory */
    fit_listener     listener;
    void            *user;
    fit_progress     at;
    tide_snapshot_t *best;
    int64_t          entered;              /* epoch that the model was told of */
    bool             started, diverged;
    bool             best_unsaved;         /* the best parameters are newer than the model's file */
    atomic_bool      cancelled;
    fit_account      account;
    int              unread, window;       /* steps that were queued and nobody has looked at; how many may be */
    double           unread_seconds, unread_rate[TRAIN_LOG];  /* what they took, and their rates */
    double           before;               /* seconds of earlier processes */
    double           loop_began, last_save, save_seconds, rss_at, rss_mib;
};

double    fit_elapsed(const fit *f);
fit_place fit_place_at(const fit *f, int64_t step);

/* checkpoint.c: metrics.csv has been appended and synced before, state.safetensors commits, the model follows. */
tide_status checkpoint_write(fit *f, tide_failure *failure);
tide_status checkpoint_read(fit *f, tide_failure *failure);

/* log.c */
tide_status fit_log(fit *f, const double row[FIT_VALUES], tide_failure *failure);

/* limit.c: sets at.planned. */
tide_status fit_lay_out(fit *f, tide_failure *failure);

#endif
