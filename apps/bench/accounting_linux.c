#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"

/* proc(5): writing 5 resets the peak to what is resident now. */
bool account_new_peak(void) {
    malloc_trim(0);
    int  file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool done = file >= 0 && write(file, "5", 1) == 1;
    if (file >= 0) close(file);
    return done;
}

static bool read_number(const char *zone, const char *name, double *value) {
    char  path[512];
    snprintf(path, sizeof path, "/sys/class/powercap/%s/%s", zone, name);
    FILE *file = fopen(path, "r");
    long long number = 0;
    bool  got  = file && fscanf(file, "%lld", &number) == 1;
    if (file) fclose(file);
    *value = (double)number;
    return got;
}

/* Packages are "intel-rapl:0", "intel-rapl:1"; a second colon is a part of one. */
bool account_energy(double *microjoules, double *range) {
    DIR *zones = opendir("/sys/class/powercap");
    bool found = false;
    *microjoules = *range = 0;
    for (struct dirent *d; zones && (d = readdir(zones));) {
        const char *colon = strchr(d->d_name, ':');
        double      used, most;
        if (strncmp(d->d_name, "intel-rapl:", 11) != 0 || strchr(colon + 1, ':') ||
            !read_number(d->d_name, "energy_uj", &used))
            continue;
        *microjoules += used, found = true;
        if (read_number(d->d_name, "max_energy_range_uj", &most)) *range = most;
    }
    if (zones) closedir(zones);
    return found;
}
