/* The backend for Apple's GPUs: the shared executor on this driver. */
#include "device.h"

#include <stdio.h>

static void limits(void *device, gpu_limits *out) { *out = ((const metal_device *)device)->limits; }

static const gpu_driver driver = {
    .language = GPU_METAL, .memory = &metal_memory, .limits = limits, .build = metal_build, .unload = metal_unload,
    .most_threads = metal_most_threads, .begin = metal_begin, .launch = metal_launch, .end = metal_end,
};

GPU_BACKEND_FUNCTIONS

static void describe(void *device, tide_device *out) {
    const metal_device *d = device;
    void *pool = metal.objc_autoreleasePoolPush();
    snprintf(out->hardware, sizeof out->hardware, "%s", metal_words(ASK(name, d->device)));
    out->memory_bytes = (int64_t)MIN2(d->most_bytes, (uint64_t)INT64_MAX);
    metal.objc_autoreleasePoolPop(pool);
}

const tide_backend tide_backend_metal = {
    .name = "metal", .fuse = true, .cut = &gpu_cut, .memory = &metal_memory, .prepare = prepare, .run = gpu_run,
    .measure = gpu_measure, .scratch_bytes = scratch_bytes, .forget = gpu_forget, .release = gpu_release,
    .lacks_products = gpu_lacks_products, .lacks = lacks, .keeps = keeps, .describe = describe,
};
