/* Each Apple chip, by what macOS answers: its name, its place in the guides' tables. */
#include "recorded.h"

#define GIB ((int64_t)1 << 30)

typedef struct chip_case {
    const char *name;                      /* machdep.cpu.brand_string */
    int performance, efficiency, memory_gib;
    int generation;
    machine_tier tier;
    int batch, batch_most, d_model, d_ff, seq_most, budget_gib_x10, eis_batch;
    const char *mode;
} chip_case;

#define ROW1(b) b, 256, 192, 768, 128
#define ROW2(b) b, 768, 256, 1024, 256
#define ROW3(b) b, 1024, 320, 1280, 384
#define REDUCE "reduce-overhead"
#define TUNE "max-autotune"

static const chip_case chips[] = {
    { "Apple M1", 4, 4, 8, 1, MACHINE_BASE, ROW1(256), 60, 128, REDUCE },
    { "Apple M1", 4, 4, 16, 1, MACHINE_BASE, ROW1(256), 60, 128, REDUCE },
    { "Apple M1 Pro", 8, 2, 16, 1, MACHINE_PRO, ROW2(512), 120, 256, REDUCE },
    { "Apple M1 Pro", 6, 2, 32, 1, MACHINE_PRO, ROW2(512), 120, 256, REDUCE },
    { "Apple M1 Max", 8, 2, 64, 1, MACHINE_MAX, ROW2(768), 120, 256, REDUCE },
    { "Apple M1 Ultra", 16, 4, 128, 1, MACHINE_ULTRA, ROW3(1024), 960, 1024, TUNE },
    { "Apple M2", 4, 4, 8, 2, MACHINE_BASE, ROW2(512), 60, 128, REDUCE },
    { "Apple M2", 4, 4, 16, 2, MACHINE_BASE, ROW2(512), 120, 512, REDUCE },
    { "Apple M2", 4, 4, 24, 2, MACHINE_BASE, ROW2(512), 120, 512, REDUCE },
    { "Apple M2 Pro", 8, 4, 16, 2, MACHINE_PRO, ROW3(768), 120, 512, TUNE },
    { "Apple M2 Max", 8, 4, 32, 2, MACHINE_MAX, ROW3(1024), 240, 1024, TUNE },
    { "Apple M2 Ultra", 16, 8, 192, 2, MACHINE_ULTRA, ROW3(1024), 1440, 1024, TUNE },
    { "Apple M3", 4, 4, 8, 3, MACHINE_BASE, ROW3(768), 60, 128, TUNE },
    { "Apple M3", 4, 4, 24, 3, MACHINE_BASE, ROW3(768), 180, 512, TUNE },
    { "Apple M3 Pro", 6, 6, 36, 3, MACHINE_PRO, ROW3(768), 270, 512, TUNE },
    { "Apple M3 Max", 12, 4, 48, 3, MACHINE_MAX, ROW3(1024), 360, 1024, TUNE },
    { "Apple M3 Ultra", 24, 8, 512, 3, MACHINE_ULTRA, ROW3(1024), 3840, 1024, TUNE },
    { "Apple M4", 4, 6, 16, 4, MACHINE_BASE, ROW3(768), 120, 512, TUNE },
    { "Apple M4 Pro", 10, 4, 48, 4, MACHINE_PRO, ROW3(768), 360, 512, TUNE },
    { "Apple M4 Max", 12, 4, 128, 4, MACHINE_MAX, ROW3(1024), 960, 1024, TUNE },
    { "Apple M5", 4, 6, 16, 5, MACHINE_BASE, ROW3(768), 120, 512, TUNE },
    { "Apple M5 Pro", 12, 4, 64, 5, MACHINE_PRO, ROW3(768), 480, 512, TUNE },
    { "Apple M5 Max", 14, 4, 128, 5, MACHINE_MAX, ROW3(1024), 960, 1024, TUNE },
    { "Apple M5 Ultra", 28, 8, 256, 5, MACHINE_ULTRA, ROW3(1024), 1920, 1024, TUNE },
    { "Apple M12", 8, 8, 32, 12, MACHINE_BASE, ROW3(768), 240, 512, TUNE },
    { "Apple M1 (Virtual)", 3, 0, 7, 1, MACHINE_BASE, ROW1(256), 52, 128, REDUCE },  /* a virtual machine */
    { "Apple M3 Promo", 4, 4, 16, 3, MACHINE_BASE, ROW3(768), 120, 512, TUNE },      /* only a whole word is a tier */
    { "Apple A18 Pro", 2, 4, 8, 0, MACHINE_BASE, ROW1(256), 60, 128, REDUCE },
    { "VirtualApple @ 2.50GHz", 8, 0, 16, 0, MACHINE_BASE, ROW1(256), 60, 128, REDUCE },  /* Rosetta */
};

