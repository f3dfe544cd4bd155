/* Linux: memory from /proc, cores from affinity and topology, files without a name, libraries by descriptor. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os.h"

/* Of the open file: threads exclude each other, and closing another descriptor of the file takes nothing away. */
const int os_lock_command = F_OFD_SETLK;

/* Pages of the address space that are taken, and those of them in memory; 0 where that is not known. */
static void read_pages(int64_t *mapped, int64_t *resident) {
    long long size = 0, in_memory = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lld %lld", &size, &in_memory) != 2) size = in_memory = 0;
    if (f) fclose(f);
    *mapped = size, *resident = in_memory;
}

int64_t os_rss_bytes(void) {
    int64_t mapped, resident;
    read_pages(&mapped, &resident);
    return resident * sysconf(_SC_PAGESIZE);
}

int64_t os_peak_rss_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : (int64_t)usage.ru_maxrss * 1024;
}

bool os_program_path(char *path, size_t size) {
    ssize_t length = readlink("/proc/self/exe", path, size);
    if (length <= 0 || (size_t)length >= size) return false;
    path[length] = 0;
    return true;
}

static bool read_line(const char *path, char *line, int size) {
    FILE *f = fopen(path, "r");
    if (!f) return false;
    bool got = fgets(line, size, f) != NULL;
    fclose(f);
    return got;
}

/* Files under /proc have no size until they are read; those that are asked for here are small. */
static char *read_small(void *unused, const char *path) {
    enum { MOST = 1 << 16 };
    (void)unused;
    FILE *f = fopen(path, "r");
    char *content = f ? malloc(MOST) : NULL;
    size_t length = content ? fread(content, 1, MOST - 1, f) : 0;
    if (content) content[length] = 0;
    if (f) fclose(f);
    return content;
}

static os_group_limits groups(void) { return os_group_limits_of(&(os_files){ read_small, NULL }); }

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
    os_group_limits limits = groups();
    return os_cores_within(cores, &limits);
}

int64_t os_memory_bytes(void) {
    int64_t page = sysconf(_SC_PAGESIZE), mapped = 0, resident = 0;
    os_group_limits limits = groups();
    struct rlimit space;
    bool limited = getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
    if (limited) read_pages(&mapped, &resident);
    return os_memory_within((int64_t)sysconf(_SC_PHYS_PAGES) * page, &limits, limited ? (int64_t)space.rlim_cur : 0,
                            mapped * page,
                            resident * page);
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
