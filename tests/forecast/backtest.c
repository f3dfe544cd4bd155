/* Backtests from C: the words of `origins`, the bootstrap, what the result holds, stopping; the figures and forecasts
 * themselves are worked out again in tests/e2e/test_backtest.py. */
#include <float.h>
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

/* ---- shared ---- */

static void shared(forecast_options *o, const char *name, char path[96]) {
    of_run(o);
    snprintf(path, 96, "%s/%s", folder, name);
    set(o, "output", path);
    set_all(o, "refit-every 4 windows 20 step 1 warm-start yes epochs 1 level 80 sum all=north+south+flow join yes");
}

/* Stopped again and again, each time a little later, it goes on to the figures of one that was not. */
static void test_shared(void **state) {
    forecast_options o;
    char             path[96];
    int              stops = 0;
    (void)state;
    shared(&o, "shared.csv", path);
    for (int64_t stop = 2; stop < 60; stop += 9) {
        watch           w       = { 0, stop };
        forecast_result r       = { 0 };
        tide_failure    failure = { 0 };
        tide_status     status  = forecast_backtest(&o, count_events, &w, &r, &failure);
        stops += status == TIDE_ECANCELLED;
        assert_true(status == (w.events < stop ? TIDE_OK : TIDE_ECANCELLED));
        forecast_result_free(&r);
    }
    assert_true(stops > 1);
    forecast_result r = tested(&o);
    assert_int_equal(r.backtest->refits, 5);
    o.join = false, *o.output = 0;
    forecast_result alone = tested(&o);
    assert_memory_equal(r.backtest->of, alone.backtest->of, sizeof r.backtest->of);
    assert_memory_equal(r.backtest->intervals, alone.backtest->intervals, sizeof r.backtest->intervals);
    assert_true(r.backtest->crps == alone.backtest->crps && r.sums.count == 1);
    assert_memory_equal(r.sums.of[0].width, alone.sums.of[0].width, sizeof r.sums.of[0].width);
    forecast_result_free(&r), forecast_result_free(&alone);
}

/* A file that somebody has cut is named, and made again once it is gone. */
static void test_damaged(void **state) {
    forecast_options o;
    char             path[96], piece[160];
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    watch            w       = { 0, 1 << 30 };
    (void)state;
    shared(&o, "cut.csv", path);
    snprintf(piece, sizeof piece, "%s.pieces/.tidemill/pieces/origins-0", path);
    for (w.stop_at = 1; access(piece, F_OK) != 0; w.stop_at++) {
        w.events = 0;
        assert_int_equal(forecast_backtest(&o, count_events, &w, &r, &failure), TIDE_ECANCELLED);
        forecast_result_free(&r);
    }
    assert_int_equal(truncate(piece, 100), 0);
    assert_int_equal(forecast_backtest(&o, NULL, NULL, &r, &failure), TIDE_EDATA);
    expect_has(failure.message, "origins-0 is damaged: remove it");
    assert_int_equal(unlink(piece), 0);
    r = tested(&o);
    forecast_result_free(&r);
    assert_int_not_equal(access(piece, F_OK), 0);
}

