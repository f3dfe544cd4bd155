/* Devices by number: those of all platforms, in the platforms' order, GPUs and accelerators before processors. */
#include "device.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_PLATFORMS = 16, MOST_DEVICES = 64, MOST_CONTEXTS = MOST_DEVICES, MOST_THREADS = 256, LEAST_THREADS = 32 };

typedef struct place { ocl_platform platform; ocl_device id; } place;
typedef struct places { uint32_t platforms, count; place at[MOST_DEVICES]; } places;

/* ---- what there is ---- */

static uint64_t number_of(const opencl *cl, ocl_device id, uint32_t what, size_t bytes) {
    union { uint32_t u32; uint64_t u64; size_t size; } n = { .u64 = 0 };
    if (cl->GetDeviceInfo(id, what, bytes, &n, NULL)) return 0;
    return bytes == sizeof n.u32 ? n.u32 : n.u64;
}

static void words_of(const opencl *cl, ocl_device id, uint32_t what, char *out, size_t size) {
    if (cl->GetDeviceInfo(id, what, size - 1, out, NULL)) *out = 0;
    out[size - 1] = 0;
}

static void find_of_type(const opencl *cl, ocl_platform platform, uint64_t type, places *all) {
    ocl_device ids[MOST_DEVICES];
    uint32_t n = 0, room = MOST_DEVICES - all->count;
    if (!room || cl->GetDeviceIDs(platform, type, room, ids, &n)) return;
    for (uint32_t i = 0; i < MIN2(n, room); i++) all->at[all->count++] = (place){ platform, ids[i] };
}

static void find_all(const opencl *cl, places *all) {
    static const uint64_t types[] = { OCL_DEVICE_TYPE_GPU | OCL_DEVICE_TYPE_ACCELERATOR, OCL_DEVICE_TYPE_CPU };
    ocl_platform platforms[MOST_PLATFORMS];
    all->count = all->platforms = 0;
    if (cl->GetPlatformIDs(MOST_PLATFORMS, platforms, &all->platforms)) all->platforms = 0;
    all->platforms = MIN2(all->platforms, (uint32_t)MOST_PLATFORMS);
    for (size_t t = 0; t < sizeof types / sizeof *types; t++)
        for (uint32_t i = 0; i < all->platforms; i++) find_of_type(cl, platforms[i], types[t], all);
}

static tide_status no_device(const opencl *cl, int32_t index, const places *all, tide_failure *why) {
    text list = { 0 };
    for (uint32_t i = 0; i < all->count; i++) {
        char name[128];
        words_of(cl, all->at[i].id, OCL_DEVICE_NAME, name, sizeof name);
        text_add(&list, "%sopencl:%u (%s)", i ? ", " : "", (unsigned)i, name);
    }
    if (!all->platforms) text_add(&list, "OpenCL's library knows of no platform, which a driver would bring");
    else if (!all->count) text_add(&list, "OpenCL has %u platform(s) and no device", (unsigned)all->platforms);
    tide_status status = fail(why, TIDE_EDEVICE, "there is no device opencl:%d; %s%s", (int)index,
                              all->count ? "there are " : "", list.failed ? "others" : list.data);
    text_free(&list);
    return status;
}

/* ---- contexts: one for each device that is open ---- */

static struct { ocl_device id; ocl_context context; int handles; } contexts[MOST_CONTEXTS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ocl_context hold_context(const opencl *cl, const place *p, int32_t *code) {
    intptr_t properties[] = { OCL_CONTEXT_PLATFORM, (intptr_t)p->platform, 0 };
    int at = -1;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_CONTEXTS; i++)
        if (contexts[i].handles ? contexts[i].id == p->id : at < 0) at = i;
    if (at >= 0 && !contexts[at].handles) {
        contexts[at].id = p->id;
        contexts[at].context = cl->CreateContext(properties, 1, &p->id, NULL, NULL, code);
    }
    ocl_context context = at < 0 ? NULL : contexts[at].context;
    if (context) contexts[at].handles++;
    pthread_mutex_unlock(&lock);
    return context;
}

static void drop_context(const opencl *cl, ocl_context context) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MOST_CONTEXTS; i++)
        if (contexts[i].handles && contexts[i].context == context && --contexts[i].handles == 0)
            cl->ReleaseContext(context);
    pthread_mutex_unlock(&lock);
}

/* ---- opening ---- */

/* Why a device cannot be used, a clause; NULL: it can. */
static const char *unfit(const opencl *cl, const opencl_device *d) {
    char version[512];
    int  major = 0, minor = 0;
    words_of(cl, d->id, OCL_DEVICE_VERSION, version, sizeof version);
    if (sscanf(version, "OpenCL %d.%d", &major, &minor) != 2 || major * 10 + minor < 12)
        return "it does not have OpenCL 1.2";
    if (!number_of(cl, d->id, OCL_DEVICE_COMPILER_AVAILABLE, sizeof(uint32_t))) return "it has no compiler";
    if (d->limits.threads < LEAST_THREADS) return "its groups have fewer than 32 threads";
    return NULL;
}

