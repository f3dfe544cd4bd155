/* A run's folder: who may write it, what is refused, what is put back. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <tidemill/tidemill.h>

#include "train/run.h"
#include "../eis/support.h"
#include "../folder.h"

static const char *const none[] = { NULL }, *const own[] = { "model.safetensors", "loss.svg", NULL };
static run_folder opened(bool resume, bool overwrite) {
    run_folder   r;
    tide_failure failure = { 0 };
    if (run_folder_open(folder, resume, overwrite, own, none, &r, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    return r;
}

static void refused(bool resume, bool overwrite, const char *words) {
    run_folder   r;
    tide_failure failure = { 0 };
    assert_int_equal(run_folder_open(folder, resume, overwrite, own, none, &r, &failure), TIDE_EINVAL);
    expect_has(failure.message, words);
    assert_int_equal(r.lock, -1);
}

static void put_file(const char *name, const char *content) {
    char  path[FOLDER_PATH];
    FILE *f = fopen(folder_file(folder, name, path), "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static bool has_file(const char *name) {
    char path[FOLDER_PATH];
    return access(folder_file(folder, name, path), F_OK) == 0;
}

static json_t *options(double lr) {
    return json_pack("{s:{s:f, s:i}, s:{s:s}, s:s}", "options", "learning-rate", lr, "n-workers", 2, "data", "sha256",
                     "abc", "version",
                     "1");
}

static void test_folder(void **state) {
    (void)state;
    run_folder r = opened(false, false);
    assert_false(r.resuming);
    refused(false, false, "another process");
    assert_int_equal(owned_claim(folder, (const char *const[]){ "run.json", "loss.svg", NULL }, NULL), TIDE_OK);
    put_file("run.json", "{}");
    put_file("loss.svg", "x");
    run_folder_close(&r);
    assert_false(has_file(".tidemill/lock"));
    refused(false, false, "already contains a run");
    refused(true, true, "contradict");
    char gone[64], ours[64];
    pid_t child = fork();
    if (!child) _exit(0);
    waitpid(child, NULL, 0);
    snprintf(gone, sizeof gone, ".tidemill/t-%ld-0", (long)child);
    snprintf(ours, sizeof ours, ".tidemill/t-%ld-0", (long)getppid());
    put_file(gone, "half");
    put_file(ours, "half");
    r = opened(true, false);
    assert_true(r.resuming);
    assert_false(has_file(gone));
    assert_true(has_file(ours)); /* of a process that lives */
    run_folder_close(&r);
    r = opened(false, true);
    assert_false(r.resuming);
    run_folder_clear(&r, (const char *const[]){ "loss.svg", NULL });
    assert_false(has_file("loss.svg") || has_file("run.json"));
    run_folder_close(&r);
}

static void check_json(const run_folder *r, double lr, const char *const *may_differ, tide_status expected,
                       const char *words) {
    tide_failure failure = { 0 };
    json_t      *now     = options(lr);
    assert_int_equal(run_json_check(r, now, may_differ, NULL, &failure), expected);
    if (words) expect_has(failure.message, words);
    json_decref(now);
}

static void test_json(void **state) {
    (void)state;
    run_folder r   = opened(false, false);
    json_t    *was = options(0.5);
    assert_int_equal(run_json_write(&r, was, NULL), TIDE_OK);
    check_json(&r, 0.5, none, TIDE_OK, NULL);
    check_json(&r, 0.25, none, TIDE_EINVAL, "`learning-rate` 0.5, now it is 0.25");
    check_json(&r, 0.25, (const char *const[]){ "learning-rate", NULL }, TIDE_OK, NULL);
    json_object_set_new(json_object_get(was, "data"), "sha256", json_string("abd"));
    assert_int_equal(run_json_write(&r, was, NULL), TIDE_OK);
    check_json(&r, 0.5, none, TIDE_EINVAL, "sha256 was abd, now it is abc");
    put_file("run.json", "{\"format_version\": 99}");
    check_json(&r, 0.5, none, TIDE_EDATA, "newer");
    put_file("run.json", "{");
    check_json(&r, 0.5, none, TIDE_EDATA, "cannot be read");
    json_decref(was);
    run_folder_close(&r);
}

static void refuse_cut(const run_folder *r, int64_t bytes, const char *says) {
    tide_failure failure = { 0 };
    assert_int_equal(run_metrics_cut(r, bytes, &failure), TIDE_EDATA);
    expect_has(failure.message, says);
}

