/* Matrix products of many shapes and strides, on every backend against ref. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/ref/ref.h"
#include "flat_check.h"

/* What becomes of the sums: 1 a bias is added, 2 the result is rounded to the operands' 16-bit type. */
enum { BIAS = 1, ROUNDED = 2, ENDS = 4 };

typedef struct product {
    int64_t m, n, k, batches, rows_per_task;
    flat_split split;
    double alpha, beta;
} product;

/* How an operand lies: rows contiguous, columns contiguous (transposed), or rows with gaps. */
enum { PLAIN, TRANSPOSED, GAPS, LAYOUTS };

static int add_matrix(builder *b, flat_kernel *k, tide_dtype type, int64_t batches, int64_t rows, int64_t cols,
                      int layout,
                      bool output) {
    int64_t gap = layout == GAPS ? 5 : 0, strides[TIDE_MAX_DIMS] = { 0 };
    int64_t each = layout == TRANSPOSED ? rows * cols : rows * (cols + gap);
    int buffer = add_buffer(b, type, batches * each, output);
    strides[0] = each;
    strides[1] = layout == TRANSPOSED ? 1 : cols + gap;
    strides[2] = layout == TRANSPOSED ? rows : 1;
    add_operand(b, k, buffer, strides);
    return buffer;
}

static void small_numbers(builder *b, int buffer) {
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    for (int64_t i = 0; i < n; i++) {
        double x = random_unit() * 2 - 1;
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = x });
    }
}

static bool is_half(tide_dtype type) { return type == TIDE_F16 || type == TIDE_BF16; }

/* Sums of 16-bit numbers are made in F32. */
static tide_dtype sum_type(tide_dtype type) { return is_half(type) ? TIDE_F32 : type; }

static void add_bias(builder *b, flat_kernel *k) {
    int64_t strides[TIDE_MAX_DIMS] = { 0 };
    strides[k->gemm.batch_ndim + 1] = 1;
    int buffer = add_buffer(b, TIDE_F32, k->gemm.n + 3, false);
    k->operands[add_operand(b, k, buffer, strides)].offset = 3;
}

static void try_product(const product *p, tide_dtype type, int layout_a, int layout_b, int layout_c, int ends) {
    builder b;
    char what[160];
    tide_dtype result = ends & ROUNDED ? type : sum_type(type);
    build_begin(&b);
    const int64_t tasks_of[] = {
        [FLAT_SPLIT_ROWS] = p->batches * ceil_div(p->m, p->rows_per_task),
        [FLAT_SPLIT_BATCH] = ceil_div(p->batches, p->rows_per_task),
        [FLAT_SPLIT_EACH] = ceil_div(p->m, p->rows_per_task),              [FLAT_SPLIT_COLS] = ceil_div(p->n,
            p->rows_per_task),
    };
    int64_t tasks = tasks_of[p->split];
    flat_kernel *k = add_kernel(&b, FLAT_GEMM, "product", tasks);
    k->gemm = (flat_gemm){ .m = p->m, .n = p->n, .k = p->k, .batches = p->batches, .rows_per_task = p->rows_per_task,
                           .batch_ndim = 1, .batch = { p->batches }, .alpha = p->alpha, .beta = p->beta,
                           .split = p->split };
    add_matrix(&b, k, type, p->batches, p->m, p->k, layout_a, false);
    add_matrix(&b, k, type, p->batches, p->k, p->n, layout_b, false);
    add_matrix(&b, k, result, p->batches, p->m, p->n, layout_c, true);
    if (ends & BIAS) add_bias(&b, k);
    finish(&b);
    for (int i = 0; i < b.p.n_buffers; i++) small_numbers(&b, i);
    snprintf(what, sizeof what, "%s %dx%dx%d of %d, layouts %d %d %d, alpha %g beta %g%s%s", tide_dtype_name(type),
             (int)p->m, (int)p->n, (int)p->k, (int)p->batches, layout_a, layout_b, layout_c, p->alpha, p->beta,
             ends & BIAS ? ", a bias" : "", ends & ROUNDED ? ", rounded" : "");
    /* k products below 1 in size, added to sums of a few units */
    expect_like_ref(&b, 0, (double)(p->k + 8) * (type == TIDE_F64 ? 4.5e-16 : 2.4e-7), what);
    build_free(&b);
}

