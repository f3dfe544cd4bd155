/* Whose a file is: what a command claims, takes away and may write over. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tidemill/io.h>
#include <unistd.h>

#include "files/owned.h"
#include "train/run.h"
#include "../folder.h"

static const char *const names[] = { "loss.csv", "model.safetensors", NULL };

static const char *in(const char *name) {
    static char path[4][FOLDER_PATH];
    static int  turn;
    return folder_file(folder, name, path[turn++ % 4]);
}

static void put(const char *name, const char *content) {
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

static void expect_content(const char *name, const char *content) {
    char  text[256] = "";
    FILE *f = fopen(in(name), "r");
    if (!f) fail_msg("%s is gone", name);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_string_equal(text, content);
}

static bool is_there(const char *name) {
    struct stat info;
    return lstat(in(name), &info) == 0;
}

static void claimed(const char *const *which) {
    tide_failure f = { 0 };
    if (owned_claim(folder, which, &f) != TIDE_OK) fail_msg("%s", f.message);
}

static void refused(const char *const *which, const char *words) {
    tide_failure f = { 0 };
    assert_int_equal(owned_claim(folder, which, &f), TIDE_EINVAL);
    if (!strstr(f.message, words)) fail_msg("expected \"%s\" in \"%s\"", words, f.message);
}

static void test_claims(void **state) {
    (void)state;
    put("thesis.csv", "mine");
    claimed(names);
    assert_true(owned_lists(folder, "loss.csv"));
    assert_false(owned_lists(folder, "thesis.csv") || owned_lists(folder, "loss") || owned_lists(folder, ""));
    put("loss.csv", "ours");
    claimed(names); /* ours stays ours */
    owned_release(folder);
    assert_true(owned_lists(folder, "loss.csv"));
    assert_false(owned_lists(folder, "model.safetensors")); /* claimed, and not written */
    claimed(names);
    owned_clear(folder, (const char *const[]){ "loss.csv", "thesis.csv", "model.safetensors", NULL });
    assert_false(is_there("loss.csv") || owned_lists(folder, "loss.csv") || owned_lists(folder, "model.safetensors"));
    put("loss.csv", "mine"); /* ours was taken away: the next is not ours */
    refused(names, "loss.csv is there already");
    owned_clear(folder, names);
    expect_content("loss.csv", "mine");
    expect_content("thesis.csv", "mine");
    refused((const char *const[]){ "new.svg", "thesis.csv", NULL },
            "thesis.csv is there already and was not made by this program");
    assert_false(owned_lists(folder, "new.svg")); /* all or none */
}

/* A whole folder: what is listed goes, what is not stays, and keeps its folder. */
static void test_remove(void **state) {
    char run[FOLDER_PATH];
    (void)state;
    folder_file(folder, "run", run);
    for (int foreign = 0; foreign < 2; foreign++) {
        assert_int_equal(mkdir(run, 0777), 0);
        assert_int_equal(owned_claim(run, names, NULL), TIDE_OK);
        put("run/loss.csv", "ours");
        if (foreign) put("run/notes.txt", "mine");
        int lock = owned_lock(run, NULL);
        owned_remove(run, NULL); /* another works in it */
        expect_content("run/loss.csv", "ours");
        owned_unlock(run, lock);
        owned_remove(run, NULL);
        assert_false(is_there("run/loss.csv") || is_there("run/.tidemill"));
        assert_true(is_there("run") == (foreign == 1));
    }
    expect_content("run/notes.txt", "mine");
    owned_remove(run, NULL); /* nothing of it is ours any more */
    expect_content("run/notes.txt", "mine");
    unlink(in("run/notes.txt"));
    rmdir(run);
    owned_remove(run, NULL); /* not there */
}

