/* Reading, choosing, scaling and fitting with each allocation made to fail once: the right status, nothing leaked (the
 * leak checker of a sanitizer build looks), nothing half done. The linker sends every allocation of the library
 * here. */
#include "data_support.h"
#include "refuse.h"
#include "forecast/score/score.h"

enum { ROWS = 60, SEQ_LEN = 4, PRED_LEN = 2 };

/* Lines before the names and units below them, columns with a gap, a mark, digits in groups, a percent sign, a counter,
 * and one without a name, and a row twice: notes are made too. */
static void write_series(char path[64]) {
    char text[ROWS * 60] = "# made\nStation\ndate,,a,b,c,d,No\n,,kW,,,,\n";
    for (int i = 0; i < ROWS; i++)
        for (int twice = 0; twice <= (i == 9); twice++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "2020-01-%02d 0%d:00:00,1,%d,%s,%s,%d%%,%d\n",
                     1 + i / 4, i % 4 * 2, i * i % 17,
                     i == 7 ? "" : "3.25", i % 2 ? "\"1,135\"" : i == 8 ? "?" : "900", i % 11, i);
    write_temporary(path, text);
}

static tide_status forecast_all(const frame *f, tide_failure *failure) {
    split s;
    scaler scale = { 0 };
    float scaled[ROWS * 5];
    tide_status status = split_make(f, KIND_CUSTOM, SEQ_LEN, PRED_LEN, &s, failure);
    if (!status) status = scaler_fit(f, s.train, &scale);
    if (status) return status;
    scaler_apply(&scale, f->values, f->rows, scaled);
    scaler_free(&scale);
    const column_range all = { f->columns, 0, f->columns };
    baseline *linear = baseline_linear(scaled, NULL, all, window_set_of(s.train, SEQ_LEN, PRED_LEN, NULL, 0),
                                       window_set_of(s.val, SEQ_LEN, PRED_LEN, NULL, 0), SEQ_LEN, PRED_LEN, failure),
             *last = baseline_last_value();
    score *sums = score_new(PRED_LEN, f->columns);
    status = linear && last && sums ? TIDE_OK : TIDE_ENOMEM;
    baseline_free(linear);
    baseline_free(last);
    score_free(sums);
    return status;
}

static tide_status use_all(const char *path, tide_failure *failure) {
    frame f;
    char *chosen[] = { "b", "a" };
    frame_options options = { .missing = MISSING_LINEAR, .target = "b", .na = "?,-9999" };
    tide_status status = frame_read(path, &options, &f, failure);
    if (!status) status = forecast_all(&f, failure);
    if (!status) status = frame_select(&f, path, chosen, 2, failure);
    frame_free(&f);
    return status;
}

/* Hours over a change of clocks, with offsets or as local times. */
static void write_hours(char path[64], bool offsets) {
    char text[ROWS * 60] = "date,a\n";
    for (int i = 0; i < ROWS; i++) {
        int hour = i < 26 ? i + 1 : i;
        snprintf(text + strlen(text), sizeof text - strlen(text), "2024-10-%02d %02d:00%s,%d\n", 26 + hour / 24,
                 hour % 24, !offsets ? "" : i < 26 ? "+02:00" : "+01:00", i * i % 17);
    }
    write_temporary(path, text);
}

static tide_status use_offsets(const char *path, tide_failure *failure) {
    frame f;
    tide_status status = frame_read(path, &(frame_options){ 0 }, &f, failure);
    frame_free(&f);
    return status;
}

static tide_status use_zone(const char *path, tide_failure *failure) {
    frame f;
    tide_status status = frame_read(path, &(frame_options){ .tz = "Europe/Berlin" }, &f, failure);
    frame_free(&f);
    return status;
}

