/* Priors of a fit: against closed forms, against fresh noise, along the fibre, and what their text may be.
 *   test_eis_fit_prior slow    ten times the draws of fresh noise */
#include "fit_support.h"

static int draws = 60;

static eis_fit_options with_prior(const char *circuit, const char *prior) {
    eis_fit_options o = options_of(circuit, "", "");
    snprintf(o.prior, sizeof o.prior, "%s", prior);
    return o;
}

/* ---- closed forms ---- */

/* One resistance measured n times with a known deviation, and told beside: the weighted mean, and its error. */
static void test_mean(void **state) {
    (void)state;
    enum { N = 20 };
    double freq_hz[N], mean = 0;
    eis_z z[N], sigma[N];
    rng r = { .seed = 5 };
    for (int i = 0; i < N; i++) {
        freq_hz[i] = pow(10, i / 5.0), sigma[i] = (eis_z){ 2, 2 };
        z[i] = (eis_z){ 1000 + 2 * rng_normal(&r), 2 * rng_normal(&r) };
        mean += z[i].re / N;
    }
    eis_spectrum s = { .count = N, .freq_hz = freq_hz, .z = z, .sigma = sigma };
    eis_fit_options o = with_prior("R1", "R1=1002+-0.5");
    o.weights = EIS_WEIGHTS_STATISTICAL;
    eis_fitted f = fitted_of(&o, &s);
    double data = N / 4.0, told = 1 / 0.25;
    expect_near("mean", f.parameter[0].value, (data * mean + told * 1002) / (data + told), 1e-9);
    expect_near("error", f.parameter[0].error, 1 / sqrt(data + told), 1e-6);
    expect_near("pull", f.prior[0].pull, (f.parameter[0].value - 1002) / 0.5, 1e-9);
    assert_int_equal(f.priors, 1);
    eis_fitted_free(&f);
}

/* Along the fibre the data say nothing: there a prior's value and error are the answer's. What the spectrum determines
 * stays as it was. */
static void test_fibre(void **state) {
    (void)state;
    static const struct { const char *prior, *name; double value, error; } told[] = {
        { "Rsh=1500+-30", "Rsh", 1500, 30 }, { "Ca=5.2uF\xc2\xb1" "0.1u", "Ca", 5.2e-6, 1e-7 },
        { "Ra=2.6k+-100ohm", "Ra", 2600, 100 } };
    eis_spectrum s;
    read_case("two_path_before.csv", &s);
    eis_fit_options plain = options_of("epithelial", "", "");
    eis_fitted without = fitted_of(&plain, &s);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        eis_fit_options o = with_prior("epithelial", told[i].prior);
        eis_fitted f = fitted_of(&o, &s);
        expect_near(told[i].prior, parameter_of(&f, told[i].name)->value, told[i].value, 1e-5);
        expect_near(told[i].prior, parameter_of(&f, told[i].name)->error, told[i].error, 1e-3);
        for (int64_t k = 0; k < f.parameters; k++) assert_int_equal(f.parameter[k].state, EIS_PARAMETER_FREE);
        for (int64_t k = 0; k < f.quantities; k++) {
            expect_near("quantity", f.quantity[k].value, without.quantity[k].value, 1e-5);
            expect_near("its error", f.quantity[k].error, without.quantity[k].error, 2e-2);
        }
        assert_int_equal(f.notes, 1);
        expect_has(f.note[0], "the data alone say nothing of one combination");
        expect_has(f.note[0], told[i].name);
        eis_fitted_free(&f);
    }
    eis_fitted_free(&without);
    eis_spectrum_free(&s);
}

/* The order of the membranes is left: the ratio has two places on the fibre. */
static void test_two_places(void **state) {
    (void)state;
    eis_spectrum s;
    read_case("two_path_before.csv", &s);
    eis_fit_options o = with_prior("epithelial", "Ra/Rb=1.1+-0.02");
    eis_fitted f = fitted_of(&o, &s);
    assert_true(f.minima >= 2);
    expect_near("objective", f.minimum[1].objective, f.minimum[0].objective, 1e-6);
    for (int i = 0; i < 2; i++) expect_near("ratio", f.minimum[i].value[2] / f.minimum[i].value[4], 1.1, 1e-4);
    assert_true((f.minimum[0].value[2] * f.minimum[0].value[3] > f.minimum[0].value[4] * f.minimum[0].value[5]) !=
                (f.minimum[1].value[2] * f.minimum[1].value[3] > f.minimum[1].value[4] * f.minimum[1].value[5]));
    eis_fitted_free(&f);
    eis_spectrum_free(&s);
}

static void test_disagrees(void **state) {
    (void)state;
    eis_spectrum s;
    read_case("two_path_before.csv", &s);
    eis_fit_options o = with_prior("epithelial", "Rs=0+-1,Rsh=1500+-30");
    eis_fitted f = fitted_of(&o, &s);
    assert_true(f.notes == 2 && f.prior[0].pull > 20);
    expect_has(f.note[0], "what is told of Rs, 0 +- 1, and the data disagree");
    eis_fitted_free(&f);
    eis_spectrum_free(&s);
}

