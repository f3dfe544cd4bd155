#include "trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/rng.h"

enum { EPOCHS = 100, TIMED_STEPS = 20, STREAM_SHUFFLE = 1000 };
static const double SAVE_EVERY_S = 5, TELL_EVERY_S = 0.1, SHARE_OF_LIMIT = 0.9;

double known_trainer_seconds(const known_trainer *t) { return t->before + os_seconds() - t->began; }

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the training run"); }

/* ---- saving: metrics.csv first, state.safetensors commits, the model follows ---- */

#define FIELD(f, real, least, most) { #f, offsetof(known_progress, f), real, least, most }
#define WHOLE(f)                    FIELD(f, false, 0, 0)
#define REAL(f)                     FIELD(f, true, 0, 0)
#define SECONDS(f)                  FIELD(f, true, 0, 1e12)
static const run_counter counters[] = {
    FIELD(epoch, false, 1, 1e9), WHOLE(batch),                 WHOLE(step),             WHOLE(planned),
    WHOLE(best_epoch),           WHOLE(metrics_bytes),         FIELD(finished, false, 0, 1),
    FIELD(best, true, 0, (double)INFINITY),                    SECONDS(seconds),        SECONDS(step_seconds),
    SECONDS(epoch_seconds),      REAL(loss_sum),               REAL(hits_sum),          REAL(norm_sum),
};

static run_counters counters_of(known_trainer *t) {
    return (run_counters){ counters, sizeof counters / sizeof *counters, &t->at };
}

static tide_status save_model(known_trainer *t, tide_failure *failure) {
    static const char *const mask_names[] = { [EIS_MASKS_GUIDE] = "guide", [EIS_MASKS_ALL] = "all" };
    char       path[FOLDER_PATH];
    known_card card = { .circuit_given = true, .circuit = t->task.data.circuit, .scale = t->task.scale };
    snprintf(card.resnorm_kind, sizeof card.resnorm_kind, "%s", t->task.data.resnorm_kind);
    snprintf(card.pool, sizeof card.pool, "%s", t->options->pool);
    snprintf(card.masks, sizeof card.masks, "%s", mask_names[t->options->masks]);
    t->model_is_old    = false;
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    if (status == TIDE_OK) status = known_model_write(path, &t->session.network, &card, t->best, failure);
    if (status == TIDE_OK) status = owned_claim_file(t->folder.path, "best_eis_predictor_mlx.npz", path, failure);
    return status == TIDE_OK ? known_npz_write(path, &t->session.network, t->best, failure) : status;
}

static tide_status save(known_trainer *t, tide_failure *failure) {
    t->at.seconds      = known_trainer_seconds(t);
    tide_status status = run_state_write(&t->folder, tide_state(t->session.graph, ""), t->session.network.params,
                                         t->best, counters_of(t), failure);
    if (status == TIDE_OK && t->model_is_old) status = save_model(t, failure);
    t->last_save = os_seconds();
    return status;
}

/* ---- the schedule ---- */

/* Seconds of a step and of a validation. All variables are put back. */
static tide_status time_work(known_trainer *t, double *step, double *validation, tide_failure *failure) {
    known_step_result result;
    known_score       score;
    int64_t           count = MIN2(t->session.batch, t->samples);
    tide_status       status = TIDE_OK;
    tide_snapshot_t  *before = tide_snapshot(tide_state(t->session.graph, ""));
    if (!before) return no_memory(failure);
    *step = (double)INFINITY;
    for (int i = 0; status == TIDE_OK && i < TIMED_STEPS; i++) {
        double began = os_seconds();
        status       = known_session_step(&t->session, t->order, count, t->rate, &result, failure);
        *step        = i ? fmin(*step, os_seconds() - began) : *step;
    }
    double began = os_seconds();
    if (status == TIDE_OK) status = known_session_score(&t->session, known_task_validation(&t->task), &score, failure);
    *validation = os_seconds() - began;
    if (status == TIDE_OK) status = tide_restore(before);
    tide_snapshot_free(before);
    return status;
}

/* All epochs, or as many as fit into --max-minutes; less than one if not even one does. */
static tide_status lay_out(known_trainer *t, tide_failure *failure) {
    const eis_options *o = t->options;
    double  limit  = 60 * o->max_minutes, step = 0, validation = 0;
    int64_t epochs = o->n_epochs ? o->n_epochs : EPOCHS;
    t->at.planned  = epochs * t->batches;
    if (limit <= 0) return TIDE_OK;
    tide_status status = time_work(t, &step, &validation, failure);
    double left = SHARE_OF_LIMIT * limit - known_trainer_seconds(t) - 2 * validation,
           epoch = (double)t->batches * step + validation;
    if (left < epoch) t->at.planned = MAX2(1, (int64_t)(left / step));
    else t->at.planned = MIN2(epochs, (int64_t)(left / epoch)) * t->batches;
    return status;
}

