/* The op table (apps/selftest) on fibers, by both languages, and golden files, in F32 and in bf16: test_fibers_ops
 * DEVICE EVERY [FOLDER], every EVERY-th case of the table, and the golden files in the folder. */
#include "fibers.h"

#include <stdio.h>
#include <stdlib.h>

#include "selftest/check_precision.h"
#include "selftest/golden.h"

enum { LARGE_EVERY = 4 };

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
    const check_on on = { device };
    for (int i = 0; i < (c->build ? 1 : CASE_SHAPES); i++) {
        const tide_shape *shapes = c->unary ? &unary_shapes[i] : c->binary ? binary_shapes[i] : c->shape;
        check_result r = check_values(c, shapes, on, false);
        report("values of", c->name, i, &r);
        if (c->flat || strcmp(device, "fibers-cuda")) continue;
        r = check_derivative(c, shapes, on);
        report("derivative of", c->name, i, &r);
    }
    if (c->build) return;
    check_result r = check_values(c, table, on, true);
    report("special values of", c->name, 0, &r);
}

/* Rows that are large enough for what is only said of large ones. */
static void check_large(const op_case *c, tide_precision precision) {
    const check_on on = { device, precision };
    check_result r = check_values(c, c->shape, on, false);
    report(tide_precision_name(precision), c->name, 0, &r);
    if (c->flat) return;
    r = check_gradient(c, c->shape, on);
    report(check_rounds(on) ? "derivative in 16 bits of" : "derivative in f32 of", c->name, 0, &r);
}

static void check_golden_file(const char *folder, const char *name, bool steps, tide_precision precision) {
    char path[1024];
    check_result r = { 0 };
    tide_failure why = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if ((steps ? golden_steps_check : golden_check)(path, (check_on){ device, precision }, &r, &why) != TIDE_OK)
        snprintf(r.detail, sizeof r.detail, "%.250s", why.message), r.passed = false;
    report(precision == TIDE_PRECISION_F32 ? "golden file" : "golden file in 16 bits", name, 0, &r);
}

int main(int argc, char **argv) {
    if (!fibers_possible()) return 77;
    int every = argc > 2 ? atoi(argv[2]) : 1;
    device = argc > 1 ? argv[1] : "fibers-cuda";
    const bool all = every == 1;
    for (int i = every / 2; i < op_case_count; i += every) check_case(&op_cases[i]);
    for (int i = 0, seen = 0; i < op_case_count; i++) {
        if (!op_cases[i].large || (seen++ % LARGE_EVERY && !all)) continue;
        for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_BF16; p++) check_large(&op_cases[i], (tide_precision)p);
    }
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16; p++) {
        check_result r = check_precision((tide_precision)p, device);
        report("product of precision", tide_precision_name((tide_precision)p), 0, &r);
    }
    for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_BF16 && argc > 3; p++) {
        for (int i = 0; i < GOLDEN_FILES; i++) check_golden_file(argv[3], golden_files[i], false, (tide_precision)p);
        check_golden_file(argv[3], golden_steps_file, true, (tide_precision)p);
    }
    if (!fibers_count().launches) printf("nothing ran on %s\n", device), failed++;
    if (failed) printf("%d of %d checks failed\n", failed, done);
    return failed != 0;
}
