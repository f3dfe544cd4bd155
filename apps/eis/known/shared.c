#include "shared.h"

#include <stdlib.h>

#include "base/base.h"

enum { ROW = SAMPLE_WIDTH * sizeof(float), USUAL_SHARES = 4, FEW = 64 };

static tide_status no_memory(tide_failure *f) { return fail(f, TIDE_ENOMEM, "out of memory for the samples of ranks"); }

tide_status known_targets(const known_samples *s, ranks *r, float **out, tide_failure *failure) {
    int64_t stretch = samples_stretch(s->count, ranks_count(r));
    float  *mine    = calloc((size_t)stretch + 1, sizeof *mine);
    *out            = malloc((size_t)(stretch * ranks_count(r) + 1) * sizeof **out);
    tide_status status = ranks_meet(r, mine && *out ? TIDE_OK : no_memory(failure), NULL, failure);
    for (int64_t i = 0; status == TIDE_OK && i < s->held; i++) mine[i] = s->row[i * SAMPLE_WIDTH + SAMPLE_TARGET];
    if (status == TIDE_OK) status = ranks_gather(r, mine, sizeof *mine * (size_t)stretch, *out, failure);
    free(mine);
    if (status != TIDE_OK) free(*out), *out = NULL;
    return status;
}

/* A shuffled batch has about as many samples of each rank; more go in further rounds. */
tide_status known_shared_new(ranks *r, const known_samples *own, int64_t batch, known_shared *out,
                             tide_failure *failure) {
    int64_t count = ranks_count(r), most = MIN2(batch, USUAL_SHARES * ceil_div(batch, count) + FEW);
    *out = (known_shared){ .ranks = r, .own = own, .batch = batch, .most = most, .mine = calloc((size_t)most, ROW),
                           .all = malloc((size_t)(most * count) * ROW),
                           .next = malloc((size_t)count * sizeof *out->next) };
    bool fine = out->mine && out->all && out->next;
    return ranks_meet(r, fine ? TIDE_OK : no_memory(failure), NULL, failure);
}

void known_shared_free(known_shared *s) {
    free(s->mine), free(s->all), free(s->next);
    *s = (known_shared){ 0 };
}

static float *row_of(float *rows, int64_t i) { return rows + i * SAMPLE_WIDTH; }

/* Of the samples that are each rank's those from number `round` * most on, in the order of the batch. */
static bool in_round(known_shared *s, int64_t owner, int64_t round, int64_t *at) {
    *at = s->next[owner]++ - round * s->most;
    return *at >= 0 && *at < s->most;
}

static void begin_round(known_shared *s) { memset(s->next, 0, (size_t)ranks_count(s->ranks) * sizeof *s->next); }

static tide_status exchange(known_shared *s, const int32_t *samples, int64_t count, int64_t round,
                            tide_failure *failure) {
    int64_t stretch = samples_stretch(s->own->count, ranks_count(s->ranks)), at;
    begin_round(s);
    for (int64_t i = 0; i < count; i++) {
        int64_t owner = samples[i] / stretch;
        if (in_round(s, owner, round, &at) && owner == ranks_rank(s->ranks))
            memcpy(row_of(s->mine, at), row_of(s->own->row, samples[i] - s->own->first), ROW);
    }
    return ranks_gather(s->ranks, s->mine, (size_t)s->most * ROW, s->all, failure);
}

static void place(known_shared *s, const int32_t *samples, int64_t count, int64_t round, float *rows) {
    int64_t stretch = samples_stretch(s->own->count, ranks_count(s->ranks)), at;
    begin_round(s);
    for (int64_t i = 0; i < count; i++) {
        int64_t owner = samples[i] / stretch;
        if (in_round(s, owner, round, &at)) memcpy(row_of(rows, i), row_of(s->all, owner * s->most + at), ROW);
    }
}

static int64_t most_of_a_rank(known_shared *s, const int32_t *samples, int64_t count) {
    int64_t stretch = samples_stretch(s->own->count, ranks_count(s->ranks)), most = 0;
    begin_round(s);
    for (int64_t i = 0; i < count; i++) most = MAX2(most, ++s->next[samples[i] / stretch]);
    return most;
}

tide_status known_shared_rows(known_shared *s, const int32_t *samples, int64_t count, float *rows,
                              tide_failure *failure) {
    int64_t     rounds = ceil_div(most_of_a_rank(s, samples, count), s->most);
    tide_status status = TIDE_OK;
    for (int64_t round = 0; status == TIDE_OK && round < rounds; round++) {
        status = exchange(s, samples, count, round, failure);
        if (status == TIDE_OK) place(s, samples, count, round, rows);
    }
    return status;
}
