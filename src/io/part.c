#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../base/base.h"

enum { ATTEMPTS = 1000, NAME_KEPT = 200 }; /* of a name, whose 255 bytes have room for an ending then */

static int folder_length(const char *target) {
    const char *slash = strrchr(target, '/');
    return slash ? (int)(slash - target) + 1 : 0;
}

/* A name for what is not whole yet, malloc'ed: in the folder's `.tidemill` where it is one of ours (src/files/owned.h),
 * which the next command there sweeps, else beside the target. */
static char *side_name(const char *target, int attempt) {
    size_t      room   = strlen(target) + 48;
    char       *name   = malloc(room);
    int         length = folder_length(target);
    struct stat info;
    if (!name) return NULL;
    snprintf(name, room, "%.*s.tidemill/files", length, target);
    if (lstat(name, &info) == 0 && S_ISREG(info.st_mode))
        snprintf(name, room, "%.*s.tidemill/t-%ld-%d", length, target, (long)getpid(), attempt);
    else
        snprintf(name, room, "%.*s.tmp-%ld-%d", length + (int)MIN2(strlen(target) - (size_t)length, (size_t)NAME_KEPT),
                 target, (long)getpid(), attempt);
    return name;
}

static int open_named(const char *target, part *p) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        char *name = side_name(target, attempt);
        if (!name) return ENOMEM;
        p->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        int error = errno;
        if (p->fd >= 0) return p->named = name, 0;
        free(name);
        if (error != EEXIST) return error;
    }
    return EEXIST;
}

int part_open(const char *target, const struct stat *old, part *p) {
    int   length = folder_length(target);
    char *folder = malloc((size_t)length + 2);
    *p           = (part){ .fd = -1 };
    if (!folder) return ENOMEM;
    snprintf(folder, (size_t)length + 2, "%.*s", length ? length : 1, length ? target : ".");
    p->fd     = os_unnamed_file(folder, p->opens);
    int error = p->fd >= 0 ? 0 : open_named(target, p);
    free(folder);
    if (error) return error;
    if (old && fchmod(p->fd, old->st_mode & 07777) != 0) errno = 0; /* a share without modes: the default is fine */
    return 0;
}

const char *part_name(const part *p) { return p->named ? p->named : p->opens; }

/* Gives a file without a name one that is free. */
static int name_it(part *p, const char *target) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        char *side  = side_name(target, attempt);
        int   error = side ? os_name_file(p->opens, side) : ENOMEM;
        if (!error) return p->named = side, 0;
        free(side);
        if (error != EEXIST) return error;
    }
    return EEXIST;
}

int part_publish(part *p, const char *target, bool exists) {
    if (fsync(p->fd) != 0 && errno != EINVAL && errno != ENOTSUP) return errno; /* some file systems cannot sync */
    if (!p->named && !exists && os_name_file(p->opens, target) == 0) return 0;
    int error = p->named ? 0 : name_it(p, target);
    if (error) return error;
    if (rename(p->named, target) != 0) return errno;
    free(p->named);
    p->named = NULL;
    return 0;
}

void part_close(part *p) {
    if (p->named) unlink(p->named);
    if (p->fd >= 0) close(p->fd);
    free(p->named);
    *p = (part){ .fd = -1 };
}
