/* Tidemill's core: values, graphs, programs.
 *
 * A graph is a recipe: building it computes nothing. A value (tide_val) names one result of it. tide_compile
 * turns the values you ask for into a program, a flat list of kernels with all memory placed; tide_run runs it
 * and allocates nothing. Values that belong to no program are computed when they are read (lazy evaluation).
 *
 * Errors while building stick to the graph: the first cause is kept (tide_error), every later call accepts the
 * poisoned value, and tide_compile, tide_run and tide_read return the status. Nothing here aborts or prints. A NULL
 * where an object is needed, a value that was never made ((tide_val){ 0 }) or a number outside what is accepted is such
 * an error; where there is no graph to tell, the poison value is all that comes back. Pointers that lead nowhere, and
 * what was freed, are beyond help.
 *
 * Threads: a graph with its values and programs is used by one thread at a time; different graphs are independent, also
 * those that share variables (tide_variables_share). tide_program_cancel, tide_version, tide_status_name and the like,
 * which look at nothing that changes, may be called from any thread at any time.
 * fork: what a child may do with what its parent made, and with threads, stands at tide_thread_budget_set. */
#ifndef TIDEMILL_CORE_H
#define TIDEMILL_CORE_H

#ifdef __cplusplus
#include <initializer_list>
#endif
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIDE_VERSION_MAJOR 0
#define TIDE_VERSION_MINOR 2
#define TIDE_VERSION_PATCH 0
#define TIDE_VERSION "0.2.0"

#if defined(__GNUC__) || defined(__clang__)
#define TIDE_API __attribute__((visibility("default")))
#define TIDE_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TIDE_API
#define TIDE_PRINTF(f, a)
#endif

#define TIDE_MAX_DIMS 8

/* ---- status ------------------------------------------------------------------------------------------- */

typedef enum tide_status {
    TIDE_OK = 0,
    TIDE_ENOMEM,     /* not enough memory, or over the limit that was set */
    TIDE_ESHAPE,     /* shapes do not fit together */
    TIDE_ETYPE,      /* element types do not fit together */
    TIDE_EINVAL,     /* an argument is outside what is accepted */
    TIDE_EDATA,      /* content from outside (a file, a feed) is malformed */
    TIDE_EIO,        /* the operating system refused a read or a write */
    TIDE_EDEVICE,    /* no such device or feature here */
    TIDE_ECANCELLED  /* stopped by the caller's own callback or signal */
} tide_status;

/* What went wrong, where, and what would be accepted. Plain data: copy it freely. A function that takes one clears it
 * first: nothing needs to be done between calls, and after one that succeeds the status in it is TIDE_OK. */
typedef struct tide_failure {
    tide_status status;
    int64_t row;        /* 1-based line or row in `file`; 0 if it does not apply */
    char column[64];    /* column name or option; "" if it does not apply */
    char file[256];     /* path as the user gave it; "" if it does not apply */
    char message[640];  /* a whole sentence, no newline; names of options in backticks (options.h) */
} tide_failure;

/* {"schema_version": 1, "error": {"code", "message", "file", "row", "column", "option"}}, malloc'ed; NULL when out of
 * memory. "code" is usage, bad_input, device, interrupted or failed; "option" the option or argument that TIDE_EINVAL
 * is about, else null. */
TIDE_API char *tide_failure_json(const tide_failure *failure);
/* "0.2.0", of the library that runs: TIDE_VERSION is that of the header. */
TIDE_API const char *tide_version(void);

/* Of the processes that mpirun or srun started together, which this one is, from 0 to count - 1; alone 0 of 1. The
 * environment tells it: nothing is connected. `speaks`: whether it is the one that tells the user what happens, results
 * and failures. That is number 0; each, as long as they have not joined to work together; and number 1 instead where
 * number 0 was lost. */
typedef struct tide_rank { int number, count; bool speaks; } tide_rank;
TIDE_API tide_rank tide_rank_here(void);

/* Gives back what the library says tide_free gives back, also from a program with another C library. NULL is fine. */
TIDE_API void tide_free(void *memory);

