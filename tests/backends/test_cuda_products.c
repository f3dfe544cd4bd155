/* cuBLASLt's products: what is asked for, what is multiplied, what fails. */
#include "test_cuda.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct product_case {
    int64_t m, n, k, batches;
    bool    a_turned, b_turned, has_bias;
    tide_dtype of, to;
    double  alpha, beta;
} product_case;

/* Sizes for which the library is asked. */
static const product_case products[] = {
    { 512, 1024, 512, 1, false, false, true, TIDE_F32, TIDE_F32, 1, 0 },
    { 512, 512, 1024, 1, true, false, false, TIDE_F32, TIDE_F32, 0.5, 1 },
    { 500, 300, 450, 4, false, true, false, TIDE_F32, TIDE_F32, 1, 0 },
    { 1024, 1024, 512, 1, false, true, true, TIDE_BF16, TIDE_BF16, 1, 0 },
    { 1024, 512, 1024, 1, true, true, false, TIDE_BF16, TIDE_F32, 1, 1 },
};

typedef struct factors {
    product_case of;
    gpu_product  p;
    int64_t      bytes[4];  /* of A, B, C, bias */
    char        *host[4];
    void        *block[4];
} factors;

static float number_at(const char *at, tide_dtype type, int64_t i) {
    float x;
    if (type == TIDE_F32) return ((const float *)(const void *)at)[i];
    uint32_t bits = (uint32_t)((const uint16_t *)(const void *)at)[i] << 16;
    return memcpy(&x, &bits, sizeof x), x;
}

/* Few numbers, which bfloat16 has. */
static void fill_numbers(char *at, tide_dtype type, int64_t count, unsigned seed) {
    for (int64_t i = 0; i < count; i++) {
        float x = (float)((int)((seed = seed * 1664525u + 1013904223u) >> 24) - 128) / 64;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        if (type == TIDE_F32) ((float *)(void *)at)[i] = x;
        else ((uint16_t *)(void *)at)[i] = (uint16_t)(bits >> 16);
    }
}

static flat_operand operand_of(const product_case *c, int i, int64_t rows, int64_t columns, bool turned) {
    flat_operand o = { .buffer = i, .type = i == 2 ? c->to : c->of };
    int64_t *s = o.stride;
    if (c->batches > 1) *s++ = rows * columns;
    s[0] = turned ? 1 : columns, s[1] = turned ? rows : 1;
    return o;
}

static factors make_factors(trial *t, const product_case *c) {
    factors f = { .of = *c };
    const int64_t counts[4] = { c->m * c->k, c->k * c->n, c->m * c->n, c->n };
    f.p = (gpu_product){ .sizes = { .m = c->m, .n = c->n, .k = c->k, .batches = c->batches, .alpha = c->alpha,
                                    .beta = c->beta, .batch_ndim = c->batches > 1, .batch = { c->batches } },
                         .has_bias = c->has_bias };
    f.p.operand[0] = operand_of(c, 0, c->m, c->k, c->a_turned);
    f.p.operand[1] = operand_of(c, 1, c->k, c->n, c->b_turned);
    f.p.operand[2] = operand_of(c, 2, c->m, c->n, false);
    for (int i = 0; i < 4; i++) {
        tide_dtype type = i == 3 ? TIDE_F32 : f.p.operand[i].type;
        int64_t count = counts[i] * (i < 3 ? c->batches : 1);
        f.bytes[i] = count * (int64_t)tide_dtype_size(type);
        f.host[i] = malloc((size_t)f.bytes[i]), f.block[i] = cuda_memory.alloc(t->device, f.bytes[i]);
        f.p.block[i] = i;
        assert_true(f.host[i] && f.block[i]);
        fill_numbers(f.host[i], type, count, (unsigned)i + 1);
        assert_int_equal(cuda_memory.put(t->device, f.block[i], 0, f.host[i], f.bytes[i], NULL), TIDE_OK);
    }
    f.p.block[GPU_PRODUCT_WORK] = 4;
    return f;
}

