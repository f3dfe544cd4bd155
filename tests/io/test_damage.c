/* Small sound files of every format, cut at every byte and with every bit flipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "parsers.h"

static void for_each_seed(void (*check)(const parser *p, int i, bytes seed)) {
    for (int n = 0; n < parser_count; n++)
        for (int i = 0;; i++) {
            bytes seed = parsers[n].seed(i);
            if (!seed.data) break;
            check(&parsers[n], i, seed);
            bytes_clear(&seed);
        }
    files_remove();
}

static void check_whole(const parser *p, int i, bytes seed) {
    if (parser_try(p, seed) != TIDE_OK) fail_msg("%s, seed %d: expected to be read", p->name, i);
}

static void check_cut(const parser *p, int i, bytes seed) {
    for (int64_t length = 0; length < seed.length; length++) {
        tide_status status = parser_try(p, (bytes){ seed.data, length });
        if (p->exact && !status)
            fail_msg("%s, seed %d cut to %ld of %ld bytes: read without complaint", p->name, i, (long)length,
                     (long)seed.length);
    }
}

static void check_longer(const parser *p, int i, bytes seed) {
    bytes longer = { 0 };
    bytes_add(&longer, seed.data, seed.length);
    bytes_byte(&longer, 'x');
    if (p->exact && parser_try(p, longer) == TIDE_OK && strcmp(p->name, "npz") != 0 && strcmp(p->name, "pth") != 0)
        fail_msg("%s, seed %d with a byte more: read without complaint", p->name, i);  /* ZIP allows a tail */
    bytes_clear(&longer);
}

static void check_flips(const parser *p, int i, bytes seed) {
    (void)i;
    for (int64_t bit = 0; bit < seed.length * 8; bit++) {
        seed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        parser_try(p, seed);
        seed.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

static void test_whole(void **state) { (void)state; for_each_seed(check_whole); }
static void test_cut(void **state) { (void)state; for_each_seed(check_cut); }
static void test_longer(void **state) { (void)state; for_each_seed(check_longer); }
static void test_flips(void **state) { (void)state; for_each_seed(check_flips); }

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_cut), cmocka_unit_test(test_longer),
        cmocka_unit_test(test_flips),
    };
    return cmocka_run_group_tests_name("damaged files", tests, NULL, NULL);
}
