/* A benchmark's figures as a table for the terminal. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "parts.h"

#define MIB (1024.0 * 1024)

static void add_cell(text *t, int width, int decimals, double value) {
    if (value > 0) text_add(t, " %*.*f", width, decimals, value);
    else text_add(t, " %*s", width, "-");
}

static double more(int64_t peak, int64_t before) { return peak > before ? (double)(peak - before) / MIB : 0; }

static void add_times(text *t, const bench_entry *e) {
    const bench_result  *r = &e->result;
    const bench_program *p = bench_main_program(r);
    text_add(t, "%-15s %-5s", r->spec.name, tide_precision_name(r->precision));
    add_cell(t, 10, 3, e->step_ms);
    add_cell(t, 9, 3, p->times.p95_ms);
    add_cell(t, 10, 0, e->step_ms > 0 ? 1e3 * (double)p->batch / e->step_ms : 0);
    add_cell(t, 8, 1, bench_gflops(p));
    add_cell(t, 7, 1, r->roof_gflops);
    add_cell(t, 6, 1, 100 * bench_roof_share(r, p));
    add_cell(t, 9, 1, 1e3 * e->infer_ms);
    add_cell(t, 9, 1, 1e3 * r->one.times.p95_ms);
    add_cell(t, 8, 1, p->compile_ms);
    add_cell(t, 8, 1, r->first_step_ms);
    add_cell(t, 8, 1, (double)p->placed.total / MIB);
    add_cell(t, 8, 1, more(r->memory.peak_bytes, r->memory.before_bytes));
    add_cell(t, 7, 2, r->joules);
    text_add(t, "\n");
}

static int mode_width(int mode) { return MAX2(11, (int)strlen(bench_mode_name((bench_mode)mode))); }

static void add_modes(text *t, int modes) {
    for (int m = 0; m < modes; m++) text_add(t, " %*s", mode_width(m), bench_mode_name((bench_mode)m));
}

static void add_ratios(text *t, const bench_entry *e, int modes) {
    bench_ratios q = bench_ratios_of(e);
    text_add(t, "%-15s %-5s", e->result.spec.name, tide_precision_name(e->result.precision));
    for (int m = 0; m < modes; m++) add_cell(t, mode_width(m), 3, e->peer.mode[m].step_ms);
    add_cell(t, 7, 2, q.eager);
    add_cell(t, 9, 2, q.compile);
    add_cell(t, 7, 2, q.best);
    add_cell(t, 11, 2, q.roof_allows);
    add_cell(t, 8, 2, q.infer);
    text_add(t, "\n");
}

/* Ours and theirs with a wait at the end alone, and what is held on the device. */
static void add_queued(text *t, const bench_report *r, int modes) {
    text_add(t, "\nqueued: ms of a step of many before one wait; MiB of the device, theirs in their fastest mode\n");
    text_add(t, "%-15s %-5s %9s", "case", "", "ours");
    add_modes(t, modes);
    text_add(t, " %7s %9s %9s\n", "/best", "our MiB", "their MiB");
    for (int64_t i = 0; i < r->count; i++) {
        const bench_entry *e = &r->entry[i];
        bench_ratios q = bench_ratios_of(e);
        text_add(t, "%-15s %-5s", e->result.spec.name, tide_precision_name(e->result.precision));
        add_cell(t, 9, 3, e->queued_ms);
        for (int m = 0; m < modes; m++) add_cell(t, mode_width(m), 3, e->peer.mode[m].queued_ms);
        add_cell(t, 7, 2, q.queued);
        add_cell(t, 9, 1, (double)bench_main_program(&e->result)->placed.total / MIB);
        add_cell(t, 9, 1, q.peer_peak_mib);
        text_add(t, "\n");
    }
}

static void add_comparison(text *t, const bench_report *r) {
    int modes = bench_modes_on(r->device.name);
    text_add(t, "\nagainst %s, %d rounds: their step in ms, and theirs / ours (above 1: we are faster)\n",
             *r->entry[0].peer.version ? r->entry[0].peer.version : "the script", r->rounds);
    text_add(t, "%-15s %-5s", "case", "");
    add_modes(t, modes);
    text_add(t, " %7s %9s %7s %11s %8s\n", "/eager", "/compile", "/best", "roof allows", "/answer");
    for (int64_t i = 0; i < r->count; i++) add_ratios(t, &r->entry[i], modes);
    if (bench_on_cuda(r->device.name)) add_queued(t, r, modes);
    for (int64_t i = 0; i < r->count; i++)
        if (*r->entry[i].peer.failed)
            text_add(t, "%s: the script failed in mode %s\n", r->entry[i].result.spec.name, r->entry[i].peer.failed);
}

