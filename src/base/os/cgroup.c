/* What the control groups of Linux grant: version 2, version 1, and both side by side. A limit anywhere above a group
 * holds for it too, so each group up to the root is asked. In a container the path may be the host's, of which only the
 * root is there to see. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "os.h"

enum { GROUP_PATH = 1024 };

typedef os_group_limits limits;
typedef void (*group_reader)(const os_files *p, const char *folder, limits *l);

/* The first line of a file, without what follows the number or word; false if there is none. */
static bool first_line(const os_files *p, char *line, size_t size, const char *folder, const char *name) {
    char path[2 * GROUP_PATH + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *content = p->read(p->user, path);
    snprintf(line, size, "%.*s", content ? (int)strcspn(content, "\n") : 0, content ? content : "");
    free(content);
    return *line;
}

static int64_t number(const os_files *p, const char *folder, const char *name) {
    char line[64];
    return first_line(p, line, sizeof line, folder, name) ? strtoll(line, NULL, 10) : 0;
}

static void lower_cpus(limits *l, double cpus) {
    if (cpus > 0 && (l->cpus == 0 || cpus < l->cpus)) l->cpus = cpus;
}

/* Version 1 says "no limit" with a number near 2^63. */
static void lower_memory(limits *l, int64_t bytes) {
    if (bytes > 0 && bytes < INT64_MAX / 2 && (l->memory == 0 || bytes < l->memory)) l->memory = bytes;
}

/* "max" reads as 0. memory.high is where the system begins to slow a group down. */
static void read_unified(const os_files *p, const char *folder, limits *l) {
    char line[64], *period;
    if (first_line(p, line, sizeof line, folder, "cpu.max")) {
        double quota = (double)strtoll(line, &period, 10), length = (double)strtoll(period, NULL, 10);
        if (length > 0) lower_cpus(l, quota / length);
    }
    lower_memory(l, number(p, folder, "memory.max"));
    lower_memory(l, number(p, folder, "memory.high"));
}

static void read_cpu(const os_files *p, const char *folder, limits *l) {
    int64_t quota = number(p, folder, "cpu.cfs_quota_us"),
            period = quota > 0 ? number(p, folder, "cpu.cfs_period_us") : 0;
    if (period > 0) lower_cpus(l, (double)quota / (double)period);
}

static void read_memory(const os_files *p, const char *folder, limits *l) {
    lower_memory(l, number(p, folder, "memory.limit_in_bytes"));
}

/* The group and all above it, under `root`. */
static void walk(const os_files *p, const char *root, const char *group, group_reader read, limits *l) {
    char folder[2 * GROUP_PATH];
    snprintf(folder, sizeof folder, "%s%s", root, strcmp(group, "/") == 0 || strstr(group, "/..") ? "" : group);
    for (size_t root_length = strlen(root);;) {
        read(p, folder, l);
        if (strlen(folder) <= root_length) return;
        *strrchr(folder, '/') = 0;
    }
}

static bool holds(const char *controllers, const char *name) {
    size_t length = strlen(name);
    for (const char *at = controllers; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && strncmp(at, name, length) == 0) return true;
    return false;
}

/* One line of /proc/self/cgroup, "4:cpu,cpuacct:/a/b" or "0::/a/b", in its two parts. */
static void read_line_of(const os_files *p, const char *controllers, const char *group, limits *one, limits *two) {
    char root[GROUP_PATH];
    if (!*controllers) {
        walk(p, "/sys/fs/cgroup", group, read_unified, two);
        walk(p, "/sys/fs/cgroup/unified", group, read_unified, two);
    }
    snprintf(root, sizeof root, "/sys/fs/cgroup/%s", controllers);
    if (holds(controllers, "memory")) walk(p, root, group, read_memory, one);
    if (!holds(controllers, "cpu")) return;
    walk(p, root, group, read_cpu, one);
    if (strcmp(controllers, "cpu") != 0) walk(p, "/sys/fs/cgroup/cpu", group, read_cpu, one);
}

static void read_groups(const os_files *p, char *lines, limits *one, limits *two) {
    for (char *line = lines, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group || strlen(group) >= GROUP_PATH) continue;
        *group++ = 0;
        read_line_of(p, controllers + 1, group, one, two);
    }
}

/* Without the list of groups there may still be the root's. */
static const char root_only[] = "2:memory:/\n1:cpu:/\n0::/";

os_group_limits os_group_limits_of(const os_files *files) {
    limits one = { 0 }, two = { 0 };
    char *lines = files->read(files->user, "/proc/self/cgroup"), root[sizeof root_only];
    memcpy(root, root_only, sizeof root);
    read_groups(files, lines ? lines : root, &one, &two);
    free(lines);
    two.version = two.cpus > 0 || two.memory > 0 ? 2 : one.cpus > 0 || one.memory > 0 ? 1 : 0;
    lower_cpus(&two, one.cpus);
    lower_memory(&two, one.memory);
    return two;
}
