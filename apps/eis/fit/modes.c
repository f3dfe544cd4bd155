/* A parameter that Laplace's approximation leaves wide is walked through its range, all else fitted again at each step,
 * as far as the likelihood goes along. */
#include "modes.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

enum { MINIMA = 4, STEPS_MOST = 300 }; /* of a walk through a whole range */
static const double wide = 0.3, wide_exponent = 0.05; /* standard deviations that call for a walk */
static const double step_least = 0.1, step_exponent = 0.01; /* so short that a ridge is straight beside its width */
static const double far_below = 14; /* ln of the likelihood, beside the best: the walk ends */

typedef struct walking {
    likelihood *l;
    fit_data *data;
    mixture *m;
    double *jacobian, *precision;
} walking;

/* x to the nearest minimum. */
static tide_status settle(const walking *w, double *x, tide_failure *failure) {
    double sum;
    robust r = { 0 };
    tide_status status = fit_descend(w->l->problem, x, &sum, failure);
    if (status == TIDE_OK && w->l->robust) status = robust_fit(w->l->problem, w->data, x, &r, failure);
    free(r.share);
    return status;
}

/* `leash`: of coordinate `along`, a standard deviation beyond which the next component takes over; -1: none. */
static void add(const walking *w, const double *y, int along, double leash) {
    likelihood_precision(w->l, y, w->jacobian, w->precision);
    if (along >= 0) w->precision[along * (w->l->count + 1)] += 1 / (leash * leash);
    mixture_add(w->m, y, w->precision, likelihood_density(w->l, y));
}

static tide_status walk_from(const walking *w, const double *start, int v, double step, tide_failure *failure) {
    likelihood *l = w->l;
    double x[PARAMETERS_MOST] = { 0 }, y[PARAMETERS_MOST];
    tide_status status = TIDE_OK;
    memcpy(y, start, sizeof y);
    for (int i = 0; status == TIDE_OK && i < STEPS_MOST; i++) {
        y[v] += step;
        if (y[v] < l->low[v] || y[v] > l->high[v]) break;
        likelihood_x(l, y, x);
        l->problem->held[v] = true;
        status = settle(w, x, failure);
        l->problem->held[v] = false;
        likelihood_y(l, x, y);
        if (likelihood_log(l, y) < l->best - far_below) break;
        if (status == TIDE_OK) add(w, y, v, fabs(step));
    }
    return status;
}

/* The variance of each coordinate: the diagonal of the precision's inverse, by elimination. */
static void variances(const double *precision, int n, double *room, double *out) {
    for (int k = 0; k < n; k++) {
        double *m = room, *x = room + n * n;
        memcpy(m, precision, (size_t)(n * n) * sizeof *m);
        for (int i = 0; i < n; i++) x[i] = i == k;
        for (int i = 0; i < n; i++)
            for (int j = i + 1; j < n; j++) {
                double factor = m[j * n + i] / m[i * n + i];
                for (int c = i; c < n; c++) m[j * n + c] -= factor * m[i * n + c];
                x[j] -= factor * x[i];
            }
        for (int i = n; i-- > k;) {
            for (int j = i + 1; j < n; j++) x[i] -= m[i * n + j] * x[j];
            x[i] /= m[i * n + i];
        }
        out[k] = x[k];
    }
}

static tide_status walk_ridges(const walking *w, const double *best, double *room, tide_failure *failure) {
    const likelihood *l = w->l;
    double variance[PARAMETERS_MOST];
    tide_status status = TIDE_OK;
    likelihood_precision(l, best, w->jacobian, w->precision);
    variances(w->precision, l->count, room, variance);
    for (int v = 0; status == TIDE_OK && v < l->count; v++) {
        double step = fmax(l->linear[v] ? step_exponent : step_least, (l->high[v] - l->low[v]) / STEPS_MOST);
        if (sqrt(variance[v]) < (l->linear[v] ? wide_exponent : wide)) continue;
        status = walk_from(w, best, v, step, failure);
        if (status == TIDE_OK) status = walk_from(w, best, v, -step, failure);
    }
    return status;
}

static tide_status find_all(const walking *w, const eis_fitted *f, double *room, tide_failure *failure) {
    likelihood *l = w->l;
    int minima = (int)MIN2(f->minima, MINIMA), best = 0;
    double x[PARAMETERS_MOST] = { 0 }, y[MINIMA][PARAMETERS_MOST], value[MINIMA];
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < minima; i++) {
        for (int v = 0; v < l->count; v++) x[v] = fit_coordinate(l->problem, v, f->minimum[i].value[l->problem->of[v]]);
        status = settle(w, x, failure);
        likelihood_y(l, x, y[i]);
        value[i] = likelihood_log(l, y[i]);
        l->best = fmax(l->best, value[i]);
        if (value[i] > value[best]) best = i;
    }
    for (int i = 0; status == TIDE_OK && i < minima; i++)
        if (value[i] > l->best - far_below) add(w, y[i], -1, 0);
    return status == TIDE_OK && minima ? walk_ridges(w, y[best], room, failure) : status;
}

tide_status modes_find(likelihood *l, fit_data *data, const eis_fitted *f, mixture *out, tide_failure *failure) {
    size_t n = (size_t)l->count;
    walking w = { l, data, out, malloc(2 * (size_t)data->n * n * sizeof(double)), malloc(n * n * sizeof(double)) };
    double *room = malloc((n * n + n) * sizeof *room);
    tide_status status = w.jacobian && w.precision && room
                             ? find_all(&w, f, room, failure)
                             : fail(failure, TIDE_ENOMEM, "out of memory for the posterior of a fit");
    mixture_share(out);
    free(w.jacobian), free(w.precision), free(room);
    return status;
}
