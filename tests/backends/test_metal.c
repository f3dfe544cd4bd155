/* The Metal driver on a library that stands for Apple's (fake_metal.c): what it computes, what it tells, and that each
 * call that fails is named and leaves nothing behind. */
#include "backends/metal/device.h"
#include "fake_metal.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

enum { COUNT = 1000, THREADS = 64, NUMBERS = 4 };
#define OTHERS "available: cpu, ref, check, fibers-metal"

static fake_metal *fake, usual;

/* ---- a driver with two kernels on COUNT floats, in b0, and as many out, in b1 ---------------------------------- */

static const char plain[] = "KERNEL(k0, 64) {\nBEGIN\nconst uint i = group * 64u + lane;\n"
                            "GLOBAL const float *x = (GLOBAL const float *)b0;\nGLOBAL float *y = (GLOBAL float *)b1;\n"
                            "if ((i64)i < table[0]) y[i] = x[i] + (float)table[1];\n}\n"
                            "KERNEL(k1, 64) {\nBEGIN\nLOCAL_ARRAY(float, part, 64);\n"
                            "const uint i = group * 64u + lane;\nGLOBAL float *y = (GLOBAL float *)b1;\n"
                            "part[lane] = (i64)i < table[0] ? y[i] : 0.0f;\nSYNC;\n"
                            "if ((i64)i < table[0]) y[i] = 2.0f * part[lane] - part[lane ^ 1u];\n}\n";

typedef struct trial {
    metal_device *device;
    void *in, *out, *table, *module;
    float x[COUNT], y[COUNT];
    tide_failure why;
} trial;

static tide_status build(trial *t, const char *kernels, int32_t n) {
    gpu_source whole = { .n_entries = n };
    gpu_source_begin(&whole, GPU_METAL, false);
    text_add(&whole.all, "%s", kernels);
    tide_status status = metal_build(t->device, &whole, &t->module, &t->why);
    gpu_source_free(&whole);
    return status;
}

static tide_status put_all(trial *t) {
    static const int64_t numbers[2 * NUMBERS] = { -1, -1, COUNT, 3, COUNT, 5 };
    t->in = metal_memory.alloc(t->device, sizeof t->x), t->out = metal_memory.alloc(t->device, sizeof t->y);
    t->table = metal_memory.alloc(t->device, sizeof numbers);
    if (!t->in || !t->out || !t->table) return (fail)(&t->why, TIDE_ENOMEM, "no memory");
    for (int i = 0; i < COUNT; i++) t->x[i] = (float)((i * 7919) % 1013) - 500;
    tide_status status = metal_memory.put(t->device, t->table, 0, numbers, sizeof numbers, &t->why);
    return status ? status : metal_memory.put(t->device, t->in, 0, t->x, sizeof t->x, &t->why);
}

static tide_status open_trial(trial *t) {
    void *device = NULL;
    tide_allocator system = mem_system();
    *t = (trial){ 0 };
    tide_status status = metal_open(0, &system, &device, &t->why);
    t->device = device;
    if (!status) status = put_all(t);
    return status ? status : build(t, plain, 2);
}

static void close_trial(trial *t) {
    if (!t->device) return;
    metal_unload(t->device, t->module);
    metal_memory.free(t->device, t->in, sizeof t->x);
    metal_memory.free(t->device, t->out, sizeof t->y);
    metal_memory.free(t->device, t->table, 8 * NUMBERS);
    metal_close(t->device);
}

static const flat_kernel kernels[2] = { { .name = "plus" }, { .name = "turn" } };

static tide_status launch(trial *t, int entry, int first, double *seconds) {
    gpu_call call = { .kernel = &kernels[entry], .entry = entry, .threads = THREADS,
                      .groups = ceil_div(COUNT, THREADS), .table = t->table, .first = first };
    for (int i = 0; i < GPU_BLOCKS; i++) call.blocks[i] = i ? t->out : t->in;
    return metal_launch(t->device, t->module, &call, seconds, &t->why);
}

/* y = x + 3, then as often as is said turned; the last launch adds no other number. */
static tide_status run(trial *t, int turns) {
    tide_status status = metal_begin(t->device, &t->why);
    if (!status) status = launch(t, 0, 2, NULL);
    for (int i = 0; i < turns && !status; i++) status = launch(t, 1, 2, NULL);
    return status ? status : metal_end(t->device, &t->why);
}

