/* Measures a grid predictor. Spectra go in groups: features and exact posteriors by all threads, the network in
 * batches, and the sums in the order of the spectra, so that nothing depends on the threads. */
#include "grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/parallel.h"
#include "base/philox.h"
#include "divide.h"

enum { CASES = GRID_GROUP * EIS_COUNT, DRAWS = 8, SITE_DRAW = 0x445257 };
static const int chain[EIS_COUNT] = { EIS_RSH, EIS_RA, EIS_RB, EIS_CA, EIS_CB };
#define LEAST_PROBABILITY 1e-38  /* what single precision leaves of less is nothing */

typedef struct grid_case {
    const sample   *sample;
    unsigned        missing;
    exact_posterior exact;
    int64_t         top[EXACT_TOP];
    int             top_count;
    double          marginal[EIS_COUNT][CELL_POINTS];      /* exact; by place in exact.missing */
    int64_t         draw[DRAWS];                           /* places of the exact posterior */
    double          conditional[EIS_COUNT][CELL_POINTS];   /* the network's, likewise */
    double          log_network[DRAWS];
} grid_case;

typedef struct group {
    const evaluation *e;
    sampler_settings  settings;
    grid_level *level;
    int64_t    first, spectra;
    sample    *sample;
    float     *raw;
    exact_answers scores;          /* of its spectra from `scored` on, where a device gives them */
    int64_t       scored;
    grid_case *of;
    beam_case *beam;
    /* the questions of the chain rule */
    int64_t    rows;
    int32_t   *spectrum;
    float    (*known_u)[EIS_COUNT];
    float     *probability;
    bool       prepared[CASES];
} group;

enum { ROWS_MOST = CASES * (1 + DRAWS * (EIS_COUNT - 1)) };

static bool group_new(const evaluation *e, group *g) {
    *g = (group){ .e = e,
                  .sample = malloc(GRID_GROUP * sizeof *g->sample),
                  .raw = malloc(GRID_GROUP * GRID_WIDTH * sizeof *g->raw),
                  .of = calloc(CASES, sizeof *g->of),
                  .beam = malloc(CASES * sizeof *g->beam),
                  .spectrum = malloc(ROWS_MOST * sizeof *g->spectrum),
                  .known_u = malloc(ROWS_MOST * sizeof *g->known_u),
                  .probability = malloc(ROWS_MOST * EIS_COUNT * CELL_POINTS * sizeof *g->probability) };
    return g->sample && g->raw && g->of && g->beam && g->spectrum && g->known_u && g->probability;
}

static void group_free(group *g) {
    for (int64_t i = 0; g->of && i < CASES; i++) exact_posterior_free(&g->of[i].exact);
    free(g->sample), free(g->raw), free(g->of), free(g->beam), free(g->spectrum), free(g->known_u),
        free(g->probability);
}

/* ---- the exact side ---- */

static bool put_exact(const group *g, int64_t spectrum, grid_case *c) {
    if (!g->e->exact) return exact_posterior_new(c->sample, c->missing, &c->exact);
    return exact_posterior_of(g->e->exact, g->scores.score + (spectrum - g->scored) * EXACT_CELLS, c->sample,
                              c->missing, &c->exact);
}

static bool case_prepare(const group *g, int64_t at) {
    grid_case *c = &g->of[at];
    int64_t    number = g->first + at / EIS_COUNT;
    int        which  = (int)(at % EIS_COUNT);
    exact_posterior_free(&c->exact);
    c->sample  = &g->sample[at / EIS_COUNT];
    c->missing = test_mask(g->e, number, which);
    if (!put_exact(g, at / EIS_COUNT, c)) return false;
    c->top_count = exact_top(&c->exact, EXACT_TOP, c->top);
    for (int m = 0; m < c->exact.missing_count; m++) exact_marginal(&c->exact, m, c->marginal[m]);
    for (int d = 0; d < DRAWS; d++) {
        uint32_t word =
            philox_word((uint64_t)g->e->options->seed, (uint32_t)number, SITE_DRAW, (uint32_t)which, (uint32_t)d);
        c->draw[d] = exact_draw(&c->exact, ((double)word + 0.5) * 0x1p-32);
    }
    return true;
}

