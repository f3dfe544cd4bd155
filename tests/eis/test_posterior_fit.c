/* The posterior of fits: the samplers on densities in closed form, the linear case against Student's quantile, the
 * lumped epithelium against eis_solve, bounds that cut, refusals.
 *   test_eis_posterior_fit slow      and coverage over random circuits with constant phase elements */
#include "base/base.h"
#include "eis/circuit/complex_of.h"
#include "eis/fit/posterior.h"
#include "eis/fit/tempered.h"

#include "support.h"

#define TWO_PI 6.283185307179586476925286766559

static bool slow;

/* ---- the samplers ---- */

enum { DRAWS = 4000 };

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* y0 is uniform, y1 is a hundredth of it wide around y0^2: a ridge that no normal density is near. */
static double log_banana(const void *user, const double *y) {
    (void)user;
    double off = (y[1] - y[0] * y[0]) / 0.03;
    return -0.5 * off * off;
}

/* The mixture knows points along the ridge, no slopes. */
static void test_tempered(void **state) {
    static const double low[2] = { -2, -5 }, high[2] = { 2, 5 };
    static sampled out[DRAWS];
    static mixture m;
    const double precision[4] = { 16, 0, 0, 1000 };
    target t = { 2, low, high, log_banana, NULL, NULL };
    double y0[DRAWS];
    (void)state;
    m.count = 2;
    for (int i = -6; i <= 6; i++) mixture_add(&m, (double[]){ 0.3 * i, 0.09 * i * i }, precision, 0);
    mixture_share(&m);
    for (uint64_t seed = 0; seed < 3; seed++) {
        rng r = { .seed = seed };
        tempered_account account = tempered_sample(&t, &m, DRAWS, &r, out);
        assert_true(!account.failed && !account.stopped);
        if (account.effective < 400) fail_msg("seed %d: worth %.0f", (int)seed, account.effective);
        for (int i = 0; i < DRAWS; i++) y0[i] = out[i].y[0];
        qsort(y0, DRAWS, sizeof *y0, rising);
        for (int i = 1; i < 10; i++) { /* deciles of the uniform density */
            double want = -2 + 0.4 * i, got = y0[i * DRAWS / 10];
            if (fabs(got - want) > 0.3) fail_msg("seed %d: decile %d is %.3f, not %.3f", (int)seed, i, got, want);
        }
    }
}

static double log_normals(const void *user, const double *y) {
    (void)user;
    double a = y[0] + 3, b = y[0] - 3;
    return log(0.3 * exp(-0.5 * a * a) + 0.7 * exp(-0.5 * b * b)); /* 0.3 of the mass on the left */
}

static void test_independent(void **state) {
    static const double low[1] = { -40 }, high[1] = { 40 }, left[1] = { -3 }, right[1] = { 3 };
    static sampled out[DRAWS];
    static mixture m;
    const double precision[1] = { 1 };
    target t = { 1, low, high, log_normals, NULL, NULL };
    rng r = { .seed = 5 };
    double sum = 0, on_left = 0;
    (void)state;
    m.count = 1;
    mixture_add(&m, left, precision, log_normals(NULL, left));
    mixture_add(&m, right, precision, log_normals(NULL, right));
    mixture_share(&m);
    assert_true(mixture_sample(&m, &t, DRAWS, &r, out));
    for (int i = 0; i < DRAWS; i++) {
        double w = exp(out[i].weight);
        sum += w, on_left += out[i].y[0] < 0 ? w : 0;
    }
    expect_near("the mass of the left one", on_left / sum, 0.3, 0.08); /* 4 deviations of the binomial */
}

/* ---- fits ---- */

static eis_fit_options options_of(const char *circuit, const char *range) {
    eis_fit_options o;
    eis_fit_options_default(&o);
    o.posterior = true;
    snprintf(o.circuit, sizeof o.circuit, "%s", circuit);
    snprintf(o.range, sizeof o.range, "%s", range);
    return o;
}

