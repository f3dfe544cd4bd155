/* Long format in memory: the frame with a column for each series, whatever the order of the rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <tidemill/frame.h>

enum { SERIES = 4, TIMES = 9, ROWS = SERIES * TIMES };

static tide_frame *long_frame(int64_t rows, const int64_t *time, const double *values) {
    tide_frame *f;
    assert_int_equal(tide_frame_new(rows, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "y", values, 1, NULL), TIDE_OK);
    assert_int_equal(tide_frame_set_time(f, "when", time, NULL), TIDE_OK);
    return f;
}

static double at(const tide_frame *f, int64_t column, int64_t row) {
    int64_t stride;
    return tide_frame_values(f, column, &stride)[row * stride];
}

static int64_t greatest_common(int64_t a, int64_t b) { return b ? greatest_common(b, a % b) : a; }

/* The rows in steps of `stride`, which has no factor of ROWS: each once. Some series have no row at some times. */
static void check_order(int64_t stride) {
    static const char *const names[SERIES] = { "b", "a,x", "Z\xc3\xbc", "10" };
    const char *id[ROWS], *order[SERIES];
    int64_t     time[ROWS], rows = 0, seen = 0;
    double      values[ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
        int64_t cell = i * stride % ROWS, s = cell / TIMES, t = cell % TIMES;
        if ((s == 1 && t < 3) || (s == 2 && t == 5)) continue;
        id[rows] = names[s], time[rows] = 1000 + 60 * t, values[rows++] = (double)(100 * s + t);
        int64_t known = 0;
        while (known < seen && order[known] != names[s]) known++;
        if (known == seen) order[seen++] = names[s];
    }
    tide_frame *f = long_frame(rows, time, values), *wide;
    assert_int_equal(tide_frame_pivot(f, id, &wide, NULL), TIDE_OK);
    assert_int_equal(tide_frame_rows(wide), TIMES);
    assert_int_equal(tide_frame_columns(wide), SERIES);
    assert_string_equal(tide_frame_time_name(wide), "when");
    for (int64_t c = 0; c < SERIES; c++) {
        assert_string_equal(tide_frame_name(wide, c), order[c]);
        int64_t s = 0;
        while (names[s] != order[c]) s++;
        for (int64_t t = 0; t < TIMES; t++) {
            assert_int_equal(tide_frame_time(wide)[t], 1000 + 60 * t);
            bool gap = (s == 1 && t < 3) || (s == 2 && t == 5);
            if (gap ? !isnan(at(wide, c, t)) : at(wide, c, t) != (double)(100 * s + t))
                fail_msg("stride %d, series %s, time %d: got %g", (int)stride, names[s], (int)t, at(wide, c, t));
        }
    }
    tide_frame_free(f);
    tide_frame_free(wide);
}

static void test_any_order(void **state) {
    (void)state;
    for (int64_t stride = 1; stride < ROWS; stride++)
        if (greatest_common(stride, ROWS) == 1) check_order(stride);
}

static void test_several_columns(void **state) {
    (void)state;
    tide_frame *f, *wide;
    double      y[3] = { 1, 2, 3 }, z[3] = { 4, NAN, 6 };
    assert_int_equal(tide_frame_new(3, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "y", y, 1, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "z", z, 1, NULL), TIDE_OK);
    assert_int_equal(tide_frame_set_time_real(f, NULL, (double[]){ 1.5, 0.5, 0.5 }, NULL), TIDE_OK);
    assert_int_equal(tide_frame_pivot(f, (const char *[]){ "u", "u", "v" }, &wide, NULL), TIDE_OK);
    static const char *const names[] = { "u/y", "u/z", "v/y", "v/z" };
    for (int64_t c = 0; c < 4; c++) assert_string_equal(tide_frame_name(wide, c), names[c]);
    assert_true(tide_frame_time_real(wide)[0] == 0.5 && tide_frame_time_real(wide)[1] == 1.5);
    assert_true(at(wide, 0, 0) == 2 && at(wide, 0, 1) == 1 && isnan(at(wide, 1, 0)) && at(wide, 1, 1) == 4);
    assert_true(at(wide, 2, 0) == 3 && isnan(at(wide, 2, 1)) && at(wide, 3, 0) == 6);
    tide_frame_free(wide);
    tide_frame_free(f);
}

static void refuses(const tide_frame *f, const char *const *id, tide_status status, int64_t row, const char *part) {
    tide_failure why = { 0 };
    tide_frame  *out = (tide_frame *)1;
    assert_int_equal(tide_frame_pivot(f, id, &out, &why), status);
    assert_null(out);
    assert_int_equal(why.row, row);
    if (!strstr(why.message, part)) fail_msg("'%s' does not say '%s'", why.message, part);
}

static void test_refused(void **state) {
    (void)state;
    double      values[4] = { 1, 2, 3, 4 };
    tide_frame *f = long_frame(4, (int64_t[]){ 5, 6, 5, 6 }, values), *bare, *empty;
    refuses(f, (const char *[]){ "a", "b", "b", "b" }, TIDE_EDATA, 4, "rows 2 and 4 are both of series 'b'");
    refuses(f, (const char *[]){ "a", "a", "", "b" }, TIDE_EDATA, 3, "row 3 is of no series");
    refuses(f, (const char *[]){ "a", NULL, "b", "b" }, TIDE_EDATA, 2, "row 2 is of no series");
    refuses(f, (const char *[]){ "a", "a", "when", "when" }, TIDE_EINVAL, 0, "there is a column 'when' already");
    refuses(f, NULL, TIDE_EINVAL, 0, "nothing says which series");
    assert_int_equal(tide_frame_new(4, &bare, NULL), TIDE_OK);
    refuses(bare, (const char *[]){ "a", "a", "b", "b" }, TIDE_EINVAL, 0, "needs a time axis");
    assert_int_equal(tide_frame_pivot(f, NULL, NULL, NULL), TIDE_EINVAL);
    tide_frame_free(bare);
    tide_frame_free(f);
    empty = long_frame(0, (int64_t[]){ 0 }, values); /* nothing is in order too */
    assert_int_equal(tide_frame_pivot(empty, NULL, &f, NULL), TIDE_OK);
    assert_int_equal(tide_frame_rows(f) + tide_frame_columns(f), 0);
    tide_frame_free(f);
    tide_frame_free(empty);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_any_order), cmocka_unit_test(test_several_columns),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
