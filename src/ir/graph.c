/* The graph: nodes in an arena, names and scopes, the four doors through which values of callers come, and the first
 * error, which stays. */
#include <inttypes.h>
#include <stdio.h>

#include "ir.h"

bool graph_grow(tide_graph *g, void *array, int32_t count, int32_t *capacity, size_t element) {
    if (count < *capacity) return true;
    int32_t more = MAX2(64, *capacity * 2);
    void *bigger = mem_new(&g->allocator, (size_t)more * element), **slot = array;
    if (!bigger) return false;
    if (count) memcpy(bigger, *slot, (size_t)count * element);
    mem_free(&g->allocator, *slot, (size_t)*capacity * element);
    *slot = bigger, *capacity = more;
    return true;
}

bool graph_init(tide_graph *g) {
    g->memory = (arena){ .allocator = &g->allocator };
    if (!graph_grow(g, &g->nodes, 0, &g->capacity, sizeof *g->nodes)) return false;
    g->nodes[0] = arena_new(&g->memory, ir_node, 1);
    g->count = 1;
    g->sites = 1;
    return g->nodes[0] != NULL;
}

/* Names of scopes are no part of the graph's arena: they may outlive what was made within them. */
static void scope_drop(tide_graph *g) {
    char *name = (char *)g->scopes[--g->depth];
    mem_free(&g->allocator, name, strlen(name) + 1);
}

void graph_clear(tide_graph *g) {
    mem_free(&g->allocator, g->nodes, (size_t)g->capacity * sizeof *g->nodes);
    mem_free(&g->allocator, g->variables, (size_t)g->variable_capacity * sizeof *g->variables);
    while (g->depth > 0) scope_drop(g);
    mem_free(&g->allocator, g->scopes, (size_t)g->scope_capacity * sizeof *g->scopes);
    mem_free(&g->allocator, g->marks, (size_t)g->mark_capacity * sizeof *g->marks);
    mem_free(&g->allocator, g->defined, (size_t)g->defined_capacity * sizeof *g->defined);
    arena_free(&g->memory);
}

static void scope_text(const tide_graph *g, char *out, size_t size) {
    out[0] = 0;
    for (int32_t i = 0, at = 0; i < g->depth && (size_t)at < size; i++)
        at += snprintf(out + at, size - (size_t)at, "%s.", g->scopes[i]);
}

tide_val graph_fail(tide_graph *g, tide_status status, const char *format, ...) {
    if (g && !g->failure.status) {
        va_list args;
        va_start(args, format);
        int length = vsnprintf(g->failure.message, sizeof g->failure.message, format, args);
        va_end(args);
        g->failure.status = status;
        if (g->depth && length >= 0 && (size_t)length < sizeof g->failure.message) {
            char place[256];
            scope_text(g, place, sizeof place);
            size_t used = (size_t)length;
            snprintf(g->failure.message + used, sizeof g->failure.message - used, " (in %.*s)", (int)strlen(place) - 1,
                     place);
        }
    }
    return graph_val(g, -1);
}

static tide_val out_of_memory(tide_graph *g) {
    return graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
}

static bool is_effect(const ir_node *n) { return n->op == OP_ASSIGN || n->op == OP_GROUP; }

/* ---- doors ---- */

/* What is wrong with operand `i`, told to g; `one` is the graph that the operands share. */
static bool operand_fits(tide_graph *g, const tide_graph *one, const char *op, tide_val v, int64_t i) {
    if (!v.graph) graph_fail(g, TIDE_EINVAL, "%s: operand %" PRId64 " belongs to no graph", op, i);
    else if (v.graph != one) graph_fail(g, TIDE_EINVAL, "%s: operand %" PRId64 " belongs to another graph", op, i);
    else if (v.node < 0) graph_fail(g, TIDE_EINVAL, "%s: operand %" PRId64 " is the poison value", op, i);
    else if (!val_good(v) && v.node > 0 && g->generation)
        graph_fail(g, TIDE_EINVAL, "%s: operand %" PRId64 " is no value of its graph any more: it was given back by "
                   "tide_graph_rewind", op, i);
    else if (!val_good(v))
        graph_fail(g, TIDE_EINVAL, "%s: operand %" PRId64 " is no value of its graph: it has no node %d", op, i,
                   v.node);
    else return true;
    return false;
}

bool operands_good(const char *op, const tide_val *in, int64_t count) {
    tide_graph *one = list_graph((tide_list){ in, count });
    bool good = true;
    for (int64_t i = 0; i < count; i++) {
        if (operand_fits(one, one, op, in[i], i)) continue;
        if (in[i].graph && in[i].graph != one) operand_fits(in[i].graph, one, op, in[i], i);
        good = false;
    }
    return good;
}

