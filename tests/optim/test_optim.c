/* Optimizers beside a plain transcription of their papers in double, schedules beside their formulas. */
#include "../nn/nn_support.h"

enum { SIZE = 3, STEPS = 6 };

/* Two parameters of SIZE in F64 with the gradient c p: any optimizer's path can be followed by hand. */
static const double curve[2 * SIZE] = { 1, 0.1, -0.5, 2, 0, 3 }, begin[2 * SIZE] = { 1, -2, 0.5, 0.25, 4, -1 };

/* State of one element's rule: x is the parameter; a, b, c are moments. */
typedef struct element { double x, a, b, c; int t; } element;
typedef void (*rule)(element *e, double g);
typedef tide_val (*maker)(tide_list params, tide_list gradients, tide_val lr);

#define LR 0.05
#define NEAR 4e-15 /* 1e-15 of the largest parameter */

static void sgd_plain(element *e, double g) { e->x -= LR * g; }
static tide_val sgd_plain_value(tide_list p, tide_list g, tide_val lr) {
    return tide_sgd(p, g, &(tide_sgd_opts){ .lr = lr });
}

static void sgd_nesterov(element *e, double g) {
    g += 0.01 * e->x;
    e->a = 0.9 * e->a + g;
    e->x -= LR * (g + 0.9 * e->a);
}
static tide_val sgd_nesterov_value(tide_list p, tide_list g, tide_val lr) {
    return tide_sgd(p, g, &(tide_sgd_opts){ .lr = lr, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true });
}

static void sgd_dampened(element *e, double g) {
    e->a = e->t == 1 ? g : 0.9 * e->a + 0.5 * g;
    e->x -= LR * e->a;
}
static tide_val sgd_dampened_value(tide_list p, tide_list g, tide_val lr) {
    return tide_sgd(p, g, &(tide_sgd_opts){ .lr = lr, .momentum = 0.9, .dampening = 0.5 });
}

static void rmsprop(element *e, double g) {
    e->a = 0.99 * e->a + 0.01 * g * g;
    e->x -= LR * g / (sqrt(e->a) + 1e-8);
}
static tide_val rmsprop_value(tide_list p, tide_list g, tide_val lr) {
    return tide_rmsprop(p, g, &(tide_rmsprop_opts){ .lr = lr });
}

static void rmsprop_centered(element *e, double g) {
    e->a = 0.9 * e->a + 0.1 * g * g;
    e->b = 0.9 * e->b + 0.1 * g;
    e->c = 0.5 * e->c + g / (sqrt(fmax(e->a - e->b * e->b, 0)) + 1e-3);
    e->x -= LR * e->c;
}
static tide_val rmsprop_centered_value(tide_list p, tide_list g, tide_val lr) {
    return tide_rmsprop(p, g,
                        &(tide_rmsprop_opts){ .lr = lr, .alpha = 0.9, .eps = 1e-3, .momentum = 0.5, .centered = true });
}

static void adam_step(element *e, double g, bool corrected) {
    e->a = 0.9 * e->a + 0.1 * g;
    e->b = 0.999 * e->b + 0.001 * g * g;
    double m = corrected ? -expm1(e->t * log(0.9)) : 1, v = corrected ? -expm1(e->t * log(0.999)) : 1;
    e->x -= LR * (e->a / m) / (sqrt(e->b / v) + 1e-8);
}
static void adam(element *e, double g) { adam_step(e, g + 0.1 * e->x, true); }
static tide_val adam_value(tide_list p, tide_list g, tide_val lr) {
    return tide_adam(p, g, &(tide_adamw_opts){ .lr = lr, .weight_decay = 0.1 });
}

static void adamw(element *e, double g) {
    e->x -= LR * 0.1 * e->x;
    adam_step(e, g, true);
}
static tide_val adamw_value(tide_list p, tide_list g, tide_val lr) {
    return tide_adamw(p, g, &(tide_adamw_opts){ .lr = lr, .weight_decay = 0.1 });
}

static void adam_uncorrected(element *e, double g) { adam_step(e, g, false); }
static tide_val adam_uncorrected_value(tide_list p, tide_list g, tide_val lr) {
    return tide_adamw(p, g, &(tide_adamw_opts){ .lr = lr, .no_bias_correction = true });
}

