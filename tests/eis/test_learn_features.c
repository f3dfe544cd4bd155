/* The numeric base of the spectrum predictor: fits, fibres, features, drawn spectra. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/predictor/features.h"
#include "eis/circuit/rng.h"

#define TWO_PI 6.283185307179586476925286766559
enum { POINTS = GRID_FREQUENCIES };

static const double example[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };

static void expect_within(const char *what, double got, double expected, double allowed) {
    if (!(fabs(got - expected) <= allowed))
        fail_msg("%s: expected %.15g, got %.15g, %.3g apart, %.3g allowed", what, expected, got, fabs(got - expected),
                 allowed);
}

static void random_circuit(rng *r, double p[EIS_COUNT]) {
    for (int k = 0; k < EIS_COUNT; k++)
        p[k] = eis_parameters[k].low * pow(eis_parameters[k].high / eis_parameters[k].low, rng_unit(r));
}

static void frequencies(double *freq_hz) {
    for (int i = 0; i < POINTS; i++) freq_hz[i] = pow(10, 5 - i / 10.0);
}

static void measure(const double *p, double rs, const double *freq_hz, double noise, rng *r, eis_z *z) {
    eis_impedance(EIS_SHUNT, p, rs, POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) {
        double sd = noise * hypot(z[i].re, z[i].im);
        if (sd > 0) z[i].re += sd * rng_normal(r), z[i].im += sd * rng_normal(r);
    }
}

/* ---- fibres ---- */

static void check_two_relaxations(const double *p, const double *x) {
    double freq_hz[POINTS];
    eis_z  z[POINTS];
    frequencies(freq_hz);
    eis_impedance(EIS_SHUNT, p, 0, POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) {
        double a = TWO_PI * freq_hz[i] * exp(x[QUICK_LN_TAU1]), b = TWO_PI * freq_hz[i] * exp(x[QUICK_LN_TAU2]);
        double q = exp(x[QUICK_LN_R1]) / (1 + a * a), s = exp(x[QUICK_LN_R2]) / (1 + b * b);
        double apart = hypot(q + s - z[i].re, -a * q - b * s - z[i].im) / hypot(z[i].re, z[i].im);
        if (!(apart < 1e-12))
            fail_msg("%g Hz: the two relaxations are %g of |Z| away, 1e-12 allowed", freq_hz[i], apart);
    }
}

static void test_quick_of_circuit(void **state) {
    rng r = { .seed = 21 };
    (void)state;
    for (int n = 0; n < 500; n++) {
        double p[EIS_COUNT], swapped[EIS_COUNT], x[QUICK_COUNT], y[QUICK_COUNT];
        random_circuit(&r, p);
        if (n % 10 == 0) p[EIS_CA] = p[EIS_RB] * p[EIS_CB] / p[EIS_RA]; /* one time constant */
        eis_swap(p, swapped);
        quick_of_circuit(p, x);
        quick_of_circuit(swapped, y);
        assert_true(x[QUICK_LN_TAU1] >= x[QUICK_LN_TAU2]);
        check_two_relaxations(p, x);
        check_two_relaxations(p, y);
    }
}

/* Against the closed form in long double: u within 1e-9 of a grid step where the circuit is a circuit. */
static void test_fibre_coordinates(void **state) {
    rng r = { .seed = 22 };
    (void)state;
    for (int n = 0; n < 2000; n++) {
        double p[EIS_COUNT], x[QUICK_COUNT], u[4], expected[EIS_COUNT];
        random_circuit(&r, p);
        quick_of_circuit(p, x);
        eis_invariants q = eis_invariants_of(p);
        double rsh = q.r0_ohm * (1 + pow(10, 3 * rng_unit(&r) - 2));
        fibre_coordinates(x, rsh, u);
        if (!eis_fibre(&q, q.r0_ohm / (rsh - q.r0_ohm), expected)) continue;
        for (int j = 0; j < 4; j++) {
            double at = grid_coordinate(EIS_RA + j, expected[EIS_RA + j]),
                   contrast = p[EIS_RA] * p[EIS_CA] / (p[EIS_RB] * p[EIS_CB]);
            at = fmin(fmax(at, -4), 15);
            /* With nearly equal time constants the invariants keep fewer digits of what sets the relaxations apart. */
            if (fabs(log(contrast)) > 0.3) expect_within(eis_parameters[EIS_RA + j].name, u[j], at, 1e-7);
        }
        fibre_coordinates(x, p[EIS_RSH], u);
        bool swap = p[EIS_RA] * p[EIS_CA] < p[EIS_RB] * p[EIS_CB];
        if (swap) eis_swap(p, p);
        for (int j = 0; j < 4; j++)
            expect_within("the circuit itself", u[j], grid_coordinate(EIS_RA + j, p[EIS_RA + j]), 1e-6);
    }
}