static void test_metrics(void **state) {
    (void)state;
    run_folder  r     = opened(false, false);
    int64_t     bytes = 0, first;
    char        path[FOLDER_PATH];
    struct stat s;
    assert_int_equal(run_metrics_cut(&r, 0, NULL), TIDE_OK); /* none yet */
    assert_int_equal(run_metrics_append(&r, "a,b\n", "1,2\n", &bytes, NULL), TIDE_OK);
    assert_int_equal(bytes, 8);
    first = bytes;
    assert_int_equal(run_metrics_append(&r, "a,b\n", "3,4\n", &bytes, NULL), TIDE_OK);
    assert_int_equal(bytes, 12);
    assert_int_equal(run_metrics_cut(&r, first, NULL), TIDE_OK);
    assert_int_equal(stat(folder_file(folder, "metrics.csv", path), &s), 0);
    assert_int_equal(s.st_size, 8);
    refuse_cut(&r, 9, "holds 8 bytes and the run had written 9: `overwrite` starts anew");
    refuse_cut(&r, 7, "no row ends at byte 7");
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_size, 8);
    char backup[FOLDER_PATH];
    assert_int_equal(link(path, folder_file(folder, "backup", backup)), 0);
    assert_int_equal(run_metrics_cut(&r, 4, NULL), TIDE_OK);
    assert_int_equal(run_metrics_append(&r, "a,b\n", "56,78\n", &(int64_t){ 4 }, NULL), TIDE_OK);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_size, 10);
    assert_int_equal(stat(backup, &s), 0);
    assert_int_equal(s.st_size, 8); /* what `cp -l` keeps is not changed under it */
    unlink(path);
    refuse_cut(&r, 4, "it is gone");
    run_folder_close(&r);
}

/* ---- state.safetensors ---- */

typedef struct progress { int64_t step; double best; } progress;
static const run_counter table[] = { { "step", offsetof(progress, step), false, 0, 20 },
                                     { "best", offsetof(progress, best), true, -1, 1 } };
static run_counters counters_of(progress *p) { return (run_counters){ table, 2, p }; }

static tide_status read_state(const run_folder *r, tide_graph *g, int64_t size, progress *at, float *w, float *best_w,
                              bool *found,
                              tide_failure *failure) {
    tide_val         v    = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(size), 0));
    tide_snapshot_t *best = NULL;
    tide_status status = run_state_read(r, TIDE_LIST(v), TIDE_LIST(v), &best, counters_of(at), found, failure);
    if (status == TIDE_OK && *found) {
        tide_read(v, w, sizeof *w);
        *best_w = best ? *(const float *)tide_snapshot_data(best, 0) : NAN;
    }
    tide_snapshot_free(best);
    tide_graph_free(g);
    return status;
}

static void write_state(const run_folder *r, progress *at) {
    tide_graph      *g    = tide_graph_new("ref");
    tide_val         v    = tide_variable(g, "w", tide_fill(g, TIDE_F32, TIDE_SHAPE(1), 3));
    tide_snapshot_t *best = tide_snapshot(TIDE_LIST(v));
    float            now  = 4;
    assert_int_equal(tide_write(v, &now, sizeof now), TIDE_OK);
    assert_int_equal(run_state_write(r, TIDE_LIST(v), TIDE_LIST(v), best, counters_of(at), NULL), TIDE_OK);
    tide_snapshot_free(best);
    tide_graph_free(g);
}

static void test_state(void **state) {
    (void)state;
    run_folder   r       = opened(false, false);
    progress     at      = { 17, 0.1 }, back = { 0, 0 };
    float        w       = 0, best = 0;
    bool         found   = true;
    tide_failure failure = { 0 };
    assert_int_equal(read_state(&r, tide_graph_new("ref"), 1, &back, &w, &best, &found, &failure), TIDE_OK);
    assert_false(found);
    write_state(&r, &at);
    assert_int_equal(read_state(&r, tide_graph_new("ref"), 1, &back, &w, &best, &found, &failure), TIDE_OK);
    assert_true(found && back.step == 17 && back.best == 0.1 && w == 4 && best == 3);
    assert_int_equal(read_state(&r, tide_graph_new("ref"), 2, &back, &w, &best, &found, &failure), TIDE_EDATA);
    expect_has(failure.message, "missing or of another size: `overwrite` starts anew");
    static const struct { progress at; const char *says; } damaged[] = {
        { { -1, 0.1 }, "counter step is damaged: `overwrite`" }, { { 21, 0.1 }, "counter step" },
        { { 1, 2 }, "counter best" }, { { 1, (double)NAN }, "counter best" },
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        at = damaged[i].at;
        write_state(&r, &at);
        failure = (tide_failure){ 0 };
        assert_int_equal(read_state(&r, tide_graph_new("ref"), 1, &back, &w, &best, &found, &failure), TIDE_EDATA);
        expect_has(failure.message, damaged[i].says);
    }
    run_folder_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_folder, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_json, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_metrics, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_state, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
