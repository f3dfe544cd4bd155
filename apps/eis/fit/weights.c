/* What a residual counts. */
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "problem.h"

#define TWO_PI 6.283185307179586476925286766559
static const double floor_share = 0.01; /* of |Z|: a part that crosses zero weighs no more than this size would */

static double largest(const eis_spectrum *s, bool imaginary) {
    double most = 0;
    for (int64_t i = 0; i < s->count; i++) most = fmax(most, fabs(imaginary ? s->z[i].im : s->z[i].re));
    return most;
}

/* The standard deviation that the weights mean, up to a factor. */
static double deviation(const eis_spectrum *s, int64_t i, bool imaginary, int weights, double most) {
    double part = fabs(imaginary ? s->z[i].im : s->z[i].re), size = hypot(s->z[i].re, s->z[i].im);
    switch (weights) {
    case EIS_WEIGHTS_MODULUS: return size;
    case EIS_WEIGHTS_PROPORTIONAL: return fmax(part, floor_share * size);
    case EIS_WEIGHTS_NORMALISED: return most > 0 ? most : 1;
    case EIS_WEIGHTS_STATISTICAL: return imaginary ? s->sigma[i].im : s->sigma[i].re;
    default: return 1;
    }
}

static tide_status fill(const eis_spectrum *s, int weights, fit_data *d, tide_failure *failure) {
    const double most[2] = { largest(s, false), largest(s, true) };
    for (int64_t i = 0; i < s->count; i++) {
        d->omega[i] = TWO_PI * s->freq_hz[i], d->log_omega[i] = log(d->omega[i]);
        d->z[i] = CMPLX(s->z[i].re, s->z[i].im);
        for (int k = 0; k < 2; k++) {
            double sd = deviation(s, i, k, weights, most[k]), part = k ? s->z[i].im : s->z[i].re;
            if (!(sd > 0) || !isfinite(1 / sd))
                return fail_at(failure, TIDE_EDATA, NULL, i + 1, NULL, "point %lld: a standard deviation of %g",
                               (long long)i + 1, sd);
            d->weight[k * s->count + i] = 1 / sd;
            d->size += part * part / (sd * sd);
        }
    }
    return TIDE_OK;
}

tide_status fit_data_new(const eis_spectrum *s, int weights, fit_data *out, tide_failure *failure) {
    size_t n = (size_t)s->count;
    *out = (fit_data){ .n = s->count };
    if (weights == EIS_WEIGHTS_STATISTICAL && !s->sigma)
        return fail_at(
            failure, TIDE_EINVAL, NULL, 0, "weights",
            "`weights` statistical needs the standard deviation of each point; modulus, unit and proportional "
            "do not");
    out->omega = malloc(4 * n * sizeof *out->omega);
    out->z = malloc(n * sizeof *out->z);
    if (!out->omega || !out->z) return fail(failure, TIDE_ENOMEM, "out of memory for a fit");
    out->log_omega = out->omega + n, out->weight = out->log_omega + n;
    return fill(s, weights, out, failure);
}

void fit_data_free(fit_data *d) {
    free(d->omega);
    free(d->z);
    *d = (fit_data){ 0 };
}
