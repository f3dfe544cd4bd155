/* CUDA's driver and its run-time compiler as far as they are called, in declarations of our own: no toolkit is needed
 * to build, and the libraries are looked for when the first device is opened. tests/backends/test_cuda_declarations.c
 * compares all that is said here with the real headers. Of the driver 12.0 (R525) or later is needed, of NVRTC 12 or
 * 13. */
#ifndef TIDE_CUDA_H
#define TIDE_CUDA_H

#include "base/base.h"

/* Handles have the libraries' own tags; a device is a number, memory of one an address. */
typedef struct CUctx_st       *cuda_context;
typedef struct CUstream_st    *cuda_stream;
typedef struct CUevent_st     *cuda_event;
typedef struct CUmod_st       *cuda_module;
typedef struct CUfunc_st      *cuda_function;
typedef struct CUkern_st      *cuda_kernel;
typedef struct CUgraph_st     *cuda_graph;
typedef struct CUgraphNode_st *cuda_node;
typedef struct CUgraphExec_st *cuda_graph_exec;
typedef struct _nvrtcProgram  *nvrtc_program;
typedef unsigned long long     cuda_address;

/* CUDA_KERNEL_NODE_PARAMS of version 2 */
typedef struct cuda_node_params {
    cuda_function func;
    unsigned gridDimX, gridDimY, gridDimZ, blockDimX, blockDimY, blockDimZ, sharedMemBytes;
    void **kernelParams, **extra;
    cuda_kernel  kern;
    cuda_context ctx;
} cuda_node_params;

/* CUgraphEdgeData: a kernel may start when those before it let it, and waits for their end by itself. */
typedef struct cuda_edge { unsigned char from_port, to_port, type, reserved[5]; } cuda_edge;
enum { CUDA_PORT_PROGRAMMATIC = 1, CUDA_EDGE_PROGRAMMATIC = 1 };

/* F(its name without CU_, its number) */
#define CUDA_CONSTANTS(F)                                                                                              \
    F(DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1) F(DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 8)                    \
    F(DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 97)                                                          \
    F(DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75) F(DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)                  \
    F(FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 0) F(FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8)                      \
    F(STREAM_NON_BLOCKING, 1) F(EVENT_DEFAULT, 0)                           \
    F(EVENT_DISABLE_TIMING, 2) F(STREAM_CAPTURE_MODE_THREAD_LOCAL, 1)

/* F(its name without CUDA_, its number): errors that are told apart */
#define CUDA_ERRORS(F) F(SUCCESS, 0) F(ERROR_OUT_OF_MEMORY, 2) F(ERROR_NO_DEVICE, 100) F(ERROR_NOT_READY, 600)

#define CUDA_VALUE(name, number) CUDA_##name = (number),
enum { CUDA_CONSTANTS(CUDA_VALUE) CUDA_ERRORS(CUDA_VALUE) };

