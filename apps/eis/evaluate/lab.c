/* Measures a lab predictor: do its intervals hold the truth as often as they say, and how far off are its medians; on
 * the first spectra beside the continuous posterior of the same questions. */
#include "evaluate.h"
#include "tally.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "eis/posterior/completion.h"
#include "base/parallel.h"

enum { GROUP = 128, BESIDE = 200 };
static const quantity lab_quantities[QUANTITIES_LAB] = {
    { "Rsh", "ohm" }, { "Ra", "ohm" }, { "Rb", "ohm" }, { "Ca", "F" }, { "Cb", "F" },
    { "TER", "ohm" }, { "TEC", "F" },  { "n1", "s" },   { "d1", "s" }, { "Rs", "ohm" },
};

/* Quantiles of what was asked, by quantity; `asked` is false for known parameters. */
typedef struct spread { bool asked; double at[SHARES]; } spread;

typedef struct lab_level {
    double      noise;                         /* 0: as in training */
    int64_t     beside;                        /* spectra that the continuous posterior was asked about too */
    int64_t refused; /* of them, those that it has no answer for: a plain resistance, say */
    bool        continuous;                    /* this build has it */
    tally all[QUANTITIES_LAB], by_missing[EIS_COUNT][QUANTITIES_LAB], first[QUANTITIES_LAB],
        refined[QUANTITIES_LAB];
    calibration parameters, derived;           /* of the most probable bin: how often the truth is in it */
} lab_level;

typedef struct lab_case {
    unsigned missing;
    spread   network[QUANTITIES_LAB], refined[QUANTITIES_LAB];
    tide_status refined_status;
} lab_case;

typedef struct lab_group {
    const evaluation *e;
    sampler_settings  settings;
    int64_t   first, spectra;
    sample   *sample;
    float    *raw, *probability, (*known_u)[EIS_COUNT];
    int32_t  *spectrum;
    lab_case *of;
} lab_group;

enum { CASES = GROUP * EIS_COUNT, EACH = QUANTITIES_LAB * BINS_LAB };

static bool group_new(const evaluation *e, lab_group *g) {
    *g = (lab_group){ .e = e,
                      .sample = malloc(GROUP * sizeof *g->sample),
                      .raw = malloc(GROUP * LAB_WIDTH * sizeof *g->raw),
                      .probability = malloc(CASES * EACH * sizeof *g->probability),
                      .known_u = malloc(CASES * sizeof *g->known_u),
                      .spectrum = malloc(CASES * sizeof *g->spectrum),
                      .of = calloc(CASES, sizeof *g->of) };
    return g->sample && g->raw && g->probability && g->known_u && g->spectrum && g->of;
}

static void group_free(lab_group *g) {
    free(g->sample), free(g->raw), free(g->probability), free(g->known_u), free(g->spectrum), free(g->of);
}

static double truth_of(const sample *s, int q) {
    if (q < EIS_COUNT) return s->p[q];
    if (q == QUANTITY_RS) return s->p[EIS_RS];
    eis_invariants v = eis_invariants_of(s->p);
    return q == QUANTITY_TER ? v.r0_ohm : q == QUANTITY_TEC ? v.cinf_farad : q == QUANTITY_N1 ? v.n1_s : v.d1_s;
}

/* ---- the network ---- */

static void spread_of_bins(const spectrum_model *m, const float *probability, int q, const fit_view *view,
                           spread *out) {
    out->asked = true;
    for (int i = 0; i < SHARES; i++)
        out->at[i] =
            quantity_value(EIS_RECIPE_LAB, q, spectrum_model_quantile(m, q, probability, tally_shares[i]), view);
}

