/* The spectrum predictor as a model of src/train: spectra made between steps, round by round, a warmed-up cosine that
 * follows the clock where only the time is limited, fixed spectra as validation, and levels set at the end. */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/parallel.h"
#include "calibrate.h"
#include "ceiling.h"
#include "trainer.h"

enum {
    EPOCHS = 20,
    WIDTH = 256,
    WARM_UP = 500,
    CEILING_SPECTRA = 256,
    CALIBRATION_FIRST = 1 << 20,
    CALIBRATION_SPECTRA = 8192
};
static const double RATE = 2e-3, LAST_RATE = 0.005, CLIP = 1, BETA2 = 0.99;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the training run");
}

/* ---- the model ---- */

static double rate(void *user, const fit_place *at) {
    const spectrum_trainer *t = user;
    double cosine = 0.5 * (1 + cos(3.14159265358979323846 * fmin(at->share, 1)));
    double own    = t->run.rate * fmin(1, (double)(at->step + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * cosine);
    return training_rate(&t->run, at, own);
}

/* Until when spectra are made: with a limit of time, half of what is left when training begins, else to the end. */
static double made_until(const spectrum_trainer *t) {
    double minutes = t->run.options.max_minutes, left = 60 * minutes - fit_account_of(t->run.fit).elapsed;
    if (!(minutes > 0)) return INFINITY;
    return os_seconds() + (t->round < 0 ? 0.5 : 1) * left;
}

/* Makes the spectra that the step draws from. */
static tide_status enter_round(spectrum_trainer *t, int64_t step, tide_failure *failure) {
    int64_t number = step / t->round_steps;
    if (number == t->round) return TIDE_OK;
    tide_status status = pool_round(&t->pool, number, made_until(t), failure);
    if (status == TIDE_OK) t->round = number;
    return status;
}

static tide_status next_batch(void *user, const fit_place *at, train_feed *feeds, int *count, tide_failure *failure) {
    spectrum_trainer *t      = user;
    const pool       *p      = &t->pool;
    int64_t           size   = t->settings.batch, first = at->step % t->round_steps * size;
    tide_status       status = enter_round(t, at->step, failure);
    if (status != TIDE_OK) return status;
    for (int64_t i = 0; i < size; i++) t->row[i] = p->row + p->order[first + i] * p->stride;
    *count = t->settings.visits ? VISIT_FEEDS : SPECTRUM_FEEDS;
    if (t->settings.visits) {
        visits_fill(t->row, p->settings.seed, SPLIT_TRAIN, (uint64_t)(at->step * size), p->threads, &t->visits);
        visit_feeds(&t->session.visits, &t->visits, &p->scale, feeds);
        return TIDE_OK;
    }
    const train_step *s     = &t->session.step; /* what other ranks take is theirs to fill */
    int64_t           mine  = s->first * s->samples;
    batch             share = batch_part(p->settings.recipe, &t->batch, mine, s->here * s->samples);
    batch_fill(p->settings.recipe, &p->scale, t->row + mine, p->settings.seed, SPLIT_TRAIN,
               (uint64_t)(at->step * size + mine), p->threads, &share);
    spectrum_feeds(&t->session, &t->batch, feeds);
    return TIDE_OK;
}

/* Each batch from the rank that scored it. */
static tide_status gather_scores(ranks *r, double all[VALIDATION_BATCHES][2], tide_failure *failure) {
    enum { EACH = sizeof(double) * 2 * VALIDATION_BATCHES };
    char *gathered = malloc((size_t)ranks_count(r) * EACH);
    tide_status status = ranks_meet(r, gathered ? TIDE_OK : no_memory(failure), NULL, failure);
    if (status == TIDE_OK) status = ranks_gather(r, all, EACH, gathered, failure);
    for (int i = 0; status == TIDE_OK && i < VALIDATION_BATCHES; i++)
        memcpy(all[i], gathered + (size_t)(i % ranks_count(r)) * EACH + sizeof all[i] * (size_t)i, sizeof all[i]);
    free(gathered);
    return status;
}

/* The row has the rate of the step to come, and the seconds of the whole run. */
static tide_status validate(void *user, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    spectrum_trainer *t = user;
    double      loss_sum = 0, hits_sum = 0;
    tide_status status   = TIDE_OK;
    double      all[VALIDATION_BATCHES][2] = { 0 };
    ranks      *r = t->run.ranks;
    for (int i = ranks_rank(r); status == TIDE_OK && i < VALIDATION_BATCHES; i += ranks_count(r))
        status = spectrum_score(&t->session, &t->validation[i], &all[i][0], &all[i][1], failure);
    status = ranks_meet(r, status, NULL, failure);
    if (status == TIDE_OK) status = gather_scores(r, all, failure);
    for (int i = 0; i < VALIDATION_BATCHES; i++) loss_sum += all[i][0], hits_sum += all[i][1];
    row[FIT_VAL_LOSS] = loss_sum / VALIDATION_BATCHES, row[FIT_VAL_METRIC] = hits_sum / VALIDATION_BATCHES;
    row[FIT_POSSIBLE] = t->run.possible, row[FIT_LR] = rate(t, at), row[FIT_SECONDS] = row[FIT_ELAPSED];
    return status;
}

static tide_status archive(const training *run, const tide_snapshot_t *best, tide_archive *a) {
    const spectrum_trainer *t = (const spectrum_trainer *)run;
    return spectrum_model_archive(&t->model, t->session.params, best, a);
}

/* The best model, read back as a user's program will, gets levels that hold, and is written again. Grid values are no
 * intervals. */
static tide_status set_levels(training *run, tide_failure *failure) {
    spectrum_trainer  *t   = (spectrum_trainer *)run;
    predictor_settings how = { .device = t->settings.graph.device, .threads = t->threads };
    tide_archive a = { 0 };
    predictor   *p = NULL;
    if (!recipe_kinds[t->settings.network.recipe].intervals) return TIDE_OK;
    tide_status status = training_tell(run, EIS_PROGRESS, "calibrating the intervals", failure);
    if (status == TIDE_OK) status = training_archive(run, fit_best(run->fit), &a, failure);
    if (status == TIDE_OK) status = predictor_take("the model", &a, &how, &p, failure);
    if (status == TIDE_OK) status = calibrate(p, &t->model, CALIBRATION_FIRST,
                                              MIN2(CALIBRATION_SPECTRA, run->options.pool_spectra), t->threads,
                                              failure);
    predictor_free(p);
    tide_archive_free(&a);
    return status == TIDE_OK && !run->in_memory ? training_save(run, fit_best(run->fit), failure) : status;
}

/* ---- beginning ---- */

static tide_status check(const spectrum_trainer *t, tide_failure *failure) {
    const eis_options *o = &t->run.options;
    if (o->circuit != EIS_SHUNT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "circuit",
                       "predictors from spectra support only the shunt circuit; `inputs` known trains on either");
    if (t->round_steps < 1)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "pool-spectra",
                       "`pool-spectra` is at least %d times `batch-size`, so %" PRId64 " or more",
                       POOL_BLOCKS / POOL_VISITS, POOL_BLOCKS / POOL_VISITS * t->settings.batch);
    if (!t->epochs && o->lradj != EIS_LR_AUTO && o->lradj != EIS_LR_CONSTANT)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "lradj",
                       "`lradj` falls over the epochs: give their number, `epochs`, beside `max-minutes`");
    return TIDE_OK;
}

