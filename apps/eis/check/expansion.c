/* The plateau of the linear Kramers-Kronig test, and the points that are off it. */
#include "expansion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "basis.h"
#include "svd.h"

enum { PER_DECADE = 5, COLUMNS_MOST = 64, ROUNDS = 12 };
static const double extension = 3; /* relaxations that are half inside the range of frequencies are seen */
static const double rounding = 1e-13; /* of the largest singular value */
static const double clearly = 0.5; /* an admittance is preferred where it leaves less than this of the variance */

/* The two rows of a point: its parts. */
typedef struct equations {
    basis b;
    int columns;
    int64_t rows;
    double *a, *target; /* used up by the decomposition */
    double length[COLUMNS_MOST]; /* columns are scaled to length 1 */
} equations;

static int terms_for(const eis_spectrum *s, int64_t points) {
    basis b = basis_over(s, 2, extension, false);
    double decades = log10(b.last_tau / b.first_tau);
    int most = (int)MIN2(2 * points - BASIS_BESIDE, COLUMNS_MOST - BASIS_BESIDE);
    return (int)fmin(fmax(ceil(PER_DECADE * decades), 8), most);
}

static void put_point(equations *m, const eis_spectrum *s, int64_t point, int64_t row) {
    double complex data = basis_data(&m->b, s->z[point]);
    double over = 1 / cabs(data);
    for (int k = 0; k < m->columns; k++) {
        double complex v = over * basis_at(&m->b, k, s->freq_hz[point]);
        m->a[k * m->rows + row] = creal(v);
        m->a[k * m->rows + row + 1] = cimag(v);
    }
    m->target[row] = over * creal(data);
    m->target[row + 1] = over * cimag(data);
}

static void scale_columns(equations *m) {
    for (int k = 0; k < m->columns; k++) {
        double square = 0;
        for (int64_t i = 0; i < m->rows; i++) square += m->a[k * m->rows + i] * m->a[k * m->rows + i];
        m->length[k] = sqrt(square);
        for (int64_t i = 0; i < m->rows; i++) m->a[k * m->rows + i] /= m->length[k];
    }
}

static bool equationsnew(equations *m, const eis_spectrum *s, const bool *left_out, bool admittance) {
    int64_t points = 0;
    for (int64_t i = 0; i < s->count; i++) points += !(left_out && left_out[i]);
    int terms = terms_for(s, points);
    *m = (equations){ basis_over(s, terms, extension, admittance), terms + BASIS_BESIDE, 2 * points };
    m->a = malloc(sizeof *m->a * (size_t)(m->rows * m->columns));
    m->target = malloc(sizeof *m->target * (size_t)m->rows);
    if (!m->a || !m->target) return false;
    for (int64_t i = 0, row = 0; i < s->count; i++)
        if (!(left_out && left_out[i])) put_point(m, s, i, row), row += 2;
    scale_columns(m);
    return true;
}

/* The rank of the least m ln(S / m) + rank ln m, at most half of the data. */
static int choose_rank(const svd *d, int64_t rows, double *square) {
    int most = (int)MIN2(svd_rank(d, rounding), rows / 2), best = most;
    double left = d->rest, least = INFINITY, m = (double)rows;
    for (int k = d->columns; k-- > most;) left += d->along[k] * d->along[k];
    for (int rank = most; rank > 0; rank--) {
        double cost = m * log(fmax(left, 1e-30 * m) / m) + rank * log(m);
        if (cost < least) least = cost, best = rank, *square = left;
        left += d->along[rank - 1] * d->along[rank - 1];
    }
    return best;
}

static double leverage_of(const svd *d, int rank, const double *row) {
    double sum = 0;
    for (int i = 0; i < rank; i++) {
        double along = 0;
        for (int k = 0; k < d->columns; k++) along += d->right[i * d->columns + k] * row[k];
        sum += along / d->value[i] * (along / d->value[i]);
    }
    return sum;
}

