/* Where a fit of two arcs begins. */
#ifndef EIS_ARCS_START_H
#define EIS_ARCS_START_H

#include "arcs_kernel.h"

enum { ARCS_STARTS = 8 };
typedef struct arcs_start {
    double x[ARCS_COUNT];
} arcs_start;

/* The pairs of arcs on a coarse grid of times that leave least, each unlike those before it, sizes by non-negative
 * least squares. Returns how many. */
int arcs_starts(const arcs_data *d, arcs_start out[ARCS_STARTS]);

#endif
