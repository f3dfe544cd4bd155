/* Gathers, scatters, sums of partials, running sums, sorts and custom kernels, on every backend against ref; ref
 * itself against what is plain. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/ref/ref.h"
#include "flat_check.h"

static const tide_dtype types[] = { TIDE_F32, TIDE_F64, TIDE_F16, TIDE_BF16, TIDE_I32, TIDE_I64, TIDE_U8 };
enum { N_TYPES = sizeof types / sizeof *types };

/* outer, n, inner, count, per_task */
static const flat_index sizes[] = {
    { 1, 1, 1, 1, 1, false }, { 3, 5, 7, 4, 1, false }, { 4, 9, 1, 20, 3, true }, { 2, 17, 33, 11, 2, true },
    { 1, 10, 100, 0, 1, false }, { 2, 0, 3, 4, 1, false }, { 0, 3, 3, 3, 1, false }, { 7, 100, 2, 60, 2, false },
};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static flat_kernel *add_index_kernel(builder *b, flat_kernel_kind kind, const flat_index *ix, int64_t size) {
    flat_kernel *k = add_kernel(b, kind, "index", ceil_div(size, ix->per_task));
    k->index = *ix;
    return k;
}

static int add_with(builder *b, flat_kernel *k, tide_dtype type, int64_t count, bool output) {
    int buffer = add_buffer(b, type, count, output);
    add_operand(b, k, buffer, NULL);
    return buffer;
}

static const char *const names[] = { [FLAT_FOLD] = "fold", [FLAT_GATHER] = "gather",
    [FLAT_SCATTER_ADD] = "scatter-add", [FLAT_TAKE_ALONG] = "take along", [FLAT_PUT_ALONG_ADD] = "put along",
    [FLAT_CUMSUM] = "running sum" };

/* Whose sums are the same in any order and width. */
static void small_integers(builder *b, int buffer) {
    int64_t n = b->buffers[buffer].bytes / (int64_t)tide_dtype_size(b->types[buffer]);
    for (int64_t i = 0; i < n; i++)
        ref_store(b->types[buffer], initial_of(b, buffer), i, (ref_value){ .f = (double)(random_bits() % 5) - 2 });
}

/* Random inputs are between -10 and 10: some indices fall outside. */
static void try_index(flat_kernel_kind kind, const flat_index *ix, tide_dtype type) {
    builder b;
    char what[128];
    int64_t x = ix->outer * ix->n * ix->inner, along = ix->outer * ix->count * ix->inner;
    build_begin(&b);
    flat_kernel *k = add_index_kernel(&b, kind, ix, kind == FLAT_FOLD ? ix->inner : ix->outer);
    switch (kind) {
    case FLAT_FOLD:
        add_with(&b, k, type, ix->n * ix->inner, false);
        add_with(&b, k, type, ix->inner, true);
        break;
    case FLAT_GATHER:
    case FLAT_TAKE_ALONG:
        add_with(&b, k, type, x, false);
        add_with(&b, k, TIDE_I32, kind == FLAT_GATHER ? ix->count : along, false);
        add_with(&b, k, type, along, true);
        break;
    case FLAT_SCATTER_ADD:
        add_with(&b, k, type, x, false);
        add_with(&b, k, TIDE_I32, ix->count, false);
        add_with(&b, k, type, along, false);
        add_with(&b, k, type, x, true);
        break;
    case FLAT_PUT_ALONG_ADD:
        add_with(&b, k, TIDE_I32, along, false);
        add_with(&b, k, type, along, false);
        add_with(&b, k, type, x, true);
        break;
    default:
        add_with(&b, k, type, x, false);
        add_with(&b, k, type, x, true);
    }
    finish(&b);
    if (kind == FLAT_CUMSUM && type <= TIDE_BF16 && !sums_as_ref) small_integers(&b, 0);
    snprintf(what, sizeof what, "%s of %s, (%d, %d, %d) by %d", names[kind], tide_dtype_name(type), (int)ix->outer,
             (int)ix->n, (int)ix->inner, (int)ix->count);
    /* sums of up to 100 numbers: relative to the largest, which may be 1e30 */
    double rtol = kind == FLAT_FOLD && type <= TIDE_F64 ? 1e-2 : 0;
    expect_like_ref(&b, rtol, rtol * 1e-3, what);
    build_free(&b);
}

static void test_index_kernels(void **unused) {
    static const flat_kernel_kind kinds[] = { FLAT_GATHER, FLAT_SCATTER_ADD, FLAT_TAKE_ALONG, FLAT_PUT_ALONG_ADD,
                                              FLAT_CUMSUM };
    (void)unused;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int s = 0; s < N_SIZES; s++)
            for (int t = 0; t < N_TYPES; t++) try_index(kinds[i], &sizes[s], types[t]);
}

