#include "spectrum_train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "calibrate.h"
#include "eis/training_log.h"
#include "plot/plot.h"
#include "spectrum_ceiling.h"
#include "spectrum_model.h"
#include "spectrum_step.h"

enum { EPOCHS = 20, BATCH = 1024, WIDTH = 256, WARM_UP = 500, VALIDATION_BATCHES = 4, CEILING_SPECTRA = 256,
       CALIBRATION_FIRST = 1 << 20, CALIBRATION_SPECTRA = 8192, ENDLESS = 1000000 };
static const double RATE = 2e-3, LAST_RATE = 0.005, SAVE_EVERY_S = 30, TELL_EVERY_S = 0.25;
static const char *const recipe_names[] = { [EIS_RECIPE_LAB] = "lab", [EIS_RECIPE_GRID] = "grid" };

/* What a checkpoint holds besides the variables. */
typedef struct progress {
    int64_t step, epoch, epoch_steps;      /* done; epoch: being trained, 1-based */
    int64_t best_epoch, metrics_bytes, finished;
    double  best, seconds;                 /* lowest validation loss; spent in all */
    double  loss_sum, hits_sum, norm_sum;  /* over this epoch's steps */
    double  train_loss, train_acc, val_loss, val_acc;  /* of the last epoch */
} progress;
#define WHOLE(f) { #f, offsetof(progress, f), false }
#define REAL(f)  { #f, offsetof(progress, f), true }
static const run_counter counters[] = { WHOLE(step), WHOLE(epoch), WHOLE(epoch_steps), WHOLE(best_epoch), WHOLE(metrics_bytes), WHOLE(finished),
                                        REAL(best), REAL(seconds), REAL(loss_sum), REAL(hits_sum), REAL(norm_sum), REAL(train_loss),
                                        REAL(train_acc), REAL(val_loss), REAL(val_acc) };

typedef struct trainer {
    const eis_options *options;
    eis_listener       listener;
    void              *user;
    spectrum_settings  settings;
    spectrum_session   session;
    spectrum_model     model;
    run_folder         folder;
    pool               pool;
    batch              batch, validation[VALIDATION_BATCHES];
    const float      **row;
    progress           at;
    tide_snapshot_t   *best;
    int64_t            round, round_steps, steps;  /* round: whose rows are in the pool, -1 before the first; steps: planned */
    double             rate, limit_s, ceiling;
    double             began, before;              /* clock at the start, seconds spent by earlier processes */
    double             last_save, last_tell, step_seconds;
    int64_t            own_steps;
} trainer;

/* ---- talk ---- */

