/* The runtime beside a device with memory of its own: the bits of ref, what is queued, what fails, what comes back. */
#include "apart.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

enum { ROWS = 6, IN = 5, OUT = 3, STEPS = 4 };

/* A layer with dropout, trained: feeds, random numbers, gradients, variables that are assigned. */
typedef struct session {
    tide_graph   *g;
    tide_val      x, y, w, loss;
    tide_program *p;
    float         rows[ROWS * IN], truth[ROWS * OUT];
} session;

static session open_session(const char *device) {
    session s = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = 9 }) };
    for (int i = 0; i < ROWS * IN; i++) s.rows[i] = (float)(i % 7) / 7 - 0.4f;
    for (int i = 0; i < ROWS * OUT; i++) s.truth[i] = (float)(i % 5) / 5;
    s.x = tide_input(s.g, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN));
    s.y = tide_input(s.g, "y", TIDE_F32, TIDE_SHAPE(ROWS, OUT));
    s.w = tide_variable(s.g, "w", tide_random_normal(s.g, TIDE_SHAPE(IN, OUT), 0, 1));
    tide_val h = tide_dropout(tide_gelu(tide_matmul(s.x, s.w)), 0.2, TIDE_TRAIN);
    s.loss = tide_mse(h, s.y);
    tide_list params = TIDE_LIST(s.w);
    tide_val step = tide_adamw(params, tide_grad(s.loss, params),
                               &(tide_adamw_opts){ .lr = tide_scalar(s.g, 1e-2), .weight_decay = 0.1 });
    s.p = tide_compile(TIDE_LIST(s.loss, step), NULL);
    assert_int_equal(tide_error(s.g)->status, TIDE_OK);
    return s;
}

static tide_status step(session *s) {
    return tide_run(s->p, (tide_feed[]){ { s->x, s->rows }, { s->y, s->truth } }, 2);
}

static void close_session(session *s) { tide_graph_free(s->g); }

static int all_given_back(void **state) {
    (void)state;
    apart_counts c = apart_count();
    apart_fault = (apart_faults){ -1, -1, -1, -1 };
    if (!c.devices && !c.blocks && !c.bytes) return 0;
    print_error("%d devices, %d blocks, %lld bytes are left\n", c.devices, c.blocks, (long long)c.bytes);
    return -1;
}

/* ---- the same numbers ---- */

typedef struct trained { float loss[STEPS], w[IN * OUT]; } trained;

static trained train_on(const char *device) {
    trained t;
    session s = open_session(device);
    for (int i = 0; i < STEPS; i++) {
        assert_int_equal(step(&s), TIDE_OK);
        if (i % 2 == 0) assert_int_equal(tide_read(s.loss, &t.loss[i], sizeof t.loss[i]), TIDE_OK);
        else t.loss[i] = 0; /* two runs in the queue */
    }
    assert_int_equal(tide_read(s.w, t.w, sizeof t.w), TIDE_OK);
    close_session(&s);
    return t;
}

static void test_same_bits(void **state) {
    (void)state;
    trained ref = train_on("ref"), apart = train_on("apart");
    trained check = train_on("check"), fused = train_on("apart-fused"),
            second = train_on("apart:1");
    assert_memory_equal(&ref, &apart, sizeof ref);
    assert_memory_equal(&ref, &second, sizeof ref);
    assert_memory_equal(&check, &fused, sizeof ref);
}

static void test_snapshots(void **state) {
    float before[IN * OUT], after[IN * OUT], back[IN * OUT];
    (void)state;
    session s = open_session("apart");
    assert_int_equal(tide_read(s.w, before, sizeof before), TIDE_OK);
    tide_snapshot_t *kept = tide_snapshot(TIDE_LIST(s.w));
    assert_memory_equal(tide_snapshot_data(kept, 0), before, sizeof before);
    assert_int_equal(step(&s), TIDE_OK);
    assert_memory_not_equal(tide_data(s.w), before, sizeof before);
    assert_int_equal(tide_read(s.w, after, sizeof after), TIDE_OK);
    assert_int_equal(tide_restore(kept), TIDE_OK);
    assert_int_equal(tide_read(s.w, back, sizeof back), TIDE_OK);
    assert_memory_equal(back, before, sizeof before);
    assert_int_equal(tide_write(s.w, after, sizeof after), TIDE_OK);
    assert_int_equal(tide_snapshot_update(kept), TIDE_OK);
    assert_memory_equal(tide_snapshot_data(kept, 0), after, sizeof after);
    tide_snapshot_free(kept);
    close_session(&s);
}

