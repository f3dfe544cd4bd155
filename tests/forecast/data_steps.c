/* Steps by pandas' words, and labels that stand for more than a day. Stamps are those of pandas 2.2's date_range. */
#include <inttypes.h>

#include "forecast/data/calendar.h"
#include "forecast/data/date.h"
#include "data_support.h"

enum { ROOM = 1 << 16, NEXT = 3 };

static const char *series(const char *const *stamps, char text[ROOM]) {
    size_t used = (size_t)snprintf(text, ROOM, "date,a,b\n");
    for (int i = 0; stamps[i]; i++)
        used += (size_t)snprintf(text + used, ROOM - used, "\"%s\",%d,%d\n", stamps[i], 10 + i % 7, 20 - i % 5);
    return text;
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

static void expect_next(const frame *f, const char *const *next) {
    for (int i = 0; i < NEXT && next[i]; i++) {
        char stamp[40];
        time_print(stamp, time_advance(f->time[f->file_rows - 1], f->step, i + 1), &f->format);
        assert_string_equal(stamp, next[i]);
    }
}

/* Found from the stamps, and by name: the same, without a word. */
static void test_found_and_named(void **state) {
    (void)state;
    static const struct { const char *freq, *found, *stamps[8], *next[NEXT]; } cases[] = {
        { "BME", "BME", { "2023-01-31", "2023-02-28", "2023-03-31", "2023-04-28", "2023-05-31" },
          { "2023-06-30", "2023-07-31", "2023-08-31" } },
        { "BMS", "BMS", { "2022-12-01", "2023-01-02", "2023-02-01", "2023-03-01", "2023-04-03", "2023-05-01" },
          { "2023-06-01", "2023-07-03", "2023-08-01" } },
        { "BQE-DEC", "BQE", { "2022-12-30", "2023-03-31", "2023-06-30", "2023-09-29", "2023-12-29" },
          { "2024-03-29", "2024-06-28", "2024-09-30" } },
        { "BYE-DEC", "BYE", { "2020-12-31", "2021-12-31", "2022-12-30", "2023-12-29" },
          { "2024-12-31", "2025-12-31", "2026-12-31" } },
        { "ME", "m", { "2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30" },
          { "2023-05-31", "2023-06-30", "2023-07-31" } },
        { "MS", "m", { "2023-01-01", "2023-02-01", "2023-03-01", "2023-04-01" },
          { "2023-05-01", "2023-06-01", "2023-07-01" } },
        { "6ME", "6m", { "2021-06-30", "2021-12-31", "2022-06-30", "2022-12-31" },
          { "2023-06-30", "2023-12-31", "2024-06-30" } },
        { "QE-NOV", "q", { "2022-11-30", "2023-02-28", "2023-05-31", "2023-08-31" },
          { "2023-11-30", "2024-02-29", "2024-05-31" } },
        { "QS-JAN", "q", { "2022-10-01", "2023-01-01", "2023-04-01" }, { "2023-07-01", "2023-10-01", "2024-01-01" } },
        { "YE-JUN", "y", { "2020-06-30", "2021-06-30", "2022-06-30" }, { "2023-06-30", "2024-06-30", "2025-06-30" } },
        { "W-SUN", "w", { "2023-01-01", "2023-01-08", "2023-01-15" }, { "2023-01-22", "2023-01-29", "2023-02-05" } },
        { "2W-SAT", "2w", { "2023-01-07", "2023-01-21", "2023-02-04" }, { "2023-02-18", "2023-03-04", "2023-03-18" } },
        { "B", "b", { "2023-01-05", "2023-01-06", "2023-01-09", "2023-01-10" },
          { "2023-01-11", "2023-01-12", "2023-01-13" } },
        { "4h", "4h", { "2023-01-01 16:00", "2023-01-01 20:00", "2023-01-02 00:00" },
          { "2023-01-02 04:00", "2023-01-02 08:00", "2023-01-02 12:00" } },
        { "15min", "15min", { "2023-01-01 23:15", "2023-01-01 23:30", "2023-01-01 23:45" },
          { "2023-01-02 00:00", "2023-01-02 00:15", "2023-01-02 00:30" } },
    };
    static char text[ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int named = 0; named < 2; named++) {
            frame f;
            char  step[STEP_TEXT];
            reads(series(cases[i].stamps, text), (frame_options){ .freq = named ? cases[i].freq : NULL }, &f);
            assert_string_equal(f.warnings, "");
            if (!named) step_print(step, f.step), assert_string_equal(step, cases[i].found);
            expect_next(&f, cases[i].next);
            frame_free(&f);
        }
}

/* A word that the stamps contradict is refused, and the word that the refusal names is taken. */
static void test_contradiction(void **state) {
    (void)state;
    static const struct { const char *freq, *fits, *stamps[8]; } cases[] = {
        { "W-SUN", "W-MON", { "2023-01-02", "2023-01-09", "2023-01-16" } },
        { "2W-SUN", "2W-TUE", { "2023-01-03", "2023-01-17", "2023-01-31" } },
        { "MS", "ME", { "2023-01-31", "2023-02-28", "2023-03-31" } },
        { "ME", "MS", { "2023-01-01", "2023-02-01", "2023-03-01" } },
        { "ME", "m", { "2023-01-15", "2023-02-15", "2023-03-15" } },
        { "ME", "BME", { "2023-04-28", "2023-07-31", "2023-08-31", "2023-09-29", "2023-10-31" } },
        { "QE-DEC", "QE-NOV", { "2022-11-30", "2023-02-28", "2023-05-31", "2023-08-31" } },
        { "QE-DEC", "QS-JAN", { "2022-10-01", "2023-01-01", "2023-04-01" } },
        { "Q-NOV", "QS-JAN", { "2022-10-01", "2023-01-01", "2023-04-01" } },
        { "YE-DEC", "YE-JUN", { "2020-06-30", "2021-06-30", "2022-06-30" } },
        { "MS", "d", { "2023-01-03", "2023-01-04", "2023-01-05" } },
    };
    static char text[ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        char  words[80];
        snprintf(words, sizeof words, "`freq` %s does not fit the time stamps, such as %s; `freq` %s does",
                 cases[i].freq, cases[i].stamps[0], cases[i].fits);
        refuses(series(cases[i].stamps, text), (frame_options){ .freq = cases[i].freq },
                strstr(words, "2023-04-28") ? "`freq` BME does" : words);
        reads(text, (frame_options){ .freq = cases[i].fits }, &f);
        frame_free(&f);
    }
    static const char *const wrong[] = { "W-FOO", "MS-JAN", "h-SUN", "W-", "ms", "BH", "QE-SUN", "W-JAN", "-W", "0ME" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        time_step step;
        if (step_parse(wrong[i], &step)) fail_msg("\"%s\" is taken for a step", wrong[i]);
    }
}

/* Holidays move some days of trade; the forecast goes by the weekdays. */
static void test_moved_days(void **state) {
    (void)state;
    static const char *const stamps[] = { "2021-03-31", "2021-04-30", "2021-05-28" /* not 05-31 */, "2021-06-30",
                                          "2021-07-30", "2021-08-31", "2021-09-30", "2021-10-29", NULL },
                     *const next[NEXT] = { "2021-11-30", "2021-12-31", "2022-01-31" };
    static char text[ROOM];
    frame f;
    reads(series(stamps, text), (frame_options){ 0 }, &f);
    expect_next(&f, next);
    expect_has(f.warnings, "1 off the step of BME");
    frame_free(&f);
}

/* ---- labels ---- */

static const char *days_text(int64_t seconds, char text[16]) {
    calendar_date d = calendar_date_of(floor_div(seconds, DAY_SECONDS));
    snprintf(text, 16, "%04d-%02d-%02d", (int)d.year, (int)d.month, (int)d.day);
    return text;
}

/* Every form is read under any name, its first day known, and the next ones are written in the same form. */
static void test_labels(void **state) {
    (void)state;
    static const struct { const char *stamps[8], *first, *step, *next[NEXT]; } cases[] = {
        { { "2022Q3", "2022Q4", "2023Q1" }, "2022-07-01", "q", { "2023Q2", "2023Q3", "2023Q4" } },
        { { "2022-Q3", "2022-Q4", "2023-Q1" }, "2022-07-01", "q", { "2023-Q2", "2023-Q3", "2023-Q4" } },
        { { "Q3 2022", "Q4 2022", "Q1 2023" }, "2022-07-01", "q", { "Q2 2023", "Q3 2023", "Q4 2023" } },
        { { "2022 q3", "2022 q4", "2023 q1" }, "2022-07-01", "q", { "2023 q2", "2023 q3", "2023 q4" } },
        { { "2021H2", "2022H1", "2022H2" }, "2021-07-01", "6m", { "2023H1", "2023H2", "2024H1" } },
        { { "2020-W52", "2020-W53", "2021-W01" }, "2020-12-21", "w", { "2021-W02", "2021-W03", "2021-W04" } },
        { { "2020W51", "2020W52", "2020W53" }, "2020-12-14", "w", { "2021W01", "2021W02", "2021W03" } },
        { { "2020-W53-6", "2020-W53-7", "2021-W01-1" }, "2021-01-02", "d",
          { "2021-W01-2", "2021-W01-3", "2021-W01-4" } },
        { { "2022M11", "2022M12", "2023M01" }, "2022-11-01", "m", { "2023M02", "2023M03", "2023M04" } },
        { { "Jan 2023", "Feb 2023", "Mar 2023" }, "2023-01-01", "m", { "Apr 2023", "May 2023", "Jun 2023" } },
        { { "May 2022", "June 2022", "July 2022" }, "2022-05-01", "m",
          { "August 2022", "September 2022", "October 2022" } },
        { { "Jul 2023", "Aug 2023", "Sept 2023" }, "2023-07-01", "m", { "Oct 2023", "Nov 2023", "Dec 2023" } },
        { { "AUG-2022", "SEPT-2022", "OCT-2022", "NOV-2022", "DEC-2022" }, "2022-08-01", "m", { "JAN-2023" } },
        { { "Sept-2021", "Sept-2022", "Sept-2023" }, "2021-09-01", "y", { "Sept-2024" } },
        { { "2023-Jan", "2023-Feb", "2023-Mar" }, "2023-01-01", "m", { "2023-Apr", "2023-May", "2023-Jun" } },
        { { "NOV2022", "DEC2022", "JAN2023" }, "2022-11-01", "m", { "FEB2023", "MAR2023", "APR2023" } },
        { { "30-Dec-2022", "31-Dec-2022", "01-Jan-2023" }, "2022-12-30", "d",
          { "02-Jan-2023", "03-Jan-2023", "04-Jan-2023" } },
        { { "31 Dec 2022", "1 Jan 2023", "2 Jan 2023" }, "2022-12-31", "d", { "3 Jan 2023", "4 Jan 2023" } },
        { { "Dec 31, 2022", "Jan 1, 2023", "Jan 2, 2023" }, "2022-12-31", "d", { "Jan 3, 2023", "Jan 4, 2023" } },
        { { "January 01, 2023 22:00", "January 01, 2023 23:00", "January 02, 2023 00:00" }, "2023-01-01", "h",
          { "January 02, 2023 01:00" } },
        { { "1 jan 2023 9:00 pm", "1 jan 2023 10:00 pm", "1 jan 2023 11:00 pm", "2 jan 2023 12:00 am" },
          "2023-01-01", "h",
          { "2 jan 2023 1:00 am", "2 jan 2023 2:00 am" } },
    };
    static char text[ROOM];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        frame f;
        char  step[STEP_TEXT], first[16];
        reads(series(cases[i].stamps, text), (frame_options){ .time_column = i % 2 ? "date" : NULL }, &f);
        assert_int_equal(f.columns, 2);
        assert_string_equal(f.warnings, "");
        assert_string_equal(days_text(f.time[0], first), cases[i].first);
        step_print(step, f.step), assert_string_equal(step, cases[i].step);
        expect_next(&f, cases[i].next);
        frame_free(&f);
    }
}

