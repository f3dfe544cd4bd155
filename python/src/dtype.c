/* Element types: their names here, in numpy and in struct's formats, and single elements as Python's numbers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "binding.h"

static const struct { const char *name, *numpy, *format; } types[TIDE_DTYPES] = {
    [TIDE_F32] = { "f32", "float32", "f" },   [TIDE_F64] = { "f64", "float64", "d" },
    [TIDE_F16] = { "f16", "float16", "e" },   [TIDE_BF16] = { "bf16", "bfloat16", NULL },
    [TIDE_I32] = { "i32", "int32", "i" },     [TIDE_I64] = { "i64", "int64", "q" },
    [TIDE_U8] = { "u8", "uint8", "B" },       [TIDE_BOOL] = { "bool", "bool", "?" },
};

const char *dtype_format(tide_dtype type) { return types[type].format; }

static bool dtype_named(const char *name, tide_dtype *out) {
    const char *dot = strrchr(name, '.');  /* "torch.float32" */
    if (dot) name = dot + 1;
    for (int i = 0; i < TIDE_DTYPES; i++)
        if (!strcmp(name, types[i].name) || !strcmp(name, types[i].numpy)) return *out = (tide_dtype)i, true;
    return false;
}

/* "numpy.dtype[float32]" says its name, numpy.float32 and float their __name__, torch.float32 its text. */
bool dtype_from(PyObject *o, tide_dtype *out) {
    static const char *const attributes[] = { "name", "__name__" };
    PyObject *text = PyUnicode_Check(o) ? Py_NewRef(o) : NULL;
    for (int i = 0; i < 2 && !text; i++)
        if (!(text = PyObject_GetAttrString(o, attributes[i]))) PyErr_Clear();
    if (!text) text = PyObject_Str(o);
    const char *name = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
    bool found = name && dtype_named(name, out);
    if (!found && !PyErr_Occurred())
        raise_invalid("%.100s is no element type; there are f32, f64, f16, bf16, i32, i64, u8 and bool",
                      name ? name : "this object");
    Py_XDECREF(text);
    return found;
}

/* Of an integer format all that counts is its sign and size. */
bool dtype_of_format(const char *format, size_t size, tide_dtype *out) {
    const uint16_t one = 1;
    bool           little = *(const uint8_t *)&one;
    if (!format) format = "B";
    if (*format == '@' || *format == '=' || *format == (little ? '<' : '>') || (*format == '|')) format++;
    if (!*format || format[1]) return false;
    if (strchr("fde?", *format)) {
        *out = *format == 'f' ? TIDE_F32 : *format == 'd' ? TIDE_F64 : *format == 'e' ? TIDE_F16 : TIDE_BOOL;
        return size == tide_dtype_size(*out);
    }
    if (strchr("ilqn", *format)) return *out = size == 4 ? TIDE_I32 : TIDE_I64, size == 4 || size == 8;
    return *out = TIDE_U8, *format == 'B' && size == 1;
}

static double from_half(uint16_t h) {
    int      exponent = h >> 10 & 31;
    double   fraction = h & 1023, sign = h >> 15 ? -1 : 1;
    if (exponent == 31) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}

static double from_bfloat(uint16_t b) {
    uint32_t bits = (uint32_t)b << 16;
    float    f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

static double real_at(tide_dtype type, const void *at) {
    switch (type) {
    case TIDE_F32: return (double)*(const float *)at;
    case TIDE_F64: return *(const double *)at;
    case TIDE_F16: return from_half(*(const uint16_t *)at);
    default: return from_bfloat(*(const uint16_t *)at);
    }
}

static int64_t integer_at(tide_dtype type, const void *at) {
    switch (type) {
    case TIDE_I32: return *(const int32_t *)at;
    case TIDE_I64: return *(const int64_t *)at;
    default: return *(const uint8_t *)at;
    }
}

static bool is_floating(tide_dtype type) { return type <= TIDE_BF16; }

PyObject *element_get(tide_dtype type, const void *at) {
    if (type == TIDE_BOOL) return PyBool_FromLong(*(const uint8_t *)at);
    return is_floating(type) ? PyFloat_FromDouble(real_at(type, at)) : PyLong_FromLongLong(integer_at(type, at));
}

/* To the nearest, halves to even, with `digits` binary digits down to the step 2^low. */
static double rounded(double x, int digits, int low) {
    int exponent;
    if (!isfinite(x) || x == 0) return x;
    frexp(x, &exponent);
    int step = exponent - digits > low ? exponent - digits : low;
    return ldexp(nearbyint(ldexp(x, -step)), step);
}

static uint16_t to_half(double x) {
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    double   r = fabs(rounded(x, 11, -24));
    if (isnan(x)) return 0x7e00;
    if (r > 65504) return (uint16_t)(sign | 0x7c00);
    if (r < 0x1p-14) return (uint16_t)(sign | (uint16_t)ldexp(r, 24));
    int exponent;
    double fraction = frexp(r, &exponent);
    return (uint16_t)(sign | ((uint16_t)(exponent + 14) << 10) | ((uint16_t)ldexp(fraction, 11) & 1023));
}

static uint16_t to_bfloat(double x) {
    float    f = isnan(x) ? NAN : (float)rounded(x, 8, -133);
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static void put_real(tide_dtype type, void *at, double x) {
    switch (type) {
    case TIDE_F32: *(float *)at = (float)x; break;
    case TIDE_F64: *(double *)at = x; break;
    case TIDE_F16: *(uint16_t *)at = to_half(x); break;
    default: *(uint16_t *)at = to_bfloat(x);
    }
}

static bool put_integer(tide_dtype type, void *at, int64_t x) {
    switch (type) {
    case TIDE_I32: return *(int32_t *)at = (int32_t)x, x >= INT32_MIN && x <= INT32_MAX;
    case TIDE_I64: return *(int64_t *)at = x, true;
    case TIDE_U8: return *(uint8_t *)at = (uint8_t)x, x >= 0 && x <= UINT8_MAX;
    default: return *(uint8_t *)at = x != 0, x == 0 || x == 1;
    }
}

bool elements_convert(tide_dtype from, const void *in, tide_dtype to, void *out, int64_t count) {
    const char *source = in;
    char       *target = out;
    size_t      step = tide_dtype_size(from), stride = tide_dtype_size(to);
    if (is_floating(from) && !is_floating(to)) return false;
    if (to == TIDE_BOOL && from != TIDE_BOOL) return false;
    for (int64_t i = 0; i < count; i++, source += step, target += stride) {
        if (is_floating(from)) put_real(to, target, real_at(from, source));
        else if (is_floating(to)) put_real(to, target, (double)integer_at(from, source));
        else if (!put_integer(to, target, integer_at(from, source))) return false;
    }
    return true;
}
