/* Ground truths: read from a file, or drawn, shares of them from a Latin hypercube, Sobol's sequence, log-normals
 * around biological values, and corners of the ranges. */
#include "ground_truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "bounded.h"
#include "eis/circuit/rng.h"

enum { STREAM_HYPERCUBE = 1, STREAM_SOBOL, STREAM_BIOLOGY, CORNERS = 1 << EIS_COUNT, SOBOL_BITS = 32 };

/* ---- reading ---- */

tide_status ground_truths_read(const char *path, ground_truth **out, int64_t *count, tide_failure *failure) {
    json_t     *list   = bounded_json(path, failure);
    tide_status status = TIDE_OK;
    *out   = NULL;
    *count = 0;
    if (!list) return failure->status;
    if (!json_is_array(list) || !json_array_size(list))
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL,
                         "%s is not a list of {\"id\", \"rsh\", \"ra\", \"rb\", \"ca\", \"cb\"}", path);
    if (status == TIDE_OK && json_array_size(list) > TRUTHS_MOST)
        status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "%s holds %zu ground truths; at most %d are taken", path,
                         json_array_size(list), TRUTHS_MOST);
    if (status == TIDE_OK) {
        *count = (int64_t)json_array_size(list);
        *out   = calloc((size_t)*count, sizeof **out);
        if (!*out) status = fail(failure, TIDE_ENOMEM, "out of memory for ground truths");
    }
    for (int64_t i = 0; i < *count && status == TIDE_OK; i++)
        status = truth_from_json(path, json_array_get(list, (size_t)i), i + 1, &(*out)[i], failure);
    json_decref(list);
    if (status != TIDE_OK) free(*out), *out = NULL, *count = 0;
    return status;
}

/* ---- drawing ---- */

/* u in 0..1 along the parameter's logarithmic range. */
static double along(int k, double u) {
    return eis_parameters[k].low * pow(eis_parameters[k].high / eis_parameters[k].low, u);
}

/* One point in each of `count` slices of every axis, the slices shuffled axis by axis. */
static bool draw_hypercube(ground_truth *g, int64_t count, int64_t seed) {
    rng      r     = { .seed = (uint64_t)seed, .stream = STREAM_HYPERCUBE };
    int64_t *slice = malloc((size_t)(count + 1) * sizeof *slice);
    if (!slice) return false;
    for (int k = 0; k < EIS_COUNT; k++) {
        for (int64_t i = 0; i < count; i++) {
            int64_t j = (int64_t)(rng_unit(&r) * (double)(i + 1));
            slice[i]  = slice[j];
            slice[j]  = i;
        }
        for (int64_t i = 0; i < count; i++) g[i].p[k] = along(k, ((double)slice[i] + rng_unit(&r)) / (double)count);
    }
    free(slice);
    for (int64_t i = 0; i < count; i++) snprintf(g[i].id, sizeof g[i].id, "lhs_%04lld", (long long)i);
    return true;
}

/* Direction numbers of Joe and Kuo (2008) for the first five dimensions, by their recurrence. */
static void sobol_directions(int dimension, uint32_t v[SOBOL_BITS]) {
    static const struct { int degree; uint32_t polynomial, first[3]; } rows[EIS_COUNT] = {
        { 0, 0, { 0 } }, { 1, 0, { 1 } }, { 2, 1, { 1, 3 } }, { 3, 1, { 1, 3, 1 } }, { 3, 2, { 1, 1, 1 } },
    };
    int s = rows[dimension].degree;
    for (int i = 0; i < SOBOL_BITS; i++) {
        if (s == 0) v[i] = 1u << (SOBOL_BITS - 1 - i);
        else if (i < s) v[i] = rows[dimension].first[i] << (SOBOL_BITS - 1 - i);
        else {
            v[i] = v[i - s] ^ (v[i - s] >> s);
            for (int k = 1; k < s; k++) v[i] ^= ((rows[dimension].polynomial >> (s - 1 - k)) & 1) * v[i - k];
        }
    }
}

/* A digital shift: every point of the net moved by the same random bits. */
static void draw_sobol(ground_truth *g, int64_t count, int64_t seed) {
    rng r = { .seed = (uint64_t)seed, .stream = STREAM_SOBOL };
    for (int k = 0; k < EIS_COUNT; k++) {
        uint32_t v[SOBOL_BITS], x = (uint32_t)(rng_unit(&r) * 0x1p32);
        sobol_directions(k, v);
        for (int64_t i = 0; i < count; i++) {
            g[i].p[k] = along(k, ((double)x + 0.5) * 0x1p-32);
            x ^= v[__builtin_ctzll(~(unsigned long long)i)];
        }
    }
    for (int64_t i = 0; i < count; i++) snprintf(g[i].id, sizeof g[i].id, "sobol_%04lld", (long long)i);
}

static void draw_biology(ground_truth *g, int64_t count, int64_t seed) {
    static const struct {
        double median, sigma;
    } of[EIS_COUNT] = { { 500, 0.5 }, { 3000, 0.6 }, { 2000, 0.6 }, { 3e-6, 0.4 }, { 3e-6, 0.4 } };
    rng r = { .seed = (uint64_t)seed, .stream = STREAM_BIOLOGY };
    for (int64_t i = 0; i < count; i++) {
        for (int k = 0; k < EIS_COUNT; k++)
            g[i].p[k] = fmin(fmax(of[k].median * exp(of[k].sigma * rng_normal(&r)), eis_parameters[k].low),
                             eis_parameters[k].high);
        snprintf(g[i].id, sizeof g[i].id, "bio_%04lld", (long long)i);
    }
}

/* Rsh slowest, Cb fastest. */
static void put_corner(ground_truth *g, int64_t i, const char *format) {
    for (int k = 0; k < EIS_COUNT; k++)
        g->p[k] = (i >> (EIS_COUNT - 1 - k)) & 1 ? eis_parameters[k].high : eis_parameters[k].low;
    snprintf(g->id, sizeof g->id, format, (int)i);
}

ground_truth *ground_truths_draw(int64_t count, int64_t seed) {
    int64_t hypercube = 2 * count / 5, sobol = 3 * count / 10, biology = 3 * count / 20,
            drawn = hypercube + sobol + biology;
    int64_t all = MAX2(count, drawn + 2 * CORNERS);
    ground_truth *g = calloc((size_t)all, sizeof *g);
    if (!g) return NULL;
    draw_sobol(g + hypercube, sobol, seed);
    draw_biology(g + hypercube + sobol, biology, seed);
    for (int64_t i = 0; drawn + i < all; i++)
        put_corner(&g[drawn + i], i % CORNERS, i < CORNERS ? "grid_%04d" : "edge_%03d");
    if (draw_hypercube(g, hypercube, seed)) return g;
    free(g);
    return NULL;
}
