/* The handle: from options and data to a training that can be run, looked at, stopped and scored. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "ensemble.h"
#include "forecast/fit/plan.h"
#include "forecast/fit/sum_run.h"
#include "parent.h"

/* ---- opening ---- */

/* Stopped by the caller's answer, or by forecast_trainer_cancel. */
static int hear(void *user, const forecast_event *event) {
    trainer *t    = user;
    int      stop = t->progress ? t->progress(t->user, event) : 0;
    return atomic_exchange(&t->cancelled, false) || stop;
}

static tide_status load(trainer *t, const tide_frame *from, tide_failure *failure) {
    return from ? dataset_take(t->options, from, t->compat, &t->data, failure)
                : dataset_load(t->options, t->compat, &t->data, failure);
}

tide_status trainer_folder(trainer *t, bool in_folder, int64_t parameters, const tide_graph *g,
                           tide_failure *failure) {
    const forecast_options *o = t->options;
    if (in_folder || *o->out)
        return forecast_folder_open(o, &t->data, parameters, g, t->device.line, &t->from, &t->folder, failure);
    if (!o->resume) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume",
                   "`resume` needs `out`, the folder of the run to go on with");
}

static tide_status open_trainer(trainer *t, forecast_options *o, const tide_frame *from, bool in_folder,
                                tide_failure *failure) {
    tide_status status = load(t, from, failure);
    if (status == TIDE_OK) status = sum_run_check(o, &t->data, failure);
    if (status == TIDE_OK) status = plan_of_run(o, failure);
    if (status == TIDE_OK && o->arch == FORECAST_ARCH_AUTO) return ensemble_open(t, o, from, in_folder, failure);
    if (status == TIDE_OK) status = parent_open(t, failure);
    if (status == TIDE_OK) status = trainer_compile(t, o, failure);
    if (status == TIDE_OK) status = parent_check(t, failure);
    if (status == TIDE_OK) status = bundle_from(&t->data, o, &t->config, &t->bundle, failure);
    if (status == TIDE_OK) status = trainer_show_passes(t, true, failure);
    if (status == TIDE_OK)
        status = trainer_folder(t, in_folder, forecaster_parameters(&t->config), t->session.graph, failure);
    if (status == TIDE_OK) status = trainer_tell(t, failure);
    if (status == TIDE_OK) status = parent_begin(t, failure);
    status = trainer_meet(t, status, failure);
    return status == TIDE_OK ? trainer_begin(t, failure) : status;
}

tide_status trainer_start(forecast_options *o, unsigned compat, const tide_frame *from, bool in_folder,
                          forecast_progress progress, void *user, trainer **out, tide_failure *failure) {
    trainer *t = *out = calloc(1, sizeof *t);
    if (!t) return free(o), fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    t->options = o, t->compat = compat, t->progress = progress, t->user = user, t->folder.lock = -1;
    t->listener = (listener){ hear, t, os_seconds(), &t->memory };
    atomic_init(&t->cancelled, false);
    tide_status status = trainer_join(t, o, failure);
    in_folder &= ranks_lead(t->ranks);
    if (status == TIDE_OK) status = open_trainer(t, o, from, in_folder, failure);
    status = ranks_meet(t->ranks, status, NULL, failure);
    if (status == TIDE_OK) return TIDE_OK;
    forecast_trainer_free(t);
    *out = NULL;
    return status;
}

/* The first is rank 0's. */
static tide_status read_devices(forecast_options *o, train_devices *out, tide_failure *failure) {
    tide_status status = train_devices_read(o->device, out, failure);
    if (status == TIDE_OK) status = train_devices_alone(out, o->ranks, failure);
    if (status == TIDE_OK) snprintf(o->device, sizeof o->device, "%.*s", (int)sizeof o->device - 1, out->of[0]);
    return status;
}

tide_status trainer_open(const forecast_options *options, const tide_frame *from, bool in_folder,
                         forecast_progress progress, void *user, trainer **out, tide_failure *failure) {
    forecast_options *o = malloc(sizeof *o), *given = malloc(sizeof *given);
    unsigned          compat;
    train_devices     devices;
    *out = NULL;
    tide_status status = o && given ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the training run");
    if (status == TIDE_OK) *given = *options, status = parent_settle(given, failure);
    if (status == TIDE_OK) status = read_devices(given, &devices, failure);
    if (status == TIDE_OK) status = options_resolve(given, o, &compat, failure);
    free(given);
    if (status == TIDE_OK && devices.count > 1)
        return trainer_start_on(&devices, o, compat, from, in_folder, progress, user, out, failure);
    if (status == TIDE_OK) return trainer_start(o, compat, from, in_folder, progress, user, out, failure);
    free(o);
    return status;
}

