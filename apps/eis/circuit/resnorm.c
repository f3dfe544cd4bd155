/* Residual norms. Several programs give one name to different sums: here each has its own. */
#include <tidemill/eis.h>

#include <math.h>

#include "complex_of.h"

typedef struct sums {
    double abs, abs_root_f, square, relative, relative_square, relative_quartic, magnitude, phase;
    double re_square, im_square, max_re, max_im, weight, low_hz, high_hz;
    int64_t relative_count;
} sums;

static const char *const names[EIS_RESNORMS] = {
    "mean-abs", "mean-abs-root-f", "mean-abs-amplified", "mean-relative-magnitude", "mean-square", "magnitude-phase",
    "sse", "rmse",
    "rmse-parts", "pseudo-chi2", "reduced-chi2", "normalised", "complex-mape", "quartic", "noise-percent",
};

const char *eis_resnorm_name(eis_resnorm_kind kind) { return (unsigned)kind < EIS_RESNORMS ? names[kind] : "?"; }

static void add_relative(sums *s, eis_z e, double error, double size, double model_size) {
    if (!(size > 0)) return;
    double re = e.re / size, im = e.im / size;
    s->relative_count++;
    s->relative += error / size;
    s->relative_square += error * error / (size * size);
    s->relative_quartic += re * re * re * re + im * im * im * im;
    s->magnitude += fabs(model_size - size) / size;
}

static void add_point(sums *s, double freq_hz, eis_z data, eis_z model) {
    eis_z  e     = { data.re - model.re, data.im - model.im };
    double error = hypot(e.re, e.im), size = hypot(data.re, data.im), model_size = hypot(model.re, model.im);
    double weight = 1 / sqrt(freq_hz);
    double turn = carg(CMPLX(model.re, model.im) * conj(CMPLX(data.re, data.im)));
    s->abs += error;
    s->abs_root_f += weight * error;
    s->square += error * error;
    s->phase += weight * (fabs(model_size - size) + fabs(turn) * model_size);
    s->re_square += e.re * e.re;
    s->im_square += e.im * e.im;
    s->max_re = fmax(s->max_re, fabs(data.re));
    s->max_im = fmax(s->max_im, fabs(data.im));
    s->weight += weight;
    s->low_hz  = s->low_hz > 0 ? fmin(s->low_hz, freq_hz) : freq_hz;
    s->high_hz = fmax(s->high_hz, freq_hz);
    add_relative(s, e, error, size, model_size);
}

double eis_resnorm(eis_resnorm_kind kind, int64_t n, const double *freq_hz, const eis_z *data, const eis_z *model,
                   int free_parameters) {
    sums s = { 0 };
    if (!freq_hz || !data || !model) return NAN;
    for (int64_t i = 0; i < n; i++) add_point(&s, freq_hz[i], data[i], model[i]);
    double count = (double)n, relative_count = (double)s.relative_count;
    switch (kind) {
    case EIS_MEAN_ABS: return s.abs / count;
    case EIS_MEAN_ABS_ROOT_F: return s.abs_root_f / s.weight;
    case EIS_MEAN_ABS_AMPLIFIED: return s.abs / count * sqrt(log10(s.high_hz / s.low_hz));
    case EIS_MEAN_RELATIVE_MAGNITUDE: return s.magnitude / relative_count;
    case EIS_MEAN_SQUARE: return s.square / count;
    case EIS_MAGNITUDE_PHASE: return s.phase / s.weight;
    case EIS_SSE: return s.square;
    case EIS_RMSE: return sqrt(s.square / count);
    case EIS_RMSE_PARTS: return sqrt(s.relative_square / (2 * relative_count));
    case EIS_PSEUDO_CHI2: return s.relative_square;
    case EIS_REDUCED_CHI2: return s.relative_square / (2 * relative_count - free_parameters);
    case EIS_NORMALISED: return s.re_square / (s.max_re * s.max_re) + s.im_square / (s.max_im * s.max_im);
    case EIS_COMPLEX_MAPE: return 100 * s.relative / relative_count;
    case EIS_QUARTIC: return s.relative_quartic;
    case EIS_NOISE_PERCENT: return sqrt(5000 * s.relative_square / relative_count);
    case EIS_RESNORMS: break;
    }
    return NAN;
}
