/* Only macOS names its parts by sysctl. */
#include "probe.h"

char *probe_sysctl(const char *name) {
    (void)name;
    return NULL;
}
