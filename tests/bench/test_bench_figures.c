/* What is made of times: statistics, ratios, ratings, recommendations; and what a script's lines are read as. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/parts.h"

static void close_to(double got, double expected) {
    if (fabs(got - expected) > 1e-12 * fabs(expected)) fail_msg("expected %.17g, got %.17g", expected, got);
}

static void statistics(void **state) {
    (void)state;
    bench_times t = { .count = 20 };
    for (int i = 0; i < 20; i++) t.ms[i] = (double)((i * 7) % 20 + 1);  /* 1..20, mixed */
    bench_summarise(&t);
    close_to(t.min_ms, 1), close_to(t.max_ms, 20), close_to(t.mean_ms, 10.5), close_to(t.total_s, 0.21);
    close_to(t.p50_ms, 10.5);
    close_to(t.p95_ms, 19.05);  /* and not the maximum */
    close_to(t.ms[1], 8);       /* kept in the order of the runs */
    bench_times one = { .count = 1, .ms = { 3 } };
    bench_summarise(&one);
    close_to(one.p50_ms, 3), close_to(one.p95_ms, 3);
    bench_times none = { 0 };
    bench_summarise(&none);
    close_to(none.mean_ms, 0);
    const double rounds[] = { 5, 0, 1, 9 };
    close_to(bench_median(rounds, 4), 5);  /* 0: that round has none */
    close_to(bench_median(rounds + 1, 1), 0);
}

static bench_result timed(tide_precision precision) {
    bench_result r = {
        .spec = { .name = "etth1", .kind = BENCH_FORECAST, .batch = 32 }, .precision = precision, .threads = 2,
        .roof_gflops = 200
    };
    r.train = (bench_program){ .flops = 1e9,
                               .batch = 32,
                               .times = { .count = 10, .p50_ms = 10, .mean_ms = 10, .p95_ms = 11 } };
    r.infer =
        (bench_program){ .flops = 3e8, .batch = 32, .times = { .count = 10, .p50_ms = 2, .mean_ms = 2, .p95_ms = 2 } };
    r.one = (bench_program){ .flops = 1e7,
                             .batch = 1,
                             .times = { .count = 10, .p50_ms = 0.1, .mean_ms = 0.1, .p95_ms = 0.1 } };
    return r;
}

static const char *const lines[] = {
    "{\"torch\": \"2.13.0\", \"device\": \"cpu\", \"threads\": 2}",
    "a warning that is no JSON",
    "{\"case\": \"m1\", \"mode\": \"eager\", \"step_ms\": 999}",
    "{\"case\": \"etth1\", \"mode\": \"eager\", \"step_ms\": 30, \"first_s\": 0.5, \"infer_p50_ms\": 0.8}",
    "{\"case\": \"etth1\", \"mode\": \"compile\", \"step_ms\": 25, \"infer_p50_ms\": 0.5}",
    "{\"case\": \"etth1\", \"mode\": \"amp\", \"step_ms\": 20, \"infer_p50_ms\": 1.0}",
    "{\"case\": \"etth1\", \"mode\": \"compile-amp\", \"failed\": \"no compiler\"}",
    "{\"case\": \"etth1\", \"mode\": \"no mode\", \"step_ms\": 1}",
    "[1, 2",
};

static void ratios(void **state) {
    (void)state;
    bench_entry full = { .result = timed(TIDE_PRECISION_F32), .step_ms = 10, .infer_ms = 0.1 },
                half = { .result = timed(TIDE_PRECISION_BF16), .step_ms = 10, .infer_ms = 0.1 };
    bench_peer  peer = { 0 };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) bench_peer_line(lines[i], "etth1", &peer);
    full.peer = half.peer = peer;
    assert_string_equal(peer.version, "PyTorch 2.13.0");
    assert_string_equal(peer.failed, "compile-amp: no compiler");
    close_to(peer.mode[BENCH_EAGER].first_s, 0.5);
    bench_ratios q = bench_ratios_of(&full);
    close_to(q.peer_step_ms, 30), close_to(q.eager, 3), close_to(q.compile, 2.5), close_to(q.best, 2),
        close_to(q.infer, 8);
    close_to(q.roof_allows, 6);  /* at 200 GFLOP/s our step takes 5 ms */
    q = bench_ratios_of(&half);
    close_to(q.peer_step_ms, 20), close_to(q.eager, 2), close_to(q.compile, 0), close_to(q.best, 2),
        close_to(q.infer, 10);
    full.peer = (bench_peer){ 0 };
    q         = bench_ratios_of(&full);
    close_to(q.eager, 0), close_to(q.best, 0), close_to(q.infer, 0), close_to(q.roof_allows, 0);
}

