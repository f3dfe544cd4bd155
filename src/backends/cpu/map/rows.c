/* Reductions and expansions over blocks of rows, for one instruction set. The order of every sum depends on the shape
 * alone. */
#include <math.h>

#include "backends/cpu/isa.h"
#include LANES_HEADER

/* ---- float: vectors across the columns, the last vector in part --------------------------------------- */

#define FLOAT_REDUCE(name, start, combine, finish)                                                          \
    static inline float name##_run(const float *p, int64_t n) {                                             \
        const vf none = vf_set(start);                                                                      \
        vf v[4] = { none, none, none, none };                                                               \
        int64_t i = 0;                                                                                      \
        if (n >= 4 * VF_LANES) {                                                                            \
            for (; i + 4 * VF_LANES <= n; i += 4 * VF_LANES)                                                \
                for (int j = 0; j < 4; j++) v[j] = combine(v[j], vf_load(p + i + j * VF_LANES));            \
            v[0] = combine(combine(v[0], v[1]), combine(v[2], v[3]));                                       \
        }                                                                                                   \
        for (; i + VF_LANES <= n; i += VF_LANES) v[0] = combine(v[0], vf_load(p + i));                      \
        if (i < n) v[0] = combine(v[0], vf_load_part(p + i, n - i, none));                                  \
        return finish(v[0]);                                                                                \
    }                                                                                                       \
    static void name##_f32(void *dst, const void *src, int64_t rows, int64_t cols) {                        \
        const float *p = src;                                                                               \
        if (cols > 0 && cols < VF_LANES)                                                                    \
            for (int64_t r = 0; r < rows; r++, p += cols)                                                   \
                ((float *)dst)[r] = finish(vf_load_part(p, cols, vf_set(start)));                           \
        else for (int64_t r = 0; r < rows; r++) ((float *)dst)[r] = name##_run((const float *)src + r * cols, cols); \
    }

static inline vf plus(vf a, vf b) { return a + b; }
FLOAT_REDUCE(sum, 0, plus, vf_sum)
FLOAT_REDUCE(max, -INFINITY, vf_max, vf_highest)
FLOAT_REDUCE(min, INFINITY, vf_min, vf_lowest)

static void all_sum_f32(void *dst, const void *src, int64_t rows, int64_t cols) {
    *(float *)dst += sum_run(src, rows * cols);
}

/* Whole vectors run over into the next row, which is written after; only the end of the block is cut. */
static void expand_f32(void *dst, const void *src, int64_t rows, int64_t cols) {
    float *out = dst, *end = out + rows * cols;
    const float *in = src;
    int64_t r = 0;
    if (cols <= VF_LANES)
        for (; end - out >= VF_LANES; r++, out += cols) vf_store(out, vf_set(in[r]));
    for (; r < rows; r++, out += cols) {
        vf v = vf_set(in[r]);
        for (int64_t c = 0; c < cols; c += VF_LANES) {
            if (end - (out + c) >= VF_LANES) vf_store(out + c, v);
            else vf_store_part(out + c, v, end - (out + c));
        }
    }
}

/* ---- other types --------------------------------------------------------------------------------------- */

#define EIGHT 8
#define PLAIN_SUM(s, T)                                                                                     \
    static inline T sum_run_##s(const T *p, int64_t n) {                                                    \
        T part[EIGHT] = { 0 };                                                                              \
        int64_t i = 0;                                                                                      \
        for (; i + EIGHT <= n; i += EIGHT)                                                                  \
            for (int j = 0; j < EIGHT; j++) part[j] = (T)(part[j] + p[i + j]);                              \
        for (; i < n; i++) part[0] = (T)(part[0] + p[i]);                                                   \
        for (int j = 1; j < EIGHT; j++) part[0] = (T)(part[0] + part[j]);                                   \
        return part[0];                                                                                     \
    }                                                                                                       \
    static void sum_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                           \
        for (int64_t r = 0; r < rows; r++) ((T *)dst)[r] = sum_run_##s((const T *)src + r * cols, cols);    \
    }                                                                                                       \
    static void all_sum_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                       \
        *(T *)dst = (T)(*(T *)dst + sum_run_##s(src, rows * cols));                                         \
    }                                                                                                       \
    static void expand_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                        \
        for (int64_t r = 0; r < rows; r++)                                                                  \
            for (int64_t c = 0; c < cols; c++) ((T *)dst)[r * cols + c] = ((const T *)src)[r];              \
    }

#define PLAIN_EXTREME(name, s, T, start, better)                                                            \
    static void name##_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                        \
        for (int64_t r = 0; r < rows; r++) {                                                                \
            const T *p = (const T *)src + r * cols;                                                         \
            T best = start;                                                                                 \
            for (int64_t c = 0; c < cols; c++) { T x = p[c]; best = x better best || x != x ? x : best; }   \
            ((T *)dst)[r] = best;                                                                           \
        }                                                                                                   \
    }

/* The first of equals; the first NaN if there is one. */
#define ARG_EXTREME(name, s, T, better)                                                                     \
    static void name##_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                        \
        for (int64_t r = 0; r < rows; r++) {                                                                \
            const T *p = (const T *)src + r * cols;                                                         \
            int64_t best = 0;                                                                               \
            for (int64_t c = 1; c < cols && p[best] == p[best]; c++)                                        \
                if (p[c] better p[best] || p[c] != p[c]) best = c;                                          \
            ((int32_t *)dst)[r] = (int32_t)best;                                                            \
        }                                                                                                   \
    }

#define COLUMN_SUM(s, T)                                                                                    \
    static void column_sum_##s(void *dst, const void *src, int64_t rows, int64_t cols) {                    \
        T *restrict sum = dst;                                                                              \
        for (int64_t r = 0; r < rows; r++) {                                                                \
            const T *restrict p = (const T *)src + r * cols;                                                \
            for (int64_t c = 0; c < cols; c++) sum[c] = (T)(sum[c] + p[c]);                                 \
        }                                                                                                   \
    }

#define EACH(s, T)                    \
    ARG_EXTREME(argmax, s, T, >)      \
    ARG_EXTREME(argmin, s, T, <)      \
    COLUMN_SUM(s, T)
#define NOT_FLOAT(s, T, low, high)    \
    PLAIN_SUM(s, T)                   \
    PLAIN_EXTREME(max, s, T, low, >)  \
    PLAIN_EXTREME(min, s, T, high, <) \
    EACH(s, T)

EACH(f32, float)
NOT_FLOAT(f64, double, -INFINITY, INFINITY)
NOT_FLOAT(i32, int32_t, INT32_MIN, INT32_MAX)
NOT_FLOAT(i64, int64_t, INT64_MIN, INT64_MAX)
NOT_FLOAT(u8, uint8_t, 0, UINT8_MAX)

#define ALL(name) { name##_f32, name##_f64, name##_i32, name##_i64, name##_u8 }
const row_ops ISA(rows) = {
    .reduce = { ALL(sum), ALL(max), ALL(min), ALL(argmax), ALL(argmin) },
    .column_sum = ALL(column_sum), .all_sum = ALL(all_sum), .expand = ALL(expand),
};
