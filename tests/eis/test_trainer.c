/* Training as a handle: any split into steps, with a folder and without one, is the run that eis_train makes. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <tidemill/eis.h>
#include <tidemill/io.h>

#include "../folder.h"
#include "support.h"

enum { GRID, LAB, KNOWN, KINDS };

/* A small run in the folder `name` of the test's, or in memory where that is NULL. */
static eis_options small(int kind, const char *name) {
    static const char *const spectrum[][2] = { { "pool-spectra", "1024" }, { "batch-size", "64" },
                                               { "hidden-dim", "32" }, { "epochs", "2" },
                                               { NULL, NULL } },
                             *const known[][2] = { { "inputs", "known" }, { "n-ground-truths", "8" },
                                                   { "points", "5" }, { "samples-per-pattern", "60" },
                                                   { "hidden-dim", "24" }, { "batch-size", "64" }, { "epochs", "3" },
                                                   { NULL, NULL } };
    eis_options  o;
    tide_failure failure = { 0 };
    eis_options_default(&o);
    for (const char *const (*word)[2] = kind == KNOWN ? known : spectrum; **word; word++)
        if (eis_option_set(&o, (*word)[0], (*word)[1], &failure) != TIDE_OK) fail_msg("%s", failure.message);
    o.recipe = kind == GRID ? EIS_RECIPE_GRID : EIS_RECIPE_LAB;
    o.seed = 7, o.threads = 2, o.plots = false;
    snprintf(o.data_dir, sizeof o.data_dir, "%s/data", folder);
    if (name) snprintf(o.out, sizeof o.out, "%s/%s", folder, name);
    return o;
}

