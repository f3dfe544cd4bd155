/* How well the data determine the parameters at a minimum. */
#ifndef EIS_FIT_UNCERTAINTY_H
#define EIS_FIT_UNCERTAINTY_H

#include "problem.h"

typedef struct fit_uncertainty {
    int count; /* variables that are neither held nor fixed */
    int variable[PARAMETERS_MOST]; /* which they are */
    double error[PARAMETERS_MOST]; /* of the coordinate, by variable; NaN: not determined, or held */
    double covariance[PARAMETERS_MOST * PARAMETERS_MOST]; /* count * count, of coordinates */
    int open; /* directions that the data say nothing of */
    double direction[PARAMETERS_MOST * PARAMETERS_MOST]; /* open * count: their unit vectors */
} fit_uncertainty;

/* `variance`: of a weighted residual; NaN: that which the misfit implies. False: out of memory. */
bool fit_uncertainty_of(const fit_problem *p, const double *x, double variance, fit_uncertainty *out);

#endif
