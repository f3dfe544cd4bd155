/* Levenberg and Marquardt from several starts. Where the noise is unknown, what remains is fitted again with the points
 * weighed by how likely they are to be outliers: expectation and maximisation of one in a hundred with ten times the
 * noise. */
#include "quick_fit.h"

#include <math.h>
#include <string.h>

#include "quick_fit_start.h"
#include "quick_rule.h"
#include "small_system.h"

#define TWO_PI 6.283185307179586476925286766559
#define RS_MOST 100.0
#define NOISE_LEAST 1e-7
enum { N = QUICK_UNKNOWNS, ROUNDS = 5, ROUND_STEPS = 4 };

static const double middle[N] = { QUICK_MIDDLE_R, QUICK_MIDDLE_C, QUICK_MIDDLE_R, QUICK_MIDDLE_C, 50 };
static const double weight[N] = { QUICK_WEIGHT, QUICK_WEIGHT, QUICK_WEIGHT, QUICK_WEIGHT, 12 / (RS_MOST * RS_MOST) };

typedef struct lm { double x[N], value[N], objective, damping; quick_sums sums; } lm;
typedef struct problem { quick_data data; double noise; bool rs_free; int unknowns; } problem;

static void values_at(const double *x, double *value) {
    for (int k = 0; k < 4; k++) value[k] = exp(x[k]);
    value[4] = x[4];
}

static double prior(const problem *p, const double *x) {
    double sum = 0;
    for (int k = 0; k < p->unknowns; k++) sum += weight[k] * (x[k] - middle[k]) * (x[k] - middle[k]);
    return sum;
}

static void evaluate(const problem *p, lm *s) {
    values_at(s->x, s->value);
    quick_sums_at(&p->data, s->value, p->rs_free, &s->sums);
    s->objective = s->sums.square / (p->noise * p->noise) + prior(p, s->x);
}

/* Lower triangle of the Hessian (halved) and the gradient (halved) at s. */
static void hessian(const problem *p, const lm *s, double h[N][N], double *g) {
    double over = 1 / (p->noise * p->noise);
    for (int a = 0, at = 0; a < p->unknowns; a++) {
        for (int b = 0; b <= a; b++) h[a][b] = over * s->sums.gram[at++];
        h[a][a] += weight[a];
        g[a] = over * s->sums.gradient[a] + weight[a] * (s->x[a] - middle[a]);
    }
}

/* Rs at a bound that it wants to cross stays there. */
static void hold_rs(const lm *s, double h[N][N], double *g) {
    if (!(s->x[4] <= 0 && g[4] > 0) && !(s->x[4] >= RS_MOST && g[4] < 0)) return;
    for (int k = 0; k < 4; k++) h[4][k] = 0;
    h[4][4] = 1, g[4] = 0;
}

static void move(const problem *p, const double *from, const double *step, double *to) {
    double longest = 0;
    for (int k = 0; k < 4; k++) longest = fmax(longest, fabs(step[k]));
    double share = longest > QUICK_LONGEST ? QUICK_LONGEST / longest : 1;
    for (int k = 0; k < 4; k++)
        to[k] = fmin(fmax(from[k] - share * step[k], middle[k] - QUICK_FURTHEST), middle[k] + QUICK_FURTHEST);
    to[4] = p->rs_free ? fmin(fmax(from[4] - share * step[4], 0), RS_MOST) : from[4];
}

/* Geodesic acceleration (Transtrum and Sethna 2012): the valleys of nearly equal time constants are long and bent. */
static void follow_valley(const problem *p, const lm *s, double l[N][N], double *step) {
    double bend[N], over = 1 / (p->noise * p->noise), size = 0, turn = 0;
    quick_bend(&p->data, s->value, step, bend);
    for (int k = 0; k < p->unknowns; k++) bend[k] *= over;
    small_substitute(p->unknowns, N, l[0], bend);
    for (int k = 0; k < 4; k++) size += step[k] * step[k], turn += bend[k] * bend[k];
    if (!(turn < QUICK_BEND_MOST * QUICK_BEND_MOST * size)) return;
    for (int k = 0; k < p->unknowns; k++) step[k] += 0.5 * bend[k];
}

/* One trial. Returns how far the objective fell, 0 if the trial was worse. */
static double lm_step(const problem *p, lm *s) {
    double h[N][N], g[N], gained;
    lm     trial;
    hessian(p, s, h, g);
    if (p->rs_free) hold_rs(s, h, g);
    for (int k = 0; k < p->unknowns; k++) h[k][k] *= 1 + s->damping;
    small_cholesky(p->unknowns, N, h[0]);
    small_substitute(p->unknowns, N, h[0], g);
    follow_valley(p, s, h, g);
    move(p, s->x, g, trial.x);
    evaluate(p, &trial);
    gained = s->objective - trial.objective;
    if (!(gained >= 0)) {
        s->damping *= 10;
        return 0;
    }
    trial.damping = fmax(0.1 * s->damping, QUICK_LEAST_DAMPING);
    *s = trial;
    return gained;
}

