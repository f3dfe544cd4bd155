/* Before a text that is to run on fibers (build.c), after the shim of its language. */
#pragma once

#define GPU_SHOWN __attribute__((visibility("default")))

extern "C" {
/* set by who runs the text */
GPU_SHOWN void (*gpu_sync)(int line);
GPU_SHOWN void (*gpu_warp_sync)(int line);
GPU_SHOWN unsigned (*gpu_thread)(void);
void gpu_barrier(void) { gpu_sync(__LINE__); }
}
#ifdef CUDA_SHIM_H
cuda_dim blockIdx, threadIdx;
#endif

/* A group's memory lies in a section for each entry (GPU_ENTRY, which stands before it), so that it is found and filled
 * anew for each group. */
#define GPU_TEXT_(x) #x
#define GPU_TEXT(x) GPU_TEXT_(x)
#ifdef __APPLE__
#define GPU_LOCAL static
#define GPU_LOCAL_OF(i) extern "C" { GPU_SHOWN char *local_k##i[2] = { 0, 0 }; }
#else
#define GPU_LOCAL static __attribute__((used, section("gpu_local_" GPU_TEXT(GPU_ENTRY))))
#define GPU_LOCAL_OF(i)                                                                                                \
    extern "C" {                                                                                                       \
    extern __attribute__((visibility("hidden"), weak)) char __start_gpu_local_##i[], __stop_gpu_local_##i[];           \
    GPU_SHOWN char *local_k##i[2] = { __start_gpu_local_##i, __stop_gpu_local_##i };                                   \
    }
#endif
