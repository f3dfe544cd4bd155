/* Which of several processes that work together this one is: told by what started them (mpirun, srun), in the
 * environment. Nothing is connected, and no library is needed, to ask. */
#ifndef TIDE_RANKS_PLACE_H
#define TIDE_RANKS_PLACE_H

typedef struct rank_place {
    int         rank, count;   /* 0 <= rank < count; alone: 0 of 1 */
    const char *starter;       /* "mpirun", "srun"; NULL: alone */
} rank_place;

/* An environment that contradicts itself (rank 4 of 4) counts as alone. */
rank_place rank_place_here(void);

#endif
