/* The graph: nodes in an arena, each one result. Node ids grow from inputs to uses, so ascending ids are a
 * topological order (definitions made for a composite later are the exception: see `define` in ops/table.h). */
#ifndef TIDE_IR_H
#define TIDE_IR_H

#include "../../include/tidemill/ops.h"
#include "../base/base.h"
#include "../base/scalar.h"

/* X(NAME, "name"): everything a node can be. OP_SCALAR is one lane-wise operation (attr.scalar) on equal shapes. */
#define IR_OPS(X)                                                                                             \
    X(INPUT, "input") X(CONSTANT, "constant") X(FILL, "fill") X(VARIABLE, "variable") X(ASSIGN, "assign")     \
    X(GROUP, "group") X(SCALAR, "scalar") X(CAST, "cast") X(STOP, "stop_gradient") X(ARANGE, "arange")        \
    X(RANDOM, "random") X(DROPMASK, "dropmask") X(SUM, "sum") X(MAX, "max") X(MIN, "min")                     \
    X(ARGMAX, "argmax") X(ARGMIN, "argmin") X(CUMSUM, "cumsum") X(MATMUL, "matmul") X(RESHAPE, "reshape")     \
    X(PERMUTE, "permute") X(BROADCAST, "broadcast") X(SLICE, "slice") X(UNSLICE, "unslice")                   \
    X(CONCAT, "concat") X(GATHER, "gather") X(SCATTER_ADD, "scatter_add") X(TAKE_ALONG, "take_along")         \
    X(PUT_ALONG_ADD, "put_along_add") X(SORT, "sort") X(SORT_INDEX, "sort_index") X(SOFTMAX, "softmax")       \
    X(LAYER_NORM, "layer_norm") X(ATTENTION, "attention") X(ATTENTION_LOG, "attention_log")                   \
    X(ATTENTION_GRAD, "attention_grad") X(ATTENTION_GRAD_K, "attention_grad_k")                               \
    X(ATTENTION_GRAD_V, "attention_grad_v") X(CUSTOM, "custom")

typedef enum ir_op {
#define X(NAME, text) OP_##NAME,
    IR_OPS(X)
#undef X
    OP_COUNT
} ir_op;

/* What an op needs besides its inputs. Unused fields are zero, so that equal nodes have equal bytes. */
typedef struct ir_attr {
    int32_t  scalar;                /* SCALAR: scalar_op */
    int32_t  axis;                  /* ARG*, CUMSUM, CONCAT, GATHER.. PUT_ALONG_ADD */
    uint32_t axes;                  /* SUM, MAX, MIN: bit i set: axis i is reduced */
    uint32_t site;                  /* RANDOM, DROPMASK, ATTENTION and its derivative under dropout */
    int32_t  flag;                  /* CUMSUM: from the end; SORT: descending; CONCAT: see pass_join */
    int32_t  slot;                  /* VARIABLE, INPUT: index into the graph's tables */
    double   number, scale;         /* FILL; DROPMASK, ATTENTION and its derivative; LAYER_NORM: eps */
    int64_t  start[TIDE_MAX_DIMS];  /* SLICE, UNSLICE: first element; PERMUTE: order */
    int64_t  step[TIDE_MAX_DIMS];   /* SLICE, UNSLICE: may be negative */
    const void *data;               /* CONSTANT: elements; CUSTOM: the tide_custom_op */
} ir_attr;

typedef struct ir_node {
    uint8_t    op, type;
    int32_t    n_in;
    int32_t   *in;
    tide_shape shape;
    ir_attr    attr;
    int32_t    definition;  /* node with the same meaning in plain ops, made on demand; 0: none yet */
    int32_t    region;      /* made anew for the backward pass together with the others of this number; 0: kept */
    bool       weak;        /* FILL: a number that takes the type of its partner */
    int32_t    generation;  /* the graph's when the node was made: tells it from one of its id that was given back */
    int32_t    place;       /* what the walk over a part of the graph that was here last keeps of the node */
    int64_t    walk;        /* that walk's number */
} ir_node;

typedef struct ir_variable {
    int32_t     node, initial;
    const char *name;
    bool        param;
    bool        shared;   /* it is held by several graphs: nothing may change it */
    void       *block;    /* its storage: `at` bytes into this block of the device's memory. NULL until laid out by the
                             runtime, or taken from another graph */
    int64_t     at;
    void       *copy;     /* on the host, for tide_data; NULL: none yet */
} ir_variable;

/* How far a graph had come. */
typedef struct ir_mark {
    int64_t    id;         /* what the caller holds; ascending */
    int32_t    count, n_inputs, sample_offset;
    uint32_t   sites;
    arena_mark memory;
    bool       failed;     /* the graph, by then */
} ir_mark;

