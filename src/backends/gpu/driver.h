/* What a GPU's driver does for the shared executor (exec.c): memory as every backend's, programs from text, launches.
 * A backend for a GPU is a table of these, and a tide_backend whose functions hand it to the executor. */
#ifndef TIDE_GPU_DRIVER_H
#define TIDE_GPU_DRIVER_H

#include "plan.h"

/* What a launch gets besides its groups: GPU_BLOCKS blocks (those it has no use for repeat another), the block of the
 * table, and where in it its numbers begin (with GPU_MANY: those of several launches). */
typedef struct gpu_call {
    const flat_kernel *kernel;  /* whose name messages have */
    int32_t entry, threads;     /* entry -1: `product` */
    void   *product;            /* that the driver made of one; NULL: none */
    int64_t groups;
    int64_t room_bytes;         /* of each group's LOCAL_ROOM */
    void   *blocks[GPU_BLOCKS];
    void   *table;
    uint32_t first;
    const int64_t *numbers;     /* the same on the host, of one launch; NULL: of several */
    int32_t slack;              /* how many launches later it may come without making others late; 0: none */
    int32_t n_after;
    const int32_t *after;       /* of the run's calls, those that must have ended; only while it is recorded */
} gpu_call;

typedef struct gpu_driver {
    gpu_language language;
    const backend_memory *memory;
    void (*limits)(void *device, gpu_limits *out);
    /* Compiles the text, entries k0 ... k(n_entries - 1), or finds it in a cache. TIDE_EDEVICE with the compiler's
     * first line otherwise. */
    tide_status (*build)(void *device, const gpu_source *source, void **module, tide_failure *why);
    void (*unload)(void *device, void *module);  /* when what is queued is done; NULL is fine */
    /* The most threads a group of this entry may have, where that is less than the device's. */
    int32_t (*most_threads)(void *device, void *module, int32_t entry);
    /* A failure of a run that was queued before and that nobody knows of: told once, as by backend_memory's. */
    tide_status (*begin)(void *device, tide_failure *why);
    /* Queues a launch after all before it. With `seconds` it adds to it how long the device took, and has waited. A
     * failure names the kernel. */
    tide_status (*launch)(void *device, void *module, const gpu_call *call, double *seconds, tide_failure *why);
    /* All launches of a run have been queued: they may begin. */
    tide_status (*end)(void *device, tide_failure *why);
    /* NULL: a run queues its launches one by one. Else they are made one thing, which a run starts; each waits for no
     * more than its call says. */
    tide_status (*record)(void *device, void *module, const gpu_call *calls, int32_t count, void **recording,
                          tide_failure *why);
    tide_status (*replay)(void *device, void *recording, tide_failure *why);
    void        (*forget)(void *device, void *recording);  /* when what is queued is done; NULL is fine */
    /* Of a product that limits.asks took: what a launch of it is given. NULL where that is. */
    tide_status (*product)(void *device, const gpu_product *p, void *const blocks[GPU_BLOCKS], void **out,
                           tide_failure *why);
    void        (*product_free)(void *device, void *product);
} gpu_driver;

/* exec.c: tide_backend's functions for a driver. */
tide_status gpu_prepare(const gpu_driver *driver, const flat_program *p, void *arena, const backend_env *env,
                        backend_exec **out, tide_failure *why);
tide_status gpu_run(backend_exec *e, tide_failure *why);
tide_status gpu_measure(backend_exec *e, double *seconds, tide_failure *why);
void        gpu_release(backend_exec *e);
/* With groups as large as the device's limits; where a compiled kernel is allowed fewer threads, its text is made again
 * and may need other partial results. */
int64_t     gpu_scratch_bytes(const gpu_driver *driver, const flat_program *p, const backend_env *env);

void        gpu_forget(backend_plan *plan);

extern const backend_cut gpu_cut;  /* cut.c: the numbers of GPUs */

/* A tide_backend's functions that hand the file's `driver` to the executor: prepare, scratch_bytes, lacks, keeps. */
#define GPU_BACKEND_FUNCTIONS                                                                                          \
    static tide_status prepare(const flat_program *p, void *arena, const backend_env *env, backend_exec **out,         \
                               tide_failure *why) {                                                                    \
        return gpu_prepare(&driver, p, arena, env, out, why);                                                          \
    }                                                                                                                  \
    static int64_t scratch_bytes(const flat_program *p, const backend_env *env) {                                      \
        return gpu_scratch_bytes(&driver, p, env);                                                                     \
    }                                                                                                                  \
    static const char *lacks(void *device, const flat_program *p, const flat_kernel *k) {                              \
        gpu_limits here;                                                                                               \
        driver.limits(device, &here);                                                                                  \
        return gpu_lacks(p, k, &here);                                                                                 \
    }                                                                                                                  \
    static bool keeps(void *device, const flat_attention *a, tide_dtype type) {                                        \
        gpu_limits here;                                                                                               \
        driver.limits(device, &here);                                                                                  \
        return gpu_keeps_attention(a, type, &here);                                                                    \
    }

#endif
