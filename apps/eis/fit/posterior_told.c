/* Draws to what is told of them: intervals, correlations, how far the two halves agree, which ranges cut. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "posterior.h"

static const double near_end = 0.03; /* of the range */
static const double disagree = 0.5; /* of an interval's width: the halves have not settled */
static const double share[3] = { 0.025, 0.5, 0.975 };

typedef struct telling {
    const posterior_draws *d;
    const posterior_question *q;
    arena *memory;
    eis_fit_posterior *out;
    eis_fit_marginal *marginal;
    const char **note;
} telling;

/* The circuit's parameter that a marginal is; NULL: a quantity. */
static const circuit_parameter *parameter_of(const telling *t, int k) {
    return k < t->d->quantities ? NULL : &t->q->e->parameter[t->d->parameter[k - t->d->quantities]];
}

static bool is_exponent(const telling *t, int k) {
    const circuit_parameter *p = parameter_of(t, k);
    return p && t->q->e->part[p->part].kind->slot[p->slot].role == ROLE_EXPONENT;
}

/* Intervals and correlations are of logarithms, of exponents themselves. */
static double coordinate(const telling *t, int k, double value) {
    return is_exponent(t, k) ? value : log(fmax(fabs(value), 1e-300));
}

/* ---- intervals ---- */

typedef struct weighted {
    double value, weight;
} weighted;

static int rising(const void *a, const void *b) {
    double x = ((const weighted *)a)->value, y = ((const weighted *)b)->value;
    return (x > y) - (x < y);
}

/* Low, median and high of a marginal by the draws [from, to). */
static void quantiles(const posterior_draws *d, int k, int64_t from, int64_t to, weighted *room, double out[3]) {
    double all = 0, sum = 0;
    for (int64_t i = from; i < to; i++) {
        room[i - from] = (weighted){ d->value[i * d->marginals + k], d->weight[i] };
        all += d->weight[i];
    }
    qsort(room, (size_t)(to - from), sizeof *room, rising);
    int at = 0;
    for (int64_t i = 0; i < to - from; i++)
        for (sum += room[i].weight / all; at < 3 && (sum >= share[at] || i == to - from - 1);)
            out[at++] = room[i].value;
}

static double apart(const telling *t, int k, double a, double b) {
    return fabs(coordinate(t, k, a) - coordinate(t, k, b));
}

/* The most by which the halves' ends and middles differ, over the narrower one's width; *which: of which marginal. */
static double disagreement(const telling *t, weighted *room, int *which) {
    const posterior_draws *d = t->d;
    double most = 0;
    *which = 0;
    for (int k = 0; k < d->marginals; k++) {
        double a[3], b[3], off = 0;
        quantiles(d, k, 0, d->count / 2, room, a);
        quantiles(d, k, d->count / 2, d->count, room, b);
        for (int i = 0; i < 3; i++) off = fmax(off, apart(t, k, a[i], b[i]));
        double width = fmin(apart(t, k, a[0], a[2]), apart(t, k, b[0], b[2]));
        off = width > 0 ? off / width : off > 0 ? INFINITY : 0;
        if (off > most) most = off, *which = k;
    }
    return most;
}

/* Which ends of its range the interval touches. */
static void put_limit(const telling *t, int k, eis_fit_marginal *m) {
    int v = k - t->d->quantities;
    if (v < 0) return;
    bool even = t->d->low[v] == 0; /* uniform from 0, which is no end that cuts */
    double from = even ? 0 : coordinate(t, k, t->d->low[v]),
           to = even ? t->d->high[v] : coordinate(t, k, t->d->high[v]), margin = near_end * fabs(to - from);
    bool low = !even && fabs(coordinate(t, k, m->of.low) - from) < margin,
         high = fabs((even ? m->of.high : coordinate(t, k, m->of.high)) - to) < margin;
    m->limit = low && high ? "both" : low ? "low" : high ? "high" : NULL;
    m->assumed = (low && t->d->assumed_low[v]) || (high && t->d->assumed_high[v]);
}

static void put_marginals(telling *t, weighted *room) {
    t->marginal = arena_new(t->memory, eis_fit_marginal, t->d->marginals);
    char name[PARAMETER_NAME];
    for (int k = 0; k < t->d->marginals; k++) {
        const circuit_parameter *p = parameter_of(t, k);
        eis_fit_marginal *m = &t->marginal[k];
        double of[3] = { NAN, NAN, NAN };
        quantiles(t->d, k, 0, t->d->count, room, of);
        if (p) parameter_name(t->q->e, t->d->parameter[k - t->d->quantities], name);
        m->name = p ? arena_printf(t->memory, "%s", name) : t->q->f->quantity[k].name;
        m->unit = p ? t->q->e->part[p->part].kind->slot[p->slot].unit : t->q->f->quantity[k].unit;
        m->of = (eis_interval){ of[0], of[1], of[2] };
        put_limit(t, k, m);
    }
    t->out->marginal = t->marginal;
}

