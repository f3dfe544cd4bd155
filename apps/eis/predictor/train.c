#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "calibrate.h"
#include "eis/options/wanted_precision.h"
#include "ceiling.h"
#include "trainer.h"

enum { EPOCHS = 20, WIDTH = 256, CEILING_SPECTRA = 256, CALIBRATION_FIRST = 1 << 20, CALIBRATION_SPECTRA = 8192 };
static const double RATE = 2e-3;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

/* The best model, read back as a user's program will, and written again with levels that hold. Grid values are no
 * intervals. */
static tide_status set_levels(spectrum_trainer *t, tide_failure *failure) {
    char       path[FOLDER_PATH];
    predictor *p = NULL;
    if (t->settings.network.recipe == EIS_RECIPE_GRID) return TIDE_OK;
    folder_file(t->folder.path, "model.safetensors", path);
    tide_status status = trainer_tell(t, EIS_PROGRESS, "calibrating the intervals", failure);
    if (status == TIDE_OK)
        status = predictor_open(
            path, &(predictor_settings){ .device = t->settings.device, .threads = t->settings.threads }, &p, failure);
    if (status == TIDE_OK) status = calibrate(p, &t->model, CALIBRATION_FIRST,
                                              MIN2(CALIBRATION_SPECTRA, t->options->pool_spectra), t->settings.threads,
                                              failure);
    predictor_free(p);
    return status == TIDE_OK ? trainer_save_model(t, failure) : status;
}

/* ---- beginning ---- */

static tide_status settle(spectrum_trainer *t, tide_failure *failure) {
    const eis_options *o = t->options;
    int threads = o->workers ? (int)o->workers : os_cores();
    t->settings = (spectrum_settings){ .network = { (eis_recipe)o->recipe, o->hidden_dim ? o->hidden_dim : WIDTH },
                                       .batch = o->batch_size ? o->batch_size : EIS_SPECTRUM_BATCH,
                                       .weight_decay = o->weight_decay,
                                       .compile = { .precision = wanted_precision(o), .strict = o->strict,
                                                    .mode = wanted_mode(o) },
                                       .choices_of = choices_of(o), .device = o->device,
                                       .threads = threads, .seed = (uint64_t)o->seed };
    t->rate     = o->learning_rate > 0 ? o->learning_rate : RATE;
    t->limit_s  = 60 * o->max_minutes;
    t->round    = -1;
    t->ceiling  = (double)NAN;
    t->at       = (spectrum_progress){ .epoch = 1, .best = (double)INFINITY };
    t->model    = (spectrum_model){ .config = t->settings.network, .seed = t->settings.seed };
    spectrum_model_plain_levels(&t->model);
    if (o->recipe == EIS_RECIPE_GRID) t->model.keep_out = o->keep_out;
    if (o->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "a spectrum predictor is of the shunt circuit; the chain's spectrum leaves nothing to predict "
                       "beyond --method refined");
    t->round_steps = o->pool_spectra / POOL_BLOCKS * POOL_VISITS / t->settings.batch;
    if (t->round_steps < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "pool-spectra",
                       "--pool-spectra is at least %d times --batch-size, so %" PRId64 " or more",
                       POOL_BLOCKS / POOL_VISITS, POOL_BLOCKS / POOL_VISITS * t->settings.batch);
    t->epochs = o->n_epochs ? o->n_epochs : t->limit_s > 0 ? 0 : EPOCHS;
    t->steps  = t->epochs ? t->epochs * ROUNDS_AN_EPOCH * t->round_steps : STEPS_WITHOUT_END;
    return TIDE_OK;
}

static sampler_settings sampling(const spectrum_trainer *t) {
    return (sampler_settings){ .recipe = t->settings.network.recipe,
                               .seed = t->settings.seed,
                               .keep_out = t->model.keep_out };
}

/* The first spectra of the validation split, always with the same masks. */
static tide_status make_validation(spectrum_trainer *t, tide_failure *failure) {
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
        batch_fill(s.recipe, &t->pool.scale, t->row, s.seed, SPLIT_VALIDATE, (uint64_t)(b * size), t->settings.threads,
                   &t->validation[b]);
    }
    free(rows);
    return fine ? TIDE_OK : no_memory(failure);
}

