/* Every allocation of every reader and writer made to fail once: the right status, no leak (under the leak checker),
 * and nothing left behind. malloc and its kin are replaced by the linker for the objects of this program. */
#include <stdio.h>

#include "check.h"
#include "parsers.h"

/* ---- the failing allocator ----------------------------------------------------------------------------- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long countdown = -1;  /* the allocation that fails; < 0: none */

static bool fails(void) { return countdown >= 0 && countdown-- == 0; }
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *old, size_t size) { return fails() ? NULL : __real_realloc(old, size); }

/* Runs `body` with its first, second, ... allocation failing until none fails any more. */
static void fail_each(const char *name, tide_status (*body)(const void *what, tide_failure *f), const void *what) {
    for (long n = 0; n < 10000; n++) {
        tide_failure f = { 0 };
        countdown = n;
        tide_status status = body(what, &f);
        bool reached = countdown < 0;
        countdown = -1;
        if (!reached) {
            check_ok(name, status, &f);
            if (n == 0) fail_msg("%s: no allocation was seen", name);
            return;
        }
        if (status != TIDE_ENOMEM || f.status != TIDE_ENOMEM || !strstr(f.message, "out of memory"))
            fail_msg("%s, allocation %ld: expected out of memory, got %s: %s", name, n, tide_status_name(status),
                     f.message);
    }
    fail_msg("%s: never ends", name);
}

/* ---- readers ------------------------------------------------------------------------------------------- */

static tide_status read_input(const void *what, tide_failure *f) {
    const parser *p = what;
    return p->read(temporary("input"), f);
}

static void test_readers(void **state) {
    (void)state;
    for (int n = 0; n < parser_count; n++) {
        if (strcmp(parsers[n].name, "pickle") == 0) continue;  /* allocates in the test itself; pth covers it */
        for (int i = 0;; i++) {
            bytes seed = parsers[n].seed(i);
            if (!seed.data) break;
            file_write(temporary("input"), seed);
            fail_each(parsers[n].name, read_input, &parsers[n]);
            bytes_clear(&seed);
        }
    }
}

/* ---- writers ------------------------------------------------------------------------------------------- */

static tide_status write_npy(const void *what, tide_failure *f) {
    return tide_npy_write(temporary("out"), ((const tide_archive *)what)->tensors, f);
}
static tide_status write_npz(const void *what, tide_failure *f) {
    return tide_npz_write(temporary("out"), what, true, f);
}
static tide_status write_safetensors(const void *what, tide_failure *f) {
    return tide_safetensors_write(temporary("out"), what, f);
}

static tide_status build(const void *what, tide_failure *f) {
    tide_archive a = { 0 };
    tide_status status = TIDE_OK;
    (void)what;
    for (int i = 0; i < 5 && !status; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        status = tide_archive_add(&a, name, TIDE_F32, TIDE_SCALAR, "1234");
        if (!status) status = tide_archive_set(&a, name, "x");
        if (!status) status = tide_archive_set(&a, name, "y");
    }
    tide_archive_free(&a);
    if (status) *f = (tide_failure){ .status = status, .message = "out of memory" };
    return status;
}

static void test_writers(void **state) {
    (void)state;
    tide_archive a = sample_archive(false);
    tide_archive_set(&a, "key", "value");
    files_remove();
    fail_each("npy", write_npy, &a);
    fail_each("npz", write_npz, &a);
    fail_each("safetensors", write_safetensors, &a);
    fail_each("archive", build, NULL);
    assert_int_equal(files_left(), 1);
    tide_archive_free(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_readers), cmocka_unit_test(test_writers) };
    return cmocka_run_group_tests_name("memory of files", tests, NULL, remove_files);
}
