/* The tests, one after the other. What makes the rest meaningless comes first, and ends them. */
#include "faults.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "electrode.h"
#include "ends.h"
#include "order.h"

static const double throughout = 0.9; /* of the points: nearly all */
static const double many = 0.2; /* of the points */
static const double no_noise = 0.1; /* of |Z|: twice what a poor measurement has (5 %) */
static const double beyond = 3; /* standard deviations of noise */
static const double drifting = 7; /* standard deviations: real sweeps without drift show up to 6 */
static const double mains_within = 0.04; /* of the mains' frequency */
enum { MAINS_MULTIPLES = 5, POINTS_NAMED = 12 };

static const struct {
    const char *name;
    bool unfit;
} kinds[] = {
    [EIS_FAULT_SWEEPS] = { "two-sweeps", true },
    [EIS_FAULT_SCRAMBLED] = { "scrambled-frequencies", true },
    [EIS_FAULT_LEADS] = { "leads", true },
    [EIS_FAULT_NOISE] = { "noise", true },
    [EIS_FAULT_NEGATIVE] = { "negative-resistance", false },
    [EIS_FAULT_OUTLIERS] = { "outliers", false },
    [EIS_FAULT_MAINS] = { "mains", false },
    [EIS_FAULT_DRIFT] = { "drift", false },
    [EIS_FAULT_RESISTOR] = { "no-capacitance", true },
    [EIS_FAULT_BLANK] = { "no-cells", true },
};

const char *eis_fault_name(eis_fault_kind kind) {
    return (size_t)kind < sizeof kinds / sizeof *kinds ? kinds[kind].name : NULL;
}

bool fault_leaves_out(eis_fault_kind kind) {
    return kind == EIS_FAULT_OUTLIERS || kind == EIS_FAULT_MAINS || kind == EIS_FAULT_NEGATIVE;
}

/* ---- a fault ---- */

/* A spectrum under test. `mark` is scratch, a flag a point. */
typedef struct suspect {
    const eis_spectrum *s;
    bool *mark, *negative;
    faults *found;
    bool room;
} suspect;

/* Points that are marked, and a sentence that is begun. */
static void add_fault(suspect *t, eis_fault_kind kind, const bool *mark, double size, text *sentence) {
    eis_fault *f = &t->found->of[t->found->count];
    int64_t *point = mark ? malloc(sizeof *point * (size_t)t->s->count) : NULL;
    t->room = t->room && !sentence->failed && (point || !mark);
    if (!t->room) return free(point), text_free(sentence);
    *f = (eis_fault){ kind, kinds[kind].unfit, point, 0, size, sentence->data };
    for (int64_t i = 0; mark && i < t->s->count; i++)
        if (mark[i]) point[f->points++] = i;
    t->found->count++;
}

/* "point 3 (50 Hz), 7 (60 Hz) and 4 more" */
static void name_points(const suspect *t, const bool *mark, text *out) {
    int64_t count = 0, named = 0;
    for (int64_t i = 0; i < t->s->count; i++) count += mark[i];
    text_add(out, count == 1 ? "point" : "points");
    for (int64_t i = 0; i < t->s->count && named < POINTS_NAMED; i++)
        if (mark[i]) text_add(out, "%s %" PRId64 " (%.4g Hz)", named++ ? "," : "", i + 1, t->s->freq_hz[i]);
    if (count > named) text_add(out, " and %" PRId64 " more", count - named);
}

static int64_t marked(const suspect *t) {
    int64_t count = 0;
    for (int64_t i = 0; i < t->s->count; i++) count += t->mark[i];
    return count;
}

/* ---- the order of rows ---- */

static void test_sweeps(suspect *t) {
    int64_t first[ORDER_SWEEPS];
    bool room;
    int sweeps = order_sweeps(t->s, first, &room);
    text sentence = { 0 };
    t->room = t->room && room;
    if (sweeps < 2) return;
    for (int64_t i = 0; i < t->s->count; i++) t->mark[i] = false;
    for (int k = 1; k < sweeps; k++) t->mark[first[k]] = true;
    text_add(&sentence, "%d sweeps in one: the frequencies start again at ", sweeps);
    name_points(t, t->mark, &sentence);
    text_add(&sentence, "; give each as a spectrum of its own");
    add_fault(t, EIS_FAULT_SWEEPS, t->mark, sweeps, &sentence);
}

