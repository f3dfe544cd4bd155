/* Memory within a chain. A task runs the chain's kernels one after the other on its own part of every buffer. Two buffers that
 * only this chain touches, that are cut into the same parts and that do not live at the same time can be one: the parts lie
 * at the same place, so no task meets another's. Besides memory this saves cache: a part is reused while it is still in L2. */
#include "pass.h"

typedef struct life {
    int32_t chain;        /* the only one that touches the buffer; -1: none yet, -2: not to be shared */
    int32_t first, last;  /* kernels, in program order */
    part    where;
} life;

static void note_use(life *x, const flat_kernel *kernel, int32_t operand, int32_t chain, int32_t k) {
    part where = kernel->tasks == 1 ? (part){ true, 0, 0 } : part_of(kernel, operand);
    if (x->chain == -1) *x = (life){ chain, k, k, where };
    if (x->chain != chain || !where.known || where.base != x->where.base || where.step != x->where.step) x->chain = -2;
    x->last = k;
}

static life *find_lives(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, const flat_program *p) {
    life *lives = arena_new(memory, life, MAX2(p->n_buffers, 1));
    for (int32_t i = 0; i < p->n_buffers; i++) lives[i].chain = p->buffers[i].space == FLAT_ARENA && p->buffers[i].bytes > 0 ? -1 : -2;
    for (int32_t i = 0; i < n_inputs; i++)
        if (l->input_buffer[i] >= 0) lives[l->input_buffer[i]].chain = -2;
    for (int32_t i = 0; i < n_outputs; i++) lives[l->output_buffer[i]].chain = -2;
    for (int32_t c = 0; c < p->n_chains; c++)
        for (int32_t k = p->chains[c].first_kernel; k < p->chains[c].first_kernel + p->chains[c].kernels; k++)
            for (int32_t i = 0; i < p->kernels[k].n_operands; i++)
                note_use(&lives[p->kernels[k].operands[i].buffer], &p->kernels[k], i, c, k);
    return lives;
}

static bool fits(const flat_program *p, const life *lives, int32_t slot, int32_t buffer, int32_t free_from) {
    const life *a = &lives[slot], *b = &lives[buffer];
    return a->chain == b->chain && a->where.base == b->where.base && a->where.step == b->where.step &&
           p->buffers[slot].bytes == p->buffers[buffer].bytes && free_from < b->first;
}

/* Buffers in the order of their first use; each takes the first slot that is free by then, or becomes one. */
void pass_share_parts(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p) {
    life *lives = find_lives(memory, l, n_inputs, n_outputs, p);
    int32_t *slot_of = arena_new(memory, int32_t, MAX2(p->n_buffers, 1)), *slots = arena_new(memory, int32_t, MAX2(p->n_buffers, 1));
    int32_t *busy = arena_new(memory, int32_t, MAX2(p->n_buffers, 1)), n_slots = 0, chain = -1;
    for (int32_t i = 0; i < p->n_buffers; i++) slot_of[i] = -1;
    for (int32_t k = 0; k < p->n_kernels; k++)
        for (int32_t i = 0; i < p->kernels[k].n_operands; i++) {
            int32_t buffer = p->kernels[k].operands[i].buffer;
            if (lives[buffer].chain < 0) continue;
            if (lives[buffer].chain != chain) chain = lives[buffer].chain, n_slots = 0;
            for (int32_t s = 0; s < n_slots && slot_of[buffer] < 0; s++)
                if (fits(p, lives, slots[s], buffer, busy[s])) slot_of[buffer] = slots[s], busy[s] = lives[buffer].last;
            if (slot_of[buffer] < 0) slot_of[buffer] = slots[n_slots] = buffer, busy[n_slots++] = lives[buffer].last;
            p->kernels[k].operands[i].buffer = slot_of[buffer];
        }
}
