/* Products that cuBLASLt takes: large ones, which it multiplies nearer to the chip's rate. The algorithm is the
 * library's first suggestion for the sizes, of those that sum in F32 and give the same bits on every run. It counts
 * columns first: so it is asked for C' = B' A'. */
#include "device.h"

#include <stdlib.h>

/* Below so many multiply-adds our own are as fast, and can be one launch with their like (bench/results/cuda.md). Of
 * F32 it is asked for those alone that matrix units do not multiply (gpu/product.c). */
enum { LEAST_WORK = 1 << 26, LEAST_HALF_WORK = 1 << 29, WORKSPACE = 32 << 20 };

typedef struct lt_call {
    lt_product desc;
    lt_layout  layout[3];      /* of A, B, C */
    lt_choice  choice;
    float      alpha, beta;
    cuda_address at[3], work;
} lt_call;

/* ---- what is asked --------------------------------------------------------------------------------------- */

static unsigned type_of(tide_dtype type) {
    return type == TIDE_F32 ? LT_R_32F : type == TIDE_F16 ? LT_R_16F : LT_R_16BF;
}

static bool type_fits(tide_dtype type) { return type == TIDE_F32 || type == TIDE_F16 || type == TIDE_BF16; }

static bool product_fits(const gpu_product *p) {
    const flat_gemm *g = &p->sizes;
    double work = (double)g->m * (double)g->n * (double)g->k * (double)g->batches;
    if (g->batch_ndim > 1 || work < (p->operand[0].type == TIDE_F32 ? LEAST_WORK : LEAST_HALF_WORK)) return false;
    for (int i = 0; i < 3; i++) {
        const int64_t *s = p->operand[i].stride + g->batch_ndim;
        int64_t rows = i == 1 ? g->k : g->m, columns = i == 0 ? g->k : g->n;
        bool by_rows = s[1] == 1 && s[0] >= columns, by_columns = s[0] == 1 && s[1] >= rows && i < 2;
        if (!type_fits(p->operand[i].type) || (!by_rows && !by_columns)) return false;
        if (g->batch_ndim && (p->operand[i].stride[0] < 0 || (i == 2 && !p->operand[i].stride[0]))) return false;
    }
    return true;
}

/* As columns first: what lies by rows is there turned. */
static unsigned make_layout(const cublaslt *lt, const gpu_product *p, int i, lt_layout *out, bool *turned) {
    const flat_gemm *g = &p->sizes;
    const int64_t *s = p->operand[i].stride + g->batch_ndim;
    int64_t rows = i == 1 ? g->k : g->m, columns = i == 0 ? g->k : g->n;
    bool by_rows = s[1] == 1 && s[0] >= columns;
    *turned = !by_rows;
    unsigned code = by_rows ? lt->MatrixLayoutCreate(out, type_of(p->operand[i].type), (uint64_t)columns,
                                                     (uint64_t)rows, s[0])
                            : lt->MatrixLayoutCreate(out, type_of(p->operand[i].type), (uint64_t)rows,
                                                     (uint64_t)columns, s[1]);
    int32_t count = (int32_t)g->batches;
    if (code || !g->batch_ndim) return code;
    code = lt->MatrixLayoutSetAttribute(*out, LT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count);
    return code ? code : lt->MatrixLayoutSetAttribute(*out, LT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                                      &p->operand[i].stride[0], sizeof(int64_t));
}

static unsigned add_bias(const cublaslt *lt, lt_product desc, cuda_address bias) {
    uint32_t epilogue = LT_EPILOGUE_BIAS;
    int32_t  type = LT_R_32F;
    void    *at = (void *)(uintptr_t)bias;
    unsigned code = lt->MatmulDescSetAttribute(desc, LT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue);
    if (!code) code = lt->MatmulDescSetAttribute(desc, LT_MATMUL_DESC_BIAS_DATA_TYPE, &type, sizeof type);
    return code ? code : lt->MatmulDescSetAttribute(desc, LT_MATMUL_DESC_BIAS_POINTER, &at, sizeof at);
}

static unsigned describe(const cublaslt *lt, const gpu_product *p, cuda_address bias, lt_call *c) {
    bool turned[3];
    unsigned code = lt->MatmulDescCreate(&c->desc, LT_COMPUTE_32F, LT_R_32F);
    for (int i = 0; i < 3 && !code; i++) code = make_layout(lt, p, i, &c->layout[i], &turned[i]);
    if (code) return code;
    int32_t of_b = turned[1] ? LT_OP_T : LT_OP_N, of_a = turned[0] ? LT_OP_T : LT_OP_N;
    code = lt->MatmulDescSetAttribute(c->desc, LT_MATMUL_DESC_TRANSA, &of_b, sizeof of_b);
    if (!code) code = lt->MatmulDescSetAttribute(c->desc, LT_MATMUL_DESC_TRANSB, &of_a, sizeof of_a);
    return !code && p->has_bias ? add_bias(lt, c->desc, bias) : code;
}

