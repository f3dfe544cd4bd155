/* Faults that show in the order of rows. */
#ifndef EIS_ORDER_H
#define EIS_ORDER_H

#include <tidemill/eis.h>

enum { ORDER_SWEEPS = 64, ORDER_LEAST = 5 };

/* The rows with which sweeps begin, into first[]; returns how many sweeps there are. Rows in no order are one.
 * *room is false when out of memory. */
int order_sweeps(const eis_spectrum *s, int64_t first[ORDER_SWEEPS], bool *room);

/* Whether the impedances are smooth in the order of rows and not in that of frequencies. off[i]: that row is not on the
 * even grid which most of the others are on; none are where there is no such grid. False for sound data, and when out
 * of memory (*room is false then). */
bool order_scrambled(const eis_spectrum *s, bool *off, bool *room);

#endif