static eis_fitted fitted_of(const eis_fit_options *o, const eis_spectrum *s) {
    tide_failure failure = { 0 };
    eis_fitted f;
    if (eis_fit_solve(o, s, NULL, NULL, &f, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return f;
}

static eis_fitted with_posterior(const eis_fit_options *o, const eis_spectrum *s) {
    eis_fitted f = fitted_of(o, s);
    if (!f.posterior) fail_msg("no posterior: %s", f.warnings ? f.warning[f.warnings - 1] : "");
    return f;
}

static const eis_fit_marginal *marginal_of(const eis_fitted *f, const char *name) {
    for (int64_t k = 0; k < f->posterior->marginals; k++)
        if (!strcmp(f->posterior->marginal[k].name, name)) return &f->posterior->marginal[k];
    fail_msg("there is no marginal %s", name);
    return NULL;
}

/* R0 and two arcs, each R, Q, n. */
static eis_spectrum arcs(sample *s, const double p[7], double noise, rng *r) {
    for (int i = 0; i < POINTS; i++) {
        s->freq_hz[i] = pow(10, -1 + i / 10.0);
        double complex z = p[0];
        for (int a = 0; a < 2; a++) {
            const double *q = p + 1 + 3 * a;
            z += q[0] / (1 + q[0] * q[1] * cpow(CMPLX(0, TWO_PI * s->freq_hz[i]), q[2]));
        }
        double sd = noise * cabs(z);
        s->z[i] = (eis_z){ creal(z) + sd * rng_normal(r), cimag(z) + sd * rng_normal(r) };
    }
    return (eis_spectrum){ POINTS, s->freq_hz, s->z };
}

static const double two_arcs[7] = { 30, 800, 8e-6, 0.85, 400, 1e-6, 0.92 };

/* Student's 97.5 % point, by Cornish and Fisher. */
static double student(double m) {
    double z = 1.959964;
    return z + (z * z * z + z) / (4 * m) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * m * m);
}

/* Where the model is nearly linear, intervals are the errors, by the noise instead of the misfit, times Student's
 * quantile of the noise's degrees of freedom. */
static void test_linear(void **state) {
    const double p[7] = { 30, 800, 8e-6, 1, 1e-9, 1e-6, 1 };
    rng r = { .seed = 11 };
    sample s;
    (void)state;
    eis_spectrum spectrum = arcs(&s, p, 0.01, &r);
    eis_fit_options o = options_of("R0-p(R1,C1)", "");
    eis_fitted f = with_posterior(&o, &spectrum);
    assert_string_equal(f.posterior->method, "importance");
    assert_int_equal(f.posterior->marginals, 3);
    double by = student(f.noise_dof) * f.noise / sqrt(f.reduced);
    for (int k = 0; k < 3; k++) {
        const eis_fit_marginal *m = &f.posterior->marginal[k];
        double error = f.parameter[k].error;
        expect_near("half of the interval", (m->of.high - m->of.low) / 2, by * error, 0.08);
        if (fabs(m->of.median - f.parameter[k].value) > 0.15 * error) fail_msg("%s: median %g", m->name, m->of.median);
        assert_null(m->limit);
    }
    eis_fitted_free(&f);
}

/* The same draws as eis_solve's, and as those of any other grammar. */
static void test_lumped(void **state) {
    static const double generic[EIS_COUNT] = { 1500, 2600, 760, 5.2e-6, 1.4e-6 };
    rng r = { .seed = 12 };
    sample s;
    eis_options plain;
    eis_answer a = { 0 };
    tide_failure failure = { 0 };
    (void)state;
    eis_options_default(&plain);
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, generic, 27, 0.01, &r);
    if (eis_solve(&plain, &spectrum, NULL, NULL, NULL, &a, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    eis_fit_options o = options_of("R0-p(R1,p(R2,C1)-p(R3,C2))", ""), named = options_of("epithelial", "");
    eis_fitted f = with_posterior(&named, &spectrum), other = with_posterior(&o, &spectrum);
    assert_string_equal(f.posterior->method, "epithelial");
    assert_string_equal(other.posterior->method, "epithelial");
    static const struct {
        const char *name;
        int quantity;
    } same[] = { { "TER", EIS_TER }, { "TEC", EIS_TEC }, { "n1", EIS_N1 }, { "Rsh", EIS_RSH }, { "Ca", EIS_CA } };
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        const eis_interval *want = &a.of[same[k].quantity], *got = &marginal_of(&f, same[k].name)->of;
        expect_near(same[k].name, got->low, want->low, 1e-9);
        expect_near(same[k].name, got->high, want->high, 1e-9);
    }
    expect_near("Rsh of R1", marginal_of(&other, "R1")->of.median, marginal_of(&f, "Rsh")->of.median, 1e-12);
    assert_string_equal(marginal_of(&f, "Rsh")->limit, "high"); /* the fibre ends where its range does */
    eis_fitted_free(&f), eis_fitted_free(&other), eis_answer_free(&a);
}

static void test_seeds(void **state) {
    rng r = { .seed = 13 };
    sample s;
    (void)state;
    eis_spectrum spectrum = arcs(&s, two_arcs, 0.01, &r);
    eis_fit_options o = options_of("R0-p(R1,CPE1)-p(R2,CPE2)", "");
    eis_fitted f = with_posterior(&o, &spectrum), again = with_posterior(&o, &spectrum);
    char *one = eis_fitted_json(&f), *two = eis_fitted_json(&again);
    assert_string_equal(one, two);
    o.seed = 7;
    eis_fitted other = with_posterior(&o, &spectrum);
    const eis_interval *a = &marginal_of(&f, "R1")->of, *b = &marginal_of(&other, "R1")->of;
    assert_true(a->low != b->low);
    if (fabs(a->low - b->low) > 0.15 * (a->high - a->low)) fail_msg("R1 begins at %g or %g", a->low, b->low);
    double sum = 0;
    for (int64_t i = 0; i < f.posterior->draws; i++) sum += f.posterior->weight[i];
    expect_near("weights", sum, 1, 1e-9);
    tide_free(one), tide_free(two);
    eis_fitted_free(&f), eis_fitted_free(&again), eis_fitted_free(&other);
}

/* A range that ends within what the spectrum allows is said. */
static void test_cut(void **state) {
    rng r = { .seed = 13 };
    sample s;
    (void)state;
    eis_spectrum spectrum = arcs(&s, two_arcs, 0.01, &r);
    eis_fit_options o = options_of("R0-p(R1,CPE1)-p(R2,CPE2)", "");
    eis_fitted f = with_posterior(&o, &spectrum);
    snprintf(o.range, sizeof o.range, "R0=%.6g..1k", marginal_of(&f, "R0")->of.median);
    eis_fitted cut = with_posterior(&o, &spectrum);
    assert_null(marginal_of(&f, "R0")->limit);
    assert_string_equal(marginal_of(&cut, "R0")->limit, "low");
    assert_false(marginal_of(&cut, "R0")->assumed);
    expect_has(cut.posterior->note[0], "the lower end of R0 is that of its range");
    eis_fitted_free(&f), eis_fitted_free(&cut);
}

/* There is none of nothing: a warning, and the fit stands. */
static void test_none(void **state) {
    rng r = { .seed = 13 };
    sample s;
    (void)state;
    eis_spectrum spectrum = arcs(&s, two_arcs, 0.01, &r);
    eis_fit_options o = options_of("R0-p(R1,CPE1)", "");
    snprintf(o.fix, sizeof o.fix, "R0=30,R1=1200,CPE1_0=4e-6,CPE1_1=0.8");
    eis_fitted f = fitted_of(&o, &spectrum);
    assert_null(f.posterior);
    expect_has(f.warning[f.warnings - 1], "no posterior of a fit without free parameters");
    eis_fitted_free(&f);
}

/* Outliers move nothing, and no interval is much wider for them. */
static void test_robust(void **state) {
    rng r = { .seed = 14 };
    sample s;
    (void)state;
    eis_spectrum spectrum = arcs(&s, two_arcs, 0.01, &r);
    eis_fit_options o = options_of("R0-p(R1,CPE1)-p(R2,CPE2)", "");
    o.robust = true;
    eis_fitted clean = with_posterior(&o, &spectrum);
    s.z[5].re *= 1.3, s.z[33].im *= 0.6;
    eis_fitted f = with_posterior(&o, &spectrum);
    for (int64_t k = 0; k < f.posterior->marginals; k++) {
        const eis_interval *a = &clean.posterior->marginal[k].of, *b = &f.posterior->marginal[k].of;
        double width = a->high - a->low;
        if (fabs(a->median - b->median) > 0.35 * width || b->high - b->low > 1.5 * width)
            fail_msg("%s: %g..%g, not %g..%g", f.posterior->marginal[k].name, b->low, b->high, a->low, a->high);
    }
    eis_fitted_free(&clean), eis_fitted_free(&f);
}

/* ---- slow ---- */

/* Intervals hold the truth in 95 of 100. */
static void test_coverage(void **state) {
    enum { CIRCUITS = 400 };
    int inside[7] = { 0 }, asked = 0;
    (void)state;
    for (int i = 0; slow && i < CIRCUITS; i++) {
        rng r = { .seed = 51, .stream = (uint32_t)i };
        sample s;
        double p[7] = { 10 + 90 * rng_unit(&r) };
        for (int a = 0; a < 2; a++) {
            double *q = p + 1 + 3 * a, tau = pow(10, -1 - 2 * a - rng_unit(&r));
            q[0] = pow(10, 2 + 2 * rng_unit(&r)), q[2] = 0.75 + 0.2 * rng_unit(&r), q[1] = pow(tau, q[2]) / q[0];
        }
        eis_spectrum spectrum = arcs(&s, p, 0.01, &r);
        eis_fit_options o = options_of("R0-p(R1,CPE1)-p(R2,CPE2)", "");
        o.seed = i;
        eis_fitted f = fitted_of(&o, &spectrum);
        if (!f.posterior) printf("circuit %d: %s\n", i, f.warnings ? f.warning[f.warnings - 1] : "");
        asked += f.posterior != NULL;
        for (int k = 0; f.posterior && k < 7; k++)
            inside[k] += p[k] >= f.posterior->marginal[k].of.low && p[k] <= f.posterior->marginal[k].of.high;
        eis_fitted_free(&f);
    }
    if (slow) printf("%d of %d have a posterior\n", asked, CIRCUITS);
    for (int k = 0; slow && k < 7; k++) printf("coverage of parameter %d: %.1f %%\n", k, 100. * inside[k] / asked);
    if (slow && asked < 0.95 * CIRCUITS) fail_msg("%d of %d have a posterior", asked, CIRCUITS);
    for (int k = 0; slow && k < 7; k++) /* a binomial deviation is 1.1 */
        if (fabs(100. * inside[k] / asked - 95) > 2 + 1.1) fail_msg("parameter %d", k);
}

int main(int argc, char **argv) {
    slow = argc > 1 && !strcmp(argv[1], "slow");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tempered), cmocka_unit_test(test_independent), cmocka_unit_test(test_linear),
        cmocka_unit_test(test_lumped),   cmocka_unit_test(test_seeds),       cmocka_unit_test(test_cut),
        cmocka_unit_test(test_none),     cmocka_unit_test(test_robust),      cmocka_unit_test(test_coverage),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
