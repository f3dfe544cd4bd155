/* The algebra of shape.h. In units of tau0 the poles T1, T2 and the zero T1 T2 are those of the circuit without a
 * shunt; at g the membranes' time constants are T1 T2 + A and T1 T2 - B with A - B = (1 + g) (1 + (T1 - 1) (1 - T2)) -
 * T1 T2        A B = (1 + g) T1 T2 (T1 - 1) (1 - T2) and Ra : Rb = A : B, which loses no digits where pole and zero
 * nearly cancel. */
#include "shape.h"

#include <math.h>

#include "base/base.h"

enum { NODES = 24, HALVINGS = 24 };

shape shape_of(double ln_r0, double ln_tau0, const double u[2]) {
    double over = exp(u[0]), low = exp(-u[1]);
    return (shape){ .r0_ohm = exp(ln_r0),
                    .tau0_s = exp(ln_tau0),
                    .t1 = 1 + over,
                    .t2 = low / (1 + low),
                    .over = over,
                    .under = 1 / (1 + low) };
}

void shape_coordinates(const double r_ohm[2], const double tau_s[2], double *ln_r0, double *ln_tau0, double u[2]) {
    double r0 = r_ohm[0] + r_ohm[1], apart = tau_s[0] - tau_s[1],
           zero = (r_ohm[1] * tau_s[0] + r_ohm[0] * tau_s[1]) / r0;
    *ln_r0 = log(r0);
    *ln_tau0 = log(tau_s[0] / zero * tau_s[1]);
    u[0] = log(r_ohm[1] * apart / (r0 * tau_s[1]));
    u[1] = log(r_ohm[0] * apart / (r0 * zero));
}

bool shape_of_circuit(const double p[EIS_COUNT], shape *out) {
    double bare[EIS_COUNT], ln_r0, ln_tau0, u[2];
    eis_invariants q = eis_invariants_of(p);
    if (!eis_fibre(&q, 0, bare)) return false;
    const double r[] = { bare[EIS_RA], bare[EIS_RB] }, tau[] = { r[0] * bare[EIS_CA], r[1] * bare[EIS_CB] };
    shape_coordinates(r, tau, &ln_r0, &ln_tau0, u);
    if (!isfinite(u[0]) || !isfinite(u[1])) return false;
    *out = shape_of(ln_r0, ln_tau0, u);
    return true;
}

double shape_log_prior(const shape *s) { return log((s->over + s->under) / s->t1); }

void shape_circuit(const shape *s, double g, double p[EIS_COUNT]) {
    double zero = s->t1 * s->t2, gap = s->over * s->under, r = (1 + g) * s->r0_ohm;
    double difference = (1 + g) * (1 + gap) - zero, product = (1 + g) * zero * gap;
    double root = sqrt(difference * difference + 4 * product);
    double a = difference > 0 ? (difference + root) / 2 : 2 * product / (root - difference), b = product / a;
    double slow = zero + a, fast = (1 + g) * zero / slow;
    p[EIS_RSH] = g > 0 ? r / g : INFINITY;
    p[EIS_RA] = r * a / (a + b);
    p[EIS_RB] = r * b / (a + b);
    p[EIS_CA] = s->tau0_s * slow / p[EIS_RA];
    p[EIS_CB] = s->tau0_s * fast / p[EIS_RB];
}

/* ---- the fibre within ranges ---- */

static void labelled(const shape *s, double ln_g, bool swapped, double p[EIS_COUNT]) {
    shape_circuit(s, exp(ln_g), p);
    if (swapped) eis_swap(p, p);
}

/* Of what is not known. */
static bool inside(const fibre_rule *rule, const double p[EIS_COUNT]) {
    for (int k = rule->bare ? EIS_RA : EIS_RSH; k < EIS_COUNT; k++)
        if (k != rule->known && !(p[k] >= rule->range.low[k] && p[k] <= rule->range.high[k])) return false;
    return true;
}

static void add(fibre *out, double low, double high, double mass, bool swapped) {
    if (out->count == FIBRE_PIECES || !(mass > 0)) return;
    out->piece[out->count++] = (fibre_piece){ low, high, mass, swapped };
    out->mass += mass;
}

