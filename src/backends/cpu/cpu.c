/* The fast backend for processors. Preparing chooses everything; a run is one parallel region in which threads take
 * (chain, task) pairs phase by phase. */
#include <sched.h>
#include <stdlib.h>

#include "../ref/ref.h"
#include "cpu.h"
#include "backends/cpu/native/native.h"

/* Below this a second thread takes longer to wake than it helps; and below this for each phase that is shared, since
 * every phase ends with waiting for each other: microseconds, but milliseconds where another program has the core of
 * one of them. */
static const double worth_threads_seconds = 8e-6, worth_phase_seconds = 5e-6;

typedef struct cpu_chain {
    const cpu_kernel *kernels;
    int32_t n_kernels;
    int64_t first_item, tasks;  /* among its phase's work items */
} cpu_chain;

typedef struct cpu_phase {
    const cpu_chain *chains;
    int64_t items;
    atomic_int_fast64_t next;   /* the first item nobody has taken */
    atomic_int_fast64_t done;   /* items finished: the phase is over when all are, whoever is late */
    char    apart[32];          /* from the next phase's counters: a cache line each */
} cpu_phase;

struct backend_exec {
    const tide_allocator *allocator;
    arena     keep;
    gemm_set  gemms;
    native_set native;
    cpu_phase *phases;
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

static void run_phase(backend_exec *e, cpu_phase *phase, int thread) {
    const cpu_chain *chain = phase->chains;
    char *scratch = thread_scratch(e, thread);
    int64_t item, finished = 0;
    while ((item = atomic_fetch_add_explicit(&phase->next, 1, memory_order_relaxed)) < phase->items) {
        while (item >= chain->first_item + chain->tasks) chain++;
        for (int32_t i = 0; i < chain->n_kernels && !cancelled(e); i++)
            chain->kernels[i].run(chain->kernels[i].exec, item - chain->first_item, thread, scratch);
        finished++;
    }
    if (finished) atomic_fetch_add_explicit(&phase->done, finished, memory_order_release);
}

/* Waits for the items others hold, not for the others: a thread that the system keeps from running holds nobody up. */
static void wait_phase(cpu_phase *phase) {
    enum { SPINS = 4000 };
    for (int spins = 0; atomic_load_explicit(&phase->done, memory_order_acquire) < phase->items; spins++)
        if (spins >= SPINS) sched_yield();
}

static void run_thread(void *exec, int thread) {
    backend_exec *e = exec;
    for (int32_t i = 0; i < e->n_phases; i++) {
        run_phase(e, &e->phases[i], thread);
        if (e->threads > 1) wait_phase(&e->phases[i]);
    }
}

/* The same with a clock between the kernels: what it reads is a kernel's own time, without waiting. */
static void time_phase(backend_exec *e, cpu_phase *phase, int thread) {
    const cpu_chain *chain = phase->chains;
    char   *scratch = thread_scratch(e, thread);
    double *spent = e->spent + (int64_t)thread * e->n_kernels;
    int64_t item, finished = 0;
    while ((item = atomic_fetch_add_explicit(&phase->next, 1, memory_order_relaxed)) < phase->items) {
        while (item >= chain->first_item + chain->tasks) chain++;
        double before = os_seconds();
        for (int32_t i = 0; i < chain->n_kernels; i++) {
            const cpu_kernel *k = &chain->kernels[i];
            k->run(k->exec, item - chain->first_item, thread, scratch);
            double now = os_seconds();
            spent[k - e->kernels] += now - before;
            before = now;
        }
        finished++;
    }
    if (finished) atomic_fetch_add_explicit(&phase->done, finished, memory_order_release);
}

static void time_thread(void *exec, int thread) {
    backend_exec *e = exec;
    for (int32_t i = 0; i < e->n_phases; i++) {
        time_phase(e, &e->phases[i], thread);
        if (e->threads > 1) wait_phase(&e->phases[i]);
    }
}

/* Outside a parallel region a library would wake threads of its own for every product. */
static void run_alone(backend_exec *e, void (*work)(void *exec, int thread)) {
    int before = pool_limit(1);
    work(e, 0);
    pool_limit(before);
}

static tide_status run_with(backend_exec *e, void (*work)(void *exec, int thread), tide_failure *why) {
    for (int32_t i = 0; i < e->n_phases; i++) {
        atomic_store_explicit(&e->phases[i].next, 0, memory_order_relaxed);
        atomic_store_explicit(&e->phases[i].done, 0, memory_order_relaxed);
    }
    if (e->threads > 1) pool_run(e->threads, work, e);
    else run_alone(e, work);
    if (atomic_exchange(&e->gemms.failed, false))
        return fail(why, TIDE_EDEVICE, "a matrix product failed in its library");
    return TIDE_OK;
}

static tide_status run(backend_exec *e, tide_failure *why) { return run_with(e, run_thread, why); }

static tide_status measure(backend_exec *e, double *seconds, tide_failure *why) {
    size_t bytes = sizeof *e->spent * (size_t)e->threads * (size_t)e->n_kernels;
    e->spent = mem_new(e->allocator, bytes);
    if (!e->spent) return fail(why, TIDE_ENOMEM, "no memory to measure %d kernels", (int)e->n_kernels);
    tide_status status = run_with(e, time_thread, why);
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

static void lay_out_chains(backend_exec *e, const flat_program *p, const cpu_kernel *kernels) {
    cpu_chain *chains = arena_new(&e->keep, cpu_chain, p->n_chains);
    e->phases = arena_new(&e->keep, cpu_phase, p->n_phases);
    e->n_phases = p->n_phases;
    for (int32_t i = 0; i < p->n_phases; i++) {
        const flat_phase *phase = &p->phases[i];
        e->phases[i].chains = &chains[phase->first_chain];
        for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++) {
            const flat_chain *from = &p->chains[c];
            chains[c] = (cpu_chain){ &kernels[from->first_kernel], from->kernels, e->phases[i].items, from->tasks };
            e->phases[i].items += from->tasks;
        }
    }
}

/* Whether there is anything to share, and enough of it. The cut into tasks does not depend on this. */
static bool worth_threads(const backend_exec *e, const flat_program *p, const cpu_kernel *kernels) {
    double shared = 0, least = worth_threads_seconds;
    for (int32_t i = 0; i < p->n_phases; i++) {
        const flat_phase *phase = &p->phases[i];
        if (e->phases[i].items < 2) continue;
        least += worth_phase_seconds;
        for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++)
            for (int32_t k = p->chains[c].first_kernel; k < p->chains[c].first_kernel + p->chains[c].kernels; k++)
                shared += kernels[k].seconds * (double)p->chains[c].tasks;
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

/* An instruction set that is not to be had fails where programs are prepared. */
static const char *lacks_products(tide_dtype half) {
    const isa_table *isa;
    return isa_choose(getenv("TIDEMILL_ISA"), &isa, NULL) == TIDE_OK ? gemm_lacks(isa, half) : NULL;
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
    .name = "cpu", .fuse = true, .task_memory = true, .guard_bytes = 0,
    .prepare = prepare, .run = run, .measure = measure, .scratch_bytes = scratch_bytes, .release = release,
    .lacks_products = lacks_products,
    .tunes = true,
};
