/* Four coefficients of Z, and the curve of parameter sets that share them. */
#include <tidemill/eis.h>

#include <math.h>

eis_invariants eis_invariants_of(const double p[EIS_COUNT]) {
    if (!p) return (eis_invariants){ NAN, NAN, NAN, NAN, NAN, NAN };
    double rsh = p[EIS_RSH], ra = p[EIS_RA], rb = p[EIS_RB], ca = p[EIS_CA], cb = p[EIS_CB];
    double r = ra + rb, tau_a = ra * ca, tau_b = rb * cb, g = r / rsh, zero = ra * rb * (ca + cb);
    return (eis_invariants){ .r0_ohm = r / (1 + g), .n1_s = zero / r, .d1_s = (tau_a + tau_b + zero / rsh) / (1 + g),
                             .d2_s2 = tau_a * tau_b / (1 + g), .cinf_farad = ca * cb / (ca + cb), .g = g };
}

/* In long double where there is one: tau_1 - n1 and S^2 - 4 P cancel when pole and zero are near. */
bool eis_fibre(const eis_invariants *q, double g, double p[EIS_COUNT]) {
    if (!q || !p) return false;
    long double r = (1 + (long double)g) * q->r0_ohm, n1 = q->n1_s;
    long double sum = (1 + (long double)g) * q->d1_s - g * n1, product = (1 + (long double)g) * q->d2_s2;
    long double square = sum * sum - 4 * product;
    if (!(square > 0) || !(sum > 0) || !(product > 0)) return false;
    long double tau_1 = (sum + sqrtl(square)) / 2, tau_2 = product / tau_1;
    if (!(tau_1 > n1) || !(n1 > tau_2)) return false;
    long double r_1 = r * (tau_1 - n1) / (tau_1 - tau_2), r_2 = r * (n1 - tau_2) / (tau_1 - tau_2);
    p[EIS_RSH] = g > 0 ? (double)(r / g) : INFINITY;
    p[EIS_RA]  = (double)r_1;
    p[EIS_RB]  = (double)r_2;
    p[EIS_CA]  = (double)(tau_1 / r_1);
    p[EIS_CB]  = (double)(tau_2 / r_2);
    return true;
}

void eis_fibre_tangent(const double p[EIS_COUNT], double v[EIS_COUNT]) {
    if (!p || !v) return;
    double rsh = p[EIS_RSH], ra = p[EIS_RA], rb = p[EIS_RB];
    double d = rsh * (ra * p[EIS_CA] - rb * p[EIS_CB]);
    v[EIS_RSH] = 1;
    v[EIS_CA]  = 2 * ra * rb * p[EIS_CA] / d;
    v[EIS_CB]  = -2 * ra * rb * p[EIS_CB] / d;
    v[EIS_RA]  = -ra / rsh - v[EIS_CA];
    v[EIS_RB]  = -rb / rsh - v[EIS_CB];
}