bool list_good(tide_graph *g, const char *op, tide_list list) {
    if (!list_readable(list))
        return graph_fail(g, TIDE_EINVAL, "%s: a list of %" PRId64 " values, without any", op, list.count), false;
    if (!g) graph_fail(list_graph(list), TIDE_EINVAL, "%s: there is no graph", op);
    return g != NULL;
}

bool shape_good(tide_graph *g, const char *op, tide_shape shape) {
    int64_t elements;
    char s[128];
    if (shape.ndim < 0 || shape.ndim > TIDE_MAX_DIMS)
        return graph_fail(g, TIDE_ESHAPE, "%s: a shape of %d axes; there may be 0 to %d", op, shape.ndim,
                          TIDE_MAX_DIMS),
               false;
    if (shape_count_checked(shape, &elements)) return true;
    graph_fail(g, TIDE_ESHAPE, "%s: the shape %s has a negative size or too many elements", op, shape_text(s, shape));
    return false;
}

bool type_good(tide_graph *g, const char *op, tide_dtype type) {
    if ((unsigned)type < TIDE_DTYPES) return true;
    return graph_fail(g, TIDE_ETYPE, "%s: %d is not an element type", op, (int)type), false;
}

tide_val graph_add(tide_graph *g, ir_op op, tide_dtype type, tide_shape shape, const tide_val *in, int32_t n_in,
                   const ir_attr *attr) {
    const char *name = ir_op_names[op];
    if (!operands_good(name, in, n_in) || !g) return graph_val(g, -1);
    for (int32_t i = 0; i < n_in; i++) {
        if (in[i].graph != g) return graph_fail(g, TIDE_EINVAL, "%s: operand %d belongs to another graph", name, i);
        if (op != OP_GROUP && is_effect(graph_node(in[i])))
            return graph_fail(g, TIDE_EINVAL, "%s: operand %d is an effect, not a value", name, i);
    }
    if (!type_good(g, name, type) || !shape_good(g, name, shape)) return graph_val(g, -1);
    if (!graph_grow(g, &g->nodes, g->count, &g->capacity, sizeof *g->nodes)) return out_of_memory(g);
    ir_node *node = arena_new(&g->memory, ir_node, 1);
    int32_t *inputs = node ? arena_new(&g->memory, int32_t, MAX2(n_in, 1)) : NULL;
    if (!inputs) return out_of_memory(g);
    for (int32_t i = 0; i < n_in; i++) inputs[i] = in[i].node;
    for (int i = shape.ndim; i < TIDE_MAX_DIMS; i++) shape.dim[i] = 0;
    *node = (ir_node){ (uint8_t)op, (uint8_t)type, n_in, inputs, shape, attr ? *attr : (ir_attr){ 0 }, 0, g->region,
                       false, g->generation, 0, 0 };
    g->nodes[g->count++] = node;
    return graph_val(g, g->count - 1);
}

/* ---- public: handles and scopes ---- */

bool       tide_ok(tide_val v) { return val_good(v); }
tide_shape tide_shape_of(tide_val v) { return val_good(v) ? graph_node(v)->shape : TIDE_SCALAR; }
tide_dtype tide_dtype_of(tide_val v) { return val_good(v) ? (tide_dtype)graph_node(v)->type : TIDE_F32; }

const char *tide_name_of(tide_val v) {
    if (!val_good(v)) return "";
    const ir_node *n = graph_node(v);
    if (n->op == OP_VARIABLE) return v.graph->variables[n->attr.slot]->name;
    return n->op == OP_INPUT ? (const char *)n->attr.data : "";
}

const tide_failure *tide_error(const tide_graph *g) {
    static const tide_failure no_graph = { .status = TIDE_ENOMEM, .message = "there is no graph" };
    return !g ? &no_graph : g->failure.status ? &g->failure : &g->read_failure;
}

tide_status tide_error_take(tide_graph *g, tide_failure *failure) {
    const tide_failure *first = g ? &g->failure : tide_error(NULL);
    tide_status         status = first->status;
    if (failure && status) *failure = *first;
    else failure_clear(failure);
    if (g && status) g->failure = (tide_failure){ 0 };
    return status;
}

void tide_scope_push(tide_graph *g, const char *name) {
    if (!g) return;
    if (!name) graph_fail(g, TIDE_EINVAL, "scope: there is no name");
    size_t bytes = strlen(name ? name : "") + 1;
    char *copy = mem_new(&g->allocator, bytes);
    if (copy && graph_grow(g, &g->scopes, g->depth, &g->scope_capacity, sizeof *g->scopes)) {
        g->scopes[g->depth++] = memcpy(copy, name ? name : "", bytes);
        return;
    }
    mem_free(&g->allocator, copy, bytes);
    out_of_memory(g);
}

