/* A short measurement through the engine, of what a training step is made of: matrix products in each precision,
 * streams through memory, and the start of a program. The fastest of several runs counts: other work on the machine
 * only slows. */
#include "machine.h"

#include <stdio.h>
#include <time.h>

#include <tidemill/ops.h>

#include "base/base.h"

#define MOST_S 2.0           /* after this, nothing is timed a second time */
#define BUSY_S 0.1          /* sizing takes a fraction of it, unless the machine is slow or busy */
#define SLICE_S 0.08         /* of one measurement in one round */
#define PRODUCT_S 0.05       /* a product takes no longer, as far as a small one tells */
#define STREAM_LEAST ((int64_t)96 << 20)  /* bytes of the three arrays together */
#define STREAM_MOST ((int64_t)256 << 20)
enum { ROUNDS = 3, PRODUCT_LEAST = 256, PRODUCT_MOST = 2048, PRODUCT_MOST_APART = 8192, SHARED_LANES = 1 << 16 };

/* One program to be timed. program NULL: not offered here. */
typedef struct bench {
    tide_graph   *graph;
    tide_program *program;
    double        best_s;
} bench;

enum { PRODUCTS, STREAM = PRODUCTS + MACHINE_PRECISIONS, TINY, SHARED_ALONE, SHARED, BENCHES };

/* ---- programs ---- */

/* On which device, with how many threads. */
typedef struct where { const char *device; int threads; } where;

static tide_status bench_open(bench *b, where w, tide_failure *failure) {
    *b = (bench){ .graph = tide_graph_new_with(&(tide_graph_options){ .device = w.device, .threads = w.threads }),
                  .best_s = 1e30 };
    if (!b->graph) return fail(failure, TIDE_ENOMEM, "out of memory");
    const tide_failure *why = tide_error(b->graph);
    return why->status == TIDE_OK ? TIDE_OK : fail(failure, why->status, "%s", why->message);
}

/* To the end of what the device has queued. */
static tide_status run_to_end(tide_program *p, tide_failure *failure) {
    tide_status status = tide_run(p, NULL, 0);
    if (status == TIDE_OK) status = tide_wait(p);
    if (status != TIDE_OK && failure) *failure = *tide_program_error(p);
    return status;
}

/* The first run also makes the variables; it is not counted. */
static tide_status bench_compile(bench *b, tide_val wanted, tide_precision precision, tide_failure *failure) {
    b->program = tide_compile(TIDE_LIST(wanted), &(tide_compile_options){ .precision = precision });
    if (!b->program) return fail(failure, TIDE_ENOMEM, "out of memory");
    return run_to_end(b->program, failure);
}

static tide_val filled(tide_graph *g, const char *name, tide_shape shape, double value) {
    return tide_variable(g, name, tide_fill(g, TIDE_F32, shape, value));
}

static tide_status open_product(bench *b, where w, tide_precision precision, int64_t n, tide_failure *failure) {
    tide_status status = bench_open(b, w, failure);
    if (status != TIDE_OK || tide_precision_here(b->graph, precision, NULL) != precision) return status;
    tide_val x = filled(b->graph, "x", TIDE_SHAPE(n, n), 0.5), y = filled(b->graph, "y", TIDE_SHAPE(n, n), 0.25);
    return bench_compile(b, tide_matmul(x, y), precision, failure);
}

/* x + 3 y */
static tide_status open_stream(bench *b, where w, int64_t lanes, tide_failure *failure) {
    tide_status status = bench_open(b, w, failure);
    if (status != TIDE_OK) return status;
    tide_val x = filled(b->graph, "x", TIDE_SHAPE(lanes), 1), y = filled(b->graph, "y", TIDE_SHAPE(lanes), 2);
    return bench_compile(b, tide_add(x, tide_mul(y, tide_scalar(b->graph, 3))), TIDE_PRECISION_F32, failure);
}

/* ---- timing ---- */

static tide_status bench_run(bench *b, double seconds, tide_failure *failure) {
    double began = os_seconds();
    for (int i = 0; b->program && (i == 0 || os_seconds() - began < seconds); i++) {
        double      start  = os_seconds();
        tide_status status = run_to_end(b->program, failure);
        b->best_s = MIN2(b->best_s, os_seconds() - start);
        if (status != TIDE_OK) return status;
    }
    return TIDE_OK;
}

/* The largest matrices whose product is quick enough to be timed several times, judged by a small one. */
static tide_status product_size(where w, int64_t most, int64_t *n, tide_failure *failure) {
    bench       b;
    tide_status status = open_product(&b, w, TIDE_PRECISION_F32, PRODUCT_LEAST, failure);
    if (status == TIDE_OK) status = bench_run(&b, 0.02, failure);
    *n = PRODUCT_LEAST;
    for (double next_s = 8 * b.best_s; *n < most && next_s < PRODUCT_S; next_s *= 8) *n *= 2;
    tide_graph_free(b.graph);
    return status;
}