static tide_status get(trial *t) { return metal_memory.get(t->device, t->y, t->out, 0, sizeof t->y, &t->why); }

static tide_status run_whole(trial *t, int turns) {
    tide_status status = open_trial(t);
    if (!status) status = run(t, turns);
    return status ? status : get(t);
}

static void expect_result(const trial *t, int turns) {
    float want[COUNT];
    for (int i = 0; i < COUNT; i++) want[i] = t->x[i] + 3;
    for (int n = 0; n < turns; n++)
        for (int i = 0; i < COUNT; i += 2) {
            float a = want[i], b = want[i + 1];
            want[i] = 2 * a - b, want[i + 1] = 2 * b - a;
        }
    assert_memory_equal(t->y, want, sizeof want);
}

static void expect_text(const char *got, const char *want) {
    if (!strstr(got, want)) fail_msg("'%s' has no '%s'", got, want);
}

static int begin_test(void **unused) {
    (void)unused;
    *fake = usual;
    return 0;
}

static int end_test(void **unused) {
    (void)unused;
    int64_t left = fake->live();
    *fake = usual;
    if (left) print_error("%lld objects are left\n", (long long)left);
    return left ? -1 : 0;
}

/* ---- what it computes ------------------------------------------------------------------------------------------ */

/* 9 launches of exact numbers: one command buffer; 15 x (1 + 9): several. */
static void test_runs(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 8), TIDE_OK);
    expect_result(&t, 8);
    assert_int_equal(fake->command_buffers - usual.command_buffers, 1);
    assert_int_equal(fake->launches - usual.launches, 9);
    assert_string_equal(fake->label, "plus ... turn");
    for (int i = 0; i < 15; i++) assert_int_equal(run(&t, 9), TIDE_OK);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 9);
    close_trial(&t);
}

/* More launches than a command buffer holds, and more command buffers than are queued. */
static void test_many(void **unused) {
    (void)unused;
    enum { RUNS = 3 * MOST_QUEUED };
    trial t;
    assert_int_equal(run_whole(&t, 0), TIDE_OK);
    int64_t before = fake->command_buffers;
    for (int i = 0; i < RUNS; i++) assert_int_equal(run(&t, LAUNCHES_TOGETHER + 5), TIDE_OK);
    assert_true(fake->command_buffers > before); /* a run looks at those before it */
    assert_int_equal(metal_memory.wait(t.device, &t.why), TIDE_OK);
    assert_int_equal(fake->command_buffers - before, 2 * RUNS);
    assert_int_equal(run(&t, 4), TIDE_OK);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 4);
    close_trial(&t);
}

/* Nothing runs before somebody waits, and what is freed is kept by what is queued. */
static void test_late(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    int64_t before = fake->command_buffers;
    assert_int_equal(run(&t, 3), TIDE_OK);
    assert_int_equal(fake->command_buffers, before);
    metal_memory.free(t.device, t.in, sizeof t.x);
    t.in = NULL;
    assert_int_equal(fake->command_buffers, before);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 3);
    close_trial(&t);
}

/* What is put while a run is queued is written after it and before the next, and nobody waits. */
static void test_put_later(void **unused) {
    (void)unused;
    enum { MANY = 2 * LAUNCHES_TOGETHER + 3 };
    trial t;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    int64_t before = fake->copies;
    for (int step = 0; step < 5; step++) {
        int64_t ran = fake->command_buffers;
        for (int i = 0; i < MANY; i++) {
            t.x[7 + i] = (float)(step * 100 + i);
            assert_int_equal(metal_memory.put(t.device, t.in, 4 * (7 + i), &t.x[7 + i], 4, &t.why), TIDE_OK);
        }
        if (step) assert_true(fake->command_buffers >= ran + 2); /* so many copies do not wait for a run */
        assert_int_equal(run(&t, 1), TIDE_OK);
    }
    assert_true(fake->copies > before);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1);
    assert_int_equal(run(&t, 2), TIDE_OK);
    unsigned char six[6] = { 1, 2, 3, 4, 5, 6 }, back[6]; /* no whole words: it waits */
    before = fake->copies;
    assert_int_equal(metal_memory.put(t.device, t.in, 4, six, 6, &t.why), TIDE_OK);
    assert_int_equal(fake->copies, before);
    assert_int_equal(run(&t, 2), TIDE_OK);
    assert_int_equal(metal_memory.put(t.device, t.in, 14, six, 4, &t.why), TIDE_OK);
    assert_int_equal(fake->copies, before);
    assert_int_equal(metal_memory.get(t.device, back, t.in, 4, 6, &t.why), TIDE_OK);
    assert_memory_equal(back, six, 6);
    close_trial(&t);
}

