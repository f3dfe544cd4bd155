#include "fibers.h"

#define BACKEND(which)                                                                                                 \
    static tide_status prepare_##which(const flat_program *p, void *arena, const backend_env *env, backend_exec **out, \
                                      tide_failure *why) {                                                             \
        return gpu_prepare(&fibers_##which, p, arena, env, out, why);                                                  \
    }                                                                                                                  \
    static int64_t scratch_##which(const flat_program *p, const backend_env *env) {                                    \
        return gpu_scratch_bytes(&fibers_##which, p, env);                                                             \
    }                                                                                                                  \
    static const char *products_##which(tide_dtype half) { return (void)half, NULL; }                                  \
    static const char *lacks_##which(void *device, const flat_program *p, const flat_kernel *k) {                      \
        gpu_limits limits;                                                                                             \
        fibers_##which.limits(device, &limits);                                                                        \
        return fibers_lacking(gpu_lacks(p, k, &limits));                                                               \
    }                                                                                                                  \
    static bool keeps_##which(void *device, const flat_attention *a, tide_dtype type) {                                \
        gpu_limits limits;                                                                                             \
        fibers_##which.limits(device, &limits);                                                                        \
        return gpu_keeps_attention(a, type, &limits);                                                                  \
    }                                                                                                                  \
    const tide_backend tide_backend_fibers_##which = {                                                                 \
        .name = "fibers-" #which, .fuse = true, .cut = &gpu_cut, .memory = &fibers_memory, .prepare = prepare_##which, \
        .run = gpu_run, .measure = gpu_measure, .scratch_bytes = scratch_##which, .forget = gpu_forget,                \
        .release = gpu_release, .lacks = lacks_##which, .lacks_products = products_##which,                            \
        .keeps = keeps_##which,                                                                                        \
    };
BACKEND(cuda)
BACKEND(metal)
