/* Random numbers by counter: the same for the same seed everywhere. */
#ifndef EIS_RNG_H
#define EIS_RNG_H

#include <math.h>

#include "base/philox.h"

typedef struct rng { uint64_t seed; uint32_t stream; uint64_t next; } rng;

/* In (0, 1), 32 random bits. */
static inline double rng_unit(rng *r) {
    uint64_t at = r->next++;
    return ((double)philox_word(r->seed, r->stream, 0x454953u, (uint32_t)(at >> 24), (uint32_t)(at & 0xffffffu)) +
            0.5) *
           0x1p-32;
}

static inline double rng_normal(rng *r) {
    double radius = sqrt(-2 * log(rng_unit(r)));
    return radius * cos(6.283185307179586476925286766559 * rng_unit(r));
}

#endif
