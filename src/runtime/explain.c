/* tide_program_explain: a program as rows, and its kernels timed. */
#include <stdlib.h>

#include "../compile/pass.h"
#include "runtime.h"

typedef struct explanation {
    tide_explanation shown; /* first: the caller holds its address */
    tide_allocator allocator;
    arena memory;
} explanation;

typedef struct explainer {
    tide_program *program;
    arena *memory;
    tide_explanation *out;
    tide_kernel_row *kernels;
} explainer;

/* ---- kernels ---- */

static const flat_program *flat_of(const explainer *x) { return &x->program->c.flat; }

/* Whether the kernel touches the variable by this operand: neighbours may have one buffer (join.c in compile). */
static bool touches(const tide_program *p, const flat_kernel *k, int32_t operand, const ir_variable *v) {
    const flat_buffer *b = &p->c.flat.buffers[k->operands[operand].buffer];
    const ir_node *n = p->graph->nodes[v->node];
    int64_t from, to, at = v->at - b->at;
    int64_t end = at + tide_shape_count(n->shape) * (int64_t)tide_dtype_size((tide_dtype)n->type);
    if (b->space != FLAT_VARIABLE) return false;
    if (p->mirror) return mirror_is(p, b, v);
    if (!operand_range(k, operand, &from, &to)) from = 0, to = b->bytes;
    return v->block == b->block && at < to && from < end;
}

/* "=" before what is written; nothing if an operand before this one has it too. */
static void name_variable(text *t, const tide_program *p, const flat_kernel *k, int32_t operand, const ir_variable *v) {
    bool written = false;
    for (int32_t i = 0; i < k->n_operands; i++) {
        if (i != operand && !touches(p, k, i, v)) continue;
        if (i < operand) return;
        written |= operand_written(k, i);
    }
    text_add(t, "%s%s%s", t->length ? ", " : "", written ? "=" : "", v->name);
}

static void name_input(text *t, const tide_program *p, const flat_kernel *k, int32_t operand) {
    int32_t buffer = k->operands[operand].buffer;
    for (int32_t i = 0; i < operand; i++)
        if (k->operands[i].buffer == buffer) return;
    for (int32_t i = 0; i < p->c.n_inputs; i++)
        if (p->c.input_buffer[i] == buffer) text_add(t, "%s%s", t->length ? ", " : "", program_input_name(p->graph, i));
}

/* The text, in the explanation's own memory. Frees it before it jumps out. */
static const char *kept(explainer *x, text *t) {
    jmp_buf *oom = x->memory->oom;
    x->memory->oom = NULL;
    const char *copy = t->failed ? NULL : arena_printf(x->memory, "%s", t->data ? t->data : "");
    x->memory->oom = oom;
    text_free(t);
    if (!copy) longjmp(*oom, 1);
    return copy;
}

static const char *variables_of(explainer *x, const flat_kernel *k) {
    const tide_program *p = x->program;
    text t = { 0 };
    for (int32_t i = 0; i < k->n_operands; i++) {
        for (int32_t v = 0; v < p->graph->n_variables; v++)
            if (touches(p, k, i, p->graph->variables[v])) name_variable(&t, p, k, i, p->graph->variables[v]);
        name_input(&t, p, k, i);
    }
    return kept(x, &t);
}

static void add_kernel(explainer *x, int32_t index, int32_t phase, int32_t chain) {
    const flat_kernel *k = &flat_of(x)->kernels[index];
    flat_cost cost = flat_cost_of(flat_of(x), k);
    tide_kernel_row *row = &x->kernels[index];
    text members = { 0 };
    flat_members(&members, k);
    *row = (tide_kernel_row){ .kind = flat_kernel_names[k->kind],
                              .phase = phase,
                              .chain = chain,
                              .tasks = k->tasks,
                              .ops = cost.ops,
                              .results = cost.results,
                              .bytes_read = cost.read,
                              .bytes_written = cost.written,
                              .flops = cost.flops };
    row->members = kept(x, &members);
    row->variables = variables_of(x, k);
    if (k->kind == FLAT_MAP) row->rows = k->map.rows, row->cols = k->map.cols;
    if (k->kind == FLAT_GEMM)
        row->batches = k->gemm.batches, row->m = k->gemm.m, row->n = k->gemm.n, row->k = k->gemm.k;
    if (k->kind == FLAT_ATTENTION || k->kind == FLAT_ATTENTION_GRAD)
        row->batches = k->attention.batches, row->m = k->attention.m, row->n = k->attention.n, row->k = k->attention.d;
    x->out->flops += cost.flops;
    x->out->bytes_read += cost.read, x->out->bytes_written += cost.written;
}

static void add_kernels(explainer *x) {
    const flat_program *p = flat_of(x);
    x->kernels = arena_new(x->memory, tide_kernel_row, MAX2(p->n_kernels, 1));
    for (int32_t i = 0; i < p->n_phases; i++)
        for (int32_t c = p->phases[i].first_chain; c < p->phases[i].first_chain + p->phases[i].chains; c++)
            for (int32_t k = 0; k < p->chains[c].kernels; k++) add_kernel(x, p->chains[c].first_kernel + k, i, c);
    x->out->kernels = x->kernels, x->out->n_kernels = p->n_kernels;
    x->out->phases = p->n_phases, x->out->chains = p->n_chains;
}

/* ---- memory ---- */