/* Where it crosses the edge of the ranges between `in`, which is inside, and `out`. */
static double edge(const shape *s, const fibre_rule *rule, bool swapped, double in, double out) {
    double p[EIS_COUNT];
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (in + out) / 2;
        labelled(s, middle, swapped, p);
        if (inside(rule, p)) in = middle;
        else out = middle;
    }
    return in;
}

static void add_stretches(const shape *s, const fibre_rule *rule, bool swapped, double from, double step, fibre *out) {
    double p[EIS_COUNT], began = 0;
    bool within = false;
    for (int i = 0; i <= NODES + 1; i++) {
        double ln_g = from + step * i;
        labelled(s, ln_g, swapped, p);
        bool now = i <= NODES && inside(rule, p);
        if (now && !within) began = i ? edge(s, rule, swapped, ln_g, ln_g - step) : ln_g;
        if (!now && within) {
            double end = i <= NODES ? edge(s, rule, swapped, ln_g - step, ln_g) : ln_g - step;
            add(out, began, end, end - began, swapped);
        }
        within = now;
    }
}

/* d ln p / d ln g by the fibre's tangent. */
static double slope(const double p[EIS_COUNT], int k, double g, bool swapped) {
    double own[EIS_COUNT], v[EIS_COUNT];
    for (int i = 0; i < EIS_COUNT; i++) own[i] = p[i];
    if (swapped) eis_swap(own, own);
    eis_fibre_tangent(own, v);
    if (swapped) eis_swap(v, v);
    return fabs(v[k]) / (1 + g);
}

/* ln of the parameter that is known over its value. */
static double off(const shape *s, const fibre_rule *rule, bool swapped, double ln_g) {
    double p[EIS_COUNT];
    labelled(s, ln_g, swapped, p);
    return log(p[rule->known] / rule->value);
}

/* Where `off` is 0 between two places on either side of it. */
static void add_crossing(const shape *s, const fibre_rule *rule, bool swapped, double low, double high, fibre *out) {
    double p[EIS_COUNT];
    bool rising = off(s, rule, swapped, high) > 0;
    for (int k = 0; k < HALVINGS; k++) {
        double middle = (low + high) / 2;
        if ((off(s, rule, swapped, middle) > 0) == rising) high = middle;
        else low = middle;
    }
    labelled(s, high, swapped, p);
    if (inside(rule, p)) add(out, high, high, 1 / slope(p, rule->known, exp(high), swapped), swapped);
}

/* The faster membrane's resistance turns round once: its least (or greatest) value between three places. */
static double turn(const shape *s, const fibre_rule *rule, bool swapped, double low, double high, bool least) {
    for (int k = 0; k < HALVINGS; k++) {
        double third = (high - low) / 3, a = off(s, rule, swapped, low + third),
               b = off(s, rule, swapped, high - third);
        if ((a < b) == least) high -= third;
        else low += third;
    }
    return (low + high) / 2;
}

static void add_points(const shape *s, const fibre_rule *rule, bool swapped, double from, double step, fibre *out) {
    double v[NODES + 1];
    for (int i = 0; i <= NODES; i++) v[i] = off(s, rule, swapped, from + step * i);
    for (int i = 1; i <= NODES; i++) {
        double low = from + step * (i - 1), high = from + step * i;
        if ((v[i - 1] > 0) != (v[i] > 0)) add_crossing(s, rule, swapped, low, high, out);
        bool least = i < NODES && v[i - 1] > v[i] && v[i] <= v[i + 1],
             most = i < NODES && v[i - 1] < v[i] && v[i] >= v[i + 1];
        if (!least && !most) continue;
        double at = turn(s, rule, swapped, low, high + step, least);
        if ((off(s, rule, swapped, at) > 0) == (v[i] > 0)) continue; /* it does not reach the value, or nodes tell */
        double other = at < high ? low : high + step;
        add_crossing(s, rule, swapped, fmin(at, high), fmax(at, high), out);
        add_crossing(s, rule, swapped, fmin(at, other), fmax(at, other), out);
    }
}

/* Of the slower membrane R rises along the fibre and C falls, of the faster one C rises, and Rsh falls. So these have
 * one stretch within their ranges: it begins where nothing is too early, and ends where something is too late. */
