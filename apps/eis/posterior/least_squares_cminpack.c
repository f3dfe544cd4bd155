#include <cminpack.h>

#include "base/base.h"
#include "least_squares.h"

/* MINPACK asks for residuals (1) or derivatives (2), never both. */
static int evaluate(void *user, int m, int n, const double *x, double *residual, double *jacobian, int rows, int what) {
    const least_squares *p = user;
    (void)m, (void)n, (void)rows;
    p->evaluate(p->user, x, residual, what == 2 ? jacobian : NULL);
    return 0;
}

tide_status least_squares_solve(const least_squares *p, double *x, double *scratch, double *sum,
                                tide_failure *failure) {
    enum { MOST_EVALUATIONS = 120 };
    int     m = p->residuals, n = p->unknowns, residual_count, jacobian_count, pivots[LEAST_SQUARES_MOST];
    double *residual = scratch, *work = scratch + m, *jacobian = scratch + 2 * m;
    double  scale[LEAST_SQUARES_MOST], qtf[LEAST_SQUARES_MOST], step[3][LEAST_SQUARES_MOST];
    (void)failure;
    double gain = p->gain > 0 ? p->gain : 1e-12;
    lmder(evaluate, (void *)p, m, n, x, residual, jacobian, m, gain, 1e-10, 0, MOST_EVALUATIONS, scale, 1, 10, 0,
          &residual_count, &jacobian_count, pivots, qtf, step[0], step[1], step[2], work);
    *sum = 0;
    for (int i = 0; i < m; i++) *sum += residual[i] * residual[i];
    return TIDE_OK;
}
