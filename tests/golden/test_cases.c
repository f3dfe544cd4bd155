/* Two small cases, ours and the published program's: output, attention, and three Adam steps with their gradients. */
#include <jansson.h>

#include "golden_support.h"

static const char *device;

static double number(const json_t *o, const char *key) { return json_number_value(json_object_get(o, key)); }
static int64_t whole(const json_t *o, const char *key) { return (int64_t)number(o, key); }

/* A list, or the "data" of an object with a "shape". */
static float *numbers(const json_t *v, int64_t *count) {
    if (json_is_object(v)) v = json_object_get(v, "data");
    *count     = (int64_t)json_array_size(v);
    float *out = malloc((size_t)*count * sizeof *out + 1);
    for (int64_t i = 0; i < *count; i++) out[i] = (float)json_number_value(json_array_get(v, (size_t)i));
    return out;
}

static void put(tide_val variable, const json_t *v) {
    int64_t count;
    float  *data = numbers(v, &count);
    assert_int_equal(count, tide_shape_count(tide_shape_of(variable)));
    assert_int_equal(tide_write(variable, data, (size_t)count * sizeof *data), TIDE_OK);
    free(data);
}

static void expect(const char *where, const char *what, tide_val v, const json_t *expected, double allowed) {
    int64_t count;
    float  *data = numbers(expected, &count);
    if (count != tide_shape_count(tide_shape_of(v)))
        fail_msg("%s, %s: %d numbers are expected", where, what, (int)count);
    expect_array(where, what, v, data, allowed);
    free(data);
}

static void expect_params(const char *where, tide_list params, const json_t *expected) {
    for (int64_t i = 0; i < params.count; i++)
        if (!is_key_bias(tide_name_of(params.items[i])))
            expect(where, tide_name_of(params.items[i]), params.items[i],
                   json_object_get(expected, tide_name_of(params.items[i])), 1e-5);
}

static model_config config_of(const json_t *c) {
    return (model_config){ .seq_len = whole(c, "seq_len"), .pred_len = whole(c, "pred_len"),
                           .columns = whole(c, "n_variates"), .marks = whole(c, "n_marks"),
                           .d_model = whole(c, "d_model"), .n_heads = whole(c, "n_heads"),
                           .head_size = whole(c, "d_model") / whole(c, "n_heads"),
                           .d_ff = whole(c, "d_ff"), .e_layers = whole(c, "e_layers"), .use_norm = whole(c, "use_norm"),
                           .relu = !strcmp(json_string_value(json_object_get(c, "activation")), "relu") };
}

typedef struct small_case {
    const char    *where;
    const json_t  *json;
    tide_graph    *graph;
    itransformer model;
    tide_list      params, gradients;
    tide_val       x, marks, y, out, loss, update, attention[4];
} small_case;

static void build(small_case *t, int64_t batch) {
    const json_t *config = json_object_get(t->json, "config");
    model_config  c      = config_of(config);
    t->graph             = tide_graph_new(device);
    assert_true(itransformer_new(t->graph, &c, &t->model));
    t->params = tide_params(t->graph, "");
    t->x      = tide_input(t->graph, "x", TIDE_F32, TIDE_SHAPE(batch, c.seq_len, c.columns));
    t->marks  = tide_input(t->graph, "marks", TIDE_F32, TIDE_SHAPE(batch, c.seq_len, c.marks));
    t->y      = tide_input(t->graph, "y", TIDE_F32, TIDE_SHAPE(batch, c.pred_len, c.columns));
    const model_windows window = { .past = t->x, .marks = t->marks };
    t->out    = itransformer_apply(&t->model, &window, TIDE_EVAL, t->attention);
    t->loss   = tide_mse(t->out, t->y);
    t->gradients = tide_grad(t->loss, t->params);
    t->update =
        tide_adam(t->params, t->gradients, &(tide_adamw_opts){ .lr = tide_scalar(t->graph, number(config, "lr")) });
}

static void run(small_case *t, tide_program *p) {
    int64_t   count;
    float *x = numbers(json_object_get(t->json, "x"), &count),
          *marks = numbers(json_object_get(t->json, "x_mark"), &count);
    float    *y = numbers(json_object_get(t->json, "y"), &count);
    bool      used     = t->model.config.marks > 0;
    tide_feed feeds[3] = { { t->x, x }, { t->y, y }, { t->marks, marks } };
    if (tide_run(p, feeds, used ? 3 : 2) != TIDE_OK) fail_msg("%s: %s", t->where, tide_program_error(p)->message);
    free(x);
    free(marks);
    free(y);
}

static void check_first_step(small_case *t) {
    expect(t->where, "output", t->out, json_object_get(t->json, "eval_output"), 1e-5);
    const json_t *maps = json_object_get(t->json, "eval_attention");
    for (size_t i = 0; i < json_array_size(maps); i++)
        expect(t->where, "attention", t->attention[i], json_array_get(maps, i), 1e-5);
    const json_t *gradients = json_object_get(t->json, "grads_step1");
    for (int64_t i = 0; i < t->params.count; i++) {
        const char *name = tide_name_of(t->params.items[i]);
        if (!is_key_bias(name)) expect(t->where, name, t->gradients.items[i], json_object_get(gradients, name), 1e-5);
    }
    expect_params(t->where, t->params, json_object_get(t->json, "params_after_step1"));
}

static void check_case(const json_t *json) {
    small_case    t = { .where = json_string_value(json_object_get(json, "name")), .json = json };
    build(&t, whole(json_object_get(json, "config"), "batch"));
    for (int64_t i = 0; i < t.params.count; i++)
        put(t.params.items[i], json_object_get(json_object_get(json, "params"), tide_name_of(t.params.items[i])));
    tide_val wanted[128] = { t.out, t.loss, t.update };
    int64_t  count       = 3;
    for (int64_t i = 0; i < t.model.config.e_layers; i++) wanted[count++] = t.attention[i];
    for (int64_t i = 0; i < t.gradients.count; i++) wanted[count++] = t.gradients.items[i];
    tide_program *p      = tide_compile((tide_list){ wanted, count }, NULL);
    const json_t *losses = json_object_get(json, "train_losses_before_each_of_3_adam_steps_then_after");
    for (int step = 0; step < 4; step++) {
        float expected = (float)json_number_value(json_array_get(losses, (size_t)step));
        if (step == 3) expect_params(t.where, t.params, json_object_get(json, "params_after_step3"));
        run(&t, p);
        expect_array(t.where, "loss", t.loss, &expected, 1e-5);
        if (step == 0) check_first_step(&t);
    }
    itransformer_free(&t.model);
    tide_graph_free(t.graph);
}

static void check_cases(const char *path) {
    json_error_t error;
    json_t      *all = json_load_file(path, 0, &error);
    if (!all) fail_msg("%s: %s", path, error.text);
    const json_t *cases = json_object_get(all, "cases");
    assert_int_equal(json_array_size(cases), 2);
    for (size_t i = 0; i < 2; i++) check_case(json_array_get(cases, i));
    json_decref(all);
}

static void test_small_cases(void **state) {
    char path[512];
    (void)state;
    check_cases(own_path(path, "itransformer_cases.json"));
}

static void test_published_small_cases(void **state) {
    char path[512];
    (void)state;
    check_cases(shared_path(path, "spec/itransformer-golden.json"));
}

int main(int argc, char **argv) {
    device = argc > 1 ? argv[1] : "cpu";
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_small_cases),
                                        cmocka_unit_test(test_published_small_cases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