static double rate_at(const known_trainer *t, int64_t step) {
    if (t->options->compat_guide) return t->rate;
    return 0.5 * t->rate * (1 + cos(3.14159265358979323846 * (double)step / (double)t->at.planned));
}

/* One step is always taken. */
static bool out_of_time(const known_trainer *t) {
    return t->options->max_minutes > 0 && t->at.step > 0 && known_trainer_seconds(t) > 60 * t->options->max_minutes;
}

/* ---- an epoch ---- */

static void shuffle(known_trainer *t) {
    rng r = { .seed = t->settings.seed, .stream = STREAM_SHUFFLE + (uint32_t)t->at.epoch };
    for (int64_t i = 0; i < t->samples; i++) t->order[i] = (int32_t)i;
    for (int64_t i = t->samples - 1; i > 0; i--) {
        int64_t j    = (int64_t)(rng_unit(&r) * (double)(i + 1));
        int32_t kept = t->order[i];
        t->order[i]  = t->order[j];
        t->order[j]  = kept;
    }
}

static bool cancelled(known_trainer *t, const char *message, eis_tone tone) {
    return t->listener && t->listener(t->user, tone, message);
}

static bool tell_step(known_trainer *t) {
    char    line[256];
    double now = os_seconds(), per_s = (double)(t->at.step - t->resumed_from) / fmax(now - t->began, 1e-9),
           left = (double)(t->at.planned - t->at.step) / per_s;
    int64_t epochs = ceil_div(t->at.planned, t->batches);
    if (now - t->last_tell < TELL_EVERY_S) return false;
    t->last_tell = now;
    snprintf(line, sizeof line,
             "epoch %" PRId64 "/%" PRId64
             "  loss %.4f  accuracy %.1f %% (best possible %.1f %%)  %.0f samples/s  %.0f MiB  %.0f min %02.0f s left",
             t->at.epoch, epochs, t->at.loss_sum / (double)t->at.batch, 100 * t->at.hits_sum / (double)t->at.batch,
             100 * t->task.ceiling.top1,
             (double)(t->at.step - t->resumed_from) * (double)t->session.batch / fmax(t->own_step_seconds, 1e-9),
             (double)os_rss_bytes() / (1 << 20), floor(left / 60), fmod(left, 60));
    return cancelled(t, line, EIS_PROGRESS);
}

static tide_status stopped(known_trainer *t, tide_failure *failure) {
    tide_status status = save(t, failure);
    if (status != TIDE_OK) return status;
    return fail(failure, TIDE_ECANCELLED, "stopped at step %" PRId64 "; `--resume --out %s` goes on from there",
                t->at.step,
                t->folder.path);
}

static tide_status take_step(known_trainer *t, tide_failure *failure) {
    known_step_result r;
    int64_t     first = t->at.batch * t->session.batch, count = MIN2(t->session.batch, t->samples - first);
    double      began = os_seconds();
    tide_status status = known_session_step(&t->session, t->order + first, count, rate_at(t, t->at.step), &r, failure);
    if (status != TIDE_OK) return status;
    double seconds = os_seconds() - began;
    t->at.step_seconds += seconds, t->at.epoch_seconds += seconds, t->own_step_seconds += seconds;
    t->at.loss_sum += (double)r.loss, t->at.hits_sum += (double)r.hits, t->at.norm_sum += (double)r.norm;
    t->at.batch++, t->at.step++;
    if (tell_step(t)) return stopped(t, failure);
    return os_seconds() - t->last_save > SAVE_EVERY_S ? save(t, failure) : TIDE_OK;
}

/* Equal is no better: the earliest of the best is kept. A loss that is not a number never is. */
static tide_status judge(known_trainer *t, double loss, tide_failure *failure) {
    if (!(loss < t->at.best)) return TIDE_OK;
    t->at.best = loss, t->at.best_epoch = t->at.epoch;
    t->model_is_old = true;
    bool fine = t->best ? tide_snapshot_update(t->best) == TIDE_OK
                        : (t->best = tide_snapshot(t->session.network.params)) != NULL;
    return fine ? TIDE_OK : no_memory(failure);
}

