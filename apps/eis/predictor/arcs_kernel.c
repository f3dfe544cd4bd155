/* Lanes are points of the spectrum. Each function has a static twin that is compiled for every width of vectors. */
#include "arcs_kernel.h"

#include <math.h>

#include "eis/circuit/clones.h"

#define HALF_PI 1.5707963267948966
enum {
    PARTS = 2,
    ROWS = PARTS * QUICK_ROOM,
    ABREAST = ARCS_COUNT
}; /* a column: all real parts, then all imaginary ones */

/* Derivatives by every coordinate, and the model, of which they are columns. */
typedef struct columns {
    _Alignas(64) double of[ARCS_COUNT][ROWS], model[1][ROWS];
} columns;

typedef struct complex_lanes {
    lanes re, im;
} complex_lanes;

LANES_INLINE void store(double *column, int64_t i, const complex_lanes *v) {
    lanes_store(&v->re, column + i);
    lanes_store(&v->im, column + QUICK_ROOM + i);
}

LANES_INLINE void times(const complex_lanes *a, const complex_lanes *b, complex_lanes *out) {
    lanes re = a->re * b->re - a->im * b->im;
    out->im = a->re * b->im + a->im * b->re;
    out->re = re;
}

/* u = (j w tau)^n from ln (w tau) */
LANES_INLINE void power(const lanes *ln, double n, double c, double s, complex_lanes *u) {
    lanes size, at = n * *ln;
    lanes_clip(&at, -300, 300);
    lanes_exp(&at, &size);
    *u = (complex_lanes){ c * size, s * size };
}

LANES_INLINE void reciprocal(const complex_lanes *d, complex_lanes *out) {
    lanes over = 1 / (d->re * d->re + d->im * d->im);
    *out = (complex_lanes){ d->re * over, -(d->im * over) };
}

/* Z = R / (1 + u): by ln R Z, by ln tau -n t, by n -t (ln (w tau) + j pi / 2), where t = Z u / (1 + u). */
LANES_INLINE void arc(const double *x, const lanes *ln_omega, double r, double c, double s, columns *to, int first,
                      int64_t i, complex_lanes *sum) {
    complex_lanes u, d, over, z, t, turn;
    lanes ln = *ln_omega + x[1];
    power(&ln, x[2], c, s, &u);
    d = (complex_lanes){ 1 + u.re, u.im };
    reciprocal(&d, &over);
    z = (complex_lanes){ r * over.re, r * over.im };
    times(&u, &over, &t);
    times(&t, &z, &t);
    turn = (complex_lanes){ -ln, ln * 0 - HALF_PI };
    sum->re += z.re, sum->im += z.im;
    store(to->of[first], i, &z);
    times(&t, &turn, &turn);
    t = (complex_lanes){ -x[2] * t.re, -x[2] * t.im };
    store(to->of[first + 1], i, &t);
    store(to->of[first + 2], i, &turn);
}

/* Z = E (j w / w0)^-n */
LANES_INLINE void electrode(const arcs_data *d, const double *x, const lanes *ln_omega, double c, double s, columns *to,
                            int64_t i, complex_lanes *sum) {
    complex_lanes z, turn;
    lanes ln = *ln_omega - d->ln_low, at = ln * 0 + x[ARC_EL] - x[ARC_NEL] * ln, size;
    lanes_clip(&at, -300, 300);
    lanes_exp(&at, &size);
    z = (complex_lanes){ c * size, -s * size };
    turn = (complex_lanes){ -ln, ln * 0 - HALF_PI };
    sum->re += z.re, sum->im += z.im;
    store(to->of[ARC_EL], i, &z);
    times(&z, &turn, &turn);
    store(to->of[ARC_NEL], i, &turn);
}

typedef struct constants {
    double r[2], c[3], s[3], rs, l;
} constants;

static constants constants_of(const double x[ARCS_COUNT]) {
    const int exponent[3] = { ARC_N1, ARC_N2, ARC_NEL };
    constants k = { .r = { exp(x[ARC_R1]), exp(x[ARC_R2]) }, .rs = exp(x[ARC_RS]), .l = exp(x[ARC_L]) };
    for (int i = 0; i < 3; i++) k.c[i] = cos(HALF_PI * x[exponent[i]]), k.s[i] = sin(HALF_PI * x[exponent[i]]);
    return k;
}

EIS_CLONES static void fill(const arcs_data *d, const double *x, const constants *k, columns *out) {
    for (int64_t i = 0; i < d->of.padded; i += LANES) {
        complex_lanes sum = { 0 }, rs, l;
        lanes ln, omega;
        lanes_load(d->ln_omega + i, &ln), lanes_load(d->of.omega + i, &omega);
        arc(x + ARC_R1, &ln, k->r[0], k->c[0], k->s[0], out, ARC_R1, i, &sum);
        arc(x + ARC_R2, &ln, k->r[1], k->c[1], k->s[1], out, ARC_R2, i, &sum);
        electrode(d, x, &ln, k->c[2], k->s[2], out, i, &sum);
        rs = (complex_lanes){ ln * 0 + k->rs, ln * 0 };
        l = (complex_lanes){ ln * 0, k->l * omega };
        store(out->of[ARC_RS], i, &rs);
        store(out->of[ARC_L], i, &l);
        sum.re += rs.re, sum.im += l.im;
        store(out->model[0], i, &sum);
    }
}

