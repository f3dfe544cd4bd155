/* The backend for OpenCL devices: the shared executor on this driver. */
#include "device.h"

static void limits(void *device, gpu_limits *out) { *out = ((const opencl_device *)device)->limits; }

static const gpu_driver driver = {
    .language = GPU_OPENCL, .memory = &opencl_memory, .limits = limits, .build = opencl_build, .unload = opencl_unload,
    .most_threads = opencl_most_threads, .begin = opencl_begin, .launch = opencl_launch, .end = opencl_end,
};

GPU_BACKEND_FUNCTIONS

const tide_backend tide_backend_opencl = {
    .name = "opencl", .fuse = true, .cut = &gpu_cut, .memory = &opencl_memory, .prepare = prepare, .run = gpu_run,
    .measure = gpu_measure, .scratch_bytes = scratch_bytes, .forget = gpu_forget, .release = gpu_release,
    .lacks_products = gpu_lacks_products, .lacks = lacks, .keeps = keeps, .describe = opencl_describe,
};
