/* How far columns have moved: distances worked out by counting, alarms on made shifts, and none on series that only
 * wander as they did in training. */
#include "forecast/explain/drift.h"

#include "train_support.h"

static uint64_t seed;

/* splitmix64, as its authors publish it, in (0, 1). */
static double uniform(void) {
    uint64_t z = (seed += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9, z = (z ^ (z >> 27)) * 0x94D049BB133111EB, z ^= z >> 31;
    return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void) { return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()); }

enum { BEFORE = 1400, BETWEEN = 200, NOW = 400, ALL = BEFORE + BETWEEN + NOW };
static double series[ALL];

/* Days and weeks of hours, and what is left of each hour in the next; unit deviation without the waves. */
static void make(double persistence, double waves) {
    double x = 0;
    for (int i = -500; i < ALL; i++) {
        x = persistence * x + sqrt(1 - persistence * persistence) * normal();
        if (i >= 0) series[i] = x + waves * (sin(2 * M_PI * i / 24) + 0.5 * sin(2 * M_PI * i / 168));
    }
}

static forecast_drift compared(void) {
    forecast_drift d = { 0 };
    assert_true(drift_compare(series, BEFORE, series + BEFORE + BETWEEN, NOW, &d));
    return d;
}

/* ---- figures ---- */

static double share_below(const double *values, int count, double at) {
    int below = 0;
    for (int i = 0; i < count; i++) below += values[i] <= at;
    return (double)below / count;
}

static void moments(const double *values, int count, double *mean, double *deviation) {
    double squares = 0;
    *mean = 0;
    for (int i = 0; i < count; i++) *mean += values[i] / count;
    for (int i = 0; i < count; i++) squares += pow(values[i] - *mean, 2) / count;
    *deviation = sqrt(squares);
}

/* Rounded numbers, so that there are ties; every figure by counting. */
static void test_figures(void **state) {
    (void)state;
    for (seed = 1; seed < 40; seed += 7) {
        double most = 0, mean[2], deviation[2], outside = 0, low = INFINITY, high = -INFINITY;
        make(0.5, 1);
        for (int i = 0; i < ALL; i++) series[i] = 1e6 + round(4 * series[i] + (i > BEFORE ? 1 : 0)) / 4;
        const double *now = series + BEFORE + BETWEEN;
        forecast_drift d = compared();
        for (int i = 0; i < ALL; i++)
            most = fmax(most, fabs(share_below(series, BEFORE, series[i]) - share_below(now, NOW, series[i])));
        for (int i = 0; i < BEFORE; i++) low = fmin(low, series[i]), high = fmax(high, series[i]);
        for (int i = 0; i < NOW; i++) outside += (now[i] < low || now[i] > high) / (double)NOW;
        moments(series, BEFORE, &mean[0], &deviation[0]), moments(now, NOW, &mean[1], &deviation[1]);
        expect_near("ks", d.ks.value, most, 1e-12);
        expect_near("shift", d.shift.value, (mean[1] - mean[0]) / deviation[0], 1e-8); /* of numbers near 1e6 */
        expect_near("spread", d.spread.value, log(deviation[1] / deviation[0]), 1e-8);
        expect_near("outside", d.outside.value, outside, 1e-12);
        assert_true(d.before == BEFORE && d.now == NOW && d.compared);
    }
}

/* Of ten equal bins and a sample that lies in one of them the index is known, but for half a value a bin. */
static void test_index(void **state) {
    double before[1000], now[100];
    forecast_drift d = { 0 };
    (void)state;
    for (int i = 0; i < 1000; i++) before[i] = (i * 37) % 1000;
    for (int i = 0; i < 100; i++) now[i] = 350 + i % 20;
    assert_true(drift_compare(before, 1000, now, 100, &d));
    double p = 100.5 / 1005, q = 0.5 / 105, r = 100.5 / 105;
    expect_near("psi", d.psi.value, 9 * (q - p) * log(q / p) + (r - p) * log(r / p), 0.05); /* bins of 100 or 101 */
    expect_near("ks", d.ks.value, 0.63, 0.002);
    assert_int_equal(d.moved & FORECAST_MOVED_SHAPE, FORECAST_MOVED_SHAPE);
}

