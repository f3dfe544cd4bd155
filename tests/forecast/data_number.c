/* Numbers of a data file against the C library's strtod, bit for bit. */
#include <inttypes.h>

#include "data_support.h"
#include "forecast/data/util.h"

static number_reader reader;

static int open_reader(void **state) {
    (void)state;
    return !number_reader_open(&reader, '.');
}

static int close_reader(void **state) {
    (void)state;
    number_reader_close(&reader);
    return 0;
}

static void expect_number(const char *text, double expected) {
    double got = 0;
    if (!number_parse(&reader, text, &got)) fail_msg("\"%s\" is no number", text);
    if (memcmp(&got, &expected, sizeof got)) fail_msg("\"%s\": expected %.17g, got %.17g", text, expected, got);
}

/* splitmix64: the same numbers everywhere. */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Every count of digits, point and exponent near the limits of the fast paths. */
static void test_random(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (int i = 0; i < 300000; i++) {
        char text[64];
        int digits = 1 + (int)(next_random(&seed) % 20);
        uint64_t value = next_random(&seed);
        snprintf(text, sizeof text, "%s0.%0*" PRIu64 "e%d", i % 2 ? "-" : "", digits, value,
                 (int)(next_random(&seed) % 60) - 30);
        expect_number(text, strtod(text, NULL));
        snprintf(text, sizeof text, "%.*g", digits, (double)(int64_t)value * 1e-15);
        expect_number(text, strtod(text, NULL));
    }
}

/* 2^53 + 1 and relatives lie in the middle between two doubles: even wins, and one digit far behind decides. */
static void test_middles(void **state) {
    (void)state;
    expect_number("9007199254740993", 9007199254740992.0);
    expect_number("9007199254740993.0", 9007199254740992.0);
    expect_number("9007199254740993.001", 9007199254740994.0);
    expect_number("9007199254740995", 9007199254740996.0);
    expect_number("4503599627370496.5", 4503599627370496.0);
    expect_number("4503599627370497.5", 4503599627370498.0);
    expect_number("1.00000000000000011102230246251565", 1.0);
    expect_number("1.00000000000000011102230246251566", 1.0000000000000002);
}

static void test_forms(void **state) {
    (void)state;
    expect_number(" 12.5 ", 12.5);
    expect_number("+1", 1);
    expect_number("-0", -0.0);
    expect_number(".5", 0.5);
    expect_number("5.", 5);
    expect_number("1E3", 1000);
    expect_number("1e-400", 0);
    expect_number("000000000000000000000000000001.5", 1.5);
    static const char *const wrong[] = { "",    " ",   "-",     ".",   "e5",  "1e",  "1e+",   "0x10",
                                         "inf", "nan", "1e999", "1,5", "1 2", "--1", "1.2.3", "12a" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        double value;
        if (number_parse(&reader, wrong[i], &value)) fail_msg("\"%s\" is taken for %g", wrong[i], value);
    }
}

static void test_comma(void **state) {
    (void)state;
    number_reader comma;
    double value = 0;
    assert_true(number_reader_open(&comma, ','));
    assert_true(number_parse(&comma, "-1,5e2", &value));
    assert_true(value == -150);
    assert_true(number_parse(&comma, "3,14159265358979323846264338327950288", &value));
    assert_true(value == 3.14159265358979323846);
    assert_false(number_parse(&comma, "1.5", &value));
    number_reader_close(&comma);
}

static void test_missing(void **state) {
    (void)state;
    static const char *const missing[] = { "", "  ", "NaN", " nan ", "NA", "n/a", "NULL", "None" };
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) assert_true(number_is_missing(missing[i]));
    assert_false(number_is_missing("0"));
    assert_false(number_is_missing("nano"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random), cmocka_unit_test(test_middles), cmocka_unit_test(test_forms),
        cmocka_unit_test(test_comma),  cmocka_unit_test(test_missing),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
