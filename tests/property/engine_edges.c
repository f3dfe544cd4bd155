/* Corners of the engine, on every device: deep graphs, assignments that read what they change, 16-bit sums, misuse,
 * random numbers, second derivatives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs those above */
#include <cmocka.h>
#include <tidemill/tidemill.h>

typedef void (*edge)(tide_graph *g);

static void on_all(edge test) {
    for (const char *const *device = tide_devices(); *device; device++) {
        if (tide_device_check(*device, NULL)) continue;
        tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = *device, .seed = 5 });
        test(g);
        tide_graph_free(g);
    }
}

#define EDGE(name)                                                  \
    static void name(tide_graph *g);                                \
    static void test_##name(void **state) { (void)state, on_all(name); } \
    static void name(tide_graph *g)

static void read_f64(tide_val v, double *out) {
    tide_val wide = tide_cast(v, TIDE_F64);
    size_t bytes = (size_t)tide_shape_count(tide_shape_of(v)) * sizeof *out;
    assert_string_equal(tide_error(v.graph)->message, "");
    assert_int_equal(tide_read(wide, out, bytes), TIDE_OK);
}

static double number(tide_val v) {
    double x = 0;
    assert_int_equal(tide_shape_count(tide_shape_of(v)), 1);
    read_f64(v, &x);
    return x;
}

static void same(double got, double expected, double tolerance) {
    if (isnan(expected) ? isnan(got) : got == expected || fabs(got - expected) <= tolerance) return;
    fail_msg("got %.9g, expected %.9g, apart by %.3g", got, expected, fabs(got - expected));
}

static tide_val counted(tide_graph *g, tide_dtype type, int64_t n) { return tide_arange(g, type, n); }

/* ---- large graphs: no deep recursion, no search that grows with the graph ---- */

EDGE(long_chain) {
    enum { N = 12000 };
    tide_val x = tide_scalar_of(g, TIDE_F64, 0), step = tide_variable(g, "step", tide_scalar_of(g, TIDE_F64, 1));
    for (int i = 0; i < N; i++) x = tide_add(x, step);
    same(number(x), N, 0);
}

EDGE(long_view_chain) {
    enum { N = 6000 };
    tide_val x = tide_variable(g, "x", counted(g, TIDE_F32, 6));
    for (int i = 0; i < N; i++)
        x = i % 2 ? tide_flip(x, 0)
                  : tide_reshape(tide_permute(tide_reshape(x, TIDE_SHAPE(2, 3)), (int[]){ 1, 0 }), TIDE_SHAPE(6));
    same(number(tide_sum(x, TIDE_ALL)), 15, 0);
}

/* Each value is used twice: 2^60 paths. */
EDGE(many_paths) {
    tide_val x = tide_scalar_of(g, TIDE_F64, 1);
    for (int i = 0; i < 60; i++) x = tide_mul(tide_sin(x), tide_cos(x));
    tide_val v = tide_variable(g, "v", x);
    tide_val effect = tide_assign(v, tide_add_scalar(v, 1));
    for (int i = 0; i < 60; i++) effect = tide_group(g, TIDE_LIST(effect, effect));
    double before = number(v);
    assert_int_equal(tide_run(tide_compile(TIDE_LIST(effect), NULL), NULL, 0), TIDE_OK);
    same(number(v), before + 1, 0);
}

/* Groups between products: what fusion asks of the graph must not grow with what lies behind. */
EDGE(long_network) {
    enum { N = 500 };
    tide_val x = tide_variable(g, "x", tide_fill(g, TIDE_F32, TIDE_SHAPE(4, 4), 0.1)),
             w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(4, 4), 0.25));
    tide_val y = x;
    for (int i = 0; i < N; i++)
        y = tide_add(tide_tanh(tide_matmul(y, w)), tide_mul_scalar(tide_sum(x, TIDE_AXES_KEEP(1)), 1e-3));
    tide_list gradient = tide_grad(tide_mean(y, TIDE_ALL), TIDE_LIST(w));
    assert_true(isfinite(number(tide_sum(gradient.items[0], TIDE_ALL))));
}

/* ---- assignments: all reads are of old values ---- */