/* "out of memory", "shape", ...: a short fixed word for a status. Never NULL. */
TIDE_API const char *tide_status_name(tide_status status);

/* ---- types and shapes --------------------------------------------------------------------------------- */

typedef enum tide_dtype {
    TIDE_F32 = 0,
    TIDE_F64,
    TIDE_F16,   /* storage; arithmetic is done in F32 */
    TIDE_BF16,  /* storage; arithmetic is done in F32 */
    TIDE_I32,
    TIDE_I64,
    TIDE_U8,
    TIDE_BOOL,  /* one byte, 0 or 1 */
    TIDE_DTYPES
} tide_dtype;

TIDE_API size_t      tide_dtype_size(tide_dtype type);  /* bytes an element */
TIDE_API const char *tide_dtype_name(tide_dtype type);  /* "f32", "f64", ... */

/* Row-major sizes, outermost first. ndim 0 is a scalar (one element). A size of 0 is allowed (no elements). */
typedef struct tide_shape {
    int32_t ndim;
    int64_t dim[TIDE_MAX_DIMS];
} tide_shape;

#ifdef __cplusplus
#define TIDE_SHAPE(...) (tide_cpp::shape({ __VA_ARGS__ }))
#define TIDE_SCALAR (tide_shape())
#else
#define TIDE_SHAPE(...)                                                                 \
    ((tide_shape){ (int32_t)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), { __VA_ARGS__ } })
#define TIDE_SCALAR ((tide_shape){ 0, { 0 } })
#endif

TIDE_API int64_t tide_shape_count(tide_shape shape);  /* number of elements; -1: a negative size, too many axes or
                                                         elements */
TIDE_API bool    tide_shape_equal(tide_shape a, tide_shape b);

/* ---- graphs and values -------------------------------------------------------------------------------- */

typedef struct tide_graph   tide_graph;
typedef struct tide_program tide_program;

/* A handle to a value of a graph: 16 bytes, copied freely, never freed; lives as long as its graph, or until
 * tide_graph_rewind gives it back. node < 0 is the poison value that a failed call returns. */
typedef struct tide_val {
    tide_graph *graph;
    int32_t     node;
    int32_t     generation;  /* the graph's own: how it knows a value that was given back */
} tide_val;

/* Several values. Lists returned by the library live as long as their graph. */
typedef struct tide_list {
    const tide_val *items;
    int64_t         count;
} tide_list;

/* In C the items live to the end of the block; in C++ to the end of the whole expression, as an argument wants it:
 * what is to live longer is a std::array, or tide_list_new. */
#ifdef __cplusplus
#define TIDE_LIST(...) (tide_cpp::list({ __VA_ARGS__ }))
#else
#define TIDE_LIST(...) \
    ((tide_list){ (const tide_val[]){ __VA_ARGS__ }, \
                  (int64_t)(sizeof((tide_val[]){ __VA_ARGS__ }) / sizeof(tide_val)) })
#endif

/* A copy of the items that lives as long as the graph. */
TIDE_API tide_list tide_list_new(tide_graph *g, const tide_val *items, int64_t count);

/* Makes the graph fail, as an operation of your own that was misused would; returns the poison value. */
TIDE_API tide_val tide_poison(tide_graph *g, tide_status status, const char *message);

/* Memory for everything a graph and its programs hold. Must return 64-byte aligned memory or NULL. */
typedef struct tide_allocator {
    void *(*alloc)(void *user, size_t bytes);
    void  (*free)(void *user, void *memory, size_t bytes);
    void  *user;
} tide_allocator;

typedef struct tide_graph_options {
    const char    *device;        /* "cpu" (default), or another of tide_devices() */
    int            threads;       /* 1 to 1024; 0: the physical cores this process may use, or OMP_NUM_THREADS. The
                                     results are the same for any number */
    uint64_t       seed;          /* of every random number in the graph */
    int64_t        memory_limit;  /* bytes for arena, variables and scratch together; 0: none */
    tide_allocator allocator;     /* zeros: the system's */
    int            cut;           /* into how many tasks, at least, a step is cut along its samples, 1 to 1024; 0: as
                                     many as threads, from 4 on. The results are the same for any where products come
                                     from oneDNN with AVX-512 or from our own kernels; where not, 0 is 4 */
} tide_graph_options;

