/* What the control groups of Linux grant (src/base/os/cgroup.c), asked of a probe. */
#include "probe.h"

#include "base/base.h"

void detect_cgroup(const machine_probe *p, machine *m) {
    os_group_limits limits = os_group_limits_of(&(os_files){ p->ask, p->user });
    m->cgroup_version = limits.version;
    m->cpu_limit = limits.cpus;
    if (m->memory_bytes == 0 || limits.memory < m->memory_bytes) m->memory_limit_bytes = limits.memory;
}
