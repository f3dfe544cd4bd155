/* The maps that a product carries out, as text: what the printers of products share that do (mma_ends.c,
 * product_few.c). */
#ifndef TIDE_GPU_PRODUCT_ENDS_H
#define TIDE_GPU_PRODUCT_ENDS_H

#include "product.h"

/* A group has bm x bn of C from row first_a and column first_b on, `high` rows of it at a time, from from_a on. A
 * thread has four neighbours of every so many of them. */
typedef struct end_tile { int bm, bn, threads, high; } end_tile;

typedef struct product_ends {
    end_tile tile;
    int      rows;  /* that a thread makes together */
    gpu_end_text texts;
} product_ends;

/* Declares what the maps need. */
product_ends product_ends_begin(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], end_tile tile);
/* The word $loop, which goes through the rows at hand. The caller's words say what it holds: $before, for $rows rows
 * from `top` on, $height apart, $take, which makes sum[4] of row number t of them, `line`, and mma_declare_result's.
 * The caller has declared my_col, col and, by $more, more[4]. */
void product_ends_words(const product_ends *e, gpu_words *w);
/* After all rows: the sums over them, by way of `shared`, four LOCAL floats a thread. Frees. */
void product_ends_finish(gpu_print *g, const flat_gemm *p, product_ends *e, const char *shared);

#endif