tide_status forecast_trainer_new(const forecast_options *options, const tide_frame *series, forecast_progress progress,
                                 void *user, forecast_trainer **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the trainer");
    *out = NULL;
    tide_status status = options_sound(options, failure);
    return status == TIDE_OK ? trainer_open(options, series, false, progress, user, out, failure) : status;
}

void forecast_trainer_free(forecast_trainer *t) {
    if (!t) return;
    train_team_begin(t->team, TRAIN_TEAM_FREE, 0);
    run_folder_close(&t->folder);
    fit_free(t->fit);
    train_step_free(&t->step);
    session_free(&t->session);
    bundle_free(&t->bundle);
    dataset_free(&t->data);
    forecast_result_free(&t->explained);
    free(t->order);
    free(t->val_order);
    free(t->step_ms);
    free(t->scored);
    ensemble_training_free(t->ensemble);
    parent_free(t->parent);
    ranks_leave(t->ranks);
    train_team_free(t->team);
    free((forecast_options *)t->options);
    free(t);
}

/* ---- running ---- */

static tide_status no_trainer(tide_failure *failure) { return fail(failure, TIDE_EINVAL, "there is no trainer"); }

tide_status forecast_trainer_run(forecast_trainer *t, int64_t steps, tide_failure *failure) {
    failure_clear(failure);
    if (!t) return no_trainer(failure);
    if (steps < 0) return fail(failure, TIDE_EINVAL, "steps are 0, for all, or more");
    return t->ended ? TIDE_OK : trainer_learn(t, steps, failure);
}

tide_status forecast_trainer_save(forecast_trainer *t, tide_failure *failure) {
    failure_clear(failure);
    if (!t) return no_trainer(failure);
    return t->ended || !t->fit ? TIDE_OK : fit_save(t->fit, failure);
}

void forecast_trainer_cancel(forecast_trainer *t) {
    if (t) atomic_store(&t->cancelled, true);
}

forecast_training forecast_trainer_at(const forecast_trainer *t) {
    if (!t) return (forecast_training){ 0 };
    if (!t->fit)
        return (forecast_training){ .train_loss = (double)NAN, .val_loss = t->solved_loss,
                                    .best_val_loss = t->solved_loss, .finished = true };
    const fit_progress *at    = fit_at(t->fit);
    fit_place           place = fit_place_now(t->fit);
    bool                any   = at->epoch > 1;
    return (forecast_training){ .epoch = place.epoch, .epochs = place.epochs, .batch = place.batch,
                                .batches = place.batches, .step = place.step, .steps = place.steps,
                                .best_epoch = at->best_epoch,
                                .train_loss = any ? at->train_loss : (double)NAN,
                                .val_loss = any ? at->val_loss : (double)NAN,
                                .best_val_loss = at->best, .finished = at->finished != 0 };
}

/* ---- what comes of it ---- */

tide_status forecast_trainer_score(forecast_trainer *t, forecast_result *result, tide_failure *failure) {
    failure_clear(failure);
    if (!t) return no_trainer(failure);
    if (!result) return fail(failure, TIDE_EINVAL, "there is no result to fill");
    if (t->ended) return fail(failure, TIDE_EINVAL, "the trainer has scored its model already");
    if (t->fit) train_team_begin(t->team, TRAIN_TEAM_SCORE, 0);
    tide_status status = t->fit ? fit_end(t->fit, failure) : TIDE_OK;
    train_team_end(t->team);
    trainer_fill(t, result);
    if (status == TIDE_OK && ranks_lead(t->ranks)) status = trainer_score(t, result, failure);
    status   = trainer_part(t, status, failure);
    t->ended = status == TIDE_OK || t->scored;
    return status;
}

tide_status forecast_trainer_recipe(const forecast_trainer *t, char **out, tide_failure *failure) {
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the options");
    *out = NULL;
    if (!t) return no_trainer(failure);
    json_t *all = run_recipe_json(t->options);
    *out = all ? json_dumps(all, JSON_COMPACT) : NULL;
    json_decref(all);
    return *out ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the options");
}

tide_status forecast_trainer_model(const forecast_trainer *t, forecast_model **out, tide_failure *failure) {
    void  *bytes = NULL;
    size_t size;
    failure_clear(failure);
    if (!out) return fail(failure, TIDE_EINVAL, "there is no place for the model");
    *out = NULL;
    if (!t) return no_trainer(failure);
    if (t->scored) return forecast_model_load_memory(t->scored, t->scored_size, t->options, out, failure);
    tide_status status = bundle_write_memory(&t->bundle, t->session.params, trainer_best(t), &bytes, &size, failure);
    if (status == TIDE_OK) status = forecast_model_load_memory(bytes, size, t->options, out, failure);
    tide_free(bytes);
    return status;
}
