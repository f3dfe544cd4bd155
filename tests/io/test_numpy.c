/* .npy and .npz: headers as numpy writes them, every refusal, round trips, the golden files. */
#include <stdio.h>

#include "check.h"

/* ---- reading .npy -------------------------------------------------------------------------------------- */

typedef struct npy_case {
    const char *header;
    int version, length;
    const char *data, *wanted;  /* wanted: the elements, or a part of the refusal */
    tide_dtype type;
    int axes;
    int64_t size[3];
} npy_case;

static const npy_case sound[] = {
    { "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }",
      1, 8, "\1\0\0\0\2\0\0\0", "\1\0\0\0\2\0\0\0", TIDE_I32, 1, { 2 } },
    { "{'descr': '>i4', 'fortran_order': False, 'shape': (2,), }\n",
      2, 8, "\0\0\0\1\0\0\0\2", "\1\0\0\0\2\0\0\0", TIDE_I32, 1, { 2 } },
    { "{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1'}", 3, 6, "abcdef", "acebdf", TIDE_U8, 2, { 2, 3 } },
    { "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 1, 3)}", 1, 6, "abcdef", "acebdf", TIDE_U8, 3,
      { 2, 1, 3 } },
    { "{\"descr\": \"|i1\", \"fortran_order\": False, \"shape\": (2,)}",
      1, 2, "\xff\5", "\xff\xff\xff\xff\5\0\0\0", TIDE_I32, 1, { 2 } },
    { "{'descr':'>i2','fortran_order':False,'shape':(1,)}", 1, 2, "\xff\xfe", "\xfe\xff\xff\xff", TIDE_I32, 1, { 1 } },
    { "{'descr': '<u2', 'fortran_order': False, 'shape': ()}", 1, 2, "\xfe\xff", "\xfe\xff\0\0", TIDE_I32, 0, { 0 } },
    { "{'descr': '<u4', 'fortran_order': False, 'shape': (1L,)}",
      1, 4, "\xff\xff\xff\xff", "\xff\xff\xff\xff\0\0\0\0", TIDE_I64, 1, { 1 } },
    { "{'descr': '<u8', 'fortran_order': False, 'shape': ( 1 , 1 )}",
      1, 8, "\1\0\0\0\0\0\0\x7f", "\1\0\0\0\0\0\0\x7f", TIDE_I64, 2, { 1, 1 } },
    { "{'descr': '|b1', 'fortran_order': True, 'shape': (2,)}", 1, 2, "\0\1", "\0\1", TIDE_BOOL, 1, { 2 } },
    { "{'descr': '<f2', 'fortran_order': True, 'shape': (0, 4)}", 1, 0, "", "", TIDE_F16, 2, { 0, 4 } },
};

static const npy_case refused[] = {
    { "{'descr': '<u8', 'fortran_order': False, 'shape': ()}", 1, 8, "\0\0\0\0\0\0\0\x80", "largest that fits" },
    { "{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", 1, 1, "\2", "neither 0 nor 1" },
    { "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", 1, 8, "12345678", "element type is '<c8'; f2, f4" },
    { "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 1, 8, "12345678", "element type is '|O'" },
    { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 1, 4, "1234", "structured array" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 1, 4, "1234", "(2) of f4 does not fit the 4 bytes" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 1, 5, "12345", "does not fit the 5 bytes" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (9000000000000000000,)}", 1, 4, "1234", "does not fit" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 1, 0, "", "does not fit" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807, 9)}", 1, 0, "", "does not fit" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", 1, 4, "1234", "no shape like" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 1, 4, "1234", "no shape like" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", 1, 4, "1234", "no shape like" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", 1, 4, "1234", "no shape like" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 1, 4, "1234", "more than the 8 axes" },
    { "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,)}", 1, 4, "1234", "neither True nor False" },
    { "{'descr': '<f4', 'fortran_order': False}", 1, 4, "1234", "lacks one of" },
    { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 1, 4, "1234",
      "key 'descr' unexpectedly" },
    { "{'descr': '<f4', 'colour': 'red', 'fortran_order': False, 'shape': (1,)}", 1, 4, "1234",
      "key 'colour' unexpectedly" },
    { "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", 1, 4, "1234", "lacks a comma" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", 1, 4, "1234", "not a Python dictionary" },
    { "", 1, 4, "1234", "not a Python dictionary" },
    { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, 4, "1234", "version is 4.0; 1.0, 2.0 and 3.0" },
};

static tide_status read_case(const npy_case *c, tide_tensor *out, tide_failure *f) {
    const char *path = temporary("a.npy");
    bytes b = npy_file(c->version, c->header, c->data, c->length);
    file_write(path, b);
    bytes_clear(&b);
    return tide_npy_read(path, out, f);
}

static void test_npy_sound(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        const npy_case *c = &sound[i];
        tide_failure f = { 0 };
        tide_tensor got,
            wanted = { (char *)(uintptr_t)c->header, c->type, { c->axes, { 0 } }, (void *)(uintptr_t)c->wanted };
        memcpy(wanted.shape.dim, c->size, sizeof c->size);
        check_ok(c->header, read_case(c, &got, &f), &f);
        check_same(&got, &wanted);
        free(got.name);
        free(got.data);
    }
}

static void test_npy_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        tide_failure f = { 0 };
        tide_tensor got;
        check_failure(refused[i].header, read_case(&refused[i], &got, &f), &f, TIDE_EDATA, refused[i].wanted);
        assert_null(got.data);
    }
}