static tide_status settle(spectrum_trainer *t, tide_failure *failure) {
    const eis_options *o = &t->run.options;
    spectrum_settings *s = &t->settings;
    t->threads  = o->threads ? (int)o->threads : os_cores();
    t->run.rate = o->learning_rate > 0 ? o->learning_rate : RATE;
    s->rule     = training_rule(&t->run, 0);
    s->rule.beta2 = BETA2;
    if (!(s->rule.grad_clip > 0)) s->rule.grad_clip = CLIP;
    s->network = (network_config){ (eis_recipe)o->recipe, o->hidden_dim ? o->hidden_dim : WIDTH };
    s->batch = t->run.batch = o->batch_size ? o->batch_size : EIS_SPECTRUM_BATCH;
    s->recompute    = o->recompute;
    t->round        = -1;
    t->run.possible = (double)NAN;
    t->model        = (spectrum_model){ .config = s->network, .seed = (uint64_t)o->seed };
    spectrum_model_plain_levels(&t->model);
    if (o->recipe == EIS_RECIPE_GRID) t->model.keep_out = o->keep_out;
    t->round_steps = o->pool_spectra / POOL_BLOCKS * POOL_VISITS / s->batch;
    t->epochs      = o->epochs ? o->epochs : o->max_minutes > 0 ? 0 : EPOCHS;
    tide_status status = check(t, failure);
    if (status == TIDE_OK) status = training_graph(o, &s->graph, failure);
    s->graph.threads = t->threads;
    return status;
}

