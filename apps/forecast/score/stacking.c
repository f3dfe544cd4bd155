/* Sums of products of errors by block and column, and weights from them. A convex problem of up to six unknowns is
 * solved exactly: its solution is that of the equality alone on some subset of the members, and all are tried. */
#include "stacking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct products { double of[STACKING_MOST][STACKING_MOST], count; } products;

struct stacking {
    int       members, blocks;
    int       near;  /* blocks on either side of one that share rows with it; the windows are too few where all may */
    int64_t   columns, pred_len, windows, span;
    products *sums;  /* (blocks, columns) */
};

stacking *stacking_new(int members, int64_t columns, int64_t pred_len, int64_t windows, int64_t apart) {
    stacking *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    int64_t span = (pred_len + apart - 1) / apart; /* windows that share rows that are forecast */
    int64_t near = windows ? (span * STACKING_BLOCKS + windows - 1) / windows : STACKING_BLOCKS;
    bool    few  = 2 * near + 1 >= STACKING_BLOCKS;
    *s           = (stacking){ members, few ? 1 : STACKING_BLOCKS, (int)near, columns, pred_len, windows, span, NULL };
    s->sums      = calloc((size_t)(s->blocks * columns) + 1, sizeof *s->sums);
    if (s->sums) return s;
    free(s);
    return NULL;
}

void stacking_free(stacking *s) {
    if (s) free(s->sums);
    free(s);
}

/* ---- adding ---- */

void stacking_add(stacking *s, int64_t at, const float *forecasts, const float *truth) {
    products *block = s->sums + at * s->blocks / s->windows * s->columns;
    int64_t   each  = s->columns * s->pred_len;
    for (int64_t c = 0; c < s->columns; c++)
        for (int64_t step = 0; step < s->pred_len; step++) {
            double error[STACKING_MOST], y = truth[step * s->columns + c];
            if (isnan(y)) continue;
            for (int k = 0; k < s->members; k++) error[k] = forecasts[k * each + c * s->pred_len + step] - y;
            for (int k = 0; k < s->members; k++)
                for (int l = k; l < s->members; l++) block[c].of[k][l] += error[k] * error[l];
            block[c].count++;
        }
}

static void add(products *to, const products *from, double by) {
    for (int k = 0; k < STACKING_MOST; k++)
        for (int l = k; l < STACKING_MOST; l++) to->of[k][l] += by * from->of[k][l];
    to->count += by * from->count;
}

double stacking_mse(const stacking *s, int member) {
    products all = { 0 };
    for (int64_t i = 0; i < s->blocks * s->columns; i++) add(&all, &s->sums[i], 1);
    return all.of[member][member] / all.count;
}

/* ---- one problem ---- */

/* Squared error of a weighed sum, over the truths that p counts; what has no weight need be no number. */
static double squared(const products *p, const double *weights) {
    double sum = 0;
    for (int k = 0; k < STACKING_MOST; k++)
        for (int l = k; l < STACKING_MOST && weights[k] != 0; l++)
            if (weights[l] != 0) sum += (k == l ? 1 : 2) * weights[k] * weights[l] * p->of[k][l];
    return sum;
}

/* a x = 1 by elimination without pivots, a positive definite; overwritten. false: it is not. */
static bool ones(double a[STACKING_MOST][STACKING_MOST], int n, double *x) {
    for (int i = 0; i < n; i++) x[i] = 1;
    for (int i = 0; i < n; i++) {
        if (!(a[i][i] > 0)) return false;
        for (int r = i + 1; r < n; r++) {
            double by = a[r][i] / a[i][i];
            for (int c = i; c < n; c++) a[r][c] -= by * a[i][c];
            x[r] -= by * x[i];
        }
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int c = i + 1; c < n; c++) x[i] -= a[i][c] * x[c];
        x[i] /= a[i][i];
    }
    return true;
}

/* Weights of a subset that sum to one and have the least error; false where one is negative. */
static bool solve_subset(const products *p, unsigned subset, double *weights) {
    double a[STACKING_MOST][STACKING_MOST], x[STACKING_MOST], sum = 0;
    int    index[STACKING_MOST], n = 0;
    for (int k = 0; k < STACKING_MOST; k++)
        if (subset & 1U << k) index[n++] = k;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            a[i][j] = index[i] < index[j] ? p->of[index[i]][index[j]] : p->of[index[j]][index[i]];
    if (!ones(a, n, x)) return false;
    for (int i = 0; i < n; i++) sum += x[i];
    memset(weights, 0, STACKING_MOST * sizeof *weights);
    for (int i = 0; i < n; i++)
        if ((weights[index[i]] = x[i] / sum) < 0) return false;
    return sum > 0;
}

