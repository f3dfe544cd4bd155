/* A library in place of CUDA's three (the driver here, fake_nvrtc.c, fake_cublaslt.c), on which texts run as they are,
 * built for the processor and a group's threads as fibers (gpu/build.h, gpu/group.h). It is stricter than CUDA with its
 * caller: a handle that is gone or of another kind, an address outside a block, a call without a context or in one of
 * another device, what a stream that is captured forbids, a context that is left with something in it: all end the
 * program. What is queued is done when it is waited for; a graph's nodes run in any order that their edges allow. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_cuda_parts.h"

enum { GUARD = 1024, GUARD_BYTE = 0xC3, FRESH_BYTE = 0xFF, MOST_DEVICES = 4, MOST_PUSHED = 8, MOST_LEFT = 400,
       INVALID_VALUE = 1, NOT_INITIALIZED = 3, INVALID_DEVICE = 101, INVALID_IMAGE = 200, NO_BINARY = 209,
       NOT_FOUND = 500 };

static const char *left(void);
static int64_t calls_of(const char *function);
__attribute__((visibility("default"))) extern fake_cuda fake;
fake_cuda fake = { .devices = 1, .driver_version = 13000, .capability = 90, .threads = 1024, .local_bytes = 49152,
                   .compiler_major = 13, .most_bytes = (int64_t)1 << 33, .seed = 1, .calls = calls_of, .left = left,
                   .possible = build_possible };

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

#define NAME_CU(name, version, takes) "cu" #name,
#define NAME_NVRTC(name, version, takes) "nvrtc" #name,
#define NAME_LT(name, version, takes) "cublasLt" #name,
static const char *const names[] = { CUDA_FUNCTIONS(NAME_CU) NVRTC_FUNCTIONS(NAME_NVRTC) CUBLASLT_FUNCTIONS(NAME_LT)
                                     "run" };
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
                                     "a handle of cuBLASLt", "a product", "a layout", "a preference" };
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

typedef struct context {
    fake_object o;
    int      id, held, pushed;
    unsigned sticky;      /* what a kernel has done to it */
    int64_t  bytes;
} context;

static context *contexts[MOST_DEVICES];
static __thread context *pushed[MOST_PUSHED];
static __thread int n_pushed;
static __thread int capturing;  /* streams that this thread captures */

static context *current(void) { return n_pushed ? pushed[n_pushed - 1] : NULL; }

unsigned fake_current(const char *function) {
    const context *c = current();
    if (!c) fake_stop("%s without a context", function);
    if (!c->held) fake_stop("%s in a context that is gone", function);
    return fake.lost ? fake.lost : c->sticky;
}

#define CALLED(function)                                                                                               \
    FAKE_ENTER                                                                                                         \
    unsigned code = fake_fault(function);
#define CALL(function)                                                                                                 \
    CALLED(function)                                                                                                   \
    if (code) return code;
/* What a captured stream allows, and what it does not. */
#define CONTEXT_CALLED(function)                                                                                       \
    CALLED(function)                                                                                                   \
    if (!code) code = fake_current(function);                                                                          \
    else fake_current(function);
#define CAPTURED_CALL(function)                                                                                        \
    CONTEXT_CALLED(function)                                                                                           \
    if (code) return code;
/* A release that fails has released. */
#define RELEASING_CALL(function)                                                                                       \
    CONTEXT_CALLED(function)                                                                                           \
    if (capturing) fake_stop("%s while this thread captures a stream", function);
#define CONTEXT_CALL(function)                                                                                         \
    RELEASING_CALL(function)                                                                                           \
    if (code) return code;

#define DECLARED(name, version, takes) FAKE_SYMBOL(cu, name, version, takes)
CUDA_FUNCTIONS(DECLARED)

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
    case CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:    return *value = fake.capability / 10, CUDA_SUCCESS;
    case CUDA_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:    return *value = fake.capability % 10, CUDA_SUCCESS;
    default:                                                return INVALID_VALUE;
    }
}

unsigned fake_cuDevicePrimaryCtxRetain(cuda_context *out, int device) {
    CALL("cuDevicePrimaryCtxRetain")
    is_device(device);
    if (fake.lost) return fake.lost;
    if (!contexts[device]) contexts[device] = fake_new("a context", sizeof(context)), contexts[device]->id = device;
    contexts[device]->held++;
    *out = (cuda_context)contexts[device];
    return CUDA_SUCCESS;
}

