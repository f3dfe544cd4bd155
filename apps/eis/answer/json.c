/* An answer as JSON. */
#include "answer.h"

#include <math.h>

#include "base/json.h"
#include "train/run.h"

enum { SCHEMA_VERSION = 1 };

static void put(json_t *o, const char *key, double v) { json_object_set_new(o, key, json_finite(v)); }

static json_t *pair(double low, double high) {
    json_t *a = json_array();
    json_array_append_new(a, json_finite(low));
    json_array_append_new(a, json_finite(high));
    return a;
}

static void put_parameters(json_t *o, const answer *a) {
    json_t *known = json_object(), *missing = json_array();
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->question->known.is[k]) put(known, eis_parameters[k].name, a->question->known.value[k]);
        else json_array_append_new(missing, json_string(eis_parameters[k].name));
    }
    json_object_set_new(o, "known_params", known);
    json_object_set_new(o, "missing_params", missing);
}

static json_t *marginals(const answer *a) {
    json_t *o = json_object();
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->question->known.is[k]) continue;
        json_t *row = json_array();
        for (int i = 0; i < CELL_POINTS; i++)
            json_array_append_new(row, json_finite(a->completion->summary.marginal[k][i]));
        json_object_set_new(o, eis_parameters[k].name, row);
    }
    return o;
}

static json_t *candidate_json(const answer *a, const candidate *c, int64_t rank) {
    json_t *o = json_object(), *index = json_object();
    json_object_set_new(o, "rank", json_integer(rank));
    for (int k = 0; k < EIS_COUNT; k++) {
        if (a->question->known.is[k]) continue;
        put(o, eis_parameters[k].name, c->p[k]);
        json_object_set_new(index, eis_parameters[k].name, json_integer(c->index[k]));
    }
    if (isnan(a->question->rs_ohm)) put(o, "Rs", c->p[EIS_RS]);
    put(o, "joint_probability", c->probability);
    put(o, "resnorm", c->resnorm);
    json_object_set_new(o, "grid_indices", index);
    return o;
}

static json_t *candidates_json(const answer *a) {
    json_t *list = json_array();
    for (int64_t i = 0; i < a->completion->summary.top_count; i++)
        json_array_append_new(list, candidate_json(a, &a->completion->summary.top[i], i + 1));
    return list;
}

/* [low, high]; [low, null] is a lower limit only; null where there is no interval ("notes" say why). */
static json_t *interval_json(const interval *i) { return isfinite(i->low) ? pair(i->low, i->high) : json_null(); }

static json_t *intervals(const answer *a) {
    json_t *o = json_object();
    for (int i = 0; i < SUM_COUNT; i++) {
        int k = (i + SUM_TER) % SUM_COUNT; /* the robust ones first */
        if (answer_is_missing(a, k))
            json_object_set_new(o, quantities[k].name, interval_json(&a->completion->summary.of[k]));
    }
    return o;
}

static json_t *each_missing(const answer *a, int count, json_t *(*value)(const answer *, int)) {
    json_t *o = json_object();
    for (int k = 0; k < count; k++)
        if (answer_is_missing(a, k)) json_object_set_new(o, quantities[k].name, value(a, k));
    return o;
}

static json_t *identifiable_json(const answer *a, int k) {
    return json_boolean(completion_identifies(a->question, a->completion, k));
}
static json_t *median_json(const answer *a, int k) { return json_finite(a->completion->summary.of[k].median); }
static json_t *bound_json(const answer *a, int k) {
    const char *bound = completion_bound(a->question, a->completion, k);
    return bound ? json_string(bound) : json_null();
}

static json_t *fibre_json(const fibre_range *f) {
    if (!f->present) return json_null();
    json_t *o = json_object();
    for (int k = 0; k < EIS_COUNT; k++) json_object_set_new(o, eis_parameters[k].name, pair(f->low[k], f->high[k]));
    json_object_set_new(o, "g", pair(f->g_low, f->g_high));
    return o;
}

static json_t *told_json(const priors *told) {
    json_t *list = json_array();
    char name[TOLD_NAME];
    for (int i = 0; i < told->count; i++) {
        told_name(&told->of[i], name);
        json_array_append_new(list, json_pack("{s:s, s:o, s:o}", "name", name, "value", json_finite(told->of[i].value),
                                              "sd", json_finite(told->of[i].deviation)));
    }
    return list;
}

static void put_robust(json_t *o, const answer *a) {
    const interval *of = a->completion->summary.of;
    double area = a->area_cm2;
    put(o, "ter_ohm", of[SUM_TER].median);
    put(o, "tec_farad", of[SUM_TEC].median);
    put(o, "n1_s", of[SUM_N1].median);
    put(o, "d1_s", of[SUM_D1].median);
    if (!(area > 0)) return;
    put(o, "area_cm2", area);
    put(o, "ter_ohm_cm2", of[SUM_TER].median * area);
    put(o, "tec_farad_per_cm2", of[SUM_TEC].median / area);
}

/* null where the question was not asked. */
static json_t *verdict(bool fine, double chi2) { return isnan(chi2) ? json_null() : json_boolean(fine); }

static json_t *circuit_verdict(const completion *c) {
    if (isnan(c->chi2) || c->verdict == EIS_FIT_OPEN) return json_null();
    return json_boolean(c->verdict == EIS_FIT_ADEQUATE);
}