TIDE_API tide_graph *tide_graph_new(const char *device);                     /* NULL only when out of memory */
TIDE_API tide_graph *tide_graph_new_with(const tide_graph_options *options); /* likewise; NULL: all defaults */
TIDE_API void        tide_graph_free(tide_graph *g);                         /* NULL is fine; frees its programs too */

/* The first thing that went wrong while building the graph; else why the last read or write failed; status TIDE_OK if
 * neither did. Never NULL. */
TIDE_API const tide_failure *tide_error(const tide_graph *g);
/* Hands out the first error of building and forgets it, for who tells it at once, as an exception: the graph goes on
 * as before the call that failed, but for what that made until then. The status of the error; TIDE_OK when there was
 * none. */
TIDE_API tide_status tide_error_take(tide_graph *g, tide_failure *failure);

/* Memory for values that are made in a loop. A mark is how far the graph has come; a number, 0 when there is no graph
 * or no memory. Going back to it gives back what was made since: values, constants, gradients, lists (also those of
 * tide_params and tide_state) and names of inputs. Using such a value afterwards is an error, as using the poison value
 * is. The mark stays and can be gone back to again; marks made after it are gone. An error of building (tide_error)
 * that happened since is forgotten.
 *   Variables, their values and names stay, and with them everything that was made before the last of them: going back
 * ends there if that is later than the mark. Random operations make the variable of tide_rng_step when they are first
 * used, and draw the same sites again when they are made again.
 *   Programs that were compiled from values made since, or read constants or inputs made since, hold them: TIDE_EINVAL,
 * and nothing has changed. Free them first. Also TIDE_EINVAL: no such mark. */
TIDE_API int64_t     tide_graph_mark(tide_graph *g);
TIDE_API tide_status tide_graph_rewind(tide_graph *g, int64_t mark);

/* Which of all ways to round and to draw a graph keeps to; what is built and compiled from then on has it. 2, the
 * latest: sums over rows have a partial for each block of rows, the same for every cut, and masks are drawn with 16
 * bits. 1, for runs of earlier versions (their run.json has no "numerics"): a partial a task of the usual cut, and 24
 * bits. */
TIDE_API int         tide_numerics(const tide_graph *g);
TIDE_API void        tide_numerics_set(tide_graph *g, int version);

TIDE_API const char *tide_graph_device(const tide_graph *g);
TIDE_API int         tide_graph_threads(const tide_graph *g);  /* as asked for; a run may get fewer, see the budget */

/* Threads of the process. A run computes on the thread that calls it, together with helpers that all graphs and all
 * calling threads of the process share: a run borrows those that are free and goes on without the others, so that its
 * results and its time never depend on a helper being there. All runs together have at most `threads` - 1 helpers: of
 * k threads that call, k + threads - 1 compute at most. 1: every run alone. 0, the default: no limit but the most
 * threads that any one graph asks for. Applies to runs that begin later; more than 1024 are taken as 1024.
 *
 * Helpers are made when first wanted, sleep when there is nothing to do and block all signals. Where the system refuses
 * one (ulimit -v, -u), runs go on with fewer. A child made by fork() begins without helpers and makes its own: graphs
 * of the parent can be run there, except those that another thread was running meanwhile. */
TIDE_API void tide_thread_budget_set(int threads);
TIDE_API int  tide_thread_budget_get(void);

/* The floating type of what is made from now on where no type is named: the variables of layers, tide_random_uniform,
 * tide_random_normal, tide_scalar and the learning rates of schedules. F32 unless it is set: a model in F64 needs
 * tide_default_type_set(g, TIDE_F64) before its layers are made and inputs of that type, nothing else. */
TIDE_API tide_dtype tide_default_type(const tide_graph *g);
TIDE_API void       tide_default_type_set(tide_graph *g, tide_dtype type);

