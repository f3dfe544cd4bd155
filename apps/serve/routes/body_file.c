/* The body goes into a file that only this process can open. */
#include "body_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"

static bool write_all(int fd, const char *bytes, size_t length) {
    while (length) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* One without a name where the system has such files: it goes with the service, however that ends. */
bool body_file_open(const char *bytes, size_t length, body_file *out, problem *p) {
    char opens[OS_OPENS];
    *out    = (body_file){ 0 };
    out->fd = os_unnamed_file("/tmp", opens);
    if (out->fd >= 0) snprintf(out->path, sizeof out->path, "%s", opens);
    else {
        snprintf(out->path, sizeof out->path, "/tmp/tidemill-XXXXXX");
        out->fd    = mkstemp(out->path);
        out->named = out->fd >= 0;
    }
    if (out->fd >= 0 && write_all(out->fd, bytes, length)) return true;
    problem_say(p, 507, "io", "The body cannot be put down to be read: %s.", strerror(errno));
    body_file_close(out);
    return false;
}

void body_file_close(body_file *f) {
    if (f->named) unlink(f->path);
    if (f->fd >= 0) close(f->fd);
    *f = (body_file){ .fd = -1 };
}

void text_replace(char *text, size_t size, const char *from, const char *to) {
    char  *copy = strdup(text), *rest = copy, *found;
    size_t used = 0;
    if (!copy) return;
    while (used + 1 < size && (found = strstr(rest, from))) {
        *found = 0;
        used += (size_t)snprintf(text + used, size - used, "%s%s", rest, to);
        rest = found + strlen(from);
    }
    if (used + 1 < size) snprintf(text + used, size - used, "%s", rest);
    free(copy);
}

void body_file_rename(const body_file *f, const char *name, char *text, size_t size) {
    text_replace(text, size, f->path, name);
}
