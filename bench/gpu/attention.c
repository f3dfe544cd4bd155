/* Times attention, forward alone and with its gradients, on a device, as programs of the engine.
 *   bench_gpu_attention DEVICE [ROUNDS [WHAT]]: those whose name holds WHAT
 * A line of JSON each: the median over rounds of queued repeats, waited for once a round. */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

#include "base/base.h"

enum { ROUNDS = 7, MOST_ROUNDS = 64 };
static const double round_seconds = 0.05;

/* A layer's in the forecasting cases: tokens are variates and time marks. */
static const struct { const char *what; int batch, heads, tokens, size; double dropout; } shapes[] = {
    { "etth1", 32, 8, 11, 32, 0.1 },      { "m1", 128, 8, 12, 64, 0.1 },       { "ecl", 16, 8, 325, 64, 0.1 },
    { "traffic", 16, 8, 866, 64, 0.1 },   { "traffic plain", 16, 8, 866, 64, 0 }, { "64", 256, 8, 64, 64, 0 },
    { "4096", 1, 8, 4096, 64, 0 },        { "large heads", 16, 8, 325, 128, 0 },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static tide_val variable(tide_graph *g, const char *name, int i) {
    tide_shape shape = TIDE_SHAPE(shapes[i].batch, shapes[i].heads, shapes[i].tokens, shapes[i].size);
    return tide_variable(g, name, tide_random_normal(g, shape, 0, 1));
}

/* What is timed: attention's result, or the gradients of its product with numbers like any, kept on the device. */
static tide_program *program(tide_graph *g, int i, tide_precision precision, bool grad) {
    tide_val x[] = { variable(g, "q", i), variable(g, "k", i), variable(g, "v", i) }, kept = variable(g, "kept", i);
    tide_compile_options options = { .precision = precision };
    tide_val o = tide_attention(x[0], x[1], x[2], shapes[i].dropout, TIDE_TRAIN, NULL);
    if (!grad) return tide_compile(TIDE_LIST(tide_assign(kept, o)), &options);
    tide_list d = tide_grad(tide_sum(tide_mul(o, kept), TIDE_ALL), TIDE_LIST(x[0], x[1], x[2]));
    tide_val to[] = { variable(g, "dq", i), variable(g, "dk", i), variable(g, "dv", i) };
    for (int j = 0; j < 3; j++) to[j] = tide_assign(to[j], d.items[j]);
    return tide_compile(TIDE_LIST(to[0], to[1], to[2]), &options);
}

/* Seconds that one of `repeats` queued runs took. */
static double time_runs(tide_program *p, int repeats) {
    double began = os_seconds();
    for (int i = 0; i < repeats; i++)
        if (tide_run(p, NULL, 0) != TIDE_OK) return -1;
    return tide_wait(p) == TIDE_OK ? (os_seconds() - began) / repeats : -1;
}

/* Products alone: two forward, five more backward. */
static double flops(int i, bool grad) {
    double tokens = shapes[i].tokens, entries = (double)shapes[i].batch * shapes[i].heads;
    return (grad ? 14 : 4) * tokens * tokens * shapes[i].size * entries;
}

static bool time_one(const char *device, int i, tide_precision precision, bool grad, int rounds) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .seed = 1 });
    tide_program *p = program(g, i, precision, grad);
    double took[MOST_ROUNDS], once = time_runs(p, 1);
    once = once < 0 ? once : time_runs(p, 1);
    int repeats = once > 0 ? MAX2(1, MIN2(200, (int)(round_seconds / once))) : 1;
    for (int r = 0; r < rounds && once >= 0; r++) once = took[r] = time_runs(p, repeats);
    if (once < 0) {
        fprintf(stderr, "%s: %s%s\n", shapes[i].what, tide_error(g)->message, p ? tide_program_error(p)->message : "");
    } else {
        qsort(took, (size_t)rounds, sizeof *took, by_value);
        printf("{\"who\": \"%s\", \"what\": \"%s\", \"precision\": \"%s\", \"grad\": %s, \"us\": %.1f, "
               "\"gflops\": %.0f}\n", device, shapes[i].what, tide_precision_name(precision), grad ? "true" : "false",
               took[rounds / 2] * 1e6, flops(i, grad) / took[rounds / 2] * 1e-9);
        fflush(stdout);
    }
    tide_graph_free(g);
    return once >= 0;
}

int main(int argc, char **argv) {
    int rounds = argc > 2 ? MAX2(1, MIN2(MOST_ROUNDS, atoi(argv[2]))) : ROUNDS, failed = 0;
    const char *only = argc > 3 ? argv[3] : "";
    if (argc < 2) return fprintf(stderr, "%s DEVICE [ROUNDS [WHAT]]\n", argv[0]), 2;
    for (int i = 0; i < SHAPES; i++)
        for (int j = 0; j < 4 && strstr(shapes[i].what, only); j++)
            failed += !time_one(argv[1], i, j / 2 ? TIDE_PRECISION_BF16 : TIDE_PRECISION_F32, j % 2, rounds);
    return failed != 0;
}
