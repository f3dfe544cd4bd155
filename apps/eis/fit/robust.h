/* Fits that outliers do not pull: residuals of Student's distribution with four degrees of freedom. */
#ifndef EIS_FIT_ROBUST_H
#define EIS_FIT_ROBUST_H

#include "problem.h"

typedef struct robust {
    double variance; /* by which (J'J)^-1 of the unchanged weights is the covariance */
    double *share; /* of each point, 0..1: how much it counts; `n` of them */
} robust;

/* Moves x, a minimum of the sum of squares, to the most likely values. The data's weights are as before after it. */
tide_status robust_fit(fit_problem *p, fit_data *data, double *x, robust *out, tide_failure *failure);

#endif
