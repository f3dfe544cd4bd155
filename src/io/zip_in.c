/* ZIP through libzip, read with suspicion: sizes are compared with the file's before memory is taken. */
#include "zip_in.h"

#include <inttypes.h>

#include "../base/base.h"

enum { DEFLATE_RATIO = 1032 };  /* 258 bytes from 2 bits: deflate cannot do better */

static tide_status check_member(const zip_in *z, int64_t i, int64_t *packed_left, int64_t *size, tide_failure *f) {
    zip_stat_t s;
    static const zip_uint64_t needed = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_NAME;
    if (zip_stat_index(z->zip, (zip_uint64_t)i, 0, &s) != 0 || (s.valid & needed) != needed)
        return fail_at(f, TIDE_EDATA, z->path, 0, NULL,
                       "this ZIP archive is damaged: member %" PRId64 " cannot be described", i + 1);
    if ((s.valid & ZIP_STAT_ENCRYPTION_METHOD) && s.encryption_method != ZIP_EM_NONE)
        return fail_at(f, TIDE_EDATA, z->path, 0, NULL, "member '%.80s' is encrypted; only plain members are accepted",
                       s.name);
    if (s.comp_method != ZIP_CM_STORE && s.comp_method != ZIP_CM_DEFLATE)
        return fail_at(f, TIDE_EDATA, z->path, 0, NULL,
                       "member '%.80s' is packed with method %d; stored and deflated members are accepted", s.name,
                       s.comp_method);
    if (s.comp_size > (zip_uint64_t)*packed_left || s.size / DEFLATE_RATIO > s.comp_size ||
        (s.comp_method == ZIP_CM_STORE && s.size != s.comp_size))
        return fail_at(f, TIDE_EDATA, z->path, 0, NULL, "member '%.80s' claims %" PRIu64 " bytes, which this file "
                                                                                         "cannot hold",
                       s.name, (uint64_t)s.size);
    *packed_left -= (int64_t)s.comp_size;
    *size = (int64_t)s.size;
    return TIDE_OK;
}

static tide_status not_opened(zip_in *z, int code, const char *wanted, tide_failure *f) {
    if (code == ZIP_ER_MEMORY)
        return fail_at(f, TIDE_ENOMEM, z->path, 0, NULL, "out of memory opening this ZIP archive");
    if (code == ZIP_ER_NOZIP)
        return fail_at(f, TIDE_EDATA, z->path, 0, NULL, "this is not %s: it is no ZIP archive", wanted);
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    fail_at(f, TIDE_EDATA, z->path, 0, NULL, "this ZIP archive is damaged: %s", zip_error_strerror(&error));
    zip_error_fini(&error);
    return TIDE_EDATA;
}

static tide_status open_archive(zip_in *z, const char *wanted, tide_failure *f) {
    int code = 0;
    z->zip = zip_open(z->path, ZIP_RDONLY, &code);
    return z->zip ? TIDE_OK : not_opened(z, code, wanted, f);
}

static tide_status open_bytes(zip_in *z, const void *bytes, size_t size, const char *wanted, tide_failure *f) {
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *from = zip_source_buffer_create(bytes, size, 0, &error);
    z->zip = from ? zip_open_from_source(from, ZIP_RDONLY, &error) : NULL;
    int code = zip_error_code_zip(&error);
    zip_error_fini(&error);
    if (z->zip) return TIDE_OK;
    zip_source_free(from);
    return not_opened(z, code, wanted, f);
}

static tide_status check_members(zip_in *z, int64_t packed_left, tide_failure *f) {
    tide_status status = TIDE_OK;
    int64_t size = 0;
    z->count = zip_get_num_entries(z->zip, 0);
    for (int64_t i = 0; i < z->count && !status; i++) {
        status = check_member(z, i, &packed_left, &size, f);
        if (!status) z->bytes += size;
    }
    if (status) zip_in_close(z);
    return status;
}

tide_status zip_in_open_memory(zip_in *z, const void *bytes, size_t size, const char *wanted, tide_failure *f) {
    *z = (zip_in){ .path = MEMORY_NAME };
    tide_status status = memory_checked(bytes, size, f);
    if (!status && !size) status = fail_at(f, TIDE_EDATA, z->path, 0, NULL, "there are no bytes; %s is needed", wanted);
    if (!status) status = open_bytes(z, bytes, size, wanted, f);
    return status ? status : check_members(z, (int64_t)size, f);
}

tide_status zip_in_open(zip_in *z, const char *path, const char *wanted, tide_failure *f) {
    FILE *file;
    int64_t packed_left;
    *z = (zip_in){ .path = path };
    tide_status status = file_open(path, &file, &packed_left, f);
    if (status) return status;
    fclose(file);
    if (packed_left == 0) return fail_at(f, TIDE_EDATA, path, 0, NULL, "this file is empty; %s is needed", wanted);
    status = open_archive(z, wanted, f);
    return status ? status : check_members(z, packed_left, f);
}

void zip_in_close(zip_in *z) {
    if (z->zip) zip_discard(z->zip);
    z->zip = NULL;
}

const char *zip_in_name(const zip_in *z, int64_t i) { return zip_get_name(z->zip, (zip_uint64_t)i, 0); }

int64_t zip_in_size(const zip_in *z, int64_t i) {
    zip_stat_t s;
    return zip_stat_index(z->zip, (zip_uint64_t)i, 0, &s) == 0 ? (int64_t)s.size : 0;
}

static int64_t pull_member(void *handle, void *out, int64_t bytes) {
    int64_t done = 0;
    while (done < bytes) {
        zip_int64_t got = zip_fread(handle, (char *)out + done, (zip_uint64_t)(bytes - done));
        if (got < 0) return -1;
        if (got == 0) break;
        done += got;
    }
    return done;
}

tide_status member_open(const zip_in *z, int64_t i, const char *part, source *out, tide_failure *f) {
    *out = (source){ .path = z->path, .part = part, .left = zip_in_size(z, i), .pull = pull_member };
    out->handle = zip_fopen_index(z->zip, (zip_uint64_t)i, 0);
    if (out->handle) return TIDE_OK;
    if (zip_error_code_zip(zip_get_error(z->zip)) == ZIP_ER_MEMORY)
        return fail_at(f, TIDE_ENOMEM, z->path, 0, NULL, "out of memory reading '%.80s'", part);
    return source_fail(out, f, "it cannot be unpacked: %s", zip_error_strerror(zip_get_error(z->zip)));
}

tide_status member_close(source *s, tide_status status, tide_failure *f) {
    char extra;
    /* libzip compares the checksum when it meets the end. */
    if (!status && pull_member(s->handle, &extra, 1) != 0)
        status = source_fail(s, f, "its checksum or its length is wrong: the file is damaged");
    zip_fclose(s->handle);
    return status;
}
