/* Prediction intervals by themselves: the conformal rule against what must hold of it, and the scores against sums made
 * here. */
#include "../../apps/forecast/score/intervals.h"
#include "train_support.h"

static uint64_t seed = 88172645463325252u;

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(1 - uniform())) * cos(6.283185307179586 * uniform()); }

typedef double (*residual)(int64_t window, int64_t step, int64_t column);

static float *ones(int64_t count) {
    float *out = malloc((size_t)count * sizeof *out);
    for (int64_t i = 0; i < count; i++) out[i] = 1;
    return out;
}

/* Forecasts are 0, so truths are residuals; scales are 1. */
static band_tables calibrated(int64_t pred_len, int64_t columns, int64_t windows, residual of) {
    band_tables b     = { 0 };
    residuals   r;
    double     *unit  = malloc((size_t)columns * sizeof *unit);
    float      *scale = ones(windows * columns), *truth = malloc((size_t)(pred_len * columns) * sizeof *truth),
               *zero  = calloc((size_t)(pred_len * columns), sizeof *zero);
    for (int64_t c = 0; c < columns; c++) unit[c] = 1;
    assert_true(bands_new(&b, pred_len, columns, unit) && residuals_new(&r, &b, windows, 1, scale));
    for (int64_t w = 0; w < windows; w++) {
        for (int64_t i = 0; i < pred_len * columns; i++) truth[i] = (float)of(w, i / columns, i % columns);
        residuals_add(&r, w, 1, &(seen_windows){ zero, truth, NULL });
    }
    assert_true(bands_calibrate(&b, 0, &r));
    residuals_free(&r);
    free(unit), free(scale), free(truth), free(zero);
    return b;
}

static double noise(int64_t window, int64_t step, int64_t column) {
    (void)window;
    return (double)(column + 1) * normal() + (double)step;
}

static const double normal_quantile[][2] = { { 0.1, -1.2815516 }, { 0.5, 0 }, { 0.9, 1.2815516 },
                                             { 0.975, 1.9599640 } };

/* Of independent normal residuals the quantiles are those of the normal distribution, in each column's own units, and
 * at steps between those kept; they ascend. 3000 of them: 0.15 is four standard errors of the outermost. */
static void test_quantiles(void **state) {
    (void)state;
    band_tables b = calibrated(50, 3, 3000, noise);
    assert_true(b.knots == 32 && b.points == 199);
    for (int64_t c = 0; c < 3; c++)
        for (int64_t s = 0; s < 50; s += 7)
            for (int i = 0; i < 4; i++)
                expect_near("quantile", bands_quantile(&b, 0, c, s, normal_quantile[i][0]),
                            (double)s + (double)(c + 1) * normal_quantile[i][1], 0.15 * (double)(c + 1));
    for (double p = 0.005; p < 0.99; p += 0.0031)
        assert_true(bands_quantile(&b, 0, 1, 20, p) <= bands_quantile(&b, 0, 1, 20, p + 0.0031));
    assert_true(isnan(bands_quantile(&b, 1, 0, 0, 0.5)));
    bands_free(&b);
}

static double few[5];
static double of_few(int64_t window, int64_t step, int64_t column) {
    (void)step, (void)column;
    return few[window];
}

/* Five residuals vouch for (5 - 1) / (5 + 1) at most, less with unequal weights; beyond it the farthest stand. */
static void test_few(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) few[i] = normal();
    double low = few[0], high = few[0];
    for (int i = 1; i < 5; i++) low = fmin(low, few[i]), high = fmax(high, few[i]);
    band_tables b = calibrated(1, 1, 5, of_few);
    assert_true(bands_reach(&b, 0, 0) > 0 && bands_reach(&b, 0, 0) < 67);
    expect_near("lowest", bands_quantile(&b, 0, 0, 0, 0.025), low, 1e-6);
    expect_near("highest", bands_quantile(&b, 0, 0, 0, 0.975), high, 1e-6);
    bands_free(&b);
}

/* Weights halve over half of the windows, so the newer half weighs (1 - 1/2) / (1 - 1/4) = 2/3. */
static double newer_half(int64_t window, int64_t step, int64_t column) {
    (void)step, (void)column;
    return window >= 1000;
}

static void test_newest_count_more(void **state) {
    (void)state;
    band_tables b = calibrated(1, 1, 2000, newer_half);
    expect_near("below a third", bands_quantile(&b, 0, 0, 0, 0.32), 0, 0);
    expect_near("above a third", bands_quantile(&b, 0, 0, 0, 0.35), 1, 0);
    bands_free(&b);
}

static double blocky[40], one_column[4000];
static double in_blocks(int64_t window, int64_t step, int64_t column) {
    (void)step, (void)column;
    return blocky[window / 50];
}
static double apart(int64_t window, int64_t step, int64_t column) {
    (void)step, (void)column;
    return one_column[window];
}

