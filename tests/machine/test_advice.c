/* Advice from speed, its properties, and what is told of it. */
#include <jansson.h>

#include "recorded.h"

#define GIB ((int64_t)1 << 30)

static machine server(int64_t memory) {
    return (machine){ .system = "Linux",
                      .arch = "x86_64",
                      .model = "Server",
                      .processors = 8,
                      .allowed_processors = 8,
                      .performance_cores = 8,
                      .usable_cores = 8,
                      .memory_bytes = memory,
                      .features = MACHINE_AVX2 | MACHINE_AVX512 | MACHINE_AVX512_BF16 };
}

static machine_advice advise(const machine *m, double f32, double bf16, double f16, double gbs, double launch_us) {
    machine_rates r = {
        .measured = true, .threads = 8, .gflops = { f32, bf16, f16 }, .bandwidth_gbs = gbs, .launch_us = launch_us
    };
    machine_advice a;
    machine_advise(m, &r, &a);
    return a;
}

/* d_model: an epoch of 8545 windows of 11 tokens through 24 d^2 weights, 6 operations each, at 0.65 of the rate, in 15
 * s: 256 needs 91 GFLOP/s, 320 needs 142. Batch: 0.05 of a step holds an update of 28 bytes a weight:
 * b >= 28 * 0.65 R / (0.05 * 66 B) = 5.52 R / B, and eleven times that for the impedance network, as far as 70 % of the
 * memory hold what the guide says a batch uses. */
static const struct {
    const char *name;
    int64_t memory;
    double f32, bf16, f16, gbs, launch_us;
    int batch, eis, d_model, seq_most;
    const char *precision, *mode;
} rows[] = {
    { "a small board", 4 * GIB, 10, 0, 0, 4, 10, 32, 128, 192, 128, "f32", "default" },
    { "almost wide enough for 256", 16 * GIB, 90, 0, 0, 20, 1, 32, 512, 192, 128, "f32", "default" },
    { "wide enough for 256", 16 * GIB, 92, 0, 0, 20, 1, 32, 512, 256, 256, "f32", "default" },
    { "almost wide enough for 320", 16 * GIB, 141, 0, 0, 20, 1, 64, 512, 256, 256, "f32", "default" },
    { "a laptop", 16 * GIB, 400, 0, 0, 40, 3, 64, 1024, 320, 384, "f32", "default" },
    { "memory far slower than products", 64 * GIB, 1000, 0, 0, 10, 3, 1024, 1024, 320, 384, "f32", "default" },
    { "bf16 that pays", 64 * GIB, 200, 500, 0, 40, 3, 32, 512, 320, 384, "bf16", "default" },
    { "bf16 that hardly pays", 64 * GIB, 200, 250, 0, 40, 3, 32, 512, 320, 384, "f32", "default" },
    { "f16 faster still", 64 * GIB, 200, 500, 700, 40, 3, 32, 512, 320, 384, "f16", "default" },
    { "f16 no faster than bf16", 64 * GIB, 200, 500, 600, 40, 3, 32, 512, 320, 384, "bf16", "default" },
    { "slow to start", 64 * GIB, 2000, 0, 0, 400, 200, 64, 1024, 320, 384, "f32", "reduce-overhead" },
    { "little memory", 1 * GIB, 1000, 0, 0, 10, 3, 256, 128, 320, 384, "f32", "default" },
};

static void test_table(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const typeof(*rows) *c = &rows[i];
        machine m = server(c->memory);
        machine_advice a = advise(&m, c->f32, c->bf16, c->f16, c->gbs, c->launch_us);
        EXPECT_INT("batch", a.of[MACHINE_BATCH].value, c->batch);
        EXPECT_INT("impedance batch", a.of[MACHINE_EIS_BATCH].value, c->eis);
        EXPECT_INT("d_model", a.of[MACHINE_D_MODEL].value, c->d_model);
        EXPECT_INT("d_ff", a.of[MACHINE_D_FF].value, 4 * c->d_model);
        EXPECT_INT("most sequence length", a.of[MACHINE_SEQ_LEN].most, c->seq_most);
        EXPECT_TEXT("precision", a.of[MACHINE_PRECISION].word, c->precision);
        EXPECT_TEXT("compile mode", a.of[MACHINE_COMPILE_MODE].word, c->mode);
        EXPECT_INT("memory", a.of[MACHINE_MEMORY].value, (int64_t)(0.7 * (double)c->memory));
        EXPECT_INT("threads", a.of[MACHINE_THREADS].value, 8);
    }
}

