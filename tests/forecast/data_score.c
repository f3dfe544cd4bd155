/* Scores against sums written out, and the baselines. */
#include "data_support.h"
#include "forecast/score/score.h"

/* Numbers in -1..1, the same everywhere. */
static float noise(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1;
}

/* Two windows, three steps, one column; every number by hand. */
static void test_by_hand(void **state) {
    (void)state;
    static const float truth[] = { 1, 2, 4, 2, 4, 0 }, prediction[] = { 1, 3, 3, 4, 4, 1 };
    score *s = score_new(3, 1);
    assert_non_null(s);
    score_add(s, prediction, truth, 2);
    score_result r = score_total(s);
    assert_int_equal(r.windows, 2);
    expect_near("mse", r.mse, (0 + 1 + 1 + 4 + 0 + 1) / 6.0, 1e-15);
    expect_near("mae", r.mae, 5 / 6.0, 1e-15);
    expect_near("rmse", r.rmse, sqrt(7 / 6.0), 1e-15);
    expect_near("mape", r.mape, 100 * (0 + 0.5 + 0.25 + 1 + 0) / 5, 1e-12);  /* the truth of 0 is left out */
    expect_near("mspe", r.mspe, 100 * (0.25 + 0.0625 + 1) / 5, 1e-12);
    expect_near("smape", r.smape, 200 * (1 / 5.0 + 1 / 7.0 + 2 / 6.0 + 1) / 6, 1e-12);
    expect_near("wape", r.wape, 100 * 5 / 13.0, 1e-12);
    expect_near("direction", r.direction, 2 / 4.0, 1e-15);           /* up up and up down, forecast up level and level
                                                                        down */
    expect_near("majority", r.direction_majority, 3 / 4.0, 1e-15);
    expect_near("across", r.direction_across, 1, 0);
    assert_true(r.direction_low < r.direction && r.direction < r.direction_high);
    score_free(s);
}

enum { WINDOWS = 37, STEPS = 5, COLUMNS = 3, CELLS = STEPS * COLUMNS };

static score *score_in_batches(const float *prediction, const float *truth, int64_t batch) {
    score *s = score_new(STEPS, COLUMNS);
    assert_non_null(s);
    for (int64_t w = 0; w < WINDOWS; w += batch) {
        int64_t count = WINDOWS - w < batch ? WINDOWS - w : batch;
        score_add(s, prediction + w * CELLS, truth + w * CELLS, count);
    }
    return s;
}

/* Any cut into batches gives the same bits; the parts' mean is the whole. */
static void test_batches(void **state) {
    (void)state;
    static float prediction[WINDOWS * CELLS], truth[WINDOWS * CELLS];
    uint32_t seed = 7;
    for (int i = 0; i < WINDOWS * CELLS; i++) {
        prediction[i] = noise(&seed);
        truth[i] = noise(&seed);
    }
    score *whole = score_in_batches(prediction, truth, WINDOWS);
    score_result expected = score_total(whole);
    for (int64_t batch = 1; batch < WINDOWS; batch++) {
        score *s = score_in_batches(prediction, truth, batch);
        score_result r = score_total(s);
        assert_memory_equal(&r, &expected, sizeof r);
        score_free(s);
    }
    double step_mse[STEPS], column_mae[COLUMNS], mse = 0, mae = 0;
    score_parts(whole, step_mse, NULL, NULL, column_mae);
    for (int i = 0; i < STEPS; i++) mse += step_mse[i] / STEPS;
    for (int i = 0; i < COLUMNS; i++) mae += column_mae[i] / COLUMNS;
    expect_near("mean of the steps", mse, expected.mse, 1e-14);
    expect_near("mean of the columns", mae, expected.mae, 1e-14);
    score_free(whole);
}

/* Nothing to average: NaN, not a division by zero taken for a score. */
static void test_empty(void **state) {
    (void)state;
    score *s = score_new(1, 1);
    score_result r = score_total(s);
    assert_true(isnan(r.mse) && isnan(r.direction) && isnan(r.mape));
    score_add(s, (float[]){ 1 }, (float[]){ 0 }, 1);
    r = score_total(s);
    expect_near("mse", r.mse, 1, 0);
    assert_true(isnan(r.mape) && isnan(r.wape) && isnan(r.direction) && isnan(r.direction_low));
    score_free(s);
}

