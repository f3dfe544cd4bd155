/* Attention as one node: the same bits as in plain ops, first derivatives too, through a region that is made again and
 * where one value is query, key and value; and second derivatives. */
#include "attention_support.h"

static const problem problems[] = {
    { 2, { 3, 2 }, 5, 5, 4, 4, 0, true, 0 },     { 2, { 3, 2 }, 5, 7, 4, 3, 0.3, true, 0 },
    { 0, { 0 }, 6, 3, 8, 5, 0.5, false, 0 },     { 1, { 4 }, 1, 9, 2, 1, 0.1, true, 0 },
    { 3, { 2, 3, 2 }, 4, 1, 3, 2, 0.2, false, 7 }, { 2, { 2, 4 }, 33, 40, 32, 16, 0.25, true, 3 },
    { 1, { 2 }, 0, 3, 4, 2, 0.1, false, 0 },     { 1, { 2 }, 3, 0, 4, 2, 0.1, false, 0 },
};
enum { PROBLEMS = sizeof problems / sizeof *problems };
static const char *const devices[] = { "cpu", "ref", "check" };

static void expect_same_bits(tide_val x, tide_val y) {
    size_t bytes = (size_t)tide_shape_count(tide_shape_of(x)) * sizeof(float);
    assert_true(tide_shape_equal(tide_shape_of(x), tide_shape_of(y)));
    if (bytes) assert_memory_equal(tide_data(x), tide_data(y), bytes);
}

static void test_bits(void **state) {
    (void)state;
    for (int i = 0; i < PROBLEMS; i++)
        for (int d = 0; d < 3; d++) {
            attended one = attend(devices[d], &problems[i], false), plain = attend(devices[d], &problems[i], true);
            tide_program *p = attend_run(&one, TIDE_PRECISION_F32), *q = attend_run(&plain, TIDE_PRECISION_F32);
            assert_int_equal(tide_program_kernels(p), tide_program_kernels(q));
            for (int r = 0; r < 4; r++) expect_same_bits(attended_result(&one, r), attended_result(&plain, r));
            tide_graph_free(one.g), tide_graph_free(plain.g);
        }
}

/* sum of squares of a part of every derivative, differentiated again. */
static tide_list second(const attended *a) {
    tide_val sum = tide_scalar_of(a->g, TIDE_F32, 0);
    for (int i = 0; i < 3; i++) sum = tide_add(sum, tide_sum(tide_square(a->grads.items[i]), TIDE_ALL));
    const tide_val wrt[] = { a->in[0], a->in[1], a->in[2], a->w };
    return tide_grad(sum, (tide_list){ wrt, 4 });
}

static void expect_close(tide_val x, tide_val y, double allowed) {
    int64_t count = tide_shape_count(tide_shape_of(x));
    const float *a = tide_data(x), *b = tide_data(y);
    double size = 0;
    for (int64_t i = 0; i < count; i++) size = fmax(size, fabs((double)b[i]));
    for (int64_t i = 0; i < count; i++) expect_near("second derivative", (double)a[i], (double)b[i], allowed * size);
}

static void test_second_derivatives(void **state) {
    (void)state;
    for (int i = 0; i < PROBLEMS - 2; i++)
        for (int d = 0; d < 3; d++) {
            attended one = attend(devices[d], &problems[i], false), plain = attend(devices[d], &problems[i], true);
            tide_list a = second(&one), b = second(&plain);
            expect_fine(one.g), expect_fine(plain.g);
            assert_int_equal(tide_run(tide_compile(a, NULL), NULL, 0), TIDE_OK);
            assert_int_equal(tide_run(tide_compile(b, NULL), NULL, 0), TIDE_OK);
            for (int r = 0; r < 4; r++) expect_close(a.items[r], b.items[r], 1e-5);
            tide_graph_free(one.g), tide_graph_free(plain.g);
        }
}

/* x to itself twice, in regions if `again`. */
static tide_list of_itself(tide_graph *g, bool plain, bool again, tide_val *out) {
    float numbers[2 * 5 * 4];
    for (int i = 0; i < 40; i++) numbers[i] = made_up(i, 9);
    tide_val x = tide_variable(g, "x", tide_constant(g, TIDE_F32, TIDE_SHAPE(2, 5, 4), numbers)), share;
    *out = x;
    for (int i = 0; i < 2; i++) {
        if (again) tide_recompute_begin(g);
        tide_val h = tide_sin(*out);
        *out = tide_add(*out, tide_attention(h, h, h, 0.2, TIDE_TRAIN, plain ? &share : NULL));
        if (again) tide_recompute_end(g);
    }
    return tide_grad(tide_sum(tide_square(*out), TIDE_ALL), TIDE_LIST(x));
}

static void test_one_value_for_all(void **state) {
    (void)state;
    for (int d = 0; d < 3; d++)
        for (int again = 0; again < 2; again++) {
            tide_graph *g[2] = { tide_graph_new(devices[d]), tide_graph_new(devices[d]) };
            tide_val out[2];
            tide_list grads[2];
            int64_t kernels[2];
            for (int i = 0; i < 2; i++) {
                grads[i] = of_itself(g[i], i, again, &out[i]);
                tide_program *p = tide_compile(TIDE_LIST(out[i], grads[i].items[0]), NULL);
                assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
                kernels[i] = tide_program_kernels(p);
            }
            assert_int_equal(kernels[0], kernels[1]);
            expect_same_bits(out[0], out[1]);
            expect_same_bits(grads[0].items[0], grads[1].items[0]);
            for (int i = 0; i < 2; i++) tide_graph_free(g[i]);
        }
}

/* Without a program, and after nodes were given back: definitions made since go with them. */
static void test_lazy(void **state) {
    (void)state;
    attended one = attend(test_device(), &problems[0], false), plain = attend(test_device(), &problems[0], true);
    int64_t mark = tide_graph_mark(one.g);
    for (int round = 0; round < 2; round++) {
        for (int r = 0; r < 4; r++) expect_same_bits(attended_result(&one, r), attended_result(&plain, r));
        tide_list more = second(&one);
        assert_non_null(tide_data(more.items[0]));
        tide_graph_rewind(one.g, mark);
    }
    expect_fine(one.g);
    tide_graph_free(one.g), tide_graph_free(plain.g);
}

/* Axes that are repeated, other types and the masks of numerics 1 stay plain. */
static void test_plain(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val q = tide_fill(g, TIDE_F32, TIDE_SHAPE(2, 3, 4), 0.5), k = tide_fill(g, TIDE_F32, TIDE_SHAPE(5, 4), 1);
    tide_val wide = tide_cast(q, TIDE_F64), half = tide_cast(q, TIDE_BF16);
    assert_non_null(tide_data(tide_attention(q, k, k, 0.1, TIDE_TRAIN, NULL)));
    assert_non_null(tide_data(tide_attention(wide, wide, wide, 0.1, TIDE_TRAIN, NULL)));
    assert_int_equal(tide_dtype_of(tide_attention(half, half, half, 0, TIDE_EVAL, NULL)), TIDE_BF16);
    tide_numerics_set(g, 1);
    assert_non_null(tide_data(tide_attention(q, q, q, 0.1, TIDE_TRAIN, NULL)));
    expect_fine(g);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits), cmocka_unit_test(test_second_derivatives),
        cmocka_unit_test(test_one_value_for_all), cmocka_unit_test(test_lazy), cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
