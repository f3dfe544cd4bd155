/* The posterior density at a circuit and its shape there, from sums over lanes of frequencies, as the sampler asks. */
#include "density.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/clones.h"
#include "student.h"

#define TWO_PI 6.283185307179586476925286766559
#define INLINE static inline __attribute__((always_inline))
enum { PAIRS = FREE_MOST * (FREE_MOST + 1) / 2 };

typedef double lanes __attribute__((vector_size(8 * DENSITY_LANES)));
typedef struct zlanes { lanes re, im; } zlanes;

typedef struct sums { double misfit, log_ratio, heavy, gram[PAIRS]; } sums;  /* heavy: sum ln (1 + r^2 / 4 s^2) */

bool density_new(eis_circuit circuit, const eis_known *known, double rs_ohm, const ranges *within, bool canonical,
                 double noise, const eis_spectrum *s, density *d) {
    *d = (density){ .circuit = circuit, .noise = noise, .canonical = canonical, .of = s };
    for (int k = 0; k < EIS_COUNT; k++) {
        d->fixed[k] = known->value[k];
        if (known->is[k]) continue;
        d->low[d->free_count]    = log(within->low[k]);
        d->high[d->free_count]   = log(within->high[k]);
        d->free[d->free_count++] = k;
    }
    d->fixed[EIS_RS] = rs_ohm;
    if (isnan(rs_ohm)) {
        d->low[d->free_count]    = within->low[EIS_RS];
        d->high[d->free_count]   = within->high[EIS_RS];
        d->free[d->free_count++] = EIS_RS;
    }
    d->padded = (s->count + DENSITY_LANES - 1) / DENSITY_LANES * DENSITY_LANES;
    d->omega  = malloc((size_t)(4 * d->padded) * sizeof *d->omega);
    if (!d->omega) return false;
    d->re = d->omega + d->padded, d->im = d->re + d->padded, d->counts = d->im + d->padded;
    for (int64_t i = 0; i < d->padded; i++) {
        int64_t from = i < s->count ? i : 0;
        d->omega[i]  = TWO_PI * s->freq_hz[from];
        d->re[i]     = s->z[from].re;
        d->im[i]     = s->z[from].im;
        d->counts[i] = i < s->count;
    }
    return true;
}

void density_free(density *d) {
    free(d->omega);
    *d = (density){ 0 };
}

void density_parameters(const density *d, const double *x, double p[EIS_WITH_RS]) {
    memcpy(p, d->fixed, sizeof d->fixed);
    for (int i = 0; i < d->free_count; i++) p[d->free[i]] = d->free[i] == EIS_RS ? x[i] : exp(x[i]);
}

void density_coordinates(const density *d, const double p[EIS_WITH_RS], double *x) {
    for (int i = 0; i < d->free_count; i++) x[i] = d->free[i] == EIS_RS ? p[EIS_RS] : log(p[d->free[i]]);
}

/* By address: vectors wider than the machine's have no settled way to be passed. */
INLINE void load(const double *from, lanes *v) { memcpy(v, from, sizeof *v); }

INLINE double total(const lanes *v) {
    double sum = 0;
    for (int l = 0; l < DENSITY_LANES; l++) sum += (*v)[l];
    return sum;
}

INLINE void times(const zlanes *a, const zlanes *b, zlanes *out) {
    lanes re = a->re * b->re - a->im * b->im;
    out->im  = a->re * b->im + a->im * b->re;
    out->re  = re;
}

INLINE void membrane(double r, double c, const lanes *w, zlanes *out) {
    lanes a = *w * (r * c);
    out->re = r / (1 + a * a);
    out->im = -a * out->re;
}

/* d Z / d ln p of a membrane's resistance and capacitance: (k Za)^2 / R and -s C (k Za)^2. */
INLINE void put_membrane(const zlanes *k, const zlanes *z, double r, double c, const lanes *w, zlanes *by_r,
                         zlanes *by_c) {
    zlanes square;
    times(k, z, &square);
    times(&square, &square, &square);
    by_r->re = square.re / r, by_r->im = square.im / r;
    by_c->re = *w * c * square.im, by_c->im = -(*w * c) * square.re;
}

