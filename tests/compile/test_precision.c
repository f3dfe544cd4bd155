/* Precision: which products become 16-bit, what that costs in accuracy, and what must not change. */
#include "../nn/nn_support.h"

#include <stdio.h>

static const char *const devices[] = { "ref", "check", "cpu" };

/* Whether the cpu device has bf16 here; where not, programs fall back to F32 and are held to its bounds. */
static bool has(const char *device, tide_precision precision) {
    tide_graph *g = tide_graph_new(device);
    bool native = tide_precision_here(g, precision, NULL) == precision;
    tide_graph_free(g);
    return native;
}

static double round_to(double x, tide_precision precision) {
    if (precision == TIDE_PRECISION_F32 || x == 0 || !isfinite(x)) return x;
    int exponent, digits = precision == TIDE_PRECISION_BF16 ? 8 : 11;
    frexp(x, &exponent);
    double unit = ldexp(1, exponent - digits);
    return nearbyint(x / unit) * unit;  /* numbers here are far from either type's limits */
}

static float noise(int64_t i, int seed) {
    return (float)((i * 7919 + seed * 104729 + i * i % 613) % 2003) / 1001.0f - 1;
}

static float *numbers(int64_t count, int seed) {
    float *x = malloc(sizeof *x * (size_t)(count + 1));
    for (int64_t i = 0; i < count; i++) x[i] = noise(i, seed) * 1.7f;
    return x;
}

/* ---- single products ---- */

typedef struct product {
    int64_t m, n, k, batch;
    bool a_turned, b_turned, b_shared;  /* stored as (k, m); as (n, k); one B for the whole batch */
    bool large;                         /* multiplied in 16 bits */
} product;

static const product products[] = {
    { 64, 64, 64, 1, false, false, false, true },   { 64, 64, 64, 1, true, false, false, true },
    { 64, 64, 64, 1, false, true, false, true },
    { 64, 64, 64, 1, true, true, false, true },     { 67, 45, 131, 1, false, true, false, true },
    { 131, 33, 47, 1, true, false, false, true },
    { 40, 65, 70, 3, false, false, false, true },   { 40, 65, 70, 3, false, true, true, true },
    { 70, 64, 64, 2, true, true, true, true },
    { 33, 200, 33, 1, false, false, false, true },  { 1, 300, 500, 1, false, false, false, false },
    { 11, 11, 32, 6, false, true, false, false },
    { 500, 1, 400, 1, false, false, false, false }, { 500, 500, 3, 1, false, false, false, false },
    { 64, 64, 0, 1, false, false, false, false },
    { 64, 64, 31, 1, false, false, false, false },  { 0, 64, 64, 1, false, false, false, false },
    { 31, 128, 128, 1, false, true, false, false },
};

static tide_val operand(tide_graph *g, const char *name, int64_t batch, int64_t rows, int64_t cols, bool turned,
                        int seed) {
    tide_shape s = turned ? TIDE_SHAPE(batch, cols, rows) : TIDE_SHAPE(batch, rows, cols);
    float *data = numbers(tide_shape_count(s), seed);
    tide_val v = tide_variable(g, name, tide_constant(g, TIDE_F32, s, data));
    free(data);
    return turned ? tide_transpose(v, -1, -2) : v;
}

static double element(int64_t i, int64_t rows, int64_t cols, int64_t row, int64_t col, bool turned, int seed) {
    return (double)(noise(i * rows * cols + (turned ? col * rows + row : row * cols + col), seed) * 1.7f);
}

/* Against sums in double of operands rounded to the precision: what remains is the rounding of F32 sums. Against those
 * of operands that are not rounded: half a unit of each. */
static void expect_product(const product *p, const float *got, tide_precision precision, const char *what) {
    double unit = precision == TIDE_PRECISION_BF16 ? 0x1p-8 : precision == TIDE_PRECISION_F16 ? 0x1p-11 : 0;
    for (int64_t i = 0, at = 0; i < p->batch; i++)
        for (int64_t r = 0; r < p->m; r++)
            for (int64_t c = 0; c < p->n; c++, at++) {
                double rounded = 0, exact = 0, size = 0;
                for (int64_t l = 0; l < p->k; l++) {
                    double a = element(i, p->m, p->k, r, l, p->a_turned, 1),
                           b = element(p->b_shared ? 0 : i, p->k, p->n, l, c, p->b_turned, 2);
                    rounded += round_to(a, precision) * round_to(b, precision), exact += a * b, size += fabs(a * b);
                }
                double sums = size * (double)(p->k + 4) * 6e-8;
                expect_near(what, (double)got[at], rounded, sums);
                expect_near(what, (double)got[at], exact, sums + size * unit * 1.01);
            }
}

