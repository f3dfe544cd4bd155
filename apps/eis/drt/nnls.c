/* Lawson and Hanson's active set on normal equations. */
#include "nnls.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool cholesky_factor(int n, double *a) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (int k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
            if (i == j && !(sum > 0)) return false;
            a[i * n + j] = i == j ? sqrt(sum) : sum / a[j * n + j];
        }
    return true;
}

void cholesky_solve(int n, const double *factor, double *x) {
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++) x[i] -= factor[i * n + k] * x[k];
        x[i] /= factor[i * n + i];
    }
    for (int i = n - 1; i >= 0; i--) {
        for (int k = i + 1; k < n; k++) x[i] -= factor[k * n + i] * x[k];
        x[i] /= factor[i * n + i];
    }
}

typedef struct active_set {
    int n, free;
    const double *gram, *right;
    int *index; /* the first `free` are those that may be positive, in the order they became so */
    double *x, *part, *factor;
    bool *barred; /* too near to those that are free to be told from them */
} active_set;

/* The minimum over the free ones, without bounds, into s->part. */
static bool solve_free(active_set *s) {
    for (int i = 0; i < s->free; i++) {
        s->part[i] = s->right[s->index[i]];
        for (int j = 0; j <= i; j++) s->factor[i * s->free + j] = s->gram[s->index[i] * s->n + s->index[j]];
    }
    if (!cholesky_factor(s->free, s->factor)) return false;
    cholesky_solve(s->free, s->factor, s->part);
    return true;
}

/* minus the gradient */
static double pull(const active_set *s, int k) {
    double sum = s->right[k];
    for (int i = 0; i < s->free; i++) sum -= s->gram[k * s->n + s->index[i]] * s->x[s->index[i]];
    return sum;
}

/* The place in the index of what would gain most, -1. */
static int best_bound(const active_set *s) {
    double most = 0;
    int best = -1;
    for (int i = s->free; i < s->n; i++) {
        int k = s->index[i];
        double w = s->barred[k] ? 0 : pull(s, k), rounding = 16 * s->n * DBL_EPSILON * fabs(s->right[k]);
        if (w > rounding && w / sqrt(s->gram[k * s->n + k]) > most) most = w / sqrt(s->gram[k * s->n + k]), best = i;
    }
    return best;
}

/* From x towards the minimum, as far as all stay positive; those that reach 0 are bound again. False: it got there. */
static bool step_back(active_set *s) {
    double share = 1;
    for (int i = 0; i < s->free; i++) {
        double x = s->x[s->index[i]];
        if (s->part[i] <= 0) share = fmin(share, x / (x - s->part[i]));
    }
    bool within = true;
    for (int i = 0; i < s->free; i++) within = within && s->part[i] > 0;
    int kept = 0;
    for (int i = 0; i < s->free; i++) {
        int k = s->index[i];
        bool out = s->part[i] <= 0 && s->x[k] / (s->x[k] - s->part[i]) <= share;
        s->x[k] = out ? 0 : s->x[k] + share * (s->part[i] - s->x[k]);
        s->index[i] = s->index[kept];
        s->index[kept] = k;
        kept += !out;
    }
    s->free = kept;
    return !within;
}

static void descend(active_set *s) {
    for (int round = 0; round < 10 * s->n; round++) {
        int best = best_bound(s), k = best < 0 ? -1 : s->index[best];
        if (best < 0) return;
        s->index[best] = s->index[s->free], s->index[s->free++] = k;
        if (!solve_free(s) || !(s->part[s->free - 1] > 0)) {
            s->barred[k] = true, s->free--;
            continue;
        }
        memset(s->barred, 0, sizeof *s->barred * (size_t)s->n);
        while (step_back(s) && solve_free(s)) continue;
    }
}

bool nnls(int n, const double *gram, const double *right, double *x) {
    size_t count = (size_t)n;
    active_set s = { .n = n, .gram = gram, .right = right, .x = x };
    s.index = malloc(count * sizeof *s.index);
    s.part = malloc(count * (count + 1) * sizeof *s.part);
    s.barred = calloc(count, sizeof *s.barred);
    bool room = s.index && s.part && s.barred;
    if (room) {
        s.factor = s.part + n;
        for (int k = 0; k < n; k++) s.index[k] = k, x[k] = 0;
        descend(&s);
    }
    free(s.index), free(s.part), free(s.barred);
    return room;
}