static const product products[] = {
    { 1, 1, 1, 1, 1, FLAT_SPLIT_ROWS, 1, 0 },        { 11, 11, 32, 6, 2, FLAT_SPLIT_BATCH, 0.25, 0 },
    { 11, 32, 11, 6, 4, FLAT_SPLIT_BATCH, 1, 1 },    { 7, 96, 256, 1, 64, FLAT_SPLIT_ROWS, 1, 0 },
    { 70, 64, 96, 2, 64, FLAT_SPLIT_ROWS, 1, 1 },    { 64, 130, 128, 1, 64, FLAT_SPLIT_ROWS, 0.5, 1 },
    { 65, 33, 17, 3, 64, FLAT_SPLIT_ROWS, -2, 0 },   { 1, 100, 300, 2, 8, FLAT_SPLIT_ROWS, 1, 1 },
    { 100, 1, 50, 2, 32, FLAT_SPLIT_ROWS, 1, 0 },    { 40, 40, 1, 2, 32, FLAT_SPLIT_ROWS, 1, 1 },
    { 5, 6, 0, 2, 2, FLAT_SPLIT_ROWS, 1, 0 },        { 5, 6, 0, 2, 2, FLAT_SPLIT_BATCH, 1, 1 },
    { 0, 6, 4, 2, 2, FLAT_SPLIT_ROWS, 1, 0 },        { 5, 0, 4, 2, 2, FLAT_SPLIT_ROWS, 1, 0 },
    { 33, 48, 352, 1, 16, FLAT_SPLIT_ROWS, 1, 0 },   { 50, 12, 64, 5, 24, FLAT_SPLIT_EACH, 1, 0 },
    { 7, 20, 33, 3, 4, FLAT_SPLIT_EACH, 0.5, 1 },    { 11, 130, 257, 1, 48, FLAT_SPLIT_COLS, 1, 0 },
    { 24, 50, 31, 1, 16, FLAT_SPLIT_COLS, -2, 1 },   { 1, 9, 40, 1, 16, FLAT_SPLIT_COLS, 1, 1 },
    { 3, 64, 32, 2, 3, FLAT_SPLIT_ROWS, 0.5, 1 },    { 250, 40, 70, 1, 200, FLAT_SPLIT_ROWS, 1, 1 },
    /* large enough for a library */
    { 100, 128, 88, 1, 96, FLAT_SPLIT_ROWS, 0.5, 0 }, { 80, 100, 132, 2, 80, FLAT_SPLIT_ROWS, 1, 0 },
    { 96, 128, 88, 1, 96, FLAT_SPLIT_ROWS, 1, 1 },
};

/* For a library that multiplies 16-bit numbers: odd sizes, few rows in the last task, several entries. */
static const product half_products[] = {
    { 64, 64, 32, 1, 64, FLAT_SPLIT_ROWS, 1, 0 },   { 67, 33, 45, 2, 32, FLAT_SPLIT_ROWS, 1, 0 },
    { 32, 130, 257, 1, 32, FLAT_SPLIT_ROWS, 1, 1 }, { 97, 19, 129, 3, 96, FLAT_SPLIT_ROWS, -0.5, 0 },
    { 41, 37, 43, 5, 2, FLAT_SPLIT_BATCH, 1, 0 },   { 1, 200, 200, 1, 8, FLAT_SPLIT_ROWS, 1, 0 },
};

static void test_products(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        for (int layouts = 0; layouts < LAYOUTS * LAYOUTS; layouts++)
            for (int t = TIDE_F32; t <= (products[i].m < 80 ? TIDE_F64 : TIDE_F32); t++)  /* libraries are for F32 */
                try_product(&products[i], (tide_dtype)t, layouts % LAYOUTS, layouts / LAYOUTS,
                            layouts % 2 ? GAPS : PLAIN, 0);
}

static void test_half_products(void **unused) {
    (void)unused;
    for (int t = TIDE_F16; t <= TIDE_BF16; t++)
        for (int layouts = 0; layouts < LAYOUTS * LAYOUTS; layouts++) {
            for (size_t i = 0; i < sizeof products / sizeof *products; i++)
                if (products[i].m < 80)
                    try_product(&products[i], (tide_dtype)t, layouts % LAYOUTS, layouts / LAYOUTS,
                                layouts % 2 ? GAPS : PLAIN, 0);
            for (size_t i = 0; i < sizeof half_products / sizeof *half_products; i++)
                try_product(&half_products[i], (tide_dtype)t, layouts % LAYOUTS, layouts / LAYOUTS,
                            layouts % 2 ? GAPS : PLAIN, 0);
        }
}

