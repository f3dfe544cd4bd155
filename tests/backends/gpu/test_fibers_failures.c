/* Training on fibers: ref's numbers, the same bits in two runs; and each call of the driver made to fail once. */
#include "fibers.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

enum { ROWS = 40, IN = 9, OUT = 5, STEPS = 3 };

static const char *const devices[] = { "fibers-cuda", "fibers-metal" };

/* A layer with dropout and a softmax, trained: feeds, random numbers, gradients, assigned variables, a constant. */
static tide_status train(const char *device, float *w, float *loss) {
    static float rows[ROWS * IN], truth[ROWS * OUT];
    for (int i = 0; i < ROWS * IN; i++) rows[i] = (float)(i * 7 % 11) / 11 - 0.4f;
    for (int i = 0; i < ROWS * OUT; i++) truth[i] = (float)(i % 5) / 5;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = 9 });
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN)), y = tide_constant(g, TIDE_F32,
                                                                                     TIDE_SHAPE(ROWS, OUT), truth);
    tide_val v = tide_variable(g, "w", tide_random_normal(g, TIDE_SHAPE(IN, OUT), 0, 1));
    tide_val h = tide_softmax(tide_dropout(tide_matmul(x, v), 0.2, TIDE_TRAIN), 1), l = tide_mse(h, y);
    tide_list params = TIDE_LIST(v);
    tide_val update = tide_adamw(params, tide_grad(l, params), &(tide_adamw_opts){ .lr = tide_scalar(g, 1e-2) });
    tide_program *p = tide_compile(TIDE_LIST(l, update), NULL);
    tide_status status = p ? tide_program_error(p)->status : tide_error(g)->status;
    for (int i = 0; i < STEPS && !status; i++) status = tide_run(p, (tide_feed[]){ { x, rows } }, 1);
    if (!status) status = tide_read(v, w, IN * OUT * sizeof *w);
    if (!status) status = tide_read(l, loss, sizeof *loss);
    tide_graph_free(g);
    return status;
}

static void test_trains(void **unused) {
    float want[IN * OUT], got[IN * OUT], again[IN * OUT], loss[3];
    (void)unused;
    assert_int_equal(train("ref", want, &loss[0]), TIDE_OK);
    for (int d = 0; d < 2; d++) {
        assert_int_equal(train(devices[d], got, &loss[1]), TIDE_OK);
        assert_int_equal(train(devices[d], again, &loss[2]), TIDE_OK);
        assert_memory_equal(got, again, sizeof got);
        assert_true(fabsf(loss[1] - loss[0]) < 1e-5f);
        for (int i = 0; i < IN * OUT; i++) assert_true(fabsf(got[i] - want[i]) < 1e-4f); /* Adam's steps are 1e-2 */
        assert_int_equal(fibers_count().blocks, 0);
    }
    assert_int_equal(fibers_count().lacking, 0);
    assert_true(fibers_count().launches > 0);
}

/* A clear status, nothing left, and the next training works. */
static void fail_each(int *fault, tide_status expected, int least) {
    float w[IN * OUT], loss;
    int failures = 0;
    for (int i = 0;; i++) {
        *fault = i;
        tide_status status = train(devices[i % 2], w, &loss);
        bool reached = *fault < 0;
        *fault = -1;
        if (!reached) { assert_int_equal(status, TIDE_OK); break; }
        assert_int_equal(status, expected);
        assert_int_equal(fibers_count().blocks, 0);
        assert_int_equal(train(devices[i % 2], w, &loss), TIDE_OK);
        failures++;
    }
    assert_in_range(failures, least, 1000);
}

static void test_every_failure(void **unused) {
    (void)unused;
    fail_each(&fibers_fault.alloc, TIDE_ENOMEM, 4);
    fail_each(&fibers_fault.put, TIDE_EDEVICE, 3);
    fail_each(&fibers_fault.get, TIDE_EDEVICE, 2);
    fail_each(&fibers_fault.build, TIDE_EDEVICE, 2);
    fail_each(&fibers_fault.kernel, TIDE_EDEVICE, 3 * STEPS);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_trains), cmocka_unit_test(test_every_failure) };
    if (!fibers_possible()) return 77;
    return cmocka_run_group_tests_name("fibers, failures", tests, NULL, NULL);
}