static void try_product(const product *p, const char *device, tide_precision precision) {
    tide_graph *g = tide_graph_new(device);
    tide_val a = operand(g, "a", p->batch, p->m, p->k, p->a_turned, 1),
             b = operand(g, "b", p->b_shared ? 1 : p->batch, p->k, p->n, p->b_turned, 2);
    tide_val c = tide_matmul(a, p->b_shared ? tide_reshape(b, TIDE_SHAPE(p->k, p->n)) : b);
    tide_program *program = tide_compile(TIDE_LIST(c), &(tide_compile_options){ .precision = precision });
    char what[160];
    snprintf(what, sizeof what, "%dx%dx%d of %d%s%s%s in %s on %s", (int)p->m, (int)p->n, (int)p->k, (int)p->batch,
             p->a_turned ? " A'" : "", p->b_turned ? " B'" : "",
             p->b_shared ? " one B" : "", tide_precision_name(precision), device);
    if (tide_run(program, NULL, 0)) fail_msg("%s: %s", what, tide_program_error(program)->message);
    expect_product(p, tide_data(c), p->large ? tide_program_precision(program, NULL) : TIDE_PRECISION_F32, what);
    tide_graph_free(g);
}

static void test_products(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        for (int d = 0; d < 3; d++)
            for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_F16; p++)
                try_product(&products[i], devices[d], (tide_precision)p);
}

/* A NaN spoils its row, an infinity its column, and what F16 cannot hold becomes infinite. */
static void test_specials(void **state) {
    (void)state;
    enum { N = 64 };
    for (int d = 0; d < 3; d++)
        for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16; p++) {
            tide_graph *g = tide_graph_new(devices[d]);
            float *x = numbers(N * N, 3), *y = numbers(N * N, 4);
            x[5 * N + 7] = NAN, x[9 * N + 1] = 1e6f;
            for (int i = 0; i < N; i++) y[i * N + 20] = fabsf(y[i * N + 20]);
            y[3 * N + 20] = INFINITY;
            tide_val product = tide_matmul(tide_abs(tide_constant(g, TIDE_F32, TIDE_SHAPE(N, N), x)),
                                           tide_constant(g, TIDE_F32, TIDE_SHAPE(N, N), y));
            tide_program *program =
                tide_compile(TIDE_LIST(product), &(tide_compile_options){ .precision = (tide_precision)p });
            assert_int_equal(tide_run(program, NULL, 0), TIDE_OK);
            bool overflows = tide_program_precision(program, NULL) == TIDE_PRECISION_F16;
            const float *z = tide_data(product);
            for (int i = 0; i < N * N; i++) {
                int row = i / N, col = i % N;
                bool nan = row == 5, infinite = col == 20 || (overflows && row == 9);
                if (nan ? !isnan(z[i]) : infinite ? !isinf(z[i]) : !isfinite(z[i]))
                    fail_msg("%s: element %d, %d is %g", devices[d], row, col, (double)z[i]);
            }
            free(x);
            free(y);
            tide_graph_free(g);
        }
}

/* ---- a network with every sort of large product, trained ---- */

enum { ROWS = 6, TOKENS = 48, WIDTH = 64, HEADS = 2 };

typedef struct network { tide_val x, y, out, loss, update; tide_list params, grads; } network;

static network network_new(tide_graph *g) {
    network n = { tide_input(g, "x", TIDE_F32, TIDE_SHAPE(ROWS, TOKENS, 40)),
                  tide_input(g, "y", TIDE_F32, TIDE_SHAPE(ROWS, TOKENS, 24)) };
    tide_linear in = tide_linear_new(g, "in", 40, WIDTH), up = tide_linear_new(g, "up", WIDTH, 96),
                down = tide_linear_new(g, "down", 96, 24);
    tide_layer_norm_layer norm = tide_layer_norm_new(g, "norm", WIDTH, 1e-5);
    tide_val h = tide_linear_apply(&in, n.x),
             heads =
                 tide_permute(tide_reshape(h, TIDE_SHAPE(ROWS, TOKENS, HEADS, WIDTH / HEADS)), (int[]){ 0, 2, 1, 3 });
    tide_val scores = tide_softmax(tide_mul_scalar(tide_matmul(heads, tide_transpose(heads, -1, -2)), 0.2), -1);
    tide_val mixed =
        tide_reshape(tide_permute(tide_matmul(scores, heads), (int[]){ 0, 2, 1, 3 }), TIDE_SHAPE(ROWS, TOKENS, WIDTH));
    h = tide_layer_norm_apply(&norm, tide_add(h, tide_dropout(mixed, 0.1, TIDE_TRAIN)));
    n.out = tide_linear_apply(&down, tide_gelu(tide_linear_apply(&up, h)));
    n.loss = tide_mse(n.out, n.y);
    n.params = tide_params(g, ""), n.grads = tide_grad(n.loss, n.params);
    n.update = tide_adamw(n.params, tide_clip_norm(n.grads, 1),
                          &(tide_adamw_opts){ .lr = tide_scalar(g, 3e-3), .weight_decay = 0.01 });
    return n;
}

