/* Exact posteriors of many spectra at once, beside those of one at a time and beside the formula in double precision.
 * TIDEMILL_DEVICE says where. */
#include "eis/posterior/exact_batch.h"
/* cmocka's fail is a macro: after base.h, whose fail is not */
#include "random_model.h"

enum { SPECTRA = 6, POINTS = GRID_FREQUENCIES };
static const double noises[SPECTRA] = { 0.001, 0.001, 0.003, 0.01, 0.05, 0.05 };
static sample       of[SPECTRA];

static const char *device(void) { return getenv("TIDEMILL_DEVICE"); }

static void draw_samples(void) {
    for (int i = 0; i < SPECTRA; i++) {
        sampler_settings s = { .recipe = EIS_RECIPE_GRID, .seed = 7, .noise = noises[i] };
        sample_draw(&s, SPLIT_TEST, (uint64_t)i, &of[i]);
    }
}

static exact_batch *open_batch(int64_t spectra, bool scores) {
    tide_failure         failure = { 0 };
    exact_batch         *b;
    exact_batch_settings s = { .device = device(), .spectra = spectra, .scores = scores };
    expect_ok(exact_batch_open(&s, POINTS, of->freq_hz, &b, &failure), &failure);
    return b;
}

static exact_answers ask(exact_batch *b, int first, int count) {
    eis_z        *z = malloc((size_t)(count * POINTS) * sizeof *z);
    exact_answers a;
    tide_failure  failure = { 0 };
    assert_non_null(z);
    for (int i = 0; i < count; i++) memcpy(z + i * POINTS, of[first + i].z, POINTS * sizeof *z);
    expect_ok(exact_batch_run(b, count, z, noises + first, &a, &failure), &failure);
    free(z);
    return a;
}

/* ---- the formula ---- */

/* ln of the likelihood up to what is the same for all cells. */
static double log_likelihood(const sample *s, const int index[EIS_COUNT]) {
    double p[EIS_COUNT], sum = 0;
    eis_z  m[POINTS];
    for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, index[k], CELL_POINTS);
    eis_impedance(EIS_SHUNT, p, 0, POINTS, s->freq_hz, m);
    for (int i = 0; i < POINTS; i++) {
        double size = m[i].re * m[i].re + m[i].im * m[i].im, re = s->z[i].re - m[i].re, im = s->z[i].im - m[i].im;
        sum -= (re * re + im * im) / (2 * s->noise * s->noise * size) + log(size);
    }
    return sum;
}

/* Scores are differences from the best cell's: within single precision of the difference, and of what double leaves. */
static void check_scores(const exact_batch *b, const exact_answers *a, int row, const sample *s) {
    int    index[EIS_COUNT];
    double best, furthest = 0;
    exact_batch_index(b, a->best[row], index);
    best = log_likelihood(s, index) + log(index[EIS_RA] == index[EIS_RB] && index[EIS_CA] == index[EIS_CB] ? 1 : 2);
    for (int64_t cell = 0; cell < EXACT_CELLS; cell += 7) {
        exact_batch_index(b, cell, index);
        bool   alike    = index[EIS_RA] == index[EIS_RB] && index[EIS_CA] == index[EIS_CB];
        double expected = log_likelihood(s, index) + log(alike ? 1 : 2) - best,
               got      = (double)a->score[row * EXACT_CELLS + cell];
        if (fabs(got - expected) > 1e-6 + 2e-7 * fabs(expected))
            fail_msg("noise %g, cell %lld: expected %.9g, got %.9g", s->noise, (long long)cell, expected, got);
        furthest = fmin(furthest, expected);
    }
    if (furthest > -1000) fail_msg("noise %g: the least likely cell is only %g below", s->noise, furthest);
}

static void test_scores(void **state) {
    exact_batch  *b = open_batch(4, true);
    (void)state;
    assert_int_equal(exact_batch_spectra(b), 4);
    for (int first = 0; first < SPECTRA; first += 4) {  /* the second time not filled */
        int           count = first + 4 <= SPECTRA ? 4 : SPECTRA - first;
        exact_answers a     = ask(b, first, count);
        for (int i = 0; i < count; i++) check_scores(b, &a, i, &of[first + i]);
    }
    exact_batch_free(b);
}

