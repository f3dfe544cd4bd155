/* A whole model in F64: layers of the graph's default type, losses, derivatives, and a training that goes down to F64's
 * own precision. */
#include "nn_support.h"

enum { BATCH = 2, LENGTH = 6, WIDTH = 4 };

typedef struct model {
    tide_embedding        embedding;
    tide_self_attention   attention;
    tide_layer_norm_layer norm;
    tide_conv1d           conv;
    tide_linear           linear;
} model;

static model model_new(tide_graph *g) {
    static const char *const names[4] = { "query", "key", "value", "out" };
    return (model){ tide_embedding_new(g, "words", 8, WIDTH), tide_self_attention_new(g, names, WIDTH, 2, 3),
                    tide_layer_norm_new(g, "norm", WIDTH, 1e-5), tide_conv1d_new(g, "conv", LENGTH, 3, 3, 1, 1),
                    tide_linear_new(g, "linear", WIDTH, 2) };
}

static tide_val model_apply(const model *m, tide_val index) {
    tide_val x = tide_embedding_apply(&m->embedding, index); /* (batch, length, width) */
    x = tide_add(x, tide_self_attention_apply(&m->attention, x, 0, TIDE_EVAL, NULL));
    x = tide_gelu(tide_conv1d_apply(&m->conv, tide_layer_norm_apply(&m->norm, x)));
    return tide_linear_apply(&m->linear, x); /* (batch, 3, 2) */
}

static tide_val indices(tide_graph *g) {
    static const int32_t index[BATCH * LENGTH] = { 0, 1, 2, 3, 4, 5, 7, 6, 5, 4, 3, 1 };
    return tide_constant(g, TIDE_I32, TIDE_SHAPE(BATCH, LENGTH), index);
}

/* Every variable, result and derivative is F64, and the F32 model with the same parameters agrees to F32. */
static void test_types(void **state) {
    (void)state;
    double      wide[BATCH * 3 * 2];
    tide_graph *g = tide_graph_new(test_device()), *h = tide_graph_new(test_device());
    tide_default_type_set(g, TIDE_F64);
    assert_int_equal(tide_default_type(g), TIDE_F64);
    model     m = model_new(g), n = model_new(h);
    tide_list params = tide_params(g, ""), narrow = tide_params(h, "");
    tide_val  y = model_apply(&m, indices(g)), z = model_apply(&n, indices(h));
    assert_int_equal(params.count, narrow.count);
    for (int64_t i = 0; i < params.count; i++) {
        double to[128];
        float  from[128];
        size_t count = (size_t)tide_shape_count(tide_shape_of(narrow.items[i]));
        assert_int_equal(tide_dtype_of(params.items[i]), TIDE_F64);
        assert_int_equal(tide_read(narrow.items[i], from, sizeof from), TIDE_OK);
        for (size_t k = 0; k < count; k++) to[k] = (double)from[k];
        assert_int_equal(tide_write(params.items[i], to, count * sizeof *to), TIDE_OK);
    }
    assert_int_equal(tide_dtype_of(y), TIDE_F64);
    if (tide_read(y, wide, sizeof wide)) fail_msg("%s", tide_error(g)->message);
    expect_all("F32 beside F64", z, wide, BATCH * 3 * 2, 1e-5); /* some hundred F32 operations on numbers up to 3 */
    tide_list gradients = tide_grad(tide_mse(y, tide_mul_scalar(y, 0)), params);
    for (int64_t i = 0; i < gradients.count; i++) assert_int_equal(tide_dtype_of(gradients.items[i]), TIDE_F64);
    expect_fine(g);
    tide_graph_free(g);
    tide_graph_free(h);
}

/* 1 / 3 found by descent: an F32 number anywhere on the way would leave a loss of 1e-16. */
static void test_training(void **state) {
    (void)state;
    double      loss = 1;
    tide_graph *g = tide_graph_new(test_device());
    tide_default_type_set(g, TIDE_F64);
    tide_linear layer = tide_linear_new(g, "l", 1, 1);
    tide_val x = tide_constant(g, TIDE_F64, TIDE_SHAPE(3, 1), (double[]){ -1, 0, 2 });
    tide_val error = tide_mse(tide_linear_apply(&layer, x), tide_div_scalar(x, 3));
    tide_list params = tide_params(g, ""), clipped = tide_clip_norm(tide_grad(error, params), 1);
    tide_val update = tide_sgd(params, clipped, &(tide_sgd_opts){ .lr = tide_scalar(g, 0.2) });
    tide_program *p = tide_compile(TIDE_LIST(error, update), NULL);
    for (int i = 0; i < 400; i++)
        if (tide_run(p, NULL, 0)) fail_msg("%s", tide_program_error(p)->message);
    assert_int_equal(tide_read(error, &loss, sizeof loss), TIDE_OK);
    expect_near("the loss", loss, 0, 1e-28);
    tide_graph_free(g);
}

/* Labels as PyTorch keeps them. */
static void test_wide_labels(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val logits = tide_constant(g, TIDE_F64, TIDE_SHAPE(2, 3), (double[]){ 0, 0, 0, 1, 2, 3 });
    tide_val label = tide_constant(g, TIDE_I64, TIDE_SHAPE(2), (int64_t[]){ 1, 2 });
    tide_val far = tide_constant(g, TIDE_I64, TIDE_SHAPE(2), (int64_t[]){ 1, INT64_C(4294967298) });
    expect_all("i64 labels", tide_cross_entropy(logits, label, TIDE_NO_WEIGHT),
               (double[]){ (log(3) + log(exp(-2) + exp(-1) + 1)) / 2 }, 1, 1e-15);
    expect_all("2^32 + 2 is no class", tide_cross_entropy(logits, far, TIDE_NO_WEIGHT), (double[]){ NAN }, 1, 0);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_types), cmocka_unit_test(test_training),
                                        cmocka_unit_test(test_wide_labels) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
