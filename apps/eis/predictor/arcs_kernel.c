/* Loops over the points of a spectrum, plain enough for the compiler to make vectors of them: of the widest there are
 * in each clone. Vectors written as such are cut to the narrowest before clones are made. */
#include "arcs_kernel.h"

#include <math.h>

#include "eis/circuit/clones.h"

#define HALF_PI 1.5707963267948966
#define VECTORS _Pragma("omp simd")
enum { PARTS = 2, ROWS = PARTS * QUICK_ROOM, ABREAST = 5 }; /* so many sums at once stay in the registers of AVX2 */

/* A column has all real parts, then all imaginary ones. */
typedef struct columns {
    _Alignas(64) double of[ARCS_COUNT][ROWS], model[ROWS]; /* derivatives by each coordinate */
} columns;

/* e^x to 1e-10, x within +-300: further off it is that of the end. */
static inline double exponential(double x) {
    union {
        double number;
        int64_t bits;
    } power;
    x = x < -300 ? -300 : x > 300 ? 300 : x;
    double n = x * 1.4426950408889634074 + 0x1.8p52;
    power.number = n, n -= 0x1.8p52;
    power.bits = (power.bits - 0x4338000000000000LL + 1023) << 52;
    double r = x - n * 0.69314718055994530942, sum = 1.0 / 362880;
    sum = sum * r + 1.0 / 40320, sum = sum * r + 1.0 / 5040, sum = sum * r + 1.0 / 720, sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24, sum = sum * r + 1.0 / 6, sum = sum * r + 0.5, sum = sum * r + 1, sum = sum * r + 1;
    return sum * power.number;
}

/* ---- the model ---- */

typedef struct constants {
    double r[2], c[3], s[3], rs, l;
} constants;

static constants constants_of(const double x[ARCS_COUNT]) {
    const int exponent[3] = { ARC_N1, ARC_N2, ARC_NEL };
    constants k = { .r = { exp(x[ARC_R1]), exp(x[ARC_R2]) }, .rs = exp(x[ARC_RS]), .l = exp(x[ARC_L]) };
    for (int i = 0; i < 3; i++) k.c[i] = cos(HALF_PI * x[exponent[i]]), k.s[i] = sin(HALF_PI * x[exponent[i]]);
    return k;
}

/* Z = R / (1 + u), u = (j w tau)^n: by ln R Z, by ln tau -n t, by n -t (ln (w tau) + j pi / 2), where
 * t = Z u / (1 + u). */
static inline __attribute__((always_inline)) void arc(const arcs_data *restrict d, const double *x, double r, double c,
                                                      double s, double (*restrict to)[ROWS], double *restrict sum) {
    int64_t n = d->of.padded;
    VECTORS
    for (int64_t i = 0; i < n; i++) {
        double ln = d->ln_omega[i] + x[1], size = exponential(x[2] * ln), u = c * size, v = s * size;
        double over = 1 / ((1 + u) * (1 + u) + v * v), re = (1 + u) * over, im = -v * over;
        double share_re = u * re - v * im, share_im = u * im + v * re; /* u / (1 + u) */
        double t_re = r * (share_re * re - share_im * im), t_im = r * (share_re * im + share_im * re);
        to[0][i] = r * re, to[0][n + i] = r * im;
        to[1][i] = -x[2] * t_re, to[1][n + i] = -x[2] * t_im;
        to[2][i] = HALF_PI * t_im - ln * t_re, to[2][n + i] = -HALF_PI * t_re - ln * t_im;
        sum[i] += r * re, sum[n + i] += r * im;
    }
}

/* Z = E (j w / w0)^-n */
static inline __attribute__((always_inline)) void electrode(const arcs_data *restrict d, const double *x, double c,
                                                            double s, double (*restrict to)[ROWS],
                                                            double *restrict sum) {
    int64_t n = d->of.padded;
    VECTORS
    for (int64_t i = 0; i < n; i++) {
        double ln = d->ln_omega[i] - d->ln_low, size = exponential(x[0] - x[1] * ln), re = c * size, im = -s * size;
        to[0][i] = re, to[0][n + i] = im;
        to[1][i] = HALF_PI * im - ln * re, to[1][n + i] = -HALF_PI * re - ln * im;
        sum[i] += re, sum[n + i] += im;
    }
}

/* The model less the data, and the derivatives. */
EIS_CLONES static void fill(const arcs_data *restrict d, const double *x, const constants *k, columns *restrict out) {
    int64_t n = d->of.padded;
    VECTORS
    for (int64_t i = 0; i < n; i++) {
        double l = k->l * d->of.omega[i];
        out->of[ARC_RS][i] = k->rs, out->of[ARC_RS][n + i] = 0;
        out->of[ARC_L][i] = 0, out->of[ARC_L][n + i] = l;
        out->model[i] = k->rs - d->of.re[i], out->model[n + i] = l - d->of.im[i];
    }
    arc(d, x + ARC_R1, k->r[0], k->c[0], k->s[0], out->of + ARC_R1, out->model);
    arc(d, x + ARC_R2, k->r[1], k->c[1], k->s[1], out->of + ARC_R2, out->model);
    electrode(d, x + ARC_EL, k->c[2], k->s[2], out->of + ARC_EL, out->model);
}

