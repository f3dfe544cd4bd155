/* The fast backend for processors. Preparing chooses everything; in a run threads take (chain, task) pairs phase by
 * phase. */
#include <stdlib.h>

#include "../ref/ref.h"
#include "cpu.h"
#include "base/parallel.h"
#include "backends/cpu/native/native.h"

/* Below this a second thread takes longer to wake than it helps; below this for each phase that is shared, since every
 * phase ends with waiting for what the others hold: microseconds, but milliseconds where another program has the core
 * of one of them; and a phase for which a thread that sleeps is not woken. */
static const double worth_threads_seconds = 8e-6, worth_phase_seconds = 5e-6, worth_waking_seconds = 10e-6;

typedef struct cpu_chain {
    const cpu_kernel *kernels;
    int32_t n_kernels;
    int64_t first_item, tasks;  /* among its phase's work items */
} cpu_chain;

struct backend_exec {
    const tide_allocator *allocator;
    arena     keep;
    gemm_set  gemms;
    native_set native;
    const cpu_chain **chains; /* the first of each phase */
    parallel_phase *phases;
    int32_t   n_phases, n_kernels;
    const cpu_kernel *kernels;
    int       threads;
    char     *scratch;
    int64_t   scratch_each;  /* bytes a thread: the program's task memory, then what kernels need */
    int64_t   task_bytes;
    const atomic_bool *cancelled;  /* NULL: never */
    double   *spent;         /* while measuring: (threads, n_kernels) seconds */
};

static char *thread_scratch(const backend_exec *e, int thread) {
    return e->scratch + thread * e->scratch_each + e->task_bytes;
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* Items are counted as finished then, without being run: nobody waits for them. */
static bool cancelled(const backend_exec *e) {
    return e->cancelled && atomic_load_explicit(e->cancelled, memory_order_relaxed);
}

static void run_kernel(const cpu_kernel *k, int64_t task, int thread, char *scratch) {
    for (int64_t t = task * k->grains; t < (task + 1) * k->grains; t++) k->run(k->exec, t, thread, scratch);
}

static void run_phase(void *exec, int32_t phase, int thread, parallel_share *share) {
    const backend_exec *e = exec;
    const cpu_chain *chain = e->chains[phase];
    char *scratch = thread_scratch(e, thread);
    library_limit before = library_threads_one();
    for (int64_t item; (item = parallel_next(share)) >= 0;) {
        while (item >= chain->first_item + chain->tasks) chain++;
        for (int32_t i = 0; i < chain->n_kernels && !cancelled(e); i++)
            run_kernel(&chain->kernels[i], item - chain->first_item, thread, scratch);
    }
    library_threads_back(&before);
}

/* The same with a clock between the kernels: what it reads is a kernel's own time, without waiting. */
static void time_phase(void *exec, int32_t phase, int thread, parallel_share *share) {
    const backend_exec *e = exec;
    const cpu_chain *chain = e->chains[phase];
    char   *scratch = thread_scratch(e, thread);
    double *spent = e->spent + (int64_t)thread * e->n_kernels;
    library_limit before_limit = library_threads_one();
    for (int64_t item; (item = parallel_next(share)) >= 0;) {
        while (item >= chain->first_item + chain->tasks) chain++;
        double before = os_seconds();
        for (int32_t i = 0; i < chain->n_kernels; i++) {
            const cpu_kernel *k = &chain->kernels[i];
            run_kernel(k, item - chain->first_item, thread, scratch);
            double now = os_seconds();
            spent[k - e->kernels] += now - before;
            before = now;
        }
    }
    library_threads_back(&before_limit);
}

typedef void phase_work(void *exec, int32_t phase, int thread, parallel_share *share);

static tide_status run_with(backend_exec *e, phase_work *work, tide_failure *why) {
    parallel_run(e->threads, &(parallel_work){ e->phases, e->n_phases, work, e });
    tide_status status = (tide_status)atomic_exchange(&e->gemms.failed, TIDE_OK);
    return status == TIDE_OK     ? TIDE_OK
         : status == TIDE_ENOMEM ? fail(why, status, "no memory for a matrix product in its library")
                                 : fail(why, status, "a matrix product failed in its library");
}

static tide_status run(backend_exec *e, tide_failure *why) { return run_with(e, run_phase, why); }

static tide_status measure(backend_exec *e, double *seconds, tide_failure *why) {
    size_t bytes = sizeof *e->spent * (size_t)e->threads * (size_t)e->n_kernels;
    e->spent = mem_new(e->allocator, bytes);
    if (!e->spent) return fail(why, TIDE_ENOMEM, "no memory to measure %d kernels", (int)e->n_kernels);
    tide_status status = run_with(e, time_phase, why);
    for (int32_t k = 0; k < e->n_kernels; k++)
        for (int t = 0; t < e->threads; t++) seconds[k] += e->spent[(int64_t)t * e->n_kernels + k];
    mem_free(e->allocator, e->spent, bytes);
    e->spent = NULL;
    return status;
}

/* ---- preparing ----------------------------------------------------------------------------------------- */

static tide_status prepare_kernel(const cpu_build *b, const flat_kernel *k, cpu_kernel *out) {
    switch (k->kind) {
    case FLAT_MAP:  return map_prepare(b, k, out);
    case FLAT_GEMM: return gemm_prepare(b, k, out);
    default:        return index_prepare(b, k, out);
    }
}

static double phase_seconds(const flat_program *p, const flat_phase *phase, const cpu_kernel *kernels) {
    double sum = 0;
    for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++)
        for (int32_t k = p->chains[c].first_kernel; k < p->chains[c].first_kernel + p->chains[c].kernels; k++)
            sum += kernels[k].seconds * (double)p->kernels[k].tasks;
    return sum;
}

