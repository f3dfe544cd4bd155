/* One JSON object; what is not known, or was not timed, is null. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/json.h"
#include "parts.h"

#define MB 1e-6

static json_t *known(double value) { return isfinite(value) && value > 0 ? json_real(value) : json_null(); }
static json_t *text_or_null(const char *s) { return *s ? json_string(s) : json_null(); }

static json_t *shape_list(tide_shape s) {
    json_t *list = json_array();
    for (int i = 0; i < s.ndim && list; i++) list = json_with_item(list, json_integer(s.dim[i]));
    return list;
}

static json_t *time_list(const bench_times *t) {
    json_t *list = json_array();
    for (int64_t i = 0; i < t->count && list; i++) list = json_with_item(list, json_real(t->ms[i]));
    return list;
}

/* avg_key: what the Mac guide calls a mean time, which is another word for each phase. */
static json_t *phase(const bench_result *r, const bench_program *p, const char *avg_key) {
    const bench_times *t = &p->times;
    if (t->count == 0) return json_null();
    double mean_s = t->mean_ms * 1e-3;
    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:f, s:I, s:f, s:o, s:o, s:I, s:o}",
                     "batch",
                     (json_int_t)p->batch,
                     "iterations", (json_int_t)t->count, "total_time_sec", t->total_s, avg_key, mean_s,
                     "batches_per_second", 1 / mean_s,
                     "samples_per_second", (double)p->batch / mean_s, "min_time_ms", t->min_ms, "max_time_ms",
                     t->max_ms, "p50_time_ms",
                     t->p50_ms, "p95_time_ms", t->p95_ms, "times_ms", time_list(t), "compile_ms", p->compile_ms,
                     "kernels",
                     (json_int_t)p->kernels, "flops", p->flops, "gflops", known(bench_gflops(p)), "roof_share",
                     known(bench_roof_share(r, p)), "placed_bytes", (json_int_t)p->placed.total,
                     "queued_time_ms", known(t->queued_ms));
}

static json_t *warmup(const bench_program *p) {
    double first_more_s = (p->times.first_ms - p->times.mean_ms) * 1e-3, compile_s = p->compile_ms * 1e-3;
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "iterations", (json_int_t)p->times.warmups,
                     "first_iteration_time_sec",
                     p->times.first_ms * 1e-3, "avg_time_sec", p->times.warmup_ms * 1e-3, "compilation_sec", compile_s,
                     "first_iteration_overhead_sec", first_more_s, "compilation_overhead_sec",
                     compile_s + first_more_s);
}

static json_t *memory(const bench_result *r) {
    const bench_memory *m = &r->memory;
    double peak = (double)m->peak_bytes;
    return json_pack("{s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "input_memory_mb", (double)m->input_bytes * MB,
                     "inference_memory_mb",
                     known((double)r->infer.placed.total * MB), "training_memory_mb",
                     known((double)r->train.placed.total * MB),
                     "total_used_mb", known(peak * MB), "total_available_mb", known((double)m->available_bytes * MB),
                     "max_memory_percent",
                     known(m->available_bytes ? 100 * peak / (double)m->available_bytes : 0), "peak_growth_mb",
                     known(m->peak_bytes ? (double)(m->peak_bytes - m->before_bytes) * MB : 0), "device_used_mb",
                     known((double)m->device_bytes * MB), "device_available_mb",
                     known(r->device.own_memory ? (double)r->device.memory_bytes * MB : 0));
}

static json_t *recommendations(const machine *m, const bench_result *r) {
    char    line[BENCH_NOTE];
    json_t *list = json_array();
    for (int i = 0; list && bench_recommendation(m, r, i, line); i++) list = json_with_item(list, json_string(line));
    return list;
}

static json_t *epochs(const bench_result *r) {
    if (r->epochs.steps == 0) return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:f, s:b}", "samples", (json_int_t)r->spec.samples, "epochs",
                     (json_int_t)r->spec.epochs,
                     "steps", (json_int_t)r->epochs.steps, "steps_planned", (json_int_t)r->epochs.planned, "seconds",
                     r->epochs.seconds,
                     "whole_seconds", r->epochs.whole_s, "projected", r->epochs.steps < r->epochs.planned);
}

static json_t *batches(const bench_result *r) {
    json_t *list = json_array();
    for (int i = 0; list && i < BENCH_BATCHES && r->batches[i].batch; i++)
        list = json_with_item(list, json_pack("{s:I, s:I, s:o}", "batch", (json_int_t)r->batches[i].batch,
                                              "placed_bytes",
                                              (json_int_t)r->batches[i].placed_bytes, "peak_growth_bytes",
                                              known((double)r->batches[i].peak_bytes)));
    return list;
}

