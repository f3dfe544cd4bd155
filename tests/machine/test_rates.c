/* Rates: measured on this machine, and kept on disk, where anything may happen to them. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "recorded.h"

static const machine here = { .system = "Linux",
                              .arch = "x86_64",
                              .model = "Test",
                              .processors = 4,
                              .allowed_processors = 4,
                              .performance_cores = 4,
                              .usable_cores = 4,
                              .memory_bytes = (int64_t)8 << 30,
                              .features = MACHINE_AVX2 };
static const machine_rates kept = { .measured = true, .threads = 4, .gflops = { 123.456789012345678, 301.1, 0 },
                                    .bandwidth_gbs = 1.0 / 3,
                                    .launch_us = 0.1, .took_s = 1.9, .measured_at = "2026-01-31T12:00:00Z" };

static int make_cache(void **state) { return make_folder(state) || setenv("XDG_CACHE_HOME", folder, 1); }

static bool same(const machine_rates *a, const machine_rates *b) {
    bool all = a->measured == b->measured && a->threads == b->threads && a->bandwidth_gbs == b->bandwidth_gbs &&
               a->launch_us == b->launch_us && a->took_s == b->took_s && strcmp(a->measured_at, b->measured_at) == 0;
    for (int i = 0; i < MACHINE_PRECISIONS; i++) all = all && a->gflops[i] == b->gflops[i];
    return all;
}

static void path_of(const machine *m, char path[1024]) {
    tide_failure f = { 0 };
    if (machine_rates_path(m, path, &f) != TIDE_OK) fail_msg("%s", f.message);
}

static size_t read_all(const char *path, char *bytes, size_t room) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    size_t length = fread(bytes, 1, room, file);
    fclose(file);
    return length;
}

static void write_all(const char *path, const char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) fail_msg("cannot write %s", path);
}

static void test_round_trip(void **state) {
    const named *c = &(named){ "kept rates" };
    machine_rates back;
    tide_failure  f = { 0 };
    (void)state;
    EXPECT_INT("before anything is kept", machine_rates_read(&here, &back, NULL), TIDE_EIO);
    if (machine_rates_write(&here, &kept, &f) != TIDE_OK) fail_msg("%s", f.message);
    if (machine_rates_read(&here, &back, &f) != TIDE_OK) fail_msg("%s", f.message);
    if (!same(&back, &kept))
        fail_msg("what is read is not what was written: f32 %.17g, expected %.17g", back.gflops[0], kept.gflops[0]);
    machine_rates_known(&here, &back);
    EXPECT_INT("known rates are those kept", same(&back, &kept), 1);
}

/* Whatever a rate depends on parts the files. */
static void test_other_machines(void **state) {
    machine others[] = { here, here, here, here, here };
    const char *const names[] = { "model", "threads", "sets", "memory", "architecture" };
    machine_rates back;
    (void)state;
    strcpy(others[0].model, "Other");
    others[1].cpu_limit = 2;
    others[2].features |= MACHINE_AVX512;
    others[3].memory_limit_bytes = 1 << 30;
    strcpy(others[4].arch, "aarch64");
    if (machine_rates_write(&here, &kept, NULL) != TIDE_OK) fail_msg("cannot write");
    for (int i = 0; i < 5; i++) {
        tide_status status = machine_rates_read(&others[i], &back, NULL);
        if (status != TIDE_EIO)
            fail_msg("another %s: status %d, expected %d: no such file", names[i], status, TIDE_EIO);
        machine_rates_known(&others[i], &back);
        if (back.measured) fail_msg("another %s: an estimate says that it is measured", names[i]);
    }
    char mine[1024], its[1024], bytes[4096];
    path_of(&here, mine);
    path_of(&others[0], its);
    write_all(its, bytes, read_all(mine, bytes, sizeof bytes));
    if (machine_rates_read(&others[0], &back, NULL) != TIDE_EDATA) fail_msg("the file of another machine was taken");
}

/* Cut anywhere, or with any byte changed, a file is damaged or says the same: it never says something else. */
static void test_damage(void **state) {
    char path[1024], bytes[4096], bad[4096];
    machine_rates back;
    (void)state;
    if (machine_rates_write(&here, &kept, NULL) != TIDE_OK) fail_msg("cannot write");
    path_of(&here, path);
    size_t length = read_all(path, bytes, sizeof bytes), refused = 0;
    for (size_t i = 0; i + 2 < length; i++) {
        write_all(path, bytes, i);
        tide_status status = machine_rates_read(&here, &back, NULL);
        if (status != TIDE_EDATA)
            fail_msg("cut at byte %zu of %zu: status %d, expected %d", i, length, status, TIDE_EDATA);
    }
    for (size_t i = 0; i < length; i++)
        for (int change = 1; change < 256; change *= 2) {
            memcpy(bad, bytes, length);
            bad[i] = (char)(bad[i] ^ change);
            write_all(path, bad, length);
            if (machine_rates_read(&here, &back, NULL) != TIDE_OK) refused++;
            else if (!same(&back, &kept))
                fail_msg("byte %zu of %zu changed by %d: read as other rates", i, length, change);
        }
    if (refused < 4 * length) fail_msg("only %zu of %zu changed files were refused", refused, 8 * length);
    machine_rates_known(&here, &back);
    if (machine_rates_write(&here, &kept, NULL) != TIDE_OK || machine_rates_read(&here, &back, NULL) != TIDE_OK)
        fail_msg("a damaged file is not replaced");
}

