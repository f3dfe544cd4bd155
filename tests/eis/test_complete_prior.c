/* Priors of the posterior: beside draws without them weighed by hand, along the fibre, and what is refused. */
#include "base/base.h"

#include "support.h"

static void options_of(eis_options *o, const char *known, const char *prior) {
    eis_options_default(o);
    snprintf(o->known, sizeof o->known, "%s", known);
    snprintf(o->prior, sizeof o->prior, "%s", prior);
}

static eis_answer answer_of_options(const eis_options *o, const eis_spectrum *s) {
    eis_answer a;
    tide_failure why = { 0 };
    if (eis_solve(o, s, NULL, NULL, NULL, &a, &why) != TIDE_OK) fail_msg("%s: %s", o->prior, why.message);
    return a;
}

static const double truth[EIS_COUNT] = { 1500, 2600, 760, 5.2e-6, 1.4e-6 };

static eis_spectrum made_of(sample *s, uint64_t seed) {
    rng r = { .seed = seed };
    return make_spectrum(s, EIS_SHUNT, truth, 27, 2e-3, &r);
}

/* Mean and standard deviation of ln p[k] by weights times the prior's density. */
static void moments(const eis_answer *a, int k, double value, double deviation, double *mean, double *sd) {
    double all = 0, sum = 0, square = 0;
    for (int64_t i = 0; i < a->samples; i++) {
        double x = log(a->sample[i].p[k]), pull = deviation > 0 ? (a->sample[i].p[k] - value) / deviation : 0;
        double w = a->sample[i].weight * exp(-pull * pull / 2);
        all += w, sum += w * x, square += w * x * x;
    }
    *mean = sum / all, *sd = sqrt(square / all - *mean * *mean);
}

/* A broad prior, so that enough of the draws without it count. With nothing known draws move along the fibre, with Rsh
 * known they are weighed. */
static void test_by_hand(void **state) {
    (void)state;
    static const struct { const char *known, *prior; int k; double value, deviation; } cases[] = {
        { "", "Rsh=2000+-500", EIS_RSH, 2000, 500 }, { "", "Ca=5uF+-2uF", EIS_CA, 5e-6, 2e-6 },
        { "Rsh=1500", "Ra=2.5k+-0.1k", EIS_RA, 2500, 100 } };
    sample made;
    eis_spectrum s = made_of(&made, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double mean, sd, hand_mean, hand_sd;
        eis_options plain, o;
        options_of(&plain, cases[i].known, ""), options_of(&o, cases[i].known, cases[i].prior);
        plain.canonical = o.canonical = true;
        eis_answer without = answer_of_options(&plain, &s), with = answer_of_options(&o, &s);
        moments(&without, cases[i].k, cases[i].value, cases[i].deviation, &hand_mean, &hand_sd);
        moments(&with, cases[i].k, 0, 0, &mean, &sd);
        assert_true(fabs(mean - hand_mean) < 0.15 * hand_sd);
        assert_true(fabs(sd - hand_sd) < 0.12 * hand_sd);
        assert_true(with.effective_samples > 300);
        eis_answer_free(&without), eis_answer_free(&with);
    }
}

/* The spectrum says nothing along the fibre: the answer there is the prior, and the rest is as it was. */
static void test_fibre(void **state) {
    (void)state;
    sample made;
    eis_spectrum s = made_of(&made, 4);
    eis_options plain, o;
    options_of(&plain, "", ""), options_of(&o, "", "Rsh=1500+-30");
    eis_answer without = answer_of_options(&plain, &s), a = answer_of_options(&o, &s);
    expect_near("Rsh", a.of[EIS_RSH].median, 1500, 3e-3);
    expect_near("low", a.of[EIS_RSH].low, 1500 - 1.96 * 30, 5e-3);
    expect_near("high", a.of[EIS_RSH].high, 1500 + 1.96 * 30, 5e-3);
    assert_true(a.identifiable[EIS_RSH] && !without.identifiable[EIS_RSH]);
    for (int k = EIS_TER; k < EIS_QUANTITIES; k++) {
        expect_near("low", a.of[k].low, without.of[k].low, 2e-3);
        expect_near("high", a.of[k].high, without.of[k].high, 2e-3);
    }
    eis_answer_free(&without), eis_answer_free(&a);
}

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *known, *prior, *rs, *says; tide_status status; } cases[] = {
        { "", "Rsh=1500", "", "column 9 of \"Rsh=1500\": expected +-", TIDE_EINVAL },
        { "", "R1=1+-1", "", "column 1 of \"R1=1+-1\": expected a parameter (Rsh, Ra, Rb", TIDE_EINVAL },
        { "", "Ca/Cb=2u+-1", "", "column 7", TIDE_EINVAL },
        { "Ra=2.6k", "Ra=2k+-1", "", "Ra is among the known values", TIDE_EINVAL },
        { "", "Rs=20+-1", "25", "Rs is held", TIDE_EINVAL },
        { "", "Rs=2k+-1", "", "leaves too little of what it allows", TIDE_EDATA } };
    sample made;
    eis_spectrum s = made_of(&made, 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eis_options o;
        eis_answer a;
        tide_failure why = { 0 };
        options_of(&o, cases[i].known, cases[i].prior);
        snprintf(o.rs, sizeof o.rs, "%s", cases[i].rs);
        assert_int_equal(eis_solve(&o, &s, NULL, NULL, NULL, &a, &why), cases[i].status);
        expect_has(why.message, cases[i].says);
        assert_string_equal(why.column, "prior");
    }
    eis_options o;
    eis_answer a;
    tide_failure why = { 0 };
    options_of(&o, "", "Rsh=1500+-30"), o.method = EIS_EXACT;
    assert_int_equal(eis_solve(&o, &s, NULL, NULL, NULL, &a, &why), TIDE_EINVAL);
    expect_has(why.message, "`method` refined");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_by_hand), cmocka_unit_test(test_fibre),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