static void lay_out_chains(backend_exec *e, const flat_program *p, const cpu_kernel *kernels) {
    cpu_chain *chains = arena_new(&e->keep, cpu_chain, p->n_chains);
    e->phases = arena_new(&e->keep, parallel_phase, p->n_phases);
    e->chains = arena_new(&e->keep, const cpu_chain *, p->n_phases);
    e->n_phases = p->n_phases;
    for (int32_t i = 0; i < p->n_phases; i++) {
        const flat_phase *phase = &p->phases[i];
        e->chains[i] = &chains[phase->first_chain];
        for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++) {
            const flat_chain *from = &p->chains[c];
            chains[c] = (cpu_chain){ &kernels[from->first_kernel], from->kernels, e->phases[i].items, from->tasks };
            e->phases[i].items += from->tasks;
        }
        e->phases[i].brief = phase_seconds(p, phase, kernels) < worth_waking_seconds;
    }
}

/* Whether there is anything to share, and enough of it. The cut into tasks does not depend on this. */
static bool worth_threads(const backend_exec *e, const flat_program *p, const cpu_kernel *kernels) {
    double shared = 0, least = worth_threads_seconds;
    for (int32_t i = 0; i < p->n_phases; i++) {
        const flat_phase *phase = &p->phases[i];
        if (e->phases[i].items < 2) continue;
        least += worth_phase_seconds;
        shared += phase_seconds(p, phase, kernels);
    }
    return shared > least;
}

static tide_status prepare_all(backend_exec *e, cpu_build *b, void *arena_memory, int64_t *scratch) {
    const flat_program *p = b->program;
    void **data = arena_new(b->keep, void *, p->n_buffers);
    cpu_kernel *kernels = arena_new(b->keep, cpu_kernel, p->n_kernels);
    b->data = data;
    ref_locate(p, arena_memory, data);
    for (int32_t i = 0; i < p->n_kernels; i++) {
        tide_status status = prepare_kernel(b, &p->kernels[i], &kernels[i]);
        if (status != TIDE_OK) return status;
        kernels[i].grains = p->kernels[i].grains;
    }
    native_prepare(b, kernels, &e->native);
    for (int32_t i = 0; i < p->n_kernels; i++) *scratch = MAX2(*scratch, kernels[i].scratch);
    e->kernels = kernels, e->n_kernels = p->n_kernels;
    lay_out_chains(e, p, kernels);
    if (!worth_threads(e, p, kernels)) e->threads = 1;
    return TIDE_OK;
}

