#include "fibers.h"

#define BACKEND(name)                                                                                                  \
    static tide_status prepare_##name(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,  \
                                      tide_failure *why) {                                                             \
        return gpu_prepare(&fibers_##name, p, arena, env, out, why);                                                   \
    }                                                                                                                  \
    static int64_t scratch_##name(const flat_program *p, const backend_env *env) {                                     \
        return gpu_scratch_bytes(&fibers_##name, p, env);                                                              \
    }                                                                                                                  \
    static const char *lacks_##name(void *device, const flat_program *p, const flat_kernel *k) {                       \
        gpu_limits limits;                                                                                             \
        fibers_##name.limits(device, &limits);                                                                         \
        return gpu_lacks(p, k, &limits);                                                                               \
    }                                                                                                                  \
    const tide_backend tide_backend_fibers_##name = {                                                                  \
        .name = "fibers-" #name, .fuse = true, .cut = &gpu_cut, .memory = &fibers_memory, .prepare = prepare_##name,   \
        .run = gpu_run, .measure = gpu_measure, .scratch_bytes = scratch_##name, .release = gpu_release,               \
        .lacks = lacks_##name,                                                                                         \
    };
BACKEND(cuda)
BACKEND(metal)