/* Beside days a label only repeats them; one that says something else is no series, either. */
static void test_beside_days(void **state) {
    (void)state;
    frame f;
    reads("Quarter,When,Month,a\n2022Q4,2022-11-30,Nov 2022,1\n2022Q4,2022-12-31,Dec 2022,2\n"
          "2023Q1,2023-01-31,Jan 2023,3\n", (frame_options){ 0 }, &f);
    assert_int_equal(f.columns, 1);
    assert_string_equal(f.time_name, "When");
    expect_has(f.warnings, "'Quarter' only repeats what the time stamps say");
    expect_has(f.warnings, "'Month' only repeats what the time stamps say");
    frame_free(&f);
    refuses("Fiscal,When,a\n2023Q1,2022-11-30,1\n2023Q1,2022-12-31,2\n2023Q2,2023-01-31,3\n", (frame_options){ 0 },
            "`ignore` 'Fiscal'");
}

/* Two digits are read beside a month's name alone, which is told, and are written only where they are read so. */
static void test_short_years(void **state) {
    (void)state;
    static const char *const old[] = { "Nov-49", "Dec-49", "Jan-50", NULL },
                     *const after[NEXT] = { "Feb-50", "Mar-50" },
                     *const late[] = { "Oct-29", "Nov-29", "Dec-29", NULL },
                     *const beyond[NEXT] = { "Jan-2030", "Feb-2030" };
    static char text[ROOM];
    frame f;
    reads(series(old, text), (frame_options){ 0 }, &f);
    expect_has(f.warnings, "years of two digits are those from 1930 to 2029: 'Nov-49' is read as 1949-11-01");
    expect_next(&f, after);
    frame_free(&f);
    reads(series(late, text), (frame_options){ 0 }, &f);
    expect_next(&f, beyond);
    frame_free(&f);
}