/* All sums at p: the misfit, ln of the ratio of sizes, and, if `shape`, the products of the relative derivatives. */
EIS_CLONES static void add_up(const density *d, const double p[EIS_WITH_RS], bool shape, sums *out) {
    lanes misfit = { 0 }, ratio = misfit + 1, gram[PAIRS] = { { 0 } }, none = { 0 };
    lanes heavy = misfit + 1;
    bool  shunt  = d->circuit == EIS_SHUNT;
    double scale = STUDENT_SCALE * d->noise, far = 1 / (STUDENT_FREEDOM * scale * scale);
    out->log_ratio = out->heavy = 0;
    for (int64_t i = 0; i < d->padded; i += DENSITY_LANES) {
        lanes  w, re, im, counts;
        zlanes za, zb, k = { none + 1, none }, z;
        load(d->omega + i, &w), load(d->re + i, &re), load(d->im + i, &im), load(d->counts + i, &counts);
        membrane(p[EIS_RA], p[EIS_CA], &w, &za);
        membrane(p[EIS_RB], p[EIS_CB], &w, &zb);
        zlanes zm = { za.re + zb.re, za.im + zb.im };
        lanes  u = p[EIS_RSH] + zm.re, share = p[EIS_RSH] / (u * u + zm.im * zm.im);
        if (shunt) k.re = u * share, k.im = -zm.im * share;
        times(&k, &zm, &z);
        lanes  zr = z.re + (p[EIS_RS] + (shunt ? 0 : p[EIS_RSH])), over = 1 / (zr * zr + z.im * z.im);
        misfit += counts * over * ((re - zr) * (re - zr) + (im - z.im) * (im - z.im));
        ratio *= 1 + counts * (over * (re * re + im * im) - 1);
        if (d->robust) {
            lanes size = counts * over * far, off = re - zr, aside = im - z.im;
            heavy *= (1 + size * off * off) * (1 + size * aside * aside);
        }
        if (i / DENSITY_LANES % 8 == 7 || i + DENSITY_LANES == d->padded) {
            for (int l = 0; l < DENSITY_LANES; l++) out->log_ratio += log(ratio[l]);
            ratio = none + 1;
            for (int l = 0; d->robust && l < DENSITY_LANES; l++) out->heavy += log(heavy[l]);
            heavy = none + 1;
        }
        if (!shape) continue;
        zlanes by[EIS_WITH_RS];
        times(&z, &z, &by[EIS_RSH]);
        by[EIS_RSH].re /= p[EIS_RSH], by[EIS_RSH].im /= p[EIS_RSH];
        if (!shunt) by[EIS_RSH].re = none + p[EIS_RSH], by[EIS_RSH].im = none;
        put_membrane(&k, &za, p[EIS_RA], p[EIS_CA], &w, &by[EIS_RA], &by[EIS_CA]);
        put_membrane(&k, &zb, p[EIS_RB], p[EIS_CB], &w, &by[EIS_RB], &by[EIS_CB]);
        by[EIS_RS] = (zlanes){ none + 1, none };
        over *= counts;
        for (int a = 0, at = 0; a < d->free_count; a++)
            for (int b = 0; b <= a; b++)
                gram[at++] += over * (by[d->free[a]].re * by[d->free[b]].re + by[d->free[a]].im * by[d->free[b]].im);
    }
    out->misfit = total(&misfit);
    for (int at = 0; at < PAIRS; at++) out->gram[at] = total(&gram[at]);
}

static bool inside(const density *d, const double *x, const double *p) {
    for (int i = 0; i < d->free_count; i++)
        if (!(x[i] >= d->low[i] && x[i] <= d->high[i])) return false;
    return !d->canonical || p[EIS_RA] * p[EIS_CA] >= p[EIS_RB] * p[EIS_CB];
}

static double misfit_of(const density *d, const sums *s) {
    return d->robust ? (STUDENT_FREEDOM + 1) * s->heavy * d->noise * d->noise : s->misfit;
}

double density_at(const density *d, const double *x, double *precision) {
    double p[EIS_WITH_RS], over = 1 / (d->noise * d->noise);
    sums   s;
    density_parameters(d, x, p);
    if (!inside(d, x, p) && !precision) return -INFINITY;
    add_up(d, p, precision != NULL, &s);
    for (int a = 0, at = 0; precision && a < d->free_count; a++)
        for (int b = 0; b <= a; b++, at++)
            precision[a * d->free_count + b] = precision[b * d->free_count + a] = s.gram[at] * over;
    for (int a = 0; precision && a < d->free_count; a++) {
        double width = d->high[a] - d->low[a];
        precision[a * d->free_count + a] += 12 / (width * width); /* the variance of the uniform prior */
    }
    return inside(d, x, p) ? -0.5 * misfit_of(d, &s) * over + s.log_ratio : -INFINITY;
}

double density_misfit(const density *d, const double *x) {
    double p[EIS_WITH_RS];
    sums   s;
    density_parameters(d, x, p);
    add_up(d, p, false, &s);
    return misfit_of(d, &s);
}
