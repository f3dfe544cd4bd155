/* Gauss and Newton's method in one nonlinear unknown: each pass sums the products of the columns 1, H and dH / d ln
 * tau0 over lanes of frequencies, solves for the three amplitudes, and reads the step of ln tau0 off the third. */
#include "shape_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/clones.h"
#include "shape.h"

#define TWO_PI 6.283185307179586476925286766559
#define INLINE static inline __attribute__((always_inline))
enum { LANES = 8, STEPS = 12, SCAN_MOST = 128, COLUMNS = 3 };
static const double alike = 0.05; /* two tau0 whose logarithms are nearer are one */

typedef double lanes __attribute__((vector_size(8 * LANES)));

/* Of the columns: 1, H, dH / d ln tau0. */
typedef struct products {
    double column[COLUMNS][COLUMNS], data[COLUMNS];
} products;

bool shape_data_new(const eis_spectrum *s, const eis_z *near, double noise, double rs_ohm, double rs_low,
                    double rs_high, shape_data *d) {
    *d = (shape_data){ .rs_free = isnan(rs_ohm),
                       .rs_ohm = isnan(rs_ohm) ? 0 : rs_ohm,
                       .rs_low = rs_low,
                       .rs_high = rs_high,
                       .first_hz = INFINITY };
    d->padded = (s->count + LANES - 1) / LANES * LANES;
    d->omega = malloc((size_t)(4 * d->padded) * sizeof *d->omega);
    if (!d->omega) return false;
    d->re = d->omega + d->padded, d->im = d->re + d->padded, d->weight = d->im + d->padded;
    for (int64_t i = 0; i < d->padded; i++) {
        int64_t from = i < s->count ? i : 0;
        double size = noise * hypot(near[from].re, near[from].im);
        d->omega[i] = TWO_PI * s->freq_hz[from];
        d->re[i] = s->z[from].re - d->rs_ohm;
        d->im[i] = s->z[from].im;
        d->weight[i] = i < s->count ? 1 / (size * size) : 0;
        d->size += d->weight[i] * (d->re[i] * d->re[i] + d->im[i] * d->im[i]);
        d->first_hz = fmin(d->first_hz, s->freq_hz[from]), d->last_hz = fmax(d->last_hz, s->freq_hz[from]);
    }
    return true;
}

void shape_data_free(shape_data *d) {
    free(d->omega);
    *d = (shape_data){ 0 };
}

INLINE void load(const double *from, lanes *v) { memcpy(v, from, sizeof *v); }

INLINE double total(const lanes *v) {
    double sum = 0;
    for (int l = 0; l < LANES; l++) sum += (*v)[l];
    return sum;
}

/* H = (1 + j n x) / (1 - n x^2 + j d x), n = T1 T2, d = T1 + T2, and its derivative by ln x. */
EIS_CLONES static void add_up(const shape_data *d, const double t[2], double tau0, products *out) {
    double n = t[0] * t[1], sum = t[0] + t[1];
    lanes zero = { 0 }, c00 = zero, c01 = zero, c02 = zero, c11 = zero, c12 = zero, c22 = zero, d0 = zero, d1 = zero,
          d2 = zero;
    for (int64_t i = 0; i < d->padded; i += LANES) {
        lanes w, re, im, weight;
        load(d->omega + i, &w), load(d->re + i, &re), load(d->im + i, &im), load(d->weight + i, &weight);
        lanes x = w * tau0, top = n * x, low_re = 1 - top * x, low_im = sum * x,
              over = 1 / (low_re * low_re + low_im * low_im);
        lanes hr = (low_re + top * low_im) * over, hi = (top * low_re - low_im) * over;
        /* dH = (j top - H (-2 top x + j low_im)) / low */
        lanes steep = -2 * top * x, ar = -(hr * steep - hi * low_im), ai = top - (hr * low_im + hi * steep);
        lanes gr = (ar * low_re + ai * low_im) * over, gi = (ai * low_re - ar * low_im) * over;
        c00 += weight, c01 += weight * hr, c02 += weight * gr;
        c11 += weight * (hr * hr + hi * hi), c12 += weight * (hr * gr + hi * gi);
        c22 += weight * (gr * gr + gi * gi);
        d0 += weight * re, d1 += weight * (re * hr + im * hi), d2 += weight * (re * gr + im * gi);
    }
    out->column[0][0] = total(&c00), out->column[0][1] = total(&c01), out->column[0][2] = total(&c02);
    out->column[1][1] = total(&c11), out->column[1][2] = total(&c12), out->column[2][2] = total(&c22);
    out->data[0] = total(&d0), out->data[1] = total(&d1), out->data[2] = total(&d2);
    for (int i = 0; i < COLUMNS; i++)
        for (int k = 0; k < i; k++) out->column[i][k] = out->column[k][i];
}

