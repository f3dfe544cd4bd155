/* The exact posterior as a table, the predictor's batches, its beams. */
#include "random_model.h"

#include "eis/posterior/exact.h"

static char folder[] = "/tmp/tide_predictor_XXXXXX", model_path[64];

static sample test_sample(uint64_t number, double noise) {
    sampler_settings s = { .recipe = EIS_RECIPE_GRID, .seed = 3, .noise = noise };
    sample one;
    sample_draw(&s, SPLIT_TEST, number, &one);
    return one;
}

/* ---- the exact posterior ---- */

static double log_likelihood(const sample *s, const double *p) {
    eis_z  z[SAMPLE_MOST];
    double sum = 0;
    eis_impedance(EIS_SHUNT, p, 0, s->count, s->freq_hz, z);
    for (int64_t i = 0; i < s->count; i++) {
        double re = s->z[i].re - z[i].re, im = s->z[i].im - z[i].im, size = z[i].re * z[i].re + z[i].im * z[i].im;
        sum -= log(size) + 0.5 * (re * re + im * im) / (s->noise * s->noise * size);
    }
    return sum;
}

/* Two copies of a canonical circuit off the diagonal, one on it, none of the others. */
static double prior(const int bin[EIS_COUNT]) {
    double tau_a = eis_grid_value(EIS_RA, bin[EIS_RA], 12) * eis_grid_value(EIS_CA, bin[EIS_CA], 12);
    double tau_b = eis_grid_value(EIS_RB, bin[EIS_RB], 12) * eis_grid_value(EIS_CB, bin[EIS_CB], 12);
    if (bin[EIS_RA] == bin[EIS_RB] && bin[EIS_CA] == bin[EIS_CB]) return 1;
    return tau_a > tau_b ? 2 : 0;
}

static double *brute_force(const sample *s, const exact_posterior *p) {
    double *table = malloc((size_t)p->count * sizeof *table), most = -INFINITY, sum = 0, value[EIS_COUNT];
    for (int64_t i = 0; i < p->count; i++) {
        int bin[EIS_COUNT];
        memcpy(bin, s->index, sizeof bin);
        exact_bins(p, i, bin);
        for (int k = 0; k < EIS_COUNT; k++) value[k] = eis_grid_value(k, bin[k], 12);
        table[i] = log(prior(bin)) + log_likelihood(s, value);
        most     = fmax(most, table[i]);
    }
    for (int64_t i = 0; i < p->count; i++) sum += table[i] = exp(table[i] - most);
    for (int64_t i = 0; i < p->count; i++) table[i] /= sum;
    return table;
}

/* Misfits are kept in single precision: at 0.1 % noise a relative error of 1e-7 of a sum of some hundred is 1e-5. */
static void check_exact(const sample *s, unsigned missing) {
    exact_posterior p;
    double sum = 0, whole = 0;
    assert_true(exact_posterior_new(s, missing, &p));
    double *expected = brute_force(s, &p);
    for (int64_t i = 0; i < p.count; i++) {
        expect_near("probability", p.probability[i], expected[i], 1e-4);
        sum += p.probability[i];
    }
    expect_near("sum", sum, 1, 1e-12);
    for (int m = 0; m < p.missing_count; m++) {
        double marginal[CELL_POINTS];
        exact_marginal(&p, m, marginal);
        for (int i = 0; i < CELL_POINTS; i++) whole += marginal[i];
    }
    expect_near("marginals", whole, p.missing_count, 1e-9);
    assert_true(exact_top_mass(&p, 1) <= exact_top_mass(&p, 5) + 1e-15);
    free(expected);
    exact_posterior_free(&p);
}

static void test_exact_brute_force(void **state) {
    static const double noises[] = { 0.001, 0.01, 0.05 };
    (void)state;
    for (unsigned missing = 1; missing < 32; missing++) {
        if (__builtin_popcount(missing) > 3) continue;
        sample s = test_sample(missing, noises[missing % 3]);
        check_exact(&s, missing);
    }
}

/* The full table stands on a symmetric grid, parts of it on another: given all but two values, both must agree. */
static void test_exact_conditional(void **state) {
    (void)state;
    for (uint64_t number = 0; number < 4; number++) {
        sample          s = test_sample(number, 0.05);
        exact_posterior all, part;
        assert_true(exact_posterior_new(&s, 31, &all) && exact_posterior_new(&s, 1u << EIS_RA | 1u << EIS_CB, &part));
        double sum = 0;
        int    bin[EIS_COUNT];
        memcpy(bin, s.index, sizeof bin);
        for (int64_t i = 0; i < part.count; i++)
            exact_bins(&part, i, bin), sum += all.probability[exact_place(&all, bin)];
        assert_true(sum > 0);
        for (int64_t i = 0; i < part.count; i++) {
            exact_bins(&part, i, bin);
            expect_near("conditional", part.probability[i], all.probability[exact_place(&all, bin)] / sum, 1e-5);
        }
        expect_near("chance", all.chance[0], 2 / pow(12, 5), 1e-12);
        exact_posterior_free(&all);
        exact_posterior_free(&part);
    }
}

