#include "sums.h"

#include <math.h>
#include <stdlib.h>

int64_t sums_series(const sum_plan *p) { return p->columns + p->h->count; }
int64_t sums_rows(const sum_plan *p) { return p->over_rows ? 1 : p->count; }

void sums_add_up(const sum_plan *p, const double *cells, double *out) {
    const hierarchy *h    = p->h;
    int64_t          rows = sums_rows(p), series = sums_series(p);
    cells += p->first * p->columns;
    for (int64_t i = 0; i < rows * series; i++) out[i] = 0;
    for (int64_t i = 0; i < p->count * p->columns; i++)
        out[(p->over_rows ? 0 : i / p->columns) * series + i % p->columns] += cells[i];
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < h->count; k++)
            for (int64_t m = h->first[k]; m < h->first[k + 1]; m++)
                out[row * series + p->columns + k] += out[row * series + h->member[m]];
}

/* ---- bounds ---- */

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The middles of the paths' shares are where each stands, lines between them. */
static double quantile(const double *sorted, int64_t count, double p) {
    double  at = p * (double)count - 0.5;
    int64_t i = (int64_t)fmin(fmax(at, 0), (double)(count - 2));
    double  share = fmin(fmax(at - (double)i, 0), 1);
    return sorted[i] + share * (sorted[i + 1] - sorted[i]);
}

void sums_bounds(double *sample, int64_t count, const double *levels, int64_t level_count, double *out) {
    if (!isnan(sample[0])) qsort(sample, (size_t)count, sizeof *sample, by_size);
    for (int64_t l = 0; l < level_count; l++)
        for (int side = 0; side < 2; side++)
            out[2 * l + side] = isnan(sample[0]) ? (double)NAN
                                                 : quantile(sample, count, 0.5 + (side - 0.5) * levels[l] / 100);
}