void tide_scope_pop(tide_graph *g) {
    if (g && g->depth > 0) scope_drop(g);
    else graph_fail(g, TIDE_EINVAL, "tide_scope_pop without a scope");
}

void tide_recompute_begin(tide_graph *g) {
    if (g && g->region_depth++ == 0) g->region = ++g->regions;
}

void tide_recompute_end(tide_graph *g) {
    if (!g || g->region_depth == 0) graph_fail(g, TIDE_EINVAL, "tide_recompute_end without a region");
    else if (--g->region_depth == 0) g->region = 0;
}

/* With the scopes; NULL, and the graph says why. `op` asks for it. */
static char *full_name(tide_graph *g, const char *op, const char *name) {
    char place[256];
    if (!g) return NULL;
    if (!name) return graph_fail(g, TIDE_EINVAL, "%s: there is no name", op), NULL;
    scope_text(g, place, sizeof place);
    char *full = arena_printf(&g->memory, "%s%s", place, name);
    if (!full) out_of_memory(g);
    return full;
}

/* ---- public: leaves ---- */

tide_val tide_input(tide_graph *g, const char *name, tide_dtype type, tide_shape shape) {
    char *full = full_name(g, "input", name);
    if (!full) return graph_val(g, -1);
    ir_attr attr = { .slot = g->n_inputs, .data = full };
    tide_val v = graph_add(g, OP_INPUT, type, shape, NULL, 0, &attr);
    if (val_good(v)) g->n_inputs++;
    return v;
}

tide_val tide_constant(tide_graph *g, tide_dtype type, tide_shape shape, const void *data) {
    if (!g || !type_good(g, "constant", type) || !shape_good(g, "constant", shape)) return graph_val(g, -1);
    size_t bytes = (size_t)tide_shape_count(shape) * tide_dtype_size(type);
    if (bytes && !data) return graph_fail(g, TIDE_EINVAL, "constant: there is no data for its %zu bytes", bytes);
    char *memory = arena_alloc(&g->memory, bytes + 64);
    if (!memory) return out_of_memory(g);
    memory += (64 - ((uintptr_t)memory & 63)) & 63;
    if (bytes) memcpy(memory, data, bytes);
    ir_attr attr = { .data = memory };
    return graph_add(g, OP_CONSTANT, type, shape, NULL, 0, &attr);
}

tide_val tide_fill(tide_graph *g, tide_dtype type, tide_shape shape, double value) {
    ir_attr attr = { .number = value };
    return graph_add(g, OP_FILL, type, shape, NULL, 0, &attr);
}

tide_val tide_scalar_of(tide_graph *g, tide_dtype type, double value) { return tide_fill(g, type, TIDE_SCALAR, value); }

/* ---- public: variables and effects ---- */

/* Whether `node` depends on an input, with a stack of our own: each node is pushed once. */
static bool needs_feed(const tide_graph *g, int32_t node, bool *seen, int32_t *stack) {
    int32_t depth = 0;
    for (stack[depth++] = node; depth;) {
        const ir_node *n = g->nodes[stack[--depth]];
        if (n->op == OP_INPUT) return true;
        for (int32_t i = 0; i < n->n_in; i++)
            if (!seen[n->in[i]]) seen[n->in[i]] = true, stack[depth++] = n->in[i];
    }
    return false;
}

/* An initial value must be computable without a feed. Most need no search: they have no operands. */
static bool initial_checked(tide_graph *g, tide_val initial, const char *name) {
    if (is_effect(graph_node(initial)))
        return graph_fail(g, TIDE_EINVAL, "variable '%s': its initial value is an effect", name), false;
    if (graph_node(initial)->n_in == 0 && graph_node(initial)->op != OP_INPUT) return true;
    arena scratch = { .allocator = &g->allocator };
    bool *seen = arena_new(&scratch, bool, initial.node + 1);
    int32_t *stack = arena_new(&scratch, int32_t, initial.node + 1);
    bool memory = seen && stack, fed = memory && needs_feed(g, initial.node, seen, stack);
    arena_free(&scratch);
    if (!memory) out_of_memory(g);
    else if (fed) graph_fail(g, TIDE_EINVAL, "variable '%s': its initial value needs a feed", name);
    return memory && !fed;
}

tide_val tide_find_variable(tide_graph *g, const char *name) {
    for (int32_t i = 0; g && name && i < g->n_variables; i++)
        if (!strcmp(g->variables[i]->name, name)) return graph_val(g, g->variables[i]->node);
    return graph_val(g, -1);
}

