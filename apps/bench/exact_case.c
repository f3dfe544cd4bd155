/* Exact posteriors of spectra over the grid, by the program that `eis evaluate` asks on a device. */
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "eis/posterior/exact_batch.h"
#include "parts.h"

enum { FEWEST_RUNS = 5, POINTS = GRID_FREQUENCIES };

/* Noise from 0.1 to 5 % in turn. */
static tide_status draw_inputs(int64_t count, eis_z **z, double **noise, double freq_hz[POINTS],
                               tide_failure *failure) {
    *z     = malloc((size_t)(count * POINTS) * sizeof **z);
    *noise = malloc((size_t)count * sizeof **noise);
    if (!*z || !*noise) return fail(failure, TIDE_ENOMEM, "out of memory for %lld spectra", (long long)count);
    for (int64_t i = 0; i < count; i++) {
        sample s;
        sample_draw(&(sampler_settings){ .recipe = EIS_RECIPE_GRID, .seed = 1 }, SPLIT_TEST, (uint64_t)i, &s);
        (*noise)[i] = s.noise;
        memcpy(*z + i * POINTS, s.z, POINTS * sizeof **z);
        memcpy(freq_hz, s.freq_hz, POINTS * sizeof *freq_hz);
    }
    return TIDE_OK;
}

/* Probabilities are there, and sum to 1. */
static tide_status check_answers(const exact_answers *a, int64_t count, tide_failure *failure) {
    for (int64_t i = 0; i < count * EIS_COUNT; i++) {
        double sum = 0;
        for (int k = 0; k < CELL_POINTS; k++) sum += (double)a->marginal[i * CELL_POINTS + k];
        if (!(sum > 0.9999 && sum < 1.0001))
            return fail(failure, TIDE_EDATA, "the probabilities of spectrum %lld sum to %g", (long long)(i / EIS_COUNT),
                        sum);
    }
    return TIDE_OK;
}

/* ms of one of `runs`, inputs from the host, before a single wait; negative: one failed. */
static double runs_ms(const exact_batch *b, int64_t runs) {
    tide_feed     feeds[EXACT_FEEDS];
    tide_program *p     = exact_batch_program(b, feeds);
    double        began = os_seconds();
    for (int64_t i = 0; i < runs; i++)
        if (tide_run(p, feeds, EXACT_FEEDS) != TIDE_OK) return -1;
    return tide_wait(p) == TIDE_OK ? 1e3 * (os_seconds() - began) / (double)runs : -1;
}

static tide_status time_runs(const exact_batch *b, const bench_settings *s, bool queues, bench_times *t,
                             tide_failure *failure) {
    double most = s->seconds > 0 ? s->seconds : 3, one = t->first_ms = t->warmup_ms = runs_ms(b, 1);
    double from = os_seconds();
    t->warmups = 1;
    while (one >= 0 && t->count < BENCH_TIMES_MOST && (t->count < FEWEST_RUNS || os_seconds() - from < most)) {
        if (bench_stopped(s)) return bench_cancelled(failure);
        t->ms[t->count++] = one = runs_ms(b, 1);
    }
    if (one >= 0 && queues) one = t->queued_ms = runs_ms(b, t->count);
    tide_feed     feeds[EXACT_FEEDS];
    tide_program *p = exact_batch_program(b, feeds);
    if (one < 0) return bench_failed(feeds[0].input.graph, p, failure);
    bench_summarise(t);
    return TIDE_OK;
}

/* The share of the roof is of the rate in the precision that was asked for all the same. */
static const char DOUBLE[] = "it computes in double precision, whatever `precision` says";

static tide_status time_batch(exact_batch *b, const bench_settings *s, bench_result *out, tide_failure *failure) {
    tide_feed      feeds[EXACT_FEEDS];
    tide_program  *program = exact_batch_program(b, feeds);
    bench_program *p       = &out->infer;
    p->batch = exact_batch_spectra(b), p->flops = tide_program_flops(program);
    p->kernels = tide_program_kernels(program), p->placed = tide_program_bytes(program);
    if (out->device.own_memory) out->memory.device_bytes = p->placed.total;
    out->input = tide_shape_of(feeds[0].input);
    bool elsewhere = *exact_batch_note(b);
    snprintf(out->note, sizeof out->note, "%s", elsewhere ? exact_batch_note(b) : DOUBLE);
    tide_status status = time_runs(b, s, out->device.own_memory, &p->times, failure);
    if (status != TIDE_OK) return status;
    return bench_explain(program, feeds[0].input.graph, feeds, EXACT_FEEDS, s, out, failure);
}

tide_status bench_eis_exact(const bench_spec *spec, const bench_settings *s, bench_result *out, tide_failure *failure) {
    eis_z       *z;
    double      *noise, freq_hz[POINTS], began = os_seconds();
    exact_batch *b = NULL;
    exact_answers        a;
    exact_batch_settings how = { .device = s->device, .threads = out->threads, .spectra = spec->batch };
    tide_status status = bench_tell(s, spec->name, "posteriors", failure);
    if (status != TIDE_OK) return status;
    status = draw_inputs(spec->batch, &z, &noise, freq_hz, failure);
    if (status == TIDE_OK) status = exact_batch_open(&how, POINTS, freq_hz, &b, failure);
    out->infer.compile_ms = 1e3 * (os_seconds() - began);
    if (status == TIDE_OK) status = exact_batch_run(b, exact_batch_spectra(b), z, noise, &a, failure);
    if (status == TIDE_OK) status = check_answers(&a, exact_batch_spectra(b), failure);
    if (status == TIDE_OK) status = time_batch(b, s, out, failure);
    exact_batch_free(b);
    free(z);
    free(noise);
    return status;
}
