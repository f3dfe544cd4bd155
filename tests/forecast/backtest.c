/* Backtests from C: the words of `origins`, the bootstrap, what the result holds, stopping; the figures and forecasts
 * themselves are worked out again in tests/e2e/test_backtest.py. */
#include <tidemill/backtest.h>

#include "forecast/backtest/bootstrap.h"
#include "forecast/backtest/measures.h"
#include "forecast/data/origins.h"
#include "train_support.h"

enum { ROWS = 400, HOUR = 3600, DAY = 24 * HOUR };
static const int64_t MONDAY = 1704067200; /* 2024-01-01 00:00 */

/* ---- words ---- */

static bool holds(const char *text, int day, int hour, int minute) {
    origin_rules rules;
    bool         any = false;
    if (origins_parse(text, &rules, NULL) != TIDE_OK) fail_msg("'%s' is not taken", text);
    for (int i = 0; i < rules.count; i++)
        any |= origin_rule_holds(rules.of[i], MONDAY + day * (int64_t)DAY + hour * HOUR + minute * 60);
    return any;
}

static void test_words(void **state) {
    (void)state;
    for (int day = 0; day < 14; day++)
        for (int hour = 0; hour < 24; hour++) {
            int weekday = day % 7;
            assert_int_equal(holds("10:00", day, hour, 0), hour == 10);
            assert_int_equal(holds("Fri-Mon 9:00", day, hour, 0), hour == 9 && (weekday >= 4 || weekday == 0));
            assert_int_equal(holds("WEDNESDAY", day, hour, 0), weekday == 2);
            assert_int_equal(holds(" mon 00:00 ,Tues 23:00,", day, hour, 0),
                             (weekday == 0 && hour == 0) || (weekday == 1 && hour == 23));
            assert_int_equal(holds("Sun-Sun", day, hour, 30), weekday == 6);
            assert_int_equal(holds("all", day, hour, 30), false); /* no rules, which is any row */
        }
    assert_true(holds("10:30:00", -3, 10, 30)); /* before 1970 as well */
    static const char *const wrong[] = { "10", "24:00", "9:60", "x", "Mon10:00x", "Mo", "Mondays", "Mon-", "-Mon",
                                         "Mon Tue", "10:00-12:00", "10:0:99", "1:2:3:4", ":", "Mon,,x", "all,10:00" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        origin_rules rules;
        tide_failure failure = { 0 };
        if (origins_parse(wrong[i], &rules, &failure) != TIDE_EINVAL) fail_msg("'%s' is taken", wrong[i]);
        expect_has(failure.column, "origins");
        expect_has(failure.message, "such as 10:00");
    }
}

/* ---- the bootstrap ---- */

static double uniform(void) { return (double)rand() / RAND_MAX - 0.5; }

static bootstrap_bounds mean_interval(const double *values, int64_t count, int64_t block) {
    static double sums[BOOTSTRAP_SAMPLES];
    assert_true(bootstrap_sums(values, count, 1, block, sums));
    for (int i = 0; i < BOOTSTRAP_SAMPLES; i++) sums[i] /= (double)count;
    return bootstrap_interval(sums);
}

/* Of independent numbers the interval has the width that theory gives; of numbers that come in tens it needs blocks. */
static void test_bootstrap(void **state) {
    enum { COUNT = 2000 };
    static double values[COUNT], constant[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++) values[i] = uniform(), constant[i] = 3;
    double width = 2 * 1.96 * sqrt(1.0 / 12 / COUNT);
    bootstrap_bounds b = mean_interval(values, COUNT, 1);
    expect_near("width, independent", b.high - b.low, width, 0.1 * width);
    bootstrap_bounds again = mean_interval(values, COUNT, 1);
    assert_true(b.low == again.low && b.high == again.high);
    for (int i = 0; i < COUNT; i++) values[i] = i % 10 ? values[i - 1] : uniform();
    width *= sqrt(10);
    b = mean_interval(values, COUNT, 50);
    expect_near("width, in tens", b.high - b.low, width, 0.2 * width);
    b = mean_interval(values, COUNT, 1);
    assert_true(b.high - b.low < 0.5 * width);
    b = mean_interval(constant, 7, 3);
    expect_near("constant, low", b.low, 3, 1e-12);
    expect_near("constant, high", b.high, 3, 1e-12);
    values[0] = NAN;
    assert_true(isnan(mean_interval(values, 5, 2).low));
}

static void test_naive_errors(void **state) {
    const double column[] = { 1, 0, 4, 0, NAN, 0, 2, 0, 7, 0 };
    (void)state;
    naive_errors one = naive_errors_of(column, 5, 2, 1), two = naive_errors_of(column, 5, 2, 2);
    expect_near("one step", one.absolute, (3 + 5) / 2.0, 1e-12);
    expect_near("one step, squared", one.squared, (9 + 25) / 2.0, 1e-12);
    expect_near("two steps", two.absolute, 2, 1e-12); /* 4 to 2; the others lack a value */
    assert_true(isnan(naive_errors_of(column, 5, 2, 5).absolute));
}

