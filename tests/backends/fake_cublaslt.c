/* cuBLASLt's part of the make-believe CUDA: one algorithm, plain loops. */
#include <stdlib.h>

#include "fake_cuda_parts.h"

enum { NOT_SUPPORTED = 15, INVALID_VALUE = 7, ALGORITHM = 0x600d };

typedef struct handle { fake_object o; } handle;
typedef struct layout { fake_object o; unsigned type; int64_t rows, columns, stride, apart; int32_t count; } layout;
typedef struct product {
    fake_object o;
    int32_t     turned[2];  /* of A and B */
    uint32_t    epilogue;
    int32_t     bias_type;
    void       *bias;
} product;
typedef struct preference { fake_object o; uint64_t workspace; uint32_t schemes, aligned[4]; } preference;

#define DECLARED_LT(name, version, takes) FAKE_SYMBOL(cublasLt, name, version, takes)
CUBLASLT_FUNCTIONS(DECLARED_LT)

/* ---- what is described ------------------------------------------------------------------------------------------- */

unsigned fake_cublasLtCreate(lt_handle *out) {
    CALL("cublasLtCreate")
    code = fake_current("cublasLtCreate");
    if (!code) *out = fake_new("a handle of cuBLASLt", sizeof(handle));
    return code;
}

unsigned fake_cublasLtDestroy(lt_handle h) {
    CALLED("cublasLtDestroy")
    fake_end(fake_known(h, "a handle of cuBLASLt"));
    return code;
}

unsigned fake_cublasLtMatmulDescCreate(lt_product *out, unsigned compute, unsigned scale) {
    CALL("cublasLtMatmulDescCreate")
    if (compute != LT_COMPUTE_32F || scale != LT_R_32F) fake_stop("a product in another type than float");
    *out = fake_new("a product", sizeof(product));
    return 0;
}

unsigned fake_cublasLtMatmulDescDestroy(lt_product handle) {
    CALLED("cublasLtMatmulDescDestroy")
    fake_end(fake_known(handle, "a product"));
    return code;
}

