/* The CUDA driver on libraries that stand for NVIDIA's (fake_cuda.c): what it computes, what it tells, that each call
 * that fails is named and leaves nothing behind, and what it says where a library is missing. */
#include "backends/cuda/device.h"
#include "fake_cuda.h"
#include "gpu/fibers.h"
/* before cmocka, which has a macro of the name fail and needs the four below */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tidemill/tidemill.h>
#include <unistd.h>

enum { COUNT = 1000, THREADS = 64, NUMBERS = 4, OUT_OF_MEMORY = 2, ILLEGAL_ADDRESS = 700, FOREVER = 1 << 20 };

static fake_cuda *fake, usual;
static char folder[256], libraries[400];

static void expect_text(const char *got, const char *want) {
    if (!strstr(got, want)) fail_msg("'%s' has no '%s'", got, want);
}

static void expect_nothing_left(const char *after) {
    if (*fake->left()) fail_msg("after %s there are still: %s", after, fake->left());
}

static void fail_call(const char *call, int after, unsigned code) { fake->fail = call, fake->after = after, fake->code = code; }

static int set_up(void **state) {
    const char *path = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/tide_cuda_XXXXXX", path ? path : "/tmp");
    fibers_limit.local_bytes = usual.local_bytes;
    return mkdtemp(folder) ? setenv("XDG_CACHE_HOME", folder, 1) : -1;
}

