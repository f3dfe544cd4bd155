#include "electrode.h"

#include <math.h>
#include <stdlib.h>

#include "eis/circuit/complex_of.h"
#include "svd.h"

#define TWO_PI 6.283185307179586476925286766559
#define QUARTER (TWO_PI / 4)
enum { COLUMNS = 3, HALVINGS = 10 };
static const double least_n = 0.4, step_n = 0.05; /* below it is a resistance of its own */

typedef struct room {
    double *a, *b;
} room;

static double lowest(const eis_spectrum *s) {
    double low = INFINITY;
    for (int64_t i = 0; i < s->count; i++) low = fmin(low, s->freq_hz[i]);
    return low;
}

/* Columns 1, s and (s / w_min)^-n; linear but for n. */
static int64_t fill(const eis_spectrum *s, const bool *left_out, double n, int columns, room *m) {
    double low = lowest(s);
    double complex turn = CMPLX(cos(n * QUARTER), -sin(n * QUARTER)); /* of j^-n */
    int64_t points = 0, row = 0;
    for (int64_t i = 0; i < s->count; i++) points += !(left_out && left_out[i]);
    for (int64_t i = 0; i < s->count; i++) {
        if (left_out && left_out[i]) continue;
        double u = s->freq_hz[i] / low, size = hypot(s->z[i].re, s->z[i].im);
        double complex column[COLUMNS] = { 1, CMPLX(0, u), columns == COLUMNS ? pow(u, -n) * turn : 0 };
        for (int k = 0; k < columns; k++) {
            m->a[2 * k * points + row] = creal(column[k]) / size;
            m->a[2 * k * points + row + 1] = cimag(column[k]) / size;
        }
        m->b[row] = s->z[i].re / size, m->b[row + 1] = s->z[i].im / size;
        row += 2;
    }
    return row;
}

static bool fit_at(const eis_spectrum *s, const bool *left_out, double n, int columns, room *m, electrode *out) {
    svd d;
    double x[COLUMNS] = { 0 }, w = TWO_PI * lowest(s);
    int64_t rows = fill(s, left_out, n, columns, m);
    if (!svd_new(&d, rows, columns, m->a, 1, m->b)) return false;
    svd_solve(&d, svd_rank(&d, 1e-13), x);
    *out = (electrode){ .rs_ohm = x[0],
                        .l_henry = x[1] / w,
                        .n = n,
                        .square = d.rest[0][0],
                        .parameters = columns == COLUMNS ? COLUMNS + 1 : columns };
    if (x[2] != 0) out->q = 1 / (x[2] * pow(w, n));
    svd_free(&d);
    return true;
}

bool electrode_fit(const eis_spectrum *s, const bool *left_out, bool with, electrode *out) {
    room m = { malloc(sizeof *m.a * (size_t)(2 * COLUMNS * s->count)), malloc(sizeof *m.b * (size_t)(2 * s->count)) };
    bool good = m.a && m.b && fit_at(s, left_out, 1, with ? COLUMNS : 2, &m, out);
    electrode other;
    for (double n = least_n; good && with && n < 1; n += step_n)
        if ((good = fit_at(s, left_out, n, COLUMNS, &m, &other)) && other.square < out->square) *out = other;
    double step = step_n;
    for (int k = 0; good && with && k < 2 * HALVINGS; k++) {
        double n = fmin(fmax(out->n + step, least_n), 1);
        good = fit_at(s, left_out, n, COLUMNS, &m, &other);
        if (other.square < out->square) *out = other;
        else step = step > 0 ? -step : -step / 2;
    }
    free(m.a), free(m.b);
    return good;
}
