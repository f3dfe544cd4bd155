#include "backends/gpu/driver.h"
#include "kept.h"

tide_backend kept_ref, kept_fused, kept_as_cpu, kept_as_gpu;

static bool keeps(void *device, const flat_attention *a, tide_dtype type) {
    return !device && a->e != KEPT_NOT && (type == TIDE_F32 || type == TIDE_BF16 || type == TIDE_F16);
}

__attribute__((constructor)) static void make(void) {
    kept_ref = tide_backend_ref, kept_fused = kept_as_cpu = kept_as_gpu = tide_backend_check;
    kept_ref.name = "kept-ref", kept_fused.name = "kept", kept_as_cpu.name = kept_as_gpu.name = "cpu";
    kept_as_gpu.cut = &gpu_cut;
    kept_ref.keeps = kept_fused.keeps = kept_as_cpu.keeps = kept_as_gpu.keeps = keeps;
}
