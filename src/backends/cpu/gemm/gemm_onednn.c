/* Matrix products by oneDNN, versions 2 and 3: one primitive a shape, made for one thread, run by many at once. */
#include <oneapi/dnnl/dnnl.h>

#include "backends/cpu/cpu.h"

/* What each running thread needs of its own. */
typedef struct lane {
    dnnl_stream_t stream;
    dnnl_memory_t a, b, c, scratchpad;
} lane;

typedef struct product {
    dnnl_engine_t engine;
    dnnl_primitive_t primitive;
    int   threads;
    lane *lanes;
} product;

static bool plain(int64_t row, int64_t col, int64_t rows, int64_t cols) {
    return (col == 1 && row >= cols) || (row == 1 && col >= rows);
}

/* Smaller ones are over sooner without a library call. */
enum { WORTH_A_CALL = 1 << 20, WORTH_A_HALF_CALL = 1 << 15 };

/* oneDNN multiplies bf16 on any processor with AVX-512, but by way of f32 where there is no instruction for it. */
const char *onednn_lacks(const isa_table *isa, tide_dtype half) {
    if (half != TIDE_BF16) return "f16 has no matrix product of its own on processors; bf16 may have";
    bool native = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
    if (native && isa->gemm->lanes_f32 == 16) return NULL;
    return "this processor has neither AVX512-BF16 nor AMX, or TIDEMILL_ISA leaves them out";
}

/* Its kernels of AVX-512 and AMX make each row alike, from 16 rows on (tests/backends/test_rows.c); with AVX2 it blocks
 * by the number of rows. */
bool onednn_rows_alone(void) {
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

/* A factor and a sum together send oneDNN, for most layouts, to its reference code, thousands of times slower than
 * ours. */
static bool takes(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    bool half = type == TIDE_BF16 && !onednn_lacks(isa, type);
    return (type == TIDE_F32 || half) && (s->alpha == 1 || s->beta == 0) &&
           plain(s->a_row, s->a_col, s->m, s->k) && plain(s->b_row, s->b_col, s->k, s->n) && s->c_row >= s->n;
}

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    return s->m * s->n * s->k >= (type == TIDE_BF16 ? WORTH_A_HALF_CALL : WORTH_A_CALL) &&
           s->n >= (type == TIDE_BF16 ? 16 : 8) && takes(isa, s, type);
}

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t layout;
typedef const_dnnl_memory_desc_t desc_ref;
static bool layout_new(layout *l, dnnl_data_type_t type, int64_t rows, int64_t cols, int64_t row, int64_t col) {
    return dnnl_memory_desc_create_with_strides(l, 2, (dnnl_dims_t){ rows, cols }, type, (dnnl_dims_t){ row, col }) ==
           dnnl_success;
}
static void layout_free(layout *l) { if (*l) dnnl_memory_desc_destroy(*l); }
static desc_ref layout_of(const layout *l) { return *l; }
static bool append_scale(dnnl_post_ops_t ops, float alpha) {
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_linear, alpha, 0) == dnnl_success;
}
static bool append_sum(dnnl_post_ops_t ops) {
    return dnnl_post_ops_append_sum(ops, 1, 0, dnnl_data_type_undef) == dnnl_success;
}
static bool describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const layout l[3], dnnl_primitive_attr_t attr) {
    return dnnl_matmul_primitive_desc_create(pd, engine, l[0], l[1], NULL, l[2], attr) == dnnl_success;
}
#else
typedef dnnl_memory_desc_t layout;
typedef const dnnl_memory_desc_t *desc_ref;
static bool layout_new(layout *l, dnnl_data_type_t type, int64_t rows, int64_t cols, int64_t row, int64_t col) {
    return dnnl_memory_desc_init_by_strides(l, 2, (dnnl_dims_t){ rows, cols }, type, (dnnl_dims_t){ row, col }) ==
           dnnl_success;
}
static void layout_free(layout *l) { (void)l; }
static desc_ref layout_of(const layout *l) { return l; }
static bool append_scale(dnnl_post_ops_t ops, float alpha) {
    return dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_linear, alpha, 0) == dnnl_success;
}
static bool append_sum(dnnl_post_ops_t ops) { return dnnl_post_ops_append_sum(ops, 1) == dnnl_success; }
static bool describe(dnnl_primitive_desc_t *pd, dnnl_engine_t engine, const layout l[3], dnnl_primitive_attr_t attr) {
    dnnl_matmul_desc_t d;
    return dnnl_matmul_desc_init(&d, &l[0], &l[1], NULL, &l[2]) == dnnl_success &&
           dnnl_primitive_desc_create(pd, &d, attr, engine, NULL) == dnnl_success;
}
#endif