static void test_no_circuit(void **state) {
    double x[QUICK_COUNT], at[4], below[4];
    (void)state;
    quick_of_circuit(example, x);
    double ter = quick_invariants(x).r0_ohm;
    expect_within("TER", ter, eis_invariants_of(example).r0_ohm, 1e-10 * ter);
    fibre_coordinates(x, ter * (1 + 1e-8), at);
    fibre_coordinates(x, ter / 2, below);
    assert_true(at[0] == 15 && below[0] == 15); /* Ra grows without limit */
    for (int j = 1; j < 4; j++) expect_within("limit", below[j], at[j], 1e-5);
}

/* ---- fits ---- */

static double misfit_of_truth(const double *p, const double *freq_hz, const eis_z *z, double noise) {
    eis_z  m[POINTS];
    double sum = 0;
    eis_impedance(EIS_SHUNT, p, 0, POINTS, freq_hz, m);
    for (int i = 0; i < POINTS; i++) {
        double re = z[i].re - m[i].re, im = z[i].im - m[i].im;
        sum += (re * re + im * im) / (z[i].re * z[i].re + z[i].im * z[i].im);
    }
    return sum / (noise * noise);
}

/* At most 2 % of fits may end in a worse place than the truth. */
static void test_fit_quality(void **state) {
    static const double noises[] = { 0.001, 0.01, 0.05 };
    double freq_hz[POINTS];
    (void)state;
    frequencies(freq_hz);
    for (int q = 0; q < 3; q++) {
        int bad = 0, count = 2000;
        for (int n = 0; n < count; n++) {
            sample           s;
            quick_fit        fit;
            sampler_settings settings = { EIS_RECIPE_GRID, .seed = 4, .noise = noises[q] };
            sample_draw(&settings, SPLIT_TRAIN, (uint64_t)n, &s);
            quick_fit_run(s.count, s.freq_hz, s.z, s.noise, false, &fit);
            bad += fit.misfit > misfit_of_truth(s.p, s.freq_hz, s.z, s.noise) + 1;
        }
        if (bad > count / 50)
            fail_msg("noise %g: %d of %d fits are worse than the truth, at most 2 %% expected", noises[q], bad, count);
    }
}

/* -2 ln L of points of which one in a hundred has ten times the noise. */
static double robust_objective(const sample *s, const double *relative_square, double noise) {
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double e2 = relative_square[i] / (noise * noise);
        sum -= 2 * log((0.99 * exp(-0.5 * e2) + 0.0001 * exp(-0.005 * e2)) / (noise * noise));
    }
    return sum;
}

static double best_objective(const sample *s, const double *relative_square, double noise) {
    double best = INFINITY;
    for (double f = 0.5; f < 2; f *= 1.01) best = fmin(best, robust_objective(s, relative_square, f * noise));
    return best;
}

static void errors_of(const sample *s, const double *x, double rs, double *square) {
    for (int64_t i = 0; i < s->count; i++) {
        double a = TWO_PI * s->freq_hz[i] * exp(x[QUICK_LN_TAU1]), b = TWO_PI * s->freq_hz[i] * exp(x[QUICK_LN_TAU2]);
        double q = exp(x[QUICK_LN_R1]) / (1 + a * a), t = exp(x[QUICK_LN_R2]) / (1 + b * b),
               re = rs + q + t - s->z[i].re;
        double im = -a * q - b * t - s->z[i].im;
        square[i] = (re * re + im * im) / (s->z[i].re * s->z[i].re + s->z[i].im * s->z[i].im);
    }
}

