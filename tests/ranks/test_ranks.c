/* Ranks as threads: sums bit by bit against one process's, what a meeting agrees on, and what every rank learns when
 * one fails, gives up, falls silent or goes. */
#include "base/base.h" /* before cmocka, which has a macro of the name fail */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ranks/ranks.h"
#include "threads_transport.h"

enum { STRETCH = 1 << 16 };  /* floats of a bucket that one rank adds */
static const double SILENT_S = 0.6;

/* What each rank of a trial found. */
typedef struct sum_case { int count; int64_t here, n; bool shared; } sum_case;

typedef struct trial {
    threads_world *world;
    const sum_case *sums;
    const float   *right;                 /* the sums */
    int            scene;
    tide_status    joined[THREADS_MOST], status[THREADS_MOST][3];
    tide_failure   failure[THREADS_MOST][3];
    rank_word      word[THREADS_MOST];
    ranks_account  account[THREADS_MOST];
    int64_t        wrong[THREADS_MOST];   /* numbers */
} trial;

static ranks *join(trial *t, int rank) {
    ranks *r        = NULL;
    t->joined[rank] = ranks_join_by(threads_transport_of(t->world), &r, NULL);
    return r;
}

static void play(trial *t, int count, void (*body)(int, void *)) {
    t->world = threads_world_new(count);
    threads_set_silent_s(t->world, SILENT_S);
    if (t->sums && t->sums->shared) threads_set_shared(t->world);
    threads_run(t->world, body, t);
}

static void end(trial *t) {
    threads_world_free(t->world);
    t->world = NULL;
}

static void expect_sound(const trial *t) {
    if (*threads_mismatch(t->world)) fail_msg("%s", threads_mismatch(t->world));
}

/* ---- sums ---- */

/* Of many sizes and both signs, so that another order of adding has other bits. */
static float number(int64_t part, int64_t i) {
    uint32_t h = (uint32_t)(part * 40503 + i) * 2654435761u;
    h ^= h >> 15, h *= 2246822519u, h ^= h >> 13;
    return ldexpf((float)(int32_t)h, -31 - (int)(h % 24));
}

/* As one process adds them. */
static void play_sum(trial *t, void (*body)(int, void *)) {
    const sum_case *c     = t->sums;
    float          *right = malloc(sizeof *right * (size_t)(c->n + 1));
    for (int64_t i = 0; i < c->n; i++) {
        right[i] = number(0, i);
        for (int64_t part = 1; part < c->count * c->here; part++) right[i] += number(part, i);
    }
    t->right = right;
    play(t, c->count, body);
    free(right);
}

static void add_up(int rank, void *of) {
    trial          *t = of;
    const sum_case *c = t->sums;
    ranks          *r = join(t, rank);
    for (int again = 0; r && again < 2; again++) { /* the room is used again */
        const float *sum;
        tide_status  status = ranks_reserve(r, c->here, c->n, &t->failure[rank][again]);
        for (int64_t p = 0; status == TIDE_OK && p < c->here; p++)
            for (int64_t i = 0; i < c->n; i++) ranks_part(r, p)[i] = number(rank * c->here + p, i);
        if (status == TIDE_OK) status = ranks_meet(r, status, NULL, &t->failure[rank][again]);
        if (status == TIDE_OK) status = ranks_sum(r, &sum, &t->failure[rank][again]);
        t->status[rank][again] = status;
        for (int64_t i = 0; status == TIDE_OK && i < c->n; i++)
            t->wrong[rank] += memcmp(t->right + i, sum + i, sizeof *t->right) != 0;
    }
    t->account[rank] = ranks_account_of(r);
    ranks_leave(r);
}

static void expect_sum_by(sum_case c) {
    trial t = { .sums = &c };
    play_sum(&t, add_up);
    expect_sound(&t);
    for (int i = 0; i < c.count; i++)
        if (t.joined[i] || t.status[i][0] || t.status[i][1] || t.wrong[i])
            fail_msg("%d ranks of %d parts, %lld numbers, rank %d: %lld numbers are wrong; %s", c.count, (int)c.here,
                     (long long)c.n, i, (long long)t.wrong[i], t.failure[i][0].message);
    assert_int_equal(t.account[0].sums, 2);
    end(&t);
}