static json_t *peer_modes(const bench_peer *p) {
    json_t *o = json_object();
    for (int i = 0; i < BENCH_MODES && o; i++) {
        struct bench_peer_times t = p->mode[i];
        json_t *mode = json_object();
        for (int f = 0; f < BENCH_PEER_FIGURES && mode; f++)
            mode = json_with(mode, bench_peer_figures[f].key, known(*bench_peer_value(&t, f)));
        o = json_with(o, bench_mode_name((bench_mode)i), mode);
    }
    return o;
}

static json_t *with_peer(json_t *o, const bench_entry *e) {
    bench_ratios q = bench_ratios_of(e);
    const struct { const char *key; double value;
    } numbers[] = {
        { "peer_step_ms", q.peer_step_ms }, { "step_ratio_eager", q.eager }, { "step_ratio_compile", q.compile },
        { "step_ratio_best", q.best },      { "infer_ratio", q.infer },
        { "queued_ratio_best", q.queued },
        { "largest_ratio_roof_allows", q.roof_allows },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && o; i++)
        o = json_with(o, numbers[i].key, known(numbers[i].value));
    o = o ? json_with(o, "peer", peer_modes(&e->peer)) : o;
    return o ? json_with(o, "peer_failed", text_or_null(e->peer.failed)) : o;
}

static json_t *phases(const bench_report *report, const bench_result *r) {
    json_t *infer = phase(r, &r->infer, "avg_time_per_batch_sec"), *one = phase(r, &r->one, "avg_time_per_batch_sec");
    if (json_is_object(infer))
        infer = json_with(infer, "performance_rating", json_string(bench_rating(&report->here, r)));
    json_t *train = phase(r, &r->train, "avg_step_time_sec");
    if (json_is_object(train)) train = json_with(train, "time_to_first_step_ms", json_real(r->first_step_ms));
    return json_pack("{s:o, s:o, s:o}", "inference", infer, "inference_one", one, "training", train);
}

static json_t *case_object(const bench_report *report, const bench_entry *e) {
    const bench_result  *r = &e->result;
    const bench_program *p = bench_main_program(r);
    json_t *o = json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:o, "
                          "s:o, s:o, s:o}", "case",
                          r->spec.name, "precision", tide_precision_name(r->precision), "precision_note",
                          text_or_null(r->note),
                          "compile_mode", tide_compile_mode_name(r->mode), "step_ms",
                          known(e->step_ms), "queued_ms", known(e->queued_ms), "input_copy_ms", known(r->copy_ms),
                          "infer_p50_ms", known(e->infer_ms), "infer_p95_ms", known(r->one.times.p95_ms), "roof_gflops",
                          known(r->roof_gflops), "model_size", (json_int_t)r->parameters, "model_size_mb",
                          4 * MB * (double)r->parameters,
                          "gflops", known(bench_gflops(p)), "roof_share", known(bench_roof_share(r, p)), "input_shape",
                          shape_list(r->input), "warmup", warmup(p), "memory", memory(r), "epochs", epochs(r),
                          "batches", batches(r),
                          "energy_joules_per_step", known(r->joules), "optimization_recommendations",
                          recommendations(&report->here, r));
    json_t *more = phases(report, r);
    if (!o || !more || json_object_update(o, more) != 0) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o && report->compared ? with_peer(o, e) : o;
}

static json_t *machine_object(const machine *m) {
    char sets[160];
    json_t *model = json_string(m->model);  /* NULL if it is not UTF-8 */
    return json_pack("{s:s, s:s, s:o, s:i, s:f, s:s}", "system", m->system, "arch", m->arch, "model",
                     model ? model : json_null(),
                     "usable_cores", m->usable_cores, "memory_mb", (double)machine_memory_bytes(m) * MB,
                     "instruction_sets",
                     machine_feature_names(m->features, sets));
}

char *bench_json(const bench_report *r) {
    /* no UTF-8, no text */
    json_t *cases = json_array(), *chip = json_string(r->here.model), *hardware = json_string(r->device.hardware);
    for (int64_t i = 0; i < r->count && cases; i++) cases = json_with_item(cases, case_object(r, &r->entry[i]));
    json_t *o = json_pack("{s:i, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:i, s:i, s:o, s:f, s:o}", "schema_version", 1,
                          "command", "bench",
                          "version", TIDE_VERSION, "commit", text_or_null(r->commit), "device", r->device.name,
                          "hardware", hardware ? hardware : json_null(), "chip", chip ? chip : json_null(),
                          "machine", machine_object(&r->here), "threads", r->threads, "rounds", r->rounds,
                          "peer_version",
                          r->compared && r->count ? text_or_null(r->entry[0].peer.version) : json_null(),
                          "benchmark_total_time_sec",
                          r->total_s, "cases", cases);
    char *written = json_whole(o, JSON_REAL_PRECISION(6));
    json_decref(o);
    return written;
}
