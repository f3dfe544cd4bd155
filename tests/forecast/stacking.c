/* Weights of an ensemble: against a search of the simplex, and what they must be where one can say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "forecast/score/stacking.h"

enum { STEPS = 4, WINDOWS = 160, COLUMNS = 2, MOST = 3 };

static double noise(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return (double)(*state >> 8) / (1 << 24) - 0.5;
}

/* Members that are off by `scale` of noise of their own and of noise that all share; column 1 by that of the next. */
static stacking *made(int members, const double *scale, double shared, int64_t windows) {
    stacking *s = stacking_new(members, COLUMNS, STEPS, windows, 1);
    uint32_t  state = 5;
    assert_non_null(s);
    for (int64_t w = 0; w < windows; w++) {
        float forecasts[MOST * COLUMNS * STEPS], truth[STEPS * COLUMNS];
        for (int c = 0; c < COLUMNS; c++)
            for (int t = 0; t < STEPS; t++) {
                double together = shared * noise(&state);
                truth[t * COLUMNS + c] = (float)sin((double)(w + t + c));
                for (int k = 0; k < members; k++)
                    forecasts[(k * COLUMNS + c) * STEPS + t] =
                        (float)(truth[t * COLUMNS + c] + together + scale[(k + c) % members] * noise(&state));
            }
        if (w % 11 == 3) truth[2] = NAN;
        stacking_add(s, w, forecasts, truth);
    }
    return s;
}

static void expect_simplex(const float *weights, int members) {
    for (int c = 0; c < COLUMNS; c++) {
        double sum = 0;
        for (int k = 0; k < members; k++) {
            if (!(weights[k * COLUMNS + c] >= 0)) fail_msg("weight %d of column %d is negative", k, c);
            sum += (double)weights[k * COLUMNS + c];
        }
        if (fabs(sum - 1) > 1e-6) fail_msg("column %d: weights sum to %.9g", c, sum);
    }
}

/* Independent errors: weights as the inverse of the squared errors. Columns differ, so they have their own. */
static void test_inverse(void **state) {
    (void)state;
    const double  scale[] = { 1, 2 };
    float         weights[2 * COLUMNS];
    stacking_rule rule;
    stacking     *s = made(2, scale, 0, 4000);
    assert_true(stacking_solve(s, 3, weights, &rule));
    expect_simplex(weights, 2);
    assert_true(rule.by_column);
    assert_true(fabs((double)weights[0] - 0.8) < 0.03);           /* 1 / (1 + 1 / 4), 16,000 truths */
    assert_true(fabs((double)weights[COLUMNS + 1] - 0.8) < 0.03); /* the other way round in the other column */
    assert_true(rule.left_out_mse < stacking_mse(s, 0) && rule.left_out_mse < stacking_mse(s, 1));
    stacking_free(s);
}

/* Errors of one column (members 0 to 2), into the sums and into their products. */
static stacking *with_products(const double *own, const double *common, double products[3][3]) {
    stacking *s    = stacking_new(3, 1, STEPS, WINDOWS, 1);
    uint32_t  seed = 9;
    memset(products, 0, 9 * sizeof **products);
    for (int64_t w = 0; w < WINDOWS; w++) {
        float errors[3 * STEPS], truth[STEPS] = { 0 };
        for (int t = 0; t < STEPS; t++) {
            double together = noise(&seed);
            for (int k = 0; k < 3; k++)
                errors[k * STEPS + t] = (float)(common[k] * together + own[k] * noise(&seed));
            for (int i = 0; i < 9; i++)
                products[i / 3][i % 3] += (double)errors[i / 3 * STEPS + t] * (double)errors[i % 3 * STEPS + t];
        }
        stacking_add(s, w, errors, truth);
    }
    return s;
}

