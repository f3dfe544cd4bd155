/* The derivative of a value that was sliced: its shares, put side by side into one tensor instead of added up one by
 * one. */
#include <stdlib.h>

#include "shares.h"

/* What an unslice shows of an axis. */
typedef struct piece { int64_t start, size; int32_t part, order, layer; } piece;

static tide_val no_memory(tide_graph *g) {
    return graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
}

bool shares_add(shares *s, tide_graph *g, int32_t node, arena *scratch) {
    if (s->count == s->capacity) {
        int32_t capacity = s->capacity ? 2 * s->capacity : 2, *nodes = arena_new(scratch, int32_t, capacity);
        if (!nodes) return no_memory(g), false;
        if (s->count) memcpy(nodes, s->nodes, (size_t)s->count * sizeof *nodes);
        s->nodes = nodes, s->capacity = capacity;
    }
    s->nodes[s->count++] = node;
    return true;
}

static int piece_axis(const tide_graph *g, int32_t node) {
    const ir_node *n = g->nodes[node];
    return n->n_in == 1 ? unsliced_axis(n, g->nodes[n->in[0]]->shape) : -1;
}

static int by_range(const void *a, const void *b) {
    const piece *x = a, *y = b;
    if (x->start != y->start) return x->start < y->start ? -1 : 1;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Pieces of one range are added, in the order they came. Returns how many ranges there are. */
static int32_t add_equal(tide_graph *g, piece *pieces, int32_t count) {
    int32_t kept = 0;
    for (int32_t i = 1; i < count; i++) {
        piece *last = &pieces[kept], *p = &pieces[i];
        if (p->start == last->start && p->size == last->size)
            last->part = tide_add(graph_val(g, last->part), graph_val(g, p->part)).node;
        else pieces[++kept] = *p;
    }
    return kept + 1;
}

/* Ranges that overlap go to different layers, each to the first that has room; returns how many layers there are. */
static int32_t find_layers(piece *pieces, int32_t count, int64_t *end) {
    int32_t layers = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t layer = 0;
        while (layer < layers && end[layer] > pieces[i].start) layer++;
        layers = MAX2(layers, layer + 1);
        pieces[i].layer = layer;
        end[layer] = pieces[i].start + pieces[i].size;
    }
    return layers;
}

static tide_val zeros(tide_val like, int axis, int64_t size) {
    tide_shape shape = tide_shape_of(like);
    shape.dim[axis] = size;
    return tide_fill(like.graph, tide_dtype_of(like), shape, 0);
}

/* The pieces of a layer beside each other, zeros between them. */
static tide_val join_layer(tide_graph *g, const piece *pieces, int32_t count, int32_t layer, int axis, int64_t size,
                           tide_val *parts) {
    int64_t at = 0;
    int32_t n = 0;
    for (int32_t i = 0; i < count; i++) {
        tide_val part = graph_val(g, pieces[i].part);
        if (pieces[i].layer != layer) continue;
        if (pieces[i].start > at) parts[n++] = zeros(part, axis, pieces[i].start - at);
        parts[n++] = part;
        at = pieces[i].start + pieces[i].size;
    }
    if (n && at < size) parts[n] = zeros(parts[n - 1], axis, size - at), n++;
    return tide_concat(g, (tide_list){ parts, n }, axis);
}

/* The sum of `count` unslices along `axis`. */
static tide_val join(tide_graph *g, const int32_t *nodes, int32_t count, int axis, arena *scratch) {
    piece *pieces = arena_new(scratch, piece, count);
    int64_t *end = arena_new(scratch, int64_t, count), size = g->nodes[nodes[0]]->shape.dim[axis];
    tide_val *parts = arena_new(scratch, tide_val, 2 * count + 1), sum = { 0 };
    if (!pieces || !end || !parts) return no_memory(g);
    for (int32_t i = 0; i < count; i++) {
        const ir_node *n = g->nodes[nodes[i]];
        pieces[i] = (piece){ n->attr.start[axis], g->nodes[n->in[0]]->shape.dim[axis], n->in[0], i, 0 };
    }
    qsort(pieces, (size_t)count, sizeof *pieces, by_range);
    int32_t ranges = add_equal(g, pieces, count), layers = find_layers(pieces, ranges, end);
    for (int32_t layer = 0; layer < layers; layer++) {
        tide_val one = join_layer(g, pieces, ranges, layer, axis, size, parts);
        sum = layer ? tide_add(sum, one) : one;
    }
    return sum;
}

/* Of shares that follow each other and are slices along one axis, one; the order of the others' sum is kept. */
tide_val shares_sum(shares *s, tide_graph *g, arena *scratch) {
    tide_val sum = { 0 };
    for (int32_t i = 0, next; i < s->count; i = next) {
        int axis = piece_axis(g, s->nodes[i]);
        for (next = i + 1; axis >= 0 && next < s->count && piece_axis(g, s->nodes[next]) == axis; next++) {}
        bool several = next - i > 1;
        tide_val share = several ? join(g, s->nodes + i, next - i, axis, scratch) : graph_val(g, s->nodes[i]);
        sum = i ? tide_add(sum, share) : share;
        if (!val_good(sum)) return sum;
    }
    s->nodes[0] = sum.node, s->count = 1;
    return sum;
}
