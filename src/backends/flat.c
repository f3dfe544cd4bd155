#include "backend.h"

static bool map_writes(const flat_map *m, int32_t operand) {
    for (int32_t i = 0; i < m->count; i++)
        if (m->instrs[i].operand == operand) return m->instrs[i].op != FLAT_LOAD;
    return false;
}

bool operand_written(const flat_kernel *k, int32_t operand) {
    switch (k->kind) {
    case FLAT_MAP: return map_writes(&k->map, operand);
    case FLAT_SORT: return operand >= 1;
    case FLAT_GEMM: return operand == 2;
    case FLAT_ATTENTION: return operand == 3 || operand == 4 || (k->attention.bits && operand == k->n_operands - 1);
    case FLAT_ATTENTION_GRAD: return operand >= 6 && operand <= 8;
    default: return operand == k->n_operands - 1;
    }
}

/* In the space's own count, of a variable in its block's. */
static int64_t place_of(const flat_buffer *b) {
    return b->space == FLAT_ARENA ? b->offset : b->space == FLAT_VARIABLE ? b->at : (int64_t)(intptr_t)b->host;
}

bool operands_share_memory(const flat_program *p, const flat_operand *a, const flat_operand *b) {
    const flat_buffer *x = &p->buffers[a->buffer], *y = &p->buffers[b->buffer];
    if (a->buffer == b->buffer) return true;
    if (x->space != y->space || x->space == FLAT_TASK) return false; /* no two of a task's own that live in one kernel
                                                                        share it */
    if (x->space == FLAT_VARIABLE && x->block != y->block) return false;
    int64_t at_x = place_of(x), at_y = place_of(y);
    return at_x < at_y + y->bytes && at_y < at_x + x->bytes;
}
