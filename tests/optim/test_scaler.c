/* tide_when and tide_grad_scaler: a step with an overflow changes nothing but the scaler, good steps grow the scale,
 * and training with a scale that is a power of 2 gives the bits of training without one. */
#include "../nn/nn_support.h"

enum { ROWS = 20, IN = 6, HIDDEN = 9, INTERVAL = 4 };

typedef struct model {
    tide_graph *g;
    tide_val x, y, loss;
    tide_list params;
    tide_grad_scaler scaler;
    tide_program *step;
} model;

static const tide_grad_scaler_opts options = { .initial = 1024, .interval = INTERVAL };

static model model_new(bool scaled, bool clipped) {
    model m = { .g = tide_graph_new(test_device()) };
    tide_linear a = tide_linear_new(m.g, "a", IN, HIDDEN), b = tide_linear_new(m.g, "b", HIDDEN, 1);
    m.x = tide_input(m.g, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN)),
    m.y = tide_input(m.g, "y", TIDE_F32, TIDE_SHAPE(ROWS, 1));
    m.loss = tide_mse(tide_linear_apply(&b, tide_relu(tide_linear_apply(&a, m.x))), m.y);
    m.params = tide_params(m.g, "");
    tide_adamw_opts adam = { .lr = tide_scalar(m.g, 0.01), .weight_decay = 0.1 };
    if (scaled) m.scaler = tide_grad_scaler_new(m.g, "scaler", &options);
    tide_list grads = tide_grad(scaled ? tide_grad_scaler_scale(&m.scaler, m.loss) : m.loss, m.params);
    if (scaled) grads = tide_grad_scaler_unscale(&m.scaler, grads);
    tide_val update = tide_adamw(m.params, clipped ? tide_clip_norm(grads, 0.5) : grads, &adam);
    if (scaled) update = tide_grad_scaler_step(&m.scaler, update);
    m.step = tide_compile(TIDE_LIST(m.loss, update), NULL);
    return m;
}

/* One step on fixed data; `spoiled` goes into one target. */
static void step(model *m, int seed, float spoiled) {
    float x[ROWS * IN], y[ROWS];
    for (int i = 0; i < ROWS * IN; i++) x[i] = (float)((i * 37 + seed * 101) % 53) / 26 - 1;
    for (int i = 0; i < ROWS; i++) y[i] = (float)((i * 17 + seed) % 11) / 5;
    y[3] += spoiled;
    if (tide_run(m->step, (tide_feed[]){ { m->x, x }, { m->y, y } }, 2))
        fail_msg("%s", tide_program_error(m->step)->message);
}

static int count_of(tide_val v) {
    int32_t n = -1;
    assert_int_equal(tide_read(v, &n, sizeof n), TIDE_OK);
    return n;
}

static void expect_scaler(const model *m, double scale, int good, int skipped) {
    expect_all("scale", m->scaler.scale, &scale, 1, 0);
    assert_int_equal(count_of(m->scaler.good), good);
    assert_int_equal(count_of(m->scaler.skipped), skipped);
}

/* All that survives but the scaler's own. */
static size_t state_of(const model *m, char *out, size_t room) {
    tide_list all = tide_state(m->g, "");
    size_t used = 0;
    for (int64_t i = 0; i < all.count; i++) {
        size_t bytes =
            (size_t)tide_shape_count(tide_shape_of(all.items[i])) * tide_dtype_size(tide_dtype_of(all.items[i]));
        if (!strncmp(tide_name_of(all.items[i]), "scaler", 6)) continue;
        assert_true(used + bytes <= room);
        assert_int_equal(tide_read(all.items[i], out + used, bytes), TIDE_OK);
        used += bytes;
    }
    return used;
}

static void test_growth_and_backoff(void **state) {
    (void)state;
    char before[4096], after[4096];
    model m = model_new(true, true);
    expect_fine(m.g);
    for (int i = 0; i < INTERVAL - 1; i++) step(&m, i, 0);
    expect_scaler(&m, 1024, INTERVAL - 1, 0);
    step(&m, 9, 0);
    expect_scaler(&m, 2048, 0, 0);
    step(&m, 10, 0);
    size_t bytes = state_of(&m, before, sizeof before);
    /* parameters, both moments, a step count */
    assert_true(bytes > 3 * sizeof(float) * (IN * HIDDEN + 2 * HIDDEN + 1));
    static const float spoilers[] = { INFINITY, NAN, 1e38f };
    for (int i = 0; i < 3; i++) {
        step(&m, 11, spoilers[i]);
        expect_scaler(&m, 1024 >> i, 0, i + 1);
        assert_int_equal(state_of(&m, after, sizeof after), bytes);
        assert_memory_equal(before, after, bytes);
    }
    step(&m, 11, 0);
    expect_scaler(&m, 256, 1, 3);
    state_of(&m, after, sizeof after);
    assert_int_not_equal(memcmp(before, after, bytes), 0);
    tide_graph_free(m.g);
}

