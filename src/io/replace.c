/* A new file takes an old one's place whole: written beside it, synced, renamed; links and modes stay as they were. */
#include "replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/base.h"
#include "part.h"
#include "source.h"

/* The file that `path` means: a link stays a link, the file it leads to is replaced. Freed by the caller. */
static char *resolve(const char *path) {
    struct stat info;
    char *real = NULL;
    if (lstat(path, &info) == 0 && S_ISLNK(info.st_mode)) real = realpath(path, NULL);
    return real ? real : strdup(path);
}

static void sync_path(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

/* Makes the new name itself last. The file is in place by now, so a folder that cannot be synced is no failure. */
static void sync_folder_of(char *path) {
    char *slash = strrchr(path, '/');
    if (slash == path) slash++;
    if (slash) *slash = 0;
    sync_path(slash ? path : ".");
}

static tide_status replace_resolved(char *target, const char *path, path_writer write, void *user, tide_failure *f) {
    struct stat old;
    bool exists = stat(target, &old) == 0;
    int err;
    if (exists && S_ISDIR(old.st_mode)) return system_fail(f, path, "write", EISDIR);
    if (exists && !S_ISREG(old.st_mode))
        return fail_at(f, TIDE_EIO, path, 0, NULL, "this is a pipe or a device; the name of a regular file is needed");
    part p;
    if ((err = part_open(target, exists ? &old : NULL, &p)) != 0) return system_fail(f, path, "write", err);
    tide_status status = write(user, part_name(&p), path, f);
    if (!status && (err = part_publish(&p, target, exists)) != 0) status = system_fail(f, path, "write", err);
    if (!status) sync_folder_of(target);
    part_close(&p);
    return status;
}

tide_status replace_path(const char *path, path_writer write, void *user, tide_failure *f) {
    if (!path) return argument_fail(f, path, "path");
    char *target = resolve(path);
    if (!target) return system_fail(f, path, "write", ENOMEM);
    tide_status status = replace_resolved(target, path, write, user, f);
    free(target);
    return status;
}

/* ---- for writers that want a stdio file ---------------------------------------------------------------- */

typedef struct stdio_writer {
    tide_status (*write)(void *user, void *stdio_file);
    void *user;
} stdio_writer;

static tide_status write_stdio(void *user, const char *name, const char *path, tide_failure *f) {
    stdio_writer *w = user;
    FILE *file = fopen(name, "wb");
    if (!file) return system_fail(f, path, "write", errno);
    errno = 0;
    tide_status status = w->write(w->user, file);
    int err = errno;
    bool refused = ferror(file) != 0;
    if (!refused && !status && fflush(file) != 0) {
        refused = true;
        err = errno;
    }
    if (fclose(file) != 0 && !refused && !status) {
        refused = true;
        err = errno;
    }
    if (refused) return system_fail(f, path, "write", err);
    if (status)
        fail_at(f, status, path, 0, NULL, "writing this file was given up (%s); nothing was changed",
                tide_status_name(status));
    return status;
}

tide_status tide_file_replace(const char *path, tide_status (*write)(void *user, void *stdio_file), void *user,
                              tide_failure *failure) {
    failure_clear(failure);
    struct stat info;
    stdio_writer w = { write, user };
    if (!path || !write) return argument_fail(failure, path, path ? "function that writes" : "path");
    bool special = stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
    if (special) return write_stdio(&w, path, path, failure);  /* /dev/stdout, a pipe: there is nothing to replace */
    return replace_path(path, write_stdio, &w, failure);
}
