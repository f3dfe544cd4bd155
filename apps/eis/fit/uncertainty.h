/* How well the data determine the parameters at a minimum. */
#ifndef EIS_FIT_UNCERTAINTY_H
#define EIS_FIT_UNCERTAINTY_H

#include "problem.h"

typedef struct fit_uncertainty {
    int count; /* variables that are neither held nor fixed */
    int variable[VARIABLES_MOST]; /* which they are */
    double error[VARIABLES_MOST]; /* of the coordinate, by variable; NaN: not determined, or held */
    double covariance[VARIABLES_MOST * VARIABLES_MOST]; /* count * count, of coordinates */
    int open; /* directions that the data say nothing of */
    double direction[VARIABLES_MOST * VARIABLES_MOST]; /* open * count: their unit vectors */
} fit_uncertainty;

/* `variance`: of a weighted residual; NaN: that which the misfit implies. A prior has its own. False: out of memory. */
bool fit_uncertainty_of(const fit_problem *p, const double *x, double variance, fit_uncertainty *out);

#endif
