/* Many threads with a graph each, and a child of fork: the same bits as alone; a run that another thread cancels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <tidemill/tidemill.h>
#include <unistd.h>

enum { ROWS = 256, IN = 48, HIDDEN = 160, STEPS = 12, CALLERS = 8, FORK_SECONDS = 60 };

/* A small network that learns; large enough for its phases to be shared. */
typedef struct net { tide_graph *graph; tide_val x, loss; tide_program *step; } net;

static net net_new(int threads, uint64_t seed) {
    net n = { .graph = tide_graph_new_with(&(tide_graph_options){ .threads = threads, .seed = seed }) };
    tide_linear first = tide_linear_new(n.graph, "first", IN, HIDDEN);
    tide_linear last = tide_linear_new(n.graph, "last", HIDDEN, IN);
    n.x = tide_input(n.graph, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN));
    tide_val hidden = tide_dropout(tide_tanh(tide_linear_apply(&first, n.x)), 0.1, TIDE_TRAIN);
    n.loss = tide_mse(tide_linear_apply(&last, hidden), n.x);
    tide_list params = tide_params(n.graph, "");
    tide_adamw_opts adam = { .lr = tide_scalar(n.graph, 1e-2) };
    n.step = tide_compile(TIDE_LIST(n.loss, tide_adamw(params, tide_grad(n.loss, params), &adam)), NULL);
    return n;
}

static float train(const net *n) {
    static const float none = -1;
    float x[ROWS * IN], loss = none;
    for (int i = 0; i < ROWS * IN; i++) x[i] = (float)(i * 7 % 19) * 0.1F - 0.9F;
    for (int s = 0; s < STEPS; s++)
        if (tide_run(n->step, (tide_feed[]){ { n->x, x } }, 1) != TIDE_OK) return none;
    return tide_read(n->loss, &loss, sizeof loss) == TIDE_OK ? loss : none;
}

static float train_new(int threads, uint64_t seed) {
    net n = net_new(threads, seed);
    float loss = train(&n);
    tide_graph_free(n.graph);
    return loss;
}

typedef struct caller { pthread_t thread; uint64_t seed; float loss; } caller;

static void *train_as_caller(void *user) {
    caller *c = user;
    for (int times = 0; times < 3; times++) c->loss = train_new(2, c->seed);
    return NULL;
}

static void test_callers(void **state) {
    caller all[CALLERS];
    (void)state;
    for (int budget = 0; budget <= 2; budget++) {
        tide_thread_budget_set(budget);
        for (int i = 0; i < CALLERS; i++) {
            all[i].seed = (uint64_t)(i + 1);
            assert_int_equal(pthread_create(&all[i].thread, NULL, train_as_caller, &all[i]), 0);
        }
        for (int i = 0; i < CALLERS; i++) pthread_join(all[i].thread, NULL);
        for (int i = 0; i < CALLERS; i++) {
            float alone = train_new(1, all[i].seed);
            assert_memory_equal(&all[i].loss, &alone, sizeof alone);
        }
    }
    tide_thread_budget_set(0);
}

/* The parent's graph goes on in the child, and a new one is made there; both with helpers of its own. */
static void test_fork(void **state) {
    int code = -1;
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it loses count of the threads of a child of fork */
#endif
    net n = net_new(2, 3);
    float first = train(&n), fresh = train_new(2, 5);
    assert_true(first > 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(FORK_SECONDS);
        float again = train_new(2, 5);
        _exit(train(&n) < first && !memcmp(&again, &fresh, sizeof again) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
    assert_true(train(&n) < first);
    tide_graph_free(n.graph);
}

static void *cancel_later(void *program) {
    nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    tide_program_cancel(program);
    return NULL;
}

/* A run of seconds ends soon, on every device that has a way to; the next one is whole. */
static void test_cancel(void **state) {
    static const char *const devices[] = { "cpu", "ref" };
    static const int64_t size[] = { 512, 128 };
    (void)state;
    for (int d = 0; d < 2; d++) {
        tide_graph   *g = tide_graph_new_with(&(tide_graph_options){ .device = devices[d], .threads = 2 });
        tide_val      x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(size[d], size[d])), y = x;
        for (int i = 0; i < 64; i++) y = tide_matmul(y, x);
        tide_program *p = tide_compile(TIDE_LIST(y), NULL);
        float        *data = calloc((size_t)(size[d] * size[d]), sizeof *data);
        pthread_t     other;
        pthread_create(&other, NULL, cancel_later, p);
        tide_status status = tide_run(p, (tide_feed[]){ { x, data } }, 1);
        pthread_join(other, NULL);
        assert_int_equal(status, TIDE_ECANCELLED);
        assert_null(tide_data(y));
        assert_int_equal(tide_run(p, (tide_feed[]){ { x, data } }, 1), TIDE_OK);
        assert_non_null(tide_data(y));
        tide_program_cancel(p);  /* before: the next run is the one */
        assert_int_equal(tide_run(p, (tide_feed[]){ { x, data } }, 1), TIDE_ECANCELLED);
        free(data);
        tide_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_callers), cmocka_unit_test(test_fork),
                                        cmocka_unit_test(test_cancel) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
