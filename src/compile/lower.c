/* From a fused pass graph to a flat program: buffers, the order of the kernels, and assignments. */
#include <assert.h>

#include "lower.h"

/* Variables that are neighbours in storage, taken for one (join.c). */
static bool is_joined(const ir_node *n) { return n->op == OP_CONCAT && n->attr.flag == 1; }

/* ---- buffers and kernels ---- */

static int32_t lower_buffer(lowering *l, flat_space space, int64_t bytes, void *host) {
    flat_program *p = &l->out->flat;
    if (p->n_buffers == l->out->buffer_capacity) {
        int32_t capacity = MAX2(256, l->out->buffer_capacity * 2);
        flat_buffer *more = arena_new(l->memory, flat_buffer, capacity);
        if (p->n_buffers) memcpy(more, p->buffers, (size_t)p->n_buffers * sizeof *more);
        p->buffers = more, l->out->buffer_capacity = capacity;
    }
    p->buffers[p->n_buffers] = (flat_buffer){ .space = space, .bytes = bytes, .host = host };
    return p->n_buffers++;
}

view lower_new(lowering *l, tide_dtype type, tide_shape shape) {
    int64_t bytes = tide_shape_count(shape) * (int64_t)tide_dtype_size(type);
    return view_contiguous(lower_buffer(l, FLAT_ARENA, bytes, NULL), type, shape);
}

flat_kernel *lower_kernel(lowering *l, flat_kernel_kind kind, int32_t n_operands, const char *name) {
    flat_program *p = &l->out->flat;
    if (p->n_kernels == l->out->kernel_capacity) {
        int32_t capacity = MAX2(256, l->out->kernel_capacity * 2);
        flat_kernel *more = arena_new(l->memory, flat_kernel, capacity);
        if (p->n_kernels) memcpy(more, p->kernels, (size_t)p->n_kernels * sizeof *more);
        p->kernels = more, l->out->kernel_capacity = capacity;
    }
    flat_kernel *k = &p->kernels[p->n_kernels++];
    *k = (flat_kernel){ .kind = kind, .grains = 1, .n_operands = n_operands };
    k->name = arena_printf(l->memory, "%s", name);
    k->operands = arena_new(l->memory, flat_operand, MAX2(n_operands, 1));
    return k;
}

flat_operand lower_operand(const view *v) {
    flat_operand o = { .buffer = v->buffer, .type = v->type, .offset = v->offset };
    memcpy(o.stride, v->stride, sizeof o.stride);
    return o;
}

static int64_t variable_bytes(const lowering *l, int32_t slot) {
    const ir_node *n = l->g->source->nodes[l->g->source->variables[slot]->node];
    return tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
}

/* Of so many bytes from where the variable is. */
static int32_t variable_buffer(lowering *l, int32_t slot, int64_t bytes) {
    const ir_variable *v = l->g->source->variables[slot];
    int32_t buffer = lower_buffer(l, FLAT_VARIABLE, bytes, NULL);
    l->out->flat.buffers[buffer].block = v->block, l->out->flat.buffers[buffer].at = v->at;
    return buffer;
}

view lower_variable(lowering *l, int32_t slot, tide_dtype type, tide_shape shape) {
    if (l->variable_buffer[slot] < 0) l->variable_buffer[slot] = variable_buffer(l, slot, variable_bytes(l, slot));
    view v = view_contiguous(l->variable_buffer[slot], type, shape);
    v.offset = l->variable_at[slot] / (int64_t)tide_dtype_size(type);
    return v;
}

/* The variables that a product takes for one matrix get one buffer, so that whoever writes one of them is known to
 * write what the product reads. Where one has a buffer with others already, the concatenation is a copy. */
static void share_buffers(lowering *l) {
    for (int32_t id = 1; id < l->g->count; id++) {
        const ir_node *n = l->g->nodes[id];
        int64_t bytes = 0;
        bool fresh = is_joined(n);
        for (int32_t i = 0; fresh && i < n->n_in; i++) {
            int32_t slot = l->g->nodes[n->in[i]]->attr.slot;
            fresh = l->variable_buffer[slot] < 0, bytes += variable_bytes(l, slot);
        }
        int32_t buffer = fresh ? variable_buffer(l, l->g->nodes[n->in[0]]->attr.slot, bytes) : -1;
        bytes = 0;
        for (int32_t i = 0; fresh && i < n->n_in; i++) {
            int32_t slot = l->g->nodes[n->in[i]]->attr.slot;
            l->variable_buffer[slot] = buffer, l->variable_at[slot] = bytes;
            bytes += variable_bytes(l, slot);
        }
    }
}

