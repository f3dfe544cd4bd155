/* The blank's parameters in a circuit: normal in their logarithms, with the covariance of its own fit. */
#include "blank.h"

#include <math.h>

#include "base/base.h"

tide_status blank_attach(const blank *b, equivalent *e, tide_failure *failure) {
    for (int i = 0; i < b->circuit.parts; i++) {
        const circuit_part *own = &b->circuit.part[i];
        int part, there = equivalent_in_series(e, own->kind, &part);
        if (there > 1)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "blank",
                           "`blank`: the circuit has %d elements %s in series with the rest, and one of them alone can "
                           "be the blank's",
                           there, own->kind->symbol);
        if (!there && !equivalent_append(e, own->kind, own->name))
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "blank", "`blank`: the circuit has no room for its elements");
    }
    return TIDE_OK;
}

void blank_parameters(const blank *b, const equivalent *e, int at[BLANK_MOST]) {
    for (int i = 0; i < b->circuit.parts; i++) {
        const circuit_part *own = &b->circuit.part[i];
        int part = 0;
        equivalent_in_series(e, own->kind, &part);
        for (int s = 0; s < own->kind->slots; s++) at[own->first + s] = e->part[part].first + s;
    }
}

/* The lower triangle L of covariance = L L'; over it, its inverse. */
static void invert_root(const double *covariance, int n, double *out) {
    double l[BLANK_MOST * BLANK_MOST] = { 0 };
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = covariance[i * n + j];
            for (int k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
            l[i * n + j] = i == j ? sqrt(fmax(sum, 1e-18)) : sum / l[j * n + j];
        }
    for (int c = 0; c < n; c++)
        for (int i = 0; i < n; i++) {
            double sum = i == c;
            for (int k = c; k < i; k++) sum -= l[i * n + k] * out[k * n + c];
            out[i * n + c] = i < c ? 0 : sum / l[i * n + i];
        }
}

tide_status blank_add(const blank *b, fit_problem *p, tide_failure *failure) {
    int at[BLANK_MOST] = { 0 }, n = b->count;
    double root[BLANK_MOST * BLANK_MOST];
    char name[PARAMETER_NAME];
    if (!n) return TIDE_OK;
    blank_parameters(b, p->e, at);
    invert_root(b->covariance, n, root);
    for (int i = 0; i < n; i++) {
        fit_prior q = { .factor = 1, .deviation = 1, .logarithm = true };
        parameter_name(p->e, at[i], name);
        if (p->variable[at[i]] < 0)
            return fail_at(failure, TIDE_EINVAL, NULL, 0, "blank", "`blank`: %s is fixed, and the blank tells it",
                           name);
        for (int j = 0; j <= i; j++) {
            q.variable[q.terms] = p->variable[at[j]], q.power[q.terms++] = root[i * n + j];
            q.value += root[i * n + j] * log(b->value[j]);
        }
        p->prior[p->priors++] = q, p->rows++;
    }
    return TIDE_OK;
}
