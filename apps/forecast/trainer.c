#include "trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "forecast/fit/finite.h"
#include "forecast/fit/schedule.h"

static const double SAVE_EVERY_S = 30;

/* ---- saving: metrics.csv first, state.safetensors commits, the model follows ---- */

static tide_status save_model(trainer *t, tide_failure *failure) {
    char path[FOLDER_PATH];
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    return status == TIDE_OK ? bundle_write(path, &t->bundle, t->session.params, t->best, failure) : status;
}

static tide_status save(trainer *t, tide_failure *failure) {
    double      began  = os_seconds();
    tide_status status = checkpoint_write(&t->folder, &t->session, t->best, &t->at, failure);
    if (status == TIDE_OK && t->best_unsaved) status = save_model(t, failure);
    t->best_unsaved = false;
    t->last_save    = os_seconds();
    t->save_seconds = t->last_save - began;
    return status;
}

/* Saving takes at most a tenth of the time: epochs of a few steps share a checkpoint. The first and the last always
 * have one. */
static bool save_due(const trainer *t) { return t->at.finished || os_seconds() - t->last_save >= 10 * t->save_seconds; }

/* ---- one step ---- */

static void remember_time(trainer *t, double seconds) {
    if (!t->timed) t->first_step_ms = seconds * 1e3;
    if (t->timed < t->timed_room) t->step_ms[t->timed++] = (float)(seconds * 1e3);
    t->at.epoch_seconds += seconds;
    t->at.train_seconds += seconds;
}

static tide_status take_step(trainer *t, float *loss, float *norm, tide_failure *failure) {
    const window_program *p      = &t->step;
    const int32_t        *starts = t->order + t->at.batch * p->batch * p->parts;
    double                began  = os_seconds();
    tide_status           status = TIDE_OK;
    for (int64_t i = 0; i < p->parts && status == TIDE_OK; i++)
        status = tide_run(p->program, (tide_feed[]){ { p->start, starts + i * p->batch } }, 1);
    tide_program *last = p->finish && status == TIDE_OK ? p->finish : p->program;
    if (last == p->finish) status = tide_run(last, NULL, 0);
    if (status == TIDE_OK) status = tide_read(p->loss, loss, sizeof *loss);
    if (status == TIDE_OK) status = tide_read(p->norm, norm, sizeof *norm);
    if (status != TIDE_OK) {
        if (failure && !failure->status) *failure = *tide_program_error(last);
        return fail(failure, status, "the training step failed");
    }
    remember_time(t, os_seconds() - began);
    t->at.batch++;
    t->at.step++;
    t->at.loss_sum += (double)*loss;
    t->at.norm_sum += (double)*norm;
    return TIDE_OK;
}

static double steps_per_second(const trainer *t) {
    double seconds = os_seconds() - t->began;
    return seconds > 0 ? (double)(t->at.step - t->resumed_from) / seconds : (double)NAN;
}

static int64_t epochs_of(const trainer *t) { return t->refitting ? t->refitting : t->options->epochs; }

static double seconds_left(const trainer *t) {
    int64_t left = (epochs_of(t) - t->at.epoch + 1) * t->batches - t->at.batch;
    return (double)left / steps_per_second(t);
}

static forecast_event event_of(const trainer *t, forecast_stage stage) {
    return (forecast_event){ .stage = stage, .epoch = t->at.epoch, .epochs = epochs_of(t), .batch = t->at.batch,
                             .batches = t->batches,
                             .step = t->at.step, .val_loss = (double)NAN, .seconds_left = seconds_left(t),
                             .steps_per_s = steps_per_second(t),
                             .lr = schedule_rate((forecast_lradj)t->options->lradj, t->options->learning_rate,
                                                 t->at.epoch, t->options->epochs) };
}

static tide_status stopped(trainer *t, tide_failure *failure) {
    return fail(failure, TIDE_ECANCELLED, "stopped at step %" PRId64 "; `--resume auto --out %s` goes on from there",
                t->at.step, t->folder.path);
}