/* ---- where values are ---- */

/* For views that strides cannot say, a reshape of a permutation say: the elements once, in order. */
static view copied(lowering *l, const view *v, tide_shape shape) {
    tide_shape own = { .ndim = v->ndim };
    memcpy(own.dim, v->dim, sizeof own.dim);
    view to = lower_new(l, v->type, own);
    lower_copy(l, v, &to);
    return view_contiguous(to.buffer, v->type, shape);
}

static view view_of_view(lowering *l, const ir_node *n) {
    const view *x = lower_view(l, n->in[0]);
    view out;
    switch (n->op) {
    case OP_PERMUTE: return view_permuted(x, n->attr.start);
    case OP_BROADCAST: return view_broadcast(x, n->shape);
    case OP_SLICE: return view_sliced(x, n->shape, &n->attr);
    default: return view_reshaped(x, n->shape, &out) ? out : copied(l, x, n->shape);
    }
}

/* Inputs, variables and constants lie where they are: nothing is copied to read them. */
static view leaf_view(lowering *l, int32_t node) {
    const ir_node *n = l->g->nodes[node];
    int64_t bytes = tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
    if (n->op == OP_VARIABLE) return lower_variable(l, n->attr.slot, (tide_dtype)n->type, n->shape);
    int32_t buffer = lower_buffer(l, n->op == OP_CONSTANT ? FLAT_CONSTANT : FLAT_ARENA, bytes, (void *)n->attr.data);
    if (n->op == OP_INPUT) l->out->input_buffer[n->attr.slot] = buffer;
    return view_contiguous(buffer, (tide_dtype)n->type, n->shape);
}

static void locate(lowering *l, int32_t node) {
    const ir_node *n = l->g->nodes[node];
    if (l->loc[node].valid) return;
    if (node_is_view(n)) l->loc[node] = view_of_view(l, n);
    else if (node_inlined(n)) lower_leaf(l, node);
    else l->loc[node] = leaf_view(l, node);
}

/* Views of views from the bottom up: a chain of a million is no deeper than a short one. */
const view *lower_view(lowering *l, int32_t node) {
    int32_t length = 0, at = 0;
    for (int32_t id = node; !l->loc[id].valid && node_is_view(l->g->nodes[id]); id = l->g->nodes[id]->in[0]) length++;
    int32_t *chain = length > 1 ? arena_new(l->memory, int32_t, length) : NULL;
    for (int32_t id = node; at < length && chain; id = l->g->nodes[id]->in[0]) chain[at++] = id;
    while (at > 0) locate(l, chain[--at]);
    locate(l, node);
    return &l->loc[node];
}

const view *lower_contiguous(lowering *l, int32_t node) {
    const view *v = lower_view(l, node);
    if (view_is_contiguous(v)) return v;
    view *kept = arena_new(l->memory, view, 1);
    *kept = copied(l, v, l->g->nodes[node]->shape);
    return kept;
}

/* ---- who needs what ---- */

/* A member is stored only if something outside its group reads it; a product whose only reader is a permutation is
 * written in that order (lower_ops.c). */
static void find_needed(lowering *l) {
    const pass_graph *g = l->g;
    int32_t *users = arena_new(l->memory, int32_t, g->count), *user = arena_new(l->memory, int32_t, g->count);
    for (int32_t i = 0; i < g->n_wanted; i++)
        l->needed[g->wanted[i]] = l->read[g->wanted[i]] = true, users[g->wanted[i]] += 2;
    for (int32_t i = 0; i < g->n_assigns; i++) l->needed[g->assigns[i].value] = true, users[g->assigns[i].value] += 2;
    for (int32_t id = g->count - 1; id > 0; id--) {
        const ir_node *n = g->nodes[id];
        int32_t group = l->f->group[id];
        if (!group && node_is_view(n) && !l->needed[id]) continue;
        for (int32_t i = 0; i < n->n_in; i++) {
            if (!reads_any_order(n, i)) users[n->in[i]]++, user[n->in[i]] = id;
            if (!group || !fused_input(g, l->f, n->in[i], group)) l->needed[n->in[i]] = l->read[n->in[i]] = true;
        }
    }
    for (int32_t id = 1; id < g->count; id++)
        if (users[id] == 1 && g->nodes[user[id]]->op == OP_PERMUTE) l->only_permute[id] = user[id];
}

