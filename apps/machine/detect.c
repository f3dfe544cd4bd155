#include "probe.h"

#include <stdio.h>

#include "base/base.h"

void machine_detect(const machine_probe *probe, machine *m) {
    machine_probe here = machine_probe_here();
    if (!probe) probe = &here;
    *m = (machine){ 0 };
    probe_line(probe, m->system, sizeof m->system, "uname:system");
    probe_line(probe, m->arch, sizeof m->arch, "uname:machine");
    if (strcmp(m->system, "Darwin") == 0) detect_macos(probe, m);
    else detect_linux(probe, m);
}

/* A quota of 1.5 processors is two threads, as the engine counts: it rounds. */
int machine_threads(const machine *m) {
    int cores = MAX2(1, m->usable_cores), limit = m->cpu_limit > 0 ? (int)(m->cpu_limit + 0.5) : cores;
    return MAX2(1, MIN2(cores, limit));
}

int64_t machine_memory_bytes(const machine *m) {
    if (m->memory_limit_bytes == 0) return m->memory_bytes;
    return m->memory_bytes ? MIN2(m->memory_bytes, m->memory_limit_bytes) : m->memory_limit_bytes;
}

bool machine_on_cpu(const machine *m) { return !*m->device.name || strcmp(m->device.name, "cpu") == 0; }

int64_t machine_device_bytes(const machine *m) {
    return m->device.own_memory ? m->device.memory_bytes : machine_memory_bytes(m);
}

const char *machine_precision_name(machine_precision p) {
    static const char *const names[] = { [MACHINE_F32] = "f32", [MACHINE_BF16] = "bf16", [MACHINE_F16] = "f16" };
    return names[p];
}