EDGE(assignments_read_old_values) {
    enum { N = 400 };
    tide_val a = tide_variable(g, "a", tide_reshape(counted(g, TIDE_F64, N), TIDE_SHAPE(20, 20))),
             b = tide_variable(g, "b", tide_fill(g, TIDE_F64, TIDE_SHAPE(20, 20), 2));
    tide_val c = tide_variable(g, "c", tide_fill(g, TIDE_F64, TIDE_SHAPE(20, 20), 3)),
             d = tide_variable(g, "d", tide_fill(g, TIDE_F64, TIDE_SHAPE(20, 20), 0));
    tide_val row = tide_slice(a, 0, 1, 2), turned = tide_transpose(a, 0, 1);
    tide_val to_a = tide_add(turned, tide_mul(b, row));  /* itself, turned and along rows */
    tide_val to_b = tide_add(b, tide_matmul(a, b));
    tide_val to_c = tide_add(c, tide_gather(a, 0, tide_cast(counted(g, TIDE_F32, 20), TIDE_I32)));
    tide_val sum = tide_add(a, tide_add(b, c));
    tide_program *p = tide_compile(
        TIDE_LIST(tide_assign(a, to_a), tide_assign(b, to_b), tide_assign(c, to_c), tide_assign(d, to_c), sum), NULL);
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    double got[5][N];
    tide_val all[] = { a, b, c, d };
    for (int i = 0; i < 4; i++) read_f64(all[i], got[i]);
    assert_int_equal(tide_read(sum, got[4], sizeof got[4]), TIDE_OK);
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < 20; j++) {
            double at = 20 * i + j, along = 0;
            for (int k = 0; k < 20; k++) along += 2 * (20 * i + k);
            same(got[0][20 * i + j], 20 * j + i + 2 * (20 + j), 0);
            same(got[1][20 * i + j], 2 + along, 0);
            same(got[2][20 * i + j], 3 + at, 0);
            same(got[3][20 * i + j], 3 + at, 0);
            same(got[4][20 * i + j], at + 5, 0);
        }
}

/* An update that holds a softmax of its own variable: views inside it become ready after it. */
EDGE(update_with_rows_inside) {
    tide_val w = tide_variable(g, "w", tide_reshape(counted(g, TIDE_F64, 6), TIDE_SHAPE(2, 3)));
    assert_int_equal(tide_run(tide_compile(TIDE_LIST(tide_assign(w, tide_softmax(w, 1))), NULL), NULL, 0), TIDE_OK);
    same(number(tide_sum(w, TIDE_ALL)), 2, 1e-12);
}

EDGE(lazy_reads_follow_variables) {
    tide_val v = tide_variable(g, "v", tide_scalar(g, 1)), twice = tide_mul_scalar(v, 2);
    same(number(twice), 2, 0);
    assert_int_equal(tide_write(v, &(float){ 5 }, sizeof(float)), TIDE_OK);
    same(number(twice), 10, 0);
    tide_program *p = tide_compile(TIDE_LIST(twice, tide_assign(v, twice)), NULL),
                 *q = tide_compile(TIDE_LIST(tide_assign(v, tide_scalar(g, 0))), NULL);
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
    assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
    float last;
    assert_int_equal(tide_read(twice, &last, sizeof last), TIDE_OK);
    same(last, 10, 0);  /* of the last run that asked for it */
    tide_program_free(p);
    same(number(twice), 0, 0);
}

/* ---- types ---- */

static void sums_of(tide_graph *g, tide_dtype type) {
    enum { ROWS = 5000, COLS = 3 };
    tide_val x = tide_variable(g, tide_dtype_name(type), tide_fill(g, type, TIDE_SHAPE(ROWS, COLS), 0.5));
    double columns[COLS];
    read_f64(tide_sum(x, TIDE_AXES(0)), columns);
    for (int i = 0; i < COLS; i++) same(columns[i], 2500, 4);  /* BF16 keeps 8 bits: 2496 */
    same(number(tide_mean(tide_mul_scalar(x, 100), TIDE_ALL)), 50, 0);  /* the sum is beyond F16 */
    same(number(tide_sum(x, TIDE_ALL)), 7500, 20);
    same(number(tide_max(tide_matmul(tide_transpose(x, 0, 1), x), TIDE_ALL)), 1250, 4);
    same(number(tide_max(tide_softmax(x, 0), TIDE_ALL)) * ROWS, 1, 0.01);
    same(number(tide_slice(counted(g, type, 100), 0, 99, 100)), 99, 0);
    tide_val ones = tide_fill(g, TIDE_I32, TIDE_SHAPE(ROWS), 1),
             sums = tide_scatter_add(tide_fill(g, type, TIDE_SHAPE(2), 0), 0, ones,
                                     tide_fill(g, type, TIDE_SHAPE(ROWS), 0.5));
    same(number(tide_max(sums, TIDE_ALL)), 2500, 4);
}

