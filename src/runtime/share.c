/* Variables of one graph that another reads in place: a model answers on many threads, each with a graph and programs
 * of its own, and the parameters are in memory once. What is shared is fixed for good, in both graphs, so that no lock
 * is needed: tide_write, tide_restore and programs that assign refuse it. */
#include <inttypes.h>

#include "runtime.h"

static ir_variable *variable_of(tide_val v) {
    return val_good(v) && graph_node(v)->op == OP_VARIABLE ? v.graph->variables[graph_node(v)->attr.slot] : NULL;
}

static bool assigns(const tide_program *p, const ir_variable *v) {
    for (int32_t i = 0; i < p->c.n_assigned; i++) {
        const ir_variable *own = p->graph->variables[p->c.assigned[i]];
        if (own->block == v->block && own->at == v->at) return true;
    }
    return false;
}

/* Of the lending graph: its programs run on while others read. */
static const tide_program *assigned_by(const tide_graph *g, const ir_variable *v) {
    for (const tide_program *p = g->runtime->programs; p; p = p->next)
        if (assigns(p, v)) return p;
    return NULL;
}

static tide_status check_pair(tide_val to, tide_val from, int64_t i, tide_failure *f) {
    const ir_variable *taker = variable_of(to), *lender = variable_of(from);
    char have[128], want[128];
    if (!taker || !lender)
        return fail(f, TIDE_EINVAL, "share: item %" PRId64 " of the list %s is not a variable", i,
                    taker ? "shared from" : "shared to");
    if (tide_dtype_of(to) != tide_dtype_of(from))
        return fail(f, TIDE_ETYPE, "share: '%s' is %s, and '%s' is %s", taker->name, tide_dtype_name(tide_dtype_of(to)),
                    lender->name, tide_dtype_name(tide_dtype_of(from)));
    if (!tide_shape_equal(tide_shape_of(to), tide_shape_of(from)))
        return fail(f, TIDE_ESHAPE, "share: '%s' has shape %s, and '%s' has shape %s", taker->name,
                    shape_text(have, tide_shape_of(to)), lender->name, shape_text(want, tide_shape_of(from)));
    if (taker->block)
        return fail(f, TIDE_EINVAL, "share: '%s' has a value already: share before the graph's first program, read or "
                                    "write", taker->name);
    if (assigned_by(from.graph, lender))
        return fail(f, TIDE_EINVAL, "share: a program assigns '%s': free it first", lender->name);
    return TIDE_OK;
}

static tide_status check_graphs(tide_list to, tide_list from, tide_failure *f) {
    const tide_graph *taker = list_graph(to), *lender = list_graph(from);
    if (!list_readable(to) || !list_readable(from)) return fail(f, TIDE_EINVAL, "share: there is no list of variables");
    if (to.count != from.count)
        return fail(f, TIDE_EINVAL, "share: %" PRId64 " variables cannot take the places of %" PRId64, from.count,
                    to.count);
    if (to.count && (!taker || !lender)) return fail(f, TIDE_EINVAL, "share: a value belongs to no graph");
    if (to.count && taker == lender) return fail(f, TIDE_EINVAL, "share: both lists are of one graph");
    for (int64_t i = 0; i < to.count; i++)
        if (to.items[i].graph != taker || from.items[i].graph != lender)
            return fail(f, TIDE_EINVAL, "share: item %" PRId64 " is of another graph than the first", i);
    return TIDE_OK;
}

static bool holds_any(const storage_block *b, tide_list variables) {
    for (int64_t i = 0; i < variables.count; i++)
        if (variable_of(variables.items[i])->block == b->memory) return true;
    return false;
}

static bool hold_blocks(tide_graph *taker, const tide_graph *lender, tide_list from) {
    for (const storage_hold *h = lender->runtime->holds; h; h = h->next)
        if (holds_any(h->block, from) && !runtime_hold(taker, h->block)) return false;
    return true;
}

/* All that compute in the host's memory do. */
static bool same_memory(const tide_graph *a, const tide_graph *b) {
    const runtime *one = a->runtime, *other = b->runtime;
    return one->place.memory == other->place.memory &&
           (!one->place.memory || one->device_index == other->device_index);
}

tide_status tide_variables_share(tide_list to, tide_list from, tide_failure *failure) {
    failure_clear(failure);
    tide_failure why = { 0 };
    tide_status status = check_graphs(to, from, failure);
    if (status || !to.count) return status;
    tide_graph *taker = list_graph(to), *lender = list_graph(from);
    if (!same_memory(taker, lender))
        return fail(failure, TIDE_EDEVICE, "share: the device '%s' does not have the memory of '%s'",
                    tide_graph_device(taker), tide_graph_device(lender));
    if (runtime_lay_out(lender, &why) || runtime_wait(lender, &why))
        return fail(failure, why.status, "share: %s", why.message);
    if (taker->failure.status) return fail(failure, taker->failure.status, "share: %s", taker->failure.message);
    for (int64_t i = 0; i < to.count; i++)
        if ((status = check_pair(to.items[i], from.items[i], i, failure))) return status;
    if (!hold_blocks(taker, lender, from)) return fail(failure, TIDE_ENOMEM, "share: out of memory");
    for (int64_t i = 0; i < to.count; i++) {
        ir_variable *own = variable_of(to.items[i]), *lent = variable_of(from.items[i]);
        own->block = lent->block, own->at = lent->at;
        own->shared = lent->shared = true;
    }
    return TIDE_OK;
}
