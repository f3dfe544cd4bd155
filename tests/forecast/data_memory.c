/* Reading, choosing, scaling and fitting with each allocation made to fail once: the right status, nothing leaked (the
 * leak checker of a sanitizer build looks), nothing half done. The linker sends every allocation of the library
 * here. */
#include "data_support.h"
#include "refuse.h"
#include "forecast/score/score.h"


enum { ROWS = 60, SEQ_LEN = 4, PRED_LEN = 2 };

/* Columns with a gap, a mark, digits in groups, a counter, and one without a name: notes are made too. */
static void write_series(char path[64]) {
    char text[ROWS * 60] = "date,,a,b,c,No\n";
    for (int i = 0; i < ROWS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "2020-01-%02d 0%d:00:00,1,%d,%s,%s,%d\n", 1 + i / 4,
                 i % 4 * 2, i * i % 17,
                 i == 7 ? "" : "3.25", i % 2 ? "\"1,135\"" : i == 8 ? "?" : "900", i);
    write_temporary(path, text);
}

static tide_status forecast_all(const frame *f, tide_failure *failure) {
    split s;
    scaler scale = { 0 };
    float scaled[ROWS * 3];
    tide_status status = split_make(f, KIND_CUSTOM, SEQ_LEN, PRED_LEN, &s, failure);
    if (!status) status = scaler_fit(f, s.train, &scale);
    if (status) return status;
    scaler_apply(&scale, f->values, f->rows, scaled);
    scaler_free(&scale);
    const column_range all = { f->columns, 0, f->columns };
    baseline *linear = baseline_linear(scaled, NULL, all, s, SEQ_LEN, PRED_LEN, failure), *last = baseline_last_value();
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

static void test_every_allocation(void **state) {
    (void)state;
    char path[64];
    write_series(path);
    for (int64_t granted = 0;; granted++) {
        tide_failure failure = { 0 };
        until_failure = granted;
        tide_status status = use_all(path, &failure);
        bool refused = until_failure < 0;
        until_failure = -1;
        if (!refused) {
            assert_int_equal(status, TIDE_OK);
            assert_true(granted > 30);
            break;
        }
        if (status != TIDE_ENOMEM)
            fail_msg("allocation %d failed: expected out of memory, got status %d", (int)granted, (int)status);
    }
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_allocation) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
