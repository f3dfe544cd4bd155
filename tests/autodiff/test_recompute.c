/* Regions that are computed again for the backward pass: the same gradients, first and second, with dropout and in any
 * type; less memory in deep models; and what is refused. */
#include "../nn/nn_support.h"

#include <stdio.h>

enum { ROWS = 12, WIDTH = 8 };

typedef struct layer { tide_linear in, out; tide_layer_norm_layer norm; } layer;

/* Residual, normalised, with dropout and a softmax over the rows: what an encoder block has. */
static tide_val layer_apply(const layer *l, tide_val x, double p) {
    tide_val scores = tide_softmax(tide_matmul(x, tide_transpose(x, -1, -2)), -1);
    tide_val mixed  = tide_matmul(tide_dropout(scores, p, TIDE_TRAIN), x);
    tide_val hidden = tide_dropout(tide_gelu(tide_linear_apply(&l->in, mixed)), p, TIDE_TRAIN);
    return tide_layer_norm_apply(&l->norm, tide_add(x, tide_linear_apply(&l->out, hidden)));
}

static layer layer_new(tide_graph *g, int i, int64_t width, int64_t inner) {
    char name[16];
    snprintf(name, sizeof name, "layer%d", i);
    tide_scope_push(g, name);
    layer l = { tide_linear_new(g, "in", width, inner), tide_linear_new(g, "out", inner, width),
                tide_layer_norm_new(g, "norm", width, 1e-5) };
    tide_scope_pop(g);
    return l;
}

typedef struct model { tide_graph *g; tide_val x, loss; tide_list params, grads; } model;

static model model_new(int layers, int64_t rows, int64_t width, double p, bool again) {
    model m = { .g = tide_graph_new_with(&(tide_graph_options){ .device = test_device(), .seed = 11 }) };
    m.x = tide_input(m.g, "x", TIDE_F32, TIDE_SHAPE(rows, width));
    tide_val h = m.x;
    for (int i = 0; i < layers; i++) {
        layer l = layer_new(m.g, i, width, 2 * width);
        if (again) tide_recompute_begin(m.g);
        h = layer_apply(&l, h, p);
        if (again) tide_recompute_end(m.g);
    }
    m.loss = tide_mean(tide_square(tide_add_scalar(tide_sin(h), -0.3)), TIDE_ALL);
    m.params = tide_params(m.g, "");
    m.grads = tide_grad(m.loss, m.params);
    return m;
}

static void feed_numbers(float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) x[i] = (float)((i * 37) % 53) / 26 - 1;
}

static void read_all(tide_val v, float *out, int64_t n) {
    assert_int_equal(tide_shape_count(tide_shape_of(v)), n);
    assert_int_equal(tide_read(v, out, (size_t)n * sizeof *out), TIDE_OK);
}

/* a and b, of two graphs, after `p` and `q` ran: equal but for the order in which kernels that differ add up. */
static void expect_same(tide_list a, tide_list b, double tolerance) {
    assert_int_equal(a.count, b.count);
    for (int64_t i = 0; i < a.count; i++) {
        int64_t n = tide_shape_count(tide_shape_of(a.items[i]));
        float *va = malloc((size_t)n * sizeof *va), *vb = malloc((size_t)n * sizeof *vb);
        read_all(a.items[i], va, n), read_all(b.items[i], vb, n);
        for (int64_t j = 0; j < n; j++) expect_near(tide_name_of(a.items[i]), (double)va[j], (double)vb[j], tolerance);
        free(va);
        free(vb);
    }
}

static tide_program *run_new(tide_list wanted, tide_val x, const float *data, const tide_compile_options *options) {
    tide_program *p = tide_compile(wanted, options);
    if (tide_run(p, (tide_feed[]){ { x, data } }, 1)) fail_msg("%s", tide_program_error(p)->message);
    return p;
}

