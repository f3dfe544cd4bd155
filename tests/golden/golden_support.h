/* Comparing the model with golden numbers: this folder's, and the published program's where they are. */
#ifndef GOLDEN_SUPPORT_H
#define GOLDEN_SUPPORT_H

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
#include <tidemill/tidemill.h>
#include <unistd.h>

#include "forecast/models/model.h"

/* A file of this folder; tests run in the root of the source tree. */
static inline const char *own_path(char path[512], const char *name) {
    snprintf(path, 512, "tests/golden/%s", name);
    return path;
}

/* A path of the shared test data; skips the running test, naming the file, if it is not there. */
static inline const char *shared_path(char path[512], const char *name) {
    const char *root = getenv("TIDEMILL_SHARED");
    snprintf(path, 512, "%s/%s", root ? root : "../shared", name);
    if (access(path, R_OK)) {
        print_message("skipped: needs %s\n", path);
        skip();
    }
    return path;
}

/* Norm of the difference over the norm of what is expected. */
static inline double distance(const float *got, const float *expected, int64_t count) {
    double apart = 0, size = 0;
    for (int64_t i = 0; i < count; i++) {
        double d = (double)got[i] - (double)expected[i];
        apart += d * d;
        size += (double)expected[i] * (double)expected[i];
    }
    return sqrt(apart) / (size > 0 ? sqrt(size) : 1);
}

static inline void expect_close(const char *where, const char *what, const float *got, const float *expected,
                                int64_t count, double allowed) {
    double d = distance(got, expected, count);
    if (!(d <= allowed))
        fail_msg("%s, %s: %.3g of its norm from the golden values, %.3g allowed", where, what, d, allowed);
}

/* The value's numbers, malloc'ed; fails the test with the graph's error. */
static inline float *read_all(tide_val v) {
    int64_t     count  = tide_shape_count(tide_shape_of(v));
    float      *out    = malloc((size_t)count * sizeof *out + 1);
    tide_status status = tide_read(v, out, (size_t)count * sizeof *out);
    if (status != TIDE_OK) fail_msg("read: %s", tide_error(v.graph)->message);
    return out;
}

static inline void expect_array(const char *where, const char *what, tide_val v, const float *expected,
                                double allowed) {
    float *got = read_all(v);
    expect_close(where, what, got, expected, tide_shape_count(tide_shape_of(v)), allowed);
    free(got);
}

/* A constant added to every key shifts each softmax row by a constant: this gradient is zero but for rounding. */
static inline bool is_key_bias(const char *name) { return strstr(name, "key_projection.bias") != NULL; }

#endif
