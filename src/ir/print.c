#include <inttypes.h>

#include "ir.h"

const char *const ir_op_names[OP_COUNT] = {
#define X(NAME, text) [OP_##NAME] = text,
    IR_OPS(X)
#undef X
};

const char *const scalar_names[SCALAR_COUNT] = {
#define X(NAME, text, arity) [S_##NAME] = text,
    SCALAR_OPS(X)
#undef X
};

static const char *node_name(const ir_node *n) {
    return n->op == OP_SCALAR ? scalar_names[n->attr.scalar] : ir_op_names[n->op];
}

static const char *node_label(const ir_node *n, const tide_graph *g) {
    if (n->op == OP_VARIABLE) return g->variables[n->attr.slot]->name;
    return n->op == OP_INPUT ? (const char *)n->attr.data : "";
}

static void print_line(text *out, const ir_node *n, int32_t id, const tide_graph *g) {
    char s[128];
    text_add(out, "%%%d = %s", id, node_name(n));
    for (int32_t i = 0; i < n->n_in; i++) text_add(out, "%s%%%d", i ? ", " : " ", n->in[i]);
    text_add(out, " : %s%s", tide_dtype_name(n->type), shape_text(s, n->shape));
    if (n->op == OP_FILL) text_add(out, " = %g", n->attr.number);
    if (*node_label(n, g)) text_add(out, " '%s'", node_label(n, g));
    text_add(out, "\n");
}

static void print_dot(text *out, const ir_node *n, int32_t id, const tide_graph *g) {
    char s[128];
    text_add(out, "  n%d [label=\"%s %s\\n%s%s\"%s];\n", id, node_name(n), node_label(n, g), tide_dtype_name(n->type),
             shape_text(s, n->shape), n->op == OP_MATMUL ? ", style=filled" : "");
    for (int32_t i = 0; i < n->n_in; i++) text_add(out, "  n%d -> n%d;\n", n->in[i], id);
}

void ir_print(text *out, const ir_node *const *nodes, int32_t count, const int32_t *wanted, int32_t n_wanted, bool dot,
              const tide_graph *g) {
    if (dot) text_add(out, "digraph program {\n  node [shape=box, fontname=\"sans-serif\"];\n");
    for (int32_t i = 1; i < count; i++)
        if (nodes[i]) (dot ? print_dot : print_line)(out, nodes[i], i, g);
    if (dot) text_add(out, "}\n");
    else
        for (int32_t i = 0; i < n_wanted; i++) text_add(out, "wanted %%%d\n", wanted[i]);
}
