/* Philox 4x32-10 as this project uses it: one definition for every device.
 * Element e of sample s at site `site` in step `step` under `seed` is word e % 4 of
 *   philox4x32(counter = { e / 4 (low 32 bits), s, step, site }, key = { seed low, seed high }).
 * A mask needs less of it: its element e takes 16 bits, half e % 2 (the low one first) of word e / 2. */
#ifndef TIDE_PHILOX_H
#define TIDE_PHILOX_H

#include <Random123/philox.h>
#include <stdint.h>

static inline uint32_t philox_word(uint64_t seed, uint32_t step, uint32_t site, uint32_t sample, uint32_t element) {
    philox4x32_ctr_t c = { { element / 4, sample, step, site } };
    philox4x32_key_t k = { { (uint32_t)seed, (uint32_t)(seed >> 32) } };
    return philox4x32(c, k).v[element % 4];
}

enum { PHILOX_HALF_BITS = 16 };
static inline uint32_t philox_half(uint64_t seed, uint32_t step, uint32_t site, uint32_t sample, uint32_t element) {
    return philox_word(seed, step, site, sample, element / 2) >> (element % 2 * PHILOX_HALF_BITS) & 0xffff;
}

/* [0, 1) with 24 random bits: exactly representable, the same on every device. */
static inline float philox_unit(uint32_t word) { return (float)(word >> 8) * 0x1p-24f; }

#endif
