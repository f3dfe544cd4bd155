/* Levels of fuse.c's units, a unit being a group or a node that is in none: what needs a unit, through whatever else,
 * has a higher level than it. So a search for what needs a group can stop at what is not above it, and stays among what
 * was made since, however large the graph. Views are of the unit that they show. Levels only rise. */
#ifndef TIDE_LEVELS_H
#define TIDE_LEVELS_H

#include "pass.h"

typedef struct levels {
    const pass_graph *g;
    const fusion  *f;
    const int32_t *first, *next;    /* fuse.c's: members of a group */
    int32_t *base;                  /* of each node: what it is a view of */
    int32_t *of_node, *of_group;
    int32_t *first_user, *next_user, *user;  /* of each base: its users, as edges */
    int32_t *queue;                 /* units that rose, each by one of its nodes; a ring of `size` */
    bool    *queued;                /* of groups, then of nodes */
    int32_t  size, placed;          /* placed: nodes up to this one are in their units */
} levels;

void     levels_init(levels *l, const pass_graph *g, const fusion *f, const int32_t *first, const int32_t *next);
int32_t *level_of(const levels *l, int32_t base);
void     levels_join(levels *l, int32_t node);  /* the node is in its unit now */
void     levels_merge(levels *l, int32_t into, int32_t from);  /* the group `into` has the members of `from` now */

#endif
