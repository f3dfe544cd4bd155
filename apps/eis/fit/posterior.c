/* Draws of the posterior: independent ones where Laplace's approximations at the minima are near it, else those of
 * tempered sequential Monte Carlo, in two chains that know nothing of each other. */
#include "posterior.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "likelihood.h"
#include "modes.h"
#include "tempered.h"

enum { DRAWS = 4000, DRAWS_MOST = 24000, ENOUGH = 3000, TOO_FEW = 200 };
static const double fair_share = 0.2; /* of the draws, that independent ones must be worth: else the approximation says
                                         too little of the posterior's shape */
static const double negligible = 25; /* of ln of a weight, below the largest */

typedef struct sampling {
    const posterior_question *q;
    fit_data data;
    fit_problem problem;
    likelihood l;
    mixture m;
    target t;
    sampled *draw;
    int64_t count;
    double effective;
    const char *method;
} sampling;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior of a fit");
}

static tide_status were_stopped(tide_failure *failure) { return fail(failure, TIDE_ECANCELLED, "stopped"); }

/* ---- independent draws ---- */

/* Alike arcs that stand the other way round are another draw's mirror image. */
static bool in_order(const sampling *s, const double *y) {
    double x[PARAMETERS_MOST], ordered[PARAMETERS_MOST];
    likelihood_x(&s->l, y, x);
    memcpy(ordered, x, sizeof x);
    fit_order(&s->problem, ordered);
    return memcmp(ordered, x, (size_t)s->l.count * sizeof *x) == 0;
}

/* Logarithms to weights that sum to 1, and what the draws are worth. */
static void weigh(sampling *s) {
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < s->count; i++) most = fmax(most, s->draw[i].weight);
    for (int64_t i = 0; i < s->count; i++) {
        double log_weight = s->draw[i].weight - most;
        bool counts = log_weight > -negligible && in_order(s, s->draw[i].y);
        s->draw[i].weight = counts ? exp(log_weight) : 0;
        sum += s->draw[i].weight, squares += s->draw[i].weight * s->draw[i].weight;
    }
    for (int64_t i = 0; sum > 0 && i < s->count; i++) s->draw[i].weight /= sum;
    s->effective = sum > 0 ? sum * sum / squares : 0;
}

static bool make_room(sampling *s, int64_t count) {
    free(s->draw);
    s->count = count;
    s->draw = malloc((size_t)count * sizeof *s->draw);
    return s->draw != NULL;
}

static tide_status draw_independent(sampling *s, int64_t count, tide_failure *failure) {
    if (!make_room(s, count)) return out_of_memory(failure);
    for (uint32_t half = 0; half < 2; half++) {
        rng r = { .seed = (uint64_t)s->q->o->seed, .stream = STREAM_POSTERIOR + half };
        if (!mixture_sample(&s->m, &s->t, count / 2, &r, s->draw + half * (count / 2))) return were_stopped(failure);
    }
    weigh(s);
    s->method = "importance";
    return TIDE_OK;
}

/* ---- tempered ones ---- */

static void put_in_order(sampling *s) {
    for (int64_t i = 0; i < s->count; i++) {
        double x[PARAMETERS_MOST];
        likelihood_x(&s->l, s->draw[i].y, x);
        fit_order(&s->problem, x);
        likelihood_y(&s->l, x, s->draw[i].y);
        s->draw[i].weight = 1 / (double)s->count;
    }
}

static tide_status draw_tempered(sampling *s, tide_failure *failure) {
    if (!make_room(s, DRAWS)) return out_of_memory(failure);
    s->effective = 0;
    for (uint32_t half = 0; half < 2; half++) {
        rng r = { .seed = (uint64_t)s->q->o->seed, .stream = STREAM_POSTERIOR + half };
        tempered_account account = tempered_sample(&s->t, &s->m, DRAWS / 2, &r, s->draw + half * (DRAWS / 2));
        if (account.failed) return out_of_memory(failure);
        if (account.stopped) return were_stopped(failure);
        s->effective += account.effective;
    }
    put_in_order(s);
    s->method = "tempered";
    return TIDE_OK;
}

static tide_status draw_all(sampling *s, tide_failure *failure) {
    if (!s->m.components)
        return fail(failure, TIDE_EDATA, "the posterior could not be sampled: no minimum is within the ranges");
    tide_status status = draw_independent(s, DRAWS, failure);
    if (status == TIDE_OK && s->effective < fair_share * DRAWS) status = draw_tempered(s, failure);
    else if (status == TIDE_OK && s->effective < ENOUGH) {
        int64_t count = (int64_t)(1.2 * ENOUGH / s->effective * DRAWS) / 2 * 2;
        status = draw_independent(s, MIN2(count, DRAWS_MOST), failure);
    }
    if (status != TIDE_OK || s->effective >= TOO_FEW) return status;
    return fail(failure, TIDE_EDATA,
                "the posterior could not be sampled: %" PRId64
                " draws are worth %.0f; `range` with narrower ranges, or `fix`, may help",
                s->count, s->effective);
}

