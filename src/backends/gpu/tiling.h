/* Which tiles a product is computed by: of what size, and in how many parts of its common dimension. */
#ifndef TIDE_GPU_TILING_H
#define TIDE_GPU_TILING_H

#include "../../kernelgen/gpu/gpu.h"

enum { TILE_WARP = 32 };

/* A group computes bm x bn of C, bk of k at a time, a thread tm x tn of it: by chunks of up to four neighbours, which
 * lie as far apart as the threads beside it need. Threads go by warps of 32, wx across. */
typedef struct tile {
    int bm, bn, bk, tm, tn, wx;
    double rate;    /* of the arithmetic's peak, with enough groups on a multiprocessor ... */
    double enough;  /* ... which is so many; one alone waits for memory as long as so many compute */
} tile;

static inline int tile_threads(const tile *t) { return t->bm / t->tm * (t->bn / t->tn); }
/* A row of a tile in memory of the group, so that what is stored across k meets different banks. */
static inline int tile_pitch(int width) { return width + 4; }

/* parts > 1: their products are partial results, to be added. */
typedef struct tiling { const tile *tile; int64_t parts, length /* of a part */; double groups, cost; } tiling;

/* By the product's sizes alone, `size` bytes a number of C, for a device of these limits. tile is NULL: none fits. */
tiling gpu_tiling(const flat_gemm *p, const gpu_limits *limits, int64_t size);

#endif
