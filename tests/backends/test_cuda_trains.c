/* Whole programs on the CUDA driver: the bits of the same texts without it, and each call that fails. */
#include "test_cuda.h"

#include <stdio.h>
#include <tidemill/tidemill.h>

enum { ROWS = 6, IN = 5, OUT = 3, STEPS = 3, FOREVER = 1 << 20 };

/* A layer with dropout, trained: feeds, random numbers, gradients, variables that are assigned. */
typedef struct session {
    tide_graph   *g;
    tide_val      x, y, w, loss;
    tide_program *p;
    float         rows[ROWS * IN], truth[ROWS * OUT];
} session;

typedef struct counter { tide_allocator system; int64_t live; } counter;

static void *counted_alloc(void *user, size_t bytes) {
    counter *c = user;
    c->live += (int64_t)bytes;
    return c->system.alloc(c->system.user, bytes);
}

static void counted_free(void *user, void *memory, size_t bytes) {
    counter *c = user;
    c->live -= (int64_t)bytes;
    c->system.free(c->system.user, memory, bytes);
}

static session open_session(const char *device, counter *c) {
    const tide_allocator counting = { counted_alloc, counted_free, c };
    session s = { .g = tide_graph_new_with(&(tide_graph_options){ .device = device, .threads = 1, .seed = 9,
                                                                  .allocator = counting }) };
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

typedef struct trained { float loss[STEPS], w[IN * OUT]; } trained;

/* Steps, results, and a step that is measured. */
static tide_status train_steps(session *s, bool measured, trained *t) {
    const tide_feed feed[] = { { s->x, s->rows }, { s->y, s->truth } };
    tide_status status = s->p ? TIDE_OK : TIDE_EDEVICE;
    for (int i = 0; i < STEPS && !status; i++) {
        status = tide_run(s->p, feed, 2);
        if (!status && i) status = tide_read(s->loss, &t->loss[i], sizeof t->loss[i]);
    }
    if (!status) status = tide_read(s->w, t->w, sizeof t->w);
    if (status || !measured) return status;
    tide_explanation *e = tide_program_explain(s->p, &(tide_explain_options){ feed, 2, .measure_s = 1e-9 });
    tide_explanation_free(e);
    return e ? TIDE_OK : TIDE_EDEVICE;
}

/* The first failure of the graph or of the program. */
static tide_failure train_on(const char *device, bool measured, trained *t) {
    counter c = { mem_system(), 0 };
    session s = open_session(device, &c);
    tide_status  status = train_steps(&s, measured, t);
    tide_failure why = *tide_error(s.g);
    if (!why.status && s.p) why = *tide_program_error(s.p);
    assert_int_equal(why.status != 0, status != 0);
    tide_graph_free(s.g);
    assert_int_equal(c.live, 0);
    return why;
}

static void expect_trained(const char *device, trained *t) {
    tide_failure why = train_on(device, false, t);
    if (why.status) fail_msg("%s: %s", device, why.message);
}

/* Whatever the order in which a graph's nodes run. */
void test_trains(void **unused) {
    (void)unused;
    trained cuda = { 0 }, fibers = { 0 }, ref = { 0 };
    expect_trained("ref", &ref);
    expect_trained("fibers-cuda", &fibers);
    for (uint64_t seed = 1; seed < 10; seed++) {
        fake->seed = seed;
        expect_trained("cuda", &cuda);
        assert_memory_equal(&cuda, &fibers, sizeof fibers);
    }
    assert_true(fake->graphs >= 9 * STEPS);
    assert_true(fake->out_of_order > 0);
    for (int i = 1; i < STEPS; i++) assert_float_equal(cuda.loss[i], ref.loss[i], 4e-6); /* sums in another order */
    for (int i = 0; i < IN * OUT; i++) assert_float_equal(cuda.w[i], ref.w[i], 4e-6);
}

/* The mean of squares. */
static float mean_on(const char *device) {
    enum { N = 1000 };
    float x[N], mean = -1;
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = device });
    for (int i = 0; i < N; i++) x[i] = (float)(i % 7) / 7 - 0.4f;
    tide_val in = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(N)), out = tide_mean(tide_square(in), TIDE_ALL);
    tide_program *p = tide_compile(TIDE_LIST(out), NULL);
    assert_non_null(p);
    assert_int_equal(tide_run(p, (tide_feed[]){ { in, x } }, 1), TIDE_OK);
    assert_int_equal(tide_read(out, &mean, sizeof mean), TIDE_OK);
    tide_graph_free(g);
    return mean;
}

/* Where a kernel allows fewer threads, the text is made again. */
void test_fewer_threads(void **unused) {
    (void)unused;
    int64_t before = fake->compiled;
    fake->kernel_threads = 64;
    assert_float_equal(mean_on("cuda"), mean_on("ref"), 1e-6);
    assert_true(fake->compiled > before + 1);
}

