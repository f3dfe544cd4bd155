/* --device auto among devices of which one is slow, one lies and one fails: who takes part, who is fastest, what is
 * said. */
#include "apart.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/tidemill.h>

#include "train/device.h"

/* apart, but what is read from it is wrong by 1. */
static tide_backend  liar;
static backend_memory liar_memory;
const tide_backend *const backend_all[] = { &tide_backend_cpu, &tide_backend_ref, &tide_backend_check,
                                            &tide_backend_apart, &liar, NULL };

static tide_status lie(void *device, void *to, void *block, int64_t at, int64_t bytes, tide_failure *why) {
    tide_status status = tide_backend_apart.memory->get(device, to, block, at, bytes, why);
    if (bytes >= (int64_t)sizeof(float)) *(float *)to += 1;
    return status;
}

static void make_liar(void) {
    liar_memory = *tide_backend_apart.memory, liar_memory.get = lie;
    liar        = tide_backend_apart, liar.name = "liar", liar.memory = &liar_memory;
}

static int none_fails(void **state) {
    (void)state;
    apart_fault = (apart_faults){ -1, -1, -1, -1 };
    return 0;
}

static int all_given_back(void **state) {
    apart_counts c = apart_count();
    none_fails(state);
    return c.devices || c.blocks || c.bytes;
}

/* ---- a run to try ---- */

enum { SMALL = 2, LARGE = 300, ROWS = 4 };

/* A layer whose width says how long a step takes: large on the device `slow`. It fails to open on `broken`. */
typedef struct run {
    const char  *slow, *broken;
    tide_graph  *g;
    train_step   step;
    float        rows[ROWS * LARGE];
    int          opened, closed, told;
    bool         stops;
} run;

static tide_status open_run(void *user, const char *device, train_sample *out, tide_failure *failure) {
    run    *r     = user;
    int64_t width = r->slow && !strcmp(device, r->slow) ? LARGE : SMALL;
    r->opened++;
    if (r->broken && !strcmp(device, r->broken)) {
        *failure = (tide_failure){ .status = TIDE_ENOMEM, .message = "no room" };
        return TIDE_ENOMEM;
    }
    r->g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1 });
    tide_val w = tide_variable(r->g, "w", tide_fill(r->g, TIDE_F32, TIDE_SHAPE(width, width), 0.01)),
             x = tide_input(r->g, "x", TIDE_F32, TIDE_SHAPE(ROWS, width)), h = x;
    train_step_begin(&r->step, r->g, TIDE_LIST(w), ROWS, &(train_rule){ .optimizer = TRAIN_SGD, .rate = 1e-3 });
    for (int i = 0; i < (width == LARGE ? 20 : 1); i++) h = tide_matmul(h, w);
    *out = (train_sample){ &r->step, { { x, r->rows, false } }, 1 };
    return train_step_end(&r->step, (train_loss){ .numerator = tide_mean(tide_square(h), TIDE_ALL) }, failure);
}

static void close_run(void *user) {
    run *r = user;
    tide_graph_free(r->g);
    r->g = NULL, r->closed++;
}

static tide_status hear(void *user, const char *line, tide_failure *failure) {
    run *r = user;
    r->told++;
    assert_non_null(strstr(line, "device auto: trying "));
    if (r->stops) *failure = (tide_failure){ .status = TIDE_ECANCELLED };
    return r->stops ? TIDE_ECANCELLED : TIDE_OK;
}

static train_device_choice choose(run *r) {
    train_device_choice out = { 0 };
    tide_failure        failure;
    assert_int_equal(train_device_choose(&(train_trial){ r, open_run, close_run, hear }, &out, &failure), TIDE_OK);
    assert_int_equal(r->opened, r->closed);
    return out;
}

static void assert_says(const char *line, const char *words) {
    if (!strstr(line, words)) fail_msg("\"%s\" is not in \"%s\"", words, line);
}