/* Copies that were told and no run after them: whoever asks next has them done. */
static void test_put_last(void **unused) {
    (void)unused;
    trial t;
    float two[2] = { 8, 9 }, back[2];
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(&t, 70), TIDE_OK);
        two[0] += 1;
        assert_int_equal(metal_memory.put(t.device, t.out, 16, two, sizeof two, &t.why), TIDE_OK);
        if (i) fake->fail = "run", fake->after = t.device->n_queued - 1; /* put asked for the first */
        tide_status status = metal_memory.get(t.device, back, t.out, 16, sizeof back, &t.why);
        assert_int_equal(status, i ? TIDE_EDEVICE : TIDE_OK);
        if (!i) assert_memory_equal(back, two, sizeof two);
    }
    assert_string_equal(t.why.message, "metal:0: a copy to the device failed: Caused GPU Timeout Error "
                                       "(00000002:kIOGPUCommandBufferCallbackErrorTimeout)");
    assert_int_equal(run(&t, 70), TIDE_OK);
    assert_int_equal(metal_memory.put(t.device, t.out, 16, two, sizeof two, &t.why), TIDE_OK);
    close_trial(&t);
}

/* Without a buffer, a command buffer or an encoder for it, it waits. */
static void test_put_in_need(void **unused) {
    static const char *const calls[] = { "new_buffer", "contents", "command_buffer", "copier" };
    (void)unused;
    for (int i = 0; i < 4; i++) {
        trial t;
        float two[2] = { 8, 9 };
        assert_int_equal(run_whole(&t, 1), TIDE_OK);
        assert_int_equal(run(&t, 70), TIDE_OK);
        fake->fail = calls[i], fake->after = 0;
        assert_int_equal(metal_memory.put(t.device, t.out, 16, two, sizeof two, &t.why), TIDE_OK);
        assert_null(fake->fail);
        assert_int_equal(get(&t), TIDE_OK);
        assert_memory_equal(t.y + 4, two, sizeof two);
        close_trial(&t);
    }
}

static void test_seconds(void **unused) {
    (void)unused;
    trial t;
    double seconds[2] = { 1, 0 };
    assert_int_equal(run_whole(&t, 0), TIDE_OK);
    int64_t before = fake->command_buffers;
    assert_int_equal(metal_begin(t.device, &t.why), TIDE_OK);
    for (int i = 0; i < 2; i++) assert_int_equal(launch(&t, i, 2, &seconds[i]), TIDE_OK);
    assert_int_equal(fake->command_buffers - before, 2);
    assert_true(seconds[0] > 1 && seconds[1] > 0 && seconds[1] < 1);
    fake->fail = "run", fake->after = 0;
    assert_int_equal(launch(&t, 1, 2, &seconds[1]), TIDE_EDEVICE);
    expect_text(t.why.message, "metal:0: the kernel 'turn' failed: Caused GPU Timeout Error");
    t.why = (tide_failure){ 0 };
    assert_int_equal(metal_end(t.device, &t.why), TIDE_OK);
    assert_int_equal(get(&t), TIDE_OK);
    close_trial(&t);
}

static void test_options(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 0), TIDE_OK);
    assert_false(fake->fast);
    assert_int_equal(fake->language, METAL_LANGUAGE_3_2);
    assert_true(fake->math == METAL_MATH_SAFE && fake->functions == METAL_FUNCTIONS_PRECISE);
    close_trial(&t);
    fake->old = true;
    assert_int_equal(run_whole(&t, 0), TIDE_OK);
    assert_false(fake->fast);
    assert_int_equal(fake->language, METAL_LANGUAGE_3_0);
    assert_true(fake->math == -1 && fake->functions == -1);
    close_trial(&t);
}

/* ---- devices --------------------------------------------------------------------------------------------------- */

static void expect_no_device(int index, const char *message) {
    tide_failure why = { 0 };
    void *device = NULL;
    tide_allocator system = mem_system();
    assert_int_equal(metal_open(index, &system, &device, &why), TIDE_EDEVICE);
    assert_string_equal(why.message, message);
}