/* Which derivatives of attention are parts of a concatenation that wants them side by side. */
static void find_beside(lowering *l) {
    for (int32_t id = 1; id < l->g->count; id++) {
        const ir_node *n = l->g->nodes[id];
        for (int32_t i = 0; n->op == OP_CONCAT && n->attr.flag == 2 && i < n->n_in; i++)
            l->beside[l->g->nodes[l->g->nodes[n->in[i]]->in[0]]->in[0]] = id;
    }
}

/* Members in topological order, as nodes are numbered in it. */
static void list_groups(lowering *l) {
    int32_t *last = arena_new(l->memory, int32_t, l->f->groups);
    for (int32_t id = 1; id < l->g->count; id++) {
        int32_t group = l->f->group[id];
        if (!group) continue;
        if (last[group]) l->group_next[last[group]] = id;
        else l->group_first[group] = id;
        last[group] = id;
    }
}

/* ---- order: Kahn's algorithm over units, a unit being a group or a node of its own ---- */

/* Updates in place come last: until then every kernel reads the variables as they were when the run began. */
typedef struct units {
    int32_t  count;
    int32_t *of;       /* unit of each node */
    int32_t *waiting;  /* inputs of a unit that are not done */
    int32_t *first_use, *next_use, *use_unit;  /* lists of the units that read a node's unit */
    int32_t  n_uses;
    bool    *last;     /* updates: after everything else */
    int32_t *queue;
} units;

static int32_t unit_of(const lowering *l, int32_t node) {
    return l->f->group[node] ? l->f->group[node] : l->f->groups + node;
}

static void add_edge(units *u, int32_t from, int32_t to) {
    int32_t use = ++u->n_uses;
    u->use_unit[use] = to;
    u->next_use[use] = u->first_use[from];
    u->first_use[from] = use;
    u->waiting[to]++;
}

/* Edges inside a group are none: its kernel computes its members in order. */
static void make_units(lowering *l, units *u) {
    int32_t edges = 1;
    u->count = l->f->groups + l->g->count;
    for (int32_t id = 1; id < l->g->count; id++) edges += l->g->nodes[id]->n_in;
    u->waiting = arena_new(l->memory, int32_t, u->count), u->first_use = arena_new(l->memory, int32_t, u->count);
    u->next_use = arena_new(l->memory, int32_t, edges), u->use_unit = arena_new(l->memory, int32_t, edges);
    u->last = arena_new(l->memory, bool, u->count), u->queue = arena_new(l->memory, int32_t, u->count);
    for (int32_t id = 1; id < l->g->count; id++)
        for (int32_t i = 0; i < l->g->nodes[id]->n_in; i++) {
            int32_t in = l->g->nodes[id]->in[i], from = unit_of(l, in), to = unit_of(l, id);
            bool inside = l->f->group[id] && fused_input(l->g, l->f, in, l->f->group[id]);
            if (from != to && !inside) add_edge(u, from, to);
        }
}

static void lower_unit(lowering *l, int32_t unit) {
    if (unit < l->f->groups) lower_group(l, unit);
    else if (!l->f->group[unit - l->f->groups]) lower_op(l, unit - l->f->groups);
}

static bool unit_exists(const lowering *l, int32_t unit) {
    if (unit < l->f->groups) return l->group_first[unit] != 0;
    return unit > l->f->groups && !l->f->group[unit - l->f->groups];
}

/* Lowers the units that are ready, updates only if `last`; fusion leaves no cycles, so all of them become ready. Views
 * inside an update become ready after it. */
static void drain(lowering *l, units *u, bool last) {
    int32_t head = 0, tail = 0;
    for (int32_t i = 1; i < u->count; i++)
        if (u->waiting[i] == 0 && unit_exists(l, i) && (last || !u->last[i])) u->queue[tail++] = i;
    while (head < tail) {
        int32_t unit = u->queue[head++];
        lower_unit(l, unit);
        u->waiting[unit] = -1;
        for (int32_t use = u->first_use[unit]; use; use = u->next_use[use])
            if (--u->waiting[u->use_unit[use]] == 0 && (last || !u->last[u->use_unit[use]]))
                u->queue[tail++] = u->use_unit[use];
    }
}

/* ---- assignments ---- */

