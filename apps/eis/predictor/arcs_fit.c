/* Levenberg and Marquardt from a few starts; then points are weighed by how likely they are to be outliers, and fitted
 * again (expectation and maximisation, as quick_fit.c). */
#include "arcs_fit.h"

#include <math.h>
#include <string.h>

#include "arcs_start.h"
#include "quick_fit.h"
#include "small_system.h"

#define TWO_PI 6.283185307179586476925286766559
enum { N = ARCS_COUNT, FIRST_STEPS = 15, LAST_STEPS = 50, FINALISTS = 3, ROUNDS = 5, ROUND_STEPS = 5 };
static const double first_noise = 0.02, last_noise = 0.003;
static const double noise_least = 1e-7;
static const double gain_least = 1e-4; /* of the objective */
static const double bold = 1e-3, timid = 1e6;
static const double step_most = 2; /* of a coordinate */
static const double furthest = 30; /* of a coordinate from the middle of its prior */
static const double exponent_least = 0.4;
static const double close_by = 0.01; /* of every coordinate: where one leads the other does */

typedef struct prior {
    double middle, weight, low, high;
} prior;
typedef struct problem {
    arcs_data data;
    prior prior[N];
    double noise;
} problem;
typedef struct lm {
    double x[N], objective, damping;
    arcs_sums sums;
} lm;

/* ---- the problem ---- */

/* Scaled to |Z| and frequencies around 1. Returns the logarithms of both scales. */
static void data_fill(int64_t count, const double *freq_hz, const eis_z *z, arcs_data *d, double *ln_ohm,
                      double *ln_omega) {
    quick_data *q = &d->of;
    double low = log(TWO_PI * freq_hz[count - 1]), high = log(TWO_PI * freq_hz[0]), sum = 0;
    for (int64_t i = 0; i < count; i++) sum += 0.5 * log(z[i].re * z[i].re + z[i].im * z[i].im);
    *ln_ohm = sum / (double)count;
    *ln_omega = 0.5 * (low + high);
    d->ln_low = low - *ln_omega, d->ln_high = high - *ln_omega;
    q->count = count;
    q->padded = (count + LANES - 1) / LANES * LANES;
    double over = exp(-*ln_ohm);
    for (int64_t i = 0; i < q->padded; i++) {
        int64_t from = i < count ? i : 0;
        d->ln_omega[i] = log(TWO_PI * freq_hz[from]) - *ln_omega;
        q->omega[i] = exp(d->ln_omega[i]);
        q->re[i] = z[from].re * over;
        q->im[i] = z[from].im * over;
        q->over[i] = i < count ? 1 / (q->re[i] * q->re[i] + q->im[i] * q->im[i]) : 0;
        q->weight[i] = q->over[i];
    }
}

static prior normal(double middle, double sd) {
    return (prior){ middle, 1 / (sd * sd), middle - furthest, middle + furthest };
}

/* As wide as what recipe_cell.c draws, scaled. */
static void set_priors(problem *p) {
    double half = p->data.ln_high;
    prior exponent = normal(0.85, 0.12);
    exponent.low = exponent_least, exponent.high = 1;
    p->prior[ARC_R1] = p->prior[ARC_R2] = normal(-0.5, 2.5);
    p->prior[ARC_TAU1] = p->prior[ARC_TAU2] = normal(0, 0.6 * (half + 1.1) + 0.5);
    p->prior[ARC_N1] = p->prior[ARC_N2] = p->prior[ARC_NEL] = exponent;
    p->prior[ARC_RS] = normal(-3, 3);
    p->prior[ARC_EL] = normal(-3.5, 3.5);
    p->prior[ARC_L] = normal(-5 - half, 3.5);
}

static void evaluate(const problem *p, lm *s) {
    arcs_sums_at(&p->data, s->x, &s->sums);
    s->objective = s->sums.square / (p->noise * p->noise);
    for (int k = 0; k < N; k++) {
        double off = s->x[k] - p->prior[k].middle;
        s->objective += p->prior[k].weight * off * off;
    }
}

