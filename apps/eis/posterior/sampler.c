/* Sequential Monte Carlo (Del Moral, Doucet and Jasra 2006) from a mixture of normal approximations, one at each
 * centre, to the density. When the mixture is good that is one importance-weighting. Between the steps each particle
 * makes Metropolis moves: steps shaped by the Fisher information where it stands, fresh draws of the mixture, and, with
 * every parameter missing, slides along the fibre, where the likelihood is exactly constant and a step in coordinates
 * would leave it. */
#include "sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "precision.h"

enum { M = FREE_MOST, SWEEPS_BETWEEN = 4, SWEEPS_LAST = 16, MOST_STAGES = 40 };
static const double broadening = 1.4, uniform_share = 0.03, scale_start = 1.0;

typedef struct normal { double mean[M], root[M * M], log_norm; } normal;  /* precision = root root' */

typedef struct particle { double x[M], log_p, log_q, root[M * M], log_det; } particle;

typedef struct sampler {
    const density *d;
    normal  *component;
    double  *share;            /* cumulative */
    int64_t  components;
    double   log_uniform;
    particle *now, *next;
    double  *weight;
    int64_t  count;
    double   temper, scale;    /* target: p^temper q^(1 - temper) */
    rng     *r;
} sampler;

/* x += scale root'^-1 noise: normal with that precision. */
static void step(const double *root, int n, double scale, rng *r, double *x) {
    double z[M];
    for (int i = 0; i < n; i++) z[i] = rng_normal(r);
    for (int i = n; i-- > 0;) {
        for (int j = i + 1; j < n; j++) z[i] -= root[j * n + i] * z[j];
        z[i] /= root[i * n + i];
    }
    for (int i = 0; i < n; i++) x[i] += scale * z[i];
}

/* |root' (x - y)|^2 */
static double distance(const double *root, int n, const double *x, const double *y) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double z = 0;
        for (int j = i; j < n; j++) z += root[j * n + i] * (x[j] - y[j]);
        sum += z * z;
    }
    return sum;
}

/* ---- the mixture ---- */

static double log_mixture(const sampler *s, const double *x) {
    double most = s->log_uniform, sum = 0, value[s->components + 1];
    for (int64_t k = 0; k < s->components; k++) {
        const normal *c = &s->component[k];
        value[k] = c->log_norm - 0.5 * distance(c->root, s->d->free_count, x, c->mean);
        most     = fmax(most, value[k]);
    }
    value[s->components] = s->log_uniform;
    for (int64_t k = 0; k <= s->components; k++)
        if (value[k] > most - 40) sum += exp(value[k] - most);
    return most + log(sum);
}

static void draw_mixture(const sampler *s, double *x) {
    const density *d = s->d;
    double  u = rng_unit(s->r);
    int64_t k = 0;
    if (u < uniform_share) {
        for (int i = 0; i < d->free_count; i++) x[i] = d->low[i] + (d->high[i] - d->low[i]) * rng_unit(s->r);
        return;
    }
    for (u = (u - uniform_share) / (1 - uniform_share); k < s->components - 1 && s->share[k] < u;) k++;
    memcpy(x, s->component[k].mean, sizeof s->component[k].mean);
    step(s->component[k].root, d->free_count, 1, s->r, x);
}

/* Shares by the evidence of each normal approximation, a quarter of them equal: an approximation may be poor. */
static void set_shares(sampler *s, const double *evidence) {
    double most = -INFINITY, sum = 0, all = 0;
    for (int64_t k = 0; k < s->components; k++) most = fmax(most, evidence[k]);
    for (int64_t k = 0; k < s->components; k++) sum += exp(evidence[k] - most);
    for (int64_t k = 0; k < s->components; k++) {
        double share = 0.75 * exp(evidence[k] - most) / sum + 0.25 / (double)s->components;
        s->component[k].log_norm += log((1 - uniform_share) * share) - 0.5 * log(6.283185307179586) * s->d->free_count;
        s->share[k] = all += share;
    }
}

static bool is_new(const sampler *s, const double *x) {
    for (int64_t k = 0; k < s->components; k++)
        if (distance(s->component[k].root, s->d->free_count, x, s->component[k].mean) < 0.1) return false;
    return true;
}