static void test_same_as_unscaled(void **state) {
    (void)state;
    for (int clipped = 0; clipped < 2; clipped++) {
        model with = model_new(true, clipped), without = model_new(false, clipped);
        char a[4096], b[4096];
        for (int i = 0; i < 3 * INTERVAL; i++) step(&with, i, 0), step(&without, i, 0);
        size_t bytes = state_of(&with, a, sizeof a);
        assert_int_equal(state_of(&without, b, sizeof b), bytes);
        assert_memory_equal(a, b, bytes);
        expect_scaler(&with, 1024 * 8, 0, 0);
        tide_graph_free(with.g);
        tide_graph_free(without.g);
    }
}

/* The scale stops where it and its reciprocal are still ordinary numbers. */
static void test_limits(void **state) {
    (void)state;
    model m = model_new(true, false);
    for (int i = 0; i < 40; i++) step(&m, i, NAN);
    expect_scaler(&m, 0x1p-24, 0, 40);
    for (int i = 0; i < 50 * INTERVAL; i++) step(&m, i % 7, 0);
    expect_scaler(&m, 0x1p24, 0, 40);
    tide_graph_free(m.g);
}

static void test_when(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(3)),
             a = tide_variable(g, "a", tide_fill(g, TIDE_F32, TIDE_SHAPE(3), 1));
    tide_val n = tide_variable(g, "n", tide_scalar_of(g, TIDE_I32, 0)),
             b = tide_variable(g, "b", tide_fill(g, TIDE_F64, TIDE_SHAPE(2, 2), 5));
    tide_val both = tide_group(g, TIDE_LIST(tide_assign(a, x), tide_assign(n, tide_add_scalar(n, 1)),
                                            tide_assign(b, tide_transpose(b, 0, 1))));
    for (int i = 0; i < 40; i++) both = tide_group(g, TIDE_LIST(both, both));
    tide_program *p = tide_compile(TIDE_LIST(tide_when(tide_gt(tide_sum(x, TIDE_ALL), tide_scalar(g, 0)), both)), NULL);
    static const float fed[][3] = { { 1, 2, 3 }, { -1, -2, -3 }, { NAN, 0, 0 }, { 4, 0, 0 } };
    static const double kept[][3] = { { 1, 2, 3 }, { 1, 2, 3 }, { 1, 2, 3 }, { 4, 0, 0 } };
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tide_run(p, &(tide_feed){ x, fed[i] }, 1), TIDE_OK);
        expect_all("a", a, kept[i], 3, 0);
        assert_int_equal(count_of(n), i == 3 ? 2 : 1);
    }
    tide_graph_free(g);
}

static void test_misuse(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) {
        tide_graph *g = tide_graph_new(test_device());
        tide_val v = tide_variable(g, "v", tide_scalar(g, 1)), effect = tide_assign(v, v),
                 yes = tide_gt(v, tide_scalar(g, 0));
        tide_grad_scaler s = { 0 };
        tide_val out = { 0 };
        switch (i) {
        case 0: out = tide_when(yes, v); break;
        case 1: out = tide_when(v, effect); break;
        case 2: out = tide_when(tide_gt(tide_fill(g, TIDE_F32, TIDE_SHAPE(2), 1), v), effect); break;
        case 3: out = tide_grad_scaler_new(g, "s", &(tide_grad_scaler_opts){ .backoff = 2 }).scale; break;
        default: s = tide_grad_scaler_new(g, "s", NULL), out = tide_grad_scaler_step(&s, effect);
        }
        assert_int_not_equal(tide_error(g)->status, TIDE_OK);
        assert_true(i == 3 || !tide_ok(out));
        tide_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth_and_backoff), cmocka_unit_test(test_same_as_unscaled),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_when), cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
