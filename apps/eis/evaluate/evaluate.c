/* tidemill eis evaluate, below the command line. */
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "grid.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/philox.h"
#include "eis/known/model.h"
#include "eis/circuit/noise.h"
#include "files/owned.h"
#include "train/device.h"
#include "train/run.h"
#include "eis/options/wanted_precision.h"

enum { SCHEMA_VERSION = 1, SITE_TEST_MASK = 0x544d4b, SEEDS = 1 << 20 };

/* ---- the questions ---- */

unsigned test_mask(const evaluation *e, int64_t number, int which) {
    unsigned of_size[1 << EIS_COUNT], count = 0;
    for (unsigned mask = 1; mask < 1u << EIS_COUNT; mask++)
        if (__builtin_popcount(mask) == which + 1) of_size[count++] = mask;
    uint32_t word = philox_word((uint64_t)e->options->seed, (uint32_t)number, SITE_TEST_MASK, (uint32_t)(number >> 32),
                                (uint32_t)which);
    return of_size[(uint64_t)word * count >> 32];
}

/* Which cells were kept out goes by the seed of the training; --seed says which part of the test spectra is used. */
sampler_settings test_settings(const evaluation *e, double noise, bool kept_out) {
    const spectrum_model *m = predictor_model(e->predictor);
    return (sampler_settings){
        .recipe = m->config.recipe, .seed = m->seed, .keep_out = m->keep_out, .kept_out_only = kept_out, .noise = noise
    };
}

/* Spectra for testing are of all cells: those of cells kept out are drawn again when they are not asked for. */
void test_draw(const evaluation *e, const sampler_settings *s, int64_t number, sample *out) {
    uint64_t at = (uint64_t)(e->options->seed % SEEDS) << 32 | (uint64_t)number;
    for (uint64_t attempt = 0;; attempt++) {
        sample_draw(s, SPLIT_TEST, at | attempt << 52, out);
        if (s->recipe != EIS_RECIPE_GRID || s->kept_out_only || !cell_kept_out(s, out->index)) return;
    }
}

tide_status evaluation_progress(const evaluation *e, const char *what, double noise, int64_t done,
                                tide_failure *failure) {
    char line[160], level[32] = "";
    if (!e->listener) return TIDE_OK;
    if (noise > 0) snprintf(level, sizeof level, ", noise %g %%", 100 * noise);
    snprintf(line, sizeof line, "%s%s: %" PRId64 " spectra done", what, level, done);
    eis_event event = eis_event_of(EIS_PROGRESS, line);
    event.done      = done;
    return e->listener(e->user, &event) ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

/* ---- the command ---- */

static tide_status bad_noise(const char *given, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise",
                   "`noise` for evaluate is a list such as 0.1%%,1%%,5%%, at most %d of them, each a share of |Z| "
                   "from 1e-6 "
                   "to 0.5; not '%s'",
                   NOISES_MOST, given);
}

/* "auto" is the three levels of the published figures, or what a lab or cell model was trained on. */
static tide_status parse_noises(const char *given, eis_recipe recipe, evaluation *e, tide_failure *failure) {
    static const char usual[] = "0.001,0.01,0.05";
    bool        automatic = !*given || !strcmp(given, "auto");
    const char *at        = automatic ? usual : given;
    char       *end;
    if (automatic && recipe != EIS_RECIPE_GRID) {
        e->noises = 1, e->noise[0] = 0;
        return TIDE_OK;
    }
    for (; e->noises < NOISES_MOST; at = end + 1) {
        if (!noise_parse(at, &end, &e->noise[e->noises++])) return bad_noise(given, failure);
        if (!*end) return TIDE_OK;
        if (*end != ',') break;
    }
    return bad_noise(given, failure);
}

/* The grid's exact posteriors go to the predictor's device, unless that is the processor. */
static tide_status open_exact(evaluation *e, eis_recipe recipe, tide_failure *failure) {
    const eis_options *o = e->options;
    sample one;
    exact_batch_settings with = { .device = e->device, .threads = e->threads, .scores = true,
                                  .spectra = MIN2(o->test_spectra, GRID_GROUP) };
    if (recipe != EIS_RECIPE_GRID || !strcmp(e->device, "cpu")) return TIDE_OK;
    sample_draw(&(sampler_settings){ .recipe = recipe }, SPLIT_TEST, 0, &one); /* for its frequencies */
    tide_status status = train_memory_limit(o->memory_limit, e->device, &with.memory_limit, failure);
    if (status == TIDE_OK) status = exact_batch_open(&with, one.count, one.freq_hz, &e->exact, failure);
    const char *note = status == TIDE_OK ? exact_batch_note(e->exact) : "";
    bool        stop = *note && eis_tell(e->listener, e->user, EIS_WARNING, note);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped") : status;
}

/* ---- with other processes ---- */

static tide_status refuse_known(tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "join",
                   "a predictor from known values alone is scored within a second: start it once, without `join` and "
                   "mpirun");
}

/* What all must have the same; `auto` may be another device on another machine. */
static json_t *words_of(const evaluation *e) {
    const eis_options *o = e->options;
    json_t *words = json_with(pieces_options(eis_table(), o, EIS_FOR_EVALUATE), "device", json_string(e->device));
    return json_with(words, "model", joined_model(o->model));
}

static tide_status join(const evaluation *e, tide_failure *failure) {
    if (!e->joined) return TIDE_OK;
    tide_status status = make_folders(e->options->out, failure);
    return status == TIDE_OK ? joined_enter(e->options->out, words_of(e), e->joined, failure) : status;
}

