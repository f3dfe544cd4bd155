/* Shards and CSV: what is written is what was computed; killed, spoiled and full. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <jansson.h>
#include <tidemill/io.h>

#include "eis/dataset/md5.h"
#include "eis/dataset/shard.h"
#include "../folder.h"
#include "support.h"

/* 32768 rows of each, 32 a shard: the last is shorter. One thread where a process is forked, which has none of its
 * parent's. */
#define THREE_SHARDS "points", "8", "n_ground_truths", "70", "profile", "generator"
static const char *const three_shards[] = { THREE_SHARDS, NULL }, *const by_one_thread[] = { THREE_SHARDS, "n_workers",
                                                                                             "1", NULL };
enum { SHARDS = 3 };

static void empty(const char *folder) {
    char command[1100];
    snprintf(command, sizeof command, "rm -rf '%s'/* '%s/.tidemill'", folder, folder);
    if (system(command)) fail_msg("%s", command);
}

static int count_files(const char *folder) {
    DIR *dir = opendir(folder);
    int  count = 0;
    for (struct dirent *e; (e = readdir(dir));) count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

static tide_status generate(const char *folder, const char *const *words, const char *key, const char *value,
                            eis_listener listener,
                            void *user, tide_failure *failure) {
    eis_options o;
    eis_result  r = { 0 };
    eis_options_default(&o);
    *failure = (tide_failure){ 0 };
    for (; *words; words += 2)
        if (eis_option_set(&o, words[0], words[1], failure) != TIDE_OK) fail_msg("%s", failure->message);
    if (key && eis_option_set(&o, key, value, failure) != TIDE_OK) fail_msg("%s", failure->message);
    if (eis_option_set(&o, "data_dir", folder, failure) != TIDE_OK) fail_msg("%s", failure->message);
    tide_status status = eis_generate(&o, listener, user, &r, failure);
    if (status == TIDE_OK) expect_has(r.json, "\"written\"");
    eis_result_free(&r);
    return status;
}

static void must(const char *folder, const char *const *words, const char *key, const char *value) {
    tide_failure failure;
    if (generate(folder, words, key, value, NULL, NULL, &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void must_not(const char *folder, const char *const *words, const char *key, const char *value,
                     tide_status status, const char *part) {
    tide_failure failure;
    tide_status  got = generate(folder, words, key, value, NULL, NULL, &failure);
    if (got != status)
        fail_msg("expected %s, got %s: %s", tide_status_name(status), tide_status_name(got), failure.message);
    expect_has(failure.message, part);
}

static const char *shard_path(const char *folder, int i) {
    static char path[256];
    snprintf(path, sizeof path, "%s/shard-%05d.tmshard", folder, i);
    return path;
}

static void sums(const char *folder, char hex[SHARDS][65]) {
    tide_failure failure = { 0 };
    for (int i = 0; i < SHARDS; i++)
        if (tide_file_sha256(shard_path(folder, i), hex[i], &failure) != TIDE_OK) fail_msg("%s", failure.message);
}

static void expect_sums(const char *folder, char expected[SHARDS][65]) {
    char got[SHARDS][65];
    sums(folder, got);
    for (int i = 0; i < SHARDS; i++) assert_string_equal(got[i], expected[i]);
}

/* ---- round trips ---- */

static void check_rows(const shard *s, const char *dtype, eis_circuit circuit, int64_t frequencies, double low_hz,
                       double decades) {
    double f[100];
    eis_z  data[100], model[100];
    for (int64_t i = 0; i < frequencies; i++) f[i] = low_hz * pow(10, decades * (double)i / (double)(frequencies - 1));
    for (int64_t truth = 0; truth < s->truths; truth += 7)
        for (int64_t row = truth % 5; row < s->rows; row += 41) {
            double p[EIS_COUNT];
            for (int k = 0; k < EIS_COUNT; k++) p[k] = eis_grid_value(k, s->index[k][row], 4);
            eis_impedance(circuit, s->truth[truth].p, 0, frequencies, f, data);
            eis_impedance(circuit, p, 0, frequencies, f, model);
            /* The grid's own ground truths: both sums are 0 but for the last bits of impedances of ten thousand ohm. */
            double expected = eis_resnorm(EIS_MEAN_ABS, frequencies, f, data, model, 0),
                   got = shard_value(s, truth, row);
            if (fabs(got - expected) > 1e-9 + (s->single ? 1e-7 : 1e-12) * expected)
                fail_msg("%s row %lld: expected %.17g, got %.17g", dtype, (long long)row, expected, got);
        }
}

static void check_round_trip(const char *folder, const char *dtype, const char *profile, int64_t rows,
                             eis_circuit circuit, int64_t frequencies, double low_hz) {
    const char *words[] = { "points", "4", "n_ground_truths", "30", "profile", profile, NULL };
    shard        s;
    tide_failure failure = { 0 };
    empty(folder);
    must(folder, words, "dtype", dtype);
    if (shard_open(shard_path(folder, 0), &s, &failure) != TIDE_OK || shard_check(&s, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    assert_int_equal(s.rows, rows);
    assert_int_equal(s.truths, 30);
    assert_string_equal(s.truth[0].id, "lhs_0000");
    check_rows(&s, dtype, circuit, frequencies, low_hz, 6);
    shard_close(&s);
}

static void test_round_trip(void **state) {
    check_round_trip(*state, "f32", "app", 4 * 136, EIS_SHUNT, 100, 0.1);
    check_round_trip(*state, "f64", "app", 4 * 136, EIS_SHUNT, 100, 0.1);
    check_round_trip(*state, "f64", "generator", 1024, EIS_CHAIN, 50, 1);
}

static void test_threads(void **state) {
    char one[SHARDS][65];
    must(*state, three_shards, "n_workers", "1");
    sums(*state, one);
    assert_int_equal(count_files(*state), SHARDS + 1);
    empty(*state);
    must(*state, three_shards, "n_workers", "2");
    expect_sums(*state, one);
}

/* ---- going on ---- */

static void test_resume(void **state) {
    char   all[SHARDS][65];
    struct stat before, after;
    must(*state, three_shards, NULL, NULL);
    sums(*state, all);
    stat(shard_path(*state, 0), &before);
    unlink(shard_path(*state, SHARDS - 1));
    must(*state, three_shards, NULL, NULL);
    expect_sums(*state, all);
    stat(shard_path(*state, 0), &after);
    assert_true(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    must_not(*state, three_shards, "resnorm", "sse", TIDE_EINVAL, "its resnorm is \"mean-abs\" and yours \"sse\"");
    must_not(*state, three_shards, "seed", "7", TIDE_EINVAL, "its seed is 42 and yours 7");
    must_not(*state, three_shards, "dtype", "f64", TIDE_EINVAL, "its dtype is \"f32\"");
}

/* Killed while it writes. */
static void test_killed(void **state) {
    char   all[SHARDS][65];
    pid_t  child = fork();
    if (child == 0) {
        tide_failure failure;
        _exit(generate(*state, by_one_thread, NULL, NULL, NULL, NULL, &failure));
    }
    for (int i = 0; i < 60000 && access(shard_path(*state, 0), F_OK) != 0; i++) usleep(500);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(access(shard_path(*state, 0), F_OK), 0);
    char left[300], stranger[300]; /* as a writer that was killed leaves it, and what is only called like that */
    snprintf(left, sizeof left, "%s/.tidemill/t-999999999-0", (const char *)*state);
    snprintf(stranger, sizeof stranger, "%s.tmp-999999999-0", shard_path(*state, 1));
    fclose(fopen(left, "w"));
    fclose(fopen(stranger, "w"));
    must(*state, by_one_thread, NULL, NULL);
    assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(unlink(stranger), 0);
    assert_int_equal(count_files(*state), SHARDS + 1);
    sums(*state, all);
    empty(*state);
    must(*state, by_one_thread, NULL, NULL);
    expect_sums(*state, all);
}

static int stop(void *user, const eis_event *event) {
    snprintf(user, 128, "%s", event->message);
    return 1;
}

static void test_stopped(void **state) {
    char         line[128] = "";
    tide_failure failure;
    assert_int_equal(generate(*state, three_shards, NULL, NULL, stop, line, &failure), TIDE_ECANCELLED);
    expect_has(line, "2293760 rows, ");
    assert_true(access(shard_path(*state, 0), F_OK) != 0);
}

/* ---- spoiled ---- */

static void spoil(const char *path, long at) {
    FILE *file = fopen(path, "r+b");
    fseek(file, at, at < 0 ? SEEK_END : SEEK_SET);
    int byte = fgetc(file);
    fseek(file, -1, SEEK_CUR);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void test_spoiled(void **state) {
    static const char *const words[] = { "points", "3", "n_ground_truths", "20", NULL };
    static const struct { long at; const char *part; } cases[] = {
        { -1, "column \"resnorm grid_0002\" is corrupted" }, { 3, "does not begin with" },
        { 70, "the header is corrupted" }, { 8, "version 0" },
    };
    const char *path = shard_path(*state, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unlink(path);
        must(*state, words, NULL, NULL);
        spoil(path, cases[i].at);
        must_not(*state, words, NULL, NULL, TIDE_EDATA, cases[i].part);
        must_not(*state, words, NULL, NULL, TIDE_EDATA, "shard-00000.tmshard");
    }
}

/* At every length it is refused, and nothing past the end is read. */
static void test_truncated(void **state) {
    static const char *const words[] = { "points", "2", "n_ground_truths", "3", NULL };
    struct stat info;
    must(*state, words, NULL, NULL);
    stat(shard_path(*state, 0), &info);
    for (long length = info.st_size - 1; length >= 0; length -= length > 100 ? 37 : 1) {
        shard        s;
        tide_failure failure = { 0 };
        assert_int_equal(truncate(shard_path(*state, 0), length), 0);
        assert_int_equal(shard_open(shard_path(*state, 0), &s, &failure), TIDE_EDATA);
        expect_has(failure.message, "shard-00000.tmshard");
    }
}

static void test_full(void **state) {
    pid_t child = fork();
    int   code;
    if (child == 0) {
        tide_failure  failure;
        struct rlimit limit = { 100000, 100000 };
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        tide_status status = generate(*state, by_one_thread, NULL, NULL, NULL, NULL, &failure);
        _exit(status == TIDE_EIO && strstr(failure.file, "shard-00000") ? 0 : 1);
    }
    waitpid(child, &code, 0);
    assert_int_equal(code, 0);
    assert_int_equal(count_files(*state), 1); /* the manifest alone, no part of a shard */
}

/* A little more than is free. */
static void test_no_room(void **state) {
    enum { BYTES_EACH = 24 * (576 * 577 / 2) * 8 };
    struct statvfs disk;
    char           count[32];
    if (statvfs(*state, &disk) != 0 || (double)disk.f_bavail * (double)disk.f_frsize > 1e12) skip();
    snprintf(count, sizeof count, "%.0f", 1.2 * (double)disk.f_bavail * (double)disk.f_frsize / BYTES_EACH + 1);
    must_not(*state, (const char *[]){ "points", "24", "dtype", "f64", NULL }, "n_ground_truths", count, TIDE_EIO,
             "lower `n-ground-truths`");
    assert_int_equal(count_files(*state), 0);
}

/* ---- CSV ---- */

static void test_md5(void **state) {
    char hex[33];
    (void)state;
    md5_hex("", 0, hex);
    assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
    md5_hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890", 80, hex);
    assert_string_equal(hex, "57edf4a22be3c955ac49da2e2107b67a");
}

static void test_csv(void **state) {
    char         path[256];
    tide_table   t       = { 0 };
    tide_failure failure = { 0 };
    const char  *words[] = { "points", "4", "n_ground_truths", "5", "profile", "generator", "format", "csv", NULL };
    must(*state, words, "n_workers", "2");
    snprintf(path, sizeof path, "%s/combined_dataset_5gt.csv", (const char *)*state);
    if (tide_csv_read(path, NULL, &t, &failure) != TIDE_OK) fail_msg("%s", failure.message);
    assert_int_equal(t.rows, 5 * 1025);
    assert_int_equal(t.columns, 8);
    assert_string_equal(t.header[2], "Rsh (\xce\xa9)");
    assert_int_equal(strncmp(t.cells[0], "reference_", 10), 0);
    assert_string_equal(t.cells[1], "0.0");
    assert_string_equal(t.cells[8], "model_01_01_01_01_01");
    assert_string_equal(t.cells[8 * 1024], "model_04_04_04_04_04");
    assert_string_equal(t.cells[8 * 1025 + 7], "lhs_0001");
    tide_table_free(&t);
    snprintf(path, sizeof path, "%s/ground_truth_metadata.json", (const char *)*state);
    json_t *list = json_load_file(path, 0, NULL);
    assert_int_equal(json_array_size(list), 5);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 4), "id")), "grid_0001");
    json_decref(list);
    assert_int_equal(count_files(*state), 3);
}

static int keep(void *user, const eis_event *event) {
    if (strstr(event->message, "taken as chain")) *(bool *)user = true;
    return 0;
}

/* Its own CSV comes back as the same data; one of another circuit is refused by its first row. */
static void test_import(void **state) {
    char         path[256], shards[300];
    bool         said  = false;
    tide_failure failure = { 0 };
    const char  *make[]  = { "points", "4", "n_ground_truths", "5", "profile", "generator", "format", "csv", NULL };
    snprintf(path, sizeof path, "%s/combined_dataset_5gt.csv", (const char *)*state);
    snprintf(shards, sizeof shards, "%s/shards", (const char *)*state);
    const char *take[] = { "points", "4", "profile", "generator", NULL };
    must(*state, make, NULL, NULL);
    if (generate(shards, take, "ground_truths", path, keep, &said, &failure) != TIDE_OK)
        fail_msg("%s", failure.message);
    assert_true(said);
    assert_int_equal(count_files(shards), 2);
    empty(shards);
    must_not(shards, (const char *[]){ "points", "4", NULL }, "ground_truths", path, TIDE_EINVAL,
             "add `profile` generator");
    must(*state, (const char *[]){ "points", "4", "n_ground_truths", "5", "format", "csv", NULL }, "resnorm", "sse");
    must_not(shards, take, "ground_truths", path, TIDE_EDATA, "line 3: its resnorm is");
    FILE *file = fopen(path, "w");
    fputs("Model ID,Resnorm,Rsh,Ra,Rb,Ca,Cb,Ground Truth ID\nreference_0,0,10,10,10,1e-7,0,x\n", file);
    fclose(file);
    must_not(shards, take, "ground_truths", path, TIDE_EDATA, "line 2: the resnorm and the five values");
    rmdir(shards);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_killed),  TEST(test_full),      TEST(test_round_trip), TEST(test_threads), TEST(test_resume),
        TEST(test_stopped),
        TEST(test_spoiled), TEST(test_truncated), TEST(test_no_room),    TEST(test_csv),     TEST(test_import),
        cmocka_unit_test(test_md5),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
