/* From wanted values to a flat program. */
#ifndef TIDE_COMPILE_H
#define TIDE_COMPILE_H

#include "../backends/backend.h"
#include "../ir/ir.h"

/* A value that one map kernel writes and another reads, and why the two are not one. */
/* from, to: flat_kernel.group */
typedef struct apart_note { int32_t from, to; const char *value, *why; int64_t bytes; } apart_note;
typedef struct apart_notes { apart_note *items; int32_t count, capacity; } apart_notes;  /* in the program's memory */

/* A node that is not computed: a constant or a plain number that each run is told, as the input `slot`, or a number
 * that is known here (slot -1). */
typedef struct compile_leaf {
    int32_t node, slot;
    bool    one;     /* one element, for all of the node's */
    double  number;  /* slot -1 */
} compile_leaf;

typedef struct compile_request {
    tide_list wanted;
    const compile_leaf *leaves;  /* then nothing wanted depends on an input of the graph, and the program's inputs are
                                    these */
    int32_t   n_leaves, n_slots;
    bool      passes;       /* false: one kernel an op, every buffer apart */
    bool      initial;      /* first values of variables: random step 0, variables without storage by their own first
                               value */
    bool      task_memory;  /* the backend's, as guard_bytes */
    int64_t   guard_bytes;
    tide_precision precision;  /* F32 (or 0), BF16 or F16 */
    const char *precision_note;  /* why not the one asked for; "" */
    const tide_compile_options *options;  /* NULL: none */
    apart_notes *apart;     /* filled if not NULL */
    const backend_cut *numbers;  /* the backend's cut */
    work_cut    cut;
    bool      (*keeps)(void *device, const flat_attention *a, tide_dtype type);  /* the backend's, with its device */
    void       *device;
} compile_request;

typedef struct compiled {
    arena       *memory;        /* set by the caller; owns everything below */
    flat_program flat;
    int32_t      n_outputs, n_inputs, n_assigned;
    int32_t     *assigned;      /* slots of the variables that a run changes */
    int32_t      newest;        /* of the graph's nodes that the program needs as long as it is there */
    int32_t     *wanted_node;   /* the graph's node of each output */
    int32_t     *output_buffer;
    int32_t     *input_buffer;  /* of each input of the graph; -1: not used */
    double       flops;
} compiled;

/* The variables that the values touch must have storage (unless initial). */
tide_status compile_graph(tide_graph *source, const compile_request *request, compiled *out, tide_failure *why);

/* fold.c: what is known when compiling. The number of a fill as its type holds it, and what a lane-wise operation on
 * such numbers, or a cast of one, comes to in double; false where it is left to the program. */
double fold_number(tide_dtype type, double number);
bool   fold_scalar(const ir_node *n, const double *x, double *y);
bool   fold_cast(tide_dtype from, tide_dtype to);

/* What a kernel moves and computes in one run. Bytes count each element that is touched once. */
typedef struct flat_cost {
    int64_t read, written;  /* bytes */
    double  flops;          /* a product: 2 m n k, attention: its products; else one an arithmetic operation and number,
                               whatever the operation */
    int32_t ops, results;   /* a map: operations, and how many of their results are written */
} flat_cost;
flat_cost flat_cost_of(const flat_program *p, const flat_kernel *k);
/* Of its products alone: two, or the five of its derivative. */
double attention_flops(const flat_kernel *k);

/* "gemm", "map", ... */
extern const char *const flat_kernel_names[];
/* What it computes: "exp, 2 mul, row sum", or its name. */
void flat_members(text *out, const flat_kernel *k);

/* The program as text: phases, kernels, operands, bytes. */
void flat_print(text *out, const flat_program *p);

#endif