static void test_npy_big_header(void **state) {
    (void)state;
    tide_failure f = { 0 };
    tide_tensor got;
    const char *path = temporary("big.npy");
    bytes b = { 0 };
    bytes_add(&b, "\x93NUMPY\2\0\xff\xff\xff\xff", 12);
    file_write(path, b);
    bytes_clear(&b);
    check_failure("header of 4 GiB", tide_npy_read(path, &got, &f), &f, TIDE_EDATA, "4294967295 bytes long; at most 0");
}

/* The header as numpy writes it, to the byte. */
static void test_npy_written(void **state) {
    (void)state;
    static const float data[3] = { 1, 2, 3 };
    tide_failure f = { 0 };
    tide_tensor t = { (char *)(uintptr_t) "", TIDE_F32, TIDE_SHAPE(3), (void *)(uintptr_t)data };
    const char *path = temporary("w.npy");
    check_ok("write", tide_npy_write(path, &t, &f), &f);
    bytes b = file_read(path);
    assert_int_equal(b.length, 128 + 12);
    assert_memory_equal(b.data, "\x93NUMPY\1\0\x76\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }  ", 68);
    assert_int_equal(b.data[127], '\n');
    assert_memory_equal(b.data + 128, data, 12);
    bytes_clear(&b);
    t.type = TIDE_BF16;
    check_failure("bf16", tide_npy_write(path, &t, &f), &f, TIDE_ETYPE, "no bf16 type");
}

/* ---- .npz ---------------------------------------------------------------------------------------------- */

static void round_trip(bool deflate) {
    tide_archive a = sample_archive(false), b;
    tide_failure f = { 0 };
    const char *path = temporary("a.npz");
    check_ok("write", tide_npz_write(path, &a, deflate, &f), &f);
    check_ok("read", tide_npz_read(path, &b, &f), &f);
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++) {
        assert_string_equal(a.tensors[i].name, b.tensors[i].name);
        check_same(&b.tensors[i], &a.tensors[i]);
    }
    bytes first = file_read(path), second;
    check_ok("write again", tide_npz_write(path, &b, deflate, &f), &f);
    second = file_read(path);
    assert_int_equal(first.length, second.length);
    assert_memory_equal(first.data, second.data, (size_t)first.length);
    bytes_clear(&first);
    bytes_clear(&second);
    tide_archive_free(&a);
    tide_archive_free(&b);
}

static void test_npz_stored(void **state) { (void)state; round_trip(false); }
static void test_npz_deflated(void **state) { (void)state; round_trip(true); }

static void test_npz_empty(void **state) {
    (void)state;
    tide_archive a = { 0 }, b;
    tide_failure f = { 0 };
    check_ok("write", tide_npz_write(temporary("e.npz"), &a, true, &f), &f);
    check_ok("read", tide_npz_read(temporary("e.npz"), &b, &f), &f);
    assert_int_equal(b.count, 0);
}

