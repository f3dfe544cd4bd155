/* Distances between words, and which is near. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/words.h"

static const char *near(const char *word, const char *const *list) {
    nearest n = { .word = word };
    for (; *list; list++) nearest_try(&n, *list);
    return n.found ? n.found : "";
}

static void test_distance(void **state) {
    static const struct { const char *a, *b; int edits; } rows[] = {
        { "", "", 0 }, { "abc", "abc", 0 }, { "abc", "", 3 }, { "", "abc", 3 }, { "abc", "abd", 1 },
        { "abc", "acb", 1 }, /* neighbours swapped are one edit */
        { "abc", "ab", 1 }, { "kitten", "sitting", 3 }, { "Seq_Len", "seq-len", 0 }, { "ca", "abc", 3 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(word_distance(rows[i].a, rows[i].b), rows[i].edits);
        assert_int_equal(word_distance(rows[i].b, rows[i].a), rows[i].edits);
    }
}

static void test_near(void **state) {
    static const char *const list[] = { "seq-len", "pred-len", "epochs", "a", NULL };
    static const char long_word[] = "0123456789012345678901234567890123456789012345678901234567890123456789";
    (void)state;
    assert_string_equal(near("seqlen", list), "seq-len");
    assert_string_equal(near("PRED_LEN", list), "pred-len");
    assert_string_equal(near("epo", list), "epochs"); /* its beginning */
    assert_string_equal(near("ep", list), "");        /* too short a beginning */
    assert_string_equal(near("wholly-other", list), "");
    assert_string_equal(near("b", list), "");         /* one letter that is another shares none */
    assert_string_equal(near(long_word, list), "");
    assert_int_equal(word_distance(long_word, long_word), 64);
}

static void test_same(void **state) {
    (void)state;
    assert_true(same_name("seq_len", 7, "seq-len") && same_name("seq-len", 7, "seq_len"));
    assert_true(same_name("seq-len=9", 7, "seq-len"));
    assert_false(same_name("seq-len", 6, "seq-len") || same_name("seq-len9", 8, "seq-len") || same_name("a", 1, ""));
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_distance), cmocka_unit_test(test_near),
                                        cmocka_unit_test(test_same) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
