/* What a value needs, as words: equal words mean that one program computes both. Whatever the passes may look at is
 * among them; numbers are not, unless a pass would make something else of them. */
#include <math.h>

#include "../ops/table.h"
#include "lazy.h"

/* Constants above this are part of the program: telling a run of them is copying them. */
enum { MOST_CONSTANT_BYTES = 1 << 20 };

typedef struct walk {
    tide_graph   *g;
    lazy_key     *key;
    tide_failure *why;
    bool          folds;  /* the backend's programs pass through simplify.c */
    bool          empty;  /* something has no elements: such values become numbers, and what they meet is folded */
} walk;

#define GROW(w, array, count, capacity) \
    graph_grow((w)->g, &(w)->key->array, count, &(w)->key->capacity, sizeof *(w)->key->array)

static bool push(walk *w, int32_t *depth, int32_t node) {
    if (!GROW(w, stack, *depth, stack_capacity)) return false;
    w->key->stack[(*depth)++] = node;
    return true;
}

/* ---- which values are plain numbers: as simplify.c has it ---- */

static const lazy_step *step_of(const walk *w, int32_t node) { return &w->key->steps[w->g->nodes[node]->place]; }

static bool known_number(const walk *w, const ir_node *n, double *number) {
    double x[3] = { 0 };
    if (n->op == OP_FILL) return *number = n->attr.number, true;
    if (!w->folds || n->n_in < 1 || n->n_in > 3) return false;
    for (int32_t i = 0; i < n->n_in; i++) {
        if (!step_of(w, n->in[i])->known) return false;
        x[i] = step_of(w, n->in[i])->number;
    }
    tide_dtype from = (tide_dtype)w->g->nodes[n->in[0]]->type;
    switch (n->op) {
    case OP_RESHAPE: case OP_PERMUTE: case OP_BROADCAST: case OP_SLICE: case OP_STOP: return *number = x[0], true;
    case OP_CAST: return *number = fold_number(from, x[0]), fold_cast(from, (tide_dtype)n->type);
    case OP_SCALAR: break;
    default: return false;
    }
    for (int32_t i = 0; i < n->n_in; i++) x[i] = fold_number((tide_dtype)w->g->nodes[n->in[i]]->type, x[i]);
    return fold_scalar(n, x, number);
}

/* ---- the nodes, inputs before uses ---- */

static bool add_step(walk *w, int32_t node) {
    lazy_key *key = w->key;
    ir_node *n = w->g->nodes[node];
    if (!GROW(w, steps, key->n_steps, step_capacity)) return false;
    lazy_step step = { .node = node };
    step.known = known_number(w, n, &step.number);
    w->empty |= tide_shape_count(n->shape) == 0;
    n->walk = w->g->walks, n->place = key->n_steps;
    key->steps[key->n_steps++] = step;
    return true;
}

/* With a stack of our own, as import.c does it and in its order. */
static tide_status collect(walk *w, int32_t root) {
    int32_t depth = 0;
    w->g->walks++;
    bool room = push(w, &depth, root);
    while (depth && room) {
        int32_t id = w->key->stack[depth - 1], before = depth;
        const ir_node *n = w->g->nodes[id];
        if (n->op == OP_INPUT)
            return fail(w->why, TIDE_EINVAL, "run: the input '%s' is not fed", (const char *)n->attr.data);
        for (int32_t i = n->walk == w->g->walks ? -1 : n->n_in - 1; i >= 0 && room; i--)
            if (w->g->nodes[n->in[i]]->walk != w->g->walks) room = push(w, &depth, n->in[i]);
        if (depth != before) continue;
        if (n->walk != w->g->walks) room = add_step(w, id);
        depth--;
    }
    return room ? TIDE_OK : fail(w->why, TIDE_ENOMEM, "read: out of memory");
}

/* What reads a number as more than a number: a definition in plain ops, where it may be folded, and random sites. */
static bool pins(const ir_node *n) { return op_rows[n->op].define || n->op == OP_RANDOM || n->op == OP_DROPMASK; }

static void reach(walk *w) {
    lazy_key *key = w->key;
    key->steps[key->n_steps - 1].reached = true;
    for (int32_t i = key->n_steps - 1; i >= 0; i--) {
        const ir_node *n = w->g->nodes[key->steps[i].node];
        for (int32_t k = 0; key->steps[i].reached && !key->steps[i].known && k < n->n_in; k++) {
            lazy_step *in = &key->steps[w->g->nodes[n->in[k]]->place];
            in->reached = true;
            in->pinned |= pins(n);
        }
    }
}

/* ---- words ---- */

static bool word(walk *w, int64_t value) {
    if (!GROW(w, words, w->key->n_words, word_capacity)) return false;
    w->key->words[w->key->n_words++] = value;
    w->key->hash = (w->key->hash ^ (uint64_t)value) * 0x9E3779B97F4A7C15u;
    w->key->hash ^= w->key->hash >> 32;
    return true;
}

