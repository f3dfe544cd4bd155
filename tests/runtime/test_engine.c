/* Graphs, programs and memory: what core.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs those above */
#include <cmocka.h>
#include <tidemill/tidemill.h>

/* ---- an allocator that counts, and fails when told to ---- */

typedef struct counter {
    int64_t calls, live_bytes, live_blocks, fail_at;
    int64_t watched[3], seen[3];  /* sizes, and how many live blocks have them */
} counter;

static void watch(counter *c, size_t bytes, int change) {
    for (int i = 0; i < 3; i++)
        if (c->watched[i] == (int64_t)bytes) c->seen[i] += change;
}

static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    if (++c->calls == c->fail_at) return NULL;
    c->live_bytes += (int64_t)bytes, c->live_blocks++;
    watch(c, bytes, 1);
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    c->live_bytes -= (int64_t)bytes, c->live_blocks--;
    watch(c, bytes, -1);
    free(memory);
}

static tide_graph *counted_graph(counter *c, const char *device, int threads) {
    return tide_graph_new_with(&(tide_graph_options){
        .device = device, .threads = threads, .seed = 7, .allocator = { counted_alloc, counted_free, c } });
}

/* A small network of every sort of kernel: products, rows, dropout, an optimizer. */
typedef struct network { tide_val x, y, loss, update; } network;

static network network_new(tide_graph *g, int64_t rows) {
    network n = { tide_input(g, "x", TIDE_F32, TIDE_SHAPE(rows, 12)),
                  tide_input(g, "y", TIDE_F32, TIDE_SHAPE(rows, 3)) };
    tide_linear a = tide_linear_new(g, "a", 12, 40), b = tide_linear_new(g, "b", 40, 3);
    tide_layer_norm_layer norm = tide_layer_norm_new(g, "norm", 40, 1e-5);
    tide_val hidden = tide_dropout(tide_gelu(tide_linear_apply(&a, n.x)), 0.2, TIDE_TRAIN);
    n.loss = tide_mse(tide_linear_apply(&b, tide_layer_norm_apply(&norm, hidden)), n.y);
    tide_list params = tide_params(g, "");
    n.update = tide_adamw(params, tide_clip_norm(tide_grad(n.loss, params), 1),
                          &(tide_adamw_opts){ .lr = tide_scalar(g, 1e-2) });
    return n;
}

static void fill(float *x, int64_t count, int seed) {
    for (int64_t i = 0; i < count; i++) x[i] = (float)((i * 7919 + seed * 104729) % 1000) / 500 - 1;
}

static tide_status train(const network *n, tide_program *p, int64_t rows, int steps) {
    float *x = calloc((size_t)(rows * 15), sizeof *x);
    tide_status status = TIDE_OK;
    for (int i = 0; i < steps && !status; i++) {
        fill(x, rows * 15, i);
        status = tide_run(p, (tide_feed[]){ { n->y, x + rows * 12 }, { n->x, x } }, 2);
    }
    free(x);
    return status;
}

/* ---- tests ---- */

static void test_swap(void **state) {
    const char *const *devices = tide_devices();
    (void)state;
    for (int d = 0; devices[d]; d++) {
        if (tide_device_check(devices[d], NULL)) continue;
        tide_graph *g = tide_graph_new(devices[d]);
        float ones[300], twos[300], got[300];
        for (int i = 0; i < 300; i++) ones[i] = (float)i, twos[i] = (float)(-2 * i);
        tide_val a = tide_variable(g, "a", tide_constant(g, TIDE_F32, TIDE_SHAPE(300), ones));
        tide_val b = tide_variable(g, "b", tide_constant(g, TIDE_F32, TIDE_SHAPE(300), twos));
        tide_val sum = tide_add(a, b);
        tide_program *swap = tide_compile(TIDE_LIST(tide_assign(a, b), tide_assign(b, a), sum), NULL);
        assert_int_equal(tide_run(swap, NULL, 0), TIDE_OK);
        assert_int_equal(tide_read(a, got, sizeof got), TIDE_OK);
        assert_memory_equal(got, twos, sizeof got);
        assert_int_equal(tide_read(b, got, sizeof got), TIDE_OK);
        assert_memory_equal(got, ones, sizeof got);
        assert_int_equal(tide_read(sum, got, sizeof got), TIDE_OK);
        assert_true(got[2] == -2.0f);
        tide_graph_free(g);
    }
}

