/* Products as texts, on the make-believe GPU against ref: sizes that meet each tile, whole and by parts, with strides
 * that are loaded by fours, one by one and again and again. */
#include "../flat_check.h"
#include "backends/gpu/plan.h"
#include "backends/gpu/tiling.h"
#include "backends/ref/ref.h"

#include <inttypes.h>
#include <stdio.h>

/* How a matrix lies: rows, columns, rows with gaps of each alignment, every second number, one row for all, columns
 * with gaps; rows that are one matrix for all of a batch dimension. */
enum { BIAS = 1, ROUNDED = 2, ENDS = 4 };  /* a bias is added; the result is rounded to the operands' 16-bit type */
enum { ROWS, COLUMNS, ODD_GAPS, EVEN_GAPS, EVERY_SECOND, ONE_ROW, COLUMN_GAPS, SHARED, LAYOUTS };

typedef struct sized { int64_t m, n, k, batch[2]; } sized;

static int add_matrix(builder *b, flat_kernel *k, tide_dtype type, const int64_t *batch, int64_t rows, int64_t cols,
                      int layout, bool output) {
    const int64_t steps[LAYOUTS][2] = {
        [ROWS] = { cols, 1 }, [COLUMNS] = { 1, rows }, [ODD_GAPS] = { cols + 5, 1 }, [EVEN_GAPS] = { cols + 4, 1 },
        [EVERY_SECOND] = { 2 * cols + 1, 2 }, [ONE_ROW] = { 0, 1 }, [COLUMN_GAPS] = { 1, rows + 3 },
        [SHARED] = { cols, 1 },
    };
    const int64_t *step = steps[layout], all = rows * step[0] + cols * step[1];
    int64_t each = layout == ROWS ? rows * cols : all, inner = layout == SHARED ? 0 : each + (layout == ODD_GAPS);
    int64_t outer = inner * batch[1] + (layout == EVEN_GAPS ? 8 : 0), before = layout == EVERY_SECOND ? 3 : 0;
    int64_t strides[TIDE_MAX_DIMS] = { outer, inner, step[0], step[1] };
    int buffer = add_buffer(b, type, before + all + inner * batch[1] + outer * batch[0], output);
    k->operands[add_operand(b, k, buffer, strides)].offset = before;
    return buffer;
}

static void fill_below_one(builder *b, int buffer) {
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    for (int64_t i = 0; i < n; i++)
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = random_unit() * 2 - 1 });
}

static tide_dtype sum_type(tide_dtype type) { return type == TIDE_F64 ? TIDE_F64 : TIDE_F32; }

/* Without content. */
static void declare(builder *b, const sized *s, tide_dtype type, const int *layouts, double alpha, double beta,
                    int ends) {
    build_begin(b);
    flat_kernel *k = add_kernel(b, FLAT_GEMM, "product", 1);
    int64_t batches = s->batch[0] * s->batch[1];
    k->gemm = (flat_gemm){ .m = s->m, .n = s->n, .k = s->k, .batches = batches, .rows_per_task = MAX2(batches, 1),
                           .batch_ndim = 2, .batch = { s->batch[0], s->batch[1] }, .alpha = alpha, .beta = beta,
                           .split = FLAT_SPLIT_BATCH };
    add_matrix(b, k, type, s->batch, s->m, s->k, layouts[0], false);
    add_matrix(b, k, type, s->batch, s->k, s->n, layouts[1], false);
    add_matrix(b, k, ends & ROUNDED ? type : sum_type(type), s->batch, s->m, s->n, layouts[2], true);
    if (!(ends & BIAS)) return;
    k->operands[add_operand(b, k, add_buffer(b, TIDE_F32, s->n + 3, false), NULL)].offset = 3;
    k->operands[3].stride[3] = 1;
}

