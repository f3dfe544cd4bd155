/* Stamps, the calendar, steps and marks. */
#include <time.h>

#include "forecast/data/calendar.h"
#include "data_support.h"

static int64_t stamp(const char *text) {
    int64_t seconds = 0;
    if (!time_parse(text, &seconds, NULL)) fail_msg("%s is no time stamp", text);
    return seconds;
}

/* The C library's calendar is the other opinion, over 1600 to 2500. */
static void test_calendar(void **state) {
    (void)state;
    for (int64_t days = -135140; days < 193580; days++) {
        time_t seconds = (time_t)(days * DAY_SECONDS);
        struct tm tm;
        char week[4];
        gmtime_r(&seconds, &tm);
        strftime(week, sizeof week, "%V", &tm);
        calendar_date d = calendar_date_of(days);
        assert_int_equal(d.year, tm.tm_year + 1900);
        assert_int_equal(d.month, tm.tm_mon + 1);
        assert_int_equal(d.day, tm.tm_mday);
        assert_int_equal(calendar_days(d), days);
        assert_int_equal(calendar_weekday(days), (tm.tm_wday + 6) % 7);
        assert_int_equal(calendar_day_of_year(days), tm.tm_yday + 1);
        assert_int_equal(calendar_iso_week(days), atoi(week));
    }
}

