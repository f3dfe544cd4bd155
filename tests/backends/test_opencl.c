/* The OpenCL driver on a library whose calls fail when told to (fake_opencl.c): what is told, what is given back, that
 * the next run works; devices by number; the cache of binaries. Kernels compute nothing here unless a real library is
 * behind it. */
#include "backends/opencl/device.h"
#include "fake_opencl.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <tidemill/tidemill.h>

enum { ROWS = 6, IN = 5, OUT = 3, FOREVER = 1 << 20 };

static fake_opencl fake;
static bool real;
static char folder[256];

static int set_up(void **state) {
    const char *path = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/tide_opencl_XXXXXX", path ? path : "/tmp");
    void *library = dlopen(getenv("TIDEMILL_OPENCL"), RTLD_NOW | RTLD_LOCAL);
    if (!mkdtemp(folder) || !library) return -1;
    *(void **)&fake.fault = dlsym(library, "fake_opencl_fault");
    *(void **)&fake.calls = dlsym(library, "fake_opencl_calls");
    *(void **)&fake.live = dlsym(library, "fake_opencl_live");
    *(void **)&fake.show = dlsym(library, "fake_opencl_show");
    real = getenv("FAKE_OPENCL_REAL") != NULL;
    return setenv("XDG_CACHE_HOME", folder, 1);
}

