/* Importance sampling. A square of the tree is drawn by its mass and a shape evenly within it; Rs, R0 and tau0 come
 * from the normal approximations there, broadened and with the tails of Student's t; the place on the fibre is drawn
 * evenly between the ranges' edges, as the posterior has it. What is left is a weight close to 1. */
#include "shape_sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shape_known.h"
#include "shape_tree.h"
#include "student.h"

static const double broad = 1.2; /* standard deviations of the proposals over those of the approximation */
static const double evenly = 0.05; /* share of the draws that go to all squares alike */
enum { FREEDOM = 6 }; /* of the t distribution */
#define ROOT_TWO    1.4142135623730951
#define ROOT_TWO_PI 2.5066282746310002

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

/* A shape and the modes there; ln of the shape's density, -infinity: there are none. */
typedef struct seen {
    double u[2], share[SHAPE_MODES], log_density;
    shape_fit fit[SHAPE_MODES];
    int modes, mode; /* the one that was drawn */
} seen;

static bool draw_shape(const job *j, seen *out) {
    int64_t which = pick(j->cumulated, j->leaves, rng_unit(j->r));
    const shape_square *q = &j->tree->square[j->leaf[which]];
    double of_leaf = j->cumulated[which] - (which ? j->cumulated[which - 1] : 0), at;
    for (int k = 0; k < 2; k++) out->u[k] = q->low[k] + q->side * rng_unit(j->r);
    out->modes = modes_at(j, q, out->u, out->fit, out->share), out->mode = 0;
    out->log_density = log(of_leaf / (q->side * q->side));
    for (at = rng_unit(j->r); out->mode < out->modes - 1 && at > out->share[out->mode]; out->mode++)
        at -= out->share[out->mode];
    return out->modes > 0;
}

/* The circuit, and ln of likelihood and prior over the density of the draw. */
static double finish(const job *j, const shape *s, const double x[3], double ln_g, bool swapped, double log_q,
                     draw *out) {
    double coordinate[FREE_MOST];
    fibre_circuit(s, ln_g, swapped, out->p);
    for (int k = 0; k < EIS_COUNT; k++) /* what is known, to the last bit */
        if (j->rule->known == k || (j->rule->bare && k == EIS_RSH)) out->p[k] = j->d->fixed[k];
    out->p[EIS_RS] = x[0] - j->shift;
    density_coordinates(j->d, out->p, coordinate);
    out->log_density = density_at(j->d, coordinate, NULL);
    return out->log_density + shape_log_prior(s) - log_q;
}

/* The piece of the fibre at a share of its mass. */
static const fibre_piece *piece_at(const fibre *along, double share) {
    int at = 0;
    for (share *= along->mass; at < along->count - 1 && share > along->piece[at].mass; at++)
        share -= along->piece[at].mass;
    return &along->piece[at];
}

/* Nothing is known: Rs, R0 and tau0, then a place on the fibre. */
static double propose_free(const job *j, const seen *at, draw *out) {
    double x[3], sum = 0, own;
    fibre along;
    if (!draw_tight(j, &at->fit[at->mode], x)) return -INFINITY;
    own = log_tight(j, &at->fit[at->mode], x);
    for (int i = 0; i < at->modes; i++) sum += at->share[i] * exp(log_tight(j, &at->fit[i], x) - own);
    shape s = shape_of(x[1], x[2], at->u);
    fibre_within(&s, j->rule, &along);
    if (!(along.mass > 0)) return -INFINITY;
    const fibre_piece *piece = piece_at(&along, rng_unit(j->r));
    return finish(j, &s, x, fibre_at(piece, rng_unit(j->r)), piece->swapped,
                  at->log_density + own + log(sum) - log(along.mass), out);
}

/* ---- one is known ---- */

/* The broadened normal of a fit, whole: Cholesky's factor of its covariance. */
typedef struct whole {
    double s[3][3], root[3][3], log_norm;
} whole;

static whole whole_of(const job *j, const shape_fit *f) {
    whole w = { .log_norm = 0 };
    int first = !j->data->rs_free;
    shape_covariance(f, j->data->rs_free, w.s);
    for (int i = first; i < 3; i++)
        for (int k = first; k <= i; k++) {
            double sum = broad * broad * w.s[i][k];
            for (int l = first; l < k; l++) sum -= w.root[i][l] * w.root[k][l];
            if (i == k) w.log_norm -= log(ROOT_TWO_PI * (w.root[i][i] = sqrt(fmax(sum, 1e-300))));
            else w.root[i][k] = sum / w.root[k][k];
        }
    return w;
}

/* What the known value asks of x: c x, and the variance that the normal gives it. */
static double asked_of(const job *j, const double x[3]) { return j->rule->known < EIS_CA ? x[1] : x[2] - x[1]; }