static const sized sizes[] = {
    { 1, 1, 1, { 1, 1 } },      { 16, 16, 16, { 1, 1 } },    { 17, 15, 33, { 2, 3 } },   { 11, 32, 11, { 1, 6 } },
    { 5, 6, 0, { 2, 1 } },      { 0, 6, 4, { 2, 1 } },       { 6, 0, 4, { 1, 2 } },      { 3, 4, 5, { 0, 2 } },
    { 4, 4, 300, { 1, 1 } },    { 30, 31, 515, { 1, 2 } },   { 64, 96, 700, { 1, 1 } },  { 35, 64, 20, { 3, 64 } },
    { 24, 192, 301, { 2, 1 } }, { 130, 65, 9, { 1, 64 } },   { 160, 160, 9, { 1, 32 } }, { 128, 128, 8, { 128, 1 } },
    { 1, 160, 9, { 128, 1 } },  { 161, 2, 12, { 1, 128 } },  { 3, 130, 200, { 1, 16 } }, { 132, 4, 304, { 1, 16 } },
    { 8, 24, 2001, { 4, 1 } },  { 352, 64, 40, { 1, 1 } },   { 40, 7, 96, { 1, 1 } },    { 2, 72, 512, { 1, 1 } },
    { 100, 92, 9, { 1, 128 } }, { 1, 20, 1797, { 4, 1 } },
};
static const sized large[] = { { 100, 68, 1438, { 1, 4 } }, { 68, 196, 3508, { 1, 2 } }, { 128, 384, 600, { 1, 8 } } };
enum { SIZES = sizeof sizes / sizeof *sizes, LARGE = sizeof large / sizeof *large };

enum { VARIANTS = 6 };
static const tide_dtype types[] = { TIDE_F32, TIDE_F16, TIDE_F64, TIDE_BF16 };

/* The first of a size's variants has the usual layouts, the second one B for all. */
static void try_size(const sized *s, int variant) {
    static const int of_c[] = { ROWS, ODD_GAPS, EVEN_GAPS };
    builder b;
    char what[128];
    int layouts[] = { (int)(random_bits() % LAYOUTS), (int)(random_bits() % LAYOUTS), of_c[random_bits() % 3] };
    if (variant == 0) layouts[0] = (int)(random_bits() % 2), layouts[1] = (int)(random_bits() % 2), layouts[2] = ROWS;
    if (variant == 1) layouts[0] = layouts[2] = ROWS, layouts[1] = SHARED;
    tide_dtype type = random_bits() % 2 ? TIDE_F32 : types[random_bits() % 4];
    double alpha = (double[]){ 1, 0.125, -2.3 }[random_bits() % 3], beta = (double)(random_bits() % 2);
    int ends = type == TIDE_F64 ? 0 : (int)(random_bits() % (type == TIDE_F32 ? ROUNDED : ENDS));
    declare(&b, s, type, layouts, alpha, beta, ends);
    finish(&b);
    for (int i = 0; i < b.p.n_buffers; i++) fill_below_one(&b, i);
    snprintf(what, sizeof what, "%s %dx%dx%d of %dx%d, layouts %d %d %d, alpha %g beta %g, ends %d",
             tide_dtype_name(type), (int)s->m, (int)s->n, (int)s->k, (int)s->batch[0], (int)s->batch[1], layouts[0],
             layouts[1], layouts[2], alpha, beta, ends);
    /* k products below 1 in size, added to sums of a few units, times alpha */
    expect_like_ref(&b, 0, (double)(s->k + 8) * (type == TIDE_F64 ? 4.5e-16 : 2.4e-7), what);
    build_free(&b);
}

static void test_products(void **unused) {
    (void)unused;
    for (size_t i = 0; i < SIZES; i++)
        for (int variant = 0; variant < VARIANTS; variant++) try_size(&sizes[i], variant);
    expect_rest(NULL);
}

static void test_large_products(void **unused) {
    (void)unused;
    if (!takes_all()) skip();
    for (size_t i = 0; i < LARGE; i++)
        for (int variant = 0; variant < 2; variant++) try_size(&large[i], variant);
    expect_rest(NULL);
}