/* Amplitudes of the columns first .. first + count - 1, by elimination; false: they are not independent. */
static bool amplitudes(const products *p, int first, int count, double *x) {
    double m[COLUMNS][COLUMNS + 1];
    for (int i = 0; i < count; i++) {
        memcpy(m[i], p->column[first + i] + first, (size_t)count * sizeof *m[i]);
        m[i][count] = p->data[first + i];
    }
    for (int i = 0; i < count; i++) {
        if (!(m[i][i] > 1e-13 * p->column[first + i][first + i])) return false;
        for (int k = i + 1; k < count; k++) {
            double factor = m[k][i] / m[i][i];
            for (int j = i; j <= count; j++) m[k][j] -= factor * m[i][j];
        }
    }
    for (int i = count; i-- > 0;) {
        x[i] = m[i][count];
        for (int j = i + 1; j < count; j++) x[i] -= m[i][j] * x[j];
        x[i] /= m[i][i];
    }
    return true;
}

/* At this tau0 the best Rs and R0, and what they leave. */
static bool settle(const shape_data *d, const products *p, shape_fit *out) {
    double x[2] = { 0 };
    if (!amplitudes(p, !d->rs_free, 1 + d->rs_free, x)) return false;
    double r0 = x[d->rs_free];
    if (!(r0 > 0)) return false;
    out->mean[0] = d->rs_free ? x[0] : d->rs_ohm;
    out->mean[1] = log(r0);
    out->misfit = d->size - r0 * p->data[1] - (d->rs_free ? x[0] * p->data[0] : 0);
    for (int i = 0; i < COLUMNS; i++)
        for (int k = 0; k < COLUMNS; k++) out->precision[i][k] = p->column[i][k] * (i ? r0 : 1) * (k ? r0 : 1);
    return true;
}

static bool at(const shape_data *d, const double t[2], shape_fit *out, products *p) {
    add_up(d, t, exp(out->mean[2]), p);
    return settle(d, p, out);
}

static double newton_step(const shape_data *d, const products *p) {
    double x[COLUMNS] = { 0 };
    if (!amplitudes(p, !d->rs_free, 2 + d->rs_free, x)) return 0;
    double step = x[1 + d->rs_free] / x[d->rs_free];
    return isfinite(step) ? fmax(fmin(step, 0.7), -0.7) : 0;
}

static void poles(const double u[2], double t[2]) {
    shape s = shape_of(0, 0, u);
    t[0] = s.t1, t[1] = s.t2;
}

bool shape_fit_from(const shape_data *d, const double u[2], shape_fit *out) {
    double t[2];
    products p;
    poles(u, t);
    if (!at(d, t, out, &p)) return false;
    double step = newton_step(d, &p);
    for (int i = 0; i < STEPS && fabs(step) > 1e-7; i++) {
        shape_fit next = *out;
        products there;
        next.mean[2] += step;
        if (at(d, t, &next, &there) && next.misfit <= out->misfit) {
            bool settled = out->misfit - next.misfit < 1e-3 && fabs(step) < 1e-2;
            *out = next, p = there;
            if (settled) break;
            step = newton_step(d, &p);
        } else step /= 4;
    }
    return true;
}

int shape_fit_all(const shape_data *d, const double u[2], shape_fit out[SHAPE_MODES]) {
    double t[2], misfit[SCAN_MOST], ln_tau0[SCAN_MOST];
    int count = 0;
    poles(u, t);
    double low = log(0.03 / (TWO_PI * d->last_hz * t[0])), high = log(30 / (TWO_PI * d->first_hz * t[1])),
           step = fmax(0.6, (high - low) / (SCAN_MOST - 1));
    int scanned = (int)((high - low) / step) + 1;
    for (int i = 0; i < scanned && i < SCAN_MOST; i++) {
        shape_fit f = { .mean = { 0, 0, ln_tau0[i] = low + i * step } };
        products p;
        misfit[i] = at(d, t, &f, &p) ? f.misfit : INFINITY;
    }
    for (int i = 0; i < scanned && i < SCAN_MOST; i++) {
        bool lowest = isfinite(misfit[i]) && (i == 0 || misfit[i] <= misfit[i - 1]) &&
                      (i + 1 == scanned || i + 1 == SCAN_MOST || misfit[i] < misfit[i + 1]);
        shape_fit f = { .mean = { 0, 0, ln_tau0[i] } };
        if (!lowest || !shape_fit_from(d, u, &f)) continue;
        int place = count;
        for (int k = 0; k < count; k++)
            if (fabs(out[k].mean[2] - f.mean[2]) < alike) place = -1;
        if (place == SHAPE_MODES) /* in place of the worst, if it is better */
            for (int k = place = 0; k < SHAPE_MODES; k++) place = out[k].misfit > out[place].misfit ? k : place;
        if (place < 0 || (place < count && out[place].misfit <= f.misfit)) continue;
        out[place] = f;
        count = place == count ? count + 1 : count;
    }
    return count;
}
