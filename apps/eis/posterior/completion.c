/* One spectrum's answer: its noise, told without a circuit; the continuous posterior (refined.c) or that of the grid;
 * and what follows from the draws. */
#include "completion_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cells_device.h"
#include "robust.h"
#include "shape_known.h"
#include "thin.h"

enum { FIBRE_POINTS = 2000 };
static const double negligible = 1e-9;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
}

/* ---- noise and solution resistance ---- */

/* What the two relaxations stand on: fixed where the circuit says so, else free. */
double completion_offset(const question *q) {
    if (q->circuit == EIS_SHUNT) return q->rs_ohm;
    return q->known.is[EIS_RSH] ? q->rs_ohm + q->known.value[EIS_RSH] : NAN;
}

bool completion_free_fit(const eis_spectrum *s, double offset_ohm, const double r_ohm[2], const double tau_s[2],
                         completion *out) {
    const double p[EIS_COUNT] = { 0, r_ohm[0], r_ohm[1], tau_s[0] / r_ohm[0], tau_s[1] / r_ohm[1] };
    eis_z *model = malloc((size_t)s->count * sizeof *model);
    if (!model) return false;
    eis_impedance(EIS_CHAIN, p, offset_ohm, s->count, s->freq_hz, model);
    out->free = (free_fit){ .rs_ohm = offset_ohm, .ter_ohm = r_ohm[0] + r_ohm[1] };
    out->free.is = residuals_of(s, model, &out->free.left);
    free(model);
    return out->free.is;
}

tide_status completion_noise(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    noise_estimate e;
    out->noise = q->noise, out->noise_source = EIS_NOISE_GIVEN, out->noise_dof = (double)INFINITY;
    if (!isnan(q->noise)) return TIDE_OK;
    tide_status status = q->seen ? (e = *q->seen, TIDE_OK) : noise_of(s, &e, failure);
    if (status != TIDE_OK) return status;
    out->noise = fmax(e.outliers ? e.robust : e.noise, COMPLETION_LEAST_NOISE);
    out->noise_source = e.source;
    out->noise_dof = fmax(e.dof, 1);
    return TIDE_OK;
}

/* A resistance alone, by the weights of the data. */
static bool is_resistance(const eis_spectrum *s, const completion *c, double *r_ohm, double *error_ohm) {
    double weights = 0, sum = 0, left = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double over = 1 / (s->z[i].re * s->z[i].re + s->z[i].im * s->z[i].im);
        weights += over, sum += over * s->z[i].re;
    }
    *r_ohm = sum / weights, *error_ohm = c->noise / sqrt(weights);
    for (int64_t i = 0; i < s->count; i++) {
        double re = s->z[i].re - *r_ohm, im = s->z[i].im;
        left += (re * re + im * im) / (s->z[i].re * s->z[i].re + s->z[i].im * s->z[i].im);
    }
    double nu = (double)(2 * s->count - 1);
    return completion_chi2_fits(c, left / (nu * c->noise * c->noise), nu);
}

static tide_status settle(const question *q, const eis_spectrum *s, two_rc *fit, completion *out,
                          tide_failure *failure) {
    tide_status status = completion_noise(q, s, out, failure);
    double r_ohm, error_ohm;
    out->rs_ohm = q->rs_ohm;
    if (status == TIDE_OK && isnan(q->rs_ohm) && is_resistance(s, out, &r_ohm, &error_ohm))
        return fail(
            failure, TIDE_EDATA,
            "a resistance of %.6g ohm (+- %.2g) explains this spectrum to its noise: it shows no capacitance, and "
            "what of it is the layer's cannot be told from the solution's",
            r_ohm, error_ohm);
    if (status != TIDE_OK || (!isnan(q->noise) && !isnan(q->rs_ohm) && q->method == EIS_EXACT)) return status;
    status = two_rc_fit(s, completion_offset(q), fit, failure);
    if (status != TIDE_OK) return status;
    if (!completion_free_fit(s, fit->offset_ohm, fit->r_ohm, fit->tau_s, out)) return no_memory(failure);
    if (isnan(q->rs_ohm)) {
        double rest = q->circuit == EIS_CHAIN ? q->known.value[EIS_RSH] : 0;
        out->rs_ohm = fmin(fmax(fit->offset_ohm - rest, q->range.low[EIS_RS]), q->range.high[EIS_RS]);
        out->rs_held = q->method == EIS_EXACT;
    }
    return TIDE_OK;
}