/* ---- all ---- */

bool posterior_draws_new(const fit_problem *p, int64_t count, posterior_draws *out) {
    double x[PARAMETERS_MOST] = { 0 }, some[FIT_QUANTITIES];
    int quantities = fit_quantity_values(p, x, some);
    *out = (posterior_draws){ .quantities = quantities, .marginals = quantities + p->variables, .count = count };
    memcpy(out->parameter, p->of, sizeof out->parameter);
    out->value = malloc((size_t)(count * out->marginals + 1) * sizeof *out->value);
    out->weight = malloc((size_t)(count + 1) * sizeof *out->weight);
    if (out->value && out->weight) return true;
    posterior_draws_free(out);
    return false;
}

void posterior_draws_free(posterior_draws *d) {
    free(d->value), free(d->weight);
    *d = (posterior_draws){ 0 };
}

/* A coordinate's ends as values, of a negative parameter the other way round. */
static void put_range(const likelihood *l, int v, posterior_draws *out) {
    bool negative = l->problem->e->parameter[l->problem->of[v]].low < 0;
    double low = l->linear[v] ? l->low[v] : exp(l->low[v]), high = l->linear[v] ? l->high[v] : exp(l->high[v]);
    out->low[v] = negative ? -high : low, out->high[v] = negative ? -low : high;
    out->assumed_low[v] = negative ? l->assumed_high[v] : l->assumed_low[v];
    out->assumed_high[v] = negative ? l->assumed_low[v] : l->assumed_high[v];
}

static tide_status put_draws(const sampling *s, posterior_draws *out, tide_failure *failure) {
    if (!posterior_draws_new(&s->problem, s->count, out)) return out_of_memory(failure);
    for (int64_t i = 0; i < s->count; i++) {
        double x[PARAMETERS_MOST], values[PARAMETERS_MOST], quantity[FIT_QUANTITIES];
        double *row = out->value + i * out->marginals;
        likelihood_x(&s->l, s->draw[i].y, x);
        fit_values(&s->problem, x, values);
        fit_quantity_values(&s->problem, x, quantity);
        memcpy(row, quantity, (size_t)out->quantities * sizeof *row);
        for (int v = 0; v < s->l.count; v++) row[out->quantities + v] = values[s->problem.of[v]];
        out->weight[i] = s->draw[i].weight;
    }
    for (int v = 0; v < s->l.count; v++) put_range(&s->l, v, out);
    out->method = s->method, out->effective = s->effective;
    out->noise = s->q->f->noise * s->q->widening, out->noise_dof = s->q->f->noise_dof;
    return TIDE_OK;
}

static void put_likelihood(sampling *s) {
    const posterior_question *q = s->q;
    likelihood_new(&s->problem, &s->l);
    s->l.robust = q->o->robust;
    s->l.noise = (q->s->sigma ? 1 : q->f->noise) * q->widening;
    s->l.dof = q->s->sigma ? INFINITY : q->f->noise_dof;
    s->m.count = s->l.count;
    s->t = (target){ s->l.count, s->l.low, s->l.high, likelihood_density, &s->l, q->stop };
}

static tide_status sample(sampling *s, posterior_draws *out, tide_failure *failure) {
    const posterior_question *q = s->q;
    int weights = q->s->sigma ? EIS_WEIGHTS_STATISTICAL : EIS_WEIGHTS_MODULUS;
    tide_status status = fit_data_new(q->s, weights, &s->data, failure);
    if (status == TIDE_OK && !fit_problem_new(q->e, &s->data, &s->problem)) status = out_of_memory(failure);
    if (status != TIDE_OK) return status;
    put_likelihood(s);
    status = modes_find(&s->l, &s->data, q->f, &s->m, failure);
    if (status == TIDE_OK) status = draw_all(s, failure);
    return status == TIDE_OK ? put_draws(s, out, failure) : status;
}

tide_status posterior_of_any(const posterior_question *q, posterior_draws *out, tide_failure *failure) {
    sampling *s = calloc(1, sizeof *s); /* the mixture is large */
    *out = (posterior_draws){ 0 };
    if (!s) return out_of_memory(failure);
    s->q = q;
    tide_status status = sample(s, out, failure);
    free(s->draw);
    fit_problem_free(&s->problem);
    fit_data_free(&s->data);
    free(s);
    return status;
}
