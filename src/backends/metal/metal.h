/* Apple's Metal, as far as it is called: through the Objective-C runtime, from plain C. No header of Apple's is needed
 * to build, and the libraries are looked for when the first device is opened. A message is objc_msgSend, called as a
 * function of the type that the method has. tests/backends/test_metal_headers.py finds each in Apple's own headers. */
#ifndef TIDE_METAL_H
#define TIDE_METAL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct metal_object   *metal_id;   /* any object, and a class; NSUInteger is uint64_t, NSInteger int64_t */
typedef struct metal_selector *metal_sel;
typedef struct metal_size { uint64_t width, height, depth; } metal_size;  /* MTLSize */

/* Enumerations. */
enum {
    METAL_STORAGE_SHARED = 0,       /* MTLResourceStorageModeShared, and the usual cache mode */
    METAL_UTF8 = 4,                 /* NSUTF8StringEncoding */
    METAL_COMPLETED = 4, METAL_ERROR = 5,  /* MTLCommandBufferStatus */
    METAL_LANGUAGE_3_0 = 3 << 16, METAL_LANGUAGE_3_2 = (3 << 16) + 2,
    METAL_MATH_SAFE = 0, METAL_FUNCTIONS_PRECISE = 1
};

#define METAL_TO metal_id to, metal_sel selector
/* F(the class or protocol, what it returns, our name, the selector, what it takes) */
#define METAL_MESSAGES(F)                                                                                              \
    F(NSObject, metal_id, alloc, "alloc", (METAL_TO))                                                                  \
    F(NSObject, metal_id, init, "init", (METAL_TO))                                                                    \
    F(NSObject, metal_id, retain, "retain", (METAL_TO))                                                                \
    F(NSObject, void, release, "release", (METAL_TO))                                                                  \
    F(NSObject, bool, responds, "respondsToSelector:", (METAL_TO, metal_sel asked))                                    \
    F(NSString, metal_id, string, "stringWithCString:encoding:", (METAL_TO, const char *words, uint64_t encoding))     \
    F(NSString, const char *, utf8, "UTF8String", (METAL_TO))                                                          \
    F(NSArray, uint64_t, count, "count", (METAL_TO))                                                                   \
    F(NSArray, metal_id, at, "objectAtIndex:", (METAL_TO, uint64_t index))                                             \
    F(NSError, metal_id, description, "localizedDescription", (METAL_TO))                                              \
    F(MTLDevice, metal_id, name, "name", (METAL_TO))                                                                   \
    F(MTLDevice, uint64_t, local_bytes, "maxThreadgroupMemoryLength", (METAL_TO))                                      \
    F(MTLDevice, uint64_t, most_bytes, "recommendedMaxWorkingSetSize", (METAL_TO))                                     \
    F(MTLDevice, uint64_t, used_bytes, "currentAllocatedSize", (METAL_TO))                                             \
    F(MTLDevice, uint64_t, most_block_bytes, "maxBufferLength", (METAL_TO))                                            \
    F(MTLDevice, metal_id, new_queue, "newCommandQueue", (METAL_TO))                                                   \
    F(MTLDevice, metal_id, new_buffer, "newBufferWithLength:options:", (METAL_TO, uint64_t bytes, uint64_t options))   \
    F(MTLDevice, metal_id, new_library, "newLibraryWithSource:options:error:",                                         \
      (METAL_TO, metal_id source, metal_id options, metal_id *error))                                                  \
    F(MTLDevice, metal_id, new_pipeline, "newComputePipelineStateWithFunction:error:",                                 \
      (METAL_TO, metal_id function, metal_id *error))                                                                  \
    F(MTLCompileOptions, void, set_fast_math, "setFastMathEnabled:", (METAL_TO, bool fast))                            \
    F(MTLCompileOptions, void, set_math_mode, "setMathMode:", (METAL_TO, int64_t mode))                                \
    F(MTLCompileOptions, void, set_functions, "setMathFloatingPointFunctions:", (METAL_TO, int64_t which))             \
    F(MTLCompileOptions, void, set_language, "setLanguageVersion:", (METAL_TO, uint64_t version))                      \
    F(MTLLibrary, metal_id, new_function, "newFunctionWithName:", (METAL_TO, metal_id name))                           \
    F(MTLComputePipelineState, uint64_t, most_threads, "maxTotalThreadsPerThreadgroup", (METAL_TO))                    \
    F(MTLBuffer, void *, contents, "contents", (METAL_TO))                                                             \
    F(MTLCommandQueue, metal_id, command_buffer, "commandBuffer", (METAL_TO))                                          \
    F(MTLCommandBuffer, metal_id, encoder, "computeCommandEncoder", (METAL_TO))                                        \
    F(MTLCommandBuffer, metal_id, copier, "blitCommandEncoder", (METAL_TO))                                            \
    F(MTLCommandBuffer, void, set_label, "setLabel:", (METAL_TO, metal_id label))                                      \
    F(MTLCommandBuffer, void, commit, "commit", (METAL_TO))                                                            \
    F(MTLCommandBuffer, void, wait, "waitUntilCompleted", (METAL_TO))                                                  \
    F(MTLCommandBuffer, uint64_t, status, "status", (METAL_TO))                                                        \
    F(MTLCommandBuffer, metal_id, error, "error", (METAL_TO))                                                          \
    F(MTLCommandBuffer, double, began, "GPUStartTime", (METAL_TO))                                                     \
    F(MTLCommandBuffer, double, ended, "GPUEndTime", (METAL_TO))                                                       \
    F(MTLComputeCommandEncoder, void, set_pipeline, "setComputePipelineState:", (METAL_TO, metal_id pipeline))         \
    F(MTLComputeCommandEncoder, void, set_buffer, "setBuffer:offset:atIndex:",                                         \
      (METAL_TO, metal_id buffer, uint64_t offset, uint64_t index))                                                    \
    F(MTLComputeCommandEncoder, void, set_bytes, "setBytes:length:atIndex:",                                           \
      (METAL_TO, const void *bytes, uint64_t length, uint64_t index))                                                  \
    F(MTLComputeCommandEncoder, void, dispatch, "dispatchThreadgroups:threadsPerThreadgroup:",                         \
      (METAL_TO, metal_size groups, metal_size threads))                                                               \
    F(MTLBlitCommandEncoder, void, copy, "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:",               \
      (METAL_TO, metal_id from, uint64_t from_at, metal_id into, uint64_t into_at, uint64_t bytes))                    \
    F(MTLCommandEncoder, void, end_encoding, "endEncoding", (METAL_TO))

