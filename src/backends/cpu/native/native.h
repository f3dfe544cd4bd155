/* Map kernels as machine code made for them: printed as C (kernelgen), compiled by the system compiler, taken where
 * that measures faster than strips. Only max-autotune does that, or a run that goes on with its choices. Nothing here
 * fails: without a compiler, a cache folder or memory the strips stay, and `reason` says why. */
#ifndef TIDE_CPU_NATIVE_H
#define TIDE_CPU_NATIVE_H

#include "backends/cpu/cpu.h"
#include "kernelgen/kernelgen.h"
/* after what defines its types: printed kernels see its text, which includes nothing */
#include "host.h"

/* A loaded library and the file it was loaded from. */
typedef struct native_code {
    void *library;  /* of dlopen; NULL: none */
    int   file;
} native_code;

/* What an exec holds of it. */
typedef struct native_set {
    native_code code;
    int32_t maps, taken;  /* kernels that could be compiled; that run compiled */
    char    reason[200];  /* why none could be, a clause; "" */
} native_set;

/* Replaces what the strips do by compiled kernels, where b->tuning says so or may find out. To be called when all
 * kernels are prepared; raises their scratch. */
void native_prepare(const cpu_build *b, cpu_kernel *kernels, native_set *set);
void native_release(native_set *set);

/* ---- its parts ----------------------------------------------------------------------------------------- */

typedef struct native_exec {
    host_kernel run;
    int32_t     operands;
    cpu_place  *place;    /* of each operand's element 0 */
    kernel_host host;
} native_exec;

/* One task: the operands are looked for where this thread has them. */
void native_run(const native_exec *x, int64_t task, char *scratch);

/* native_library.c: the compiled text, from the cache ($XDG_CACHE_HOME/tidemill/kernels) or a compiler; library NULL,
 * and why. */
native_code native_library(const char *source, const char *isa, char *reason, size_t size);
void        native_unload(native_code code);

/* native_time.c: whether the compiled kernel beats the strips on operands like these; false too without memory to find
 * out. */
bool native_faster(const cpu_build *b, const flat_kernel *k, const native_exec *x);

#endif
