/* Vectors of 16 bytes in the compiler's own terms (SSE2, NEON, or whatever the machine has): see lanes_avx512.h. */
#ifndef TIDE_LANES_H
#define TIDE_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "backends/ref/half.h"

typedef float    vf __attribute__((vector_size(16)));
typedef double   vd __attribute__((vector_size(16)));
typedef uint64_t vu __attribute__((vector_size(16)));
enum { VF_LANES = 4, VD_LANES = 2, VU_LANES = 2 };
#define SLEEF_F(name) Sleef_##name##f4_u10
#define SLEEF_D(name) Sleef_##name##d2_u10

static inline vf   vf_set(float x) { return (vf){ x, x, x, x }; }
static inline vf   vf_load(const float *p) { vf v; memcpy(&v, p, sizeof v); return v; }
static inline void vf_store(float *p, vf v) { memcpy(p, &v, sizeof v); }
static inline vf   vf_load_part(const float *p, int64_t n, vf fill) {
    for (int64_t i = 0; i < n; i++) fill[i] = p[i];
    return fill;
}
static inline void vf_store_part(float *p, vf v, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
static inline vf   vf_fma(vf a, vf b, vf c) { return a * b + c; }

static inline vf   vf_load_f16(const uint16_t *p) {
    return (vf){ f16_to_float(p[0]), f16_to_float(p[1]), f16_to_float(p[2]), f16_to_float(p[3]) };
}
static inline void vf_store_f16(uint16_t *p, vf v) {
    for (int i = 0; i < VF_LANES; i++) p[i] = float_to_f16(v[i]);
}

static inline vd   vd_set(double x) { return (vd){ x, x }; }
static inline vd   vd_load(const double *p) { vd v; memcpy(&v, p, sizeof v); return v; }
static inline void vd_store(double *p, vd v) { memcpy(p, &v, sizeof v); }
static inline vd   vd_load_part(const double *p, int64_t n, vd fill) {
    if (n > 0) fill[0] = p[0];
    return fill;
}
static inline void vd_store_part(double *p, vd v, int64_t n) {
    if (n > 0) p[0] = v[0];
}
static inline vd   vd_fma(vd a, vd b, vd c) { return a * b + c; }

typedef int32_t vi __attribute__((vector_size(16)));
static inline vf vf_choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
static inline vf vf_max(vf a, vf b) { return vf_choose((a > b) | (a != a), a, b); }
static inline vf vf_min(vf a, vf b) { return vf_choose((a < b) | (a != a), a, b); }

static inline vf vf_clamp(vf x, float low, float high) {
    x = vf_choose(x < low, vf_set(low), x);
    return vf_choose(x > high, vf_set(high), x);
}
/* In two steps, as 2^n alone may be outside the range of float. */
static inline vf vf_scale(vf x, vf n) {
    vi whole = __builtin_convertvector(n, vi), half = whole >> 1;
    return x * (vf)((half + 127) << 23) * (vf)((whole - half + 127) << 23);
}
static inline vf vf_abs(vf x) { return (vf)((vi)x & INT32_MAX); }
static inline vf vf_copysign(vf x, vf sign) { return (vf)((vi)x | ((vi)sign & INT32_MIN)); }
static inline vf vf_if_greater(vf a, float b, vf x, vf y) { return vf_choose(a > b, x, y); }

static inline vf    vf_high_half(vf v) { return (vf){ v[2], v[3], v[2], v[3] }; }
static inline vf    vf_second(vf v) { return (vf){ v[1], v[1], v[1], v[1] }; }
static inline float vf_sum(vf v) { v = v + vf_high_half(v); return v[0] + v[1]; }
static inline float vf_highest(vf v) { v = vf_max(v, vf_high_half(v)); return vf_max(v, vf_second(v))[0]; }
static inline float vf_lowest(vf v) { v = vf_min(v, vf_high_half(v)); return vf_min(v, vf_second(v))[0]; }

static inline vu vu_mul32(vu a, vu b) { return (a & 0xffffffff) * (b & 0xffffffff); }
static inline vu vu_high(vu a) { return a >> 32; }
static inline vu vu_xor3(vu a, vu b, vu c) { return a ^ b ^ c; }
static inline vu vu_pair(vu low, vu high) { return (low & 0xffffffff) | high << 32; }
static inline void vu_zip(void *out, vu a, vu b) {
    uint64_t zipped[4] = { a[0], b[0], a[1], b[1] };
    memcpy(out, zipped, sizeof zipped);
}

#endif
