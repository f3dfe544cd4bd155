/* The MLX guide's pipeline from end to end: data, a predictor, one circuit completed, a report. */
#include <tidemill/eis.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "base/base.h"
#include "complete.h"
#include "eis/answer/answer.h"
#include "eis/known/model.h"
#include "eis/report/report.h"
#include "eis/report/calibration.h"
#include "train/run.h"
#include "train.h"
#include "eis/dataset/shard.h"
#include "eis/circuit/simulate.h"

enum { PATH = EIS_TEXT_SIZE + 64, LONGEST_OUT = 900, ALL_CANDIDATES = 1000, NOTE = 512 };
#define DEFAULT_OUT "runs/eis"
#define DEMO_NOISE  0.01

typedef struct pipeline {
    const eis_options *options;
    eis_listener listener;
    void        *user;
    char         out[LONGEST_OUT + 1], model[PATH], spectrum[PATH], answer_folder[PATH], metrics[2 * PATH];
    ground_truth truth;
    bool         trained, known_alone;       /* a predictor that takes no spectrum */
    training_report training;
    eis_answer   with, without;              /* with the spectrum, and without it */
    calibration  calibration;                /* of a predictor that was trained here */
    text         talk;
} pipeline;

static tide_status note(const pipeline *p, const char *message, tide_failure *failure) {
    bool stop = eis_tell(p->listener, p->user, EIS_NOTE, message);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the report");
}

/* ---- data and predictor ---- */

static tide_status generate(pipeline *p, tide_failure *failure) {
    eis_result  r = { 0 };
    tide_status status = note(p, "1. data", failure);
    if (status == TIDE_OK) status = eis_generate(p->options, p->listener, p->user, &r, failure);
    if (status == TIDE_OK && r.text) text_add(&p->talk, "%s", r.text);
    eis_result_free(&r);
    return status;
}

static tide_status train(pipeline *p, tide_failure *failure) {
    eis_options o = *p->options;
    snprintf(o.out, sizeof o.out, "%s/model", p->out);
    tide_status status = note(p, "2. training", failure);
    if (status == TIDE_OK) status = train_whole(&o, p->listener, p->user, &p->training, failure);
    if (status != TIDE_OK) return status;
    text_add(&p->talk, "%s", p->training.text);
    p->trained = true;
    return TIDE_OK;
}

/* ---- the circuit ---- */

/* One that no training data hold: of those that another seed draws, the first around values of biology. */
static tide_status fresh_truth(pipeline *p, tide_failure *failure) {
    enum { DRAWN = 20 };
    ground_truth *g = ground_truths_draw(DRAWN, p->options->seed + 1000003);
    if (!g) return no_memory(failure);
    p->truth = g[0];
    for (int i = DRAWN - 1; i > 0; i--)
        if (!strncmp(g[i].id, "bio_", 4)) p->truth = g[i];
    snprintf(p->truth.id, sizeof p->truth.id, "held out");
    free(g);
    return TIDE_OK;
}

/* Ground truth 0 of the data, or what they would begin with. */
static tide_status first_truth(pipeline *p, tide_failure *failure) {
    char         path[PATH];
    shard        s;
    tide_failure unread = { 0 };
    snprintf(path, sizeof path, "%s/shard-00000.tmshard", p->options->data_dir);
    if (shard_open(path, &s, &unread) == TIDE_OK) {
        p->truth = s.truth[0];
        shard_close(&s);
        return TIDE_OK;
    }
    ground_truth *g = ground_truths_draw(p->options->n_ground_truths, p->options->seed);
    if (!g) return no_memory(failure);
    p->truth = g[0];
    free(g);
    return TIDE_OK;
}

static tide_status make_spectrum(pipeline *p, tide_failure *failure) {
    simulation s = { .circuit = (eis_circuit)p->options->circuit, .noise = DEMO_NOISE, .seed = p->options->seed };
    memcpy(s.p, p->truth.p, sizeof s.p);
    char        path[FOLDER_PATH];
    tide_status status = owned_claim_file(p->out, "spectrum.csv", path, failure);
    return status == TIDE_OK ? simulation_write(&s, p->spectrum, failure) : status;
}

/* Rsh, Ra and Rb are known, Ca and Cb are missing. */
static void ask(const pipeline *p, eis_options *o) {
    *o = *p->options;
    o->known[0] = o->spectra[0] = o->out[0] = 0;
    for (int k = EIS_RSH; k <= EIS_RB; k++) {
        char number[32];
        num_format(number, p->truth.p[k], false);
        snprintf(o->known + strlen(o->known), sizeof o->known - strlen(o->known), "%s%s=%s", k ? "," : "",
                 eis_parameters[k].name, number);
    }
    o->top_k = ALL_CANDIDATES;
    snprintf(o->rs, sizeof o->rs, "0");
}

