#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "golden.h"
#include "selftest.h"

static bool holds_golden(const char *folder) {
    char path[1024];
    int  length = snprintf(path, sizeof path, "%s/%s", folder, golden_steps_file);
    return length < (int)sizeof path && access(path, R_OK) == 0;
}

/* `place` as seen from the folder of the running program. */
static bool beside_program(const char *place, char *folder, size_t size) {
    char program[1024];
    if (!os_program_path(program, sizeof program)) return false;
    char *name = strrchr(program, '/');
    if (!name) return false;
    *name = 0;
    return snprintf(folder, size, "%s/%s", program, place) < (int)size && holds_golden(folder);
}

static bool absolute(const char *place, char *folder, size_t size) {
    return snprintf(folder, size, "%s", place) < (int)size && holds_golden(folder);
}

bool selftest_golden_folder(const char *const places[], char *folder, size_t size) {
    for (int i = 0; places[i]; i++)
        if ((*places[i] == '/' ? absolute : beside_program)(places[i], folder, size)) return true;
    *folder = 0;
    return false;
}
