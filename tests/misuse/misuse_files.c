/* Files and archives. */
#include "misuse.h"

#include <string.h>

/* A NULL path is an argument that is missing, said in words, not a failure of the system. */
static bool no_path(const trial *t, tide_status status) {
    return status == TIDE_EINVAL && t->failure.status == TIDE_EINVAL && strstr(t->failure.message, "no path");
}

static bool missing(const trial *t, tide_status status) { return status == TIDE_EINVAL && *t->failure.message; }

static tide_status put(void *user, void *file) { return (void)user, (void)file, TIDE_OK; }
static tide_archive into;
static tide_tensor  tensor;
static tide_table   table;
static void        *bytes;
static size_t       size;
static const char   path[] = "/nonexistent/folder/file";

static const tide_tensor unsound[] = {
    { .name = (char *)"a", .type = TIDE_F32, .shape = { 1, { 6 } } },
    { .name = (char *)"a", .type = NO_TYPE, .shape = { 1, { 6 } }, .data = (void *)"123456" },
    { .name = (char *)"a", .type = TIDE_U8, .shape = { .ndim = 9 }, .data = (void *)"123456" },
    { .name = NULL, .type = TIDE_U8, .shape = { 1, { 6 } }, .data = (void *)"123456" },
};

static bool all_refused(trial *t, tide_status (*write)(const tide_archive *a, tide_failure *failure)) {
    for (int i = 0; i < 4; i++) {
        tide_archive a = { .tensors = (tide_tensor *)&unsound[i], .count = 1 };
        t->failure = (tide_failure){ 0 };
        if (!missing(t, write(&a, &t->failure))) return false;
    }
    t->failure = (tide_failure){ 0 };
    return missing(t, write(&(tide_archive){ .count = 2 }, &t->failure)) &&
           write(&(tide_archive){ .metadata_count = -1 }, NULL) == TIDE_EINVAL;
}

static tide_status to_npz(const tide_archive *a, tide_failure *f) { return tide_npz_write(path, a, true, f); }
static tide_status to_pth(const tide_archive *a, tide_failure *f) { return tide_pth_write(path, a, f); }
static tide_status to_safetensors(const tide_archive *a, tide_failure *f) { return tide_safetensors_write(path, a, f); }

#define STALE_FILES(R)                                                                                                 \
    STALE(R, tide_npy_read, path, &tensor)                                                                             \
    STALE(R, tide_npy_write, path, NULL)                                                                               \
    STALE(R, tide_npz_read, path, &into)                                                                               \
    STALE(R, tide_npz_read_some, path, NULL, &into)                                                                    \
    STALE(R, tide_npz_write, path, &(tide_archive){ 0 }, true)                                                         \
    STALE(R, tide_safetensors_read, path, &into)                                                                       \
    STALE(R, tide_safetensors_write, path, &(tide_archive){ 0 })                                                       \
    STALE(R, tide_pth_read, path, &into)                                                                               \
    STALE(R, tide_pth_write, path, &(tide_archive){ 0 })                                                               \
    STALE(R, tide_save, TIDE_LIST(t->w), path)                                                                         \
    STALE(R, tide_load, TIDE_LIST(t->w), path)                                                                         \
    STALE(R, tide_csv_read, path, NULL, &table)                                                                        \
    STALE(R, tide_csv_take, strdup("a\n"), 2, path, NULL, &table)                                                      \
    STALE(R, tide_file_read, path, &bytes, &size)                                                                      \
    STALE(R, tide_file_replace, path, put, NULL)                                                                       \
    STALE(R, tide_file_sha256, path, (char[65]){ 0 })

#define READER(R, f, out)                                                                                              \
    R(f, 0, "no path", no_path(t, f(NULL, out, &t->failure)) && f(NULL, out, NULL) == TIDE_EINVAL)                     \
    R(f, 1, "nowhere to", missing(t, f(path, NULL, &t->failure)))                                                      \
    R(f, 2, "an empty path", f("", out, NULL) != TIDE_OK)