static void lion(element *e, double g) {
    double u = 0.9 * e->a + 0.1 * g;
    e->x -= LR * ((u > 0) - (u < 0) + 0.1 * e->x);
    e->a = 0.99 * e->a + 0.01 * g;
}
static tide_val lion_value(tide_list p, tide_list g, tide_val lr) {
    return tide_lion(p, g, &(tide_lion_opts){ .lr = lr, .weight_decay = 0.1 });
}

static const struct { const char *name; rule by_hand; maker make; } optimizers[] = {
    { "sgd", sgd_plain, sgd_plain_value },
    { "sgd, nesterov and decay", sgd_nesterov, sgd_nesterov_value },
    { "sgd, dampened", sgd_dampened, sgd_dampened_value },
    { "rmsprop", rmsprop, rmsprop_value },
    { "rmsprop, centred with momentum", rmsprop_centered, rmsprop_centered_value },
    { "adam with decay in the gradient", adam, adam_value },
    { "adamw", adamw, adamw_value },
    { "adamw, no bias correction", adam_uncorrected, adam_uncorrected_value },
    { "lion", lion, lion_value },
};

/* A few roundings of each of six steps: everything is F64, the rate as well, though tide_scalar's own type is F32. */
static void check_optimizer(const char *name, rule by_hand, maker make) {
    tide_graph *g    = tide_graph_new(test_device());
    tide_shape  half = TIDE_SHAPE(SIZE);
    tide_val a = tide_variable(g, "a", tide_constant(g, TIDE_F64, half, begin)),
             b = tide_variable(g, "b", tide_constant(g, TIDE_F64, half, begin + SIZE));
    tide_val curve_a = tide_constant(g, TIDE_F64, half, curve),
             curve_b = tide_constant(g, TIDE_F64, half, curve + SIZE);
    tide_val update = make(TIDE_LIST(a, b), TIDE_LIST(tide_mul(curve_a, a), tide_mul(curve_b, b)), tide_scalar(g, LR));
    tide_program *step  = tide_compile(TIDE_LIST(update), NULL);
    element by[2 * SIZE];
    for (int i = 0; i < 2 * SIZE; i++) by[i] = (element){ .x = begin[i] };
    for (int t = 1; t <= STEPS; t++) {
        double expected[2 * SIZE];
        if (tide_run(step, NULL, 0) != TIDE_OK) fail_msg("%s: %s", name, tide_program_error(step)->message);
        for (int i = 0; i < 2 * SIZE; i++) {
            by[i].t = t;
            by_hand(&by[i], curve[i] * by[i].x);
            expected[i] = by[i].x;
        }
        expect_all(name, a, expected, SIZE, NEAR);
        expect_all(name, b, expected + SIZE, SIZE, NEAR);
    }
    assert_int_equal(tide_params(g, "").count, 0); /* moments are state, not parameters */
    tide_graph_free(g);
}

static void test_optimizers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        check_optimizer(optimizers[i].name, optimizers[i].by_hand, optimizers[i].make);
}

static void test_misuse(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val    p = tide_variable(g, "p", tide_scalar(g, 1));
    assert_false(tide_ok(tide_adam(TIDE_LIST(p), TIDE_LIST(p, p), &(tide_adamw_opts){ .lr = tide_scalar(g, 1) })));
    assert_int_equal(tide_error(g)->status, TIDE_EINVAL);
    tide_graph_free(g);
}

static void test_clip(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val a = tide_constant(g, TIDE_F32, TIDE_SHAPE(2), (float[]){ 3, 0 }),
             b = tide_constant(g, TIDE_F32, TIDE_SHAPE(1), (float[]){ -4 });
    expect_all("norm", tide_global_norm(TIDE_LIST(a, b)), (double[]){ 5 }, 1, 1e-6);
    tide_list clipped = tide_clip_norm(TIDE_LIST(a, b), 1), kept = tide_clip_norm(TIDE_LIST(a, b), 10);
    expect_all("clipped", clipped.items[0], (double[]){ 0.6, 0 }, 2, 1e-6);
    expect_all("clipped", clipped.items[1], (double[]){ -0.8 }, 1, 1e-6);
    expect_all("kept", kept.items[1], (double[]){ -4 }, 1, 0);
    tide_graph_free(g);
}

