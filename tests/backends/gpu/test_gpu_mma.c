/* Products on matrix units as texts for CUDA, on the make-believe GPU against ref: sizes that meet each tile, whole and
 * by parts, by rows and by columns of every alignment. */
#include "../flat_check.h"
#include "backends/gpu/mma_tiling.h"
#include "backends/gpu/plan.h"
#include "backends/ref/ref.h"

#include <math.h>
#include <stdio.h>

typedef struct sized { int64_t m, n, k, batch[2]; } sized;

/* How a matrix lies: neighbours in a row or in a column, rows (columns) one behind the other or with gaps, its first
 * element and its gaps aligned so that copies can be of so many numbers; every second number; one for all of a batch
 * dimension. */
typedef struct layout { bool by_columns, gaps, every_second, shared; int aligned; } layout;

static layout random_layout(void) {
    const uint64_t bits = random_bits();
    return (layout){ .by_columns = bits & 1, .gaps = bits & 2, .every_second = bits % 11 == 0, .shared = bits % 5 == 0,
                     .aligned = 1 << (bits >> 8) % 4 };
}

static int add_matrix(builder *b, flat_kernel *k, tide_dtype type, const int64_t *batch, int64_t rows, int64_t cols,
                      layout l, bool output) {
    const int64_t step = l.every_second ? 2 : 1, across = l.by_columns ? cols : rows;
    const int64_t length = (l.by_columns ? rows : cols) * step;
    const int64_t pitch = l.gaps ? round_up(length, l.aligned) + l.aligned : length, first = l.gaps ? l.aligned : 0;
    const int64_t inner = l.shared ? 0 : pitch * across, outer = inner * batch[1] + (l.gaps ? l.aligned : 0);
    int64_t strides[TIDE_MAX_DIMS] = { outer, inner, l.by_columns ? step : pitch, l.by_columns ? pitch : step };
    int buffer = add_buffer(b, type, first + pitch * across + inner * batch[1] + outer * batch[0], output);
    k->operands[add_operand(b, k, buffer, strides)].offset = first;
    return buffer;
}

static int64_t count_of(const builder *b, int buffer) {
    return b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
}

/* Whole numbers, all of whose sums are exact, or any below one; and a few that are none. */
static void fill_with(builder *b, int buffer, bool whole, bool special) {
    static const double specials[] = { NAN, INFINITY, -INFINITY, -0.0 };
    for (int64_t i = 0; i < count_of(b, buffer); i++) {
        double x = whole ? (double)(random_bits() % 9) - 4 : random_unit() * 2 - 1;
        if (special && random_bits() % 512 == 0) x = specials[random_bits() % 4];
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = x });
    }
}

typedef struct trial {
    const sized *s;
    layout a, b, c;
    tide_dtype type, result;
    bool bias, whole, special;
    double alpha, beta;
} trial;

/* Without content. */
static void declare(builder *b, const trial *t) {
    const sized *s = t->s;
    build_begin(b);
    flat_kernel *k = add_kernel(b, FLAT_GEMM, "product", 1);
    int64_t batches = s->batch[0] * s->batch[1];
    k->gemm = (flat_gemm){ .m = s->m, .n = s->n, .k = s->k, .batches = batches, .rows_per_task = MAX2(batches, 1),
                           .batch_ndim = 2, .batch = { s->batch[0], s->batch[1] }, .alpha = t->alpha, .beta = t->beta,
                           .split = FLAT_SPLIT_BATCH };
    add_matrix(b, k, t->type, s->batch, s->m, s->k, t->a, false);
    add_matrix(b, k, t->type, s->batch, s->k, s->n, t->b, false);
    add_matrix(b, k, t->result, s->batch, s->m, s->n, t->c, true);
    if (t->bias) add_operand(b, k, add_buffer(b, TIDE_F32, s->n, false), (int64_t[TIDE_MAX_DIMS]){ 0, 0, 0, 1 });
}

