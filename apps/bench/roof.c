/* The most that matrix products reach through the engine: what every share is a share of. The fastest of all runs
 * counts, since other work on the machine only slows, and the best of a few sizes, since none is the fastest
 * everywhere. */
#include <tidemill/ops.h>

#include "base/base.h"
#include "parts.h"

static tide_status product(const bench_settings *s, int64_t n, double seconds, double *gflops, tide_failure *failure) {
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = "cpu", .threads = s->threads });
    if (!g) return fail(failure, TIDE_ENOMEM, "out of memory");
    bench_program timed = { 0 };
    tide_val      x = tide_variable(g, "x", tide_fill(g, TIDE_F32, TIDE_SHAPE(n, n), 0.5));
    tide_val      y = tide_variable(g, "y", tide_fill(g, TIDE_F32, TIDE_SHAPE(n, n), 0.25));
    tide_program *p = bench_compile(TIDE_LIST(tide_matmul(x, y)), s->precision, &timed);
    tide_status status = bench_failed(g, p, failure);
    bench_plan  plan   = { .warmups = 0, .least = 2, .most = BENCH_TIMES_MOST, .seconds = seconds, .settings = s };
    if (status == TIDE_OK) status = bench_time(p, NULL, 0, plan, &timed, failure);
    if (status == TIDE_OK) *gflops = MAX2(*gflops, timed.flops / timed.times.min_ms * 1e-6);
    tide_graph_free(g);
    return status;
}

/* A larger product is tried while it takes no longer than its share of the time. */
tide_status bench_roof(const bench_settings *s, double seconds, double *gflops, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int64_t n = 256; status == TIDE_OK && n <= 2048; n *= 2) {
        double took_s = *gflops > 0 ? 2e-9 * (double)(n * n) * (double)n / *gflops : 0;
        if (took_s <= seconds) status = product(s, n, seconds / 3, gflops, failure);
    }
    return status;
}
