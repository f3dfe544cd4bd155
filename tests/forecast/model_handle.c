/* A trained model as a handle: the command's numbers, many windows at once, clones on threads, bytes in memory. */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <tidemill/io.h>
#include <tidemill/tidemill.h>

#include "train_support.h"

enum { SEQ = 24, PRED = 6, COLUMNS = 3, ROWS = 600, WINDOWS = 45, THREADS = 8 };

static char    run[96];
static double  rows[ROWS * COLUMNS];
static int64_t times[ROWS];

static int set_up(void **state) {
    forecast_options o;
    forecast_result  r = { 0 };
    tide_failure     failure = { 0 };
    if (folder_with_series(state, ROWS)) return -1;
    small_options(&o);
    set_all(&o, "seq-len 24 pred-len 6 epochs 1 seed 3");
    snprintf(run, sizeof run, "%s/run", folder);
    set(&o, "out", run);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    tide_table table;
    char       path[96];
    snprintf(path, sizeof path, "%s/series.csv", folder);
    assert_int_equal(tide_csv_read(path, NULL, &table, NULL), TIDE_OK);
    for (int i = 0; i < ROWS; i++) {
        times[i] = 1704067200 + 3600 * (int64_t)i;  /* 2024-01-01; February begins after 28 days in this series */
        for (int c = 0; c < COLUMNS; c++) rows[i * COLUMNS + c] = strtod(table.cells[i * 4 + 1 + c], NULL);
    }
    tide_table_free(&table);
    return 0;
}

static forecast_model *load(void) {
    forecast_model *m;
    tide_failure    failure = { 0 };
    if (forecast_model_load(run, NULL, &m, &failure) != TIDE_OK) fail_msg("load: %s", failure.message);
    return m;
}

/* Windows that begin at rows 0, 1, ... */
static void windows_of(int count, double *past, int64_t *time_s) {
    for (int w = 0; w < count; w++) {
        memcpy(past + w * SEQ * COLUMNS, rows + w * COLUMNS, SEQ * COLUMNS * sizeof *past);
        memcpy(time_s + w * SEQ, times + w, SEQ * sizeof *time_s);
    }
}

