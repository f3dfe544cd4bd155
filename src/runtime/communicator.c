/* Exchanges between devices: what is asked, checked, and where its variables lie; the backend does the rest. */
#include <tidemill/communicator.h>

#include <inttypes.h>

#include "runtime.h"

struct tide_communicator {
    tide_graph *graph;
    const backend_collectives *calls;
    backend_communicator *of;
    int         ranks;
};

static const backend_collectives *calls_of(const tide_graph *g) {
    return g && g->runtime && g->runtime->backend ? g->runtime->backend->collectives : NULL;
}

const char *tide_communicator_library(const tide_graph *g, const char **missing) {
    const char *why = "the device has no library for it", *name = calls_of(g) ? calls_of(g)->library(&why) : NULL;
    if (missing) *missing = name ? "" : why;
    return name;
}

/* NULL, and why. */
static const backend_collectives *usable(const tide_graph *g, tide_failure *failure) {
    const char *missing;
    if (!g) return fail(failure, TIDE_EINVAL, "communicator: there is no graph"), NULL;
    if (tide_communicator_library(g, &missing)) return calls_of(g);
    return fail(failure, TIDE_EDEVICE, "%s exchanges nothing by itself: %s", tide_graph_device(g), missing), NULL;
}

tide_status tide_communicator_id(const tide_graph *g, char id[TIDE_COMMUNICATOR_ID], tide_failure *failure) {
    failure_clear(failure);
    if (!id) return fail(failure, TIDE_EINVAL, "communicator: there is no place for the name");
    const backend_collectives *calls = usable(g, failure);
    return calls ? calls->make_id(id, failure) : g ? TIDE_EDEVICE : TIDE_EINVAL;
}

static tide_status open_in(tide_graph *g, const char *id, int rank, tide_communicator *c, tide_failure *failure) {
    tide_status status = g->failure.status;
    if (status) return fail(failure, status, "%s", g->failure.message);
    return c->calls->open(g->runtime->place.device, id, rank, c->ranks, &c->of, failure);
}

tide_status tide_communicator_open(tide_graph *g, const char id[TIDE_COMMUNICATOR_ID], int rank, int ranks,
                                   tide_communicator **out, tide_failure *failure) {
    failure_clear(failure);
    if (out) *out = NULL;
    if (!out || !id) return fail(failure, TIDE_EINVAL, "communicator: there is no name, or no place for it");
    if (ranks < 1 || rank < 0 || rank >= ranks)
        return fail(failure, TIDE_EINVAL, "communicator: %d is no rank of %d: they are from 0 on", rank, ranks);
    const backend_collectives *calls = usable(g, failure);
    if (!calls) return g ? TIDE_EDEVICE : TIDE_EINVAL;
    tide_communicator *c = mem_new(&g->allocator, sizeof *c);
    if (!c) return fail(failure, TIDE_ENOMEM, "out of memory for an exchange between devices");
    *c = (tide_communicator){ .graph = g, .calls = calls, .ranks = ranks };
    tide_status status = open_in(g, id, rank, c, failure);
    if (status == TIDE_OK) return *out = c, TIDE_OK;
    mem_free(&g->allocator, c, sizeof *c);
    return status;
}

/* ---- gathering ---- */

/* NULL, and why. */
static const ir_variable *variable_of(const tide_communicator *c, tide_val v, tide_failure *why) {
    bool fine = val_good(v) && v.graph == c->graph && graph_node(v)->op == OP_VARIABLE;
    if (!fine) return fail(why, TIDE_EINVAL, "all_gather: not all are variables of the graph"), NULL;
    if (tide_dtype_of(v) != TIDE_F32)
        return fail(why, TIDE_ETYPE, "all_gather: '%s' is not of float32", tide_name_of(v)), NULL;
    return c->graph->variables[graph_node(v)->attr.slot];
}

static int64_t numbers(tide_val v) { return tide_shape_count(tide_shape_of(v)); }

/* at: rows of `from`'s size. */
static bool fits(const tide_communicator *c, tide_val from, tide_val to, int64_t at) {
    int64_t n = numbers(from);
    return at >= 0 && (n == 0 || (at <= numbers(to) / n && at + c->ranks <= numbers(to) / n));
}

static tide_status share_of(const tide_communicator *c, tide_val from, tide_val to, int64_t at, backend_share *out,
                            tide_failure *why) {
    const ir_variable *a = variable_of(c, from, why), *b = a ? variable_of(c, to, why) : NULL;
    if (!b) return why->status;
    if (b->shared) return fail(why, TIDE_EINVAL, "all_gather: the variable '%s' is shared with other graphs: nothing "
                                                 "may change it", b->name);
    if (!fits(c, from, to, at))
        return fail(why, TIDE_ESHAPE,
                    "all_gather: '%s' has %" PRId64 " numbers, in which %d rows of %" PRId64 " have no place from row %"
                    PRId64 " on", b->name, numbers(to), c->ranks, numbers(from), at);
    int64_t bytes = numbers(from) * (int64_t)sizeof(float);
    *out = (backend_share){ a->block, b->block, a->at, b->at + at * bytes, bytes };
    return TIDE_OK;
}

static tide_status gather(tide_communicator *c, tide_list from, tide_list to, int64_t at, tide_failure *why) {
    backend_share *shares = mem_new(&c->graph->allocator, sizeof *shares * (size_t)from.count);
    int64_t        count  = 0;
    tide_status    status = shares ? runtime_lay_out(c->graph, why)
                                   : fail(why, TIDE_ENOMEM, "out of memory for an exchange between devices");
    for (int64_t i = 0; status == TIDE_OK && i < from.count; i++) {
        status = share_of(c, from.items[i], to.items[i], at, &shares[count], why);
        count += shares[count].bytes > 0;
    }
    if (status == TIDE_OK && count) status = c->calls->all_gather(c->of, shares, count, why);
    mem_free(&c->graph->allocator, shares, sizeof *shares * (size_t)from.count);
    return status;
}

tide_status tide_all_gather(tide_communicator *c, tide_list from, tide_list to, int64_t at, tide_failure *failure) {
    tide_failure why = { 0 };
    failure_clear(failure);
    if (!c) return fail(failure, TIDE_EINVAL, "all_gather: there is no communicator");
    if (from.count < 1 || from.count != to.count || !from.items || !to.items)
        return fail(failure, TIDE_EINVAL, "all_gather: there must be one place for each variable");
    tide_status status = gather(c, from, to, at, &why);
    if (status == TIDE_EDEVICE) runtime_lost(c->graph, &why);
    return status ? fail(failure, status, "%s", why.message) : TIDE_OK;
}

void tide_communicator_abort(tide_communicator *c) {
    if (c) c->calls->abort(c->of);
}

void tide_communicator_close(tide_communicator *c) {
    if (!c) return;
    tide_graph *g = c->graph;
    c->calls->close(c->of);
    mem_free(&g->allocator, c, sizeof *c);
}