static void test_data(void **state) {
    static const float three[3] = { 1, 2, 3 };
    (void)state;
    session s = open_session("apart");
    assert_int_equal(step(&s), TIDE_OK);
    const float *loss = tide_data(s.loss), first = loss ? *loss : 0;
    assert_true(first > 0);
    assert_int_equal(step(&s), TIDE_OK);
    assert_ptr_equal(tide_data(s.loss), loss);
    assert_true(*loss != first);
    assert_memory_equal(tide_data(tide_constant(s.g, TIDE_F32, TIDE_SHAPE(3), three)), three, sizeof three);
    const float *sum = tide_data(tide_add_scalar(tide_constant(s.g, TIDE_F32, TIDE_SHAPE(3), three), 1));
    assert_true(sum && sum[0] == 2 && sum[2] == 4);
    assert_non_null(tide_data(tide_fill(s.g, TIDE_F32, TIDE_SHAPE(0, 3), 0)));
    close_session(&s);
}

/* ---- a program that runs on cpu beside the device ---- */

static void times_two(void *user, const void *const *inputs, void *output) {
    const float *x = inputs[0];
    (void)user;
    for (int i = 0; i < 4; i++) ((float *)output)[i] = 2 * x[i];
}

static void test_falls_back(void **state) {
    static const tide_custom_op op = { .name = "times two", .run = times_two };
    const char *note;
    float v[4];
    (void)state;
    tide_graph *g = tide_graph_new("apart");
    tide_val x = tide_variable(g, "x", tide_add_scalar(tide_arange(g, TIDE_F32, 4), 1)),
             other = tide_variable(g, "other", tide_fill(g, TIDE_F32, TIDE_SHAPE(4), 1));
    tide_val y = tide_custom(g, &op, TIDE_LIST(x), TIDE_F32, TIDE_SHAPE(4));
    tide_program *p = tide_compile(TIDE_LIST(tide_assign(x, tide_add(y, other))), NULL);
    tide_program *q = tide_compile(TIDE_LIST(tide_assign(other, tide_mul_scalar(x, 10))), NULL);
    assert_string_equal(tide_program_device(p, &note), "cpu");
    assert_non_null(strstr(note, "its memory is its own"));
    assert_string_equal(tide_program_device(q, &note), "apart");
    assert_int_equal(tide_run(q, NULL, 0), TIDE_OK); /* other = 10 20 30 40, still queued when p takes its copy */
    assert_int_equal(tide_run(p, NULL, 0), TIDE_OK); /* x = 12 24 36 48 */
    assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
    assert_int_equal(tide_read(x, v, sizeof v), TIDE_OK);
    assert_memory_equal(v, ((float[]){ 12, 24, 36, 48 }), sizeof v);
    assert_int_equal(tide_read(other, v, sizeof v), TIDE_OK);
    assert_memory_equal(v, ((float[]){ 120, 240, 360, 480 }), sizeof v);
    tide_explanation *e = tide_program_explain(p, NULL);
    bool named = false;
    for (int64_t i = 0; i < e->n_kernels; i++) named |= strstr(e->kernels[i].variables, "=x") != NULL;
    assert_true(named);
    tide_explanation_free(e);
    tide_graph_free(g);
}

/* ---- what is queued, and what fails ---- */

static void expect_told(tide_status status, const tide_failure *why) {
    assert_int_equal(status, TIDE_EDEVICE);
    if (!strstr(why->message, "the kernel '") || !strstr(why->message, "' failed: it was told to"))
        fail_msg("'%s' names no kernel", why->message);
}

