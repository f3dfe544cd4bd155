/* The linear Kramers-Kronig test at one M, and the scan over M. */
#include "linkk.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "basis.h"
#include "svd.h"

static const double rounding = 1e-15; /* of the largest singular value */
static const double near = 1.5; /* of the plateau's variance: at it */

/* What is left of the data, over their size, and the columns' amounts so far. */
typedef struct work {
    const eis_spectrum *s;
    basis b;
    int columns, rank;
    double complex *left;
    double *x;
} work;

enum { RE = 1, IM = 2 };
_Static_assert((int)LINKK_MOST <= (int)BASIS_TERMS, "a basis holds every M of the scan");

static void put_row(const work *k, int from, int columns, int64_t rows, int64_t row, int64_t point, bool real,
                    double *a, double *target) {
    double over = 1 / cabs(basis_data(&k->b, k->s->z[point]));
    for (int c = 0; c < columns; c++) {
        double complex v = over * basis_at(&k->b, from + c, k->s->freq_hz[point]);
        a[c * rows + row] = real ? creal(v) : cimag(v);
    }
    target[row] = real ? creal(k->left[point]) : cimag(k->left[point]);
}

static void take_off(work *k, int from, int columns) {
    for (int64_t i = 0; i < k->s->count; i++) {
        double complex sum = 0;
        for (int c = from; c < from + columns; c++) sum += k->x[c] * basis_at(&k->b, c, k->s->freq_hz[i]);
        k->left[i] -= sum / cabs(basis_data(&k->b, k->s->z[i]));
    }
}

/* Columns `from` on, by least squares on these parts; rows of zeros where there are more columns than data. */
static bool solve(work *k, int parts, int from, int columns) {
    int64_t n = k->s->count, data = n * (parts == (RE | IM) ? 2 : 1), rows = MAX2(data, columns), row = 0;
    double *a = calloc((size_t)(rows * (columns + 1)), sizeof *a), *target = a + rows * columns;
    svd d = { 0 };
    for (int64_t i = 0; a && i < n; i++) {
        if (parts & RE) put_row(k, from, columns, rows, row++, i, true, a, target);
        if (parts & IM) put_row(k, from, columns, rows, row++, i, false, a, target);
    }
    bool room = a && svd_new(&d, rows, columns, a, 1, target);
    if (room) {
        int rank = svd_rank(&d, rounding);
        svd_solve(&d, rank, k->x + from);
        k->rank += rank;
        take_off(k, from, columns);
    }
    svd_free(&d);
    free(a);
    return room;
}

static bool solve_test(work *k, linkk_test test) {
    int relaxations = k->b.terms, beside = k->columns - relaxations - 1;
    switch (test) {
    case LINKK_REAL: return solve(k, RE, 0, relaxations + 1) && solve(k, IM, relaxations + 1, beside);
    case LINKK_IMAG: return solve(k, IM, 1, k->columns - 1) && solve(k, RE, 0, 1);
    case LINKK_COMPLEX: break;
    }
    return solve(k, RE | IM, 0, k->columns);
}

static double mu_of(const work *k) {
    double negative = 0, positive = 0;
    for (int c = 1; c <= k->b.terms; c++)
        if (k->x[c] < 0) negative -= k->x[c];
        else positive += k->x[c];
    return 1 - negative / positive;
}

static void tell(const work *k, linkk_fit *out, eis_z *residual) {
    int beside = k->b.terms + 1;
    bool z = !k->b.admittance;
    *out = (linkk_fit){ .mu = mu_of(k),
                        .rank = k->rank,
                        .r0_ohm = z ? k->x[0] : NAN,
                        .l_henry = z ? k->x[beside] / k->b.high_w : NAN,
                        .per_farad = !z                        ? NAN
                                     : beside + 1 < k->columns ? k->x[beside + 1] * k->b.low_w
                                                               : 0 };
    for (int64_t i = 0; i < k->s->count; i++) {
        double complex data = CMPLX(k->s->z[i].re, k->s->z[i].im), left = k->left[i];
        if (!z) left = (data - 1 / (1 / data - left / cabs(data))) / cabs(data);
        residual[i] = (eis_z){ creal(left), cimag(left) };
        out->square += creal(left) * creal(left) + cimag(left) * cimag(left);
    }
}

bool linkk_fit_terms(const eis_spectrum *s, const linkk_question *q, linkk_fit *out, eis_z *residual) {
    work k = { .s = s,
               .b = basis_over(s, NULL, q->terms, q->extension, q->admittance),
               .columns = q->terms + 2 + q->capacitance };
    k.left = malloc(sizeof *k.left * (size_t)s->count);
    k.x = calloc((size_t)k.columns, sizeof *k.x);
    for (int64_t i = 0; k.left && i < s->count; i++) {
        double complex data = basis_data(&k.b, s->z[i]);
        k.left[i] = data / cabs(data);
    }
    bool room = k.left && k.x && solve_test(&k, q->test);
    if (room) tell(&k, out, residual);
    free(k.left), free(k.x);
    return room;
}

/* ---- the scan ---- */

static double variance(const eis_spectrum *s, const linkk_fit *fit) {
    double dof = 2 * (double)s->count - fit->rank;
    return dof > 0 ? fit->square / dof : INFINITY;
}

/* The first M within reach of the plateau, or the one with the least variance. */
static bool scan(const eis_spectrum *s, linkk_question q, double plateau, eis_z *residual, linkk *out) {
    double least = INFINITY;
    for (int m = 0; m <= LINKK_MOST; m++) out->square[m] = NAN;
    for (q.terms = LINKK_LEAST; q.terms <= MIN2(s->count, LINKK_MOST); q.terms++) {
        linkk_fit fit;
        if (!linkk_fit_terms(s, &q, &fit, residual)) return false;
        out->square[q.terms] = fit.square;
        if (out->reached || !(variance(s, &fit) < least)) continue;
        least = variance(s, &fit);
        out->of = q;
        out->fit = fit;
        out->reached = least <= near * plateau;
        for (int64_t i = 0; i < s->count; i++) out->residual[i] = residual[i];
    }
    return true;
}

bool linkk_scan(const eis_spectrum *s, linkk *out) {
    static const double extensions[] = { 1, 3, 10, 0.3 };
    eis_z *residual = malloc(sizeof *residual * (size_t)s->count);
    *out = (linkk){ .residual = malloc(sizeof *residual * (size_t)s->count) };
    bool room = residual && out->residual && expand(s, NULL, &out->plateau);
    double plateau = room ? out->plateau.square / out->plateau.dof : 0;
    for (size_t i = 0; room && !out->reached && i < sizeof extensions / sizeof *extensions; i++) {
        linkk_question q = { LINKK_COMPLEX, 0, extensions[i], true, out->plateau.admittance };
        room = scan(s, q, plateau, residual, out);
    }
    free(residual);
    if (!room) linkk_free(out);
    return room;
}

void linkk_free(linkk *k) {
    free(k->residual);
    expansion_free(&k->plateau);
    *k = (linkk){ 0 };
}
