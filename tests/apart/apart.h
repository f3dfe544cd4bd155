/* A device whose memory is not the host's, as a GPU's is, on ref's plain kernels: whatever the runtime does with an
 * address where a block belongs crashes, and whatever it reads before a run is done is not there. A program of the
 * tests has it when it is linked with a list of devices of its own (backend_all): apart_list.c or apart_as_cpu.c. */
#ifndef TEST_APART_H
#define TEST_APART_H

#include "backends/backend.h"

/* "apart" runs what ref runs, so it has ref's bits; "apart-fused" what check runs; the last calls itself "cpu", so that
 * tests written for cpu run on it. */
extern const tide_backend tide_backend_apart, tide_backend_apart_fused, tide_backend_apart_cpu;

enum { APART_DEVICES = 2 };
extern const int64_t apart_memory_bytes;  /* what each of them says that it has */

/* What is to fail, once, after so many others; negative: nothing. */
typedef struct apart_faults { int alloc, put, get, kernel; } apart_faults;
extern apart_faults apart_fault;

/* What is there and must be given back. */
typedef struct apart_counts { int devices, blocks; int64_t bytes, runs; } apart_counts;
apart_counts apart_count(void);

#endif
