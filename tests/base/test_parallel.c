/* Threads of the process: every item once, phases in their order, nobody waited for who is not needed, the budget,
 * signals, fork. */
#include "base/parallel.h"
/* before cmocka, which has a macro of the name fail */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_THREADS = 16 };

/* ---- every item once ---- */

typedef struct counted { atomic_int *seen; int threads; atomic_int strange; } counted;

static void count_item(void *user, int64_t i, int thread) {
    counted *c = user;
    atomic_fetch_add(&c->seen[i], 1);
    if (thread < 0 || thread >= c->threads) atomic_fetch_add(&c->strange, 1);
}

static void check_loop(int threads, int64_t count, int64_t block) {
    counted c = { calloc((size_t)count + 1, sizeof *c.seen), threads, 0 };
    parallel_for(threads, count, block, count_item, &c);
    for (int64_t i = 0; i < count; i++) assert_int_equal(c.seen[i], 1);
    assert_int_equal(c.seen[count], 0);
    assert_int_equal(c.strange, 0);
    free(c.seen);
}

static void test_loops(void **state) {
    static const int64_t counts[] = { 0, 1, 2, 63, 64, 65, 1000 }, blocks[] = { 1, 7, 64, 5000 };
    (void)state;
    for (int threads = 1; threads <= MOST_THREADS; threads += 5)
        for (int c = 0; c < 7; c++)
            for (int b = 0; b < 4; b++) check_loop(threads, counts[c], blocks[b]);
}

/* More items than there are tickets: a ticket is then several. */
static void test_many_items(void **state) {
    (void)state;
    check_loop(2, (1 << 23) + 12345, 1);
}

/* ---- phases ---- */

enum { PHASES = 40, ITEMS = 50, RUNS = 50 };
typedef struct phased { parallel_phase phases[PHASES]; atomic_int done[PHASES]; atomic_int early; } phased;

static void run_phase(void *user, int32_t phase, int thread, parallel_share *share) {
    phased *p = user;
    (void)thread;
    for (int64_t last = -1, item; (item = parallel_next(share)) >= 0; last = item) {
        if (item <= last || (phase > 0 && p->done[phase - 1] != p->phases[phase - 1].items)) p->early++;
        p->done[phase]++;
    }
}

static void test_phases(void **state) {
    (void)state;
    for (int r = 0; r < RUNS; r++) {
        phased *p = calloc(1, sizeof *p);
        for (int i = 0; i < PHASES; i++)
            p->phases[i] = (parallel_phase){ i % 5 == 4 ? 0 : 1 + i * 7 % ITEMS, i % 3 == 0 };
        parallel_run(1 + r % 5, &(parallel_work){ p->phases, PHASES, run_phase, p });
        for (int i = 0; i < PHASES; i++) assert_int_equal(p->done[i], p->phases[i].items);
        assert_int_equal(p->early, 0);
        free(p); /* a helper that is late must not look at it: for the sanitizers */
    }
    parallel_run(4, &(parallel_work){ NULL, 0, run_phase, NULL });
}

/* ---- many callers, and calls from within ---- */

typedef struct nest { atomic_int *seen; int64_t width, row; } nest;

static void inner(void *user, int64_t i, int thread) {
    nest *n = user;
    (void)thread;
    n->seen[n->row * n->width + i]++;
}

static void outer(void *user, int64_t i, int thread) {
    nest mine = *(nest *)user;
    (void)thread;
    mine.row = i;
    parallel_for(3, mine.width, 1, inner, &mine);
}

static void test_nested(void **state) {
    enum { ROWS = 40, WIDTH = 30 };
    static atomic_int seen[ROWS * WIDTH];
    (void)state;
    parallel_for(3, ROWS, 1, outer, &(nest){ seen, WIDTH, 0 });
    for (int i = 0; i < ROWS * WIDTH; i++) assert_int_equal(seen[i], 1);
}

static atomic_int at_once, most_at_once;

static void busy_item(void *user, int64_t i, int thread) {
    int now = atomic_fetch_add(&at_once, 1) + 1, most = most_at_once;
    (void)thread;
    while (most < now && !atomic_compare_exchange_weak(&most_at_once, &most, now)) {}
    ((int64_t *)user)[i] += i;
    for (double until = os_seconds() + 2e-6; os_seconds() < until;) {}
    at_once--;
}

