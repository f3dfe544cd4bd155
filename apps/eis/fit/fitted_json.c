/* A fit for programs. */
#include <math.h>

#include "base/base.h"
#include "base/json.h"
#include "fitted.h"
#include "posterior.h"

static const char *const states[] = {
    [EIS_PARAMETER_FREE] = "free",     [EIS_PARAMETER_FIXED] = "fixed",     [EIS_PARAMETER_TIED] = "tied",
    [EIS_PARAMETER_AT_LOW] = "at_low", [EIS_PARAMETER_AT_HIGH] = "at_high", [EIS_PARAMETER_OPEN] = "open",
};
static const char *const verdicts[] = { "open", "adequate", "systematic", "beyond", "noisy" };

const char *fit_state_name(eis_fit_state state) { return states[state]; }
const char *fit_verdict_name(eis_verdict verdict) { return verdicts[verdict]; }

static json_t *per_area(const eis_per_area *a) {
    if (!a->unit) return json_null();
    return json_pack("{s:o, s:o, s:s}", "value", json_finite(a->value), "stderr", json_finite(a->error), "unit",
                     a->unit);
}

static json_t *parameters(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->parameters; i++) {
        const eis_fit_parameter *p = &f->parameter[i];
        json_t *one = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name", p->name, "symbol",
                                p->symbol, "unit", p->unit, "value", json_finite(p->value), "stderr",
                                json_finite(p->error), "low95", json_finite(p->low95), "high95", json_finite(p->high95),
                                "low", json_finite(p->low), "high", json_finite(p->high), "state", states[p->state]);
        list = json_with_item(list, json_with(one, "per_area", per_area(&p->per_area)));
    }
    return list;
}

static json_t *quantities(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->quantities; i++) {
        const eis_fit_quantity *q = &f->quantity[i];
        list = json_with_item(list, json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", q->name, "unit", q->unit, "value",
                                              json_finite(q->value), "stderr", json_finite(q->error), "per_area",
                                              per_area(&q->per_area)));
    }
    return list;
}

static json_t *priors_of(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->priors; i++) {
        const eis_fit_prior *p = &f->prior[i];
        list = json_with_item(list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", p->name, "value",
                                              json_finite(p->value), "sd", json_finite(p->deviation), "fitted",
                                              json_finite(p->fitted), "pull", json_finite(p->pull)));
    }
    return list;
}

static json_t *elements_of(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->elements; i++)
        list = json_with_item(list, json_pack("{s:s, s:s, s:s}", "name", f->element[i].name, "what", f->element[i].what,
                                              "formula", f->element[i].formula));
    return list;
}

static json_t *numbers(const double *v, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_finite(v[i]));
    return list;
}

static json_t *correlation(const eis_fitted *f) {
    json_t *rows = json_array();
    for (int64_t i = 0; i < f->parameters; i++)
        rows = json_with_item(rows, numbers(f->correlation + i * f->parameters, f->parameters));
    return rows;
}

static json_t *minima(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->minima; i++)
        list = json_with_item(list, json_pack("{s:o, s:o, s:I, s:o}", "objective", json_finite(f->minimum[i].objective),
                                              "ratio", json_finite(f->minimum[i].objective / f->objective), "starts",
                                              (json_int_t)f->minimum[i].starts, "values",
                                              numbers(f->minimum[i].value, f->parameters)));
    return list;
}

static json_t *norms(const eis_fitted *f) {
    json_t *o = json_object();
    for (int i = 0; i < EIS_RESNORMS; i++)
        o = json_with(o, eis_resnorm_name((eis_resnorm_kind)i), json_finite(f->resnorm[i]));
    return o;
}

static json_t *sentences(const char *const *sentence, int64_t count) {
    json_t *list = json_array();
    for (int64_t i = 0; i < count; i++) list = json_with_item(list, json_text(sentence[i]));
    return list;
}

static json_t *used(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->points; i++) list = json_with_item(list, json_integer(f->used[i] + 1));
    return list;
}

static json_t *ranking(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->candidates; i++)
        list = json_with_item(list, json_pack("{s:s, s:o, s:o, s:I}", "circuit", f->candidate[i].circuit, "bic",
                                              json_finite(f->candidate[i].bic), "objective",
                                              json_finite(f->candidate[i].objective), "free_parameters",
                                              (json_int_t)f->candidate[i].free_parameters));
    return list;
}

static json_t *spectra_of(const eis_fitted *f) {
    json_t *list = json_array();
    for (int64_t i = 0; i < f->spectra; i++) {
        const eis_fit_spectrum *s = &f->spectrum[i];
        list = json_with_item(list, json_pack("{s:o, s:I, s:s, s:o, s:o, s:s}", "name", json_text(s->name), "points",
                                              (json_int_t)s->points, "verdict", verdicts[s->verdict], "reduced_chi2",
                                              json_finite(s->chi2), "noise", json_finite(s->noise), "noise_source",
                                              eis_noise_source_name(s->noise_source)));
    }
    return list;
}

json_t *fitted_json(const eis_fitted *f) {
    json_t *o = json_pack("{s:o, s:s, s:s, s:I, s:I}", "spectrum", json_text(f->name), "circuit", f->circuit, "weights",
                          fit_weights_name(f->weights), "points", (json_int_t)f->points, "free_parameters",
                          (json_int_t)f->free_parameters);
    o = json_with(o, "area_cm2", f->area_cm2 > 0 ? json_real(f->area_cm2) : json_null());
    o = json_with(o, "warnings", sentences(f->warning, f->warnings));
    o = json_with(o, "verdict", json_string(verdicts[f->verdict]));
    o = json_with(o, "reduced_chi2", json_finite(f->chi2));
    o = json_with(o, "noise", json_finite(f->noise));
    o = json_with(o, "noise_source", json_string(eis_noise_source_name(f->noise_source)));
    o = json_with(o, "used", used(f));
    o = json_with(o, "quantities", quantities(f));
    o = json_with(o, "parameters", parameters(f));
    o = json_with(o, "elements", elements_of(f));
    o = json_with(o, "objective", json_finite(f->objective));
    o = json_with(o, "reduced", json_finite(f->reduced));
    o = json_with(o, "aic", json_finite(f->aic));
    o = json_with(o, "bic", json_finite(f->bic));
    o = json_with(o, "norms", norms(f));
    o = json_with(o, "correlation", correlation(f));
    o = json_with(o, "minima", minima(f));
    o = json_with(o, "starts", json_integer(f->starts));
    if (f->spectra) o = json_with(o, "spectra", spectra_of(f));
    if (f->priors) o = json_with(o, "priors", priors_of(f));
    if (f->candidates) o = json_with(o, "ranking", ranking(f));
    if (f->posterior) o = json_with(o, "posterior", posterior_json(f->posterior));
    if (f->share) o = json_with(o, "share", numbers(f->share, f->points));
    return json_with(o, "notes", sentences(f->note, f->notes));
}

char *eis_fitted_json(const eis_fitted *f) {
    json_t *o = f && f->parts ? fitted_json(f) : NULL;
    char *s = json_whole(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    json_decref(o);
    return s;
}
