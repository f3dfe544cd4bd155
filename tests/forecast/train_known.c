/* What is known ahead: a target that follows it is forecast by it, whoever says what is known: the file's end, another
 * file, a frame, the caller; and targets whose own past is not seen. */
#include "train_support.h"

enum { ROWS = 700, SEQ = 24, PRED = 6 };

static double flow[ROWS], plan[ROWS], level[ROWS];

/* The plan is drawn, and flow follows it at once; nothing in the past tells it. */
static void make_numbers(void) {
    for (int i = 0; i < ROWS; i++) {
        plan[i]  = rand() % 2;
        level[i] = 5 + sin(i * 0.5236);
        flow[i]  = 3 + 2 * plan[i] + 0.2 * sin(i * 0.5236);
    }
}

static void stamp(char out[24], int i) { snprintf(out, 24, "2024-01-%02d %02d:00:00", 1 + i / 24, i % 24); }

/* Rows [first, stop); of the rows from `ahead` on the plan alone. `all` false: the columns that are known. */
static void write_rows(const char *name, int first, int stop, int ahead, bool all) {
    char path[96], when[24];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    fputs(all ? "date,flow,plan,level\n" : "date,plan\n", f);
    for (int i = first; i < stop; i++) {
        stamp(when, i);
        if (!all) fprintf(f, "%s,%g\n", when, plan[i]);
        else if (i >= ahead) fprintf(f, "%s,,%g,\n", when, plan[i]);
        else fprintf(f, "%s,%.5f,%g,%.5f\n", when, flow[i], plan[i], level[i]);
    }
    fclose(f);
}

static void options_for(forecast_options *o, const char *data, const char *more) {
    char path[96];
    small_options(o);
    snprintf(path, sizeof path, "%s/%s", folder, data);
    set(o, "data", path);
    set_all(o, "missing auto overwrite yes epochs 12 learning-rate 0.005 lradj constant patience 0");
    set_all(o, more);
}

static double trained(forecast_options *o) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    double mse = r.model.mse;
    forecast_result_free(&r);
    return mse;
}

/* The column that is forecast, as the command gives it. */
static void answer(forecast_options *o, double out[PRED]) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    if (forecast_predict(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    const char *line = strchr(r.csv, '\n');
    for (int s = 0; s < PRED; s++, line = strchr(line + 1, '\n')) out[s] = strtod(strchr(line, ',') + 1, NULL);
    forecast_result_free(&r);
}

static void refused(forecast_options *o, tide_status status, const char *says) {
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    assert_int_equal(forecast_predict(o, NULL, NULL, &r, &failure), status);
    expect_has(failure.message, says);
    forecast_result_free(&r);
}

static void same(const char *what, const double *a, const double *b) {
    for (int s = 0; s < PRED; s++) expect_near(what, a[s], b[s], 1e-6);
}

static tide_frame *frame_of(int rows, bool with_end) {
    static int64_t times[ROWS];
    static double  end[ROWS];
    tide_frame    *f;
    for (int i = 0; i < ROWS; i++) times[i] = 1704067200 + 3600 * (int64_t)i, end[i] = i < ROWS - PRED ? flow[i] : NAN;
    assert_int_equal(tide_frame_new(rows, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_set_time(f, "date", times, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "flow", with_end ? end : flow, 1, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "plan", plan, 1, NULL), TIDE_OK);
    return f;
}

/* All ways to say what is known give the same forecast, which follows it. */
static void test_ways(void **state) {
    (void)state;
    forecast_options o;
    double           kept[PRED], file[PRED], end[PRED], given[PRED], framed[PRED], past[SEQ * 2], known[PRED];
    int64_t          times[SEQ];
    char             path[96];
    tide_failure     failure = { 0 };
    write_rows("cut.csv", 0, ROWS - PRED, ROWS, true);
    write_rows("whole.csv", 0, ROWS, ROWS - PRED, true);
    write_rows("ahead.csv", ROWS - PRED - 3, ROWS, 0, false);
    write_rows("short.csv", ROWS - PRED, ROWS - 1, 0, false);
    options_for(&o, "cut.csv", "targets flow ignore level");
    double blind = trained(&o);
    options_for(&o, "cut.csv", "known plan ignore level");
    double mse = trained(&o);
    if (mse > 0.1 * blind) fail_msg("with what is known %g, without %g", mse, blind);

    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "model", path);
    *o.data = 0;
    refused(&o, TIDE_EINVAL, "2024-01-29 22:00:00 to 2024-01-30 03:00:00: `future` FILE with plan");
    snprintf(path, sizeof path, "%s/short.csv", folder);
    set(&o, "future", path);
    refused(&o, TIDE_EDATA, "there is no row for 2024-01-30 03:00:00, one of the 6 rows");
    snprintf(path, sizeof path, "%s/ahead.csv", folder);
    set(&o, "future", path);
    answer(&o, file);
    *o.future = 0;
    snprintf(path, sizeof path, "%s/whole.csv", folder);
    set(&o, "data", path);
    answer(&o, end);
    same("the end of the file", end, file);
    for (int s = 0; s < PRED; s++) expect_near("flow", file[s], flow[ROWS - PRED + s], 0.5);

    forecast_model *m;
    snprintf(path, sizeof path, "%s/run", folder);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_int_equal(forecast_model_known(m), 1);
    assert_string_equal(forecast_model_column_name(m, 1), "plan");
    assert_string_equal(forecast_model_target_name(m, 0), "flow");
    for (int i = 0; i < SEQ; i++) {
        int row = ROWS - PRED - SEQ + i;
        times[i] = 1704067200 + 3600 * (int64_t)row;
        past[2 * i] = strtod((snprintf(path, sizeof path, "%.5f", flow[row]), path), NULL), past[2 * i + 1] = plan[row];
    }
    memcpy(known, plan + ROWS - PRED, sizeof known);
    assert_int_equal(forecast_model_predict_known(m, 1, past, times, known, given, &failure), TIDE_OK);
    same("the caller", given, file);
    assert_int_equal(forecast_model_predict(m, 1, past, times, given, &failure), TIDE_EINVAL);
    expect_has(failure.message, "forecast_model_predict_known");
    known[2] = NAN;
    assert_int_equal(forecast_model_predict_known(m, 1, past, times, known, given, &failure), TIDE_EDATA);
    expect_has(failure.message, "row 3 to come, 'plan'");
    tide_frame *f = frame_of(ROWS, true);
    assert_int_equal(forecast_model_predict_frame(m, f, framed, &failure), TIDE_OK);
    for (int s = 0; s < PRED; s++) expect_near("a frame", framed[s], file[s], 1e-4); /* its numbers have more digits */
    tide_frame_free(f);
    forecast_model_free(m);

    options_for(&o, "whole.csv", "known plan ignore level"); /* the run keeps what the file says of the rows to come */
    expect_near("trained with them", trained(&o), mse, 1e-9);
    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "model", path);
    *o.data = 0;
    answer(&o, kept);
    same("kept", kept, file);
    forecast_result r = { 0 };
    options_for(&o, "whole.csv", "ignore level");
    set(&o, "model", path);
    assert_int_equal(forecast_evaluate(&o, NULL, NULL, &r, &failure), TIDE_OK);
    expect_near("evaluated", r.model.mse, mse, 1e-6);
    forecast_result_free(&r);
}

