/* What the tests of layers and optimizers share. */
#ifndef NN_SUPPORT_H
#define NN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tidemill/tidemill.h>

static inline const char *test_device(void) {
    const char *device = getenv("TIDEMILL_DEVICE");
    return device && *device ? device : "cpu";
}

static inline void expect_near(const char *what, double got, double expected, double tolerance) {
    if (isnan(expected) && isnan(got)) return;
    if (fabs(got - expected) <= tolerance) return;
    fail_msg("%s: expected %.9g, got %.9g, %.3g apart, %.3g allowed", what, expected, got, fabs(got - expected),
             tolerance);
}

/* Reads `v` (F32 or F64) as doubles and compares each. */
static inline void expect_all(const char *what, tide_val v, const double *expected, int64_t count, double tolerance) {
    float  single[64];
    double twice[64];
    bool   f64 = tide_dtype_of(v) == TIDE_F64;
    if (tide_shape_count(tide_shape_of(v)) != count || !tide_ok(v))
        fail_msg("%s: %s", what, tide_ok(v) ? "has another size" : tide_error(v.graph)->message);
    tide_status status = f64 ? tide_read(v, twice, (size_t)count * 8) : tide_read(v, single, (size_t)count * 4);
    if (status != TIDE_OK) fail_msg("%s: %s", what, tide_error(v.graph)->message);
    for (int64_t i = 0; i < count; i++) expect_near(what, f64 ? twice[i] : (double)single[i], expected[i], tolerance);
}

static inline void expect_fine(tide_graph *g) {
    if (tide_error(g)->status) fail_msg("%s", tide_error(g)->message);
}

#endif