/* Every result of the group that is stored goes to a variable, and nothing else reads it. */
static bool only_assigned(const lowering *l, int32_t group) {
    bool any = false;
    for (int32_t m = l->group_first[group]; m; m = l->group_next[m])
        if (l->needed[m] && (l->assigned_to[m] == 0 || l->read[m])) return false;
    for (int32_t m = l->group_first[group]; m; m = l->group_next[m]) any |= l->needed[m];
    return any;
}

/* A variable, or among those that one matrix is. */
static bool shows(const lowering *l, const ir_node *n, int32_t slot) {
    bool any = n->op == OP_VARIABLE && n->attr.slot == slot;
    for (int32_t i = 0; is_joined(n) && i < n->n_in; i++) any |= shows(l, l->g->nodes[n->in[i]], slot);
    return any;
}

/* Reads of variable `slot` in this group are lane by lane, so the group may overwrite it as it goes. */
static bool reads_in_step(const lowering *l, int32_t group, int32_t slot) {
    for (int32_t m = l->group_first[group]; m; m = l->group_next[m])
        for (int32_t i = 0; i < l->g->nodes[m]->n_in; i++) {
            int32_t id = l->g->nodes[m]->in[i], direct = through_reshapes(l->g, id);
            while (l->g->nodes[id]->op == OP_RESHAPE || l->g->nodes[id]->op == OP_PERMUTE ||
                   l->g->nodes[id]->op == OP_BROADCAST || l->g->nodes[id]->op == OP_SLICE)
                id = l->g->nodes[id]->in[0];
            const ir_node *n = l->g->nodes[id];
            if (shows(l, n, slot) && (direct != id || is_joined(n) || l->f->kind[m] != MEMBER_FULL)) return false;
        }
    return true;
}

static bool shows_written(const lowering *l, const ir_node *n, int32_t group, const int32_t *writer,
                          const bool *direct) {
    int32_t other = n->op == OP_VARIABLE ? writer[n->attr.slot] : 0;
    bool any = other && other != group && direct[other];
    for (int32_t i = 0; is_joined(n) && i < n->n_in; i++)
        any |= shows_written(l, l->g->nodes[n->in[i]], group, writer, direct);
    return any;
}

/* writer: of each variable, the group that writes it in place; 0. What another group overwrites must not be read here:
 * old and new values would mix. */
static bool reads_written(const lowering *l, int32_t group, const int32_t *writer, const bool *direct) {
    for (int32_t m = l->group_first[group]; m; m = l->group_next[m])
        for (int32_t i = 0; i < l->g->nodes[m]->n_in; i++) {
            int32_t id = l->g->nodes[m]->in[i];
            while (l->g->nodes[id]->n_in == 1 && !l->f->group[id]) id = l->g->nodes[id]->in[0];
            if (shows_written(l, l->g->nodes[id], group, writer, direct)) return true;
        }
    return false;
}

/* A group whose results are only assigned writes the variables itself, after all other work of the program. Groups that
 * read each other's variables do not: their values go through memory and are copied at the end. */
static void choose_direct(lowering *l, units *u) {
    const pass_graph *g = l->g;
    for (int32_t i = 0; i < g->n_assigns; i++) {
        int32_t v = g->assigns[i].value;
        if (l->f->group[v] && l->f->kind[v] == MEMBER_FULL && !l->assigned_to[v])
            l->assigned_to[v] = g->assigns[i].slot + 1;
    }
    bool *direct = u->last;
    for (int32_t group = 1; group < l->f->groups; group++)
        direct[group] = l->group_first[group] && only_assigned(l, group);
    int32_t *writer = arena_new(l->memory, int32_t, MAX2(g->source->n_variables, 1));
    for (int32_t i = 0; i < g->n_assigns; i++) {
        int32_t group = l->f->group[g->assigns[i].value], slot = g->assigns[i].slot;
        if (!group || !direct[group]) continue;
        if (reads_in_step(l, group, slot)) writer[slot] = group;
        else direct[group] = false;
    }
    for (int32_t group = 1; group < l->f->groups; group++)
        if (direct[group] && reads_written(l, group, writer, direct)) direct[group] = false;
    for (int32_t id = 1; id < g->count; id++)
        if (l->assigned_to[id] && !direct[l->f->group[id]]) l->assigned_to[id] = 0;
}

