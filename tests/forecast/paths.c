/* Sample paths by themselves: each cell has the bands' quantiles, sums the spread of errors that go together. */
#include "../../apps/forecast/score/paths.h"
#include "train_support.h"

static uint64_t seed = 88172645463325252u;

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()); }

enum { STEPS = 8, COLUMNS = 2, CELLS = STEPS * COLUMNS, PATHS = 1000 };

/* Errors of one window, both columns; `phi` from step to step, `rho` from column to column. */
static void make_errors(double phi, double rho, float *out) {
    for (int s = 0; s < STEPS; s++) {
        double common = normal();
        for (int c = 0; c < COLUMNS; c++) {
            double shock = c ? rho * common + sqrt(1 - rho * rho) * normal() : common;
            double last  = s ? phi * (double)out[(s - 1) * COLUMNS + c] : 0;
            out[s * COLUMNS + c] = (float)(last + shock);
        }
    }
}

/* Forecasts are 0, so truths are errors; scales are 1. `spoil` may take truths out. */
static band_tables calibrated(int64_t windows, double phi, double rho, void (*spoil)(int64_t window, float *truth)) {
    const double unit[COLUMNS] = { 1, 1 };
    band_tables  b             = { 0 };
    residuals    r, whole;
    float       *scale = malloc((size_t)(windows * COLUMNS) * sizeof *scale), truth[CELLS], zero[CELLS] = { 0 };
    for (int64_t i = 0; i < windows * COLUMNS; i++) scale[i] = 1;
    assert_true(bands_new(&b, STEPS, COLUMNS, unit) && residuals_new(&r, &b, windows, 1, scale) &&
                residuals_new_whole(&whole, &b, windows, 1, scale));
    for (int64_t w = 0; w < windows; w++) {
        make_errors(phi, rho, truth);
        if (spoil) spoil(w, truth);
        residuals_add(&r, w, 1, &(seen_windows){ zero, truth, NULL });
        residuals_add(&whole, w, 1, &(seen_windows){ zero, truth, NULL });
    }
    assert_true(bands_calibrate(&b, 0, &r));
    bands_keep_windows(&b, &whole);
    residuals_free(&r), residuals_free(&whole);
    free(scale);
    return b;
}

static double paths[PATHS][CELLS];

/* Evenly spread ones around 0. */
static void make_paths(const band_tables *b) {
    const double zero[CELLS]    = { 0 };
    const float  scale[COLUMNS] = { 1, 1 };
    path_maker   m;
    assert_true(path_maker_new(&m, b));
    window_spread s = { scale, NULL };
    for (int i = 0; i < PATHS; i++) path_make(&m, path_spread(i, PATHS), zero, &s, paths[i]);
    path_maker_free(&m);
}

