/* The continuous posterior: where one parameter is known at most by shapes and the fibre, else from the grid's best
 * cells; and how far its draws can be trusted. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "completion_parts.h"
#include "refine.h"

enum { DRAWS = 4000, KNOWN_DRAWS = 2000, DRAWS_MOST = 24000, TOLD_DRAWS_MOST = 96000, ENOUGH = 1600, TOO_FEW = 30 };
static const double breadth = 0.05; /* noise with which candidates for polishing are chosen */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
}

/* The noise of the best of the centres decides how wide the posterior is. */
static bool settle_width(const question *q, const eis_spectrum *s, density *d, const double *centre, int64_t count,
                         completion *out) {
    double least = INFINITY, p[EIS_WITH_RS];
    eis_z *model = malloc((size_t)s->count * sizeof *model);
    for (int64_t i = 0; i < count; i++) {
        double own = density_misfit(d, centre + i * d->free_count);
        if (i > 0 && !(own < least)) continue;
        least = own;
        density_parameters(d, centre + i * d->free_count, p);
    }
    bool fine = count > 0 && model && completion_judge_circuit(q, s, p, model, out);
    free(model);
    if (!fine) return false;
    d->noise = out->noise_used =
        completion_widen(out, out->chi2, (double)(2 * s->count - completion_unknowns(q)), &out->left);
    return true;
}

/* Two independent halves, so that they can be held against each other. */
static tide_status sample_halves(const density *d, const double *centre, int64_t count, const question *q, rng *r,
                                 completion *out) {
    tide_status status = TIDE_OK;
    out->draws = malloc(KNOWN_DRAWS * sizeof *out->draws);
    out->draw_count = KNOWN_DRAWS;
    for (int half = 0; half < 2 && status == TIDE_OK; half++)
        status = out->draws ? sample_density(d, centre, count, KNOWN_DRAWS / 2, r, q->stop,
                                             out->draws + half * KNOWN_DRAWS / 2)
                            : TIDE_ENOMEM;
    for (int64_t i = 0; status == TIDE_OK && i < KNOWN_DRAWS; i++) out->draws[i].weight /= 2;
    return status;
}

/* What was told beside the spectrum; how many draws are then left, of which *effective were there. */
static tide_status weigh_told(const question *q, draw *draws, int64_t count, double *effective) {
    fibre_rule rule = { .range = q->range, .known = -1, .both = !q->canonical };
    bool free = q->circuit == EIS_SHUNT;
    for (int k = 0; k < EIS_COUNT; k++) free = free && !q->known.is[k];
    tide_status status = TIDE_OK;
    if (free) status = told_slide(&q->told, &rule, (uint64_t)q->seed, q->stop, draws, count);
    else if (!told_weigh(&q->told, q->circuit, draws, count)) status = TIDE_ENOMEM;
    *effective = fmin(*effective, draws_worth(draws, count));
    return status;
}

static tide_status too_few(const question *q, int64_t count, double effective, tide_failure *failure) {
    if (q->told.count)
        return fail_at(failure, TIDE_EDATA, NULL, 0, "prior",
                       "what was told beside the spectrum leaves too little of what it allows: %" PRId64
                       " draws are worth %.1f. Either they contradict each other, or `prior` is far narrower than "
                       "the spectrum tells; `known` holds a value",
                       count, effective);
    return fail(failure, TIDE_EDATA,
                "the posterior could not be sampled: %" PRId64 " draws are worth %.0f; `range` with "
                "narrower ranges may help",
                count, effective);
}

/* Two parameters or more are known: from the grid's best cells. */
static tide_status sample_known(const question *q, const eis_spectrum *s, const two_rc *fit, density *d,
                                completion *out, tide_failure *failure) {
    int64_t count = 0;
    rng r = { .seed = (uint64_t)q->seed };
    cells c = { 0 };
    cell_problem problem = { q->circuit, q->known, q->canonical, out->rs_ohm, s->count, s->freq_hz, s->z };
    double widened = out->free.is ? out->free.left.correlation : 1;
    if (!cells_likely_new(&problem, fmax(out->noise, breadth), widened, &c)) return no_memory(failure);
    completion_judge_grid(&c, s, out);
    cells_weigh(&c, fmax(out->noise_used, breadth));
    double *centre = refine_centres(d, &c, fit, s, &r, q->stop, &count, failure);
    cells_free(&c);
    if (!centre) return failure->status;
    tide_status status = settle_width(q, s, d, centre, count, out) ? TIDE_OK : TIDE_ENOMEM;
    if (status == TIDE_OK) status = sample_halves(d, centre, count, q, &r, out);
    out->effective = (double)NAN;
    if (status == TIDE_OK && q->told.count) {
        out->effective = (double)out->draw_count;
        status = weigh_told(q, out->draws, out->draw_count, &out->effective);
        if (status == TIDE_OK && out->effective < TOO_FEW)
            status = too_few(q, out->draw_count, out->effective, failure);
    }
    free(centre);
    return status;
}

/* The circuit nearest to the free fit, as coordinates: where the width is judged and the weights are taken from. */
static bool nearest(const question *q, const eis_spectrum *s, const two_rc *fit, eis_z *near, completion *out) {
    double p[EIS_WITH_RS] = {
        0, fit->r_ohm[0], fit->r_ohm[1], fit->tau_s[0] / fit->r_ohm[0], fit->tau_s[1] / fit->r_ohm[1], fit->offset_ohm
    };
    question chain = *q; /* any shunt circuit is one of these from outside */
    chain.circuit = EIS_CHAIN, chain.known = (eis_known){ .is = { true } };
    return completion_judge_circuit(&chain, s, p, near, out);
}