static void free_factors(trial *t, factors *f) {
    for (int i = 0; i < 4; i++) free(f->host[i]), cuda_memory.free(t->device, f->block[i], f->bytes[i]);
}

static double factor(const factors *f, int i, int64_t at) { return (double)number_at(f->host[i], f->of.of, at); }

/* Some of the results, beside sums in double. */
static void expect_product(const factors *f, const char *got) {
    const product_case *c = &f->of;
    for (int64_t i = 0, all = c->batches * c->m * c->n; i < 300; i++) {
        int64_t at = i * 7919 * 131 % all, batch = at / (c->m * c->n), row = at / c->n % c->m, column = at % c->n;
        double sum = 0;
        for (int64_t k = 0; k < c->k; k++)
            sum += factor(f, 0, batch * c->m * c->k + (c->a_turned ? k * c->m + row : row * c->k + k)) *
                   factor(f, 1, batch * c->k * c->n + (c->b_turned ? column * c->k + k : k * c->n + column));
        sum = c->alpha * sum + c->beta * (double)number_at(f->host[2], c->to, at);
        if (c->has_bias) sum += (double)number_at(f->host[3], TIDE_F32, column);
        double bound = c->to == TIDE_F32 ? 1e-3 : 0.004 * fabs(sum) + 1e-3;
        if (fabs((double)number_at(got, c->to, at) - sum) > bound)
            fail_msg("product %d x %d x %d, row %d, column %d: expected %g, got %g", (int)c->m, (int)c->n, (int)c->k,
                     (int)row, (int)column, sum, (double)number_at(got, c->to, at));
    }
}

/* By a graph, as a run has it, or timed. */
static tide_status multiply(trial *t, factors *f, bool timed) {
    static const flat_kernel kernel = { .name = "product" };
    void *product = NULL, *recording = NULL, *work = NULL;
    double seconds = 0;
    f->p.work_bytes = cuda_asks(t->device, &f->p);
    if (f->p.work_bytes < 0) return (fail)(&t->why, TIDE_EDEVICE, "cuBLASLt does not take it");
    if (f->p.work_bytes) work = cuda_memory.alloc(t->device, f->p.work_bytes);
    void *const blocks[GPU_BLOCKS] = { f->block[0], f->block[1], f->block[2], f->block[3], work };
    tide_status status = cuda_product(t->device, &f->p, blocks, &product, &t->why);
    gpu_call call = { .kernel = &kernel, .entry = -1, .product = product, .groups = 1 };
    if (!status && timed) status = cuda_launch(t->device, NULL, &call, &seconds, &t->why);
    if (!status && !timed) status = cuda_record(t->device, NULL, &call, 1, &recording, &t->why);
    if (recording) status = cuda_replay(t->device, recording, &t->why);
    if (!status) status = cuda_wait(t->device, &t->why);
    cuda_forget(t->device, recording);
    cuda_product_free(t->device, product);
    cuda_memory.free(t->device, work, f->p.work_bytes);
    return status;
}

void test_products(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        trial t;
        assert_int_equal(open_device(&t, 0), TIDE_OK);
        factors f = make_factors(&t, &products[i]);
        fake->workspace = i % 2 ? 4096 : 0;
        int64_t before = fake->products;
        char *got = malloc((size_t)f.bytes[2]);
        assert_non_null(got);
        if (multiply(&t, &f, i == 0)) fail_msg("product %d: %s", (int)i, t.why.message);
        assert_int_equal(fake->products, before + 1);
        assert_int_equal(cuda_memory.get(t.device, got, f.block[2], 0, f.bytes[2], NULL), TIDE_OK);
        expect_product(&f, got);
        free(got);
        free_factors(&t, &f);
        close_trial(&t);
    }
}