static bool too_early(const fibre_rule *rule, bool swapped, const double p[EIS_COUNT]) {
    const ranges *r = &rule->range;
    int slow = swapped ? EIS_RB : EIS_RA, c = slow + EIS_CA - EIS_RA, other = swapped ? EIS_CA : EIS_CB;
    return (rule->known != EIS_RSH && p[EIS_RSH] > r->high[EIS_RSH]) ||
           (rule->known != slow && p[slow] < r->low[slow]) || (rule->known != c && p[c] > r->high[c]) ||
           (rule->known != other && p[other] < r->low[other]);
}

static bool too_late(const fibre_rule *rule, bool swapped, const double p[EIS_COUNT]) {
    const ranges *r = &rule->range;
    int slow = swapped ? EIS_RB : EIS_RA, c = slow + EIS_CA - EIS_RA, other = swapped ? EIS_CA : EIS_CB;
    return (rule->known != EIS_RSH && p[EIS_RSH] < r->low[EIS_RSH]) ||
           (rule->known != slow && p[slow] > r->high[slow]) || (rule->known != c && p[c] < r->low[c]) ||
           (rule->known != other && p[other] > r->high[other]);
}

/* The ln g of [from, to] from which on `is` holds, or does not. */
static double boundary(const shape *s, const fibre_rule *rule, bool swapped, double from, double to,
                       bool (*is)(const fibre_rule *, bool, const double *), bool holds) {
    double p[EIS_COUNT];
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (from + to) / 2;
        labelled(s, middle, swapped, p);
        if (is(rule, swapped, p) == holds) to = middle;
        else from = middle;
    }
    return (from + to) / 2;
}

static bool limits(const shape *s, const fibre_rule *rule, bool swapped, double *from, double *to) {
    const ranges *r = &rule->range;
    double p[EIS_COUNT], through = r->high[EIS_RA] + r->high[EIS_RB];
    if (rule->known == EIS_RA || rule->known == EIS_RB) through += rule->value;
    if (!(r->high[EIS_RSH] > s->r0_ohm) || !(through > s->r0_ohm)) return false;
    double low = *from = log(s->r0_ohm / (r->high[EIS_RSH] - s->r0_ohm)), high = *to = log(through / s->r0_ohm - 1);
    labelled(s, low, swapped, p);
    if (too_early(rule, swapped, p)) *from = boundary(s, rule, swapped, low, high, too_early, false);
    labelled(s, high, swapped, p);
    if (too_late(rule, swapped, p)) *to = boundary(s, rule, swapped, low, high, too_late, true);
    return *from < *to;
}

/* Rsh = R0 (1 + g) / g */
static void add_known_shunt(const shape *s, const fibre_rule *rule, bool swapped, fibre *out) {
    double p[EIS_COUNT], ln_g = log(s->r0_ohm / (rule->value - s->r0_ohm));
    if (!(rule->value > s->r0_ohm)) return;
    labelled(s, ln_g, swapped, p);
    if (inside(rule, p)) add(out, ln_g, ln_g, 1 + exp(ln_g), swapped);
}

void fibre_within(const shape *s, const fibre_rule *rule, fibre *out) {
    double from, to, p[EIS_COUNT];
    *out = (fibre){ .count = 0 };
    if (rule->bare) {
        labelled(s, -INFINITY, false, p);
        if (inside(rule, p)) add(out, -INFINITY, -INFINITY, 1, false);
        return;
    }
    for (int swapped = 0; swapped <= rule->both; swapped++) {
        if (rule->known == EIS_RSH) add_known_shunt(s, rule, swapped, out);
        else if (!limits(s, rule, swapped, &from, &to)) continue;
        else if (rule->known >= 0) /* with a node beyond each end: it may turn round close by */
            add_points(s, rule, swapped, from - (to - from) / (NODES - 2), (to - from) / (NODES - 2), out);
        else add_stretches(s, rule, swapped, from, (to - from) / NODES, out);
    }
}

double fibre_at(const fibre_piece *p, double share) {
    return p->low == p->high ? p->low : p->low + share * (p->high - p->low);
}
