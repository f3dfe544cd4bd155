/* Rows at certain hours of a week: found where that is clear, moved by, and kept in a run as a word. */
#include <inttypes.h>

#include "forecast/data/calendar.h"
#include "forecast/score/score.h"
#include "data_support.h"

enum { MONDAY = 1704067200 /* 2024-01-01 */, WEEK = 7 * DAY_SECONDS, ROOM = 20000 };

/* Is there a row in this minute of this weekday? */
typedef bool (*opening)(int day, int minute);

static bool shares(int day, int minute) { return day < 5 && minute >= 600 && minute <= 960; }
static bool half_hours(int day, int minute) { return day < 5 && minute >= 570 && minute <= 930; }
static bool lunch(int day, int minute) {
    return day < 5 && ((minute >= 540 && minute <= 690) || (minute >= 750 && minute <= 900));
}
static bool no_nights(int day, int minute) { return day < 7 && minute >= 360 && minute <= 1320; }
static bool shop(int day, int minute) {
    return day < 5 ? minute >= 480 && minute <= 1080 : day == 5 && minute >= 540 && minute <= 780;
}
static bool currencies(int day, int minute) {
    return day < 4 || (day == 4 && minute < 1320) || (day == 6 && minute >= 1320);
}
static bool no_sundays(int day, int minute) { return day < 6 && minute >= 0; }
static bool gulf(int day, int minute) { return (day < 4 || day == 6) && minute >= 0; }
static bool thrice(int day, int minute) { return (day == 0 || day == 2 || day == 4) && minute >= 0; }
static bool always(int day, int minute) { return day < 7 && minute >= 0; }

static const struct {
    const char *step;
    opening     open;
    int         minutes, first_minute, weeks;
    int64_t     season;
} cases[] = {
    { "h, Mon-Fri 10:00-16:00", shares, 60, 0, 3, 7 },
    { "h, Mon-Fri 10:00-16:00", shares, 60, 0, 2, 7 },
    { "h, Mon-Fri 09:30-15:30", half_hours, 60, 30, 3, 7 },
    { "5min, Mon-Fri 10:00-16:00", shares, 5, 0, 3, 73 },
    { "15min, Mon-Fri 09:00-11:30 12:30-15:00", lunch, 15, 0, 3, 22 },
    { "h, Mon-Sun 06:00-22:00", no_nights, 60, 0, 3, 17 },
    { "h, Mon-Fri 08:00-18:00, Sat 09:00-13:00", shop, 60, 0, 4, 60 },
    { "h, Mon-Thu 00:00-23:00, Fri 00:00-21:00, Sun 22:00-23:00", currencies, 60, 0, 5, 120 },
    { "d, Mon-Sat", no_sundays, 1440, 0, 5, 6 },
    { "d, Mon-Sat", no_sundays, 1440, 990, 5, 6 }, /* at 16:30 */
    { "d, Mon-Thu, Sun", gulf, 1440, 0, 6, 5 },
    { "d, Mon, Wed, Fri", thrice, 1440, 0, 6, 3 },
    { "h", always, 60, 0, 3, 24 },
    { "d", always, 1440, 0, 6, 7 },
};
enum { CASES = sizeof cases / sizeof *cases };

/* Stamps of `weeks` weeks from a Monday on, by looking at each minute. */
static int64_t make(int c, int weeks, int64_t *time) {
    int64_t rows = 0;
    for (int64_t m = cases[c].first_minute; m < (int64_t)weeks * WEEK / 60; m += cases[c].minutes)
        if (cases[c].open((int)(m / 1440 % 7), (int)(m % 1440))) time[rows++] = MONDAY + 60 * m;
    assert_true(rows < ROOM);
    return rows;
}

static int64_t made[ROOM], kept[ROOM];

static void expect_step(time_step step, const char *text) {
    char printed[STEP_TEXT];
    step_print(printed, step);
    assert_string_equal(printed, text);
}

