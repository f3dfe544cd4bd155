/* A value's derivative is the sum of the shares that its uses hand it. Those of its slices are zeros but for the slice:
 * they are not added, one by one, but put beside each other. */
#ifndef TIDE_SHARES_H
#define TIDE_SHARES_H

#include "../ops/table.h"

typedef struct shares { int32_t *nodes, count, capacity; } shares;

/* False, and the graph says why, when out of memory. */
bool     shares_add(shares *s, tide_graph *g, int32_t node, arena *scratch);
/* One node from then on. At least one share. */
tide_val shares_sum(shares *s, tide_graph *g, arena *scratch);

#endif
