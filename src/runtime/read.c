/* Reading and writing values. */
#include <inttypes.h>

#include "lazy.h"

static tide_status not_readable(tide_val v, tide_failure *why) {
    const tide_graph *g = v.graph;
    if (v.node > 0 && g->generation)
        return fail(why, TIDE_EINVAL, "read: this is no value of its graph any more: it was given back by "
                                      "tide_graph_rewind");
    return fail(why, TIDE_EINVAL, v.node < 0 ? "read: the value is poison" : "read: this is no value of its graph");
}

/* What the program's last run left, or will leave. */
static tide_status find_result(const result *r, location *where, tide_failure *why) {
    const tide_program *p = r->program;
    if (!p->ran && p->failure.status) return *why = p->failure, why->status;
    if (!p->ran) return fail(why, TIDE_EINVAL, "read: the program that computes the value has not run");
    *where = program_output(p, r->output);
    return TIDE_OK;
}

static const place host = { 0 };

/* now: whether or not a program has computed the value. */
static tide_status find_data(tide_val v, bool now, location *where, tide_failure *why) {
    tide_graph *g = v.graph;
    const runtime *rt = g->runtime;
    if (!val_good(v)) return not_readable(v, why);
    const ir_node *n = graph_node(v);
    if (n->op == OP_CONSTANT) return *where = (location){ &host, (void *)n->attr.data, 0, NULL }, TIDE_OK;
    if (n->op == OP_ASSIGN || n->op == OP_GROUP) return fail(why, TIDE_EINVAL, "read: an effect has no value");
    if (n->op == OP_VARIABLE) {
        if (runtime_lay_out(g, why)) return why->status;
        ir_variable *own = g->variables[n->attr.slot];
        return *where = (location){ &rt->place, own->block, own->at, &own->copy }, TIDE_OK;
    }
    bool held = !now && v.node < rt->result_capacity && rt->results[v.node].program;
    return held ? find_result(&rt->results[v.node], where, why) : lazy_value(v, where, why);
}

/* Why a read or write failed is kept until the next one: unlike a failure of building, it may pass. */
static tide_status begin_access(tide_graph *g) {
    if (!g) return TIDE_EINVAL;
    g->read_failure = (tide_failure){ 0 };
    return g->failure.status;
}

/* What is queued ends first, what finding the value queued too: a run that failed meanwhile has no values. */
static tide_status locate(tide_val v, bool now, location *where) {
    tide_status status = begin_access(v.graph);
    if (!status) status = runtime_wait(v.graph, &v.graph->read_failure);
    if (!status) status = find_data(v, now, where, &v.graph->read_failure);
    return status ? status : runtime_wait(v.graph, &v.graph->read_failure);
}

static size_t value_bytes(tide_val v) {
    return (size_t)tide_shape_count(tide_shape_of(v)) * tide_dtype_size(tide_dtype_of(v));
}

static tide_status wrong_size(tide_val v, const char *what, size_t bytes) {
    return fail(&v.graph->read_failure, TIDE_EINVAL, "%s: %zu bytes for a value of %zu", what, bytes, value_bytes(v));
}

static tide_status read_into(tide_val v, bool now, void *out, size_t bytes) {
    location where;
    tide_status status = locate(v, now, &where);
    if (status) return status;
    if (bytes < value_bytes(v)) return wrong_size(v, "read", bytes);
    if (value_bytes(v) && !out) return fail(&v.graph->read_failure, TIDE_EINVAL, "read: there is nowhere to write to");
    return place_get(where.place, out, where.block, where.at, (int64_t)value_bytes(v), &v.graph->read_failure);
}

tide_status tide_read(tide_val v, void *out, size_t bytes) { return read_into(v, false, out, bytes); }
tide_status tide_read_now(tide_val v, void *out, size_t bytes) { return read_into(v, true, out, bytes); }

const void *tide_data(tide_val v) {
    location where;
    return locate(v, false, &where) ? NULL : place_data(&where, (int64_t)value_bytes(v), &v.graph->read_failure);
}

tide_status tide_write(tide_val variable, const void *data, size_t bytes) {
    tide_graph *g = variable.graph;
    tide_status status = begin_access(g);
    if (status) return status;
    if (!val_good(variable) || graph_node(variable)->op != OP_VARIABLE)
        return fail(&g->read_failure, TIDE_EINVAL, "write: the value is not a variable");
    if (bytes != value_bytes(variable)) return wrong_size(variable, "write", bytes);
    if (bytes && !data) return fail(&g->read_failure, TIDE_EINVAL, "write: there is no data");
    if (runtime_lay_out(g, &g->read_failure)) return g->read_failure.status;
    if (g->variables[graph_node(variable)->attr.slot]->shared)
        return fail(&g->read_failure, TIDE_EINVAL, "write: the variable '%s' is shared with other graphs: nothing may "
                                                   "change it", tide_name_of(variable));
    if (runtime_wait(g, &g->read_failure)) return g->read_failure.status;
    const ir_variable *v = g->variables[graph_node(variable)->attr.slot];
    return place_put(&g->runtime->place, v->block, v->at, data, (int64_t)bytes, &g->read_failure);
}
