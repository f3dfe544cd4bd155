/* Kramers-Kronig, noise and faults: against published numbers, made spectra of known noise, and real files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "check_support.h"
#include "eis/check/faults.h"
#include "eis/check/linkk.h"
#include "eis/check/noise.h"
#include "eis/check/zhit.h"

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
        assert_int_equal(e.source, EIS_NOISE_KRAMERS_KRONIG);
        ratio = e.noise * e.noise / (noise * noise);
        sum += ratio, sum_robust += e.robust * e.robust / (noise * noise), least = fmin(least, ratio);
    }
    close_to(sum / SPECTRA, 1, 0.1);
    close_to(sum_robust / SPECTRA, 1, 0.2);
    if (!(least >= 0.5)) fail_msg("the noise's square is %g of the truth once", least);
    free(made);
}

static void test_noise_of_sigma(void **state) {
    (void)state;
    rng r = { .seed = 8, .stream = 1 };
    sweep *made = calloc(1, sizeof *made);
    eis_z sigma[POINTS_MOST];
    noise_estimate e;
    make_spectrum(&r, 0, made);
    for (int64_t i = 0; i < made->s.count; i++) {
        double size = hypot(made->z[i].re, made->z[i].im);
        sigma[i] = (eis_z){ 0.003 * size, 0.004 * size };
    }
    made->s.sigma = sigma;
    assert_int_equal(noise_of(&made->s, &e, NULL), TIDE_OK);
    assert_int_equal(e.source, EIS_NOISE_SIGMA);
    close_to(e.noise, 0.005 / sqrt(2), 1e-12);
    assert_true(isinf(e.dof));
    free(made);
}

/* Sweeps of one circuit: without drift between them, and with a resistance that grows. */
static void test_noise_of_replicates(void **state) {
    enum { SWEEPS = 3, TRIALS = 60 };
    (void)state;
    rng r = { .seed = 9, .stream = 1 };
    sweep *made = calloc(SWEEPS, sizeof *made);
    eis_spectrum s[SWEEPS];
    noise_estimate e;
    for (int drifting = 0; drifting < 2; drifting++) {
        double sum = 0;
        int taken = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            for (int k = 0; k < SWEEPS; k++) {
                memset(&made[k], 0, sizeof made[k]);
                for (int i = 0; i < 40; i++) {
                    double f = pow(10, 5 - i / 8.0), ohm = 500 * (1 + 0.1 * k * drifting);
                    double complex z = 25 + ohm / (1 + CMPLX(0, TWO_PI * f) * ohm * 1e-6);
                    double re = creal(z) + 0.005 * cabs(z) * rng_normal(&r);
                    sweep_add(&made[k], f * (1 + 1e-4 * k), re, cimag(z) + 0.005 * cabs(z) * rng_normal(&r));
                }
                s[k] = made[k].s, s[k].freq_hz = made[k].freq_hz, s[k].z = made[k].z;
            }
            assert_int_equal(noise_of_replicates(s, SWEEPS, &e, NULL), TIDE_OK);
            assert_int_equal(e.source, EIS_NOISE_REPLICATES);
            sum += e.noise * e.noise / (0.005 * 0.005), taken += e.drift > 0;
        }
        close_to(sum / TRIALS, 1, 0.1); /* a little of the drift is not worth its degrees of freedom, and stays */
        assert_true(drifting ? taken == TRIALS : taken <= TRIALS / 20);
    }
    s[1].count--;
    assert_int_equal(noise_of_replicates(s, SWEEPS, &e, NULL), TIDE_EDATA);
    s[1].count++, made[1].freq_hz[7] *= 1.01;
    assert_int_equal(noise_of_replicates(s, SWEEPS, &e, NULL), TIDE_EDATA);
    assert_int_equal(noise_of_replicates(s, 1, &e, NULL), TIDE_EINVAL);
    free(made);
}

/* ---- faults ---- */

static void expect_points(const char *name, const eis_fault *f, const int *row, int rows) {
    for (int k = 0; k < rows; k++)
        if (k >= f->points || f->point[k] != row[k] - 1)
            fail_msg("%s: %s; row %d should be named", name, f->sentence, row[k]);
    if (f->points != rows) fail_msg("%s: %s; %d rows should be named", name, f->sentence, rows);
}

