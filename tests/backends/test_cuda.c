/* The CUDA driver on libraries that stand for NVIDIA's (fake_cuda.c): what it computes, what it tells, that each call
 * that fails is named and leaves nothing behind, and what it says where a library is missing. */
#include "test_cuda.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 64, NUMBERS = 4 };

fake_cuda *fake, usual;
static char folder[256], libraries[400];

void expect_text(const char *got, const char *want) {
    if (!strstr(got, want)) fail_msg("'%s' has no '%s'", got, want);
}

void expect_nothing_left(const char *after) {
    if (*fake->left()) fail_msg("after %s there are still: %s", after, fake->left());
}

void fail_call(const char *call, int after, unsigned code) {
    fake->fail = call, fake->after = after, fake->code = code;
}

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
    { no_device_here, "there is no device cuda:0; the driver does not start: no CUDA-capable device is detected",
      NULL },
    { unknown_error, "there is no device cuda:0; the driver does not start: an unknown error", NULL },
    { no_compiler, "cuda:0 needs NVIDIA's compiler library (no libnvrtc.so.13 or .12 was found): install it "
                   "(python3 -m pip install nvidia-cuda-nvrtc), or name its folder in TIDEMILL_CUDA_LIBS",
      "libnvrtc.so.13" },
    { other_compiler, "cuda:0 needs NVIDIA's compiler library (libnvrtc has no nvrtcVersion): install it ", NULL },
    { silent_compiler, "cuda:0 needs NVIDIA's compiler library (libnvrtc does not say its version): install it ",
      NULL },
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
    expect_refused(3, "there is no device cuda:3; there are cuda:0 (Fake H200), cuda:1 (Fake H199), "
                      "cuda:2 (Fake H198)");
    fake->devices = 0;
    expect_refused(0, "there is no device cuda:0; the driver has found no GPU that may be used");
    fake->devices = 1, fake->capability = 37;
    expect_refused(0, "cuda:0 cannot be used: its compute capability is 3.7; 5.0 is the least");
}

/* ---- a driver with two kernels on COUNT floats, in b0, and as many out, in b1 ------------------------------------ */

static const char *const bodies[] = {
    "{\nBEGIN\nconst uint i = group * 64u + lane;\nGLOBAL const float *x = (GLOBAL const float *)b0;\n"
    "GLOBAL float *y = (GLOBAL float *)b1;\nif ((i64)i < table[0]) y[i] = x[i] + (float)table[1];\n}\n",
    "{\nBEGIN\nLOCAL_ROOM(float, part, 64);\nconst uint i = group * 64u + lane;\n"
    "GLOBAL float *y = (GLOBAL float *)b1;\n"
    "part[lane] = (i64)i < table[0] ? y[i] : 0.0f;\nSYNC;\n"
    "if ((i64)i < table[0]) y[i] = 2.0f * part[lane] - part[lane ^ 1u];\n}\n"
};
static const int64_t room_bytes[2] = { 0, 64 * sizeof(float) };
static const flat_kernel kernels[2] = { { .name = "plus" }, { .name = "turn" } };