EDGE(sums_of_16_bits) {
    sums_of(g, TIDE_BF16);
    sums_of(g, TIDE_F16);
}

EDGE(constants_are_of_their_type) {
    same(number(tide_cast(tide_scalar_of(g, TIDE_F32, 0.1), TIDE_F64)), (double)0.1f, 0);
    same(number(tide_cast(tide_scalar_of(g, TIDE_I32, 3.7), TIDE_F64)), 3, 0);
    same(number(tide_div(tide_scalar_of(g, TIDE_I64, -7), tide_scalar_of(g, TIDE_I64, 2))), -3, 0);
    same(number(tide_div(tide_scalar_of(g, TIDE_I32, 7), tide_scalar_of(g, TIDE_I32, 0))), 0, 0);
}

/* ---- indices and order ---- */

EDGE(many_axes_and_parts) {
    tide_val x = tide_variable(g, "x", tide_reshape(counted(g, TIDE_F32, 256), TIDE_SHAPE(2, 2, 2, 2, 2, 2, 2, 2)));
    tide_val turned = tide_permute(x, (int[]){ 7, 5, 3, 1, 6, 4, 2, 0 });
    same(number(tide_slice(tide_reshape(turned, TIDE_SHAPE(256)), 0, 1, 2)), 128, 0);
    same(number(tide_slice(tide_reshape(tide_sum(turned, TIDE_AXES(0, 2, 4, 6)), TIDE_SHAPE(16)), 0, 0, 1)),
         16 * (1 + 16 + 2 + 32) / 2.0, 64);
    tide_val parts[65];
    for (int i = 0; i < 65; i++) parts[i] = tide_fill(g, TIDE_F32, TIDE_SHAPE(2), i);
    same(number(tide_sum(tide_concat(g, (tide_list){ parts, 64 }, 0), TIDE_ALL)), 64 * 63, 0);
}

EDGE(indices_outside) {
    int32_t rows[4] = { -1, 0, 2, 3 };
    tide_val index = tide_constant(g, TIDE_I32, TIDE_SHAPE(4), rows),
             x = tide_variable(g, "x", tide_add_scalar(counted(g, TIDE_F64, 3), 1));
    double got[4], gradient[3];
    read_f64(tide_gather(x, 0, index), got);
    double expected[4] = { NAN, 1, 3, NAN };
    for (int i = 0; i < 4; i++) same(got[i], expected[i], 0);
    tide_val picked = tide_gather(x, 0, index), loss = tide_sum(tide_where(tide_is_finite(picked), tide_square(picked),
                                                                           tide_fill(g, TIDE_F64, TIDE_SHAPE(4), 0)),
                                                                TIDE_ALL);
    read_f64(tide_grad(loss, TIDE_LIST(x)).items[0], gradient);
    double slope[3] = { 2, 0, 6 };
    for (int i = 0; i < 3; i++) same(gradient[i], slope[i], 0);
    same(number(tide_sum(tide_gather(tide_cast(x, TIDE_I32), 0, index), TIDE_ALL)), 4, 0);
}

EDGE(order_of_equals_and_nan) {
    float data[6] = { 1, 3, NAN, 3, -INFINITY, 1 };
    tide_val x = tide_constant(g, TIDE_F32, TIDE_SHAPE(6), data), order, values;
    double got[6], up[6] = { 4, 0, 5, 1, 3, 2 }, down[6] = { 2, 1, 3, 0, 5, 4 };
    tide_sort(x, false, &values, &order);
    read_f64(order, got);
    for (int i = 0; i < 6; i++) same(got[i], up[i], 0);
    tide_sort(x, true, &values, &order);
    read_f64(order, got);
    for (int i = 0; i < 6; i++) same(got[i], down[i], 0);
    same(number(tide_argmax(x, 0)), 2, 0);
    same(number(tide_argmin(x, 0)), 2, 0);
    same(number(tide_max(x, TIDE_ALL)), NAN, 0);
    same(number(tide_min(x, TIDE_ALL)), NAN, 0);
    same(number(tide_sum(tide_cast(tide_is_finite(tide_clamp(x, -1, 2)), TIDE_I32), TIDE_ALL)), 5, 0);
    same(number(tide_argmax(tide_slice(x, 0, 0, 2), 0)), 1, 0);
}