static void test_lab_quality(void **state) {
    static const double noises[] = { 0.001, 0.01, 0.05 };
    (void)state;
    for (int q = 0; q < 3; q++) {
        int    bad = 0, count = 1000;
        double ratio = 0;
        for (int n = 0; n < count; n++) {
            sample           s;
            quick_fit        fit;
            double           x[QUICK_COUNT], square[SAMPLE_MOST];
            sampler_settings settings = { EIS_RECIPE_LAB, .seed = 5, .noise = noises[q] };
            sample_draw(&settings, SPLIT_TRAIN, (uint64_t)n, &s);
            quick_fit_run(s.count, s.freq_hz, s.z, NAN, true, &fit);
            quick_of_circuit(s.p, x);
            errors_of(&s, x, s.p[EIS_RS], square);
            double truth = best_objective(&s, square, s.noise);
            errors_of(&s, fit.x, fit.rs_ohm, square);
            bad += best_objective(&s, square, s.noise) > truth + 1;
            ratio += fit.noise / s.noise / count;
            assert_true(fit.rs_ohm >= 0 && fit.rs_ohm <= 100 && fit.outliers >= 0 && fit.outliers <= (double)s.count);
        }
        if (bad > count / 50)
            fail_msg("noise %g: %d of %d fits are worse than the truth, at most 2 %% expected", noises[q], bad, count);
        expect_within("estimated over true noise", ratio, 1, 0.03);
    }
}

static void test_noise_free(void **state) {
    double freq_hz[POINTS], x[QUICK_COUNT];
    eis_z  z[POINTS];
    rng    r = { .seed = 1 };
    quick_fit fit;
    static const double clear[] = { 2000, 3000, 900, 2e-5, 4e-7 };
    (void)state;
    frequencies(freq_hz);
    quick_of_circuit(clear, x);
    for (int lab = 0; lab < 2; lab++) {
        measure(clear, lab ? 37 : 0, freq_hz, 0, &r, z);
        quick_fit_run(POINTS, freq_hz, z, lab ? NAN : 1e-4, lab, &fit);
        /* the prior pulls by its share */
        for (int k = 0; k < QUICK_COUNT; k++) expect_within("logarithm", fit.x[k], x[k], 1e-5);
        if (lab) expect_within("Rs", fit.rs_ohm, 37, 1e-3);
    }
}

/* The covariance is that of the estimates, draw after draw. */
static void test_covariance(void **state) {
    static const double clear[] = { 2000, 3000, 900, 2e-5, 4e-7 };
    enum { DRAWS = 2000 };
    double freq_hz[POINTS], mean[QUICK_COUNT] = { 0 }, squares[QUICK_COUNT] = { 0 }, product = 0;
    eis_z  z[POINTS];
    rng    r = { .seed = 31 };
    quick_fit fit;
    (void)state;
    frequencies(freq_hz);
    double x[QUICK_COUNT];
    quick_of_circuit(clear, x);
    for (int n = 0; n < DRAWS; n++) {
        measure(clear, 0, freq_hz, 0.01, &r, z);
        quick_fit_run(POINTS, freq_hz, z, 0.01, false, &fit);
        for (int k = 0; k < QUICK_COUNT; k++) {
            mean[k] += (fit.x[k] - x[k]) / DRAWS;
            squares[k] += (fit.x[k] - x[k]) * (fit.x[k] - x[k]) / DRAWS;
        }
        product += (fit.x[0] - x[0]) * (fit.x[1] - x[1]) / DRAWS;
    }
    for (int k = 0; k < QUICK_COUNT; k++) {
        double sd = sqrt(squares[k] - mean[k] * mean[k]);
        expect_within("standard deviation", sqrt(fit.cov[k][k]), sd, 0.15 * sd);
    }
    double scale = sqrt(fit.cov[0][0] * fit.cov[1][1]);
    expect_within("correlation", fit.cov[0][1] / scale, (product - mean[0] * mean[1]) / scale, 0.15);
}

/* ---- features ---- */

