/* A spectrum as the smooth part that Kramers and Kronig allow, and noise: the plateau of the linear test, found without
 * a scan. The columns of a dense basis are combined into directions by their singular values, smooth ones first; as
 * many are taken as the Bayesian information criterion (Schwarz 1978) finds worth their degree of freedom. What is left
 * over the degrees of freedom is the noise, unbiased as far as the spectrum obeys Kramers and Kronig. */
#ifndef EIS_EXPANSION_H
#define EIS_EXPANSION_H

#include <tidemill/eis.h>

typedef struct expansion {
    bool    admittance;
    int     rank;          /* directions taken */
    int64_t points;        /* that were counted */
    double  square;        /* sum |residual|^2 over them */
    double  dof;           /* 2 points - rank */
    double  noise;         /* standard deviation of each part over |Z| */
    double  drift;         /* by how much, over the time from the first point to the last, the spectrum grew, if it is
                              taken to have grown evenly and one period a point */
    double  drift_sigmas;  /* that over its standard deviation */
    eis_z  *residual;      /* (Z - expansion) / |Z|, for all points, left out or not */
    eis_z  *leverage;      /* of each part, in 0..1 where it was counted: its residual has the variance
                              noise^2 (1 - it); of one left out noise^2 (1 + it) */
} expansion;

/* `left_out` NULL: all points count. False: out of memory. expansion_free. */
bool expand(const eis_spectrum *s, const bool *left_out, expansion *out);
void expansion_free(expansion *e);
/* The criterion by which models of these data compare, less is better: m ln(S / m) + k ln m. */
double expansion_cost(double square, double data, double parameters);

/* The same without points that are no noise (more than OUTLIER times it, by the median), found by turns of fitting and
 * leaving out; left_out[i] tells which. None are where they would be more than a sixth of the points or four in a row:
 * then it is not the points that are wrong. `robust`: 1.4826 times the median of the standardised residuals, all points
 * counted. Points that `never` flags (NULL: none) stay out in any case. */
#define OUTLIER 5.0
bool expand_robust(const eis_spectrum *s, const bool *never, bool *left_out, expansion *out, double *robust);

/* What smooth changes from sweep to sweep leave of their differences from their mean: the same basis, as many
 * directions in each sweep as are worth their degrees of freedom, or none. The sweeps are on the mean's frequencies. */
typedef struct scatter { int rank; double square, dof; } scatter;
bool expand_sweeps(const eis_spectrum *mean, const eis_spectrum *sweep, int64_t sweeps, scatter *out);

#endif
