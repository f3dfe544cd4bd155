/* What compile hands to a backend: a flat program. Backends see kernels and buffers, never graph nodes.
 *
 * A program is a list of phases; a phase is a set of chains that do not depend on each other; a chain is a list of
 * kernels with the same number of tasks, where task t of each kernel depends on nothing in its phase but task t of
 * earlier kernels of the same chain. So a thread may take any (chain, task) of a phase and run all the chain's
 * kernels for that task; between phases all threads wait.
 *
 * Results have the same bits for any number of threads and for any cut into tasks of what runs along the samples (where
 * rows_alone holds): what could differ are sums over rows, and these have a partial for each block of rows of the
 * finest cut. A kernel with such sums has a task for each block; `grains` of them, one after the other, are what a task
 * of its chain runs. */
#ifndef TIDE_BACKEND_H
#define TIDE_BACKEND_H

#include <stdatomic.h>
#include <tidemill/communicator.h>

#include "../base/base.h"
#include "../base/scalar.h"
#include "../base/tuning.h"

typedef enum flat_space {
    FLAT_ARENA,     /* this program's arena, at `offset`; inputs and outputs are here too */
    FLAT_VARIABLE,  /* the graph's storage, `at` bytes into `block` */
    FLAT_CONSTANT,  /* read-only, in the host's memory at `host` */
    FLAT_TASK       /* a part of it at a time, in the running thread's own memory at `offset`: see part_step */
} flat_space;

typedef struct flat_buffer {
    flat_space space;
    int64_t bytes;
    int64_t offset;                   /* FLAT_ARENA: bytes from its start, FLAT_TASK: from the thread's; a multiple of
                                         64 */
    int64_t part_base, part_step;     /* FLAT_TASK: task t of the chain touches bytes part_base + [t part_step, (t + 1)
                                         part_step) alone */
    void   *block;                    /* FLAT_VARIABLE: memory of the backend's; the host's by its address */
    int64_t at;
    void   *host;                     /* FLAT_CONSTANT */
    int32_t first_phase, last_phase;  /* holds something from .. to; inputs from -1, outputs to n_phases */
} flat_buffer;

/* Where a backend without memory of its own finds a variable or a constant. */
static inline void *flat_address(const flat_buffer *b) {
    return b->space == FLAT_VARIABLE ? (char *)b->block + b->at : b->host;
}

/* A strided view of a buffer, as one kernel sees it. Strides are in elements, one a dimension of the kernel's
 * domain, 0 where the operand does not vary. */
typedef struct flat_operand {
    int32_t    buffer;
    tide_dtype type;
    int64_t    offset;  /* elements */
    int64_t    stride[TIDE_MAX_DIMS];
} flat_operand;

/* ---- fused element-wise and row-wise kernels ----------------------------------------------------------- */

/* A store that overwrites what the kernel loads has the load's strides, and comes after every load. A FLAT_ONE store
 * into one number comes from a domain of one row, or is the same for every task.
 * The domain of a map kernel is dim[0..ndim), row-major: the first row_ndim dimensions are rows (their product
 * `rows`), the others columns (product `cols`). A register holds, for the rows at hand, one of: */
typedef enum flat_kind {
    FLAT_ONE,   /* one number */
    FLAT_ROW,   /* one a row */
    FLAT_COL,   /* one a column, the same for all rows: only from FLAT_LOAD */
    FLAT_FULL   /* one an element */
} flat_kind;

