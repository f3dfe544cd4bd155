/* For programs of the tests that were written for cpu: the make-believe GPU of the language FIBERS_AS by that name. */
#include "fibers.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static tide_backend as_cpu;
const tide_backend *const backend_all[] = { &as_cpu, &tide_backend_ref, &tide_backend_check, NULL };

/* What a device lacks runs on the cpu backend: a program all of whose graphs do has shown nothing. */
static void expect_launches(void) {
    if (fibers_count().launches > 0) return;
    fprintf(stderr, "fibers: nothing ran on them\n");
    _exit(1);
}

__attribute__((constructor)) static void name_it(void) {
    if (!fibers_possible()) {
        fprintf(stderr, "fibers: there is no c++\n");
        _exit(77);
    }
    as_cpu = FIBERS_AS;
    as_cpu.name = "cpu";
    atexit(expect_launches);
}
