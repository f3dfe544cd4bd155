/* One spectrum's answer: candidates from the grid, the continuous posterior or the exact one, and the verdict on
 * whether such a circuit can have made the spectrum. */
#include "completion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "refine.h"

enum { DRAWS = 2000, FIBRE_POINTS = 2000 };
static const double breadth      = 0.05;   /* noise with which candidates for polishing are chosen */
static const double negligible   = 1e-9;
static const double no_noise     = 0.3;    /* of |Z|: what a free fit leaves is then not noise, whatever it is */
static const double far_off      = 1;      /* of |Z|: the nearest circuit is none */

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the posterior");
}

/* Rounding and overflow must not pass for an answer. */
static tide_status no_answer(const question *q, const eis_spectrum *s, tide_failure *failure) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < s->count; i++)
        low = fmin(low, hypot(s->z[i].re, s->z[i].im)), high = fmax(high, hypot(s->z[i].re, s->z[i].im));
    return fail(failure, TIDE_EDATA, "no circuit comes near: impedances from %.3g to %.3g ohm are too far from those "
                                     "of %s within the ranges (10 ohm to 10 kohm, 100 nF to 50 uF)",
                low, high, q->circuit == EIS_SHUNT ? "a circuit" : "a chain");
}

/* ---- noise and solution resistance ---- */

