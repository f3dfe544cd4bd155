/* An opened device: what its files share. */
#ifndef TIDE_CUDA_DEVICE_H
#define TIDE_CUDA_DEVICE_H

#include "backends/gpu/driver.h"
#include "cublaslt.h"

/* Copies of what a put was given, in memory that the device reads by itself, each free again when its event is over.
 * Larger puts wait instead. */
enum { STAGES = 8, STAGED_MOST = 8 << 20 };
typedef struct stage { void *memory; size_t bytes; cuda_event written; bool waits; } stage;

/* Handles of one index share the device's own context, so blocks too; each has a stream. */
typedef struct cuda_device {
    const cuda_driver *cuda;
    const nvrtc_found *compiler;
    const cublaslt    *lt;             /* NULL: products are our own */
    lt_handle          blas;           /* made when first wanted */
    tide_allocator allocator;
    int32_t      index;
    int          id, driver_version, capability;  /* 90: 9.0 */
    cuda_context context;
    cuda_stream  stream;
    cuda_event   from, to;             /* of what is timed; made when first wanted */
    gpu_limits   limits;
    stage        stages[STAGES];
    int          next_stage;
    char         first[96], last[96];  /* kernels since the device was waited for; "" */
    unsigned     late;                 /* of a wait that had nobody to tell */
    struct cuda_recording *waiting;    /* runs that are not queued yet, so many of it */
    int          runs;
} cuda_device;

extern const backend_memory cuda_memory;
extern const backend_collectives cuda_collectives;  /* collectives.c */

/* device.c */
tide_status cuda_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why);
void        cuda_close(void *device);
void        cuda_describe(void *device, tide_device *out);
/* What is called in between is for this device, on this thread; the caller's own context comes back. */
void        cuda_enter(const cuda_device *d);
void        cuda_leave(const cuda_device *d);
/* "cuda:0: WHAT failed: out of memory (CUDA_ERROR_...)" and what was queued, for that may be the cause.
 * TIDE_EDEVICE. */
tide_status cuda_fail(const cuda_device *d, unsigned code, tide_failure *why, const char *format, ...)
    TIDE_PRINTF(4, 5);

/* memory.c: what nobody knows of yet, once; waits; stages are given back. */
tide_status cuda_begin(void *device, tide_failure *why);
tide_status cuda_wait(void *device, tide_failure *why);
void        cuda_free_stages(cuda_device *d);

/* graph.c: queues the runs that wait: before anything else is queued or waited for, and before what they need goes. */
void        cuda_queue_runs(cuda_device *d);

/* program.c, launch.c, graph.c: as gpu_driver says. */
tide_status cuda_build(void *device, const gpu_source *source, void **module, tide_failure *why);
void        cuda_unload(void *device, void *module);
int32_t     cuda_most_threads(void *device, void *module, int32_t entry);
tide_status cuda_launch(void *device, void *module, const gpu_call *call, double *seconds, tide_failure *why);
tide_status cuda_end(void *device, tide_failure *why);
tide_status cuda_record(void *device, void *module, const gpu_call *calls, int32_t count, void **recording,
                        tide_failure *why);
tide_status cuda_replay(void *device, void *recording, tide_failure *why);
void        cuda_forget(void *device, void *recording);

/* products.c: gpu_limits.asks and the driver's entries; queues one, CUDA's or cuBLASLt's error. */
int64_t     cuda_asks(void *device, const gpu_product *p);
tide_status cuda_product(void *device, const gpu_product *p, void *const blocks[GPU_BLOCKS], void **out,
                         tide_failure *why);
void        cuda_product_free(void *device, void *product);
unsigned    cuda_multiply(const cuda_device *d, void *product);

/* A kernel's arguments, in the order of its text. */
typedef struct cuda_arguments {
    cuda_address at[GPU_BLOCKS + 1];
    uint32_t     first;
    void        *each[GPU_BLOCKS + 2];  /* the numbers themselves in place of the last two, where it is one launch */
} cuda_arguments;
void cuda_set_arguments(cuda_arguments *a, const gpu_call *call);

/* A built text: each entry is a module of its own, or two, for launches of one and of several. */
enum { CUDA_ALONE, CUDA_AMONG, CUDA_FORMS };
typedef struct cuda_entry { cuda_module module; cuda_function function; } cuda_entry;
typedef struct cuda_text { int32_t n_entries; cuda_entry entries[][CUDA_FORMS]; } cuda_text;
cuda_function cuda_function_of(const cuda_text *text, const gpu_call *call);

#endif
