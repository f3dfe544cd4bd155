/* Standardisation by the train block's mean and biased standard deviation, in double. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "frame.h"

typedef struct moments { double mean, variance; int64_t count; } moments;

/* Two passes: the second around the mean, so that a large mean costs no digits. */
static moments column_moments(const double *values, int64_t rows, int64_t columns) {
    moments m = { 0 };
    double sum = 0, squares = 0, rest = 0;
    for (int64_t i = 0; i < rows; i++) {
        double v = values[i * columns];
        if (isnan(v)) continue;
        sum += v;
        m.count++;
    }
    if (!m.count) return m;
    m.mean = sum / (double)m.count;
    for (int64_t i = 0; i < rows; i++) {
        double d = values[i * columns] - m.mean;
        if (isnan(d)) continue;
        squares += d * d;
        rest += d;
    }
    double n = (double)m.count;
    m.variance = (squares - rest * rest / n) / n;
    return m;
}

/* scikit-learn's rule for a variance that is zero but for rounding. */
static bool is_constant(moments m) {
    double n = (double)m.count, noise = n * m.mean * DBL_EPSILON;
    return m.variance <= n * DBL_EPSILON * m.variance + noise * noise;
}

tide_status scaler_fit(const frame *f, block train, scaler *out) {
    *out = (scaler){ .columns = f->columns };
    out->mean = calloc((size_t)f->columns, sizeof *out->mean);
    out->std = calloc((size_t)f->columns, sizeof *out->std);
    if (!out->mean || !out->std) {
        scaler_free(out);
        return TIDE_ENOMEM;
    }
    for (int64_t c = 0; c < f->columns; c++) {
        moments m = column_moments(f->values + train.start * f->columns + c, train.rows, f->columns);
        out->mean[c] = m.mean;
        out->std[c] = is_constant(m) ? 1 : sqrt(m.variance);
    }
    return TIDE_OK;
}

void scaler_free(scaler *s) {
    if (!s) return;
    free(s->mean);
    free(s->std);
    *s = (scaler){ 0 };
}

static void fill_column(float *column, int64_t rows, int64_t columns) {
    for (int64_t i = 1; i < rows; i++)
        if (isnan(column[i * columns])) column[i * columns] = column[(i - 1) * columns];
    for (int64_t i = rows - 2; i >= 0; i--)
        if (isnan(column[i * columns])) column[i * columns] = column[(i + 1) * columns];
}

static bool apply(const scaler *s, const double *values, int64_t rows, float *out) {
    bool missing = false;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < s->columns; c++) {
            double z = (values[i * s->columns + c] - s->mean[c]) / s->std[c];
            missing = missing || isnan(z);
            out[i * s->columns + c] = (float)z;
        }
    return missing;
}

void scaler_apply_gapped(const scaler *s, const double *values, int64_t rows, float *out) {
    apply(s, values, rows, out);
}

void scaler_apply(const scaler *s, const double *values, int64_t rows, float *out) {
    if (!apply(s, values, rows, out)) return;
    for (int64_t c = 0; c < s->columns; c++) fill_column(out + c, rows, s->columns);
}
