/* Threads that compute, shared by the whole process: made when first wanted, asleep when idle, lent to one run at a
 * time. Whoever calls always computes itself; a run that gets no helpers runs alone. Which thread does what is never
 * the same twice, so results must not depend on it. Calls may come from any thread, from inside a body too. */
#ifndef TIDE_PARALLEL_H
#define TIDE_PARALLEL_H
#include "base.h"

/* A thread's part of a phase: items, taken as it gets to them. */
typedef struct parallel_share {
    int64_t  next, end;       /* of what is at hand */
    struct shared_run *job;     /* NULL: of a run without helpers */
    uint64_t sequence;
    int64_t  taken;           /* tickets */
    int32_t  phase;
} parallel_share;

/* The next item, ascending, of this phase; -1: the others have the rest. */
int64_t parallel_more(parallel_share *share);
static inline int64_t parallel_next(parallel_share *share) {
    return share->next < share->end ? share->next++ : parallel_more(share);
}

typedef struct parallel_phase {
    int64_t items;
    bool    brief;  /* over before a sleeping thread would be awake: nobody is woken for it */
} parallel_phase;

/* Work in phases: each begins when all items of the one before are done. `run` is called any number of times for a
 * phase, at the same time with different `thread` (0 to threads - 1; 0 is the caller), until all items are taken. */
typedef struct parallel_work {
    const parallel_phase *phases;
    int32_t n_phases;
    void  (*run)(void *user, int32_t phase, int thread, parallel_share *share);
    void   *user;
} parallel_work;

enum { PARALLEL_MOST = 1024 };

/* On at most `threads` threads, the calling one included; returns when everything is done. */
void parallel_run(int threads, const parallel_work *work);

/* body(user, i, thread) for each i from 0 to count - 1. A thread takes `block` of them at a time. */
void parallel_for(int threads, int64_t count, int64_t block, void (*body)(void *user, int64_t i, int thread),
                  void *user);

#endif