static const char *const cuda_lines[] = {
    "{\"jax\": \"0.10.2\", \"device\": \"cuda\"}",
    "{\"case\": \"m1\", \"mode\": \"eager\", \"step_ms\": 6, \"queued_ms\": 5, \"peak_mib\": 300}",
    "{\"case\": \"m1\", \"mode\": \"graph\", \"step_ms\": 1.25, \"queued_ms\": 1, \"peak_mib\": 400}",
    "{\"case\": \"m1\", \"mode\": \"graph-compile-amp\", \"step_ms\": 0.75, \"queued_ms\": 1.5, \"peak_mib\": 500}",
};

/* Waited for and queued, each beside theirs that is fastest so. */
static void queued(void **state) {
    (void)state;
    bench_entry e = { .result = timed(TIDE_PRECISION_F32), .step_ms = 0.5, .queued_ms = 0.25 };
    for (size_t i = 0; i < sizeof cuda_lines / sizeof *cuda_lines; i++) bench_peer_line(cuda_lines[i], "m1", &e.peer);
    assert_string_equal(e.peer.version, "JAX 0.10.2");
    bench_ratios q = bench_ratios_of(&e);
    close_to(q.eager, 12), close_to(q.best, 1.5), close_to(q.queued, 4), close_to(q.peer_peak_mib, 400);
    bench_report r = { .entry = &e, .count = 1, .rounds = 1, .compared = true, .device = { .name = "cuda" } };
    char *text = bench_text(&r);
    assert_non_null(strstr(text, "graph-compile-amp"));
    assert_non_null(strstr(text, "etth1           f32       0.250       5.000           -           -           -"
                                 "       1.000             1.500    4.00         -     400.0\n"));
    free(text);
    snprintf(r.device.name, sizeof r.device.name, "opencl");
    text = bench_text(&r);
    assert_null(strstr(text, "graph"));
    free(text);
}

static void modes_of_devices(void **state) {
    (void)state;
    static const struct { const char *device; bool cuda; } rows[] = {
        { NULL, false }, { "cpu", false }, { "cud", false }, { "cudagrad", false }, { "opencl:1", false },
        { "cuda", true }, { "cuda:1", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(bench_on_cuda(rows[i].device), rows[i].cuda);
        assert_int_equal(bench_modes_on(rows[i].device), rows[i].cuda ? BENCH_MODES : BENCH_GRAPH);
        assert_int_equal(strstr(bench_mode_names(rows[i].device), "graph") != NULL, rows[i].cuda);
        device_meter meter;
        double       joules;
        if (rows[i].cuda) continue;
        assert_false(device_meter_open(rows[i].device, &meter));
        assert_false(device_meter_read(&meter, &joules));
    }
}

/* A script for sh that tells what it was called with. */
static void handed_on(void **state) {
    (void)state;
    static const struct { const char *device, *says; } rows[] = {
        { NULL, "eager: --threads 2 --cases etth1 --modes eager --seconds 3" },
        { "cuda:1", "eager: --threads 2 --cases etth1 --modes eager --seconds 3 --device cuda:1" },
    };
    char  path[] = "/tmp/test_bench_XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fputs("echo \"{\\\"case\\\": \\\"etth1\\\", \\\"mode\\\": \\\"eager\\\", \\\"failed\\\": \\\"$*\\\"}\"\n", file);
    fclose(file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench_peer      peer;
        tide_failure    f    = { 0 };
        bench_peer_call call = { .python = "sh", .script = path, .name = "etth1", .modes = "eager",
                                 .device = rows[i].device, .threads = 2, .seconds = 3 };
        assert_int_equal(bench_peer_run(&call, &peer, &f), TIDE_OK);
        assert_string_equal(peer.failed, rows[i].says);
    }
    remove(path);
}

static void shares(void **state) {
    (void)state;
    bench_result r = timed(TIDE_PRECISION_F32);
    close_to(bench_gflops(&r.train), 100), close_to(bench_roof_share(&r, &r.train), 0.5);
    assert_ptr_equal(bench_main_program(&r), &r.train);
    r.train.times.count = 0;
    assert_ptr_equal(bench_main_program(&r), &r.infer);
    close_to(bench_gflops(&r.train), 0);
}