/* Before anything is made in the folder. */
static void test_strangers(void **state) {
    (void)state;
    put("loss.csv", "mine");
    refused(names, "loss.csv is there already");
    expect_content("loss.csv", "mine");
    assert_false(is_there(".tidemill"));
    owned_clear(folder, names);
    expect_content("loss.csv", "mine");
    unlink(in("loss.csv"));
    put("target", "mine");
    assert_int_equal(symlink(in("target"), in("loss.csv")), 0);
    refused(names, "loss.csv is there already");
    unlink(in("loss.csv"));
    assert_int_equal(mkdir(in("loss.csv"), 0777), 0);
    refused(names, "loss.csv is there already");
    rmdir(in("loss.csv"));
    claimed(names);
    assert_int_equal(symlink(in("target"), in("loss.csv")), 0); /* listed, but a link leads elsewhere */
    refused(names, "loss.csv is there already");
    owned_clear(folder, names);
    assert_true(is_there("loss.csv"));
    expect_content("target", "mine");
}

/* A `.tidemill` that is somebody's: a file, a folder with things in it, a list that is none. */
static void test_private_folder(void **state) {
    (void)state;
    put(".tidemill", "mine");
    refused(names, ".tidemill is there already");
    expect_content(".tidemill", "mine");
    unlink(in(".tidemill"));
    assert_int_equal(mkdir(in(".tidemill"), 0777), 0);
    put(".tidemill/letter.txt", "mine");
    refused(names, ".tidemill is there already");
    unlink(in(".tidemill/letter.txt"));
    put(".tidemill/files", "mine");
    put(".tidemill/t-999999999-0", "mine");
    owned_sweep(folder);
    expect_content(".tidemill/t-999999999-0", "mine");
    refused(names, ".tidemill is there already");
    expect_content(".tidemill/files", "mine");
    unlink(in(".tidemill/files"));
    assert_int_equal(rename(in(".tidemill"), in("others")), 0);
    assert_int_equal(symlink("others", in(".tidemill")), 0); /* empty, or of another run */
    refused(names, ".tidemill is there already");
    put("others/files", "tidemill files 1\nloss.csv\n");
    put("loss.csv", "mine");
    assert_false(owned_lists(folder, "loss.csv"));
    owned_clear(folder, names);
    expect_content("loss.csv", "mine");
    assert_int_equal(unlink(in(".tidemill")) | unlink(in("others/files")) | unlink(in("loss.csv")), 0);
    assert_int_equal(rename(in("others"), in(".tidemill")), 0);
    put(".tidemill/t-1-0", "half"); /* as a process leaves it that is killed in between */
    claimed(names);
}

/* A line that was being written when the process was killed counts for nothing, and spoils none after it. */
static void test_torn_list(void **state) {
    (void)state;
    claimed(names);
    FILE *f = fopen(in(".tidemill/files"), "a");
    fputs("sample.c", f);
    fclose(f);
    assert_true(owned_lists(folder, "loss.csv"));
    assert_false(owned_lists(folder, "sample.c"));
    claimed((const char *const[]){ "sample.csv", NULL });
    assert_true(owned_lists(folder, "sample.csv"));
}

/* A list with a 0 in it is damaged: it vouches for nothing, and nothing is read behind its end. */
static void test_damaged_list(void **state) {
    (void)state;
    claimed(names);
    FILE *f = fopen(in(".tidemill/files"), "a");
    fwrite("x\0\n", 1, 3, f);
    fclose(f);
    assert_false(owned_lists(folder, "loss.csv"));
    put("loss.csv", "mine");
    assert_int_not_equal(owned_claim(folder, names, &(tide_failure){ 0 }), TIDE_OK);
    owned_clear(folder, names);
    expect_content("loss.csv", "mine");
}

