/* The peaks of a distribution, with what lies between its minima. */
#ifndef EIS_DRT_PEAKS_H
#define EIS_DRT_PEAKS_H

#include <tidemill/eis.h>

#include "rbf.h"

/* A maximum counts that stands above the higher of the minima beside it by at least 10 % of its own height and 1 % of
 * the greatest: a regularised distribution has ripples. Areas are divided at the minima between peaks, so that they sum
 * to the whole. `x` in ohm; *out is malloc'ed, by tau, NULL where there are none. `low_hz` and `high_hz`: what was
 * measured. False: out of memory. */
bool peaks_of(const rbf *r, const double *x, double low_hz, double high_hz, eis_drt_peak **out, int64_t *count);

#endif
