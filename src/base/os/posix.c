/* What POSIX systems share; what only Linux or macOS has is in linux.c and macos.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "../locks.h"
#include "os.h"

double os_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double os_thread_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t os_preemptions(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (int64_t)usage.ru_nivcsw;
}

/* A quota of 1.5 processors is two threads. */
int os_cores_within(int cores, const os_group_limits *limits) {
    if (limits->cpus > 0 && limits->cpus + 0.5 < cores) cores = (int)(limits->cpus + 0.5);
    return MAX2(1, cores);
}

/* Of a limited address space (0: it is not), what is mapped and not in memory, such as libraries and stacks, is
 * lost. */
int64_t os_memory_within(int64_t machine, const os_group_limits *limits, int64_t address_space, int64_t mapped,
                         int64_t resident) {
    if (limits->memory > 0 && (machine <= 0 || limits->memory < machine)) machine = limits->memory;
    if (address_space > 0) machine = MIN2(machine, address_space - MAX2(0, mapped - resident));
    return MAX2(1, machine);
}

void os_machine(char *out, size_t size) {
    struct utsname names;
    char model[128] = "";
    os_model(model, sizeof model);
    if (uname(&names)) snprintf(out, size, "%s", model);
    else snprintf(out, size, "%s %s %s", names.sysname, names.machine, model);
}

bool os_cache_path(char *path, size_t size, const char *name) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    bool has_cache = cache && cache[0] == '/';
    if (!has_cache && !(home && *home)) return false;
    int length = snprintf(path, size, "%s%s/tidemill/%s", has_cache ? cache : home, has_cache ? "" : "/.cache", name);
    return length >= 0 && (size_t)length < size;
}

int os_make_folders(const char *path) {
    char part[4096];
    if (strlen(path) >= sizeof part) return ENAMETOOLONG;
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (mkdir(part, 0700) && errno != EEXIST) return errno;
    }
    return 0;
}

int os_lock_byte(int fd, int64_t at, os_lock how) {
    static const short kind[] = { [OS_LOCK_NONE] = F_UNLCK, [OS_LOCK_SHARED] = F_RDLCK, [OS_LOCK_ALONE] = F_WRLCK };
    struct flock byte = { .l_type = kind[how], .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1 };
    int done;
    do done = fcntl(fd, os_lock_command, &byte);
    while (done < 0 && errno == EINTR);
    return done == 0 ? 0 : errno == EACCES ? EAGAIN : errno;
}
