/* Scores of the grid recipe as JSON and as text. */
#include <inttypes.h>

#include "grid.h"

static const struct { const char *key, *what;
} scores[SCORES] = {
    [EXACT_TOP1] = { "exact_top1", "joint: exact posterior mass of its own most probable cell (all missing parameters "
                                   "together), mean over "
                                   "cases: the ceiling" },
    [EXACT_TOP5] = { "exact_top5", "joint: exact posterior mass of its own five most probable cells, mean over cases: "
                                   "the ceiling" },
    [NETWORK_TOP1] = { "network_top1", "joint: exact posterior mass of the cell that the network alone proposes "
                                       "first, mean over cases" },
    [NETWORK_TOP5] = { "network_top5",
                       "joint: exact posterior mass of the first five cells that the network alone proposes, mean "
                       "over cases" },
    [RERANKED_TOP1] = { "reranked_top1",
                        "joint: the same after up to 32 candidates of the network are put in the order of likelihood "
                        "times prior" },
    [RERANKED_TOP5] = { "reranked_top5",
                        "joint: the same after up to 32 candidates of the network are put in the order of likelihood "
                        "times prior" },
    [CANDIDATE_MASS] = { "candidate_mass", "joint: exact posterior mass of all (up to 32) candidates together, mean "
                                           "over cases" },
    [EXACT_HIT1] = { "exact_hit1", "joint: share of cases whose true cell is the exact posterior's most probable" },
    [EXACT_HIT5] = { "exact_hit5", "joint: share of cases whose true cell is among the exact posterior's five most "
                                   "probable" },
    [NETWORK_HIT1] = { "network_hit1", "joint: share of cases whose true cell is the network's first" },
    [NETWORK_HIT5] = { "network_hit5", "joint: share of cases whose true cell is among the network's first five" },
    [RERANKED_HIT1] = { "reranked_hit1", "joint: share of cases whose true cell is the first after re-ranking" },
    [RERANKED_HIT5] = { "reranked_hit5", "joint: share of cases whose true cell is among the first five after "
                                         "re-ranking" },
    [EXACT_LABEL] = { "exact_label_top1", "labels: exact probability of each missing parameter's own most probable "
                                          "value, mean over "
                                          "missing parameters: the ceiling" },
    [NETWORK_LABEL] = { "network_label_top1",
                        "labels: exact probability of the value that the network thinks most probable, mean over "
                        "missing parameters" },
    [JOINT_EXCESS] = { "joint_excess_nats", "joint: ln p_exact - ln p_network, mean over 8 draws of the exact "
                                            "posterior, network by the "
                                            "chain rule Rsh, Ra, Rb, Ca, Cb" },
    [MARGINAL_EXCESS] = { "marginal_excess_nats", "marginal: exact Kullback-Leibler divergence of one parameter given "
                                                  "the known values, "
                                                  "mean over missing parameters" },
    [CHANCE_TOP1] = { "chance_top1", "joint: prior mass of the most probable cell given the known values alone" },
    [CHANCE_TOP5] = { "chance_top5", "joint: prior mass of the five most probable cells given the known values alone" },
};

json_t *grid_quantities_json(void) {
    json_t *o = json_object();
    for (int i = 0; i < SCORES; i++) json_object_set_new(o, scores[i].key, json_string(scores[i].what));
    json_object_set_new(o, "joint_ece",
                        json_string("joint: |exact mass - network's probability| of its first cell, 15 equal bins of "
                                    "that probability, weighted by cases"));
    json_object_set_new(
        o, "marginal_ece",
        json_string("marginal: the same of each missing parameter's most probable value, weighted by parameters"));
    return o;
}

static json_t *tally_json(const tally *t) {
    json_t *o = json_object();
    json_object_set_new(o, "cases", json_integer(t->cases));
    for (int i = 0; i < SCORES; i++) json_object_set_new(o, scores[i].key, json_real(tally_mean(t, i)));
    json_object_set_new(o, "joint_ece", json_real(calibration_error(&t->joint)));
    json_object_set_new(o, "marginal_ece", json_real(calibration_error(&t->marginal)));
    return o;
}

static json_t *missing_names(unsigned mask) {
    json_t *list = json_array();
    for (int k = 0; k < EIS_COUNT; k++)
        if (mask >> k & 1) json_array_append_new(list, json_string(eis_parameters[k].name));
    return list;
}

json_t *grid_level_json(const grid_level *level) {
    json_t *o = json_pack("{s:f, s:s}", "noise", level->noise, "cells", level->kept_out ? "kept out" : "trained on");
    json_t *missing = json_array(), *patterns = json_array();
    for (int n = 0; n < EIS_COUNT; n++) {
        json_t *row = tally_json(&level->missing[n]);
        json_object_set_new(row, "missing", json_integer(n + 1));
        json_array_append_new(missing, row);
    }
    for (unsigned mask = 1; mask < 1u << EIS_COUNT; mask++) {
        if (!level->pattern[mask].cases) continue;
        json_t *row = tally_json(&level->pattern[mask]);
        json_object_set_new(row, "missing", missing_names(mask));
        json_array_append_new(patterns, row);
    }
    json_object_set_new(o, "mean", tally_json(&level->all));
    json_object_set_new(o, "by_missing", missing);
    json_object_set_new(o, "by_pattern", patterns);
    json_object_set_new(o, "joint_calibration", calibration_json(&level->all.joint));
    json_object_set_new(o, "marginal_calibration", calibration_json(&level->all.marginal));
    return o;
}

/* ---- for people ---- */

static void put_row(const char *name, const tally *t, text *out) {
    static const int pairs[] = { EXACT_TOP1, NETWORK_TOP1, RERANKED_TOP1 },
                     hits[] = { EXACT_HIT1, NETWORK_HIT1, RERANKED_HIT1 };
    text_add(out, "%7s", name);
    for (int i = 0; i < 3; i++) text_add(out, "   %.4f %.4f", tally_mean(t, pairs[i]), tally_mean(t, pairs[i] + 1));
    text_add(out, "  ");
    for (int i = 0; i < 3; i++) text_add(out, " %.3f", tally_mean(t, hits[i]));
    text_add(out, "   %7.4f %8.4f   %.4f %8.4f   %.5f\n", tally_mean(t, JOINT_EXCESS), tally_mean(t, MARGINAL_EXCESS),
             calibration_error(&t->joint), calibration_error(&t->marginal), tally_mean(t, CHANCE_TOP1));
}

void grid_level_text(const grid_level *level, text *out) {
    text_add(out, "\nnoise %g %%, cells %s, %" PRId64 " cases\n", 100 * level->noise,
             level->kept_out ? "kept out of training" : "trained on", level->all.cases);
    text_add(
        out,
        "          exact            network alone    32 re-ranked       hits of the 1st     excess nats        "
        "calibration err.  chance\n"
        "missing   top-1  top-5     top-1  top-5     top-1  top-5     ex.   net.  re-r.     joint marginal    joint "
        "marginal  top-1\n");
    for (int n = 0; n < EIS_COUNT; n++) {
        char name[8];
        snprintf(name, sizeof name, "%d", n + 1);
        put_row(name, &level->missing[n], out);
    }
    put_row("mean", &level->all, out);
}
