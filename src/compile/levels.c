#include "levels.h"

void levels_init(levels *l, const pass_graph *g, const fusion *f, const int32_t *first, const int32_t *next) {
    int32_t n = g->count + 1, edges = 1;
    for (int32_t id = 1; id < g->count; id++) edges += g->nodes[id]->n_in;
    *l = (levels){ .g = g, .f = f, .first = first, .next = next, .size = 2 * n };
    l->base = arena_new(g->memory, int32_t, n), l->of_node = arena_new(g->memory, int32_t, n);
    l->of_group = arena_new(g->memory, int32_t, n), l->queue = arena_new(g->memory, int32_t, 2 * n);
    l->queued = arena_new(g->memory, bool, 2 * n), l->first_user = arena_new(g->memory, int32_t, n);
    l->next_user = arena_new(g->memory, int32_t, edges), l->user = arena_new(g->memory, int32_t, edges);
    for (int32_t id = 1, edge = 0; id < g->count; id++) {
        const ir_node *node = g->nodes[id];
        l->base[id] = node_is_view(node) ? l->base[node->in[0]] : id;
        for (int32_t i = 0; i < node->n_in && !node_is_view(node); i++) {
            int32_t from = l->base[node->in[i]];
            l->user[++edge] = id;
            l->next_user[edge] = l->first_user[from];
            l->first_user[from] = edge;
        }
    }
}

int32_t *level_of(const levels *l, int32_t base) {
    int32_t group = l->f->group[base];
    return group ? &l->of_group[group] : &l->of_node[base];
}

/* One above the node's inputs, at least; whether it rose. */
static bool lift(levels *l, int32_t node) {
    const ir_node *n = l->g->nodes[node];
    int32_t *mine = level_of(l, node), before = *mine;
    for (int32_t i = 0; i < n->n_in; i++) {
        const int32_t *in = level_of(l, l->base[n->in[i]]);
        if (in != mine) *mine = MAX2(*mine, *in + 1);
    }
    return *mine > before;
}

static bool *queued(levels *l, int32_t node) {
    int32_t group = l->f->group[node];
    return &l->queued[group ? group : l->size / 2 + node];
}

static void enqueue(levels *l, int32_t node, int32_t *tail) {
    if (*queued(l, node)) return;
    *queued(l, node) = true;
    l->queue[*tail] = node;
    *tail = (*tail + 1) % l->size;
}

/* The unit of `node` rose: so may those that use it. */
static void lift_users(levels *l, int32_t node) {
    int32_t head = 0, tail = 0;
    enqueue(l, node, &tail);
    while (head != tail) {
        int32_t id = l->queue[head], group = l->f->group[id];
        head = (head + 1) % l->size;
        *queued(l, id) = false;
        for (int32_t m = group ? l->first[group] : id; m; m = group ? l->next[m] : 0)
            for (int32_t edge = l->first_user[m]; edge; edge = l->next_user[edge])
                if (l->user[edge] <= l->placed && lift(l, l->user[edge])) enqueue(l, l->user[edge], &tail);
    }
}

void levels_join(levels *l, int32_t node) {
    if (lift(l, node)) lift_users(l, node);
}

void levels_merge(levels *l, int32_t into, int32_t from) {
    l->of_group[into] = MAX2(l->of_group[into], l->of_group[from]);
    lift_users(l, l->first[into]);
}