static double total(const double *cells) {
    double sum = 0;
    for (int i = 0; i < CELLS; i++) sum += cells[i];
    return sum;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 10 and 90 % quantiles of the paths' sums. */
static void bounds_of_sums(double *low, double *high) {
    static double sums[PATHS];
    for (int i = 0; i < PATHS; i++) sums[i] = total(paths[i]);
    qsort(sums, PATHS, sizeof *sums, by_size);
    *low = sums[PATHS / 10], *high = sums[PATHS - 1 - PATHS / 10];
}

/* The share of paths below the band's quantile is its probability, in every cell: paths and `level` tell one story. To
 * 1 %: each of the 200 windows has five paths of the 1,000, or one more or less. */
static void test_cells_have_the_bands(void **state) {
    (void)state;
    band_tables b = calibrated(600, 0.8, 0.5, NULL);
    assert_true(b.windows == 200 && b.points == 199);
    make_paths(&b);
    for (int i = 0; i < CELLS; i++)
        for (double p = 0.025; p < 1; p += 0.05) {
            double q = bands_quantile(&b, 0, i % COLUMNS, i / COLUMNS, p), below = 0, upto = 0;
            for (int k = 0; k < PATHS; k++) below += paths[k][i] < q - 1e-12, upto += paths[k][i] <= q + 1e-12;
            if (below / PATHS > p + 0.01 || upto / PATHS < p - 0.01)
                fail_msg("cell %d: %g to %g of the paths are below the quantile of %g", i, below / PATHS, upto / PATHS,
                         p);
        }
    bands_free(&b);
}

/* Errors of 1,200 windows calibrate 80 % intervals of the sum over all steps and columns, which 400 new windows hold in
 * 80 % of cases, give or take 3 on the mean of 20: whether steps lean the same way, against each other or neither.
 * Adding up the bounds of the cells holds far more. */
static void test_coverage_of_sums(void **state) {
    static const struct { double phi, rho, added; } cases[] = { { 0.8, 0.5, 89 }, { 0, 0, 99.9 },
                                                                          { -0.8, -0.5, 99.9 } };
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double within = 0, added = 0;
        for (int run = 0; run < 20; run++) {
            band_tables b = calibrated(1200, cases[k].phi, cases[k].rho, NULL);
            double      low, high, all_low = 0, all_high = 0;
            make_paths(&b);
            bounds_of_sums(&low, &high);
            for (int i = 0; i < CELLS; i++) {
                all_low += bands_quantile(&b, 0, i % COLUMNS, i / COLUMNS, 0.1);
                all_high += bands_quantile(&b, 0, i % COLUMNS, i / COLUMNS, 0.9);
            }
            for (int w = 0; w < 400; w++) {
                float  errors[CELLS];
                double sum = 0;
                make_errors(cases[k].phi, cases[k].rho, errors);
                for (int i = 0; i < CELLS; i++) sum += (double)errors[i];
                within += sum >= low && sum <= high, added += sum >= all_low && sum <= all_high;
            }
            bands_free(&b);
        }
        expect_near("coverage of the sum", 100 * within / (20 * 400), 80, 3);
        if (!(100 * added / (20 * 400) > cases[k].added))
            fail_msg("added bounds hold %g %%, not above %g", 100 * added / (20 * 400), cases[k].added);
    }
}

enum { GAPPED_WINDOWS = 300 };

/* Of some windows the second half of the first column's steps, of others all of it; the second column never was. */
static void take_out(int64_t window, float *truth) {
    for (int s = 0; s < STEPS; s++) {
        truth[s * COLUMNS + 1] = NAN;
        if (window % 5 == 0 || (window % 3 == 0 && s >= STEPS / 2) || window > GAPPED_WINDOWS - 20)
            truth[s * COLUMNS] = NAN;
    }
}

/* What windows lack is taken from the steps beside it, or from other windows; the quantiles stay the bands' to 3 %, and
 * a column without any truth has no paths. */
static void test_gaps(void **state) {
    (void)state;
    band_tables b = calibrated(GAPPED_WINDOWS, 0.8, 0, take_out);
    make_paths(&b);
    for (int i = 0; i < PATHS; i++)
        for (int s = 0; s < STEPS; s++)
            assert_true(isfinite(paths[i][s * COLUMNS]) && isnan(paths[i][s * COLUMNS + 1]));
    for (int s = 0; s < STEPS; s++) {
        double q = bands_quantile(&b, 0, 0, s, 0.5), below = 0;
        for (int i = 0; i < PATHS; i++) below += paths[i][s * COLUMNS] < q;
        expect_near("below the median", below / PATHS, 0.5, 0.03);
    }
    bands_free(&b);
}

/* 2,000 columns that have nothing to do with each other, and 20 windows: a sum over them has the spread of independent
 * errors, sqrt(2000), up to what 20 windows can tell (a sixth, and bounds that few windows make careful), not of errors
 * that move together within the coarse steps, two and a half times that. */