static sampler_settings sampling(const spectrum_trainer *t) {
    return (sampler_settings){ .recipe = t->settings.network.recipe, .seed = t->model.seed,
                               .keep_out = t->model.keep_out };
}

typedef struct validation_rows { const pool *like; int64_t first; float *rows; } validation_rows;

static void make_validation_row(void *of, int64_t i, int thread) {
    const validation_rows *v = of;
    (void)thread;
    pool_row(&v->like->settings, SPLIT_VALIDATE, (uint64_t)(v->first + i), v->like->width,
             v->rows + i * v->like->stride);
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
        parallel_for(t->threads, size, 16, make_validation_row, &(validation_rows){ &t->pool, b * size, rows });
        for (int64_t i = 0; i < size; i++) t->row[i] = rows + i * stride;
        batch_fill(s.recipe, &t->pool.scale, t->row, s.seed, SPLIT_VALIDATE, (uint64_t)(b * size), t->threads,
                   &t->validation[b]);
    }
    free(rows);
    return fine ? TIDE_OK : no_memory(failure);
}

/* run.json holds what was trained with, not what was left open. */
static json_t *identity(const spectrum_trainer *t) {
    eis_options *o = malloc(sizeof *o);
    if (!o) return NULL;
    *o = t->run.options;
    o->epochs = t->epochs, o->batch_size = t->settings.batch, o->hidden_dim = t->settings.network.width;
    o->learning_rate = t->run.rate, o->grad_clip = t->settings.rule.grad_clip;
    json_t *all = training_identity(o, t->session.graph, spectrum_parameters(t), NULL);
    free(o);
    return all;
}

static tide_status open_folder(spectrum_trainer *t, tide_failure *failure) {
    static const char *const files[] = { "model.safetensors", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv",
                                         NULL };
    static const char *const free_names[] = { "max-minutes", "epochs", "max_minutes", "n_epochs", NULL };
    char name[32];
    snprintf(name, sizeof name, "eis-%s", recipe_kinds[t->settings.network.recipe].name);
    return training_open_folder(&t->run, name, files, identity(t), spectrum_description(t), free_names, failure);
}

static tide_status open_fit(spectrum_trainer *t, tide_failure *failure) {
    fit_plan  plan  = training_plan(&t->run, t->epochs, ROUNDS_AN_EPOCH * t->round_steps);
    fit_model model = { .step = &t->session.step, .rate = rate, .batch = next_batch, .validate = validate,
                        .validate_divides = true, .save = training_save };
    plan.by_clock = true;
    return training_open_fit(&t->run, &model, &plan, failure);
}

static tide_status make_spectra(spectrum_trainer *t, tide_failure *failure) {
    sampler_settings s = sampling(t);
    tide_status status = training_tell(&t->run, EIS_PROGRESS, "making the first spectra", failure);
    if (status == TIDE_OK) status = enter_round(t, fit_at(t->run.fit)->step, failure);
    t->model.scale = t->pool.scale;
    if (status == TIDE_OK) status = make_validation(t, failure);
    if (status == TIDE_OK && s.recipe == EIS_RECIPE_GRID &&
        !spectrum_ceiling(&s, CEILING_SPECTRA, t->threads, &t->run.possible))
        status = no_memory(failure);
    return status;
}

/* Where the steps are computed, beside them, if that is a device of its own. */
static tide_status open_maker(spectrum_trainer *t, tide_failure *failure) {
    static const char left[] = "the device has no double precision: spectra are made by the processor",
                      full[] = "no memory is left on the device to make spectra: they are made by the processor";
    sampler_settings s      = sampling(t);
    tide_device      device;
    int64_t          limit  = t->settings.graph.memory_limit, taken = tide_program_bytes(t->session.step.program).total;
    maker_settings   how    = { .device = t->settings.graph.device, .threads = t->threads,
                                .memory_limit = limit ? MAX2(limit - taken, 1) : 0,
                                .spectra = MIN2(t->pool.block, MAKER_SPECTRA) };
    tide_status      status = tide_device_info(how.device, &device, failure);
    if (status != TIDE_OK || !device.own_memory) return status;
    tide_failure why = { 0 };
    status = maker_open(&s, &how, &t->maker, &why);
    if (status == TIDE_ENOMEM) return training_tell(&t->run, EIS_NOTE, full, failure);
    if (status != TIDE_OK && failure) *failure = why;
    if (status != TIDE_OK) return status;
    if (!t->maker) return training_tell(&t->run, EIS_NOTE, left, failure);
    return pool_lend(&t->pool, t->maker) ? TIDE_OK : no_memory(failure);
}