static void test_scrambled(suspect *t) {
    text sentence = { 0 };
    order_scramble order = { .off = t->mark };
    t->room = t->room && order_scrambled(t->s, &order);
    if (!t->room || !order.is) return;
    text_add(&sentence, "the frequencies are not those of the impedances, which are smooth from row to row but not in "
                        "the order of frequencies");
    if (order.first_hz > 0) {
        text_add(&sentence, "; off the even grid of the other rows, %.4g to %.4g Hz, are ", order.first_hz,
                 order.last_hz);
        name_points(t, t->mark, &sentence);
    }
    add_fault(t, EIS_FAULT_SCRAMBLED, t->mark, (double)marked(t), &sentence);
}

/* ---- leads and noise ---- */

/* Negative beyond noise, by which a resistance of nearly 0 may be. Where that is no noise, it is no excuse. */
static int64_t mark_negative(suspect *t, double *least) {
    *least = 0;
    for (int64_t i = 0; i < t->s->count; i++) {
        double share = t->s->z[i].re / hypot(t->s->z[i].re, t->s->z[i].im);
        t->mark[i] = share < -beyond * fmin(t->found->robust, no_noise);
        if (t->mark[i]) *least = fmin(*least, share);
    }
    return marked(t);
}

static void test_leads(suspect *t) {
    double n = (double)t->s->count, least, negative = (double)mark_negative(t, &least) / n, inductive = 0;
    text sentence = { 0 };
    for (int64_t i = 0; i < t->s->count; i++) inductive += (t->s->z[i].im > 0) / n;
    if (inductive >= throughout) {
        text_add(&sentence,
                 "Im Z is positive at %.0f %% of the points: bad or disconnected leads, or a column that "
                 "holds -Im Z",
                 100 * inductive);
        add_fault(t, EIS_FAULT_LEADS, NULL, inductive, &sentence);
    } else if (negative >= many) {
        text_add(&sentence, "Re Z is negative at %.0f %% of the points: bad or disconnected leads", 100 * negative);
        add_fault(t, EIS_FAULT_LEADS, t->mark, negative, &sentence);
    }
}

static void test_noise(suspect *t) {
    double noise = t->found->rest.noise;
    text sentence = { 0 };
    if (!(noise > no_noise)) return;
    text_add(&sentence,
             "%.2g %% of |Z| is left by anything linear, causal and steady: bad or disconnected leads, a "
             "signal below the instrument's noise, or a sample that changed",
             100 * noise);
    add_fault(t, EIS_FAULT_NOISE, NULL, noise, &sentence);
}

/* ---- points ---- */

/* They, and what of the same artefact is beside them, do not count in what follows. */
static void test_negative(suspect *t) {
    double least;
    int64_t count = mark_negative(t, &least);
    text sentence = { 0 };
    if (!count) return;
    text_add(&sentence, "Re Z is negative beyond noise, which no passive sample has, at ");
    name_points(t, t->mark, &sentence);
    for (int64_t i = 0; i < t->s->count; i++) t->negative[i] = t->mark[i];
    t->room = t->room && ends_extend(t->s, t->negative);
    for (int64_t i = 0; i < t->s->count; i++) t->mark[i] = t->negative[i] && !t->mark[i];
    if (marked(t)) {
        text_add(&sentence, ", and the same artefact seems to reach ");
        name_points(t, t->mark, &sentence);
    }
    add_fault(t, EIS_FAULT_NEGATIVE, t->negative, least, &sentence);
    expansion_free(&t->found->rest);
    t->room = t->room && expand_robust(t->s, t->negative, t->found->left_out, &t->found->rest, &t->found->robust);
}

static bool is_outlier(const suspect *t, int64_t i) { return t->found->left_out[i] && !t->negative[i]; }

static bool at_mains(double freq_hz, double mains_hz) {
    double multiple = fmax(round(freq_hz / mains_hz), 1);
    return multiple <= MAINS_MULTIPLES && fabs(freq_hz - multiple * mains_hz) < mains_within * mains_hz;
}

/* Marks outliers at the multiples of the mains' frequency; true if one is at that frequency itself. */
static bool mark_mains(suspect *t, double mains_hz) {
    bool itself = false;
    for (int64_t i = 0; i < t->s->count; i++) {
        t->mark[i] = is_outlier(t, i) && at_mains(t->s->freq_hz[i], mains_hz);
        itself = itself || (t->mark[i] && t->s->freq_hz[i] < 1.5 * mains_hz);
    }
    return itself;
}

static double mark_any_mains(suspect *t) {
    if (mark_mains(t, 50)) return 50;
    return mark_mains(t, 60) ? 60 : 0;
}