/* By messages, and in shared memory. */
static void expect_sum(sum_case c) {
    c.shared = false, expect_sum_by(c);
    c.shared = true, expect_sum_by(c);
}

static void test_short_sums(void **state) {
    static const int64_t lengths[] = { 0, 1, 2, 7, 1000 };
    (void)state;
    for (int count = 2; count <= THREADS_MOST; count++)
        for (int here = 1; here <= 4; here++)
            for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
                expect_sum((sum_case){ count, here, lengths[k] });
}

/* Around the end of a bucket, where a stretch is cut short, and of two; what is sent is told. */
static void test_bucket_ends(void **state) {
    static const sum_case shapes[] = { { 2, 1, 0 }, { 3, 2, 0 }, { 5, 1, 0 }, { 8, 1, 0 } };
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
        for (int off = -1; off <= 1; off++)
            expect_sum((sum_case){ shapes[k].count, shapes[k].here, (int64_t)STRETCH * shapes[k].count + off });
    expect_sum((sum_case){ 3, 1, 2 * 3 * STRETCH + 1 });
    sum_case c = { 2, 1, 1001 };
    trial    t = { .sums = &c };
    play_sum(&t, add_up);
    /* half of it, rounded up, goes to the other, and as much of the result */
    assert_int_equal(t.account[0].bytes, 2 * 2 * 4 * 501);
    end(&t);
}

static void test_random_sums(void **state) {
    uint32_t chance = 12345;
    (void)state;
    for (int i = 0; i < 16; i++) {
        chance = chance * 1664525u + 1013904223u;
        int64_t most = STRETCH / 2 * (i % 4 ? 1 : 5);
        expect_sum((sum_case){ 2 + (int)(chance >> 29) % 7, 1 + (chance >> 24) % 4, (chance >> 8) % most });
    }
}

static void delayed_sum(int rank, void *of) {
    const trial *t = of;
    threads_set_fault(t->world, rank, (threads_fault){ -1, -1, -1, 1000 * (rank + 1) });
    add_up(rank, of);
}

static void test_delays_change_nothing(void **state) {
    sum_case c = { 4, 2, 3 * 4 * STRETCH / 2 };
    trial    t = { .sums = &c };
    (void)state;
    play_sum(&t, delayed_sum);
    expect_sound(&t);
    for (int i = 0; i < c.count; i++) assert_true(!t.status[i][1] && !t.wrong[i]);
    end(&t);
}

/* ---- meetings ---- */

static tide_status met(trial *t, ranks *r, int rank, int which, tide_status mine, rank_word *word) {
    return t->status[rank][which] = ranks_meet(r, mine, word, &t->failure[rank][which]);
}

static void agree(int rank, void *of) {
    trial     *t = of;
    ranks     *r = join(t, rank);
    rank_word *w = &t->word[rank];
    *w = (rank_word){ .stop = rank == 2, .clock = 10.5 + rank, .place = 77 };
    met(t, r, rank, 0, TIDE_OK, w);
    int32_t mine = 100 + rank, all[THREADS_MOST] = { 0 }, told = rank ? 0 : 42;
    t->status[rank][1] = ranks_gather(r, &mine, sizeof mine, all, NULL);
    t->status[rank][2] = ranks_tell(r, &told, sizeof told, NULL);
    for (int i = 0; i < ranks_count(r); i++) t->wrong[rank] += all[i] != 100 + i;
    t->wrong[rank] += told != 42;
    char line[100];
    ranks_text(r, line, sizeof line);
    t->wrong[rank] += strcmp(line, "3 ranks on 2 hosts by threads") != 0;
    t->wrong[rank] += ranks_rank(r) != rank || ranks_lead(r) != (rank == 0);
    t->account[rank] = ranks_account_of(r);
    ranks_leave(r);
}

static void test_agreement(void **state) {
    trial t = { 0 };
    (void)state;
    play(&t, 3, agree);
    expect_sound(&t);
    for (int i = 0; i < 3; i++) {
        assert_true(!t.status[i][0] && !t.status[i][1] && !t.status[i][2] && !t.wrong[i]);
        assert_true(t.word[i].stop && t.word[i].clock == 10.5);
        assert_int_equal(t.account[i].meetings, 1);
        assert_true(t.account[i].waited_s > 0);
    }
    end(&t);
}