static void expect_empty(const context *c);

/* With its last holder goes what a kernel has done. */
unsigned fake_cuDevicePrimaryCtxRelease(int device) {
    CALLED("cuDevicePrimaryCtxRelease")
    is_device(device);
    context *c = contexts[device];
    if (!c || !c->held) fake_stop("a context is released that nobody has");
    if (--c->held == 0) {
        expect_empty(c);
        c->sticky = 0;
    }
    return code;
}

unsigned fake_cuCtxPushCurrent(cuda_context c) {
    CALL("cuCtxPushCurrent")
    context *new = fake_known(c, "a context");
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

typedef struct block { char *data; int64_t bytes; bool host; context *of; struct block *next; } block;
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
    if (b->of != current() && current()) fake_stop("a block of another device's");
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
    context *c = current();
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

static void drain_all(const context *c);

/* As the driver's own, it waits for the device. */
static void free_block(void *at, bool host) {
    block **b = &blocks;
    while (*b && ((*b)->data != at || (*b)->host != host)) b = &(*b)->next;
    if (!*b) fake_stop("%p is freed, where no block begins", at);
    block *old = *b;
    if (old->of != current()) fake_stop("a block of another device's is freed");
    drain_all(old->of);
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

/* ---- streams ----------------------------------------------------------------------------------------------------- */

typedef struct node { fake_object o; fake_work *work; void *what; int n_after; struct node **after; } node;
typedef struct graph { fake_object o; int count; node **nodes; } graph;
typedef struct job { fake_work *work; void *what; struct job *next; } job;
typedef struct stream { fake_object o; context *of; job *first, **last; graph *captured; pthread_t by; } stream;
typedef struct streams { stream *s; struct streams *next; } streams;
static streams *open_streams;

static void *copied(const void *what, size_t bytes) {
    void *copy = malloc(bytes ? bytes : 1);
    if (!copy) fake_stop("out of memory");
    return memcpy(copy, what, bytes);
}

/* After an error of a kernel nothing more is done. */
static void do_next(stream *s) {
    job *j = s->first;
    s->first = j->next;
    if (!s->first) s->last = &s->first;
    if (!s->of->sticky) s->of->sticky = j->work(j->what);
    free(j->what);
    free(j);
}

static unsigned drain(stream *s) {
    while (s->first) do_next(s);
    return s->of->sticky;
}

static void drain_all(const context *c) {
    for (streams *l = open_streams; l; l = l->next)
        if (l->s->of == c) drain(l->s);
}

static node *add_node(graph *g, fake_work *work, void *what, node *const *after, size_t n_after) {
    node *n = fake_new("a node", sizeof *n);
    n->work = work, n->what = what, n->n_after = (int)n_after;
    n->after = copied(after, sizeof *after * n_after);
    g->nodes = realloc(g->nodes, sizeof *g->nodes * (size_t)(g->count + 1));
    if (!g->nodes) fake_stop("out of memory");
    return g->nodes[g->count++] = n;
}

static stream *stream_of(cuda_stream handle) {
    stream *s = fake_known(handle, "a stream");
    if (s->of != current()) fake_stop("a stream of another device's");
    return s;
}

unsigned fake_queue(cuda_stream handle, fake_work *work, const void *what, size_t bytes) {
    stream *s = stream_of(handle);
    void *copy = copied(what, bytes);
    if (s->captured) {
        graph *g = s->captured;
        if (!pthread_equal(s->by, pthread_self())) fake_stop("a captured stream is used by another thread");
        add_node(g, work, copy, g->nodes + g->count - !!g->count, (size_t)!!g->count);
        return CUDA_SUCCESS;
    }
    job *j = copied(&(job){ work, copy, NULL }, sizeof *j);
    *s->last = j, s->last = &j->next;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamCreate(cuda_stream *out, unsigned flags) {
    CONTEXT_CALL("cuStreamCreate")
    if (flags != CUDA_STREAM_NON_BLOCKING) fake_stop("a stream that waits for the default one");
    stream *s = fake_new("a stream", sizeof *s);
    s->of = current(), s->last = &s->first;
    open_streams = copied(&(streams){ s, open_streams }, sizeof *open_streams);
    *out = (cuda_stream)s;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamDestroy(cuda_stream handle) {
    RELEASING_CALL("cuStreamDestroy")
    stream *s = stream_of(handle);
    streams **l = &open_streams;
    drain(s);
    while ((*l)->s != s) l = &(*l)->next;
    streams *old = *l;
    *l = old->next;
    free(old);
    fake_end(s);
    return code;
}

/* It has waited whatever it says. */
unsigned fake_cuStreamSynchronize(cuda_stream handle) {
    RELEASING_CALL("cuStreamSynchronize")
    unsigned kernel = drain(stream_of(handle));
    return code ? code : kernel;
}

unsigned fake_cuStreamBeginCapture(cuda_stream handle, unsigned mode) {
    CONTEXT_CALL("cuStreamBeginCapture")
    stream *s = stream_of(handle);
    if (mode != CUDA_STREAM_CAPTURE_MODE_THREAD_LOCAL) fake_stop("a capture that other threads take part in");
    s->captured = fake_new("a graph", sizeof(graph)), s->by = pthread_self();
    capturing++;
    return CUDA_SUCCESS;
}

unsigned fake_cuStreamEndCapture(cuda_stream handle, cuda_graph *out) {
    CONTEXT_CALLED("cuStreamEndCapture")
    stream *s = stream_of(handle);
    if (!s->captured || !pthread_equal(s->by, pthread_self())) fake_stop("the end of a capture that did not begin");
    capturing--;
    *out = code ? NULL : (cuda_graph)s->captured;
    if (code) fake_end(s->captured);
    s->captured = NULL;
    return code;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* Its time is how many kernels have run before it, as milliseconds. */
typedef struct event { fake_object o; context *of; bool timed; int64_t pending, at; stream *in; } event;

static event *event_of(cuda_event handle) {
    event *e = fake_known(handle, "an event");
    if (e->of != current()) fake_stop("an event of another device's");
    return e;
}

static unsigned pass(const void *what) {
    event *e = *(event *const *)what;
    e->pending--, e->at = fake.launches + fake.products;
    return CUDA_SUCCESS;
}

unsigned fake_cuEventCreate(cuda_event *out, unsigned flags) {
    CONTEXT_CALL("cuEventCreate")
    event *e = fake_new("an event", sizeof *e);
    e->of = current(), e->timed = flags == CUDA_EVENT_DEFAULT;
    if (!e->timed && flags != CUDA_EVENT_DISABLE_TIMING) fake_stop("flags %u of an event", flags);
    *out = (cuda_event)e;
    return CUDA_SUCCESS;
}

unsigned fake_cuEventDestroy(cuda_event handle) {
    RELEASING_CALL("cuEventDestroy")
    fake_end(event_of(handle));
    return code;
}

unsigned fake_cuEventRecord(cuda_event handle, cuda_stream in) {
    CAPTURED_CALL("cuEventRecord")
    event *e = event_of(handle);
    if (stream_of(in)->captured) fake_stop("an event in a graph");
    e->pending++, e->in = stream_of(in);
    return fake_queue(in, pass, &e, sizeof e);
}

static unsigned wait_event(const event *e) {
    while (e->pending && e->in->first) do_next(e->in);
    return e->of->sticky;
}

unsigned fake_cuEventSynchronize(cuda_event handle) {
    RELEASING_CALL("cuEventSynchronize")
    unsigned kernel = wait_event(event_of(handle));
    return code ? code : kernel;
}

unsigned fake_cuEventElapsedTime(float *ms, cuda_event from, cuda_event to) {
    CONTEXT_CALL("cuEventElapsedTime")
    const event *a = event_of(from), *b = event_of(to);
    if (!a->timed || !b->timed || !a->in || !b->in || a->pending || b->pending) fake_stop("no time is known");
    *ms = (float)(b->at - a->at);
    return CUDA_SUCCESS;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

typedef struct copy { void *to; const void *from; size_t bytes; } copy;

/* What the device reads or writes is there when it does. */
static unsigned do_copy(const void *what) {
    const copy *c = what;
    memcpy(c->to, c->from, c->bytes);
    return CUDA_SUCCESS;
}

unsigned fake_cuMemcpyHtoDAsync(cuda_address to, const void *from, size_t bytes, cuda_stream s) {
    CAPTURED_CALL("cuMemcpyHtoDAsync")
    copy c = { fake_device_memory(to, bytes), from, bytes };
    return fake_queue(s, do_copy, &c, sizeof c);
}

unsigned fake_cuMemcpyDtoHAsync(void *to, cuda_address from, size_t bytes, cuda_stream s) {
    CAPTURED_CALL("cuMemcpyDtoHAsync")
    copy c = { to, fake_device_memory(from, bytes), bytes };
    return fake_queue(s, do_copy, &c, sizeof c);
}

/* ---- modules and kernels ------------------------------------------------------------------------------------------ */

typedef struct module {
    fake_object o;
    context *of;
    const built_entry *entry;
    struct function *function;
    int told;
} module;
typedef struct function { fake_object o; module *of; } function;
/* `told`: numbers that are arguments of the kernel, in place of a table on the device. */
typedef struct launch {
    function    *kernel;
    cuda_address at[GPU_BLOCKS + 1];
    int          told;
    int64_t      numbers[GPU_NUMBERS];
    uint32_t     first, groups;
    int32_t      threads;
} launch;

unsigned fake_cuModuleLoadData(cuda_module *out, const void *cubin) {
    int capability = 0;
    const built *text;
    tide_failure why = { 0 };
    CONTEXT_CALL("cuModuleLoadData")
    const char *words = fake_text_of(cubin, &capability);
    if (!words) return INVALID_IMAGE;
    if (capability != fake.capability) return NO_BINARY;
    if (build_text(GPU_CUDA, words, 1, &text, &why)) return INVALID_IMAGE;
    module *m = fake_new("a module", sizeof *m);
    m->of = current(), m->entry = &text->entries[0];
    sscanf(words, "#define GPU_TOLD %d", &m->told);
    if (m->told < 0 || m->told > GPU_NUMBERS) fake_stop("a kernel that is told %d numbers", m->told);
    m->function = fake_new("a function", sizeof *m->function);
    m->function->of = m;
    *out = (cuda_module)m;
    return CUDA_SUCCESS;
}

unsigned fake_cuModuleUnload(cuda_module handle) {
    RELEASING_CALL("cuModuleUnload")
    module *m = fake_known(handle, "a module");
    if (m->of != current()) fake_stop("a module of another device's");
    fake_end(m);
    return code;
}

unsigned fake_cuModuleGetFunction(cuda_function *out, cuda_module handle, const char *name) {
    CONTEXT_CALL("cuModuleGetFunction")
    const module *m = fake_known(handle, "a module");
    if (strcmp(name, "k")) return NOT_FOUND;
    *out = (cuda_function)m->function;
    return CUDA_SUCCESS;
}

static function *function_of(cuda_function handle) {
    function *f = fake_known(handle, "a function");
    fake_known(f->of, "a module");
    return f;
}

static int most_threads(const built_entry *e) {
    return MIN2(e->threads, fake.kernel_threads ? fake.kernel_threads : fake.threads);
}

unsigned fake_cuFuncGetAttribute(int *out, unsigned what, cuda_function handle) {
    CONTEXT_CALL("cuFuncGetAttribute")
    if (what != CUDA_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) return INVALID_VALUE;
    *out = most_threads(function_of(handle)->of->entry);
    return CUDA_SUCCESS;
}

/* What a launch is, once and for all: arguments are copied. */
static launch launch_of(cuda_function handle, const unsigned groups[3], const unsigned threads[3], unsigned local,
                        void **arguments, void **extra) {
    launch l = { .kernel = function_of(handle), .groups = groups[0], .threads = (int32_t)threads[0] };
    const built_entry *e = l.kernel->of->entry;
    if (l.kernel->of->of != current()) fake_stop("a kernel of another device's");
    if (groups[1] != 1 || groups[2] != 1 || threads[1] != 1 || threads[2] != 1 || !groups[0] || groups[0] > INT32_MAX)
        fake_stop("a launch of %u x %u x %u groups", groups[0], groups[1], groups[2]);
    if (l.threads != e->threads || l.threads > most_threads(e))
        fake_stop("groups of %d threads where %d are to be", l.threads, (int)e->threads);
    if (local || extra || (int64_t)e->local_bytes > fake.local_bytes) fake_stop("groups with more memory than is said");
    l.told = l.kernel->of->told;
    for (int i = 0; i < GPU_BLOCKS + !l.told; i++) {
        l.at[i] = *(const cuda_address *)arguments[i];
        fake_device_memory(l.at[i], 1);
    }
    if (l.told) memcpy(l.numbers, arguments[GPU_BLOCKS], sizeof *l.numbers * (size_t)l.told);
    else l.first = *(const uint32_t *)arguments[GPU_BLOCKS + 1];
    return l;
}

/* Every other goes from its last group and thread to the first. */
static unsigned do_launch(const void *what) {
    const launch *l = what;
    char *at[GPU_BLOCKS], why[300];
    unsigned code = fake_fault("run");
    if (code) return code;
    if (l->kernel->of->o.gone) fake_stop("a kernel runs whose module is gone");
    for (int i = 0; i < GPU_BLOCKS + !l->told; i++) {
        void *address = fake_device_memory(l->at[i], 1);
        if (i < GPU_BLOCKS) at[i] = address;
    }
    const built_entry *e = l->kernel->of->entry;
    group_launch g = { .entry = e->run, .blocks = at, .first = l->first, .threads = l->threads, .groups = l->groups,
                       .table = l->told ? l->numbers : (const int64_t *)(uintptr_t)l->at[GPU_BLOCKS], .local = e->local,
                       .local_bytes = e->local_bytes, .backwards = __builtin_parityll((uint64_t)fake.launches) };
    if (!group_run(&g, why, sizeof why)) fake_stop("%s", why);
    for (int i = 0; i < GPU_BLOCKS + !l->told; i++) fake_check_guards(l->at[i]);
    fake.launches++;
    return CUDA_SUCCESS;
}

unsigned fake_cuLaunchKernel(cuda_function handle, unsigned groups_x, unsigned groups_y, unsigned groups_z,
                             unsigned threads_x, unsigned threads_y, unsigned threads_z, unsigned local_bytes,
                             cuda_stream s, void **arguments, void **extra) {
    CAPTURED_CALL("cuLaunchKernel")
    launch l = launch_of(handle, (const unsigned[]){ groups_x, groups_y, groups_z },
                         (const unsigned[]){ threads_x, threads_y, threads_z }, local_bytes, arguments, extra);
    return fake_queue(s, do_launch, &l, sizeof l);
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

typedef struct executable { fake_object o; context *of; int count; node **nodes; } executable;

unsigned fake_cuGraphCreate(cuda_graph *out, unsigned flags) {
    CONTEXT_CALL("cuGraphCreate")
    if (flags) return INVALID_VALUE;
    *out = fake_new("a graph", sizeof(graph));
    return CUDA_SUCCESS;
}

unsigned fake_cuGraphDestroy(cuda_graph handle) {
    RELEASING_CALL("cuGraphDestroy")
    fake_end(fake_known(handle, "a graph"));
    return code;
}

static bool is_of(const graph *g, const node *n) {
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i] == n) return true;
    return false;
}

/* Edges come from the graph's own nodes, each from another. */
static cuda_node new_node(graph *g, fake_work *work, void *what, const cuda_node *after, size_t n) {
    node **from = calloc(n + 1, sizeof *from);
    if (!from) fake_stop("out of memory");
    for (size_t i = 0; i < n; i++) {
        from[i] = fake_known(after[i], "a node");
        if (!is_of(g, from[i])) fake_stop("an edge from another graph");
        for (size_t j = 0; j < i; j++)
            if (from[j] == from[i]) fake_stop("two edges from one node");
    }
    cuda_node made = (cuda_node)add_node(g, work, what, from, n);
    free(from);
    return made;
}

unsigned fake_cuGraphAddKernelNode(cuda_node *out, cuda_graph handle, const cuda_node *after, size_t n,
                                   const cuda_node_params *p) {
    CONTEXT_CALL("cuGraphAddKernelNode")
    launch l = launch_of(p->func, &p->gridDimX, &p->blockDimX, p->sharedMemBytes, p->kernelParams, p->extra);
    *out = new_node(fake_known(handle, "a graph"), do_launch, copied(&l, sizeof l), after, n);
    return CUDA_SUCCESS;
}

/* An edge that lets a kernel start early is one of these, for it waits by itself. */
FAKE_SYMBOL(cu, GraphAddDependencies, "_v2",
            (cuda_graph, const cuda_node *from, const cuda_node *to, const cuda_edge *, size_t))
unsigned fake_cuGraphAddDependencies(cuda_graph handle, const cuda_node *from, const cuda_node *to,
                                     const cuda_edge *edge, size_t n) {
    CONTEXT_CALL("cuGraphAddDependencies")
    const graph *g = fake_known(handle, "a graph");
    for (size_t i = 0; i < n; i++) {
        node *a = fake_known(from[i], "a node"), *b = fake_known(to[i], "a node");
        if (!is_of(g, a) || !is_of(g, b) || a == b) fake_stop("an edge from another graph");
        if (edge[i].from_port != CUDA_PORT_PROGRAMMATIC || edge[i].type != CUDA_EDGE_PROGRAMMATIC)
            return INVALID_VALUE;
        if (a->work != do_launch || b->work != do_launch) fake_stop("an early start of what is no kernel");
        node **more = realloc(b->after, sizeof *more * (size_t)(b->n_after + 1));
        if (!more) fake_stop("out of memory");
        b->after = more, b->after[b->n_after++] = a;
    }
    return CUDA_SUCCESS;
}

static uint64_t drawn(void) {
    fake.seed = fake.seed * 6364136223846793005u + 1442695040888963407u;
    return fake.seed >> 33;
}

/* Any of the nodes that may run next. */
static int draw_ready(const executable *e, const bool *done) {
    int chosen = -1;
    uint64_t ready = 0;
    for (int i = 0; i < e->count; i++) {
        bool may = !done[i];
        for (int j = 0; may && j < e->nodes[i]->n_after; j++)
            for (int k = 0; may && k < e->count; k++)
                if (e->nodes[k] == e->nodes[i]->after[j]) may = done[k];
        if (may && drawn() % ++ready == 0) chosen = i;
    }
    return chosen;
}

static unsigned do_graph(const void *what) {
    const executable *e = *(executable *const *)what;
    bool *done = calloc((size_t)e->count + 1, sizeof *done);
    if (!done) fake_stop("out of memory");
    unsigned code = CUDA_SUCCESS;
    for (int i = 0; i < e->count && !code; i++) {
        int next = draw_ready(e, done);
        if (next < 0) fake_stop("nodes that wait for each other");
        fake.out_of_order += next != i;
        code = e->nodes[next]->work(e->nodes[next]->what);
        done[next] = true;
    }
    free(done);
    return code;
}

static executable *snapshot(const graph *g, const char *kind) {
    executable *e = fake_new(kind, sizeof *e);
    e->of = current(), e->count = g->count;
    e->nodes = copied(g->nodes, sizeof *g->nodes * (size_t)g->count);
    return e;
}

unsigned fake_cuGraphAddChildGraphNode(cuda_node *out, cuda_graph handle, const cuda_node *after, size_t n,
                                       cuda_graph child) {
    CONTEXT_CALL("cuGraphAddChildGraphNode")
    executable *copy = snapshot(fake_known(child, "a graph"), "a copied graph");
    *out = new_node(fake_known(handle, "a graph"), do_graph, copied(&copy, sizeof copy), after, n);
    return CUDA_SUCCESS;
}

unsigned fake_cuGraphInstantiate(cuda_graph_exec *out, cuda_graph handle, unsigned long long flags) {
    CONTEXT_CALL("cuGraphInstantiate")
    if (flags) return INVALID_VALUE;
    *out = (cuda_graph_exec)snapshot(fake_known(handle, "a graph"), "an executable graph");
    return CUDA_SUCCESS;
}

/* What is queued of it runs. */
unsigned fake_cuGraphExecDestroy(cuda_graph_exec handle) {
    RELEASING_CALL("cuGraphExecDestroy")
    fake_end(fake_known(handle, "an executable graph"));
    return code;
}

unsigned fake_cuGraphLaunch(cuda_graph_exec handle, cuda_stream s) {
    CONTEXT_CALL("cuGraphLaunch")
    executable *e = fake_known(handle, "an executable graph");
    if (e->of != current()) fake_stop("a graph of another device's");
    fake.graphs++;
    return fake_queue(s, do_graph, &e, sizeof e);
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

/* Streams, events and blocks say whose they are; of the rest nothing may be left with the last context. */
static void expect_empty(const context *c) {
    bool last = true;
    for (int i = 0; i < MOST_DEVICES; i++) last = last && !(contexts[i] && contexts[i]->held);
    if (c->pushed) fake_stop("a context is released that is pushed");
    for (const block *b = blocks; b; b = b->next)
        if (b->of == c) fake_stop("a context is released with blocks in it: %s", left());
    for (const streams *l = open_streams; l; l = l->next)
        if (l->s->of == c) fake_stop("a context is released with a stream in it: %s", left());
    if (last && *left()) fake_stop("the last context is released, and there are still: %s", left());
}
