/* Layers and losses against numbers worked out by hand. */
#include "nn_support.h"

static tide_val row(tide_graph *g, int64_t rows, int64_t columns, const float *data) {
    return tide_constant(g, TIDE_F32, TIDE_SHAPE(rows, columns), data);
}

static void put(tide_val v, const float *data) {
    assert_int_equal(tide_write(v, data, (size_t)tide_shape_count(tide_shape_of(v)) * sizeof *data), TIDE_OK);
}

static void test_linear(void **state) {
    (void)state;
    tide_graph *g     = tide_graph_new(test_device());
    tide_linear layer = tide_linear_new(g, "layer", 3, 2);
    assert_string_equal(tide_name_of(layer.weight), "layer.weight");
    assert_string_equal(tide_name_of(layer.bias), "layer.bias");
    assert_int_equal(tide_params(g, "layer.").count, 2);
    put(layer.weight, (float[]){ 1, 2, 3, -1, 0, 1 });
    put(layer.bias, (float[]){ 0.5f, -0.5f });
    expect_all("y = W x + b", tide_linear_apply(&layer, row(g, 2, 3, (float[]){ 1, 1, 1, 2, 0, 1 })),
               (double[]){ 6.5, -0.5, 5.5, -1.5 }, 4, 1e-6);
    tide_graph_free(g);
}

/* Uniform on +-1/sqrt(fan in): the bounds hold, are nearly reached, and the variance is a third of their square. */
static void test_initial_values(void **state) {
    (void)state;
    enum { IN = 100, OUT = 50 };
    static float w[IN * OUT];
    tide_graph  *g     = tide_graph_new(test_device());
    tide_linear  layer = tide_linear_new(g, "layer", IN, OUT);
    double       most = 0, square = 0, sum = 0;
    assert_int_equal(tide_read(layer.weight, w, sizeof w), TIDE_OK);
    for (int i = 0; i < IN * OUT; i++) {
        most = fmax(most, fabs((double)w[i]));
        square += (double)w[i] * (double)w[i];
        sum += (double)w[i];
    }
    assert_true(most <= 0.1 && most > 0.0995);
    expect_near("variance", square / (IN * OUT), 0.01 / 3, 1.5e-4); /* 3 standard deviations of 5,000 */
    expect_near("mean", sum / (IN * OUT), 0, 2.5e-3);
    tide_graph_free(g);
}

static void test_layer_norm(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_layer_norm_layer layer = tide_layer_norm_new(g, "norm", 4, 0.25);
    put(layer.weight, (float[]){ 1, 1, 2, 2 });
    put(layer.bias, (float[]){ 0, 1, 0, 1 });
    /* mean 2, variance 2, s = sqrt(2.25) = 1.5 */
    expect_all("layer norm", tide_layer_norm_apply(&layer, row(g, 1, 4, (float[]){ 0, 2, 2, 4 })),
               (double[]){ -4.0 / 3, 1, 0, 11.0 / 3 }, 4, 1e-6);
    tide_graph_free(g);
}

static void test_embedding(void **state) {
    (void)state;
    tide_graph    *g     = tide_graph_new(test_device());
    tide_embedding layer = tide_embedding_new(g, "words", 3, 2);
    put(layer.weight, (float[]){ 1, 2, 3, 4, 5, 6 });
    tide_val index = tide_constant(g, TIDE_I32, TIDE_SHAPE(2), (int32_t[]){ 2, 0 });
    tide_val rows  = tide_embedding_apply(&layer, index);
    expect_all("rows", rows, (double[]){ 5, 6, 1, 2 }, 4, 0);
    tide_val gradient = tide_grad(tide_sum(rows, TIDE_ALL), TIDE_LIST(layer.weight)).items[0];
    expect_all("gradient", gradient, (double[]){ 1, 1, 0, 0, 1, 1 }, 6, 0);
    tide_graph_free(g);
}

static void test_conv1d(void **state) {
    (void)state;
    tide_graph *g     = tide_graph_new(test_device());
    tide_conv1d layer = tide_conv1d_new(g, "conv", 2, 1, 3, 2, 1);
    put(layer.weight, (float[]){ 1, 2, 3, 10, 20, 30 });
    put(layer.bias, (float[]){ 0.5f });
    tide_val x = tide_constant(g, TIDE_F32, TIDE_SHAPE(1, 2, 5), (float[]){ 1, 2, 3, 4, 5, 1, 0, 0, 0, 1 });
    /* padded 0 1 2 3 4 5 0 and 0 1 0 0 0 1 0, every second start */
    tide_val y = tide_conv1d_apply(&layer, x);
    assert_int_equal(tide_shape_of(y).dim[2], 3);
    expect_all("conv1d", y, (double[]){ 8 + 20 + 0.5, 20 + 0.5, 14 + 20 + 0.5 }, 3, 1e-5);
    tide_val gradient = tide_grad(tide_sum(y, TIDE_ALL), TIDE_LIST(layer.weight)).items[0];
    expect_all("gradient", gradient, (double[]){ 2 + 4, 1 + 3 + 5, 2 + 4, 0, 2, 0 }, 6, 1e-5);
    expect_fine(g);
    /* shorter than the kernel */
    assert_false(tide_ok(tide_conv1d_apply(&layer, tide_fill(g, TIDE_F32, TIDE_SHAPE(1, 2, 0), 0))));
    assert_int_equal(tide_error(g)->status, TIDE_ESHAPE);
    tide_graph_free(g);
}