static void test_devices(void **unused) {
    (void)unused;
    trial t;
    expect_no_device(1, "there is no device metal:1; available: metal:0 (Fake M9)");
    fake->devices = 2;
    expect_no_device(9, "there is no device metal:9; available: metal:0 (Fake M9), metal:1 (Fake M1)");
    tide_device told;
    assert_int_equal(tide_device_info("metal:1", &told, NULL), TIDE_OK);
    assert_string_equal(told.hardware, "Fake M1");
    assert_true(told.own_memory && told.memory_bytes == (int64_t)fake->most_bytes);
    fake->devices = 0;
    expect_no_device(0, "Metal finds no device on this machine; " OTHERS);
    fake->devices = 1, fake->unlisted = true;
    assert_int_equal(run_whole(&t, 2), TIDE_OK); /* the default device */
    close_trial(&t);
    expect_no_device(1, "Metal finds no device on this machine; " OTHERS);
}

static void test_limits(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(open_trial(&t), TIDE_OK);
    assert_int_equal(t.device->limits.threads, 256);
    assert_int_equal(t.device->limits.local_bytes, 32768);
    assert_false(t.device->limits.f64);
    assert_int_equal(metal_most_threads(t.device, t.module, 1), THREADS);
    fake->pipeline_threads = 32;
    assert_int_equal(metal_most_threads(t.device, t.module, 1), 32);
    close_trial(&t);
    fake->threads = 96;
    assert_int_equal(open_trial(&t), TIDE_OK);
    assert_int_equal(t.device->limits.threads, 64);
    close_trial(&t);
}

/* A block that is freed while it is used makes room once that is over. */
static void test_memory(void **unused) {
    (void)unused;
    enum { ROOM = 16384 };
    trial t;
    fake->most_bytes = ROOM, fake->most_block_bytes = 12000;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    assert_null(metal_memory.alloc(t.device, 12001));
    assert_null(metal_memory.alloc(t.device, ROOM - 2 * sizeof t.x));
    assert_int_equal(run(&t, 1), TIDE_OK);
    metal_memory.free(t.device, t.in, sizeof t.x);
    t.in = metal_memory.alloc(t.device, ROOM - 2 * sizeof t.x);
    assert_non_null(t.in);
    void *none = metal_memory.alloc(t.device, 0);
    assert_non_null(none);
    assert_int_equal(metal_memory.put(t.device, none, 0, NULL, 0, &t.why), TIDE_OK);
    metal_memory.free(t.device, none, 0);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1);
    close_trial(&t);
}

/* ---- what fails ------------------------------------------------------------------------------------------------ */

static void test_texts(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(open_trial(&t), TIDE_OK);
    metal_unload(t.device, t.module);
    t.module = NULL;
    assert_int_equal(build(&t, "KERNEL(k0, 64) {\nBEGIN\nint i = nothing;\n}\n", 1), TIDE_EDEVICE);
    expect_text(t.why.message, "metal:0: the kernels do not compile: ");
    expect_text(t.why.message, "nothing");
    assert_null(strchr(t.why.message, '\n'));
    t.why = (tide_failure){ 0 };
    assert_int_equal(build(&t, plain, 3), TIDE_EDEVICE);
    assert_string_equal(t.why.message, "metal:0: the compiled text has no kernel k2");
    close_trial(&t);
}

/* Two batches, the second of one kernel, whose n-th call of this name fails; its failure, and whether there was one. */
static bool run_failing(const char *call, int n, trial *t) {
    fake->fail = call, fake->after = n;
    tide_status status = run_whole(t, LAUNCHES_TOGETHER);
    bool failed = !fake->fail;
    fake->fail = NULL;
    close_trial(t);
    assert_int_equal(fake->live(), 0);
    assert_int_equal(status == TIDE_OK, !failed);
    return failed;
}