/* ---- beside one spectrum at a time ---- */

/* Those keep misfits in single precision: half a unit of the last place of sum |z/Z - 1|^2 / 2 noise^2 is 4e-6 where
 * the sum fits, and so much of a probability. */
static void expect_alike(const char *what, const sample *s, double got, double expected) {
    if (!(fabs(got - expected) <= 3e-5))
        fail_msg("%s, noise %g: expected %.9g, got %.9g", what, s->noise, expected, got);
}

static void test_marginals(void **state) {
    exact_batch  *b = open_batch(SPECTRA, false);
    exact_answers a = ask(b, 0, SPECTRA);
    (void)state;
    for (int i = 0; i < SPECTRA; i++) {
        exact_posterior p;
        double          expected[CELL_POINTS], peak = 0;
        int             index[EIS_COUNT];
        assert_true(exact_posterior_new(&of[i], 31, &p));
        for (int k = 0; k < EIS_COUNT; k++) {
            exact_marginal(&p, k, expected);
            for (int j = 0; j < CELL_POINTS; j++)
                expect_alike("a marginal", &of[i], (double)a.marginal[(i * EIS_COUNT + k) * CELL_POINTS + j],
                             expected[j]);
        }
        for (int64_t j = 0; j < p.count; j++) peak = fmax(peak, p.probability[j]);
        exact_batch_index(b, a.best[i], index);
        expect_alike("the peak", &of[i], (double)a.peak[i], peak);
        expect_alike("the best cell", &of[i], p.probability[exact_place(&p, index)], peak);
        exact_posterior_free(&p);
    }
    exact_batch_free(b);
}

/* Every set of known values. */
static void test_slices(void **state) {
    exact_batch  *b = open_batch(SPECTRA, true);
    exact_answers a = ask(b, 0, SPECTRA);
    (void)state;
    for (unsigned missing = 1; missing < 1U << EIS_COUNT; missing++) {
        int             i = (int)(missing % SPECTRA);
        exact_posterior expected, got;
        assert_true(exact_posterior_new(&of[i], missing, &expected));
        assert_true(exact_posterior_of(b, a.score + i * EXACT_CELLS, &of[i], missing, &got));
        assert_int_equal(got.count, expected.count);
        assert_int_equal(got.missing_count, expected.missing_count);
        for (int k = 0; k < 2; k++) expect_near("the chance", got.chance[k], expected.chance[k], 1e-12);
        for (int64_t j = 0; j < got.count; j++)
            expect_alike("a probability", &of[i], got.probability[j], expected.probability[j]);
        exact_posterior_free(&expected);
        exact_posterior_free(&got);
    }
    exact_batch_free(b);
}

/* ---- memory, devices ---- */

static void test_memory(void **state) {
    tide_failure         failure = { 0 };
    exact_batch         *b;
    exact_batch_settings s = { .device = "cpu", .spectra = 64, .memory_limit = (int64_t)40 << 20 };
    (void)state;
    expect_ok(exact_batch_open(&s, POINTS, of->freq_hz, &b, &failure), &failure);
    int64_t spectra = exact_batch_spectra(b), bytes = exact_batch_bytes(b);
    if (spectra < 2 || spectra > 63 || bytes > s.memory_limit)
        fail_msg("%lld spectra and %lld bytes in 40 MiB", (long long)spectra, (long long)bytes);
    exact_batch_free(b);
    s.memory_limit = 1 << 20;
    assert_int_equal(exact_batch_open(&s, POINTS, of->freq_hz, &b, &failure), TIDE_ENOMEM);
    assert_null(b);
    s.device = "abacus";
    assert_int_equal(exact_batch_open(&s, POINTS, of->freq_hz, &b, &failure), TIDE_EDEVICE);
    assert_non_null(strstr(failure.message, "abacus"));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_scores), cmocka_unit_test(test_marginals),
                                        cmocka_unit_test(test_slices), cmocka_unit_test(test_memory) };
    draw_samples();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
