/* Phases: a kernel runs one phase after the last that wrote what it touches or read what it writes. Kernels of one phase
 * are independent, each a chain of its own. */
#include "pass.h"

static bool map_writes(const flat_map *m, int32_t operand) {
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == operand) return m->instrs[i].op != FLAT_LOAD;
    return false;
}

bool operand_written(const flat_kernel *k, int32_t operand) {
    switch (k->kind) {
    case FLAT_MAP: return map_writes(&k->map, operand);
    case FLAT_SORT: return operand >= 1;
    default: return operand == k->n_operands - 1;
    }
}

typedef struct touch { int32_t read, written; } touch;  /* last phases, plus 1; 0: never */

static int32_t phase_of(const flat_kernel *k, touch *touches) {
    int32_t phase = 0;
    for (int32_t i = 0; i < k->n_operands; i++) {
        const touch *t = &touches[k->operands[i].buffer];
        phase = MAX2(phase, t->written);
        if (operand_written(k, i)) phase = MAX2(phase, t->read);
    }
    for (int32_t i = 0; i < k->n_operands; i++) {
        touch *t = &touches[k->operands[i].buffer];
        int32_t *last = operand_written(k, i) ? &t->written : &t->read;
        *last = MAX2(*last, phase + 1);
    }
    return phase;
}

void pass_schedule(arena *memory, flat_program *p) {
    touch *touches = arena_new(memory, touch, MAX2(p->n_buffers, 1));
    int32_t *phase = arena_new(memory, int32_t, MAX2(p->n_kernels, 1));
    for (int32_t i = 0; i < p->n_kernels; i++) {
        phase[i] = phase_of(&p->kernels[i], touches);
        p->n_phases = MAX2(p->n_phases, phase[i] + 1);
    }
    flat_kernel *sorted = arena_new(memory, flat_kernel, MAX2(p->n_kernels, 1));
    p->phases = arena_new(memory, flat_phase, MAX2(p->n_phases, 1));
    p->chains = arena_new(memory, flat_chain, MAX2(p->n_kernels, 1));
    for (int32_t i = 0; i < p->n_kernels; i++) p->phases[phase[i]].chains++;
    for (int32_t i = 1; i < p->n_phases; i++) p->phases[i].first_chain = p->phases[i - 1].first_chain + p->phases[i - 1].chains;
    int32_t *at = arena_new(memory, int32_t, MAX2(p->n_phases, 1));
    for (int32_t i = 0; i < p->n_kernels; i++) {
        int32_t to = p->phases[phase[i]].first_chain + at[phase[i]]++;
        sorted[to] = p->kernels[i];
        p->chains[to] = (flat_chain){ to, 1, sorted[to].tasks };
    }
    p->kernels = sorted;
    p->n_chains = p->n_kernels;
}
