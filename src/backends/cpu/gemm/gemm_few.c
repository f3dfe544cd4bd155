/* Few rows by a matrix whose columns are contiguous: an answer to one question. A library copies B into another layout
 * first, which takes longer than the product (bench/results/chains.md). */
#include "backends/cpu/cpu.h"

enum { MOST_ROWS = 24, LEAST_DEPTH = 32 };

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    (void)isa;
    return type == TIDE_F32 && s->m <= MOST_ROWS && s->k >= LEAST_DEPTH && s->a_col == 1 && s->b_row == 1;
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    call->state = (void *)b->isa;
    return TIDE_OK;
}

static tide_status run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const isa_table *isa = call->state;
    (void)thread, (void)scratch;
    isa->dot(&call->shape, a, b, c);
    return TIDE_OK;
}

const gemm_provider gemm_few = { "few rows", fits, prepare, run, NULL, fits };