static void draw_spectrum(void *of, int64_t i, int thread) {
    group  *g = of;
    sample *s = &g->sample[i];
    (void)thread;
    test_draw(g->e, &g->settings, g->first + i, s);
    features_of(EIS_RECIPE_GRID, s->count, s->freq_hz, s->z, s->noise, g->raw + i * GRID_WIDTH, NULL);
}

static void prepare_case(void *of, int64_t i, int thread) {
    group  *g  = of;
    int64_t at = g->scored * EIS_COUNT + i;
    (void)thread;
    g->prepared[at] = case_prepare(g, at);
}

/* Scores of `count` spectra from g->scored on; nothing where they are not wanted. */
static tide_status score_some(group *g, int64_t count, tide_failure *failure) {
    enum { POINTS = GRID_FREQUENCIES };
    double noise[GRID_GROUP];
    if (!g->e->exact) return TIDE_OK;
    eis_z *z = malloc((size_t)(count * POINTS) * sizeof *z);
    if (!z) return fail(failure, TIDE_ENOMEM, "out of memory for exact posteriors");
    for (int64_t i = 0; i < count; i++) {
        const sample *s = &g->sample[g->scored + i];
        noise[i] = s->noise;
        memcpy(z + i * POINTS, s->z, POINTS * sizeof *z);
    }
    tide_status status = exact_batch_run(g->e->exact, count, z, noise, &g->scores, failure);
    free(z);
    return status;
}

static tide_status group_prepare(group *g, tide_failure *failure) {
    int64_t     most   = g->e->exact ? exact_batch_spectra(g->e->exact) : GRID_GROUP;
    tide_status status = TIDE_OK;
    bool        fine   = true;
    parallel_for(g->e->threads, g->spectra, 1, draw_spectrum, g);
    for (g->scored = 0; status == TIDE_OK && g->scored < g->spectra; g->scored += most) {
        int64_t count = MIN2(most, g->spectra - g->scored);
        status = score_some(g, count, failure);
        if (status == TIDE_OK) parallel_for(g->e->threads, count * EIS_COUNT, 1, prepare_case, g);
    }
    if (status != TIDE_OK) return status;
    for (int64_t i = 0; i < g->spectra * EIS_COUNT; i++) fine = fine && g->prepared[i];
    return fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for exact posteriors");
}

/* ---- the network's side ---- */

static void known_of(const grid_case *c, float known_u[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++) known_u[k] = c->missing >> k & 1 ? NAN : (float)c->sample->index[k];
}

static void add_question(group *g, int64_t at, const float known_u[EIS_COUNT]) {
    g->spectrum[g->rows] = (int32_t)(at / EIS_COUNT);
    memcpy(g->known_u[g->rows++], known_u, sizeof *g->known_u);
}

/* The first question of a case, about all that is missing; then for each draw, one after the other of what is missing
 * taken as known. */
static void add_questions(group *g, int64_t at) {
    const grid_case *c = &g->of[at];
    float known_u[EIS_COUNT];
    known_of(c, known_u);
    add_question(g, at, known_u);
    for (int d = 0; d < DRAWS; d++) {
        int bin[EIS_COUNT];
        exact_bins(&c->exact, c->draw[d], bin);
        known_of(c, known_u);
        for (int i = 0, left = c->exact.missing_count - 1; left > 0; i++) {
            if (!(c->missing >> chain[i] & 1)) continue;
            known_u[chain[i]] = (float)bin[chain[i]];
            add_question(g, at, known_u);
            left--;
        }
    }
}

static void take_answers(grid_case *c, const float **answer) {
    const float *first = *answer;
    *answer += EIS_COUNT * CELL_POINTS;
    for (int m = 0; m < c->exact.missing_count; m++)
        for (int i = 0; i < CELL_POINTS; i++)
            c->conditional[m][i] = fmax((double)first[c->exact.missing[m] * CELL_POINTS + i], LEAST_PROBABILITY);
    for (int d = 0; d < DRAWS; d++) {
        int          bin[EIS_COUNT];
        const float *row = first;
        exact_bins(&c->exact, c->draw[d], bin);
        c->log_network[d] = 0;
        for (int i = 0; i < EIS_COUNT; i++) {
            int k = chain[i];
            if (!(c->missing >> k & 1)) continue;
            c->log_network[d] += log(fmax((double)row[k * CELL_POINTS + bin[k]], LEAST_PROBABILITY));
            row = *answer; /* of the next one, given this one */
            *answer += EIS_COUNT * CELL_POINTS;
        }
        *answer -= EIS_COUNT * CELL_POINTS; /* nothing comes after the last */
    }
}

