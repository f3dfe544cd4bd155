/* What a graph owns while it can run: a device, the variables' storage, programs and their results. */
#ifndef TIDE_RUNTIME_H
#define TIDE_RUNTIME_H

#include <stdatomic.h>

#include "../compile/compile.h"

/* Memory of variables. Graphs that share variables (tide_variables_share) hold the block together: the last one frees
 * it, whichever thread that is on, with the allocator of the graph that made it. */
typedef struct storage_block {
    atomic_int     holders;
    tide_allocator allocator;
    void          *memory;
    size_t         bytes;
} storage_block;

typedef struct storage_hold { struct storage_hold *next; storage_block *block; } storage_hold;

struct tide_program {
    tide_graph   *graph;
    tide_program *next, *previous;
    arena         memory;     /* the flat program */
    compiled      c;
    void         *block;      /* the arena of its buffers */
    size_t        block_bytes;
    const tide_backend *backend;  /* the graph's, or cpu if that lacks an operation */
    char          device_note[200];  /* why it is not the graph's; "" */
    int32_t       lacking;    /* kernels that the graph's device lacks */
    backend_exec *exec;
    int64_t       scratch_bytes;
    work_cut      cut;
    const void  **fed;        /* by input slot: this run's feeds */
    int32_t       inputs_used;
    tide_precision precision; /* F32, BF16 or F16 */
    const char   *precision_note;
    bool          passes;     /* compiled with them */
    tide_val     *wanted;     /* what was asked for */
    int64_t       n_wanted;
    bool          ran;        /* the outputs hold the results of the last run */
    atomic_bool   cancelled;  /* by tide_program_cancel; until a run has ended because of it */
    tide_failure  failure;    /* of making it, or of its last run */
};

/* Where a node's value was last computed. */
typedef struct result { tide_program *program; int32_t output; } result;

typedef struct runtime {
    const tide_backend *backend;
    int           threads;
    int           cut;        /* tasks along the samples, at least; 0: as many as threads */
    int64_t       memory_limit;
    tide_precision precision; /* of programs that name none; GRAPH: F32 */
    tide_program_mode mode;   /* likewise; GRAPH: DEFAULT */
    tuning        tuning;
    bool          choices_set;  /* by the caller: nothing else is asked */
    char          choice_note[400];  /* what did not go well with the file of choices; "" */
    storage_hold *holds;
    int32_t       laid_out;   /* variables that have storage: the first so many */
    int64_t       variable_bytes;
    tide_program *programs;
    result       *results;    /* by node */
    int32_t       result_capacity;
    struct lazy  *lazy;       /* lazy.h: programs of values that were read without one; NULL: none yet */
} runtime;

/* How a program is to be made, besides what compile needs to know. */
typedef struct program_how {
    int64_t memory_limit;  /* 0: the graph's */
    tuning *tuning;        /* NULL: fixed tables */
    bool    autotune;      /* backend_env.autotune */
} program_how;

/* storage.c: memory and first values for the variables that have none. */
tide_status runtime_lay_out(tide_graph *g, tide_failure *why);
bool        runtime_hold(tide_graph *g, storage_block *b);  /* false: out of memory */
void        runtime_free_storage(tide_graph *g);

/* mode.c: a request for the graph's device, its threads and its numerics. */
compile_request runtime_request(const tide_graph *g, tide_list wanted);
/* mode.c: where choices for a program of this mode are asked for; NULL: in the fixed tables. */
tuning *runtime_tuning(runtime *rt, tide_program_mode mode);
void    runtime_free_choices(runtime *rt);

/* choice_file.c */
void choice_file_read(runtime *rt);
void choice_file_write(runtime *rt);  /* adds those in use */

/* tune.c: the cut of the work for this program, known or timed. Variables are as before, afterwards. */
void program_tune(tide_graph *g, compile_request *request, const program_how *how);

/* precision.c: what `wanted` comes to, and why it is F32 if it is not what was asked for ("" otherwise). */
tide_precision runtime_precision(const runtime *rt, tide_precision wanted, const char **note);

/* program.c */
const char *program_input_name(const tide_graph *g, int32_t slot);
/* NULL: no memory for the handle */
tide_program *program_make(tide_graph *g, const compile_request *request, const program_how *how);

/* A run with what p->fed says, of a program whose results are not looked up by their nodes. */
tide_status program_run_fed(tide_program *p);
const void *program_output(const tide_program *p, int32_t output);

/* A run that adds to seconds[kernel] what each kernel took, over all threads. */
tide_status program_measure(tide_program *p, const tide_feed *feeds, int64_t count, double *seconds);

#endif
