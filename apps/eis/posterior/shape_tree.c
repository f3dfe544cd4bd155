/* A square is judged by its middle. One that holds more than its share is split, and so is one beside a square that is
 * two levels smaller: a ridge that crosses a square far from its middle is found from the side. */
#include "shape_known.h"
#include "shape_tree.h"

#include <math.h>
#include <stdlib.h>

enum { ROOTS = 12, MOST = 12000, DEEPEST = 26 };
static const double from_u = -18, to_u = 18;
static const double share = 1.0 / 250; /* of the whole, that one square may hold */
static const double coarse = 0.8; /* side that the middle may speak for where there is anything at all: */
static const double little = 1e-5; /* this share */
static const double slim = 0.1; /* a fibre that is nowhere within ranges counts so much while squares are */
static const double none = 1e-3; /* split, and then so much: its neighbours may be within */

double shape_rs_deviation(const shape_fit *f) {
    const double(*a)[3] = f->precision;
    double det = a[1][1] * a[2][2] - a[1][2] * a[1][2];
    double own =
        a[0][0] -
        (a[0][1] * (a[0][1] * a[2][2] - a[1][2] * a[0][2]) + a[0][2] * (a[1][1] * a[0][2] - a[1][2] * a[0][1])) / det;
    return 1 / sqrt(fmax(own, 1e-12 * a[0][0]));
}

/* ln of a normal's mass between two bounds, in standard deviations. */
static double log_between(double low, double high) {
    double least = fmin(fabs(low), fabs(high));
    if (low > 0 || high < 0) { /* a tail */
        double tail = 0.5 * erfc(least / sqrt(2.0));
        return tail > 0 ? log(tail) : -0.5 * least * least - log(least * 2.5066282746310002);
    }
    return log(fmax(0.5 * (erf(high / sqrt(2.0)) - erf(low / sqrt(2.0))), 1e-300));
}

double shape_log_width(const shape_data *d, const shape_fit *f) {
    const double(*a)[3] = f->precision;
    double inner = a[1][1] * a[2][2] - a[1][2] * a[1][2], width = log(6.283185307179586) - 0.5 * log(inner);
    if (!(inner > 0)) return -INFINITY;
    if (!d->rs_free) return width;
    double deviation = shape_rs_deviation(f);
    return width + log_between((d->rs_low - f->mean[0]) / deviation, (d->rs_high - f->mean[0]) / deviation) +
           log(2.5066282746310002 * deviation);
}

static double fibre_mass(const shape_tree *t, const double u[2], const shape_fit *f) {
    shape s = shape_of(f->mean[1], f->mean[2], u);
    fibre along;
    if (t->rule->known >= 0) fibre_known(u, t->rule, f, t->data->rs_free, &along);
    else fibre_within(&s, t->rule, &along);
    return along.mass;
}

/* The integral over Rs, R0 and tau0 near a fit, per unit of u, of all but the fibre. */
static double log_likely(const shape_tree *t, const double u[2], const shape_fit *f) {
    shape s = shape_of(f->mean[1], f->mean[2], u);
    return -0.5 * f->misfit + shape_log_width(t->data, f) + shape_log_prior(&s);
}

/* ---- squares ---- */

static void middle(const shape_square *q, double u[2]) {
    for (int k = 0; k < 2; k++) u[k] = q->low[k] + q->side / 2;
}

static double log_sum(const double *v, int count) {
    double most = -INFINITY, sum = 0;
    for (int i = 0; i < count; i++) most = fmax(most, v[i]);
    for (int i = 0; i < count && isfinite(most); i++) sum += exp(v[i] - most);
    return isfinite(most) ? most + log(sum) : -INFINITY;
}

static void weigh(const shape_tree *t, shape_square *q) {
    double u[2];
    middle(q, u);
    for (int i = 0; i < q->modes; i++)
        q->log_mass[i] =
            log_likely(t, u, &q->fit[i]) + log(fmax(fibre_mass(t, u, &q->fit[i]), slim)) + 2 * log(q->side);
    q->log_all = log_sum(q->log_mass, q->modes);
}

/* From the modes of the square that it is a part of. */
static void inherit(const shape_tree *t, const shape_square *from, shape_square *q) {
    double u[2];
    middle(q, u);
    q->modes = 0;
    for (int i = 0; i < from->modes; i++) {
        shape_fit f = from->fit[i];
        bool alike = !shape_fit_from(t->data, u, &f);
        for (int k = 0; k < q->modes && !alike; k++) alike = fabs(q->fit[k].mean[2] - f.mean[2]) < 1e-3;
        if (!alike) q->fit[q->modes++] = f;
    }
    weigh(t, q);
}

static bool make_room(shape_tree *t, int64_t more) {
    if (t->count + more <= t->room) return true;
    int64_t room = 2 * t->room + more;
    shape_square *next = realloc(t->square, (size_t)room * sizeof *next);
    if (next) t->square = next, t->room = room;
    return next != NULL;
}

static bool split(shape_tree *t, int64_t which) {
    if (!make_room(t, 4)) return false;
    shape_square *q = &t->square[which];
    q->child = (int)t->count;
    for (int i = 0; i < 4; i++) {
        shape_square *part = &t->square[t->count++];
        double half = q->side / 2;
        *part = (shape_square){ .low = { q->low[0] + half * (i & 1), q->low[1] + half * (i >> 1) },
                                .side = half,
                                .child = -1,
                                .level = q->level + 1 };
        inherit(t, q, part);
    }
    return true;
}

