/* In place of flat_check.c: the same maps, run by the cpu backend as machine code. Compiling takes a while, so cases
 * are gathered and become one program. */
#include "flat_check.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_CASES = 500 };

typedef struct saved { builder b; double rtol, atol; char what[128]; } saved;
static saved *cases[MOST_CASES];
static int    n_cases;

void expect_like_ref(const builder *b, double rtol, double atol, const char *what) {
    saved *s = malloc(sizeof *s);
    assert_non_null(s);
    *s = (saved){ .b = *b, .rtol = rtol, .atol = atol };
    snprintf(s->what, sizeof s->what, "%s", what);
    size_t bytes = (size_t)round_up(MAX2(b->p.arena_bytes, 1), 64);
    s->b.initial = aligned_alloc(64, bytes);
    assert_non_null(s->b.initial);
    memcpy(s->b.initial, b->initial, (size_t)b->p.arena_bytes);
    cases[n_cases++] = s;
    if (n_cases == MOST_CASES) expect_rest(NULL);
}

/* A program's parts point into the builder it came from. */
static void repoint(builder *b) {
    b->p.buffers = b->buffers, b->p.kernels = b->kernels, b->p.chains = b->chains, b->p.phases = b->phases;
    for (int i = 0; i < b->p.n_kernels; i++) {
        b->kernels[i].operands = b->operands[i];
        b->kernels[i].map.instrs = b->instrs[i];
    }
}

typedef struct whole { flat_program p; flat_kernel *kernels; flat_operand *operands; void *initial; } whole;

static void append(whole *w, const builder *b) {
    for (int i = 0; i < b->p.n_buffers; i++) {
        flat_buffer *to = &w->p.buffers[w->p.n_buffers + i];
        *to = b->buffers[i];
        to->offset += w->p.arena_bytes;
        to->last_phase = MOST_CASES * MAX_KERNELS;
    }
    for (int i = 0; i < b->p.n_kernels; i++) {
        int k = w->p.n_kernels + i;
        flat_operand *operands = w->operands + k * MAX_OPERANDS;
        w->p.kernels[k] = b->kernels[i];
        w->p.kernels[k].operands = operands;
        for (int o = 0; o < b->kernels[i].n_operands; o++) {
            operands[o] = b->kernels[i].operands[o];
            operands[o].buffer += w->p.n_buffers;
        }
        w->p.chains[k] = (flat_chain){ k, 1, b->kernels[i].tasks };
        w->p.phases[k] = (flat_phase){ k, 1 };
    }
    w->p.n_buffers += b->p.n_buffers;
    w->p.n_kernels += b->p.n_kernels;
    w->p.n_chains = w->p.n_phases = w->p.n_kernels;
    w->p.arena_bytes += round_up(b->p.arena_bytes, 64);
}

static whole gather(void) {
    whole w = { .p = { .seed = cases[0]->b.p.seed } };
    size_t kernels = 0, buffers = 0;
    for (int i = 0; i < n_cases; i++)
        kernels += (size_t)cases[i]->b.p.n_kernels, buffers += (size_t)cases[i]->b.p.n_buffers;
    w.p.kernels = calloc(kernels, sizeof *w.p.kernels), w.operands = calloc(kernels * MAX_OPERANDS, sizeof *w.operands);
    w.p.chains = calloc(kernels, sizeof *w.p.chains), w.p.phases = calloc(kernels, sizeof *w.p.phases);
    w.p.buffers = calloc(buffers, sizeof *w.p.buffers);
    for (int i = 0; i < n_cases; i++) {
        repoint(&cases[i]->b);
        append(&w, &cases[i]->b);
    }
    w.initial = aligned_alloc(64, (size_t)w.p.arena_bytes + 64);
    assert_non_null(w.initial);
    int64_t at = 0;
    for (int i = 0; i < n_cases; at += round_up(cases[i++]->b.p.arena_bytes, 64))
        memcpy((char *)w.initial + at, cases[i]->b.initial, (size_t)cases[i]->b.p.arena_bytes);
    return w;
}

/* Everything compiled that can be, whatever a clock said of it. */
static int compile_all(const builder *b, tuning *t) {
    backend_exec *e = NULL;
    tide_allocator system = mem_system();
    tide_failure why = { 0 };
    t->clock = true;
    backend_env env = { .allocator = &system, .threads = 1, .tuning = t, .autotune = true };
    if (tide_backend_cpu.prepare(&b->p, b->initial, &env, &e, &why))
        fail_msg("prepare: %s", why.message);
    tide_backend_cpu.release(e);
    t->clock = false;
    for (int32_t i = 0; i < t->used.count; i++) t->used.items[i].value = 1;
    return t->used.count;
}

void expect_rest(void **unused) {
    (void)unused;
    if (!n_cases) return;
    whole w = gather();
    builder all = { .p = w.p, .initial = w.initial };
    tuning t = { 0 };
    if (!compile_all(&all, &t)) {
        print_message("no C compiler: compiled maps not tested\n");
        skip();
    }
    char *one = run_in(&tide_backend_cpu, &all, (backend_env){ .threads = 1, .tuning = &t });
    char *two = run_in(&tide_backend_cpu, &all, (backend_env){ .threads = 2, .tuning = &t });
    if (memcmp(one, two, (size_t)w.p.arena_bytes) != 0) fail_msg("two threads give other bits");
    int64_t at = 0;
    for (int i = 0; i < n_cases; at += round_up(cases[i++]->b.p.arena_bytes, 64)) {
        void *truth = run_on(&tide_backend_ref, &cases[i]->b, 1);
        expect_close(&cases[i]->b, truth, one + at, cases[i]->rtol, cases[i]->atol, cases[i]->what, "compiled maps");
        free(truth);
    }
    free(one), free(two), free(w.initial);
    free(w.p.kernels), free(w.operands), free(w.p.chains), free(w.p.phases), free(w.p.buffers);
    choices_free(&t.used);
    for (int i = 0; i < n_cases; i++) {
        build_free(&cases[i]->b);
        free(cases[i]);
    }
    n_cases = 0;
}
