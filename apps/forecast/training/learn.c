/* The forecaster as a model of src/train: windows in the order of their epoch, the loss of the validation windows,
 * model.safetensors, and the columns of metrics.csv. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/finite.h"
#include "forecast/fit/solve.h"
#include "parent.h"
#include "train/schedule.h"
#include "trainer.h"

_Static_assert((int)FORECAST_LR_AUTO == (int)TRAIN_LR_AUTO && (int)FORECAST_LION == (int)TRAIN_LION,
               "what the options choose is what training takes");

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

/* ---- a step ---- */

static double rate(void *user, const fit_place *at) {
    const trainer *t = user;
    int64_t epochs = t->rate_epochs ? t->rate_epochs : at->epochs;
    return schedule_rate((train_schedule)t->options->lradj, t->options->learning_rate, at->epoch, epochs);
}

static tide_status enter(void *user, const fit_place *at, tide_failure *failure) {
    trainer *t = user;
    (void)failure;
    schedule_shuffle(t->order, t->windows, (uint64_t)t->options->seed, at->epoch);
    for (int64_t i = 0; i < t->windows; i++) t->order[i] = (int32_t)window_start(&t->learned, t->order[i]);
    return TIDE_OK;
}

static tide_status batch(void *user, const fit_place *at, train_feed *feeds, int *count, tide_failure *failure) {
    trainer *t = user;
    (void)failure;
    feeds[0] = (train_feed){ t->session.start, t->order + at->batch * t->step.samples * t->step.parts, false };
    *count   = 1 + sampled_feed(&t->session.sampled, (uint64_t)t->options->seed, at->step, feeds + 1);
    return TIDE_OK;
}

/* ---- an epoch ---- */

window_set trainer_stop_windows(const trainer *t) {
    block b = t->compat & FORECAST_COMPAT_STOP_ON_TEST ? t->data.split.test : t->data.split.val;
    return dataset_windows(&t->data, b, t->options->seq_len, t->options->pred_len);
}

/* The published loader draws whole batches of validation windows at random. Its seed differs from the training
 * order's. */
static tide_status validate(void *user, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    trainer   *t   = user;
    window_set all = trainer_stop_windows(t), drawn = { .count = t->val_used, .starts = t->val_order };
    if (!t->val_order) return mean_loss(&t->validate, all, t->ranks, &t->listener, &row[FIT_VAL_LOSS], failure);
    schedule_shuffle(t->val_order, t->val_windows, ~(uint64_t)t->options->seed, at->epoch);
    for (int64_t i = 0; i < t->val_used; i++) t->val_order[i] = (int32_t)window_start(&all, t->val_order[i]);
    return mean_loss(&t->validate, drawn, t->ranks, &t->listener, &row[FIT_VAL_LOSS], failure);
}

tide_status trainer_write_model(const trainer *t, const tide_snapshot_t *best, tide_failure *failure) {
    char path[FOLDER_PATH];
    if (trainer_in_memory(t)) return TIDE_OK;
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    return status == TIDE_OK ? bundle_write(path, &t->bundle, t->session.params, best, failure) : status;
}

static tide_status save(void *user, const tide_snapshot_t *best, tide_failure *failure) {
    return trainer_write_model(user, best, failure);
}

fit_model trainer_model(trainer *t) {
    static const fit_column columns[] = {
        { "epoch", FIT_EPOCH },         { "step", FIT_STEP },           { "lr", FIT_LR },
        { "train_loss", FIT_TRAIN_LOSS }, { "val_loss", FIT_VAL_LOSS }, { "grad_norm", FIT_GRAD_NORM },
        { "seconds", FIT_SECONDS },     { "rss_mib", FIT_RSS },
    };
    return (fit_model){ .user = t, .step = &t->step, .rate = rate, .enter = enter, .batch = batch,
                        .validate = validate, .validate_divides = true, .save = save, .columns = columns,
                        .column_count = sizeof columns / sizeof *columns };
}

/* ---- telling ---- */

static void remember_time(trainer *t, double seconds) {
    if (!t->timed) t->first_step_ms = seconds * 1e3;
    if (t->timed < t->timed_room) t->step_ms[t->timed++] = (float)(seconds * 1e3);
}