static void test_exact_draws(void **state) {
    double          p[12] = { 0, 0.5, 0, 0.25, 0.25 };
    exact_posterior table = { .missing_count = 1, .missing = { EIS_RB }, .count = 12, .probability = p };
    int64_t         place[EXACT_TOP];
    (void)state;
    assert_int_equal(exact_draw(&table, 1e-9), 1);
    assert_int_equal(exact_draw(&table, 0.5001), 3);
    assert_int_equal(exact_draw(&table, 1), 4);
    assert_int_equal(exact_top(&table, 2, place), 2);
    assert_int_equal(place[0], 1);
    expect_near("top mass", exact_top_mass(&table, 2), 0.75, 0);
}

/* ---- the predictor ---- */

enum { QUESTIONS = 700 };
typedef struct questions { int32_t spectrum[QUESTIONS]; float known_u[QUESTIONS][EIS_COUNT]; } questions;

static predictor *open_model(int64_t spectra) {
    tide_failure failure = { 0 };
    predictor   *p;
    expect_ok(predictor_open(folder, &(predictor_settings){ .device = "cpu", .threads = 2 }, &p, &failure), &failure);
    float *raw = test_features(EIS_RECIPE_GRID, spectra, 0.01);
    expect_ok(predictor_spectra(p, spectra, raw, &failure), &failure);
    free(raw);
    return p;
}

static void ask_questions(int64_t spectra, questions *q) {
    for (int i = 0; i < QUESTIONS; i++) {
        q->spectrum[i] = (int32_t)(i % spectra);
        for (int k = 0; k < EIS_COUNT; k++) q->known_u[i][k] = (i * 7 + 1) >> k & 1 ? NAN : (float)((i + k) % 12);
    }
}

/* Products of another size may be added up in another order: 5e-6 is some tens of roundings of probabilities below
 * 1. */
static void test_batches_agree(void **state) {
    enum { SPECTRA = 5, EACH = EIS_COUNT * 12 };
    tide_failure failure = { 0 };
    questions    q;
    predictor   *p = open_model(SPECTRA);
    float       *all = malloc(QUESTIONS * EACH * sizeof *all), *some = malloc(QUESTIONS * EACH * sizeof *some);
    (void)state;
    ask_questions(SPECTRA, &q);
    expect_ok(predictor_ask(p, QUESTIONS, q.spectrum, q.known_u, all, &failure), &failure);
    for (int64_t first = 0, count = 1; first < QUESTIONS; first += count, count = count * 2 + 1) {
        count = count < QUESTIONS - first ? count : QUESTIONS - first;
        expect_ok(predictor_ask(p, count, q.spectrum + first, q.known_u + first, some + first * EACH, &failure),
                  &failure);
    }
    for (int i = 0; i < QUESTIONS * EACH; i++) expect_near("another batch", some[i], all[i], 5e-6);
    for (int i = 0; i < QUESTIONS * EIS_COUNT; i++) {
        double sum = 0;
        for (int b = 0; b < 12; b++) sum += all[i * 12 + b];
        expect_near("sum over bins", sum, 1, 1e-5);
    }
    free(all), free(some);
    predictor_free(p);
}

/* What the program makes of it is what the network's definition says, read lazily on the reference device. */
static void test_against_network(void **state) {
    enum { EACH = EIS_COUNT * 12 };
    tide_failure failure = { 0 };
    predictor   *p = open_model(1);
    const spectrum_model *m = predictor_model(p);
    float known_u[1][EIS_COUNT] = { { NAN, 3, NAN, NAN, 7 } }, got[EACH], expected[EACH], features[GRID_WIDTH],
          known[KNOWN_WIDTH];
    float       *raw = test_features(EIS_RECIPE_GRID, 1, 0.01);
    tide_graph  *g = tide_graph_new("ref");
    network      n = network_new(g, &m->config);
    (void)state;
    expect_ok(tide_load(tide_params(g, ""), model_path, &failure), &failure);
    expect_ok(predictor_ask(p, 1, (int32_t[]){ 0 }, known_u, got, &failure), &failure);
    features_scale(&m->scale, raw, features);
    features_known(EIS_RECIPE_GRID, &m->scale, raw, known_u[0], known);
    tide_val in = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, GRID_WIDTH), features),
             k = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, 1, KNOWN_WIDTH), known);
    assert_int_equal(
        tide_read(tide_softmax(network_decode(&n, network_encode(&n, in), k), -1), expected, sizeof expected), TIDE_OK);
    for (int i = 0; i < EACH; i++) expect_near("probability", got[i], expected[i], 5e-6);
    tide_graph_free(g);
    free(raw);
    predictor_free(p);
}

