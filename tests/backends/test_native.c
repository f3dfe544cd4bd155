/* Compiled map kernels: the cache of libraries, and what happens without a compiler or a place for them. That they
 * compute the right thing is what "backends native maps" tests. */
#include "flat_check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/cpu/native/native.h"

static char folder[256], cache[300], compiler[300], journal[300];

static void set_usual(void) {
    setenv("XDG_CACHE_HOME", cache, 1);
    setenv("CC", compiler, 1);
}

/* It writes down each call. */
static int make_compiler(void) {
    FILE *f = fopen(compiler, "w");
    if (!f) return -1;
    fprintf(f, "#!/bin/sh\necho called >> '%s'\nexec cc \"$@\"\n", journal);
    fclose(f);
    return chmod(compiler, 0755);
}

static int set_up(void **unused) {
    (void)unused;
    const char *path = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/tide_native_XXXXXX", path ? path : "/tmp");
    if (!mkdtemp(folder)) return -1;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(compiler, sizeof compiler, "%s/cc", folder);
    snprintf(journal, sizeof journal, "%s/calls", folder);
    return make_compiler();
}

static int tear_down(void **unused) {
    (void)unused;
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void need_compiler(void) {
    if (system("cc --version > /dev/null 2>&1") == 0) return;
    print_message("no C compiler: compiled maps not tested\n");
    skip();
}

static int calls(void) {
    FILE *f = fopen(journal, "r");
    int lines = 0;
    for (int c; f && (c = fgetc(f)) != EOF;) lines += c == '\n';
    if (f) fclose(f);
    return lines;
}

/* y = exp(x - max x) times `factor`: each factor is a program of its own. */
static void build_map(builder *b, double factor) {
    const int64_t dim[2] = { 40, 200 };
    int64_t full[TIDE_MAX_DIMS];
    build_begin(b);
    dense(full, 2, dim, 0, 2);
    flat_kernel *k = add_map(b, 2, 1, dim, 16, true);
    int x = map_load(b, k, add_buffer(b, TIDE_F32, dim[0] * dim[1], false), FLAT_FULL, full);
    int max = map_op(b, k, FLAT_ROW_MAX, TIDE_F32, FLAT_ROW, x, -1, -1);
    int e = map_op(b, k, S_EXP, TIDE_F32, FLAT_FULL, map_op(b, k, S_SUB, TIDE_F32, FLAT_FULL, x, max, -1), -1, -1);
    flat_instr *number = map_instr(k, FLAT_CONST, TIDE_F32, FLAT_ONE, -1);
    number->number = factor;
    map_store(b, k, map_op(b, k, S_MUL, TIDE_F32, FLAT_FULL, e, number->dst, -1),
              add_buffer(b, TIDE_F32, dim[0] * dim[1], true), full);
    finish(b);
}

/* Runs the map by what is known, and times what is not; how many kernels were asked about. */
static int run_map(double factor, tuning *t) {
    builder b;
    build_map(&b, factor);
    backend_env env = { .threads = 2, .tuning = t, .autotune = t->clock };
    void *truth = run_on(&tide_backend_ref, &b, 1), *got = run_in(&tide_backend_cpu, &b, env);
    expect_close(&b, truth, got, 4e-7, 2e-38, "softmax without its sum", "cpu");
    free(truth), free(got);
    build_free(&b);
    return t->used.count;
}

/* With a clock; whatever it says, the kernel is to be compiled from then on. */
static int run_fresh(double factor) {
    tuning t = { .clock = true };
    int asked = run_map(factor, &t);
    t.clock = false;
    for (int32_t i = 0; i < asked; i++) t.used.items[i].value = 1;
    assert_int_equal(run_map(factor, &t), asked);
    choices_free(&t.used);
    return asked;
}

/* The n-th file of the cache with this ending. */
static void kept(const char *ending, size_t n, char path[512]) {
    char pattern[400];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/tidemill/kernels/*%s", cache, ending);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_true(n < found.gl_pathc);
    snprintf(path, 512, "%s", found.gl_pathv[n]);
    globfree(&found);
}

static size_t count_kept(const char *ending) {
    char pattern[400];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/tidemill/kernels/*%s", cache, ending);
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    if (count) globfree(&found);
    return count;
}

static void test_cache_is_used(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    int before = calls();
    assert_int_equal(run_fresh(2), 1);
    assert_int_equal(calls() - before, 1);
    assert_int_equal(run_fresh(2), 1);
    assert_int_equal(calls() - before, 1);
    assert_int_equal(run_fresh(3), 1);  /* another text */
    assert_int_equal(calls() - before, 2);
    assert_int_equal(count_kept(".so"), 2);
    assert_int_equal(count_kept(".sum"), 2);
    assert_int_equal(count_kept(".c"), 0);
}

/* Each is found out and made again. */
static void test_damaged_files(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    run_fresh(2), run_fresh(3);
    char library[512], sum[512], other[512], command[2200];
    kept(".so", 0, library), kept(".sum", 0, sum), kept(".so", 1, other);
    static const struct { const char *what, *command; } damages[] = {
        { "cut short", "f='%s' && head -c 3000 \"$f\" > \"$f.x\" && mv \"$f.x\" \"$f\"" },
        { "empty", ": > '%s'" },
        { "with other bytes", "printf wrong | dd of='%s' bs=1 seek=4096 conv=notrunc 2> /dev/null" },
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        int before = calls();
        snprintf(command, sizeof command, damages[i].command, library);
        assert_int_equal(system(command), 0);
        assert_int_equal(run_fresh(2) + run_fresh(3), 2);
        if (calls() - before != 1)
            fail_msg("a library %s: expected 1 call of the compiler, got %d", damages[i].what, calls() - before);
    }
    /* Whole, but another program's. */
    int before = calls();
    snprintf(command, sizeof command, "cp '%s' '%s' && o='%s' && cp \"${o%%.so}.sum\" '%s'", other, library, other,
             sum);
    assert_int_equal(system(command), 0);
    assert_int_equal(run_fresh(2) + run_fresh(3), 2);
    assert_int_equal(calls() - before, 1);
}

/* Strips run instead, and the reason is told. */
static void expect_strips(const char *reason) {
    char said[200] = "";
    tuning t = { .clock = true };
    assert_int_equal(run_map(5, &t), 0);
    assert_null(native_library("int nothing;\n", "baseline", said, sizeof said).library);
    if (!strstr(said, reason)) fail_msg("expected a reason with \"%s\", got \"%s\"", reason, said);
    if (!strstr(t.note, reason)) fail_msg("expected a note with \"%s\", got \"%s\"", reason, t.note);
    choices_free(&t.used);
}

static void test_no_compiler(void **unused) {
    (void)unused;
    set_usual();
    char *path = strdup(getenv("PATH"));
    setenv("CC", "/nonexistent/cc", 1);
    expect_strips("no C compiler");
    unsetenv("CC");
    setenv("PATH", folder, 1);
    unlink(compiler);
    expect_strips("no C compiler");
    setenv("PATH", path, 1);
    setenv("CC", "false", 1);
    expect_strips("'false' failed");
    free(path);
    assert_int_equal(make_compiler(), 0);
}

static void test_no_folder(void **unused) {
    (void)unused;
    need_compiler();
    char file[400], *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    snprintf(file, sizeof file, "%s/file", folder);
    fclose(fopen(file, "w"));
    set_usual();
    setenv("XDG_CACHE_HOME", file, 1);
    expect_strips("cannot be used");
    unsetenv("XDG_CACHE_HOME"), unsetenv("HOME");
    expect_strips("XDG_CACHE_HOME");
    if (home) setenv("HOME", home, 1);
    free(home);
}

static void kernels_path(char path[400]) { snprintf(path, 400, "%s/tidemill/kernels", cache); }

/* What others could have put there is neither loaded nor written through. */
static void test_folder_of_others(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    run_fresh(2);
    char kernels[400], aside[420];
    struct stat s;
    kernels_path(kernels);
    assert_int_equal(stat(kernels, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0700);
    static const mode_t open_to_others[] = { 0720, 0702, 0777 };
    for (int i = 0; i < 3; i++) {
        assert_int_equal(chmod(kernels, open_to_others[i]), 0);
        expect_strips("others may write it");
    }
    chmod(kernels, 0700);
    if (geteuid() == 0) {
        assert_int_equal(chown(kernels, 12345, (gid_t)-1), 0);
        expect_strips("belongs to another user");
        assert_int_equal(chown(kernels, geteuid(), (gid_t)-1), 0);
    }
    snprintf(aside, sizeof aside, "%s.aside", kernels);
    assert_int_equal(rename(kernels, aside) | symlink(aside, kernels), 0);
    expect_strips("it is a link");
    assert_int_equal(unlink(kernels) | rename(aside, kernels), 0);
    int before = calls();
    run_fresh(2);
    assert_int_equal(calls() - before, 0);
}

static void expect_made_again(const char *what, const char *file) {
    struct stat s;
    int before = calls();
    run_fresh(2);
    if (calls() - before != 1) fail_msg("%s: expected 1 call of the compiler, got %d", what, calls() - before);
    if (lstat(file, &s) || !S_ISREG(s.st_mode)) fail_msg("%s: %s is no regular file afterwards", what, file);
}

static void test_files_of_others(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    char library[512], sum[512], target[520], planted[560], line[64] = "", command[500];
    snprintf(command, sizeof command, "rm -f '%s'/tidemill/kernels/*", cache); /* the one program's files alone */
    assert_int_equal(system(command), 0);
    run_fresh(2);
    kept(".so", 0, library), kept(".sum", 0, sum);
    for (int i = 0; i < 2; i++) {
        const char *file = i ? sum : library;
        run_fresh(2);
        snprintf(target, sizeof target, "%s/target", folder);
        assert_int_equal(rename(file, target) | symlink(target, file), 0);
        expect_made_again(i ? "a link for the sum" : "a link for the library", file);
        assert_int_equal(chmod(file, 0666), 0);
        expect_made_again(i ? "a sum that others may write" : "a library that others may write", file);
    }
    /* The names that are written are known beforehand: a link there must not be followed. */
    FILE *f = fopen(target, "w");
    fputs("precious\n", f), fclose(f);
    for (int i = 0; i < 2; i++) {
        snprintf(planted, sizeof planted, "%.*s.%d.%s", (int)(strlen(library) - 3), library, (int)getpid(),
                 i ? "so" : "c");
        assert_int_equal(symlink(target, planted), 0);
    }
    unlink(library);
    expect_made_again("links for the source and what is made of it", library);
    f = fopen(target, "r");
    assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_string_equal(line, "precious\n");
}

/* The name may lead to another file by the time a library is loaded: the descriptor counts. */
static void test_descriptor_is_loaded(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    char path[300], command[1500];
    snprintf(path, sizeof path, "%s/lib.so", folder);
    const char *const texts[] = { "int number = 1;", "int number = 2;" };
    int fd[2];
    void *library[2];
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command, "echo '%s' | cc -shared -fPIC -x c -o '%s.new' - && mv '%s.new' '%s'",
                 texts[i], path, path, path);
        assert_int_equal(system(command), 0);
        fd[i] = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd[i] >= 0);
    }
    for (int i = 0; i < 2; i++) {
        library[i] = os_load_library(fd[i]);
        assert_non_null(library[i]);
        assert_int_equal(*(int *)dlsym(library[i], "number"), i + 1);
    }
    for (int i = 0; i < 2; i++) dlclose(library[i]), close(fd[i]);
}

/* A run that goes on with choices made elsewhere, without a clock. */
static void test_known_choices(void **unused) {
    (void)unused;
    need_compiler();
    set_usual();
    tuning t = { .clock = true };
    int before = calls();
    run_map(7, &t);
    assert_int_equal(calls() - before, 1);
    t.clock = false;
    t.used.items[0].value = 0;  /* strips: no library is needed */
    setenv("CC", "/nonexistent/cc", 1);
    run_map(7, &t);
    t.used.items[0].value = 1;  /* compiled, and nothing to compile with */
    run_map(7, &t);
    choices_free(&t.used);
    tuning unknown = { .clock = false };
    set_usual();
    before = calls();
    assert_int_equal(run_map(8, &unknown), 0);
    assert_int_equal(calls() - before, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cache_is_used), cmocka_unit_test(test_damaged_files), cmocka_unit_test(test_no_folder),
        cmocka_unit_test(test_folder_of_others), cmocka_unit_test(test_files_of_others),
        cmocka_unit_test(test_descriptor_is_loaded),
        cmocka_unit_test(test_known_choices), cmocka_unit_test(test_no_compiler),
    };
    return cmocka_run_group_tests_name("native", tests, set_up, tear_down);
}