static void test_mains(suspect *t) {
    double mains_hz = mark_any_mains(t);
    text sentence = { 0 };
    if (mains_hz == 0) return;
    text_add(&sentence, "pick-up of the mains at %g Hz: ", mains_hz);
    name_points(t, t->mark, &sentence);
    text_add(&sentence, " off the smooth part by more than %g times the noise", OUTLIER);
    add_fault(t, EIS_FAULT_MAINS, t->mark, mains_hz, &sentence);
}

static void test_outliers(suspect *t) {
    bool mains = mark_any_mains(t) > 0;
    double farthest = 0;
    text sentence = { 0 };
    for (int64_t i = 0; i < t->s->count; i++) {
        t->mark[i] = is_outlier(t, i) && !(mains && t->mark[i]);
        const eis_z *r = &t->found->rest.residual[i];
        if (t->mark[i]) farthest = fmax(farthest, hypot(r->re, r->im));
    }
    if (!marked(t)) return;
    text_add(&sentence, "off the smooth part by more than %g times the noise, up to %.2g %% of |Z|: ", OUTLIER,
             100 * farthest);
    name_points(t, t->mark, &sentence);
    add_fault(t, EIS_FAULT_OUTLIERS, t->mark, farthest, &sentence);
}

/* ---- the sample ---- */

static void test_drift(suspect *t) {
    const expansion *e = &t->found->rest;
    text sentence = { 0 };
    if (!(fabs(e->drift_sigmas) > drifting) || !(fabs(e->drift) > beyond * e->noise)) return;
    text_add(&sentence,
             "the sample changed while it was measured: by about %+.2g %% over the sweep; values at the "
             "lowest frequencies are those of its end",
             100 * e->drift);
    add_fault(t, EIS_FAULT_DRIFT, NULL, e->drift, &sentence);
}

/* Nothing less simple is worth its parameters. */
static bool explains(const suspect *t, const electrode *e) {
    const expansion *rest = &t->found->rest;
    double data = 2 * (double)rest->points;
    return expansion_cost(e->square, data, e->parameters) <= expansion_cost(rest->square, data, rest->rank);
}

static void test_cells(suspect *t) {
    electrode without, with;
    text sentence = { 0 };
    t->room = t->room && electrode_fit(t->s, t->found->left_out, false, &without) &&
              electrode_fit(t->s, t->found->left_out, true, &with);
    if (!t->room) return;
    if (explains(t, &without)) {
        text_add(&sentence, "no capacitance is seen: a resistance of %.5g ohm explains it", without.rs_ohm);
        add_fault(t, EIS_FAULT_RESISTOR, NULL, without.rs_ohm, &sentence);
    } else if (with.q > 0 && with.rs_ohm >= 0 && explains(t, &with)) {
        text_add(&sentence,
                 "no cell layer is seen: %.4g ohm and an electrode (CPE with Q %.3g, n %.3g) explain it; "
                 "there is no TER",
                 with.rs_ohm, with.q, with.n);
        add_fault(t, EIS_FAULT_BLANK, NULL, with.rs_ohm, &sentence);
    }
}

/* ---- all ---- */

static void run_tests(suspect *t) {
    static void (*const tests[])(suspect *) = { test_leads,    test_negative, test_noise, test_mains,
                                                test_outliers, test_drift,    test_cells };
    test_sweeps(t);
    if (!t->room || t->found->count) return;
    test_scrambled(t);
    t->room = t->room && expand_robust(t->s, NULL, t->found->left_out, &t->found->rest, &t->found->robust);
    for (size_t i = 0; t->room && i < sizeof tests / sizeof *tests && !faults_unfit(t->found); i++) tests[i](t);
}

bool faults_of(const eis_spectrum *s, faults *out) {
    size_t n = (size_t)s->count;
    suspect t = { s, calloc(n, sizeof *t.mark), calloc(n, sizeof *t.negative), out, true };
    *out = (faults){ .left_out = calloc(n, sizeof *out->left_out) };
    t.room = t.mark && t.negative && out->left_out;
    if (t.room) run_tests(&t);
    free(t.mark), free(t.negative);
    if (!t.room) faults_free(out);
    return t.room;
}

void faults_free(faults *f) {
    for (int64_t i = 0; i < f->count; i++) free((void *)f->of[i].point), free((void *)f->of[i].sentence);
    free(f->left_out);
    expansion_free(&f->rest);
    *f = (faults){ 0 };
}

bool faults_unfit(const faults *f) {
    bool unfit = false;
    for (int64_t i = 0; i < f->count; i++) unfit |= f->of[i].unfit;
    return unfit;
}
