#include <stdlib.h>

#include "base/base.h"
#include "parts.h"

static int ascending(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double bench_quantile(const double *v, int64_t count, double q) {
    double  place = q * (double)(count - 1);
    int64_t low   = (int64_t)place, high = MIN2(low + 1, count - 1);
    return v[low] + (place - (double)low) * (v[high] - v[low]);
}

double bench_median(const double *values, int64_t count) {
    double  sorted[BENCH_TIMES_MOST];
    int64_t n = 0;
    for (int64_t i = 0; i < count; i++)
        if (values[i] != 0) sorted[n++] = values[i];
    qsort(sorted, (size_t)n, sizeof *sorted, ascending);
    return n ? bench_quantile(sorted, n, 0.5) : 0;
}

void bench_summarise(bench_times *t) {
    double sorted[BENCH_TIMES_MOST], sum = 0;
    if (t->count == 0) return;
    for (int64_t i = 0; i < t->count; i++) sum += sorted[i] = t->ms[i];
    qsort(sorted, (size_t)t->count, sizeof *sorted, ascending);
    t->total_s = sum * 1e-3, t->mean_ms = sum / (double)t->count;
    t->min_ms = sorted[0], t->max_ms = sorted[t->count - 1];
    t->p50_ms = bench_quantile(sorted, t->count, 0.5), t->p95_ms = bench_quantile(sorted, t->count, 0.95);
}
