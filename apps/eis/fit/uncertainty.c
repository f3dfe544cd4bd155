/* The covariance s^2 (J'J)^-1 from the singular values of J, by rotations of its columns (one-sided Jacobi), which
 * finds small ones to full relative accuracy. */
#include "uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 40 };
static const double orthogonal = 1e-14;
static const double unseen = 1e-6; /* of the largest singular value: the data say nothing of such a direction */
static const double takes_part = 0.1; /* of a unit vector: the component of a parameter that goes along with it */

static void rotate(double *a, double *b, int64_t rows, double c, double s) {
    for (int64_t i = 0; i < rows; i++) {
        double x = a[i], y = b[i];
        a[i] = c * x - s * y, b[i] = s * x + c * y;
    }
}

/* Makes the columns of a orthogonal; v, which begins as unity, gathers the rotations. */
static void make_orthogonal(double *a, int64_t rows, int count, double *v) {
    for (int sweep = 0, turned = 1; turned && sweep < SWEEPS; sweep++) {
        turned = 0;
        for (int p = 0; p < count; p++)
            for (int q = p + 1; q < count; q++) {
                double *x = a + p * rows, *y = a + q * rows, xx = 0, yy = 0, xy = 0;
                for (int64_t i = 0; i < rows; i++) xx += x[i] * x[i], yy += y[i] * y[i], xy += x[i] * y[i];
                if (!(fabs(xy) > orthogonal * sqrt(xx * yy))) continue;
                double zeta = (yy - xx) / (2 * xy), t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
                double c = 1 / sqrt(1 + t * t);
                rotate(x, y, rows, c, c * t), rotate(v + p * count, v + q * count, count, c, c * t);
                turned = 1;
            }
    }
}

static double length_of(const double *a, int64_t rows) {
    double sum = 0;
    for (int64_t i = 0; i < rows; i++) sum += a[i] * a[i];
    return sqrt(sum);
}

static void add_direction(fit_uncertainty *u, const double *v, double variance) {
    for (int i = 0; i < u->count; i++)
        for (int j = 0; j < u->count; j++) u->covariance[i * u->count + j] += variance * v[i] * v[j];
}

static void put_errors(fit_uncertainty *u) {
    for (int i = 0; i < u->count; i++) {
        double along = 0;
        for (int k = 0; k < u->open; k++) along = fmax(along, fabs(u->direction[k * u->count + i]));
        u->error[u->variable[i]] = along > takes_part ? NAN : sqrt(u->covariance[i * u->count + i]);
    }
}

static void from_singular(const double *a, int64_t rows, const double *v, double variance, fit_uncertainty *u) {
    double size[PARAMETERS_MOST], most = 0;
    for (int k = 0; k < u->count; k++) size[k] = length_of(a + k * rows, rows), most = fmax(most, size[k]);
    for (int k = 0; k < u->count; k++) {
        if (size[k] > unseen * most) add_direction(u, v + k * u->count, variance / (size[k] * size[k]));
        else memcpy(u->direction + u->open++ * u->count, v + k * u->count, (size_t)u->count * sizeof *v);
    }
    put_errors(u);
}

bool fit_uncertainty_of(const fit_problem *p, const double *x, bool absolute, fit_uncertainty *u) {
    int64_t rows = 2 * p->data->n;
    double *a = malloc((size_t)(rows * (p->variables + 1)) * sizeof *a), v[PARAMETERS_MOST * PARAMETERS_MOST] = { 0 };
    if (!a) return false;
    memset(u, 0, sizeof *u);
    u->count = fit_jacobian(p, x, a);
    for (int w = 0, at = 0; w < p->variables; w++) {
        u->error[w] = NAN;
        if (!p->held[w]) u->variable[at++] = w;
    }
    for (int i = 0; i < u->count; i++) v[i * u->count + i] = 1;
    /* Residuals are divided by the root of size / rows. */
    double sum = fit_sum(p, x), unit = (double)rows / p->data->size, degrees = (double)(rows - u->count);
    double variance = (absolute ? 1 : sum / degrees) * unit;
    make_orthogonal(a, rows, u->count, v);
    from_singular(a, rows, v, variance, u);
    free(a);
    return true;
}
