/* Frames made by hand: owned and borrowed columns, strides, times, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <tidemill/frame.h>

static tide_frame *three_rows(void) {
    tide_frame *f;
    assert_int_equal(tide_frame_new(3, &f, NULL), TIDE_OK);
    return f;
}

static double at(const tide_frame *f, int64_t column, int64_t row) {
    int64_t stride;
    return tide_frame_values(f, column, &stride)[row * stride];
}

static void test_columns(void **state) {
    (void)state;
    tide_frame *f = three_rows();
    double      table[6] = { 1, 10, 2, 20, NAN, 30 }, lent[3] = { 7, 8, 9 };
    assert_int_equal(tide_frame_add(f, "a", table, 2, NULL), TIDE_OK);
    assert_int_equal(tide_frame_add(f, "b", table + 1, 2, NULL), TIDE_OK);
    assert_int_equal(tide_frame_borrow(f, "c", lent, 1, NULL), TIDE_OK);
    table[0] = 99, lent[0] = 70;
    assert_int_equal(tide_frame_columns(f), 3);
    assert_int_equal(tide_frame_rows(f), 3);
    assert_true(at(f, 0, 0) == 1 && at(f, 0, 1) == 2 && isnan(at(f, 0, 2)) && at(f, 1, 2) == 30);
    assert_true(at(f, 2, 0) == 70);  /* the caller's memory */
    assert_string_equal(tide_frame_name(f, 1), "b");
    assert_int_equal(tide_frame_find(f, "c"), 2);
    assert_int_equal(tide_frame_find(f, "d"), -1);
    assert_null(tide_frame_name(f, 3));
    assert_null(tide_frame_time_name(f));
    tide_frame_free(f);
}

static void test_time(void **state) {
    (void)state;
    tide_frame *f = three_rows();
    double      values[3] = { 1, 2, 3 };
    assert_int_equal(tide_frame_set_time(f, NULL, (int64_t[]){ 5, 6, 7 }, NULL), TIDE_OK);
    assert_string_equal(tide_frame_time_name(f), "time");
    assert_int_equal(tide_frame_time(f)[2], 7);
    assert_null(tide_frame_time_real(f));
    assert_int_equal(tide_frame_set_time_real(f, "when", (double[]){ 0.5, 1, 1.5 }, NULL), TIDE_OK);
    assert_null(tide_frame_time(f));
    assert_true(tide_frame_time_real(f)[2] == 1.5);
    assert_int_equal(tide_frame_add(f, "when", values, 1, NULL), TIDE_EINVAL);  /* the time's name */
    tide_frame_free(f);
}

static void refused(tide_status got, const tide_failure *why, const char *part) {
    assert_int_equal(got, why->status);
    if (got != TIDE_EINVAL && got != TIDE_EDATA) fail_msg("got %s", tide_status_name(got));
    if (!strstr(why->message, part)) fail_msg("'%s' does not say '%s'", why->message, part);
}

static void test_refused(void **state) {
    (void)state;
    tide_frame  *f = three_rows(), *none;
    double       values[3] = { 1, NAN, 3 };
    tide_failure why = { 0 };
    assert_int_equal(tide_frame_add(f, "a", values, 1, NULL), TIDE_OK);
    refused(tide_frame_add(f, "a", values, 1, &why), &why, "there is a column 'a' already");
    why = (tide_failure){ 0 };
    refused(tide_frame_add(f, "", values, 1, &why), &why, "column 2 has no name");
    why = (tide_failure){ 0 };
    refused(tide_frame_borrow(f, "b", values, 0, &why), &why, "stride of 0");
    why = (tide_failure){ 0 };
    refused(tide_frame_set_time_real(f, "t", values, &why), &why, "the time of row 2");
    assert_int_equal(why.row, 2);
    why = (tide_failure){ 0 };
    refused(tide_frame_set_time(f, "a", (int64_t[]){ 1, 2, 3 }, &why), &why, "column 'a' already");
    why = (tide_failure){ 0 };
    refused(tide_frame_new(-1, &none, &why), &why, "-1 rows");
    assert_null(none);
    assert_int_equal(tide_frame_columns(f), 1);
    tide_frame_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_columns), cmocka_unit_test(test_time),
                                        cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
