/* Programs: compiling for a device within the memory limit, taking feeds, running, and finding where a value lies
 * when it is read. */
#include <inttypes.h>
#include <stdio.h>

#include "runtime.h"

static tide_status stop(tide_program *p, tide_status status) {
    p->failure.status = status;
    return status;
}

/* ---- making ---- */

static tide_status check_limit(tide_program *p, int64_t limit) {
    runtime *rt = p->graph->runtime;
    int64_t needs = p->c.flat.arena_bytes + p->scratch_bytes + rt->variable_bytes;
    if (!limit) limit = rt->memory_limit;
    if (!limit || needs <= limit) return TIDE_OK;
    return fail(&p->failure, TIDE_ENOMEM,
                "the program needs %" PRId64 " bytes (arena %" PRId64 ", scratch %" PRId64 ", variables %" PRId64
                "); the limit is %" PRId64,
                needs, p->c.flat.arena_bytes, p->scratch_bytes, rt->variable_bytes, limit);
}

static tide_status allocate(tide_program *p, const backend_env *env) {
    p->block_bytes = MAX2(p->c.flat.arena_bytes, 64);
    p->block = place_alloc(&p->place, p->block_bytes);
    /* a device that is lost has no memory either */
    if (!p->block && runtime_wait(p->graph, &p->failure)) return p->failure.status;
    if (!p->block)
        return fail(&p->failure, TIDE_ENOMEM, "not enough memory for the program's arena: %" PRId64 " bytes",
                    p->block_bytes);
    for (int32_t i = 0; i < p->c.n_inputs; i++) p->inputs_used += p->c.input_buffer[i] >= 0;
    tide_status status = p->backend->prepare(&p->c.flat, p->block, env, &p->exec, &p->failure);
    /* what the device told may be of runs that are queued, and it tells once */
    if (status == TIDE_EDEVICE) runtime_lost(p->graph, &p->failure);
    return status;
}

static tide_status take_options(tide_program *p, const compile_request *r) {
    p->precision = r->precision, p->precision_note = r->precision_note;
    p->backend = p->graph->runtime->backend, p->passes = r->passes, p->cut = r->cut;
    if (!r->options) return TIDE_OK;
    if ((unsigned)r->options->mode > TIDE_MODE_MAX_AUTOTUNE)
        return fail(&p->failure, TIDE_EINVAL, "compile: %d is not a compile mode", (int)r->options->mode);
    if ((unsigned)r->options->precision > TIDE_PRECISION_AUTO)
        return fail(&p->failure, TIDE_EINVAL, "compile: %d is not a precision", (int)r->options->precision);
    return r->options->strict && *r->precision_note ? fail(&p->failure, TIDE_EDEVICE, "%s", r->precision_note)
                                                    : TIDE_OK;
}

/* What the program's backend lacks: the first kernel's reason, as an end of a sentence, in `note`. */
static int32_t count_lacking(const tide_program *p, char *note, size_t size) {
    int32_t count = 0;
    for (int32_t i = 0; p->backend->lacks && i < p->c.flat.n_kernels; i++) {
        const flat_kernel *k = &p->c.flat.kernels[i];
        const char *why = p->backend->lacks(p->graph->runtime->place.device, &p->c.flat, k);
        if (why && !count++) snprintf(note, size, "%s: %s", flat_kernel_names[k->kind], why);
    }
    return count;
}

static void count_scratch(tide_program *p, const backend_env *env) {
    p->scratch_bytes = p->backend->scratch_bytes ? p->backend->scratch_bytes(&p->c.flat, env) : 0;
}

