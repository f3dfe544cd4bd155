/* From each start down to a minimum; what lies on a bound there is held, and the rest goes on. */
#include "search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "eis/check/svd.h"

static const double at_bound = 1e-5; /* a coordinate so near its bound lies on it */
static const double inside_step = 1e-3,
                    release_step = 0.1; /* of a coordinate, or of its range if that is less than 1 */
static const double same = 1e-3; /* of the sum: minima that differ by less are one */
static const double equal_sums = 1e-6; /* minima whose sums differ by less fit equally well */
static const double arrival = 1e-2; /* of the sum */
static const double beside = 0.1; /* of a coordinate: a descent that comes so near to a minimum ends there */
static const double far_above = 30; /* of the best minimum so far: what comes no lower is followed no further */
static const double out_of_sight = 30; /* of a coordinate: 13 decades */
static const double precise = 1e-8; /* of the size: sums below are those of no instrument */
static const double flat = 1e-3; /* the cosine that a minimum may have left (fit_slope) */
enum { HOPS = 3 }; /* rounds of hops from the best minimum so far */
enum { ENOUGH = 3, FEWEST = 6 }; /* starts that led to the best minimum; starts at least, where not all led there */

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

/* At a bound the change of variables stands still, so a descent can get stuck there on its way: is it lower inside? */
static bool release_bounds(const fit_problem *p, fit_minimum *m) {
    bool any = false;
    for (int v = 0; v < p->variables; v++) {
        double bound = m->x[v], width = fmin(1, p->high[v] - p->low[v]), side = bound == p->low[v] ? 1 : -1;
        if (!m->at_bound[v]) continue;
        m->x[v] = bound + side * inside_step * width;
        bool lower = fit_sum(p, m->x) < m->sum;
        m->x[v] = lower ? bound + side * release_step * width : bound;
        any = any || lower;
    }
    return any;
}

static tide_status descend_and_hold(fit_problem *p, fit_minimum *m, tide_failure *failure) {
    memset(p->held, 0, sizeof p->held);
    tide_status status = fit_descend(p, m->x, &m->sum, failure);
    fit_order(p, m->x);
    if (status == TIDE_OK && hold_bounds(p, m)) status = fit_descend(p, m->x, &m->sum, failure);
    return status;
}

tide_status fit_minimise(fit_problem *p, const double *from, fit_minimum *m, tide_failure *failure) {
    *m = (fit_minimum){ .starts = 1 };
    memcpy(m->x, from, sizeof m->x);
    tide_status status = descend_and_hold(p, m, failure);
    fit_minimum stuck = *m;
    if (status == TIDE_OK && release_bounds(p, m)) status = descend_and_hold(p, m, failure);
    if (status == TIDE_OK && !(m->sum <= stuck.sum)) *m = stuck;
    memcpy(p->held, m->at_bound, sizeof p->held);
    memcpy(m->low, m->x, sizeof m->low);
    memcpy(m->high, m->x, sizeof m->high);
    return status;
}

/* A descent that ended on the way is no minimum. */
static bool is_minimum(const fit_problem *p, const fit_minimum *m, double *jacobian) {
    double nothing = 1e-24 * p->size;
    return isfinite(m->sum) && (m->sum < nothing || fit_slope(p, m->x, jacobian) < flat);
}

/* The largest distance of a coordinate from that of the first start: along a curve of equal fits some run out of sight.
 */
static double distance(const fit_minimum *m, const double *home) {
    double most = 0;
    for (int v = 0; v < VARIABLES_MOST; v++) most = fmax(most, fabs(m->x[v] - home[v]));
    return most;
}

/* Of equal sums the one nearer home stays, and how far apart they are is remembered. */
static void merge(fit_minimum *known, const fit_minimum *m, const double *home) {
    fit_minimum was = *known;
    bool equal = fabs(known->sum - m->sum) <= equal_sums * fmin(known->sum, m->sum);
    if (equal ? distance(m, home) < distance(known, home) : m->sum < known->sum) *known = *m;
    known->starts = was.starts + 1;
    for (int v = 0; equal && v < VARIABLES_MOST; v++) {
        known->low[v] = fmin(was.low[v], m->low[v]);
        known->high[v] = fmax(was.high[v], m->high[v]);
    }
}

