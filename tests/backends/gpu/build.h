/* A GPU's text as a shared object for this processor, by the system's C++ compiler. */
#ifndef TEST_GPU_BUILD_H
#define TEST_GPU_BUILD_H

#include "backends/gpu/driver.h"
#include "group.h"

typedef struct built_entry {
    group_entry *run;
    int32_t      threads;      /* as its KERNEL says */
    char        *local;
    size_t       local_bytes;
} built_entry;

typedef struct built {
    const char  *source;
    gpu_language language;
    int32_t      n_entries;
    built_entry *entries;
    struct built *next;
} built;

/* FIBERS_LEVEL in the environment is what stands behind -O, 0 unless said.
 * With a clang's name in FIBERS_CLANG it checks the address spaces of Metal's texts.
 * FIBERS_CACHE is a folder for what is built, so that later programs find it; unset: each builds anew.
 * With FIBERS_KEEP in the environment the folder with the text stays (TMPDIR says where).
 * FIBERS_CUDA_TEXTS names a folder in which each of CUDA's texts is left, as it is.
 * Texts that were built before are found again: what is built stays until the program ends. TIDE_EDEVICE: the
 * compiler's first error, or none of this machine. */
tide_status build_text(gpu_language language, const char *source, int32_t n_entries, const built **out,
                       tide_failure *why);

/* Whether there is a compiler at all. */
bool build_possible(void);

#endif
