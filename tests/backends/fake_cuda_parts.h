/* What the files of the make-believe CUDA share. */
#ifndef TEST_FAKE_CUDA_PARTS_H
#define TEST_FAKE_CUDA_PARTS_H

#include "backends/cuda/cublaslt.h"
#include "fake_cuda.h"
#include "gpu/build.h"

extern fake_cuda fake;

/* The symbol of a library's function, with its version; declared with our table's type. */
#define FAKE_SYMBOL(library, name, version, takes)                                                                     \
    __attribute__((visibility("default"))) unsigned fake_##library##name takes __asm__(#library #name version);

/* Ends the program: its caller does what must not be done. */
void fake_stop(const char *format, ...) TIDE_PRINTF(1, 2);

/* One thread at a time is in the libraries. */
int  fake_enter(void);
void fake_leave(const int *entered);
void fake_pause(void);  /* inside: others may be meanwhile */
#define FAKE_ENTER __attribute__((cleanup(fake_leave))) const int entered = fake_enter();

/* Counts a call; what it is to return instead of what it does; 0: nothing. */
unsigned fake_fault(const char *function);

/* Handles: what is gone stays in memory, and is known by it. */
typedef struct fake_object {
    uint64_t    magic;
    const char *kind;
    bool        gone;
    struct fake_object *next;
} fake_object;
void *fake_new(const char *kind, size_t bytes);    /* a structure that begins with a fake_object */
void *fake_known(const void *handle, const char *kind);
void  fake_end(void *object);

/* A device's own. */
typedef struct fake_context {
    fake_object o;
    int      held, pushed;
    unsigned sticky;      /* what a kernel has done to it */
    int64_t  bytes;
    struct stream *streams;
} fake_context;
fake_context *fake_now(void);                      /* the thread's */
extern __thread int fake_capturing;                /* streams that the thread captures */
void fake_drain(const fake_context *c);            /* does all that is queued there */

/* What a stream does later, or now. What it needs is copied; a code. */
typedef unsigned fake_work(const void *what);
unsigned fake_queue(cuda_stream stream, fake_work *work, const void *what, size_t bytes);
/* A sticky error of the current context, or 0; stops if there is none current. */
unsigned fake_current(const char *function);

/* Device memory: stops unless all bytes are in one block. */
void *fake_device_memory(cuda_address at, size_t bytes);
void  fake_check_guards(cuda_address at);

/* Where a cubin has its text; NULL: it is none. */
const char *fake_text_of(const void *cubin, int *capability);

/* How the driver's functions begin. */
#define CALLED(function)                                                                                               \
    FAKE_ENTER                                                                                                         \
    unsigned code = fake_fault(function);
#define CALL(function)                                                                                                 \
    CALLED(function)                                                                                                   \
    if (code) return code;
/* What a captured stream allows, and what it does not. */
#define CONTEXT_CALLED(function)                                                                                       \
    CALLED(function)                                                                                                   \
    if (!code) code = fake_current(function);                                                                          \
    else fake_current(function);
#define CAPTURED_CALL(function)                                                                                        \
    CONTEXT_CALLED(function)                                                                                           \
    if (code) return code;
/* A release that fails has released. */
#define RELEASING_CALL(function)                                                                                       \
    CONTEXT_CALLED(function)                                                                                           \
    if (fake_capturing) fake_stop("%s while this thread captures a stream", function);
#define CONTEXT_CALL(function)                                                                                         \
    RELEASING_CALL(function)                                                                                           \
    if (code) return code;

#define DECLARED(name, version, takes) FAKE_SYMBOL(cu, name, version, takes)
CUDA_FUNCTIONS(DECLARED)

#endif
