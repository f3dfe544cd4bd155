/* The products that both programs of this folder time: of the benchmark's steps, and large square ones. */
#ifndef BENCH_GPU_SHAPES_H
#define BENCH_GPU_SHAPES_H

#include <stdbool.h>

/* C (m, n) = op(A) op(B), op a transpose where said; `batches` of them, one after another in memory. */
typedef struct product_shape { const char *what; int m, n, k, batches; bool turn_a, turn_b; } product_shape;

static const product_shape product_shapes[] = {
    { "square", 1024, 1024, 1024, 1, false, false },
    { "square", 4096, 4096, 4096, 1, false, false },
    { "square", 8192, 8192, 8192, 1, false, false },
    { "square, B turned", 4096, 4096, 4096, 1, false, true },
    { "square, A turned", 4096, 4096, 4096, 1, true, false },
    { "ecl layer", 5200, 512, 512, 1, false, true },
    { "ecl layer, gradient of x", 5200, 512, 512, 1, false, false },
    { "ecl layer, gradient of w", 512, 512, 5200, 1, true, false },
    { "traffic layer", 13856, 512, 512, 1, false, true },
    { "traffic layer, gradient of w", 512, 512, 13856, 1, true, false },
    { "etth1 layer", 352, 256, 256, 1, false, true },
    { "etth1 layer, gradient of w", 256, 256, 352, 1, true, false },
    { "eis8192 layer", 8192, 256, 384, 1, false, true },
    { "eis8192 layer, gradient of w", 256, 384, 8192, 1, true, false },
    { "traffic scores", 866, 866, 64, 128, false, true },
    { "traffic values", 866, 64, 866, 128, false, false },
    { "ecl scores", 325, 325, 64, 128, false, true },
    { "etth1 scores", 11, 11, 32, 256, false, true },
};
enum { PRODUCT_SHAPES = sizeof product_shapes / sizeof *product_shapes };

#endif
