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

void fibre_circuit(const shape *s, double ln_g, bool swapped, double p[EIS_COUNT]) {
    shape_circuit(s, exp(ln_g), p);
    if (swapped) eis_swap(p, p);
}

/* Of what is not known. */
bool fibre_inside(const fibre_rule *rule, const double p[EIS_COUNT]) {
    for (int k = rule->bare ? EIS_RA : EIS_RSH; k < EIS_COUNT; k++)
        if (k != rule->known && !(p[k] >= rule->range.low[k] && p[k] <= rule->range.high[k])) return false;
    return true;
}

void fibre_add(fibre *out, double low, double high, double mass, bool swapped) {
    if (out->count == FIBRE_PIECES || !(mass > 0)) return;
    out->piece[out->count++] = (fibre_piece){ low, high, mass, swapped };
    out->mass += mass;
}

/* Where it crosses the edge of the ranges between `in`, which is inside, and `out`. */
static double edge(const shape *s, const fibre_rule *rule, bool swapped, double in, double out) {
    double p[EIS_COUNT];
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (in + out) / 2;
        fibre_circuit(s, middle, swapped, p);
        if (fibre_inside(rule, p)) in = middle;
        else out = middle;
    }
    return in;
}

static void add_stretches(const shape *s, const fibre_rule *rule, bool swapped, double from, double step, fibre *out) {
    double p[EIS_COUNT], began = 0;
    bool within = false;
    for (int i = 0; i <= NODES + 1; i++) {
        double ln_g = from + step * i;
        fibre_circuit(s, ln_g, swapped, p);
        bool now = i <= NODES && fibre_inside(rule, p);
        if (now && !within) began = i ? edge(s, rule, swapped, ln_g, ln_g - step) : ln_g;
        if (!now && within) {
            double end = i <= NODES ? edge(s, rule, swapped, ln_g - step, ln_g) : ln_g - step;
            fibre_add(out, began, end, end - began, swapped);
        }
        within = now;
    }
}

/* Of the slower membrane R rises along the fibre and C falls, of the faster one C rises, and Rsh falls. So these have
 * one stretch within their ranges: it begins where nothing is too early, and ends where something is too late. */
static bool too_early(const fibre_rule *rule, bool swapped, const double p[EIS_COUNT]) {
    const ranges *r = &rule->range;
    int slow = swapped ? EIS_RB : EIS_RA, c = slow + EIS_CA - EIS_RA, other = swapped ? EIS_CA : EIS_CB;
    return p[EIS_RSH] > r->high[EIS_RSH] || p[slow] < r->low[slow] || p[c] > r->high[c] || p[other] < r->low[other];
}

static bool too_late(const fibre_rule *rule, bool swapped, const double p[EIS_COUNT]) {
    const ranges *r = &rule->range;
    int slow = swapped ? EIS_RB : EIS_RA, c = slow + EIS_CA - EIS_RA, other = swapped ? EIS_CA : EIS_CB;
    return p[EIS_RSH] < r->low[EIS_RSH] || p[slow] > r->high[slow] || p[c] < r->low[c] || p[other] > r->high[other];
}

/* The ln g of [from, to] from which on `is` holds, or does not. */
static double boundary(const shape *s, const fibre_rule *rule, bool swapped, double from, double to,
                       bool (*is)(const fibre_rule *, bool, const double *), bool holds) {
    double p[EIS_COUNT];
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (from + to) / 2;
        fibre_circuit(s, middle, swapped, p);
        if (is(rule, swapped, p) == holds) to = middle;
        else from = middle;
    }
    return (from + to) / 2;
}

static bool limits(const shape *s, const fibre_rule *rule, bool swapped, double *from, double *to) {
    const ranges *r = &rule->range;
    double p[EIS_COUNT], through = r->high[EIS_RA] + r->high[EIS_RB];
    if (!(r->high[EIS_RSH] > s->r0_ohm) || !(through > s->r0_ohm)) return false;
    double low = *from = log(s->r0_ohm / (r->high[EIS_RSH] - s->r0_ohm)), high = *to = log(through / s->r0_ohm - 1);
    fibre_circuit(s, low, swapped, p);
    if (too_early(rule, swapped, p)) *from = boundary(s, rule, swapped, low, high, too_early, false);
    fibre_circuit(s, high, swapped, p);
    if (too_late(rule, swapped, p)) *to = boundary(s, rule, swapped, low, high, too_late, true);
    return *from < *to;
}

void fibre_within(const shape *s, const fibre_rule *rule, fibre *out) {
    double from, to, p[EIS_COUNT];
    *out = (fibre){ .count = 0 };
    if (rule->bare) {
        fibre_circuit(s, -INFINITY, false, p);
        if (fibre_inside(rule, p)) fibre_add(out, -INFINITY, -INFINITY, 1, false);
        return;
    }
    for (int swapped = 0; swapped <= rule->both; swapped++)
        if (limits(s, rule, swapped, &from, &to)) add_stretches(s, rule, swapped, from, (to - from) / NODES, out);
}

double fibre_at(const fibre_piece *p, double share) {
    return p->low == p->high ? p->low : p->low + share * (p->high - p->low);
}
