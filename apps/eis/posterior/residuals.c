#include "residuals.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

enum { LAGS_MOST = 1000 };
static const double improbable = 3.0902;  /* standard deviations: 1 in 1000 of noise */
static const double rounding   = 1e-4;    /* residuals below are better than any instrument */

typedef struct residual { double freq_hz, part[2]; } residual;

static int by_frequency(const void *a, const void *b) {
    double x = ((const residual *)a)->freq_hz, y = ((const residual *)b)->freq_hz;
    return (x > y) - (x < y);
}

static double product(const residual *r, int64_t count, int64_t lag) {
    double sum = 0;
    for (int64_t i = 0; i + lag < count; i++)
        sum += r[i].part[0] * r[i + lag].part[0] + r[i].part[1] * r[i + lag].part[1];
    return sum / (2 * (double)(count - lag));
}

/* 1 + 2 (rho_1 + rho_2 + ...), ended where the sum turns to noise: at the first that is not positive. */
static double correlation(const residual *r, int64_t count, double square) {
    double sum = 1;
    for (int64_t lag = 1; lag <= MIN2(count / 2, LAGS_MOST); lag++) {
        double rho = product(r, count, lag) / square;
        if (!(rho > 0)) break;
        sum += 2 * rho;
    }
    return fmin(sum, (double)count);
}

static void judge(const residual *r, int64_t count, residuals *out) {
    double differences = 0, square = product(r, count, 0);
    *out = (residuals){ .size = sqrt(square), .correlation = 1 };
    for (int64_t i = 1; i < count; i++)
        for (int k = 0; k < 2; k++) {
            double step = r[i].part[k] - r[i - 1].part[k];
            differences += step * step;
            out->pairs++;
            out->changes += (r[i].part[k] < 0) != (r[i - 1].part[k] < 0);
        }
    double pairs = (double)out->pairs, expected = pairs / 2;
    if (out->pairs) out->scatter = sqrt(differences / (2 * pairs));
    out->systematic = out->size > rounding && (double)out->changes < expected - improbable * sqrt(pairs) / 2;
    if (out->systematic) out->correlation = correlation(r, count, square);
}

bool residuals_of(const eis_spectrum *s, const eis_z *model, residuals *out) {
    residual *r = malloc((size_t)s->count * sizeof *r);
    if (!r) return false;
    for (int64_t i = 0; i < s->count; i++) {
        double over = 1 / hypot(model[i].re, model[i].im);
        r[i] = (residual){ s->freq_hz[i], { over * (s->z[i].re - model[i].re), over * (s->z[i].im - model[i].im) } };
    }
    qsort(r, (size_t)s->count, sizeof *r, by_frequency);
    judge(r, s->count, out);
    free(r);
    return true;
}