static void train(const network *n, tide_program *p, int steps) {
    float *x = numbers(ROWS * TOKENS * 40, 5), *y = numbers(ROWS * TOKENS * 24, 6);
    for (int i = 0; i < steps; i++)
        if (tide_run(p, (tide_feed[]){ { n->x, x }, { n->y, y } }, 2)) fail_msg("%s", tide_program_error(p)->message);
    free(x);
    free(y);
}

/* Largest difference between two values of the same size, against the largest number of the second. */
static double apart(tide_val a, tide_val b) {
    const float *x = tide_data(a), *y = tide_data(b);
    double far = 0, size = 1e-30;
    for (int64_t i = 0; i < tide_shape_count(tide_shape_of(b)); i++)
        far = fmax(far, isfinite(x[i]) ? fabs((double)x[i] - (double)y[i]) : INFINITY),
        size = fmax(size, fabs((double)y[i]));
    return far / size;
}

static void compare_with(const char *device, tide_precision precision, const char *base_device, tide_precision base,
                         double allowed) {
    tide_graph *g[2] = { tide_graph_new(device), tide_graph_new(base_device) };
    network n[2];
    for (int i = 0; i < 2; i++) {
        n[i] = network_new(g[i]);
        tide_val wanted[16] = { n[i].out, n[i].loss };
        for (int64_t j = 0; j < n[i].grads.count; j++) wanted[2 + j] = n[i].grads.items[j];
        train(&n[i],
              tide_compile((tide_list){ wanted, 2 + n[i].grads.count },
                           &(tide_compile_options){ .precision = i ? base : precision }),
              1);
    }
    char what[160];
    snprintf(what, sizeof what, "%s in %s against %s in %s", device, tide_precision_name(precision), base_device,
             tide_precision_name(base));
    expect_near(what, apart(n[0].out, n[1].out), 0, allowed);
    for (int64_t j = 0; j < n[0].grads.count; j++)
        expect_near(tide_name_of(n[0].params.items[j]), apart(n[0].grads.items[j], n[1].grads.items[j]), 0, allowed);
    for (int i = 0; i < 2; i++) tide_graph_free(g[i]);
}

/* A dozen products one after the other, each with errors of half a unit in its operands, which mostly cancel. */
static void test_gradients(void **state) {
    (void)state;
    for (int d = 0; d < 3; d++) {
        compare_with(devices[d], TIDE_PRECISION_BF16, "ref", TIDE_PRECISION_F32, 4 * 0x1p-8);
        compare_with(devices[d], TIDE_PRECISION_F16, "ref", TIDE_PRECISION_F32, 4 * 0x1p-11);
    }
}

/* Between devices only operands on the edge between two 16-bit numbers may differ. */
static void test_devices_agree(void **state) {
    (void)state;
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16; p++)
        for (int d = 1; d < 3; d++)
            if (has(devices[d], (tide_precision)p))
                compare_with(devices[d], (tide_precision)p, "ref", (tide_precision)p,
                             p == TIDE_PRECISION_BF16 ? 0x1p-8 : 0x1p-11);
}

static float trained_loss(tide_precision precision, int threads, float *weights, size_t bytes) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = threads, .seed = 3 });
    network n = network_new(g);
    tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), &(tide_compile_options){ .precision = precision });
    float loss = NAN;
    train(&n, p, 60);
    assert_int_equal(tide_read(n.loss, &loss, sizeof loss), TIDE_OK);
    assert_int_equal(tide_read(tide_find_variable(g, "up.weight"), weights, bytes), TIDE_OK);
    tide_graph_free(g);
    return loss;
}

static void test_training(void **state) {
    (void)state;
    static float weights[4][96 * WIDTH];
    float f32 = trained_loss(TIDE_PRECISION_F32, 2, weights[0], sizeof *weights), bf16 = 0;
    for (int threads = 1; threads <= 3; threads++)
        bf16 = trained_loss(TIDE_PRECISION_BF16, threads, weights[threads], sizeof *weights);
    expect_near("loss after training in bf16", (double)bf16, (double)f32, 0.01 * (double)f32);
    assert_memory_equal(weights[1], weights[2], sizeof *weights);
    assert_memory_equal(weights[1], weights[3], sizeof *weights);
    assert_int_equal(has("cpu", TIDE_PRECISION_BF16), memcmp(weights[0], weights[1], sizeof *weights) != 0);
}

/* ---- what is cast, and where ---- */

static void count_casts(void *user, const char *pass, const char *text) {
    int *counts = user;
    if (strcmp(pass, "precision")) return;
    for (const char *at = text; (at = strstr(at, "= cast %")); at++) counts[0]++;
    for (const char *at = text; (at = strstr(at, "= matmul %")); at++) counts[1]++;
}

