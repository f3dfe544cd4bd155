/* Several spectra in one fit: closed forms, fits of each alone, fresh noise, and what is refused.
 *   test_eis_fit_joint slow    ten times the draws of fresh noise */
#include "fit_support.h"

static int draws = 24;

static eis_fit_options with_same(const char *circuit, const char *same, const char *prior) {
    eis_fit_options o = options_of(circuit, "", "");
    snprintf(o.same, sizeof o.same, "%s", same);
    snprintf(o.prior, sizeof o.prior, "%s", prior);
    return o;
}

static eis_fitted joint_of(const eis_fit_options *o, int64_t count, const eis_spectrum *s) {
    eis_fitted f;
    tide_failure why = { 0 };
    if (eis_fit_solve_joint(o, count, s, NULL, NULL, &f, &why) != TIDE_OK) fail_msg("%s: %s", o->same, why.message);
    return f;
}

/* One resistance and one arc, 31 points from `hz` on. */
enum { SOME = 31 };
typedef struct arc { double freq_hz[2 * SOME]; eis_z z[2 * SOME]; } arc;

static void make_arc(arc *to, int at, double hz, double r0, rng *r) {
    for (int i = at; i < at + SOME; i++) {
        double f = to->freq_hz[i] = hz * pow(10, (i - at) / 8.0), x = 2 * 3.14159265358979 * f * 1e3 * 1e-6;
        double re = r0 + 1e3 / (1 + x * x), im = -1e3 * x / (1 + x * x), sd = 2e-3 * hypot(re, im);
        to->z[i] = (eis_z){ re + sd * rng_normal(r), im + sd * rng_normal(r) };
    }
}

/* ---- against fits of one ---- */

/* All that is free is the same: the fit of one spectrum that has all points. */
static void test_all_shared(void **state) {
    (void)state;
    arc both;
    rng r = { .seed = 3 };
    make_arc(&both, 0, 1, 50, &r), make_arc(&both, SOME, 1.3, 50, &r);
    eis_spectrum whole = { 2 * SOME, both.freq_hz, both.z };
    eis_spectrum half[] = { { SOME, both.freq_hz, both.z }, { SOME, both.freq_hz + SOME, both.z + SOME } };
    eis_fit_options plain = options_of("R0-p(R1,C1)", "", ""), o = with_same("R0-p(R1,C1)", "R0, R1,C1", "");
    plain.keep_points = o.keep_points = true;
    eis_fitted one = fitted_of(&plain, &whole), f = joint_of(&o, 2, half);
    assert_int_equal(f.parameters, 3);
    assert_int_equal(f.points, 2 * SOME);
    expect_near("objective", f.objective, one.objective, 1e-9);
    expect_near("bic", f.bic, one.bic, 1e-9);
    for (int k = 0; k < 3; k++) {
        assert_string_equal(f.parameter[k].name, one.parameter[k].name);
        expect_near(f.parameter[k].name, f.parameter[k].value, one.parameter[k].value, 1e-6);
        expect_near(f.parameter[k].name, f.parameter[k].error, one.parameter[k].error, 1e-4);
    }
    for (int i = 0; i < 2 * SOME; i++) expect_z("model", f.model[i], one.model[i], 1e-6);
    eis_fitted_free(&one), eis_fitted_free(&f);
}

/* Nothing that is free is the same: each as alone, and the sum of the sums. */
static void test_nothing_shared(void **state) {
    (void)state;
    arc each[2];
    rng r = { .seed = 4 };
    double sum = 0;
    make_arc(&each[0], 0, 1, 50, &r), make_arc(&each[1], 0, 1, 200, &r);
    eis_spectrum s[] = { { SOME, each[0].freq_hz, each[0].z }, { SOME, each[1].freq_hz, each[1].z } };
    eis_fit_options o = with_same("R0-p(R1,C1)", "C1", ""), plain = options_of("R0-p(R1,C1)", "C1=1u", "");
    snprintf(o.fix, sizeof o.fix, "C1=1u");
    eis_fitted f = joint_of(&o, 2, s);
    assert_int_equal(f.parameters, 5); /* R0#1, R0#2, R1#1, R1#2, C1 */
    assert_int_equal(f.parameter[4].state, EIS_PARAMETER_FIXED);
    for (int i = 0; i < 2; i++) {
        eis_fitted one = fitted_of(&plain, &s[i]);
        expect_near("R0", f.parameter[i].value, one.parameter[0].value, 1e-6);
        expect_near("R1", f.parameter[2 + i].value, one.parameter[1].value, 1e-6);
        expect_near("chi2", f.spectrum[i].chi2, one.chi2, 1e-6);
        expect_near("noise", f.spectrum[i].noise, one.noise, 1e-12);
        sum += one.objective;
        eis_fitted_free(&one);
    }
    expect_near("objective", f.objective, sum, 1e-9);
    assert_string_equal(f.parameter[1].name, "R0#2");
    eis_fitted_free(&f);
}