/* Each call made to fail, the first time, the second, ...: what is said, that nothing is left, that it works then. */
static void test_every_failure(void **unused) {
    static const struct { const char *call, *first, *later; int least; } calls[] = {
        { "MTLCreateSystemDefaultDevice", "Metal finds no device on this machine; available: cpu", "", 1 },
        { "new_queue", "metal:0 (Fake M9) gives no command queue", "", 1 },
        { "new_buffer", "no memory", "no memory", 3 },
        { "contents", "metal:0: a block's contents are out of reach", "out of reach", 3 },
        { "alloc", "out of memory for the text of metal:0", "", 1 },
        { "init", "out of memory for the text of metal:0", "", 1 },
        { "new_library", "metal:0: the kernels do not compile: source:1:1: error: it was told to", "", 1 },
        { "new_function", "metal:0: the compiled text has no kernel k0", "has no kernel k1", 2 },
        { "new_pipeline", "metal:0: the kernel k0 cannot be run: Compute function exceeds available registers",
          "metal:0: the kernel k1 cannot be run", 2 },
        { "command_buffer", "metal:0: the kernel 'plus' cannot be queued: there is no command buffer",
          "metal:0: the kernel 'turn' cannot be queued: there is no command buffer", 2 },
        { "encoder", "metal:0: the kernel 'plus' cannot be queued: there is no command encoder",
          "metal:0: the kernel 'turn' cannot be queued: there is no command encoder", 2 },
        { "run", "metal:0: one of the kernels from 'plus' to 'turn' failed: Caused GPU Timeout Error",
          "metal:0: the kernel 'turn' failed: Caused GPU Timeout Error", 2 },
    };
    (void)unused;
    fake->unlisted = true;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int failures = 0;
        for (trial t; run_failing(calls[i].call, failures, &t); failures++) {
            expect_text(t.why.message, failures ? calls[i].later : calls[i].first);
            assert_int_equal(run_whole(&t, 2), TIDE_OK);
            expect_result(&t, 2);
            close_trial(&t);
        }
        if (failures < calls[i].least) fail_msg("%s was called %d times", calls[i].call, failures);
    }
}

/* Strings are texts, names of kernels, and labels, which can be done without. */
static void test_no_strings(void **unused) {
    static const char *const said[] = { "out of memory for the text of metal:0", "no kernel k0", "no kernel k1" };
    (void)unused;
    trial t;
    for (int i = 0; i < 3; i++) {
        assert_true(run_failing("string", i, &t));
        expect_text(t.why.message, said[i]);
        assert_true(run_failing("objc_getClass", i ? i + 1 : i, &t)); /* the second is that of options */
        expect_text(t.why.message, said[i]);
    }
    assert_true(run_failing("objc_getClass", 1, &t));
    expect_text(t.why.message, said[0]);
    assert_int_equal(open_trial(&t), TIDE_OK);
    fake->fail = "string", fake->after = 0;
    assert_int_equal(run(&t, 1), TIDE_OK);
    assert_null(fake->fail);
    fake->fail = "objc_getClass", fake->after = 0;
    assert_int_equal(run(&t, 1), TIDE_OK);
    assert_null(fake->fail);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1);
    close_trial(&t);
}

/* Told once, by whoever comes first; what the run should have written is not there until the next. */
static void test_told_late(void **unused) {
    (void)unused;
    for (int who = 0; who < 4; who++) {
        trial t;
        float y = 0;
        assert_int_equal(run_whole(&t, 0), TIDE_OK);
        fake->fail = "run", fake->after = 0;
        assert_int_equal(run(&t, 1), TIDE_OK);
        assert_non_null(fake->fail);
        tide_status status = TIDE_OK;
        if (who == 0) status = metal_memory.wait(t.device, &t.why);
        for (int i = 0; who == 1 && !status && i < 9; i++)
            status = metal_memory.put(t.device, t.out, 0, &y, sizeof y, &t.why);
        if (who == 2) status = get(&t);
        for (int i = 0; who == 3 && !status && i < 9; i++) status = run(&t, 1);
        assert_int_equal(status, TIDE_EDEVICE);
        expect_text(t.why.message, "metal:0: one of the kernels from 'plus' to 'turn' failed: Caused GPU Timeout");
        t.why = (tide_failure){ 0 };
        assert_int_equal(metal_memory.wait(t.device, &t.why), TIDE_OK);
        assert_int_equal(run(&t, 2), TIDE_OK);
        assert_int_equal(get(&t), TIDE_OK);
        expect_result(&t, 2);
        close_trial(&t);
    }
}

