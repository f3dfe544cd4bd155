/* Fits without start values: made cases with the optima of an independent program (reported/README.md of the test
 * data), the best minimum of random circuits, errors against repeated noise, bounds, ties, what the data leave open.
 *   test_eis_fit slow      a thousand spectra of each kind instead of four */
#include "fit_support.h"

#define TWO_PI 6.283185307179586476925286766559

static int64_t spectra_of_each = 4;

/* ---- made cases ---- */

typedef struct expected {
    const char *name;
    double value, error;
} expected;

/* A value lies within a tenth of the stated error; where none is stated, within half of the last printed digit. */
static const struct {
    const char *file, *circuit, *range;
    int64_t skip; /* points at the beginning */
    double objective; /* 0: none is stated */
    expected of[7];
} cases[] = {
    { "randles_warburg_inside.csv",
      "R0-p(R1-Wo1,C1)",
      "",
      0,
      5.6884e-4,
      { { "R0", 8.0083, .0061 },
        { "R1", 120.06, .14 },
        { "Wo1_0", 89.71, .87 },
        { "Wo1_1", 1.998, .026 },
        { "C1", 4.0071e-5, 5e-9 } } },
    { "randles_warburg_inside.csv", "R0-p(R1,C1)-Wo1", "", 0, 1.888e-2, { { 0 } } },
    { "chain_two_decades.csv",
      "R0-p(R1,C1)-p(R2,C2)",
      "",
      0,
      0,
      { { "R0", 1000, 1e-2 },
        { "R1", 3000, 3e-2 },
        { "C1", 9.4e-6, 9e-11 },
        { "R2", 2000, 2e-2 },
        { "C2", 9.4e-8, 9e-13 } } },
    { "battery_with_inductance.csv",
      "R0-L1-Zarc1-Zarc2-W1",
      "",
      0,
      5.3813e-4,
      { { "R0", 0.018489, 1.2e-5 },
        { "L1", 1.9003e-7, 5e-11 },
        { "Zarc1_0", 0.009420, 7.2e-5 },
        { "Zarc1_2", 0.906, 5e-3 },
        { "Zarc2_0", 0.004231, 4.3e-5 },
        { "Zarc2_2", 0.846, 5e-3 },
        { "W1", 0.0016243 / M_SQRT2, 1.7e-5 / M_SQRT2 } } },
    { "coating_gigaohm.csv",
      "R0-p(R1,CPE1)",
      "",
      4,
      2.2497e-3,
      { { "R0", 49666, 310 },
        { "R1", 3.0041e9, 4.6e6 },
        { "CPE1_0", 1.4039e-10, 5e-14 },
        { "CPE1_1", 0.94998, 5e-5 } } },
    { "plain_resistor.csv", "R1", "", 0, 0, { { "R1", 1000.1, .5 } } },
    { "low_frequency_inductive_loop.csv",
      "R0-p(R1,C1)-K1",
      "K1_0=-1k..-1m",
      0,
      4.6493e-4,
      { { "R0", 8.9961, .0040 },
        { "R1", 29.986, .017 },
        { "C1", 1e-4, 5e-8 },
        { "K1_0", -5.990, .038 },
        { "K1_1", 4.04, .05 } } },
    { "dummy_cell_one_rc.csv",
      "R0-p(R1,C1)",
      "",
      0,
      0,
      { { "R0", 97.03, .05 }, { "R1", 999.05, .49 }, { "C1", 1.0011e-6, 5e-10 } } },
    { "epithelium_24_well_insert.csv",
      "epithelial",
      "",
      0,
      0,
      { { "Rs", 152.23, .16 }, { "TER", 2858, 5 }, { "TEC", 0.19423e-6, 5e-11 } } },
    { "epithelium_leaky.csv", "epithelial", "", 0, 0, { { "TER", 6.384, 5e-3 }, { "TEC", 3.17e-6, 5e-8 } } },
    { "epithelium_cpe_membranes.csv",
      "Rs-p(Ra,CPEa)-p(Rb,CPEb)",
      "",
      0,
      0,
      { { "Rs", 25.97, 5e-2 }, { "TER", 837.1, .5 } } },
    { "two_path_before.csv", "epithelial", "", 0, 0, { { "TER", 1037.0, .7 }, { "TEC", 1.1030e-6, 6e-9 } } },
};