static tide_status build(trial *t, const char *const *entries, int n) {
    gpu_source whole = { .n_entries = 0 };
    gpu_source_begin(&whole, GPU_CUDA, false);
    for (int i = 0; i < n; i++) {
        gpu_print g = { .threads = THREADS, .n_numbers = 2, .room_bytes = room_bytes[i] };
        text_add(&g.body, "%s", entries[i]);
        assert_int_equal(gpu_source_add(&whole, &g), i);
        text_free(&g.body);
        whole.entries[i].among = true;
    }
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

tide_status open_device(trial *t, int32_t index) {
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

void close_trial(trial *t) {
    if (!t->device) return;
    cuda_unload(t->device, t->module);
    cuda_memory.free(t->device, t->in, sizeof t->x);
    cuda_memory.free(t->device, t->out, sizeof t->y);
    cuda_memory.free(t->device, t->table, 8 * NUMBERS);
    cuda_close(t->device);
}

static gpu_call call_of(const trial *t, int entry) {
    gpu_call call = { .kernel = &kernels[entry], .entry = entry, .threads = THREADS,
                      .groups = ceil_div(COUNT, THREADS), .room_bytes = room_bytes[entry], .table = t->table,
                      .first = 2 };
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

static void *record_one(trial *t, int entry) {
    gpu_call call = call_of(t, entry);
    void *recording = NULL;
    call.blocks[0] = t->out;  /* y = y + 3, or y turned */
    assert_int_equal(cuda_record(t->device, t->module, &call, 1, &recording, &t->why), TIDE_OK);
    return recording;
}

static void clear(trial *t, float *want) {
    for (int i = 0; i < COUNT; i++) want[i] = (float)(i % 5);
    assert_int_equal(cuda_memory.put(t->device, t->out, 0, want, sizeof t->y, &t->why), TIDE_OK);
}

static void expect_now(trial *t, const float *want) {
    assert_int_equal(get(t), TIDE_OK);
    assert_memory_equal(t->y, want, sizeof t->y);
}

static void want_next(float *want, int entry) {
    for (int i = 0; i < COUNT; i += 2) {
        float a = want[i], b = want[i + 1];
        want[i] = entry ? 2 * a - b : a + 3, want[i + 1] = entry ? 2 * b - a : b + 3;
    }
}

/* While the device has work runs gather, four are one graph; what is left of them comes when it is waited for. */
static void test_gathers(void **unused) {
    (void)unused;
    trial t;
    float want[COUNT];
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    void *recording = record_one(&t, 0);
    clear(&t, want);
    for (int i = 0; i < 27; i++) {
        assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
        want_next(want, 0);
        if (i == 15) assert_int_equal(fake->graphs, 16); /* by then it is worth it */
    }
    assert_int_equal(fake->graphs, 18);
    expect_now(&t, want);
    assert_int_equal(fake->graphs, 21);
    assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
    assert_int_equal(fake->graphs, 22); /* it was idle */
    cuda_forget(t.device, recording);
    close_trial(&t);
}

/* None is lost, and none comes after what was asked for later. */
static void test_gathers_in_order(void **unused) {
    (void)unused;
    trial t;
    float want[COUNT];
    uint64_t drawn = 1;
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    void *recordings[] = { record_one(&t, 0), record_one(&t, 1) };
    clear(&t, want);
    for (int i = 0; i < 600; i++) {
        drawn = drawn * 6364136223846793005u + 1442695040888963407u;
        int what = (int)(drawn >> 40) % 16, entry = what % 4 == 0;
        if (what == 15) expect_now(&t, want);
        if (what >= 14 || i % 20 == 0) clear(&t, want);
        else if (what == 13) {
            assert_int_equal(launch(&t, 0, NULL), TIDE_OK); /* y = x + 3 */
            for (int k = 0; k < COUNT; k++) want[k] = t.x[k] + 3;
        } else
            for (int n = 0; n < what; n++) {
                assert_int_equal(cuda_replay(t.device, recordings[entry], &t.why), TIDE_OK);
                want_next(want, entry);
            }
    }
    expect_now(&t, want);
    for (int i = 0; i < 3; i++) assert_int_equal(cuda_replay(t.device, recordings[0], &t.why), TIDE_OK);
    cuda_forget(t.device, recordings[0]); /* they run all the same */
    for (int i = 0; i < 3; i++) want_next(want, 0);
    expect_now(&t, want);
    for (int i = 0; i < 3; i++) assert_int_equal(cuda_replay(t.device, recordings[1], &t.why), TIDE_OK);
    cuda_memory.free(t.device, t.out, sizeof t.y); /* not before they have used it */
    t.out = NULL;
    cuda_forget(t.device, recordings[1]);
    close_trial(&t);
}

/* Where no graph of several can be made runs come one by one; a run that fails late is told of once. */
static void test_gathers_no_more(void **unused) {
    (void)unused;
    trial t;
    float want[COUNT];
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    void *recording = record_one(&t, 0);
    clear(&t, want);
    fail_call("cuGraphInstantiate", 0, 2);
    for (int i = 0; i < 40; i++) {
        assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
        want_next(want, 0);
    }
    expect_now(&t, want);
    assert_int_equal(fake->graphs, 40);
    for (int i = 0; i < 2; i++) assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
    cuda_forget(t.device, recording);
    recording = record_one(&t, 0);
    clear(&t, want);
    for (int i = 0; i < 30; i++) {
        if (i == 19) fail_call("cuGraphLaunch", 0, 2); /* the first of four at once */
        assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
        want_next(want, 0);
    }
    expect_now(&t, want);
    cuda_forget(t.device, recording);
    recording = record_one(&t, 0);
    for (int i = 0; i < 18; i++) assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
    fail_call("cuGraphLaunch", 0, 2);
    assert_int_equal(get(&t), TIDE_EDEVICE);
    assert_string_equal(t.why.message, "cuda:0: what was queued failed: out of memory (CUDA_ERROR_OUT_OF_MEMORY); "
                                       "queued were the kernels 'plus' to 'plus'");
    t.why = (tide_failure){ 0 };
    assert_int_equal(get(&t), TIDE_OK);
    cuda_forget(t.device, recording);
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

/* A graph in which the last must wait for two that need not wait for each other; its nodes run in any order. */
static void test_order(void **unused) {
    (void)unused;
    enum { CALLS = 3 };
    static const int32_t after[] = { 0, 1 };
    trial t;
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    void *other = cuda_memory.alloc(t.device, sizeof t.x);
    float got[COUNT];
    gpu_call calls[CALLS] = { call_of(&t, 0), call_of(&t, 0), call_of(&t, 0) };
    for (int i = 1; i < GPU_BLOCKS; i++) calls[1].blocks[i] = other, calls[2].blocks[i] = t.in;
    calls[2].blocks[0] = t.out, calls[2].n_after = 2, calls[2].after = after;
    for (uint64_t seed = 0; seed < 16; seed++) {
        void *recording = NULL;
        fake->seed = seed;
        assert_int_equal(cuda_memory.put(t.device, t.in, 0, t.x, sizeof t.x, NULL), TIDE_OK);
        assert_int_equal(cuda_record(t.device, t.module, calls, CALLS, &recording, &t.why), TIDE_OK);
        assert_int_equal(cuda_replay(t.device, recording, &t.why), TIDE_OK);
        assert_int_equal(get(&t), TIDE_OK);
        expect_result(&t, 0);
        assert_int_equal(cuda_memory.get(t.device, got, other, 0, sizeof got, NULL), TIDE_OK);
        assert_memory_equal(got, t.y, sizeof got);
        assert_int_equal(cuda_memory.get(t.device, got, t.in, 0, sizeof got, NULL), TIDE_OK);
        for (int i = 0; i < COUNT; i++) assert_true(got[i] == t.x[i] + 6);
        cuda_forget(t.device, recording);
        cuda_forget(t.device, NULL);
    }
    assert_true(fake->out_of_order > 0);
    cuda_memory.free(t.device, other, sizeof t.x);
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
    static char from[STAGED_MOST + (1 << 20)], to[sizeof from], first[64];
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

/* What is put is copied, and written later. */
static void test_put_later(void **unused) {
    (void)unused;
    enum { PUTS = 3 * STAGES + 1 };
    trial t;
    float back[PUTS];
    assert_int_equal(open_trial(&t, 0), TIDE_OK);
    assert_int_equal(run(&t, 1), TIDE_OK);
    assert_int_equal(fake->launches, 0);
    for (int i = 0; i < PUTS; i++) {
        float x = (float)i;
        assert_int_equal(cuda_memory.put(t.device, t.in, 4 * i, &x, sizeof x, NULL), TIDE_OK);
        x = -1;
        if (i == STAGES / 2) assert_int_equal(fake->launches, 0); /* nobody waited */
    }
    assert_int_equal(cuda_memory.get(t.device, back, t.in, 0, sizeof back, NULL), TIDE_OK);
    for (int i = 0; i < PUTS; i++) assert_true(back[i] == (float)i);
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1); /* of what was there before */
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

void set_cache(bool folder_is_there) {
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
    fail_call("cuFuncSetAttribute", 0, 1);
    build_once(1, "a cubin that may not have its memory");
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
                                       "(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES); queued were the kernels 'plus' "
                                       "to 'turn'");
    t.why = (tide_failure){ 0 };
    assert_int_equal(cuda_memory.wait(t.device, &t.why), TIDE_OK);
    fail_call("cuMemcpyDtoHAsync", 0, 12345);
    assert_int_equal(get(&t), TIDE_EDEVICE);
    assert_string_equal(t.why.message, "cuda:0: copying 4000 bytes from the device failed: an unknown error (no name)");
    assert_int_equal(get(&t), TIDE_OK);
    expect_result(&t, 1);
    close_trial(&t);
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
        TEST(test_missing), TEST(test_devices), TEST(test_runs), TEST(test_gathers), TEST(test_gathers_in_order),
        TEST(test_gathers_no_more), TEST(test_seconds), TEST(test_order), TEST(test_handles), TEST(test_blocks),
        TEST(test_put_later), TEST(test_limits), TEST(test_cache), TEST(test_texts), TEST(test_sticky),
        TEST(test_lost), TEST(test_told_late), TEST(test_products), TEST(test_no_products),
        TEST(test_products_fail), TEST(test_trains), TEST(test_fewer_threads), TEST(test_lost_in_training),
        TEST(test_each_call_fails),
    };
    if (!find_fake()) return 1;
    if (!fake->possible()) return 77;
    return cmocka_run_group_tests_name("cuda", tests, set_up, tear_down);
}
