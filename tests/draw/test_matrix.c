/* Maps by name: well-formed whatever the names, a cell for each value, shades in the order of the values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include "draw/chart.h"
#include "draw/matrix.h"
#include "xml_support.h"

#include <cmocka.h> /* behind base.h, whose fail is another */

static int64_t occurrences(const char *text, const char *part) {
    int64_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) count++;
    return count;
}

static void hostile_names(void **state) {
    static const char *const names[] = { "<script>x</script>", "a & \"b\" 'c'", "broken \xff\xe2\x82 end" };
    const double value[] = { 0, 0.25, 1, 0.5, 0.1, 0.2, 0.3, 0.4, 2 };
    text         out     = { 0 };
    (void)state;
    name_matrix_svg(&(name_matrix){ "<t>", "&", "\"", names, value, 3, 1 }, &out);
    assert_false(out.failed);
    if (xml_fault(out.data)) fail_msg("not well-formed: %.60s", xml_fault(out.data));
    assert_null(strstr(out.data, "<script"));
    assert_int_equal(occurrences(out.data, "<rect"), 9 + 1);
    assert_int_equal(occurrences(out.data, "fill=\"#144f66\""), 2); /* 1, and 2, which is more than the darkest */
    assert_int_equal(occurrences(out.data, "fill=\"#ffffff\""), 1);
    text_free(&out);
    name_matrix_svg(&(name_matrix){ "", "", "", names, value, 0, 0 }, &out);
    assert_null(xml_fault(out.data));
    text_free(&out);
}

static void names_are_cut(void **state) {
    char cut[NAME_CUT], longest[1000];
    (void)state;
    assert_string_equal(name_cut("short", 5, cut), "short");
    assert_string_equal(name_cut("shorter", 5, cut), "short\xe2\x80\xa6");
    assert_string_equal(name_cut("\xce\xbb\xce\xbb\xce\xbb", 2, cut), "\xce\xbb\xce\xbb\xe2\x80\xa6");
    memset(longest, 'x', sizeof longest - 1), longest[sizeof longest - 1] = 0;
    assert_true(strlen(name_cut(longest, 5000, cut)) < NAME_CUT);
    assert_string_equal(name_cut("", 5, cut), "");
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(hostile_names), cmocka_unit_test(names_are_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
