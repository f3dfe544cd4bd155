/* Scalar functions of GPU texts, as compiled for CUDA and for Metal, against what other backends compute: bits of the
 * processor's vector functions, the C library's numbers in double, ref's conversions and integers, Philox. */
#include "base/base.h"
#include "base/philox.h"
#include "backends/cpu/isa.h"
#include "backends/ref/half.h"
#include "backends/ref/ref.h"
#include "gpu/scalars_table.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

static const gpu_scalars *const texts[] = { &cuda_scalars, &metal_scalars };
enum { TEXTS = sizeof texts / sizeof *texts };
#define EACH_TEXT(t) for (const gpu_scalars *const *at = texts, *t; at < texts + TEXTS && (t = *at); at++)

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* Every 8209th float, which is some of each exponent and sign, and then numbers where something changes. */
enum { SWEEP_STEP = 8209, SWEPT = (int)((UINT64_C(1) << 32) / SWEEP_STEP) };
static const float special[] = {
    0.0f, -0.0f, 0x1p-149f, -0x1p-149f, 0x1.fffffcp-127f, -0x1.fffffcp-127f, 0x1p-126f, -0x1p-126f, 0x1p-25f, -0x1p-25f,
    0.5f, -0.5f, 0x1.fffffep-1f, -0x1.fffffep-1f, 1.0f, -1.0f, 0x1.000002p0f, -0x1.000002p0f, 1.5f, -1.5f, 2.0f, -2.0f,
    3.0f, -3.0f, 88.72283f, 88.72284f, -87.33655f, -103.97208f, -103.97209f, 255.0f, 256.0f, 255.99998f, 65535.996f,
    65536.0f, -65536.0f, 0x1.fffffcp23f, 0x1p23f, -0x1p23f, 0x1.fffffep23f, -0x1.fffffep23f, 0x1p24f, 0x1.fffffep30f,
    0x1p31f, -0x1p31f, -0x1.000002p31f, 0x1.fffffep62f, 0x1p63f, -0x1p63f, -0x1.000002p63f, 65504.0f, 65519.996f,
    65520.0f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, 16367173.0f * 0x1p72f /* nearest to a multiple of pi / 2 */,
    FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN, -NAN
};
enum { SPECIAL = sizeof special / sizeof *special, NUMBERS = SWEPT + SPECIAL };

static float number(int i) { return i < SWEPT ? bits_float((uint32_t)i * SWEEP_STEP) : special[i - SWEPT]; }

static uint64_t next(void) {
    static uint64_t state = 1;
    uint64_t x = state += 0x9E3779B97F4A7C15;  /* SplitMix64 */
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

static bool same(float a, float b) { return float_bits(a) == float_bits(b) || (isnan(a) && isnan(b)); }
static bool same_d(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b)); }

/* Units in the last place of a float, even beyond the largest: what is infinite counts as 2^128. */
static double ulps(float got, double exact) {
    if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : INFINITY;
    if ((exact == 0 || got == 0) && !signbit(exact) != !signbit(got)) return INFINITY;
    double end = 0x1p128, g = fmax(-end, fmin(end, (double)got)), e = fmax(-end, fmin(end, exact));
    int exponent = -125;
    if (e != 0) frexp(e, &exponent);
    return fabs(g - e) / ldexp(1, (exponent < -125 ? -125 : exponent) - FLT_MANT_DIG);
}

/* ---- floats -------------------------------------------------------------------------------------------- */

static void same_bits(const isa_table *isa, scalar_op op, float (*f)(float), const char *language) {
    enum { BLOCK = 4096 };
    static float x[BLOCK], y[BLOCK];
    for (int start = 0; start < NUMBERS; start += BLOCK) {
        int n = NUMBERS - start < BLOCK ? NUMBERS - start : BLOCK;
        for (int i = 0; i < n; i++) x[i] = number(start + i);
        isa->strips->op[op][T_F32][FORM_VECTORS](y, x, x, x, n);
        for (int i = 0; i < n; i++)
            if (!same(f(x[i]), y[i]))
                fail_msg("operation %d of %a: %s %a, the processor's %s %a", op, x[i], language, f(x[i]), isa->name,
                         y[i]);
    }
}