/* Names given to variables and errors are prefixed by the scopes that are open: "encoder." + "weight". */
TIDE_API void tide_scope_push(tide_graph *g, const char *name);
TIDE_API void tide_scope_pop(tide_graph *g);

TIDE_API bool        tide_ok(tide_val v);  /* false for the poison value */
TIDE_API tide_shape  tide_shape_of(tide_val v);
TIDE_API tide_dtype  tide_dtype_of(tide_val v);
TIDE_API const char *tide_name_of(tide_val v);  /* of an input or variable; "" otherwise */

/* Fed at each run; unfed is an error. The name is copied; with the open scopes it must be new among the graph's inputs,
 * since messages tell them apart by it. */
TIDE_API tide_val tide_input(tide_graph *g, const char *name, tide_dtype type, tide_shape shape);

/* Fixed: `data` (row-major, of `type`) is copied. */
TIDE_API tide_val tide_constant(tide_graph *g, tide_dtype type, tide_shape shape, const void *data);
/* A number of shape () and of the default type that takes the type of its partner: ops.h says how. */
TIDE_API tide_val tide_scalar(tide_graph *g, double value);
TIDE_API tide_val tide_scalar_of(tide_graph *g, tide_dtype type, double value);
/* All elements the number. */
TIDE_API tide_val tide_fill(tide_graph *g, tide_dtype type, tide_shape shape, double value);

/* Survives runs; changed only by tide_assign, tide_write, tide_restore and tide_load.
 * `initial` is any value that needs no feed; it gives type and shape and is computed at first use.
 * The full name (scopes included) must be new in the graph. */
TIDE_API tide_val tide_variable(tide_graph *g, const char *name, tide_val initial);

/* An effect: when a program that contains it runs, `variable` becomes `value` (same type and shape).
 * All assignments of a run take effect together, after every read of the old values. Returns the effect;
 * ask tide_compile for it. One program may assign a variable once. */
TIDE_API tide_val tide_assign(tide_val variable, tide_val value);

/* The effect, but only in runs where `condition` (BOOL, one element) is true: every variable that it assigns keeps its
 * value otherwise, whatever was computed for it. */
TIDE_API tide_val tide_when(tide_val condition, tide_val effect);

/* One effect out of several. */
TIDE_API tide_val tide_group(tide_graph *g, tide_list effects);

/* Variables in the order they were made whose names start with `prefix`.
 * tide_params: those a model trains (made by layers or marked by tide_mark_param);
 * tide_state: all of them, moments and counters included: all that survives a run. */
TIDE_API tide_list tide_params(tide_graph *g, const char *prefix);
TIDE_API tide_list tide_state(tide_graph *g, const char *prefix);

TIDE_API void      tide_mark_param(tide_val variable);  /* tide_params has it from then on */
TIDE_API tide_val  tide_find_variable(tide_graph *g, const char *full_name);  /* poison, without error, if absent */

/* Derivatives of the scalar `loss` with respect to `wrt` (any values of the graph), one for each, as values
 * again: they can be read, compiled and differentiated. A value that loss does not depend on gets zeros. */
TIDE_API tide_list tide_grad(tide_val loss, tide_list wrt);

/* Memory for time: what is built between begin and end, a layer of a deep model, is a region. Where the derivatives
 * that tide_grad makes need a value from inside a region, they compute it again from what the region reads, once the
 * backward pass has got there; until then only that and the region's results take memory. The maths and the random
 * numbers are the same. Values are as before: any of them can be read, and those used outside are kept. Regions inside
 * a region belong to it. Custom operations run once and keep their results. tide_grad refuses to work while a region is
 * open. */
TIDE_API void tide_recompute_begin(tide_graph *g);
TIDE_API void tide_recompute_end(tide_graph *g);

/* ---- programs ----------------------------------------------------------------------------------------- */

typedef struct tide_feed {
    tide_val    input;
    const void *data;  /* row-major, whole input; copied before tide_run returns */
} tide_feed;