static int tear_down(void **state) {
    char command[400];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void expect_nothing_left(const char *after) {
    fake_opencl_counts c = fake.live();
    if (c.contexts || c.queues || c.buffers || c.programs || c.kernels || c.events)
        fail_msg("after %s %d contexts, %d queues, %d buffers, %d programs, %d kernels, %d events are left", after,
                 (int)c.contexts, (int)c.queues, (int)c.buffers, (int)c.programs, (int)c.kernels, (int)c.events);
}

static void expect_words(const char *message, const char *words, const char *after) {
    if (!strstr(message, words)) fail_msg("after %s: expected \"%s\" in \"%s\"", after, words, message);
}

/* ---- devices ---- */

static const fake_opencl_device usual = { 1, 1, "OpenCL 1.2 fake", 256, true, true };

static void expect_refused(int32_t index, const fake_opencl_device *shown, const char *words) {
    void *device = NULL;
    tide_failure why = { 0 };
    tide_allocator system = mem_system();
    fake.show(shown);
    assert_int_equal(opencl_memory.open(index, &system, &device, &why), TIDE_EDEVICE);
    assert_null(device);
    expect_words(why.message, words, "opening");
    expect_nothing_left("opening");
    fake.show(&usual);
}

static void test_no_such_device(void **state) {
    (void)state;
    if (real) skip();
    fake_opencl_device d = usual;
    expect_refused(1, &d, "there is no device opencl:1; there are opencl:0 (fake 17)");
    d.devices = 0;
    expect_refused(0, &d, "there is no device opencl:0; OpenCL has 1 platform(s) and no device");
    d.platforms = 0;
    expect_refused(0, &d, "there is no device opencl:0; OpenCL's library knows of no platform");
    d = usual, d.platforms = 2, d.devices = 3;
    expect_refused(6, &d, "there is no device opencl:6; there are opencl:0 (fake 18), opencl:1 (fake 34), "
                          "opencl:2 (fake 17), opencl:3 (fake 19), opencl:4 (fake 33), opencl:5 (fake 35)");
}

static void test_unfit_device(void **state) {
    (void)state;
    if (real) skip();
    fake_opencl_device d = usual;
    d.version = "OpenCL 1.1 old";
    expect_refused(0, &d, "opencl:0 (fake 17) cannot be used: it does not have OpenCL 1.2");
    d.version = "nonsense";
    expect_refused(0, &d, "it does not have OpenCL 1.2");
    d = usual, d.compiler = false;
    expect_refused(0, &d, "it has no compiler");
    d = usual, d.threads = 31;
    expect_refused(0, &d, "fewer than 32 threads");
}

static opencl_device *open_shown(const fake_opencl_device *shown) {
    void *device = NULL;
    tide_allocator system = mem_system();
    fake.show(shown);
    assert_int_equal(opencl_memory.open(0, &system, &device, NULL), TIDE_OK);
    return device;
}

static void test_limits(void **state) {
    (void)state;
    if (real) skip();
    static const struct { size_t threads; int32_t expected; } cases[] = { { 32, 32 }, { 63, 32 }, { 200, 128 },
                                                                         { 256, 256 }, { 4096, 256 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_opencl_device d = usual;
        d.threads = cases[i].threads, d.f64 = i % 2;
        opencl_device *device = open_shown(&d);
        assert_int_equal(device->limits.threads, cases[i].expected);
        assert_int_equal(device->limits.f64, d.f64); /* not by a name that only begins like it */
        assert_int_equal(device->limits.local_bytes, 32768);
        opencl_memory.close(device);
    }
    fake.show(&usual);
    expect_nothing_left("closing");
}

/* ---- memory ---- */

static void test_blocks(void **state) {
    static char from[3 << 20], to[sizeof from];
    (void)state;
    opencl_device *one = open_shown(&usual), *two = open_shown(&usual);
    assert_int_equal(fake.live().contexts, 1);
    assert_int_equal(fake.live().queues, 2);
    char *block = opencl_memory.alloc(one, sizeof from);
    assert_non_null(block);
    static const size_t sizes[] = { 1, 63, 1000, STAGED_MOST, STAGED_MOST + 1, sizeof from - 77 };
    for (int round = 0; round < 4; round++) /* all stages, and again */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (size_t j = 0; j < sizes[i]; j++) from[j] = (char)(j * 7 + i + (size_t)round);
            assert_int_equal(opencl_memory.put(one, block, 77, from, (int64_t)sizes[i], NULL), TIDE_OK);
            memset(from, 0x55, 64); /* it is ours again */
            for (size_t j = 0; j < MIN2(sizes[i], 64); j++) to[j] = (char)(j * 7 + i + (size_t)round);
            assert_int_equal(opencl_memory.wait(one, NULL), TIDE_OK);
            assert_int_equal(opencl_memory.get(two, from, block, 77, (int64_t)sizes[i], NULL), TIDE_OK);
            assert_memory_equal(from, to, MIN2(sizes[i], 64));
        }
    assert_null(opencl_memory.alloc(one, (int64_t)1 << 60));
    void *empty = opencl_memory.alloc(one, 0);
    assert_non_null(empty);
    opencl_memory.free(one, empty, 0);
    opencl_memory.close(one);
    opencl_memory.free(two, block, sizeof from); /* whoever is last */
    opencl_memory.free(two, NULL, 5);
    opencl_memory.close(two);
    opencl_memory.close(NULL);
    expect_nothing_left("closing");
}

/* A failure of what was queued comes once, and with the kernels' names. */
static void test_late_failure(void **state) {
    char byte = 0;
    tide_failure why = { 0 };
    (void)state;
    for (int by = 0; by < 3; by++) {
        opencl_device *d = open_shown(&usual);
        void *block = opencl_memory.alloc(d, 64);
        snprintf(d->first, sizeof d->first, "map 1"), snprintf(d->last, sizeof d->last, "map 2");
        fake.fault("Finish", 0, 1, OCL_OUT_OF_RESOURCES);
        why = (tide_failure){ 0 };
        if (by == 0) assert_int_equal(opencl_memory.wait(d, &why), TIDE_EDEVICE);
        if (by == 1) assert_int_equal(opencl_memory.get(d, &byte, block, 0, 1, &why), TIDE_EDEVICE);
        if (by == 2) { /* an allocation waited, and had nobody to tell */
            fake.fault("CreateBuffer", 0, 1, OCL_MEM_OBJECT_ALLOCATION_FAILURE);
            assert_null(opencl_memory.alloc(d, 64));
            assert_int_equal(opencl_memory.put(d, block, 0, &byte, 1, &why), TIDE_EDEVICE);
        }
        assert_string_equal(why.message, "opencl:0: what was queued failed: CL_OUT_OF_RESOURCES; queued were the "
                                         "kernels 'map 1' to 'map 2'");
        fake.fault(NULL, 0, 0, 0);
        assert_int_equal(opencl_memory.put(d, block, 0, &byte, 1, NULL), TIDE_OK);
        assert_int_equal(opencl_memory.get(d, &byte, block, 0, 1, NULL), TIDE_OK);
        assert_int_equal(opencl_memory.wait(d, NULL), TIDE_OK);
        opencl_memory.free(d, block, 64);
        opencl_memory.close(d);
    }
    expect_nothing_left("late failures");
}

/* ---- programs ---- */

static const char two_kernels[] = "__kernel void k0(__global char *b) { b[0] = 1; }\n"
                                  "__kernel void k1(__global char *b) { b[0] = 2; }\n";

static gpu_source source_of(const char *words, int32_t n_entries) {
    return (gpu_source){ .all = { .data = (char *)(uintptr_t)words }, .n_entries = n_entries };
}

static void build_once(const char *source, int64_t compilations, const char *after) {
    opencl_device *d = open_shown(&usual);
    void *module = NULL;
    tide_failure why = { 0 };
    fake.fault(NULL, 0, 0, 0);
    gpu_source whole = source_of(source, 2);
    if (opencl_build(d, &whole, &module, &why)) fail_msg("after %s: %s", after, why.message);
    if (fake.calls("CreateProgramWithSource") != compilations)
        fail_msg("after %s: expected %d compilations, got %d", after, (int)compilations,
                 (int)fake.calls("CreateProgramWithSource"));
    opencl_unload(d, module);
    opencl_unload(d, NULL);
    opencl_memory.close(d);
    expect_nothing_left(after);
}

/* The cache's files with this ending: how many, and the first. */
static size_t kept(const char *ending, char path[512]) {
    char pattern[400];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/tidemill/opencl/*%s", folder, ending);
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    if (count) snprintf(path, 512, "%s", found.gl_pathv[0]);
    if (count) globfree(&found);
    return count;
}

static void test_cache(void **state) {
    char binary[512], command[1200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s/tidemill'", folder);
    assert_int_equal(system(command), 0);
    build_once(two_kernels, 1, "nothing");
    build_once(two_kernels, 0, "a first time");
    assert_int_equal(kept(".bin", binary), 1);
    assert_int_equal(kept(".sum", binary), 1);
    assert_int_equal(kept(".part", binary), 0);
    kept(".bin", binary);
    static const struct { const char *what, *command; } damages[] = {
        { "a cut", "f='%s' && head -c 70 \"$f\" > \"$f.x\" && mv \"$f.x\" \"$f\"" },
        { "an empty file", ": > '%s'" },
        { "other bytes", "printf wrong | dd of='%s' bs=1 seek=66 conv=notrunc 2> /dev/null" },
        { "a file that others may write", "chmod 0666 '%s'" },
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        snprintf(command, sizeof command, damages[i].command, binary);
        assert_int_equal(system(command), 0);
        build_once(two_kernels, 1, damages[i].what);
        build_once(two_kernels, 0, "mending");
    }
    setenv("XDG_CACHE_HOME", binary, 1); /* a file */
    build_once(two_kernels, 1, "a folder that is none");
    setenv("XDG_CACHE_HOME", folder, 1);
}

static void test_refused_binary(void **state) {
    static const char *const refusals[] = { "CreateProgramWithBinary", "BuildProgram" };
    (void)state;
    build_once(two_kernels, kept(".bin", (char[512]){ 0 }) ? 0 : 1, "the cache's test");
    for (int i = 0; i < 2; i++) {
        opencl_device *d = open_shown(&usual);
        gpu_source whole = source_of(two_kernels, 2);
        void *module = NULL;
        fake.fault(refusals[i], 0, 1, OCL_INVALID_BINARY);
        assert_int_equal(opencl_build(d, &whole, &module, NULL), TIDE_OK);
        assert_int_equal(fake.calls("CreateProgramWithSource"), 1);
        opencl_unload(d, module);
        opencl_memory.close(d);
        fake.fault(NULL, 0, 0, 0);
        expect_nothing_left(refusals[i]);
    }
}

static void test_text_with_errors(void **state) {
    gpu_source whole = source_of("__kernel void k0(__global char *b) { b[0] = c; }", 1);
    opencl_device *d = open_shown(&usual);
    void *module = NULL;
    tide_failure why = { 0 };
    (void)state;
    if (!real) fake.fault("BuildProgram", 0, 1, OCL_BUILD_PROGRAM_FAILURE);
    assert_int_equal(opencl_build(d, &whole, &module, &why), TIDE_EDEVICE);
    expect_words(why.message, "opencl:0: compiling the kernels (", "an error");
    expect_words(why.message, "error", "an error");
    expect_words(why.message, ") failed: CL_BUILD_PROGRAM_FAILURE", "an error");
    if (!real) expect_words(why.message, "(<kernel>:3:1: error: this is no kernel)", "an error");
    fake.fault("GetProgramBuildInfo", 0, FOREVER, OCL_OUT_OF_HOST_MEMORY);
    if (!real) fake.fault("BuildProgram", 0, 1, OCL_BUILD_PROGRAM_FAILURE);
    why = (tide_failure){ 0 };
    assert_int_equal(opencl_build(d, &whole, &module, &why), TIDE_EDEVICE);
    assert_string_equal(why.message, "opencl:0: compiling the kernels failed: CL_BUILD_PROGRAM_FAILURE");
    opencl_memory.close(d);
    fake.fault(NULL, 0, 0, 0);
    expect_nothing_left("a text with errors");
}

/* ---- threads, a handle each ---- */

static const char one_kernel[][80] = { "__kernel void k0(__global char *b) { b[0] = 1; }\n",
                                         "__kernel void k0(__global char *b) { b[0] = 2; }\n" };

static void *use_device(void *number) {
    tide_allocator system = mem_system();
    char from[1000], to[1000];
    memset(from, (int)(intptr_t)number, sizeof from);
    bool good = true;
    for (int i = 0; i < 20 && good; i++) {
        void *d = NULL, *module = NULL;
        gpu_source whole = source_of(one_kernel[i % 2], 1);
        good = !opencl_memory.open(0, &system, &d, NULL) && !opencl_build(d, &whole, &module, NULL);
        void *block = good ? opencl_memory.alloc(d, sizeof from) : NULL;
        good = block && !opencl_memory.put(d, block, 0, from, sizeof from, NULL) &&
               !opencl_memory.get(d, to, block, 0, sizeof to, NULL) && !memcmp(from, to, sizeof to);
        opencl_memory.free(d, block, sizeof from);
        opencl_unload(d, module);
        opencl_memory.close(d);
    }
    return good ? number : NULL;
}

static void test_threads(void **state) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    void *good;
    (void)state;
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_device, (void *)(i + 1)), 0);
    for (intptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_ptr_equal(good, (void *)(i + 1));
    }
    expect_nothing_left("threads");
}