/* Runs of 0.1.0 have no list; their run.json says whose the names of their command are. */
static void test_first_version(void **state) {
    (void)state;
    put("loss.csv", "ours");
    put("notes.txt", "mine");
    put("run.json", "{\"command\": \"make coffee\", \"format_version\": 1, \"version\": \"7\"}");
    assert_false(owned_holds_run(folder));
    refused(names, "loss.csv is there already");
    put("run.json", "{\"command\": \"forecast train\", \"format_version\": 1, \"version\": \"0.1.0\"}");
    assert_true(owned_holds_run(folder));
    refused((const char *const[]){ "notes.txt", NULL }, "notes.txt is there already");
    claimed(names);
    assert_true(owned_lists(folder, "run.json"));
    owned_clear(folder, (const char *const[]){ "loss.csv", "notes.txt", NULL });
    assert_false(is_there("loss.csv"));
    expect_content("notes.txt", "mine");
    put("sample.csv", "mine"); /* was not there when the folder was taken over */
    refused((const char *const[]){ "sample.csv", NULL }, "sample.csv is there already");
}

static void test_lock(void **state) {
    (void)state;
    tide_failure f = { 0 };
    claimed(names);
    put(".tidemill/t-999999999-3", "half");
    put("model.safetensors.tmp-999999999-0", "mine");
    int lock = owned_lock(folder, &f);
    assert_true(lock >= 0);
    assert_false(is_there(".tidemill/t-999999999-3"));
    expect_content("model.safetensors.tmp-999999999-0", "mine");
    assert_int_equal(owned_lock(folder, &f), -1);
    assert_int_equal(f.status, TIDE_EINVAL);
    owned_unlock(folder, lock);
    assert_true((lock = owned_lock(folder, NULL)) >= 0);
    owned_unlock(folder, lock);
}

/* Several, or one alone; the last of several releases. */
static void test_shared_lock(void **state) {
    (void)state;
    tide_failure f = { 0 };
    claimed((const char *const[]){ "model.safetensors", "sample.csv", NULL });
    put("model.safetensors", "ours");
    put(".tidemill/t-999999999-3", "half");
    int first = owned_lock_shared(folder, &f), second = owned_lock_shared(folder, &f);
    assert_true(first >= 0 && second >= 0);
    assert_true(is_there(".tidemill/t-999999999-3"));
    assert_int_equal(owned_lock(folder, &f), -1);
    owned_unlock_shared(folder, first);
    assert_true(owned_lists(folder, "sample.csv"));
    assert_int_equal(owned_lock(folder, &f), -1);
    owned_unlock_shared(folder, second);
    assert_false(owned_lists(folder, "sample.csv"));
    assert_true(owned_lists(folder, "model.safetensors"));
    assert_false(is_there(".tidemill/t-999999999-3"));
    assert_false(is_there(".tidemill/lock"));
    int alone = owned_lock(folder, &f);
    assert_true(alone >= 0);
    assert_int_equal(owned_lock_shared(folder, &f), -1);
    assert_int_equal(f.status, TIDE_EINVAL);
    owned_unlock(folder, alone);
}

/* ---- files that the user names ---- */

static void may_write(const char *name, bool overwrite, const char *const *inputs, const char *words) {
    tide_failure f      = { 0 };
    tide_status  status = output_check(in(name), "output", overwrite, folder, inputs, &f);
    assert_int_equal(status, words ? TIDE_EINVAL : TIDE_OK);
    if (words && !strstr(f.message, words)) fail_msg("expected \"%s\" in \"%s\"", words, f.message);
}

static void test_outputs(void **state) {
    (void)state;
    char data[FOLDER_PATH];
    const char *const none[] = { NULL }, *const input[] = { "", folder_file(folder, "data.csv", data), NULL };
    claimed((const char *const[]){ "run.json", "model.safetensors", NULL });
    put("model.safetensors", "ours");
    may_write("next.csv", false, none, NULL);
    put("next.csv", "mine");
    may_write("next.csv", false, none, "`overwrite` replaces it");
    may_write("next.csv", true, none, NULL);
    output_remember(folder, in("next.csv"));
    may_write("next.csv", false, none, NULL); /* as we wrote it */
    put("next.csv", "mine, with notes");
    may_write("next.csv", false, none, "`overwrite` replaces it");
    put("data.csv", "mine");
    may_write("data.csv", true, input, "is read by this command");
    assert_int_equal(link(in("data.csv"), in("same.csv")), 0);
    may_write("same.csv", true, input, "is read by this command");
    may_write("model.safetensors", true, none, "belongs to the run");
    may_write(".", true, none, "is a folder");
}