static double least_error(const products *p, unsigned used) {
    double least = INFINITY;
    for (int k = 0; k < STACKING_MOST; k++)
        if (used & 1U << k && p->of[k][k] < least) least = p->of[k][k];
    return least;
}

/* Without errors, or without truths, all weigh the same. */
static void solve(const products *p, unsigned used, double pull, double *weights) {
    products drawn = *p;
    double   tried[STACKING_MOST], best = INFINITY, floor = least_error(p, used);
    int      count = 0;
    for (int k = 0; k < STACKING_MOST; k++) {
        weights[k] = used >> k & 1, count += used >> k & 1;
        drawn.of[k][k] *= 1 + 1e-9 + pull;
    }
    for (int k = 0; k < STACKING_MOST; k++) weights[k] /= count;
    if (!(floor > 0)) return;
    for (unsigned subset = used; subset; subset = (subset - 1) & used) {
        if (!solve_subset(&drawn, subset, tried)) continue;
        double error = squared(&drawn, tried);
        if (error < best) best = error, memcpy(weights, tried, sizeof tried);
    }
}

/* ---- the columns ---- */

/* The blocks without `left_out` and its neighbours (-1: none), of each column (columns) and of all together; false:
 * out of memory. */
typedef struct fitted { products *column, all; double spans; } fitted;

static bool fitted_new(const stacking *s, int left_out, fitted *out) {
    int blocks = 0;
    *out = (fitted){ .column = calloc((size_t)s->columns + 1, sizeof *out->column) };
    for (int b = 0; out->column && b < s->blocks; b++) {
        if (left_out >= 0 && abs(b - left_out) <= s->near) continue;
        blocks++;
        for (int64_t c = 0; c < s->columns; c++) {
            add(&out->column[c], &s->sums[b * s->columns + c], 1);
            add(&out->all, &s->sums[b * s->columns + c], 1);
        }
    }
    out->spans = (double)(s->windows * blocks) / (double)(s->blocks * s->span);
    return out->column != NULL;
}

/* Of a column, by its own errors and, in their size, by those of all. */
static void solve_column(const fitted *f, int64_t c, unsigned used, const stacking_rule *rule, double *weights) {
    products p    = f->column[c];
    double   size = least_error(&p, used) / least_error(&f->all, used);
    if (!rule->by_column || !isfinite(size)) p = f->all;
    else add(&p, &f->all, size * STACKING_PRIOR / f->spans);
    solve(&p, used, rule->pull, weights);
}

/* Mean squared error of each block with weights of the others. NaN: out of memory. */
static double left_out_mse(const stacking *s, unsigned used, const stacking_rule *rule) {
    double error = 0, count = 0, weights[STACKING_MOST];
    for (int b = 0; b < s->blocks; b++) {
        fitted f;
        if (!fitted_new(s, b, &f)) return (double)NAN;
        for (int64_t c = 0; c < s->columns; c++) {
            const products *p = &s->sums[b * s->columns + c];
            if (!c || rule->by_column) solve_column(&f, c, used, rule, weights);
            error += squared(p, weights), count += p->count;
        }
        free(f.column);
    }
    return error / fmax(count, 1);
}

/* The first that is as good as any: shared weights before own ones, those of Bates and Granger before others. */
static bool choose(const stacking *s, unsigned used, stacking_rule *rule) {
    static const double pulls[] = { 10, 1, 0.1, 0.01 };
    *rule = (stacking_rule){ .pull = 1, .left_out_mse = INFINITY };
    if (s->blocks < STACKING_BLOCKS) return true;
    for (int own = 0; own < (s->columns > 1 ? 2 : 1); own++)
        for (size_t i = 0; i < sizeof pulls / sizeof *pulls; i++) {
            stacking_rule tried = { own, pulls[i], 0 };
            tried.left_out_mse = left_out_mse(s, used, &tried);
            if (isnan(tried.left_out_mse)) return false;
            if (tried.left_out_mse < rule->left_out_mse) *rule = tried;
        }
    return true;
}

bool stacking_solve(const stacking *s, unsigned used, float *weights, stacking_rule *rule) {
    fitted f;
    double column[STACKING_MOST];
    if (!choose(s, used, rule) || !fitted_new(s, -1, &f)) return false;
    for (int64_t c = 0; c < s->columns; c++) {
        solve_column(&f, c, used, rule, column);
        for (int k = 0; k < s->members; k++) weights[k * s->columns + c] = (float)column[k];
    }
    free(f.column);
    return true;
}
