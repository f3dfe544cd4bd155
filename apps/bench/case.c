/* One case from nothing to its figures. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/ops.h>

#include "base/base.h"
#include "parts.h"
#include "subject.h"

#define SECONDS 3.0
#define EXPLAIN_S 0.5
enum { WARMUPS = 5, LEAST_STEPS = 5, MAC_STEPS = 20, ANSWER_WARMUPS = 10, LEAST_ANSWERS = 20, MOST_ANSWERS = 100,
       COPIES = 20 };

static double seconds_of(const bench_settings *s) { return s->seconds > 0 ? s->seconds : SECONDS; }

/* ---- the data ---- */

/* The data of a run, which stay where the device computes; where that is not the host's memory it is told what the way
 * there takes. */
static tide_status copy_data(tide_program *p, const subject *s, bench_result *out, tide_failure *failure) {
    double      ms[COPIES];
    tide_status status = subject_copy(s, failure);
    out->input              = s->count ? tide_shape_of(s->data[0]) : TIDE_SCALAR;
    out->memory.input_bytes = s->bytes;
    for (int i = 0; i < COPIES && out->device.own_memory && status == TIDE_OK; i++) {
        double began = os_seconds();
        status = subject_copy(s, failure);
        if (status == TIDE_OK && tide_wait(p) != TIDE_OK) status = bench_failed(s->graph, p, failure);
        ms[i] = 1e3 * (os_seconds() - began);
    }
    if (out->device.own_memory && status == TIDE_OK) out->copy_ms = bench_median(ms, COPIES);
    return status;
}

/* ---- the training step ---- */

static int64_t parameter_count(tide_graph *g) {
    tide_list params = tide_params(g, "");
    int64_t   count  = 0;
    for (int64_t i = 0; i < params.count; i++) count += tide_shape_count(tide_shape_of(params.items[i]));
    return count;
}

/* A device with memory of its own has a counter of its own. A processor's over the timed steps is not ours alone, and
 * neither is the processor: it is what was used. */
static tide_status time_steps(tide_program *p, bench_plan plan, bench_result *out, tide_failure *failure) {
    double before, after, range;
    bool   counted = !out->device.own_memory && account_energy(&before, &range);
    double began   = os_seconds();
    tide_status status = bench_time(p, plan, &out->train, failure);
    double took_s = os_seconds() - began;
    if (out->device.own_memory && status == TIDE_OK)
        return bench_energy(p, plan, out->device.name, out->train.times.count, &out->joules, failure);
    if (!counted || status != TIDE_OK || !account_energy(&after, &range)) return status;
    if (after < before) after += range;
    out->joules = (after - before) * 1e-6 / took_s * out->train.times.mean_ms * 1e-3;
    return TIDE_OK;
}

static tide_status read_loss(const subject *s, bench_result *out, tide_failure *failure) {
    float loss = 0;
    tide_status status = tide_read(s->loss, &loss, sizeof loss);
    out->loss = (double)loss;
    return status == TIDE_OK ? TIDE_OK : fail(failure, status, "%s", tide_error(s->graph)->message);
}

static void count_device_memory(const bench_program *p, bench_result *out) {
    if (out->device.own_memory) out->memory.device_bytes = MAX2(out->memory.device_bytes, p->placed.total);
}

tide_status bench_explain(tide_program *p, const tide_graph *g, const tide_feed *feeds, int64_t count,
                          const bench_settings *o, const bench_result *out, tide_failure *failure) {
    if (!o->explain) return TIDE_OK;
    tide_explanation *e = tide_program_explain(p, &(tide_explain_options){ feeds, count, EXPLAIN_S });
    char *page = e ? tide_explanation_text(e, out->kept_gflops, 0) : NULL;
    if (page) o->explain(o->user, page);
    tide_explanation_free(e);
    tide_status status = bench_failed(g, p, failure);
    if (status == TIDE_OK && !page) status = fail(failure, TIDE_ENOMEM, "out of memory for a page on the kernels");
    free(page);
    return status;
}

static tide_status train(subject *s, double began, bench_plan plan, bench_result *out, tide_failure *failure) {
    tide_val update = subject_update(s, out->precision);
    out->build_ms   = 1e3 * (os_seconds() - began);
    tide_program *p = bench_compile(TIDE_LIST(s->loss, update), out->precision, &out->train);
    tide_status status = bench_failed(s->graph, p, failure);
    if (status == TIDE_OK) status = copy_data(p, s, out, failure);
    if (status == TIDE_OK) status = time_steps(p, plan, out, failure);
    if (status == TIDE_OK) status = read_loss(s, out, failure);
    if (status == TIDE_OK) status = bench_explain(p, s->graph, NULL, 0, plan.settings, out, failure);
    out->train.batch      = s->spec->batch;
    out->first_step_ms    = out->build_ms + out->train.compile_ms + out->train.times.first_ms;
    out->parameters       = parameter_count(s->graph);
    count_device_memory(&out->train, out);
    return status;
}

