/* Vectors of AVX-512. Every lanes_*.h gives the same names:
 *   vf, vd, vu                  vectors of float, double, uint64_t, with VF_LANES, VD_LANES, VU_LANES
 *   *_load_part(p, n, fill)     the first n lanes from p, n below the lanes; the rest is `fill`; reads nothing behind
 *   *_store_part(p, v, n)
 *   vf_max, vf_min              NaN wins
 *   vf_clamp(x, low, high)      NaN stays NaN
 *   vf_scale(x, n)              x 2^n, n whole, |n| < 200
 *   vf_if_greater(a, b, x, y)   a > b ? x : y
 *   vf_sum, vf_highest, vf_lowest  over all lanes, in a fixed order; NaN wins
 *   vf_load_f16, vf_store_f16   VF_LANES 16-bit floats, rounded to nearest even
 *   vu_mul32(a, b)              products of the low halves
 *   vu_high(a)                  the upper half as the lower one; what the upper one then holds is not said
 *   vu_xor3(a, b, c)            a ^ b ^ c
 *   vu_pair(low, high)          the low halves of both
 *   vu_zip(out, a, b)           a0 b0 a1 b1 ... */
#ifndef TIDE_LANES_H
#define TIDE_LANES_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

typedef __m512  vf;
typedef __m512d vd;
typedef uint64_t vu __attribute__((vector_size(64)));
enum { VF_LANES = 16, VD_LANES = 8, VU_LANES = 8 };
#define SLEEF_F(name) Sleef_##name##f16_u10
#define SLEEF_D(name) Sleef_##name##d8_u10

static inline __mmask16 part16(int64_t n) { return (__mmask16)((1u << n) - 1); }
static inline __mmask8  part8(int64_t n) { return (__mmask8)((1u << n) - 1); }

static inline vf   vf_set(float x) { return _mm512_set1_ps(x); }
static inline vf   vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static inline vf   vf_load_part(const float *p, int64_t n, vf fill) { return _mm512_mask_loadu_ps(fill, part16(n), p); }
static inline void vf_store_part(float *p, vf v, int64_t n) { _mm512_mask_storeu_ps(p, part16(n), v); }
static inline vf   vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }

static inline vf   vf_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline void vf_store_f16(uint16_t *p, vf v) {
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline vd   vd_set(double x) { return _mm512_set1_pd(x); }
static inline vd   vd_load(const double *p) { return _mm512_loadu_pd(p); }
static inline void vd_store(double *p, vd v) { _mm512_storeu_pd(p, v); }
static inline vd   vd_load_part(const double *p, int64_t n, vd fill) { return _mm512_mask_loadu_pd(fill, part8(n), p); }
static inline void vd_store_part(double *p, vd v, int64_t n) { _mm512_mask_storeu_pd(p, part8(n), v); }
static inline vd   vd_fma(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }

/* max_ps gives its second operand if either is NaN. */
static inline vf vf_max(vf a, vf b) {
    return _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
}
static inline vf vf_min(vf a, vf b) {
    return _mm512_mask_mov_ps(_mm512_min_ps(a, b), _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), a);
}
/* The second operand of min_ps and max_ps is the one that stays if it is NaN. */
static inline vf vf_clamp(vf x, float low, float high) {
    return _mm512_min_ps(_mm512_set1_ps(high), _mm512_max_ps(_mm512_set1_ps(low), x));
}
static inline vf vf_scale(vf x, vf n) { return _mm512_scalef_ps(x, n); }
static inline vf vf_abs(vf x) { return _mm512_abs_ps(x); }
/* x >= 0 */
static inline vf vf_copysign(vf x, vf sign) { return _mm512_or_ps(x, _mm512_and_ps(sign, _mm512_set1_ps(-0.0f))); }
static inline vf vf_if_greater(vf a, float b, vf x, vf y) {
    return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, _mm512_set1_ps(b), _CMP_GT_OQ), x);
}
static inline float vf_sum(vf v) { return _mm512_reduce_add_ps(v); }
static inline float vf_highest(vf v) {
    return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) ? NAN : _mm512_reduce_max_ps(v);
}
static inline float vf_lowest(vf v) {
    return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) ? NAN : _mm512_reduce_min_ps(v);
}

static inline vu vu_mul32(vu a, vu b) { return (vu)_mm512_mul_epu32((__m512i)a, (__m512i)b); }
static inline vu vu_high(vu a) { return (vu)_mm512_shuffle_epi32((__m512i)a, _MM_PERM_DDBB); }
static inline vu vu_xor3(vu a, vu b, vu c) {
    return (vu)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}
static inline vu vu_pair(vu low, vu high) {
    return (vu)_mm512_mask_shuffle_epi32((__m512i)low, 0xAAAA, (__m512i)high, _MM_PERM_CCAA);
}
static inline void vu_zip(void *out, vu a, vu b) {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11),
                  high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    _mm512_storeu_si512(out, _mm512_permutex2var_epi64((__m512i)a, low, (__m512i)b));
    _mm512_storeu_si512((char *)out + 64, _mm512_permutex2var_epi64((__m512i)a, high, (__m512i)b));
}

#endif
