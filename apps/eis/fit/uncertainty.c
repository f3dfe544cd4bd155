/* The covariance s^2 (J'J)^-1 from the singular values of J, which tell what it leaves open too. */
#include "uncertainty.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/check/svd.h"

static const double unseen = 1e-6; /* of the largest singular value: the data say nothing of such a direction */
static const double takes_part = 0.1; /* of a unit vector: the component of a parameter that goes along with it */

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

/* With A = U S V', (A'A)^-1 = V S^-2 V'. */
static void from_singular(const svd *d, double variance, fit_uncertainty *u) {
    int seen = svd_rank(d, unseen);
    for (int k = 0; k < u->count; k++) {
        const double *v = d->right + k * u->count;
        if (k < seen) add_direction(u, v, variance / (d->value[k] * d->value[k]));
        else memcpy(u->direction + u->open++ * u->count, v, (size_t)u->count * sizeof *v);
    }
    put_errors(u);
}

bool fit_uncertainty_of(const fit_problem *p, const double *x, double variance, fit_uncertainty *u) {
    int64_t rows = 2 * p->data->n;
    double *a = calloc((size_t)(rows * (p->variables + 1)), sizeof *a);
    svd d;
    if (!a) return false;
    memset(u, 0, sizeof *u);
    u->count = fit_jacobian(p, x, a);
    for (int w = 0, at = 0; w < p->variables; w++) {
        u->error[w] = NAN;
        if (!p->held[w]) u->variable[at++] = w;
    }
    /* Residuals are divided by the root of size / rows. */
    double sum = fit_sum(p, x), unit = (double)rows / p->data->size, degrees = (double)(rows - u->count);
    bool done = u->count == 0 || svd_new(&d, rows, u->count, a, 1, a + rows * u->count);
    if (done && u->count) from_singular(&d, (isnan(variance) ? sum / degrees : variance) * unit, u), svd_free(&d);
    free(a);
    return done;
}
