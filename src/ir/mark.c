/* Marks: how far a graph had come, and giving back all that was made since: nodes, constants, names and lists.
 * Variables stay, as their values do, and with them what was made before the last of them. */
#include "ir.h"

ir_mark graph_here(const tide_graph *g) {
    return (ir_mark){ 0, g->count, g->n_inputs, g->sample_offset, g->sites, arena_here(&g->memory), g->failure.status };
}

static bool same_place(const ir_mark *a, const ir_mark *b) {
    return a->count == b->count && a->memory.chunk == b->memory.chunk && a->memory.used == b->memory.used &&
           a->n_inputs == b->n_inputs && a->sample_offset == b->sample_offset && a->failed == b->failed;
}

int64_t tide_graph_mark(tide_graph *g) {
    if (!g) return 0;
    ir_mark here = graph_here(g);
    if (g->n_marks && same_place(&here, &g->marks[g->n_marks - 1])) return g->marks[g->n_marks - 1].id;
    if (!graph_grow(g, &g->marks, g->n_marks, &g->mark_capacity, sizeof *g->marks))
        return graph_fail(g, TIDE_ENOMEM, "out of memory for a mark"), 0;
    here.id = ++g->marks_made;
    g->marks[g->n_marks++] = here;
    return here.id;
}

const ir_mark *graph_mark_find(const tide_graph *g, int64_t id) {
    int32_t low = 0, high = g->n_marks;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (g->marks[middle].id < id) low = middle + 1;
        else high = middle;
    }
    return low < g->n_marks && g->marks[low].id == id ? &g->marks[low] : NULL;
}

const ir_mark *graph_mark_end(const tide_graph *g, const ir_mark *mark) {
    return g->floor.count > mark->count ? &g->floor : mark;
}

bool graph_define(tide_graph *g, int32_t node, int32_t definition) {
    if (!graph_grow(g, &g->defined, g->n_defined, &g->defined_capacity, sizeof *g->defined))
        return graph_fail(g, TIDE_ENOMEM, "out of memory while compiling"), false;
    g->defined[g->n_defined++] = node;
    g->nodes[node]->definition = definition;
    return true;
}

/* Nodes that stay and were defined by some that go. Definitions are newer than what was defined before them. */
static void undefine(tide_graph *g, int32_t count) {
    for (; g->n_defined; g->n_defined--) {
        ir_node *n = g->nodes[g->defined[g->n_defined - 1]];
        if (n->definition < count) return;
        n->definition = 0;
    }
}

void graph_rewind(tide_graph *g, const ir_mark *mark) {
    ir_mark end = *graph_mark_end(g, mark);
    if (!mark->failed) g->failure = (tide_failure){ 0 };
    g->n_marks = (int32_t)(mark - g->marks) + 1;
    undefine(g, end.count);
    if (end.count < g->count) g->generation = (g->generation + 1) & INT32_MAX;
    g->count = end.count, g->n_inputs = end.n_inputs, g->sites = end.sites;
    if (g->sample_offset >= end.count) g->sample_offset = end.sample_offset;
    arena_rewind(&g->memory, end.memory);
}
