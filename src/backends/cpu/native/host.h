/* What a printed kernel may call of the program that runs it. Also the text that printed kernels see: no includes. */
#ifndef TIDE_KERNELGEN_HOST_H
#define TIDE_KERNELGEN_HOST_H

/* dst[i] = f(a[i], b[i]) for n elements; c is not used. */
typedef void (*host_strip)(void *dst, const void *a, const void *b, const void *c, int64_t n);

/* Where random numbers are drawn; what they are is said in base/philox.h. */
typedef struct host_site {
    uint64_t seed;
    uint32_t step, site;
    float    number, scale;  /* of a mask */
} host_site;
typedef void (*host_draw)(float *dst, const host_site *site, uint32_t sample, int64_t first, int64_t n);

enum { HOST_OPS = 64 };
typedef struct kernel_host {
    host_strip f32[HOST_OPS];  /* by scalar_op: those that a language has no words for; NULL for the others */
    host_draw  unit, mask;     /* elements first .. first + n of one sample */
    uint64_t   seed;
    int64_t    per_task, rows; /* rows of a task and of all tasks, as kernelgen_map_rows() says */
} kernel_host;

/* Operands are in the kernel's order, each at the address of its element 0; behind them the kernel_host. `scratch` is
 * this thread's, 64-byte aligned, with kernelgen_map_scratch() bytes. */
typedef void (*host_kernel)(char *const *operand, int64_t task, char *scratch);

#endif