/* Opens the subject and trains it; the peak is what resident memory rose to meanwhile. */
static tide_status open_and_train(const bench_spec *spec, bench_plan plan, subject *s, bench_result *out,
                                  tide_failure *failure) {
    bool alone = account_new_peak();
    out->memory.before_bytes    = os_rss_bytes();
    out->memory.available_bytes = os_memory_bytes();
    double      began  = os_seconds();
    tide_status status = subject_open(spec, out->device.name, out->threads, s, failure);
    if (s->graph) tide_compile_mode(s->graph, out->mode);
    if (status == TIDE_OK) status = train(s, began, plan, out, failure);
    if (alone) out->memory.peak_bytes = os_peak_rss_bytes();
    return status;
}

tide_status bench_train_only(const bench_spec *spec, const bench_settings *settings, bench_plan plan, bench_result *out,
                             tide_failure *failure) {
    subject     s;
    out->threads   = settings->threads;
    out->precision = settings->precision;
    tide_status status = open_and_train(spec, plan, &s, out, failure);
    subject_close(&s);
    return status;
}

/* ---- answers ---- */

/* By time, or as many as were asked for. The first run is a warm-up too. */
static bench_plan answer_plan(const bench_settings *o, bool queues, double seconds) {
    int warmups = o->iterations ? o->warmups : ANSWER_WARMUPS;
    return (bench_plan){ .warmups = MAX2(warmups, 1) - 1, .least = o->iterations ? o->iterations : LEAST_ANSWERS,
                         .most = o->iterations ? o->iterations : MOST_ANSWERS, .seconds = seconds, .queues = queues,
                         .settings = o };
}

static tide_status answer(subject *s, int64_t batch, bench_plan plan, bench_result *r, bench_program *out,
                          tide_failure *failure) {
    tide_program *p    = bench_compile(subject_answer(s, batch), r->precision, out);
    tide_status status = bench_failed(s->graph, p, failure);
    if (status == TIDE_OK && !r->memory.input_bytes) status = copy_data(p, s, r, failure); /* nothing was trained */
    if (status == TIDE_OK) status = bench_time(p, plan, out, failure);
    out->batch = batch;
    count_device_memory(out, r);
    tide_program_free(p);
    return status;
}

/* A batch of answers takes about a third of a step: fewer of them tell as much. */
static tide_status model_case(const bench_spec *spec, const bench_settings *settings, bench_result *out,
                              tide_failure *failure) {
    subject     s;
    double      seconds = seconds_of(settings);
    bool        counted = settings->iterations > 0, queues = out->device.own_memory;
    bench_plan  plan    = { .warmups = WARMUPS, .least = counted ? MAC_STEPS : LEAST_STEPS,
                            .most = counted ? MAC_STEPS : BENCH_TIMES_MOST,
                            .seconds = seconds, .queues = queues, .settings = settings };
    tide_status status  = bench_tell(settings, spec->name, "training steps", failure);
    if (status != TIDE_OK) return status;
    status = open_and_train(spec, plan, &s, out, failure);
    if (status == TIDE_OK) status = bench_tell(settings, spec->name, "answers", failure);
    if (status == TIDE_OK) status = answer(&s, 1, answer_plan(settings, queues, seconds), out, &out->one, failure);
    if (status == TIDE_OK)
        status = answer(&s, spec->batch, answer_plan(settings, queues, seconds / 3), out, &out->infer, failure);
    subject_close(&s);
    return status;
}

/* All of the batch at once, and nothing else. */
static tide_status predict_case(const bench_spec *spec, const bench_settings *settings, bench_result *out,
                                tide_failure *failure) {
    subject     s;
    bench_plan  plan   = answer_plan(settings, out->device.own_memory, seconds_of(settings));
    tide_status status = bench_tell(settings, spec->name, "answers", failure);
    if (status != TIDE_OK) return status;
    plan.most = settings->iterations ? plan.most : BENCH_TIMES_MOST;
    status = subject_open(spec, out->device.name, out->threads, &s, failure);
    if (s.graph) tide_compile_mode(s.graph, out->mode);
    if (status == TIDE_OK) status = answer(&s, spec->batch, plan, out, &out->infer, failure);
    if (status == TIDE_OK) out->parameters = parameter_count(s.graph);
    subject_close(&s);
    return status;
}

/* ---- one product ---- */

static tide_val square(tide_graph *g, const char *name, int64_t n) {
    return tide_variable(g, name, tide_random_uniform(g, TIDE_SHAPE(n, n), -1, 1));
}