/* A session with a run in the queue that will fail. */
static session failing(void) {
    session s = open_session("apart");
    assert_int_equal(step(&s), TIDE_OK);
    assert_int_equal(tide_wait(s.p), TIDE_OK);
    apart_fault.kernel = 2;
    assert_int_equal(step(&s), TIDE_OK);
    return s;
}

/* Told once, but what the run should have computed is not there until the next. */
static void expect_over(session *s) {
    float loss;
    assert_int_equal(tide_wait(s->p), TIDE_OK);
    expect_told(tide_read(s->loss, &loss, sizeof loss), tide_error(s->g));
    assert_null(tide_data(s->loss));
    expect_told(tide_program_error(s->p)->status, tide_program_error(s->p));
    assert_int_equal(step(s), TIDE_OK);
    assert_int_equal(tide_read(s->loss, &loss, sizeof loss), TIDE_OK);
    close_session(s);
}

static void test_told_by_wait(void **state) {
    (void)state;
    session s = failing();
    tide_status status = tide_wait(s.p);
    expect_told(status, tide_program_error(s.p));
    expect_over(&s);
}

static void test_told_by_read(void **state) {
    float loss;
    (void)state;
    session s = failing();
    tide_status status = tide_read(s.loss, &loss, sizeof loss);
    expect_told(status, tide_error(s.g));
    expect_over(&s);
    s = failing();
    assert_null(tide_data(s.w));
    expect_told(tide_error(s.g)->status, tide_error(s.g));
    expect_over(&s);
}

static void test_told_by_write(void **state) {
    float w[IN * OUT] = { 0 };
    (void)state;
    session s = failing();
    tide_status status = tide_write(s.w, w, sizeof w);
    expect_told(status, tide_error(s.g));
    expect_over(&s);
}

static void test_told_by_snapshot(void **state) {
    (void)state;
    session s = failing();
    assert_null(tide_snapshot(TIDE_LIST(s.w)));
    expect_over(&s);
}

/* By the run that finds it done: here the queue is full. */
static void test_told_by_run(void **state) {
    (void)state;
    session s = failing();
    tide_status status = TIDE_OK;
    for (int i = 0; i < 50 && !status; i++) status = step(&s);
    expect_told(status, tide_program_error(s.p));
    expect_over(&s);
}

/* By a program that is being made, as what it puts on the device is told: here freeing another one has waited. */
static void test_told_by_compile(void **state) {
    (void)state;
    session s = failing();
    tide_program_free(tide_compile(TIDE_LIST(tide_mul_scalar(s.w, 2)), NULL));
    tide_program *q = tide_compile(TIDE_LIST(tide_mul_scalar(s.w, 3)), NULL);
    expect_told(tide_program_error(q)->status, tide_program_error(q));
    expect_over(&s);
}

/* By memory that is not there, as the device is not. */
static void test_told_by_alloc(void **state) {
    (void)state;
    session s = failing();
    apart_fault.alloc = 0;
    tide_program *q = tide_compile(TIDE_LIST(tide_mul_scalar(s.w, 2)), NULL);
    expect_told(tide_program_error(q)->status, tide_program_error(q));
    expect_over(&s);
    s = failing();
    tide_variable(s.g, "more", tide_fill(s.g, TIDE_F32, TIDE_SHAPE(3), 1));
    apart_fault.alloc = 0;
    q = tide_compile(TIDE_LIST(tide_mul_scalar(s.w, 2)), NULL);
    expect_told(tide_program_error(q)->status, tide_program_error(q));
    expect_over(&s);
}

/* Another program's run is as lost: it was queued behind. */
static void test_behind_is_lost(void **state) {
    float v;
    (void)state;
    session s = failing();
    tide_val more = tide_mul_scalar(tide_sum(s.w, TIDE_ALL), 2);
    tide_program *q = tide_compile(TIDE_LIST(more), NULL);
    apart_fault.kernel = 2;
    assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
    assert_int_equal(tide_wait(q), TIDE_EDEVICE);
    expect_told(tide_read(more, &v, sizeof v), tide_error(s.g));
    assert_int_equal(tide_run(q, NULL, 0), TIDE_OK);
    assert_int_equal(tide_read(more, &v, sizeof v), TIDE_OK);
    expect_over(&s);
}

