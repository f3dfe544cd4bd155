/* What is to be said of an answer: whether such a circuit can have made the spectrum, judged by a noise that was told
 * without it, and how far its numbers go. */
#include <math.h>

#include "base/base.h"
#include "chi2.h"
#include "completion.h"

static const double far_off = 1; /* of |Z|: the nearest circuit is none */
static const double determined = 4; /* upper over lower end of a parameter's interval */

/* Rounding and overflow must not pass for an answer. */
tide_status completion_no_answer(const question *q, const eis_spectrum *s, tide_failure *failure) {
    double low = INFINITY, high = 0;
    for (int64_t i = 0; i < s->count; i++)
        low = fmin(low, hypot(s->z[i].re, s->z[i].im)), high = fmax(high, hypot(s->z[i].re, s->z[i].im));
    return fail(failure, TIDE_EDATA,
                "no circuit comes near: impedances from %.3g to %.3g ohm are too far from those "
                "of %s within the ranges; `range` sets others, and units other than hertz and ohm "
                "look like this too",
                low, high, q->circuit == EIS_SHUNT ? "a circuit" : "a chain");
}

/* ---- limits of chi2 ---- */

bool completion_chi2_fits(const completion *c, double chi2, double nu) {
    return chi2_fits(c->noise_source, c->noise_dof, chi2, nu);
}

/* Of correlated residuals fewer count: as many as there are stretches of them. */
double completion_widen(const completion *c, double chi2, double nu, const residuals *left) {
    if (completion_chi2_fits(c, chi2, nu) && !left->systematic) return c->noise;
    return c->noise * sqrt(fmax(chi2 * left->correlation, 1));
}

/* ---- the verdict ---- */

/* A best answer that was polished, or is all known, speaks for its circuit; a cell or a network's draw is only near
 * it. */
static bool speaks(const question *q) {
    int missing = 0;
    for (int k = 0; k < EIS_COUNT; k++) missing += !q->known.is[k];
    return q->method == EIS_REFINED || missing == 0;
}

static bool circuit_fits(const question *q, const eis_spectrum *s, const completion *c) {
    double nu = (double)(2 * s->count - completion_unknowns(q)), share = c->free.left.size / c->noise;
    if (!speaks(q) && q->method == EIS_NETWORK) return c->circuit_adequate;
    if (speaks(q)) return completion_chi2_fits(c, c->chi2, nu) && !(c->free.is && c->left.systematic);
    return c->free.is ? completion_chi2_fits(c, share * share * (double)(2 * s->count) / nu, nu) : c->grid_adequate;
}

/* Two relaxations of any size leave clearly less. */
static bool free_fits(const completion *c) { return c->free.left.size < 0.8 * c->left.size || c->left.systematic; }

static fit_verdict verdict_of(const question *q, const completion *c) {
    bool own = speaks(q);
    if (c->free.is ? c->free.left.systematic : own && c->left.systematic) return EIS_FIT_SYSTEMATIC;
    if (c->circuit_adequate) return EIS_FIT_ADEQUATE;
    if (!own && !c->free.is) return EIS_FIT_OPEN;
    return own && c->free.is && free_fits(c) ? EIS_FIT_BEYOND : EIS_FIT_NOISY;
}

/* Resistances only fall with the frequency in circuits of this family: TER is at least what is left of Re Z at the
 * lowest. Where that is beyond the interval, and not by noise, the circuit is wrong there and the upper limit is not
 * known. */
static void check_ter(const eis_spectrum *s, completion *out) {
    interval *ter = &out->summary.of[SUM_TER];
    const residuals *left = out->free.is ? &out->free.left : &out->left;
    int64_t lowest = 0;
    for (int64_t i = 1; i < s->count; i++) lowest = s->freq_hz[i] < s->freq_hz[lowest] ? i : lowest;
    double size = hypot(s->z[lowest].re, s->z[lowest].im), shown = s->z[lowest].re - out->rs_ohm,
           least = shown - 1.96 * left->scatter * size;
    out->lowest_hz = s->freq_hz[lowest];
    out->lag = -s->z[lowest].im / size;
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

tide_status completion_judge(const question *q, const eis_spectrum *s, completion *out, tide_failure *failure) {
    double nu = (double)(2 * s->count - completion_unknowns(q));
    if (!is_finite(out) || (speaks(q) && out->left.size > far_off)) return completion_no_answer(q, s, failure);
    out->circuit_adequate = circuit_fits(q, s, out);
    out->verdict = verdict_of(q, out);
    out->overstated = speaks(q) && out->circuit_adequate && out->chi2 < chi2_limit(nu, out->noise_dof, true);
    bool wrong = out->verdict == EIS_FIT_SYSTEMATIC || out->verdict == EIS_FIT_BEYOND ||
                 (q->method != EIS_REFINED && !out->grid_adequate);
    if (q->circuit == EIS_SHUNT && wrong) check_ter(s, out);
    return TIDE_OK;
}

/* ---- one parameter ---- */

bool completion_identifies(const question *q, const completion *c, int parameter) {
    const interval *i = &c->summary.of[parameter];
    return i->high <= determined * i->low && !completion_bound(q, c, parameter);
}

const char *completion_bound(const question *q, const completion *c, int parameter) {
    const double near = 0.03; /* of the range */
    const interval *i = &c->summary.of[parameter];
    double from = q->range.low[parameter], to = q->range.high[parameter];
    if (isnan(c->noise)) return NULL; /* nothing was measured */
    if (parameter == EIS_RS) {
        double low = isnan(i->low) ? c->rs_ohm : i->low, high = isnan(i->high) ? c->rs_ohm : i->high;
        bool at_low = from > 0 && low<from + near *(to - from), at_high = high> to - near * (to - from);
        return at_low && at_high ? "both" : at_low ? "low" : at_high ? "high" : NULL;
    }
    double margin = near * log(to / from);
    bool low = log(i->low / from) < margin, high = log(to / i->high) < margin;
    return low && high ? "both" : low ? "low" : high ? "high" : NULL;
}
