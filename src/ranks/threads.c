/* A round is over for all at once: when each has come and shown where its bytes are, every rank copies what is for it,
 * and when the last has, those places may be used again. */
#include "threads.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "ranks_parts.h"

typedef enum round_kind { ALL_TO_ALL, ALL_GATHER, TELL } round_kind;

/* What one rank shows of a round. */
typedef struct offer { round_kind kind; const void *send; void *receive; size_t bytes; } offer;

typedef struct round_slot {
    offer   *of;             /* of each rank */
    int      come, copied;
    uint64_t over;           /* rounds that were, in this slot */
} round_slot;

struct rank_group {
    pthread_mutex_t lock;
    int             count;
    bool            ended;   /* somebody left, or never comes */
    round_slot      slots[RANK_ROUNDS];
    const char    (*names)[RANK_HOST];
    rank_sign      *signs;   /* of each, the last */
    void           *shared;
    size_t          shared_bytes;
};

struct rank_link {
    rank_group *group;
    int         rank;
    uint64_t    waits_for[RANK_ROUNDS];   /* the number of rounds in that slot once this rank's is over */
    bool        copied[RANK_ROUNDS];
};

/* ---- the group ---- */

static _Thread_local struct { rank_group *group; int rank; } entered;

rank_group *rank_group_new(const char (*names)[RANK_HOST], int count) {
    rank_group *g = calloc(1, sizeof *g);
    bool        fine = g != NULL;
    if (!g) return NULL;
    g->count = count, g->names = names;
    pthread_mutex_init(&g->lock, NULL);
    g->signs = calloc((size_t)count, sizeof *g->signs);
    for (int i = 0; g->signs && i < count; i++) g->signs[i].lost = -1;
    fine &= g->signs != NULL;
    for (int i = 0; i < RANK_ROUNDS; i++) fine &= (g->slots[i].of = calloc((size_t)count, sizeof(offer))) != NULL;
    if (fine) return g;
    rank_group_free(g);
    return NULL;
}

void rank_group_enter(rank_group *g, int rank) { entered.group = g, entered.rank = rank; }
bool rank_group_entered(void) { return entered.group != NULL; }

void rank_group_end(rank_group *g) {
    pthread_mutex_lock(&g->lock);
    g->ended = true;
    pthread_mutex_unlock(&g->lock);
}

void rank_group_free(rank_group *g) {
    if (!g) return;
    for (int i = 0; i < RANK_ROUNDS; i++) free(g->slots[i].of);
    pthread_mutex_destroy(&g->lock);
    free(g->signs);
    free(g->shared);
    free(g);
}

static bool open_link(rank_link **out, int *rank, int *count, char host[RANK_HOST], char why[RANK_WHY]) {
    rank_link *l = *out = calloc(1, sizeof *l);
    if (!l) return snprintf(why, RANK_WHY, "out of memory"), false;
    l->group = entered.group, l->rank = entered.rank;
    entered.group = NULL;
    *rank = l->rank, *count = l->group->count;
    snprintf(host, RANK_HOST, "%s", l->group->names[l->rank]);
    return true;
}

static void close_link(rank_link *l, bool orderly) {
    (void)orderly;
    rank_group_end(l->group);
    free(l);
}

/* Whoever asks for more than there is has met the others since they used it. */
static void *share(rank_link *l, size_t bytes) {
    rank_group *g = l->group;
    pthread_mutex_lock(&g->lock);
    if (bytes > g->shared_bytes) {
        free(g->shared);
        g->shared       = malloc(bytes);
        g->shared_bytes = g->shared ? bytes : 0;
    }
    void *all = g->shared;
    pthread_mutex_unlock(&g->lock);
    return all;
}

/* ---- rounds ---- */

static const char gone[] = "another rank has ended";

