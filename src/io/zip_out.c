/* An archive through libzip into a file of ours: the sink that it writes to, members, and what went wrong. */
#include "zip_out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/base.h"
#include "source.h"

typedef struct target {
    FILE       *file;
    zip_error_t error;
} target;

static zip_int64_t refuse(target *t, int code) {
    zip_error_set(&t->error, code, errno);
    return -1;
}

static zip_int64_t seek(target *t, void *data, zip_uint64_t length) {
    zip_source_args_seek_t *to = ZIP_SOURCE_GET_ARGS(zip_source_args_seek_t, data, length, &t->error);
    if (!to) return -1;
    return fseeko(t->file, (off_t)to->offset, to->whence) == 0 ? 0 : refuse(t, ZIP_ER_SEEK);
}

/* libzip's questions. The archive does not exist until it is written. */
static zip_int64_t answer(void *user, void *data, zip_uint64_t length, zip_source_cmd_t command) {
    target *t = user;
    switch (command) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                              ZIP_SOURCE_BEGIN_WRITE, ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE,
                                              ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_COMMIT_WRITE, ZIP_SOURCE_ROLLBACK_WRITE,
                                              ZIP_SOURCE_REMOVE, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                              ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, -1);
    case ZIP_SOURCE_STAT:
        errno = ENOENT;
        return refuse(t, ZIP_ER_READ);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&t->error, data, length);
    case ZIP_SOURCE_FREE:
        zip_error_fini(&t->error);
        free(t);
        return 0;
    case ZIP_SOURCE_BEGIN_WRITE:
    case ZIP_SOURCE_REMOVE: /* of an archive without members: the caller writes none */
    case ZIP_SOURCE_ROLLBACK_WRITE: return 0;
    case ZIP_SOURCE_WRITE:
        return fwrite(data, 1, length, t->file) == length ? (zip_int64_t)length : refuse(t, ZIP_ER_WRITE);
    case ZIP_SOURCE_SEEK_WRITE: return seek(t, data, length);
    case ZIP_SOURCE_TELL_WRITE: {
        off_t at = ftello(t->file);
        return at >= 0 ? at : refuse(t, ZIP_ER_TELL);
    }
    case ZIP_SOURCE_COMMIT_WRITE: return fflush(t->file) == 0 ? 0 : refuse(t, ZIP_ER_WRITE);
    default: return refuse(t, ZIP_ER_OPNOTSUPP);
    }
}

static zip_t *open_into(FILE *file, zip_error_t *error) {
    target *t = calloc(1, sizeof *t);
    if (!t) return zip_error_set(error, ZIP_ER_MEMORY, ENOMEM), NULL;
    t->file = file;
    zip_error_init(&t->error);
    zip_source_t *source = zip_source_function_create(answer, t, error);
    if (!source) {
        free(t);
        return NULL;
    }
    zip_t *zip = zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, error);
    if (!zip) zip_source_free(source);
    return zip;
}

bool zip_out_add(zip_t *zip, const char *name, const zip_buffer_fragment_t *parts, int count, bool deflate) {
    enum { FIRST_DAY = 1 << 5 | 1 };  /* 1980-01-01 in DOS form */
    zip_source_t *data = zip_source_buffer_fragment(zip, parts, (zip_uint64_t)count, 0);
    zip_int64_t at = data ? zip_file_add(zip, name, data, ZIP_FL_ENC_UTF_8) : -1;
    if (at < 0) {
        zip_source_free(data);
        return false;
    }
    return zip_set_file_compression(zip, (zip_uint64_t)at, deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(zip, (zip_uint64_t)at, 0, FIRST_DAY, 0) == 0;
}

static tide_status zip_fail(zip_error_t *e, const char *path, tide_failure *f) {
    bool system = zip_error_system_type(e) == ZIP_ET_SYS && zip_error_code_system(e) != 0;
    if (zip_error_code_zip(e) == ZIP_ER_MEMORY) return system_fail(f, path, "write", ENOMEM);
    if (system) return system_fail(f, path, "write", zip_error_code_system(e));
    return fail_at(f, TIDE_EIO, path, 0, NULL, "cannot write this file: %s", zip_error_strerror(e));
}

static tide_status write_members(zip_out_members add, void *user, FILE *file, const char *path, tide_failure *f) {
    zip_error_t error;
    zip_error_init(&error);
    zip_t *zip = open_into(file, &error);
    if (!zip) {
        tide_status status = zip_fail(&error, path, f);
        zip_error_fini(&error);
        return status;
    }
    if (add(user, zip) && zip_close(zip) == 0) return TIDE_OK;
    tide_status status = zip_fail(zip_get_error(zip), path, f);
    zip_discard(zip);
    return status;
}

tide_status zip_out_write(zip_out_members add, void *user, const char *temporary, const char *path, tide_failure *f) {
    FILE *file = fopen(temporary, "wb");
    if (!file) return system_fail(f, path, "write", errno);
    tide_status status = write_members(add, user, file, path, f);
    if (fclose(file) != 0 && !status) status = system_fail(f, path, "write", errno);
    return status;
}
