/* Least squares of several spectra at once, of which some parameters are the same. Where it begins follows from each
 * spectrum's own fit: what is shared as one of them has it, and of each other what then fits best. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "telling.h"

static const double worth = 1e-6; /* of the sum: an order of arcs that fits better by less is no better */

typedef struct joint {
    const equivalent *e;
    const eis_spectrum *s;
    int count;
    bool shared[PARAMETERS_MOST];
    fit_data *data;
    fit_problem *one, all; /* each spectrum alone; together */
    fit_minimum *alone;
} joint;

static tide_status out_of_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
}

/* ---- problems ---- */

static tide_status make_each(joint *j, const eis_fit_options *o, tide_failure *failure) {
    j->data = calloc((size_t)j->count, sizeof *j->data);
    j->one = calloc((size_t)j->count, sizeof *j->one);
    j->alone = calloc((size_t)j->count, sizeof *j->alone);
    tide_status status = j->data && j->one && j->alone ? TIDE_OK : out_of_memory(failure);
    for (int i = 0; status == TIDE_OK && i < j->count; i++) {
        status = fit_enough_points(j->e, &j->s[i], failure);
        if (status == TIDE_OK) status = fit_data_new(&j->s[i], o->weights, &j->data[i], failure);
        if (status == TIDE_OK && !fit_problem_new(j->e, &j->data[i], &j->one[i])) status = out_of_memory(failure);
    }
    return status;
}

static tide_status make_all(joint *j, const double *noise, tide_failure *failure) {
    long long variables = fit_joined_variables(j->e, j->count, j->shared);
    double points = 0, sum = 0;
    if (variables > VARIABLES_MOST)
        return fail_at(failure, TIDE_EINVAL, NULL, 0, "same",
                       "`same`: %d spectra have %lld free parameters together, and a fit has at most %d: name more "
                       "that are the same, or give fewer spectra",
                       j->count, variables, VARIABLES_MOST);
    if (!fit_problem_join(j->e, j->data, j->count, j->shared, &j->all)) return out_of_memory(failure);
    for (int i = 0; i < j->count; i++) {
        sum += (double)j->data[i].n * fit_noise_variance(&j->data[i], &j->s[i], noise[i]);
        points += (double)j->data[i].n;
    }
    j->all.variance = sum / points;
    return TIDE_OK;
}

/* It is of one bath, which all spectra are then of. */
static void share_blank(joint *j, const blank *b) {
    int at[BLANK_MOST];
    if (b->count) blank_parameters(b, j->e, at);
    for (int i = 0; i < b->count; i++) j->shared[at[i]] = true;
}

static void free_all(joint *j) {
    for (int i = 0; j->one && i < j->count; i++) fit_problem_free(&j->one[i]);
    for (int i = 0; j->data && i < j->count; i++) fit_data_free(&j->data[i]);
    fit_problem_free(&j->all);
    free(j->data), free(j->one), free(j->alone);
}

/* ---- starts ---- */

static tide_status fit_each_alone(joint *j, listening *l, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; status == TIDE_OK && i < j->count; i++) {
        fit_minima minima;
        status = fit_search(&j->one[i], NULL, fit_stopped, l, &minima, failure);
        if (status == TIDE_OK) j->alone[i] = minima.of[0];
    }
    return status;
}

/* Spectrum i with the shared parameters held at x, in the order of arcs that fits better: into x. */
static tide_status settle(joint *j, int i, double *x, tide_failure *failure) {
    fit_problem *p = &j->one[i];
    double own[2][VARIABLES_MOST], sum[2] = { INFINITY, INFINITY };
    tide_status status = TIDE_OK;
    for (int order = 0; status == TIDE_OK && order < 2; order++) {
        memcpy(own[order], j->alone[i].x, sizeof own[order]);
        if (order && !fit_exchange(p, own[order])) break;
        for (int v = 0; v < p->variables; v++) {
            p->held[v] = j->shared[p->of[v]];
            own[order][v] = fit_coordinate(p, v, exp(p->held[v] ? x[v] : own[order][v]));
        }
        status = fit_descend(p, own[order], &sum[order], failure);
    }
    memcpy(x, own[sum[1] < sum[0] * (1 - worth)], sizeof own[0]);
    return status;
}