/* Four times the last cache, if time and an eighth of the memory allow. */
static int64_t stream_lanes(const machine *m, bool quick) {
    int64_t want = quick ? STREAM_LEAST : MIN2(MAX2(STREAM_LEAST, 4 * m->l3_bytes), STREAM_MOST),
            memory = machine_device_bytes(m);
    return (memory > 0 ? MIN2(want, memory / 8) : want) / 12;
}

static tide_status open_all(bench *all, where w, int64_t n, int64_t lanes, tide_failure *failure) {
    static const tide_precision precisions[] = {
        [MACHINE_F32] = TIDE_PRECISION_F32, [MACHINE_BF16] = TIDE_PRECISION_BF16, [MACHINE_F16] = TIDE_PRECISION_F16
    };
    tide_status status = TIDE_OK;
    for (int i = 0; i < MACHINE_PRECISIONS && status == TIDE_OK; i++)
        status = open_product(&all[PRODUCTS + i], w, precisions[i], n, failure);
    if (status == TIDE_OK) status = open_stream(&all[STREAM], w, lanes, failure);
    if (status == TIDE_OK) status = open_stream(&all[TINY], w, 1, failure);
    if (status == TIDE_OK) status = open_stream(&all[SHARED_ALONE], (where){ w.device, 1 }, SHARED_LANES, failure);
    return status == TIDE_OK ? open_stream(&all[SHARED], w, SHARED_LANES, failure) : status;
}

/* Rounds over all, so that a busy moment of the machine does not fall on one of them alone. */
static tide_status run_all(bench *all, double began, tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; i < ROUNDS * BENCHES && status == TIDE_OK; i++) {
        bench *b = &all[i % BENCHES];
        bool   late = os_seconds() - began > MOST_S;
        if (i < BENCHES || !late) status = bench_run(b, late ? 0 : b < &all[TINY] ? SLICE_S : SLICE_S / 8, failure);
    }
    return status;
}

/* A program too small to share starts at once; one that is shared takes longer than its part of the work done alone. */
static double launch_s(const bench *all, int threads) {
    return MAX2(all[TINY].best_s, all[SHARED].best_s - all[SHARED_ALONE].best_s / threads);
}

tide_status machine_measure(const machine *m, machine_rates *out, tide_failure *failure) {
    bench       all[BENCHES] = { 0 };
    double      began = os_seconds();
    time_t      now   = time(NULL);
    struct tm   utc;
    int64_t     n, lanes;
    *out = (machine_rates){ .measured = true, .threads = machine_threads(m) };
    where       w = { *m->device.name ? m->device.name : "cpu", out->threads };
    int64_t     most = m->device.own_memory ? PRODUCT_MOST_APART : PRODUCT_MOST; /* starting it must not count */
    tide_status status = product_size(w, most, &n, failure);
    lanes = stream_lanes(m, os_seconds() - began > BUSY_S);
    if (status == TIDE_OK) status = open_all(all, w, n, lanes, failure);
    if (status == TIDE_OK) status = run_all(all, began, failure);
    for (int i = 0; i < BENCHES; i++) tide_graph_free(all[i].graph);
    if (status != TIDE_OK) return status;
    for (int i = 0; i < MACHINE_PRECISIONS; i++)
        if (all[PRODUCTS + i].program) out->gflops[i] = 2e-9 * (double)(n * n) * (double)n / all[PRODUCTS + i].best_s;
    out->bandwidth_gbs = 12e-9 * (double)lanes / all[STREAM].best_s;
    out->launch_us     = 1e6 * launch_s(all, out->threads);
    out->took_s        = os_seconds() - began;
    if (gmtime_r(&now, &utc)) strftime(out->measured_at, sizeof out->measured_at, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return TIDE_OK;
}

/* Per core and set, about what a current core reaches: enough to choose a row of a table by, no more. */
void machine_estimate(const machine *m, machine_rates *out) {
    static const struct { unsigned feature; double gflops; } rows[] = {
        { MACHINE_AVX512, 70 }, { MACHINE_AVX2, 40 }, { MACHINE_NEON, 20 }, { 0, 5 },
    };
    int i = 0, threads = machine_threads(m);
    while (rows[i].feature && !(m->features & rows[i].feature)) i++;
    *out = (machine_rates){ .threads = threads, .bandwidth_gbs = MIN2(8.0 * threads, 100.0), .launch_us = 5 };
    out->gflops[MACHINE_F32] = rows[i].gflops * threads;
}
