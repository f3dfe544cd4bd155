/* Philox 4x32-10 for as many counters at once as there are 64-bit lanes: a lane holds one 32-bit word, so that one
 * multiplication gives both halves of the product. What the upper halves hold between rounds does not matter. A round waits
 * for the one before it, so several sets of counters go side by side. */
#include <math.h>

#include "isa.h"
#include LANES_HEADER

enum { SETS = 2, CHUNK = 4 * VU_LANES * SETS };

static inline void words(uint32_t out[CHUNK], const random_site *site, uint32_t sample, uint32_t group) {
    static const uint64_t counting[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    vu zero = { 0 }, lane, c0[SETS], c1[SETS], c2[SETS], c3[SETS];
    memcpy(&lane, counting, sizeof lane);
    const vu m0 = zero + 0xD2511F53u, m1 = zero + 0xCD9E8D57u;
    for (int i = 0; i < SETS; i++) {
        c0[i] = lane + (group + (uint32_t)(i * VU_LANES));
        c1[i] = zero + sample, c2[i] = zero + site->step, c3[i] = zero + site->site;
    }
    uint32_t k0 = (uint32_t)site->seed, k1 = (uint32_t)(site->seed >> 32);
    for (int round = 0; round < 10; round++) {
        const vu key0 = zero + k0, key1 = zero + k1;
        for (int i = 0; i < SETS; i++) {
            vu p0 = vu_mul32(c0[i], m0), p1 = vu_mul32(c2[i], m1);
            c0[i] = vu_xor3(vu_high(p1), c1[i], key0);
            c2[i] = vu_xor3(vu_high(p0), c3[i], key1);
            c1[i] = p1;
            c3[i] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < SETS; i++) vu_zip(out + 4 * VU_LANES * i, vu_pair(c0[i], c1[i]), vu_pair(c2[i], c3[i]));
}

static inline float unit(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }

#define STRIP(name, prepared, expr)                                                                         \
    static void name(float *dst, const random_site *site, uint32_t sample, int64_t first, int64_t n) {      \
        prepared;                                                                                           \
        uint32_t w[CHUNK];                                                                                  \
        for (int64_t take; n > 0; dst += take, first += take, n -= take) {                                  \
            int64_t skip = first % 4;                                                                       \
            words(w, site, sample, (uint32_t)(first / 4));                                                  \
            take = MIN2(CHUNK - skip, n);                                                                   \
            if (take == CHUNK)                                                                              \
                for (int i = 0; i < CHUNK; i++) { uint32_t word = w[i]; dst[i] = expr; }                    \
            else                                                                                            \
                for (int64_t i = 0; i < take; i++) { uint32_t word = w[skip + i]; dst[i] = expr; }          \
        }                                                                                                   \
    }
STRIP(strip_unit, , unit(word))

/* unit(word) >= number, said of the word itself. */
typedef struct mask { uint32_t least; float scale; } mask;
static mask mask_of(const random_site *site) {
    double least = ceil((double)site->number * 0x1p24) * 0x1p8;
    return least <= UINT32_MAX ? (mask){ least > 0 ? (uint32_t)least : 0, site->scale } : (mask){ 0, 0 };
}
STRIP(strip_mask, const mask m = mask_of(site), word >= m.least ? m.scale : 0.0f)

const random_ops ISA(random) = { strip_unit, strip_mask };
