/* Householder's QR with column exchange, then Jacobi rotations of the rows of R until they are orthogonal (Drmac and
 * Veselic 2008): with R = V S U', the rows become S U', and the same rotations take Q'b to V'Q'b. */
#include "svd.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eis/circuit/clones.h"

#define INLINE static inline __attribute__((always_inline)) /* into each clone */
enum { SWEEPS_MOST = 40 };

/* Eight sums side by side, which a compiler may keep in vectors, added up in one order. */
INLINE double dot(const double *x, const double *y, int64_t n) {
    enum { SIDE = 8 };
    double  sum[SIDE] = { 0 };
    int64_t i = 0;
    for (; i + SIDE <= n; i += SIDE)
        for (int k = 0; k < SIDE; k++) sum[k] += x[i + k] * y[i + k];
    for (; i < n; i++) sum[i % SIDE] += x[i] * y[i];
    return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void exchange(double *x, double *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double t = x[i];
        x[i] = y[i];
        y[i] = t;
    }
}

/* ---- QR ---- */

INLINE int longest(const double *a, int64_t rows, int columns, int from) {
    int best = from;
    double most = -1;
    for (int k = from; k < columns; k++) {
        const double *column = a + k * rows + from;
        double square = dot(column, column, rows - from);
        if (square > most) most = square, best = k;
    }
    return best;
}

INLINE void reflect(const double *v, double scale, double *x, int64_t n) {
    double along = scale * dot(v, x, n);
    for (int64_t i = 0; i < n; i++) x[i] -= along * v[i];
}

/* R's upper triangle is left in a, Q'b in b; place[k] is where column k of R comes from. */
EIS_CLONES static void triangle(double *a, int sides, double *b, int64_t rows, int columns, int *place) {
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
        for (int j = 0; j < sides; j++) reflect(v, scale, b + j * rows + k, n);
        v[0] = diagonal;
        memset(v + 1, 0, sizeof *v * (size_t)(n - 1));
    }
}

/* ---- Jacobi ---- */

INLINE void turn(double *x, double *y, int n, double c, double s) {
    for (int i = 0; i < n; i++) {
        double was = x[i];
        x[i] = c * was - s * y[i];
        y[i] = s * was + c * y[i];
    }
}

/* Turns two rows and their right sides so that they are orthogonal; false if they were. `square` are the rows' own. */
INLINE bool rotate(svd *d, int p, int q, double *square) {
    int n = d->columns;
    double *x = d->right + p * n, *y = d->right + q * n;
    double xx = square[p], yy = square[q], xy = dot(x, y, n);
    if (fabs(xy) <= DBL_EPSILON * sqrt(xx) * sqrt(yy)) return false;
    double half = (yy - xx) / (2 * xy), t = copysign(1 / (fabs(half) + sqrt(1 + half * half)), half);
    double c = 1 / sqrt(1 + t * t);
    turn(x, y, n, c, c * t);
    square[p] = dot(x, x, n), square[q] = dot(y, y, n);
    for (int k = 0; k < SVD_SIDES; k++) turn(d->along[k] + p, d->along[k] + q, 1, c, c * t);
    return true;
}

EIS_CLONES static void diagonalise(svd *d, double *square) {
    int  n    = d->columns;
    bool more = true;
    for (int p = 0; p < n; p++) square[p] = dot(d->right + p * n, d->right + p * n, n);
    for (int sweep = 0; more && sweep < SWEEPS_MOST; sweep++) {
        more = false;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++) more |= rotate(d, p, q, square);
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
            for (int k = 0; k < SVD_SIDES; k++) exchange(&d->along[k][i], &d->along[k][best], 1);
            exchange(d->right + i * n, d->right + best * n, n);
        }
        for (int k = 0; k < n && d->value[i] > 0; k++) d->right[i * n + k] /= d->value[i];
    }
}

/* ---- all ---- */

static void take_sides(svd *d, int64_t rows, int sides, const double *b) {
    int64_t n = d->columns;
    for (int j = 0; j < sides; j++) {
        memcpy(d->along[j], b + j * rows, (size_t)n * sizeof *b);
        for (int k = 0; k < sides; k++) d->rest[j][k] = dot(b + j * rows + n, b + k * rows + n, rows - n);
    }
}

bool svd_new(svd *d, int64_t rows, int columns, double *a, int sides, double *b) {
    size_t n = (size_t)columns;
    int *place = malloc(n * sizeof *place);
    double *memory = calloc(n * (n + 1 + SVD_SIDES), sizeof *memory);
    *d = (svd){ .columns = columns, .value = memory };
    if (place && memory) {
        d->right = memory + n;
        for (int k = 0; k < SVD_SIDES; k++) d->along[k] = d->right + n * (n + (size_t)k);
        triangle(a, sides, b, rows, columns, place);
        for (int k = 0; k < columns; k++)
            for (int i = 0; i <= k; i++) d->right[i * columns + place[k]] = a[k * rows + i];
        take_sides(d, rows, sides, b);
        diagonalise(d, d->value); /* room, as long as the values are not known */
        sort(d);
    }
    free(place);
    if (!d->right) svd_free(d);
    return d->right != NULL;
}

void svd_free(svd *d) {
    free(d->value);
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
        for (int k = 0; k < d->columns; k++) x[k] += d->along[0][i] / d->value[i] * d->right[i * d->columns + k];
}
