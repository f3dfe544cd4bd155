/* Householder's QR with column exchange, then Jacobi rotations of the rows of R until they are orthogonal (Drmac and
 * Veselic 2008): with R = V S U', the rows become S U', and the same rotations take Q'b to V'Q'b. */
#include "svd.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS_MOST = 40 };

static double dot(const double *x, const double *y, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

static void exchange(double *x, double *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double t = x[i];
        x[i] = y[i];
        y[i] = t;
    }
}

/* ---- QR ---- */

static int longest(const double *a, int64_t rows, int columns, int from) {
    int best = from;
    double most = -1;
    for (int k = from; k < columns; k++) {
        const double *column = a + k * rows + from;
        double square = dot(column, column, rows - from);
        if (square > most) most = square, best = k;
    }
    return best;
}

static void reflect(const double *v, double scale, double *x, int64_t n) {
    double along = scale * dot(v, x, n);
    for (int64_t i = 0; i < n; i++) x[i] -= along * v[i];
}

/* R's upper triangle is left in a, Q'b in b; place[k] is where column k of R comes from. */
static void triangle(double *a, double *b, int64_t rows, int columns, int *place) {
    for (int k = 0; k < columns; k++) place[k] = k;
    for (int k = 0; k < columns; k++) {
        int best = longest(a, rows, columns, k), was = place[k];
        int64_t n = rows - k;
        double *v = a + k * rows + k;
        exchange(a + k * rows, a + best * rows, best == k ? 0 : rows);
        place[k] = place[best], place[best] = was;
        double length = sqrt(dot(v, v, n)), diagonal = v[0] > 0 ? -length : length;
        if (!(length > 0)) return;
        v[0] -= diagonal;
        double scale = 2 / dot(v, v, n);
        for (int j = k + 1; j < columns; j++) reflect(v, scale, a + j * rows + k, n);
        reflect(v, scale, b + k, n);
        v[0] = diagonal;
        memset(v + 1, 0, sizeof *v * (size_t)(n - 1));
    }
}

/* ---- Jacobi ---- */

/* Turns two rows and their right sides so that they are orthogonal; false if they were. */
static bool rotate(double *x, double *y, double *bx, double *by, int n) {
    double xx = dot(x, x, n), yy = dot(y, y, n), xy = dot(x, y, n);
    if (fabs(xy) <= DBL_EPSILON * sqrt(xx) * sqrt(yy)) return false;
    double half = (yy - xx) / (2 * xy), t = copysign(1 / (fabs(half) + sqrt(1 + half * half)), half);
    double c = 1 / sqrt(1 + t * t), s = c * t, b = *bx;
    for (int i = 0; i < n; i++) {
        double was = x[i];
        x[i] = c * was - s * y[i];
        y[i] = s * was + c * y[i];
    }
    *bx = c * b - s * *by;
    *by = s * b + c * *by;
    return true;
}

static void diagonalise(svd *d) {
    int n = d->columns;
    bool more = true;
    for (int sweep = 0; more && sweep < SWEEPS_MOST; sweep++) {
        more = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
                more |= rotate(d->right + p * n, d->right + q * n, &d->along[p], &d->along[q], n);
    }
}

static void sort(svd *d) {
    int n = d->columns;
    for (int i = 0; i < n; i++) d->value[i] = sqrt(dot(d->right + i * n, d->right + i * n, n));
    for (int i = 0; i < n; i++) {
        int best = i;
        for (int k = i + 1; k < n; k++) best = d->value[k] > d->value[best] ? k : best;
        if (best != i) {
            exchange(&d->value[i], &d->value[best], 1);
            exchange(&d->along[i], &d->along[best], 1);
            exchange(d->right + i * n, d->right + best * n, n);
        }
        for (int k = 0; k < n && d->value[i] > 0; k++) d->right[i * n + k] /= d->value[i];
    }
}

/* ---- all ---- */

bool svd_new(svd *d, int64_t rows, int columns, double *a, double *b) {
    size_t n = (size_t)columns;
    int *place = malloc(n * sizeof *place);
    *d = (svd){ columns, calloc(n, sizeof *d->value), calloc(n * n, sizeof *d->right), calloc(n, sizeof *d->along), 0 };
    bool room = place && d->value && d->right && d->along;
    if (room) {
        triangle(a, b, rows, columns, place);
        memcpy(d->along, b, n * sizeof *b);
        for (int k = 0; k < columns; k++)
            for (int i = 0; i <= k; i++) d->right[i * columns + place[k]] = a[k * rows + i];
        d->rest = dot(b + columns, b + columns, rows - columns);
        diagonalise(d);
        sort(d);
    }
    free(place);
    if (!room) svd_free(d);
    return room;
}

void svd_free(svd *d) {
    free(d->value);
    free(d->right);
    free(d->along);
    *d = (svd){ 0 };
}

int svd_rank(const svd *d, double cut) {
    int rank = 0;
    while (rank < d->columns && d->value[rank] > cut * d->value[0]) rank++;
    return rank;
}

void svd_solve(const svd *d, int rank, double *x) {
    for (int k = 0; k < d->columns; k++) x[k] = 0;
    for (int i = 0; i < rank; i++)
        for (int k = 0; k < d->columns; k++) x[k] += d->along[i] / d->value[i] * d->right[i * d->columns + k];
}
