#include "table.h"

tide_val tide_custom(tide_graph *g, const tide_custom_op *op, tide_list inputs, tide_dtype type, tide_shape shape) {
    tide_custom_op *kept = arena_new(&g->memory, tide_custom_op, 1);
    char *name = arena_printf(&g->memory, "%s", op->name ? op->name : "custom");
    if (!kept || !name) return graph_fail(g, TIDE_ENOMEM, "out of memory while building the graph");
    if (!op->run) return graph_fail(g, TIDE_EINVAL, "custom '%s': there is no function to run", name);
    *kept = *op;
    kept->name = name;
    ir_attr attr = { .data = kept };
    return graph_add(g, OP_CUSTOM, type, shape, inputs.items, (int32_t)inputs.count, &attr);
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
}
