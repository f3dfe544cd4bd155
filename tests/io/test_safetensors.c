/* safetensors: round trips, the bytes written, every refusal. */
#include <stdio.h>

#include "check.h"

static void test_round_trip(void **state) {
    (void)state;
    tide_archive a = sample_archive(true), b;
    tide_failure f = { 0 };
    const char *path = temporary("a.safetensors");
    assert_int_equal(tide_archive_set(&a, "format_version", "0"), TIDE_OK);
    assert_int_equal(tide_archive_set(&a, "scaler", "{\"mean\": [1.5]}"), TIDE_OK);
    assert_int_equal(tide_archive_set(&a, "format_version", "1"), TIDE_OK);
    check_ok("write", tide_safetensors_write(path, &a, &f), &f);
    check_ok("read", tide_safetensors_read(path, &b, &f), &f);
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++) check_same(tide_archive_find(&b, a.tensors[i].name), &a.tensors[i]);
    assert_int_equal(b.metadata_count, 2);
    assert_string_equal(tide_archive_metadata(&b, "format_version"), "1");
    assert_string_equal(tide_archive_metadata(&b, "scaler"), "{\"mean\": [1.5]}");
    assert_null(tide_archive_metadata(&b, "absent"));
    assert_null(tide_archive_find(&b, "absent"));
    tide_archive_free(&a);
    tide_archive_free(&b);
    tide_archive_free(NULL);
}

/* Wide elements first, so that all are aligned; the header ends at a multiple of 8. */
static void test_bytes(void **state) {
    (void)state;
    static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[4,5]}}";
    tide_archive a = { 0 };
    tide_failure f = { 0 };
    tide_archive_add(&a, "b", TIDE_U8, TIDE_SCALAR, "B");
    tide_archive_add(&a, "w", TIDE_F32, TIDE_SHAPE(1), "wxyz");
    check_ok("write", tide_safetensors_write(temporary("b.safetensors"), &a, &f), &f);
    bytes got = file_read(temporary("b.safetensors"));
    int64_t padded = (int64_t)(sizeof header - 1 + 7) / 8 * 8;
    assert_int_equal(got.length, 8 + padded + 5);
    assert_int_equal(got.data[0], padded);
    assert_memory_equal(got.data + 8, header, sizeof header - 1);
    assert_memory_equal(got.data + 8 + padded, "wxyzB", 5);
    bytes_clear(&got);
    tide_archive_free(&a);
}

#define ENTRY(type, shape, begin, end) \
    "{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void test_refused(void **state) {
    (void)state;
    static const struct { const char *header; int length; const char *part; } cases[] = {
        { "{\"a\":" ENTRY("F32", "[2]", "0", "8") "}", 9, "describes 8 bytes of data; the file has 9" },
        { "{\"a\":" ENTRY("F32", "[2]", "0", "8") "}", 7, "describes 8 bytes of data; the file has 7" },
        { "{\"a\":" ENTRY("F32", "[1]", "4", "8") "}", 8, "array 'a' begins at byte 4 of the data; byte 0 comes next" },
        { "{\"a\":" ENTRY("F32", "[1]", "0", "4") ",\"b\":" ENTRY("F32", "[1]", "0", "4") "}", 4,
          "array 'b' begins at byte 0 of the data; byte 4" },
        { "{\"a\":" ENTRY("F32", "[3]", "0", "8") "}", 8, "shape (3) of F32 does not fill the 8 bytes" },
        { "{\"a\":" ENTRY("F32", "[9223372036854775807,4]", "0", "8") "}", 8, "does not fill" },
        { "{\"a\":" ENTRY("F32", "[2]", "8", "0") "}", 8, "not a pair [begin, end]" },
        { "{\"a\":" ENTRY("F32", "[2]", "0", "8.0") "}", 8, "not a pair [begin, end]" },
        { "{\"a\":" ENTRY("F32", "[-2]", "0", "8") "}", 8, "size 1 in 'shape'" },
        { "{\"a\":" ENTRY("F32", "2", "0", "8") "}", 8, "'shape' is not a list" },
        { "{\"a\":" ENTRY("F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8, "it has 9 axes; at most 8" },
        { "{\"a\":" ENTRY("F8_E4M3", "[8]", "0", "8") "}", 8, "array 'a': its dtype is F8_E4M3; F64, F32" },
        { "{\"a\":{\"dtype\":\"F32\"}}", 0, "not {dtype, shape, data_offsets}" },
        { "{\"a\":" ENTRY("BOOL", "[1]", "0", "1") "}", 1, "neither 0 nor 1" },
        { "{\"a\":" ENTRY("F32", "[0]", "0", "0") ",\"a\":" ENTRY("F32", "[0]", "0", "0") "}", 0,
          "duplicate object key" },
        { "{\"__metadata__\":{\"k\":1}}", 0, "__metadata__ entry 'k' is not a string" },
        { "{\"__metadata__\":[]}", 0, "__metadata__ is not an object" },
        { "[]", 0, "not a JSON object" },
        { "{\"a\"", 0, "not sound JSON" },
        { "", 0, "not sound JSON" },
    };
    unsigned char data[16];
    memset(data, 7, sizeof data);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_failure f = { 0 };
        tide_archive a;
        const char *path = temporary("bad.safetensors");
        bytes b = safetensors_file(cases[i].header, data, cases[i].length);
        file_write(path, b);
        bytes_clear(&b);
        check_failure(cases[i].header, tide_safetensors_read(path, &a, &f), &f, TIDE_EDATA, cases[i].part);
        assert_null(a.tensors);
    }
}

static void test_header_length(void **state) {
    (void)state;
    tide_failure f = { 0 };
    tide_archive a;
    const char *path = temporary("long.safetensors");
    file_write(path, (bytes){ (unsigned char *)(uintptr_t) "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10 });
    check_failure("2^64 - 1", tide_safetensors_read(path, &a, &f), &f, TIDE_EDATA,
                  "18446744073709551615 bytes long; at most 2");
}

static void test_write_refused(void **state) {
    (void)state;
    static const char *const names[] = { "__metadata__", "\xff" };
    for (int i = 0; i < 2; i++) {
        tide_failure f = { 0 };
        tide_archive a = { 0 };
        tide_archive_add(&a, names[i], TIDE_U8, TIDE_SCALAR, "x");
        check_failure("name", tide_safetensors_write(temporary("w"), &a, &f), &f, TIDE_EINVAL, "cannot be used");
        tide_archive_free(&a);
    }
    assert_int_equal(file_read(temporary("w")).length, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_bytes),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_header_length), cmocka_unit_test(test_write_refused),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, remove_files);
}
