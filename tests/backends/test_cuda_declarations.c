/* What cuda.h, cublaslt.h and nccl.h say of CUDA's libraries, beside what their own headers say: of each as far as it
 * is here (cuda_headers.py). Skipped where none is. Whatever differs does not compile, but for a symbol's version. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if __has_include(<cuda.h>)
#include <cuda.h>
#define HAS_DRIVER
/* Names that both have, as enumerators. */
#define CUDA_SUCCESS ours_success
#define CUDA_ERROR_OUT_OF_MEMORY ours_out_of_memory
#define CUDA_ERROR_NO_DEVICE ours_no_device
#define CUDA_ERROR_NOT_READY ours_not_ready
#endif
#if __has_include(<nvrtc.h>)
#include <nvrtc.h>
#define HAS_COMPILER
#endif
#if __has_include(<cublasLt.h>) && __has_include(<crt/host_defines.h>)
#include <cublasLt.h>
#define HAS_PRODUCTS
#endif

#if __has_include(<nccl.h>) && __has_include(<crt/host_defines.h>) && __has_include(<nv/target>)
#include <nccl.h>
#define HAS_EXCHANGES
#endif

#include "backends/cuda/cublaslt.h"
#include "backends/cuda/nccl.h"

#undef CUDA_SUCCESS
#undef CUDA_ERROR_OUT_OF_MEMORY
#undef CUDA_ERROR_NO_DEVICE
#undef CUDA_ERROR_NOT_READY

/* ---- what is handed over by address ---------------------------------------------------------------------------- */