/* One that has ended may have freed what it showed: a round is then not completed by who comes late. */
static bool come(rank_link *l, int slot, offer mine, char why[RANK_WHY]) {
    rank_group *g = l->group;
    round_slot *s = &g->slots[slot];
    pthread_mutex_lock(&g->lock);
    bool fine = !g->ended;
    if (fine) {
        s->of[l->rank] = mine;
        s->come++;
        l->waits_for[slot] = s->over + 1, l->copied[slot] = false;
    }
    pthread_mutex_unlock(&g->lock);
    if (!fine) snprintf(why, RANK_WHY, "%s", gone);
    return fine;
}

static bool all_to_all(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    return come(l, slot, (offer){ ALL_TO_ALL, send, receive, bytes }, why);
}

/* One's own part may be there already. */
static bool all_gather(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]) {
    return come(l, slot, (offer){ ALL_GATHER, send, receive, bytes }, why);
}

static bool tell(rank_link *l, int slot, void *data, size_t bytes, char why[RANK_WHY]) {
    return come(l, slot, (offer){ TELL, data, data, bytes }, why);
}

static void copy(const rank_link *l, const round_slot *s) {
    const offer *mine = &s->of[l->rank];
    size_t       n    = mine->bytes;
    if (mine->kind == TELL) {
        if (l->rank) memcpy(mine->receive, s->of[0].send, n);
        return;
    }
    for (int i = 0; i < l->group->count; i++) {
        const char *from = s->of[i].send;
        char       *to   = (char *)mine->receive + (size_t)i * n;
        if (mine->kind == ALL_TO_ALL) from += (size_t)l->rank * n;
        if (to != from) memcpy(to, from, n);
    }
}

/* All ranks are in the same round: they call the same functions in the same order. */
static bool alike(const rank_group *g, const round_slot *s) {
    for (int i = 1; i < g->count; i++)
        if (s->of[i].kind != s->of[0].kind || s->of[i].bytes != s->of[0].bytes) return false;
    return true;
}

static bool test(rank_link *l, int slot, bool *done, char why[RANK_WHY]) {
    rank_group *g = l->group;
    round_slot *s = &g->slots[slot];
    pthread_mutex_lock(&g->lock);
    *done = s->over >= l->waits_for[slot];
    bool all  = s->come == g->count, now = !*done && all && !l->copied[slot];
    bool fine = *done || (all ? alike(g, s) : !g->ended);
    pthread_mutex_unlock(&g->lock);
    if (!fine) return snprintf(why, RANK_WHY, "%s", all ? "ranks are in different rounds" : gone), false;
    if (!now) return true;
    copy(l, s);
    l->copied[slot] = true;
    pthread_mutex_lock(&g->lock);
    if (++s->copied == g->count) s->come = s->copied = 0, s->over++;
    *done = s->over >= l->waits_for[slot];
    pthread_mutex_unlock(&g->lock);
    return true;
}

/* A thread is not lost without its process, and rounds tell of those that left; but what one says of its device the
 * others must hear. */
static bool beat(rank_link *l, const rank_sign *sign, bool *heard, rank_sign *signs, char why[RANK_WHY]) {
    rank_group *g = l->group;
    (void)why;
    pthread_mutex_lock(&g->lock);
    if (sign->lost >= 0 && rank_fate_of((int)sign->lost) == RANK_DEVICE) g->signs[l->rank].lost = sign->lost;
    memcpy(signs, g->signs, (size_t)g->count * sizeof *signs);
    pthread_mutex_unlock(&g->lock);
    memset(heard, 1, (size_t)g->count * sizeof *heard);
    return true;
}

const rank_transport rank_threads = { .version = RANK_TRANSPORT_VERSION, .name = "threads", .open = open_link,
                                      .all_to_all = all_to_all, .all_gather = all_gather,
                                      .tell = tell, .test = test, .share = share, .beat = beat, .close = close_link };

const char *ranks_name(const ranks *r) {
    return r && r->transport == &rank_threads ? r->hosts + (size_t)r->rank * RANK_HOST : NULL;
}
