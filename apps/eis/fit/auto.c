/* Nested circuits ranked by the Bayesian information criterion. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "fitted.h"

/* Each is a special case of one further down. */
static const char *const nested[] = {
    "R0",
    "R0-C1",
    "R0-CPE1",
    "R0-p(R1,C1)",
    "R0-p(R1,CPE1)",
    "R0-p(R1,C1)-CPE2",
    "R0-p(R1,CPE1)-CPE2",
    "R0-p(R1-W1,C1)",
    "R0-p(R1-W1,CPE1)",
    "R0-p(R1-Wo1,C1)",
    "R0-p(R1-Ws1,C1)",
    "R0-p(R1,C1)-p(R2,C2)",
    "R0-p(R1,CPE1)-p(R2,CPE2)",
    "R0-p(R1,C1)-p(R2,C2)-CPE3",
    "R0-p(R1,CPE1)-p(R2,CPE2)-CPE3",
    "R0-p(R1,C1)-p(R2-Wo1,C2)",
    "R0-p(R1,CPE1)-p(R2,CPE2)-W1",
    "R0-p(R1,C1)-p(R2,C2)-p(R3,C3)",
    "L0-R0-p(R1,CPE1)",
    "L0-R0-p(R1,CPE1)-p(R2,CPE2)",
    "L0-R0-p(R1,CPE1)-p(R2,CPE2)-W1",
};
enum { NESTED = sizeof nested / sizeof *nested };
static const double no_difference = 2; /* of BIC: not worth more than a bare mention (Kass and Raftery, 1995) */

bool fit_is_auto(const eis_fit_options *o) { return strcmp(o->circuit, "auto") == 0; }

static int by_bic(const void *a, const void *b) {
    double x = ((const eis_fit_candidate *)a)->bic, y = ((const eis_fit_candidate *)b)->bic;
    return (x > y) - (x < y);
}

/* One of the list with the options as they are. */
static tide_status fit_nested(const char *circuit, const eis_fit_options *o, const eis_spectrum *s,
                              const fit_beside *beside, eis_listener listener, void *user, eis_fitted *out,
                              tide_failure *failure) {
    equivalent e;
    eis_fit_options plain = *o;
    snprintf(plain.circuit, sizeof plain.circuit, "%s", circuit);
    tide_status status = fit_circuit(&plain, beside->blank, &e, failure);
    return status == TIDE_OK ? fit_one(&e, &plain, s, beside, listener, user, out, failure) : status;
}

/* Those that BIC counts. */
static int64_t chosen_parameters(const eis_fitted *f) {
    int64_t count = 0;
    for (int64_t k = 0; k < f->parameters; k++)
        count += f->parameter[k].state != EIS_PARAMETER_FIXED && f->parameter[k].state != EIS_PARAMETER_TIED;
    return count;
}

/* What does not go with the options or the points (too few) is left out; *why says the first time why. */
static tide_status try_all(const eis_fit_options *o, const eis_spectrum *s, const fit_beside *beside,
                           eis_listener listener, void *user, eis_fit_candidate *tried, int *count, tide_failure *why) {
    for (int i = 0; i < NESTED; i++) {
        eis_fitted f;
        tide_failure own = { 0 };
        tide_status status = fit_nested(nested[i], o, s, beside, listener, user, &f, &own);
        if (status != TIDE_OK && why->status == TIDE_OK) *why = own;
        if (status == TIDE_EDATA || status == TIDE_EINVAL) continue;
        if (status != TIDE_OK) return *why = own, status;
        tried[(*count)++] = (eis_fit_candidate){ nested[i], f.bic, f.objective, chosen_parameters(&f) };
        eis_fitted_free(&f);
    }
    return TIDE_OK;
}

/* The smallest circuit of those that are as good as the best. */
static const char *best_of(const eis_fit_candidate *tried, int count) {
    int best = 0;
    for (int i = 1; i < count; i++)
        if (tried[i].bic - tried[0].bic < no_difference && tried[i].free_parameters < tried[best].free_parameters)
            best = i;
    return tried[best].circuit;
}

tide_status fit_auto(const eis_fit_options *o, const eis_spectrum *s, const fit_beside *beside, eis_listener listener,
                     void *user, eis_fitted *out, tide_failure *failure) {
    eis_fit_candidate tried[NESTED];
    eis_fit_options search = *o;
    tide_failure why = { 0 };
    int count = 0;
    search.robust = search.profile = false;
    tide_status status = try_all(&search, s, beside, listener, user, tried, &count, &why);
    if (status != TIDE_OK || !count) return *failure = why, why.status;
    qsort(tried, (size_t)count, sizeof *tried, by_bic);
    status = fit_nested(best_of(tried, count), o, s, beside, listener, user, out, failure);
    return status == TIDE_OK ? fitted_keep_candidates(out, tried, count, failure) : status;
}