/* Of those queued behind, nobody hears. */
static void test_told_once(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 0), TIDE_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(run(&t, 70), TIDE_OK);
    fake->fail = "run", fake->after = 0;
    assert_int_equal(get(&t), TIDE_EDEVICE);
    expect_text(t.why.message, "failed");
    t.why = (tide_failure){ 0 };
    assert_int_equal(get(&t), TIDE_OK);
    fake->fail = "run", fake->after = 0, fake->more = 1;
    tide_status status = TIDE_OK;
    for (int i = 0; i < 9 && !status; i++) status = run(&t, 1); /* which looks at what is done */
    assert_int_equal(status, TIDE_EDEVICE);
    assert_null(fake->fail);
    t.why = (tide_failure){ 0 };
    assert_int_equal(get(&t), TIDE_OK);
    close_trial(&t);
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    fake->fail = "run", fake->after = 0;
    assert_int_equal(run(&t, 1), TIDE_OK);
    close_trial(&t); /* nobody asked */
}

/* The names are the program's, which is gone when somebody asks. */
static void test_told_after_unload(void **unused) {
    (void)unused;
    trial t;
    char name[] = "short-lived";
    const flat_kernel kernel = { .name = name };
    gpu_call call = { .kernel = &kernel, .threads = THREADS, .groups = 1, .first = 2 };
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    for (int i = 0; i < GPU_BLOCKS; i++) call.blocks[i] = i ? t.out : t.in;
    call.table = t.table;
    fake->fail = "run", fake->after = 0;
    assert_int_equal(metal_launch(t.device, t.module, &call, NULL, &t.why), TIDE_OK);
    assert_int_equal(metal_end(t.device, &t.why), TIDE_OK);
    metal_unload(t.device, t.module);
    t.module = NULL;
    memset(name, '?', sizeof name - 1);
    assert_int_equal(metal_begin(t.device, &t.why), TIDE_EDEVICE);
    expect_text(t.why.message, "the kernel 'short-lived' failed");
    close_trial(&t);
}

static void test_close_waits(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    assert_int_equal(run(&t, 1), TIDE_OK);
    int64_t before = fake->command_buffers;
    metal_module *m = t.module;
    metal_memory.free(t.device, t.in, sizeof t.x);
    metal_memory.free(t.device, t.out, sizeof t.y);
    metal_memory.free(t.device, t.table, 8 * NUMBERS);
    metal_close(t.device);
    assert_int_equal(fake->command_buffers, before + 1);
    for (int32_t i = 0; i < m->n_pipelines; i++) metal_drop(m->pipelines[i]);
    free(m);
}

/* ---- whole programs: the bits of the same texts without Metal -------------------------------------------------- */

enum { ROWS = 6, IN = 5, OUT = 3, STEPS = 3 };

/* A layer with dropout, trained: feeds, random numbers, gradients, variables that are assigned. */
typedef struct session {
    tide_graph   *g;
    tide_val      x, y, w, loss;
    tide_program *p;
    float         rows[ROWS * IN], truth[ROWS * OUT];
} session;

static session open_session(const char *device) {
    session s = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = 9 }) };
    for (int i = 0; i < ROWS * IN; i++) s.rows[i] = (float)(i % 7) / 7 - 0.4f;
    for (int i = 0; i < ROWS * OUT; i++) s.truth[i] = (float)(i % 5) / 5;
    s.x = tide_input(s.g, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN));
    s.y = tide_input(s.g, "y", TIDE_F32, TIDE_SHAPE(ROWS, OUT));
    s.w = tide_variable(s.g, "w", tide_random_normal(s.g, TIDE_SHAPE(IN, OUT), 0, 1));
    tide_val h = tide_dropout(tide_gelu(tide_matmul(s.x, s.w)), 0.2, TIDE_TRAIN);
    s.loss = tide_mse(h, s.y);
    tide_list params = TIDE_LIST(s.w);
    tide_val step = tide_adamw(params, tide_grad(s.loss, params),
                               &(tide_adamw_opts){ .lr = tide_scalar(s.g, 1e-2), .weight_decay = 0.1 });
    s.p = tide_compile(TIDE_LIST(s.loss, step), NULL);
    return s;
}

static tide_status step(session *s) {
    return tide_run(s->p, (tide_feed[]){ { s->x, s->rows }, { s->y, s->truth } }, 2);
}

typedef struct trained { float loss[STEPS], w[IN * OUT]; } trained;

/* The first failure of the graph or of the program. */
static tide_status train_on(const char *device, trained *t, tide_failure *why) {
    session s = open_session(device);
    tide_status status = TIDE_OK;
    for (int i = 0; i < STEPS && !status; i++) {
        status = step(&s);
        if (!status && i) status = tide_read(s.loss, &t->loss[i], sizeof t->loss[i]);
    }
    if (!status) status = tide_read(s.w, t->w, sizeof t->w);
    *why = *tide_error(s.g);
    if (!why->status) *why = *tide_program_error(s.p);
    tide_graph_free(s.g);
    return status;
}