static int tear_down(void **state) {
    char command[400];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* How often calls were made stays. */
static int begin_test(void **unused) {
    (void)unused;
    *fake = usual;
    return 0;
}

static int end_test(void **unused) {
    (void)unused;
    *fake = usual;
    if (*fake->left()) print_error("there are still: %s\n", fake->left());
    return *fake->left() ? -1 : 0;
}

/* ---- what is missing: a process looks once, so each has one of its own ------------------------------------------- */

/* Files by these names in a folder of their own, which alone is looked through. */
static void link_only(const char *driver, const char *compiler) {
    char place[400], path[500];
    snprintf(place, sizeof place, "%s/only", folder);
    if (mkdir(place, 0700)) _exit(2);
    snprintf(path, sizeof path, "%s/libcuda.so.1", place);
    if (driver && symlink(driver, path)) _exit(2);
    snprintf(path, sizeof path, "%s/libnvrtc.so.13", place);
    if (compiler && symlink(compiler, path)) _exit(2);
    snprintf(path, sizeof path, "%s/libnvrtc-builtins.so.13", place);
    if (compiler && symlink(compiler, path)) _exit(2);
    setenv("TIDEMILL_CUDA_LIBS", place, 1);
    setenv("PATH", "", 1), setenv("HOME", "", 1);
    unsetenv("VIRTUAL_ENV"), unsetenv("CONDA_PREFIX");
}

static const char *some_library(void) {
    Dl_info info;
    size_t (*of_it)(const char *) = strlen;
    void *at;
    memcpy(&at, &of_it, sizeof at);
    return dladdr(at, &info) ? info.dli_fname : "";
}

static void no_driver(void) { link_only(NULL, NULL); }
static void other_driver(void) { link_only(some_library(), NULL); }
static void no_compiler(void) { link_only(libraries, NULL); }
static void other_compiler(void) { link_only(libraries, some_library()); }
static void silent_compiler(void) { fail_call("nvrtcVersion", 0, 1); }
static void hidden(void) { setenv("TIDEMILL_CUDA", "none", 1); }
static void old_driver(void) { fake->driver_version = 11080; }
static void not_ready(void) { fail_call("cuInit", 0, 802); }
static void no_device_here(void) { fail_call("cuInit", 0, 100); }
static void unknown_error(void) { fail_call("cuInit", 0, 12345); }

static const struct missing { void (*prepare)(void); const char *said, *real; } missing[] = {
    { hidden, "there is no device cuda:0; TIDEMILL_CUDA is none", NULL },
    { no_driver, "there is no device cuda:0; NVIDIA's driver is not here: libcuda.so.1: ", "libcuda.so.1" },
    { other_driver, "there is no device cuda:0; libcuda.so.1 has no cuInit", NULL },
    { old_driver, "there is no device cuda:0; the driver is for CUDA 11.8; 12.0 is the least (driver 525)", NULL },
    { not_ready, "there is no device cuda:0; the driver does not start: system not yet initialized", NULL },
    { no_device_here, "there is no device cuda:0; the driver does not start: no CUDA-capable device is detected", NULL },
    { unknown_error, "there is no device cuda:0; the driver does not start: an unknown error", NULL },
    { no_compiler, "cuda:0 needs NVIDIA's compiler library (no libnvrtc.so.13 or .12 was found): install it "
                   "(python3 -m pip install nvidia-cuda-nvrtc), or name its folder in TIDEMILL_CUDA_LIBS",
      "libnvrtc.so.13" },
    { other_compiler, "cuda:0 needs NVIDIA's compiler library (libnvrtc has no nvrtcVersion): install it ", NULL },
    { silent_compiler, "cuda:0 needs NVIDIA's compiler library (libnvrtc does not say its version): install it ", NULL },
};

/* One line. */
static int told_alone(const struct missing *m) {
    tide_allocator system = mem_system();
    tide_failure why = { 0 };
    void *device = NULL;
    m->prepare();
    tide_status status = cuda_open(0, &system, &device, &why);
    if (status == TIDE_EDEVICE && !device && strstr(why.message, m->said) && !strchr(why.message, '\n')) return 0;
    fprintf(stderr, "expected \"%s\", got %d, \"%s\"\n", m->said, (int)status, why.message);
    return 1;
}

static void test_missing(void **unused) {
    (void)unused;
    char only[400];
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        int status = 0;
        if (missing[i].real && dlopen(missing[i].real, RTLD_NOW | RTLD_LOCAL)) continue;
        pid_t child = fork();
        if (child == 0) _exit(told_alone(&missing[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        snprintf(only, sizeof only, "rm -rf '%s/only'", folder);
        assert_int_equal(system(only), 0);
    }
}

static void expect_refused(int32_t index, const char *said) {
    tide_allocator system = mem_system();
    tide_failure why = { 0 };
    void *device = NULL;
    assert_int_equal(cuda_open(index, &system, &device, &why), TIDE_EDEVICE);
    assert_null(device);
    assert_string_equal(why.message, said);
    expect_nothing_left("refusing");
}

static void test_devices(void **unused) {
    (void)unused;
    expect_refused(1, "there is no device cuda:1; there are cuda:0 (Fake H200)");
    fake->devices = 3;
    expect_refused(3, "there is no device cuda:3; there are cuda:0 (Fake H200), cuda:1 (Fake H199), cuda:2 (Fake H198)");
    fake->devices = 0;
    expect_refused(0, "there is no device cuda:0; the driver has found no GPU that may be used");
    fake->devices = 1, fake->capability = 37;
    expect_refused(0, "cuda:0 cannot be used: its compute capability is 3.7; 5.0 is the least");
}

/* ---- a driver with two kernels on COUNT floats, in b0, and as many out, in b1 ------------------------------------ */

static const char *const bodies[] = {
    "{\nBEGIN\nconst uint i = group * 64u + lane;\nGLOBAL const float *x = (GLOBAL const float *)b0;\n"
    "GLOBAL float *y = (GLOBAL float *)b1;\nif ((i64)i < table[0]) y[i] = x[i] + (float)table[1];\n}\n",
    "{\nBEGIN\nLOCAL_ARRAY(float, part, 64);\nconst uint i = group * 64u + lane;\nGLOBAL float *y = (GLOBAL float *)b1;\n"
    "part[lane] = (i64)i < table[0] ? y[i] : 0.0f;\nSYNC;\n"
    "if ((i64)i < table[0]) y[i] = 2.0f * part[lane] - part[lane ^ 1u];\n}\n"
};
static const flat_kernel kernels[2] = { { .name = "plus" }, { .name = "turn" } };

typedef struct trial {
    cuda_device *device;
    void *in, *out, *table, *module;
    float x[COUNT], y[COUNT];
    tide_failure why;
} trial;

static tide_status build(trial *t, const char *const *entries, int n) {
    gpu_source whole = { .n_entries = 0 };
    gpu_source_begin(&whole, GPU_CUDA, false);
    for (int i = 0; i < n; i++) assert_int_equal(gpu_source_add(&whole, entries[i], strlen(entries[i]), THREADS), i);
    tide_status status = cuda_build(t->device, &whole, &t->module, &t->why);
    gpu_source_free(&whole);
    return status;
}

static tide_status put_all(trial *t) {
    static const int64_t numbers[NUMBERS] = { -1, -1, COUNT, 3 };
    t->in = cuda_memory.alloc(t->device, sizeof t->x), t->out = cuda_memory.alloc(t->device, sizeof t->y);
    t->table = cuda_memory.alloc(t->device, sizeof numbers);
    if (!t->in || !t->out || !t->table) return (fail)(&t->why, TIDE_ENOMEM, "no memory");
    for (int i = 0; i < COUNT; i++) t->x[i] = (float)((i * 7919) % 1013) - 500;
    tide_status status = cuda_memory.put(t->device, t->table, 0, numbers, sizeof numbers, &t->why);
    return status ? status : cuda_memory.put(t->device, t->in, 0, t->x, sizeof t->x, &t->why);
}

static tide_status open_device(trial *t, int32_t index) {
    void *device = NULL;
    tide_allocator system = mem_system();
    *t = (trial){ 0 };
    tide_status status = cuda_open(index, &system, &device, &t->why);
    t->device = device;
    return status;
}

static tide_status open_trial(trial *t, int32_t index) {
    tide_status status = open_device(t, index);
    if (!status) status = put_all(t);
    return status ? status : build(t, bodies, 2);
}

static void close_trial(trial *t) {
    if (!t->device) return;
    cuda_unload(t->device, t->module);
    cuda_memory.free(t->device, t->in, sizeof t->x);
    cuda_memory.free(t->device, t->out, sizeof t->y);
    cuda_memory.free(t->device, t->table, 8 * NUMBERS);
    cuda_close(t->device);
}

static gpu_call call_of(const trial *t, int entry) {
    gpu_call call = { .kernel = &kernels[entry], .entry = entry, .threads = THREADS,
                      .groups = ceil_div(COUNT, THREADS), .table = t->table, .first = 2 };
    for (int i = 0; i < GPU_BLOCKS; i++) call.blocks[i] = i ? t->out : t->in;
    return call;
}

static tide_status launch(trial *t, int entry, double *seconds) {
    gpu_call call = call_of(t, entry);
    return cuda_launch(t->device, t->module, &call, seconds, &t->why);
}

/* y = x + 3, then as often as is said turned. */
static tide_status run(trial *t, int turns) {
    tide_status status = cuda_begin(t->device, &t->why);
    if (!status) status = launch(t, 0, NULL);
    for (int i = 0; i < turns && !status; i++) status = launch(t, 1, NULL);
    return status ? status : cuda_end(t->device, &t->why);
}

/* The same as a graph, in which each waits for the one before; it runs `runs` times. */
static tide_status replay(trial *t, int turns, int runs) {
    gpu_call calls[16];
    int32_t  after[16];
    void    *recording = NULL;
    for (int i = 0; i <= turns; i++) {
        after[i] = i - 1;
        calls[i] = call_of(t, i > 0);
        calls[i].n_after = i > 0, calls[i].after = &after[i];
    }
    tide_status status = cuda_record(t->device, t->module, calls, turns + 1, &recording, &t->why);
    for (int i = 0; i < runs && !status; i++) {
        status = cuda_begin(t->device, &t->why);
        if (!status) status = cuda_replay(t->device, recording, &t->why);
    }
    cuda_forget(t->device, recording); /* what is queued runs */
    return status;
}

static tide_status get(trial *t) { return cuda_memory.get(t->device, t->y, t->out, 0, sizeof t->y, &t->why); }

static tide_status run_whole(trial *t, int turns) {
    tide_status status = open_trial(t, 0);
    if (!status) status = run(t, turns);
    if (!status) status = replay(t, turns, 2);
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

/* ---- what it computes -------------------------------------------------------------------------------------------- */

static void test_runs(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 8), TIDE_OK);
    expect_result(&t, 8);
    assert_int_equal(fake->launches, 27);
    assert_int_equal(fake->graphs, 2);
    assert_int_equal(run(&t, 9), TIDE_OK);
    assert_int_equal(fake->launches, 27); /* nothing runs before somebody waits */
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 9);
    assert_int_equal(fake->out_of_order, 0);
    close_trial(&t);
}

static void test_seconds(void **unused) {
    (void)unused;
    trial t;
    double seconds = 1;
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    assert_int_equal(launch(&t, 0, NULL), TIDE_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(launch(&t, 1, &seconds), TIDE_OK);
    assert_float_equal(seconds, 1.003, 1e-6);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 3);
    close_trial(&t);
}

/* Whatever does not wait for another may run before it. */
static void test_order(void **unused) {
    (void)unused;
    enum { MANY = 12 };
    trial t;
    gpu_call calls[MANY];
    void *recording = NULL;
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    for (int i = 0; i < MANY; i++) calls[i] = call_of(&t, 0);
    assert_int_equal(cuda_record(t.device, t.module, calls, MANY, &recording, &t.why), TIDE_OK);
    assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 0);
    assert_true(fake->out_of_order > 0);
    cuda_forget(t.device, recording);
    cuda_forget(t.device, NULL);
    close_trial(&t);
}