/* What the matrix products of a program multiply. BF16 and F16: operands of large products are rounded to 16 bits, sums
 * and results stay F32, and so does all other arithmetic; variables are not changed. Products too small to gain stay
 * F32. F16 has a small range: train with a tide_grad_scaler (optim.h). */
typedef enum tide_precision {
    TIDE_PRECISION_GRAPH = 0,  /* what tide_autocast said for this graph; F32 if it was not called */
    TIDE_PRECISION_F32,
    TIDE_PRECISION_BF16,
    TIDE_PRECISION_F16,
    TIDE_PRECISION_AUTO        /* BF16 where the device multiplies it natively, else F32 */
} tide_precision;
TIDE_API const char *tide_precision_name(tide_precision precision);  /* "graph", "f32", "bf16", "f16", "auto" */

/* The precision of programs compiled from now on whose options do not name one. */
TIDE_API void tide_autocast(tide_graph *g, tide_precision precision);

/* What `wanted` comes to on the graph's device: F32, BF16 or F16. `note` (may be NULL) gets a sentence that says why it
 * is F32 although 16 bits were asked for; "" otherwise. */
TIDE_API tide_precision tide_precision_here(const tide_graph *g, tide_precision wanted, const char **note);

/* What compiling may cost for what it gains. Every mode gives the same results within rounding. */
typedef enum tide_program_mode {
    TIDE_MODE_GRAPH = 0, /* what tide_compile_mode said for this graph; DEFAULT if it was not called */
    TIDE_MODE_DEFAULT, /* all passes; choices come from fixed tables, never from a clock */
    TIDE_MODE_REDUCE_OVERHEAD, /* a whole run in one launch. The cpu device does that always, in one parallel region:
                                  here this is DEFAULT's program */
    TIDE_MODE_MAX_AUTOTUNE /* times what DEFAULT looks up, once: the provider of each product, the cut of the work, map
                              kernels as C through the system compiler.
                              Answers are kept in $XDG_CACHE_HOME/tidemill/tuning, for this machine and version. The
                              first compile of a program takes seconds and runs it on made-up inputs; variables keep
                              their values. Programs with a custom operation keep the cut of DEFAULT */
} tide_program_mode;
TIDE_API const char *tide_compile_mode_name(tide_program_mode mode);  /* "graph", "default", "reduce-overhead",
                                                                         "max-autotune" */

/* The mode of programs compiled from now on whose options do not name one. */
TIDE_API void tide_compile_mode(tide_graph *g, tide_program_mode mode);

/* What the graph's programs were made with that was chosen by timing, a JSON object of whole numbers; malloc'ed, NULL
 * when out of memory. And to make programs with such choices and no others, whatever the mode and without a clock: the
 * same program then gives the same bits. Call it before they are compiled. TIDE_EDATA for anything else. */
TIDE_API char       *tide_choices(const tide_graph *g);
TIDE_API tide_status tide_choices_set(tide_graph *g, const char *json, tide_failure *failure);

/* What max-autotune did so far. */
typedef struct tide_tuning {
    int64_t     timed, kept;  /* choices made by timing; found in the cache */
    double      seconds;      /* that timing took */
    const char *note;         /* why the cache could not be read or written, or kernels not compiled, a clause that
                                 lives as long as the graph; "" */
} tide_tuning;
TIDE_API tide_tuning tide_graph_tuning(const tide_graph *g);

typedef struct tide_compile_options {
    int64_t memory_limit;      /* bytes for this program's arena and scratch; 0: the graph's limit */
    tide_precision precision;  /* falls back to F32 where the device has no native products of it
                                  (tide_program_precision) */
    bool    strict;            /* a fallback is an error instead, TIDE_EDEVICE */
    tide_program_mode mode;
    bool    no_passes;         /* op by op, as `ref` runs it; nothing is timed then */
    /* Called with the program's text after each pass ("build", "simplify", ...); NULL: not called. */
    void  (*dump)(void *user, const char *pass, const char *text);
    void   *dump_user;
    bool    dump_dot;          /* dump DOT instead of text */
} tide_compile_options;

