#include "arcs.h"

#include <complex.h>
#include <math.h>

#define HALF_PI 1.5707963267948966

/* (j x)^n */
static double complex power(double x, double n) {
    double size = pow(x, n);
    return size * cos(HALF_PI * n) + I * (size * sin(HALF_PI * n));
}

void arcs_impedance(const double p[ARCS_COUNT], double omega_low, int64_t n, const double *omega, eis_z *z) {
    for (int64_t i = 0; i < n; i++) {
        double w = omega[i];
        double complex sum = p[ARC_RS] + I * (w * p[ARC_L]);
        sum += p[ARC_R1] / (1 + power(w * p[ARC_TAU1], p[ARC_N1]));
        sum += p[ARC_R2] / (1 + power(w * p[ARC_TAU2], p[ARC_N2]));
        sum += p[ARC_EL] / power(w / omega_low, p[ARC_NEL]);
        z[i] = (eis_z){ creal(sum), cimag(sum) };
    }
}

double arcs_ter(const double p[ARCS_COUNT]) { return p[ARC_R1] + p[ARC_R2]; }

double arcs_tec(const double p[ARCS_COUNT]) { return 1 / (p[ARC_R1] / p[ARC_TAU1] + p[ARC_R2] / p[ARC_TAU2]); }

void arcs_order(double p[ARCS_COUNT]) {
    if (p[ARC_TAU1] >= p[ARC_TAU2]) return;
    for (int k = 0; k < 3; k++) {
        double slower = p[ARC_R2 + k];
        p[ARC_R2 + k] = p[ARC_R1 + k];
        p[ARC_R1 + k] = slower;
    }
}