static void add_epochs(text *t, const bench_result *r) {
    if (r->epochs.steps == 0) return;
    text_add(t, "%s: %lld of %lld steps in %.1f s", r->spec.name, (long long)r->epochs.steps,
             (long long)r->epochs.planned,
             r->epochs.seconds);
    if (r->epochs.steps < r->epochs.planned)
        text_add(t, "; at this rate all of them take %.1f min", r->epochs.whole_s / 60);
    text_add(t, " (%lld epochs of %lld samples)\n", (long long)r->spec.epochs, (long long)r->spec.samples);
}

static void add_batches(text *t, const bench_result *r) {
    for (int i = 0; i < BENCH_BATCHES && r->batches[i].batch; i++)
        text_add(t, "%s: batch %5lld: placed %6.1f MiB, resident memory grew by %6.1f MiB\n", r->spec.name,
                 (long long)r->batches[i].batch,
                 (double)r->batches[i].placed_bytes / MIB, (double)r->batches[i].peak_bytes / MIB);
}

static void add_notes(text *t, const bench_report *report, const bench_result *r) {
    char note[BENCH_NOTE];
    const bench_program *rated = r->infer.times.count ? &r->infer : &r->train;
    text_add(t, "%s %s: %s", r->spec.name, tide_precision_name(r->precision), bench_rating(&report->here, r));
    if (bench_roof_share(r, rated) > 0)
        text_add(t, " (%.0f %% of the rate of products)", 100 * bench_roof_share(r, rated));
    text_add(t, "\n");
    const bench_times *times = &bench_main_program(r)->times;
    if (times->queued_ms > 0)
        text_add(t, "  %.3f ms a run when %lld are queued before one wait\n", times->queued_ms,
                 (long long)times->count);
    if (r->copy_ms > 0)
        text_add(t, "  %.3f ms to copy %.2f MiB of data to the device, which is in no other figure\n", r->copy_ms,
                 (double)r->memory.input_bytes / MIB);
    if (r->memory.device_bytes > 0)
        text_add(t, "  %.1f MiB in use on the device\n", (double)r->memory.device_bytes / MIB);
    if (*r->note) text_add(t, "  %s\n", r->note);
    for (int i = 0; bench_recommendation(&report->here, r, i, note); i++) text_add(t, "  %s\n", note);
}

static void add_head(text *t, const bench_report *r) {
    text_add(t, "tidemill %s%s%.12s; %s; %d thread%s; ", TIDE_VERSION, *r->commit ? ", commit " : "", r->commit,
             *r->here.model ? r->here.model : r->here.arch, r->threads, r->threads == 1 ? "" : "s");
    if (r->device.own_memory)
        text_add(t, "device %s%s%s; ", r->device.name, *r->device.hardware ? ", " : "", r->device.hardware);
    else if (strcmp(r->device.name, "cpu")) text_add(t, "device %s; ", r->device.name);
    text_add(t, "%.1f s\n", r->total_s);
}

char *bench_text(const bench_report *r) {
    text t = { 0 };
    add_head(&t, r);
    text_add(&t, "%-15s %-5s %10s %9s %10s %8s %7s %6s %9s %9s %8s %8s %8s %8s %7s\n", "case", "", "step ms", "p95 ms",
             "samples/s",
             "GFLOP/s", "roof", "%", "answer us", "p95 us", "compile", "first ms", "placed", "grew MiB", "J/step");
    for (int64_t i = 0; i < r->count; i++) add_times(&t, &r->entry[i]);
    for (int64_t i = 0; i < r->count; i++) add_epochs(&t, &r->entry[i].result), add_batches(&t, &r->entry[i].result);
    if (r->compared && r->count) add_comparison(&t, r);
    text_add(&t, "\n");
    for (int64_t i = 0; i < r->count; i++) add_notes(&t, r, &r->entry[i].result);
    if (!t.failed) return t.data;
    text_free(&t);
    return NULL;
}
