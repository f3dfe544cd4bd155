/* Field numbers are those of onnx.proto (github.com/onnx/onnx), by message. */
#include "onnx_graph.h"

#include <stdio.h>
#include <string.h>

enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP_TYPE = 4, NODE_ATTRIBUTE = 5 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { ATTRIBUTE_NAME = 1, ATTRIBUTE_I = 3, ATTRIBUTE_INTS = 8, ATTRIBUTE_TYPE = 20 };
enum { ATTRIBUTE_IS_INT = 2, ATTRIBUTE_IS_INTS = 7 };
enum { TENSOR_DIMS = 1, TENSOR_DATA_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW_DATA = 9 };
enum { VALUE_NAME = 1, VALUE_TYPE = 2, TYPE_TENSOR = 1, TYPE_ELEM = 1, TYPE_SHAPE = 2 };
enum { SHAPE_DIM = 1, DIM_VALUE = 1, DIM_PARAM = 2 };

static onnx_value new_value(onnx_graph *g) {
    onnx_value v;
    snprintf(v.name, sizeof v.name, "v%d", g->values++);
    return v;
}

static onnx_value named(const char *name) {
    onnx_value v;
    snprintf(v.name, sizeof v.name, "%s", name);
    return v;
}

/* ---- inputs and outputs ---- */

static void put_axis(protobuf *shape, int64_t size) {
    protobuf dim = { 0 };
    if (size) protobuf_number(&dim, DIM_VALUE, size);
    else protobuf_text(&dim, DIM_PARAM, "batch");
    protobuf_message(shape, SHAPE_DIM, &dim);
}

static void put_value(onnx_graph *g, int field, const char *name, int type, int64_t rows, int64_t columns) {
    protobuf shape = { 0 }, tensor = { 0 }, of = { 0 }, value = { 0 };
    put_axis(&shape, 0);
    put_axis(&shape, rows);
    if (columns) put_axis(&shape, columns);
    protobuf_number(&tensor, TYPE_ELEM, type);
    protobuf_message(&tensor, TYPE_SHAPE, &shape);
    protobuf_message(&of, TYPE_TENSOR, &tensor);
    protobuf_text(&value, VALUE_NAME, name);
    protobuf_message(&value, VALUE_TYPE, &of);
    protobuf_message(&g->graph, field, &value);
}

onnx_value onnx_input(onnx_graph *g, const char *name, int type, int64_t rows, int64_t columns) {
    put_value(g, GRAPH_INPUT, name, type, rows, columns);
    return named(name);
}

/* ---- tensors ---- */

static size_t size_of(int type) { return type == ONNX_FLOAT ? 4 : 8; }

onnx_value onnx_tensor(onnx_graph *g, const char *name, int type, tide_shape shape, const void *data) {
    protobuf   t = { 0 };
    onnx_value v = name ? named(name) : new_value(g);
    for (int i = 0; i < shape.ndim; i++) protobuf_number(&t, TENSOR_DIMS, shape.dim[i]);
    protobuf_number(&t, TENSOR_DATA_TYPE, type);
    protobuf_text(&t, TENSOR_NAME, v.name);
    protobuf_bytes(&t, TENSOR_RAW_DATA, data, (size_t)tide_shape_count(shape) * size_of(type));
    protobuf_message(&g->graph, GRAPH_INITIALIZER, &t);
    return v;
}

onnx_value onnx_float(onnx_graph *g, double value) {
    return onnx_tensor(g, NULL, ONNX_FLOAT, TIDE_SCALAR, &(float){ (float)value });
}

onnx_value onnx_whole(onnx_graph *g, int64_t value) { return onnx_tensor(g, NULL, ONNX_INT64, TIDE_SCALAR, &value); }

onnx_value onnx_wholes(onnx_graph *g, const int64_t *values, int64_t count) {
    return onnx_tensor(g, NULL, ONNX_INT64, TIDE_SHAPE(count), values);
}

/* ---- nodes ---- */

static void put_attribute(protobuf *node, const onnx_attribute *a) {
    protobuf attribute = { 0 };
    protobuf_text(&attribute, ATTRIBUTE_NAME, a->name);
    for (int i = 0; i < a->count; i++)
        protobuf_number(&attribute, a->list ? ATTRIBUTE_INTS : ATTRIBUTE_I, a->values[i]);
    protobuf_number(&attribute, ATTRIBUTE_TYPE, a->list ? ATTRIBUTE_IS_INTS : ATTRIBUTE_IS_INT);
    protobuf_message(node, NODE_ATTRIBUTE, &attribute);
}

static void put_node(onnx_graph *g, const char *op, const onnx_value *inputs, int count, const char *output,
                     const onnx_attribute *attribute) {
    protobuf node = { 0 };
    for (int i = 0; i < count; i++) protobuf_text(&node, NODE_INPUT, inputs[i].name);
    protobuf_text(&node, NODE_OUTPUT, output);
    protobuf_text(&node, NODE_NAME, output);
    protobuf_text(&node, NODE_OP_TYPE, op);
    if (attribute) put_attribute(&node, attribute);
    protobuf_message(&g->graph, GRAPH_NODE, &node);
}

onnx_value onnx_node(onnx_graph *g, const char *op, const onnx_value *inputs, int count,
                     const onnx_attribute *attribute) {
    onnx_value v = new_value(g);
    put_node(g, op, inputs, count, v.name, attribute);
    return v;
}

onnx_value onnx_unary(onnx_graph *g, const char *op, onnx_value x) { return onnx_node(g, op, &x, 1, NULL); }

onnx_value onnx_binary(onnx_graph *g, const char *op, onnx_value a, onnx_value b) {
    return onnx_node(g, op, (onnx_value[]){ a, b }, 2, NULL);
}

onnx_value onnx_cast(onnx_graph *g, onnx_value x, int type) {
    return onnx_node(g, "Cast", &x, 1, ONNX_INT("to", type));
}

void onnx_output(onnx_graph *g, onnx_value v, const char *name, int type, int64_t rows, int64_t columns) {
    put_node(g, "Identity", &v, 1, name, NULL);
    put_value(g, GRAPH_OUTPUT, name, type, rows, columns);
}
