/* The checking backend: the optimised program, as `cpu` gets it, on the reference's plain kernels. What no kernel has
 * written yet and what is dead holds NaN, so a read too early or too late shows in the results; the gaps after
 * buffers hold a pattern, so a write outside is caught and named. */
#include "../ref/ref.h"

enum { GUARD_BYTES = 64, GUARD = 0xA5, POISON = 0xFF };

struct backend_exec {
    const tide_allocator *allocator;
    int64_t bytes;  /* of this block: exec, data, armed, scratch */
    char   *arena;
    ref_run run;
    bool   *armed;  /* for each buffer: its guard holds the pattern */
};

static int64_t head_bytes(const flat_program *p) {
    int64_t each = (int64_t)sizeof(void *) + (int64_t)sizeof(bool);
    return round_up((int64_t)sizeof(backend_exec) + p->n_buffers * each, 64);
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
    *e = (backend_exec){ env->allocator, bytes, arena, { p, data, (char *)e + head_bytes(p) },
                         (bool *)(data + p->n_buffers) };
    *out = e;
    return TIDE_OK;
}

static bool live_in(const flat_buffer *b, int32_t phase) {
    return b->space == FLAT_ARENA && b->first_phase <= phase && phase <= b->last_phase;
}

/* Whether bytes [from, to) of the arena hold something of a buffer other than `self` that is live in both phases. */
static bool taken(const flat_program *p, int32_t self, int64_t from, int64_t to, int32_t phase, int32_t other_phase) {
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        if (i != self && live_in(b, phase) && live_in(b, other_phase) && b->offset < to && from < b->offset + b->bytes)
            return true;
    }
    return false;
}

/* Buffers that begin in `phase` hold NaN before it, but not where they replace in place one that ends in it. */
static void begin_phase(backend_exec *e, int32_t phase) {
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        int64_t end = b->offset + b->bytes;
        if (!live_in(b, phase)) continue;
        if (b->first_phase == phase && phase >= 0 && !taken(p, i, b->offset, end, phase - 1, phase))
            memset(e->arena + b->offset, POISON, (size_t)b->bytes);
        if (e->armed[i] || taken(p, i, end, end + GUARD_BYTES, phase, phase)) continue;
        memset(e->arena + end, GUARD, GUARD_BYTES);
        e->armed[i] = true;
    }
}

static void end_phase(backend_exec *e, int32_t phase) {
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        if (b->space != FLAT_ARENA || b->last_phase != phase) continue;
        e->armed[i] = false;
        if (!taken(p, i, b->offset, b->offset + b->bytes, phase, phase + 1))
            memset(e->arena + b->offset, POISON, (size_t)b->bytes);
    }
}

static tide_status verify_guards(const backend_exec *e, const flat_kernel *k, tide_failure *why) {
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        if (!e->armed[i]) continue;
        const unsigned char *guard = (const unsigned char *)e->arena + b->offset + b->bytes;
        for (int j = 0; j < GUARD_BYTES; j++)
            if (guard[j] != GUARD)
                return fail(why, TIDE_EDEVICE, "kernel '%s' wrote outside its buffers: byte %d behind buffer %d",
                            k->name ? k->name : "", j, (int)i);
    }
    return TIDE_OK;
}

static tide_status run_phase(backend_exec *e, const flat_phase *phase, tide_failure *why) {
    const flat_program *p = e->run.program;
    for (int32_t c = phase->first_chain; c < phase->first_chain + phase->chains; c++)
        for (int32_t i = p->chains[c].first_kernel; i < p->chains[c].first_kernel + p->chains[c].kernels; i++) {
            const flat_kernel *k = &p->kernels[i];
            for (int64_t t = 0; t < k->tasks; t++) ref_kernel(&e->run, k, t);
            tide_status status = verify_guards(e, k, why);
            if (status != TIDE_OK) return status;
        }
    return TIDE_OK;
}

/* Only inputs hold anything before a run. */
static void poison_arena(backend_exec *e) {
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        e->armed[i] = false;
        if (b->space == FLAT_ARENA && b->first_phase >= 0 && !taken(p, i, b->offset, b->offset + b->bytes, -1, -1))
            memset(e->arena + b->offset, POISON, (size_t)b->bytes);
    }
}

static tide_status run(backend_exec *e, tide_failure *why) {
    const flat_program *p = e->run.program;
    poison_arena(e);
    begin_phase(e, -1);
    end_phase(e, -1);
    for (int32_t i = 0; i < p->n_phases; i++) {
        begin_phase(e, i);
        tide_status status = run_phase(e, &p->phases[i], why);
        if (status != TIDE_OK) return status;
        end_phase(e, i);
    }
    return TIDE_OK;
}

static void release(backend_exec *e) {
    if (e) mem_free(e->allocator, e, (size_t)e->bytes);
}

const tide_backend tide_backend_check = {
    .name = "check", .fuse = true, .guard_bytes = GUARD_BYTES, .cut = &processor_cut,
    .prepare = prepare, .run = run, .scratch_bytes = scratch_bytes, .release = release,
    .lacks_products = ref_lacks_products,
};
