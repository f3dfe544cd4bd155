/* A spectrum as the smooth part that Kramers and Kronig allow, and noise: the plateau of the linear test, found without
 * a scan. The columns of a dense basis are combined into directions by their singular values, smooth ones first; as
 * many are taken as the Bayesian information criterion (Schwarz 1978) finds worth their degree of freedom. What is left
 * over the degrees of freedom is the noise, unbiased as far as the spectrum obeys Kramers and Kronig. */
#ifndef EIS_EXPANSION_H
#define EIS_EXPANSION_H

#include <tidemill/eis.h>

typedef struct expansion {
    bool admittance;
    int rank; /* directions taken */
    int64_t points; /* that were counted */
    double square; /* sum |residual|^2 over them */
    double dof; /* 2 points - rank */
    double noise; /* standard deviation of each part over |Z| */
    eis_z *residual; /* (Z - expansion) / |Z|, for all points, left out or not */
    eis_z *leverage; /* of each part, in 0..1 where it was counted: its residual has the variance noise^2 (1 - it); of
                        one left out noise^2 (1 + it) */
} expansion;

/* `left_out` NULL: all points count. False: out of memory. expansion_free. */
bool expand(const eis_spectrum *s, const bool *left_out, expansion *out);
void expansion_free(expansion *e);

/* The same without points that are no noise (more than OUTLIER times it, by the median), found by turns of fitting and
 * leaving out; left_out[i] tells which. At most a fifth of the points are. `robust`: 1.4826 times the median of the
 * standardised residuals, all points counted. */
#define OUTLIER 5.0
bool expand_robust(const eis_spectrum *s, bool *left_out, expansion *out, double *robust);

#endif
