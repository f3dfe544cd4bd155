/* From windows of residuals to ranks, and from a rank in every cell to a path. */
#include "paths.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/philox.h"

/* ---- ranks ---- */

typedef struct placed { float value; int64_t window; } placed;

/* Equal errors stand in the order of time, so that each window has a step of its own. */
static int by_value(const void *a, const void *b) {
    const placed *x = a, *y = b;
    int           order = (x->value > y->value) - (x->value < y->value);
    return order ? order : (x->window > y->window) - (x->window < y->window);
}

/* Of the windows that have a truth at this cell; NaN in the others. */
static void rank_cell(const float *values, int64_t windows, placed *scratch, rank_step *out) {
    int64_t count = 0;
    double  total = 0, below = 0;
    for (int64_t w = 0; w < windows; w++) {
        out[w] = (rank_step){ NAN, NAN };
        if (isnan(values[w])) continue;
        scratch[count++] = (placed){ values[w], w };
        total += residual_weight(w, windows);
    }
    qsort(scratch, (size_t)count, sizeof *scratch, by_value);
    for (int64_t i = 0; i < count; i++) {
        double weight = residual_weight(scratch[i].window, windows);
        out[scratch[i].window] = (rank_step){ (float)(below / total), (float)(weight / total) };
        below += weight;
    }
}

/* ---- gaps ---- */

/* From the nearest step of the same window that has one, the earlier of two; false: none has. */
static bool fill_from_steps(rank_step *first, int64_t steps, int64_t stride) {
    int64_t before = -1;
    for (int64_t s = 0; s < steps; s++) {
        if (!isnan(first[s * stride].low)) {
            before = s;
            continue;
        }
        int64_t after = s;
        while (after < steps && isnan(first[after * stride].low)) after++;
        if (before < 0 && after == steps) return false;
        int64_t end = MIN2(after, steps);
        for (int64_t i = s; i < end; i++) {
            bool earlier = after == steps || (before >= 0 && i - before <= after - i);
            first[i * stride] = first[(earlier ? before : after) * stride];
        }
        before = end - 1, s = end - 1;
    }
    return true;
}

/* A column's windows without any truth take the ranks of others, evenly spread, so that none counts much more. */
static void fill_column(rank_step *first, int64_t steps, int64_t stride, int64_t windows, placed *scratch) {
    int64_t some = 0, none = 0;
    for (int64_t w = 0; w < windows; w++)
        if (fill_from_steps(first + w, steps, stride)) scratch[some++].window = w;
    for (int64_t w = 0; some && w < windows; w++) {
        if (!isnan(first[w].low)) continue;
        int64_t from = scratch[none++ * some / (windows - some)].window;
        for (int64_t s = 0; s < steps; s++) first[s * stride + w] = first[s * stride + from];
    }
}

bool path_maker_new(path_maker *m, const band_tables *b) {
    int64_t cells   = b->pred_len * b->columns, windows = b->windows;
    placed *scratch = malloc((size_t)windows * sizeof *scratch + 1);
    double  sum = 0, total = 0;
    *m = (path_maker){ .bands = b };
    m->until = malloc((size_t)windows * sizeof *m->until + 1);
    m->rank  = malloc((size_t)(cells * windows) * sizeof *m->rank + 1);
    bool memory = scratch && m->until && m->rank;
    for (int64_t w = 0; w < windows; w++) total += residual_weight(w, windows);
    for (int64_t w = 0; memory && w < windows; w++) {
        sum += residual_weight(w, windows);
        m->until[w] = sum / total;
    }
    for (int64_t i = 0; memory && i < cells; i++)
        rank_cell(b->window + i * windows, windows, scratch, m->rank + i * windows);
    for (int64_t c = 0; memory && c < b->columns; c++)
        fill_column(m->rank + c * windows, b->pred_len, b->columns * windows, windows, scratch);
    free(scratch);
    if (!memory) path_maker_free(m);
    return memory;
}

void path_maker_free(path_maker *m) {
    free(m->until);
    free(m->rank);
    *m = (path_maker){ 0 };
}

/* ---- paths ---- */

enum { WINDOW_SITE = 0x70617468, CELL_SITE }; /* apart from what training draws under the same seed */

/* With 53 random bits, never 0 or 1. */
path_draw path_drawn(int64_t seed, int64_t i) {
    uint32_t high = philox_word((uint64_t)seed, (uint32_t)(i >> 32), WINDOW_SITE, (uint32_t)i, 0),
             low  = philox_word((uint64_t)seed, (uint32_t)(i >> 32), WINDOW_SITE, (uint32_t)i, 1);
    return (path_draw){ ((double)(high >> 6) * 0x1p26 + (double)(low >> 6) + 0.5) * 0x1p-52, seed, i };
}

path_draw path_spread(int64_t i, int64_t count) {
    return (path_draw){ ((double)i + 0.5) / (double)count, 0, i };
}

static int64_t window_of(const path_maker *m, double number) {
    int64_t w = 0;
    while (w + 1 < m->bands->windows && m->until[w] <= number) w++;
    return w;
}

static double within_step(const path_draw *d, int64_t cell) {
    return (double)philox_unit(philox_word((uint64_t)d->seed, (uint32_t)(d->index >> 32), CELL_SITE,
                                           (uint32_t)d->index, (uint32_t)cell));
}

void path_make(const path_maker *m, path_draw draw, const double *forecast, const window_spread *s, double *out) {
    const band_tables *b = m->bands;
    int64_t            w = window_of(m, draw.number);
    for (int64_t i = 0; i < b->pred_len * b->columns; i++) {
        const rank_step *at = &m->rank[i * b->windows + w];
        double           p = (double)at->low + within_step(&draw, i) * (double)at->width;
        out[i] = (double)NAN;
        if (isnan(p)) continue;
        double residual = bands_quantile(b, 0, i % b->columns, i / b->columns, p);
        out[i] = forecast[i] + bands_error(b, 0, i, s, residual);
    }
}