/* What a spectrum must be told, and nothing else. `rows`: 1-based, ended by 0; {0}: none. */
typedef struct expected {
    const char *name;
    int kind;
    double size, within;
    int rows[24];
} expected;
enum { NOTHING = -1 };

static void expect_faults(const expected *of, const eis_spectrum *s) {
    faults f;
    int rows = 0;
    while (of->rows[rows]) rows++;
    assert_true(faults_of(s, &f));
    if (f.count != (of->kind != NOTHING)) fail_msg("%s: %d faults; %s", of->name, (int)f.count, f.of[0].sentence);
    if (f.count) {
        if ((int)f.of[0].kind != of->kind) fail_msg("%s: %s", of->name, f.of[0].sentence);
        expect_points(of->name, &f.of[0], of->rows, rows);
        close_to(f.of[0].size, of->size, of->within);
    }
    faults_free(&f);
}

static void test_reported(void **state) {
    static const expected files[] = {
        { "two_sweeps_one_table.csv", EIS_FAULT_SWEEPS, 2, 0, { 46 } },
        { "frequency_column_scrambled.csv", EIS_FAULT_SCRAMBLED, 20, 0, { 2,  4,  12, 13, 19, 22, 23, 26, 31, 33,
                                                                          35, 36, 40, 41, 46, 49, 52, 53, 56, 58 } },
        { "drift_20_percent.csv", EIS_FAULT_DRIFT, 0.2, 0.03, { 0 } },
        { "two_outliers.csv", EIS_FAULT_OUTLIERS, 0.4 / 0.6, 0.02, { 18, 32 } },
        { "plain_resistor.csv", EIS_FAULT_RESISTOR, 1000.1, 0.15, { 0 } },
        { "coating_gigaohm.csv", EIS_FAULT_NEGATIVE, -0.8665, 1e-3, { 1, 2, 3, 4 } },
        { "low_frequency_inductive_loop.csv", NOTHING, 0, 0, { 0 } },
        { "epithelium_cpe_membranes.csv", NOTHING, 0, 0, { 0 } },
        { "dummy_cell_one_rc.csv", NOTHING, 0, 0, { 0 } },
    };
    (void)state;
    sweep *read = calloc(SWEEPS_MOST, sizeof *read);
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        FILE *file = reported_open(files[k].name);
        assert_non_null(file);
        assert_int_equal(sweeps_read(file, (int[]){ 0, 1, 2 }, 1, read), 1);
        expect_faults(&files[k], &read->s);
    }
    free(read);
}

/* Without its two outliers the spectrum is what it was. */
static void test_noise_without_outliers(void **state) {
    (void)state;
    sweep *read = calloc(SWEEPS_MOST, sizeof *read);
    noise_estimate e;
    sweeps_read(reported_open("two_outliers.csv"), (int[]){ 0, 1, 2 }, 1, read);
    assert_int_equal(noise_of(&read->s, &e, NULL), TIDE_OK);
    assert_int_equal(e.outliers, 2);
    assert_true(e.noise > 0.05);
    close_to(e.robust, 0.003, 0.0006); /* two standard deviations of it, by 80 parts */
    free(read);
}

/* The third well has no cells. */
static void test_blank_well(void **state) {
    static const expected of[] = { { "A1, run 1", NOTHING, 0, 0, { 0 } },
                                   { "A1, run 5", NOTHING, 0, 0, { 0 } },
                                   { "B2", EIS_FAULT_BLANK, 121, 0.3, { 0 } } };
    (void)state;
    sweep *read = calloc(SWEEPS_MOST, sizeof *read);
    assert_int_equal(sweeps_read(reported_open("wells_magnitude_phase.txt"), (int[]){ 0, 1, 2 }, 1, read), 3);
    for (int k = 0; k < 3; k++) {
        for (int64_t i = 0; i < read[k].s.count; i++) {
            double size = read[k].z[i].re, angle = read[k].z[i].im * TWO_PI / 360;
            read[k].z[i] = (eis_z){ size * cos(angle), size * sin(angle) };
        }
        expect_faults(&of[k], &read[k].s);
    }
    free(read);
}

