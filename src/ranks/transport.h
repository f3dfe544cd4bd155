/* What carries messages between ranks: a table that a plug-in brings (mpi.c, which is a library of its own, so that
 * nothing here needs MPI). Whole rounds, in which every rank takes part, in the same order on all. */
#ifndef TIDE_RANKS_TRANSPORT_H
#define TIDE_RANKS_TRANSPORT_H

#include <tidemill/core.h>

enum {
    RANK_TRANSPORT_VERSION = 2,
    RANK_ROUNDS = 4,            /* under way at a time, each in a slot of its own: 0 to RANK_ROUNDS - 1 */
    RANK_MOST_BYTES = 1 << 28,  /* of a round's part, at most */
    RANK_WHY = 256,
    RANK_HOST = 64
};

typedef struct rank_link rank_link;  /* the plug-in's own */

/* A sign of life. lost: who, and how, -1: nobody; reached: the round that is waited for (ranks_parts.h). */
typedef struct rank_sign { int64_t lost, reached; } rank_sign;

/* false, and `why`, which may have been filled with one line: it failed, and nothing further is to be asked. Rounds
 * are begun and asked for by one thread, beats by another at the same time. */
typedef struct rank_transport {
    int         version;
    const char *name;   /* "MPI" */
    double      silent_s;  /* a rank of which nothing was heard for so long is lost; 0: RANKS_SILENT_S */
    bool (*open)(rank_link **out, int *rank, int *count, char host[RANK_HOST], char why[RANK_WHY]);
    /* `bytes` from each rank to each: of `send` the part for every rank, of `receive` the part from every rank, one
     * behind the other. */
    bool (*all_to_all)(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]);
    /* `bytes` of each rank to all, one behind the other; `send` may be this rank's part of `receive`. */
    bool (*all_gather)(rank_link *l, int slot, const void *send, void *receive, size_t bytes, char why[RANK_WHY]);
    /* What rank 0 has, to all. */
    bool (*tell)(rank_link *l, int slot, void *data, size_t bytes, char why[RANK_WHY]);
    bool (*test)(rank_link *l, int slot, bool *done, char why[RANK_WHY]);
    /* Memory that all ranks see, `bytes` of it, until it is asked for again or the link is closed. All ask together.
     * NULL: they are not on one host, or there is none. The entry itself may be NULL. */
    void *(*share)(rank_link *l, size_t bytes);
    /* Sends a sign of life, rank 0 to all, the others to rank 0; sets `heard` for those of whom one has come since the
     * last call, and of these the last that came. NULL: this library cannot do so beside rounds. */
    bool (*beat)(rank_link *l, const rank_sign *sign, bool *heard, rank_sign *signs, char why[RANK_WHY]);
    /* Not `orderly`: others may be gone, and nobody is waited for. */
    void (*close)(rank_link *l, bool orderly);
} rank_transport;

/* The one name that a plug-in shows. */
#define RANK_TRANSPORT_SYMBOL "tide_rank_transport"

#endif