/* Neither a link, nor that a file is not there yet, nor the age of the run lets an output take the place of a run's
 * file. */
static void test_outputs_on_runs(void **state) {
    (void)state;
    const char *const none[] = { NULL };
    claimed((const char *const[]){ "run.json", "loss.csv", NULL });
    put("run.json", "ours");
    may_write("loss.csv", false, none, "belongs to the run");
    may_write(".tidemill/files", true, none, "belongs to the run");
    assert_int_equal(symlink("run.json", in("link.csv")), 0);
    may_write("link.csv", true, none, "belongs to the run");
    assert_int_equal(symlink("nothing", in("nowhere.csv")), 0);
    may_write("nowhere.csv", true, none, "leads nowhere");
    assert_int_equal(mkdir(in("old"), 0777), 0);
    put("old/run.json", "{\"command\": \"forecast train\", \"format_version\": 1, \"version\": \"0.1.0\"}");
    put("old/loss.csv", "ours");
    may_write("old/loss.csv", true, none, "belongs to the run");
    may_write("old/mine.csv", true, none, NULL);
}

/* What standard input was redirected from is read as well as a file that was named. */
static void test_standard_input(void **state) {
    (void)state;
    claimed(names);
    put("data.csv", "mine");
    put("loss.csv", "ours");
    int kept = dup(STDIN_FILENO);
    assert_non_null(freopen(in("data.csv"), "r", stdin));
    may_write("data.csv", true, (const char *const[]){ "-", NULL }, "is read by this command");
    assert_non_null(freopen(in("loss.csv"), "r", stdin));
    tide_status status = owned_refuse_input(folder, "-", &(tide_failure){ 0 });
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_int_equal(status, TIDE_EINVAL);
}

/* ---- what a writer that is killed leaves ---- */

static tide_status die(void *user, void *file) {
    (void)user;
    fputs("half", file);
    fflush(file);
    raise(SIGKILL);
    return TIDE_OK;
}

static void test_killed_writer(void **state) {
    (void)state;
    for (int listed = 0; listed < 2; listed++) {
        if (listed) claimed(names);
        pid_t child = fork();
        if (!child) {
            tide_file_replace(in("loss.csv"), die, NULL, NULL);
            _exit(0);
        }
        int code;
        waitpid(child, &code, 0);
        assert_true(WIFSIGNALED(code));
        assert_false(is_there("loss.csv"));
        char beside[64];
        snprintf(beside, sizeof beside, "loss.csv.tmp-%ld-0", (long)child);
        assert_false(is_there(beside) && listed);
    }
    int lock = owned_lock(folder, NULL);
    char command[160];
    snprintf(command, sizeof command, "test -z \"$(ls -A '%s/.tidemill' | grep -v -e '^files$' -e '^lock$')\"", folder);
    assert_int_equal(system(command), 0);
    owned_unlock(folder, lock);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_claims),        IN_FOLDER(test_remove),    IN_FOLDER(test_strangers),
        IN_FOLDER(test_private_folder), IN_FOLDER(test_torn_list),
        IN_FOLDER(test_first_version), IN_FOLDER(test_lock),      IN_FOLDER(test_shared_lock),
        IN_FOLDER(test_outputs),
        IN_FOLDER(test_killed_writer),
        IN_FOLDER(test_damaged_list),  IN_FOLDER(test_outputs_on_runs), IN_FOLDER(test_standard_input),
    };
    return cmocka_run_group_tests_name("whose a file is", tests, NULL, NULL);
}