static tide_status ask_network(lab_group *g, tide_failure *failure) {
    int64_t cases = g->spectra * EIS_COUNT;
    for (int64_t i = 0; i < cases; i++) {
        const sample *s = &g->sample[i / EIS_COUNT];
        lab_case     *c = &g->of[i];
        *c = (lab_case){ .missing = test_mask(g->e, g->first + i / EIS_COUNT, (int)(i % EIS_COUNT)) };
        g->spectrum[i] = (int32_t)(i / EIS_COUNT);
        for (int k = 0; k < EIS_COUNT; k++)
            g->known_u[i][k] = c->missing >> k & 1 ? NAN : (float)grid_coordinate(k, s->p[k]);
    }
    tide_status status = predictor_spectra(g->e->predictor, g->spectra, g->raw, failure);
    if (status == TIDE_OK)
        status = predictor_ask(g->e->predictor, cases, g->spectrum, (const float (*)[EIS_COUNT])g->known_u,
                               g->probability, failure);
    for (int64_t i = 0; status == TIDE_OK && i < cases; i++) {
        fit_view view = fit_view_of(g->raw + i / EIS_COUNT * LAB_WIDTH);
        for (int q = 0; q < QUANTITIES_LAB; q++)
            if (q >= EIS_COUNT || g->of[i].missing >> q & 1)
                spread_of_bins(predictor_model(g->e->predictor), g->probability + i * EACH + q * BINS_LAB, q, &view,
                               &g->of[i].network[q]);
    }
    return status;
}

/* ---- the continuous posterior ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double draw_value(const draw *d, int q) {
    sample s;
    memcpy(s.p, d->p, sizeof s.p);
    return truth_of(&s, q);
}

typedef struct weighed {
    double value, weight;
} weighed;

static double value_at(const weighed *v, int64_t count, double share) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        if ((sum += v[i].weight) >= share) return v[i].value;
    return v[count - 1].value;
}

static bool spread_of_draws(const completion *c, unsigned missing, spread *out) {
    weighed *v = malloc((size_t)c->draw_count * sizeof *v);
    for (int q = 0; v && q < QUANTITIES_LAB; q++) {
        if (q < EIS_COUNT && !(missing >> q & 1)) continue;
        for (int64_t i = 0; i < c->draw_count; i++) v[i] = (weighed){ draw_value(&c->draws[i], q), c->draws[i].weight };
        qsort(v, (size_t)c->draw_count, sizeof *v, by_value);
        out[q].asked = true;
        for (int i = 0; i < SHARES; i++) out[q].at[i] = value_at(v, c->draw_count, tally_shares[i]);
    }
    free(v);
    return v != NULL;
}

static tide_status ask_refined(const sample *s, int64_t number, lab_case *c) {
    question q = {
        .circuit = EIS_SHUNT, .method = EIS_REFINED, .rs_ohm = NAN, .noise = NAN, .canonical = true, .top_k = 1,
        .range = grid_ranges, .seed = number
    };
    completion   answer;
    double       freq_hz[SAMPLE_MOST];
    eis_z        z[SAMPLE_MOST];
    eis_spectrum spectrum = { s->count, freq_hz, z };
    tide_failure failure  = { 0 };
    memcpy(freq_hz, s->freq_hz, sizeof freq_hz);
    memcpy(z, s->z, sizeof z);
    for (int k = 0; k < EIS_COUNT; k++) q.known.is[k] = !(c->missing >> k & 1), q.known.value[k] = s->p[k];
    tide_status status = complete_one(&q, &spectrum, &answer, &failure);
    if (status == TIDE_OK && !spread_of_draws(&answer, c->missing, c->refined)) status = TIDE_ENOMEM;
    if (status == TIDE_OK) completion_free(&answer);
    return status;
}

/* One of a spectrum's five questions, in turn. */
static int64_t turn(int64_t number) { return number % EIS_COUNT; }

/* ---- sums ---- */

static void add_spread(tally *s, int q, const spread *v, double truth) {
    if (v->asked) tally_add(s, q == QUANTITY_RS, v->at, truth);
}

static void add_calibration(const lab_group *g, int64_t at, lab_level *level) {
    const sample *s = &g->sample[at / EIS_COUNT];
    float         coordinate[QUANTITIES_MOST];
    fit_view      view = fit_view_of(g->raw + at / EIS_COUNT * LAB_WIDTH);
    quantities_of(EIS_RECIPE_LAB, s->p, &view, coordinate);
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        const float *p = g->probability + at * EACH + q * BINS_LAB;
        int best = 0;
        if (!g->of[at].network[q].asked) continue;
        for (int i = 1; i < BINS_LAB; i++) best = p[i] > p[best] ? i : best;
        calibration_add(q < EIS_COUNT ? &level->parameters : &level->derived, (double)p[best],
                        quantity_bin(EIS_RECIPE_LAB, coordinate[q]) == best);
    }
}