/* What the library does not take is ours to multiply. */
void test_no_products(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    factors f = make_factors(&t, &products[0]);
    fake->refuses = true;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    fake->refuses = false, fake->workspace = (int64_t)1 << 40;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    fake->workspace = 0;
    f.p.sizes.m = 8;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    f.p.sizes.m = products[0].m;
    fail_call("cublasLtCreate", 0, 1); /* then never again on this handle */
    cuda_device *d = t.device;
    if (d->blas) d->lt->Destroy(d->blas), d->blas = NULL;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    assert_null(d->lt);
    free_factors(&t, &f);
    close_trial(&t);
}

/* As far as a run's preparation. */
static tide_status prepare_product(trial *t, factors *f) {
    static const flat_kernel kernel = { .name = "product" };
    void *product = NULL, *recording = NULL, *const blocks[GPU_BLOCKS] = { f->block[0], f->block[1], f->block[2],
                                                                           f->block[3] };
    f->p.work_bytes = cuda_asks(t->device, &f->p);
    if (f->p.work_bytes < 0) return (fail)(&t->why, TIDE_EDEVICE, "cuda:0: it is our own to multiply");
    tide_status status = cuda_product(t->device, &f->p, blocks, &product, &t->why);
    gpu_call call = { .kernel = &kernel, .entry = -1, .product = product, .groups = 1 };
    if (!status) status = cuda_record(t->device, NULL, &call, 1, &recording, &t->why);
    cuda_forget(t->device, recording);
    cuda_product_free(t->device, product);
    return status;
}

/* Each call of a product's fails once, the first time, the second, ...; nothing is left of it. */
void test_products_fail(void **unused) {
    static const struct { const char *call, *last; } calls[] = {
        { "cublasLtMatmulDescCreate", "cuda:0: cuBLASLt does not take a product that it took before (status 2)" },
        { "cublasLtMatmulDescSetAttribute", "that it took before (status 2)" },
        { "cublasLtMatrixLayoutCreate", "that it took before (status 2)" },
        { "cublasLtMatmulPreferenceCreate", "that it took before (status 2)" },
        { "cublasLtMatmulPreferenceSetAttribute", "that it took before (status 2)" },
        { "cublasLtMatmulAlgoGetHeuristic", "that it took before (status 2)" },
        { "cublasLtMatmul", "cuda:0: recording the kernel 'product' failed: out of memory" },
        { "cuStreamBeginCapture", "cuda:0: recording the kernel 'product' failed: out of memory" },
        { "cuStreamEndCapture", "cuda:0: recording the kernel 'product' failed: out of memory" },
        { "cuGraphAddChildGraphNode", "cuda:0: recording the kernel 'product' failed: out of memory" },
        { "cuGraphCreate", "cuda:0: making a graph failed: out of memory" },
        { "cuGraphInstantiate", "cuda:0: making a graph of 1 kernels failed: out of memory" },
    };
    (void)unused;
    trial t;
    char before[400], last[sizeof t.why.message] = "";
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    factors f = make_factors(&t, &products[0]);
    assert_int_equal(prepare_product(&t, &f), TIDE_OK);
    snprintf(before, sizeof before, "%s", fake->left());
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        tide_status status = TIDE_EDEVICE;
        for (int n = 0; status && n < 40; n++) {
            t.why = (tide_failure){ 0 };
            fail_call(calls[i].call, n, OUT_OF_MEMORY);
            status = prepare_product(&t, &f);
            assert_int_equal(status == TIDE_OK, fake->fail != NULL);
            if (strcmp(before, fake->left()))
                fail_msg("%s, call %d: there were %s, there are %s", calls[i].call, n, before, fake->left());
            if (status) snprintf(last, sizeof last, "%s", t.why.message);
        }
        assert_int_equal(status, TIDE_OK);
        expect_text(last, calls[i].last);
    }
    fake->fail = NULL;
    free_factors(&t, &f);
    close_trial(&t);
}
