/* From each start down to a minimum; what lies on a bound there is held, and the rest goes on. */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const double at_bound = 1e-5; /* a coordinate so near its bound lies on it */
static const double same = 1e-3; /* of the sum: minima that differ by less are one */
static const double flat = 1e-3; /* the cosine that a minimum may have left (fit_slope) */
enum { ENOUGH = 3, FEWEST = 8 }; /* starts that led to the best minimum; starts at least */

static bool hold_bounds(fit_problem *p, fit_minimum *m) {
    bool any = false;
    for (int v = 0; v < p->variables; v++) {
        bool low = m->x[v] - p->low[v] < at_bound, high = p->high[v] - m->x[v] < at_bound;
        m->at_bound[v] = low || high;
        if (!m->at_bound[v]) continue;
        m->x[v] = low ? p->low[v] : p->high[v];
        any = true;
    }
    memcpy(p->held, m->at_bound, sizeof p->held);
    return any;
}

static tide_status minimise(fit_problem *p, const fit_start *from, fit_minimum *m, tide_failure *failure) {
    *m = (fit_minimum){ .starts = 1 };
    memcpy(m->x, from->x, sizeof m->x);
    memset(p->held, 0, sizeof p->held);
    tide_status status = fit_descend(p, m->x, &m->sum, failure);
    if (status == TIDE_OK && hold_bounds(p, m)) status = fit_descend(p, m->x, &m->sum, failure);
    return status;
}

/* A descent that ended on the way is no minimum. */
static bool is_minimum(const fit_problem *p, const fit_minimum *m, double *jacobian) {
    double nothing = 1e-24 * p->data->size;
    return isfinite(m->sum) && (m->sum < nothing || fit_slope(p, m->x, jacobian) < flat);
}

static void keep(fit_minima *all, const fit_minimum *m) {
    int at = all->count;
    for (int i = 0; i < all->count; i++) {
        fit_minimum *known = &all->of[i];
        if (fabs(known->sum - m->sum) > same * fmin(known->sum, m->sum)) continue;
        int starts = known->starts + 1;
        if (m->sum < known->sum) *known = *m;
        known->starts = starts;
        return;
    }
    if (at == MINIMA_MOST && m->sum >= all->of[--at].sum) return;
    if (all->count < MINIMA_MOST) all->count++;
    for (all->of[at] = *m; at > 0 && all->of[at - 1].sum > all->of[at].sum; at--) {
        fit_minimum better = all->of[at];
        all->of[at] = all->of[at - 1], all->of[at - 1] = better;
    }
}

static bool found(const fit_problem *p, const fit_minima *all) {
    double nothing = 1e-20 * p->data->size;
    if (all->count && all->of[0].sum < nothing) return true;
    return all->starts >= FEWEST && all->count && all->of[0].starts >= ENOUGH;
}

static tide_status descend_all(fit_problem *p, const fit_start *start, int count, double *jacobian, fit_stop stop,
                               void *user, fit_minima *out, tide_failure *failure) {
    fit_minimum best = { .sum = INFINITY };
    for (int i = 0; i < count && !found(p, out); i++) {
        fit_minimum m;
        if (stop && stop(user)) return fail(failure, TIDE_ECANCELLED, "stopped");
        tide_status status = minimise(p, &start[i], &m, failure);
        if (status != TIDE_OK) return status;
        out->starts++;
        if (m.sum < best.sum) best = m;
        if (is_minimum(p, &m, jacobian)) keep(out, &m);
    }
    if (!out->count || best.sum < out->of[0].sum * (1 - same)) keep(out, &best);
    return TIDE_OK;
}

tide_status fit_search(fit_problem *p, fit_stop stop, void *user, fit_minima *out, tide_failure *failure) {
    fit_start start[STARTS_MOST];
    int count = 0;
    double *jacobian = malloc((size_t)(2 * p->data->n * MAX2(p->variables, 1)) * sizeof *jacobian);
    tide_status status =
        jacobian ? fit_starts(p, start, &count, failure) : fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    *out = (fit_minima){ 0 };
    if (status == TIDE_OK) status = descend_all(p, start, count, jacobian, stop, user, out, failure);
    for (int i = 0; status == TIDE_OK && i < out->count; i++) fit_order(p, out->of[i].x);
    memset(p->held, 0, sizeof p->held);
    for (int v = 0; status == TIDE_OK && v < p->variables; v++) p->held[v] = out->of[0].at_bound[v];
    free(jacobian);
    return status;
}
