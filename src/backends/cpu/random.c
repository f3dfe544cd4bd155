/* Philox 4x32-10 for as many counters at once as there are 64-bit lanes: a lane holds one 32-bit word, so that one
 * multiplication gives both halves of the product. What the upper halves hold between rounds does not matter. */
#include "isa.h"
#include LANES_HEADER

enum { CHUNK = 4 * VU_LANES };

static inline void words(uint32_t out[CHUNK], const random_site *site, uint32_t sample, uint32_t group) {
    static const uint64_t counting[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    vu zero = { 0 }, lane;
    memcpy(&lane, counting, sizeof lane);
    lane += group;
    const vu m0 = zero + 0xD2511F53u, m1 = zero + 0xCD9E8D57u;
    vu c0 = lane, c1 = zero + sample, c2 = zero + site->step, c3 = zero + site->site;
    uint32_t k0 = (uint32_t)site->seed, k1 = (uint32_t)(site->seed >> 32);
    for (int round = 0; round < 10; round++) {
        vu p0 = vu_mul32(c0, m0), p1 = vu_mul32(c2, m1);
        c0 = (p1 >> 32) ^ c1 ^ (zero + k0);
        c2 = (p0 >> 32) ^ c3 ^ (zero + k1);
        c1 = p1;
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    vu_zip(out, (c0 & 0xffffffff) | c1 << 32, (c2 & 0xffffffff) | c3 << 32);
}

static inline float unit(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }

#define STRIP(name, expr)                                                                                   \
    static void name(float *dst, const random_site *site, uint32_t sample, int64_t first, int64_t n) {      \
        const float number = site->number, scale = site->scale;                                             \
        (void)number, (void)scale;                                                                          \
        uint32_t w[CHUNK];                                                                                  \
        for (int64_t take; n > 0; dst += take, first += take, n -= take) {                                  \
            int64_t skip = first % 4;                                                                       \
            words(w, site, sample, (uint32_t)(first / 4));                                                  \
            take = MIN2(CHUNK - skip, n);                                                                   \
            if (take == CHUNK)                                                                              \
                for (int i = 0; i < CHUNK; i++) { float u = unit(w[i]); dst[i] = expr; }                    \
            else                                                                                            \
                for (int64_t i = 0; i < take; i++) { float u = unit(w[skip + i]); dst[i] = expr; }          \
        }                                                                                                   \
    }
STRIP(strip_unit, u)
STRIP(strip_mask, u >= number ? scale : 0.0f)

const random_ops ISA(random) = { strip_unit, strip_mask };
