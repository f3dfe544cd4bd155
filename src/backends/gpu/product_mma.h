/* What the printers of products on matrix units share: product_mma.c (the launch), mma_sides.c (A and B), mma_result.c
 * and mma_ends.c (C). */
#ifndef TIDE_GPU_PRODUCT_MMA_H
#define TIDE_GPU_PRODUCT_MMA_H

#include "product_ends.h"

enum { MMA_CHUNK = 16 /* bytes */, MMA_DEPTH = 32 /* bytes of a row that one instruction multiplies */ };

typedef struct mma_product {
    gpu_print *g;
    const flat_gemm    *p;
    const flat_operand *operand;
    const mma_tiling   *how;
    int  size;                       /* bytes of a number of A and B */
    bool split;                      /* F32: each is two numbers of TF32 */
} mma_product;

/* A seen as (m, k), B as (n, k): one extent is C's, the other the common one. */
typedef struct mma_side {
    char    name;
    int     width;           /* of the tile across k */
    int64_t across, along;   /* strides */
    bool    by_k;            /* neighbours in memory are along k */
    bool    fours;           /* where they are not: read by fours */
    int     vector;          /* numbers a copy */
    gpu_words words;
} mma_side;

/* Of A (0) or B (1): declares the operand and its strides. */
mma_side mma_begin_side(const mma_product *r, int which);

/* Words: of a warp's fragments and of slices of k; of where a fragment's sums are in C, $row, $col and $four; and of
 * how they come there, from all slices. */
void mma_fragment_words(const mma_product *r, gpu_words *w);
void mma_place_words(gpu_words *w, const mma_side *a, const mma_side *b);
void mma_sum_words(const mma_product *r, gpu_words *w, const mma_side *a, const mma_side *b);
/* "result(sum, old, more)": what becomes of a sum, where `more` is of the bias. */
void mma_declare_result(gpu_print *g, const flat_gemm *p, gpu_words *w, bool partial);
/* Rows of C, or of a part's in scratch. */
void mma_print_store(const mma_product *r, const mma_side *a, const mma_side *b, bool partial);
/* mma_ends.c: or what maps make of it. */
void mma_print_ends(const mma_product *r, const mma_side *a, const mma_side *b);

#endif
