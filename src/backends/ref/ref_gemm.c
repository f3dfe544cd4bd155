/* C = alpha A B + beta C, three loops; a bias is added to the sum as F32. */
#include "half.h"
#include "ref.h"

/* The sum along the common dimension, in double; one a type, so that it is not asked for with each number. */
#define DOT(name, T, widened)                                                                                          \
    static double name(const void *a, const void *b, int64_t n, int64_t step_a, int64_t step_b) {                      \
        const T *x = a, *y = b;                                                                                        \
        double sum = 0;                                                                                                \
        for (int64_t l = 0; l < n; l++) sum += (double)widened(x[l * step_a]) * (double)widened(y[l * step_b]);        \
        return sum;                                                                                                    \
    }
DOT(dot_f32, float, )
DOT(dot_f64, double, )
DOT(dot_f16, uint16_t, f16_to_float)
DOT(dot_bf16, uint16_t, bf16_to_float)

typedef double dot_fn(const void *a, const void *b, int64_t n, int64_t step_a, int64_t step_b);
static dot_fn *const dots[] = { [TIDE_F32] = dot_f32, [TIDE_F64] = dot_f64, [TIDE_F16] = dot_f16,
                                [TIDE_BF16] = dot_bf16 };

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
    const int64_t size = (int64_t)tide_dtype_size(a->type);
    const char *left = ref_data(r, a), *right = ref_data(r, b);
    for (int64_t i = first; i < last; i++)
        for (int64_t j = col; j < end; j++) {
            double sum = dots[a->type](left + (at_a + i * sa[0]) * size, right + (at_b + j * sb[1]) * size, g->k, sa[1],
                                       sb[0]);
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
