/* The sum over ranks, in their order. On one host each rank writes its parts to memory that all see, adds the numbers
 * of its own stretch there, and all read the result. Else every rank gets one stretch of numbers from all
 * (all-to-all), adds them up, and gives the result to all (all-gather). A library's own all-reduce would add in an
 * order of its choice, and from three ranks on that has other bits. Long arrays go in buckets: while one is added,
 * the next is on its way. */
#include <stdlib.h>

#include "ranks_parts.h"

enum { STRETCH = 1 << 16 };  /* floats of a bucket that one rank adds, at most */
enum { GATHER_SLOT = RANK_ROUNDS - 1, HALVES = 2 };
enum { LINE = 16, STRIP = 1 << 12 };  /* floats of a cache line, which no two ranks write to; that stay in cache */

/* ---- room ---- */

void ranks_release(ranks *r) {
    if (!r->shared) free(r->parts);
    free(r->room);
    r->parts = r->room = r->shared = NULL;
    r->here = r->numbers = r->stride = 0;
}

float *ranks_part(ranks *r, int64_t part) { return r->parts + part * r->stride; }

static void take_shared(ranks *r) {
    size_t bytes = sizeof(float) * (size_t)((r->here * r->count + 1) * r->stride);
    void  *all   = r->transport->share ? r->transport->share(r->link, bytes) : NULL;
    r->shared    = all;
    if (all) r->parts = r->shared + r->rank * r->here * r->stride;
}

static bool take_own(ranks *r) {
    r->parts = calloc((size_t)(r->here * r->stride), sizeof *r->parts);
    r->room  = calloc((size_t)(HALVES * r->here * r->count) * STRETCH, sizeof *r->room);
    return r->parts && r->room;
}

/* The last bucket's stretches are of the same length, so they may go a little beyond n. */
tide_status ranks_reserve(ranks *r, int64_t here, int64_t n, tide_failure *failure) {
    if (!r || (r->here == here && r->numbers == n)) return TIDE_OK;
    tide_status status = ranks_meet(r, TIDE_OK, NULL, failure);
    if (status != TIDE_OK) return status;
    ranks_release(r);
    r->here = here, r->numbers = n, r->stride = round_up(n + r->count, LINE);
    take_shared(r);
    if (!r->shared && !take_own(r)) status = fail(failure, TIDE_ENOMEM, "out of memory for the sums of ranks");
    return ranks_meet(r, status, NULL, failure);
}

static void add(float *restrict to, const float *restrict more, int64_t n) {
    for (int64_t i = 0; i < n; i++) to[i] += more[i];
}

/* ---- in memory that all see ---- */

/* Of all parts from `at` on, `n` numbers: while they are in cache. */
static void add_strip(const ranks *r, float *sum, int64_t at, int64_t n) {
    memcpy(sum + at, r->shared + at, sizeof *sum * (size_t)n);
    for (int64_t part = 1; part < r->here * r->count; part++) add(sum + at, r->shared + part * r->stride + at, n);
}

static tide_status sum_shared(ranks *r, tide_failure *failure) {
    int64_t stretch = round_up(ceil_div(r->numbers, r->count), LINE);
    int64_t from = MIN2(r->numbers, r->rank * stretch), to = MIN2(r->numbers, from + stretch);
    float  *sum = r->shared + r->here * r->count * r->stride;
    atomic_thread_fence(memory_order_seq_cst); /* what the others wrote before they met */
    for (int64_t at = from; at < to; at += STRIP) add_strip(r, sum, at, MIN2(STRIP, to - at));
    atomic_thread_fence(memory_order_seq_cst);
    tide_status status = ranks_meet(r, TIDE_OK, NULL, failure);
    atomic_thread_fence(memory_order_seq_cst);
    return status;
}

/* ---- by messages ---- */

typedef struct bucket { int64_t at, stretch; } bucket;  /* where it begins; count stretches follow */

static int64_t buckets_of(const ranks *r) { return ceil_div(r->numbers, (int64_t)STRETCH * r->count); }

