/* A sum of single numbers, as a norm is of all gradients, of which some are sums of partials: it takes the partials
 * themselves, in the one kernel, where a kernel that adds up each would only be one more to wait for. */
#include "pass.h"

/* A kernel that computes single numbers of single numbers, by arithmetic alone. */
static bool is_number(const flat_kernel *k) {
    if (k->kind != FLAT_MAP || k->map.rows * k->map.cols != 1) return false;
    for (int32_t i = 0; i < k->map.count; i++) {
        const int op = k->map.instrs[i].op;
        if (op >= SCALAR_COUNT && op != FLAT_LOAD && op != FLAT_STORE && op != FLAT_CONST && op != FLAT_CAST)
            return false;
    }
    return true;
}

/* The kernel that makes the operand, a number, from partials; NULL. */
static const flat_kernel *fold_of(const flat_program *p, int32_t before, const flat_operand *o) {
    for (int32_t i = before - 1; i >= 0; i--) {
        const flat_kernel *k = &p->kernels[i];
        for (int32_t j = 0; j < k->n_operands; j++) {
            if (k->operands[j].buffer != o->buffer || !operand_written(k, j)) continue;
            const bool fold = k->kind == FLAT_FOLD && k->index.outer * k->index.inner == 1 && k->index.n > 1;
            return fold && k->operands[0].type == TIDE_F32 && o->type == TIDE_F32 ? k : NULL;
        }
    }
    return NULL;
}

/* By any kernel that is left. */
static bool is_read(const flat_program *p, int32_t buffer) {
    for (int32_t i = 0; i < p->n_kernels; i++)
        for (int32_t j = 0; j < p->kernels[i].n_operands; j++)
            if (p->kernels[i].operands[j].buffer == buffer && !operand_written(&p->kernels[i], j)) return true;
    return false;
}

/* The map anew, on a row of `n` columns. */
typedef struct rewrite {
    flat_instr *instrs;
    int32_t     count;
    int16_t    *now;   /* each register's new number */
    uint8_t    *kind;  /* of the new ones */
    int16_t     regs;
} rewrite;

/* Kinds follow from what is read: a number is one of the row now where a partial sum is in it. */
static int16_t add(rewrite *r, flat_instr in, int kind) {
    in.kind = (uint8_t)kind;
    for (int i = 0; i < 3; i++) in.src_kind[i] = in.src[i] >= 0 ? r->kind[in.src[i]] : 0;
    if (in.dst >= 0) r->kind[r->regs] = in.kind, in.dst = r->regs++;
    r->instrs[r->count++] = in;
    return in.dst;
}

static void rewrite_one(rewrite *r, const flat_instr *old, bool partials) {
    flat_instr in = *old;
    int kind = FLAT_ONE;
    for (int i = 0; i < 3; i++) {
        if (in.src[i] < 0) continue;
        in.src[i] = r->now[in.src[i]];
        kind = MAX2(kind, r->kind[in.src[i]]);
    }
    int16_t made = add(r, in, partials ? FLAT_FULL : kind);
    if (partials) {
        const flat_instr sum = { .op = FLAT_ROW_SUM, .type = TIDE_F32, .src_type = { TIDE_F32 }, .dst = 0,
                                 .src = { made, -1, -1 }, .operand = -1 };
        made = add(r, sum, FLAT_ROW);
    }
    if (old->dst >= 0) r->now[old->dst] = made;
}

/* Operands of the map become rows of partials, or stay single numbers. */
static void take_partials(arena *memory, flat_kernel *k, const flat_kernel *const *folds, int64_t n) {
    flat_map *m = &k->map;
    rewrite r = { arena_new(memory, flat_instr, 2 * m->count), 0, arena_new(memory, int16_t, MAX2(m->regs, 1)),
                  arena_new(memory, uint8_t, 2 * m->count), 0 };
    for (int32_t i = 0; i < m->count; i++) {
        const flat_instr *in = &m->instrs[i];
        rewrite_one(&r, in, in->op == FLAT_LOAD && folds[in->operand]);
    }
    for (int32_t j = 0; j < k->n_operands; j++) {
        flat_operand *o = &k->operands[j];
        if (folds[j]) *o = folds[j]->operands[0];
        memset(o->stride, 0, sizeof o->stride);
        if (folds[j]) o->stride[1] = 1;
    }
    *m = (flat_map){ .ndim = 2, .row_ndim = 1, .dim = { 1, n }, .rows = 1, .cols = n, .rows_per_task = 1,
                     .row_wise = true, .count = r.count, .regs = r.regs, .instrs = r.instrs };
}

/* All that have as many partials as the first. */
static void take_from(arena *memory, flat_program *p, int32_t at) {
    flat_kernel *k = &p->kernels[at];
    const flat_kernel **folds = arena_new(memory, const flat_kernel *, MAX2(k->n_operands, 1));
    int64_t n = 0;
    for (int32_t j = 0; j < k->n_operands; j++) {
        const flat_kernel *f = operand_written(k, j) ? NULL : fold_of(p, at, &k->operands[j]);
        if (f && !n) n = f->index.n;
        if (f && f->index.n == n) folds[j] = f;
    }
    if (n) take_partials(memory, k, folds, n);
}

void pass_last_sums(arena *memory, const lowered *l, int32_t n_outputs, flat_program *p) {
    int32_t kept = 0;
    for (int32_t i = 0; i < p->n_kernels; i++)
        if (is_number(&p->kernels[i])) take_from(memory, p, i);
    for (int32_t i = 0; i < p->n_kernels; i++) {
        const flat_kernel *k = &p->kernels[i];
        bool wanted = k->kind != FLAT_FOLD || p->buffers[k->operands[1].buffer].space != FLAT_ARENA ||
                      is_read(p, k->operands[1].buffer);
        for (int32_t j = 0; j < n_outputs && !wanted; j++) wanted = l->output_buffer[j] == k->operands[1].buffer;
        if (wanted) p->kernels[kept++] = *k;
    }
    p->n_kernels = kept;
}
