/* A program's kernels as text: bodies that are the same are one entry, whatever their numbers. */
#ifndef TIDE_GPU_SOURCE_H
#define TIDE_GPU_SOURCE_H

#include "../../kernelgen/gpu/gpu.h"

/* Where its body is in `all`, how many numbers it is told, what LOCAL_ROOM it has, and whether it is launched alone and
 * with others. */
typedef struct gpu_entry {
    uint64_t hash;
    size_t   start, length;
    int32_t  threads, numbers, at_once;
    int64_t  room_bytes;
    bool     alone, among;
} gpu_entry;

typedef struct gpu_source {
    text       all;        /* the preamble, then the entries k0, k1, ... */
    size_t     preamble;   /* its length */
    int32_t    n_entries, room;
    gpu_entry *entries;
} gpu_source;

void gpu_source_begin(gpu_source *s, gpu_language language, bool f64);
/* The entry of what was printed, a new one if there is none yet; -1: out of memory. */
int32_t gpu_source_add(gpu_source *s, const gpu_print *g);
/* The preamble and one entry, as "k". */
void gpu_source_entry(text *out, const gpu_source *s, int32_t entry);
void gpu_source_free(gpu_source *s);

#endif
