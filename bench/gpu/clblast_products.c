/* The same products by CLBlast, on the first device that OpenCL lists of the kind asked for.
 *   clblast_products [ROUNDS]
 * Built where CLBlast is (Debian: libclblast-dev); its own tuned parameters for the device, if it has some. */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "shapes.h"

enum { ROUNDS = 7, MOST_ROUNDS = 64, MOST_PLATFORMS = 8 };
static const double round_seconds = 0.05;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static cl_mem matrix(cl_context context, size_t count) {
    cl_int error;
    float *host = malloc(count * sizeof *host);
    unsigned state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        host[i] = (float)(state >> 8) / (1 << 23) - 1;
    }
    cl_mem mem = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, count * sizeof *host, host, &error);
    free(host);
    return error ? NULL : mem;
}

static int multiply(const product_shape *s, cl_mem a, cl_mem b, cl_mem c, cl_command_queue *queue) {
    CLBlastTranspose ta = s->turn_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    CLBlastTranspose tb = s->turn_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    size_t m = (size_t)s->m, n = (size_t)s->n, k = (size_t)s->k;
    size_t lda = s->turn_a ? m : k, ldb = s->turn_b ? k : n;
    if (s->batches == 1)
        return (int)CLBlastSgemm(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1, a, 0, lda, b, 0, ldb, 0, c, 0, n, queue,
                                 NULL);
    return (int)CLBlastSgemmStridedBatched(CLBlastLayoutRowMajor, ta, tb, m, n, k, 1, a, 0, lda, m * k, b, 0, ldb,
                                           k * n, 0, c, 0, n, m * n, (size_t)s->batches, queue, NULL);
}

static double time_runs(const product_shape *s, cl_mem a, cl_mem b, cl_mem c, cl_command_queue queue, int repeats) {
    double began = now();
    for (int i = 0; i < repeats; i++)
        if (multiply(s, a, b, c, &queue)) return -1;
    return clFinish(queue) ? -1 : (now() - began) / repeats;
}

static int time_shape(const product_shape *s, cl_context context, cl_command_queue queue, int rounds) {
    size_t batches = (size_t)s->batches;
    cl_mem a = matrix(context, batches * (size_t)s->m * (size_t)s->k);
    cl_mem b = matrix(context, batches * (size_t)s->k * (size_t)s->n);
    cl_mem c = matrix(context, batches * (size_t)s->m * (size_t)s->n);
    double took[MOST_ROUNDS], once = time_runs(s, a, b, c, queue, 1);
    once = once < 0 ? once : time_runs(s, a, b, c, queue, 1);
    int repeats = once > 0 && once < round_seconds ? (int)(round_seconds / once) : 1;
    if (repeats > 200) repeats = 200;
    for (int i = 0; i < rounds && once >= 0; i++) once = took[i] = time_runs(s, a, b, c, queue, repeats);
    clReleaseMemObject(a), clReleaseMemObject(b), clReleaseMemObject(c);
    if (once < 0) return fprintf(stderr, "%s: failed\n", s->what), 1;
    qsort(took, (size_t)rounds, sizeof *took, by_value);
    printf("{\"who\": \"clblast\", \"what\": \"%s\", \"m\": %d, \"n\": %d, \"k\": %d, \"batches\": %d, \"us\": %.1f, "
           "\"gflops\": %.0f}\n", s->what, s->m, s->n, s->k, s->batches, took[rounds / 2] * 1e6,
           2e-9 * s->m * s->n * s->k * s->batches / took[rounds / 2]);
    fflush(stdout);
    return 0;
}

static cl_device_id find_device(void) {
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint n = 0;
    cl_device_id device = NULL;
    clGetPlatformIDs(MOST_PLATFORMS, platforms, &n);
    static const cl_device_type kinds[] = { CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_ALL };
    for (int kind = 0; kind < 2; kind++)
        for (cl_uint i = 0; i < n && i < MOST_PLATFORMS; i++)
            if (!clGetDeviceIDs(platforms[i], kinds[kind], 1, &device, NULL)) return device;
    return NULL;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : ROUNDS, failed = 0;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = ROUNDS;
    cl_device_id device = find_device();
    cl_int error;
    if (!device) return fprintf(stderr, "there is no OpenCL device\n"), 4;
    cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    cl_command_queue queue = clCreateCommandQueue(context, device, 0, &error);
    if (error) return fprintf(stderr, "no queue: %d\n", error), 4;
    for (int i = 0; i < PRODUCT_SHAPES; i++) failed += time_shape(&product_shapes[i], context, queue, rounds);
    return failed != 0;
}
