/* One picture of an answer: well-formed, of the numbers that the answer has, in any locale; and a circuit's impedance,
 * which its line is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <complex.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include <tidemill/eis.h>

#include "../draw/xml_support.h"

enum { POINTS = 61 };
static const double example[EIS_COUNT] = { 460, 4820, 2210, 1.2e-6, 4.7e-6 };

typedef struct made {
    double       hz[POINTS];
    eis_z        z[POINTS];
    eis_spectrum s;
} made;

/* A point that all leave out, by ten times the noise. */
enum { OUTLIER = 30 };
static void make(made *m, double rsh, const char *name) {
    double p[EIS_COUNT] = { rsh, example[1], example[2], example[3], example[4] };
    unsigned long long state = 7;
    for (int i = 0; i < POINTS; i++) m->hz[i] = pow(10, 5 - i / 10.0);
    eis_impedance(EIS_SHUNT, p, 20, POINTS, m->hz, m->z);
    for (int i = 0; i < POINTS; i++) {
        double size = hypot(m->z[i].re, m->z[i].im), noise[2];
        for (int k = 0; k < 2; k++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            noise[k] = 0.02 * ((double)(state >> 11) / 9007199254740992.0 - 0.5);
        }
        m->z[i].re += size * (noise[0] + (i == OUTLIER ? 0.1 : 0)), m->z[i].im += size * noise[1];
    }
    m->s = (eis_spectrum){ .count = POINTS, .freq_hz = m->hz, .z = m->z, .name = name };
}

static int count_of(const char *text, const char *word) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += strlen(word)) count++;
    return count;
}

/* Charts on it, and, as far as text goes, whether a number has a comma. */
static void is_picture(char *svg, tide_status status, const tide_failure *failure, int charts) {
    if (status) fail_msg("%s", failure->message);
    if (xml_fault(svg)) fail_msg("no XML: %.80s", xml_fault(svg));
    assert_int_equal(count_of(svg, "<svg "), 1 + charts);
    assert_int_equal(strncmp(svg, "<svg xmlns=", 11), 0);
    for (const char *at = svg; *at; at++) assert_false(at[0] == ',' && at[1] >= '0' && at[1] <= '9');
    assert_int_equal(count_of(svg, "nan"), 0);
}

/* Points that count are dots, an outlier is a cross: three charts of the spectrum have one each, of two parts. */
static void test_fit(void **state) {
    eis_fit_options o;
    eis_fitted      f = { 0 };
    tide_failure    failure;
    made            m;
    char           *svg;
    (void)state;
    make(&m, 460, "a <b> & c");
    eis_fit_options_default(&o);
    assert_int_equal(eis_fit_solve(&o, &m.s, NULL, NULL, &f, &failure), TIDE_OK);
    tide_status status = eis_fitted_svg(&f, &m.s, &svg, &failure);
    is_picture(svg, status, &failure, 3);
    assert_int_equal(count_of(svg, ": a &lt;b&gt; &amp; c</text>"), 3);
    assert_int_equal(count_of(svg, ">left out</text>"), 2);
    tide_free(svg);
    m.s.count = OUTLIER;
    assert_int_equal(eis_fitted_svg(&f, &m.s, &svg, &failure), TIDE_EINVAL);
    assert_non_null(strstr(failure.message, "of another spectrum"));
    assert_int_equal(eis_fitted_svg(&f, NULL, &svg, &failure), TIDE_EINVAL);
    assert_int_equal(eis_fitted_svg(NULL, &m.s, &svg, &failure), TIDE_EINVAL);
    eis_fitted_free(&f);
}

static void test_joint_fit(void **state) {
    eis_fit_options o;
    eis_fitted      f = { 0 };
    tide_failure    failure;
    made            m[2];
    char           *svg;
    (void)state;
    make(&m[0], 460, "before"), make(&m[1], 900, "after");
    eis_fit_options_default(&o);
    snprintf(o.same, sizeof o.same, "Ra,Rb,Ca,Cb,Rs");
    eis_spectrum both[] = { m[0].s, m[1].s };
    assert_int_equal(eis_fit_solve_joint(&o, 2, both, NULL, NULL, &f, &failure), TIDE_OK);
    tide_status status = eis_fitted_svg(&f, both, &svg, &failure);
    is_picture(svg, status, &failure, 6);
    assert_int_equal(count_of(svg, ": before</text>"), 3);
    assert_int_equal(count_of(svg, ": after</text>"), 3);
    tide_free(svg);
    eis_fitted_free(&f);
}

