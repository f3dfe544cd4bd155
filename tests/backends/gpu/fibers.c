/* See fibers.h. */
#include "fibers.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "build.h"

enum { GUARD = 1024, GUARD_BYTE = 0xC3, FRESH_BYTE = 0xFF, MOST_QUEUED = 64 };

fibers_limits fibers_limit = { 256, 32768, 0, 160 << 10 };
fibers_faults fibers_fault = { -1, -1, -1, -1, -1 };

/* Whether it is the one that is to fail. */
static bool fails(int *after) { return *after >= 0 && (*after)-- == 0; }

/* ---- memory ---------------------------------------------------------------------------------------------------- */

typedef struct block {
    char   *data;     /* GUARD bytes on both sides */
    int64_t bytes;
    void   *counted;  /* as many, for tests that count what comes from the allocator or have it fail */
    tide_allocator allocator;
} block;

typedef struct order { const built *module; gpu_call call; bool backwards; } order;

typedef struct device {
    tide_allocator allocator;
    order   queued[MOST_QUEUED];
    int32_t n_queued;
    bool    backwards;
    tide_failure failure;  /* of a launch that was queued; nobody knows yet */
} device;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fibers_counts count;

fibers_counts fibers_count(void) { return count; }

const char *fibers_lacking(const char *why) {
    pthread_mutex_lock(&lock);
    count.lacking += why != NULL;
    pthread_mutex_unlock(&lock);
    return why;
}

static void stop(const char *what) {
    fprintf(stderr, "fibers: %s\n", what);
    abort();
}

static const block *block_at(const void *handle, int64_t at, int64_t bytes) {
    const block *b = handle;
    if (at < 0 || bytes < 0 || at + bytes > b->bytes) stop("beyond the end of a block");
    return b;
}

/* The byte of a guard that was written, from the block's start; 0: none was, as a block's first byte is no guard's. */
static int64_t written_guard(const block *b) {
    for (int64_t i = 1; i <= GUARD; i++)
        if ((uint8_t)b->data[-i] != GUARD_BYTE) return -i;
    for (int64_t i = b->bytes; i < b->bytes + GUARD; i++)
        if ((uint8_t)b->data[i] != GUARD_BYTE) return i + !i;
    return 0;
}

static void *alloc(void *of, int64_t bytes) {
    size_t all = (size_t)round_up(bytes, 64) + 2 * GUARD;
    const device *d = of;
    void *counted = fails(&fibers_fault.alloc) ? NULL : mem_new(&d->allocator, (size_t)bytes);
    block *b = counted ? malloc(sizeof *b) : NULL;
    char *whole = b ? aligned_alloc(64, all) : NULL;
    if (!whole) {
        free(b);
        mem_free(&d->allocator, counted, (size_t)bytes);
        return NULL;
    }
    memset(whole, GUARD_BYTE, all);
    *b = (block){ whole + GUARD, bytes, counted, d->allocator };
    memset(b->data, FRESH_BYTE, (size_t)bytes);
    pthread_mutex_lock(&lock);
    count.blocks++;
    pthread_mutex_unlock(&lock);
    return b;
}

static void flush(device *d);

static void free_block(void *of, void *handle, int64_t bytes) {
    block *b = handle;
    if (!b) return;
    flush(of);
    block_at(b, 0, bytes);
    if (b->bytes != bytes) stop("freed with another size");
    mem_free(&b->allocator, b->counted, (size_t)bytes);
    free(b->data - GUARD);
    free(b);
    pthread_mutex_lock(&lock);
    count.blocks--;
    pthread_mutex_unlock(&lock);
}

/* ---- launches -------------------------------------------------------------------------------------------------- */

static tide_status check_guards(const order *o, tide_failure *why) {
    for (int i = 0; i <= GPU_BLOCKS; i++) {
        const block *b = i < GPU_BLOCKS ? o->call.blocks[i] : o->call.table;
        int64_t at = written_guard(b);
        if (at)
            return fail(why, TIDE_EDEVICE, "the kernel '%s' (k%d) wrote byte %" PRId64 " of its block %d of %" PRId64
                        " bytes", o->call.kernel->name, (int)o->call.entry, at, i, b->bytes);
    }
    return TIDE_OK;
}