/* The usual figure of a stretch is against the other training rows: here, of the only one that differs. */
static void test_usual(void **state) {
    (void)state;
    seed = 5;
    make(0, 0);
    for (int i = 0; i < 420; i++) series[i] += 3; /* the first stretch of 400 is all moved */
    forecast_drift d = compared();
    assert_true(d.ks.usual > 0.8 && d.shift.usual > 2);
    assert_int_equal(d.moved, 0);
    for (int i = BEFORE + BETWEEN; i < ALL; i++) series[i] += 3; /* as it was once before */
    d = compared();
    assert_int_equal(d.moved, 0);
}

/* ---- alarms ---- */

enum { TRIES = 60 };

static int alarms(double persistence, double waves, double shift, double factor) {
    int count = 0;
    for (int k = 0; k < TRIES; k++) {
        seed = 1000 + (uint64_t)k;
        make(persistence, waves);
        for (int i = BEFORE + BETWEEN; i < ALL; i++) series[i] = factor * series[i] + shift;
        count += compared().moved != 0;
    }
    return count;
}

static void test_alarms(void **state) {
    static const struct { double persistence, waves, shift, factor; int least, most; } rows[] = {
        { 0, 0, 0, 1, 0, 0 },          { 0.5, 0, 0, 1, 0, 0 },        { 0.9, 0, 0, 1, 0, TRIES / 20 },
        { 0.9, 2, 0, 1, 0, TRIES / 20 }, { 0, 0, 1, 1, TRIES, TRIES }, { 0.9, 2, 4, 1, TRIES * 9 / 10, TRIES },
        { 0.5, 0, 0, 3, TRIES, TRIES },  { 0.9, 0, 0, 4, TRIES * 9 / 10, TRIES },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int got = alarms(rows[i].persistence, rows[i].waves, rows[i].shift, rows[i].factor);
        if (got < rows[i].least || got > rows[i].most)
            fail_msg("persistence %g, waves %g, shift %g, factor %g: %d alarms of %d, expected %d to %d",
                     rows[i].persistence, rows[i].waves, rows[i].shift, rows[i].factor, got, TRIES, rows[i].least,
                     rows[i].most);
    }
}

/* A series that grows has left its range, though its level always moved. */
static void test_trend(void **state) {
    char words[DRIFT_WORDS];
    (void)state;
    seed = 3;
    make(0, 0);
    for (int i = 0; i < ALL; i++) series[i] += i * 0.02;
    forecast_drift d = compared();
    assert_int_equal(d.moved, FORECAST_MOVED_RANGE);
    assert_true(d.outside.value > 0.9);
    assert_string_equal(drift_words(d.moved | FORECAST_MOVED_LEVEL, words), "level, range");
}

static void test_edges(void **state) {
    double         constant[100], other[100], gaps[100];
    forecast_drift d = { 0 };
    (void)state;
    for (int i = 0; i < 100; i++) constant[i] = 7, other[i] = 7 + (i == 99), gaps[i] = i % 4 ? (double)i : (double)NAN;
    assert_true(drift_compare(constant, 100, constant, 50, &d));
    assert_true(d.moved == 0 && d.compared && d.shift.value == 0 && d.spread.value == 0 && d.ks.value == 0);
    assert_true(drift_compare(constant, 100, other + 50, 50, &d));
    assert_true(isinf(d.shift.value) && d.moved & FORECAST_MOVED_LEVEL && fabs(d.outside.value - 0.02) < 1e-12);
    assert_true(drift_compare(other, 100, gaps, 100, &d));
    expect_near("missing", d.missing_now, 0.25, 1e-12);
    assert_true(d.moved & FORECAST_MOVED_MISSING && d.now == 75);
    for (int i = 0; i < 100; i++) gaps[i] = (double)NAN;
    assert_true(drift_compare(other, 100, gaps, 100, &d));
    assert_true(!d.compared && isnan(d.ks.value) && d.moved == FORECAST_MOVED_MISSING);
    assert_true(drift_compare(gaps, 100, other, 100, &d));
    assert_true(!d.compared && d.moved == FORECAST_MOVED_MISSING);
    assert_true(drift_compare(other, 20, other, 5, &d));
    assert_true(!d.compared && d.moved == 0);
    assert_true(drift_compare(other, 0, other, 0, &d));
    assert_true(!d.compared && d.moved == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures), cmocka_unit_test(test_index), cmocka_unit_test(test_usual),
        cmocka_unit_test(test_alarms),  cmocka_unit_test(test_trend), cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
