/* Noise from what is stated, from replicates or from the plateau of the linear Kramers-Kronig test. */
#include "noise.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

static const double same_frequency = 1e-3;

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the noise of a spectrum");
}

static noise_estimate stated(const eis_spectrum *s) {
    double square = 0;
    for (int64_t i = 0; i < s->count; i++) {
        double over = 1 / hypot(s->z[i].re, s->z[i].im), re = over * s->sigma[i].re, im = over * s->sigma[i].im;
        square += re * re + im * im;
    }
    double noise = sqrt(square / (2 * (double)s->count));
    return (noise_estimate){ .source = EIS_NOISE_SIGMA, .noise = noise, .robust = noise, .dof = INFINITY };
}

noise_estimate noise_of_rest(const expansion *rest, double robust) {
    return (noise_estimate){ .source = EIS_NOISE_KRAMERS_KRONIG, .noise = rest->noise, .robust = robust,
                             .dof = rest->dof };
}

/* Where no point is an outlier, what is left without them is what is left of all. */
tide_status noise_of(const eis_spectrum *s, noise_estimate *out, tide_failure *failure) {
    *out = (noise_estimate){ .source = EIS_NOISE_KRAMERS_KRONIG };
    if (s->sigma) return *out = stated(s), TIDE_OK;
    expansion all = { 0 }, rest = { 0 };
    double  robust   = 0;
    int64_t outliers = 0;
    bool   *left_out = malloc(sizeof *left_out * (size_t)s->count);
    bool    room     = left_out && expand_robust(s, NULL, left_out, &rest, &robust);
    for (int64_t i = 0; room && i < s->count; i++) outliers += left_out[i];
    if (outliers) room = expand(s, NULL, &all);
    if (room) *out = noise_of_rest(outliers ? &all : &rest, robust), out->outliers = outliers;
    free(left_out);
    expansion_free(&all), expansion_free(&rest);
    return room ? TIDE_OK : no_memory(failure);
}

/* ---- replicates ---- */

static tide_status same_frequencies(const eis_spectrum *s, int64_t count, tide_failure *failure) {
    for (int64_t k = 1; k < count; k++) {
        if (s[k].count != s[0].count)
            return fail(failure, TIDE_EDATA, "replicates need the same frequencies: %s has %lld, %s has %lld",
                        s[0].name ? s[0].name : "the first sweep", (long long)s[0].count,
                        s[k].name ? s[k].name : "another", (long long)s[k].count);
        for (int64_t i = 0; i < s[0].count; i++)
            if (!(fabs(s[k].freq_hz[i] / s[0].freq_hz[i] - 1) <= same_frequency))
                return fail_at(failure, TIDE_EDATA, NULL, i + 1, "frequency_hz",
                               "replicates need the same frequencies: point %lld is at %g Hz in %s, at %g Hz in %s",
                               (long long)i + 1, s[0].freq_hz[i], s[0].name ? s[0].name : "the first sweep",
                               s[k].freq_hz[i], s[k].name ? s[k].name : "another");
    }
    return TIDE_OK;
}

static void take_mean(const eis_spectrum *s, int64_t count, eis_z *mean) {
    for (int64_t i = 0; i < s[0].count; i++) {
        mean[i] = (eis_z){ 0, 0 };
        for (int64_t k = 0; k < count; k++) {
            mean[i].re += s[k].z[i].re / (double)count;
            mean[i].im += s[k].z[i].im / (double)count;
        }
    }
}

tide_status noise_of_replicates(const eis_spectrum *s, int64_t count, noise_estimate *out, tide_failure *failure) {
    scatter left;
    *out = (noise_estimate){ .source = EIS_NOISE_REPLICATES };
    if (count < 2) return fail(failure, TIDE_EINVAL, "replicates are two sweeps or more, not %lld", (long long)count);
    tide_status status = same_frequencies(s, count, failure);
    if (status != TIDE_OK) return status;
    eis_spectrum mean = s[0];
    mean.z = malloc(sizeof *mean.z * (size_t)mean.count);
    if (mean.z) take_mean(s, count, mean.z);
    if (mean.z && expand_sweeps(&mean, s, count, &left)) {
        out->noise = out->robust = sqrt(left.square / left.dof);
        out->dof = left.dof, out->drift = left.rank;
    } else status = no_memory(failure);
    free(mean.z);
    return status;
}

const char *eis_noise_source_name(eis_noise_source source) {
    static const char *const names[] = { [EIS_NOISE_GIVEN] = "given",
                                         [EIS_NOISE_SIGMA] = "sigma columns",
                                         [EIS_NOISE_REPLICATES] = "replicates",
                                         [EIS_NOISE_KRAMERS_KRONIG] = "Kramers-Kronig",
                                         [EIS_NOISE_NEIGHBOURS] = "neighbouring points" };
    return (unsigned)source < sizeof names / sizeof *names ? names[source] : NULL;
}
