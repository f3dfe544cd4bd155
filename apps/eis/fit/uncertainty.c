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
}

static void begin(const fit_problem *p, int count, fit_uncertainty *u) {
    u->count = count, u->open = 0;
    memset(u->covariance, 0, (size_t)(count * count) * sizeof *u->covariance);
    for (int w = 0, at = 0; w < p->variables; w++) {
        u->error[w] = NAN;
        if (!p->held[w]) u->variable[at++] = w;
    }
}

/* H^-1 g of the gradient g of a prior's residual. */
static void through(const svd *d, int count, const double *gradient, double *out) {
    for (int i = 0; i < count; i++) out[i] = 0;
    for (int k = 0, seen = svd_rank(d, unseen); k < seen; k++) {
        const double *v = d->right + k * count;
        double along = 0;
        for (int i = 0; i < count; i++) along += v[i] * gradient[i];
        for (int i = 0; i < count; i++) out[i] += v[i] * along / (d->value[k] * d->value[k]);
    }
}

/* With the data's variance s, and v of the priors' rows P of A, A'A = H: H^-1 (s H + (v - s) P'P) H^-1. */
static void add_priors(const fit_problem *p, const double *x, const svd *d, double more, fit_uncertainty *u) {
    double slope[PRIOR_TERMS], gradient[VARIABLES_MOST], moved[VARIABLES_MOST];
    double unit = sqrt(p->variance * (double)(p->rows - p->priors) / p->size);
    for (int q = 0; q < p->priors; q++) {
        memset(gradient, 0, sizeof gradient);
        fit_pull(&p->prior[q], x, slope);
        for (int i = 0; i < u->count; i++)
            for (int t = 0; t < p->prior[q].terms; t++)
                if (p->prior[q].variable[t] == u->variable[i]) gradient[i] += unit * slope[t];
        through(d, u->count, gradient, moved);
        for (int i = 0; i < u->count; i++)
            for (int j = 0; j < u->count; j++) u->covariance[i * u->count + j] += more * moved[i] * moved[j];
    }
}

/* A prior that the data contradict says nothing of their scatter. */
static double left_by_data(const fit_problem *p, const double *x) {
    double sum = fit_sum(p, x);
    for (int i = 0; i < p->priors; i++) {
        double pull = fit_pull(&p->prior[i], x, NULL);
        sum -= p->variance * pull * pull;
    }
    return fmax(sum, 0);
}

bool fit_uncertainty_of(const fit_problem *p, const double *x, double variance, fit_uncertainty *u) {
    double *a = calloc((size_t)(p->rows * (p->variables + 1)), sizeof *a);
    svd d;
    if (!a) return false;
    begin(p, fit_jacobian(p, x, a), u);
    /* Residuals are divided by the root of size / rows. */
    double unit = (double)(p->rows - p->priors) / p->size;
    if (isnan(variance)) variance = left_by_data(p, x) / (double)(p->rows - u->count);
    bool done = u->count == 0 || svd_new(&d, p->rows, u->count, a, 1, a + p->rows * u->count);
    if (done && u->count) {
        from_singular(&d, variance * unit, u);
        add_priors(p, x, &d, (p->variance - variance) * unit, u);
        put_errors(u);
        svd_free(&d);
    }
    free(a);
    return done;
}