/* A wrong feed is no failure of the device: what is queued is not lost. */
static void test_wrong_feed(void **state) {
    float loss;
    (void)state;
    session s = open_session("apart");
    tide_val twice = tide_mul_scalar(s.x, 2);
    tide_program *q = tide_compile(TIDE_LIST(twice), NULL);
    assert_int_equal(step(&s), TIDE_OK);
    assert_int_equal(tide_run(q, NULL, 0), TIDE_EINVAL);
    assert_int_equal(tide_read(s.loss, &loss, sizeof loss), TIDE_OK);
    close_session(&s);
}

static tide_status whole(const char *device) {
    float w[IN * OUT];
    tide_status status = TIDE_OK;
    session s = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1 }) };
    close_session(&s);
    s = open_session(device);
    for (int i = 0; i < 2 && !status; i++) status = step(&s);
    if (!status) status = tide_read(s.w, w, sizeof w);
    tide_snapshot_t *kept = status ? NULL : tide_snapshot(TIDE_LIST(s.w));
    if (!status && !kept) status = TIDE_EDEVICE;
    if (!status) status = tide_restore(kept);
    if (!status) status = tide_wait(s.p);
    if (!status && !tide_data(tide_exp(s.w))) status = tide_error(s.g)->status;
    tide_snapshot_free(kept);
    close_session(&s);
    return status;
}

/* Each call of a kind made to fail once: a clear status, nothing left, and the next session works. */
static void fail_each(int *fault, tide_status expected) {
    int failures = 0;
    for (int i = 0;; i++) {
        *fault = i;
        tide_status status = whole("apart");
        bool reached = *fault < 0;
        *fault = -1;
        if (!reached) { assert_int_equal(status, TIDE_OK); break; }
        assert_int_equal(status, expected);
        assert_int_equal(apart_count().blocks, 0);
        assert_int_equal(whole("apart"), TIDE_OK);
        failures++;
    }
    assert_in_range(failures, 3, 1000);
}

static void test_every_failure(void **state) {
    (void)state;
    fail_each(&apart_fault.alloc, TIDE_ENOMEM);
    fail_each(&apart_fault.put, TIDE_EDEVICE);
    fail_each(&apart_fault.get, TIDE_EDEVICE);
    fail_each(&apart_fault.kernel, TIDE_EDEVICE);
}

/* ---- several graphs, several devices ---- */

static tide_val zeros_on(tide_graph *g) {
    return tide_variable(g, "zeros", tide_fill(g, TIDE_F32, TIDE_SHAPE(IN, OUT), 0));
}

static void test_shared(void **state) {
    float want, got;
    tide_failure why;
    (void)state;
    session a = open_session("apart");
    tide_graph *other = tide_graph_new("apart:1"), *near = tide_graph_new("cpu"), *g = tide_graph_new("apart-fused");
    tide_val v = zeros_on(other), u = zeros_on(near), t = zeros_on(g);
    tide_program_free(a.p); /* it assigns w */
    assert_int_equal(tide_variables_share(TIDE_LIST(v), TIDE_LIST(a.w), &why), TIDE_EDEVICE);
    assert_string_equal(why.message, "share: the device 'apart:1' does not have the memory of 'apart'");
    assert_int_equal(tide_variables_share(TIDE_LIST(u), TIDE_LIST(a.w), &why), TIDE_EDEVICE);
    assert_int_equal(tide_variables_share(TIDE_LIST(t), TIDE_LIST(a.w), &why), TIDE_OK);
    assert_int_equal(tide_read(tide_sum(a.w, TIDE_ALL), &want, sizeof want), TIDE_OK);
    close_session(&a); /* the one that made it */
    assert_int_equal(tide_read(tide_sum(t, TIDE_ALL), &got, sizeof got), TIDE_OK);
    assert_true(got == want && want != 0);
    tide_graph_free(g);
    tide_graph_free(other);
    tide_graph_free(near);
}

