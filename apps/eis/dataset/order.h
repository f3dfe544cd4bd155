/* Exact order statistics of many positive numbers without sorting them: a histogram of their leading bits finds the
 * bins that hold the wanted ranks; only what lies in those is kept and sorted. */
#ifndef EIS_ORDER_H
#define EIS_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { ORDER_BITS = 20, ORDER_BINS = 1 << ORDER_BITS };  /* 11 of exponent, 9 of fraction */

/* Numbers that are at least 0: their bits are in their order. */
static inline int64_t order_bin(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return (int64_t)(bits >> (63 - ORDER_BITS));
}

typedef struct order_pick {
    int64_t rank;      /* 0-based, wanted */
    int64_t bin;       /* that holds it */
    int64_t before;    /* numbers in lower bins */
} order_pick;

/* Fills bin and before of each pick. */
void order_find(const uint64_t *histogram, order_pick *picks, int count);

#endif
