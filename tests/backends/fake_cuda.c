/* A library in place of CUDA's four, the driver here and in fake_cuda_work.c, fake_nvrtc.c, fake_cublaslt.c and
 * fake_nccl.c: texts run as they are, built for the processor and a group's threads as fibers (gpu/build.h,
 * gpu/group.h). It is stricter than CUDA with its caller: a handle that is gone or of another kind, an address outside
 * a block, a call without a context or for another device's, what a stream that is captured forbids, a context that is
 * left with something in it: all end the program. What is queued is done when it is waited for; a graph's nodes run in
 * any order that their edges allow. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backends/cuda/nccl.h"
#include "fake_cuda_parts.h"

enum { GUARD = 1024, GUARD_BYTE = 0xC3, FRESH_BYTE = 0xFF, MOST_DEVICES = 4, MOST_PUSHED = 8, MOST_LEFT = 400,
       INVALID_VALUE = 1, INVALID_DEVICE = 101 };

static const char *left(void);
static int64_t calls_of(const char *function);
__attribute__((visibility("default"))) extern fake_cuda fake;
fake_cuda fake = { .devices = 1, .driver_version = 13000, .capability = 90, .threads = 1024, .local_bytes = 49152,
                   .room_bytes = 232448, .compiler_major = 13, .nccl_version = 22703, .seed = 1,
                   .most_bytes = (int64_t)1 << 33, .calls = calls_of, .left = left, .possible = build_possible };

void fake_stop(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("fake CUDA: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    abort();
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int fake_enter(void) { return pthread_mutex_lock(&mutex); }
void fake_leave(const int *entered) {
    (void)entered;
    pthread_mutex_unlock(&mutex);
}

/* Others are in them meanwhile. */
void fake_pause(void) {
    pthread_mutex_unlock(&mutex);
    nanosleep(&(struct timespec){ 0, 50000 }, NULL);
    pthread_mutex_lock(&mutex);
}

#define NAME_CU(name, version, takes) "cu" #name,
#define NAME_NVRTC(name, version, takes) "nvrtc" #name,
#define NAME_LT(name, version, takes) "cublasLt" #name,
#define NAME_NCCL(name, version, takes) "nccl" #name,
static const char *const names[] = { CUDA_FUNCTIONS(NAME_CU) "cuGraphAddDependencies", NVRTC_FUNCTIONS(NAME_NVRTC)
                                     CUBLASLT_FUNCTIONS(NAME_LT) NCCL_FUNCTIONS(NAME_NCCL) "run" };
enum { NAMES = sizeof names / sizeof *names };
static int64_t counts[NAMES];

static int number_of(const char *function) {
    for (int i = 0; i < NAMES; i++)
        if (!strcmp(names[i], function)) return i;
    fake_stop("there is no function %s", function);
    return 0;
}

static int64_t calls_of(const char *function) { return counts[number_of(function)]; }

unsigned fake_fault(const char *function) {
    counts[number_of(function)]++;
    if (!fake.fail || strcmp(fake.fail, function) || fake.after-- > 0) return CUDA_SUCCESS;
    if (fake.more-- <= 0) fake.fail = NULL, fake.more = 0;
    fake.after = 0;
    return fake.code;
}

/* ---- objects ---------------------------------------------------------------------------------------------------- */

static const uint64_t magic = 0x6375646166616b65;
static fake_object *all;
static const char *const kinds[] = { "a stream", "an event", "a module", "a graph", "an executable graph", "a program",
                                     "a handle of cuBLASLt", "a product", "a layout", "a preference",
                                     "a communicator" };
enum { KINDS = sizeof kinds / sizeof *kinds };
static int64_t living[KINDS];

static int64_t *living_of(const char *kind) {
    for (int i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i], kind)) return &living[i];
    return NULL;
}

