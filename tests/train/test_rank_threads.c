/* Ranks that are threads: sums with the bits of one after the other, failures that reach all, and one that is gone. */
#include <pthread.h>
#include <stdlib.h>

#include "../eis/support.h"
#include "ranks/threads.h"

enum { N = 150003, RANKS = 3, HERE = 2, STEPS = 4 };
static const char names[RANKS][RANK_HOST] = { "cuda:0", "cuda:1", "cuda:2" };
static float expected[N];

typedef struct one { rank_group *group; int rank; tide_failure failure; bool same; char text[80]; } one;

static float number(int part, int i) { return (float)((i * 31 + part * 7919) % 1009) * 1.37e-3f + (float)part; }

static void fill(ranks *r, int rank) {
    for (int p = 0; p < HERE; p++)
        for (int i = 0; i < N; i++) ranks_part(r, p)[i] = number(rank * HERE + p, i);
}

static tide_status sum_on(ranks *r, one *me, int step) {
    rank_word    word   = { .place = step };
    const float *sum    = NULL;
    tide_status  status = ranks_reserve(r, HERE, N, &me->failure);
    if (status != TIDE_OK) return status;
    fill(r, me->rank);
    status = ranks_meet(r, TIDE_OK, &word, &me->failure);
    if (status == TIDE_OK) status = ranks_sum(r, &sum, &me->failure);
    me->same &= status == TIDE_OK && memcmp(sum, expected, sizeof expected) == 0;
    return status;
}

/* The last step is one at which rank 2 has failed. */
static void *work(void *of) {
    one   *me = of;
    ranks *r;
    rank_group_enter(me->group, me->rank);
    if (ranks_join(&r, &me->failure) != TIDE_OK) return NULL;
    ranks_text(r, me->text, sizeof me->text);
    tide_status status = TIDE_OK;
    for (int step = 0; status == TIDE_OK && step < STEPS; step++) status = sum_on(r, me, step);
    if (status == TIDE_OK && me->rank == 2)
        me->failure = (tide_failure){ .status = TIDE_EDATA, .message = "a row is damaged" };
    if (status == TIDE_OK) ranks_meet(r, me->rank == 2 ? TIDE_EDATA : TIDE_OK, NULL, &me->failure);
    ranks_leave(r);
    return NULL;
}

static void test_sums(void **state) {
    pthread_t   threads[RANKS];
    one         of[RANKS];
    rank_group *g = rank_group_new(names, RANKS);
    (void)state;
    for (int i = 0; i < N; i++) {
        expected[i] = number(0, i);
        for (int p = 1; p < RANKS * HERE; p++) expected[i] += number(p, i);
    }
    assert_non_null(g);
    for (int i = 0; i < RANKS; i++) {
        of[i] = (one){ .group = g, .rank = i, .same = true };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &of[i]), 0);
    }
    for (int i = 0; i < RANKS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < RANKS; i++) {
        assert_true(of[i].same);
        assert_int_equal(of[i].failure.status, TIDE_EDATA);
        expect_has(of[i].failure.message, i == 2 ? "a row is damaged" : "rank 2 of 3 (on cuda:2): a row is damaged");
        assert_string_equal(of[i].text, "3 ranks: cuda:0, cuda:1, cuda:2");
    }
    rank_group_free(g);
}

/* One of three never comes: who waits for it is told, before and after. */
static void test_gone(void **state) {
    rank_group *g  = rank_group_new(names, RANKS);
    one         me = { .group = g, .rank = 1, .same = true };
    pthread_t   thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, work, &me), 0);
    rank_group_end(g);
    pthread_join(thread, NULL);
    expect_has(me.failure.message, "another rank has ended");
    me.failure = (tide_failure){ 0 };
    work(&me);
    expect_has(me.failure.message, "another rank has ended");
    assert_false(rank_group_entered());
    rank_group_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sums), cmocka_unit_test(test_gone) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