/* For the graph's device; for cpu, whole, if that lacks an operation. */
static tide_status compile_here(tide_program *p, const compile_request *request, backend_env *env) {
    tide_status status = compile_graph(p->graph, request, &p->c, &p->failure);
    char lacks[120];
    if (status) return status;
    count_scratch(p, env);
    p->lacking = *env->plan ? 0 : count_lacking(p, lacks, sizeof lacks);
    if (!p->lacking) return TIDE_OK;
    const char *device = p->backend->name;
    const tide_compile_options *o = request->options;
    if (o && o->strict)
        return fail(&p->failure, TIDE_EDEVICE, "the device '%s' lacks an operation (%s)", device, lacks);
    snprintf(p->device_note, sizeof p->device_note, "the device '%s' lacks an operation (%s): the program runs on cpu",
             device, lacks);
    p->backend = &tide_backend_cpu;
    compile_request again = *request;
    again.passes = p->backend->fuse && !(o && o->no_passes), again.guard_bytes = p->backend->guard_bytes,
    again.task_memory = p->backend->task_memory, again.numbers = p->backend->cut, again.keeps = p->backend->keeps;
    arena_free(&p->memory);
    p->c = (compiled){ .memory = &p->memory };
    p->passes = again.passes;
    status = compile_graph(p->graph, &again, &p->c, &p->failure);
    env->device = NULL;
    if (!status) count_scratch(p, env);
    return status;
}

static tide_status make_in(tide_program *p, const compile_request *request, const program_how *how, backend_env *env) {
    tide_graph *g = p->graph;
    if (!request->initial && runtime_lay_out(g, &p->failure)) return p->failure.status;
    tide_status status = compile_here(p, request, env);
    if (status) return status;
    p->place = g->runtime->place;
    if (!p->backend->memory) p->place.memory = NULL, p->place.device = NULL;
    if (mirror_new(p, &p->failure)) return p->failure.status;
    p->scratch_bytes += mirror_bytes(p);
    if (check_limit(p, how->memory_limit)) return p->failure.status;
    p->fed = arena_new(&p->memory, const void *, MAX2(p->c.n_inputs, 1));
    p->wanted = arena_new(&p->memory, tide_val, request->wanted.count);
    if (p->wanted) memcpy(p->wanted, request->wanted.items, sizeof *p->wanted * (size_t)request->wanted.count);
    p->n_wanted = request->wanted.count;
    p->copies = arena_new(&p->memory, void *, MAX2(p->c.n_outputs, 1));
    if (!p->fed || !p->wanted || !p->copies) return fail(&p->failure, TIDE_ENOMEM, "out of memory for the program");
    return allocate(p, env);
}

static tide_status make(tide_program *p, const compile_request *request, const program_how *how) {
    const runtime *rt = p->graph->runtime;
    backend_plan *plan = NULL;
    if (take_options(p, request)) return p->failure.status;
    backend_env env = { &p->graph->allocator, rt->threads, how->tuning, how->autotune, &p->cancelled,
                        p->backend->memory ? rt->place.device : NULL, &plan };
    tide_status status = make_in(p, request, how, &env);
    if (plan) p->backend->forget(plan);
    return status;
}

static bool list_checked(tide_graph *g, tide_list wanted, tide_failure *why) {
    if (!g->failure.status) operands_good("compile", wanted.items, wanted.count);
    if (g->failure.status) *why = g->failure;
    return !g->failure.status;
}

tide_program *program_make(tide_graph *g, const compile_request *request, const program_how *how) {
    tide_program *p = mem_new(&g->allocator, sizeof *p);
    runtime *rt = g->runtime;
    if (!p) return NULL;
    p->graph = g;
    p->memory.allocator = &g->allocator;
    p->c.memory = &p->memory;
    p->next = rt->programs;
    if (p->next) p->next->previous = p;
    rt->programs = p;
    tide_status status = list_checked(g, request->wanted, &p->failure) ? make(p, request, how) : p->failure.status;
    stop(p, status);
    return p;
}

