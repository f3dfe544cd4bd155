/* A flat program as launches of GPU kernels: its text, and for each launch what it is told. */
#ifndef TIDE_GPU_PLAN_H
#define TIDE_GPU_PLAN_H

#include "../../kernelgen/gpu/gpu.h"

typedef struct gpu_launch {
    int32_t   entry;    /* which of the text's kernels */
    int32_t   kernel;   /* of the flat program */
    int32_t   first;    /* its numbers, in the table */
    int32_t   threads;
    int64_t   groups;
    int32_t   n_blocks;
    gpu_block blocks[GPU_BLOCKS];
} gpu_launch;

typedef struct gpu_plan {
    text        source;           /* entries are k0, k1, ... */
    int32_t     n_entries, n_launches, n_table;
    gpu_launch *launches;
    int64_t    *table;
    int64_t    *constant_at;      /* of each buffer; -1: no constant */
    int64_t     constant_bytes, scratch_bytes;
} gpu_plan;

/* TIDE_EDEVICE: a kernel that gpu_lacks names. Free it in any case. */
tide_status gpu_plan_make(gpu_plan *out, const flat_program *p, gpu_language language, const gpu_limits *limits,
                          tide_failure *why);
void        gpu_plan_free(gpu_plan *plan);

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
