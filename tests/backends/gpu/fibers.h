/* The processor as a make-believe GPU, on which texts for CUDA and for Metal run as they are: built by the system's C++
 * compiler, group by group, a group's threads as fibers (group.h). Its memory is blocks with guards on both sides that
 * are looked at after every launch; fresh memory, and a group's, is NaN in any float. Launches are done when they are
 * waited for, every second run with groups and threads from the last to the first. */
#ifndef TEST_GPU_FIBERS_H
#define TEST_GPU_FIBERS_H

#include "backends/gpu/driver.h"

extern const backend_memory fibers_memory;
extern const gpu_driver fibers_cuda, fibers_metal;
extern const tide_backend tide_backend_fibers_cuda, tide_backend_fibers_metal;  /* fibers_backend.c */

/* What a group may have: 256 threads and 32 KB unless a test says otherwise; double, matrix units and more memory, 160
 * KB, on CUDA alone. */
typedef struct fibers_limits {
    int32_t threads;
    int64_t local_bytes;
    int32_t most_threads;  /* of an entry; 0: as `threads` */
    int64_t room_bytes;
} fibers_limits;
extern fibers_limits fibers_limit;

/* Whether this machine has a C++ compiler. */
bool fibers_possible(void);

/* What was built and run so far, and which kernels were not, so that their programs run on cpu: a test that ran nothing
 * has shown nothing. And the blocks there are. */
typedef struct fibers_counts { int64_t built, launches, lacking, blocks; } fibers_counts;
fibers_counts fibers_count(void);
const char *fibers_lacking(const char *why);  /* counts it unless it is NULL; the same */

/* What is to fail, once, after so many others; negative: nothing. */
typedef struct fibers_faults { int alloc, put, get, build, kernel; } fibers_faults;
extern fibers_faults fibers_fault;

#endif