/* ---- fresh noise ---- */

/* Intervals of 95 % over fresh noise and priors that are off by their own errors. */
static void test_coverage(void **state) {
    (void)state;
    enum { NAMES = 5 };
    static const char *const names[NAMES] = { "Rs", "Rsh", "Ra", "Cb", "TER" };
    const double p[] = { 1500, 2600, 760, 5.2e-6, 1.4e-6 }, rs = 27, ratio = p[1] / p[2], sd = 0.05 * ratio;
    const double truth[NAMES] = { rs, p[0], p[1], p[4], eis_invariants_of(p).r0_ohm };
    int within[NAMES] = { 0 };
    rng r = { .seed = 77 };
    for (int d = 0; d < draws; d++) {
        sample made;
        char text[64];
        eis_spectrum s = make_spectrum(&made, EIS_SHUNT, p, rs, 2e-3, &r);
        snprintf(text, sizeof text, "Ra/Rb=%.9g+-%.9g", ratio + sd * rng_normal(&r), sd);
        eis_fit_options o = with_prior("epithelial", text);
        eis_fitted f = fitted_of(&o, &s);
        for (int i = 0; i < NAMES; i++) {
            const eis_fit_parameter *q = i < NAMES - 1 ? parameter_of(&f, names[i]) : NULL;
            double value = q ? q->value : quantity_of(&f, "TER")->value,
                   error = q ? q->error : quantity_of(&f, "TER")->error;
            within[i] += fabs(value - truth[i]) < 1.98 * error;
        }
        eis_fitted_free(&f);
    }
    /* Three and a half standard deviations of a share of 0.95. */
    for (int i = 0; i < NAMES; i++) {
        print_message("%s: the truth lies in %d of %d intervals\n", names[i], within[i], draws);
        assert_true(fabs(within[i] - 0.95 * draws) <= 3.5 * sqrt(0.95 * 0.05 * draws));
    }
}

/* ---- text ---- */

static const struct { const char *text, *says; } refused[] = {
    { "Rs", "column 3 of" },
    { "Rs=", "column 4 of \"Rs=\": expected a value" },
    { "Rs=20", "column 6 of \"Rs=20\": expected +- and a standard deviation" },
    { "Rs=20+-", "column 8" },
    { "Rs=20+-0", "column 8" },
    { "Rs=20+--1", "column 8" },
    { "Rs=20+-nan", "column 8" },
    { "Rs=20+-inf", "column 8" },
    { "Rs=inf+-1", "column 4" },
    { "Rs=20+-1,", "column 10" },
    { ",Rs=20+-1", "column 1" },
    { "Rs=20+-1,,Ra=1k+-1", "column 10" },
    { "Rs=20+-1,Rs=21+-1", "column 10 of \"Rs=20+-1,Rs=21+-1\": expected another parameter" },
    { "Ra/Ra=1+-1", "column 6 of \"Ra/Ra=1+-1\": expected the ratio of two different" },
    { "Ra/Rb=4.8k+-1", "column 7 of \"Ra/Rb=4.8k+-1\": expected a ratio" },
    { "Ra/=1+-1", "column 4" },
    { "/Ra=1+-1", "column 1" },
    { "Rq=1+-1", "column 1 of \"Rq=1+-1\": expected a parameter (Rs, Rsh, Ra, Ca, Rb, Cb)" },
    { "Ra/Rb/Rs=1+-1", "column 6 of \"Ra/Rb/Rs=1+-1\": expected =" },
    { "Ra=1u\xc2\xb1" "1,Rq=1", "column 9" },
    { "Rs=20F+-1", "column 4" },
    { "Rsh#2=1+-1", "column 1" },
};

static void test_text(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fitted f;
    read_case("two_path_before.csv", &s);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        eis_fit_options o = with_prior("epithelial", refused[i].text);
        tide_failure why = { 0 };
        if (eis_fit_solve(&o, &s, NULL, NULL, &f, &why) != TIDE_EINVAL) fail_msg("%s: taken", refused[i].text);
        expect_has(why.message, refused[i].says);
        assert_string_equal(why.column, "prior");
    }
    eis_fit_options fixed = with_prior("epithelial", "Rsh/Ra=2+-1");
    snprintf(fixed.fix, sizeof fixed.fix, "Ra=2k,Rsh=2*Ra");
    tide_failure why = { 0 };
    assert_int_equal(eis_fit_solve(&fixed, &s, NULL, NULL, &f, &why), TIDE_EINVAL);
    expect_has(why.message, "Rsh/Ra is fixed, and its value is 2");
    eis_spectrum_free(&s);
}

int main(int count, char **word) {
    if (count > 1 && !strcmp(word[1], "slow")) draws = 600;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_mean),       cmocka_unit_test(test_fibre),
                                        cmocka_unit_test(test_two_places), cmocka_unit_test(test_disagrees),
                                        cmocka_unit_test(test_coverage),   cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
