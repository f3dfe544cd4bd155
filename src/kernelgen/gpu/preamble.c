/* What stands before the bodies of a text. */
#include "gpu.h"

#include "cuda_text.h"
#include "metal_text.h"
#include "opencl_text.h"
#include "scalars_text.h"

void gpu_print_preamble(text *out, gpu_language language, bool f64) {
    static const char *const words[GPU_LANGUAGES] = {
        [GPU_OPENCL] = opencl_text, [GPU_METAL] = metal_text, [GPU_CUDA] = cuda_text,
    };
    text_add(out, "%s%s%s", f64 ? "#define GPU_F64 1\n" : "", words[language], scalars_text);
}
