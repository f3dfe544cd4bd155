/* What a test tells the make-believe CUDA (fake_cuda.c) and learns of it: the libraries' `fake`. */
#ifndef TEST_FAKE_CUDA_H
#define TEST_FAKE_CUDA_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fake_cuda {
    /* The machine. */
    int      devices, driver_version, capability;  /* 90: 9.0 */
    int      threads, local_bytes, room_bytes;     /* of a group */
    int      kernel_threads;    /* that a kernel allows; 0: what its text says */
    int      compiler_major;
    int      nccl_version;      /* 22703: 2.27.3 */
    int64_t  most_bytes;        /* of a device */
    unsigned lost;              /* what each call for a device returns; 0: none is lost */
    uint64_t seed;              /* of the order in which a graph's nodes run */
    int64_t  workspace;         /* that cuBLASLt wants */
    bool     refuses;           /* it has no algorithm */
    /* What fails, once and `more` times, after so many others, with which code: a function's name without its version,
     * or "run", a kernel, whose error stays with the context; NULL: nothing, or it has. */
    const char *fail;
    int      after, more;
    unsigned code;
    /* What was. */
    int64_t  launches, graphs, products, compiled, out_of_order, gathers;
    int64_t (*calls)(const char *function);
    /* What there still is, in words; "": nothing. Contexts that are pushed count. */
    const char *(*left)(void);
    bool    (*possible)(void);  /* whether texts can be compiled here */
} fake_cuda;

#endif