/* ---- a small training, in which every call fails once ---- */

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

/* Two steps, then some that are measured. */
static tide_status run_steps(tide_val x, tide_val loss, tide_program *p) {
    float rows[ROWS * IN], number;
    for (int i = 0; i < ROWS * IN; i++) rows[i] = (float)(i % 7) / 7 - 0.4f;
    const tide_feed feed[] = { { x, rows } };
    for (int i = 0; i < 2; i++)
        if (tide_run(p, feed, 1)) return tide_program_error(p)->status;
    tide_status status = tide_read(loss, &number, sizeof number);
    if (status) return status;
    tide_explanation *e = tide_program_explain(p, &(tide_explain_options){ feed, 1, .measure_s = 1e-9 });
    if (e && !real) assert_true(e->kernels[0].seconds == 1e-3);
    tide_explanation_free(e);
    return e ? TIDE_OK : TIDE_EDEVICE;
}

/* What went wrong, or status 0. */
static tide_failure train(void) {
    counter c = { mem_system(), 0 };
    tide_allocator counting = { counted_alloc, counted_free, &c };
    tide_failure why = { 0 };
    tide_graph *g = tide_graph_new_with(&(tide_graph_options){ .device = "opencl", .allocator = counting });
    tide_val x = tide_input(g, "x", TIDE_F32, TIDE_SHAPE(ROWS, IN));
    tide_val w = tide_variable(g, "w", tide_random_normal(g, TIDE_SHAPE(IN, OUT), 0, 1));
    tide_val loss = tide_mean(tide_square(tide_matmul(x, w)), TIDE_ALL);
    tide_list params = TIDE_LIST(w);
    tide_val step = tide_sgd(params, tide_grad(loss, params), &(tide_sgd_opts){ .lr = tide_scalar(g, 0.1) });
    tide_program *p = tide_compile(TIDE_LIST(loss, step), NULL);
    if (p && !tide_error(g)->status) assert_string_equal(tide_program_device(p, NULL), "opencl");
    tide_status status = p ? run_steps(x, loss, p) : TIDE_EDEVICE;
    if (tide_error(g)->status) why = *tide_error(g);
    else if (p && tide_program_error(p)->status) why = *tide_program_error(p);
    assert_int_equal(why.status != 0, status != 0);
    tide_graph_free(g);
    assert_int_equal(c.live, 0);
    return why;
}

