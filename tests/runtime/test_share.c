/* Variables that several graphs hold together, on several threads, and runs that are cancelled. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <tidemill/tidemill.h>

enum { WIDTH = 256, CLONES = 8, RUNS = 20 };

/* An allocator that counts what is held. */
typedef struct counted { atomic_int_fast64_t held; } counted;

static void *counted_alloc(void *user, size_t bytes) {
    atomic_fetch_add(&((counted *)user)->held, (int64_t)bytes);
    return aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    atomic_fetch_sub(&((counted *)user)->held, (int64_t)bytes);
    free(memory);
}

typedef struct net { tide_graph *g; tide_linear layer; tide_val x, y; tide_program *p; } net;

static net net_new(const char *device, counted *c, uint64_t seed) {
    net n = { .g = tide_graph_new_with(&(tide_graph_options){
                  .device = device, .threads = 1, .seed = seed, .allocator = { counted_alloc, counted_free, c } }) };
    n.layer = tide_linear_new(n.g, "layer", WIDTH, WIDTH);
    return n;
}

static void net_compile(net *n) {
    n->x = tide_input(n->g, "x", TIDE_F32, TIDE_SHAPE(1, WIDTH));
    n->y = tide_linear_apply(&n->layer, n->x);
    n->p = tide_compile(TIDE_LIST(n->y), NULL);
}

static void net_run(net *n, float out[WIDTH]) {
    float x[WIDTH];
    for (int i = 0; i < WIDTH; i++) x[i] = sinf((float)i);
    assert_int_equal(tide_run(n->p, (tide_feed[]){ { n->x, x } }, 1), TIDE_OK);
    assert_int_equal(tide_read(n->y, out, WIDTH * sizeof *out), TIDE_OK);
}

static tide_list params(const net *n) { return tide_params(n->g, ""); }

/* The parameters are there once however many read them, and outlive the graph that made them. */
static void test_held_once(void **state) {
    static const char *const devices[] = { "cpu", "ref", "check" };
    (void)state;
    for (int d = 0; d < 3; d++) {
        counted c = { 0 };
        float   want[WIDTH], got[WIDTH];
        int64_t weights = WIDTH * WIDTH * (int64_t)sizeof(float);
        net     first = net_new(devices[d], &c, 1), other[CLONES];
        net_compile(&first);
        net_run(&first, want);
        int64_t alone = c.held;
        assert_true(alone > weights);
        for (int i = 0; i < CLONES; i++) {
            other[i] = net_new(devices[d], &c, 2 + (uint64_t)i);
            assert_int_equal(tide_variables_share(params(&other[i]), params(&first), NULL), TIDE_OK);
            net_compile(&other[i]);
            assert_in_range(tide_program_bytes(other[i].p).variables, 0, 64);  /* the step of its random numbers */
            net_run(&other[i], got);
            assert_memory_equal(got, want, sizeof want);
        }
        assert_true(c.held - alone < CLONES * (alone - weights + 4096));
        tide_graph_free(first.g);
        net_run(&other[CLONES - 1], got);
        assert_memory_equal(got, want, sizeof want);
        for (int i = 0; i < CLONES; i++) tide_graph_free(other[i].g);
        assert_int_equal(c.held, 0);
    }
}

typedef struct job { net n; float want[WIDTH]; bool same; } job;

static void *work(void *data) {
    job *j = data;
    float got[WIDTH];
    j->same = true;
    for (int i = 0; i < RUNS; i++) {
        net_run(&j->n, got);
        j->same &= memcmp(got, j->want, sizeof got) == 0;
    }
    tide_graph_free(j->n.g);
    return NULL;
}

