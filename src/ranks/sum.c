/* The sum over ranks, in their order: every rank gets one stretch of numbers from all (all-to-all), adds them up, and
 * gives the result to all (all-gather). A library's own all-reduce would add them in an order of its choice, and from
 * three ranks on that has other bits. Long arrays go in buckets: while one is added, the next is on its way. */
#include <stdlib.h>

#include "ranks_parts.h"

enum { STRETCH = 1 << 16 };  /* floats of a bucket that one rank adds, at most */

typedef struct bucket { int64_t at, stretch; } bucket;  /* where it begins; count stretches follow */

static int64_t buckets_of(int count, int64_t n) { return ceil_div(n, (int64_t)STRETCH * count); }

static bucket bucket_at(int count, int64_t n, int64_t number) {
    int64_t whole = (int64_t)STRETCH * count, at = number * whole;
    return (bucket){ at, MIN2(STRETCH, ceil_div(n - at, count)) };
}

static void add(float *restrict to, const float *restrict more, int64_t n) {
    for (int64_t i = 0; i < n; i++) to[i] += more[i];
}

typedef struct summing { ranks *r; int64_t here, n; } summing;

enum { GATHER_SLOT = RANK_ROUNDS - 1, HALVES = 2 };

/* Of `room`: two halves, each with the stretches of all ranks for every part. */
static float *received(const summing *s, int64_t number, int64_t part) {
    return s->r->room + ((number % HALVES * s->here + part) * s->r->count) * STRETCH;
}

static float *part_of(const summing *s, int64_t part) { return s->r->parts + part * ranks_stride(s->r, s->n); }

/* What was there is not kept. */
static bool make_room(float **room, size_t *have, size_t floats) {
    if (*have >= floats * sizeof **room) return true;
    free(*room);
    *room = calloc(floats, sizeof **room);
    *have = *room ? floats * sizeof **room : 0;
    return *room != NULL;
}

/* The last bucket's stretches are of the same length, so they may go a little beyond n. */
int64_t ranks_stride(const ranks *r, int64_t n) { return n + r->count; }

float *ranks_room(ranks *r, int64_t here, int64_t n) {
    bool fine = make_room(&r->parts, &r->parts_bytes, (size_t)(here * ranks_stride(r, n))) &&
                make_room(&r->room, &r->room_bytes, (size_t)(HALVES * here * r->count) * STRETCH);
    return fine ? r->parts : NULL;
}

static tide_status send_part(const summing *s, int64_t number, int64_t part, tide_failure *failure) {
    bucket b             = bucket_at(s->r->count, s->n, number);
    char   why[RANK_WHY] = "";
    bool   fine = s->r->transport->all_to_all(s->r->link, (int)(number % HALVES), part_of(s, part) + b.at,
                                              received(s, number, part), sizeof(float) * (size_t)b.stretch, why);
    s->r->account.bytes += (int64_t)sizeof(float) * b.stretch * (s->r->count - 1);
    return fine ? TIDE_OK : ranks_broken(s->r, why, failure);
}

/* A slot has one round at a time: of several parts all but the last are waited for. */
static tide_status send(const summing *s, int64_t number, tide_failure *failure) {
    tide_status status = send_part(s, number, 0, failure);
    for (int64_t part = 1; status == TIDE_OK && part < s->here; part++) {
        status = ranks_wait(s->r, (int)(number % HALVES), failure);
        if (status == TIDE_OK) status = send_part(s, number, part, failure);
    }
    return status;
}

/* This rank's stretch: added up in the order of ranks, and of each rank's parts, into its own place. */
static tide_status add_stretch(const summing *s, int64_t number, tide_failure *failure) {
    bucket      b      = bucket_at(s->r->count, s->n, number);
    tide_status status = ranks_wait(s->r, (int)(number % HALVES), failure);
    float      *to     = s->r->parts + b.at + s->r->rank * b.stretch;
    for (int rank = 0; status == TIDE_OK && rank < s->r->count; rank++)
        for (int64_t part = 0; part < s->here; part++) {
            const float *from = received(s, number, part) + rank * b.stretch;
            if (rank == 0 && part == 0) memcpy(to, from, sizeof *to * (size_t)b.stretch);
            else add(to, from, b.stretch);
        }
    return status;
}

static tide_status give(const summing *s, int64_t number, tide_failure *failure) {
    bucket b             = bucket_at(s->r->count, s->n, number);
    char   why[RANK_WHY] = "";
    float *all           = s->r->parts + b.at;
    bool   fine = s->r->transport->all_gather(s->r->link, GATHER_SLOT, all + s->r->rank * b.stretch, all,
                                              sizeof(float) * (size_t)b.stretch, why);
    s->r->account.bytes += (int64_t)sizeof(float) * b.stretch * (s->r->count - 1);
    return fine ? TIDE_OK : ranks_broken(s->r, why, failure);
}

static tide_status sum_all(const summing *s, tide_failure *failure) {
    int64_t     count  = buckets_of(s->r->count, s->n);
    tide_status status = count ? send(s, 0, failure) : TIDE_OK;
    for (int64_t i = 0; status == TIDE_OK && i < count; i++) {
        if (i + 1 < count) status = send(s, i + 1, failure);
        if (status == TIDE_OK) status = add_stretch(s, i, failure);
        if (status == TIDE_OK && i) status = ranks_wait(s->r, GATHER_SLOT, failure);
        if (status == TIDE_OK) status = give(s, i, failure);
    }
    return status == TIDE_OK && count ? ranks_wait(s->r, GATHER_SLOT, failure) : status;
}

tide_status ranks_sum(ranks *r, int64_t here, int64_t n, tide_failure *failure) {
    if (r->failure.status) return ranks_over(r, failure);
    double      began  = os_seconds();
    tide_status status = sum_all(&(summing){ r, here, n }, failure);
    r->account.sums++, r->account.summed_s += os_seconds() - began;
    return status;
}
