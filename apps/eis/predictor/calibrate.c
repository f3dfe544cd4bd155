/* Ranks of the truth among the network's quantiles on fresh spectra, and the levels that make the stated shares
 * true. */
#include "calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "spectra.h"

enum { GROUP = 256 };

typedef struct ranks {      /* shares of the distributions that lie below the truth */
    float  *of[QUANTITIES_MOST];
    int64_t count[QUANTITIES_MOST];
} ranks;

typedef struct group {
    float   *row, *raw, *probability, (*known_u)[EIS_COUNT];
    int32_t *spectrum;
    unsigned missing[GROUP * MASKS];
} group;

static bool group_new(eis_recipe recipe, int64_t stride, group *g) {
    int64_t each   = recipe_quantities(recipe) * recipe_bins(recipe);
    g->row         = malloc((size_t)(GROUP * stride) * sizeof *g->row);
    g->raw         = malloc((size_t)(GROUP * features_width(recipe)) * sizeof *g->raw);
    g->probability = malloc((size_t)(GROUP * MASKS * each) * sizeof *g->probability);
    g->known_u     = malloc(GROUP * MASKS * sizeof *g->known_u);
    g->spectrum    = malloc(GROUP * MASKS * sizeof *g->spectrum);
    return g->row && g->raw && g->probability && g->known_u && g->spectrum;
}

static void group_free(group *g) {
    free(g->row), free(g->raw), free(g->probability), free(g->known_u), free(g->spectrum);
}

typedef struct drawing { const sampler_settings *settings; int64_t first, stride; group *to; } drawing;

static void draw_spectrum(void *of, int64_t i, int thread) {
    const drawing *d = of;
    const sampler_settings *s = d->settings;
    group    *g = d->to;
    int64_t   width = features_width(s->recipe);
    int       masks = recipe_masks(s->recipe);
    uint64_t  number = (uint64_t)(d->first + i);
    float    *row = g->row + i * d->stride;
    (void)thread;
    pool_row(s, SPLIT_VALIDATE, number, width, row);
    memcpy(g->raw + i * width, row, (size_t)width * sizeof *row);
    for (int m = 0; m < masks; m++) {
        unsigned missing = mask_draw(s->seed, SPLIT_VALIDATE, number, m);
        g->missing[i * masks + m]  = missing;
        g->spectrum[i * masks + m] = (int32_t)i;
        for (int k = 0; k < EIS_COUNT; k++)
            g->known_u[i * masks + m][k] = missing >> k & 1 ? (float)NAN : row[width + k];
    }
}

static void draw_group(const sampler_settings *s, int64_t first, int64_t stride, int threads, group *g) {
    parallel_for(threads, GROUP, 1, draw_spectrum, &(drawing){ s, first, stride, g });
}

static float rank_of(int64_t bins, const float *probability, float coordinate) {
    double at = fmin(fmax((double)coordinate, 0), 1) * (double)bins, below = 0, sum = 0;
    for (int64_t i = 0; i < bins; i++) {
        below += (double)probability[i] * fmin(fmax(at - (double)i, 0), 1);
        sum += (double)probability[i];
    }
    return (float)(below / sum);
}

static void rank_group(eis_recipe recipe, const group *g, int64_t stride, ranks *r) {
    int64_t quantities = recipe_quantities(recipe), bins = recipe_bins(recipe), masks = recipe_masks(recipe);
    int     parameters = recipe_kinds[recipe].parameters;
    for (int64_t i = 0; i < GROUP * masks; i++) {
        const float *coordinate = g->row + i / masks * stride + features_width(recipe) + EIS_COUNT;
        for (int q = 0; q < quantities; q++)
            if (q >= parameters || g->missing[i] >> q & 1)
                r->of[q][r->count[q]++] = rank_of(bins, g->probability + (i * quantities + q) * bins, coordinate[q]);
    }
}

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void settle_levels(eis_recipe recipe, ranks *r, spectrum_model *m) {
    for (int q = 0; q < recipe_quantities(recipe); q++) {
        qsort(r->of[q], (size_t)r->count[q], sizeof *r->of[q], by_value);
        for (int i = 0; i < MODEL_LEVELS; i++)
            m->level[q][i] = r->of[q][(int64_t)(model_shares[i] * (double)(r->count[q] - 1))];
    }
}

tide_status calibrate(predictor *p, spectrum_model *m, int64_t first, int64_t spectra, int threads,
                      tide_failure *failure) {
    eis_recipe       recipe = m->config.recipe;
    sampler_settings s      = { .recipe = recipe, .seed = m->seed, .keep_out = m->keep_out };
    int64_t stride = features_width(recipe) + EIS_COUNT + recipe_quantities(recipe), groups = ceil_div(spectra, GROUP);
    ranks   r      = { .count = { 0 } };
    group   g      = { .row = NULL };
    bool    fine   = group_new(recipe, stride, &g);
    for (int q = 0; q < recipe_quantities(recipe); q++)
        fine &= (r.of[q] = malloc((size_t)(groups * GROUP * MASKS) * sizeof *r.of[q])) != NULL;
    tide_status status = fine ? TIDE_OK : fail(failure, TIDE_ENOMEM, "out of memory for the calibration");
    for (int64_t i = 0; status == TIDE_OK && i < groups; i++) {
        draw_group(&s, first + i * GROUP, stride, threads, &g);
        status = predictor_spectra(p, GROUP, g.raw, failure);
        if (status == TIDE_OK)
            status = predictor_ask(p, GROUP * recipe_masks(recipe), g.spectrum,
                                   (const float (*)[EIS_COUNT])g.known_u, g.probability, failure);
        if (status == TIDE_OK) rank_group(recipe, &g, stride, &r);
    }
    if (status == TIDE_OK) settle_levels(recipe, &r, m);
    for (int q = 0; q < QUANTITIES_MOST; q++) free(r.of[q]);
    group_free(&g);
    return status;
}