/* A faster machine gets no narrower model; memory that is faster for the same products needs no larger batch. */
static void test_order(void **state) {
    const named *c = &(named){ "order" };
    machine      m = server(32 * GIB);
    (void)state;
    for (double rate = 1; rate < 1e5; rate *= 1.3) {
        machine_advice slow = advise(&m, rate, 0, 0, 30, 3), fast = advise(&m, 1.3 * rate, 0, 0, 30, 3),
                       near = advise(&m, rate, 0, 0, 40, 3);
        EXPECT_INT("a faster machine has a narrower model",
                   fast.of[MACHINE_D_MODEL].value < slow.of[MACHINE_D_MODEL].value, 0);
        EXPECT_INT("faster memory wants a larger batch", near.of[MACHINE_BATCH].value > slow.of[MACHINE_BATCH].value,
                   0);
        for (int i = 0; i < MACHINE_CHOICES; i++) {
            EXPECT_INT("the most is less than the value", slow.of[i].most < slow.of[i].value, 0);
            EXPECT_INT("length of a reason",
                       slow.of[i].why[0] == 0 || strlen(slow.of[i].why) > sizeof slow.of[i].why - 2, 0);
        }
    }
}

static void test_limits(void **state) {
    const named *c = &(named){ "a container" };
    machine      m = server(64 * GIB);
    (void)state;
    m.cpu_limit = 2.5, m.memory_limit_bytes = 2 * GIB, m.cgroup_version = 2;
    machine_advice a = advise(&m, 200, 0, 0, 20, 3);
    EXPECT_INT("threads", a.of[MACHINE_THREADS].value, 3);
    EXPECT_INT("memory", a.of[MACHINE_MEMORY].value, (int64_t)(0.7 * 2 * (double)GIB));
    EXPECT_INT("impedance batch: 2.1 GB do not fit, the least is taken", a.of[MACHINE_EIS_BATCH].value, 128);
    if (!strstr(a.of[MACHINE_THREADS].why, "limit"))
        fail_msg("the reason for 3 threads does not name the limit: %s", a.of[MACHINE_THREADS].why);
}

/* Estimates follow cores and sets, and say that they are none. */
static void test_estimate(void **state) {
    const named  *c = &(named){ "estimate" };
    machine       m = server(64 * GIB), less = m;
    machine_rates r, slower;
    machine_advice a;
    (void)state;
    machine_estimate(&m, &r);
    EXPECT_INT("measured", r.measured, 0);
    less.features = MACHINE_AVX2;
    machine_estimate(&less, &slower);
    if (!(slower.gflops[MACHINE_F32] < r.gflops[MACHINE_F32])) fail_msg("AVX2 is not estimated slower than AVX-512");
    machine_advise(&m, &r, &a);
    EXPECT_TEXT("precision before measuring", a.of[MACHINE_PRECISION].word, "f32");
    if (!strstr(a.of[MACHINE_PRECISION].why, "`measure`"))
        fail_msg("the reason does not say how to find out: %s", a.of[MACHINE_PRECISION].why);
}

