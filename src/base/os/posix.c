/* What POSIX systems share; what only Linux or macOS has is in linux.c and macos.c. */
#include <sys/resource.h>
#include <time.h>

#include "os.h"

double os_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int64_t os_peak_rss_bytes(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage)) return 0;
    return (int64_t)usage.ru_maxrss * OS_MAXRSS_UNIT;
}