static tide_status close_epoch(known_trainer *t, tide_failure *failure) {
    known_score score;
    char        line[256];
    double      steps = (double)t->at.batch;
    tide_status status = known_session_score(&t->session, known_task_validation(&t->task), &score, failure);
    if (status == TIDE_OK) status = judge(t, score.loss, failure);
    if (status != TIDE_OK) return status;
    training_row row = { t->at.epoch,
                         t->at.step,
                         rate_at(t, t->at.step - 1),
                         t->at.loss_sum / steps,
                         score.loss,
                         t->at.hits_sum / steps,
                         score.accuracy.top1,
                         t->task.ceiling.top1,
                         t->at.norm_sum / steps,
                         t->at.epoch_seconds,
                         (double)os_rss_bytes() / (1 << 20),
                         0,
                         0 };
    if ((status = training_row_scaler(&row, &t->session.scaler, failure)) != TIDE_OK) return status;
    snprintf(line, sizeof line,
             "epoch %" PRId64 ": loss %.4f, validation loss %.4f, accuracy %.1f %%, validation accuracy %.1f %% (best "
                              "possible %.1f %%), "
             "%.0f MiB%s",
             row.epoch, row.train_loss, row.val_loss, 100 * row.train_acc, 100 * row.val_acc,
             100 * row.best_possible_acc, row.rss_mib,
             t->at.best_epoch == row.epoch ? ", best" : "");
    t->at.epoch++;
    t->at.batch    = 0;
    t->at.loss_sum = t->at.hits_sum = t->at.norm_sum = t->at.epoch_seconds = 0;
    t->at.finished = t->at.step >= t->at.planned || out_of_time(t);
    status = training_log_append(&t->folder, &row, &t->at.metrics_bytes, failure);
    bool due = t->at.finished || os_seconds() - t->last_save > SAVE_EVERY_S || row.epoch == 1;
    if (status == TIDE_OK && due) status = save(t, failure);
    return status == TIDE_OK && cancelled(t, line, EIS_PROGRESS) ? stopped(t, failure) : status;
}

static tide_status train_epoch(known_trainer *t, tide_failure *failure) {
    tide_status status = TIDE_OK;
    shuffle(t);
    while (status == TIDE_OK && t->at.batch < t->batches && t->at.step < t->at.planned && !out_of_time(t))
        status = take_step(t, failure);
    if (status != TIDE_OK || t->at.batch) return status == TIDE_OK ? close_epoch(t, failure) : status;
    t->at.finished = 1; /* gone on with when the time was over */
    return save(t, failure);
}

/* ---- the run ---- */

/* As they can be: what follows counts on it. */
static bool sound(const known_trainer *t) {
    const known_progress *at = &t->at;
    int64_t      epochs = t->options->n_epochs ? t->options->n_epochs : EPOCHS;
    const double real[] = { at->best,     at->seconds,  at->step_seconds, at->epoch_seconds,
                            at->loss_sum, at->hits_sum, at->norm_sum };
    bool fine = at->planned <= epochs * t->batches && at->step <= at->planned && at->batch <= t->batches &&
                at->epoch >= 1 && at->epoch <= epochs + 1 && at->best_epoch <= at->epoch && at->seconds >= 0;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) fine = fine && !isnan(real[i]);
    return fine;
}

static tide_status go_on(known_trainer *t, tide_failure *failure) {
    bool        found;
    tide_status status = run_state_read(&t->folder, tide_state(t->session.graph, ""), t->session.network.params,
                                        &t->best, counters_of(t), &found, failure);
    if (status == TIDE_OK && found && !sound(t))
        status = fail_at(failure, TIDE_EDATA, t->folder.path, 0, NULL,
                         "%s/state.safetensors: its counters are damaged: --overwrite starts anew", t->folder.path);
    if (status == TIDE_OK) status = run_metrics_cut(&t->folder, t->at.metrics_bytes, failure);
    t->before       = t->at.seconds;
    t->resumed_from = t->at.step;
    return status == TIDE_OK && t->best ? save_model(t, failure) : status;
}

tide_status known_trainer_run(known_trainer *t, tide_failure *failure) {
    t->at    = (known_progress){ .epoch = 1, .best = (double)INFINITY };
    t->order = malloc((size_t)t->samples * sizeof *t->order + 1);
    if (!t->order) return no_memory(failure);
    tide_status status = t->folder.resuming ? go_on(t, failure) : TIDE_OK;
    shuffle(t);
    if (status == TIDE_OK && !t->at.planned) status = lay_out(t, failure);
    t->last_save = os_seconds();
    while (status == TIDE_OK && !t->at.finished) status = train_epoch(t, failure);
    if (status != TIDE_OK) return status;
    if (!t->best)
        return fail(failure, TIDE_EINVAL,
                    "the validation loss was never a number: lower --learning_rate, or look for extreme values in the "
                    "data");
    return tide_restore(t->best) == TIDE_OK ? TIDE_OK : no_memory(failure);
}