/* Two handles have one context and their blocks in common; another device has its own. */
static void test_handles(void **unused) {
    (void)unused;
    trial one, two, other;
    fake->devices = 2;
    assert_int_equal(run_whole(&one, 2), TIDE_OK);
    assert_int_equal(open_device(&two, 0), TIDE_OK);
    assert_int_equal(open_trial(&other, 1), TIDE_OK);
    assert_int_equal(run(&other, 3), TIDE_OK);
    assert_ptr_equal(one.device->context, two.device->context);
    assert_ptr_not_equal(one.device->context, other.device->context);
    assert_ptr_not_equal(one.device->stream, two.device->stream);
    assert_int_equal(cuda_memory.get(two.device, two.y, one.out, 0, sizeof two.y, &two.why), TIDE_OK);
    assert_memory_equal(one.y, two.y, sizeof one.y);
    cuda_memory.free(two.device, one.in, sizeof one.x); /* whoever frees it */
    one.in = NULL;
    close_trial(&one);
    close_trial(&two);
    assert_int_equal(get(&other), TIDE_OK);
    expect_result(&other, 3);
    tide_device told = { 0 };
    cuda_describe(other.device, &told);
    assert_string_equal(told.hardware, "Fake H199");
    assert_int_equal(told.memory_bytes, fake->most_bytes);
    close_trial(&other);
    cuda_close(NULL);
}

