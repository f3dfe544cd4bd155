/* Section 1 of the specification: values, derivatives, invariants, the fibre; names and units; residual norms. */
#include "support.h"

enum { RANDOM = 300 };

static void test_golden_impedance(void **state) {
    static const struct { double f; eis_z z; } rows[] = {
        { 0.1, { 431.748917245, -0.120472067725 } },   { 1, { 431.740873256, -1.20442007561 } },
        { 10, { 431.062108193, -11.8143271322 } },
        { 17, { 430.126863927, -19.6829499796 } },     { 100, { 403.226972791, -104.454246389 } },
        { 1000, { 56.0343372436, -144.804513423 } },
        { 10000, { 0.643318496786, -16.6242884771 } }, { 1e5, { 0.00644272530697, -1.66489379517 } },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        eis_z z;
        eis_impedance(EIS_SHUNT, example, 0, 1, &rows[i].f, &z);
        expect_near("real part", z.re, rows[i].z.re, 5e-12); /* 12 printed digits */
        expect_near("imaginary part", z.im, rows[i].z.im, 5e-12);
        eis_impedance(EIS_CHAIN, example, 7, 1, &rows[i].f, &z);
        double w = 2 * M_PI * rows[i].f, a = w * example[1] * example[3], b = w * example[2] * example[4];
        expect_near("chain, real part", z.re, 7 + example[0] + example[1] / (1 + a * a) + example[2] / (1 + b * b),
                    1e-14);
    }
}

static void test_golden_derivatives(void **state) {
    static const eis_z expected[EIS_WITH_RS] = { { 0.8774809206, -0.04813524348 }, { 0.004066030786, 0.0003180534697 },
                                                 { 0.003005500091, -0.001204716697 },
                                                 { 464273.6999, -5935326.405 },    { -369699.9103, -922319.0126 },
                                                 { 1, 0 } };
    eis_z d[EIS_WITH_RS];
    (void)state;
    eis_derivatives(EIS_SHUNT, example, 0, 10, d);
    for (int k = 0; k < EIS_WITH_RS; k++) expect_z("derivative", d[k], expected[k], 2e-10); /* 10 printed digits */
}

static void test_golden_invariants(void **state) {
    eis_invariants q = eis_invariants_of(example);
    (void)state;
    expect_near("R0", q.r0_ohm, 431.748998665, 5e-12);
    expect_near("n1", q.n1_s, 0.00893996870555, 5e-12);
    expect_near("d1", q.d1_s, 0.00938406408545, 5e-12);
    expect_near("d2", q.d2_s2, 3.68972866222e-06, 5e-12);
    expect_near("Cinf", q.cinf_farad, 9.5593220339e-07, 5e-12);
    expect_near("g", q.g, 15.2826086957, 5e-12);
}

static void test_golden_fibre(void **state) {
    static const double rows[][7] = { /* g, Rsh, R1, R2, C1, C2, tau1 / tau2 */
        { 0, INFINITY, 1.65835, 430.091, 0.00541073, 9.56101e-07, 21.82 },
        { 0.5, 1295.25, 3.90814, 643.715, 0.00230046, 9.5633e-07, 14.6 },
        { 1, 863.498, 7.28277, 856.215, 0.00123704, 9.56671e-07, 11 },
        { 2, 647.623, 18.0468, 1277.2, 0.000501418, 9.57758e-07, 7.398 },
        { 5, 518.099, 98.2658, 2492.23, 9.35988e-05, 9.65796e-07, 3.821 },
        { 10, 474.924, 579.854, 4169.39, 1.65473e-05, 1.01454e-06, 2.268 },
        { 20, 453.336, 4892.78, 4173.95, 2.36421e-06, 1.60481e-06, 1.727 },
    };
    eis_invariants q = eis_invariants_of(example);
    sample s, t;
    (void)state;
    make_spectrum(&s, EIS_SHUNT, example, 0, 0, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double *row = rows[i];
        double p[EIS_COUNT];
        assert_true(eis_fibre(&q, row[0], p));
        if (isinf(row[1])) assert_true(isinf(p[0]));
        else expect_near("Rsh", p[0], row[1], 6e-6); /* 6 printed digits */
        for (int k = 1; k < EIS_COUNT; k++) expect_near("fibre", p[k], row[k + 1], 6e-6);
        expect_near("ratio of time constants", p[1] * p[3] / (p[2] * p[4]), row[6], 5e-4);
        make_spectrum(&t, EIS_SHUNT, p, 0, 0, NULL);
        for (int k = 0; k < POINTS; k++) expect_z("the same spectrum", t.z[k], s.z[k], 1e-13);
    }
}

