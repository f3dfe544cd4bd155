/* The self-test as a whole: every case on the device, then precisions, then golden files; counts, and the largest
 * error. */
#include "selftest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "check_precision.h"
#include "golden.h"

typedef struct session {
    const selftest_options *options;
    const char             *device;
    selftest_result        *result;
    bool                    stopped;
} session;

static void count(session *s, const char *check, const check_result *r) {
    selftest_result *total = s->result;
    *(r->passed ? &total->passed : &total->failed) += 1;
    if (r->error > total->worst_rel_error) {
        total->worst_rel_error = r->error;
        snprintf(total->worst, sizeof total->worst, "%s", check);
    }
    if (s->options->report && s->options->report(s->options->user, check, r->passed, r->error, r->detail))
        s->stopped = true;
}

/* One set of shapes: values, NaN and infinities for element-wise rows, the derivative. */
static void check_shapes(session *s, const op_case *c, const tide_shape *shapes, int variant) {
    char name[64];
    snprintf(name, sizeof name, variant ? "%s #%d" : "%s", c->name, variant + 1);
    check_result r = check_values(c, shapes, s->device, false);
    count(s, name, &r);
    if (c->flat || s->stopped) return;
    snprintf(name, sizeof name, variant ? "d %s #%d" : "d %s", c->name, variant + 1);
    r = check_derivative(c, shapes, s->device);
    count(s, name, &r);
}

static void check_specials(session *s, const op_case *c) {
    const tide_shape table[CASE_INPUTS] = { TIDE_SHAPE(11, 11), TIDE_SHAPE(11, 11) };
    char name[64];
    snprintf(name, sizeof name, "%s of NaN, inf, 0", c->name);
    check_result r = check_values(c, table, s->device, true);
    count(s, name, &r);
}

static void check_case(session *s, const op_case *c) {
    int variants = c->build ? 1 : CASE_SHAPES;
    for (int i = 0; i < variants && !s->stopped; i++)
        check_shapes(s, c, c->unary ? &unary_shapes[i] : c->binary ? binary_shapes[i] : c->shape, i);
    if (!c->build && !s->stopped) check_specials(s, c);
}

static void check_precisions(session *s) {
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16 && !s->stopped; p++) {
        char name[64];
        snprintf(name, sizeof name, "matmul, precision %s", tide_precision_name((tide_precision)p));
        check_result r = check_precision((tide_precision)p, s->device);
        count(s, name, &r);
    }
}

static tide_status check_golden_file(session *s, const char *file, tide_failure *failure) {
    bool steps = file == golden_steps_file;
    char path[1024];
    check_result r = { 0 };
    if (snprintf(path, sizeof path, "%s/%s", s->options->golden, file) >= (int)sizeof path)
        return fail(failure, TIDE_EINVAL, "the path of the golden files is too long");
    if (steps && access(path, F_OK)) return TIDE_OK;
    tide_status status = (steps ? golden_steps_check : golden_check)(path, s->device, &r, failure);
    if (status != TIDE_OK) return status;
    s->result->golden_files++;
    count(s, file, &r);
    return TIDE_OK;
}

static tide_status check_golden(session *s, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; i < GOLDEN_FILES && status == TIDE_OK && !s->stopped; i++)
        status = check_golden_file(s, golden_files[i], failure);
    return status == TIDE_OK && !s->stopped ? check_golden_file(s, golden_steps_file, failure) : status;
}

tide_status selftest_run(const selftest_options *options, selftest_result *result, tide_failure *failure) {
    session s = { .options = options,
                  .device = options->device && *options->device ? options->device : "cpu",
                  .result = result };
    tide_status status = tide_device_check(s.device, failure);
    if (status != TIDE_OK) return status;
    for (int i = 0; i < op_case_count && !s.stopped; i++) check_case(&s, &op_cases[i]);
    check_precisions(&s);
    if (options->golden && !s.stopped) status = check_golden(&s, failure);
    if (status == TIDE_OK && s.stopped) status = fail(failure, TIDE_ECANCELLED, "stopped");
    return status;
}