/* One resistance in two spectra, each part with a known deviation: the weighted mean, and its error. */
static void test_mean(void **state) {
    (void)state;
    enum { N = 20 };
    double freq_hz[N], weighted = 0, weight = 0;
    eis_z z[2][N], sigma[2][N];
    rng r = { .seed = 5 };
    for (int i = 0; i < N; i++) freq_hz[i] = pow(10, i / 5.0);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < N; i++) {
            double sd = s ? 6 : 2;
            sigma[s][i] = (eis_z){ sd, sd };
            z[s][i] = (eis_z){ 1000 + sd * rng_normal(&r), sd * rng_normal(&r) };
            weighted += z[s][i].re / (sd * sd), weight += 1 / (sd * sd);
        }
    eis_spectrum s[] = { { .count = N, .freq_hz = freq_hz, .z = z[0], .sigma = sigma[0] },
                         { .count = N, .freq_hz = freq_hz, .z = z[1], .sigma = sigma[1] } };
    eis_fit_options o = with_same("R1", "R1", "");
    o.weights = EIS_WEIGHTS_STATISTICAL;
    eis_fitted f = joint_of(&o, 2, s);
    expect_near("mean", f.parameter[0].value, weighted / weight, 1e-9);
    expect_near("error", f.parameter[0].error, 1 / sqrt(weight), 1e-6);
    eis_fitted_free(&f);
}

/* ---- epithelia ---- */

/* Where the shunt alone differs the pair says how much its conductance does, and leaves a curve of the rest. */
static void test_pair_alone(void **state) {
    (void)state;
    static const char *const open[] = { "Rsh#1", "Rsh#2", "Ra", "Ca" };
    eis_spectrum s[2];
    read_case("two_path_before.csv", &s[0]), read_case("two_path_after.csv", &s[1]);
    eis_fit_options o = with_same("epithelial", "Ra,Rb,Ca,Cb,Rs", "");
    eis_fitted f = joint_of(&o, 2, s);
    const eis_fit_quantity *q = quantity_of(&f, "1/Rsh#2-1/Rsh#1");
    assert_true(fabs(q->value - (1 / 310. - 1 / 1500.)) < 2 * q->error && q->error < 1e-3 * q->value);
    assert_true(fabs(quantity_of(&f, "TER#1")->value - 1037.0) < 2 * quantity_of(&f, "TER#1")->error);
    assert_true(fabs(quantity_of(&f, "TER#2")->value - 283.8) < 2 * quantity_of(&f, "TER#2")->error);
    expect_near("TEC", quantity_of(&f, "TEC")->value, 1.1030e-6, 1e-3);
    assert_true(isfinite(quantity_of(&f, "n1")->error));
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_int_equal(parameter_of(&f, open[i])->state, EIS_PARAMETER_OPEN);
    assert_int_equal(f.notes, 1);
    expect_has(f.note[0], "the data say nothing of one combination");
    assert_int_equal(f.verdict, EIS_FIT_ADEQUATE);
    eis_fitted_free(&f);
    eis_spectrum_free(&s[0]), eis_spectrum_free(&s[1]);
}

/* Intervals of 95 % over fresh noise, and of the prior over its own error. `after` differs from `before` in what is not
 * shared. */
typedef struct pair {
    const char *what, *same;
    bool prior; /* of Rsh1/Rsh2 */
    double after[EIS_COUNT];
    const char *names[6];
} pair;

static const double before[EIS_COUNT] = { 1500, 2600, 760, 5.2e-6, 1.4e-6 };
static const pair pairs[] = {
    { "a shunt opened, with the tracer's ratio", "Ra,Rb,Ca,Cb,Rs", true, { 310, 2600, 760, 5.2e-6, 1.4e-6 },
      { "Rsh#1", "Rsh#2", "Ra", "Rb", "Ca", "Cb" } },
    { "the slower membrane opened", "Rsh,Rb,Ca,Cb,Rs", false, { 1500, 600, 760, 5.2e-6, 1.4e-6 },
      { "Rsh", "Ra#1", "Ra#2", "Rb", "Ca", "Cb" } },
    { "and became the faster one", "Rsh,Rb,Ca,Cb,Rs", false, { 1500, 100, 760, 5.2e-6, 1.4e-6 },
      { "Rsh", "Ra#1", "Ra#2", "Rb", "Ca", "Cb" } },
};
static double truth_of(const pair *p, const char *name) {
    const double *from = strstr(name, "#2") ? p->after : before;
    return from[name[1] == 's' ? EIS_RSH : name[0] == 'R' ? (name[1] == 'a' ? EIS_RA : EIS_RB)
                                                          : (name[1] == 'a' ? EIS_CA : EIS_CB)];
}

static void count_within(const pair *p, rng *r, int within[6]) {
    sample made[2];
    char prior[64] = "";
    double ratio = before[EIS_RSH] / p->after[EIS_RSH], sd = 0.05 * ratio;
    eis_spectrum s[] = { make_spectrum(&made[0], EIS_SHUNT, before, 27, 1e-3, r),
                         make_spectrum(&made[1], EIS_SHUNT, p->after, 27, 1e-3, r) };
    if (p->prior) snprintf(prior, sizeof prior, "Rsh1/Rsh2=%.9g+-%.9g", ratio + sd * rng_normal(r), sd);
    eis_fit_options o = with_same("epithelial", p->same, prior);
    eis_fitted f = joint_of(&o, 2, s);
    for (int i = 0; i < 6; i++) {
        const eis_fit_parameter *q = parameter_of(&f, p->names[i]);
        within[i] += fabs(log(q->value / truth_of(p, p->names[i]))) < 1.98 * q->error / q->value;
    }
    eis_fitted_free(&f);
}