void *fake_new(const char *kind, size_t bytes) {
    fake_object *o = calloc(1, bytes);
    if (!o) fake_stop("out of memory");
    *o = (fake_object){ magic, kind, false, all };
    int64_t *count = living_of(kind);
    if (count) ++*count;
    return all = o;
}

void *fake_known(const void *handle, const char *kind) {
    fake_object *o = (fake_object *)(uintptr_t)handle;
    if (!o) fake_stop("NULL in place of %s", kind);
    if (o->magic != magic) fake_stop("no handle in place of %s", kind);
    if (strcmp(o->kind, kind)) fake_stop("%s in place of %s", o->kind, kind);
    if (o->gone) fake_stop("%s that is gone", kind);
    return o;
}

void fake_end(void *object) {
    fake_object *o = object;
    o->gone = true;
    int64_t *count = living_of(o->kind);
    if (count) --*count;
}

/* ---- contexts: each device's own -------------------------------------------------------------------------------- */

static fake_context *contexts[MOST_DEVICES];
static __thread fake_context *pushed[MOST_PUSHED];
static __thread int n_pushed;
__thread int fake_capturing;

fake_context *fake_now(void) { return n_pushed ? pushed[n_pushed - 1] : NULL; }

unsigned fake_current(const char *function) {
    const fake_context *c = fake_now();
    if (!c) fake_stop("%s without a context", function);
    if (!c->held) fake_stop("%s in a context that is gone", function);
    return fake.lost ? fake.lost : c->sticky;
}

/* ---- the system ------------------------------------------------------------------------------------------------- */

static bool initialized;

unsigned fake_cuInit(unsigned flags) {
    CALL("cuInit")
    if (flags) return INVALID_VALUE;
    initialized = true;
    return CUDA_SUCCESS;
}

unsigned fake_cuDriverGetVersion(int *version) {
    CALL("cuDriverGetVersion")
    *version = fake.driver_version;
    return CUDA_SUCCESS;
}

