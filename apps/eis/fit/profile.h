/* Intervals of 95 % by the profile of the sum of squares: where it has risen by F(1, nu)/nu with all else fitted again.
 */
#ifndef EIS_FIT_PROFILE_H
#define EIS_FIT_PROFILE_H

#include "problem.h"

typedef struct fit_interval {
    double low, high;
} fit_interval; /* of a coordinate; infinite: there is no such end */

/* Of variable v at the minimum x with this sum. Held variables stay held. */
tide_status fit_profile(fit_problem *p, const double *x, double sum, int v, fit_interval *out, tide_failure *failure);

#endif