static tide_status tell(const trainer *t, eis_tone tone, const char *message, tide_failure *failure) {
    bool stop = t->listener && t->listener(t->user, tone, message);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static double elapsed(const trainer *t) { return t->before + os_seconds() - t->began; }

/* How far training has come, 0..1: by steps, or by time if that runs out first. */
static double share_done(const trainer *t) {
    double by_steps = (double)t->at.step / (double)t->steps;
    return t->limit_s > 0 ? fmax(by_steps, elapsed(t) / t->limit_s) : by_steps;
}

static tide_status tell_progress(trainer *t, tide_failure *failure) {
    char   line[EIS_TEXT_SIZE], of[32] = "";
    double share = share_done(t), left = elapsed(t) * (1 - share) / fmax(share, 1e-6);
    if (os_seconds() - t->last_tell < TELL_EVERY_S) return TIDE_OK;
    t->last_tell = os_seconds();
    if (t->steps < ENDLESS) snprintf(of, sizeof of, "/%" PRId64, t->steps);
    snprintf(line, sizeof line, "epoch %" PRId64 "  step %" PRId64 "%s  loss %.4f  accuracy %.1f %%  %.0f spectra/s  %.0f MiB  %.0f min %02.0f s left", t->at.epoch,
             t->at.step, of, t->at.loss_sum / (double)t->at.epoch_steps, 100 * t->at.hits_sum / (double)t->at.epoch_steps,
             (double)(t->own_steps * t->settings.batch) / (os_seconds() - t->began), (double)os_rss_bytes() / (1 << 20), floor(left / 60), fmod(left, 60));
    return tell(t, EIS_PROGRESS, line, failure);
}

/* ---- saving: metrics.csv first, state.safetensors commits, the model follows ---- */

static run_counters counters_of(trainer *t) {
    return (run_counters){ counters, sizeof counters / sizeof *counters, &t->at };
}

static tide_status save(trainer *t, tide_failure *failure) {
    t->at.seconds = elapsed(t);
    t->last_save  = os_seconds();
    return run_state_write(&t->folder, tide_state(t->session.graph, ""), t->session.params, t->best, counters_of(t), failure);
}

static tide_status save_model(const trainer *t, tide_failure *failure) {
    char path[RUN_PATH];
    return spectrum_model_write(run_folder_file(t->folder.path, "model.safetensors", path), &t->model, t->session.params, t->best, failure);
}

static json_t *description(const trainer *t) {
    const spectrum_settings *s = &t->settings;
    const eis_options       *o = t->options;
    json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:s}", "command", "eis train", "version", TIDE_VERSION,
                            "inputs", "spectrum", "recipe", recipe_names[s->network.recipe], "circuit", "shunt", "width", (json_int_t)s->network.width,
                            "batch_size", (json_int_t)s->batch, "learning_rate", t->rate, "weight_decay", s->weight_decay, "pool_spectra",
                            (json_int_t)(t->pool.block * POOL_BLOCKS), "seed", (json_int_t)s->seed, "keep_out", t->model.keep_out, "device", s->device);
    json_object_set_new(all, "n_epochs", json_integer((json_int_t)(o->n_epochs ? o->n_epochs : t->limit_s > 0 ? 0 : EPOCHS)));
    json_object_set_new(all, "max_minutes", json_real(o->max_minutes));
    return all;
}

/* ---- one step ---- */

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for the training run"); }