/* These sizes meet every tile, of the whole common dimension and of parts. */
static void test_tiles(void **unused) {
    enum { TILES = 7 };
    const tile *met[2][TILES] = { { NULL } };
    (void)unused;
    for (size_t i = 0; i < SIZES + LARGE; i++) {
        const sized *s = i < SIZES ? &sizes[i] : &large[i - SIZES];
        flat_gemm p = { .m = s->m, .n = s->n, .k = s->k, .batches = s->batch[0] * s->batch[1] };
        if (p.m == 0 || p.n == 0 || p.batches == 0) continue;
        tiling how = gpu_tiling(&p, &(gpu_limits){ 256, 32768, false }, 4);
        int known = 0;
        while (known < TILES && met[how.parts > 1][known] && met[how.parts > 1][known] != how.tile) known++;
        assert_in_range(known, 0, TILES - 1);
        met[how.parts > 1][known] = how.tile;
    }
    assert_non_null(met[0][TILES - 1]);
    assert_non_null(met[1][TILES - 1]);
}

/* ---- what is launched -------------------------------------------------------------------------------------------- */

static gpu_plan plan_of(const sized *s, const gpu_limits *limits) {
    builder b;
    gpu_plan plan;
    tide_failure why = { 0 };
    declare(&b, s, TIDE_F32, (int[]){ ROWS, ROWS, ROWS }, 1, 0, 0);
    if (gpu_plan_make(&plan, &b.p, GPU_OPENCL, limits, &why)) fail_msg("%s", why.message);
    build_free(&b);
    return plan;
}

/* A long common dimension is cut where its tiles are few, and only there; a large product is not a large text. */
static void test_launches(void **unused) {
    static const struct { sized s; int launches; bool scratch; } cases[] = {
        { { 96, 96, 3000, { 1, 1 } }, 2, true },   { { 1024, 1024, 16, { 1, 1 } }, 1, false },
        { { 40, 40, 40, { 1, 64 } }, 1, false },   { { 1, 1000, 1000, { 1, 1 } }, 2, true },
        { { 0, 96, 3000, { 1, 1 } }, 0, false },   { { 96, 96, 0, { 1, 1 } }, 1, false },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gpu_plan plan = plan_of(&cases[i].s, &(gpu_limits){ 256, 32768, false });
        assert_int_equal(plan.n_launches, cases[i].launches);
        assert_int_equal(plan.scratch_bytes > 0, cases[i].scratch);
        gpu_plan_free(&plan);
    }
}

/* Products that differ in sizes alone have one text. */
static void test_one_text(void **unused) {
    (void)unused;
    gpu_limits limits = { 256, 32768, false };
    gpu_plan one = plan_of(&(sized){ 2048, 512, 64, { 1, 10 } }, &limits),
             two = plan_of(&(sized){ 2100, 640, 96, { 1, 12 } }, &limits);
    assert_string_equal(one.source.all.data, two.source.all.data);
    assert_int_not_equal(one.launches[0].groups, two.launches[0].groups);
    gpu_plan_free(&one);
    gpu_plan_free(&two);
}

/* Entries of one B are rows of one product: tiles are as full as they can be. */
static void test_rows_of_batch(void **unused) {
    (void)unused;
    builder b;
    gpu_plan plan;
    tide_failure why = { 0 };
    declare(&b, &(sized){ 1, 256, 64, { 8, 512 } }, TIDE_F32, (int[]){ ROWS, SHARED, ROWS }, 1, 0, 0);
    assert_int_equal(gpu_plan_make(&plan, &b.p, GPU_OPENCL, &(gpu_limits){ 256, 32768, false }, &why), TIDE_OK);
    gpu_plan one = plan_of(&(sized){ 4096, 256, 64, { 1, 1 } }, &(gpu_limits){ 256, 32768, false });
    assert_string_equal(plan.source.all.data, one.source.all.data);
    assert_int_equal(plan.launches[0].groups, one.launches[0].groups);
    gpu_plan_free(&plan);
    gpu_plan_free(&one);
    build_free(&b);
}

/* Groups of 32 threads with 16 KB multiply too. */
static void test_small_groups(void **unused) {
    (void)unused;
    gpu_plan plan = plan_of(&(sized){ 512, 256, 64, { 1, 20 } }, &(gpu_limits){ 32, 16384, false });
    assert_in_range(plan.launches[0].threads, 1, 32);
    gpu_plan_free(&plan);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products), cmocka_unit_test(test_large_products), cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_launches), cmocka_unit_test(test_one_text), cmocka_unit_test(test_rows_of_batch),
        cmocka_unit_test(test_small_groups), cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("gpu products", tests, NULL, NULL);
}