static void test_swapped(void **state) {
    double freq_hz[POINTS], swapped[EIS_COUNT];
    eis_z  z[POINTS];
    float  one[FEATURES_MOST], other[FEATURES_MOST];
    rng    r = { .seed = 41 };
    (void)state;
    frequencies(freq_hz);
    for (int n = 0; n < 50; n++) {
        double p[EIS_COUNT];
        random_circuit(&r, p);
        eis_swap(p, swapped);
        rng noise = { .seed = 42, .stream = (uint32_t)n };
        measure(p, 0, freq_hz, 0.01, &noise, z);
        features_of(EIS_RECIPE_GRID, POINTS, freq_hz, z, 0.01, one, NULL);
        noise.next = 0;
        measure(swapped, 0, freq_hz, 0.01, &noise, z);
        features_of(EIS_RECIPE_GRID, POINTS, freq_hz, z, 0.01, other, NULL);
        for (int k = 0; k < GRID_WIDTH; k++)
            expect_within("feature of a swapped circuit", (double)other[k], (double)one[k],
                          2e-3 * (1 + fabs((double)one[k])));
    }
}

static void expect_finite(const char *what, const float *x, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(x[k])) fail_msg("%s: number %d is %g", what, (int)k, (double)x[k]);
}

static void check_finite(const char *what, int64_t count, const double *freq_hz, const eis_z *z) {
    float         raw[FEATURES_MOST], scaled[FEATURES_MOST], known[KNOWN_WIDTH];
    feature_scale scale;
    for (int recipe = 0; recipe < 2; recipe++) {
        eis_recipe which = recipe ? EIS_RECIPE_LAB : EIS_RECIPE_GRID;
        for (double noise = 1e-4; noise < 2; noise *= 10) {
            quick_fit fit;
            features_of(which, count, freq_hz, z, recipe && noise > 0.05 ? NAN : noise, raw, &fit);
            expect_finite(what, raw, features_width(which));
            assert_true(fit.x[QUICK_LN_TAU1] >= fit.x[QUICK_LN_TAU2]);
            feature_scale_from(features_width(which), 1, raw, &scale);
            features_scale(&scale, raw, scaled);
            expect_finite(what, scaled, features_width(which));
            for (int mask = 0; mask < 32; mask++) {
                float u[EIS_COUNT];
                for (int k = 0; k < EIS_COUNT; k++) u[k] = mask >> k & 1 ? 3.3f * (float)k - 0.5f : NAN;
                features_known(which, &scale, raw, u, known);
                expect_finite(what, known, KNOWN_WIDTH);
            }
        }
    }
}

static void test_nasty(void **state) {
    static const struct { const char *what; double p[EIS_COUNT]; } cases[] = {
        { "equal membranes", { 1000, 500, 500, 1e-6, 1e-6 } },
        { "one time constant", { 1000, 500, 1000, 2e-6, 1e-6 } },
        { "no shunt", { INFINITY, 1e4, 1e4, 5e-5, 5e-5 } },          { "TER above all Rsh",
            { INFINITY, 5e5, 3e5, 1e-6, 1e-9 } },
        { "TER below all Rsh", { 1e-3, 1e4, 1e4, 1e-6, 1e-5 } },
        { "slow beyond the frequencies", { 1e4, 1e4, 1e4, 10, 10 } },
        { "fast beyond the frequencies", { 1e4, 10, 10, 1e-12, 1e-11 } },
        { "megohms", { 1e12, 1e9, 1e9, 1e-15, 1e-12 } },
        { "all at the low end", { 10, 10, 10, 1e-7, 1e-7 } },        { "all at the high end",
            { 1e4, 1e4, 1e4, 5e-5, 5e-5 } } };
    double freq_hz[POINTS];
    eis_z  z[POINTS];
    rng    r = { .seed = 51 };
    (void)state;
    frequencies(freq_hz);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        measure(cases[i].p, 0, freq_hz, 0.01, &r, z);
        check_finite(cases[i].what, POINTS, freq_hz, z);
        measure(cases[i].p, 0, freq_hz, 0, &r, z);
        check_finite(cases[i].what, POINTS, freq_hz, z);
        check_finite(cases[i].what, 5, freq_hz + 20, z + 20);
    }
    for (int i = 0; i < POINTS; i++) z[i] = (eis_z){ rng_normal(&r), rng_normal(&r) };
    check_finite("noise alone", POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) z[i] = (eis_z){ -100 - i, 50 };
    check_finite("no passive circuit", POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) z[i] = (eis_z){ 100, 0 };
    check_finite("a resistor", POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) z[i] = (eis_z){ 0, -1 / freq_hz[i] };
    check_finite("a capacitor", POINTS, freq_hz, z);
    for (int i = 0; i < POINTS; i++) freq_hz[i] = 1000;
    check_finite("one frequency", POINTS, freq_hz, z);
}