/* Programs belong to the graph; tide_program_free gives one back earlier. A program that could not be made carries its
 * error (tide_run and tide_program_error return it). NULL only when out of memory for the handle itself or where
 * nothing was asked for: the list is empty or no item has a graph; tide_program_error(NULL) says so. `options` may be
 * NULL. */
TIDE_API tide_program *tide_compile(tide_list wanted, const tide_compile_options *options);
TIDE_API void          tide_program_free(tide_program *p);
TIDE_API const tide_failure *tide_program_error(const tide_program *p);

/* What the program was compiled for: F32, BF16 or F16; `note` as for tide_precision_here. */
TIDE_API tide_precision tide_program_precision(const tide_program *p, const char **note);

/* Where the program runs: the graph's device, or "cpu" if that lacks one of its operations; `note` (may be NULL) gets a
 * sentence that names it, "" otherwise. A program is never split between devices. tide_compile_options.strict makes it
 * an error. */
TIDE_API const char *tide_program_device(const tide_program *p, const char **note);

/* Runs the program once. Feeds may be given in any order, each input once; those that no value reads are allowed. Their
 * data is the caller's again at once.
 *   A device with memory of its own may only queue the run, and go on with it while the caller does something else;
 * whatever needs a result (tide_read, tide_data, tide_write, snapshots, tide_wait) waits. A run that fails after it was
 * queued is told by the next of those or the next run, with the kernel's name and TIDE_EDEVICE; values of all runs that
 * were queued by then are not there to be read. */
TIDE_API tide_status tide_run(tide_program *p, const tide_feed *feeds, int64_t count);

/* Waits until all that the program's graph has queued is done; TIDE_OK at once where nothing is queued, as on "cpu". */
TIDE_API tide_status tide_wait(tide_program *p);

/* Ends a run early, from any thread: the run under way (one that is queued goes on), else the next one, returns
 * TIDE_ECANCELLED within the time of a kernel's part, and its values are not there to be read. Variables that it
 * assigns may then hold old and new values side by side: put back a snapshot. The program can be run again. */
TIDE_API void tide_program_cancel(tide_program *p);

/* What the program holds, known before its first run and equal to what is allocated, to the byte. */
typedef struct tide_memory {
    int64_t arena, constants, variables, scratch, total;  /* variables: without those that another graph lends */
} tide_memory;
TIDE_API tide_memory tide_program_bytes(const tide_program *p);
TIDE_API int64_t     tide_program_kernels(const tide_program *p);
TIDE_API double      tide_program_flops(const tide_program *p);  /* of matrix products, one run */

/* ---- explaining ---- */

/* One kernel. A map kernel computes many operations at once, over a domain of rows x cols. */
typedef struct tide_kernel_row {
    const char *kind;      /* "map", "gemm", "gather", ... */
    const char *members;   /* what it computes: "gelu, 2 mul, row sum"; "" for a gemm, "dropout" or "" for attention */
    const char *variables; /* variables and inputs it touches, "a.weight, b.weight"; those it writes begin with "=" */
    int64_t phase, chain;  /* kernels of a chain run one after the other on each part of the data */
    int64_t tasks;         /* parts that threads share */
    int64_t rows, cols;    /* map */
    int64_t batches, m, n, k;         /* gemm: batches products of (m, k) by (k, n); attention: so many
                                         times m queries on n keys of size k */
    int64_t ops, results;  /* map: operations, and how many of their results are written to memory */
    int64_t bytes_read, bytes_written; /* each element once */
    double  flops;         /* gemm: 2 m n k batches, attention: its products; else an operation on a number is one */
    double  seconds;       /* of one run, over all threads, the median of the runs; 0: not measured, or done in the
                              launch of another */
} tide_kernel_row;

/* A value that one map kernel writes for another to read. */
typedef struct tide_apart_row {
    int64_t     from, to;  /* kernels, by index */
    const char *value;     /* "mul (32, 11, 256)" */
    const char *why;       /* why the two kernels are not one, a clause */
    int64_t     bytes;
} tide_apart_row;