void completion_judge_grid(const cells *c, const eis_spectrum *s, completion *out) {
    double nu          = 2 * (double)s->count;
    residuals own      = out->free.is ? out->free.left : (residuals){ .correlation = 1 };
    out->grid_chi2     = (double)c->misfit[c->best] / (nu * out->noise * out->noise);
    out->grid_adequate = completion_chi2_fits(out, out->grid_chi2, nu);
    out->noise_used = completion_widen(out, out->grid_chi2, nu, &own);
}

/* ---- the two methods ---- */

static tide_status draws_of_cells(const question *q, const eis_spectrum *s, cells *c, completion *out,
                                  tide_failure *failure) {
    int64_t count = 0;
    cells_weigh(c, out->noise_used);
    for (int64_t i = 0; i < c->count; i++) count += (double)c->probability[i] > negligible;
    if (count == 0) return completion_no_answer(q, s, failure);
    out->draws = malloc((size_t)count * sizeof *out->draws);
    if (!out->draws) return no_memory(failure);
    for (int64_t i = 0; i < c->count; i++) {
        if (!((double)c->probability[i] > negligible)) continue;
        draw *d = &out->draws[out->draw_count++];
        cells_parameters(c, i, d->p);
        d->p[EIS_RS]   = c->rs_ohm;
        d->weight      = (double)c->probability[i];
        d->log_density = log(d->weight);
    }
    return TIDE_OK;
}

int completion_unknowns(const question *q) {
    int missing = 0;
    for (int k = 0; k < EIS_COUNT; k++) missing += !q->known.is[k];
    return MIN2(missing, q->circuit == EIS_SHUNT ? 4 : 5) + isnan(q->rs_ohm);
}

static double relative_misfit(const eis_spectrum *s, const eis_z *model) {
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double re = s->z[i].re - model[i].re, im = s->z[i].im - model[i].im;
        sum += (re * re + im * im) / (model[i].re * model[i].re + model[i].im * model[i].im);
    }
    return sum;
}

/* What the circuit p leaves: out->left and out->chi2. `model` has room for the spectrum. */
bool completion_judge_circuit(const question *q, const eis_spectrum *s, const double *p, eis_z *model,
                              completion *out) {
    eis_impedance(q->circuit, p, p[EIS_RS], s->count, s->freq_hz, model);
    out->chi2 = relative_misfit(s, model) / (out->noise * out->noise * (double)(2 * s->count - completion_unknowns(q)));
    return residuals_of(s, model, &out->left);
}

/* ---- what follows from the draws ---- */

static tide_status judge_candidates(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    summary *m     = &out->summary;
    eis_z   *model = malloc((size_t)s->count * sizeof *model);
    if (!model) return no_memory(failure);
    for (int64_t i = 0; i < m->top_count; i++) {
        candidate *c = &m->top[i];
        eis_impedance(q->circuit, c->p, c->p[EIS_RS], s->count, s->freq_hz, model);
        c->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, completion_unknowns(q));
    }
    bool fine = completion_judge_circuit(q, s, m->best, model, out);
    out->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, completion_unknowns(q));
    out->rs_ohm  = m->best[EIS_RS];
    free(model);
    return fine ? TIDE_OK : no_memory(failure);
}

static bool in_range(const ranges *r, const double *p) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (!(p[k] >= r->low[k] && p[k] <= r->high[k])) return false;
    return true;
}

static int known_count(const question *q) {
    int count = 0;
    for (int k = 0; k < EIS_COUNT; k++) count += q->known.is[k];
    return count;
}

/* Where one parameter is known, each of the circuits on the fibre that has its value. */
static void find_twins(const question *q, completion *out) {
    fibre_rule rule = { .range = q->range, .known = -1, .both = !q->canonical };
    shape s;
    fibre f;
    for (int k = 0; k < EIS_COUNT; k++)
        if (q->known.is[k]) rule.known = k, rule.value = q->known.value[k];
    if (!shape_of_circuit(out->summary.best, &s)) return;
    fibre_points(&s, &rule, &f);
    for (int i = 0; i < f.count && i < TWINS; i++) {
        double *p = out->twins.p[out->twins.count++];
        shape_circuit(&s, exp(f.piece[i].low), p);
        if (f.piece[i].swapped) eis_swap(p, p);
    }
}

