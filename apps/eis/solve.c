/* A question from options, a spectrum and known values, and its answer. The listener is asked all the while. */
#include "solve.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "eis/circuit/noise.h"
#include "eis/circuit/parameters.h"
#include "eis/options/arguments.h"
#include "eis/options/tell.h"
#include "eis/posterior/cells_device.h"
#include "train/device.h"

/* ---- who is told ---- */

tide_status asked_tell(const asked *a, eis_tone tone, const char *message, tide_failure *failure) {
    eis_event event = eis_event_of(tone, message);
    event.spectrum  = a->number, event.spectra = a->count;
    event.seconds   = os_seconds() - a->began_s;
    bool stop = a->listener && a->listener(a->user, &event);
    return stop ? fail(failure, TIDE_ECANCELLED, "stopped") : TIDE_OK;
}

static bool working(void *user) {
    static const double every_s = 0.01;
    asked  *a   = user;
    double  now = os_seconds();
    if (now - a->told_s < every_s) return false;
    a->told_s = now;
    return asked_tell(a, EIS_WORKING, "", NULL) != TIDE_OK;
}

/* ---- the question ---- */

/* "1%", "0.01", "auto". */
static tide_status parse_noise(const char *given, double *out, tide_failure *failure) {
    char *end;
    *out = NAN;
    if (!*given || !strcmp(given, "auto")) return TIDE_OK;
    bool fine = noise_parse(given, &end, out) && !*end;
    if (fine && *out > 0.1 && !strchr(given, '%'))
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise",
                       "`noise` %s would be %.3g %% of |Z|: write %s%% or, if that is meant, %.3g%%", given, 100 * *out,
                       given, 100 * *out);
    if (fine) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "noise",
                   "`noise` is a share of |Z| from 1e-6 to 0.5, such as 1%% or 0.01, or auto; not '%s'", given);
}

static bool is_auto(const char *given) { return !*given || !strcmp(given, "auto"); }

/* Measured spectra have a solution resistance. In a chain without a known Rsh the two cannot be told apart. */
static bool auto_is_free(const asked *a) {
    return a->spectrum && (a->question.circuit == EIS_SHUNT || a->question.known.is[EIS_RSH]);
}

static tide_status parse_rs(asked *a, tide_failure *failure) {
    const char *rs = a->options->rs;
    question   *q  = &a->question;
    q->rs_ohm = NAN;
    if (is_auto(rs)) q->rs_ohm = auto_is_free(a) ? NAN : 0;
    if (is_auto(rs) || !strcmp(rs, "free")) return TIDE_OK;
    if (eis_quantity_parse(rs, "ohm", &q->rs_ohm) && q->rs_ohm >= 0 && q->rs_ohm <= RS_GIVEN_MOST) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs", "`rs` is ohms from 0 to 1e6, free, or auto; not '%s'", rs);
}

/* A model asks for the network, and so does having no spectrum; else the answer that needs no model. */
static eis_method method_of(const eis_options *o, bool spectrum, bool model) {
    if (o->method != EIS_METHOD_AUTO) return (eis_method)o->method;
    return model || !spectrum ? EIS_NETWORK : EIS_REFINED;
}

bool wants_model(const eis_options *o, bool spectrum) {
    return *o->model && method_of(o, spectrum, true) == EIS_NETWORK;
}

static tide_status check_labels(const asked *a, tide_failure *failure) {
    const eis_known *k = &a->question.known;
    bool all = k->is[EIS_RA] && k->is[EIS_RB] && k->is[EIS_CA] && k->is[EIS_CB];
    if (!a->options->canonical || !all ||
        k->value[EIS_RA] * k->value[EIS_CA] >= k->value[EIS_RB] * k->value[EIS_CB])
        return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "canonical",
                   "`canonical`: with these values a is the faster membrane");
}

static tide_status check_needs(const asked *a, tide_failure *failure) {
    const question *q = &a->question;
    if (q->robust && q->method != EIS_REFINED)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "robust", "`robust` is for `method` refined, with a spectrum");
    if (!a->spectrum && q->method != EIS_NETWORK)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "spectrum",
                       "`spectrum` FILE is needed: the known values alone do not determine the missing ones");
    if (a->spectrum && q->method == EIS_NETWORK && !a->model && !*a->options->model)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "model",
                       "`method` network needs `model` RUN, the folder of a trained predictor (tidemill eis train)");
    if (a->spectrum && q->circuit == EIS_CHAIN && isnan(q->rs_ohm) && !q->known.is[EIS_RSH])
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "rs",
                       "in the chain circuit only Rs + Rsh is seen: give `rs` OHM or `known` Rsh=...");
    return check_labels(a, failure);
}

