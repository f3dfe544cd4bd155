/* One short run of each kind, at small sizes, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/bench.h"

static const bench_spec small_forecast = { .name = "small",
                                           .kind = BENCH_FORECAST,
                                           .batch = 4,
                                           .columns = 3,
                                           .seq_len = 16,
                                           .pred_len = 8,
                                           .marks = 4,
                                           .d_model = 16,
                                           .d_ff = 32,
                                           .n_heads = 2,
                                           .e_layers = 1,
                                           .dropout = 0.1 };
static const bench_spec small_eis = { .name = "small", .kind = BENCH_EIS, .batch = 16, .hidden = 32 };

static bench_result run(bench_spec spec, tide_precision precision) {
    bench_result   r;
    tide_failure   f = { 0 };
    bench_settings s = { .threads = 1, .precision = precision, .seconds = 0.01 };
    if (bench_case(&spec, &s, &r, &f) != TIDE_OK) fail_msg("%s: %s", spec.name, f.message);
    return r;
}

static void check_times(const bench_program *p, int64_t least, int64_t batch) {
    assert_true(p->times.count >= least && p->times.count <= BENCH_TIMES_MOST);
    assert_true(p->times.min_ms > 0 && p->times.min_ms <= p->times.p50_ms && p->times.p50_ms <= p->times.p95_ms &&
                p->times.p95_ms <= p->times.max_ms);
    assert_true(p->times.first_ms > 0 && p->times.warmups > 1 && p->compile_ms > 0 && p->flops > 0 && p->kernels > 0 &&
                p->placed.total > 0);
    assert_int_equal(p->batch, batch);
}

static void check_model(const bench_result *r) {
    check_times(&r->train, 5, r->spec.batch), check_times(&r->infer, 20, r->spec.batch), check_times(&r->one, 20, 1);
    assert_true(r->roof_gflops > 0 && isfinite(r->loss) && r->loss > 0);
    assert_true(r->first_step_ms >= r->train.compile_ms + r->train.times.first_ms);
    assert_true(r->train.flops > 2 * r->infer.flops && r->infer.flops > r->one.flops);
    assert_true(r->memory.before_bytes > 0 && r->memory.available_bytes > 0 && r->memory.input_bytes > 0);
    assert_int_equal(r->threads, 1);
}

static void models(void **state) {
    (void)state;
    for (int p = TIDE_PRECISION_F32; p <= TIDE_PRECISION_AUTO; p++) {
        bench_result forecast = run(small_forecast, (tide_precision)p), eis = run(small_eis, (tide_precision)p);
        check_model(&forecast), check_model(&eis);
        if (forecast.precision != (tide_precision)p && p != TIDE_PRECISION_AUTO) assert_true(*forecast.note);
        assert_int_equal(forecast.input.dim[0], 4), assert_int_equal(eis.input.dim[1], 10);
        /* embedding, projector and norm; four maps of the attention, two norms, two maps */
        assert_int_equal(forecast.parameters,
                         16 * 16 + 16 + 16 * 8 + 8 + 32 + 4 * (16 * 16 + 16) + 64 + 2 * 16 * 32 + 32 + 16);
    }
}

static void reported(void **state) {
    (void)state;
    bench_report r;
    tide_failure f = { 0 };
    assert_int_equal(
        bench_report_case(&small_eis, &(bench_settings){ .threads = 1, .precision = TIDE_PRECISION_F32,
                                                         .seconds = 0.01 }, &r, &f),
        TIDE_OK);
    assert_int_equal(r.count, 1);
    assert_true(r.threads == 1 && r.entry[0].step_ms == r.entry[0].result.train.times.p50_ms && r.entry[0].step_ms > 0);
    char *text = bench_text(&r), *json = bench_json(&r);
    assert_non_null(strstr(text, "small"));
    assert_non_null(strstr(json, "\"case\": \"small\""));
    free(text), free(json);
    bench_report_free(&r);
}

