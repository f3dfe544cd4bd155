/* The most that matrix products reach through the engine: what every share is a share of. The fastest of all runs
 * counts, since other work on the machine only slows, and the best of a few sizes, since none is the fastest
 * everywhere. */
#include <tidemill/ops.h>

#include "base/base.h"
#include "parts.h"

enum { SMALLEST = 256, LARGEST = 2048, LARGEST_QUEUED = 8192 };

static tide_status product(const bench_settings *s, bool queues, int64_t n, double seconds, double *gflops,
                           tide_failure *failure) {
    tide_graph *g = bench_graph(s->device, s->threads, failure);
    if (!g) return failure ? failure->status : TIDE_ENOMEM;
    bench_program timed = { 0 };
    tide_val      x = tide_variable(g, "x", tide_fill(g, TIDE_F32, TIDE_SHAPE(n, n), 0.5));
    tide_val      y = tide_variable(g, "y", tide_fill(g, TIDE_F32, TIDE_SHAPE(n, n), 0.25));
    tide_program *p = bench_compile(TIDE_LIST(tide_matmul(x, y)), s->precision, &timed);
    tide_status status = bench_failed(g, p, failure);
    bench_plan  plan   = { .least = 2, .most = BENCH_TIMES_MOST, .seconds = seconds, .queues = queues, .settings = s };
    if (status == TIDE_OK) status = bench_time(p, plan, &timed, failure);
    double best_ms = timed.times.queued_ms > 0 ? MIN2(timed.times.queued_ms, timed.times.min_ms) : timed.times.min_ms;
    if (status == TIDE_OK) *gflops = MAX2(*gflops, timed.flops / best_ms * 1e-6);
    tide_graph_free(g);
    return status;
}

/* A larger product is tried while it takes no longer than its share of the time. One that is queued pays for its start
 * too: it must be larger for that not to count. */
tide_status bench_roof(const bench_settings *s, const tide_device *device, double seconds, double *gflops,
                       tide_failure *failure) {
    tide_status status = TIDE_OK;
    int64_t     most   = device->own_memory ? LARGEST_QUEUED : LARGEST;
    for (int64_t n = SMALLEST; status == TIDE_OK && n <= most; n *= 2) {
        double took_s = *gflops > 0 ? 2e-9 * (double)(n * n) * (double)n / *gflops : 0;
        if (took_s <= seconds) status = product(s, device->own_memory, n, seconds / 3, gflops, failure);
    }
    return status;
}