static tide_status group_ask(group *g, tide_failure *failure) {
    int64_t      cases  = g->spectra * EIS_COUNT;
    const float *answer = g->probability;
    tide_status  status = predictor_spectra(g->e->predictor, g->spectra, g->raw, failure);
    g->rows = 0;
    for (int64_t i = 0; i < cases; i++) {
        g->beam[i].spectrum = (int32_t)(i / EIS_COUNT);
        known_of(&g->of[i], g->beam[i].known_u);
        add_questions(g, i);
    }
    if (status == TIDE_OK) status = beam_search(g->e->predictor, cases, g->beam, failure);
    if (status == TIDE_OK)
        status = predictor_ask(g->e->predictor, g->rows, g->spectrum, (const float (*)[EIS_COUNT])g->known_u,
                               g->probability, failure);
    for (int64_t i = 0; status == TIDE_OK && i < cases; i++) take_answers(&g->of[i], &answer);
    return status;
}

/* ---- scores ---- */

static int most_of(const double *p) {
    int best = 0;
    for (int i = 1; i < CELL_POINTS; i++) best = p[i] > p[best] ? i : best;
    return best;
}

/* Masses and hits of up to five proposed places in a row of scores. */
static void score_places(const grid_case *c, const int64_t *place, int count, int mass, int hit, double out[SCORES]) {
    int64_t truth = exact_place(&c->exact, c->sample->index);
    for (int i = 0; i < MIN2(count, EXACT_TOP); i++) {
        double own = c->exact.probability[place[i]];
        if (i == 0) out[mass] = own, out[hit] = place[i] == truth;
        out[mass + 1] += own;
        out[hit + 1] += place[i] == truth;
    }
}

static void score_candidates(const grid_case *c, const beam_case *b, double out[SCORES]) {
    const double *p = c->exact.probability;
    int64_t place[BEAM_CANDIDATES], best[EXACT_TOP];
    int     count = 0;
    for (int i = 0; i < b->count; i++) {
        place[i] = exact_place(&c->exact, b->candidate[i].bin);
        out[CANDIDATE_MASS] += p[place[i]];
        /* by likelihood and prior: in the order of the exact posterior */
        if (count == EXACT_TOP && p[place[i]] <= p[best[count - 1]]) continue;
        int at = count < EXACT_TOP ? count++ : EXACT_TOP - 1;
        for (; at > 0 && p[best[at - 1]] < p[place[i]]; at--) best[at] = best[at - 1];
        best[at] = place[i];
    }
    score_places(c, place, b->count, NETWORK_TOP1, NETWORK_HIT1, out);
    score_places(c, best, count, RERANKED_TOP1, RERANKED_HIT1, out);
}

static void score_distributions(const grid_case *c, double out[SCORES]) {
    int n = c->exact.missing_count;
    for (int d = 0; d < DRAWS; d++)
        out[JOINT_EXCESS] += (log(c->exact.probability[c->draw[d]]) - c->log_network[d]) / DRAWS;
    for (int m = 0; m < n; m++) {
        const double *p = c->marginal[m], *q = c->conditional[m];
        for (int i = 0; i < CELL_POINTS; i++) out[MARGINAL_EXCESS] += p[i] > 0 ? p[i] * log(p[i] / q[i]) / n : 0;
        out[EXACT_LABEL] += p[most_of(p)] / n;
        out[NETWORK_LABEL] += p[most_of(q)] / n;
    }
}

/* ---- records ---- */

/* Of a case, a spectrum with one of its questions: the scores, then how sure of the joint cell the network is and, for
 * each missing parameter, how sure of its value and how much mass that has. */
enum { CONFIDENCE = SCORES, MARGINALS, CASE_NUMBERS = MARGINALS + 2 * EIS_COUNT, NUMBERS = EIS_COUNT * CASE_NUMBERS };

