/* Ranks that are threads of one process: a transport for tests, stricter than MPI (a round that is not the same on all
 * is noted, with its sizes), which can be told what to do badly. */
#ifndef TEST_THREADS_TRANSPORT_H
#define TEST_THREADS_TRANSPORT_H

#include "ranks/transport.h"

enum { THREADS_MOST = 8 };

typedef struct threads_world threads_world;

threads_world *threads_world_new(int count);
void           threads_world_free(threads_world *w);

/* What a rank is to do badly; rounds are counted from 0, from when it opened; -1: never. */
typedef struct threads_fault {
    int64_t  fails_at;    /* this round is refused */
    int64_t  silent_at;   /* from this round on nothing leaves it or comes to it */
    int64_t  loses;       /* its part of this round, and of those after it, never arrives, though it is alive */
    int64_t  delay_us;    /* rounds and signs of life are late by anything up to this */
} threads_fault;
static const threads_fault threads_sound = { -1, -1, -1, 0 };
void threads_set_fault(threads_world *w, int rank, threads_fault fault);

/* Calls body(rank, user) on a thread for each rank, in which ranks_join_by(threads_transport_of(w), ...) is that rank;
 * ends when all have. */
void threads_run(threads_world *w, void (*body)(int rank, void *user), void *user);
/* With silence found after `silent_s`. */
const rank_transport *threads_transport_of(threads_world *w);
void                  threads_set_silent_s(threads_world *w, double silent_s);

/* As on one host: sums are made in memory that all see. */
void                  threads_set_shared(threads_world *w);

/* The first round that was not the same on all, or that somebody left half done, in words; "": none. */
const char *threads_mismatch(const threads_world *w);
/* Rounds that a rank began. */
int64_t     threads_rounds(const threads_world *w, int rank);

#endif
