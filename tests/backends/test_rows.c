/* A row of a product has the same bits however many rows go with it, so that a step may be cut as the cores ask for:
 * for every layout and for the shapes of steps, at every cut that compiling may choose. It takes 16 rows: with AMX up
 * to ten rows of bf16 have other bits. */
#include <stdio.h>
#include <stdlib.h>

#include "backends/ref/ref.h"
#include "flat_check.h"

typedef struct shape { int64_t m, n, k; bool turned_a, turned_b; } shape;

static void add_operand_of(builder *b, flat_kernel *k, tide_dtype type, int64_t rows, int64_t cols, bool turned) {
    int64_t strides[TIDE_MAX_DIMS] = { turned ? 1 : cols, turned ? rows : 1 };
    int buffer = add_buffer(b, type, rows * cols, false);
    add_operand(b, k, buffer, strides);
}

static void fill(builder *b, int buffer) {
    for (int64_t i = 0; i < b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]); i++)
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = random_unit() * 2 - 1 });
}

static void build(builder *b, const shape *s, tide_dtype type, int64_t usual) {
    build_begin(b);
    flat_kernel *k = add_kernel(b, FLAT_GEMM, "product", 1);
    k->gemm = (flat_gemm){ .m = s->m, .n = s->n, .k = s->k, .batches = 1, .alpha = 1, .split = FLAT_SPLIT_ROWS,
                           .usual_rows = usual };
    add_operand_of(b, k, type, s->m, s->k, s->turned_a), add_operand_of(b, k, type, s->k, s->n, s->turned_b);
    int64_t strides[TIDE_MAX_DIMS] = { s->n, 1 };
    add_operand(b, k, add_buffer(b, TIDE_F32, s->m * s->n, true), strides);
    finish(b);
    fill(b, 0), fill(b, 1);
}

static void *cut(builder *b, const shape *s, int64_t rows) {
    flat_kernel *k = &b->kernels[0];
    k->gemm.rows_per_task = rows;
    b->chains[0].tasks = k->tasks = ceil_div(s->m, rows);
    return run_on(&tide_backend_cpu, b, 1);
}

/* How many cuts give other bits. */
static int try_shape(const shape *s, tide_dtype type, int64_t usual) {
    static const int64_t rows[] = { 16, 22, 24, 28, 32, 44, 56, 64, 88, 128, 176, 192 };
    builder b;
    int differ = 0;
    build(&b, s, type, usual);
    char *whole = cut(&b, s, usual);
    size_t at = (size_t)b.buffers[2].offset, bytes = (size_t)b.buffers[2].bytes;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rows[i] <= s->m; i++) {
        char *pieces = cut(&b, s, rows[i]);
        bool same = !memcmp(whole + at, pieces + at, bytes);
        if (!same)
            print_message("%s %d x %d x %d, turned %d %d: %d rows differ from %d\n", tide_dtype_name(type), (int)s->m,
                          (int)s->n, (int)s->k, s->turned_a, s->turned_b, (int)rows[i], (int)usual);
        differ += !same;
        free(pieces);
    }
    free(whole);
    build_free(&b);
    return differ;
}

/* Where a library's rows are not alike, the products that are ours are. */
static void test_rows(void **unused) {
    static const int64_t sizes[][2] = { { 256, 256 }, { 768, 192 }, { 192, 768 }, { 128, 128 }, { 96, 256 },
                                        { 64, 384 },  { 24, 128 },  { 1, 64 },    { 512, 10 },  { 12, 64 },
                                        { 33, 65 },   { 128, 96 } };
    enum { USUAL = 88 };
    int differ = 0;
    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int l = 0; l < 8; l++)
            for (int t = 0; t < 2; t++) {
                shape s = { l & 4 ? 4 * USUAL : USUAL, sizes[i][0], sizes[i][1], l & 1, l & 2 };
                bool ours = USUAL * s.n * s.k < 1 << (t ? 15 : 20);  /* multiply-adds that are not worth a call */
                if (ours || tide_backend_cpu.rows_alone()) differ += try_shape(&s, t ? TIDE_BF16 : TIDE_F32, USUAL);
            }
    assert_int_equal(differ, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
