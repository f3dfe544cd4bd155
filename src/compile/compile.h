/* From wanted values to a flat program. */
#ifndef TIDE_COMPILE_H
#define TIDE_COMPILE_H

#include "../backends/backend.h"
#include "../ir/ir.h"

typedef struct compile_request {
    tide_list wanted;
    bool      passes;       /* false: one kernel an op, every buffer apart */
    bool      initial;      /* first values of variables: random step 0, variables without storage by their own first value */
    int64_t   guard_bytes;
    tide_precision precision;  /* F32 (or 0), BF16 or F16 */
    const char *precision_note;  /* why not the one asked for; "" */
    const tide_compile_options *options;  /* NULL: none */
} compile_request;

typedef struct compiled {
    arena       *memory;        /* set by the caller; owns everything below */
    flat_program flat;
    int32_t      n_outputs, n_inputs;
    int32_t     *wanted_node;   /* the graph's node of each output */
    int32_t     *output_buffer;
    int32_t     *input_buffer;  /* of each input of the graph; -1: not used */
    double       flops;
} compiled;

/* The variables that the values touch must have storage (unless initial). */
tide_status compile_graph(tide_graph *source, const compile_request *request, compiled *out, tide_failure *why);

/* The program as text: phases, kernels, operands, bytes. */
void flat_print(text *out, const flat_program *p);

#endif