/* Crossed updates that read each other's old values lane by lane: a' = a + b, b' = a - b. */
static void test_crossed_updates(void **state) {
    const char *const *devices = tide_devices();
    (void)state;
    for (int d = 0; devices[d]; d++) {
        if (tide_device_check(devices[d], NULL)) continue;
        tide_graph *g = tide_graph_new(devices[d]);
        tide_val a = tide_variable(g, "a", tide_fill(g, TIDE_F32, TIDE_SHAPE(1000), 3)),
                 b = tide_variable(g, "b", tide_fill(g, TIDE_F32, TIDE_SHAPE(1000), 1));
        tide_program *p = tide_compile(TIDE_LIST(tide_assign(a, tide_add(a, b)), tide_assign(b, tide_sub(a, b))), NULL);
        float got[1000];
        for (int i = 0; i < 3; i++) assert_int_equal(tide_run(p, NULL, 0), TIDE_OK);
        tide_read(a, got, sizeof got);  /* (3,1) (4,2) (6,2) (8,4) */
        assert_true(got[0] == 8 && got[999] == 8);
        tide_read(b, got, sizeof got);
        assert_true(got[0] == 4 && got[999] == 4);
        tide_graph_free(g);
    }
}

static void test_lazy(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    float value;
    tide_val v = tide_variable(g, "v", tide_scalar(g, 2)), y = tide_square(v);
    assert_int_equal(tide_read(y, &value, sizeof value), TIDE_OK);
    assert_true(value == 4);
    value = 5;
    assert_int_equal(tide_write(v, &value, sizeof value), TIDE_OK);
    assert_int_equal(tide_read(y, &value, sizeof value), TIDE_OK);
    assert_true(value == 25);
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SCALAR), z = tide_add(x, y);
    assert_int_equal(tide_read(z, &value, sizeof value), TIDE_EINVAL);
    assert_string_equal(tide_error(g)->message, "run: the input 'x' is not fed");
    assert_int_equal(tide_read(y, &value, sizeof value), TIDE_OK);  /* such a failure passes */
    assert_int_equal(tide_error(g)->status, TIDE_OK);
    tide_program *p = tide_compile(TIDE_LIST(z), NULL);
    assert_int_equal(tide_run(p, (tide_feed[]){ { x, &(float){ 1 } } }, 1), TIDE_OK);
    assert_int_equal(tide_read(z, &value, sizeof value), TIDE_OK);
    assert_true(value == 26);
    assert_int_equal(tide_run(p, NULL, 0), TIDE_EINVAL);  /* a failed run leaves nothing old to read */
    assert_int_equal(tide_read(z, &value, sizeof value), TIDE_EINVAL);
    assert_non_null(strstr(tide_program_error(p)->message, "'x'"));
    tide_graph_free(g);
}

static void test_errors_stick(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    float value;
    tide_scope_push(g, "encoder");
    tide_val bad =
        tide_matmul(tide_fill(g, TIDE_F32, TIDE_SHAPE(2, 3), 1), tide_fill(g, TIDE_F32, TIDE_SHAPE(4, 5), 1));
    tide_scope_pop(g);
    assert_false(tide_ok(bad));
    tide_val later = tide_relu(tide_add(bad, bad));
    assert_false(tide_ok(later));
    assert_int_equal(tide_error(g)->status, TIDE_ESHAPE);
    assert_string_equal(tide_error(g)->message,
                        "matmul: inner sizes 3 and 4 differ (shapes (2, 3) and (4, 5)) (in encoder)");
    assert_int_equal(tide_run(tide_compile(TIDE_LIST(later), NULL), NULL, 0), TIDE_ESHAPE);
    assert_int_equal(tide_read(later, &value, sizeof value), TIDE_ESHAPE);
    tide_graph_free(g);
    g = tide_graph_new("abacus");
    assert_int_equal(tide_error(g)->status, TIDE_EDEVICE);
    tide_graph_free(g);
}

static void test_shared_variables(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .seed = 3 });
    network n = network_new(g, 8);
    tide_program *step = tide_compile(TIDE_LIST(n.loss, n.update), NULL),
                 *score = tide_compile(TIDE_LIST(n.loss), NULL);
    float before, after, x[8 * 15];
    fill(x, 8 * 15, 1);
    tide_feed feeds[] = { { n.x, x }, { n.y, x + 96 } };
    tide_snapshot_t *kept = tide_snapshot(tide_state(g, ""));
    assert_int_equal(tide_run(score, feeds, 2), TIDE_OK);
    tide_read(n.loss, &before, sizeof before);
    for (int i = 0; i < 60; i++) assert_int_equal(tide_run(step, feeds, 2), TIDE_OK);
    assert_int_equal(tide_run(score, feeds, 2), TIDE_OK);
    tide_read(n.loss, &after, sizeof after);
    assert_true(after < 0.7f * before);
    assert_int_equal(tide_restore(kept), TIDE_OK);
    assert_int_equal(tide_run(score, feeds, 2), TIDE_OK);
    tide_read(n.loss, &after, sizeof after);
    assert_true(after == before);  /* the random step was restored too: the same mask */
    tide_snapshot_free(kept);
    tide_graph_free(g);
}

