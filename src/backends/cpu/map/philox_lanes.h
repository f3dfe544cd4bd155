/* Philox 4x32-10 for as many counters at once as there are 64-bit lanes: a lane holds one 32-bit word, so that one
 * multiplication gives both halves of the product. What the upper halves hold between rounds does not matter. A round
 * waits for the one before it, so several sets of counters go side by side. In terms of lanes_*.h; base/philox.h says
 * what the numbers are. */
#ifndef TIDE_PHILOX_LANES_H
#define TIDE_PHILOX_LANES_H

enum { PHILOX_SETS = 2, PHILOX_SET_WORDS = 4 * VU_LANES, PHILOX_WORDS = PHILOX_SETS * PHILOX_SET_WORDS };

/* The words of counters from `group` on, of one sample: PHILOX_SET_WORDS a set; at most PHILOX_SETS sets. */
static inline __attribute__((always_inline)) void philox_words(void *out, int sets, uint64_t seed, uint32_t step,
                                                               uint32_t site, uint32_t sample, uint32_t group) {
    static const uint64_t counting[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    vu zero = { 0 }, lane, c0[PHILOX_SETS], c1[PHILOX_SETS], c2[PHILOX_SETS], c3[PHILOX_SETS];
    memcpy(&lane, counting, sizeof lane);
    const vu m0 = zero + 0xD2511F53u, m1 = zero + 0xCD9E8D57u;
    for (int i = 0; i < sets; i++) {
        c0[i] = lane + (group + (uint32_t)(i * VU_LANES));
        c1[i] = zero + sample, c2[i] = zero + step, c3[i] = zero + site;
    }
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const vu key0 = zero + k0, key1 = zero + k1;
        for (int i = 0; i < sets; i++) {
            vu p0 = vu_mul32(c0[i], m0), p1 = vu_mul32(c2[i], m1);
            c0[i] = vu_xor3(vu_high(p1), c1[i], key0);
            c2[i] = vu_xor3(vu_high(p0), c3[i], key1);
            c1[i] = p1;
            c3[i] = p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < sets; i++)
        vu_zip((uint32_t *)out + PHILOX_SET_WORDS * i, vu_pair(c0[i], c1[i]), vu_pair(c2[i], c3[i]));
}

#endif