static tide_status begin_at(joint *j, int from, bool exchanged, double *x, tide_failure *failure) {
    double first[VARIABLES_MOST], own[VARIABLES_MOST];
    tide_status status = TIDE_OK;
    memcpy(first, j->alone[from].x, sizeof first);
    if (exchanged) fit_exchange(&j->one[from], first);
    for (int i = 0; status == TIDE_OK && i < j->count; i++) {
        memcpy(own, first, sizeof own);
        if (i != from) status = settle(j, i, own, failure);
        for (int v = 0; v < j->one[i].variables; v++) {
            int w = j->all.variable[i * PARAMETERS_MOST + j->one[i].of[v]];
            x[w] = fit_coordinate(&j->all, w, exp(own[v]));
        }
    }
    return status;
}

/* Both orders of arcs that are alike, unless what is shared and known leaves them alike. */
static tide_status find_starts(joint *j, fit_start *start, int *count, tide_failure *failure) {
    double room[VARIABLES_MOST] = { 0 };
    int from = MIN2(j->count, STARTS_MOST / 2);
    int orders = !fit_exchange(&j->all, room) && fit_exchange(&j->one[0], room) ? 2 : 1;
    tide_status status = TIDE_OK;
    for (int i = 0; i < from * orders && status == TIDE_OK; i++)
        status = begin_at(j, i / orders * j->count / from, i % orders, start[(*count)++].x, failure);
    return status;
}

static tide_status search(joint *j, listening *l, fit_minima *out, tide_failure *failure) {
    fit_start start[STARTS_MOST];
    int count = 0;
    tide_status status = fit_each_alone(j, l, failure);
    if (status == TIDE_OK) status = find_starts(j, start, &count, failure);
    return status == TIDE_OK ? fit_search_from(&j->all, NULL, start, count, fit_stopped, l, out, failure) : status;
}

/* ---- all ---- */

/* 0: not the same. */
static double area_of_all(const joint *j) {
    for (int i = 1; i < j->count; i++)
        if (j->s[i].area_cm2 != j->s[0].area_cm2) return 0;
    return j->s[0].area_cm2;
}

static tide_status fit_together(joint *j, const eis_fit_options *o, const blank *b, listening *l, eis_fitted *out,
                                tide_failure *failure) {
    fit_names names = { j->e, j->count, j->shared };
    priors known;
    fit_minima minima;
    telling t = { .f = out, .p = &j->all, .names = names, .priors = &known, .blank = b, .spectrum = j->s };
    tide_status status = fit_priors_read(&names, o->prior, &known, failure);
    if (status == TIDE_OK) status = fit_priors_add(&j->all, &names, &known, failure);
    if (status == TIDE_OK) status = blank_add(b, &j->all, failure);
    if (status == TIDE_OK) status = search(j, l, &minima, failure);
    t.minima = &minima;
    return status == TIDE_OK ? telling_conclude(&t, j->data, o, failure) : status;
}

tide_status fit_joint(const equivalent *e, const eis_fit_options *o, const blank *b, int count, const eis_spectrum *s,
                      const double *noise, listening *l, eis_fitted *out, tide_failure *failure) {
    joint j = { .e = e, .s = s, .count = count };
    *out = (eis_fitted){ .weights = (eis_weights)o->weights, .area_cm2 = area_of_all(&j) };
    tide_status status = equivalent_same(e, o->same, j.shared, failure);
    share_blank(&j, b);
    if (status == TIDE_OK) status = make_each(&j, o, failure);
    if (status == TIDE_OK) status = make_all(&j, noise, failure);
    if (status == TIDE_OK) status = fit_together(&j, o, b, l, out, failure);
    free_all(&j);
    return status;
}
