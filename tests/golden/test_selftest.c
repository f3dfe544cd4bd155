/* What the self-test says of golden files that are altered, and of damaged ones. */
#include "golden_support.h"
#include "selftest/golden.h"

static char made[] = "/tmp/tidemill-golden-XXXXXX";

enum { CONFIG_BATCH, CONFIG_COLUMNS, CONFIG_MARKS, CONFIG_HEADS = 6 };

/* Our file with the array `name` left out, or with its bytes from `offset` on (negative: from the end) replaced. */
static void change(const char *file, const char *name, int64_t offset, const void *bytes, size_t size) {
    char         path[512];
    tide_failure failure = { 0 };
    tide_archive a = { 0 }, b = { 0 };
    if (tide_npz_read(own_path(path, file), &a, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    for (int64_t i = 0; i < a.count; i++) {
        tide_tensor *t = &a.tensors[i];
        bool         it = strcmp(t->name, name) == 0;
        if (it && !bytes) continue;
        int64_t all = tide_shape_count(t->shape) * (int64_t)tide_dtype_size(t->type);
        if (it) memcpy((char *)t->data + (offset < 0 ? all + offset : offset), bytes, size);
        assert_int_equal(tide_archive_add(&b, t->name, t->type, t->shape, t->data), TIDE_OK);
    }
    if (tide_npz_write(made, &b, false, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    tide_archive_free(&a);
    tide_archive_free(&b);
}

static void test_whole(void **state) {
    tide_failure failure = { 0 };
    check_result out     = { 0 };
    (void)state;
    change(golden_steps_file, "", 0, NULL, 0);
    assert_int_equal(golden_steps_check(made, (check_on){ "cpu" }, &out, &failure), TIDE_OK);
    if (!out.passed || !(out.error > 0 && out.error <= 1e-5)) fail_msg("%s (%g)", out.detail, out.error);
    change(golden_files[0], "", 0, NULL, 0);
    assert_int_equal(golden_check(made, (check_on){ "cpu" }, &out, &failure), TIDE_OK);
    if (!out.passed) fail_msg("%s", out.detail);
}

/* The last of the numbers expected, off by three times what is allowed. */
static void test_another_answer(void **state) {
    static const char *const names[] = { "losses", "grad_norms" };
    static const char *const said[]  = { "loss of step 59", "gradient norm of step 59" };
    tide_failure failure = { 0 };
    tide_archive a       = { 0 };
    char         path[512];
    (void)state;
    assert_int_equal(tide_npz_read(own_path(path, golden_steps_file), &a, &failure), TIDE_OK);
    for (int i = 0; i < 2; i++) {
        check_result out  = { 0 };
        double       last = ((const double *)tide_archive_find(&a, names[i])->data)[59] * (1 + 3e-5);
        change(golden_steps_file, names[i], -8, &last, sizeof last);
        assert_int_equal(golden_steps_check(made, (check_on){ "cpu" }, &out, &failure), TIDE_OK);
        if (out.passed || !strstr(out.detail, said[i])) fail_msg("%s should differ, got '%s'", said[i], out.detail);
    }
    tide_archive_free(&a);
}

static void expect_refused(const char *what, const char *said) {
    tide_failure failure = { 0 };
    check_result out;
    tide_status  status  = golden_steps_check(made, (check_on){ "cpu" }, &out, &failure);
    if (status != TIDE_EDATA || !strstr(failure.message, said))
        fail_msg("%s: expected '%s', got status %d, '%s'", what, said, status, failure.message);
}

static void test_missing_arrays(void **state) {
    static const char *const names[] = { "config", "series", "marks", "mean", "std", "lr", "grad_clip", "losses",
                                         "grad_norms", "param0/projector.bias" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        change(golden_steps_file, names[i], 0, NULL, 0);
        expect_refused(names[i], names[i]);
    }
}

static void test_wrong_sizes(void **state) {
    static const struct { int64_t place, value; const char *said; } cases[] = {
        { CONFIG_BATCH, 0, "steps need a batch" },
        { CONFIG_COLUMNS, 0, "steps need a batch, columns" },
        { CONFIG_MARKS, 0, "columns and marks" },
        { CONFIG_BATCH, 4000, "60 steps need a series of 240059 rows, not 1200" },
        { CONFIG_COLUMNS, 7, "'series'" },
        { CONFIG_MARKS, 5, "'marks'" },
        { CONFIG_HEADS, 0, "config of 11 sizes" },
        { CONFIG_BATCH, -1, "config of 11 sizes" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        change(golden_steps_file, "config", 8 * cases[i].place, &cases[i].value, sizeof cases[i].value);
        expect_refused("config", cases[i].said);
    }
}

static int make_file(void **state) {
    int descriptor = mkstemp(made);
    (void)state;
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole), cmocka_unit_test(test_another_answer),
        cmocka_unit_test(test_missing_arrays), cmocka_unit_test(test_wrong_sizes),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