/* Scenes: who has which failure. */
typedef struct scene { tide_status of[3], all; const char *own[3], *heard[3]; } scene;
static const scene scenes[] = {
    { { TIDE_OK, TIDE_OK, TIDE_EIO }, TIDE_EIO, { "", "", "no space" },
      { "rank 2 of 3 (on host0): no space", "rank 2 of 3 (on host0): no space", "no space" } },
    { { TIDE_EDATA, TIDE_OK, TIDE_OK }, TIDE_EDATA, { "no such file", "", "" },
      { "no such file", "rank 0 of 3 (on host0): no such file", "rank 0 of 3 (on host0): no such file" } },
    { { TIDE_OK, TIDE_EINVAL, TIDE_ENOMEM }, TIDE_EINVAL, { "", "one", "two" },
      { "rank 1 of 3 (on host1): one", "one", "rank 1 of 3 (on host1): one" } },
    { { TIDE_EINVAL, TIDE_EINVAL, TIDE_EINVAL }, TIDE_EINVAL, { "at 0", "at 1", "at 2" }, { "at 0", "at 1", "at 2" } },
};

static void fail_together(int rank, void *of) {
    trial       *t = of;
    const scene *s = &scenes[t->scene];
    ranks       *r = join(t, rank);
    int32_t      none = 0;
    t->failure[rank][0].status = s->of[rank];
    snprintf(t->failure[rank][0].message, sizeof t->failure[rank][0].message, "%s", s->own[rank]);
    met(t, r, rank, 0, s->of[rank], NULL);
    met(t, r, rank, 1, TIDE_OK, NULL);                                    /* it stays */
    t->status[rank][2] = ranks_tell(r, &none, sizeof none, &t->failure[rank][2]);
    t->wrong[rank] = ranks_gather(r, &none, 0, NULL, NULL) != s->all || ranks_reserve(r, 1, 1, NULL) != s->all ||
                     ranks_sum(r, &(const float *){ NULL }, NULL) != s->all;
    ranks_leave(r);
}

static void test_failures(void **state) {
    (void)state;
    for (int k = 0; k < (int)(sizeof scenes / sizeof *scenes); k++) {
        trial t = { .scene = k };
        play(&t, 3, fail_together);
        expect_sound(&t);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(t.wrong[i], 0);
            for (int c = 0; c < 3; c++) assert_int_equal(t.status[i][c], scenes[k].all);
            assert_string_equal(t.failure[i][0].message, scenes[k].heard[i]);
            assert_int_equal(t.failure[i][0].status, scenes[k].all);
            assert_true(*t.failure[i][1].message && *t.failure[i][2].message);
        }
        end(&t);
    }
}

static void part_ways(int rank, void *of) {
    trial *t = of;
    ranks *r = join(t, rank);
    met(t, r, rank, 0, TIDE_OK, &(rank_word){ .place = rank == 1 ? 8 : 7 });
    ranks_leave(r);
}

static void leave_early(int rank, void *of) {
    trial *t = of;
    ranks *r = join(t, rank);
    if (rank != 2) met(t, r, rank, 0, TIDE_OK, NULL);
    ranks_leave(r);
}

static void test_apart(void **state) {
    trial t = { 0 };
    (void)state;
    play(&t, 3, part_ways);
    expect_sound(&t);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t.status[i][0], TIDE_EIO);
        assert_string_equal(t.failure[i][0].message,
                            "rank 1 of 3 (on host1) is not where rank 0 is in the work (8, not 7)");
    }
    end(&t);
    t = (trial){ 0 };
    play(&t, 3, leave_early);
    expect_sound(&t);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t.status[i][0], TIDE_EIO);
        assert_string_equal(t.failure[i][0].message, "rank 2 of 3 (on host0) left before the work was done");
    }
    end(&t);
}

/* ---- lost ---- */

