/* Sequential Monte Carlo (Del Moral, Doucet and Jasra 2006) by p^b q^(1 - b), b from 0 to 1, q the mixture and p the
 * density. Between the powers each particle moves by
 * the difference of two others (ter Braak 2006), in all coordinates, in a few, or by the whole of it, and one
 * coordinate goes anywhere in its range. Those that move take others' places from the half that stands still. At the
 * last power they move until what they came from is forgotten. */
#include "tempered.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 4, SWEEPS_BETWEEN = 8, SWEEPS_LEAST = 24, SWEEPS_MOST = 768, STAGES_MOST = 200, TRIES = 50 };
static const double left_effective = 0.5; /* of the particles, by one step of the power */
static const double settled = 0.15; /* of a variance: it changes no more */
static const double forgotten = 0.02; /* the square of a coordinate's correlation with its past */

typedef struct particles {
    const target *t;
    const mixture *from;
    int64_t count;
    sampled *now, *next; /* their weight is ln of the mixture's density */
    double *weight;
    int64_t *order; /* a permutation: the first half moves, then the second */
    int64_t *family; /* by particle: the one that it was copied from last */
    double power;
    rng *r;
} particles;

/* ---- powers ---- */

/* ln of the density at this power. */
static double log_at(const particles *s, const sampled *p) {
    return s->power < 1 ? s->power * p->log_density + (1 - s->power) * p->weight : p->log_density;
}

/* By weights for a step of the power, which are left. */
static double effective(const particles *s, double step) {
    double most = -INFINITY, sum = 0, squares = 0;
    for (int64_t i = 0; i < s->count; i++) most = fmax(most, s->now[i].log_density - s->now[i].weight);
    for (int64_t i = 0; i < s->count; i++) {
        double w = s->weight[i] = exp(step * (s->now[i].log_density - s->now[i].weight - most));
        sum += w, squares += w * w;
    }
    for (int64_t i = 0; i < s->count; i++) s->weight[i] /= sum;
    return sum * sum / squares;
}

/* The largest step that leaves so many effective; weights are left for it. */
static double next_step(const particles *s) {
    double low = 0, high = 1 - s->power, enough = left_effective * (double)s->count;
    if (effective(s, high) >= enough) return high;
    for (int i = 0; i < 30; i++) {
        double middle = (low + high) / 2;
        if (effective(s, middle) >= enough) low = middle;
        else high = middle;
    }
    low = fmax(low, 1e-6);
    effective(s, low);
    return low;
}

static void resample(particles *s) {
    double all = 0, u = rng_unit(s->r);
    for (int64_t i = 0, k = -1; i < s->count; i++) {
        while (k < s->count - 1 && all <= ((double)i + u) / (double)s->count) all += s->weight[++k];
        s->next[i] = s->now[k], s->family[i] = k;
    }
    sampled *spare = s->now;
    s->now = s->next, s->next = spare;
}

/* ---- moves ---- */

static int64_t below(rng *r, int64_t count) { return (int64_t)(rng_unit(r) * (double)count) % count; }

static void shuffle(const particles *s) {
    for (int64_t i = s->count; i-- > 1;) {
        int64_t k = below(s->r, i + 1), was = s->order[i];
        s->order[i] = s->order[k], s->order[k] = was;
    }
}

static void propose(const particles *s, int kind, const int64_t *others, int64_t count, double *y) {
    int n = s->t->count, moved = n, only = (int)below(s->r, n);
    bool takes[PARAMETERS_MOST];
    if (kind == 3) {
        y[only] = s->t->low[only] + (s->t->high[only] - s->t->low[only]) * rng_unit(s->r);
        return;
    }
    for (int k = moved = 0; k < n; k++) moved += takes[k] = kind != 1 || k == only || rng_unit(s->r) < 0.3;
    const double *a = s->now[others[below(s->r, count)]].y, *b = s->now[others[below(s->r, count)]].y;
    double by = kind == 2 ? 1 : 2.38 / sqrt(2.0 * moved) * sqrt(rng_unit(s->r));
    for (int k = 0; k < n; k++)
        if (takes[k]) y[k] += by * (a[k] - b[k]) + 1e-9 * rng_normal(s->r);
}

static void move(const particles *s, int kind, int64_t which, const int64_t *others, int64_t count) {
    sampled *p = &s->now[which], c = *p;
    propose(s, kind, others, count, c.y);
    c.log_density = target_at(s->t, c.y);
    if (!isfinite(c.log_density)) return;
    if (s->power < 1) c.weight = mixture_log(s->from, c.y);
    bool takes = log(rng_unit(s->r)) < log_at(s, &c) - log_at(s, p);
    if (takes) *p = c;
}

static bool sweep(const particles *s, int number) {
    int64_t half = s->count / 2;
    shuffle(s);
    for (int64_t i = 0; i < s->count; i++) {
        bool first = i < half;
        if (i % 64 == 0 && stopped(s->t->stop)) return false;
        move(s, number % KINDS, s->order[i], s->order + (first ? half : 0), first ? s->count - half : half);
    }
    return true;
}

