/* Maps that products on matrix units carry out, on the make-believe GPU against ref: of every tile, with what is loaded
 * and stored by rows, columns and elements, drawn, and summed over rows; alone and two of them. */
#include "../flat_check.h"
#include "backends/gpu/plan.h"
#include "base/scalar.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct sized { int64_t m, n, k, batches; } sized;

static const sized sizes[] = {
    { 8, 8, 8, 1 },      { 32, 32, 64, 1 },    { 33, 36, 65, 1 },    { 50, 72, 96, 1 },   { 96, 96, 96, 1 },
    { 352, 96, 40, 1 },  { 100, 8, 99, 1 },    { 40, 24, 96, 4 },    { 63, 64, 129, 1 },  { 12, 64, 12, 5 },
    { 62, 60, 20, 140 }, { 700, 128, 40, 5 },  { 2100, 132, 16, 1 }, { 31, 60, 70, 264 }, { 4200, 256, 24, 1 },
};
enum { SIZES = sizeof sizes / sizeof *sizes, VARIANTS = 6 };

enum end_kind { BIASED, SUMMED, DRAWN, COUNTED, ROWS, END_KINDS };
static const char *const end_names[] = { "biased", "summed", "drawn", "counted", "rows" };

/* (batch, m, n) as rows x columns, and what moves along each. */
typedef struct domain { int64_t dim[2], all[TIDE_MAX_DIMS], row[TIDE_MAX_DIMS], col[TIDE_MAX_DIMS]; } domain;

static domain domain_of(const sized *s, bool flat) {
    const int64_t rows = flat ? s->batches * s->m * s->n : s->batches * s->m, cols = flat ? 1 : s->n;
    domain d = { .dim = { rows, cols } };
    dense(d.all, 2, d.dim, 0, 2), dense(d.row, 2, d.dim, 0, 1), dense(d.col, 2, d.dim, 1, 2);
    return d;
}

static int store_new(builder *b, flat_kernel *k, int reg, tide_dtype type, int64_t count, const int64_t *strides) {
    const int buffer = add_buffer(b, type, count, true);
    map_store(b, k, reg, buffer, strides);
    return buffer;
}

static flat_kernel *begin_end(builder *b, const domain *d, int64_t per_task) {
    return add_map(b, 2, 1, d->dim, MIN2(per_task, d->dim[0]), d->dim[1] > 1);
}

/* relu(c + bias) as bf16, and whether it is more than 0. */
static void add_biased(builder *b, const sized *s, int c) {
    const domain d = domain_of(s, false);
    const int64_t count = s->batches * s->m * s->n;
    flat_kernel *k = begin_end(b, &d, 16);
    int x = map_load(b, k, c, FLAT_FULL, d.all);
    int bias = map_load(b, k, add_buffer(b, TIDE_F32, s->n, false), FLAT_COL, d.col);
    int sum = map_op(b, k, S_ADD, TIDE_F32, FLAT_FULL, x, bias, -1);
    int relu = map_op(b, k, S_RELU, TIDE_F32, FLAT_FULL, sum, -1, -1);
    int zero = map_op(b, k, FLAT_CONST, TIDE_F32, FLAT_ONE, -1, -1, -1);
    int more = map_op(b, k, S_GT, TIDE_BOOL, FLAT_FULL, sum, zero, -1);
    store_new(b, k, relu, TIDE_BF16, count, d.all);
    store_new(b, k, more, TIDE_BOOL, count, d.all);
}

/* Which rows a partial is of is the device's to choose: a fold has them all. */
static void add_fold(builder *b, int partials, int64_t tasks, int64_t cols) {
    flat_kernel *k = add_kernel(b, FLAT_FOLD, "fold", 1);
    k->index = (flat_index){ .outer = 1, .n = tasks, .inner = cols, .count = 1, .per_task = cols };
    add_operand(b, k, partials, NULL);
    add_operand(b, k, add_buffer(b, TIDE_F32, cols, true), NULL);
}

