/* The MLX guide's tables: how long training takes, and what it holds at each batch. */
#include <stdlib.h>

#include "base/base.h"
#include "eis/known/step.h"
#include "parts.h"

/* ---- epochs ---- */

enum { TELL_STEPS = 64 };

static uint64_t mixed(uint64_t x) {  /* splitmix64 */
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* A sample with two values missing; then, after the last, one of filling. */
static void make_row(int64_t number, bool filling, float *row) {
    uint64_t bits = mixed((uint64_t)number);
    int      first = (int)(bits % EIS_COUNT), second = (int)((bits >> 8) % EIS_COUNT);
    for (int k = 0; k < EIS_COUNT; k++) {
        bool known = filling || (k != first && k != second);
        row[k] = known ? (float)((bits >> (8 + 8 * k)) & 255) / 64 - 2 : 0;
        row[SAMPLE_MASK + k]  = (float)known;
        row[SAMPLE_LABEL + k] = (float)(((bits >> (10 + 8 * k)) & 255) % 12);
    }
    row[SAMPLE_TARGET] = (float)(bits >> 48) / 32768 - 1;
    row[SAMPLE_REAL]   = (float)!filling;
}

static tide_status make_samples(int64_t count, known_samples *out, tide_failure *failure) {
    *out = (known_samples){ .count = count, .held = count,
                            .row = malloc((size_t)(count + 1) * SAMPLE_WIDTH * sizeof *out->row) };
    if (!out->row) return fail(failure, TIDE_ENOMEM, "out of memory for %lld samples", (long long)count);
    for (int64_t i = 0; i <= count; i++) make_row(i, i == count, out->row + i * SAMPLE_WIDTH);
    return TIDE_OK;
}

/* A batch from all over the samples: the stride has no divisor in common with counts that are round numbers. */
static void choose(int32_t *samples, int64_t batch, int64_t step, int64_t count) {
    for (int64_t i = 0; i < batch; i++) samples[i] = (int32_t)((step * batch + i) * 7919 % count);
}

/* One step, timed; the first is a warm-up. */
static tide_status timed_step(known_session *s, const int32_t *samples, bench_result *out, tide_failure *failure) {
    train_result      step   = { 0 };
    bench_times      *t      = &out->train.times;
    double            began  = os_seconds();
    tide_status       status = known_session_step(s, samples, s->batch, 1e-3, &step, failure);
    double            ms     = 1e3 * (os_seconds() - began);
    if (out->epochs.steps++ == 0) t->first_ms = t->warmup_ms = ms, t->warmups = 1;
    else if (t->count < BENCH_TIMES_MOST) t->ms[t->count++] = ms;
    out->loss = step.loss;
    return status;
}

/* Steps until all are done or the time is over. */
static tide_status train_epochs(known_session *s, const bench_settings *o, bench_result *out, tide_failure *failure) {
    struct bench_epochs *e       = &out->epochs;
    double               seconds = o->seconds > 0 ? o->seconds : 3, began = os_seconds();
    tide_status          status  = TIDE_OK;
    int32_t             *samples = malloc((size_t)s->batch * sizeof *samples);
    if (!samples) return fail(failure, TIDE_ENOMEM, "out of memory for a batch");
    e->planned = ceil_div(out->spec.samples, s->batch) * out->spec.epochs;
    while (status == TIDE_OK && e->steps < e->planned && (e->steps < 2 || os_seconds() - began < seconds)) {
        if (e->steps % TELL_STEPS == 0) status = bench_tell(o, out->spec.name, "epochs", failure);
        if (status == TIDE_OK && bench_stopped(o)) status = bench_cancelled(failure);
        choose(samples, s->batch, e->steps, out->spec.samples);
        if (status == TIDE_OK) status = timed_step(s, samples, out, failure);
    }
    free(samples);
    e->seconds   = os_seconds() - began;
    double one_s = (e->seconds - out->train.times.first_ms * 1e-3) / (double)MAX2(1, e->steps - 1);
    e->whole_s   = e->seconds + one_s * (double)(e->planned - e->steps);
    bench_summarise(&out->train.times);
    return status;
}

tide_status bench_eis_train(const bench_spec *spec, const bench_settings *o, bench_result *out, tide_failure *failure) {
    known_settings settings = { .graph = { .device = o->device, .threads = out->threads, .seed = 1, .mode = out->mode },
                                .rule = { .optimizer = TRAIN_ADAMW, .weight_decay = 0.01,
                                          .compile = { .precision = out->precision, .mode = out->mode } },
                                .batch = spec->batch, .hidden = spec->hidden, .points = 12 };
    known_session  session  = { 0 };
    known_samples  samples  = { 0 };
    bool           alone    = account_new_peak();
    tide_status    status   = bench_tell(o, spec->name, "epochs", failure);
    out->memory = (bench_memory){ .before_bytes = os_rss_bytes(), .available_bytes = os_memory_bytes() };
    double began = os_seconds();
    if (status == TIDE_OK) status = make_samples(spec->samples, &samples, failure);
    if (status == TIDE_OK) status = known_session_open(&settings, &samples, &session, failure);
    free(samples.row);
    out->build_ms = 1e3 * (os_seconds() - began);
    if (status == TIDE_OK) {
        bench_program *p = &out->train;
        p->batch = spec->batch, p->flops = tide_program_flops(session.step.program),
        p->kernels = tide_program_kernels(session.step.program);
        p->placed = tide_program_bytes(session.step.program);
        if (out->device.own_memory) out->memory.device_bytes = p->placed.total;
        out->parameters = known_network_count(&session.network);
        out->input      = TIDE_SHAPE(spec->samples, SAMPLE_WIDTH);
        status          = train_epochs(&session, o, out, failure);
    }
    out->first_step_ms = out->build_ms + out->train.times.first_ms;
    if (alone) out->memory.peak_bytes = os_peak_rss_bytes();
    known_session_close(&session);
    return status;
}

/* ---- memory ---- */

tide_status bench_eis_memory(const bench_spec *spec, const bench_settings *o, bench_result *out,
                             tide_failure *failure) {
    tide_status status = TIDE_OK;
    for (int i = 0; i < BENCH_BATCHES && status == TIDE_OK; i++) {
        bench_result one = { .spec = *spec, .device = out->device };
        bench_plan   plan = { .warmups = 1, .least = 3, .most = 3, .settings = o };
        one.spec.kind = BENCH_EIS, one.spec.batch = (int64_t)128 << i;
        status = bench_tell(o, spec->name, "a batch", failure);
        if (status == TIDE_OK) status = bench_train_only(&one.spec, o, plan, &one, failure);
        int64_t peak = one.memory.peak_bytes;
        out->batches[i] = (struct bench_batch){ .batch = one.spec.batch,
                                                .placed_bytes = one.train.placed.total,
                                                .peak_bytes = MAX2(0, peak - one.memory.before_bytes) };
        out->train = one.train, out->memory = one.memory, out->parameters = one.parameters, out->input = one.input,
        out->loss = one.loss;
    }
    return status;
}