/* An attribute has the size of what it is kept in. */
#define TAKE(attribute, member)                                                                                        \
    case attribute:                                                                                                    \
        if (bytes != sizeof(member)) fake_stop("%zu bytes for " #attribute, bytes);                                    \
        memcpy(&(member), from, bytes);                                                                                \
        return 0;

unsigned fake_cublasLtMatmulDescSetAttribute(lt_product handle, unsigned what, const void *from, size_t bytes) {
    CALL("cublasLtMatmulDescSetAttribute")
    product *p = fake_known(handle, "a product");
    switch (what) {
        TAKE(LT_MATMUL_DESC_TRANSA, p->turned[0])
        TAKE(LT_MATMUL_DESC_TRANSB, p->turned[1])
        TAKE(LT_MATMUL_DESC_EPILOGUE, p->epilogue)
        TAKE(LT_MATMUL_DESC_BIAS_POINTER, p->bias)
        TAKE(LT_MATMUL_DESC_BIAS_DATA_TYPE, p->bias_type)
    default: return INVALID_VALUE;
    }
}

unsigned fake_cublasLtMatrixLayoutCreate(lt_layout *out, unsigned type, uint64_t rows, uint64_t columns,
                                         int64_t stride) {
    CALL("cublasLtMatrixLayoutCreate")
    if (stride < (int64_t)rows || !rows || !columns) fake_stop("a layout whose columns overlap, or of nothing");
    layout *l = fake_new("a layout", sizeof *l);
    l->type = type, l->rows = (int64_t)rows, l->columns = (int64_t)columns, l->stride = stride, l->count = 1;
    *out = (lt_layout)l;
    return 0;
}

unsigned fake_cublasLtMatrixLayoutDestroy(lt_layout handle) {
    CALLED("cublasLtMatrixLayoutDestroy")
    fake_end(fake_known(handle, "a layout"));
    return code;
}

unsigned fake_cublasLtMatrixLayoutSetAttribute(lt_layout handle, unsigned what, const void *from, size_t bytes) {
    CALL("cublasLtMatrixLayoutSetAttribute")
    layout *l = fake_known(handle, "a layout");
    switch (what) {
        TAKE(LT_MATRIX_LAYOUT_BATCH_COUNT, l->count)
        TAKE(LT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, l->apart)
    default: return INVALID_VALUE;
    }
}

unsigned fake_cublasLtMatmulPreferenceCreate(lt_preference *out) {
    CALL("cublasLtMatmulPreferenceCreate")
    *out = fake_new("a preference", sizeof(preference));
    return 0;
}

unsigned fake_cublasLtMatmulPreferenceDestroy(lt_preference handle) {
    CALLED("cublasLtMatmulPreferenceDestroy")
    fake_end(fake_known(handle, "a preference"));
    return code;
}

unsigned fake_cublasLtMatmulPreferenceSetAttribute(lt_preference handle, unsigned what, const void *from,
                                                   size_t bytes) {
    CALL("cublasLtMatmulPreferenceSetAttribute")
    preference *p = fake_known(handle, "a preference");
    switch (what) {
        TAKE(LT_MATMUL_PREF_MAX_WORKSPACE_BYTES, p->workspace)
        TAKE(LT_MATMUL_PREF_REDUCTION_SCHEME_MASK, p->schemes)
        TAKE(LT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, p->aligned[0])
        TAKE(LT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, p->aligned[1])
        TAKE(LT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, p->aligned[2])
        TAKE(LT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, p->aligned[3])
    default: return INVALID_VALUE;
    }
}

/* ---- the sizes --------------------------------------------------------------------------------------------------- */

typedef struct multiplication {
    product     p;
    layout      a, b, c;
    float       alpha, beta;
    const char *from[2];
    char       *to;
} multiplication;

static multiplication sizes_of(lt_product p, lt_layout a, lt_layout b, lt_layout c, lt_layout d) {
    if (c != d) fake_stop("a result elsewhere than what it is added to");
    multiplication m = { .p = *(const product *)fake_known(p, "a product"),
                         .a = *(const layout *)fake_known(a, "a layout"),
                         .b = *(const layout *)fake_known(b, "a layout"),
                         .c = *(const layout *)fake_known(c, "a layout") };
    int64_t depth = m.p.turned[0] == LT_OP_T ? m.a.rows : m.a.columns;
    if (m.c.rows != (m.p.turned[0] == LT_OP_T ? m.a.columns : m.a.rows) ||
        m.c.columns != (m.p.turned[1] == LT_OP_T ? m.b.rows : m.b.columns) ||
        depth != (m.p.turned[1] == LT_OP_T ? m.b.columns : m.b.rows) || m.a.count != m.c.count ||
        m.b.count != m.c.count || m.a.type != m.b.type || (m.c.type != LT_R_32F && m.c.type != m.a.type))
        fake_stop("a product of sizes or types that do not fit");
    return m;
}

unsigned fake_cublasLtMatmulAlgoGetHeuristic(lt_handle h, lt_product p, lt_layout a, lt_layout b, lt_layout c,
                                             lt_layout d, lt_preference asked, int most, lt_choice *out, int *count) {
    CALL("cublasLtMatmulAlgoGetHeuristic")
    const preference *wish = fake_known(asked, "a preference");
    fake_known(h, "a handle of cuBLASLt");
    sizes_of(p, a, b, c, d);
    if (wish->schemes & ~(uint32_t)LT_REDUCTION_SCHEME_COMPUTE_TYPE) fake_stop("sums in any order");
    for (int i = 0; i < 4; i++)
        if (!wish->aligned[i] || wish->aligned[i] & (wish->aligned[i] - 1)) fake_stop("no alignment is said");
    *count = 0;
    if (most < 1 || fake.refuses || (uint64_t)fake.workspace > wish->workspace) return NOT_SUPPORTED;
    *out = (lt_choice){ .algorithm = { { ALGORITHM } }, .workspace = (size_t)fake.workspace };
    *count = 1;
    return 0;
}

/* ---- the loops --------------------------------------------------------------------------------------------------- */

static int64_t size_of(unsigned type) { return type == LT_R_32F ? 4 : 2; }

static float loaded(unsigned type, const char *at) {
    uint16_t half;
    float    x;
    if (type == LT_R_32F) return memcpy(&x, at, sizeof x), x;
    memcpy(&half, at, sizeof half);
    if (type == LT_R_16F) fake_stop("the fake's products are not of float16");
    uint32_t bits = (uint32_t)half << 16;
    return memcpy(&x, &bits, sizeof x), x;
}

static void stored(unsigned type, char *at, float x) {
    uint32_t bits;
    if (type == LT_R_32F) {
        memcpy(at, &x, sizeof x);
        return;
    }
    memcpy(&bits, &x, sizeof bits);
    uint16_t half = x != x ? 0x7fff : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    memcpy(at, &half, sizeof half);
}

/* As float, rows first, turned if it is said. */
static float *unpacked(const layout *l, const char *at, bool turned, int64_t batch) {
    float *x = malloc(sizeof *x * (size_t)(l->rows * l->columns));
    if (!x) fake_stop("out of memory");
    for (int64_t c = 0; c < l->columns; c++)
        for (int64_t r = 0; r < l->rows; r++)
            x[turned ? r * l->columns + c : c * l->rows + r] =
                loaded(l->type, at + size_of(l->type) * (batch * l->apart + c * l->stride + r));
    return x;
}

static void multiply_one(const multiplication *m, int64_t batch) {
    bool turned = m->p.turned[0] == LT_OP_T;
    int64_t rows = m->c.rows, depth = turned ? m->a.rows : m->a.columns;
    float *a = unpacked(&m->a, m->from[0], turned, batch);
    float *b = unpacked(&m->b, m->from[1], m->p.turned[1] == LT_OP_T, batch);
    float *sums = malloc(sizeof *sums * (size_t)rows);
    if (!sums) fake_stop("out of memory");
    for (int64_t c = 0; c < m->c.columns; c++) {
        char *to = m->to + size_of(m->c.type) * (batch * m->c.apart + c * m->c.stride);
        memset(sums, 0, sizeof *sums * (size_t)rows);
        for (int64_t k = 0; k < depth; k++)
            for (int64_t r = 0; r < rows; r++) sums[r] += a[k * rows + r] * b[c * depth + k];
        for (int64_t r = 0; r < rows; r++) {
            char *at = to + size_of(m->c.type) * r;
            float y = m->alpha * sums[r] + (m->beta == 0 ? 0 : m->beta * loaded(m->c.type, at));
            if (m->p.epilogue == LT_EPILOGUE_BIAS) y += loaded(LT_R_32F, (const char *)m->p.bias + 4 * r);
            stored(m->c.type, at, y);
        }
    }
    free(a), free(b), free(sums);
}

static unsigned do_multiply(const void *what) {
    const multiplication *m = what;
    for (int64_t i = 0; i < m->c.count; i++) multiply_one(m, i);
    fake_check_guards((cuda_address)(uintptr_t)m->to);
    fake.products++;
    return 0;
}

/* All of a matrix's bytes. */
static char *matrix_at(const layout *l, const void *at) {
    int64_t last = (l->count - 1) * l->apart + (l->columns - 1) * l->stride + l->rows;
    return fake_device_memory((cuda_address)(uintptr_t)at, (size_t)(size_of(l->type) * last));
}

unsigned fake_cublasLtMatmul(lt_handle h, lt_product p, const void *alpha, const void *a, lt_layout of_a, const void *b,
                             lt_layout of_b, const void *beta, const void *c, lt_layout of_c, void *d, lt_layout of_d,
                             const lt_algorithm *algorithm, void *workspace, size_t bytes, cuda_stream stream) {
    CALL("cublasLtMatmul")
    code = fake_current("cublasLtMatmul");
    if (code) return code;
    fake_known(h, "a handle of cuBLASLt");
    multiplication m = sizes_of(p, of_a, of_b, of_c, of_d);
    m.alpha = *(const float *)alpha, m.beta = *(const float *)beta;
    m.from[0] = matrix_at(&m.a, a), m.from[1] = matrix_at(&m.b, b), m.to = matrix_at(&m.c, d);
    if (c != d || algorithm->data[0] != ALGORITHM) fake_stop("an algorithm that nobody chose");
    if ((int64_t)bytes != fake.workspace) fake_stop("another workspace than was asked for");
    if (bytes) fake_device_memory((cuda_address)(uintptr_t)workspace, bytes);
    if (m.p.epilogue == LT_EPILOGUE_BIAS) {
        if (m.p.bias_type != LT_R_32F) fake_stop("a bias in another type than float");
        fake_device_memory((cuda_address)(uintptr_t)m.p.bias, (size_t)m.c.rows * 4);
    }
    return fake_queue(stream, do_multiply, &m, sizeof m);
}
