/* Time columns as people have them: dates in any order, in two columns or in six, and files that are something else. */
#include <inttypes.h>

#include "forecast/data/calendar.h"
#include "data_support.h"

enum { ROOM = 1 << 16 };

typedef struct made { char text[ROOM]; size_t used; } made;

static void add(made *m, const char *format, ...) TIDE_PRINTF(2, 3);
static void add(made *m, const char *format, ...) {
    va_list args;
    va_start(args, format);
    m->used += (size_t)vsnprintf(m->text + m->used, ROOM - m->used, format, args);
    va_end(args);
    assert_true(m->used < ROOM);
}

static const char *stamps(int64_t start, int64_t step_s, int64_t rows, const time_format *format, const char *name,
                          made *m) {
    m->used = 0;
    add(m, "%s,a,b\n", name);
    for (int64_t i = 0; i < rows; i++) {
        char text[40];
        time_print(text, start + i * step_s, format);
        add(m, "%s,%g,%g\n", text, 10 + 0.25 * (double)(i % 9), 20 - 0.5 * (double)(i % 5));
    }
    return m->text;
}

static const int64_t january = 1672531200; /* 2023-01-01, a Sunday */

/* Every form is found under any name, read, and written as it was. */
static void test_forms(void **state) {
    (void)state;
    static const struct { time_format f; int64_t step_s, rows; const char *next; } cases[] = {
        { { .kind = 'd', .shape = DATE_DMY, .separator = '/', .padded = true }, DAY_SECONDS, 30, "31/01/2023" },
        { { .kind = 'd', .shape = DATE_DMY, .separator = '.', .padded = true, .middle = ' ', .hour_padded = true,
            .seconds = true }, 3600, 400, "17.01.2023 16:00:00" },
        { { .kind = 'd', .shape = DATE_MDY, .separator = '/', .middle = ' ', .half = 'A' }, 3600, 330,
          "1/14/2023 6:00 PM" },
        { { .kind = 'd', .shape = DATE_YMD, .separator = '.', .padded = true }, DAY_SECONDS, 20, "2023.01.21" },
        { { .kind = 'd', .shape = DATE_COMPACT }, DAY_SECONDS, 40, "20230210" },
        { { .kind = 'd', .separator = '-', .padded = true, .middle = ' ', .colon = '.', .seconds = true,
            .hour_padded = true }, 3600, 30, "2023-01-02 06.00.00" },
    };
    static made m;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame         f;
        tide_failure  failure;
        char          next[40];
        frame_options o = { 0 };
        if (read_text(stamps(january, cases[i].step_s, cases[i].rows, &cases[i].f, "When", &m), &o, &f, &failure) !=
            TIDE_OK)
            fail_msg("%s: %s", cases[i].next, failure.message);
        assert_int_equal(f.columns, 2);
        assert_string_equal(f.warnings, "");
        time_print(next, time_advance(f.time[f.file_rows - 1], f.step, 1), &f.format);
        assert_string_equal(next, cases[i].next);
        frame_free(&f);
    }
}