/* ---- sums ---- */

/* A column times the weights, both parts. */
static inline void weigh(const arcs_data *restrict d, const double *restrict column, double *restrict out) {
    int64_t n = d->of.padded;
    VECTORS
    for (int64_t i = 0; i < n; i++) out[i] = d->of.weight[i] * column[i], out[n + i] = d->of.weight[i] * column[n + i];
}

/* Products of one column with ABREAST others. */
static inline void dots(const double *restrict a, const double (*restrict b)[ROWS], int64_t rows, double *out) {
    double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0, sum4 = 0;
    _Pragma("omp simd reduction(+ : sum0, sum1, sum2, sum3, sum4)") for (int64_t i = 0; i < rows; i++) {
        double x = a[i];
        sum0 += x * b[0][i], sum1 += x * b[1][i], sum2 += x * b[2][i], sum3 += x * b[3][i], sum4 += x * b[4][i];
    }
    out[0] = sum0, out[1] = sum1, out[2] = sum2, out[3] = sum3, out[4] = sum4;
}

static inline double dot(const double *restrict a, const double *restrict b, int64_t rows) {
    double sum = 0;
    _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < rows; i++) sum += a[i] * b[i];
    return sum;
}

/* Of the products of columns those up to the diagonal are wanted: half of the first rows, all of the others. */
EIS_CLONES static void sum_up(const arcs_data *d, const columns *c, arcs_sums *out) {
    _Alignas(64) double scaled[ROWS], with[ARCS_COUNT];
    int64_t rows = PARTS * d->of.padded;
    weigh(d, c->model, scaled);
    out->square = dot(scaled, c->model, rows);
    for (int half = 0; half < ARCS_COUNT; half += ABREAST) dots(scaled, c->of + half, rows, out->gradient + half);
    for (int k = 0, at = 0; k < ARCS_COUNT; k++) {
        weigh(d, c->of[k], scaled);
        for (int half = 0; half <= k; half += ABREAST) dots(scaled, c->of + half, rows, with + half);
        for (int l = 0; l <= k; l++) out->gram[at++] = with[l];
    }
}

void arcs_sums_at(const arcs_data *d, const double x[ARCS_COUNT], arcs_sums *out) {
    columns c;
    constants k = constants_of(x);
    fill(d, x, &k, &c);
    sum_up(d, &c, out);
}

void arcs_errors(const arcs_data *d, const double x[ARCS_COUNT], double *square) {
    columns c;
    constants k = constants_of(x);
    int64_t n = d->of.padded;
    fill(d, x, &k, &c);
    for (int64_t i = 0; i < n; i++)
        square[i] = d->of.over[i] * (c.model[i] * c.model[i] + c.model[n + i] * c.model[n + i]);
}

/* ---- the scan ---- */

typedef struct shapes {
    _Alignas(64) double of[ARC_SHAPES][ROWS], data[ROWS];
} shapes;

static inline __attribute__((always_inline)) void shape(const arcs_data *restrict d, double ln_tau, double n, double c,
                                                        double s, double *restrict to) {
    int64_t points = d->of.padded;
    VECTORS
    for (int64_t i = 0; i < points; i++) {
        double size = exponential(n * (d->ln_omega[i] + ln_tau)), re = 1 + c * size, im = s * size,
               over = 1 / (re * re + im * im);
        to[i] = re * over, to[points + i] = -im * over;
    }
}

EIS_CLONES static void fill_shapes(const arcs_data *restrict d, double exponent, double c, double s,
                                   const arcs_scan *scan, shapes *restrict out) {
    int64_t n = d->of.padded;
    double *rs = out->of[ARC_TAUS], *el = out->of[ARC_TAUS + 1], *l = out->of[ARC_TAUS + 2];
    for (int k = 0; k < ARC_TAUS; k++) shape(d, scan->ln_tau[k], exponent, c, s, out->of[k]);
    VECTORS
    for (int64_t i = 0; i < n; i++) {
        double size = exponential(exponent * (d->ln_low - d->ln_omega[i]));
        rs[i] = 1, rs[n + i] = 0;
        el[i] = c * size, el[n + i] = -s * size;
        l[i] = 0, l[n + i] = d->of.omega[i];
        out->data[i] = d->of.re[i], out->data[n + i] = d->of.im[i];
    }
}

EIS_CLONES static void multiply_shapes(const arcs_data *d, const shapes *of, arcs_scan *out) {
    _Alignas(64) double scaled[ROWS];
    int64_t rows = PARTS * d->of.padded;
    for (int k = 0; k < ARC_SHAPES; k++) {
        weigh(d, of->of[k], scaled);
        for (int l = 0; l < ARC_SHAPES; l += ABREAST) dots(scaled, of->of + l, rows, out->gram[k] + l);
        out->data[k] = dot(scaled, of->data, rows);
    }
}

void arcs_scan_fill(const arcs_data *d, double n, arcs_scan *out) {
    shapes of;
    fill_shapes(d, n, cos(HALF_PI * n), sin(HALF_PI * n), out, &of);
    multiply_shapes(d, &of, out);
}