static void test_roles(void **state) {
    (void)state;
    static const struct { const char *options, *says; tide_status status; } cases[] = {
        { "known wind", "`known`: there is no column 'wind'", TIDE_EDATA },
        { "known flow targets flow", "'flow' is one of `targets`", TIDE_EINVAL },
        { "known flow,plan,level", "none is left to forecast", TIDE_EDATA },
        { "targets flow without-history level", "'level' is not forecast", TIDE_EINVAL },
        { "targets flow features MS", "both say what is forecast", TIDE_EINVAL },
        { "targets flo", "did you mean 'flow'", TIDE_EDATA },
    };
    write_rows("cut.csv", 0, ROWS, ROWS, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        forecast_options o;
        forecast_result  r       = { 0 };
        tide_failure     failure = { 0 };
        options_for(&o, "cut.csv", cases[i].options);
        if (forecast_train(&o, NULL, NULL, &r, &failure) != cases[i].status)
            fail_msg("%s: %s", cases[i].options, failure.message);
        expect_has(failure.message, cases[i].says);
        forecast_result_free(&r);
    }
    forecast_options o;
    write_rows("part.csv", 0, ROWS, ROWS - 2, true);
    options_for(&o, "part.csv", "known plan");
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_EDATA);
    expect_has(failure.message, "the last 2 rows hold nothing but what is known ahead, and a forecast has 6");
}

/* Several targets, in any place; the scores are of these alone. */
static void test_targets(void **state) {
    (void)state;
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    write_rows("cut.csv", 0, ROWS, ROWS, true);
    options_for(&o, "cut.csv", "targets flow,level");
    assert_int_equal(forecast_train(&o, NULL, NULL, &r, &failure), TIDE_OK);
    assert_int_equal(r.by_column_count, 2);
    assert_string_equal(r.by_column[0].name, "flow");
    assert_string_equal(r.by_column[1].name, "level");
    forecast_result_free(&r);
    char path[96];
    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "model", path);
    *o.data = 0;
    assert_int_equal(forecast_predict(&o, NULL, NULL, &r, &failure), TIDE_OK);
    expect_has(r.csv, "date,flow,level\n");
    forecast_result_free(&r);
}

/* What the model does not see does not matter; what it sees does. */
static void test_without_history(void **state) {
    (void)state;
    forecast_options o;
    double           a[PRED], b[PRED];
    char             path[96];
    for (int i = 0; i < ROWS; i++) plan[i] = sin(i * 0.5236 + 1), flow[i] = 3 + 2 * plan[i];
    write_rows("cut.csv", 0, ROWS, ROWS, true);
    options_for(&o, "cut.csv", "targets flow without-history flow");
    double mse = trained(&o);
    if (mse > 0.2) fail_msg("mse %g", mse);
    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "model", path);
    answer(&o, a);
    for (int i = ROWS - SEQ; i < ROWS; i++) flow[i] = 1000 + rand() % 100;
    write_rows("cut.csv", 0, ROWS, ROWS, true);
    answer(&o, b);
    same("another past", a, b);
    for (int i = ROWS - SEQ; i < ROWS; i++) plan[i] = -plan[i];
    write_rows("cut.csv", 0, ROWS, ROWS, true);
    answer(&o, b);
    assert_true(fabs(b[0] - a[0]) > 0.1);
    forecast_result r       = { 0 };
    tide_failure    failure = { 0 };
    options_for(&o, "cut.csv", "seed 1");
    snprintf(path, sizeof path, "%s/run", folder);
    set(&o, "model", path);
    if (forecast_evaluate(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    forecast_result_free(&r);
}

int main(void) {
    srand(5);
    make_numbers();
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ways), cmocka_unit_test(test_roles),
                                        cmocka_unit_test(test_targets), cmocka_unit_test(test_without_history) };
    return cmocka_run_group_tests_name("known ahead", tests, make_folder, remove_folder);
}