/* Values of the other assignments, taken before any variable changes ... */
static view *stage_assigned(lowering *l) {
    const pass_graph *g = l->g;
    view *values = arena_new(l->memory, view, MAX2(g->n_assigns, 1));
    for (int32_t i = 0; i < g->n_assigns; i++) {
        int32_t v = g->assigns[i].value;
        if (l->assigned_to[v]) continue;
        values[i] = *lower_view(l, v);
        if (l->out->flat.buffers[values[i].buffer].space == FLAT_VARIABLE)
            values[i] = copied(l, &values[i], g->nodes[v]->shape);
    }
    return values;
}

/* ... and copied after all of them are made. A value that a group wrote to another variable is copied from there. */
static void copy_assigned(lowering *l, view *values) {
    const pass_graph *g = l->g;
    for (int32_t i = 0; i < g->n_assigns; i++) {
        int32_t v = g->assigns[i].value;
        if (l->assigned_to[v] == g->assigns[i].slot + 1) continue;
        view from = values[i].valid ? values[i] : l->loc[v];
        view to = lower_variable(l, g->assigns[i].slot, from.type, g->nodes[v]->shape);
        lower_copy(l, &from, &to);
    }
}

/* A wanted value gets a contiguous arena buffer of its own class: not a variable, constant or strided view. */
static void place_wanted(lowering *l) {
    for (int32_t i = 0; i < l->g->n_wanted; i++) {
        int32_t node = l->g->wanted[i];
        const view *v = lower_view(l, node);
        const flat_buffer *b = &l->out->flat.buffers[v->buffer];
        bool own = b->space == FLAT_ARENA && v->offset == 0 && view_is_contiguous(v);
        l->out->output_buffer[i] = own ? v->buffer : copied(l, v, l->g->nodes[node]->shape).buffer;
    }
}

/* Rows of the largest product by a variable, which come from all samples; outermost entries of the largest product of a
 * batch, which are samples where it is attention; and the most elements that such products have. */
typedef struct along_samples { int64_t rows, samples, elements; } along_samples;

/* Of attention that is kept: of its product of queries and keys. */
static void find_samples_of(flat_attention a, along_samples *found, double *most) {
    double work = (double)a.batches * (double)a.m * (double)a.n * (double)a.d;
    if (a.batch_ndim && work > *most) *most = work, found->samples = a.batch[0];
}

static along_samples find_samples(const pass_graph *g) {
    along_samples found = { 0 };
    double by_variable = 0, batched = 0;
    for (int32_t id = 1; id < g->count; id++) {
        const ir_node *n = g->nodes[id];
        if (n->op == OP_ATTENTION) find_samples_of(attention_of(g->nodes, n), &found, &batched);
        if (n->op != OP_MATMUL) continue;
        tide_shape in = g->nodes[n->in[0]]->shape;
        int64_t elements = tide_shape_count(n->shape);
        double  work = (double)elements * (double)in.dim[in.ndim - 1];
        bool    of_rows = n->shape.ndim == 2 && node_of_variable(g, n->in[1]);
        if (of_rows && work > by_variable) by_variable = work, found.rows = n->shape.dim[0];
        if (n->shape.ndim > 2 && work > batched) batched = work, found.samples = n->shape.dim[0];
        if (of_rows || n->shape.ndim > 2) found.elements = MAX2(found.elements, elements);
    }
    return found;
}

/* At least four tasks if they divide `what` (fewer if not), as few as that allows, each of least_rows to most_rows of
 * the rows: the more rows, the less often weights are read. */
static int64_t usual_tasks(const backend_cut *n, int64_t what, int64_t rows, int64_t most) {
    int64_t fewer = 0;
    for (int64_t tasks = 2; tasks <= what && rows / tasks >= n->least_rows; tasks++) {
        if (what % tasks || rows % tasks || rows / tasks > most) continue;
        if (tasks >= n->fewest_tasks) return tasks;
        fewer = tasks;
    }
    return fewer;
}

/* The usual tasks in as many pieces as reach n->grains, or as many as there can be. */
static int64_t finest(const backend_cut *n, int64_t usual, int64_t what, int64_t rows) {
    int64_t grains = usual;
    for (int64_t more = usual; usual && more <= what && rows / more >= n->grain_rows; more += usual) {
        if (what % more || rows % more) continue;
        grains = more;
        if (grains >= n->grains) break;
    }
    return grains;
}

/* Of whole grains: as few tasks as `least` and `most` rows a task allow, but none of fewer rows than are multiplied
 * alike. */