static tide_status complete_with_spectrum(pipeline *p, tide_failure *failure) {
    eis_options o;
    eis_result  r = { 0 };
    tide_failure refused = { 0 };
    ask(p, &o);
    o.method = EIS_REFINED;
    snprintf(o.noise, sizeof o.noise, "%g%%", 100 * DEMO_NOISE);
    snprintf(o.spectra, sizeof o.spectra, "%s", p->spectrum);
    snprintf(o.out, sizeof o.out, "%.*s", (int)sizeof o.out - 1, p->answer_folder);
    tide_status status = complete_keeping(&o, p->listener, p->user, &r, &p->with, &refused);
    if (status == TIDE_EDEVICE) { /* a build without cminpack */
        o.method = EIS_EXACT;
        refused  = (tide_failure){ 0 };
        status   = complete_keeping(&o, p->listener, p->user, &r, &p->with, &refused);
    }
    eis_result_free(&r);
    if (status != TIDE_OK) *failure = refused;
    return status;
}

/* What the trained predictor says: from the known values alone if that is all that it takes. */
static tide_status complete_by_network(pipeline *p, tide_failure *failure) {
    eis_options o;
    eis_result  r = { 0 };
    ask(p, &o);
    o.method = EIS_NETWORK;
    snprintf(o.model, sizeof o.model, "%.*s", (int)sizeof o.model - 1, p->model);
    if (!p->known_alone) snprintf(o.spectra, sizeof o.spectra, "%s", p->spectrum);
    tide_status status = complete_keeping(&o, p->listener, p->user, &r, &p->without, failure);
    eis_result_free(&r);
    return status;
}

/* Of a predictor that was trained here. */
static tide_status calibrate(pipeline *p, tide_failure *failure) {
    if (!p->trained) return TIDE_OK;
    if (p->known_alone) return known_calibration(p->options, p->model, &p->calibration, failure);
    return spectrum_calibration(p->options, p->model, p->listener, p->user, &p->calibration, failure);
}

/* ---- what it came to ---- */

static void put_best(const eis_answer *answer, const char *name, text *out) {
    double p[EIS_WITH_RS];
    char   a[32], b[32];
    if (!report_candidate(answer, 0, p)) return;
    text_add(out, "%s: Ca = %sF, Cb = %sF, ", name, si_format(a, p[EIS_CA], 3), si_format(b, p[EIS_CB], 3));
    text_add(out, "probability %.4f\n", answer->candidate[0].probability);
}

/* The difference that a spectrum makes. */
static void tell_difference(const pipeline *p, text *out) {
    char number[EIS_COUNT][32];
    for (int k = 0; k < EIS_COUNT; k++) si_format(number[k], p->truth.p[k], 4);
    text_add(out, "Circuit %s: Rsh = %sohm, Ra = %sohm and Rb = %sohm are known; Ca = %sF and Cb = %sF are to be "
                  "found.\n", p->truth.id,
             number[0], number[1], number[2], number[3], number[4]);
    put_best(&p->without,
             p->known_alone ? "  the predictor, from the known values alone" : "  the predictor, with the spectrum",
             out);
    put_best(&p->with, "  the refined answer, with the spectrum", out);
    text_add(out, "The spectrum is computed from this circuit, with %g %% noise: it is not a measurement.%s\n",
             100 * DEMO_NOISE,
             p->known_alone ? " It is what known values alone cannot replace: complete it with `spectrum` FILE"
                            : "");
    text_add(out, "report: %s/report.html\n", p->out);
}

static const char *const calibration_of[] = {
    "Calibration: the probability that the predictor gives to its most probable value of a "
    "missing parameter, against how often that is right, on fresh spectra "
    "with 1 % noise.",
    "Calibration: the probability that the predictor gives to its most "
    "probable value of a "
    "missing parameter, against how often that is right, on 1,000 fresh "
    "rows of the data "
    "with three known values each."
};

static tide_status write_report(const pipeline *p, const char *intro, tide_failure *failure) {
    eis_spectrum spectrum = { 0 };
    report r = {
        .folder = p->out, .title = "Tidemill: missing circuit parameters", .intro = intro,
        .answer = &p->with, .other = &p->without,
        .answer_name = p->known_alone ? "with the spectrum" : "refined",
        .other_name = p->known_alone ? "known values alone" : "predictor",
        .training = p->trained ? &p->training : NULL,
        .metrics = p->trained ? p->metrics : NULL,
        .calibration = p->trained ? &p->calibration : NULL,
        .calibration_of = calibration_of[p->known_alone],
        .truth = p->truth.p,
        .spectrum = &spectrum,
        .candidates = p->options->top_k,
        .spectrum_note =
            "The spectrum was computed from this circuit, with normal noise of 1 % of |Z| in each part: it is not a "
            "measurement."
    };
    tide_status status = eis_spectrum_read(p->spectrum, false, &spectrum, failure);
    if (status == TIDE_OK) status = report_write(&r, failure);
    eis_spectrum_free(&spectrum);
    return status;
}

