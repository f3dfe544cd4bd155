/* C = alpha A B + beta C, three loops; a bias is added to the sum as F32. */
#include "ref.h"

/* Where batch entry `b` starts. */
static int64_t entry(const flat_gemm *g, const flat_operand *o, int64_t b) {
    int64_t at = 0;
    for (int32_t d = g->batch_ndim - 1; d >= 0; d--) {
        at += b % g->batch[d] * o->stride[d];
        b /= g->batch[d];
    }
    return at;
}

static void block(const ref_run *r, const flat_kernel *k, int64_t batch, int64_t first, int64_t last, int64_t col,
                  int64_t end) {
    const flat_gemm *g = &k->gemm;
    const flat_operand *a = &k->operands[0], *b = &k->operands[1], *c = &k->operands[2];
    const int64_t *sa = a->stride + g->batch_ndim, *sb = b->stride + g->batch_ndim, *sc = c->stride + g->batch_ndim;
    const float *bias = k->n_operands == 4 ? ref_data(r, &k->operands[3]) : NULL;
    int64_t at_a = entry(g, a, batch), at_b = entry(g, b, batch), at_c = entry(g, c, batch);
    for (int64_t i = first; i < last; i++)
        for (int64_t j = col; j < end; j++) {
            double sum = 0;
            for (int64_t l = 0; l < g->k; l++)
                sum += ref_load(a->type, ref_data(r, a), at_a + i * sa[0] + l * sa[1]).f *
                       ref_load(b->type, ref_data(r, b), at_b + l * sb[0] + j * sb[1]).f;
            int64_t at = at_c + i * sc[0] + j;
            sum *= g->alpha;
            if (g->beta != 0) sum += g->beta * ref_load(c->type, ref_data(r, c), at).f;
            if (bias) sum = (double)((float)sum + bias[j]);
            ref_store(c->type, ref_data(r, c), at, (ref_value){ .f = sum });
        }
}

static void rows(const ref_run *r, const flat_kernel *k, int64_t batch, int64_t first, int64_t last) {
    block(r, k, batch, first, last, 0, k->gemm.n);
}

void ref_gemm(const ref_run *r, const flat_kernel *k, int64_t task) {
    const flat_gemm *g = &k->gemm;
    if (g->split == FLAT_SPLIT_ROWS) {
        int64_t blocks = ceil_div(g->m, g->rows_per_task), first = task % blocks * g->rows_per_task;
        rows(r, k, task / blocks, first, MIN2(g->m, first + g->rows_per_task));
        return;
    }
    if (g->split == FLAT_SPLIT_COLS) {
        int64_t col = task * g->rows_per_task;
        block(r, k, 0, 0, g->m, col, MIN2(g->n, col + g->rows_per_task));
        return;
    }
    if (g->split == FLAT_SPLIT_EACH) {
        int64_t first = task * g->rows_per_task, last = MIN2(g->m, first + g->rows_per_task);
        for (int64_t b = 0; b < g->batches; b++) rows(r, k, b, first, last);
        return;
    }
    int64_t first = task * g->rows_per_task, last = MIN2(g->batches, first + g->rows_per_task);
    for (int64_t b = first; b < last; b++) rows(r, k, b, 0, g->m);
}
