/* What the tests of the data side share: the shared test data, files made on the spot, values that are told apart. */
#ifndef DATA_SUPPORT_H
#define DATA_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forecast/data/frame.h"

/* The path of a file of the shared test data; skips the running test, naming the file, if it is not there. */
static inline const char *shared_file(char path[512], const char *name) {
    const char *root = getenv("TIDEMILL_SHARED");
    snprintf(path, 512, "%s/data/forecast/%s", root ? root : "../shared", name);
    if (access(path, R_OK)) {
        print_message("skipped: needs %s\n", path);
        skip();
    }
    return path;
}

/* Writes a temporary file; the caller removes it. */
static inline void write_temporary(char path[64], const char *text) {
    strcpy(path, "/tmp/tidemill-data-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    size_t length = strlen(text);
    assert_int_equal((int64_t)write(descriptor, text, length), (int64_t)length);
    close(descriptor);
}

/* Reads `text` as a file. */
static inline tide_status read_text(const char *text, const frame_options *options, frame *f, tide_failure *failure) {
    char path[64];
    write_temporary(path, text);
    memset(failure, 0, sizeof *failure);
    tide_status status = frame_read(path, options, f, failure);
    unlink(path);
    return status;
}

static inline void expect_near(const char *what, double got, double expected, double tolerance) {
    if (fabs(got - expected) <= tolerance) return;
    fail_msg("%s: expected %.9g, got %.9g, %.3g apart, %.3g allowed", what, expected, got, fabs(got - expected),
             tolerance);
}

static inline void expect_has(const char *text, const char *part) {
    if (!text || !strstr(text, part)) fail_msg("expected \"%s\" in \"%s\"", part, text ? text : "(null)");
}

#endif
