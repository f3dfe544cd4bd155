/* The parts of the fast backend. Preparing a kernel turns it into a struct that only has to be run; everything it
 * needs is allocated then. */
#ifndef TIDE_CPU_H
#define TIDE_CPU_H

#include <stdatomic.h>

#include "isa.h"

/* What preparing needs. `keep` lives as long as the exec, `temp` until prepare returns; both jump out when memory runs
 * out. */
typedef struct cpu_build {
    const flat_program *program;
    void *const *data;  /* where each buffer lies */
    const isa_table *isa;
    arena *keep, *temp;
    int threads;
    struct gemm_set *gemms;
    struct tuning *tuning;  /* NULL: choices come from the fixed tables */
    bool autotune;          /* backend_env.autotune */
    tide_failure *why;
} cpu_build;

/* A place in memory (base), or (base NULL) in the running thread's: its task memory ends where its scratch begins. It
 * moves by `step` bytes every `tasks` tasks; step 0: it does not. */
typedef struct cpu_place { char *base; int64_t offset, step, tasks; } cpu_place;

static inline char *cpu_at(const cpu_place *p, int64_t task, char *scratch) {
    return (p->base ? p->base : scratch) + p->offset + (p->step ? task / p->tasks * p->step : 0);
}

/* Of the operand's first element, for every task: what a task touches of it lies where its thread has it. */
static inline cpu_place cpu_place_of(const cpu_build *b, const flat_kernel *k, const flat_operand *o) {
    const flat_buffer *f = &b->program->buffers[o->buffer];
    int64_t offset = o->offset * (int64_t)tide_dtype_size(o->type);
    if (f->space != FLAT_TASK) return (cpu_place){ (char *)b->data[o->buffer], offset, 0, 1 };
    return (cpu_place){ NULL, f->offset - b->program->task_bytes - f->part_base + offset, -f->part_step, k->grains };
}

/* A prepared kernel: run(exec, task, thread, scratch of that thread). */
typedef struct cpu_kernel {
    void (*run)(const void *exec, int64_t task, int thread, char *scratch);
    const void *exec;
    int64_t scratch;   /* bytes it needs */
    double  seconds;   /* rough cost of a task on one core */
    int64_t grains;    /* of its tasks in one of its chain */
} cpu_kernel;

tide_status map_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out);
tide_status gemm_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out);
tide_status index_prepare(const cpu_build *b, const flat_kernel *k, cpu_kernel *out);

/* ---- matrix products ----------------------------------------------------------------------------------- */

/* One product of one shape, made ready by a provider; each thread may run it at the same time. */
typedef struct gemm_call {
    const struct gemm_provider *provider;
    gemm_shape shape;
    int64_t usual_rows;  /* the shape with so many says who multiplies */
    tide_dtype type;   /* of A and B; C's is F32 where that is a 16-bit one */
    void   *state;     /* the provider's */
    int64_t scratch;   /* bytes a thread needs */
    struct gemm_call *next;
} gemm_call;

typedef struct gemm_provider {
    const char *name;
    bool (*fits)(const isa_table *isa, const gemm_shape *s, tide_dtype type);
    tide_status (*prepare)(const cpu_build *b, gemm_call *call);
    tide_status (*run)(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch);
    void (*release)(gemm_call *call);  /* NULL if there is nothing to give back */
    /* It could, if that is faster: `fits` without its limits of size. NULL: never in place of another. */
    bool (*takes)(const isa_table *isa, const gemm_shape *s, tide_dtype type);
} gemm_provider;

extern const gemm_provider gemm_few, gemm_onednn, gemm_cblas, gemm_widened, gemm_own;

/* The call of this shape, made at first asking. `usual`: the shape that says who multiplies. */
tide_status gemm_find(const cpu_build *b, const gemm_shape *s, const gemm_shape *usual, tide_dtype type,
                      const gemm_call **out);
/* gemm_tune.c: who is to run the call: its provider as it is, or the one that is fastest of all if choices are made by
 * timing. */
const gemm_provider *gemm_chosen(const cpu_build *b, const gemm_call *call, const gemm_provider *const *all, int count);
/* Why no provider multiplies this 16-bit type faster than F32; NULL: one does. */
const char *gemm_lacks(const isa_table *isa, tide_dtype half);
/* Whether a row of a product has the same bits however many go with it, whoever multiplies. */
bool gemm_rows_alone(const isa_table *isa);
bool onednn_rows_alone(void);
const char *onednn_lacks(const isa_table *isa, tide_dtype half);
/* Who multiplies here: tide_products of the device. */
const tide_product_library *gemm_libraries(void);

/* gemm_end.c: of a product with a bias or a 16-bit result. It is made as F32 in scratch, C's rows one after the other,
 * behind what the call needs. */
typedef struct gemm_end {
    strip_fn widen, narrow, add;  /* C to F32, F32 to C, F32 and F32 */
    int64_t  c_row;               /* bytes */
    bool     bias;
} gemm_end;
bool            gemm_ends(const flat_kernel *k);
const gemm_end *gemm_end_new(const cpu_build *b, const flat_kernel *k);
static inline int64_t gemm_end_at(const gemm_call *call) { return round_up(call->scratch, 64); }
/* What beta needs of C, before; and the sums to C, after. */
void gemm_end_begin(const gemm_end *e, const gemm_shape *s, void *sums, const void *c);
void gemm_end_finish(const gemm_end *e, const gemm_shape *s, void *sums, const void *bias, void *c);

/* The products of a program, one for each distinct shape. */
typedef struct gemm_set {
    gemm_call *calls;
    atomic_int failed;  /* what a provider reported last, if it was not TIDE_OK */
} gemm_set;
void gemm_release(gemm_set *set);

/* ---- threads ------------------------------------------------------------------------------------------- */

/* Libraries with threads of their own would wake them for every product: for this thread they may use one from here
 * on, until they get back what they had (library_threads.c). */
enum { LIBRARY_RUN_TIMES = 2 };
typedef struct library_limit { int count, threads[LIBRARY_RUN_TIMES]; } library_limit;
library_limit library_threads_one(void);
void          library_threads_back(const library_limit *before);
void          library_threads_of(void *library);  /* one that dlopen gave: from now on it is told, too */

#endif