/* One is known at most: shapes, and the fibre in closed form. */
static tide_status sample_free(const question *q, const eis_spectrum *s, const two_rc *fit, density *d, completion *out,
                               tide_failure *failure) {
    eis_z *near = malloc((size_t)s->count * sizeof *near);
    int64_t count = DRAWS;
    int64_t most = q->told.count ? TOLD_DRAWS_MOST : DRAWS_MOST;
    shape_account account = { 0 };
    tide_status status = near && nearest(q, s, fit, near, out) ? TIDE_OK : no_memory(failure);
    double nu = (double)(2 * s->count - completion_unknowns(q));
    out->grid_chi2 = (double)NAN;
    d->noise = out->noise_used = completion_widen(out, out->chi2, nu, &out->left);
    while (status == TIDE_OK) {
        rng r = { .seed = (uint64_t)q->seed };
        free(out->draws);
        out->draws = malloc((size_t)count * sizeof *out->draws);
        status = out->draws ? sample_shapes(d, s, near, count, &r, q->stop, out->draws, &account) : TIDE_ENOMEM;
        if (status == TIDE_OK && q->told.count) status = weigh_told(q, out->draws, count, &account.effective);
        if (account.effective >= ENOUGH || count == most) break;
        count = MIN2(most, (int64_t)(1.2 * ENOUGH / fmax(account.effective, 1) * (double)count) + 1);
    }
    out->draw_count = count, out->effective = account.effective;
    if (status == TIDE_OK && account.effective < TOO_FEW)
        status = too_few(q, count, account.effective, failure);
    if (status == TIDE_OK) out->one = one_relaxation_beside(d, s, near, account.log_evidence);
    free(near);
    return status;
}

/* The fit that there is lies outside of the ranges. */
static tide_status outside(const question *q, const eis_spectrum *s, const two_rc *fit, tide_failure *failure) {
    double c[2] = { fit->tau_s[0] / fit->r_ohm[0], fit->tau_s[1] / fit->r_ohm[1] };
    if (!(q->circuit == EIS_SHUNT && isfinite(fit->misfit))) return completion_no_answer(q, s, failure);
    return fail(
        failure, TIDE_EDATA,
        "no circuit within the ranges made this spectrum: the nearest has Rs %.4g ohm, TER %.4g ohm, TEC %.3g F "
        "(without a shunt %.4g ohm with %.3g F and %.4g ohm with %.3g F); `range` sets others",
        fit->offset_ohm, fit->r_ohm[0] + fit->r_ohm[1], c[0] * c[1] / (c[0] + c[1]), fit->r_ohm[0], c[0], fit->r_ohm[1],
        c[1]);
}

static tide_status sample(const question *q, const eis_spectrum *s, const two_rc *fit, density *d, completion *out,
                          tide_failure *failure) {
    tide_failure why = { 0 };
    tide_status status = (shapes_apply(d) ? sample_free : sample_known)(q, s, fit, d, out, &why);
    if (status == TIDE_OK) return status;
    if (why.status) return fail_at(failure, why.status, NULL, 0, why.column, "%s", why.message);
    if (status == TIDE_EDATA) return outside(q, s, fit, failure);
    return status == TIDE_ECANCELLED ? fail(failure, status, "stopped") : no_memory(failure);
}

static double apart(double x, double y) { return fabs(log(x / y)); }

/* Ends and middles of the two halves' intervals, in logarithms. */
static void compare_halves(const question *q, completion *out) {
    int64_t half = out->draw_count / 2;
    summary of[2];
    bool fine[2];
    out->disagreement = (double)NAN;
    for (int i = 0; i < 2; i++) {
        draws_of part = { out->draws + i * half, half, &q->known, q->circuit, false };
        double sum = 0;
        for (int64_t k = 0; k < half; k++) sum += part.draw[k].weight;
        fine[i] = summarise_intervals(&part, sum, &of[i]);
    }
    for (int k = SUM_TER; fine[0] && fine[1] && q->circuit == EIS_SHUNT && k < SUM_COUNT; k++) {
        const interval *x = &of[0].of[k], *y = &of[1].of[k];
        double width = fmin(apart(x->high, x->low), apart(y->high, y->low)),
               most = fmax(fmax(apart(x->low, y->low), apart(x->high, y->high)), apart(x->median, y->median));
        if (width > 0) out->disagreement = fmax(isnan(out->disagreement) ? 0 : out->disagreement, most / width);
    }
}

/* Nothing is missing: the known values are the answer. */
static tide_status only_draw(const question *q, completion *out, tide_failure *failure) {
    out->draws = calloc(1, sizeof *out->draws);
    if (!out->draws) return no_memory(failure);
    memcpy(out->draws->p, q->known.value, sizeof q->known.value);
    out->draws->p[EIS_RS] = out->rs_ohm;
    out->draws->weight = 1;
    out->draw_count = 1;
    out->effective = out->disagreement = out->grid_chi2 = (double)NAN;
    return TIDE_OK;
}

tide_status completion_refined(const question *q, const eis_spectrum *s, const two_rc *fit, completion *out,
                               tide_failure *failure) {
    density d;
    const eis_spectrum *points = q->robust ? q->all : s;
    if (!density_new(q->circuit, &q->known, q->rs_ohm, &q->range, q->canonical, out->noise, points, &d))
        return no_memory(failure);
    d.robust = q->robust;
    tide_status status = d.free_count ? sample(q, s, fit, &d, out, failure) : only_draw(q, out, failure);
    if (status == TIDE_OK && d.free_count) compare_halves(q, out);
    density_free(&d);
    return status;
}
