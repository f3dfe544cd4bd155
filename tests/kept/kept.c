#include "kept.h"

tide_backend kept_ref, kept_fused, kept_as_cpu;

static bool keeps(void *device, const flat_attention *a, tide_dtype type) {
    return !device && a->e != KEPT_NOT && (type == TIDE_F32 || type == TIDE_BF16 || type == TIDE_F16);
}

__attribute__((constructor)) static void make(void) {
    kept_ref = tide_backend_ref, kept_fused = kept_as_cpu = tide_backend_check;
    kept_ref.name = "kept-ref", kept_fused.name = "kept", kept_as_cpu.name = "cpu";
    kept_ref.keeps = kept_fused.keeps = kept_as_cpu.keeps = keeps;
}