static tide_status check_call(const order *o, tide_failure *why) {
    const gpu_call *c = &o->call;
    const built_entry *e = &o->module->entries[c->entry];
    int64_t most = fibers_limit.most_threads ? fibers_limit.most_threads : fibers_limit.threads;
    if (c->threads != e->threads || c->threads > most || c->threads > GROUP_MOST_THREADS || c->threads < 1)
        return fail(why, TIDE_EDEVICE, "the kernel '%s' (k%d) is for groups of %d threads, launched with %d; a group "
                    "has up to %d", c->kernel->name, (int)c->entry, (int)e->threads, (int)c->threads, (int)most);
    const int64_t most_bytes = c->room_bytes ? fibers_limit.room_bytes : fibers_limit.local_bytes;
    if ((int64_t)e->local_bytes > most_bytes)
        return fail(why, TIDE_EDEVICE, "the kernel '%s' (k%d) has %zu bytes a group of %" PRId64, c->kernel->name,
                    (int)c->entry, e->local_bytes, most_bytes);
    if (c->groups < 1 || c->groups > UINT32_MAX)
        return fail(why, TIDE_EDEVICE, "the kernel '%s' (k%d) is launched with %" PRId64 " groups", c->kernel->name,
                    (int)c->entry, c->groups);
    return TIDE_OK;
}

/* ---- traps: what the text was built to stop at, and addresses that there are none of ---- */

static const char *running;

static void tell_trap(int signal) {
    static const char after[] = ": it trapped (an index outside an array, a vector out of line, a wild address)\n";
    const char *name = running ? running : "no kernel";
    if (write(2, "fibers: ", 8) < 0 || write(2, name, strlen(name)) < 0 || write(2, after, sizeof after - 1) < 0)
        _exit(1);
    (void)signal;
    _exit(1);
}

/* On a stack of its own, as a thread's may be what has overflown. */
static void catch_traps(void) {
    static char stack[65536];
    static const int signals[] = { SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE };
    struct sigaction action = { .sa_handler = tell_trap, .sa_flags = SA_ONSTACK };
    sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
}

/* What a group's memory and blockIdx are is of the built text: one launch at a time, whichever thread's. */
static tide_status compute(const order *o, tide_failure *why) {
    char said[160], *blocks[GPU_BLOCKS];
    const gpu_call *c = &o->call;
    const built_entry *e = &o->module->entries[c->entry];
    for (int i = 0; i < GPU_BLOCKS; i++) blocks[i] = ((const block *)c->blocks[i])->data;
    group_launch l = { .entry = e->run, .blocks = blocks, .first = c->first, .threads = c->threads,
                       .groups = c->groups, .local = e->local, .local_bytes = e->local_bytes,
                       .backwards = o->backwards };
    l.table = (const int64_t *)(const void *)((const block *)c->table)->data;
    if (check_call(o, why)) return TIDE_EDEVICE;
    if (fails(&fibers_fault.kernel))
        return fail(why, TIDE_EDEVICE, "the kernel '%s' failed: it was told to", c->kernel->name);
    pthread_mutex_lock(&lock);
    running = c->kernel->name;
    bool done = group_run(&l, said, sizeof said);
    running = NULL;
    count.launches++;
    pthread_mutex_unlock(&lock);
    return done ? check_guards(o, why)
                : fail(why, TIDE_EDEVICE, "the kernel '%s' (k%d): %s", c->kernel->name, (int)c->entry, said);
}

/* After a failure what is queued is lost. */
static void flush(device *d) {
    for (int32_t i = 0; i < d->n_queued && d->failure.status == TIDE_OK; i++) compute(&d->queued[i], &d->failure);
    d->n_queued = 0;
}

static tide_status told(device *d, tide_failure *why) {
    tide_failure failure = d->failure;
    d->failure = (tide_failure){ 0 };
    return failure.status ? fail(why, failure.status, "%s", failure.message) : TIDE_OK;
}

static tide_status launch(void *of, void *module, const gpu_call *call, double *seconds, tide_failure *why) {
    device *d = of;
    for (int i = 0; i < GPU_BLOCKS; i++) block_at(call->blocks[i], 0, 0);
    block_at(call->table, (call->first & ~GPU_MANY) * (int64_t)sizeof(int64_t), 0);
    if (call->entry < 0 || call->entry >= ((const built *)module)->n_entries) stop("no such entry");
    if (d->n_queued == MOST_QUEUED) flush(d);
    d->queued[d->n_queued++] = (order){ module, *call, d->backwards };
    if (!seconds) return TIDE_OK;
    double before = os_seconds();
    flush(d);
    *seconds += os_seconds() - before;
    return told(d, why);
}