static const struct { unsigned code; const char *name, *words; } errors[] = {
    { 0, "CUDA_SUCCESS", "no error" },
    { 1, "CUDA_ERROR_INVALID_VALUE", "invalid argument" },
    { 2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory" },
    { 100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected" },
    { 200, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid" },
    { 209, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device" },
    { 214, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered" },
    { 500, "CUDA_ERROR_NOT_FOUND", "named symbol not found" },
    { 700, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered" },
    { 701, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch" },
    { 802, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized" },
};

static unsigned tell_error(unsigned asked, bool name, const char **out) {
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errors[i].code == asked) return *out = name ? errors[i].name : errors[i].words, CUDA_SUCCESS;
    *out = NULL;
    return INVALID_VALUE;
}

unsigned fake_cuGetErrorName(unsigned asked, const char **out) {
    CALL("cuGetErrorName")
    return tell_error(asked, true, out);
}

unsigned fake_cuGetErrorString(unsigned asked, const char **out) {
    CALL("cuGetErrorString")
    return tell_error(asked, false, out);
}

#define STARTED                                                                                                        \
    if (!initialized) fake_stop("a call before cuInit, or after it failed");

unsigned fake_cuDeviceGetCount(int *count) {
    CALL("cuDeviceGetCount")
    STARTED
    *count = fake.devices;
    return CUDA_SUCCESS;
}

unsigned fake_cuDeviceGet(int *device, int index) {
    CALL("cuDeviceGet")
    STARTED
    if (index < 0 || index >= fake.devices) return INVALID_DEVICE;
    *device = index;
    return CUDA_SUCCESS;
}

static void is_device(int device) {
    if (device < 0 || device >= MOST_DEVICES || device >= fake.devices) fake_stop("there is no device %d", device);
}

unsigned fake_cuDeviceGetName(char *name, int size, int device) {
    CALL("cuDeviceGetName")
    is_device(device);
    snprintf(name, (size_t)size, "Fake H%d", 200 - device);
    return CUDA_SUCCESS;
}

unsigned fake_cuDeviceTotalMem(size_t *bytes, int device) {
    CALL("cuDeviceTotalMem")
    is_device(device);
    *bytes = (size_t)fake.most_bytes;
    return CUDA_SUCCESS;
}

unsigned fake_cuDeviceGetAttribute(int *value, unsigned what, int device) {
    CALL("cuDeviceGetAttribute")
    is_device(device);
    switch (what) {
    case CUDA_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:       return *value = fake.threads, CUDA_SUCCESS;
    case CUDA_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK: return *value = fake.local_bytes, CUDA_SUCCESS;
    case CUDA_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: return *value = fake.room_bytes, CUDA_SUCCESS;
    case CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:    return *value = fake.capability / 10, CUDA_SUCCESS;
    case CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:    return *value = fake.capability % 10, CUDA_SUCCESS;
    default:                                                return INVALID_VALUE;
    }
}

unsigned fake_cuDevicePrimaryCtxRetain(cuda_context *out, int device) {
    CALL("cuDevicePrimaryCtxRetain")
    is_device(device);
    if (fake.lost) return fake.lost;
    if (!contexts[device]) contexts[device] = fake_new("a context", sizeof(fake_context));
    contexts[device]->held++;
    *out = (cuda_context)contexts[device];
    return CUDA_SUCCESS;
}

static void expect_empty(const fake_context *c);

/* With its last holder goes what a kernel has done. */
unsigned fake_cuDevicePrimaryCtxRelease(int device) {
    CALLED("cuDevicePrimaryCtxRelease")
    is_device(device);
    fake_context *c = contexts[device];
    if (!c || !c->held) fake_stop("a context is released that nobody has");
    if (--c->held == 0) {
        expect_empty(c);
        c->sticky = 0;
    }
    return code;
}

unsigned fake_cuCtxPushCurrent(cuda_context c) {
    CALL("cuCtxPushCurrent")
    fake_context *new = fake_known(c, "a context");
    if (!new->held) fake_stop("a context is pushed that is gone");
    if (n_pushed == MOST_PUSHED) fake_stop("contexts are pushed and not popped");
    pushed[n_pushed++] = new;
    new->pushed++;
    return CUDA_SUCCESS;
}

unsigned fake_cuCtxPopCurrent(cuda_context *out) {
    CALL("cuCtxPopCurrent")
    if (!n_pushed) fake_stop("a context is popped where none was pushed");
    *out = (cuda_context)pushed[--n_pushed];
    pushed[n_pushed]->pushed--;
    return CUDA_SUCCESS;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct block { char *data; int64_t bytes; bool host; fake_context *of; struct block *next; } block;
static block *blocks;

/* Whose bytes they are; NULL: not all of one's. */
static block *block_at(const void *at, size_t bytes, bool host) {
    for (block *b = blocks; b; b = b->next)
        if (b->host == host && (const char *)at >= b->data && (const char *)at + bytes <= b->data + b->bytes) return b;
    return NULL;
}

void *fake_device_memory(cuda_address at, size_t bytes) {
    void *address = (void *)(uintptr_t)at;
    const block *b = block_at(address, bytes, false);
    if (!b) fake_stop("%zu bytes at %p are not in a block", bytes, address);
    if (b->of != fake_now() && fake_now()) fake_stop("a block of another device's");
    return address;
}

static void check_block(const block *b) {
    for (int64_t i = 1; i <= GUARD; i++)
        if ((uint8_t)b->data[-i] != GUARD_BYTE || (uint8_t)b->data[b->bytes + i - 1] != GUARD_BYTE)
            fake_stop("something wrote %" PRId64 " bytes outside a block of %" PRId64, i, b->bytes);
}

void fake_check_guards(cuda_address at) {
    const block *b = block_at((void *)(uintptr_t)at, 1, false);
    if (b) check_block(b);
}

static unsigned new_block(size_t bytes, bool host, void **out) {
    fake_context *c = fake_now();
    if (!bytes) return INVALID_VALUE;
    if (!host && c->bytes + (int64_t)bytes > fake.most_bytes) return CUDA_ERROR_OUT_OF_MEMORY;
    char  *whole = aligned_alloc(256, (size_t)round_up((int64_t)bytes, 256) + 2 * GUARD);
    block *b = malloc(sizeof *b);
    if (!whole || !b) return free(whole), free(b), CUDA_ERROR_OUT_OF_MEMORY;
    memset(whole, GUARD_BYTE, bytes + 2 * GUARD);
    *b = (block){ whole + GUARD, (int64_t)bytes, host, c, blocks };
    memset(b->data, FRESH_BYTE, bytes);
    if (!host) c->bytes += b->bytes;
    blocks = b;
    *out = b->data;
    return CUDA_SUCCESS;
}

/* As the driver's own, it waits for the device. */
static void free_block(void *at, bool host) {
    block **b = &blocks;
    while (*b && ((*b)->data != at || (*b)->host != host)) b = &(*b)->next;
    if (!*b) fake_stop("%p is freed, where no block begins", at);
    block *old = *b;
    if (old->of != fake_now()) fake_stop("a block of another device's is freed");
    fake_drain(old->of);
    check_block(old);
    *b = old->next;
    if (!host) old->of->bytes -= old->bytes;
    free(old->data - GUARD);
    free(old);
}

unsigned fake_cuMemAlloc(cuda_address *out, size_t bytes) {
    void *at = NULL;
    CONTEXT_CALL("cuMemAlloc")
    code = new_block(bytes, false, &at);
    if (!code) *out = (cuda_address)(uintptr_t)at;
    return code;
}

unsigned fake_cuMemAllocHost(void **out, size_t bytes) {
    CONTEXT_CALL("cuMemAllocHost")
    return new_block(bytes, true, out);
}

unsigned fake_cuMemFree(cuda_address at) {
    RELEASING_CALL("cuMemFree")
    free_block((void *)(uintptr_t)at, false);
    return code;
}

unsigned fake_cuMemFreeHost(void *at) {
    RELEASING_CALL("cuMemFreeHost")
    free_block(at, true);
    return code;
}

/* ---- what is left ------------------------------------------------------------------------------------------------ */

static const char *left(void) {
    static char words[MOST_LEFT];
    text t = { 0 };
    int64_t n_blocks = 0, n_host = 0;
    for (const block *b = blocks; b; b = b->next) n_blocks += !b->host, n_host += b->host;
    if (n_blocks) text_add(&t, "%d blocks, ", (int)n_blocks);
    if (n_host) text_add(&t, "%d blocks of the host's, ", (int)n_host);
    for (int i = 0; i < KINDS; i++)
        if (living[i]) text_add(&t, "%d of: %s, ", (int)living[i], kinds[i]);
    for (int i = 0; i < MOST_DEVICES; i++)
        if (contexts[i] && (contexts[i]->held || contexts[i]->pushed))
            text_add(&t, "a context held %d times, pushed %d times, ", contexts[i]->held, contexts[i]->pushed);
    snprintf(words, sizeof words, "%s", t.length ? t.data : "");
    text_free(&t);
    return words;
}

/* Streams and blocks say whose they are; of the rest nothing may be left with the last context. */
static void expect_empty(const fake_context *c) {
    bool last = true;
    for (int i = 0; i < MOST_DEVICES; i++) last = last && !(contexts[i] && contexts[i]->held);
    if (c->pushed) fake_stop("a context is released that is pushed");
    for (const block *b = blocks; b; b = b->next)
        if (b->of == c) fake_stop("a context is released with blocks in it: %s", left());
    if (c->streams) fake_stop("a context is released with a stream in it: %s", left());
    if (last && *left()) fake_stop("the last context is released, and there are still: %s", left());
}