static machine detect_chip(const chip_case *c) {
    char performance[16], efficiency[16], logical[16], memory[32];
    snprintf(performance, sizeof performance, "%d", c->performance);
    snprintf(efficiency, sizeof efficiency, "%d", c->efficiency);
    snprintf(logical, sizeof logical, "%d", c->performance + c->efficiency);
    snprintf(memory, sizeof memory, "%lld", (long long)(c->memory_gib * GIB));
    const recorded answers[] = {
        { "uname:system", "Darwin\n" }, { "uname:machine", "arm64\n" },
        { "sysctl:machdep.cpu.brand_string", c->name }, { "sysctl:hw.nperflevels", c->efficiency ? "2" : "1" },
        { "sysctl:hw.perflevel0.physicalcpu", performance }, { "sysctl:hw.perflevel1.physicalcpu",
                                                               c->efficiency ? efficiency : NULL },
        { "sysctl:hw.logicalcpu", logical }, { "sysctl:hw.physicalcpu", logical }, { "sysctl:hw.memsize", memory },
        { "sysctl:hw.perflevel0.l1dcachesize", "131072" }, { "sysctl:hw.perflevel0.l2cachesize", "12582912" },
        { "sysctl:hw.l1dcachesize", "65536" }, { "sysctl:hw.optional.neon", "1" },
        { "sysctl:hw.optional.arm.FEAT_FP16", "1" },
        { "sysctl:hw.optional.arm.FEAT_BF16", c->generation >= 2 ? "1" : "0" }, { NULL, NULL },
    };
    return detect_recorded(answers, NULL, NULL);
}

static void test_detection(void **state) {
    (void)state;
    for (const chip_case *c = chips; c < chips + sizeof chips / sizeof *chips; c++) {
        machine m = detect_chip(c);
        EXPECT_TEXT("model", m.model, c->name);
        EXPECT_INT("is Apple's", m.apple, 1);
        EXPECT_INT("generation", m.apple_generation, c->generation);
        EXPECT_INT("tier", m.apple_tier, c->tier);
        EXPECT_INT("performance cores", m.performance_cores, c->performance);
        EXPECT_INT("efficiency cores", m.efficiency_cores, c->efficiency);
        EXPECT_INT("threads", machine_threads(&m), c->performance);
        EXPECT_INT("memory", machine_memory_bytes(&m), c->memory_gib * GIB);
        EXPECT_INT("L1d of a fast core", m.l1d_bytes, 131072);
        EXPECT_INT("L2", m.l2_bytes, 12582912);
        EXPECT_INT("sets", m.features, MACHINE_NEON | MACHINE_NEON_FP16 | (c->generation >= 2 ? MACHINE_NEON_BF16 : 0));
    }
}

static void test_tables(void **state) {
    (void)state;
    for (const chip_case *c = chips; c < chips + sizeof chips / sizeof *chips; c++) {
        machine        m = detect_chip(c);
        machine_rates  rates;
        machine_advice a;
        machine_estimate(&m, &rates);
        machine_advise(&m, &rates, &a);
        EXPECT_INT("batch", a.of[MACHINE_BATCH].value, c->batch);
        EXPECT_INT("most batch", a.of[MACHINE_BATCH].most, c->batch_most);
        EXPECT_INT("d_model", a.of[MACHINE_D_MODEL].value, c->d_model);
        EXPECT_INT("d_ff", a.of[MACHINE_D_FF].value, c->d_ff);
        EXPECT_INT("sequence length", a.of[MACHINE_SEQ_LEN].value, 96);
        EXPECT_INT("most sequence length", a.of[MACHINE_SEQ_LEN].most, c->seq_most);
        EXPECT_INT("memory in tenths of a GiB", a.of[MACHINE_MEMORY].value * 10 / GIB, c->budget_gib_x10);
        EXPECT_INT("impedance batch", a.of[MACHINE_EIS_BATCH].value, c->eis_batch);
        EXPECT_INT("threads", a.of[MACHINE_THREADS].value, c->performance);
        EXPECT_TEXT("compile mode", a.of[MACHINE_COMPILE_MODE].word, c->mode);
        EXPECT_TEXT("precision", a.of[MACHINE_PRECISION].word, "f32");
        for (int i = 0; i < MACHINE_CHOICES; i++)
            if (!a.of[i].why[0]) fail_msg("%s: %s has no reason", c->name, machine_choice_name((machine_choice_id)i));
    }
}

static void test_intel_mac(void **state) {
    static const recorded answers[] = {
        { "uname:system", "Darwin\n" },
        { "uname:machine", "x86_64\n" },
        { "sysctl:machdep.cpu.brand_string", "Intel(R) Core(TM) i7-1068NG7 CPU @ 2.30GHz" },
        { "sysctl:hw.physicalcpu", "4" },
        { "sysctl:hw.logicalcpu", "8" },
        { "sysctl:hw.memsize", "17179869184" },
        { "sysctl:hw.l1dcachesize", "49152" },
        { "sysctl:hw.l2cachesize", "524288" },
        { "sysctl:hw.l3cachesize", "8388608" },
        { "sysctl:hw.optional.avx2_0", "1" },
        { "sysctl:hw.optional.fma", "1" },
        { "sysctl:hw.optional.avx512f", "1" },
        { "sysctl:hw.optional.avx512bw", "1" },
        { "sysctl:hw.optional.avx512dq", "1" },
        { "sysctl:hw.optional.avx512vl", "1" },
        { "sysctl:hw.optional.avx512cd", "1" },
        { NULL, NULL },
    };
    const named *c = &(named){ "Intel Mac" };
    machine m = detect_recorded(answers, NULL, NULL);
    (void)state;
    EXPECT_INT("is Apple's", m.apple, 0);
    EXPECT_INT("cores", m.performance_cores, 4);
    EXPECT_INT("efficiency cores", m.efficiency_cores, 0);
    EXPECT_INT("processors", m.processors, 8);
    EXPECT_INT("L3", m.l3_bytes, 8388608);
    EXPECT_INT("sets", m.features, MACHINE_AVX2 | MACHINE_AVX512);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_detection), cmocka_unit_test(test_tables),
                                        cmocka_unit_test(test_intel_mac) };
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
