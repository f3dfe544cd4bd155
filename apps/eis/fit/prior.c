/* Names of one spectrum or of several, and what a prior says in the coordinates of the fit. */
#include "prior.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

/* ---- names ---- */

static bool is_shared(const fit_names *n, int parameter) { return n->shared && n->shared[parameter]; }

void fit_name(const fit_names *n, int spectrum, int parameter, char name[FIT_NAME]) {
    parameter_name(n->e, parameter, name);
    if (n->spectra > 1 && !is_shared(n, parameter))
        snprintf(name + strlen(name), FIT_NAME - strlen(name), "#%d", spectrum + 1);
}

/* The number at the end of a name of `length` letters, after # or not; where the name before it ends. 0: none. */
static int number_at_end(const char *name, size_t length, size_t *before) {
    size_t at = length;
    while (at && isdigit((unsigned char)name[at - 1])) at--;
    if (at == length || length - at > 6) return 0;
    *before = at && name[at - 1] == '#' ? at - 1 : at;
    return (int)strtol(name + at, NULL, 10);
}

static int find(const void *of, const char *name, size_t length) {
    const fit_names *n = of;
    int whole = parameter_find(n->e, name, length);
    size_t before = length;
    if (whole >= 0) return n->spectra == 1 || is_shared(n, whole) ? whole : PRIOR_AMBIGUOUS;
    int number = number_at_end(name, length, &before), k = number ? parameter_find(n->e, name, before) : -1;
    if (k < 0 || number > n->spectra) return -1;
    return is_shared(n, k) ? k : (number - 1) * PARAMETERS_MOST + k;
}

static bool read(const void *of, int parameter, const char *text, double *out) {
    const fit_names *n = of;
    return parameter_read(n->e, parameter % PARAMETERS_MOST, text, out);
}

tide_status fit_priors_read(const fit_names *n, const char *text, priors *out, tide_failure *failure) {
    char list[PARAMETER_LIST];
    parameter_list(n->e, list);
    prior_names names = { n, find, read, list };
    return priors_parse(text, &names, out, failure);
}

void fit_prior_name(const fit_names *n, const prior *of, char name[FIT_PRIOR_NAME]) {
    char below[FIT_NAME];
    fit_name(n, of->above / PARAMETERS_MOST, of->above % PARAMETERS_MOST, name);
    if (of->below < 0) return;
    fit_name(n, of->below / PARAMETERS_MOST, of->below % PARAMETERS_MOST, below);
    snprintf(name + strlen(name), FIT_PRIOR_NAME - strlen(name), "/%s", below);
}

/* ---- coordinates ---- */

static void add_term(fit_prior *q, int variable, double power) {
    for (int i = 0; i < q->terms; i++) {
        if (q->variable[i] != variable) continue;
        q->power[i] += power;
        if (q->power[i] == 0) q->variable[i] = q->variable[--q->terms], q->power[i] = q->power[q->terms];
        return;
    }
    q->variable[q->terms] = variable, q->power[q->terms++] = power;
}

/* Tied and fixed parameters are what they follow, and a number. */
static void add_parameter(const fit_problem *p, int id, double power, fit_prior *q) {
    int spectrum = id / PARAMETERS_MOST, k = id % PARAMETERS_MOST;
    const circuit_parameter *of = &p->e->parameter[k];
    if (of->tie >= 0) q->factor *= pow(of->factor, power), k = of->tie, of = &p->e->parameter[k];
    if (of->fixed) q->factor *= pow(of->value, power);
    else {
        q->factor *= of->low < 0 ? -1 : 1;
        add_term(q, p->variable[spectrum * PARAMETERS_MOST + k], power);
    }
}

tide_status fit_priors_add(fit_problem *p, const fit_names *n, const priors *from, tide_failure *failure) {
    char name[FIT_PRIOR_NAME];
    for (int i = 0; i < from->count; i++) {
        const prior *of = &from->of[i];
        fit_prior q = { .factor = 1, .value = of->value, .deviation = of->deviation };
        add_parameter(p, of->above, 1, &q);
        if (of->below >= 0) add_parameter(p, of->below, -1, &q);
        fit_prior_name(n, of, name);
        if (!q.terms)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "prior",
                           "`prior`: %s is fixed, and its value is %.6g: a prior says nothing more of it", name,
                           q.factor);
        if (of->value * q.factor < 0)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "prior", "`prior`: %s is %s, and cannot be %.6g", name,
                           q.factor > 0 ? "positive" : "negative", of->value);
        p->prior[p->priors++] = q, p->rows++;
    }
    return TIDE_OK;
}
