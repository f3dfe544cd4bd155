/* Levenberg and Marquardt's method. */
#ifndef EIS_LEAST_SQUARES_H
#define EIS_LEAST_SQUARES_H

#include <tidemill/core.h>

enum { LEAST_SQUARES_MOST = 240 };  /* unknowns */

typedef struct least_squares {
    int   unknowns, residuals;  /* residuals >= unknowns */
    /* Residuals at x or, if `jacobian` is not NULL, only their derivatives, column by column. */
    void (*evaluate)(void *user, const double *x, double *residual, double *jacobian);
    void *user;
    double gain; /* the share of the sum below which a step is the last; 0: 1e-12 */
} least_squares;

/* Moves x to a minimum of the sum of squares, and gives that sum. Scratch: residuals * (unknowns + 2). Fails with
 * TIDE_EDEVICE in a build without cminpack. */
tide_status least_squares_solve(const least_squares *p, double *x, double *scratch, double *sum, tide_failure *failure);

#endif
