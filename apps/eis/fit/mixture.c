#include "mixture.h"

#include <string.h>

#include "eis/posterior/precision.h"

enum { FREEDOM = 5 }; /* of the t distributions */
static const double broad = 1.2; /* their scale over that of the approximation */
static const double nowhere = 1e5; /* a distance at which there is nothing of a component */
static const double alike = 0.25; /* share of the components' shares that is the same for all */

void mixture_add(mixture *m, const double *mean, const double *precision, double log_density) {
    if (m->components == MIXTURE_MOST || !isfinite(log_density)) return;
    laplace *c = &m->of[m->components++];
    memcpy(c->mean, mean, (size_t)m->count * sizeof *mean);
    double half = precision_root(precision, m->count, c->root);
    for (int i = 0; i < m->count * m->count; i++) c->root[i] /= broad;
    c->log_size = half, c->share = log_density - half;
}

void mixture_share(mixture *m) {
    double most = -INFINITY, sum = 0;
    for (int k = 0; k < m->components; k++) most = fmax(most, m->of[k].share);
    for (int k = 0; k < m->components; k++) sum += m->of[k].share = exp(m->of[k].share - most);
    for (int k = 0; k < m->components; k++) m->of[k].share = (1 - alike) * m->of[k].share / sum + alike / m->components;
}

/* |root' (y - mean)|^2, or that it is more than `nowhere`. */
static double distance(const laplace *c, int n, const double *y) {
    double sum = 0;
    for (int i = n; i-- > 0 && sum < nowhere;) {
        double z = 0;
        for (int j = i; j < n; j++) z += c->root[j * n + i] * (y[j] - c->mean[j]);
        sum += z * z;
    }
    return sum;
}

double mixture_log(const mixture *m, const double *y) {
    double value[MIXTURE_MOST], most = -INFINITY, sum = 0;
    for (int k = 0; k < m->components; k++) {
        const laplace *c = &m->of[k];
        value[k] = log(c->share) + c->log_size - 0.5 * (FREEDOM + m->count) * log1p(distance(c, m->count, y) / FREEDOM);
        most = fmax(most, value[k]);
    }
    for (int k = 0; k < m->components; k++) sum += exp(value[k] - most);
    return most + log(sum);
}

void mixture_draw(const mixture *m, rng *r, double *y) {
    int n = m->count, k = 0;
    double at = rng_unit(r), chi2 = 0, z[PARAMETERS_MOST];
    for (; k < m->components - 1 && at > m->of[k].share; k++) at -= m->of[k].share;
    const laplace *c = &m->of[k];
    for (int i = 0; i < FREEDOM; i++) {
        double x = rng_normal(r);
        chi2 += x * x;
    }
    for (int i = 0; i < n; i++) z[i] = rng_normal(r);
    for (int i = n; i-- > 0;) {
        for (int j = i + 1; j < n; j++) z[i] -= c->root[j * n + i] * z[j];
        z[i] /= c->root[i * n + i];
    }
    for (int i = 0; i < n; i++) y[i] = c->mean[i] + sqrt(FREEDOM / chi2) * z[i];
}

bool mixture_sample(const mixture *m, const target *t, int64_t count, rng *r, sampled *out) {
    for (int64_t i = 0; i < count; i++) {
        if (i % 64 == 0 && stopped(t->stop)) return false;
        mixture_draw(m, r, out[i].y);
        out[i].log_density = target_at(t, out[i].y);
        out[i].weight = isfinite(out[i].log_density) ? out[i].log_density - mixture_log(m, out[i].y) : -INFINITY;
    }
    return true;
}
