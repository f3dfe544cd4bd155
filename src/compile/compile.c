/* The passes in order, and the program they leave, copied out of the scratch memory. */
#include "compile.h"
#include "pass.h"

typedef struct compiler {
    tide_graph *source;
    const tide_compile_options *options;
    pass_graph  g;
} compiler;

/* Texts are made only for who asked: a dump of a large graph takes longer than compiling it. */
static void dump(const compiler *c, const char *pass) {
    if (!c->options->dump) return;
    text out = { 0 };
    ir_print(&out, (const ir_node *const *)c->g.nodes, c->g.count, c->g.wanted, c->g.n_wanted, c->options->dump_dot,
             c->source);
    if (out.data && !out.failed) c->options->dump(c->options->dump_user, pass, out.data);
    text_free(&out);
}

static void dump_flat(const compiler *c, const char *pass, const flat_program *p) {
    if (!c->options->dump || c->options->dump_dot) return;
    text out = { 0 };
    flat_print(&out, p);
    if (out.data && !out.failed) c->options->dump(c->options->dump_user, pass, out.data);
    text_free(&out);
}

static void *arena_copy(arena *memory, const void *from, int64_t count, size_t size) {
    void *to = arena_alloc(memory, size * (size_t)MAX2(count, 1));
    return count ? memcpy(to, from, size * (size_t)count) : to;
}
#define COPY(memory, from, count) arena_copy(memory, from, count, sizeof *(from))

/* The passes' arena is given back as soon as the program is out of it: it is many times as large. */
static void copy_flat(arena *memory, const flat_program *from, flat_program *to) {
    *to = *from;
    to->buffers = COPY(memory, from->buffers, from->n_buffers);
    to->kernels = COPY(memory, from->kernels, from->n_kernels);
    to->chains = COPY(memory, from->chains, from->n_chains);
    to->phases = COPY(memory, from->phases, from->n_phases);
    for (int32_t i = 0; i < to->n_kernels; i++) {
        flat_kernel *k = &to->kernels[i];
        k->operands = COPY(memory, k->operands, k->n_operands);
        k->name = arena_printf(memory, "%s", k->name);
        if (k->kind == FLAT_MAP) k->map.instrs = COPY(memory, k->map.instrs, k->map.count);
    }
}

static tide_status run_passes(compiler *c, const compile_request *r, compiled *out, tide_failure *why) {
    pass_graph *g = &c->g;
    lowered low = { 0 };
    fusion fused;
    g->n_inputs = r->n_leaves ? r->n_slots : c->source->n_inputs;
    out->wanted_node = arena_new(out->memory, int32_t, MAX2(r->wanted.count, 1));
    if (!pass_import(g, r, out->wanted_node, why)) {
        const tide_failure *f = &c->source->failure;
        return why->status ? why->status : fail(why, f->status ? f->status : TIDE_ENOMEM, "%s", f->message);
    }
    dump(c, "build");
    pass_legalise(g);
    if (r->passes) {
        pass_simplify(g);
        pass_legalise(g);
        dump(c, "simplify");
    }
    if (r->precision == TIDE_PRECISION_BF16 || r->precision == TIDE_PRECISION_F16) {
        pass_precision(g, r->precision == TIDE_PRECISION_BF16 ? TIDE_BF16 : TIDE_F16);
        pass_legalise(g);
        dump(c, "precision");
    }
    if (r->passes && g->numbers->joins_masks && pass_masks(g)) pass_legalise(g);
    if (r->passes && g->numbers->product_joins && pass_join(g)) {
        pass_legalise(g);
        if (pass_join_grads(g)) pass_legalise(g);
        dump(c, "join");
    }
    pass_fuse(g, r->passes, &fused, r->apart ? out->memory : NULL, r->apart);
    if (r->passes && g->numbers->product_ends) pass_products(g, &fused);
    pass_lower(g, &fused, r->passes, &low);
    if (r->passes && g->numbers->sums_apart) pass_last_sums(g->memory, &low, g->n_wanted, &low.flat);
    pass_schedule(g->memory, &low.flat, low.tasks);
    if (r->passes && r->task_memory) pass_task_memory(g->memory, &low, g->n_inputs, g->n_wanted, &low.flat);
    pass_place(g->memory, &low, g->n_inputs, g->n_wanted, &low.flat, r->guard_bytes, !r->passes);
    dump_flat(c, "lower", &low.flat);
    copy_flat(out->memory, &low.flat, &out->flat);
    out->n_outputs = g->n_wanted;
    out->n_inputs = g->n_inputs;
    out->output_buffer = COPY(out->memory, low.output_buffer, g->n_wanted);
    out->input_buffer = COPY(out->memory, low.input_buffer, g->n_inputs);
    out->flops = low.flops;
    out->newest = g->newest;
    out->assigned = arena_new(out->memory, int32_t, MAX2(g->n_assigns, 1));
    for (int32_t i = 0; i < g->n_assigns; i++) out->assigned[out->n_assigned++] = g->assigns[i].slot;
    return TIDE_OK;
}

tide_status compile_graph(tide_graph *source, const compile_request *r, compiled *out, tide_failure *why) {
    static const tide_compile_options none = { 0 };
    jmp_buf oom;
    arena scratch = { .allocator = &source->allocator, .oom = &oom };
    compiler *volatile kept = NULL;
    jmp_buf *before = out->memory->oom;
    tide_status status;
    if (setjmp(oom)) {
        status = fail(why, TIDE_ENOMEM, "compile: out of memory");
    } else {
        compiler *c = kept = arena_new(&scratch, compiler, 1);
        out->memory->oom = &oom;
        *c = (compiler){ source, r->options ? r->options : &none,
                         { .memory = &scratch, .source = source, .numbers = r->numbers, .cut = r->cut } };
        status = run_passes(c, r, out, why);
    }
    (void)kept;
    out->memory->oom = before;
    arena_free(&scratch);
    return status;
}
