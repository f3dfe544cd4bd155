/* Elements of diffusion and transmission lines. All are two functions of v = q^2: c = q coth q and h = q / sinh q.
 *     tanh(q)/q = 1/c      coth(q)/q = c/v      1/(q sinh q) = h/v
 *     dc/dv = (c - h^2)/(2 v)      dh/dv = h (1 - c)/(2 v)
 * Both hold for any |q|: near 0 by their series, far out, where e^-q is 0, as c = q and h = 0. */
#include <math.h>

#include "element_kernels.h"

static const double near_zero = 0.02;  /* |v|: seven terms leave 1e-17, and the closed form loses a hundredfold */

typedef struct line {
    double complex c, h;
    double complex c_slope, h_slope;    /* dc/dv, dh/dv */
    double complex coth, coth_turn;     /* c/v, and its derivative by ln v: dc/dv - c/v */
    double complex cosech, cosech_turn; /* h/v, and its derivative by ln v */
} line;

/* q coth q = sum 2^2k B_2k v^k / (2k)!, q / sinh q = sum 2 (1 - 2^(2k-1)) B_2k v^k / (2k)!. */
static const double coth_terms[]   = { 1, 1. / 3, -1. / 45, 2. / 945, -1. / 4725, 2. / 93555, -1382. / 638512875,
                                       4. / 18243225 };
static const double cosech_terms[] = { 1, -1. / 6, 7. / 360, -31. / 15120, 127. / 604800, -73. / 3421440,
                                       1414477. / 653837184000, -8191. / 37362124800 };
enum { TERMS = sizeof coth_terms / sizeof *coth_terms };

static double complex series(const double *terms, double complex v, double complex *slope) {
    double complex sum = 0;
    *slope             = 0;
    for (int k = TERMS - 1; k >= 0; k--) *slope = *slope * v + sum, sum = sum * v + terms[k];
    return sum;
}

static void closed_form(double complex v, line *l) {
    double complex q = csqrt(v), small = cexp(-q), square = small * small;
    l->c       = q * ((1 + square) / (1 - square));
    l->h       = 2 * q * small / (1 - square);
    l->c_slope = (l->c - l->h * l->h) / (2 * v);
    l->h_slope = l->h * (1 - l->c) / (2 * v);
}

static void line_at(double complex v, line *l) {
    if (cabs(v) < near_zero) {
        l->c = series(coth_terms, v, &l->c_slope);
        l->h = series(cosech_terms, v, &l->h_slope);
    } else closed_form(v, l);
    l->coth   = l->c / v, l->coth_turn = l->c_slope - l->coth;
    l->cosech = l->h / v, l->cosech_turn = l->h_slope - l->cosech;
}

void element_ws(const double *p, const frequencies *f, zblock z, zblock *d) {
    line l;
    for (int i = 0; i < BLOCK; i++) {
        double complex v = CMPLX(0, f->omega[i] * p[1]);
        line_at(v, &l);
        z[i] = p[0] / l.c;
        if (d) d[0][i] = z[i], d[1][i] = -z[i] * (v * l.c_slope / l.c);
    }
}

void element_wo(const double *p, const frequencies *f, zblock z, zblock *d) {
    line l;
    for (int i = 0; i < BLOCK; i++) {
        line_at(CMPLX(0, f->omega[i] * p[1]), &l);
        z[i] = p[0] * l.coth;
        if (d) d[0][i] = z[i], d[1][i] = p[0] * l.coth_turn;
    }
}

/* With v = phi^2 (1 + s t): R phi coth(sqrt v)/sqrt v. */
void element_gs(const double *p, const frequencies *f, zblock z, zblock *d) {
    line   l;
    double r = p[0] * p[2];
    for (int i = 0; i < BLOCK; i++) {
        double complex st = CMPLX(0, f->omega[i] * p[1]);
        line_at(p[2] * p[2] * (1 + st), &l);
        z[i] = r * l.coth;
        if (!d) continue;
        d[0][i] = z[i];
        d[1][i] = r * l.coth_turn * (st / (1 + st));
        d[2][i] = z[i] + 2 * r * l.coth_turn;
    }
}

/* With v = R/zs = R Q s^n: R coth(sqrt v)/sqrt v. */
void element_tlmq(const double *p, const frequencies *f, zblock z, zblock *d) {
    line           l;
    double complex turn = quarter_turns(p[2]);
    for (int i = 0; i < BLOCK; i++) {
        line_at(p[0] * p[1] * power_of_s(f->log_omega[i], p[2], turn), &l);
        z[i] = p[0] * l.coth;
        if (!d) continue;
        d[0][i] = p[0] * l.c_slope;
        d[1][i] = p[0] * l.coth_turn;
        d[2][i] = d[1][i] * p[2] * CMPLX(f->log_omega[i], HALF_PI);
    }
}

/* With v = R/zm = R/Rm + s R Cm. */
void element_tlm(const double *p, const frequencies *f, zblock z, zblock *d) {
    line l;
    for (int i = 0; i < BLOCK; i++) {
        double complex leak = p[0] / p[1], store = CMPLX(0, f->omega[i] * p[0] * p[2]), v = leak + store;
        line_at(v, &l);
        z[i] = p[0] * l.coth;
        if (!d) continue;
        d[0][i] = p[0] * l.c_slope;
        d[1][i] = -p[0] * l.coth_turn * (leak / v);
        d[2][i] = p[0] * l.coth_turn * (store / v);
    }
}

void element_t(const double *p, const frequencies *f, zblock z, zblock *d) {
    line l;
    for (int i = 0; i < BLOCK; i++) {
        double complex sb = CMPLX(0, f->omega[i] * p[3]), v = p[2] + sb, turn;
        line_at(v, &l);
        z[i] = p[0] * l.coth + p[1] * l.cosech;
        if (!d) continue;
        turn    = p[0] * l.coth_turn + p[1] * l.cosech_turn;
        d[0][i] = p[0] * l.coth, d[1][i] = p[1] * l.cosech;
        d[2][i] = turn * (p[2] / v), d[3][i] = turn * (sb / v);
    }
}
