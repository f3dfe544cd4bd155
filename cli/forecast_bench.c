/* --benchmark and --benchmark-only of the Mac guide, through apps/bench. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "forecast_bench.h"

/* The Mac guide's benchmark: 12 columns, hourly stamps (four marks), a dropout of 0.1; its script's sizes where none
 * are given. */
enum {
    MAC_COLUMNS = 12,
    MAC_MARKS = 4,
    MAC_HEADS = 8,
    MAC_LAYERS = 2
};

static const tide_option rows[] = {
    { "benchmark", TIDE_OPTION_BOOL(forecast_bench, after), NULL, 0, "Benchmark", NULL,
      "after training: time the model's answers and steps; benchmark.json and SVG in the run folder" },
    { "benchmark-only", TIDE_OPTION_BOOL(forecast_bench, only), NULL, 0, "Benchmark", NULL,
      "train nothing: time the Mac guide's model (12 hourly columns) on made-up data" },
    { "benchmark-iterations", TIDE_OPTION_INT(forecast_bench, iterations, 1, BENCH_TIMES_MOST), "100", 0, "Benchmark",
      "N", "answers to time, single ones and batches" },
    { "benchmark-warmup", TIDE_OPTION_INT(forecast_bench, warmup, 1, 1e6), "10", 0, "Benchmark", "N",
      "untimed answers before them" },
};
static const tide_option_table table = TIDE_OPTION_TABLE(forecast_bench, rows);

const tide_option_table *forecast_bench_table(void) { return &table; }

static tide_status refuse(tide_failure *failure, const char *name, const char *message) {
    *failure = (tide_failure){ .status = TIDE_EINVAL };
    snprintf(failure->column, sizeof failure->column, "%s", name);
    snprintf(failure->message, sizeof failure->message, "%s", message);
    return TIDE_EINVAL;
}

tide_status forecast_bench_check(const forecast_bench *b, const forecast_options *o, tide_failure *failure) {
    if (!b->after && !b->only) return TIDE_OK;
    if (b->after && o->arch != FORECAST_ITRANSFORMER)
        return refuse(failure, "benchmark", "`benchmark` times an iTransformer from its file: leave out `arch`");
    if (!o->compile) return refuse(failure, "compile", "a benchmark times compiled programs: leave out `compile` no");
    return TIDE_OK;
}

/* ---- the Mac guide's model ---- */

static int64_t size_or(const forecast_options *o, const char *name, int64_t value, int64_t otherwise) {
    return forecast_option_given(o, name) ? value : otherwise;
}

/* Batch, look-back and width as a training would take them, presets and --auto-size included; the rest is the Mac
 * guide's unless given. */
static tide_status mac_spec(const forecast_options *from, bench_spec *out, forecast_options *o,
                              tide_failure *failure) {
    static const struct {
        const char *name, *text;
    } script[] = { { "batch-size", "256" }, { "seq-len", "96" }, { "d-model", "192" } };
    forecast_options start = *from;
    for (size_t i = 0; i < sizeof script / sizeof *script; i++)
        if (!forecast_option_given(from, script[i].name) &&
            tide_option_put(forecast_table(), &start, script[i].name, script[i].text, failure) != TIDE_OK)
            return TIDE_EINVAL;
    tide_status status = forecast_options_resolve(&start, o, failure);
    if (status != TIDE_OK) return status;
    *out = (bench_spec){ .name = "mac", .kind = BENCH_FORECAST, .batch = o->batch_size ? o->batch_size : 256,
                         .columns = MAC_COLUMNS, .seq_len = o->seq_len,
                         .pred_len = size_or(o, "pred-len", o->pred_len, o->seq_len > 1 ? o->seq_len / 2 : 1),
                         .marks = MAC_MARKS,
                         .d_model = o->d_model, .d_ff = size_or(o, "d-ff", o->d_ff, 4 * o->d_model),
                         .n_heads = size_or(o, "n-heads", o->n_heads, MAC_HEADS),
                         .e_layers = size_or(o, "e-layers", o->e_layers, MAC_LAYERS),
                         .dropout = forecast_option_given(o, "dropout") ? o->dropout : 0.1,
                         .relu = o->activation == FORECAST_RELU,
                         .plain = !o->use_norm };
    return out->d_model % out->n_heads == 0
               ? TIDE_OK
               : refuse(failure, "n-heads", "--n-heads (8 in the Mac guide) does not divide --d-model");
}

/* ---- running ---- */

static tide_status refuse_fallback(const forecast_options *o, const bench_report *r, tide_failure *failure) {
    const char *note = r->entry[0].result.note;
    if (!o->strict || !*note) return TIDE_OK;
    refuse(failure, "precision", note);
    return failure->status = TIDE_EDEVICE;
}