static double value_of(const eis_fitted *f, const char *name) {
    for (int64_t i = 0; i < f->parameters; i++)
        if (strcmp(f->parameter[i].name, name) == 0) return f->parameter[i].value;
    for (int64_t i = 0; i < f->quantities; i++)
        if (strcmp(f->quantity[i].name, name) == 0) return f->quantity[i].value;
    fail_msg("no %s", name);
    return NAN;
}

static void test_cases(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eis_spectrum all, s;
        eis_fit_options o = options_of(cases[i].circuit, "", cases[i].range);
        read_case(cases[i].file, &all);
        s = all, s.freq_hz += cases[i].skip, s.z += cases[i].skip, s.count -= cases[i].skip;
        eis_fitted f = fitted_of(&o, &s);
        if (cases[i].objective > 0) expect_near(cases[i].file, f.objective, cases[i].objective, 2e-4);
        for (const expected *e = cases[i].of; e < cases[i].of + 7 && e->name; e++)
            if (!(fabs(value_of(&f, e->name) - e->value) <= 0.1 * e->error + 1e-12 * fabs(e->value)))
                fail_msg("%s: %s is %.8g, expected %.8g +- %.2g", cases[i].file, e->name, value_of(&f, e->name),
                         e->value, e->error);
        eis_fitted_free(&f);
        eis_spectrum_free(&all);
    }
}

/* The four points with an artefact make the sum larger by three orders: it must not be hidden. */
static void test_artefact(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("R0-p(R1,CPE1)", "", "");
    read_case("coating_gigaohm.csv", &s);
    o.keep_points = true;
    eis_fitted f = fitted_of(&o, &s);
    assert_true(f.objective > 500 * 2.2497e-3);
    assert_true(f.notes > 0);
    expect_has(f.note[0], "R0");
    eis_fitted_free(&f);
    eis_spectrum_free(&s);
}

/* ---- the best minimum ---- */

/* Circuits whose parts all show: time constants a decade apart at least, within the frequencies. */
static const char *const kinds[] = { "Rs-p(R1,C1)-p(R2,C2)", "Rs-p(R1,CPE1)-p(R2,CPE2)", "Rs-p(Rct-W1,CPEdl)",
                                     "L0-Rs-Zarc1-Wo1", "Rs-p(R1-p(R2,C2),C1)" };
enum { KINDS = sizeof kinds / sizeof *kinds };

static double between(rng *r, double low, double high) { return low * pow(high / low, rng_unit(r)); }

static void random_truth(int kind, rng *r, double *p) {
    double ohm = between(r, 1, 1e5), slow = between(r, 3e-3, 1e-1), fast = slow / between(r, 10, 100);
    double rs = ohm * between(r, .03, .3), r1 = ohm * between(r, .3, 1), r2 = ohm * between(r, .3, 1);
    double n1 = .75 + .25 * rng_unit(r), n2 = .75 + .25 * rng_unit(r);
    const double truths[KINDS][PARAMETERS_MOST] = {
        { rs, r1, slow / r1, r2, fast / r2 },
        { rs, r1, pow(slow, n1) / r1, n1, r2, pow(fast, n2) / r2, n2 },
        { rs, r1, r1 / sqrt(slow) * .5, pow(fast, n1) / r1, n1 },
        { 1e-7 * rs, rs, r1, fast, n1, r2, 3 * slow },
        { rs, r1, r2, slow / r2, fast / r1 },
    };
    memcpy(p, truths[kind], sizeof truths[kind]);
}

static void make_points(const equivalent *e, const double *p, double noise, rng *r, sample *s) {
    double omega[POINTS], log_omega[POINTS];
    double complex z[POINTS];
    for (int i = 0; i < POINTS; i++)
        s->freq_hz[i] = pow(10, 5 - i / 10.0), omega[i] = TWO_PI * s->freq_hz[i], log_omega[i] = log(omega[i]);
    equivalent_evaluate(e, p, POINTS, omega, log_omega, z, NULL);
    for (int i = 0; i < POINTS; i++) {
        double sd = noise * cabs(z[i]);
        s->z[i] = (eis_z){ creal(z[i]) + sd * rng_normal(r), cimag(z[i]) + sd * rng_normal(r) };
    }
}

