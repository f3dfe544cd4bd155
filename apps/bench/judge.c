/* What the figures mean, and what to do about them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "parts.h"

/* Mean latency of a batch in ms. The Mac guide stops at M3; later chips are held to its row. */
static const struct {
    int generation;
    double excellent, good;
} apple_rows[] = { { 1, 5, 10 }, { 2, 4, 8 }, { 3, 3, 6 } };

/* Shares of the roof: what whole steps are built to reach, and half of it. */
static const double EXCELLENT_SHARE = 0.65, GOOD_SHARE = 0.325;

/* Of what a quiet machine shows: products within a few percent of the kept rate, runs within a tenth of their
 * fastest. */
static const double BUSY_ROOF = 0.6, BUSY_SPREAD = 2, BUSY_LOAD = 0.5;

bool bench_busy(const machine *m, const bench_result *r, char reason[BENCH_NOTE]) {
    const bench_times *t = &bench_main_program(r)->times;
    double others = r->load - r->threads;
    if (r->kept_gflops > 0 && r->roof_gflops > 0 && r->roof_gflops < BUSY_ROOF * r->kept_gflops)
        snprintf(reason, BENCH_NOTE, "this machine is busy: products run at %.0f GFLOP/s where %.0f are kept from a "
                                     "measurement", r->roof_gflops,
                 r->kept_gflops);
    else if (t->count > 1 && t->min_ms > 0 && t->mean_ms > BUSY_SPREAD * t->min_ms)
        snprintf(reason, BENCH_NOTE, "this machine is busy: a run takes %.1f times as long as the fastest",
                 t->mean_ms / t->min_ms);
    else if (m->processors > 0 && others > BUSY_LOAD * m->processors)
        snprintf(reason, BENCH_NOTE, "this machine is busy: load %.1f on %d processors", r->load, m->processors);
    else return *reason = 0, false;
    return true;
}

const char *bench_rating(const machine *m, const bench_result *r) {
    static const char *const words[] = { "could be better", "good", "excellent" };
    const bench_program *p = r->infer.times.count ? &r->infer : &r->train;
    double share = bench_roof_share(r, p);
    char reason[BENCH_NOTE];
    if (bench_busy(m, r, reason)) return "not rated";
    if (m->apple && m->apple_generation > 0 && r->infer.times.count) {
        int i = MIN2(m->apple_generation, 3) - 1;
        return words[(p->times.mean_ms < apple_rows[i].excellent) + (p->times.mean_ms < apple_rows[i].good)];
    }
    return share > 0 ? words[(share >= EXCELLENT_SHARE) + (share >= GOOD_SHARE)] : "unknown";
}

/* ---- recommendations: each says whether it applies ---- */

typedef bool advise(const machine *m, const bench_result *r, char text[BENCH_NOTE]);

static bool machine_is_busy(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    char reason[BENCH_NOTE];
    bool busy = bench_busy(m, r, reason);
    snprintf(text, BENCH_NOTE, "%.160s: time it again when it is idle", reason);
    return busy;
}

static bool memory_is_short(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    (void)m;
    double share = (double)r->memory.peak_bytes / (double)MAX2(1, r->memory.available_bytes),
           there = r->device.memory_bytes > 0 ? (double)r->memory.device_bytes / (double)r->device.memory_bytes : 0;
    snprintf(text, BENCH_NOTE, "%.0f %% of the %smemory is in use: take a smaller batch or model",
             100 * MAX2(share, there), there > share ? "device's " : "");
    return MAX2(share, there) > 0.9;
}

static bool start_is_slow(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    (void)m;
    const bench_program *p = bench_main_program(r);
    double start_ms = p->compile_ms + p->times.first_ms, runs = p->times.mean_ms > 0 ? start_ms / p->times.mean_ms : 0;
    snprintf(text, BENCH_NOTE,
             "compiling and the first run take as long as %.0f runs: do much work in one process, such as many files "
             "in one call", runs);
    return runs > 100;
}

static bool batch_is_large(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    snprintf(text, BENCH_NOTE, "a batch of %lld is much for an M1: 256 is advised", (long long)r->spec.batch);
    return m->apple && m->apple_generation == 1 && m->apple_tier == MACHINE_BASE && r->spec.kind == BENCH_FORECAST &&
           r->spec.batch > 256;
}

static bool times_scatter(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    (void)m;
    const bench_times *t = &bench_main_program(r)->times;
    snprintf(text, BENCH_NOTE, "one run in twenty takes over %.1f times the mean: other work on this machine, or it "
                               "slows down from heat",
             t->mean_ms > 0 ? t->p95_ms / t->mean_ms : 0);
    return t->count > 0 && t->p95_ms > 2 * t->mean_ms;
}

static bool cores_are_idle(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    snprintf(text, BENCH_NOTE, "%d thread%s on %d cores: `threads` %d uses them all", r->threads,
             r->threads == 1 ? "" : "s",
             machine_threads(m), machine_threads(m));
    return !r->device.own_memory && r->threads < machine_threads(m);
}

static bool bf16_is_native(const machine *m, const bench_result *r, char text[BENCH_NOTE]) {
    snprintf(text, BENCH_NOTE, "this processor multiplies bf16 natively: `precision` bf16 may be faster");
    bool here = r->spec.kind != BENCH_EIS_EXACT && (!*r->device.name || strcmp(r->device.name, "cpu") == 0);
    return here && r->precision == TIDE_PRECISION_F32 && (m->features & (MACHINE_AVX512_BF16 | MACHINE_AMX_BF16));
}

bool bench_recommendation(const machine *m, const bench_result *r, int i, char buffer[BENCH_NOTE]) {
    static advise *const all[] = { machine_is_busy, memory_is_short, start_is_slow, batch_is_large,
                                   times_scatter,   cores_are_idle,  bf16_is_native };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        if (all[k](m, r, buffer) && i-- == 0) return true;
    *buffer = 0;
    return false;
}
