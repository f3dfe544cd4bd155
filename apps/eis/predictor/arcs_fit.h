/* Two arcs, electrode, resistance and inductance (circuit/arcs.h) fitted to a spectrum in some hundreds of
 * microseconds. Weighted least squares in coordinates with a wide normal prior on each, which keeps what the data leave
 * open finite; the noise is estimated robustly, points far off it count little. */
#ifndef EIS_ARCS_FIT_H
#define EIS_ARCS_FIT_H

#include "arcs_kernel.h"

typedef struct arcs_fit {
    double x[ARCS_COUNT]; /* logarithms of ohm, s, henry; exponents. The slower arc first */
    double cov[ARCS_COUNT][ARCS_COUNT]; /* inverse Hessian */
    double shift[ARCS_COUNT]; /* x - shift does not depend on the units of impedance and frequency */
    double noise, outliers; /* of each part over |Z|; how many points are taken to be outliers */
    double second[ARCS_COUNT], gap; /* where the next best start led to, and how much more it leaves, in chi2 */
} arcs_fit;

/* Starts of a thorough fit: where these two ended, as values (circuit/arcs.h). */
enum { ARCS_GUESSES = 2 };
void arcs_guesses(const arcs_fit *fit, double p[ARCS_GUESSES][ARCS_COUNT]);

/* 5 to SAMPLE_MOST points, frequencies falling, |z| > 0. Never fails: the result is always finite. */
void arcs_fit_run(int64_t count, const double *freq_hz, const eis_z *z, arcs_fit *out);

#endif