static void slope_of(const job *j, const whole *w, double along[3], double *variance) {
    bool r = j->rule->known < EIS_CA;
    for (int i = 0; i < 3; i++) along[i] = broad * broad * (r ? w->s[i][1] : w->s[i][2] - w->s[i][1]);
    *variance = r ? along[1] : along[2] - along[1];
}

/* ln of the density of x given what is asked. */
static double log_given(const job *j, const shape_fit *f, const double x[3]) {
    whole w = whole_of(j, f);
    double along[3], variance, z[3], sum = 0, apart = asked_of(j, x) - asked_of(j, f->mean);
    slope_of(j, &w, along, &variance);
    for (int i = !j->data->rs_free; i < 3; i++) {
        z[i] = x[i] - f->mean[i];
        for (int k = !j->data->rs_free; k < i; k++) z[i] -= w.root[i][k] * z[k];
        z[i] /= w.root[i][i];
        sum += z[i] * z[i];
    }
    return w.log_norm - 0.5 * sum + 0.5 * apart * apart / variance + log(ROOT_TWO_PI) + 0.5 * log(variance);
}

static double density_in(const fibre *along, double ln_g, bool swapped) {
    for (int i = 0; i < along->count; i++)
        if (along->piece[i].swapped == swapped && ln_g >= along->piece[i].low && ln_g <= along->piece[i].high)
            return along->piece[i].mass / (along->mass * (along->piece[i].high - along->piece[i].low));
    return 0;
}

/* A place on the fibre, what it asks for, and the rest by the normal given that (a draw, moved to fulfil it). */
static double propose_known(const job *j, const seen *at, draw *out) {
    fibre along[SHAPE_MODES];
    const shape_fit *f = &at->fit[at->mode];
    double x[3] = { f->mean[0], f->mean[1], f->mean[2] }, z[3], slope[3], variance, sum = 0;
    for (int i = 0; i < at->modes; i++) fibre_known(at->u, j->rule, &at->fit[i], j->data->rs_free, &along[i]);
    if (!(along[at->mode].mass > 0)) return -INFINITY;
    const fibre_piece *piece = piece_at(&along[at->mode], rng_unit(j->r));
    double ln_g = fibre_at(piece, rng_unit(j->r)), asked = fibre_asks(at->u, j->rule, ln_g, piece->swapped);
    whole w = whole_of(j, f);
    slope_of(j, &w, slope, &variance);
    for (int i = !j->data->rs_free; i < 3; i++) {
        z[i] = rng_normal(j->r);
        for (int k = !j->data->rs_free; k <= i; k++) x[i] += w.root[i][k] * z[k];
    }
    double short_of = asked - asked_of(j, x);
    for (int i = !j->data->rs_free; i < 3; i++) x[i] += slope[i] * short_of / variance;
    if (j->data->rs_free && !(x[0] >= j->data->rs_low && x[0] <= j->data->rs_high)) return -INFINITY;
    for (int i = 0; i < at->modes; i++)
        sum += at->share[i] * density_in(&along[i], ln_g, piece->swapped) * exp(log_given(j, &at->fit[i], x));
    shape s = shape_of(x[1], x[2], at->u);
    return finish(j, &s, x, ln_g, piece->swapped, at->log_density + log(sum), out);
}

/* A draw and ln of its weight; -infinity: it lies outside of the prior. */
static double propose(const job *j, draw *out) {
    seen at;
    *out = (draw){ .log_density = -INFINITY };
    if (!draw_shape(j, &at)) return -INFINITY;
    return (j->rule->known >= 0 ? propose_known : propose_free)(j, &at, out);
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
static double log_likelihood(const density *d, const double x[3]) {
    const eis_spectrum *s = d->of;
    const double p[EIS_COUNT] = { 0, exp(x[1]), 1e-300, exp(x[2] - x[1]), 1e-300 };
    double sum = 0;
    for (int64_t i = 0; i < s->count; i++) {
        eis_z z;
        eis_impedance(EIS_CHAIN, p, x[0], 1, &s->freq_hz[i], &z);
        double re = s->z[i].re - z.re, im = s->z[i].im - z.im, size = z.re * z.re + z.im * z.im;
        double over = 1 / (size * STUDENT_SCALE * STUDENT_SCALE * d->noise * d->noise * STUDENT_FREEDOM);
        sum += (d->robust ? -0.5 * (STUDENT_FREEDOM + 1) * (log1p(re * re * over) + log1p(im * im * over))
                          : -0.5 * (re * re + im * im) / (size * d->noise * d->noise)) +
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
        out = (one_relaxation){ log_likelihood(d, fit[best].mean) + shape_log_width(&data, &fit[best]) - volume -
                                    log_evidence,
                                exp(fit[best].mean[1]), exp(fit[best].mean[2] - fit[best].mean[1]) };
    }
    shape_data_free(&data);
    return out;
}