/* What a fit that begins at the truth ends with. */
static double from_truth(const equivalent *e, const double *p, const eis_spectrum *s) {
    fit_data data;
    fit_problem problem;
    double x[PARAMETERS_MOST], sum;
    tide_failure why = { 0 };
    assert_int_equal(fit_data_new(s, EIS_WEIGHTS_MODULUS, &data, &why), TIDE_OK);
    assert_true(fit_problem_new(e, &data, &problem));
    for (int v = 0; v < problem.variables; v++) x[v] = fit_coordinate(&problem, v, p[problem.of[v]]);
    assert_int_equal(fit_descend(&problem, x, &sum, &why), TIDE_OK);
    fit_problem_free(&problem);
    fit_data_free(&data);
    return sum;
}

static bool finds_best(int kind, double noise, rng *r) {
    equivalent e;
    sample made;
    double p[PARAMETERS_MOST];
    eis_fit_options o = options_of(kinds[kind], "", "");
    o.keep_points = true;
    assert_int_equal(equivalent_parse(kinds[kind], &e, NULL), TIDE_OK);
    random_truth(kind, r, p);
    make_points(&e, p, noise, r, &made);
    eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
    double best = from_truth(&e, p, &s);
    eis_fitted f = fitted_of(&o, &s);
    bool good = f.objective <= best * (1 + 1e-5);
    eis_fitted_free(&f);
    return good;
}

static void test_best_minimum(void **state) {
    static const double noises[] = { 1e-3, 5e-3, 2e-2 };
    (void)state;
    for (int kind = 0; kind < KINDS; kind++)
        for (int n = 0; n < 3; n++) {
            rng r = { .seed = 77, .stream = (uint32_t)(10 * kind + n) };
            int64_t found = 0;
            for (int64_t i = 0; i < spectra_of_each; i++) found += finds_best(kind, noises[n], &r);
            if (spectra_of_each > 100)
                printf("%s, noise %g: %lld of %lld\n", kinds[kind], noises[n], (long long)found,
                       (long long)spectra_of_each);
            if (!((double)found >= 0.99 * (double)spectra_of_each))
                fail_msg("%s, noise %g: the best minimum in %lld of %lld", kinds[kind], noises[n], (long long)found,
                         (long long)spectra_of_each);
        }
}

/* ---- the data first ---- */

/* What makes a fit meaningless is said in its place; a resistance and a blank have a circuit. */
static void test_unfit(void **state) {
    static const struct {
        const char *file, *circuit, *why;
        bool fitted;
    } of[] = { { "frequency_column_scrambled.csv", "epithelial", "scrambled-frequencies", false },
               { "plain_resistor.csv", "R1", "a resistance of 1000.1 ohm explains it", true } };
    (void)state;
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        eis_spectrum s;
        eis_fitted f;
        tide_failure why = { 0 };
        eis_fit_options o = options_of(of[i].circuit, "", "");
        read_case(of[i].file, &s);
        tide_status status = eis_fit_solve(&o, &s, NULL, NULL, &f, &why);
        assert_int_equal(status, of[i].fitted ? TIDE_OK : TIDE_EDATA);
        if (of[i].fitted) expect_has(f.warning[0], of[i].why);
        else assert_string_equal(why.column, of[i].why);
        eis_fitted_free(&f);
        eis_spectrum_free(&s);
    }
}

/* Left out and named, the fit is that of the points without them; kept, it is pulled, and not believed. */
static void test_left_out(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("epithelial", "", "");
    read_case("two_outliers.csv", &s);
    eis_fitted f = fitted_of(&o, &s);
    assert_int_equal(f.points, s.count - 2);
    assert_true(f.used[16] == 16 && f.used[17] == 18 && f.used[42] == 44);
    assert_int_equal(f.warnings, 1);
    expect_has(f.warning[0], "points 18 (999.5 Hz), 32 (39.85 Hz): the fit is without them");
    assert_true(f.verdict == EIS_FIT_ADEQUATE && f.chi2 > 0.5 && f.chi2 < 1.5);
    assert_true(fabs(f.quantity[0].value - 912.0) < 3 * f.quantity[0].error && f.quantity[0].error < 2);
    o.keep_points = true;
    eis_fitted kept = fitted_of(&o, &s);
    assert_int_equal(kept.points, s.count);
    assert_true(kept.verdict != EIS_FIT_ADEQUATE && kept.chi2 > 10 * f.chi2 && kept.warnings == 2);
    expect_near("noise", kept.noise, f.noise, 1e-12);
    eis_fitted_free(&f), eis_fitted_free(&kept);
    eis_spectrum_free(&s);
}