#define FILES(V, R)                                                                                                    \
    STALE_FILES(R)                                                                                                     \
    R(tide_archive_free, 0, "none", (tide_archive_free(NULL), true))                                                   \
    R(tide_archive_find, 0, "none, no name", !tide_archive_find(NULL, "a") && !tide_archive_find(&into, NULL))         \
    R(tide_archive_metadata, 0, "none, no key", !tide_archive_metadata(NULL, "a") && !tide_archive_metadata(&into,     \
        NULL))                                                                                                         \
    R(tide_archive_add, 0, "none", tide_archive_add(NULL, "a", TIDE_F32, TIDE_SHAPE(6), t->six) == TIDE_EINVAL)        \
    R(tide_archive_add, 1, "no name", tide_archive_add(&into, NULL, TIDE_F32, TIDE_SHAPE(6), t->six) == TIDE_EINVAL)   \
    R(tide_archive_add, 2, "no data", tide_archive_add(&into, "a", TIDE_F32, TIDE_SHAPE(6), NULL) == TIDE_EINVAL)      \
    R(tide_archive_add, 3, "type 99", tide_archive_add(&into, "a", NO_TYPE, TIDE_SHAPE(6), t->six) == TIDE_EINVAL)     \
    R(tide_archive_add, 4, "nine axes", tide_archive_add(&into, "a", TIDE_F32, NINE_AXES, t->six) == TIDE_EINVAL)      \
    R(tide_archive_add, 5, "too many elements", tide_archive_add(&into, "a", TIDE_F32, HUGE_SHAPE,                     \
        t->six) == TIDE_EINVAL)                                                                                        \
    R(tide_archive_set, 0, "none", tide_archive_set(NULL, "a", "b") == TIDE_EINVAL)                                    \
    R(tide_archive_set, 1, "no key, no value", tide_archive_set(&into, NULL, "b") == TIDE_EINVAL                       \
        && tide_archive_set(&into, "a", NULL) == TIDE_EINVAL)                                                          \
    READER(R, tide_npy_read, &tensor)                                                                                  \
    READER(R, tide_npz_read, &into)                                                                                    \
    READER(R, tide_pth_read, &into)                                                                                    \
    READER(R, tide_safetensors_read, &into)                                                                            \
    R(tide_npz_read_some, 0, "no path", no_path(t, tide_npz_read_some(NULL, NULL, &into, &t->failure)))                \
    R(tide_npz_read_some, 1, "nowhere to", missing(t, tide_npz_read_some(path, NULL, NULL, &t->failure)))              \
    R(tide_npy_write, 0, "no path", no_path(t, tide_npy_write(NULL, &(tide_tensor){ .shape = { 1, { 0 } } },           \
        &t->failure)))                                                                                                 \
    R(tide_npy_write, 1, "no array", missing(t, tide_npy_write(path, NULL, &t->failure)))                              \
    R(tide_npy_write, 2, "an array without data", missing(t, tide_npy_write(path, &unsound[0], &t->failure)))          \
    R(tide_npy_write, 3, "type 99", missing(t, tide_npy_write(path, &unsound[1], &t->failure)))                        \
    R(tide_npy_write, 4, "nine axes", missing(t, tide_npy_write(path, &unsound[2], &t->failure)))                      \
    R(tide_npz_write, 0, "no path", no_path(t, tide_npz_write(NULL, &(tide_archive){ 0 }, true, &t->failure)))         \
    R(tide_npz_write, 1, "no archive", missing(t, tide_npz_write(path, NULL, true, &t->failure)))                      \
    R(tide_npz_write, 2, "one that is not sound", all_refused(t, to_npz))                                              \
    R(tide_safetensors_write, 0, "no path", no_path(t, tide_safetensors_write(NULL, &(tide_archive){ 0 },              \
        &t->failure)))                                                                                                 \
    R(tide_safetensors_write, 1, "no archive", missing(t, tide_safetensors_write(path, NULL, &t->failure)))            \
    R(tide_safetensors_write, 2, "one that is not sound", all_refused(t, to_safetensors))                              \
    R(tide_pth_write, 0, "no path", no_path(t, tide_pth_write(NULL, &(tide_archive){ 0 }, &t->failure)))               \
    R(tide_pth_write, 1, "no archive", missing(t, tide_pth_write(path, NULL, &t->failure)))                            \
    R(tide_pth_write, 2, "one that is not sound", all_refused(t, to_pth))                                              \
    R(tide_save, 0, "no path", no_path(t, tide_save(TIDE_LIST(t->w), NULL, &t->failure)))                              \
    R(tide_save, 1, "no items", missing(t, tide_save(NO_ITEMS, path, &t->failure)))                                    \
    R(tide_save, 2, "no value", tide_save(TIDE_LIST(NOTHING), path, &t->failure) != TIDE_OK && *t->failure.message)    \
    R(tide_save, 3, "no node", missing(t, tide_save(TIDE_LIST(((tide_val){ t->g, 999, 0 })), path, &t->failure)))      \
    R(tide_load, 0, "no path", no_path(t, tide_load(TIDE_LIST(t->w), NULL, &t->failure)))                              \
    R(tide_load, 1, "no items", missing(t, tide_load(NO_ITEMS, path, &t->failure)))                                    \
    R(tide_csv_read, 0, "no path", no_path(t, tide_csv_read(NULL, NULL, &table, &t->failure)))                         \
    R(tide_csv_read, 1, "nowhere to", missing(t, tide_csv_read(path, NULL, NULL, &t->failure)))                        \
    R(tide_csv_take, 0, "no bytes", missing(t, tide_csv_take(NULL, 0, path, NULL, &table, &t->failure)))               \
    R(tide_csv_take, 1, "nowhere to", missing(t, tide_csv_take(strdup("a"), 1, path, NULL, NULL, &t->failure)))        \
    R(tide_table_free, 0, "none", (tide_table_free(NULL), true))                                                       \
    R(tide_file_read, 0, "no path", no_path(t, tide_file_read(NULL, &bytes, &size, &t->failure)))                      \
    R(tide_file_read, 1, "nowhere to", missing(t, tide_file_read(path, NULL, &size, &t->failure))                      \
        && tide_file_read(path, &bytes, NULL, NULL) == TIDE_EINVAL)                                                    \
    R(tide_file_replace, 0, "no path", no_path(t, tide_file_replace(NULL, put, NULL, &t->failure)))                    \
    R(tide_file_replace, 1, "no writer", missing(t, tide_file_replace(path, NULL, NULL, &t->failure)))                 \
    R(tide_file_sha256, 0, "no path", no_path(t, tide_file_sha256(NULL, (char[65]){ 0 }, &t->failure)))                \
    R(tide_file_sha256, 1, "nowhere to", missing(t, tide_file_sha256(path, NULL, &t->failure)))

MISUSE_TABLE(misuse_files, FILES)
