/* The backend for NVIDIA's GPUs: the shared executor on this driver. */
#include "device.h"

static void limits(void *device, gpu_limits *out) { *out = ((const cuda_device *)device)->limits; }

static const gpu_driver driver = {
    .language = GPU_CUDA, .memory = &cuda_memory, .limits = limits, .build = cuda_build, .unload = cuda_unload,
    .most_threads = cuda_most_threads, .begin = cuda_begin, .launch = cuda_launch, .end = cuda_end,
    .record = cuda_record, .replay = cuda_replay, .forget = cuda_forget,
    .product = cuda_product, .product_free = cuda_product_free,
};

static tide_status prepare(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,
                           tide_failure *why) {
    return gpu_prepare(&driver, p, arena, env, out, why);
}

static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {
    return gpu_scratch_bytes(&driver, p, env);
}

static const char *lacks(void *device, const flat_program *p, const flat_kernel *k) {
    return gpu_lacks(p, k, &((const cuda_device *)device)->limits);
}

static bool keeps(void *device, const flat_attention *a, tide_dtype type) {
    return gpu_keeps_attention(a, type, &((const cuda_device *)device)->limits);
}

/* 16-bit numbers are worth their casts where there are matrix units. */
static const char *lacks_products(tide_dtype half) { return (void)half, NULL; }

const tide_backend tide_backend_cuda = {
    .name = "cuda", .fuse = true, .cut = &gpu_cut, .memory = &cuda_memory, .prepare = prepare, .run = gpu_run,
    .measure = gpu_measure, .scratch_bytes = scratch_bytes, .release = gpu_release, .lacks = lacks, .keeps = keeps,
    .lacks_products = lacks_products,
    .describe = cuda_describe,
};
