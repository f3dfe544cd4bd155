/* The reference backend: plain C, serial, one loop a kernel. Slow and obvious: the truth the others are measured
 * against. */
#include "ref.h"

struct backend_exec {
    const tide_allocator *allocator;
    int64_t bytes;  /* of this block: exec, data, scratch */
    ref_run run;
    const atomic_bool *cancelled;
};

/* One block: the exec, then the buffers' addresses, then scratch. */
static int64_t head_bytes(const flat_program *p) {
    return round_up((int64_t)sizeof(backend_exec) + p->n_buffers * (int64_t)sizeof(void *), 64);
}

static int64_t custom_scratch(const flat_kernel *k) { return k->n_operands * (int64_t)sizeof(void *); }

static int64_t kernel_scratch(const flat_kernel *k) {
    switch (k->kind) {
    case FLAT_MAP:            return ref_map_scratch(&k->map);
    case FLAT_ATTENTION:
    case FLAT_ATTENTION_GRAD: return ref_attention_scratch(&k->attention);
    case FLAT_CUSTOM:         return custom_scratch(k);
    default:                  return 0;
    }
}

int64_t ref_scratch_bytes(const flat_program *p) {
    int64_t most = 0;
    for (int32_t i = 0; i < p->n_kernels; i++) {
        const flat_kernel *k = &p->kernels[i];
        most = MAX2(most, kernel_scratch(k));
    }
    return most;
}

void ref_locate(const flat_program *p, void *arena, void **data) {
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        data[i] = b->space == FLAT_ARENA ? (char *)arena + b->offset : flat_address(b);
    }
}

/* Plain arithmetic has every type. */
const char *ref_lacks_products(tide_dtype half) { return (void)half, NULL; }

static void run_custom(const ref_run *r, const flat_kernel *k) {
    const void **inputs = r->scratch;
    for (int32_t i = 0; i < k->n_operands; i++) inputs[i] = ref_data(r, &k->operands[i]);
    k->custom.run(k->custom.user, inputs, ref_data(r, &k->operands[k->n_operands - 1]));
}

void ref_kernel(const ref_run *r, const flat_kernel *k, int64_t task) {
    switch (k->kind) {
    case FLAT_MAP:    ref_map(r, k, task); break;
    case FLAT_GEMM:   ref_gemm(r, k, task); break;
    case FLAT_SORT:   ref_sort(r, k, task); break;
    case FLAT_CUSTOM: run_custom(r, k); break;
    case FLAT_ATTENTION:
    case FLAT_ATTENTION_GRAD: ref_attention(r, k); break;
    default:          ref_index(r, k, task); break;
    }
}

static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {
    (void)env;
    return head_bytes(p) + ref_scratch_bytes(p);
}

static tide_status prepare(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                           tide_failure *why) {
    int64_t bytes = scratch_bytes(p, env);
    backend_exec *e = mem_new(env->allocator, (size_t)bytes);
    if (!e) return fail(why, TIDE_ENOMEM, "no memory for %lld bytes of kernel scratch", (long long)bytes);
    void **data = (void **)(e + 1);
    ref_locate(p, arena, data);
    *e = (backend_exec){ env->allocator, bytes, { p, data, (char *)e + head_bytes(p) }, env->cancelled };
    *out = e;
    return TIDE_OK;
}

static tide_status run(backend_exec *e, tide_failure *why) {
    (void)why;
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_kernels && !(e->cancelled && atomic_load(e->cancelled)); i++)
        for (int64_t t = 0; t < p->kernels[i].tasks; t++) ref_kernel(&e->run, &p->kernels[i], t);
    return TIDE_OK;
}

static tide_status measure(backend_exec *e, double *seconds, tide_failure *why) {
    (void)why;
    const flat_program *p = e->run.program;
    double before = os_seconds();
    for (int32_t i = 0; i < p->n_kernels; i++) {
        for (int64_t t = 0; t < p->kernels[i].tasks; t++) ref_kernel(&e->run, &p->kernels[i], t);
        double now = os_seconds();
        seconds[i] += now - before;
        before = now;
    }
    return TIDE_OK;
}

static void release(backend_exec *e) {
    if (e) mem_free(e->allocator, e, (size_t)e->bytes);
}

const tide_backend tide_backend_ref = {
    .name = "ref", .fuse = false, .guard_bytes = 0, .cut = &processor_cut,
    .prepare = prepare, .run = run, .measure = measure, .scratch_bytes = scratch_bytes, .release = release,
    .lacks_products = ref_lacks_products,
};
