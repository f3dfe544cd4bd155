/* What printed C kernels stand on, besides vectors of floats: integers of as many lanes, loads and stores of every
 * type. Text for the compiler: it follows lanes_*.h, math_f32.h and philox_lanes.h. */
#ifndef TIDE_LANES_C_H
#define TIDE_LANES_C_H

typedef int32_t  vi __attribute__((vector_size(4 * VF_LANES)));
typedef uint32_t vu4 __attribute__((vector_size(4 * VF_LANES), may_alias));
typedef uint16_t vu2 __attribute__((vector_size(2 * VF_LANES)));
typedef uint8_t  vu1 __attribute__((vector_size(VF_LANES)));

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 4")
#endif

static inline vi vi_set(int32_t x) { return x - (vi){ 0 }; }
static inline vf vf_from(vi x) { return __builtin_convertvector(x, vf); }
static inline vi vi_if(vi c, vi x, vi y) { return (c & x) | (~c & y); }
static inline vf vf_if(vi c, vf x, vf y) { return (vf)((c & (vi)x) | (~c & (vi)y)); }
static inline vi vi_max(vi a, vi b) { return vi_if(a > b, a, b); }
static inline vi vi_min(vi a, vi b) { return vi_if(a < b, a, b); }
static inline vf vf_sign(vf x) { return vf_if(x != x, x, vf_from((x < 0.0f) - (x > 0.0f))); }
static inline vi vi_lane(void) {
    vi x;
    for (int i = 0; i < VF_LANES; i++) x[i] = i;
    return x;
}
static inline vf vf_first(vf x, int64_t n, vf rest) { return vf_if(vi_lane() < (int32_t)n, x, rest); }
static inline vi vi_first(vi x, int64_t n, vi rest) { return vi_if(vi_lane() < (int32_t)n, x, rest); }

#define FOLD(name, expr)                                                    \
    static inline int32_t name(vi v) {                                      \
        int32_t a = v[0];                                                   \
        for (int i = 1; i < VF_LANES; i++) { int32_t b = v[i]; a = expr; }  \
        return a;                                                           \
    }
FOLD(vi_sum, a + b)
FOLD(vi_highest, a > b ? a : b)
FOLD(vi_lowest, a < b ? a : b)

/* Truncates and saturates; NaN gives 0. */
static inline vi vi_truncate(vf x) {
    vi high = x >= 0x1p31f, low = x <= -0x1p31f, nan = x != x;
    vi whole = __builtin_convertvector(vf_if(high | low | nan, vf_set(0), x), vi);
    return vi_if(high, vi_set(INT32_MAX), vi_if(low, vi_set(INT32_MIN), whole));
}

#if defined(__AVX512F__)
static inline vf vf_sqrt(vf x) { return _mm512_sqrt_ps(x); }
static inline vf vf_floor(vf x) { return _mm512_floor_ps(x); }
static inline vf vf_ceil(vf x) { return _mm512_ceil_ps(x); }
static inline vf vf_round(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_CUR_DIRECTION); }
#elif defined(__AVX2__)
static inline vf vf_sqrt(vf x) { return _mm256_sqrt_ps(x); }
static inline vf vf_floor(vf x) { return _mm256_floor_ps(x); }
static inline vf vf_ceil(vf x) { return _mm256_ceil_ps(x); }
static inline vf vf_round(vf x) { return _mm256_round_ps(x, _MM_FROUND_CUR_DIRECTION); }
#else
#define EACH_LANE(name, f) static inline vf name(vf x) { for (int i = 0; i < VF_LANES; i++) x[i] = f(x[i]); return x; }
EACH_LANE(vf_sqrt, sqrtf)
EACH_LANE(vf_floor, floorf)
EACH_LANE(vf_ceil, ceilf)
EACH_LANE(vf_round, rintf)
#endif

/* As in strips.c. */
#define SQRT_HALF 0.70710678118654752440
#define INV_SQRT_TAU 0.39894228040143267794
static inline vf vf_gelu(vf x) { return 0.5f * x * (1.0f + vf_erf(x * (float)SQRT_HALF)); }
static inline vf vf_gelu_grad(vf x) {
    return 0.5f * (1.0f + vf_erf(x * (float)SQRT_HALF)) + x * (float)INV_SQRT_TAU * vf_exp(-0.5f * x * x);
}

static inline vf by_host(host_strip f, vf x, vf y) {
    f(&x, &x, &y, &y, VF_LANES);
    return x;
}

/* ---- memory: get and put a vector, its first n lanes, lanes `stride` apart, one number to and from all lanes
 * ---------- */

static inline vf get_f32(const float *p) { return vf_load(p); }
static inline vf get_f32_part(const float *p, int64_t n) { return vf_load_part(p, n, vf_set(0)); }
static inline void put_f32(float *p, vf x) { vf_store(p, x); }
static inline void put_f32_part(float *p, vf x, int64_t n) { vf_store_part(p, x, n); }

static inline vi get_i32(const int32_t *p) { vi x; memcpy(&x, p, sizeof x); return x; }
static inline vi get_i32_part(const int32_t *p, int64_t n) { vi x = { 0 }; memcpy(&x, p, 4 * (size_t)n); return x; }
static inline void put_i32(int32_t *p, vi x) { memcpy(p, &x, sizeof x); }
static inline void put_i32_part(int32_t *p, vi x, int64_t n) { memcpy(p, &x, 4 * (size_t)n); }