/* A member with eight times the errors of the others has no weight, and alone it has all. */
static void test_dominated(void **state) {
    (void)state;
    const double  own[] = { 0, 0, 0 }, common[] = { 1, 1, 8 };
    double        ignored[3][3];
    float         weights[3];
    stacking_rule rule;
    stacking     *s = with_products(own, common, ignored);
    assert_true(stacking_solve(s, 7, weights, &rule));
    assert_true(weights[2] < 0.02F && fabs((double)(weights[0] + weights[1]) - 1) < 0.02);
    assert_true(stacking_solve(s, 4, weights, &rule));
    assert_true(weights[0] == 0 && weights[1] == 0 && weights[2] == 1);
    stacking_free(s);
}

/* A member whose forecasts are no numbers is not used, and the others' weights are as beside any other. */
static void test_not_a_number(void **state) {
    (void)state;
    const double  own[][3] = { { 0.5, 1, NAN }, { 0.5, 1, 2 } }, common[] = { 1, 1, 1 };
    double        ignored[3][3];
    float         weights[2][3];
    stacking_rule rule[2];
    for (int i = 0; i < 2; i++) {
        stacking *s = with_products(own[i], common, ignored);
        assert_int_equal(isnan(stacking_mse(s, 2)) != 0, i == 0);
        assert_true(stacking_solve(s, 3, weights[i], &rule[i]));
        stacking_free(s);
    }
    assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
    assert_true(rule[0].left_out_mse == rule[1].left_out_mse && isfinite(rule[0].left_out_mse));
}

static double objective(double e[3][3], double pull, const double w[3]) {
    double sum = 0;
    for (int i = 0; i < 9; i++) sum += w[i / 3] * w[i % 3] * e[i / 3][i % 3] * (i / 3 == i % 3 ? 1 + pull : 1);
    return sum;
}

/* Of all weights in steps of 1/100 none is better than those that are found, inside the simplex and on its edge. */
static void test_least(void **state) {
    (void)state;
    static const double own[][3]    = { { 0.5, 1, 3 }, { 1, 1, 0.2 }, { 0.1, 0.1, 0.1 } };
    static const double common[][3] = { { 1, 1, 1 }, { 1, 0.5, 2 }, { 1, -1, 0.3 } };
    for (int trial = 0; trial < 3; trial++) {
        double        e[3][3], found[3];
        float         weights[3];
        stacking_rule rule;
        stacking     *s = with_products(own[trial], common[trial], e);
        assert_true(stacking_solve(s, 7, weights, &rule));
        for (int k = 0; k < 3; k++) found[k] = (double)weights[k];
        double least = objective(e, rule.pull, found) * (1 - 1e-6); /* the weights are float32 */
        for (int i = 0; i <= 100; i++)
            for (int j = 0; i + j <= 100; j++) {
                const double w[] = { i / 100.0, j / 100.0, (100 - i - j) / 100.0 };
                if (objective(e, rule.pull, w) < least)
                    fail_msg("trial %d: %g %g is better than %g %g", trial, w[0], w[1], found[0], found[1]);
            }
        stacking_free(s);
    }
}

/* Too few windows to leave any out, no truths at all, and no errors: weights that are still weights. */
static void test_little(void **state) {
    (void)state;
    const double  scale[] = { 1, 1, 1 }, none[] = { 0, 0, 0 };
    float         weights[3 * COLUMNS];
    stacking_rule rule;
    stacking     *few = made(3, scale, 0, 5), *exact = made(3, none, 0, WINDOWS),
             *empty = stacking_new(3, COLUMNS, STEPS, 9, 1);
    assert_true(stacking_solve(few, 7, weights, &rule));
    expect_simplex(weights, 3);
    assert_true(!rule.by_column && isinf(rule.left_out_mse));
    assert_true(stacking_solve(exact, 5, weights, &rule));
    expect_simplex(weights, 3);
    assert_true(weights[COLUMNS] == 0);
    assert_true(stacking_solve(empty, 7, weights, &rule));
    expect_simplex(weights, 3);
    stacking_free(few);
    stacking_free(exact);
    stacking_free(empty);
    stacking_free(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_inverse), cmocka_unit_test(test_dominated),
                                        cmocka_unit_test(test_not_a_number), cmocka_unit_test(test_least),
                                        cmocka_unit_test(test_little) };
    return cmocka_run_group_tests_name("stacking", tests, NULL, NULL);
}