/* Operations of a map besides SCALAR_OPS (whose codes are below SCALAR_COUNT). */
enum flat_map_op {
    FLAT_LOAD = SCALAR_COUNT,  /* dst = operand; 16-bit floats become F32 */
    FLAT_STORE,                /* operand = src[0] (kind FULL, or ROW/ONE where the operand has no column stride) */
    FLAT_CONST,                /* dst = number (kind ONE) */
    FLAT_CAST,                 /* dst = (type) src[0] */
    FLAT_IOTA,                 /* dst = (element / inner) % size, FULL; element is the row-major index in the domain */
    FLAT_RANDOM,               /* FULL, F32: philox_unit of (seed, step src[0] I32 ONE, site, sample = element /
                                  per_sample + offset, element % per_sample); offset: src[1] I32 ONE, 0 if there is
                                  none */
    FLAT_DROPMASK,             /* likewise: dst = philox_half >= 65536 number ? scale : 0 */
    FLAT_ROW_SUM, FLAT_ROW_MAX, FLAT_ROW_MIN,  /* FULL -> ROW over the columns */
    FLAT_ROW_ARGMAX, FLAT_ROW_ARGMIN,          /* FULL -> ROW, type I32; the first of equals; NaN counts as extreme */
    FLAT_COL_SUM,              /* sink: operand is (tasks, cols): this task's sum of src[0] (FULL) over its rows */
    FLAT_ALL_SUM               /* sink: operand is (tasks): this task's sum of src[0] (FULL) */
};

typedef struct flat_instr {
    uint8_t op;           /* scalar_op or flat_map_op */
    uint8_t type;         /* tide_dtype of dst as computed: F32, F64, I32, I64, U8 or BOOL; of src[0] for stores and
                             sinks */
    uint8_t kind;         /* flat_kind of dst; of src[0] for stores and sinks */
    uint8_t src_type[3];  /* of the registers read */
    uint8_t src_kind[3];
    int16_t dst;          /* registers are numbered in order of definition, each written once; -1 for stores and
                             sinks */
    int16_t src[3];       /* -1: none */
    int16_t operand;      /* LOAD, STORE and sinks: index into the kernel's operands; -1 otherwise */
    double  number, scale;
    int64_t inner, size;  /* IOTA */
    int64_t per_sample;   /* RANDOM, DROPMASK */
    uint32_t site;
} flat_instr;

typedef struct flat_map {
    int32_t ndim, row_ndim;
    int64_t dim[TIDE_MAX_DIMS];
    int64_t rows, cols, rows_per_task;  /* tasks = ceil(rows / rows_per_task); 0 rows: 0 tasks */
    bool    row_wise;                   /* has ROW or COL registers, row reductions or FLAT_COL_SUM: needs whole rows */
    int32_t count, regs;
    const flat_instr *instrs;
} flat_map;

/* ---- the other kernels --------------------------------------------------------------------------------- */

/* C = alpha A B + beta C, for every index of batch[0..batch_ndim). A and B are of one type, F32, F64, F16 or BF16; C
 * has that type, but is F32 for the 16-bit ones, which are multiplied and added in F32. Operands 0 A, 1 B, 2 C (C's
 * column stride is 1) with strides [batch dims..., row, column]. Of four operands, 3 is a row of F32 (column stride 1,
 * no other) that is added to each row of the result, in F32, before it is stored, where sums are F32's; C may then, and
 * otherwise, be of A's 16-bit type, rounded once.
 * The cut into tasks:
 * split FLAT_SPLIT_ROWS: one batch entry at a time, tasks = batches * ceil(m / rows_per_task), batch outermost;
 * split FLAT_SPLIT_BATCH: tasks = ceil(batches / rows_per_task), rows_per_task whole batch entries each;
 * split FLAT_SPLIT_EACH: tasks = ceil(m / rows_per_task), these rows of every batch entry;
 * split FLAT_SPLIT_COLS: one batch entry alone, tasks = ceil(n / rows_per_task), so many columns each. */
typedef enum flat_split { FLAT_SPLIT_ROWS, FLAT_SPLIT_BATCH, FLAT_SPLIT_EACH, FLAT_SPLIT_COLS } flat_split;
typedef struct flat_gemm {
    int64_t m, n, k, batches, rows_per_task;
    int64_t usual_rows;  /* rows a task where the cut is the usual one: who multiplies is chosen by these, so that it is
                            the same for every cut. 0: by the rows of each product */
    int32_t batch_ndim;
    int64_t batch[TIDE_MAX_DIMS];
    double  alpha, beta;  /* beta 0 (C is not read) or 1 */
    flat_split split;
} flat_gemm;