/* The squares of 1e30 are beyond F32, those of 300 beyond F16. */
static void test_wide_norm(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val a = tide_constant(g, TIDE_F64, TIDE_SHAPE(2), (double[]){ 3e30, 0 }),
             b = tide_constant(g, TIDE_F64, TIDE_SHAPE(1), (double[]){ -4e30 });
    tide_val norm = tide_global_norm(TIDE_LIST(a, b));
    assert_int_equal(tide_dtype_of(norm), TIDE_F64);
    expect_all("norm", norm, (double[]){ 5e30 }, 1, 1e15);
    expect_all("clipped", tide_clip_norm(TIDE_LIST(a, b), 1).items[1], (double[]){ -0.8 }, 1, 1e-15);
    tide_val half = tide_cast(tide_fill(g, TIDE_F32, TIDE_SHAPE(4), 300), TIDE_F16);
    expect_all("f16", tide_global_norm(TIDE_LIST(half)), (double[]){ 600 }, 1, 1e-4);
    tide_graph_free(g);
}

/* Two optimizers of one parameter, as an alternating training has them: each with its own moments. */
static void test_names(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_val    p = tide_variable(g, "p", tide_scalar(g, 1)), lr = tide_scalar(g, LR);
    tide_list   one = TIDE_LIST(p);
    tide_adam(one, one, &(tide_adamw_opts){ .lr = lr });
    tide_adam(one, one, &(tide_adamw_opts){ .lr = lr, .name = "second" });
    tide_lion(one, one, &(tide_lion_opts){ .lr = lr, .name = "third" });
    tide_sgd(one, one, &(tide_sgd_opts){ .lr = lr, .name = "fourth", .momentum = 0.9, .dampening = 0.1 });
    tide_rmsprop(one, one, &(tide_rmsprop_opts){ .lr = lr, .name = "fifth" });
    expect_fine(g);
    static const char *const names[] = { "optim.p.m", "optim.p.step", "second.p.m", "second.p.v", "second.p.step",
                                         "third.p.m", "fourth.p.momentum", "fourth.p.step", "fifth.p.square" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!tide_ok(tide_find_variable(g, names[i]))) fail_msg("there is no variable '%s'", names[i]);
    assert_false(tide_ok(tide_adam(one, one, &(tide_adamw_opts){ .lr = lr })));
    tide_graph_free(g);
}

/* In a graph of F64 a counter gives a rate in F64. */
static void test_wide_schedule(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    tide_default_type_set(g, TIDE_F64);
    tide_val s = tide_scalar_of(g, TIDE_I32, 3);
    expect_all("exponential", tide_lr_exponential(s, 0.1, 0.9), (double[]){ 0.1 * pow(0.9, 3) }, 1, 1e-16);
    expect_all("cosine", tide_lr_cosine(s, 0.1, 0, 20), (double[]){ 0.05 * (1 + cos(acos(-1.0) * 0.15)) }, 1, 1e-16);
    expect_all("warm-up", tide_lr_warmup(s, 10, tide_scalar(g, 0.1)), (double[]){ 0.04 }, 1, 1e-16);
    tide_graph_free(g);
}

static void test_schedules(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new(test_device());
    for (int t = 0; t < 25; t++) {
        tide_val s      = tide_scalar_of(g, TIDE_I32, t);
        double   cosine = t < 20 ? 0.01 + 0.5 * 0.09 * (1 + cos(acos(-1.0) * t / 20)) : 0.01;
        expect_all("step", tide_lr_step(s, 0.1, 0.5, 7), (double[]){ 0.1 * pow(0.5, t / 7) }, 1, 1e-7);
        expect_all("exponential", tide_lr_exponential(s, 0.1, 0.9), (double[]){ 0.1 * pow(0.9, t) }, 1, 1e-7);
        expect_all("cosine", tide_lr_cosine(s, 0.1, 0.01, 20), (double[]){ cosine }, 1, 1e-7);
        expect_all("warm-up", tide_lr_warmup(s, 10, tide_scalar(g, 0.1)), (double[]){ t < 9 ? 0.01 * (t + 1) : 0.1 }, 1,
                   1e-7);
    }
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_optimizers), cmocka_unit_test(test_misuse),
                                        cmocka_unit_test(test_clip), cmocka_unit_test(test_wide_norm),
                                        cmocka_unit_test(test_names), cmocka_unit_test(test_wide_schedule),
                                        cmocka_unit_test(test_schedules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
