/* Noise from what is stated, from replicates or from the plateau of the linear Kramers-Kronig test. */
#include "noise.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/complex_of.h"
#include "expansion.h"

enum { DRIFT_MOST = 6 }; /* a polynomial of degree 5 */
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
    return (noise_estimate){ .source = NOISE_STATED, .noise = noise, .robust = noise, .dof = INFINITY };
}

tide_status noise_of(const eis_spectrum *s, noise_estimate *out, tide_failure *failure) {
    *out = (noise_estimate){ .source = NOISE_KRAMERS_KRONIG };
    if (s->sigma) return *out = stated(s), TIDE_OK;
    expansion all, rest = { 0 };
    bool *left_out = malloc(sizeof *left_out * (size_t)s->count), room = left_out && expand(s, NULL, &all);
    if (!room) return free(left_out), no_memory(failure);
    out->noise = all.noise, out->dof = all.dof;
    room = expand_robust(s, left_out, &rest, &out->robust);
    for (int64_t i = 0; room && i < s->count; i++) out->outliers += left_out[i];
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

/* left[k * points + i]: sweep k less the mean of all, over the mean's size. */
static void take_means(const eis_spectrum *s, int64_t count, double complex *left) {
    int64_t n = s[0].count;
    for (int64_t i = 0; i < n; i++) {
        double complex mean = 0;
        for (int64_t k = 0; k < count; k++) mean += CMPLX(s[k].z[i].re, s[k].z[i].im) / (double)count;
        for (int64_t k = 0; k < count; k++) left[k * n + i] = (CMPLX(s[k].z[i].re, s[k].z[i].im) - mean) / cabs(mean);
    }
}

static double square_of(const double complex *left, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += creal(left[i] * conj(left[i]));
    return sum;
}

/* polynomial[d * n + i]: of degree d in ln f, orthonormal over the points (Gram and Schmidt, twice). */
static void make_polynomials(const eis_spectrum *s, int count, double *polynomial) {
    int64_t n = s->count;
    for (int d = 0; d < count; d++) {
        double *p = polynomial + d * n;
        for (int64_t i = 0; i < n; i++) p[i] = d ? polynomial[(d - 1) * n + i] * log(s->freq_hz[i]) : 1;
        for (int pass = 0; pass < 2; pass++)
            for (int e = 0; e <= d; e++) {
                double *q = polynomial + e * n, along = 0;
                for (int64_t i = 0; i < n; i++) along += p[i] * q[i];
                for (int64_t i = 0; i < n; i++) p[i] = e == d ? p[i] / sqrt(along) : p[i] - along * q[i];
            }
    }
}

static void take_polynomial(const double *p, int64_t n, int64_t count, double complex *left) {
    for (int64_t k = 0; k < count; k++) {
        double complex along = 0;
        for (int64_t i = 0; i < n; i++) along += p[i] * left[k * n + i];
        for (int64_t i = 0; i < n; i++) left[k * n + i] -= along * p[i];
    }
}

/* As many polynomials as the Bayesian information criterion finds worth their degrees of freedom. */
static void judge(const double *polynomial, int most, int64_t n, int64_t count, double complex *left,
                  noise_estimate *out) {
    double sweeps = (double)(count - 1), m = 2 * sweeps * (double)n, least = INFINITY;
    for (int d = 0; d <= most; d++) {
        double square = square_of(left, n * count), taken = 2 * sweeps * d;
        double cost = m * log(fmax(square, 1e-30 * m) / m) + taken * log(m);
        if (cost < least) least = cost, out->drift = d, out->dof = m - taken, out->noise = sqrt(square / (m - taken));
        if (d < most) take_polynomial(polynomial + d * n, n, count, left);
    }
    out->robust = out->noise;
}

tide_status noise_of_replicates(const eis_spectrum *s, int64_t count, noise_estimate *out, tide_failure *failure) {
    *out = (noise_estimate){ .source = NOISE_REPLICATES };
    if (count < 2) return fail(failure, TIDE_EINVAL, "replicates are two sweeps or more, not %lld", (long long)count);
    tide_status status = same_frequencies(s, count, failure);
    if (status != TIDE_OK) return status;
    int64_t n = s[0].count;
    int most = (int)MIN2(DRIFT_MOST, n / 4);
    double complex *left = malloc(sizeof *left * (size_t)(n * count));
    double *polynomial = malloc(sizeof *polynomial * (size_t)(n * DRIFT_MOST));
    if (left && polynomial) {
        take_means(s, count, left);
        make_polynomials(s, most, polynomial);
        judge(polynomial, most, n, count, left, out);
    } else status = no_memory(failure);
    free(left), free(polynomial);
    return status;
}

const char *noise_source_name(noise_source source) {
    static const char *const names[] = { "sigma columns", "replicates", "Kramers-Kronig" };
    return names[source];
}
