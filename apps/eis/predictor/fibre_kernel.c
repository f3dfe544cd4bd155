/* A conductance across two relaxations in series, or taken away from there, leaves two relaxations. With R the sum of
 * the resistances, f their shares, m = f1 t1 + f2 t2 and n = f1 t2 + f2 t1, and the resistance becoming k R, the new
 * ones are
 *     t' = n + (A +- root) / 2, A = k m - n, root^2 = A^2 + 4 k f1 f2 (t1 - t2)^2,
 * a sum of squares: nothing cancels. The shares are (root +- A) / (2 root). */
#include "fibre_kernel.h"

#include <math.h>

#include "eis/circuit/clones.h"

#define TWO_PI   6.283185307179586476925286766559

LANES_INLINE void square_root(lanes *v) {
    double x[LANES];
    lanes_store(v, x);
    for (int l = 0; l < LANES; l++) x[l] = sqrt(x[l]);
    lanes_load(x, v);
}

typedef struct turned { lanes share_1, share_2, tau_1; } turned;

/* spread = f1 f2 (t1 - t2)^2. */
LANES_INLINE void turn(const lanes *m, const lanes *n, const lanes *spread, const lanes *k, turned *out) {
    lanes a = *k * *m - *n, b = *k * (*spread + FIBRE_TINY * *m * *n), root = a * a + 4 * b, none = { 0 };
    square_root(&root);
    lanes_bits positive = a > none;
    lanes minus = -a, size, big, small, above, below;
    lanes_choose(&positive, &a, &minus, &size);
    big = 0.5 * (root + size), small = b / big;
    lanes_choose(&positive, &big, &small, &above);
    lanes_choose(&positive, &small, &big, &below);
    out->share_1 = above / root, out->share_2 = below / root;
    out->tau_1 = *n + above;
}

/* The fibre of one x; what does not depend on Rsh. */
typedef struct fibre { double r, ln_product, m, n, spread; } fibre;

static inline fibre fibre_of(const double *x) {
    double r1 = exp(x[QUICK_LN_R1]), r2 = exp(x[QUICK_LN_R2]), t1 = exp(x[QUICK_LN_TAU1]), t2 = exp(x[QUICK_LN_TAU2]);
    double r = r1 + r2, f1 = r1 / r, f2 = r2 / r, apart = t1 - t2;
    return (fibre){ r, x[QUICK_LN_TAU1] + x[QUICK_LN_TAU2], f1 * t1 + f2 * t2, f1 * t2 + f2 * t1,
                    f1 * f2 * apart * apart };
}

LANES_INLINE void coordinates(const fibre *f, const lanes *rsh, lanes u[4]) {
    lanes left = 1 - f->r / *rsh, one = left * 0 + 1, m = one * f->m, n = one * f->n, spread = one * f->spread;
    lanes_clip(&left, 1 / FIBRE_K_MOST, 1);
    lanes  k = 1 / left, whole = k * f->r, ln_1, ln_2, ln_tau, ln_k;
    turned t;
    turn(&m, &n, &spread, &k, &t);
    lanes r1 = whole * t.share_1, r2 = whole * t.share_2;
    lanes_log(&r1, &ln_1), lanes_log(&r2, &ln_2), lanes_log(&t.tau_1, &ln_tau), lanes_log(&k, &ln_k);
    u[0] = (ln_1 - FIBRE_LN_10) * (1 / FIBRE_STEP_R);
    u[1] = (ln_2 - FIBRE_LN_10) * (1 / FIBRE_STEP_R);
    u[2] = (ln_tau - ln_1 - FIBRE_LN_LOW_C) * (1 / FIBRE_STEP_C);
    u[3] = (f->ln_product + ln_k - ln_tau - ln_2 - FIBRE_LN_LOW_C) * (1 / FIBRE_STEP_C);
    for (int j = 0; j < 4; j++) lanes_clip(&u[j], FIBRE_U_LEAST, FIBRE_U_MOST);
}

