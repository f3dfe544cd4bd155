/* The tiny model trained by ranks, which are threads here: the bits of one process with as many parts; what goes wrong on
 * one, at any point, ends all in the same way; and a run goes on with any number of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <pthread.h>

#include "ranks/ranks.h"
#include "threads_transport.h"
#include "tiny.h"

/* A run on ranks, and what each of them found; assertions are for after it, on the test's own thread. */
typedef struct trial {
    threads_world *world;
    int64_t        parts;
    int64_t        steps;                  /* of the first call of fit_run; 0: to the end */
    const char    *run;                    /* rank 0's folder; NULL: in memory */
    fit_plan       plan;
    int64_t        stop_at, steps_more;    /* stop_at: on rank `who`; steps_more: of a second call, -1: none */
    int            who;                    /* ... and who has the fault */
    tiny_fault     fault;
    bool           divides, spoils;        /* spoils: `who` changes a parameter after two steps */
    tide_status    status[THREADS_MOST];
    tide_failure   failure[THREADS_MOST];
    fit_progress   at[THREADS_MOST];
    uint64_t       bits[THREADS_MOST], figures[THREADS_MOST];
} trial;

static const train_rule plain_parts = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .grad_clip = 1 };
static const fit_plan   five_epochs = { .batches = BATCHES, .epochs = EPOCHS, .resume = "`resume` auto" };

static void spoil(tiny *t, trial *of, int rank) {
    float weights[64] = { 0 };
    if (!of->spoils || rank != of->who) return;
    tide_write(t->step.params.items[1], weights, sizeof weights); /* a bias */
}

static void train(tiny *t, trial *of, int rank) {
    tide_failure *failure = &of->failure[rank];
    tide_status   status  = open_fit(t, &of->plan, failure);
    if (status == TIDE_OK && of->spoils) status = fit_run(t->fit, 2, failure), spoil(t, of, rank);
    if (status == TIDE_OK) status = fit_run(t->fit, of->steps, failure);
    if (status == TIDE_ECANCELLED && of->steps_more >= 0) status = fit_run(t->fit, of->steps_more, failure);
    of->status[rank] = status;
    if (!t->fit) return;
    of->at[rank]   = *fit_at(t->fit);
    of->bits[rank] = bits_of(t), of->figures[rank] = t->figures;
}

/* NULL: alone. */
static void be_rank(trial *of, ranks *r, int rank) {
    tiny       t;
    train_rule rule = plain_parts;
    rule.parts = of->parts, rule.ranks = r;
    open_model(&t, rule, "cpu");
    t.divides = of->divides;
    if (rank == of->who) t.fault = of->fault, t.stop_at = of->stop_at;
    if (of->run && rank == 0) open_run_folder(&t, of->run);
    train(&t, of, rank);
    close_tiny(&t);
}

static void be_thread(int rank, void *user) {
    trial *of = user;
    ranks *r  = NULL;
    if (ranks_join_by(threads_transport_of(of->world), &r, &of->failure[rank]) != TIDE_OK) return;
    be_rank(of, r, rank);
    ranks_leave(r);
}

static trial play(int count, trial of) {
    if (!of.plan.batches) of.plan = five_epochs;
    of.world = threads_world_new(count);
    threads_run(of.world, be_thread, &of);
    if (*threads_mismatch(of.world)) fail_msg("%s", threads_mismatch(of.world));
    threads_world_free(of.world);
    return of;
}

static trial alone(int64_t parts) {
    trial of = { .parts = parts, .plan = five_epochs };
    be_rank(&of, NULL, 0);
    assert_int_equal(of.status[0], TIDE_OK);
    return of;
}

static void expect_all(const trial *of, int count, tide_status status, const char *words) {
    for (int i = 0; i < count; i++) {
        if (of->status[i] != status || (words && !strstr(of->failure[i].message, words)))
            fail_msg("rank %d of %d: %s: %s; expected %s with %s", i, count, tide_status_name(of->status[i]),
                     of->failure[i].message, tide_status_name(status), words ? words : "");
    }
}

static void expect_same(const trial *of, int count, const trial *whole) {
    expect_all(of, count, TIDE_OK, NULL);
    for (int i = 0; i < count; i++)
        if (of->bits[i] != whole->bits[0]) fail_msg("rank %d of %d, %d parts: other bits", i, count, (int)of->parts);
}

/* ---- bits ---- */

static void test_bits(void **state) {
    (void)state;
    for (int count = 2; count <= 4; count++)
        for (int each = 1; each <= 2; each++) {
            trial whole = alone(count * each), of = play(count, (trial){ .parts = count * each, .divides = each == 2 });
            expect_same(&of, count, &whole);
            for (int i = 0; i < count; i++) assert_true(of.figures[i] == whole.figures[0]);
        }
    trial open = play(3, (trial){ .parts = 0 }), three = alone(3); /* as many parts as ranks */
    expect_same(&open, 3, &three);
}

