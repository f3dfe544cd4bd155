/* What becomes of the values of one column in rows that become one. */
#include "frame_merge.h"

#include <stdlib.h>

static double first_of(double *v, int64_t count) { return (void)count, v[0]; }
static double last_of(double *v, int64_t count) { return v[count - 1]; }

static double sum_of(double *v, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += v[i];
    return sum;
}

static double mean_of(double *v, int64_t count) { return sum_of(v, count) / (double)count; }

static double min_of(double *v, int64_t count) {
    double least = v[0];
    for (int64_t i = 1; i < count; i++) least = v[i] < least ? v[i] : least;
    return least;
}

static double max_of(double *v, int64_t count) {
    double most = v[0];
    for (int64_t i = 1; i < count; i++) most = v[i] > most ? v[i] : most;
    return most;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double *v, int64_t count) {
    qsort(v, (size_t)count, sizeof *v, by_value);
    return (v[(count - 1) / 2] + v[count / 2]) / 2;
}

static const struct { const char *name; double (*of)(double *v, int64_t count); bool mixes; } functions[] = {
    [AGGREGATE_FIRST] = { "first", first_of, false },  [AGGREGATE_LAST] = { "last", last_of, false },
    [AGGREGATE_MEAN]  = { "mean", mean_of, true },     [AGGREGATE_SUM]  = { "sum", sum_of, true },
    [AGGREGATE_MIN]   = { "min", min_of, false },      [AGGREGATE_MAX]  = { "max", max_of, false },
    [AGGREGATE_MEDIAN] = { "median", median_of, true },
};

double merge_values(frame_aggregate how, double *values, int64_t count) { return functions[how].of(values, count); }
const char *merge_name(frame_aggregate how) { return functions[how].name; }
bool merge_mixes(frame_aggregate how) { return functions[how].mixes; }
