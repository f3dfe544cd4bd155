/* What the two printers of products share, product.c and product_mma.c: a product's sizes, its batch, its words. */
#ifndef TIDE_GPU_PRODUCT_H
#define TIDE_GPU_PRODUCT_H

#include "fill.h"
#include "mma_tiling.h"
#include "plan.h"

enum { PRODUCT_MOST_SIZE = INT32_MAX / 2 };

/* The kernel's sizes and operands with as few dimensions of the batch as can be: those of one entry are left out, two
 * that all operands go through in step are one, and where all entries have one B their rows are one product's. */
void product_merge(flat_gemm *p, flat_operand operand[3], const flat_kernel *k);

/* Whether the rows of C, of all of the batch, lie one behind the other. */
bool product_in_order(const flat_gemm *p, const flat_operand *c);

/* Moves the operands [first, end), pointers a, b and c, to the batch's `entry`. */
void product_print_batch(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], int first, int end);
/* Which part of k the group has, from `done` to `end`, of which `entry` of the batch: from its number among all tiles,
 * which are `wide` in a row and `high`. */
void product_print_part(gpu_print *g, const flat_gemm *p, int64_t parts, int64_t length);
/* A float, or a double, under a name. */
void product_declare_real(gpu_print *g, const char *name, double value, bool single);

int64_t product_last_number(const gpu_print *g);

/* How the product, with its sizes merged, is computed on matrix units; tile NULL: it is not. */
mma_tiling product_units(const flat_program *program, const flat_kernel *k, const flat_gemm *merged,
                         const gpu_limits *limits);

/* product_mma.c: the tiles of a product on matrix units, sums in F32 (with parts: in scratch). */
void gpu_print_mma(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], const mma_tiling *how);

/* product_parts.c: C from the parts in scratch, four neighbours at a time, if these can be. */
bool product_sums_fours(const gpu_print *g, const flat_gemm *p, const flat_operand operand[3]);
void product_print_sum_fours(gpu_print *g, const flat_gemm *p, const flat_operand operand[3], int64_t parts);

/* product_few.c: one of few terms with maps that it carries out; and how many rows a group has. */
bool    product_is_few(const flat_gemm *p, const flat_operand operand[3]);
int64_t product_few_rows(const flat_gemm *p);
void    gpu_print_few(gpu_print *g, const flat_gemm *p, const flat_operand operand[3]);

#endif
