/* Importance sampling. A square of the tree is drawn by its mass and a shape evenly within it; Rs, R0 and tau0 come
 * from the normal approximations there, broadened and with the tails of Student's t; the place on the fibre is drawn
 * evenly between the ranges' edges, as the posterior has it. What is left is a weight close to 1. */
#include "shape_sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shape_tree.h"

static const double broad = 1.2; /* standard deviations of the proposals over those of the approximation */
static const double evenly = 0.05; /* share of the draws that go to all squares alike */
enum { FREEDOM = 6 }; /* of the t distribution */
#define ROOT_TWO 1.4142135623730951

bool shapes_apply(const density *d) {
    int five = 0;
    for (int i = 0; i < d->free_count; i++) five += d->free[i] < EIS_COUNT;
    if (d->circuit == EIS_SHUNT) return five >= EIS_COUNT - 1;
    return five == EIS_COUNT - 1 && d->free[0] == EIS_RA;
}

static fibre_rule rule_of(const density *d) {
    fibre_rule rule = { .known = -1, .both = !d->canonical, .bare = d->circuit == EIS_CHAIN };
    for (int k = 0; k < EIS_COUNT; k++) rule.range.low[k] = rule.range.high[k] = d->fixed[k];
    for (int i = 0; i < d->free_count; i++) {
        bool rs = d->free[i] == EIS_RS;
        rule.range.low[d->free[i]] = rs ? d->low[i] : exp(d->low[i]);
        rule.range.high[d->free[i]] = rs ? d->high[i] : exp(d->high[i]);
    }
    for (int k = 0; k < EIS_COUNT && d->circuit == EIS_SHUNT; k++)
        if (rule.range.low[k] == rule.range.high[k]) rule.known = k, rule.value = d->fixed[k];
    return rule;
}

/* ---- one proposal ---- */

typedef struct job {
    const density *d;
    const shape_data *data;
    const fibre_rule *rule;
    const shape_tree *tree;
    const double *cumulated; /* shares of the leaves */
    const int64_t *leaf;
    int64_t leaves;
    double shift; /* chain: what of the offset is Rsh */
    rng *r;
} job;

/* x with the share of a normal's mass between low and high (standard deviations) below it. */
static double normal_between(double low, double high, double share) {
    bool flip = low + high < 0; /* work in the upper tail, where erfc keeps its digits */
    double a = flip ? -high : low, b = flip ? -low : high, from = a, to = b;
    double most = erfc(a / ROOT_TWO), least = erfc(b / ROOT_TWO),
           goal = most + (flip ? 1 - share : share) * (least - most);
    from = fmax(from, -40), to = fmin(to, 40);
    for (int i = 0; i < 60; i++) {
        double middle = (from + to) / 2;
        if (erfc(middle / ROOT_TWO) > goal) from = middle;
        else to = middle;
    }
    return flip ? -from : from;
}

/* The broadened normal of a fit: Rs alone, then ln R0 and ln tau0 given it. */
typedef struct proposal {
    double deviation, low, high, mass, inner[3], slope[2], half_log_det;
} proposal;

static proposal proposal_of(const shape_data *d, const shape_fit *f) {
    const double(*a)[3] = f->precision;
    double over = 1 / (broad * broad), det = a[1][1] * a[2][2] - a[1][2] * a[1][2];
    proposal p = { .inner = { a[1][1] * over, a[1][2] * over, a[2][2] * over },
                   .mass = 1,
                   .half_log_det = 0.5 * log(det * over * over) };
    if (!d->rs_free) return p;
    p.deviation = broad * shape_rs_deviation(f);
    p.low = (d->rs_low - f->mean[0]) / p.deviation, p.high = (d->rs_high - f->mean[0]) / p.deviation;
    p.mass = 0.5 * (p.low > 0 ? erfc(p.low / ROOT_TWO) - erfc(p.high / ROOT_TWO)
                              : erfc(-p.high / ROOT_TWO) - erfc(-p.low / ROOT_TWO));
    p.slope[0] = -(a[2][2] * a[0][1] - a[1][2] * a[0][2]) / det;
    p.slope[1] = -(a[1][1] * a[0][2] - a[1][2] * a[0][1]) / det;
    return p;
}