/* Within what a text could say; and, with a spectrum, of the grid where the method is bound to it. */
static tide_status check_known(const question *q, bool spectrum, tide_failure *failure) {
    const ranges *r = q->method == EIS_REFINED || !spectrum ? &usual_ranges : &grid_ranges;
    for (int i = 0; i < EIS_COUNT; i++) {
        const eis_parameter *p = &eis_parameters[i];
        if (!q->known.is[i] || (q->known.value[i] >= r->low[i] && q->known.value[i] <= r->high[i])) continue;
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "known", "%s is %g %s; it must be %g..%g %s%s", p->name,
                       q->known.value[i], p->unit, r->low[i], r->high[i], p->unit,
                       r == &grid_ranges ? " for this method, whose grid ends there; `method` refined goes beyond"
                                         : "");
    }
    return TIDE_OK;
}

/* The grid and the predictors have ranges of their own. */
static tide_status parse_range(const char *given, question *q, tide_failure *failure) {
    q->range = q->method == EIS_REFINED ? usual_ranges : grid_ranges;
    if (*given && q->method != EIS_REFINED)
        return fail_at(
            failure, TIDE_EINVAL, NULL, 0, "range",
            "`range` is for `method` refined: the grid and the predictors end at 10 ohm to 10 kohm, 100 nF to "
            "50 uF and, for Rs, 100 ohm");
    return ranges_parse(given, &q->range, failure);
}

static tide_status refuse_told(const char *name, const char *why, tide_failure *failure) {
    return fail_at(failure, TIDE_EINVAL, NULL, 0, "prior", "`prior`: %s%s", name, why);
}

/* What is known without an error has no other one. */
static tide_status parse_told(asked *a, tide_failure *failure) {
    question *q = &a->question;
    char name[TOLD_NAME];
    tide_status status = told_parse(a->options->prior, q->circuit, &q->told, failure);
    if (status != TIDE_OK || !q->told.count) return status;
    if (q->method != EIS_REFINED || !a->spectrum)
        return refuse_told("it weighs the draws of `method` refined", ", which needs a spectrum", failure);
    for (int i = 0; i < q->told.count; i++) {
        const prior *p = &q->told.of[i];
        told_name(p, name);
        bool held = p->below < 0 && p->above < EIS_COUNT && q->known.is[p->above];
        if (held) return refuse_told(name, " is among the known values", failure);
        if (p->below < 0 && p->above == EIS_RS && !isnan(q->rs_ohm))
            return refuse_told(name, " is held: `rs` free lets it be found", failure);
    }
    return TIDE_OK;
}

static tide_status refuse_cells(const eis_model *m, tide_failure *failure) {
    if (!m->predictor || predictor_model(m->predictor)->config.recipe != EIS_RECIPE_CELL) return TIDE_OK;
    return fail_at(failure, TIDE_EINVAL, m->name, 0, "model",
                   "%s is a predictor of the recipe cell: it knows two arcs, not the five parameters that are asked "
                   "for here. `eis fit` and `eis batch` start from it, and `eis batch` answers by it with `screen`; a "
                   "predictor of the recipe lab completes",
                   m->name);
}

static tide_status take_model(asked *a, tide_failure *failure) {
    const eis_options *o    = a->options;
    const known_card  *card = a->model ? &a->model->known.card : NULL;
    if (!a->model || a->question.method != EIS_NETWORK) return TIDE_OK;
    a->question.predictor = a->model->predictor;
    if (refuse_cells(a->model, failure) != TIDE_OK) return TIDE_EINVAL;
    if (a->model->predictor || !card->circuit_given) return TIDE_OK;
    if (eis_option_given(o, "circuit") && card->circuit != a->question.circuit)
        return fail_at(failure, TIDE_EINVAL, a->model->name, 0, "circuit",
                       "%s is a predictor of the %s circuit; leave `circuit` out", a->model->name,
                       card->circuit == EIS_SHUNT ? "shunt" : "chain");
    a->question.circuit = card->circuit;
    return TIDE_OK;
}

static void put_source(asked *a) {
    static const char remedy[] =
        "Add the measured spectrum and they can be determined: complete it with `spectrum` FILE";
    bool known = a->model && !a->model->predictor;
    if (a->question.method != EIS_NETWORK || (a->spectrum && !known)) return;
    if (a->spectrum)
        snprintf(a->source, sizeof a->source, "%s uses only the known values, not the spectrum. `method` "
                                              "refined uses it",
                 a->model->name);
    else if (known)
        snprintf(a->source, sizeof a->source,
                 "from the known values alone, as %s learned them. Independent known values carry no information on "
                 "the missing ones. %s",
                 a->model->name, remedy);
    else
        snprintf(a->source, sizeof a->source, "independent known values carry no information on the missing ones: "
                                              "this is the prior. %s",
                 remedy);
}

