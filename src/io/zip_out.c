#include "zip_out.h"

#include <errno.h>
#include <stdlib.h>

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

zip_t *zip_out_open(FILE *file, zip_error_t *error) {
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