/* Attention of m queries on n keys, for every index of batch[0..batch_ndim): with the scores S = scale q k', L their
 * log-sum-exp along the keys, P = exp(S - L) and D = P under dropout (P itself without: p 0), o = D v. The (m, n)
 * matrices are nowhere in memory. A mask keeps element e of the row-major (batch..., m, n) as FLAT_DROPMASK does, with
 * `threshold` and `kept` in place of number and scale: sample e / per_sample + offset, element e % per_sample.
 * Operands of matrices have strides [batch dims..., row, column], column stride 1.
 *   FLAT_ATTENTION        0 q (m, d), 1 k (n, d), 2 v (n, e), 3 o (m, e), 4 L (m), contiguous F32; under dropout
 *                         5 step and, if flat_attention_counters is 2, 6 offset: one I32 each
 *   FLAT_ATTENTION_GRAD   0 q, 1 k, 2 v, 3 o, 4 L, 5 do (m, e), 6 dq, 7 dk, 8 dv; then step and offset as 9 and 10
 * With `bits` the last operand is one more: I32, flat_attention_bits of them, which are the backend's own, where
 * FLAT_ATTENTION may leave FLAT_ATTENTION_GRAD a mask, or nothing.
 * q, k, v and do are F32, BF16 or F16, all of one type; o is F32 or of that type, and so are the gradients, all three
 * of one. Sums are F32's. All sizes are at least 1; what is read may be spread (stride 0), o and the gradients not. */
typedef struct flat_attention {
    int64_t m, n, d, e, batches;
    int32_t batch_ndim;
    int64_t batch[TIDE_MAX_DIMS];
    double  scale;
    bool    dropout;
    double  threshold, kept;
    int64_t per_sample;
    uint32_t site;
    bool    bits;
} flat_attention;

/* A bit a key of each query: of 64 queries, and 128 keys, at a time. */
static inline int64_t flat_attention_bits(const flat_attention *a) {
    return a->batches * ceil_div(a->n, 128) * 4 * round_up(a->m, 64);
}

/* Whether there are so many that drawing them once is worth a launch and memory. */
static inline bool flat_attention_many_bits(const flat_attention *a) {
    return a->n > 64 && a->batches * a->m * a->n >= 1 << 17;
}

/* All operands below are contiguous from their offset; sizes in elements. Each is cut into tasks along `outer`
 * (per_task of them a task) unless said. */
typedef struct flat_index {
    int64_t outer, n, inner, count;  /* x (outer, n, inner); index (count) or (outer, count, inner) */
    int64_t per_task;
    bool    flag;                    /* CUMSUM: from the end; SORT: descending */
} flat_index;

typedef enum flat_kernel_kind {
    FLAT_MAP,
    FLAT_GEMM,
    FLAT_FOLD,           /* 0 partials (n, inner), 1 out (inner): sums over n in order. outer 1; tasks cut `inner` by
                            per_task */
    FLAT_GATHER,         /* 0 x, 1 index (count) I32, 2 out (outer, count, inner); outside: NaN, integers 0 */
    FLAT_SCATTER_ADD,    /* 0 base (outer, n, inner), 1 index (count), 2 rows (outer, count, inner), 3 out like base
                            (may be base) */
    FLAT_TAKE_ALONG,     /* 0 x, 1 index (outer, count, inner), 2 out (outer, count, inner) */
    FLAT_PUT_ALONG_ADD,  /* 0 index (outer, count, inner), 1 rows (outer, count, inner), 2 out (outer, n, inner), zeroed
                            first */
    FLAT_CUMSUM,         /* 0 x (outer, n, inner), 1 out */
    FLAT_SORT,           /* 0 x (outer, n), 1 values (outer, n), 2 indices I32 (outer, n); stable; NaN largest */
    FLAT_ATTENTION, FLAT_ATTENTION_GRAD,  /* flat_attention */
    FLAT_CUSTOM          /* operands 0.. inputs, last the output; one task */
} flat_kernel_kind;