static void test_blocks(void **unused) {
    static char from[3 << 20], to[sizeof from], first[64];
    static const size_t sizes[] = { 1, 63, 1000, STAGED_MOST, STAGED_MOST + 1, sizeof from - 77 };
    (void)unused;
    trial t;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    char *block = cuda_memory.alloc(t.device, sizeof from);
    for (int round = 0; round < 4; round++) /* all stages, and again */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (size_t j = 0; j < sizes[i]; j++) from[j] = (char)(j * 7 + i + (size_t)round);
            memcpy(first, from, sizeof first);
            assert_int_equal(cuda_memory.put(t.device, block, 77, from, (int64_t)sizes[i], NULL), TIDE_OK);
            memset(from, 0x55, sizeof first); /* it is ours again */
            assert_int_equal(cuda_memory.get(t.device, to, block, 77, (int64_t)sizes[i], NULL), TIDE_OK);
            assert_memory_equal(first, to, MIN2(sizes[i], sizeof first));
            assert_memory_equal(from + sizeof first, to + sizeof first, sizes[i] - MIN2(sizes[i], sizeof first));
        }
    assert_null(cuda_memory.alloc(t.device, usual.most_bytes));
    void *empty = cuda_memory.alloc(t.device, 0);
    assert_non_null(empty);
    cuda_memory.free(t.device, empty, 0);
    cuda_memory.free(t.device, block, sizeof from);
    cuda_memory.free(t.device, NULL, 5);
    close_trial(&t);
}

