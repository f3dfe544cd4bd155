/* Which tiles a product is computed by on matrix units: of what size, and in how many parts of its common dimension. */
#ifndef TIDE_GPU_MMA_TILING_H
#define TIDE_GPU_MMA_TILING_H

#include "../../kernelgen/gpu/gpu.h"

/* A group computes bm x bn of C, bk of k at a time, in warps of 32 threads, wm x wn of them for each of wk slices of
 * the bk. Of the tiles of A and B it has `stages` in its memory: one is multiplied while the others come. */
typedef struct mma_tile {
    int bm, bn, bk, wm, wn, wk, stages;
    double rate;    /* multiply-adds a clock of a multiprocessor, with enough groups on it ... */
    double enough;  /* ... which is so many; one alone waits as long as so many compute */
} mma_tile;

static inline int mma_threads(const mma_tile *t) { return 32 * t->wm * t->wn * t->wk; }

/* parts > 1: their products are partial results, to be added. tile is NULL: matrix units are not for this product. */
typedef struct mma_tiling {
    const mma_tile *tile;
    int64_t parts, length;  /* of a part */
    double  groups, cost;
} mma_tiling;

/* By the product's sizes and the type of A and B alone, for a device of these limits that has to do `beside` times as
 * much at the same time. */
mma_tiling gpu_mma_tiling(const flat_gemm *p, tide_dtype type, double beside, const gpu_limits *limits);

/* How much other products of the kernel's phase multiply, who need not wait for it, in multiples of this. */
double gpu_products_beside(const flat_program *program, const flat_kernel *kernel);

#endif
