/* The make-believe GPU itself: what it computes, and what it finds. */
#include "fibers.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 1000, THREADS = 64 };

static const gpu_driver *const drivers[] = { &fibers_cuda, &fibers_metal };
enum { DRIVERS = sizeof drivers / sizeof *drivers };

/* ---- a kernel on COUNT floats, in b0, and as many out, in b1 ----------------------------------------------------- */

typedef struct trial {
    const gpu_driver *driver;
    void *device, *in, *out, *table, *module;
    float x[COUNT], y[COUNT];
    tide_failure why;
} trial;

static trial open_trial(const gpu_driver *driver, const char *text) {
    static const int64_t numbers[3] = { -1, COUNT, 7 };
    trial t = { .driver = driver };
    tide_allocator system = mem_system();
    gpu_source whole = { .n_entries = 1 };
    assert_int_equal(driver->memory->open(0, &system, &t.device, &t.why), TIDE_OK);
    t.in = driver->memory->alloc(t.device, sizeof t.x), t.out = driver->memory->alloc(t.device, sizeof t.y);
    t.table = driver->memory->alloc(t.device, sizeof numbers);
    assert_int_equal(driver->memory->put(t.device, t.table, 0, numbers, sizeof numbers, &t.why), TIDE_OK);
    for (int i = 0; i < COUNT; i++) t.x[i] = (float)((i * 7919) % 1013) - 500;
    assert_int_equal(driver->memory->put(t.device, t.in, 0, t.x, sizeof t.x, &t.why), TIDE_OK);
    gpu_source_begin(&whole, driver->language, false);
    text_add(&whole.all, "KERNEL(k0, 64) {\nBEGIN\nGLOBAL const float *x = (GLOBAL const float *)b0;\n"
                     "GLOBAL float *y = (GLOBAL float *)b1;\nconst uint i = group * 64u + lane;\n"
                     "%s\n}\n", text);
    driver->build(t.device, &whole, &t.module, &t.why);
    gpu_source_free(&whole);
    return t;
}

static tide_status run_trial(trial *t, int32_t threads) {
    static const flat_kernel kernel = { .name = "seven" };
    gpu_call call = { .kernel = &kernel, .threads = threads, .groups = ceil_div(COUNT, THREADS), .table = t->table,
                      .first = 1 };
    for (int i = 0; i < GPU_BLOCKS; i++) call.blocks[i] = i ? t->out : t->in;
    tide_status status = t->driver->begin(t->device, &t->why);
    if (!status) status = t->driver->launch(t->device, t->module, &call, NULL, &t->why);
    if (!status) status = t->driver->end(t->device, &t->why);
    if (!status) status = t->driver->memory->get(t->device, t->y, t->out, 0, sizeof t->y, &t->why);
    return status;
}

static void close_trial(trial *t) {
    t->driver->unload(t->device, t->module);
    t->driver->memory->free(t->device, t->in, sizeof t->x);
    t->driver->memory->free(t->device, t->out, sizeof t->y);
    t->driver->memory->free(t->device, t->table, 24);
    t->driver->memory->close(t->device);
}

static void expect_failure(const char *text, int32_t threads, const char *message) {
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], text);
        assert_string_equal(t.why.message, "");
        assert_int_equal(run_trial(&t, threads), TIDE_EDEVICE);
        if (!strstr(t.why.message, message)) fail_msg("'%s' instead of '%s'", t.why.message, message);
        t.why = (tide_failure){ 0 };
        assert_int_equal(t.driver->memory->wait(t.device, &t.why), TIDE_OK); /* told once */
        close_trial(&t);
    }
}

/* ---- what it computes ------------------------------------------------------------------------------------------- */

static void test_each(void **unused) {
    (void)unused;
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], "if (i < (uint)table[0]) y[i] = FMA(x[i], 2.0f, (float)table[1]);");
        assert_string_equal(t.why.message, "");
        for (int run = 0; run < 2; run++) {
            assert_int_equal(run_trial(&t, THREADS), TIDE_OK);
            for (int i = 0; i < COUNT; i++) assert_true(t.y[i] == 2 * t.x[i] + 7);
        }
        close_trial(&t);
    }
}

/* Each thread the sum of its group, by a tree; the last group is not whole. */
static const char sums[] = "LOCAL_ARRAY(float, part, 64);\n"
                           "part[lane] = i < (uint)table[0] ? x[i] : 0.0f;\nSYNC;\n"
                           "for (uint d = 32u; d > 0u; d >>= 1) {\n"
                           "    if (lane < d) part[lane] = part[lane] + part[lane + d];\n"
                           "    %s;\n"
                           "}\n"
                           "if (i < (uint)table[0]) y[i] = part[0];";