/* From almost no shunt to a shunt that carries almost all. */
static void walk_fibre(const question *q, completion *out) {
    fibre_range   *f = &out->fibre;
    eis_invariants v = eis_invariants_of(out->summary.best);
    double p[EIS_COUNT];
    if (q->circuit != EIS_SHUNT || known_count(q) > 1) return;
    if (known_count(q) == 1) return find_twins(q, out);
    for (int i = 0; i < FIBRE_POINTS; i++) {
        double g = 1e-6 * pow(1e12, (double)i / (FIBRE_POINTS - 1));
        if (!eis_fibre(&v, g, p) || !in_range(&q->range, p)) continue;
        for (int k = 0; k < EIS_COUNT; k++) {
            f->low[k]  = f->present ? fmin(f->low[k], p[k]) : p[k];
            f->high[k] = f->present ? fmax(f->high[k], p[k]) : p[k];
        }
        f->g_low   = f->present ? f->g_low : g;
        f->g_high  = g;
        f->present = true;
    }
}

tide_status completion_finish(const question *q, const eis_spectrum *s, draw_kind kind, double aside, completion *out,
                              tide_failure *failure) {
    const draws_of of = { out->draws, out->draw_count, &q->known, q->circuit, kind == DRAWS_ARE_CELLS };
    if (!summarise(&of, q->top_k, aside, &out->summary)) return no_memory(failure);
    tide_status status = s ? judge_candidates(q, s, out, failure) : TIDE_OK;
    if (status == TIDE_OK && s) walk_fibre(q, out);
    return status;
}

/* Here only the cells that may weigh something; a device works out all of them. */
static tide_status cells_asked(const question *q, const cell_problem *problem, const completion *out, cells *c,
                               tide_failure *failure) {
    if (q->cells) return cells_new_on(q->cells, problem, c, failure);
    double widened = out->free.is ? out->free.left.correlation : 1;
    return cells_likely_new(problem, out->noise, widened, c) ? TIDE_OK : no_memory(failure);
}

static tide_status complete_exactly(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    cells  c   = { 0 };
    two_rc fit = { 0 };
    bool exact = q->method == EIS_EXACT;
    tide_status status = settle(q, s, &fit, out, failure);
    out->effective = out->disagreement = out->one.log_odds = (double)NAN;
    if (status == TIDE_OK && !exact) status = completion_refined(q, s, &fit, out, failure);
    if (status == TIDE_OK && exact) {
        cell_problem problem = { q->circuit, q->known, q->canonical, out->rs_ohm, s->count, s->freq_hz, s->z };
        status = cells_asked(q, &problem, out, &c, failure);
        if (status == TIDE_OK) completion_judge_grid(&c, s, out), status = draws_of_cells(q, s, &c, out, failure);
        cells_free(&c);
    }
    double aside = exact && !out->grid_adequate ? COMPLETION_ELSEWHERE : 0;
    return status == TIDE_OK ? completion_finish(q, s, exact ? DRAWS_ARE_CELLS : DRAWS_ARE_POINTS, aside, out, failure)
                             : status;
}

/* Of many points the noise is told by how neighbours differ, and that of the joined ones counts. */
static tide_status complete_thinned(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    thinned t;
    question of_joined = *q;
    if (!thin(s, &t)) return no_memory(failure);
    if (stopped(q->stop)) {
        thinned_free(&t);
        return fail(failure, TIDE_ECANCELLED, "stopped");
    }
    of_joined.noise = isnan(q->noise) ? fmax(t.noise, COMPLETION_LEAST_NOISE) : q->noise / sqrt(t.joined);
    tide_status status = complete_one(&of_joined, &t.spectrum, out, failure);
    if (status == TIDE_OK) {
        if (isnan(q->noise)) out->noise_source = EIS_NOISE_NEIGHBOURS, out->noise_dof = t.dof;
        out->noise *= sqrt(t.joined), out->noise_used *= sqrt(t.joined);
        out->joined_from = s->count;
        free(out->share), out->share = NULL; /* of joined points */
    }
    thinned_free(&t);
    return status;
}

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    *out = (completion){ 0 };
    if (s->count > THIN_FROM) return complete_thinned(q, s, out, failure);
    if (q->robust && !q->all) return complete_robust(q, s, out, failure);
    tide_status status = (q->method == EIS_NETWORK ? complete_network : complete_exactly)(q, s, out, failure);
    if (status == TIDE_OK) status = completion_judge(q, s, out, failure);
    if (status != TIDE_OK) completion_free(out);
    return status;
}

void completion_free(completion *c) {
    summary_free(&c->summary);
    free(c->draws);
    free(c->flaws);
    free(c->share);
    *c = (completion){ 0 };
}