/* Sums of few numbers, in another order. */
static void expect_like_ref(const trained *got) {
    trained ref = { 0 };
    tide_failure why;
    assert_int_equal(train_on("ref", &ref, &why), TIDE_OK);
    for (int i = 1; i < STEPS; i++) assert_float_equal(got->loss[i], ref.loss[i], 4e-6);
    for (int i = 0; i < IN * OUT; i++) assert_float_equal(got->w[i], ref.w[i], 4e-6);
}

static void test_trains(void **unused) {
    (void)unused;
    trained metal_one = { 0 }, fibers = { 0 };
    tide_failure why;
    int64_t before = fake->launches;
    assert_int_equal(train_on("metal", &metal_one, &why), TIDE_OK);
    assert_true(fake->launches > before + 3 * STEPS);
    assert_int_equal(train_on("fibers-metal", &fibers, &why), TIDE_OK);
    assert_memory_equal(&metal_one, &fibers, sizeof fibers);
    expect_like_ref(&fibers);
}

/* Where a pipeline allows fewer threads, the text is made again. */
static void test_fewer_threads(void **unused) {
    (void)unused;
    trained few = { 0 };
    tide_failure why;
    fake->pipeline_threads = 64;
    assert_int_equal(train_on("metal", &few, &why), TIDE_OK);
    expect_like_ref(&few);
}

/* Each call made to fail, in a whole session: its message is Metal's, or says what there was no memory for; or what it
 * was for can wait, and the numbers are the same. */
static void test_sessions_fail(void **unused) {
    static const char *const calls[] = { "new_queue", "new_buffer", "contents", "new_library", "new_function",
                                         "new_pipeline", "command_buffer", "encoder", "copier", "run" };
    (void)unused;
    trained whole = { 0 };
    tide_failure why;
    assert_int_equal(train_on("metal", &whole, &why), TIDE_OK);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int failures = 0, told = 0;
        for (bool reached = true; reached; failures += reached) {
            trained t = { 0 };
            fake->fail = calls[i], fake->after = failures;
            tide_status status = train_on("metal", &t, &why);
            reached = !fake->fail;
            fake->fail = NULL;
            assert_int_equal(fake->live(), 0);
            assert_int_equal(why.status, status);
            if (status) expect_text(why.message, status == TIDE_ENOMEM ? "memory" : "metal:0");
            else assert_memory_equal(&t, &whole, sizeof t);
            told += status != TIDE_OK;
        }
        assert_in_range(failures, 1, 200);
        assert_true(told >= (strcmp(calls[i], "copier") ? 1 : 0));
    }
}

/* ---- no Metal -------------------------------------------------------------------------------------------------- */

static void test_absent(void **unused) {
    (void)unused;
    const char *name = getenv("TIDEMILL_METAL");
    assert_non_null(name);
    assert_string_equal(name, "none");
    expect_no_device(0, "Metal is not wanted: TIDEMILL_METAL is none; " OTHERS);
}

static bool find_fake(void) {
    const char *name = getenv("TIDEMILL_METAL");
    void *library = name ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : NULL;
    fake = library ? dlsym(library, "fake") : NULL;
    if (fake) usual = *fake;
    return fake;
}

int main(int argc, char **argv) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = {
        TEST(test_runs),  TEST(test_many),          TEST(test_late),       TEST(test_seconds),   TEST(test_options),
        TEST(test_put_later), TEST(test_put_last), TEST(test_put_in_need),
        TEST(test_devices), TEST(test_limits),      TEST(test_memory),     TEST(test_texts),
        TEST(test_every_failure), TEST(test_no_strings), TEST(test_told_late), TEST(test_told_once),
        TEST(test_told_after_unload), TEST(test_close_waits),
        TEST(test_trains), TEST(test_fewer_threads), TEST(test_sessions_fail),
    };
    const struct CMUnitTest absent[] = { cmocka_unit_test(test_absent) };
    if (argc == 2 && !strcmp(argv[1], "absent")) return cmocka_run_group_tests_name("metal", absent, NULL, NULL);
    if (!find_fake()) return 1;
    if (!fake->possible()) return 77;
    return cmocka_run_group_tests_name("metal", tests, NULL, NULL);
}
