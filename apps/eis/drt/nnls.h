/* Least squares by normal equations, with and without non-negativity. */
#ifndef EIS_DRT_NNLS_H
#define EIS_DRT_NNLS_H

#include <stdbool.h>

/* The lower Cholesky factor in place of a symmetric n x n matrix, of which the lower half is read. False: it is not
 * positive definite. */
bool cholesky_factor(int n, double *a);
void cholesky_solve(int n, const double *factor, double *x); /* x: right side, then solution */

/* The x >= 0 of least x'Gx / 2 - h'x, G positive definite: where x > 0 the gradient is 0, elsewhere it is not
 * negative (Lawson and Hanson 1974, chapter 23). False: out of memory. */
bool nnls(int n, const double *gram, const double *right, double *x);

#endif
