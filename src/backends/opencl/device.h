/* An opened device: what its files share. */
#ifndef TIDE_OPENCL_DEVICE_H
#define TIDE_OPENCL_DEVICE_H

#include "backends/gpu/driver.h"
#include "opencl.h"

/* Copies of what a put was given, each free again when its event is over. Larger puts wait instead. */
enum { STAGES = 16, STAGED_MOST = 1 << 20 };
typedef struct stage { void *memory; size_t bytes; ocl_event written; } stage;

/* Handles of one index share the context, so blocks too; each has a queue, in order. Measured launches go to a queue of
 * their own, made when first wanted: one that keeps times is slower. */
typedef struct opencl_device {
    const opencl  *cl;
    tide_allocator allocator;
    int32_t      index;
    ocl_platform platform;
    ocl_device   id;
    ocl_context  context;
    ocl_queue    queue, timed;
    gpu_limits   limits;
    bool         rounds;       /* divisions and square roots correctly, if told to */
    uint64_t     most_bytes;   /* of a block */
    stage        stages[STAGES];
    int          next_stage;
    char         first[96], last[96];  /* kernels since the device was waited for; "" */
    int32_t      late;         /* of a wait that had nobody to tell */
} opencl_device;

extern const backend_memory opencl_memory;

/* device.c */
tide_status opencl_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why);
void        opencl_close(void *device);
void        opencl_describe(void *device, tide_device *out);
/* "opencl:0: WHAT failed: CL_..." and what was queued, for that may be the cause. TIDE_EDEVICE. */
tide_status opencl_fail(const opencl_device *d, int32_t code, tide_failure *why, const char *format, ...)
    TIDE_PRINTF(4, 5);

/* memory.c: what nobody knows of yet, once; waits; stages are given back. */
tide_status opencl_begin(void *device, tide_failure *why);
tide_status opencl_wait(void *device, tide_failure *why);
void        opencl_free_stages(opencl_device *d);

/* program.c, launch.c: as gpu_driver says. */
tide_status opencl_build(void *device, const gpu_source *source, void **module, tide_failure *why);
void        opencl_unload(void *device, void *module);
int32_t     opencl_most_threads(void *device, void *module, int32_t entry);
tide_status opencl_launch(void *device, void *module, const gpu_call *call, double *seconds, tide_failure *why);
tide_status opencl_end(void *device, tide_failure *why);

/* A built program. */
typedef struct opencl_module {
    ocl_program program;
    int32_t     n_kernels;
    ocl_kernel  kernels[];
} opencl_module;

#endif