static int64_t tasks_of_grains(const backend_cut *n, int64_t grains, int64_t rows, int64_t least, int64_t most) {
    int64_t tasks = 1;
    for (int64_t more = 1; more <= grains && (more == 1 || rows / more >= n->alike_rows); more++) {
        if (grains % more) continue;
        tasks = more;
        if (tasks >= least && rows / tasks <= most) break;
    }
    return tasks;
}

/* The cut that all kernels along the samples share. Equal cuts are what lets schedule.c put kernels into one chain:
 * task t of each touches the same samples.
 *
 * Whole samples if some have no more rows than a task should, or if there are enough of larger ones: then attention is
 * part of the chain too, and what it computes is memory of the task (task_memory.c). A sample alone is cut kernel by
 * kernel: what divides its rows seldom divides the work among threads.
 *
 * Few tasks suit few cores, many tasks many. That no bit depends on it is the work of the grains: whatever is summed
 * over rows is summed over each grain and then over the grains, and a row of a product does not depend on how many
 * others go with it. */
static common_cut choose_cut(const pass_graph *g) {
    const backend_cut *n = g->numbers;
    along_samples x = find_samples(g);
    int64_t most = g->cut.common_rows ? g->cut.common_rows : n->most_rows;
    int64_t usual_most = g->cut.sums_by_task ? most : n->most_rows;
    bool known = x.samples > 1 && x.rows % x.samples == 0;
    int64_t usual = known ? usual_tasks(n, x.samples, x.rows, usual_most) : 0;
    if (known && !usual && x.samples >= n->fewest_tasks && x.rows / x.samples > n->most_rows) usual = x.samples;
    bool whole = usual > 0;
    if (!whole && x.samples != 1) usual = usual_tasks(n, x.rows, x.rows, usual_most);
    common_cut cut = { usual, usual, usual, x.rows, whole ? x.samples : 0, x.elements };
    if (g->cut.sums_by_task || !usual) return cut;
    bool more = g->cut.tasks > n->fewest_tasks, other = g->cut.common_rows || more;
    cut.grains = finest(n, usual, whole ? x.samples : x.rows, x.rows);
    if (other) cut.tasks = tasks_of_grains(n, cut.grains, x.rows, more ? g->cut.tasks : n->fewest_tasks, most);
    return cut;
}

void pass_lower(const pass_graph *g, const fusion *f, bool merge, lowered *out) {
    arena *m = g->memory;
    int32_t n = g->count;
    lowering l = { .g = g, .f = f, .out = out, .memory = m };
    l.loc = arena_new(m, view, n), l.needed = arena_new(m, bool, n), l.read = arena_new(m, bool, n),
    l.reg = arena_new(m, int16_t, n);
    l.assigned_to = arena_new(m, int32_t, n), l.only_permute = arena_new(m, int32_t, n),
    l.second = arena_new(m, int32_t, n), l.third = arena_new(m, int32_t, n);
    l.variable_buffer = arena_new(m, int32_t, MAX2(g->source->n_variables, 1));
    l.variable_at = arena_new(m, int64_t, MAX2(g->source->n_variables, 1));
    for (int32_t i = 0; i < g->source->n_variables; i++) l.variable_buffer[i] = -1;
    l.readers = readers_of(g);
    share_buffers(&l);
    l.group_first = arena_new(m, int32_t, f->groups), l.group_next = arena_new(m, int32_t, n);
    out->output_buffer = arena_new(m, int32_t, MAX2(g->n_wanted, 1));
    out->input_buffer = arena_new(m, int32_t, MAX2(g->n_inputs, 1));
    for (int32_t i = 0; i < g->n_inputs; i++) out->input_buffer[i] = -1;
    units u = { 0 };
    if (merge) l.cut = choose_cut(g);
    out->tasks = l.cut.tasks;
    l.beside = arena_new(m, int32_t, n);
    find_needed(&l);
    find_beside(&l);
    list_groups(&l);
    make_units(&l, &u);
    choose_direct(&l, &u);
    drain(&l, &u, false);
    place_wanted(&l);
    view *values = stage_assigned(&l);
    drain(&l, &u, true);
    copy_assigned(&l, values);
    for (int32_t i = 1; i < u.count; i++) assert(!unit_exists(&l, i) || u.waiting[i] < 0);
    out->flat.seed = g->source->seed;
}