static void test_same_bits(void **state) {
    (void)state;
    float weights[3][480];
    for (int threads = 1; threads <= 3; threads++) {
        tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .threads = threads, .seed = 7 });
        network n = network_new(g, 700);
        assert_int_equal(train(&n, tide_compile(TIDE_LIST(n.loss, n.update), NULL), 700, 25), TIDE_OK);
        assert_int_equal(tide_read(tide_find_variable(g, "a.weight"), weights[threads - 1], sizeof weights[0]),
                         TIDE_OK);
        tide_graph_free(g);
    }
    assert_memory_equal(weights[0], weights[1], sizeof weights[0]);
    assert_memory_equal(weights[0], weights[2], sizeof weights[0]);
}

/* The counted bytes are those allocated, and a run allocates nothing. */
static void test_memory_is_counted(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        counter c = { 0 };
        tide_graph *g = counted_graph(&c, "cpu", threads);
        network n = network_new(g, 96);
        float *lay_out = (float *)tide_data(tide_find_variable(g, "a.weight"));  /* variables now have storage */
        assert_non_null(lay_out);
        tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
        assert_int_equal(train(&n, p, 96, 1), TIDE_OK);  /* the table of results grows at the first run */
        int64_t calls = c.calls;
        assert_int_equal(train(&n, p, 96, 20), TIDE_OK);
        assert_int_equal(c.calls, calls);
        tide_memory m = tide_program_bytes(p);
        assert_int_equal(m.total, m.arena + m.constants + m.variables + m.scratch);
        assert_true(m.arena > 0 && m.variables > 0 && m.scratch > 0);
        c.watched[0] = m.arena;  /* a second program like it has an arena of just these bytes */
        int64_t before = c.live_bytes;
        tide_program *again = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
        assert_int_equal(c.seen[0], 1);
        assert_int_equal(tide_program_bytes(again).arena, m.arena);
        assert_int_equal(tide_program_bytes(again).scratch, m.scratch);
        assert_true(c.live_bytes - before >= m.arena + m.scratch);
        tide_program_free(again);
        assert_int_equal(c.live_bytes, before);
        tide_graph_free(g);
        assert_int_equal(c.live_bytes, 0);
        assert_int_equal(c.live_blocks, 0);
    }
}

static void test_limit(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    tide_val x = tide_fill(g, TIDE_F32, TIDE_SHAPE(200, 200), 1), y = tide_matmul(x, x);
    tide_program *p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .memory_limit = 1 << 16 });
    assert_int_equal(tide_run(p, NULL, 0), TIDE_ENOMEM);
    assert_non_null(strstr(tide_program_error(p)->message, "the limit is 65536"));
    assert_int_equal(tide_run(tide_compile(TIDE_LIST(y), NULL), NULL, 0), TIDE_OK);
    tide_graph_free(g);
}

/* Builds, compiles and runs with the fail_at-th allocation failing; true once everything succeeded. */
static bool survives(counter *c, const char *device) {
    tide_graph *g = counted_graph(c, device, 1);
    if (!g) return false;
    network n = network_new(g, 16);
    tide_program *p = tide_compile(TIDE_LIST(n.loss, n.update), NULL);
    tide_status status = train(&n, p, 16, 1);
    float loss;
    tide_status read = tide_read(n.loss, &loss, sizeof loss);
    bool failed = c->calls >= c->fail_at;
    if (failed && status) {
        const tide_failure *f = tide_program_error(p)->status ? tide_program_error(p) : tide_error(g);
        assert_int_equal(status, TIDE_ENOMEM);
        assert_int_equal(f->status, TIDE_ENOMEM);
        assert_true(strlen(f->message) > 5);
        assert_int_not_equal(read, TIDE_OK);
    }
    tide_graph_free(g);
    return !failed;
}

static void test_each_allocation_fails(void **state) {
    const char *const *devices = tide_devices();
    (void)state;
    for (int d = 0; devices[d]; d++) {
        if (tide_device_check(devices[d], NULL)) continue;
        bool done = false;
        for (int64_t at = 1; !done; at++) {
            counter c = { .fail_at = at };
            done = survives(&c, devices[d]);
            assert_int_equal(c.live_blocks, 0);
            assert_int_equal(c.live_bytes, 0);
            assert_true(at < 100000);
        }
    }
}

static void count_pass(void *user, const char *pass, const char *text) {
    assert_true(*pass && strlen(text) > 100);
    ++*(int *)user;
}

static void test_dumps(void **state) {
    (void)state;
    tide_graph *g = tide_graph_new("cpu");
    network n = network_new(g, 4);
    int passes = 0;
    tide_compile_options o = { .dump_user = &passes };
    o.dump = count_pass;
    tide_compile(TIDE_LIST(n.loss), &o);
    assert_int_equal(passes, 3);  /* build, simplify, lower */
    o.dump_dot = true;
    tide_compile(TIDE_LIST(n.loss), &o);
    assert_int_equal(passes, 5);
    tide_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swap),          cmocka_unit_test(test_crossed_updates),   cmocka_unit_test(test_lazy),
        cmocka_unit_test(test_errors_stick),  cmocka_unit_test(test_shared_variables),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_memory_is_counted), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_dumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