static void add_buffers(explainer *x) {
    const flat_program *p = flat_of(x);
    tide_buffer_row *rows = arena_new(x->memory, tide_buffer_row, MAX2(p->n_buffers, 1));
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        if (b->space != FLAT_ARENA || b->bytes == 0 || b->last_phase < b->first_phase || b->last_phase < 0) continue;
        rows[x->out->n_buffers++] = (tide_buffer_row){ b->offset, b->bytes, b->first_phase, b->last_phase };
        x->out->arena_apart += b->bytes;
    }
    x->out->buffers = rows;
    x->out->memory = tide_program_bytes(x->program);
}

/* ---- what is apart ---- */

static int64_t kernel_of(const explainer *x, int32_t group) {
    for (int32_t i = 0; i < flat_of(x)->n_kernels; i++)
        if (flat_of(x)->kernels[i].group == group) return i;
    return -1;
}

/* Compiles once more, the same way, for the notes of the fuse pass. */
static tide_status add_apart(explainer *x, tide_failure *why) {
    tide_program *p = x->program;
    apart_notes notes = { 0 };
    compiled again = { .memory = x->memory };
    compile_request request = { .wanted = { p->wanted, p->n_wanted },
                                .passes = p->passes,
                                .precision = p->precision,
                                .precision_note = p->precision_note,
                                .apart = &notes };
    request.guard_bytes = p->backend->guard_bytes, request.task_memory = p->backend->task_memory, request.cut = p->cut;
    request.numbers = p->backend->cut, request.keeps = p->backend->keeps;
    request.device = p->graph->runtime->place.device;
    tide_status status = compile_graph(p->graph, &request, &again, why);
    if (status != TIDE_OK) return status;
    tide_apart_row *rows = arena_new(x->memory, tide_apart_row, MAX2(notes.count, 1));
    for (int32_t i = 0; i < notes.count; i++) {
        const apart_note *n = &notes.items[i];
        tide_apart_row row = { kernel_of(x, n->from), kernel_of(x, n->to), n->value, n->why, n->bytes };
        if (row.from >= 0 && row.to >= 0) rows[x->out->n_apart++] = row;
    }
    x->out->apart = rows;
    return TIDE_OK;
}

/* ---- time ---- */

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

/* A run as it is and a timed one, in turns: the clocks do not count in run_s. */
static tide_status measure(explainer *x, const tide_explain_options *o, tide_failure *why) {
    enum { LEAST = 5, MOST = 99 };
    tide_program *p = x->program;
    int64_t n = flat_of(x)->n_kernels;
    double *seconds = arena_new(x->memory, double, n *MOST + 1), *of_one = arena_new(x->memory, double, MOST),
           whole[MOST];
    double began = os_seconds();
    int runs = 0;
    tide_status status = tide_run(p, o->feeds, o->count); /* warms up */
    for (; status == TIDE_OK && runs < MOST && (runs < LEAST || os_seconds() - began < o->measure_s); runs++) {
        double before = os_seconds();
        status = tide_run(p, o->feeds, o->count);
        if (status == TIDE_OK) status = tide_wait(p);
        whole[runs] = os_seconds() - before;
        if (status == TIDE_OK) status = program_measure(p, o->feeds, o->count, seconds + n * runs);
    }
    if (status != TIDE_OK) return *why = p->failure, status;
    for (int64_t k = 0; k < n; k++) {
        for (int i = 0; i < runs; i++) of_one[i] = seconds[n * i + k];
        x->kernels[k].seconds = median(of_one, runs);
    }
    x->out->runs = runs;
    x->out->run_s = median(whole, runs);
    return TIDE_OK;
}

/* ---- all of it ---- */

static tide_status explain_all(explainer *x, const tide_explain_options *o, tide_failure *why) {
    const runtime *rt = x->program->graph->runtime;
    tide_explanation *out = x->out;
    out->device = tide_program_device(x->program, &out->device_note), out->lacking = x->program->lacking;
    out->threads = x->program->place.memory ? 0 : rt->threads, out->fused = x->program->passes;
    out->precision = tide_program_precision(x->program, &out->precision_note);
    add_kernels(x);
    add_buffers(x);
    tide_status status = add_apart(x, why);
    bool timed = o && o->measure_s > 0 && x->program->backend->measure;
    return status == TIDE_OK && timed ? measure(x, o, why) : status;
}

tide_explanation *tide_program_explain(tide_program *p, const tide_explain_options *options) {
    jmp_buf oom;
    tide_failure why = { 0 };
    if (!p || !p->exec) return NULL;
    tide_graph *g = p->graph;
    explanation *volatile e = mem_new(&g->allocator, sizeof *e);
    if (!e) return fail(&p->failure, TIDE_ENOMEM, "explain: out of memory"), NULL;
    e->allocator = g->allocator;
    e->memory = (arena){ .allocator = &e->allocator, .oom = &oom };
    tide_status status;
    if (setjmp(oom))
        status = fail(&why, TIDE_ENOMEM, "explain: out of memory");
    else
        status = explain_all(&(explainer){ p, &e->memory, &e->shown, NULL }, options, &why);
    e->memory.oom = NULL;
    if (status == TIDE_OK) return &e->shown;
    tide_explanation_free(&e->shown);
    p->failure = why;
    return NULL;
}

void tide_explanation_free(tide_explanation *shown) {
    explanation *e = (explanation *)shown;
    if (!e) return;
    tide_allocator allocator = e->allocator;
    arena_free(&e->memory);
    mem_free(&allocator, e, sizeof *e);
}