static void *call_often(void *unused) {
    enum { TIMES = 300, COUNT = 20 };
    int64_t sum[COUNT] = { 0 }, wrong = 0;
    for (int t = 0; t < TIMES; t++) parallel_for(4, COUNT, 1, busy_item, sum);
    for (int64_t i = 0; i < COUNT; i++) wrong += sum[i] != TIMES * i;
    return wrong ? unused : NULL;
}

static void test_callers(void **state) {
    enum { CALLERS = 8 };
    static int mark;
    pthread_t thread[CALLERS];
    void *wrong;
    (void)state;
    tide_thread_budget_set(3);
    most_at_once = 0;
    for (int i = 0; i < CALLERS; i++) assert_int_equal(pthread_create(&thread[i], NULL, call_often, &mark), 0);
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    assert_in_range(most_at_once, 1, CALLERS + 2);
    tide_thread_budget_set(0);
}

/* ---- who computes ---- */

/* Waits until `wanted` threads are in it together, or until it has been long enough to say that they never will. */
typedef struct meeting { int wanted; double seconds; atomic_int here; atomic_int met; sigset_t blocked; } meeting;

static void meet(void *user, int64_t i, int thread) {
    meeting *m = user;
    (void)i;
    m->here++;
    if (thread == 1) pthread_sigmask(SIG_BLOCK, NULL, &m->blocked);
    for (double until = os_seconds() + m->seconds; m->here < m->wanted && os_seconds() < until;) sched_yield();
    if (m->here >= m->wanted) m->met++;
    else m->here--;
}

/* A thread that waits holds its item, so those who meet are as many threads. */
static bool can_meet(int threads, int wanted, double seconds, sigset_t *blocked) {
    meeting m = { .wanted = wanted, .seconds = seconds };
    parallel_for(threads, wanted, 1, meet, &m);
    if (blocked) *blocked = m.blocked;
    return m.met == wanted;
}

enum { PATIENCE = 30 }; /* seconds; a busy machine wakes a thread late */

static void test_helpers_and_signals(void **state) {
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGCHLD, SIGPIPE };
    sigset_t blocked, mine;
    (void)state;
    sigemptyset(&blocked);
    assert_true(can_meet(2, 2, PATIENCE, &blocked));
    for (int i = 0; i < 7; i++) assert_true(sigismember(&blocked, numbers[i]));
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    assert_false(sigismember(&mine, SIGINT)); /* the caller's are as they were */
}

static void test_budget(void **state) {
    (void)state;
    assert_int_equal(tide_thread_budget_get(), 0);
    assert_true(can_meet(4, 4, PATIENCE, NULL));
    tide_thread_budget_set(2);
    assert_int_equal(tide_thread_budget_get(), 2);
    assert_false(can_meet(4, 3, 0.05, NULL));
    assert_true(can_meet(4, 2, PATIENCE, NULL));
    tide_thread_budget_set(1);
    assert_false(can_meet(4, 2, 0.05, NULL));
    check_loop(4, 100, 1);
    tide_thread_budget_set(-7);
    assert_int_equal(tide_thread_budget_get(), 0);
    tide_thread_budget_set(1 << 20);
    assert_int_equal(tide_thread_budget_get(), PARALLEL_MOST);
    tide_thread_budget_set(0);
    assert_true(can_meet(4, 4, PATIENCE, NULL));
}

/* ---- fork ---- */

static void *call_until(void *stop) {
    while (!atomic_load((atomic_bool *)stop)) {
        int64_t sum[8] = { 0 };
        parallel_for(2, 8, 1, busy_item, sum);
    }
    return NULL;
}

static void check_child(int threads) {
    int code = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(2 * PATIENCE);
        _exit(can_meet(threads, threads, PATIENCE, NULL) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_int_equal(code, 0);
}

static void test_fork(void **state) {
    atomic_bool stop = false;
    pthread_t other;
    (void)state;
#ifdef __SANITIZE_THREAD__
    skip(); /* it loses count of the threads of a child of fork */
#endif
    assert_true(can_meet(3, 3, PATIENCE, NULL));
    check_child(3);
    assert_int_equal(pthread_create(&other, NULL, call_until, &stop), 0);
    for (int i = 0; i < 20; i++) check_child(2); /* while another thread is in the middle of a run */
    atomic_store(&stop, true);
    pthread_join(other, NULL);
    assert_true(can_meet(3, 3, PATIENCE, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loops),   cmocka_unit_test(test_many_items), cmocka_unit_test(test_phases),
        cmocka_unit_test(test_nested),  cmocka_unit_test(test_callers),    cmocka_unit_test(test_helpers_and_signals),
        cmocka_unit_test(test_budget),  cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
