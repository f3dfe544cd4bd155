/* ln g is walked in steps; where the known value asks for an R0 (or a TEC) within some standard deviations of the fit's
 * the step is cut into pieces. The resistance of the faster membrane turns round along the fibre: steps are parted
 * there, so that each is monotone. */
#include "shape_known.h"

#include <math.h>
#include <string.h>

enum { STEPS = 64, HALVINGS = 30, WHOLE = 4, PARTLY = 16, PLACES = 2 * STEPS };
static const double from_ln_g = -25, to_ln_g = 25, wide = 6; /* standard deviations */
#define ROOT_TWO_PI 2.5066282746310002

static bool is_resistance(int k) { return k < EIS_CA; }

void shape_covariance(const shape_fit *f, bool rs_free, double out[3][3]) {
    double m[3][6] = { { 0 } };
    int first = !rs_free;
    memset(out, 0, 9 * sizeof(double));
    for (int i = first; i < 3; i++) {
        for (int k = first; k < 3; k++) m[i][k] = f->precision[i][k];
        m[i][3 + i] = 1;
    }
    for (int i = first; i < 3; i++) {
        double pivot = m[i][i];
        for (int k = first; k < 6; k++) m[i][k] /= pivot;
        for (int j = first; j < 3; j++) {
            double factor = m[j][i];
            for (int k = first; k < 6 && j != i; k++) m[j][k] -= factor * m[i][k];
        }
    }
    for (int i = first; i < 3; i++)
        for (int k = first; k < 3; k++) out[i][k] = m[i][3 + k];
}

double fibre_asks(const double u[2], const fibre_rule *rule, double ln_g, bool swapped) {
    double p[EIS_COUNT];
    shape s = shape_of(0, 0, u);
    fibre_circuit(&s, ln_g, swapped, p);
    return log(rule->value / p[rule->known]);
}

typedef struct walk {
    const double *u;
    const fibre_rule *rule;
    const shape_fit *fit;
    bool swapped;
    double mean, deviation; /* of what the known value asks for */
    double along[2]; /* ln R0 and ln tau0 move by so much with it */
} walk;

static double away(const walk *w, double ln_g) {
    return (fibre_asks(w->u, w->rule, ln_g, w->swapped) - w->mean) / w->deviation;
}

/* Where a monotone stretch comes within `limit` of the mean, from a place outside to one within it, or beyond it. */
static double enter(const walk *w, double outside, double beyond, double limit) {
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (outside + beyond) / 2;
        if ((away(w, middle) > limit) == (away(w, outside) > limit)) outside = middle;
        else beyond = middle;
    }
    return beyond;
}

static bool within(const walk *w, double ln_g, double asked) {
    double p[EIS_COUNT], apart = asked - w->mean;
    shape s = shape_of(w->fit->mean[1] + w->along[0] * apart, w->fit->mean[2] + w->along[1] * apart, w->u);
    fibre_circuit(&s, ln_g, w->swapped, p);
    return fibre_inside(w->rule, p);
}

static void cut(const walk *w, double low, double high, int pieces, fibre *out) {
    double step = (high - low) / pieces;
    for (int i = 0; i < pieces && step > 0; i++) {
        double middle = low + step * (i + 0.5), asked = fibre_asks(w->u, w->rule, middle, w->swapped),
               z = (asked - w->mean) / w->deviation;
        if (!within(w, middle, asked)) continue;
        fibre_add(out, low + step * i, low + step * (i + 1), step * exp(-0.5 * z * z) / (ROOT_TWO_PI * w->deviation),
                  w->swapped);
    }
}

static void add_monotone(const walk *w, double low, double high, double at_low, double at_high, fibre *out) {
    double from = low, to = high;
    if (fmin(at_low, at_high) > wide || fmax(at_low, at_high) < -wide) return;
    if (fabs(at_low) > wide) from = enter(w, low, high, at_low > 0 ? wide : -wide);
    if (fabs(at_high) > wide) to = enter(w, high, low, at_high > 0 ? wide : -wide);
    cut(w, from, to, from == low && to == high ? WHOLE : PARTLY, out);
}

