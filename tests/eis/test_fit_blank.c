/* Blanks: what they are found to be, what they do to a fit over fresh noise, and what is refused. */
#include <inttypes.h>

#include "fit_support.h"

static char folder[] = "/tmp/tidemill-blank-XXXXXX";
static char blank_path[64];

/* Rs-Lblank-CPEblank or what of it has a value, `from` to `to` Hz at ten points a decade; noise over |Z|, and in ohm.
 */
typedef struct bath { double rs, l, q, n, from, to, share, ohm; } bath;

static double complex bath_at(const bath *b, double freq_hz) {
    double complex s = CMPLX(0, 6.283185307179586 * freq_hz);
    return b->rs + b->l * s + (b->q > 0 ? 1 / (b->q * cpow(s, b->n)) : 0);
}

static void write_bath(const bath *b, rng *r) {
    FILE *f = fopen(blank_path, "w");
    int count = (int)lround(10 * log10(b->to / b->from)) + 1;
    assert_non_null(f);
    fprintf(f, "frequency_hz,z_re_ohm,z_im_ohm\n");
    for (int i = 0; i < count; i++) {
        double freq_hz = b->from * pow(10, i / 10.0);
        double complex z = bath_at(b, freq_hz);
        double sd = hypot(b->share * cabs(z), b->ohm);
        fprintf(f, "%.17g,%.17g,%.17g\n", freq_hz, creal(z) + sd * rng_normal(r), cimag(z) + sd * rng_normal(r));
    }
    fclose(f);
}

static const double layer[EIS_COUNT] = { 900, 2600, 760, 5.2e-6, 1.4e-6 };

static eis_spectrum with_cells(sample *s, const bath *b, double noise, rng *r) {
    eis_spectrum out = make_spectrum(s, EIS_SHUNT, layer, 0, 0, r);
    for (int i = 0; i < POINTS; i++) {
        double complex z = CMPLX(s->z[i].re, s->z[i].im) + bath_at(b, s->freq_hz[i]);
        double sd = noise * cabs(z);
        s->z[i] = (eis_z){ creal(z) + sd * rng_normal(r), cimag(z) + sd * rng_normal(r) };
    }
    return out;
}

static blank blank_of(const bath *b, uint64_t seed) {
    rng r = { .seed = seed };
    eis_options o;
    blank out;
    tide_failure why = { 0 };
    eis_options_default(&o);
    write_bath(b, &r);
    if (blank_read(blank_path, &o, &out, &why) != TIDE_OK) fail_msg("%s", why.message);
    return out;
}

/* ---- what it is ---- */

