/* Times the products of shapes.h on a device, as programs of the engine.
 *   bench_gpu_products DEVICE [ROUNDS [WHAT [TYPE]]]: those whose name holds WHAT, of f32 operands or of another type
 * A line of JSON each: the median over rounds of queued repeats, waited for once a round. */
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

#include "base/base.h"
#include "shapes.h"

enum { ROUNDS = 7, MOST_ROUNDS = 64 };
static const double round_seconds = 0.05;

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double flops(const product_shape *s) { return 2.0 * s->m * s->n * s->k * s->batches; }

/* An operand with its rows and columns in memory as the shape says, as a variable: it is on the device. */
static tide_val operand(tide_graph *g, const char *name, tide_dtype type, int batches, int rows, int cols,
                        bool turned) {
    tide_shape shape = turned ? TIDE_SHAPE(batches, cols, rows) : TIDE_SHAPE(batches, rows, cols);
    tide_val v = tide_variable(g, name, tide_cast(tide_random_normal(g, shape, 0, 1), type));
    return turned ? tide_transpose(v, 1, 2) : v;
}

/* Seconds that one of `repeats` queued runs took. */
static double time_runs(tide_program *p, int repeats) {
    double began = os_seconds();
    for (int i = 0; i < repeats; i++)
        if (tide_run(p, NULL, 0) != TIDE_OK) return -1;
    return tide_wait(p) == TIDE_OK ? (os_seconds() - began) / repeats : -1;
}

static bool time_shape(const char *device, const product_shape *s, tide_dtype type, int rounds) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device, .seed = 1 });
    tide_val a = operand(g, "a", type, s->batches, s->m, s->k, s->turn_a);
    tide_val b = operand(g, "b", type, s->batches, s->k, s->n, s->turn_b);
    tide_val c = tide_variable(g, "c", tide_fill(g, TIDE_F32, TIDE_SHAPE(s->batches, s->m, s->n), 0));
    tide_program *p = tide_compile(TIDE_LIST(tide_assign(c, tide_cast(tide_matmul(a, b), TIDE_F32))), NULL);
    double took[MOST_ROUNDS], once = time_runs(p, 1);
    once = once < 0 ? once : time_runs(p, 1);
    int repeats = once > 0 ? MAX2(1, MIN2(200, (int)(round_seconds / once))) : 1;
    for (int i = 0; i < rounds && once >= 0; i++) once = took[i] = time_runs(p, repeats);
    if (once < 0) {
        fprintf(stderr, "%s: %s%s\n", s->what, tide_error(g)->message, p ? tide_program_error(p)->message : "");
        tide_graph_free(g);
        return false;
    }
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    printf("{\"who\": \"%s\", \"type\": \"%s\", \"what\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, "
           "\"batches\": %d, \"us\": %.1f, \"gflops\": %.0f}\n", device, tide_dtype_name(type), s->what, s->m, s->n,
           s->k, s->batches, took[rounds / 2] * 1e6, flops(s) / took[rounds / 2] * 1e-9);
    fflush(stdout);
    tide_graph_free(g);
    return true;
}

int main(int argc, char **argv) {
    int rounds = argc > 2 ? MAX2(1, MIN2(MOST_ROUNDS, atoi(argv[2]))) : ROUNDS, failed = 0;
    const char *only = argc > 3 ? argv[3] : "";
    tide_dtype type = TIDE_F32;
    for (int i = 0; argc > 4 && i < TIDE_DTYPES; i++)
        if (strcmp(tide_dtype_name((tide_dtype)i), argv[4]) == 0) type = (tide_dtype)i;
    if (argc < 2) return fprintf(stderr, "%s DEVICE [ROUNDS [WHAT [TYPE]]]\n", argv[0]), 2;
    for (int i = 0; i < PRODUCT_SHAPES; i++)
        if (strstr(product_shapes[i].what, only)) failed += !time_shape(argv[1], &product_shapes[i], type, rounds);
    return failed != 0;
}
