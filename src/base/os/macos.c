#include <errno.h>
#include <mach/mach.h>
#include <sys/sysctl.h>

#include "os.h"

int64_t os_rss_bytes(void) {
    struct mach_task_basic_info info;
    mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
    if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, (task_info_t)&info, &count)) return 0;
    return (int64_t)info.resident_size;
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