/* Moving by any number of rows is standing there in the table, from each row and back. */
static void test_found_and_moved(void **state) {
    (void)state;
    for (int c = 0; c < CASES; c++) {
        int64_t   rows = make(c, cases[c].weeks + 2, made), shown = make(c, cases[c].weeks, kept);
        time_step step = step_find(kept, shown), read;
        expect_step(step, cases[c].step);
        assert_int_equal(season_default(step), cases[c].season);
        assert_true(step_parse(cases[c].step, &read));
        for (int64_t i = 0; i < rows; i += 1 + i % 3)
            for (int64_t to = 0; to < rows; to += 1 + (i + to) % 29) {
                assert_int_equal(time_advance(made[i], step, to - i), made[to]);
                assert_int_equal(time_advance(made[i], read, to - i), made[to]);
            }
    }
}

/* Stamps off the hours go on with the next row, and none leads out of what an integer holds. */
static void test_between(void **state) {
    (void)state;
    time_step step;
    assert_true(step_parse("h, Mon-Fri 10:00-16:00", &step));
    assert_int_equal(time_advance(MONDAY, step, 1), MONDAY + 10 * 3600);
    assert_int_equal(time_advance(MONDAY + 17 * 3600, step, 1), MONDAY + DAY_SECONDS + 10 * 3600);
    assert_int_equal(time_advance(MONDAY + 10 * 3600 + 60, step, 1), MONDAY + 11 * 3600);
    assert_int_equal(time_advance(MONDAY + 5 * DAY_SECONDS, step, 1), MONDAY + WEEK + 10 * 3600);
    assert_int_equal(time_advance(MONDAY + 5 * DAY_SECONDS, step, 0), MONDAY + 5 * DAY_SECONDS);
    assert_int_equal(time_advance(-4 * DAY_SECONDS, step, 1), -3 * DAY_SECONDS + 10 * 3600); /* from a Sunday of 1969 */
    assert_false(time_writable(time_advance(0, step, INT64_MAX)) || time_writable(time_advance(0, step, INT64_MIN)));
}

static uint64_t seed = 88172645463325252u;