/* Lower triangle of the Hessian (halved) and the gradient (halved) at s. */
static void hessian(const problem *p, const lm *s, double h[N][N], double *g) {
    double over = 1 / (p->noise * p->noise);
    for (int a = 0, at = 0; a < N; a++) {
        for (int b = 0; b <= a; b++) h[a][b] = over * s->sums.gram[at++];
        h[a][a] += p->prior[a].weight;
        g[a] = over * s->sums.gradient[a] + p->prior[a].weight * (s->x[a] - p->prior[a].middle);
    }
}

/* What lies on a bound that it wants to cross stays there. */
static void hold(const problem *p, const lm *s, double h[N][N], double *g) {
    for (int k = 0; k < N; k++) {
        if (!(s->x[k] <= p->prior[k].low && g[k] > 0) && !(s->x[k] >= p->prior[k].high && g[k] < 0)) continue;
        for (int j = 0; j < k; j++) h[k][j] = 0;
        for (int i = k + 1; i < N; i++) h[i][k] = 0;
        g[k] = 0;
    }
}

static void move(const problem *p, const double *from, const double *step, double *to) {
    double longest = 0;
    for (int k = 0; k < N; k++) longest = fmax(longest, fabs(step[k]));
    double share = longest > step_most ? step_most / longest : 1;
    for (int k = 0; k < N; k++) to[k] = fmin(fmax(from[k] - share * step[k], p->prior[k].low), p->prior[k].high);
}

/* One trial. Returns how far the objective fell, 0 if the trial was worse. */
static double lm_step(const problem *p, lm *s) {
    double h[N][N], g[N];
    lm trial;
    hessian(p, s, h, g);
    hold(p, s, h, g);
    for (int k = 0; k < N; k++) h[k][k] *= 1 + s->damping;
    small_cholesky(N, N, h[0]);
    small_substitute(N, N, h[0], g);
    move(p, s->x, g, trial.x);
    evaluate(p, &trial);
    double gained = s->objective - trial.objective;
    trial.damping = fmax(0.2 * s->damping, 1e-9);
    if (gained >= 0) *s = trial;
    else s->damping *= 5;
    return gained >= 0 ? gained : 0;
}

/* Until two bold steps gain next to nothing, or no timid one gains anything. */
static void lm_run(const problem *p, int steps, lm *s) {
    for (int i = 0, still = 0; i < steps && still < 2; i++) {
        if (lm_step(p, s) >= gain_least) still = 0;
        else still += s->damping <= bold || s->damping >= timid;
    }
}

/* ---- starts ---- */

static void begin(const problem *p, const double *x, lm *s) {
    const double nothing[N] = { 0 };
    move(p, x, nothing, s->x);
    s->damping = 1e-4;
    evaluate(p, s);
}

static void rank(lm *of, int count) {
    for (int i = 1; i < count; i++)
        for (int at = i; at > 0 && !(of[at].objective >= of[at - 1].objective); at--) {
            lm better = of[at];
            of[at] = of[at - 1];
            of[at - 1] = better;
        }
}

static bool alike(const lm *a, const lm *b) {
    double most = 0;
    for (int k = 0; k < N; k++) most = fmax(most, fabs(a->x[k] - b->x[k]));
    return most < close_by;
}

static void finish(const problem *p, const lm *from, lm *out) {
    *out = *from;
    out->damping = bold;
    evaluate(p, out);
    lm_run(p, LAST_STEPS, out);
}