tide_program *tide_compile(tide_list wanted, const tide_compile_options *options) {
    static const tide_compile_options none = { 0 };
    tide_graph *g = list_graph(wanted);
    if (!g) return NULL;
    const tide_backend *backend = g->runtime->backend;
    const tide_compile_options *o = options ? options : &none;
    compile_request request = runtime_request(g, wanted);
    request.options = o, request.passes &= !o->no_passes;
    request.precision = runtime_precision(g->runtime, o->precision, &request.precision_note);
    program_how how = { .memory_limit = o->memory_limit };
    if (request.passes && backend->tunes) how.tuning = runtime_tuning(g->runtime, o->mode);
    if (!how.tuning) return program_make(g, &request, &how);
    how.autotune = how.tuning->clock;
    int64_t timed = how.tuning->timed;
    program_tune(g, &request, &how);
    tide_program *p = program_make(g, &request, &how);
    if (how.tuning->timed > timed) choice_file_write(g->runtime);
    return p;
}

const char *tide_program_device(const tide_program *p, const char **note) {
    if (note) *note = p ? p->device_note : "";
    if (!p || !p->backend) return "none";
    return p->backend == p->graph->runtime->backend ? tide_graph_device(p->graph) : p->backend->name;
}

static void free_copies(tide_program *p) {
    for (int32_t i = 0; p->copies && i < p->c.n_outputs; i++)
        mem_free(&p->graph->allocator, p->copies[i], (size_t)p->c.flat.buffers[p->c.output_buffer[i]].bytes);
}

void tide_program_free(tide_program *p) {
    if (!p) return;
    tide_graph *g = p->graph;
    runtime *rt = g->runtime;
    for (int32_t i = 0; i < rt->result_capacity; i++)
        if (rt->results[i].program == p) rt->results[i] = (result){ 0 };
    if (p->exec) p->backend->release(p->exec);
    if (p->block) place_free(&p->place, p->block, p->block_bytes);
    free_copies(p);
    mirror_free(p);
    if (p->next) p->next->previous = p->previous;
    if (p->previous) p->previous->next = p->next;
    else rt->programs = p->next;
    arena_free(&p->memory);
    mem_free(&g->allocator, p, sizeof *p);
}

const tide_failure *tide_program_error(const tide_program *p) {
    static const tide_failure none = { .status = TIDE_ENOMEM,
                                       .message = "there is no program: nothing was asked for, or memory ran out" };
    return p ? &p->failure : &none;
}

tide_memory tide_program_bytes(const tide_program *p) {
    tide_memory m = { 0 };
    if (!p) return m;
    m.arena = p->c.flat.arena_bytes;
    m.scratch = p->scratch_bytes;
    m.variables = p->graph->runtime->variable_bytes;
    for (int32_t i = 0; i < p->c.flat.n_buffers; i++)
        if (p->c.flat.buffers[i].space == FLAT_CONSTANT) m.constants += p->c.flat.buffers[i].bytes;
    m.total = m.arena + m.scratch + m.variables + m.constants;
    return m;
}

int64_t tide_program_kernels(const tide_program *p) { return p ? p->c.flat.n_kernels : 0; }
double  tide_program_flops(const tide_program *p) { return p ? p->c.flops : 0; }

/* ---- running ---- */

static bool fed_before(const tide_feed *feeds, int64_t i) {
    for (int64_t k = 0; k < i; k++)
        if (feeds[k].input.node == feeds[i].input.node) return true;
    return false;
}

static tide_status take_feeds(tide_program *p, const tide_feed *feeds, int64_t count) {
    memset(p->fed, 0, sizeof *p->fed * (size_t)p->c.n_inputs);
    if (count < 0 || (count > 0 && !feeds))
        return fail(&p->failure, TIDE_EINVAL, "run: %" PRId64 " feeds, without any", count);
    for (int64_t i = 0; i < count; i++) {
        tide_val v = feeds[i].input;
        if (!val_good(v) || v.graph != p->graph || graph_node(v)->op != OP_INPUT)
            return fail(&p->failure, TIDE_EINVAL, "run: feed %d is not an input of this graph", (int)i);
        if (!feeds[i].data && tide_shape_count(tide_shape_of(v)) > 0)
            return fail(&p->failure, TIDE_EINVAL, "run: feed %d, of the input '%s', has no data", (int)i,
                        tide_name_of(v));
        if (fed_before(feeds, i))
            return fail(&p->failure, TIDE_EINVAL, "run: the input '%s' is fed twice", tide_name_of(v));
        int32_t slot = graph_node(v)->attr.slot;
        if (slot < p->c.n_inputs) p->fed[slot] = feeds[i].data ? feeds[i].data : "";
    }
    return TIDE_OK;
}

