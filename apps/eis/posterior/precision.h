/* Roots of precisions, of which samplers draw. */
#ifndef EIS_PRECISION_H
#define EIS_PRECISION_H

#include <math.h>
#include <string.h>

/* Cholesky's factor (lower) of a precision, n x n; returns half of ln det. */
static inline double precision_root(const double *a, int n, double *root) {
    double half_log_det = 0;
    memset(root, 0, (size_t)(n * n) * sizeof *root);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++) sum -= root[i * n + k] * root[j * n + k];
            if (i == j) half_log_det += log(root[i * n + i] = sqrt(fmax(sum, 1e-12 * a[i * n + i])));
            else root[i * n + j] = sum / root[j * n + j];
        }
    return half_log_det;
}

#endif
