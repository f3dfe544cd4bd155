/* Folders of a cache: ours, with nobody else to write in them, and what lies there opened so that no link leads
 * elsewhere. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"

/* Closes and refuses what another user owns or may write. */
static int only_ours(int fd, mode_t kind) {
    struct stat s;
    if (fd < 0) return -1;
    if (fstat(fd, &s) == 0 && (s.st_mode & S_IFMT) == kind && s.st_uid == geteuid() &&
        !(s.st_mode & (S_IWGRP | S_IWOTH)))
        return fd;
    close(fd);
    errno = EPERM;
    return -1;
}

int os_private_folder(const char *path, bool make) {
    char folder[4096];
    const char *end = strrchr(path, '/');
    int code = make ? os_make_folders(path) : 0;
    if (code || !end || snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path) >= (int)sizeof folder)
        return errno = code ? code : ENAMETOOLONG, -1;
    return only_ours(open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), S_IFDIR);
}

/* Without O_NONBLOCK, a pipe of that name would wait for its writer. */
int os_private_open(int folder, const char *name) {
    return only_ours(openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), S_IFREG);
}

int os_private_create(int folder, const char *name) {
    unlinkat(folder, name, 0); /* of a process that was killed: nobody else writes here */
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

const char *os_private_why(int code) {
    if (code == EPERM) return "it belongs to another user, or others may write it: chmod 700 makes it yours alone";
    if (code == ENOTDIR || code == ELOOP) return "it is a link, or no folder";
    return strerror(code);
}
