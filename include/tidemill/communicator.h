/* Graphs on devices of one kind, a rank each, in threads of one process or in several processes, that exchange
 * variables without their hosts: for "cuda" by NVIDIA's NCCL, where it is installed. How ranks find each other, and
 * hear that one has failed, is the caller's.
 *
 *   tide_communicator_id(g, id, &failure);                        rank 0, which tells the others
 *   tide_communicator_open(g, id, rank, ranks, &c, &failure);     all of them
 *   tide_run(part, feeds, count);                                 leaves this rank's gradients in variables `sums` ...
 *   tide_all_gather(c, sums, rows, 0, &failure);                  ... all ranks' are in `rows` ...
 *   tide_run(update, NULL, 0);                                    ... which this adds: the host has waited for nothing
 *   tide_communicator_close(c);                                   before the graph is freed
 *
 * All ranks call the same functions in the same order. */
#ifndef TIDEMILL_COMMUNICATOR_H
#define TIDEMILL_COMMUNICATOR_H

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_communicator tide_communicator;
enum { TIDE_COMMUNICATOR_ID = 128 };

/* What the graph's device exchanges by, "NCCL 2.27.3". NULL: it cannot; *missing (NULL is fine) says why, as a
 * clause. */
TIDE_API const char *tide_communicator_library(const tide_graph *g, const char **missing);
/* Names a group of ranks: bytes that are not text. TIDE_EDEVICE where tide_communicator_library has none. */
TIDE_API tide_status tide_communicator_id(const tide_graph *g, char id[TIDE_COMMUNICATOR_ID], tide_failure *failure);
/* Joins the group as `rank`, 0 to ranks - 1; returns when all have. *out is NULL after a failure: TIDE_EINVAL,
 * TIDE_ENOMEM; TIDE_EDEVICE, where it takes more than a minute too, and where two ranks have one device. */
TIDE_API tide_status tide_communicator_open(tide_graph *g, const char id[TIDE_COMMUNICATOR_ID], int rank, int ranks,
                                            tide_communicator **out, tide_failure *failure);
/* Variable i of `from` on every rank, n numbers, into variable i of `to` on each, as rows of n in the order of ranks,
 * the first of them row `at`. All are of float32. It is queued, as runs of programs are (tide_run), as one exchange.
 * TIDE_EINVAL, TIDE_ETYPE, TIDE_ESHAPE, TIDE_ENOMEM: nothing was queued; TIDE_EDEVICE. */
TIDE_API tide_status tide_all_gather(tide_communicator *c, tide_list from, tide_list to, int64_t at,
                                     tide_failure *failure);
/* By any thread: what is queued waits for no other rank any more, what it leaves is of no use, and later gathers do
 * nothing. For when another rank is known to be gone. NULL is fine. */
TIDE_API void        tide_communicator_abort(tide_communicator *c);
/* Waits for what is queued. All ranks together, unless it was aborted. NULL is fine. */
TIDE_API void        tide_communicator_close(tide_communicator *c);

#ifdef __cplusplus
}
#endif

#endif
