#include "arcs_start.h"

#include <math.h>
#include <stdlib.h>

enum { SHAPES = 5, SWEEPS = 30 };
static const double exponent = 0.87;
static const double settled = 1e-4; /* of a size, beside |Z| near 1 */
static const double least = 1e-5; /* of a size: what non-negative least squares left at 0 */
static const double beyond = 1.1; /* of a logarithm: how far past the frequencies times are tried */

typedef struct pair {
    int slow, fast;
    double gain, size[SHAPES];
} pair;

/* Coordinate after coordinate; gain: what the shapes explain. */
static void fit_pair(const arcs_scan *s, pair *p) {
    const int of[SHAPES] = { p->slow, p->fast, ARC_TAUS, ARC_TAUS + 1, ARC_TAUS + 2 };
    double *size = p->size;
    for (int i = 0; i < SHAPES; i++) size[i] = 0;
    double moved = INFINITY;
    for (int sweep = 0; sweep < SWEEPS && moved > settled; sweep++) {
        moved = 0;
        for (int i = 0; i < SHAPES; i++) {
            double slope = s->data[of[i]], was = size[i];
            for (int j = 0; j < SHAPES; j++) slope -= s->gram[of[i]][of[j]] * size[j];
            slope /= s->gram[of[i]][of[i]];
            size[i] = slope > -was ? was + slope : 0;
            moved = fmax(moved, fabs(size[i] - was));
        }
    }
    p->gain = 0;
    for (int i = 0; i < SHAPES; i++) {
        double with = 2 * s->data[of[i]];
        for (int j = 0; j < SHAPES; j++) with -= s->gram[of[i]][of[j]] * size[j];
        p->gain += size[i] * with;
    }
}

static void put_start(const arcs_scan *s, const pair *p, arcs_start *out) {
    double *x = out->x;
    x[ARC_TAU1] = s->ln_tau[p->slow], x[ARC_TAU2] = s->ln_tau[p->fast];
    x[ARC_N1] = x[ARC_N2] = x[ARC_NEL] = exponent;
    const int of[SHAPES] = { ARC_R1, ARC_R2, ARC_RS, ARC_EL, ARC_L };
    for (int i = 0; i < SHAPES; i++) x[of[i]] = log(fmax(p->size[i], least));
}

static bool alike(const pair *a, const pair *b) { return abs(a->slow - b->slow) + abs(a->fast - b->fast) < 3; }

static void keep(pair *best, int *count, const pair *p) {
    int at = *count;
    for (int i = 0; i < *count; i++)
        if (alike(&best[i], p)) {
            if (best[i].gain >= p->gain) return;
            at = i;
            break;
        }
    if (at == ARCS_STARTS && p->gain <= best[--at].gain) return;
    if (at == *count) ++*count;
    for (best[at] = *p; at > 0 && best[at - 1].gain < best[at].gain; at--) {
        pair better = best[at];
        best[at] = best[at - 1], best[at - 1] = better;
    }
}

int arcs_starts(const arcs_data *d, arcs_start out[ARCS_STARTS]) {
    arcs_scan s;
    pair best[ARCS_STARTS];
    int count = 0;
    double slow = beyond - d->ln_low, fast = -beyond - d->ln_high;
    for (int k = 0; k < ARC_TAUS; k++) s.ln_tau[k] = slow + (fast - slow) * k / (ARC_TAUS - 1);
    arcs_scan_fill(d, exponent, &s);
    for (int slower = 0; slower < ARC_TAUS; slower++)
        for (int faster = slower + 1; faster < ARC_TAUS; faster++) {
            pair p = { .slow = slower, .fast = faster };
            fit_pair(&s, &p);
            keep(best, &count, &p);
        }
    for (int i = 0; i < count; i++) put_start(&s, &best[i], &out[i]);
    return count;
}
