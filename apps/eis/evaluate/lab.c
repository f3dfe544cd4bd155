/* Measures a lab predictor: do its intervals hold the truth as often as they say, and how far off are its medians; on
 * the first spectra beside the continuous posterior of the same questions. */
#include "divide.h"
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

/* Quantiles of what was asked, by quantity; `asked` is 0 for known parameters. As doubles: it lies in records. */
typedef struct spread { double asked, at[SHARES]; } spread;

/* What the network says of a quantity: how sure it is of its most probable bin, and whether the truth is in it. */
typedef struct network_spread { spread of; double confidence, hit; } network_spread;

/* Of a spectrum: the truth, and for each of its questions what the network says. */
typedef struct lab_record {
    double         truth[QUANTITIES_LAB];
    network_spread network[EIS_COUNT][QUANTITIES_LAB];
} lab_record;

/* Of one of the first spectra: what the continuous posterior says to one of its questions. */
typedef struct refined_record {
    double status;                             /* a tide_status: TIDE_OK, TIDE_EDATA or TIDE_EDEVICE */
    spread of[QUANTITIES_LAB];
} refined_record;

typedef struct lab_level {
    double      noise;                         /* 0: as in training */
    int64_t     beside;                        /* spectra that the continuous posterior was asked about too */
    int64_t refused; /* of them, those that it has no answer for: a plain resistance, say */
    bool        continuous;                    /* this build has it */
    refined_record *asked;                     /* [beside] */
    tally all[QUANTITIES_LAB], by_missing[EIS_COUNT][QUANTITIES_LAB], first[QUANTITIES_LAB],
        refined[QUANTITIES_LAB];
    calibration parameters, derived;           /* of the most probable bin: how often the truth is in it */
} lab_level;

typedef struct lab_group {
    const evaluation *e;
    sampler_settings  settings;
    lab_level *level;
    int64_t   first, spectra;
    sample   *sample;
    float    *raw, *probability, (*known_u)[EIS_COUNT];
    int32_t  *spectrum;
    refined_record *refined;                   /* of those that are asked about now */
} lab_group;

enum { CASES = GROUP * EIS_COUNT, EACH = QUANTITIES_LAB * BINS_LAB };
enum { REFINED = 16 };  /* spectra that a process takes at a time: some seconds of one core */

static bool group_new(const evaluation *e, lab_group *g) {
    *g = (lab_group){ .e = e,
                      .sample = malloc(GROUP * sizeof *g->sample),
                      .raw = malloc(GROUP * LAB_WIDTH * sizeof *g->raw),
                      .probability = malloc(CASES * EACH * sizeof *g->probability),
                      .known_u = malloc(CASES * sizeof *g->known_u),
                      .spectrum = malloc(CASES * sizeof *g->spectrum) };
    return g->sample && g->raw && g->probability && g->known_u && g->spectrum;
}

static void group_free(lab_group *g) {
    free(g->sample), free(g->raw), free(g->probability), free(g->known_u), free(g->spectrum);
}

static double truth_of(const sample *s, int q) {
    if (q < EIS_COUNT) return s->p[q];
    if (q == QUANTITY_RS) return s->p[EIS_RS];
    eis_invariants v = eis_invariants_of(s->p);
    return q == QUANTITY_TER ? v.r0_ohm : q == QUANTITY_TEC ? v.cinf_farad : q == QUANTITY_N1 ? v.n1_s : v.d1_s;
}

static void draw_spectrum(void *of, int64_t i, int thread) {
    lab_group *g = of;
    (void)thread;
    test_draw(g->e, &g->settings, g->first + i, &g->sample[i]);
}

static void draw_group(lab_group *g, int64_t first, int64_t spectra) {
    g->first = first, g->spectra = spectra;
    parallel_for(g->e->threads, spectra, 1, draw_spectrum, g);
}

/* ---- the network ---- */

