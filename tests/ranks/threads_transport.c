/* Rounds are carried out by whoever comes last, under one lock. */
#include "threads_transport.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

enum { RING = 16 };  /* rounds that may be known at a time: no rank is further ahead of another than RANK_ROUNDS */

typedef enum kind { ALL_TO_ALL, ALL_GATHER, TELL } kind;
static const char *const kind_names[] = { "all-to-all", "all-gather", "tell" };

typedef struct post { kind kind; size_t bytes; const void *send; void *receive; } post;
typedef struct round { int64_t number; int posted; bool done; post of[THREADS_MOST]; } round;

struct rank_link {
    threads_world *world;
    int            rank;
    int64_t        begun, in_slot[RANK_ROUNDS];
    double         ready_at[RANK_ROUNDS], beat_at;
    uint32_t       chance;
};

struct threads_world {
    int             count, closing;
    pthread_mutex_t lock;
    pthread_cond_t  closed;
    rank_transport  transport;
    round           rounds[RING];
    threads_fault   faults[THREADS_MOST];
    bool            silent[THREADS_MOST];
    int64_t         begun[THREADS_MOST];
    int             letters[THREADS_MOST][THREADS_MOST];  /* signs of life: from, to */
    rank_sign       signs[THREADS_MOST][THREADS_MOST];
    char            mismatch[200];
    void           *shared;
    size_t          shared_bytes;
};

static _Thread_local struct { threads_world *world; int rank; } here;

/* ---- rounds ---- */

static void carry_out(const threads_world *w, round *r) {
    for (int to = 0; to < w->count; to++)
        for (int from = 0; from < w->count; from++) {
            size_t      bytes = r->of[to].bytes;
            const char *send  = r->of[from].send;
            char       *into  = r->of[to].receive;
            if (r->of[to].kind == ALL_TO_ALL) memcpy(into + bytes * (size_t)from, send + bytes * (size_t)to, bytes);
            if (r->of[to].kind == ALL_GATHER) memmove(into + bytes * (size_t)from, send, bytes);
            if (r->of[to].kind == TELL && from == 0 && to != 0) memcpy(into, send, bytes);
        }
    r->done = true;
}

static void note_difference(threads_world *w, const round *r, int rank, const post *mine) {
    for (int other = 0; other < w->count && !*w->mismatch; other++) {
        const post *p = &r->of[other];
        if (p->send && (p->kind != mine->kind || p->bytes != mine->bytes))
            snprintf(w->mismatch, sizeof w->mismatch,
                     "round %" PRId64 ": rank %d begins %s of %zu bytes, rank %d %s of %zu", r->number, rank,
                     kind_names[mine->kind], mine->bytes, other, kind_names[p->kind], p->bytes);
    }
}

static double chance(rank_link *l) {
    l->chance = l->chance * 1664525u + 1013904223u;
    return (double)(l->chance >> 8) / (1 << 24);
}

static bool begin(rank_link *l, int slot, post mine, char why[RANK_WHY]) {
    threads_world *w = l->world;
    pthread_mutex_lock(&w->lock);
    int64_t              number = l->begun++;
    round               *r      = &w->rounds[number % RING];
    const threads_fault *fault  = &w->faults[l->rank];
    bool                 fails  = number == fault->fails_at;
    w->begun[l->rank]           = l->begun;
    bool lost = fault->loses >= 0 && number >= fault->loses;
    w->silent[l->rank] |= fault->silent_at >= 0 && number >= fault->silent_at;
    l->in_slot[slot]  = number;
    l->ready_at[slot] = os_seconds() + 1e-6 * (double)fault->delay_us * chance(l);
    if (fails) snprintf(why, RANK_WHY, "the line was cut");
    else if (!w->silent[l->rank]) {
        if (r->number != number) *r = (round){ .number = number };
        note_difference(w, r, l->rank, &mine);
        r->of[l->rank] = mine;
        r->posted += !lost;
        if (r->posted == w->count && !*w->mismatch) carry_out(w, r);
    }
    pthread_mutex_unlock(&w->lock);
    return !fails;
}

static bool all_to_all(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    return begin(l, slot, (post){ ALL_TO_ALL, bytes, send, receive }, why);
}

static bool all_gather(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    return begin(l, slot, (post){ ALL_GATHER, bytes, send, receive }, why);
}

static bool tell(rank_link *l, int slot, void *data, size_t bytes, char why[RANK_WHY]) {
    return begin(l, slot, (post){ TELL, bytes, data, data }, why);
}

/* Ranks whose rounds differ would wait for ever, or take each other's numbers for something else: here that ends. */
static bool test(rank_link *l, int slot, bool *done, char why[RANK_WHY]) {
    threads_world *w = l->world;
    pthread_mutex_lock(&w->lock);
    const round *r     = &w->rounds[l->in_slot[slot] % RING];
    bool         sound = !*w->mismatch;
    *done = r->number > l->in_slot[slot] || (r->number == l->in_slot[slot] && r->done);
    *done = *done && !w->silent[l->rank] && os_seconds() >= l->ready_at[slot];
    if (!sound) snprintf(why, RANK_WHY, "%s", w->mismatch);
    pthread_mutex_unlock(&w->lock);
    return sound;
}