static tide_status time_it(cli_call *call, const bench_spec *spec, bench_settings s, const forecast_bench *b,
                           bench_report *r, tide_failure *failure) {
    s.iterations = (int)b->iterations, s.warmups = (int)b->warmup;
    s.tell = bench_cli_tell, s.stop = bench_cli_stop, s.user = call;
    stop_watch_begin(call->json);
    tide_status status = bench_report_case(spec, &s, r, failure);
    stop_watch_end();
    progress_end();
    return status;
}

static tide_status write_files(const bench_report *r, const char *folder, const forecast_options *o,
                               tide_failure *failure) {
    bool        drawn  = true;
    tide_status status = bench_write(r, folder, "benchmark.json", o->plots ? &drawn : NULL, failure);
    if (status == TIDE_OK && !drawn) say("no SVG was drawn: there is no gnuplot; the numbers are in the .csv files");
    return status;
}

static tide_precision precision_of(const char *name) {
    tide_precision p = TIDE_PRECISION_F32;
    while (p < TIDE_PRECISION_AUTO && strcmp(tide_precision_name(p), name) != 0) p++;
    return p;
}

static tide_program_mode mode_of(const forecast_options *o) {
    return (tide_program_mode)(TIDE_MODE_DEFAULT + o->compile_mode);
}

static int print_only(const cli_call *call, const bench_report *r, tide_failure *failure) {
    char *text = call->json ? bench_json(r) : bench_text(r);
    if (!text) return refuse(failure, "", "out of memory for the report"), report_failure(failure, call->json);
    int code = print_result(text, call->json);
    free(text);
    return code;
}

int forecast_bench_only(cli_call *call, const forecast_bench *b, const forecast_options *from) {
    static const tide_precision wanted[] = { [FORECAST_F32] = TIDE_PRECISION_F32, [FORECAST_BF16] = TIDE_PRECISION_BF16,
                                             [FORECAST_F16] = TIDE_PRECISION_F16,
                                             [FORECAST_AUTO] = TIDE_PRECISION_AUTO };
    forecast_options *o = malloc(sizeof *o);
    tide_failure failure = { 0 };
    bench_report r = { 0 };
    bench_spec   spec;
    if (!o) return EXIT_FAILED;
    stop_catch();
    tide_status status = mac_spec(from, &spec, o, &failure);
    if (status == TIDE_OK)
        status = time_it(call, &spec, (bench_settings){ .device = o->device, .threads = (int)o->threads,
                         .precision = wanted[o->precision], .mode = mode_of(o) }, b, &r, &failure);
    if (status == TIDE_OK) status = refuse_fallback(o, &r, &failure);
    if (status == TIDE_OK && *o->out) status = write_files(&r, o->out, o, &failure);
    int code = status == TIDE_OK ? print_only(call, &r, &failure) : report_failure(&failure, call->json);
    bench_report_free(&r);
    free(o);
    return code;
}

static tide_status add_to_json(const bench_report *report, forecast_result *r, tide_failure *failure) {
    char   *added = bench_json(report), *whole = NULL;
    json_t *o = r->json ? json_loads(r->json, 0, NULL) : NULL, *benchmark = added ? json_loads(added, 0, NULL) : NULL;
    if (o && benchmark && json_object_set(o, "benchmark", benchmark) == 0)
        whole = json_dumps(o, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(benchmark);
    json_decref(o);
    free(added);
    if (!whole) return refuse(failure, "", "out of memory for the report"), failure->status = TIDE_ENOMEM;
    free(r->json);
    r->json = whole;
    return TIDE_OK;
}

tide_status forecast_bench_after(cli_call *call, forecast_bench *b, const forecast_options *o, forecast_result *r,
                                 tide_failure *failure) {
    char         weights[BENCH_PATH];
    bench_report report = { 0 };
    bench_spec   spec;
    tide_status  status = bench_spec_of_run(r->run, weights, &spec, failure);
    if (status == TIDE_OK)
        status = time_it(call, &spec, (bench_settings){ .device = r->device, .threads = (int)r->threads,
                                                        .precision = precision_of(r->precision),
                         .mode = mode_of(o) }, b, &report, failure);
    if (status == TIDE_OK) status = write_files(&report, r->run, o, failure);
    if (status == TIDE_OK) status = add_to_json(&report, r, failure);
    if (status == TIDE_OK && !(b->table = bench_text(&report))) status = failure->status = TIDE_ENOMEM;
    bench_report_free(&report);
    return status;
}