/* Gradients and a step that uses them, with dropout: the values made again have the masks of the first time. */
static void test_same_gradients(void **unused) {
    (void)unused;
    float data[ROWS * WIDTH];
    feed_numbers(data, ROWS * WIDTH);
    for (int no_passes = 0; no_passes < 2; no_passes++)
        for (int layers = 1; layers <= 4; layers++) {
            tide_compile_options options = { .no_passes = no_passes };
            model kept = model_new(layers, ROWS, WIDTH, 0.3, false), again = model_new(layers, ROWS, WIDTH, 0.3, true);
            run_new(kept.grads, kept.x, data, &options), run_new(again.grads, again.x, data, &options);
            expect_same(again.grads, kept.grads, 1e-6);
            tide_graph_free(kept.g);
            tide_graph_free(again.g);
        }
}

/* ---- derivatives in f64, to second order ---- */

typedef struct small { tide_graph *g; tide_val w, x, loss, first, second; } small;

static small small_new(bool again) {
    static const double values[6] = { 0.3, -0.7, 1.1, 0.2, -0.4, 0.9 };
    small s = { .g = tide_graph_new(test_device()) };
    tide_val start = tide_constant(s.g, TIDE_F64, TIDE_SHAPE(2, 3), values);
    s.w = tide_variable(s.g, "w", start);
    s.x = tide_input(s.g, "x", TIDE_F64, TIDE_SHAPE(3, 2));
    tide_val h = tide_mul_scalar(s.x, 1.5); /* made outside: goes through the gate */
    for (int i = 0; i < 3; i++) {
        if (again) tide_recompute_begin(s.g);
        tide_val y = tide_tanh(tide_matmul(h, s.w));
        h = tide_add(h, tide_matmul(tide_softmax(y, -1), tide_transpose(s.w, 0, 1)));
        if (again) tide_recompute_end(s.g);
    }
    s.loss = tide_sum(tide_sin(h), TIDE_ALL);
    s.first = tide_grad(s.loss, TIDE_LIST(s.w)).items[0];
    s.second = tide_grad(tide_sum(tide_mul(s.first, tide_cos(s.first)), TIDE_ALL), TIDE_LIST(s.w)).items[0];
    expect_fine(s.g);
    return s;
}

static const double small_x[6] = { 0.5, -0.2, 0.1, 0.8, -0.6, 0.4 };

static void read_small(small *s, tide_program *p, double loss[1], double first[6], double second[6]) {
    if (tide_run(p, (tide_feed[]){ { s->x, small_x } }, 1)) fail_msg("%s", tide_program_error(p)->message);
    assert_int_equal(tide_read(s->loss, loss, 8), TIDE_OK);
    assert_int_equal(tide_read(s->first, first, 48), TIDE_OK);
    assert_int_equal(tide_read(s->second, second, 48), TIDE_OK);
}

static double cosine_sum(const double *v) {
    double sum = 0;
    for (int i = 0; i < 6; i++) sum += v[i] * cos(v[i]);
    return sum;
}

/* Central differences of step h: off by h^2 times third derivatives, of up to some 1000 here, and by rounding / h. */
static void expect_differences(small *s, tide_program *p, const double *first, const double *second) {
    double w[6], loss[2], f[2][6], unused[6], h = 2e-6;
    assert_int_equal(tide_read(s->w, w, sizeof w), TIDE_OK);
    for (int i = 0; i < 6; i++) {
        double kept = w[i];
        for (int side = 0; side < 2; side++) {
            w[i] = kept + (side ? h : -h);
            assert_int_equal(tide_write(s->w, w, sizeof w), TIDE_OK);
            read_small(s, p, &loss[side], f[side], unused);
        }
        w[i] = kept;
        expect_near("first derivative", first[i], (loss[1] - loss[0]) / (2 * h), 1e-8);
        expect_near("second derivative", second[i], (cosine_sum(f[1]) - cosine_sum(f[0])) / (2 * h), 1e-8);
    }
    assert_int_equal(tide_write(s->w, w, sizeof w), TIDE_OK);
}