/* Products of one column with `count` others, a constant wherever this is inlined: their sums stay in registers. */
LANES_INLINE void dots(const double *a, const double (*b)[ROWS], int count, int64_t padded, double *out) {
    lanes sum[ABREAST];
    for (int k = 0; k < count; k++) sum[k] = (lanes){ 0 };
    for (int64_t i = 0; i < padded; i += LANES) {
        lanes x, y, u, v;
        lanes_load(a + i, &x), lanes_load(a + QUICK_ROOM + i, &u);
        for (int k = 0; k < count; k++) {
            lanes_load(b[k] + i, &y), lanes_load(b[k] + QUICK_ROOM + i, &v);
            sum[k] += x * y + u * v;
        }
    }
    for (int k = 0; k < count; k++) out[k] = lanes_total(&sum[k]);
}

LANES_INLINE void weighted(const arcs_data *d, const double *column, double *out) {
    for (int64_t i = 0; i < d->of.padded; i += LANES) {
        lanes w, x, y;
        lanes_load(d->of.weight + i, &w), lanes_load(column + i, &x), lanes_load(column + QUICK_ROOM + i, &y);
        x *= w, y *= w;
        lanes_store(&x, out + i), lanes_store(&y, out + QUICK_ROOM + i);
    }
}

LANES_INLINE void subtract_data(const arcs_data *d, double *column) {
    for (int64_t i = 0; i < d->of.padded; i += LANES) {
        lanes x, y, re, im;
        lanes_load(column + i, &x), lanes_load(column + QUICK_ROOM + i, &y);
        lanes_load(d->of.re + i, &re), lanes_load(d->of.im + i, &im);
        x -= re, y -= im;
        lanes_store(&x, column + i), lanes_store(&y, column + QUICK_ROOM + i);
    }
}

EIS_CLONES static void sum_up(const arcs_data *d, columns *c, arcs_sums *out) {
    _Alignas(64) double scaled[ROWS], with[ARCS_COUNT];
    subtract_data(d, c->model[0]);
    weighted(d, c->model[0], scaled);
    dots(scaled, c->model, 1, d->of.padded, &out->square);
    dots(scaled, c->of, ARCS_COUNT, d->of.padded, out->gradient);
    for (int k = 0, at = 0; k < ARCS_COUNT; k++) {
        weighted(d, c->of[k], scaled);
        dots(scaled, c->of, ARCS_COUNT, d->of.padded, with);
        for (int l = 0; l <= k; l++) out->gram[at++] = with[l];
    }
}

void arcs_sums_at(const arcs_data *d, const double x[ARCS_COUNT], arcs_sums *out) {
    columns c;
    constants k = constants_of(x);
    fill(d, x, &k, &c);
    sum_up(d, &c, out);
}

EIS_CLONES static void square_up(const arcs_data *d, columns *c, double *square) {
    subtract_data(d, c->model[0]);
    for (int64_t i = 0; i < d->of.padded; i += LANES) {
        lanes x, y, over;
        lanes_load(c->model[0] + i, &x), lanes_load(c->model[0] + QUICK_ROOM + i, &y),
            lanes_load(d->of.over + i, &over);
        x = over * (x * x + y * y);
        lanes_store(&x, square + i);
    }
}

void arcs_errors(const arcs_data *d, const double x[ARCS_COUNT], double *square) {
    columns c;
    constants k = constants_of(x);
    fill(d, x, &k, &c);
    square_up(d, &c, square);
}

/* ---- the scan ---- */

typedef struct shapes {
    _Alignas(64) double of[ARC_SHAPES][ROWS], data[1][ROWS];
} shapes;

EIS_CLONES static void fill_shapes(const arcs_data *d, double n, double c, double s, const arcs_scan *scan,
                                   shapes *out) {
    for (int64_t i = 0; i < d->of.padded; i += LANES) {
        lanes ln, omega, low;
        complex_lanes u, z, data;
        lanes_load(d->ln_omega + i, &ln), lanes_load(d->of.omega + i, &omega);
        for (int k = 0; k < ARC_TAUS; k++) {
            lanes at = ln + scan->ln_tau[k];
            power(&at, n, c, s, &u);
            u.re += 1;
            reciprocal(&u, &z);
            store(out->of[k], i, &z);
        }
        z = (complex_lanes){ ln * 0 + 1, ln * 0 };
        store(out->of[ARC_TAUS], i, &z);
        low = d->ln_low - ln;
        power(&low, n, c, -s, &z);
        store(out->of[ARC_TAUS + 1], i, &z);
        z = (complex_lanes){ ln * 0, omega };
        store(out->of[ARC_TAUS + 2], i, &z);
        lanes_load(d->of.re + i, &data.re), lanes_load(d->of.im + i, &data.im);
        store(out->data[0], i, &data);
    }
}

EIS_CLONES static void multiply_shapes(const arcs_data *d, const shapes *of, arcs_scan *out) {
    _Alignas(64) double scaled[ROWS];
    for (int k = 0; k < ARC_SHAPES; k++) {
        weighted(d, of->of[k], scaled);
        for (int l = 0; l < ARC_SHAPES; l += ABREAST / 2)
            dots(scaled, of->of + l, ABREAST / 2, d->of.padded, out->gram[k] + l);
        dots(scaled, of->data, 1, d->of.padded, &out->data[k]);
    }
}

void arcs_scan_fill(const arcs_data *d, double n, arcs_scan *out) {
    shapes of;
    fill_shapes(d, n, cos(HALF_PI * n), sin(HALF_PI * n), out, &of);
    multiply_shapes(d, &of, out);
}