/* What RSH_FEATURES say of the true Rsh is the truth, and its cell fits. */
static void test_truth_in_features(void **state) {
    float            raw[FEATURES_MOST];
    double           freq_hz[POINTS], p[EIS_COUNT];
    eis_z            z[POINTS];
    rng              r = { .seed = 61 };
    const int        index[EIS_COUNT] = { 6, 8, 7, 9, 2 };
    (void)state;
    frequencies(freq_hz);
    for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, index[k], RSH_VALUES);
    measure(p, 0, freq_hz, 0, &r, z);
    features_of(EIS_RECIPE_GRID, POINTS, freq_hz, z, 1e-3, raw, NULL);
    const float *row = raw + FIT_FEATURES + index[EIS_RSH] * (RSH_FEATURES + CELL_FEATURES);
    assert_true(row[0] == 1);
    for (int j = 0; j < 4; j++) {
        expect_within("u", (double)row[2 + j], index[EIS_RA + j], 1e-2);
        expect_within("cos", (double)row[6 + j], cos(TWO_PI * (double)row[2 + j]), 1e-5);
        expect_within("sin", (double)row[10 + j], sin(TWO_PI * (double)row[2 + j]), 1e-5);
    }
    expect_within("misfit of the true cell", (double)row[RSH_FEATURES], 0, 1e-2);
    expect_within("distance of the true cell", (double)row[RSH_FEATURES + 1], 0, 1e-1);
    const float *other = row + 3 * (RSH_FEATURES + CELL_FEATURES);
    assert_true(other[RSH_FEATURES] > 1 && other[RSH_FEATURES + 1] > 1);
}

static void identity_scale(eis_recipe recipe, feature_scale *s) {
    *s = (feature_scale){ .width = features_width(recipe) };
    for (int k = 0; k < FEATURES_MOST; k++) s->over_sd[k] = 0.5f;
}

static void test_known(void **state) {
    (void)state;
    for (int which = 0; which < 2; which++) {
        eis_recipe       recipe = which ? EIS_RECIPE_LAB : EIS_RECIPE_GRID;
        sampler_settings settings = { recipe, .seed = 9, .noise = 0.01 };
        sample           s;
        feature_scale    scale;
        float            raw[FEATURES_MOST], out[KNOWN_WIDTH], near[KNOWN_WIDTH];
        sample_draw(&settings, SPLIT_TRAIN, 3, &s);
        features_of(recipe, s.count, s.freq_hz, s.z, which ? NAN : s.noise, raw, NULL);
        identity_scale(recipe, &scale);
        for (int i = 0; i < RSH_VALUES; i++) {
            float known[EIS_COUNT] = { (float)i, NAN, 4.25f, NAN, 11 };
            const float *row =
                raw + FIT_FEATURES + (which ? LAB_FEATURES + i * RSH_FEATURES : i * (RSH_FEATURES + CELL_FEATURES));
            features_known(recipe, &scale, raw, known, out);
            for (int k = 0; k < 12; k++) {
                assert_true(out[k] == (k == i ? 1 : 0) && out[12 + k] == 0 && out[36 + k] == 0 &&
                            out[48 + k] == (k == 11 ? 1 : 0));
                assert_true(out[24 + k] == (k == 4 ? 0.75f : k == 5 ? 0.25f : 0));
            }
            for (int k = 0; k < EIS_COUNT; k++) assert_true(out[60 + k] == (k == 1 || k == 3 ? 1 : 0));
            for (int j = 0; j < 16; j++) assert_true(out[77 + j] == fminf(fmaxf(0.5f * row[2 + j], -6), 6));
            double sum = 0;
            for (int j = 1; j < 4; j += 2) {
                double sd = exp((double)row[14 + j]) - 1e-4, apart = (double)(row[2 + j] - known[EIS_RA + j]);
                sum += apart * apart / (sd * sd + 4e-4);
                expect_within("distance of a known value", (double)out[93 + j], fmin(fmax(apart, -3), 3), 1e-5);
            }
            expect_within("ln of the distance", (double)out[65 + i], log1p(sum) / 4, 1e-4);
            assert_true(out[93] == 0 && out[95] == 0);
            known[0] = fminf((float)i + 1e-4f, 11);
            features_known(recipe, &scale, raw, known, near);
            for (int k = 60; k < KNOWN_WIDTH; k++) /* no jump beside the grid, where the fibre itself is smooth */
                if (row[1] > 3) expect_within("beside a grid value", (double)near[k], (double)out[k], 0.02);
        }
    }
}