/* c x where x is a value of each element, its sums over rows, and those of x. */
static void add_summed(builder *b, const sized *s, int c) {
    const domain d = domain_of(s, false);
    const int64_t count = s->batches * s->m * s->n, per_task = 1 + (int64_t)(random_bits() % 40);
    const int64_t tasks = ceil_div(d.dim[0], MIN2(per_task, d.dim[0]));
    flat_kernel *k = begin_end(b, &d, per_task);
    int x = map_load(b, k, add_buffer(b, TIDE_BF16, count, false), FLAT_FULL, d.all);
    int y = map_load(b, k, c, FLAT_FULL, d.all);
    int both = map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, y, x, -1);
    store_new(b, k, both, TIDE_F32, count, d.all);
    for (int i = 0; i < 2; i++) {
        const int partials = add_buffer(b, TIDE_F32, tasks * s->n, true);
        b->is_scratch[partials] = true;
        map_sink(b, k, FLAT_COL_SUM, i ? x : both, partials);
        add_fold(b, partials, tasks, s->n);
    }
}

/* c under a mask, by elements, stored over a value that is loaded too. */
static void add_drawn(builder *b, const sized *s, int c) {
    const domain d = domain_of(s, true);
    flat_kernel *k = begin_end(b, &d, 4096);
    int step = map_load(b, k, add_buffer(b, TIDE_I32, 1, false), FLAT_ONE, NULL);
    flat_instr *mask = map_instr(k, FLAT_DROPMASK, TIDE_F32, FLAT_FULL, step);
    mask->number = 0.25, mask->scale = 1 / 0.75, mask->site = 7, mask->per_sample = s->m * s->n;
    const int drawn = mask->dst, over = add_buffer(b, TIDE_F32, s->batches * s->m * s->n, false);
    int y = map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, map_load(b, k, c, FLAT_FULL, d.all), drawn, -1);
    int old = map_load(b, k, over, FLAT_FULL, d.all);
    b->is_output[over] = true;
    map_store(b, k, map_op(b, k, S_ADD, TIDE_F32, FLAT_FULL, y, old, -1), over, d.all);
}

static void add_counted(builder *b, const sized *s, int c) {
    const domain d = domain_of(s, true);
    flat_kernel *k = begin_end(b, &d, 4096);
    flat_instr *count = map_instr(k, FLAT_IOTA, TIDE_F32, FLAT_FULL, -1);
    count->inner = 3, count->size = 5;
    const int number = count->dst;
    int x = map_load(b, k, c, FLAT_FULL, d.all);
    store_new(b, k, map_op(b, k, S_ADD, TIDE_F32, FLAT_FULL, x, number, -1), TIDE_F32, s->batches * s->m * s->n, d.all);
}

/* c times a number of each row, stored by columns. */
static void add_rows(builder *b, const sized *s, int c) {
    const domain d = domain_of(s, false);
    const int64_t turned[TIDE_MAX_DIMS] = { 1, d.dim[0] };
    flat_kernel *k = begin_end(b, &d, 16);
    int scale = map_load(b, k, add_buffer(b, TIDE_F32, d.dim[0], false), FLAT_ROW, d.row);
    int x = map_load(b, k, c, FLAT_FULL, d.all);
    store_new(b, k, map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, x, scale, -1), TIDE_F32, s->batches * s->m * s->n, turned);
}

static void (*const add_end[])(builder *, const sized *, int) = {
    [BIASED] = add_biased, [SUMMED] = add_summed, [DRAWN] = add_drawn, [COUNTED] = add_counted, [ROWS] = add_rows,
};