static inline vi  vi_from_bool(vu1 x) { return __builtin_convertvector(x, vi) != 0; }
static inline vu1 vi_to_bool(vi x) { return __builtin_convertvector(-x, vu1); }
static inline vi  vi_from_u8(vu1 x) { return __builtin_convertvector(x, vi); }
static inline vu1 vi_to_u8(vi x) { return __builtin_convertvector(x, vu1); }
static inline vf  vf_from_f16(vu2 x) { return vf_load_f16((const uint16_t *)&x); }
static inline vu2 vf_to_f16(vf x) { vu2 y; vf_store_f16((uint16_t *)&y, x); return y; }
static inline vf  vf_from_bf16(vu2 x) { return (vf)(__builtin_convertvector(x, vu4) << 16); }
static inline vu2 vf_to_bf16(vf x) {
    vu4 u = (vu4)x, rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    return __builtin_convertvector((vu4)vi_if(x != x, (vi)(u >> 16 | 0x40), (vi)rounded), vu2);
}

#define MEMORY(s, T, V, M, from, to)                                                                                   \
    static inline V get_##s(const T *p) { M x; memcpy(&x, p, sizeof x); return from(x); }                              \
    static inline V get_##s##_part(const T *p, int64_t n) { M x = { 0 }; memcpy(&x, p,                                 \
        sizeof(T) * (size_t)n); return from(x); }                                                                      \
    static inline void put_##s(T *p, V v) { M x = to(v); memcpy(p, &x, sizeof x); }                                    \
    static inline void put_##s##_part(T *p, V v, int64_t n) { M x = to(v); memcpy(p, &x, sizeof(T) * (size_t)n); }
MEMORY(bool, uint8_t, vi, vu1, vi_from_bool, vi_to_bool)
MEMORY(u8, uint8_t, vi, vu1, vi_from_u8, vi_to_u8)
MEMORY(f16, uint16_t, vf, vu2, vf_from_f16, vf_to_f16)
MEMORY(bf16, uint16_t, vf, vu2, vf_from_bf16, vf_to_bf16)

#define STRIDED(s, T, V)                                                                                \
    static inline V get_##s##_strided(const T *p, int64_t stride, int64_t n) {                          \
        T x[VF_LANES] = { 0 };                                                                          \
        for (int64_t i = 0; i < n; i++) x[i] = p[i * stride];                                           \
        return get_##s(x);                                                                              \
    }                                                                                                   \
    static inline void put_##s##_strided(T *p, V v, int64_t stride, int64_t n) {                        \
        T x[VF_LANES];                                                                                  \
        put_##s(x, v);                                                                                  \
        for (int64_t i = 0; i < n; i++) p[i * stride] = x[i];                                           \
    }
STRIDED(f32, float, vf)
STRIDED(i32, int32_t, vi)
STRIDED(bool, uint8_t, vi)
STRIDED(u8, uint8_t, vi)
STRIDED(f16, uint16_t, vf)
STRIDED(bf16, uint16_t, vf)

static inline vf get_f32_one(const float *p) { return vf_set(*p); }
static inline vi get_i32_one(const int32_t *p) { return vi_set(*p); }
static inline vi get_bool_one(const uint8_t *p) { return vi_set(-(*p != 0)); }
static inline vi get_u8_one(const uint8_t *p) { return vi_set(*p); }
static inline vf get_f16_one(const uint16_t *p) { return vf_set(f16_to_float(*p)); }
static inline vf get_bf16_one(const uint16_t *p) { return vf_set(bf16_to_float(*p)); }

/* ---- numbers by counting -------------------------------------------------------------------------------- */

static inline vi vi_iota(int64_t element, int64_t inner, int64_t size) {
    vi x;
    for (int i = 0; i < VF_LANES; i++) x[i] = (int32_t)((element + i) / inner % size);
    return x;
}

/* The words of two or four vectors of random numbers: elements from a multiple of four on, all of one sample. */
static inline __attribute__((always_inline)) void draw_words(vu4 *out, int vectors, uint64_t seed, uint32_t step,
                                                             uint32_t site,
                                                             int32_t offset, int64_t element, int64_t per_sample) {
    philox_words(out, vectors / 2, seed, step, site, (uint32_t)(element / per_sample + offset),
                 (uint32_t)(element % per_sample / 4));
}
/* The same of halves of words, for masks; from a multiple of eight on. */
static inline __attribute__((always_inline)) void draw_halves(vu2 *out, int vectors, uint64_t seed, uint32_t step,
                                                              uint32_t site, int32_t offset, int64_t element,
                                                              int64_t per_sample) {
    uint32_t words[PHILOX_SET_WORDS];
    philox_words(words, 1, seed, step, site, (uint32_t)(element / per_sample + offset),
                 (uint32_t)(element % per_sample / 8));
    memcpy(out, words, sizeof *out * (size_t)vectors);
}
static inline vf vf_unit(vu4 word) { return vf_from((vi)(word >> 8)) * 0x1p-24f; }
static inline vf vf_mask(vu2 half, int32_t least, float scale) {
    return vf_if(__builtin_convertvector(half, vi) >= least, vf_set(scale), vf_set(0));
}

/* n numbers from `element` on into memory, sample by sample. */
static void draw_ahead(host_draw draw, float *out, const host_site *site, int32_t offset, int64_t element,
                       int64_t per_sample,
                       int64_t n) {
    for (int64_t run; n > 0; n -= run, element += run, out += run) {
        int64_t within = element % per_sample;
        run = n < per_sample - within ? n : per_sample - within;
        draw(out, site, (uint32_t)(element / per_sample + offset), within, run);
    }
}

#endif