/* ---- the call ---- */

static void of_run(forecast_options *o) {
    char path[96];
    forecast_options_default(o);
    snprintf(path, sizeof path, "%s/run", folder);
    set(o, "model", path);
    snprintf(path, sizeof path, "%s/series.csv", folder);
    set(o, "data", path);
    set(o, "threads", "1");
    if (getenv("TIDEMILL_DEVICE")) set(o, "device", getenv("TIDEMILL_DEVICE"));
}

static forecast_result tested(const forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_backtest(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("backtest: %s", failure.message);
    return r;
}

static void test_result(void **state) {
    forecast_options o;
    (void)state;
    of_run(&o);
    set_all(&o, "step 2 lead 1 output -");
    forecast_result                 r = tested(&o);
    const forecast_backtest_result *b = r.backtest;
    assert_int_equal(b->origins, 38); /* of 80 test rows 75 begin a forecast */
    assert_int_equal(b->lead, 1);
    assert_int_equal(b->horizon, 5);
    assert_int_equal(b->columns, 3);
    assert_int_equal(b->block, 4);    /* by the cube root of 38; horizons overlap in threes */
    assert_int_equal(b->samples, BOOTSTRAP_SAMPLES);
    assert_string_equal(b->by_column[1].name, "south");
    assert_int_equal(b->by_column[1].truths, 38 * 5);
    assert_true(r.csv && r.json);
    double mae = 0;
    for (int c = 0; c < 3; c++) mae += b->by_column[c].of[FORECAST_BY_MODEL].mase / 3;
    expect_near("mase", b->of[FORECAST_BY_MODEL].mase, mae, 1e-12);
    for (int k = 0; k < FORECAST_BY_COUNT; k++) {
        const forecast_backtest_total *t = &b->of[k];
        assert_true(t->present && t->mae_low <= t->mae && t->mae <= t->mae_high && t->mse >= t->mae * t->mae);
        expect_near("ratio", t->ratio, b->of[FORECAST_BY_MODEL].mae / t->mae, 1e-9);
    }
    int64_t lines = 0;
    for (const char *at = r.csv; (at = strchr(at, '\n')); at++) lines++;
    assert_int_equal(lines, 1 + 38 * 5 * 3);
    forecast_result_free(&r);
    assert_null(r.backtest);
    *o.output = 0;
    set_all(&o, "horizon 1 lead 0 step 0");
    r = tested(&o);
    assert_int_equal(r.backtest->origins, 75);
    assert_null(r.csv);
    assert_true(isnan(r.backtest->of[0].third_mse[1]) && !isnan(r.backtest->of[0].third_mse[0]));
    forecast_result_free(&r);
}

/* ---- stopping ---- */

typedef struct watch { int64_t events, stop_at; } watch;

static int count_events(void *user, const forecast_event *e) {
    watch *w = user;
    (void)e;
    return ++w->events == w->stop_at;
}

static void test_stops(void **state) {
    forecast_options o;
    (void)state;
    of_run(&o);
    set_all(&o, "refit-every 10 windows 20 step 1 warm-start yes epochs 1 output -");
    for (int64_t stop = 2; stop < 40; stop += 7) {
        watch           w       = { 0, stop };
        forecast_result r       = { 0 };
        tide_failure    failure = { 0 };
        tide_status     status  = forecast_backtest(&o, count_events, &w, &r, &failure);
        assert_true(status == (w.events < stop ? TIDE_OK : TIDE_ECANCELLED));
        if (status != TIDE_OK) expect_has(failure.message, "stopped");
        forecast_result_free(&r);
    }
}

static void test_refusals(void **state) {
    static const struct { const char *words; tide_status status; const char *says; } rows[] = {
        { "lead 6", TIDE_EINVAL, "`pred-len` 7" },
        { "lead 4 horizon 3", TIDE_EINVAL, "`pred-len` 7" },
        { "windows 99", TIDE_EINVAL, "fewer than `windows` 99" },
        { "origins 10:30", TIDE_EINVAL, "number 1" },
        { "warm-start yes", TIDE_EINVAL, "`refit-every` N" },
        { "test 4", TIDE_EDATA, "test" },
        { "refit-every 1 test 354 val 6", TIDE_EDATA, "up to the first origin cannot be learned from" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        of_run(&o);
        set_all(&o, rows[i].words);
        tide_status status = forecast_backtest(&o, NULL, NULL, &r, &failure);
        if (status != rows[i].status)
            fail_msg("%s: %s, \"%s\"", rows[i].words, tide_status_name(status), failure.message);
        expect_has(failure.message, rows[i].says);
        assert_null(r.backtest);
        forecast_result_free(&r);
    }
}

static int set_up(void **state) {
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    if (folder_with_series(state, ROWS)) return -1;
    small_options(&o);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),  cmocka_unit_test(test_bootstrap), cmocka_unit_test(test_naive_errors),
        cmocka_unit_test(test_result), cmocka_unit_test(test_stops),     cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
