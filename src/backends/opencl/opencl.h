/* OpenCL 1.2 as far as it is called, in declarations of our own: no header of it is needed to build, and its library is
 * looked for when the first device is opened. tests/backends/test_opencl_declarations.c compares all that is said here
 * with the real header. */
#ifndef TIDE_OPENCL_H
#define TIDE_OPENCL_H

#include "base/base.h"

/* Handles have the library's own tags. */
typedef struct _cl_platform_id   *ocl_platform;
typedef struct _cl_device_id     *ocl_device;
typedef struct _cl_context       *ocl_context;
typedef struct _cl_command_queue *ocl_queue;
typedef struct _cl_mem           *ocl_mem;
typedef struct _cl_program       *ocl_program;
typedef struct _cl_kernel        *ocl_kernel;
typedef struct _cl_event         *ocl_event;

/* F(its name without CL_, its number) */
#define OPENCL_CONSTANTS(F)                                                                                            \
    F(FALSE, 0) F(TRUE, 1)                                                                                             \
    F(PLATFORM_VERSION, 0x0901) F(PLATFORM_NAME, 0x0902)                                                               \
    F(DEVICE_TYPE_CPU, 2) F(DEVICE_TYPE_GPU, 4) F(DEVICE_TYPE_ACCELERATOR, 8)                                          \
    F(DEVICE_MAX_WORK_GROUP_SIZE, 0x1004) F(DEVICE_MAX_MEM_ALLOC_SIZE, 0x1010) F(DEVICE_SINGLE_FP_CONFIG, 0x101B)      \
    F(DEVICE_GLOBAL_MEM_SIZE, 0x101F) F(DEVICE_LOCAL_MEM_SIZE, 0x1023) F(DEVICE_COMPILER_AVAILABLE, 0x1028)            \
    F(DEVICE_NAME, 0x102B) F(DEVICE_VENDOR, 0x102C) F(DRIVER_VERSION, 0x102D) F(DEVICE_VERSION, 0x102F)                \
    F(DEVICE_EXTENSIONS, 0x1030)                                                                                       \
    F(FP_CORRECTLY_ROUNDED_DIVIDE_SQRT, 128)                                                                           \
    F(CONTEXT_PLATFORM, 0x1084) F(QUEUE_PROFILING_ENABLE, 2) F(MEM_READ_WRITE, 1)                                      \
    F(PROGRAM_BINARY_SIZES, 0x1165) F(PROGRAM_BINARIES, 0x1166) F(PROGRAM_BUILD_LOG, 0x1183)                           \
    F(KERNEL_WORK_GROUP_SIZE, 0x11B0) F(PROFILING_COMMAND_START, 0x1282) F(PROFILING_COMMAND_END, 0x1283)

#define OPENCL_ERRORS(F)                                                                                               \
    F(SUCCESS, 0) F(DEVICE_NOT_FOUND, -1) F(DEVICE_NOT_AVAILABLE, -2) F(COMPILER_NOT_AVAILABLE, -3)                    \
    F(MEM_OBJECT_ALLOCATION_FAILURE, -4) F(OUT_OF_RESOURCES, -5) F(OUT_OF_HOST_MEMORY, -6)                             \
    F(PROFILING_INFO_NOT_AVAILABLE, -7) F(MEM_COPY_OVERLAP, -8) F(IMAGE_FORMAT_MISMATCH, -9)                           \
    F(IMAGE_FORMAT_NOT_SUPPORTED, -10) F(BUILD_PROGRAM_FAILURE, -11) F(MAP_FAILURE, -12)                               \
    F(MISALIGNED_SUB_BUFFER_OFFSET, -13) F(EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, -14)                             \
    F(COMPILE_PROGRAM_FAILURE, -15) F(LINKER_NOT_AVAILABLE, -16) F(LINK_PROGRAM_FAILURE, -17)                          \
    F(DEVICE_PARTITION_FAILED, -18) F(KERNEL_ARG_INFO_NOT_AVAILABLE, -19)                                              \
    F(INVALID_VALUE, -30) F(INVALID_DEVICE_TYPE, -31) F(INVALID_PLATFORM, -32) F(INVALID_DEVICE, -33)                  \
    F(INVALID_CONTEXT, -34) F(INVALID_QUEUE_PROPERTIES, -35) F(INVALID_COMMAND_QUEUE, -36)                             \
    F(INVALID_HOST_PTR, -37) F(INVALID_MEM_OBJECT, -38) F(INVALID_IMAGE_FORMAT_DESCRIPTOR, -39)                        \
    F(INVALID_IMAGE_SIZE, -40) F(INVALID_SAMPLER, -41) F(INVALID_BINARY, -42) F(INVALID_BUILD_OPTIONS, -43)            \
    F(INVALID_PROGRAM, -44) F(INVALID_PROGRAM_EXECUTABLE, -45) F(INVALID_KERNEL_NAME, -46)                             \
    F(INVALID_KERNEL_DEFINITION, -47) F(INVALID_KERNEL, -48) F(INVALID_ARG_INDEX, -49) F(INVALID_ARG_VALUE, -50)       \
    F(INVALID_ARG_SIZE, -51) F(INVALID_KERNEL_ARGS, -52) F(INVALID_WORK_DIMENSION, -53)                                \
    F(INVALID_WORK_GROUP_SIZE, -54) F(INVALID_WORK_ITEM_SIZE, -55) F(INVALID_GLOBAL_OFFSET, -56)                       \
    F(INVALID_EVENT_WAIT_LIST, -57) F(INVALID_EVENT, -58) F(INVALID_OPERATION, -59) F(INVALID_GL_OBJECT, -60)          \
    F(INVALID_BUFFER_SIZE, -61) F(INVALID_MIP_LEVEL, -62) F(INVALID_GLOBAL_WORK_SIZE, -63)                             \
    F(INVALID_PROPERTY, -64) F(INVALID_IMAGE_DESCRIPTOR, -65) F(INVALID_COMPILER_OPTIONS, -66)                         \
    F(INVALID_LINKER_OPTIONS, -67) F(INVALID_DEVICE_PARTITION_COUNT, -68)                                              \
    F(PLATFORM_NOT_FOUND_KHR, -1001)