/* One that stops where another is asked to, and one that is stopped twice. */
static void test_stop(void **state) {
    static const char *const runs[] = { NULL, "stop1", "stop2" };
    trial whole = alone(3);
    (void)state;
    for (int who = 0; who < 3; who++) {
        trial of = play(3, (trial){ .parts = 3, .who = who, .stop_at = 6, .steps_more = -1, .run = runs[who] });
        expect_all(&of, 3, TIDE_ECANCELLED, "stopped at step");
        for (int i = 0; i < 3; i++) assert_int_equal(of.at[i].step, of.at[0].step);
        assert_true(of.at[0].step == 6 || of.at[0].step == 7); /* the wish is told at the next meeting */
        assert_true(who == 0 || strstr(of.failure[0].message, "`resume` auto `out` "));
        of = play(3, (trial){ .parts = 3, .who = who, .stop_at = 6 });
        expect_same(&of, 3, &whole);
        if (who) of = play(3, (trial){ .parts = 3, .run = runs[who] }), expect_same(&of, 3, &whole);
    }
}

static void test_resume(void **state) {
    static const int counts[] = { 3, 2, 0, 1 + 5 };
    trial whole = alone(6);
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool  last = i == 3;
        trial of   = { .parts = 6, .plan = five_epochs, .run = "resumed", .stop_at = last ? 0 : 4 + 5 * i, .steps_more = -1 };
        if (counts[i]) of = play(counts[i], of);
        else be_rank(&of, NULL, 0);
        if (!last) assert_int_equal(of.status[0], TIDE_ECANCELLED);
        else expect_same(&of, counts[i], &whole);
    }
}

/* ---- what goes wrong ---- */

static void test_faults(void **state) {
    static const tiny_fault faults[] = {
        { FAULT_ENTER, TIDE_ENOMEM, 0 },    { FAULT_ENTER, TIDE_EDATA, 2 },  { FAULT_BATCH, TIDE_EIO, 0 },
        { FAULT_BATCH, TIDE_ENOMEM, 5 },    { FAULT_BATCH, TIDE_EIO, 19 },   { FAULT_VALIDATE, TIDE_EIO, 0 },
        { FAULT_VALIDATE, TIDE_ENOMEM, 4 }, { FAULT_SAVE, TIDE_EIO, 0 },     { FAULT_SAVE, TIDE_EIO, 1 },
    };
    (void)state;
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++)
        for (int who = 0; who < (faults[k].place == FAULT_SAVE ? 1 : 3); who++) {
            char words[80], name[40];
            snprintf(name, sizeof name, "fault%d-%d", (int)k, who);
            trial of = play(3, (trial){ .parts = 3, .who = who, .fault = faults[k], .divides = true, .run = name });
            expect_all(&of, 3, faults[k].status, "made to fail");
            snprintf(words, sizeof words, "rank %d of 3 (on host%d): made to fail", who, who % 2);
            for (int i = 0; i < 3; i++)
                assert_string_equal(of.failure[i].message, i == who ? "made to fail" : words);
        }
}

/* A checkpoint that fails when all stop: nobody says that it stopped as it was asked to. */
static void test_last_checkpoint(void **state) {
    (void)state;
    trial of = play(3, (trial){ .parts = 3, .fault = { FAULT_SAVE, TIDE_EIO, 1 }, .stop_at = 9, .steps_more = -1,
                                .plan = { .batches = BATCHES, .epochs = EPOCHS, .resume = "" }, .run = "last" });
    expect_all(&of, 3, TIDE_EIO, "made to fail");
}

static void test_validation_stopped(void **state) {
    trial whole = alone(3);
    (void)state;
    for (int who = 0; who < 3; who++) {
        trial of = play(3, (trial){ .parts = 3, .who = who, .divides = true, .steps_more = -1,
                                    .fault = { FAULT_VALIDATE, TIDE_ECANCELLED, 1 } });
        expect_all(&of, 3, TIDE_ECANCELLED, "stopped at step 8");
        of = play(3, (trial){ .parts = 3, .who = who, .divides = true, .fault = { FAULT_VALIDATE, TIDE_ECANCELLED, 1 } });
        expect_same(&of, 3, &whole);
    }
}

static void test_spoiled(void **state) {
    (void)state;
    trial of = play(3, (trial){ .parts = 3, .who = 2, .spoils = true });
    expect_all(&of, 3, TIDE_EIO, "its parameters are not those of rank 0 any more");
    assert_non_null(strstr(of.failure[0].message, "rank 2 of 3"));
}

/* What clocks decide, rank 0's does. */
static void test_time_limit(void **state) {
    (void)state;
    trial of = play(3, (trial){ .parts = 3, .plan = { .batches = BATCHES, .epochs = 1000000, .max_minutes = 0.4 / 60 } });
    expect_all(&of, 3, TIDE_OK, NULL);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(of.at[i].planned, of.at[0].planned);
        assert_int_equal(of.at[i].step, of.at[0].step);
        assert_true(of.bits[i] == of.bits[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits), cmocka_unit_test(test_stop), cmocka_unit_test(test_resume),
        cmocka_unit_test(test_faults), cmocka_unit_test(test_last_checkpoint), cmocka_unit_test(test_validation_stopped),
        cmocka_unit_test(test_spoiled), cmocka_unit_test(test_time_limit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
