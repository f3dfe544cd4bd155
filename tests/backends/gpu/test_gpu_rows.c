/* Maps over rows on the make-believe GPU against ref: sums along rows, each of which the next loop needs, sums over
 * rows, numbers of rows and of columns, of rows short and long, one or many a slot, stored apart or over what was
 * loaded. */
#include "../flat_check.h"
#include "base/scalar.h"

#include <stdio.h>

static const int64_t widths[] = { 4, 32, 36, 64, 100, 128, 192, 256, 260, 512 };
enum { WIDTHS = sizeof widths / sizeof *widths };

static void sum_over_rows(builder *b, flat_kernel *k, int x, int64_t tasks, int64_t cols) {
    const int partials = add_buffer(b, TIDE_F32, tasks * cols, true);
    b->is_scratch[partials] = true;
    map_sink(b, k, FLAT_COL_SUM, x, partials);
    flat_kernel *fold = add_kernel(b, FLAT_FOLD, "fold", 1);
    fold->index = (flat_index){ .outer = 1, .n = tasks, .inner = cols, .count = 1, .per_task = cols };
    add_operand(b, fold, partials, NULL);
    add_operand(b, fold, add_buffer(b, TIDE_F32, cols, true), NULL);
}

/* As a derivative of a normalisation: x w less its sum, times what y has of that, and y. */
static void add_rows(builder *b, int64_t rows, int64_t cols, int64_t per_task, bool over, int sums) {
    const int64_t dim[2] = { rows, cols }, tasks = ceil_div(rows, per_task);
    int64_t all[TIDE_MAX_DIMS], row[TIDE_MAX_DIMS], col[TIDE_MAX_DIMS];
    dense(all, 2, dim, 0, 2), dense(row, 2, dim, 0, 1), dense(col, 2, dim, 1, 2);
    const int given = add_buffer(b, TIDE_F32, rows * cols, over);
    flat_kernel *k = add_map(b, 2, 1, dim, per_task, true);
    int x = map_load(b, k, given, FLAT_FULL, all);
    int w = map_load(b, k, add_buffer(b, TIDE_F32, cols, false), FLAT_COL, col);
    int each = map_load(b, k, add_buffer(b, TIDE_F32, rows, false), FLAT_ROW, row);
    int xw = map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, x, w, -1);
    int sum = map_op(b, k, FLAT_ROW_SUM, TIDE_F32, FLAT_ROW, xw, -1, -1);
    int part = map_op(b, k, S_MUL, TIDE_F32, FLAT_ROW, sum, each, -1);
    int less = map_op(b, k, S_SUB, TIDE_F32, FLAT_FULL, xw, part, -1);
    int y = map_load(b, k, add_buffer(b, TIDE_BF16, rows * cols, false), FLAT_FULL, all);
    int of_y = map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, less, y, -1);
    int most = map_op(b, k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, of_y, -1, -1);
    int v = map_load(b, k, add_buffer(b, TIDE_F32, cols, false), FLAT_COL, col);
    int scaled = map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, v, most, -1);
    int made = map_op(b, k, S_ADD, TIDE_F32, FLAT_FULL, scaled, of_y, -1);
    map_store(b, k, made, over ? given : add_buffer(b, TIDE_F32, rows * cols, true), all);
    map_store(b, k, of_y, add_buffer(b, TIDE_BF16, rows * cols, true), all);
    const int of[] = { xw, made };
    for (int i = 0; i < sums; i++) sum_over_rows(b, k, of[i], tasks, cols);
}

static void fill_small(builder *b) {
    for (int i = 0; i < b->p.n_buffers; i++)
        for (int64_t j = 0; j < b->buffers[i].bytes / (int64_t)tide_dtype_size(b->types[i]); j++)
            if (b->types[i] == TIDE_F32) ((float *)initial_of(b, i))[j] = (float)(random_unit() * 2 - 1);
            else if (b->types[i] == TIDE_BF16)
                ((uint16_t *)initial_of(b, i))[j] = (uint16_t)((random_bits() & 0x807f) | 0x3f00);
}

static void test_rows(void **unused) {
    (void)unused;
    static const int64_t counts[] = { 1, 5, 14, 40, 99 };
    for (int i = 0; i < WIDTHS; i++)
        for (int sums = 0; sums <= 2; sums++) {
            const int64_t rows = counts[random_bits() % 5], per_task = 1 + (int64_t)(random_bits() % 24);
            const bool over = random_bits() % 2;
            builder b;
            char what[128];
            build_begin(&b);
            add_rows(&b, rows, widths[i], MIN2(per_task, rows), over, sums);
            finish(&b);
            fill_small(&b);
            snprintf(what, sizeof what, "%d x %d, %d rows a task, %d sums%s", (int)rows, (int)widths[i], (int)per_task,
                     sums, over ? ", in place" : "");
            expect_like_ref(&b, 1e-2, 2e-4, what);
            build_free(&b);
        }
    expect_rest(NULL);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(expect_rest) };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("maps over rows", tests, NULL, NULL);
}