static void make_mixture(sampler *s, const double *centre, int64_t centres) {
    int     n = s->d->free_count;
    double  precision[M * M], *evidence = s->weight; /* as long as the particles, and not needed yet */
    s->log_uniform = log(uniform_share);
    for (int i = 0; i < n; i++) s->log_uniform -= log(s->d->high[i] - s->d->low[i]);
    for (int64_t i = 0; i < centres; i++) {
        normal c = { .log_norm = 0 };
        for (int k = 0; k < n; k++) c.mean[k] = fmin(fmax(centre[i * n + k], s->d->low[k]), s->d->high[k]);
        if (!is_new(s, c.mean)) continue;
        double log_p = density_at(s->d, c.mean, precision), half = precision_root(precision, n, c.root);
        double misfit = density_misfit(s->d, c.mean) / (s->d->noise * s->d->noise);
        for (int k = 0; k < n * n; k++) c.root[k] /= broadening;
        c.log_norm = half - n * log(broadening);
        evidence[s->components]       = (isfinite(log_p) ? log_p : -0.5 * misfit) - half;
        s->component[s->components++] = c;
    }
    if (s->components) set_shares(s, evidence);
}

/* ---- moves ---- */

static double target(const sampler *s, double log_p, double log_q) {
    if (!isfinite(log_p)) return -INFINITY;
    return s->temper < 1 ? s->temper * log_p + (1 - s->temper) * log_q : log_p;
}

static void settle(const sampler *s, particle *p) {
    double precision[M * M];
    p->log_p   = density_at(s->d, p->x, precision);
    p->log_det = isfinite(p->log_p) ? precision_root(precision, s->d->free_count, p->root) : 0;
    p->log_q   = log_mixture(s, p->x);
}

static bool accept(sampler *s, particle *now, const particle *candidate, double log_correction) {
    double gain = target(s, candidate->log_p, candidate->log_q) - target(s, now->log_p, now->log_q) + log_correction;
    if (!isfinite(candidate->log_p) || log(rng_unit(s->r)) >= gain) return false;
    *now = *candidate;
    return true;
}

static bool move_locally(sampler *s, particle *p) {
    int      n = s->d->free_count;
    particle c = *p;
    step(p->root, n, s->scale, s->r, c.x);
    settle(s, &c);
    if (!isfinite(c.log_p)) return false;
    double over = 0.5 / (s->scale * s->scale);
    double there = p->log_det - over * distance(p->root, n, c.x, p->x),
           back = c.log_det - over * distance(c.root, n, p->x, c.x);
    return accept(s, p, &c, back - there);
}

static void move_afar(sampler *s, particle *p) {
    particle c = *p;
    draw_mixture(s, c.x);
    settle(s, &c);
    accept(s, p, &c, p->log_q - c.log_q);
}

/* |d(R0, n1, d1, d2) / d(ln Ra, ln Rb, ln Ca, ln Cb)| at fixed Rsh: along the fibre the density of the coordinates over
 * that of (invariants, ln Rsh) is its inverse. */
static double log_volume(const double *p) {
    double rsh = p[EIS_RSH], ra = p[EIS_RA], rb = p[EIS_RB], ca = p[EIS_CA], cb = p[EIS_CB], r = ra + rb, u = rsh + r;
    eis_invariants q = eis_invariants_of(p);
    double za = ra * rb * ca, zb = ra * rb * cb, ta = rsh * ra * ca, tb = rsh * rb * cb, log_volume = 0;
    double m[4][4] = { { rsh * rsh * ra / (u * u), rsh * rsh * rb / (u * u), 0, 0 },
                       { q.n1_s * rb / r, q.n1_s * ra / r, za / r, zb / r },
                       { (ta + za + zb) / u - q.d1_s * ra / u, (tb + za + zb) / u - q.d1_s * rb / u, (ta + za) / u,
                         (tb + zb) / u },
                       { q.d2_s2 * (1 - ra / u), q.d2_s2 * (1 - rb / u), q.d2_s2, q.d2_s2 } };
    const double unit[4] = { q.r0_ohm, q.n1_s, q.d1_s, q.d2_s2 };
    for (int i = 0; i < 4; i++) {
        int pivot = i;
        for (int k = i; k < 4; k++)
            if (fabs(m[k][i] / unit[k]) > fabs(m[pivot][i] / unit[pivot])) pivot = k;
        for (int j = 0; j < 4; j++) {
            double swapped = m[i][j];
            m[i][j] = m[pivot][j], m[pivot][j] = swapped;
        }
        log_volume += log(fabs(m[i][i]));
        for (int k = i + 1; k < 4; k++)
            for (int j = 3; j >= i; j--) m[k][j] -= m[k][i] / m[i][i] * m[i][j];
    }
    return log_volume;
}

static void slide(sampler *s, particle *p) {
    double before[EIS_WITH_RS], after[EIS_WITH_RS];
    particle c = *p;
    density_parameters(s->d, p->x, before);
    eis_invariants q = eis_invariants_of(before);
    double rsh = exp(s->d->low[0] + (s->d->high[0] - s->d->low[0]) * rng_unit(s->r));
    if (rsh <= q.r0_ohm * (1 + 1e-9) || !eis_fibre(&q, q.r0_ohm / (rsh - q.r0_ohm), after)) return;
    if (before[EIS_RA] * before[EIS_CA] < before[EIS_RB] * before[EIS_CB]) eis_swap(after, after);
    after[EIS_RS] = before[EIS_RS];
    density_coordinates(s->d, after, c.x);
    settle(s, &c);
    accept(s, p, &c, log_volume(before) - log_volume(after));
}

