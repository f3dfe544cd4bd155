/* Places put in the order of their keys. */
#ifndef EIS_RANKED_H
#define EIS_RANKED_H

#include <stdint.h>
#include <string.h>

typedef struct ranked { uint64_t key; int64_t place; } ranked;

/* Keys that ascend as the numbers do; ~ of them descend. -0 is 0; NaN comes last, or first. */
static inline uint64_t ranked_key(double v) {
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits;
    v += 0.0;
    memcpy(&bits, &v, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

/* Ascending keys; equal ones stay in the order in which they stand. `room` holds as many. */
void ranked_sort(ranked *r, ranked *room, int64_t count);

#endif