static void reads(const char *text, frame_options o, frame *f) {
    tide_failure failure;
    if (read_text(text, &o, f, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void refuses(const char *text, frame_options o, const char *words) {
    frame        f;
    tide_failure failure;
    assert_int_equal(read_text(text, &o, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, words);
}

/* Months and years. */
static void test_long_steps(void **state) {
    (void)state;
    frame f;
    char  next[40];
    reads("Month,a\n2011-11,1\n2011-12,2\n2012-01,3\n2012-02,4\n", (frame_options){ 0 }, &f);
    time_print(next, time_advance(f.time[3], f.step, 1), &f.format);
    assert_string_equal(next, "2012-03");
    frame_free(&f);
    reads("Year,a\n1999,1\n2000,2\n2001,3\n", (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 1);
    time_print(next, time_advance(f.time[2], f.step, 1), &f.format);
    assert_string_equal(next, "2002");
    frame_free(&f);
    reads("ds,a\n1,5\n2,6\n3,5\n4,7\n", (frame_options){ 0 }, &f); /* a count, and no time */
    assert_true(f.columns == 1 && !f.time);
    expect_has(f.warnings, "'ds' counts the rows (1, 2, ...): left out");
    frame_free(&f);
    reads("ds,a\n90,5\n91,6\n20000,5\n",
          (frame_options){ .run_time = "", .run_names = (char *[]){ "a" }, .run_count = 1 }, &f);
    assert_true(f.columns == 1 && !f.time); /* nor for a run that has none */
    frame_free(&f);
    refuses("ds,a\n45000,5\n45001,6\n45002,6\n", (frame_options){ 0 },
            "it is 2023-03-15: save the column as dates; if it only counts the rows, leave it out with `ignore` 'ds'");
    reads("a,b\n1999,1\n2003,2\n2001,3\n", (frame_options){ 0 }, &f); /* numbers */
    assert_int_equal(f.columns, 2);
    frame_free(&f);
}

/* No row decides: refused, and either option is followed. */
static void test_day_or_month(void **state) {
    (void)state;
    static const char text[] = "date,a\n01/02/2023,1\n01/03/2023,2\n01/04/2023,3\n01/05/2023,4\n";
    frame f;
    refuses(text, (frame_options){ 0 }, "`date-order` dmy or `date-order` mdy");
    reads(text, (frame_options){ .date_order = DATE_DMY }, &f);
    assert_int_equal(f.step.unit, UNIT_MONTH);
    frame_free(&f);
    reads(text, (frame_options){ .date_order = DATE_MDY }, &f);
    assert_int_equal(f.step.unit, UNIT_DAY);
    frame_free(&f);
    refuses("date,a\n13/01/2023,1\n01/13/2023,2\n", (frame_options){ 0 },
            "'01/13/2023' is no time stamp like those before it");
}

static void test_date_and_clock(void **state) {
    (void)state;
    frame f;
    char  part[40];
    static made m;
    m.used = 0;
    add(&m, "CO,Date,Time\n");
    for (int i = 0; i < 60; i++) add(&m, "%d,%02d/03/2004,%02d.00.00\n", i % 7, 20 + i / 24, i % 24);
    reads(m.text, (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 1);
    assert_int_equal(f.step.unit, UNIT_HOUR);
    assert_int_equal(f.time_columns.count, 2);
    time_print_part(part, f.time[59] + 3600, &f.format, f.time_columns.of[0].part);
    assert_string_equal(part, "22/03/2004");
    time_print_part(part, f.time[59] + 3600, &f.format, f.time_columns.of[1].part);
    assert_string_equal(part, "12.00.00");
    frame_free(&f);
    reads(m.text, (frame_options){ .time_column = "Date,Time" }, &f);
    assert_int_equal(f.time_columns.count, 2);
    frame_free(&f);
    reads("\"when, local\",a\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n",
          (frame_options){ .time_column = "when, local" }, &f);
    assert_string_equal(f.time_name, "when, local");
    frame_free(&f);
    refuses("clock,a\n10:00,1\n11:00,2\n", (frame_options){ 0 }, "times of day, and no other column their dates");
}

static void test_parts(void **state) {
    (void)state;
    frame f;
    static made m;
    m.used = 0;
    add(&m, "year,month,day,hour,pm\n");
    for (int i = 0; i < 60; i++) add(&m, "2010,1,%d,%d,%d\n", 1 + i / 24, i % 24, i % 11);
    reads(m.text, (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 1);
    assert_int_equal(f.time_columns.count, 4);
    assert_int_equal(f.step.unit, UNIT_HOUR);
    frame_free(&f);
    /* beside the stamps they are left out, and said to be; a column of the same name that is something else stays */
    m.used = 0;
    add(&m, "date,hour,weekday,day,pm\n");
    for (int i = 0; i < 60; i++)
        add(&m, "2023-01-%02d %02d:00:00,%d,%d,%d,%d\n", 1 + i / 24, i % 24, i % 24, (i / 24 + 6) % 7, i * i % 13,
            i % 11);
    reads(m.text, (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 2);
    assert_string_equal(f.names[0], "day");
    expect_has(f.warnings, "'hour' only repeats what the time stamps say: left out");
    expect_has(f.warnings, "'weekday' only repeats");
    frame_free(&f);
    reads(m.text, (frame_options){ .columns = "hour,pm" }, &f);
    assert_int_equal(f.columns, 2);
    frame_free(&f);
}

/* ---- order ---- */

static void test_sort(void **state) {
    (void)state;
    static const char blocks[] = "date,a\n2023-01-03,3\n2023-01-04,4\n2023-01-01,1\n2023-01-02,2\n";
    frame f;
    refuses("date,a\n2023-01-03,3\n2023-01-02,2\n2023-01-01,1\n", (frame_options){ 0 },
            "the newest row comes first; `sort`");
    refuses(blocks, (frame_options){ 0 }, "time runs backwards 1 time: 2023-01-01 comes after 2023-01-04; `sort`");
    reads(blocks, (frame_options){ .sort = true }, &f);
    for (int i = 0; i < 4; i++) assert_true(f.values[i] == i + 1);
    expect_has(f.warnings, "put in the order of time");
    frame_free(&f);
}

static void test_gaps(void **state) {
    (void)state;
    frame f;
    static made m;
    m.used = 0;
    add(&m, "date,a\n");
    for (int i = 0; i < 40; i++)
        if (i % 10 != 3 && i != 17) add(&m, "2023-01-%02d %02d:00:00,%d\n", 1 + i / 24, i % 24, i % 7);
    reads(m.text, (frame_options){ 0 }, &f);
    expect_has(f.warnings, "5 rows are left out (the step is h), at most 1 at once, first before line 5: put back");
    expect_has(f.warnings, "missing: 5 cells");
    assert_true(f.file_rows == 40 && f.gaps == 5 && isnan(f.values[3]) && isnan(f.values[17]) && f.values[18] == 4);
    for (int i = 0; i < 40; i++) assert_int_equal(f.time[i], f.time[0] + 3600 * i);
    frame_free(&f);
    m.used = 0;
    add(&m, "date,a\n");
    for (int day = 0; day < 4; day++) /* too few to tell whether there are more such days */
        for (int hour = 10; hour < 17; hour++)
            add(&m, "2024-01-%02d %02d:00:00,%d\n", 1 + day, hour, hour % 5);
    reads(m.text, (frame_options){ 0 }, &f);
    expect_has(f.warnings, "rows from 10:00 to 16:00 only");
    expect_has(f.warnings, "trading hours");
    expect_has(f.warnings, "`freq` can name hours and days, as 'h, Mon-Fri 10:00-16:00'");
    frame_free(&f);
    reads(m.text, (frame_options){ .freq = "h, Mon-Fri 10:00-16:00" }, &f);
    assert_string_equal(f.warnings, "");
    frame_free(&f);
    reads("date,a\n2023-01-01,1\n2023-01-02,2\n2023-01-02,9\n2023-01-03,3\n2023-01-04,4\n",
          (frame_options){ .aggregate = AGGREGATE_KEEP }, &f);
    expect_has(f.warnings, "1 time stamps stand twice, 1 of them with other values");
    frame_free(&f);
    reads("date,a\n2024-10-27 01:00:00+02:00,1\n2024-10-27 02:00:00+02:00,2\n2024-10-27 02:00:00+01:00,3\n",
          (frame_options){ 0 }, &f);
    assert_null(strstr(f.warnings, "repeated"));
    frame_free(&f);
}

/* pandas' words. */
static void test_steps(void **state) {
    (void)state;
    static const struct { const char *text; time_unit unit; int32_t day; } cases[] = {
        { "MS", UNIT_MONTH, 1 },   { "ME", UNIT_MONTH, 31 }, { "M", UNIT_MONTH, 0 },      { "QS", UNIT_QUARTER, 1 },
        { "QE-DEC", UNIT_QUARTER, 31 },
        { "Q-NOV", UNIT_QUARTER, 0 }, { "W-SUN", UNIT_WEEK, 0 }, { "YE", UNIT_YEAR, 31 }, { "A-DEC", UNIT_YEAR, 0 },
        { "T", UNIT_MINUTE, 0 },
    };
    time_step step;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!step_parse(cases[i].text, &step)) fail_msg("%s", cases[i].text);
        assert_int_equal(step.unit, cases[i].unit);
        assert_int_equal(step.day, cases[i].day);
    }
    assert_false(step_parse("ms", &step) || step_parse("h-SUN", &step) || step_parse("W-", &step));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),          cmocka_unit_test(test_long_steps),  cmocka_unit_test(test_day_or_month),
        cmocka_unit_test(test_date_and_clock), cmocka_unit_test(test_parts),
        cmocka_unit_test(test_sort),           cmocka_unit_test(test_gaps),        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests_name("time columns", tests, NULL, NULL);
}