const char *program_input_name(const tide_graph *g, int32_t slot) {
    for (int32_t i = 1; i < g->count; i++)
        if (g->nodes[i]->op == OP_INPUT && g->nodes[i]->attr.slot == slot) return g->nodes[i]->attr.data;
    return "?";
}

static tide_status copy_feeds(tide_program *p) {
    for (int32_t i = 0; i < p->c.n_inputs; i++) {
        int32_t buffer = p->c.input_buffer[i];
        if (buffer < 0) continue;
        if (!p->fed[i])
            return fail(&p->failure, TIDE_EINVAL, "run: the input '%s' is not fed", program_input_name(p->graph, i));
        const flat_buffer *b = &p->c.flat.buffers[buffer];
        if (place_put(&p->place, p->block, b->offset, p->fed[i], b->bytes, &p->failure)) return p->failure.status;
    }
    return mirror_read(p, &p->failure);
}

static bool results_grow(tide_graph *g) {
    runtime *rt = g->runtime;
    if (rt->result_capacity >= g->count) return true;
    int32_t capacity = MAX2(g->count, rt->result_capacity * 2);
    result *more = mem_new(&g->allocator, sizeof *more * (size_t)capacity);
    if (!more) return false;
    if (rt->result_capacity) memcpy(more, rt->results, sizeof *more * (size_t)rt->result_capacity);
    mem_free(&g->allocator, rt->results, sizeof *more * (size_t)rt->result_capacity);
    rt->results = more, rt->result_capacity = capacity;
    return true;
}

static bool cancelled(const tide_program *p) { return atomic_load_explicit(&p->cancelled, memory_order_relaxed); }

/* spent: seconds of each kernel, added to; NULL: not measured. */
static tide_status run_once(tide_program *p, double *spent) {
    tide_status status = copy_feeds(p);
    if (!status && !cancelled(p))
        status = spent ? p->backend->measure(p->exec, spent, &p->failure) : p->backend->run(p->exec, &p->failure);
    if (!status) status = mirror_write(p, &p->failure);
    if (status == TIDE_EDEVICE) runtime_lost(p->graph, &p->failure);
    if (atomic_exchange(&p->cancelled, false))
        status = fail(&p->failure, TIDE_ECANCELLED, "run: the program was cancelled");
    p->ran = !status;
    p->queued = p->ran && p->place.memory;
    return status;
}

static tide_status run_as(tide_program *p, const tide_feed *feeds, int64_t count, double *spent) {
    runtime *rt = p->graph->runtime;
    if (!p->exec) return p->failure.status;
    p->failure = (tide_failure){ 0 };
    p->ran = false;
    if (!results_grow(p->graph)) return fail(&p->failure, TIDE_ENOMEM, "run: out of memory");
    for (int32_t i = 0; i < p->c.n_outputs; i++) rt->results[p->c.wanted_node[i]] = (result){ p, i };
    tide_status status = take_feeds(p, feeds, count);
    return status ? status : run_once(p, spent);
}

void tide_program_cancel(tide_program *p) {
    if (p) atomic_store(&p->cancelled, true);
}

tide_status tide_run(tide_program *p, const tide_feed *feeds, int64_t count) {
    return p ? run_as(p, feeds, count, NULL) : TIDE_ENOMEM;
}

tide_status program_measure(tide_program *p, const tide_feed *feeds, int64_t count, double *seconds) {
    return run_as(p, feeds, count, seconds);
}

tide_status program_run_fed(tide_program *p) {
    if (!p->exec) return p->failure.status;
    p->failure = (tide_failure){ 0 };
    return run_once(p, NULL);
}

location program_output(const tide_program *p, int32_t output) {
    return (location){ &p->place, p->block, p->c.flat.buffers[p->c.output_buffer[output]].offset, &p->copies[output] };
}