static void work(int rank, void *of) {
    trial *t = of;
    ranks *r = join(t, rank);
    threads_fault faults[] = { threads_sound, threads_sound, threads_sound };
    faults[0].fails_at = faults[1].silent_at = faults[2].loses = 4;
    if (rank == t->scene / 10) threads_set_fault(t->world, rank, faults[t->scene % 10]);
    tide_status status = TIDE_OK;
    for (int i = 0; r && i < 1000 && status == TIDE_OK; i++) status = met(t, r, rank, 0, TIDE_OK, NULL);
    met(t, r, rank, 1, TIDE_OK, NULL);
    ranks_leave(r);
}

/* One whose library gave up, one that fell silent, one whose messages are lost: all end with the same words, soon. */
static void test_lost(void **state) {
    (void)state;
    for (int who = 0; who < 3; who++)
        for (int how = 0; how < 3; how++) {
            trial  t     = { .scene = 10 * who + how };
            char   words[200];
            double began = os_seconds();
            play(&t, 3, work);
            expect_sound(&t);
            if (os_seconds() - began > SILENT_S + 5) fail_msg("rank %d: it took %g s", who, os_seconds() - began);
            snprintf(words, sizeof words, how ? "rank %d of 3 (on host%d) has not been heard of for 1 seconds"
                                              : "rank %d of 3 (on host%d) gave up: its threads failed", who, who % 2);
            for (int i = 0; i < 3; i++) {
                if (how == 2 && !strstr(t.failure[i][0].message, "waits for a message that is lost"))
                    fail_msg("rank %d: %s", i, t.failure[i][0].message);
                assert_int_equal(t.status[i][0], TIDE_EIO);
                assert_int_equal(t.status[i][1], TIDE_EIO);
                if (i == who || how == 2) continue;  /* cut off it thinks what it can; of whose library failed below */
                if (strncmp(t.failure[i][0].message, words, strlen(words)) != 0)
                    fail_msg("rank %d: %s, not %s", i, t.failure[i][0].message, words);
            }
            if (how == 0) assert_non_null(strstr(t.failure[who][0].message, "threads failed: the line was cut"));
            end(&t);
        }
}

/* A slow rank is waited for, much longer than a silent one. */
static void dawdle(int rank, void *of) {
    trial *t = of;
    ranks *r = join(t, rank);
    struct timespec while_others_wait = { (time_t)(3 * SILENT_S), (long)(1e9 * fmod(3 * SILENT_S, 1)) };
    if (rank == 1) nanosleep(&while_others_wait, NULL);
    met(t, r, rank, 0, TIDE_OK, NULL);
    t->account[rank] = ranks_account_of(r);
    ranks_leave(r);
}

static void test_slow(void **state) {
    trial t = { 0 };
    (void)state;
    play(&t, 3, dawdle);
    expect_sound(&t);
    for (int i = 0; i < 3; i++) assert_int_equal(t.status[i][0], TIDE_OK);
    assert_true(t.account[0].waited_s > 2 * SILENT_S && t.account[1].waited_s < 2 * SILENT_S);
    end(&t);
}

/* ---- alone ---- */

static void test_alone(void **state) {
    trial     t    = { 0 };
    rank_word word = { .stop = true, .clock = 3, .place = 1 };
    int32_t   mine = 5, all = 0;
    char      line[40];
    (void)state;
    play(&t, 1, agree); /* one process that was started like several is alone: its handle is NULL */
    assert_int_equal(t.joined[0], TIDE_OK);
    end(&t);
    assert_int_equal(ranks_meet(NULL, TIDE_EDATA, &word, NULL), TIDE_EDATA);
    assert_int_equal(ranks_gather(NULL, &mine, sizeof mine, &all, NULL), TIDE_OK);
    assert_int_equal(all, 5);
    assert_int_equal(ranks_tell(NULL, &mine, sizeof mine, NULL), TIDE_OK);
    ranks_text(NULL, line, sizeof line);
    assert_string_equal(line, "one process");
    ranks_leave(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_sums), cmocka_unit_test(test_bucket_ends),
        cmocka_unit_test(test_random_sums), cmocka_unit_test(test_delays_change_nothing),
        cmocka_unit_test(test_agreement), cmocka_unit_test(test_failures), cmocka_unit_test(test_apart),
        cmocka_unit_test(test_lost), cmocka_unit_test(test_slow), cmocka_unit_test(test_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
