/* Variables: one block for all that were made since the last time, in the order they were made; their first values are
 * computed by a program of their own. */
#include <inttypes.h>

#include "runtime.h"

static int64_t variable_bytes(const tide_graph *g, const ir_variable *v) {
    const ir_node *n = g->nodes[v->node];
    return tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
}

static int64_t in_block(int64_t bytes) { return round_up(bytes, 64); }

/* The host's memory goes back to where it came from; a device's, to the device. */
static place place_of(const tide_graph *g, const storage_block *b) {
    place p = g->runtime->place;
    if (!p.memory) p.allocator = b->allocator;
    return p;
}

static storage_block *block_new(tide_graph *g, int64_t bytes) {
    storage_block *b = mem_new(&g->allocator, sizeof *b);
    if (!b) return NULL;
    b->allocator = g->allocator, b->bytes = MAX2(bytes, 64);
    atomic_init(&b->holders, 0);
    b->memory = place_alloc(&g->runtime->place, b->bytes);
    if (b->memory) return b;
    mem_free(&g->allocator, b, sizeof *b);
    return NULL;
}

static void block_free(const tide_graph *g, storage_block *b) {
    tide_allocator allocator = b->allocator;
    place p = place_of(g, b);
    place_free(&p, b->memory, b->bytes);
    mem_free(&allocator, b, sizeof *b);
}

/* False: out of memory. */
bool runtime_hold(tide_graph *g, storage_block *b) {
    storage_hold *h = mem_new(&g->allocator, sizeof *h);
    if (!h) return false;
    *h = (storage_hold){ g->runtime->holds, b };
    g->runtime->holds = h;
    atomic_fetch_add(&b->holders, 1);
    return true;
}

static tide_status take_values(tide_program *p, const int32_t *slots, int32_t count, storage_block *block,
                               tide_failure *why) {
    tide_graph *g = p->graph;
    int64_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        int64_t bytes = variable_bytes(g, g->variables[slots[i]]);
        location l = program_output(p, i);
        const void *value = bytes ? place_data(&l, bytes, why) : NULL;
        if (bytes && (!value || place_put(&g->runtime->place, block->memory, at, value, bytes, why)))
            return why->status;
        at += in_block(bytes);
    }
    return TIDE_OK;
}

/* Runs the program of all first values and copies its outputs. Variables still have no storage meanwhile. */
static tide_status first_values(tide_graph *g, const int32_t *slots, int32_t count, storage_block *block,
                                tide_failure *why) {
    tide_val *initial = mem_new(&g->allocator, sizeof(tide_val) * (size_t)count);
    if (!initial) return fail(why, TIDE_ENOMEM, "out of memory for the variables");
    for (int32_t i = 0; i < count; i++) initial[i] = graph_val(g, g->variables[slots[i]]->initial);
    compile_request request = runtime_request(g, (tide_list){ initial, count });
    request.initial = true;
    tide_program *p = program_make(g, &request, &(program_how){ 0 });
    tide_status status = !p ? fail(why, TIDE_ENOMEM, "out of memory for the variables") : tide_run(p, NULL, 0);
    if (!status) status = tide_wait(p);
    if (p && status && why) *why = p->failure;
    if (!status) status = take_values(p, slots, count, block, why);
    tide_program_free(p);
    mem_free(&g->allocator, initial, sizeof(tide_val) * (size_t)count);
    return status;
}

static void take_block(tide_graph *g, const storage_block *block, const int32_t *slots, int32_t count) {
    int64_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        ir_variable *v = g->variables[slots[i]];
        v->block = block->memory, v->at = at;
        at += in_block(variable_bytes(g, v));
    }
    g->runtime->variable_bytes += block->bytes;
}

static tide_status lay_out(tide_graph *g, const int32_t *slots, int32_t count, tide_failure *why) {
    int64_t bytes = 0;
    for (int32_t i = 0; i < count; i++) bytes += in_block(variable_bytes(g, g->variables[slots[i]]));
    storage_block *block = block_new(g, bytes);
    if (!block && runtime_wait(g, why)) return why->status;
    if (!block) return fail(why, TIDE_ENOMEM, "not enough memory for the variables: %" PRId64 " bytes", bytes);
    tide_status status = first_values(g, slots, count, block, why);
    if (!status && !runtime_hold(g, block)) status = fail(why, TIDE_ENOMEM, "out of memory for the variables");
    if (status) block_free(g, block);
    else take_block(g, block, slots, count);
    return status;
}

