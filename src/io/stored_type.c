/* A table of element types as files spell them, and the loops that turn them into ours; a value that would not
 * survive is refused. */
#include "stored_type.h"

#include <stdlib.h>
#include <string.h>

#include "../base/base.h"
#include "source.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are little-endian in memory and in our files");

#define WIDEN(name, from, to)                                             \
    static int64_t name(void *out, const void *in, int64_t n) {           \
        for (int64_t i = 0; i < n; i++) ((to *)out)[i] = ((const from *)in)[i]; \
        return n;                                                         \
    }
WIDEN(widen_i8, int8_t, int32_t)
WIDEN(widen_i16, int16_t, int32_t)
WIDEN(widen_u16, uint16_t, int32_t)
WIDEN(widen_u32, uint32_t, int64_t)

static int64_t widen_u64(void *out, const void *in, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        uint64_t value = ((const uint64_t *)in)[i];
        if (value > INT64_MAX) return i;
        ((int64_t *)out)[i] = (int64_t)value;
    }
    return n;
}

static const stored_type types[] = {
    { "f4", "F32", "FloatStorage", TIDE_F32, 4, true, NULL },
    { "f8", "F64", "DoubleStorage", TIDE_F64, 8, true, NULL },
    { "f2", "F16", "HalfStorage", TIDE_F16, 2, true, NULL },
    { NULL, "BF16", "BFloat16Storage", TIDE_BF16, 2, true, NULL },
    { "i4", "I32", "IntStorage", TIDE_I32, 4, true, NULL },
    { "i8", "I64", "LongStorage", TIDE_I64, 8, true, NULL },
    { "u1", "U8", "ByteStorage", TIDE_U8, 1, true, NULL },
    { "b1", "BOOL", "BoolStorage", TIDE_BOOL, 1, true, NULL },
    { "i1", "I8", "CharStorage", TIDE_I32, 1, false, widen_i8 },
    { "i2", "I16", "ShortStorage", TIDE_I32, 2, false, widen_i16 },
    { "u2", "U16", NULL, TIDE_I32, 2, false, widen_u16 },
    { "u4", "U32", NULL, TIDE_I64, 4, false, widen_u32 },
    { "u8", "U64", NULL, TIDE_I64, 8, false, widen_u64 },
};
enum { TYPES = sizeof types / sizeof *types };

static const stored_type *find(size_t field, const char *name) {
    for (int i = 0; i < TYPES; i++) {
        const char *own = *(const char *const *)(const void *)((const char *)&types[i] + field);
        if (own && strcmp(own, name) == 0) return &types[i];
    }
    return NULL;
}

const stored_type *stored_by_npy(const char *name) { return find(offsetof(stored_type, npy), name); }
const stored_type *stored_by_safetensors(const char *name) { return find(offsetof(stored_type, safetensors), name); }
const stored_type *stored_by_torch(const char *name) { return find(offsetof(stored_type, torch), name); }

const stored_type *stored_exact(tide_dtype type) {
    int i = 0;
    while (!(types[i].exact && types[i].type == type)) i++;
    return &types[i];
}

void bytes_swap(void *data, int32_t size, int64_t count) {
    unsigned char *element = data;
    for (int64_t n = 0; n < count; n++, element += size)
        for (int32_t i = 0, j = size - 1; i < j; i++, j--) {
            unsigned char kept = element[i];
            element[i] = element[j];
            element[j] = kept;
        }
}

/* One run along the last axis. Fixed sizes let the compiler turn memcpy into a move. */
static void copy_run(char *out, const char *in, int32_t size, int64_t count, int64_t stride) {
    int64_t step = stride * size;
    switch (size) {
    case 1: for (int64_t i = 0; i < count; i++) out[i] = in[i * step]; break;
    case 2: for (int64_t i = 0; i < count; i++) memcpy(out + i * 2, in + i * step, 2); break;
    case 4: for (int64_t i = 0; i < count; i++) memcpy(out + i * 4, in + i * step, 4); break;
    default: for (int64_t i = 0; i < count; i++) memcpy(out + i * 8, in + i * step, 8); break;
    }
}

void strided_copy(void *out, const void *in, int32_t size, tide_shape shape, const int64_t *stride) {
    int64_t index[TIDE_MAX_DIMS] = { 0 }, offset = 0, count = tide_shape_count(shape);
    int last = shape.ndim - 1;
    int64_t run = last < 0 ? 1 : shape.dim[last], step = last < 0 ? 1 : stride[last];
    for (int64_t done = 0; done < count; done += run) {
        copy_run((char *)out + done * size, (const char *)in + offset * size, size, run, step);
        for (int axis = last - 1; axis >= 0; axis--) {
            offset += stride[axis];
            if (++index[axis] < shape.dim[axis]) break;
            offset -= index[axis] * stride[axis];
            index[axis] = 0;
        }
    }
}

static bool booleans_sound(const unsigned char *data, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (data[i] > 1) return false;
    return true;
}

void *stored_widen(const stored_type *type, void *raw, int64_t count, tide_status *status, const char **why) {
    void *out = raw;
    *why = NULL;
    *status = TIDE_EDATA;
    if (type->type == TIDE_BOOL && !booleans_sound(raw, count))
        *why = "a boolean is neither 0 nor 1";
    if (!type->exact) {
        out = bytes_new(count * (int64_t)tide_dtype_size(type->type));
        if (!out) {
            *status = TIDE_ENOMEM;
            *why = "out of memory";
        } else if (type->widen(out, raw, count) < count) {
            *why = "an unsigned number is above 9223372036854775807, the largest that fits";
        }
        free(raw);
    }
    if (!*why) {
        *status = TIDE_OK;
        return out;
    }
    free(out);
    return NULL;
}