EIS_CLONES static void rows(const double *x, const double *rsh, int count, double *out) {
    fibre f = fibre_of(x);
    for (int i = 0; i < count; i += LANES) {
        lanes r, u[4];
        lanes_load(rsh + i, &r);
        coordinates(&f, &r, u);
        for (int j = 0; j < 4; j++) lanes_store(&u[j], out + j * count + i);
    }
}

void fibre_rows(const double x[QUICK_COUNT], const double *rsh, int count, double *u) { rows(x, rsh, count, u); }

EIS_CLONES static void relaxations(const double p[EIS_COUNT][LANES], double value[QUICK_COUNT][LANES],
                                   double x[QUICK_COUNT][LANES]) {
    lanes rsh, ra, rb, ca, cb;
    lanes_load(p[EIS_RSH], &rsh), lanes_load(p[EIS_RA], &ra), lanes_load(p[EIS_RB], &rb);
    lanes_load(p[EIS_CA], &ca), lanes_load(p[EIS_CB], &cb);
    lanes  ta = ra * ca, tb = rb * cb, r = ra + rb, fa = ra / r, fb = rb / r, apart = ta - tb, k = 1 / (1 + r / rsh);
    lanes  m = fa * ta + fb * tb, n = fa * tb + fb * ta, spread = fa * fb * apart * apart, out[QUICK_COUNT];
    turned t;
    turn(&m, &n, &spread, &k, &t);
    out[QUICK_LN_R1]   = k * r * t.share_1;
    out[QUICK_LN_R2]   = k * r * t.share_2;
    out[QUICK_LN_TAU1] = t.tau_1;
    out[QUICK_LN_TAU2] = k * ta * tb / t.tau_1;
    for (int j = 0; j < QUICK_COUNT; j++) {
        lanes logs;
        lanes_log(&out[j], &logs);
        lanes_store(&out[j], value[j]), lanes_store(&logs, x[j]);
    }
}

void fibre_relaxations(const double p[EIS_COUNT][LANES], double value[QUICK_COUNT][LANES],
                       double x[QUICK_COUNT][LANES]) {
    relaxations(p, value, x);
}

/* Spread of u over one standard deviation each way along the columns of `root`. */
EIS_CLONES static void fill_features(const double *x, const double root[QUICK_COUNT][QUICK_COUNT], const double *rsh,
                                     fibre_features *out) {
    fibre at = fibre_of(x), ahead[QUICK_COUNT], behind[QUICK_COUNT];
    for (int d = 0; d < QUICK_COUNT; d++) {
        double plus[QUICK_COUNT], minus[QUICK_COUNT];
        for (int k = 0; k < QUICK_COUNT; k++) {
            double step = k >= d ? fmin(fmax(root[k][d], -20), 20) : 0;
            plus[k] = x[k] + step, minus[k] = x[k] - step;
        }
        ahead[d] = fibre_of(plus), behind[d] = fibre_of(minus);
    }
    for (int i = 0; i < FIBRE_ROOM; i += LANES) {
        lanes r, u[4], up[4], down[4], variance[4] = { { 0 } }, c, s;
        lanes_load(rsh + i, &r);
        for (int d = 0; d < QUICK_COUNT; d++) {
            coordinates(&ahead[d], &r, up);
            coordinates(&behind[d], &r, down);
            for (int j = 0; j < 4; j++) variance[j] += 0.25 * (up[j] - down[j]) * (up[j] - down[j]);
        }
        coordinates(&at, &r, u);
        for (int j = 0; j < 4; j++) {
            square_root(&variance[j]);
            variance[j] += FIBRE_SD_LEAST;
            lanes_log(&variance[j], &variance[j]);
            lanes_turn(&u[j], &c, &s);
            lanes_store(&u[j], out->u[j] + i), lanes_store(&c, out->cosine[j] + i);
            lanes_store(&s, out->sine[j] + i), lanes_store(&variance[j], out->ln_sd[j] + i);
        }
    }
}

void fibre_features_of(const double x[QUICK_COUNT], const double root[QUICK_COUNT][QUICK_COUNT],
                       const double rsh[FIBRE_ROOM],
                       fibre_features *out) {
    fill_features(x, root, rsh, out);
}

/* ---- grid circuits ---- */