/* F(its name without cu, what its symbol has behind it, what it takes). All return CUresult, 0 for success. */
#define CUDA_FUNCTIONS(F)                                                                                              \
    F(Init, "", (unsigned flags))                                                                                      \
    F(DriverGetVersion, "", (int *))                                                                                   \
    F(GetErrorName, "", (unsigned, const char **))                                                                     \
    F(GetErrorString, "", (unsigned, const char **))                                                                   \
    F(DeviceGetCount, "", (int *))                                                                                     \
    F(DeviceGet, "", (int *, int index))                                                                               \
    F(DeviceGetName, "", (char *, int size, int device))                                                               \
    F(DeviceTotalMem, "_v2", (size_t *, int device))                                                                   \
    F(DeviceGetAttribute, "", (int *, unsigned what, int device))                                                      \
    F(DevicePrimaryCtxRetain, "", (cuda_context *, int device))                                                        \
    F(DevicePrimaryCtxRelease, "_v2", (int device))                                                                    \
    F(CtxPushCurrent, "_v2", (cuda_context))                                                                           \
    F(CtxPopCurrent, "_v2", (cuda_context *))                                                                          \
    F(StreamCreate, "", (cuda_stream *, unsigned flags))                                                               \
    F(StreamDestroy, "_v2", (cuda_stream))                                                                             \
    F(StreamSynchronize, "", (cuda_stream))                                                                            \
    F(StreamQuery, "", (cuda_stream))                                                                                  \
    F(StreamBeginCapture, "_v2", (cuda_stream, unsigned mode))                                                         \
    F(StreamEndCapture, "", (cuda_stream, cuda_graph *))                                                               \
    F(EventCreate, "", (cuda_event *, unsigned flags))                                                                 \
    F(EventDestroy, "_v2", (cuda_event))                                                                               \
    F(EventRecord, "", (cuda_event, cuda_stream))                                                                      \
    F(EventSynchronize, "", (cuda_event))                                                                              \
    F(EventElapsedTime, "", (float *ms, cuda_event from, cuda_event to))                                               \
    F(MemAlloc, "_v2", (cuda_address *, size_t))                                                                       \
    F(MemFree, "_v2", (cuda_address))                                                                                  \
    F(MemAllocHost, "_v2", (void **, size_t))                                                                          \
    F(MemFreeHost, "", (void *))                                                                                       \
    F(MemcpyHtoDAsync, "_v2", (cuda_address to, const void *from, size_t, cuda_stream))                                \
    F(MemcpyDtoHAsync, "_v2", (void *to, cuda_address from, size_t, cuda_stream))                                      \
    F(ModuleLoadData, "", (cuda_module *, const void *))                                                               \
    F(ModuleUnload, "", (cuda_module))                                                                                 \
    F(ModuleGetFunction, "", (cuda_function *, cuda_module, const char *name))                                         \
    F(FuncGetAttribute, "", (int *, unsigned what, cuda_function))                                                     \
    F(FuncSetAttribute, "", (cuda_function, unsigned what, int))                                                       \
    F(LaunchKernel, "", (cuda_function, unsigned groups_x, unsigned groups_y, unsigned groups_z, unsigned threads_x,   \
                         unsigned threads_y, unsigned threads_z, unsigned local_bytes, cuda_stream, void **arguments,  \
                         void **extra))                                                                                \
    F(GraphCreate, "", (cuda_graph *, unsigned flags))                                                                 \
    F(GraphDestroy, "", (cuda_graph))                                                                                  \
    F(GraphAddKernelNode, "_v2", (cuda_node *, cuda_graph, const cuda_node *after, size_t, const cuda_node_params *))  \
    F(GraphAddChildGraphNode, "", (cuda_node *, cuda_graph, const cuda_node *after, size_t, cuda_graph child))         \
    F(GraphInstantiate, "WithFlags", (cuda_graph_exec *, cuda_graph, unsigned long long flags))                        \
    F(GraphExecDestroy, "", (cuda_graph_exec))                                                                         \
    F(GraphLaunch, "", (cuda_graph_exec, cuda_stream))

/* The same of NVRTC, whose names begin with nvrtc; nvrtcResult is returned. */
#define NVRTC_FUNCTIONS(F)                                                                                             \
    F(Version, "", (int *major, int *minor))                                                                           \
    F(CreateProgram, "", (nvrtc_program *, const char *text, const char *name, int, const char *const *headers,        \
                          const char *const *names))                                                                   \
    F(DestroyProgram, "", (nvrtc_program *))                                                                           \
    F(CompileProgram, "", (nvrtc_program, int, const char *const *options))                                            \
    F(GetCUBINSize, "", (nvrtc_program, size_t *))                                                                     \
    F(GetCUBIN, "", (nvrtc_program, char *))                                                                           \
    F(GetProgramLogSize, "", (nvrtc_program, size_t *))                                                                \
    F(GetProgramLog, "", (nvrtc_program, char *))

#define CUDA_MEMBER(name, version, takes) unsigned (*name) takes;
typedef struct cuda_driver { CUDA_FUNCTIONS(CUDA_MEMBER) } cuda_driver;
/* Of CUDA 12.3: where it is missing, launches wait for each other as a whole. */
typedef unsigned cuda_add_dependencies(cuda_graph, const cuda_node *from, const cuda_node *to, const cuda_edge *,
                                       size_t);
typedef struct nvrtc { NVRTC_FUNCTIONS(CUDA_MEMBER) } nvrtc;

/* load.c: the libraries, each looked for once in a process and never closed; NULL, and why: a clause. TIDEMILL_CUDA
 * "none" hides them, TIDEMILL_CUDA_LIBS names folders that are looked through first. Any thread may ask. The driver has
 * been started. */
const cuda_driver *cuda_here(const char **missing);
cuda_add_dependencies *cuda_edges_here(void);  /* NULL: the driver has it not; cuda_here comes first */
/* Of the driver's major version rather than a later one. The key tells compilers apart: their versions. */
typedef struct nvrtc_found { nvrtc calls; int major, minor; } nvrtc_found;
const nvrtc_found *nvrtc_here(const char **missing);

#endif
