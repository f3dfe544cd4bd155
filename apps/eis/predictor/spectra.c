/* The window of spectra that training visits: blocks made by counter, so that a resumed run has the same ones. */
#include "spectra.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "ranks/ranks.h"
#include "ahead.h"

static tide_status no_memory(tide_failure *failure) {
    return fail(failure, TIDE_ENOMEM, "out of memory for the spectra of the training");
}

enum { SITE_ORDER = 0x4f5244, SITE_MASK = 0x4d4153 };

static int64_t row_quantities(const sampler_settings *s) { return EIS_COUNT + recipe_quantities(s->recipe); }

bool pool_new(const sampler_settings *s, int64_t spectra, int threads, pool *out) {
    *out = (pool){
        .settings = *s, .threads = threads, .width = features_width(s->recipe), .block = MAX2(spectra / POOL_BLOCKS, 1)
    };
    out->round  = out->block * POOL_VISITS;
    out->stride = out->width + row_quantities(s);
    out->row    = malloc((size_t)(POOL_BLOCKS * out->block * out->stride) * sizeof *out->row);
    out->order  = malloc((size_t)out->round * sizeof *out->order);
    if (out->row && out->order) return true;
    pool_free(out);
    return false;
}

void pool_free(pool *p) {
    ahead_free(p->ahead);
    free(p->row);
    free(p->order);
    *p = (pool){ 0 };
}

static void cell_row(const sample *one, int64_t width, float *row) {
    arcs_fit fit;
    arcs_features(one->count, one->freq_hz, one->z, row, &fit);
    arcs_view view = arcs_view_of(&fit);
    for (int k = 0; k < EIS_COUNT; k++) row[width + k] = 0;  /* none of the five is asked for */
    arcs_coordinates(one->arcs, &view, row + width + EIS_COUNT);
}

void row_answers(eis_recipe recipe, const double p[EIS_WITH_RS], const fit_view *view, float *out) {
    for (int k = 0; k < EIS_COUNT; k++) out[k] = (float)grid_coordinate(k, p[k]);
    quantities_of(recipe, p, view, out + EIS_COUNT);
}

void pool_row(const sampler_settings *s, sample_split split, uint64_t number, int64_t width, float *row) {
    sample   one;
    bool     grid = s->recipe == EIS_RECIPE_GRID;
    fit_view view = { .sd = { 0 } };
    sample_draw(s, split, number, &one);
    if (s->recipe == EIS_RECIPE_CELL) {
        cell_row(&one, width, row);
        return;
    }
    features_of(s->recipe, one.count, one.freq_hz, one.z, grid ? one.noise : NAN, row, NULL);
    if (!grid) view = fit_view_of(row);
    row_answers(s->recipe, one.p, &view, row + width);
}

/* A block that is made ahead has a place beside those that are visited. */
static int64_t places(const pool *p) { return POOL_BLOCKS + (p->ahead != NULL); }

static float *place_of(const pool *p, int64_t number) { return p->row + number % places(p) * p->block * p->stride; }

typedef struct block { const pool *of; int64_t number, first; } block;  /* first: row of a share */

static void make_row(void *of, int64_t i, int thread) {
    const block *b = of;
    const pool  *p = b->of;
    float *first = place_of(p, b->number);
    (void)thread;
    pool_row(&p->settings, SPLIT_TRAIN, (uint64_t)(b->number * p->block + i), p->width, first + i * p->stride);
}

static void make_share_row(void *of, int64_t i, int thread) {
    const block *b = of;
    make_row(of, b->first + i, thread);
}

/* Rows of each rank go to all, by way of a place that holds as many of each. */
static tide_status make_together(const pool *p, int64_t number, tide_failure *failure) {
    int64_t share = ceil_div(p->block, ranks_count(p->ranks)), first = MIN2(p->block, ranks_rank(p->ranks) * share);
    int64_t mine  = MIN2(share, p->block - first);
    size_t  bytes = sizeof(float) * (size_t)(share * p->stride);
    float  *all = malloc(bytes * (size_t)ranks_count(p->ranks)), *own = calloc(1, bytes);
    tide_status status = ranks_meet(p->ranks, all && own ? TIDE_OK : no_memory(failure), NULL, failure);
    if (status == TIDE_OK) {
        parallel_for(p->threads, mine, 64, make_share_row, &(block){ p, number, first });
        memcpy(own, place_of(p, number) + first * p->stride, sizeof(float) * (size_t)(mine * p->stride));
        status = ranks_gather(p->ranks, own, bytes, all, failure);
    }
    if (status == TIDE_OK) memcpy(place_of(p, number), all, sizeof(float) * (size_t)(p->block * p->stride));
    free(all);
    free(own);
    return status;
}

