/* Spectra in memory for training, in POOL_BLOCKS blocks: made by all cores, or by a device, from counters; the oldest
 * block makes room for the newest. Every round makes one block and visits as many rows as POOL_VISITS blocks hold,
 * drawn from all that are there; so a spectrum is visited about POOL_VISITS times, each time with new masks, before it
 * goes. An epoch visits as many spectra as the pool holds. */
#ifndef EIS_POOL_H
#define EIS_POOL_H

#include "quantities.h"
#include "eis/circuit/recipe.h"

struct maker;

enum { POOL_BLOCKS = 16, POOL_VISITS = 4, ROUNDS_AN_EPOCH = POOL_BLOCKS / POOL_VISITS };

/* A row: raw features, known_u (EIS_COUNT), coordinates of the quantities. */
typedef struct pool {
    sampler_settings settings;
    int      threads;
    int64_t  width, stride;   /* features; numbers a row */
    int64_t  block, round;    /* rows of a block, visits of a round */
    int64_t  oldest, made;    /* blocks from `oldest` to before `made`: the last POOL_BLOCKS of them are there */
    float   *row;
    int32_t *order;           /* [round] rows of the round */
    feature_scale scale;      /* from block 0 */
    struct ranks *ranks;      /* who makes them together, and has them all; NULL: this one alone */
    struct ahead *ahead;      /* a device makes the blocks (ahead.h); NULL: the threads do */
} pool;

/* `spectra` is rounded down to whole blocks; at least one a block. False: out of memory. */
bool pool_new(const sampler_settings *s, int64_t spectra, int threads, pool *out);
void pool_free(pool *p);
/* From now on a device makes the blocks, each while the round before it is visited; `maker` is borrowed. Before the
 * first round. False: out of memory. */
bool pool_lend(pool *p, struct maker *maker);
/* Makes the blocks that round `number` (from 0) needs and are not there, and draws its order. From os_seconds()
 * `until_s` on none is begun: it makes do with those that are there, one at least. Of ranks each makes its share of a
 * block's rows, unless a device makes them, and rank 0 says when it is late. */
tide_status pool_round(pool *p, int64_t number, double until_s, tide_failure *failure);

/* What follows the features in a row: places and coordinates of the circuit. `view` as in quantities_of. */
void row_answers(eis_recipe recipe, const double p[EIS_WITH_RS], const fit_view *view, float *out);
/* One row of any split, outside the pool. */
void pool_row(const sampler_settings *s, sample_split split, uint64_t number, int64_t width, float *row);

/* ---- batches ---- */

enum { MASKS = 4 };  /* most sets of known values a visit */

/* What the network is fed: features (n, width), known (n, masks, known), labels and weights (n, masks,
 * quantities), of recipe_kind. */
typedef struct batch { int64_t spectra; float *features, *known, *weight; int32_t *label; } batch;
bool batch_new(eis_recipe recipe, int64_t spectra, batch *out);
void batch_free(batch *b);
/* `count` of its spectra, from `first` on; what it points to stays the batch's. */
batch batch_part(eis_recipe recipe, const batch *b, int64_t first, int64_t count);
/* Row i of the batch from `row[i]`; its masks by the counter first_visit + i. */
void batch_fill(eis_recipe recipe, const feature_scale *scale, const float *const *row, uint64_t seed,
                sample_split split, uint64_t first_visit, int threads,
                batch *b);
/* Bit k: parameter k is missing. How many is uniform on 1..5, which ones uniform. */
unsigned mask_draw(uint64_t seed, sample_split split, uint64_t visit, int which);

#endif
