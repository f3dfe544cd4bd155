/* What the control groups of Linux grant: version 2, version 1, and both side by side. A limit anywhere above a group holds
 * for it too, so each group up to the root is asked. In a container the path may be the host's, of which only the root
 * is there to see. */
#include "probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

enum { GROUP_PATH = 1024 };

typedef struct limits { double cpus; int64_t memory; } limits;  /* 0: none */
typedef void (*group_reader)(const machine_probe *p, const char *folder, limits *l);

static void lower_cpus(limits *l, double cpus) {
    if (cpus > 0 && (l->cpus == 0 || cpus < l->cpus)) l->cpus = cpus;
}

/* Version 1 says "no limit" with a number near 2^63. */
static void lower_memory(limits *l, int64_t bytes) {
    if (bytes > 0 && bytes < INT64_MAX / 2 && (l->memory == 0 || bytes < l->memory)) l->memory = bytes;
}

/* "max" reads as 0. memory.high is where the system begins to slow a group down. */
static void read_unified(const machine_probe *p, const char *folder, limits *l) {
    char line[64], *period;
    if (probe_line(p, line, sizeof line, "%s/cpu.max", folder)) {
        double quota = (double)strtoll(line, &period, 10), length = (double)strtoll(period, NULL, 10);
        if (length > 0) lower_cpus(l, quota / length);
    }
    lower_memory(l, probe_number(p, "%s/memory.max", folder));
    lower_memory(l, probe_number(p, "%s/memory.high", folder));
}

static void read_cpu(const machine_probe *p, const char *folder, limits *l) {
    int64_t quota = probe_number(p, "%s/cpu.cfs_quota_us", folder),
            period = quota > 0 ? probe_number(p, "%s/cpu.cfs_period_us", folder) : 0;
    if (period > 0) lower_cpus(l, (double)quota / (double)period);
}

static void read_memory(const machine_probe *p, const char *folder, limits *l) {
    lower_memory(l, probe_number(p, "%s/memory.limit_in_bytes", folder));
}

/* The group and all above it, under `root`. */
static void walk(const machine_probe *p, const char *root, const char *group, group_reader read, limits *l) {
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
static void read_line_of(const machine_probe *p, const char *controllers, const char *group, limits *one, limits *two) {
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

static void read_groups(const machine_probe *p, char *lines, limits *one, limits *two) {
    for (char *line = lines, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group || strlen(group) >= GROUP_PATH) continue;
        *group++ = 0;
        read_line_of(p, controllers + 1, group, one, two);
    }
}

void detect_cgroup(const machine_probe *p, machine *m) {
    limits one = { 0 }, two = { 0 };
    char  *lines = probe_ask(p, "/proc/self/cgroup");
    if (lines) read_groups(p, lines, &one, &two);
    free(lines);
    m->cgroup_version = two.cpus > 0 || two.memory > 0 ? 2 : one.cpus > 0 || one.memory > 0 ? 1 : 0;
    lower_cpus(&two, one.cpus);
    lower_memory(&two, one.memory);
    m->cpu_limit = two.cpus;
    if (m->memory_bytes == 0 || two.memory < m->memory_bytes) m->memory_limit_bytes = two.memory;
}