static void test_scale(void **state) {
    enum { ROWS = 1000 };
    static float  raw[ROWS * 3];
    feature_scale s;
    rng           r = { .seed = 71 };
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        raw[3 * i]     = 1000 + (float)(0.01 * rng_normal(&r));
        raw[3 * i + 1] = 7.3f;
        raw[3 * i + 2] = (float)(50 * rng_normal(&r));
    }
    feature_scale_from(3, ROWS, raw, &s);
    expect_within("mean", (double)s.mean[0], 1000, 2e-3);
    expect_within("sd", 1 / (double)s.over_sd[0], 0.01, 1e-3);
    assert_true(s.over_sd[1] == 1 && s.mean[1] == 7.3f);
    float out[3], far[3] = { 1001, 7.3f, 0 };
    assert_int_equal(features_scale(&s, far, out), 1);
    assert_true(out[0] == 6 && out[1] == 0);
}

/* ---- drawn spectra ---- */

static bool same(const sample *a, const sample *b) {
    return !memcmp(a->p, b->p, sizeof a->p) && a->count == b->count &&
           !memcmp(a->freq_hz, b->freq_hz, (size_t)a->count * sizeof *a->freq_hz) &&
           !memcmp(a->z, b->z, (size_t)a->count * sizeof *a->z) && a->noise == b->noise;
}

static void check_sample(const sampler_settings *settings, const sample *s) {
    double tau_a = s->p[EIS_RA] * s->p[EIS_CA], tau_b = s->p[EIS_RB] * s->p[EIS_CB];
    assert_true(tau_a >= tau_b * (1 - 1e-9));
    if (fabs(tau_a - tau_b) < 1e-9 * tau_b) assert_true(s->p[EIS_RA] >= s->p[EIS_RB]);
    assert_true(s->noise >= NOISE_LOW && s->noise <= NOISE_HIGH);
    for (int k = 0; k < EIS_COUNT; k++) {
        bool grid = settings->recipe == EIS_RECIPE_GRID;
        assert_true(s->index[k] >= 0 && s->index[k] < 12);
        expect_within("place on the axis", grid_coordinate(k, s->p[k]), s->index[k], grid ? 1e-9 : 0.5 + 1e-9);
    }
    for (int64_t i = 1; i < s->count; i++) assert_true(s->freq_hz[i] <= s->freq_hz[i - 1] && s->freq_hz[i] > 0);
    if (settings->recipe == EIS_RECIPE_GRID) {
        assert_true(s->count == GRID_FREQUENCIES && s->p[EIS_RS] == 0);
        for (int i = 0; i < POINTS; i++)
            expect_within("frequency", s->freq_hz[i], pow(10, 5 - i / 10.0), 1e-12 * s->freq_hz[i]);
        return;
    }
    assert_true(s->count >= 20 && s->count <= 100 && s->p[EIS_RS] >= 0 && s->p[EIS_RS] <= 100);
    assert_true(s->freq_hz[0] >= 1e4 && s->freq_hz[0] <= 1e6 && s->freq_hz[s->count - 1] >= 0.01 &&
                s->freq_hz[s->count - 1] <= 10);
}

static bool is_even(const sample *s) {
    double step = log(s->freq_hz[0] / s->freq_hz[s->count - 1]) / (double)(s->count - 1);
    for (int64_t i = 1; i < s->count; i++)
        if (fabs(log(s->freq_hz[i - 1] / s->freq_hz[i]) - step) > 1e-9) return false;
    return true;
}

