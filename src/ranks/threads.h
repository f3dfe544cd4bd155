/* Ranks that are threads of one process, one for each of several devices: rounds are copies in memory.
 *
 *   rank_group *g = rank_group_new(names, 2);
 *   rank_group_enter(g, 1);                     in each rank's thread, with its number
 *   ranks_join(&r, &failure);                   the thread's next joins these, whatever started the process */
#ifndef TIDE_RANKS_THREADS_H
#define TIDE_RANKS_THREADS_H

#include "ranks.h"

typedef struct rank_group rank_group;

/* `names` are kept, one for each rank, as hosts have one: "cuda:0". NULL: out of memory. */
rank_group *rank_group_new(const char (*names)[RANK_HOST], int count);
void        rank_group_enter(rank_group *g, int rank);
bool        rank_group_entered(void);        /* by this thread, which has not joined yet */
/* No more ranks come: who waits for one that is not there fails, now and later. */
void        rank_group_end(rank_group *g);
/* All ranks have left. */
void        rank_group_free(rank_group *g);

extern const rank_transport rank_threads;
/* The name of this rank among those of a group, "cuda:1"; NULL: it is of another kind, or alone. */
const char *ranks_name(const ranks *r);

#endif