/* Rows of C lie in order, or those of a row of all batches beside each other. */
static void add_product(builder *b, const sized *s, tide_dtype type, bool turned, bool mixed, int *c) {
    const int64_t rows = s->m * s->batches;
    flat_kernel *k = add_kernel(b, FLAT_GEMM, "product", 1);
    k->gemm = (flat_gemm){ .m = s->m, .n = s->n, .k = s->k, .batches = s->batches, .rows_per_task = s->batches,
                           .batch_ndim = 1, .batch = { s->batches }, .alpha = 0.5, .split = FLAT_SPLIT_BATCH };
    add_operand(b, k, add_buffer(b, type, rows * s->k, false), (int64_t[TIDE_MAX_DIMS]){ s->m * s->k, s->k, 1 });
    add_operand(b, k, add_buffer(b, type, s->batches * s->k * s->n, false),
                turned ? (int64_t[TIDE_MAX_DIMS]){ s->k * s->n, 1, s->k }
                       : (int64_t[TIDE_MAX_DIMS]){ s->k * s->n, s->n, 1 });
    *c = add_buffer(b, TIDE_F32, rows * s->n, true);
    b->is_scratch[*c] = true;
    add_operand(b, k, *c, mixed ? (int64_t[TIDE_MAX_DIMS]){ s->n, s->n * s->batches, 1 }
                                : (int64_t[TIDE_MAX_DIMS]){ s->m * s->n, s->n, 1 });
    if (random_bits() % 2)
        add_operand(b, k, add_buffer(b, TIDE_F32, s->n, false), (int64_t[TIDE_MAX_DIMS]){ 0, 0, 1 });
}

/* Sums of numbers below one have an error; of these there are none that are not finite. */
static void fill_small(builder *b) {
    for (int i = 0; i < b->p.n_buffers; i++)
        for (int64_t j = 0; j < b->buffers[i].bytes / (int64_t)tide_dtype_size(b->types[i]); j++)
            if (b->types[i] == TIDE_F32) ((float *)initial_of(b, i))[j] = (float)(random_unit() * 2 - 1);
            else if (b->types[i] == TIDE_BF16)
                ((uint16_t *)initial_of(b, i))[j] = (uint16_t)((random_bits() & 0x807f) | 0x3f00);
}

static int64_t ends_of(const builder *b) {
    gpu_ending endings[MAX_KERNELS] = { { 0 } };
    gpu_find_endings(&b->p, &(gpu_limits){ .threads = 256, .local_bytes = 49152, .matrix = true }, endings);
    return endings[0].n_ends;
}

static int64_t n_tried, n_carried;

static void try_one(const sized *s, tide_dtype type, enum end_kind first, enum end_kind second) {
    builder b;
    char what[128];
    int c;
    build_begin(&b);
    add_product(&b, s, type, random_bits() % 2, random_bits() % 2, &c);
    add_end[first](&b, s, c);
    if (second != END_KINDS) add_end[second](&b, s, c);
    finish(&b);
    fill_small(&b);
    n_tried++, n_carried += ends_of(&b) > 0;
    snprintf(what, sizeof what, "%s %dx%dx%d x%d, %s%s%s", tide_dtype_name(type), (int)s->m, (int)s->n, (int)s->k,
             (int)s->batches, end_names[first], second == END_KINDS ? "" : " and ",
             second == END_KINDS ? "" : end_names[second]);
    const int64_t added = first == SUMMED || second == SUMMED ? s->m * s->batches : 0;
    expect_like_ref(&b, 1e-2, (double)(s->k + 64 + added) * 1e-6, what);
    build_free(&b);
}

static void test_ends(void **unused) {
    (void)unused;
    for (int variant = 0; variant < VARIANTS; variant++)
        for (size_t i = 0; i < SIZES; i++) {
            const enum end_kind first = (enum end_kind)(random_bits() % END_KINDS);
            enum end_kind second = variant % 2 ? (enum end_kind)(random_bits() % END_KINDS) : END_KINDS;
            try_one(&sizes[i], variant % 3 ? TIDE_BF16 : TIDE_F32, first, second);
        }
    expect_rest(NULL);
    assert_true(2 * n_carried > n_tried);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ends), cmocka_unit_test(expect_rest) };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("maps that products carry out", tests, NULL, NULL);
}