static void test_refusals(void **state) {
    static const struct { const char *words; tide_status status; const char *says; } rows[] = {
        { "lead 6", TIDE_EINVAL, "`pred-len` 7" },
        { "lead 4 horizon 3", TIDE_EINVAL, "`pred-len` 7" },
        { "windows 99", TIDE_EINVAL, "fewer than `windows` 99" },
        { "origins 10:30", TIDE_EINVAL, "number 1" },
        { "warm-start yes", TIDE_EINVAL, "`refit-every` N" },
        { "join yes", TIDE_EINVAL, "`output`" },
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

/* ---- in memory ---- */

/* The CSV's numbers of one line, from its fourth column on; an empty cell is NaN. */
static int numbers_of(const char *line, double *out) {
    int count = 0;
    for (int i = 0; i < 4; i++) line = strchr(line, ',') + 1;
    for (bool more = true; more; line += strcspn(line, ",\n") + 1) {
        size_t length = strcspn(line, ",\n");
        out[count++]  = length ? strtod(line, NULL) : (double)NAN;
        more          = line[length] == ',';
    }
    return count;
}

/* To the digits that a CSV has: the fewest that are the same float32. */
static void expect_same(double a, double b) {
    if (!isnan(a) || !isnan(b)) expect_near("a cell", a, b, FLT_EPSILON * fabs(b));
}

/* Bounds stand in the CSV from the left, lo-95 first. */
static void expect_row(const forecast_backtest_rows *k, int64_t i, const char *line) {
    enum { MOST = 32 };
    double        cell[MOST], levels = (double)k->level_count;
    const double *f = k->forecast + i * FORECAST_BY_COUNT, *b = k->bounds + i * 2 * k->level_count;
    assert_int_equal(numbers_of(line, cell), 5 + 2 * (int)levels);
    expect_same(cell[0], f[FORECAST_BY_MODEL]), expect_same(cell[1], k->truth[i]);
    for (int by = 1; by < FORECAST_BY_COUNT; by++) expect_same(cell[1 + by], f[by]);
    for (int64_t l = 0; l < k->level_count; l++) {
        expect_same(cell[5 + k->level_count - 1 - l], b[2 * l]);
        expect_same(cell[5 + k->level_count + l], b[2 * l + 1]);
    }
    assert_int_equal(k->time[i], k->origin_time[i] + HOUR * k->step[i]);
    assert_int_equal(k->row[i], k->origin[i] + k->step[i]);
}

static void expect_rows(const forecast_result *command, const forecast_result *memory) {
    const forecast_backtest_result *a = command->backtest, *b = memory->backtest;
    const forecast_backtest_rows   *k = b->rows;
    const char *line = command->csv;
    assert_null(a->rows);
    assert_int_equal(k->count, b->origins * b->horizon * b->columns);
    for (int64_t i = 0; i < k->count; i++) expect_row(k, i, line = strchr(line, '\n') + 1);
    assert_string_equal(strchr(line, '\n'), "\n");
    assert_int_equal(a->refits, b->refits);
    for (int64_t c = 0; c < a->columns; c++)
        assert_memory_equal(&a->by_column[c].of, &b->by_column[c].of, sizeof a->by_column[c].of);
}

static void compare(forecast_trainer *t, const tide_frame *series, const char *words) {
    forecast_options o;
    forecast_result  command = { 0 }, memory = { 0 };
    forecast_model  *m;
    tide_failure     failure = { 0 };
    char            *recipe;
    of_run(&o);
    set_all(&o, words);
    set_all(&o, "output -");
    no_failure(forecast_backtest(&o, NULL, NULL, &command, &failure), &failure);
    forecast_options_default(&o);
    set_all(&o, words);
    no_failure(forecast_trainer_model(t, &m, &failure), &failure);
    no_failure(forecast_trainer_recipe(t, &recipe, &failure), &failure);
    no_failure(forecast_model_backtest(m, recipe, series, &o, NULL, NULL, &memory, &failure), &failure);
    expect_rows(&command, &memory);
    forecast_result_free(&memory);
    if (o.refit_every) {
        assert_int_equal(forecast_model_backtest(m, NULL, series, &o, NULL, NULL, &memory, &failure), TIDE_EINVAL);
        expect_has(failure.message, "how the model was trained is not known");
    }
    forecast_option_set(&o, "data", "series.csv", &failure);
    assert_int_equal(forecast_model_backtest(m, recipe, series, &o, NULL, NULL, &memory, &failure), TIDE_EINVAL);
    expect_has(failure.message, "in memory: leave it out");
    forecast_result_free(&command), forecast_result_free(&memory);
    forecast_model_free(m);
    tide_free(recipe);
}

/* A model and rows in memory: the command's forecasts, bounds and errors, also where models are trained anew. */
static void test_in_memory(void **state) {
    forecast_options  o;
    forecast_trainer *t;
    tide_frame       *series;
    tide_failure      failure = { 0 };
    (void)state;
    small_options(&o);
    no_failure(forecast_read_frame(&o, &series, &failure), &failure);
    *o.data = *o.out = 0;
    no_failure(forecast_trainer_new(&o, series, NULL, NULL, &t, &failure), &failure);
    no_failure(forecast_trainer_run(t, 0, &failure), &failure);
    forecast_result scored = { 0 };
    no_failure(forecast_trainer_score(t, &scored, &failure), &failure);
    forecast_result_free(&scored);
    compare(t, series, "windows 9 level 80,95 step 1");
    compare(t, series, "windows 4 refit-every 2 level 90");
    forecast_trainer_free(t);
    tide_frame_free(series);
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
        cmocka_unit_test(test_in_memory), cmocka_unit_test(test_shared), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