/* ---- random numbers: of the sample and the element, whatever the batch ---- */

EDGE(random_numbers) {
    tide_val small = tide_random_uniform(g, TIDE_SHAPE(3, 5), 0, 1);
    tide_graph *h = tide_graph_new_with(&(tide_graph_options){ .device = "ref", .seed = 5 });
    tide_val large = tide_random_uniform(h, TIDE_SHAPE(6, 5), 0, 1);
    float a[15], b[30];
    tide_program *p = tide_compile(TIDE_LIST(small), NULL), *q = tide_compile(TIDE_LIST(large), NULL);
    for (int step = 0; step < 3; step++) {
        assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
        assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
        assert_int_equal(tide_read(small, a, sizeof a), TIDE_OK);
        assert_int_equal(tide_read(large, b, sizeof b), TIDE_OK);
        assert_memory_equal(a, b, sizeof a);
    }
    same(number(tide_rng_step(g)), 3, 0);
    tide_graph_free(h);
}

/* ---- derivatives ---- */

EDGE(steps_have_no_derivative) {
    static tide_val (*const steps[])(tide_val) = { tide_floor, tide_ceil, tide_round, tide_sign };
    tide_val x = tide_variable(g, "x", tide_scalar_of(g, TIDE_F64, 1.5));
    double expected[] = { 1, 2, 2, 1 };
    for (int i = 0; i < 4; i++)
        same(number(tide_grad(tide_mul(x, steps[i](x)), TIDE_LIST(x)).items[0]), expected[i], 0);
}

static void run_double(void *user, const void *const *inputs, void *output) {
    (void)user;
    *(double *)output = 2 * *(const double *)inputs[0] + *(const double *)inputs[1];
}
static void derive_double(void *user, tide_list inputs, tide_val output, tide_val dy, tide_val *dx) {
    (void)user, (void)output;
    dx[0] = tide_mul_scalar(dy, 2);
    dx[1] = (tide_val){ inputs.items[1].graph, -1, 0 };
}

EDGE(custom_without_derivative) {
    tide_custom_op op = { .name = "double", .run = run_double, .derivative = derive_double };
    tide_val x = tide_variable(g, "x", tide_scalar_of(g, TIDE_F64, 3)),
             y = tide_variable(g, "y", tide_scalar_of(g, TIDE_F64, 4));
    tide_val z = tide_custom(g, &op, TIDE_LIST(tide_square(x), y), TIDE_F64, TIDE_SCALAR);
    tide_list d = tide_grad(z, TIDE_LIST(x, y));
    same(number(z), 22, 0);
    same(number(d.items[0]), 12, 0);
    same(number(d.items[1]), 0, 0);
}

static tide_val smooth_loss(tide_val x, int which) {
    tide_graph *g = x.graph;
    tide_val one = tide_fill(g, TIDE_F64, TIDE_SHAPE(3), 1),
             weights = tide_reshape(tide_add_scalar(counted(g, TIDE_F64, 6), -2), TIDE_SHAPE(2, 3));
    switch (which) {
    case 0: return tide_sum(tide_mul(tide_tanh(x), tide_square(x)), TIDE_ALL);
    case 1: return tide_sum(tide_mul(tide_softmax(x, 1), weights), TIDE_ALL);
    case 2: return tide_sum(tide_mul(tide_layer_norm(x, one, one, 1e-3), weights), TIDE_ALL);
    case 3: return tide_sum(tide_square(tide_matmul(x, tide_transpose(tide_sigmoid(x), 0, 1))), TIDE_ALL);
    case 4: return tide_sum(tide_mul(tide_gelu(x), tide_log1p(tide_square(x))), TIDE_ALL);
    case 5: return tide_sum(tide_pow(tide_add_scalar(tide_square(x), 1), tide_sin(x)), TIDE_ALL);
    case 6: return tide_square(tide_sum(tide_mul(tide_cumsum(tide_exp(x), 1), weights), TIDE_ALL));
    case 7: return tide_sum(tide_mul(tide_logsumexp(tide_square(x), TIDE_AXES_KEEP(0)), weights), TIDE_ALL);
    case 8:
        return tide_sum(tide_div(weights, tide_sqrt(tide_add_scalar(tide_variance(x, TIDE_AXES_KEEP(1)), 1))),
                        TIDE_ALL);
    case 9:
        return tide_sum(
            tide_mul(tide_silu(tide_gather(x, 1, tide_constant(g, TIDE_I32, TIDE_SHAPE(3), (int32_t[]){ 2, 0, 2 }))),
                     tide_erf(x)),
            TIDE_ALL);
    default:
        return tide_sum(tide_mul(tide_softplus(tide_flip(x, 1)), tide_rsqrt(tide_add_scalar(tide_square(x), 0.5))),
                        TIDE_ALL);
    }
}