static void test_second_derivatives(void **unused) {
    (void)unused;
    double loss[2], first[2][6], second[2][6];
    for (int again = 0; again < 2; again++) {
        small s = small_new(again);
        tide_program *p = tide_compile(TIDE_LIST(s.loss, s.first, s.second), NULL);
        read_small(&s, p, &loss[again], first[again], second[again]);
        if (again) expect_differences(&s, p, first[1], second[1]);
        tide_graph_free(s.g);
    }
    for (int i = 0; i < 6; i++) {
        expect_near("first derivative", first[1][i], first[0][i], 1e-13);
        expect_near("second derivative", second[1][i], second[0][i], 1e-12);
    }
}

/* ---- memory ---- */

static double arena_mib(int layers, bool again, double *flops) {
    enum { MANY = 256, WIDE = 64 };
    model m = model_new(layers, MANY, WIDE, 0.1, again);
    tide_program *p = tide_compile(m.grads, NULL);
    if (tide_program_error(p)->status) fail_msg("%s", tide_program_error(p)->message);
    double bytes = (double)tide_program_bytes(p).arena;
    *flops = tide_program_flops(p);
    tide_graph_free(m.g);
    return bytes / (1 << 20);
}

/* In MiB: what a layer of this model keeps for its derivatives (its input 0.0625, the softmax with and without dropout
 * 0.25 each, ...) is 0.9; made again it keeps its input. Both give 0.065 of gradients. The rest, values and derivatives
 * of one layer or two, does not grow with the layers. */
static void test_memory(void **unused) {
    (void)unused;
    if (!strcmp(test_device(), "ref")) skip(); /* keeps all buffers apart */
    double kept[2], again[2], flops[2][2];
    for (int i = 0; i < 2; i++)
        kept[i] = arena_mib(8 + 8 * i, false, &flops[0][i]), again[i] = arena_mib(8 + 8 * i, true, &flops[1][i]);
    double per_kept = (kept[1] - kept[0]) / 8, per_again = (again[1] - again[0]) / 8;
    if (per_kept < 0.8 || per_again > 0.0625 + 0.065 + 0.01)
        fail_msg("a layer more takes %.3f MiB, made again %.3f: expected 0.9 and 0.13", per_kept, per_again);
    if (again[1] > 0.3 * kept[1])
        fail_msg("arena %.2f MiB with regions, %.2f without: expected less than 0.3 of it", again[1], kept[1]);
    for (int i = 0; i < 2; i++) /* the forward products are a third, or a little more: the input has no derivative */
        if (flops[1][i] < 1.2 * flops[0][i] || flops[1][i] > 1.36 * flops[0][i])
            fail_msg("%g products, %g without regions: expected up to the forward ones more", flops[1][i], flops[0][i]);
}

/* ---- edges ---- */

static void count_call(void *user, const void *const *inputs, void *output) {
    ++*(int *)user;
    for (int i = 0; i < 4; i++) ((float *)output)[i] = 2 * ((const float *)inputs[0])[i];
}

static void double_derivative(void *user, tide_list inputs, tide_val output, tide_val dy, tide_val *dx) {
    (void)user, (void)inputs, (void)output;
    dx[0] = tide_mul_scalar(dy, 2);
}

/* A custom operation runs once a run; values that depend on parameters alone, and masks, are not made twice either. */
static void test_custom_runs_once(void **unused) {
    (void)unused;
    int calls = 0;
    float got[4];
    tide_graph *g = tide_graph_new(test_device());
    tide_custom_op op = { "twice", count_call, double_derivative, &calls };
    tide_val w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(4), 0.5)),
             x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4));
    tide_recompute_begin(g);
    tide_val inner = tide_exp(tide_mul(w, x)),
             y = tide_sin(tide_custom(g, &op, TIDE_LIST(inner), TIDE_F32, TIDE_SHAPE(4)));
    tide_recompute_end(g);
    tide_val d = tide_grad(tide_sum(y, TIDE_ALL), TIDE_LIST(w)).items[0];
    const float feed[4] = { 0, 1, -1, 2 };
    run_new(TIDE_LIST(d), x, feed, NULL);
    assert_int_equal(tide_read(d, got, sizeof got), TIDE_OK);
    assert_int_equal(calls, 1);
    for (int i = 0; i < 4; i++) {
        double e = exp(0.5 * (double)feed[i]);
        expect_near("derivative", (double)got[i], 2 * e * (double)feed[i] * cos(2 * e), 4e-6);
    }
    tide_graph_free(g);
}

