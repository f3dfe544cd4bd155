/* The end of a product whose result is not C as it is multiplied: a bias for each row, rounding to 16 bits. Plain and
 * apart from who multiplies: no program of this backend's own compiling has such products. */
#include "backends/cpu/cpu.h"

bool gemm_ends(const flat_kernel *k) {
    return k->n_operands == 4 || k->operands[2].type == TIDE_F16 || k->operands[2].type == TIDE_BF16;
}

const gemm_end *gemm_end_new(const cpu_build *b, const flat_kernel *k) {
    const flat_operand *c = &k->operands[2];
    gemm_end *e = arena_new(b->keep, gemm_end, 1);
    const strip_ops *strips = b->isa->strips;
    *e = (gemm_end){ .widen = strips->cast[c->type][TIDE_F32], .narrow = strips->cast[TIDE_F32][c->type],
                     .add = strips->op[S_ADD][T_F32][FORM_VECTORS], .bias = k->n_operands == 4,
                     .c_row = c->stride[k->gemm.batch_ndim] * (int64_t)tide_dtype_size(c->type) };
    return e;
}

void gemm_end_begin(const gemm_end *e, const gemm_shape *s, void *sums, const void *c) {
    for (int64_t i = 0; s->beta != 0 && i < s->m; i++)
        e->widen((float *)sums + i * s->n, (const char *)c + i * e->c_row, NULL, NULL, s->n);
}

void gemm_end_finish(const gemm_end *e, const gemm_shape *s, void *sums, const void *bias, void *c) {
    for (int64_t i = 0; i < s->m; i++) {
        float *row = (float *)sums + i * s->n;
        if (e->bias) e->add(row, row, bias, NULL, s->n);
        e->narrow((char *)c + i * e->c_row, row, NULL, NULL, s->n);
    }
}