/* ---- all ---- */

typedef tide_status evaluating(const evaluation *e, json_t *report, text *talk, tide_failure *failure);
static evaluating *const evaluations[RECIPES] = {
    [EIS_RECIPE_LAB] = evaluate_lab, [EIS_RECIPE_GRID] = evaluate_grid, [EIS_RECIPE_CELL] = evaluate_cell
};

static tide_status evaluate(evaluation *e, json_t *report, text *talk, tide_failure *failure) {
    const eis_options *o = e->options;
    if (known_model_is(o->model))
        return e->joined ? refuse_known(failure) : evaluate_known(e, report, talk, failure);
    train_device_of_run(o->device, o->model, o->test_spectra, e->device);
    const predictor_settings with = { .device = e->device, .threads = e->threads, .precision = wanted_precision(o),
                                      .strict = o->strict, .mode = wanted_mode(o) };
    tide_status status = predictor_open(o->model, &with, &e->predictor, failure);
    if (status != TIDE_OK) return status;
    const char *why = predictor_note(e->predictor);
    char line[RUN_LINE], warning[PRECISION_LINE];
    bool stop = *why && eis_tell(e->listener, e->user, EIS_WARNING, precision_warning(warning, why));
    if (!stop && e->listener && run_choices_told(predictor_graph(e->predictor), line))
        stop = eis_tell(e->listener, e->user, EIS_NOTE, line);
    if (stop) return fail(failure, TIDE_ECANCELLED, "stopped");
    const spectrum_model *m = predictor_model(e->predictor);
    const char *recipe = recipe_kinds[m->config.recipe].name;
    status             = parse_noises(o->noise, m->config.recipe, e, failure);
    if (status == TIDE_OK) status = open_exact(e, m->config.recipe, failure);
    if (status == TIDE_OK) status = join(e, failure);
    if (status != TIDE_OK) return status;
    text_add(talk, "%s: %s recipe, %" PRId64 " test spectra per noise level%s\n", o->model, recipe, o->test_spectra,
             m->config.recipe == EIS_RECIPE_CELL
                 ? ""
                 : ", each with five questions: one random set of 1, 2, 3, 4 and 5 missing parameters");
    json_object_set_new(report, "recipe", json_string(recipe));
    return evaluations[m->config.recipe](e, report, talk, failure);
}

static tide_status put_result(json_t *report, text *talk, eis_result *result, tide_failure *failure) {
    result->json = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(8));
    result->text = talk->failed ? NULL : strdup(talk->data);
    return result->json && result->text ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
}

typedef struct ending { const eis_options *options; const json_t *report; const eis_result *result; } ending;

static tide_status write_files(void *user, tide_failure *failure) {
    const ending *e = user;
    return evaluate_files(e->options, e->report, e->result, failure);
}

static tide_status put_files(const evaluation *e, const json_t *report, const eis_result *result,
                             tide_failure *failure) {
    const eis_options *o = e->options;
    ending end = { o, report, result };
    if (!*o->out) return TIDE_OK;
    if (e->joined) return joined_once(e->joined, write_files, &end, failure);
    tide_status status = write_files(&end, failure);
    joined_forget(o->out);
    owned_release(o->out);
    return status;
}

/* `joined`: NULL, or for what other processes share. */
static tide_status evaluate_with(const eis_options *options, joined_folder *joined, eis_listener listener, void *user,
                                 calibration *first, eis_result *result, tide_failure *f) {
    evaluation e = {
        .options = options, .listener = listener, .user = user, .first = first, .joined = joined,
        .threads = options->threads ? (int)options->threads : os_cores()
    };
    text   talk  = { 0 };
    double begin = os_seconds();
    if (!*options->model)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "model", "`model` RUN is needed: the folder of a trained predictor");
    json_t *report =
        json_pack("{s:i, s:s, s:s, s:I, s:I}", "schema_version", SCHEMA_VERSION, "command", "eis evaluate", "model",
                  options->model, "test_spectra", (json_int_t)options->test_spectra, "seed", (json_int_t)options->seed);
    tide_status status = report ? evaluate(&e, report, &talk, f) : fail(f, TIDE_ENOMEM, "out of memory for the report");
    if (status == TIDE_OK) {
        json_object_set_new(report, "seconds", json_real(os_seconds() - begin));
        status = put_result(report, &talk, result, f);
        if (status == TIDE_OK) status = put_files(&e, report, result, f);
    }
    predictor_free(e.predictor);
    exact_batch_free(e.exact);
    json_decref(report);
    text_free(&talk);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}

tide_status evaluate_options(const eis_options *options, eis_listener listener, void *user, calibration *first,
                             eis_result *result, tide_failure *failure) {
    tide_failure own = { 0 };
    return evaluate_with(options, NULL, listener, user, first, result, failure ? failure : &own);
}

tide_status eis_evaluate(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                         tide_failure *failure) {
    failure_clear(failure);
    tide_failure  own    = { 0 }, *f = failure ? failure : &own;
    tide_status   status = arguments_good(options, result, f);
    joined_folder joined = { .lock = -1 };
    if (status == TIDE_OK && options->join && !*options->out)
        status = fail_at(f, TIDE_EINVAL, NULL, 0, "join", "`join` needs `out`, a folder that all processes see");
    if (status != TIDE_OK) return status;
    status = evaluate_with(options, options->join ? &joined : NULL, listener, user, NULL, result, f);
    joined_leave(&joined, status == TIDE_OK);
    return status;
}
