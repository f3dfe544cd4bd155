#include "trainer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/base.h"

enum { WARM_UP = 500 };
static const double LAST_RATE = 0.005, SAVE_EVERY_S = 30, TELL_EVERY_S = 0.25;

#define FIELD(f, real, least, most) { #f, offsetof(spectrum_progress, f), real, least, most }
#define WHOLE(f)                    FIELD(f, false, 0, 0)
#define REAL(f)                     FIELD(f, true, 0, 0)
#define SECONDS(f)                  FIELD(f, true, 0, 1e12)
static const run_counter counters[] = {
    WHOLE(step),          FIELD(epoch, false, 1, 1e9),   WHOLE(epoch_steps), WHOLE(best_epoch),
    WHOLE(metrics_bytes), FIELD(finished, false, 0, 1),  FIELD(best, true, 0, (double)INFINITY),
    SECONDS(seconds),     REAL(loss_sum),                REAL(hits_sum),     REAL(norm_sum),
    REAL(train_loss),     REAL(train_acc),               REAL(val_loss),     REAL(val_acc),
};

/* ---- talk ---- */

tide_status trainer_tell(const spectrum_trainer *t, eis_tone tone, const char *message, tide_failure *failure) {
    bool stop = t->listener && t->listener(t->user, tone, message);
    if (!stop) return TIDE_OK;
    if (!*t->folder.path) return fail(failure, TIDE_ECANCELLED, "stopped before training began");
    return fail(failure, TIDE_ECANCELLED, "stopped at step %" PRId64 "; `--resume --out %s` goes on from there",
                t->at.step, t->folder.path);
}

double trainer_elapsed(const spectrum_trainer *t) { return t->before + os_seconds() - t->began; }

/* How far training has come, 0..1: by steps, or by time if that runs out first. */
static double share_done(const spectrum_trainer *t) {
    double by_steps = (double)t->at.step / (double)t->steps;
    return t->limit_s > 0 ? fmax(by_steps, trainer_elapsed(t) / t->limit_s) : by_steps;
}

static tide_status tell_progress(spectrum_trainer *t, tide_failure *failure) {
    char   line[EIS_TEXT_SIZE], of[32] = "";
    double share = share_done(t), left = trainer_elapsed(t) * (1 - share) / fmax(share, 1e-6);
    if (os_seconds() - t->last_tell < TELL_EVERY_S) return TIDE_OK;
    t->last_tell = os_seconds();
    if (t->steps < STEPS_WITHOUT_END) snprintf(of, sizeof of, "/%" PRId64, t->steps);
    snprintf(line, sizeof line,
             "epoch %" PRId64 "  step %" PRId64 "%s  loss %.4f  accuracy %.1f %%  %.0f spectra/s  "
             "%.0f MiB  %.0f min %02.0f s left",
             t->at.epoch, t->at.step, of, t->at.loss_sum / (double)t->at.epoch_steps,
             100 * t->at.hits_sum / (double)t->at.epoch_steps,
             (double)(t->own_steps * t->settings.batch) / (os_seconds() - t->began), (double)os_rss_bytes() / (1 << 20),
             floor(left / 60), fmod(left, 60));
    return trainer_tell(t, EIS_PROGRESS, line, failure);
}

/* ---- saving: metrics.csv first, state.safetensors commits, the model follows ---- */

static run_counters counters_of(spectrum_trainer *t) {
    return (run_counters){ counters, sizeof counters / sizeof *counters, &t->at };
}

static tide_status save(spectrum_trainer *t, tide_failure *failure) {
    t->at.seconds = trainer_elapsed(t);
    t->last_save  = os_seconds();
    return run_state_write(&t->folder, tide_state(t->session.graph, ""), t->session.params, t->best, counters_of(t),
                           failure);
}

tide_status trainer_save_model(const spectrum_trainer *t, tide_failure *failure) {
    char        path[FOLDER_PATH];
    tide_status status = owned_claim_file(t->folder.path, "model.safetensors", path, failure);
    return status == TIDE_OK ? spectrum_model_write(path, &t->model, t->session.params, t->best, failure) : status;
}

