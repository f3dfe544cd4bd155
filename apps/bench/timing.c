/* Runs of a program, timed: each to its end, and many that are queued before one wait. */
#include <stdio.h>

#include "base/base.h"
#include "parts.h"
#include "train/step.h"

tide_status bench_failed(const tide_graph *g, const tide_program *p, tide_failure *failure) {
    const tide_failure *why = tide_error(g)->status != TIDE_OK ? tide_error(g) : p ? tide_program_error(p) : NULL;
    if (!why) return fail(failure, TIDE_ENOMEM, "out of memory for a program");
    if (why->status != TIDE_OK && failure && failure->status == TIDE_OK) *failure = *why;
    return why->status;
}

tide_status bench_tell(const bench_settings *s, const char *name, const char *what, tide_failure *failure) {
    char line[BENCH_NOTE];
    snprintf(line, sizeof line, "%s %s: %s", name, tide_precision_name(s->precision), what);
    return !s->tell || s->tell(s->user, line) ? TIDE_OK : bench_cancelled(failure);
}

/* A device that is asked for many runs may first make something for it. */
enum { QUEUE_WARMUPS = 16 };

/* A counter of energy moves a few times in a second: over less than this nothing is known. */
static const double SHORTEST_ENERGY_S = 0.3;

tide_graph *bench_graph(const char *device, int threads, tide_failure *failure) {
    tide_graph *g = NULL;
    if (train_graph_new(&(train_graph){ .device = device, .threads = threads, .seed = 1 }, &g, failure) == TIDE_OK)
        return g;
    tide_graph_free(g);
    return NULL;
}

bool bench_stopped(const bench_settings *s) { return s && s->stop && s->stop(s->user); }

tide_status bench_cancelled(tide_failure *failure) {
    return fail(failure, TIDE_ECANCELLED, "the benchmark was stopped");
}

tide_program *bench_compile(tide_list wanted, tide_precision precision, bench_program *out) {
    double        began = os_seconds();
    tide_program *p     = tide_compile(wanted, &(tide_compile_options){ .precision = precision });
    out->compile_ms     = 1e3 * (os_seconds() - began);
    if (p)
        out->flops = tide_program_flops(p), out->kernels = tide_program_kernels(p), out->placed = tide_program_bytes(p);
    return p;
}

/* One run in ms; negative: it failed. */
static double run_ms(tide_program *p) {
    double began = os_seconds();
    return tide_run(p, NULL, 0) == TIDE_OK && tide_wait(p) == TIDE_OK ? 1e3 * (os_seconds() - began) : -1;
}

/* ms of one of `runs` that are queued and then waited for; negative: one failed. */
static double queued_ms(tide_program *p, int64_t runs) {
    double began = os_seconds();
    for (int64_t i = 0; i < runs; i++)
        if (tide_run(p, NULL, 0) != TIDE_OK) return -1;
    return tide_wait(p) == TIDE_OK ? 1e3 * (os_seconds() - began) / (double)runs : -1;
}

static tide_status run_failed(const tide_program *p, tide_failure *failure) {
    const tide_failure *why = tide_program_error(p);
    if (failure && failure->status == TIDE_OK) *failure = *why;
    return why->status != TIDE_OK ? why->status : fail(failure, TIDE_EDEVICE, "a run failed without a reason");
}

tide_status bench_time(tide_program *p, bench_plan plan, bench_program *out, tide_failure *failure) {
    bench_times *t       = &out->times;
    double       one     = t->first_ms = run_ms(p), sum = one, began;
    bool         stopped = false;
    for (int i = 0; i < plan.warmups && one >= 0 && !(stopped = bench_stopped(plan.settings)); i++)
        sum += one = run_ms(p);
    t->warmups = 1 + plan.warmups, t->warmup_ms = sum / (double)t->warmups;
    began = os_seconds();
    while (one >= 0 && !stopped && t->count < plan.most &&
           (t->count < plan.least || os_seconds() - began < plan.seconds)) {
        t->ms[t->count++] = one = run_ms(p);
        stopped = bench_stopped(plan.settings);
    }
    if (stopped) return bench_cancelled(failure);
    if (one >= 0 && plan.queues) one = queued_ms(p, QUEUE_WARMUPS);
    if (one >= 0 && plan.queues) one = t->queued_ms = queued_ms(p, t->count);
    if (one < 0) return run_failed(p, failure);
    bench_summarise(t);
    return TIDE_OK;
}

tide_status bench_energy(tide_program *p, bench_plan plan, const char *device, int64_t runs, double *joules,
                         tide_failure *failure) {
    device_meter meter;
    double  before, after, one = 0;
    int64_t done = 0;
    if (runs < 1 || !device_meter_open(device, &meter) || !device_meter_read(&meter, &before)) return TIDE_OK;
    double began = os_seconds();
    for (; one >= 0 && (done == 0 || os_seconds() - began < plan.seconds / 3); done += runs) {
        if (bench_stopped(plan.settings)) return bench_cancelled(failure);
        one = queued_ms(p, runs);
    }
    if (one < 0) return run_failed(p, failure);
    if (os_seconds() - began >= SHORTEST_ENERGY_S && device_meter_read(&meter, &after))
        *joules = (after - before) / (double)done;
    return TIDE_OK;
}
