/* See apart.h. */
#include "apart.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "backends/ref/ref.h"

enum { MOST_BLOCKS = 4096, MOST_QUEUED = 8, PAGE = 4096, GARBAGE = 0xA5 };
static const int64_t reserved_bytes = (int64_t)1 << 40;

apart_faults apart_fault = { -1, -1, -1, -1 };
const int64_t apart_memory_bytes = (int64_t)3 << 30;

static void stop(const char *what) {
    fprintf(stderr, "apart: %s\n", what);
    abort();
}

/* Whether it is the one that is to fail. */
static bool fails(int *after) { return *after >= 0 && (*after)-- == 0; }

/* ---- blocks: a handle leads into memory that nobody may touch --------------------------------------------- */

typedef struct block {
    char   *handle, *shadow;
    int64_t bytes;
    int32_t index;
    tide_allocator allocator;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block blocks[MOST_BLOCKS];
static apart_counts count;

static char *next_handle(int64_t bytes) {
    static char *next, *end;
    if (!next) {
        next = mmap(NULL, (size_t)reserved_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (next == MAP_FAILED) stop("no address space for handles");
        end = next + reserved_bytes;
    }
    char *handle = next;
    next += round_up(MAX2(bytes, 1), PAGE);
    if (next > end) stop("out of handles");
    return handle;
}

static block *entry_of(const void *handle) {
    for (int i = 0; i < MOST_BLOCKS; i++)
        if (blocks[i].handle == handle) return &blocks[i];
    return NULL;
}

/* Where the bytes are that the kernels compute on. */
static char *shadow_of(const void *handle, int64_t at, int64_t bytes, int32_t index) {
    pthread_mutex_lock(&lock);
    const block *b = handle ? entry_of(handle) : NULL;
    char *shadow = b ? b->shadow + at : NULL;
    if (!b) stop("this is no block: an address of the host's, or one that was freed");
    if (b->index != index) stop("a block of another device");
    if (at < 0 || at + bytes > b->bytes) stop("beyond the end of a block");
    pthread_mutex_unlock(&lock);
    return shadow;
}

/* ---- the device: what it is told is done when it is waited for ----------------------------------------------- */

typedef struct order {
    backend_exec *run;   /* NULL: a put */
    char   *data;
    void   *block;
    int64_t at, bytes;
} order;

typedef struct device {
    int32_t index, n_queued;
    tide_allocator allocator;
    order queued[MOST_QUEUED];
    tide_failure failure;  /* of a run that was queued; nobody knows yet */
} device;

struct backend_exec {
    const tide_allocator *allocator;
    int64_t bytes;  /* of this block: exec, data, scratch */
    device *device;
    void   *arena;
    void  **data;
    ref_run run;
};

static void locate(backend_exec *e) {
    const flat_program *p = e->run.program;
    for (int32_t i = 0; i < p->n_buffers; i++) {
        const flat_buffer *b = &p->buffers[i];
        bool own = b->space == FLAT_ARENA;
        if (b->space == FLAT_CONSTANT) e->data[i] = b->host;
        else e->data[i] = shadow_of(own ? e->arena : b->block, own ? b->offset : b->at, b->bytes, e->device->index);
    }
}

static tide_status compute(backend_exec *e, double *seconds, tide_failure *why) {
    const flat_program *p = e->run.program;
    locate(e);
    for (int32_t i = 0; i < p->n_kernels; i++) {
        double before = os_seconds();
        if (fails(&apart_fault.kernel))
            return fail(why, TIDE_EDEVICE, "the kernel '%s' failed: it was told to", p->kernels[i].name);
        for (int64_t t = 0; t < p->kernels[i].tasks; t++) ref_kernel(&e->run, &p->kernels[i], t);
        if (seconds) seconds[i] += os_seconds() - before;
    }
    return TIDE_OK;
}

static void flush(device *d) {
    for (int32_t i = 0; i < d->n_queued; i++) {
        order *o = &d->queued[i];
        bool lost = d->failure.status != TIDE_OK;
        if (o->run && !lost) compute(o->run, NULL, &d->failure);
        if (!o->run && !lost) memcpy(shadow_of(o->block, o->at, o->bytes, d->index), o->data, (size_t)o->bytes);
        free(o->data);
    }
    d->n_queued = 0;
}

static order *queue(device *d) {
    if (d->n_queued == MOST_QUEUED) flush(d);
    order *o = &d->queued[d->n_queued++];
    *o = (order){ 0 };
    return o;
}

static tide_status told(device *d, tide_failure *why) {
    tide_failure failure = d->failure;
    d->failure = (tide_failure){ 0 };
    return failure.status ? fail(why, failure.status, "%s", failure.message) : TIDE_OK;
}

static tide_status open_device(int32_t index, const tide_allocator *allocator, void **out, tide_failure *why) {
    if (index >= APART_DEVICES)
        return fail(why, TIDE_EDEVICE, "there is no device apart:%d; there are %d, from apart:0", (int)index,
                    APART_DEVICES);
    device *d = calloc(1, sizeof *d);
    if (!d) return fail(why, TIDE_ENOMEM, "out of memory for the device");
    d->index = index, d->allocator = *allocator;
    pthread_mutex_lock(&lock);
    count.devices++;
    pthread_mutex_unlock(&lock);
    *out = d;
    return TIDE_OK;
}

static void close_device(void *of) {
    device *d = of;
    if (!d) return;
    flush(d);
    free(d);
    pthread_mutex_lock(&lock);
    count.devices--;
    pthread_mutex_unlock(&lock);
}

static void *alloc(void *of, int64_t bytes) {
    device *d = of;
    char *shadow = fails(&apart_fault.alloc) ? NULL : mem_new(&d->allocator, (size_t)bytes);
    if (!shadow) return NULL;
    memset(shadow, GARBAGE, (size_t)bytes);
    pthread_mutex_lock(&lock);
    block *b = entry_of(NULL);
    if (!b) stop("too many blocks");
    *b = (block){ next_handle(bytes), shadow, bytes, d->index, d->allocator };
    count.blocks++, count.bytes += bytes;
    void *handle = b->handle;
    pthread_mutex_unlock(&lock);
    return handle;
}

static void free_block(void *of, void *handle, int64_t bytes) {
    if (!handle) return;
    flush(of);
    shadow_of(handle, 0, bytes, ((device *)of)->index);
    pthread_mutex_lock(&lock);
    block *b = entry_of(handle), was = *b;
    if (b->bytes != bytes) stop("freed with another size");
    *b = (block){ 0 };
    count.blocks--, count.bytes -= bytes;
    pthread_mutex_unlock(&lock);
    mem_free(&was.allocator, was.shadow, (size_t)bytes);
}

static tide_status put(void *of, void *handle, int64_t at, const void *from, int64_t bytes, tide_failure *why) {
    device *d = of;
    if (fails(&apart_fault.put)) return fail(why, TIDE_EDEVICE, "a copy to the device failed: it was told to");
    shadow_of(handle, at, bytes, d->index);
    char *data = malloc((size_t)MAX2(bytes, 1));
    if (!data) return fail(why, TIDE_ENOMEM, "out of memory for a copy");
    memcpy(data, from, (size_t)bytes);
    *queue(d) = (order){ .data = data, .block = handle, .at = at, .bytes = bytes };
    return TIDE_OK;
}

static tide_status get(void *of, void *to, void *handle, int64_t at, int64_t bytes, tide_failure *why) {
    device *d = of;
    flush(d);
    if (told(d, why)) return TIDE_EDEVICE;
    if (fails(&apart_fault.get)) return fail(why, TIDE_EDEVICE, "a copy from the device failed: it was told to");
    memcpy(to, shadow_of(handle, at, bytes, d->index), (size_t)bytes);
    return TIDE_OK;
}

static tide_status wait_device(void *of, tide_failure *why) {
    flush(of);
    return told(of, why);
}

static void describe(void *of, tide_device *out) {
    snprintf(out->hardware, sizeof out->hardware, "a device of the tests, number %d", (int)((device *)of)->index);
    out->memory_bytes = apart_memory_bytes;
}

static const backend_memory memory = { open_device, close_device, alloc, free_block, put, get, wait_device };

apart_counts apart_count(void) { return count; }

/* ---- programs ------------------------------------------------------------------------------------------------ */

static int64_t head_bytes(const flat_program *p) {
    return round_up((int64_t)sizeof(backend_exec) + p->n_buffers * (int64_t)sizeof(void *), 64);
}

static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {
    (void)env;
    return head_bytes(p) + ref_scratch_bytes(p);
}

static tide_status prepare(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                           tide_failure *why) {
    int64_t bytes = scratch_bytes(p, env);
    if (told(env->device, why)) return TIDE_EDEVICE; /* as by a put */
    backend_exec *e = mem_new(env->allocator, (size_t)bytes);
    if (!e) return fail(why, TIDE_ENOMEM, "no memory for %lld bytes of kernel scratch", (long long)bytes);
    void **data = (void **)(e + 1);
    *e = (backend_exec){ env->allocator, bytes, env->device, arena, data, { p, data, (char *)e + head_bytes(p) } };
    *out = e;
    return TIDE_OK;
}

static tide_status run(backend_exec *e, tide_failure *why) {
    if (told(e->device, why)) return TIDE_EDEVICE;
    queue(e->device)->run = e;
    pthread_mutex_lock(&lock);
    count.runs++;
    pthread_mutex_unlock(&lock);
    return TIDE_OK;
}

static tide_status measure(backend_exec *e, double *seconds, tide_failure *why) {
    return wait_device(e->device, why) ? TIDE_EDEVICE : compute(e, seconds, why);
}

static void release(backend_exec *e) {
    if (!e) return;
    flush(e->device);
    mem_free(e->allocator, e, (size_t)e->bytes);
}

/* A function of the caller's wants addresses. */
static const char *lacks(void *device, const flat_program *p, const flat_kernel *k) {
    (void)device, (void)p;
    return k->kind == FLAT_CUSTOM ? "its memory is its own" : NULL;
}

#define APART(title, fused)                                                                                            \
    {                                                                                                                  \
        .name = title, .fuse = fused, .cut = &processor_cut, .memory = &memory, .prepare = prepare, .run = run,        \
        .measure = measure, .scratch_bytes = scratch_bytes, .release = release, .lacks_products = ref_lacks_products,  \
        .lacks = lacks,                                                                                                \
        .tunes = fused, .describe = describe                                                                           \
    }
const tide_backend tide_backend_apart = APART("apart", false), tide_backend_apart_fused = APART("apart-fused", true),
                   tide_backend_apart_cpu = APART("cpu", true);