static bool draw_tight(const job *j, const shape_fit *f, double x[3]) {
    proposal p = proposal_of(j->data, f);
    double by = 0, chi2 = -2 * log(rng_unit(j->r) * rng_unit(j->r) * rng_unit(j->r)); /* six degrees of freedom */
    if (!(p.mass > 1e-280)) return false;
    if (j->data->rs_free) by = p.deviation * normal_between(p.low, p.high, rng_unit(j->r));
    double root = sqrt(p.inner[0]), low = p.inner[1] / root,
           last = sqrt(fmax(p.inner[2] - low * low, 1e-12 * p.inner[2])), scale = sqrt(FREEDOM / chi2),
           b = scale * rng_normal(j->r) / last, a = (scale * rng_normal(j->r) - low * b) / root;
    x[0] = f->mean[0] + by;
    x[1] = f->mean[1] + p.slope[0] * by + a;
    x[2] = f->mean[2] + p.slope[1] * by + b;
    return true;
}

static double log_tight(const job *j, const shape_fit *f, const double x[3]) {
    proposal p = proposal_of(j->data, f);
    double by = x[0] - f->mean[0], a = x[1] - f->mean[1] - p.slope[0] * by, b = x[2] - f->mean[2] - p.slope[1] * by;
    double far = p.inner[0] * a * a + 2 * p.inner[1] * a * b + p.inner[2] * b * b, outer = 0;
    if (!(p.mass > 1e-280)) return -INFINITY;
    if (j->data->rs_free) {
        double z = by / p.deviation;
        outer = -0.5 * z * z - log(2.5066282746310002 * p.deviation * p.mass);
    }
    return outer + p.half_log_det - log(6.283185307179586) - 0.5 * (FREEDOM + 2) * log1p(far / FREEDOM);
}

