/* Symmetric positive systems of a few unknowns, row by row `stride` apart; only the lower triangle is read. */
#ifndef EIS_SMALL_SYSTEM_H
#define EIS_SMALL_SYSTEM_H

#include <math.h>

/* In place; the diagonal as its reciprocal. What rounding leaves of a pivot is at least a trifle. */
static inline void small_cholesky(int n, int stride, double *h) {
    for (int i = 0; i < n; i++) {
        double *row = h + i * stride, least = 1e-14 * row[i];
        for (int j = 0; j < i; j++) {
            double sum = row[j];
            for (int k = 0; k < j; k++) sum -= row[k] * h[j * stride + k];
            row[j] = sum * h[j * stride + j];
        }
        double sum = row[i];
        for (int k = 0; k < i; k++) sum -= row[k] * row[k];
        row[i] = 1 / sqrt(sum > least ? sum : least);
    }
}

static inline void small_substitute(int n, int stride, const double *l, double *x) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) x[i] -= l[i * stride + k] * x[k];
        x[i] *= l[i * stride + i];
    }
    for (int i = n; i-- > 0;) {
        for (int k = i + 1; k < n; k++) x[i] -= l[k * stride + i] * x[k];
        x[i] *= l[i * stride + i];
    }
}

/* h becomes its factor. */
static inline void small_inverse(int n, int stride, double *h, double *out) {
    small_cholesky(n, stride, h);
    for (int k = 0; k < n; k++) {
        double column[16] = { 0 };
        column[k] = 1;
        small_substitute(n, stride, h, column);
        for (int i = 0; i < n; i++) out[i * stride + k] = column[i];
    }
}

#endif