#define SAME_SIZE(ours, theirs) _Static_assert(sizeof(ours) == sizeof(theirs), "size of " #theirs);
#define SAME_MEMBER(ours, member, theirs, their)                                                                       \
    _Static_assert(offsetof(ours, member) == offsetof(theirs, their) &&                                                \
                       sizeof(((ours *)0)->member) == sizeof(((theirs *)0)->their), "place of " #their);

#ifdef HAS_DRIVER
#define SAME_PARAMETER(name) SAME_MEMBER(cuda_node_params, name, CUDA_KERNEL_NODE_PARAMS_v2, name)
SAME_SIZE(cuda_node_params, CUDA_KERNEL_NODE_PARAMS_v2)
SAME_PARAMETER(func) SAME_PARAMETER(gridDimX) SAME_PARAMETER(gridDimY) SAME_PARAMETER(gridDimZ)
SAME_PARAMETER(blockDimX) SAME_PARAMETER(blockDimY) SAME_PARAMETER(blockDimZ) SAME_PARAMETER(sharedMemBytes)
SAME_PARAMETER(kernelParams) SAME_PARAMETER(extra) SAME_PARAMETER(kern) SAME_PARAMETER(ctx)
#ifdef CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC /* since 12.3 */
SAME_SIZE(cuda_edge, CUgraphEdgeData)
SAME_MEMBER(cuda_edge, from_port, CUgraphEdgeData, from_port)
SAME_MEMBER(cuda_edge, to_port, CUgraphEdgeData, to_port)
SAME_MEMBER(cuda_edge, type, CUgraphEdgeData, type)
_Static_assert(CUDA_PORT_PROGRAMMATIC == CU_GRAPH_KERNEL_NODE_PORT_PROGRAMMATIC, "the port");
_Static_assert((int)CUDA_EDGE_PROGRAMMATIC == (int)CU_GRAPH_DEPENDENCY_TYPE_PROGRAMMATIC, "the type");
#endif
#endif

#ifdef HAS_PRODUCTS
#define SAME_RESULT(ours, theirs) SAME_MEMBER(lt_choice, ours, cublasLtMatmulHeuristicResult_t, theirs)
SAME_SIZE(lt_algorithm, cublasLtMatmulAlgo_t)
SAME_SIZE(lt_choice, cublasLtMatmulHeuristicResult_t)
SAME_RESULT(algorithm, algo) SAME_RESULT(workspace, workspaceSize) SAME_RESULT(state, state)
SAME_RESULT(waves, wavesCount) SAME_RESULT(reserved, reserved)
#endif

#ifdef HAS_EXCHANGES
#define SAME_SETTING(name) SAME_MEMBER(nccl_config, name, ncclConfig_t, name)
SAME_SIZE(nccl_id, ncclUniqueId)
SAME_SETTING(size) SAME_SETTING(magic) SAME_SETTING(version) SAME_SETTING(blocking)
_Static_assert(NCCL_MAGIC == NCCL_API_MAGIC && NCCL_OLDEST == NCCL_VERSION(2, 14, 0), "how a configuration begins");
#endif

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

#ifdef HAS_DRIVER
#define SAME_CONSTANT(name, number) _Static_assert(CU_##name == (number), "value of CU_" #name);
#define SAME_ERROR(name, number) _Static_assert(CUDA_##name == (number), "value of CUDA_" #name);
CUDA_CONSTANTS(SAME_CONSTANT)
CUDA_ERRORS(SAME_ERROR)
#endif

#ifdef HAS_PRODUCTS
#define SAME_LT(name, number) _Static_assert(CUBLASLT_##name == (number), "value of CUBLASLT_" #name);
#define SAME_BLAS(name, number) _Static_assert(CUBLAS_##name == (number), "value of CUBLAS_" #name);
#define SAME_TYPE(name, number) _Static_assert(CUDA_##name == (number), "value of CUDA_" #name);
CUBLASLT_CONSTANTS(SAME_LT)
CUBLAS_CONSTANTS(SAME_BLAS)
CUDA_TYPES(SAME_TYPE)
_Static_assert(CUBLASLT_REDUCTION_SCHEME_NONE == 0, "the mask of schemes has no bit for none");
#endif

#ifdef HAS_EXCHANGES
#define SAME_NCCL(name, number) _Static_assert((int)nccl##name == (number), "value of nccl" #name);
NCCL_CONSTANTS(SAME_NCCL)
#endif

/* ---- functions: structures of ours stand for theirs ------------------------------------------------------------- */

#define cuda_node_params CUDA_KERNEL_NODE_PARAMS_v2
#define lt_product cublasLtMatmulDesc_t
#define lt_layout cublasLtMatrixLayout_t
#define lt_preference cublasLtMatmulPreference_t
#define lt_choice cublasLtMatmulHeuristicResult_t
#define lt_algorithm cublasLtMatmulAlgo_t

#define nccl_id ncclUniqueId
#define nccl_config ncclConfig_t

#define SAME_FUNCTION(prefix, name, takes)                                                                             \
    typedef unsigned type_of_##prefix##name takes;                                                                     \
    _Static_assert(__builtin_types_compatible_p(type_of_##prefix##name, __typeof__(prefix##name)), #prefix #name);

#ifdef HAS_DRIVER
#define SAME_CU(name, version, takes) SAME_FUNCTION(cu, name, takes)
CUDA_FUNCTIONS(SAME_CU)
#endif
#ifdef HAS_COMPILER
#define SAME_NVRTC(name, version, takes) SAME_FUNCTION(nvrtc, name, takes)
NVRTC_FUNCTIONS(SAME_NVRTC)
#endif
#ifdef HAS_PRODUCTS
#define SAME_CUBLASLT(name, version, takes) SAME_FUNCTION(cublasLt, name, takes)
CUBLASLT_FUNCTIONS(SAME_CUBLASLT)
#endif

#ifdef HAS_EXCHANGES
#define SAME_NCCL_CALL(name, version, takes) SAME_FUNCTION(nccl, name, takes)
#define SAME_NCCL_TEXT(name, version, takes)                                                                           \
    typedef const char *type_of_nccl##name takes;                                                                      \
    _Static_assert(__builtin_types_compatible_p(type_of_nccl##name, __typeof__(nccl##name)), "nccl" #name);
NCCL_FUNCTIONS(SAME_NCCL_CALL)
NCCL_TEXTS(SAME_NCCL_TEXT)
#endif

/* The header's name is a macro that adds the version; an older one stays in the library. */
#define AS_WORDS_(x) #x
#define AS_WORDS(x) AS_WORDS_(x)
#define SYMBOL(name, version, takes) { "cu" #name version, AS_WORDS(cu##name) },

static int expect_symbols(void) {
    int differ = 0;
#ifdef HAS_DRIVER
    static const struct { const char *ours, *theirs; } symbols[] = { CUDA_FUNCTIONS(SYMBOL) };
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        size_t length = strlen(symbols[i].ours);
        const char *more = symbols[i].theirs + length;
        if (!strncmp(symbols[i].ours, symbols[i].theirs, length) && (!*more || !strncmp(more, "_v", 2))) continue;
        fprintf(stderr, "%s is %s in cuda.h\n", symbols[i].ours, symbols[i].theirs);
        differ = 1;
    }
#endif
    return differ;
}

int main(void) {
#if !defined HAS_DRIVER && !defined HAS_COMPILER && !defined HAS_PRODUCTS && !defined HAS_EXCHANGES
    return 77;
#endif
    return expect_symbols();
}