static double learning_rate(const trainer *t) {
    double cosine = 0.5 * (1 + cos(3.14159265358979323846 * fmin(share_done(t), 1)));
    return t->rate * fmin(1, (double)(t->at.step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine);
}

static tide_status enter_round(trainer *t, tide_failure *failure) {
    int64_t number = t->at.step / t->round_steps;
    if (number == t->round) return TIDE_OK;
    if (!pool_round(&t->pool, number)) return no_memory(failure);
    t->round = number;
    return TIDE_OK;
}

static void fill(trainer *t) {
    const pool *p     = &t->pool;
    int64_t     first = t->at.step % t->round_steps * t->settings.batch;
    for (int64_t i = 0; i < t->settings.batch; i++) t->row[i] = p->row + p->order[first + i] * p->stride;
    batch_fill(p->settings.recipe, &p->scale, t->row, p->settings.seed, SPLIT_TRAIN, (uint64_t)(t->at.step * t->settings.batch), p->threads, &t->batch);
}

static tide_status take_step(trainer *t, tide_failure *failure) {
    float       loss, hits, norm, rate = (float)learning_rate(t);
    tide_status status = enter_round(t, failure);
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

static tide_status validate(trainer *t, tide_failure *failure) {
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

static tide_status keep_best(trainer *t, tide_failure *failure) {
    bool fine = t->best ? tide_snapshot_update(t->best) == TIDE_OK : (t->best = tide_snapshot(t->session.params)) != NULL;
    t->at.best = t->at.val_loss, t->at.best_epoch = t->at.epoch;
    return fine ? TIDE_OK : no_memory(failure);
}

static tide_status log_epoch(trainer *t, tide_failure *failure) {
    double       steps = (double)t->at.epoch_steps;
    training_row row   = { t->at.epoch, t->at.step, learning_rate(t), t->at.loss_sum / steps, t->at.val_loss, t->at.hits_sum / steps, t->at.val_acc,
                           t->ceiling, t->at.norm_sum / steps, elapsed(t), (double)os_rss_bytes() / (1 << 20) };
    t->at.train_loss = row.train_loss, t->at.train_acc = row.train_acc;
    return training_log_append(&t->folder, &row, &t->at.metrics_bytes, failure);
}

static tide_status tell_epoch(const trainer *t, tide_failure *failure) {
    char line[EIS_TEXT_SIZE], possible[64] = "";
    if (!isnan(t->ceiling)) snprintf(possible, sizeof possible, " (best possible %.2f %%)", 100 * t->ceiling);
    snprintf(line, sizeof line, "epoch %" PRId64 ": %.2f M spectra, loss %.4f, validation loss %.4f, accuracy %.2f %%%s, %.0f s", t->at.epoch,
             (double)(t->at.step * t->settings.batch) * 1e-6, t->at.train_loss, t->at.val_loss, 100 * t->at.val_acc, possible, elapsed(t));
    return tell(t, EIS_NOTE, line, failure);
}

static tide_status close_epoch(trainer *t, tide_failure *failure) {
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
    return status == TIDE_OK && better ? save_model(t, failure) : status;
}

static tide_status train(trainer *t, tide_failure *failure) {
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

/* The best model, read back as a user's program will, and written again with levels that hold. Grid values are no intervals. */
static tide_status set_levels(trainer *t, tide_failure *failure) {
    char       path[RUN_PATH];
    predictor *p = NULL;
    if (t->settings.network.recipe == EIS_RECIPE_GRID) return TIDE_OK;
    run_folder_file(t->folder.path, "model.safetensors", path);
    tide_status status = tell(t, EIS_PROGRESS, "calibrating the intervals", failure);
    if (status == TIDE_OK) status = predictor_open(path, t->settings.device, t->settings.threads, &p, failure);
    if (status == TIDE_OK) status = calibrate(p, &t->model, CALIBRATION_FIRST, MIN2(CALIBRATION_SPECTRA, t->options->pool_spectra), failure);
    predictor_free(p);
    return status == TIDE_OK ? save_model(t, failure) : status;
}

/* ---- beginning ---- */

static tide_status settle(trainer *t, tide_failure *failure) {
    const eis_options *o = t->options;
    int threads = o->workers ? (int)o->workers : os_cores();
    t->settings = (spectrum_settings){ { (eis_recipe)o->recipe, o->hidden_dim ? o->hidden_dim : WIDTH }, o->batch_size ? o->batch_size : BATCH,
                                       o->weight_decay, o->device, threads, (uint64_t)o->seed };
    t->rate     = o->learning_rate > 0 ? o->learning_rate : RATE;
    t->limit_s  = 60 * o->max_minutes;
    t->round    = -1;
    t->ceiling  = (double)NAN;
    t->at       = (progress){ .epoch = 1, .best = (double)INFINITY };
    t->model    = (spectrum_model){ .config = t->settings.network, .seed = t->settings.seed };
    spectrum_model_plain_levels(&t->model);
    if (o->recipe == EIS_RECIPE_GRID) t->model.keep_out = o->keep_out;
    if (o->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit", "a spectrum predictor is of the shunt circuit; the chain's spectrum leaves nothing to predict beyond --method refined");
    t->round_steps = o->pool_spectra / POOL_BLOCKS * POOL_VISITS / t->settings.batch;
    if (t->round_steps < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "pool-spectra", "--pool-spectra is at least %d times --batch-size, so %" PRId64 " or more",
                       POOL_BLOCKS / POOL_VISITS, POOL_BLOCKS / POOL_VISITS * t->settings.batch);
    int64_t epochs = o->n_epochs ? o->n_epochs : t->limit_s > 0 ? ENDLESS : EPOCHS;
    t->steps       = epochs * ROUNDS_AN_EPOCH * t->round_steps;
    return TIDE_OK;
}

static sampler_settings sampling(const trainer *t) {
    return (sampler_settings){ .recipe = t->settings.network.recipe, .seed = t->settings.seed, .keep_out = t->model.keep_out };
}

/* The first spectra of the validation split, always with the same masks. */
static tide_status make_validation(trainer *t, tide_failure *failure) {
    sampler_settings s      = sampling(t);
    int64_t          size   = t->settings.batch, stride = t->pool.stride;
    float           *rows   = malloc((size_t)(size * stride) * sizeof *rows);
    bool             fine   = rows != NULL;
    for (int b = 0; fine && b < VALIDATION_BATCHES; b++) {
        fine = batch_new(s.recipe, size, &t->validation[b]);
        if (!fine) break;
        for (int64_t i = 0; i < size; i++) {
            pool_row(&s, SPLIT_VALIDATE, (uint64_t)(b * size + i), t->pool.width, rows + i * stride);
            t->row[i] = rows + i * stride;
        }
        batch_fill(s.recipe, &t->pool.scale, t->row, s.seed, SPLIT_VALIDATE, (uint64_t)(b * size), t->settings.threads, &t->validation[b]);
    }
    free(rows);
    return fine ? TIDE_OK : no_memory(failure);
}

static tide_status open_folder(trainer *t, tide_failure *failure) {
    char path[1024];
    snprintf(path, sizeof path, "%s", t->options->out);
    if (!*path) run_folder_default(t->settings.network.recipe == EIS_RECIPE_GRID ? "eis-grid" : "eis-lab", path);
    return run_folder_open(path, t->options->resume, t->options->overwrite, &t->folder, failure);
}

static tide_status describe(trainer *t, tide_failure *failure) {
    static const char *const made[] = { "model.safetensors", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv", NULL };
    static const char *const free_keys[] = { "version", "max_minutes", "n_epochs", NULL };
    json_t *now = description(t);
    if (!now) return no_memory(failure);
    if (!t->folder.resuming) run_folder_clear(&t->folder, made);
    tide_status status = t->folder.resuming ? run_json_check(&t->folder, now, free_keys, failure) : run_json_write(&t->folder, now, failure);
    json_decref(now);
    return status;
}

static tide_status go_on(trainer *t, tide_failure *failure) {
    bool        found  = false;
    tide_status status = run_state_read(&t->folder, tide_state(t->session.graph, ""), t->session.params, &t->best, counters_of(t), &found, failure);
    if (status != TIDE_OK) return status;
    t->before      = t->at.seconds;
    t->at.finished = t->at.finished && share_done(t) >= 1;
    return run_metrics_cut(&t->folder, t->at.metrics_bytes, failure);
}

static tide_status prepare(trainer *t, tide_failure *failure) {
    sampler_settings s = sampling(t);
    tide_status status = spectrum_session_open(&t->settings, &t->session, failure);
    if (status != TIDE_OK) return status;
    t->row = malloc((size_t)t->settings.batch * sizeof *t->row);
    if (!t->row || !pool_new(&s, t->options->pool_spectra, t->settings.threads, &t->pool) || !batch_new(s.recipe, t->settings.batch, &t->batch))
        return no_memory(failure);
    status = open_folder(t, failure);
    if (status == TIDE_OK) status = describe(t, failure);
    if (status == TIDE_OK && t->folder.resuming) status = go_on(t, failure);
    if (status == TIDE_OK) status = tell(t, EIS_PROGRESS, "making the first spectra", failure);
    if (status == TIDE_OK) status = enter_round(t, failure);
    t->model.scale = t->pool.scale;
    if (status == TIDE_OK) status = make_validation(t, failure);
    if (status == TIDE_OK && s.recipe == EIS_RECIPE_GRID && !spectrum_ceiling(&s, CEILING_SPECTRA, t->settings.threads, &t->ceiling)) status = no_memory(failure);
    if (status == TIDE_OK && t->best) status = save_model(t, failure); /* it may be older than the state */
    t->last_save = os_seconds();
    return status;
}

static void release(trainer *t) {
    tide_snapshot_free(t->best); /* before its graph */
    spectrum_session_free(&t->session);
    pool_free(&t->pool);
    batch_free(&t->batch);
    for (int i = 0; i < VALIDATION_BATCHES; i++) batch_free(&t->validation[i]);
    free(t->row);
    run_folder_close(&t->folder);
}

/* ---- the result ---- */

static int64_t parameter_count(tide_list params) {
    int64_t count = 0;
    for (int64_t i = 0; i < params.count; i++) count += tide_shape_count(tide_shape_of(params.items[i]));
    return count;
}

static json_t *number_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *result_json(const trainer *t) {
    json_t *o = description(t);
    if (!o) return NULL;
    const struct { const char *key; double value; } reals[] = {
        { "best_val_loss", t->at.best }, { "train_loss", t->at.train_loss }, { "val_loss", t->at.val_loss }, { "train_acc", t->at.train_acc },
        { "val_acc", t->at.val_acc }, { "best_possible_acc", t->ceiling }, { "seconds", elapsed(t) },
        { "spectra_per_s", t->own_steps ? (double)(t->own_steps * t->settings.batch) / (os_seconds() - t->began) : (double)NAN },
        { "step_ms", t->own_steps ? 1e3 * t->step_seconds / (double)t->own_steps : (double)NAN }, { "peak_rss_mib", (double)os_peak_rss_bytes() / (1 << 20) },
    };
    json_object_set_new(o, "schema_version", json_integer(1));
    json_object_set_new(o, "folder", json_string(t->folder.path));
    json_object_set_new(o, "parameters", json_integer((json_int_t)parameter_count(t->session.params)));
    json_object_set_new(o, "epochs", json_integer((json_int_t)(t->at.epoch - 1)));
    json_object_set_new(o, "best_epoch", json_integer((json_int_t)t->at.best_epoch));
    json_object_set_new(o, "steps", json_integer((json_int_t)t->at.step));
    json_object_set_new(o, "spectra_visited", json_integer((json_int_t)(t->at.step * t->settings.batch)));
    json_object_set_new(o, "spectra_made", json_integer((json_int_t)(t->pool.made * t->pool.block)));
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) json_object_set_new(o, reals[i].key, number_or_null(reals[i].value));
    return o;
}

static tide_status finish(trainer *t, eis_result *result, tide_failure *failure) {
    text        talk   = { 0 };
    json_t     *json   = result_json(t);
    tide_status status = training_log_plot(&t->folder, t->at.best_epoch, failure);
    result->json       = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    text_add(&talk, "%s: spectrum predictor, recipe %s, %" PRId64 " parameters\n", t->folder.path, recipe_names[t->settings.network.recipe],
             parameter_count(t->session.params));
    text_add(&talk, "%.1f M visits to %.1f M spectra in %.0f s; best epoch %" PRId64 ", validation loss %.4f, accuracy %.2f %%",
             (double)(t->at.step * t->settings.batch) * 1e-6, (double)(t->pool.made * t->pool.block) * 1e-6, elapsed(t), t->at.best_epoch, t->at.best,
             100 * t->at.val_acc);
    if (!isnan(t->ceiling)) text_add(&talk, " (best possible %.2f %%)", 100 * t->ceiling);
    text_add(&talk, "\nnow: tidemill eis evaluate --model %s\n", t->folder.path);
    result->text = talk.data;
    return status == TIDE_OK && (!result->json || talk.failed) ? no_memory(failure) : status;
}

tide_status spectrum_train(const eis_options *options, eis_listener listener, void *user, eis_result *result, tide_failure *failure) {
    trainer *t = calloc(1, sizeof *t);
    *result    = (eis_result){ 0 };
    if (!t) return no_memory(failure);
    t->options = options, t->listener = listener, t->user = user;
    t->began       = os_seconds();
    t->folder.lock = -1;
    tide_status status = settle(t, failure);
    if (status == TIDE_OK) status = prepare(t, failure);
    if (status == TIDE_OK) status = train(t, failure);
    if (status == TIDE_OK) status = set_levels(t, failure);
    if (status == TIDE_OK) status = finish(t, result, failure);
    release(t);
    free(t);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