/* x, h1 (stored in 16 bits, as only a product reads it) and two weights: four casts for two products forward. Backward
 * are four more products (none for x) with two more operands. */
static void test_each_value_is_cast_once(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("check");
    tide_linear a = tide_linear_new(g, "a", 64, 128), b = tide_linear_new(g, "b", 128, 64);
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(96, 64)),
             y = tide_linear_apply(&b, tide_relu(tide_linear_apply(&a, x)));
    int forward[2] = { 0 }, both[2] = { 0 };
    tide_compile_options o = { .precision = TIDE_PRECISION_BF16, .dump = count_casts, .dump_user = forward };
    tide_program *in_bf16 = tide_compile(TIDE_LIST(y), &o), *in_f32 = tide_compile(TIDE_LIST(y), NULL);
    assert_int_equal(forward[0], 4);
    assert_int_equal(forward[1], 2);
    /* two weights and x; h1's cast is in its own kernel */
    assert_int_equal(tide_program_kernels(in_bf16), tide_program_kernels(in_f32) + 3);
    tide_list grads = tide_grad(tide_mean(tide_square(y), TIDE_ALL), tide_params(g, ""));
    o.dump_user = both;
    tide_compile(grads, &o);
    assert_int_equal(both[1], 5);
    assert_int_equal(both[0], 6);
    tide_graph_free(g);
}

/* ---- who decides ---- */

static void test_fallback(void **state) {
    (void)state;
    const char *note = NULL;
    setenv("TIDEMILL_ISA", "baseline", 1);
    tide_graph *g = tide_graph_new("cpu");
    tide_val x = tide_fill(g, TIDE_F32, TIDE_SHAPE(64, 64), 1.0 / 3), y = tide_matmul(x, x);
    tide_program *p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = TIDE_PRECISION_BF16 });
    assert_int_equal(tide_program_precision(p, &note), TIDE_PRECISION_F32);
    assert_true(strlen(note) > 10);
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    expect_near("a product in f32", (double)*(const float *)tide_data(y), 64.0 / 9, 1e-5);
    p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = TIDE_PRECISION_BF16, .strict = true });
    assert_int_equal(tide_run(p, NULL, 0), TIDE_EDEVICE);
    assert_string_equal(tide_program_error(p)->message, note);
    p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = TIDE_PRECISION_AUTO, .strict = true });
    assert_int_equal(tide_program_precision(p, &note), TIDE_PRECISION_F32);
    assert_string_equal(note, "");
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    unsetenv("TIDEMILL_ISA");
    tide_graph_free(g);
}

static void test_autocast(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("check");
    tide_val x = tide_fill(g, TIDE_F32, TIDE_SHAPE(64, 64), 1.0 / 3), y = tide_matmul(x, x);
    assert_int_equal(tide_program_precision(tide_compile(TIDE_LIST(y), NULL), NULL), TIDE_PRECISION_F32);
    tide_autocast(g, TIDE_PRECISION_F16);
    assert_int_equal(tide_program_precision(tide_compile(TIDE_LIST(y), NULL), NULL), TIDE_PRECISION_F16);
    assert_int_equal(tide_program_precision(
                         tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = TIDE_PRECISION_F32 }), NULL),
                     TIDE_PRECISION_F32);
    tide_program *p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = (tide_precision)9 });
    assert_int_equal(tide_run(p, NULL, 0), TIDE_EINVAL);
    assert_int_equal(tide_precision_here(g, TIDE_PRECISION_GRAPH, NULL), TIDE_PRECISION_F16);
    assert_string_equal(tide_precision_name(TIDE_PRECISION_BF16), "bf16");
    tide_autocast(g, (tide_precision)9);
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
    tide_graph_free(g);
}

/* Products of values that are 16-bit already use them as they are; F64 products stay. */
static void test_other_types(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("check");
    int counts[2] = { 0 };
    tide_compile_options o = { .precision = TIDE_PRECISION_BF16, .dump = count_casts, .dump_user = counts };
    tide_val x = tide_input(g, "x", TIDE_BF16, TIDE_SHAPE(64, 64)),
             w = tide_input(g, "w", TIDE_F64, TIDE_SHAPE(64, 64));
    tide_compile(TIDE_LIST(tide_matmul(x, tide_transpose(x, 0, 1)), tide_matmul(w, w)), &o);
    assert_int_equal(counts[0], 1);  /* of the result, which matmul gives in its operands' type */
    assert_int_equal(counts[1], 2);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),  cmocka_unit_test(test_specials), cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_devices_agree),
        cmocka_unit_test(test_training),  cmocka_unit_test(test_each_value_is_cast_once),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_autocast),  cmocka_unit_test(test_other_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