static void expect_no_device(const char *device, const char *message) {
    tide_failure why = { 0 };
    assert_int_equal(tide_device_check(device, &why), TIDE_EDEVICE);
    assert_string_equal(why.message, message);
    assert_string_equal(why.column, "device");
    tide_graph *g = tide_graph_new(device);
    assert_int_equal(tide_error(g)->status, TIDE_EDEVICE);
    assert_string_equal(tide_error(g)->message, message);
    assert_string_equal(tide_graph_device(g), "none");
    float one;
    assert_int_equal(tide_read(tide_scalar(g, 1), &one, sizeof one), TIDE_EDEVICE);
    tide_graph_free(g);
}

static void test_names(void **state) {
    (void)state;
    expect_no_device("abacus", "unknown device 'abacus'; available: cpu, ref, check, apart, apart-fused");
    expect_no_device("aprat:1",
                     "unknown device 'aprat:1'; available: cpu, ref, check, apart, apart-fused; did you mean 'apart'?");
    expect_no_device("apart:2", "there is no device apart:2; there are 2, from apart:0");
    expect_no_device("apart:", "unknown device 'apart:': behind 'apart:' stands a number from 0 to 9999");
    expect_no_device("apart:-1", "unknown device 'apart:-1': behind 'apart:' stands a number from 0 to 9999");
    expect_no_device("apart:12345", "unknown device 'apart:12345': behind 'apart:' stands a number from 0 to 9999");
    expect_no_device("cpu:0", "unknown device 'cpu:0': there is one 'cpu' alone, without a number");
    tide_graph *g = tide_graph_new("apart:1");
    assert_string_equal(tide_graph_device(g), "apart:1");
    tide_graph_free(g);
    assert_int_equal(tide_device_check("apart:1", NULL), TIDE_OK);
}

/* What a page of devices shows, and shares of memory are of. */
static void test_info(void **state) {
    tide_device d;
    tide_failure why;
    (void)state;
    assert_int_equal(tide_device_info("apart:1", &d, &why), TIDE_OK);
    assert_string_equal(d.name, "apart:1");
    assert_string_equal(d.hardware, "a device of the tests, number 1");
    assert_true(d.own_memory && d.memory_bytes == apart_memory_bytes);
    assert_int_equal(apart_count().devices, 0);
    assert_int_equal(tide_device_info(NULL, &d, NULL), TIDE_OK);
    assert_string_equal(d.name, "cpu");
    assert_true(!d.own_memory && d.memory_bytes == os_memory_bytes());
    assert_int_equal(tide_device_info("apart:2", &d, &why), TIDE_EDEVICE);
    assert_string_equal(d.name, "apart:2");
    assert_true(!d.memory_bytes && !*d.hardware);
}

/* Cuts are timed on made-up inputs; the variables are as before. */
static void test_tuned(void **state) {
    float before[IN * OUT], after[IN * OUT];
    (void)state;
    session s = open_session("apart-fused");
    assert_int_equal(tide_read(s.w, before, sizeof before), TIDE_OK);
    tide_program *p = tide_compile(TIDE_LIST(s.loss, tide_assign(s.w, tide_mul_scalar(s.w, 2))),
                                   &(tide_compile_options){ .mode = TIDE_MODE_MAX_AUTOTUNE });
    assert_int_equal(tide_program_error(p)->status, TIDE_OK);
    assert_int_equal(tide_read(s.w, after, sizeof after), TIDE_OK);
    assert_memory_equal(before, after, sizeof before);
    close_session(&s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, all_given_back)
    const struct CMUnitTest tests[] = {
        TEST(test_same_bits),        TEST(test_snapshots),      TEST(test_data),        TEST(test_falls_back),
        TEST(test_told_by_wait),     TEST(test_told_by_read),   TEST(test_told_by_write), TEST(test_told_by_snapshot),
        TEST(test_told_by_run),      TEST(test_behind_is_lost), TEST(test_wrong_feed),  TEST(test_every_failure),
        TEST(test_shared),           TEST(test_names),          TEST(test_tuned),         TEST(test_info),
        TEST(test_told_by_compile),  TEST(test_told_by_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
