/* Several processes that train one model together, each on its share of every batch: who they are, what they tell each
 * other, and a sum that has the bits of one process's.
 *
 *   ranks *r;
 *   ranks_join(&r, &failure);                                   NULL: alone; every function takes that
 *   status = ranks_meet(r, status, &word, &failure);            did it go well everywhere?
 *   ranks_sum(r, &sum, &failure);                               then what each has, added up
 *   ranks_leave(r);
 *
 * All ranks call the same functions in the same order. A rank that fails says so at the next ranks_meet, in place of
 * what the others do there, and from then on all have that failure; so whatever can fail on one rank alone comes before
 * a ranks_meet. A rank of which nothing is heard for RANKS_SILENT_S (killed, stopped, cut off), a library that gives
 * up, and a round in which all wait and that does not end, end it for all the others in the same way. */
#ifndef TIDE_RANKS_H
#define TIDE_RANKS_H

#include "transport.h"

typedef struct ranks ranks;

#define RANKS_SILENT_S 4.0

/* Threads of this process, where this one is of a rank_group (threads.h); else those that mpirun or srun started, by
 * the MPI plug-in: TIDEMILL_MPI names its file, else it is looked for where the library was installed. TIDE_EDEVICE
 * where it is not there, or does not start. */
tide_status ranks_join(ranks **out, tide_failure *failure);
tide_status ranks_join_by(const rank_transport *t, ranks **out, tide_failure *failure);
void        ranks_leave(ranks *r);
int         ranks_rank(const ranks *r);    /* 0 alone */
int         ranks_count(const ranks *r);   /* 1 alone */
bool        ranks_sound(const ranks *r);   /* nothing has ended them */
static inline bool ranks_lead(const ranks *r) { return ranks_rank(r) == 0; }

/* What is agreed on beside the failure: `stop` if any says so, rank 0's `clock`; `place` is where in the work they
 * are, in the caller's count, and must be the same on all. */
typedef struct rank_word { bool stop; double clock; int64_t place; } rank_word;

/* TIDE_OK if it is that on all. Else the failure of the first that has one, by its rank where not all have the same
 * status; TIDE_EIO where their places differ. The same answer then at every later call of any function. word NULL:
 * nothing else. */
tide_status ranks_meet(ranks *r, tide_status mine, rank_word *word, tide_failure *failure);

/* bytes of each rank, in order, into `all`. */
tide_status ranks_gather(ranks *r, const void *mine, size_t bytes, void *all, tide_failure *failure);
/* What rank 0 has in `data`. */
tide_status ranks_tell(ranks *r, void *data, size_t bytes, tide_failure *failure);
/* Room for `here` parts of n floats, the same numbers on each rank, which all ask for together; it is the handle's,
 * until it is asked for again. TIDE_ENOMEM on all where one has none. Alone nothing is to be done. */
tide_status ranks_reserve(ranks *r, int64_t here, int64_t n, tide_failure *failure);
/* One of those parts, from 0 on. */
float      *ranks_part(ranks *r, int64_t part);
/* *sum becomes the sum over all parts of all ranks, added one after the other in the order of ranks and parts: ((p0 +
 * p1) + p2) + ... in float32, as one process would add them (tide_accumulator). Each rank adds the numbers of its own
 * stretch, so no rank sees all parts of all numbers. It is there until the next meeting, and the parts are not any
 * more. */
tide_status ranks_sum(ranks *r, const float **sum, tide_failure *failure);

/* `call` once, by any thread, when it is known that a rank was lost: for what waits for that rank elsewhere. NULL: no
 * more; it is not under way then. */
void        ranks_on_loss(ranks *r, void (*call)(void *user), void *user);
/* This rank's device failed, for which others may wait where no meeting is: they all hear of it. */
void        ranks_device_failed(ranks *r);

/* "4 ranks on 2 hosts by MPI"; "2 ranks: cuda:0, cuda:1" */
void        ranks_text(const ranks *r, char *line, size_t size);

/* Of this rank, since it joined. */
typedef struct ranks_account { int64_t meetings, sums; double waited_s, summed_s; int64_t bytes; } ranks_account;
ranks_account ranks_account_of(const ranks *r);

#endif