struct tide_graph {
    tide_allocator allocator;
    arena          memory;
    ir_node      **nodes;  /* nodes[0] is a dummy, so that id 0 can mean "none" */
    int32_t        count, capacity;
    ir_variable  **variables;
    int32_t        n_variables, variable_capacity;
    int32_t        n_inputs;
    const char   **scopes;
    int32_t        depth, scope_capacity;
    uint32_t       sites;
    ir_mark       *marks;   /* those that can be gone back to, the oldest first */
    int32_t        n_marks, mark_capacity;
    int64_t        marks_made;
    ir_mark        floor;   /* just after the last variable: nothing before it can be given back */
    int32_t        generation;  /* how often nodes were given back */
    int32_t       *defined;     /* nodes with a definition, in the order of their definitions */
    int32_t        n_defined, defined_capacity;
    int64_t        walks;       /* how many there were: the last one's number */
    int32_t        region, regions, region_depth;  /* the open recompute region, 0: none; how many there were; how deep
                                                      begin is nested */
    int32_t        rng_step;  /* its node, or 0 */
    int            numerics;  /* tide_numerics */
    int32_t        sample_offset;  /* node of the number of the first sample of random ops built now; 0: they count from
                                      0 */
    bool           initial_random;  /* random nodes are being made for an initial value */
    uint64_t       seed;
    tide_dtype     default_type;
    tide_failure   failure;       /* the first while building: sticks */
    tide_failure   read_failure;  /* of the last read or write; status TIDE_OK if it succeeded */
    struct runtime *runtime;  /* device, storage and programs; owned by src/runtime */
};

/* Lifetime, without a runtime. */
bool graph_init(tide_graph *g);
void graph_clear(tide_graph *g);

/* Sticks the first failure to the graph (NULL: there is none to tell), with the open scopes as place, and returns the
 * poison value. */
tide_val graph_fail(tide_graph *g, tide_status status, const char *format, ...) TIDE_PRINTF(3, 4);

/* Adds a node; poison when out of memory, without a graph, or when the inputs are not values of g. */
tide_val graph_add(tide_graph *g, ir_op op, tide_dtype type, tide_shape shape, const tide_val *in, int32_t n_in,
                   const ir_attr *attr);

/* A place in an array of `count` (from the graph's allocator) for one more, growing it; false when out of memory. */
bool graph_grow(tide_graph *g, void *array, int32_t count, int32_t *capacity, size_t element);

static inline tide_val graph_val(const tide_graph *g, int32_t node) {
    return (tide_val){ (tide_graph *)g, node, g && node > 0 && node < g->count ? g->nodes[node]->generation : 0 };
}
static inline ir_node *graph_node(tide_val v) { return v.graph->nodes[v.node]; }
/* A value of its graph: not {0}, not the poison value, not a node that was never made or was given back. */
static inline bool     val_good(tide_val v) {
    return v.graph && v.node > 0 && v.node < v.graph->count && graph_node(v)->generation == v.generation;
}

/* mark.c: marks, and giving back what was made since. NULL: there is no such mark. */
const ir_mark *graph_mark_find(const tide_graph *g, int64_t id);
/* Where going back to the mark ends: there, or at the last variable made since. */
const ir_mark *graph_mark_end(const tide_graph *g, const ir_mark *mark);
void           graph_rewind(tide_graph *g, const ir_mark *mark);
ir_mark        graph_here(const tide_graph *g);
/* Notes that `node` means the same as the newer node `definition`; false when out of memory. */
bool           graph_define(tide_graph *g, int32_t node, int32_t definition);

/* The doors. What a caller hands to the operation `op` passes one before it is looked at. False if it does not fit;
 * each graph that is there then has its first cause. */
bool operands_good(const char *op, const tide_val *in, int64_t count);  /* values, all of one graph */
bool list_good(tide_graph *g, const char *op, tide_list list);          /* a list that can be read */
bool shape_good(tide_graph *g, const char *op, tide_shape shape);       /* sizes that can be counted */
bool type_good(tide_graph *g, const char *op, tide_dtype type);
static inline bool operand_good(const char *op, tide_val x) { return operands_good(op, &x, 1); }

/* Numbers without a type of their own (weak.c). */
bool     number_fits(tide_dtype type, double value);      /* whole and in range where the type is an integer */
/* Where the types of a and b differ and one is weak, it is made anew in the other's type; as they are otherwise. False,
 * and the graph says why, if there is no such number in that type. */
bool     weak_meets(const char *op, tide_val *a, tide_val *b);

extern const char *const ir_op_names[OP_COUNT];
extern const char *const scalar_names[SCALAR_COUNT];

/* A list of nodes as text (one a line) or DOT. `names` gives a variable's or input's name by node, may be NULL. */
void ir_print(text *out, const ir_node *const *nodes, int32_t count, const int32_t *wanted, int32_t n_wanted, bool dot,
              const tide_graph *g);

#endif