/* Those that return a structure: on Intel's processors they go by a function of their own. */
#define METAL_STRUCTURES(F) F(MTLDevice, metal_size, group_size, "maxThreadsPerThreadgroup", (METAL_TO))

/* F(what it returns, its name, what it takes) */
#define METAL_FUNCTIONS(F)                                                                                             \
    F(metal_sel, sel_registerName, (const char *name))                                                                 \
    F(metal_id, objc_getClass, (const char *name))                                                                     \
    F(void *, objc_autoreleasePoolPush, (void))                                                                        \
    F(void, objc_autoreleasePoolPop, (void *pool))                                                                     \
    F(metal_id, MTLCopyAllDevices, (void))                                                                             \
    F(metal_id, MTLCreateSystemDefaultDevice, (void))

#define METAL_MESSAGE(of, returns, name, words, takes) struct { returns (*call) takes; metal_sel selector; } name;
#define METAL_FUNCTION(returns, name, takes) returns (*name) takes;
typedef struct metal_calls {
    METAL_MESSAGES(METAL_MESSAGE)
    METAL_STRUCTURES(METAL_MESSAGE)
    METAL_FUNCTIONS(METAL_FUNCTION)
} metal_calls;

/* load.c: of the libraries, once metal_missing has said that they are here. */
extern metal_calls metal;
/* Why there is no Metal, a sentence without its end; NULL: it is here. TIDEMILL_METAL names another library, which then
 * has all that is called, or is "none". Any thread may ask. */
const char *metal_missing(void);

/* A message without arguments, and with. */
#define ASK(name, to) metal.name.call((to), metal.name.selector)
#define SEND(name, to, ...) metal.name.call((to), metal.name.selector, __VA_ARGS__)

#endif