/* scale: sum over R of dZ/dln R - sum over C of dZ/dln C = Z; time: sum over C of dZ/dln C = dZ/dln w. */
static void check_identities(eis_circuit circuit, const double *p, double f) {
    eis_z d[EIS_WITH_RS], z = eis_derivatives(circuit, p, 0, f, d), sum = { 0 }, times = { 0 }, side[2];
    for (int k = 0; k < EIS_COUNT; k++) {
        double sign = k >= EIS_CA ? -p[k] : p[k];
        sum.re += sign * d[k].re, sum.im += sign * d[k].im;
        if (k >= EIS_CA) times.re += p[k] * d[k].re, times.im += p[k] * d[k].im;
    }
    expect_z("scale identity", sum, z, 1e-13);
    double h = 1e-4, at[2] = { f * exp(-h), f * exp(h) };
    eis_impedance(circuit, p, 0, 2, at, side);
    eis_z slope = { (side[1].re - side[0].re) / (2 * h), (side[1].im - side[0].im) / (2 * h) };
    /* h^2 / 6 of a third derivative of order Z */
    if (hypot(slope.re - times.re, slope.im - times.im) > 1e-7 * hypot(z.re, z.im))
        fail_msg("time identity: %g %+gj against %g %+gj", times.re, times.im, slope.re, slope.im);
}

static void check_differences(eis_circuit circuit, const double *p, double f) {
    eis_z d[EIS_WITH_RS], z = eis_derivatives(circuit, p, 0, f, d), side[2];
    for (int k = 0; k < EIS_COUNT; k++) {
        double h = 1e-4, q[2][EIS_COUNT];
        for (int i = 0; i < 2; i++) {
            memcpy(q[i], p, sizeof q[i]);
            q[i][k] *= exp(i ? h : -h);
            eis_impedance(circuit, q[i], 0, 1, &f, &side[i]);
        }
        double re = (side[1].re - side[0].re) / (2 * h) - p[k] * d[k].re,
               im = (side[1].im - side[0].im) / (2 * h) - p[k] * d[k].im;
        if (hypot(re, im) > 1e-7 * hypot(z.re, z.im))
            fail_msg("derivative %d: %.3g of |Z| from differences", k, hypot(re, im) / hypot(z.re, z.im));
    }
}

static void check_swap(const double *p, double f) {
    eis_z  z[2];
    double q[EIS_COUNT];
    eis_swap(p, q);
    eis_impedance(EIS_SHUNT, p, 0, 1, &f, &z[0]);
    eis_impedance(EIS_SHUNT, q, 0, 1, &f, &z[1]);
    expect_z("swap", z[1], z[0], 1e-13);
}

static void check_fibre(const double *p, double g, double f) {
    eis_invariants v = eis_invariants_of(p);
    eis_z  z[2];
    double q[EIS_COUNT];
    if (!eis_fibre(&v, g, q)) fail_msg("no circuit at g = %g of R %g %g %g C %g %g", g, p[0], p[1], p[2], p[3], p[4]);
    eis_impedance(EIS_SHUNT, p, 0, 1, &f, &z[0]);
    eis_impedance(EIS_SHUNT, q, 0, 1, &f, &z[1]);
    expect_z("fibre", z[1], z[0], 1e-13);
}

/* J v = 0 against the largest of its terms. */
static void check_tangent(const double *p, double f) {
    eis_z  d[EIS_WITH_RS], sum = { 0 };
    double v[EIS_COUNT], largest = 0;
    eis_derivatives(EIS_SHUNT, p, 0, f, d);
    eis_fibre_tangent(p, v);
    for (int k = 0; k < EIS_COUNT; k++) {
        double scale = p[k] * v[k];
        sum.re += scale * d[k].re, sum.im += scale * d[k].im;
        largest = fmax(largest, fabs(scale) * hypot(d[k].re, d[k].im));
    }
    if (!(hypot(sum.re, sum.im) <= 1e-13 * largest))
        fail_msg("J v = %.3g of its largest term", hypot(sum.re, sum.im) / largest);
}

static void test_properties(void **state) {
    rng r = { .seed = 1 };
    (void)state;
    for (int i = 0; i < RANDOM; i++) {
        double p[EIS_COUNT], f = pow(10, -1 + 6 * rng_unit(&r)), g = pow(10, -2 + 4 * rng_unit(&r));
        random_circuit(&r, p);
        check_identities(i % 2 ? EIS_SHUNT : EIS_CHAIN, p, f);
        check_differences(i % 2 ? EIS_SHUNT : EIS_CHAIN, p, f);
        check_swap(p, f);
        check_fibre(p, g, f);
        check_tangent(p, f);
    }
}

static void test_limits(void **state) {
    eis_invariants q = eis_invariants_of(example);
    double low = 1e-7, high = 1e10, w = 2 * M_PI;
    eis_z  z;
    (void)state;
    eis_impedance(EIS_SHUNT, example, 0, 1, &low, &z);
    expect_near("Z at no frequency", z.re, q.r0_ohm, 1e-12);
    expect_near("its slope", z.im / (w * low), -q.r0_ohm * (q.d1_s - q.n1_s), 1e-9);
    eis_impedance(EIS_SHUNT, example, 0, 1, &high, &z);
    expect_near("Z at a high frequency", z.im, -1 / (w * high * q.cinf_farad), 1e-9);
    expect_near("its real part", z.re * w * w * high * high,
                q.r0_ohm * (q.n1_s * q.d1_s - q.d2_s2) / (q.d2_s2 * q.d2_s2), 1e-6);
}