static void test_limits(void **unused) {
    static const struct { int threads, expected, capability; bool matrix; } cases[] = {
        { 1024, 256, 90, true }, { 256, 256, 80, true }, { 128, 128, 75, false }, { 1024, 256, 50, false },
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        fake->threads = cases[i].threads, fake->capability = cases[i].capability;
        assert_int_equal(open_trial(&t, 0), TIDE_OK);
        assert_int_equal(t.device->limits.threads, cases[i].expected);
        assert_int_equal(t.device->limits.matrix, cases[i].matrix);
        assert_int_equal(t.device->limits.local_bytes, 49152);
        assert_true(t.device->limits.f64);
        close_trial(&t);
    }
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static void set_cache(bool folder_is_there) {
    char command[400];
    snprintf(command, sizeof command, "rm -rf '%s/tidemill'", folder);
    assert_int_equal(system(command), 0);
    setenv("XDG_CACHE_HOME", folder_is_there ? folder : "/dev/null", 1);
}

static void build_once(int compilations, const char *after) {
    trial t;
    int64_t before = fake->compiled;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    if (build(&t, bodies, 2)) fail_msg("after %s: %s", after, t.why.message);
    if (fake->compiled - before != compilations)
        fail_msg("after %s: expected %d compilations, got %d", after, compilations, (int)(fake->compiled - before));
    close_trial(&t);
    expect_nothing_left(after);
}

/* A file of the cache's with this ending. */
static size_t kept(const char *ending, char path[512]) {
    char pattern[400];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s/tidemill/cuda/*%s", folder, ending);
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    if (count) snprintf(path, 512, "%s", found.gl_pathv[0]);
    if (count) globfree(&found);
    return count;
}

static void test_cache(void **unused) {
    char binary[512], command[1200];
    (void)unused;
    set_cache(true);
    build_once(2, "nothing");
    build_once(0, "a first time");
    assert_int_equal(kept(".bin", binary), 2);
    assert_int_equal(kept(".sum", binary), 2);
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
        build_once(1, damages[i].what);
        build_once(0, "mending");
    }
    fake->driver_version = 13010;
    build_once(2, "another driver");
    fake->capability = 80;
    build_once(2, "another device");
    *fake = usual;
    build_once(0, "the first again");
    fail_call("cuModuleLoadData", 0, 200);
    build_once(1, "a cubin that is refused");
    fail_call("cuModuleGetFunction", 1, 500);
    build_once(1, "a cubin without its kernel");
    set_cache(false);
    build_once(2, "a folder that is none");
    set_cache(true);
}

static void test_texts(void **unused) {
    static const char *const wrong[] = { "{\nBEGIN\nint i = 1;\n}\n", "{\nBEGIN\nint i = nothing;\n}\n" };
    (void)unused;
    trial t;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    assert_int_equal(build(&t, wrong, 2), TIDE_EDEVICE);
    expect_text(t.why.message, "cuda:0: compiling a kernel failed (NVRTC 13.5, --gpu-architecture=sm_90, error 6): "
                               "kernel.cu(9): error: ");
    expect_text(t.why.message, "nothing");
    assert_null(strchr(t.why.message, '\n'));
    static const char *const silent[] = { "nvrtcGetProgramLogSize", "nvrtcGetProgramLog" };
    for (int i = 0; i < 2; i++) {
        t.why = (tide_failure){ 0 };
        fail_call(silent[i], 0, 1);
        assert_int_equal(build(&t, wrong, 2), TIDE_EDEVICE);
        assert_string_equal(t.why.message, "cuda:0: compiling a kernel failed (NVRTC 13.5, --gpu-architecture=sm_90, "
                                           "error 6)");
    }
    close_trial(&t);
}

/* ---- what fails -------------------------------------------------------------------------------------------------- */

/* A kernel's error stays until the last handle is closed; who comes next is told what had been queued. */
static void test_sticky(void **unused) {
    (void)unused;
    for (int who = 0; who < 4; who++) {
        trial t, next;
        float y = 0;
        assert_int_equal(run_whole(&t, 1), TIDE_OK);
        assert_int_equal(who % 2 ? run(&t, 1) : replay(&t, 1, 1), TIDE_OK);
        fail_call("run", 1, ILLEGAL_ADDRESS);
        if (who < 2) assert_int_equal(get(&t), TIDE_EDEVICE);
        if (who == 2) assert_int_equal(cuda_memory.wait(t.device, &t.why), TIDE_EDEVICE);
        if (who == 3) { /* a free waits and has nobody to tell */
            cuda_memory.free(t.device, t.in, sizeof t.x);
            t.in = NULL;
            assert_int_equal(cuda_memory.put(t.device, t.out, 0, &y, sizeof y, &t.why), TIDE_EDEVICE);
        }
        expect_text(t.why.message, "cuda:0: ");
        expect_text(t.why.message, "failed: an illegal memory access was encountered (CUDA_ERROR_ILLEGAL_ADDRESS); "
                                   "queued were the kernels 'plus' to 'turn'");
        t.why = (tide_failure){ 0 };
        assert_int_equal(get(&t), TIDE_EDEVICE);
        expect_text(t.why.message, "an illegal memory access was encountered");
        assert_null(cuda_memory.alloc(t.device, 64));
        t.why = (tide_failure){ 0 };
        assert_int_equal(run(&t, 1), TIDE_EDEVICE);
        close_trial(&t);
        expect_nothing_left("a kernel's error");
        assert_int_equal(run_whole(&next, 2), TIDE_OK);
        expect_result(&next, 2);
        close_trial(&next);
    }
}

static void test_lost(void **unused) {
    (void)unused;
    trial t, next;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    fake->lost = 214;
    assert_int_equal(run(&t, 1), TIDE_EDEVICE);
    expect_text(t.why.message, "cuda:0: the kernel 'plus' failed: uncorrectable ECC error encountered (");
    t.why = (tide_failure){ 0 };
    assert_int_equal(get(&t), TIDE_EDEVICE);
    close_trial(&t);
    expect_nothing_left("a lost device");
    assert_int_equal(open_trial(&next, 0), TIDE_EDEVICE);
    assert_string_equal(next.why.message, "cuda:0: opening the device failed: uncorrectable ECC error encountered "
                                          "(CUDA_ERROR_ECC_UNCORRECTABLE)");
    fake->lost = 0;
    assert_int_equal(run_whole(&next, 1), TIDE_OK);
    close_trial(&next);
}

/* Told once; what was put then comes later. */
static void test_told_late(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(run_whole(&t, 1), TIDE_OK);
    assert_int_equal(run(&t, 1), TIDE_OK);
    fail_call("cuStreamSynchronize", 0, 701);
    assert_int_equal(cuda_memory.wait(t.device, &t.why), TIDE_EDEVICE);
    assert_string_equal(t.why.message, "cuda:0: what was queued failed: too many resources requested for launch "
                                       "(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES); queued were the kernels 'plus' to 'turn'");
    t.why = (tide_failure){ 0 };
    assert_int_equal(cuda_memory.wait(t.device, &t.why), TIDE_OK);
    fail_call("cuMemcpyDtoHAsync", 0, 12345);
    assert_int_equal(get(&t), TIDE_EDEVICE);
    assert_string_equal(t.why.message, "cuda:0: copying 4000 bytes from the device failed: an unknown error (no name)");
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1);
    close_trial(&t);
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

typedef struct product_case {
    int64_t m, n, k, batches;
    bool    a_turned, b_turned, has_bias;
    tide_dtype of, to;
    double  alpha, beta;
} product_case;

/* Sizes for which the library is asked. */
static const product_case products[] = {
    { 512, 1024, 512, 1, false, false, true, TIDE_F32, TIDE_F32, 1, 0 },
    { 512, 512, 1024, 1, true, false, false, TIDE_F32, TIDE_F32, 0.5, 1 },
    { 500, 300, 450, 4, false, true, false, TIDE_F32, TIDE_F32, 1, 0 },
    { 1024, 1024, 512, 1, false, true, true, TIDE_BF16, TIDE_BF16, 1, 0 },
    { 1024, 512, 1024, 1, true, true, false, TIDE_BF16, TIDE_F32, 1, 1 },
};

typedef struct factors {
    product_case of;
    gpu_product  p;
    int64_t      bytes[4];  /* of A, B, C, bias */
    char        *host[4];
    void        *block[4];
} factors;

static float number_at(const char *at, tide_dtype type, int64_t i) {
    float x;
    if (type == TIDE_F32) return ((const float *)(const void *)at)[i];
    uint32_t bits = (uint32_t)((const uint16_t *)(const void *)at)[i] << 16;
    return memcpy(&x, &bits, sizeof x), x;
}

/* Few numbers, which bfloat16 has. */
static void fill_numbers(char *at, tide_dtype type, int64_t count, unsigned seed) {
    for (int64_t i = 0; i < count; i++) {
        float x = (float)((int)((seed = seed * 1664525u + 1013904223u) >> 24) - 128) / 64;
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        if (type == TIDE_F32) ((float *)(void *)at)[i] = x;
        else ((uint16_t *)(void *)at)[i] = (uint16_t)(bits >> 16);
    }
}

static flat_operand operand_of(const product_case *c, int i, int64_t rows, int64_t columns, bool turned) {
    flat_operand o = { .buffer = i, .type = i == 2 ? c->to : c->of };
    int64_t *s = o.stride;
    if (c->batches > 1) *s++ = rows * columns;
    s[0] = turned ? 1 : columns, s[1] = turned ? rows : 1;
    return o;
}

static factors make_factors(trial *t, const product_case *c) {
    factors f = { .of = *c };
    const int64_t counts[4] = { c->m * c->k, c->k * c->n, c->m * c->n, c->n };
    f.p = (gpu_product){ .sizes = { .m = c->m, .n = c->n, .k = c->k, .batches = c->batches, .alpha = c->alpha,
                                    .beta = c->beta, .batch_ndim = c->batches > 1, .batch = { c->batches } },
                         .has_bias = c->has_bias };
    f.p.operand[0] = operand_of(c, 0, c->m, c->k, c->a_turned);
    f.p.operand[1] = operand_of(c, 1, c->k, c->n, c->b_turned);
    f.p.operand[2] = operand_of(c, 2, c->m, c->n, false);
    for (int i = 0; i < 4; i++) {
        tide_dtype type = i == 3 ? TIDE_F32 : f.p.operand[i].type;
        int64_t count = counts[i] * (i < 3 ? c->batches : 1);
        f.bytes[i] = count * (int64_t)tide_dtype_size(type);
        f.host[i] = malloc((size_t)f.bytes[i]), f.block[i] = cuda_memory.alloc(t->device, f.bytes[i]);
        f.p.block[i] = i;
        assert_true(f.host[i] && f.block[i]);
        fill_numbers(f.host[i], type, count, (unsigned)i + 1);
        assert_int_equal(cuda_memory.put(t->device, f.block[i], 0, f.host[i], f.bytes[i], NULL), TIDE_OK);
    }
    f.p.block[GPU_PRODUCT_WORK] = 4;
    return f;
}

static void free_factors(trial *t, factors *f) {
    for (int i = 0; i < 4; i++) free(f->host[i]), cuda_memory.free(t->device, f->block[i], f->bytes[i]);
}

/* Some of the results, beside sums in double. */
static void expect_product(const factors *f, const char *got) {
    const product_case *c = &f->of;
    for (int64_t i = 0, all = c->batches * c->m * c->n; i < 300; i++) {
        int64_t at = i * 7919 * 131 % all, batch = at / (c->m * c->n), row = at / c->n % c->m, column = at % c->n;
        double sum = 0;
        for (int64_t k = 0; k < c->k; k++)
            sum += (double)number_at(f->host[0], c->of, batch * c->m * c->k + (c->a_turned ? k * c->m + row : row * c->k + k)) *
                   (double)number_at(f->host[1], c->of, batch * c->k * c->n + (c->b_turned ? column * c->k + k : k * c->n + column));
        sum = c->alpha * sum + c->beta * (double)number_at(f->host[2], c->to, at);
        if (c->has_bias) sum += (double)number_at(f->host[3], TIDE_F32, column);
        double bound = c->to == TIDE_F32 ? 1e-3 : 0.004 * fabs(sum) + 1e-3;
        if (fabs((double)number_at(got, c->to, at) - sum) > bound)
            fail_msg("product %d x %d x %d, row %d, column %d: expected %g, got %g", (int)c->m, (int)c->n, (int)c->k,
                     (int)row, (int)column, sum, (double)number_at(got, c->to, at));
    }
}

/* By a graph, as a run has it, or timed; false: `calls` of the driver failed. */
static tide_status multiply(trial *t, factors *f, bool timed) {
    static const flat_kernel kernel = { .name = "product" };
    void *product = NULL, *recording = NULL, *work = NULL;
    double seconds = 0;
    f->p.work_bytes = cuda_asks(t->device, &f->p);
    if (f->p.work_bytes < 0) return (fail)(&t->why, TIDE_EDEVICE, "cuBLASLt does not take it");
    if (f->p.work_bytes) work = cuda_memory.alloc(t->device, f->p.work_bytes);
    void *const blocks[GPU_BLOCKS] = { f->block[0], f->block[1], f->block[2], f->block[3], work };
    tide_status status = cuda_product(t->device, &f->p, blocks, &product, &t->why);
    gpu_call call = { .kernel = &kernel, .entry = -1, .product = product, .groups = 1 };
    if (!status && timed) status = cuda_launch(t->device, NULL, &call, &seconds, &t->why);
    if (!status && !timed) status = cuda_record(t->device, NULL, &call, 1, &recording, &t->why);
    if (recording) status = cuda_replay(t->device, recording, &t->why);
    if (!status) status = cuda_wait(t->device, &t->why);
    cuda_forget(t->device, recording);
    cuda_product_free(t->device, product);
    cuda_memory.free(t->device, work, f->p.work_bytes);
    return status;
}

static void test_products(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        trial t;
        assert_int_equal(open_device(&t, 0), TIDE_OK);
        factors f = make_factors(&t, &products[i]);
        fake->workspace = i % 2 ? 4096 : 0;
        int64_t before = fake->products;
        char *got = malloc((size_t)f.bytes[2]);
        assert_non_null(got);
        if (multiply(&t, &f, i == 0)) fail_msg("product %d: %s", (int)i, t.why.message);
        assert_int_equal(fake->products, before + 1);
        assert_int_equal(cuda_memory.get(t.device, got, f.block[2], 0, f.bytes[2], NULL), TIDE_OK);
        expect_product(&f, got);
        free(got);
        free_factors(&t, &f);
        close_trial(&t);
    }
}

/* What the library does not take is ours to multiply. */
static void test_no_products(void **unused) {
    (void)unused;
    trial t;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    factors f = make_factors(&t, &products[0]);
    fake->refuses = true;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    fake->refuses = false, fake->workspace = (int64_t)1 << 40;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    fake->workspace = 0;
    f.p.sizes.m = 8;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    f.p.sizes.m = products[0].m;
    fail_call("cublasLtCreate", 0, 1); /* then never again on this handle */
    cuda_device *d = t.device;
    if (d->blas) d->lt->Destroy(d->blas), d->blas = NULL;
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    assert_int_equal(cuda_asks(t.device, &f.p), -1);
    assert_null(d->lt);
    free_factors(&t, &f);
    close_trial(&t);
}

/* Each call of a product's fails once: it is not asked for, or fails by name. */
static void test_products_fail(void **unused) {
    static const char *const calls[] = {
        "cublasLtMatmulDescCreate", "cublasLtMatmulDescSetAttribute", "cublasLtMatrixLayoutCreate",
        "cublasLtMatmulPreferenceCreate", "cublasLtMatmulPreferenceSetAttribute", "cublasLtMatmulAlgoGetHeuristic",
        "cublasLtMatmul", "cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphAddChildGraphNode", "cuGraphCreate",
        "cuGraphInstantiate", "cuGraphLaunch",
    };
    (void)unused;
    trial t;
    assert_int_equal(open_device(&t, 0), TIDE_OK);
    factors f = make_factors(&t, &products[0]);
    fake->lost = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int failures = 0;
        for (bool reached = true; reached; failures += reached) {
            if (failures > 40) fail_msg("%s fails for ever", calls[i]);
            char before[400];
            snprintf(before, sizeof before, "%s", fake->left());
            t.why = (tide_failure){ 0 };
            fail_call(calls[i], failures, OUT_OF_MEMORY);
            tide_status status = failures ? TIDE_OK : multiply(&t, &f, false);
            if (failures) { /* without the product itself */
                f.p.work_bytes = cuda_asks(t.device, &f.p);
                void *product = NULL, *const blocks[GPU_BLOCKS] = { f.block[0], f.block[1], f.block[2], f.block[3] };
                status = f.p.work_bytes < 0 ? TIDE_EDEVICE : cuda_product(t.device, &f.p, blocks, &product, &t.why);
                cuda_product_free(t.device, product);
                if (f.p.work_bytes < 0) snprintf(t.why.message, sizeof t.why.message, "cuBLASLt: not asked");
            }
            reached = !fake->fail;
            fake->fail = NULL;
            if ((status != TIDE_OK) != reached) fail_msg("%s, call %d: %s", calls[i], failures, t.why.message);
            if (reached && !strstr(t.why.message, "cuBLASLt") && !strstr(t.why.message, "cuda:0: "))
                fail_msg("%s: %s", calls[i], t.why.message);
            if (failures && strcmp(before, fake->left()))
                fail_msg("%s, call %d: there were %s, there are %s", calls[i], failures, before, fake->left());
        }
        if (!failures) fail_msg("%s is not called", calls[i]);
    }
    free_factors(&t, &f);
    close_trial(&t);
}