static void test_sums(void **unused) {
    (void)unused;
    char text[600];
    snprintf(text, sizeof text, sums, "SYNC");
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], text);
        assert_string_equal(t.why.message, "");
        for (int run = 0; run < 2; run++) {
            assert_int_equal(run_trial(&t, THREADS), TIDE_OK);
            for (int i = 0; i < COUNT; i++) {
                float sum = 0;
                for (int j = i / THREADS * THREADS; j < MIN2(COUNT, (i / THREADS + 1) * THREADS); j++) sum += t.x[j];
                assert_true(t.y[i] == sum);
            }
        }
        close_trial(&t);
    }
}

/* Without the barrier the order of the threads shows. */
static void test_race(void **unused) {
    (void)unused;
    char text[600];
    float first[COUNT];
    snprintf(text, sizeof text, sums, "");
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], text);
        assert_int_equal(run_trial(&t, THREADS), TIDE_OK);
        memcpy(first, t.y, sizeof first);
        assert_int_equal(run_trial(&t, THREADS), TIDE_OK);
        assert_memory_not_equal(first, t.y, sizeof first);
        close_trial(&t);
    }
}

/* Memory that nobody wrote, of a group after another group too. */
static void test_unwritten(void **unused) {
    (void)unused;
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], "LOCAL_ARRAY(float, part, 64);\nif (i < 500u) y[i] = part[lane];\n"
                                         "part[lane] = 1.0f;");
        assert_int_equal(run_trial(&t, THREADS), TIDE_OK);
        for (int i = 0; i < COUNT; i++) assert_true(isnan(t.y[i]));
        close_trial(&t);
    }
}

/* ---- what it finds ---------------------------------------------------------------------------------------------- */

static void test_barriers(void **unused) {
    (void)unused;
    expect_failure("if (lane < 5u) SYNC;\nif (i < (uint)table[0]) y[i] = 1.0f;", THREADS,
                   "the kernel 'seven' (k0): 5 of 64 threads of group 0 wait at the barrier in line ");
    expect_failure("if (group == 3u) { SYNC; if (lane != 63u) SYNC; }", THREADS, "63 of 64 threads of group 3 wait");
    expect_failure("if (lane < 5u) {\nSYNC;\n} else {\nSYNC;\n}", THREADS, "others at another");
}

static void test_outside(void **unused) {
    (void)unused;
    expect_failure("y[i] = 1.0f;", THREADS, "the kernel 'seven' (k0) wrote byte 4000 of its block 1 of 4000 bytes");
    expect_failure("if (i == 900u) y[(int)i - 901] = 1.0f;", THREADS, "wrote byte -1 of its block 1");
}

static void test_limits(void **unused) {
    (void)unused;
    expect_failure("y[i] = 1.0f;", 32, "is for groups of 64 threads, launched with 32");
    fibers_limit.threads = 32;
    expect_failure("y[i] = 1.0f;", THREADS, "a group has up to 32");
    fibers_limit = (fibers_limits){ 256, 1024, 0 };
    expect_failure("LOCAL_ARRAY(int, part, 257);\npart[lane] = 1;", THREADS, "has 1028 bytes a group of 1024");
    fibers_limit = (fibers_limits){ 256, 32768, 32 };
    expect_failure("y[i] = 1.0f;", THREADS, "a group has up to 32");
    fibers_limit = (fibers_limits){ 256, 32768, 0 };
}

static void test_no_text(void **unused) {
    (void)unused;
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], "y[i] = nothing;");
        assert_int_equal(t.why.status, TIDE_EDEVICE);
        if (!strstr(t.why.message, "nothing")) fail_msg("'%s'", t.why.message);
        close_trial(&t);
    }
}

/* A text that mixes address spaces compiles for CUDA; a compiler that knows Metal's refuses it. */
static void test_spaces(void **unused) {
    const char *clang = getenv("FIBERS_CLANG");
    (void)unused;
    if (!clang || !*clang) skip();
    for (int d = 0; d < DRIVERS; d++) {
        trial t = open_trial(drivers[d], "const float *z = x;\ny[i] = z[0];");
        assert_int_equal(t.why.status, drivers[d]->language == GPU_METAL ? TIDE_EDEVICE : TIDE_OK);
        close_trial(&t);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),     cmocka_unit_test(test_sums),    cmocka_unit_test(test_race),
        cmocka_unit_test(test_unwritten), cmocka_unit_test(test_barriers), cmocka_unit_test(test_outside),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_no_text), cmocka_unit_test(test_spaces),
    };
    if (!fibers_possible()) return 77;
    return cmocka_run_group_tests_name("fibers", tests, NULL, NULL);
}