/* Sets without a fused multiplication and addition compute other bits. */
static void test_bits_of_the_processor(void **unused) {
    (void)unused;
    const char *const sets[] = { "avx512", "avx2" };
    int met = 0;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        const isa_table *isa;
        tide_failure why = { 0 };
        if (isa_choose(sets[i], &isa, &why) != TIDE_OK) continue;
        met++;
        EACH_TEXT(t) {
            same_bits(isa, S_EXP, t->f_exp, t->language);
            same_bits(isa, S_ERF, t->f_erf, t->language);
            same_bits(isa, S_SIGMOID, t->f_sigmoid, t->language);
            same_bits(isa, S_ABS, t->f_abs, t->language);
            same_bits(isa, S_SIGN, t->f_sign, t->language);
            same_bits(isa, S_RELU, t->f_relu, t->language);
        }
    }
    if (met == 0) skip();
}

typedef struct accuracy { const char *name; float (*f)(float); double (*exact)(double); double bound; } accuracy;

static void check_accuracy(const accuracy *a, float x, const char *language) {
    double off = ulps(a->f(x), a->exact(x));
    if (!(off <= a->bound))
        fail_msg("%s: %s(%a) is %a, not %a: %g ulp", language, a->name, x, a->f(x), a->exact(x), off);
}

static double gelu(double x) { return 0.5 * x * erfc(-x * M_SQRT1_2); }
static double gelu_grad(double x) {
    return 0.5 * erfc(-x * M_SQRT1_2) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

/* Their error is that of a number as large as x or 1, and left of 0 a small part of what they are. */
static void test_gelu(void **unused) {
    (void)unused;
    EACH_TEXT(t)
        for (int i = 0; i < NUMBERS + 100000; i++) {
            const float x = i < NUMBERS ? number(i) : (float)(i - NUMBERS - 50000) / 3000;
            if (!isfinite(x)) continue;
            const double y = gelu(x), slope = gelu_grad(x), off = fabs(t->f_gelu(x) - y);
            if (off > 3e-7 * fmax(fabs((double)x), 1e-30) || (x > -5 && off > 4e-6 * fabs(y) + 1e-37))
                fail_msg("%s: gelu(%a) is %a, not %a", t->language, x, t->f_gelu(x), y);
            if (fabs(t->f_gelu_grad(x) - slope) > 3e-7)
                fail_msg("%s: the slope of gelu(%a) is %a, not %a", t->language, x, t->f_gelu_grad(x), slope);
        }
    EACH_TEXT(t) {
        assert_true(t->f_gelu(INFINITY) == INFINITY && isnan(t->f_gelu(NAN)) && isnan(t->f_gelu_grad(NAN)));
        assert_true(t->f_gelu(-0.0f) == 0.0f && fabs(t->f_gelu_grad(0.0f) - 0.5) < 1e-7);
    }
}

/* The bounds are what every fifth of all floats showed, rounded up to a tenth. */
static void test_accuracy(void **unused) {
    (void)unused;
    EACH_TEXT(t) {
        const accuracy functions[] = {
            { "exp", t->f_exp, exp, 1.1 }, { "erf", t->f_erf, erf, 1.1 }, { "expm1", t->f_expm1, expm1, 1.0 },
            { "log", t->f_log, log, 0.9 }, { "log1p", t->f_log1p, log1p, 0.9 }, { "sin", t->f_sin, sin, 1.6 },
            { "cos", t->f_cos, cos, 1.6 }, { "tanh", t->f_tanh, tanh, 1.4 },
        };
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
            for (int i = 0; i < NUMBERS; i++) check_accuracy(&functions[k], number(i), t->language);
            for (int i = 0; i < 20000; i++) check_accuracy(&functions[k], bits_float((uint32_t)next()), t->language);
            for (int i = -5000; i < 5000; i++) {
                check_accuracy(&functions[k], (float)(i * M_PI_2), t->language);
                check_accuracy(&functions[k], (float)(i * M_LN2), t->language);
            }
        }
    }
}

