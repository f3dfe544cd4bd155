/* The backend for OpenCL devices: the shared executor on this driver. */
#include "device.h"

static void limits(void *device, gpu_limits *out) { *out = ((const opencl_device *)device)->limits; }

static const gpu_driver driver = {
    .language = GPU_OPENCL, .memory = &opencl_memory, .limits = limits, .build = opencl_build, .unload = opencl_unload,
    .most_threads = opencl_most_threads, .begin = opencl_begin, .launch = opencl_launch, .end = opencl_end,
};

static tide_status prepare(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                           tide_failure *why) {
    return gpu_prepare(&driver, p, arena, env, out, why);
}

static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {
    return gpu_scratch_bytes(&driver, p, env);
}

static const char *lacks(void *device, const flat_program *p, const flat_kernel *k) {
    return gpu_lacks(p, k, &((const opencl_device *)device)->limits);
}

static bool keeps(void *device, const flat_attention *a, tide_dtype type) {
    return gpu_keeps_attention(a, type, &((const opencl_device *)device)->limits);
}

const tide_backend tide_backend_opencl = {
    .name = "opencl", .fuse = true, .cut = &gpu_cut, .memory = &opencl_memory, .prepare = prepare, .run = gpu_run,
    .measure = gpu_measure, .scratch_bytes = scratch_bytes, .release = gpu_release,
    .lacks_products = gpu_lacks_products, .lacks = lacks, .keeps = keeps, .describe = opencl_describe,
};
