/* A flat program as launches of GPU kernels: its text, and for each launch what it is told. */
#ifndef TIDE_GPU_PLAN_H
#define TIDE_GPU_PLAN_H

#include "source.h"

typedef struct gpu_launch {
    int32_t   entry;    /* which of the text's kernels; -1: a product of the library's */
    int32_t   product;  /* which of the plan's products; -1: none */
    int32_t   kernel;   /* of the flat program */
    uint32_t  first;    /* its numbers, in the table; with GPU_MANY those of several launches (order.c) */
    int32_t   threads;
    int64_t   groups;
    int32_t   n_blocks;
    gpu_block blocks[GPU_BLOCKS];
    int32_t   slack;    /* levels by which it may come later, and nothing else does */
    int32_t   after, n_after;  /* in the plan's `after`: earlier launches that must have ended */
} gpu_launch;

typedef struct gpu_plan {
    gpu_source  source;
    int32_t     n_launches, n_table, n_after, n_products;
    gpu_launch *launches;         /* in an order in which they can run one after another */
    int64_t    *table;
    int32_t    *after;
    gpu_product *products;
    int64_t    *constant_at;      /* of each buffer; -1: no constant */
    int64_t     constant_bytes, scratch_bytes;
} gpu_plan;

/* TIDE_EDEVICE: a kernel that gpu_lacks names. Free it in any case. */
tide_status gpu_plan_make(gpu_plan *out, const flat_program *p, gpu_language language, const gpu_limits *limits,
                          tide_failure *why);
void        gpu_plan_free(gpu_plan *plan);

/* order.c: what each launch must wait for, by the bytes that it uses (uses[i] are of launch i, n_uses[i] of them), and
 * equal texts that do not wait for each other as one launch. False: out of memory. */
bool gpu_order(gpu_plan *plan, const gpu_use *const *uses, const int32_t *n_uses);

/* ends.c: of each kernel, the maps that it carries out; of a map, the product that does; of both, where that is
 * launched, the first of its maps. Both are counted from 1, and 0 where there is none. `out` has one of each kernel,
 * zeroed. */
typedef struct gpu_ending { int32_t n_ends, product, at; gpu_end ends[GPU_ENDS]; } gpu_ending;
void gpu_find_endings(const flat_program *p, const gpu_limits *limits, gpu_ending *out);

/* library.c: a product that the device's library takes. False: it does not, or there is none. */
bool gpu_take_product(gpu_print *g, const flat_gemm *sizes, const flat_operand operand[3]);

/* For a backend's `lacks`: why this kernel does not run on a device of these limits, a clause; NULL: it does. */
const char *gpu_lacks(const flat_program *p, const flat_kernel *k, const gpu_limits *limits);

const char *gpu_lacks_products(tide_dtype half);  /* a backend's lacks_products */

/* Whether such attention, of q, k and v of the type, forward and backward, runs on a device of these limits without the
 * matrices of scores. */
bool gpu_keeps_attention(const flat_attention *a, tide_dtype type, const gpu_limits *limits);

/* The printers of what is no map. A product, an index kernel, ... of two launches is printed twice: `launch` 0 sets
 * `more`, then 1. */
void gpu_print_product(gpu_print *g, int launch);
void gpu_print_fold(gpu_print *g, int launch);
void gpu_print_index(gpu_print *g, int launch);  /* GATHER, SCATTER_ADD, TAKE_ALONG, PUT_ALONG_ADD, CUMSUM */
void gpu_print_sort(gpu_print *g, int launch);
void gpu_print_attention(gpu_print *g, int launch);  /* and FLAT_ATTENTION_GRAD */

#endif
