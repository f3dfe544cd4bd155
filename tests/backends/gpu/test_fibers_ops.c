/* The op table (apps/selftest) on fibers, by both languages, and golden files: test_fibers_ops DEVICE EVERY [FOLDER],
 * every EVERY-th case of the table, and the golden files in the folder. */
#include "fibers.h"

#include <stdio.h>
#include <stdlib.h>

#include "selftest/check_precision.h"
#include "selftest/golden.h"

static const char *device;
static int failed, done;

/* Nothing of it may have been left to cpu. */
static void report(const char *what, const char *name, int variant, const check_result *r) {
    static int64_t lacking;
    bool left = fibers_count().lacking != lacking;
    lacking = fibers_count().lacking;
    done++;
    if (!r->passed) printf("%s %s #%d on %s: %s\n", what, name, variant + 1, device, r->detail);
    if (left) printf("%s %s #%d on %s: a kernel was left to cpu\n", what, name, variant + 1, device);
    failed += !r->passed || left;
}

static void check_case(const op_case *c) {
    const tide_shape table[CASE_INPUTS] = { TIDE_SHAPE(11, 11), TIDE_SHAPE(11, 11) };
    for (int i = 0; i < (c->build ? 1 : CASE_SHAPES); i++) {
        const tide_shape *shapes = c->unary ? &unary_shapes[i] : c->binary ? binary_shapes[i] : c->shape;
        check_result r = check_values(c, shapes, device, false);
        report("values of", c->name, i, &r);
        if (c->flat || strcmp(device, "fibers-cuda")) continue;
        r = check_derivative(c, shapes, device);
        report("derivative of", c->name, i, &r);
    }
    if (c->build) return;
    check_result r = check_values(c, table, device, true);
    report("special values of", c->name, 0, &r);
}

static void check_golden_file(const char *folder, const char *name, bool steps) {
    char path[1024];
    check_result r = { 0 };
    tide_failure why = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if ((steps ? golden_steps_check : golden_check)(path, device, &r, &why) != TIDE_OK)
        snprintf(r.detail, sizeof r.detail, "%.250s", why.message), r.passed = false;
    report("golden file", name, 0, &r);
}

int main(int argc, char **argv) {
    if (!fibers_possible()) return 77;
    int every = argc > 2 ? atoi(argv[2]) : 1;
    device = argc > 1 ? argv[1] : "fibers-cuda";
    for (int i = every / 2; i < op_case_count; i += every) check_case(&op_cases[i]);
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16; p++) {
        check_result r = check_precision((tide_precision)p, device);
        report("product of precision", tide_precision_name((tide_precision)p), 0, &r);
    }
    for (int i = 0; i < GOLDEN_FILES && argc > 3; i++) check_golden_file(argv[3], golden_files[i], false);
    if (argc > 3) check_golden_file(argv[3], golden_steps_file, true);
    if (!fibers_count().launches) printf("nothing ran on %s\n", device), failed++;
    if (failed) printf("%d of %d checks failed\n", failed, done);
    return failed != 0;
}