/* With priors, or ties between spectra, two places may fit equally well, one the other with its arcs exchanged: each a
 * minimum, if all is determined there. */
static bool elsewhere(const fit_problem *p, const fit_minimum *known, const fit_minimum *m) {
    double *a = (p->priors || p->spectra > 1) && distance(m, known->x) > beside
                    ? malloc((size_t)(p->rows * (p->variables + 1)) * sizeof *a)
                    : NULL;
    svd d;
    if (!a) return false;
    int count = fit_jacobian(p, known->x, a);
    memset(a + p->rows * count, 0, (size_t)p->rows * sizeof *a);
    bool done = count && svd_new(&d, p->rows, count, a, 1, a + p->rows * count);
    bool whole = done && svd_rank(&d, 1e-6) == count;
    if (done) svd_free(&d);
    free(a);
    return whole;
}

static void keep(const fit_problem *p, fit_minima *all, const fit_minimum *m, const double *home) {
    int at = all->count;
    for (int i = 0; i < all->count; i++) {
        fit_minimum *known = &all->of[i];
        if (fabs(known->sum - m->sum) > same * fmin(known->sum, m->sum) || elsewhere(p, known, m)) continue;
        merge(known, m, home);
        return;
    }
    if (at == MINIMA_MOST && m->sum >= all->of[--at].sum) return;
    if (all->count < MINIMA_MOST) all->count++;
    for (all->of[at] = *m; at > 0 && all->of[at - 1].sum > all->of[at].sum; at--) {
        fit_minimum better = all->of[at];
        all->of[at] = all->of[at - 1], all->of[at - 1] = better;
    }
}

typedef struct searching {
    fit_problem *p;
    const landscape *land;
    fit_minima *out;
    const double *home; /* the first start */
    double *jacobian;
    fit_minimum best; /* whether it is a minimum or not */
    fit_stop stop;
    void *user;
} searching;

/* What lies on a bound, or has run away from where it began. True if anything has. */
static bool find_gone(const searching *s, const fit_minimum *m, bool gone[VARIABLES_MOST]) {
    bool any = false;
    for (int v = 0; v < s->p->variables; v++) {
        gone[v] = m->at_bound[v] || fabs(m->x[v] - s->home[v]) > out_of_sight;
        any = any || gone[v];
    }
    return any;
}

/* Where an element has gone many starts end, whatever else there is. */
static bool found(const searching *s) {
    const fit_minima *all = s->out;
    bool gone[VARIABLES_MOST];
    double nothing = 1e-20 * s->p->size;
    if (all->count && all->of[0].sum < nothing) return true;
    if (!all->count || all->of[0].starts < ENOUGH || find_gone(s, &all->of[0], gone)) return false;
    return all->starts >= FEWEST || all->of[0].starts == all->starts;
}

/* The minimum that an approach has come to; NULL: a new one, or one that is no point. Of equal sums whose coordinates
 * are known from two starts to lie apart each is followed to its end. */
static fit_minimum *arrived(const searching *s, const double *x, double sum) {
    for (int i = 0; i < s->out->count; i++) {
        fit_minimum *m = &s->out->of[i];
        bool is = fabs(sum - m->sum) < arrival * m->sum;
        for (int v = 0; is && v < s->p->variables; v++)
            is = fabs(x[v] - m->x[v]) < beside && m->high[v] - m->low[v] < beside;
        if (is) return m;
    }
    return NULL;
}

static tide_status descend_from(searching *s, const double *x, tide_failure *failure) {
    fit_minimum m, *known;
    double near[VARIABLES_MOST], sum;
    if (s->stop && s->stop(s->user)) return fail(failure, TIDE_ECANCELLED, "stopped");
    memset(s->p->held, 0, sizeof s->p->held);
    memcpy(near, x, sizeof near);
    tide_status status = fit_approach(s->p, near, &sum, failure);
    if (status != TIDE_OK) return status;
    fit_order(s->p, near);
    s->out->starts++;
    if (s->out->count && sum > far_above * fmax(s->out->of[0].sum, precise * s->p->size)) return TIDE_OK;
    if ((known = arrived(s, near, sum))) return known->starts++, TIDE_OK;
    status = fit_minimise(s->p, near, &m, failure);
    if (status != TIDE_OK) return status;
    if (m.sum < s->best.sum) s->best = m;
    if (is_minimum(s->p, &m, s->jacobian)) keep(s->p, s->out, &m, s->home);
    return TIDE_OK;
}