/* The best few, followed to their ends, but one that is where a better one is. */
static void from_starts(problem *p, lm best[FINALISTS]) {
    arcs_start start[ARCS_STARTS];
    lm of[ARCS_STARTS];
    int count = arcs_starts(&p->data, start);
    for (int i = 0; i < count; i++) {
        begin(p, start[i].x, &of[i]);
        for (int step = 0; step < FIRST_STEPS; step++) lm_step(p, &of[i]);
    }
    rank(of, count);
    p->noise = last_noise;
    for (int i = 0; i < FINALISTS; i++) {
        int same = 0, from = i < count ? i : 0;
        while (same < i && !alike(&of[same], &of[from])) same++;
        if (same < i) best[i] = best[same];
        else finish(p, &of[from], &best[i]);
    }
    rank(best, FINALISTS);
}

/* ---- unknown noise ---- */

static void weigh_again(problem *p, lm *s, bool first, double *outliers) {
    double square[QUICK_ROOM], freedom = fmax((double)(2 * p->data.of.count - N), 1);
    arcs_errors(&p->data, s->x, square);
    if (first) p->noise = quick_noise_by_median(square, p->data.of.count);
    double sum = quick_weigh(&p->data.of, square, p->noise, outliers);
    p->noise = fmax(sqrt(sum / freedom), noise_least);
    evaluate(p, s);
}

static void fit_robustly(problem *p, lm *s, double *outliers) {
    for (int round = 0; round < ROUNDS; round++) {
        weigh_again(p, s, round == 0, outliers);
        s->damping = bold;
        lm_run(p, ROUND_STEPS, s);
    }
    weigh_again(p, s, false, outliers);
}

/* ---- the answer ---- */

static void answer(const problem *p, const lm *s, arcs_fit *out) {
    static const int swapped[N] = {
        ARC_R2, ARC_TAU2, ARC_N2, ARC_R1, ARC_TAU1, ARC_N1, ARC_RS, ARC_EL, ARC_NEL, ARC_L
    };
    double h[N][N], g[N], cov[N][N];
    bool swap = s->x[ARC_TAU1] < s->x[ARC_TAU2];
    hessian(p, s, h, g);
    small_inverse(N, N, h[0], cov[0]);
    for (int a = 0; a < N; a++) {
        int i = swap ? swapped[a] : a;
        out->x[a] = s->x[i] + out->shift[a];
        for (int b = 0; b < N; b++) {
            int j = swap ? swapped[b] : b;
            out->cov[a][b] = 0.5 * (cov[i][j] + cov[j][i]);
        }
    }
    out->noise = p->noise;
}

static void put_second(const problem *p, const lm best[FINALISTS], arcs_fit *out) {
    bool swap = best[1].x[ARC_TAU1] < best[1].x[ARC_TAU2];
    for (int k = 0; k < N; k++) out->second[k] = best[1].x[swap && k < ARC_RS ? (k + 3) % 6 : k] + out->shift[k];
    double left = best[0].sums.square / (double)(2 * p->data.of.count);
    out->gap = (best[1].sums.square - best[0].sums.square) / fmax(left, noise_least * noise_least);
}

void arcs_fit_run(int64_t count, const double *freq_hz, const eis_z *z, arcs_fit *out) {
    problem p = { .noise = first_noise };
    lm best[FINALISTS];
    double ohm, omega;
    *out = (arcs_fit){ 0 };
    data_fill(count, freq_hz, z, &p.data, &ohm, &omega);
    set_priors(&p);
    for (int k = 0; k < N; k++) out->shift[k] = arc_is_exponent(k) ? 0 : k == ARC_TAU1 || k == ARC_TAU2 ? -omega : ohm;
    out->shift[ARC_L] = ohm - omega;
    from_starts(&p, best);
    put_second(&p, best, out);
    fit_robustly(&p, &best[0], &out->outliers);
    answer(&p, &best[0], out);
}

void arcs_guesses(const arcs_fit *fit, double p[ARCS_GUESSES][ARCS_COUNT]) {
    for (int k = 0; k < N; k++) {
        p[0][k] = arc_is_exponent(k) ? fit->x[k] : exp(fit->x[k]);
        p[1][k] = arc_is_exponent(k) ? fit->second[k] : exp(fit->second[k]);
    }
}