static void add_group(const lab_group *g, lab_level *level) {
    for (int64_t i = 0; i < g->spectra * EIS_COUNT; i++) {
        int64_t         number = g->first + i / EIS_COUNT;
        const lab_case *c = &g->of[i];
        bool            beside = number < level->beside && i % EIS_COUNT == turn(number);
        for (int q = 0; q < QUANTITIES_LAB; q++) {
            double truth = truth_of(&g->sample[i / EIS_COUNT], q);
            add_spread(&level->all[q], q, &c->network[q], truth);
            add_spread(&level->by_missing[i % EIS_COUNT][q], q, &c->network[q], truth);
            if (beside && level->continuous && c->refined_status == TIDE_OK)
                add_spread(&level->first[q], q, &c->network[q], truth),
                    add_spread(&level->refined[q], q, &c->refined[q], truth);
        }
        add_calibration(g, i, level);
    }
}

/* ---- groups ---- */

static void refine_one(void *of, int64_t i, int thread) {
    lab_group *g = of;
    lab_case  *c = &g->of[i * EIS_COUNT + turn(g->first + i)];
    (void)thread;
    c->refined_status = ask_refined(&g->sample[i], g->first + i, c);
}

static tide_status group_refined(lab_group *g, lab_level *level, tide_failure *failure) {
    int64_t last = MIN2(g->spectra, level->beside - g->first);
    if (last <= 0 || !level->continuous) return TIDE_OK;
    parallel_for(g->e->threads, last, 1, refine_one, g);
    for (int64_t i = 0; i < last; i++) {
        tide_status status = g->of[i * EIS_COUNT + turn(g->first + i)].refined_status;
        if (status == TIDE_EDEVICE) level->continuous = false;
        else if (status == TIDE_EDATA) level->refused++;
        else if (status != TIDE_OK)
            return fail(failure, status, "the continuous posterior of test spectrum %" PRId64 " failed: %s",
                        g->first + i,
                        tide_status_name(status));
    }
    return TIDE_OK;
}

static void draw_spectrum(void *of, int64_t i, int thread) {
    lab_group *g = of;
    sample    *s = &g->sample[i];
    (void)thread;
    test_draw(g->e, &g->settings, g->first + i, s);
    features_of(EIS_RECIPE_LAB, s->count, s->freq_hz, s->z, NAN, g->raw + i * LAB_WIDTH, NULL);
}

static tide_status measure(const evaluation *e, lab_level *level, tide_failure *failure) {
    lab_group   g;
    tide_status status = group_new(e, &g) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for test spectra");
    g.settings         = test_settings(e, level->noise, false);
    for (; status == TIDE_OK && g.first < e->options->test_spectra; g.first += GROUP) {
        g.spectra = MIN2(e->options->test_spectra - g.first, GROUP);
        parallel_for(e->threads, g.spectra, 1, draw_spectrum, &g);
        status = ask_network(&g, failure);
        if (status == TIDE_OK) status = group_refined(&g, level, failure);
        if (status == TIDE_OK) add_group(&g, level);
        if (status == TIDE_OK) status = evaluation_progress(e, "lab", level->noise, g.first + g.spectra, failure);
    }
    group_free(&g);
    return status;
}

/* ---- the report ---- */

static json_t *scores_json(const tally *s) {
    json_t *list = json_array();
    for (int q = 0; q < QUANTITIES_LAB; q++)
        if (s[q].count)
            json_array_append_new(list, tally_json(&s[q], lab_quantities[q].name, q == QUANTITY_RS ? "ohm" : NULL));
    return list;
}

