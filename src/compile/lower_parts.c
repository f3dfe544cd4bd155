/* Concatenations: a part that nothing else reads is made where the whole has it, the others are copied there. */
#include "lower.h"

enum { MOST_VIEWS = 8 /* between a value and the concatenation */ };

static const ir_node *node_of(const lowering *l, int32_t id) { return l->g->nodes[id]; }

view lower_section(const view *whole, int axis, int64_t start, int64_t size) {
    view out = *whole;
    out.offset += start * whole->stride[axis];
    out.dim[axis] = size;
    return out;
}

static const view *whole_of(lowering *l, int32_t concat) {
    const ir_node *n = node_of(l, concat);
    if (!l->loc[concat].valid) l->loc[concat] = lower_new(l, (tide_dtype)n->type, n->shape);
    return &l->loc[concat];
}

/* The concatenation at the end of a way of views that nothing else reads; 0. `way` gets the views, of which the last is
 * the part; with none that is the node itself. */
static int32_t only_concat(const lowering *l, int32_t node, int32_t *way, int32_t *count) {
    for (*count = 0; l->readers.count[node] == 1; way[(*count)++] = node) {
        node = l->readers.last[node];
        const ir_node *n = node_of(l, node);
        if (!node || (n->op == OP_CONCAT && n->attr.flag)) return 0;
        if (n->op == OP_CONCAT) return node;
        if ((n->op != OP_RESHAPE && n->op != OP_PERMUTE) || *count == MOST_VIEWS) return 0;
    }
    return 0;
}

static view part_of_whole(lowering *l, int32_t concat, int32_t part) {
    const ir_node *n = node_of(l, concat);
    const int axis = n->attr.axis;
    int64_t at = 0;
    int32_t i = 0;
    while (n->in[i] != part) at += node_of(l, n->in[i++])->shape.dim[axis];
    return lower_section(whole_of(l, concat), axis, at, node_of(l, part)->shape.dim[axis]);
}

bool lower_part(lowering *l, int32_t node, view *out) {
    int32_t way[MOST_VIEWS], count;
    const int32_t concat = l->g->numbers->parts_in_place ? only_concat(l, node, way, &count) : 0;
    if (!concat || node_of(l, concat)->type != node_of(l, node)->type) return false;
    *out = part_of_whole(l, concat, count ? way[count - 1] : node);
    while (count) {
        const ir_node *n = node_of(l, way[--count]);
        const view v = *out;
        int64_t inverse[TIDE_MAX_DIMS];
        for (int i = 0; i < n->shape.ndim && n->op == OP_PERMUTE; i++) inverse[n->attr.start[i]] = i;
        if (n->op == OP_PERMUTE) *out = view_permuted(&v, inverse);
        else if (!view_reshaped(&v, node_of(l, n->in[0])->shape, out)) return false;
    }
    return true;
}

/* ---- the concatenation --------------------------------------------------------------------------------- */

static bool same_place(const view *a, const view *b) {
    bool same = a->buffer == b->buffer && a->offset == b->offset && a->ndim == b->ndim;
    for (int i = 0; same && i < a->ndim; i++) same = a->dim[i] == 1 || a->stride[i] == b->stride[i];
    return same;
}

/* Neighbours in one buffer are their concatenation as they lie. */
static bool neighbours(lowering *l, const ir_node *n, view *out) {
    int axis = n->attr.axis;
    if (!n->attr.flag) return false;
    *out = *lower_view(l, n->in[0]);
    for (int32_t i = 1; i < n->n_in; i++) {
        const view *next = lower_view(l, n->in[i]);
        bool beside = next->buffer == out->buffer && next->offset == out->offset + out->dim[axis] * out->stride[axis] &&
                      !memcmp(next->stride, out->stride, sizeof *out->stride * (size_t)out->ndim);
        if (!beside) return false;
        out->dim[axis] += next->dim[axis];
    }
    return true;
}

void lower_concat(lowering *l, int32_t node) {
    const ir_node *n = node_of(l, node);
    view as_it_lies;
    if (neighbours(l, n, &as_it_lies)) {
        l->loc[node] = as_it_lies;
        return;
    }
    const view *whole = whole_of(l, node);
    int64_t at = 0;
    for (int32_t i = 0; i < n->n_in; i++) {
        const view *part = lower_view(l, n->in[i]);
        const int64_t size = node_of(l, n->in[i])->shape.dim[n->attr.axis];
        const view to = lower_section(whole, n->attr.axis, at, size);
        if (!same_place(part, &to)) lower_copy(l, part, &to);
        at += size;
    }
}