static tide_status product_case(const bench_spec *spec, const bench_settings *settings, bench_result *out,
                                tide_failure *failure) {
    tide_graph *g = bench_graph(settings->device, out->threads, failure);
    if (!g) return failure ? failure->status : TIDE_ENOMEM;
    tide_compile_mode(g, out->mode);
    tide_status   status = bench_tell(settings, spec->name, "products", failure);
    bench_plan plan = { .warmups = 1,
                        .least = LEAST_STEPS,
                        .most = BENCH_TIMES_MOST,
                        .seconds = seconds_of(settings),
                        .queues = out->device.own_memory,
                        .settings = settings };
    tide_program *p = bench_compile(TIDE_LIST(tide_matmul(square(g, "x", spec->size), square(g, "y", spec->size))),
                                    out->precision, &out->infer);
    if (status == TIDE_OK) status = bench_failed(g, p, failure);
    if (status == TIDE_OK) status = bench_time(p, plan, &out->infer, failure);
    out->infer.batch = 1, out->input = TIDE_SHAPE(spec->size, spec->size);
    count_device_memory(&out->infer, out);
    tide_graph_free(g);
    return status;
}

/* ---- all kinds ---- */

typedef tide_status run_fn(const bench_spec *spec, const bench_settings *settings, bench_result *out,
                           tide_failure *failure);

static run_fn *const run_kind[] = {
    [BENCH_FORECAST] = model_case, [BENCH_EIS] = model_case, [BENCH_PREDICT] = predict_case,
    [BENCH_PRODUCT] = product_case,
    [BENCH_EIS_TRAIN] = bench_eis_train, [BENCH_EIS_MEMORY] = bench_eis_memory,
    [BENCH_EIS_SPECTRA] = bench_eis_spectra, [BENCH_EIS_EXACT] = bench_eis_exact,
};

/* What the precision that is asked for comes to here. */
static tide_status take_precision(const bench_settings *s, bench_result *out, tide_failure *failure) {
    const char *note = "";
    tide_graph *g    = bench_graph(out->device.name, s->threads, failure);
    if (!g) return failure ? failure->status : TIDE_ENOMEM;
    out->precision = tide_precision_here(g, s->precision, &note);
    out->threads   = tide_graph_threads(g);
    snprintf(out->note, sizeof out->note, "%s", note);
    tide_graph_free(g);
    return TIDE_OK;
}

/* What a busy machine shows by. */
static void take_surroundings(bench_result *out) {
    static const machine_precision of[] = {
        [TIDE_PRECISION_F32] = MACHINE_F32, [TIDE_PRECISION_BF16] = MACHINE_BF16, [TIDE_PRECISION_F16] = MACHINE_F16
    };
    machine       here;
    machine_rates kept;
    machine_detect(NULL, &here);
    here.device = out->device;
    if (getloadavg(&out->load, 1) != 1) out->load = 0;
    if (machine_rates_read(&here, &kept, NULL) == TIDE_OK && kept.threads == out->threads)
        out->kept_gflops = kept.gflops[of[out->precision]];
}

/* In proportion to what the roof is measured for. */
static double roof_seconds(const bench_settings *s) {
    enum { USUAL_ITERATIONS = 100 };
    double share = s->iterations ? (double)s->iterations / USUAL_ITERATIONS : seconds_of(s) / SECONDS;
    return 0.5 * MIN2(1, share);
}

tide_status bench_case(const bench_spec *spec, const bench_settings *s, bench_result *out, tide_failure *failure) {
    *out = (bench_result){ .spec = *spec };
    double      roof_s = roof_seconds(s);
    tide_status status = tide_device_info(s->device, &out->device, failure);
    bench_settings own = *s;
    if (status == TIDE_OK) status = take_precision(s, out, failure);
    own.device = out->device.name, own.precision = out->precision, own.threads = out->threads;
    own.mode = out->mode = s->mode ? s->mode : TIDE_MODE_DEFAULT;
    if (status == TIDE_OK) take_surroundings(out);
    if (status == TIDE_OK) status = bench_tell(&own, spec->name, "the roof", failure);
    if (status == TIDE_OK) status = bench_roof(&own, &out->device, roof_s, &out->roof_gflops, failure);
    if (status == TIDE_OK) status = run_kind[spec->kind](spec, &own, out, failure);
    return status == TIDE_OK ? bench_roof(&own, &out->device, roof_s, &out->roof_gflops, failure) : status;
}

const bench_program *bench_main_program(const bench_result *r) { return r->train.times.count ? &r->train : &r->infer; }

double bench_gflops(const bench_program *p) {
    return p->times.count && p->times.p50_ms > 0 ? p->flops / p->times.p50_ms * 1e-6 : 0;
}

double bench_roof_share(const bench_result *r, const bench_program *p) {
    return r->roof_gflops > 0 ? bench_gflops(p) / r->roof_gflops : 0;
}