/* Nothing is wrong with any of them: an arc that the electrode hides is no cell layer, though. */
static void test_sound_spectra(void **state) {
    enum { SPECTRA = 400 };
    (void)state;
    rng r = { .seed = 12, .stream = 1 };
    sweep *made = calloc(1, sizeof *made);
    int outliers = 0;
    for (int i = 0; i < SPECTRA; i++) {
        faults f;
        make_spectrum(&r, i % 4, made);
        assert_true(faults_of(&made->s, &f));
        for (int64_t k = 0; k < f.count; k++) {
            bool outlier = f.of[k].kind == EIS_FAULT_OUTLIERS || f.of[k].kind == EIS_FAULT_MAINS;
            outliers += outlier;
            if (!outlier && !(i % 4 == 2 && f.of[k].kind == EIS_FAULT_BLANK))
                fail_msg("spectrum %d: %s", i, f.of[k].sentence);
        }
        faults_free(&f);
    }
    assert_in_range(outliers, 0, SPECTRA / 100);
    free(made);
}

static void offset(sweep *to, int64_t i, double share) { to->z[i].re *= 1 + share, to->z[i].im *= 1 + share; }

static int count_kind(const eis_spectrum *s, eis_fault_kind kind, bool *unfit) {
    faults f;
    int count = 0;
    assert_true(faults_of(s, &f));
    for (int64_t k = 0; k < f.count; k++) count += f.of[k].kind == kind;
    *unfit = faults_unfit(&f);
    faults_free(&f);
    return count;
}

/* Each fault, put into a sound spectrum. */
static void test_faults_put_in(void **state) {
    (void)state;
    rng r = { .seed = 13, .stream = 1 };
    sweep *made = calloc(2, sizeof *made), *bad = made + 1;
    bool unfit;
    while (make_spectrum(&r, 0, made) > 0.005 || made->s.count < 40) {}
    int64_t n = made->s.count, mains = 0;
    *bad = *made, bad->s.freq_hz = bad->freq_hz, bad->s.z = bad->z;
    for (int64_t i = 0; i < n; i++)
        if (fabs(log(made->freq_hz[i] / 50)) < fabs(log(made->freq_hz[mains] / 50))) mains = i;
    bad->freq_hz[mains] = 49.5;
    offset(bad, mains, 0.2);
    assert_int_equal(count_kind(&bad->s, EIS_FAULT_MAINS, &unfit), 1);
    assert_false(unfit);
    memcpy(bad->z, made->z, sizeof bad->z), memcpy(bad->freq_hz, made->freq_hz, sizeof bad->freq_hz);
    for (int64_t i = 0; i < n; i++) bad->z[i].im = -bad->z[i].im;
    assert_int_equal(count_kind(&bad->s, EIS_FAULT_LEADS, &unfit), 1);
    assert_true(unfit);
    for (int64_t i = 0; i < n; i++) bad->z[i] = (eis_z){ -made->z[i].re, made->z[i].im };
    assert_int_equal(count_kind(&bad->s, EIS_FAULT_LEADS, &unfit), 1);
    for (int64_t i = 0; i < n; i++) {
        double wild = exp(2 * rng_normal(&r));
        bad->z[i] = (eis_z){ wild * made->z[i].re, wild * made->z[i].im };
    }
    assert_int_equal(count_kind(&bad->s, EIS_FAULT_NOISE, &unfit), 1);
    assert_true(unfit);
    /* Rows in any order are no fault. */
    for (int64_t i = 0; i < n; i++) {
        int64_t k = (7 * i) % n;
        bad->freq_hz[i] = made->freq_hz[k], bad->z[i] = made->z[k];
    }
    assert_true(n % 7 != 0);
    count_kind(&bad->s, EIS_FAULT_SCRAMBLED, &unfit);
    assert_false(unfit);
    free(made);
}

/* ---- real files ---- */

