/* Effects under a condition. */
#include "table.h"

static bool condition_ok(tide_val condition, tide_val effect) {
    tide_graph *g = effect.graph;
    const ir_node *n = graph_node(effect);
    if (n->op != OP_ASSIGN && n->op != OP_GROUP)
        return graph_fail(g, TIDE_EINVAL, "when: the second operand is a %s, not an effect", ir_op_names[n->op]), false;
    if (tide_dtype_of(condition) == TIDE_BOOL && tide_shape_count(tide_shape_of(condition)) == 1) return true;
    char s[128];
    graph_fail(g, TIDE_ETYPE, "when: the condition is %s of shape %s; it takes one bool",
               tide_dtype_name(tide_dtype_of(condition)),
               shape_text(s, tide_shape_of(condition)));
    return false;
}

/* The assignments below `root`, each once: groups may share parts many times over. Returns how many. */
static int32_t find_assigns(const tide_graph *g, int32_t root, bool *seen, int32_t *stack, int32_t *assigns) {
    int32_t depth = 0, count = 0;
    seen[root] = true;
    for (stack[depth++] = root; depth;) {
        int32_t id = stack[--depth];
        const ir_node *n = g->nodes[id];
        if (n->op == OP_ASSIGN) assigns[count++] = id;
        for (int32_t i = n->n_in - 1; n->op == OP_GROUP && i >= 0; i--)
            if (!seen[n->in[i]]) seen[n->in[i]] = true, stack[depth++] = n->in[i];
    }
    return count;
}

static tide_val guarded(tide_val condition, tide_val effect, int32_t *assigns, int32_t count) {
    tide_graph *g = effect.graph;
    tide_val   *items = mem_new(&g->allocator, sizeof *items * (size_t)MAX2(count, 1));
    if (!items) return graph_fail(g, TIDE_ENOMEM, "out of memory for an effect");
    for (int32_t i = 0; i < count; i++) {
        tide_val assign = graph_val(g, assigns[i]), variable = node_input(assign, 0);
        items[i] = tide_assign(variable, tide_where(condition, node_input(assign, 1), variable));
    }
    tide_val all = tide_group(g, (tide_list){ items, count });
    mem_free(&g->allocator, items, sizeof *items * (size_t)MAX2(count, 1));
    return all;
}

tide_val tide_when(tide_val condition, tide_val effect) {
    tide_graph *g = effect.graph ? effect.graph : condition.graph;
    if (!operands_good("when", (tide_val[]){ condition, effect }, 2)) return graph_val(g, -1);
    if (!condition_ok(condition, effect)) return graph_val(g, -1);
    size_t   nodes = (size_t)effect.node + 1, bytes = nodes * (2 * sizeof(int32_t) + sizeof(bool));
    int32_t *stack = mem_new(&g->allocator, bytes);
    if (!stack) return graph_fail(g, TIDE_ENOMEM, "out of memory for an effect");
    int32_t *assigns = stack + nodes;
    int32_t  count = find_assigns(g, effect.node, (bool *)(assigns + nodes), stack, assigns);
    tide_val once = tide_reshape(condition, TIDE_SCALAR), all = guarded(once, effect, assigns, count);
    mem_free(&g->allocator, stack, bytes);
    return all;
}