/* Where a buffer of the arena lies: from first_phase to last_phase, an input's first being -1. */
typedef struct tide_buffer_row { int64_t offset, bytes, first_phase, last_phase; } tide_buffer_row;

typedef struct tide_explanation {
    const char     *device;
    const char     *device_note;     /* why not the graph's; "" */
    int64_t         lacking;         /* kernels that the graph's device lacks; the program runs on cpu if there are
                                        any */
    int             threads;         /* 0: the device computes by itself */
    tide_precision  precision;
    const char     *precision_note;  /* why not what was asked for; "" */
    bool            fused;           /* false: op by op */
    const tide_kernel_row *kernels;  /* in the order of phases */
    const tide_apart_row  *apart;
    const tide_buffer_row *buffers;
    int64_t         n_kernels, n_apart, n_buffers, phases, chains;
    tide_memory     memory;
    int64_t         arena_apart;     /* bytes if no two of the arena's buffers shared memory */
    double          flops;           /* of all kernels; of the products: tide_program_flops */
    int64_t         bytes_read, bytes_written;
    int             runs;            /* measured; 0: none, or the device has no clock (check) */
    double          run_s;           /* of one run as it is, its median */
} tide_explanation;

typedef struct tide_explain_options {
    const tide_feed *feeds;   /* for measuring; as for tide_run */
    int64_t          count;
    double           measure_s;  /* run again and again for about so long, at least five times, and time kernels; 0: do
                                    not run */
} tide_explain_options;

/* What the program consists of, what that moves and computes, and, if asked, how long it takes. Measured runs are runs:
 * they assign variables (tide_snapshot keeps them). Measuring costs a clock call a task and kernel; a program that is
 * not being measured pays nothing. NULL if the program or a run failed (tide_program_error says why). Free it before
 * the graph. */
TIDE_API tide_explanation *tide_program_explain(tide_program *p, const tide_explain_options *options);
TIDE_API void              tide_explanation_free(tide_explanation *e);

/* A page for people: totals, the slowest kernels, every kernel by phase, what was not fused. gflops and gbs are what
 * the machine can do at most, in 1e9 a second, for a share beside each rate; 0: unknown. malloc'ed; NULL without an
 * explanation or when out of memory. */
TIDE_API char *tide_explanation_text(const tide_explanation *e, double gflops, double gbs);

/* Copies the value's elements (row-major) to `out`, which must have room for all of them.
 * Returns what the last run that asked for the value computed, WHATEVER WAS WRITTEN TO VARIABLES SINCE; if no program
 * has computed it, it is evaluated now, from the variables as they are. A value that needs a feed can only be read
 * after a run. If it failed, tide_error says why: with the status of what failed, and only until the next read or
 * write.
 *   Evaluating compiles a program, unless one of the last 64 was for a value made in the same way: of the same
 * operations on the same shapes and variables, whatever the numbers (tide_scalar, tide_fill) and constants of up to
 * 1 MiB are. So reading v + i in a loop compiles once and takes microseconds. Those programs hold at most 64 MiB and
 * the last one's memory; the values themselves about 300 bytes an operation, until tide_graph_rewind or
 * tide_graph_free. */
TIDE_API tide_status tide_read(tide_val v, void *out, size_t bytes);

/* The same, but always evaluated now, though a program may have computed it before. */
TIDE_API tide_status tide_read_now(tide_val v, void *out, size_t bytes);

/* As tide_read, without a copy: a pointer into the value's own memory, valid until the next run, read, write, rewind or
 * free; of a variable or constant, as long as there is one. On a device with memory of its own it is a copy, which the
 * value's memory on the host is kept for, and which shows what was there at the last tide_data. NULL if it failed
 * (tide_error or the program's error says why). */
TIDE_API const void *tide_data(tide_val v);

TIDE_API tide_status tide_write(tide_val variable, const void *data, size_t bytes);

