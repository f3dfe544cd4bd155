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
    check_on                on;
    tide_graph             *open;     /* on the device, which some close with their last graph and open for long */
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

static bool asked_for(const session *s, const char *check) {
    return !s->stopped && (!s->options->only || strstr(check, s->options->only));
}

/* ---- the table ---- */

static check_result values(const op_case *c, const tide_shape *shapes, check_on on) {
    return check_values(c, shapes, on, false);
}
static check_result specials(const op_case *c, const tide_shape *shapes, check_on on) {
    return check_values(c, shapes, on, true);
}

typedef check_result check_fn(const op_case *c, const tide_shape *shapes, check_on on);

static void check(session *s, const char *form, check_fn *how, const op_case *c, const tide_shape *shapes,
                  int variant) {
    char name[64], number[16] = "";
    if (variant) snprintf(number, sizeof number, " #%d", variant + 1);
    snprintf(name, sizeof name, form, c->name, number);
    if (!asked_for(s, name)) return;
    check_result r = how(c, shapes, s->on);
    count(s, name, &r);
}

/* One set of shapes. Differences are of F64, in which no product is rounded. */
static void check_shapes(session *s, const op_case *c, const tide_shape *shapes, int variant) {
    const bool rounds = check_rounds(s->on);
    check(s, "%s%s", values, c, shapes, variant);
    if (c->flat) return;
    if (!rounds) check(s, "d %s%s", check_derivative, c, shapes, variant);
    if (rounds || c->large) check(s, rounds ? "d %s%s" : "d %s%s, f32", check_gradient, c, shapes, variant);
}

static void check_case(session *s, const op_case *c) {
    int variants = c->build ? 1 : CASE_SHAPES;
    for (int i = 0; i < variants && !s->stopped; i++)
        check_shapes(s, c, c->unary ? &unary_shapes[i] : c->binary ? binary_shapes[i] : c->shape, i);
    const tide_shape table[CASE_INPUTS] = { TIDE_SHAPE(11, 11), TIDE_SHAPE(11, 11) };
    if (!c->build) check(s, "%s%s of NaN, inf, 0", specials, c, table, 0);
}

/* ---- the others ---- */

static void check_precisions(session *s) {
    for (int p = TIDE_PRECISION_BF16; p <= TIDE_PRECISION_F16 && !s->stopped; p++) {
        char name[64];
        snprintf(name, sizeof name, "matmul, precision %s", tide_precision_name((tide_precision)p));
        if (!asked_for(s, name)) continue;
        check_result r = check_precision((tide_precision)p, s->on.device);
        count(s, name, &r);
    }
}

static tide_status check_golden_file(session *s, const char *file, tide_failure *failure) {
    bool steps = file == golden_steps_file;
    char path[1024];
    check_result r = { 0 };
    if (!asked_for(s, file)) return TIDE_OK;
    if (snprintf(path, sizeof path, "%s/%s", s->options->golden, file) >= (int)sizeof path)
        return fail(failure, TIDE_EINVAL, "the path of the golden files is too long");
    if (steps && access(path, F_OK)) return TIDE_OK;
    tide_status status = (steps ? golden_steps_check : golden_check)(path, s->on, &r, failure);
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

/* And what the precision that is asked for comes to there. */
static tide_status open_device(session *s, tide_failure *failure) {
    float one;
    tide_graph *g = s->open = tide_graph_new(s->on.device);
    if (!g) return fail(failure, TIDE_ENOMEM, "selftest: out of memory");
    s->on.precision = s->result->precision =
        tide_precision_here(g, MAX2(s->options->precision, TIDE_PRECISION_F32), &s->result->precision_note);
    tide_status status = tide_read(tide_scalar(g, 1), &one, sizeof one);
    return status == TIDE_OK ? TIDE_OK : fail(failure, status, "%s", tide_error(g)->message);
}

static tide_status check_all(session *s, tide_failure *failure) {
    const selftest_result *r = s->result;
    tide_status status = TIDE_OK;
    for (int i = 0; i < op_case_count && !s->stopped; i++) check_case(s, &op_cases[i]);
    check_precisions(s);
    if (s->options->golden && !s->stopped) status = check_golden(s, failure);
    if (status == TIDE_OK && s->stopped) status = fail(failure, TIDE_ECANCELLED, "stopped");
    if (status == TIDE_OK && r->passed + r->failed == 0)
        status = fail_at(failure, TIDE_EINVAL, NULL, 0, "only", "no check has \"%s\" in its name", s->options->only);
    return status;
}

tide_status selftest_run(const selftest_options *options, selftest_result *result, tide_failure *failure) {
    session s = { .options = options,
                  .on.device = options->device && *options->device ? options->device : "cpu",
                  .result = result };
    tide_status status = tide_device_check(s.on.device, failure);
    if (status == TIDE_OK) status = open_device(&s, failure);
    if (status == TIDE_OK) status = check_all(&s, failure);
    tide_graph_free(s.open);
    return status;
}