/* ---- beams ---- */

/* Two missing: 144 assignments, all of which the chain rule can be asked for. The beam follows the best eight first
 * values. */
static void exhaustive(predictor *p, const beam_case *c, int first, int second, double table[12][12]) {
    tide_failure failure = { 0 };
    float        answer[13][EIS_COUNT][12], known_u[13][EIS_COUNT];
    int32_t      spectrum[13];
    for (int i = 0; i < 13; i++) {
        spectrum[i] = c->spectrum;
        memcpy(known_u[i], c->known_u, sizeof known_u[i]);
        if (i > 0) known_u[i][first] = (float)(i - 1);
    }
    expect_ok(predictor_ask(p, 13, spectrum, known_u, &answer[0][0][0], &failure), &failure);
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++)
            table[i][j] = log((double)answer[0][first][i]) + log((double)answer[i + 1][second][j]);
}

static int better_than(double table[12][12], const bool *followed, double value) {
    int count = 0;
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++) count += followed[i] && table[i][j] > value + 1e-6;
    return count;
}

static void test_beam_exhaustive(void **state) {
    static const int pairs[][2] = {
        { EIS_CA, EIS_CB }, { EIS_CB, EIS_RSH }, { EIS_RSH, EIS_RA }, { EIS_RA, EIS_RB }, { EIS_CA, EIS_RB }
    };
    enum { CASES = 5 };
    tide_failure failure = { 0 };
    predictor   *p = open_model(CASES);
    beam_case    c[CASES];
    (void)state;
    for (int i = 0; i < CASES; i++) {
        c[i].spectrum = i;
        for (int k = 0; k < EIS_COUNT; k++)
            c[i].known_u[k] = k == pairs[i][0] || k == pairs[i][1] ? NAN : (float)((3 * i + k) % 12);
    }
    expect_ok(beam_search(p, CASES, c, &failure), &failure);
    for (int i = 0; i < CASES; i++) {
        double table[12][12], sum = 0;
        bool   followed[12] = { false };
        exhaustive(p, &c[i], pairs[i][0], pairs[i][1], table);
        assert_int_equal(c[i].count, BEAM_CANDIDATES);
        for (int j = 0; j < 12; j++) { /* the first value's own probability decides: that of its row together */
            double own = 0, above = 0;
            for (int b = 0; b < 12; b++) own += exp(table[j][b]);
            for (int other = 0; other < 12; other++) {
                double theirs = 0;
                for (int b = 0; b < 12; b++) theirs += exp(table[other][b]);
                above += theirs > own;
            }
            followed[j] = above < BEAM_WIDTH;
        }
        for (int r = 0; r < c[i].count; r++) {
            const beam_candidate *b = &c[i].candidate[r];
            expect_near("log probability", b->log_probability, table[b->bin[pairs[i][0]]][b->bin[pairs[i][1]]], 1e-4);
            for (int k = 0; k < EIS_COUNT; k++) assert_int_equal(b->bin[k] < 0, !isnan(c[i].known_u[k]));
            if (better_than(table, followed, b->log_probability + 1e-4) > r)
                fail_msg("case %d: rank %d is not it", i, r);
            sum += exp(b->log_probability);
        }
        assert_true(sum < 1);
    }
    predictor_free(p);
}

/* Everything known: one candidate, nothing asked; one missing: all twelve. */
static void test_beam_edges(void **state) {
    tide_failure failure = { 0 };
    predictor   *p = open_model(1);
    beam_case    c[2] = { { .known_u = { 0, 1, 2, 3, 4 } }, { .known_u = { 0, 1, NAN, 3, 4 } } };
    double       sum = 0;
    (void)state;
    expect_ok(beam_search(p, 2, c, &failure), &failure);
    assert_int_equal(c[0].count, 1);
    assert_int_equal(c[1].count, 12);
    for (int i = 0; i < 12; i++) sum += exp(c[1].candidate[i].log_probability);
    expect_near("all twelve", sum, 1, 1e-5);
    predictor_free(p);
}

static void test_not_a_model(void **state) {
    tide_failure failure = { 0 };
    predictor   *p;
    (void)state;
    assert_int_equal(
        predictor_open("/nonexistent/model", &(predictor_settings){ .device = "cpu", .threads = 1 }, &p, &failure),
        TIDE_EDATA);
    assert_null(p);
}

static int setup(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    write_random_model(EIS_RECIPE_GRID, 64, model_path);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(model_path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_exact_brute_force),
                                        cmocka_unit_test(test_exact_conditional),
                                        cmocka_unit_test(test_exact_draws),       cmocka_unit_test(test_batches_agree),
                                        cmocka_unit_test(test_against_network),
                                        cmocka_unit_test(test_beam_exhaustive),
                                        cmocka_unit_test(test_beam_edges),        cmocka_unit_test(test_not_a_model) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, setup, teardown);
}
