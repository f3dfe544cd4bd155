#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <tidemill/io.h>

#include "base/base.h"
#include "generate.h"

char *folder_path(const char *folder, const char *format, ...) {
    char   *name = NULL, *path = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&name, format, args) < 0) name = NULL;
    va_end(args);
    if (name && asprintf(&path, "%s/%s", folder, name) < 0) path = NULL;
    free(name);
    return path;
}

static tide_status make(const char *folder, tide_failure *f) {
    char part[EIS_TEXT_SIZE];
    snprintf(part, sizeof part, "%s", folder);
    for (char *slash = part + 1; slash; *slash++ = '/') {
        slash = strchr(slash, '/');
        if (slash) *slash = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return fail_at(f, TIDE_EIO, folder, 0, NULL, "cannot make the folder %s: %s", part, strerror(errno));
        if (!slash) break;
    }
    return TIDE_OK;
}

tide_status folder_open(const char *folder, bool shared, int *lock, tide_failure *f) {
    if (!*folder) return fail_at(f, TIDE_EINVAL, NULL, 0, "data-dir", "`data-dir` needs the name of a folder");
    tide_status status = make(folder, f);
    if (status != TIDE_OK) return status;
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0)
        return fail_at(f, TIDE_EIO, folder, 0, NULL, "cannot open the folder %s: %s", folder, strerror(errno));
    if (flock(*lock, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fail_at(f, TIDE_EIO, folder, 0, NULL,
                       "another run is writing to %s; wait for it, or give `data-dir` another folder", folder);
    return TIDE_OK;
}

tide_status folder_room(const char *folder, int64_t bytes, tide_failure *f) {
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) return TIDE_OK; /* a disk that does not say: a failed write will */
    double room = (double)disk.f_bavail * (double)disk.f_frsize;
    if ((double)bytes <= room) return TIDE_OK;
    return fail_at(f, TIDE_EIO, folder, 0, NULL, "the data need %.1f MB and the disk of %s has %.1f MB; lower "
                                                 "`n-ground-truths` or `points`, or give `data-dir` another disk",
                   1e-6 * (double)bytes, folder, 1e-6 * room);
}

static tide_status put_text(void *user, void *file) {
    return fputs(user, file) < 0 ? TIDE_EIO : TIDE_OK;
}

tide_status file_of_text(const char *path, const char *content, tide_failure *f) {
    if (!path || !content) return fail(f, TIDE_ENOMEM, "out of memory");
    return tide_file_replace(path, put_text, (void *)content, f);
}
