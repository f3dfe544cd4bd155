#include "chi2.h"

#include <math.h>

static const double quantile_z = 3.0902; /* 99.9 % of a normal */

/* Wilson and Hilferty: the cube root of a chi2 over its degrees of freedom is nearly normal, so the F of two of them is
 * where (1 - 2 / 9 m) F^1/3 - (1 - 2 / 9 n) is z standard deviations of itself. */
double chi2_limit(double nu, double noise_dof, bool low) {
    double a = 2 / (9 * nu), b = isinf(noise_dof) ? 0 : 2 / (9 * noise_dof), z = low ? -quantile_z : quantile_z;
    double from = low ? 0 : 1, to = low ? 1 : 1e4;
    for (int i = 0; i < 60; i++) {
        double middle = (from + to) / 2, root = cbrt(middle);
        if (((1 - b) * root - (1 - a)) / sqrt(b * root * root + a) < z) from = middle;
        else to = middle;
    }
    return from;
}

bool chi2_fits(eis_noise_source source, double noise_dof, double chi2, double nu) {
    if (chi2 > chi2_limit(nu, noise_dof, false)) return false;
    if (source != EIS_NOISE_KRAMERS_KRONIG || !(nu > noise_dof)) return true;
    double more = nu - noise_dof; /* the expansion has the circuit's spectrum among its own, nearly */
    return (chi2 * nu - noise_dof) / more <= chi2_limit(more, noise_dof, false);
}
