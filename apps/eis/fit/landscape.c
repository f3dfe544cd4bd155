/* Thinned points, and a coarse distribution of relaxation times: non-negative least squares on a grid of times beside a
 * resistance, an inductance and a series capacitance. */
#include "landscape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES_A_DECADE = 3, TIMES_MOST = 60, OTHERS = 3, COLUMNS = TIMES_MOST + OTHERS, SWEEPS = 60 };

void non_negative(int count, const double *gram, const double *data, double *x) {
    for (int i = 0; i < count; i++) x[i] = 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double moved = 0;
        for (int i = 0; i < count; i++) {
            double slope = data[i], own = gram[i * count + i], was = x[i];
            for (int j = 0; j < count; j++) slope -= gram[i * count + j] * x[j];
            if (own > 0) x[i] = fmax(0, x[i] + slope / own);
            moved = fmax(moved, fabs(x[i] - was) / (fabs(x[i]) + fabs(was) + 1e-300));
        }
        if (moved < 1e-3) return;
    }
}

typedef struct ranked {
    double omega;
    int64_t index;
} ranked;

static int falling(const void *a, const void *b) {
    double x = ((const ranked *)a)->omega, y = ((const ranked *)b)->omega;
    return (x < y) - (x > y);
}

/* Points at equal steps of the rank by frequency. */
static bool thin(const fit_data *d, landscape *l) {
    ranked *order = malloc((size_t)d->n * sizeof *order);
    if (!order) return false;
    for (int64_t i = 0; i < d->n; i++) order[i] = (ranked){ d->omega[i], i };
    qsort(order, (size_t)d->n, sizeof *order, falling);
    l->points = (int)(d->n < THIN ? d->n : THIN);
    for (int k = 0; k < l->points; k++) {
        int64_t i = order[l->points < 2 ? 0 : k * (d->n - 1) / (l->points - 1)].index;
        l->omega[k] = d->omega[i], l->log_omega[k] = d->log_omega[i], l->z[k] = d->z[i];
        l->weight[k] = d->weight[i], l->weight[THIN + k] = d->weight[d->n + i];
    }
    free(order);
    return true;
}

static double complex column(const landscape *l, const double *tau, int times, int k, int i) {
    double w = l->omega[i], high = l->omega[0], low = l->omega[l->points - 1];
    if (k < times) return 1 / CMPLX(1, w * tau[k]);
    return k == times ? 1 : k == times + 1 ? CMPLX(0, w / high) : CMPLX(0, -low / w);
}

/* Relative to |Z|, whatever the weights of the fit are. */
static void distribution(const landscape *l, const double *tau, int times, double *x) {
    int count = times + OTHERS;
    double gram[COLUMNS * COLUMNS] = { 0 }, data[COLUMNS] = { 0 };
    for (int i = 0; i < l->points; i++) {
        double complex a[COLUMNS], z = l->z[i] / cabs(l->z[i]);
        for (int k = 0; k < count; k++) a[k] = column(l, tau, times, k, i) / cabs(l->z[i]);
        for (int k = 0; k < count; k++) {
            data[k] += creal(conj(a[k]) * z);
            for (int m = 0; m < count; m++) gram[k * count + m] += creal(conj(a[k]) * a[m]);
        }
    }
    non_negative(count, gram, data, x);
}

static void add_peak(landscape *l, relaxation r) {
    int at = l->peaks < PEAKS_MOST ? l->peaks++ : PEAKS_MOST - 1;
    for (l->peak[at] = r; at > 0 && l->peak[at - 1].r_ohm < l->peak[at].r_ohm; at--) {
        relaxation higher = l->peak[at - 1];
        l->peak[at - 1] = l->peak[at], l->peak[at] = higher;
    }
}

/* A peak is what lies between two zeros of the distribution, and on each side of a valley. */
static void find_peaks(landscape *l, const double *tau, const double *x, int times) {
    double area = 0, moment = 0;
    for (int k = 0; k < times; k++) {
        bool valley = k && k + 1 < times && x[k] < x[k - 1] && x[k] <= x[k + 1];
        area += x[k], moment += x[k] * log(tau[k]);
        if (!(valley || x[k] == 0 || k + 1 == times) || !(area > 0)) continue;
        add_peak(l, (relaxation){ area, exp(moment / area) });
        area = moment = 0;
    }
}

void landscape_of(const fit_data *d, landscape *l) {
    double tau[TIMES_MOST], x[COLUMNS];
    *l = (landscape){ 0 };
    if (!thin(d, l)) return;
    double first = 0.1 / l->omega[0], last = 10 / l->omega[l->points - 1];
    int times = (int)fmin(TIMES_MOST, ceil(TIMES_A_DECADE * log10(last / first)) + 1);
    for (int k = 0; k < times; k++) tau[k] = first * pow(last / first, times > 1 ? (double)k / (times - 1) : 0);
    distribution(l, tau, times, x);
    find_peaks(l, tau, x, times);
    l->high_ohm = fmax(x[times], 1e-3 * cabs(l->z[0]));
}
