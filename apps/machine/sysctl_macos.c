#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysctl.h>

#include "probe.h"

/* A sysctl is text or an integer of 4 or 8 bytes; text ends with a 0 byte and is no integer's length by chance only. */
static bool is_text(const char *name) {
    return strstr(name, "string") || strstr(name, "model") || strstr(name, "vendor");
}

char *probe_sysctl(const char *name) {
    size_t size = 0;
    if (sysctlbyname(name, NULL, &size, NULL, 0) != 0 || size == 0) return NULL;
    char *value = calloc(1, size + 32);
    if (!value || sysctlbyname(name, value, &size, NULL, 0) != 0) {
        free(value);
        return NULL;
    }
    if (is_text(name)) return value;
    int64_t number = 0;
    int32_t small  = 0;
    if (size == sizeof number) memcpy(&number, value, sizeof number);
    else if (size == sizeof small) memcpy(&small, value, sizeof small), number = small;
    snprintf(value, 32, "%" PRId64, number);
    return value;
}