static void leave_point(const equations *m, const svd *d, const double *x, const eis_spectrum *s, int64_t i,
                        expansion *out) {
    double complex data = basis_data(&m->b, s->z[i]), fit = 0, z = CMPLX(s->z[i].re, s->z[i].im);
    double row[2][COLUMNS_MOST];
    for (int k = 0; k < m->columns; k++) {
        double complex v = basis_at(&m->b, k, s->freq_hz[i]) / m->length[k];
        fit += x[k] * v;
        row[0][k] = creal(v) / cabs(data), row[1][k] = cimag(v) / cabs(data);
    }
    if (m->b.admittance) fit = 1 / fit;
    out->residual[i] = (eis_z){ creal(z - fit) / cabs(z), cimag(z - fit) / cabs(z) };
    out->leverage[i] = (eis_z){ leverage_of(d, out->rank, row[0]), leverage_of(d, out->rank, row[1]) };
}

static bool expand_as(const eis_spectrum *s, const bool *left_out, bool admittance, expansion *out) {
    equations m;
    svd d = { 0 };
    double x[COLUMNS_MOST];
    *out = (expansion){ .admittance = admittance,
                        .residual = malloc(sizeof *out->residual * (size_t)s->count),
                        .leverage = malloc(sizeof *out->leverage * (size_t)s->count) };
    bool room = equationsnew(&m, s, left_out, admittance) && svd_new(&d, m.rows, m.columns, m.a, m.target) &&
                out->residual && out->leverage;
    if (room) {
        out->points = m.rows / 2;
        out->rank = choose_rank(&d, m.rows, &out->square);
        out->dof = (double)(m.rows - out->rank);
        out->noise = sqrt(out->square / out->dof);
        svd_solve(&d, out->rank, x);
        for (int64_t i = 0; i < s->count; i++) leave_point(&m, &d, x, s, i, out);
    }
    free(m.a), free(m.target);
    svd_free(&d);
    if (!room) expansion_free(out);
    return room;
}

bool expand(const eis_spectrum *s, const bool *left_out, expansion *out) {
    expansion across;
    if (!expand_as(s, left_out, false, out)) return false;
    if (!expand_as(s, left_out, true, &across)) return expansion_free(out), false;
    bool better = across.square / across.dof < clearly * out->square / out->dof;
    expansion other = better ? *out : across;
    if (better) *out = across;
    expansion_free(&other);
    return true;
}

void expansion_free(expansion *e) {
    free(e->residual);
    free(e->leverage);
    *e = (expansion){ 0 };
}

/* ---- points that are no noise ---- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double standardised(double residual, double leverage, bool left_out) {
    return fabs(residual) / sqrt(left_out ? 1 + leverage : fmax(1 - leverage, 1e-3));
}

/* The larger of a point's parts, and 1.4826 times the median of all parts. */
static double standardise(const expansion *e, int64_t count, const bool *left_out, double *of, double *part) {
    for (int64_t i = 0; i < count; i++) {
        part[2 * i] = standardised(e->residual[i].re, e->leverage[i].re, left_out[i]);
        part[2 * i + 1] = standardised(e->residual[i].im, e->leverage[i].im, left_out[i]);
        of[i] = fmax(part[2 * i], part[2 * i + 1]);
    }
    qsort(part, (size_t)(2 * count), sizeof *part, by_size);
    return 1.4826 * 0.5 * (part[count - 1] + part[count]);
}

/* Points beyond the limit go, but only those that are at least half as far off as the farthest: what is less may be
 * off because of that one. Points within it come back. */
static bool leave_out(int64_t count, const double *of, double scale, bool *left_out) {
    double farthest = 0;
    int64_t out = 0;
    bool changed = false;
    for (int64_t i = 0; i < count; i++)
        if (!left_out[i]) farthest = fmax(farthest, of[i]);
    for (int64_t i = 0; i < count; i++) {
        bool off = of[i] > OUTLIER * scale && (left_out[i] || of[i] >= 0.5 * farthest) && out < count / 5;
        changed |= off != left_out[i];
        left_out[i] = off;
        out += off;
    }
    return changed;
}

bool expand_robust(const eis_spectrum *s, bool *left_out, expansion *out, double *robust) {
    double *of = malloc(sizeof *of * (size_t)(3 * s->count));
    memset(left_out, 0, sizeof *left_out * (size_t)s->count);
    bool room = of && expand(s, left_out, out), changed = room;
    for (int round = 0; changed; round++) {
        *robust = standardise(out, s->count, left_out, of, of + s->count);
        changed = round < ROUNDS && leave_out(s->count, of, *robust, left_out);
        if (!changed) break;
        expansion_free(out);
        room = changed = expand(s, left_out, out);
    }
    free(of);
    return room;
}
