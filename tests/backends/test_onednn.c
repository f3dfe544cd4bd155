/* What onednn.h says of oneDNN, beside what its own header says: that of the version that is installed. Skipped where
 * none is. Whatever differs does not compile. */
#if !__has_include(<oneapi/dnnl/dnnl.h>)
int main(void) { return 77; }
#else
#include <oneapi/dnnl/dnnl.h>

#include "backends/cpu/gemm/onednn.h"

#define SAME(ours, theirs) _Static_assert((unsigned long long)(ours) == (unsigned long long)(theirs), #theirs)
SAME(ONEDNN_SUCCESS, dnnl_success);
SAME(ONEDNN_OUT_OF_MEMORY, dnnl_out_of_memory);
SAME(ONEDNN_CPU, dnnl_cpu);
SAME(ONEDNN_UNDEF, dnnl_data_type_undef);
SAME(ONEDNN_BF16, dnnl_bf16);
SAME(ONEDNN_F32, dnnl_f32);
SAME(ONEDNN_IN_ORDER, dnnl_stream_default_flags);
SAME(ONEDNN_SCRATCHPAD_USER, dnnl_scratchpad_mode_user);
SAME(ONEDNN_QUERY_SCRATCHPAD, dnnl_query_scratchpad_md);
SAME(ONEDNN_ISA_AVX512, dnnl_cpu_isa_avx512_core);
SAME(ONEDNN_ISA_AVX512_BF16, dnnl_cpu_isa_avx512_core_bf16);
SAME(ONEDNN_ARG_SRC, DNNL_ARG_SRC);
SAME(ONEDNN_ARG_DST, DNNL_ARG_DST);
SAME(ONEDNN_ARG_WEIGHTS, DNNL_ARG_WEIGHTS);
SAME(ONEDNN_ARG_SCRATCHPAD, DNNL_ARG_SCRATCHPAD);
SAME(sizeof(onednn_dims), sizeof(dnnl_dims_t));
SAME(sizeof(onednn_arg), sizeof(dnnl_exec_arg_t));
SAME(offsetof(onednn_arg, memory), offsetof(dnnl_exec_arg_t, memory));
SAME(sizeof(onednn_version), sizeof(dnnl_version_t));
SAME(offsetof(onednn_version, patch), offsetof(dnnl_version_t, patch));
SAME(offsetof(onednn_version, cpu_runtime), offsetof(dnnl_version_t, cpu_runtime));
SAME(ONEDNN_RUNTIME_SYCL, DNNL_RUNTIME_DPCPP);

#if DNNL_VERSION_MAJOR == 2
SAME(ONEDNN2_LINEAR, dnnl_eltwise_linear);
SAME(sizeof(onednn2_layout), sizeof(dnnl_memory_desc_t));
SAME(_Alignof(onednn2_layout), _Alignof(dnnl_memory_desc_t));
SAME(sizeof(onednn2_matmul), sizeof(dnnl_matmul_desc_t));
SAME(_Alignof(onednn2_matmul), _Alignof(dnnl_matmul_desc_t));
/* From here on our names of what has no tag mean theirs. */
#define onednn2_layout dnnl_memory_desc_t
#define onednn2_matmul dnnl_matmul_desc_t
#define onednn_layout_in const dnnl_memory_desc_t *
#define ONEDNN_OF_VERSION ONEDNN_2
#elif DNNL_VERSION_MAJOR == 3
SAME(ONEDNN3_LINEAR, dnnl_eltwise_linear);
#define ONEDNN_OF_VERSION ONEDNN_3
#else
#error "a version of oneDNN that onednn.c refuses"
#endif
#define onednn_arg dnnl_exec_arg_t
#define onednn_version dnnl_version_t

#define COMPARE(returns, name, takes)                                                                                  \
    typedef returns type_of_##name takes;                                                                              \
    _Static_assert(__builtin_types_compatible_p(type_of_##name, __typeof__(dnnl_##name)), "type of dnnl_" #name);
ONEDNN_BOTH(COMPARE)
ONEDNN_OF_VERSION(COMPARE)

int main(void) { return DNNL_MEMORY_NONE == NULL ? 0 : 1; }  /* NULL is what memories are made with */
#endif