static tide_status train_steps(trainer *t, tide_failure *failure) {
    while (t->at.batch < t->batches) {
        float       loss, norm;
        tide_status status = take_step(t, &loss, &norm, failure);
        if (status != TIDE_OK) return status;
        forecast_event event = event_of(t, FORECAST_STAGE_STEP);
        event.loss = (double)loss, event.grad_norm = (double)norm;
        bool cancel = listener_tell(&t->listener, event) != 0;
        if (!t->refitting && (cancel || os_seconds() - t->last_save > SAVE_EVERY_S)) status = save(t, failure);
        if (status != TIDE_OK) return status;
        if (cancel) return stopped(t, failure);
    }
    return TIDE_OK;
}

/* ---- one epoch ---- */

block trainer_stop_block(const trainer *t) {
    return t->compat & FORECAST_COMPAT_STOP_ON_TEST ? t->data.split.test : t->data.split.val;
}

/* The published loader draws whole batches of validation windows at random. Its seed differs from the training
 * order's. */
static tide_status validation_loss(trainer *t, double *out, tide_failure *failure) {
    block b = trainer_stop_block(t);
    if (!t->val_order) return mean_loss(&t->validate, NULL, b.start, t->val_windows, out, failure);
    schedule_shuffle(t->val_order, t->val_windows, ~(uint64_t)t->options->seed, t->at.epoch);
    for (int64_t i = 0; i < t->val_used; i++) t->val_order[i] += (int32_t)b.start;
    return mean_loss(&t->validate, t->val_order, 0, t->val_used, out, failure);
}

static tide_status keep_best(trainer *t, tide_failure *failure) {
    bool fine =
        t->best ? tide_snapshot_update(t->best) == TIDE_OK : (t->best = tide_snapshot(t->session.params)) != NULL;
    return fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the best parameters");
}

/* A loss that is not a number hardly ever becomes one again: nothing is waited for where nothing is kept, else a third
 * of the patience, whatever --patience says. */
static bool diverged(const trainer *t, double val_loss) {
    return !isfinite(val_loss) && (!t->best || t->at.worse >= MAX2(1, t->options->patience / 3));
}

/* Equal counts as better, as published. A loss that is not a number never does. */
static tide_status judge(trainer *t, double val_loss, bool *better, tide_failure *failure) {
    const forecast_options *o = t->options;
    progress_state         *at = &t->at;
    *better   = isfinite(val_loss) && val_loss <= at->best;
    at->worse = *better ? 0 : at->worse + 1;
    if (*better) at->best = val_loss, at->best_epoch = at->epoch;
    at->finished =
        at->epoch >= o->epochs || (o->patience > 0 && at->worse >= o->patience && at->epoch >= o->min_epochs);
    t->diverged  = diverged(t, val_loss);
    at->finished = at->finished || t->diverged;
    return *better ? keep_best(t, failure) : TIDE_OK;
}

static tide_status never_a_number(const trainer *t, tide_failure *failure) {
    const split *s = &t->data.split;
    extreme      e;
    if (find_extreme(&t->data, 0, s->val.start + s->val.rows, &e))
        return not_finite(&t->data, 0, s->val.start + s->val.rows, "the validation loss", failure);
    return fail(
        failure, TIDE_EINVAL,
        "the training diverged: its validation loss was never a number; lower --learning-rate or set --grad-clip 1");
}

static void tell_divergence(const trainer *t) {
    if (t->diverged)
        listener_note(&t->listener, FORECAST_STAGE_WARNING,
                      "the training diverged and was stopped after epoch %" PRId64 ": its validation loss is not a "
                                                                                   "number; the best epoch, %" PRId64
                      ", is kept. A lower --learning-rate or --grad-clip 1 may go further", t->at.epoch - 1,
                      t->at.best_epoch);
}

/* Where a loss scaler runs: where it is, and how many steps of the run it skipped. */
static tide_status read_scaler(const session *s, metrics_row *row, tide_failure *failure) {
    float   scale   = 0;
    int32_t skipped = 0;
    if (!s->scaler.scale.graph) return TIDE_OK;
    tide_status status = tide_read(s->scaler.scale, &scale, sizeof scale);
    if (status == TIDE_OK) status = tide_read(s->scaler.skipped, &skipped, sizeof skipped);
    row->loss_scale = (double)scale, row->skipped = skipped;
    return status == TIDE_OK ? status : fail(failure, status, "the loss scale could not be read");
}