static void test_json(void **state) {
    const named   *c = &(named){ "JSON" };
    machine        m = server(64 * GIB);
    machine_rates r = { .measured = true,
                        .threads = 8,
                        .gflops = { 200, 500, 0 },
                        .bandwidth_gbs = 40,
                        .launch_us = 3,
                        .measured_at = "2026-01-31T12:00:00Z" };
    machine_advice a;
    (void)state;
    snprintf(m.model, sizeof m.model, "bad \xff name");
    machine_advise(&m, &r, &a);
    char   *text = machine_json(&m, &r, &a);
    json_t *o = text ? json_loads(text, 0, NULL) : NULL, *advice = json_object_get(o, "advice"),
           *rates = json_object_get(o, "rates");
    if (!o) fail_msg("not JSON: %s", text ? text : "nothing");
    EXPECT_INT("schema version", json_integer_value(json_object_get(o, "schema_version")), 1);
    EXPECT_INT("a name that is no UTF-8 is null", json_is_null(json_object_get(json_object_get(o, "machine"), "model")),
               1);
    EXPECT_INT("f16 that is not offered is null",
               json_is_null(json_object_get(json_object_get(rates, "gemm_gflops"), "f16")), 1);
    EXPECT_INT("choices", json_object_size(advice), MACHINE_CHOICES);
    EXPECT_TEXT("the device", json_string_value(json_object_get(o, "device")), "cpu");
    const json_t *first = json_array_get(json_object_get(o, "device_info"), 0);
    EXPECT_TEXT("the first device", json_string_value(json_object_get(first, "name")), "cpu");
    EXPECT_INT("which is there", json_is_true(json_object_get(first, "there")), 1);
    EXPECT_INT("and has the host's memory", json_is_false(json_object_get(first, "own_memory")), 1);
    for (int i = 0; i < MACHINE_CHOICES; i++) {
        const json_t *one = json_object_get(advice, machine_choice_name((machine_choice_id)i)),
                     *value = json_object_get(one, "value");
        EXPECT_TEXT(machine_choice_name((machine_choice_id)i), json_string_value(json_object_get(one, "why")),
                    a.of[i].why);
        if (a.of[i].word[0]) EXPECT_TEXT("word", json_string_value(value), a.of[i].word);
        else EXPECT_INT("value", json_integer_value(value), a.of[i].value);
    }
    json_decref(o);
    free(text);
}

/* Of a device with memory of its own what is advised follows from that, and from its own rates. */
static void test_device(void **state) {
    machine        m = server(64 * GIB);
    machine_rates  r = { .measured = true, .threads = 4, .gflops = { 40000, 400000 }, .bandwidth_gbs = 3000,
                         .launch_us = 20 };
    const named    is = { "a device" }, *c = &is;
    machine_advice a, cpu;
    (void)state;
    machine_advise(&m, &r, &cpu);
    m.device = (tide_device){ .name = "gpu", .memory_bytes = 8 * GIB, .own_memory = true };
    machine_advise(&m, &r, &a);
    EXPECT_INT("memory of the device", a.of[MACHINE_MEMORY].value, (int64_t)(0.7 * (double)(8 * GIB)));
    EXPECT_INT("memory of the machine", cpu.of[MACHINE_MEMORY].value, (int64_t)(0.7 * (double)(64 * GIB)));
    EXPECT_TEXT("precision", a.of[MACHINE_PRECISION].word, "bf16");
    if (!strstr(a.of[MACHINE_MEMORY].why, "of the device")) fail_msg("%s", a.of[MACHINE_MEMORY].why);
}

static void test_text(void **state) {
    machine        m = server(64 * GIB);
    machine_rates  r;
    machine_advice a;
    (void)state;
    machine_estimate(&m, &r);
    machine_advise(&m, &r, &a);
    char *text = machine_text(&m, &r, &a);
    if (!text) fail_msg("no text");
    static const char *const wanted[] = { "Server",         "64.0 GiB",  "avx2 avx512 avx512-bf16",
                                          "devices\n  cpu ", "estimated", "`measure`" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strstr(text, wanted[i])) fail_msg("\"%s\" is missing in:\n%s", wanted[i], text);
    for (int i = 0; i < MACHINE_CHOICES; i++)
        if (!strstr(text, machine_choice_name((machine_choice_id)i)) || !strstr(text, a.of[i].why))
            fail_msg("choice %d is missing in:\n%s", i, text);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table), cmocka_unit_test(test_order), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_estimate), cmocka_unit_test(test_json), cmocka_unit_test(test_device),
        cmocka_unit_test(test_text),
    };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