static double random_share(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

/* Rows left out by chance make no sessions, whatever their share; and spoil none. */
static void test_left_out(void **state) {
    (void)state;
    for (int trial = 0; trial < 400; trial++)
        for (int c = 0; c < CASES; c++) {
            double  share = trial % 20 / 60.0; /* up to 0.32 */
            bool    all = cases[c].open == always, few = share < 0.06;
            int64_t rows = make(c, all ? 2 + trial % 7 : 4 * cases[c].weeks, made), left = 0;
            if (!all && (!few || trial % 10)) continue;
            for (int64_t i = 0; i < rows; i++)
                if (i == 0 || i == rows - 1 || random_share() >= share) kept[left++] = made[i];
            time_step step = step_find(kept, left);
            if (all && step.sessions) {
                char text[STEP_TEXT];
                step_print(text, step);
                fail_msg("%.3f of the rows of %d weeks left out make \"%s\"", share, 2 + trial % 7, text);
            }
            if (!all) expect_step(step, cases[c].step);
        }
}

/* One week, a day off now and then, and a Sunday that was open once. */
static void test_clear(void **state) {
    (void)state;
    int64_t rows = make(0, 1, made);
    assert_int_equal(step_find(made, rows).sessions, 0);
    rows = make(0, 30, made);
    int64_t left = 0;
    for (int64_t i = 0; i < rows; i++)
        if ((made[i] - MONDAY) / DAY_SECONDS % 31 != 9) kept[left++] = made[i];
    assert_true(left < rows);
    expect_step(step_find(kept, left), "h, Mon-Fri 10:00-16:00");
    rows = make(8, 40, made), left = 0;
    for (int64_t i = 0; i < rows; i++) {
        kept[left++] = made[i];
        if (i == 101) kept[left++] = made[i] + DAY_SECONDS; /* a Saturday's next day */
    }
    expect_step(step_find(kept, left), "d, Mon-Sat");
    /* stamps on weekdays but for one Saturday are business days */
    left = 0;
    for (int64_t day = 0; day < 700; day++)
        if (day % 7 < 5 || day == 341) kept[left++] = MONDAY + day * DAY_SECONDS;
    expect_step(step_find(kept, left), "b");
}

static void test_words(void **state) {
    (void)state;
    static const char *const right[] = {
        "h, Mon-Fri 10:00-16:00",            "15min, Mon-Fri 09:00-11:30 12:30-15:00", "d, Sat-Sun",
        "30min, Mon 09:00, Wed 08:30-10:00", "4h, Mon-Sun 08:00-12:00 18:00",
    };
    static const char *const wrong[] = {
        "h, ", "h,", "h, Mon", "h, Mon 10", "h, Mon 10:00-", "h, Mon 10:00-09:00", "d, Mon 10:00", "h, Mon 10:00-10:30",
        "h, Mon-Foo 10:00", "h, Tue 10:00, Mon 10:00", "w, Mon", "h, Fri-Mon 10:00", "h, Mon 10:00-12:00 11:00",
        "h, Mon 24:00", "h, Mon 10:60", "2d, Mon", "s, Mon 10:00", "m, Mon", "h, Mon 10:00x", "h Mon 10:00", "BME, Mon",
        "24h, Mon 10:00", "h, Mon-Sun 00:00 02:00 04:00 06:00", "h, Mon 10:00,", "99999h, Mon 10:00",
    };
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        time_step step;
        assert_true(step_parse(right[i], &step));
        expect_step(step, right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        time_step step;
        if (step_parse(wrong[i], &step)) fail_msg("\"%s\" is taken for a step", wrong[i]);
    }
}

/* ---- files ---- */

static const char *file_of(int c, int weeks, char text[1 << 16]) {
    int64_t     rows = make(c, weeks, made);
    time_format f    = { .kind = 'd', .separator = '-', .padded = true, .middle = ' ', .hour_padded = true };
    size_t      used = (size_t)sprintf(text, "date,a\n");
    for (int64_t i = 0; i < rows; i++) {
        char stamp[40];
        time_print(stamp, made[i], &f);
        used += (size_t)sprintf(text + used, "%s,%d\n", stamp, (int)(i % 7));
    }
    return text;
}

static void reads(const char *text, frame_options o, frame *f) {
    tide_failure failure;
    if (read_text(text, &o, f, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void test_files(void **state) {
    (void)state;
    static char  text[1 << 16], last[1 << 12];
    frame        f;
    tide_failure failure;
    reads(file_of(0, 6, text), (frame_options){ 0 }, &f);
    expect_has(f.warnings, "the rows keep to h, Mon-Fri 10:00-16:00");
    assert_null(strstr(f.warnings, "repeated"));
    time_step run = f.step;
    frame_free(&f);
    reads(text, (frame_options){ .freq = "h" }, &f); /* what is given counts, and what was found is said */
    assert_int_equal(f.step.sessions, 0);
    expect_has(f.warnings, "the rows keep to h, Mon-Fri 10:00-16:00; as `freq` says");
    expect_has(f.warnings, "missing");
    frame_free(&f);
    reads(text, (frame_options){ .freq = "h, Mon-Fri 10:00-16:00" }, &f);
    assert_string_equal(f.warnings, "");
    frame_free(&f);
    assert_int_equal(read_text(text, &(frame_options){ .freq = "h, Mon-Fri 09:00-13:00" }, &f, &failure), TIDE_EDATA);
    expect_has(failure.message, "such as 2024-01-01 14:00; `freq` 'h, Mon-Fri 10:00-16:00' does");
    /* a few rows for a run: its hours; other hours: their own */
    snprintf(last, sizeof last, "date,a\n%s", strstr(text, "2024-02-08 15:00"));
    reads(last, (frame_options){ .run_step = &run }, &f);
    assert_string_equal(f.warnings, "");
    assert_int_equal(time_advance(f.time[f.file_rows - 1], f.step, 1), made[0] + 6 * WEEK);
    frame_free(&f);
    reads(file_of(12, 3, text), (frame_options){ .run_step = &run }, &f);
    assert_int_equal(f.step.sessions, 0);
    frame_free(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_and_moved), cmocka_unit_test(test_between), cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_clear),           cmocka_unit_test(test_words),   cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests_name("sessions", tests, NULL, NULL);
}