/* The grid's cells go to the device that was named. */
static tide_status open_cells(asked *a, tide_failure *failure) {
    const eis_options *o = a->options;
    const char *device = train_device_now(o->device);
    int64_t     limit;
    if (a->question.method != EIS_EXACT || !a->spectrum || !strcmp(device, "cpu")) return TIDE_OK;
    tide_status status = train_memory_limit(o->memory_limit, device, &limit, failure);
    if (status == TIDE_OK) status = tide_device_info(device, NULL, failure);
    if (status != TIDE_OK) return status;
    char note[CELLS_NOTE];
    cells_device_note(device, note);
    a->question.cells = a->cells = cells_device_new(device, (int)o->threads, limit);
    if (!a->cells) return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
    return *note ? asked_tell(a, EIS_WARNING, note, failure) : TIDE_OK;
}

void asked_done(asked *a) {
    cells_device_free(a->cells);
    a->cells = NULL;
}

tide_status ask(const eis_options *o, bool spectrum, const eis_known *known, eis_model *model, eis_listener listener,
                void *user, asked *out, tide_failure *failure) {
    *out = (asked){ .options = o, .model = model, .spectrum = spectrum, .listener = listener, .user = user,
                    .began_s = os_seconds(),
                    .question = { .circuit = (eis_circuit)o->circuit,
                                  .method = method_of(o, spectrum, model || *o->model),
                                  .top_k = o->top_k, .seed = o->seed, .resnorm = (eis_resnorm_kind)o->resnorm,
                                  .rerank = o->rerank, .robust = o->robust } };
    question   *q      = &out->question;
    tide_status status = known ? TIDE_OK : eis_known_parse(o->known, &q->known, failure);
    out->stop = (stopper){ working, out }, q->stop = &out->stop;
    if (known) q->known = *known;
    if (status == TIDE_OK) status = check_known(q, spectrum, failure);
    if (status == TIDE_OK) status = parse_range(o->range, q, failure);
    if (status == TIDE_OK) status = parse_noise(o->noise, &q->noise, failure);
    if (status == TIDE_OK) status = parse_rs(out, failure);
    if (status == TIDE_OK) status = parse_told(out, failure);
    bool labelled = told_labels(&q->told) || q->known.is[EIS_RA] ||
                    q->known.is[EIS_RB] || q->known.is[EIS_CA] || q->known.is[EIS_CB];
    q->canonical  = spectrum && (o->canonical || !labelled);
    if (status == TIDE_OK) status = check_needs(out, failure);
    if (status == TIDE_OK) status = take_model(out, failure);
    if (status == TIDE_OK) status = open_cells(out, failure);
    if (status == TIDE_OK) put_source(out);
    return status;
}

/* ---- the answer ---- */

static tide_status find_answer(asked *a, const eis_spectrum *spectrum, completion *c, tide_failure *failure) {
    const question *q = &a->question;
    if (working(a)) return fail(failure, TIDE_ECANCELLED, "stopped");
    if (q->method != EIS_NETWORK || (q->predictor && spectrum)) return complete_measured(q, spectrum, c, failure);
    return complete_known(q, a->model && !a->model->predictor ? &a->model->known : NULL, c, failure);
}

tide_status solve(asked *a, const eis_spectrum *spectrum, eis_answer *out, tide_failure *failure) {
    completion  c      = { 0 };
    tide_status status = find_answer(a, spectrum, &c, failure);
    bool        unused = a->model && !a->model->predictor;
    answer      from   = { .question = &a->question, .spectrum = unused ? NULL : spectrum, .completion = &c,
                           .model = a->model ? a->model->name : a->options->model, .source = a->source,
                           .area_cm2 = a->options->area_cm2,
                           .rs_in_rsh = is_auto(a->options->rs) && spectrum && !isnan(a->question.rs_ohm) };
    *out = (eis_answer){ 0 };
    if (status != TIDE_OK) return status;
    if (spectrum) from.path = spectrum->name ? spectrum->name : "the spectrum";
    if (spectrum && !(from.area_cm2 > 0)) from.area_cm2 = spectrum->area_cm2;
    return answer_make(&from, &c, out, failure);
}

tide_status eis_solve(const eis_options *options, const eis_spectrum *spectrum, const eis_known *known,
                      eis_listener listener, void *user, eis_answer *out, tide_failure *failure) {
    failure_clear(failure);
    tide_failure own = { 0 }, *f = failure ? failure : &own;
    eis_model   *model = NULL;
    asked        a = { 0 };
    if (!out) return fail(f, TIDE_EINVAL, "there is no place for the answer");
    *out = (eis_answer){ 0 };
    tide_status status = options_good(options, f);
    if (status == TIDE_OK && spectrum) status = spectrum_check(spectrum, f);
    if (status == TIDE_OK && wants_model(options, spectrum != NULL))
        status = eis_model_load(options->model, options, &model, f);
    if (status == TIDE_OK) status = ask(options, spectrum != NULL, known, model, listener, user, &a, f);
    if (status == TIDE_OK) a.number = a.count = 1, status = solve(&a, spectrum, out, f);
    asked_done(&a);
    eis_model_free(model);
    return status;
}