/* The cache of binaries before a run. */
enum cache { NO_FOLDER, EMPTY, FILLED };

/* What is told of a function that fails so many times; "": nothing, as it does without. Of its last calls, `silent`
 * have nobody to tell. */
typedef struct failing { const char *function, *told; int64_t times; enum cache cache; int64_t silent; } failing;
static const failing faults[] = {
    { "GetPlatformIDs", "knows of no platform", 1 },
    { "GetDeviceIDs", "OpenCL has 1 platform(s) and no device", FOREVER },
    { "GetDeviceInfo", "opencl:0 (", FOREVER, .silent = 8 /* for the cache of two programs */ },
    { "CreateContext", "opencl:0: a context failed: CL_OUT_OF_RESOURCES", 1 },
    { "CreateCommandQueue", "opencl:0: a queue failed: CL_OUT_OF_RESOURCES", 1 },
    { "CreateBuffer", "memory", FOREVER }, { "CreateBuffer", "", 1 },
    { "EnqueueFillBuffer", "memory", FOREVER }, { "EnqueueFillBuffer", "", 1 },
    { "EnqueueReadBuffer", "bytes from the device failed: CL_OUT_OF_RESOURCES", 1 },
    { "EnqueueWriteBuffer", "bytes to the device failed: CL_OUT_OF_RESOURCES", 1 },
    { "CreateProgramWithSource", "taking the kernels' text failed: CL_OUT_OF_RESOURCES", 1 },
    { "BuildProgram", "opencl:0: compiling the kernels", 1 },
    { "CreateProgramWithBinary", "", 1, FILLED }, { "GetProgramInfo", "", 1, EMPTY }, { "GetPlatformInfo", "", 1 },
    { "CreateKernel", "the compiled kernel k", 1 }, { "GetKernelWorkGroupInfo", "", 1 },
    { "SetKernelArg", "opencl:0: the kernel '", 1 },
    { "EnqueueNDRangeKernel", "opencl:0: the kernel '", 1 },
    { "Flush", "opencl:0: starting what was queued failed: CL_OUT_OF_RESOURCES", 1 },
    { "Finish", "opencl:0: what was queued failed: CL_OUT_OF_RESOURCES", 1, .silent = 1 /* closing */ },
    { "WaitForEvents", "failed: CL_OUT_OF_RESOURCES", 1, .silent = STAGES /* closing */ },
    { "GetEventProfilingInfo", "opencl:0: the kernel '", 1 },
    { "ReleaseMemObject", "", 1 }, { "ReleaseKernel", "", 1 }, { "ReleaseProgram", "", 1 },
    { "ReleaseCommandQueue", "", 1 }, { "ReleaseContext", "", 1 }, { "ReleaseEvent", "", 1 },
};