/* ---- what the particles are worth ---- */

/* The largest squared correlation of a coordinate with where it was. */
static double remembered(const particles *s, const sampled *before) {
    double most = 0;
    for (int k = 0; k < s->t->count; k++) {
        double m[2] = { 0 }, xx = 0, xy = 0, yy = 0;
        for (int64_t i = 0; i < s->count; i++) m[0] += before[i].y[k], m[1] += s->now[i].y[k];
        for (int64_t i = 0; i < s->count; i++) {
            double x = before[i].y[k] - m[0] / (double)s->count, y = s->now[i].y[k] - m[1] / (double)s->count;
            xx += x * x, xy += x * y, yy += y * y;
        }
        most = fmax(most, xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 1);
    }
    return most;
}

/* Copies of one particle stand for one as far as they remember it. */
static double worth(const particles *s, double remembers) {
    double squares = 0;
    for (int64_t i = 0, size = 0; i < s->count; i++) {
        size++;
        if (i + 1 < s->count && s->family[i + 1] == s->family[i]) continue;
        squares += (double)size * (double)size, size = 0;
    }
    double count = (double)s->count;
    return 1 / (remembers * squares / (count * count) + (1 - remembers) / count);
}

/* The largest change of a coordinate's variance, over the variance. */
static double spreading(const particles *s, double *variance) {
    double most = 0;
    for (int k = 0; k < s->t->count; k++) {
        double mean = 0, sum = 0;
        for (int64_t i = 0; i < s->count; i++) mean += s->now[i].y[k] / (double)s->count;
        for (int64_t i = 0; i < s->count; i++) sum += (s->now[i].y[k] - mean) * (s->now[i].y[k] - mean);
        most = fmax(most, fabs(log(sum / variance[k])));
        variance[k] = sum;
    }
    return most;
}

/* At the last power; the next particles' room holds where they began. Every time that they have moved twice as often it
 * is seen whether they still spread. */
static bool settle(const particles *s, tempered_account *account) {
    double remembers = 1, spreads = INFINITY, variance[PARAMETERS_MOST];
    memcpy(s->next, s->now, (size_t)s->count * sizeof *s->now);
    spreading(s, variance);
    for (int i = 1, check = SWEEPS_LEAST; i <= SWEEPS_MOST; i++) {
        if (!sweep(s, i)) return false;
        if (i < check) continue;
        remembers = remembered(s, s->next), spreads = spreading(s, variance), check *= 2;
        if (remembers < forgotten && spreads < settled) break;
    }
    account->effective = spreads < settled ? worth(s, remembers) : 0;
    return true;
}

/* ---- all ---- */

/* Draws of the mixture that are within the bounds; false: none is. */
static bool begin(const particles *s) {
    int64_t inside = 0;
    for (int64_t tries = 0; inside < s->count && tries < TRIES * s->count; tries++) {
        sampled *p = &s->now[inside];
        mixture_draw(s->from, s->r, p->y);
        p->log_density = target_at(s->t, p->y);
        p->weight = mixture_log(s->from, p->y);
        inside += isfinite(p->log_density);
    }
    for (int64_t i = 0; i < s->count; i++) s->order[i] = i;
    for (int64_t i = inside; inside && i < s->count; i++) s->now[i] = s->now[i % inside];
    return inside > 0;
}

/* False: stopped. */
static bool run(particles *s, tempered_account *account) {
    if (!begin(s)) return true;
    for (int stage = 0; s->power < 1 && stage < STAGES_MOST; stage++) {
        double step = next_step(s);
        s->power = stage == STAGES_MOST - 1 || step >= 1 - s->power ? 1 : s->power + step;
        resample(s);
        for (int k = 0; s->power < 1 && k < SWEEPS_BETWEEN; k++)
            if (!sweep(s, k)) return false;
    }
    return settle(s, account);
}

tempered_account tempered_sample(const target *t, const mixture *from, int64_t count, rng *r, sampled *out) {
    size_t n = (size_t)count;
    particles s = { .t = t, .from = from, .count = count, .r = r };
    tempered_account account = { .effective = 0 };
    s.now = malloc(n * sizeof *s.now), s.next = malloc(n * sizeof *s.next), s.weight = malloc(n * sizeof *s.weight);
    s.order = malloc(n * sizeof *s.order), s.family = malloc(n * sizeof *s.family);
    account.failed = !s.now || !s.next || !s.weight || !s.order || !s.family;
    account.stopped = !account.failed && !run(&s, &account);
    for (int64_t i = 0; !account.failed && i < count; i++) out[i] = s.now[i], out[i].weight = 0;
    free(s.now), free(s.next), free(s.weight), free(s.order), free(s.family);
    return account;
}
