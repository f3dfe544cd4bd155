/* What does not fit a layer is refused in the layer's name, with the scopes that it was made in and its rule. */
#include "nn_support.h"

typedef struct layers {
    tide_graph           *g;
    tide_linear           linear;
    tide_layer_norm_layer norm;
    tide_embedding        embedding;
    tide_conv1d           conv, still;
    tide_self_attention   attention;
} layers;

static layers layers_new(void) {
    static const char *const names[4] = { "query", "key", "value", "out" };
    layers l = { .g = tide_graph_new(test_device()) };
    tide_scope_push(l.g, "model");
    l.linear    = tide_linear_new(l.g, "lin", 3, 4);
    l.norm      = tide_layer_norm_new(l.g, "norm", 3, 1e-5);
    l.embedding = tide_embedding_new(l.g, "words", 5, 2);
    l.conv      = tide_conv1d_new(l.g, "conv", 2, 3, 9, 1, 0);
    l.still     = tide_conv1d_new(l.g, "still", 2, 3, 3, 0, 0);
    l.attention = tide_self_attention_new(l.g, names, 6, 2, 3);
    tide_scope_pop(l.g);
    return l;
}

static tide_val ones(tide_graph *g, tide_shape shape) { return tide_fill(g, TIDE_F32, shape, 1); }
static tide_val attend(const layers *l, tide_val x) {
    return tide_self_attention_apply(&l->attention, x, 0, TIDE_EVAL, NULL);
}
static tide_val zeroed_linear(const layers *l) {
    return tide_linear_apply(&(tide_linear){ 0 }, ones(l->g, TIDE_SHAPE(2, 3)));
}
static tide_val wide_linear(const layers *l) { return tide_linear_apply(&l->linear, ones(l->g, TIDE_SHAPE(2, 5))); }
static tide_val f64_linear(const layers *l) {
    return tide_linear_apply(&l->linear, tide_fill(l->g, TIDE_F64, TIDE_SHAPE(2, 3), 1));
}
static tide_val linear_of_nothing(const layers *l) { return tide_linear_apply(&l->linear, (tide_val){ 0 }); }
static tide_val wide_norm(const layers *l) { return tide_layer_norm_apply(&l->norm, ones(l->g, TIDE_SHAPE(2, 5))); }
static tide_val float_index(const layers *l) { return tide_embedding_apply(&l->embedding, ones(l->g, TIDE_SHAPE(2))); }
static tide_val long_kernel(const layers *l) { return tide_conv1d_apply(&l->conv, ones(l->g, TIDE_SHAPE(1, 2, 5))); }
static tide_val flat_conv(const layers *l) { return tide_conv1d_apply(&l->conv, ones(l->g, TIDE_SHAPE(5))); }
static tide_val still_conv(const layers *l) { return tide_conv1d_apply(&l->still, ones(l->g, TIDE_SHAPE(1, 2, 5))); }
static tide_val flat_attention(const layers *l) { return attend(l, ones(l->g, TIDE_SHAPE(5, 6))); }
static tide_val wide_attention(const layers *l) { return attend(l, ones(l->g, TIDE_SHAPE(1, 5, 7))); }
static tide_val products(const layers *l) {
    tide_val q = ones(l->g, TIDE_SHAPE(1, 2, 5, 3)), k = ones(l->g, TIDE_SHAPE(1, 2, 4, 8));
    return tide_attention(q, k, k, 0, TIDE_EVAL, NULL);
}
static tide_val f32_labels(const layers *l) {
    return tide_cross_entropy(ones(l->g, TIDE_SHAPE(2, 3)), ones(l->g, TIDE_SHAPE(2)), TIDE_NO_WEIGHT);
}
static tide_val after_nothing(const layers *l) { return tide_add(ones(l->g, TIDE_SHAPE(2)), (tide_val){ 0 }); }
static tide_val before_nothing(const layers *l) { return tide_add((tide_val){ 0 }, ones(l->g, TIDE_SHAPE(2))); }

static const struct {
    const char *what;
    tide_val  (*build)(const layers *l);
    tide_status status;
    const char *words;
} cases[] = {
    { "a value plus {0}", after_nothing, TIDE_EINVAL, "add: operand 1 belongs to no graph" },
    { "{0} plus a value", before_nothing, TIDE_EINVAL, "add: operand 0 belongs to no graph" },
    { "a zeroed layer", zeroed_linear, TIDE_EINVAL, "linear: one of its variables is no value" },
    { "a wrong width", wide_linear, TIDE_ESHAPE,
      "linear 'model.lin': x has the shape (2, 5); its last axis must be 3" },
    { "F64 through F32", f64_linear, TIDE_ETYPE, "linear 'model.lin': x is f64, the layer f32" },
    { "no x", linear_of_nothing, TIDE_EINVAL, "linear 'model.lin': x is no value" },
    { "a wrong width, norm", wide_norm, TIDE_ESHAPE, "layer_norm 'model.norm': x has the shape (2, 5)" },
    { "an index in F32", float_index, TIDE_ETYPE, "embedding 'model.words': the index is f32; it must be i32" },
    { "a long kernel", long_kernel, TIDE_ESHAPE,
      "conv1d 'model.conv': a kernel of 9 does not fit a length of 5 + 2 x 0" },
    { "one axis", flat_conv, TIDE_ESHAPE, "conv1d 'model.conv': x has the shape (5); it must be (batch, 2, length)" },
    { "stride 0", still_conv, TIDE_EINVAL, "conv1d 'model.still': stride 0" },
    { "two axes", flat_attention, TIDE_ESHAPE, "self_attention 'model.query': queries and x have the shapes (5, 6)" },
    { "seven of six", wide_attention, TIDE_ESHAPE, "(b, t, 6)" },
    { "sizes of q and k", products, TIDE_ESHAPE, "attention: q, k and v have the shapes (1, 2, 5, 3)" },
    { "labels in F32", f32_labels, TIDE_ESHAPE, "they must be i32 or i64" },
};

/* The first cause is the one that sticks, whatever is built on the poison value. */
static void test_messages(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        layers   l = layers_new();
        tide_val y = cases[i].build(&l);
        tide_mean(tide_relu(tide_mul_scalar(y, 2)), TIDE_ALL);
        if (tide_ok(y)) fail_msg("%s: was accepted", cases[i].what);
        if (tide_error(l.g)->status != cases[i].status || !strstr(tide_error(l.g)->message, cases[i].words))
            fail_msg("%s: '%s' (%s) does not say '%s'", cases[i].what, tide_error(l.g)->message,
                     tide_status_name(tide_error(l.g)->status), cases[i].words);
        tide_graph_free(l.g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_messages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
