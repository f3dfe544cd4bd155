/* What must be known of an answer before its numbers are read. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "answer.h"
#include "eis/posterior/student.h"
#include "eis/posterior/thin.h"

/* "3.52 uF", "4.82 kohm": a few digits and a prefix. */
const char *answer_quantity(char buffer[32], double v, const char *unit, int digits) {
    static const struct {
        double from;
        const char *prefix;
    } steps[] = { { 1e6, "M" }, { 1e3, "k" }, { 1, "" }, { 1e-3, "m" }, { 1e-6, "u" }, { 1e-9, "n" } };
    size_t i = 0;
    while (i + 1 < sizeof steps / sizeof *steps && !(fabs(v) >= steps[i].from * 0.9995)) i++;
    if (v == 0) snprintf(buffer, 32, "0 %s", unit);
    else snprintf(buffer, 32, "%.*g %s%s", digits, v / steps[i].from, steps[i].prefix, unit);
    return buffer;
}

static const char *ohms(char buffer[32], double v) { return answer_quantity(buffer, v, "ohm", 4); }

bool answer_is_missing(const answer *a, int k) {
    if (k < EIS_COUNT) return !a->question->known.is[k];
    return k == EIS_RS ? isnan(a->question->rs_ohm) : a->question->circuit == EIS_SHUNT;
}

/* ---- the verdict ---- */

static void note_systematic(const completion *c, text *out) {
    const residuals *left = c->free.is ? &c->free.left : &c->left;
    text_add(out,
             "no circuit of this kind made this spectrum: the nearest leaves %.2g %% of |Z|, to one side over many "
             "frequencies (%" PRId64
             " changes of sign where noise has about %" PRId64 "); the values are that circuit's",
             100 * left->size, left->changes, left->pairs / 2);
    if (c->noise_used > c->noise)
        text_add(out, ", their intervals %.2g times as wide as independent noise would make them",
                 c->noise_used / c->noise);
    text_add(out, "\n");
}

/* Then they too may be what does not fit. */
static const char *with_known(const answer *a, const char *words) {
    for (int k = 0; k < EIS_COUNT; k++)
        if (a->question->known.is[k]) return words;
    return "";
}

/* "Rsh 1 ohm to 1 Mohm, ..." of what was sought. */
static void put_ranges(const answer *a, text *out) {
    const ranges *r = &a->question->range;
    char low[32], high[32];
    for (int k = 0; k < EIS_WITH_RS; k++)
        if (answer_is_missing(a, k))
            text_add(out, "%s%s %s to %s", k ? ", " : "", quantities[k].name,
                     answer_quantity(low, r->low[k], quantities[k].unit, 4),
                     answer_quantity(high, r->high[k], quantities[k].unit, 4));
}

static void note_beyond(const answer *a, text *out) {
    const completion *c = a->completion;
    char rs[32], ter[32];
    text_add(out, "no circuit %swithin these ranges made this spectrum (",
             with_known(a, "with these known values and "));
    put_ranges(a, out);
    text_add(out, "): the nearest leaves %.2g %% of |Z|, where two relaxations of any size leave %.2g %%",
             100 * c->left.size, 100 * c->free.left.size);
    if (a->question->circuit == EIS_SHUNT)
        text_add(out, " (Rs %s, TER %s)", ohms(rs, c->free.rs_ohm), ohms(ter, c->free.ter_ohm));
    text_add(out, "\n");
}

/* What is left is beside the noise, which no circuit had a part in. */
static const char *told(const completion *c, char out[96]) {
    if (c->noise_source == EIS_NOISE_GIVEN) snprintf(out, 96, "the noise that was given");
    else snprintf(out, 96, "noise (%.2g %%, from %s)", 100 * c->noise, eis_noise_source_name(c->noise_source));
    return out;
}

void answer_verdict(const answer *a, text *out) {
    const completion *c = a->completion;
    char noise[96];
    switch (c->verdict) {
    case EIS_FIT_SYSTEMATIC: note_systematic(c, out); break;
    case EIS_FIT_BEYOND: note_beyond(a, out); break;
    case EIS_FIT_NOISY:
        text_add(out,
                 "no circuit of this kind %sleaves only %s (reduced chi2 %.2g): the intervals are made with %.2g %%\n",
                 with_known(a, "with these known values "), told(c, noise), c->chi2, 100 * c->noise_used);
        break;
    case EIS_FIT_OPEN:
    case EIS_FIT_ADEQUATE: break;
    }
    if (c->overstated && c->noise_source == EIS_NOISE_GIVEN)
        text_add(out,
                 "the noise that was given is too large: the circuit leaves %.2g %% (reduced chi2 %.2g), so the "
                 "intervals are too wide\n",
                 100 * c->left.size, c->chi2);
}

/* ---- what a single relaxation explains as well ---- */

static void note_one(const answer *a, text *out) {
    const one_relaxation *one = &a->completion->one;
    char r[32], c[32];
    if (isnan(one->log_odds) || one->log_odds < 0) return;
    text_add(out,
             "one relaxation is enough (R %s, C %s; it is %.2g times as probable as two): what goes beyond TER and TEC "
             "is not in this spectrum\n",
             ohms(r, one->r_ohm), answer_quantity(c, one->c_farad, "F", 4), exp(fmin(one->log_odds, 700)));
}

/* ---- the samples ---- */

