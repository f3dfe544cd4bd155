#include "place.h"

#include <errno.h>
#include <stdlib.h>

/* Each starter's two variables, the nearest first: mpirun inside a Slurm job is mpirun's. A Slurm job's own shell has
 * SLURM_NTASKS too, though it is one process: only a step's number counts. */
static const struct { const char *rank, *count, *starter; } starters[] = {
    { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "mpirun" },  /* Open MPI */
    { "PMI_RANK", "PMI_SIZE", "mpirun" },                          /* MPICH, Intel MPI; srun --mpi=pmi2 */
    { "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "srun" },            /* srun --mpi=pmix */
};
enum { STARTERS = sizeof starters / sizeof *starters, MOST_RANKS = 1 << 20 };

/* A whole number from the environment; -1: none. */
static int whole(const char *name) {
    const char *text = getenv(name);
    char       *end;
    errno = 0;
    if (!text || *text < '0' || *text > '9') return -1;
    long value = strtol(text, &end, 10);
    return errno || *end || value > MOST_RANKS ? -1 : (int)value;
}

rank_place rank_place_here(void) {
    for (int i = 0; i < STARTERS; i++) {
        int rank = whole(starters[i].rank), count = whole(starters[i].count);
        if (count > 1 && rank >= 0 && rank < count) return (rank_place){ rank, count, starters[i].starter };
        if (count == 1) break;
    }
    return (rank_place){ 0, 1, NULL };
}
