/* Kramers-Kronig, noise and faults: against published numbers, made spectra of known noise, and real files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "check_support.h"
#include "eis/check/linkk.h"
#include "eis/check/noise.h"

/* ---- the linear test's published numbers ---- */

static bool dummy_cell(int number, sweep *to) {
    char name[64];
    snprintf(name, sizeof name, "impedance.py/Circuit%d_EIS_1.z", number);
    FILE *file = shared_open(name);
    return file && sweeps_read(file, (int[]){ 0, 4, 5 }, 1, to) >= 1;
}

static void close_to(double got, double wanted, double tolerance) {
    if (!(fabs(got - wanted) <= tolerance)) fail_msg("%.17g; wanted is %.17g +- %g", got, wanted, tolerance);
}

/* The usual rule: M grows until mu is no more than c. */
static void test_mu_of_dummy_cell(void **state) {
    (void)state;
    sweep *cell = calloc(SWEEPS_MOST, sizeof *cell);
    eis_z residual[POINTS_MOST];
    linkk_fit fit = { .mu = 1 };
    linkk_question q = { LINKK_REAL, 0, 1, false, false };
    if (!dummy_cell(3, cell)) {
        free(cell);
        skip();
    }
    assert_int_equal(cell->s.count, 53);
    while (fit.mu > 0.69) {
        q.terms++;
        assert_true(linkk_fit_terms(&cell->s, &q, &fit, residual));
    }
    assert_int_equal(q.terms, 10);
    close_to(fit.mu, 0.6843821117885, 1e-12);
    close_to(fit.square, 1.923738e-2, 1e-8);
    close_to(fit.l_henry, 3.998868e-5, 1e-11);
    free(cell);
}

static void test_complex_with_capacitance(void **state) {
    static const struct {
        int terms;
        double mu, rmse, mu_within;
    } of[] = {
        { 10, 1, 8.1446604591e-05, 1e-9 },
        { 20, 0.8929547620, 5.1002168329e-05, 1e-5 },
        { 26, 0.3063348208, 4.9128371092e-05, 1e-4 }, /* sums of large terms of both signs: rounding shows */
    };
    (void)state;
    sweep *all = calloc(SWEEPS_MOST, sizeof *all), *part = calloc(1, sizeof *part);
    eis_z residual[POINTS_MOST];
    linkk_fit fit;
    FILE *file = shared_open("impedance.py/exampleData.csv");
    if (!file) {
        free(all), free(part);
        skip();
    }
    sweeps_read(file, (int[]){ 0, 1, 2 }, 1, all);
    for (int64_t i = 0; i < all->s.count; i++)
        if (all->z[i].im < 0 && all->freq_hz[i] < 1000) sweep_add(part, all->freq_hz[i], all->z[i].re, all->z[i].im);
    part->s.freq_hz = part->freq_hz, part->s.z = part->z;
    assert_int_equal(part->s.count, 55);
    for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
        double square = 0;
        const linkk_question q = { LINKK_COMPLEX, of[k].terms, 1, true, false };
        assert_true(linkk_fit_terms(&part->s, &q, &fit, residual));
        for (int64_t i = 0; i < part->s.count; i++) {
            double size = hypot(part->z[i].re, part->z[i].im), left = size * hypot(residual[i].re, residual[i].im);
            square += left * left;
        }
        close_to(sqrt(square / 55), of[k].rmse, 1e-12);
        close_to(fit.mu, of[k].mu, of[k].mu_within);
    }
    free(all), free(part);
}

/* Where the usual rule stops at 12 to 57 %. */
static void test_plateau_of_dummy_cells(void **state) {
    (void)state;
    sweep *cell = calloc(SWEEPS_MOST, sizeof *cell);
    for (int number = 1; number <= 3; number++) {
        linkk k;
        double most = 0;
        if (!dummy_cell(number, cell)) {
            free(cell);
            skip();
        }
        assert_true(linkk_scan(&cell->s, &k));
        for (int64_t i = 0; i < cell->s.count; i++)
            most = fmax(most, fmax(fabs(k.residual[i].re), fabs(k.residual[i].im)));
        assert_true(k.reached);
        if (!(most <= 0.006)) fail_msg("cell %d: residuals up to %g", number, most);
        linkk_free(&k);
    }
    free(cell);
}

/* ---- noise ---- */

static void test_noise_is_honest(void **state) {
    enum { SPECTRA = 200 };
    (void)state;
    rng r = { .seed = 7, .stream = 1 };
    sweep *made = calloc(1, sizeof *made);
    double sum = 0, sum_robust = 0, least = INFINITY;
    for (int i = 0; i < SPECTRA; i++) {
        noise_estimate e;
        double noise = make_spectrum(&r, i % 4, made), ratio;
        assert_int_equal(noise_of(&made->s, &e, NULL), TIDE_OK);
        assert_int_equal(e.source, NOISE_KRAMERS_KRONIG);
        ratio = e.noise * e.noise / (noise * noise);
        sum += ratio, sum_robust += e.robust * e.robust / (noise * noise), least = fmin(least, ratio);
    }
    close_to(sum / SPECTRA, 1, 0.1);
    close_to(sum_robust / SPECTRA, 1, 0.2);
    if (!(least >= 0.5)) fail_msg("the noise's square is %g of the truth once", least);
    free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mu_of_dummy_cell),
        cmocka_unit_test(test_complex_with_capacitance),
        cmocka_unit_test(test_plateau_of_dummy_cells),
        cmocka_unit_test(test_noise_is_honest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