/* ---- the self-test ---- */

static void test_works(void **state) {
    char why[TRAIN_DEVICE_WHY];
    (void)state;
    assert_true(train_device_works("ref", why));
    assert_string_equal(why, "");
    assert_true(train_device_works("check", why));
    assert_true(train_device_works("apart", why));
    assert_false(train_device_works("liar", why));
    assert_says(why, "other numbers than cpu's");
    apart_fault.kernel = 0;
    assert_false(train_device_works("apart", why));
    assert_says(why, "does not run");
    assert_false(train_device_works("nobody", why));
}

/* ---- who is fastest ---- */

static void test_fastest(void **state) {
    run *r = calloc(1, sizeof *r);
    (void)state;
    r->slow = "cpu";
    train_device_choice c = choose(r);
    assert_string_equal(c.device, "apart");
    assert_says(c.line, "device auto: apart");
    assert_says(c.line, " ms a step, cpu ");
    assert_says(c.line, "; liar is left out: its self-test fails: ");
    assert_null(strstr(c.line, "ref"));
    assert_int_equal(r->opened, 2);
    assert_int_equal(r->told, 2);
    r->slow = "apart";
    c       = choose(r);
    assert_string_equal(c.device, "cpu");
    assert_says(c.line, "device auto: cpu ");
    assert_says(c.line, " ms a step, apart ");
    free(r);
}

static void test_left_out(void **state) {
    run *r = calloc(1, sizeof *r);
    (void)state;
    r->slow = "cpu", r->broken = "apart";
    train_device_choice c = choose(r);
    assert_string_equal(c.device, "cpu");
    assert_says(c.line, "; apart is left out: no room");
    r->broken = "cpu";
    c         = choose(r);
    assert_string_equal(c.device, "apart");
    assert_says(c.line, "; cpu is left out: no room");
    r->broken = NULL, r->opened = r->closed = 0;
    apart_fault.kernel = 0; /* of apart's self-test: cpu is alone then, and nothing is timed */
    c                  = choose(r);
    assert_string_equal(c.device, "cpu");
    assert_says(c.line, "device auto: cpu, ");
    assert_says(c.line, "; apart is left out: its self-test does not run");
    assert_int_equal(r->opened, 0);
    free(r);
}

static void test_stopped(void **state) {
    run                *r   = calloc(1, sizeof *r);
    train_device_choice out = { 0 };
    tide_failure        failure;
    (void)state;
    r->stops = true;
    assert_int_equal(train_device_choose(&(train_trial){ r, open_run, close_run, hear }, &out, &failure),
                     TIDE_ECANCELLED);
    assert_int_equal(r->opened, 0);
    assert_int_equal(r->told, 1);
    assert_string_equal(out.line, "");
    free(r);
}

/* ---- names ---- */

static void test_names(void **state) {
    char device[TRAIN_DEVICE];
    (void)state;
    assert_true(train_device_open("auto"));
    assert_false(train_device_open("cpu") || train_device_open(NULL));
    assert_string_equal(train_device_now("auto"), "cpu");
    assert_string_equal(train_device_now("apart:1"), "apart:1");
    train_device_of_run("auto", "/nowhere", 1000, device);
    assert_string_equal(device, "cpu");
    train_device_of_run("apart", "/nowhere", 1, device);
    assert_string_equal(device, "apart");
    assert_int_equal(train_device_there("auto", NULL), TIDE_OK);
    assert_int_equal(train_device_there("nobody", NULL), TIDE_EDEVICE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_works, none_fails, all_given_back),
        cmocka_unit_test_setup_teardown(test_fastest, none_fails, all_given_back),
        cmocka_unit_test_setup_teardown(test_left_out, none_fails, all_given_back),
        cmocka_unit_test_setup_teardown(test_stopped, none_fails, all_given_back),
        cmocka_unit_test_setup_teardown(test_names, none_fails, all_given_back),
    };
    make_liar();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