static int64_t pick(const double *cumulated, int64_t count, double at) {
    int64_t low = 0, high = count - 1;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (cumulated[middle] < at) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The modes of the square, at the shape that was drawn in it; their shares by the square's masses. */
static int modes_at(const job *j, const shape_square *q, const double u[2], shape_fit *fit, double *share) {
    int count = 0;
    double sum = 0;
    for (int i = 0; i < q->modes; i++) {
        fit[count] = q->fit[i];
        share[count] = exp(q->log_mass[i] - q->log_all);
        if (share[count] > 1e-12 && shape_fit_from(j->data, u, &fit[count])) sum += share[count], count++;
    }
    for (int i = 0; i < count; i++) share[i] /= sum;
    return count;
}

/* A draw and ln of its weight; -infinity: it lies outside of the prior. */
static double propose(const job *j, draw *out) {
    int64_t which = pick(j->cumulated, j->leaves, rng_unit(j->r));
    const shape_square *q = &j->tree->square[j->leaf[which]];
    double u[2] = { q->low[0] + q->side * rng_unit(j->r), q->low[1] + q->side * rng_unit(j->r) }, x[3],
           share[SHAPE_MODES], coordinate[FREE_MOST], log_q = 0, sum = 0, at;
    double of_leaf = j->cumulated[which] - (which ? j->cumulated[which - 1] : 0);
    shape_fit fit[SHAPE_MODES];
    fibre along;
    int modes = modes_at(j, q, u, fit, share), mode = 0;
    *out = (draw){ .log_density = -INFINITY };
    if (!modes) return -INFINITY;
    for (at = rng_unit(j->r); mode < modes - 1 && at > share[mode]; mode++) at -= share[mode];
    if (!draw_tight(j, &fit[mode], x)) return -INFINITY;
    for (int i = 0; i < modes; i++) sum += share[i] * exp(log_tight(j, &fit[i], x) - log_tight(j, &fit[mode], x));
    log_q = log(of_leaf / (q->side * q->side)) + log_tight(j, &fit[mode], x) + log(sum);
    shape s = shape_of(x[1], x[2], u);
    fibre_within(&s, j->rule, &along);
    if (!(along.mass > 0)) return -INFINITY;
    int piece = 0;
    for (at = along.mass * rng_unit(j->r); piece < along.count - 1 && at > along.piece[piece].mass; piece++)
        at -= along.piece[piece].mass;
    shape_circuit(&s, exp(fibre_at(&along.piece[piece], rng_unit(j->r))), out->p);
    if (along.piece[piece].swapped) eis_swap(out->p, out->p);
    for (int k = 0; k < EIS_COUNT; k++) /* what is known, to the last bit */
        if (j->rule->known == k || (j->rule->bare && k == EIS_RSH)) out->p[k] = j->d->fixed[k];
    out->p[EIS_RS] = x[0] - j->shift;
    density_coordinates(j->d, out->p, coordinate);
    out->log_density = density_at(j->d, coordinate, NULL);
    return out->log_density + shape_log_prior(&s) + log(along.mass) - log_q;
}

/* ---- all of them ---- */

/* Leaves with their shares, `evenly` of them alike. */
static bool list_leaves(const shape_tree *t, double **cumulated, int64_t **leaf, int64_t *count) {
    *cumulated = malloc((size_t)t->count * sizeof **cumulated);
    *leaf = malloc((size_t)t->count * sizeof **leaf);
    *count = 0;
    if (!*cumulated || !*leaf) return false;
    for (int64_t i = 0; i < t->count; i++)
        if (t->square[i].child < 0 && t->square[i].log_all > t->log_all - 30) (*leaf)[(*count)++] = i;
    double sum = 0, all = 0;
    for (int64_t i = 0; i < *count; i++) all += exp(t->square[(*leaf)[i]].log_all - t->log_all);
    for (int64_t i = 0; i < *count; i++) {
        sum += (1 - evenly) * exp(t->square[(*leaf)[i]].log_all - t->log_all) / all + evenly / (double)*count;
        (*cumulated)[i] = sum;
    }
    return *count > 0;
}

/* ln of the prior's volume: its density is uniform over the ranges, each circuit with a the slower membrane counted
 * once. */
static double log_volume(const density *d) {
    double sum = d->canonical ? -log(2) : 0;
    for (int i = 0; i < d->free_count; i++) sum += log(d->high[i] - d->low[i]);
    return sum;
}

static void normalise(draw *out, int64_t count, const density *d, shape_account *account) {
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < count; i++) most = fmax(most, out[i].weight);
    for (int64_t i = 0; i < count; i++) {
        out[i].weight = isfinite(out[i].weight) ? exp(out[i].weight - most) : 0;
        sum += out[i].weight, squares += out[i].weight * out[i].weight;
    }
    for (int64_t i = 0; i < count; i++) out[i].weight /= sum;
    *account = (shape_account){ sum * sum / squares, most + log(sum / (double)count) - log_volume(d) };
}

/* Draws without weight are of no use to anyone: the others take their places, again and again at a smaller weight. */
static int64_t keep_inside(draw *out, int64_t count) {
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(out[i].weight)) out[kept++] = out[i];
    for (int64_t i = kept; kept && i < count; i++) out[i] = out[kept - 1], out[i].weight = -INFINITY;
    return kept;
}

static tide_status draw_all(job *j, int64_t count, const stopper *stop, draw *out, shape_account *account) {
    for (int64_t i = 0; i < count; i++) {
        if (i % 64 == 0 && stopped(stop)) return TIDE_ECANCELLED;
        double weight = propose(j, &out[i]);
        out[i].weight = weight;
    }
    if (!keep_inside(out, count)) return TIDE_EDATA;
    normalise(out, count, j->d, account);
    return TIDE_OK;
}