static void take_features(void *of, int64_t i, int thread) {
    lab_group    *g = of;
    const sample *s = &g->sample[i];
    (void)thread;
    features_of(EIS_RECIPE_LAB, s->count, s->freq_hz, s->z, NAN, g->raw + i * LAB_WIDTH, NULL);
}

static tide_status ask_network(lab_group *g, tide_failure *failure) {
    int64_t cases = g->spectra * EIS_COUNT;
    parallel_for(g->e->threads, g->spectra, 1, take_features, g);
    for (int64_t i = 0; i < cases; i++) {
        const sample *s       = &g->sample[i / EIS_COUNT];
        unsigned      missing = test_mask(g->e, g->first + i / EIS_COUNT, (int)(i % EIS_COUNT));
        g->spectrum[i] = (int32_t)(i / EIS_COUNT);
        for (int k = 0; k < EIS_COUNT; k++)
            g->known_u[i][k] = missing >> k & 1 ? NAN : (float)grid_coordinate(k, s->p[k]);
    }
    tide_status status = predictor_spectra(g->e->predictor, g->spectra, g->raw, failure);
    return status == TIDE_OK ? predictor_ask(g->e->predictor, cases, g->spectrum,
                                             (const float (*)[EIS_COUNT])g->known_u, g->probability, failure)
                             : status;
}

static void record_quantity(const lab_group *g, const float *p, int q, const fit_view *view, float coordinate,
                            network_spread *out) {
    const spectrum_model *m = predictor_model(g->e->predictor);
    int best = 0;
    out->of.asked = true;
    for (int i = 0; i < SHARES; i++)
        out->of.at[i] = quantity_value(EIS_RECIPE_LAB, q, spectrum_model_quantile(m, q, p, tally_shares[i]), view);
    for (int i = 1; i < BINS_LAB; i++) best = p[i] > p[best] ? i : best;
    out->confidence = (double)p[best], out->hit = quantity_bin(EIS_RECIPE_LAB, coordinate) == best;
}

static void record_spectrum(const lab_group *g, int64_t i, lab_record *out) {
    const sample *s = &g->sample[i];
    float         coordinate[QUANTITIES_MOST];
    fit_view      view = fit_view_of(g->raw + i * LAB_WIDTH);
    quantities_of(EIS_RECIPE_LAB, s->p, &view, coordinate);
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        out->truth[q] = truth_of(s, q);
        for (int which = 0; which < EIS_COUNT; which++) {
            bool asked = q >= EIS_COUNT || test_mask(g->e, g->first + i, which) >> q & 1;
            const float *p = g->probability + (i * EIS_COUNT + which) * EACH + q * BINS_LAB;
            if (asked) record_quantity(g, p, q, &view, coordinate[q], &out->network[which][q]);
        }
    }
}

static tide_status make_group(void *user, int64_t first, int64_t count, double *records, tide_failure *failure) {
    lab_group  *g   = user;
    lab_record *out = (lab_record *)records;
    draw_group(g, first, count);
    tide_status status = ask_network(g, failure);
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) record_spectrum(g, i, &out[i]);
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

static tide_status ask_refined(const sample *s, int64_t number, unsigned missing, refined_record *out) {
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
    for (int k = 0; k < EIS_COUNT; k++) q.known.is[k] = !(missing >> k & 1), q.known.value[k] = s->p[k];
    tide_status status = complete_one(&q, &spectrum, &answer, &failure);
    if (status == TIDE_OK && !spread_of_draws(&answer, missing, out->of)) status = TIDE_ENOMEM;
    if (status == TIDE_OK) completion_free(&answer);
    return status;
}

/* One of a spectrum's five questions, in turn. */
static int turn(int64_t number) { return (int)(number % EIS_COUNT); }

static void refine_one(void *of, int64_t i, int thread) {
    lab_group *g      = of;
    int64_t    number = g->first + i;
    (void)thread;
    g->refined[i].status = ask_refined(&g->sample[i], number, test_mask(g->e, number, turn(number)), &g->refined[i]);
}

