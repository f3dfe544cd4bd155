/* The matrix of a spectrum, and Tikhonov's solutions of it. */
#include "inverse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nnls.h"

#define TWO_PI 6.283185307179586476925286766559
static const double usual_density = 10, most_density = 30; /* functions a decade; the data's where those are denser */
static const double capacitive = 0.1; /* -Im Z over |Z| at the lowest frequency, at least */

typedef struct span {
    int64_t low, high;
} span;

static span span_of(const eis_spectrum *s) {
    span at = { 0, 0 };
    for (int64_t i = 1; i < s->count; i++) {
        if (s->freq_hz[i] < s->freq_hz[at.low]) at.low = i;
        if (s->freq_hz[i] > s->freq_hz[at.high]) at.high = i;
    }
    return at;
}

/* Whether -Im Z still grows where the spectrum ends, over its last octave. */
static bool still_capacitive(const eis_spectrum *s, int64_t low) {
    int64_t above = -1;
    for (int64_t i = 0; i < s->count; i++)
        if (s->freq_hz[i] >= 2 * s->freq_hz[low] && (above < 0 || s->freq_hz[i] < s->freq_hz[above])) above = i;
    eis_z z = s->z[low];
    return above >= 0 && -z.im > capacitive * hypot(z.re, z.im) && -z.im > -s->z[above].im;
}

static void fill_row(inverse *v, const eis_spectrum *s, int64_t i) {
    int functions = v->basis.count;
    double *re = v->a + i * v->unknowns, *im = re + s->count * v->unknowns;
    double w = TWO_PI * s->freq_hz[i], size = hypot(s->z[i].re, s->z[i].im), weight = v->ohm / size;
    rbf_impedance(&v->basis, w, re, im);
    re[functions] = 1, im[functions + 1] = w;
    if (v->capacitance) im[functions + 2] = -1 / w;
    for (int k = 0; k < v->unknowns; k++) re[k] *= weight, im[k] *= weight;
    v->b[i] = s->z[i].re / size, v->b[i + s->count] = s->z[i].im / size;
}

static void scale_columns(inverse *v) {
    for (int k = 0; k < v->unknowns; k++) {
        double square = 0;
        for (int64_t i = 0; i < v->rows; i++) square += v->a[i * v->unknowns + k] * v->a[i * v->unknowns + k];
        v->length[k] = sqrt(square);
        for (int64_t i = 0; i < v->rows; i++) v->a[i * v->unknowns + k] /= v->length[k];
    }
}

static void fill_normal(inverse *v) {
    int n = v->unknowns;
    for (int64_t i = 0; i < v->rows; i++) {
        const double *row = v->a + i * n;
        for (int j = 0; j < n; j++) {
            v->right[j] += row[j] * v->b[i];
            for (int k = 0; k < n; k++) v->gram[j * n + k] += row[j] * row[k];
        }
    }
}

static void fill_penalty(inverse *v, int order, double *scratch) {
    int m = v->basis.count;
    rbf_penalty(&v->basis, order, scratch);
    for (int j = 0; j < m; j++)
        for (int k = 0; k < m; k++)
            v->penalty[j * v->unknowns + k] = scratch[j * m + k] / (v->length[j] * v->length[k]);
}

bool inverse_new(inverse *v, const eis_spectrum *s, int penalty_order) {
    span at = span_of(s);
    double low = s->freq_hz[at.low], high = s->freq_hz[at.high];
    double density = high > low ? (double)(s->count - 1) / log10(high / low) : 0;
    *v = (inverse){ .basis = rbf_over(low, high, fmin(fmax(usual_density, density), most_density)) };
    v->capacitance = still_capacitive(s, at.low);
    v->unknowns = v->basis.count + 2 + v->capacitance, v->rows = 2 * s->count;
    size_t n = (size_t)v->unknowns, rows = (size_t)v->rows;
    v->memory = calloc(rows * (n + 1) + 3 * n * n + 2 * n, sizeof *v->memory);
    if (!v->memory) return false;
    v->a = v->memory, v->b = v->a + rows * n, v->length = v->b + rows, v->right = v->length + n;
    v->gram = v->right + n, v->penalty = v->gram + n * n;
    for (int64_t i = 0; i < s->count; i++) v->ohm = fmax(v->ohm, hypot(s->z[i].re, s->z[i].im));
    for (int64_t i = 0; i < s->count; i++) fill_row(v, s, i);
    scale_columns(v);
    fill_normal(v);
    fill_penalty(v, penalty_order, v->penalty + n * n);
    return true;
}

void inverse_free(inverse *v) {
    free(v->memory);
    *v = (inverse){ 0 };
}

double inverse_residual(const inverse *v, const double *x, int64_t i) {
    double left = v->b[i];
    for (int k = 0; k < v->unknowns; k++) left -= v->a[i * v->unknowns + k] * x[k];
    return left;
}

static void add_penalty(const inverse *v, double lambda, double *matrix) {
    for (int64_t i = 0; i < (int64_t)v->unknowns * v->unknowns; i++) matrix[i] = v->gram[i] + lambda * v->penalty[i];
}

static double roughness(const inverse *v, const double *x) {
    double sum = 0;
    for (int j = 0; j < v->unknowns; j++)
        for (int k = 0; k < v->unknowns; k++) sum += x[j] * v->penalty[j * v->unknowns + k] * x[k];
    return sum;
}

size_t inverse_scratch(const inverse *v) { return (size_t)v->unknowns * (2 * (size_t)v->unknowns + 1); }

/* K = A H^-1 A' has the traces of H^-1 A'A, which is made column by column. */
static void put_traces(const inverse *v, const double *factor, double *made, trial *t) {
    int n = v->unknowns;
    memcpy(made, v->gram, sizeof *made * (size_t)n * (size_t)n);
    for (int k = 0; k < n; k++) cholesky_solve(n, factor, made + k * n), t->trace += made[k * n + k];
    for (int j = 0; j < n; j++)
        for (int k = 0; k < n; k++) t->trace_square += made[j * n + k] * made[k * n + j];
}

trial inverse_try(const inverse *v, double lambda, double *scratch) {
    int n = v->unknowns;
    double *factor = scratch, *x = scratch + n * n;
    trial t = { .lambda = lambda, .square = NAN };
    add_penalty(v, lambda, factor);
    if (!cholesky_factor(n, factor)) return t;
    put_traces(v, factor, x + n, &t);
    memcpy(x, v->right, sizeof *x * (size_t)n);
    cholesky_solve(n, factor, x);
    t.square = 0, t.roughness = roughness(v, x);
    for (int64_t i = 0; i < v->rows; i++) {
        double left = inverse_residual(v, x, i);
        t.square += left * left;
    }
    return t;
}

bool inverse_solve(const inverse *v, double lambda, double *scratch, double *x) {
    add_penalty(v, lambda, scratch);
    return nnls(v->unknowns, scratch, v->right, x);
}