static void test_fold(void **unused) {
    static const tide_dtype folded[] = { TIDE_I32, TIDE_I64, TIDE_U8 };
    (void)unused;
    for (int s = 0; s < N_SIZES; s++)
        for (int t = 0; t < 3; t++) try_index(FLAT_FOLD, &sizes[s], folded[t]);
}

/* In order: 2^24 + 1 - 2^24 is 0 in f32 when summed from the left, so exact sums show the wide accumulator of ref
 * alone; here all partial sums are exact. */
static void test_fold_of_floats(void **unused) {
    (void)unused;
    for (int t = 0; t < 2; t++) {
        builder b;
        build_begin(&b);
        flat_index ix = { 1, 50, 77, 0, 16, false };
        flat_kernel *k = add_index_kernel(&b, FLAT_FOLD, &ix, ix.inner);
        int from = add_with(&b, k, types[t], ix.n * ix.inner, false);
        add_with(&b, k, types[t], ix.inner, true);
        finish(&b);
        for (int64_t i = 0; i < ix.n * ix.inner; i++) {
            double x = (double)(random_bits() % 100);
            if (t == 0) ((float *)initial_of(&b, from))[i] = (float)x; else ((double *)initial_of(&b, from))[i] = x;
        }
        expect_like_ref(&b, 0, 0, "fold");
        build_free(&b);
    }
}

static void test_scatter_add_in_place(void **unused) {
    (void)unused;
    builder b;
    build_begin(&b);
    flat_kernel *k = add_index_kernel(&b, FLAT_SCATTER_ADD, &sizes[1], sizes[1].outer);
    int base = add_with(&b, k, TIDE_F32, 3 * 5 * 7, true);
    add_with(&b, k, TIDE_I32, 4, false);
    add_with(&b, k, TIDE_F32, 3 * 4 * 7, false);
    add_operand(&b, k, base, NULL);
    finish(&b);
    for (int i = 0; i < 3 * 5 * 7; i++) ((float *)initial_of(&b, base))[i] = (float)i;
    expect_like_ref(&b, 0, 0, "scatter-add in place");
    build_free(&b);
}

static int order_of(float a, float b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static void test_sort(void **unused) {
    (void)unused;
    for (int s = 0; s < N_SIZES; s++)
        for (int t = 0; t < N_TYPES; t++) {
            builder b;
            flat_index ix = sizes[s];
            ix.inner = 1;
            build_begin(&b);
            flat_kernel *k = add_index_kernel(&b, FLAT_SORT, &ix, ix.outer);
            int x = add_with(&b, k, types[t], ix.outer * ix.n, false),
                values = add_with(&b, k, types[t], ix.outer * ix.n, true);
            int index = add_with(&b, k, TIDE_I32, ix.outer * ix.n, true);
            finish(&b);
            expect_like_ref(&b, 0, 0, "sort");
            char *sorted = run_on(&tide_backend_ref, &b, 1);
            const float   *v = (const float *)(sorted + b.buffers[values].offset), *from = initial_of(&b, x);
            const int32_t *i = (const int32_t *)(sorted + b.buffers[index].offset);
            for (int64_t o = 0; o < ix.outer && types[t] == TIDE_F32; o++, v += ix.n, i += ix.n, from += ix.n)
                for (int64_t j = 0; j < ix.n; j++) {
                    assert_memory_equal(&v[j], &from[i[j]], sizeof *v);
                    if (j == 0) continue;
                    int order = order_of(v[j - 1], v[j]) * (ix.flag ? -1 : 1);
                    assert_true(order < 0 || (order == 0 && i[j - 1] < i[j]));
                }
            free(sorted);
            build_free(&b);
        }
}

static void subtract(void *user, const void *const *inputs, void *output) {
    const float *a = inputs[0], *c = inputs[1];
    for (int i = 0; i < *(int *)user; i++) ((float *)output)[i] = a[i] - c[i];
}

static void test_custom(void **unused) {
    (void)unused;
    builder b;
    int n = 100;
    build_begin(&b);
    flat_kernel *k = add_kernel(&b, FLAT_CUSTOM, "subtract", 1);
    k->custom.run = subtract;
    k->custom.user = &n;
    for (int i = 0; i < 3; i++) add_with(&b, k, TIDE_F32, n, i == 2);
    finish(&b);
    expect_like_ref(&b, 0, 0, "custom");
    build_free(&b);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_kernels), cmocka_unit_test(test_fold), cmocka_unit_test(test_fold_of_floats),
        cmocka_unit_test(test_scatter_add_in_place), cmocka_unit_test(test_sort), cmocka_unit_test(test_custom),
        cmocka_unit_test(expect_rest),
    };
    take_arguments(argc, argv);
    return cmocka_run_group_tests_name("index", tests, NULL, NULL);
}