/* What the two relaxations stand on: fixed where the circuit says so, else free. */
static double known_offset(const question *q) {
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

static tide_status settle_noise(const question *q, const eis_spectrum *s, two_rc *fit, completion *out,
                                tide_failure *failure) {
    out->noise  = q->noise;
    out->rs_ohm = q->rs_ohm;
    if (!isnan(q->noise) && !isnan(q->rs_ohm) && q->method == EIS_EXACT) return TIDE_OK;
    tide_status status = two_rc_fit(s, known_offset(q), fit, failure);
    if (status != TIDE_OK) return status;
    if (!completion_free_fit(s, fit->offset_ohm, fit->r_ohm, fit->tau_s, out)) return no_memory(failure);
    if (isnan(q->noise) && out->free.left.size > no_noise)
        return fail(failure, TIDE_EDATA,
                    "two relaxations leave %.2g %% of |Z|: this is not the spectrum of a circuit of this kind",
                    100 * out->free.left.size);
    if (isnan(q->noise)) {
        out->noise          = fmax(two_rc_noise(fit, s->count), COMPLETION_LEAST_NOISE);
        out->noise_inferred = true;
    }
    if (isnan(q->rs_ohm)) {
        double rest = q->circuit == EIS_CHAIN ? q->known.value[EIS_RSH] : 0;
        out->rs_ohm  = fmin(fmax(fit->offset_ohm - rest, 0), RS_HIGH);
        out->rs_held = q->method == EIS_EXACT;
    }
    return TIDE_OK;
}

/* Wilson and Hilferty. */
double chi2_limit(double nu) {
    double root = 1 - 2 / (9 * nu) + 3.0902 * sqrt(2 / (9 * nu));
    return root * root * root;
}

/* Of correlated residuals fewer count: as many as there are stretches of them. */
double completion_widen(double noise, double chi2, double nu, const residuals *left) {
    if (chi2 <= chi2_limit(nu) && !left->systematic) return noise;
    return noise * sqrt(fmax(chi2 * left->correlation, 1));
}

static void judge_grid(const cells *c, const eis_spectrum *s, completion *out) {
    double nu          = 2 * (double)s->count;
    residuals own      = out->free.is ? out->free.left : (residuals){ .correlation = 1 };
    out->grid_chi2     = (double)c->misfit[c->best] / (nu * out->noise * out->noise);
    out->grid_adequate = out->grid_chi2 <= chi2_limit(nu);
    out->noise_used    = completion_widen(out->noise, out->grid_chi2, nu, &own);
}

/* ---- the two methods ---- */

static tide_status draws_of_cells(const question *q, const eis_spectrum *s, cells *c, completion *out,
                                  tide_failure *failure) {
    int64_t count = 0;
    cells_weigh(c, out->noise_used);
    for (int64_t i = 0; i < c->count; i++) count += (double)c->probability[i] > negligible;
    if (count == 0) return no_answer(q, s, failure);
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

static int unknowns(const question *q) {
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
static bool judge_circuit(const question *q, const eis_spectrum *s, const double *p, eis_z *model, completion *out) {
    eis_impedance(q->circuit, p, p[EIS_RS], s->count, s->freq_hz, model);
    out->chi2 = relative_misfit(s, model) / (out->noise * out->noise * (double)(2 * s->count - unknowns(q)));
    return residuals_of(s, model, &out->left);
}

/* The noise of the best of the centres decides how wide the posterior is. */
static bool settle_width(const question *q, const eis_spectrum *s, density *d, const double *centre, int64_t count,
                         completion *out) {
    double  least = INFINITY, p[EIS_WITH_RS];
    eis_z  *model = malloc((size_t)s->count * sizeof *model);
    for (int64_t i = 0; i < count; i++) {
        double own = density_misfit(d, centre + i * d->free_count);
        if (i > 0 && !(own < least)) continue;
        least = own;
        density_parameters(d, centre + i * d->free_count, p);
    }
    bool fine = count > 0 && model && judge_circuit(q, s, p, model, out);
    free(model);
    if (!fine) return false;
    d->noise = out->noise_used =
        completion_widen(out->noise, out->chi2, (double)(2 * s->count - unknowns(q)), &out->left);
    return true;
}

static tide_status sample(const question *q, const eis_spectrum *s, const two_rc *fit, density *d, cells *c,
                          completion *out,
                          tide_failure *failure) {
    int64_t count;
    rng     r = { .seed = (uint64_t)q->seed };
    cells_weigh(c, fmax(out->noise_used, breadth));
    double *centre = refine_centres(d, c, fit, s, &r, q->stop, &count, failure);
    if (!centre) return failure->status;
    out->draws = malloc(DRAWS * sizeof *out->draws);
    bool        room   = out->draws && settle_width(q, s, d, centre, count, out);
    tide_status status = room ? sample_density(d, centre, count, DRAWS, &r, q->stop, out->draws) : TIDE_ENOMEM;
    free(centre);
    out->draw_count = DRAWS;
    if (status == TIDE_EDATA) return no_answer(q, s, failure);
    if (status == TIDE_ECANCELLED) return fail(failure, status, "stopped");
    return status == TIDE_OK ? TIDE_OK : no_memory(failure);
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

static tide_status draws_refined(const question *q, const eis_spectrum *s, const two_rc *fit, cells *c, completion *out,
                                 tide_failure *failure) {
    density d;
    if (!density_new(q->circuit, &q->known, q->rs_ohm, q->canonical, out->noise, s, &d)) return no_memory(failure);
    tide_status status = d.free_count ? sample(q, s, fit, &d, c, out, failure) : only_draw(q, out, failure);
    density_free(&d);
    return status;
}

/* ---- what follows from the draws ---- */

static tide_status judge_candidates(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    summary *m     = &out->summary;
    eis_z   *model = malloc((size_t)s->count * sizeof *model);
    if (!model) return no_memory(failure);
    for (int64_t i = 0; i < m->top_count; i++) {
        candidate *c = &m->top[i];
        eis_impedance(q->circuit, c->p, c->p[EIS_RS], s->count, s->freq_hz, model);
        c->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, unknowns(q));
    }
    bool fine    = judge_circuit(q, s, m->best, model, out);
    out->resnorm = eis_resnorm(q->resnorm, s->count, s->freq_hz, s->z, model, unknowns(q));
    out->rs_ohm  = m->best[EIS_RS];
    free(model);
    return fine ? TIDE_OK : no_memory(failure);
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

tide_status completion_finish(const question *q, const eis_spectrum *s, draw_kind kind, double aside, completion *out,
                              tide_failure *failure) {
    const draws_of of = { out->draws, out->draw_count, &q->known, q->circuit, kind == DRAWS_ARE_CELLS };
    if (!summarise(&of, q->top_k, aside, &out->summary)) return no_memory(failure);
    tide_status status = s ? judge_candidates(q, s, out, failure) : TIDE_OK;
    if (status == TIDE_OK && s) walk_fibre(q, out);
    return status;
}

/* ---- what is to be said of it ---- */

/* A best answer that was polished, or is all known, speaks for its circuit; a cell or a network's draw is only near
 * it. */
static bool speaks(const question *q) {
    int missing = 0;
    for (int k = 0; k < EIS_COUNT; k++) missing += !q->known.is[k];
    return q->method == EIS_REFINED || missing == 0;
}

static bool circuit_fits(const question *q, const eis_spectrum *s, const completion *c) {
    double nu = (double)(2 * s->count - unknowns(q)), share = c->free.left.size / c->noise;
    if (!speaks(q) && q->method == EIS_NETWORK) return c->circuit_adequate;
    if (speaks(q)) return c->chi2 <= chi2_limit(nu) && !(c->free.is && c->left.systematic);
    return c->free.is ? share * share * (double)(2 * s->count) / nu <= chi2_limit(nu) : c->grid_adequate;
}

static fit_verdict verdict_of(const question *q, const completion *c) {
    bool own = speaks(q);
    if (c->free.is ? c->free.left.systematic : own && c->left.systematic) return EIS_FIT_SYSTEMATIC;
    if (c->circuit_adequate) return c->noise_inferred ? EIS_FIT_OPEN : EIS_FIT_ADEQUATE;
    if (!own && !c->free.is) return EIS_FIT_OPEN;
    return own && c->free.is && (c->noise_inferred || c->left.systematic) ? EIS_FIT_BEYOND : EIS_FIT_NOISY;
}

/* Resistances only fall with the frequency in circuits of this family: TER is at least what is left of Re Z at the
 * lowest. Where that is beyond the interval, and not by noise, the circuit is wrong there and the upper limit is not
 * known. */
static void check_ter(const eis_spectrum *s, completion *out) {
    interval       *ter = &out->summary.of[SUM_TER];
    const residuals *left = out->free.is ? &out->free.left : &out->left;
    int64_t lowest = 0;
    for (int64_t i = 1; i < s->count; i++) lowest = s->freq_hz[i] < s->freq_hz[lowest] ? i : lowest;
    double size = hypot(s->z[lowest].re, s->z[lowest].im), shown = s->z[lowest].re - out->rs_ohm,
           least = shown - 1.96 * left->scatter * size;
    out->lowest_hz = s->freq_hz[lowest];
    out->lag       = -s->z[lowest].im / size;
    double high = isnan(ter->high) ? ter->median : ter->high;
    if (!(high < shown)) return;
    out->ter_open = true;
    *ter = (interval){ least > 0 ? least : NAN, NAN, NAN };
}

static bool is_finite(const completion *c) {
    bool fine = isfinite(c->noise) && isfinite(c->chi2) && isfinite(c->resnorm) && isfinite(c->summary.entropy_nats);
    for (int k = 0; k < EIS_WITH_RS; k++)
        fine = fine && isfinite(c->summary.best[k]) && isfinite(c->summary.of[k].median);
    for (int64_t i = 0; i < c->summary.top_count; i++) fine = fine && isfinite(c->summary.top[i].probability);
    return fine;
}

static tide_status check(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    if (!is_finite(out) || (speaks(q) && out->left.size > far_off)) return no_answer(q, s, failure);
    out->circuit_adequate = circuit_fits(q, s, out);
    out->verdict          = verdict_of(q, out);
    bool wrong = out->verdict == EIS_FIT_SYSTEMATIC || out->verdict == EIS_FIT_BEYOND ||
                 (q->method != EIS_REFINED && !out->grid_adequate);
    if (q->circuit == EIS_SHUNT && wrong) check_ter(s, out);
    return TIDE_OK;
}

static tide_status complete_exactly(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    cells  c   = { 0 };
    two_rc fit = { 0 };
    tide_status status = settle_noise(q, s, &fit, out, failure);
    cell_problem problem = { q->circuit, q->known, q->canonical, out->rs_ohm, s->count, s->freq_hz, s->z };
    if (status == TIDE_OK && !cells_new(&problem, &c)) status = no_memory(failure);
    if (status == TIDE_OK) {
        judge_grid(&c, s, out);
        status = q->method == EIS_EXACT ? draws_of_cells(q, s, &c, out, failure)
                                        : draws_refined(q, s, &fit, &c, out, failure);
    }
    cells_free(&c);
    double aside = q->method == EIS_EXACT && !out->grid_adequate ? COMPLETION_ELSEWHERE : 0;
    draw_kind kind = q->method == EIS_EXACT ? DRAWS_ARE_CELLS : DRAWS_ARE_POINTS;
    return status == TIDE_OK ? completion_finish(q, s, kind, aside, out, failure) : status;
}

tide_status complete_one(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    *out = (completion){ 0 };
    tide_status status = (q->method == EIS_NETWORK ? complete_network : complete_exactly)(q, s, out, failure);
    if (status == TIDE_OK) status = check(q, s, out, failure);
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
    const double    near = 0.03;  /* of the range */
    const interval *i    = &c->summary.of[parameter];
    if (isnan(c->noise)) return NULL; /* nothing was measured */
    if (parameter == EIS_RS) return (isnan(i->high) ? c->rs_ohm : i->high) > (1 - near) * RS_HIGH ? "high" : NULL;
    const eis_parameter *p = &eis_parameters[parameter];
    double margin = near * log(p->high / p->low);
    bool   low = log(i->low / p->low) < margin, high = log(p->high / i->high) < margin;
    return low && high ? "both" : low ? "low" : high ? "high" : NULL;
}
