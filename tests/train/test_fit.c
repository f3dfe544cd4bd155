/* A tiny model (tiny.h) trained through src/train. Whatever happens to a run, its parameters must have the bits of the
 * run that nothing happened to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tidemill/tidemill.h>
#include <unistd.h>

#include "tiny.h"

static void open_tiny(tiny *t, const fit_plan *plan) {
    tide_failure failure = { 0 };
    open_model(t, plain, "cpu");
    if (open_fit(t, plan, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

/* In the run folder NAME, which is resumed if it is there. */
static void open_run(tiny *t, const char *name, const fit_plan *plan) {
    tide_failure failure = { 0 };
    open_model(t, plain, "cpu");
    open_run_folder(t, name);
    if (open_fit(t, plan, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void run(tiny *t, int64_t steps, tide_status expected) {
    tide_failure failure = { 0 };
    tide_status  status  = fit_run(t->fit, steps, &failure);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tide_status_name(expected), tide_status_name(status), failure.message);
    if (status == TIDE_ECANCELLED && t->folder.lock >= 0)
        assert_non_null(strstr(failure.message, "`resume` auto `out` "));
}

static uint64_t bits_of_whole(void) {
    tiny t;
    open_tiny(&t, &five);
    run(&t, 0, TIDE_OK);
    uint64_t bits = bits_of(&t);
    assert_int_equal(t.events, EPOCHS * BATCHES);
    assert_int_equal(t.epochs, EPOCHS);
    close_tiny(&t);
    return bits;
}

static void expect_bits(const char *what, const tiny *t) {
    if (bits_of(t) != bits_of_whole()) fail_msg("%s: other bits than the whole run's", what);
}

/* ---- bits ---- */

static void test_step_by_step(void **state) {
    tiny t;
    (void)state;
    open_tiny(&t, &five);
    for (int i = 0; i < 3; i++) run(&t, 1, TIDE_OK);
    assert_int_equal(fit_at(t.fit)->step, 3);
    while (!fit_at(t.fit)->finished) run(&t, 7, TIDE_OK);
    expect_bits("seven steps at a time", &t);
    run(&t, 0, TIDE_OK); /* nothing more to do */
    assert_int_equal(t.events, EPOCHS * BATCHES);
    assert_int_equal(fit_account_of(t.fit).steps, EPOCHS * BATCHES);
    close_tiny(&t);
}

/* After the first step, in an epoch, at the last step of one, at the end. */
static void test_stop_and_resume(void **state) {
    static const int64_t stops[] = { 1, 6, 8, 19, 20 };
    tiny t;
    (void)state;
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        open_run(&t, "stopped", &five);
        t.stop_at = stops[i];
        if (fit_at(t.fit)->step < stops[i]) { /* what a device has queued is done before it stops */
            run(&t, 0, TIDE_ECANCELLED);
            int64_t step = fit_at(t.fit)->step;
            assert_true(train_step_queues(&t.step) ? step >= stops[i] : step == stops[i]);
        }
        close_tiny(&t);
    }
    open_run(&t, "stopped", &five);
    t.stop_at_epoch = true;
    run(&t, 0, TIDE_ECANCELLED); /* closed, saved and stopped */
    close_tiny(&t);
    open_run(&t, "stopped", &five);
    assert_int_equal(fit_account_of(t.fit).resumed_from, 20);
    run(&t, 0, TIDE_OK);
    assert_int_equal(t.events, 0);
    expect_bits("stopped again and again", &t);
    close_tiny(&t);
}

/* The figures of queued steps, read later, are those that are read after each; the log moves on. */
static void test_log(void **state) {
    enum { STEPS = TRAIN_LOG + 5, LAST = 7 };
    tiny         t;
    train_result each[STEPS], later[TRAIN_LOG];
    tide_failure failure = { 0 };
    (void)state;
    open_model(&t, plain, "cpu");
    bool queues = train_step_queues(&t.step);
    for (int i = 0; i < STEPS; i++) {
        int32_t    index[BATCH];
        train_feed feed = { t.index, index, false };
        for (int k = 0; k < BATCH; k++) index[k] = (3 * i + k) % SAMPLES;
        assert_int_equal(train_step_rate(&t.step, 1e-3 * (1 + i)), TIDE_OK);
        if (i % 2 || !queues) assert_int_equal(train_step_run(&t.step, &feed, 1, &each[i], &failure), TIDE_OK);
        else assert_int_equal(train_step_queue(&t.step, &feed, 1, &failure), TIDE_OK);
    }
    for (int n = 1; queues && n <= TRAIN_LOG; n += LAST) {
        assert_int_equal(train_step_read(&t.step, n, later, &failure), TIDE_OK);
        for (int k = 0; k < n; k++)
            if ((STEPS - n + k) % 2) assert_memory_equal(&later[k], &each[STEPS - n + k], sizeof *later);
    }
    float rate;
    assert_int_equal(tide_read_now(t.step.lr, &rate, sizeof rate), TIDE_OK);
    assert_true(rate == (float)(1e-3 * STEPS)); /* a checkpoint has it, wherever it was trained */
    close_tiny(&t);
}

/* What a process leaves that is gone without a word: the last checkpoint, and a row of metrics.csv too many. */
static void test_kill(void **state) {
    tiny t;
    (void)state;
    pid_t child = fork();
    if (!child) {
        open_run(&t, "killed", &five);
        fit_run(t.fit, 7, NULL);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    char  path[128], text[1000] = "";
    FILE *f = fopen((snprintf(path, sizeof path, "%s/killed/metrics.csv", folder), path), "a");
    fputs("2,0.5,0.", f);
    fclose(f);
    open_run(&t, "killed", &five);
    assert_int_equal(fit_account_of(t.fit).resumed_from, BATCHES); /* the first epoch's checkpoint */
    run(&t, 0, TIDE_OK);
    expect_bits("killed", &t);
    close_tiny(&t);
    f = fopen(path, "r");
    size_t length = fread(text, 1, sizeof text - 1, f), lines = 0;
    fclose(f);
    for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
    assert_int_equal(lines, EPOCHS + 1);
    assert_true(strncmp(text, "epoch,loss,val,guess,possible\n1,", 32) == 0);
    assert_null(strstr(text, "0.5,0.\n"));
    assert_non_null(strstr(text, ",\n")); /* nobody knows what is possible */
}

static void *cancel_later(void *user) {
    usleep(3000);
    fit_cancel(user);
    return NULL;
}

static void test_cancel(void **state) {
    tiny      t;
    pthread_t thread;
    (void)state;
    open_tiny(&t, &five);
    t.nap_us = 2000;
    assert_int_equal(pthread_create(&thread, NULL, cancel_later, t.fit), 0);
    run(&t, 0, TIDE_ECANCELLED);
    pthread_join(thread, NULL);
    int64_t at = fit_at(t.fit)->step;
    assert_true(at >= 1 && at < EPOCHS * BATCHES);
    t.nap_us = 0;
    run(&t, 0, TIDE_OK);
    expect_bits("cancelled from another thread", &t);
    close_tiny(&t);
}

/* ---- when it ends ---- */

static void ends(const double *val_losses, fit_plan plan, int64_t epochs, int64_t best) {
    tiny t;
    open_tiny(&t, &plan);
    t.val_losses = val_losses;
    run(&t, 0, TIDE_OK);
    assert_int_equal(fit_at(t.fit)->epoch - 1, epochs);
    assert_int_equal(fit_at(t.fit)->best_epoch, best);
    uint64_t bits = bits_of(&t); /* the best parameters are in place */
    close_tiny(&t);
    open_tiny(&t, &(fit_plan){ .batches = BATCHES, .epochs = plan.epochs });
    t.val_losses = val_losses, t.stop_at = best * BATCHES;
    run(&t, 0, TIDE_ECANCELLED);
    assert_true(bits_of(&t) == bits);
    close_tiny(&t);
}

static void test_patience(void **state) {
    static const double losses[] = { 3, 2, 2.5, 2, 2.2, 1, 1, 9, 9 };
    fit_plan p = { .batches = BATCHES, .epochs = 9, .patience = 2 };
    (void)state;
    ends(losses, p, 4, 2);
    p.equal_is_better = true;
    ends(losses, p, 9, 7);
    p.equal_is_better = false, p.min_epochs = 5;
    ends(losses, p, 5, 2);
    p.patience = 0;
    ends(losses, p, 9, 6);
}

static void test_divergence(void **state) {
    static const double later[] = { 3, 2, NAN, NAN, NAN, NAN, NAN, NAN, NAN }, never[] = { NAN, 1 };
    tiny         t;
    tide_failure failure = { 0 };
    (void)state;
    ends(later, (fit_plan){ .batches = BATCHES, .epochs = 9 }, 3, 2);
    ends(later, (fit_plan){ .batches = BATCHES, .epochs = 9, .patience = 9 }, 5, 2); /* a third of the patience */
    open_tiny(&t, &five);
    t.val_losses = never;
    assert_int_equal(fit_run(t.fit, 0, &failure), TIDE_EINVAL);
    assert_non_null(strstr(failure.message, "never a number"));
    assert_true(fit_diverged(t.fit) && !fit_best(t.fit));
    close_tiny(&t);
}

/* A schedule of a million epochs ends within the time, on the last of its rates; a step takes at least 2 ms. */
static void test_time_limit(void **state) {
    static const double LIMIT_S = 1.5;
    tiny     t;
    fit_plan p = { .batches = BATCHES, .epochs = 1000000, .max_minutes = LIMIT_S / 60 };
    (void)state;
    open_tiny(&t, &p);
    t.nap_us = 2000;
    run(&t, 0, TIDE_OK);
    const fit_progress *at = fit_at(t.fit);
    assert_true(at->finished && at->step > 0 && at->step <= at->planned);
    assert_true(at->planned <= (int64_t)(LIMIT_S / 2e-3));
    if (at->step == at->planned) assert_true(t.last_rate < 0.5 * 0.01);
    /* beyond it by a step and a validation, however slow these are on a busy machine */
    assert_true(fit_account_of(t.fit).elapsed < LIMIT_S + 5);
    close_tiny(&t);
    p.max_minutes = 1e-6; /* not one epoch: a step, validated */
    open_tiny(&t, &p);
    run(&t, 0, TIDE_OK);
    assert_int_equal(fit_at(t.fit)->step, 1);
    assert_int_equal(fit_at(t.fit)->best_epoch, 1);
    close_tiny(&t);
}

/* ---- the step ---- */

static void expect_near(const char *what, double got, double expected, double relative) {
    if (!(fabs(got - expected) <= relative * fabs(expected) + 1e-9))
        fail_msg("%s: expected %.9g, got %.9g", what, expected, got);
}

/* Parts draw the masks of the whole, so losses, norms and metrics differ by the rounding of f32 sums. */
static void test_parts(void **state) {
    train_result of[2][3];
    (void)state;
    for (int i = 0; i < 2; i++) {
        tiny         t;
        tide_failure failure = { 0 };
        train_rule   rule    = plain;
        rule.parts           = i ? 4 : 1;
        open_model(&t, rule, "cpu");
        schedule_shuffle(t.order, SAMPLES, 3, 1);
        assert_int_equal(t.step.samples, i ? BATCH / 4 : BATCH);
        for (int k = 0; k < 3; k++) {
            train_feed feed = { t.index, t.order + k * BATCH, false };
            assert_int_equal(train_step_rate(&t.step, 0.01), TIDE_OK);
            assert_int_equal(train_step_run(&t.step, &feed, 1, &of[i][k], &failure), TIDE_OK);
        }
        tide_graph_free(t.graph);
    }
    for (int k = 0; k < 3; k++) {
        expect_near("loss", of[1][k].loss, of[0][k].loss, 1e-5);
        expect_near("norm", of[1][k].norm, of[0][k].norm, 1e-5);
        expect_near("metric", of[1][k].metric, of[0][k].metric, 1e-4); /* a mean that nearly cancels */
    }
    tide_failure failure = { 0 };
    assert_int_equal(train_parts_check(24, 5, NULL, &failure), TIDE_EINVAL);
    assert_non_null(strstr(failure.message, "`accumulate` 4 or `accumulate` 6 would do"));
    assert_int_equal(train_parts_check(24, 8, NULL, NULL), TIDE_OK);
}

/* Each optimizer lowers the loss of the same batch. */
static void test_optimizers(void **state) {
    (void)state;
    for (int i = TRAIN_ADAM; i <= TRAIN_LION; i++) {
        tiny         t;
        train_result first, last;
        open_model(&t, (train_rule){ .optimizer = (train_optimizer)i, .grad_clip = 1 }, "cpu");
        schedule_shuffle(t.order, SAMPLES, 3, 1);
        train_feed feed = { t.index, t.order, false };
        assert_int_equal(train_step_rate(&t.step, i == TRAIN_SGD ? 0.05 : 0.003), TIDE_OK);
        assert_int_equal(train_step_run(&t.step, &feed, 1, &first, NULL), TIDE_OK);
        for (int k = 0; k < 60; k++) assert_int_equal(train_step_run(&t.step, &feed, 1, &last, NULL), TIDE_OK);
        if (!(last.loss < 0.7 * first.loss)) fail_msg("optimizer %d: from %g to %g", i, first.loss, last.loss);
        tide_graph_free(t.graph);
    }
}

/* Where a gradient leaves the range nothing changes but the scaler; metrics.csv ends with it. */
static void test_scaler(void **state) {
    static const char *const none[] = { NULL };
    tiny         t;
    double       scale;
    int64_t      skipped;
    float        huge = INFINITY;
    char         path[128], text[400] = "";
    tide_failure failure = { 0 };
    (void)state;
    train_rule rule = plain;
    rule.scaled = true, rule.compile.precision = TIDE_PRECISION_F16;
    open_model(&t, rule, "check");
    snprintf(path, sizeof path, "%s/scaled", folder);
    assert_int_equal(run_folder_open(path, false, false, none, none, &t.folder, &failure), TIDE_OK);
    assert_int_equal(open_fit(&t, &(fit_plan){ .batches = BATCHES, .epochs = 1 }, &failure), TIDE_OK);
    run(&t, 1, TIDE_OK);
    assert_int_equal(train_step_scale(&t.step, &scale, &skipped, NULL), TIDE_OK);
    assert_true(scale == 65536 && skipped == 0);
    uint64_t before = bits_of(&t);
    assert_int_equal(tide_write(t.step.scaler.scale, &huge, sizeof huge), TIDE_OK);
    run(&t, 1, TIDE_OK);
    assert_true(bits_of(&t) == before);
    huge = 1024;
    assert_int_equal(tide_write(t.step.scaler.scale, &huge, sizeof huge), TIDE_OK);
    run(&t, 0, TIDE_OK);
    FILE *f = fopen((snprintf(path, sizeof path, "%s/scaled/metrics.csv", folder), path), "r");
    assert_true(f && fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(text, "possible,loss_scale,skipped_steps\n"));
    assert_non_null(strstr(text, ",1024,1\n"));
    close_tiny(&t);
}

/* ---- what is refused ---- */

static void test_damage(void **state) {
    static const struct { const char *key, *value; } lies[] = { { "batch", "9" }, { "step", "6" }, { "worse", "3" },
                                                                { "best_epoch", "0" }, { "planned", "99999999" } };
    tiny         t;
    char         path[128];
    tide_archive a = { 0 };
    (void)state;
    open_run(&t, "damaged", &five);
    t.stop_at = 5;
    run(&t, 0, TIDE_ECANCELLED);
    close_tiny(&t);
    snprintf(path, sizeof path, "%s/damaged/state.safetensors", folder);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        tide_failure failure = { 0 };
        assert_int_equal(tide_safetensors_read(path, &a, NULL), TIDE_OK);
        char was[64];
        snprintf(was, sizeof was, "%s", tide_archive_metadata(&a, lies[i].key));
        assert_int_equal(tide_archive_set(&a, lies[i].key, lies[i].value), TIDE_OK);
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        open_model(&t, plain, "cpu");
        t.folder = (run_folder){ .lock = 0, .resuming = true };
        snprintf(t.folder.path, sizeof t.folder.path, "%s/damaged", folder);
        assert_int_equal(open_fit(&t, &five, &failure), TIDE_EDATA);
        assert_non_null(strstr(failure.message, "`overwrite` starts anew"));
        assert_string_equal(failure.column, lies[i].key);
        t.folder.lock = -1;
        close_tiny(&t);
        assert_int_equal(tide_archive_set(&a, lies[i].key, was), TIDE_OK);
        assert_int_equal(tide_safetensors_write(path, &a, NULL), TIDE_OK);
        tide_archive_free(&a);
    }
    tide_failure failure = { 0 };
    tide_graph  *g;
    assert_int_equal(train_graph_new(&(train_graph){ .device = "abacus" }, &g, &failure), TIDE_EDEVICE);
    assert_non_null(strstr(failure.message, "available: cpu, ref, check"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_by_step), cmocka_unit_test(test_stop_and_resume), cmocka_unit_test(test_kill),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_cancel),       cmocka_unit_test(test_patience),        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_time_limit),   cmocka_unit_test(test_parts),           cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_scaler),       cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
