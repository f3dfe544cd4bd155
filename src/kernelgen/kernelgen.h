/* Printing kernels as source text: one emitter, a table of spellings a language. Today the language is C over vectors
 * of a processor's lanes, for the system compiler.
 *
 * A printed kernel does exactly what struct flat_map says, for one task. In C it has the rounding and the order of row
 * and column sums of the cpu backend's strips; only FLAT_ALL_SUM of a row-wise kernel adds in another order. */
#ifndef TIDE_KERNELGEN_H
#define TIDE_KERNELGEN_H

#include "../backends/backend.h"

enum { KERNELGEN_OPERANDS = 64 };  /* kernels of more are not printed */

/* Adds the C function `symbol`, a host_kernel, for a machine with `lanes` floats a vector. False, and nothing added:
 * the kernel is no map, or has something the emitter does not do. */
bool kernelgen_map_c(text *out, const flat_program *p, const flat_kernel *k, const char *symbol, int lanes);

/* What the printed kernel wants to be told (host->per_task, host->rows), and bytes of scratch. They are not in the
 * text: kernels that differ in their cut into tasks alone have the same. False: kernelgen_map_c() would not print
 * it. */
typedef struct kernelgen_needs { int64_t per_task, rows, scratch; } kernelgen_needs;
bool kernelgen_map_needs(const flat_program *p, const flat_kernel *k, int lanes, kernelgen_needs *out);

#endif
