#include <inttypes.h>
#include <stdio.h>

#include "base.h"

static const struct { const char *name; size_t size; } dtypes[TIDE_DTYPES] = {
    [TIDE_F32] = { "f32", 4 }, [TIDE_F64] = { "f64", 8 }, [TIDE_F16] = { "f16", 2 }, [TIDE_BF16] = { "bf16", 2 },
    [TIDE_I32] = { "i32", 4 }, [TIDE_I64] = { "i64", 8 }, [TIDE_U8] = { "u8", 1 },   [TIDE_BOOL] = { "bool", 1 },
};

size_t      tide_dtype_size(tide_dtype type) { return (unsigned)type < TIDE_DTYPES ? dtypes[type].size : 0; }
const char *tide_dtype_name(tide_dtype type) { return (unsigned)type < TIDE_DTYPES ? dtypes[type].name : "unknown"; }

int64_t tide_shape_count(tide_shape shape) {
    int64_t count;
    return shape_count_checked(shape, &count) ? count : -1;
}

bool tide_shape_equal(tide_shape a, tide_shape b) {
    if (a.ndim != b.ndim || a.ndim < 0 || a.ndim > TIDE_MAX_DIMS) return false;
    for (int i = 0; i < a.ndim; i++)
        if (a.dim[i] != b.dim[i]) return false;
    return true;
}

bool shape_count_checked(tide_shape s, int64_t *count) {
    if (s.ndim < 0 || s.ndim > TIDE_MAX_DIMS) return false;
    *count = 1;
    int64_t room = (int64_t)1 << 48;  /* so that sums of sizes in bytes fit too; zeros do not hide an overflow */
    for (int i = 0; i < s.ndim; i++) {
        if (s.dim[i] < 0) return false;
        if (s.dim[i] > 0 && (room /= s.dim[i]) == 0) return false;
        *count *= s.dim[i];
    }
    return true;
}

char *shape_text(char buffer[128], tide_shape s) {
    int at = snprintf(buffer, 128, "(");
    for (int i = 0; i < s.ndim && i < TIDE_MAX_DIMS && at < 100; i++)
        at += snprintf(buffer + at, 128 - (size_t)at, "%s%" PRId64, i ? ", " : "", s.dim[i]);
    snprintf(buffer + at, 128 - (size_t)at, ")");
    return buffer;
}