static void test_threads(void **state) {
    counted   c = { 0 };
    job       jobs[CLONES];
    pthread_t threads[CLONES];
    float     want[WIDTH];
    (void)state;
    net first = net_new("cpu", &c, 1);
    net_compile(&first);
    net_run(&first, want);
    for (int i = 0; i < CLONES; i++) {
        jobs[i].n = net_new("cpu", &c, 9);
        memcpy(jobs[i].want, want, sizeof want);
        assert_int_equal(tide_variables_share(params(&jobs[i].n), params(&first), NULL), TIDE_OK);
        net_compile(&jobs[i].n);
    }
    for (int i = 0; i < CLONES; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    tide_graph_free(first.g);  /* while they run */
    for (int i = 0; i < CLONES; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < CLONES; i++) assert_true(jobs[i].same);
    assert_int_equal(c.held, 0);
}

static void refused(tide_list to, tide_list from, tide_status status, const char *part) {
    tide_failure why = { 0 };
    assert_int_equal(tide_variables_share(to, from, &why), status);
    if (!strstr(why.message, part)) fail_msg("'%s' does not say '%s'", why.message, part);
}

static tide_val filled(tide_graph *g, const char *name, tide_dtype type, int64_t n) {
    return tide_variable(g, name, tide_fill(g, type, TIDE_SHAPE(n), 1));
}

static void test_refused(void **state) {
    (void)state;
    tide_graph *a = tide_graph_new("cpu"), *b = tide_graph_new("cpu");
    tide_val    v = filled(a, "v", TIDE_F32, 3), u = filled(b, "u", TIDE_F32, 3), wide = filled(b, "wide", TIDE_F32, 4),
             whole = filled(b, "whole", TIDE_I32, 3), one = tide_fill(b, TIDE_F32, TIDE_SHAPE(3), 1);
    refused(TIDE_LIST(wide), TIDE_LIST(v), TIDE_ESHAPE, "'wide' has shape (4), and 'v' has shape (3)");
    refused(TIDE_LIST(whole), TIDE_LIST(v), TIDE_ETYPE, "'whole' is i32, and 'v' is f32");
    refused(TIDE_LIST(one), TIDE_LIST(v), TIDE_EINVAL, "is not a variable");
    refused(TIDE_LIST(v), TIDE_LIST(v), TIDE_EINVAL, "one graph");
    refused(TIDE_LIST(u, v), TIDE_LIST(v, v), TIDE_EINVAL, "another graph");
    refused(TIDE_LIST(u, wide), TIDE_LIST(v), TIDE_EINVAL, "1 variables cannot take the places of 2");
    tide_program *p = tide_compile(TIDE_LIST(tide_assign(v, tide_add_scalar(v, 1))), NULL);
    refused(TIDE_LIST(u), TIDE_LIST(v), TIDE_EINVAL, "a program assigns 'v'");
    tide_program_free(p);
    float three[3] = { 5, 6, 7 }, got[3];
    assert_int_equal(tide_write(v, three, sizeof three), TIDE_OK);
    assert_int_equal(tide_variables_share(TIDE_LIST(u), TIDE_LIST(v), NULL), TIDE_OK);
    assert_int_equal(tide_read(tide_mul_scalar(u, 2), got, sizeof got), TIDE_OK);
    assert_true(got[0] == 10 && got[2] == 14);
    refused(TIDE_LIST(u), TIDE_LIST(v), TIDE_EINVAL, "'u' has a value already");
    tide_graph_free(a);
    assert_int_equal(tide_read(u, got, sizeof got), TIDE_OK);
    assert_true(got[1] == 6);
    tide_graph_free(b);
}

/* Whatever would change a shared variable is refused, in both graphs. */
static void test_fixed(void **state) {
    (void)state;
    tide_graph *a = tide_graph_new("cpu"), *b = tide_graph_new("cpu");
    tide_val v[2] = { filled(a, "v", TIDE_F32, 3), filled(b, "u", TIDE_F32, 3) };
    float three[3] = { 5, 6, 7 };
    assert_int_equal(tide_variables_share(TIDE_LIST(v[1]), TIDE_LIST(v[0]), NULL), TIDE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tide_write(v[i], three, sizeof three), TIDE_EINVAL);
        assert_non_null(strstr(tide_error(v[i].graph)->message, "is shared with other graphs"));
        tide_snapshot_t *s = tide_snapshot(TIDE_LIST(v[i]));
        assert_int_equal(tide_restore(s), TIDE_EINVAL);
        tide_snapshot_free(s);
        tide_program *p = tide_compile(TIDE_LIST(tide_assign(v[i], tide_add_scalar(v[i], 1))), NULL);
        assert_int_equal(tide_run(p, NULL, 0), TIDE_EINVAL);
        assert_non_null(strstr(tide_program_error(p)->message, "is shared with other graphs"));
    }
    tide_graph_free(b);
    tide_graph_free(a);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_held_once), cmocka_unit_test(test_threads),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_fixed) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
