/* Memory within a chain. A task runs the chain's kernels one after the other on its own part of every buffer. Of a
 * buffer that only this chain touches nothing outlives the task: it needs no more than one part for each thread, in
 * memory of the thread's own, which the next task uses again while it is in cache. Parts that live one after the other
 * share it. So the T x T matrices of attention exist for one sample per thread, not for the batch; what the weight
 * gradients need, which sum over all samples in a later phase, stays in the arena. */
#include "pass.h"

enum { ALIGN = 64 };

typedef struct life {
    int32_t chain;        /* the only one that touches the buffer; -1: none yet, -2: it stays in the arena */
    int32_t first, last;  /* kernels, in program order */
    part    where;
} life;

/* A buffer stays in the arena (-2) as soon as two chains touch it, or a task's part of it is not the same for all. */
static void note_use(life *x, const flat_kernel *kernel, int32_t operand, int32_t chain, int32_t k, int64_t bytes) {
    part where = flat_chain_tasks(kernel) == 1 ? (part){ true, 0, bytes } : part_of(kernel, operand);
    bool cut = kernel->kind == FLAT_MAP || kernel->kind == FLAT_GEMM;  /* the others address whole buffers */
    if (x->chain == -1) *x = (life){ chain, k, k, where };
    if (!cut || x->chain != chain || !where.known || where.base != x->where.base || where.step != x->where.step)
        x->chain = -2;
    x->last = k;
}

/* Inputs and outputs outlive the chain whatever touches them. */
static life *find_lives(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, const flat_program *p) {
    life *lives = arena_new(memory, life, MAX2(p->n_buffers, 1));
    for (int32_t i = 0; i < p->n_buffers; i++)
        lives[i].chain = p->buffers[i].space == FLAT_ARENA && p->buffers[i].bytes > 0 ? -1 : -2;
    for (int32_t i = 0; i < n_inputs; i++)
        if (l->input_buffer[i] >= 0) lives[l->input_buffer[i]].chain = -2;
    for (int32_t i = 0; i < n_outputs; i++) lives[l->output_buffer[i]].chain = -2;
    for (int32_t c = 0; c < p->n_chains; c++)
        for (int32_t k = p->chains[c].first_kernel; k < p->chains[c].first_kernel + p->chains[c].kernels; k++)
            for (int32_t i = 0; i < p->kernels[k].n_operands; i++) {
                int32_t buffer = p->kernels[k].operands[i].buffer;
                note_use(&lives[buffer], &p->kernels[k], i, c, k, p->buffers[buffer].bytes);
            }
    return lives;
}

/* Memory of the thread's: free for whoever begins after kernel `busy`. */
typedef struct slot { int64_t offset, bytes; int32_t busy; } slot;

/* The smallest free slot that is large enough; else a new one. */
static slot *find_slot(slot *slots, int32_t *count, int64_t bytes, int32_t first, int64_t *used) {
    slot *best = NULL;
    for (int32_t s = 0; s < *count; s++)
        if (slots[s].busy < first && slots[s].bytes >= bytes && (!best || slots[s].bytes < best->bytes))
            best = &slots[s];
    if (best) return best;
    slots[*count] = (slot){ .offset = *used, .bytes = bytes };
    *used += bytes;
    return &slots[(*count)++];
}

/* Chains do not run at the same time on one thread: each begins at the start of its memory. */
void pass_task_memory(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p) {
    life *lives = find_lives(memory, l, n_inputs, n_outputs, p);
    slot *slots = arena_new(memory, slot, MAX2(p->n_buffers, 1));
    for (int32_t c = 0; c < p->n_chains; c++) {
        int64_t used = 0;
        int32_t count = 0;
        for (int32_t k = p->chains[c].first_kernel; k < p->chains[c].first_kernel + p->chains[c].kernels; k++)
            for (int32_t i = 0; i < p->kernels[k].n_operands; i++) {
                flat_buffer *b = &p->buffers[p->kernels[k].operands[i].buffer];
                const life  *x = &lives[p->kernels[k].operands[i].buffer];
                if (x->chain != c || x->first != k || b->space == FLAT_TASK) continue;
                slot *s = find_slot(slots, &count, round_up(x->where.step, ALIGN), k, &used);
                s->busy = x->last;
                b->space = FLAT_TASK, b->offset = s->offset, b->part_base = x->where.base, b->part_step = x->where.step;
            }
        p->task_bytes = MAX2(p->task_bytes, used);
    }
}