/* Makes variables of one graph read those of another, `from`, in place: variable i of `to` is variable i of `from`, of
 * the same type and shape; names may differ. So many graphs, a thread each, hold a model's parameters once. From then
 * on nothing may change them, in either graph: tide_write, tide_restore, tide_load and programs that assign them fail.
 * They stay until the last of the graphs is freed, in any order and by any thread; with an allocator of your own, that
 * of the first graph is called then. Memory figures (tide_memory) count them in the graph that made them alone.
 * The variables of `to` must have had no value yet, and no program may assign those of `from`: TIDE_EINVAL, TIDE_ETYPE,
 * TIDE_ESHAPE, with the name. While it works no other thread may use either graph; afterwards each graph has a thread
 * again. */
TIDE_API tide_status tide_variables_share(tide_list to, tide_list from, tide_failure *failure);

/* Keeps a copy of the variables in memory, and puts it back. Free with tide_snapshot_free. If one of these failed for
 * want of more than memory, tide_error says why, as of a read. */
typedef struct tide_snapshot_s tide_snapshot_t;
TIDE_API tide_snapshot_t *tide_snapshot(tide_list variables);  /* NULL when out of memory, if the device failed, or not
                                                                  all are variables of one graph */
TIDE_API tide_status      tide_snapshot_update(tide_snapshot_t *s);       /* takes them again */
TIDE_API tide_status      tide_restore(const tide_snapshot_t *s);
/* of the i-th variable; NULL past the last */
TIDE_API const void      *tide_snapshot_data(const tide_snapshot_t *s, int64_t i);
TIDE_API void             tide_snapshot_free(tide_snapshot_t *s);

/* The devices of this build, NULL-terminated: "cpu"; "ref", plain and slow, what the others are compared with; "check",
 * which finds kernels that touch what they should not. Of those with memory of their own a machine may have several:
 * "NAME" is the first, "NAME:1" the second. */
TIDE_API const char *const *tide_devices(void);

/* Whether a graph can be made on the device, NULL being the default. TIDE_EDEVICE: there is none of this name, or this
 * machine lacks it; the message says what there is. */
TIDE_API tide_status tide_device_check(const char *device, tide_failure *failure);

/* What a device is, for pages that people read and for shares of its memory. */
typedef struct tide_device {
    char    name[32];      /* as it is asked for: "cpu", "opencl", "opencl:1" */
    char    hardware[128]; /* what computes: "NVIDIA H200"; of "cpu", "ref" and "check" the processor; "": not known */
    int64_t memory_bytes;  /* what this process may use of the memory that the device's values are in; 0: not known */
    bool    own_memory;    /* values are copied there and back, and runs may be queued (tide_run) */
} tide_device;
/* Fills *out, NULL being the default device. It is opened for that, where it has memory of its own: milliseconds, of a
 * driver that was not used before seconds. Fails as tide_device_check: `out` then has the name alone. */
TIDE_API tide_status tide_device_info(const char *device, tide_device *out, tide_failure *failure);

/* Who multiplies matrices on a device: libraries that are looked for on this machine, in order of preference, and our
 * own kernels. They are found at the first call or at the first product, and stay what they are. */
typedef struct tide_product_library {
    const char *name;     /* "oneDNN", "own kernels"; NULL ends the list */
    const char *version;  /* NULL: not known */
    const char *path;     /* of the file; NULL: not known, or none */
    const char *lacks;    /* why it is not used, as the end of a sentence; NULL: it is */
} tide_product_library;
/* Never NULL; an empty list for a device that does not say, or is none. */
TIDE_API const tide_product_library *tide_products(const char *device);

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
/* What the macros of lists are in C++, where a list in braces is no expression. */
namespace tide_cpp {
inline tide_shape shape(std::initializer_list<int64_t> sizes) {
    tide_shape s = {};
    for (int64_t size : sizes) {
        if (s.ndim < TIDE_MAX_DIMS) s.dim[s.ndim] = size;
        s.ndim++;  /* too many are counted, and refused by name */
    }
    return s;
}
inline tide_list list(std::initializer_list<tide_val> items) {
    tide_list l = { items.begin(), (int64_t)items.size() };
    return l;
}
}
#endif

#endif
