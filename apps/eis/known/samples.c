/* Which values are known (patterns), rows as the network's inputs, and the scale they are given in. */
#include "samples.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/rng.h"

static bool is_known(uint8_t pattern, int parameter) { return pattern >> parameter & 1; }

int known_patterns(eis_masks masks, uint8_t out[KNOWN_PATTERNS_MOST]) {
    /* 11100, 11010, ..., 00111 */
    static const uint8_t mlx[] = { 0x07, 0x0b, 0x0d, 0x0e, 0x13, 0x15, 0x16, 0x19, 0x1a, 0x1c };
    int count = 0;
    if (masks == EIS_MASKS_MLX) return memcpy(out, mlx, sizeof mlx), (int)sizeof mlx;
    for (uint8_t known = 0; known < KNOWN_PATTERNS_MOST; known++) out[count++] = known;
    return count;
}

void known_features(const bool is[EIS_COUNT], const double value[EIS_COUNT], float out[KNOWN_FEATURES]) {
    for (int k = 0; k < EIS_COUNT; k++) {
        out[k]               = is[k] ? (float)log10(value[k]) : 0;
        out[SAMPLE_MASK + k] = is[k] ? 1 : 0;
    }
}

double known_scaled(const known_scale *s, double resnorm) {
    double r = fmax(resnorm, s->floor);
    return ((s->log ? log10(r) : r) - s->mean) / s->sd;
}

double known_unscaled(const known_scale *s, double scaled) {
    double v = scaled * s->sd + s->mean;
    return s->log ? pow(10, v) : v;
}

static void fill_row(const known_row *r, const float *axis, int64_t points, uint8_t pattern, float *out) {
    for (int k = 0; k < EIS_COUNT; k++) {
        bool known            = is_known(pattern, k);
        out[k]                = known ? axis[k * points + r->index[k]] : 0;
        out[SAMPLE_MASK + k]  = known ? 1 : 0;
        out[SAMPLE_LABEL + k] = (float)r->index[k];
    }
    out[SAMPLE_TARGET] = (float)r->resnorm;
    out[SAMPLE_REAL]   = 1;
}

/* log10 of all grid values, as known_features has them. */
static float *log_axes(int64_t points) {
    float *axis = malloc((size_t)(EIS_COUNT * points) * sizeof *axis);
    for (int k = 0; axis && k < EIS_COUNT; k++)
        for (int64_t i = 0; i < points; i++) axis[k * points + i] = (float)log10(eis_grid_value(k, i, points));
    return axis;
}

int64_t samples_stretch(int64_t count, int ranks) { return ceil_div(count, ranks); }

/* Every sample takes one random number of its pattern's stream, so any of them can be drawn alone. */
static void draw_one(const known_pool *p, const float *axis, const uint8_t *pattern, int64_t each, uint64_t seed,
                     uint32_t stream, int64_t number, float *out) {
    int64_t   i   = number / each;
    rng       r   = { .seed = seed, .stream = stream * KNOWN_PATTERNS_MOST + (uint32_t)i,
                      .next = (uint64_t)(number % each) };
    known_row row = known_pool_row(p, (int64_t)(rng_unit(&r) * (double)p->count));
    fill_row(&row, axis, p->data->points, pattern[i], out);
}

bool known_samples_draw(const known_pool *p, eis_masks masks, int64_t each, uint64_t seed, uint32_t stream,
                        sample_share share, known_samples *out) {
    uint8_t pattern[KNOWN_PATTERNS_MOST];
    int64_t count = known_patterns(masks, pattern) * each, stretch = samples_stretch(count, share.ranks);
    int64_t first = MIN2(count, share.rank * stretch), held = MIN2(stretch, count - first);
    float  *axis  = log_axes(p->data->points);
    *out = (known_samples){ .count = count, .first = first, .held = held,
                            .row = calloc((size_t)(held + 1) * SAMPLE_WIDTH, sizeof *out->row) };
    bool fine = axis && out->row;
    for (int64_t i = 0; fine && i < held; i++)
        draw_one(p, axis, pattern, each, seed, stream, first + i, out->row + i * SAMPLE_WIDTH);
    for (int k = 0; fine && k < EIS_COUNT; k++) out->row[held * SAMPLE_WIDTH + SAMPLE_MASK + k] = 1;
    free(axis);
    if (!fine) known_samples_free(out);
    return fine;
}

void known_samples_free(known_samples *s) {
    free(s->row);
    *s = (known_samples){ 0 };
}

known_scale known_scale_of(const float *target, int64_t count, bool raw) {
    static const double LOWEST_SHARE = 1e-6;
    known_scale k = { .sd = 1 };
    double      high = 0, sum = 0, squares = 0, n = (double)count;
    if (raw) return k;
    for (int64_t i = 0; i < count; i++) high = fmax(high, (double)target[i]);
    k.log   = true;
    k.floor = high > 0 ? LOWEST_SHARE * high : 1;
    for (int64_t i = 0; i < count; i++) sum += known_scaled(&k, (double)target[i]);
    double mean = sum / n;
    for (int64_t i = 0; i < count; i++) squares += pow(known_scaled(&k, (double)target[i]) - mean, 2);
    k.mean = mean;
    k.sd   = squares > 0 ? sqrt(squares / n) : 1;
    return k;
}

void known_samples_scale(known_samples *s, const known_scale *scale) {
    for (int64_t i = 0; i < s->held; i++) {
        float *target = &s->row[i * SAMPLE_WIDTH + SAMPLE_TARGET];
        *target       = (float)known_scaled(scale, (double)*target);
    }
}