static const char *const made[] = { "model.safetensors", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv", NULL };

static tide_status open_folder(spectrum_trainer *t, tide_failure *failure) {
    char path[1024];
    snprintf(path, sizeof path, "%s", t->options->out);
    if (t->options->resume && !*path)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "resume",
                       "--resume needs --out, the folder of the run to go on with");
    if (!*path) run_folder_default(t->settings.network.recipe == EIS_RECIPE_GRID ? "eis-grid" : "eis-lab", path);
    return run_folder_open(path, t->options->resume, t->options->overwrite, made, (const char *const[]){ NULL },
                           &t->folder, failure);
}

static tide_status describe(spectrum_trainer *t, tide_failure *failure) {
    static const char *const free_keys[] = { "version", "max_minutes", "n_epochs", "choices", NULL };
    json_t *now = spectrum_description(t);
    if (!now) return no_memory(failure);
    if (!t->folder.resuming) run_folder_clear(&t->folder, made);
    tide_status status = t->folder.resuming ? run_json_check(&t->folder, now, free_keys, failure)
                                            : run_json_write(&t->folder, now, failure);
    json_decref(now);
    return status;
}

static tide_status tell_programs(const spectrum_trainer *t, tide_failure *failure) {
    const char *note, *device;
    char        line[RUN_LINE], warning[PRECISION_LINE];
    tide_program_precision(t->session.train.program, &note);
    tide_program_device(t->session.train.program, &device);
    tide_status status = *note ? trainer_tell(t, EIS_WARNING, precision_warning(warning, note), failure) : TIDE_OK;
    if (status == TIDE_OK && *device) status = trainer_tell(t, EIS_WARNING, device, failure);
    if (status == TIDE_OK && run_choices_told(t->session.graph, line))
        status = trainer_tell(t, EIS_NOTE, line, failure);
    return status;
}

static tide_status prepare(spectrum_trainer *t, tide_failure *failure) {
    sampler_settings s = sampling(t);
    tide_status status = spectrum_session_open(&t->settings, &t->session, failure);
    if (status != TIDE_OK) return status;
    t->row = malloc((size_t)t->settings.batch * sizeof *t->row);
    if (!t->row || !pool_new(&s, t->options->pool_spectra, t->settings.threads, &t->pool) ||
        !batch_new(s.recipe, t->settings.batch, &t->batch))
        return no_memory(failure);
    status = tell_programs(t, failure);
    if (status == TIDE_OK) status = open_folder(t, failure);
    if (status == TIDE_OK) status = describe(t, failure);
    if (status == TIDE_OK) status = run_choices_fix(t->session.graph, failure);
    if (status == TIDE_OK && t->folder.resuming) status = trainer_resume(t, failure);
    if (status == TIDE_OK) status = trainer_tell(t, EIS_PROGRESS, "making the first spectra", failure);
    if (status == TIDE_OK) status = trainer_enter_round(t, failure);
    t->model.scale = t->pool.scale;
    if (status == TIDE_OK) status = make_validation(t, failure);
    if (status == TIDE_OK && s.recipe == EIS_RECIPE_GRID &&
        !spectrum_ceiling(&s, CEILING_SPECTRA, t->settings.threads, &t->ceiling))
        status = no_memory(failure);
    if (status == TIDE_OK && t->best) status = trainer_save_model(t, failure); /* it may be older than the state */
    t->last_save = os_seconds();
    return status;
}

static void release(spectrum_trainer *t) {
    tide_snapshot_free(t->best); /* before its graph */
    spectrum_session_free(&t->session);
    pool_free(&t->pool);
    batch_free(&t->batch);
    for (int i = 0; i < VALIDATION_BATCHES; i++) batch_free(&t->validation[i]);
    free(t->row);
    run_folder_close(&t->folder);
}

tide_status spectrum_train(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                           tide_failure *failure) {
    spectrum_trainer *t = calloc(1, sizeof *t);
    *result    = (eis_result){ 0 };
    if (!t) return no_memory(failure);
    t->options = options, t->listener = listener, t->user = user;
    t->began       = os_seconds();
    t->folder.lock = -1;
    tide_status status = settle(t, failure);
    if (status == TIDE_OK) status = prepare(t, failure);
    if (status == TIDE_OK) status = spectrum_trainer_run(t, failure);
    if (status == TIDE_OK) status = set_levels(t, failure);
    if (status == TIDE_OK) status = spectrum_report(t, result, failure);
    release(t);
    free(t);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