enum { EXTRACELLULAR = 20 };
/* Their faults by sweep, as letters: o outliers, u unfit. Beside each: what the data show there. */
static const struct {
    const char *name, *faults[3];
} extracellular[EXTRACELLULAR] = {
    { "16HBE_TW01_d3_endohm1_freq", { "" } },
    { "16HBE_TW02_d3_endohm1_freq", { "" } },
    { "16HBE_TW03_d3_endohm1_freq", { "" } },
    { "16HBEmedia_8TWclean_d1_chamber1_channel1_freq", { "u", "u", "u" } }, /* an insert without cells */
    { "RPEmedia_TW1-1_d1_chamber1_channel1_5freq5sine_freq",
      { "o", "o", "" } }, /* where sines alone and in fives meet */
    { "RPEmedia_TW2-1_d1_chamber1_channel1_5freq5sine_freq", { "o", "o", "o" } },
    { "RPMI_TW01_d4_endohm1_freq", { "" } },
    { "RPMI_TW01_d5_endohm2_freq", { "" } },
    { "RPMI_TW01_d6_endohm1_freq", { "" } },
    { "RPMI_TW01_d7_endohm1_freq", { "" } },
    { "RPMI_TW01_d8_endohm2_freq", { "o" } }, /* 63.8 Hz, off by 3 % in both wells of that day */
    { "RPMI_TW01_d9_endohm2_freq", { "" } },
    { "RPMI_TW02_d4_endohm1_freq", { "" } },
    { "RPMI_TW02_d5_endohm2_freq", { "" } },
    { "RPMI_TW02_d6_endohm1_freq", { "" } },
    { "RPMI_TW02_d7_endohm1_freq", { "" } },
    { "RPMI_TW02_d8_endohm2_freq", { "o" } },
    { "RPMI_TW02_d9_endohm2_freq", { "o" } }, /* 2214 Hz, by 1.4 % */
    { "noSoln_modelCell_d1_chamber1_channel1_freq", { "", "", "" } },
};

static void letters(const faults *f, char *out) {
    for (int64_t k = 0; k < f->count; k++)
        *out++ = f->of[k].unfit ? 'u' : f->of[k].kind == EIS_FAULT_OUTLIERS ? 'o' : '?';
    *out = 0;
}

static void test_extracellular(void **state) {
    (void)state;
    sweep *read = calloc(SWEEPS_MOST, sizeof *read);
    for (int k = 0; k < EXTRACELLULAR && extracellular[k].name; k++) {
        char name[128], got[FAULTS_MOST + 1];
        snprintf(name, sizeof name, "extracellular/%s", extracellular[k].name);
        FILE *file = shared_open(name);
        if (!file) {
            free(read);
            skip();
        }
        int sweeps = sweeps_read(file, (int[]){ 1, 2, 3 }, -1, read);
        for (int i = 0; i < sweeps; i++) {
            faults f;
            assert_true(faults_of(&read[i].s, &f));
            letters(&f, got);
            if (strcmp(got, extracellular[k].faults[i]))
                fail_msg("%s, sweep %d: \"%s\", wanted \"%s\": %s", name, i + 1, got, extracellular[k].faults[i],
                         f.count ? f.of[0].sentence : "");
            if (!strchr(got, 'u') && !(f.robust > 0.0008 && f.robust < 0.009)) fail_msg("%s: noise %g", name, f.robust);
            faults_free(&f);
        }
    }
    free(read);
}

/* ---- Z-HIT ---- */

/* A resistance and a relaxation: within 0.01, as the specification found; and what drift does to it. */
static void test_zhit(void **state) {
    (void)state;
    sweep *cell = calloc(1, sizeof *cell);
    double deviation[POINTS_MOST], rms, rms_drifting;
    bool left_out[POINTS_MOST] = { [7] = true };
    for (int i = 0; i < 61; i++) {
        double f = pow(10, 5 - i / 10.0);
        double complex z = 100 + 1000 / (1 + CMPLX(0, TWO_PI * f) * 1e-3);
        sweep_add(cell, f, creal(z), cimag(z));
    }
    cell->s.freq_hz = cell->freq_hz, cell->s.z = cell->z;
    assert_true(zhit_of(&cell->s, left_out, deviation, &rms));
    assert_true(isnan(deviation[7]) && isfinite(deviation[8]));
    close_to(rms, 0, 0.01);
    for (int i = 0; i < 61; i++) offset(cell, i, 0.2 * pow(10, (i - 60) / 10.0));
    assert_true(zhit_of(&cell->s, NULL, deviation, &rms_drifting));
    assert_true(rms_drifting > 3 * rms);
    assert_true(deviation[60] > 0.1 && deviation[60] < 0.3); /* where it is 20 % */
    free(cell);
}