static eis_trainer *trainer_of(const eis_options *o, eis_listener listener, void *user) {
    tide_failure failure = { 0 };
    eis_trainer *t       = NULL;
    if (eis_trainer_new(o, listener, user, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return t;
}

static void run(eis_trainer *t, int64_t steps, tide_status expected) {
    tide_failure failure = { 0 };
    tide_status  status  = eis_trainer_run(t, steps, &failure);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", tide_status_name(expected), tide_status_name(status), failure.message);
}

typedef struct bytes { void *data; size_t size; } bytes;

static bytes model_of(const eis_trainer *t) {
    tide_failure failure = { 0 };
    eis_model   *m       = NULL;
    bytes        b;
    if (eis_trainer_model(t, &m, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_int_equal(eis_model_save_memory(m, &b.data, &b.size, NULL), TIDE_OK);
    eis_model_free(m);
    return b;
}

static bytes file_of(const eis_options *o) {
    char  path[EIS_TEXT_SIZE + 32];
    bytes b = { malloc(1 << 24), 0 };
    snprintf(path, sizeof path, "%s/model.safetensors", o->out);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    b.size = fread(b.data, 1, 1 << 24, file);
    fclose(file);
    return b;
}

static void assert_same(bytes a, bytes b) {
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    tide_free(a.data), free(b.data);
}

static void train_whole(const eis_options *o) {
    eis_result   r       = { 0 };
    tide_failure failure = { 0 };
    if (eis_train(o, NULL, NULL, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    eis_result_free(&r);
}

static int files_here(void) {
    DIR *here  = opendir(".");
    int  count = 0;
    for (struct dirent *entry; (entry = readdir(here));) count += entry->d_name[0] != '.' || entry->d_name[1] > '.';
    closedir(here);
    return count;
}

/* Five steps at a time, without a file, beside eis_train's run. */
static void test_in_memory(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        char        name[16];
        int64_t     calls = 0;
        snprintf(name, sizeof name, "whole-%d", kind);
        eis_options o = small(kind, name), memory = small(kind, NULL);
        train_whole(&o);
        eis_trainer *t = trainer_of(&memory, NULL, NULL);
        for (; !eis_trainer_at(t).finished; calls++) {
            assert_int_equal(eis_trainer_at(t).step, 5 * calls);
            run(t, 5, TIDE_OK);
            assert_int_equal(eis_trainer_save(t, NULL), TIDE_OK);
        }
        assert_true(calls > 4);
        eis_training at = eis_trainer_at(t);
        assert_int_equal(at.epoch, o.epochs + 1);
        assert_int_equal(at.step, at.steps);
        assert_true(at.best_epoch >= 1 && at.best_val_loss <= at.val_loss && isfinite(at.train_loss));
        run(t, 0, TIDE_OK); /* nothing is left */
        assert_same(model_of(t), file_of(&o));
        eis_trainer_free(t);
    }
    assert_int_equal(files_here(), 0);
}

/* With a folder: saved in the middle, freed, taken up by another handle; what the file holds is what the handle has. */
static void test_in_a_folder(void **state) {
    (void)state;
    for (int kind = LAB; kind < KINDS; kind++) {
        char name[16], whole_name[16];
        snprintf(name, sizeof name, "parts-%d", kind), snprintf(whole_name, sizeof whole_name, "first-%d", kind);
        eis_options  o = small(kind, name), whole = small(kind, whole_name);
        eis_trainer *t = trainer_of(&o, NULL, NULL), *second = NULL;
        while (eis_trainer_at(t).epoch == 1) run(t, 1, TIDE_OK);
        run(t, 3, TIDE_OK);
        int64_t step = eis_trainer_at(t).step;
        assert_int_equal(eis_trainer_save(t, NULL), TIDE_OK);
        assert_same(model_of(t), file_of(&o));
        assert_int_equal(eis_trainer_new(&o, NULL, NULL, &second, NULL), TIDE_EINVAL); /* it is locked */
        assert_null(second);
        eis_trainer_free(t);
        o.resume = EIS_RESUME_MUST;
        t        = trainer_of(&o, NULL, NULL);
        assert_int_equal(eis_trainer_at(t).step, step);
        run(t, 0, TIDE_OK);
        assert_int_equal(eis_trainer_save(t, NULL), TIDE_OK);
        assert_same(model_of(t), file_of(&o));
        train_whole(&whole);
        assert_same(model_of(t), file_of(&whole));
        eis_trainer_free(t);
    }
}

/* ---- stopping ---- */

typedef struct meeting { eis_trainer *trainer; atomic_bool begun, cancelled; } meeting;

static void *cancel(void *of) {
    meeting *m = of;
    while (!atomic_load(&m->begun)) usleep(100);
    eis_trainer_cancel(m->trainer);
    atomic_store(&m->cancelled, true);
    return NULL;
}

/* The first step waits for the other thread's word. */
static int wait_for_it(void *user, const eis_event *event) {
    meeting *m = user;
    if (!event->done) return 0;
    atomic_store(&m->begun, true);
    while (!atomic_load(&m->cancelled)) usleep(100);
    return 0;
}

static void test_cancel(void **state) {
    meeting      m = { NULL };
    pthread_t    thread;
    eis_options  o = small(GRID, NULL), whole = small(GRID, "uncancelled");
    (void)state;
    m.trainer = trainer_of(&o, wait_for_it, &m);
    assert_int_equal(pthread_create(&thread, NULL, cancel, &m), 0);
    run(m.trainer, 0, TIDE_ECANCELLED);
    pthread_join(thread, NULL);
    assert_int_equal(eis_trainer_at(m.trainer).step, 1);
    assert_false(eis_trainer_at(m.trainer).finished);
    eis_trainer_cancel(m.trainer); /* where none runs: the next, after its first step */
    run(m.trainer, 9, TIDE_ECANCELLED);
    assert_int_equal(eis_trainer_at(m.trainer).step, 2);
    run(m.trainer, 0, TIDE_OK);
    train_whole(&whole);
    assert_same(model_of(m.trainer), file_of(&whole));
    eis_trainer_free(m.trainer);
}

static int stop(void *user, const eis_event *event) { return (void)event, *(int *)user; }

/* Freed at any point; the model before any epoch is over; a listener that stops it before it begins. */
static void test_midway(void **state) {
    (void)state;
    int stopping = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        eis_options  o = small(kind, NULL);
        tide_failure failure = { 0 };
        eis_trainer_free(trainer_of(&o, NULL, NULL));
        eis_trainer *t = trainer_of(&o, stop, &stopping);
        bytes before = model_of(t);
        run(t, 1, TIDE_OK);
        bytes after = model_of(t); /* learned something, but no best epoch yet */
        assert_int_equal(before.size, after.size);
        assert_true(memcmp(before.data, after.data, after.size) != 0);
        assert_true(eis_trainer_at(t).best_epoch == 0 && isnan(eis_trainer_at(t).val_loss));
        assert_int_equal(eis_trainer_run(t, -1, &failure), TIDE_EINVAL);
        eis_trainer_free(t);
        tide_free(before.data), tide_free(after.data);
        stopping = 1;
        assert_int_equal(eis_trainer_new(&o, stop, &stopping, &t, &failure), TIDE_ECANCELLED);
        assert_null(t);
        stopping = 0;
    }
    eis_options  o = small(GRID, NULL);
    tide_failure failure = { 0 };
    eis_trainer *t = NULL;
    o.resume = EIS_RESUME_AUTO;
    assert_int_equal(eis_trainer_new(&o, NULL, NULL, &t, &failure), TIDE_EINVAL);
    expect_has(failure.message, "`resume` needs `out`");
}

static int stop_calibration(void *user, const eis_event *event) {
    return strstr(event->message, "calibrating") && (*(int *)user)++ == 0;
}

/* Stopped when all steps are done, but not the calibration: not finished, and the next call does it. */
static void test_calibration_stopped(void **state) {
    int          times = 0;
    eis_options  o = small(LAB, NULL), whole = small(LAB, "calibrated");
    eis_trainer *t = trainer_of(&o, stop_calibration, &times);
    (void)state;
    run(t, 0, TIDE_ECANCELLED);
    assert_false(eis_trainer_at(t).finished);
    run(t, 0, TIDE_OK);
    assert_true(eis_trainer_at(t).finished);
    train_whole(&whole);
    assert_same(model_of(t), file_of(&whole));
    eis_trainer_free(t);
}

/* ---- its model ---- */

/* The handle's model and the same from its bytes give the same answers, when the trainer is gone. */
static void test_model(void **state) {
    rng          r = { .seed = 1 };
    sample       s;
    eis_spectrum spectrum = make_spectrum(&s, EIS_SHUNT, example, 30, 0.01, &r);
    eis_options  o = small(LAB, NULL);
    eis_model   *m[2];
    char        *json[2];
    bytes        b;
    (void)state;
    eis_trainer *t = trainer_of(&o, NULL, NULL);
    run(t, 0, TIDE_OK);
    assert_int_equal(eis_trainer_model(t, &m[0], NULL), TIDE_OK);
    eis_trainer_free(t);
    assert_int_equal(eis_model_save_memory(m[0], &b.data, &b.size, NULL), TIDE_OK);
    assert_int_equal(eis_model_load_memory(b.data, b.size, &o, &m[1], NULL), TIDE_OK);
    tide_free(b.data);
    for (int i = 0; i < 2; i++) {
        eis_answer   answer  = { 0 };
        tide_failure failure = { 0 };
        if (eis_model_solve(m[i], &o, 1, &spectrum, NULL, NULL, NULL, &answer, &failure) != TIDE_OK)
            fail_msg("%s", failure.message);
        json[i] = eis_answer_json(&answer);
        eis_answer_free(&answer);
        eis_model_free(m[i]);
    }
    assert_string_equal(json[0], json[1]);
    tide_free(json[0]), tide_free(json[1]);
}

static bytes learned(int kind, const char *device, int64_t parts) {
    eis_options o = small(kind, NULL);
    snprintf(o.device, sizeof o.device, "%s", device);
    o.accumulate = parts, o.epochs = 1, o.threads = 1;
    eis_trainer *t = trainer_of(&o, NULL, NULL);
    run(t, 3, TIDE_OK);
    run(t, 0, TIDE_OK);
    bytes b = model_of(t);
    eis_trainer_free(t);
    return b;
}

/* One rank for each of several devices has the bits of one device with as many parts. */
static void test_devices(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) assert_same(learned(kind, "cpu,cpu", 1), learned(kind, "cpu", 2));
}

/* From an empty folder, so that a file that is written by the way is seen. */
static int enter(void **state) {
    eis_result r = { 0 };
    char       elsewhere[96];
    if (make_folder(state)) return -1;
    eis_options o = small(KNOWN, NULL);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    int bad = eis_generate(&o, NULL, NULL, &r, NULL);
    eis_result_free(&r);
    return bad || mkdir(elsewhere, 0700) || chdir(elsewhere);
}

static int leave(void **state) { return chdir("/") || remove_folder(state); }

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_memory), cmocka_unit_test(test_in_a_folder),
                                        cmocka_unit_test(test_cancel), cmocka_unit_test(test_midway),
                                        cmocka_unit_test(test_calibration_stopped), cmocka_unit_test(test_model),
                                        cmocka_unit_test(test_devices) };
    return cmocka_run_group_tests(tests, enter, leave);
}
