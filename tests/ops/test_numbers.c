/* Numbers beside values: which type they take, what is refused, random numbers in F64, sums that go on. */
#include "../nn/nn_support.h"

static tide_val halves(tide_graph *g, tide_dtype type) {
    return tide_add(tide_arange(g, type, 4), tide_scalar_of(g, type, type <= TIDE_BF16 ? 0.5 : 0));
}

static void expect_refused(tide_graph *g, tide_val v, const char *words) {
    assert_false(tide_ok(v));
    if (!strstr(tide_error(g)->message, words)) fail_msg("'%s' does not say '%s'", tide_error(g)->message, words);
    tide_graph_free(g);
}

/* What tide_scalar made takes its partner's type on either side, and its number is not rounded to F32 on the way. */
static void test_partner(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val    x = halves(g, TIDE_F64), tenth = tide_scalar(g, 0.1);
    assert_int_equal(tide_dtype_of(tenth), TIDE_F32);
    expect_all("x + 0.1", tide_add(x, tenth), (double[]){ 0.5 + 0.1, 1.5 + 0.1, 2.5 + 0.1, 3.5 + 0.1 }, 4, 0);
    expect_all("0.1 - x", tide_sub(tenth, x), (double[]){ 0.1 - 0.5, 0.1 - 1.5, 0.1 - 2.5, 0.1 - 3.5 }, 4, 0);
    expect_all("where", tide_where(tide_lt(x, tide_scalar(g, 2)), x, tenth), (double[]){ 0.5, 1.5, 0.1, 0.1 }, 4, 0);
    expect_all("cast", tide_cast(tenth, TIDE_F64), (double[]){ 0.1 }, 1, 0);
    for (tide_dtype type = TIDE_F32; type < TIDE_BOOL; type++)
        assert_int_equal(tide_dtype_of(tide_mul(tide_scalar(g, 3), halves(g, type))), type);
    tide_val count = tide_variable(g, "count", tide_scalar_of(g, TIDE_F64, 0));
    assert_true(tide_ok(tide_assign(count, tenth)));
    expect_fine(g);
    tide_graph_free(g);
}

/* Only the number itself is so: what is computed from it, and numbers of a given type, have theirs. */
static void test_not_weak(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    expect_refused(g, tide_add(halves(g, TIDE_F64), tide_neg(tide_scalar(g, 1))), "f64 and f32");
    g = tide_graph_new(test_device());
    expect_refused(g, tide_add(halves(g, TIDE_F64), tide_scalar_of(g, TIDE_F32, 1)), "f64 and f32");
    g = tide_graph_new(test_device());
    expect_refused(g, tide_add(tide_arange(g, TIDE_I32, 3), tide_scalar(g, 2.5)), "2.5 is no number");
    g = tide_graph_new(test_device());
    expect_refused(g, tide_add(tide_arange(g, TIDE_U8, 3), tide_scalar(g, 256)), "u8");
    g = tide_graph_new(test_device());
    expect_refused(g, tide_mul_scalar(tide_arange(g, TIDE_I32, 3), 0.5), "0.5 is no number");
}

/* log(1 + e^x) has the slope 1 / (1 + e^-x) everywhere, 1/2 at 0 as well, where its parts have none. */
static void test_softplus(void **state) {
    (void)state;
    const double at[] = { 0, -0.0, 1, -1, 800, -800 };
    double       slopes[6], values[6];
    for (int i = 0; i < 6; i++) {
        slopes[i] = 1 / (1 + exp(-at[i]));
        values[i] = fmax(at[i], 0) + log1p(exp(-fabs(at[i])));
    }
    tide_graph *g = tide_graph_new(test_device());
    tide_val    x = tide_constant(g, TIDE_F64, TIDE_SHAPE(6), at), y = tide_softplus(x);
    expect_all("softplus", y, values, 6, 1e-15);
    expect_all("its slope", tide_grad(tide_sum(y, TIDE_ALL), TIDE_LIST(x)).items[0], slopes, 6, 1e-15);
    expect_fine(g);
    tide_graph_free(g);
}

static void expect_flags(const char *what, tide_val v, const char *expected) {
    unsigned char flag[4];
    if (tide_read(v, flag, sizeof flag)) fail_msg("%s: %s", what, tide_error(v.graph)->message);
    for (int i = 0; i < 4; i++)
        if (flag[i] != expected[i] - '0') fail_msg("%s: element %d is %d", what, i, flag[i]);
}

