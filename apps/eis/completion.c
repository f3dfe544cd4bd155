#include "completion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "refine.h"

enum { DRAWS = 2000, FIBRE_POINTS = 2000 };
static const double breadth      = 0.05;   /* noise with which candidates for polishing are chosen */
static const double negligible   = 1e-9;

static tide_status no_memory(tide_failure *failure) { return fail(failure, TIDE_ENOMEM, "out of memory for the posterior"); }

/* ---- noise and solution resistance ---- */

/* What the two relaxations stand on: fixed where the circuit says so, else free. */
static double known_offset(const question *q) {
    if (q->circuit == EIS_SHUNT) return q->rs_ohm;
    return q->known.is[EIS_RSH] ? q->rs_ohm + q->known.value[EIS_RSH] : NAN;
}

static tide_status settle_noise(const question *q, const eis_spectrum *s, two_rc *fit, completion *out, tide_failure *failure) {
    out->noise  = q->noise;
    out->rs_ohm = q->rs_ohm;
    if (!isnan(q->noise) && !isnan(q->rs_ohm) && q->method == EIS_EXACT) return TIDE_OK;
    tide_status status = two_rc_fit(s, known_offset(q), fit, failure);
    if (status != TIDE_OK) return status;
    if (isnan(q->noise)) {
        out->noise          = fmax(two_rc_noise(fit, s->count), COMPLETION_LEAST_NOISE);
        out->noise_inferred = true;
    }
    if (isnan(q->rs_ohm)) {
        double rest = q->circuit == EIS_CHAIN ? q->known.value[EIS_RSH] : 0;
        out->rs_ohm = fmin(fmax(fit->offset_ohm - rest, 0), RS_HIGH);
    }
    return TIDE_OK;
}

/* Wilson and Hilferty. */
double chi2_limit(double nu) {
    double root = 1 - 2 / (9 * nu) + 3.0902 * sqrt(2 / (9 * nu));
    return root * root * root;
}

static void judge_grid(const cells *c, const eis_spectrum *s, completion *out) {
    double nu          = 2 * (double)s->count;
    out->grid_chi2     = (double)c->misfit[c->best] / (nu * out->noise * out->noise);
    out->grid_adequate = out->grid_chi2 <= chi2_limit(nu);
    out->noise_used    = out->grid_adequate ? out->noise : out->noise * sqrt(out->grid_chi2);
}

/* ---- the two methods ---- */

static tide_status draws_of_cells(cells *c, completion *out, tide_failure *failure) {
    int64_t count = 0;
    cells_weigh(c, out->noise_used);
    for (int64_t i = 0; i < c->count; i++) count += (double)c->probability[i] > negligible;
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

static tide_status sample(const question *q, const eis_spectrum *s, const two_rc *fit, const density *d, cells *c, completion *out,
                          tide_failure *failure) {
    int64_t count;
    rng     r = { .seed = (uint64_t)q->seed };
    cells_weigh(c, fmax(out->noise_used, breadth));
    double *centre = refine_centres(d, c, fit, s, &r, &count, failure);
    if (!centre) return failure->status;
    out->draws = malloc(DRAWS * sizeof *out->draws);
    bool fine  = out->draws && sample_density(d, centre, count, DRAWS, &r, out->draws);
    free(centre);
    out->draw_count = DRAWS;
    return fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for samples of the posterior");
}

/* Nothing is missing: the known values are the answer. */
static tide_status only_draw(const question *q, completion *out, tide_failure *failure) {
    out->draws = calloc(1, sizeof *out->draws);
    if (!out->draws) return no_memory(failure);
    memcpy(out->draws->p, q->known.value, sizeof q->known.value);
    out->draws->p[EIS_RS] = out->rs_ohm;
    out->draws->weight    = 1;
    out->draw_count       = 1;
    return TIDE_OK;
}

static tide_status draws_refined(const question *q, const eis_spectrum *s, const two_rc *fit, cells *c, completion *out, tide_failure *failure) {
    density d;
    if (!density_new(q->circuit, &q->known, q->rs_ohm, q->canonical, out->noise, s, &d)) return no_memory(failure);
    tide_status status = d.free_count ? sample(q, s, fit, &d, c, out, failure) : only_draw(q, out, failure);
    density_free(&d);
    return status;
}

/* ---- what follows from the draws ---- */

static double relative_misfit(const eis_spectrum *s, const eis_z *model) {
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double re = s->z[i].re - model[i].re, im = s->z[i].im - model[i].im;
        sum += (re * re + im * im) / (model[i].re * model[i].re + model[i].im * model[i].im);
    }
    return sum;
}