static tide_status open_session(spectrum_trainer *t, tide_failure *failure) {
    sampler_settings s      = sampling(t);
    int64_t          size   = t->settings.batch;
    t->settings.visits      = s.recipe == EIS_RECIPE_GRID && strcmp(t->settings.graph.device, "cpu") != 0;
    tide_status      status = spectrum_session_open(&t->settings, &t->session, failure);
    if (status != TIDE_OK) return status;
    t->row = malloc((size_t)size * sizeof *t->row);
    bool room = t->settings.visits ? visits_new(size, &t->visits) : batch_new(s.recipe, size, &t->batch);
    if (!t->row || !room || !pool_new(&s, t->run.options.pool_spectra, t->threads, &t->pool)) return no_memory(failure);
    t->pool.ranks = t->run.ranks;
    status = training_tell_programs(&t->run, &t->session.step, failure);
    return status == TIDE_OK && t->settings.visits ? open_maker(t, failure) : status;
}

/* ---- on which device ---- */

typedef struct trial { const spectrum_trainer *of; spectrum_settings settings; spectrum_session session; batch batch;
} trial;

static tide_status open_trial(void *user, const char *device, train_sample *out, tide_failure *failure) {
    trial      *t      = user;
    tide_status status = training_graph_on(&t->of->run.options, device, &t->settings.graph, failure);
    if (status == TIDE_OK) status = spectrum_session_open(&t->settings, &t->session, failure);
    out->step = &t->session.step, out->count = SPECTRUM_FEEDS;
    spectrum_feeds(&t->session, &t->batch, out->feeds);
    return status;
}

static void close_trial(void *user) { spectrum_session_free(&((trial *)user)->session); }

/* Waves in place of spectra, which take longer to make than to learn from: a step's time is not its numbers'. */
static void make_up(eis_recipe recipe, batch *b) {
    int64_t cases = b->spectra * recipe_masks(recipe), known = cases * recipe_known(recipe),
            asked = cases * recipe_quantities(recipe), features = b->spectra * features_width(recipe);
    for (int64_t i = 0; i < features; i++) b->features[i] = (float)sin(0.37 * (double)i);
    for (int64_t i = 0; i < known; i++) b->known[i] = (float)(i % 5) / 5;
    for (int64_t i = 0; i < asked; i++) b->label[i] = 0, b->weight[i] = 1;
}

static tide_status tell_trial(void *user, const char *line, tide_failure *failure) {
    return training_tell(&((trial *)user)->of->run, EIS_NOTE, line, failure);
}

static tide_status choose_device(spectrum_trainer *t, tide_failure *failure) {
    eis_recipe recipe = t->settings.network.recipe;
    trial      of     = { .of = t, .settings = t->settings };
    if (!train_device_open(t->run.options.device)) return TIDE_OK;
    if (!batch_new(recipe, t->settings.batch, &of.batch)) return no_memory(failure);
    make_up(recipe, &of.batch);
    const train_trial how    = { &of, open_trial, close_trial, tell_trial };
    tide_status       status = training_device(&t->run, &how, &t->settings.graph, failure);
    batch_free(&of.batch);
    return status;
}

static tide_status prepare(training *run, tide_failure *failure) {
    spectrum_trainer *t      = (spectrum_trainer *)run;
    tide_status       status = settle(t, failure);
    if (status == TIDE_OK) status = choose_device(t, failure);
    if (status == TIDE_OK) status = open_session(t, failure);
    if (status == TIDE_OK) status = open_folder(t, failure);
    if (status == TIDE_OK) status = run_choices_fix(t->session.graph, failure);
    if (status == TIDE_OK) status = open_fit(t, failure);
    return status == TIDE_OK ? make_spectra(t, failure) : status;
}

static void release(training *run) {
    spectrum_trainer *t = (spectrum_trainer *)run;
    spectrum_session_free(&t->session);
    pool_free(&t->pool);
    maker_free(t->maker);
    batch_free(&t->batch);
    visits_free(&t->visits);
    for (int i = 0; i < VALIDATION_BATCHES; i++) batch_free(&t->validation[i]);
    free(t->row);
}

const training_kind spectrum_training = { .size = sizeof(spectrum_trainer), .samples = "spectra",
                                          .epoch_tone = EIS_NOTE, .open = prepare, .archive = archive,
                                          .end = set_levels, .report = spectrum_report, .close = release };
