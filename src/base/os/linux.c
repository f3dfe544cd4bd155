#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os.h"

int64_t os_rss_bytes(void) {
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    long long size, resident = 0;
    if (fscanf(f, "%lld %lld", &size, &resident) != 2) resident = 0;
    fclose(f);
    return resident * sysconf(_SC_PAGESIZE);
}

static bool read_line(const char *path, char *line, int size) {
    FILE *f = fopen(path, "r");
    if (!f) return false;
    bool got = fgets(line, size, f) != NULL;
    fclose(f);
    return got;
}

/* Whole cores that cgroup v2 or v1 grants, or INT32_MAX. */
static int cgroup_cores(void) {
    char line[128];
    long long quota = 0, period = 0;
    if (read_line("/sys/fs/cgroup/cpu.max", line, sizeof line)) {
        if (sscanf(line, "%lld %lld", &quota, &period) != 2) return INT32_MAX;
    } else if (read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", line, sizeof line)) {
        quota = atoll(line);
        period = read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us", line, sizeof line) ? atoll(line) : 0;
    }
    if (quota <= 0 || period <= 0) return INT32_MAX;
    return (int)MAX2(1, (quota + period / 2) / period);
}

/* A logical processor counts once a core: only the first of its siblings is counted. */
static bool first_sibling(int cpu) {
    char path[96], line[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
    return !read_line(path, line, sizeof line) || atoi(line) == cpu;
}

int os_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set)) return 1;
    int physical = 0, logical = CPU_COUNT(&set);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set) && first_sibling(i)) physical++;
    int cores = physical ? physical : logical;
    return MAX2(1, MIN2(cores, cgroup_cores()));
}

int64_t os_memory_bytes(void) {
    int64_t machine = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    char line[128];
    const char *const paths[] = { "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes" };
    for (int i = 0; i < 2; i++) {
        if (!read_line(paths[i], line, sizeof line)) continue;
        long long limit = atoll(line);  /* "max" reads as 0 */
        if (limit > 0 && limit < machine) machine = limit;
    }
    return machine;
}

void *os_load_library(int fd) {
    char path[48];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* Processors of one kind alone: ARM names none in words, its parts' numbers do as well. */
void os_model(char *out, size_t size) {
    static const char *const fields[] = { "model name", "CPU part" };
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f && !*out && fgets(line, sizeof line, f))
        for (int i = 0; i < 2; i++) {
            const char *colon = strncmp(line, fields[i], strlen(fields[i])) ? NULL : strchr(line, ':');
            if (colon) snprintf(out, size, "%.*s", (int)strcspn(colon + 1, "\n"), colon + 1);
        }
    if (f) fclose(f);
}

/* Needs /proc: the only way to name such a file without special rights, and to open it again. */
int os_unnamed_file(const char *folder, char opens[OS_OPENS]) {
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    snprintf(opens, OS_OPENS, "/proc/self/fd/%d", fd);
    if (fd < 0 || access(opens, W_OK) == 0) return fd;
    close(fd);
    return -1;
}

int os_name_file(const char *opens, const char *path) {
    return linkat(AT_FDCWD, opens, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}