static void test_draws(void **state) {
    enum { DRAWS = 2000 };
    (void)state;
    for (int recipe = 0; recipe < 2; recipe++) {
        sampler_settings settings = { recipe ? EIS_RECIPE_LAB : EIS_RECIPE_GRID, .seed = 1234567890123ULL };
        double squares = 0, points = 0, outliers = 0, even = 0, mean[EIS_COUNT] = { 0 };
        for (int n = 0; n < DRAWS; n++) {
            sample one, again, other;
            eis_z  z[SAMPLE_MOST];
            sample_draw(&settings, SPLIT_TRAIN, (uint64_t)n, &one);
            sample_draw(&settings, SPLIT_TRAIN, (uint64_t)n, &again);
            assert_true(same(&one, &again));
            sample_draw(&settings, SPLIT_TEST, (uint64_t)n, &other);
            assert_false(same(&one, &other));
            check_sample(&settings, &one);
            even += is_even(&one);
            for (int k = 0; k < EIS_COUNT; k++) mean[k] += grid_coordinate(k, one.p[k]) / DRAWS;
            eis_impedance(EIS_SHUNT, one.p, one.p[EIS_RS], one.count, one.freq_hz, z);
            for (int64_t i = 0; i < one.count; i++) {
                double sd = one.noise * hypot(z[i].re, z[i].im), re = (one.z[i].re - z[i].re) / sd,
                       im = (one.z[i].im - z[i].im) / sd;
                bool   out = re * re + im * im > 25; /* 4e-6 of ordinary points, 88 % of outliers */
                outliers += out, points++;
                if (!out) squares += re * re + im * im;
            }
        }
        expect_within("noise", sqrt(squares / (2 * (points - outliers))), 1, 0.01);
        expect_within("share of outliers", outliers / points, recipe ? 0.01 * exp(-0.125) : 0, 0.0008);
        if (recipe) expect_within("share of even frequencies", even / DRAWS, 0.5, 0.05);
        expect_within("mean of Rsh", mean[0], 5.5, 0.3);
        expect_within("mean of Ra and Rb", (mean[1] + mean[2]) / 2, 5.5, 0.25);
        expect_within("mean of Ca and Cb", (mean[3] + mean[4]) / 2, 5.5, 0.25);
    }
}

static void test_kept_out(void **state) {
    sampler_settings settings = { EIS_RECIPE_GRID, .seed = 77, .keep_out = 0.05 }, only = settings;
    int64_t          kept = 0, cells = 0;
    sample           s;
    (void)state;
    only.kept_out_only = true;
    for (int cell = 0; cell < 12 * 12 * 12 * 12 * 12; cell++, cells++) {
        int index[EIS_COUNT], swapped[EIS_COUNT];
        for (int k = 0, rest = cell; k < EIS_COUNT; k++, rest /= 12) index[k] = rest % 12;
        swapped[0] = index[0], swapped[1] = index[2], swapped[2] = index[1], swapped[3] = index[4],
        swapped[4] = index[3];
        assert_true(cell_kept_out(&settings, index) == cell_kept_out(&settings, swapped));
        kept += cell_kept_out(&settings, index);
    }
    expect_within("share kept out", (double)kept / (double)cells, 0.05, 0.003);
    for (uint64_t n = 0; n < 5000; n++) {
        sample_draw(&settings, SPLIT_TRAIN, n, &s);
        assert_false(cell_kept_out(&settings, s.index));
        if (n % 10) continue;
        sample_draw(&only, SPLIT_TEST, n, &s);
        assert_true(cell_kept_out(&settings, s.index));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quick_of_circuit), cmocka_unit_test(test_fibre_coordinates),
        cmocka_unit_test(test_no_circuit),
        cmocka_unit_test(test_fit_quality),      cmocka_unit_test(test_lab_quality),
        cmocka_unit_test(test_noise_free),
        cmocka_unit_test(test_covariance),       cmocka_unit_test(test_swapped),           cmocka_unit_test(test_nasty),
        cmocka_unit_test(test_truth_in_features), cmocka_unit_test(test_known),            cmocka_unit_test(test_scale),
        cmocka_unit_test(test_draws),            cmocka_unit_test(test_kept_out) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