static tide_status begin(void *of, tide_failure *why) { return told(of, why); }

static tide_status end(void *of, tide_failure *why) {
    device *d = of;
    (void)why;
    d->backwards = !d->backwards;
    return TIDE_OK;
}

/* ---- the rest of the driver's table --------------------------------------------------------------------------- */

static tide_status open_device(int32_t index, const tide_allocator *allocator, void **out, tide_failure *why) {
    if (index) return fail(why, TIDE_EDEVICE, "there is no device fibers:%d; there is one", (int)index);
    if (!fibers_possible()) return fail(why, TIDE_EDEVICE, "fibers: there is no c++");
    device *d = calloc(1, sizeof *d);
    if (!d) return fail(why, TIDE_ENOMEM, "out of memory for the device");
    d->allocator = *allocator;
    catch_traps();
    *out = d;
    return TIDE_OK;
}

static void close_device(void *of) {
    if (of) flush(of);
    free(of);
}

static tide_status put(void *of, void *handle, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    flush(of);
    if (told(of, why)) return TIDE_EDEVICE;
    if (fails(&fibers_fault.put)) return fail(why, TIDE_EDEVICE, "a copy to the device failed: it was told to");
    if (bytes) memcpy(block_at(handle, at, bytes)->data + at, from, (size_t)bytes);
    return TIDE_OK;
}

static tide_status get(void *of, void *to, void *handle, int64_t at, int64_t bytes, tide_failure *why) {
    flush(of);
    if (told(of, why)) return TIDE_EDEVICE;
    if (fails(&fibers_fault.get)) return fail(why, TIDE_EDEVICE, "a copy from the device failed: it was told to");
    if (bytes) memcpy(to, block_at(handle, at, bytes)->data + at, (size_t)bytes);
    return TIDE_OK;
}

static tide_status wait_device(void *of, tide_failure *why) {
    flush(of);
    return told(of, why);
}

const backend_memory fibers_memory = { open_device, close_device, alloc, free_block, put, get, wait_device };

static void limits_cuda(void *of, gpu_limits *out) {
    (void)of;
    *out = (gpu_limits){ fibers_limit.threads, fibers_limit.local_bytes, .f64 = true, .matrix = true,
                         .room_bytes = fibers_limit.room_bytes };
}

static void limits_metal(void *of, gpu_limits *out) {
    (void)of;
    *out = (gpu_limits){ fibers_limit.threads, fibers_limit.local_bytes };
}

static tide_status build_with(gpu_language language, const gpu_source *source, void **module, tide_failure *why) {
    const built *b;
    if (fails(&fibers_fault.build)) return fail(why, TIDE_EDEVICE, "the text does not compile: it was told not to");
    pthread_mutex_lock(&lock);
    tide_status status = build_text(language, source->all.data, source->n_entries, &b, why);
    if (!status) count.built++, *module = (void *)(uintptr_t)b;
    pthread_mutex_unlock(&lock);
    return status;
}

static tide_status build_cuda(void *of, const gpu_source *source, void **module, tide_failure *why) {
    (void)of;
    return build_with(GPU_CUDA, source, module, why);
}

static tide_status build_metal(void *of, const gpu_source *source, void **module, tide_failure *why) {
    (void)of;
    return build_with(GPU_METAL, source, module, why);
}

bool fibers_possible(void) {
    pthread_mutex_lock(&lock);
    bool possible = build_possible();
    pthread_mutex_unlock(&lock);
    return possible;
}

/* What is built stays. */
static void unload(void *of, void *module) {
    (void)module;
    flush(of);
}

static int32_t most_threads(void *of, void *module, int32_t entry) {
    (void)of, (void)module, (void)entry;
    return fibers_limit.most_threads ? fibers_limit.most_threads : fibers_limit.threads;
}

#define DRIVER(name, which)                                                                                            \
    { .language = which, .memory = &fibers_memory, .limits = limits_##name, .build = build_##name,                     \
      .unload = unload, .most_threads = most_threads, .begin = begin, .launch = launch, .end = end }
const gpu_driver fibers_cuda = DRIVER(cuda, GPU_CUDA), fibers_metal = DRIVER(metal, GPU_METAL);
