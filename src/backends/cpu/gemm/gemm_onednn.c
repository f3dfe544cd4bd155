/* Matrix products by oneDNN, versions 2 and 3: one primitive a shape, made for one thread, run by many at once. */
#include <sys/mman.h>

#include "backends/cpu/cpu.h"
#include "onednn.h"

/* What each running thread needs of its own. */
typedef struct lane {
    onednn_stream stream;
    onednn_memory a, b, c, scratchpad;
    bool ran;
} lane;

typedef struct product {
    const onednn *dnnl;
    onednn_engine engine;
    onednn_primitive primitive;
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
    const onednn *dnnl = onednn_here();
    if (!dnnl) return "there is no oneDNN to multiply 16-bit numbers (`tidemill machine` says why)";
    bool native = (dnnl->get_effective_cpu_isa() & ONEDNN_ISA_AVX512_BF16) == ONEDNN_ISA_AVX512_BF16;
    if (native && isa->gemm->lanes_f32 == 16) return NULL;
    return "this processor has neither AVX512-BF16 nor AMX, or TIDEMILL_ISA leaves them out";
}

/* Its kernels of AVX-512 and AMX make each row alike, from 16 rows on (tests/backends/test_rows.c); with AVX2 it blocks
 * by the number of rows. */
bool onednn_rows_alone(void) {
    const onednn *dnnl = onednn_here();
    return !dnnl || (dnnl->get_effective_cpu_isa() & ONEDNN_ISA_AVX512) == ONEDNN_ISA_AVX512;
}

/* A factor and a sum together send oneDNN, for most layouts, to its reference code, thousands of times slower than
 * ours. */
static bool takes(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    bool half = type == TIDE_BF16 && !onednn_lacks(isa, type);
    return (type == TIDE_F32 || half) && onednn_here() && (s->alpha == 1 || s->beta == 0) &&
           plain(s->a_row, s->a_col, s->m, s->k) && plain(s->b_row, s->b_col, s->k, s->n) && s->c_row >= s->n;
}

static bool fits(const isa_table *isa, const gemm_shape *s, tide_dtype type) {
    return s->m * s->n * s->k >= (type == TIDE_BF16 ? WORTH_A_HALF_CALL : WORTH_A_CALL) &&
           s->n >= (type == TIDE_BF16 ? 16 : 8) && takes(isa, s, type);
}

/* Where it is given none for the code that it writes, when a product is made and at its first run, oneDNN 2 writes
 * that to nowhere and crashes: up to some 20 kernels of 256 KB, so that is asked for first. */
static bool memory_for_code(void) {
    enum { BYTES = 5 << 20 };
    void *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at != MAP_FAILED && munmap(at, BYTES) == 0;
}

/* ---- where the versions differ ---- */

/* A version 2's layout is its own memory; a version 3's is behind a handle. */
typedef struct layout { onednn2_layout own; onednn3_layout handle; } layout;

static onednn_layout_in layout_of(const onednn *dnnl, const layout *l) {
    return dnnl->major == 2 ? (onednn_layout_in)&l->own : l->handle;
}

static bool layout_new(const onednn *dnnl, layout *l, unsigned type, int64_t rows, int64_t cols, int64_t row,
                       int64_t col) {
    const onednn_dims sizes = { rows, cols }, strides = { row, col };
    unsigned status = dnnl->major == 2 ? dnnl->v2.memory_desc_init_by_strides(&l->own, 2, sizes, type, strides)
                                       : dnnl->v3.memory_desc_create_with_strides(&l->handle, 2, sizes, type, strides);
    return status == ONEDNN_SUCCESS;
}

static void layout_free(const onednn *dnnl, layout *l) {
    if (l->handle) dnnl->v3.memory_desc_destroy(l->handle);
}

static bool append_scale(const onednn *dnnl, onednn_post_ops ops, float alpha) {
    unsigned status = dnnl->major == 2 ? dnnl->v2.post_ops_append_eltwise(ops, 1, ONEDNN2_LINEAR, alpha, 0)
                                       : dnnl->v3.post_ops_append_eltwise(ops, ONEDNN3_LINEAR, alpha, 0);
    return status == ONEDNN_SUCCESS;
}

static bool append_sum(const onednn *dnnl, onednn_post_ops ops) {
    unsigned status = dnnl->major == 2 ? dnnl->v2.post_ops_append_sum(ops, 1)
                                       : dnnl->v3.post_ops_append_sum(ops, 1, 0, ONEDNN_UNDEF);
    return status == ONEDNN_SUCCESS;
}

static bool describe(const product *p, onednn_primitive_desc *pd, const layout l[3], onednn_attr attr) {
    const onednn *dnnl = p->dnnl;
    onednn2_matmul d;
    if (dnnl->major == 3)
        return dnnl->v3.matmul_primitive_desc_create(pd, p->engine, l[0].handle, l[1].handle, NULL, l[2].handle,
                                                     attr) == ONEDNN_SUCCESS;
    return dnnl->v2.matmul_desc_init(&d, &l[0].own, &l[1].own, NULL, &l[2].own) == ONEDNN_SUCCESS &&
           dnnl->v2.primitive_desc_create(pd, &d, attr, p->engine, NULL) == ONEDNN_SUCCESS;
}

/* ---- preparing ---- */

