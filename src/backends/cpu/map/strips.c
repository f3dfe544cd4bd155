/* Element-wise operations on strips, for one instruction set. Plain loops that compilers vectorise; exp and its kin
 * go through vector functions. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "backends/ref/half.h"
#include "backends/cpu/isa.h"
#include LANES_HEADER
#include MATH_HEADER
#include "math_f32.h"

#define ARGS void *d, const void *pa, const void *pb, const void *pc, int64_t n

#define UNARY(name, T, R, expr)                                             \
    static void name(ARGS) {                                                \
        R *dst = d;                                                         \
        const T *a = pa;                                                    \
        (void)pb, (void)pc;                                                 \
        INDEPENDENT                                                         \
        for (int64_t i = 0; i < n; i++) { T x = a[i]; dst[i] = (R)(expr); } \
    }

#define BINARY_FORM(name, T, R, first, second, expr)                                            \
    static void name(ARGS) {                                                                    \
        R *dst = d;                                                                             \
        const T *a = pa, *b = pb;                                                               \
        const T a0 = *a, b0 = *b;                                                               \
        (void)pc, (void)a0, (void)b0;                                                           \
        INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) { T x = first, y = second; dst[i] = (R)(expr); }        \
    }
#define BINARY(name, T, R, expr)                       \
    BINARY_FORM(name##_vv, T, R, a[i], b[i], expr)     \
    BINARY_FORM(name##_vs, T, R, a[i], b0, expr)       \
    BINARY_FORM(name##_sv, T, R, a0, b[i], expr)

#define WHERE_FORM(name, T, yes, no)                                                            \
    static void name(ARGS) {                                                                    \
        T *dst = d;                                                                             \
        const uint8_t *a = pa;                                                                  \
        const T *b = pb, *c = pc;                                                               \
        const T b0 = *b, c0 = *c;                                                               \
        (void)b0, (void)c0;                                                                     \
        INDEPENDENT                                                                             \
        for (int64_t i = 0; i < n; i++) { T x = yes, y = no; dst[i] = a[i] ? x : y; }           \
    }
#define WHERE(name, T)                        \
    WHERE_FORM(name##_vv, T, b[i], c[i])      \
    WHERE_FORM(name##_vs, T, b0, c[i])        \
    WHERE_FORM(name##_sv, T, b[i], c0)        \
    WHERE_FORM(name##_ss, T, b0, c0)

/* The first operand. What the second holds is not looked at, so neither is its type. */
#define AFTER_FORM(name, T, first)                          \
    static void name(ARGS) {                                \
        T *dst = d;                                         \
        const T *a = pa;                                    \
        (void)pb, (void)pc;                                 \
        INDEPENDENT                                         \
        for (int64_t i = 0; i < n; i++) dst[i] = first;     \
    }
