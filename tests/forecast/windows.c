/* Sets of windows: which of a block are in, against counting them one by one, and what windows that lie apart share. */
#include <stdlib.h>

#include "forecast/data/windows.h"
#include "data_support.h"

enum { ROWS = 60, SEQ = 7, PRED = 5 };

static bool in_block(block b, int64_t start) { return start >= b.start && start + SEQ + PRED <= b.start + b.rows; }

static void test_block(void **state) {
    (void)state;
    static const int32_t starts[] = { 0, 3, 4, 11, 12, 13, 30, 41, 48 };
    enum { COUNT = sizeof starts / sizeof *starts };
    for (int64_t from = 0; from < ROWS; from++)
        for (int64_t rows = 0; from + rows <= ROWS; rows++) {
            block      b   = { from, rows };
            window_set all = window_set_of(b, SEQ, PRED, NULL, 0), some = window_set_of(b, SEQ, PRED, starts, COUNT);
            int64_t    each = 0, chosen = 0;
            for (int64_t t = 0; t < ROWS; t++) {
                if (!in_block(b, t)) continue;
                assert_int_equal(window_start(&all, each++), t);
                for (int i = 0; i < COUNT; i++)
                    if (starts[i] == t) assert_int_equal(window_start(&some, chosen++), t);
            }
            assert_int_equal(all.count, each);
            assert_int_equal(some.count, chosen);
        }
}

/* The differences between neighbouring rows that the horizons of the windows hold, marked one by one. */
static int64_t marked(const window_set *w) {
    bool    seen[ROWS] = { false };
    int64_t count      = 0;
    for (int64_t i = 0; i < w->count; i++)
        for (int64_t s = 0; s + 1 < PRED; s++) seen[window_start(w, i) + SEQ + s] = true;
    for (int r = 0; r < ROWS; r++) count += seen[r];
    return count;
}

static void test_shared(void **state) {
    (void)state;
    static const struct { int32_t starts[4]; int64_t apart; } cases[] = {
        { { 0, 1, 2, 3 }, 1 }, { { 0, 2, 4, 6 }, 2 }, { { 1, 4, 9, 12 }, 3 }, { { 0, 8, 16, 24 }, 8 }
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        window_set w = window_set_of((block){ 0, ROWS }, SEQ, PRED, cases[i].starts, 4), two = window_set_first(w, 2);
        assert_int_equal(window_set_apart(&w), cases[i].apart);
        assert_int_equal(window_set_differences(&w, PRED), marked(&w));
        assert_int_equal(window_set_rows(&w, SEQ, PRED).start, cases[i].starts[0]);
        assert_int_equal(window_set_rows(&w, SEQ, PRED).rows, cases[i].starts[3] - cases[i].starts[0] + SEQ + PRED);
        assert_int_equal(two.count, 2);
    }
    window_set all = window_set_of((block){ 2, 40 }, SEQ, PRED, NULL, 0);
    assert_int_equal(window_set_apart(&all), 1);
    assert_int_equal(window_set_differences(&all, PRED), marked(&all));
    assert_int_equal(window_reach(24, 24), 1);
    assert_int_equal(window_reach(25, 24), 2);
    assert_int_equal(window_reach(24, 1), 24);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_block), cmocka_unit_test(test_shared) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