static void test_ends(void **unused) {
    static const tide_dtype types[] = { TIDE_F32, TIDE_F16, TIDE_BF16 };
    (void)unused;
    for (int t = 0; t < 3; t++)
        for (int ends = 1; ends < (types[t] == TIDE_F32 ? ROUNDED : ENDS); ends++)
            for (size_t i = 0; i < sizeof products / sizeof *products; i++)
                for (int layouts = (int)(i % 2); layouts < LAYOUTS * LAYOUTS; layouts += 2)
                    try_product(&products[i], types[t], layouts % LAYOUTS, layouts / LAYOUTS,
                                layouts % 2 ? GAPS : PLAIN, ends);
}

/* A NaN or infinity in an operand shows in its row or column, and nowhere else. */
static void test_specials(void **unused) {
    (void)unused;
    for (int t = TIDE_F32; t <= TIDE_BF16; t++) {
        builder b;
        build_begin(&b);
        flat_kernel *k = add_kernel(&b, FLAT_GEMM, "specials", 2);
        k->gemm = (flat_gemm){
            .m = 70, .n = 65, .k = 67, .batches = 1, .rows_per_task = 64, .batch_ndim = 1, .batch = { 1 }, .alpha = 1
        };
        int a = add_matrix(&b, k, (tide_dtype)t, 1, 70, 67, PLAIN, false),
            w = add_matrix(&b, k, (tide_dtype)t, 1, 67, 65, TRANSPOSED, false);
        add_matrix(&b, k, sum_type((tide_dtype)t), 1, 70, 65, PLAIN, true);
        finish(&b);
        small_numbers(&b, a);
        small_numbers(&b, w);
        ref_store(t, initial_of(&b, a), 3 * 67 + 66, (ref_value){ .f = NAN });
        ref_store(t, initial_of(&b, a), 65 * 67, (ref_value){ .f = INFINITY });
        ref_store(t, initial_of(&b, w), 64 * 67 + 66, (ref_value){ .f = -INFINITY });
        expect_like_ref(&b, 0, 2e-5, "specials");
        build_free(&b);
    }
}

/* (batch, tokens, heads, width) read as matrices of (tokens, width) for each (batch, head); one side is shared. */
static void test_attention_strides(void **unused) {
    enum { BATCH = 3, TOKENS = 11, HEADS = 4, WIDTH = 32 };
    (void)unused;
    builder b;
    build_begin(&b);
    flat_kernel *k = add_kernel(&b, FLAT_GEMM, "scores", 6);
    k->gemm = (flat_gemm){ .m = TOKENS, .n = TOKENS, .k = WIDTH, .batches = BATCH * HEADS, .rows_per_task = 2,
                           .batch_ndim = 2,
                           .batch = { BATCH, HEADS }, .alpha = 0.125, .split = FLAT_SPLIT_BATCH };
    int q = add_buffer(&b, TIDE_F32, BATCH * TOKENS * HEADS * WIDTH, false),
        key = add_buffer(&b, TIDE_F32, TOKENS * HEADS * WIDTH, false);
    int scores = add_buffer(&b, TIDE_F32, BATCH * HEADS * TOKENS * TOKENS, true);
    add_operand(&b, k, q, (int64_t[TIDE_MAX_DIMS]){ TOKENS * HEADS * WIDTH, WIDTH, HEADS * WIDTH, 1 });
    add_operand(&b, k, key, (int64_t[TIDE_MAX_DIMS]){ 0, WIDTH, 1, HEADS * WIDTH });
    add_operand(&b, k, scores, (int64_t[TIDE_MAX_DIMS]){ HEADS * TOKENS * TOKENS, TOKENS * TOKENS, TOKENS, 1 });
    finish(&b);
    small_numbers(&b, q);
    small_numbers(&b, key);
    expect_like_ref(&b, 0, 3e-6, "attention strides");
    build_free(&b);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products), cmocka_unit_test(test_half_products),
                                        cmocka_unit_test(test_ends),
                                        cmocka_unit_test(test_specials),
                                        cmocka_unit_test(test_attention_strides), cmocka_unit_test(expect_rest) };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("products", tests, NULL, NULL);
}
