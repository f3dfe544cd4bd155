/* Faults that show in the order of rows. */
#ifndef EIS_ORDER_H
#define EIS_ORDER_H

#include <tidemill/eis.h>

enum { ORDER_SWEEPS = 64, ORDER_LEAST = 5 };

/* The rows with which sweeps begin, into first[]; returns how many sweeps there are. Rows in no order are one.
 * *room is false when out of memory. */
int order_sweeps(const eis_spectrum *s, int64_t first[ORDER_SWEEPS], bool *room);

typedef struct order_scramble {
    bool    is;
    bool   *off;                /* the caller's, a flag a row: not on the even grid which most of the others are on */
    double  first_hz, last_hz;  /* of that grid; 0: there is none */
} order_scramble;

/* Whether the impedances are smooth in the order of rows and not in that of frequencies. False: out of memory. */
bool order_scrambled(const eis_spectrum *s, order_scramble *out);

#endif
