/* What gemm_cblas.c calls of Apple's Accelerate, in place of <cblas.h>: the framework's own headers come only with
 * Apple's tools. */
#ifndef TIDE_ACCELERATE_H
#define TIDE_ACCELERATE_H

enum CBLAS_ORDER { CblasRowMajor = 101 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112 };

void cblas_sgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, int m, int n, int k,
                 float alpha,
                 const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
void cblas_dgemm(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE ta, enum CBLAS_TRANSPOSE tb, int m, int n, int k,
                 double alpha,
                 const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);

#endif
