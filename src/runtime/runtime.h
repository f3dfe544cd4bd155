/* What a graph owns while it can run: a device, the variables' storage, programs and their results. */
#ifndef TIDE_RUNTIME_H
#define TIDE_RUNTIME_H

#include "../compile/compile.h"

typedef struct storage_block { struct storage_block *next; void *memory; size_t bytes; } storage_block;

struct tide_program {
    tide_graph   *graph;
    tide_program *next, *previous;
    arena         memory;     /* the flat program */
    compiled      c;
    void         *block;      /* the arena of its buffers */
    size_t        block_bytes;
    backend_exec *exec;
    int64_t       scratch_bytes;
    const void  **fed;        /* by input slot: this run's feeds */
    int32_t       inputs_used;
    tide_precision precision; /* F32, BF16 or F16 */
    const char   *precision_note;
    bool          passes;     /* compiled with them */
    tide_val     *wanted;     /* what was asked for */
    int64_t       n_wanted;
    bool          ran;        /* the outputs hold the results of the last run */
    tide_failure  failure;    /* of making it, or of its last run */
};

/* Where a node's value was last computed. */
typedef struct result { tide_program *program; int32_t output; bool lazy; } result;

typedef struct runtime {
    const tide_backend *backend;
    int           threads;
    int64_t       memory_limit;
    tide_precision precision; /* of programs that name none; GRAPH: F32 */
    storage_block *blocks;
    int32_t       laid_out;   /* variables that have storage: the first so many */
    int64_t       variable_bytes;
    tide_program *programs;
    result       *results;    /* by node */
    int32_t       result_capacity;
} runtime;

const tide_backend *backend_find(const char *device);  /* registry.c; NULL if there is none of this name */

/* storage.c: memory and first values for the variables that have none. */
tide_status runtime_lay_out(tide_graph *g, tide_failure *why);
void        runtime_free_storage(tide_graph *g);

/* precision.c: what `wanted` comes to, and why it is F32 if it is not what was asked for ("" otherwise). */
tide_precision runtime_precision(const runtime *rt, tide_precision wanted, const char **note);

/* program.c */
const char *program_input_name(const tide_graph *g, int32_t slot);
tide_program *program_make(tide_graph *g, const compile_request *request, int64_t memory_limit);  /* NULL: no memory for the handle */

/* A run that adds to seconds[kernel] what each kernel took, over all threads. */
tide_status program_measure(tide_program *p, const tide_feed *feeds, int64_t count, double *seconds);

#endif
