/* The posterior density of a fit's free parameters: a prior that is uniform in their logarithms, or in exponents
 * themselves, and a noise that is known, up to its degrees of freedom, without the circuit. */
#ifndef EIS_FIT_LIKELIHOOD_H
#define EIS_FIT_LIKELIHOOD_H

#include "problem.h"

typedef struct likelihood {
    fit_problem *problem;
    int count; /* coordinates: the problem's variables, exponents as they are */
    bool linear[PARAMETERS_MOST]; /* an exponent */
    bool assumed_low[PARAMETERS_MOST], assumed_high[PARAMETERS_MOST]; /* that end is not the fit's, which has none */
    double low[PARAMETERS_MOST], high[PARAMETERS_MOST];
    bool robust; /* residuals are Student's (posterior/student.h) */
    double noise; /* deviation of a weighted residual */
    double dof; /* that it stands on; infinite: it is known */
    double best; /* the largest of likelihood_log that is known */
} likelihood;

/* Ends that the fit's bounds lack: impedances from 1/1000 of the spectrum's least to 1000 times its largest, times from
 * 1/1000 of the fastest that was measured to 1000 times the slowest. */
void likelihood_new(fit_problem *p, likelihood *out);
/* The problem's coordinates and back; to y within the bounds. */
void likelihood_x(const likelihood *l, const double *y, double *x);
void likelihood_y(const likelihood *l, const double *x, double *y);
/* ln of the likelihood with the noise as it is, up to a constant. */
double likelihood_log(const likelihood *l, const double *y);
/* ln of the density, up to a constant: with m degrees of freedom of the noise, of which q parameters take theirs,
 * -(m + q) / 2 ln (1 + 2 drop / m), where drop is how far ln of the likelihood is below its best: Student's
 * multivariate density where the model is linear. `l`: a likelihood. */
double likelihood_density(const void *l, const double *y);
/* The Fisher information and a weak prior's at y: count x count. `jacobian`: room of 2 n count. */
void likelihood_precision(const likelihood *l, const double *y, double *jacobian, double *precision);

#endif