/* 2000 windows of 40 values are no 2000 residuals: the count found lies near 40, as that of independent ones near
 * Kish's. */
static void test_effective(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) blocky[i] = normal();
    for (int i = 0; i < 4000; i++) one_column[i] = normal();
    band_tables b = calibrated(50, 1, 2000, in_blocks), c = calibrated(1, 1, 4000, apart);
    double      m = b.effective[b.knots - 1], n = c.effective[0];
    if (!(m > 15 && m < 120)) fail_msg("40 values: %g", m);
    if (!(n > 1500 && n < 4000)) fail_msg("4000 values: %g", n);
    bands_free(&b);
    bands_free(&c);
}

static double with_gaps(int64_t window, int64_t step, int64_t column) {
    if (column == 1) return NAN;
    return column == 2 && window % 3 == 0 ? NAN : column == 2 ? one_column[window] : noise(window, step, column);
}

/* Truths that are not there are no residuals; a column without any has no interval, others are not touched. */
static void test_missing(void **state) {
    (void)state;
    for (int i = 0; i < 4000; i++) one_column[i] = i % 3 ? normal() : 1e9;
    band_tables b = calibrated(2, 3, 1200, with_gaps);
    assert_true(isnan(bands_quantile(&b, 0, 1, 0, 0.5)) && isnan(bands_quantile(&b, 0, 1, 1, 0.9)));
    expect_near("two thirds", bands_quantile(&b, 0, 2, 1, 0.9), 1.2815516, 0.25);
    expect_near("all", bands_quantile(&b, 0, 0, 0, 0.9), 1.2815516, 0.25);
    bands_free(&b);
}

/* However many columns and steps: within a million numbers up to 1,600 columns, first and last step among them. */
static void test_sizes(void **state) {
    static const int64_t pred_len[] = { 1, 2, 31, 32, 33, 34, 96, 720, 5000 }, columns[] = { 1, 7, 321, 862, 1600 };
    (void)state;
    double unit[1600];
    for (int i = 0; i < 1600; i++) unit[i] = 1;
    for (size_t i = 0; i < sizeof pred_len / sizeof *pred_len; i++)
        for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
            band_tables b = { 0 };
            assert_true(bands_new(&b, pred_len[i], columns[k], unit));
            assert_true(4 * b.knots * b.columns * b.points <= 1000000);
            assert_true(b.step[0] == 0 && b.step[b.knots - 1] == pred_len[i] - 1);
            for (int64_t s = 1; s < b.knots; s++) assert_true(b.step[s] > b.step[s - 1]);
            for (int64_t p = 1; p < b.points; p++) assert_true(b.probability[p] > b.probability[p - 1]);
            expect_near("mirrored", b.probability[0] + b.probability[b.points - 1], 1, 1e-12);
            bands_free(&b);
        }
}

/* A window that moves three times as much has an interval 3^(3/4) as wide; one that stands still has the floor's. */
static void test_scales(void **state) {
    band_tables b = { 0 };
    float       window[200], scale[2], still[200] = { 0 };
    const float blind[2] = { 0, 1 };
    const double unit[2] = { 2, 5 }, std[2] = { 2, 5 };
    (void)state;
    assert_true(bands_new(&b, 1, 2, unit));
    for (int i = 0; i < 100; i++) window[2 * i] = i % 2 ? 3 : -3, window[2 * i + 1] = i % 2 ? 1 : -1;
    look_back seen = { window, 100, 2, std, NULL }, flat = { still, 100, 2, std, NULL };
    bands_scales(&b, &seen, scale);
    expect_near("three", (double)scale[0] / (double)scale[1], pow(3, 0.75), 0.02);
    expect_near("one", (double)scale[1], 1, 0.01);
    for (int i = 20; i < 90; i++) window[2 * i] = NAN; /* what is left moves as much */
    seen.blind = blind;
    bands_scales(&b, &seen, scale);
    expect_near("gaps", (double)scale[0], pow(9.01, 0.375), 0.001);
    expect_near("not seen", (double)scale[1], 1, 0);
    bands_scales(&b, &flat, scale);
    expect_near("none", (double)scale[0], pow(0.1, 0.75), 0.001);
    bands_free(&b);
}

enum { WINDOWS = 57, STEPS = 5, COLUMNS = 2, CELLS = STEPS * COLUMNS };

static double pinball(double p, double over) { return over > 0 ? p * over : (p - 1) * over; }

