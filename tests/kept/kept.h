/* Devices that keep attention as a kernel, as a GPU does, on ref's plain kernels: "kept-ref" runs what ref runs
 * besides, "kept" the fused program of check. The others call themselves "cpu", so that tests written for cpu run
 * on them: one as "kept", one with programs as they are cut for GPUs. A program of the tests has them when it is linked
 * with a list of devices of its own: kept_list.c, kept_as_cpu.c or kept_as_gpu.c. */
#ifndef TEST_KEPT_H
#define TEST_KEPT_H

#include "backends/backend.h"

extern tide_backend kept_ref, kept_fused, kept_as_cpu, kept_as_gpu;

/* What was asked of them: attention with so many columns of v is not kept. */
enum { KEPT_NOT = 13 };

#endif