static bucket bucket_at(const ranks *r, int64_t number) {
    int64_t whole = (int64_t)STRETCH * r->count, at = number * whole;
    return (bucket){ at, MIN2(STRETCH, ceil_div(r->numbers - at, r->count)) };
}

/* Of `room`: two halves, each with the stretches of all ranks for every part. */
static float *received(const ranks *r, int64_t number, int64_t part) {
    return r->room + ((number % HALVES * r->here + part) * r->count) * STRETCH;
}

static tide_status send_part(ranks *r, int64_t number, int64_t part, tide_failure *failure) {
    bucket b             = bucket_at(r, number);
    char   why[RANK_WHY] = "";
    size_t bytes         = sizeof(float) * (size_t)b.stretch;
    int    slot          = (int)(number % HALVES);
    bool   fine = ranks_begun(r, slot, bytes,
                              r->transport->all_to_all(r->link, slot, ranks_part(r, part) + b.at,
                                                       received(r, number, part), bytes, why));
    r->account.bytes += (int64_t)sizeof(float) * b.stretch * (r->count - 1);
    return fine ? TIDE_OK : ranks_broken(r, why, failure);
}

/* A slot has one round at a time: of several parts all but the last are waited for. */
static tide_status send(ranks *r, int64_t number, tide_failure *failure) {
    tide_status status = send_part(r, number, 0, failure);
    for (int64_t part = 1; status == TIDE_OK && part < r->here; part++) {
        status = ranks_wait(r, (int)(number % HALVES), failure);
        if (status == TIDE_OK) status = send_part(r, number, part, failure);
    }
    return status;
}

/* This rank's stretch, into its own place in the first part. */
static tide_status add_stretch(ranks *r, int64_t number, tide_failure *failure) {
    bucket      b      = bucket_at(r, number);
    tide_status status = ranks_wait(r, (int)(number % HALVES), failure);
    float      *to     = r->parts + b.at + r->rank * b.stretch;
    for (int rank = 0; status == TIDE_OK && rank < r->count; rank++)
        for (int64_t part = 0; part < r->here; part++) {
            const float *from = received(r, number, part) + rank * b.stretch;
            if (rank == 0 && part == 0) memcpy(to, from, sizeof *to * (size_t)b.stretch);
            else add(to, from, b.stretch);
        }
    return status;
}

static tide_status give(ranks *r, int64_t number, tide_failure *failure) {
    bucket b             = bucket_at(r, number);
    char   why[RANK_WHY] = "";
    float *all           = r->parts + b.at;
    size_t bytes         = sizeof(float) * (size_t)b.stretch;
    bool   fine = ranks_begun(r, GATHER_SLOT, bytes,
                              r->transport->all_gather(r->link, GATHER_SLOT, all + r->rank * b.stretch, all, bytes,
                                                       why));
    r->account.bytes += (int64_t)sizeof(float) * b.stretch * (r->count - 1);
    return fine ? TIDE_OK : ranks_broken(r, why, failure);
}

static tide_status sum_by_messages(ranks *r, tide_failure *failure) {
    int64_t     count  = buckets_of(r);
    tide_status status = count ? send(r, 0, failure) : TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        if (i + 1 < count) status = send(r, i + 1, failure);
        if (status == TIDE_OK) status = add_stretch(r, i, failure);
        if (status == TIDE_OK && i) status = ranks_wait(r, GATHER_SLOT, failure);
        if (status == TIDE_OK) status = give(r, i, failure);
    }
    return status == TIDE_OK && count ? ranks_wait(r, GATHER_SLOT, failure) : status;
}

tide_status ranks_sum(ranks *r, const float **sum, tide_failure *failure) {
    *sum = r->shared ? r->shared + r->here * r->count * r->stride : r->parts;
    if (r->failure.status) return ranks_over(r, failure);
    double      began  = os_seconds();
    tide_status status = r->shared ? sum_shared(r, failure) : sum_by_messages(r, failure);
    r->account.sums++, r->account.summed_s += os_seconds() - began;
    return status;
}