/* ---- one step ---- */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

static double learning_rate(const spectrum_trainer *t) {
    double cosine = 0.5 * (1 + cos(3.14159265358979323846 * fmin(share_done(t), 1)));
    return t->rate * fmin(1, (double)(t->at.step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine);
}

tide_status trainer_enter_round(spectrum_trainer *t, tide_failure *failure) {
    int64_t number = t->at.step / t->round_steps;
    if (number == t->round) return TIDE_OK;
    if (!pool_round(&t->pool, number)) return no_memory(failure);
    t->round = number;
    return TIDE_OK;
}

static void fill(spectrum_trainer *t) {
    const pool *p     = &t->pool;
    int64_t     first = t->at.step % t->round_steps * t->settings.batch;
    for (int64_t i = 0; i < t->settings.batch; i++) t->row[i] = p->row + p->order[first + i] * p->stride;
    batch_fill(p->settings.recipe, &p->scale, t->row, p->settings.seed, SPLIT_TRAIN,
               (uint64_t)(t->at.step * t->settings.batch), p->threads, &t->batch);
}

static tide_status take_step(spectrum_trainer *t, tide_failure *failure) {
    float       loss, hits, norm, rate = (float)learning_rate(t);
    tide_status status = trainer_enter_round(t, failure);
    if (status != TIDE_OK) return status;
    fill(t);
    double began = os_seconds();
    if (tide_write(t->session.lr, &rate, sizeof rate) != TIDE_OK) return no_memory(failure);
    status = spectrum_step_run(&t->session.train, &t->batch, &loss, &hits, &norm, failure);
    if (status != TIDE_OK) return status;
    t->step_seconds += os_seconds() - began;
    t->at.loss_sum += (double)loss;
    t->at.hits_sum += (double)hits;
    t->at.norm_sum += (double)norm;
    t->at.step++, t->at.epoch_steps++, t->own_steps++;
    return tell_progress(t, failure);
}

/* ---- epochs ---- */

static tide_status validate(spectrum_trainer *t, tide_failure *failure) {
    double      loss_sum = 0, hits_sum = 0;
    tide_status status   = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < VALIDATION_BATCHES; i++) {
        float loss, hits;
        status = spectrum_step_run(&t->session.score, &t->validation[i], &loss, &hits, NULL, failure);
        loss_sum += (double)loss, hits_sum += (double)hits;
    }
    t->at.val_loss = loss_sum / VALIDATION_BATCHES;
    t->at.val_acc  = hits_sum / VALIDATION_BATCHES;
    return status;
}

static tide_status keep_best(spectrum_trainer *t, tide_failure *failure) {
    bool fine =
        t->best ? tide_snapshot_update(t->best) == TIDE_OK : (t->best = tide_snapshot(t->session.params)) != NULL;
    t->at.best = t->at.val_loss, t->at.best_epoch = t->at.epoch;
    return fine ? TIDE_OK : no_memory(failure);
}

static tide_status log_epoch(spectrum_trainer *t, tide_failure *failure) {
    double       steps = (double)t->at.epoch_steps;
    training_row row = { t->at.epoch,
                         t->at.step,
                         learning_rate(t),
                         t->at.loss_sum / steps,
                         t->at.val_loss,
                         t->at.hits_sum / steps,
                         t->at.val_acc,
                         t->ceiling,
                         t->at.norm_sum / steps,
                         trainer_elapsed(t),
                         (double)os_rss_bytes() / (1 << 20),
                         0,
                         0 };
    t->at.train_loss = row.train_loss, t->at.train_acc = row.train_acc;
    tide_status status = training_row_scaler(&row, &t->session.scaler, failure);
    return status != TIDE_OK ? status : training_log_append(&t->folder, &row, &t->at.metrics_bytes, failure);
}