typedef struct flat_kernel {
    flat_kernel_kind kind;
    const char   *name;  /* for people: "map 7: add, gelu, mul" */
    int32_t       group; /* for people: of the values it computes (a fused group of the compiler's); 0: none */
    int64_t       tasks;
    int64_t       grains;  /* of its tasks that make a task of its chain: task t of the chain runs [t grains, ...) */
    int32_t       n_operands;
    flat_operand *operands;
    union {
        flat_map   map;
        flat_gemm  gemm;
        flat_index index;
        flat_attention attention;
        struct { void (*run)(void *user, const void *const *inputs, void *output); void *user; } custom;
    };
} flat_kernel;

/* Of attention or its gradient: step alone, or step and offset; 0 without dropout. */
static inline int32_t flat_attention_counters(const flat_kernel *k) {
    return k->n_operands - (k->kind == FLAT_ATTENTION ? 5 : 9) - k->attention.bits;
}

static inline int64_t flat_chain_tasks(const flat_kernel *k) { return k->tasks / k->grains; }

typedef struct flat_chain { int32_t first_kernel, kernels; int64_t tasks; } flat_chain;
typedef struct flat_phase { int32_t first_chain, chains; } flat_phase;

typedef struct flat_program {
    int32_t n_buffers, n_kernels, n_chains, n_phases;
    flat_buffer *buffers;
    flat_kernel *kernels;  /* in order; a chain's kernels are neighbours */
    flat_chain  *chains;
    flat_phase  *phases;
    int64_t      arena_bytes;
    int64_t      task_bytes;  /* that each thread needs for FLAT_TASK buffers; a multiple of 64 */
    uint64_t     seed;
} flat_program;

/* flat.c. Which operands a kernel writes; the others are read. */
bool operand_written(const flat_kernel *k, int32_t operand);
/* Whether two operands' buffers lie over each other. */
bool operands_share_memory(const flat_program *p, const flat_operand *a, const flat_operand *b);

/* ---- the backend --------------------------------------------------------------------------------------- */

/* How large tasks are: numbers of a device. Rows are a product's, lanes a map's elements; a table that is fixed for the
 * device, so that programs are the same on every machine that has it. */
typedef struct backend_cut {
    /* What runs along the samples, all cut alike. The finest cut, in which sums over rows are kept apart: at least
     * `grains` blocks of at least `grain_rows`, as far as the samples can be divided. */
    int64_t grains, grain_rows;
    int64_t alike_rows;    /* products of no fewer rows make each alike (rows_alone) */
    int64_t fewest_tasks;  /* at least so many, if that leaves each least_rows ... */
    int64_t least_rows, most_rows;
    int64_t most_lanes;    /* ... and maps of no more than this, or than products have, a task */
    int64_t least_lanes;   /* a map of less for each of fewest_tasks gains nothing by it ... */
    int64_t least_sample_lanes;  /* ... unless its elements are so many for each row of the samples */
    int64_t least_common_rows;   /* of a product in a task */
    /* the others */
    int64_t map_lanes;     /* a task's, but ... */
    int64_t row_map_rows, row_map_least, row_map_most;  /* ... rows, in row-wise maps of least to most columns */
    int64_t product_rows, gradient_rows;  /* of products by a variable, of the others */
    int64_t few_rows, few_cols, few_tasks;  /* products of so few rows and so many columns are cut by columns */
    int64_t small_product; /* multiply-adds that are not worth a task */
    int64_t whole_row;     /* a sum over more elements is one of partials */
    int64_t half_rows, half_cols, half_depth, half_work;  /* the least of a product that gains by 16-bit operands */
    int64_t half_queries;  /* the least of attention that gains so, of queries and of keys */
    bool    product_ends;  /* a product adds a bias, and rounds its result, in the kernel that multiplies ... */
    bool    product_joins; /* ... and one by neighbouring weights is worth more than several */
    bool    sums_apart;    /* terms of a sum of single numbers are made side by side, and added in a kernel apart */
    bool    joins_masks;   /* a byte an element costs less to load than a mask of dropout to draw again */
    bool    parts_in_place; /* what only a concatenation reads is made where that has it */
} backend_cut;
extern const backend_cut processor_cut;  /* cut.c */

