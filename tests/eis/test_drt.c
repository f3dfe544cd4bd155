/* Distributions of relaxation times: against closed forms, and what they are solved with against enumeration. */
#include "support.h"

#include <complex.h>

#include "eis/drt/nnls.h"
#include "eis/drt/rbf.h"

#define PI 3.14159265358979323846264338327950288

/* ---- spectra whose distribution is known ---- */

/* R / (1 + (j w tau)^n) */
typedef struct zarc {
    double r, tau, n;
} zarc;
typedef struct cell {
    double rs, l, c;
    zarc part[3];
} cell;

static double complex zarc_z(const zarc *a, double w) { return a->r / (1 + cpow(I * w * a->tau, a->n)); }

static double zarc_gamma(const zarc *a, double tau) {
    double angle = (1 - a->n) * PI;
    return a->r / (2 * PI) * sin(angle) / (cosh(a->n * log(tau / a->tau)) - cos(angle));
}

static eis_spectrum spectrum_of(const cell *of, double noise, uint64_t seed, sample *s) {
    rng r = { .seed = seed };
    for (int i = 0; i < POINTS; i++) {
        double f = s->freq_hz[i] = pow(10, -1 + i / 10.0), w = 2 * PI * f;
        double complex z = of->rs + I * w * of->l + (of->c > 0 ? 1 / (I * w * of->c) : 0);
        for (int k = 0; k < 3; k++)
            if (of->part[k].r != 0) z += zarc_z(&of->part[k], w);
        double sd = noise * cabs(z);
        s->z[i] = (eis_z){ creal(z), cimag(z) };
        if (noise > 0) s->z[i].re += sd * rng_normal(&r), s->z[i].im += sd * rng_normal(&r);
    }
    return (eis_spectrum){ .count = POINTS, .freq_hz = s->freq_hz, .z = s->z };
}

static eis_relaxations solved(const cell *of, double noise, uint64_t seed, const char *lambda, const char *order) {
    sample s;
    eis_options o;
    eis_relaxations r;
    tide_failure why = { 0 };
    eis_spectrum spectrum = spectrum_of(of, noise, seed, &s);
    eis_options_default(&o);
    assert_int_equal(eis_option_set(&o, "lambda", lambda, &why), TIDE_OK);
    assert_int_equal(eis_option_set(&o, "penalty-order", order, &why), TIDE_OK);
    if (eis_drt_spectrum(&spectrum, &o, &r, &why) != TIDE_OK) fail_msg("%s", why.message);
    return r;
}

static void expect_peaks(const eis_relaxations *r, int64_t wanted) {
    if (r->peaks == wanted) return;
    for (int64_t i = 0; i < r->peaks; i++) printf("tau %g s, R %g ohm\n", r->peak[i].tau_s, r->peak[i].r_ohm);
    fail_msg("%lld peaks at lambda %g, wanted are %lld", (long long)r->peaks, r->lambda, (long long)wanted);
}

static double sum_of_peaks(const eis_relaxations *r) {
    double sum = 0;
    for (int64_t i = 0; i < r->peaks; i++) sum += r->peak[i].r_ohm;
    return sum;
}

/* tau between two of the functions' middles and on one, so to say. */
static void test_rc(void **state) {
    (void)state;
    for (int k = 0; k < 8; k++) {
        double tau = 1e-2 * pow(10, k / 80.0);
        cell of = { .rs = 20, .part = { { 100, tau, 1 } } };
        eis_relaxations r = solved(&of, 0, 0, "gcv", "1");
        expect_peaks(&r, 1);
        expect_near("tau", r.peak[0].tau_s, tau, 0.05); /* a quarter of the step between the functions */
        expect_near("R", r.peak[0].r_ohm, 100, 0.01);
        expect_near("C", r.peak[0].c_farad, tau / 100, 0.06);
        expect_near("R_inf", r.r_inf_ohm, 20, 0.01);
        expect_near("all", r.area_ohm, r.low_ohm, 0.01);
        assert_true(isinf(r.c_farad) && !r.negative_arc && !*r.notes && !r.peak[0].beyond);
        eis_relaxations_free(&r);
    }
}

static void test_zarc(void **state) {
    static const char *const orders[] = { "1", "2" };
    (void)state;
    for (int k = 0; k < 2; k++) {
        cell of = { .rs = 20, .l = 1e-6, .part = { { 100, 3e-3, 0.7 } } };
        eis_relaxations r = solved(&of, 0, 0, "gcv", orders[k]);
        expect_peaks(&r, 1);
        expect_near("tau", r.peak[0].tau_s, 3e-3, 0.01);
        expect_near("height", r.peak[0].gamma_ohm, zarc_gamma(&of.part[0], 3e-3), 0.01);
        expect_near("R", r.peak[0].r_ohm, 100, 0.01);
        expect_near("R_inf", r.r_inf_ohm, 20, 0.01);
        expect_near("L", r.l_henry, 1e-6, 0.1);
        for (int64_t i = 0; i < r.taus; i++) /* within the measured range, of the greatest */
            if (r.tau_s[i] > 1e-5 && r.tau_s[i] < 0.5)
                assert_true(fabs(r.gamma_ohm[i] - zarc_gamma(&of.part[0], r.tau_s[i])) < 0.01 * r.peak[0].gamma_ohm);
        eis_relaxations_free(&r);
    }
}

