/* Z-HIT (Ehm et al. 2000): the size of an impedance from its phase, point by point, without any expansion. What the
 * sizes are off tells of drift, which the phase hardly feels. */
#ifndef EIS_ZHIT_H
#define EIS_ZHIT_H

#include <tidemill/eis.h>

/* deviation[i]: ln |Z| measured less ln |Z| from the phase; NaN at points left out (`left_out` NULL: none). `rms` over
 * the others. False: out of memory. */
bool zhit_of(const eis_spectrum *s, const bool *left_out, double *deviation, double *rms);

#endif
