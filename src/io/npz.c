/* numpy's archives: a ZIP of arrays. Reading takes what is wanted member by member; writing stores or deflates them
 * into one new file. */
#include <errno.h>
#include <stdlib.h>

#include "../base/base.h"
#include "archive.h"
#include "npy.h"
#include "replace.h"
#include "zip_in.h"
#include "zip_out.h"

/* ---- reading ------------------------------------------------------------------------------------------- */

/* "x" of "x.npy"; NULL if it has another ending or memory is short. */
static char *array_name(const char *member, tide_status *status) {
    size_t length = strlen(member);
    *status = TIDE_EDATA;
    if (length < 4 || strcmp(member + length - 4, ".npy") != 0) return NULL;
    char *name = strndup(member, length - 4);
    *status = name ? TIDE_OK : TIDE_ENOMEM;
    return name;
}

static tide_status read_member(const zip_in *z, int64_t i, tide_archive *out, tide_failure *f) {
    tide_tensor t = { 0 };
    tide_status status;
    source s;
    const char *member = zip_in_name(z, i);
    t.name = array_name(member ? member : "", &status);
    if (status == TIDE_ENOMEM) return memory_fail(f, z->path, 1);
    if (status)
        return fail_at(f, status, z->path, 0, NULL, "member '%.80s' is not an array: names that end in .npy are "
                                                    "accepted",
                       member ? member : "");
    status = member_open(z, i, t.name, &s, f);
    if (!status) status = member_close(&s, npy_read(&s, &t, f), f);
    if (status) {
        tensor_free(&t);
        return status;
    }
    return archive_take(out, &t) ? memory_fail(f, z->path, 1) : TIDE_OK;
}

/* Whether this member is one of `wanted`; NULL: all are. */
static bool is_wanted(const char *member, const char *const *wanted) {
    for (int i = 0; member && wanted && wanted[i]; i++) {
        size_t length = strlen(wanted[i]);
        if (strncmp(member, wanted[i], length) == 0 && strcmp(member + length, ".npy") == 0) return true;
    }
    return !wanted;
}

/* Closes the archive. */
static tide_status read_members(zip_in *opened, const char *const *wanted, tide_archive *out, tide_failure *failure) {
    zip_in z = *opened;
    const char *path = z.path;
    int64_t bytes = 0;
    for (int64_t i = 0; i < z.count; i++)
        if (is_wanted(zip_in_name(&z, i), wanted)) bytes += zip_in_size(&z, i);
    tide_status status = size_checked(path, bytes, failure);
    for (int64_t i = 0; i < z.count && !status; i++)
        if (is_wanted(zip_in_name(&z, i), wanted)) status = read_member(&z, i, out, failure);
    zip_in_close(&z);
    if (!status) {
        const char *name = archive_duplicate(out, &status);
        if (status) memory_fail(failure, path, out->count);
        if (name) status = fail_at(failure, TIDE_EDATA, path, 0, NULL, "array '%.80s' is in this file twice", name);
    }
    if (status) tide_archive_free(out);
    return status;
}

tide_status tide_npz_read_some(const char *path, const char *const *wanted, tide_archive *out, tide_failure *failure) {
    failure_clear(failure);
    zip_in z;
    if (!out) return argument_fail(failure, path, "archive to read into");
    *out = (tide_archive){ 0 };
    tide_status status = zip_in_open(&z, path, "a .npz file", failure);
    return status ? status : read_members(&z, wanted, out, failure);
}

tide_status tide_npz_read_memory(const void *bytes, size_t size, tide_archive *out, tide_failure *failure) {
    failure_clear(failure);
    zip_in z;
    if (!out) return argument_fail(failure, MEMORY_NAME, "archive to read into");
    *out = (tide_archive){ 0 };
    tide_status status = zip_in_open_memory(&z, bytes, size, "a .npz file", failure);
    return status ? status : read_members(&z, NULL, out, failure);
}

tide_status tide_npz_read(const char *path, tide_archive *out, tide_failure *failure) {
    return tide_npz_read_some(path, NULL, out, failure);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

typedef struct npz_writer {
    const tide_archive *archive;
    char (*headers)[NPY_HEADER_MAX];
    bool deflate;
} npz_writer;

static bool add_members(void *user, zip_t *zip) {
    const npz_writer *w = user;
    bool added = true;
    for (int64_t i = 0; i < w->archive->count && added; i++) {
        char name[1024], *header = w->headers[i];
        const tide_tensor *t = &w->archive->tensors[i];
        zip_buffer_fragment_t parts[2] = {
            { (zip_uint8_t *)header, (zip_uint64_t)npy_header_write(header, t) },
            { t->data, (zip_uint64_t)tide_shape_count(t->shape) * tide_dtype_size(t->type) },
        };
        snprintf(name, sizeof name, "%s.npy", t->name);
        added = zip_out_add(zip, name, parts, parts[1].length ? 2 : 1, w->deflate);
    }
    return added;
}

/* libzip removes an archive without members instead of writing it. */
static tide_status write_empty_zip(const char *temporary, const char *path, tide_failure *f) {
    static const char end[22] = "PK\5\6";
    FILE *file = fopen(temporary, "wb");
    if (!file) return system_fail(f, path, "write", errno);
    bool written = fwrite(end, 1, sizeof end, file) == sizeof end;
    written = fclose(file) == 0 && written;
    return written ? TIDE_OK : system_fail(f, path, "write", errno);
}

static tide_status write_zip(void *user, const char *temporary, const char *path, tide_failure *f) {
    const npz_writer *w = user;
    if (w->archive->count == 0) return write_empty_zip(temporary, path, f);
    return zip_out_write(add_members, user, temporary, path, f);
}

static tide_status check_writable(const tide_archive *a, const char *path, tide_failure *f) {
    tide_status status;
    const char *twice = archive_duplicate(a, &status);
    if (status) return memory_fail(f, path, a->count);
    if (twice) return fail_at(f, TIDE_EINVAL, path, 0, NULL, "array '%.80s' would be in this file twice", twice);
    for (int64_t i = 0; i < a->count; i++) {
        char header[NPY_HEADER_MAX];
        const tide_tensor *t = &a->tensors[i];
        if (npy_header_write(header, t) == 0)
            return fail_at(f, TIDE_ETYPE, path, 0, NULL,
                           "array '%.80s' is bf16, which numpy does not have: cast it to f32, or write a .safetensors "
                           "file",
                           t->name);
        if (strlen(t->name) > 1000)
            return fail_at(f, TIDE_EINVAL, path, 0, NULL, "the array name '%.40s...' is too long; 1000 bytes are "
                                                          "accepted",
                           t->name);
    }
    return TIDE_OK;
}

tide_status tide_npz_write(const char *path, const tide_archive *a, bool deflate, tide_failure *failure) {
    failure_clear(failure);
    tide_status status = archive_checked(a, path, failure);
    if (!status) status = check_writable(a, path, failure);
    if (status) return status;
    npz_writer w = { a, bytes_new(a->count * NPY_HEADER_MAX), deflate };
    if (!w.headers) return memory_fail(failure, path, a->count * NPY_HEADER_MAX);
    status = replace_path(path, write_zip, &w, failure);
    free(w.headers);
    return status;
}