/* A refined answer has a density of each of ten quantities, the exact one of each parameter that was asked for. */
static void test_answer(void **state) {
    static const struct { const char *method, *known; bool measured; int charts; } cases[] = {
        { "refined", "Rsh=460", true, 3 + 9 }, { "exact", "Rsh=460,Ra=4820", true, 3 + 3 },
        { "auto", "Rsh=460,Ra=4820", false, 3 }, { "exact", "Rsh=460,Ra=4820,Rb=2210,Ca=1.2u,Cb=4.7u", true, 3 },
    };
    eis_options *o = eis_options_new();
    tide_failure failure;
    made         m;
    char        *svg;
    (void)state;
    make(&m, 460, NULL);
    for (int i = 0; i < 4; i++) {
        eis_answer a = { 0 };
        assert_int_equal(eis_option_set(o, "method", cases[i].method, &failure), TIDE_OK);
        assert_int_equal(eis_option_set(o, "known", cases[i].known, &failure), TIDE_OK);
        tide_status status = eis_solve(o, cases[i].measured ? &m.s : NULL, NULL, NULL, NULL, &a, &failure);
        if (status) fail_msg("%s", failure.message);
        status = eis_answer_svg(&a, &svg, &failure);
        is_picture(svg, status, &failure, cases[i].charts);
        tide_free(svg);
        eis_answer_free(&a);
    }
    eis_options_free(o);
    assert_int_equal(eis_answer_svg(&(eis_answer){ 0 }, &svg, &failure), TIDE_EINVAL);
}

static void test_check_and_distribution(void **state) {
    eis_checked     c = { 0 };
    eis_relaxations r = { 0 };
    tide_failure    failure;
    made            m;
    char           *svg, *text;
    (void)state;
    make(&m, 460, "x");
    assert_int_equal(eis_check_spectrum(&m.s, &c, &failure), TIDE_OK);
    is_picture(svg, eis_checked_svg(&c, &svg, &failure), &failure, 2);
    tide_free(svg);
    assert_non_null(text = eis_checked_json(&c));
    assert_non_null(strstr(text, eis_fault_name(EIS_FAULT_OUTLIERS)));
    tide_free(text);
    assert_non_null(strstr(text = eis_checked_text(&c), "usable, with this in mind"));
    tide_free(text);
    c.terms = 0; /* as of two sweeps in one, which no test is made of */
    assert_int_equal(eis_checked_svg(&c, &svg, &failure), TIDE_EINVAL);
    assert_string_equal(failure.message, "there is nothing to draw");
    assert_null(svg);
    eis_checked_free(&c);
    assert_int_equal(eis_drt_spectrum(&m.s, NULL, &r, &failure), TIDE_OK);
    is_picture(svg, eis_relaxations_svg(&r, &svg, &failure), &failure, 2);
    tide_free(svg);
    assert_non_null(strstr(text = eis_relaxations_json(&r), "\"gamma_ohm\""));
    tide_free(text);
    assert_non_null(strstr(text = eis_relaxations_text(&r), "R_inf"));
    tide_free(text);
    eis_relaxations_free(&r);
    assert_null(eis_checked_json(NULL));
    assert_null(eis_relaxations_text(&r));
}

/* ---- a circuit ---- */

static void test_impedance(void **state) {
    const double value[] = { 20, 100, 1e-5, 0.8, 50, 3e-3 }, hz[] = { 1e-2, 1, 50, 1e5 };
    tide_failure failure;
    eis_z        z[4];
    (void)state;
    const char *circuit = "R0-p(R1,CPE1)-p(R2,C2)";
    assert_int_equal(eis_circuit_impedance(circuit, 6, value, 4, hz, z, &failure), TIDE_OK);
    for (int i = 0; i < 4; i++) {
        double complex s = 2 * M_PI * hz[i] * I;
        double complex wanted = 20 + 1 / (1 / 100.0 + 1e-5 * cpow(s, 0.8)) + 1 / (1 / 50.0 + s * 3e-3);
        assert_true(cabs(CMPLX(z[i].re, z[i].im) - wanted) <= 1e-12 * cabs(wanted));
    }
    assert_int_equal(eis_circuit_impedance(circuit, 5, value, 4, hz, z, &failure), TIDE_EINVAL);
    assert_non_null(strstr(failure.message, "5 values for 6 parameters: R0"));
    assert_int_equal(eis_circuit_impedance("R0-p(R1", 2, value, 4, hz, z, &failure), TIDE_EINVAL);
    assert_int_equal(eis_circuit_impedance("R0", 1, (double[]){ -1 }, 4, hz, z, &failure), TIDE_EINVAL);
    assert_non_null(strstr(failure.message, "R0 is -1: it is never below 0"));
    assert_int_equal(eis_circuit_impedance("R0", 1, (double[]){ NAN }, 4, hz, z, &failure), TIDE_EINVAL);
    assert_int_equal(eis_circuit_impedance("R0", 1, value, 2, (double[]){ 1, 0 }, z, &failure), TIDE_EDATA);
    assert_int_equal(failure.row, 2);
    assert_int_equal(eis_circuit_impedance(NULL, 1, value, 4, hz, z, &failure), TIDE_EINVAL);
    assert_int_equal(eis_circuit_impedance("R0", 1, value, 0, hz, z, &failure), TIDE_OK);
}

int main(void) {
    /* A decimal comma, where there is such a locale. */
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) setlocale(LC_NUMERIC, "de_DE.utf8");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),    cmocka_unit_test(test_joint_fit), cmocka_unit_test(test_answer),
        cmocka_unit_test(test_check_and_distribution), cmocka_unit_test(test_impedance),
    };
    return cmocka_run_group_tests_name("eis_pictures", tests, NULL, NULL);
}