/* ---- correlations ---- */

static double moment(const telling *t, int a, int b, double mean_a, double mean_b) {
    const posterior_draws *d = t->d;
    double sum = 0;
    for (int64_t i = 0; i < d->count; i++)
        sum += d->weight[i] * (coordinate(t, a, d->value[i * d->marginals + a]) - mean_a) *
               (b < 0 ? 1 : coordinate(t, b, d->value[i * d->marginals + b]) - mean_b);
    return sum;
}

static void put_correlation(telling *t) {
    int n = t->d->marginals;
    double *out = arena_new(t->memory, double, n *n), *mean = arena_new(t->memory, double, n);
    for (int a = 0; a < n; a++) mean[a] = moment(t, a, -1, 0, 0);
    for (int a = 0; a < n; a++)
        for (int b = 0; b <= a; b++) out[a * n + b] = moment(t, a, b, mean[a], mean[b]);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < a; b++)
            out[a * n + b] = out[b * n + a] = out[a * n + b] / sqrt(out[a * n + a] * out[b * n + b]);
    for (int a = 0; a < n; a++) out[a * n + a] = 1;
    t->out->correlation = out;
}

/* ---- notes ---- */

static void put_notes(telling *t) {
    t->note = arena_new(t->memory, const char *, t->d->marginals);
    for (int k = 0; k < t->d->marginals; k++) {
        const eis_fit_marginal *m = &t->marginal[k];
        int v = k - t->d->quantities;
        if (!m->limit) continue;
        t->note[t->out->notes++] =
            *m->limit == 'b' ? arena_printf(t->memory,
                                            "%s is anywhere from %.4g to %.4g %s: both ends are those of its range, "
                                            "not of what the spectrum allows",
                                            m->name, t->d->low[v], t->d->high[v], m->unit)
                             : arena_printf(t->memory,
                                            "the %s end of %s is that of its range, %.4g %s%s, not what the spectrum "
                                            "allows: `range` sets another",
                                            *m->limit == 'l' ? "lower" : "upper", m->name,
                                            *m->limit == 'l' ? t->d->low[v] : t->d->high[v], m->unit,
                                            m->assumed ? ", which is assumed" : "");
    }
    t->out->note = t->note;
}

/* ---- all ---- */

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior of a fit");
}

static void put_numbers(telling *t) {
    const posterior_draws *d = t->d;
    double *value = arena_new(t->memory, double, d->count * d->marginals),
           *weight = arena_new(t->memory, double, d->count);
    memcpy(value, d->value, (size_t)(d->count * d->marginals) * sizeof *value);
    memcpy(weight, d->weight, (size_t)d->count * sizeof *weight);
    *t->out = (eis_fit_posterior){ .method = d->method,
                                   .marginals = d->marginals,
                                   .quantities = d->quantities,
                                   .value = value,
                                   .weight = weight,
                                   .draws = d->count,
                                   .effective = d->effective,
                                   .noise = d->noise,
                                   .noise_dof = d->noise_dof };
}

static tide_status tell(telling *t, weighted *room, tide_failure *failure) {
    struct eis_fitted_parts *parts = t->q->f->parts;
    int worst;
    if (setjmp(parts->out_of_memory)) return out_of_memory(failure);
    t->memory = &parts->memory;
    t->out = arena_new(t->memory, eis_fit_posterior, 1);
    put_numbers(t);
    put_marginals(t, room);
    t->out->disagreement = disagreement(t, room, &worst);
    if (t->out->disagreement > disagree)
        return fail(failure, TIDE_EDATA,
                    "the posterior could not be sampled: two chains differ by %.2g of the width of the interval of %s; "
                    "`range` with narrower ranges, or `fix`, may help",
                    t->out->disagreement, t->marginal[worst].name);
    put_correlation(t);
    put_notes(t);
    return TIDE_OK;
}

tide_status fit_posterior(const posterior_question *q, eis_fitted *f, tide_failure *failure) {
    posterior_draws d = { 0 };
    telling t = { .d = &d, .q = q };
    if (f->free_parameters == 0 || !(f->noise > 0))
        return fail(failure, TIDE_EDATA,
                    f->noise > 0 ? "there is no posterior of a fit without free parameters"
                                 : "there is no posterior: the noise is not known");
    tide_status status = (posterior_is_lumped(q->e) ? posterior_of_lumped : posterior_of_any)(q, &d, failure);
    weighted *room = malloc((size_t)(d.count + 1) * sizeof *room);
    if (status == TIDE_OK && !room) status = out_of_memory(failure);
    if (status == TIDE_OK) status = tell(&t, room, failure);
    if (status == TIDE_OK) f->posterior = t.out;
    free(room);
    posterior_draws_free(&d);
    return status;
}
