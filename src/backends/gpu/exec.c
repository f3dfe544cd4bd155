/* Programs on any GPU, over a table of what its driver does: the text is built, the numbers of all launches and the
 * constants are on the device, and a run queues the launches in order, or replays what the driver has made of them. */
#include "driver.h"

#include <inttypes.h>
#include <stdlib.h>

/* One block of the host's memory: this, the calls, and the table. */
struct backend_exec {
    const tide_allocator *allocator;
    int64_t bytes;
    const gpu_driver   *driver;
    const flat_program *program;
    const atomic_bool  *cancelled;
    void   *device, *module, *recording;
    void   *table, *constants, *scratch;  /* blocks of the device; NULL where there are none */
    int64_t table_bytes, constant_bytes, scratch_bytes;
    int32_t n_calls;
    gpu_call calls[];
};

/* Where the numbers of a launch's kernel are told from: of the flat program, for messages and times. */
static int32_t kernel_of(const backend_exec *e, const gpu_call *c) {
    return (int32_t)(c->kernel - e->program->kernels);
}

static int64_t table_bytes(const gpu_plan *plan) { return plan->n_table * (int64_t)sizeof *plan->table; }

static int64_t exec_bytes(const gpu_plan *plan) {
    size_t calls = sizeof(gpu_call) * (size_t)plan->n_launches;
    return round_up((int64_t)(sizeof(backend_exec) + calls) + table_bytes(plan), 64);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static tide_status new_block(backend_exec *e, int64_t bytes, const char *what, void **out, tide_failure *why) {
    if (!bytes) return TIDE_OK;
    *out = e->driver->memory->alloc(e->device, bytes);
    if (!*out && e->driver->memory->wait(e->device, why)) return TIDE_EDEVICE; /* it is lost */
    return *out ? TIDE_OK : fail(why, TIDE_ENOMEM, "not enough memory on the device for %s: %" PRId64 " bytes", what,
                                 bytes);
}

static tide_status put_constants(backend_exec *e, const gpu_plan *plan, tide_failure *why) {
    tide_status status = TIDE_OK;
    for (int32_t i = 0; i < e->program->n_buffers && !status; i++) {
        const flat_buffer *b = &e->program->buffers[i];
        if (plan->constant_at[i] < 0 || !b->bytes) continue;
        status = e->driver->memory->put(e->device, e->constants, plan->constant_at[i], b->host, b->bytes, why);
    }
    return status;
}

static tide_status place(backend_exec *e, const gpu_plan *plan, tide_failure *why) {
    e->table_bytes = table_bytes(plan);
    e->constant_bytes = plan->constant_bytes, e->scratch_bytes = plan->scratch_bytes;
    tide_status status = new_block(e, e->table_bytes, "the kernels' numbers", &e->table, why);
    if (!status) status = new_block(e, e->constant_bytes, "the constants", &e->constants, why);
    if (!status) status = new_block(e, e->scratch_bytes, "partial results", &e->scratch, why);
    if (!status && e->table) status = e->driver->memory->put(e->device, e->table, 0, plan->table, e->table_bytes, why);
    return status ? status : put_constants(e, plan, why);
}

static void *block_at(const backend_exec *e, void *arena, const gpu_block *b) {
    switch (b->space) {
    case GPU_ARENA:    return arena;
    case GPU_CONSTANT: return e->constants;
    case GPU_SCRATCH:  return e->scratch;
    default:           return b->block;
    }
}

/* ---- preparing ----------------------------------------------------------------------------------------- */

static int64_t room_of(const gpu_plan *plan, const gpu_launch *l) {
    return l->entry < 0 ? 0 : plan->source.entries[l->entry].room_bytes;
}

static void make_calls(backend_exec *e, void *arena, const gpu_plan *plan) {
    int64_t *table = (int64_t *)(void *)&e->calls[plan->n_launches];
    if (plan->n_table) memcpy(table, plan->table, (size_t)table_bytes(plan));
    for (int32_t i = 0; i < plan->n_launches; i++) {
        const gpu_launch *l = &plan->launches[i];
        gpu_call *c = &e->calls[i];
        *c = (gpu_call){ .kernel = &e->program->kernels[l->kernel], .entry = l->entry, .threads = l->threads,
                         .groups = l->groups, .room_bytes = room_of(plan, l), .table = e->table, .first = l->first,
                         .numbers = l->first & GPU_MANY ? NULL : table + l->first, .slack = l->slack,
                         .n_after = l->n_after,
                         .after = plan->after + l->after };
        for (int j = 0; j < GPU_BLOCKS; j++)
            c->blocks[j] = j < l->n_blocks ? block_at(e, arena, &l->blocks[j]) : arena;
    }
    e->n_calls = plan->n_launches;
}

static tide_status make_products(backend_exec *e, const gpu_plan *plan, tide_failure *why) {
    tide_status status = TIDE_OK;
    for (int32_t i = 0; i < e->n_calls && !status; i++)
        if (plan->launches[i].product >= 0)
            status = e->driver->product(e->device, &plan->products[plan->launches[i].product], e->calls[i].blocks,
                                        &e->calls[i].product, why);
    return status;
}

/* A kernel that needs many registers may be allowed fewer threads than the device's groups. */
static int32_t threads_allowed(const gpu_driver *driver, void *device, void *module, const gpu_plan *plan) {
    int32_t allowed = INT32_MAX;
    for (int32_t i = 0; i < plan->n_launches; i++) {
        if (plan->launches[i].entry < 0) continue;
        int32_t most = driver->most_threads(device, module, plan->launches[i].entry);
        if (most < plan->launches[i].threads) allowed = MIN2(allowed, most);
    }
    return allowed;
}

/* Printing takes milliseconds: what was made to count bytes is what is prepared. */
struct backend_plan { gpu_plan made; };

static bool take_plan(const backend_env *env, gpu_plan *out) {
    if (!env->plan || !*env->plan) return false;
    *out = (*env->plan)->made;
    free(*env->plan);
    *env->plan = NULL;
    return true;
}

void gpu_forget(backend_plan *plan) {
    gpu_plan_free(&plan->made);
    free(plan);
}

/* The text is made again, for fewer threads, until the device takes all of it. */
static tide_status build(const gpu_driver *driver, const flat_program *p, const backend_env *env, gpu_plan *plan,
                         void **module, tide_failure *why) {
    gpu_limits limits;
    void *device = env->device;
    driver->limits(device, &limits);
    for (bool made = take_plan(env, plan);; made = false) {
        tide_status status = made ? TIDE_OK : gpu_plan_make(plan, p, driver->language, &limits, why);
        if (status || !plan->source.n_entries) return status;
        status = driver->build(device, &plan->source, module, why);
        if (status) return status;
        int32_t allowed = threads_allowed(driver, device, *module, plan);
        if (allowed == INT32_MAX) return TIDE_OK;
        driver->unload(device, *module);
        gpu_plan_free(plan);
        *module = NULL;
        while (limits.threads > allowed) limits.threads /= 2;
        if (limits.threads < 1) return fail(why, TIDE_EDEVICE, "the device allows a kernel no threads at all");
    }
}

static tide_status make(const gpu_driver *driver, const flat_program *p, void *arena, const backend_env *env,
                        const gpu_plan *plan, void *module, backend_exec **out, tide_failure *why) {
    int64_t bytes = exec_bytes(plan);
    backend_exec *e = mem_new(env->allocator, (size_t)bytes);
    if (!e) {
        driver->unload(env->device, module);
        return fail(why, TIDE_ENOMEM, "no memory for %" PRId64 " bytes of launches", bytes);
    }
    *e = (backend_exec){ .allocator = env->allocator, .bytes = bytes, .driver = driver, .program = p,
                         .cancelled = env->cancelled, .device = env->device, .module = module };
    tide_status status = place(e, plan, why);
    make_calls(e, arena, plan);
    if (!status) status = make_products(e, plan, why);
    if (!status && driver->record && e->n_calls)
        status = driver->record(e->device, module, e->calls, e->n_calls, &e->recording, why);
    for (int32_t i = 0; i < e->n_calls; i++) e->calls[i].after = NULL;
    if (status) gpu_release(e);
    else *out = e;
    return status;
}

tide_status gpu_prepare(const gpu_driver *driver, const flat_program *p, void *arena, const backend_env *env,
                        backend_exec **out, tide_failure *why) {
    gpu_plan plan;
    void *module = NULL;
    tide_status status = build(driver, p, env, &plan, &module, why);
    if (!status) status = make(driver, p, arena, env, &plan, module, out, why);
    gpu_plan_free(&plan);
    return status;
}

int64_t gpu_scratch_bytes(const gpu_driver *driver, const flat_program *p, const backend_env *env) {
    gpu_limits limits;
    gpu_plan plan;
    driver->limits(env->device, &limits);
    tide_status status = gpu_plan_make(&plan, p, driver->language, &limits, NULL);
    int64_t bytes = status ? 0 : exec_bytes(&plan) + table_bytes(&plan) + plan.constant_bytes + plan.scratch_bytes;
    if (!status && env->plan) *env->plan = malloc(sizeof **env->plan);
    if (!status && env->plan && *env->plan) (*env->plan)->made = plan;
    else gpu_plan_free(&plan);
    return bytes;
}

void gpu_release(backend_exec *e) {
    if (!e) return;
    const backend_memory *memory = e->driver->memory;
    if (e->recording) e->driver->forget(e->device, e->recording);
    for (int32_t i = 0; i < e->n_calls; i++)
        if (e->calls[i].product) e->driver->product_free(e->device, e->calls[i].product);
    e->driver->unload(e->device, e->module);
    memory->free(e->device, e->table, e->table_bytes);
    memory->free(e->device, e->constants, e->constant_bytes);
    memory->free(e->device, e->scratch, e->scratch_bytes);
    mem_free(e->allocator, e, (size_t)e->bytes);
}

/* ---- running ------------------------------------------------------------------------------------------- */

static tide_status launch_all(backend_exec *e, double *seconds, tide_failure *why) {
    tide_status status = e->driver->begin(e->device, why);
    for (int32_t i = 0; i < e->n_calls && !status; i++) {
        const gpu_call *c = &e->calls[i];
        if (e->cancelled && atomic_load(e->cancelled)) break;
        status = e->driver->launch(e->device, e->module, c, seconds ? &seconds[kernel_of(e, c)] : NULL, why);
    }
    return status ? status : e->driver->end(e->device, why);
}

tide_status gpu_run(backend_exec *e, tide_failure *why) {
    if (!e->recording) return launch_all(e, NULL, why);
    tide_status status = e->driver->begin(e->device, why);
    return status ? status : e->driver->replay(e->device, e->recording, why);
}

tide_status gpu_measure(backend_exec *e, double *seconds, tide_failure *why) {
    tide_status status = launch_all(e, seconds, why);
    return status ? status : e->driver->memory->wait(e->device, why);
}