static void predict(forecast_model *m, int64_t count, const double *past, const int64_t *time_s, double *future) {
    tide_failure failure = { 0 };
    if (forecast_model_predict(m, count, past, time_s, future, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void test_what_it_is(void **state) {
    (void)state;
    forecast_model *m = load();
    const char     *note;
    int64_t         after[2];
    assert_int_equal(forecast_model_seq_len(m), SEQ);
    assert_int_equal(forecast_model_pred_len(m), PRED);
    assert_int_equal(forecast_model_columns(m), COLUMNS);
    assert_int_equal(forecast_model_targets(m), COLUMNS);
    assert_string_equal(forecast_model_column_name(m, 2), "flow");
    assert_string_equal(forecast_model_target_name(m, 0), "north");
    assert_null(forecast_model_column_name(m, 3));
    assert_string_equal(forecast_model_frequency(m), "h");
    assert_true(forecast_model_needs_time(m));
    assert_int_equal(forecast_model_precision(m, &note), TIDE_PRECISION_F32);
    assert_int_equal(forecast_model_times_after(m, times[5], 2, after, NULL), TIDE_OK);
    assert_true(after[0] == times[6] && after[1] == times[7]);
    forecast_model_free(m);
}

/* The last rows of the file, which the command starts from: its numbers are those of the handle as it prints them. */
static void test_as_the_command(void **state) {
    (void)state;
    forecast_options o;
    forecast_result  r = { 0 };
    forecast_model  *m = load();
    double           future[PRED * COLUMNS];
    tide_table       table;
    char             path[96];
    forecast_options_default(&o);
    set(&o, "model", run);
    snprintf(path, sizeof path, "%s/next.csv", folder);
    set(&o, "output", path);
    assert_int_equal(forecast_predict(&o, NULL, NULL, &r, NULL), TIDE_OK);
    assert_int_equal(tide_csv_read(path, NULL, &table, NULL), TIDE_OK);
    predict(m, 1, rows + (ROWS - SEQ) * COLUMNS, times + ROWS - SEQ, future);
    for (int i = 0; i < PRED * COLUMNS; i++)
        assert_true((float)future[i] == strtof(table.cells[i / COLUMNS * 4 + 1 + i % COLUMNS], NULL));
    tide_table_free(&table);
    forecast_result_free(&r);
    forecast_model_free(m);
}

/* Sizes of 32, 8 and 1 and what is left: each window's forecast is that of the window alone, within rounding of sums
 * of up to 128 products in f32. */
static void test_many(void **state) {
    (void)state;
    static double   past[WINDOWS * SEQ * COLUMNS], many[WINDOWS * PRED * COLUMNS], one[PRED * COLUMNS];
    static int64_t  time_s[WINDOWS * SEQ];
    forecast_model *m = load();
    windows_of(WINDOWS, past, time_s);
    predict(m, WINDOWS, past, time_s, many);
    for (int w = 0; w < WINDOWS; w++) {
        predict(m, 1, past + w * SEQ * COLUMNS, time_s + w * SEQ, one);
        for (int i = 0; i < PRED * COLUMNS; i++) expect_near("window", many[w * PRED * COLUMNS + i], one[i], 1e-4);
    }
    predict(m, 0, NULL, NULL, NULL);
    forecast_model_free(m);
}

typedef struct job { forecast_model *m; const double *past, *want; const int64_t *time_s; bool same; } job;

static void *work(void *data) {
    job   *j = data;
    double got[WINDOWS * PRED * COLUMNS];
    j->same = true;
    for (int i = 0; i < 5; i++) {
        forecast_model *again;
        j->same &= forecast_model_predict(j->m, WINDOWS, j->past, j->time_s, got, NULL) == TIDE_OK &&
                   memcmp(got, j->want, sizeof got) == 0;
        j->same &= forecast_model_clone(j->m, &again, NULL) == TIDE_OK;  /* while the others work */
        forecast_model_free(j->m);
        j->m = again;
    }
    forecast_model_free(j->m);
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    static double   past[WINDOWS * SEQ * COLUMNS], want[WINDOWS * PRED * COLUMNS];
    static int64_t  time_s[WINDOWS * SEQ];
    forecast_model *m = load();
    job             jobs[THREADS];
    pthread_t       threads[THREADS];
    windows_of(WINDOWS, past, time_s);
    predict(m, WINDOWS, past, time_s, want);
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (job){ NULL, past, want, time_s, false };
        assert_int_equal(forecast_model_clone(m, &jobs[i].m, NULL), TIDE_OK);
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    forecast_model_free(m);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_true(jobs[i].same);
}

/* The bytes of the file; and a model of them answers the same. */
static void test_memory(void **state) {
    (void)state;
    forecast_model *m = load(), *again;
    double          want[PRED * COLUMNS], got[PRED * COLUMNS];
    void           *bytes;
    size_t          size;
    char            path[128];
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    assert_int_equal(forecast_model_save_memory(m, &bytes, &size, NULL), TIDE_OK);
    FILE *f    = fopen(path, "rb");
    char *file = malloc(size + 1);
    assert_int_equal(fread(file, 1, size + 1, f), size);
    assert_memory_equal(file, bytes, size);
    fclose(f), free(file);
    predict(m, 1, rows, times, want);
    forecast_model_free(m);
    assert_int_equal(forecast_model_load_memory(bytes, size, NULL, &again, NULL), TIDE_OK);
    predict(again, 1, rows, times, got);
    assert_memory_equal(got, want, sizeof want);
    forecast_model_free(again);
    tide_failure why = { 0 };
    assert_int_equal(forecast_model_load_memory(bytes, size - 1, NULL, &again, &why), TIDE_EDATA);
    assert_null(again);
    tide_free(bytes);
}

static void refused(forecast_model *m, const double *past, const int64_t *time_s, tide_status status,
                    const char *says) {
    tide_failure why = { 0 };
    double       future[PRED * COLUMNS];
    assert_int_equal(forecast_model_predict(m, 1, past, time_s, future, &why), status);
    expect_has(why.message, says);
}

static void test_refused(void **state) {
    (void)state;
    forecast_model *m = load();
    tide_failure    why = { 0 };
    double          past[SEQ * COLUMNS];
    int64_t         time_s[SEQ];
    memcpy(past, rows, sizeof past), memcpy(time_s, times, sizeof time_s);
    refused(m, past, NULL, TIDE_EINVAL, "needs the time of each row");
    past[4 * COLUMNS + 1] = NAN;
    refused(m, past, time_s, TIDE_EDATA, "window 1, row 5, 'south': this is not a finite number");
    past[4 * COLUMNS + 1] = 1e300;
    refused(m, past, time_s, TIDE_EDATA, "is not a finite number");
    past[4 * COLUMNS + 1] = 1, time_s[3] = INT64_MAX;
    refused(m, past, time_s, TIDE_EDATA, "outside the years 0 to 9999");
    forecast_model_free(m);
    assert_int_equal(forecast_model_load(folder, NULL, &m, &why), TIDE_EDATA);
    expect_has(why.message, "holds no trained model");
    assert_null(m);
}

/* The file as a frame gives what its last rows give; columns may stand in any order, and more of them. */
static void test_frame(void **state) {
    (void)state;
    forecast_options o;
    forecast_model  *m = load();
    tide_frame      *f, *odd;
    tide_failure     why = { 0 };
    double           want[PRED * COLUMNS], got[PRED * COLUMNS];
    char             path[96];
    forecast_options_default(&o);
    snprintf(path, sizeof path, "%s/series.csv", folder);
    set(&o, "data", path);
    if (forecast_read_frame(&o, &f, &why) != TIDE_OK) fail_msg("%s", why.message);
    assert_int_equal(tide_frame_rows(f), ROWS);
    assert_string_equal(tide_frame_time_name(f), "date");
    predict(m, 1, rows + (ROWS - SEQ) * COLUMNS, tide_frame_time(f) + ROWS - SEQ, want);
    assert_int_equal(forecast_model_predict_frame(m, f, got, NULL), TIDE_OK);
    assert_memory_equal(got, want, sizeof want);
    assert_int_equal(tide_frame_new(SEQ, &odd, NULL), TIDE_OK);
    for (int c = COLUMNS - 1; c > 0; c--)
        tide_frame_borrow(odd, forecast_model_column_name(m, c), rows + (ROWS - SEQ) * COLUMNS + c, COLUMNS, NULL);
    assert_int_equal(forecast_model_predict_frame(m, odd, got, &why), TIDE_EDATA);
    expect_has(why.message, "the frame has none in whole seconds");
    tide_frame_set_time(odd, NULL, tide_frame_time(f) + ROWS - SEQ, NULL);
    why = (tide_failure){ 0 };
    assert_int_equal(forecast_model_predict_frame(m, odd, got, &why), TIDE_EDATA);
    expect_has(why.message, "no column 'north'");
    tide_frame_borrow(odd, "extra", rows, 1, NULL);
    tide_frame_borrow(odd, "north", rows + (ROWS - SEQ) * COLUMNS, COLUMNS, NULL);
    assert_int_equal(forecast_model_predict_frame(m, odd, got, NULL), TIDE_OK);
    assert_memory_equal(got, want, sizeof want);
    int64_t days[SEQ];
    for (int i = 0; i < SEQ; i++) days[i] = 86400 * i;
    tide_frame_set_time(odd, NULL, days, NULL);
    why = (tide_failure){ 0 };
    assert_int_equal(forecast_model_predict_frame(m, odd, got, &why), TIDE_EDATA);
    expect_has(why.message, "rows are d apart");
    for (int i = 0; i < SEQ; i++) days[i] = times[i + (i > 9)];
    tide_frame_set_time(odd, NULL, days, NULL);
    why = (tide_failure){ 0 };
    assert_int_equal(forecast_model_predict_frame(m, odd, got, &why), TIDE_EDATA);
    expect_has(why.message, "row 11 is not one step of h after the row before it");
    assert_int_equal(why.row, 11);
    tide_frame_free(odd), tide_frame_free(f);
    forecast_model_free(m);
}

/* What the run keeps is the end of its file, and intervals from a frame are those of its window. */
static void test_kept(void **state) {
    (void)state;
    enum { LEVELS = 2 };
    forecast_model *m = load();
    tide_frame     *kept;
    tide_failure    why = { 0 };
    const double    level[LEVELS] = { 80, 95 }, *last = rows + (ROWS - SEQ) * COLUMNS;
    double          want[PRED * COLUMNS], got[PRED * COLUMNS];
    double          want_bands[PRED * COLUMNS * LEVELS * 2], bands[PRED * COLUMNS * LEVELS * 2];
    int64_t         stride;
    assert_int_equal(forecast_model_kept(m, &kept, NULL), TIDE_OK);
    assert_int_equal(tide_frame_rows(kept), SEQ);
    assert_int_equal(tide_frame_columns(kept), COLUMNS);
    assert_string_equal(tide_frame_time_name(kept), "date");
    for (int c = 0; c < COLUMNS; c++)
        for (int i = 0; i < SEQ; i++)
            assert_true(tide_frame_values(kept, c, &stride)[i * stride] == last[i * COLUMNS + c]);
    assert_int_equal(forecast_model_predict_levels(m, 1, last, tide_frame_time(kept), NULL, level, LEVELS, want,
                                                   want_bands, NULL), TIDE_OK);
    assert_int_equal(forecast_model_predict_frame_levels(m, kept, level, LEVELS, got, bands, NULL), TIDE_OK);
    assert_memory_equal(got, want, sizeof want);
    assert_memory_equal(bands, want_bands, sizeof bands);
    assert_int_equal(forecast_model_predict_frame_levels(m, kept, level, LEVELS, got, NULL, &why), TIDE_EINVAL);
    tide_frame_free(kept);
    assert_int_equal(forecast_model_kept(NULL, &kept, &why), TIDE_EINVAL);
    assert_int_equal(forecast_model_kept(m, NULL, &why), TIDE_EINVAL);
    forecast_model_free(m);
}

/* Rows at trading hours: the times after the last one, and frames of such rows, keep to them. */
static void test_sessions(void **state) {
    (void)state;
    enum { WEEKS = 9, SESSIONS = WEEKS * 35 };
    static int64_t   open[SESSIONS], after[SESSIONS];
    static double    value[SESSIONS];
    double           future[PRED];
    char             path[96];
    forecast_options o;
    forecast_result  r       = { 0 };
    tide_failure     failure = { 0 };
    forecast_model  *m;
    tide_frame      *f;
    snprintf(path, sizeof path, "%s/sessions.csv", folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fprintf(out, "ts,x\n");
    for (int i = 0; i < SESSIONS; i++) { /* 7 hours a day from 10:00 on, 5 days a week, from Monday 2024-01-01 on */
        open[i]  = 1704067200 + 86400 * (int64_t)(i / 35 * 7 + i / 7 % 5) + 3600 * (10 + i % 7);
        value[i] = 5 + i % 7 + 0.01 * (i % 11);
        if (i < SESSIONS - 35) fprintf(out, "%lld,%g\n", (long long)open[i], value[i]);
    }
    fclose(out);
    small_options(&o);
    set_all(&o, "seq-len 24 pred-len 6 epochs 1");
    set(&o, "freq", ""), set(&o, "data", path);
    snprintf(path, sizeof path, "%s/sessions", folder);
    set(&o, "out", path);
    if (forecast_train(&o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("train: %s", failure.message);
    forecast_result_free(&r);
    assert_int_equal(forecast_model_load(path, NULL, &m, &failure), TIDE_OK);
    assert_string_equal(forecast_model_frequency(m), "h, Mon-Fri 10:00-16:00");
    assert_int_equal(forecast_model_times_after(m, open[0], SESSIONS - 1, after, NULL), TIDE_OK);
    assert_memory_equal(after, open + 1, (SESSIONS - 1) * sizeof *after);
    assert_int_equal(tide_frame_new(SEQ, &f, NULL), TIDE_OK);
    tide_frame_borrow(f, "x", value, 1, NULL);
    tide_frame_set_time(f, NULL, open + 40, NULL);
    if (forecast_model_predict_frame(m, f, future, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    for (int i = 0; i < SEQ; i++) after[i] = open[0] + 3600 * i; /* through the night */
    tide_frame_set_time(f, NULL, after, NULL);
    assert_int_equal(forecast_model_predict_frame(m, f, future, &failure), TIDE_EDATA);
    expect_has(failure.message, "those that the model learned from h, Mon-Fri 10:00-16:00");
    tide_frame_free(f);
    forecast_model_free(m);
}

/* forecast_predict with sums, in memory: its CSV has their digits. */
static void test_forecast(void **state) {
    enum { WIDE = COLUMNS + 1 };
    forecast_options    o;
    forecast_prediction p;
    forecast_result     r = { 0 };
    tide_failure        failure = { 0 };
    forecast_model     *m = load();
    (void)state;
    forecast_options_default(&o);
    set_all(&o, "sum total=north+south level 80 paths 3 seed 5");
    no_failure(forecast_model_forecast(m, NULL, &o, NULL, NULL, &p, &failure), &failure);
    assert_true(p.rows == PRED && p.series == WIDE && p.path_count == 3 && p.level_count == 1);
    assert_string_equal(p.names[COLUMNS], "total");
    set(&o, "model", run), set_all(&o, "paths 0");
    no_failure(forecast_predict(&o, NULL, NULL, &r, &failure), &failure);
    const char *at = r.csv;
    for (int row = 0; row < PRED; row++) {
        at = strchr(at, '\n') + 1;
        assert_true(p.time_s[row] == times[ROWS - 1] + 3600 * (row + 1));
        const char *cell = at;
        for (int c = 0; c < WIDE; c++) {
            const double *band = p.bands + (row * WIDE + c) * 2, *value = p.values + row * WIDE + c;
            for (int place = 0; place < 3; place++) {
                double text = strtod(cell = strchr(cell, ',') + 1, NULL), own = place == 1 ? *value : band[place / 2];
                if (place == 1) assert_true(text == own);
                else expect_near("bound", own, text, FLT_EPSILON * fabs(text));
            }
        }
    }
    assert_int_equal(forecast_model_forecast(m, NULL, &o, NULL, NULL, &p, &failure), TIDE_EINVAL);
    expect_has(failure.message, "`model` is of runs and files");
    assert_null(p.values);
    forecast_prediction_free(&p);
    forecast_result_free(&r);
    forecast_model_free(m);
}

static void test_picture(void **state) {
    double        past[48], to_come[4] = { 1, 2, (double)NAN, 3 }, bands[8] = { 0, 2, 1, 3, 1, 4, 2, 4 }, level = 80;
    int64_t       time[52];
    char         *svg;
    tide_failure  failure = { 0 };
    forecast_plot p = { .title = "a < b", .past_rows = 48, .rows = 4, .time_s = time, .past = past,
                        .forecast = to_come, .levels = &level, .bands = bands, .level_count = 1,
                        .baselines = { NULL, to_come, NULL } };
    (void)state;
    for (int i = 0; i < 52; i++) time[i] = times[0] + 3600 * i;
    for (int i = 0; i < 48; i++) past[i] = sin(i);
    no_failure(forecast_plot_svg((forecast_plot[]){ p, p, p }, 3, &svg, &failure), &failure);
    static const char *const words[] = { "a &lt; b", "2024-01-02", ">12:00<", "seasonal naive", "80 %",
                                         "viewBox=\"0 0 960 620\"", "x=\"480\" y=\"0\"", "x=\"0\" y=\"310\"" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) expect_has(svg, words[i]);
    assert_null(strstr(svg, "nan"));
    tide_free(svg);
    p.rows = 0;
    assert_int_equal(forecast_plot_svg(&p, 1, &svg, &failure), TIDE_EINVAL);
    assert_null(svg);
    p.rows = 4, p.past_rows = 0;
    no_failure(forecast_plot_svg(&p, 1, &svg, &failure), &failure);
    tide_free(svg);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_what_it_is), cmocka_unit_test(test_as_the_command),
                                        cmocka_unit_test(test_many),       cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_memory),     cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_frame),      cmocka_unit_test(test_sessions),
                                        cmocka_unit_test(test_kept),
                                        cmocka_unit_test(test_forecast),   cmocka_unit_test(test_picture) };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