static tide_status close_epoch(trainer *t, tide_failure *failure) {
    double      val_loss;
    bool        better;
    tide_status status = validation_loss(t, &val_loss, failure);
    if (status == TIDE_OK) status = judge(t, val_loss, &better, failure);
    if (status != TIDE_OK) return status;
    forecast_event event = event_of(t, FORECAST_STAGE_EPOCH);
    event.loss = t->at.loss_sum / (double)t->batches, event.grad_norm = t->at.norm_sum / (double)t->batches;
    event.val_loss = val_loss, event.best = better;
    metrics_row row = { t->at.epoch, t->at.step, event.lr, event.loss, val_loss, event.grad_norm, t->at.epoch_seconds,
                        (double)os_rss_bytes() / (1 << 20), 0, 0 };
    status = read_scaler(&t->session, &row, failure);
    if (status == TIDE_OK) status = metrics_append(&t->folder, &row, &t->at.metrics_bytes, failure);
    t->at.epoch++;
    t->at.batch    = 0;
    t->at.loss_sum = t->at.norm_sum = t->at.epoch_seconds = 0;
    t->best_unsaved = t->best_unsaved || better;
    bool saved = save_due(t);
    if (status == TIDE_OK && saved) status = save(t, failure);
    if (status != TIDE_OK || !listener_tell(&t->listener, event)) return status;
    if (!saved) status = save(t, failure);
    return status == TIDE_OK ? stopped(t, failure) : status;
}

tide_status trainer_epoch(trainer *t, tide_failure *failure) {
    const forecast_options *o = t->options;
    float lr = (float)schedule_rate((forecast_lradj)o->lradj, o->learning_rate, t->at.epoch, o->epochs);
    schedule_shuffle(t->order, t->windows, (uint64_t)o->seed, t->at.epoch);
    for (int64_t i = 0; i < t->windows; i++) t->order[i] += (int32_t)t->data.split.train.start;
    tide_status status = tide_write(t->session.lr, &lr, sizeof lr);
    if (status != TIDE_OK) return fail(failure, status, "the learning rate could not be set");
    return train_steps(t, failure);
}

/* ---- the run ---- */

static tide_status go_on(trainer *t, tide_failure *failure) {
    bool        found  = false;
    tide_status status =
        checkpoint_read(&t->folder, &t->session, t->options->epochs, t->batches, &t->best, &t->at, &found, failure);
    if (status != TIDE_OK) return status;
    t->resumed_from = t->at.step;
    status = run_metrics_cut(&t->folder, t->at.metrics_bytes, failure); /* to nothing when killed before the first
                                                                           checkpoint */
    return status == TIDE_OK && t->best ? save_model(t, failure) : status;
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

static bool make_room(trainer *t) {
    block b        = trainer_stop_block(t);
    int64_t batch  = t->options->batch_size;
    t->val_windows = block_windows(b, t->config.seq_len, t->config.pred_len);
    t->val_used    = t->val_windows >= batch ? t->val_windows / batch * batch : t->val_windows;
    t->timed_room  = MIN2(t->batches * t->options->epochs, 1000000);
    t->order       = malloc((size_t)t->windows * sizeof *t->order + 1);
    t->step_ms     = malloc((size_t)t->timed_room * sizeof *t->step_ms + 1);
    if (t->compat & FORECAST_COMPAT_VAL_SHUFFLED &&
        !(t->val_order = malloc((size_t)t->val_windows * sizeof *t->val_order + 1)))
        return false;
    return t->order && t->step_ms;
}

tide_status trainer_run(trainer *t, tide_failure *failure) {
    t->at        = (progress_state){ .epoch = 1, .best = (double)INFINITY };
    t->last_save = os_seconds();
    if (!make_room(t)) return no_memory(failure);
    tide_status status = t->folder.resuming ? go_on(t, failure) : TIDE_OK;
    t->began = os_seconds();
    while (status == TIDE_OK && !t->at.finished) {
        status = trainer_epoch(t, failure);
        if (status == TIDE_OK) status = close_epoch(t, failure);
    }
    if (status != TIDE_OK) return status;
    if (!t->best) return never_a_number(t, failure);
    tell_divergence(t);
    return tide_restore(t->best) == TIDE_OK ? TIDE_OK : no_memory(failure);
}