static void test_two_zarcs(void **state) {
    (void)state;
    cell of = { .rs = 20, .part = { { 100, 1e-4, 0.7 }, { 100, 3e-2, 0.7 } } };
    eis_relaxations r = solved(&of, 0, 0, "gcv", "1");
    expect_peaks(&r, 2);
    for (int k = 0; k < 2; k++) {
        /* equal ones: each has as much of the other's tail as the other of its */
        expect_near("R", r.peak[k].r_ohm, of.part[k].r, 0.01);
        expect_near("height", r.peak[k].gamma_ohm,
                    zarc_gamma(&of.part[0], of.part[k].tau) + zarc_gamma(&of.part[1], of.part[k].tau), 0.01);
    }
    expect_near("the peaks together", sum_of_peaks(&r), r.area_ohm, 1e-12);
    eis_relaxations_free(&r);
}

/* What is faster or slower than was measured is as well a part of R_inf, or of nothing; so is some of a tail that runs
 * beyond: hence the tolerances of areas. */
static void test_noise(void **state) {
    (void)state;
    cell of = { .rs = 20, .part = { { 100, 1e-4, 0.85 }, { 300, 3e-2, 0.9 } } };
    for (uint64_t seed = 1; seed <= 8; seed++) {
        eis_relaxations r = solved(&of, 0.005, seed, "gcv", "1");
        double sum[2] = { 0 };
        const eis_drt_peak *top[2] = { NULL, NULL };
        for (int64_t i = 0; i < r.peaks; i++) {
            const eis_drt_peak *p = &r.peak[i];
            int k = p->tau_s > 2e-3;
            if (!p->beyond) sum[k] += p->r_ohm;
            if (!top[k] || p->gamma_ohm > top[k]->gamma_ohm) top[k] = p;
        }
        for (int k = 0; k < 2; k++) {
            expect_near("R", sum[k], of.part[k].r, 0.1);
            assert_non_null(top[k]);
            if (top[k]) expect_near("tau", top[k]->tau_s, of.part[k].tau, 0.35);
        }
        expect_near("R_inf and all areas", r.r_inf_ohm + r.area_ohm, 420, 0.03);
        expect_near("the noise", r.rms, 0.005, 0.2); /* of 122 numbers, less some 20 that are fitted */
        assert_false(r.negative_arc);
        eis_relaxations_free(&r);
    }
}

static void test_lambda(void **state) {
    (void)state;
    cell of = { .rs = 20, .part = { { 100, 3e-3, 0.8 } } };
    eis_relaxations r = solved(&of, 0.005, 1, "l-curve", "1");
    assert_int_equal(r.lambda_by, EIS_LAMBDA_LCURVE);
    expect_near("R", r.area_ohm, 100, 0.03);
    eis_relaxations_free(&r);
    eis_relaxations given = solved(&of, 0.005, 1, "0.125", "1"), much = solved(&of, 0.005, 1, "1e3", "1");
    assert_int_equal(given.lambda_by, EIS_LAMBDA_GIVEN);
    assert_true(given.lambda == 0.125 && much.rms > given.rms);
    eis_relaxations_free(&given), eis_relaxations_free(&much);
}

static void test_scale(void **state) {
    (void)state;
    cell small = { .rs = 20e-3, .part = { { 100e-3, 3e-3, 0.8 } } },
         large = { .rs = 20e6, .part = { { 100e6, 3e-3, 0.8 } } };
    eis_relaxations a = solved(&small, 0, 0, "1e-3", "1"), b = solved(&large, 0, 0, "1e-3", "1");
    expect_near("the height", b.peak[0].gamma_ohm / a.peak[0].gamma_ohm, 1e9, 1e-6);
    eis_relaxations_free(&a), eis_relaxations_free(&b);
}

/* ---- what it cannot represent, and what it is given beside ---- */

static void test_inductive_loop(void **state) {
    (void)state;
    cell of = { .rs = 20, .part = { { 100, 1e-4, 0.9 }, { -30, 0.1, 1 } } };
    eis_relaxations r = solved(&of, 0.002, 3, "gcv", "1");
    assert_true(r.negative_arc && r.rms > 3 * r.rms_signed);
    expect_has(r.notes, "inductive loop");
    eis_relaxations_free(&r);
}

static void test_blocking(void **state) {
    (void)state;
    cell of = { .rs = 20, .c = 1e-3, .part = { { 100, 1e-3, 0.7 } } };
    eis_relaxations r = solved(&of, 0, 0, "gcv", "1");
    expect_peaks(&r, 1);
    expect_near("C", r.c_farad, 1e-3, 0.01);
    expect_near("R", r.peak[0].r_ohm, 100, 0.01);
    expect_has(r.notes, "capacitance in series");
    eis_relaxations_free(&r);
}