static void test_single_precision(void **state) {
    float p[EIS_COUNT], f[3] = { 0.1f, 17, 1e5f }, re[3], im[3];
    double freq[3] = { 0.1f, 17, 1e5 };
    eis_z z[3];
    (void)state;
    for (int k = 0; k < EIS_COUNT; k++) p[k] = (float)example[k];
    for (int circuit = EIS_SHUNT; circuit <= EIS_CHAIN; circuit++) {
        eis_impedance(circuit, example, 3, 3, freq, z);
        eis_impedance_f32(circuit, p, 3, 3, f, re, im);
        for (int i = 0; i < 3; i++) expect_z("float", (eis_z){ (double)re[i], (double)im[i] }, z[i], 1e-6);
    }
}

/* ---- names and units ---- */

static void refuse(const char *text, const char *says) {
    eis_known    known;
    tide_failure failure = { 0 };
    if (eis_known_parse(text, &known, &failure) == TIDE_OK) fail_msg("\"%s\" was accepted", text);
    expect_has(failure.message, says);
}

static void test_known_values(void **state) {
    eis_known    k;
    tide_failure failure = { 0 };
    (void)state;
    assert_int_equal(eis_known_parse("Rsh=460, Ra = 4.8k,Rb=2210ohm,Ca=3.7uF,Cb=4.7 \xc2\xb5"
                                     "F",
                                     &k, &failure),
                     TIDE_OK);
    const double expected[EIS_COUNT] = { 460, 4800, 2210, 3.7e-6, 4.7e-6 };
    for (int i = 0; i < EIS_COUNT; i++) {
        assert_true(k.is[i]);
        expect_near(eis_parameters[i].name, k.value[i], expected[i], 1e-15);
    }
    assert_int_equal(eis_known_parse("", &k, &failure), TIDE_OK);
    assert_false(k.is[EIS_RSH]);
    refuse("Ca=3.7", "3.7 F is outside 1e-08..0.001 F; did you mean 3.7uF?");
    refuse("Ra=0.48", "0.48 ohm is outside 1..1e+06 ohm; did you mean 0.48k?");
    refuse("Ra=-5", "must be positive");
    refuse("Ra=0", "must be positive");
    refuse("Rc=5", "they are Rsh, Ra, Rb, Ca and Cb");
    refuse("Ra=50,Ra=50", "twice");
    refuse("Ra=50F", "not a value in ohm");
    refuse("Ra=nan", "not a value");
    refuse("Ra", "NAME=VALUE");
}

/* ---- residual norms ---- */

/* Two points by hand: data 3 + 4j and 6 + 8j; e = (0, 1) and (-2, 0). */
static void test_resnorms(void **state) {
    static const double f[2] = { 1, 100 };
    static const eis_z  data[2] = { { 3, 4 }, { 6, 8 } }, model[2] = { { 3, 3 }, { 8, 8 } };
    double a = sqrt(18) - 5, b = sqrt(128) - 10, turn_1 = atan2(4, 3) - atan2(3, 3), turn_2 = atan2(8, 6) - atan2(8, 8);
    const struct { eis_resnorm_kind kind; double expected; } rows[] = {
        { EIS_MEAN_ABS, 1.5 },                           { EIS_MEAN_ABS_ROOT_F, (1 + 0.1 * 2) / 1.1 },
        { EIS_MEAN_ABS_AMPLIFIED, 1.5 * sqrt(2) },
        { EIS_MEAN_RELATIVE_MAGNITUDE, (fabs(a) / 5 + fabs(b) / 10) / 2 }, { EIS_MEAN_SQUARE, 2.5 },    { EIS_SSE, 5 },
        { EIS_MAGNITUDE_PHASE, (fabs(a) + turn_1 * sqrt(18) + 0.1 * (fabs(b) + turn_2 * sqrt(128))) / 1.1 },
        { EIS_RMSE, sqrt(2.5) },                         { EIS_RMSE_PARTS, sqrt(0.08 / 4) },
        { EIS_PSEUDO_CHI2, 0.08 },
        { EIS_REDUCED_CHI2, 0.08 / 3 },                  { EIS_NORMALISED, 4 / 36.0 + 1 / 64.0 },
        { EIS_COMPLEX_MAPE, 20 },
        { EIS_QUARTIC, 2 * 0.0016 },                     { EIS_NOISE_PERCENT, sqrt(5000 * 0.08 / 2) },
    };
    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, EIS_RESNORMS);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_near(eis_resnorm_name(rows[i].kind), eis_resnorm(rows[i].kind, 2, f, data, model, 1), rows[i].expected,
                    1e-14);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_impedance), cmocka_unit_test(test_golden_derivatives),
        cmocka_unit_test(test_golden_invariants),
        cmocka_unit_test(test_golden_fibre),     cmocka_unit_test(test_properties),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_single_precision), cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_resnorms),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