/* Of 3e8 random pairs the worst had 1.71 ulp. */
static void check_pow(const gpu_scalars *t, float x, float y) {
    double off = ulps(t->f_pow(x, y), pow(x, y));
    if (!(off <= 1.9))
        fail_msg("%s: pow(%a, %a) is %a, not %a: %g ulp", t->language, x, y, t->f_pow(x, y), pow(x, y), off);
}

static void test_pow(void **unused) {
    (void)unused;
    EACH_TEXT(t) {
        for (int i = 0; i < SPECIAL; i++)
            for (int j = 0; j < SPECIAL; j++) check_pow(t, special[i], special[j]);
        for (int i = 0; i < 200000; i++) {
            check_pow(t, bits_float((uint32_t)next()), bits_float((uint32_t)next()));
            float x = bits_float((uint32_t)next() & 0x7fffffff);
            double most = 1.02 * M_LN2 * 128 / log(x), unit = (double)(next() >> 11) * 0x1p-53;
            check_pow(t, x, (float)(most * (2 * unit - 1)));  /* results of each size */
            check_pow(t, (i % 2 ? -1.0f : 1.0f) * (float)(0.5 + unit), (float)(int)(next() % 400) - 200.0f);
            check_pow(t, bits_float(0x3f800000 + (uint32_t)next() % 256 - 128), (float)(0x1p30 * unit));
        }
    }
}

static float (*float_function(const gpu_scalars *t, scalar_op op))(float, float) {
    return op == S_MAX ? t->f_max : t->f_min;
}

static void test_comparisons(void **unused) {
    (void)unused;
    EACH_TEXT(t) {
        assert_true(isnan(t->nan_f()) && same(t->inf_f(), INFINITY));
        for (int i = 0; i < SPECIAL; i++) {
            assert_int_equal(t->f_is_finite(special[i]), isfinite(special[i]) != 0);
            for (int j = 0; j < SPECIAL; j++)
                for (int k = 0; k < 2; k++) {
                    scalar_op op = k ? S_MAX : S_MIN;
                    ref_value src[] = { { .f = special[i] }, { .f = special[j] } };
                    float want = (float)ref_scalar(op, TIDE_F32, TIDE_F32, src).f;
                    assert_true(same(float_function(t, op)(special[i], special[j]), want));
                }
        }
    }
}

/* ---- conversions --------------------------------------------------------------------------------------- */

static void check_halves(const gpu_scalars *t) {
    for (uint32_t h = 0; h < 0x10000; h++) {
        if (float_bits(t->f_from_f16((uint16_t)h)) != float_bits(f16_to_float((uint16_t)h)))
            fail_msg("%s: f16 %04x is %a", t->language, h, t->f_from_f16((uint16_t)h));
        assert_int_equal(float_bits(t->f_from_bf16((uint16_t)h)), h << 16);
    }
}

/* Around what lies half way between two halves, too. */
static void check_to_halves(const gpu_scalars *t, float x) {
    uint16_t f16 = float_to_f16(x), bf16 = float_to_bf16(x);
    if (t->f_to_f16(x) != f16) fail_msg("%s: %a is f16 %04x, not %04x", t->language, x, t->f_to_f16(x), f16);
    if (t->f_to_bf16(x) != bf16) fail_msg("%s: %a is bf16 %04x, not %04x", t->language, x, t->f_to_bf16(x), bf16);
}

static void test_16_bit_floats(void **unused) {
    (void)unused;
    EACH_TEXT(t) {
        check_halves(t);
        for (int i = 0; i < NUMBERS; i++) check_to_halves(t, number(i));
        for (uint32_t h = 0; h < 0x7c00; h++) {
            uint32_t tie = float_bits((f16_to_float((uint16_t)h) + f16_to_float((uint16_t)(h + 1))) / 2);
            for (uint32_t u = tie - 1; u <= tie + 1; u++) check_to_halves(t, bits_float(u));
            for (uint32_t u = (h << 16) + 0x7fff; u <= (h << 16) + 0x8001; u++) check_to_halves(t, bits_float(u));
        }
    }
}

