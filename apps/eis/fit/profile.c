#include "profile.h"

#include <math.h>
#include <string.h>

enum { DOUBLINGS = 14, HALVINGS = 24 };
static const double first_step = 1e-4, close_enough = 1e-3; /* of the coordinate; of the interval */

/* The square of Student's 97.5 % quantile (Cornish and Fisher's expansion, right to 1e-4 from five degrees on). */
static double f_quantile(double nu) {
    double z = 1.959963984540054, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    double t = z + (z3 + z) / (4 * nu) + (5 * z5 + 16 * z3 + 3 * z) / (96 * nu * nu) +
               (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * nu * nu * nu);
    return t * t;
}

typedef struct profile {
    fit_problem *p;
    const double *x;
    double limit;
    int v;
} profile;

/* Whether the sum with variable v at `at` is below the limit; *from, where the others were last, moves along. */
static tide_status below(const profile *f, double at, double *from, bool *is, tide_failure *failure) {
    double sum;
    from[f->v] = at;
    tide_status status = fit_descend(f->p, from, &sum, failure);
    *is = sum < f->limit;
    return status;
}

static tide_status find_end(const profile *f, int side, double *end, tide_failure *failure) {
    double from[VARIABLES_MOST], in = f->x[f->v], out = INFINITY, step = first_step;
    double bound = side < 0 ? f->p->low[f->v] : f->p->high[f->v];
    tide_status status = TIDE_OK;
    memcpy(from, f->x, (size_t)f->p->variables * sizeof *from);
    for (int i = 0; status == TIDE_OK && isinf(out) && i < DOUBLINGS; i++, step *= 3) {
        double at = f->x[f->v] + side * step;
        bool is, past = side * (at - bound) > 0;
        if (past) at = bound;
        status = below(f, at, from, &is, failure);
        if (is) in = at;
        else out = at;
        if (is && past) return *end = bound, status;
    }
    for (int i = 0; status == TIDE_OK && isfinite(out) && i < HALVINGS; i++) {
        bool is;
        if (fabs(out - in) < close_enough * fabs(out - f->x[f->v])) break;
        double middle = (in + out) / 2;
        status = below(f, middle, from, &is, failure);
        if (is) in = middle;
        else out = middle;
    }
    *end = isfinite(out) ? (in + out) / 2 : side < 0 ? -INFINITY : INFINITY;
    return status;
}

tide_status fit_profile(fit_problem *p, const double *x, double sum, int v, fit_interval *out, tide_failure *failure) {
    int unknowns = 0;
    for (int w = 0; w < p->variables; w++) unknowns += !p->held[w];
    double nu = (double)(p->rows - unknowns);
    profile f = { p, x, sum * (1 + f_quantile(nu) / nu), v };
    bool was = p->held[v];
    p->held[v] = true;
    tide_status status = find_end(&f, -1, &out->low, failure);
    if (status == TIDE_OK) status = find_end(&f, 1, &out->high, failure);
    p->held[v] = was;
    return status;
}