/* Those that another graph lends have storage already. */
tide_status runtime_lay_out(tide_graph *g, tide_failure *why) {
    runtime *rt = g->runtime;
    int32_t count = 0, room = g->n_variables - rt->laid_out;
    if (g->failure.status) return *why = g->failure, why->status;
    if (!room) return TIDE_OK;
    int32_t *slots = mem_new(&g->allocator, sizeof *slots * (size_t)room);
    if (!slots) return fail(why, TIDE_ENOMEM, "out of memory for the variables");
    for (int32_t i = rt->laid_out; i < g->n_variables; i++)
        if (!g->variables[i]->block) slots[count++] = i;
    tide_status status = count ? lay_out(g, slots, count, why) : TIDE_OK;
    if (!status) rt->laid_out = g->n_variables;
    mem_free(&g->allocator, slots, sizeof *slots * (size_t)room);
    return status;
}

void runtime_free_storage(tide_graph *g) {
    for (int32_t i = 0; i < g->n_variables; i++)
        mem_free(&g->allocator, g->variables[i]->copy, (size_t)variable_bytes(g, g->variables[i]));
    for (storage_hold *h = g->runtime->holds, *next; h; h = next) {
        next = h->next;
        if (atomic_fetch_sub(&h->block->holders, 1) == 1) block_free(g, h->block);
        mem_free(&g->allocator, h, sizeof *h);
    }
}

/* ---- snapshots: one block for all copies ---- */

struct tide_snapshot_s {
    tide_graph *graph;
    int64_t     count;
    size_t      bytes;   /* of the whole allocation */
    int32_t    *slots;
    char       *copies;
};

static bool all_variables(tide_list list) {
    const tide_graph *g = list_graph(list);
    for (int64_t i = 0; g && i < list.count; i++)
        if (!val_good(list.items[i]) || list.items[i].graph != g || graph_node(list.items[i])->op != OP_VARIABLE)
            return false;
    return g != NULL;
}

tide_snapshot_t *tide_snapshot(tide_list variables) {
    if (!all_variables(variables)) return NULL;
    tide_graph *g = variables.items[0].graph;
    g->read_failure = (tide_failure){ 0 };
    int64_t slots = in_block((int64_t)sizeof(int32_t) * variables.count);
    int64_t head = in_block(sizeof(tide_snapshot_t)) + slots, bytes = head;
    for (int64_t i = 0; i < variables.count; i++)
        bytes += in_block(variable_bytes(g, g->variables[graph_node(variables.items[i])->attr.slot]));
    tide_snapshot_t *s = mem_new(&g->allocator, (size_t)bytes);
    if (!s) return NULL;
    *s = (tide_snapshot_t){ g, variables.count, (size_t)bytes, (int32_t *)((char *)s + in_block(sizeof *s)),
                             (char *)s + head };
    for (int64_t i = 0; i < variables.count; i++) s->slots[i] = graph_node(variables.items[i])->attr.slot;
    if (!tide_snapshot_update(s)) return s;
    tide_snapshot_free(s);
    return NULL;
}

const void *tide_snapshot_data(const tide_snapshot_t *s, int64_t index) {
    if (!s || index < 0 || index >= s->count) return NULL;
    const char *at = s->copies;
    for (int64_t i = 0; i < index; i++) at += in_block(variable_bytes(s->graph, s->graph->variables[s->slots[i]]));
    return at;
}

/* Why it failed is kept as a read's. */
static tide_status snapshot_move(const tide_snapshot_t *s, bool restore) {
    if (!s) return TIDE_EINVAL;
    tide_failure *why = &s->graph->read_failure;
    *why = (tide_failure){ 0 };
    if (runtime_lay_out(s->graph, why) || runtime_wait(s->graph, why)) return why->status;
    for (int64_t i = 0; restore && i < s->count; i++)
        if (s->graph->variables[s->slots[i]]->shared)
            return fail(why, TIDE_EINVAL, "restore: the variable '%s' is shared with other graphs: nothing may change "
                                          "it", s->graph->variables[s->slots[i]]->name);
    char *at = s->copies;
    const place *p = &s->graph->runtime->place;
    tide_status status = TIDE_OK;
    for (int64_t i = 0; !status && i < s->count; i++) {
        const ir_variable *v = s->graph->variables[s->slots[i]];
        int64_t bytes = variable_bytes(s->graph, v);
        status = restore ? place_put(p, v->block, v->at, at, bytes, why)
                         : place_get(p, at, v->block, v->at, bytes, why);
        at += in_block(bytes);
    }
    return status;
}

tide_status tide_snapshot_update(tide_snapshot_t *s) { return snapshot_move(s, false); }
tide_status tide_restore(const tide_snapshot_t *s) { return snapshot_move(s, true); }

void tide_snapshot_free(tide_snapshot_t *s) {
    if (s) mem_free(&s->graph->allocator, s, s->bytes);
}
