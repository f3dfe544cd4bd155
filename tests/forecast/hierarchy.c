/* Definitions of sums: what each comes down to, and what is refused, with names. */
#include "../../apps/forecast/data/hierarchy.h"
#include "train_support.h"

static char *series[] = { "a", "b", "c", "north sea", "x+y", "wind_east" };
enum { SERIES = sizeof series / sizeof *series };

/* "total=0,1;..." of the result. */
static void print(const hierarchy *h, char *out, size_t bytes) {
    size_t used = 0;
    *out = 0;
    for (int64_t i = 0; i < h->count; i++) {
        used += (size_t)snprintf(out + used, bytes - used, "%s%s=", i ? ";" : "", h->name[i]);
        for (int64_t k = h->first[i]; k < h->first[i + 1]; k++)
            used += (size_t)snprintf(out + used, bytes - used, "%s%d", k > h->first[i] ? "," : "", (int)h->member[k]);
    }
}

static void expect_read(const char *text, const char *expected) {
    hierarchy    h;
    tide_failure failure = { 0 };
    char         got[300];
    if (hierarchy_read(text, series, SERIES, &h, &failure) != TIDE_OK) fail_msg("%s: %s", text, failure.message);
    print(&h, got, sizeof got);
    assert_string_equal(got, expected);
    hierarchy_free(&h);
}

static void test_read(void **state) {
    static const struct { const char *text, *expected; } cases[] = {
        { "", "" },
        { "total=a+b", "total=0,1" },
        { " total = a + north sea ;; two= \"x+y\"+b;", "total=0,3;two=4,1" },
        { "total=south+north;south=b+c\nnorth=a", "total=1,2,0;south=1,2;north=0" },
        { "\"a+b\"=a+b;all=\"a+b\"+c", "a+b=0,1;all=0,1,2" },
        { "# comment = none\n\n t=c \r\n", "t=2" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) expect_read(cases[i].text, cases[i].expected);
}

static void test_file(void **state) {
    char         path[96], text[100];
    hierarchy    h;
    tide_failure failure = { 0 };
    (void)state;
    snprintf(path, sizeof path, "%s/sums.txt", folder);
    FILE *f = fopen(path, "w");
    fputs("# regions\nnorth = a + b\ntotal = north + c\n", f);
    fclose(f);
    snprintf(text, sizeof text, "@%s", path);
    expect_read(text, "north=0,1;total=0,1,2");
    f = fopen(path, "w");
    fputs("# regions\nnorth = a + b\n\ntotal = north + b\n", f);
    fclose(f);
    assert_int_equal(hierarchy_read(text, series, SERIES, &h, &failure), TIDE_EINVAL);
    assert_string_equal(failure.file, path);
    assert_int_equal(failure.row, 4);
    expect_has(failure.message, "'total' would count 'b' twice");
    hierarchy_free(&h);
}

static void test_refused(void **state) {
    static const struct { const char *text, *says; } cases[] = {
        { "total", "NAME=A+B" },
        { "total=", "NAME=A+B" },
        { "total=a+", "NAME=A+B" },
        { "=a", "NAME=A+B" },
        { "t=\"a\"b", "NAME=A+B" },
        { ";", "there is no sum" },
        { "t=a+wind-east", "did you mean 'wind_east'?" },
        { "total=a;t=b+totla", "did you mean 'total'?" },
        { "t=q", "the series are: a, b" },
        { "a=b+c", "'a', which is a series" },
        { "t=a;t=b", "'t' is there twice" },
        { "t=a+a", "'t' would count 'a' twice" },
        { "n=a+b;t=n+b", "'t' would count 'b' twice" },
        { "t=t", "go round: 't'" },
        { "t=n+a;n=m+b;m=t+c", "go round: 't' is part of 'm'" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hierarchy    h;
        tide_failure failure = { 0 };
        if (hierarchy_read(cases[i].text, series, SERIES, &h, &failure) != TIDE_EINVAL)
            fail_msg("%s was taken, or refused as something else: %s", cases[i].text, failure.message);
        expect_has(failure.message, cases[i].says);
        assert_string_equal(failure.column, "sum");
        hierarchy_free(&h);
    }
}

/* Any text ends in an answer: definitions cut at each byte, and with each byte another. */
static void test_any_text(void **state) {
    static const char whole[] = "total=north+\"x+y\";north = a+b\n#c\nlast=total+c", others[] = "=+;\n\"# a";
    (void)state;
    for (size_t i = 0; i < sizeof whole; i++)
        for (size_t k = 0; k < sizeof others; k++) {
            char         text[sizeof whole];
            hierarchy    h;
            tide_failure failure = { 0 };
            memcpy(text, whole, sizeof whole);
            text[i] = others[k], text[sizeof whole - 1] = 0;
            tide_status status = hierarchy_read(text, series, SERIES, &h, &failure);
            assert_true(status == TIDE_OK || status == TIDE_EINVAL);
            hierarchy_free(&h);
        }
}

/* A thousand sums of each other, the last first. */
static void test_long_chain(void **state) {
    static char  text[40000];
    hierarchy    h;
    tide_failure failure = { 0 };
    size_t       used    = 0;
    (void)state;
    for (int i = 1000; i > 0; i--) used += (size_t)snprintf(text + used, sizeof text - used, "s%d=s%d;", i, i - 1);
    snprintf(text + used, sizeof text - used, "s0=a");
    if (hierarchy_read(text, series, SERIES, &h, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_true(h.count == 1001 && h.first[1001] == 1001);
    for (int i = 0; i < 1001; i++) assert_true(h.member[i] == 0);
    hierarchy_free(&h);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_read), cmocka_unit_test(test_file),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_any_text),
                                        cmocka_unit_test(test_long_chain) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
