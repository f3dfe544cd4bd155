/* Training as a handle, whichever predictor it is of, and tidemill eis train on it. */
#include "train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "auto_size.h"
#include "base/base.h"
#include "eis/known/train.h"
#include "eis/options/arguments.h"
#include "eis/predictor/train.h"
#include "solve.h"

/* ---- the handle ---- */

static tide_status open_one(const eis_options *options, bool in_memory, eis_listener listener, void *user,
                            eis_trainer **out, tide_failure *failure) {
    const training_kind *kind = options->inputs == EIS_INPUTS_KNOWN ? &known_training : &spectrum_training;
    eis_trainer         *t    = *out = calloc(1, kind->size);
    if (!t) return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    t->kind = kind, t->options = *options, t->in_memory = in_memory;
    t->listener = listener, t->user = user;
    t->folder.lock = -1;
    tide_status status = eis_auto_size(&t->options, listener, user, failure);
    t->began = os_seconds();
    if (status == TIDE_OK) status = training_join(t, failure);
    if (status == TIDE_OK) status = kind->open(t, failure);
    status = ranks_meet(t->ranks, status, NULL, failure);
    if (status == TIDE_OK) return TIDE_OK;
    eis_trainer_free(t);
    *out = NULL;
    return status;
}

/* ---- several devices of this machine ---- */

/* Its options as the device's own. */
static tide_status open_on(const eis_options *options, const char *device, bool in_memory, eis_listener listener,
                           void *user, eis_trainer **out, tide_failure *failure) {
    eis_options *o = malloc(sizeof *o);
    if (!o) return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    *o = *options;
    snprintf(o->device, sizeof o->device, "%.*s", (int)sizeof o->device - 1, device);
    tide_status status = open_one(o, in_memory, listener, user, out, failure);
    free(o);
    return status;
}

static tide_status open_member(void *user, const char *device, void **out) {
    eis_trainer *t      = NULL;
    tide_status  status = open_on(user, device, true, NULL, NULL, &t, NULL);
    *out = t;
    return status;
}

static void call_member(void *handle, train_team_call what, int64_t steps) {
    eis_trainer *t = handle;
    if (what == TRAIN_TEAM_FREE) eis_trainer_free(t);
    else eis_trainer_run(t, steps, NULL);
}

static tide_status trainer_open(const eis_options *options, bool in_memory, eis_listener listener, void *user,
                                eis_trainer **out, tide_failure *failure) {
    static const train_team_work work = { open_member, call_member };
    train_devices d;
    train_team   *team   = NULL;
    tide_status   status = train_devices_read(options->device, &d, failure);
    if (status == TIDE_OK) status = train_devices_alone(&d, options->ranks, failure);
    if (status == TIDE_OK) status = train_device_there(d.of[0], failure);
    if (status == TIDE_OK && d.count > 1) status = train_team_new(&d, &work, (void *)options, &team, failure);
    if (status == TIDE_OK) status = open_on(options, d.of[0], in_memory, listener, user, out, failure);
    if (status == TIDE_OK) train_team_end(team), (*out)->team = team;
    else train_team_free(team);
    return status;
}

tide_status eis_trainer_new(const eis_options *options, eis_listener listener, void *user, eis_trainer **out,
                            tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the trainer");
    *out = NULL;
    tide_status status = options_good(options, failure);
    return status == TIDE_OK ? trainer_open(options, !*options->out, listener, user, out, failure) : status;
}

void eis_trainer_free(eis_trainer *t) {
    if (!t) return;
    train_team_begin(t->team, TRAIN_TEAM_FREE, 0);
    fit_free(t->fit); /* before its graph */
    run_folder_close(&t->folder);
    t->kind->close(t);
    ranks_leave(t->ranks);
    train_team_free(t->team);
    free(t);
}

static tide_status none(tide_failure *failure) { return fail(failure, TIDE_EINVAL, "there is no trainer"); }

/* Rank 0 ends the training, which the others wait for. */
static tide_status run_and_end(eis_trainer *t, int64_t steps, tide_failure *failure) {
    tide_status status = fit_run(t->fit, steps, failure);
    if (status != TIDE_OK || t->ended || !fit_at(t->fit)->finished) return status;
    if (t->kind->end && ranks_lead(t->ranks)) status = t->kind->end(t, failure);
    status   = ranks_meet(t->ranks, status, NULL, failure);
    t->ended = status == TIDE_OK;
    return status;
}

tide_status eis_trainer_run(eis_trainer *t, int64_t steps, tide_failure *failure) {
    failure_clear(failure);
    if (!t) return none(failure);
    if (steps < 0) return fail(failure, TIDE_EINVAL, "steps to take are 0, to the end, or more");
    train_team_begin(t->team, TRAIN_TEAM_RUN, steps);
    tide_status status = run_and_end(t, steps, failure);
    train_team_end(t->team);
    return status;
}

/* The last checkpoint is of the last step; since then the best parameters stand in place of the last. */
tide_status eis_trainer_save(eis_trainer *t, tide_failure *failure) {
    failure_clear(failure);
    if (!t) return none(failure);
    return fit_at(t->fit)->finished ? TIDE_OK : fit_save(t->fit, failure);
}

tide_status eis_trainer_model(const eis_trainer *t, eis_model **out, tide_failure *failure) {
    failure_clear(failure);
    tide_archive a = { 0 };
    if (out) *out = NULL;
    if (!t) return none(failure);
    tide_status status = training_archive(t, fit_best(t->fit), &a, failure);
    if (status == TIDE_OK) status = model_take(&a, &t->options, out, failure);
    tide_archive_free(&a);
    return status;
}

void eis_trainer_cancel(eis_trainer *t) {
    if (t) fit_cancel(t->fit);
}

eis_training eis_trainer_at(const eis_trainer *t) {
    if (!t) return (eis_training){ 0 };
    const fit_progress *done = fit_at(t->fit);
    fit_place           at   = fit_place_now(t->fit);
    return (eis_training){ at.epoch, at.epochs, at.batch, at.batches, at.step, at.steps, done->best_epoch,
                           done->epoch > 1 ? done->train_loss : (double)NAN,
                           done->epoch > 1 ? done->val_loss : (double)NAN, done->best, t->ended };
}

/* ---- the command ---- */

tide_status train_whole(const eis_options *options, eis_listener listener, void *user, training_report *out,
                        tide_failure *failure) {
    eis_trainer *t      = NULL;
    tide_status  status = trainer_open(options, false, listener, user, &t, failure);
    *out = (training_report){ 0 };
    if (status == TIDE_OK) status = eis_trainer_run(t, 0, failure);
    if (status == TIDE_OK && !ranks_lead(t->ranks)) out->json = json_object(); /* the report is rank 0's */
    if (status == TIDE_OK && ranks_lead(t->ranks)) status = t->kind->report(t, out, failure);
    if (t && !t->team) status = ranks_meet(t->ranks, status, NULL, failure); /* a team's threads wait to be called */
    eis_trainer_free(t);
    return status;
}

tide_status eis_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                      tide_failure *failure) {
    failure_clear(failure);
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    *result = (eis_result){ 0 };
    tide_status good = options_good(options, failure);
    if (good != TIDE_OK) return good;
    training_report r;
    tide_status     status = train_whole(options, listener, user, &r, failure);
    if (status == TIDE_OK) {
        *result = (eis_result){ .json = json_dumps(r.json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)), .text = r.text };
        r.text  = NULL;
        if (!result->json) status = fail(failure, TIDE_ENOMEM, "out of memory for the report");
    }
    training_report_free(&r);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