/* ---- from outside ---- */

static void test_check_spectrum(void **state) {
    (void)state;
    sweep *read = calloc(SWEEPS_MOST, sizeof *read);
    eis_checked c;
    tide_failure why = { 0 };
    sweeps_read(reported_open("two_outliers.csv"), (int[]){ 0, 1, 2 }, 1, read);
    read->s.name = "well";
    assert_int_equal(eis_check_spectrum(&read->s, &c, &why), TIDE_OK);
    assert_string_equal(c.name, "well");
    assert_int_equal(c.verdict, EIS_CHECK_FLAWED);
    assert_int_equal(c.points, 45);
    assert_true(c.left_out[17] && c.left_out[31] && !c.left_out[0]);
    close_to(c.noise, 0.003, 0.0006);
    close_to(hypot(c.residual[17].re, c.residual[17].im), 1 - 1 / 1.35, 0.02);
    assert_true(c.terms >= 2 && c.plateau && c.pseudo_chi2_of[c.terms] == c.pseudo_chi2);
    assert_true(isnan(c.zhit[17]) && c.zhit_rms < 0.02);
    eis_checked_free(&c);
    assert_null(c.parts);
    read->freq_hz[3] = 0;
    assert_int_equal(eis_check_spectrum(&read->s, &c, &why), TIDE_EDATA);
    assert_int_equal(why.row, 4);
    free(read);
}

/* A file that cannot be read is a row with its reason; the others are answered. */
static void test_batch(void **state) {
    static const char files[] = "tests/eis/reported/plain_resistor.csv\ntests/eis/reported/no-such.csv\n"
                                "tests/eis/reported/dummy_cell_one_rc.csv";
    (void)state;
    eis_options o;
    eis_result r;
    tide_failure why = { 0 };
    eis_options_default(&o);
    snprintf(o.spectra, sizeof o.spectra, "%s", files);
    assert_int_equal(eis_check(&o, NULL, NULL, &r, &why), TIDE_EDATA);
    assert_non_null(strstr(why.message, "1 of 3"));
    assert_non_null(strstr(r.csv, "plain_resistor.csv,unfit,no-capacitance,"));
    assert_non_null(strstr(r.csv, "no-such.csv,unread,"));
    assert_non_null(strstr(r.csv, "dummy_cell_one_rc.csv,sound,,"));
    assert_non_null(strstr(r.json, "\"bad_input\""));
    eis_result_free(&r);
    snprintf(o.spectra, sizeof o.spectra, "tests/eis/reported/no-such.csv");
    assert_int_not_equal(eis_check(&o, NULL, NULL, &r, &why), TIDE_OK);
    assert_true(!r.json && !r.text && !r.csv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mu_of_dummy_cell),
        cmocka_unit_test(test_complex_with_capacitance),
        cmocka_unit_test(test_plateau_of_dummy_cells),
        cmocka_unit_test(test_noise_is_honest),
        cmocka_unit_test(test_noise_of_sigma),
        cmocka_unit_test(test_noise_of_replicates),
        cmocka_unit_test(test_reported),
        cmocka_unit_test(test_noise_without_outliers),
        cmocka_unit_test(test_blank_well),
        cmocka_unit_test(test_sound_spectra),
        cmocka_unit_test(test_faults_put_in),
        cmocka_unit_test(test_extracellular),
        cmocka_unit_test(test_zhit),
        cmocka_unit_test(test_check_spectrum),
        cmocka_unit_test(test_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