static tide_status tell_epoch(const spectrum_trainer *t, tide_failure *failure) {
    char line[EIS_TEXT_SIZE], possible[64] = "";
    if (!isnan(t->ceiling)) snprintf(possible, sizeof possible, " (best possible %.2f %%)", 100 * t->ceiling);
    snprintf(line, sizeof line, "epoch %" PRId64 ": %.2f M spectra, loss %.4f, validation loss %.4f, accuracy %.2f "
                                                 "%%%s, %.0f s, %.0f MiB", t->at.epoch,
             (double)(t->at.step * t->settings.batch) * 1e-6, t->at.train_loss, t->at.val_loss, 100 * t->at.val_acc,
             possible, trainer_elapsed(t),
             (double)os_rss_bytes() / (1 << 20));
    return trainer_tell(t, EIS_NOTE, line, failure);
}

static tide_status close_epoch(spectrum_trainer *t, tide_failure *failure) {
    tide_status status = validate(t, failure);
    bool        better = status == TIDE_OK && t->at.val_loss < t->at.best;
    if (better) status = keep_best(t, failure);
    if (status == TIDE_OK) status = log_epoch(t, failure);
    if (status == TIDE_OK) status = tell_epoch(t, failure);
    t->at.epoch++;
    t->at.epoch_steps = 0;
    t->at.loss_sum = t->at.hits_sum = t->at.norm_sum = 0;
    t->at.finished = share_done(t) >= 1;
    tide_status saved = status == TIDE_OK || status == TIDE_ECANCELLED ? save(t, failure) : status;
    if (status == TIDE_OK) status = saved;
    return status == TIDE_OK && better ? trainer_save_model(t, failure) : status;
}

/* As they can be: what follows counts on it. */
static bool sound(const spectrum_trainer *t) {
    const spectrum_progress *at = &t->at;
    const double real[] = { at->best,       at->seconds,   at->loss_sum, at->hits_sum, at->norm_sum,
                            at->train_loss, at->train_acc, at->val_loss, at->val_acc };
    bool fine = at->step <= STEPS_WITHOUT_END && at->epoch >= 1 && at->epoch <= at->step + 1 &&
                at->best_epoch <= at->epoch && at->seconds >= 0 && at->epoch_steps <= at->step &&
                at->epoch_steps < ROUNDS_AN_EPOCH * t->round_steps;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) fine = fine && !isnan(real[i]);
    return fine;
}

tide_status trainer_resume(spectrum_trainer *t, tide_failure *failure) {
    bool        found  = false;
    tide_status status = run_state_read(&t->folder, tide_state(t->session.graph, ""), t->session.params, &t->best,
                                        counters_of(t), &found, failure);
    if (status == TIDE_OK && found && !sound(t))
        status = fail_at(failure, TIDE_EDATA, t->folder.path, 0, NULL,
                         "%s/state.safetensors: its counters are damaged: --overwrite starts anew", t->folder.path);
    if (status != TIDE_OK) return status;
    t->before      = t->at.seconds;
    t->at.finished = t->at.finished && share_done(t) >= 1;
    return run_metrics_cut(&t->folder, t->at.metrics_bytes, failure);
}

tide_status spectrum_trainer_run(spectrum_trainer *t, tide_failure *failure) {
    tide_status status = TIDE_OK;
    while (status == TIDE_OK && !t->at.finished) {
        status = take_step(t, failure);
        if (status == TIDE_ECANCELLED) {
            save(t, NULL);
            return status;
        }
        bool over = t->at.epoch_steps == ROUNDS_AN_EPOCH * t->round_steps || share_done(t) >= 1;
        if (status == TIDE_OK && over) status = close_epoch(t, failure);
        else if (status == TIDE_OK && os_seconds() - t->last_save > SAVE_EVERY_S) status = save(t, failure);
    }
    if (status == TIDE_OK && !t->best)
        status = fail(failure, TIDE_EINVAL, "the validation loss was never a number: lower --learning-rate");
    return status;
}