#if defined(__SSE2__)
/* As on a GPU that flushes subnormal floats. What is expected is made before. */
static void test_16_bit_floats_flushed(void **unused) {
    (void)unused;
    enum { FLUSH = 0x8040 };
    static float from[0x10000];
    uint32_t wrong = 0, usual = _mm_getcsr();
    for (uint32_t h = 0; h < 0x10000; h++) from[h] = f16_to_float((uint16_t)h);
    EACH_TEXT(t) {
        _mm_setcsr(usual | FLUSH);
        for (uint32_t h = 0; h < 0x10000; h++) {
            wrong += float_bits(t->f_from_f16((uint16_t)h)) != float_bits(from[h]);
            if ((h & 0x7fff) <= 0x7c00) wrong += t->f_to_f16(from[h]) != h;
        }
        _mm_setcsr(usual);
        assert_int_equal(wrong, 0);
    }
}
#endif

static void check_float_to_integers(const gpu_scalars *t, float x) {
    ref_value v = { .f = x };
    int64_t i = ref_cast(TIDE_I32, TIDE_F32, v).i, l = ref_cast(TIDE_I64, TIDE_F32, v).i;
    int64_t u8 = ref_cast(TIDE_U8, TIDE_F32, v).i, b = ref_cast(TIDE_BOOL, TIDE_F32, v).i;
    if (t->i_from_f(x) != i || t->l_from_f(x) != l || t->u8_from_f(x) != u8 || t->b_from_f(x) != b)
        fail_msg("%s: %a to integers", t->language, x);
    if (!t->i_from_d) return;
    if (t->i_from_d(x) != i || t->l_from_d(x) != l || t->u8_from_d(x) != u8 || t->b_from_d(x) != b)
        fail_msg("%s: double %a to integers", t->language, x);
}

static void check_from_integers(const gpu_scalars *t, int64_t l) {
    int i = (int)(uint32_t)l;
    ref_value v = { .i = l }, w = { .i = i };
    if (!same(t->f_from_l(l), (float)l))
        fail_msg("%s: %" PRId64 " is %a, not %a", t->language, l, t->f_from_l(l), (float)l);
    assert_true(same(t->f_from_i(i), (float)i));
    assert_int_equal(t->i_from_l(l), ref_cast(TIDE_I32, TIDE_I64, v).i);
    assert_int_equal(t->u8_from_l(l), ref_cast(TIDE_U8, TIDE_I64, v).i);
    assert_int_equal(t->u8_from_i(i), ref_cast(TIDE_U8, TIDE_I32, w).i);
    assert_int_equal(t->b_from_l(l), l != 0);
    assert_int_equal(t->b_from_i(i), i != 0);
    assert_true(t->l_from_i(i) == i && t->i_from_i(i) == i && t->l_from_l(l) == l);
    if (t->d_from_l) assert_true(same_d(t->d_from_l(l), (double)l) && same_d(t->d_from_i(i), (double)i));
}

static void test_integers_and_floats(void **unused) {
    (void)unused;
    EACH_TEXT(t) {
        for (int i = 0; i < NUMBERS; i++) check_float_to_integers(t, number(i));
        for (int i = 0; i < NUMBERS; i++) assert_true(same(t->f_from_f(number(i)), number(i)));
        for (int shift = 0; shift < 64; shift++)
            for (int i = 0; i < 2000; i++) {
                uint64_t x = next() >> shift, tie = (x | 1) << (i % 40), sides = i % 3 - 1;
                check_from_integers(t, (int64_t)x);
                check_from_integers(t, (int64_t)(0 - x));
                check_from_integers(t, (int64_t)(tie + sides));
                check_from_integers(t, (int64_t)((UINT64_C(1) << shift) + sides));
            }
    }
}

