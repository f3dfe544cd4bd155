#include "basis.h"

#include <math.h>

#define TWO_PI 6.283185307179586476925286766559

basis basis_over(const eis_spectrum *s, const bool *left_out, int terms, double extension, bool admittance) {
    basis b = { .terms = terms, .admittance = admittance, .low_w = INFINITY };
    for (int64_t i = 0; i < s->count; i++) {
        double w = TWO_PI * s->freq_hz[i];
        if (left_out && left_out[i]) continue;
        b.low_w = fmin(b.low_w, w), b.high_w = fmax(b.high_w, w);
    }
    double last = extension / b.low_w, first = 1 / (extension * b.high_w);
    for (int k = 0; k < terms; k++) b.tau[k] = terms > 1 ? first * pow(last / first, k / (terms - 1.0)) : last;
    return b;
}

double complex basis_at(const basis *b, int column, double freq_hz) {
    double complex s = CMPLX(0, TWO_PI * freq_hz);
    if (column == 0) return 1;
    if (column == b->terms + 1) return s / b->high_w;
    if (column == b->terms + 2) return b->low_w / s;
    double tau = b->tau[column - 1];
    return (b->admittance ? s * tau : 1) / (1 + s * tau);
}

double complex basis_data(const basis *b, eis_z z) {
    double complex value = CMPLX(z.re, z.im);
    return b->admittance ? 1 / value : value;
}