/* Text in every accepted form: its seconds, and printing gives the text back. */
static void test_stamps(void **state) {
    (void)state;
    static const struct { const char *text; int64_t seconds; } cases[] = {
        { "2016-07-01 00:00:00", 1467331200 },       { "2016-07-01T00:00:00", 1467331200 },
        { "2016-07-01", 1467331200 },                { "2016/7/1 0:00", 1467331200 },
        { "2016-7-1", 1467331200 },                  { "2013/1/1 00:00", 1356998400 },
        { "1969-12-31 23:59:59", -1 },               { "2016-07-01T00:00:00.000Z", 1467331200 },
        { "2016-07-01 06:30:15+02:00", 1467354615 }, { "2016-07-01T06:30-0530", 1467354600 },
        { "2016-07-01T06:30+02", 1467354600 },       { "1467331200", 1467331200 },
        { "1467331200000", 1467331200 },             { "2020-02-29 23:45", 1583019900 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds = 0;
        time_format format;
        char printed[40];
        if (!time_parse(cases[i].text, &seconds, &format)) fail_msg("%s is no time stamp", cases[i].text);
        assert_int_equal(seconds, cases[i].seconds);
        time_print(printed, seconds, &format);
        assert_string_equal(printed, cases[i].text);
    }
}

/* The quick way to the usual form says what the long one says, which a blank behind the stamp leads to; of anything
 * near it too. */
static void test_usual(void **state) {
    (void)state;
    uint64_t seed = 3;
    int found = 0;
    for (int i = 0; i < 200000; i++) {
        char text[24] = "2016-07-01 00:00:00", longer[26];
        for (int change = 0; change < 4; change++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            text[(seed >> 33) % 19] = "0123456789012345:- T."[(seed >> 45) % (change ? 16 : 21)];
        }
        snprintf(longer, sizeof longer, "%s ", text);
        int64_t quick = -1, slow = -1;
        time_format a = { 0 }, b = { 0 };
        bool is = time_parse_as(text, DATE_YMD, &quick, &a);
        assert_int_equal(is, time_parse_as(longer, DATE_YMD, &slow, &b));
        if (is && (quick != slow || memcmp(&a, &b, sizeof a))) fail_msg("%s is read in two ways", text);
        found += is;
    }
    assert_in_range(found, 1000, 199000);
}

static void test_no_stamps(void **state) {
    (void)state;
    static const char *const cases[] = {
        "", "12", "1.5", "20160701", "2016-13-01", "2016-02-30", "2019-02-29", "2016-07-01 24:00", "2016-07-01 00:60",
        "2016-07/01",
        "01.07.2016", "2016-07-01 00:00:00x", "2016-07-01 00:00:00.5", "2016-07-01 00:00:00.", "2016-07-01 00",
        "2016-07-01T", "16-07-01",
        "2016-07-01 00:00+2", "2016-07-01 00:00+020", "2016-07-01 00:00+0:200", "1467331200001", "1234567890123456",
        "yesterday",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t seconds;
        if (time_parse(cases[i], &seconds, NULL)) fail_msg("\"%s\" is taken for a time stamp", cases[i]);
    }
}

static void test_step_names(void **state) {
    (void)state;
    static const struct { const char *text, *printed; time_unit unit; int32_t count; } cases[] = {
        { "15min", "15min", UNIT_MINUTE, 15 }, { "h", "h", UNIT_HOUR, 1 },      { "1h", "h", UNIT_HOUR, 1 },
        { "3H", "3h", UNIT_HOUR, 3 },
        { "T", "min", UNIT_MINUTE, 1 },        { "d", "d", UNIT_DAY, 1 },       { "B", "b", UNIT_BUSINESS_DAY, 1 },
        { "w", "w", UNIT_WEEK, 1 },            { "m", "m", UNIT_MONTH, 1 },     { "q", "q", UNIT_QUARTER, 1 },
        { "Y", "y", UNIT_YEAR, 1 },            { "30s", "30s", UNIT_SECOND, 30 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        time_step step;
        char printed[STEP_TEXT];
        assert_true(step_parse(cases[i].text, &step));
        assert_int_equal(step.unit, cases[i].unit);
        assert_int_equal(step.count, cases[i].count);
        step_print(printed, step);
        assert_string_equal(printed, cases[i].printed);
    }
    static const char *const wrong[] = { "", "0h", "15", "fortnight", "h2", "-1h", "1.5h" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        time_step step;
        if (step_parse(wrong[i], &step)) fail_msg("\"%s\" is taken for a step", wrong[i]);
    }
}

static void test_advance(void **state) {
    (void)state;
    static const struct { const char *from; time_step step; int64_t steps; const char *to; } cases[] = {
        { "2016-12-31 23:45", { UNIT_MINUTE, 15, 0 }, 1, "2017-01-01 00:00" },
        { "2020-02-28 05:00", { UNIT_DAY, 1, 0 }, 2, "2020-03-01 05:00" },
        { "2020-01-03", { UNIT_BUSINESS_DAY, 1, 0 }, 1, "2020-01-06" },
        { "2020-01-03 17:00", { UNIT_BUSINESS_DAY, 1, 0 }, 11, "2020-01-20 17:00" },
        { "2020-01-04", { UNIT_BUSINESS_DAY, 1, 0 }, 1, "2020-01-06" },
        { "2020-01-31", { UNIT_MONTH, 1, 0 }, 1, "2020-02-29" },
        { "2020-02-29", { UNIT_MONTH, 1, 0 }, 1, "2020-03-31" },
        { "2019-02-28", { UNIT_MONTH, 1, 28 }, 1, "2019-03-28" },
        { "2019-02-28", { UNIT_MONTH, 1, 30 }, 1, "2019-03-30" },
        { "2020-11-15", { UNIT_MONTH, 2, 0 }, 3, "2021-05-15" },
        { "2020-12-31", { UNIT_QUARTER, 1, 0 }, 2, "2021-06-30" },
        { "2020-02-29", { UNIT_YEAR, 1, 0 }, 1, "2021-02-28" },
        { "2020-03-15", { UNIT_MONTH, 1, 0 }, -3, "2019-12-15" },
        { "2020-12-28", { UNIT_WEEK, 1, 0 }, 1, "2021-01-04" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t to = time_advance(stamp(cases[i].from), cases[i].step, cases[i].steps);
        if (to != stamp(cases[i].to)) fail_msg("case %zu, from %s: expected %s, got %+ld s", i, cases[i].from,
                                               cases[i].to,
                                               (long)(to - stamp(cases[i].to)));
    }
}

/* A series made with a step is found to have that step, from many starts. */
static void test_find(void **state) {
    (void)state;
    static const time_step steps[] = { { UNIT_SECOND, 1, 0 },  { UNIT_SECOND, 30, 0 }, { UNIT_MINUTE, 1, 0 },
                                       { UNIT_MINUTE, 15, 0 },
                                       { UNIT_HOUR, 1, 0 },    { UNIT_HOUR, 3, 0 },    { UNIT_DAY, 1, 0 },
                                       { UNIT_BUSINESS_DAY, 1, 0 },
                                       { UNIT_WEEK, 1, 0 },    { UNIT_WEEK, 2, 0 },    { UNIT_MONTH, 1, 0 },
                                       { UNIT_MONTH, 2, 0 },
                                       { UNIT_QUARTER, 1, 0 }, { UNIT_YEAR, 1, 0 },    { UNIT_YEAR, 2, 0 } };
    static const char *const starts[] = { "2016-07-01", "2020-01-31", "2019-01-30 06:00", "2020-02-29", "2015-12-28" };
    enum { ROWS = 20 };
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
        for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
            int64_t time[ROWS + 1], start = stamp(starts[s]);
            for (int i = 0; i <= ROWS; i++) time[i] = time_advance(start, steps[k], i);
            time_step found = step_find(time, ROWS);
            char a[STEP_TEXT], b[STEP_TEXT];
            step_print(a, steps[k]);
            step_print(b, found);
            if (strcmp(a, b)) fail_msg("from %s: expected %s, found %s", starts[s], a, b);
            assert_int_equal(time_advance(time[ROWS - 1], found, 1), time[ROWS]);
        }
}

static void test_find_irregular(void **state) {
    (void)state;
    int64_t none[] = { 5 }, same[] = { 5, 5, 5 }, gaps[] = { 0, 3600, 3600, 7200, 90000, 93600 };
    assert_int_equal(step_find(none, 1).unit, UNIT_NONE);
    assert_int_equal(step_find(same, 3).unit, UNIT_NONE);
    assert_int_equal(step_find(gaps, 6).unit, UNIT_HOUR);
    int64_t month_ends[] = { stamp("2020-02-29"), stamp("2020-03-31"), stamp("2020-04-30"), stamp("2020-05-31") };
    assert_int_equal(step_find(month_ends, 4).day, 31);
}

/* itransformer.md, section 7. */
static void test_marks(void **state) {
    (void)state;
    static const struct { const char *stamp; time_unit unit; int32_t count; double marks[6]; } cases[] = {
        { "2016-07-01 00:00:00", UNIT_HOUR, 4, { -0.5, 0.166666667, -0.5, -0.001369863 } },
        { "2018-06-26 19:00:00", UNIT_HOUR, 4, { 0.326086957, -0.333333333, 0.333333333, -0.017808219 } },
        { "2016-12-31 23:45:00", UNIT_MINUTE, 5, { 0.262711864, 0.5, 0.333333333, 0.5, 0.5 } },
        { "2016-12-31 23:45:00", UNIT_MONTH, 1, { 0.5 } },
        { "2016-12-31 23:45:00", UNIT_QUARTER, 1, { 0.5 } },
        { "2016-12-31 23:45:00", UNIT_WEEK, 2, { 0.5, 0.480769231 } },
        { "2021-01-01 06:30:59", UNIT_SECOND, 6, { 0.5, 0.008474576, -0.239130435, 0.166666667, -0.5, -0.5 } },
        { "2021-01-01 06:30:59", UNIT_WEEK, 2, { -0.5, 0.5 } },
        { "2021-01-01 06:30:59", UNIT_BUSINESS_DAY, 3, { 0.166666667, -0.5, -0.5 } },
        { "2021-01-01 06:30:59", UNIT_YEAR, 0, { 0 } },
        { "2021-01-01 06:30:59", UNIT_NONE, 0, { 0 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        time_step step = { cases[i].unit, 15, 0 };
        float marks[6];
        assert_int_equal(marks_count(step), cases[i].count);
        marks_fill(stamp(cases[i].stamp), step, marks);
        for (int k = 0; k < cases[i].count; k++) expect_near(cases[i].stamp, marks[k], cases[i].marks[k], 3e-8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calendar), cmocka_unit_test(test_stamps),  cmocka_unit_test(test_usual),
        cmocka_unit_test(test_no_stamps),
        cmocka_unit_test(test_step_names), cmocka_unit_test(test_advance), cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_irregular), cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