/* The circuit that made the spectrum is adequate, a smaller one is not; stated deviations count if there are any. */
static void test_verdict(void **state) {
    (void)state;
    enum { REPEATS = 40 };
    const double p[] = { 20, 100, 1e-5, 0.8 };
    eis_fit_options right = options_of("R0-p(R1,CPE1)", "", ""), wrong = options_of("R0-p(R1,C1)", "", "");
    equivalent e;
    rng r = { .seed = 31 };
    int adequate = 0;
    double chi2 = 0;
    assert_int_equal(equivalent_parse(right.circuit, &e, NULL), TIDE_OK);
    for (int i = 0; i < REPEATS; i++) {
        sample made;
        eis_z sigma[POINTS];
        make_points(&e, p, 0.003, &r, &made);
        for (int k = 0; k < POINTS; k++) sigma[k].re = sigma[k].im = 0.003 * hypot(made.z[k].re, made.z[k].im);
        eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
        eis_fitted f = fitted_of(&right, &s), g = fitted_of(&wrong, &s);
        adequate += f.verdict == EIS_FIT_ADEQUATE;
        assert_int_equal(g.verdict, EIS_FIT_SYSTEMATIC);
        expect_has(g.warning[g.warnings - 1], "this circuit cannot have made the spectrum");
        eis_fitted_free(&f), eis_fitted_free(&g);
        s.sigma = sigma;
        f = fitted_of(&right, &s);
        assert_int_equal(f.noise_source, EIS_NOISE_SIGMA);
        expect_near("noise", f.noise, 0.003, 1e-9);
        chi2 += f.chi2 / REPEATS;
        eis_fitted_free(&f);
    }
    assert_true(adequate >= REPEATS - 1);
    assert_true(fabs(chi2 - 1) < 4 * sqrt(2. / (REPEATS * (2 * POINTS - 4))));
}

/* ---- errors, bounds, ties ---- */

/* Over 100 repetitions the deviations in units of the stated error have a mean square of 1 within four of its standard
 * deviations, sqrt(2/100). */
static void test_errors(void **state) {
    (void)state;
    enum { REPEATS = 100 };
    const double p[] = { 20, 100, 1e-5, 0.9 };
    eis_fit_options o = options_of("R0-p(R1,CPE1)", "", "");
    equivalent e;
    rng r = { .seed = 4 };
    double square[4] = { 0 };
    assert_int_equal(equivalent_parse(o.circuit, &e, NULL), TIDE_OK);
    for (int i = 0; i < REPEATS; i++) {
        sample made;
        make_points(&e, p, 0.01, &r, &made);
        eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
        eis_fitted f = fitted_of(&o, &s);
        for (int k = 0; k < 4; k++) square[k] += pow((f.parameter[k].value - p[k]) / f.parameter[k].error, 2) / REPEATS;
        assert_true(f.correlation[0] == 1 && fabs(f.correlation[4 * 2 + 3]) > 0.5 &&
                    fabs(f.correlation[4 * 2 + 3]) <= 1);
        eis_fitted_free(&f);
    }
    for (int k = 0; k < 4; k++)
        if (!(fabs(square[k] - 1) < 4 * sqrt(2. / REPEATS))) fail_msg("parameter %d: %g", k, square[k]);
}

