/* An opened device: what its files share. */
#ifndef TIDE_METAL_DEVICE_H
#define TIDE_METAL_DEVICE_H

#include "backends/gpu/driver.h"
#include "metal.h"

/* A command buffer holds as many launches as take a fraction of a second on a small device: macOS kills one that takes
 * several. A queue has up to 64 that are not done; whoever wants another is made to wait. */
enum { LAUNCHES_TOGETHER = 32, MOST_QUEUED = 32 };

typedef struct metal_batch {
    metal_id buffer;           /* a command buffer; NULL: there is none */
    const char *first, *last;  /* kernels; NULL: copies alone. Their program is not unloaded before the batch is done */
    int32_t launches;          /* and copies */
} metal_batch;

/* Handles of one index are of one MTLDevice, so they know each other's blocks; each has a queue, in order. */
typedef struct metal_device {
    tide_allocator allocator;
    int32_t     index;
    metal_id    device, queue;
    gpu_limits  limits;
    uint64_t    most_block_bytes, most_bytes;  /* of a block, of all; 0: it does not say */
    metal_batch open;                          /* what was told and not committed */
    metal_id    encoder, copier;               /* of `open`: one of them, or none */
    metal_batch queued[MOST_QUEUED];           /* the oldest first */
    int32_t     n_queued;
    tide_failure failure;                      /* of what was queued; nobody knows yet */
} metal_device;

typedef struct metal_module {
    int32_t  n_pipelines;
    metal_id pipelines[];
} metal_module;

extern const backend_memory metal_memory;

/* device.c */
tide_status metal_open(int32_t index, const tide_allocator *allocator, void **device, tide_failure *why);
void        metal_close(void *device);
metal_id    metal_string(const char *words);  /* as long as the pool lasts; NULL: there is no memory */
const char *metal_words(metal_id string);  /* "" for NULL; as long as the pool lasts */
const char *metal_reason(metal_id error);  /* likewise, of an NSError */
void        metal_drop(metal_id object);   /* releases it; NULL is fine */

/* launch.c, besides what gpu_driver says: waits for all that is queued; what nobody knows of yet, once; queues a copy
 * between buffers, of a multiple of 4 bytes. False: it could not. */
void        metal_settle(metal_device *d);
bool        metal_copy(metal_device *d, metal_id from, metal_id into, uint64_t into_at, uint64_t bytes);
tide_status metal_told(metal_device *d, tide_failure *why);
tide_status metal_begin(void *device, tide_failure *why);
tide_status metal_launch(void *device, void *module, const gpu_call *call, double *seconds, tide_failure *why);
tide_status metal_end(void *device, tide_failure *why);

/* program.c */
tide_status metal_build(void *device, const gpu_source *source, void **module, tide_failure *why);
void        metal_unload(void *device, void *module);
int32_t     metal_most_threads(void *device, void *module, int32_t entry);

#endif
