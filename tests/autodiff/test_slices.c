/* Derivatives of what is sliced: what they are, and that memory and kernels grow with the slices, not with their
 * square. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs those above */
#include <cmocka.h>
#include <tidemill/tidemill.h>

static const char *test_device(void) {
    const char *device = getenv("TIDEMILL_DEVICE");
    return device ? device : "cpu";
}

enum { ROWS = 3, COLS = 24, MOST = 40 };

/* Slices of the columns, each weighed by a number of its own: d/dx is the sum of the weights over each column. Sums of
 * whole numbers, so exact in any order. */
typedef struct cut { int64_t start, stop, step, weight; } cut;

static void expect_sum(const cut *cuts, int count) {
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_variable(g, "x", tide_random_uniform(g, TIDE_SHAPE(ROWS, COLS), -1, 1));
    tide_val all = tide_mul_scalar(x, 2), loss = tide_scalar(g, 0);
    float expected[COLS] = { 0 }, got[ROWS * COLS];
    for (int i = 0; i < count; i++) {
        tide_val part = tide_slice_step(all, 1, cuts[i].start, cuts[i].stop, cuts[i].step);
        loss = tide_add(loss, tide_sum(tide_mul_scalar(part, (double)cuts[i].weight), TIDE_ALL));
        for (int64_t k = cuts[i].start; k < cuts[i].stop; k += cuts[i].step) expected[k] += (float)(2 * cuts[i].weight);
    }
    assert_int_equal(tide_read(tide_grad(loss, TIDE_LIST(x)).items[0], got, sizeof got), TIDE_OK);
    for (int i = 0; i < ROWS * COLS; i++) assert_true(got[i] == expected[i % COLS]);
    tide_graph_free(g);
}

static void test_known_cuts(void **unused) {
    (void)unused;
    expect_sum((cut[]){ { 0, 12, 1, 3 }, { 12, 24, 1, 5 } }, 2); /* all of it */
    expect_sum((cut[]){ { 12, 24, 1, 3 }, { 0, 5, 1, 5 }, { 7, 8, 1, 2 } }, 3); /* gaps between */
    expect_sum((cut[]){ { 4, 5, 1, 3 }, { 9, 11, 1, 5 } }, 2); /* and at both ends */
    expect_sum((cut[]){ { 0, 9, 1, 3 }, { 3, 12, 1, 5 }, { 8, 24, 1, 7 }, { 3, 12, 1, 11 } }, 4); /* one over another */
    expect_sum((cut[]){ { 2, 6, 1, 3 }, { 2, 6, 1, 5 }, { 2, 6, 1, 9 } }, 3); /* the same */
    expect_sum((cut[]){ { 5, 5, 1, 3 }, { 5, 7, 1, 5 }, { 7, 7, 1, 9 } }, 3); /* of nothing */
    expect_sum((cut[]){ { 0, 24, 2, 3 }, { 1, 24, 2, 5 }, { 1, 3, 1, 9 }, { 3, 4, 1, 2 } }, 4); /* every other one */
}

static void test_random_cuts(void **unused) {
    (void)unused;
    uint32_t state = 7;
    for (int round = 0; round < 40; round++) {
        cut cuts[MOST];
        int count = 1 + round;
        for (int i = 0; i < count; i++) {
            state = state * 1664525u + 1013904223u;
            int64_t start = (state >> 8) % COLS, size = (state >> 16) % (uint32_t)(COLS - start + 1);
            cuts[i] = (cut){ start, start + size, state >> 29 ? 1 : 2, 1 + (state >> 24) % 7 };
        }
        expect_sum(cuts, count);
    }
}

/* Both axes, the second derivative through it, and uses that are no slices between the slices. */
static void test_mixed_uses(void **unused) {
    (void)unused;
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_variable(g, "x", tide_cast(tide_random_uniform(g, TIDE_SHAPE(4, 5), 0.5, 1.5), TIDE_F64));
    tide_val y = tide_square(x), loss = tide_sum(tide_mul(tide_slice(y, 0, 0, 2), tide_slice(y, 0, 2, 4)), TIDE_ALL);
    loss = tide_add(loss, tide_sum(tide_mul(tide_slice(y, 1, 0, 1), tide_slice(y, 1, 3, 4)), TIDE_ALL));
    loss = tide_add(loss, tide_sum(tide_square(y), TIDE_ALL));
    loss = tide_add(loss, tide_sum(tide_slice(y, 1, 2, 5), TIDE_ALL));
    tide_val first = tide_grad(loss, TIDE_LIST(x)).items[0];
    tide_val second = tide_grad(tide_sum(tide_square(first), TIDE_ALL), TIDE_LIST(x)).items[0];
    double v[20], d[20], d2[20], g1[20] = { 0 };
    assert_int_equal(tide_read(x, v, sizeof v), TIDE_OK);
    assert_int_equal(tide_read(first, d, sizeof d), TIDE_OK);
    assert_int_equal(tide_read(second, d2, sizeof d2), TIDE_OK);
    for (int i = 0; i < 20; i++) {
        double s = v[i] * v[i], other = v[(i + 10) % 20] * v[(i + 10) % 20];
        double dy = other + 2 * s + (i % 5 >= 2);
        if (i % 5 == 0) dy += v[i + 3] * v[i + 3];
        if (i % 5 == 3) dy += v[i - 3] * v[i - 3];
        g1[i] = 2 * v[i] * dy;
        assert_true(fabs(d[i] - g1[i]) < 1e-12 * (1 + fabs(g1[i])));  /* a dozen roundings */
    }
    /* The second where it is short: element 6 is in no slice of columns, so only its own first derivative and that of
     * element 16, its partner, depend on it. */
    double s = v[6] * v[6], o = v[16] * v[16], h = 2 * (o + 6 * s), cross = 4 * v[6] * v[16];
    assert_true(fabs(d2[6] - 2 * (g1[6] * h + g1[16] * cross)) < 1e-11 * (1 + fabs(d2[6])));
    tide_graph_free(g);
}

/* A recurrence whose input is made at once and sliced step by step. */
typedef struct cost { int64_t bytes, kernels; } cost;

static cost recurrence(int64_t steps) {
    tide_graph *g = tide_graph_new(test_device());
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(4, steps, 3)),
             w = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(3, 16), 0.1)),
             u = tide_variable(g, "u", tide_fill(g, TIDE_F32, TIDE_SHAPE(16, 16), 0.1)),
             h = tide_fill(g, TIDE_F32, TIDE_SHAPE(4, 16), 0);
    tide_list in = tide_unstack(tide_matmul(x, w), 1);
    for (int64_t t = 0; t < in.count; t++) h = tide_tanh(tide_add(in.items[t], tide_matmul(h, u)));
    tide_list d = tide_grad(tide_sum(h, TIDE_ALL), TIDE_LIST(w, u));
    tide_program *p = tide_compile(d, NULL);
    float *data = calloc((size_t)(12 * steps), sizeof *data);
    assert_int_equal(tide_run(p, &(tide_feed){ x, data }, 1), TIDE_OK);
    free(data);
    cost c = { tide_program_bytes(p).total, tide_program_kernels(p) };
    tide_graph_free(g);
    return c;
}

static void test_linear_growth(void **unused) {
    (void)unused;
    cost one = recurrence(100), four = recurrence(400);
    assert_true(four.bytes < 5 * one.bytes);
    assert_true(four.kernels < 5 * one.kernels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_cuts), cmocka_unit_test(test_random_cuts), cmocka_unit_test(test_mixed_uses),
        cmocka_unit_test(test_linear_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
