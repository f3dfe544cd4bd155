/* Arena offsets: buffers that live at the same time get memory of their own, others share it. Largest first, each at
 * the lowest offset that is free for its whole life (the greedy-by-size order of Pisarchyk & Lee 2020). */
#include <stdlib.h>

#include "pass.h"

enum { ALIGN = 64 };

/* In phases: within one, kernels may run at the same time. Inputs are there before the first, outputs after the
 * last. */
static void find_lifetimes(const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p) {
    for (int32_t i = 0; i < p->n_buffers; i++) p->buffers[i].first_phase = INT32_MAX, p->buffers[i].last_phase = -1;
    for (int32_t phase = 0; phase < p->n_phases; phase++)
        for (int32_t c = 0; c < p->phases[phase].chains; c++) {
            const flat_chain *chain = &p->chains[p->phases[phase].first_chain + c];
            for (int32_t k = 0; k < chain->kernels; k++) {
                const flat_kernel *kernel = &p->kernels[chain->first_kernel + k];
                for (int32_t i = 0; i < kernel->n_operands; i++) {
                    flat_buffer *b = &p->buffers[kernel->operands[i].buffer];
                    b->first_phase = MIN2(b->first_phase, phase);
                    b->last_phase = MAX2(b->last_phase, phase);
                }
            }
        }
    for (int32_t i = 0; i < n_inputs; i++)
        if (l->input_buffer[i] >= 0) p->buffers[l->input_buffer[i]].first_phase = -1;
    for (int32_t i = 0; i < n_outputs; i++) p->buffers[l->output_buffer[i]].last_phase = p->n_phases;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        flat_buffer *b = &p->buffers[i];
        if (b->first_phase <= b->last_phase) continue;
        b->first_phase = b->last_phase;
        if (b->space == FLAT_ARENA) b->bytes = 0;  /* nothing touches it */
    }
}

/* Ties by position, so that the layout is the same in every run. */
static int by_size(const void *a, const void *b) {
    const flat_buffer *x = *(flat_buffer *const *)a, *y = *(flat_buffer *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* Both ends belong to the life: a buffer's last reader and another's first writer may be in one phase. */
static bool same_time(const flat_buffer *a, const flat_buffer *b) {
    return a->first_phase <= b->last_phase && b->first_phase <= a->last_phase;
}

/* `placed` is ordered by offset. */
static int64_t lowest_offset(const flat_buffer *b, flat_buffer *const *placed, int32_t count, int64_t guard) {
    int64_t at = 0;
    for (int32_t i = 0; i < count; i++) {
        if (!same_time(b, placed[i])) continue;
        if (placed[i]->offset >= at + b->bytes + guard) break;
        at = MAX2(at, round_up(placed[i]->offset + placed[i]->bytes + guard, ALIGN));
    }
    return at;
}

/* Without passes, for those who look at every value: nothing shares memory. */
static void place_apart(flat_buffer **buffers, int32_t count, int64_t guard, flat_program *p) {
    for (int32_t i = 0; i < count; i++) {
        buffers[i]->offset = p->arena_bytes;
        buffers[i]->first_phase = -1, buffers[i]->last_phase = p->n_phases;
        p->arena_bytes += round_up(buffers[i]->bytes + guard, ALIGN);
    }
}

void pass_place(arena *memory, const lowered *l, int32_t n_inputs, int32_t n_outputs, flat_program *p, int64_t guard,
                bool apart) {
    flat_buffer **order = arena_new(memory, flat_buffer *, MAX2(p->n_buffers, 1)),
                **placed = arena_new(memory, flat_buffer *, MAX2(p->n_buffers, 1));
    int32_t count = 0, n_placed = 0;
    find_lifetimes(l, n_inputs, n_outputs, p);
    for (int32_t i = 0; i < p->n_buffers; i++) {
        flat_buffer *b = &p->buffers[i];
        if (b->space == FLAT_ARENA && b->bytes > 0) order[count++] = b;
    }
    if (apart) {
        place_apart(order, count, guard, p);
        return;
    }
    qsort(order, (size_t)count, sizeof *order, by_size);
    for (int32_t i = 0; i < count; i++) {
        flat_buffer *b = order[i];
        b->offset = lowest_offset(b, placed, n_placed, guard);
        p->arena_bytes = MAX2(p->arena_bytes, round_up(b->offset + b->bytes + guard, ALIGN));
        int32_t to = n_placed++;
        for (; to > 0 && placed[to - 1]->offset > b->offset; to--) placed[to] = placed[to - 1];
        placed[to] = b;
    }
}