/* Coverage, width, interval score and CRPS, summed here from the bounds themselves; a missing truth counts nowhere. */
static void test_scores(void **state) {
    const double levels[] = { 50, 90 };
    (void)state;
    band_tables b = calibrated(STEPS, COLUMNS, 400, noise);
    b.unit[0] = 2, b.unit[1] = 4;
    float  prediction[WINDOWS * CELLS], truth[WINDOWS * CELLS], scale[WINDOWS * COLUMNS];
    double within[2] = { 0 }, width[2] = { 0 }, score[2] = { 0 }, crps = 0, count = 0, first[2] = { 0 }, n_first = 0;
    for (int i = 0; i < WINDOWS * COLUMNS; i++) scale[i] = (float)(0.5 + uniform());
    for (int i = 0; i < WINDOWS * CELLS; i++) {
        prediction[i] = (float)normal(), truth[i] = (float)(2 * normal() + 2);
        if (i % 11 == 3) truth[i] = NAN;
    }
    interval_scores *s = intervals_new(&b, 0, WINDOWS, 1, scale, levels, 2);
    intervals_add(s, 0, 20, &(seen_windows){ prediction, truth, NULL });
    intervals_add(s, 20, WINDOWS - 20, &(seen_windows){ prediction + 20 * CELLS, truth + 20 * CELLS, NULL });
    forecast_intervals got = { 0 };
    assert_true(s && intervals_result(s, &got) && got.present && got.level_count == 2);
    for (int i = 0; i < WINDOWS * CELLS; i++) {
        int    step = i % CELLS / COLUMNS, c = i % COLUMNS;
        double k = (double)scale[i / CELLS * COLUMNS + c], y = (double)truth[i], f = (double)prediction[i];
        if (isnan(y)) continue;
        count++, n_first += step == 0;
        for (int l = 0; l < 2; l++) {
            double a = 1 - levels[l] / 100, low = f + k * bands_quantile(&b, 0, c, step, a / 2),
                   high = f + k * bands_quantile(&b, 0, c, step, 1 - a / 2);
            within[l] += y >= low && y <= high, first[l] += step == 0 && y >= low && y <= high;
            width[l] += (high - low) / b.unit[c];
            score[l] += (high - low + 2 / a * (fmax(low - y, 0) + fmax(y - high, 0))) / b.unit[c];
        }
        for (int q = 1; q < 10; q++)
            crps += 2 * pinball(q / 10.0, y - f - k * bands_quantile(&b, 0, c, step, q / 10.0)) / 9 / b.unit[c];
    }
    for (int l = 0; l < 2; l++) {
        const forecast_interval *g = &got.level[l];
        expect_near("level", g->level, levels[l], 0);
        expect_near("coverage", g->coverage, 100 * within[l] / count, 1e-9);
        expect_near("first step", g->by_step[0], 100 * first[l] / n_first, 1e-9);
        expect_near("width", g->width, width[l] / count, 1e-5);
        expect_near("interval score", g->winkler, score[l] / count, 1e-4);
        assert_true(g->coverage_low <= g->coverage && g->coverage <= g->coverage_high);
        assert_true(g->winkler_low <= g->winkler && g->winkler <= g->winkler_high);
        assert_true(g->by_column[g->worst_column] <= g->by_column[1 - g->worst_column]);
    }
    expect_near("crps", got.crps, crps / count, 1e-5);
    forecast_result r = { .intervals = { got } };
    forecast_result_free(&r);
    intervals_free(s);
    bands_free(&b);
}

/* An AR(1) of 0.8 whose forecasts are the best there are: what is calibrated on one stretch holds on others, to a point
 * and a half on the mean of 20. */
static double ar_error[2400][8];
static double ar_residual(int64_t window, int64_t step, int64_t column) {
    (void)column;
    return ar_error[window][step];
}

static void ar_errors(int rows) {
    double shock[2500];
    for (int i = 0; i < rows + 8; i++) shock[i] = normal();
    for (int w = 0; w < rows; w++)
        for (int s = 0; s < 8; s++) ar_error[w][s] = (s ? 0.8 * ar_error[w][s - 1] : 0) + shock[w + s];
}

static void test_coverage(void **state) {
    const double levels[] = { 80, 95 };
    double       covered[2] = { 0 };
    (void)state;
    for (int run = 0; run < 20; run++) {
        ar_errors(400);
        band_tables b = calibrated(8, 1, 400, ar_residual);
        ar_errors(2400);
        for (int w = 0; w < 2400; w++)
            for (int s = 0; s < 8; s++)
                for (int l = 0; l < 2; l++)
                    covered[l] += ar_error[w][s] >= bands_quantile(&b, 0, 0, s, 0.5 - levels[l] / 200) &&
                                  ar_error[w][s] <= bands_quantile(&b, 0, 0, s, 0.5 + levels[l] / 200);
        bands_free(&b);
    }
    for (int l = 0; l < 2; l++) expect_near("coverage", 100 * covered[l] / (20 * 2400 * 8), levels[l], 1.5);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_quantiles),  cmocka_unit_test(test_few),
                                        cmocka_unit_test(test_newest_count_more), cmocka_unit_test(test_effective),
                                        cmocka_unit_test(test_missing),    cmocka_unit_test(test_sizes),
                                        cmocka_unit_test(test_scales),     cmocka_unit_test(test_scores),
                                        cmocka_unit_test(test_coverage) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
