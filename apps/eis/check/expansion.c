/* The plateau of the linear Kramers-Kronig test, and the points that are off it. */
#include "expansion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "basis.h"
#include "svd.h"

enum { PER_DECADE = 5, COLUMNS_MOST = BASIS_TERMS + BASIS_BESIDE, ROUNDS = 12, OUTLIERS_SHARE = 6, OUTLIERS_RUN = 3 };
static const double extension = 3; /* relaxations that are half inside the range of frequencies are seen */
static const double rounding = 1e-13; /* of the largest singular value */
static const double clearly = 0.5; /* an admittance is preferred where it leaves less than this of the variance */

/* The two rows of a point are its parts. */
typedef struct equations {
    basis b;
    int columns;
    int64_t rows;
    double complex *value; /* of the columns at every point, left out or not: [point][columns] */
    double *a, *sides; /* used up by the decomposition: the data, and what drift adds to them */
    double length[COLUMNS_MOST]; /* columns are scaled to length 1 */
} equations;

static int terms_for(const eis_spectrum *s, const bool *left_out, int64_t points) {
    basis b = basis_over(s, left_out, 2, extension, false);
    double decades = log10(b.tau[1] / b.tau[0]);
    int most = (int)MIN2(2 * points - BASIS_BESIDE, COLUMNS_MOST - BASIS_BESIDE);
    return (int)fmin(fmax(ceil(PER_DECADE * decades), 8), most);
}

/* `elapsed`: share of the whole time. Growing impedance is falling admittance. */
static void put_point(equations *m, const eis_spectrum *s, int64_t point, int64_t row, double elapsed) {
    double complex data = basis_data(&m->b, s->z[point]);
    double *drift = m->sides + m->rows, over = 1 / cabs(data);
    for (int k = 0; k < m->columns; k++) {
        double complex v = over * m->value[point * m->columns + k];
        m->a[k * m->rows + row] = creal(v);
        m->a[k * m->rows + row + 1] = cimag(v);
    }
    m->sides[row] = over * creal(data);
    m->sides[row + 1] = over * cimag(data);
    if (m->b.admittance) elapsed = -elapsed;
    drift[row] = elapsed * m->sides[row], drift[row + 1] = elapsed * m->sides[row + 1];
}

static void put_points(equations *m, const eis_spectrum *s, const bool *left_out) {
    double whole = 0, elapsed = 0;
    for (int64_t i = 0; i < s->count; i++) whole += 1 / s->freq_hz[i];
    for (int64_t i = 0, row = 0; i < s->count; i++) {
        elapsed += 1 / s->freq_hz[i];
        if (!(left_out && left_out[i])) put_point(m, s, i, row, elapsed / whole), row += 2;
    }
}

static void scale_columns(equations *m) {
    for (int k = 0; k < m->columns; k++) {
        double square = 0;
        for (int64_t i = 0; i < m->rows; i++) square += m->a[k * m->rows + i] * m->a[k * m->rows + i];
        m->length[k] = sqrt(square);
        for (int64_t i = 0; i < m->rows; i++) m->a[k * m->rows + i] /= m->length[k];
    }
}

static bool equations_new(equations *m, const eis_spectrum *s, const bool *left_out, bool admittance) {
    int64_t points = 0;
    for (int64_t i = 0; i < s->count; i++) points += !(left_out && left_out[i]);
    int terms = terms_for(s, left_out, points);
    *m = (equations){ basis_over(s, left_out, terms, extension, admittance), terms + BASIS_BESIDE, 2 * points };
    m->value = malloc(sizeof *m->value * (size_t)(s->count * m->columns));
    m->a = malloc(sizeof *m->a * (size_t)(m->rows * m->columns));
    m->sides = malloc(sizeof *m->sides * (size_t)(SVD_SIDES * m->rows));
    if (!m->value || !m->a || !m->sides) return false;
    for (int64_t i = 0; i < s->count; i++)
        for (int k = 0; k < m->columns; k++) m->value[i * m->columns + k] = basis_at(&m->b, k, s->freq_hz[i]);
    put_points(m, s, left_out);
    scale_columns(m);
    return true;
}

double expansion_cost(double square, double data, double parameters) {
    return data * log(fmax(square / data, 1e-30)) + parameters * log(data);
}

/* Products of what the first `rank` directions leave of the sides: data, data with drift, drift. */
typedef struct remains {
    double data, both, drift;
} remains;

static void add_direction(const svd *d, int k, remains *r) {
    double data = d->along[0][k], drift = d->along[1][k];
    r->data += data * data, r->both += data * drift, r->drift += drift * drift;
}

static void judge_drift(const remains *r, double dof, expansion *out) {
    double square = fmax(r->data - r->both * r->both / r->drift, 0);
    out->drift = r->both / r->drift;
    out->drift_sigmas = out->drift / sqrt(square / dof / r->drift);
}