/* ---- integers ------------------------------------------------------------------------------------------ */

static void check_integer(int type, scalar_op op, int64_t got, int64_t x, int64_t y, const char *language) {
    ref_value src[] = { { .i = x }, { .i = y } };
    int64_t want = ref_scalar(op, type, type, src).i;
    if (got != want)
        fail_msg("%s: operation %d in type %d of %" PRId64 " and %" PRId64 " is %" PRId64 ", not %" PRId64,
                 language, op, type, x, y, got, want);
}

#define INTEGER_OPS(X)                                                                                          \
    X(S_NEG, neg, (x)) X(S_ABS, abs, (x)) X(S_SIGN, sign, (x)) X(S_SQUARE, square, (x)) X(S_RELU, relu, (x))    \
    X(S_ADD, add, (x, y)) X(S_SUB, sub, (x, y)) X(S_MUL, mul, (x, y)) X(S_DIV, div, (x, y))                     \
    X(S_MAX, max, (x, y)) X(S_MIN, min, (x, y))

static void check_integers(const gpu_scalars *t, int64_t a, int64_t b) {
    int64_t x = a, y = b;
#define X(op, name, operands) check_integer(TIDE_I64, op, t->l_##name operands, x, y, t->language);
    INTEGER_OPS(X)
#undef X
    {
        int x = (int)(uint32_t)a, y = (int)(uint32_t)b;
#define X(op, name, operands) check_integer(TIDE_I32, op, t->i_##name operands, x, y, t->language);
        INTEGER_OPS(X)
#undef X
    }
    {
        int x = (int)(a & 255), y = (int)(b & 255);
#define X(op, name, operands) check_integer(TIDE_U8, op, t->u8_##name operands, x, y, t->language);
        INTEGER_OPS(X)
#undef X
    }
}

static void test_integers(void **unused) {
    (void)unused;
    const int64_t edges[] = { 0, 1, -1, 2, -2, 3, 255, 256, 128, INT32_MIN, INT32_MAX, INT32_MIN + 1,
                              (int64_t)INT32_MIN - 1, INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_C(1) << 32 };
    enum { EDGES = sizeof edges / sizeof *edges };
    EACH_TEXT(t) {
        for (int i = 0; i < EDGES * EDGES; i++) check_integers(t, edges[i / EDGES], edges[i % EDGES]);
        for (int i = 0; i < 5000; i++) check_integers(t, (int64_t)(next() >> i % 64), (int64_t)(next() >> i / 64 % 64));
    }
}

/* ---- doubles ------------------------------------------------------------------------------------------- */

static void test_doubles(void **unused) {
    (void)unused;
    const gpu_scalars *t = &cuda_scalars;
    assert_true(isnan(t->nan_d()) && t->inf_d() == INFINITY);
    assert_true(t->d_is_finite(DBL_MAX) && t->d_is_finite(-DBL_MAX) && !t->d_is_finite(-INFINITY));
    const struct { scalar_op op; double (*f)(double); } ones[] = {
        { S_ABS, t->d_abs }, { S_SIGN, t->d_sign }, { S_RELU, t->d_relu }, { S_EXP, t->d_exp }, { S_EXPM1, t->d_expm1 },
        { S_LOG, t->d_log }, { S_LOG1P, t->d_log1p }, { S_SIN, t->d_sin }, { S_COS, t->d_cos }, { S_TANH, t->d_tanh },
        { S_ERF, t->d_erf }, { S_SIGMOID, t->d_sigmoid }, { S_GELU, t->d_gelu }, { S_GELU_GRAD, t->d_gelu_grad },
    };
    const struct { scalar_op op; double (*f)(double, double); } twos[] = {
        { S_POW, t->d_pow }, { S_MAX, t->d_max }, { S_MIN, t->d_min },
    };
    for (int i = 0; i < SPECIAL * SPECIAL; i++) {
        ref_value src[] = { { .f = special[i / SPECIAL] }, { .f = special[i % SPECIAL] } };
        double x = src[0].f, y = src[1].f;
        assert_int_equal(t->d_is_finite(x), isfinite(x) != 0);
        assert_true(same_d(t->d_from_f((float)x), x) && same_d(t->d_from_d(x), x) && same(t->f_from_d(x), (float)x));
        for (size_t k = 0; k < sizeof ones / sizeof *ones; k++)
            if (!same_d(ones[k].f(x), ref_scalar(ones[k].op, TIDE_F64, TIDE_F64, src).f))
                fail_msg("operation %d of double %a is %a", ones[k].op, x, ones[k].f(x));
        for (size_t k = 0; k < sizeof twos / sizeof *twos; k++)
            if (!same_d(twos[k].f(x, y), ref_scalar(twos[k].op, TIDE_F64, TIDE_F64, src).f))
                fail_msg("operation %d of doubles %a and %a is %a", twos[k].op, x, y, twos[k].f(x, y));
    }
}

