/* Giving nodes back. */
#include <inttypes.h>

#include "lazy.h"

/* A program of the caller's that needs a node from `count` on. */
static bool held(const tide_graph *g, int32_t count) {
    for (const tide_program *p = g->runtime->programs; p; p = p->next)
        if (p->exec && p->c.newest >= count && !lazy_owns(g, p)) return true;
    return false;
}

tide_status tide_graph_rewind(tide_graph *g, int64_t id) {
    if (!g) return TIDE_EINVAL;
    const ir_mark *mark = graph_mark_find(g, id);
    g->read_failure = (tide_failure){ 0 };
    if (!mark)
        return fail(&g->read_failure, TIDE_EINVAL,
                    "rewind: there is no mark %" PRId64 ": it was never made, or the graph "
                    "went back to one before it",
                    id);
    int32_t count = graph_mark_end(g, mark)->count;
    if (held(g, count))
        return fail(&g->read_failure, TIDE_EINVAL, "rewind: a program holds values made since the mark; free it first, "
                                                   "with tide_program_free");
    lazy_forget(g, count);
    graph_rewind(g, mark);
    return TIDE_OK;
}