/* Wilson's interval for 8 of 10: 0.4902 to 0.9433 (a textbook's). */
static void test_interval(void **state) {
    (void)state;
    static const float truth[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 },
                       prediction[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 6 };
    score *s = score_new(11, 1);
    score_add(s, prediction, truth, 1);
    score_result r = score_total(s);
    expect_near("direction", r.direction, 0.8, 1e-15);
    expect_near("low", r.direction_low, 0.4902, 5e-5);
    expect_near("high", r.direction_high, 0.9433, 5e-5);
    score_free(s);
}

/* Two columns; the window is the last four of five rows, so a season of five begins in front of it. */
static void test_simple_baselines(void **state) {
    (void)state;
    static const float series[] = { 9, 90, 1, 10, 2, 20, 3, 30, 4, 40 }, *window = series + 2;
    float out[6];
    baseline *last = baseline_last_value(), *season = baseline_seasonal(2), *long_season = baseline_seasonal(5);
    baseline_predict(last, window, 4, 3, 2, out);
    assert_memory_equal(out, ((float[]){ 4, 40, 4, 40, 4, 40 }), sizeof out);
    baseline_predict(season, window, 4, 3, 2, out);
    assert_memory_equal(out, ((float[]){ 3, 30, 4, 40, 3, 30 }), sizeof out);
    baseline_predict(long_season, window, 4, 3, 2, out);
    assert_memory_equal(out, ((float[]){ 9, 90, 1, 10, 2, 20 }), sizeof out);
    baseline_free(last);
    baseline_free(season);
    baseline_free(long_season);
}

