#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "shard.h"

/* Of a pair of swapped circuits the one whose a is the faster membrane; of equal time constants the one of lower Ra. On
 * these axes equal time constants differ by rounding, others by far more. */
static bool stands_for_both(const resnorm_grid *g, int64_t a, int64_t b) {
    const double tie = 1e-9;
    double tau_a = g->axis[EIS_RA][a / g->points] * g->axis[EIS_CA][a % g->points];
    double tau_b = g->axis[EIS_RB][b / g->points] * g->axis[EIS_CB][b % g->points];
    return fabs(tau_a - tau_b) < tie * tau_b ? a <= b : tau_a < tau_b;
}

bool grid_rows_new(const resnorm_grid *g, bool full, grid_rows *out) {
    int64_t n = g->points, pairs = full ? g->membranes * g->membranes : g->membranes * (g->membranes + 1) / 2,
            count = n * pairs, at = 0;
    uint8_t *memory = malloc((size_t)count * EIS_COUNT);
    int64_t *start  = malloc((size_t)g->membranes * sizeof *start);
    *out = (grid_rows){ .count = count, .from = malloc((size_t)count * sizeof *out->from) };
    for (int k = 0; k < EIS_COUNT; k++) out->index[k] = memory + k * count;
    bool fine = memory && start && out->from;
    for (int64_t a = 0, next = 0; fine && a < g->membranes; a++)
        start[a] = next, next += n * (g->width - resnorm_first(a));
    for (int64_t i = 0, all = n * g->membranes * g->membranes; fine && i < all; i++) {
        int64_t cb = i % n, ca = i / n % n, rb = i / (n * n) % n, ra = i / (n * n * n) % n, r = i / (n * n * n * n);
        int64_t a = ra * n + ca, b = rb * n + cb, low = MIN2(a, b), high = MAX2(a, b), first = resnorm_first(low);
        if (!full && !stands_for_both(g, a, b)) continue;
        const int64_t index[EIS_COUNT] = { r, ra, rb, ca, cb };
        for (int k = 0; k < EIS_COUNT; k++) out->index[k][at] = (uint8_t)index[k];
        out->from[at++] = (uint32_t)(start[low] + r * (g->width - first) + high - first);
    }
    free(start);
    if (fine) return true;
    out->index[0] = memory;
    grid_rows_free(out);
    return false;
}

void grid_rows_free(grid_rows *r) {
    free(r->index[0]);
    free(r->from);
    *r = (grid_rows){ 0 };
}