/* Arena allocations jump here when memory runs out. */
static tide_status prepare_guarded(backend_exec *e, cpu_build *b, void *arena_memory, int64_t *scratch) {
    jmp_buf oom;
    b->keep->oom = b->temp->oom = &oom;
    tide_status status = setjmp(oom) ? TIDE_ENOMEM : prepare_all(e, b, arena_memory, scratch);
    b->keep->oom = b->temp->oom = NULL;
    return status;
}

static void release(backend_exec *e) {
    if (!e) return;
    const tide_allocator *allocator = e->allocator;
    gemm_release(&e->gemms);
    native_release(&e->native);
    if (e->scratch) mem_free(allocator, e->scratch, (size_t)(e->scratch_each * e->threads));
    arena_free(&e->keep);
    mem_free(allocator, e, sizeof *e);
}

static tide_status prepare(const flat_program *p, void *arena_memory, const backend_env *env, backend_exec **out,
                           tide_failure *why) {
    backend_exec *e = mem_new(env->allocator, sizeof *e);
    if (!e) return fail(why, TIDE_ENOMEM, "no memory to prepare a program");
    e->allocator = e->keep.allocator = env->allocator;
    e->threads = MAX2(env->threads, 1);
    e->cancelled = env->cancelled;
    arena     temp = { .allocator = env->allocator };
    cpu_build b = { .program = p, .keep = &e->keep, .temp = &temp, .threads = e->threads, .gemms = &e->gemms,
                    .why = why,
                    .tuning = env->tuning, .autotune = env->autotune };
    int64_t   scratch = 0;
    tide_status status = isa_choose(getenv("TIDEMILL_ISA"), &b.isa, why);
    if (status == TIDE_OK) status = prepare_guarded(e, &b, arena_memory, &scratch);
    arena_free(&temp);
    if (status == TIDE_OK) {
        e->task_bytes = p->task_bytes;
        e->scratch_each = e->task_bytes + round_up(MAX2(scratch, 1), 64);
        e->scratch = mem_new(env->allocator, (size_t)(e->scratch_each * e->threads));
        if (!e->scratch) status = TIDE_ENOMEM;
    }
    if (status == TIDE_OK) {
        *out = e;
        return TIDE_OK;
    }
    release(e);
    return status == TIDE_ENOMEM ? fail(why, status, "no memory to prepare a program of %d kernels", (int)p->n_kernels)
                                 : status;
}

/* An instruction set that is not available fails where programs are prepared. */
static const char *lacks_products(tide_dtype half) {
    const isa_table *isa;
    return isa_choose(getenv("TIDEMILL_ISA"), &isa, NULL) == TIDE_OK ? gemm_lacks(isa, half) : NULL;
}

static bool rows_alone(void) {
    const isa_table *isa;
    return isa_choose(getenv("TIDEMILL_ISA"), &isa, NULL) == TIDE_OK && gemm_rows_alone(isa);
}

/* ---- counting ------------------------------------------------------------------------------------------ */

typedef struct counter { tide_allocator system; int64_t live; } counter;

static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    void *memory = c->system.alloc(c->system.user, bytes);
    if (memory) c->live += (int64_t)bytes;
    return memory;
}

static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    c->live -= (int64_t)bytes;
    c->system.free(c->system.user, memory, bytes);
}

/* Prepares for an arena that is nowhere, counts, and gives everything back. What cannot be prepared needs more than
 * there is. */
static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {
    counter c = { mem_system(), 0 };
    tide_allocator counting = { counted_alloc, counted_free, &c };
    backend_env as_if = *env;
    as_if.allocator = &counting;
    backend_exec *e = NULL;
    tide_failure ignored = { 0 };
    tide_status status = prepare(p, (void *)(uintptr_t)64, &as_if, &e, &ignored);
    int64_t bytes = status == TIDE_OK ? c.live : status == TIDE_ENOMEM ? INT64_MAX : 0;
    release(e);
    return bytes;
}

const tide_backend tide_backend_cpu = {
    .name = "cpu", .fuse = true, .task_memory = true, .guard_bytes = 0, .cut = &processor_cut,
    .prepare = prepare, .run = run, .measure = measure, .scratch_bytes = scratch_bytes, .release = release,
    .lacks_products = lacks_products, .rows_alone = rows_alone, .products = gemm_libraries,
    .tunes = true,
};