static void try_one(const trial *t) {
    builder b;
    char what[160];
    declare(&b, t);
    finish(&b);
    for (int i = 0; i < b.p.n_buffers; i++) fill_with(&b, i, t->whole, t->special);
    snprintf(what, sizeof what, "%s to %s %dx%dx%d of %dx%d, a %d%d%d%d %d, b %d%d%d%d %d, c %d %d, alpha %g beta %g%s",
             tide_dtype_name(t->type), tide_dtype_name(t->result), (int)t->s->m, (int)t->s->n, (int)t->s->k,
             (int)t->s->batch[0], (int)t->s->batch[1], t->a.by_columns, t->a.gaps, t->a.every_second, t->a.shared,
             t->a.aligned, t->b.by_columns, t->b.gaps, t->b.every_second, t->b.shared, t->b.aligned, t->c.gaps,
             t->c.aligned, t->alpha, t->beta, t->bias ? ", bias" : "");
    expect_like_ref(&b, 0, t->whole ? 0 : (double)(t->s->k + 8) * 2.4e-7, what);
    build_free(&b);
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static const sized sizes[] = {
    { 8, 8, 8, { 1, 1 } },       { 32, 32, 64, { 1, 1 } },   { 33, 31, 65, { 2, 3 } },   { 11, 40, 19, { 1, 6 } },
    { 50, 70, 200, { 1, 2 } },   { 64, 64, 512, { 1, 1 } },  { 35, 64, 20, { 3, 11 } },  { 8, 200, 301, { 2, 1 } },
    { 130, 65, 9, { 1, 3 } },    { 96, 96, 96, { 1, 1 } },   { 352, 96, 40, { 1, 1 } },  { 48, 64, 3000, { 1, 1 } },
    { 100, 8, 999, { 1, 1 } },   { 17, 16, 8, { 4, 40 } },   { 40, 24, 2001, { 4, 1 } }, { 63, 66, 129, { 1, 1 } },
    { 12, 64, 500, { 5, 1 } },   { 350, 250, 250, { 1, 1 } }, { 1, 64, 700, { 1, 1 } },    { 100, 1, 64, { 2, 1 } },
};
/* Enough of them for large tiles. */
static const sized large[] = {
    { 126, 128, 16, { 132, 1 } }, { 128, 61, 33, { 1, 134 } }, { 60, 120, 16, { 133, 1 } }, { 62, 63, 72, { 140, 1 } },
    { 62, 30, 70, { 1, 264 } },   { 31, 60, 70, { 1, 264 } },  { 62, 63, 40, { 264, 1 } },
};
/* In 16 bits those have to have many terms, too: more than a make-believe GPU can multiply. selftest has such. */
static const sized deep[] = {
    { 126, 120, 260, { 133, 1 } }, { 126, 120, 260, { 100, 1 } }, { 60, 120, 260, { 133, 1 } },
};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGE = sizeof large / sizeof *large, DEEP = sizeof deep / sizeof *deep,
       VARIANTS = 10 };

static void try_size(const sized *s, int variant) {
    trial t = { .s = s, .a = random_layout(), .b = random_layout(), .c = random_layout(), .whole = variant % 2 == 0,
                .special = variant % 5 == 4, .type = (tide_dtype[]){ TIDE_F32, TIDE_BF16, TIDE_F16 }[random_bits() % 3],
                .bias = random_bits() % 2, .beta = (double)(random_bits() % 2) };
    t.alpha = (double[]){ 1, 0.125, t.whole ? -2 : -2.3 }[random_bits() % 3];
    t.result = t.whole && !t.special && random_bits() % 2 ? t.type : TIDE_F32;
    t.c.by_columns = t.c.every_second = t.c.shared = false;
    if (variant < 4) { /* as they lie mostly, of each order */
        t.a = (layout){ .by_columns = variant & 1, .aligned = 1 };
        t.b = (layout){ .by_columns = variant & 2, .aligned = 1 };
        t.c = (layout){ .aligned = 1 };
    }
    try_one(&t);
}

static void test_products(void **unused) {
    (void)unused;
    for (int variant = 0; variant < VARIANTS; variant++)
        for (size_t i = 0; i < SIZES; i++) try_size(&sizes[i], variant);
    for (int variant = 0; variant < (takes_all() ? VARIANTS : 1); variant++)
        for (size_t i = 0; i < LARGE; i++) try_size(&large[i], variant);
    expect_rest(NULL);
}

/* ---- what is launched ------------------------------------------------------------------------------------------- */

static const gpu_limits usual = { .threads = 256, .local_bytes = 49152, .matrix = true };

static mma_tiling tiling_of(const sized *s, tide_dtype type, const gpu_limits *limits) {
    flat_gemm p = { .m = s->m, .n = s->n, .k = s->k, .batches = s->batch[0] * s->batch[1] };
    return gpu_mma_tiling(&p, type, 0, limits);
}

/* These sizes meet every tile, and some of them by parts. */
static void expect_tiles(tide_dtype type, int tiles) {
    const mma_tile *met[16] = { NULL };
    int parts = 0;
    for (size_t i = 0; i < SIZES + LARGE + DEEP; i++) {
        const sized *s = i < SIZES ? &sizes[i] : i < SIZES + LARGE ? &large[i - SIZES] : &deep[i - SIZES - LARGE];
        mma_tiling how = tiling_of(s, type, &usual);
        int known = 0;
        assert_non_null(how.tile);
        while (known < tiles && met[known] && met[known] != how.tile) known++;
        assert_in_range(known, 0, tiles - 1);
        met[known] = how.tile;
        parts += how.parts > 1;
    }
    assert_non_null(met[tiles - 1]);
    assert_in_range(parts, 2, SIZES / 2);
}

static void test_tiles(void **unused) {
    (void)unused;
    expect_tiles(TIDE_BF16, 10);
    expect_tiles(TIDE_F32, 10);
}

/* A product of few tiles is cut into more parts where it is alone than where others run beside it: those of other
 * chains. */