/* alpha A B or A B + C. */
static bool set_attributes(dnnl_primitive_attr_t attr, const gemm_shape *s) {
    dnnl_post_ops_t ops = NULL;
    bool ok = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user) == dnnl_success &&
              dnnl_post_ops_create(&ops) == dnnl_success;
    if (ok && s->alpha != 1) ok = append_scale(ops, (float)s->alpha);
    if (ok && s->beta != 0) ok = append_sum(ops);
    if (ok) ok = dnnl_primitive_attr_set_post_ops(attr, ops) == dnnl_success;
    dnnl_post_ops_destroy(ops);
    return ok;
}

static bool make_lanes(product *p, const layout l[3], dnnl_primitive_desc_t pd, int64_t *scratch) {
    desc_ref pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    *scratch = (int64_t)dnnl_memory_desc_get_size(pad);
    for (int i = 0; i < p->threads; i++) {
        lane *t = &p->lanes[i];
        if (dnnl_stream_create(&t->stream, p->engine, dnnl_stream_default_flags) != dnnl_success ||
            dnnl_memory_create(&t->a, layout_of(&l[0]), p->engine, DNNL_MEMORY_NONE) != dnnl_success ||
            dnnl_memory_create(&t->b, layout_of(&l[1]), p->engine, DNNL_MEMORY_NONE) != dnnl_success ||
            dnnl_memory_create(&t->c, layout_of(&l[2]), p->engine, DNNL_MEMORY_NONE) != dnnl_success ||
            dnnl_memory_create(&t->scratchpad, pad, p->engine, DNNL_MEMORY_NONE) != dnnl_success)
            return false;
    }
    return true;
}

static bool make(product *p, const gemm_shape *s, dnnl_data_type_t type, int64_t *scratch) {
    layout l[3] = { 0 };
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    bool ok = dnnl_engine_create(&p->engine, dnnl_cpu, 0) == dnnl_success &&
              layout_new(&l[0], type, s->m, s->k, s->a_row, s->a_col) &&
              layout_new(&l[1], type, s->k, s->n, s->b_row, s->b_col) &&
              layout_new(&l[2], dnnl_f32, s->m, s->n, s->c_row, 1) &&
              dnnl_primitive_attr_create(&attr) == dnnl_success && set_attributes(attr, s) &&
              describe(&pd, p->engine, l, attr) && dnnl_primitive_create(&p->primitive, pd) == dnnl_success &&
              make_lanes(p, l, pd, scratch);
    if (pd) dnnl_primitive_desc_destroy(pd);
    if (attr) dnnl_primitive_attr_destroy(attr);
    for (int i = 0; i < 3; i++) layout_free(&l[i]);
    return ok;
}

static void release(gemm_call *call) {
    product *p = call->state;
    for (int i = 0; i < p->threads; i++) {
        lane *t = &p->lanes[i];
        if (t->a) dnnl_memory_destroy(t->a);
        if (t->b) dnnl_memory_destroy(t->b);
        if (t->c) dnnl_memory_destroy(t->c);
        if (t->scratchpad) dnnl_memory_destroy(t->scratchpad);
        if (t->stream) dnnl_stream_destroy(t->stream);
    }
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->engine) dnnl_engine_destroy(p->engine);
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    product *p = arena_new(b->keep, product, 1);
    call->state = p;
    p->lanes = arena_new(b->keep, lane, b->threads);
    p->threads = b->threads;
    int  before = library_threads(1);
    bool ok = make(p, &call->shape, call->type == TIDE_BF16 ? dnnl_bf16 : dnnl_f32, &call->scratch);
    library_threads(before);
    if (ok) return TIDE_OK;
    release(call);
    return fail(b->why, TIDE_EDEVICE, "oneDNN could not prepare a matrix product of %lld x %lld x %lld",
                (long long)call->shape.m, (long long)call->shape.n, (long long)call->shape.k);
}

static bool run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const product *p = call->state;
    const lane *t = &p->lanes[thread];
    dnnl_memory_set_data_handle(t->a, (void *)a);
    dnnl_memory_set_data_handle(t->b, (void *)b);
    dnnl_memory_set_data_handle(t->c, c);
    dnnl_memory_set_data_handle(t->scratchpad, scratch);
    const dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, t->a }, { DNNL_ARG_WEIGHTS, t->b }, { DNNL_ARG_DST, t->c },
                                     { DNNL_ARG_SCRATCHPAD, t->scratchpad } };
    return dnnl_primitive_execute(p->primitive, t->stream, 4, args) == dnnl_success;
}

const gemm_provider gemm_onednn = { "onednn", fits, prepare, run, release, takes };
