/* One square root a row and frequency is what this costs; the chain circuit's imaginary part does not depend on Rsh. */
#include "resnorm_grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/clones.h"

#define TWO_PI 6.283185307179586476925286766559

static void fill_tables(resnorm_grid *g, double low_hz, double high_hz) {
    for (int64_t f = 0; f < g->frequencies; f++)
        g->freq_hz[f] =
            pow(10, log10(low_hz) + (double)f * (log10(high_hz) - log10(low_hz)) / (double)(g->frequencies - 1));
    for (int k = 0; k < EIS_COUNT; k++)
        for (int64_t i = 0; i < g->points; i++) g->axis[k][i] = eis_grid_value(k, i, g->points);
    for (int64_t f = 0; f < g->frequencies; f++)
        for (int64_t i = 0; i < g->width; i++) {
            int64_t m = i < g->membranes ? i : 0;
            double  r = g->axis[EIS_RA][m / g->points], a = TWO_PI * g->freq_hz[f] * r * g->axis[EIS_CA][m % g->points];
            g->re[f * g->width + i] = r / (1 + a * a);
            g->im[f * g->width + i] = -r * a / (1 + a * a);
        }
}

bool resnorm_grid_new(eis_circuit circuit, eis_resnorm_kind kind, int64_t points, int64_t frequencies, double low_hz,
                      double high_hz,
                      resnorm_grid *g) {
    *g = (resnorm_grid){
        .circuit = circuit, .kind = kind, .points = points, .frequencies = frequencies, .membranes = points * points
    };
    g->width = (g->membranes + RESNORM_LANES - 1) / RESNORM_LANES * RESNORM_LANES;
    for (int64_t a = 0; a < g->membranes; a++) g->values += points * (g->width - resnorm_first(a));
    double *memory = malloc((size_t)(frequencies * (1 + 2 * g->width) + EIS_COUNT * points) * sizeof *memory);
    if (!memory) return false;
    g->freq_hz = memory;
    g->re      = memory + frequencies;
    g->im      = g->re + frequencies * g->width;
    for (int k = 0; k < EIS_COUNT; k++) g->axis[k] = g->im + frequencies * g->width + k * points;
    fill_tables(g, low_hz, high_hz);
    return true;
}

void resnorm_grid_free(resnorm_grid *g) {
    free(g->freq_hz);
    *g = (resnorm_grid){ 0 };
}

int64_t resnorm_grid_scratch(const resnorm_grid *g) { return 2 * g->width + 4 * g->frequencies; }

/* sqrt(x) in a third of the time the processor's own takes in vectors, to the last bit or two: 1 / sqrt(x) from the
 * exponent, two of Halley's steps, and one of Newton's for the root itself. */
static inline __attribute__((always_inline)) double root(double x) {
    uint64_t bits;
    double   y;
    memcpy(&bits, &x, sizeof bits);
    bits = 0x5fe6eb50c7b537a9u - (bits >> 1);
    memcpy(&y, &bits, sizeof y);
    for (int k = 0; k < 2; k++) {
        double t = x * y * y;
        y *= 1.875 - t * (1.25 - 0.375 * t);
    }
    double s = x * y;
    return s + 0.5 * y * (x - s * s);
}

/* Adds |Z - z| at one frequency to the rows of one a, all Rsh. */
EIS_CLONES static void add_chain(const double *restrict x, const double *restrict y, const double *rsh, int64_t nr,
                                 int64_t n, double zr,
                                 double zi, double *restrict square, double *restrict sum) {
    for (int64_t b = 0; b < n; b++) square[b] = (y[b] - zi) * (y[b] - zi);
    for (int64_t r = 0; r < nr; r++) {
        double shift = rsh[r] - zr, *restrict row = sum + r * n;
        for (int64_t b = 0; b < n; b++) row[b] += root((x[b] + shift) * (x[b] + shift) + square[b]);
    }
}

EIS_CLONES static void add_shunt(const double *restrict x, const double *restrict y, const double *rsh, int64_t nr,
                                 int64_t n, double zr,
                                 double zi, double *restrict square, double *restrict sum) {
    for (int64_t b = 0; b < n; b++) square[b] = y[b] * y[b];
    for (int64_t r = 0; r < nr; r++) {
        double R = rsh[r], *restrict row = sum + r * n;
        for (int64_t b = 0; b < n; b++) {
            double u = x[b] + R, over = R / (u * u + square[b]);
            double re = (x[b] * u + square[b]) * over - zr, im = R * y[b] * over - zi;
            row[b] += root(re * re + im * im);
        }
    }
}

EIS_CLONES static void add_membranes(const double *restrict re, const double *restrict im, double ax, double ay,
                                     int64_t n, double *restrict x,
                                     double *restrict y) {
    for (int64_t b = 0; b < n; b++) x[b] = ax + re[b], y[b] = ay + im[b];
}

static void fill_row_mean_abs(const resnorm_grid *g, int64_t a, const eis_z *z, double *out, double *scratch) {
    int64_t first = resnorm_first(a), n = g->width - first;
    double *x = scratch, *y = scratch + g->width, square[n];
    for (int64_t i = 0; i < g->points * n; i++) out[i] = 0;
    for (int64_t f = 0; f < g->frequencies; f++) {
        const double *re = g->re + f * g->width, *im = g->im + f * g->width;
        add_membranes(re + first, im + first, re[a], im[a], n, x, y);
        (g->circuit == EIS_CHAIN ? add_chain : add_shunt)(x, y, g->axis[EIS_RSH], g->points, n, z[f].re, z[f].im,
                                                          square, out);
    }
    for (int64_t i = 0; i < g->points * n; i++) out[i] /= (double)g->frequencies;
}

static void fill_row_any(const resnorm_grid *g, int64_t a, const eis_z *z, double *out, eis_z *model) {
    int64_t first = resnorm_first(a), n = g->width - first;
    for (int64_t r = 0; r < g->points; r++)
        for (int64_t b = 0; b < n; b++) {
            int64_t m = first + b < g->membranes ? first + b : 0;
            double  p[EIS_COUNT] = { g->axis[EIS_RSH][r], g->axis[EIS_RA][a / g->points],
                                     g->axis[EIS_RB][m / g->points],
                                     g->axis[EIS_CA][a % g->points], g->axis[EIS_CB][m % g->points] };
            eis_impedance(g->circuit, p, 0, g->frequencies, g->freq_hz, model);
            out[r * n + b] = eis_resnorm(g->kind, g->frequencies, g->freq_hz, z, model, 0);
        }
}

void resnorm_grid_fill(const resnorm_grid *g, const double truth[EIS_COUNT], double *out, double *scratch) {
    eis_z *z = (eis_z *)(scratch + 2 * g->width), *model = z + g->frequencies;
    eis_impedance(g->circuit, truth, 0, g->frequencies, g->freq_hz, z);
    for (int64_t a = 0; a < g->membranes; a++) {
        if (g->kind == EIS_MEAN_ABS) fill_row_mean_abs(g, a, z, out, scratch);
        else fill_row_any(g, a, z, out, model);
        out += g->points * (g->width - resnorm_first(a));
    }
}