/* As eis_complete has it. */
static json_t *result_of(const eis_answer *a) { return answer_result(json_pack("[o]", answer_json(answer_of(a)))); }

static tide_status finish(pipeline *p, eis_result *result, tide_failure *failure) {
    char     intro[NOTE], html[PATH];
    json_t  *all = json_pack("{s:i, s:s, s:s}", "schema_version", 1, "command", "eis full", "circuit_id", p->truth.id);
    snprintf(intro, sizeof intro,
             "%s: Rsh, Ra and Rb are given as known, Ca and Cb are asked for, and the circuit itself is the truth to "
             "compare with.",
             p->trained ? "A circuit that is in no training data" : "Ground truth 0 of the data");
    tide_status status = write_report(p, intro, failure);
    if (status != TIDE_OK) return json_decref(all), status;
    tell_difference(p, &p->talk);
    snprintf(html, sizeof html, "%s/report.html", p->out);
    json_object_set_new(all, "report", json_string(html));
    json_object_set_new(all, "answer", result_of(&p->with));
    json_object_set_new(all, "network_answer", result_of(&p->without));
    if (p->trained) json_object_set(all, "training", p->training.json);
    result->json = json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(all);
    if (!p->talk.failed && p->talk.data) result->text = strdup(p->talk.data);
    return result->json && result->text ? TIDE_OK : no_memory(failure);
}

static tide_status run(pipeline *p, eis_result *result, tide_failure *failure) {
    const eis_options *o = p->options;
    bool        given  = *o->model != 0;
    if (!given && o->inputs == EIS_INPUTS_SPECTRUM && o->recipe == EIS_RECIPE_CELL)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "recipe",
                       "a predictor of the recipe cell completes no circuit: `recipe` lab or grid, or `eis train`");
    tide_status status = make_folders(p->out, failure);
    if (status == TIDE_OK)
        status =
            owned_check(p->out, (const char *const[]){ "spectrum.csv", "report.json", "report.html", NULL }, failure);
    if (status == TIDE_OK && !given && o->inputs == EIS_INPUTS_KNOWN) status = generate(p, failure);
    if (status == TIDE_OK && !given) status = train(p, failure);
    p->known_alone = known_model_is(p->model);
    if (status == TIDE_OK) status = given ? first_truth(p, failure) : fresh_truth(p, failure);
    if (status == TIDE_OK)
        status = note(
            p, given ? "completing ground truth 0 of the data" : "3. completing a circuit that is in no training data",
            failure);
    if (status == TIDE_OK) status = make_spectrum(p, failure);
    if (status == TIDE_OK) status = complete_by_network(p, failure);
    if (status == TIDE_OK) status = complete_with_spectrum(p, failure);
    if (status == TIDE_OK) status = calibrate(p, failure);
    return status == TIDE_OK ? finish(p, result, failure) : status;
}

tide_status eis_full(const eis_options *options, eis_listener listener, void *user, eis_result *result,
                     tide_failure *failure) {
    failure_clear(failure);
    tide_status good = arguments_good(options, result, failure);
    if (good != TIDE_OK) return good;
    pipeline     p = { .options = options, .listener = listener, .user = user };
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    if (strlen(options->out) > LONGEST_OUT)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "out", "`out` is longer than %d bytes", LONGEST_OUT);
    snprintf(p.out, sizeof p.out, "%s", *options->out ? options->out : DEFAULT_OUT);
    if (*options->model) snprintf(p.model, sizeof p.model, "%s", options->model);
    else snprintf(p.model, sizeof p.model, "%s/model", p.out);
    snprintf(p.spectrum, sizeof p.spectrum, "%s/spectrum.csv", p.out);
    snprintf(p.answer_folder, sizeof p.answer_folder, "%s/answer", p.out);
    snprintf(p.metrics, sizeof p.metrics, "%s/metrics.csv", p.model);
    tide_status status = run(&p, result, f);
    eis_answer_free(&p.with), eis_answer_free(&p.without);
    training_report_free(&p.training);
    text_free(&p.talk);
    if (status != TIDE_OK) eis_result_free(result);
    return status;
}
