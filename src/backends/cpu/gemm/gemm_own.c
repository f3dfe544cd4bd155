/* Our own product: any strides, both types. Best for small ones. */
#include "backends/cpu/cpu.h"

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    (void)isa, (void)s;
    return type == TIDE_F32 || type == TIDE_F64;
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    const gemm_ops *ops = b->isa->gemm;
    bool    single = call->type == TIDE_F32;
    int64_t lanes = single ? ops->lanes_f32 : ops->lanes_f64;
    call->state = (void *)ops;
    call->scratch = GEMM_VECTORS * lanes * call->shape.k * (int64_t)tide_dtype_size(call->type);
    return TIDE_OK;
}

static tide_status run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const gemm_ops *ops = call->state;
    (void)thread;
    (call->type == TIDE_F32 ? ops->f32 : ops->f64)(&call->shape, a, b, c, scratch);
    return TIDE_OK;
}

const gemm_provider gemm_own = { "own", fits, prepare, run, NULL, fits };