static void test_coverage(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
        rng r = { .seed = 7 + k };
        int within[6] = { 0 };
        for (int d = 0; d < draws; d++) count_within(&pairs[k], &r, within);
        /* Three and a half standard deviations of a share of 0.95. */
        for (int i = 0; i < 6; i++)
            if (fabs(within[i] - 0.95 * draws) > 3.5 * sqrt(0.95 * 0.05 * draws))
                fail_msg("%s: %s within in %d of %d", pairs[k].what, pairs[k].names[i], within[i], draws);
    }
}

/* ---- refused ---- */

static void expect_refused(const eis_fit_options *o, int64_t count, const eis_spectrum *s, const char *column,
                           const char *says) {
    eis_fitted f;
    tide_failure why = { 0 };
    if (eis_fit_solve_joint(o, count, s, NULL, NULL, &f, &why) == TIDE_OK) fail_msg("%s: taken", says);
    expect_has(why.message, says);
    assert_string_equal(why.column, column);
    assert_null(f.parts);
}

static void test_refused(void **state) {
    (void)state;
    enum { MANY = 60 };
    static const struct { const char *circuit, *same, *column, *says; int64_t count; } cases[] = {
        { "epithelial", "Rs,Rq", "same", "the circuit has no parameter \"Rq\"; it has Rs, Rsh, Ra", 2 },
        { "epithelial", "Rs,,Ra", "same", "no parameter \"\"", 2 },
        { "epithelial", "Rs#1", "same", "no parameter \"Rs#1\"", 2 },
        { "epithelial", "", "same", "it is empty", 2 },
        { "epithelial", "Rs", "same", "of several spectra", 1 },
        { "auto", "R0", "same", "not of auto", 2 },
        { "epithelial", "Rs", "same", "60 spectra have 301 free parameters together, and a fit has at most 240", MANY },
    };
    sample made;
    rng r = { .seed = 9 };
    eis_spectrum s[MANY];
    for (int i = 0; i < MANY; i++) s[i] = make_spectrum(&made, EIS_SHUNT, before, 27, 1e-3, &r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eis_fit_options o = with_same(cases[i].circuit, cases[i].same, "");
        expect_refused(&o, cases[i].count, s, cases[i].column, cases[i].says);
    }
    eis_fit_options o = with_same("epithelial", "Rs", "Rsh=1500+-30");
    expect_refused(&o, 2, s, "prior", "this name is that of several");
    *o.prior = 0, o.robust = true;
    expect_refused(&o, 2, s, "same", "not of `robust`");
    eis_fitted f;
    tide_failure why = { 0 };
    o.robust = false;
    assert_int_equal(eis_fit_solve(&o, s, NULL, NULL, &f, &why), TIDE_EINVAL);
    expect_has(why.message, "this is one");
}

/* What is wrong with each is told with its name, and the points of each are its own. */
static void test_faults(void **state) {
    (void)state;
    eis_spectrum s[2];
    read_case("two_outliers.csv", &s[0]), read_case("two_outliers.csv", &s[1]);
    eis_fit_options o = with_same("epithelial", "Rs,Ca", "");
    eis_fitted f = joint_of(&o, 2, s);
    assert_int_equal(f.warnings, 2);
    for (int i = 0; i < 2; i++) {
        expect_has(f.warning[i], "two_outliers.csv: off the smooth part");
        assert_int_equal(f.spectrum[i].points, 43);
        for (int k = 0; k < 43; k++) assert_true(f.used[43 * i + k] != 17 && f.used[43 * i + k] != 31);
    }
    assert_int_equal(f.points, 86);
    eis_fitted_free(&f);
    eis_spectrum_free(&s[0]), eis_spectrum_free(&s[1]);
}

/* The file of it is named. */
static void test_unfit(void **state) {
    (void)state;
    eis_spectrum s[2];
    read_case("two_path_before.csv", &s[0]), read_case("frequency_column_scrambled.csv", &s[1]);
    eis_fit_options o = with_same("epithelial", "Rs", "");
    expect_refused(&o, 2, s, "scrambled-frequencies", "frequency_column_scrambled.csv: ");
    eis_spectrum_free(&s[0]), eis_spectrum_free(&s[1]);
}

int main(int count, char **word) {
    if (count > 1 && !strcmp(word[1], "slow")) draws = 400;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_shared), cmocka_unit_test(test_nothing_shared),
                                        cmocka_unit_test(test_mean),       cmocka_unit_test(test_pair_alone),
                                        cmocka_unit_test(test_coverage),   cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_faults),     cmocka_unit_test(test_unfit) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