#define AFTER(name, T)                \
    AFTER_FORM(name##_vv, T, a[i])    \
    AFTER_FORM(name##_vs, T, a[i])    \
    AFTER_FORM(name##_sv, T, *a)

/* What every type has. */
#define COMMON(s, T)                                        \
    UNARY(neg_##s, T, T, -x)                                \
    UNARY(square_##s, T, T, x * x)                          \
    UNARY(relu_##s, T, T, x < 0 ? 0 : x)                    \
    BINARY(add_##s, T, T, x + y)                            \
    BINARY(sub_##s, T, T, x - y)                            \
    BINARY(mul_##s, T, T, x * y)                            \
    BINARY(eq_##s, T, uint8_t, x == y)                      \
    BINARY(ne_##s, T, uint8_t, x != y)                      \
    BINARY(lt_##s, T, uint8_t, x < y)                       \
    BINARY(le_##s, T, uint8_t, x <= y)                      \
    BINARY(gt_##s, T, uint8_t, x > y)                       \
    BINARY(ge_##s, T, uint8_t, x >= y)                      \
    AFTER(after_##s, T)                                     \
    WHERE(where_##s, T)

#define FLOATS(s, T, f, largest)                            \
    COMMON(s, T)                                            \
    UNARY(abs_##s, T, T, fabs##f(x))                        \
    UNARY(sign_##s, T, T, x != x ? x : (T)((x > 0) - (x < 0))) \
    UNARY(reciprocal_##s, T, T, 1 / x)                      \
    UNARY(sqrt_##s, T, T, sqrt##f(x))                       \
    UNARY(rsqrt_##s, T, T, 1 / sqrt##f(x))                  \
    UNARY(floor_##s, T, T, floor##f(x))                     \
    UNARY(ceil_##s, T, T, ceil##f(x))                       \
    UNARY(round_##s, T, T, rint##f(x))                      \
    UNARY(is_finite_##s, T, uint8_t, fabs##f(x) <= largest) \
    BINARY(div_##s, T, T, x / y)                            \
    BINARY(max_##s, T, T, x > y || x != x ? x : y)          \
    BINARY(min_##s, T, T, x < y || x != x ? x : y)

#define INTEGERS(s, T)                                      \
    COMMON(s, T)                                            \
    UNARY(abs_##s, T, T, x < 0 ? -x : x)                    \
    UNARY(sign_##s, T, T, (x > 0) - (x < 0))                \
    UNARY(same_##s, T, T, x)                                \
    UNARY(is_finite_##s, T, uint8_t, x == x)                \
    BINARY(div_##s, T, T, y == 0 ? 0 : y == (T)-1 && (T)-1 < 0 ? -x : x / y) \
    BINARY(max_##s, T, T, x > y ? x : y)                    \
    BINARY(min_##s, T, T, x < y ? x : y)

FLOATS(f32, float, f, FLT_MAX)
FLOATS(f64, double, , DBL_MAX)
INTEGERS(i32, int32_t)
INTEGERS(i64, int64_t)
INTEGERS(u8, uint8_t)

UNARY(not_u8, uint8_t, uint8_t, !x)
BINARY(and_u8, uint8_t, uint8_t, (x != 0) & (y != 0))
BINARY(or_u8, uint8_t, uint8_t, (x | y) != 0)

/* ---- vector functions ---------------------------------------------------------------------------------- */

#define VECTOR_UNARY_OF(name, V, T, LANES, expr)                                                            \
    static void name(ARGS) {                                                                                \
        T *dst = d;                                                                                         \
        const T *a = pa;                                                                                    \
        int64_t i = 0;                                                                                      \
        (void)pb, (void)pc;                                                                                 \
        for (; i + LANES <= n; i += LANES) { V x = V##_load(a + i); V##_store(dst + i, expr); }             \
        if (i == n) return;                                                                                 \
        V x = V##_load_part(a + i, n - i, V##_set(1));                                                      \
        V##_store_part(dst + i, expr, n - i);                                                               \
    }
#define VECTOR_UNARY(name, expr_f, expr_d)                              \
    VECTOR_UNARY_OF(name##_f32, vf, float, VF_LANES, expr_f)            \
    VECTOR_UNARY_OF(name##_f64, vd, double, VD_LANES, expr_d)

#define X(name) VECTOR_UNARY(name, vf_##name(x), vd_##name(x))
X(exp) X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(erf)
#undef X

#define SQRT_HALF 0.70710678118654752440
#define INV_SQRT_TAU 0.39894228040143267794

static inline vf gelu_f(vf x) { return 0.5f * x * (1.0f + vf_erf(x * (float)SQRT_HALF)); }
static inline vd gelu_d(vd x) { return 0.5 * x * (1.0 + vd_erf(x * SQRT_HALF)); }
static inline vf gelu_grad_f(vf x) {
    return 0.5f * (1.0f + vf_erf(x * (float)SQRT_HALF)) + x * (float)INV_SQRT_TAU * vf_exp(-0.5f * x * x);
}
static inline vd gelu_grad_d(vd x) {
    return 0.5 * (1.0 + vd_erf(x * SQRT_HALF)) + x * INV_SQRT_TAU * vd_exp(-0.5 * x * x);
}
VECTOR_UNARY(sigmoid, 1.0f / (1.0f + vf_exp(-x)), 1.0 / (1.0 + vd_exp(-x)))
VECTOR_UNARY(gelu, gelu_f(x), gelu_d(x))
VECTOR_UNARY(gelu_grad, gelu_grad_f(x), gelu_grad_d(x))

/* step: 0 where the operand is one number. */
#define POW_OF(s, V, T, LANES)                                                                              \
    static inline V s##_pow_get(const T *p, int64_t i, int64_t left, bool one) {                            \
        if (one) return V##_set(*p);                                                                        \
        return left >= LANES ? V##_load(p + i) : V##_load_part(p + i, left, V##_set(1));                    \
    }                                                                                                       \
    static inline void s##_pow_loop(T *dst, const T *a, const T *b, bool one_a, bool one_b, int64_t n) {    \
        V a0 = V##_set(*a), b0 = V##_set(*b);                                                               \
        for (int64_t i = 0; i < n; i += LANES) {                                                            \
            V x = one_a ? a0 : s##_pow_get(a, i, n - i, false);                                             \
            V y = one_b ? b0 : s##_pow_get(b, i, n - i, false);                                             \
            if (n - i >= LANES) V##_store(dst + i, V##_pow(x, y));                                          \
            else V##_store_part(dst + i, V##_pow(x, y), n - i);                                             \
        }                                                                                                   \
    }                                                                                                       \
    static void pow_##s##_vv(ARGS) { (void)pc; s##_pow_loop(d, pa, pb, false, false, n); }                  \
    static void pow_##s##_vs(ARGS) { (void)pc; s##_pow_loop(d, pa, pb, false, true, n); }                   \
    static void pow_##s##_sv(ARGS) { (void)pc; s##_pow_loop(d, pa, pb, true, false, n); }
POW_OF(f32, vf, float, VF_LANES)
POW_OF(f64, vd, double, VD_LANES)

/* ---- casts --------------------------------------------------------------------------------------------- */

/* Floats to integers truncate and saturate; NaN gives 0. `high` is the first number too large. */
#define TRUNCATE(from, F, to, T, low, high, most) \
    UNARY(cast_##from##_##to, F, T, x >= (F)high ? most : x <= (F)low ? low : x != x ? 0 : (T)x)
#define CASTS_FLOAT(from, F)                                                    \
    TRUNCATE(from, F, i32, int32_t, INT32_MIN, 0x1p31, INT32_MAX)               \
    TRUNCATE(from, F, i64, int64_t, INT64_MIN, 0x1p63, INT64_MAX)               \
    TRUNCATE(from, F, u8, uint8_t, 0, 256, 255)                                 \
    UNARY(cast_##from##_bool, F, uint8_t, x != 0)
#define CASTS_INTEGER(from, F)                                                  \
    UNARY(cast_##from##_f32, F, float, x)                                       \
    UNARY(cast_##from##_f64, F, double, x)                                      \
    UNARY(cast_##from##_i32, F, int32_t, x)                                     \
    UNARY(cast_##from##_i64, F, int64_t, x)                                     \
    UNARY(cast_##from##_u8, F, uint8_t, x)                                      \
    UNARY(cast_##from##_bool, F, uint8_t, x != 0)
CASTS_FLOAT(f32, float)
CASTS_FLOAT(f64, double)
CASTS_INTEGER(i32, int32_t)
CASTS_INTEGER(i64, int64_t)
CASTS_INTEGER(u8, uint8_t)
UNARY(cast_f32_f32, float, float, x)
UNARY(cast_f32_f64, float, double, x)
UNARY(cast_f64_f32, double, float, x)
UNARY(cast_f64_f64, double, double, x)
UNARY(cast_bf16_f32, uint16_t, float, bf16_to_float(x))
UNARY(cast_f32_bf16, float, uint16_t, float_to_bf16(x))

static void cast_f16_f32(ARGS) {
    const uint16_t *a = pa;
    float  *dst = d;
    int64_t i = 0;
    (void)pb, (void)pc;
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store(dst + i, vf_load_f16(a + i));
    for (; i < n; i++) dst[i] = f16_to_float(a[i]);
}

static void cast_f32_f16(ARGS) {
    const float *a = pa;
    uint16_t *dst = d;
    int64_t i = 0;
    (void)pb, (void)pc;
    for (; i + VF_LANES <= n; i += VF_LANES) vf_store_f16(dst + i, vf_load(a + i));
    for (; i < n; i++) dst[i] = float_to_f16(a[i]);
}

/* ---- the table ----------------------------------------------------------------------------------------- */

#define ONE(op, s) { op##_##s }
#define TWO(op, s) { op##_##s##_vv, op##_##s##_vs, op##_##s##_sv }
#define THREE(op, s) { op##_##s##_vv, op##_##s##_vs, op##_##s##_sv, op##_##s##_ss }
#define REAL(form, op) { form(op, f32), form(op, f64) }
#define ANY(form, op) { form(op, f32), form(op, f64), form(op, i32), form(op, i64), form(op, u8) }
#define ROUNDING(op) { ONE(op, f32), ONE(op, f64), ONE(same, i32), ONE(same, i64), ONE(same, u8) }
#define BOOLEAN(form, op) { [T_U8] = form(op, u8) }
#define FROM(s)                                                                                             \
    { [TIDE_F32] = cast_##s##_f32, [TIDE_F64] = cast_##s##_f64, [TIDE_I32] = cast_##s##_i32,                \
      [TIDE_I64] = cast_##s##_i64, [TIDE_U8] = cast_##s##_u8, [TIDE_BOOL] = cast_##s##_bool }

const strip_ops ISA(strips) = {
    .op = {
        [S_NEG] = ANY(ONE, neg), [S_ABS] = ANY(ONE, abs), [S_SIGN] = ANY(ONE, sign), [S_SQUARE] = ANY(ONE, square),
        [S_RECIPROCAL] = REAL(ONE, reciprocal), [S_SQRT] = REAL(ONE, sqrt), [S_RSQRT] = REAL(ONE, rsqrt),
        [S_EXP] = REAL(ONE, exp), [S_EXPM1] = REAL(ONE, expm1), [S_LOG] = REAL(ONE, log), [S_LOG1P] = REAL(ONE, log1p),
        [S_SIN] = REAL(ONE, sin), [S_COS] = REAL(ONE, cos), [S_TANH] = REAL(ONE, tanh), [S_ERF] = REAL(ONE, erf),
        [S_FLOOR] = ROUNDING(floor), [S_CEIL] = ROUNDING(ceil), [S_ROUND] = ROUNDING(round),
        [S_SIGMOID] = REAL(ONE, sigmoid), [S_GELU] = REAL(ONE, gelu), [S_GELU_GRAD] = REAL(ONE, gelu_grad),
        [S_RELU] = ANY(ONE, relu), [S_IS_FINITE] = ANY(ONE, is_finite), [S_NOT] = BOOLEAN(ONE, not),
        [S_ADD] = ANY(TWO, add), [S_SUB] = ANY(TWO, sub), [S_MUL] = ANY(TWO, mul), [S_DIV] = ANY(TWO, div),
        [S_POW] = REAL(TWO, pow), [S_MAX] = ANY(TWO, max), [S_MIN] = ANY(TWO, min),
        [S_EQ] = ANY(TWO, eq), [S_NE] = ANY(TWO, ne), [S_LT] = ANY(TWO, lt), [S_LE] = ANY(TWO, le),
        [S_GT] = ANY(TWO, gt), [S_GE] = ANY(TWO, ge),
        [S_AND] = BOOLEAN(TWO, and), [S_OR] = BOOLEAN(TWO, or), [S_AFTER] = ANY(TWO, after),
        [S_WHERE] = ANY(THREE, where),
    },
    .cast = {
        [TIDE_F32] = { [TIDE_F32] = cast_f32_f32, [TIDE_F64] = cast_f32_f64, [TIDE_F16] = cast_f32_f16,
                       [TIDE_BF16] = cast_f32_bf16, [TIDE_I32] = cast_f32_i32, [TIDE_I64] = cast_f32_i64,
                       [TIDE_U8] = cast_f32_u8, [TIDE_BOOL] = cast_f32_bool },
        [TIDE_F64] = FROM(f64), [TIDE_I32] = FROM(i32), [TIDE_I64] = FROM(i64), [TIDE_U8] = FROM(u8),
        [TIDE_BOOL] = FROM(u8), [TIDE_F16] = { [TIDE_F32] = cast_f16_f32 },
        [TIDE_BF16] = { [TIDE_F32] = cast_bf16_f32 },
    },
};
