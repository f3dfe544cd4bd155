/* Values of a region, made again for the backward pass. */
#ifndef TIDE_RECOMPUTE_H
#define TIDE_RECOMPUTE_H

#include "../ops/table.h"

typedef struct recompute recompute;

/* For one sweep over the nodes that exist now; NULL when out of memory. Lives in `scratch`. */
recompute *recompute_new(tide_graph *g, arena *scratch);

/* What stands for node `id` of a region in its derivative: a node whose inputs are computed again. The sweep goes from
 * the loss backwards; the first node of a region that it asks for, with derivative dy, begins the region. Poison if the
 * graph fails. */
tide_val recompute_value(recompute *r, int32_t id, tide_val dy);

/* The next region to begin waits until `share`, a part of a parameter's gradient, is made: its operands then are not
 * needed any more, so one region at a time has its values in memory. */
void recompute_wait_for(recompute *r, tide_val share);

#endif
