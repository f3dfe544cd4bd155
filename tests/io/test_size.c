/* Small files that claim much: what they unpack to is held against the memory of this process before any is taken. */
#include "check.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>


enum { PART = 64 << 20, ROOM = 100 << 20 };

typedef tide_status reader(const char *path, tide_failure *f);

static tide_status read_npz(const char *path, tide_failure *f) {
    tide_archive a;
    return tide_npz_read(path, &a, f);
}

static tide_status read_safetensors(const char *path, tide_failure *f) {
    tide_archive a;
    return tide_safetensors_read(path, &a, f);
}

static tide_status read_npy(const char *path, tide_failure *f) {
    tide_tensor t;
    return tide_npy_read(path, &t, f);
}

static tide_status read_csv(const char *path, tide_failure *f) {
    tide_table t;
    return tide_csv_read(path, NULL, &t, f);
}

/* Two arrays of zeros, one of which has room and both have not. */
static tide_status write_arrays(const char *path,
                                tide_status (*write)(const char *, const tide_archive *, tide_failure *),
                                tide_failure *f) {
    char *zeros = calloc(1, PART);
    tide_tensor t[2] = { { (char *)"a", TIDE_U8, TIDE_SHAPE(PART), zeros },
                         { (char *)"b", TIDE_U8, TIDE_SHAPE(PART), zeros } };
    tide_status status = write(path, &(tide_archive){ .tensors = t, .count = 2 }, f);
    free(zeros);
    return status;
}

static tide_status npz(const char *path, const tide_archive *a, tide_failure *f) {
    return tide_npz_write(path, a, true, f);
}

static void write_npy(const char *path) {
    char header[64], *zeros = calloc(1, 2 * PART);
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,)}", 2 * PART);
    bytes b = npy_file(1, header, zeros, 2 * PART);
    file_write(path, b);
    bytes_clear(&b);
    free(zeros);
}

static void write_csv(const char *path) {
    static char line[1 << 16];
    memset(line, 'x', sizeof line - 1), line[sizeof line - 1] = '\n';
    gzFile file = gzopen(path, "wb9");
    for (int i = 0; i < 2 * PART / (int)sizeof line; i++)
        assert_int_equal(gzwrite(file, line, sizeof line), sizeof line);
    assert_int_equal(gzclose(file), Z_OK);
}

static int64_t peak_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (int64_t)usage.ru_maxrss * 1024;
}

/* In a process of its own, under a limit that leaves ROOM. 0: refused, and the memory was not taken; else what went
 * wrong. */
static int read_within(const char *path, reader *read, int64_t most) {
    tide_failure f = { 0 };
    long long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%lld", &pages) != 1) return 77;
    fclose(statm);
    rlim_t limit = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ROOM;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){ limit, limit })) return 77;
    int64_t before = peak_bytes();
    if (read(path, &f) != TIDE_ENOMEM) return 1;
    if (!strstr(f.message, "this process may use")) return 2;
    return peak_bytes() - before > most ? 3 : 0;
}

static void expect_refused(const char *what, const char *path, reader *read, int64_t most) {
#ifdef __SANITIZE_ADDRESS__
    return; /* it takes terabytes of address space */
#endif
    int code;
    pid_t child = fork();
    if (child == 0) _exit(read_within(path, read, most));
    assert_int_equal(waitpid(child, &code, 0), child);
    if (WIFEXITED(code) && WEXITSTATUS(code) == 77) return;
    static const char *const faults[] = { "", "not refused for memory", "refused when memory was out",
                                          "much memory was taken before" };
    if (!WIFEXITED(code) || WEXITSTATUS(code))
        fail_msg("%s: %s", what, WIFEXITED(code) && WEXITSTATUS(code) < 4 ? faults[WEXITSTATUS(code)] : "crashed");
}

static void test_claims(void **state) {
    enum { LITTLE = 16 << 20 };
    tide_failure f = { 0 };
    const char *path = temporary(".npz");
    (void)state;
    check_ok("npz", write_arrays(path, npz, &f), &f);
    expect_refused("npz", path, read_npz, LITTLE);
    files_remove();
    path = temporary(".safetensors");
    check_ok("safetensors", write_arrays(path, tide_safetensors_write, &f), &f);
    expect_refused("safetensors", path, read_safetensors, LITTLE);
    files_remove();
    path = temporary(".npy");
    write_npy(path);
    expect_refused("npy", path, read_npy, LITTLE);
    files_remove();
    path = temporary(".csv.gz");
    write_csv(path);
    expect_refused("csv.gz", path, read_csv, ROOM);
    files_remove();
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(test_claims, remove_files) };
    return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
