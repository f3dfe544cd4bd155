/* Rows of one time stamp, or of one step, become one: the functions, the grid of each frequency, gaps, what is refused,
 * from text and from memory. */
#include "data_support.h"

typedef struct made { char text[60000]; size_t used; } made;

static void add(made *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(made *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    m->used += (size_t)vsnprintf(m->text + m->used, sizeof m->text - m->used, format, args);
    va_end(args);
    assert_true(m->used < sizeof m->text);
}

static void reads(const char *text, frame_options options, frame *f) {
    tide_failure failure;
    if (read_text(text, &options, f, &failure)) fail_msg("%s\n%s", failure.message, text);
}

/* "2020-01-01 00:00=1,2;..." */
static void expect_rows(const frame *f, const char *wanted) {
    char got[4000] = "";
    time_format format = { .kind = 'd', .separator = '-', .padded = true, .hour_padded = true, .middle = ' ' };
    for (int64_t i = 0; i < f->file_rows; i++) {
        char stamp[40];
        time_print(stamp, f->time[i], &format);
        size_t used = strlen(got);
        snprintf(got + used, sizeof got - used, "%s%s=", i ? ";" : "", stamp);
        for (int64_t c = 0; c < f->columns; c++) {
            used = strlen(got);
            snprintf(got + used, sizeof got - used, "%s%.6g", c ? "," : "", f->values[i * f->columns + c]);
        }
    }
    assert_string_equal(got, wanted);
}

/* ---- functions ---- */

/* Two rows of 01:00 and three of 02:00, one of which has a gap in a, and all in b. */
static const char repeated[] = "date,a,b\n2020-01-01 00:00,1,1\n2020-01-01 01:00,2,7\n2020-01-01 01:00,5,3\n"
                               "2020-01-01 02:00,,\n2020-01-01 02:00,8,\n2020-01-01 02:00,4,\n2020-01-01 03:00,9,9\n";

static void test_functions(void **state) {
    (void)state;
    static const struct { frame_aggregate how; const char *wanted, *name; } cases[] = {
        { AGGREGATE_FIRST, "2020-01-01 01:00=2,7;2020-01-01 02:00=8,7", "first" },
        { AGGREGATE_LAST, "2020-01-01 01:00=5,3;2020-01-01 02:00=4,3", "last" },
        { AGGREGATE_MEAN, "2020-01-01 01:00=3.5,5;2020-01-01 02:00=6,5", "mean" },
        { AGGREGATE_SUM, "2020-01-01 01:00=7,10;2020-01-01 02:00=12,10", "sum" },
        { AGGREGATE_MIN, "2020-01-01 01:00=2,3;2020-01-01 02:00=4,3", "min" },
        { AGGREGATE_MAX, "2020-01-01 01:00=5,7;2020-01-01 02:00=8,7", "max" },
        { AGGREGATE_MEDIAN, "2020-01-01 01:00=3.5,5;2020-01-01 02:00=6,5", "median" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        char  wanted[200], note[80];
        snprintf(wanted, sizeof wanted, "2020-01-01 00:00=1,1;%s;2020-01-01 03:00=9,9", cases[i].wanted);
        reads(repeated, (frame_options){ .aggregate = cases[i].how, .missing = MISSING_FFILL }, &f);
        expect_rows(&f, wanted);
        snprintf(note, sizeof note, "7 rows became 4, one for each time stamp, with the %s of its values\n",
                 cases[i].name);
        expect_has(f.warnings, note);
        expect_has(f.warnings, "missing cells: 1,");
        assert_null(strstr(f.warnings, "repeated"));
        frame_free(&f);
    }
}

/* A median of three; rows that must be put in order first; a column that is not read. */
static void test_order(void **state) {
    (void)state;
    frame f;
    reads("date,a,b\n2020-01-02,7,1\n2020-01-01,3,1\n2020-01-02,2,x\n2020-01-03,1,1\n2020-01-02,4,1\n",
          (frame_options){ .aggregate = AGGREGATE_MEDIAN, .sort = true, .ignore = "b" }, &f);
    expect_rows(&f, "2020-01-01 00:00=3;2020-01-02 00:00=4;2020-01-03 00:00=1");
    frame_free(&f);
}

/* ---- the grid ---- */

static void test_grid(void **state) {
    (void)state;
    static const struct { const char *freq, *stamp, *label; } cases[] = {
        { "h", "2023-03-01 07:59:59", "2023-03-01 07:00" },     { "15min", "2023-03-01 07:44", "2023-03-01 07:30" },
        { "s", "2023-03-01 07:44:00", "2023-03-01 07:44" },     { "6h", "2023-03-01 17:44", "2023-03-01 12:00" },
        { "7h", "2023-03-01 17:44", "2023-03-01 14:00" },       { "d", "2023-03-01 17:44", "2023-03-01 00:00" },
        { "w", "2023-03-01 17:44", "2023-02-27 00:00" },        { "W-SUN", "2023-03-01 17:44", "2023-02-26 00:00" },
        { "W-WED", "2023-03-01 17:44", "2023-03-01 00:00" },    { "b", "2023-03-04 17:44", "2023-03-03 00:00" },
        { "m", "2023-03-31 23:59", "2023-03-01 00:00" },        { "MS", "2023-03-31 23:59", "2023-03-01 00:00" },
        { "ME", "2023-02-03 23:59", "2023-02-28 00:00" },       { "2m", "2023-04-03 23:59", "2023-03-01 00:00" },
        { "q", "2023-03-31 23:59", "2023-01-01 00:00" },        { "QE", "2023-02-03 00:00", "2023-03-31 00:00" },
        { "QS-FEB", "2023-04-30 23:59", "2023-02-01 00:00" },   { "Q-NOV", "2023-01-31 23:59", "2022-12-01 00:00" },
        { "QS-JAN", "2023-03-31 23:59", "2023-01-01 00:00" },   { "y", "2023-12-31 23:59", "2023-01-01 00:00" },
        { "YE", "2023-02-03 00:00", "2023-12-31 00:00" },       { "YE-JUN", "2023-02-03 00:00", "2023-06-30 00:00" },
        { "YS-APR", "2023-03-31 00:00", "2022-04-01 00:00" },   { "2y", "2023-06-01 00:00", "2023-01-01 00:00" },
        { "d", "1969-12-31 23:00", "1969-12-31 00:00" },        { "w", "1969-12-28 23:00", "1969-12-22 00:00" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        made  *m = calloc(1, sizeof *m);
        frame  f;
        char   wanted[80];
        add(m, "date,a\n%s,4\n", cases[i].stamp);
        snprintf(wanted, sizeof wanted, "%s=4", cases[i].label);
        reads(m->text, (frame_options){ .aggregate = AGGREGATE_MEAN, .freq = cases[i].freq }, &f);
        expect_rows(&f, wanted);
        frame_free(&f);
        free(m);
    }
}

/* The next stamp is the next bin; one without rows is put back without values, where gaps are masked. */
static void test_axis(void **state) {
    (void)state;
    frame f;
    time_step step;
    reads("date,a\n2023-01-15,1\n2023-01-20,3\n2023-02-07,5\n2023-04-30,6\n",
          (frame_options){ .aggregate = AGGREGATE_SUM, .freq = "m" }, &f);
    expect_rows(&f, "2023-01-01 00:00=4;2023-02-01 00:00=5;2023-03-01 00:00=nan;2023-04-01 00:00=6");
    expect_has(f.warnings, "4 rows became 3, one for each step of m, with the sum of its values\n");
    expect_has(f.warnings, "1 rows are left out (the step is m)");
    expect_has(f.warnings, "the last step is a sum of 1 row where others have up to 2: if rows are still to come, end "
                           "the file before line 5\n");
    assert_true(step_parse("m", &step) && f.step.unit == step.unit && f.step.day == 1);
    frame_free(&f);
    reads("date,a\n2023-01-15,1\n2023-02-07,5\n2023-03-30,6\n",
          (frame_options){ .aggregate = AGGREGATE_SUM, .freq = "ME" }, &f);
    expect_rows(&f, "2023-01-31 00:00=1;2023-02-28 00:00=5;2023-03-31 00:00=6");
    assert_string_equal(f.warnings, "");
    assert_true(time_advance(f.time[2], f.step, 1) == f.time[2] + 30 * 86400);
    frame_free(&f);
}

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Rows at any time, in bins of 15 minutes that the test counts by itself. */
static void test_irregular(void **state) {
    (void)state;
    enum { ROWS = 700, BINS = 2000 };
    made *m = calloc(1, sizeof *m);
    static double sum[BINS], low[BINS];
    static int count[BINS];
    uint64_t seed = 20;
    int second = 0;
    add(m, "date,a\n");
    for (int i = 0; i < ROWS; i++) {
        bool gap = next_random(&seed) % 5 == 0;
        int value = (int)(next_random(&seed) % 1000), bin = second / 900;
        add(m, "2024-02-%02d %02d:%02d:%02d,", 28 + second / 86400, second / 3600 % 24, second / 60 % 60, second % 60);
        add(m, gap ? "\n" : "%d\n", value);
        if (!gap) low[bin] = !count[bin] || value < low[bin] ? value : low[bin], sum[bin] += value, count[bin]++;
        second += 1 + (int)(next_random(&seed) % 400);
        if (second >= 2 * 86400) break; /* 28 and 29 February */
    }
    for (int pass = 0; pass < 2; pass++) {
        frame f;
        reads(m->text, (frame_options){ .aggregate = pass ? AGGREGATE_MIN : AGGREGATE_MEAN, .freq = "15min",
                                        .missing = MISSING_FFILL }, &f);
        int64_t start = f.time[0];
        assert_int_equal(start % 86400, 0);
        for (int64_t i = 0; i < f.file_rows; i++) {
            int64_t bin = (f.time[i] - start) / 900;
            assert_int_equal((f.time[i] - start) % 900, 0);
            if (count[bin]) expect_near("bin", f.values[i], pass ? low[bin] : sum[bin] / count[bin], 1e-9);
        }
        int64_t bins = 0;
        for (int i = 0; i < BINS; i++) bins += count[i] > 0;
        assert_true(f.file_rows >= bins && f.file_rows < ROWS);
        frame_free(&f);
    }
    free(m);
}

/* ---- not asked for ---- */

static void test_same_rows(void **state) {
    (void)state;
    frame f;
    static const char text[] = "date,a\n2020-01-01,1\n2020-01-02,2\n2020-01-02,2.0\n2020-01-03,\n2020-01-03,NaN\n"
                               "2020-01-04,4\n";
    reads(text, (frame_options){ .missing = MISSING_LINEAR }, &f);
    expect_rows(&f, "2020-01-01 00:00=1;2020-01-02 00:00=2;2020-01-03 00:00=3;2020-01-04 00:00=4");
    expect_has(f.warnings, "2 rows repeat what stands before them, time stamp and values: left out, the first at line "
                           "4\n");
    expect_has(f.warnings, "missing cells: 1, filled with a straight line between their neighbours, first at line 5\n");
    frame_free(&f);
    reads(text, (frame_options){ .missing = MISSING_LINEAR, .aggregate = AGGREGATE_KEEP }, &f);
    assert_int_equal(f.file_rows, 6);
    expect_has(f.warnings, "`aggregate` first keeps one row of each");
    frame_free(&f);
}

static void refuses(const char *text, frame_options options, int64_t row, const char *part) {
    frame f;
    tide_failure failure;
    assert_int_equal(read_text(text, &options, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, part);
    assert_int_equal(failure.row, row);
    frame_free(&f);
}

static void test_refused(void **state) {
    (void)state;
    refuses(repeated, (frame_options){ .missing = MISSING_FFILL }, 4,
            "2020-01-01 01:00 stands more than once, with other values of 'a' (2 in line 3, 5 here), as do 2 time "
            "stamps in all: `aggregate` first, last or mean makes one row of them");
    refuses("date,a\n2020-01-01,1\n2020-01-01,2\n", (frame_options){ 0 }, 3, "`aggregate` first, last or mean");
    refuses("date,a\n2020-01-01,1\n2020-01-01,\n2020-01-02,2\n", (frame_options){ 0 }, 3, "(1 in line 2, nan here)");
    refuses("date,a\n2020-01-01,1\n2020-01-01,1\n2020-01-02,2\n", (frame_options){ .strict_dates = true }, 3,
            "time stamps: 1 repeated");
}

/* A mark that a mean would hide is told of before; the options that rows off the step need are named. */
static void test_told(void **state) {
    (void)state;
    frame f;
    made *m = calloc(1, sizeof *m);
    add(m, "date,a\n");
    for (int i = 0; i < 80; i++)
        add(m, "2020-01-%02d %02d:%02d,%d\n", 1 + i / 48, i / 2 % 24, i % 2 * 30, i == 33 ? -9999 : 10 + i % 7);
    reads(m->text, (frame_options){ .aggregate = AGGREGATE_MEAN, .freq = "h" }, &f);
    expect_has(f.warnings, "'a' holds -9999 in 1 row");
    expect_has(f.warnings, "(first at line 35)");
    assert_int_equal(f.file_rows, 40);
    frame_free(&f);
    reads(m->text, (frame_options){ .freq = "h" }, &f);
    expect_has(f.warnings, "`freq` h; `aggregate` mean makes one row of those in each step");
    frame_free(&f);
    reads("date,a\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:10,3\n2020-01-01 03:10,3.5\n",
          (frame_options){ 0 }, &f);
    expect_has(f.warnings, "`aggregate` mean with `freq` h (or a longer step) makes one row of those in each step");
    frame_free(&f);
    free(m);
}

/* ---- memory ---- */

static void test_memory(void **state) {
    (void)state;
    enum { ROWS = 8 };
    static const int64_t time[ROWS] = { 0, 900, 3600, 3700, 3700, 7300, 7300, 7300 };
    static const double  a[ROWS] = { 1, 2, 3, 4, 5, 6, NAN, 9 };
    tide_frame *from = NULL;
    tide_failure failure = { 0 };
    frame f;
    assert_int_equal(tide_frame_new(ROWS, &from, &failure), TIDE_OK);
    assert_int_equal(tide_frame_add(from, "a", a, 1, &failure), TIDE_OK);
    assert_int_equal(tide_frame_set_time(from, "t", time, &failure), TIDE_OK);
    assert_int_equal(frame_from_memory(from, &(frame_options){ .missing = MISSING_FFILL }, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, "`aggregate` first, last or mean");
    memset(&failure, 0, sizeof failure);
    frame_options options = { .aggregate = AGGREGATE_SUM, .freq = "h" };
    if (frame_from_memory(from, &options, &f, &failure)) fail_msg("%s", failure.message);
    expect_rows(&f, "1970-01-01 00:00=3;1970-01-01 01:00=12;1970-01-01 02:00=15");
    frame_free(&f);
    options = (frame_options){ .aggregate = AGGREGATE_LAST };
    if (frame_from_memory(from, &options, &f, &failure)) fail_msg("%s", failure.message);
    assert_int_equal(f.file_rows, 5);
    assert_true(f.values[3] == 5 && f.values[4] == 9);
    frame_free(&f);
    tide_frame_free(from);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_order), cmocka_unit_test(test_grid),
        cmocka_unit_test(test_axis), cmocka_unit_test(test_irregular), cmocka_unit_test(test_same_rows),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_told), cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
