/* A library to be named by TIDEMILL_OPENCL. It counts what is alive, and one call of a chosen function fails, from the
 * start where FAKE_OPENCL_FAULT tells "FUNCTION AT TIMES CODE". Behind it is the library that FAKE_OPENCL_REAL names,
 * or nobody: then buffers are the host's memory and kernels compute nothing. */
#include "fake_opencl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define PUBLIC __attribute__((visibility("default")))

/* ---- control ---- */

#define NUMBERED(returns, name, takes) CALL_##name,
enum { OPENCL_FUNCTIONS(NUMBERED) CALLS };
#define NAMED(returns, name, takes) #name,
static const char *const names[] = { OPENCL_FUNCTIONS(NAMED) };

static opencl real;
static bool   forwards;
static fake_opencl_counts counts;
static _Atomic int64_t calls[CALLS];
static struct { int64_t at, times; int32_t code; } faults[CALLS];
static fake_opencl_device shown = { 1, 1, "OpenCL 1.2 fake", 256, true, true };

static int number_of(const char *function) {
    for (int i = 0; i < CALLS; i++)
        if (!strcmp(names[i], function)) return i;
    fprintf(stderr, "fake OpenCL: no function %s\n", function);
    abort();
}

PUBLIC void fake_opencl_fault(const char *function, int64_t at, int64_t times, int32_t code) {
    for (int i = 0; i < CALLS; i++) calls[i] = 0;
    if (!function) {
        memset(faults, 0, sizeof faults);
        return;
    }
    int i = number_of(function);
    faults[i].at = at, faults[i].times = times, faults[i].code = code;
}

