/* What a run learns from: which ground truths are held out, the pools, the samples drawn from them, their scale. */
#include "task.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/circuit/rng.h"
#include "shared.h"

static const double HELD_OUT = 0.15;
enum { STREAM_TRAIN, STREAM_TRUTH, STREAM_ROW, STREAM_SPLIT = 900 };

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the samples"); }

/* The first of a shuffled list. */
static tide_status hold_out(const eis_options *o, known_task *t, tide_failure *f) {
    int64_t  n     = t->data.truths;
    int64_t *order = malloc((size_t)n * sizeof *order + 1);
    rng      r     = { .seed = (uint64_t)o->seed, .stream = STREAM_SPLIT };
    t->held = calloc((size_t)n + 1, sizeof *t->held);
    t->held_count = o->split == EIS_SPLIT_ROW ? 0 : MAX2(1, (int64_t)llround(HELD_OUT * (double)n));
    if (order && t->held) {
        for (int64_t i = 0; i < n; i++) order[i] = i;
        for (int64_t i = 0; i < t->held_count; i++) {
            int64_t j = i + (int64_t)(rng_unit(&r) * (double)(n - i)), chosen = order[j];
            order[j] = order[i];
            t->held[chosen] = true;
        }
    }
    tide_status status = order && t->held ? TIDE_OK : no_memory(f);
    free(order);
    return status;
}

static tide_status make_pools(const eis_options *o, known_task *t, tide_failure *f) {
    tide_status status = known_pool_parse(o->pool, &t->best, f);
    if (status == TIDE_OK && t->data.truths < 2 && o->split == EIS_SPLIT_TRUTH)
        status = fail_at(f, TIDE_EINVAL, NULL, 0, "split",
                         "with one ground truth none can be held out: give `split` row, or generate more");
    if (status == TIDE_OK) status = hold_out(o, t, f);
    if (status != TIDE_OK) return status;
    if (t->best && !(t->kept = known_best_rows(&t->data, t->best))) return no_memory(f);
    bool fine = known_pool_new(&t->data, NULL, true, t->best, t->kept, &t->pool) &&
                known_pool_new(&t->data, t->held, false, t->best, t->kept, &t->learned) &&
                known_pool_new(&t->data, t->held, true, t->best, t->kept, &t->unseen);
    return fine ? TIDE_OK : no_memory(f);
}

/* Those that judge are rank 0's. */
static bool draw_judges(const eis_options *o, int64_t apart, known_task *t) {
    eis_masks masks = (eis_masks)o->masks;
    uint64_t  seed  = (uint64_t)o->seed;
    bool fine = known_samples_draw(&t->learned, masks, apart, seed, STREAM_ROW, ALL_SAMPLES, &t->by_row);
    if (!fine || !t->held_count) return fine;
    return known_samples_draw(&t->unseen, masks, apart, seed, STREAM_TRUTH, ALL_SAMPLES, &t->by_truth);
}

static tide_status find_scale(const eis_options *o, ranks *r, known_task *t, tide_failure *f) {
    float      *targets;
    tide_status status = known_targets(&t->train, r, &targets, f);
    if (status == TIDE_OK) t->scale = known_scale_of(targets, t->train.count, o->compat == EIS_COMPAT_MLX);
    free(targets);
    return status;
}

static tide_status draw(const eis_options *o, ranks *r, known_task *t, tide_failure *f) {
    sample_share share = { ranks_rank(r), ranks_count(r) };
    int64_t each = MIN2(o->samples_per_pattern, t->data.rows),
            apart = MAX2(1, (int64_t)llround(HELD_OUT * (double)each));
    if (each < 2 || (double)each * KNOWN_PATTERNS_MOST > 2e9)
        return fail_at(f, TIDE_EINVAL, NULL, 0, "samples-per-pattern",
                       "`samples-per-pattern` is from 2 to 60000000, and no more than the data's %" PRId64
                       " rows are drawn",
                       t->data.rows);
    bool fine = known_samples_draw(&t->learned, (eis_masks)o->masks, each - apart, (uint64_t)o->seed, STREAM_TRAIN,
                                   share, &t->train);
    if (fine && ranks_lead(r)) fine = draw_judges(o, apart, t);
    if (!fine) return no_memory(f);
    tide_status status = find_scale(o, r, t, f);
    if (status != TIDE_OK) return status;
    known_samples_scale(&t->train, &t->scale);
    known_samples_scale(&t->by_row, &t->scale);
    known_samples_scale(&t->by_truth, &t->scale);
    return TIDE_OK;
}

tide_status known_task_open(const eis_options *o, ranks *r, known_task *t, tide_failure *f) {
    *t = (known_task){ 0 };
    tide_status status = known_data_open(o, &t->data, &t->from_csv, f);
    if (status == TIDE_OK) status = make_pools(o, t, f);
    if (status == TIDE_OK) status = draw(o, r, t, f);
    if (status == TIDE_OK && ranks_lead(r) && !known_ceiling(&t->pool, (eis_masks)o->masks, &t->ceiling))
        status = no_memory(f);
    if (status != TIDE_OK) known_task_close(t);
    return status;
}

void known_task_close(known_task *t) {
    known_pool_free(&t->pool), known_pool_free(&t->learned), known_pool_free(&t->unseen);
    known_samples_free(&t->train), known_samples_free(&t->by_truth), known_samples_free(&t->by_row);
    free(t->held);
    free(t->kept);
    known_data_free(&t->data);
    *t = (known_task){ 0 };
}

const known_samples *known_task_validation(const known_task *t) {
    return t->by_truth.count ? &t->by_truth : &t->by_row;
}