static tide_status make_block(const pool *p, int64_t number, tide_failure *failure) {
    if (p->ahead) return ahead_make(p->ahead, (uint64_t)(number * p->block), place_of(p, number), failure);
    if (p->ranks) return make_together(p, number, failure);
    parallel_for(p->threads, p->block, 64, make_row, &(block){ p, number, 0 });
    return TIDE_OK;
}

/* Whether there is time for another block: by rank 0's clock. A failure, of any rank, shows at what comes next. */
static bool in_time(const pool *p, double until_s) {
    bool yes = os_seconds() < until_s, met = ranks_meet(p->ranks, TIDE_OK, NULL, NULL) == TIDE_OK;
    return met && ranks_tell(p->ranks, &yes, sizeof yes, NULL) == TIDE_OK && yes;
}

bool pool_lend(pool *p, maker *m) {
    float *row = realloc(p->row, (size_t)((POOL_BLOCKS + 1) * p->block * p->stride) * sizeof *row);
    if (row) p->row = row;
    p->ahead = row ? ahead_new(m, p->block, p->stride) : NULL;
    return p->ahead != NULL;
}

static bool scale_from_first(pool *p) {
    float *raw = malloc((size_t)(p->block * p->width) * sizeof *raw);
    if (!raw) return false;
    for (int64_t i = 0; i < p->block; i++)
        memcpy(raw + i * p->width, p->row + i * p->stride, (size_t)p->width * sizeof *raw);
    feature_scale_from(p->width, p->block, raw, &p->scale);
    free(raw);
    return true;
}

typedef struct order_draw { pool *of; uint32_t round; } order_draw;

static void draw_word(void *of, int64_t i, int thread) {
    const order_draw *d = of;
    (void)thread;
    d->of->order[i] = (int32_t)philox_word(d->of->settings.seed, d->round, SITE_ORDER, 0, (uint32_t)i);
}

/* Where a row of the last POOL_BLOCKS blocks is, of which block b has the rows of (b % POOL_BLOCKS). */
static int32_t row_place(const pool *p, int32_t row) {
    int64_t at = row / p->block, newest = p->made - 1, number = newest - (newest - at) % POOL_BLOCKS;
    return (int32_t)(number % places(p) * p->block + row % p->block);
}

/* The beginning of a shuffle of all rows that are there, again and again while they are fewer than the round's
 * visits. */
static bool draw_order(pool *p, int64_t round) {
    int64_t  blocks = MIN2(p->made - p->oldest, POOL_BLOCKS), rows = blocks * p->block;
    int64_t  first  = blocks < POOL_BLOCKS ? p->oldest % POOL_BLOCKS * p->block : 0;
    int32_t *all    = malloc((size_t)rows * sizeof *all);
    if (!all) return false;
    for (int64_t i = 0; i < rows; i++) all[i] = (int32_t)((first + i) % (POOL_BLOCKS * p->block));
    parallel_for(p->threads, p->round, 1024, draw_word, &(order_draw){ p, (uint32_t)round });
    for (int64_t i = 0; i < p->round; i++) {
        int64_t at = i % rows, other = at + (int64_t)((uint64_t)(uint32_t)p->order[i] * (uint64_t)(rows - at) >> 32);
        int32_t pick = all[other];
        all[other]   = all[at];
        all[at]      = pick;
        p->order[i]  = row_place(p, pick);
    }
    free(all);
    return true;
}

/* Block 0 gives the scale, whether it is visited or not. */
static tide_status begin(pool *p, int64_t last, double until_s, tide_failure *failure) {
    tide_status status = make_block(p, 0, failure);
    if (status == TIDE_OK && !scale_from_first(p)) status = no_memory(failure);
    if (status != TIDE_OK) return status;
    p->made = p->oldest = MAX2(last - POOL_BLOCKS, 0);  /* above 0: going on with a killed run */
    if (p->made == 0) p->made = 1;
    else status = make_block(p, p->made++, failure);
    for (; status == TIDE_OK && p->made < last && in_time(p, until_s); p->made++)
        status = make_block(p, p->made, failure);
    return status;
}

/* Where a beginning was cut short it stays behind, by a block a round as ever. */
tide_status pool_round(pool *p, int64_t number, double until_s, tide_failure *failure) {
    int64_t     last   = POOL_VISITS + number;  /* the first round visits each spectrum once */
    tide_status status = p->made > 0 ? TIDE_OK : begin(p, last, until_s, failure);
    if (status == TIDE_OK && p->made < last && in_time(p, until_s)) status = make_block(p, p->made++, failure);
    if (status == TIDE_OK && !draw_order(p, number)) status = no_memory(failure);
    if (status == TIDE_OK && p->ahead && p->made <= last && in_time(p, until_s))
        ahead_begin(p->ahead, (uint64_t)(p->made * p->block), place_of(p, p->made));
    return status;
}

