/* Matrix products by a CBLAS: OpenBLAS, or Accelerate on macOS. One with threads of its own should be told to use one
 * (OPENBLAS_NUM_THREADS=1): the products already run side by side. */
#include CBLAS_HEADER

#include "backends/cpu/cpu.h"

static bool plain(int64_t row, int64_t col, int64_t rows, int64_t cols) {
    return (col == 1 && row >= cols && row > 0) || (row == 1 && col >= rows && col > 0);
}

static bool takes(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    (void)isa;
    return (type == TIDE_F32 || type == TIDE_F64) && plain(s->a_row, s->a_col, s->m, s->k) &&
           plain(s->b_row, s->b_col, s->k, s->n) && s->c_row >= s->n &&
           MAX2(MAX2(s->a_row + s->a_col, s->b_row + s->b_col), MAX2(s->m, s->c_row)) < INT32_MAX;
}

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    return s->m * s->n * s->k >= 32 * 32 * 32 && takes(isa, s, type);
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    (void)b, (void)call;
    return TIDE_OK;
}

static tide_status run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const gemm_shape *s = &call->shape;
    int m = (int)s->m, n = (int)s->n, k = (int)s->k;
    int lda = (int)(s->a_col == 1 ? s->a_row : s->a_col), ldb = (int)(s->b_col == 1 ? s->b_row : s->b_col);
    enum CBLAS_TRANSPOSE ta = s->a_col == 1 ? CblasNoTrans : CblasTrans, tb = s->b_col == 1 ? CblasNoTrans : CblasTrans;
    (void)thread, (void)scratch;
    if (call->type == TIDE_F32)
        cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, (float)s->alpha, a, lda, b, ldb, (float)s->beta, c, (int)s->c_row);
    else
        cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, s->alpha, a, lda, b, ldb, s->beta, c, (int)s->c_row);
    return TIDE_OK;
}

const gemm_provider gemm_cblas = { "cblas", fits, prepare, run, NULL, takes };
