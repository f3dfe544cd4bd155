/* Files' bytes in memory: read as the file would be, cut short anywhere refused, and written as the file is. */
#include <stdlib.h>

#include "check.h"

typedef tide_status (*from_memory)(const void *bytes, size_t size, tide_archive *out, tide_failure *f);

static tide_archive sample(void) {
    tide_archive a = { 0 };
    tide_archive_add(&a, "w", TIDE_F32, TIDE_SHAPE(2, 3), (float[]){ 1, 2, 3, 4, 5, 6 });
    tide_archive_add(&a, "n", TIDE_I64, TIDE_SCALAR, (int64_t[]){ 7 });
    return a;
}

static void check_sample(const tide_archive *a) {
    tide_archive want = sample();
    assert_int_equal(a->count, 2);
    for (int i = 0; i < 2; i++) check_same(tide_archive_find(a, want.tensors[i].name), &want.tensors[i]);
    tide_archive_free(&want);
}

/* Every prefix is refused, and none is read past its end (a copy of just that length). */
static void check_bytes(from_memory read, bytes whole) {
    tide_archive out;
    tide_failure why = { 0 };
    check_ok("memory", read(whole.data, (size_t)whole.length, &out, &why), &why);
    check_sample(&out);
    tide_archive_free(&out);
    for (int64_t length = 0; length < whole.length; length++) {
        void *cut = malloc((size_t)length + !length);
        memcpy(cut, whole.data, (size_t)length);
        why = (tide_failure){ 0 };
        if (read(cut, (size_t)length, &out, &why) != TIDE_EDATA || !*why.message)
            fail_msg("%d bytes of %d: '%s'", (int)length, (int)whole.length, why.message);
        free(cut);
    }
}

static void test_archives(void **state) {
    (void)state;
    const char  *safe = temporary("m.safetensors"), *npz = temporary("m.npz");
    tide_failure why = { 0 };
    tide_archive a = sample();
    void        *block;
    size_t       size;
    check_ok("file", tide_safetensors_write(safe, &a, &why), &why);
    check_ok("npz", tide_npz_write(npz, &a, true, &why), &why);
    bytes file = file_read(safe), zip = file_read(npz);
    check_ok("block", tide_safetensors_write_memory(&a, &block, &size, &why), &why);
    assert_int_equal(size, file.length);
    assert_memory_equal(block, file.data, size);
    check_bytes(tide_safetensors_read_memory, file);
    check_bytes(tide_npz_read_memory, zip);
    tide_free(block);
    bytes_clear(&file), bytes_clear(&zip);
    tide_archive_free(&a);
}

static void test_npy(void **state) {
    (void)state;
    const char  *path = temporary("m.npy");
    float        numbers[3] = { 1, 2, 3 };
    tide_tensor  t = { (char *)(uintptr_t) "", TIDE_F32, TIDE_SHAPE(3), numbers }, got;
    tide_failure why = { 0 };
    check_ok("file", tide_npy_write(path, &t, &why), &why);
    bytes file = file_read(path);
    check_ok("memory", tide_npy_read_memory(file.data, (size_t)file.length, &got, &why), &why);
    check_same(&got, &t);
    free(got.name), free(got.data);
    assert_int_equal(tide_npy_read_memory(file.data, (size_t)file.length - 1, &got, &why), TIDE_EDATA);
    bytes_clear(&file);
}

static void test_variables(void **state) {
    (void)state;
    tide_graph  *g = tide_graph_new("ref"), *h = tide_graph_new("ref");
    tide_val     v = tide_variable(g, "v", tide_fill(g, TIDE_F32, TIDE_SHAPE(3), 2)), u[2];
    tide_failure why = { 0 };
    tide_archive a = { 0 };
    void        *block;
    size_t       size;
    float        got[3] = { 0 };
    u[0] = tide_variable(h, "v", tide_fill(h, TIDE_F32, TIDE_SHAPE(3), 1));
    u[1] = tide_variable(h, "more", tide_fill(h, TIDE_F32, TIDE_SHAPE(3), 1));
    check_ok("save", tide_save_memory(TIDE_LIST(v), &block, &size, &why), &why);
    check_ok("load", tide_load_memory(TIDE_LIST(u[0]), block, size, &why), &why);
    assert_int_equal(tide_read(u[0], got, sizeof got), TIDE_OK);
    assert_true(got[0] == 2 && got[2] == 2);
    check_failure("missing", tide_load_memory((tide_list){ u, 2 }, block, size, &why), &why, TIDE_EDATA,
                  "'more' is not in");
    tide_archive_add(&a, "v", TIDE_F32, TIDE_SHAPE(3), (float[]){ 3, 4, 5 });
    why = (tide_failure){ 0 };
    check_ok("archive", tide_load_archive(TIDE_LIST(u[0]), &a, &why), &why);
    assert_int_equal(tide_read(u[0], got, sizeof got), TIDE_OK);
    assert_true(got[0] == 3 && got[2] == 5);
    tide_free(block);
    tide_archive_free(&a);
    tide_graph_free(g), tide_graph_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_archives), cmocka_unit_test(test_npy),
                                        cmocka_unit_test(test_variables) };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    files_remove();
    return failed;
}
