/* An element more in series. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "equivalent.h"

static bool room_for(const equivalent *e, const element *kind) {
    return e->nodes + 2 <= NODES_MOST && e->parts < PARTS_MOST && e->parameters + kind->slots <= PARAMETERS_MOST;
}

static int add_part(equivalent *e, const element *kind, const char *name) {
    circuit_part *part = &e->part[e->parts];
    *part = (circuit_part){ .kind = kind, .first = e->parameters };
    snprintf(part->name, sizeof part->name, "%s", name);
    for (int s = 0; s < kind->slots; s++)
        e->parameter[e->parameters++] =
            (circuit_parameter){ e->parts, s, NAN, false, 0, slot_high(kind->slot[s].role), -1, 1 };
    return e->parts++;
}

/* The root stays the last node. */
bool equivalent_append(equivalent *e, const element *kind, const char *name) {
    int root = e->nodes - 1;
    if (!room_for(e, kind)) return false;
    circuit_node last = { NODE_SERIES, -1, -1 }, part = { NODE_ELEMENT, -1, add_part(e, kind, name) };
    if (e->node[root].kind == NODE_SERIES) {
        for (int i = 0; i < root; i++)
            if (e->node[i].parent == root) e->node[i].parent = root + 1;
        part.parent = root + 1, last = e->node[root];
        e->node[root] = part, e->node[root + 1] = last, e->nodes = root + 2;
        return true;
    }
    e->node[root].parent = part.parent = root + 2;
    e->node[root + 1] = part, e->node[root + 2] = last, e->nodes = root + 3;
    return true;
}

int equivalent_in_series(const equivalent *e, const element *kind, int *part) {
    int root = e->nodes - 1, count = 0;
    for (int i = 0; i < e->nodes; i++) {
        bool top = i == root || (e->node[i].parent == root && e->node[root].kind == NODE_SERIES);
        if (top && e->node[i].kind == NODE_ELEMENT && e->part[e->node[i].part].kind == kind)
            *part = e->node[i].part, count++;
    }
    return count;
}
