/* One case: values and derivatives against ref in double, and each derivative along random directions against central
 * differences in f64. */
#include "check_op.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything one check holds. Arrays are in F64; what runs in F32 gets its inputs rounded, and so does the truth. */
typedef struct trial {
    const op_case *c;
    tide_shape     shape[CASE_INPUTS];
    int64_t        count[CASE_INPUTS];
    double        *input[CASE_INPUTS];
    int            inputs;
    bool           short_of_memory;
} trial;

int case_inputs(const op_case *c) {
    return c->unary ? 1 : c->binary ? 2 : c->inputs;
}

/* A number in [0, 1) from a counter: SplitMix64 (Steele et al. 2014). */
static double unit(uint64_t i) {
    uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static void fill(trial *t, bool special) {
    static const double odd[] = { NAN, INFINITY, -INFINITY, 0.0, -0.0, 1.0, -1.0, 1e-30, 3e38, 0.5, 2.5 };
    enum { ODD = sizeof odd / sizeof *odd };
    double low = t->c->low, high = t->c->high;
    if (low == 0 && high == 0) low = -2, high = 2;
    for (int k = 0; k < t->inputs; k++)
        for (int64_t i = 0; i < t->count[k]; i++)
            t->input[k][i] =
                (float)(special ? odd[(k ? i / ODD : i) % ODD] : low + (high - low) * unit((uint64_t)(i + 7919 * k)));
}

static trial trial_new(const op_case *c, const tide_shape *shapes, bool special) {
    trial t = { .c = c, .inputs = case_inputs(c) };
    for (int k = 0; k < t.inputs; k++) {
        t.shape[k] = shapes[k];
        t.count[k] = tide_shape_count(shapes[k]);
        t.input[k] = malloc(((size_t)t.count[k] + 1) * sizeof(double));
        if (!t.input[k]) t.short_of_memory = true;
    }
    if (!t.short_of_memory) fill(&t, special);
    return t;
}

static void trial_free(trial *t) {
    for (int k = 0; k < t->inputs; k++) free(t->input[k]);
}

static tide_val apply(const op_case *c, const tide_val *x) {
    return c->unary ? c->unary(x[0]) : c->binary ? c->binary(x[0], x[1]) : c->build(x);
}

/* ---- values ---- */

/* A constant of `type`, F32 or F64. */
static tide_val numbers(tide_graph *g, tide_dtype type, tide_shape shape, const double *data) {
    int64_t count = tide_shape_count(shape);
    if (type == TIDE_F64) return tide_constant(g, type, shape, data);
    float *copy = malloc(((size_t)count + 1) * sizeof *copy);
    if (!copy) return tide_poison(g, TIDE_ENOMEM, "out of memory for a constant");
    for (int64_t i = 0; i < count; i++) copy[i] = (float)data[i];
    tide_val out = tide_constant(g, type, shape, copy);
    free(copy);
    return out;
}

/* The inputs as constants of `type`. */
static void constants(const trial *t, tide_graph *g, tide_dtype type, tide_val *x) {
    for (int k = 0; k < t->inputs; k++) x[k] = numbers(g, type, t->shape[k], t->input[k]);
}

static tide_graph *graph_on(check_on on) {
    tide_graph *g = tide_graph_new(on.device);
    if (g) tide_autocast(g, on.precision);
    return g;
}
static const check_on truthful = { "ref", TIDE_PRECISION_F32 };

static double element(const void *data, tide_dtype type, int64_t i) {
    switch (type) {
        case TIDE_F32:  return ((const float *)data)[i];
        case TIDE_F64:  return ((const double *)data)[i];
        case TIDE_I32:  return ((const int32_t *)data)[i];
        case TIDE_I64:  return (double)((const int64_t *)data)[i];
        default:        return ((const uint8_t *)data)[i];
    }
}

/* A value as F64; NULL with `r` filled in if it fails. */
static double *read_values(tide_val y, check_on on, int64_t *count, check_result *r) {
    double *out = NULL;
    *count = tide_ok(y) ? tide_shape_count(tide_shape_of(y)) : 0;
    tide_dtype got = tide_ok(y) ? tide_dtype_of(y) : TIDE_F32;
    void *raw = malloc((size_t)*count * tide_dtype_size(got) + 1);
    tide_status status = raw ? tide_read(y, raw, (size_t)*count * tide_dtype_size(got)) : TIDE_ENOMEM;
    if (status == TIDE_OK) out = malloc(((size_t)*count + 1) * sizeof *out);
    else
        snprintf(r->detail, sizeof r->detail, "%s on %s: %.180s", tide_status_name(status), on.device,
                 tide_error(y.graph)->message);
    for (int64_t i = 0; out && i < *count; i++) out[i] = element(raw, got, i);
    free(raw);
    return out;
}

/* Runs what is asked of a graph, in its precision; what is read without a program is in F32. */
static void run_all(tide_list wanted, check_on on) {
    if (check_rounds(on)) tide_run(tide_compile(wanted, NULL), NULL, 0);
}

/* The case's result, as F64; NULL with `r` filled in if it fails. */
static double *evaluate(const trial *t, check_on on, tide_dtype type, int64_t *count, check_result *r) {
    tide_graph *g = graph_on(on);
    tide_val x[CASE_INPUTS] = { { 0 } };
    if (!g) return NULL;
    constants(t, g, type, x);
    tide_val y = apply(t->c, x);
    run_all(TIDE_LIST(y), on);
    double *out = read_values(y, on, count, r);
    tide_graph_free(g);
    return out;
}

/* Infinite where F32 overflows and F64 does not is right as well. */
static bool same_special(double got, double truth) {
    if (isnan(got) || isnan(truth)) return isnan(got) && isnan(truth);
    return got == truth || (isinf(got) && fabs(truth) > (double)FLT_MAX && signbit(got) == signbit(truth));
}

static double largest_of(const double *truth, int64_t count) {
    double largest = 0;
    for (int64_t i = 0; i < count; i++)
        if (isfinite(truth[i])) largest = fmax(largest, fabs(truth[i]));
    return largest;
}

/* A sum of rounded terms is apart by some of its terms, however small it is: in 16 bits all count by the largest. */
static void compare(const double *got, const double *truth, int64_t count, double tolerance, bool rounds,
                    check_result *r) {
    int64_t worst = 0;
    const double least = rounds ? fmax(1, largest_of(truth, count)) : 1;
    for (int64_t i = 0; i < count; i++) {
        if (same_special(got[i], truth[i])) continue;
        double error = fabs(got[i] - truth[i]) / fmax(least, fabs(truth[i]));
        if (!isfinite(error)) error = INFINITY;
        if (error > r->error) worst = i, r->error = error;
    }
    r->passed = r->error <= tolerance;
    if (!r->passed)
        snprintf(r->detail, sizeof r->detail, "element %" PRId64 ": expected %.9g, got %.9g, %.3g apart (%.3g allowed)",
                 worst, truth[worst], got[worst], r->error, tolerance);
}

static double tolerance_of(const op_case *c) { return c->tolerance > 0 ? c->tolerance : 4e-6; }

check_result check_values(const op_case *c, const tide_shape *shapes, check_on on, bool special) {
    check_result r = { .detail = "out of memory" };
    trial t = trial_new(c, shapes, special);
    int64_t count = 0, truth_count = 0;
    double *truth = t.short_of_memory ? NULL : evaluate(&t, truthful, TIDE_F64, &truth_count, &r);
    double *got = truth ? evaluate(&t, on, TIDE_F32, &count, &r) : NULL;
    if (got && count == truth_count) {
        r.detail[0] = 0;
        compare(got, truth, count, check_allowed(on, tolerance_of(c)), check_rounds(on), &r);
    }
    free(got);
    free(truth);
    trial_free(&t);
    return r;
}

/* ---- derivatives beside ref's ---- */

/* sum(op(x) * w) with fixed w. */
static tide_val loss_of(const trial *t, tide_graph *g, tide_dtype type, const tide_val *x) {
    tide_val y = apply(t->c, x);
    int64_t count = tide_ok(y) ? tide_shape_count(tide_shape_of(y)) : 0;
    double *w = malloc(((size_t)count + 1) * sizeof *w);
    if (!w) return tide_poison(g, TIDE_ENOMEM, "out of memory for weights");
    for (int64_t i = 0; i < count; i++) w[i] = 0.5 + unit((uint64_t)i + 104729);
    tide_val weights = numbers(g, type, tide_shape_of(y), w);
    free(w);
    return tide_sum(tide_mul(y, weights), TIDE_ALL);
}

/* The derivatives by all inputs; which of them could not be had is NULL. */
static void differentiate(const trial *t, check_on on, tide_dtype type, double **out, check_result *r) {
    tide_graph *g = graph_on(on);
    tide_val x[CASE_INPUTS] = { { 0 } };
    int64_t count;
    if (!g) return;
    constants(t, g, type, x);
    tide_list grads = tide_grad(loss_of(t, g, type, x), (tide_list){ x, t->inputs });
    run_all(grads, on);
    for (int k = 0; k < t->inputs && grads.count == t->inputs; k++) out[k] = read_values(grads.items[k], on, &count, r);
    tide_graph_free(g);
}

/* As many roundings as forward, and those of the sums that make a derivative of it. */
check_result check_gradient(const op_case *c, const tide_shape *shapes, check_on on) {
    check_result r = { .passed = true }, all = { .passed = true };
    trial t = trial_new(c, shapes, false);
    double *truth[CASE_INPUTS] = { 0 }, *got[CASE_INPUTS] = { 0 };
    if (!t.short_of_memory) differentiate(&t, truthful, TIDE_F64, truth, &all);
    if (!t.short_of_memory) differentiate(&t, on, TIDE_F32, got, &all);
    for (int k = 0; k < t.inputs; k++) {
        if (truth[k] && got[k])
            compare(got[k], truth[k], t.count[k], check_allowed(on, 4 * tolerance_of(c)), check_rounds(on), &all);
        else if (!*all.detail) snprintf(all.detail, sizeof all.detail, "out of memory");
        if (!*r.detail) memcpy(r.detail, all.detail, sizeof r.detail);
        free(truth[k]), free(got[k]);
    }
    r.error = all.error, r.passed = !*r.detail;
    trial_free(&t);
    return r;
}

/* ---- derivatives beside differences ---- */

typedef struct slope {
    tide_graph   *g;
    tide_program *value, *gradient;
    tide_val      x[CASE_INPUTS], loss;
    tide_list     grads;
} slope;

/* The loss and its derivatives as functions of fed inputs. */
static slope slope_new(const trial *t, check_on on) {
    slope s = { .g = graph_on(on) };
    static const char *const names[CASE_INPUTS] = { "x0", "x1", "x2" };
    if (!s.g) return s;
    for (int k = 0; k < t->inputs; k++) s.x[k] = tide_input(s.g, names[k], TIDE_F64, t->shape[k]);
    s.loss     = loss_of(t, s.g, TIDE_F64, s.x);
    s.grads    = tide_grad(s.loss, (tide_list){ s.x, t->inputs });
    s.value    = tide_compile(TIDE_LIST(s.loss), NULL);
    s.gradient = tide_compile(s.grads, NULL);
    return s;
}

static tide_status run_at(const trial *t, const slope *s, tide_program *p, double *const *direction, double step) {
    tide_feed feeds[CASE_INPUTS];
    double *moved[CASE_INPUTS] = { 0 };
    tide_status status = TIDE_OK;
    for (int k = 0; k < t->inputs; k++) {
        moved[k] = malloc(((size_t)t->count[k] + 1) * sizeof(double));
        if (!moved[k]) status = TIDE_ENOMEM;
        for (int64_t i = 0; moved[k] && i < t->count[k]; i++) moved[k][i] = t->input[k][i] + step * direction[k][i];
        feeds[k] = (tide_feed){ s->x[k], moved[k] };
    }
    if (status == TIDE_OK) status = tide_run(p, feeds, t->inputs);
    for (int k = 0; k < t->inputs; k++) free(moved[k]);
    return status;
}

static tide_status value_at(const trial *t, const slope *s, double *const *direction, double step, double *out) {
    tide_status status = run_at(t, s, s->value, direction, step);
    return status == TIDE_OK ? tide_read(s->loss, out, sizeof *out) : status;
}

/* The derivative along the direction: from the gradient. */
static tide_status slope_along(const trial *t, const slope *s, double *const *direction, double *out) {
    tide_status status = run_at(t, s, s->gradient, direction, 0);
    *out = 0;
    for (int k = 0; k < t->inputs && status == TIDE_OK; k++) {
        double *grad = malloc(((size_t)t->count[k] + 1) * sizeof *grad);
        status = grad ? tide_read(s->grads.items[k], grad, (size_t)t->count[k] * sizeof *grad) : TIDE_ENOMEM;
        for (int64_t i = 0; status == TIDE_OK && i < t->count[k]; i++) *out += grad[i] * direction[k][i];
        free(grad);
    }
    return status;
}

/* Central differences err by step^2 and by roundings of the loss / step: 1e-5 balances them near 1e-10. */
static void compare_along(const trial *t, const slope *s, double *const *direction, check_result *r) {
    const double step = 1e-5, tolerance = 1e-6;
    double up = 0, down = 0, slope_found = 0;
    tide_status status = value_at(t, s, direction, step, &up);
    if (status == TIDE_OK) status = value_at(t, s, direction, -step, &down);
    if (status == TIDE_OK) status = slope_along(t, s, direction, &slope_found);
    double expected = (up - down) / (2 * step), error = fabs(expected - slope_found) / fmax(1, fabs(expected));
    if (status != TIDE_OK)
        snprintf(r->detail, sizeof r->detail, "%s: %.200s", tide_status_name(status), tide_error(s->g)->message);
    else if (!(error <= tolerance))
        snprintf(r->detail, sizeof r->detail, "derivative: differences give %.12g, tide_grad %.12g", expected,
                 slope_found);
    r->error  = fmax(r->error, isnan(error) ? INFINITY : error);
    r->passed = r->passed && status == TIDE_OK && error <= tolerance;
}

static bool directions(const trial *t, int which, double **direction) {
    for (int k = 0; k < t->inputs; k++) {
        direction[k] = malloc(((size_t)t->count[k] + 1) * sizeof(double));
        if (!direction[k]) return false;
        for (int64_t i = 0; i < t->count[k]; i++)
            direction[k][i] = 2 * unit((uint64_t)(i + 15485863 * (which + 1) + 7919 * k)) - 1;
    }
    return true;
}

check_result check_derivative(const op_case *c, const tide_shape *shapes, check_on on) {
    enum { DIRECTIONS = 3 };
    check_result r = { .passed = true };
    trial t = trial_new(c, shapes, false);
    slope s = t.short_of_memory ? (slope){ 0 } : slope_new(&t, on);
    for (int which = 0; which < DIRECTIONS && s.g && r.passed; which++) {
        double *direction[CASE_INPUTS] = { 0 };
        if (directions(&t, which, direction)) compare_along(&t, &s, direction, &r);
        for (int k = 0; k < t.inputs; k++) free(direction[k]);
    }
    if (!s.g) r = (check_result){ .detail = "out of memory" };
    tide_graph_free(s.g);
    trial_free(&t);
    return r;
}