/* The cheapest rank, at most half of the data; and that of the expansion with drift beside it. */
static void choose_ranks(const svd *d, int64_t rows, expansion *out) {
    int most = (int)MIN2(svd_rank(d, rounding), rows / 2);
    double least = INFINITY, least_drifting = INFINITY, m = (double)rows;
    remains left = { d->rest[0][0], d->rest[0][1], d->rest[1][1] };
    for (int k = d->columns; k-- > most;) add_direction(d, k, &left);
    for (int rank = most; rank > 0; add_direction(d, --rank, &left)) {
        double cost = expansion_cost(left.data, m, rank);
        if (cost < least) least = cost, out->rank = rank, out->square = left.data;
        cost = left.drift > 0 ? expansion_cost(left.data - left.both * left.both / left.drift, m, rank + 1) : INFINITY;
        if (cost < least_drifting) least_drifting = cost, judge_drift(&left, m - rank - 1, out);
    }
    out->dof = m - out->rank;
    out->noise = sqrt(out->square / out->dof);
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
    double row[2][COLUMNS_MOST], size = cabs(data);
    for (int k = 0; k < m->columns; k++) {
        double complex v = m->value[i * m->columns + k] / m->length[k];
        fit += x[k] * v;
        row[0][k] = creal(v) / size, row[1][k] = cimag(v) / size;
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
    bool room = equations_new(&m, s, left_out, admittance) && svd_new(&d, m.rows, m.columns, m.a, SVD_SIDES, m.sides) &&
                out->residual && out->leverage;
    if (room) {
        out->points = m.rows / 2;
        choose_ranks(&d, m.rows, out);
        svd_solve(&d, out->rank, x);
        for (int64_t i = 0; i < s->count; i++) leave_point(&m, &d, x, s, i, out);
    }
    free(m.value), free(m.a), free(m.sides);
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

/* ---- sweeps ---- */

/* The difference takes the data's place. */
static void put_difference(equations *m, const eis_spectrum *mean, const eis_spectrum *sweep) {
    for (int64_t i = 0; i < mean->count; i++) {
        double over = 1 / hypot(mean->z[i].re, mean->z[i].im);
        m->sides[2 * i] = over * (sweep->z[i].re - mean->z[i].re);
        m->sides[2 * i + 1] = over * (sweep->z[i].im - mean->z[i].im);
    }
}

static bool add_sweep(const eis_spectrum *mean, const eis_spectrum *sweep, double square[COLUMNS_MOST], double *rest,
                      int *most) {
    equations m;
    svd d = { 0 };
    bool room = equations_new(&m, mean, NULL, false);
    if (room) put_difference(&m, mean, sweep);
    room = room && svd_new(&d, m.rows, m.columns, m.a, 1, m.sides);
    if (room) {
        *most = (int)MIN2(svd_rank(&d, rounding), m.rows / 2);
        *rest += d.rest[0][0];
        for (int k = 0; k < d.columns; k++) *(k < *most ? &square[k] : rest) += d.along[0][k] * d.along[0][k];
    }
    free(m.value), free(m.a), free(m.sides);
    svd_free(&d);
    return room;
}

bool expand_sweeps(const eis_spectrum *mean, const eis_spectrum *sweep, int64_t sweeps, scatter *out) {
    double square[COLUMNS_MOST] = { 0 }, left = 0, free_sweeps = (double)(sweeps - 1), least = INFINITY;
    double m = 2 * (double)mean->count * free_sweeps;
    int most = 0;
    for (int64_t k = 0; k < sweeps; k++)
        if (!add_sweep(mean, &sweep[k], square, &left, &most)) return false;
    for (int rank = most; rank >= 0; rank--) {
        double cost = expansion_cost(left, m, rank * free_sweeps);
        if (cost < least) least = cost, *out = (scatter){ rank, left, m - rank * free_sweeps };
        if (rank) left += square[rank - 1];
    }
    return true;
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
 * off because of that one. Points within it come back. Of the ends of the range nothing can be said. */
static bool leave_out(const eis_spectrum *s, const bool *never, const double *of, double scale, bool *left_out) {
    double low = INFINITY, high = 0, farthest = 0;
    bool changed = false;
    for (int64_t i = 0; i < s->count; i++) {
        if (never && never[i]) continue;
        low = fmin(low, s->freq_hz[i]), high = fmax(high, s->freq_hz[i]);
        if (!left_out[i]) farthest = fmax(farthest, of[i]);
    }
    for (int64_t i = 0; i < s->count; i++) {
        if (never && never[i]) continue;
        bool inside = s->freq_hz[i] > low && s->freq_hz[i] < high;
        bool off = inside && of[i] > OUTLIER * scale && (left_out[i] || of[i] >= 0.5 * farthest);
        changed |= off != left_out[i];
        left_out[i] = off;
    }
    return changed;
}

/* Whether they are single points, and few: else it is the rest that may be wrong. Neighbours are those of the order of
 * rows. */
static bool are_outliers(int64_t count, const bool *never, const bool *left_out) {
    int64_t all = 0, run = 0, longest = 0;
    for (int64_t i = 0; i < count; i++) {
        bool out = left_out[i] && !(never && never[i]);
        all += out;
        run = out ? run + 1 : 0;
        longest = MAX2(longest, run);
    }
    return all <= MAX2(count / OUTLIERS_SHARE, 1) && longest <= OUTLIERS_RUN;
}

static void leave_out_only(int64_t count, const bool *never, bool *left_out) {
    for (int64_t i = 0; i < count; i++) left_out[i] = never && never[i];
}

bool expand_robust(const eis_spectrum *s, const bool *never, bool *left_out, expansion *out, double *robust) {
    double *of = malloc(sizeof *of * (size_t)(3 * s->count));
    leave_out_only(s->count, never, left_out);
    bool room = of && expand(s, left_out, out), changed = room;
    for (int round = 0; changed; round++) {
        *robust = standardise(out, s->count, left_out, of, of + s->count);
        changed = round < ROUNDS && leave_out(s, never, of, *robust, left_out);
        if (!changed) break;
        if (!are_outliers(s->count, never, left_out)) leave_out_only(s->count, never, left_out), round = ROUNDS;
        expansion_free(out);
        room = changed = expand(s, left_out, out);
    }
    free(of);
    return room;
}