static tide_status make_refined(void *user, int64_t first, int64_t count, double *records, tide_failure *failure) {
    lab_group *g = user;
    g->refined = (refined_record *)records;
    draw_group(g, first, count);
    parallel_for(g->e->threads, count, 1, refine_one, g);
    for (int64_t i = 0; i < count; i++) {
        tide_status status = (tide_status)g->refined[i].status;
        if (status == TIDE_OK || status == TIDE_EDEVICE || status == TIDE_EDATA) continue;
        return fail(failure, status, "the continuous posterior of test spectrum %" PRId64 " failed: %s", first + i,
                    tide_status_name(status));
    }
    return TIDE_OK;
}

static void add_refined(void *user, int64_t number, const double *record) {
    lab_level *level = ((lab_group *)user)->level;
    memcpy(&level->asked[number], record, sizeof *level->asked);
    level->refused += level->asked[number].status == TIDE_EDATA;
    if (level->asked[number].status == TIDE_EDEVICE) level->continuous = false;
}

/* ---- sums ---- */

static void add_spread(tally *s, int q, const spread *v, double truth) {
    if (v->asked) tally_add(s, q == QUANTITY_RS, v->at, truth);
}

static void add_case(lab_level *level, int which, const lab_record *r, const refined_record *beside) {
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        const network_spread *n = &r->network[which][q];
        add_spread(&level->all[q], q, &n->of, r->truth[q]);
        add_spread(&level->by_missing[which][q], q, &n->of, r->truth[q]);
        if (beside) add_spread(&level->first[q], q, &n->of, r->truth[q]);
        if (beside) add_spread(&level->refined[q], q, &beside->of[q], r->truth[q]);
        if (n->of.asked)
            calibration_add(q < EIS_COUNT ? &level->parameters : &level->derived, n->confidence, n->hit);
    }
}

static void add_spectrum(void *user, int64_t number, const double *record) {
    lab_level            *level  = ((lab_group *)user)->level;
    const refined_record *beside = number < level->beside && level->continuous ? &level->asked[number] : NULL;
    if (beside && beside->status != TIDE_OK) beside = NULL;
    for (int which = 0; which < EIS_COUNT; which++)
        add_case(level, which, (const lab_record *)record, which == turn(number) ? beside : NULL);
}

/* ---- both ---- */

/* The continuous posterior takes nearly all of the time, so several processes have small groups there. */
static tide_status measure(const evaluation *e, int64_t number, lab_level *level, tide_failure *failure) {
    lab_group   g;
    tide_status status = group_new(e, &g) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for test spectra");
    g.settings         = test_settings(e, level->noise, false);
    g.level            = level;
    const divided refined = { .name = "refined", .what = "continuous posterior", .level = number,
                              .noise = level->noise, .spectra = level->beside, .each = e->joined ? REFINED : GROUP,
                              .numbers = sizeof(refined_record) / sizeof(double), .make = make_refined,
                              .add = add_refined, .user = &g };
    const divided network = { .name = "network", .what = "lab", .level = number, .noise = level->noise,
                              .spectra = e->options->test_spectra, .each = GROUP,
                              .numbers = sizeof(lab_record) / sizeof(double), .make = make_group,
                              .add = add_spectrum, .user = &g };
    if (status == TIDE_OK) status = evaluation_divide(e, &refined, failure);
    if (status == TIDE_OK) status = evaluation_divide(e, &network, failure);
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
    level->asked = calloc((size_t)level->beside, sizeof *level->asked);
    fine         = level->asked != NULL;
    for (int q = 0; q < QUANTITIES_LAB; q++) {
        fine = tally_new(&level->all[q], spectra * EIS_COUNT) && fine;
        fine = tally_new(&level->first[q], spectra) && fine;
        fine = tally_new(&level->refined[q], spectra) && fine;
        for (int n = 0; n < EIS_COUNT; n++) fine = tally_new(&level->by_missing[n][q], spectra) && fine;
    }
    return fine;
}

static void level_free(lab_level *level) {
    free(level->asked);
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
                     ? measure(e, i, &level, failure)
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