static void test_bounds_and_ties(void **state) {
    (void)state;
    sample made;
    rng r = { .seed = 9 };
    equivalent e;
    const double p[] = { 20, 100, 1e-5, 200, 3e-6 };
    assert_int_equal(equivalent_parse("R0-p(R1,C1)-p(R2,C2)", &e, NULL), TIDE_OK);
    make_points(&e, p, 1e-3, &r, &made);
    eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
    eis_fit_options bounded = options_of("R0-p(R1,C1)-p(R2,C2)", "R0=20", "R1=250..1k,C1=1n..1m"),
                    tied = options_of("R0-p(R1,C1)-p(R2,C2)", "R2=2*R1", "");
    eis_fitted f = fitted_of(&bounded, &s);
    assert_int_equal(f.parameter[0].state, EIS_PARAMETER_FIXED);
    assert_true(f.parameter[0].value == 20 && isnan(f.parameter[0].error));
    assert_int_equal(f.parameter[1].state, EIS_PARAMETER_AT_LOW);
    expect_near("R1", f.parameter[1].value, 250, 1e-12);
    expect_has(f.note[0], "R1 lies on its lower bound, 250 ohm");
    assert_int_equal(f.free_parameters, 3);
    eis_fitted_free(&f);
    f = fitted_of(&tied, &s);
    expect_near("R2", value_of(&f, "R2"), 2 * value_of(&f, "R1"), 1e-12);
    expect_near("R1", value_of(&f, "R1"), 100, 5e-3);
    assert_int_equal(f.parameter[3].state, EIS_PARAMETER_TIED);
    expect_near("error", f.parameter[3].error, 2 * f.parameter[1].error, 1e-12);
    eis_fitted_free(&f);
}

/* A start on a bound does not stay there. */
static void test_off_the_bound(void **state) {
    (void)state;
    sample made;
    rng r = { .seed = 19 };
    equivalent e;
    const double p[] = { 20, 100, 1e-5, 0.85 };
    double values[PARAMETERS_MOST];
    assert_int_equal(equivalent_parse("R0-p(R1,CPE1)", &e, NULL), TIDE_OK);
    make_points(&e, p, 1e-3, &r, &made);
    eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
    fit_data data;
    fit_problem problem;
    fit_minima minima;
    e.parameter[0].value = 20, e.parameter[1].value = 100, e.parameter[2].value = 1e-5, e.parameter[3].value = 1;
    assert_int_equal(fit_data_new(&s, EIS_WEIGHTS_MODULUS, &data, NULL), TIDE_OK);
    assert_true(fit_problem_new(&e, &data, &problem));
    assert_int_equal(fit_search(&problem, NULL, NULL, NULL, &minima, NULL), TIDE_OK);
    fit_values(&problem, minima.of[0].x, values);
    expect_near("n", values[3], 0.85, 5e-3);
    for (int i = 0; i < minima.count; i++) assert_false(minima.of[i].at_bound[3]);
    fit_problem_free(&problem);
    fit_data_free(&data);
}

/* ---- guesses ---- */

/* A guess's impedance, from its formula. */
static double complex guess_impedance(const fit_guess *g, bool electrode, double omega) {
    double complex s = I * omega, z = g->rs_ohm + s * g->l_henry;
    for (int k = 0; k < 2; k++) z += g->r_ohm[k] / (1 + cpow(s * g->tau_s[k], g->n[k]));
    return electrode ? z + 1 / (g->electrode_q * cpow(s, g->electrode_n)) : z;
}

typedef struct guess_case {
    const char *circuit;
    bool goes, same, electrode; /* same: the circuit has all that the guess has */
} guess_case;

static const guess_case guess_cases[] = {
    { "epithelial", true, true, false },
    { "epithelial-cpe", true, true, false },
    { "membranes", true, true, false },
    { "arcs", true, true, true },
    { "epithelial-cpe-electrode", true, true, true },
    { "L0-Rs-Zarc1-Zarc2", true, true, false },
    { "Rs-K1-p(C2,R2)", true, true, false },
    { "R0-p(R1,CPE1)", true, false, false },
    { "barrier", true, false, false },
    { "randles", false, false, false },
    { "battery", false, false, false },
    { "epithelial-lateral", false, false, false },
    { "R0-p(R1,C1)-p(R2,C2)-p(R3,C3)", false, false, false },
};

