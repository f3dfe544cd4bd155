#include "check_precision.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

enum { ROWS = 70, COLS = 65, DEPTH = 131 };
static const double TOLERANCE = DEPTH * 1.2e-7;  /* of sums of a few hundred */

static double left(int64_t r, int64_t k) { return (double)((r * 31 + k * 17) % 127 - 63) / 16; }
static double right(int64_t k, int64_t c) { return (double)((k * 29 + c * 13) % 101 - 50) / 32; }

static tide_val matrix(tide_graph *g, int64_t rows, int64_t cols, bool turned, double (*number)(int64_t, int64_t)) {
    float   *data = calloc((size_t)(rows * cols), sizeof *data);
    for (int64_t i = 0; data && i < rows * cols; i++)
        data[i] = (float)(turned ? number(i % rows, i / rows) : number(i / cols, i % cols));
    tide_val x = data ? tide_constant(g, TIDE_F32, turned ? TIDE_SHAPE(cols, rows) : TIDE_SHAPE(rows, cols), data)
                      : tide_poison(g, TIDE_ENOMEM, "out of memory for a matrix");
    free(data);
    return turned ? tide_transpose(x, 0, 1) : x;
}

static void compare(const float *got, check_result *r) {
    for (int64_t i = 0; i < ROWS * COLS; i++) {
        double truth = 0;
        for (int64_t k = 0; k < DEPTH; k++) truth += left(i / COLS, k) * right(k, i % COLS);
        double error = fabs((double)got[i] - truth) / fmax(1, fabs(truth));
        if (!(error <= r->error)) r->error = error;
    }
}

check_result check_precision(tide_precision precision, const char *device) {
    check_result r = { 0 };
    for (int turned = 0; turned < 4 && !*r.detail; turned++) {
        tide_graph *g = tide_graph_new(device);
        tide_val y = tide_matmul(matrix(g, ROWS, DEPTH, turned & 1, left), matrix(g, DEPTH, COLS, turned & 2, right));
        tide_program *p = tide_compile(TIDE_LIST(y), &(tide_compile_options){ .precision = precision });
        if (tide_run(p, NULL, 0) == TIDE_OK) compare(tide_data(y), &r);
        else snprintf(r.detail, sizeof r.detail, "%.255s", tide_program_error(p)->message);
        tide_graph_free(g);
    }
    r.passed = !*r.detail && r.error <= TOLERANCE;
    if (!r.passed && !*r.detail) snprintf(r.detail, sizeof r.detail, "apart by %.3g, %.3g allowed", r.error, TOLERANCE);
    return r;
}