static void set_cache(enum cache cache) {
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s/tidemill'", folder);
    if (cache == EMPTY) assert_int_equal(system(command), 0);
    setenv("XDG_CACHE_HOME", cache == NO_FOLDER ? "/dev/null" : folder, 1);
    fake.fault(NULL, 0, 0, 0);
    if (cache == FILLED) train();
    fake.fault(NULL, 0, 0, 0);
}

static void expect_trained(const char *when) {
    tide_failure why = train();
    if (why.status) fail_msg("%s: %s", when, why.message);
    expect_nothing_left(when);
}

static void fail_each_call(const failing *f) {
    char when[96];
    set_cache(f->cache);
    expect_trained("without a failure");
    int64_t calls = fake.calls(f->function), step = MAX2(calls / (real ? 5 : 40), 1);
    if (!calls) fail_msg("%s is not called", f->function);
    for (int64_t at = 0; at < calls; at += step) {
        snprintf(when, sizeof when, "call %d of %s", (int)at, f->function);
        set_cache(f->cache);
        fake.fault(f->function, at, f->times, OCL_OUT_OF_RESOURCES);
        tide_failure why = train();
        expect_nothing_left(when);
        bool told = *f->told && at < calls - f->silent;
        if (told ? !strstr(why.message, f->told) : why.status)
            fail_msg("%s: expected \"%s\", got \"%s\"", when, f->told, why.message);
        fake.fault(NULL, 0, 0, 0);
        expect_trained("after a failure");
    }
}

/* A device that is lost has no memory, but that is not what is told. */
static void test_lost_without_memory(void **state) {
    (void)state;
    fake.show(&usual);
    set_cache(EMPTY);
    expect_trained("without a failure");
    int64_t calls = fake.calls("CreateBuffer");
    for (int64_t at = 0; at < calls; at++) {
        fake.fault("CreateBuffer", at, FOREVER, OCL_MEM_OBJECT_ALLOCATION_FAILURE);
        fake.fault("Finish", 0, FOREVER, OCL_OUT_OF_RESOURCES);
        tide_failure why = train();
        fake.fault(NULL, 0, 0, 0);
        expect_words(why.message, "what was queued failed: CL_OUT_OF_RESOURCES", "a lost device");
        assert_int_equal(why.status, TIDE_EDEVICE);
        expect_nothing_left("a lost device");
    }
}

static void test_each_call_fails(void **state) {
    (void)state;
    fake.show(&usual);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) fail_each_call(&faults[i]);
    set_cache(EMPTY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_such_device), cmocka_unit_test(test_unfit_device), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_blocks), cmocka_unit_test(test_late_failure), cmocka_unit_test(test_cache),
        cmocka_unit_test(test_refused_binary), cmocka_unit_test(test_text_with_errors),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_lost_without_memory),
        cmocka_unit_test(test_each_call_fails),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