/* How far an operand's first element is aligned, whatever entry of the batch. */
static uint32_t alignment(const gpu_product *p, int i) {
    int64_t size = (int64_t)tide_dtype_size(p->operand[i].type), all = p->at[i] | 256;
    for (int32_t d = 0; d < p->sizes.batch_ndim; d++) all |= p->operand[i].stride[d] * size;
    return (uint32_t)(all & -all);
}

static unsigned prefer(const cublaslt *lt, const gpu_product *p, lt_preference preference) {
    static const unsigned least[4] = { LT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, LT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                                       LT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, LT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES };
    static const int operand[4] = { 1, 0, 2, 2 };
    uint64_t most = WORKSPACE;
    uint32_t schemes = LT_REDUCTION_SCHEME_COMPUTE_TYPE;
    unsigned code = lt->MatmulPreferenceSetAttribute(preference, LT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                                                     sizeof most);
    if (!code)
        code = lt->MatmulPreferenceSetAttribute(preference, LT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &schemes,
                                                sizeof schemes);
    for (int i = 0; i < 4 && !code; i++) {
        uint32_t bytes = alignment(p, operand[i]);
        code = lt->MatmulPreferenceSetAttribute(preference, least[i], &bytes, sizeof bytes);
    }
    return code;
}

static unsigned choose(cuda_device *d, const gpu_product *p, lt_call *c) {
    const cublaslt *lt = d->lt;
    lt_preference preference = NULL;
    int count = 0;
    unsigned code = lt->MatmulPreferenceCreate(&preference);
    if (!code) code = prefer(lt, p, preference);
    if (!code)
        code = lt->MatmulAlgoGetHeuristic(d->blas, c->desc, c->layout[1], c->layout[0], c->layout[2], c->layout[2],
                                          preference, 1, &c->choice, &count);
    if (preference) lt->MatmulPreferenceDestroy(preference);
    return code ? code : count < 1 || c->choice.state;
}

/* ---- the driver's entries -------------------------------------------------------------------------------- */

static void free_call(const cuda_device *d, lt_call *c) {
    for (int i = 0; i < 3; i++)
        if (c->layout[i]) d->lt->MatrixLayoutDestroy(c->layout[i]);
    if (c->desc) d->lt->MatmulDescDestroy(c->desc);
    *c = (lt_call){ .desc = NULL };
}

/* A bias is somewhere; only how it is aligned counts here. */
static bool open_library(cuda_device *d) {
    if (!d->blas && d->lt && d->lt->Create(&d->blas)) d->blas = NULL, d->lt = NULL;
    return d->blas;
}

int64_t cuda_asks(void *device, const gpu_product *p) {
    cuda_device *d = device;
    lt_call c = { .desc = NULL };
    if (!product_fits(p)) return -1;
    cuda_enter(d);
    bool taken = open_library(d) && !describe(d->lt, p, 64, &c) && !choose(d, p, &c);
    int64_t bytes = taken ? (int64_t)c.choice.workspace : -1;
    if (d->lt) free_call(d, &c);
    cuda_leave(d);
    return bytes;
}

static cuda_address address(void *const blocks[GPU_BLOCKS], const gpu_product *p, int i) {
    return (cuda_address)(uintptr_t)blocks[p->block[i]] + (cuda_address)p->at[i];
}

tide_status cuda_product(void *device, const gpu_product *p, void *const blocks[GPU_BLOCKS], void **out,
                         tide_failure *why) {
    cuda_device *d = device;
    lt_call *c = calloc(1, sizeof *c);
    if (!c) return fail(why, TIDE_ENOMEM, "out of memory for a product");
    for (int i = 0; i < 3; i++) c->at[i] = address(blocks, p, i);
    c->alpha = (float)p->sizes.alpha, c->beta = (float)p->sizes.beta;
    c->work = p->work_bytes ? address(blocks, p, GPU_PRODUCT_WORK) : 0;
    cuda_enter(d);
    unsigned code = describe(d->lt, p, p->has_bias ? address(blocks, p, GPU_PRODUCT_BIAS) : 0, c);
    if (!code) code = choose(d, p, c);
    if (code || (int64_t)c->choice.workspace > p->work_bytes) {
        free_call(d, c);
        free(c), c = NULL;
    }
    cuda_leave(d);
    *out = c;
    return c ? TIDE_OK : fail(why, TIDE_EDEVICE, "cuda:%d: cuBLASLt does not take a product that it took before "
                                                 "(status %u)", (int)d->index, code);
}

void cuda_product_free(void *device, void *product) {
    if (product) free_call(device, product);
    free(product);
}

unsigned cuda_multiply(const cuda_device *d, void *product) {
    const lt_call *c = product;
    void *const a = (void *)(uintptr_t)c->at[0], *const b = (void *)(uintptr_t)c->at[1],
         *const result = (void *)(uintptr_t)c->at[2];
    return d->lt->Matmul(d->blas, c->desc, &c->alpha, b, c->layout[1], a, c->layout[0], &c->beta, result, c->layout[2],
                         result, c->layout[2], &c->choice.algorithm, (void *)(uintptr_t)c->work, c->choice.workspace,
                         d->stream);
}