static void note_samples(const completion *c, text *out) {
    static const double apart = 0.5;
    if (c->disagreement > apart)
        text_add(out, "the sampler has not settled: its two halves differ by %.2g of the width of an interval\n",
                 c->disagreement);
    if (c->joined_from) text_add(out, "%" PRId64 " points were joined to %d by frequency\n", c->joined_from, THIN_TO);
}

/* ---- limits ---- */

static void note_ter(const answer *a, text *out) {
    const completion *c = a->completion;
    char least[32], hz[32];
    double low = c->summary.of[SUM_TER].low;
    if (!c->ter_open) return;
    if (isnan(low)) text_add(out, "TER is not determined");
    else text_add(out, "TER is at least %s", ohms(least, low));
    text_add(out, ": at %s, the lowest frequency, the spectrum shows more than this circuit can follow",
             answer_quantity(hz, c->lowest_hz, "Hz", 4));
    text_add(out,
             c->lag > 3 * c->left.scatter ? ", and it has not levelled off there (-Im Z is %.2g %% of |Z|)\n" : "\n",
             100 * c->lag);
}

bool answer_runs_along(const answer *a, int k) { return a->completion->fibre.present && k < EIS_COUNT; }

static void note_limits(const answer *a, text *out) {
    char low[32], high[32];
    for (int k = 0; k < EIS_WITH_RS; k++) {
        const char *bound = answer_is_missing(a, k) ? completion_bound(a->question, a->completion, k) : NULL;
        const char *name = quantities[k].name, *unit = quantities[k].unit;
        if (!bound || answer_runs_along(a, k)) continue;
        answer_quantity(low, a->question->range.low[k], unit, 4),
            answer_quantity(high, a->question->range.high[k], unit, 4);
        if (*bound == 'b')
            text_add(out,
                     "%s is anywhere from %s to %s: both ends are those of the range in which it was sought, not of "
                     "what the spectrum allows\n",
                     name, low, high);
        else
            text_add(out, "%s is at the %s limit of the range in which it was sought, %s%s\n", name,
                     *bound == 'l' ? "lower" : "upper", *bound == 'l' ? low : high,
                     a->question->method == EIS_REFINED ? ": `range` sets another" : "");
    }
}

/* Where one value is known: the circuits that have it and make this spectrum. */
static void note_twins(const answer *a, text *out) {
    const twin_circuits *t = &a->completion->twins;
    char value[32];
    if (t->count < 2) return;
    text_add(out, "%d circuits share the known value and this spectrum:", t->count);
    for (int i = 0; i < t->count; i++)
        for (int k = 0; k < EIS_COUNT; k++)
            text_add(out, "%s %s %s",
                     k   ? ","
                     : i ? ";"
                         : "",
                     quantities[k].name, answer_quantity(value, t->p[i][k], quantities[k].unit, 4));
    text_add(out, "\n");
}

/* ---- quantities without an interval ---- */

/* Whether a quantity is made of known values alone. */
static bool follows(const answer *a, int k) {
    static const unsigned made_of[SUM_COUNT] = { [SUM_TER] = 1u << EIS_RSH | 1u << EIS_RA | 1u << EIS_RB,
                                                 [SUM_TEC] = 1u << EIS_CA | 1u << EIS_CB,
                                                 [SUM_N1] = 0x1e, [SUM_D1] = 0x1f };
    for (int i = 0; i < EIS_COUNT; i++)
        if (made_of[k] >> i & 1 && !a->question->known.is[i]) return false;
    return k >= SUM_TER;
}

const char *answer_without_interval(const answer *a, int k) {
    const interval *i = &a->completion->summary.of[k];
    if (!isnan(i->low) || isnan(i->median)) return NULL;
    if (k == EIS_RS)
        return a->completion->rs_held ? "held at the estimate of the free fit: its interval is not determined"
                                      : "its interval is not determined";
    return follows(a, k) ? "follows from the known values"
                         : "its interval is not determined: the samples have one value";
}

static void note_degenerate(const answer *a, text *out) {
    for (int k = 0; k < SUM_COUNT; k++) {
        const char *why = answer_is_missing(a, k) ? answer_without_interval(a, k) : NULL;
        if (why) text_add(out, "%s: %s\n", quantities[k].name, why);
    }
}

/* ---- all ---- */

/* Without a spectrum the prior is flat: a list of its first cells would say that they are better than others. */
bool answer_none_better(const answer *a) {
    const summary *s = &a->completion->summary;
    return !a->spectrum && s->top_count > 1 &&
           s->top[0].probability <= s->top[s->top_count - 1].probability * (1 + 1e-9);
}

void answer_notes(const answer *a, text *out) {
    if (a->spectrum) {
        if (a->completion->flaws) text_add(out, "%s", a->completion->flaws);
        if (a->completion->share && student_outliers(a->completion->share, a->completion->points, out))
            text_add(out, "\n");
        answer_verdict(a, out);
        note_ter(a, out);
        note_one(a, out);
        note_twins(a, out);
        note_limits(a, out);
        note_samples(a->completion, out);
        if (a->rs_in_rsh)
            text_add(out, "only Rs + Rsh is seen in a chain: Rsh stands for both; `rs` OHM takes Rs off\n");
    }
    note_degenerate(a, out);
    if (answer_none_better(a))
        text_add(out, "no candidate is better than another: all cells of the grid are equally probable\n");
}