/* How a program's work is cut, where that is not left to the device's numbers. */
typedef struct work_cut {
    int64_t common_rows;   /* most rows a task of what runs along the samples; 0: as usual */
    int64_t product_rows;  /* rows a task of the other products; 0: as usual */
    int64_t tasks;         /* at least so many of what runs along the samples; 0: fewest_tasks */
    bool    sums_by_task;  /* numerics 1: sums over rows have a partial a task, and bits depend on the cut */
} work_cut;

/* What a backend has worked out of a program. */
typedef struct backend_plan backend_plan;

typedef struct backend_env {
    const tide_allocator *allocator;
    int     threads;
    tuning *tuning;    /* choices made by timing, what is not known yet to be timed if its clock says so; NULL: the
                          fixed tables */
    bool    autotune;  /* max-autotune: preparing may take seconds, of a compiler. Not for programs made only to be
                          compared */
    const atomic_bool *cancelled;  /* once it is true, a run may leave out what is left of it; NULL: never */
    void   *device;    /* that the backend's memory opened; NULL: it has none of its own */
    backend_plan **plan;  /* where scratch_bytes may leave what prepare of the same program then takes; NULL: nowhere */
} backend_env;

/* Memory of a device's own. A block is a handle: what it points to is the backend's secret, and every place is a block
 * and an offset. A device does in order what it is told, and may do it later: a run that returned may only be queued.
 * The first of wait, put, get and run after a queued run failed returns its failure, with the kernel's name, once, and
 * does nothing else. Handles of the same index, one a thread, know each other's blocks. */
typedef struct backend_memory {
    /* TIDE_EDEVICE: there is no such device; the message ends with what there is. */
    tide_status (*open)(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why);
    void        (*close)(void *device);                 /* waits; NULL is fine */
    void       *(*alloc)(void *device, int64_t bytes);  /* 64-byte aligned, of any content; NULL: there is no more */
    void        (*free)(void *device, void *block, int64_t bytes);  /* when what is queued is done; NULL is fine */
    /* `from` is the caller's again at once. */
    tide_status (*put)(void *device, void *block, int64_t at, const void *from, int64_t bytes, tide_failure *why);
    tide_status (*get)(void *device, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why);  /* waits */
    tide_status (*wait)(void *device, tide_failure *why);
} backend_memory;

/* Devices of one kind, a rank each, in one process or in several, that exchange blocks without their hosts. */
typedef struct backend_communicator backend_communicator;
typedef struct backend_share { void *from, *to; int64_t from_at, to_at, bytes; } backend_share;  /* floats */
typedef struct backend_collectives {
    /* "NCCL 2.27"; NULL, and why, a clause: what does it is not on this machine. */
    const char *(*library)(const char **missing);
    /* Rank 0 makes the name of the group, and all open with it. */
    tide_status (*make_id)(char id[TIDE_COMMUNICATOR_ID], tide_failure *why);
    /* Returns when all ranks have: TIDE_EDEVICE after a minute. */
    tide_status (*open)(void *device, const char id[TIDE_COMMUNICATOR_ID], int rank, int count,
                        backend_communicator **out, tide_failure *why);
    /* Of each share `bytes` of every rank's `from` into every rank's `to`, in the order of ranks; queued as one. */
    tide_status (*all_gather)(backend_communicator *c, const backend_share *shares, int64_t count, tide_failure *why);
    /* By any thread: what is queued ends, whatever comes out of it, also where another rank never comes to it. */
    void        (*abort)(backend_communicator *c);
    void        (*close)(backend_communicator *c);  /* all ranks together, unless it was aborted; NULL is fine */
} backend_collectives;