static void test_with_numbers(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val    x = tide_arange(g, TIDE_F64, 4);
    expect_all("sub", tide_sub_scalar(x, 0.1), (double[]){ 0 - 0.1, 1 - 0.1, 2 - 0.1, 3 - 0.1 }, 4, 0);
    expect_all("div", tide_div_scalar(x, 3), (double[]){ 0, 1 / 3.0, 2 / 3.0, 1 }, 4, 1e-16);
    expect_all("pow", tide_pow_scalar(x, 3), (double[]){ 0, 1, 8, 27 }, 4, 1e-14);
    expect_flags("eq", tide_eq_scalar(x, 2), "0010");
    expect_flags("ne", tide_ne_scalar(x, 2), "1101");
    expect_flags("lt", tide_lt_scalar(x, 2), "1100");
    expect_flags("le", tide_le_scalar(x, 2), "1110");
    expect_flags("gt", tide_gt_scalar(x, 2), "0001");
    expect_flags("ge", tide_ge_scalar(x, 2), "0011");
    expect_all("the last two", tide_slice(x, 0, -2, TIDE_END), (double[]){ 2, 3 }, 2, 0);
    expect_all("every second", tide_slice_step(x, 0, 1, TIDE_END, 2), (double[]){ 1, 3 }, 2, 0);
    tide_graph_free(g);
}

enum { DRAWS = 4096 };

/* 53 bits: below 1, of which the lowest is set in about half of the draws, and the moments of what is asked for. */
static void test_random_f64(void **state) {
    (void)state;
    static double u[DRAWS], z[DRAWS];
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = test_device(), .seed = 7 });
    double      sum = 0, square = 0;
    int         odd = 0;
    tide_default_type_set(g, TIDE_F64);
    assert_int_equal(tide_read(tide_random_uniform(g, TIDE_SHAPE(DRAWS), 0, 1), u, sizeof u), TIDE_OK);
    assert_int_equal(tide_read(tide_random_normal(g, TIDE_SHAPE(DRAWS), 1, 2), z, sizeof z), TIDE_OK);
    for (int i = 0; i < DRAWS; i++) {
        assert_true(u[i] >= 0 && u[i] < 1);
        odd += (int)((uint64_t)(u[i] * 0x1p53) & 1);
        sum += z[i];
        square += (z[i] - 1) * (z[i] - 1);
    }
    expect_near("the 53rd bit", (double)odd / DRAWS, 0.5, 0.04);          /* 5 standard deviations */
    expect_near("mean", sum / DRAWS, 1, 0.16);                            /* likewise: 2 / 64 each */
    expect_near("variance", square / DRAWS, 4, 0.45);
    assert_int_equal(tide_dtype_of(tide_random_normal_of(g, TIDE_F32, TIDE_SHAPE(2), 0, 1)), TIDE_F32);
    assert_int_equal(tide_dtype_of(tide_random_uniform_of(g, TIDE_BF16, TIDE_SHAPE(2), 0, 1)), TIDE_BF16);
    expect_refused(g, tide_random_uniform_of(g, TIDE_I32, TIDE_SHAPE(2), 0, 1), "floating");
}

/* 1 / (1 - q) is not an F32 number: in F64 the kept elements have it to the last digit. */
static void test_dropout_f64(void **state) {
    (void)state;
    double      y[64];
    int         kept = 0;
    tide_graph *g = tide_graph_new(test_device());
    tide_val    x = tide_fill(g, TIDE_F64, TIDE_SHAPE(64), 1);
    assert_int_equal(tide_read(tide_dropout(x, 0.1, TIDE_TRAIN), y, sizeof y), TIDE_OK);
    for (int i = 0; i < 64; i++) {
        if (y[i] != 0) expect_near("kept", y[i], 1 / (1 - 6554.0 / 65536), 0);
        kept += y[i] != 0;
    }
    assert_in_range(kept, 40, 63);
    tide_graph_free(g);
}

/* Of masks of either draws: the share of kept elements, and of neighbours that are both kept, which may share a word; 5
 * standard deviations. */