/* Two queries, two keys of size 1: probabilities are sigmoids of the difference of scores. */
static void test_attention(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_shape  s = TIDE_SHAPE(1, 1, 2, 1);
    tide_val q = tide_constant(g, TIDE_F32, s, (float[]){ 1, -2 }),
             k = tide_constant(g, TIDE_F32, s, (float[]){ 0.5f, 1.5f });
    tide_val    v = tide_constant(g, TIDE_F32, s, (float[]){ 10, 20 }), p;
    tide_val    y = tide_attention(q, k, v, 0.5, TIDE_EVAL, &p);
    double      a = 1 / (1 + exp(-1.0)), b = 1 / (1 + exp(2.0));
    expect_all("probabilities", p, (double[]){ 1 - a, a, 1 - b, b }, 4, 1e-6);
    expect_all("attention", y, (double[]){ 10 + 10 * a, 10 + 10 * b }, 2, 1e-5);
    tide_graph_free(g);
}

/* Attending from some rows gives those rows of attending from all. */
static void test_self_attention(void **state) {
    static const char *const names[4] = { "q", "k", "v", "o" };
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_self_attention layer = tide_self_attention_new(g, names, 6, 2, 2);
    tide_val x    = tide_variable(g, "x", tide_random_normal(g, TIDE_SHAPE(2, 5, 6), 0, 1));
    tide_val all  = tide_self_attention_apply(&layer, x, 0, TIDE_EVAL, NULL);
    tide_val some = tide_self_attention_queries(&layer, tide_slice(x, 1, 1, 3), x, 0, TIDE_EVAL, NULL);
    assert_int_equal(tide_shape_of(all).dim[2], 6);
    expect_all("rows 1 and 2", tide_max(tide_abs(tide_sub(some, tide_slice(all, 1, 1, 3))), TIDE_ALL), (double[]){ 0 },
               1, 1e-6);
    assert_int_equal(tide_params(g, "").count, 8);
    tide_graph_free(g);
}

static void test_losses(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val p = row(g, 1, 4, (float[]){ 1, 2, 3, 4 }), t = row(g, 1, 4, (float[]){ 1, 0, 3.5f, 8 }),
             w = row(g, 1, 4, (float[]){ 1, 0, 2, 1 });
    const struct { const char *what; tide_val loss; double expected; } cases[] = {
        { "mse", tide_mse(p, t), (4 + 0.25 + 16) / 4 },
        { "mae", tide_mae(p, t), (2 + 0.5 + 4) / 4 },
        { "weighted mse", tide_mse_weighted(p, t, w), (0.5 + 16) / 4 },
        { "weighted mae", tide_mae_weighted(p, t, w), (1.0 + 4) / 4 },
        { "huber", tide_huber(p, t, 1, TIDE_NO_WEIGHT), (1.5 + 0.125 + 3.5) / 4 },
        { "huber, beta 2", tide_huber(p, t, 2, TIDE_NO_WEIGHT), (1 + 0.0625 + 3) / 4 },
        { "quantile 0.9", tide_quantile_loss(p, t, 0.9, TIDE_NO_WEIGHT), (0.2 + 0.45 + 3.6) / 4 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_all(cases[i].what, cases[i].loss, &cases[i].expected, 1, 1e-6);
    tide_graph_free(g);
}

static void test_classification_losses(void **state) {
    (void)state;
    tide_graph *g      = tide_graph_new(test_device());
    tide_val    logits = row(g, 2, 3, (float[]){ 0, 0, 0, 1, 2, 3 });
    tide_val    label  = tide_constant(g, TIDE_I32, TIDE_SHAPE(2), (int32_t[]){ 1, 2 });
    double      first = log(3), second = log(exp(-2) + exp(-1) + 1);
    expect_all("cross entropy", tide_cross_entropy(logits, label, TIDE_NO_WEIGHT), (double[]){ (first + second) / 2 },
               1, 1e-6);
    tide_val w = tide_constant(g, TIDE_F32, TIDE_SHAPE(2), (float[]){ 3, 1 });
    expect_all("weighted", tide_cross_entropy(logits, label, w), (double[]){ (3 * first + second) / 4 }, 1, 1e-6);
    tide_val far = row(g, 1, 3, (float[]){ 200, -200, 0 }), truth = row(g, 1, 3, (float[]){ 0, 1, 0.25f });
    expect_all("bce far out", tide_bce_logits(far, truth, TIDE_NO_WEIGHT), (double[]){ (200 + 200 + log(2)) / 3 }, 1,
               1e-4);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),    cmocka_unit_test(test_initial_values), cmocka_unit_test(test_layer_norm),
        cmocka_unit_test(test_embedding), cmocka_unit_test(test_conv1d),         cmocka_unit_test(test_attention),
        cmocka_unit_test(test_self_attention), cmocka_unit_test(test_losses),
        cmocka_unit_test(test_classification_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
