/* The network of known values as a model of src/train: rows drawn once and shuffled each epoch, half a cosine over all
 * steps, ground truths that were held out as validation. */
#include "train.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/rng.h"
#include "trainer.h"

enum { HIDDEN = 512, EPOCHS = 100, STREAM_SHUFFLE = 1000 };
static const double RATE = 1e-3;

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the training run"); }

/* ---- the model ---- */

static double rate(void *user, const fit_place *at) {
    const known_trainer *t = user;
    double own = t->run.rate;
    if (t->run.options.compat != EIS_COMPAT_MLX)
        own = 0.5 * own * (1 + cos(3.14159265358979323846 * (double)at->step / (double)at->steps));
    return training_rate(&t->run, at, own);
}

static tide_status shuffle(void *user, const fit_place *at, tide_failure *failure) {
    known_trainer *t = user;
    rng            r = { .seed = t->settings.graph.seed, .stream = STREAM_SHUFFLE + (uint32_t)at->epoch };
    (void)failure;
    for (int64_t i = 0; i < t->samples; i++) t->order[i] = (int32_t)i;
    for (int64_t i = t->samples - 1; i > 0; i--) {
        int64_t j    = (int64_t)(rng_unit(&r) * (double)(i + 1));
        int32_t kept = t->order[i];
        t->order[i]  = t->order[j];
        t->order[j]  = kept;
    }
    return TIDE_OK;
}

static tide_status batch(void *user, const fit_place *at, train_feed *feeds, int *count, tide_failure *failure) {
    known_trainer *t     = user;
    int64_t        first = at->batch * t->session.batch;
    return known_session_feeds(&t->session, t->order + first, MIN2(t->session.batch, t->samples - first), feeds, count,
                               failure);
}

static tide_status validate(void *user, const fit_place *at, double row[FIT_VALUES], tide_failure *failure) {
    known_trainer *t = user;
    known_score    score;
    (void)at;
    tide_status status = known_session_score(&t->session, known_task_validation(&t->task), &score, failure);
    row[FIT_VAL_LOSS] = score.loss, row[FIT_VAL_METRIC] = score.accuracy.top1;
    row[FIT_POSSIBLE] = t->run.possible;
    return status;
}

static tide_status archive(const training *run, const tide_snapshot_t *best, tide_archive *a) {
    static const char *const mask_names[] = { [EIS_MASKS_MLX] = "mlx", [EIS_MASKS_ALL] = "all" };
    const known_trainer *t    = (const known_trainer *)run;
    known_card           card = { .circuit_given = true, .circuit = t->task.data.circuit, .scale = t->task.scale };
    snprintf(card.resnorm_kind, sizeof card.resnorm_kind, "%s", t->task.data.resnorm_kind);
    snprintf(card.pool, sizeof card.pool, "%s", run->options.pool);
    snprintf(card.masks, sizeof card.masks, "%s", mask_names[run->options.masks]);
    return known_model_archive(&t->session.network.sizes, &card, t->session.network.params, best, a);
}

static tide_status save(void *user, const tide_snapshot_t *best, tide_failure *failure) {
    const known_trainer *t = user;
    char                 path[FOLDER_PATH];
    tide_status          status = training_save(user, best, failure);
    if (status == TIDE_OK)
        status = owned_claim_file(t->run.folder.path, "best_eis_predictor_mlx.npz", path, failure);
    return status == TIDE_OK ? known_npz_write(path, &t->session.network, best, failure) : status;
}

/* ---- beginning ---- */

static tide_status tell_data(const known_trainer *t, tide_failure *f) {
    const known_task *k = &t->task;
    char        line[EIS_TEXT_SIZE];
    tide_status status = TIDE_OK;
    snprintf(line, sizeof line, "the data are a CSV, of the %s circuit",
             k->data.circuit == EIS_CHAIN ? "chain" : "shunt");
    if (k->from_csv) status = training_tell(&t->run, EIS_NOTE, line, f);
    if (status != TIDE_OK) return status;
    snprintf(line, sizeof line,
             "%" PRId64 " rows of %" PRId64 " ground truths (%" PRId64 " held out); pool %s: %" PRId64 " rows, %" PRId64
             " training samples",
             k->data.rows, k->data.truths, k->held_count, t->run.options.pool, k->pool.count, t->samples);
    return training_tell(&t->run, EIS_NOTE, line, f);
}