/* Long format by two columns, in no order, with a constant beside it, a series that ends early and one too short. */
static void write_long(char path[64]) {
    char text[ROWS * 60] = "shop,item,ds,city,y\n";
    for (int i = ROWS; i-- > 0;)
        if (i % 3 != 1 || i < 50)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s,%d,2020-01-%02d,x,%s\n", i % 3 ? "a" : "b",
                     i % 3 ? i % 3 : 1, 1 + i / 3, i % 2 ? "\"1,135\"" : i == 8 ? "?" : "900");
    strcat(text, "b,9,2020-01-01,x,900\n");
    write_temporary(path, text);
}

static tide_status use_long(const char *path, tide_failure *failure) {
    frame f;
    char *chosen[] = { "a/2", "b/1" };
    frame_options options = { .missing = MISSING_LINEAR, .na = "?", .window = SEQ_LEN + PRED_LEN };
    tide_status status = frame_read(path, &options, &f, failure);
    if (!status) status = forecast_all(&f, failure);
    if (!status) status = frame_select(&f, path, chosen, 2, failure);
    frame_free(&f);
    return status;
}

/* Hours over a change of clocks, of two series in turns. */
static void write_long_hours(char path[64]) {
    char text[ROWS * 120] = "shop,ds,y\n";
    for (int i = 0; i < 2 * ROWS; i++) {
        int hour = i / 2 < 27 ? i / 2 : i / 2 - 1;
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s,2024-10-%02d %02d:00,%d\n", i % 2 ? "a" : "b",
                 26 + hour / 24, hour % 24, i * i % 17);
    }
    write_temporary(path, text);
}

static tide_status use_long_hours(const char *path, tide_failure *failure) {
    frame f;
    tide_status status = frame_read(path, &(frame_options){ .tz = "Europe/Berlin" }, &f, failure);
    frame_free(&f);
    if (status) return status;
    frame_options merged = { .tz = "Europe/Berlin", .aggregate = AGGREGATE_MEAN, .freq = "12h" };
    status = frame_read(path, &merged, &f, failure);
    frame_free(&f);
    return status;
}

static tide_status pivot(const char *id, tide_failure *failure) {
    static const double values[] = { 1, 2, 3 };
    static const int64_t time[] = { 7, 8, 7 };
    tide_frame *f = NULL, *wide = NULL;
    tide_status status = tide_frame_new(3, &f, failure);
    if (!status) status = tide_frame_add(f, "y", values, 1, failure);
    if (!status) status = tide_frame_set_time(f, "when", time, failure);
    if (!status) status = tide_frame_pivot(f, (const char *[]){ id, id, "other" }, &wide, failure);
    tide_frame_free(wide);
    tide_frame_free(f);
    return status;
}

static void try_every_allocation(const char *path, tide_status (*use)(const char *, tide_failure *)) {
    for (int64_t granted = 0;; granted++) {
        tide_failure failure = { 0 };
        until_failure = granted;
        tide_status status = use(path, &failure);
        bool refused = until_failure < 0;
        until_failure = -1;
        if (!refused) {
            if (status) fail_msg("%s", failure.message);
            assert_true(granted > 10);
            break;
        }
        if (status != TIDE_ENOMEM)
            fail_msg("allocation %d failed: expected out of memory, got status %d", (int)granted, (int)status);
    }
}

static void test_every_allocation(void **state) {
    (void)state;
    char path[64];
    write_series(path);
    try_every_allocation(path, use_all);
    unlink(path);
    write_long(path);
    try_every_allocation(path, use_long);
    try_every_allocation("one", pivot);
    unlink(path);
}

static void test_stamps(void **state) {
    (void)state;
    char path[64];
    tide_failure failure = { 0 };
    write_hours(path, true);
    try_every_allocation(path, use_offsets);
    write_hours(path, false);
    if (use_zone(path, &failure) == TIDE_EIO) {
        print_message("skipped: needs tzdata\n");
        skip();
    }
    try_every_allocation(path, use_zone);
    unlink(path);
    write_long_hours(path);
    try_every_allocation(path, use_long_hours);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_allocation), cmocka_unit_test(test_stamps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
