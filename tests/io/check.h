/* What the tests of src/io assert about failures and arrays. */
#ifndef TEST_IO_CHECK_H
#define TEST_IO_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "support.h"

/* The status and a part of the sentence. */
static inline void check_failure(const char *label, tide_status got, const tide_failure *f, tide_status wanted,
                                 const char *part) {
    if (got != wanted || f->status != wanted || !strstr(f->message, part))
        fail_msg("%s\nexpected %s: ...%s...\ngot      %s: %s", label, tide_status_name(wanted), part,
                 tide_status_name(got),
                 f->message);
}

static inline void check_ok(const char *label, tide_status got, const tide_failure *f) {
    if (got) fail_msg("%s\nexpected ok\ngot      %s: %s", label, tide_status_name(got), f->message);
}

static inline void check_same(const tide_tensor *got, const tide_tensor *wanted) {
    if (!got) fail_msg("'%s' is missing", wanted->name);
    if (got->type != wanted->type || !tide_shape_equal(got->shape, wanted->shape))
        fail_msg("'%s' has another type or shape", wanted->name);
    assert_memory_equal(got->data, wanted->data,
                        (size_t)tide_shape_count(wanted->shape) * tide_dtype_size(wanted->type));
}

static inline int remove_files(void **state) {
    (void)state;
    files_remove();
    return 0;
}

/* One array of each type, some empty, some without axes. */
static inline tide_archive sample_archive(bool bf16) {
    tide_archive a = { 0 };
    unsigned char noise[64];
    for (int i = 0; i < 64; i++) noise[i] = (unsigned char)(i * 37 + 11);
    unsigned char flags[4] = { 1, 0, 0, 1 };
    for (int type = 0; type < TIDE_DTYPES; type++) {
        if (type == TIDE_BF16 && !bf16) continue;
        const void *data = type == TIDE_BOOL ? flags : noise;
        char name[64];
        snprintf(name, sizeof name, "layer.%d/%s", type, tide_dtype_name((tide_dtype)type));
        assert_int_equal(tide_archive_add(&a, name, (tide_dtype)type, TIDE_SHAPE(2, 1, 2), data), TIDE_OK);
    }
    assert_int_equal(tide_archive_add(&a, "scalar", TIDE_F64, TIDE_SCALAR, noise), TIDE_OK);
    assert_int_equal(tide_archive_add(&a, "empty \"\xc3\xa9\"", TIDE_I64, TIDE_SHAPE(3, 0), NULL), TIDE_OK);
    assert_int_equal(tide_archive_add(&a, "list", TIDE_F32, TIDE_SHAPE(5), noise), TIDE_OK);
    return a;
}

#endif