static tide_status settle(known_trainer *t, tide_failure *f) {
    const eis_options *o = &t->run.options;
    known_settings    *s = &t->settings;
    t->samples      = t->task.train.count;
    t->run.rate     = o->learning_rate > 0 ? o->learning_rate : RATE;
    t->run.possible = t->task.ceiling.top1;
    s->rule         = training_rule(&t->run, t->run.rate);
    s->rule.no_bias_correction = o->compat == EIS_COMPAT_MLX;
    s->batch = MIN2(o->batch_size ? o->batch_size : EIS_KNOWN_BATCH, t->samples);
    s->hidden = o->hidden_dim ? o->hidden_dim : HIDDEN, s->points = t->task.data.points;
    t->run.batch = s->batch;
    if (s->hidden < 2) return fail_at(f, TIDE_EINVAL, NULL, 0, "hidden-dim", "`hidden-dim` is from 2");
    if (o->recompute)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "recompute",
                       "`recompute` is for predictors from spectra: the network of known inputs has no blocks to "
                       "compute again; `accumulate` needs less memory");
    return training_graph(o, &s->graph, f);
}

/* ---- on which device ---- */

typedef struct trial { const known_trainer *of; known_settings settings; known_session session; int32_t *samples;
} trial;

static tide_status open_trial(void *user, const char *device, train_sample *out, tide_failure *f) {
    trial      *t      = user;
    tide_status status = training_graph_on(&t->of->run.options, device, &t->settings.graph, f);
    t->settings.rule.ranks = NULL; /* it is tried by rank 0 alone, on the samples that it has */
    if (status == TIDE_OK) status = known_session_open(&t->settings, &t->of->task.train, &t->session, f);
    out->step = &t->session.step;
    if (status != TIDE_OK) return status;
    return known_session_feeds(&t->session, t->samples, t->settings.batch, out->feeds, &out->count, f);
}

static void close_trial(void *user) { known_session_close(&((trial *)user)->session); }

static tide_status tell_trial(void *user, const char *line, tide_failure *f) {
    return training_tell(&((trial *)user)->of->run, EIS_NOTE, line, f);
}

static tide_status choose_device(known_trainer *t, tide_failure *f) {
    trial of = { .of = t, .settings = t->settings, .samples = malloc((size_t)t->settings.batch * sizeof(int32_t)) };
    if (!of.samples) return no_memory(f);
    for (int64_t i = 0; i < t->settings.batch; i++) of.samples[i] = (int32_t)(i % t->task.train.held);
    const train_trial how    = { &of, open_trial, close_trial, tell_trial };
    tide_status       status = training_device(&t->run, &how, &t->settings.graph, f);
    free(of.samples);
    return status;
}

static tide_status open_folder(known_trainer *t, tide_failure *f) {
    static const char *const files[] = {
        "model.safetensors", "best_eis_predictor_mlx.npz", "loss.svg", "loss.csv", "accuracy.svg", "accuracy.csv", NULL
    };
    const known_data *d    = &t->task.data;
    json_t           *data = json_pack("{s:s, s:I, s:I}", "set", d->identity, "ground_truths", (json_int_t)d->truths,
                                       "rows", (json_int_t)d->rows);
    json_t *now = training_identity(&t->run.options, t->session.graph, known_network_count(&t->session.network), data);
    return training_open_folder(&t->run, "eis-known", files, now, NULL, (const char *const[]){ NULL }, f);
}

static tide_status open_fit(known_trainer *t, tide_failure *f) {
    const eis_options *o     = &t->run.options;
    fit_plan           plan  = training_plan(&t->run, o->epochs ? o->epochs : EPOCHS,
                                             ceil_div(t->samples, t->session.batch));
    fit_model          model = { .step = &t->session.step, .rate = rate, .enter = shuffle, .batch = batch,
                                 .validate = validate, .save = save };
    t->order = malloc((size_t)t->samples * sizeof *t->order + 1);
    return t->order ? training_open_fit(&t->run, &model, &plan, f) : no_memory(f);
}

static tide_status prepare(training *run, tide_failure *f) {
    known_trainer *t      = (known_trainer *)run;
    tide_status    status = known_task_open(&run->options, run->ranks, &t->task, f);
    if (status == TIDE_OK) status = settle(t, f);
    if (status == TIDE_OK) status = choose_device(t, f);
    if (status == TIDE_OK) status = known_session_open(&t->settings, &t->task.train, &t->session, f);
    if (!run->ranks) known_samples_free(&t->task.train); /* the graph has a copy */
    if (status == TIDE_OK) status = training_tell_programs(run, &t->session.step, f);
    if (status == TIDE_OK) status = open_folder(t, f);
    if (status == TIDE_OK) status = run_choices_fix(t->session.graph, f);
    if (status == TIDE_OK) status = tell_data(t, f);
    return status == TIDE_OK ? open_fit(t, f) : status;
}

static void release(training *run) {
    known_trainer *t = (known_trainer *)run;
    known_session_close(&t->session);
    known_task_close(&t->task);
    free(t->order);
}

const training_kind known_training = { .size = sizeof(known_trainer), .samples = "samples",
                                       .epoch_tone = EIS_PROGRESS, .open = prepare, .archive = archive,
                                       .report = known_report, .close = release };
