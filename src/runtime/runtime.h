/* What a graph owns while it can run: a device, the variables' storage, programs and their results. */
#ifndef TIDE_RUNTIME_H
#define TIDE_RUNTIME_H

#include <stdatomic.h>

#include "../compile/compile.h"

/* Whose blocks they are. memory NULL: the host's, from the allocator; a block is its address, and nothing is queued. */
typedef struct place {
    const backend_memory *memory;
    void          *device;
    tide_allocator allocator;
} place;

/* Memory of variables. Graphs that share variables (tide_variables_share) hold the block together: the last one frees
 * it, whichever thread that is on, by its own handle of the device, or with the allocator of the graph that made it. */
typedef struct storage_block {
    atomic_int     holders;
    tide_allocator allocator;
    void          *memory;
    int64_t        bytes;
} storage_block;

/* Where a value's elements lie. */
typedef struct location {
    const place *place;
    void        *block;
    int64_t      at;
    void       **copy;   /* where its copy on the host is kept; NULL: the block is the host's for sure */
} location;

typedef struct storage_hold { struct storage_hold *next; storage_block *block; } storage_hold;

struct tide_program {
    tide_graph   *graph;
    tide_program *next, *previous;
    arena         memory;     /* the flat program */
    compiled      c;
    place         place;      /* of the arena: its backend's */
    void         *block;      /* the arena of its buffers */
    int64_t       block_bytes;
    void        **copies;     /* by output: on the host, for tide_data; NULL: none yet */
    struct mirror *mirror;    /* mirror.c: the graph's variables on the host, for a program that fell back on cpu; NULL:
                                 they are there */
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
    bool          ran;        /* the outputs hold the results of the last run, or will when what is queued is done */
    bool          queued;     /* ran since the device was last waited for */
    atomic_bool   cancelled;  /* by tide_program_cancel; until a run has ended because of it */
    tide_failure  failure;    /* of making it, or of its last run */
};

/* Where a node's value was last computed. */
typedef struct result { tide_program *program; int32_t output; } result;

typedef struct runtime {
    const tide_backend *backend;
    char          device[32]; /* as the caller named it */
    int32_t       device_index;
    place         place;      /* of the variables */
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

/* memory.c: all moves between the host and blocks. A failure of the device fails every program that is queued. */
void       *place_alloc(const place *p, int64_t bytes);  /* NULL: out of memory */
void        place_free(const place *p, void *block, int64_t bytes);
tide_status place_put(const place *p, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why);
tide_status place_get(const place *p, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why);
/* The elements on the host: where they lie, or their copy, which is made now. NULL, and why. */
const void *place_data(const location *l, int64_t bytes, tide_failure *why);
/* Waits for what the graph's programs have queued. The failure of one is told once and then stays with the programs. */
tide_status runtime_wait(tide_graph *g, tide_failure *why);
/* The device failed: what is queued is lost. */
void        runtime_lost(tide_graph *g, const tide_failure *why);

/* mirror.c */
tide_status mirror_new(tide_program *p, tide_failure *why);
tide_status mirror_read(const tide_program *p, tide_failure *why);
tide_status mirror_write(const tide_program *p, tide_failure *why);
int64_t     mirror_bytes(const tide_program *p);
bool        mirror_is(const tide_program *p, const flat_buffer *b, const ir_variable *v);  /* b is v or its copy */
void        mirror_free(tide_program *p);

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
location    program_output(const tide_program *p, int32_t output);

/* A run that adds to seconds[kernel] what each kernel took, over all threads, and is not queued. */
tide_status program_measure(tide_program *p, const tide_feed *feeds, int64_t count, double *seconds);

#endif
