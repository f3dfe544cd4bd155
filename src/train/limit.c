#include <math.h>

#include "base/base.h"
#include "fit_parts.h"

enum { TIMED_STEPS = 20 };
static const double SHARE_OF_LIMIT = 0.9;

/* The least seconds of a first step, again and again. */
static tide_status time_steps(fit *f, double *step, tide_failure *failure) {
    fit_place    at     = fit_place_now(f);
    tide_status  status = TIDE_OK;
    train_feed   feeds[TRAIN_FEEDS];
    train_result ignored;
    *step = (double)INFINITY;
    for (int i = 0; status == TIDE_OK && i < TIMED_STEPS; i++) {
        int    count = 0;
        double began = os_seconds();
        status       = f->model.batch(f->model.user, &at, feeds, &count, failure);
        fit_begin_word(f);
        status = status == TIDE_OK ? train_step_run(f->model.step, feeds, count, &ignored, failure)
                                   : fit_meet(f, status, failure);
        *step = fmin(*step, os_seconds() - began);
    }
    return status;
}

/* Seconds of a step and of a validation. All variables are put back. */
static tide_status time_work(fit *f, double *step, double *validation, tide_failure *failure) {
    double           row[FIT_VALUES];
    fit_place        at     = fit_place_now(f);
    tide_snapshot_t *before = tide_snapshot(tide_state(f->model.step->graph, ""));
    if (!before) return train_unread(f->model.step->graph, "the training run", failure);
    tide_status status = time_steps(f, step, failure);
    double      began  = os_seconds();
    if (status == TIDE_OK && f->model.validate) status = fit_validate(f, &at, row, failure);
    *validation = os_seconds() - began;
    if (status == TIDE_OK && tide_restore(before) != TIDE_OK)
        status = train_unread(f->model.step->graph, "the training run", failure);
    tide_snapshot_free(before);
    return status;
}

/* As many whole epochs as fit into the time, at most all; less than one if not even one does. Of ranks rank 0's say. */
tide_status fit_lay_out(fit *f, tide_failure *failure) {
    double      step = 0, validation = 0, batches = (double)f->plan.batches;
    tide_status status = time_work(f, &step, &validation, failure);
    double left  = SHARE_OF_LIMIT * 60 * f->plan.max_minutes - fit_elapsed(f) - 2 * validation,
           epoch = batches * step + validation;
    if (left < epoch) f->at.planned = MAX2(1, (int64_t)fmin(left / step, batches));
    else f->at.planned = (int64_t)fmin((double)f->plan.epochs, floor(left / epoch)) * f->plan.batches;
    status = fit_meet(f, status, failure);
    return status == TIDE_OK ? ranks_tell(fit_ranks(f), &f->at.planned, sizeof f->at.planned, failure) : status;
}
