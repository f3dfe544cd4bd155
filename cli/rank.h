/* One of several processes that mpirun or srun started (rank.c). */
#ifndef CLI_RANK_H
#define CLI_RANK_H

#include "cli.h"

/* First of all: what is wrong with the words is told by number 0. */
void rank_hush(void);
/* Before the command runs, its options parsed: false, with a failure, where it is no work for several. From here on all
 * but number 0 are silent, unless each was told to work alone. */
bool rank_begin(const cli_call *call, tide_failure *failure);
bool rank_silent(void);
/* Whether this process is the one to tell how it failed; may wait two seconds for another to do it. */
bool rank_tells_failure(void);

#endif
