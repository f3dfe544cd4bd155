/* Control of fake_opencl.c: its functions are looked for in the library that TIDEMILL_OPENCL names. */
#ifndef TEST_FAKE_OPENCL_H
#define TEST_FAKE_OPENCL_H

#include "backends/opencl/opencl.h"

typedef struct fake_opencl_counts {
    _Atomic int64_t contexts, queues, buffers, programs, kernels, events;
} fake_opencl_counts;

/* What it shows where there is no real library behind it. FAKE_OPENCL_PLATFORMS and FAKE_OPENCL_DEVICES set the first
 * two. */
typedef struct fake_opencl_device {
    uint32_t    platforms, devices;  /* of each platform */
    const char *version;
    size_t      threads;
    bool        f64, compiler;
} fake_opencl_device;

typedef struct fake_opencl {
    /* So many calls of the function (without cl) fail with the code, beginning with number `at` from now on, from 0;
     * NULL: none does any more. Calls are counted from now on. */
    void    (*fault)(const char *function, int64_t at, int64_t times, int32_t code);
    int64_t (*calls)(const char *function);
    fake_opencl_counts (*live)(void);
    void    (*show)(const fake_opencl_device *device);
} fake_opencl;

#endif
