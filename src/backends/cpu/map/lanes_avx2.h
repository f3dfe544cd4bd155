/* Vectors of AVX2 with FMA: see lanes_avx512.h. */
#ifndef TIDE_LANES_H
#define TIDE_LANES_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

typedef __m256  vf;
typedef __m256d vd;
typedef uint64_t vu __attribute__((vector_size(32)));
enum { VF_LANES = 8, VD_LANES = 4, VU_LANES = 4 };
#define SLEEF_F(name) Sleef_##name##f8_u10
#define SLEEF_D(name) Sleef_##name##d4_u10

static inline __m256i part8(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline __m256i part4(int64_t n) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

static inline vf   vf_set(float x) { return _mm256_set1_ps(x); }
static inline vf   vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
static inline vf   vf_load_part(const float *p, int64_t n, vf fill) {
    __m256i mask = part8(n);
    return _mm256_blendv_ps(fill, _mm256_maskload_ps(p, mask), (__m256)mask);
}
static inline void vf_store_part(float *p, vf v, int64_t n) { _mm256_maskstore_ps(p, part8(n), v); }
static inline vf   vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }

static inline vf   vf_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline void vf_store_f16(uint16_t *p, vf v) {
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline vd   vd_set(double x) { return _mm256_set1_pd(x); }
static inline vd   vd_load(const double *p) { return _mm256_loadu_pd(p); }
static inline void vd_store(double *p, vd v) { _mm256_storeu_pd(p, v); }
static inline vd   vd_load_part(const double *p, int64_t n, vd fill) {
    __m256i mask = part4(n);
    return _mm256_blendv_pd(fill, _mm256_maskload_pd(p, mask), (__m256d)mask);
}
static inline void vd_store_part(double *p, vd v, int64_t n) { _mm256_maskstore_pd(p, part4(n), v); }
static inline vd   vd_fma(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }

static inline vf vf_max(vf a, vf b) {
    return _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
static inline vf vf_min(vf a, vf b) {
    return _mm256_blendv_ps(_mm256_min_ps(a, b), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}

static inline vf vf_clamp(vf x, float low, float high) {
    return _mm256_min_ps(_mm256_set1_ps(high), _mm256_max_ps(_mm256_set1_ps(low), x));
}
/* In two steps, as 2^n alone may be outside the range of float. */
static inline vf vf_scale(vf x, vf n) {
    const __m256i bias = _mm256_set1_epi32(127);
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    x = x * (__m256)_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
    return x * (__m256)_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23);
}
static inline vf vf_abs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline vf vf_copysign(vf x, vf sign) { return _mm256_or_ps(x, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f))); }
static inline vf vf_if_greater(vf a, float b, vf x, vf y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, _mm256_set1_ps(b), _CMP_GT_OQ));
}

/* Halves, quarters, pairs: `op` at each step. */
#define FOLD_LANES(v, op)                                                                                 \
    __m128 t = op(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));                                \
    t = op(t, _mm_movehl_ps(t, t));                                                                       \
    return _mm_cvtss_f32(op(t, _mm_shuffle_ps(t, t, 1)))

static inline float vf_sum(vf v) { FOLD_LANES(v, _mm_add_ps); }
static inline float vf_highest(vf v) {
    if (_mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q))) return NAN;
    FOLD_LANES(v, _mm_max_ps);
}
static inline float vf_lowest(vf v) {
    if (_mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q))) return NAN;
    FOLD_LANES(v, _mm_min_ps);
}
#undef FOLD_LANES

static inline vu vu_mul32(vu a, vu b) { return (vu)_mm256_mul_epu32((__m256i)a, (__m256i)b); }
static inline vu vu_high(vu a) { return (vu)_mm256_shuffle_epi32((__m256i)a, 0xF5); }
static inline vu vu_xor3(vu a, vu b, vu c) { return a ^ b ^ c; }
static inline vu vu_pair(vu low, vu high) { return (vu)_mm256_blend_epi32((__m256i)low, (__m256i)(high << 32), 0xAA); }
static inline void vu_zip(void *out, vu a, vu b) {
    __m256i low = _mm256_unpacklo_epi64((__m256i)a, (__m256i)b), high = _mm256_unpackhi_epi64((__m256i)a, (__m256i)b);
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(low, high, 0x20));
    _mm256_storeu_si256((__m256i *)out + 1, _mm256_permute2x128_si256(low, high, 0x31));
}

#endif