static void test_few_windows_of_many(void **state) {
    enum { MANY = 2000, WINDOWS = 20, SAMPLES = 200 };
    static double unit[MANY], zero[MANY], path[MANY];
    static float  scale[MANY * WINDOWS], none[MANY], truth[MANY];
    band_tables   b = { 0 };
    residuals     r, whole;
    path_maker    m;
    double        mean = 0, square = 0;
    (void)state;
    for (int i = 0; i < MANY; i++) unit[i] = 1;
    for (int i = 0; i < MANY * WINDOWS; i++) scale[i] = 1;
    assert_true(bands_new(&b, 1, MANY, unit) && residuals_new(&r, &b, WINDOWS, 1, scale) &&
                residuals_new_whole(&whole, &b, WINDOWS, 1, scale));
    for (int w = 0; w < WINDOWS; w++) {
        for (int i = 0; i < MANY; i++) truth[i] = (float)normal();
        residuals_add(&r, w, 1, &(seen_windows){ none, truth, NULL });
        residuals_add(&whole, w, 1, &(seen_windows){ none, truth, NULL });
    }
    assert_true(bands_calibrate(&b, 0, &r));
    bands_keep_windows(&b, &whole);
    assert_true(b.windows == WINDOWS && path_maker_new(&m, &b));
    for (int i = 0; i < SAMPLES; i++) {
        double sum = 0;
        path_make(&m, path_spread(i, SAMPLES), zero, &(window_spread){ scale, NULL }, path);
        for (int k = 0; k < MANY; k++) sum += path[k];
        mean += sum / SAMPLES, square += sum * sum / SAMPLES;
    }
    expect_near("spread of the sum", sqrt((square - mean * mean) / MANY), 1, 0.5);
    path_maker_free(&m);
    residuals_free(&r), residuals_free(&whole);
    bands_free(&b);
}

/* Numbers lie within 0 and 1, are even, and are those of seed and place alone. */
static void test_numbers(void **state) {
    double mean = 0, square = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        double u = path_drawn(7, i).number;
        assert_true(u > 0 && u < 1 && u == path_drawn(7, i).number);
        assert_true(u != path_drawn(8, i).number && u != path_drawn(7, i + 1).number);
        mean += u / 10000, square += u * u / 10000;
    }
    expect_near("mean", mean, 0.5, 0.012); /* four standard errors */
    expect_near("square", square, 1.0 / 3, 0.012);
}

/* Windows are an eighth of a horizon apart, at an odd stride, the newest among them, within 4 MB; or none are kept. */
static void test_sizes(void **state) {
    static const struct { int64_t pred_len, columns, windows, kept; bool left_out; } cases[] = {
        { 1, 1, 2, 2, false },         { 1, 1, 1, 0, false },        { 4, 3, 27, 27, false },
        { 16, 1, 27, 9, false },       { 96, 7, 2785, 215, false },  { 24, 1, 100000, 508, true },
        { 720, 7, 2161, 24, false },   { 96, 862, 3000, 12, true },  { 720, 862, 3000, 0, true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double     *unit = malloc((size_t)cases[i].columns * sizeof *unit);
        band_tables b    = { 0 };
        residuals   r;
        for (int64_t c = 0; c < cases[i].columns; c++) unit[c] = 1;
        assert_true(bands_new(&b, cases[i].pred_len, cases[i].columns, unit));
        assert_true(residuals_new_whole(&r, &b, cases[i].windows, 1, NULL));
        if (r.kept != cases[i].kept)
            fail_msg("%" PRId64 " windows of %" PRId64 " x %" PRId64 ": kept %" PRId64 ", expected %" PRId64,
                     cases[i].windows, cases[i].pred_len, cases[i].columns, r.kept, cases[i].kept);
        assert_true(r.kept * cases[i].pred_len * cases[i].columns <= 1 << 20 && r.stride % 2 == 1);
        assert_true(!r.kept || 8 * r.stride >= cases[i].pred_len);
        assert_true(residuals_left_out(&r) == cases[i].left_out);
        residuals_free(&r);
        bands_free(&b);
        free(unit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cells_have_the_bands),
                                        cmocka_unit_test(test_coverage_of_sums), cmocka_unit_test(test_gaps),
                                        cmocka_unit_test(test_few_windows_of_many),
                                        cmocka_unit_test(test_numbers), cmocka_unit_test(test_sizes) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
