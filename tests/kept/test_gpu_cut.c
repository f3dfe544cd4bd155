/* Programs as they are cut for GPUs, on plain kernels, against ref: masks that the derivative does not draw again, and
 * parts of a concatenation that are made in place. */
#include "../nn/nn_support.h"

enum { ROWS = 64, IN = 24, WIDE = 32, HALF = 16, REST = 8 };

typedef struct model {
    tide_graph  *g;
    tide_val     x, parts, loss;
    tide_list    params, grads;
    tide_program *program;
} model;

/* relu and gelu under dropout; two concatenations, of parts as they are and turned round. */
static tide_val loss_of(model *m) {
    tide_linear a = tide_linear_new(m->g, "a", IN, WIDE), b = tide_linear_new(m->g, "b", WIDE, HALF),
                c = tide_linear_new(m->g, "c", WIDE, REST);
    tide_val relu = tide_dropout(tide_relu(tide_linear_apply(&a, m->x)), 0.3, TIDE_TRAIN);
    tide_val gelu = tide_dropout(tide_gelu(tide_linear_apply(&b, relu)), 0.2, TIDE_TRAIN);
    tide_val rest = tide_tanh(tide_linear_apply(&c, relu));
    m->parts = tide_concat(m->g, TIDE_LIST(tide_exp(gelu), tide_sin(rest)), 1);
    tide_val across = tide_concat(m->g, TIDE_LIST(tide_transpose(tide_sin(gelu), 0, 1), tide_transpose(rest, 0, 1)), 0);
    return tide_mean(tide_mul(m->parts, tide_square(tide_transpose(across, 0, 1))), TIDE_ALL);
}

static model model_on(const char *device) {
    static float numbers[ROWS * IN];
    model m = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .seed = 11 }) };
    for (int i = 0; i < ROWS * IN; i++) numbers[i] = (float)((i * 7919 % 1009) / 504.0 - 1);
    m.x = tide_constant(m.g, TIDE_F32, TIDE_SHAPE(ROWS, IN), numbers);
    m.loss = loss_of(&m);
    m.params = tide_params(m.g, "");
    m.grads = tide_grad(m.loss, m.params);
    const tide_val *d = m.grads.items;
    m.program = tide_compile(TIDE_LIST(m.loss, m.parts, d[0], d[1], d[2], d[3], d[4], d[5]), NULL);
    if (tide_run(m.program, NULL, 0)) fail_msg("%s", tide_program_error(m.program)->message);
    return m;
}

static void expect_same(const char *what, tide_val x, tide_val y) {
    const int64_t count = tide_shape_count(tide_shape_of(x));
    const float *got = tide_data(x), *want = tide_data(y);
    if (!got || !want) fail_msg("%s: %s", what, tide_error(x.graph)->message);
    for (int64_t i = 0; i < count; i++)
        expect_near(what, (double)got[i], (double)want[i], 2e-6 * (1 + fabs((double)want[i])));
}

/* Kernels that draw; and maps that compute nothing, but move what another made. */
static void count_kernels(tide_program *p, int *draw, int *move) {
    tide_explanation *e = tide_program_explain(p, NULL);
    *draw = *move = 0;
    for (int64_t i = 0; i < e->n_kernels; i++) {
        *draw += strstr(e->kernels[i].members, "dropout mask") != NULL;
        *move += !strcmp(e->kernels[i].kind, "map") && !e->kernels[i].ops;
    }
    tide_explanation_free(e);
}

static void test_like_ref(void **state) {
    (void)state;
    model x = model_on("cpu"), y = model_on("ref");
    expect_same("loss", x.loss, y.loss);
    expect_same("parts", x.parts, y.parts);
    assert_int_equal(x.grads.count, 6);
    for (int32_t i = 0; i < x.grads.count; i++) expect_same("gradient", x.grads.items[i], y.grads.items[i]);
    int draw, move;
    count_kernels(x.program, &draw, &move);
    assert_int_equal(draw, 2);
    assert_int_equal(move, 2);  /* of four parts: exp and tanh are read by their derivatives too */
    tide_graph_free(x.g), tide_graph_free(y.g);
}

/* The norm of all gradients takes partial sums as they are: no kernel adds up one number alone. */
static tide_val norm_on(const char *device, tide_graph **g, tide_program **program) {
    enum { SIDE = 96 };
    static float numbers[SIDE * SIDE];
    *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .seed = 5 });
    for (int i = 0; i < SIDE * SIDE; i++) numbers[i] = (float)((i * 7919 % 1009) / 504.0 - 1);
    tide_val x = tide_constant(*g, TIDE_F32, TIDE_SHAPE(SIDE, SIDE), numbers), sum = tide_sum(tide_exp(x), TIDE_ALL);
    sum = tide_add(sum, tide_sum(tide_square(tide_sin(x)), TIDE_ALL));
    sum = tide_add(sum, tide_mean(tide_square(tide_slice(x, 0, 0, 3)), TIDE_ALL));
    tide_val norm = tide_sqrt(tide_add(sum, tide_sum(tide_tanh(tide_square(x)), TIDE_ALL)));
    *program = tide_compile(TIDE_LIST(norm, sum), NULL);
    if (tide_run(*program, NULL, 0)) fail_msg("%s", tide_program_error(*program)->message);
    return norm;
}

static void test_norm(void **state) {
    (void)state;
    tide_graph *g[2];
    tide_program *program[2];
    tide_val x = norm_on("cpu", &g[0], &program[0]), y = norm_on("ref", &g[1], &program[1]);
    expect_same("norm", x, y);
    tide_explanation *e = tide_program_explain(program[0], NULL);
    for (int64_t i = 0; i < e->n_kernels; i++)
        if (!strcmp(e->kernels[i].kind, "fold")) fail_msg("a fold of %d", (int)e->kernels[i].rows);
    tide_explanation_free(e);
    tide_graph_free(g[0]), tide_graph_free(g[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_like_ref), cmocka_unit_test(test_norm) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
