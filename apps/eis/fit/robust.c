/* Student's distribution by expectation and maximisation: a residual r counts as student.h says, and s^2 is the mean of
 * what is left. */
#include "robust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/posterior/student.h"

enum { ROUNDS_MOST = 60 };
static const double settled = 1e-7; /* of every coordinate */

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Residuals in the weights' unit. */
static void residuals_of(const fit_problem *p, const double *x, const double *weight, double *r) {
    const fit_data *d = p->data;
    double values[PARAMETERS_MOST];
    fit_values(p, x, values);
    equivalent_evaluate(p->e, values, d->n, d->omega, d->log_omega, p->model, NULL);
    for (int64_t i = 0; i < d->n; i++) {
        r[i] = weight[i] * creal(p->model[i] - d->z[i]);
        r[d->n + i] = weight[d->n + i] * cimag(p->model[i] - d->z[i]);
    }
}

/* By the median of their sizes, which no outlier moves. */
static double first_variance(const double *r, int64_t rows, double *room) {
    for (int64_t i = 0; i < rows; i++) room[i] = fabs(r[i]);
    qsort(room, (size_t)rows, sizeof *room, rising);
    double deviation = room[rows / 2] / 0.6745;
    return deviation * deviation;
}

static double counts(double r, double variance) { return student_counts(r * r / variance); }

/* The next variance, and the weights for it. */
static double reweigh(fit_data *d, const double *weight, const double *r, double variance, int unknowns) {
    double sum = 0;
    for (int64_t i = 0; i < 2 * d->n; i++) {
        double share = counts(r[i], variance);
        sum += share * r[i] * r[i];
        d->weight[i] = weight[i] * sqrt(share);
    }
    return sum / (double)(2 * d->n - unknowns);
}

static double moved(const double *a, const double *b, int count) {
    double most = 0;
    for (int v = 0; v < count; v++) most = fmax(most, fabs(a[v] - b[v]));
    return most;
}

static tide_status iterate(fit_problem *p, fit_data *d, const double *weight, double *r, double *x, double *variance,
                           tide_failure *failure) {
    tide_status status = TIDE_OK;
    double before[VARIABLES_MOST], sum, step = INFINITY;
    for (int i = 0; status == TIDE_OK && i < ROUNDS_MOST && step > settled && *variance > 0; i++) {
        memcpy(before, x, (size_t)p->variables * sizeof *x);
        *variance = reweigh(d, weight, r, *variance, p->variables);
        status = fit_descend(p, x, &sum, failure);
        residuals_of(p, x, weight, r);
        step = moved(before, x, p->variables);
    }
    return status;
}

/* The information of a Student's sample is (nu + 1) / (nu + 3) of a normal one's. */
static void conclude(const fit_data *d, const double *r, double variance, robust *out) {
    out->variance = variance * (STUDENT_FREEDOM + 3) / (STUDENT_FREEDOM + 1);
    for (int64_t i = 0; i < d->n; i++) {
        double least = variance > 0 ? fmin(counts(r[i], variance), counts(r[d->n + i], variance)) : 1;
        out->share[i] = fmin(1, least);
    }
}

tide_status robust_fit(fit_problem *p, fit_data *data, double *x, robust *out, tide_failure *failure) {
    size_t rows = (size_t)(2 * data->n);
    double *weight = malloc(2 * rows * sizeof *weight), *r = weight + rows;
    out->share = malloc((size_t)data->n * sizeof *out->share);
    if (!weight || !out->share) return free(weight), fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    memcpy(weight, data->weight, rows * sizeof *weight);
    residuals_of(p, x, weight, r);
    double variance = first_variance(r, (int64_t)rows, p->scratch);
    tide_status status = iterate(p, data, weight, r, x, &variance, failure);
    memcpy(data->weight, weight, rows * sizeof *weight);
    if (status == TIDE_OK) conclude(data, r, variance, out);
    free(weight);
    return status;
}