static void without_marks(void **state) {
    (void)state;
    bench_spec spec = small_forecast;
    spec.marks = 0;
    bench_result r = run(spec, TIDE_PRECISION_F32);
    check_model(&r);
}

static void other_kinds(void **state) {
    (void)state;
    bench_result product =
        run((bench_spec){ .name = "product", .kind = BENCH_PRODUCT, .size = 64 }, TIDE_PRECISION_F32);
    check_times(&product.infer, 5, 1);
    assert_int_equal(product.train.times.count, 0);
    assert_true(product.infer.flops == 2.0 * 64 * 64 * 64);
    bench_result scaled = run((bench_spec){ .name = "f16", .kind = BENCH_EIS_TRAIN, .batch = 16, .hidden = 32,
                                            .samples = 100, .epochs = 1 },
                              TIDE_PRECISION_F16);
    assert_int_equal(scaled.precision, TIDE_PRECISION_F32);
    assert_true(*scaled.note);
    bench_result epochs =
        run((bench_spec){ .name = "epochs", .kind = BENCH_EIS_TRAIN, .batch = 16, .hidden = 32, .samples = 100,
                          .epochs = 2 },
            TIDE_PRECISION_F32);
    assert_int_equal(epochs.epochs.planned, 2 * 7);
    assert_true(epochs.epochs.steps >= 2 && epochs.epochs.steps <= 14 && isfinite(epochs.loss) && epochs.loss > 0);
    if (epochs.epochs.steps == 14) assert_true(epochs.epochs.whole_s == epochs.epochs.seconds);
    else assert_true(epochs.epochs.whole_s > epochs.epochs.seconds);
    bench_result memory =
        run((bench_spec){ .name = "memory", .kind = BENCH_EIS_MEMORY, .hidden = 32 }, TIDE_PRECISION_F32);
    for (int i = 0; i < BENCH_BATCHES; i++) {
        assert_int_equal(memory.batches[i].batch, 128 << i);
        assert_true(memory.batches[i].placed_bytes > (i ? memory.batches[i - 1].placed_bytes : 0));
    }
}

static void spectra(void **state) {
    (void)state;
    bench_result exact = run((bench_spec){ .name = "exact", .kind = BENCH_EIS_EXACT, .batch = 2 }, TIDE_PRECISION_F32);
    assert_int_equal(exact.infer.batch, 2);
    assert_true(exact.infer.times.count >= 5 && exact.infer.times.p50_ms > 0);
    assert_true(exact.infer.flops > 2 * 4 * 61 * 2 * 10440 && exact.infer.flops < 2 * 6 * 61 * 2 * 10440);
    bench_result made =
        run((bench_spec){ .name = "spectra", .kind = BENCH_EIS_SPECTRA, .batch = 64, .hidden = 16, .samples = 1024 },
            TIDE_PRECISION_F32);
    assert_int_equal(made.train.batch, 64);
    assert_true(made.train.times.count >= 3 && made.train.times.p50_ms > 0);
}

static void counted(void **state) {
    (void)state;
    bench_result   r;
    tide_failure   f = { 0 };
    bench_settings s = {
        .threads = 1, .precision = TIDE_PRECISION_F32, .seconds = 0.01, .iterations = 7, .warmups = 3
    };
    if (bench_case(&small_forecast, &s, &r, &f) != TIDE_OK) fail_msg("%s", f.message);
    check_times(&r.train, 20, 4), check_times(&r.infer, 7, 4), check_times(&r.one, 7, 1);
    assert_int_equal(r.train.times.count, 20), assert_int_equal(r.infer.times.count, 7),
        assert_int_equal(r.one.times.count, 7);
    assert_int_equal(r.infer.times.warmups, 3);
}