/* The place between two others at which it is least, or greatest. */
static double turn(const walk *w, double low, double high, bool least) {
    for (int k = 0; k < HALVINGS; k++) {
        double third = (high - low) / 3, a = away(w, low + third), b = away(w, high - third);
        if ((a < b) == least) high -= third;
        else low += third;
    }
    return (low + high) / 2;
}

/* Steps, and the turning points between them. */
static int places_of(const walk *w, double *place, double *value) {
    double at[STEPS + 1], step = (to_ln_g - from_ln_g) / STEPS;
    int count = 0;
    for (int i = 0; i <= STEPS; i++) at[i] = away(w, from_ln_g + step * i);
    for (int i = 0; i <= STEPS; i++) {
        double here = from_ln_g + step * i;
        bool least = i && i < STEPS && at[i] < at[i - 1] && at[i] <= at[i + 1],
             most = i && i < STEPS && at[i] > at[i - 1] && at[i] >= at[i + 1];
        double tip = least || most ? turn(w, here - step, here + step, least) : here;
        if (tip < here) place[count] = tip, value[count++] = away(w, tip);
        place[count] = here, value[count++] = at[i];
        if (tip > here) place[count] = tip, value[count++] = away(w, tip);
    }
    return count;
}

static walk walk_of(const double u[2], const fibre_rule *rule, const shape_fit *f, bool rs_free, bool swapped) {
    double s[3][3];
    walk w = { .u = u, .rule = rule, .fit = f, .swapped = swapped };
    shape_covariance(f, rs_free, s);
    bool r = is_resistance(rule->known);
    double variance = r ? s[1][1] : s[1][1] + s[2][2] - 2 * s[1][2];
    w.mean = r ? f->mean[1] : f->mean[2] - f->mean[1];
    w.deviation = sqrt(variance);
    w.along[0] = (r ? s[1][1] : s[1][2] - s[1][1]) / variance;
    w.along[1] = (r ? s[1][2] : s[2][2] - s[1][2]) / variance;
    return w;
}

void fibre_known(const double u[2], const fibre_rule *rule, const shape_fit *f, bool rs_free, fibre *out) {
    double place[PLACES], value[PLACES];
    out->count = 0, out->mass = 0;
    for (int swapped = 0; swapped <= rule->both; swapped++) {
        walk w = walk_of(u, rule, f, rs_free, swapped);
        if (!(w.deviation > 0) || !isfinite(w.deviation)) continue;
        int count = places_of(&w, place, value);
        for (int i = 1; i < count; i++) add_monotone(&w, place[i - 1], place[i], value[i - 1], value[i], out);
    }
}

void fibre_points(const shape *s, const fibre_rule *rule, fibre *out) {
    double place[PLACES], value[PLACES], p[EIS_COUNT], u[2] = { log(s->over), log(s->under / s->t2) };
    shape_fit here = { .mean = { 0, log(s->r0_ohm), log(s->tau0_s) } };
    out->count = 0, out->mass = 0;
    for (int swapped = 0; swapped <= rule->both; swapped++) {
        walk w = { .u = u, .rule = rule, .fit = &here, .swapped = swapped, .deviation = 1 };
        w.mean = is_resistance(rule->known) ? here.mean[1] : here.mean[2] - here.mean[1];
        int count = places_of(&w, place, value);
        for (int i = 1; i < count; i++) {
            if ((value[i - 1] > 0) == (value[i] > 0)) continue;
            double at = enter(&w, place[i - 1], place[i], 0);
            fibre_circuit(s, at, swapped, p);
            if (fibre_inside(rule, p)) fibre_add(out, at, at, 1, swapped);
        }
    }
}