static void record_case(const grid_case *c, const beam_case *b, double *out) {
    out[CHANCE_TOP1] = c->exact.chance[0], out[CHANCE_TOP5] = c->exact.chance[1];
    score_places(c, c->top, c->top_count, EXACT_TOP1, EXACT_HIT1, out);
    score_candidates(c, b, out);
    score_distributions(c, out);
    out[CONFIDENCE] = exp(b->candidate[0].log_probability);
    for (int m = 0; m < c->exact.missing_count; m++) {
        int best = most_of(c->conditional[m]);
        out[MARGINALS + 2 * m] = c->conditional[m][best], out[MARGINALS + 2 * m + 1] = c->marginal[m][best];
    }
}

static tide_status make_group(void *user, int64_t first, int64_t count, double *records, tide_failure *failure) {
    group *g = user;
    g->first = first, g->spectra = count;
    tide_status status = group_prepare(g, failure);
    if (status == TIDE_OK) status = group_ask(g, failure);
    for (int64_t i = 0; status == TIDE_OK && i < count * EIS_COUNT; i++)
        record_case(&g->of[i], &g->beam[i], records + i * CASE_NUMBERS);
    return status;
}

static void tally_case(const double *r, int missing, tally *t) {
    t->cases++;
    for (int i = 0; i < SCORES; i++) t->sum[i] += r[i];
    calibration_add(&t->joint, r[CONFIDENCE], r[NETWORK_TOP1]);
    for (int m = 0; m < missing; m++)
        calibration_add(&t->marginal, r[MARGINALS + 2 * m], r[MARGINALS + 2 * m + 1]);
}

static void add_spectrum(void *user, int64_t number, const double *record) {
    const group *g     = user;
    grid_level  *level = g->level;
    for (int which = 0; which < EIS_COUNT; which++) {
        unsigned missing = test_mask(g->e, number, which);
        int      count   = __builtin_popcount(missing);
        tally   *into[]  = { &level->all, &level->missing[count - 1], &level->pattern[missing] };
        for (int t = 0; t < 3; t++) tally_case(record + which * CASE_NUMBERS, count, into[t]);
    }
}

tide_status grid_level_measure(const evaluation *e, int64_t number, grid_level *level, tide_failure *failure) {
    group       g;
    tide_status status = group_new(e, &g) ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for test spectra");
    g.settings         = test_settings(e, level->noise, level->kept_out);
    g.level            = level;
    const divided d = { .name = "grid", .what = level->kept_out ? "cells kept out" : "cells trained on",
                        .level = number, .noise = level->noise, .spectra = e->options->test_spectra,
                        .each = GRID_GROUP, .numbers = NUMBERS, .make = make_group, .add = add_spectrum, .user = &g };
    if (status == TIDE_OK) status = evaluation_divide(e, &d, failure);
    group_free(&g);
    return status;
}

tide_status evaluate_grid(const evaluation *e, json_t *report, text *talk, tide_failure *failure) {
    json_t     *levels = json_array();
    bool        apart  = predictor_model(e->predictor)->keep_out > 0;
    tide_status status = levels ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the report");
    text_add(talk, "top-1 and top-5 are exact posterior masses of the joint cells proposed (all missing parameters "
                   "together), hits are counted, all means\nover cases; excess is over the exact posterior's own "
                   "cross-entropy; calibration errors are against exact mass\n");
    json_object_set_new(report, "quantities", grid_quantities_json());
    json_object_set_new(report, "levels", levels);
    for (int out = 0; out <= (int)apart; out++)
        for (int i = 0; status == TIDE_OK && i < e->noises; i++) {
            grid_level *level = calloc(1, sizeof *level);
            if (!level) return fail(failure, TIDE_ENOMEM, "out of memory for the scores");
            level->noise    = e->noise[i];
            level->kept_out = out;
            status = grid_level_measure(e, (int64_t)json_array_size(levels), level, failure);
            if (status == TIDE_OK) {
                if (e->first && !json_array_size(levels)) *e->first = level->all.marginal;
                json_array_append_new(levels, grid_level_json(level));
                grid_level_text(level, talk);
            }
            free(level);
        }
    return status;
}
