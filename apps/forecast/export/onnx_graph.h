/* An ONNX graph being made, node by node (onnx.proto of IR version 8). A value is a name; every function returns that
 * of what it made. */
#ifndef FORECAST_ONNX_GRAPH_H
#define FORECAST_ONNX_GRAPH_H

#include <tidemill/core.h>

#include "protobuf.h"

enum { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_DOUBLE = 11 };  /* TensorProto.DataType */
enum { ONNX_OPSET = 17, ONNX_IR = 8, ONNX_NAME = 104 };

typedef struct onnx_value { char name[ONNX_NAME]; } onnx_value;

typedef struct onnx_graph {
    protobuf graph;   /* GraphProto */
    int      values;  /* made so far */
} onnx_graph;

/* An attribute of a node: whole numbers. */
typedef struct onnx_attribute { const char *name; const int64_t *values; int count; bool list; } onnx_attribute;
#define ONNX_INT(name, value) (&(onnx_attribute){ name, (const int64_t[]){ value }, 1, false })
#define ONNX_INTS(name, ...) \
    (&(onnx_attribute){ name, (const int64_t[]){ __VA_ARGS__ }, sizeof((int64_t[]){ __VA_ARGS__ }) / 8, true })

/* Inputs and outputs of the whole: a free first axis "batch", then `rows` and `columns` (0: there is no such axis). */
onnx_value onnx_input(onnx_graph *g, const char *name, int type, int64_t rows, int64_t columns);
void       onnx_output(onnx_graph *g, onnx_value v, const char *name, int type, int64_t rows, int64_t columns);

/* A tensor that stands in the file. `name` NULL: a made one. */
onnx_value onnx_tensor(onnx_graph *g, const char *name, int type, tide_shape shape, const void *data);
onnx_value onnx_float(onnx_graph *g, double value);
onnx_value onnx_whole(onnx_graph *g, int64_t value);
onnx_value onnx_wholes(onnx_graph *g, const int64_t *values, int64_t count);

/* A node of one output. `attribute` NULL: none. */
onnx_value onnx_node(onnx_graph *g, const char *op, const onnx_value *inputs, int count,
                     const onnx_attribute *attribute);
onnx_value onnx_unary(onnx_graph *g, const char *op, onnx_value x);
onnx_value onnx_binary(onnx_graph *g, const char *op, onnx_value a, onnx_value b);
onnx_value onnx_cast(onnx_graph *g, onnx_value x, int type);

#endif
