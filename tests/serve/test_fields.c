/* Numbers and times of requests, against the C library's. */
#include "serve/fields/numbers.h"
#include "serve/fields/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static void expect_read(const char *text) {
    const char *end = text;
    double      got, expected = strtod(text, NULL);
    if (!number_scan(&end, &got)) fail_msg("%s is no number", text);
    assert_int_equal(end - text, strlen(text));
    if (memcmp(&got, &expected, sizeof got)) fail_msg("%s: expected %.17g, got %.17g", text, expected, got);
}

static uint64_t random_bits(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state;
}

/* Doubles as other programs print them, and any digits with a point or an exponent anywhere. */
static void test_numbers(void **state) {
    uint64_t r = 88172645463325252u;
    char     text[64];
    (void)state;
    for (int i = 0; i < 300000; i++) {
        uint64_t whole = random_bits(&r) >> random_bits(&r) % 64;
        snprintf(text, sizeof text, "%.*g", 15 + i % 3, ldexp((double)(random_bits(&r) >> 11), (int)(r % 80) - 60));
        expect_read(text);
        snprintf(text, sizeof text, "-%llue%d", (unsigned long long)whole, (int)(random_bits(&r) % 50) - 25);
        expect_read(text);
        int length = snprintf(text, sizeof text, "%llu", (unsigned long long)whole), at = 1 + i % length;
        memmove(text + at + 1, text + at, (size_t)(length - at + 1));
        text[at] = '.';
        if (at < length && (*text != '0' || at == 1)) expect_read(text);
    }
    /* halfway between two doubles, and a hair beside */
    const char *const halves[] = { "9007199254740993", "9007199254740993.0", "9007199254740993.1",
                                   "90071992547409925e-1", "0.9007199254740993", "4503599627370496.5",
                                   "4503599627370497.5", "1e-19", "0e-30" };
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) expect_read(halves[i]);
}

static void test_times(void **state) {
    uint64_t r = 5;
    char     text[64], mine[32];
    (void)state;
    for (int i = 0; i < 100000; i++) {
        time_t at = (time_t)(random_bits(&r) % 315569520000u) - 62167219200;
        struct tm utc;
        double    got;
        assert_non_null(gmtime_r(&at, &utc));
        snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                 utc.tm_hour, utc.tm_min, utc.tm_sec);
        request_time_print(mine, at);
        assert_string_equal(mine, text);
        assert_true(request_time_scan(text, &got));
        assert_true(got == (double)at);
    }
    static const struct { const char *text; double seconds; } of[] = {
        { "1970-01-01", 0 }, { "1970-01-01T00:01Z", 60 }, { "1970-01-01 1:00:02.5", 3602.5 },
        { "1970-01-01 24:00", 86400 }, { "1970-01-01T00:00+01:30", -5400 }, { "1970-01-01T00:00:00-0130", 5400 },
        { "0000-01-01 00:00:00", -62167219200 }, { "1970-01-01 00:00-1:30", 5400 },
    };
    static const char *const none[] = {
        "", "1970", "1970-1-1", "1970-13-01", "1970-01-32", "1970-01-01 ", "1970-01-01 1", "1970-01-01 25:00",
        "1970-01-01 00:60", "1970-01-01 00:00:61", "1970-01-01 00:00:", "1970-01-01 00:00:nan", "1970-01-01 00:00 +1",
        "1970-01-01Z1", " 970-01-01", "1970-01-01 00:00:00x", "1970-01-01T00:00+01:30x", "+970-01-01",
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        double got = -1;
        if (!request_time_scan(of[i].text, &got) || got != of[i].seconds) fail_msg("%s: got %.9g", of[i].text, got);
    }
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        double got;
        if (request_time_scan(none[i], &got)) fail_msg("\"%s\" was read as %.17g", none[i], got);
    }
    request_time_print(mine, 253402300800);
    assert_string_equal(mine, "null");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers), cmocka_unit_test(test_times) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