static void put_residuals(json_t *o, const completion *c) {
    const residuals *left = c->free.is ? &c->free.left : &c->left;
    json_object_set_new(o, "residuals",
                        json_pack("{s:I, s:I, s:b, s:o, s:o, s:o}", "sign_changes", (json_int_t)left->changes,
                                  "neighbours", (json_int_t)left->pairs, "systematic", left->systematic, "size",
                                  json_finite(left->size), "scatter", json_finite(left->scatter), "correlation",
                                  json_finite(left->correlation)));
    put(o, "interval_widening", c->noise_used / c->noise);
    json_t *share = c->share ? json_array() : NULL;
    for (int64_t i = 0; share && i < c->points; i++) json_array_append_new(share, json_finite(c->share[i]));
    if (share) json_object_set_new(o, "share", share);
}

/* How far the samples can be trusted; null where there are none, or the method does not tell. */
static void put_sampling(json_t *o, const completion *c) {
    json_object_set_new(o, "sampling",
                        json_pack("{s:I, s:o, s:o}", "samples", (json_int_t)c->draw_count, "effective",
                                  json_finite(c->effective), "disagreement_of_halves", json_finite(c->disagreement)));
    json_object_set_new(o, "one_relaxation",
                        isnan(c->one.log_odds)
                            ? json_null()
                            : json_pack("{s:o, s:o, s:o}", "log_odds", json_finite(c->one.log_odds), "r_ohm",
                                        json_finite(c->one.r_ohm), "c_farad", json_finite(c->one.c_farad)));
    if (c->joined_from) json_object_set_new(o, "points_joined_from", json_integer(c->joined_from));
}

static void put_fit(json_t *o, const answer *a) {
    const completion *c = a->completion;
    put(o, "noise", c->noise);
    json_object_set_new(o, "noise_source",
                        isnan(c->noise) ? json_null() : json_string(eis_noise_source_name(c->noise_source)));
    put(o, "rs_ohm", c->rs_ohm);
    json_object_set_new(o, "canonical", json_boolean(a->question->canonical));
    json_object_set_new(o, "grid_adequate", verdict(c->grid_adequate, c->grid_chi2));
    put(o, "reduced_chi2", a->question->method == EIS_EXACT ? c->grid_chi2 : c->chi2);
    put(o, "grid_reduced_chi2", c->grid_chi2);
    json_object_set_new(o, "circuit_adequate", circuit_verdict(c));
    if (a->spectrum) put_residuals(o, c), put_sampling(o, c);
}

static json_t *notes_json(const answer *a) {
    json_t *list = json_array();
    text notes = { 0 };
    answer_notes(a, &notes);
    for (char *rest = notes.data, *line; list && rest && *rest && (line = strsep(&rest, "\n"));)
        json_array_append_new(list, json_string(line));
    if (notes.failed) json_decref(list), list = NULL;
    text_free(&notes);
    return list;
}

static void put_network(json_t *o, const answer *a) {
    const completion *c = a->completion;
    if (a->question->method != EIS_NETWORK) return;
    json_object_set_new(o, "model", *a->model ? json_string(a->model) : json_null());
    if (*a->source) json_object_set_new(o, "note", json_string(a->source));
    if (!c->recipe) return;
    json_t *reasons = json_array();
    for (int i = 0; i < c->range.count; i++) json_array_append_new(reasons, json_string(c->range.reason[i]));
    json_object_set_new(o, "recipe", json_string(c->recipe));
    json_object_set_new(o, "reranked", json_boolean(c->reranked));
    if (a->question->rerank) put(o, "effective_share_of_draws", c->effective_share);
    json_object_set_new(o, "in_training_range", json_boolean(c->range.count == 0));
    json_object_set_new(o, "training_range_reasons", reasons);
}

json_t *answer_json(const answer *a) {
    const completion *c = a->completion;
    static const char *const methods[] = {
        [EIS_REFINED] = "refined", [EIS_EXACT] = "exact", [EIS_NETWORK] = "network"
    };
    json_t *o =
        json_pack("{s:o, s:s, s:s}", "spectrum", a->path ? json_text(a->path) : json_null(), "circuit",
                  a->question->circuit == EIS_SHUNT ? "shunt" : "chain", "method", methods[a->question->method]);
    if (!o) return NULL;
    put_parameters(o, a);
    json_object_set_new(o, "notes", notes_json(a));
    put_robust(o, a);
    put(o, "predicted_resnorm", c->resnorm);
    json_object_set_new(o, "resnorm", json_string(eis_resnorm_name(a->question->resnorm)));
    json_object_set_new(o, "marginal_distributions", marginals(a));
    json_object_set_new(o, "top_k_predictions", candidates_json(a));
    json_t *doubt = json_object();
    put(doubt, "entropy_nats", c->summary.entropy_nats);
    put(doubt, "max_probability", c->summary.max_probability);
    put(doubt, "top5_mass", c->summary.top5_mass);
    json_object_set_new(o, "uncertainty", doubt);
    json_object_set_new(o, "intervals_95", intervals(a));
    json_object_set_new(o, "medians", each_missing(a, EIS_COUNT, median_json));
    json_object_set_new(o, "identifiable", each_missing(a, EIS_COUNT, identifiable_json));
    json_object_set_new(o, "bound_hits", each_missing(a, EIS_WITH_RS, bound_json));
    json_object_set_new(o, "fibre", fibre_json(&c->fibre));
    if (a->question->told.count) json_object_set_new(o, "priors", told_json(&a->question->told));
    put_fit(o, a);
    put_network(o, a);
    return o;
}

json_t *answer_result(json_t *answers) {
    json_t *o = answers ? json_pack("{s:i, s:s}", "schema_version", SCHEMA_VERSION, "command", "eis complete") : NULL;
    if (o && json_array_size(answers) == 1) json_object_update(o, json_array_get(answers, 0));
    else if (o) json_object_set(o, "spectra", answers);
    json_decref(answers);
    return o;
}

char *eis_answer_json(const eis_answer *a) {
    json_t *o = a && a->parts ? answer_json(answer_of(a)) : NULL;
    char *all = o ? json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(o);
    return all;
}
