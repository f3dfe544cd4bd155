/* Random numbers on strips, for one instruction set. */
#include <math.h>

#include "backends/cpu/isa.h"
#include LANES_HEADER
#include "philox_lanes.h"

static inline float unit(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }

/* COUNTER: elements of a counter; TAKEN: of all counters that are worked on at once. */
#define STRIP(name, T, prepared, expr)                                                                      \
    static void name(float *dst, const random_site *site, uint32_t sample, int64_t first, int64_t n) {      \
        prepared;                                                                                           \
        enum { TAKEN = PHILOX_WORDS * sizeof(uint32_t) / sizeof(T), COUNTER = 16 / sizeof(T) };             \
        T w[TAKEN];                                                                                         \
        for (int64_t take; n > 0; dst += take, first += take, n -= take) {                                  \
            int64_t skip = first % COUNTER;                                                                 \
            philox_words(w, PHILOX_SETS, site->seed, site->step, site->site, sample,                        \
                         (uint32_t)(first / COUNTER));                                                      \
            take = MIN2(TAKEN - skip, n);                                                                   \
            if (take == TAKEN)                                                                              \
                for (int i = 0; i < TAKEN; i++) { T word = w[i]; dst[i] = expr; }                           \
            else                                                                                            \
                for (int64_t i = 0; i < take; i++) { T word = w[skip + i]; dst[i] = expr; }                 \
        }                                                                                                   \
    }
STRIP(strip_unit, uint32_t, , unit(word))
STRIP(strip_mask, uint16_t,
      const int32_t least = (int32_t)ceil(65536 * (double)site->number); const float kept = site->scale,
      (int32_t)word >= least ? kept : 0.0f)

const random_ops ISA(random) = { strip_unit, strip_mask };