static void expect_guess(const guess_case *c) {
    fit_guess g = { { 700, 300 }, { 2e-2, 1e-3 }, { 1, 1 }, 25, 1e-3, 0.8, 0 };
    fit_guessed one = { .of = { g }, .count = 1 };
    sample made;
    rng r = { .seed = 3 };
    eis_spectrum s = make_spectrum(&made, EIS_SHUNT, example, 20, 0.01, &r);
    fit_data data;
    fit_problem problem;
    fit_guesses starts;
    equivalent e;
    double values[PARAMETERS_MOST];
    double complex z[POINTS];
    assert_int_equal(equivalent_parse(c->circuit, &e, NULL), TIDE_OK);
    if (strstr(c->circuit, "L0") || !strcmp(c->circuit, "arcs")) one.of[0].l_henry = g.l_henry = 1e-6;
    if (fit_guess_goes(&e) != c->goes) fail_msg("%s: a guess %s", c->circuit, c->goes ? "does not go" : "goes");
    assert_int_equal(fit_data_new(&s, EIS_WEIGHTS_MODULUS, &data, NULL), TIDE_OK);
    assert_true(fit_problem_new(&e, &data, &problem));
    fit_guesses_of(&problem, &one, &starts);
    assert_int_equal(starts.count, c->goes);
    if (c->same) fit_values(&problem, starts.start[0].x, values);
    if (c->same) equivalent_evaluate(&e, values, data.n, data.omega, data.log_omega, z, NULL);
    for (int64_t i = 0; c->same && i < data.n; i++) {
        double complex is = guess_impedance(&g, c->electrode, data.omega[i]);
        /* exponents of 1 begin just within their bound */
        if (!(cabs(z[i] - is) < 0.02 * cabs(is)))
            fail_msg("%s: %g%+gj at point %d is not %g%+gj", c->circuit, creal(z[i]), cimag(z[i]), (int)i, creal(is),
                     cimag(is));
    }
    fit_problem_free(&problem);
    fit_data_free(&data);
}

static void test_guesses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof guess_cases / sizeof *guess_cases; i++) expect_guess(&guess_cases[i]);
}

/* A guess that is far off changes nothing but how many starts there were. */
static void test_bad_guess(void **state) {
    (void)state;
    const fit_guess far_off = { { 1e-3, 1e9 }, { 1e6, 1e-9 }, { 0.1, 0.2 }, 1e9, 1e9, 0.5, 1e3 };
    const fit_guessed bad = { .of = { far_off }, .count = 1 };
    eis_spectrum s;
    eis_fit_options o = options_of("R0-p(R1,C1)-p(R2,C2)", "", "");
    eis_fitted plain, started;
    equivalent e;
    read_case("chain_two_decades.csv", &s);
    const fit_beside none = { .noise = 1e-3 }, with = { .noise = 1e-3, .guessed = &bad };
    assert_int_equal(fit_circuit(&o, NULL, &e, NULL), TIDE_OK);
    assert_int_equal(fit_one(&e, &o, &s, &none, NULL, NULL, &plain, NULL), TIDE_OK);
    assert_int_equal(fit_one(&e, &o, &s, &with, NULL, NULL, &started, NULL), TIDE_OK);
    assert_true(started.starts > plain.starts);
    for (int64_t k = 0; k < plain.parameters; k++)
        expect_near(plain.parameter[k].name, started.parameter[k].value, plain.parameter[k].value, 1e-6);
    eis_fitted_free(&plain), eis_fitted_free(&started);
    eis_spectrum_free(&s);
}

/* The fibre: five parameters have no error, what the spectrum determines has. */
static void test_open(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("epithelial", "", ""), known = options_of("epithelial", "Rsh=1500", "");
    read_case("two_path_before.csv", &s);
    eis_fitted f = fitted_of(&o, &s), k = fitted_of(&known, &s);
    assert_true(f.quantity[0].error > 0 && f.quantity[0].error < 2 && f.quantity[2].error > 0);
    int open = 0;
    for (int64_t i = 0; i < f.parameters; i++) open += f.parameter[i].state == EIS_PARAMETER_OPEN;
    assert_true(open >= 2);
    expect_has(f.note[0], "the data say nothing of one combination");
    for (int64_t i = 0; i < k.parameters; i++) assert_int_not_equal(k.parameter[i].state, EIS_PARAMETER_OPEN);
    expect_near("the sum", k.objective, f.objective, 1e-5);
    eis_fitted_free(&f), eis_fitted_free(&k);
    eis_spectrum_free(&s);
}

/* ---- outliers, profiles, choosing ---- */

