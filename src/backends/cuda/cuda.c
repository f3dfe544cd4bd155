/* The backend for NVIDIA's GPUs: the shared executor on this driver. */
#include "device.h"

static void limits(void *device, gpu_limits *out) { *out = ((const cuda_device *)device)->limits; }

static const gpu_driver driver = {
    .language = GPU_CUDA, .memory = &cuda_memory, .limits = limits, .build = cuda_build, .unload = cuda_unload,
    .most_threads = cuda_most_threads, .begin = cuda_begin, .launch = cuda_launch, .end = cuda_end,
    .record = cuda_record, .replay = cuda_replay, .forget = cuda_forget, .product = cuda_product,
    .product_free = cuda_product_free,
};

GPU_BACKEND_FUNCTIONS

/* With matrix units they gain. A device without, of before 8.0, cannot be told from others here. */
static const char *lacks_products(tide_dtype half) { return (void)half, NULL; }

const tide_backend tide_backend_cuda = {
    .name = "cuda", .fuse = true, .cut = &gpu_cut, .memory = &cuda_memory, .collectives = &cuda_collectives,
    .prepare = prepare, .run = gpu_run,
    .measure = gpu_measure, .scratch_bytes = scratch_bytes, .forget = gpu_forget, .release = gpu_release,
    .lacks = lacks, .keeps = keeps, .lacks_products = lacks_products, .describe = cuda_describe,
};
