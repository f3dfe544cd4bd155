#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <limits.h>
#include <mach-o/dyld.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "os.h"

/* Of the process: whoever locks keeps to one descriptor of the file (src/files/pieces.c does). */
const int os_lock_command = F_SETLK;

/* The physical footprint is what the system charges a process for, and what Activity Monitor shows as its memory:
 * blocks of a GPU and compressed pages are in it, pages of files that could be read again are not. */
static bool usage_of_this_process(struct rusage_info_v4 *usage) {
    return proc_pid_rusage(getpid(), RUSAGE_INFO_V4, (rusage_info_t *)usage) == 0;
}

int64_t os_rss_bytes(void) {
    struct rusage_info_v4 usage;
    return usage_of_this_process(&usage) ? (int64_t)usage.ri_phys_footprint : 0;
}

int64_t os_peak_rss_bytes(void) {
    struct rusage_info_v4 usage;
    return usage_of_this_process(&usage) ? (int64_t)usage.ri_lifetime_max_phys_footprint : 0;
}

static int64_t sysctl_number(const char *name) {
    int64_t value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) ? 0 : value;
}

int os_cores(void) {
    int64_t fast = sysctl_number("hw.perflevel0.physicalcpu");
    if (fast <= 0) fast = sysctl_number("hw.physicalcpu");
    return (int)MAX2(1, fast);
}

int64_t os_memory_bytes(void) { return sysctl_number("hw.memsize"); }

static bool copy_all(int from, int to) {
    char piece[1 << 16];
    ssize_t n;
    off_t at = 0;
    for (; (n = pread(from, piece, sizeof piece, at)) > 0; at += n)
        if (write(to, piece, (size_t)n) != n) return false;
    return n == 0;
}

/* dlopen takes a name only, so the bytes get one in a fresh folder that no one else can look into. */
void *os_load_library(int fd) {
    const char *temporary = getenv("TMPDIR");
    char folder[1024], path[1056];
    void *library = NULL;
    int size = snprintf(folder, sizeof folder, "%s/tidemill.XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (size >= (int)sizeof folder || !mkdtemp(folder)) return NULL;
    snprintf(path, sizeof path, "%s/kernels.so", folder);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    bool whole = to >= 0 && copy_all(fd, to);
    if (to >= 0 && close(to) == 0 && whole) library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    unlink(path);
    rmdir(folder);
    return library;
}

bool os_program_path(char *path, size_t size) {
    char given[PATH_MAX], whole[PATH_MAX];
    uint32_t room = sizeof given;
    if (_NSGetExecutablePath(given, &room) || !realpath(given, whole) || strlen(whole) >= size) return false;
    strcpy(path, whole);
    return true;
}

void os_model(char *out, size_t size) {
    if (sysctlbyname("machdep.cpu.brand_string", out, &size, NULL, 0)) *out = 0;
}

int os_unnamed_file(const char *folder, char opens[OS_OPENS]) {
    (void)folder, (void)opens;
    return -1;
}

int os_name_file(const char *opens, const char *path) {
    (void)opens, (void)path;
    return ENOTSUP;
}