/* Regions without elements, without parameters, whose result is the loss; 16-bit and integer values that go in. */
static void test_odd_regions(void **unused) {
    (void)unused;
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(3)), none = tide_fill(g, TIDE_F32, TIDE_SHAPE(0, 3), 1);
    tide_val half = tide_cast(tide_exp(x), TIDE_BF16),
             index = tide_cast(tide_mul_scalar(tide_square(x), 0.5), TIDE_I32);
    tide_val chosen = tide_gt(x, tide_scalar(g, 1));
    tide_recompute_begin(g);
    tide_recompute_begin(g); /* belongs to the one around it */
    tide_val y = tide_gather(tide_cast(half, TIDE_F32), 0, index);
    tide_recompute_end(g);
    tide_val product = tide_where(chosen, tide_mul(y, tide_sin(x)), tide_exp(x));
    tide_val loss =
        tide_add(tide_sum(product, TIDE_ALL), tide_sum(tide_matmul(none, tide_reshape(x, TIDE_SHAPE(3, 1))), TIDE_ALL));
    tide_recompute_end(g);
    tide_val d = tide_grad(loss, TIDE_LIST(x)).items[0];
    const float feed[3] = { 0.5f, 1.5f, 2.0f };
    run_new(TIDE_LIST(d), x, feed, NULL);
    /* index 0, 1, 2, so y = exp(x) rounded to 8 bits where it is chosen: d = exp(x) (sin x + cos x) */
    double expected[3];
    for (int i = 0; i < 3; i++)
        expected[i] = exp((double)feed[i]) * (i ? sin((double)feed[i]) + cos((double)feed[i]) : 1);
    expect_all("derivative", d, expected, 3, 0.05);
    tide_graph_free(g);
}

static void test_refused(void **unused) {
    (void)unused;
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_variable(g, "x", tide_scalar(g, 2));
    tide_recompute_begin(g);
    assert_false(tide_ok(tide_grad(tide_square(x), TIDE_LIST(x)).items[0]));
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
    assert_non_null(strstr(tide_error(g)->message, "region is open"));
    tide_graph_free(g);
    g = tide_graph_new(test_device());
    tide_recompute_end(g);
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
    tide_graph_free(g);
}

/* Fails the `left`-th allocation and all after it. */
static void *few(void *user, size_t bytes) { return (*(int *)user)-- > 0 ? calloc(1, bytes) : NULL; }
static void give_back(void *user, void *memory, size_t bytes) { (void)user, (void)bytes, free(memory); }

static tide_status gradient_with(int allocations) {
    tide_graph_options o = { .device = test_device(), .allocator = { few, give_back, &allocations } };
    tide_graph *g = tide_graph_new_with(&o);
    if (!g) return TIDE_ENOMEM;
    tide_val w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(4, 4), 0.5)),
             h = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4, 4));
    for (int i = 0; i < 40; i++) { /* enough nodes that the graph grows while derivatives are made */
        tide_recompute_begin(g);
        h = tide_tanh(tide_matmul(tide_sin(h), w));
        tide_recompute_end(g);
    }
    tide_list d = tide_grad(tide_sum(h, TIDE_ALL), TIDE_LIST(w));
    tide_status status = tide_error(g)->status;
    if (status == TIDE_OK) assert_true(d.count == 1 && tide_ok(d.items[0]));
    tide_graph_free(g);
    return status;
}

static void test_out_of_memory(void **unused) {
    (void)unused;
    int enough = 1;
    for (; gradient_with(enough) != TIDE_OK; enough++) assert_int_equal(gradient_with(enough), TIDE_ENOMEM);
    assert_true(enough > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_gradients),
                                        cmocka_unit_test(test_second_derivatives),
                                        cmocka_unit_test(test_memory),
                                        cmocka_unit_test(test_custom_runs_once),
                                        cmocka_unit_test(test_odd_regions),      cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_out_of_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
