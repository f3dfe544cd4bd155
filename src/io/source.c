/* Files as sources of bytes, and the failures of the operating system as sentences: what, where, why. */
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../base/base.h"

/* The same words on every host and in every locale, with advice where there is any. */
static const char *errno_text(int err) {
    static const struct { int err; const char *text; } texts[] = {
        { ENOENT, "no such file or folder" },
        { ENOTDIR, "a part of its path is not a folder" },
        { EACCES, "permission denied" },
        { EPERM, "permission denied" },
        { EISDIR, "it is a folder" },
        { ENOSPC, "the disk is full" },
        { EDQUOT, "the disk quota is used up" },
        { EFBIG, "it would be larger than the limit on file sizes allows" },
        { EROFS, "the file system is read-only" },
        { EMFILE, "too many files are open" },
        { ENFILE, "too many files are open" },
        { ENAMETOOLONG, "the name is too long" },
        { ELOOP, "its links lead in a circle" },
        { EPIPE, "the reader has closed the pipe" },
        { ENOMEM, "out of memory" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].err == err) return texts[i].text;
    return NULL;
}

/* A wrong name is wrong input; the rest is the system's. */
static bool is_wrong_name(const char *doing, int err) {
    static const int names[] = { ENOENT, ENOTDIR, EISDIR, EACCES, ELOOP, ENAMETOOLONG };
    for (size_t i = 0; strcmp(doing, "open") == 0 && i < sizeof names / sizeof *names; i++)
        if (names[i] == err) return true;
    return false;
}

tide_status system_fail(tide_failure *f, const char *path, const char *doing, int err) {
    if (err == ENOMEM) return fail_at(f, TIDE_ENOMEM, path, 0, NULL, "cannot %s this file: out of memory", doing);
    const char *text = errno_text(err);
    if (text)
        return fail_at(f, is_wrong_name(doing, err) ? TIDE_EDATA : TIDE_EIO, path, 0, NULL, "cannot %s this file: %s",
                       doing, text);
    return fail_at(f, TIDE_EIO, path, 0, NULL, "cannot %s this file: system error %d", doing, err);
}

void *bytes_new(int64_t bytes) { return bytes < 0 ? NULL : malloc(bytes ? (size_t)bytes : 1); }

tide_status memory_fail(tide_failure *f, const char *path, int64_t bytes) {
    return fail_at(f, TIDE_ENOMEM, path, 0, NULL, "out of memory: %" PRId64 " bytes are needed for this file", bytes);
}

tide_status argument_fail(tide_failure *f, const char *path, const char *what) {
    return fail_at(f, TIDE_EINVAL, path, 0, NULL, "there is no %s", what);
}

tide_status size_checked(const char *path, int64_t bytes, tide_failure *f) {
    enum { LITTLE = 16 << 20 };  /* anyone has that: the system need not be asked */
    int64_t here = bytes <= LITTLE ? bytes : os_memory_bytes();
    if (bytes <= here) return TIDE_OK;
    return fail_at(f, TIDE_ENOMEM, path, 0, NULL,
                   "this file claims %" PRId64 " bytes of content; this process may use %" PRId64, bytes, here);
}

tide_status file_open(const char *path, FILE **out, int64_t *size, tide_failure *f) {
    struct stat info;
    *out = NULL;
    if (!path) return argument_fail(f, path, "path");
    /* Looked at before it is opened: opening a pipe would wait for its writer. */
    if (stat(path, &info) != 0) return system_fail(f, path, "open", errno);
    if (S_ISDIR(info.st_mode)) return system_fail(f, path, "open", EISDIR);
    if (!S_ISREG(info.st_mode))
        return fail_at(f, TIDE_EDATA, path, 0, NULL, "this is a pipe or a device; a regular file is needed");
    FILE *file = fopen(path, "rb");
    if (!file) return system_fail(f, path, "open", errno);
    *size = (int64_t)info.st_size;
    *out = file;
    return TIDE_OK;
}

static int64_t pull_file(void *handle, void *out, int64_t bytes) {
    size_t got = fread(out, 1, (size_t)bytes, handle);
    return ferror((FILE *)handle) ? -1 : (int64_t)got;
}

source source_of_file(const char *path, FILE *file, int64_t size) {
    return (source){ .path = path, .part = "", .left = size, .handle = file, .pull = pull_file };
}

tide_status source_fail(const source *s, tide_failure *f, const char *format, ...) {
    char message[560];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (s->part[0]) return fail_at(f, TIDE_EDATA, s->path, 0, NULL, "array '%.80s': %s", s->part, message);
    return fail_at(f, TIDE_EDATA, s->path, 0, NULL, "%s", message);
}

tide_status source_read(source *s, void *out, int64_t bytes, tide_failure *f) {
    if (bytes > s->left)
        return source_fail(s, f, "it ends too early: %" PRId64 " bytes are needed where %" PRId64 " are left", bytes,
                           s->left);
    int64_t got = bytes ? s->pull(s->handle, out, bytes) : 0;
    if (got < 0) return source_fail(s, f, "its content cannot be read: it is damaged or the disk failed");
    s->left -= got;
    if (got < bytes) return source_fail(s, f, "it is shorter than it says: %" PRId64 " bytes are missing", bytes - got);
    return TIDE_OK;
}