/* Fits take a tenth of a millisecond each. */
static tide_status plant(shape_tree *t, const stopper *stop) {
    enum { BETWEEN = 16 };
    double side = (to_u - from_u) / ROOTS;
    if (!make_room(t, ROOTS * ROOTS)) return TIDE_ENOMEM;
    for (int i = 0; i < ROOTS * ROOTS; i++) {
        if (i % BETWEEN == 0 && stopped(stop)) return TIDE_ECANCELLED;
        shape_square *q = &t->square[t->count++];
        double u[2];
        *q = (shape_square){ .low = { from_u + side * (i % ROOTS), from_u + side * (i / ROOTS) },
                             .side = side,
                             .child = -1 };
        middle(q, u);
        q->modes = shape_fit_all(t->data, u, q->fit);
        weigh(t, q);
    }
    return TIDE_OK;
}

/* ---- growing ---- */

static void total(shape_tree *t) {
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (t->square[i].child < 0) most = fmax(most, t->square[i].log_all);
    for (int64_t i = 0; i < t->count && isfinite(most); i++)
        if (t->square[i].child < 0) sum += exp(t->square[i].log_all - most);
    t->log_all = isfinite(most) ? most + log(sum) : -INFINITY;
}

/* The leaf that holds a point; -1: outside. */
static int64_t leaf_at(const shape_tree *t, double x, double y) {
    double side = (to_u - from_u) / ROOTS;
    int i = (int)floor((x - from_u) / side), j = (int)floor((y - from_u) / side);
    if (i < 0 || j < 0 || i >= ROOTS || j >= ROOTS) return -1;
    int64_t at = j * ROOTS + i;
    while (t->square[at].child >= 0) {
        const shape_square *q = &t->square[at];
        at = q->child + (x >= q->low[0] + q->side / 2) + 2 * (y >= q->low[1] + q->side / 2);
    }
    return at;
}

/* Splits the neighbours that are two levels or more above a leaf. */
static bool even_out(shape_tree *t, int64_t which) {
    static const int beside[4][2] = { { -1, 0 }, { 1, 0 }, { 0, -1 }, { 0, 1 } };
    for (int k = 0; k < 4; k++) {
        const shape_square *q = &t->square[which];
        int64_t other = leaf_at(t, q->low[0] + q->side * (0.5 + 0.6 * beside[k][0]),
                                q->low[1] + q->side * (0.5 + 0.6 * beside[k][1]));
        if (other < 0 || t->square[other].level + 1 >= q->level) continue;
        if (!split(t, other) || !even_out(t, other)) return false;
        k--; /* the part beside may be too large still */
    }
    return true;
}

/* The fibre's mass in the middle, or, where that is little, its mean over the middle and the quarters' middles. */
static double spread_mass(const shape_tree *t, const shape_square *q, int mode) {
    double u[2], sum;
    middle(q, u);
    if ((sum = fibre_mass(t, u, &q->fit[mode])) > slim) return sum;
    for (int i = 0; i < 4; i++) {
        shape_fit f = q->fit[mode];
        double at[2] = { u[0] + q->side * (i & 1 ? 0.25 : -0.25), u[1] + q->side * (i & 2 ? 0.25 : -0.25) };
        if (shape_fit_from(t->data, at, &f)) sum += fibre_mass(t, at, &f);
    }
    return sum / 5;
}

/* Squares on the edge of the ranges, or beyond, are weighed once more. */
static tide_status sharpen(shape_tree *t, const stopper *stop) {
    for (int64_t i = 0; i < t->count; i++) {
        shape_square *q = &t->square[i];
        double u[2];
        if (q->child >= 0 || q->log_all < t->log_all + log(little)) continue;
        if (stopped(stop)) return TIDE_ECANCELLED;
        middle(q, u);
        for (int k = 0; k < q->modes; k++)
            q->log_mass[k] = log_likely(t, u, &q->fit[k]) + log(spread_mass(t, q, k) + none) + 2 * log(q->side);
        q->log_all = log_sum(q->log_mass, q->modes);
    }
    total(t);
    return TIDE_OK;
}

tide_status shape_tree_grow(const shape_data *data, const fibre_rule *rule, const stopper *stop, shape_tree *t) {
    *t = (shape_tree){ .data = data, .rule = rule };
    tide_status status = plant(t, stop);
    if (status != TIDE_OK) return status;
    for (bool grown = true; grown && t->count < MOST;) {
        grown = false;
        total(t);
        if (!isfinite(t->log_all)) return TIDE_EDATA;
        double enough = t->log_all + log(share);
        int64_t before = t->count;
        for (int64_t i = 0; i < before && t->count < MOST; i++) {
            const shape_square *q = &t->square[i];
            bool is_large = q->log_all >= enough || (q->side > coarse && q->log_all >= t->log_all + log(little));
            if (q->child >= 0 || !is_large || q->level >= DEEPEST) continue;
            if (stopped(stop)) return TIDE_ECANCELLED;
            if (!split(t, i)) return TIDE_ENOMEM;
            for (int k = 0; k < 4; k++)
                if (!even_out(t, t->square[i].child + k)) return TIDE_ENOMEM;
            grown = true;
        }
    }
    total(t);
    return sharpen(t, stop);
}

void shape_tree_free(shape_tree *t) {
    free(t->square);
    *t = (shape_tree){ 0 };
}
