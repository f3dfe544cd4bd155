/* Random numbers on strips, for one instruction set. */
#include <math.h>

#include "backends/cpu/isa.h"
#include LANES_HEADER
#include "philox_lanes.h"

static inline float unit(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }

#define STRIP(name, prepared, expr)                                                                         \
    static void name(float *dst, const random_site *site, uint32_t sample, int64_t first, int64_t n) {      \
        prepared;                                                                                           \
        uint32_t w[PHILOX_WORDS];                                                                           \
        for (int64_t take; n > 0; dst += take, first += take, n -= take) {                                  \
            int64_t skip = first % 4;                                                                       \
            philox_words(w, PHILOX_SETS, site->seed, site->step, site->site, sample, (uint32_t)(first / 4));  \
            take = MIN2(PHILOX_WORDS - skip, n);                                                            \
            if (take == PHILOX_WORDS)                                                                       \
                for (int i = 0; i < PHILOX_WORDS; i++) { uint32_t word = w[i]; dst[i] = expr; }             \
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