tide_val tide_variable(tide_graph *g, const char *name, tide_val initial) {
    if (!list_good(g, "variable", (tide_list){ &initial, 1 })) return graph_val(g, -1);
    if (!operand_good("variable", initial) || initial.graph != g)
        return graph_fail(g, TIDE_EINVAL, "variable: its initial value belongs to %s graph",
                          initial.graph ? "another" : "no");
    char *full = full_name(g, "variable", name);
    if (!full) return graph_val(g, -1);
    if (val_good(tide_find_variable(g, full)))
        return graph_fail(g, TIDE_EINVAL, "variable: the name '%s' is taken", full);
    if (!initial_checked(g, initial, full)) return graph_val(g, -1);
    if (!graph_grow(g, &g->variables, g->n_variables, &g->variable_capacity, sizeof *g->variables))
        return out_of_memory(g);
    ir_variable *v = arena_new(&g->memory, ir_variable, 1);
    if (!v) return out_of_memory(g);
    ir_attr attr = { .slot = g->n_variables };
    tide_val out = graph_add(g, OP_VARIABLE, tide_dtype_of(initial), tide_shape_of(initial), NULL, 0, &attr);
    if (!val_good(out)) return out;
    *v = (ir_variable){ .node = out.node, .initial = initial.node, .name = full };
    g->variables[g->n_variables++] = v;
    g->floor = graph_here(g);
    return out;
}

tide_val tide_assign(tide_val variable, tide_val value) {
    tide_graph *g = variable.graph ? variable.graph : value.graph;
    if (!operands_good("assign", (tide_val[]){ variable, value }, 2)) return graph_val(g, -1);
    if (!weak_meets("assign", &variable, &value)) return graph_val(g, -1);
    const ir_node *to = graph_node(variable), *from = graph_node(value);
    if (to->op != OP_VARIABLE)
        return graph_fail(g, TIDE_EINVAL, "assign: the first operand is a %s, not a variable", ir_op_names[to->op]);
    if (to->type != from->type)
        return graph_fail(g, TIDE_ETYPE, "assign: '%s' is %s, the value is %s", tide_name_of(variable),
                          tide_dtype_name(to->type), tide_dtype_name(from->type));
    if (!tide_shape_equal(to->shape, from->shape)) {
        char a[128], b[128];
        return graph_fail(g, TIDE_ESHAPE, "assign: '%s' has shape %s, the value %s", tide_name_of(variable),
                          shape_text(a, to->shape), shape_text(b, from->shape));
    }
    return graph_add(g, OP_ASSIGN, to->type, TIDE_SCALAR, (tide_val[]){ variable, value }, 2, NULL);
}

tide_val tide_group(tide_graph *g, tide_list effects) {
    if (!list_good(g, "group", effects)) return graph_val(g, -1);
    for (int64_t i = 0; i < effects.count; i++)
        if (val_good(effects.items[i]) && !is_effect(graph_node(effects.items[i])))
            return graph_fail(g, TIDE_EINVAL, "group: item %d is a %s, not an effect", (int)i,
                              ir_op_names[graph_node(effects.items[i])->op]);
    return graph_add(g, OP_GROUP, TIDE_F32, TIDE_SCALAR, effects.items, (int32_t)effects.count, NULL);
}

void tide_mark_param(tide_val variable) {
    if (!operand_good("mark_param", variable)) return;
    const ir_node *n = graph_node(variable);
    if (n->op == OP_VARIABLE) variable.graph->variables[n->attr.slot]->param = true;
    else graph_fail(variable.graph, TIDE_EINVAL, "mark_param: the operand is a %s, not a variable", ir_op_names[n->op]);
}

static tide_list variables_with(tide_graph *g, const char *prefix, bool params_only) {
    if (!g) return (tide_list){ 0 };
    if (!prefix) prefix = "";
    tide_val *items = arena_new(&g->memory, tide_val, MAX2(g->n_variables, 1));
    if (!items) {
        out_of_memory(g);
        return (tide_list){ 0 };
    }
    int64_t count = 0;
    for (int32_t i = 0; i < g->n_variables; i++) {
        const ir_variable *v = g->variables[i];
        if ((!params_only || v->param) && !strncmp(v->name, prefix, strlen(prefix)))
            items[count++] = graph_val(g, v->node);
    }
    return (tide_list){ items, count };
}

tide_list tide_params(tide_graph *g, const char *prefix) { return variables_with(g, prefix, true); }
tide_list tide_state(tide_graph *g, const char *prefix) { return variables_with(g, prefix, false); }