static void test_masks(void **state) {
    (void)state;
    enum { N = 40000 };
    static const double ps[] = { 0.1, 0.5, 0.9 };
    float *y = malloc(N * sizeof *y);
    for (int i = 0; i < 6; i++) {
        double p = ps[i % 3], kept = 0, both = 0, sd = sqrt(p * (1 - p) / N);
        tide_graph *g = tide_graph_new(test_device());
        assert_int_equal(tide_numerics(g), 2);
        if (i >= 3) tide_numerics_set(g, 1);
        tide_val ones = tide_fill(g, TIDE_F32, TIDE_SHAPE(4, N / 4), 1);
        assert_int_equal(tide_read(tide_dropout(ones, p, TIDE_TRAIN), y, N * sizeof *y), TIDE_OK);
        for (int j = 0; j < N; j++) kept += y[j] != 0, both += y[j] != 0 && y[(j + 1) % N] != 0;
        expect_near("kept", kept / N, 1 - p, 5 * sd);
        expect_near("neighbours", both / N, (1 - p) * (1 - p), 10 * sd);
        tide_graph_free(g);
    }
    free(y);
}

/* The masks of numerics 1 are those of a number in [0, 1) for each element; in the latest the factor is of the p that
 * 16 bits can say, which near 1 makes much of a difference. */
static void test_mask_draws(void **state) {
    (void)state;
    float mask[1000], unit[1000], rare[1000];
    tide_graph *g = tide_graph_new(test_device()), *h = tide_graph_new(test_device()),
               *r = tide_graph_new(test_device());
    tide_numerics_set(g, 1);
    tide_val old = tide_dropout(tide_fill(g, TIDE_F32, TIDE_SHAPE(10, 100), 1), 0.3, TIDE_TRAIN);
    assert_int_equal(tide_read(old, mask, sizeof mask), TIDE_OK);
    assert_int_equal(tide_read(tide_random_uniform(h, TIDE_SHAPE(10, 100), 0, 1), unit, sizeof unit), TIDE_OK);
    for (int i = 0; i < 1000; i++) assert_true(mask[i] == (unit[i] >= 0.3f ? (float)(1 / 0.7) : 0.0f));
    tide_val most = tide_dropout(tide_fill(r, TIDE_F32, TIDE_SHAPE(10, 100), 1), 1 - 1e-9, TIDE_TRAIN);
    assert_int_equal(tide_read(most, rare, sizeof rare), TIDE_OK);
    for (int i = 0; i < 1000; i++) assert_true(rare[i] == 0 || rare[i] == 65536);
    tide_graph_free(g), tide_graph_free(h), tide_graph_free(r);
}

/* 1 added to 2^24 is lost in F32: a running sum that is kept in F32 would stand still. */
static void test_long_cumsum(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    float       last[2];
    tide_val    x = tide_concat(g, TIDE_LIST(tide_fill(g, TIDE_F32, TIDE_SHAPE(1), 16777216),
                                             tide_fill(g, TIDE_F32, TIDE_SHAPE(1000), 1)), 0);
    assert_int_equal(tide_read(tide_slice(tide_cumsum(x, 0), 0, -2, TIDE_END), last, sizeof last), TIDE_OK);
    expect_near("2^24 + 1000", (double)last[1], 16777216 + 1000, 0);
    tide_graph_free(g);
}

static void test_axes(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    expect_refused(g, tide_sum(halves(g, TIDE_F32), TIDE_AXES(0, 0)), "listed twice");
    g = tide_graph_new(test_device());
    tide_scope_push(g, "a");
    tide_input(g, "x", TIDE_F32, TIDE_SCALAR);
    tide_scope_pop(g);
    assert_true(tide_ok(tide_input(g, "x", TIDE_F32, TIDE_SCALAR)));
    assert_true(tide_ok(tide_input(g, "x", TIDE_F32, TIDE_SHAPE(32))));  /* of another batch */
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partner),    cmocka_unit_test(test_not_weak),    cmocka_unit_test(test_with_numbers),
        cmocka_unit_test(test_random_f64), cmocka_unit_test(test_dropout_f64),
        cmocka_unit_test(test_masks), cmocka_unit_test(test_mask_draws), cmocka_unit_test(test_long_cumsum),
        cmocka_unit_test(test_axes), cmocka_unit_test(test_softplus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