static void test_seasons(void **state) {
    (void)state;
    static const struct { time_step step; int64_t season; } cases[] = {
        { { UNIT_HOUR, 1, 0 }, 24 },  { { UNIT_MINUTE, 15, 0 }, 96 }, { { UNIT_MINUTE, 7, 0 }, 0 },
        { { UNIT_SECOND, 30, 0 }, 2880 },
        { { UNIT_DAY, 1, 0 }, 7 },    { { UNIT_BUSINESS_DAY, 1, 0 }, 5 }, { { UNIT_WEEK, 1, 0 }, 52 },
        { { UNIT_MONTH, 1, 31 }, 12 },
        { { UNIT_QUARTER, 1, 0 }, 4 }, { { UNIT_YEAR, 1, 0 }, 0 },    { { UNIT_NONE, 0, 0 }, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(season_default(cases[i].step), cases[i].season);
}

enum { ROWS = 700, INPUTS = 9, AHEAD = 6 };

/* Of `columns` interleaved series, all of them. */
static baseline *linear_of(const float *series, int64_t columns, const split *s, tide_failure *failure) {
    return baseline_linear(series, NULL, (column_range){ columns, 0, columns },
                           window_set_of(s->train, INPUTS, AHEAD, NULL, 0),
                           window_set_of(s->val, INPUTS, AHEAD, NULL, 0), INPUTS, AHEAD, failure);
}

/* x[t] = 2 cos(w) x[t-1] - x[t-2] around any level is linear, so a linear forecast of it must be all but exact. */
static void test_linear_recovers(void **state) {
    (void)state;
    static float series[ROWS * 2];
    for (int t = 0; t < ROWS; t++) {
        series[2 * t] = (float)(1 + sin(0.7 * t));
        series[2 * t + 1] = (float)(3 * sin(0.7 * t + 1) - 2);
    }
    split s = { { 0, 400 }, { 391, 159 }, { 541, 159 } };
    tide_failure failure = { 0 };
    baseline *b = linear_of(series, 2, &s, &failure);
    assert_non_null(b);
    for (int t = 541; t + INPUTS + AHEAD <= ROWS; t++) {
        float out[AHEAD * 2];
        baseline_predict(b, series + 2 * t, INPUTS, AHEAD, 2, out);
        for (int i = 0; i < AHEAD * 2; i++) expect_near("sine", out[i], series[2 * (t + INPUTS) + i], 2e-4);
    }
    baseline_free(b);
}

/* Least squares leave a residual orthogonal to every input, hence to their differences. A ridge of 1e-4 on 686 windows
 * of unit size shifts that by far less than the tolerance, float weights likewise. */
static void test_linear_is_best(void **state) {
    (void)state;
    static float series[ROWS];
    uint32_t seed = 3;
    for (int t = 1; t < ROWS; t++) series[t] = 0.8f * series[t - 1] + noise(&seed);
    split s = { { 0, ROWS }, { 0, ROWS }, { 0, ROWS } };
    baseline *b = linear_of(series, 1, &s, NULL);
    assert_non_null(b);
    enum { ALL = ROWS - INPUTS - AHEAD + 1 };
    double residual[AHEAD] = { 0 };
    for (int t = 0; t < ALL; t++) {
        float out[AHEAD];
        baseline_predict(b, series + t, INPUTS, AHEAD, 1, out);
        for (int i = 0; i < AHEAD; i++)
            residual[i] += (series[t + INPUTS + i] - out[i]) * (series[t + INPUTS - 1] - series[t]);
    }
    for (int i = 0; i < AHEAD; i++) expect_near("residual times an input difference", residual[i] / ALL, 0, 1e-4);
    baseline_free(b);
}

/* The same of some windows: the residual is orthogonal over these, and is not over all. */
static void test_linear_of_some(void **state) {
    (void)state;
    static float series[ROWS];
    uint32_t seed = 4;
    enum { EVERY = 5, SOME = (ROWS - INPUTS - AHEAD) / EVERY };
    int32_t starts[SOME];
    for (int t = 1; t < ROWS; t++) series[t] = 0.8f * series[t - 1] + noise(&seed);
    for (int i = 0; i < SOME; i++) starts[i] = 3 + i * EVERY;
    window_set w = window_set_of((block){ 0, ROWS }, INPUTS, AHEAD, starts, SOME);
    assert_int_equal(w.count, SOME);
    baseline *b = baseline_linear(series, NULL, (column_range){ 1, 0, 1 }, w, w, INPUTS, AHEAD, NULL);
    assert_non_null(b);
    double some[AHEAD] = { 0 }, all[AHEAD] = { 0 }, most = 0;
    for (int t = 0; t < ROWS - INPUTS - AHEAD + 1; t++) {
        float out[AHEAD];
        baseline_predict(b, series + t, INPUTS, AHEAD, 1, out);
        for (int i = 0; i < AHEAD; i++) {
            double each = (series[t + INPUTS + i] - out[i]) * (series[t + INPUTS - 1] - series[t]);
            all[i] += each / ROWS;
            if (t >= 3 && (t - 3) % EVERY == 0 && t <= starts[SOME - 1]) some[i] += each / SOME;
        }
    }
    for (int i = 0; i < AHEAD; i++) expect_near("residual times an input difference", some[i], 0, 1e-4);
    for (int i = 0; i < AHEAD; i++) most = fmax(most, fabs(all[i]));
    if (most < 1e-3) fail_msg("fitted to all windows: %g", most);
    baseline_free(b);
}

static void test_linear_needs_windows(void **state) {
    (void)state;
    static const float series[40];
    tide_failure failure = { 0 };
    split s = { { 0, 20 }, { 20, 5 }, { 25, 15 } };
    assert_null(linear_of(series, 1, &s, &failure));
    assert_int_equal(failure.status, TIDE_EDATA);
    expect_has(failure.message, "windows of 15 rows");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_batches),         cmocka_unit_test(test_empty),
        cmocka_unit_test(test_interval),       cmocka_unit_test(test_simple_baselines), cmocka_unit_test(test_seasons),
        cmocka_unit_test(test_linear_recovers), cmocka_unit_test(test_linear_is_best),
        cmocka_unit_test(test_linear_of_some),
        cmocka_unit_test(test_linear_needs_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
