/* Residuals by the fit's own weights and model; ends that a range lacks, by what was measured. */
#include "likelihood.h"

#include <math.h>

#include "eis/posterior/student.h"

static const double beyond = 1e3; /* by how much assumed ranges go beyond what was measured */
static const double ratio_most = 1e3; /* of ROLE_NUMBER */

/* ---- bounds ---- */

typedef struct measured_range {
    double ohm[2], omega[2];
} measured_range;

static measured_range range_of(const fit_data *d) {
    measured_range m = { { INFINITY, 0 }, { INFINITY, 0 } };
    for (int64_t i = 0; i < d->n; i++) {
        m.ohm[0] = fmin(m.ohm[0], cabs(d->z[i])), m.ohm[1] = fmax(m.ohm[1], cabs(d->z[i]));
        m.omega[0] = fmin(m.omega[0], d->omega[i]), m.omega[1] = fmax(m.omega[1], d->omega[i]);
    }
    m.ohm[0] /= beyond, m.ohm[1] *= beyond;
    return m;
}

static void assume(const measured_range *m, slot_role role, double *low, double *high) {
    *low = 0, *high = 1;
    double slow = fmin(1, m->omega[0]), fast = fmax(1, m->omega[1]); /* of exponents from 0 to 1 */
    switch (role) {
    case ROLE_RESISTANCE: *low = m->ohm[0], *high = m->ohm[1]; break;
    case ROLE_TIME: *low = 1 / (beyond * m->omega[1]), *high = beyond / m->omega[0]; break;
    case ROLE_CAPACITANCE: *low = 1 / (m->omega[1] * m->ohm[1]), *high = 1 / (m->omega[0] * m->ohm[0]); break;
    case ROLE_ADMITTANCE: *low = 1 / (fast * m->ohm[1]), *high = 1 / (slow * m->ohm[0]); break;
    case ROLE_INDUCTANCE: *low = m->ohm[0] / m->omega[1], *high = m->ohm[1] / m->omega[0]; break;
    case ROLE_LA: *low = m->ohm[0] / fast, *high = m->ohm[1] / slow; break;
    case ROLE_WARBURG: *low = m->ohm[0] * sqrt(m->omega[0]), *high = m->ohm[1] * sqrt(m->omega[1]); break;
    case ROLE_EXPONENT: break;
    case ROLE_NUMBER: *low = 1 / ratio_most, *high = ratio_most; break;
    }
}

void likelihood_new(fit_problem *p, likelihood *out) {
    measured_range m = range_of(p->data);
    *out = (likelihood){ .problem = p, .count = p->variables, .noise = 1, .dof = INFINITY, .best = -INFINITY };
    for (int v = 0; v < p->variables; v++) {
        const circuit_parameter *q = &p->e->parameter[p->of[v]];
        slot_role role = p->e->part[q->part].kind->slot[q->slot].role;
        double low, high;
        assume(&m, role, &low, &high);
        out->linear[v] = role == ROLE_EXPONENT && q->low >= 0;
        out->assumed_low[v] = !out->linear[v] && !isfinite(p->low[v]);
        out->assumed_high[v] = !isfinite(p->high[v]);
        out->low[v] = out->linear[v] ? q->low : out->assumed_low[v] ? log(low) : p->low[v];
        out->high[v] = out->linear[v] ? q->high : out->assumed_high[v] ? log(high) : p->high[v];
        /* One end that was given beyond the other, which was not. */
        if (out->assumed_low[v]) out->low[v] = fmin(out->low[v], out->high[v] - log(beyond));
        if (out->assumed_high[v]) out->high[v] = fmax(out->high[v], out->low[v] + log(beyond));
    }
}

/* ---- coordinates ---- */

void likelihood_x(const likelihood *l, const double *y, double *x) {
    for (int v = 0; v < l->count; v++) x[v] = l->linear[v] ? log(fmax(y[v], 1e-300)) : y[v];
}

void likelihood_y(const likelihood *l, const double *x, double *y) {
    for (int v = 0; v < l->count; v++) y[v] = fmax(l->low[v], fmin(l->high[v], l->linear[v] ? exp(x[v]) : x[v]));
}

/* ---- density ---- */

double likelihood_log(const likelihood *l, const double *y) {
    const fit_data *d = l->problem->data;
    double x[PARAMETERS_MOST], over = (double)(2 * d->n) / d->size, sum = 0;
    likelihood_x(l, y, x);
    double squares = fit_sum(l->problem, x), scale = STUDENT_SCALE * l->noise;
    if (!l->robust) return -0.5 * squares / (l->noise * l->noise);
    const double *r = l->problem->scratch; /* the residuals, divided by the root of `over` */
    for (int64_t i = 0; i < 2 * d->n; i++) sum += log1p(r[i] * r[i] / (over * STUDENT_FREEDOM * scale * scale));
    return -0.5 * (STUDENT_FREEDOM + 1) * sum;
}

double likelihood_density(const void *of, const double *y) {
    const likelihood *l = of;
    double drop = l->best - likelihood_log(l, y);
    if (isinf(l->dof)) return -drop;
    return -0.5 * (l->dof + l->count) * log1p(2 * fmax(drop / l->dof, -0.25));
}

void likelihood_precision(const likelihood *l, const double *y, double *jacobian, double *precision) {
    const fit_data *d = l->problem->data;
    int n = l->count;
    int64_t rows = 2 * d->n;
    double x[PARAMETERS_MOST] = { 0 }, unit = d->size / (double)rows / (l->noise * l->noise);
    likelihood_x(l, y, x);
    fit_jacobian(l->problem, x, jacobian);
    for (int a = 0; a < n; a++)
        for (int b = 0; b <= a; b++) {
            double sum = 0, width = l->high[a] - l->low[a];
            for (int64_t i = 0; i < rows; i++) sum += jacobian[a * rows + i] * jacobian[b * rows + i];
            sum *= unit / ((l->linear[a] ? fmax(y[a], 1e-300) : 1) * (l->linear[b] ? fmax(y[b], 1e-300) : 1));
            if (a == b) sum += 12 / (width * width); /* the variance of the uniform prior */
            precision[a * n + b] = precision[b * n + a] = sum;
        }
}