/* ---- the parts ---- */

static void random_problem(rng *r, int n, double *gram, double *right) {
    double a[12][8];
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < n; k++) a[i][k] = rng_normal(r);
    for (int j = 0; j < n; j++) {
        right[j] = rng_normal(r);
        for (int k = 0; k < n; k++) {
            gram[j * n + k] = 0;
            for (int i = 0; i < 12; i++) gram[j * n + k] += a[i][j] * a[i][k];
        }
    }
}

/* Nothing else than the one minimum has these: x >= 0, gradient >= 0, and one of the two 0. */
static void test_nnls(void **state) {
    (void)state;
    enum { N = 8 };
    double gram[N * N], right[N], x[N];
    int bound = 0, free = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        rng r = { .seed = seed };
        random_problem(&r, N, gram, right);
        assert_true(nnls(N, gram, right, x));
        for (int j = 0; j < N; j++) {
            double gradient = -right[j];
            for (int k = 0; k < N; k++) gradient += gram[j * N + k] * x[k];
            if (!(x[j] >= 0 && gradient >= -1e-12 && (x[j] == 0 || fabs(gradient) < 1e-12)))
                fail_msg("seed %d: x[%d] is %g where the gradient is %g", (int)seed, j, x[j], gradient);
            bound += x[j] == 0, free += x[j] > 0;
        }
    }
    assert_true(bound > 100 && free > 100);
}

/* Against sums so fine that they are exact. */
static void test_functions(void **state) {
    (void)state;
    enum { STEPS = 20000, MOST = 200 };
    rbf r = rbf_over(0.1, 1e5, 10);
    double re[MOST], im[MOST], penalty[MOST * MOST / 4], w = 33, x[MOST] = { 0 };
    assert_true(r.count <= MOST / 2);
    rbf_impedance(&r, w, re, im);
    for (int m = 0; m < r.count; m += 10) {
        double middle = r.first + m * r.step, sum_re = 0, sum_im = 0, h = 20 / r.eps / STEPS;
        for (int k = 0; k <= STEPS; k++) {
            double t = h * (k - STEPS / 2.0), u = w * exp(middle + t), part = h * exp(-pow(r.eps * t, 2)) / (1 + u * u);
            sum_re += part, sum_im -= part * u;
        }
        expect_near("real part", re[m], sum_re, 1e-12);
        expect_near("imaginary part", im[m], sum_im, 1e-12);
    }
    x[40] = 1, x[43] = 2;
    for (int order = 1; order <= 2; order++) {
        double quadratic = 0, sum = 0, h = 1e-3;
        rbf_penalty(&r, order, penalty);
        for (int i = 0; i < r.count; i++)
            for (int j = 0; j < r.count; j++) quadratic += x[i] * x[j] * penalty[i * r.count + j];
        for (int k = 0; k < (int)(r.count * r.step / h); k++) {
            double t = r.first + k * h;
            double before = rbf_gamma(&r, x, t - h), now = rbf_gamma(&r, x, t), after = rbf_gamma(&r, x, t + h);
            double d = order == 1 ? (after - before) / (2 * h) : (after - 2 * now + before) / (h * h);
            sum += h * d * d;
        }
        expect_near("penalty", quadratic, sum, 1e-4); /* of the differences */
    }
    assert_int_equal(rbf_over(1e-200, 1e200, 10).count, RBF_MOST);
    expect_near("area", rbf_area(&r, x, -INFINITY, INFINITY), 3 * sqrt(PI) / r.eps, 1e-12);
}

/* ---- the command ---- */

static void test_batch(void **state) {
    (void)state;
    eis_options o;
    eis_result r;
    tide_failure why = { 0 };
    eis_options_default(&o);
    snprintf(o.spectra, sizeof o.spectra, "tests/eis/reported/dummy_cell_one_rc.csv\ntests/eis/reported/no-such.csv");
    assert_int_equal(eis_drt(&o, NULL, NULL, &r, &why), TIDE_EDATA);
    expect_has(r.csv, "no-such.csv");
    expect_has(r.json, "\"command\": \"drt\"");
    expect_has(r.json, "\"bad_input\"");
    expect_has(r.text, "lambda");
    int columns[3] = { 0 }, line = 0;
    for (const char *c = r.csv; *c && line < 3; c++) columns[line] += *c == ',', line += *c == '\n';
    assert_int_equal(columns[0], columns[1]);
    eis_result_free(&r);
    assert_int_equal(eis_option_set(&o, "lambda", "much", NULL), TIDE_OK);
    assert_int_equal(eis_drt(&o, NULL, NULL, &r, &why), TIDE_EINVAL);
    assert_string_equal(why.column, "lambda");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rc),        cmocka_unit_test(test_zarc),           cmocka_unit_test(test_two_zarcs),
        cmocka_unit_test(test_noise),     cmocka_unit_test(test_lambda),         cmocka_unit_test(test_scale),
        cmocka_unit_test(test_blocking),  cmocka_unit_test(test_inductive_loop), cmocka_unit_test(test_nnls),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