static void test_beside(void **unused) {
    (void)unused;
    flat_kernel kernels[4] = { [1] = { .kind = FLAT_MAP } };
    flat_chain chains[4];
    flat_phase phases[] = { { 0, 3 }, { 3, 1 } };
    flat_program p = { .n_kernels = 4, .n_phases = 2, .kernels = kernels, .chains = chains, .phases = phases };
    for (int i = 0; i < 4; i++) {
        chains[i] = (flat_chain){ i, 1, 1 };
        if (i != 1)
            kernels[i] = (flat_kernel){ .kind = FLAT_GEMM, .gemm = { 192, 192, 2816, .batches = 1 + i } };
    }
    assert_true(gpu_products_beside(&p, &kernels[0]) == 3 && gpu_products_beside(&p, &kernels[3]) == 0);
    const mma_tiling alone = gpu_mma_tiling(&kernels[0].gemm, TIDE_BF16, 0, &usual);
    const mma_tiling beside = gpu_mma_tiling(&kernels[0].gemm, TIDE_BF16, 3, &usual);
    assert_in_range(alone.parts, 2, 64);
    assert_in_range(beside.parts, 1, alone.parts);
    assert_true(beside.cost > alone.cost);
}

/* Of gradients of weights, of few tiles and long sums, all multiprocessors have some, beside others too; and narrow
 * ones have narrow tiles. */
static void test_gradients(void **unused) {
    static const sized gradients[] = {
        { 384, 128, 8192, { 1, 1 } }, { 256, 512, 8192, { 1, 1 } }, { 512, 10, 8192, { 1, 1 } },
        { 12, 64, 8192, { 5, 1 } },   { 192, 768, 2816, { 1, 1 } }, { 192, 192, 2816, { 1, 1 } },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++)
        for (int j = 0; j < 4; j++) {
            const sized *s = &gradients[i];
            const flat_gemm p = { .m = s->m, .n = s->n, .k = s->k, .batches = s->batch[0] };
            const mma_tiling how = gpu_mma_tiling(&p, j % 2 ? TIDE_F32 : TIDE_BF16, j / 2 * 5, &usual);
            assert_in_range(how.groups, 66, 4 * 132);
            if (s->n < 16) assert_int_equal(how.tile->bn, 16);
            if (s->m < 16) assert_int_equal(how.tile->bm, 16);
        }
}

/* Not F64; on devices with matrix units and room for a tile, of products of some depth. */
static void test_others(void **unused) {
    static const sized some = { 64, 64, 64, { 1, 1 } }, thin = { 64, 64, 2, { 1, 1 } };
    (void)unused;
    assert_non_null(tiling_of(&some, TIDE_F16, &usual).tile);
    assert_non_null(tiling_of(&some, TIDE_F32, &usual).tile);
    assert_null(tiling_of(&some, TIDE_F64, &usual).tile);
    assert_null(tiling_of(&some, TIDE_F16, &(gpu_limits){ .threads = 256, .local_bytes = 49152 }).tile);
    assert_null(tiling_of(&some, TIDE_F16, &(gpu_limits){ .threads = 64, .local_bytes = 49152, .matrix = true }).tile);
    assert_null(tiling_of(&some, TIDE_F16, &(gpu_limits){ .threads = 256, .local_bytes = 16384, .matrix = true }).tile);
    assert_null(tiling_of(&thin, TIDE_F16, &usual).tile);
}

static int64_t asked(void *count, const gpu_product *p) {
    (void)p;
    ++*(int *)count;
    return -1;
}

/* How often a library is asked for a product of the type on such a device. */
static int times_asked(tide_dtype type, bool matrix) {
    const sized s = { 64, 64, 64, { 1, 1 } };
    const trial t = { .s = &s, .type = type, .result = TIDE_F32, .alpha = 1, .a.aligned = 8, .b.aligned = 8,
                      .c.aligned = 8 };
    int count = 0;
    const gpu_limits limits = { .threads = 256, .local_bytes = 49152, .matrix = matrix, .asks = asked,
                                .device = &count };
    gpu_plan plan;
    tide_failure why = { 0 };
    builder b;
    declare(&b, &t);
    assert_int_equal(gpu_plan_make(&plan, &b.p, GPU_CUDA, &limits, &why), TIDE_OK);
    gpu_plan_free(&plan);
    build_free(&b);
    return count;
}

/* A device's library goes before our own, except for F32 on matrix units, which no library multiplies so. */
static void test_library(void **unused) {
    (void)unused;
    assert_int_equal(times_asked(TIDE_BF16, true), 1);
    assert_int_equal(times_asked(TIDE_F32, false), 1);
    assert_int_equal(times_asked(TIDE_F32, true), 0);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products), cmocka_unit_test(test_tiles), cmocka_unit_test(test_beside),
        cmocka_unit_test(test_gradients), cmocka_unit_test(test_others), cmocka_unit_test(test_library),
        cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("gpu products on matrix units", tests, NULL, NULL);
}
