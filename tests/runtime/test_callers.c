/* Many threads with a graph each, and a child of fork: the same bits as alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
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

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_callers), cmocka_unit_test(test_fork) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