/* Until two bold steps gain next to nothing, or no timid one gains anything. */
static void lm_run(const problem *p, int steps, lm *s) {
    for (int i = 0, still = 0; i < steps && still < 2; i++) {
        if (lm_step(p, s) >= QUICK_GAIN_LEAST) still = 0;
        else still += s->damping <= QUICK_BOLD || s->damping >= QUICK_TIMID;
    }
}

static void lm_begin(const problem *p, const double value[N], lm *s) {
    for (int k = 0; k < 4; k++)
        s->x[k] = fmin(fmax(log(value[k]), middle[k] - QUICK_FURTHEST), middle[k] + QUICK_FURTHEST);
    s->x[4]    = value[4];
    s->damping = QUICK_DAMPING;
    evaluate(p, s);
}

static void best_of_starts(const problem *p, lm *best) {
    quick_start start[QUICK_STARTS];
    int         count = quick_starts(&p->data, p->rs_free, start);
    for (int i = 0; i < count; i++) {
        lm s;
        lm_begin(p, start[i].value, &s);
        for (int step = 0; step < QUICK_FIRST_STEPS; step++) lm_step(p, &s);
        if (i == 0 || !(s.objective >= best->objective)) *best = s;
    }
}

/* ---- unknown noise ---- */

static double median(double *x, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        double  v = x[i];
        int64_t j = i;
        for (; j > 0 && x[j - 1] > v; j--) x[j] = x[j - 1];
        x[j] = v;
    }
    return 0.5 * (x[count / 2] + x[(count - 1) / 2]);
}

/* The median of a square of two normals is 2 ln 2 variances. */
double quick_noise_by_median(const double *square, int64_t count) {
    double sorted[QUICK_ROOM];
    memcpy(sorted, square, (size_t)count * sizeof *sorted);
    return fmax(sqrt(median(sorted, count) / 1.3862943611198906), NOISE_LEAST);
}

static void weigh_again(problem *p, lm *s, bool first, double *outliers) {
    double square[QUICK_ROOM], freedom = (double)(2 * p->data.count - p->unknowns);
    quick_errors(&p->data, s->value, square);
    if (first) p->noise = quick_noise_by_median(square, p->data.count);
    double sum = quick_weigh(&p->data, square, p->noise, outliers);
    p->noise   = fmax(sqrt(sum / freedom), NOISE_LEAST);
    evaluate(p, s);
}

static void fit_robustly(problem *p, lm *s, double *outliers) {
    for (int round = 0; round < ROUNDS; round++) {
        weigh_again(p, s, round == 0, outliers);
        s->damping = 1e-3;
        lm_run(p, ROUND_STEPS, s);
    }
    weigh_again(p, s, false, outliers);
}

/* ---- the answer ---- */

static void answer(const problem *p, const lm *s, quick_fit *out) {
    double h[N][N], g[N], cov[N][N];
    int    order[4] = { 0, 1, 2, 3 };
    if (s->x[QUICK_LN_TAU1] < s->x[QUICK_LN_TAU2]) order[0] = 2, order[1] = 3, order[2] = 0, order[3] = 1;
    hessian(p, s, h, g);
    small_inverse(p->unknowns, N, h[0], cov[0]);
    for (int a = 0; a < 4; a++) {
        out->x[a] = s->x[order[a]];
        for (int b = 0; b < 4; b++) out->cov[a][b] = 0.5 * (cov[order[a]][order[b]] + cov[order[b]][order[a]]);
    }
    out->noise  = p->noise;
    out->misfit = s->sums.square / (p->noise * p->noise);
    if (!p->rs_free) return;
    out->rs_ohm = s->x[4];
    out->rs_sd  = sqrt(cov[4][4]);
    for (int a = 0; a < 4; a++) out->rs_corr[a] = cov[order[a]][4] / sqrt(cov[order[a]][order[a]] * cov[4][4]);
}

static void data_fill(int64_t count, const double *freq_hz, const eis_z *z, quick_data *d) {
    d->count  = count;
    d->padded = (count + LANES - 1) / LANES * LANES;
    for (int64_t i = 0; i < d->padded; i++) {
        int64_t from = i < count ? i : 0;
        d->omega[i]  = TWO_PI * freq_hz[from];
        d->re[i]     = z[from].re;
        d->im[i]     = z[from].im;
        d->over[i]   = d->weight[i] = i < count ? 1 / (z[i].re * z[i].re + z[i].im * z[i].im) : 0;
    }
}

void quick_fit_run(int64_t count, const double *freq_hz, const eis_z *z, double noise, bool rs_free, quick_fit *out) {
    problem p = { .noise = isnan(noise) ? 0.001 : fmax(noise, NOISE_LEAST),
                  .rs_free = rs_free,
                  .unknowns = rs_free ? 5 : 4 };
    lm      best;
    *out = (quick_fit){ 0 };
    data_fill(count, freq_hz, z, &p.data);
    best_of_starts(&p, &best);
    lm_run(&p, QUICK_LAST_STEPS, &best);
    if (isnan(noise)) fit_robustly(&p, &best, &out->outliers);
    answer(&p, &best, out);
}
