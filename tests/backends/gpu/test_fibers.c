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

/* ---- a warp's words (CUDA) --------------------------------------------------------------------------------------- */

/* The text in two runs; y is the second's. */
static trial warp_trial(const char *text, float y[COUNT]) {
    trial t = open_trial(&fibers_cuda, text);
    assert_string_equal(t.why.message, "");
    for (int run = 0; run < 2; run++)
        if (run_trial(&t, THREADS)) fail_msg("%s", t.why.message);
    memcpy(y, t.y, sizeof t.y);
    close_trial(&t);
    return t;
}

/* In each warp d = a b + a b, b once as it lies by columns and once by rows; whole numbers, so that it is exact. */
#define PRODUCT_OF(type, mma)                                                                                          \
    "LOCAL_ARRAY(uint4, room, 128);\n"                                                                                 \
    "const uint w = lane / 32u, l = lane % 32u;\n"                                                                     \
    "LOCAL ushort *a = (LOCAL ushort *)room + w * 512u, *cols = a + 256, *rows = a + 384;\n"                           \
    "for (uint j = l; j < 256u; j += 32u) a[j] = f_to_" type "((float)(int)((j * 7u + group + w) % 31u) - 15.0f);\n"   \
    "for (uint j = l; j < 128u; j += 32u) {\n"                                                                         \
    "    const ushort v = f_to_" type "((float)(int)((j * 5u + w) % 23u) - 11.0f);\n"                                  \
    "    rows[j] = v; cols[j % 8u * 16u + j / 8u] = v;\n"                                                              \
    "}\n"                                                                                                              \
    "SYNC;\n"                                                                                                          \
    "uint of_a[4], b[4];\nfloat d[4] = { 0.0f, 0.0f, 0.0f, 0.0f };\n"                                                  \
    "LDMATRIX_X4(of_a[0], of_a[1], of_a[2], of_a[3], a + l % 16u * 16u + l / 16u * 8u);\n"                             \
    "LDMATRIX_X4(b[0], b[1], b[2], b[3], cols + l % 8u * 16u + l / 8u % 2u * 8u);\n"                                   \
    mma "(d, of_a, b);\n"                                                                                              \
    "LDMATRIX_X4_TRANS(b[0], b[1], b[2], b[3], rows + l % 16u * 8u);\n"                                                \
    mma "(d, of_a, b);\n"                                                                                              \
    "for (uint j = 0; j < 4u && group < 3u; j++)\n"                                                                    \
    "    y[group * 256u + w * 128u + (l / 4u + j / 2u * 8u) * 8u + l % 4u * 2u + j % 2u] = d[j];"

static void expect_product(const char *text) {
    float y[COUNT];
    warp_trial(text, y);
    for (int i = 0; i < 768; i++) {
        int group = i / 256, w = i / 128 % 2, row = i / 8 % 16, col = i % 8, sum = 0;
        for (int k = 0; k < 16; k++)
            sum += (((row * 16 + k) * 7 + group + w) % 31 - 15) * (((k * 8 + col) * 5 + w) % 23 - 11);
        assert_true(y[i] == (float)(2 * sum));
    }
}

static void test_matrix_words(void **unused) {
    (void)unused;
    expect_product(PRODUCT_OF("bf16", "MMA_BF16"));
    expect_product(PRODUCT_OF("f16", "MMA_F16"));
}

static void test_shuffles_and_packs(void **unused) {
    float y[COUNT];
    (void)unused;
    trial t = warp_trial("const float v = SHUFFLE_XOR(x[i < 1000u ? i : 0], 5);\nif (i < 1000u) y[i] = v;", y);
    for (int i = 0; i < 960; i++) assert_true(y[i] == t.x[i ^ 5]);
    warp_trial("const float v = x[i % 1000u] * 0.3719f, s = v * f_scale(1.0f, (int)(i % 41u) - 28);\n"
               "const uint p = PACK_BF16(v, s), q = PACK_F16(s, v);\n"
               "const uint of_p = (uint)f_to_bf16(v) | (uint)f_to_bf16(s) << 16;\n"
               "const uint of_q = (uint)f_to_f16(s) | (uint)f_to_f16(v) << 16;\n"
               "if (i < 1000u) y[i] = p == of_p && q == of_q ? 1.0f : 0.0f;", y);
    for (int i = 0; i < COUNT; i++) assert_true(y[i] == 1);
}

/* What is copied is there when its set was waited for, not before, and what was there before is not. */
static void test_copies(void **unused) {
    static const char copies[] = "LOCAL_ARRAY(float4, part, 128);\n"
                                 "part[lane] = part[lane + 64u] = *(GLOBAL const float4 *)x;\nSYNC;\n"
                                 "CP_ASYNC_16(part + lane, x + i %% 250u * 4u, 8);\nCP_ASYNC_COMMIT;\n"
                                 "CP_ASYNC_8(part + lane + 64u, x + i %% 500u * 2u, lane %% 2u * 8u);\n"
                                 "CP_ASYNC_4((LOCAL float *)(part + lane + 64u) + 2, x + i %% 1000u, 4);\n"
                                 "CP_ASYNC_COMMIT;\nCP_ASYNC_WAIT(%d);\nSYNC;\n"
                                 "const float4 p = part[lane ^ 1u], q = part[(lane ^ 1u) + 64u];\n"
                                 "if (i < 1000u) y[i] = %s;";
    float y[COUNT];
    char text[800];
    (void)unused;
    for (int which = 0; which < 4; which++) {
        static const char *const given[] = { "p.y + p.z + p.w", "q.x", "q.z", "q.z" };
        snprintf(text, sizeof text, copies, which == 0 || which == 3, given[which]);
        trial t = warp_trial(text, y);
        for (int i = 0; i < COUNT; i++) {
            const int of = i ^ 1;
            const float want[] = { t.x[of % 250 * 4 + 1], of % 2 ? t.x[of % 500 * 2] : 0, t.x[of % 1000] };
            assert_true(which == 3 ? isnan(y[i]) : y[i] == want[which]);
        }
    }
}

/* Lanes that do not come are found. */
static void test_warps(void **unused) {
    static const char *const texts[][2] = {
        { "if (lane != 35u) y[i] = SHUFFLE_XOR(1.0f, 1);", "31 of 32 threads of a warp of group 0 wait" },
        { "if (lane < 5u) {\nSHUFFLE_XOR(1.0f, 1);\n} else {\nSHUFFLE_XOR(1.0f, 1);\n}", "others at another" },
        { "if (lane < 5u) {\nSHUFFLE_XOR(1.0f, 1);\n} else {\nSYNC;\n}", "5 of 32 threads of a warp of group 0" },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        trial t = open_trial(&fibers_cuda, texts[i][0]);
        assert_int_equal(run_trial(&t, THREADS), TIDE_EDEVICE);
        if (!strstr(t.why.message, texts[i][1])) fail_msg("'%s' instead of '%s'", t.why.message, texts[i][1]);
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
        cmocka_unit_test(test_matrix_words), cmocka_unit_test(test_shuffles_and_packs), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_warps),
    };
    if (!fibers_possible()) return 77;
    return cmocka_run_group_tests_name("fibers", tests, NULL, NULL);
}
