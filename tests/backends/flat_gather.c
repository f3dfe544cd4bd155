#include "flat_gather.h"

#include <stdio.h>
#include <stdlib.h>

/* A program's parts point into the builder it came from. */
static void repoint(builder *b) {
    b->p.buffers = b->buffers, b->p.kernels = b->kernels, b->p.chains = b->chains, b->p.phases = b->phases;
    for (int i = 0; i < b->p.n_kernels; i++) {
        b->kernels[i].operands = b->operands[i];
        if (b->kernels[i].kind == FLAT_MAP) b->kernels[i].map.instrs = b->instrs[i];
    }
}

flat_case *case_keep(const builder *b, double rtol, double atol, const char *what) {
    flat_case *c = malloc(sizeof *c);
    assert_non_null(c);
    *c = (flat_case){ .b = *b, .rtol = rtol, .atol = atol };
    snprintf(c->what, sizeof c->what, "%s", what);
    c->b.initial = aligned_alloc(64, (size_t)round_up(MAX2(b->p.arena_bytes, 1), 64));
    assert_non_null(c->b.initial);
    memcpy(c->b.initial, b->initial, (size_t)b->p.arena_bytes);
    repoint(&c->b);
    return c;
}

void case_free(flat_case *c) {
    build_free(&c->b);
    free(c);
}

static void append(flat_whole *w, flat_case *c, int32_t last_phase) {
    const builder *b = &c->b;
    c->at = w->p.arena_bytes;
    for (int i = 0; i < b->p.n_buffers; i++) {
        flat_buffer *to = &w->p.buffers[w->p.n_buffers + i];
        *to = b->buffers[i];
        to->offset += c->at, to->last_phase = b->is_scratch[i] ? 0 : last_phase;
    }
    for (int i = 0; i < b->p.n_kernels; i++) {
        int k = w->p.n_kernels + i;
        flat_operand *operands = w->operands + k * MAX_OPERANDS;
        w->p.kernels[k] = b->kernels[i];
        w->p.kernels[k].operands = operands, w->p.kernels[k].name = c->what;
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

flat_whole whole_of(flat_case *const *cases, int n_cases) {
    flat_whole w = { .p = { .seed = cases[0]->b.p.seed } };
    size_t kernels = 0, buffers = 0;
    for (int i = 0; i < n_cases; i++)
        kernels += (size_t)cases[i]->b.p.n_kernels, buffers += (size_t)cases[i]->b.p.n_buffers;
    w.p.kernels = calloc(kernels, sizeof *w.p.kernels), w.operands = calloc(kernels * MAX_OPERANDS, sizeof *w.operands);
    w.p.chains = calloc(kernels, sizeof *w.p.chains), w.p.phases = calloc(kernels, sizeof *w.p.phases);
    w.p.buffers = calloc(buffers, sizeof *w.p.buffers);
    for (int i = 0; i < n_cases; i++) append(&w, cases[i], (int32_t)kernels);
    w.initial = aligned_alloc(64, (size_t)w.p.arena_bytes + 64);
    assert_non_null(w.initial);
    for (int i = 0; i < n_cases; i++)
        memcpy((char *)w.initial + cases[i]->at, cases[i]->b.initial, (size_t)cases[i]->b.p.arena_bytes);
    return w;
}

void whole_free(flat_whole *w) {
    free(w->initial), free(w->operands);
    free(w->p.kernels), free(w->p.chains), free(w->p.phases), free(w->p.buffers);
}