/* ---- whole programs: the bits of the same texts without CUDA ----------------------------------------------------- */

enum { ROWS = 6, IN = 5, OUT = 3, STEPS = 3 };

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
static void test_trains(void **unused) {
    (void)unused;
    trained cuda = { 0 }, fibers = { 0 }, ref = { 0 };
    expect_trained("ref", &ref);
    expect_trained("fibers-cuda", &fibers);
    for (uint64_t seed = 1; seed < 12; seed++) {
        fake->seed = seed;
        expect_trained("cuda", &cuda);
        assert_memory_equal(&cuda, &fibers, sizeof fibers);
    }
    assert_true(fake->graphs >= 11 * STEPS);
    assert_true(fake->out_of_order > 0);
    for (int i = 1; i < STEPS; i++) assert_float_equal(cuda.loss[i], ref.loss[i], 4e-6); /* sums in another order */
    for (int i = 0; i < IN * OUT; i++) assert_float_equal(cuda.w[i], ref.w[i], 4e-6);
}

/* Where a kernel allows fewer threads, the text is made again. */
static void test_fewer_threads(void **unused) {
    (void)unused;
    trained few = { 0 }, ref = { 0 };
    expect_trained("ref", &ref);
    fake->kernel_threads = 64;
    expect_trained("cuda", &few);
    for (int i = 0; i < IN * OUT; i++) assert_float_equal(few.w[i], ref.w[i], 4e-6);
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
    enum { TAKEN = 9 };
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

static void test_each_call_fails(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) fail_each_call(&faults[i]);
}

