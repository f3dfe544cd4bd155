/* Impedance and derivatives of two arcs, an electrode, a resistance and an inductance, and the sums that fits are made
 * of. */
#ifndef EIS_ARCS_KERNEL_H
#define EIS_ARCS_KERNEL_H

#include "quick_kernel.h"

enum { ARC_PAIRS = ARCS_COUNT * (ARCS_COUNT + 1) / 2, ARC_TAUS = 12, ARC_SHAPES = ARC_TAUS + 3 };

/* Scaled: impedances near 1, log frequencies around 0. `of` holds the angular frequencies themselves. */
typedef struct arcs_data {
    quick_data of;
    double ln_omega[QUICK_ROOM], ln_low, ln_high;
} arcs_data;

/* Coordinates: logarithms, but for exponents. Weighted errors are model - z. */
typedef struct arcs_sums {
    double square, gradient[ARCS_COUNT], gram[ARC_PAIRS];
} arcs_sums;
void arcs_sums_at(const arcs_data *d, const double x[ARCS_COUNT], arcs_sums *out);
/* Squares of the relative errors, unweighted. */
void arcs_errors(const arcs_data *d, const double x[ARCS_COUNT], double *square);

/* Products of the shapes that a spectrum is made of, and of each with the data: ARC_TAUS arcs of 1 ohm, a resistance,
 * an electrode, an inductance, all of exponent n. */
typedef struct arcs_scan {
    double ln_tau[ARC_TAUS], gram[ARC_SHAPES][ARC_SHAPES], data[ARC_SHAPES];
} arcs_scan;
void arcs_scan_fill(const arcs_data *d, double n, arcs_scan *out); /* ln_tau given */

#endif