/* Both outliers are named, and TER is within three errors of the truth, 912 ohm; least squares are off by tens. */
static void test_robust(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("epithelial", "", "");
    read_case("two_outliers.csv", &s);
    o.robust = true;
    eis_fitted f = fitted_of(&o, &s);
    expect_has(f.note[0], "outliers, 2 of 45 points, which hardly count: 18, 32");
    assert_true(fabs(f.quantity[0].value - 912.0) < 3 * f.quantity[0].error && f.quantity[0].error < 2);
    assert_true(fabs(f.quantity[1].value - 1e-6) < 3 * f.quantity[1].error);
    assert_true(f.share[17] < 0.1 && f.share[31] < 0.1 && f.share[0] > 0.5);
    eis_fitted_free(&f);
    o.profile = true;
    tide_failure why = { 0 };
    assert_int_equal(eis_fit_solve(&o, &s, NULL, NULL, &f, &why), TIDE_EINVAL);
    eis_spectrum_free(&s);
}

/* Student's errors hold for Student's noise: as in test_errors. */
static void test_robust_errors(void **state) {
    (void)state;
    enum { REPEATS = 100 };
    const double p[] = { 20, 100, 1e-5, 0.9 };
    eis_fit_options o = options_of("R0-p(R1,CPE1)", "", "");
    equivalent e;
    rng r = { .seed = 14 };
    double square[4] = { 0 };
    o.robust = true;
    assert_int_equal(equivalent_parse(o.circuit, &e, NULL), TIDE_OK);
    for (int i = 0; i < REPEATS; i++) {
        sample made;
        make_points(&e, p, 0, &r, &made);
        for (int k = 0; k < POINTS; k++) {
            double size = 0.01 * hypot(made.z[k].re, made.z[k].im), part[2];
            for (int j = 0; j < 2; j++) { /* a normal number over the root of a mean of four squares */
                double chi = 0;
                for (int n = 0; n < 4; n++) chi += pow(rng_normal(&r), 2) / 4;
                part[j] = size * rng_normal(&r) / sqrt(chi);
            }
            made.z[k].re += part[0], made.z[k].im += part[1];
        }
        eis_spectrum s = { .count = POINTS, .freq_hz = made.freq_hz, .z = made.z };
        eis_fitted f = fitted_of(&o, &s);
        for (int k = 0; k < 4; k++) square[k] += pow((f.parameter[k].value - p[k]) / f.parameter[k].error, 2) / REPEATS;
        eis_fitted_free(&f);
    }
    for (int k = 0; k < 4; k++)
        if (!(fabs(square[k] - 1) < 5 * sqrt(2. / REPEATS))) fail_msg("parameter %d: %g", k, square[k]);
}

/* Where the model is nearly linear the profile is the error times Student's quantile (2.0 for 87 degrees); the ends lie
 * where the sum has risen by that quantile's square over the degrees. */
static void test_profile(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("R0-p(R1,C1)", "", "");
    read_case("dummy_cell_one_rc.csv", &s);
    o.profile = true;
    eis_fitted f = fitted_of(&o, &s);
    for (int k = 0; k < 3; k++) {
        const eis_fit_parameter *p = &f.parameter[k];
        expect_near("low", p->value - p->low95, 1.9876 * p->error, 0.01);
        expect_near("high", p->high95 - p->value, 1.9876 * p->error, 0.01);
    }
    eis_fit_options held = options_of("R0-p(R1,C1)", "", "");
    snprintf(held.fix, sizeof held.fix, "R1=%.15g", f.parameter[1].high95);
    eis_fitted at_end = fitted_of(&held, &s);
    expect_near("sum at the end", at_end.objective, f.objective * (1 + 1.9876 * 1.9876 / 87), 1e-3);
    eis_fitted_free(&f), eis_fitted_free(&at_end);
    eis_spectrum_free(&s);
}

static void test_auto(void **state) {
    (void)state;
    static const struct {
        const char *file, *circuit;
    } right[] = {
        { "dummy_cell_one_rc.csv", "R0-p(R1,C1)" },
        { "plain_resistor.csv", "R0" },
        { "randles_warburg_inside.csv", "R0-p(R1-Wo1,C1)" },
        { "two_path_after.csv", "R0-p(R1,C1)-p(R2,C2)" },
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        eis_spectrum s;
        eis_fit_options o = options_of("auto", "", "");
        read_case(right[i].file, &s);
        eis_fitted f = fitted_of(&o, &s);
        if (strcmp(f.circuit, right[i].circuit) != 0)
            fail_msg("%s: expected %s, got %s", right[i].file, right[i].circuit, f.circuit);
        assert_true(f.candidates > 15 && f.candidate[0].bic <= f.candidate[1].bic && f.bic - f.candidate[0].bic < 2);
        eis_fitted_free(&f);
        eis_spectrum_free(&s);
    }
}