/* ---- batches ---- */

bool batch_new(eis_recipe recipe, int64_t spectra, batch *b) {
    int64_t cases = spectra * recipe_masks(recipe), quantities = recipe_quantities(recipe);
    *b = (batch){ .spectra = spectra, .features = malloc((size_t)(spectra * features_width(recipe)) * sizeof(float)),
                  .known = malloc((size_t)(cases * recipe_known(recipe)) * sizeof(float)),
                  .weight = malloc((size_t)(cases * quantities) * sizeof(float)),
                  .label = malloc((size_t)(cases * quantities) * sizeof(int32_t)) };
    if (b->features && b->known && b->weight && b->label) return true;
    batch_free(b);
    return false;
}

batch batch_part(eis_recipe recipe, const batch *b, int64_t first, int64_t count) {
    int64_t cases = first * recipe_masks(recipe);
    return (batch){ .spectra = count, .features = b->features + first * features_width(recipe),
                    .known   = b->known + cases * recipe_known(recipe),
                    .weight  = b->weight + cases * recipe_quantities(recipe),
                    .label   = b->label + cases * recipe_quantities(recipe) };
}

void batch_free(batch *b) {
    free(b->features), free(b->known), free(b->weight), free(b->label);
    *b = (batch){ 0 };
}

unsigned mask_draw(uint64_t seed, sample_split split, uint64_t visit, int which) {
    uint32_t at = (uint32_t)(visit >> 32) << 8 | (uint32_t)split << 4 | (uint32_t)which, word[2];
    for (uint32_t i = 0; i < 2; i++) word[i] = philox_word(seed, SITE_MASK, at, (uint32_t)visit, i);
    unsigned missing = 1 + (unsigned)((uint64_t)word[0] * EIS_COUNT >> 32), mask = 0;
    uint64_t rest    = word[1];
    for (unsigned left = EIS_COUNT, k = 0; k < EIS_COUNT; k++, left--) { /* each is taken with (still to take) / (still
                                                                            to see) */
        uint64_t scaled = rest * left;
        rest            = scaled & 0xffffffffu;
        if ((unsigned)(scaled >> 32) < missing) mask |= 1u << k, missing--;
    }
    return mask;
}

static void fill_case(eis_recipe recipe, const feature_scale *scale, const float *row, unsigned missing, float *known,
                      float *weight, int32_t *label) {
    const float *u = row + scale->width, *coordinate = u + EIS_COUNT;
    float        given[EIS_COUNT];
    int64_t      quantities = recipe_quantities(recipe);
    int          parameters = recipe_kinds[recipe].parameters;
    const float  each = 1 / (float)__builtin_popcount(missing), derived = 0.2F;
    for (int k = 0; k < EIS_COUNT; k++) given[k] = missing >> k & 1 ? NAN : u[k];
    features_known(recipe, scale, row, given, known);
    for (int q = 0; q < quantities; q++) {
        label[q]  = quantity_bin(recipe, coordinate[q]);
        weight[q] = q >= parameters ? derived : missing >> q & 1 ? each : 0;
    }
}

typedef struct filling {
    eis_recipe recipe;
    const feature_scale *scale;
    const float *const *row;
    uint64_t seed, first_visit;
    sample_split split;
    batch *to;
} filling;

static void fill_spectrum(void *of, int64_t i, int thread) {
    const filling *f = of;
    int64_t quantities = recipe_quantities(f->recipe), masks = recipe_masks(f->recipe);
    (void)thread;
    features_scale(f->scale, f->row[i], f->to->features + i * f->scale->width);
    for (int m = 0; m < masks; m++) {
        int64_t at = i * masks + m;
        fill_case(f->recipe, f->scale, f->row[i], mask_draw(f->seed, f->split, f->first_visit + (uint64_t)i, m),
                  f->to->known + at * recipe_known(f->recipe),
                  f->to->weight + at * quantities, f->to->label + at * quantities);
    }
}

void batch_fill(eis_recipe recipe, const feature_scale *scale, const float *const *row, uint64_t seed,
                sample_split split, uint64_t first_visit, int threads,
                batch *b) {
    filling f = { recipe, scale, row, seed, first_visit, split, b };
    parallel_for(threads, b->spectra, 16, fill_spectrum, &f);
}