/* Derivatives of |gradient|^2 against central differences of it. Steps of 1e-5 leave about 1e-9 of rounding and 1e-10
 * of the third derivative. */
EDGE(second_derivatives) {
    double at[6] = { 0.3, -0.8, 1.1, 0.05, 0.6, -1.3 }, slope[6];
    for (int which = 0; which < 11; which++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", which);
        tide_val x = tide_variable(g, name, tide_constant(g, TIDE_F64, TIDE_SHAPE(2, 3), at));
        tide_val first = tide_grad(smooth_loss(x, which), TIDE_LIST(x)).items[0],
                 length = tide_sum(tide_square(first), TIDE_ALL);
        read_f64(tide_grad(length, TIDE_LIST(x)).items[0], slope);
        for (int i = 0; i < 6; i++) {
            double kept = at[i], value[2];
            for (int side = 0; side < 2; side++) {
                at[i] = kept + (side ? 1e-5 : -1e-5);
                assert_int_equal(tide_write(x, at, sizeof at), TIDE_OK);
                value[side] = number(length);
            }
            at[i] = kept;
            assert_int_equal(tide_write(x, at, sizeof at), TIDE_OK);
            same(slope[i], (value[1] - value[0]) / 2e-5, 1e-6 * (1 + fabs(slope[i])));
        }
    }
}

/* ---- misuse ends in a failure ---- */

EDGE(effects_are_not_values) {
    tide_val v = tide_variable(g, "v", tide_scalar(g, 1)), effect = tide_assign(v, tide_scalar(g, 2));
    assert_false(tide_ok(tide_add(effect, v)));
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
}

EDGE(initial_values_need_no_feed) {
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SCALAR);
    assert_false(tide_ok(tide_variable(g, "v", tide_add_scalar(x, 1))));
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
}

EDGE(many_parts) {
    enum { PARTS = 700 };
    tide_val parts[PARTS];
    for (int i = 0; i < PARTS; i++) parts[i] = tide_fill(g, TIDE_F64, TIDE_SHAPE(2), i);
    tide_list list = { parts, PARTS }, again = tide_unstack(tide_stack(g, list, 1), 1);
    double joined[2 * PARTS], stacked[2 * PARTS];
    read_f64(tide_concat(g, list, 0), joined);
    read_f64(tide_stack(g, list, 1), stacked);
    for (int i = 0; i < PARTS; i++)
        assert_true(joined[2 * i] == i && joined[2 * i + 1] == i && stacked[i] == i && stacked[PARTS + i] == i);
    assert_int_equal(again.count, PARTS);
    read_f64(again.items[PARTS - 1], joined);
    assert_true(joined[0] == PARTS - 1 && joined[1] == PARTS - 1);
    assert_null(tide_snapshot(TIDE_LIST(parts[0], tide_poison(g, TIDE_EINVAL, "not a variable"))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_chain), cmocka_unit_test(test_long_view_chain), cmocka_unit_test(test_many_paths),
        cmocka_unit_test(test_long_network), cmocka_unit_test(test_assignments_read_old_values),
        cmocka_unit_test(test_update_with_rows_inside),
        cmocka_unit_test(test_lazy_reads_follow_variables), cmocka_unit_test(test_sums_of_16_bits),
        cmocka_unit_test(test_constants_are_of_their_type),
        cmocka_unit_test(test_many_axes_and_parts), cmocka_unit_test(test_indices_outside),
        cmocka_unit_test(test_order_of_equals_and_nan),
        cmocka_unit_test(test_random_numbers), cmocka_unit_test(test_steps_have_no_derivative),
        cmocka_unit_test(test_custom_without_derivative),
        cmocka_unit_test(test_second_derivatives), cmocka_unit_test(test_effects_are_not_values),
        cmocka_unit_test(test_initial_values_need_no_feed),
        cmocka_unit_test(test_many_parts),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