static void other_models(void **state) {
    (void)state;
    bench_spec spec = small_forecast;
    spec.relu = spec.plain = true, spec.out_first = 2, spec.out_count = 1;
    bench_result r = run(spec, TIDE_PRECISION_F32);
    check_model(&r);
    tide_failure f = { 0 };
    spec.weights   = "/nonexistent/model.safetensors";
    bench_settings s = { .threads = 1, .precision = TIDE_PRECISION_F32, .seconds = 0.01 };
    assert_int_equal(bench_case(&spec, &s, &r, &f), TIDE_EDATA);
    assert_string_equal(f.file, spec.weights);
    char weights[BENCH_PATH];
    assert_int_not_equal(bench_spec_of_run("/nonexistent", weights, &spec, NULL), TIDE_OK);
}

static void named(void **state) {
    (void)state;
    const char *at = bench_case_names();
    for (char name[32]; *at;) {
        size_t length = strcspn(at, "|");
        assert_true(length < sizeof name);
        memcpy(name, at, length), name[length] = 0;
        if (!bench_spec_named(name)) fail_msg("%s is listed and not there", name);
        at += length + (at[length] == '|');
    }
    assert_null(bench_spec_named("etth"));
}

static bool stop_at_second(void *user, const char *what) {
    int *calls = user;
    assert_non_null(strstr(what, "small"));
    return ++*calls < 2;
}

/* The question is asked between runs: the second time in the midst of the first program's. */
static bool stop_at_third(void *user) {
    int *calls = user;
    return ++*calls >= 3;
}

static void stopped_between_runs(void **state) {
    (void)state;
    bench_result r;
    int          calls = 0;
    tide_failure f = { 0 };
    bench_settings s = {
        .threads = 1, .precision = TIDE_PRECISION_F32, .seconds = 60, .stop = stop_at_third, .user = &calls
    };
    assert_int_equal(bench_case(&small_eis, &s, &r, &f), TIDE_ECANCELLED);
    assert_int_equal(calls, 3);
}

static void stopped(void **state) {
    (void)state;
    bench_result r;
    int          calls = 0;
    tide_failure f = { 0 };
    assert_int_equal(
        bench_case(&small_eis, &(bench_settings){ .threads = 1, .seconds = 0.01, .tell = stop_at_second,
                                                  .user = &calls }, &r, &f),
        TIDE_ECANCELLED);
    assert_int_equal(calls, 2);
}

static void refused(void **state) {
    (void)state;
    static const struct { bench_options o; tide_status status; const char *column, *says; } rows[] = {
        { { .cases = "etth2" }, TIDE_EINVAL, "cases", "matmul4096" },
        { { .cases = "," }, TIDE_EINVAL, "", "empty" },
        { { .precisions = "f23" }, TIDE_EINVAL, "precision", "bf16" },
        { { .modes = "fast" }, TIDE_EINVAL, "peer-modes", "graph-compile-amp" },
        { { .modes = "amp,graph-compile-amp", .device = "cpu" }, TIDE_EINVAL, "peer-modes", "needs the device cuda" },
        { { .modes = "graph", .device = "cuda:1", .against = "/nowhere/x.py" }, TIDE_EINVAL, "against", "/nowhere/x" },
        { { .against = "/nowhere/script.py" }, TIDE_EINVAL, "against", "/nowhere/script.py" },
        { { .against = "/dev/null", .python = "/nowhere/python3" }, TIDE_EDEVICE, "python", "pip install torch" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench_report r;
        tide_failure f = { 0 };
        assert_int_equal(bench_run(&rows[i].o, &r, &f), rows[i].status);
        assert_string_equal(f.column, rows[i].column);
        if (!strstr(f.message, rows[i].says)) fail_msg("'%s' does not say '%s'", f.message, rows[i].says);
        bench_report_free(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models), cmocka_unit_test(reported), cmocka_unit_test(without_marks),
        cmocka_unit_test(other_kinds), cmocka_unit_test(spectra),
        cmocka_unit_test(named),  cmocka_unit_test(stopped), cmocka_unit_test(stopped_between_runs),
        cmocka_unit_test(counted), cmocka_unit_test(other_models),  cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