/* ---- random words and sums ----------------------------------------------------------------------------- */

static void test_philox(void **unused) {
    (void)unused;
    EACH_TEXT(t)
        for (int i = 0; i < 20000; i++) {
            uint64_t seed = next();
            uint32_t low = (uint32_t)seed, high = (uint32_t)(seed >> 32), word[4];
            uint32_t step = (uint32_t)next(), site = (uint32_t)next();
            uint32_t sample = (uint32_t)next(), element = (uint32_t)next();
            uint32_t want = philox_word(seed, step, site, sample, element);
            assert_int_equal(t->philox_word(low, high, step, site, sample, element), want);
            assert_int_equal(t->philox_half(low, high, step, site, sample, element),
                             philox_half(seed, step, site, sample, element));
            t->philox_four_into(word, low, high, step, site, sample, element / 4);
            assert_int_equal(word[element % 4], want);
            assert_true(same(t->philox_unit(want), philox_unit(want)));
        }
}

/* Within the last bit of a float, and 2^-44 of the sum of sizes. */
static void test_sums(void **unused) {
    (void)unused;
    enum { N = 1000 };
    static float x[N];
    const float overflow[] = { FLT_MAX, FLT_MAX, 1, 2 }, infinite[] = { 1, -INFINITY, 2, 3 },
                nan[] = { 1, INFINITY, -INFINITY, 3 };
    EACH_TEXT(t) {
        for (int trial = 0; trial < 200; trial++) {
            double exact = 0, sizes = 0, sum[2];
            for (int i = 0; i < N; i++) {
                x[i] = ldexpf((float)(int32_t)(uint32_t)next(), (int)(next() % 8) - 31);
                exact += x[i], sizes += fabs(x[i]);
            }
            sum[0] = t->two_sum(x, N), sum[1] = t->two_sum_halves(x, N);
            for (int i = 0; i < 2; i++)
                if (fabs(sum[i] - exact) > 0x1.01p-24 * fabs(exact) + 0x1p-44 * sizes)
                    fail_msg("%s: sum %a is not %a", t->language, sum[i], exact);
        }
        for (int halves = 0; halves < 2; halves++) {
            float (*sum)(const float *, int) = halves ? t->two_sum_halves : t->two_sum;
            assert_true(sum(overflow, 4) == INFINITY && sum(infinite, 4) == -INFINITY && isnan(sum(nan, 4)));
            assert_true(sum(x, 0) == 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits_of_the_processor), cmocka_unit_test(test_gelu),
        cmocka_unit_test(test_accuracy), cmocka_unit_test(test_pow),
        cmocka_unit_test(test_comparisons), cmocka_unit_test(test_16_bit_floats),
#if defined(__SSE2__)
        cmocka_unit_test(test_16_bit_floats_flushed),
#endif
        cmocka_unit_test(test_integers_and_floats), cmocka_unit_test(test_integers), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_philox), cmocka_unit_test(test_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