static int64_t bits_of(double number) {
    int64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static bool pair(walk *w, int32_t high, int32_t low) {
    return word(w, (int64_t)((uint64_t)(uint32_t)high << 32 | (uint32_t)low));
}

enum { NUMBER = OP_COUNT, TOLD_NUMBER, TOLD_CONSTANT };  /* sorts of words beside the ops */

static bool head(walk *w, int sort, const ir_node *n) {
    bool room = pair(w, sort << 8 | n->type, n->shape.ndim);
    for (int32_t i = 0; i < n->shape.ndim && room; i++) room = word(w, n->shape.dim[i]);
    return room;
}

/* ---- what a run is told ---- */

/* The slot of what is told, or -1. Equal numbers share one, so that equal parts of the graph stay equal. */
static int32_t tell(walk *w, int32_t node, lazy_fed fed) {
    lazy_key *key = w->key;
    int32_t slot = 0;
    while (slot < key->n_fed && (fed.data || key->fed[slot].data || key->fed[slot].type != fed.type ||
                                 bits_of(key->fed[slot].number) != bits_of(fed.number)))
        slot++;
    if (!GROW(w, leaves, key->n_leaves, leaf_capacity)) return -1;
    if (slot == key->n_fed && !GROW(w, fed, key->n_fed, fed_capacity)) return -1;
    key->leaves[key->n_leaves++] = (compile_leaf){ node, slot, !fed.data, 0 };
    if (slot == key->n_fed) key->fed[key->n_fed++] = fed;
    return slot;
}

/* Numbers that rules of simplify.c look for, and types that registers and memory hold differently, stay. */
static bool may_tell(const walk *w, const lazy_step *s, tide_dtype type) {
    if (s->pinned || w->empty || s->number == 1 || (s->number == 0 && !signbit(s->number))) return false;
    if (type == TIDE_I32) return s->number > INT32_MIN && s->number < INT32_MAX && s->number == floor(s->number);
    return type == TIDE_F32 || type == TIDE_F64;
}

static bool number_words(walk *w, const lazy_step *s, const ir_node *n) {
    lazy_fed fed = { .type = (tide_dtype)n->type, .number = s->number };
    if (!may_tell(w, s, fed.type)) {
        if (!GROW(w, leaves, w->key->n_leaves, leaf_capacity)) return false;
        w->key->leaves[w->key->n_leaves++] = (compile_leaf){ s->node, -1, true, s->number };
        return head(w, NUMBER, n) && word(w, bits_of(s->number));
    }
    if (fed.type == TIDE_F32) fed.as.f32 = (float)s->number;
    else if (fed.type == TIDE_F64) fed.as.f64 = s->number;
    else fed.as.i32 = (int32_t)s->number;
    int32_t slot = tell(w, s->node, fed);
    return slot >= 0 && head(w, TOLD_NUMBER, n) && word(w, slot);
}

static bool constant_words(walk *w, int32_t node, const ir_node *n) {
    int64_t bytes = tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
    if (bytes > MOST_CONSTANT_BYTES) {
        w->key->newest = MAX2(w->key->newest, node);
        return head(w, OP_CONSTANT, n) && word(w, (int64_t)(intptr_t)n->attr.data);
    }
    int32_t slot = tell(w, node, (lazy_fed){ .type = (tide_dtype)n->type, .data = n->attr.data });
    return slot >= 0 && head(w, TOLD_CONSTANT, n) && word(w, slot);
}

/* ---- the key ---- */

static bool attr_words(walk *w, const ir_node *n) {
    const ir_attr *a = &n->attr;
    bool room = pair(w, a->scalar, a->axis) && pair(w, (int32_t)a->axes, (int32_t)a->site) &&
                pair(w, a->flag, a->slot) && word(w, bits_of(a->number)) && word(w, bits_of(a->scale));
    bool starts = n->op == OP_SLICE || n->op == OP_UNSLICE || n->op == OP_PERMUTE;
    for (int i = 0; i < n->shape.ndim && starts && room; i++) room = word(w, a->start[i]) && word(w, a->step[i]);
    if (n->op != OP_CUSTOM) return room;
    const tide_custom_op *op = a->data;
    return room && word(w, (int64_t)(intptr_t)op->run) && word(w, (int64_t)(intptr_t)op->user);
}

static bool op_words(walk *w, const ir_node *n) {
    bool room = head(w, n->op, n) && attr_words(w, n) && word(w, n->n_in);
    for (int32_t i = 0; i < n->n_in && room; i++) room = word(w, w->g->nodes[n->in[i]]->place);
    return room;
}

/* Known values are numbers, whatever they were made of; what only they read is not told at all. So what counts as a
 * node's place is the number of those told before it. */
static bool all_words(walk *w) {
    lazy_key *key = w->key;
    int32_t told = 0;
    bool room = true;
    for (int32_t i = 0; i < key->n_steps && room; i++) {
        const lazy_step *s = &key->steps[i];
        ir_node *n = w->g->nodes[s->node];
        if (!s->reached) continue;
        room = s->known ? number_words(w, s, n) : n->op == OP_CONSTANT ? constant_words(w, s->node, n) : op_words(w, n);
        n->place = told++;
    }
    return room;
}

tide_status lazy_key_of(lazy_key *key, tide_val v, tide_failure *why) {
    walk w = { .g = v.graph, .key = key, .why = why, .folds = v.graph->runtime->backend->fuse };
    key->n_steps = key->n_words = key->n_leaves = key->n_fed = key->newest = 0;
    key->hash = 0xCBF29CE484222325u;
    tide_status status = collect(&w, v.node);
    if (status) return status;
    reach(&w);
    return all_words(&w) ? TIDE_OK : fail(why, TIDE_ENOMEM, "read: out of memory");
}

void lazy_key_free(lazy_key *key, tide_graph *g) {
    const tide_allocator *a = &g->allocator;
    mem_free(a, key->steps, (size_t)key->step_capacity * sizeof *key->steps);
    mem_free(a, key->words, (size_t)key->word_capacity * sizeof *key->words);
    mem_free(a, key->leaves, (size_t)key->leaf_capacity * sizeof *key->leaves);
    mem_free(a, key->fed, (size_t)key->fed_capacity * sizeof *key->fed);
    mem_free(a, key->stack, (size_t)key->stack_capacity * sizeof *key->stack);
}