static int unknowns(const question *q) {
    int missing = 0;
    for (int k = 0; k < EIS_COUNT; k++) missing += !q->known.is[k];
    return MIN2(missing, q->circuit == EIS_SHUNT ? 4 : 5) + isnan(q->rs_ohm);
}

static tide_status judge_candidates(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    summary *m     = &out->summary;
    eis_z   *model = malloc((size_t)s->count * sizeof *model);
    if (!model) return no_memory(failure);
    for (int64_t i = 0; i < m->top_count; i++) {
        candidate *c = &m->top[i];
        eis_impedance(q->circuit, c->p, c->p[EIS_RS], s->count, s->freq_hz, model);
        c->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, unknowns(q));
    }
    eis_impedance(q->circuit, m->best, m->best[EIS_RS], s->count, s->freq_hz, model);
    out->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, unknowns(q));
    double nu    = (double)(2 * s->count - unknowns(q));
    out->chi2    = relative_misfit(s, model) / (out->noise * out->noise * nu);
    out->circuit_adequate = out->chi2 <= chi2_limit(nu);
    out->rs_ohm  = m->best[EIS_RS];
    free(model);
    return TIDE_OK;
}

static bool in_range(const double *p) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (!(p[k] >= eis_parameters[k].low && p[k] <= eis_parameters[k].high)) return false;
    return true;
}

/* From almost no shunt to a shunt that carries almost all. */
static void walk_fibre(const question *q, completion *out) {
    fibre_range   *f = &out->fibre;
    eis_invariants v = eis_invariants_of(out->summary.best);
    double p[EIS_COUNT];
    if (q->circuit != EIS_SHUNT) return;
    for (int i = 0; i < FIBRE_POINTS; i++) {
        double g = 1e-3 * pow(1e6, (double)i / (FIBRE_POINTS - 1));
        if (!eis_fibre(&v, g, p) || !in_range(p)) continue;
        for (int k = 0; k < EIS_COUNT; k++) {
            f->low[k]  = f->present ? fmin(f->low[k], p[k]) : p[k];
            f->high[k] = f->present ? fmax(f->high[k], p[k]) : p[k];
        }
        f->g_low   = f->present ? f->g_low : g;
        f->g_high  = g;
        f->present = true;
    }
}

tide_status completion_finish(const question *q, const eis_spectrum *s, double aside, completion *out, tide_failure *failure) {
    if (!summarise(out->draws, out->draw_count, &q->known, q->circuit, q->top_k, aside, &out->summary)) return no_memory(failure);
    tide_status status = s ? judge_candidates(q, s, out, failure) : TIDE_OK;
    if (status == TIDE_OK && s) walk_fibre(q, out);
    return status;
}

static tide_status complete_exactly(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    cells  c   = { 0 };
    two_rc fit = { 0 };
    tide_status status = settle_noise(q, s, &fit, out, failure);
    cell_problem problem = { q->circuit, q->known, q->canonical, out->rs_ohm, s->count, s->freq_hz, s->z };
    if (status == TIDE_OK && !cells_new(&problem, &c)) status = no_memory(failure);
    if (status == TIDE_OK) {
        judge_grid(&c, s, out);
        status = q->method == EIS_EXACT ? draws_of_cells(&c, out, failure) : draws_refined(q, s, &fit, &c, out, failure);
    }
    cells_free(&c);
    double aside = q->method == EIS_EXACT && !out->grid_adequate ? COMPLETION_ELSEWHERE : 0;
    return status == TIDE_OK ? completion_finish(q, s, aside, out, failure) : status;
}

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    *out = (completion){ 0 };
    tide_status status = (q->method == EIS_NETWORK ? complete_network : complete_exactly)(q, s, out, failure);
    if (status != TIDE_OK) completion_free(out);
    return status;
}

void completion_free(completion *c) {
    summary_free(&c->summary);
    free(c->draws);
    *c = (completion){ 0 };
}

bool completion_identifies(const completion *c, int parameter) {
    const eis_parameter *p = &eis_parameters[parameter];
    const interval      *i = &c->summary.of[parameter];
    return log(i->high / i->low) <= 0.5 * 0.95 * log(p->high / p->low);
}

const char *completion_bound(const completion *c, int parameter) {
    if (isnan(c->noise)) return NULL; /* nothing was measured */
    const eis_parameter *p = &eis_parameters[parameter];
    const interval      *i = &c->summary.of[parameter];
    double margin = 0.03 * log(p->high / p->low);
    bool   low = log(i->low / p->low) < margin, high = log(p->high / i->high) < margin;
    return low && high ? "both" : low ? "low" : high ? "high" : NULL;
}