static bool data_of(const density *d, const eis_spectrum *s, const eis_z *near, const fibre_rule *rule,
                    shape_data *out) {
    bool rs_free = d->free[d->free_count - 1] == EIS_RS;
    double shift = rule->bare ? d->fixed[EIS_RSH] : 0;
    return shape_data_new(s, near, d->noise, rs_free ? NAN : d->fixed[EIS_RS] + shift, rule->range.low[EIS_RS] + shift,
                          rule->range.high[EIS_RS] + shift, out);
}

tide_status sample_shapes(const density *d, const eis_spectrum *s, const eis_z *near, int64_t count, rng *r,
                          const stopper *stop, draw *out, shape_account *account) {
    fibre_rule rule = rule_of(d);
    shape_data data;
    shape_tree tree = { 0 };
    double *cumulated = NULL;
    int64_t *leaf = NULL, leaves = 0;
    if (!data_of(d, s, near, &rule, &data)) return TIDE_ENOMEM;
    tide_status status = shape_tree_grow(&data, &rule, stop, &tree);
    if (status == TIDE_OK && !list_leaves(&tree, &cumulated, &leaf, &leaves)) status = TIDE_ENOMEM;
    job j = { d, &data, &rule, &tree, cumulated, leaf, leaves, rule.bare ? d->fixed[EIS_RSH] : 0, r };
    if (status == TIDE_OK) status = draw_all(&j, count, stop, out, account);
    free(cumulated), free(leaf);
    shape_tree_free(&tree);
    shape_data_free(&data);
    return status;
}

/* ---- one relaxation ---- */

/* As density_at, of Rs + R / (1 + s tau). */
static double log_likelihood(const density *d, const eis_spectrum *s, const double x[3]) {
    const double p[EIS_COUNT] = { 0, exp(x[1]), 1e-300, exp(x[2] - x[1]), 1e-300 };
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        eis_z z;
        eis_impedance(EIS_CHAIN, p, x[0], 1, &s->freq_hz[i], &z);
        double re = s->z[i].re - z.re, im = s->z[i].im - z.im, size = z.re * z.re + z.im * z.im;
        sum += -0.5 * (re * re + im * im) / (size * d->noise * d->noise) +
               log((s->z[i].re * s->z[i].re + s->z[i].im * s->z[i].im) / size);
    }
    return sum;
}

/* Laplace's approximation, which three numbers that any arc determines deserve. */
one_relaxation one_relaxation_beside(const density *d, const eis_spectrum *s, const eis_z *near, double log_evidence) {
    static const double one_arc[2] = { -40, 0 }; /* T1 = 1: pole and zero cancel */
    one_relaxation out = { .log_odds = NAN };
    fibre_rule rule = rule_of(d);
    shape_data data;
    shape_fit fit[SHAPE_MODES];
    if (rule.bare || rule.known >= 0 || !data_of(d, s, near, &rule, &data)) return out;
    int modes = shape_fit_all(&data, one_arc, fit), best = 0;
    ranges *r = &rule.range;
    double volume = log(log(r->high[EIS_RSH] / r->low[EIS_RSH]) * log(r->high[EIS_CA] / r->low[EIS_CA]));
    if (data.rs_free) volume += log(data.rs_high - data.rs_low);
    for (int i = 0; i < modes; i++) best = fit[i].misfit < fit[best].misfit ? i : best;
    if (modes) {
        fit[best].mean[0] = fmin(fmax(fit[best].mean[0], data.rs_free ? data.rs_low : -INFINITY), INFINITY);
        out = (one_relaxation){ log_likelihood(d, s, fit[best].mean) + shape_log_width(&data, &fit[best]) - volume -
                                    log_evidence,
                                exp(fit[best].mean[1]), exp(fit[best].mean[2] - fit[best].mean[1]) };
    }
    shape_data_free(&data);
    return out;
}
