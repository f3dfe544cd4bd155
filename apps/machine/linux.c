/* What the files of Linux say of the processors and the memory. */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

enum { CPUS_MOST = 8192 };

/* ---- text of "name : value" lines ---- */

typedef struct span { const char *at; size_t length; } span;

static bool line_named(const char *line, const char *name, span *value) {
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0) return false;
    const char *colon = line + length + strspn(line + length, " \t");
    if (*colon != ':') return false;
    value->at     = colon + 1 + strspn(colon + 1, " \t");
    value->length = strcspn(value->at, "\n");
    return true;
}

static const char *next_line(const char *line) {
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

static bool field(const char *lines, const char *name, span *value) {
    for (const char *line = lines; *line; line = next_line(line))
        if (line_named(line, name, value)) return true;
    return false;
}

static int field_number(const char *lines, const char *name, int otherwise) {
    span value;
    return field(lines, name, &value) ? (int)strtol(value.at, NULL, 0) : otherwise;
}

/* ---- processors ---- */

typedef struct processor { int id, package, core, capacity; bool allowed, slow; } processor;
typedef struct processors { processor *of; int count; } processors;

/* Marks "0-3,8" in has[CPUS_MOST]. */
static void read_list(const char *list, bool *has) {
    while (*list >= '0' && *list <= '9') {
        char *end;
        long  first = strtol(list, &end, 10), last = *end == '-' ? strtol(end + 1, &end, 10) : first;
        for (long i = first; i <= last && i < CPUS_MOST; i++) has[i] = true;
        list = *end == ',' ? end + 1 : end;
    }
}

static int count_lines(const char *lines, const char *name) {
    int  count = 0;
    span value;
    for (const char *line = lines; *line; line = next_line(line)) count += line_named(line, name, &value);
    return count;
}

/* Without ids, as on ARM and in some sandboxes, each processor is a core. */
static processors read_processors(const char *cpuinfo) {
    processors all = { .count = MIN2(count_lines(cpuinfo, "processor"), CPUS_MOST) };
    int        i = -1;
    span       value;
    all.of = calloc((size_t)all.count + 1, sizeof *all.of);
    if (!all.of) return (processors){ 0 };
    for (const char *line = cpuinfo; *line; line = next_line(line)) {
        if (line_named(line, "processor", &value) && i + 1 < all.count)
            i++, all.of[i] = (processor){ .id = atoi(value.at), .core = -1 - i, .allowed = true };
        if (i >= 0 && line_named(line, "physical id", &value)) all.of[i].package = atoi(value.at);
        if (i >= 0 && line_named(line, "core id", &value)) all.of[i].core = atoi(value.at);
    }
    return all;
}

static void mark_allowed(const machine_probe *p, processors all) {
    bool  has[CPUS_MOST] = { false };
    char *status = probe_ask(p, "/proc/self/status");
    span  list;
    if (status && field(status, "Cpus_allowed_list", &list)) {
        read_list(list.at, has);
        for (int i = 0; i < all.count; i++)
            all.of[i].allowed = all.of[i].id >= 0 && all.of[i].id < CPUS_MOST && has[all.of[i].id];
    }
    free(status);
}

/* Slow cores: Intel's hybrids name theirs; elsewhere the system gives each processor a capacity, of which the fast
 * cores have the most or nearly so. */
static void mark_slow(const machine_probe *p, processors all) {
    bool  has[CPUS_MOST] = { false };
    char *atoms = probe_ask(p, "/sys/devices/cpu_atom/cpus");
    int   most = 0;
    if (atoms) read_list(atoms, has);
    free(atoms);
    for (int i = 0; i < all.count; i++) {
        all.of[i].slow     = all.of[i].id >= 0 && all.of[i].id < CPUS_MOST && has[all.of[i].id];
        all.of[i].capacity = i && !all.of[0].capacity
                                 ? 0
                                 : (int)probe_number(p, "/sys/devices/system/cpu/cpu%d/cpu_capacity", all.of[i].id);
        most               = MAX2(most, all.of[i].capacity);
    }
    for (int i = 0; i < all.count; i++) all.of[i].slow = all.of[i].slow || 4 * all.of[i].capacity < 3 * most;
}

/* Cores, each counted once: by the first of its processors that is asked for. */
static int count_cores(processors all, bool slow, bool only_allowed) {
    int cores = 0;
    for (int i = 0; i < all.count; i++) {
        bool first = all.of[i].slow == slow && (all.of[i].allowed || !only_allowed);
        for (int k = 0; k < i && first; k++)
            first = !(all.of[k].package == all.of[i].package && all.of[k].core == all.of[i].core &&
                      (all.of[k].allowed || !only_allowed));
        cores += first;
    }
    return cores;
}

static void linux_cores(const machine_probe *p, const char *cpuinfo, machine *m) {
    processors all = read_processors(cpuinfo);
    mark_allowed(p, all);
    mark_slow(p, all);
    m->processors        = all.count;
    m->performance_cores = count_cores(all, false, false);
    m->efficiency_cores  = count_cores(all, true, false);
    for (int i = 0; i < all.count; i++) m->allowed_processors += all.of[i].allowed;
    m->usable_cores = count_cores(all, false, true);
    if (m->usable_cores == 0) m->usable_cores = count_cores(all, true, true);
    free(all.of);
}

/* ---- model, memory, caches ---- */

/* ARM says who made a core and which it is, in numbers. */
static const char *arm_core_name(int maker, int part) {
    static const struct { int maker, part; const char *name; } rows[] = {
        { 0x41, 0xd03, "Cortex-A53" },  { 0x41, 0xd05, "Cortex-A55" },  { 0x41, 0xd07, "Cortex-A57" },
        { 0x41, 0xd08, "Cortex-A72" },
        { 0x41, 0xd0b, "Cortex-A76" },  { 0x41, 0xd0c, "Neoverse N1" }, { 0x41, 0xd40, "Neoverse V1" },
        { 0x41, 0xd41, "Cortex-A78" },
        { 0x41, 0xd49, "Neoverse N2" }, { 0x41, 0xd4f, "Neoverse V2" }, { 0x41, 0xd84, "Neoverse V3" },
        { 0x41, 0xd8e, "Neoverse N3" },
        { 0x46, 0x001, "A64FX" },       { 0x48, 0xd01, "Kunpeng 920" }, { 0xc0, 0xac3, "Ampere One" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].maker == maker && rows[i].part == part) return rows[i].name;
    return NULL;
}

static void linux_model(const machine_probe *p, const char *cpuinfo, machine *m) {
    span        value;
    char        computer[128];
    const char *core = arm_core_name(field_number(cpuinfo, "CPU implementer", 0), field_number(cpuinfo, "CPU part", 0));
    if (field(cpuinfo, "model name", &value))
        snprintf(m->model, sizeof m->model, "%.*s", (int)MIN2(value.length, 120u), value.at);
    else if (core) snprintf(m->model, sizeof m->model, "%s", core);
    if (!probe_line(p, computer, sizeof computer, "/proc/device-tree/model")) return;
    detect_apple_chip(computer, m);
    if (!*m->model || m->apple) snprintf(m->model, sizeof m->model, "%s", computer);
}

static void linux_features(const machine_probe *p, const char *cpuinfo, machine *m) {
    span  value;
    char *words = field(cpuinfo, "flags", &value) || field(cpuinfo, "Features", &value)
                      ? strndup(value.at, value.length)
                      : probe_ask(p, "cpuid");
    if (words) m->features = detect_features(words);
    free(words);
}

static void keep_cache(machine *m, int level, int64_t bytes) {
    if (level == 1) m->l1d_bytes = bytes;
    else if (level == 2) m->l2_bytes = bytes;
    else if (level == 3) m->l3_bytes = bytes;
}

/* The first core's, one folder a cache: its level, its type, and its size such as "48K". */
static void file_caches(const machine_probe *p, machine *m) {
    for (int i = 0; i < 8; i++) {
        char type[32], size[32], *unit;
        if (!probe_line(p, type, sizeof type, "/sys/devices/system/cpu/cpu0/cache/index%d/type", i)) return;
        if (strcmp(type, "Instruction") == 0 ||
            !probe_line(p, size, sizeof size, "/sys/devices/system/cpu/cpu0/cache/index%d/size", i))
            continue;
        int64_t bytes = strtoll(size, &unit, 10);
        bytes <<= *unit == 'M' ? 20 : *unit == 'K' ? 10 : 0;
        keep_cache(m, (int)probe_number(p, "/sys/devices/system/cpu/cpu0/cache/index%d/level", i), bytes);
    }
}

static void linux_caches(const machine_probe *p, machine *m) {
    char *lines = probe_ask(p, "hwloc:caches");
    if (!lines) file_caches(p, m);
    for (const char *line = lines; line && *line; line = next_line(line))
        keep_cache(m, line[0] == 'L' ? atoi(line + 1) : 0, strtoll(line + strcspn(line, " \n"), NULL, 10));
    free(lines);
}

void detect_linux(const machine_probe *p, machine *m) {
    char *cpuinfo = probe_ask(p, "/proc/cpuinfo"), *meminfo = probe_ask(p, "/proc/meminfo");
    span  total;
    linux_model(p, cpuinfo ? cpuinfo : "", m);
    linux_features(p, cpuinfo ? cpuinfo : "", m);
    linux_cores(p, cpuinfo ? cpuinfo : "", m);
    if (meminfo && field(meminfo, "MemTotal", &total)) m->memory_bytes = strtoll(total.at, NULL, 10) * 1024;
    linux_caches(p, m);
    detect_cgroup(p, m);
    free(cpuinfo);
    free(meminfo);
}