static void ratings(void **state) {
    (void)state;
    static const struct { int generation; double ms; const char *word;
    } rows[] = {
        { 1, 4.9, "excellent" }, { 1, 5, "good" },   { 1, 10, "could be better" },
        { 2, 4.5, "good" },      { 3, 3.5, "good" }, { 4, 2.9, "excellent" },
    };
    bench_result r = timed(TIDE_PRECISION_F32);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        machine m = { .apple = true, .apple_generation = rows[i].generation };
        r.infer.times.mean_ms = rows[i].ms;
        assert_string_equal(bench_rating(&m, &r), rows[i].word);
    }
    const machine other = { .usable_cores = 2 };
    assert_string_equal(bench_rating(&other, &r), "excellent");  /* 150 of 200 */
    r.infer.times.p50_ms = 4;
    assert_string_equal(bench_rating(&other, &r), "good");
    r.infer.times.p50_ms = 40;
    assert_string_equal(bench_rating(&other, &r), "could be better");
    r.roof_gflops = 0;
    assert_string_equal(bench_rating(&other, &r), "unknown");
}

/* Made-up figures of a busy machine, one sign at a time: steps 16 times slower are never excellent. */
static void busy(void **state) {
    (void)state;
    char         text[BENCH_NOTE];
    machine      m = { .usable_cores = 2, .processors = 2 };
    bench_result r = timed(TIDE_PRECISION_F32);
    r.threads = 2;
    assert_false(bench_busy(&m, &r, text));
    assert_string_equal(text, "");
    r.kept_gflops = r.roof_gflops / 0.7;
    assert_false(bench_busy(&m, &r, text));
    r.kept_gflops = 527, r.roof_gflops = 30;
    assert_true(bench_busy(&m, &r, text));
    assert_non_null(strstr(text, "30 GFLOP/s where 527"));
    assert_string_equal(bench_rating(&m, &r), "not rated");
    assert_true(bench_recommendation(&m, &r, 0, text));
    assert_non_null(strstr(text, "idle"));

    r = timed(TIDE_PRECISION_F32), r.threads = 2;
    r.train.times.min_ms = 55, r.train.times.mean_ms = 859;
    assert_true(bench_busy(&m, &r, text));
    assert_string_equal(bench_rating(&m, &r), "not rated");

    r = timed(TIDE_PRECISION_F32), r.threads = 2;
    r.load = 2.9; /* our own training before it */
    assert_false(bench_busy(&m, &r, text));
    r.load = 8;
    assert_true(bench_busy(&m, &r, text));
    assert_non_null(strstr(text, "load 8.0"));
    machine apple = { .apple = true, .apple_generation = 2, .processors = 2 };
    assert_string_equal(bench_rating(&apple, &r), "not rated");
}

static bool says(const machine *m, const bench_result *r, const char *word) {
    char text[BENCH_NOTE];
    for (int i = 0; bench_recommendation(m, r, i, text); i++)
        if (strstr(text, word)) return true;
    return false;
}

static void recommendations(void **state) {
    (void)state;
    char         text[BENCH_NOTE];
    machine      m = { .usable_cores = 2, .processors = 2, .allowed_processors = 2, .performance_cores = 2 };
    bench_result r = timed(TIDE_PRECISION_F32);
    r.memory = (bench_memory){ .peak_bytes = 90, .available_bytes = 100 };
    assert_false(bench_recommendation(&m, &r, 0, text));
    r.memory.peak_bytes = 91;
    assert_true(says(&m, &r, "smaller batch"));
    r.train.times.p95_ms = 20.1;
    assert_true(says(&m, &r, "other work"));
    r.train.compile_ms = 1001;
    assert_true(says(&m, &r, "one process"));
    r.threads = 1;
    assert_true(says(&m, &r, "`threads` 2"));
    m.features = MACHINE_AMX_BF16;
    assert_true(says(&m, &r, "bf16"));
    r.spec.batch = 512;
    assert_false(says(&m, &r, "M1"));
    m.apple = true, m.apple_generation = 1;
    assert_true(says(&m, &r, "M1"));
    m.apple_tier = MACHINE_MAX;
    assert_false(says(&m, &r, "M1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics), cmocka_unit_test(ratios), cmocka_unit_test(shares),
        cmocka_unit_test(queued),     cmocka_unit_test(modes_of_devices), cmocka_unit_test(handed_on),
        cmocka_unit_test(ratings), cmocka_unit_test(busy),    cmocka_unit_test(recommendations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