static void test_kinds(void **state) {
    (void)state;
    static const struct { bath of; int count; const char *parts; } cases[] = {
        { { 25, 0, 0, 1, 2, 5e4, 2e-3, 0 }, 1, "Rs" },
        { { 25, 0, 2e-4, 1, 2, 5e4, 2e-3, 0 }, 2, "RsCblank" },
        { { 25, 0, 2e-4, .85, 2, 5e4, 2e-3, 0 }, 3, "RsCPEblank" },
        { { 25, 7e-6, 2e-4, .85, 2, 5e4, 2e-3, 0 }, 4, "RsLblankCPEblank" },
        { { 4.5, 7e-6, 0, 1, 2, 5e4, 1e-2, 0 }, 2, "RsLblank" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char parts[64] = "";
        blank b = blank_of(&cases[i].of, 11 + i);
        for (int k = 0; k < b.circuit.parts; k++) strcat(parts, b.circuit.part[k].name);
        assert_string_equal(parts, cases[i].parts);
        assert_int_equal(b.count, cases[i].count);
        assert_true(fabs(log(b.value[0] / cases[i].of.rs)) < 4 * sqrt(b.covariance[0]));
    }
}

/* A signal that drowns at low frequencies: those points are left out, and said. */
static void test_drowned(void **state) {
    (void)state;
    const bath quiet = { 4.5, 7e-6, 0, 1, 300, 5e4, 2e-2, 0 }, loud = { 4.5, 0, 0, 1, 2, 250, 0, 1.5 };
    rng r = { .seed = 4 };
    eis_options o;
    blank b;
    tide_failure why = { 0 };
    char high[64 * 80];
    eis_options_default(&o);
    write_bath(&quiet, &r);
    FILE *f = fopen(blank_path, "r");
    high[fread(high, 1, sizeof high - 1, f)] = 0;
    fclose(f);
    write_bath(&loud, &r);
    f = fopen(blank_path, "a");
    fputs(strchr(high, '\n') + 1, f);
    fclose(f);
    if (blank_read(blank_path, &o, &b, &why) != TIDE_OK) fail_msg("%s", why.message);
    expect_has(b.note, "are noise and left out");
    assert_true(fabs(log(b.value[0] / 4.5)) < 4 * sqrt(b.covariance[0]) && b.covariance[0] < 1e-3);
}

/* ---- what it does ---- */

/* Rs and TER over fresh noise in both, the blank on other frequencies; a circuit that has no electrode gets one. */
static void test_coverage(void **state) {
    (void)state;
    enum { DRAWS = 60, NAMES = 4 };
    static const char *const circuits[] = { "epithelial", "epithelial-electrode" };
    static const bath at[] = { { 25, 0, 2e-4, .85, 3, 3e4, 4e-3, 0 } };
    const double truth[NAMES] = { 25, .85, 1 / (1 / layer[0] + 1 / (layer[1] + layer[2])), 2e-4 };
    int within[NAMES] = { 0 };
    rng r = { .seed = 21 };
    for (int d = 0; d < DRAWS; d++) {
        sample made;
        const char *el = d % 2 ? "CPEel" : "CPEblank";
        char q[32], n[32];
        write_bath(at, &r);
        eis_spectrum s = with_cells(&made, at, 2e-3, &r);
        eis_fit_options o = options_of(circuits[d % 2], "Rsh=900", "");
        snprintf(o.blank, sizeof o.blank, "%s", blank_path);
        eis_fitted f = fitted_of(&o, &s);
        snprintf(q, sizeof q, "%s_0", el), snprintf(n, sizeof n, "%s_1", el);
        const eis_fit_parameter *of[NAMES] = { parameter_of(&f, "Rs"), parameter_of(&f, n), NULL, parameter_of(&f, q) };
        for (int i = 0; i < NAMES; i++) {
            double value = of[i] ? of[i]->value : quantity_of(&f, "TER")->value,
                   error = of[i] ? of[i]->error : quantity_of(&f, "TER")->error;
            within[i] += fabs(value - truth[i]) < 1.98 * error;
        }
        assert_true(f.priors >= 3); /* by chance with an inductance */
        eis_fitted_free(&f);
    }
    for (int i = 0; i < NAMES; i++) {
        print_message("%d: the truth lies in %d of %d intervals\n", i, within[i], DRAWS);
        assert_true(fabs(within[i] - 0.95 * DRAWS) <= 3.5 * sqrt(0.95 * 0.05 * DRAWS));
    }
}

/* Without frequencies at which the electrode shows alone, the blank tells TER from it. */
static void test_helps(void **state) {
    (void)state;
    const bath at = { 25, 0, 2e-4, .7, .1, 1e5, 2e-3, 0 };
    sample made;
    rng r = { .seed = 31 };
    write_bath(&at, &r);
    eis_spectrum s = with_cells(&made, &at, 2e-3, &r);
    s.count = 40, s.freq_hz += 21, s.z += 21; /* from 13 Hz on */
    eis_fit_options plain = options_of("Rs-p(R1,C1)-p(R2,C2)-CPEel", "", ""), o = plain;
    snprintf(o.blank, sizeof o.blank, "%s", blank_path);
    eis_fitted without = fitted_of(&plain, &s), with = fitted_of(&o, &s);
    const eis_fit_parameter *a = parameter_of(&without, "CPEel_1"), *b = parameter_of(&with, "CPEel_1");
    assert_true(!(a->error < 5 * b->error) && fabs(b->value - .7) < 4 * b->error);
    expect_has(with.note[0], "the blank ");
    eis_fitted_free(&without), eis_fitted_free(&with);
}

/* Of spectra that are fitted together it tells one bath, the electrode that it adds as well. */
static void test_joint(void **state) {
    (void)state;
    const bath at = { 25, 0, 2e-4, .7, .1, 1e5, 2e-3, 0 };
    sample made[2];
    rng r = { .seed = 32 };
    write_bath(&at, &r);
    eis_spectrum s[] = { with_cells(&made[0], &at, 2e-3, &r), with_cells(&made[1], &at, 2e-3, &r) };
    eis_fit_options o = options_of("epithelial", "", "");
    snprintf(o.blank, sizeof o.blank, "%s", blank_path);
    snprintf(o.same, sizeof o.same, "Ra,Rb,Ca,Cb");
    eis_fitted f;
    tide_failure why = { 0 };
    if (eis_fit_solve_joint(&o, 2, s, NULL, NULL, &f, &why) != TIDE_OK) fail_msg("%s", why.message);
    const eis_fit_parameter *n = parameter_of(&f, "CPEblank_1"), *rs = parameter_of(&f, "Rs");
    assert_true(fabs(n->value - .7) < 4 * n->error && fabs(rs->value - 25) < 4 * rs->error && f.priors >= 3);
    eis_fitted_free(&f);
}

/* ---- what is refused ---- */

static void expect_refused(const char *circuit, const char *fix, const char *says, tide_status as) {
    sample made;
    rng r = { .seed = 41 };
    const bath at = { 25, 0, 2e-4, .85, 2, 5e4, 2e-3, 0 };
    eis_spectrum s = with_cells(&made, &at, 2e-3, &r);
    eis_fit_options o = options_of(circuit, fix, "");
    eis_fitted f;
    tide_failure why = { 0 };
    snprintf(o.blank, sizeof o.blank, "%s", blank_path);
    assert_int_equal(eis_fit_solve(&o, &s, NULL, NULL, &f, &why), as);
    expect_has(why.message, says);
}

static void test_refused(void **state) {
    (void)state;
    rng r = { .seed = 51 };
    sample made;
    const bath good = { 25, 0, 2e-4, .85, 2, 5e4, 2e-3, 0 }, noise = { 25, 0, 0, 1, 2, 5e4, .5, 0 };
    write_bath(&good, &r);
    expect_refused("epithelial", "Rs=25", "Rs is fixed, and the blank tells it", TIDE_EINVAL);
    expect_refused("R0-R1-p(R2,C2)", "", "the circuit has 2 elements R in series", TIDE_EINVAL);
    write_bath(&noise, &r);
    expect_refused("epithelial", "", "is left by anything linear, causal and steady", TIDE_EDATA);
    eis_spectrum s = with_cells(&made, &good, 2e-3, &r);
    FILE *f = fopen(blank_path, "w");
    for (int i = 0; i < POINTS; i++) fprintf(f, "%.17g,%.17g,%.17g\n", s.freq_hz[i], s.z[i].re, s.z[i].im);
    fclose(f);
    expect_refused("epithelial", "", "it is no blank", TIDE_EDATA);
    remove(blank_path);
    expect_refused("epithelial", "", "cannot open this file", TIDE_EDATA);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_kinds), cmocka_unit_test(test_drowned),
                                        cmocka_unit_test(test_coverage), cmocka_unit_test(test_helps),
                                        cmocka_unit_test(test_joint), cmocka_unit_test(test_refused) };
    if (!mkdtemp(folder)) return 1;
    snprintf(blank_path, sizeof blank_path, "%s/blank.csv", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    remove(blank_path), rmdir(folder);
    return failed;
}