static bool has_extension(const opencl *cl, ocl_device id, const char *name) {
    size_t bytes = 0, length = strlen(name);
    char  *all = cl->GetDeviceInfo(id, OCL_DEVICE_EXTENSIONS, 0, NULL, &bytes) ? NULL : calloc(1, bytes + 1);
    bool   has = false;
    if (all && !cl->GetDeviceInfo(id, OCL_DEVICE_EXTENSIONS, bytes, all, NULL))
        for (const char *at = all; (at = strstr(at, name)) && !has; at += length)
            has = (at == all || at[-1] == ' ') && (at[length] == ' ' || !at[length]);
    free(all);
    return has;
}

static void learn(const opencl *cl, opencl_device *d) {
    uint64_t threads = number_of(cl, d->id, OCL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof(size_t));
    int32_t  power = 1;
    while (power < MOST_THREADS && (uint64_t)power * 2 <= threads) power *= 2;
    d->limits.threads = power;
    d->limits.local_bytes = (int64_t)number_of(cl, d->id, OCL_DEVICE_LOCAL_MEM_SIZE, sizeof(uint64_t));
    d->limits.f64 = has_extension(cl, d->id, "cl_khr_fp64");
    d->most_bytes = number_of(cl, d->id, OCL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof(uint64_t));
    d->rounds = number_of(cl, d->id, OCL_DEVICE_SINGLE_FP_CONFIG, sizeof(uint64_t)) &
                OCL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
}

static tide_status start(opencl_device *d, const place *p, tide_failure *why) {
    const opencl *cl = d->cl;
    int32_t code = OCL_OUT_OF_RESOURCES;
    learn(cl, d);
    const char *fault = unfit(cl, d);
    if (fault) {
        char name[128];
        words_of(cl, d->id, OCL_DEVICE_NAME, name, sizeof name);
        return fail(why, TIDE_EDEVICE, "opencl:%d (%s) cannot be used: %s", (int)d->index, name, fault);
    }
    d->context = hold_context(cl, p, &code);
    if (!d->context) return opencl_fail(d, code, why, "a context");
    d->queue = cl->CreateCommandQueue(d->context, d->id, 0, &code);
    return d->queue ? TIDE_OK : opencl_fail(d, code, why, "a queue");
}

tide_status opencl_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why) {
    const char *missing;
    const opencl *cl = opencl_here(&missing);
    places all;
    if (!cl)
        return fail(why, TIDE_EDEVICE, "there is no device opencl:%d; OpenCL's library is not here: %s", (int)index,
                    missing);
    find_all(cl, &all);
    if ((uint32_t)index >= all.count) return no_device(cl, index, &all, why);
    opencl_device *d = mem_new(allocator, sizeof *d);
    if (!d) return fail(why, TIDE_ENOMEM, "out of memory for the device opencl:%d", (int)index);
    *d = (opencl_device){ .cl = cl, .allocator = *allocator, .index = index, .platform = all.at[index].platform,
                          .id = all.at[index].id };
    tide_status status = start(d, &all.at[index], why);
    if (status) opencl_close(d);
    else *device = d;
    return status;
}

void opencl_close(void *device) {
    opencl_device *d = device;
    if (!d) return;
    if (d->queue) d->cl->Finish(d->queue);
    opencl_free_stages(d);
    if (d->timed) d->cl->ReleaseCommandQueue(d->timed);
    if (d->queue) d->cl->ReleaseCommandQueue(d->queue);
    if (d->context) drop_context(d->cl, d->context);
    tide_allocator allocator = d->allocator;
    mem_free(&allocator, d, sizeof *d);
}

void opencl_describe(void *device, tide_device *out) {
    const opencl_device *d = device;
    words_of(d->cl, d->id, OCL_DEVICE_NAME, out->hardware, sizeof out->hardware);
    out->memory_bytes = (int64_t)number_of(d->cl, d->id, OCL_DEVICE_GLOBAL_MEM_SIZE, sizeof(uint64_t));
}

tide_status opencl_fail(const opencl_device *d, int32_t code, tide_failure *why, const char *format, ...) {
    char what[400], number[24];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    const char *error = opencl_error(code, number);
    if (!*d->first) return fail(why, TIDE_EDEVICE, "opencl:%d: %s failed: %s", (int)d->index, what, error);
    return fail(why, TIDE_EDEVICE, "opencl:%d: %s failed: %s; queued were the kernels '%s' to '%s'", (int)d->index,
                what, error, d->first, d->last);
}
