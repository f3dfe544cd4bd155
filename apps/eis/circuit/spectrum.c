/* What is wrong with a spectrum if it cannot be used. */
#include <tidemill/eis.h>

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "parameters.h"

enum { LEAST_POINTS = 5, MOST_POINTS = 10000 };
/* Squares of what lies beyond, and their sums, would leave the range of numbers; no instrument goes there. */
static const double size_least = 1e-20, size_most = 1e20, area_least = 1e-12;
static const char *const columns[3] = { "frequency_hz", "z_re_ohm", "z_im_ohm" };

static tide_status point_fail(const eis_spectrum *s, int64_t i, const char *column, const char *what,
                              tide_failure *failure) {
    return fail_at(failure, TIDE_EDATA, NULL, i + 1, column, "%s, point %lld: %s", s->name ? s->name : "the spectrum",
                   (long long)i + 1, what);
}

tide_status spectrum_check(const eis_spectrum *s, tide_failure *failure) {
    const char *name = s->name ? s->name : "the spectrum";
    if (s->count < LEAST_POINTS || s->count > MOST_POINTS)
        return fail(failure, TIDE_EDATA, "%s has %lld points; from %d to %d are taken", name, (long long)s->count,
                    LEAST_POINTS, MOST_POINTS);
    if (!s->freq_hz || !s->z) return fail(failure, TIDE_EINVAL, "%s has no frequencies or no impedances", name);
    if (s->area_cm2 != 0 && !(s->area_cm2 >= area_least && s->area_cm2 <= 1e6))
        return fail(failure, TIDE_EINVAL, "%s: an area of %g cm2; 0 (not known) and 1e-12 to 1e6 are taken", name,
                    s->area_cm2);
    for (int64_t i = 0; i < s->count; i++) {
        if (!isfinite(s->freq_hz[i]) || !(s->freq_hz[i] > 0))
            return point_fail(s, i, columns[0], "a frequency must be a positive number", failure);
        if (!isfinite(s->z[i].re) || !isfinite(s->z[i].im))
            return point_fail(s, i, columns[1], "an impedance must be finite numbers", failure);
        if (s->z[i].re == 0 && s->z[i].im == 0)
            return point_fail(s, i, columns[1], "an impedance of 0 is not a measurement", failure);
        double size = hypot(s->z[i].re, s->z[i].im);
        if (size < size_least || size > size_most || s->freq_hz[i] < size_least || s->freq_hz[i] > size_most)
            return point_fail(s, i, columns[1], "1e-20 to 1e20 ohm and hertz are taken: are the units right?", failure);
    }
    return TIDE_OK;
}

/* Noise turns a few small ones round. */
tide_status eis_spectrum_sign(const eis_spectrum *s, bool flipped, tide_failure *failure) {
    int64_t positive = 0;
    failure_clear(failure);
    if (!s || (s->count > 0 && !s->z)) return fail(failure, TIDE_EINVAL, "there is no spectrum");
    for (int64_t i = 0; i < s->count; i++) positive += s->z[i].im > 0;
    if (s->count <= 0 || 10 * positive < 9 * s->count) return TIDE_OK;
    return fail_at(failure, TIDE_EDATA, NULL, 0, "z_im_ohm",
                   flipped ? "%s: with `flip-im` the imaginary part is positive nearly throughout; leave it out"
                           : "%s: the imaginary part is positive nearly throughout: looks like -Im(Z); use `flip-im`",
                   s->name ? s->name : "the spectrum");
}

void eis_spectrum_free(eis_spectrum *s) {
    if (!s) return;
    free(s->freq_hz);
    free(s->z);
    free((void *)(uintptr_t)s->sigma);
    free((void *)(uintptr_t)s->line);
    *s = (eis_spectrum){ 0 };
}
