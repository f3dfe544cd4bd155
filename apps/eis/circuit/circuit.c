/* The circuit's impedance and its derivatives: dZ/dz_k = (I_k / I)^2, the current through element k squared. */
#include <tidemill/eis.h>

#include <math.h>

#include "complex_of.h"

#define TWO_PI 6.283185307179586476925286766559

static double complex membrane(double r, double c, double w) { return r / CMPLX(1, w * r * c); }

static eis_z as_z(double complex z) { return (eis_z){ creal(z), cimag(z) }; }

void eis_impedance(eis_circuit circuit, const double p[EIS_COUNT], double rs_ohm, int64_t n, const double *freq_hz,
                   eis_z *z) {
    if (!p || !freq_hz || !z) return;
    for (int64_t i = 0; i < n; i++) {
        double w = TWO_PI * freq_hz[i];
        double complex zm = membrane(p[EIS_RA], p[EIS_CA], w) + membrane(p[EIS_RB], p[EIS_CB], w);
        z[i] = as_z(rs_ohm + (circuit == EIS_SHUNT ? zm / (1 + zm / p[EIS_RSH]) : p[EIS_RSH] + zm));
    }
}

/* With x + j y = Zm, u = x + Rsh and D = u^2 + y^2: Z' = Rsh (x u + y^2) / D, Z'' = Rsh^2 y / D. */
void eis_impedance_f32(eis_circuit circuit, const float p[EIS_COUNT], float rs_ohm, int64_t n, const float *freq_hz,
                       float *re,
                       float *im) {
    if (!p || !freq_hz || !re || !im) return;
    float rsh = p[EIS_RSH], tau_a = p[EIS_RA] * p[EIS_CA], tau_b = p[EIS_RB] * p[EIS_CB];
    for (int64_t i = 0; i < n; i++) {
        float w = (float)TWO_PI * freq_hz[i], a = w * tau_a, b = w * tau_b;
        float za = p[EIS_RA] / (1 + a * a), zb = p[EIS_RB] / (1 + b * b);
        float x = za + zb, y = -(za * a + zb * b), u = x + rsh, d = u * u + y * y;
        re[i] = rs_ohm + (circuit == EIS_SHUNT ? rsh * (x * u + y * y) / d : rsh + x);
        im[i] = circuit == EIS_SHUNT ? rsh * rsh * y / d : y;
    }
}

eis_z eis_derivatives(eis_circuit circuit, const double p[EIS_COUNT], double rs_ohm, double freq_hz,
                      eis_z d[EIS_WITH_RS]) {
    double w = TWO_PI * freq_hz;
    if (!p || !d) return (eis_z){ NAN, NAN };
    double complex s = CMPLX(0, w), za = membrane(p[EIS_RA], p[EIS_CA], w), zb = membrane(p[EIS_RB], p[EIS_CB], w),
                   zm = za + zb;
    double complex k = circuit == EIS_SHUNT ? 1 / (1 + zm / p[EIS_RSH]) : 1;
    double complex ka = k * za, kb = k * zb, shunt = k * zm / p[EIS_RSH];
    d[EIS_RSH] = as_z(circuit == EIS_SHUNT ? shunt * shunt : 1);
    d[EIS_RA]  = as_z(ka * ka / (p[EIS_RA] * p[EIS_RA]));
    d[EIS_RB]  = as_z(kb * kb / (p[EIS_RB] * p[EIS_RB]));
    d[EIS_CA]  = as_z(-s * ka * ka);
    d[EIS_CB]  = as_z(-s * kb * kb);
    d[EIS_RS]  = (eis_z){ 1, 0 };
    return as_z(rs_ohm + (circuit == EIS_SHUNT ? k * zm : p[EIS_RSH] + zm));
}

void eis_swap(const double p[EIS_COUNT], double out[EIS_COUNT]) {
    if (!p || !out) return;
    double swapped[EIS_COUNT] = { p[EIS_RSH], p[EIS_RB], p[EIS_RA], p[EIS_CB], p[EIS_CA] };
    for (int k = 0; k < EIS_COUNT; k++) out[k] = swapped[k];
}