/* What is told of a call that fails, or "": nothing, as it does without, at least `silent` of the times. */
typedef struct failing { const char *call, *told; int more, silent; bool empty_cache; } failing;
static const failing faults[] = {
    { "cuDeviceGetCount", "there is no device cuda:0", 0, 0, false },
    { "cuDeviceGet", "there is no device cuda:0", 0, 0, false },
    { "cuDevicePrimaryCtxRetain", "cuda:0: opening the device failed: out of memory", 0, 0, false },
    { "cuDeviceGetAttribute", "cuda:0: asking what the device has failed: out of memory", 0, 0, false },
    { "cuDriverGetVersion", "cuda:0: asking what the device has failed: out of memory", 0, 0, false },
    { "cuStreamCreate", "cuda:0: making a stream failed: out of memory", 0, 0, false },
    { "cuMemAlloc", "memory", FOREVER, 0, false }, { "cuMemAlloc", "memory", 0, 0, false },
    { "cuMemAllocHost", "bytes to the device failed: out of memory", 0, 0, false },
    { "cuEventCreate", "failed: out of memory", 0, 0, false },
    { "cuEventRecord", "failed: out of memory", 0, 0, false },
    { "cuEventSynchronize", "failed: out of memory", 0, 99, false },
    { "cuEventElapsedTime", "cuda:0: the kernel '", 0, 0, false },
    { "cuMemcpyHtoDAsync", "bytes to the device failed: out of memory", 0, 0, false },
    { "cuMemcpyDtoHAsync", "bytes from the device failed: out of memory", 0, 0, false },
    { "cuStreamSynchronize", "failed: out of memory", 0, 99, false },
    { "cuModuleLoadData", "", 0, 0, false }, { "cuModuleGetFunction", "", 0, 0, false },
    { "cuModuleLoadData", "cuda:0: loading a compiled kernel failed: out of memory", 0, 0, true },
    { "cuModuleGetFunction", "cuda:0: loading a compiled kernel failed: out of memory", 0, 0, true },
    { "cuFuncGetAttribute", "", 0, 0, false },
    { "cuLaunchKernel", "cuda:0: the kernel '", 0, 0, false },
    { "cuGraphCreate", "cuda:0: making a graph failed: out of memory", 0, 0, false },
    { "cuGraphAddKernelNode", "cuda:0: recording the kernel '", 0, 0, false },
    { "cuGraphInstantiate", "cuda:0: making a graph of ", 0, 0, false },
    { "cuGraphLaunch", "cuda:0: the kernels '", 0, 0, false },
    { "run", "failed: out of memory", 0, 0, false },
    { "cuDevicePrimaryCtxRelease", "", 0, 0, false }, { "cuStreamDestroy", "", 0, 0, false },
    { "cuEventDestroy", "", 0, 0, false }, { "cuMemFree", "", 0, 0, false }, { "cuMemFreeHost", "", 0, 0, false },
    { "cuModuleUnload", "", 0, 0, false }, { "cuGraphDestroy", "", 0, 0, false },
    { "cuGraphExecDestroy", "", 0, 0, false },
    { "nvrtcCreateProgram", "cuda:0: NVRTC takes no text (error 2)", 0, 0, true },
    { "nvrtcCompileProgram", "cuda:0: compiling a kernel failed (NVRTC 13.5, --gpu-architecture=sm_90, error 2): "
                             "kernel.cu(9): error: it was told to", 0, 0, true },
    { "nvrtcGetCUBINSize", "cuda:0: compiling a kernel failed", 0, 0, true },
    { "nvrtcGetCUBIN", "cuda:0: compiling a kernel failed", 0, 0, true },
    { "nvrtcDestroyProgram", "", 0, 0, true },
};

/* At some of its calls, the first and the last among them. */
static void fail_each_call(const failing *f) {
    enum { TAKEN = 4 };
    trained whole = { 0 };
    if (f->empty_cache) set_cache(true);
    int64_t before = fake->calls(f->call);
    tide_failure why = train_on("cuda", true, &whole);
    int64_t calls = fake->calls(f->call) - before, told = 0, silent = 0;
    if (why.status || !calls) fail_msg("%s is called %d times: %s", f->call, (int)calls, why.message);
    for (int64_t i = 0; i < MIN2(calls, TAKEN); i++) {
        int64_t at = calls <= TAKEN ? i : i * (calls - 1) / (TAKEN - 1);
        char when[96];
        trained t = { 0 };
        snprintf(when, sizeof when, "call %d of %d of %s", (int)at, (int)calls, f->call);
        if (f->empty_cache) set_cache(true);
        fail_call(f->call, (int)at, OUT_OF_MEMORY);
        fake->more = f->more;
        why = train_on("cuda", true, &t);
        fake->fail = NULL, fake->more = 0;
        expect_nothing_left(when);
        if (why.status ? !*f->told || !strstr(why.message, f->told) : *f->told && silent++ == f->silent)
            fail_msg("%s: expected \"%s\", got \"%s\"", when, f->told, why.message);
        if (!why.status) assert_memory_equal(&t, &whole, sizeof t);
        told += why.status != 0;
    }
    if (*f->told && !told) fail_msg("%s: nobody is told", f->call);
    why = train_on("cuda", true, &whole);
    if (why.status) fail_msg("after failures of %s: %s", f->call, why.message);
}

void test_each_call_fails(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) fail_each_call(&faults[i]);
}

/* A device that is lost has no memory, but that is not what is told; another device goes on. */
void test_lost_in_training(void **unused) {
    (void)unused;
    trained t = { 0 };
    for (int at = 0; at < 20; at += 3) {
        fail_call("run", at, ILLEGAL_ADDRESS);
        tide_failure why = train_on("cuda", false, &t);
        fake->fail = NULL;
        assert_int_equal(why.status, TIDE_EDEVICE);
        expect_text(why.message, "an illegal memory access was encountered (CUDA_ERROR_ILLEGAL_ADDRESS)");
        expect_text(why.message, "'");
        expect_nothing_left("a kernel's error");
    }
    fake->most_bytes = 1000;
    tide_failure why = train_on("cuda", false, &t);
    assert_int_equal(why.status, TIDE_ENOMEM);
    expect_text(why.message, "memory");
    expect_nothing_left("too little memory");
    fake->most_bytes = usual.most_bytes, fake->devices = 2;
    expect_trained("cuda:1", &t);
}