static void check_npz(bytes file, const char *part) {
    tide_failure f = { 0 };
    tide_archive a;
    const char *path = temporary("bad.npz");
    file_write(path, file);
    check_failure(part, tide_npz_read(path, &a, &f), &f, TIDE_EDATA, part);
    assert_string_equal(f.file, path);
    bytes_clear(&file);
}

static void test_npz_refused(void **state) {
    (void)state;
    bytes array = npy_file(1, "{'descr': '<i4', 'fortran_order': False, 'shape': (1,)}", "1234", 4);
    bytes text = { (unsigned char *)(uintptr_t) "hello", 5 };
    check_npz(zip_stored((zip_part[]){ { "x.txt", text } }, 1), "'x.txt' is not an array: names that end in .npy");
    check_npz(zip_stored((zip_part[]){ { "x.npy", text } }, 1), "array 'x': it is not a numpy array");
    check_npz(zip_stored((zip_part[]){ { "x.npy", array }, { "x.npy", array } }, 2), "array 'x' is in this file twice");
    check_npz((bytes){ 0 }, "this file is empty");
    bytes junk = { 0 };
    bytes_text(&junk, "this is no archive at all, and longer than the smallest one");
    check_npz(junk, "this is not a .npz file: it is no ZIP archive");

    bytes damaged = zip_stored((zip_part[]){ { "x.npy", array } }, 1);
    damaged.data[30 + 5 + array.length - 1] ^= 1;
    check_npz(damaged, "array 'x': its checksum or its length is wrong");

    /* Claims 2 GiB where 69 bytes lie: nothing may be allocated for it. */
    bytes bomb = zip_stored((zip_part[]){ { "x.npy", array } }, 1);
    int64_t central = 30 + 5 + array.length;
    memcpy(bomb.data + central + 24, "\0\0\0\x7f", 4);
    memcpy(bomb.data + 22, "\0\0\0\x7f", 4);
    check_npz(bomb, "claims 2130706432 bytes, which this file cannot hold");
    bytes_clear(&array);
}

static void test_npz_write_refused(void **state) {
    (void)state;
    tide_archive a = sample_archive(true);
    tide_failure f = { 0 };
    check_failure("bf16", tide_npz_write(temporary("b.npz"), &a, true, &f), &f, TIDE_ETYPE, "'layer.3/bf16' is bf16");
    assert_int_equal(tide_archive_add(&a, "list", TIDE_F32, TIDE_SCALAR, "1234"), TIDE_EINVAL);
    assert_int_equal(tide_archive_add(&a, "negative", TIDE_F32, TIDE_SHAPE(-1), NULL), TIDE_EINVAL);
    assert_int_equal(tide_archive_add(&a, "huge", TIDE_F32, TIDE_SHAPE(INT64_MAX, 8), NULL), TIDE_EINVAL);
    tide_archive_free(&a);
}

/* ---- golden: what numpy itself wrote ------------------------------------------------------------------- */

static void test_golden(void **state) {
    (void)state;
    static const char *const names[] = { "base", "nomark", "nonorm_relu", "many", "adam60" };
    char path[1024];
    for (int i = 0; i < 5; i++) {
        tide_archive a;
        tide_failure f = { 0 };
        snprintf(path, sizeof path, "tests/golden/itransformer_%s.npz", names[i]);
        check_ok(path, tide_npz_read(path, &a, &f), &f);
        const tide_tensor *losses = tide_archive_find(&a, i == 4 ? "losses" : "loss");
        if (!losses || tide_shape_count(losses->shape) != (i == 4 ? 60 : 1)) fail_msg("%s: no loss", path);
        tide_archive_free(&a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy_sound),     cmocka_unit_test(test_npy_refused),
        cmocka_unit_test(test_npy_big_header),
        cmocka_unit_test(test_npy_written),   cmocka_unit_test(test_npz_stored),   cmocka_unit_test(test_npz_deflated),
        cmocka_unit_test(test_npz_empty),     cmocka_unit_test(test_npz_refused),
        cmocka_unit_test(test_npz_write_refused),
        cmocka_unit_test(test_golden),
    };
    return cmocka_run_group_tests_name("numpy files", tests, NULL, remove_files);
}
