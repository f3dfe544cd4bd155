/* Reading a table: columns and their order, stamps, cells, and every message a user may meet. */
#include <tidemill/io.h>

#include "data_support.h"

static const char small[] =
    "date,a,OT,b\n2020-01-01 00:00:00,1,10,100\n2020-01-01 01:00:00,2,20,200\n2020-01-01 02:00:00,3,40,300\n";

/* The names as "a b OT". */
static const char *names_of(const frame *f, char buffer[200]) {
    buffer[0] = 0;
    for (int64_t c = 0; c < f->columns; c++)
        snprintf(buffer + strlen(buffer), 200 - strlen(buffer), c ? " %s" : "%s", f->names[c]);
    return buffer;
}

static void test_columns(void **state) {
    (void)state;
    static const struct { frame_options options; const char *names; const char *target; double first[3]; } cases[] = {
        { { 0 }, "a b OT", "OT", { 1, 100, 10 } },
        { { .target = "a" }, "OT b a", "a", { 10, 100, 1 } },
        { { .features = FEATURES_S }, "OT", "OT", { 10 } },
        { { .features = FEATURES_S, .target = "b" }, "b", "b", { 100 } },
        { { .features = FEATURES_MS, .target = "a" }, "OT b a", "a", { 10, 100, 1 } },
        { { .columns = "b, a" }, "a b", "b", { 1, 100 } },
        { { .columns = "b", .target = "a" }, "b a", "a", { 100, 1 } },
        { { .ignore = "OT" }, "a b", "b", { 1, 100 } },
        { { .ignore = " a ,OT" }, "b", "b", { 100 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        tide_failure failure;
        char names[200];
        if (read_text(small, &cases[i].options, &f, &failure)) fail_msg("case %zu: %s", i, failure.message);
        assert_string_equal(names_of(&f, names), cases[i].names);
        assert_string_equal(f.names[f.target], cases[i].target);
        assert_int_equal(f.rows, 3);
        for (int64_t c = 0; c < f.columns; c++) assert_true(f.values[c] == cases[i].first[c]);
        assert_string_equal(f.time_name, "date");
        assert_string_equal(f.warnings, "");
        assert_int_equal(strlen(f.sha256), 64);
        frame_free(&f);
    }
}

/* What is refused: the file, the options, and the place and a part of the message. */
typedef struct refused {
    const char *text;
    frame_options options;
    tide_status status;
    int64_t row;
    const char *column, *message;
} refused;

static void expect_refused(const refused *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        frame f;
        tide_failure failure;
        tide_status status = read_text(cases[i].text, &cases[i].options, &f, &failure);
        if (!status) fail_msg("case %zu is accepted, expected \"%s\"", i, cases[i].message);
        expect_has(failure.message, cases[i].message);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(failure.status, status);
        if (failure.row != cases[i].row)
            fail_msg("case %zu: expected line %d, got %d", i, (int)cases[i].row, (int)failure.row);
        assert_string_equal(failure.column, cases[i].column);
        assert_null(f.values);
    }
}

static void test_refused_columns(void **state) {
    (void)state;
    static const refused cases[] = {
        { small, { .target = "OTT" }, TIDE_EDATA, 1, "OTT", "did you mean 'OT'? The columns are a, OT, b" },
        { small, { .target = "load" }, TIDE_EDATA, 1, "load", "the columns are a, OT, b" },
        { small, { .target = "date" }, TIDE_EDATA, 1, "date", "the columns are a, OT, b" },
        { small, { .columns = "a,c" }, TIDE_EDATA, 1, "c", "`columns`: there is no column 'c'" },
        { small, { .ignore = "x" }, TIDE_EDATA, 1, "x", "`ignore`: there is no column 'x'" },
        { small, { .ignore = "OT", .target = "OT" }, TIDE_EDATA, 1, "OT", "the columns are a, b" },
        { small, { .ignore = "a,OT,b" }, TIDE_EDATA, 1, "", "no column of values is left" },
        { small, { .time_column = "when" }, TIDE_EDATA, 1, "when", "`time-column`: there is no column 'when'" },
        { small, { .freq = "moon" }, TIDE_EINVAL, 0, "freq", "'moon' is no frequency" },
        { small, { .decimal = ',', .separator = ',' }, TIDE_EINVAL, 0, "sep", "comma" },
        { small, { .kind = KIND_ETTH }, TIDE_EDATA, 0, "", "the first 14400" },
        { "date,a,a\n2020-01-01,1,2\n", { 0 }, TIDE_EDATA, 1, "a", "columns 2 and 3 are both named 'a'" },
        { "2020-01-01,1,2\n2020-01-02,1,2\n", { 0 }, TIDE_EDATA, 1, "", "the first line holds data" },
        { "1.5,2\n3,4\n", { 0 }, TIDE_EDATA, 1, "", "the first line holds data" },
        { "date,a\n", { 0 }, TIDE_EDATA, 1, "", "no rows" },
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void test_refused_cells(void **state) {
    (void)state;
    static const refused cases[] = {
        { "date,a,b\n2020-01-01,1,2\n2020-01-02,1,red\n", { 0 }, TIDE_EDATA, 3, "b", "'red' is not a finite number" },
        { "date,a,b\n2020-01-01,1,2\n2020-01-02,,3\n2020-01-03,NaN,3\n", { .missing = MISSING_ERROR }, TIDE_EDATA, 3,
          "a", "empty or NaN cells: 2, " },
        { "date,a,b\n2020-01-01,1,2\n2020-01-02,2,3\n2020-01-03,,3\n2020-01-05,1,3\n", { .missing = MISSING_ERROR },
          TIDE_EDATA, 4, "a", "empty or NaN cells, those of rows that are left out among them: 3, " },
        { "date,a,b\n2020-01-01,1,\n2020-01-02,2,\n", { 0 }, TIDE_EDATA, 0, "b", "no value at all" },
        { "date,a\n2020-01-01,inf\n2020-01-02,1\n", { 0 }, TIDE_EDATA, 2, "a", "not a finite number" },
        { "date;a\n2020-01-01;1,5\n2020-01-02;2,5\n", { .separator = ';' }, TIDE_EDATA, 2, "a", "`decimal` ," },
        { "date,a,b\n2020-01-01,1,\n2020-01-02,2,\n", { .missing = MISSING_FFILL }, TIDE_EDATA, 0, "b",
          "no value at all" },
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

static void test_refused_times(void **state) {
    (void)state;
    static const refused cases[] = {
        { "date,a\n2020-01-02,1\n2020-01-01,2\n", { 0 }, TIDE_EDATA, 3, "date", "the newest row comes first; `sort`" },
        { "date,a\n2020-01-01,1\n01.02.2020,2\n", { 0 }, TIDE_EDATA, 3, "date",
          "'01.02.2020' is no time stamp like those before it; accepted are" },
        { "date,a\n2020-01-01 00:00+01:00,1\n2020-01-01 01:00,2\n", { 0 }, TIDE_EDATA, 3, "date",
          "the time zone of those without, `tz` Europe/Berlin" },
        { "date,a\n2020-01-01,1\n1577923200,2\n", { 0 }, TIDE_EDATA, 3, "date", "an epoch or a date" },
        { "date,a\n2020-01-01,1\n2020-01-01,2\n2020-01-02,2\n", { .strict_dates = true }, TIDE_EDATA, 3, "date",
          "time stamps: 1 repeated" },
        { "u,v,a\n2020-01-01,2020-01-01,1\n2020-01-02,2020-01-02,2\n", { 0 }, TIDE_EDATA, 1, "v",
          "choose one with `time-column`" },
        { "date,a\n2020-01-01,1\n2020-01-01,2\n", { 0 }, TIDE_EDATA, 3, "date", "`aggregate` first, last or mean" },
        { "date,a\n2020-01-01,1\n2020-01-01,2\n", { .aggregate = AGGREGATE_KEEP }, TIDE_EDATA, 3, "date",
          "no common step" },
    };
    expect_refused(cases, sizeof cases / sizeof *cases);
}

/* What is read with a note: the step, the time column and part of the warnings. */
static void test_times(void **state) {
    (void)state;
    static const struct { const char *text; frame_options options; const char *column, *step, *warning; } cases[] = {
        { "x,ds\n1,2020-01-01\n2,2020-01-02\n", { 0 }, "ds", "d", "" },
        { "x,Timestamp\n1,1577836800\n2,1577836860\n", { 0 }, "Timestamp", "min", "" },
        { "x,when\n1,2020/1/1 0:00\n2,2020/1/1 0:15\n", { 0 }, "when", "15min", "" },
        { "open_time,close_time,x\n1577836800000,1577836859999,1500000002\n1577836860000,1577836919999,1500000001\n",
          { 0 }, "open_time", "min", "" },
        { "t,date,x\n2020-01-01,2020-01-01,1\n2020-01-02,2020-01-02,2\n", { .ignore = "date" }, "t", "d", "" },
        { "x,y\n1,2\n2,3\n", { .freq = "h" }, NULL, "h", "" },
        { "x,y\n1,2\n2,3\n", { 0 }, NULL, "none", "" },
        { "date,x\n2020-01-01,1\n2020-01-01,2\n2020-01-02,3\n2020-01-05,4\n2020-01-06,5\n",
          { .aggregate = AGGREGATE_KEEP }, "date", "d",
          "time stamps: 1 repeated, 2 missing, 0 off the step of d, first at line 3" },
        { "date,x\n2020-01-01 00:00,1\n2020-01-01 01:00,2\n2020-01-01 02:10,3\n2020-01-01 03:10,3.5\n", { 0 }, "date",
          "h",
          "0 missing, 1 off the step of h, first at line 4" },
        { "date,x\n2020-01-01,1\n2020-01-02,2\n", { .freq = "h" }, "date", "h", "most time stamps are d apart" },
        { "date,x\n2020-01-31,1\n2020-02-29,2\n2020-03-31,3\n", { .freq = "M" }, "date", "m", "" },
        { "date,x\n2020-01-01,1\n2020-01-01 12:00,2\n2020-01-02,3\n", { 0 }, "date", "12h", "" },
        { "date,,x\n2020-01-01,7,1\n2020-01-02,7,2\n", { 0 }, "date", "d", "column 2 has no name: left out" },
        { "date,x\n2020-01-01,1\n2020-01-02,-9999\n", { 0 }, "date", "d", "'x' holds -9999 in 1 row, far from its "
                                                                          "other values (1 to 1): if it marks a "
                                                                          "missing value, `na` -9999 takes it as one" },
        { "date,x,y\n2020-01-01,5,1\n2020-01-02,5,2\n2020-01-03,5,3\n", { 0 }, "date", "d",
          "constant over the 2 training rows, so not scaled: x" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        tide_failure failure;
        char step[STEP_TEXT];
        if (read_text(cases[i].text, &cases[i].options, &f, &failure)) fail_msg("case %zu: %s", i, failure.message);
        step_print(step, f.step);
        assert_string_equal(step, cases[i].step);
        if (cases[i].column) assert_string_equal(f.time_name, cases[i].column);
        else assert_null(f.time);
        if (cases[i].warning[0]) expect_has(f.warnings, cases[i].warning);
        else assert_string_equal(f.warnings, "");
        frame_free(&f);
    }
}

/* The format of the file's stamps serves for the next one. */
static void test_next_stamp(void **state) {
    (void)state;
    static const struct { const char *text, *next; } cases[] = {
        { "date,x\n2013/12/31 22:00,1\n2013/12/31 23:00,2\n", "2014/01/01 00:00" },
        { "date,x\n2013/1/1 9:00,1\n2013/1/1 10:00,2\n", "2013/1/1 11:00" },
        { "date,x\n2020-01-31,1\n2020-02-29,2\n2020-03-31,3\n", "2020-04-30" },
        { "date,x\n2020-01-30,1\n2020-02-29,2\n2020-03-30,3\n", "2020-04-30" },
        { "date,x\n2020-01-09T00:00:00Z,1\n2020-01-10T00:00:00Z,2\n", "2020-01-11T00:00:00Z" },
        { "date,x\n2020-01-01,1\n2020-01-01 12:00:00,2\n2020-01-02,3\n", "2020-01-02 12:00:00" },
        { "date,x\n1577836800000,1\n1577836860000,2\n", "1577836920000" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        tide_failure failure;
        char next[40];
        frame_options options = { 0 };
        if (read_text(cases[i].text, &options, &f, &failure)) fail_msg("case %zu: %s", i, failure.message);
        time_print(next, time_advance(f.time[f.rows - 1], f.step, 1), &f.format);
        assert_string_equal(next, cases[i].next);
        frame_free(&f);
    }
}

static void expect_column(const frame *f, int64_t column, const double *expected) {
    for (int64_t i = 0; i < f->rows; i++)
        expect_near(f->names[column], f->values[i * f->columns + column], expected[i], 1e-12);
}

static void test_missing(void **state) {
    (void)state;
    static const char text[] =
        "date,a,b\n2020-01-01,,1\n2020-01-02,2,NaN\n2020-01-03,na,\n2020-01-04,8,7\n2020-01-05,null,9\n";
    static const double ffill_a[] = { 2, 2, 2, 8, 8 }, linear_a[] = { 2, 2, 5, 8, 8 };
    static const double ffill_b[] = { 1, 1, 1, 7, 9 }, linear_b[] = { 1, 3, 5, 7, 9 };
    frame f;
    tide_failure failure;
    assert_int_equal(read_text(text, &(frame_options){ .missing = MISSING_FFILL }, &f, &failure), TIDE_OK);
    expect_column(&f, 0, ffill_a);
    expect_column(&f, 1, ffill_b);
    expect_has(f.warnings, "missing cells: 5, filled with the value before them, first at line 2");
    frame_free(&f);
    assert_int_equal(read_text(text, &(frame_options){ .missing = MISSING_LINEAR }, &f, &failure), TIDE_OK);
    expect_column(&f, 0, linear_a);
    expect_column(&f, 1, linear_b);
    frame_free(&f);
}

static void test_decimal_comma(void **state) {
    (void)state;
    frame f;
    tide_failure failure;
    assert_int_equal(
        read_text("date;x\n2020-01-01;1,5\n2020-01-02;-2,25e1\n", &(frame_options){ .decimal = ',' }, &f, &failure),
        TIDE_OK);
    assert_true(f.values[0] == 1.5 && f.values[1] == -22.5);
    frame_free(&f);
}

static void test_headerless_solar(void **state) {
    (void)state;
    frame f;
    tide_failure failure;
    assert_int_equal(read_text("1,2,3\n4,5,6\n", &(frame_options){ .kind = KIND_SOLAR }, &f, &failure), TIDE_OK);
    assert_int_equal(f.rows, 2);
    assert_int_equal(f.columns, 3);
    assert_int_equal(f.target, 2);
    assert_null(f.time);
    assert_true(f.values[5] == 6);
    frame_free(&f);
}

static void test_select(void **state) {
    (void)state;
    frame f;
    tide_failure failure;
    char names[200];
    assert_int_equal(read_text(small, &(frame_options){ 0 }, &f, &failure), TIDE_OK);
    char *wanted[] = { "OT", "a" }, *absent[] = { "a", "wind" };
    assert_int_equal(frame_select(&f, "new.csv", absent, 2, &failure), TIDE_EDATA);
    expect_has(failure.message, "needs a column 'wind'; the file has a, b, OT");
    assert_string_equal(failure.column, "wind");
    memset(&failure, 0, sizeof failure);
    assert_int_equal(frame_select(&f, "new.csv", wanted, 2, &failure), TIDE_OK);
    assert_string_equal(names_of(&f, names), "OT a");
    assert_int_equal(f.target, 0);
    assert_true(f.values[0] == 10 && f.values[1] == 1 && f.values[4] == 40);
    frame_free(&f);
}

/* Flow is channel 0; a gap is kept as NaN, for the scaler to fill. */
static void test_pems(void **state) {
    (void)state;
    static const float data[] = { 1, -1, 2, -2, 3, -3, 4, -4, NAN, -5, 6, -6 };
    char path[] = "/tmp/tidemill-pems-XXXXXX";
    close(mkstemp(path));
    tide_archive a = { 0 };
    tide_failure failure = { 0 };
    frame f;
    assert_int_equal(tide_archive_add(&a, "data", TIDE_F32, TIDE_SHAPE(3, 2, 2), data), TIDE_OK);
    assert_int_equal(tide_npz_write(path, &a, true, &failure), TIDE_OK);
    assert_int_equal(frame_read(path, &(frame_options){ .kind = KIND_PEMS }, &f, &failure), TIDE_OK);
    assert_int_equal(f.rows, 3);
    assert_int_equal(f.columns, 2);
    assert_string_equal(f.names[1], "1");
    assert_true(f.values[3] == 4 && isnan(f.values[4]) && f.values[5] == 6);
    frame_free(&f);
    assert_int_equal(
        frame_read(path, &(frame_options){ .kind = KIND_PEMS, .features = FEATURES_S, .target = "1" }, &f, &failure),
        TIDE_OK);
    assert_int_equal(f.columns, 1);
    assert_true(f.values[2] == 6);
    frame_free(&f);
    assert_int_equal(frame_read(path, &(frame_options){ .kind = KIND_PEMS, .target = "2" }, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, "there is no node '2'; nodes are 0 to 1");
    tide_archive_free(&a);
    unlink(path);
}

/* Damaged files are read or refused with a message, never more. */
static void test_damage(void **state) {
    (void)state;
    uint32_t seed = 5;
    for (int i = 0; i < 3000; i++) {
        char text[sizeof small];
        memcpy(text, small, sizeof small);
        for (int k = 0; k < 1 + i % 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            text[(seed >> 8) % (sizeof small - 1)] = ",;\n\"-:T 09.eN\r\xff"[seed >> 28];
        }
        frame f;
        tide_failure failure;
        tide_status status = read_text(text, &(frame_options){ .missing = (frame_missing)(i % 3) }, &f, &failure);
        if (status && !failure.message[0]) fail_msg("refused without a word: %s", text);
        assert_true(status || (f.rows > 0 && f.columns > 0 && f.target < f.columns));
        frame_free(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),       cmocka_unit_test(test_refused_columns),
        cmocka_unit_test(test_refused_cells),
        cmocka_unit_test(test_refused_times), cmocka_unit_test(test_times),           cmocka_unit_test(test_next_stamp),
        cmocka_unit_test(test_missing),       cmocka_unit_test(test_decimal_comma),
        cmocka_unit_test(test_headerless_solar),
        cmocka_unit_test(test_select),        cmocka_unit_test(test_pems),            cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