PUBLIC int64_t fake_opencl_calls(const char *function) { return calls[number_of(function)]; }
PUBLIC fake_opencl_counts fake_opencl_live(void) { return counts; }
PUBLIC void fake_opencl_show(const fake_opencl_device *device) { shown = *device; }

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAKE_OPENCL_REAL"), *platforms = getenv("FAKE_OPENCL_PLATFORMS"),
               *devices = getenv("FAKE_OPENCL_DEVICES");
    if (platforms) shown.platforms = (uint32_t)atoi(platforms);
    if (devices) shown.devices = (uint32_t)atoi(devices);
    char function[64];
    long long at, times;
    int code;
    const char *fault_said = getenv("FAKE_OPENCL_FAULT");
    if (fault_said && sscanf(fault_said, "%63s %lld %lld %d", function, &at, &times, &code) == 4)
        fake_opencl_fault(function, at, times, code);
    void *library = name ? dlopen(name, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (name && !library) fprintf(stderr, "fake OpenCL: %s\n", dlerror()), abort();
#define TAKE(returns, function, takes)                                                                                 \
    if (library) memcpy(&real.function, &(void *){ dlsym(library, "cl" #function) }, sizeof(void *));
    OPENCL_FUNCTIONS(TAKE)
    forwards = library != NULL;
}

/* What this call is to return instead of being made; 0: it is made. */
static int32_t fault(int function) {
    int64_t nth = calls[function]++ - faults[function].at;
    return nth >= 0 && nth < faults[function].times ? faults[function].code : OCL_SUCCESS;
}

#define FAIL(function)                                                                                                 \
    int32_t faulty = fault(CALL_##function);                                                                           \
    if (faulty) return faulty;
#define FAIL_NULL(function, code)                                                                                      \
    int32_t faulty = fault(CALL_##function);                                                                           \
    if (faulty) return *(code) = faulty, NULL;

/* ---- objects ---- */

typedef struct object { int64_t bytes; char data[]; } object;

static void *new_object(size_t bytes) {
    object *o = calloc(1, sizeof *o + bytes);
    if (!o) abort();
    o->bytes = (int64_t)bytes;
    return o;
}

static void *made(void *object, _Atomic int64_t *count) {
    if (object) ++*count;
    return object;
}

/* A release that fails has released: nobody calls it again. */
#define RELEASE(function, type, count)                                                                                 \
    PUBLIC int32_t cl##function(type o) {                                                                              \
        counts.count--;                                                                                                \
        if (forwards) real.function(o);                                                                                \
        else free(o);                                                                                                  \
        return fault(CALL_##function);                                                                                 \
    }
RELEASE(ReleaseContext, ocl_context, contexts)
RELEASE(ReleaseCommandQueue, ocl_queue, queues)
RELEASE(ReleaseMemObject, ocl_mem, buffers)
RELEASE(ReleaseProgram, ocl_program, programs)
RELEASE(ReleaseKernel, ocl_kernel, kernels)
RELEASE(ReleaseEvent, ocl_event, events)

static int32_t tell(const void *what, size_t bytes, size_t room, void *to, size_t *needed) {
    if (needed) *needed = bytes;
    if (to && room < bytes) return OCL_INVALID_VALUE;
    if (to) memcpy(to, what, bytes);
    return OCL_SUCCESS;
}

static int32_t tell_words(const char *words, size_t room, void *to, size_t *needed) {
    return tell(words, strlen(words) + 1, room, to, needed);
}

#define TELL(type, value) tell(&(type){ value }, sizeof(type), room, to, needed)

/* ---- platforms and devices ---- */

PUBLIC int32_t clGetPlatformIDs(uint32_t most, ocl_platform *out, uint32_t *count) {
    FAIL(GetPlatformIDs)
    if (forwards) return real.GetPlatformIDs(most, out, count);
    if (count) *count = shown.platforms;
    for (uint32_t i = 0; out && i < MIN2(most, shown.platforms); i++) out[i] = (ocl_platform)(uintptr_t)(16 * (i + 1));
    return shown.platforms ? OCL_SUCCESS : OCL_PLATFORM_NOT_FOUND_KHR;
}

PUBLIC int32_t clGetPlatformInfo(ocl_platform p, uint32_t what, size_t room, void *to, size_t *needed) {
    FAIL(GetPlatformInfo)
    return forwards ? real.GetPlatformInfo(p, what, room, to, needed) : tell_words("fake", room, to, needed);
}

/* Those with even numbers are processors. */
PUBLIC int32_t clGetDeviceIDs(ocl_platform p, uint64_t type, uint32_t most, ocl_device *out, uint32_t *count) {
    FAIL(GetDeviceIDs)
    if (forwards) return real.GetDeviceIDs(p, type, most, out, count);
    uint32_t n = 0;
    for (uint32_t i = 0; i < shown.devices; i++) {
        uint64_t own = i % 2 ? OCL_DEVICE_TYPE_GPU : OCL_DEVICE_TYPE_CPU;
        if (own & type && n++ < most && out) out[n - 1] = (ocl_device)((uintptr_t)p + i + 1);
    }
    if (count) *count = n;
    return n ? OCL_SUCCESS : OCL_DEVICE_NOT_FOUND;
}

PUBLIC int32_t clGetDeviceInfo(ocl_device d, uint32_t what, size_t room, void *to, size_t *needed) {
    FAIL(GetDeviceInfo)
    char name[32];
    const char *extensions = shown.f64 ? "cl_fake cl_khr_fp64" : "cl_khr_fp64_not cl_not_cl_khr_fp64";
    if (forwards) return real.GetDeviceInfo(d, what, room, to, needed);
    snprintf(name, sizeof name, "fake %u", (unsigned)(uintptr_t)d);
    switch (what) {
    case OCL_DEVICE_NAME:                return tell_words(name, room, to, needed);
    case OCL_DEVICE_VERSION:             return tell_words(shown.version, room, to, needed);
    case OCL_DEVICE_EXTENSIONS:          return tell_words(extensions, room, to, needed);
    case OCL_DEVICE_MAX_WORK_GROUP_SIZE: return TELL(size_t, shown.threads);
    case OCL_DEVICE_LOCAL_MEM_SIZE:      return TELL(uint64_t, 32768);
    case OCL_DEVICE_GLOBAL_MEM_SIZE:     return TELL(uint64_t, 1 << 30);
    case OCL_DEVICE_MAX_MEM_ALLOC_SIZE:  return TELL(uint64_t, 1 << 28);
    case OCL_DEVICE_SINGLE_FP_CONFIG:    return TELL(uint64_t, OCL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT);
    case OCL_DEVICE_COMPILER_AVAILABLE:  return TELL(uint32_t, shown.compiler);
    default:                             return tell_words("fake", room, to, needed);
    }
}

PUBLIC ocl_context clCreateContext(const intptr_t *properties, uint32_t n, const ocl_device *d,
                                   void (*told)(const char *, const void *, size_t, void *), void *user,
                                   int32_t *code) {
    FAIL_NULL(CreateContext, code)
    return made(forwards ? real.CreateContext(properties, n, d, told, user, code) : new_object(0), &counts.contexts);
}

PUBLIC ocl_queue clCreateCommandQueue(ocl_context c, ocl_device d, uint64_t properties, int32_t *code) {
    FAIL_NULL(CreateCommandQueue, code)
    return made(forwards ? real.CreateCommandQueue(c, d, properties, code) : new_object(0), &counts.queues);
}

/* ---- memory ---- */

static ocl_event *give_event(ocl_event *event, int32_t code) {
    if (!event || code) return event;
    if (!forwards) *event = new_object(0);
    counts.events++;
    return event;
}

/* Where bytes of a buffer are; NULL: they are not all in it. */
static char *part(ocl_mem buffer, size_t at, size_t bytes) {
    object *o = (object *)buffer;
    return (int64_t)(at + bytes) <= o->bytes ? o->data + at : NULL;
}

PUBLIC ocl_mem clCreateBuffer(ocl_context c, uint64_t flags, size_t bytes, void *host, int32_t *code) {
    FAIL_NULL(CreateBuffer, code)
    return made(forwards ? real.CreateBuffer(c, flags, bytes, host, code) : new_object(bytes), &counts.buffers);
}

PUBLIC int32_t clEnqueueReadBuffer(ocl_queue q, ocl_mem b, uint32_t wait, size_t at, size_t bytes, void *to, uint32_t n,
                                   const ocl_event *after, ocl_event *event) {
    FAIL(EnqueueReadBuffer)
    int32_t code = OCL_SUCCESS;
    if (forwards) code = real.EnqueueReadBuffer(q, b, wait, at, bytes, to, n, after, event);
    else if (part(b, at, bytes)) memcpy(to, part(b, at, bytes), bytes);
    else code = OCL_INVALID_VALUE;
    return give_event(event, code), code;
}

PUBLIC int32_t clEnqueueWriteBuffer(ocl_queue q, ocl_mem b, uint32_t wait, size_t at, size_t bytes, const void *from,
                                    uint32_t n, const ocl_event *after, ocl_event *event) {
    FAIL(EnqueueWriteBuffer)
    int32_t code = OCL_SUCCESS;
    if (forwards) code = real.EnqueueWriteBuffer(q, b, wait, at, bytes, from, n, after, event);
    else if (part(b, at, bytes)) memcpy(part(b, at, bytes), from, bytes);
    else code = OCL_INVALID_VALUE;
    return give_event(event, code), code;
}

PUBLIC int32_t clEnqueueFillBuffer(ocl_queue q, ocl_mem b, const void *pattern, size_t size, size_t at, size_t bytes,
                                   uint32_t n, const ocl_event *after, ocl_event *event) {
    FAIL(EnqueueFillBuffer)
    int32_t code = OCL_SUCCESS;
    if (forwards) code = real.EnqueueFillBuffer(q, b, pattern, size, at, bytes, n, after, event);
    else if (!part(b, at, bytes)) code = OCL_INVALID_VALUE;
    return give_event(event, code), code;
}

/* ---- programs ---- */

PUBLIC ocl_program clCreateProgramWithSource(ocl_context c, uint32_t n, const char **texts, const size_t *lengths,
                                             int32_t *code) {
    FAIL_NULL(CreateProgramWithSource, code)
    return made(forwards ? real.CreateProgramWithSource(c, n, texts, lengths, code) : new_object(0), &counts.programs);
}

static const char a_binary[] = "a program of the fake";

PUBLIC ocl_program clCreateProgramWithBinary(ocl_context c, uint32_t n, const ocl_device *d, const size_t *lengths,
                                             const unsigned char **binaries, int32_t *status, int32_t *code) {
    FAIL_NULL(CreateProgramWithBinary, code)
    bool own = !forwards && *lengths == sizeof a_binary && !memcmp(*binaries, a_binary, sizeof a_binary);
    if (!forwards && !own) return *code = OCL_INVALID_BINARY, NULL;
    return made(forwards ? real.CreateProgramWithBinary(c, n, d, lengths, binaries, status, code) : new_object(0),
                &counts.programs);
}

PUBLIC int32_t clBuildProgram(ocl_program p, uint32_t n, const ocl_device *d, const char *options,
                              void (*told)(ocl_program, void *), void *user) {
    FAIL(BuildProgram)
    return forwards ? real.BuildProgram(p, n, d, options, told, user) : OCL_SUCCESS;
}

PUBLIC int32_t clGetProgramInfo(ocl_program p, uint32_t what, size_t room, void *to, size_t *needed) {
    FAIL(GetProgramInfo)
    if (forwards) return real.GetProgramInfo(p, what, room, to, needed);
    if (what == OCL_PROGRAM_BINARY_SIZES) return TELL(size_t, sizeof a_binary);
    memcpy(*(void **)to, a_binary, sizeof a_binary);
    return OCL_SUCCESS;
}

PUBLIC int32_t clGetProgramBuildInfo(ocl_program p, ocl_device d, uint32_t what, size_t room, void *to,
                                     size_t *needed) {
    FAIL(GetProgramBuildInfo)
    if (forwards) return real.GetProgramBuildInfo(p, d, what, room, to, needed);
    return tell_words("\nwarning: of no interest\n<kernel>:3:1: error: this is no kernel\nand more\n", room, to,
                      needed);
}

PUBLIC ocl_kernel clCreateKernel(ocl_program p, const char *name, int32_t *code) {
    FAIL_NULL(CreateKernel, code)
    return made(forwards ? real.CreateKernel(p, name, code) : new_object(0), &counts.kernels);
}

PUBLIC int32_t clSetKernelArg(ocl_kernel k, uint32_t index, size_t bytes, const void *value) {
    FAIL(SetKernelArg)
    return forwards ? real.SetKernelArg(k, index, bytes, value) : OCL_SUCCESS;
}

PUBLIC int32_t clGetKernelWorkGroupInfo(ocl_kernel k, ocl_device d, uint32_t what, size_t room, void *to,
                                        size_t *needed) {
    FAIL(GetKernelWorkGroupInfo)
    return forwards ? real.GetKernelWorkGroupInfo(k, d, what, room, to, needed) : TELL(size_t, shown.threads);
}

/* ---- queues ---- */

PUBLIC int32_t clEnqueueNDRangeKernel(ocl_queue q, ocl_kernel k, uint32_t dimensions, const size_t *offset,
                                      const size_t *global, const size_t *local, uint32_t n, const ocl_event *after,
                                      ocl_event *event) {
    FAIL(EnqueueNDRangeKernel)
    int32_t code = OCL_SUCCESS;
    if (forwards) code = real.EnqueueNDRangeKernel(q, k, dimensions, offset, global, local, n, after, event);
    return give_event(event, code), code;
}

PUBLIC int32_t clWaitForEvents(uint32_t n, const ocl_event *events) {
    FAIL(WaitForEvents)
    return forwards ? real.WaitForEvents(n, events) : OCL_SUCCESS;
}

PUBLIC int32_t clGetEventProfilingInfo(ocl_event e, uint32_t what, size_t room, void *to, size_t *needed) {
    FAIL(GetEventProfilingInfo)
    if (forwards) return real.GetEventProfilingInfo(e, what, room, to, needed);
    return TELL(uint64_t, what == OCL_PROFILING_COMMAND_END ? 2000000 : 1000000);
}

PUBLIC int32_t clFlush(ocl_queue q) {
    FAIL(Flush)
    return forwards ? real.Flush(q) : OCL_SUCCESS;
}

PUBLIC int32_t clFinish(ocl_queue q) {
    FAIL(Finish)
    return forwards ? real.Finish(q) : OCL_SUCCESS;
}