static void sweep(sampler *s, int number) {
    bool    whole = s->d->circuit == EIS_SHUNT && s->d->free_count >= EIS_COUNT && s->d->free[EIS_CB] == EIS_CB;
    int64_t accepted = 0;
    for (int64_t i = 0; i < s->count; i++) {
        accepted += move_locally(s, &s->now[i]);
        if (number % 3 == 0) move_afar(s, &s->now[i]);
        if (whole) slide(s, &s->now[i]);
    }
    s->scale *= exp(1.5 * ((double)accepted / (double)s->count - 0.35)); /* towards the usual best rate */
}

/* ---- stages ---- */

static double effective(const sampler *s, double increase) {
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < s->count; i++) most = fmax(most, s->now[i].log_p - s->now[i].log_q);
    for (int64_t i = 0; i < s->count; i++) {
        double w = isfinite(s->now[i].log_p) ? exp(increase * (s->now[i].log_p - s->now[i].log_q - most)) : 0;
        s->weight[i] = w;
        sum += w;
        squares += w * w;
    }
    for (int64_t i = 0; i < s->count; i++) s->weight[i] /= sum;
    return sum * sum / squares;
}

/* The largest step that leaves a third of the particles effective; weights are left for it. */
static double next_increase(sampler *s, double left) {
    double low = 0, high = left;
    if (effective(s, left) >= (double)s->count / 3) return left;
    for (int i = 0; i < 30; i++) {
        double middle = (low + high) / 2;
        if (effective(s, middle) >= (double)s->count / 3) low = middle;
        else high = middle;
    }
    low = fmax(low, 1e-4);
    effective(s, low);
    return low;
}

static void resample(sampler *s) {
    double all = 0, u = rng_unit(s->r);
    for (int64_t i = 0, k = -1; i < s->count; i++) {
        while (k < s->count - 1 && all <= ((double)i + u) / (double)s->count) all += s->weight[++k];
        s->next[i] = s->now[k];
    }
    particle *spare = s->now;
    s->now  = s->next;
    s->next = spare;
}

static bool begin(sampler *s) {
    int64_t alive = 0;
    for (int64_t tries = 0; alive < s->count && tries < 50 * s->count; tries++) { /* the mixture, cut to the prior */
        draw_mixture(s, s->now[alive].x);
        settle(s, &s->now[alive]);
        alive += isfinite(s->now[alive].log_p);
    }
    for (int64_t i = alive; alive && i < s->count; i++) s->now[i] = s->now[i % alive];
    return alive > 0;
}

static bool run(sampler *s, const stopper *stop) {
    s->temper = 0;
    s->scale  = scale_start;
    for (int stage = 0; s->temper < 1 && stage < MOST_STAGES; stage++) {
        double left = 1 - s->temper,
               increase = stage == MOST_STAGES - 1 ? (effective(s, left), left) : next_increase(s, left);
        s->temper = increase >= left ? 1 : s->temper + increase;
        resample(s);
        for (int k = 0; k < (s->temper < 1 ? SWEEPS_BETWEEN : SWEEPS_LAST); k++) {
            if (stopped(stop)) return false;
            sweep(s, k);
        }
    }
    return true;
}

tide_status sample_density(const density *d, const double *centre, int64_t centres, int64_t count, rng *r,
                           const stopper *stop, draw *out) {
    sampler     s = { .d = d, .count = count, .r = r };
    tide_status status = TIDE_OK;
    s.component = malloc((size_t)(centres + 1) * sizeof *s.component);
    s.share     = malloc((size_t)(centres + 1) * sizeof *s.share);
    s.now       = malloc((size_t)count * sizeof *s.now);
    s.next      = malloc((size_t)count * sizeof *s.next);
    s.weight    = malloc((size_t)(count + centres) * sizeof *s.weight);
    if (!s.component || !s.share || !s.now || !s.next || !s.weight) status = TIDE_ENOMEM;
    if (status == TIDE_OK) {
        make_mixture(&s, centre, centres);
        if (!s.components || !begin(&s)) status = TIDE_EDATA;
    }
    if (status == TIDE_OK && !run(&s, stop)) status = TIDE_ECANCELLED;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        density_parameters(d, s.now[i].x, out[i].p);
        out[i].weight      = 1 / (double)count;
        out[i].log_density = s.now[i].log_p;
    }
    free(s.component), free(s.share), free(s.now), free(s.next), free(s.weight);
    return status;
}