#define OPENCL_VALUE(name, number) OCL_##name = (number),
enum { OPENCL_CONSTANTS(OPENCL_VALUE) OPENCL_ERRORS(OPENCL_VALUE) };

/* F(what it returns, its name without cl, what it takes). The types of the header are plain integers: cl_int int32_t,
 * cl_uint, cl_bool and what is asked for uint32_t, bit fields uint64_t. */
#define OPENCL_FUNCTIONS(F)                                                                                            \
    F(int32_t, GetPlatformIDs, (uint32_t most, ocl_platform *, uint32_t *count))                                       \
    F(int32_t, GetPlatformInfo, (ocl_platform, uint32_t what, size_t, void *, size_t *))                               \
    F(int32_t, GetDeviceIDs, (ocl_platform, uint64_t type, uint32_t most, ocl_device *, uint32_t *count))              \
    F(int32_t, GetDeviceInfo, (ocl_device, uint32_t what, size_t, void *, size_t *))                                   \
    F(ocl_context, CreateContext, (const intptr_t *properties, uint32_t count, const ocl_device *,                     \
                                   void (*)(const char *, const void *, size_t, void *), void *, int32_t *))           \
    F(int32_t, ReleaseContext, (ocl_context))                                                                          \
    F(ocl_queue, CreateCommandQueue, (ocl_context, ocl_device, uint64_t properties, int32_t *))                        \
    F(int32_t, ReleaseCommandQueue, (ocl_queue))                                                                       \
    F(ocl_mem, CreateBuffer, (ocl_context, uint64_t flags, size_t, void *host, int32_t *))                             \
    F(int32_t, ReleaseMemObject, (ocl_mem))                                                                            \
    F(int32_t, EnqueueReadBuffer, (ocl_queue, ocl_mem, uint32_t blocking, size_t at, size_t, void *, uint32_t,         \
                                   const ocl_event *, ocl_event *))                                                    \
    F(int32_t, EnqueueWriteBuffer, (ocl_queue, ocl_mem, uint32_t blocking, size_t at, size_t, const void *, uint32_t,  \
                                    const ocl_event *, ocl_event *))                                                   \
    F(int32_t, EnqueueFillBuffer, (ocl_queue, ocl_mem, const void *pattern, size_t, size_t at, size_t, uint32_t,       \
                                   const ocl_event *, ocl_event *))                                                    \
    F(ocl_program, CreateProgramWithSource, (ocl_context, uint32_t, const char **, const size_t *, int32_t *))         \
    F(ocl_program, CreateProgramWithBinary, (ocl_context, uint32_t, const ocl_device *, const size_t *,                \
                                             const unsigned char **, int32_t *status, int32_t *))                      \
    F(int32_t, BuildProgram, (ocl_program, uint32_t, const ocl_device *, const char *options,                          \
                              void (*)(ocl_program, void *), void *))                                                  \
    F(int32_t, GetProgramInfo, (ocl_program, uint32_t what, size_t, void *, size_t *))                                 \
    F(int32_t, GetProgramBuildInfo, (ocl_program, ocl_device, uint32_t what, size_t, void *, size_t *))                \
    F(int32_t, ReleaseProgram, (ocl_program))                                                                          \
    F(ocl_kernel, CreateKernel, (ocl_program, const char *name, int32_t *))                                            \
    F(int32_t, SetKernelArg, (ocl_kernel, uint32_t index, size_t, const void *))                                       \
    F(int32_t, GetKernelWorkGroupInfo, (ocl_kernel, ocl_device, uint32_t what, size_t, void *, size_t *))              \
    F(int32_t, ReleaseKernel, (ocl_kernel))                                                                            \
    F(int32_t, EnqueueNDRangeKernel, (ocl_queue, ocl_kernel, uint32_t dimensions, const size_t *offset,                \
                                      const size_t *global, const size_t *local, uint32_t, const ocl_event *,          \
                                      ocl_event *))                                                                    \
    F(int32_t, WaitForEvents, (uint32_t, const ocl_event *))                                                           \
    F(int32_t, GetEventProfilingInfo, (ocl_event, uint32_t what, size_t, void *, size_t *))                            \
    F(int32_t, ReleaseEvent, (ocl_event))                                                                              \
    F(int32_t, Flush, (ocl_queue))                                                                                     \
    F(int32_t, Finish, (ocl_queue))

#define OPENCL_MEMBER(returns, name, takes) returns (*name) takes;
typedef struct opencl { OPENCL_FUNCTIONS(OPENCL_MEMBER) } opencl;

/* load.c: the library, looked for once in a process and never closed; NULL, and why: a clause for each name that was
 * tried. TIDEMILL_OPENCL names another, or is "none". Any thread may ask. */
const opencl *opencl_here(const char **missing);
/* "CL_OUT_OF_RESOURCES", or the number of an unknown error in `number`. */
const char *opencl_error(int32_t code, char number[24]);

#endif