/* With true deviations errors are absolute: twice the deviations, twice the errors, the same values. */
static void test_statistical(void **state) {
    (void)state;
    eis_fit_options o = options_of("R0-p(R1,C1)", "", "");
    eis_spectrum s;
    eis_z sigma[2][64];
    read_case("dummy_cell_one_rc.csv", &s);
    assert_true(s.count <= 64 && !s.sigma);
    for (int64_t i = 0; i < s.count; i++)
        for (int k = 0; k < 2; k++) {
            double sd = 0.002 * (k + 1) * hypot(s.z[i].re, s.z[i].im);
            sigma[k][i] = (eis_z){ sd, sd };
        }
    eis_fitted plain = fitted_of(&o, &s), f[2];
    o.weights = EIS_WEIGHTS_STATISTICAL;
    for (int k = 0; k < 2; k++) {
        eis_spectrum with = s;
        with.sigma = sigma[k];
        f[k] = fitted_of(&o, &with);
        expect_near("R1", f[k].parameter[1].value, plain.parameter[1].value, 1e-6);
    }
    expect_near("error", f[1].parameter[1].error, 2 * f[0].parameter[1].error, 1e-6);
    expect_near("error", f[0].parameter[1].error, plain.parameter[1].error * 0.002 / sqrt(plain.reduced), 1e-5);
    eis_fitted_free(&plain), eis_fitted_free(&f[0]), eis_fitted_free(&f[1]);
    eis_spectrum_free(&s);
}

/* The same bits each time, whatever the units' size. */
static void test_again(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fit_options o = options_of("R0-L1-Zarc1-Zarc2-W1", "", "");
    read_case("battery_with_inductance.csv", &s);
    eis_fitted f = fitted_of(&o, &s), g = fitted_of(&o, &s);
    for (int64_t i = 0; i < f.parameters; i++) assert_true(f.parameter[i].value == g.parameter[i].value);
    char *json = eis_fitted_json(&f), *text = eis_fitted_text(&f);
    expect_has(json, "\"pseudo-chi2\"");
    expect_has(text, "Zarc1_0");
    tide_free(json), tide_free(text);
    eis_fitted_free(&f), eis_fitted_free(&g);
    eis_spectrum_free(&s);
}

static int stop(void *user, const eis_event *event) { return (void)user, event->tone == EIS_WORKING; }

static void test_refused(void **state) {
    (void)state;
    eis_spectrum s;
    eis_fitted f;
    tide_failure why = { 0 };
    static const struct {
        const char *circuit, *fix, *part, *column;
    } wrong[] = {
        { "R0-p(R1,X1)", "", "column 9", "circuit" },
        { "R0", "R9=1", "has no parameter \"R9\"; it has R0", "fix" },
        { "R0-C1", "C1=5 ohm", "in F", "fix" },
    };
    read_case("plain_resistor.csv", &s);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        eis_fit_options o = options_of(wrong[i].circuit, wrong[i].fix, "");
        assert_int_equal(eis_fit_solve(&o, &s, NULL, NULL, &f, &why), TIDE_EINVAL);
        expect_has(why.message, wrong[i].part);
        assert_string_equal(why.column, wrong[i].column);
    }
    eis_fit_options o = options_of("R0-p(R1,C1)", "", "");
    assert_int_equal(eis_fit_solve(&o, &s, stop, NULL, &f, &why), TIDE_ECANCELLED);
    o.weights = EIS_WEIGHTS_STATISTICAL;
    assert_int_equal(eis_fit_solve(&o, &s, NULL, NULL, &f, &why), TIDE_EINVAL);
    o = options_of("R0-C0", "C0=0", "");
    assert_int_equal(eis_fit_solve(&o, &s, NULL, NULL, &f, &why), TIDE_EDATA);
    eis_spectrum_free(&s);
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "slow") == 0) spectra_of_each = 1000;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_artefact), cmocka_unit_test(test_unfit), cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_best_minimum),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bounds_and_ties),
        cmocka_unit_test(test_off_the_bound),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_robust),
        cmocka_unit_test(test_robust_errors),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_bad_guess),
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_statistical),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