/* A device that is lost has no memory, but that is not what is told; another device goes on. */
static void test_lost_in_training(void **unused) {
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

static bool find_fake(void) {
    const char *named = getenv("TIDEMILL_CUDA_LIBS");
    snprintf(libraries, sizeof libraries, "%s/libcuda.so.1", named ? named : ".");
    void *library = dlopen(libraries, RTLD_NOW | RTLD_LOCAL);
    if (!library) fprintf(stderr, "%s\n", dlerror());
    fake = library ? dlsym(library, "fake") : NULL;
    if (fake) usual = *fake;
    return fake;
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_test, end_test)
    const struct CMUnitTest tests[] = {
        TEST(test_missing), TEST(test_devices), TEST(test_runs), TEST(test_seconds), TEST(test_order),
        TEST(test_handles), TEST(test_blocks), TEST(test_limits), TEST(test_cache), TEST(test_texts),
        TEST(test_sticky), TEST(test_lost), TEST(test_told_late), TEST(test_products), TEST(test_no_products),
        TEST(test_products_fail), TEST(test_trains), TEST(test_fewer_threads), TEST(test_lost_in_training),
        TEST(test_each_call_fails),
    };
    if (!find_fake()) return 1;
    if (!fake->possible()) return 77;
    return cmocka_run_group_tests_name("cuda", tests, set_up, tear_down);
}