/* The middle of the cell that u falls into. */
LANES_INLINE void put_nearest(const double *u, double ln_low, double step, double *out) {
    lanes v, whole;
    lanes_load(u, &v);
    lanes_clip(&v, 0, RSH_VALUES - 1);
    lanes_round(&v, &whole);
    whole = ln_low + whole * step;
    lanes_exp(&whole, &v);
    lanes_store(&v, out);
}

/* |L^-1 (y - x)|^2. */
LANES_INLINE void put_distance(const double *x, const double root[QUICK_COUNT][QUICK_COUNT],
                               const double y[QUICK_COUNT][LANES],
                               double *out) {
    lanes d[QUICK_COUNT], sum = { 0 };
    for (int k = 0; k < QUICK_COUNT; k++) {
        lanes_load(y[k], &d[k]);
        d[k] -= x[k];
        for (int l = 0; l < k; l++) d[k] -= root[k][l] * d[l];
        d[k] /= root[k][k];
        sum += d[k] * d[k];
    }
    lanes_store(&sum, out);
}

LANES_INLINE void put_misfits(const double value[QUICK_COUNT][LANES], int64_t count, const double *omega,
                              const double *re,
                              const double *im, const double *weight, double *out) {
    lanes r1, t1, r2, t2, sum = { 0 };
    lanes_load(value[QUICK_LN_R1], &r1), lanes_load(value[QUICK_LN_TAU1], &t1);
    lanes_load(value[QUICK_LN_R2], &r2), lanes_load(value[QUICK_LN_TAU2], &t2);
    for (int64_t i = 0; i < count; i++) {
        lanes a = omega[i] * t1, b = omega[i] * t2, pa = 1 + a * a, pb = 1 + b * b, both = 1 / (pa * pb);
        lanes x = r1 * pb * both, y = r2 * pa * both, er = x + y - re[i], ei = -(a * x + b * y) - im[i];
        sum += weight[i] * (er * er + ei * ei);
    }
    lanes_store(&sum, out);
}

EIS_CLONES static void cells_of(const double *x, const double root[QUICK_COUNT][QUICK_COUNT], const double *rsh,
                                const double u[4][FIBRE_ROOM], int64_t count, const double *omega, const double *re,
                                const double *im,
                                const double *weight, double *misfit, double *distance) {
    for (int i = 0; i < FIBRE_ROOM; i += LANES) {
        double p[EIS_COUNT][LANES], value[QUICK_COUNT][LANES], y[QUICK_COUNT][LANES];
        memcpy(p[EIS_RSH], rsh + i, sizeof p[EIS_RSH]);
        put_nearest(u[0] + i, FIBRE_LN_10, FIBRE_STEP_R, p[EIS_RA]);
        put_nearest(u[1] + i, FIBRE_LN_10, FIBRE_STEP_R, p[EIS_RB]);
        put_nearest(u[2] + i, FIBRE_LN_LOW_C, FIBRE_STEP_C, p[EIS_CA]);
        put_nearest(u[3] + i, FIBRE_LN_LOW_C, FIBRE_STEP_C, p[EIS_CB]);
        relaxations(p, value, y);
        put_distance(x, root, y, distance + i);
        put_misfits(value, count, omega, re, im, weight, misfit + i);
    }
}

void fibre_cells(const double x[QUICK_COUNT], const double root[QUICK_COUNT][QUICK_COUNT], const double rsh[FIBRE_ROOM],
                 const double u[4][FIBRE_ROOM], int64_t count, const double *freq_hz, const eis_z *z, double noise,
                 double misfit[FIBRE_ROOM], double distance[FIBRE_ROOM]) {
    double omega[SAMPLE_MOST], re[SAMPLE_MOST], im[SAMPLE_MOST], weight[SAMPLE_MOST], over = 1 / (noise * noise);
    for (int64_t i = 0; i < count; i++) {
        omega[i] = TWO_PI * freq_hz[i], re[i] = z[i].re, im[i] = z[i].im;
        weight[i] = over / (z[i].re * z[i].re + z[i].im * z[i].im);
    }
    cells_of(x, root, rsh, u, count, omega, re, im, weight, misfit, distance);
}