typedef struct backend_exec backend_exec;

typedef struct tide_backend {
    const char *name;
    bool    fuse;         /* wants the optimised program; else one kernel an op, all buffers apart */
    bool    task_memory;  /* runs a chain task by task: what no other chain touches may be FLAT_TASK */
    int64_t guard_bytes;  /* gap that the placer leaves after every arena buffer */
    const backend_cut *cut;
    const backend_memory *memory;  /* NULL: the host's, where a block is its address and all is done at once */
    const backend_collectives *collectives;  /* NULL: ranks exchange by way of their hosts */
    /* All choices, all memory but the arena, which is the block `arena`. The program outlives the exec. */
    tide_status (*prepare)(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                           tide_failure *why);
    tide_status (*run)(backend_exec *e, tide_failure *why);  /* the whole program, or queues it; allocates nothing */
    /* A run that adds to seconds[kernel] how long each kernel's tasks took, over all threads, and has ended when it
     * returns; may allocate. NULL: not offered. */
    tide_status (*measure)(backend_exec *e, double *seconds, tide_failure *why);
    /* what prepare will allocate, to the byte. A plan that it leaves says that the device lacks none of the kernels. */
    int64_t     (*scratch_bytes)(const flat_program *p, const backend_env *env);
    void        (*forget)(backend_plan *plan);  /* one that was left and not taken; NULL: none ever is */
    void        (*release)(backend_exec *e);                 /* when what is queued is done; NULL is fine */
    /* Why products of this 16-bit type are not worth having here, as the end of a sentence; NULL: they are. Programs
     * that have them run everywhere. */
    const char *(*lacks_products)(tide_dtype half);
    /* Whether a row of a product has the same bits however many go with it: then the cut may follow the threads. NULL:
     * it has. */
    bool        (*rows_alone)(void);
    const tide_product_library *(*products)(void);  /* what tide_products tells of it; NULL: nothing */
    /* Why this kernel does not run on the device, a clause that names the operation; NULL: it does. The entry may be
     * NULL: all do. A program with such a kernel is not prepared here: it runs whole on the cpu backend. */
    const char *(*lacks)(void *device, const flat_program *p, const flat_kernel *k);
    /* Whether the device computes this attention and its derivative, of operands of this type, as kernels of their own.
     * NULL: no; then the program has them in plain operations. The device as `lacks` gets it. */
    bool        (*keeps)(void *device, const flat_attention *a, tide_dtype type);
    bool tunes;  /* asks env.tuning, and has use for another cut of the work */
    /* Of a device that `open` gave: sets out->hardware and out->memory_bytes, as far as they are known. NULL: they are
     * not; without memory of its own they are the host's. */
    void (*describe)(void *device, tide_device *out);
} tide_backend;

extern const tide_backend tide_backend_ref, tide_backend_check, tide_backend_cpu, tide_backend_cuda,
    tide_backend_opencl, tide_backend_metal;

/* all.c, alone in its file, so that a program of the tests can have a list of its own: the backends of this build, NULL
 * after the last. */
extern const tide_backend *const backend_all[];

/* list.c: "NAME", or "NAME:INDEX" where a backend has memory, and so devices, of its own; without an index the first.
 * NULL, and why: there is none of this name. Whether there is such a device, its `open` says. */
const tide_backend *backend_find(const char *device, int32_t *index, tide_failure *why);

#endif