static void test_no_labels(void **state) {
    (void)state;
    static const char *const wrong[] = { "2023Q5", "2023Q0", "2023Q12", "23Q1", "2023H3", "2023-W54", "2021-W53",
                                         "2023-W00", "2023-W05-8", "2023W051", "2023M13", "Jan 23", "23-Jan",
                                         "Foo 2023", "Janu 2023", "31-Feb-2023", "Jan-1 2023", "Jan 2023x", "2023 Q 1",
                                         "Q1", "Jan", "2023-", "1-Jan 2023", "Jan 1,, 2023" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        for (date_shape s = DATE_LABELS; s < DATE_SHAPES; s++) {
            int64_t seconds;
            if (time_parse_as(wrong[i], s, &seconds, NULL)) fail_msg("\"%s\" is taken for a label", wrong[i]);
        }
    refuses("date,a\n2023Q1,1\n2023Q2,2\n1Q23,3\n2023Q4,4\n", (frame_options){ 0 }, "'1Q23' is no time stamp");
    refuses("date,a\n2023Q1,1\n2023Q2,2\n2023-07,3\n2023Q4,4\n", (frame_options){ 0 },
            "'2023-07' is no time stamp like those before it");
}

/* Whatever is printed is read back, from any day, in every form. */
static void test_round_trip(void **state) {
    (void)state;
    for (date_shape s = DATE_LABELS; s < DATE_SHAPES; s++)
        for (int64_t days = -30000; days < 40000; days += 11) {
            static const char separators[] = { '-', ' ', '/', 0 };
            time_format f = { .kind = 'd', .shape = (char)s, .month_name = days % 2 ? 'b' : 'B',
                              .letters = "\0ul"[floor_mod(days, 3)], .padded = days % 4 < 2,
                              .short_year = days % 5 == 0,
                              .separator = separators[floor_mod(days, s == DATE_WEEK_DAY ? 3 : 4)],
                              .comma = s == DATE_NAME_D_Y && days % 7 == 0 };
            char    text[40], again[40];
            int64_t seconds;
            time_format read;
            if (f.separator == ' ' || !f.separator) f.short_year = f.short_year && s == DATE_D_NAME_Y;
            if (s != DATE_NAME_Y && s != DATE_D_NAME_Y) f.short_year = false;
            if (!f.separator && (s == DATE_QUARTER_Y || s == DATE_HALF_Y || s == DATE_NAME_D_Y)) f.separator = '.';
            time_print(text, days * DAY_SECONDS, &f);
            if (!time_parse_as(text, s, &seconds, &read)) fail_msg("\"%s\" is not read back", text);
            time_print(again, seconds, &read);
            if (strcasecmp(text, again) != 0) fail_msg("\"%s\" comes back as \"%s\"", text, again);
            if (date_shape_days(s) == 1) assert_int_equal(seconds, days * DAY_SECONDS);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_and_named), cmocka_unit_test(test_contradiction), cmocka_unit_test(test_moved_days),
        cmocka_unit_test(test_labels),          cmocka_unit_test(test_short_years),   cmocka_unit_test(test_no_labels),
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_beside_days),
    };
    return cmocka_run_group_tests_name("steps and labels", tests, NULL, NULL);
}