/* ---- signs of life ---- */

static bool beat(rank_link *l, const rank_sign *sign, bool *heard, rank_sign *signs, char why[RANK_WHY]) {
    threads_world *w = l->world;
    (void)why;
    pthread_mutex_lock(&w->lock);
    bool late = os_seconds() < l->beat_at;
    for (int peer = 0; peer < w->count && !w->silent[l->rank] && !late; peer++) {
        if (peer == l->rank || (peer && l->rank)) continue;
        w->letters[l->rank][peer]++;
        w->signs[l->rank][peer] = *sign;
        heard[peer] = w->letters[peer][l->rank] > 0;
        if (heard[peer]) signs[peer] = w->signs[peer][l->rank];
        w->letters[peer][l->rank] = 0;
    }
    if (!late) l->beat_at = os_seconds() + 1e-6 * (double)w->faults[l->rank].delay_us * chance(l);
    pthread_mutex_unlock(&w->lock);
    return true;
}

/* ---- opening and closing ---- */

static bool open_link(rank_link **out, int *rank, int *count, char host[RANK_HOST], char why[RANK_WHY]) {
    rank_link *l = *out = calloc(1, sizeof *l);
    if (!l) return snprintf(why, RANK_WHY, "out of memory"), false;
    *l = (rank_link){ .world = here.world, .rank = here.rank, .chance = (uint32_t)here.rank + 1 };
    *rank = l->rank, *count = l->world->count;
    snprintf(host, RANK_HOST, "host%d", l->rank % 2);
    return true;
}

/* An orderly end is one of all: whoever waits for the others alone has been left. */
static void close_link(rank_link *l, bool orderly) {
    threads_world  *w = l->world;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&w->lock);
    if (orderly && ++w->closing == w->count) pthread_cond_broadcast(&w->closed);
    while (orderly && w->closing < w->count && pthread_cond_timedwait(&w->closed, &w->lock, &until) == 0) {}
    if (orderly && w->closing < w->count && !*w->mismatch)
        snprintf(w->mismatch, sizeof w->mismatch, "rank %d ends in order, others do not", l->rank);
    pthread_mutex_unlock(&w->lock);
    free(l);
}

/* ---- the world ---- */

threads_world *threads_world_new(int count) {
    threads_world *w = calloc(1, sizeof *w);
    w->count         = count;
    w->transport     = (rank_transport){ RANK_TRANSPORT_VERSION, "threads", 0, open_link, all_to_all, all_gather, tell,
                                         test, NULL, beat, close_link };
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->closed, NULL);
    for (int i = 0; i < RING; i++) w->rounds[i].number = -1;
    for (int i = 0; i < THREADS_MOST; i++) w->faults[i] = threads_sound;
    return w;
}

void threads_world_free(threads_world *w) {
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->closed);
    free(w->shared);
    free(w);
}

void threads_set_fault(threads_world *w, int rank, threads_fault fault) {
    pthread_mutex_lock(&w->lock);
    w->faults[rank] = fault;
    pthread_mutex_unlock(&w->lock);
}

void threads_set_silent_s(threads_world *w, double silent_s) { w->transport.silent_s = silent_s; }

/* Who asks for more than there is has met the others since they used it. */
static void *share(rank_link *l, size_t bytes) {
    threads_world *w = l->world;
    pthread_mutex_lock(&w->lock);
    if (bytes > w->shared_bytes) {
        free(w->shared);
        w->shared = malloc(w->shared_bytes = bytes);
    }
    void *all = w->shared;
    pthread_mutex_unlock(&w->lock);
    return all;
}

void threads_set_shared(threads_world *w) { w->transport.share = share; }

const rank_transport *threads_transport_of(threads_world *w) { return &w->transport; }
const char           *threads_mismatch(const threads_world *w) { return w->mismatch; }
int64_t               threads_rounds(const threads_world *w, int rank) { return w->begun[rank]; }

typedef struct start { threads_world *world; int rank; void (*body)(int, void *); void *user; } start;

static void *be_a_rank(void *of) {
    start *s   = of;
    here.world = s->world, here.rank = s->rank;
    s->body(s->rank, s->user);
    return NULL;
}

void threads_run(threads_world *w, void (*body)(int rank, void *user), void *user) {
    pthread_t threads[THREADS_MOST];
    start     starts[THREADS_MOST];
    for (int i = 0; i < w->count; i++) {
        starts[i] = (start){ w, i, body, user };
        if (pthread_create(&threads[i], NULL, be_a_rank, &starts[i]) != 0) abort();
    }
    for (int i = 0; i < w->count; i++) pthread_join(threads[i], NULL);
}
