#include "table.h"

tide_val tide_custom(tide_graph *g, const tide_custom_op *op, tide_list inputs, tide_dtype type, tide_shape shape) {
    if (!list_good(g, "custom", inputs)) return graph_val(g, -1);
    if (!op || !op->run)
        return graph_fail(g, TIDE_EINVAL, "custom '%s': there is no function to run", op && op->name ? op->name : "");
    tide_custom_op *kept = arena_new(&g->memory, tide_custom_op, 1);
    char *name = arena_printf(&g->memory, "%s", op->name ? op->name : "custom");
    if (!kept || !name) return graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
    *kept = *op;
    kept->name = name;
    ir_attr attr = { .data = kept };
    return graph_add(g, OP_CUSTOM, type, shape, inputs.items, (int32_t)inputs.count, &attr);
}

/* What a function of the caller's own gives must fit its input, as our own derivatives do. */
static void check_derivative(tide_val node, const char *name, int32_t i, tide_val dx) {
    tide_val x = node_input(node, i);
    char a[128], b[128];
    if (!dx.graph || dx.node < 0) return;
    if (dx.graph != node.graph || !val_good(dx))
        graph_fail(node.graph, TIDE_EINVAL, "custom '%s': the derivative of input %d is no value of this graph", name,
                   i);
    else if (!tide_shape_equal(tide_shape_of(dx), tide_shape_of(x)) || tide_dtype_of(dx) != tide_dtype_of(x))
        graph_fail(node.graph, TIDE_ESHAPE, "custom '%s': the derivative of input %d is %s %s; it must be %s %s", name,
                   i,
                   tide_dtype_name(tide_dtype_of(dx)), shape_text(a, tide_shape_of(dx)),
                   tide_dtype_name(tide_dtype_of(x)),
                   shape_text(b, tide_shape_of(x)));
}

void vjp_custom(tide_val node, tide_val dy, tide_val *dx) {
    const ir_node *n = graph_node(node);
    const tide_custom_op *op = n->attr.data;
    if (!op->derivative) return;
    tide_val *inputs = arena_new(&node.graph->memory, tide_val, MAX2(n->n_in, 1));
    if (!inputs) {
        graph_fail(node.graph, TIDE_ENOMEM, "out of memory while building the graph");
        return;
    }
    for (int32_t i = 0; i < n->n_in; i++) inputs[i] = node_input(node, i);
    op->derivative(op->user, (tide_list){ inputs, n->n_in }, node, dy, dx);
    for (int32_t i = 0; i < n->n_in; i++) check_derivative(node, op->name, i, dx[i]);
}
