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
    bool             wish, stop;           /* of ranks: to stop, asked for here; agreed on by all */
    bool             parted;               /* ... and acted on: all return from the loop at this step */
    double           clock, looked_at;     /* of ranks: rank 0's elapsed seconds at the last meeting; when queued steps
                                              were looked at last */
    rank_word        word;                 /* of a meeting */
    fit_account      account;
    int              unread, window;       /* steps that were queued and nobody has looked at; how many may be */
    double           unread_seconds, unread_rate[TRAIN_LOG];  /* what they took, and their rates */
    double           before;               /* seconds of earlier processes */
    double           loop_began, last_save, save_seconds, rss_at, rss_mib;
};

double    fit_elapsed(const fit *f);
double    fit_clock(const fit *f);     /* seconds that decisions go by: the same on all ranks */
static inline ranks *fit_ranks(const fit *f) { return f->model.step->rule.ranks; }
fit_place fit_place_at(const fit *f, int64_t step);

/* checkpoint.c: metrics.csv has been appended and synced before, state.safetensors commits, the model follows. */
tide_status checkpoint_write(fit *f, tide_failure *failure);
tide_status checkpoint_read(fit *f, tide_failure *failure);

/* What is in a checkpoint. */
tide_status checkpoint_variables(const fit *f, tide_list *out, tide_failure *failure);

/* fit_ranks.c. A meeting of all ranks: how it went here, what is wished, what time it is. Alone TIDE_OK or `mine`. */
tide_status fit_meet(fit *f, tide_status mine, tide_failure *failure);
void        fit_begin_word(fit *f);
void        fit_take_word(fit *f);
/* Rank 0's state of the run, all variables among it, on all. */
tide_status fit_share(fit *f, tide_failure *failure);
/* TIDE_EIO where a rank's parameters are not those of rank 0. */
tide_status fit_compare(fit *f, tide_failure *failure);
/* Validates, at rank 0 or with the work divided; all have its row. TIDE_ECANCELLED: it was stopped, on all. */
tide_status fit_validate(fit *f, const fit_place *at, double row[FIT_VALUES], tide_failure *failure);

/* log.c */
tide_status fit_log(fit *f, const double row[FIT_VALUES], tide_failure *failure);

/* limit.c: sets at.planned. */
tide_status fit_lay_out(fit *f, tide_failure *failure);

#endif