int trainer_hear(void *user, const fit_event *e) {
    trainer *t = user;
    if (!e->row) remember_time(t, e->step_s);
    return listener_tell(
        &t->listener,
        (forecast_event){ .stage = e->row ? FORECAST_STAGE_EPOCH : FORECAST_STAGE_STEP, .epoch = e->at.epoch,
                          .epochs = e->at.epochs, .batch = e->at.batch, .batches = e->at.batches,
                          .step = t->steps_before + e->at.step, .lr = e->lr, .loss = e->loss,
                          .val_loss = e->row ? e->row[FIT_VAL_LOSS] : (double)NAN, .grad_norm = e->grad_norm,
                          .seconds_left = e->seconds_left, .steps_per_s = e->steps_per_s, .best = e->best });
}

static tide_status never_a_number(const trainer *t, const tide_failure *why, tide_failure *failure) {
    const split *s    = &t->data.split;
    int64_t      rows = s->val.start + s->val.rows;
    extreme      e;
    if (find_extreme(&t->data, 0, rows, &e)) return not_finite(&t->data, 0, rows, "the validation loss", failure);
    return fail(failure, why->status, "%s", why->message);
}

static void tell_divergence(const trainer *t) {
    const fit_progress *at = fit_at(t->fit);
    if (fit_diverged(t->fit))
        listener_note(&t->listener, FORECAST_STAGE_WARNING,
                      "the training diverged and was stopped after epoch %" PRId64 ": its validation loss is not a "
                                                                                   "number; the best epoch, %" PRId64
                      ", is kept. A lower `learning-rate` or `grad-clip` 1 may go further", at->epoch - 1,
                      at->best_epoch);
}

/* ---- the run ---- */

static bool make_room(trainer *t) {
    int64_t batch  = t->options->batch_size;
    t->val_windows = trainer_stop_windows(t).count;
    t->val_used    = t->val_windows >= batch ? t->val_windows / batch * batch : t->val_windows;
    t->timed_room  = MIN2(t->batches * t->options->epochs, 1000000);
    t->order       = malloc((size_t)t->windows * sizeof *t->order + 1);
    t->step_ms     = malloc((size_t)t->timed_room * sizeof *t->step_ms + 1);
    if (t->compat & FORECAST_COMPAT_VAL_SHUFFLED &&
        !(t->val_order = malloc((size_t)t->val_windows * sizeof *t->val_order + 1)))
        return false;
    return t->order && t->step_ms;
}

tide_status trainer_measure(trainer *t, tide_failure *failure) {
    return mean_loss(&t->validate, trainer_stop_windows(t), NULL, &t->listener, &t->solved_loss, failure);
}

tide_status trainer_begin(trainer *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    if (trainer_solved(t)) {
        tide_status status = session_solve(&t->session, &t->data, failure);
        return status == TIDE_OK ? trainer_measure(t, failure) : status;
    }
    fit_model model = trainer_model(t);
    fit_plan  plan  = { .batches = t->batches, .epochs = o->epochs, .patience = o->patience,
                        .min_epochs = o->min_epochs, .max_minutes = o->max_minutes, .equal_is_better = true,
                        .began = t->listener.began, .resume = "`resume` auto" };
    if (!make_room(t)) return no_memory(failure);
    tide_status status =
        fit_new(&model, &plan, trainer_in_memory(t) ? NULL : &t->folder, trainer_hear, t, &t->fit, failure);
    /* the first checkpoint: from here on `from` is not needed */
    return status == TIDE_OK && *o->from && !fit_at(t->fit)->step ? fit_save(t->fit, failure) : status;
}

tide_status trainer_learn(trainer *t, int64_t steps, tide_failure *failure) {
    tide_failure why      = { 0 };
    if (!t->fit) return trainer_write_model(t, NULL, failure);
    bool         finished = fit_at(t->fit)->finished;
    train_team_begin(t->team, TRAIN_TEAM_RUN, steps);
    tide_status  status   = fit_run(t->fit, steps, &why);
    train_team_end(t->team);
    if (status == TIDE_OK && !finished) tell_divergence(t);
    if (status == TIDE_OK && !finished && fit_at(t->fit)->finished) parent_tell_end(t);
    if (status == TIDE_OK) return TIDE_OK;
    if (fit_at(t->fit)->finished && !fit_best(t->fit)) return never_a_number(t, &why, failure);
    if (failure && !failure->status) *failure = why;
    return status;
}