/* Valleys beside the best one: each element made faster and slower, with what has gone out of sight beside it. */
static tide_status hop(searching *s, tide_failure *failure) {
    fit_minimum from = s->best;
    bool gone[VARIABLES_MOST];
    find_gone(s, &from, gone);
    for (int part = 0; part < s->p->e->parts; part++)
        for (int zone = 0; zone < FIT_ZONES; zone++) {
            double x[VARIABLES_MOST];
            memcpy(x, from.x, sizeof x);
            bool moved = fit_move(s->p, s->land, part, zone, gone, x);
            tide_status status = moved ? descend_from(s, x, failure) : TIDE_OK;
            if (status != TIDE_OK) return status;
        }
    return TIDE_OK;
}

/* Of starts, of which each is followed or only as many as it takes; then from the best minimum among them. */
static tide_status search(searching *s, const fit_start *start, int count, bool each, tide_failure *failure) {
    tide_status status = TIDE_OK;
    double before = INFINITY;
    for (int i = 0; status == TIDE_OK && i < count && (each || !found(s)); i++)
        status = descend_from(s, start[i].x, failure);
    bool exact = s->best.sum < 1e-20 * s->p->size;
    for (int i = 0; s->land && i < HOPS && status == TIDE_OK && !exact && s->best.sum < before * (1 - same); i++) {
        before = s->best.sum;
        status = hop(s, failure);
    }
    if (status == TIDE_OK && (!s->out->count || s->best.sum < s->out->of[0].sum * (1 - same)))
        keep(s->p, s->out, &s->best, s->home);
    return status;
}

static tide_status search_all(fit_problem *p, const landscape *land, const fit_start *start, int count,
                              const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                              tide_failure *failure) {
    double *jacobian = malloc((size_t)(p->rows * MAX2(p->variables, 1)) * sizeof *jacobian);
    const double *home = count ? start[0].x : guesses->start[0].x;
    searching s = { p, land, out, home, jacobian, { .sum = INFINITY }, stop, user }, own = s;
    *out = (fit_minima){ 0 };
    tide_status status = jacobian ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    if (status == TIDE_OK && count) status = search(&s, start, count, false, failure);
    if (status == TIDE_OK && guesses && guesses->count)
        status = search(&own, guesses->start, guesses->count, true, failure);
    memset(p->held, 0, sizeof p->held);
    for (int v = 0; status == TIDE_OK && v < p->variables; v++) p->held[v] = out->of[0].at_bound[v];
    free(jacobian);
    return status;
}

tide_status fit_search_from(fit_problem *p, const landscape *land, const fit_start *start, int count, fit_stop stop,
                            void *user, fit_minima *out, tide_failure *failure) {
    return search_all(p, land, start, count, NULL, stop, user, out, failure);
}

void fit_guesses_of(const fit_problem *p, const fit_guessed *g, fit_guesses *out) {
    out->count = 0;
    for (int i = 0; g && i < g->count; i++)
        if (fit_guess_start(p, &g->of[i], out->start[out->count].x)) out->count++;
}

tide_status fit_search(fit_problem *p, const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                       tide_failure *failure) {
    fit_start start[STARTS_MOST];
    landscape land;
    int count = 0;
    landscape_of(p->data, &land);
    if (!land.points) return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    tide_status status = fit_starts(p, &land, start, &count, failure);
    return status == TIDE_OK ? search_all(p, &land, start, count, guesses, stop, user, out, failure) : status;
}

tide_status fit_search_guesses(fit_problem *p, const fit_guesses *guesses, fit_stop stop, void *user, fit_minima *out,
                               tide_failure *failure) {
    landscape land;
    landscape_of(p->data, &land);
    if (!land.points) return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    return search_all(p, &land, NULL, 0, guesses, stop, user, out, failure);
}