static json_t *level_json(const lab_level *level) {
    json_t *o = json_object(), *missing = json_array();
    json_object_set_new(o, "noise",
                        level->noise > 0 ? json_real(level->noise) : json_string("log-uniform 0.001..0.05"));
    json_object_set_new(o, "network", scores_json(level->all));
    for (int n = 0; n < EIS_COUNT; n++)
        json_array_append_new(missing,
                              json_pack("{s:i, s:o}", "missing", n + 1, "network", scores_json(level->by_missing[n])));
    json_object_set_new(o, "by_missing", missing);
    if (level->continuous)
        json_object_set_new(o, "beside_continuous_posterior",
                            json_pack("{s:I, s:I, s:s, s:o, s:o}", "spectra", (json_int_t)level->beside, "refused",
                                      (json_int_t)level->refused, "questions",
                                      "one of the five of each spectrum, in turn", "network", scores_json(level->first),
                                      "continuous", scores_json(level->refined)));
    json_object_set_new(o, "parameter_calibration", calibration_json(&level->parameters));
    json_object_set_new(o, "derived_calibration", calibration_json(&level->derived));
    return o;
}

static json_t *quantities_json(void) {
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "coverage_80",
                     "share of the cases whose true value is within the central 80 % interval of the network's "
                     "distribution", "coverage_95",
                     "the same of the central 95 % interval", "median_abs_log10_error",
                     "median over cases of |log10 (median of the distribution / truth)|", "median_width_95_decades",
                     "median over cases of log10 (high / low) of the 95 % interval", "calibration",
                     "confidence: probability of the most probable bin; mass: how often the truth was in it");
}

static void level_text(const lab_level *level, text *out) {
    char noise[32] = "0.1 to 5 %, log-uniform";
    if (level->noise > 0) snprintf(noise, sizeof noise, "%g %%", 100 * level->noise);
    text_add(
        out,
        "\nnoise %s. Share of truths within the 80 and 95 %% intervals, median |log10 error| of the medians and "
        "median width of the 95 %%\n"
        "intervals in decades (Rs: ohm), over the cases in which the quantity was asked for\n",
        noise);
    text_add(out, "          all: network                             ");
    if (level->continuous)
        text_add(out, "   %" PRId64 " spectra, one question each: network       continuous posterior", level->beside);
    text_add(out, "\n");
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        if (!level->all[q].count) continue;
        text_add(out, "%4s %6" PRId64, lab_quantities[q].name, level->all[q].count);
        tally_text(&level->all[q], out);
        if (level->continuous && level->first[q].count)
            tally_text(&level->first[q], out), tally_text(&level->refined[q], out);
        text_add(out, "\n");
    }
    if (!level->continuous) text_add(out, "the continuous posterior needs a build with cminpack\n");
}

static bool level_new(lab_level *level, double noise, int64_t spectra) {
    bool fine = true;
    *level    = (lab_level){ .noise = noise, .beside = MIN2(spectra, BESIDE), .continuous = true };
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        fine = tally_new(&level->all[q], spectra * EIS_COUNT) && fine;
        fine = tally_new(&level->first[q], spectra) && fine;
        fine = tally_new(&level->refined[q], spectra) && fine;
        for (int n = 0; n < EIS_COUNT; n++) fine = tally_new(&level->by_missing[n][q], spectra) && fine;
    }
    return fine;
}

static void level_free(lab_level *level) {
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        tally_free(&level->all[q]), tally_free(&level->first[q]), tally_free(&level->refined[q]);
        for (int n = 0; n < EIS_COUNT; n++) tally_free(&level->by_missing[n][q]);
    }
}

tide_status evaluate_lab(const evaluation *e, json_t *report, text *talk, tide_failure *failure) {
    json_t     *levels = json_array();
    tide_status status = levels ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
    json_object_set_new(report, "quantities", quantities_json());
    json_object_set_new(report, "levels", levels);
    for (int i = 0; status == TIDE_OK && i < e->noises; i++) {
        lab_level level;
        status = level_new(&level, e->noise[i], e->options->test_spectra)
                     ? measure(e, &level, failure)
                     : fail(failure, TIDE_ENOMEM, "out of memory for the scores");
        if (status == TIDE_OK) {
            if (e->first && !json_array_size(levels)) *e->first = level.parameters;
            json_array_append_new(levels, level_json(&level));
            level_text(&level, talk);
        }
        level_free(&level);
    }
    return status;
}
