/* cuBLASLt as far as it is called, in declarations of our own (versions 12 and 13), compared with its header by
 * tests/backends/test_cuda_declarations.c. */
#ifndef TIDE_CUDA_CUBLASLT_H
#define TIDE_CUDA_CUBLASLT_H

#include "cuda.h"

typedef struct cublasLtContext *lt_handle;
/* Objects by address, which only the library looks into. */
typedef struct lt_product    *lt_product;     /* cublasLtMatmulDesc_t */
typedef struct lt_layout     *lt_layout;      /* cublasLtMatrixLayout_t */
typedef struct lt_preference *lt_preference;  /* cublasLtMatmulPreference_t */

typedef struct lt_algorithm { uint64_t data[8]; } lt_algorithm;
typedef struct lt_choice {
    lt_algorithm algorithm;
    size_t   workspace;
    unsigned state;
    float    waves;
    int      reserved[4];
} lt_choice;

/* F(its name without CUBLASLT_ or CUBLAS_, its number) */
#define CUBLASLT_CONSTANTS(F)                                                                                          \
    F(MATMUL_DESC_TRANSA, 3) F(MATMUL_DESC_TRANSB, 4) F(MATMUL_DESC_EPILOGUE, 7) F(MATMUL_DESC_BIAS_POINTER, 8)        \
    F(MATMUL_DESC_BIAS_DATA_TYPE, 26) F(MATRIX_LAYOUT_BATCH_COUNT, 5) F(MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, 6)         \
    F(MATMUL_PREF_MAX_WORKSPACE_BYTES, 1) F(MATMUL_PREF_REDUCTION_SCHEME_MASK, 3)                                      \
    F(MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, 5) F(MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, 6)                                    \
    F(MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, 7) F(MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, 8)                                    \
    F(REDUCTION_SCHEME_COMPUTE_TYPE, 2) F(EPILOGUE_BIAS, 4)
#define CUBLAS_CONSTANTS(F) F(COMPUTE_32F, 68) F(OP_N, 0) F(OP_T, 1)
#define CUDA_TYPES(F) F(R_32F, 0) F(R_16F, 2) F(R_16BF, 14)

#define LT_VALUE(name, number) LT_##name = (number),
enum { CUBLASLT_CONSTANTS(LT_VALUE) CUBLAS_CONSTANTS(LT_VALUE) CUDA_TYPES(LT_VALUE) };

/* Names without cublasLt, as in cuda.h; all return cublasStatus_t, 0 for success. */
#define CUBLASLT_FUNCTIONS(F)                                                                                          \
    F(Create, "", (lt_handle *))                                                                                       \
    F(Destroy, "", (lt_handle))                                                                                        \
    F(MatmulDescCreate, "", (lt_product *, unsigned compute, unsigned scale))                                          \
    F(MatmulDescDestroy, "", (lt_product))                                                                             \
    F(MatmulDescSetAttribute, "", (lt_product, unsigned what, const void *, size_t))                                   \
    F(MatrixLayoutCreate, "", (lt_layout *, unsigned type, uint64_t rows, uint64_t columns, int64_t stride))           \
    F(MatrixLayoutDestroy, "", (lt_layout))                                                                            \
    F(MatrixLayoutSetAttribute, "", (lt_layout, unsigned what, const void *, size_t))                                  \
    F(MatmulPreferenceCreate, "", (lt_preference *))                                                                   \
    F(MatmulPreferenceDestroy, "", (lt_preference))                                                                    \
    F(MatmulPreferenceSetAttribute, "", (lt_preference, unsigned what, const void *, size_t))                          \
    F(MatmulAlgoGetHeuristic, "", (lt_handle, lt_product, lt_layout a, lt_layout b, lt_layout c, lt_layout d,          \
                                   lt_preference, int most, lt_choice *, int *count))                                  \
    F(Matmul, "", (lt_handle, lt_product, const void *alpha, const void *a, lt_layout, const void *b, lt_layout,       \
                   const void *beta, const void *c, lt_layout, void *d, lt_layout, const lt_algorithm *,               \
                   void *workspace, size_t, cuda_stream))

typedef struct cublaslt { CUBLASLT_FUNCTIONS(CUDA_MEMBER) } cublaslt;

/* load.c, as nvrtc_here; NULL: products are our own. */
const cublaslt *cublaslt_here(void);

#endif
