#include "bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const uint64_t SEED = 2023;

/* The i-th random number of splitmix64, below `count`. */
static int64_t drawn(uint64_t i, int64_t count) {
    uint64_t z = SEED + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)count);
}

/* sums += the values of [from, to), whose differences are those of running sums. */
static void add_range(const double *running, int64_t streams, int64_t from, int64_t to, double *sums) {
    for (int64_t s = 0; s < streams; s++) sums[s] += running[to * streams + s] - running[from * streams + s];
}

bool bootstrap_sums(const double *values, int64_t count, int64_t streams, int64_t block, double *sums) {
    double *running = calloc((size_t)((count + 1) * streams) + 1, sizeof *running);
    if (!running) return false;
    for (int64_t i = 0; i < count * streams; i++) running[i + streams] = running[i] + values[i];
    memset(sums, 0, (size_t)(BOOTSTRAP_SAMPLES * streams) * sizeof *sums);
    uint64_t draws = 0;
    for (int64_t sample = 0; sample < BOOTSTRAP_SAMPLES; sample++)
        for (int64_t at = 0; at < count; at += block) {
            int64_t from = drawn(draws++, count - block + 1), length = MIN2(block, count - at);
            add_range(running, streams, from, from + length, sums + sample * streams);
        }
    free(running);
    return true;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bootstrap_bounds bootstrap_interval(double samples[BOOTSTRAP_SAMPLES]) {
    enum { TAIL = BOOTSTRAP_SAMPLES / 40 };
    for (int i = 0; i < BOOTSTRAP_SAMPLES; i++)
        if (isnan(samples[i])) return (bootstrap_bounds){ (double)NAN, (double)NAN };
    qsort(samples, BOOTSTRAP_SAMPLES, sizeof *samples, by_size);
    return (bootstrap_bounds){ samples[TAIL - 1], samples[BOOTSTRAP_SAMPLES - TAIL] };
}
