/* Replacing files as a whole, the full disk, and checksums. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static tide_status write_word(void *user, void *stdio_file) {
    const char *word = user;
    return fwrite(word, 1, strlen(word), stdio_file) == strlen(word) ? TIDE_OK : TIDE_EIO;
}

static tide_status give_up(void *user, void *stdio_file) {
    write_word(user, stdio_file);
    return TIDE_ECANCELLED;
}

/* More than stdio buffers, so that the refusal arrives in the middle. */
static tide_status write_much(void *user, void *stdio_file) {
    char block[4096] = { 0 };
    (void)user;
    for (int i = 0; i < 256; i++)
        if (fwrite(block, 1, sizeof block, stdio_file) != sizeof block) return TIDE_EIO;
    return TIDE_OK;
}

static void check_content(const char *path, const char *wanted) {
    bytes b = file_read(path);
    assert_int_equal(b.length, strlen(wanted));
    if (b.length) assert_memory_equal(b.data, wanted, (size_t)b.length);
    bytes_clear(&b);
}

static void test_replaces(void **state) {
    (void)state;
    const char *path = temporary("target"), *link = temporary("link");
    tide_failure f = { 0 };
    struct stat info;
    files_remove();
    check_ok("new", tide_file_replace(path, write_word, (void *)(uintptr_t) "one", &f), &f);
    check_content(path, "one");
    assert_int_equal(chmod(path, 0600), 0);
    check_ok("again", tide_file_replace(path, write_word, (void *)(uintptr_t) "two", &f), &f);
    check_content(path, "two");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);

    assert_int_equal(symlink(path, link), 0);
    check_ok("link", tide_file_replace(link, write_word, (void *)(uintptr_t) "three", &f), &f);
    check_content(path, "three");
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(files_left(), 2);
}

/* A name as long as a name can be, twice: what is written meanwhile has one too. */
static void test_longest_name(void **state) {
    (void)state;
    char         path[1024];
    tide_failure f = { 0 };
    files_remove();
    snprintf(path, sizeof path, "%s", temporary(""));
    const char *name = strrchr(path, '/') + 1;
    while (strlen(name) < 255) strcat(path, "x");
    check_ok("new", tide_file_replace(path, write_word, (void *)(uintptr_t) "one", &f), &f);
    check_ok("again", tide_file_replace(path, write_word, (void *)(uintptr_t) "two", &f), &f);
    check_content(path, "two");
    assert_int_equal(files_left(), 1);
}

static void test_gives_up(void **state) {
    (void)state;
    const char *path = temporary("target");
    tide_failure f = { 0 };
    file_write(path, (bytes){ (unsigned char *)(uintptr_t) "old", 3 });
    int before = files_left();
    check_failure("cancelled", tide_file_replace(path, give_up, (void *)(uintptr_t) "new", &f), &f, TIDE_ECANCELLED,
                  "nothing was changed");
    check_content(path, "old");
    assert_int_equal(files_left(), before);
}

static void test_refused(void **state) {
    (void)state;
    tide_failure f = { 0 };
    const char *path = temporary("no/such/folder");
    check_failure("folder absent", tide_file_replace(path, write_word, (void *)(uintptr_t) "x", &f), &f, TIDE_EIO,
                  "cannot write this file: no such file or folder");
    assert_string_equal(f.file, path);
    f = (tide_failure){ 0 };
    check_failure("folder", tide_file_replace("/", write_word, (void *)(uintptr_t)"x", &f), &f, TIDE_EIO,
                  "it is a folder");
    f = (tide_failure){ 0 };
    check_ok("device", tide_file_replace("/dev/null", write_word, (void *)(uintptr_t) "x", &f), &f);
    if (access("/dev/full", W_OK) == 0)
        check_failure("full", tide_file_replace("/dev/full", write_word, (void *)(uintptr_t) "x", &f), &f, TIDE_EIO,
                      "cannot write this file: the disk is full");
    tide_archive a = { 0 };
    f = (tide_failure){ 0 };
    tide_archive_add(&a, "x", TIDE_U8, TIDE_SCALAR, "x");
    check_failure("npz", tide_npz_write("/dev/null", &a, false, &f), &f, TIDE_EIO, "pipe or a device");
    tide_archive_free(&a);
}

/* ---- a disk with 64 KiB left --------------------------------------------------------------------------- */

static void with_limit(void (*body)(void)) {
    struct rlimit old, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 65536;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    body();
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
}

static tide_status write_npz(const char *path, const tide_archive *a, tide_failure *f) {
    return tide_npz_write(path, a, false, f);
}
static tide_status write_npy(const char *path, const tide_archive *a, tide_failure *f) {
    return tide_npy_write(path, a->tensors, f);
}
static tide_status write_raw(const char *path, const tide_archive *a, tide_failure *f) {
    (void)a;
    return tide_file_replace(path, write_much, NULL, f);
}

static void check_disk_full(void) {
    static tide_status (*const writers[])(const char *, const tide_archive *, tide_failure *) = {
        write_raw, write_npy, write_npz, tide_safetensors_write,
    };
    static unsigned char data[1 << 20];
    const char *path = temporary("target");
    tide_archive a = { 0 };
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * i >> 3);
    tide_archive_add(&a, "x", TIDE_U8, TIDE_SHAPE(sizeof data), data);
    file_write(path, (bytes){ (unsigned char *)(uintptr_t) "old", 3 });
    int before = files_left();
    for (int i = 0; i < 4; i++) {
        tide_failure f = { 0 };
        tide_status status = writers[i](path, &a, &f);
        check_failure("disk full", status, &f, TIDE_EIO, "cannot write this file: it would be larger than the limit");
        assert_string_equal(f.file, path);
        check_content(path, "old");
        assert_int_equal(files_left(), before);
    }
    tide_archive_free(&a);
}

static void test_disk_full(void **state) {
    (void)state;
    with_limit(check_disk_full);
}

/* ---- checksums ----------------------------------------------------------------------------------------- */

static void check_sum(const char *text, int64_t length, const char *wanted) {
    char hex[65];
    tide_failure f = { 0 };
    const char *path = temporary("sum");
    file_write(path, (bytes){ (unsigned char *)(uintptr_t)text, length });
    check_ok("sum", tide_file_sha256(path, hex, &f), &f);
    assert_string_equal(hex, wanted);
}

/* The examples of FIPS 180-4, and lengths around the end of a block. */
static void test_sha256(void **state) {
    (void)state;
    static char million[1000000];
    memset(million, 'a', sizeof million);
    check_sum("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_sum("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check_sum(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check_sum(million, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    check_sum(million, 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34");
    check_sum(million, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    char hex[65] = "x";
    tide_failure f = { 0 };
    check_failure("absent", tide_file_sha256(temporary("absent"), hex, &f), &f, TIDE_EDATA, "no such file");
    assert_string_equal(hex, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replaces),  cmocka_unit_test(test_gives_up), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_longest_name),
        cmocka_unit_test(test_disk_full), cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests_name("replacing files", tests, NULL, remove_files);
}