static void test_no_place(void **state) {
    const named *c = &(named){ "no place for a cache" };
    char         file[128], path[1024];
    tide_failure f = { 0 };
    (void)state;
    snprintf(file, sizeof file, "%s/file", folder);
    write_all(file, "x", 1);
    setenv("XDG_CACHE_HOME", file, 1);  /* no folder */
    tide_status status = machine_rates_write(&here, &kept, &f);
    if (status == TIDE_OK || !f.message[0]) fail_msg("a file was taken for a folder");
    setenv("XDG_CACHE_HOME", "relative", 1);  /* to be passed over, as the XDG rules say */
    setenv("HOME", folder, 1);
    path_of(&here, path);
    if (strncmp(path, folder, strlen(folder)) != 0 || !strstr(path, "/.cache/tidemill/machine-" TIDE_VERSION))
        fail_msg("unexpected path %s", path);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    EXPECT_INT("neither variable", machine_rates_path(&here, path, NULL), TIDE_EIO);
}

/* What others may have written is neither believed nor written to. */
static void test_folder_of_others(void **state) {
    const named  *c = &(named){ "a folder that others may write" };
    char          path[1024], own[80];
    tide_failure  f = { 0 };
    machine_rates got;
    (void)state;
    path_of(&here, path);
    EXPECT_INT("written", machine_rates_write(&here, &kept, &f), TIDE_OK);
    snprintf(own, sizeof own, "%s/tidemill", folder);
    chmod(own, 0777);
    EXPECT_INT("read", machine_rates_read(&here, &got, &f), TIDE_EIO);
    if (!strstr(f.message, "others may write it")) fail_msg("%s: it says \"%s\"", c->name, f.message);
    EXPECT_INT("written again", machine_rates_write(&here, &kept, NULL), TIDE_EIO);
    chmod(own, 0700);
    chmod(path, 0666);
    EXPECT_INT("a file that others may write", machine_rates_read(&here, &got, NULL), TIDE_EIO);
    chmod(path, 0600);
    EXPECT_INT("ours again", machine_rates_read(&here, &got, NULL), TIDE_OK);
}

static void test_busy(void **state) {
    static const struct { const char *name; double gflops, gbs; int threads; bool busy; } cases[] = {
        { "as before", 1, 1, 4, false },        { "a little slower", 0.8, 0.8, 4, false }, { "faster", 2, 2, 4, false },
        { "half the products", 0.5, 1, 4, true }, { "half the memory", 1, 0.5, 4, true },
        { "other threads", 0.5, 0.5, 2, false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        machine_rates now = kept;
        now.gflops[MACHINE_F32] *= cases[i].gflops, now.bandwidth_gbs *= cases[i].gbs, now.threads = cases[i].threads;
        if (machine_rates_busy(&now, &kept) != cases[i].busy)
            fail_msg("%s: expected %s", cases[i].name, cases[i].busy ? "busy" : "not busy");
    }
}

/* A real measurement: every rate within what any machine has. */
static void test_measure(void **state) {
    const named *c = &(named){ "measurement" };
    machine      m;
    machine_rates r;
    tide_failure f = { 0 };
    (void)state;
    machine_detect(NULL, &m);
    if (machine_measure(&m, &r, &f) != TIDE_OK) fail_msg("%s", f.message);
    EXPECT_INT("measured", r.measured, 1);
    EXPECT_INT("threads", r.threads, machine_threads(&m));
    const struct { const char *what; double value, low, high;
    } ranges[] = {
        { "f32 GFLOP/s", r.gflops[MACHINE_F32], 0.01, 1e6 },
        { "GB/s", r.bandwidth_gbs, 0.01, 1e5 },
        { "us a launch", r.launch_us, 0.001, 1e6 },
        { "seconds", r.took_s, 0.01, 60 },
    };
    for (int i = 0; i < 4; i++)
        if (!(ranges[i].value > ranges[i].low && ranges[i].value < ranges[i].high))
            fail_msg("%s: %g is not believable", ranges[i].what, ranges[i].value);
    EXPECT_INT("length of the date", strlen(r.measured_at), 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, make_cache, remove_folder),
        cmocka_unit_test_setup_teardown(test_other_machines, make_cache, remove_folder),
        cmocka_unit_test_setup_teardown(test_damage, make_cache, remove_folder),
        cmocka_unit_test_setup_teardown(test_folder_of_others, make_cache, remove_folder),
        cmocka_unit_test_setup_teardown(test_no_place, make_cache, remove_folder),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_measure),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