/* alpha A B or A B + C. */
static bool set_attributes(const onednn *dnnl, onednn_attr attr, const gemm_shape *s) {
    onednn_post_ops ops = NULL;
    bool ok = dnnl->primitive_attr_set_scratchpad_mode(attr, ONEDNN_SCRATCHPAD_USER) == ONEDNN_SUCCESS &&
              dnnl->post_ops_create(&ops) == ONEDNN_SUCCESS;
    if (ok && s->alpha != 1) ok = append_scale(dnnl, ops, (float)s->alpha);
    if (ok && s->beta != 0) ok = append_sum(dnnl, ops);
    if (ok) ok = dnnl->primitive_attr_set_post_ops(attr, ops) == ONEDNN_SUCCESS;
    if (ops) dnnl->post_ops_destroy(ops);
    return ok;
}

static bool memory_new(const product *p, onednn_memory *to, onednn_layout_in l) {
    return p->dnnl->memory_create(to, l, p->engine, NULL) == ONEDNN_SUCCESS;
}

static bool make_lanes(product *p, const layout l[3], onednn_primitive_desc pd, int64_t *scratch) {
    const onednn *dnnl = p->dnnl;
    onednn_layout_in pad = dnnl->primitive_desc_query_md(pd, ONEDNN_QUERY_SCRATCHPAD, 0);
    *scratch = (int64_t)dnnl->memory_desc_get_size(pad);
    for (int i = 0; i < p->threads; i++) {
        lane *t = &p->lanes[i];
        if (dnnl->stream_create(&t->stream, p->engine, ONEDNN_IN_ORDER) != ONEDNN_SUCCESS ||
            !memory_new(p, &t->a, layout_of(dnnl, &l[0])) || !memory_new(p, &t->b, layout_of(dnnl, &l[1])) ||
            !memory_new(p, &t->c, layout_of(dnnl, &l[2])) || !memory_new(p, &t->scratchpad, pad))
            return false;
    }
    return true;
}

static bool make(product *p, const gemm_shape *s, unsigned type, int64_t *scratch) {
    const onednn *dnnl = p->dnnl;
    layout l[3] = { 0 };
    onednn_attr attr = NULL;
    onednn_primitive_desc pd = NULL;
    bool ok = dnnl->engine_create(&p->engine, ONEDNN_CPU, 0) == ONEDNN_SUCCESS &&
              layout_new(dnnl, &l[0], type, s->m, s->k, s->a_row, s->a_col) &&
              layout_new(dnnl, &l[1], type, s->k, s->n, s->b_row, s->b_col) &&
              layout_new(dnnl, &l[2], ONEDNN_F32, s->m, s->n, s->c_row, 1) &&
              dnnl->primitive_attr_create(&attr) == ONEDNN_SUCCESS && set_attributes(dnnl, attr, s) &&
              describe(p, &pd, l, attr) && dnnl->primitive_create(&p->primitive, pd) == ONEDNN_SUCCESS &&
              make_lanes(p, l, pd, scratch);
    if (pd) dnnl->primitive_desc_destroy(pd);
    if (attr) dnnl->primitive_attr_destroy(attr);
    for (int i = 0; i < 3; i++) layout_free(dnnl, &l[i]);
    return ok;
}

static void release_lane(const onednn *dnnl, const lane *t) {
    const onednn_memory memories[] = { t->a, t->b, t->c, t->scratchpad };
    for (int i = 0; i < 4; i++)
        if (memories[i]) dnnl->memory_destroy(memories[i]);
    if (t->stream) dnnl->stream_destroy(t->stream);
}

static void release(gemm_call *call) {
    product *p = call->state;
    for (int i = 0; i < p->threads; i++) release_lane(p->dnnl, &p->lanes[i]);
    if (p->primitive) p->dnnl->primitive_destroy(p->primitive);
    if (p->engine) p->dnnl->engine_destroy(p->engine);
}

static tide_status prepare(const cpu_build *b, gemm_call *call) {
    product *p = arena_new(b->keep, product, 1);
    call->state = p;
    p->lanes = arena_new(b->keep, lane, b->threads);
    p->threads = b->threads;
    p->dnnl = onednn_here();
    if (!memory_for_code()) return fail(b->why, TIDE_ENOMEM, "no memory for oneDNN's code of a matrix product");
    library_limit before = library_threads_one();
    bool ok = make(p, &call->shape, call->type == TIDE_BF16 ? ONEDNN_BF16 : ONEDNN_F32, &call->scratch);
    library_threads_back(&before);
    if (ok) return TIDE_OK;
    release(call);
    return fail(b->why, TIDE_EDEVICE, "oneDNN could not prepare a matrix product of %lld x %lld x %lld",
                (long long)call->shape.m, (long long)call->shape.n, (long long)call->shape.k);
}

static tide_status run(const gemm_call *call, const void *a, const void *b, void *c, int thread, char *scratch) {
    const product *p = call->state;
    lane *t = &p->lanes[thread];
    if (!t->ran && !memory_for_code()) return TIDE_ENOMEM;
    t->ran = true;
    p->dnnl->memory_set_data_handle(t->a, (void *)a);
    p->dnnl->memory_set_data_handle(t->b, (void *)b);
    p->dnnl->memory_set_data_handle(t->c, c);
    p->dnnl->memory_set_data_handle(t->scratchpad, scratch);
    const onednn_arg args[] = { { ONEDNN_ARG_SRC, t->a }, { ONEDNN_ARG_WEIGHTS, t->b }, { ONEDNN_ARG_DST, t->c },
                                { ONEDNN_ARG_SCRATCHPAD, t->scratchpad } };
    unsigned status = p->dnnl->primitive_execute(p->primitive, t->stream, 4, args);
    return status == ONEDNN_SUCCESS         ? TIDE_OK
         : status == ONEDNN_OUT_OF_MEMORY ? TIDE_ENOMEM
                                          : TIDE_EDEVICE;
}

const gemm_provider gemm_onednn = { "onednn", fits, prepare, run, release, takes };
